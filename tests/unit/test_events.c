/* Events: every bar, every n-th, CUSUM against the known answer and a plain oracle, sessions, sides. */
#include "tests/cmocka_fmlp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/memory.h"
#include "common/stages/events.h"

static const int64_t HOUR = INT64_C(3600000000000);

/* Bars that close on the hour, with the given closes in points. */
static fmlp_bars hourly_bars(int64_t count, const int32_t *bid, const int32_t *ask, fmlp_scale price) {
  fmlp_error error = {""};
  fmlp_bars bars = {.kind = FMLP_QUOTES, .price = price};
  assert_int_equal(fmlp_bars_reserve(&bars, count, &error), FMLP_OK);
  for (int64_t i = 0; i < count; i++) {
    bars.close_time[i] = i * HOUR;
    bars.bid_close[i] = bid[i];
    bars.ask_close[i] = ask[i];
  }
  bars.count = count;
  return bars;
}

static fmlp_calendar calendar_of(int start, int end, int64_t last) {
  fmlp_error error = {""};
  fmlp_calendar calendar;
  fmlp_session_settings settings = {"UTC", start, end, 0, true};
  assert_int_equal(fmlp_calendar_build(&settings, 0, last, &calendar, &error), FMLP_OK);
  return calendar;
}

static fmlp_labeling_settings events_of(fmlp_event_type type, int64_t n, double threshold,
                                        fmlp_side_choice side) {
  return (fmlp_labeling_settings){
      .events_type = type, .events_n = n, .events_threshold = threshold, .side = side};
}

static fmlp_events find(fmlp_labeling_settings settings, const fmlp_calendar *calendar, bool kept,
                        const fmlp_bars *bars) {
  fmlp_error error = {""};
  fmlp_events events;
  assert_int_equal(fmlp_events_find(&settings, calendar, kept, bars, &events, &error), FMLP_OK);
  return events;
}

static void the_known_answer_of_cusum_on_dollar_bars(void **state) {
  (void)state;
  const char *data = getenv("FMLP_DATA");
  char path[1024], line[512];
  (void)snprintf(path, sizeof path, "%s/dollar_bar_sample.csv",
                 data ? data : FMLP_SOURCE_DIR "/../shared/data");
  FILE *file = fopen(path, "r");
  if (!file) skip();
  int32_t closes[1000];
  int64_t count = 0;
  assert_non_null(fgets(line, sizeof line, file));
  while (count < 1000 && fgets(line, sizeof line, file)) {
    char *at = line; /* date_time,open,high,low,close */
    for (int comma = 0; comma < 4; comma++) at = strchr(at, ',') + 1;
    closes[count++] = (int32_t)lround(strtod(at, NULL) * 100);
  }
  (void)fclose(file);
  assert_int_equal(count, 1000);
  fmlp_bars bars = hourly_bars(count, closes, closes, (fmlp_scale){1, 2});
  fmlp_calendar calendar = calendar_of(0, 1440, count * HOUR);
  fmlp_events events = find(events_of(FMLP_EVENTS_CUSUM, 0, 0.02, FMLP_SIDE_LONG), &calendar, false, &bars);
  static const int64_t expected[] = {60, 217, 330, 408, 572, 623, 733, 879, 963};
  assert_int_equal(events.count, 9);
  assert_memory_equal(events.bar, expected, sizeof expected);
  fmlp_events_release(&events);
  fmlp_calendar_release(&calendar);
  fmlp_bars_release(&bars);
}

