/* Rolling moments against their definitions in binary128, on data that breaks running sums. */
#include "tests/cmocka_fmlp.h"

#include <float.h>
#include <stdlib.h>

#include "cpu/cpu.h"
#include "tests/equivalence/cases_rolling.h"
#include "tests/unit/binary128.h"

enum { ROWS = 1200 };

/* Central moments of a window, exactly enough. */
typedef struct exact {
  quad mean, m2, m3, m4, with_time, time, largest;
} exact;

static exact exact_of(const double *newest, int64_t w) {
  exact e = {0, 0, 0, 0, 0, 0, 0};
  for (int64_t k = 0; k < w; k++) {
    quad x = (quad)newest[-k];
    e.mean += x;
    if (quad_abs(x) > e.largest) e.largest = quad_abs(x);
  }
  e.mean /= (quad)w;
  for (int64_t k = 0; k < w; k++) {
    quad d = (quad)newest[-k] - e.mean, t = (quad)(w - 1) / 2 - (quad)k;
    e.m2 += d * d;
    e.m3 += d * d * d;
    e.m4 += d * d * d * d;
    e.with_time += d * t;
    e.time += t * t;
  }
  return e;
}

static void run(fmlp_operator op, int64_t window, const double *x, const double *y, double *out) {
  fmlp_rolling_node node = {
      .op = op, .a = 0, .b = fmlp_operators[op].operands > 1 ? 1 : -1, .window = window};
  fmlp_rolling_plan plan = {.input_count = 2, .node_count = 1, .output_count = 1, .nodes = &node};
  const double *inputs[2] = {x, y};
  double *outputs[1] = {out};
  fmlp_error error = {""};
  assert_int_equal(fmlp_rolling_validate(&plan, &error), FMLP_OK);
  assert_int_equal(fmlp_cpu_rolling(&plan, ROWS, inputs, outputs, &error), FMLP_OK);
}

/* |got - want| <= tolerance, and says by how much the worst row uses it. */
static void within(const char *what, const char *data, int64_t window, int64_t row, double got, quad want,
                   quad tolerance, double *worst) {
  quad off = quad_abs((quad)got - want);
  if (!(off <= tolerance)) {
    fail_msg("%s(%lld) of %s, row %lld: %a instead of %a, off by %.3g of the tolerance", what,
             (long long)window, data, (long long)row, got, (double)want, (double)(off / tolerance));
  }
  if (tolerance > 0 && (double)(off / tolerance) > *worst) *worst = (double)(off / tolerance);
}

typedef struct columns {
  double mean[ROWS], std[ROWS], slope[ROWS], skew[ROWS], kurt[ROWS], zscore[ROWS], sum[ROWS];
} columns;

/* Squares of differences below 1e-150 or above 1e150 leave the range of doubles; their std is good to 1e-150.
 */
static void check_moments(fmlp_case_data kind, int64_t window, double worst[5]) {
  static columns got;
  static double x[ROWS];
  const char *data = fmlp_case_data_names[kind];
  fmlp_case_fill(kind, ROWS, FMLP_CASE_SEED, x);
  run(FMLP_OP_MEAN, window, x, x, got.mean);
  run(FMLP_OP_SUM, window, x, x, got.sum);
  run(FMLP_OP_STD, window, x, x, got.std);
  run(FMLP_OP_SLOPE, window, x, x, got.slope);
  if (window >= 4) run(FMLP_OP_SKEW, window, x, x, got.skew);
  if (window >= 4) run(FMLP_OP_KURT, window, x, x, got.kurt);
  const quad w = (quad)window;
  for (int64_t row = window - 1; row < ROWS; row++) {
    exact e = exact_of(x + row, window);
    quad std = quad_sqrt(e.m2 / (w - 1));
    const quad tiny = (quad)1e-150;
    within("mean", data, window, row, got.mean[row], e.mean, (quad)1e-15 * e.largest + (quad)DBL_TRUE_MIN,
           &worst[0]);
    within("sum", data, window, row, got.sum[row], e.mean * w,
           (quad)1e-15 * e.largest * w + (quad)DBL_TRUE_MIN * w, &worst[0]);
    within("std", data, window, row, got.std[row], std, (quad)1e-15 * std + (std < tiny ? tiny : 0),
           &worst[1]);
    within("slope", data, window, row, got.slope[row], e.with_time / e.time,
           (quad)5e-14 * std / w + 2 * (quad)DBL_TRUE_MIN, &worst[2]);
    if (window < 4 || kind == FMLP_DATA_HUGE || std < tiny) continue;
    if (e.m2 == 0) {
      assert_true(got.skew[row] != got.skew[row] && got.kurt[row] != got.kurt[row]);
      continue;
    }
    quad skew = w * quad_sqrt(w - 1) / (w - 2) * e.m3 / (e.m2 * quad_sqrt(e.m2));
    quad kurt = (w * (w + 1) * (w - 1) * e.m4 / (e.m2 * e.m2) - 3 * (w - 1) * (w - 1)) / ((w - 2) * (w - 3));
    quad large_skew = quad_abs(skew) > 1 ? quad_abs(skew) : 1,
         large_kurt = quad_abs(kurt) > 1 ? quad_abs(kurt) : 1;
    within("skew", data, window, row, got.skew[row], skew, (quad)1e-12 * large_skew, &worst[3]);
    within("kurt", data, window, row, got.kurt[row], kurt, (quad)1e-12 * large_kurt, &worst[4]);
  }
}

