/* Cleaning: every rule, every count, the sort, and nothing vanishes uncounted. */
#include "tests/cmocka_fmlp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/memory.h"
#include "common/stages/clean.h"
#include "common/stages/sort_ticks.h"

static fmlp_ticks ticks;
static fmlp_clean_report report;
static fmlp_error error;

static int release(void **state) {
  (void)state;
  fmlp_ticks_release(&ticks);
  return 0;
}

static fmlp_cleaning_settings keep_all(void) {
  return (fmlp_cleaning_settings){.sort = true,
                                  .crossed = FMLP_CROSSED_KEEP,
                                  .zero_spread = FMLP_ZERO_SPREAD_KEEP,
                                  .duplicate_timestamps = FMLP_DUPLICATES_KEEP,
                                  .out_of_session = FMLP_OUT_OF_SESSION_KEEP};
}

/* Quotes with the bid size set to the row's number, so that rows can be told apart afterwards. */
static void fill(int64_t count, const int64_t *time, const int32_t *bid, const int32_t *ask) {
  fmlp_ticks_release(&ticks);
  ticks.kind = FMLP_QUOTES;
  ticks.price = (fmlp_scale){1, 2};
  assert_int_equal(fmlp_ticks_reserve(&ticks, count, true, &error), FMLP_OK);
  ticks.count = count;
  for (int64_t i = 0; i < count; i++) {
    ticks.time[i] = time ? time[i] : i;
    ticks.bid[i] = bid ? bid[i] : 100;
    ticks.ask[i] = ask ? ask[i] : 102;
    ticks.bid_size[i] = i;
    ticks.ask_size[i] = -i;
  }
}

static void clean(const fmlp_cleaning_settings *settings, const fmlp_calendar *calendar) {
  memset(&error, 0, sizeof error);
  if (fmlp_clean(settings, calendar, &ticks, &report, &error) != FMLP_OK) fail_msg("%s", error.text);
  assert_int_equal(report.rows_out, ticks.count);
  assert_int_equal(report.rows_in, report.rows_out + report.dropped_crossed + report.dropped_zero_spread +
                                       report.dropped_duplicates + report.dropped_outliers +
                                       report.dropped_out_of_session);
}

static void assert_rows(int64_t count, const int64_t *rows) {
  assert_int_equal(ticks.count, count);
  for (int64_t i = 0; i < count; i++) {
    assert_int_equal(ticks.bid_size[i], rows[i]);
    assert_int_equal(ticks.ask_size[i], -rows[i]);
  }
}

#define ROWS(...)                                                                                            \
  (int64_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]) {                         \
    __VA_ARGS__                                                                                              \
  }

static void clean_ticks_stay_as_they_are(void **state) {
  (void)state;
  fmlp_cleaning_settings settings = keep_all();
  fill(4, NULL, NULL, NULL);
  clean(&settings, NULL);
  assert_rows(ROWS(0, 1, 2, 3));
  assert_int_equal(
      report.out_of_order + report.crossed_seen + report.zero_spread_seen + report.duplicates_seen, 0);
}

static void crossed_quotes_are_dropped_kept_or_an_error(void **state) {
  (void)state;
  static const int32_t bid[] = {100, 103, 100, 104}, ask[] = {102, 102, 101, 102};
  fmlp_cleaning_settings settings = keep_all();
  settings.crossed = FMLP_CROSSED_DROP;
  fill(4, NULL, bid, ask);
  clean(&settings, NULL);
  assert_rows(ROWS(0, 2));
  assert_int_equal(report.crossed_seen, 2);
  assert_int_equal(report.dropped_crossed, 2);
  settings.crossed = FMLP_CROSSED_KEEP;
  fill(4, NULL, bid, ask);
  clean(&settings, NULL);
  assert_rows(ROWS(0, 1, 2, 3));
  assert_int_equal(report.crossed_seen, 2);
  settings.crossed = FMLP_CROSSED_ERROR;
  fill(4, NULL, bid, ask);
  assert_int_equal(fmlp_clean(&settings, NULL, &ticks, &report, &error), FMLP_ERR_INPUT);
  assert_non_null(strstr(error.text, "row 2: crossed quote, bid 1.03 above ask 1.02"));
}

