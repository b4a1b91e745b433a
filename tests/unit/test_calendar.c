/* The session calendar: UTC ends of sessions across clock changes, weekends and midnight. */
#include "tests/cmocka_fmlp.h"

#include <string.h>

#include "common/core/memory.h"
#include "common/stages/calendar.h"

static const int64_t NS = 1000000000;

/* Days since 1970-01-01 (Gregorian), by counting. */
static int64_t day_of(int year, int month, int day) {
  static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int64_t days = 0;
  for (int y = 1970; y < year; y++) days += y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 366 : 365;
  for (int m = 1; m < month; m++) days += lengths[m - 1];
  if (month > 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) days++;
  return days + day - 1;
}

static int64_t at(int year, int month, int day, int hour, int minute) {
  return (day_of(year, month, day) * 86400 + hour * 3600 + minute * 60) * NS;
}

static fmlp_session_settings sessions(const char *zone, int start, int end, int friday_end, bool weekend) {
  return (fmlp_session_settings){zone, start, end, friday_end, weekend};
}

static fmlp_calendar build(fmlp_session_settings settings, int64_t first, int64_t last) {
  fmlp_error error = {""};
  fmlp_calendar calendar;
  assert_int_equal(fmlp_calendar_build(&settings, first, last, &calendar, &error), FMLP_OK);
  for (int64_t i = 0; i < calendar.count; i++) {
    assert_true(calendar.open[i] < calendar.close[i]);
    assert_true(i == 0 || calendar.close[i - 1] <= calendar.open[i]);
    assert_true(i == 0 || calendar.local_day[i - 1] < calendar.local_day[i]);
  }
  return calendar;
}

/* The session of a trading day must be [open, close). */
static void expect(const fmlp_calendar *calendar, int64_t day, int64_t open, int64_t close) {
  int64_t found = 0;
  for (int64_t i = 0; i < calendar->count; i++) {
    if (calendar->local_day[i] != day) continue;
    found++;
    assert_int_equal(calendar->open[i], open);
    assert_int_equal(calendar->close[i], close);
    assert_int_equal(fmlp_calendar_find(calendar, open - 1) == i, 0);
    assert_int_equal(fmlp_calendar_find(calendar, open), i);
    assert_int_equal(fmlp_calendar_find(calendar, close - 1), i);
    assert_int_not_equal(fmlp_calendar_find(calendar, close), i);
    assert_int_equal(fmlp_calendar_next(calendar, open - 1) <= i, 1);
    assert_int_equal(fmlp_calendar_next(calendar, open), i);
    assert_int_equal(fmlp_calendar_next(calendar, close - 1), i);
    assert_int_equal(fmlp_calendar_next(calendar, close), i + 1);
  }
  assert_int_equal(found, 1);
}

static void expect_none(const fmlp_calendar *calendar, int64_t day) {
  for (int64_t i = 0; i < calendar->count; i++) assert_int_not_equal(calendar->local_day[i], day);
}

static void the_default_session_is_utc_with_a_short_friday(void **state) {
  (void)state;
  /* 2014-05-01 is a Thursday */
  fmlp_calendar calendar =
      build(sessions("UTC", 0, 1315, 1200, false), at(2014, 5, 1, 5, 0), at(2014, 5, 16, 5, 0));
  expect(&calendar, day_of(2014, 5, 1), at(2014, 5, 1, 0, 0), at(2014, 5, 1, 21, 55));
  expect(&calendar, day_of(2014, 5, 2), at(2014, 5, 2, 0, 0), at(2014, 5, 2, 20, 0));
  expect_none(&calendar, day_of(2014, 5, 3));
  expect_none(&calendar, day_of(2014, 5, 4));
  expect(&calendar, day_of(2014, 5, 5), at(2014, 5, 5, 0, 0), at(2014, 5, 5, 21, 55));
  assert_int_equal(fmlp_calendar_find(&calendar, at(2014, 5, 3, 12, 0)), -1);
  assert_int_equal(calendar.open[fmlp_calendar_next(&calendar, at(2014, 5, 3, 12, 0))], at(2014, 5, 5, 0, 0));
  assert_true(calendar.open[0] <= at(2014, 4, 24, 5, 0));
  assert_true(calendar.close[calendar.count - 1] >= at(2014, 5, 23, 5, 0));
  assert_int_equal(fmlp_calendar_next(&calendar, calendar.close[calendar.count - 1]), calendar.count);
  assert_int_equal(fmlp_calendar_find(&calendar, calendar.open[0] - 1), -1);
  assert_int_equal(fmlp_calendar_next(&calendar, INT64_MIN), 0);
  assert_int_equal(fmlp_calendar_next(&calendar, INT64_MAX), calendar.count);
  fmlp_calendar_release(&calendar);
}

