/* Validation: purge, embargo, groups, paths. */
#include "tests/cmocka_fmlp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/memory.h"
#include "common/stages/cv.h"
#include "common/stages/cv_purge.h"

enum { ROWS = 4000 };

typedef struct label_rows {
  int64_t event_bar[ROWS], end_bar[ROWS];
  int8_t usable[ROWS];
  fmlp_labels labels;
} label_rows;

static label_rows fixture;

static const fmlp_labels *labels_of(int64_t count) {
  fixture.labels = (fmlp_labels){
      .count = count, .event_bar = fixture.event_bar, .end_bar = fixture.end_bar, .usable = fixture.usable};
  return &fixture.labels;
}

/* One label a bar, `horizon` bars long. */
static const fmlp_labels *plain_labels(int64_t count, int64_t horizon) {
  for (int64_t i = 0; i < count; i++) {
    fixture.event_bar[i] = i;
    fixture.end_bar[i] = i + horizon;
    fixture.usable[i] = 1;
  }
  return labels_of(count);
}

static void expect_purge(fmlp_test_run run, const char *kept) {
  int64_t purged = 0, embargoed = 0;
  uint8_t train[10];
  memset(train, 1, sizeof train);
  const fmlp_labels *labels = plain_labels(10, 2);
  fmlp_cv_purge(10, labels->event_bar, labels->end_bar, 1, &run, 0, train, &purged, &embargoed);
  int64_t removed = 0;
  for (int i = 0; i < 10; i++) {
    assert_int_equal(train[i], kept[i] == 'x');
    removed += kept[i] != 'x';
  }
  assert_int_equal(purged, removed);
  assert_int_equal(embargoed, 0);
}

static void purging_gives_the_published_answers(void **state) {
  (void)state;
  expect_purge((fmlp_test_run){6, 8}, "xxxx.....x");
  expect_purge((fmlp_test_run){1, 2}, "...xxxxxxx");
  expect_purge((fmlp_test_run){8, 11}, "xxxxxx....");
}

static void what_lies_between_two_test_runs_is_kept(void **state) {
  (void)state;
  const fmlp_labels *labels = plain_labels(100, 2);
  fmlp_test_run runs[] = {{10, 20}, {80, 90}};
  uint8_t train[100];
  memset(train, 1, sizeof train);
  int64_t purged = 0, embargoed = 0;
  fmlp_cv_purge(100, labels->event_bar, labels->end_bar, 2, runs, 5, train, &purged, &embargoed);
  assert_int_equal(purged, 2 * 13); /* starts 8..20 and 78..90; the hull would take 8..90 */
  assert_int_equal(embargoed, 2 * 5);
  for (int i = 26; i < 78; i++) assert_int_equal(train[i], 1);
  for (int i = 21; i < 26; i++) assert_int_equal(train[i], 0);
  assert_int_equal(train[7], 1);
  assert_int_equal(train[96], 1);
}

static void a_label_in_purge_and_embargo_is_counted_once_as_purged(void **state) {
  (void)state;
  int64_t event = 12, end = 31, purged = 0, embargoed = 0;
  uint8_t train = 1;
  fmlp_test_run runs[] = {{5, 10}, {30, 40}};
  fmlp_cv_purge(1, &event, &end, 2, runs, 5, &train, &purged, &embargoed);
  assert_int_equal(train, 0);
  assert_int_equal(purged, 1);
  assert_int_equal(embargoed, 0);
}

static bool contains(const int64_t *rows, int64_t count, int64_t row) {
  for (int64_t i = 0; i < count; i++)
    if (rows[i] == row) return true;
  return false;
}

