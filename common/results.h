/* Everything one run holds in memory, in the order in which it comes to be. */
#ifndef FMLP_COMMON_RESULTS_H
#define FMLP_COMMON_RESULTS_H

#include "common/core/bars.h"
#include "common/core/dataset.h"
#include "common/core/ticks.h"
#include "common/io/tick_reader.h"
#include "common/pipeline_plan.h"
#include "common/stages/bars_stage.h"
#include "common/stages/calendar.h"
#include "common/stages/clean.h"
#include "common/stages/evaluation.h"
#include "common/stages/model.h"
#include "common/stages/risk.h"

/* What the final model did on the held-out file (data.test_path). */
typedef struct fmlp_holdout {
  bool has; /* a held-out file was given and the model trained in this run */
  fmlp_read_report read;
  fmlp_clean_report clean;
  int64_t labels;
  fmlp_fold_score score;
  fmlp_evaluation evaluation; /* one path; causal when the file begins after the training file ends */
} fmlp_holdout;

void fmlp_holdout_release(fmlp_holdout *holdout);

/* Tables of stages that were skipped are zero structs; `has[stage]` tells which are filled. */
typedef struct fmlp_results {
  bool has[FMLP_STAGE_COUNT];
  fmlp_read_report read;
  fmlp_ticks ticks;
  fmlp_calendar calendar;
  fmlp_clean_report clean;
  fmlp_bars bars;
  fmlp_bars_report bars_report;
  fmlp_features features;
  int64_t events;
  fmlp_labels labels;
  fmlp_folds folds;
  fmlp_model_result model;
  fmlp_evaluation evaluation;
  fmlp_risk_result risk;
  fmlp_holdout holdout;
} fmlp_results;

void fmlp_results_release(fmlp_results *results);

#endif