static void clock_changes_in_new_york_move_the_session_in_utc(void **state) {
  (void)state;
  fmlp_calendar calendar = build(sessions("America/New_York", 570, 960, 1200, false), at(2014, 3, 1, 0, 0),
                                 at(2014, 11, 20, 0, 0));
  expect(&calendar, day_of(2014, 3, 7), at(2014, 3, 7, 14, 30), at(2014, 3, 7, 21, 0));
  expect(&calendar, day_of(2014, 3, 10), at(2014, 3, 10, 13, 30),
         at(2014, 3, 10, 20, 0)); /* forward on the 9th */
  expect(&calendar, day_of(2014, 10, 31), at(2014, 10, 31, 13, 30), at(2014, 10, 31, 20, 0));
  expect(&calendar, day_of(2014, 11, 3), at(2014, 11, 3, 14, 30),
         at(2014, 11, 3, 21, 0)); /* back on the 2nd */
  fmlp_calendar_release(&calendar);
}

static void a_whole_day_session_has_23_and_25_hours_at_clock_changes(void **state) {
  (void)state;
  fmlp_calendar calendar =
      build(sessions("America/New_York", 0, 0, 0, true), at(2014, 3, 1, 0, 0), at(2014, 11, 20, 0, 0));
  expect(&calendar, day_of(2014, 3, 9), at(2014, 3, 9, 5, 0), at(2014, 3, 10, 4, 0));
  expect(&calendar, day_of(2014, 11, 2), at(2014, 11, 2, 4, 0), at(2014, 11, 3, 5, 0));
  expect(&calendar, day_of(2014, 7, 4), at(2014, 7, 4, 4, 0), at(2014, 7, 5, 4, 0));
  for (int64_t i = 1; i < calendar.count; i++) assert_int_equal(calendar.open[i], calendar.close[i - 1]);
  fmlp_calendar_release(&calendar);
}

static void a_session_over_midnight_belongs_to_the_day_it_ends(void **state) {
  (void)state;
  /* The FX week: 17:00 to 17:00 New York; 2014-05-04 is a Sunday */
  fmlp_calendar calendar = build(sessions("America/New_York", 1020, 1020, 1000, false), at(2014, 5, 1, 0, 0),
                                 at(2014, 5, 20, 0, 0));
  expect(&calendar, day_of(2014, 5, 5), at(2014, 5, 4, 21, 0), at(2014, 5, 5, 21, 0));
  expect(&calendar, day_of(2014, 5, 9), at(2014, 5, 8, 21, 0), at(2014, 5, 9, 20, 40));
  expect_none(&calendar, day_of(2014, 5, 10));
  expect_none(&calendar, day_of(2014, 5, 11));
  fmlp_calendar_release(&calendar);

  calendar = build(sessions("UTC", 1320, 1315, 1200, false), at(2014, 5, 1, 0, 0), at(2014, 5, 20, 0, 0));
  expect(&calendar, day_of(2014, 5, 6), at(2014, 5, 5, 22, 0), at(2014, 5, 6, 21, 55));
  expect(&calendar, day_of(2014, 5, 9), at(2014, 5, 8, 22, 0), at(2014, 5, 9, 20, 0));
  fmlp_calendar_release(&calendar);
}

static void friday_end_never_stretches_a_session(void **state) {
  (void)state;
  fmlp_calendar calendar =
      build(sessions("UTC", 570, 960, 1200, false), at(2014, 5, 1, 0, 0), at(2014, 5, 20, 0, 0));
  expect(&calendar, day_of(2014, 5, 9), at(2014, 5, 9, 9, 30), at(2014, 5, 9, 16, 0));
  fmlp_calendar_release(&calendar);
  /* a Friday end before the start leaves no Friday session */
  calendar = build(sessions("UTC", 570, 960, 540, false), at(2014, 5, 1, 0, 0), at(2014, 5, 20, 0, 0));
  expect_none(&calendar, day_of(2014, 5, 9));
  expect(&calendar, day_of(2014, 5, 8), at(2014, 5, 8, 9, 30), at(2014, 5, 8, 16, 0));
  fmlp_calendar_release(&calendar);
}

static void weekend_trading_has_every_day_and_no_friday_end(void **state) {
  (void)state;
  fmlp_calendar calendar =
      build(sessions("UTC", 0, 1440, 1200, true), at(2014, 5, 1, 0, 0), at(2014, 5, 20, 0, 0));
  for (int day = 1; day < 20; day++) {
    expect(&calendar, day_of(2014, 5, day), at(2014, 5, day, 0, 0), at(2014, 5, day + 1, 0, 0));
  }
  fmlp_calendar_release(&calendar);
}

static void whole_weekdays_keep_their_friday(void **state) {
  (void)state;
  for (int end = 0; end <= 1440; end += 1440) {
    fmlp_calendar calendar =
        build(sessions("UTC", 0, end, end, false), at(2014, 5, 1, 0, 0), at(2014, 5, 20, 0, 0));
    expect(&calendar, day_of(2014, 5, 9), at(2014, 5, 9, 0, 0), at(2014, 5, 10, 0, 0));
    expect_none(&calendar, day_of(2014, 5, 10));
    expect_none(&calendar, day_of(2014, 5, 11));
    expect(&calendar, day_of(2014, 5, 12), at(2014, 5, 12, 0, 0), at(2014, 5, 13, 0, 0));
    fmlp_calendar_release(&calendar);
  }
}

