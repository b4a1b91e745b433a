/* Finding a time in ascending times. */
#ifndef FMLP_COMMON_STAGES_BARS_SEARCH_H
#define FMLP_COMMON_STAGES_BARS_SEARCH_H

#include <stdint.h>

/* First index in [first, last) with time[index] >= at, or `last`. Gallops from `first`, so that a near answer
 * is cheap and a far one logarithmic. */
static inline int64_t fmlp_bars_first_at(const int64_t *time, int64_t first, int64_t last, int64_t at) {
  int64_t low = first, step = 1;
  while (step < last - low && time[low + step - 1] < at) {
    low += step;
    step *= 2;
  }
  int64_t high = step < last - low ? low + step - 1 : last; /* time[high] >= at, or the end */
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (time[middle] < at) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

#endif
