/* Labels by hand: each rule on a market of a few bars whose outcome can be read off. */
#include "tests/cmocka_fmlp.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "common/core/bits.h"
#include "common/stages/labels.h"
#include "tests/unit/on_each_backend.h"
#include "tests/unit/small_market.h"

enum { SPREAD = 2, TICKS = 4 };

/* A market whose bars have TICKS quotes each, one a second: bids as given, ask = bid + SPREAD. */
static void market_of(market *m, const int32_t (*bids)[TICKS], int64_t bars) {
  fmlp_error error = {""};
  *m = (market){.ticks = {.kind = FMLP_QUOTES, .price = MARKET_SCALE, .size_unit = {1, 0}}};
  assert_int_equal(fmlp_ticks_reserve(&m->ticks, bars * TICKS, false, &error), FMLP_OK);
  for (int64_t t = 0; t < bars * TICKS; t++) {
    m->ticks.time[t] = MARKET_START + t * MARKET_SECOND;
    m->ticks.bid[t] = bids[t / TICKS][t % TICKS];
    m->ticks.ask[t] = m->ticks.bid[t] + SPREAD;
  }
  m->ticks.count = bars * TICKS;
  market_build_bars(m, TICKS);
  m->source = fmlp_ticks_source(&m->ticks);
}

static int64_t far_open = INT64_MIN, far_close = INT64_MAX;
static int32_t far_day;
static const fmlp_calendar always_open = {1, &far_open, &far_close, &far_day};

/* Free of costs, distances of 10 and 8 points, one bar of room. */
static fmlp_settings plain_settings(void) {
  return (fmlp_settings){.labeling = {.distance_mode = FMLP_DISTANCE_TICKS,
                                      .tp_ticks = 10,
                                      .sl_ticks = 8,
                                      .max_horizon_bars = 3,
                                      .min_horizon_bars = 1,
                                      .tie = FMLP_TIE_TICKS,
                                      .weights_time_decay = 1.0},
                         .backtest = {.contract_size = 100000.0}};
}

static fmlp_labels label_events(const fmlp_settings *settings, const fmlp_calendar *calendar, const market *m,
                                const fmlp_features *features, int64_t count, int64_t *bars, int8_t *sides) {
  const fmlp_events events = {count, bars, sides};
  fmlp_labels labels;
  fmlp_error error = {""};
  fmlp_status status = fmlp_labels_make(settings, calendar, &m->bars, &m->source, features, &events, &compute,
                                        &labels, &error);
  if (status != FMLP_OK) fail_msg("%s", error.text);
  return labels;
}

/* One event at bar 0. */
static fmlp_labels label_first(const fmlp_settings *settings, const market *m, int8_t side) {
  int64_t bar = 0;
  return label_events(settings, &always_open, m, NULL, 1, &bar, &side);
}

static const int32_t rising[][TICKS] = {
    {1000, 1000, 1000, 1000}, {1003, 1009, 1005, 1004}, {1006, 1009, 1013, 1002}, {1000, 1000, 1000, 1001}};

static void a_long_enters_at_the_ask_and_leaves_at_the_target_level(void **state) {
  (void)state;
  market m;
  market_of(&m, rising, 4);
  fmlp_settings settings = plain_settings();
  fmlp_labels labels = label_first(&settings, &m, 1);
  assert_int_equal(labels.count, 1);
  assert_int_equal(labels.event_bar[0], 0);
  assert_int_equal(labels.event_time[0],
                   MARKET_START + 3 * MARKET_SECOND); /* the bar's close, not its open */
  assert_int_equal(labels.entry_price[0], 1002);
  assert_int_equal(labels.target_level[0], 1010);
  assert_int_equal(labels.stop_level[0], 992);
  assert_int_equal(labels.outcome[0], FMLP_EXIT_TARGET);
  assert_int_equal(labels.end_bar[0], 2);
  assert_int_equal(labels.exit_tick[0], 10);
  assert_int_equal(labels.end_time[0], MARKET_START + 10 * MARKET_SECOND);
  assert_int_equal(labels.exit_price[0], 1010); /* the level, though the tick is at 1013 */
  assert_true(labels.pnl_points[0] == 8.0);
  assert_int_equal(labels.label[0], 1);
  assert_int_equal(labels.usable[0], 1);
  assert_true(labels.weight[0] == 1.0);
  fmlp_labels_release(&labels);
  market_release(&m);
}

