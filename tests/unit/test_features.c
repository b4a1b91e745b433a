/* Features: the set `base` against pandas and numpy, causality, warm-up, files. */
#define _XOPEN_SOURCE 700
#include "tests/cmocka_fmlp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/bits.h"
#include "common/core/log.h"
#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "common/stages/features.h"
#include "tests/unit/column_folder.h"
#include "tests/unit/feature_tables.h"
#include "tests/unit/on_each_backend.h"
#include "tests/unit/small_market.h"

/* Formulas that round the same way in numpy: compared on bits. */
static bool is_exact(const char *name) {
  static const char *const exact[] = {"spread",        "spread_change",   "tick_direction",
                                      "tick_count",    "tick_count_norm", "volume_imbalance",
                                      "bar_duration",  "range_10",        "range_20",
                                      "ma_cross_5_10", "ma_cross_10_20",  "ma_cross_20_50"};
  for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
    if (strcmp(exact[i], name) == 0) return true;
  }
  return false;
}

/* slope / (m * std) divides the rounding of prices by about 1e-4. */
static double tolerance(const char *name, double expected) {
  if (is_exact(name)) return 0.0;
  double relative = 1e-12 * fabs(expected);
  double absolute = strstr(name, "slope_norm") ? 1e-11 : 2e-15;
  return relative > absolute ? relative : absolute;
}

static void the_set_base_equals_pandas_and_numpy(void **state) {
  (void)state;
  market m;
  market_make(&m, 11, 3000, 20, true);
  fmlp_features features = features_of(&base_set, &m.bars);
  assert_int_equal(features.count, 48);
  assert_int_equal(features.rows, 150);
  assert_int_equal(features.omitted_count, 0);
  FILE *golden = fopen(FMLP_SOURCE_DIR "/tests/golden/features.txt", "r");
  assert_non_null(golden);
  char name[64], word[64];
  int32_t f = 0;
  while (fscanf(golden, "%63s", name) == 1) {
    assert_true(f < features.count);
    assert_string_equal(features.names[f].text, name);
    for (int64_t row = 0; row < features.rows; row++) {
      assert_int_equal(fscanf(golden, "%63s", word), 1);
      double value = features.columns[f][row];
      bool tie = strcmp(word, "tie") == 0; /* either sign is right */
      double expected = tie && value < 0 ? -1.0 : tie ? 1.0 : strtod(word, NULL);
      bool same = isnan(expected) ? fmlp_bits_of(value) == FMLP_NAN_BITS
                                  : fabs(value - expected) <= tolerance(name, expected);
      if (!same) fail_msg("%s row %lld: %a, expected %a", name, (long long)row, value, expected);
    }
    f++;
  }
  assert_int_equal(f, features.count);
  fclose(golden);
  fmlp_features_release(&features);
  market_release(&m);
}

static void warm_up_is_the_number_of_leading_nan(void **state) {
  (void)state;
  market m;
  market_make(&m, 11, 3000, 20, true);
  fmlp_features features = features_of(&base_set, &m.bars);
  for (int32_t f = 0; f < features.count; f++) {
    int64_t row = 0;
    while (row < features.rows && isnan(features.columns[f][row])) row++;
    if (row != features.warm_up[f]) {
      fail_msg("%s: %lld NaN, warm-up %lld", features.names[f].text, (long long)row,
               (long long)features.warm_up[f]);
    }
    for (; row < features.rows; row++) assert_false(isnan(features.columns[f][row]));
  }
  assert_int_equal(features.warm_up[find(&features, "ma_50_slope_norm")], 99);
  assert_int_equal(features.warm_up[find(&features, "vol_50")], 50);
  fmlp_features_release(&features);
  market_release(&m);
}

static void a_cross_is_nan_and_not_minus_one_while_warming_up(void **state) {
  (void)state;
  market m;
  market_make(&m, 11, 3000, 20, true);
  fmlp_features features = features_of(&base_set, &m.bars);
  const double *cross = column(&features, "ma_cross_20_50");
  for (int64_t row = 0; row < 49; row++) assert_true(isnan(cross[row]));
  for (int64_t row = 49; row < features.rows; row++) assert_true(fabs(cross[row]) == 1.0);
  fmlp_features_release(&features);
  market_release(&m);
}

/* Everything after bar t is replaced; features up to t must keep their bits. */
static void features_before_t_do_not_depend_on_data_after_t(void **state) {
  (void)state;
  fmlp_feature_entry plan[] = {entry("e", "ema", "mid"),        entry("s", "ewm_std", "ret_1"),
                               entry("f", "fracdiff", "close"), entry("q", "quantile", "range_10"),
                               entry("a", "autocorr", "ret_1"), entry("b", "beta", "ret_1"),
                               entry("k", "rank", "vwap")};
  plan[0].span = 10;
  plan[1].alpha = 0.1;
  plan[2].d = 0.4;
  plan[2].threshold = 0.01;
  plan[3].q = 0.3;
  plan[5].with = "spread_change";
  for (int e = 3; e < 7; e++) plan[e].window = 12;
  const fmlp_features_settings settings = {.base = true, .plan_count = 7, .plan = plan};
  market m, other;
  market_make(&m, 11, 3000, 20, true);
  fmlp_features features = features_of(&settings, &m.bars);
  const int64_t moments[] = {0, 1, 63, 64, 100, 149};
  for (int i = 0; i < 6; i++) {
    int64_t t = moments[i];
    market_make(&other, 77, 3000, 20, true);
    for (int64_t tick = 0; tick < (t + 1) * 20; tick++) {
      other.ticks.time[tick] = m.ticks.time[tick];
      other.ticks.bid[tick] = m.ticks.bid[tick];
      other.ticks.ask[tick] = m.ticks.ask[tick];
      other.ticks.bid_size[tick] = m.ticks.bid_size[tick];
      other.ticks.ask_size[tick] = m.ticks.ask_size[tick];
    }
    fmlp_bars_release(&other.bars);
    market_build_bars(&other, 20);
    fmlp_features changed = features_of(&settings, &other.bars);
    assert_int_equal(changed.count, features.count);
    for (int32_t f = 0; f < features.count; f++) {
      if (memcmp(features.columns[f], changed.columns[f], (size_t)(t + 1) * sizeof(double)) != 0) {
        fail_msg("%s looks beyond bar %lld", features.names[f].text, (long long)t);
      }
    }
    if (t < 149) {
      assert_true(column(&features, "ret_1")[t + 1] != column(&changed, "ret_1")[t + 1]);
    }
    fmlp_features_release(&changed);
    market_release(&other);
  }
  fmlp_features_release(&features);
  market_release(&m);
}

