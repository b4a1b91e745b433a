/* Time zones: both directions over DST changes, gaps, overlaps, far years; dates. Expected values: Python's
 * zoneinfo (fold = 0), which follows the same convention. */
#define _POSIX_C_SOURCE 200809L
#include "tests/cmocka_fmlp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/core/civil.h"
#include "common/core/timezone.h"

static fmlp_timezone *open_zone(const char *name) {
  fmlp_error error = {""};
  fmlp_timezone *zone = NULL;
  assert_int_equal(fmlp_timezone_open(name, &zone, &error), FMLP_OK);
  assert_string_equal(fmlp_timezone_name(zone), name);
  return zone;
}

static int64_t seconds(int64_t year, int month, int day, int hour, int minute, int second) {
  return fmlp_days_from_civil(year, month, day) * FMLP_SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
}

static void local_times_become_utc_on_either_side_of_every_change(void **state) {
  (void)state;
  static const struct {
    const char *zone;
    int year, month, day, hour, minute, second;
    int64_t utc;
  } cases[] = {
      {"America/New_York", 2014, 3, 9, 1, 59, 59, 1394348399},
      {"America/New_York", 2014, 3, 9, 2, 30, 0, 1394350200}, /* gap */
      {"America/New_York", 2014, 3, 9, 3, 0, 0, 1394348400},
      {"America/New_York", 2014, 11, 2, 0, 59, 59, 1414904399},
      {"America/New_York", 2014, 11, 2, 1, 30, 0, 1414906200}, /* twice: the first */
      {"America/New_York", 2014, 11, 2, 2, 0, 0, 1414911600},
      {"America/New_York", 2024, 1, 15, 12, 0, 0, 1705338000},
      {"America/New_York", 2100, 7, 1, 12, 0, 0, 4118140800}, /* by the footer's rule */
      {"America/New_York", 1890, 1, 1, 0, 0, 0, -2524503600},
      {"Europe/London", 2014, 3, 30, 1, 30, 0, 1396143000},
      {"Europe/London", 2014, 10, 26, 1, 30, 0, 1414283400},
      {"Europe/London", 2014, 7, 1, 12, 0, 0, 1404212400},
      {"Europe/London", 2200, 3, 30, 1, 30, 0, 7265727000},
      {"Europe/London", 2200, 10, 26, 2, 0, 0, 7283872800},
      {"Europe/Berlin", 2014, 3, 30, 2, 30, 0, 1396143000},
      {"Europe/Berlin", 2014, 10, 26, 2, 30, 0, 1414283400},
      {"Europe/Berlin", 2014, 10, 26, 3, 0, 0, 1414288800},
      {"Australia/Sydney", 2014, 10, 5, 2, 30, 0, 1412440200},
      {"Australia/Sydney", 2014, 4, 6, 2, 30, 0, 1396711800},
      {"Australia/Sydney", 2014, 1, 1, 0, 0, 0, 1388494800},
      {"Australia/Sydney", 2014, 7, 1, 0, 0, 0, 1404136800},
      {"Australia/Sydney", 2150, 1, 1, 0, 0, 0, 5680242000}, /* summer over the turn of the year */
      {"Australia/Sydney", 2150, 7, 1, 0, 0, 0, 5695884000},
      {"Asia/Tokyo", 2014, 7, 1, 0, 0, 0, 1404140400},
      {"Africa/Casablanca", 2024, 3, 10, 2, 30, 0, 1710034200}, /* clocks go back for Ramadan */
      {"Africa/Casablanca", 2024, 4, 14, 2, 30, 0, 1713061800},
      {"Asia/Kathmandu", 2020, 1, 1, 0, 0, 0, 1577816100},
      {"Europe/Dublin", 2040, 7, 1, 12, 0, 0, 2224753200}, /* negative summer time in the rule */
      {"Europe/Dublin", 2040, 1, 1, 12, 0, 0, 2209032000},
      {"America/Nuuk", 2040, 7, 1, 12, 0, 0, 2224760400}, /* changes at negative hours */
      {"UTC", 2014, 7, 1, 12, 0, 0, 1404216000},
      {"UTC-5", 2014, 7, 1, 12, 0, 0, 1404234000},
      {"UTC+05:30", 2014, 7, 1, 12, 0, 0, 1404196200},
      {"Etc/GMT+5", 2014, 7, 1, 12, 0, 0, 1404234000},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fmlp_timezone *zone = open_zone(cases[i].zone);
    int64_t local =
        seconds(cases[i].year, cases[i].month, cases[i].day, cases[i].hour, cases[i].minute, cases[i].second);
    int64_t utc = fmlp_timezone_to_utc(zone, local);
    if (utc != cases[i].utc) fail_msg("case %zu (%s): %lld", i, cases[i].zone, (long long)utc);
    fmlp_timezone_close(zone);
  }
}

