/* Bars: their rules on small tables by hand, thresholds, extremes and failures. */
#include "tests/unit/bars_cases.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/core/bits.h"
#include "common/core/memory.h"

static fmlp_ticks quotes(int64_t count, const int64_t *seconds, const int32_t *bid, const int32_t *ask) {
  fmlp_error error = {""};
  fmlp_ticks ticks = {.kind = FMLP_QUOTES, .price = {1, 5}, .size_unit = {1, 0}};
  assert_int_equal(fmlp_ticks_reserve(&ticks, count, false, &error), FMLP_OK);
  for (int64_t i = 0; i < count; i++) {
    ticks.time[i] = seconds[i] * SECOND;
    ticks.bid[i] = bid[i];
    ticks.ask[i] = ask[i];
  }
  ticks.count = count;
  return ticks;
}

static void prices_at_the_ends_of_int32_keep_exact_spreads(void **state) {
  (void)state;
  const int64_t seconds[] = {0, 1, 2, 3};
  const int32_t bid[] = {1, INT32_MAX, 1, INT32_MAX}, ask[] = {INT32_MAX, 1, INT32_MAX, 1};
  fmlp_ticks ticks = quotes(4, seconds, bid, ask);
  ticks.price = (fmlp_scale){1, 0};
  fmlp_calendar calendar = daily_calendar(&ticks, 0, 1440);
  fmlp_bars_settings settings = rule(FMLP_BARS_TICK, "4", true);
  fmlp_bars_report report;
  fmlp_bars bars = build(&settings, &calendar, &ticks, &report);
  assert_int_equal(bars.count, 1);
  assert_int_equal(bars.bid_high[0], INT32_MAX);
  assert_int_equal(bars.bid_low[0], 1);
  assert_int_equal(fmlp_bits_of(bars.spread_mean[0]), 0);
  double d = 2147483646.0; /* spreads d, -d, d, -d */
  assert_true(bars.spread_std[0] == sqrt(16.0 * d * d / 12.0));
  fmlp_bars_release(&bars);
  fmlp_calendar_release(&calendar);
  fmlp_ticks_release(&ticks);
}

static void a_constant_spread_has_a_standard_deviation_of_zero(void **state) {
  (void)state;
  const int64_t seconds[] = {0, 1, 2};
  const int32_t bid[] = {138727, 138730, 138001}, ask[] = {138729, 138732, 138003};
  fmlp_ticks ticks = quotes(3, seconds, bid, ask);
  fmlp_calendar calendar = daily_calendar(&ticks, 0, 1440);
  fmlp_bars_settings settings = rule(FMLP_BARS_TICK, "3", true);
  fmlp_bars_report report;
  fmlp_bars bars = build(&settings, &calendar, &ticks, &report);
  assert_int_equal(fmlp_bits_of(bars.spread_std[0]), 0);
  assert_true(bars.spread_mean[0] == 0.00002);
  fmlp_bars_release(&bars);
  fmlp_calendar_release(&calendar);
  fmlp_ticks_release(&ticks);
}

static void a_session_boundary_closes_the_bar_short(void **state) {
  (void)state;
  /* session 00:00 to 01:00; ticks at 0, its last ns, its close, in the gap, and at the next open */
  const int64_t seconds[] = {10, 3599, 3600, 7200, 86399, 86400, 86401, 86402};
  const int32_t price[] = {1, 2, 3, 4, 5, 6, 7, 8};
  fmlp_ticks ticks = quotes(8, seconds, price, price);
  fmlp_calendar calendar = daily_calendar(&ticks, 0, 60);
  fmlp_bars_settings settings = rule(FMLP_BARS_TICK, "3", true);
  fmlp_bars_report report;
  fmlp_bars bars = build(&settings, &calendar, &ticks, &report);
  assert_int_equal(bars.count, 3);
  const int64_t lasts[] = {2, 5, 8};
  for (int i = 0; i < 3; i++) assert_int_equal(bars.last_tick[i], lasts[i]);
  assert_int_equal(bars.close_time[0], 3599 * SECOND);
  assert_int_equal(report.session_tails, 1); /* the gap's bar was full when its segment ended */
  fmlp_bars_release(&bars);
  settings.keep_session_tail = false;
  bars = build(&settings, &calendar, &ticks, &report);
  assert_int_equal(bars.count, 2);
  assert_int_equal(bars.first_tick[0], 2);
  assert_int_equal(report.tails_dropped, 1);
  fmlp_bars_release(&bars);
  fmlp_calendar_release(&calendar);
  fmlp_ticks_release(&ticks);
}

