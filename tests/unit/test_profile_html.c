/* The HTML page of a profile, as text and data; tests/browser/ opens it. */
#define _GNU_SOURCE
#include "tests/unit/profile_fixture.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "prof/views/export_html.h"

/* The page of `capture`, which it takes over; the caller's. */
static char *page_of(fmlp_capture *capture, const fmlp_html_options *options) {
  char *text = NULL;
  size_t length = 0;
  fmlp_profile *profile = fmlp_profile_create();
  assert_non_null(profile);
  assert_true(fmlp_profile_set(profile, FMLP_FACT_NAME, "</script><b>"));
  assert_true(fmlp_profile_add(profile, capture));
  FILE *out = open_memstream(&text, &length);
  assert_non_null(out);
  assert_true(fmlp_export_html(profile, options, out));
  assert_int_equal(fclose(out), 0);
  assert_int_equal(strlen(text), length);
  fmlp_profile_free(profile);
  return text;
}

/* The data between its tags: nothing in it can end them. */
static json_t *data_of(const char *page) {
  static const char OPENING[] = "<script type=\"application/json\" id=\"capture\">";
  const char *start = strstr(page, OPENING);
  assert_non_null(start);
  start += sizeof OPENING - 1;
  const char *end = strchr(start, '<');
  assert_non_null(end);
  assert_memory_equal(end, "</script>", 9);
  json_error_t error;
  json_t *data = json_loadb(start, (size_t)(end - start), 0, &error);
  if (!data) fail_msg("%s at %d", error.text, error.position);
  return data;
}

static json_t *data_from(fmlp_capture *capture, const fmlp_html_options *options) {
  char *page = page_of(capture, options);
  json_t *data = data_of(page);
  free(page);
  return data;
}

static int64_t member(const json_t *object, const char *name) {
  const json_t *value = json_object_get(object, name);
  assert_true(json_is_integer(value));
  return json_integer_value(value);
}

/* Row of a column; a column that is not there holds zeros. */
static int64_t cell(const json_t *table, const char *name, size_t row) {
  const json_t *column = json_object_get(table, name);
  if (!column) return 0;
  assert_true(row < json_array_size(column));
  return json_integer_value(json_array_get(column, row));
}

static int64_t sum_of(const json_t *table, const char *name) {
  int64_t sum = 0;
  const json_t *column = json_object_get(table, name);
  for (size_t i = 0; i < json_array_size(column); i++) sum += json_integer_value(json_array_get(column, i));
  return sum;
}

static const json_t *path_column(const json_t *data, const char *key) {
  const json_t *columns = json_object_get(data, "columns");
  for (size_t i = 0; i < json_array_size(columns); i++) {
    const json_t *column = json_array_get(columns, i);
    if (strcmp(json_string_value(json_object_get(column, "key")), key) == 0) return column;
  }
  fail_msg("no column %s", key);
  return NULL;
}

static void the_page_is_whole_and_alone(void **state) {
  (void)state;
  char *page = page_of(profile_fixture(), NULL);
  assert_memory_equal(page, "<!DOCTYPE html>", 15);
  assert_string_equal(page + strlen(page) - 8, "</html>\n");
  assert_non_null(
      strstr(page, "Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-"));
  static const char *const FORBIDDEN[] = {"http:",   "https:", " src=", "@import",   "url(", "unsafe-",
                                          "@SCRIPT", "@STYLE", "@DATA", "innerHTML", "<!--", "eval("};
  for (size_t i = 0; i < sizeof FORBIDDEN / sizeof *FORBIDDEN; i++)
    if (strstr(page, FORBIDDEN[i])) fail_msg("the page holds %s", FORBIDDEN[i]);
  int scripts = 0;
  for (const char *at = page; (at = strstr(at, "</script")); at++) scripts++;
  assert_int_equal(scripts, 2); /* the data and the program */
  free(page);
}

static void totals_are_the_captures(void **state) {
  (void)state;
  json_t *data = data_from(profile_fixture(), NULL);
  const json_t *capture = json_object_get(data, "capture");
  assert_int_equal(member(capture, "tottime"), PROFILE_FIXTURE_TOTAL);
  assert_int_equal(sum_of(json_object_get(data, "nodes"), "self"), PROFILE_FIXTURE_TOTAL);
  assert_int_equal(sum_of(json_object_get(data, "functions"), "tottime"), PROFILE_FIXTURE_TOTAL);
  assert_int_equal(sum_of(path_column(data, "tottime_ns"), "values"), PROFILE_FIXTURE_TOTAL);
  assert_int_equal(member(capture, "deviceSum"), PROFILE_FIXTURE_DEVICE);
  const json_t *device = path_column(data, "gpu_self_sum_ns");
  assert_int_equal(sum_of(device, "values") + member(device, "rest"), PROFILE_FIXTURE_DEVICE);
  assert_int_equal(sum_of(json_object_get(data, "operations"), "duration"), PROFILE_FIXTURE_DEVICE);
  assert_int_equal(member(capture, "unattributed"), 1);
  json_decref(data);
}

