/* Exports of a profile: exact bytes where they are few, strict readers of the formats else. */
#define _GNU_SOURCE
#include "tests/unit/profile_fixture.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "prof/views/export.h"

typedef bool (*export_function)(const fmlp_capture *capture, FILE *out);

/* What `export` writes of `capture`, the caller's. */
static char *text_of(export_function export, const fmlp_capture *capture) {
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  assert_non_null(out);
  assert_true(export(capture, out));
  assert_int_equal(fclose(out), 0);
  return text;
}

static void expect_text(export_function export, const char *expected) {
  fmlp_capture *capture = profile_fixture();
  char *text = text_of(export, capture);
  assert_string_equal(text, expected);
  free(text);
  fmlp_capture_free(capture);
}

static void the_fixture_agrees_with_itself(void **state) {
  (void)state;
  fmlp_capture *capture = profile_fixture();
  int64_t self = 0, operations = 0, unknown = 0, total[7] = {0}, calls[7] = {0};
  for (int64_t i = 0; i < capture->event_count; i++) {
    total[capture->events[i].node] += capture->events[i].end - capture->events[i].start;
    calls[capture->events[i].node]++;
  }
  for (int32_t i = 0; i < capture->node_count; i++) {
    int64_t inner = 0;
    for (int32_t j = i + 1; j < capture->node_count; j++)
      if (capture->nodes[j].parent == i) inner += capture->nodes[j].total;
    assert_int_equal(capture->nodes[i].total, capture->nodes[i].self + inner);
    assert_int_equal(capture->nodes[i].total, total[i]);
    assert_int_equal(capture->nodes[i].calls, calls[i]);
    self += capture->nodes[i].self;
  }
  for (int64_t i = 0; i < capture->operation_count; i++) {
    operations += capture->operations[i].end - capture->operations[i].start;
    unknown += capture->operations[i].node < 0;
  }
  assert_int_equal(self, PROFILE_FIXTURE_TOTAL);
  assert_int_equal(operations, PROFILE_FIXTURE_DEVICE);
  assert_int_equal(unknown, capture->unattributed_operations);
  fmlp_capture_free(capture);
}

static void collapsed_has_a_line_a_path(void **state) {
  (void)state;
  expect_text(fmlp_export_collapsed, "run 31000\n"
                                     "run;labels 12000\n"
                                     "run;labels;labels.search 26000\n"
                                     "run;walk \"a:b\" <\\> 20999\n"
                                     "run;walk \"a:b\" <\\>;walk \"a:b\" <\\> 9001\n"
                                     "worker 36000\n"
                                     "worker;walk \"a:b\" <\\> 14000\n");
}

static void csv_has_a_row_a_path_and_one_for_the_rest(void **state) {
  (void)state;
  static const char *const LINES[] = {
      "path,parent,depth,name,file,line,function,ncalls,threads,tottime_ns,share,cumtime_ns,percall_ns,",
      "\n0,-1,0,\"run\",\"common/pipeline.c\",40,\"fmlp_run\",1,1,31000,0.208054,99000,99000,0,1,1024,",
      ("\n2,1,2,\"labels.search\",\"cpu/triple_barrier.c\",9,\"search\",4,1,26000,0.174497,26000,6500,2,0,0,"
       "1048576,65536,13107200000,13.107200,5000,0.041667,5000,8000,8000,5000,2,2,2,8000,2,4300,400,0,0,0,0,"
       "0,"
       "0,0,0,65536\n3,0,1,\"walk \"\"a;b\"\" <\\>\",\"common/stages/walk.c\",10,\"walk\",1,"),
      ("\n-1,-1,0,\"(unattributed)\",\"\",0,\"\",0,0,0,0.000000,0,0,1,0,0,0,0,0,0.000000,4000,0.033333,4000,"
       "4000,4000,4000,1,1,1,4000,0,0,0,0,0,0,0,0,0,0,0,0\n")};
  fmlp_capture *capture = profile_fixture();
  char *text = text_of(fmlp_export_csv, capture);
  for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++)
    if (!strstr(text, LINES[i])) fail_msg("no %s in %s", LINES[i], text);
  assert_true(strncmp(text, LINES[0], strlen(LINES[0])) == 0);
  free(text);
  fmlp_capture_free(capture);
}

