/* Which stages a run executes, which results it takes from an earlier run, and which it leaves out. */
#ifndef FMLP_COMMON_PIPELINE_PLAN_H
#define FMLP_COMMON_PIPELINE_PLAN_H

#include <stdbool.h>

#include "common/core/status.h"

/* In the order of the pipeline. */
typedef enum fmlp_stage {
  FMLP_STAGE_READ,
  FMLP_STAGE_CLEAN,
  FMLP_STAGE_BARS,
  FMLP_STAGE_FEATURES,
  FMLP_STAGE_LABELS, /* events, labels and weights */
  FMLP_STAGE_VALIDATION,
  FMLP_STAGE_MODEL,
  FMLP_STAGE_BACKTEST,
  FMLP_STAGE_RISK,
  FMLP_STAGE_REPORT,
  FMLP_STAGE_COUNT
} fmlp_stage;

typedef enum fmlp_stage_action {
  FMLP_STAGE_SKIP,    /* nobody asked for it and nobody needs it */
  FMLP_STAGE_LOAD,    /* its columns are read from the earlier run */
  FMLP_STAGE_SUPPORT, /* computed because a later stage needs it and no run stores it; not written */
  FMLP_STAGE_RUN      /* asked for: computed and written */
} fmlp_stage_action;

typedef struct fmlp_stage_plan {
  fmlp_stage_action action[FMLP_STAGE_COUNT];
} fmlp_stage_plan;

/* A stage's name as --stages takes it. */
const char *fmlp_stage_name(fmlp_stage stage);

/* The section of the configuration that a stage depends on, besides those of the stages before it. */
const char *fmlp_stage_section(fmlp_stage stage);

/* Whether the results of `stage` change with those of `supplier`, directly or through others; of itself, yes.
 */
bool fmlp_stage_depends_on(fmlp_stage stage, fmlp_stage supplier);

/* `stages` is a comma list, or NULL for all of them. With `from_run` false nothing is loaded: what the listed
 * stages need is computed. FMLP_ERR_USAGE for an unknown stage (naming the nearest) or an empty list. */
FMLP_WARN_UNUSED fmlp_status fmlp_stage_plan_make(const char *stages, bool from_run, fmlp_stage_plan *plan,
                                                  fmlp_error *error);

#endif