static void thresholds_restart_at_zero_and_carry_nothing(void **state) {
  (void)state;
  const int64_t seconds[] = {0, 1, 2, 3};
  const int32_t price[] = {1, 1, 1, 1};
  fmlp_error error = {""};
  fmlp_ticks ticks = quotes(4, seconds, price, price);
  assert_int_equal(fmlp_ticks_reserve(&ticks, 4, true, &error), FMLP_OK);
  const int64_t sizes[] = {25, 9, 1, 10};
  for (int i = 0; i < 4; i++) ticks.bid_size[i] = sizes[i], ticks.ask_size[i] = 0;
  fmlp_calendar calendar = daily_calendar(&ticks, 0, 1440);
  fmlp_bars_settings settings = rule(FMLP_BARS_VOLUME, "10", true);
  fmlp_bars_report report;
  fmlp_bars bars = build(&settings, &calendar, &ticks, &report);
  assert_int_equal(bars.count, 3); /* 25 is one bar, not two; then 9 + 1; then 10 */
  assert_int_equal(bars.volume[0], 25);
  assert_int_equal(bars.volume[1], 10);
  assert_int_equal(bars.volume[2], 10);
  fmlp_bars_release(&bars);
  fmlp_calendar_release(&calendar);
  fmlp_ticks_release(&ticks);
}

static void time_bars_stand_on_the_epochs_grid_and_leave_empty_intervals_out(void **state) {
  (void)state;
  const int64_t seconds[] = {-61, -60, -1, 0, 59, 60, 301, 3599, 3600};
  const int32_t price[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  fmlp_ticks ticks = quotes(9, seconds, price, price);
  fmlp_calendar calendar = daily_calendar(&ticks, 0, 1440);
  fmlp_bars_settings settings = rule(FMLP_BARS_TIME, "60", true);
  fmlp_bars_report report;
  fmlp_bars bars = build(&settings, &calendar, &ticks, &report);
  const int64_t closes[] = {-60, 0, 60, 120, 360, 3600}, firsts[] = {0, 1, 3, 5, 6, 7};
  assert_int_equal(bars.count, 6);
  for (int i = 0; i < 6; i++) {
    assert_int_equal(bars.close_time[i], closes[i] * SECOND);
    assert_int_equal(bars.first_tick[i], firsts[i]);
  }
  assert_int_equal(report.session_tails, 0); /* midnight is a line of the grid: nothing was cut */
  assert_int_equal(report.unfinished_ticks, 1);
  fmlp_bars_release(&bars);
  fmlp_calendar_release(&calendar);
  fmlp_ticks_release(&ticks);
}

static void a_time_bar_cut_by_the_session_closes_with_it(void **state) {
  (void)state;
  const int64_t seconds[] = {3000, 3500, 86400};
  const int32_t price[] = {1, 2, 3};
  fmlp_ticks ticks = quotes(3, seconds, price, price);
  fmlp_calendar calendar = daily_calendar(&ticks, 0, 59); /* closes at second 3540 */
  fmlp_bars_settings settings = rule(FMLP_BARS_TIME, "3600", true);
  fmlp_bars_report report;
  fmlp_bars bars = build(&settings, &calendar, &ticks, &report);
  assert_int_equal(bars.count, 1);
  assert_int_equal(bars.close_time[0], 3540 * SECOND);
  assert_int_equal(report.session_tails, 1);
  fmlp_bars_release(&bars);
  fmlp_calendar_release(&calendar);
  fmlp_ticks_release(&ticks);
}

/* Failures. */

static void expect_refusal(fmlp_bar_type type, const char *threshold, bool sizes, fmlp_status expected,
                           const char *text) {
  fmlp_error error = {""};
  fmlp_calendar calendar = {0};
  fmlp_bars_settings settings = {type, 0, threshold, true};
  fmlp_bar_builder *builder = NULL;
  assert_int_equal(fmlp_bar_builder_open(&settings, &calendar, FMLP_QUOTES, sizes, (fmlp_scale){1, 5},
                                         (fmlp_scale){1, 0}, &builder, &error),
                   expected);
  assert_null(builder);
  if (!strstr(error.text, text)) fail_msg("\"%s\" does not mention %s", error.text, text);
}

static void impossible_settings_are_refused(void **state) {
  (void)state;
  static const char *const bad[] = {
      "0", "0.0", "-5", "", "abc", "1x", ".", "1e", "nan", "inf", "1234567890123456789"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    expect_refusal(FMLP_BARS_TICK, bad[i], true, FMLP_ERR_USAGE, "bars.threshold");
    expect_refusal(FMLP_BARS_DOLLAR, bad[i], true, FMLP_ERR_USAGE, "bars.threshold");
  }
  expect_refusal(FMLP_BARS_TICK, NULL, true, FMLP_ERR_USAGE, "positive");
  expect_refusal(FMLP_BARS_TICK, "2.5", true, FMLP_ERR_USAGE, "whole number");
  expect_refusal(FMLP_BARS_TICK, "5e9", true, FMLP_ERR_USAGE, "whole number");
  expect_refusal(FMLP_BARS_TIME, "1e-10", true, FMLP_ERR_USAGE, "nanoseconds");
  expect_refusal(FMLP_BARS_TIME, "1e300", true, FMLP_ERR_USAGE, "too large");
  expect_refusal(FMLP_BARS_VOLUME, "1e19", true, FMLP_ERR_USAGE, "volume");
  expect_refusal(FMLP_BARS_DOLLAR, "1e36", true, FMLP_ERR_USAGE, "too large");
  expect_refusal(FMLP_BARS_VOLUME, "10", false, FMLP_ERR_INPUT, "sizes");
  expect_refusal(FMLP_BARS_DOLLAR, "10", false, FMLP_ERR_INPUT, "sizes");
  for (int type = FMLP_BARS_TICK_IMBALANCE; type <= FMLP_BARS_DOLLAR_RUN; type++) {
    expect_refusal((fmlp_bar_type)type, "10", true, FMLP_ERR_USAGE, "use tick, volume, dollar or time");
  }
}

static void thresholds_are_read_as_exact_decimals(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double number;
  } same[] = {{"5", 5},  {"+5.000", 5}, {"0.5e1", 5}, {"50e-1", 5},
              {NULL, 5}, {"5E+0", 5},   {"00005", 5}, {"5000000000000000000000e-21", 5}};
  fmlp_ticks ticks = golden_ticks(5, 100, FMLP_QUOTES, true, (fmlp_scale){1, 5}, (fmlp_scale){1, 0});
  fmlp_calendar calendar = daily_calendar(&ticks, 0, 1440);
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
    fmlp_bars_settings settings = {FMLP_BARS_TICK, same[i].number, same[i].text, true};
    fmlp_bars_report report;
    fmlp_bars bars = build(&settings, &calendar, &ticks, &report);
    assert_int_equal(bars.last_tick[0], 5);
    fmlp_bars_release(&bars);
  }
  /* ten sizes of 0.1 reach 1.0: in doubles their sum is 0.9999999999999999 */
  ticks.size_unit = (fmlp_scale){1, 1};
  for (int64_t i = 0; i < ticks.count; i++) ticks.bid_size[i] = 1, ticks.ask_size[i] = 0;
  fmlp_bars_settings settings = rule(FMLP_BARS_VOLUME, "1.0", true);
  fmlp_bars_report report;
  fmlp_bars bars = build(&settings, &calendar, &ticks, &report);
  assert_int_equal(bars.last_tick[0], 10);
  fmlp_bars_release(&bars);
  fmlp_calendar_release(&calendar);
  fmlp_ticks_release(&ticks);
}

