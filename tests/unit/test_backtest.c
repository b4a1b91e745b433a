/* The backtest: each rule by hand. */
#include "tests/unit/backtest_fixture.h"

#include <math.h>

#include "common/io/csv.h"

/* Twenty ticks, a second apart, spread 2, bars of five: bar b ends with tick 5b + 4. All bids are 1000. */
static market quiet_market(void) {
  market m = market_open(100, 2, 60);
  for (int i = 0; i < 20; i++) market_tick(&m, i * SECOND, 1000, 1002);
  return m;
}

static market ready(market m) {
  market_make_bars(&m, 5, true);
  market_make_labels(&m, 10);
  return m;
}

static void set_bid(market *m, int64_t tick, int32_t bid) {
  m->ticks.bid[tick] = bid;
  m->ticks.ask[tick] = bid + 2;
}

static void a_long_enters_at_the_ask_of_the_next_tick_and_its_target_fills_at_the_level(void **state) {
  (void)state;
  market m = quiet_market();
  set_bid(&m, 5, 1003);
  set_bid(&m, 12, 1050); /* beyond the target: still filled at the level */
  m = ready(m);
  m.settings.backtest.slippage_points = 1;
  m.settings.backtest.commission_per_lot = 3.5;
  market_signal(&m, 0, 1, 1040, 900, 0.7);
  outcome r = play(&m);
  assert_int_equal(r.trades.count, 1);
  assert_int_equal(r.trades.entry_time[0], 5 * SECOND);
  assert_true(r.trades.entry_price[0] == 0.01006); /* ask 1005, one point of slippage */
  assert_int_equal(r.trades.exit_time[0], 12 * SECOND);
  assert_true(r.trades.exit_price[0] == 0.0104);
  assert_int_equal(r.trades.reason[0], FMLP_EXIT_TARGET);
  assert_true(fabs(r.trades.costs[0] - 0.7) < 1e-15);
  assert_true(fabs(r.trades.pnl[0] - (0.00034 * 0.1 * 100000 - 0.7)) < 1e-12);
  assert_true(r.trades.capital_before[0] == 10000);
  assert_int_equal(r.trades.day[0], 0);
  /* Bars 0..3: before, open (bid 1000, entry 1006, half the commission), closed, closed. */
  assert_true(r.equity.equity[0] == 10000 && r.equity.position[0] == 0);
  assert_true(fabs(r.equity.equity[1] - (10000 - 0.6 - 0.35)) < 1e-9 && r.equity.position[1] == 0.1);
  assert_true(r.equity.equity[2] == 10000 + r.trades.pnl[0] && r.equity.position[2] == 0);
  assert_true(r.equity.drawdown[1] > 9.4e-5 && r.equity.drawdown[1] < 9.6e-5 && r.equity.drawdown[2] == 0);
  done(&m, &r);
}

static void a_short_is_the_mirror(void **state) {
  (void)state;
  market m = quiet_market();
  set_bid(&m, 9, 1040); /* ask 1042: at the stop or beyond */
  m = ready(m);
  m.settings.backtest.slippage_points = 2;
  market_signal(&m, 0, -1, 950, 1041, 0.7);
  outcome r = play(&m);
  assert_true(r.trades.entry_price[0] == 0.00998);
  assert_int_equal(r.trades.reason[0], FMLP_EXIT_STOP);
  assert_true(r.trades.exit_price[0] == 0.01044);
  assert_true(fabs(r.trades.pnl[0] + 4.6) < 1e-12);
  done(&m, &r);
}

static void a_gap_through_the_stop_fills_at_the_tick_not_at_the_level(void **state) {
  (void)state;
  market m = quiet_market();
  set_bid(&m, 7, 900);
  m = ready(m);
  m.settings.backtest.slippage_points = 1;
  market_signal(&m, 0, 1, 1100, 980, 0.7);
  outcome r = play(&m);
  assert_int_equal(r.trades.exit_time[0], 7 * SECOND);
  assert_true(r.trades.exit_price[0] == 0.00899);
  done(&m, &r);
}

static void touching_a_level_is_enough_and_one_point_short_is_not(void **state) {
  (void)state;
  for (int touch = 0; touch < 2; touch++) {
    market m = quiet_market();
    set_bid(&m, 8, 981 - touch);
    set_bid(&m, 9, 1019 + touch);
    m = ready(m);
    market_signal(&m, 0, 1, 1020, 980, 0.7);
    outcome r = play(&m);
    assert_int_equal(r.trades.reason[0], touch ? FMLP_EXIT_STOP : FMLP_EXIT_TIME);
    done(&m, &r);
  }
}

