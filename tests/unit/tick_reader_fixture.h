/* A temporary tick file and what reading it gave, for the tests of the tick reader. Include it once. */
#ifndef FMLP_TESTS_TICK_READER_FIXTURE_H
#define FMLP_TESTS_TICK_READER_FIXTURE_H

#include "tests/cmocka_fmlp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io/tick_reader.h"

static char folder[] = "/tmp/fmlp_ticks_XXXXXX";
static char path[64];
static fmlp_ticks ticks;
static fmlp_read_report report;
static fmlp_error error;

static inline int make_folder(void **state) {
  (void)state;
  if (!mkdtemp(folder)) return -1;
  (void)snprintf(path, sizeof path, "%s/ticks.csv", folder);
  return 0;
}

static inline int remove_folder(void **state) {
  (void)state;
  (void)unlink(path);
  return rmdir(folder);
}

static inline int release(void **state) {
  (void)state;
  fmlp_ticks_release(&ticks);
  return 0;
}

static inline fmlp_data_settings defaults(void) {
  return (fmlp_data_settings){.path = path, .format = "auto", .size_decimals = -1};
}

static inline void write_file(const void *bytes, size_t count) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, count, file), count);
  assert_int_equal(fclose(file), 0);
}

static inline fmlp_status read_with(const fmlp_data_settings *settings) {
  fmlp_ticks_release(&ticks);
  memset(&error, 0, sizeof error);
  return fmlp_ticks_read(settings, &ticks, &report, &error);
}

static inline fmlp_status read_text_with(const char *text, const fmlp_data_settings *settings) {
  write_file(text, strlen(text));
  return read_with(settings);
}

static inline fmlp_status read_text(const char *text) {
  fmlp_data_settings settings = defaults();
  return read_text_with(text, &settings);
}

static inline void assert_read(fmlp_status status) {
  if (status != FMLP_OK) fail_msg("%s", error.text);
}

#define assert_says(part)                                                                                    \
  do {                                                                                                       \
    if (!strstr(error.text, part)) fail_msg("expected \"%s\" in: %s", part, error.text);                     \
  } while (0)

/* ns of 2014-05-01 05:00:01.787 UTC */
#define MAY_FIRST INT64_C(1398920401787000000)

#define test(function) cmocka_unit_test_teardown(function, release)

#endif
