/* Performance metrics of a backtest path (DESIGN 4, "metrics"). NaN stands for null throughout. */
#ifndef FMLP_COMMON_STAGES_METRICS_H
#define FMLP_COMMON_STAGES_METRICS_H

#include "common/config/settings.h"
#include "common/core/bars.h"
#include "common/core/trades.h"
#include "common/stages/calendar.h"

typedef struct fmlp_metrics {
  int64_t trades, days;
  double final_equity, total_return;    /* money; fraction of initial capital */
  double sharpe, sharpe_standard_error; /* annualised */
  double sortino, calmar;               /* calmar null under 60 days */
  double max_drawdown;                  /* fraction of the peak */
  double profit_factor, expectancy, win_rate;
  double exposure, turnover;
  double psr;       /* probabilistic Sharpe ratio against 0 */
  bool significant; /* false under 60 days */
} fmlp_metrics;

/* Metrics of one path from its trades and equity. */
FMLP_WARN_UNUSED fmlp_status fmlp_metrics_compute(const fmlp_settings *settings,
                                                  const fmlp_calendar *calendar, const fmlp_bars *bars,
                                                  const fmlp_trades *trades, const fmlp_equity *equity,
                                                  fmlp_metrics *metrics, fmlp_error *error);
#endif
