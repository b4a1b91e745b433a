/* core/log and core/progress: levels, the record, the warnings, lines from several threads. */
#define _POSIX_C_SOURCE 200809L
#include "tests/cmocka_fmlp.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/core/log.h"
#include "common/core/memory.h"
#include "common/core/progress.h"

/* Runs `speak` with standard error in a file and gives the file's text. */
static void captured(void (*speak)(void), char *text, size_t capacity) {
  FILE *file = tmpfile();
  assert_non_null(file);
  int saved = dup(STDERR_FILENO);
  assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
  speak();
  (void)fflush(stderr);
  assert_true(dup2(saved, STDERR_FILENO) >= 0);
  (void)close(saved);
  rewind(file);
  size_t length = fread(text, 1, capacity - 1, file);
  text[length] = '\0';
  (void)fclose(file);
}

static void speak_at_every_level(void) {
  fmlp_log_line(FMLP_LOG_ERROR, "it broke");
  fmlp_log_warning("row %d\nwas odd", 7);
  fmlp_log_info("read %s", "a file");
  fmlp_log_debug("details");
}

static void standard_error_shows_lines_up_to_its_level(void **state) {
  (void)state;
  char text[4096];
  captured(speak_at_every_level, text, sizeof text);
  assert_string_equal(text, "fmlp: it broke\nwarning: row 7 was odd\nread a file\n");
  fmlp_log_set_level(FMLP_LOG_ERROR);
  captured(speak_at_every_level, text, sizeof text);
  assert_string_equal(text, "fmlp: it broke\n");
  fmlp_log_set_level(FMLP_LOG_DEBUG);
  captured(speak_at_every_level, text, sizeof text);
  assert_non_null(strstr(text, "debug: details\n"));
  fmlp_log_set_level(FMLP_LOG_INFO);
}

static void the_record_holds_what_a_quiet_terminal_does_not_show(void **state) {
  (void)state;
  char shown[4096];
  char *text = NULL, *warnings = NULL;
  int64_t length = 0, count = 0;
  fmlp_error error = {""};
  fmlp_log_set_level(FMLP_LOG_ERROR);
  fmlp_log_open();
  captured(speak_at_every_level, shown, sizeof shown);
  assert_int_equal(fmlp_log_text(&text, &length, &error), FMLP_OK);
  assert_int_equal(length, strlen(text));
  assert_non_null(strstr(text, "Z info read a file\n"));
  assert_non_null(strstr(text, "Z warning row 7 was odd\n"));
  assert_null(strstr(text, "details"));
  assert_int_equal(text[4], '-');
  assert_int_equal(text[23], 'Z');
  assert_int_equal(fmlp_log_warnings(&warnings, &count, &error), FMLP_OK);
  assert_int_equal(count, 1);
  assert_string_equal(warnings, "row 7 was odd\n");
  fmlp_free(text);
  fmlp_free(warnings);
  fmlp_log_close();
  captured(speak_at_every_level, shown, sizeof shown);
  assert_int_equal(fmlp_log_text(&text, &length, &error), FMLP_OK);
  assert_string_equal(text, "");
  fmlp_free(text);
  fmlp_log_set_level(FMLP_LOG_INFO);
}

static void a_record_that_could_not_grow_says_so(void **state) {
  (void)state;
  char *text = NULL;
  int64_t length = 0;
  fmlp_error error = {""};
  fmlp_log_set_level(FMLP_LOG_ERROR);
  fmlp_log_open();
  fmlp_memory_fail_at(1);
  fmlp_log_info("lost");
  fmlp_memory_fail_at(0);
  assert_int_equal(fmlp_log_text(&text, &length, &error), FMLP_ERR_OTHER);
  assert_non_null(strstr(error.text, "out of memory"));
  fmlp_log_close();
  fmlp_log_set_level(FMLP_LOG_INFO);
}

enum { THREADS = 4, LINES = 500 };

static void *speak_often(void *unused) {
  (void)unused;
  for (int i = 0; i < LINES; i++) fmlp_log_info("abcdefghijklmnopqrstuvwxyz");
  return NULL;
}

static void lines_of_several_threads_stay_whole(void **state) {
  (void)state;
  pthread_t threads[THREADS];
  char *text = NULL;
  int64_t length = 0, lines = 0;
  fmlp_error error = {""};
  fmlp_log_set_level(FMLP_LOG_ERROR);
  fmlp_log_open();
  for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, speak_often, NULL), 0);
  for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
  assert_int_equal(fmlp_log_text(&text, &length, &error), FMLP_OK);
  for (char *line = text; *line; line = strchr(line, '\n') + 1) {
    assert_memory_equal(line + 23, "Z info abcdefghijklmnopqrstuvwxyz\n", 34);
    lines++;
  }
  assert_int_equal(lines, THREADS * LINES);
  fmlp_free(text);
  fmlp_log_close();
  fmlp_log_set_level(FMLP_LOG_INFO);
}

static void report_progress(void) {
  fmlp_progress_begin("labels", 100);
  for (int i = 0; i < 100; i++) fmlp_progress_add(1);
  fmlp_progress_end();
  fmlp_progress_add(1);
  fmlp_log_status_line("labels");
}

static void progress_is_silent_where_there_is_no_terminal(void **state) {
  (void)state;
  char text[4096];
  captured(report_progress, text, sizeof text);
  assert_string_equal(text, "");
}

static void the_progress_line_gives_stage_share_and_time(void **state) {
  (void)state;
  char line[96];
  fmlp_progress_format(line, sizeof line, "labels", 42, 100, 3.14);
  assert_string_equal(line, "labels        42 %  3.1 s, about 4 s left");
  fmlp_progress_format(line, sizeof line, "labels", 42, 100, 1.94);
  assert_string_equal(line, "labels        42 %  1.9 s");
  fmlp_progress_format(line, sizeof line, "labels", 4, 100, 3.14);
  assert_string_equal(line, "labels         4 %  3.1 s");
  fmlp_progress_format(line, sizeof line, "labels", 142, 100, 3.14);
  assert_string_equal(line, "labels       100 %  3.1 s");
  fmlp_progress_format(line, sizeof line, "read", 42, 0, 0.5);
  assert_string_equal(line, "read          ...  0.5 s");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(standard_error_shows_lines_up_to_its_level),
      cmocka_unit_test(the_record_holds_what_a_quiet_terminal_does_not_show),
      cmocka_unit_test(a_record_that_could_not_grow_says_so),
      cmocka_unit_test(lines_of_several_threads_stay_whole),
      cmocka_unit_test(progress_is_silent_where_there_is_no_terminal),
      cmocka_unit_test(the_progress_line_gives_stage_share_and_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
