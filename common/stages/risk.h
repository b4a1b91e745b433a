/* Monte Carlo risk study of a trade list (DESIGN 3.3 and 4, "risk"). */
#ifndef FMLP_COMMON_STAGES_RISK_H
#define FMLP_COMMON_STAGES_RISK_H

#include "common/config/settings.h"
#include "common/contracts/backend.h"
#include "common/core/trades.h"

enum { FMLP_RISK_QUANTILES = 7, FMLP_RISK_FAN_POINTS = 100 };

extern const double fmlp_risk_quantile_levels[FMLP_RISK_QUANTILES]; /* 0.01 0.05 0.25 0.5 0.75 0.95 0.99 */

typedef struct fmlp_proportion { /* count / total with its 95 % Wilson interval */
  int64_t count, total;
  double value, low, high;
} fmlp_proportion;

typedef struct fmlp_risk_result {
  int64_t paths; /* 0: not run, because there was no trade */
  int64_t trades;
  int64_t days;
  bool few_trades;           /* fewer than 30: a warning */
  bool daily_loss_evaluated; /* kind day only */
  fmlp_monte_carlo_totals totals;
  fmlp_proportion ruin, daily_loss, target, loss;
  double final_capital_quantile[FMLP_RISK_QUANTILES];
  double max_drawdown_quantile[FMLP_RISK_QUANTILES];
  int32_t fan_points;
  int64_t fan_trade[FMLP_RISK_FAN_POINTS];                        /* trade number of each fan column */
  double fan_quantile[FMLP_RISK_FAN_POINTS][FMLP_RISK_QUANTILES]; /* capital */
  double *final_capital;                                          /* [paths] money, owned, like the rest */
  double *max_drawdown;                                           /* [paths] */
  int32_t *trades_used;                                           /* [paths] */
  int8_t *outcome;                                                /* [paths] fmlp_path_outcome */
} fmlp_risk_result;

void fmlp_risk_result_release(fmlp_risk_result *result);

FMLP_WARN_UNUSED fmlp_status fmlp_risk_run(const fmlp_settings *settings, const fmlp_trades *trades,
                                           const fmlp_compute *compute, fmlp_risk_result *result,
                                           fmlp_error *error);
#endif