static void cusum_agrees_with_a_plain_oracle_on_the_mid(void **state) {
  (void)state;
  enum { COUNT = 5000 };
  static int32_t bid[COUNT], ask[COUNT];
  uint64_t seed = 99;
  int32_t level = 100000;
  for (int i = 0; i < COUNT; i++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    level += (int32_t)(seed >> 40) % 201 - 100;
    bid[i] = level;
    ask[i] = level + (int32_t)(seed >> 33 & 31);
  }
  fmlp_bars bars = hourly_bars(COUNT, bid, ask, (fmlp_scale){1, 5});
  fmlp_calendar calendar = calendar_of(0, 1440, COUNT * HOUR);
  static const double thresholds[] = {0.0005, 0.001, 0.003, 0.02, 10.0};
  for (size_t t = 0; t < sizeof thresholds / sizeof *thresholds; t++) {
    double h = thresholds[t];
    fmlp_events events = find(events_of(FMLP_EVENTS_CUSUM, 0, h, FMLP_SIDE_LONG), &calendar, false, &bars);
    double up = 0, down = 0;
    int64_t at = 0;
    for (int i = 1; i < COUNT; i++) {
      double r = log(((double)bid[i] + ask[i]) / ((double)bid[i - 1] + ask[i - 1]));
      up = fmax(0, up + r);
      down = fmin(0, down + r);
      if (down >= -h && up <= h) continue;
      if (down < -h) {
        down = 0;
      } else {
        up = 0;
      }
      assert_true(at < events.count);
      assert_int_equal(events.bar[at++], i);
    }
    assert_int_equal(at, events.count);
    fmlp_events_release(&events);
  }
  fmlp_calendar_release(&calendar);
  fmlp_bars_release(&bars);
}

static void cusum_restarts_after_each_event(void **state) {
  (void)state;
  /* Returns of about +3 %, +2 %, +1 %, -3 %, -1 %: without restarting, bars 2 and 5 would be events too. */
  const int32_t price[] = {10000, 10300, 10506, 10600, 10280, 10180};
  fmlp_bars bars = hourly_bars(6, price, price, (fmlp_scale){1, 2});
  fmlp_calendar calendar = calendar_of(0, 1440, 6 * HOUR);
  fmlp_events events = find(events_of(FMLP_EVENTS_CUSUM, 0, 0.025, FMLP_SIDE_LONG), &calendar, false, &bars);
  static const int64_t expected[] = {1, 3, 4};
  assert_int_equal(events.count, 3);
  assert_memory_equal(events.bar, expected, sizeof expected);
  fmlp_events_release(&events);
  fmlp_calendar_release(&calendar);
  fmlp_bars_release(&bars);
}

static void a_constant_price_gives_no_event_at_any_threshold(void **state) {
  (void)state;
  const int32_t price[] = {10000, 10000, 10000, 10000};
  fmlp_bars bars = hourly_bars(4, price, price, (fmlp_scale){1, 2});
  fmlp_calendar calendar = calendar_of(0, 1440, 4 * HOUR);
  fmlp_events events = find(events_of(FMLP_EVENTS_CUSUM, 0, 5e-324, FMLP_SIDE_LONG), &calendar, false, &bars);
  assert_int_equal(events.count, 0);
  fmlp_events_release(&events);
  fmlp_calendar_release(&calendar);
  fmlp_bars_release(&bars);
}

static void every_nth_bar_and_all_bars(void **state) {
  (void)state;
  int32_t price[100];
  for (int i = 0; i < 100; i++) price[i] = 100 + i;
  fmlp_bars bars = hourly_bars(100, price, price, (fmlp_scale){1, 2});
  fmlp_calendar calendar = calendar_of(0, 1440, 100 * HOUR);
  static const int64_t steps[] = {1, 2, 7, 99, 100, 101, INT64_MAX};
  for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
    fmlp_events events =
        find(events_of(FMLP_EVENTS_EVERY, steps[s], 0, FMLP_SIDE_SHORT), &calendar, false, &bars);
    int64_t expected = (99 / steps[s]) + 1;
    assert_int_equal(events.count, expected);
    for (int64_t i = 0; i < expected; i++) {
      assert_int_equal(events.bar[i], i * steps[s]);
      assert_int_equal(events.side[i], -1);
    }
    fmlp_events_release(&events);
  }
  fmlp_events events = find(events_of(FMLP_EVENTS_ALL, 0, 0, FMLP_SIDE_BOTH), &calendar, false, &bars);
  assert_int_equal(events.count, 200);
  for (int64_t i = 0; i < 200; i++) {
    assert_int_equal(events.bar[i], i / 2);
    assert_int_equal(events.side[i], i % 2 == 0 ? 1 : -1); /* long first */
  }
  fmlp_events_release(&events);
  bars.count = 0;
  events = find(events_of(FMLP_EVENTS_ALL, 0, 0, FMLP_SIDE_BOTH), &calendar, false, &bars);
  assert_int_equal(events.count, 0);
  fmlp_events_release(&events);
  fmlp_calendar_release(&calendar);
  bars.count = 100;
  fmlp_bars_release(&bars);
}

