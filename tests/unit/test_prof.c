/* prof/: spans, captures, tables, the profile file. */
#define _GNU_SOURCE
#include "tests/cmocka_fmlp.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "prof/capture.h"
#include "prof/clock.h"
#include "prof/span.h"
#include "prof/store/profile_json_read.h"
#include "prof/views/pstats.h"
#include "prof/views/report.h"
#include "prof/views/table.h"

static void wait_a_little(void) {
  int64_t start = fmlp_clock_nanoseconds();
  while (fmlp_clock_nanoseconds() - start < 20000) {
  }
}

static void leaf(void) {
  FMLP_SPAN("leaf");
  wait_a_little();
}

static void branch(void) {
  FMLP_SPAN("branch");
  leaf();
  leaf();
}

static void descend(int depth) {
  FMLP_SPAN("descend");
  if (depth > 1) descend(depth - 1);
}

static void start(int64_t max_events) {
  fmlp_capture_options options = {.max_events = max_events};
  assert_true(fmlp_capture_start(&options));
}

static fmlp_capture *stop(void) {
  fmlp_capture *capture = fmlp_capture_stop();
  assert_non_null(capture);
  for (int32_t i = 0; i < capture->node_count; i++) {
    const fmlp_capture_node *node = &capture->nodes[i];
    assert_true(node->parent < i && node->parent >= -1);
    assert_in_range(node->site, 0, capture->site_count - 1);
    assert_in_range(node->thread, 0, capture->thread_count - 1);
    assert_true(node->self >= 0 && node->total >= node->self && node->calls > 0);
    int64_t inner = node->self;
    for (int32_t j = i + 1; j < capture->node_count; j++)
      if (capture->nodes[j].parent == i) inner += capture->nodes[j].total;
    assert_int_equal(inner, node->total);
  }
  for (int64_t i = 0; i < capture->event_count; i++) {
    assert_true(capture->events[i].end >= capture->events[i].start);
    assert_in_range(capture->events[i].node, 0, capture->node_count - 1);
  }
  return capture;
}

static const fmlp_table_row *row_named(const fmlp_table *table, const char *name) {
  for (int32_t i = 0; i < table->row_count; i++)
    if (strcmp(table->rows[i].site.name, name) == 0) return &table->rows[i];
  fail_msg("no row %s", name);
  return NULL;
}

static void spans_nest_and_add_up(void **state) {
  (void)state;
  start(0);
  branch();
  leaf();
  fmlp_capture *capture = stop();
  assert_int_equal(capture->spans, 4);
  assert_int_equal(capture->node_count, 3);
  assert_int_equal(capture->thread_count, 1);
  assert_true(capture->threads[0].main);
  assert_int_equal(capture->event_count, 4);
  assert_int_equal(capture->events[0].depth, 0);
  assert_int_equal(capture->events[1].depth, 1);
  assert_true(capture->events[1].start >= capture->events[0].start);
  assert_true(capture->events[2].start >= capture->events[1].end);
  assert_true(capture->events[0].end >= capture->events[2].end);
  fmlp_table table;
  assert_true(fmlp_table_make(capture, &table));
  const fmlp_table_row *inner = row_named(&table, "leaf"), *outer = row_named(&table, "branch");
  assert_int_equal(inner->calls, 3);
  assert_int_equal(inner->caller_count, 1); /* the top has none */
  assert_int_equal(table.callers[inner->first_caller].calls, 2);
  assert_int_equal(outer->calls, 1);
  assert_true(inner->tottime >= 60000 && inner->tottime == inner->cumtime);
  assert_true(outer->cumtime >= 40000 && outer->cumtime <= capture->stop - capture->start);
  assert_int_equal(table.tottime, inner->tottime + outer->tottime);
  assert_null(strstr(inner->site.file, FMLP_SOURCE_DIR)); /* places are relative to the sources */
  fmlp_table_release(&table);
  fmlp_capture_free(capture);
}

