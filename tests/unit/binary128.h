/* Reference arithmetic for tests: binary128 with exp, log and sqrt good to about 105 bits, from the
 * compiler's own operations so that it needs no library and works with gcc and clang alike. */
#ifndef FMLP_TESTS_UNIT_BINARY128_H
#define FMLP_TESTS_UNIT_BINARY128_H

#include <math.h>
#include <stdint.h>

__extension__ typedef __float128 quad;

static inline quad quad_abs(quad x) {
  return x < 0 ? -x : x;
}

static inline quad quad_sqrt(quad x) {
  if (x <= 0) return 0;
  int exponent = 0;
  while (x > (quad)0x1p200) x *= (quad)0x1p-200, exponent += 100;
  while (x < (quad)0x1p-200) x *= (quad)0x1p200, exponent -= 100;
  quad y = (quad)sqrt((double)x);
  y = (y + x / y) / 2;
  y = (y + x / y) / 2;
  for (; exponent > 0; exponent -= 100) y *= (quad)0x1p100;
  for (; exponent < 0; exponent += 100) y *= (quad)0x1p-100;
  return y;
}

static inline quad quad_exp(quad x) {
  const quad ln2 = (quad)0x1.62e42fefa39efp-1 + (quad)0x1.abc9e3b39803fp-56 + (quad)0x1.7b57a079a1934p-111;
  int64_t k = (int64_t)floor((double)(x / ln2) + 0.5);
  quad r = (x - (quad)k * ln2) / 256;
  quad sum = 1;
  for (int n = 15; n >= 1; n--) sum = 1 + sum * r / n;
  for (int n = 0; n < 8; n++) sum *= sum;
  for (; k >= 512; k -= 512) sum *= (quad)0x1p512;
  for (; k <= -512; k += 512) sum *= (quad)0x1p-512;
  return sum * (quad)ldexp(1.0, (int)k);
}

/* x > 0. One step from the library's log: ln x = y + ln(x e^-y). */
static inline quad quad_log(quad x) {
  double y = log((double)x);
  quad z = x * quad_exp(-(quad)y) - 1;
  return (quad)y + z - z * z / 2 + z * z * z / 3;
}

/* Distance of `got` from `want` in units in the last place of a double of that size. */
static inline double quad_ulps(double got, quad want) {
  quad size = quad_abs(want);
  int exponent = -1021;
  if (size >= (quad)0x1p-1022) frexp((double)size, &exponent);
  double unit = ldexp(1.0, exponent - 53 < -1074 ? -1074 : exponent - 53);
  return (double)(quad_abs((quad)got - want) / (quad)unit);
}

#endif
