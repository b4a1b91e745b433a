/* The backtest against a loop over all ticks: every trade and every equity row, equal bits, on random
 * markets. */
#include "tests/unit/backtest_fixture.h"

#include "common/core/bits.h"
#include "common/stages/backtest_ticks.h"

typedef struct naive_position {
  int64_t row, entry, limit, exit;
  double entry_points, exit_points, size, pnl, costs, before;
  int reason, used;
} naive_position;

static uint64_t random_state;

static int64_t random_below(int64_t n) {
  random_state = random_state * 6364136223846793005u + 1442695040888963407u;
  return (int64_t)((random_state >> 33) % (uint64_t)n);
}

static double naive_money(const market *m, int side, double entry, double exit, double size) {
  return (double)side * (exit - entry) * (double)m->bars.price.m /
         (double)fmlp_power_of_ten[m->bars.price.k] * size * m->settings.backtest.contract_size;
}

static int64_t naive_limit(const market *m, int64_t row) {
  const fmlp_labels *l = &m->labels;
  int64_t limit = 0, end = m->bars.last_tick[m->bars.count - 1];
  while (limit < end && m->ticks.time[limit] < l->deadline[row]) limit++;
  bool at_horizon = l->last_bar[row] == l->event_bar[row] + m->settings.labeling.max_horizon_bars;
  int64_t horizon = m->bars.last_tick[l->last_bar[row]];
  return at_horizon && horizon < limit ? horizon : limit;
}

static double naive_size(const market *m, int64_t row, double capital) {
  const fmlp_backtest_settings *s = &m->settings.backtest;
  if (s->sizing == FMLP_SIZING_FIXED) return s->size;
  int64_t bar = m->labels.event_bar[row];
  int64_t stop = m->labels.stop_level[row];
  int64_t distance = m->labels.side[row] > 0 ? m->bars.ask_close[bar] - stop : stop - m->bars.bid_close[bar];
  return s->risk_per_trade * capital /
         (fmlp_decimal(distance < 1 ? 1 : distance, m->bars.price) * s->contract_size);
}

static void naive_signal(const market *m, int64_t row, double capital, naive_position *open, int64_t *count,
                         fmlp_backtest_report *report) {
  const fmlp_backtest_settings *s = &m->settings.backtest;
  int64_t bar = m->labels.event_bar[row];
  int busy = 0;
  for (int64_t k = 0; k < *count; k++) busy += !open[k].used;
  report->signals++;
  if (capital <= 0) {
    report->skipped_ruined++;
  } else if (busy >= s->max_positions) {
    report->skipped_busy++;
  } else if ((double)(m->labels.deadline[row] - m->bars.close_time[bar]) <
             s->min_minutes_to_close * (double)MINUTE) {
    report->skipped_close++;
  } else {
    int64_t limit = naive_limit(m, row), entry = m->bars.last_tick[bar];
    while (entry < limit &&
           (double)m->ticks.time[entry] < (double)m->bars.close_time[bar] + s->latency_ms * 1e6)
      entry++;
    if (entry + 1 >= limit) {
      report->skipped_no_tick++;
      return;
    }
    int side = m->labels.side[row];
    double points =
        side > 0 ? m->ticks.ask[entry] + s->slippage_points : m->ticks.bid[entry] - s->slippage_points;
    naive_position p = {
        .row = row, .entry = entry, .limit = limit, .entry_points = points, .before = capital};
    p.size = naive_size(m, row, capital);
    p.costs = 2 * s->commission_per_lot * p.size;
    open[(*count)++] = p;
  }
}