static void bars_that_close_outside_sessions_give_no_events_unless_kept(void **state) {
  (void)state;
  int32_t price[48];
  for (int i = 0; i < 48; i++) price[i] = i % 2 == 0 ? 10000 : 11000;
  fmlp_bars bars = hourly_bars(48, price, price, (fmlp_scale){1, 2});
  fmlp_calendar calendar = calendar_of(480, 1020, 48 * HOUR); /* 08:00 to 17:00, the end excluded */
  fmlp_events all = find(events_of(FMLP_EVENTS_ALL, 0, 0, FMLP_SIDE_LONG), &calendar, false, &bars);
  assert_int_equal(all.count, 18);
  assert_int_equal(all.bar[0], 8);
  assert_int_equal(all.bar[8], 16);
  assert_int_equal(all.bar[9], 32);
  fmlp_events_release(&all);
  fmlp_events kept = find(events_of(FMLP_EVENTS_ALL, 0, 0, FMLP_SIDE_LONG), &calendar, true, &bars);
  assert_int_equal(kept.count, 48);
  fmlp_events_release(&kept);
  fmlp_events inside = find(events_of(FMLP_EVENTS_CUSUM, 0, 0.05, FMLP_SIDE_LONG), &calendar, false, &bars);
  assert_int_equal(inside.count, 18); /* the sums run on outside: each bar still moves by the threshold */
  fmlp_events_release(&inside);
  fmlp_calendar_release(&calendar);
  fmlp_bars_release(&bars);
}

static void impossible_settings_and_failed_allocations_leave_no_events(void **state) {
  (void)state;
  const int32_t price[] = {1, 2, 3};
  fmlp_bars bars = hourly_bars(3, price, price, (fmlp_scale){1, 2});
  fmlp_calendar calendar = calendar_of(0, 1440, 3 * HOUR);
  const fmlp_labeling_settings bad[] = {events_of(FMLP_EVENTS_EVERY, 0, 0, FMLP_SIDE_LONG),
                                        events_of(FMLP_EVENTS_EVERY, -1, 0, FMLP_SIDE_LONG),
                                        events_of(FMLP_EVENTS_CUSUM, 1, 0, FMLP_SIDE_LONG),
                                        events_of(FMLP_EVENTS_CUSUM, 1, NAN, FMLP_SIDE_LONG)};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    fmlp_error error = {""};
    fmlp_events events;
    assert_int_equal(fmlp_events_find(&bad[i], &calendar, false, &bars, &events, &error), FMLP_ERR_USAGE);
    assert_non_null(strstr(error.text, "labeling.events."));
    assert_int_equal(events.count, 0);
    assert_null(events.bar);
  }
  fmlp_labeling_settings good = events_of(FMLP_EVENTS_ALL, 0, 0, FMLP_SIDE_LONG);
  fmlp_status status = FMLP_ERR_OTHER;
  for (int64_t nth = 1; status != FMLP_OK; nth++) {
    fmlp_error error = {""};
    fmlp_events events;
    fmlp_memory_fail_at(nth);
    status = fmlp_events_find(&good, &calendar, false, &bars, &events, &error);
    fmlp_memory_fail_at(0);
    assert_int_equal(events.count, status == FMLP_OK ? 3 : 0);
    fmlp_events_release(&events);
    assert_true(nth < 20);
  }
  fmlp_calendar_release(&calendar);
  fmlp_bars_release(&bars);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_known_answer_of_cusum_on_dollar_bars),
      cmocka_unit_test(cusum_agrees_with_a_plain_oracle_on_the_mid),
      cmocka_unit_test(cusum_restarts_after_each_event),
      cmocka_unit_test(a_constant_price_gives_no_event_at_any_threshold),
      cmocka_unit_test(every_nth_bar_and_all_bars),
      cmocka_unit_test(bars_that_close_outside_sessions_give_no_events_unless_kept),
      cmocka_unit_test(impossible_settings_and_failed_allocations_leave_no_events),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
