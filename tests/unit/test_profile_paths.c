/* The unified table: threads merge into rows by path, and nothing is lost on the way. */
#include "tests/cmocka_fmlp.h"

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
      cmocka_unit_test(facts_and_captures),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
