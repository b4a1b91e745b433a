/* One run under way: what its stages (pipeline.c) share with what is around them (pipeline_run.c). */
#ifndef FMLP_COMMON_PIPELINE_STAGES_H
#define FMLP_COMMON_PIPELINE_STAGES_H

#include <stdbool.h>

#include "common/contracts/backend.h"
#include "common/io/run_folder.h"
#include "common/pipeline.h"
#include "common/pipeline_plan.h"
#include "common/results.h"
#include "prof/store/profile.h"

typedef struct fmlp_pipeline {
  const fmlp_pipeline_request *request;
  const fmlp_settings *settings;
  fmlp_stage_plan plan;
  fmlp_compute compute;
  fmlp_run_folder *folder;
  fmlp_column_sink sink;
  char notice[640];      /* why the device is what it is */
  bool fell_back;        /* from a device that failed */
  fmlp_profile *profile; /* of this run and its repeats; NULL when nothing is recorded */
  fmlp_results results;
} fmlp_pipeline;

/* Computes or loads what the plan says and writes the outputs into run->folder. */
FMLP_WARN_UNUSED fmlp_status fmlp_pipeline_stages(fmlp_pipeline *run, fmlp_error *error);

#endif