/* Plays tick by tick; `order` receives the positions in order of exit. */
static fmlp_backtest_report naive_play(const market *m, naive_position *all, int64_t *count, int64_t *order,
                                       double *equity, double *lots) {
  const fmlp_backtest_settings *s = &m->settings.backtest;
  fmlp_backtest_report report = {0};
  double capital = s->initial_capital;
  int64_t exits = 0, bar = 0, next = 0;
  for (int64_t i = 0; i < m->ticks.count && bar < m->bars.count; i++) {
    for (int64_t k = 0; k < *count; k++) {
      naive_position *p = &all[k];
      if (p->used || i <= p->entry) continue;
      int side = m->labels.side[p->row];
      int32_t price = side > 0 ? m->ticks.bid[i] : m->ticks.ask[i];
      int32_t target = m->labels.target_level[p->row], stop = m->labels.stop_level[p->row];
      bool hit = side > 0 ? price >= target : price <= target;
      bool stopped = side > 0 ? price <= stop : price >= stop;
      if (!hit && !stopped && i + 1 < p->limit) continue;
      p->used = 1;
      p->exit = i;
      p->reason = hit ? 1 : stopped ? -1 : 0;
      p->exit_points = hit ? target : price - side * s->slippage_points;
      p->pnl = naive_money(m, side, p->entry_points, p->exit_points, p->size) - p->costs;
      capital += p->pnl;
      order[exits++] = k;
    }
    if (i + 1 != m->bars.last_tick[bar]) continue;
    double open = 0, held = 0;
    for (int64_t k = 0; k < *count; k++) {
      if (all[k].used || all[k].entry > i) continue;
      int side = m->labels.side[all[k].row];
      double now = side > 0 ? m->ticks.bid[i] : m->ticks.ask[i];
      open += naive_money(m, side, all[k].entry_points, now, all[k].size) - 0.5 * all[k].costs;
      held += side * all[k].size;
    }
    equity[bar] = capital + open;
    lots[bar] = held;
    int64_t rows[2], found = 0;
    while (next < m->labels.count && m->labels.event_bar[next] == bar) rows[found++] = next++;
    if (found == 2 && m->predictions.probability[rows[1]] > m->predictions.probability[rows[0]]) {
      int64_t other = rows[0];
      rows[0] = rows[1];
      rows[1] = other;
    }
    for (int64_t r = 0; r < found; r++) {
      if (m->predictions.probability[rows[r]] >= s->threshold) {
        naive_signal(m, rows[r], capital, all, count, &report);
      }
    }
    bar++;
  }
  return report;
}

static market random_market(uint64_t seed) {
  random_state = seed * 77773 + 5;
  enum { TICKS = 3000 };
  market m = market_open(TICKS, 8, 100);
  m.settings.labeling.max_horizon_bars = 1 + random_below(40);
  fmlp_backtest_settings *s = &m.settings.backtest;
  s->max_positions = (int32_t)(random_below(3) ? 1 : 1 + random_below(5));
  s->slippage_points = (double)random_below(3) * 0.5;
  s->commission_per_lot = (double)random_below(2) * 3.5;
  s->latency_ms = random_below(2) ? 0 : (double)random_below(200000);
  s->min_minutes_to_close = (double)random_below(30);
  s->sizing = random_below(2) ? FMLP_SIZING_FIXED : FMLP_SIZING_FIXED_FRACTIONAL;
  s->risk_per_trade = 0.02;
  int64_t time = 0;
  int32_t bid = 5000;
  for (int i = 0; i < TICKS; i++) {
    int64_t session = fmlp_calendar_next(&m.calendar, time);
    if (session >= m.calendar.count) break;
    if (time < m.calendar.open[session]) time = m.calendar.open[session];
    bid += (int32_t)(random_below(7) - 3 + (random_below(50) ? 0 : random_below(61) - 30));
    if (bid < 100) bid = 100;
    market_tick(&m, time, bid, bid + (int32_t)random_below(4));
    time += random_below(3) ? random_below(20) * SECOND : 0;
  }
  market_make_bars(&m, 3 + random_below(30), random_below(2));
  market_make_labels(&m, 2 * m.bars.count);
  for (int64_t b = 0; b + 1 < m.bars.count; b++) {
    for (int side = 1; side >= -1; side -= 2) {
      if (random_below(3) == 0) continue;
      int64_t close = m.calendar.close[fmlp_calendar_next(&m.calendar, m.bars.close_time[b])];
      if (m.bars.close_time[b + 1] >= close) continue; /* no bar left: no label */
      int32_t near = side > 0 ? m.bars.bid_close[b] : m.bars.ask_close[b];
      int32_t target = near + side * (int32_t)(1 + random_below(40));
      int32_t stop = near - side * (int32_t)(1 + random_below(40));
      market_signal(&m, b, side, target, stop, (double)random_below(5) * 0.25);
    }
  }
  return m;
}

static void assert_same_bits(double a, double b, const char *what, uint64_t seed, int64_t row) {
  if (fmlp_bits_of(a) != fmlp_bits_of(b)) {
    fail_msg("%s[%d] is %a, the loop over ticks says %a (seed %d)", what, (int)row, a, b, (int)seed);
  }
}

