/* Every recombined path as a backtest, with metrics, their spread, baselines and overfitting checks. */
#ifndef FMLP_COMMON_STAGES_EVALUATION_H
#define FMLP_COMMON_STAGES_EVALUATION_H

#include "common/io/text.h"
#include "common/stages/backtest.h"
#include "common/stages/metrics.h"
#include "common/stages/model.h"
#include "common/stages/sharpe.h"

enum { FMLP_EVALUATION_CURVE = 600, FMLP_EVALUATION_METRICS = 13 };

typedef struct fmlp_path_evaluation {
  fmlp_backtest_report report;
  fmlp_metrics metrics;
  int32_t curve_count;
  double curve[FMLP_EVALUATION_CURVE]; /* equity at evenly spaced bars: bar = i * (bars - 1) / (count - 1) */
} fmlp_path_evaluation;

typedef struct fmlp_evaluation {
  bool causal; /* the paths are tradable records (fmlp_folds.causal) */
  int32_t path_count;
  fmlp_path_evaluation *paths;                          /* [path_count] */
  fmlp_trades trades;                                   /* of path 0 */
  fmlp_equity equity;                                   /* of path 0 */
  fmlp_metric_summary summary[FMLP_EVALUATION_METRICS]; /* in the order of fmlp_metric_fields */
  fmlp_metrics buy_and_hold;                            /* fixed size, first to last bar of path 0's period */
  fmlp_metrics every_signal; /* every usable label of the period traded by the same rules */
  bool has_baselines;
  double deflated_sharpe; /* path 0's, with the paths as trials; NaN under two paths with a ratio */
  int64_t deflated_trials;
  double deflated_benchmark; /* daily ratio expected of the best of them by luck */
  fmlp_overfitting overfitting;
} fmlp_evaluation;

void fmlp_evaluation_release(fmlp_evaluation *evaluation);

/* Backtests every path of the predictions (path 0 is kept with trades and equity) and sums up. No trade in
 * any path is no error. On failure `evaluation` is empty. */
FMLP_WARN_UNUSED fmlp_status fmlp_evaluate(const fmlp_settings *settings, const fmlp_calendar *calendar,
                                           const fmlp_bars *bars, const fmlp_tick_source *ticks,
                                           const fmlp_labels *labels, const fmlp_folds *folds,
                                           const fmlp_predictions *predictions, fmlp_evaluation *evaluation,
                                           fmlp_error *error);

/* metrics.json: paths, summary, baselines, folds, label balance, notes. `model` may be NULL. */
void fmlp_evaluation_json(const fmlp_settings *settings, const fmlp_labels *labels, const fmlp_folds *folds,
                          const fmlp_model_result *model, const fmlp_evaluation *evaluation, fmlp_text *text);

/* The sentences a reader of the figures needs: at most `capacity` static strings; returns how many. */
int32_t fmlp_evaluation_notes(const fmlp_evaluation *evaluation, const char **notes, int32_t capacity);

#endif
