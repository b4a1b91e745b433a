/* What two sets of repeats say about a difference of times. Times of a program have a floor and a long tail:
 * whatever disturbs a run makes it slower. Everything here works on ranks, and where it decides, it lets the
 * slower half of all runs count as equally slow. docs/decisions/profile-comparison.md tells what that
 * finds, as measured. */
#ifndef FMLP_PROF_COMPARE_STATISTICS_H
#define FMLP_PROF_COMPARE_STATISTICS_H

#include <stdbool.h>
#include <stdint.h>

int64_t fmlp_statistics_median(const int64_t *values, int32_t count); /* 0 of none; INT64_MIN: no memory */

/* How many times as long as `before` it takes `after`. */
typedef struct fmlp_ratio {
  double ratio;     /* Hodges-Lehmann: the median of after/before over all pairs; NaN where a time is 0 */
  double low, high; /* 95 % interval, from the ranks of those pairs (Mann-Whitney) */
  bool interval;    /* false: too few repeats (4 and 4, or 3 and 5, are enough) */
} fmlp_ratio;

/* False when memory runs out. */
bool fmlp_statistics_ratio(const int64_t *before, int32_t before_count, const int64_t *after,
                           int32_t after_count, fmlp_ratio *out);

/* Rows that were measured together: in every run one value for each. */
typedef struct fmlp_rank_test {
  int32_t rows, before_count, after_count;
  const int64_t *values; /* [rows][before_count + after_count], those before first */
  double *slower;        /* out, [rows]: probability that the largest of all rows' rank sums comes out as
                            extreme as this row's where nothing differs */
  double *faster;        /* out, likewise for the other direction */
} fmlp_rank_test;

/* Permutation of whole runs, so that it is right for all rows together however they hang together; all of the
 * permutations when there are at most 200,000 (of at most 24 runs), else 100,000 drawn from a fixed seed.
 * False when memory runs out. */
bool fmlp_statistics_ranks(const fmlp_rank_test *test);

/* The smallest probability that so many repeats can give. */
double fmlp_statistics_least(int32_t before_count, int32_t after_count);

#endif
