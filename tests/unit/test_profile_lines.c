/* fmlp profile lines: samples by line, of a capture made by hand, with its sources and without. */
#define _GNU_SOURCE
#include "tests/cmocka_fmlp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "prof/views/lines.h"
#include "tests/unit/profile_fixture.h"

/* The fixture's samples, and three more: recursion, a library's code below a line, a function without one. */
static fmlp_capture *sampled(void) {
  fmlp_capture *capture = profile_fixture();
  const int32_t file = fmlp_capture_name(capture, "cpu/triple_barrier.c");
  const int32_t header = fmlp_capture_name(capture, "common/core/simd.h");
  const int32_t system = fmlp_capture_name(capture, "/nowhere/immintrin.h");
  const int32_t search = fmlp_capture_name(capture, "search"), step = fmlp_capture_name(capture, "step");
  const int32_t copy = fmlp_capture_name(capture, "memcpy");
  const fmlp_capture_frame more[] = {{copy, system, 99, 1}, {search, file, 35, 2}, {search, file, 36, 3},
                                     {search, file, 36, 3}, {step, header, 7, 4},  {search, file, 50, 5}};
  const fmlp_capture_sample samples[] = {{1, 6, 8000, 4, 4}, {1, 6, 9000, 8, 2}, {1, -1, 9500, 4, 1}};
  capture->frames = realloc(capture->frames, 10 * sizeof *capture->frames);
  capture->samples = realloc(capture->samples, 7 * sizeof *capture->samples);
  assert_non_null(capture->frames);
  assert_non_null(capture->samples);
  memcpy(capture->frames + 4, more, sizeof more);
  memcpy(capture->samples + 4, samples, sizeof samples);
  capture->frame_count = 10;
  capture->sample_count = 7;
  return capture;
}

static void a_line_counts_once_for_a_stack(void **state) {
  (void)state;
  fmlp_capture *capture = sampled();
  fmlp_lines lines;
  assert_true(fmlp_lines_make(capture, &lines));
  static const struct {
    int32_t line;
    int64_t self, total;
  } expected[] = {{33, 2, 2}, {35, 1, 1}, {36, 0, 1}, {50, 0, 1}, {7, 1, 1}, {99, 1, 2}};
  assert_int_equal(lines.count, 6);
  assert_int_equal(lines.placed, 5); /* two samples have no line */
  for (int64_t i = 0; i < lines.count; i++) {
    assert_int_equal(lines.lines[i].line, expected[i].line);
    assert_int_equal(lines.lines[i].self, expected[i].self);
    assert_int_equal(lines.lines[i].total, expected[i].total);
  }
  fmlp_lines_release(&lines);
  fmlp_capture_free(capture);
}

static void assert_text(const fmlp_lines_selection *selection, const char *expected) {
  fmlp_capture *capture = sampled();
  capture->dropped_samples = 3;
  char message[128] = "";
  char *text = fmlp_lines_text(capture, selection, message, sizeof message);
  assert_non_null(text);
  assert_string_equal(text, expected);
  free(text);
  fmlp_capture_free(capture);
}

#define END_OF_ALL                                                                                           \
  "Without a line:\n\n   Samples    %    Function (span)\n"                                                  \
  "         1   14.3  main (outside spans)\n"                                                                \
  "         1   14.3  pool_loop (walk \"a;b\" <\\>)\n\n"                                                     \
  "Self: samples in the line, or in code of others that it calls. Total: and in all it calls.\n"

static void without_sources_functions_stand_for_lines(void **state) {
  (void)state;
  assert_text(&(fmlp_lines_selection){.top = -1, .source = "/nowhere"},
              "File: cpu/triple_barrier.c (not found: functions instead of lines)\n"
              "Samples: 3 (42.9 %)\n\n"
              "  Line     Self    %     Total    %    Source\n"
              "    33        2   28.6        2   28.6  (search_loop)\n"
              "    35        1   14.3        1   14.3  (search)\n\n"
              "File: common/core/simd.h (not found: functions instead of lines)\n"
              "Samples: 1 (14.3 %)\n\n"
              "  Line     Self    %     Total    %    Source\n"
              "     7        1   14.3        1   14.3  (step)\n\n"
              "File: /nowhere/immintrin.h (not found: functions instead of lines)\n"
              "Samples: 1 (14.3 %)\n\n"
              "  Line     Self    %     Total    %    Source\n"
              "    99        1   14.3        2   28.6  (memcpy)\n\n" END_OF_ALL
              "7 samples, 5 with a line (71.4 %), 5 of them above (71.4 %).\n"
              "3 samples are missing: no room, or the system's clock is too coarse.\n");
}

static void sources_are_shown_with_what_is_between(void **state) {
  (void)state;
  char folder[] = "/tmp/fmlp_lines_XXXXXX", path[64];
  assert_non_null(mkdtemp(folder));
  (void)snprintf(path, sizeof path, "%s/cpu", folder);
  assert_int_equal(mkdir(path, 0777), 0);
  (void)snprintf(path, sizeof path, "%s/cpu/triple_barrier.c", folder);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  for (int line = 1; line <= 34; line++)
    (void)fprintf(file, "  text of %d;\n", line); /* shorter than it was */
  assert_int_equal(fclose(file), 0);
  assert_text(&(fmlp_lines_selection){.top = -1, .source = folder, .filter = "triple.*search"},
              "File: cpu/triple_barrier.c\n"
              "Samples: 3 (42.9 %)\n\n"
              "  Line     Self    %     Total    %    Source\n"
              "    33        2   28.6        2   28.6    text of 33;\n"
              "    34                                    text of 34;\n"
              "    35        1   14.3        1   14.3  (search)\n\n"
              "Self: samples in the line, or in code of others that it calls. Total: and in all it calls.\n"
              "7 samples, 5 with a line (71.4 %), 3 of them above (42.9 %).\n"
              "3 samples are missing: no room, or the system's clock is too coarse.\n");
  assert_int_equal(unlink(path), 0);
  *strrchr(path, '/') = '\0';
  assert_int_equal(rmdir(path), 0);
  assert_int_equal(rmdir(folder), 0);
}

static void the_top_has_most_samples(void **state) {
  (void)state;
  assert_text(&(fmlp_lines_selection){.top = 1, .source = "/nowhere"},
              "File: cpu/triple_barrier.c (not found: functions instead of lines)\n"
              "Samples: 2 (28.6 %)\n\n"
              "  Line     Self    %     Total    %    Source\n"
              "    33        2   28.6        2   28.6  (search_loop)\n\n" END_OF_ALL
              "7 samples, 5 with a line (71.4 %), 2 of them above (28.6 %).\n"
              "3 samples are missing: no room, or the system's clock is too coarse.\n");
}

static void a_wrong_filter_is_refused(void **state) {
  (void)state;
  fmlp_capture *capture = sampled();
  char message[128] = "";
  assert_null(
      fmlp_lines_text(capture, &(fmlp_lines_selection){.top = -1, .filter = "a("}, message, sizeof message));
  assert_non_null(strstr(message, "a("));
  fmlp_capture_free(capture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_line_counts_once_for_a_stack),
      cmocka_unit_test(without_sources_functions_stand_for_lines),
      cmocka_unit_test(sources_are_shown_with_what_is_between),
      cmocka_unit_test(the_top_has_most_samples),
      cmocka_unit_test(a_wrong_filter_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