static void offsets_follow_the_seasons_of_each_hemisphere(void **state) {
  (void)state;
  static const struct {
    const char *zone;
    int32_t january, july;
  } cases[] = {{"America/New_York", -5, -4}, {"Europe/London", 0, 1}, {"Europe/Berlin", 1, 2},
               {"Australia/Sydney", 11, 10}, {"UTC", 0, 0},           {"Europe/Dublin", 0, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fmlp_timezone *zone = open_zone(cases[i].zone);
    for (int year = 2010; year < 2300; year += 7) {
      assert_int_equal(fmlp_timezone_offset(zone, seconds(year, 1, 15, 0, 0, 0)), cases[i].january * 3600);
      assert_int_equal(fmlp_timezone_offset(zone, seconds(year, 7, 15, 0, 0, 0)), cases[i].july * 3600);
    }
    fmlp_timezone_close(zone);
  }
}

static void a_change_happens_at_its_second(void **state) {
  (void)state;
  fmlp_timezone *zone = open_zone("America/New_York");
  for (int year = 2014; year <= 2100; year += 86) { /* stored transitions, then the rule */
    int64_t spring = year == 2014 ? seconds(2014, 3, 9, 7, 0, 0) : seconds(2100, 3, 14, 7, 0, 0);
    int64_t autumn = year == 2014 ? seconds(2014, 11, 2, 6, 0, 0) : seconds(2100, 11, 7, 6, 0, 0);
    assert_int_equal(fmlp_timezone_offset(zone, spring - 1), -5 * 3600);
    assert_int_equal(fmlp_timezone_offset(zone, spring), -4 * 3600);
    assert_int_equal(fmlp_timezone_offset(zone, autumn - 1), -4 * 3600);
    assert_int_equal(fmlp_timezone_offset(zone, autumn), -5 * 3600);
    fmlp_timezone_period summer = fmlp_timezone_period_at(zone, spring + 1000);
    assert_int_equal(summer.first, spring);
    assert_int_equal(summer.last, autumn);
  }
  fmlp_timezone_close(zone);
}

static void utc_to_local_and_back_is_the_identity_outside_overlaps(void **state) {
  (void)state;
  static const char *const names[] = {"America/New_York", "Australia/Lord_Howe", "Asia/Tehran",
                                      "Europe/Dublin",    "Pacific/Apia",        "America/St_Johns",
                                      "Antarctica/Troll"};
  for (size_t z = 0; z < sizeof names / sizeof *names; z++) {
    fmlp_timezone *zone = open_zone(names[z]);
    for (int64_t utc = -4000000000; utc < 9000000000; utc += 1234567) {
      int64_t local = utc + fmlp_timezone_offset(zone, utc), back = fmlp_timezone_to_utc(zone, local);
      assert_int_equal(back + fmlp_timezone_offset(zone, back), local);
      assert_true(back <= utc && utc - back <= 86400);
    }
    fmlp_timezone_close(zone);
  }
}

static void unknown_names_are_refused_with_the_name(void **state) {
  (void)state;
  static const char *const names[] = {"Mars/Olympus", "",       "../etc/passwd",
                                      "/etc/passwd",  "Europe", "UTC+99",
                                      "zone.tab",     "UTC+5x", "America/New_York\n"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    fmlp_error error = {""};
    fmlp_timezone *zone = NULL;
    assert_int_equal(fmlp_timezone_open(names[i], &zone, &error), FMLP_ERR_USAGE);
    assert_null(zone);
    assert_non_null(strstr(error.text, "time zone"));
  }
  fmlp_timezone_close(NULL);
}

/* A copy of a zone file under TZDIR, cut at every byte, then with each byte flipped: an answer or an error.
 */
static void damaged_zone_files_never_crash(void **state) {
  (void)state;
  unsigned char bytes[8192];
  FILE *file = fopen("/usr/share/zoneinfo/America/New_York", "rb");
  if (!file) skip();
  size_t size = fread(bytes, 1, sizeof bytes, file);
  (void)fclose(file);
  char folder[] = "/tmp/fmlp_timezone_XXXXXX", path[64];
  assert_non_null(mkdtemp(folder));
  (void)snprintf(path, sizeof path, "%s/Test", folder);
  assert_int_equal(setenv("TZDIR", folder, 1), 0);
  for (size_t i = 0; i < 2 * size; i += i % size < 200 ? 1 : 7) { /* every byte of the header, then a sample */
    bool cut = i < size;
    file = fopen(path, "wb");
    assert_non_null(file);
    if (!cut) bytes[i - size] ^= 0xff;
    (void)fwrite(bytes, 1, cut ? i : size, file);
    (void)fclose(file);
    if (!cut) bytes[i - size] ^= 0xff;
    fmlp_error error = {""};
    fmlp_timezone *zone = NULL;
    fmlp_status status = fmlp_timezone_open("Test", &zone, &error);
    assert_true(status == FMLP_ERR_USAGE || !cut);
    if (status == FMLP_OK) (void)fmlp_timezone_to_utc(zone, 1400000000);
    fmlp_timezone_close(zone);
  }
  assert_int_equal(unsetenv("TZDIR"), 0);
  (void)unlink(path);
  (void)rmdir(folder);
}

static void dates_and_days_agree_over_eight_centuries(void **state) {
  (void)state;
  int64_t days = fmlp_days_from_civil(1600, 1, 1);
  static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  assert_int_equal(fmlp_days_from_civil(1970, 1, 1), 0);
  assert_int_equal(fmlp_weekday(0), 4); /* a Thursday */
  int weekday = fmlp_weekday(days);
  for (int64_t year = 1600; year < 2400; year++) {
    for (int month = 1; month <= 12; month++) {
      int length = lengths[month - 1] + (month == 2 && fmlp_is_leap_year(year) ? 1 : 0);
      for (int day = 1; day <= length; day++, days++, weekday = (weekday + 1) % 7) {
        fmlp_date date = fmlp_civil_from_days(days);
        assert_true(date.year == year && date.month == month && date.day == day);
        assert_true(fmlp_days_from_civil(year, month, day) == days && fmlp_weekday(days) == weekday);
      }
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(local_times_become_utc_on_either_side_of_every_change),
      cmocka_unit_test(offsets_follow_the_seasons_of_each_hemisphere),
      cmocka_unit_test(a_change_happens_at_its_second),
      cmocka_unit_test(utc_to_local_and_back_is_the_identity_outside_overlaps),
      cmocka_unit_test(unknown_names_are_refused_with_the_name),
      cmocka_unit_test(damaged_zone_files_never_crash),
      cmocka_unit_test(dates_and_days_agree_over_eight_centuries),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
