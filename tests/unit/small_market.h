/* A small made-up market for tests: quotes from a linear congruential generator and bars of a fixed number of
 * ticks. tests/golden/small_market.py makes the same one, so goldens need not store the input. */
#ifndef FMLP_TESTS_UNIT_SMALL_MARKET_H
#define FMLP_TESTS_UNIT_SMALL_MARKET_H

#include "tests/cmocka_fmlp.h"

#include "common/core/bars.h"
#include "common/core/memory.h"
#include "common/core/ticks.h"

#define MARKET_START  INT64_C(1394150400000000000) /* 2014-03-07 00:00:00 UTC, a Friday */
#define MARKET_SECOND INT64_C(1000000000)
#define MARKET_SCALE  ((fmlp_scale){1, 5})

typedef struct market {
  fmlp_ticks ticks;
  fmlp_bars bars;
  fmlp_tick_source source;
} market;

static inline uint32_t market_random(uint64_t *state) {
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(*state >> 33);
}

/* Bars of ticks_per_bar ticks; a rest at the end makes no bar. */
static inline void market_build_bars(market *m, int64_t ticks_per_bar) {
  fmlp_error error = {""};
  const fmlp_ticks *ticks = &m->ticks;
  fmlp_bars *bars = &m->bars;
  *bars = (fmlp_bars){.kind = ticks->kind,
                      .has_sizes = ticks->bid_size != NULL,
                      .price = ticks->price,
                      .size_unit = ticks->size_unit};
  int64_t count = ticks->count / ticks_per_bar;
  assert_int_equal(fmlp_bars_reserve(bars, count, &error), FMLP_OK);
  bars->count = count;
  for (int64_t b = 0; b < count; b++) {
    int64_t first = b * ticks_per_bar, last = first + ticks_per_bar, spread = 0, bid_size = 0, ask_size = 0;
    bars->open_time[b] = ticks->time[first];
    bars->close_time[b] = ticks->time[last - 1];
    bars->first_tick[b] = first;
    bars->last_tick[b] = last;
    bars->bid_open[b] = bars->bid_high[b] = bars->bid_low[b] = ticks->bid[first];
    bars->ask_open[b] = bars->ask_high[b] = bars->ask_low[b] = ticks->ask[first];
    for (int64_t t = first; t < last; t++) {
      if (ticks->bid[t] > bars->bid_high[b]) bars->bid_high[b] = ticks->bid[t];
      if (ticks->bid[t] < bars->bid_low[b]) bars->bid_low[b] = ticks->bid[t];
      if (ticks->ask[t] > bars->ask_high[b]) bars->ask_high[b] = ticks->ask[t];
      if (ticks->ask[t] < bars->ask_low[b]) bars->ask_low[b] = ticks->ask[t];
      spread += ticks->ask[t] - ticks->bid[t];
      if (!ticks->bid_size) continue;
      bid_size += ticks->bid_size[t];
      ask_size += ticks->ask_size[t];
    }
    bars->bid_close[b] = ticks->bid[last - 1];
    bars->ask_close[b] = ticks->ask[last - 1];
    bars->spread_mean[b] = (double)spread / ((double)ticks_per_bar * 1e5);
    bars->spread_std[b] = 0.0;
    if (!ticks->bid_size) continue;
    bars->bid_volume[b] = bid_size;
    bars->ask_volume[b] = ask_size;
    bars->volume[b] = bid_size + ask_size;
    bars->vwap[b] = 1.0;
  }
}

static inline void market_next_tick(market *m, uint64_t *state, int64_t t) {
  fmlp_ticks *ticks = &m->ticks;
  int64_t time = t > 0 ? ticks->time[t - 1] : MARKET_START;
  int32_t bid = t > 0 ? ticks->bid[t - 1] : 130000;
  bid += (int32_t)(market_random(state) % 7) - 3;
  uint32_t luck = market_random(state) % 50;
  int32_t jump = (int32_t)(market_random(state) % 40);
  if (luck == 0) bid += jump;
  if (luck == 1) bid -= jump;
  ticks->bid[t] = bid;
  ticks->ask[t] = bid + 1 + (int32_t)(market_random(state) % 10);
  ticks->time[t] = time + MARKET_SECOND * (1 + (int64_t)(market_random(state) % 5));
  int64_t bid_size = market_random(state) % 1000, ask_size = market_random(state) % 1000;
  if (!ticks->bid_size) return;
  ticks->bid_size[t] = bid_size;
  ticks->ask_size[t] = ask_size;
}

static inline void market_make(market *m, uint64_t seed, int64_t ticks, int64_t ticks_per_bar, bool sizes) {
  fmlp_error error = {""};
  uint64_t state = seed;
  *m = (market){.ticks = {.kind = FMLP_QUOTES, .price = MARKET_SCALE, .size_unit = {1, 0}}};
  assert_int_equal(fmlp_ticks_reserve(&m->ticks, ticks, sizes, &error), FMLP_OK);
  for (int64_t t = 0; t < ticks; t++) market_next_tick(m, &state, t);
  m->ticks.count = ticks;
  market_build_bars(m, ticks_per_bar);
  m->source = fmlp_ticks_source(&m->ticks);
}

static inline void market_release(market *m) {
  fmlp_ticks_release(&m->ticks);
  fmlp_bars_release(&m->bars);
}

#endif
