/* The unified table: threads merge into rows by path, and nothing is lost on the way. */
#define _GNU_SOURCE
#include "tests/cmocka_fmlp.h"

#include <stdio.h>

#include "prof/store/profile.h"
#include "prof/views/paths.h"
#include "tests/unit/profile_fixture.h"

static void one_row_a_path(void **state) {
  (void)state;
  fmlp_capture *capture = profile_fixture();
  fmlp_paths paths;
  assert_true(fmlp_paths_make(capture, &paths));
  assert_int_equal(paths.count, 7); /* walk below run, below itself and below worker are three paths */
  int64_t self = 0;
  for (int32_t i = 0; i < paths.count; i++) {
    assert_true(paths.rows[i].parent < i);
    self += paths.rows[i].self;
  }
  assert_int_equal(self, PROFILE_FIXTURE_TOTAL);
  assert_int_equal(paths.rows[2].bytes, 65536);
  assert_int_equal(paths.rows[4].depth, 2);
  fmlp_paths_release(&paths);
  fmlp_capture_free(capture);
}

/* The same path on 200 threads, below a chain of 3: four rows. */
static void threads_merge(void **state) {
  (void)state;
  enum { THREADS = 200, DEPTH = 4 };
  fmlp_capture_site sites[DEPTH] = {
      {"a", "f", "f", 1}, {"b", "f", "f", 2}, {"c", "f", "f", 3}, {"d", "f", "f", 4}};
  static fmlp_capture_node nodes[THREADS * DEPTH];
  for (int32_t i = 0; i < THREADS * DEPTH; i++)
    nodes[i] = (fmlp_capture_node){.thread = i / DEPTH,
                                   .parent = i % DEPTH ? i - 1 : -1,
                                   .site = i % DEPTH,
                                   .calls = 1,
                                   .self = i % DEPTH + 1,
                                   .total = DEPTH};
  const fmlp_capture capture = {
      .sites = sites, .site_count = DEPTH, .nodes = nodes, .node_count = THREADS * DEPTH};
  fmlp_paths paths;
  assert_true(fmlp_paths_make(&capture, &paths));
  assert_int_equal(paths.count, DEPTH);
  for (int32_t i = 0; i < DEPTH; i++) {
    assert_int_equal(paths.rows[i].parent, i - 1);
    assert_int_equal(paths.rows[i].threads, THREADS);
    assert_int_equal(paths.rows[i].calls, THREADS);
    assert_int_equal(paths.rows[i].self, THREADS * (i + 1));
    assert_int_equal(paths.of_node[17 * DEPTH + i], i);
  }
  fmlp_paths_release(&paths);
}

static void no_path(void **state) {
  (void)state;
  const fmlp_capture capture = {0};
  fmlp_paths paths;
  assert_true(fmlp_paths_make(&capture, &paths));
  assert_int_equal(paths.count, 0);
  fmlp_paths_release(&paths);
}

/* Thousands of names, some of which a reader put there without asking. */
static void names_are_found_again(void **state) {
  (void)state;
  enum { NAMES = 5000 };
  fmlp_capture *capture = calloc(1, sizeof *capture);
  assert_non_null(capture);
  capture->names = calloc(3, sizeof *capture->names);
  assert_non_null(capture->names);
  for (int32_t i = 0; i < 3; i++) capture->names[capture->name_count++] = strdup(i < 2 ? "twice" : "once");
  assert_int_equal(fmlp_capture_name(capture, "once"), 2);
  assert_int_equal(fmlp_capture_name(capture, "twice"), 0);
  char name[32];
  for (int round = 0; round < 2; round++) {
    for (int32_t i = 0; i < NAMES; i++) {
      (void)snprintf(name, sizeof name, "kernel %d", (int)i);
      assert_int_equal(fmlp_capture_name(capture, name), i + 3);
    }
  }
  assert_int_equal(capture->name_count, NAMES + 3);
  assert_string_equal(capture->names[NAMES + 2], "kernel 4999");
  assert_int_equal(fmlp_capture_name(capture, ""), NAMES + 3);
  fmlp_capture_free(capture);
}

static void facts_and_captures(void **state) {
  (void)state;
  fmlp_profile *profile = fmlp_profile_create();
  assert_non_null(profile);
  assert_null(fmlp_profile_get(profile, FMLP_FACT_DEVICE));
  assert_true(fmlp_profile_set(profile, FMLP_FACT_DEVICE, "cpu"));
  assert_true(fmlp_profile_set(profile, FMLP_FACT_NAME, "eurusd"));
  assert_true(fmlp_profile_set(profile, FMLP_FACT_DEVICE, "cuda:0"));
  assert_string_equal(fmlp_profile_get(profile, FMLP_FACT_DEVICE), "cuda:0");
  assert_int_equal(profile->fact_count, 2);
  assert_true(fmlp_profile_add(profile, profile_fixture()));
  assert_true(fmlp_profile_add(profile, profile_fixture()));
  assert_int_equal(profile->capture_count, 2);
  fmlp_profile_free(profile);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_row_a_path),
      cmocka_unit_test(threads_merge),
      cmocka_unit_test(no_path),
      cmocka_unit_test(names_are_found_again),
      cmocka_unit_test(facts_and_captures),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