static void ten_choose_two_gives_45_splits_and_9_paths_with_each_row_once_a_path(void **state) {
  (void)state;
  enum { COUNT = 1003 };
  fmlp_error error = {""};
  fmlp_validation_settings settings = {
      .cv_type = FMLP_CV_CPCV, .n_groups = 10, .n_test_groups = 2, .embargo_bars = 20};
  const fmlp_labels *labels = plain_labels(COUNT, 7);
  fmlp_folds folds;
  assert_int_equal(fmlp_cv_split(&settings, labels, &folds, &error), FMLP_OK);
  assert_int_equal(folds.split_count, 45);
  assert_int_equal(folds.path_count, 9);
  assert_int_equal(folds.group_count, 10);
  assert_false(folds.causal);
  int32_t used[45][10] = {{0}};
  for (int32_t p = 0; p < folds.path_count; p++) {
    int32_t tested[COUNT] = {0};
    for (int32_t g = 0; g < folds.group_count; g++) {
      int32_t s = folds.path_split[p * folds.group_count + g];
      assert_in_range(s, 0, 44);
      used[s][g]++;
      const fmlp_split *split = &folds.splits[s];
      for (int64_t i = 0; i < split->test_count; i++)
        if (split->test_group[i] == g) tested[split->test[i]]++;
    }
    for (int i = 0; i < COUNT; i++) assert_int_equal(tested[i], 1);
  }
  int32_t pairs = 0;
  for (int s = 0; s < 45; s++)
    for (int g = 0; g < 10; g++) {
      assert_in_range(used[s][g], 0, 1);
      pairs += used[s][g];
    }
  assert_int_equal(pairs, 90);
  fmlp_folds_release(&folds);
}

/* Every training interval against every tested stretch; and everything that may be trained on is. */
static void no_training_interval_overlaps_a_test_run_and_nothing_else_is_lost(void **state) {
  (void)state;
  enum { COUNT = 400 };
  uint32_t random = 1;
  for (int i = 0; i < COUNT; i++) {
    random = random * 1664525u + 1013904223u;
    fixture.event_bar[i] = i;
    fixture.end_bar[i] = i + 1 + (random >> 28);
    fixture.usable[i] = (random >> 20 & 31) != 0;
  }
  const fmlp_labels *labels = labels_of(COUNT);
  for (int64_t embargo = 0; embargo <= 30; embargo += 10) {
    fmlp_validation_settings settings = {
        .cv_type = FMLP_CV_CPCV, .n_groups = 8, .n_test_groups = 3, .embargo_bars = embargo};
    fmlp_error error = {""};
    fmlp_folds folds;
    assert_int_equal(fmlp_cv_split(&settings, labels, &folds, &error), FMLP_OK);
    assert_int_equal(folds.split_count, 56);
    assert_int_equal(folds.path_count, 21);
    for (int32_t s = 0; s < folds.split_count; s++) {
      const fmlp_split *split = &folds.splits[s];
      for (int64_t row = 0; row < COUNT; row++) {
        bool clash = !labels->usable[row], tested = contains(split->test, split->test_count, row);
        bool after = false;
        for (int64_t i = 0; i < split->test_count; i++) {
          int64_t t = split->test[i];
          clash = clash || (labels->event_bar[row] <= labels->end_bar[t] &&
                            labels->end_bar[row] >= labels->event_bar[t]);
        }
        for (int64_t i = 0; i < split->test_count; i++) {
          int64_t last = labels->end_bar[split->test[i]];
          bool ends_run = i + 1 == split->test_count || split->test_group[i + 1] > split->test_group[i] + 1;
          for (int64_t j = 0; j <= i; j++)
            if (labels->end_bar[split->test[j]] > last) last = labels->end_bar[split->test[j]];
          after = after ||
                  (ends_run && labels->event_bar[row] > last && labels->event_bar[row] <= last + embargo);
        }
        bool trained = contains(split->train, split->train_count, row);
        assert_int_equal(trained, !clash && !tested && !after);
      }
      assert_int_equal(split->train_count + split->test_count + split->purged + split->embargoed,
                       folds.splits[0].train_count + folds.splits[0].test_count + folds.splits[0].purged +
                           folds.splits[0].embargoed);
    }
    fmlp_folds_release(&folds);
  }
}

static void long_and_short_rows_of_a_bar_stay_in_one_group(void **state) {
  (void)state;
  for (int i = 0; i < 200; i++) {
    fixture.event_bar[i] = i / 2;
    fixture.end_bar[i] = i / 2 + 1 + i % 2;
    fixture.usable[i] = 1;
  }
  fmlp_validation_settings settings = {.cv_type = FMLP_CV_PURGED_KFOLD, .n_splits = 7};
  fmlp_error error = {""};
  fmlp_folds folds;
  assert_int_equal(fmlp_cv_split(&settings, labels_of(200), &folds, &error), FMLP_OK);
  assert_int_equal(folds.path_count, 1);
  const int64_t sizes[] = {30, 30, 28, 28, 28, 28, 28}; /* 100 bars in 7 groups, the remainder first */
  for (int32_t s = 0; s < 7; s++) {
    assert_int_equal(folds.splits[s].test_count, sizes[s]);
    assert_int_equal(folds.splits[s].test[0] % 2, 0);
    assert_int_equal(folds.path_split[s], s);
  }
  fmlp_folds_release(&folds);
}

