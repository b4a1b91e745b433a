/* Monte Carlo risk study of a trade list (DESIGN 3.3 and 4, "risk").
 *
 * Levels: ruin = initial * (1 - max_total_loss), daily loss = initial * max_daily_loss (kind day), target =
 * initial * (1 + target_profit). A permutation keeps the sum of the trades, so it reports drawdown only: no
 * limit ends its paths. block_size defaults to the cube root of the number of trades, rounded (the order at
 * which the variance of a block bootstrap is least), and never exceeds the number of trades. The fan has as
 * many columns as fit FMLP_RISK_FAN_CELLS capitals, at most 100. */
#ifndef FMLP_COMMON_STAGES_RISK_H
#define FMLP_COMMON_STAGES_RISK_H

#include "common/config/settings.h"
#include "common/contracts/backend.h"
#include "common/core/trades.h"
#include "common/io/columns.h"
#include "common/io/text.h"

enum {
  FMLP_RISK_QUANTILES = 7,
  FMLP_RISK_FAN_POINTS = 100,
  FMLP_RISK_FEW_TRADES = 30,
  FMLP_RISK_FEW_DAYS = 10,
  FMLP_RISK_FAN_CELLS = 1 << 24
};

extern const double fmlp_risk_quantile_levels[FMLP_RISK_QUANTILES]; /* 0.01 0.05 0.25 0.5 0.75 0.95 0.99 */

typedef struct fmlp_proportion { /* count / total with its 95 % Wilson interval */
  int64_t count, total;
  double value, low, high; /* NaN when total is 0 */
} fmlp_proportion;

fmlp_proportion fmlp_wilson(int64_t count, int64_t total);

/* round(trades^(1/3)), at least 1. */
int64_t fmlp_risk_default_block(int64_t trades);

typedef struct fmlp_risk_result {
  int64_t paths; /* 0: not run, because there was no trade */
  int64_t trades;
  int64_t days;
  int64_t block_length, max_trades;
  fmlp_resampling kind;
  double initial_capital;
  bool few_trades;           /* fewer than 30: a warning */
  bool few_days;             /* kind day on fewer than 10 trading days: a warning */
  bool daily_loss_evaluated; /* kind day only */
  bool limits_evaluated;     /* false for permutation */
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

/* On success `result` is owned by the caller, on failure it is empty. */
FMLP_WARN_UNUSED fmlp_status fmlp_risk_run(const fmlp_settings *settings, const fmlp_trades *trades,
                                           const fmlp_compute *compute, fmlp_risk_result *result,
                                           fmlp_error *error);

/* monte_carlo.json; `result` of a study that was not run says why. */
void fmlp_risk_json(const fmlp_settings *settings, const fmlp_risk_result *result, fmlp_text *text);

/* monte_carlo/{final_capital,max_drawdown,trades_used,outcome}.npy; nothing when it was not run. */
FMLP_WARN_UNUSED fmlp_status fmlp_risk_columns(const fmlp_risk_result *result, const fmlp_column_sink *sink,
                                               fmlp_error *error);

/* "day", "iid", ... */
const char *fmlp_resampling_name(fmlp_resampling kind);
#endif
