/* Performance metrics of a backtest path (DESIGN 4, "metrics"). NaN stands for null throughout.
 *
 * Daily returns: equity at the last bar of each session over that of the session before (the first: over the
 * initial capital), minus one; a day without a trade is 0 and counts, a session without a bar is no day.
 * After ruin (equity <= 0) returns are 0. Years have 252 days, 365 when weekends trade.
 *   sharpe     mean / std (ddof 1) * sqrt(year); null under two days or without variance
 *   standard error  sqrt((1 - g3 s + (g4 - 1)/4 s^2) / (days - 1)) * sqrt(year), s the daily ratio, g3 and g4
 *              the population skewness and kurtosis (Lo 2002; Mertens 2002)
 *   sortino    mean / sqrt(sum min(r, 0)^2 / (days - 1)) * sqrt(year)
 *   calmar     ((final / initial)^(year / days) - 1) / max drawdown; null under 60 days
 *   psr        normal CDF of s sqrt(days - 1) / sqrt(1 - g3 s + (g4 - 1)/4 s^2) (Bailey, Lopez de Prado 2012)
 *   exposure   time with a position open / session time of the period
 *   turnover   notional bought and sold / mean equity of the period's bars */
#ifndef FMLP_COMMON_STAGES_METRICS_H
#define FMLP_COMMON_STAGES_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config/settings.h"
#include "common/core/bars.h"
#include "common/core/trades.h"
#include "common/stages/calendar.h"

enum { FMLP_METRICS_ENOUGH_DAYS = 60 };

typedef struct fmlp_metrics {
  int64_t trades, days;
  double final_equity, total_return;    /* money; fraction of initial capital */
  double sharpe, sharpe_standard_error; /* annualised */
  double sortino, calmar;               /* calmar null under 60 days */
  double max_drawdown;                  /* fraction of the peak */
  double profit_factor;                 /* gross profit / gross loss; null without a loss */
  double expectancy, win_rate;          /* money per trade; fraction of trades with pnl > 0 */
  double exposure, turnover;            /* fractions */
  double psr;                           /* probabilistic Sharpe ratio against 0 */
  bool significant;                     /* false under 60 days */
} fmlp_metrics;

/* The metrics that are doubles, in the order of every table. */
typedef struct fmlp_metric_field {
  const char *name;  /* key in metrics.json */
  const char *label; /* for people */
  const char *unit;  /* "money", "fraction" or "ratio" */
  size_t offset;     /* in fmlp_metrics */
} fmlp_metric_field;

extern const fmlp_metric_field fmlp_metric_fields[];
extern const int32_t fmlp_metric_field_count;

static inline double fmlp_metric_value(const fmlp_metrics *metrics, const fmlp_metric_field *field) {
  return *(const double *)(const void *)((const char *)metrics + field->offset);
}

/* Daily returns of a period; owned (fmlp_daily_release). */
typedef struct fmlp_daily {
  int64_t count;
  int64_t *session;     /* [count] index in the calendar */
  double *daily_return; /* [count] fraction */
} fmlp_daily;

void fmlp_daily_release(fmlp_daily *daily);

/* Returns of the bars [first_bar, last_bar], one per session with a bar. */
FMLP_WARN_UNUSED fmlp_status fmlp_daily_returns(double initial_capital, const fmlp_calendar *calendar,
                                                const fmlp_bars *bars, const fmlp_equity *equity,
                                                int64_t first_bar, int64_t last_bar, fmlp_daily *daily,
                                                fmlp_error *error);

/* Metrics of one path over the bars [first_bar, last_bar] (none when last_bar < first_bar). Without trades
 * everything but trades, days, final equity, total return and exposure is null. `daily` may be NULL; else it
 * receives the returns (owned by the caller on success). */
FMLP_WARN_UNUSED fmlp_status fmlp_metrics_compute(const fmlp_settings *settings,
                                                  const fmlp_calendar *calendar, const fmlp_bars *bars,
                                                  const fmlp_trades *trades, const fmlp_equity *equity,
                                                  int64_t first_bar, int64_t last_bar, fmlp_metrics *metrics,
                                                  fmlp_daily *daily, fmlp_error *error);

/* Median and 5 and 95 % of one metric over paths, nulls left out; NaN when none is left. */
typedef struct fmlp_metric_summary {
  double median, low, high;
  int64_t paths; /* that have the metric */
} fmlp_metric_summary;

/* `values` [count] is reordered. */
fmlp_metric_summary fmlp_metric_summarise(double *values, int64_t count);

#endif