static void times_that_clocks_skip_or_repeat_are_defined(void **state) {
  (void)state;
  /* Berlin: 02:30 does not exist on 2014-03-30, and comes twice on 2014-10-26 (both Sundays) */
  fmlp_calendar calendar =
      build(sessions("Europe/Berlin", 150, 600, 600, true), at(2014, 3, 1, 0, 0), at(2014, 11, 1, 0, 0));
  expect(&calendar, day_of(2014, 3, 30), at(2014, 3, 30, 1, 30), at(2014, 3, 30, 8, 0));
  expect(&calendar, day_of(2014, 10, 26), at(2014, 10, 26, 0, 30), at(2014, 10, 26, 9, 0));
  fmlp_calendar_release(&calendar);
  /* a session inside the skipped hour ends before it starts: none that day */
  calendar =
      build(sessions("Europe/Berlin", 150, 180, 180, true), at(2014, 3, 1, 0, 0), at(2014, 4, 20, 0, 0));
  expect_none(&calendar, day_of(2014, 3, 30));
  expect(&calendar, day_of(2014, 3, 31), at(2014, 3, 31, 0, 30), at(2014, 3, 31, 1, 0));
  fmlp_calendar_release(&calendar);
}

static void an_unknown_zone_is_a_usage_error_that_names_the_key(void **state) {
  (void)state;
  fmlp_error error = {""};
  fmlp_calendar calendar;
  fmlp_session_settings settings = sessions("Mars/Olympus", 0, 1440, 1440, false);
  assert_int_equal(fmlp_calendar_build(&settings, 0, 0, &calendar, &error), FMLP_ERR_USAGE);
  assert_non_null(strstr(error.text, "session.timezone"));
  assert_int_equal(calendar.count, 0);
  fmlp_calendar_release(&calendar);
}

static void every_failed_allocation_leaves_an_empty_calendar(void **state) {
  (void)state;
  fmlp_session_settings settings = sessions("America/New_York", 0, 1440, 1440, false);
  fmlp_status status = FMLP_ERR_OTHER;
  for (int64_t nth = 1; status != FMLP_OK; nth++) {
    fmlp_error error = {""};
    fmlp_calendar calendar;
    fmlp_memory_fail_at(nth);
    status = fmlp_calendar_build(&settings, 0, 0, &calendar, &error);
    fmlp_memory_fail_at(0);
    assert_int_equal(calendar.count > 0, status == FMLP_OK);
    fmlp_calendar_release(&calendar);
    assert_true(nth < 100);
  }
}

static void a_span_of_centuries_is_a_wrong_date(void **state) {
  (void)state;
  fmlp_error error = {""};
  fmlp_calendar calendar;
  fmlp_session_settings settings = sessions("UTC", 0, 1440, 1440, false);
  int64_t from = at(1971, 1, 4, 0, 0), to = at(2250, 1, 4, 0, 0);
  assert_int_equal(fmlp_calendar_build(&settings, from, to, &calendar, &error), FMLP_ERR_INPUT);
  assert_non_null(strstr(error.text, "from the year 1971 to 2250"));
  assert_int_equal(calendar.count, 0);
  calendar = build(settings, at(1990, 1, 4, 0, 0), at(2180, 1, 4, 0, 0));
  assert_true(calendar.count > 190 * 250);
  fmlp_calendar_release(&calendar);
}

static void the_ends_of_time_do_not_overflow(void **state) {
  (void)state;
  fmlp_calendar calendar = build(sessions("UTC", 0, 1440, 1440, true), INT64_MIN, INT64_MIN + 1000 * NS);
  assert_true(calendar.count > 0);
  fmlp_calendar_release(&calendar);
  calendar = build(sessions("UTC", 0, 1440, 1440, true), INT64_MAX - 1000 * NS, INT64_MAX);
  assert_true(calendar.count > 0);
  fmlp_calendar_release(&calendar);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_default_session_is_utc_with_a_short_friday),
      cmocka_unit_test(clock_changes_in_new_york_move_the_session_in_utc),
      cmocka_unit_test(a_whole_day_session_has_23_and_25_hours_at_clock_changes),
      cmocka_unit_test(a_session_over_midnight_belongs_to_the_day_it_ends),
      cmocka_unit_test(friday_end_never_stretches_a_session),
      cmocka_unit_test(weekend_trading_has_every_day_and_no_friday_end),
      cmocka_unit_test(whole_weekdays_keep_their_friday),
      cmocka_unit_test(times_that_clocks_skip_or_repeat_are_defined),
      cmocka_unit_test(an_unknown_zone_is_a_usage_error_that_names_the_key),
      cmocka_unit_test(every_failed_allocation_leaves_an_empty_calendar),
      cmocka_unit_test(a_span_of_centuries_is_a_wrong_date),
      cmocka_unit_test(the_ends_of_time_do_not_overflow),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
