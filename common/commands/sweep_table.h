/* What a sweep prints when it is done: a line a job, so that they can be compared. */
#ifndef FMLP_COMMON_COMMANDS_SWEEP_TABLE_H
#define FMLP_COMMON_COMMANDS_SWEEP_TABLE_H

#include "common/pipeline.h"

/* The first `count` jobs to standard output: number, headline, and the overrides that are not the same in all
 * of jobs[job_count][override_count]. */
void fmlp_sweep_print(int32_t count, const fmlp_run_headline *headlines, int32_t job_count,
                      int32_t override_count, char ***jobs);

#endif