static void a_stop_fills_at_the_price_of_the_tick_that_crossed(void **state) {
  (void)state;
  const int32_t bids[][TICKS] = {
      {1000, 900, 1100, 1000}, {1003, 995, 993, 1004}, {1000, 987, 985, 1002}, {1000, 1000, 1000, 1000}};
  market m;
  market_of(&m, bids, 4);
  fmlp_settings settings = plain_settings();
  fmlp_labels labels = label_first(&settings, &m, 1); /* what bar 0 touched does not count */
  assert_int_equal(labels.outcome[0], FMLP_EXIT_STOP);
  assert_int_equal(labels.end_bar[0], 2);
  assert_int_equal(labels.exit_tick[0], 9);
  assert_int_equal(labels.exit_price[0], 987);
  assert_true(labels.pnl_points[0] == -15.0);
  assert_int_equal(labels.label[0], -1);
  fmlp_labels_release(&labels);
  market_release(&m);
}

static void a_short_reads_the_ask_mirrored(void **state) {
  (void)state;
  const int32_t bids[][TICKS] = {
      {1000, 1000, 1000, 1000}, {1003, 1007, 993, 1000}, {1000, 992, 991, 1002}, {1009, 1012, 1000, 1000}};
  market m;
  market_of(&m, bids, 4);
  fmlp_settings settings = plain_settings();
  fmlp_labels labels = label_first(&settings, &m, -1);
  assert_int_equal(labels.entry_price[0], 1000);
  assert_int_equal(labels.target_level[0], 992); /* ask close 1002 - 10 */
  assert_int_equal(labels.stop_level[0], 1010);
  assert_int_equal(labels.outcome[0], FMLP_EXIT_STOP); /* asks 993 .. 1009 until bar 3, then 1011 */
  assert_int_equal(labels.exit_tick[0], 12);
  assert_true(labels.pnl_points[0] == -11.0);
  fmlp_labels_release(&labels);
  settings.labeling.tp_ticks = 9;
  labels = label_first(&settings, &m, -1);
  assert_int_equal(labels.outcome[0], FMLP_EXIT_TARGET); /* touching is a hit: ask 993 in bar 2 */
  assert_int_equal(labels.exit_tick[0], 10);
  assert_true(labels.pnl_points[0] == 7.0);
  fmlp_labels_release(&labels);
  market_release(&m);
}

static void without_a_touch_the_last_bar_allowed_closes_the_label(void **state) {
  (void)state;
  const int32_t bids[][TICKS] = {
      {1000, 1000, 1000, 1000}, {1001, 1002, 1003, 1004}, {1004, 1003, 1005, 1003}, {1009, 1020, 1000, 1000}};
  market m;
  market_of(&m, bids, 4);
  fmlp_settings settings = plain_settings();
  settings.labeling.max_horizon_bars = 2;
  fmlp_labels labels = label_first(&settings, &m, 1);
  assert_int_equal(labels.outcome[0], FMLP_EXIT_TIME);
  assert_int_equal(labels.end_bar[0], 2);
  assert_int_equal(labels.last_bar[0], 2);
  assert_int_equal(labels.exit_tick[0], -1);
  assert_int_equal(labels.end_time[0], m.bars.close_time[2]);
  assert_int_equal(labels.exit_price[0], 1003);
  assert_int_equal(labels.label[0], 1);
  fmlp_labels_release(&labels);
  settings.backtest.slippage_points = 0.5; /* a market order at either end */
  labels = label_first(&settings, &m, 1);
  assert_true(labels.pnl_points[0] == 0.0);
  assert_int_equal(labels.label[0], 0);
  fmlp_labels_release(&labels);
  market_release(&m);
}