static void moments_stay_within_their_tolerances_on_adversarial_data(void **state) {
  (void)state;
  const fmlp_case_data kinds[] = {FMLP_DATA_WALK,     FMLP_DATA_NOISE, FMLP_DATA_OUTLIER, FMLP_DATA_CONSTANT,
                                  FMLP_DATA_DENORMAL, FMLP_DATA_HUGE,  FMLP_DATA_RAMP,    FMLP_DATA_TIES};
  const int64_t windows[] = {2, 3, 4, 10, 20, 31, 64, 200};
  double worst[5] = {0};
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) check_moments(kinds[k], windows[i], worst);
  }
  print_message("           share of tolerance used: mean %.2f std %.2f slope %.2f skew %.2g kurt %.2g\n",
                worst[0], worst[1], worst[2], worst[3], worst[4]);
}

static void a_constant_window_has_no_spread_and_no_shape(void **state) {
  (void)state;
  static double x[ROWS], y[ROWS], out[ROWS];
  fmlp_case_fill(FMLP_DATA_CONSTANT, ROWS, FMLP_CASE_SEED, x);
  fmlp_case_fill(FMLP_DATA_NOISE, ROWS, FMLP_CASE_SEED, y);
  const fmlp_operator zero[] = {FMLP_OP_STD,   FMLP_OP_VAR, FMLP_OP_SLOPE,
                                FMLP_OP_RANGE, FMLP_OP_COV, FMLP_OP_BETA};
  const fmlp_operator none[] = {FMLP_OP_ZSCORE, FMLP_OP_SKEW, FMLP_OP_KURT, FMLP_OP_R2, FMLP_OP_CORR};
  for (int64_t window = 4; window < 300; window = window * 2 + 3) {
    for (size_t k = 0; k < sizeof zero / sizeof *zero; k++) {
      run(zero[k], window, x, y, out);
      for (int64_t i = window - 1; i < ROWS; i++) assert_int_equal(fmlp_bits_of(out[i]), 0);
    }
    for (size_t k = 0; k < sizeof none / sizeof *none; k++) {
      run(none[k], window, x, y, out);
      for (int64_t i = 0; i < ROWS; i++) assert_int_equal(fmlp_bits_of(out[i]), FMLP_NAN_BITS);
    }
    run(FMLP_OP_CORR, window, y, x, out);
    for (int64_t i = 0; i < ROWS; i++) assert_int_equal(fmlp_bits_of(out[i]), FMLP_NAN_BITS);
    run(FMLP_OP_MEAN, window, x, y, out);
    for (int64_t i = window - 1; i < ROWS; i++) assert_true(out[i] == 1.1);
  }
}

