/* Two profiles side by side: a row a call path, what changed in it, and whether that is more than noise.
 *
 * Paths are the same when names and files are, all the way down; lines may have moved. Times are sums over
 * threads. Repeats are runs: every capture of a profile is one. */
#ifndef FMLP_PROF_COMPARE_COMPARE_H
#define FMLP_PROF_COMPARE_COMPARE_H

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>

#include "prof/compare/statistics.h"
#include "prof/store/profile.h"

/* The chance, for all rows together, of calling anything changed where nothing is. */
#define FMLP_COMPARE_LEVEL 0.02
/* Rows below this share of the total on both sides are shown and not tested. */
#define FMLP_COMPARE_SHARE 0.05

enum { FMLP_BEFORE, FMLP_AFTER, FMLP_SIDES };

typedef struct fmlp_compared_time {
  int64_t median[FMLP_SIDES]; /* ns; 0 where the side has no such path */
  fmlp_ratio ratio;           /* after by before; NaN with a path on one side alone */
  bool tested;                /* one of the rows that the test decided on */
  double slower, faster;      /* probabilities from it, 1 where it was not tested */
} fmlp_compared_time;

typedef struct fmlp_compared_path {
  int32_t parent, depth; /* a row before this one, -1 at the top */
  const char *name, *file, *function;
  int32_t line; /* on the last side that has it */
  bool present[FMLP_SIDES];
  double share[FMLP_SIDES]; /* of the sum of internal times, as medians tell */
  int64_t calls[FMLP_SIDES];
  int64_t gpu_busy[FMLP_SIDES], allocated_bytes[FMLP_SIDES]; /* medians; below included, below not */
  fmlp_compared_time total, self;
} fmlp_compared_path;

typedef enum fmlp_compared_outputs {
  FMLP_OUTPUTS_UNKNOWN,
  FMLP_OUTPUTS_EQUAL,
  FMLP_OUTPUTS_DIFFERENT
} fmlp_compared_outputs;

typedef struct fmlp_comparison {
  const fmlp_profile *side[FMLP_SIDES];
  int32_t repeats[FMLP_SIDES];
  bool decides; /* enough repeats for anything to be significant */
  bool in_turn; /* one side's runs after the other's, not alternately */
  int32_t tested;
  fmlp_compared_outputs outputs;
  fmlp_compared_time wall;
  int32_t count;
  fmlp_compared_path *paths; /* as they first appear, before first; parents before children */
} fmlp_comparison;

/* The profiles must outlive it. `only` limits the rows that are tested to those whose path or whose
 * file:line(name) it matches; NULL for all. NULL when memory runs out. */
fmlp_comparison *fmlp_compare(const fmlp_profile *before, const fmlp_profile *after, const regex_t *only);
void fmlp_comparison_free(fmlp_comparison *comparison);

/* "outer/inner" of a row's names, NUL-terminated and cut at `capacity`. */
void fmlp_compared_name(const fmlp_comparison *comparison, int32_t row, char *text, int64_t capacity);

/* Does `only` match it? */
bool fmlp_compared_wanted(const fmlp_comparison *comparison, int32_t row, const regex_t *only);

/* A change in that direction that is more than noise. */
bool fmlp_compared_slower(const fmlp_compared_time *time);
bool fmlp_compared_faster(const fmlp_compared_time *time);

/* Beyond the tolerance (0.2: a fifth longer) and more than noise: what a check fails for. Where the runs were
 * made in turn, the whole interval has to lie beyond it: a drift of the machine shifts one side, too. */
bool fmlp_compared_regressed(const fmlp_comparison *comparison, const fmlp_compared_time *time,
                             double tolerance);

/* Beyond the tolerance and more than noise, and no regression only because the runs were made in turn. */
bool fmlp_compared_spared(const fmlp_comparison *comparison, const fmlp_compared_time *time,
                          double tolerance);

/* Facts that both sides tell and that differ, though times are comparable only where they agree (input,
 * configuration, machine, build, device): the n-th key, NULL after the last. */
const char *fmlp_compared_fact(const fmlp_comparison *comparison, int32_t n);

#endif
