/* The pipeline: what a run computes, stage by stage, and where it puts the results. */
#ifndef FMLP_COMMON_PIPELINE_H
#define FMLP_COMMON_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config/config.h"
#include "common/core/status.h"

/* A run in a few figures; counts are -1 and numbers NaN where the run did not get so far. */
typedef struct fmlp_run_headline {
  int64_t bars, labels, trades;
  double auc;          /* of the folds, on average */
  double total_return; /* of path 0, a fraction, as the next */
  double max_drawdown;
  double sharpe;
} fmlp_run_headline;

/* Runs every stage of `config` and leaves one complete run folder, or none. `stages` is a comma list or NULL
 * for all; `from` is a finished run whose outputs stand in for the stages not listed, or NULL. `run_dir`
 * overrides the configuration's. With `repeats` above 1, which needs runtime.profile, the same is run as
 * often in this process: the folder is the first run's, its profile holds them all, and FMLP_ERR_DIFFERENT
 * says that one of them gave other outputs (the folder is there then, too). */
typedef struct fmlp_pipeline_request {
  const fmlp_config *config;
  const char *stages;
  const char *from;
  const char *run_dir;
  const char *command_line;    /* for the manifest */
  bool quiet;                  /* no summary on standard output */
  fmlp_run_headline *headline; /* written when the run has succeeded; or NULL */
  int32_t repeats;             /* 0 and 1: once */
} fmlp_pipeline_request;

FMLP_WARN_UNUSED fmlp_status fmlp_pipeline_run(const fmlp_pipeline_request *request, fmlp_error *error);

#endif
