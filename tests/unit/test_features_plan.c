/* Features: the user's plan, what is omitted, what is kept from the model. */
#include "tests/cmocka_fmlp.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/core/log.h"
#include "common/core/memory.h"
#include "common/stages/features.h"
#include "tests/unit/feature_tables.h"
#include "tests/unit/on_each_backend.h"
#include "tests/unit/small_market.h"

static void features_without_their_input_are_omitted_and_listed(void **state) {
  (void)state;
  market m;
  market_make(&m, 11, 3000, 20, false);
  fmlp_feature_entry plan[] = {entry("v", "mean", "volume"), entry("w", "abs", "v"),
                               entry("r", "abs", "ret_1")};
  plan[0].window = 3;
  const fmlp_features_settings settings = {.base = true, .plan_count = 3, .plan = plan};
  fmlp_features features = features_of(&settings, &m.bars);
  static const char *const omitted[] = {
      "volume_imbalance", "volume_imbalance_5", "volume_imbalance_10", "volume_imbalance_20", "v", "w"};
  assert_int_equal(features.count, 48 - 4 + 1);
  assert_int_equal(features.omitted_count, 6);
  for (int i = 0; i < 6; i++) assert_string_equal(features.omitted[i].text, omitted[i]);
  assert_int_equal(find(&features, "volume_imbalance"), -1);
  fmlp_features_release(&features);
  market_release(&m);
}

static void trades_have_no_spread(void **state) {
  (void)state;
  market m;
  market_make(&m, 11, 3000, 20, false);
  m.bars.kind = FMLP_TRADES;
  fmlp_features features = features_of(&base_set, &m.bars);
  m.bars.kind = FMLP_QUOTES;
  assert_int_equal(features.omitted_count, 4 + 6);
  assert_string_equal(features.omitted[0].text, "spread");
  assert_int_equal(features.count, 48 - 10);
  fmlp_features_release(&features);
  market_release(&m);
}

static void the_plan_names_bar_columns_and_earlier_entries(void **state) {
  (void)state;
  market m;
  market_make(&m, 11, 3000, 20, true);
  fmlp_feature_entry plan[] = {entry("fast", "ema", "mid"),       entry("slow", "ema", "mid"),
                               entry("gap", "sub", "fast"),       entry("gap_z", "zscore", "gap"),
                               entry("same_vol", "std", "ret_1"), entry("one", "constant", NULL),
                               entry("step", "diff", "close")};
  plan[0].span = 9;
  plan[1].alpha = 0.05;
  plan[2].with = "slow";
  plan[3].window = 30;
  plan[4].window = 10;
  plan[5].value = 1.5;
  plan[0].intermediate = plan[1].intermediate = true;
  const fmlp_features_settings settings = {.base = true, .plan_count = 7, .plan = plan};
  fmlp_features features = features_of(&settings, &m.bars);
  assert_int_equal(features.count, 48 + 5);
  assert_int_equal(find(&features, "fast"), -1);
  const double *gap = column(&features, "gap"), *step = column(&features, "step");
  double fast = 0, slow = 0;
  for (int64_t row = 0; row < features.rows; row++) {
    double mid = fmlp_decimal_mid(m.bars.bid_close[row], m.bars.ask_close[row], m.bars.price);
    fast = row == 0 ? mid : fast + (mid - fast) * 0.2;
    slow = row == 0 ? mid : slow + (mid - slow) * 0.05;
    assert_true(fabs(gap[row] - (fast - slow)) < 1e-14);
    if (row > 0)
      assert_true(fabs(step[row] - 1e-5 * (m.bars.bid_close[row] - m.bars.bid_close[row - 1])) < 1e-15);
    assert_true(column(&features, "one")[row] == 1.5);
  }
  /* Two names of one computation hold the same bits. */
  assert_memory_equal(column(&features, "same_vol"), column(&features, "vol_10"), 150 * sizeof(double));
  assert_int_equal(features.warm_up[find(&features, "same_vol")], 10);
  fmlp_features_release(&features);
  market_release(&m);
}

static void refused(const fmlp_bars *bars, fmlp_feature_entry bad, const char *part, const char *other_part) {
  const fmlp_features_settings settings = {.base = true, .plan_count = 1, .plan = &bad};
  fmlp_features features;
  fmlp_error error = {""};
  assert_int_equal(fmlp_features_compute(&settings, bars, &compute, &features, &error), FMLP_ERR_USAGE);
  if (!strstr(error.text, part) || !strstr(error.text, other_part)) {
    fail_msg("'%s' lacks '%s' or '%s'", error.text, part, other_part);
  }
  assert_int_equal(features.count, 0);
  assert_null(features.columns);
}

