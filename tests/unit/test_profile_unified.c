/* The unified table: columns of devices against their definitions, and the table as text, CSV and JSON. */
#define _GNU_SOURCE
#include "tests/unit/profile_fixture.h"

#include <jansson.h>
#include <stdio.h>

#include "prof/views/busy.h"
#include "prof/views/export.h"
#include "prof/views/unified.h"

enum { SEEDS = 40 };

/* ---- unions ---- */

static bool is_below(const fmlp_paths *paths, int32_t row, int32_t above) {
  for (; row >= 0; row = paths->rows[row].parent)
    if (row == above) return true;
  return false;
}

/* The union of what ran below `above` (-1: of everything), moment by moment of a sorted list. */
static int64_t union_below(const fmlp_capture *capture, const fmlp_paths *paths, int32_t above) {
  int64_t sum = 0, last = 0;
  for (int64_t i = 0; i < capture->operation_count; i++) {
    const fmlp_capture_operation *operation = &capture->operations[i];
    const int32_t row = operation->node < 0 ? -1 : paths->of_node[operation->node];
    int64_t start = operation->start > last ? operation->start : last;
    const int64_t end = operation->end < paths->wall ? operation->end : paths->wall;
    if (above >= 0 && !is_below(paths, row, above)) continue;
    if (end > start) sum += end - start;
    if (end > last) last = end;
  }
  return sum;
}

static void busy_is_the_union_below_each_path(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= SEEDS; seed++) {
    fmlp_capture *capture = profile_fixture_random(seed, 60, 1 + (int64_t)seed * 5);
    fmlp_paths paths;
    assert_true(fmlp_paths_make(capture, &paths));
    int64_t sum = paths.unattributed.sum, operations = paths.unattributed.operations;
    for (int32_t i = 0; i < paths.count; i++) {
      const fmlp_path *row = &paths.rows[i];
      if (row->all.busy != union_below(capture, &paths, i))
        fail_msg("seed %d, row %d: %lld", (int)seed, (int)i, (long long)row->all.busy);
      assert_true(row->all.busy <= row->all.sum && row->own.busy <= row->all.busy);
      assert_true(row->all.busy <= paths.wall);
      sum += row->own.sum;
      operations += row->own.operations;
    }
    assert_int_equal(paths.everything.busy, union_below(capture, &paths, -1));
    assert_int_equal(paths.everything.sum, sum);
    assert_int_equal(operations, capture->operation_count);
    assert_int_equal(paths.unattributed.operations, capture->unattributed_operations);
    fmlp_paths_release(&paths);
    fmlp_capture_free(capture);
  }
}

/* A chain of 1000 with an operation at every node, all at once: each row is busy as long as all of them. The
 * same with many: a walk up from each would be 10^8 steps. */
static void depth_costs_nothing(void **state) {
  (void)state;
  enum { DEPTH = 1000, COUNT = 100000 };
  static int32_t parent[DEPTH];
  static int64_t busy[DEPTH + 1];
  fmlp_busy_interval *intervals = calloc(COUNT, sizeof *intervals);
  assert_non_null(intervals);
  for (int32_t i = 0; i < DEPTH; i++) parent[i] = i - 1;
  for (int32_t i = 0; i < COUNT; i++) intervals[i] = (fmlp_busy_interval){i, i + 3, i % DEPTH};
  assert_true(fmlp_busy_make(parent, DEPTH, intervals, COUNT, busy));
  assert_int_equal(busy[DEPTH], COUNT + 2);
  assert_int_equal(busy[0], COUNT + 2);
  assert_int_equal(busy[1], COUNT + 1); /* at first, row 0 ran alone */
  assert_int_equal(busy[DEPTH - 1], 3 * COUNT / DEPTH);
  free(intervals);
}

/* ---- columns ---- */

static const fmlp_path *row_named(const fmlp_unified *table, const char *name) {
  for (int32_t i = 0; i < table->paths.count; i++)
    if (strcmp(table->capture->sites[table->paths.rows[i].site].name, name) == 0)
      return &table->paths.rows[i];
  fail_msg("no row %s", name);
  return NULL;
}

static int64_t value_of(const fmlp_unified *table, const char *name, const char *key) {
  const fmlp_unified_column *column = fmlp_unified_column_find(key);
  assert_non_null(column);
  return column->value(table, row_named(table, name));
}