/* Functions that launched from several call paths are busy while any of theirs runs. */
static void functions_have_what_their_paths_have(void **state) {
  (void)state;
  json_t *data = data_from(profile_fixture(), NULL);
  const json_t *functions = json_object_get(data, "functions"),
               *columns = json_object_get(functions, "columns");
  assert_int_equal(member(functions, "count"), 5);
  int64_t busy[5] = {0}, sum = 0;
  for (size_t i = 0; i < json_array_size(columns); i++) {
    const json_t *column = json_array_get(columns, i);
    const char *key = json_string_value(json_object_get(column, "key"));
    if (strcmp(key, "gpu_self_sum_ns") == 0) sum = sum_of(column, "values");
    for (size_t row = 0; strcmp(key, "gpu_self_busy_ns") == 0 && row < 5; row++)
      busy[row] = cell(column, "values", row);
  }
  assert_int_equal(sum, PROFILE_FIXTURE_DEVICE - 4000);
  assert_int_equal(busy[PROFILE_FIXTURE_LABELS], 3000);
  assert_int_equal(busy[PROFILE_FIXTURE_SEARCH], 5000); /* of 8000 one by one */
  assert_int_equal(busy[PROFILE_FIXTURE_WALK], 500);
  assert_int_equal(cell(functions, "primitive", PROFILE_FIXTURE_WALK), 3);
  assert_int_equal(cell(functions, "calls", PROFILE_FIXTURE_WALK), 5);
  assert_int_equal(member(json_object_get(data, "callers"), "count"), 5);
  json_decref(data);
}

/* The advice is that of `fmlp profile top`. */
static void heavy_functions_have_a_reason(void **state) {
  (void)state;
  json_t *data = data_from(profile_fixture(), NULL);
  const json_t *advice = json_object_get(data, "advice");
  int64_t host = 0;
  assert_true(json_array_size(advice) > 5); /* five functions of 5 % and more, and operations */
  for (size_t i = 0; i < json_array_size(advice); i++) {
    const json_t *item = json_array_get(advice, i);
    assert_int_equal(json_array_size(item), 6);
    assert_true(strlen(json_string_value(json_array_get(item, 3))) > 0);
    host +=
        json_integer_value(json_array_get(item, 0)) >= 0 ? json_integer_value(json_array_get(item, 2)) : 0;
  }
  assert_int_equal(host, PROFILE_FIXTURE_TOTAL);
  json_decref(data);
}

static void names_cannot_leave_their_place(void **state) {
  (void)state;
  fmlp_capture *capture = profile_fixture();
  capture->sites[0].name = "</script><!--\"\\\n\x01\xe2\x80\xa8";
  capture->sites[1].file = "\xff\xed\xa0\x80.c";
  (void)snprintf(capture->device_reason, sizeof capture->device_reason, "<script>\xc0");
  json_t *data = data_from(capture, NULL);
  const json_t *sites = json_object_get(data, "sites");
  assert_string_equal(json_string_value(json_array_get(json_array_get(sites, 0), 0)),
                      "</script><!--\"\\\n\x01\xe2\x80\xa8");
  assert_string_equal(json_string_value(json_array_get(json_array_get(sites, 1), 1)), "????.c");
  assert_string_equal(json_string_value(json_object_get(json_object_get(data, "capture"), "deviceReason")),
                      "<script>?");
  const json_t *fact = json_array_get(json_object_get(data, "facts"), 0);
  assert_string_equal(json_string_value(json_array_get(fact, 1)), "</script><b>");
  json_decref(data);
}

/* Whatever the limit, a span that is shown stands in the spans around it, and no longer one is left out. */
static void the_longest_spans_stay(void **state) {
  (void)state;
  for (int64_t most = 1; most <= 14; most++) {
    const fmlp_html_options options = {.max_events = most};
    json_t *data = data_from(profile_fixture(), &options);
    const json_t *events = json_object_get(data, "events");
    const int64_t count = member(events, "count");
    assert_int_equal(count, most);
    int64_t start = 0, open_until[2][4] = {{0}};
    for (size_t i = 0; i < (size_t)count; i++) {
      static const int DEPTH[] = {0, 1, 2, 1, 2, 0, 1}, THREAD[] = {0, 0, 0, 0, 0, 1, 1};
      const int64_t node = cell(events, "node", i), length = cell(events, "duration", i);
      start += cell(events, "start", i);
      if (DEPTH[node] > 0) assert_true(start + length <= open_until[THREAD[node]][DEPTH[node] - 1]);
      open_until[THREAD[node]][DEPTH[node]] = start + length;
    }
    assert_int_equal(cell(events, "duration", 0), 99000);
    assert_int_equal(member(json_object_get(data, "capture"), "events"), 14); /* of which `most` are shown */
    assert_true(member(json_object_get(data, "operations"), "count") == (most < 6 ? most : 6));
    json_decref(data);
  }
}