static void no_complete_bar_is_an_input_error(void **state) {
  (void)state;
  fmlp_ticks ticks = golden_ticks(5, 99, FMLP_QUOTES, true, (fmlp_scale){1, 5}, (fmlp_scale){1, 0});
  fmlp_calendar calendar = daily_calendar(&ticks, 0, 1440);
  fmlp_bars_settings settings = rule(FMLP_BARS_VOLUME, "1e9", false);
  for (int64_t count = 0; count <= 99; count += 99) {
    fmlp_error error = {""};
    fmlp_bars bars;
    fmlp_bars_report report;
    ticks.count = count;
    fmlp_tick_source source = fmlp_ticks_source(&ticks);
    assert_int_equal(fmlp_bars_build(&settings, &calendar, &source, &bars, &report, &error), FMLP_ERR_INPUT);
    assert_non_null(strstr(error.text, "no complete volume bar"));
    assert_int_equal(bars.count, 0);
    fmlp_bars_release(&bars);
  }
  fmlp_calendar_release(&calendar);
  fmlp_ticks_release(&ticks);
}

static void a_volume_beyond_64_bits_is_an_input_error(void **state) {
  (void)state;
  fmlp_ticks ticks = golden_ticks(5, 3, FMLP_QUOTES, true, (fmlp_scale){1, 5}, (fmlp_scale){1, 0});
  fmlp_calendar calendar = daily_calendar(&ticks, 0, 1440);
  for (int64_t i = 0; i < 3; i++) ticks.bid_size[i] = ticks.ask_size[i] = INT64_MAX;
  static const fmlp_bar_type types[] = {FMLP_BARS_TICK, FMLP_BARS_VOLUME, FMLP_BARS_DOLLAR};
  for (int t = 0; t < 3; t++) {
    fmlp_error error = {""};
    fmlp_bars bars;
    fmlp_bars_report report;
    fmlp_bars_settings settings = rule(types[t], "2", true);
    fmlp_tick_source source = fmlp_ticks_source(&ticks);
    assert_int_equal(fmlp_bars_build(&settings, &calendar, &source, &bars, &report, &error), FMLP_ERR_INPUT);
    assert_non_null(strstr(error.text, "size_decimals"));
    fmlp_bars_release(&bars);
  }
  fmlp_calendar_release(&calendar);
  fmlp_ticks_release(&ticks);
}

