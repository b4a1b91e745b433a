/* Made-up ticks for the tests of bars: the generator of tests/golden/bars.py, and tables filled from it. */
#ifndef FMLP_TESTS_UNIT_BARS_CASES_H
#define FMLP_TESTS_UNIT_BARS_CASES_H

#include "tests/cmocka_fmlp.h"

#include <stdlib.h>

#include "common/core/ticks.h"
#include "common/stages/bars_stage.h"
#include "common/stages/calendar.h"

static const int64_t SECOND = 1000000000;

static inline int64_t draw_below(uint64_t *state, uint64_t n) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (int64_t)(((*state >> 32) * n) >> 32);
}

/* The ticks of tests/golden/bars.py. */
static inline fmlp_ticks golden_ticks(uint64_t seed, int64_t count, fmlp_tick_kind kind, bool sizes,
                                      fmlp_scale price, fmlp_scale unit) {
  fmlp_error error = {""};
  fmlp_ticks ticks = {.kind = kind, .price = price, .size_unit = unit};
  assert_int_equal(fmlp_ticks_reserve(&ticks, count, sizes, &error), FMLP_OK);
  int64_t time = 1400000000 * SECOND, level = 100000;
  bool trades = kind == FMLP_TRADES;
  for (int64_t i = 0; i < count; i++) {
    int64_t which = draw_below(&seed, 100);
    if (which < 2) {
      time += draw_below(&seed, 20000) * SECOND;
    } else if (which >= 10) {
      time += draw_below(&seed, 600) * SECOND;
    }
    level += draw_below(&seed, 41) - 20;
    int64_t spread = trades ? 0 : draw_below(&seed, 12) - 1;
    int64_t bid_size = draw_below(&seed, 50);
    int64_t ask_size = trades ? 0 : draw_below(&seed, 50);
    ticks.time[i] = time;
    ticks.bid[i] = (int32_t)level;
    ticks.ask[i] = (int32_t)(level + spread);
    if (sizes && trades) ticks.size[i] = bid_size;
    if (sizes && !trades) ticks.bid_size[i] = bid_size;
    if (sizes && !trades) ticks.ask_size[i] = ask_size;
  }
  ticks.count = count;
  return ticks;
}

/* Sessions from start to end minutes UTC, every day, around the ticks. */
static inline fmlp_calendar daily_calendar(const fmlp_ticks *ticks, int start, int end) {
  fmlp_error error = {""};
  fmlp_session_settings settings = {"UTC", start, end, 0, true};
  fmlp_calendar calendar;
  assert_int_equal(
      fmlp_calendar_build(&settings, ticks->time[0], ticks->time[ticks->count - 1], &calendar, &error),
      FMLP_OK);
  return calendar;
}

static inline fmlp_bars_settings rule(fmlp_bar_type type, const char *threshold, bool keep) {
  return (fmlp_bars_settings){type, strtod(threshold, NULL), threshold, keep};
}

static inline fmlp_bars build(const fmlp_bars_settings *settings, const fmlp_calendar *calendar,
                              const fmlp_ticks *ticks, fmlp_bars_report *report) {
  fmlp_error error = {""};
  fmlp_bars bars;
  fmlp_tick_source source = fmlp_ticks_source(ticks);
  fmlp_status status = fmlp_bars_build(settings, calendar, &source, &bars, report, &error);
  if (status != FMLP_OK) fail_msg("%s", error.text);
  return bars;
}

#endif
