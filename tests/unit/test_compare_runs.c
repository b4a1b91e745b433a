/* Comparing two run folders: equal, one bit apart, missing, longer, another type, text. */
#define _GNU_SOURCE
#include "tests/cmocka_fmlp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/bits.h"
#include "common/io/columns.h"
#include "common/io/compare_runs.h"

enum { ROWS = 4 };

typedef struct folders {
  char root[64];
  char a[80];
  char b[80];
} folders;

static void write_column(const char *run, const char *name, fmlp_type type, int64_t rows, const void *data) {
  char path[256];
  fmlp_error error = {""};
  (void)snprintf(path, sizeof path, "%s/bars", run);
  (void)mkdir(path, 0777);
  (void)snprintf(path, sizeof path, "%s/bars/%s.npy", run, name);
  assert_int_equal(fmlp_npy_write(path, type, rows, data, &error), FMLP_OK);
}

static void write_text(const char *run, const char *name, const char *text) {
  char path[256];
  (void)snprintf(path, sizeof path, "%s/%s", run, name);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

static int set_up(void **state) {
  folders *two = calloc(1, sizeof *two);
  strcpy(two->root, "/tmp/fmlp-compare-XXXXXX");
  if (!two || !mkdtemp(two->root)) return -1;
  (void)snprintf(two->a, sizeof two->a, "%s/a", two->root);
  (void)snprintf(two->b, sizeof two->b, "%s/b", two->root);
  if (mkdir(two->a, 0777) != 0 || mkdir(two->b, 0777) != 0) return -1;
  const double same[ROWS] = {1.0, 2.0, fmlp_nan(), 4.0};
  write_column(two->a, "close", FMLP_FLOAT64, ROWS, same);
  write_column(two->b, "close", FMLP_FLOAT64, ROWS, same);
  *state = two;
  return 0;
}

static int tear_down(void **state) {
  folders *two = *state;
  char command[128];
  (void)snprintf(command, sizeof command, "rm -rf %s", two->root);
  int result = system(command);
  free(two);
  return result;
}

static fmlp_run_comparison compare(const folders *two) {
  fmlp_run_comparison comparison;
  fmlp_error error = {""};
  assert_int_equal(fmlp_runs_compare(two->a, two->b, &comparison, &error), FMLP_OK);
  return comparison;
}

static void equal_runs_differ_nowhere_and_nan_equals_nan(void **state) {
  fmlp_run_comparison comparison = compare(*state);
  assert_int_equal(comparison.count, 1);
  assert_int_equal(comparison.differing_outputs, 0);
  assert_string_equal(comparison.outputs[0].name, "bars/close");
  assert_string_equal(comparison.outputs[0].stage, "bars");
  assert_string_equal(comparison.outputs[0].column, "close");
  assert_int_equal(comparison.outputs[0].differing_bits, 0);
  assert_int_equal(comparison.outputs[0].rows, ROWS);
  assert_int_equal(comparison.outputs[0].hash_a.low, comparison.outputs[0].hash_b.low);
  fmlp_run_comparison_release(&comparison);
}

static void one_bit_is_found_and_located(void **state) {
  const folders *two = *state;
  const double other[ROWS] = {1.0, 2.0, fmlp_nan(), 4.000000000000001};
  write_column(two->b, "close", FMLP_FLOAT64, ROWS, other);
  fmlp_run_comparison comparison = compare(two);
  assert_int_equal(comparison.differing_outputs, 1);
  assert_int_equal(comparison.outputs[0].differing, 1);
  assert_int_equal(comparison.outputs[0].differing_bits, 1); /* the last of the mantissa */
  assert_int_equal(comparison.outputs[0].first_difference, 3);
  fmlp_run_comparison_release(&comparison);
}

static void a_missing_a_longer_and_a_retyped_column_differ(void **state) {
  const folders *two = *state;
  const int64_t integers[ROWS + 1] = {1, 2, 3, 4, 5};
  write_column(two->a, "only_a", FMLP_INT64, ROWS, integers);
  write_column(two->b, "only_b_and_empty", FMLP_INT64, 0, integers);
  write_column(two->a, "longer", FMLP_INT64, ROWS, integers);
  write_column(two->b, "longer", FMLP_INT64, ROWS + 1, integers);
  write_column(two->a, "retyped", FMLP_INT64, ROWS, integers);
  write_column(two->b, "retyped", FMLP_FLOAT64, ROWS, integers);
  fmlp_run_comparison comparison = compare(two);
  assert_int_equal(comparison.count, 5);
  assert_int_equal(comparison.differing_outputs, 4);
  for (int64_t i = 0; i < comparison.count; i++) {
    if (strcmp(comparison.outputs[i].name, "bars/longer") != 0) continue;
    assert_int_equal(comparison.outputs[i].differing, 1);
    assert_int_equal(comparison.outputs[i].differing_bits, 64);
    assert_int_equal(comparison.outputs[i].first_difference, ROWS);
  }
  fmlp_run_comparison_release(&comparison);
}

static void text_files_are_compared_by_bytes(void **state) {
  const folders *two = *state;
  write_text(two->a, "trades.csv", "entry_time\n1\n");
  write_text(two->b, "trades.csv", "entry_time\n2\n");
  write_text(two->a, "log.txt", "not compared");
  fmlp_run_comparison comparison = compare(two);
  assert_int_equal(comparison.count, 2);
  assert_string_equal(comparison.outputs[1].name, "trades.csv");
  assert_string_equal(comparison.outputs[1].stage, "backtest");
  assert_string_equal(comparison.outputs[1].column, "trades.csv");
  assert_int_equal(comparison.outputs[1].differing, 1);
  fmlp_run_comparison_release(&comparison);
}

static void folders_without_outputs_are_no_empty_pass(void **state) {
  const folders *two = *state;
  fmlp_run_comparison comparison;
  fmlp_error error = {""};
  assert_int_equal(fmlp_runs_compare(two->root, two->root, &comparison, &error), FMLP_ERR_INPUT);
  assert_int_equal(comparison.count, 0);
}

static void a_truncated_column_is_an_input_error(void **state) {
  const folders *two = *state;
  char path[256];
  fmlp_run_comparison comparison;
  fmlp_error error = {""};
  (void)snprintf(path, sizeof path, "%s/bars/close.npy", two->b);
  assert_int_equal(truncate(path, 130), 0);
  assert_int_equal(fmlp_runs_compare(two->a, two->b, &comparison, &error), FMLP_ERR_INPUT);
  assert_non_null(strstr(error.text, "close.npy"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(equal_runs_differ_nowhere_and_nan_equals_nan, set_up, tear_down),
      cmocka_unit_test_setup_teardown(one_bit_is_found_and_located, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_missing_a_longer_and_a_retyped_column_differ, set_up, tear_down),
      cmocka_unit_test_setup_teardown(text_files_are_compared_by_bytes, set_up, tear_down),
      cmocka_unit_test_setup_teardown(folders_without_outputs_are_no_empty_pass, set_up, tear_down),
      cmocka_unit_test_setup_teardown(a_truncated_column_is_an_input_error, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