static void recursion_counts_primitive_calls_and_time_once(void **state) {
  (void)state;
  start(0);
  descend(3);
  descend(1);
  fmlp_capture *capture = stop();
  fmlp_table table;
  assert_true(fmlp_table_make(capture, &table));
  const fmlp_table_row *row = row_named(&table, "descend");
  assert_int_equal(row->calls, 4);
  assert_int_equal(row->primitive_calls, 2);
  assert_int_equal(row->cumtime, capture->nodes[0].total);
  assert_int_equal(row->tottime, row->cumtime);
  assert_int_equal(row->caller_count, 1);
  assert_int_equal(table.callers[row->first_caller].calls, 2);
  assert_int_equal(table.callers[row->first_caller].primitive_calls, 1);
  fmlp_table_release(&table);
  fmlp_capture_free(capture);
}

static void *work_in_a_thread(void *unused) {
  (void)unused;
  branch();
  return NULL;
}

static void threads_that_end_early_are_kept(void **state) {
  (void)state;
  for (int round = 0; round < 3; round++) { /* later rounds use the records of the first again */
    start(0);
    leaf();
    for (int batch = 0; batch < 2; batch++) {
      pthread_t threads[4];
      for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work_in_a_thread, NULL), 0);
      for (int i = 0; i < 4; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    fmlp_capture *capture = stop();
    assert_int_equal(capture->thread_count, 9);
    assert_int_equal(capture->spans, 1 + 8 * 3);
    assert_int_equal(capture->dropped_spans, 0);
    assert_int_equal(capture->open_spans, 0);
    int mains = 0;
    for (int32_t t = 0; t < capture->thread_count; t++) mains += capture->threads[t].main;
    assert_int_equal(mains, 1);
    fmlp_table table;
    assert_true(fmlp_table_make(capture, &table));
    assert_int_equal(row_named(&table, "leaf")->calls, 17);
    assert_int_equal(row_named(&table, "branch")->primitive_calls, 8);
    fmlp_table_release(&table);
    fmlp_capture_free(capture);
  }
}

static void *end_inside_a_span(void *site) {
  (void)fmlp_span_begin(site);
  wait_a_little();
  return NULL;
}