static void a_long_memory_keeps_its_peaks(void **state) {
  (void)state;
  enum { READINGS = 100000, PEAK = 54321 };
  fmlp_capture *capture = profile_fixture();
  free(capture->counters);
  capture->counter_count = READINGS;
  capture->counters = calloc(READINGS, sizeof *capture->counters);
  assert_non_null(capture->counters);
  for (int64_t i = 0; i < READINGS; i++)
    capture->counters[i] =
        (fmlp_capture_counter){FMLP_COUNTER_RESIDENT, -1, i, i == PEAK ? 1000000 : 1000 + i % 7};
  json_t *data = data_from(capture, NULL);
  const json_t *series = json_array_get(json_object_get(data, "counters"), 0);
  const size_t count = (size_t)member(series, "count");
  assert_true(count < 25000);
  assert_int_equal(member(json_object_get(data, "capture"), "countersLeftOut"), READINGS - (int64_t)count);
  int64_t time = 0, most = 0, when = -1;
  for (size_t i = 0; i < count; i++) {
    assert_true(i == 0 || cell(series, "time", i) > 0);
    time += cell(series, "time", i);
    if (cell(series, "value", i) <= most) continue;
    most = cell(series, "value", i);
    when = time;
  }
  assert_int_equal(most, 1000000);
  assert_int_equal(when, PEAK);
  assert_int_equal(time, READINGS - 1);
  json_decref(data);
}

static void samples_are_counted_once(void **state) {
  (void)state;
  json_t *data = data_from(profile_fixture(), NULL);
  const json_t *lines = json_object_get(data, "lines"), *names = json_object_get(data, "names");
  const json_t *sampled = json_object_get(data, "sampled");
  assert_int_equal(member(lines, "samples"), 4);
  assert_int_equal(member(lines, "placed"), 2);
  assert_int_equal(member(lines, "count"), 1);
  assert_int_equal(cell(lines, "self", 0), 2);
  assert_int_equal(cell(lines, "total", 0), 2);
  assert_int_equal(member(sampled, "count"), 3);
  assert_int_equal(sum_of(sampled, "self"), 4);
  static const char *const NAMES[] = {"search_loop", "main", "pool_loop"};
  static const int64_t TOTAL[] = {2, 3, 1}; /* main at two addresses */
  for (size_t i = 0; i < 3; i++) {
    const size_t name = (size_t)cell(sampled, "function", i);
    assert_string_equal(json_string_value(json_array_get(names, name)), NAMES[i]);
    assert_int_equal(cell(sampled, "total", i), TOTAL[i]);
  }
  json_decref(data);
}

/* Sources go in when asked for, by a relative name, and never anything else. */
static void sources_are_taken_with_care(void **state) {
  (void)state;
  static const char *const NAMES[] = {"cpu/triple_barrier.c", "LICENSE",   "cpu/../cpu/triple_barrier.c",
                                      "/proc/version.c",      "missing.c", "cpu"};
  char *before = getcwd(NULL, 0);
  assert_non_null(before);
  assert_int_equal(chdir(FMLP_SOURCE_DIR), 0);
  for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
    for (int asked = 0; asked < 2; asked++) {
      const fmlp_html_options options = {.sources = asked};
      fmlp_capture *capture = profile_fixture();
      const int32_t file = fmlp_capture_name(capture, NAMES[i]);
      for (int64_t f = 0; f < capture->frame_count; f++)
        if (capture->frames[f].file >= 0) capture->frames[f].file = file;
      json_t *data = data_from(capture, &options);
      const json_t *sources = json_object_get(json_object_get(data, "lines"), "sources");
      assert_int_equal(json_array_size(sources), asked && i == 0 ? 1 : 0);
      json_decref(data);
    }
  }
  assert_int_equal(chdir(before), 0);
  free(before);
}

static void what_is_empty_or_full_is_no_trouble(void **state) {
  (void)state;
  fmlp_capture *capture = calloc(1, sizeof *capture);
  assert_non_null(capture);
  json_t *data = data_from(capture, NULL);
  assert_int_equal(member(json_object_get(data, "paths"), "count"), 0);
  json_decref(data);
  fmlp_profile *profile = fmlp_profile_create();
  assert_true(fmlp_profile_add(profile, profile_fixture()));
  FILE *full = fopen("/dev/full", "w");
  assert_non_null(full);
  assert_false(fmlp_export_html(profile, NULL, full));
  (void)fclose(full);
  fmlp_profile_free(profile);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_page_is_whole_and_alone),
      cmocka_unit_test(totals_are_the_captures),
      cmocka_unit_test(functions_have_what_their_paths_have),
      cmocka_unit_test(heavy_functions_have_a_reason),
      cmocka_unit_test(names_cannot_leave_their_place),
      cmocka_unit_test(the_longest_spans_stay),
      cmocka_unit_test(a_long_memory_keeps_its_peaks),
      cmocka_unit_test(samples_are_counted_once),
      cmocka_unit_test(sources_are_taken_with_care),
      cmocka_unit_test(what_is_empty_or_full_is_no_trouble),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