static void pstats_is_marshalled(void **state) {
  (void)state;
  static fmlp_capture_site sites[] = {{"f", "a.c", "f", 3}};
  static fmlp_capture_node nodes[] = {{0, -1, 0, 1, 1000000000, 1500000000, 0, 0, 0},
                                      {0, 0, 0, (int64_t)1 << 31, 500000000, 500000000, 0, 0, 0}};
  const fmlp_capture capture = {.site_count = 1, .sites = sites, .node_count = 2, .nodes = nodes};
  static const char FUNCTION[] = "(\3\0\0\0u\3\0\0\0a.ci\3\0\0\0u\1\0\0\0f";
  /* 2^31 + 1 in digits of 15 bits: 1, 0, 2 */
  static const char NUMBERS[] =
      "(\5\0\0\0i\1\0\0\0l\3\0\0\0\1\0\0\0\2\0g\0\0\0\0\0\0\370?g\0\0\0\0\0\0\370?{";
  static const char CALLER[] = "(\4\0\0\0l\3\0\0\0\0\0\0\0\2\0l\3\0\0\0\0\0\0\0\2\0"
                               "g\0\0\0\0\0\0\340?g\0\0\0\0\0\0\340?00";
  char expected[512] = "{", *text = NULL;
  size_t length = 1, written = 0;
#define APPEND(bytes)                                                                                        \
  memcpy(expected + length, bytes, sizeof(bytes) - 1);                                                       \
  length += sizeof(bytes) - 1
  APPEND(FUNCTION);
  APPEND(NUMBERS);
  APPEND(FUNCTION);
  APPEND(CALLER);
  FILE *out = open_memstream(&text, &written);
  assert_true(fmlp_export_pstats(&capture, out));
  assert_int_equal(fclose(out), 0);
  assert_int_equal(written, length);
  assert_memory_equal(text, expected, length);
  free(text);
}

static void operations_are_functions_of_a_file_of_their_own(void **state) {
  (void)state;
  /* two calls, both from the search: 8000 ns */
  static const char ROW[] = "(\3\0\0\0u\1\0\0\0~i\0\0\0\0u\20\0\0\0<triple_barrier>"
                            "(\5\0\0\0i\2\0\0\0i\2\0\0\0g";
  static const char UNKNOWN[] = "u\16\0\0\0<unattributed>(\5\0\0\0i\1\0\0\0i\1\0\0\0g";
  fmlp_capture *capture = profile_fixture();
  const double seconds = 8000 / 1e9;
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  assert_true(fmlp_export_pstats_device(capture, out));
  assert_int_equal(fclose(out), 0);
  const char *row = memmem(text, length, ROW, sizeof ROW - 1);
  assert_non_null(row);
  assert_memory_equal(row + sizeof ROW - 1, &seconds, sizeof seconds); /* this machine's are theirs */
  assert_non_null(memmem(text, length, UNKNOWN, sizeof UNKNOWN - 1));
  assert_non_null(memmem(text, length, "u\12\0\0\0<sum<int>>", 15));
  assert_null(memmem(text, length, "worker", 6)); /* launched nothing */
  free(text);
  fmlp_capture_free(capture);
}