static void a_bad_entry_is_refused_with_its_place_and_a_hint(void **state) {
  (void)state;
  market m;
  market_make(&m, 11, 3000, 20, true);
  const fmlp_bars *bars = &m.bars;
  refused(bars, entry("x", "maen", "close"), "plan.yaml:7: feature 'x'", "did you mean 'mean'");
  refused(bars, entry("x", "heikin_ashi", "close"), "unknown operator", "docs/features.md");
  fmlp_feature_entry bad = entry("x", "mean", "clsoe");
  bad.window = 5;
  refused(bars, bad, "`of: clsoe`", "did you mean 'close'");
  bad = entry("x", "mean", "vol_11");
  bad.window = 5;
  refused(bars, bad, "`of: vol_11`", "did you mean 'vol_10'");
  refused(bars, entry("x", "mean", "close"), "'mean' needs a positive `window`", "plan.yaml:7");
  bad = entry("x", "std", "close");
  bad.window = 1;
  refused(bars, bad, "operator 'std'", "at least 2");
  bad = entry("x", "mean", "close");
  bad.window = -3;
  refused(bars, bad, "positive `window`", "x");
  refused(bars, entry("x", "sub", "close"), "`with` is missing", "earlier entry");
  refused(bars, entry("x", "abs", NULL), "`of` is missing", "bar column");
  refused(bars, entry("ret_1", "abs", "close"), "'ret_1' is taken", "plan.yaml:7");
  refused(bars, entry("a/b", "abs", "close"), "'a/b' is no file name", "plan.yaml:7");
  refused(bars, entry("x", "ema", "close"), "either `span` or `alpha`", "ema");
  bad = entry("x", "ema", "close");
  bad.span = 0.5;
  refused(bars, bad, "`span: 0.5` must be at least 1", "x");
  bad = entry("x", "quantile", "close");
  bad.window = 10;
  refused(bars, bad, "needs `q`", "quantile");
  bad.q = 1.5;
  refused(bars, bad, "operator 'quantile'", "[0, 1]");
  bad = entry("x", "abs", "close");
  bad.window = 4;
  refused(bars, bad, "'abs' takes no `window`", "remove it");
  bad = entry("x", "abs", "close");
  bad.with = "open";
  refused(bars, bad, "takes no `with`", "abs");
  refused(bars, entry(NULL, "abs", "close"), "`name` is missing", "?");
  refused(bars, entry("x", NULL, "close"), "`op` is missing", "x");
  market_release(&m);
}

static void excluded_patterns_leave_the_table_but_not_the_model(void **state) {
  (void)state;
  market m;
  market_make(&m, 11, 3000, 20, true);
  const char *const patterns[] = {"ma_[0-9]", "ma_[0-9][0-9]", "ma_[0-9]_slope", "ma_[0-9][0-9]_slope"};
  const fmlp_features_settings settings = {.base = true, .exclude_count = 4, .exclude = patterns};
  fmlp_features features = features_of(&settings, &m.bars);
  int32_t excluded = 0;
  for (int32_t f = 0; f < features.count; f++) excluded += !features.model_input[f];
  assert_int_equal(features.count, 48);
  assert_int_equal(excluded, 8);
  assert_false(features.model_input[find(&features, "ma_5")]);
  assert_false(features.model_input[find(&features, "ma_50_slope")]);
  assert_true(features.model_input[find(&features, "ma_5_slope_norm")]);
  assert_true(features.model_input[find(&features, "ma_cross_5_10")]);
  fmlp_features_release(&features);
  market_release(&m);
}

static void a_window_beyond_the_series_warns_and_leaves_the_model(void **state) {
  (void)state;
  market m;
  market_make(&m, 11, 1000, 20, true); /* 50 bars */
  fmlp_log_open();
  fmlp_features features = features_of(&base_set, &m.bars);
  char *warnings = NULL;
  int64_t count = 0;
  fmlp_error error = {""};
  assert_int_equal(fmlp_log_warnings(&warnings, &count, &error), FMLP_OK);
  assert_int_equal(count, 1);
  assert_non_null(strstr(warnings, "vol_50"));
  fmlp_free(warnings);
  fmlp_log_close();
  int32_t f = find(&features, "vol_50");
  assert_false(features.model_input[f]);
  assert_int_equal(features.warm_up[f], 50);
  for (int64_t row = 0; row < 50; row++) assert_true(isnan(features.columns[f][row]));
  assert_true(features.model_input[find(&features, "dist_to_ma_50")]); /* one number, in the last row */
  fmlp_features_release(&features);
  market_release(&m);
}

static void the_documentation_names_every_operator(void **state) {
  (void)state;
  static char text[1 << 16];
  FILE *file = fopen(FMLP_SOURCE_DIR "/docs/features.md", "r");
  assert_non_null(file);
  size_t length = fread(text, 1, sizeof text - 1, file);
  text[length] = '\0';
  fclose(file);
  for (int op = 0; op < FMLP_OP_COUNT; op++) {
    char quoted[64];
    snprintf(quoted, sizeof quoted, "`%s`", fmlp_operators[op].name);
    if (!strstr(text, quoted)) fail_msg("docs/features.md lacks %s", quoted);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(features_without_their_input_are_omitted_and_listed),
      cmocka_unit_test(trades_have_no_spread),
      cmocka_unit_test(the_plan_names_bar_columns_and_earlier_entries),
      cmocka_unit_test(a_bad_entry_is_refused_with_its_place_and_a_hint),
      cmocka_unit_test(excluded_patterns_leave_the_table_but_not_the_model),
      cmocka_unit_test(a_window_beyond_the_series_warns_and_leaves_the_model),
      cmocka_unit_test(the_documentation_names_every_operator),
  };
  return RUN_ON_EACH_BACKEND(tests);
}