static void zero_spreads_are_a_matter_of_quotes_alone(void **state) {
  (void)state;
  static const int32_t bid[] = {100, 102, 100}, ask[] = {102, 102, 101};
  fmlp_cleaning_settings settings = keep_all();
  settings.zero_spread = FMLP_ZERO_SPREAD_DROP;
  fill(3, NULL, bid, ask);
  clean(&settings, NULL);
  assert_rows(ROWS(0, 2));
  assert_int_equal(report.dropped_zero_spread, 1);
  fmlp_ticks_release(&ticks);
  ticks.kind = FMLP_TRADES;
  assert_int_equal(fmlp_ticks_reserve(&ticks, 2, true, &error), FMLP_OK);
  ticks.count = 2;
  for (int i = 0; i < 2; i++) ticks.time[i] = ticks.bid[i] = (int32_t)(ticks.size[i] = 5 + i);
  clean(&settings, NULL);
  assert_int_equal(report.zero_spread_seen, 0);
  assert_int_equal(ticks.count, 2);
}

static void of_equal_times_all_the_first_or_the_last_stay(void **state) {
  (void)state;
  static const int64_t time[] = {1, 1, 2, 3, 3, 3, 4, 4};
  static const int32_t bid[] = {100, 100, 100, 100, 100, 103, 103, 100}; /* rows 5 and 6 are crossed */
  fmlp_cleaning_settings settings = keep_all();
  fill(8, time, bid, NULL);
  clean(&settings, NULL);
  assert_rows(ROWS(0, 1, 2, 3, 4, 5, 6, 7));
  assert_int_equal(report.duplicates_seen, 4);
  settings.crossed = FMLP_CROSSED_DROP;
  settings.duplicate_timestamps = FMLP_DUPLICATES_FIRST;
  fill(8, time, bid, NULL);
  clean(&settings, NULL);
  assert_rows(ROWS(0, 2, 3, 7));
  assert_int_equal(report.dropped_duplicates, 2);
  settings.duplicate_timestamps = FMLP_DUPLICATES_LAST;
  fill(8, time, bid, NULL);
  clean(&settings, NULL);
  assert_rows(ROWS(1, 2, 4, 7));
  assert_int_equal(report.duplicates_seen, 4);
  assert_int_equal(report.dropped_duplicates, 2);
  assert_int_equal(report.dropped_crossed, 2);
}

static void ticks_outside_the_sessions_are_dropped_or_counted(void **state) {
  (void)state;
  int64_t open[] = {10, 30}, close[] = {20, 40};
  int32_t day[] = {0, 1};
  const fmlp_calendar calendar = {.count = 2, .open = open, .close = close, .local_day = day};
  static const int64_t time[] = {9, 10, 19, 20, 29, 30, 39, 40, 1000};
  fmlp_cleaning_settings settings = keep_all();
  fill(9, time, NULL, NULL);
  clean(&settings, &calendar);
  assert_int_equal(report.out_of_session_seen, 5);
  assert_int_equal(ticks.count, 9);
  settings.out_of_session = FMLP_OUT_OF_SESSION_DROP;
  clean(&settings, &calendar);
  assert_rows(ROWS(1, 2, 5, 6));
  assert_int_equal(report.dropped_out_of_session, 5);
}

static void unsorted_ticks_are_sorted_stably_or_refused(void **state) {
  (void)state;
  static const int64_t time[] = {3, 1, 3, 2, 1, 2};
  fmlp_cleaning_settings settings = keep_all();
  fill(6, time, NULL, NULL);
  clean(&settings, NULL);
  assert_rows(ROWS(1, 4, 3, 5, 0, 2));
  assert_int_equal(report.out_of_order, 3);
  assert_int_equal(report.duplicates_seen, 3);
  settings.sort = false;
  fill(6, time, NULL, NULL);
  assert_int_equal(fmlp_clean(&settings, NULL, &ticks, &report, &error), FMLP_ERR_INPUT);
  assert_non_null(strstr(error.text, "row 2: "));
  assert_non_null(strstr(error.text, "cleaning.sort"));
}