static void the_signals_own_tick_never_fills_even_when_the_next_one_has_the_same_time(void **state) {
  (void)state;
  market m = quiet_market();
  m.ticks.time[5] = m.ticks.time[4]; /* same stamp as the bar's last tick, but a tick of its own */
  set_bid(&m, 4, 990);
  set_bid(&m, 5, 1010);
  m = ready(m);
  market_signal(&m, 0, 1, 2000, 1, 0.7);
  outcome r = play(&m);
  assert_int_equal(r.trades.entry_time[0], 4 * SECOND);
  assert_true(r.trades.entry_price[0] == 0.01012);
  done(&m, &r);
}

static void latency_moves_the_entry_to_the_first_tick_at_or_after_it(void **state) {
  (void)state;
  const struct {
    double latency_ms;
    int tick;
  } cases[] = {{0, 5}, {0.001, 5}, {1000, 5}, {1000.001, 6}, {3000, 7}, {3500, 8}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    market m = ready(quiet_market());
    m.settings.backtest.latency_ms = cases[c].latency_ms;
    market_signal(&m, 0, 1, 2000, 1, 0.7);
    outcome r = play(&m);
    assert_int_equal(r.trades.entry_time[0], cases[c].tick * SECOND);
    done(&m, &r);
  }
}

static void levels_beyond_the_market_at_the_entry_are_met_at_the_next_tick(void **state) {
  (void)state;
  market m = quiet_market();
  set_bid(&m, 5, 900); /* entry tick already below the stop ... */
  set_bid(&m, 6, 910); /* ... so it goes at the next one's price */
  m = ready(m);
  market_signal(&m, 0, 1, 1100, 980, 0.7);
  outcome r = play(&m);
  assert_int_equal(r.trades.entry_time[0], 5 * SECOND);
  assert_int_equal(r.trades.exit_time[0], 6 * SECOND);
  assert_int_equal(r.trades.reason[0], FMLP_EXIT_STOP);
  assert_true(r.trades.exit_price[0] == 0.0091);
  done(&m, &r);
}

static void the_horizon_ends_a_position_at_the_last_tick_of_its_last_bar(void **state) {
  (void)state;
  market m = quiet_market();
  set_bid(&m, 14, 1007);
  m = ready(m);
  m.settings.labeling.max_horizon_bars = 2;
  m.settings.backtest.slippage_points = 1;
  market_signal(&m, 0, 1, 2000, 1, 0.7);
  outcome r = play(&m);
  assert_int_equal(r.trades.reason[0], FMLP_EXIT_TIME);
  assert_int_equal(r.trades.exit_time[0], 14 * SECOND);
  assert_true(r.trades.exit_price[0] == 0.01006);
  done(&m, &r);
}

/* Ticks 0..11 in the first session, 12.. in the next day's; the tail 10..11 is a bar or not. */
static market two_days(bool keep_tail) {
  market m = market_open(100, 2, 60);
  for (int i = 0; i < 12; i++) market_tick(&m, i * 5 * MINUTE, 1000 + i, 1002 + i);
  for (int i = 0; i < 12; i++) market_tick(&m, 1440 * MINUTE + i * SECOND, 5000, 5002);
  market_make_bars(&m, 5, keep_tail);
  market_make_labels(&m, 10);
  return m;
}

static void no_position_survives_the_end_of_its_session(void **state) {
  (void)state;
  for (int keep = 0; keep < 2; keep++) {
    market m = two_days(keep);
    market_signal(&m, 0, 1, 4000, 1, 0.7);
    outcome r = play(&m);
    assert_int_equal(r.trades.exit_time[0], 55 * MINUTE); /* tick 11, in no bar when tails are dropped */
    assert_true(r.trades.exit_price[0] == 0.01011);
    assert_int_equal(r.trades.day[0], 0);
    done(&m, &r);
  }
}

static void a_signal_needs_time_on_the_clock(void **state) {
  (void)state;
  for (int enough = 0; enough < 2; enough++) {
    market m = two_days(true);
    m.settings.backtest.min_minutes_to_close = enough ? 40 : 40.0001; /* bar 0 closes at minute 20 of 60 */
    market_signal(&m, 0, 1, 4000, 1, 0.7);
    outcome r = play(&m);
    assert_int_equal(r.trades.count, enough);
    assert_int_equal(r.report.skipped_close, !enough);
    done(&m, &r);
  }
}