static void spans_still_open_end_with_the_capture_or_their_thread(void **state) {
  (void)state;
  static const fmlp_span_site SITE = {"left open", "here.c", 1, "f"};
  start(0);
  uint64_t outer = fmlp_span_begin(&SITE);
  pthread_t thread;
  fmlp_span_site copy = SITE;
  assert_int_equal(pthread_create(&thread, NULL, end_inside_a_span, &copy), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  wait_a_little();
  fmlp_capture *capture = stop();
  assert_int_equal(capture->open_spans, 2);
  assert_int_equal(capture->node_count, 2);
  assert_int_equal(capture->site_count, 1); /* two copies of one place */
  assert_true(capture->nodes[0].total >= 40000);
  assert_true(capture->nodes[1].total >= 20000 && capture->nodes[1].total < capture->nodes[0].total);
  fmlp_capture_free(capture);
  start(0);
  fmlp_span_end(outer); /* of the capture before */
  leaf();
  capture = stop();
  assert_int_equal(capture->spans, 1);
  assert_int_equal(capture->open_spans, 0);
  fmlp_capture_free(capture);
}

static void a_span_closes_what_was_left_open_inside_it(void **state) {
  (void)state;
  static const fmlp_span_site SITE = {"left open", "here.c", 1, "f"};
  start(0);
  {
    FMLP_SPAN("outer");
    (void)fmlp_span_begin(&SITE);
    (void)fmlp_span_begin(&SITE);
  }
  leaf();
  fmlp_capture *capture = stop();
  assert_int_equal(capture->abandoned_spans, 2);
  assert_int_equal(capture->open_spans, 0);
  assert_int_equal(capture->events[capture->event_count - 1].depth, 0);
  fmlp_capture_free(capture);
}

static void totals_hold_when_the_timeline_is_full(void **state) {
  (void)state;
  enum { CALLS = 5000 };
  for (int64_t events = -1; events <= 2048; events += 2049) {
    start(events);
    for (int i = 0; i < CALLS; i++) descend(1);
    fmlp_capture *capture = stop();
    assert_int_equal(capture->spans, CALLS);
    assert_int_equal(capture->nodes[0].calls, CALLS);
    assert_int_equal(capture->event_count, events < 0 ? 0 : 2048);
    assert_int_equal(capture->dropped_events, CALLS - capture->event_count);
    assert_int_equal(capture->dropped_spans, 0);
    fmlp_capture_free(capture);
  }
}

static void too_deep_and_too_many_paths_are_dropped_and_counted(void **state) {
  (void)state;
  start(0);
  descend(FMLP_CAPTURE_DEPTH + 100);
  descend(1);
  fmlp_capture *capture = stop();
  assert_int_equal(capture->spans, FMLP_CAPTURE_DEPTH + 1);
  assert_int_equal(capture->dropped_spans, 100);
  assert_int_equal(capture->open_spans, 0);
  fmlp_capture_free(capture);

  enum { SITES = FMLP_CAPTURE_PATHS + 50 };
  static fmlp_span_site sites[SITES];
  start(0);
  for (int i = 0; i < SITES; i++) {
    sites[i] = (fmlp_span_site){"many", "here.c", i, "f"};
    fmlp_span_end(fmlp_span_begin(&sites[i]));
  }
  capture = fmlp_capture_stop();
  assert_non_null(capture);
  assert_int_equal(capture->spans + capture->dropped_spans, SITES);
  assert_int_equal(capture->dropped_spans, 51); /* one place is the thread itself */
  fmlp_capture_free(capture);
}

static void nothing_is_recorded_when_off(void **state) {
  (void)state;
  static const fmlp_span_site SITE = {"off", "here.c", 1, "f"};
  assert_null(fmlp_capture_stop());
  assert_true(fmlp_span_begin(&SITE) == 0);
  fmlp_span_end(0);
  branch();
  start(0);
  assert_false(fmlp_capture_start(NULL));
  fmlp_capture *capture = stop();
  assert_int_equal(capture->spans, 0);
  assert_int_equal(capture->node_count, 0);
  assert_true(capture->pair_picoseconds > 0);
  char *text = fmlp_report_text(capture);
  assert_non_null(strstr(text, "0 function calls in 0.000 seconds"));
  free(text);
  fmlp_capture_free(capture);
}

static void the_system_clock_serves_where_there_is_no_counter(void **state) {
  (void)state;
  bool counter = fmlp_clock_counter;
  fmlp_clock_choose(true);
  assert_false(fmlp_clock_counter);
  start(0);
  leaf();
  fmlp_capture *capture = stop();
  assert_true(capture->nodes[0].total >= 20000 && capture->nodes[0].total < 1000000000);
  fmlp_capture_free(capture);
  fmlp_clock_choose(!counter);
  assert_int_equal(fmlp_clock_counter, counter);
}

static void a_clock_that_goes_nowhere_gives_zero_durations(void **state) {
  (void)state;
  fmlp_clock_sample still = {1000, 5000}, later = {3000, 6000};
  assert_int_equal(fmlp_clock_duration(still, still, 77), 0);
  assert_int_equal(fmlp_clock_moment(still, still, 2000), 5000);
  assert_int_equal(fmlp_clock_moment(still, later, 2000), 5500);
  assert_int_equal(fmlp_clock_duration(still, later, INT64_MAX / 2), INT64_MAX / 4);
}

static fmlp_capture *golden_capture(void) {
  char message[256] = "";
  fmlp_capture *capture =
      fmlp_profile_json_read(FMLP_SOURCE_DIR "/tests/golden/profile.json", message, sizeof message);
  if (!capture) print_error("%s\n", message);
  assert_non_null(capture);
  return capture;
}

static char *read_text(const char *path) {
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  char *text = calloc(1, 1 << 16);
  assert_non_null(text);
  size_t length = fread(text, 1, (1 << 16) - 1, file);
  assert_true(length > 0);
  assert_int_equal(fclose(file), 0);
  return text;
}

static void tables_equal_those_of_pythons_pstats(void **state) {
  (void)state;
  fmlp_capture *capture = golden_capture();
  char *golden = read_text(FMLP_SOURCE_DIR "/tests/golden/profile_table.txt");
  int sections = 0;
  for (char *at = golden; strncmp(at, "### ", 4) == 0; sections++) {
    char key[32], filter[64];
    long long top = 0;
    assert_int_equal(sscanf(at, "### %31s %lld %63[^\n]", key, &top, filter), 3);
    char *body = strchr(at, '\n') + 1, *end = strstr(body, "###");
    assert_non_null(end);
    fmlp_pstats_selection selection = {.sort_count = 1, .sort = {fmlp_table_key_find(key)}};
    if (strcmp(filter, "-") != 0)
      selection.restriction[selection.restriction_count++] =
          (fmlp_pstats_restriction){.kind = FMLP_PSTATS_REGEX, .expression = filter};
    if (top >= 0)
      selection.restriction[selection.restriction_count++] =
          (fmlp_pstats_restriction){.kind = FMLP_PSTATS_COUNT, .count = top};
    assert_non_null(selection.sort[0]);
    char message[256] = "";
    char *text = fmlp_pstats_text(capture, &selection, message, sizeof message);
    assert_non_null(text);
    char saved = *end;
    *end = '\0';
    assert_string_equal(text, body);
    *end = saved;
    free(text);
    at = end;
  }
  assert_int_equal(sections, 10);
  free(golden);
  fmlp_capture_free(capture);
}

static void the_runs_table_has_shares_and_marks(void **state) {
  (void)state;
  fmlp_capture *capture = golden_capture();
  char *text = fmlp_report_text(capture);
  const char *expected =
      "         66 function calls (58 primitive calls) in 3.222 seconds\n\n"
      "   Ordered by: internal time\n\n"
      "    share    ncalls  tottime  percall  cumtime  percall filename:lineno(function)\n"
      "*  86.6 %        46    2.790    0.061    2.791    0.061 common/stages/forest.c:310(model.forest)\n"
      "*   7.8 %         1    0.250    0.250    0.250    0.250 common/io/tick_reader.c:120(read)\n"
      "    3.1 %         4    0.101    0.025    0.101    0.025 cpu/triple_barrier.c:9(labels.search)\n"
      "    1.9 %      11/3    0.061    0.006    0.061    0.020 common/stages/walk.c:10(walk)\n"
      "    0.4 %         1    0.012    0.012    1.831    1.831 common/pipeline.c:40(run)\n"
      "    0.2 %         1    0.007    0.007    0.108    0.108 common/stages/labels.c:90(labels)\n"
      "    0.0 %         1    0.001    0.001    1.401    1.401 common/stages/model.c:300(model)\n"
      "    0.0 %         1    0.000    0.000    0.000    0.000 common/stages/walk.c:100(tiny \"quoted\\\" "
      "name)\n\n"
      "* 5 % of the total or more. Threads: 2. Wall time: 2.000 s.\n"
      "66 spans at 22.5 ns: 0.000 % of the wall time.\n";
  assert_string_equal(text, expected);
  free(text);
  fmlp_capture_free(capture);
}

static void sort_keys_are_those_of_pstats(void **state) {
  (void)state;
  char names[256];
  (void)snprintf(names, sizeof names, "%s", fmlp_table_key_names());
  int count = 0;
  for (char *word = strtok(names, " "); word; word = strtok(NULL, " "), count++)
    assert_non_null(fmlp_table_key_find(word));
  assert_int_equal(count, 13);
  assert_ptr_equal(fmlp_table_key_title(fmlp_table_key_find("cum")),
                   fmlp_table_key_title(fmlp_table_key_find("cumtime")));
  assert_null(fmlp_table_key_find("n")); /* ncalls, name, nfl */
  assert_null(fmlp_table_key_find(""));
  assert_null(fmlp_table_key_find("wall"));
}

static void a_wrong_filter_is_refused(void **state) {
  (void)state;
  fmlp_capture *capture = golden_capture();
  char message[256] = "";
  fmlp_pstats_selection selection = {.restriction_count = 1,
                                     .restriction = {{.kind = FMLP_PSTATS_REGEX, .expression = "labels("}}};
  assert_null(fmlp_pstats_text(capture, &selection, message, sizeof message));
  assert_non_null(strstr(message, "labels("));
  fmlp_capture_free(capture);
}

static fmlp_capture *read_back(const char *text, size_t length, char *message, int64_t capacity) {
  char path[] = "/tmp/fmlp_profile_XXXXXX";
  int handle = mkstemp(path);
  assert_true(handle >= 0);
  assert_int_equal(write(handle, text, length), (ssize_t)length);
  assert_int_equal(close(handle), 0);
  fmlp_capture *capture = fmlp_profile_json_read(path, message, capacity);
  assert_int_equal(unlink(path), 0);
  return capture;
}

static void damaged_profiles_are_refused_with_a_line(void **state) {
  (void)state;
  char *text = read_text(FMLP_SOURCE_DIR "/tests/golden/profile.json");
  size_t length = strlen(text);
  while (text[length - 1] == '\n') length--;
  for (size_t cut = 0; cut < length; cut += 1 + length / 300) {
    char message[256] = "";
    assert_null(read_back(text, cut, message, sizeof message));
    assert_true(message[0] != '\0' && strchr(message, '\n') == NULL);
  }
  static const char *const changes[][2] = {
      {"\"version\": 1", "\"version\": 2"}, {"fmlp-profile", "some-profile"},
      {"\"spans\": 66", "\"spans\": -1"},   {"12345678", "12345679"},
      {"\"id\": 100", "\"id\": 1.0"},       {"\"main\": true", "\"main\": 1234"},
      {"\"line\": 310", "\"line\": \"a\""}, {"\"stop_ns\": 2000001000", "\"stop_ns\": 0"},
      {"\"paths\"", "\"pathz\""},           {"\"events\"", "\"eventz\""},
  };
  for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
    char *changed = strdup(text), *at = strstr(changed, changes[i][0]), message[256] = "";
    assert_non_null(at);
    size_t old = strlen(changes[i][0]), now = strlen(changes[i][1]);
    assert_true(now <= old);
    memcpy(at, changes[i][1], now);
    memmove(at + now, at + old, strlen(at + old) + 1);
    assert_null(read_back(changed, strlen(changed), message, sizeof message));
    assert_true(message[0] != '\0');
    free(changed);
  }
  for (size_t i = 0; i < length; i += 3) { /* any byte changed: refused or sound, never a crash */
    char *changed = strdup(text), message[256] = "";
    changed[i] ^= (char)(1 << i % 7);
    fmlp_capture *capture = read_back(changed, strlen(changed), message, sizeof message);
    if (capture) {
      char *table = fmlp_report_text(capture);
      assert_non_null(table);
      free(table);
    }
    fmlp_capture_free(capture);
    free(changed);
  }
  free(text);
  static const char CUT_BY_A_LINE[] = "{\"schema\": \"a\\\n\"}"; /* the reader quotes it: still one line */
  char message[256] = "";
  assert_null(read_back(CUT_BY_A_LINE, strlen(CUT_BY_A_LINE), message, sizeof message));
  assert_true(message[0] != '\0' && !strchr(message, '\n'));
  assert_null(fmlp_profile_json_read("/nowhere/profile.json", message, sizeof message));
  assert_non_null(strstr(message, "/nowhere/profile.json"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(spans_nest_and_add_up),
      cmocka_unit_test(recursion_counts_primitive_calls_and_time_once),
      cmocka_unit_test(threads_that_end_early_are_kept),
      cmocka_unit_test(spans_still_open_end_with_the_capture_or_their_thread),
      cmocka_unit_test(a_span_closes_what_was_left_open_inside_it),
      cmocka_unit_test(totals_hold_when_the_timeline_is_full),
      cmocka_unit_test(too_deep_and_too_many_paths_are_dropped_and_counted),
      cmocka_unit_test(nothing_is_recorded_when_off),
      cmocka_unit_test(the_system_clock_serves_where_there_is_no_counter),
      cmocka_unit_test(a_clock_that_goes_nowhere_gives_zero_durations),
      cmocka_unit_test(tables_equal_those_of_pythons_pstats),
      cmocka_unit_test(the_runs_table_has_shares_and_marks),
      cmocka_unit_test(sort_keys_are_those_of_pstats),
      cmocka_unit_test(a_wrong_filter_is_refused),
      cmocka_unit_test(damaged_profiles_are_refused_with_a_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
