/* Purging and embargo: which training labels may stand beside which test runs (AFML 7.4.1, 7.4.2). */
#ifndef FMLP_COMMON_STAGES_CV_PURGE_H
#define FMLP_COMMON_STAGES_CV_PURGE_H

#include <stdint.h>

/* A contiguous stretch of tested labels as the closed interval of bars they look at: the first event bar to
 * the last end bar. */
typedef struct fmlp_test_run {
  int64_t first_bar, last_bar;
} fmlp_test_run;

/* Looks at the `count` labels [event_bar, end_bar] (closed intervals) whose `train` flag is 1 and clears the
 * flag of those that overlap a run (counted in `purged`), then of those that start in the `embargo_bars` bars
 * after a run's end (counted in `embargoed`). Each run acts by itself: what lies between two runs is kept.
 * The counts are added to. All arrays are the caller's. */
void fmlp_cv_purge(int64_t count, const int64_t *event_bar, const int64_t *end_bar, int32_t run_count,
                   const fmlp_test_run *runs, int64_t embargo_bars, uint8_t *train, int64_t *purged,
                   int64_t *embargoed);
#endif
