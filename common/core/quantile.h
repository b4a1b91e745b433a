/* Quantiles with linear interpolation (h = (n-1) q, lo + (hi - lo) * frac), and the normal distribution, with
 * the same bits everywhere. */
#ifndef FMLP_COMMON_CORE_QUANTILE_H
#define FMLP_COMMON_CORE_QUANTILE_H

#include <stdint.h>

#include "common/core/bits.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of `sorted[0..count)`, ascending and without NaN; q in [0, 1]. NaN for count 0. h = (count - 1) * q,
 * lo = sorted[floor h], hi the next one (lo when there is none): lo + (hi - lo) * (h - floor h). */
static FMLP_BOTH_SIDES double fmlp_quantile_sorted(const double *sorted, int64_t count, double q) {
  if (count <= 0) return fmlp_nan();
  double h = (double)(count - 1) * q;
  int64_t below = (int64_t)h;
  if (below >= count - 1) return sorted[count - 1];
  double lo = sorted[below];
  return lo + (sorted[below + 1] - lo) * (h - (double)below);
}

/* The same of values in any order, which it reorders (selection, linear time on average and n log n at
 * worst). Any NaN among them, or count 0, gives NaN. */
double fmlp_quantile(double *values, int64_t count, double q);

/* Ascending, in place, n log n at worst; values without NaN. Equal values are equal bits when canonical, so
 * the result is unique. */
void fmlp_sort_doubles(double *values, int64_t count);

/* P(Z <= x) of the standard normal distribution, relative error below 1e-13 down to x = -37; and its inverse
 * for p in (0, 1), -inf at 0, +inf at 1, NaN outside. Built on fmlp_exp and fmlp_log: the same bits
 * everywhere. */
double fmlp_normal_cdf(double x);
double fmlp_normal_quantile(double p);

#ifdef __cplusplus
}
#endif

#endif