static void the_bits_do_not_depend_on_threads(void **state) {
  (void)state;
  market m;
  market_make(&m, 11, 400000, 3, true);
  fmlp_threads_set(1);
  fmlp_features one = features_of(&base_set, &m.bars);
  for (int threads = 2; threads <= 4; threads += 2) {
    fmlp_threads_set(threads);
    fmlp_features many = features_of(&base_set, &m.bars);
    for (int32_t f = 0; f < one.count; f++) {
      assert_memory_equal(one.columns[f], many.columns[f], (size_t)one.rows * sizeof(double));
    }
    fmlp_features_release(&many);
  }
  fmlp_threads_set(0);
  fmlp_features_release(&one);
  market_release(&m);
}

static void every_failed_allocation_is_reported_and_nothing_leaks(void **state) {
  (void)state;
  market m;
  market_make(&m, 11, 1200, 20, true);
  int64_t nth = 1;
  for (; nth < 2000; nth++) {
    fmlp_error error = {""};
    fmlp_features features;
    fmlp_memory_fail_at(nth);
    fmlp_status status = fmlp_features_compute(&base_set, &m.bars, &compute, &features, &error);
    fmlp_memory_fail_at(0);
    fmlp_features_release(&features);
    if (status == FMLP_OK) break;
    assert_int_equal(status, FMLP_ERR_OTHER);
    assert_true(error.text[0] != '\0');
  }
  assert_in_range(nth, 60, 1999);
  market_release(&m);
}

/* Exit price or horizon among the inputs gave an existing pipeline an "accuracy" of 98 %. */
static void no_column_of_the_labels_is_a_feature(void **state) {
  (void)state;
  static const char *const forbidden[] = {"event",   "end_",     "exit",     "entry",  "outcome",
                                          "label",   "pnl",      "weight",   "target", "stop",
                                          "horizon", "deadline", "last_bar", "side"};
  market m;
  market_make(&m, 11, 3000, 20, true);
  fmlp_features features = features_of(&base_set, &m.bars);
  for (int32_t f = 0; f < features.count; f++) {
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
      if (strstr(features.names[f].text, forbidden[i])) fail_msg("%s is a feature", features.names[f].text);
    }
  }
  fmlp_features_release(&features);
  market_release(&m);
}

static void exported_features_come_back_with_the_same_bits(void **state) {
  (void)state;
  market m;
  market_make(&m, 11, 3000, 20, true);
  fmlp_features features = features_of(&base_set, &m.bars);
  column_folder to;
  column_folder_make(&to, "features");
  fmlp_error error = {""};
  const fmlp_column_sink sink = {&to, column_folder_put};
  assert_int_equal(fmlp_features_export(&features, &sink, &error), FMLP_OK);
  const char *const names[] = {"ret_5", "ma_50", "spread"};
  const char *const patterns[] = {"ma_*"};
  const fmlp_features_settings settings = {.exclude_count = 1, .exclude = patterns};
  fmlp_features back;
  assert_int_equal(fmlp_features_import(to.path, &settings, 3, names, &back, &error), FMLP_OK);
  assert_int_equal(back.count, 3);
  assert_int_equal(back.rows, 150);
  for (int f = 0; f < 3; f++) {
    assert_memory_equal(back.columns[f], column(&features, names[f]), 150 * sizeof(double));
    assert_int_equal(back.warm_up[f], features.warm_up[find(&features, names[f])]);
    assert_int_equal(back.model_input[f], f != 1);
  }
  fmlp_features_release(&back);
  const char *const missing[] = {"ret_5", "nothing"};
  assert_int_equal(fmlp_features_import(to.path, &settings, 2, missing, &back, &error), FMLP_ERR_INPUT);
  assert_non_null(strstr(error.text, "nothing.npy"));
  column_folder_remove(&to, "features");
  fmlp_features_release(&features);
  market_release(&m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_set_base_equals_pandas_and_numpy),
      cmocka_unit_test(warm_up_is_the_number_of_leading_nan),
      cmocka_unit_test(a_cross_is_nan_and_not_minus_one_while_warming_up),
      cmocka_unit_test(features_before_t_do_not_depend_on_data_after_t),
      cmocka_unit_test(the_bits_do_not_depend_on_threads),
      cmocka_unit_test(every_failed_allocation_is_reported_and_nothing_leaks),
      cmocka_unit_test(no_column_of_the_labels_is_a_feature),
      cmocka_unit_test(exported_features_come_back_with_the_same_bits),
  };
  return RUN_ON_EACH_BACKEND(tests);
}