static void the_tie_rule_alone_decides_a_bar_that_touches_both(void **state) {
  (void)state;
  const int32_t bids[][TICKS] = {
      {1000, 1000, 1000, 1000}, {991, 1012, 1000, 1000}, {1011, 990, 1012, 1000}, {1000, 1000, 1000, 1000}};
  market m;
  market_of(&m, bids, 4);
  fmlp_settings settings = plain_settings();
  const struct {
    int64_t bar;
    fmlp_tie_rule tie;
    int outcome;
    int64_t tick;
  } cases[] = {{0, FMLP_TIE_TICKS, -1, 4},
               {1, FMLP_TIE_TICKS, 1, 8},
               {0, FMLP_TIE_TP_FIRST, 1, 5},
               {1, FMLP_TIE_SL_FIRST, -1, 9},
               {0, FMLP_TIE_SL_FIRST, -1, 4}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    settings.labeling.tie = cases[c].tie;
    int64_t bar = cases[c].bar;
    int8_t side = 1;
    fmlp_labels labels = label_events(&settings, &always_open, &m, NULL, 1, &bar, &side);
    assert_int_equal(labels.outcome[0], cases[c].outcome);
    assert_int_equal(labels.exit_tick[0], cases[c].tick);
    assert_int_equal(labels.ties, 1);
    fmlp_labels_release(&labels);
  }
  settings.labeling.tie = FMLP_TIE_TICKS;
  settings.labeling.exit_at = FMLP_EXIT_AT_CLOSE;
  fmlp_labels labels = label_first(&settings, &m, 1);
  assert_int_equal(labels.outcome[0], FMLP_EXIT_STOP);
  assert_int_equal(labels.exit_price[0], 1000); /* the exit bar's close */
  assert_int_equal(labels.end_time[0], m.bars.close_time[1]);
  assert_int_equal(labels.exit_tick[0], -1);
  fmlp_labels_release(&labels);
  market_release(&m);
}

static void costs_are_commission_of_both_sides_and_slippage_per_market_fill(void **state) {
  (void)state;
  fmlp_backtest_settings costs = {
      .contract_size = 100000.0, .commission_per_lot = 3.5, .slippage_points = 1.0};
  /* one point of a lot is 1.0 money; 2 * 3.5 money are 7 points */
  assert_true(fmlp_label_pnl(&costs, MARKET_SCALE, 1, 1000, 1050, false) == 50.0 - 7.0 - 1.0);
  assert_true(fmlp_label_pnl(&costs, MARKET_SCALE, 1, 1000, 1050, true) == 50.0 - 7.0 - 2.0);
  assert_true(fmlp_label_pnl(&costs, MARKET_SCALE, -1, 1000, 1050, true) == -50.0 - 7.0 - 2.0);
  costs.contract_size = 50.0; /* a future of 50 units quoted in steps of 0.25: 12.5 money a point */
  assert_true(fmlp_label_pnl(&costs, (fmlp_scale){25, 2}, 1, 8, 8, true) == -7.0 / 12.5 - 2.0);
  costs = (fmlp_backtest_settings){.contract_size = 1.0};
  assert_true(fmlp_label_pnl(&costs, MARKET_SCALE, 1, INT32_MIN, INT32_MAX, true) == 4294967295.0);
}

