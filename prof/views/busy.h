/* How long at least one of many intervals ran, for every row of a tree and what lies below it: the union of
 * the intervals, so that work side by side counts once. */
#ifndef FMLP_PROF_VIEWS_BUSY_H
#define FMLP_PROF_VIEWS_BUSY_H

#include <stdbool.h>
#include <stdint.h>

typedef struct fmlp_busy_interval {
  int64_t start, end; /* ns, start < end */
  int32_t row;        /* -1: of no row, in the whole alone */
} fmlp_busy_interval;

/* busy[r] becomes the ns in which an interval of row r or of a row below it ran, busy[row_count] that of all
 * intervals. `parent` [row_count] holds rows before their own, -1 at the top; the intervals come by start.
 * O(n log n + n k) for n intervals and rows of which k run at once, whatever the depth. False when memory
 * runs out. */
bool fmlp_busy_make(const int32_t *parent, int32_t row_count, const fmlp_busy_interval *intervals,
                    int64_t count, int64_t *busy);

#endif
