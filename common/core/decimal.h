/* Exact decimals: prices are int32 points, sizes int64 units, and a scale says what one of them is worth.
 *
 * A point is m * 10^-k (DESIGN: 1e-5 for EURUSD, 0.01 for SPY, 0.25 = 25 * 10^-2 for a future). The
 * conversions below round once, so that a price equals the double nearest to its own decimal text. */
#ifndef FMLP_COMMON_CORE_DECIMAL_H
#define FMLP_COMMON_CORE_DECIMAL_H

#include <stdint.h>

/* m in [1, 10^9], k in [0, 18]. The zero struct is not a scale; {1, 0} counts whole numbers. */
typedef struct fmlp_scale {
  int64_t m;
  int32_t k;
} fmlp_scale;

/* 10^k for k in [0, 18], exact. */
extern const int64_t fmlp_power_of_ten[19];

/* points * m / 10^k as the nearest double; |points * m| < 2^53 for every int32 price with m < 2^22, k <= 18.
 * (10^k is exact as a double for k <= 22.) */
static inline double fmlp_decimal(int64_t points, fmlp_scale scale) {
  return (double)(points * scale.m) / (double)fmlp_power_of_ten[scale.k];
}

/* ((bid + ask) * m) / (2 * 10^k), one rounding. */
static inline double fmlp_decimal_mid(int64_t bid, int64_t ask, fmlp_scale scale) {
  return (double)((bid + ask) * scale.m) / (2.0 * (double)fmlp_power_of_ten[scale.k]);
}

#endif
