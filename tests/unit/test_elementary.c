/* core/ numerics: log, exp, tree sums, quantiles, the normal distribution, the floating-point check. */
#include "tests/cmocka_fmlp.h"

#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "common/core/elementary.h"
#include "common/core/floating.h"
#include "common/core/quantile.h"
#include "common/core/tree.h"
#include "tests/unit/binary128.h"

enum { DRAWS = 400000 };

static uint64_t random_state = 0x9e3779b97f4a7c15ULL;

static uint64_t random_bits(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

/* In (-1, 1). */
static double random_signed(void) {
  return (double)(int64_t)random_bits() * 0x1p-63;
}

static void log_is_within_one_ulp(void **state) {
  (void)state;
  double worst = 0;
  for (int i = 0; i < DRAWS; i++) {
    double x = 0;
    switch (i % 5) {
    case 0:
      x = fmlp_from_bits(random_bits() & 0x7fffffffffffffffULL);
      break; /* every exponent */
    case 1:
      x = 1.0 + 0.5 * random_signed();
      break;
    case 2:
      x = 1.0 + 1e-5 * random_signed();
      break;
    case 3:
      x = 1.0 + 1e-14 * random_signed();
      break;
    default:
      x = fmlp_from_bits(random_bits() >> 13);
      break; /* denormal and tiny */
    }
    if (!(x > 0) || isinf(x)) continue;
    double ulps = quad_ulps(fmlp_log(x), quad_log((quad)x));
    if (ulps > worst) worst = ulps;
    if (ulps > 1) fail_msg("log(%a) = %a is %g ULP off", x, fmlp_log(x), ulps);
  }
  print_message("           log: worst of %d draws %.3f ULP\n", DRAWS, worst);
}

static void exp_is_within_one_ulp(void **state) {
  (void)state;
  double worst = 0;
  for (int i = 0; i < DRAWS; i++) {
    double x = 0;
    switch (i % 4) {
    case 0:
      x = 709.7 * random_signed();
      break;
    case 1:
      x = random_signed();
      break;
    case 2:
      x = ldexp(random_signed(), -(int)(random_bits() % 60));
      break;
    default:
      x = -708.0 - 37.0 * fabs(random_signed());
      break; /* denormal results */
    }
    double ulps = quad_ulps(fmlp_exp(x), quad_exp((quad)x));
    if (ulps > worst) worst = ulps;
    if (ulps > 1) fail_msg("exp(%a) = %a is %g ULP off", x, fmlp_exp(x), ulps);
  }
  print_message("           exp: worst of %d draws %.3f ULP\n", DRAWS, worst);
}

static void log_is_within_one_ulp_where_the_exponent_changes(void **state) {
  (void)state;
  for (int exponent = -1074; exponent <= 1023; exponent++) {
    for (int step = -3; step <= 3; step++) {
      double centres[2] = {ldexp(1.0, exponent), ldexp(0x1.6a09e667f3bcdp0, exponent)};
      for (int c = 0; c < 2; c++) {
        double x = fmlp_from_bits(fmlp_bits_of(centres[c]) + (uint64_t)(int64_t)step);
        if (!(x > 0) || isinf(x)) continue;
        if (quad_ulps(fmlp_log(x), quad_log((quad)x)) > 1) fail_msg("log(%a)", x);
      }
    }
  }
}

static void exp_is_within_one_ulp_where_the_exponent_changes(void **state) {
  (void)state;
  for (int k = -1075; k <= 1023; k++) {
    double middle = (k + 0.5) * 0x1.62e42fefa39efp-1;
    for (int step = -3; step <= 3; step++) {
      double x = fmlp_from_bits(fmlp_bits_of(middle) + (uint64_t)(int64_t)step);
      if (quad_ulps(fmlp_exp(x), quad_exp((quad)x)) > 1) fail_msg("exp(%a)", x);
    }
  }
}

static void assert_bits(double got, uint64_t bits) {
  if (fmlp_bits_of(got) != bits) fail_msg("%a is not %a", got, fmlp_from_bits(bits));
}

static void log_and_exp_at_the_edges(void **state) {
  (void)state;
  const uint64_t infinity = 0x7ff0000000000000ULL, sign = 0x8000000000000000ULL;
  assert_bits(fmlp_log(0.0), infinity | sign);
  assert_bits(fmlp_log(-0.0), infinity | sign);
  assert_bits(fmlp_log(-1.0), FMLP_NAN_BITS);
  assert_bits(fmlp_log(-5e-324), FMLP_NAN_BITS);
  assert_bits(fmlp_log(-INFINITY), FMLP_NAN_BITS);
  assert_bits(fmlp_log(INFINITY), infinity);
  assert_bits(fmlp_log(fmlp_from_bits(0xfff8000000000123ULL)), FMLP_NAN_BITS);
  assert_bits(fmlp_log(1.0), 0);
  assert_true(fmlp_log(DBL_MAX) > 709.78 && fmlp_log(5e-324) < -744.4);
  assert_bits(fmlp_exp(0.0), fmlp_bits_of(1.0));
  assert_bits(fmlp_exp(-0.0), fmlp_bits_of(1.0));
  assert_bits(fmlp_exp(INFINITY), infinity);
  assert_bits(fmlp_exp(-INFINITY), 0);
  assert_bits(fmlp_exp(fmlp_from_bits(0xfff8000000000123ULL)), FMLP_NAN_BITS);
  assert_bits(fmlp_exp(0x1.62e42fefa39f0p+9), infinity); /* the first double beyond ln(DBL_MAX) */
  assert_true(fmlp_exp(0x1.62e42fefa39efp+9) < INFINITY);
  assert_bits(fmlp_exp(-745.1332191019411), 1);
  assert_bits(fmlp_exp(-745.2), 0);
  assert_bits(fmlp_exp(1e300), infinity);
  assert_bits(fmlp_exp(5e-324), fmlp_bits_of(1.0));
}

static double padded_tree(const double *values, int64_t count) {
  int64_t width = 1;
  while (width < count) width *= 2;
  double *level = calloc((size_t)width, sizeof *level);
  assert_non_null(level);
  for (int64_t i = 0; i < count; i++) level[i] = values[i];
  for (; width > 1; width /= 2) {
    for (int64_t i = 0; i < width / 2; i++) level[i] = level[2 * i] + level[2 * i + 1];
  }
  double sum = level[0] + 0.0;
  free(level);
  return sum;
}

static void a_tree_sum_has_the_padded_shape_at_every_length(void **state) {
  (void)state;
  static double values[3000];
  for (int i = 0; i < 3000; i++) values[i] = random_signed() * ldexp(1.0, (int)(random_bits() % 40));
  fmlp_tree growing = {.count = 0};
  for (int64_t count = 0; count <= 3000; count++) {
    uint64_t want = fmlp_bits_of(padded_tree(values, count));
    assert_bits(fmlp_tree_sum(values, count), want);
    assert_bits(fmlp_tree_total(&growing), want);
    if (count < 3000) fmlp_tree_push(&growing, values[count]);
  }
}

static void a_tree_sum_of_negative_zeros_is_positive_zero(void **state) {
  (void)state;
  double zeros[4] = {-0.0, -0.0, -0.0, -0.0};
  for (int64_t count = 0; count <= 4; count++) assert_bits(fmlp_tree_sum(zeros, count), 0);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void fill(double *values, int64_t count, int pattern) {
  for (int64_t i = 0; i < count; i++) {
    switch (pattern) {
    case 0:
      values[i] = random_signed();
      break;
    case 1:
      values[i] = (double)(random_bits() % 5);
      break; /* ties */
    case 2:
      values[i] = 7.0;
      break;
    case 3:
      values[i] = (double)i;
      break;
    case 4:
      values[i] = (double)(count - i);
      break;
    default:
      values[i] = (double)(i < count / 2 ? i : count - i);
      break; /* organ pipe */
    }
  }
}

static void quantiles_by_selection_equal_quantiles_of_the_sorted(void **state) {
  (void)state;
  static double values[1000], sorted[1000], mine[1000];
  const double q[] = {0, 0.05, 0.25, 0.5, 0.9, 0.999, 1};
  for (int pattern = 0; pattern < 6; pattern++) {
    for (int64_t count = 1; count <= 1000; count = count < 40 ? count + 1 : count * 2 - 7) {
      fill(values, count, pattern);
      for (int64_t i = 0; i < count; i++) sorted[i] = mine[i] = values[i];
      qsort(sorted, (size_t)count, sizeof *sorted, ascending);
      fmlp_sort_doubles(mine, count);
      assert_memory_equal(mine, sorted, (size_t)count * sizeof *mine);
      for (size_t k = 0; k < sizeof q / sizeof *q; k++) {
        double want = fmlp_quantile_sorted(sorted, count, q[k]);
        for (int64_t i = 0; i < count; i++) mine[i] = values[i];
        assert_bits(fmlp_quantile(mine, count, q[k]), fmlp_bits_of(want));
      }
    }
  }
}

static void quantiles_at_the_edges(void **state) {
  (void)state;
  double values[] = {3, 1, 2, 4};
  assert_true(fmlp_quantile(values, 4, 0.5) == 2.5);
  assert_true(fmlp_quantile(values, 4, 0.0) == 1 && fmlp_quantile(values, 4, 1.0) == 4);
  assert_true(fmlp_quantile(values, 1, 0.3) == values[0]);
  assert_bits(fmlp_quantile(values, 0, 0.5), FMLP_NAN_BITS);
  assert_bits(fmlp_quantile_sorted(values, 0, 0.5), FMLP_NAN_BITS);
  values[2] = NAN;
  assert_bits(fmlp_quantile(values, 4, 0.5), FMLP_NAN_BITS);
}

static void a_long_sort_is_sorted(void **state) {
  (void)state;
  enum { COUNT = 200000 };
  double *values = malloc(COUNT * sizeof *values);
  assert_non_null(values);
  for (int pattern = 0; pattern < 6; pattern++) {
    fill(values, COUNT, pattern);
    fmlp_sort_doubles(values, COUNT);
    for (int i = 1; i < COUNT; i++) assert_true(values[i - 1] <= values[i]);
  }
  free(values);
}

static void the_normal_distribution_matches_known_values(void **state) {
  (void)state;
  /* mpmath.ncdf at 50 digits */
  const double known[][2] = {
      {-37.5, 4.6053530095819548e-308}, {-10, 7.6198530241605261e-24},
      {-5, 2.8665157187919391e-07},     {-2.5, 0.0062096653257761352},
      {-1.5, 0.066807201268858066},     {-1, 0.15865525393145705},
      {-0.5, 0.30853753872598690},      {0, 0.5},
      {0.25, 0.59870632568292373},      {1, 0.84134474606854295},
      {3, 0.99865010196836991},         {8, 0.99999999999999938},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    double got = fmlp_normal_cdf(known[i][0]);
    if (fabs(got / known[i][1] - 1) > 1e-13) fail_msg("cdf(%g) = %.17g", known[i][0], got);
  }
  for (int i = 0; i < 2000; i++) {
    double p = fabs(random_signed());
    double x = fmlp_normal_quantile(p);
    if (fabs(fmlp_normal_cdf(x) - p) > 1e-15) fail_msg("quantile(%a) = %a", p, x);
  }
  assert_true(fabs(fmlp_normal_quantile(0.975) - 1.9599639845400545) < 1e-14);
  assert_true(fabs(fmlp_normal_quantile(1e-300) + 37.047096299361199) < 1e-11);
  assert_true(fmlp_normal_quantile(0) == -INFINITY && fmlp_normal_quantile(1) == INFINITY);
  assert_bits(fmlp_normal_quantile(1.5), FMLP_NAN_BITS);
}

static void a_thread_that_flushes_denormals_is_refused(void **state) {
  (void)state;
  fmlp_error error = {""};
#if defined(__SSE2__)
  unsigned int control = _mm_getcsr();
  _mm_setcsr(control | 0x8000); /* flush to zero */
  fmlp_status flushing = fmlp_check_floating_point(&error);
  _mm_setcsr(control | 0x0040); /* denormals are zero */
  fmlp_status zeroing = fmlp_check_floating_point(&error);
  _mm_setcsr(control);
  assert_int_equal(flushing, FMLP_ERR_OTHER);
  assert_int_equal(zeroing, FMLP_ERR_OTHER);
#endif
  const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
  for (int i = 0; i < 3; i++) {
    fesetround(modes[i]);
    fmlp_status status = fmlp_check_floating_point(&error);
    fesetround(FE_TONEAREST);
    assert_int_equal(status, FMLP_ERR_OTHER);
  }
  assert_int_equal(fmlp_check_floating_point(&error), FMLP_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_thread_that_flushes_denormals_is_refused),
      cmocka_unit_test(log_is_within_one_ulp),
      cmocka_unit_test(exp_is_within_one_ulp),
      cmocka_unit_test(log_is_within_one_ulp_where_the_exponent_changes),
      cmocka_unit_test(exp_is_within_one_ulp_where_the_exponent_changes),
      cmocka_unit_test(log_and_exp_at_the_edges),
      cmocka_unit_test(a_tree_sum_has_the_padded_shape_at_every_length),
      cmocka_unit_test(a_tree_sum_of_negative_zeros_is_positive_zero),
      cmocka_unit_test(quantiles_by_selection_equal_quantiles_of_the_sorted),
      cmocka_unit_test(quantiles_at_the_edges),
      cmocka_unit_test(a_long_sort_is_sorted),
      cmocka_unit_test(the_normal_distribution_matches_known_values),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
