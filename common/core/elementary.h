/* log and exp with the same bits everywhere: built from + - * / alone, at most 1 ULP from the exact value
 * (measured against binary128: log 0.65, exp 0.76 with the worst among denormal results;
 * tests/unit/test_elementary.c).
 *
 * Valid as C11, C++17 and CUDA. No fma, because the baseline build would call a slow library routine; where
 * more than 53 bits are wanted a value is the unevaluated sum of two doubles. The order of operations below
 * is the contract: a twin must follow it, or include this file. Compile without contraction. */
#ifndef FMLP_COMMON_CORE_ELEMENTARY_H
#define FMLP_COMMON_CORE_ELEMENTARY_H

#include "common/core/bits.h"

/* ln 2 = HIGH + LOW; HIGH has 33 significant bits, so that k * HIGH is exact for every exponent k. */
#define FMLP_LN2_HIGH    0x1.62e42fefp-1
#define FMLP_LN2_LOW     0x1.473de6af278edp-34
#define FMLP_INVERSE_LN2 0x1.71547652b82fep+0
/* Adding and subtracting it rounds |value| < 2^51 to the nearest integer, ties to even. */
#define FMLP_ROUNDER 0x1.8p52

/* 2^k for k in [-1022, 1023]. */
static FMLP_BOTH_SIDES double fmlp_power_of_two(int64_t k) {
  return fmlp_from_bits((uint64_t)(k + 1023) << 52);
}

/* ln(m), m in [sqrt(1/2), sqrt(2)], plus k ln 2. With f = m - 1 and s = f / (2 + f):
 *
 *     ln(1 + f) = f - (f*f/2 - s * (f*f/2 + R)),   R = 2 (s^2/3 + s^4/5 + s^6/7 + ...)
 *
 * f and f*f/2 enter exactly (the square as high + low by Dekker's splitting), so only the last term, at most
 * a tenth of the result, carries rounding errors. */
static FMLP_BOTH_SIDES double fmlp_log_reduced(double k, double m) {
  double f = m - 1.0;
  double s = f / (2.0 + f);
  double z = s * s;
  double r = 2.0 / 25.0;
  r = r * z + 2.0 / 23.0;
  r = r * z + 2.0 / 21.0;
  r = r * z + 2.0 / 19.0;
  r = r * z + 2.0 / 17.0;
  r = r * z + 2.0 / 15.0;
  r = r * z + 2.0 / 13.0;
  r = r * z + 2.0 / 11.0;
  r = r * z + 2.0 / 9.0;
  r = r * z + 2.0 / 7.0;
  r = r * z + 2.0 / 5.0;
  r = r * z + 2.0 / 3.0;
  r = r * z;
  double split = f * 0x1.0000002p27; /* f = head + rest, 26 bits each */
  double head = split - (split - f);
  double rest = f - head;
  double square = (f * f) * 0.5;
  double square_low = (((head * head - f * f) + 2.0 * head * rest) + rest * rest) * 0.5;
  /* Sum k*HIGH - square + f in two doubles, the larger operand of each step first. */
  double big = f - square;
  double big_low = (f - big) - square;
  double base = k * FMLP_LN2_HIGH;
  double sum = base + big;
  double part = sum - base; /* either operand may be the larger (k = 0) */
  double sum_low = (base - (sum - part)) + (big - part);
  double small = s * (square + r) + (((k * FMLP_LN2_LOW - square_low) + big_low) + sum_low);
  return sum + small;
}

/* ln of the positive number with these bits, `bits` perhaps below 2^52 after rescaling a denormal. Without
 * branches, so that a loop over columns vectorises. The power of two is the one nearest below sqrt(2) x, so
 * that m = x / 2^k lies in [sqrt(1/2), sqrt(2)). */
static FMLP_BOTH_SIDES double fmlp_log_bits(uint64_t bits) {
  uint64_t biased = ((bits - 0x3fe6a09e667f3bcdULL) + (1100ULL << 52)) >> 52; /* k + 1100 */
  double k = (fmlp_from_bits(0x4330000000000000ULL | biased) - 0x1p52) - 1100.0;
  double m = fmlp_from_bits(bits - ((biased - 1100) << 52));
  return fmlp_log_reduced(k, m);
}

/* Natural logarithm. log(+-0) = -inf, log(negative) = NaN, log(+inf) = +inf, log(NaN) = NaN. */
static FMLP_BOTH_SIDES double fmlp_log(double x) {
  uint64_t bits = fmlp_bits_of(x);
  if (bits - 0x0010000000000000ULL < 0x7fe0000000000000ULL) return fmlp_log_bits(bits); /* positive, normal */
  if (x == 0.0) return fmlp_from_bits(0xfff0000000000000ULL);
  if (!(x > 0.0)) return fmlp_nan();
  if (bits == 0x7ff0000000000000ULL) return x;
  return fmlp_log_bits(fmlp_bits_of(x * 0x1p54) - (54ULL << 52));
}

/* e^x. exp(-inf) = 0, exp(+inf) = +inf, exp(NaN) = NaN; overflow gives +inf, underflow rounds to a denormal
 * or 0. x = k ln 2 + r, |r| <= ln(2)/2; e^r by its series, the last two additions in two doubles. */
static FMLP_BOTH_SIDES double fmlp_exp(double x) {
  if (!(x == x)) return fmlp_nan();
  if (x > 709.79) return fmlp_from_bits(0x7ff0000000000000ULL);
  if (x < -745.2) return 0.0;
  double k = (x * FMLP_INVERSE_LN2 + FMLP_ROUNDER) - FMLP_ROUNDER;
  double r_high = x - k * FMLP_LN2_HIGH; /* exact: the product is, and the operands are close or k is 0 */
  double r_sub = k * FMLP_LN2_LOW;
  double r = r_high - r_sub;
  double r_low = (r_high - r) - r_sub;
  double p = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  double tail = (r * r) * 0.5 + ((r * r) * (r * p) + (r_low + r_low * r));
  double s = r + tail;
  double s_low = (r - s) + tail;
  double y = 1.0 + s;
  double y_low = (1.0 - y) + s;
  y = y + (y_low + s_low);
  /* Two factors, because 2^k may be beyond either end of the normal numbers while the result is not. */
  int64_t exponent = (int64_t)k;
  int64_t half = exponent / 2;
  return (y * fmlp_power_of_two(half)) * fmlp_power_of_two(exponent - half);
}

#endif
