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
} fmlp_results;

void fmlp_results_release(fmlp_results *results);

#endif