static void the_sort_is_stable_at_every_length_and_disorder(void **state) {
  (void)state;
  uint64_t seed = 7;
  for (int64_t count = 0; count < 3000; count = count * 2 + 1) {
    for (int kind = 0; kind < 4; kind++) {
      fill(count, NULL, NULL, NULL);
      for (int64_t i = 0; i < count; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int64_t noise = (int64_t)(seed >> 40);
        ticks.time[i] = kind == 0 ? noise % 50 : kind == 1 ? i + noise % 5 : kind == 2 ? -i : i % 64;
      }
      assert_int_equal(fmlp_ticks_sort(&ticks, &error), FMLP_OK);
      for (int64_t i = 1; i < count; i++) {
        assert_true(ticks.time[i - 1] < ticks.time[i] ||
                    (ticks.time[i - 1] == ticks.time[i] && ticks.bid_size[i - 1] < ticks.bid_size[i]));
        assert_int_equal(ticks.ask_size[i], -ticks.bid_size[i]);
      }
    }
  }
}

/* The rule again, from its definition, over a copy of the accepted rows. */
static int64_t count_outliers_plainly(const int32_t *bid, int64_t count, int64_t window, double threshold) {
  int32_t *kept = malloc((size_t)count * sizeof *kept);
  int64_t n = 0, begin = 0, dropped = 0, in_a_row = 0;
  assert_non_null(kept);
  for (int64_t i = 0; i < count; i++) {
    double mean = 0, sum = 0;
    if (n - begin >= window) {
      for (int64_t j = n - window; j < n; j++) mean += kept[j] / (double)window;
      for (int64_t j = n - window; j < n; j++) sum += (kept[j] - mean) * (kept[j] - mean);
      if (sum > 0 && fabs(bid[i] - mean) > threshold * sqrt(sum / (double)(window - 1))) {
        if (++in_a_row <= window) {
          dropped++;
          continue;
        }
        begin = n;
      }
      in_a_row = 0;
    }
    kept[n++] = bid[i];
  }
  free(kept);
  return dropped;
}

static void outliers_are_measured_against_the_accepted_ticks_before_them(void **state) {
  (void)state;
  enum { COUNT = 5000 };
  static int32_t bid[COUNT], ask[COUNT];
  uint64_t seed = 11;
  for (int i = 0; i < COUNT; i++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    int noise = (int)(seed >> 60) + (i > 3000 ? 500 : 0); /* from 3001 on a new level */
    bid[i] = 100000 + noise + ((seed >> 33) % 100 == 0 ? 3000 : 0);
    ask[i] = bid[i] + 2;
  }
  fmlp_cleaning_settings settings = keep_all();
  settings.outliers_enabled = true;
  settings.outliers_window = 20;
  settings.outliers_threshold = 6;
  fill(COUNT, NULL, bid, ask);
  clean(&settings, NULL);
  int64_t expected = count_outliers_plainly(bid, COUNT, 20, 6);
  assert_int_equal(report.dropped_outliers, expected);
  assert_true(expected > 50 && expected < 150); /* spikes and 20 ticks of the new level, not all after it */
}

static void the_first_change_after_a_constant_window_is_no_outlier(void **state) {
  (void)state;
  static const int32_t bid[] = {100, 100, 100, 100, 101, 100, 100};
  fmlp_cleaning_settings settings = keep_all();
  settings.outliers_enabled = true;
  settings.outliers_window = 3;
  settings.outliers_threshold = 3;
  fill(7, NULL, bid, NULL);
  clean(&settings, NULL);
  assert_int_equal(report.dropped_outliers, 0);
  settings.outliers_window = 1;
  assert_int_equal(fmlp_clean(&settings, NULL, &ticks, &report, &error), FMLP_ERR_USAGE);
  settings.outliers_window = 2;
  settings.outliers_threshold = NAN;
  assert_int_equal(fmlp_clean(&settings, NULL, &ticks, &report, &error), FMLP_ERR_USAGE);
}

