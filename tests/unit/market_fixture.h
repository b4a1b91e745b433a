/* A small market for tests: ticks, bars of so many ticks inside sessions of so many minutes, hand-made labels
 * and one prediction per label. */
#ifndef FMLP_TESTS_UNIT_MARKET_FIXTURE_H
#define FMLP_TESTS_UNIT_MARKET_FIXTURE_H

#include "tests/cmocka_fmlp.h"

#include <stdlib.h>
#include <string.h>

#include "common/config/settings.h"
#include "common/core/bars.h"
#include "common/core/dataset.h"
#include "common/core/memory.h"
#include "common/core/ticks.h"
#include "common/stages/calendar.h"

#define MINUTE INT64_C(60000000000)
#define SECOND INT64_C(1000000000)

typedef struct market {
  fmlp_ticks ticks;
  fmlp_bars bars;
  fmlp_calendar calendar;
  fmlp_labels labels;
  fmlp_predictions predictions;
  fmlp_settings settings;
} market;

static fmlp_error market_error;

static inline void *market_block(int64_t count, size_t size) {
  void *block = NULL;
  assert_int_equal(fmlp_alloc_zero(&block, count, size, "test", &market_error), FMLP_OK);
  return block;
}

/* Sessions of `minutes` that start every 24 hours from time 0. */
static inline market market_open(int64_t capacity, int64_t sessions, int64_t minutes) {
  market m;
  memset(&m, 0, sizeof m);
  m.ticks.price = (fmlp_scale){1, 5};
  assert_int_equal(fmlp_ticks_reserve(&m.ticks, capacity, false, &market_error), FMLP_OK);
  m.calendar.count = sessions;
  m.calendar.open = market_block(sessions, 8);
  m.calendar.close = market_block(sessions, 8);
  m.calendar.local_day = market_block(sessions, 4);
  for (int64_t s = 0; s < sessions; s++) {
    m.calendar.open[s] = s * 1440 * MINUTE;
    m.calendar.close[s] = m.calendar.open[s] + minutes * MINUTE;
    m.calendar.local_day[s] = (int32_t)s;
  }
  m.settings.labeling.max_horizon_bars = 1000000;
  m.settings.backtest = (fmlp_backtest_settings){.threshold = 0.5,
                                                 .initial_capital = 10000,
                                                 .contract_size = 100000,
                                                 .sizing = FMLP_SIZING_FIXED,
                                                 .size = 0.1,
                                                 .max_positions = 1};
  return m;
}

static inline void market_close(market *m) {
  fmlp_ticks_release(&m->ticks);
  fmlp_bars_release(&m->bars);
  fmlp_labels_release(&m->labels);
  fmlp_predictions_release(&m->predictions);
  fmlp_free(m->calendar.open);
  fmlp_free(m->calendar.close);
  fmlp_free(m->calendar.local_day);
}

static inline void market_tick(market *m, int64_t time, int32_t bid, int32_t ask) {
  int64_t i = m->ticks.count++;
  assert_true(i < m->ticks.capacity);
  m->ticks.time[i] = time;
  m->ticks.bid[i] = bid;
  m->ticks.ask[i] = ask;
}

static inline void market_add_bar(market *m, int64_t first, int64_t last) {
  fmlp_bars *bars = &m->bars;
  int64_t b = bars->count++;
  bars->open_time[b] = m->ticks.time[first];
  bars->close_time[b] = m->ticks.time[last - 1];
  bars->first_tick[b] = first;
  bars->last_tick[b] = last;
  const int32_t *sides[2] = {m->ticks.bid, m->ticks.ask};
  int32_t *columns[2][4] = {{bars->bid_open, bars->bid_high, bars->bid_low, bars->bid_close},
                            {bars->ask_open, bars->ask_high, bars->ask_low, bars->ask_close}};
  for (int s = 0; s < 2; s++) {
    int32_t high = sides[s][first], low = high;
    for (int64_t i = first; i < last; i++) {
      if (sides[s][i] > high) high = sides[s][i];
      if (sides[s][i] < low) low = sides[s][i];
    }
    columns[s][0][b] = sides[s][first];
    columns[s][1][b] = high;
    columns[s][2][b] = low;
    columns[s][3][b] = sides[s][last - 1];
  }
}

/* Bars of `size` ticks that end with their session; the short one at its end is kept or left out. */
static inline void market_make_bars(market *m, int64_t size, bool keep_tail) {
  m->bars.kind = FMLP_QUOTES;
  m->bars.price = m->ticks.price;
  assert_int_equal(fmlp_bars_reserve(&m->bars, m->ticks.count, &market_error), FMLP_OK);
  for (int64_t first = 0; first < m->ticks.count;) {
    int64_t close = m->calendar.close[fmlp_calendar_next(&m->calendar, m->ticks.time[first])];
    int64_t last = first;
    while (last < m->ticks.count && last - first < size && m->ticks.time[last] < close) last++;
    if (last - first == size || (keep_tail && last < m->ticks.count)) market_add_bar(m, first, last);
    first = last;
  }
}

static inline void market_make_labels(market *m, int64_t capacity) {
  fmlp_labels *labels = &m->labels;
  labels->event_bar = market_block(capacity, 8);
  labels->side = market_block(capacity, 1);
  labels->outcome = market_block(capacity, 1);
  labels->target_level = market_block(capacity, 4);
  labels->stop_level = market_block(capacity, 4);
  labels->last_bar = market_block(capacity, 8);
  labels->deadline = market_block(capacity, 8);
  labels->usable = market_block(capacity, 1);
  m->predictions.label_row = market_block(capacity, 8);
  m->predictions.path = market_block(capacity, 8);
  m->predictions.probability = market_block(capacity, 8);
}

/* One label and its prediction; the last bar as the labels stage defines it. */
static inline void market_signal(market *m, int64_t bar, int side, int32_t target, int32_t stop,
                                 double probability) {
  fmlp_labels *labels = &m->labels;
  int64_t row = labels->count++;
  int64_t session = fmlp_calendar_next(&m->calendar, m->bars.close_time[bar]);
  int64_t deadline = m->calendar.close[session], last = bar;
  int64_t horizon = m->settings.labeling.max_horizon_bars;
  while (last + 1 < m->bars.count && last - bar < horizon && m->bars.close_time[last + 1] < deadline) last++;
  labels->event_bar[row] = bar;
  labels->side[row] = (int8_t)side;
  labels->target_level[row] = target;
  labels->stop_level[row] = stop;
  labels->last_bar[row] = last;
  labels->deadline[row] = deadline;
  labels->usable[row] = 1;
  int64_t p = m->predictions.count++;
  m->predictions.label_row[p] = row;
  m->predictions.probability[p] = probability;
}

#endif