static void dot_has_a_box_a_function_and_an_arrow_a_caller(void **state) {
  (void)state;
  fmlp_capture *capture = profile_fixture();
  char *text = text_of(fmlp_export_dot, capture);
  int64_t total = 0, arrows = 0;
  for (char *at = text, *end = NULL; (end = strchr(at, '\n')); at = end + 1) {
    *end = '\0';
    const char *time = strstr(at, "tottime_ns=");
    arrows += strstr(at, " -> ") != NULL;
    if (time && !strstr(at, " -> ")) total += strtoll(time + strlen("tottime_ns="), NULL, 10);
    if (strncmp(at, "  f3 [", 6) == 0)
      assert_string_equal(
          at, "  f3 [label=\"walk \\\"a;b\\\" <\\\\>\\ncommon/stages/walk.c:10\\n29.53 % (29.53 %)"
              "\\n5/3\", fillcolor=\"0.05 0.295 1.0\", tottime_ns=44000, cumtime_ns=44000];");
  }
  assert_int_equal(total, PROFILE_FIXTURE_TOTAL);
  assert_int_equal(arrows, 5);
  free(text);
  fmlp_capture_free(capture);
}

static json_t *json_of(export_function export, const fmlp_capture *capture) {
  char *text = text_of(export, capture);
  json_error_t error;
  json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
  if (!root) fail_msg("line %d: %s", error.line, error.text);
  free(text);
  return root;
}

static int64_t integer(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);
  if (!json_is_integer(value)) fail_msg("%s is no integer", key);
  return json_integer_value(value);
}

static const char *word(const json_t *object, const char *key) {
  const char *value = json_string_value(json_object_get(object, key));
  if (!value) fail_msg("%s is no string", key);
  return value;
}

/* ---- speedscope ---- */

/* Frames, opened and closed in order of time and innermost first; the time in which a frame was open. */
static int64_t check_evented(const json_t *profile, size_t frames) {
  const json_t *events = json_object_get(profile, "events"), *event = NULL;
  int64_t open[64], now = integer(profile, "startValue"), busy = 0;
  size_t depth = 0, i = 0;
  json_array_foreach(events, i, event) {
    int64_t at = integer(event, "at"), frame = integer(event, "frame");
    assert_true(at >= now && frame >= 0 && (size_t)frame < frames);
    if (depth > 0) busy += at - now;
    now = at;
    if (strcmp(word(event, "type"), "O") == 0) {
      assert_true(depth < 64);
      open[depth++] = frame;
    } else {
      assert_string_equal(word(event, "type"), "C");
      assert_true(depth > 0 && open[depth - 1] == frame);
      depth--;
    }
  }
  assert_int_equal(depth, 0);
  assert_true(now <= integer(profile, "endValue"));
  return busy;
}

static int64_t check_sampled(const json_t *profile, size_t frames) {
  const json_t *samples = json_object_get(profile, "samples"), *weights = json_object_get(profile, "weights");
  const json_t *sample = NULL, *frame = NULL;
  int64_t sum = 0;
  size_t i = 0, f = 0;
  assert_int_equal(json_array_size(samples), json_array_size(weights));
  json_array_foreach(samples, i, sample) {
    json_array_foreach(sample, f, frame)
        assert_true(json_is_integer(frame) && json_integer_value(frame) < (json_int_t)frames);
    sum += json_integer_value(json_array_get(weights, i));
  }
  assert_int_equal(sum, integer(profile, "endValue") - integer(profile, "startValue"));
  return sum;
}

static void speedscope_holds_what_its_format_demands(void **state) {
  (void)state;
  static const int64_t SUMS[] = {PROFILE_FIXTURE_TOTAL, 99000, 50000, 7000, 4500, 4000, 3, 1};
  fmlp_capture *capture = profile_fixture();
  json_t *root = json_of(fmlp_export_speedscope, capture);
  const json_t *frames = json_object_get(json_object_get(root, "shared"), "frames"), *profile = NULL;
  size_t i = 0;
  assert_string_equal(word(root, "$schema"), "https://www.speedscope.app/file-format-schema.json");
  assert_int_equal(json_array_size(json_object_get(root, "profiles")), sizeof SUMS / sizeof *SUMS);
  json_array_foreach(json_object_get(root, "profiles"), i, profile) {
    bool evented = strcmp(word(profile, "type"), "evented") == 0;
    size_t count = json_array_size(frames);
    (void)word(profile, "name");
    (void)word(profile, "unit");
    assert_int_equal(evented ? check_evented(profile, count) : check_sampled(profile, count), SUMS[i]);
  }
  assert_string_equal(word(json_array_get(frames, 3), "name"), "walk \"a;b\" <\\>");
  json_decref(root);
  fmlp_capture_free(capture);
}