static void every_failed_allocation_leaves_no_bars(void **state) {
  (void)state;
  fmlp_ticks ticks = golden_ticks(5, 5000, FMLP_QUOTES, true, (fmlp_scale){1, 5}, (fmlp_scale){1, 0});
  fmlp_calendar calendar = daily_calendar(&ticks, 0, 1440);
  fmlp_bars_settings settings = rule(FMLP_BARS_TICK, "2", true);
  fmlp_tick_source source = fmlp_ticks_source(&ticks);
  fmlp_status status = FMLP_ERR_OTHER;
  for (int64_t nth = 1; status != FMLP_OK; nth++) {
    fmlp_error error = {""};
    fmlp_bars bars;
    fmlp_bars_report report;
    fmlp_memory_fail_at(nth);
    status = fmlp_bars_build(&settings, &calendar, &source, &bars, &report, &error);
    fmlp_memory_fail_at(0);
    assert_int_equal(bars.count > 0, status == FMLP_OK);
    fmlp_bars_release(&bars);
    assert_true(nth < 1000);
  }
  fmlp_calendar_release(&calendar);
  fmlp_ticks_release(&ticks);
}

static void a_table_keeps_its_rows_as_it_grows_into_one_block(void **state) {
  (void)state;
  static const int64_t capacities[] = {10, 11, 100000, 100001, 300000};
  for (int variant = 0; variant < 4; variant++) {
    fmlp_error error = {""};
    fmlp_bars bars = {.kind = variant % 2 ? FMLP_TRADES : FMLP_QUOTES, .has_sizes = variant >= 2};
    for (int c = 0; c < 5; c++) {
      fmlp_memory_fail_at(1);
      assert_int_equal(fmlp_bars_reserve(&bars, capacities[c], &error), FMLP_ERR_OTHER);
      fmlp_memory_fail_at(0);
      assert_int_equal(fmlp_bars_reserve(&bars, capacities[c], &error), FMLP_OK);
      assert_int_equal(bars.block != NULL, capacities[c] >= 100000);
      assert_int_equal(bars.ask_low == bars.bid_low, bars.kind == FMLP_TRADES);
      for (int64_t i = 0; i < bars.count; i++) {
        assert_int_equal(bars.open_time[i], i);
        assert_int_equal(bars.ask_close[i], bars.kind == FMLP_TRADES ? i + 1 : i + 2);
        assert_int_equal(bars.bid_close[i], i + 1);
        assert_true(bars.spread_std[i] == (double)i);
        if (bars.has_sizes) assert_int_equal(bars.volume[i], i + 3);
        if (bars.bid_volume) assert_int_equal(bars.ask_volume[i], i + 4);
      }
      bars.count = capacities[c];
      for (int64_t i = 0; i < bars.count; i++) {
        bars.open_time[i] = i;
        bars.ask_close[i] = (int32_t)i + 2;
        bars.bid_close[i] = (int32_t)i + 1;
        bars.spread_std[i] = (double)i;
        if (bars.has_sizes) bars.volume[i] = i + 3;
        if (bars.bid_volume) bars.ask_volume[i] = i + 4;
      }
    }
    assert_int_equal(fmlp_bars_reserve(&bars, INT64_MAX, &error), FMLP_ERR_OTHER);
    assert_int_equal(bars.count, capacities[4]);
    fmlp_bars_release(&bars);
    fmlp_bars_release(&bars);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(prices_at_the_ends_of_int32_keep_exact_spreads),
      cmocka_unit_test(a_constant_spread_has_a_standard_deviation_of_zero),
      cmocka_unit_test(a_session_boundary_closes_the_bar_short),
      cmocka_unit_test(thresholds_restart_at_zero_and_carry_nothing),
      cmocka_unit_test(time_bars_stand_on_the_epochs_grid_and_leave_empty_intervals_out),
      cmocka_unit_test(a_time_bar_cut_by_the_session_closes_with_it),
      cmocka_unit_test(impossible_settings_are_refused),
      cmocka_unit_test(thresholds_are_read_as_exact_decimals),
      cmocka_unit_test(no_complete_bar_is_an_input_error),
      cmocka_unit_test(a_volume_beyond_64_bits_is_an_input_error),
      cmocka_unit_test(every_failed_allocation_leaves_no_bars),
      cmocka_unit_test(a_table_keeps_its_rows_as_it_grows_into_one_block),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