static void a_walk_forward_is_causal_and_its_path_starts_at_the_first_test(void **state) {
  (void)state;
  fmlp_validation_settings settings = {.cv_type = FMLP_CV_WALK_FORWARD, .n_splits = 4, .gap = 3};
  fmlp_error error = {""};
  fmlp_folds folds;
  const fmlp_labels *labels = plain_labels(103, 5);
  assert_int_equal(fmlp_cv_split(&settings, labels, &folds, &error), FMLP_OK);
  assert_true(folds.causal);
  assert_int_equal(folds.split_count, 4);
  assert_int_equal(folds.group_count, 5);
  assert_int_equal(folds.path_split[0], -1);
  int64_t first_test = 21;
  for (int32_t s = 0; s < 4; s++) {
    const fmlp_split *split = &folds.splits[s];
    assert_int_equal(folds.path_split[s + 1], s);
    assert_int_equal(split->test[0], first_test);
    /* 3 events of gap, then the labels whose 5 bars reach into the test */
    assert_int_equal(split->train_count, first_test - 5);
    assert_int_equal(split->purged, 2);
    for (int64_t i = 0; i < split->train_count; i++)
      assert_true(labels->end_bar[split->train[i]] < labels->event_bar[split->test[0]]);
    first_test += split->test_count;
  }
  assert_int_equal(first_test, 103);
  fmlp_folds_release(&folds);
}

static void expect_refusal(fmlp_validation_settings settings, int64_t count, fmlp_status expected,
                           const char *word) {
  fmlp_error error = {""};
  fmlp_folds folds;
  assert_int_equal(fmlp_cv_split(&settings, plain_labels(count, 2), &folds, &error), expected);
  assert_non_null(strstr(error.text, word));
  assert_null(folds.splits);
  assert_int_equal(folds.split_count, 0);
}

static void impossible_folds_are_refused_with_the_key(void **state) {
  (void)state;
  fmlp_validation_settings cpcv = {.cv_type = FMLP_CV_CPCV, .n_groups = 10, .n_test_groups = 2};
  expect_refusal(cpcv, 0, FMLP_ERR_INPUT, "n_groups");
  expect_refusal(cpcv, 1, FMLP_ERR_INPUT, "n_groups");
  expect_refusal(cpcv, 9, FMLP_ERR_INPUT, "usable");
  cpcv.embargo_bars = 1000;
  expect_refusal(cpcv, 10, FMLP_ERR_INPUT, "embargo");
  cpcv.embargo_bars = -1;
  expect_refusal(cpcv, 100, FMLP_ERR_USAGE, "embargo_bars");
  cpcv.embargo_bars = 0;
  cpcv.n_test_groups = 10;
  expect_refusal(cpcv, 100, FMLP_ERR_USAGE, "n_test_groups");
  cpcv.n_groups = 40;
  expect_refusal(cpcv, 1000, FMLP_ERR_USAGE, "splits");
  fmlp_validation_settings forward = {.cv_type = FMLP_CV_WALK_FORWARD, .n_splits = 3, .test_size = 40};
  expect_refusal(forward, 120, FMLP_ERR_INPUT, "test_size");
  forward.test_size = 0;
  forward.gap = 200;
  expect_refusal(forward, 120, FMLP_ERR_INPUT, "gap");
}

static void every_allocation_failure_leaves_empty_folds(void **state) {
  (void)state;
  fmlp_validation_settings settings = {.cv_type = FMLP_CV_CPCV, .n_groups = 4, .n_test_groups = 2};
  fmlp_status status = FMLP_ERR_OTHER;
  for (int64_t nth = 1; status != FMLP_OK; nth++) {
    fmlp_error error = {""};
    fmlp_folds folds;
    const fmlp_labels *labels = plain_labels(40, 1);
    fmlp_memory_fail_at(nth);
    status = fmlp_cv_split(&settings, labels, &folds, &error);
    fmlp_memory_fail_at(0);
    if (status != FMLP_OK) assert_null(folds.splits);
    fmlp_folds_release(&folds);
  }
}

