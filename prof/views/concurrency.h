/* When a function was at work, and who else was: its own time as intervals, and the threads beside it. */
#ifndef FMLP_PROF_VIEWS_CONCURRENCY_H
#define FMLP_PROF_VIEWS_CONCURRENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "prof/capture.h"

typedef struct fmlp_concurrency {
  int64_t wall; /* ns in which at least one thread was in the function and in nothing it called; 0 unknown */
  double in_spans; /* threads that had a span open meanwhile, on average: those without spans are not seen */
  double running;  /* threads on a processor meanwhile, as samples tell; negative: not known */
  double on_processor; /* share of the function's time on a processor, as samples tell; negative: not known */
} fmlp_concurrency;

/* One for each of `count` sites. Where single spans are missing from the timeline everything stays unknown.
 * False when memory runs out. O(events log events). */
bool fmlp_concurrency_make(const fmlp_capture *capture, const int32_t *sites, int32_t count,
                           fmlp_concurrency *found);

#endif