static void every_trade_and_every_equity_row_equals_a_loop_over_all_ticks(void **state) {
  (void)state;
  int64_t played = 0, reasons[3] = {0}, skipped[4] = {0};
  for (uint64_t seed = 0; seed < 300; seed++) {
    market m = random_market(seed);
    if (m.bars.count == 0) {
      market_close(&m);
      continue;
    }
    naive_position *all = market_block(m.labels.count + 1, sizeof *all);
    int64_t *order = market_block(m.labels.count + 1, sizeof *order), count = 0;
    double *equity = market_block(m.bars.count, 8), *lots = market_block(m.bars.count, 8);
    fmlp_backtest_report report = naive_play(&m, all, &count, order, equity, lots);
    outcome r = play(&m);
    assert_int_equal(r.report.signals, report.signals);
    assert_int_equal(r.report.skipped_busy, report.skipped_busy);
    assert_int_equal(r.report.skipped_close, report.skipped_close);
    assert_int_equal(r.report.skipped_no_tick, report.skipped_no_tick);
    assert_int_equal(r.report.skipped_ruined, report.skipped_ruined);
    assert_int_equal(r.trades.count, count);
    for (int64_t i = 0; i < count; i++) {
      const naive_position *p = &all[order[i]];
      assert_int_equal(r.trades.label_row[i], p->row);
      assert_int_equal(r.trades.entry_time[i], m.ticks.time[p->entry]);
      assert_int_equal(r.trades.exit_time[i], m.ticks.time[p->exit]);
      assert_int_equal(r.trades.reason[i], p->reason);
      assert_same_bits(r.trades.pnl[i], p->pnl, "pnl", seed, i);
      assert_same_bits(r.trades.size[i], p->size, "size", seed, i);
      assert_same_bits(r.trades.capital_before[i], p->before, "capital_before", seed, i);
      reasons[p->reason + 1]++;
    }
    for (int64_t b = 0; b < m.bars.count; b++) {
      assert_same_bits(r.equity.equity[b], equity[b], "equity", seed, b);
      assert_same_bits(r.equity.position[b], lots[b], "position", seed, b);
    }
    played += count;
    skipped[0] += report.skipped_busy;
    skipped[1] += report.skipped_close;
    skipped[2] += report.skipped_no_tick;
    fmlp_free(all);
    fmlp_free(order);
    fmlp_free(equity);
    fmlp_free(lots);
    done(&m, &r);
  }
  assert_true(played > 5000); /* the draw reached every branch */
  for (int i = 0; i < 3; i++) assert_true(reasons[i] > 100 && skipped[i] > 100);
}

/* A source that hands out less than asked for windows it never keeps: what a file-backed one may do. */
typedef struct moving_source {
  fmlp_tick_source inner;
  int64_t time[FMLP_TICK_WINDOW];
  int32_t bid[FMLP_TICK_WINDOW], ask[FMLP_TICK_WINDOW];
  int64_t widest;
} moving_source;

static fmlp_status moving_view(void *state, int64_t first, int64_t last, fmlp_tick_block *block,
                               fmlp_error *error) {
  moving_source *self = state;
  if (last - first > self->widest) self->widest = last - first;
  assert_true(last - first <= FMLP_TICK_WINDOW);
  fmlp_tick_block whole;
  FMLP_TRY(self->inner.view(self->inner.state, first, last, &whole, error));
  memset(self->time, 0x7f, sizeof self->time);
  memcpy(self->time, whole.time, (size_t)whole.count * 8);
  memcpy(self->bid, whole.bid, (size_t)whole.count * 4);
  memcpy(self->ask, whole.ask, (size_t)whole.count * 4);
  *block = (fmlp_tick_block){
      .first = whole.first, .count = whole.count, .time = self->time, .bid = self->bid, .ask = self->ask};
  return FMLP_OK;
}

static void a_source_with_one_moving_window_gives_the_same_trades(void **state) {
  (void)state;
  moving_source *moving = market_block(1, sizeof *moving);
  for (uint64_t seed = 1000; seed < 1020; seed++) {
    market m = random_market(seed);
    outcome whole = play(&m), moved;
    fmlp_error error = {""};
    moving->inner = fmlp_ticks_source(&m.ticks);
    fmlp_tick_source source = moving->inner;
    source.state = moving;
    source.view = moving_view;
    assert_int_equal(fmlp_backtest_run(&m.settings, &m.calendar, &m.bars, &source, &m.labels, &m.predictions,
                                       0, &moved.trades, &moved.equity, &moved.report, &error),
                     FMLP_OK);
    assert_int_equal(moved.trades.count, whole.trades.count);
    assert_memory_equal(moved.trades.pnl, whole.trades.pnl, (size_t)whole.trades.count * 8);
    assert_memory_equal(moved.equity.equity, whole.equity.equity, (size_t)whole.equity.count * 8);
    fmlp_trades_release(&moved.trades);
    fmlp_equity_release(&moved.equity);
    done(&m, &whole);
  }
  fmlp_free(moving);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_trade_and_every_equity_row_equals_a_loop_over_all_ticks),
      cmocka_unit_test(a_source_with_one_moving_window_gives_the_same_trades),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