static void columns_of_the_fixture(void **state) {
  (void)state;
  static const struct {
    const char *name, *key;
    int64_t value;
  } cases[] = {
      {"run", "gpu_busy_ns", 8500}, /* [3500, 11500] and [61500, 62000] */
      {"run", "gpu_self_busy", 0},
      {"run", "gpu_span", 58500},
      {"labels", "gpu_busy", 8000},
      {"labels", "gpu_self_busy", 3000},
      {"labels", "gpu_sum", 11000},
      {"labels", "gpu_self_sum", 3000},
      {"labels", "gpu_kernels", 2},
      {"labels", "gpu_operations", 4},
      {"labels", "gpu_launches", 4},
      {"labels", "gpu_launch_delay", 7100},
      {"labels", "gpu_wait", 2500},
      {"labels", "gpu_runtime", 1300},
      {"labels", "gpu_upload", 4096},
      {"labels", "gpu_upload_bytes_per_second", 2730666667},
      {"labels", "share", 80537},
      {"labels.search", "gpu_busy", 5000},
      {"run", "resident_peak", 3 << 20},
      {"labels", "gpu_peak", 1 << 16},
      {"worker", "gpu_busy", 0},
      {"labels.search", "samples", 2},
      {"run", "gpu_busy_share", 70833},
      {"worker", "bytes_per_second", 10240000},
      {"labels.search", "bytes_per_second", 13107200000},
  };
  fmlp_capture *capture = profile_fixture();
  fmlp_unified table;
  assert_true(fmlp_unified_make(capture, &table));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const int64_t value = value_of(&table, cases[i].name, cases[i].key);
    if (value != cases[i].value)
      fail_msg("%s of %s: %lld, not %lld", cases[i].key, cases[i].name, (long long)value,
               (long long)cases[i].value);
  }
  assert_int_equal(table.paths.everything.busy, 9000); /* with the one of no known path */
  assert_int_equal(table.unattributed.all.busy, 4000);
  assert_int_equal(table.unattributed.samples, 1);
  assert_null(fmlp_unified_column_find("gpu"));
  assert_null(fmlp_unified_column_find(""));
  assert_ptr_equal(fmlp_unified_column_find("cumtime"), fmlp_unified_column_find("cumtime_ns"));
  fmlp_unified_release(&table);
  fmlp_capture_free(capture);
}

/* An operation beyond the capture is in the sums, but a device is busy no longer than the capture lasts. */
static void busy_never_exceeds_the_wall_time(void **state) {
  (void)state;
  fmlp_capture *capture = profile_fixture();
  capture->operations[0].start = -500;
  capture->operations[5].end = 400000;
  fmlp_paths paths;
  assert_true(fmlp_paths_make(capture, &paths));
  assert_int_equal(paths.everything.busy, 12000 + 58500);
  assert_int_equal(paths.rows[4].own.busy, 58500);
  assert_int_equal(paths.rows[4].own.sum, 400000 - 61500);
  fmlp_paths_release(&paths);
  fmlp_capture_free(capture);
}

/* ---- views ---- */

typedef bool (*view_function)(const fmlp_capture *capture, const fmlp_unified_selection *selection, FILE *out,
                              char *message, int64_t capacity);

static char *view(view_function write, const fmlp_capture *capture, const fmlp_unified_selection *selection) {
  char *text = NULL, message[256] = "";
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  assert_non_null(out);
  if (!write(capture, selection, out, message, sizeof message)) fail_msg("%s", message);
  assert_int_equal(fclose(out), 0);
  return text;
}

static bool json_view(const fmlp_capture *capture, const fmlp_unified_selection *selection, FILE *out,
                      char *message, int64_t capacity) {
  char key[] = "name", value[] = "a \"run\"";
  fmlp_profile_fact fact = {key, value};
  fmlp_capture *captures[] = {(fmlp_capture *)(uintptr_t)capture};
  const fmlp_profile profile = {1, &fact, 1, captures};
  return fmlp_unified_json(&profile, selection, out, message, capacity);
}

static void a_tree_leaves_out_empty_columns(void **state) {
  (void)state;
  fmlp_capture *capture = profile_fixture();
  capture->operation_count = capture->call_count = capture->sample_count = capture->counter_count = 0;
  capture->unattributed_operations = capture->device_clock_residual = 0;
  char *text = view(fmlp_unified_text, capture, &(fmlp_unified_selection){.top = -1, .depth = 1});
  assert_string_equal(
      text,
      "calls  threads  tottime   share  cumtime  percall  allocs  allocated    bytes       rate  call path\n"
      "    1        1  31.0 us  20.8 %  99.0 us  99.0 us       1    1.02 kB  4.00 MB  40.4 GB/s  run\n"
      "    2        1  12.0 us   8.1 %  38.0 us  19.0 us       2    8.19 kB                        labels\n"
      "    1        1  21.0 us  14.1 %  30.0 us  30.0 us       0        0 B                        walk "
      "\"a;b\" "
      "<\\>\n"
      "    2        1  36.0 us  24.2 %  50.0 us  25.0 us       0        0 B    512 B  10.2 MB/s  worker\n"
      "    2        1  14.0 us   9.4 %  14.0 us  7.00 us       0        0 B    128 B  9.14 MB/s    walk "
      "\"a;b\" <\\>\n"
      "\n14 calls on 7 paths of 2 threads; internal time 149000 ns, wall time 120000 ns.\n"
      "14 spans at 20.5 ns: 0.239 % of the wall time.\n"
      "GPU timeline: 0 operations, 0 calls; busy 0.0 % of the wall time.\n"
      "Host memory: at most 0.0 MB allocated, 3.1 MB resident; 0 allocations (0.0 MB) outside any span.\n");
  free(text);
  fmlp_capture_free(capture);
}