static void events_without_room_or_distance_are_counted_not_labelled(void **state) {
  (void)state;
  market m;
  market_make(&m, 3, 400, 4, false);
  fmlp_settings settings = plain_settings();
  settings.labeling.distance_mode = FMLP_DISTANCE_VOLATILITY;
  settings.labeling.volatility_window = 20;
  settings.labeling.tp_multiple = settings.labeling.sl_multiple = 2.0;
  settings.labeling.min_horizon_bars = 3;
  int64_t bars[200];
  int8_t sides[200];
  for (int e = 0; e < 200; e++) {
    bars[e] = e / 2;
    sides[e] = e % 2 ? -1 : 1;
  }
  fmlp_labels labels = label_events(&settings, &always_open, &m, NULL, 200, bars, sides);
  assert_int_equal(labels.no_distance, 2 * 20); /* ret_1 of bar 0 is NaN, so 20 returns end at bar 20 */
  assert_int_equal(labels.no_room, 2 * 3);      /* bars 97, 98 and 99 of 100 */
  assert_int_equal(labels.count, 200 - 40 - 6);
  for (int64_t row = 0; row < labels.count; row++) {
    assert_int_equal(labels.side[row], row % 2 ? -1 : 1); /* long first */
    assert_int_equal(labels.event_bar[row], 20 + row / 2);
  }
  fmlp_labels_release(&labels);
  settings.labeling.volatility_window = 100;
  const fmlp_events events = {200, bars, sides};
  fmlp_error error = {""};
  assert_int_equal(
      fmlp_labels_make(&settings, &always_open, &m.bars, &m.source, NULL, &events, &compute, &labels, &error),
      FMLP_ERR_INPUT);
  assert_non_null(strstr(error.text, "200 without a distance"));
  assert_int_equal(labels.count, 0);
  market_release(&m);
}

static void distances_are_at_least_a_point_and_levels_saturate(void **state) {
  (void)state;
  market m;
  market_of(&m, rising, 4);
  fmlp_settings settings = plain_settings();
  settings.labeling.tp_ticks = INT64_MAX;
  settings.labeling.sl_ticks = 0;
  for (int8_t side = 1; side >= -1; side = (int8_t)(side - 2)) {
    fmlp_labels labels = label_first(&settings, &m, side);
    assert_int_equal(labels.target_level[0], side > 0 ? INT32_MAX : 1002 - INT32_MAX);
    assert_int_equal(labels.stop_level[0], side > 0 ? 999 : 1003);
    fmlp_labels_release(&labels);
  }
  market_release(&m);
}

#define FLAT                                                                                                 \
  { 1000, 1000, 1000, 1000 }

/* New York, 09:30 to 16:00, around the change to summer time on Sunday 2014-03-09. */
static void the_session_deadline_is_exact_across_a_change_of_clocks(void **state) {
  (void)state;
  const fmlp_session_settings session = {.timezone = "America/New_York",
                                         .session_start = 9 * 60 + 30,
                                         .session_end = 16 * 60,
                                         .friday_end = 16 * 60};
  const int64_t hour = 3600 * MARKET_SECOND, friday = MARKET_START, monday = MARKET_START + 72 * hour;
  fmlp_calendar calendar;
  fmlp_error error = {""};
  assert_int_equal(fmlp_calendar_build(&session, friday, monday + 24 * hour, &calendar, &error), FMLP_OK);
  market m;
  enum { BARS = 8 };
  const int32_t flat[BARS][TICKS] = {FLAT, FLAT, FLAT, FLAT, FLAT, FLAT, FLAT, FLAT};
  market_of(&m, flat, BARS);
  /* Friday closes at 21:00 UTC (winter), Monday at 20:00 UTC (summer). */
  const int64_t closes[BARS] = {friday + 20 * hour,     friday + 21 * hour - 2, friday + 21 * hour - 1,
                                friday + 21 * hour,     monday + 13 * hour,     monday + 14 * hour,
                                monday + 20 * hour - 1, monday + 20 * hour};
  memcpy(m.bars.close_time, closes, sizeof closes);
  fmlp_settings settings = plain_settings();
  settings.labeling.max_horizon_bars = 100;
  int64_t bars[] = {0, 1, 2, 3, 4, 5, 6};
  int8_t sides[] = {1, 1, 1, 1, 1, 1, 1};
  fmlp_labels labels = label_events(&settings, &calendar, &m, NULL, 7, bars, sides);
  /* Bars 2 and 6 are their sessions' last. Bar 3 closes when the session has ended and bar 4 before it opens:
   * their deadline is the next session's end. */
  const int64_t events[] = {0, 1, 3, 4, 5}, last[] = {2, 2, 6, 6, 6};
  assert_int_equal(labels.count, 5);
  assert_int_equal(labels.no_room, 2);
  for (int row = 0; row < 5; row++) {
    assert_int_equal(labels.event_bar[row], events[row]);
    assert_int_equal(labels.last_bar[row], last[row]);
    assert_int_equal(labels.end_bar[row], last[row]);
    assert_int_equal(labels.deadline[row], row < 2 ? friday + 21 * hour : monday + 20 * hour);
  }
  fmlp_labels_release(&labels);
  fmlp_calendar_release(&calendar);
  market_release(&m);
}