static void read_rows(FILE *file, const char *word, const int64_t *rows, int64_t count) {
  char found[16];
  assert_int_equal(fscanf(file, "%15s", found), 1);
  assert_string_equal(found, word);
  for (int64_t i = 0; i < count; i++) {
    long long row = -1;
    assert_int_equal(fscanf(file, "%lld", &row), 1);
    assert_int_equal(row, rows[i]);
  }
}

static fmlp_cv_type type_named(const char *name) {
  static const char *const names[] = {"cpcv", "purged_kfold", "walk_forward", "time_series"};
  for (int i = 0; i < 4; i++)
    if (strcmp(names[i], name) == 0) return (fmlp_cv_type)i;
  fail_msg("unknown type %s", name);
  return FMLP_CV_CPCV;
}

static void splits_equal_the_golden_ones(void **state) {
  (void)state;
  FILE *file = fopen(FMLP_SOURCE_DIR "/tests/golden/cv.txt", "r");
  assert_non_null(file);
  char type[32];
  long long v[7];
  int cases = 0;
  while (fscanf(file, " case %31s %lld %lld %lld %lld %lld %lld %lld", type, &v[0], &v[1], &v[2], &v[3],
                &v[4], &v[5], &v[6]) == 8) {
    fmlp_validation_settings settings = {.cv_type = type_named(type),
                                         .n_groups = (int32_t)v[0],
                                         .n_test_groups = (int32_t)v[1],
                                         .n_splits = (int32_t)v[2],
                                         .test_size = v[3],
                                         .gap = v[4],
                                         .embargo_bars = v[5]};
    assert_in_range(v[6], 1, ROWS);
    for (long long i = 0; i < v[6]; i++) {
      long long bar = 0, end = 0, usable = 0;
      assert_int_equal(fscanf(file, "%lld %lld %lld", &bar, &end, &usable), 3);
      fixture.event_bar[i] = bar;
      fixture.end_bar[i] = end;
      fixture.usable[i] = (int8_t)usable;
    }
    fmlp_error error = {""};
    fmlp_folds folds;
    assert_int_equal(fmlp_cv_split(&settings, labels_of(v[6]), &folds, &error), FMLP_OK);
    for (int32_t s = 0; s < folds.split_count; s++) {
      const fmlp_split *split = &folds.splits[s];
      long long purged = -1, embargoed = -1;
      assert_int_equal(fscanf(file, " split %lld %lld", &purged, &embargoed), 2);
      assert_int_equal(purged, split->purged);
      assert_int_equal(embargoed, split->embargoed);
      read_rows(file, "train", split->train, split->train_count);
      read_rows(file, "test", split->test, split->test_count);
    }
    long long paths = -1;
    assert_int_equal(fscanf(file, " paths %lld", &paths), 1);
    assert_int_equal(paths, folds.path_count);
    for (int32_t i = 0; i < folds.path_count * folds.group_count; i++) {
      int split = -2;
      assert_int_equal(fscanf(file, "%d", &split), 1);
      assert_int_equal(split, folds.path_split[i]);
    }
    fmlp_folds_release(&folds);
    cases++;
  }
  assert_true(feof(file));
  assert_int_equal(cases, 7);
  assert_int_equal(fclose(file), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(purging_gives_the_published_answers),
      cmocka_unit_test(what_lies_between_two_test_runs_is_kept),
      cmocka_unit_test(a_label_in_purge_and_embargo_is_counted_once_as_purged),
      cmocka_unit_test(ten_choose_two_gives_45_splits_and_9_paths_with_each_row_once_a_path),
      cmocka_unit_test(no_training_interval_overlaps_a_test_run_and_nothing_else_is_lost),
      cmocka_unit_test(long_and_short_rows_of_a_bar_stay_in_one_group),
      cmocka_unit_test(a_walk_forward_is_causal_and_its_path_starts_at_the_first_test),
      cmocka_unit_test(impossible_folds_are_refused_with_the_key),
      cmocka_unit_test(every_allocation_failure_leaves_empty_folds),
      cmocka_unit_test(splits_equal_the_golden_ones),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