static void changing_later_ticks_does_not_change_what_was_kept_before(void **state) {
  (void)state;
  enum { COUNT = 400, CHANGED = 200 };
  static int32_t bid[2][COUNT];
  static int64_t kept[COUNT];
  int64_t kept_count = 0;
  fmlp_cleaning_settings settings = keep_all();
  settings.outliers_enabled = true;
  settings.outliers_window = 10;
  settings.outliers_threshold = 2;
  settings.duplicate_timestamps = FMLP_DUPLICATES_FIRST;
  for (int i = 0; i < COUNT; i++) bid[0][i] = 1000 + i * 7919 % 13 + (i % 29 == 0 ? 50 : 0);
  memcpy(bid[1], bid[0], sizeof bid[0]);
  for (int i = CHANGED; i < COUNT; i++) bid[1][i] = 9000 - i;
  for (int version = 0; version < 2; version++) {
    fill(COUNT, NULL, bid[version], NULL);
    for (int i = 0; i < COUNT; i++) ticks.ask[i] = ticks.bid[i] + 1;
    clean(&settings, NULL);
    int64_t count = 0;
    while (count < ticks.count && ticks.time[count] < CHANGED) count++;
    if (version == 1) assert_int_equal(count, kept_count);
    if (version == 1) assert_memory_equal(ticks.bid_size, kept, (size_t)count * sizeof *kept);
    kept_count = count;
    memcpy(kept, ticks.bid_size, (size_t)count * sizeof *kept);
  }
  assert_true(kept_count < CHANGED);
}

static void nothing_left_is_an_error_that_says_why(void **state) {
  (void)state;
  static const int32_t bid[] = {103, 104};
  fmlp_cleaning_settings settings = keep_all();
  settings.crossed = FMLP_CROSSED_DROP;
  fill(2, NULL, bid, NULL);
  assert_int_equal(fmlp_clean(&settings, NULL, &ticks, &report, &error), FMLP_ERR_INPUT);
  assert_non_null(strstr(error.text, "no tick is left of 2: dropped 2 crossed"));
}

static void a_failed_allocation_while_sorting_changes_nothing(void **state) {
  (void)state;
  static const int64_t time[] = {3, 1, 2};
  fmlp_cleaning_settings settings = keep_all();
  for (int nth = 1; nth <= 2; nth++) {
    fill(3, time, NULL, NULL);
    fmlp_memory_fail_at(nth);
    assert_int_equal(fmlp_clean(&settings, NULL, &ticks, &report, &error), FMLP_ERR_OTHER);
    fmlp_memory_fail_at(0);
    assert_memory_equal(ticks.time, time, sizeof time);
  }
}

#define test(function) cmocka_unit_test_teardown(function, release)

int main(void) {
  const struct CMUnitTest tests[] = {
      test(clean_ticks_stay_as_they_are),
      test(crossed_quotes_are_dropped_kept_or_an_error),
      test(zero_spreads_are_a_matter_of_quotes_alone),
      test(of_equal_times_all_the_first_or_the_last_stay),
      test(ticks_outside_the_sessions_are_dropped_or_counted),
      test(unsorted_ticks_are_sorted_stably_or_refused),
      test(the_sort_is_stable_at_every_length_and_disorder),
      test(outliers_are_measured_against_the_accepted_ticks_before_them),
      test(the_first_change_after_a_constant_window_is_no_outlier),
      test(changing_later_ticks_does_not_change_what_was_kept_before),
      test(nothing_left_is_an_error_that_says_why),
      test(a_failed_allocation_while_sorting_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