static void a_row_is_usable_where_no_model_input_is_nan(void **state) {
  (void)state;
  market m;
  market_of(&m, rising, 4);
  fmlp_settings settings = plain_settings();
  double warming[] = {NAN, 1.0, 2.0, 3.0}, excluded[] = {1.0, NAN, NAN, NAN};
  double *columns[] = {warming, excluded};
  bool model_input[] = {true, false};
  const fmlp_features features = {.rows = 4, .count = 2, .columns = columns, .model_input = model_input};
  int64_t bars[] = {0, 1, 2};
  int8_t sides[] = {1, 1, -1};
  fmlp_labels labels = label_events(&settings, &always_open, &m, &features, 3, bars, sides);
  assert_int_equal(labels.count, 3);
  assert_int_equal(labels.usable[0], 0);
  assert_int_equal(labels.usable[1], 1);
  assert_int_equal(labels.usable[2], 1);
  assert_int_equal(labels.not_usable, 1);
  fmlp_labels_release(&labels);
  market_release(&m);
}

static void ticks_of_other_bars_are_an_error_not_a_guess(void **state) {
  (void)state;
  market m;
  market_of(&m, rising, 4);
  for (int t = 4; t < 16; t++) m.ticks.bid[t] = 1000;
  fmlp_settings settings = plain_settings();
  int64_t bar = 0;
  int8_t side = 1;
  const fmlp_events events = {1, &bar, &side};
  fmlp_labels labels;
  fmlp_error error = {""};
  assert_int_equal(
      fmlp_labels_make(&settings, &always_open, &m.bars, &m.source, NULL, &events, &compute, &labels, &error),
      FMLP_ERR_INPUT);
  assert_non_null(strstr(error.text, "bar 2"));
  market_release(&m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_long_enters_at_the_ask_and_leaves_at_the_target_level),
      cmocka_unit_test(a_stop_fills_at_the_price_of_the_tick_that_crossed),
      cmocka_unit_test(a_short_reads_the_ask_mirrored),
      cmocka_unit_test(without_a_touch_the_last_bar_allowed_closes_the_label),
      cmocka_unit_test(the_tie_rule_alone_decides_a_bar_that_touches_both),
      cmocka_unit_test(costs_are_commission_of_both_sides_and_slippage_per_market_fill),
      cmocka_unit_test(events_without_room_or_distance_are_counted_not_labelled),
      cmocka_unit_test(distances_are_at_least_a_point_and_levels_saturate),
      cmocka_unit_test(the_session_deadline_is_exact_across_a_change_of_clocks),
      cmocka_unit_test(a_row_is_usable_where_no_model_input_is_nan),
      cmocka_unit_test(ticks_of_other_bars_are_an_error_not_a_guess),
  };
  return RUN_ON_EACH_BACKEND(tests);
}