static void comoments_match_binary128(void **state) {
  (void)state;
  static double x[ROWS], y[ROWS], cov[ROWS], corr[ROWS], beta[ROWS];
  const fmlp_case_data kinds[] = {FMLP_DATA_WALK, FMLP_DATA_NOISE, FMLP_DATA_OUTLIER, FMLP_DATA_RAMP};
  double worst = 0;
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    for (int64_t window = 2; window <= 200; window = window * 3 + 1) {
      fmlp_case_fill(kinds[k], ROWS, FMLP_CASE_SEED, x);
      fmlp_case_fill(FMLP_DATA_NOISE, ROWS, 12345, y);
      run(FMLP_OP_COV, window, x, y, cov);
      run(FMLP_OP_CORR, window, x, y, corr);
      run(FMLP_OP_BETA, window, x, y, beta);
      for (int64_t row = window - 1; row < ROWS; row++) {
        exact ex = exact_of(x + row, window), ey = exact_of(y + row, window);
        if (ex.m2 == 0 || ey.m2 == 0) continue;
        quad both = 0;
        for (int64_t i = 0; i < window; i++) {
          both += ((quad)x[row - i] - ex.mean) * ((quad)y[row - i] - ey.mean);
        }
        quad scale = quad_sqrt(ex.m2) * quad_sqrt(ey.m2);
        const char *name = fmlp_case_data_names[kinds[k]];
        within("cov", name, window, row, cov[row], both / (quad)(window - 1),
               (quad)2e-15 * scale / (quad)(window - 1), &worst);
        within("corr", name, window, row, corr[row], both / scale, (quad)3e-15, &worst);
        within("beta", name, window, row, beta[row], both / ey.m2, (quad)3e-15 * scale / ey.m2, &worst);
      }
    }
  }
}

static void exponential_averages_match_binary128(void **state) {
  (void)state;
  enum { LONG = 9000 };
  static double x[LONG], ema[LONG], deviation[LONG];
  const fmlp_case_data kinds[] = {FMLP_DATA_WALK, FMLP_DATA_NOISE, FMLP_DATA_RAMP, FMLP_DATA_OUTLIER};
  const double alphas[] = {0.5, 2.0 / 21.0, 1e-3, 1e-6};
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    for (size_t a = 0; a < sizeof alphas / sizeof *alphas; a++) {
      fmlp_case_fill(kinds[k], LONG, FMLP_CASE_SEED, x);
      fmlp_rolling_node nodes[2] = {
          {.op = FMLP_OP_EMA, .a = 0, .b = -1, .parameter = alphas[a], .output = 0},
          {.op = FMLP_OP_EWM_STD, .a = 0, .b = -1, .parameter = alphas[a], .output = 1},
      };
      fmlp_rolling_plan plan = {.input_count = 1, .node_count = 2, .output_count = 2, .nodes = nodes};
      const double *inputs[1] = {x};
      double *outputs[2] = {ema, deviation};
      fmlp_error error = {""};
      assert_int_equal(fmlp_cpu_rolling(&plan, LONG, inputs, outputs, &error), FMLP_OK);
      const quad alpha = (quad)alphas[a], beta = 1 - alpha;
      quad mean = (quad)x[0], variance = 0, squares = 1, largest = quad_abs((quad)x[0]);
      assert_true(ema[0] == x[0] && deviation[0] != deviation[0]);
      for (int64_t i = 1; i < LONG; i++) {
        quad d = (quad)x[i] - mean;
        mean += alpha * d;
        variance = beta * (variance + alpha * d * d);
        squares = beta * beta * squares + alpha * alpha;
        if (quad_abs((quad)x[i]) > largest) largest = quad_abs((quad)x[i]);
        double unused = 0;
        quad std = quad_sqrt(variance / (1 - squares));
        within("ema", fmlp_case_data_names[kinds[k]], 0, i, ema[i], mean, (quad)5e-15 * largest, &unused);
        within("ewm_std", fmlp_case_data_names[kinds[k]], 0, i, deviation[i], std, (quad)1e-9 * std, &unused);
      }
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(moments_stay_within_their_tolerances_on_adversarial_data),
      cmocka_unit_test(a_constant_window_has_no_spread_and_no_shape),
      cmocka_unit_test(comoments_match_binary128),
      cmocka_unit_test(exponential_averages_match_binary128),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