/* ---- chrome ---- */

/* us with three decimals, in ns */
static int64_t nanoseconds(const json_t *event, const char *key) {
  assert_true(json_is_number(json_object_get(event, key)));
  return llround(1000 * json_number_value(json_object_get(event, key)));
}

/* The slices of a row lie in or behind each other, in order of time; ns of the outermost. */
static int64_t check_row(const json_t *events, int64_t process, int64_t row) {
  const json_t *event = NULL;
  int64_t ends[64], now = INT64_MIN, sum = 0;
  size_t i = 0, depth = 0;
  json_array_foreach(events, i, event) {
    if (integer(event, "pid") != process || integer(event, "tid") != row) continue;
    if (strcmp(word(event, "ph"), "X") != 0) continue;
    int64_t start = nanoseconds(event, "ts"), end = start + nanoseconds(event, "dur");
    assert_true(start >= now && end >= start && depth < 64);
    now = start;
    while (depth > 0 && ends[depth - 1] <= start) depth--;
    if (depth > 0) assert_true(end <= ends[depth - 1]);
    if (depth == 0) sum += end - start;
    ends[depth++] = end;
  }
  return sum;
}

/* Does a slice of the row hold this moment as `start` its beginning? */
static bool slice_starts(const json_t *events, const json_t *arrow) {
  const json_t *event = NULL;
  size_t i = 0;
  json_array_foreach(events, i, event) {
    if (strcmp(word(event, "ph"), "X") == 0 && integer(event, "pid") == integer(arrow, "pid") &&
        integer(event, "tid") == integer(arrow, "tid") &&
        nanoseconds(event, "ts") == nanoseconds(arrow, "ts"))
      return true;
  }
  return false;
}

/* Every "s" has its "f", later and bound to the slice around it; their number. */
static int check_arrows(const json_t *events) {
  const json_t *event = NULL, *last = NULL;
  int arrows = 0;
  size_t i = 0;
  json_array_foreach(events, i, event) {
    const char *phase = word(event, "ph");
    if (strcmp(phase, "s") == 0) {
      assert_null(last);
      assert_true(slice_starts(events, event));
      last = event;
    } else if (strcmp(phase, "f") == 0) {
      assert_non_null(last);
      assert_int_equal(integer(last, "id"), integer(event, "id"));
      assert_string_equal(word(last, "name"), word(event, "name"));
      assert_string_equal(word(event, "bp"), "e");
      assert_true(nanoseconds(event, "ts") >= nanoseconds(last, "ts"));
      assert_true(slice_starts(events, event));
      last = NULL;
      arrows++;
    }
  }
  assert_null(last);
  return arrows;
}

static int count_phase(const json_t *events, const char *phase) {
  const json_t *event = NULL;
  int count = 0;
  size_t i = 0;
  json_array_foreach(events, i, event) count += strcmp(word(event, "ph"), phase) == 0;
  return count;
}

static void chrome_nests_and_its_arrows_have_both_ends(void **state) {
  (void)state;
  fmlp_capture *capture = profile_fixture();
  json_t *root = json_of(fmlp_export_chrome, capture);
  const json_t *events = json_object_get(root, "traceEvents"), *other = json_object_get(root, "otherData");
  assert_int_equal(check_row(events, 1, 1), 99000);
  assert_int_equal(check_row(events, 1, 2), 50000);
  assert_int_equal(check_row(events, 1, 3), 3800); /* the calls */
  assert_int_equal(check_row(events, 2, 4), 7000);
  assert_int_equal(check_row(events, 2, 5), 4500);
  assert_int_equal(check_row(events, 2, 6), 4000); /* the second lane of stream 13 */
  assert_int_equal(check_arrows(events), 4);
  assert_int_equal(count_phase(events, "X"), 14 + 5 + 6);
  assert_int_equal(count_phase(events, "C"), capture->counter_count);
  assert_int_equal(count_phase(events, "M"), 2 + 2 + 4);
  assert_int_equal(integer(other, "tottime_ns"), PROFILE_FIXTURE_TOTAL);
  assert_int_equal(integer(other, "device_ns"), PROFILE_FIXTURE_DEVICE);
  assert_int_equal(integer(other, "left_out"), 0);
  json_decref(root);
  fmlp_capture_free(capture);
}