static void a_signal_without_a_tick_before_the_close_is_counted(void **state) {
  (void)state;
  market m = two_days(true);
  market_signal(&m, 2, 1, 9000, 1, 0.7); /* bar 2 is the tail: the next tick is tomorrow's */
  outcome r = play(&m);
  assert_int_equal(r.report.signals, 1);
  assert_int_equal(r.report.skipped_no_tick, 1);
  assert_int_equal(r.trades.count, 0);
  for (int64_t b = 0; b < r.equity.count; b++) assert_true(r.equity.equity[b] == 10000);
  done(&m, &r);
}

static void a_busy_account_skips_and_a_second_position_is_allowed_when_asked_for(void **state) {
  (void)state;
  for (int positions = 1; positions <= 2; positions++) {
    market m = quiet_market();
    set_bid(&m, 13, 1100);
    m = ready(m);
    m.settings.backtest.max_positions = positions;
    market_signal(&m, 0, 1, 2000, 1, 0.7);
    market_signal(&m, 1, 1, 1050, 1, 0.7); /* opened later, closed earlier */
    outcome r = play(&m);
    assert_int_equal(r.trades.count, positions);
    assert_int_equal(r.report.skipped_busy, 2 - positions);
    if (positions == 2) { /* in order of exit */
      assert_int_equal(r.trades.label_row[0], 1);
      assert_int_equal(r.trades.label_row[1], 0);
      assert_true(r.equity.position[1] == 0.1 && r.equity.position[2] == 0.1 && r.equity.position[3] == 0);
    }
    done(&m, &r);
  }
}

static void of_two_sides_the_more_probable_goes_first(void **state) {
  (void)state;
  const struct {
    double long_p, short_p;
    int side;
  } cases[] = {{0.6, 0.7, -1}, {0.7, 0.6, 1}, {0.7, 0.7, 1}, {0.4, 0.6, -1}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    market m = ready(quiet_market());
    market_signal(&m, 0, 1, 2000, 1, cases[c].long_p);
    market_signal(&m, 0, -1, 1, 2000, cases[c].short_p);
    outcome r = play(&m);
    assert_int_equal(r.trades.count, 1);
    assert_int_equal(r.trades.side[0], cases[c].side);
    done(&m, &r);
  }
}

static void the_threshold_is_inclusive(void **state) {
  (void)state;
  market m = ready(quiet_market());
  market_signal(&m, 0, 1, 2000, 1, 0.49999999);
  market_signal(&m, 1, 1, 2000, 1, 0.5);
  outcome r = play(&m);
  assert_int_equal(r.report.signals, 1);
  assert_int_equal(r.trades.label_row[0], 1);
  assert_int_equal(r.report.predictions, 2);
  assert_int_equal(r.report.first_bar, 0);
  assert_int_equal(r.report.last_bar, 3);
  done(&m, &r);
}

static void fixed_fractional_sizes_lose_the_asked_share_at_the_stop(void **state) {
  (void)state;
  market m = quiet_market();
  set_bid(&m, 7, 982);
  m = ready(m);
  m.settings.backtest.sizing = FMLP_SIZING_FIXED_FRACTIONAL;
  m.settings.backtest.risk_per_trade = 0.01;
  market_signal(&m, 0, 1, 2000, 982, 0.7); /* ask 1002 - stop 982: 20 points */
  market_signal(&m, 1, -1, 1, 1015, 0.7);  /* stop 1015 - bid 1000: 15 points */
  outcome r = play(&m);
  assert_true(fabs(r.trades.size[0] - 100.0 / (0.0002 * 100000)) < 1e-9);
  assert_true(fabs(r.trades.pnl[0] + 100.0) < 1e-9);
  assert_true(fabs(r.trades.size[1] - 99.0 / (0.00015 * 100000)) < 1e-9);
  assert_true(r.trades.capital_before[1] == 10000 + r.trades.pnl[0]);
  done(&m, &r);
}

static void a_ruined_account_stops_trading(void **state) {
  (void)state;
  market m = quiet_market();
  set_bid(&m, 7, 500);
  m = ready(m);
  m.settings.backtest.size = 1000;
  market_signal(&m, 0, 1, 2000, 900, 0.7);
  market_signal(&m, 1, 1, 2000, 900, 0.7);
  outcome r = play(&m);
  assert_int_equal(r.trades.count, 1);
  assert_true(r.trades.pnl[0] < -10000);
  assert_int_equal(r.report.skipped_ruined, 1);
  assert_true(r.equity.drawdown[3] > 1);
  done(&m, &r);
}