static void rows_are_chosen(void **state) {
  (void)state;
  fmlp_capture *capture = profile_fixture();
  char *text = view(fmlp_unified_text, capture,
                    &(fmlp_unified_selection){.sort = "tottime", .top = 2, .depth = -1, .flat = true});
  assert_non_null(strstr(text, "  worker\n"));
  assert_non_null(strstr(text, "  run\n"));
  assert_null(strstr(text, "labels"));
  assert_true(strstr(text, "  worker\n") < strstr(text, "  run\n"));
  free(text);
  text =
      view(fmlp_unified_text, capture, &(fmlp_unified_selection){.filter = "search", .top = -1, .depth = -1});
  assert_non_null(strstr(text, "  run\n"));
  assert_non_null(strstr(text, "    labels\n"));
  assert_non_null(strstr(text, "      labels.search\n"));
  assert_null(strstr(text, "walk"));
  free(text);
  text = view(fmlp_unified_text, capture,
              &(fmlp_unified_selection){.filter = "search", .top = -1, .depth = -1, .flat = true});
  assert_non_null(strstr(text, "  run > labels > labels.search\n"));
  free(text);
  char message[128] = "";
  assert_false(fmlp_unified_text(capture, &(fmlp_unified_selection){.filter = "a(", .top = -1}, stdout,
                                 message, sizeof message));
  assert_non_null(strstr(message, "a("));
  assert_false(
      fmlp_unified_text(capture, &(fmlp_unified_selection){.sort = "x"}, stdout, message, sizeof message));
  assert_non_null(strstr(message, "x"));
  fmlp_capture_free(capture);
}

static void json_holds_the_same_columns(void **state) {
  (void)state;
  fmlp_capture *capture = profile_fixture();
  char *text = view(json_view, capture, NULL);
  json_error_t error;
  json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error), *row = NULL;
  if (!root) fail_msg("line %d: %s", error.line, error.text);
  size_t i = 0;
  json_int_t self = 0, sum = 0, functions = 0;
  assert_string_equal(json_string_value(json_object_get(root, "schema")), "fmlp-profile-table");
  assert_int_equal(json_integer_value(json_object_get(root, "version")), 2);
  assert_string_equal(json_string_value(json_object_get(json_object_get(root, "facts"), "name")),
                      "a \"run\"");
  json_array_foreach(json_object_get(root, "paths"), i, row) {
    self += json_integer_value(json_object_get(row, "tottime_ns"));
    sum += json_integer_value(json_object_get(row, "gpu_self_sum_ns"));
    for (const fmlp_unified_column *column = fmlp_unified_columns; column->key; column++)
      assert_true(json_is_number(json_object_get(row, column->key)));
  }
  json_array_foreach(json_object_get(root, "functions"), i, row) functions +=
      json_integer_value(json_object_get(row, "tottime_ns"));
  sum += json_integer_value(json_object_get(json_object_get(root, "unattributed"), "gpu_self_sum_ns"));
  assert_int_equal(self, PROFILE_FIXTURE_TOTAL);
  assert_int_equal(functions, PROFILE_FIXTURE_TOTAL);
  assert_int_equal(sum, PROFILE_FIXTURE_DEVICE);
  assert_int_equal(json_integer_value(json_object_get(json_object_get(root, "totals"), "gpu_busy_ns")), 9000);
  assert_int_equal(json_array_size(json_object_get(root, "devices")), 1);
  json_decref(root);
  free(text);
  fmlp_capture_free(capture);
}

static void nothing_is_shown_too(void **state) {
  (void)state;
  static const fmlp_capture capture = {0};
  free(view(fmlp_unified_text, &capture, &(fmlp_unified_selection){.top = -1, .depth = -1}));
  free(view(fmlp_unified_csv, &capture, NULL));
  char *text = view(json_view, &capture, NULL);
  json_t *root = json_loads(text, 0, NULL);
  assert_non_null(root);
  json_decref(root);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(busy_is_the_union_below_each_path),
      cmocka_unit_test(depth_costs_nothing),
      cmocka_unit_test(columns_of_the_fixture),
      cmocka_unit_test(busy_never_exceeds_the_wall_time),
      cmocka_unit_test(a_tree_leaves_out_empty_columns),
      cmocka_unit_test(rows_are_chosen),
      cmocka_unit_test(json_holds_the_same_columns),
      cmocka_unit_test(nothing_is_shown_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