static int64_t limit;

static bool limited_chrome(const fmlp_capture *capture, FILE *out) {
  return fmlp_export_chrome_limited(capture, limit, out);
}

static void chrome_counts_what_finds_no_room(void **state) {
  (void)state;
  static const struct {
    int64_t limit;
    int slices, counters, arrows, left_out;
  } cases[] = {{0, 0, 0, 0, 31},  {3, 3, 0, 0, 28},  {21, 20, 1, 0, 10}, /* spans, then operations */
               {31, 25, 6, 0, 0}, {36, 25, 6, 2, 0}, {39, 25, 6, 4, 0}};
  fmlp_capture *capture = profile_fixture();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    limit = cases[i].limit;
    json_t *root = json_of(limited_chrome, capture);
    const json_t *events = json_object_get(root, "traceEvents"), *other = json_object_get(root, "otherData");
    assert_int_equal(count_phase(events, "X"), cases[i].slices);
    assert_int_equal(count_phase(events, "C"), cases[i].counters);
    assert_int_equal(check_arrows(events), cases[i].arrows);
    assert_int_equal(integer(other, "left_out"), cases[i].left_out);
    assert_int_equal(integer(other, "tottime_ns"), PROFILE_FIXTURE_TOTAL);
    if (limit >= 20) assert_int_equal(integer(other, "arrows_left_out"), 4 - cases[i].arrows);
    json_decref(root);
  }
  fmlp_capture_free(capture);
}

static void bytes_that_are_no_text_are_replaced(void **state) {
  (void)state;
  static fmlp_capture_site sites[] = {{"\303\251\377 \355\240\200\x01", "a.c", "f", 3}};
  static fmlp_capture_node nodes[] = {{0, -1, 0, 1, 5, 5, 0, 0, 0}};
  const fmlp_capture capture = {.site_count = 1, .sites = sites, .node_count = 1, .nodes = nodes};
  json_t *root = json_of(fmlp_export_speedscope, &capture);
  const json_t *frames = json_object_get(json_object_get(root, "shared"), "frames");
  assert_string_equal(word(json_array_get(frames, 0), "name"), "\303\251? ???\x01");
  json_decref(root);
}

static void an_empty_capture_is_exported_too(void **state) {
  (void)state;
  static const fmlp_capture capture = {0};
  json_decref(json_of(fmlp_export_chrome, &capture));
  json_decref(json_of(fmlp_export_speedscope, &capture));
  char *text = text_of(fmlp_export_pstats, &capture);
  assert_string_equal(text, "{0");
  free(text);
  text = text_of(fmlp_export_pstats_device, &capture);
  assert_string_equal(text, "{0");
  free(text);
  text = text_of(fmlp_export_collapsed, &capture);
  assert_string_equal(text, "");
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_fixture_agrees_with_itself),
      cmocka_unit_test(collapsed_has_a_line_a_path),
      cmocka_unit_test(csv_has_a_row_a_path_and_one_for_the_rest),
      cmocka_unit_test(pstats_is_marshalled),
      cmocka_unit_test(operations_are_functions_of_a_file_of_their_own),
      cmocka_unit_test(dot_has_a_box_a_function_and_an_arrow_a_caller),
      cmocka_unit_test(speedscope_holds_what_its_format_demands),
      cmocka_unit_test(chrome_nests_and_its_arrows_have_both_ends),
      cmocka_unit_test(chrome_counts_what_finds_no_room),
      cmocka_unit_test(bytes_that_are_no_text_are_replaced),
      cmocka_unit_test(an_empty_capture_is_exported_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