static void a_path_without_predictions_gives_flat_equity_and_no_trade(void **state) {
  (void)state;
  market m = ready(quiet_market());
  outcome r = play(&m);
  assert_int_equal(r.trades.count, 0);
  assert_int_equal(r.equity.count, 4);
  assert_int_equal(r.report.first_bar, -1);
  fmlp_text text = {0};
  fmlp_csv_trades(&r.trades, &text);
  assert_string_equal(text.bytes, "entry_time,exit_time,side,size,entry_price,exit_price,reason,costs,pnl\n");
  fmlp_text_release(&text);
  done(&m, &r);
}

static void every_allocation_failure_leaves_empty_tables(void **state) {
  (void)state;
  market m = ready(quiet_market());
  market_signal(&m, 0, 1, 2000, 1, 0.7);
  fmlp_tick_source source = fmlp_ticks_source(&m.ticks);
  bool failed = true;
  for (int64_t nth = 1; failed; nth++) {
    outcome r;
    fmlp_error error = {""};
    fmlp_memory_fail_at(nth);
    fmlp_status status = fmlp_backtest_run(&m.settings, &m.calendar, &m.bars, &source, &m.labels,
                                           &m.predictions, 0, &r.trades, &r.equity, &r.report, &error);
    fmlp_memory_fail_at(0);
    failed = status != FMLP_OK;
    if (failed) assert_true(r.trades.pnl == NULL && r.equity.equity == NULL && r.trades.count == 0);
    fmlp_trades_release(&r.trades);
    fmlp_equity_release(&r.equity);
  }
  market_close(&m);
}

static void csv_rows_read_back_exactly(void **state) {
  (void)state;
  market m = quiet_market();
  for (int64_t i = 0; i < m.ticks.count; i++) m.ticks.time[i] += INT64_C(1398920400123000000);
  fmlp_free(m.calendar.open); /* a session around 2014-05-01 */
  m.calendar.open = market_block(2, 8);
  m.calendar.close[0] = INT64_C(1398981300) * SECOND;
  m.calendar.close[1] = m.calendar.close[0] + 1440 * MINUTE;
  m = ready(m);
  m.settings.backtest.commission_per_lot = 3.5;
  market_signal(&m, 0, 1, 2000, 1, 0.7);
  outcome r = play(&m);
  fmlp_text text = {0};
  fmlp_csv_trades(&r.trades, &text);
  fmlp_csv_equity(&r.equity, &text);
  const char *expected = "entry_time,exit_time,side,size,entry_price,exit_price,reason,costs,pnl\n"
                         "2014-05-01T05:00:05.123000000Z,2014-05-01T05:00:19.123000000Z,long,0.1,0.01002,0."
                         "01,time,0.7000000000000001,";
  assert_memory_equal(text.bytes, expected, strlen(expected));
  const char *pnl = text.bytes + strlen(expected);
  assert_true(strtod(pnl, NULL) == r.trades.pnl[0]);
  assert_non_null(
      strstr(text.bytes, "\ntime,equity,drawdown,position\n2014-05-01T05:00:04.123000000Z,10000,0,0\n"));
  fmlp_text_release(&text);
  done(&m, &r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_long_enters_at_the_ask_of_the_next_tick_and_its_target_fills_at_the_level),
      cmocka_unit_test(a_short_is_the_mirror),
      cmocka_unit_test(a_gap_through_the_stop_fills_at_the_tick_not_at_the_level),
      cmocka_unit_test(touching_a_level_is_enough_and_one_point_short_is_not),
      cmocka_unit_test(the_signals_own_tick_never_fills_even_when_the_next_one_has_the_same_time),
      cmocka_unit_test(latency_moves_the_entry_to_the_first_tick_at_or_after_it),
      cmocka_unit_test(levels_beyond_the_market_at_the_entry_are_met_at_the_next_tick),
      cmocka_unit_test(the_horizon_ends_a_position_at_the_last_tick_of_its_last_bar),
      cmocka_unit_test(no_position_survives_the_end_of_its_session),
      cmocka_unit_test(a_signal_needs_time_on_the_clock),
      cmocka_unit_test(a_signal_without_a_tick_before_the_close_is_counted),
      cmocka_unit_test(a_busy_account_skips_and_a_second_position_is_allowed_when_asked_for),
      cmocka_unit_test(of_two_sides_the_more_probable_goes_first),
      cmocka_unit_test(the_threshold_is_inclusive),
      cmocka_unit_test(fixed_fractional_sizes_lose_the_asked_share_at_the_stop),
      cmocka_unit_test(a_ruined_account_stops_trading),
      cmocka_unit_test(a_path_without_predictions_gives_flat_equity_and_no_trade),
      cmocka_unit_test(every_allocation_failure_leaves_empty_tables),
      cmocka_unit_test(csv_rows_read_back_exactly),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
