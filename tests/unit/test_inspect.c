/* fmlp inspect: what it prints, and the exit status of what it cannot read. */
#define _POSIX_C_SOURCE 200809L
#include "tests/cmocka_fmlp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/fmlp_inspect_XXXXXX";
static char path[64];
static char output[8192];

static int make_folder(void **state) {
  (void)state;
  if (!mkdtemp(folder)) return -1;
  (void)snprintf(path, sizeof path, "%s/ticks.csv", folder);
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  (void)unlink(path);
  return rmdir(folder);
}

static void write_text(const char *text) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

/* Exit status of `fmlp inspect ARGUMENTS`, standard output and standard error in `output`. */
static int inspect(const char *arguments) {
  char command[512];
  (void)snprintf(command, sizeof command, "%s inspect %s 2>&1", FMLP_PROGRAM, arguments);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  size_t count = fread(output, 1, sizeof output - 1, pipe);
  output[count] = '\0';
  int status = pclose(pipe);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

#define assert_shows(part)                                                                                   \
  do {                                                                                                       \
    if (!strstr(output, part)) fail_msg("expected \"%s\" in:\n%s", part, output);                            \
  } while (0)

static void a_quote_file_is_described_with_its_anomalies_and_a_configuration(void **state) {
  (void)state;
  write_text("timestamp,askPrice,bidPrice\n1398920401787,1.38729,1.38727\n1398920401000,1.38729,1.3873\n"
             "1398920401000,1.38729,1.38729\n1399125601000,1.5,1.25\n");
  assert_int_equal(inspect(path), 0);
  assert_shows("dukascopy-node quotes by header timestamp,askPrice,bidPrice; epoch milliseconds");
  assert_shows("rows          4 of 5 lines");
  assert_shows("span          2014-05-01T05:00:01.000000000Z to 2014-05-03T14:00:01.000000000Z");
  assert_shows("point size    0.00001\n");
  assert_shows("prices        1.25000 to 1.50000\n");
  assert_shows("spread        -1 to 25000 points");
  assert_shows("2 d 8 h from 2014-05-01T05:00:01.787000000Z");
  assert_shows("out of order     1 (25.00 %)");
  assert_shows("duplicate times  1 (25.00 %)");
  assert_shows("crossed          1 (25.00 %)");
  assert_shows("zero spread      1 (25.00 %)");
  assert_shows("on Saturday UTC  1 (25.00 %)");
  assert_shows("format: dukascopy-node\n    point_size: 0.00001\n");
  assert_shows("crossed: drop");
}

static void an_unknown_time_zone_is_said_and_can_be_given(void **state) {
  (void)state;
  char arguments[128];
  write_text("time,price\n2014-05-01 05:00:01,1905.25\n");
  assert_int_equal(inspect(path), 0);
  assert_shows("time zone     unknown");
  assert_shows("timezone: ???");
  (void)snprintf(arguments, sizeof arguments, "--timezone America/Chicago --point-size 0.25 %s", path);
  assert_int_equal(inspect(arguments), 0);
  assert_shows("span          2014-05-01T10:00:01.000000000Z");
  assert_shows("point size    0.25\n");
  assert_shows("timezone: America/Chicago");
}

static void bad_rows_can_be_skipped_and_are_counted(void **state) {
  (void)state;
  char arguments[128];
  write_text("time,price\n1398920401787,1\n1398920401787,x\n1398920401787,2\n");
  assert_int_equal(inspect(path), 3);
  assert_shows("ticks.csv:3: column price: \"x\" is not a number");
  (void)snprintf(arguments, sizeof arguments, "--skip-bad-rows %s", path);
  assert_int_equal(inspect(arguments), 0);
  assert_shows("bad rows skipped: 1, the first on line 3");
}

static void data_overrides_are_those_of_a_run(void **state) {
  (void)state;
  char arguments[256];
  write_text("When,BestBid,BestAsk\n2014-05-01 05:00:01,1.1,1.2\n2014-05-01 05:00:02,1.1,1.3\nx,1,1\n");
  assert_int_equal(inspect(path), 3);
  (void)snprintf(arguments, sizeof arguments,
                 "%s data.columns.time=When data.columns.bid=BestBid data.columns.ask=BestAsk "
                 "data.timezone=America/Chicago data.point_size=0.01 data.bad_rows=skip",
                 path);
  assert_int_equal(inspect(arguments), 0);
  assert_shows("bad rows skipped: 1");
  assert_shows("span          2014-05-01T10:00:01.000000000Z");
  assert_shows("point size    0.01\n");
  assert_shows("columns:\n      time: \"When\"\n      bid: \"BestBid\"\n      ask: \"BestAsk\"\n");
  (void)snprintf(arguments, sizeof arguments, "%s data.colums.time=When", path);
  assert_int_equal(inspect(arguments), 2);
  assert_shows("did you mean 'data.columns");
  (void)snprintf(arguments, sizeof arguments, "%s data.path=x", path);
  assert_int_equal(inspect(arguments), 2);
}

static void standard_input_can_be_read(void **state) {
  (void)state;
  char arguments[128];
  write_text("time,price\n1398920401787,1\n");
  (void)snprintf(arguments, sizeof arguments, "- <%s", path);
  assert_int_equal(inspect(arguments), 0);
  assert_shows("rows          1 of 2 lines");
}

static void wrong_use_has_exit_status_2_and_wrong_input_3(void **state) {
  (void)state;
  assert_int_equal(inspect(""), 2);
  assert_int_equal(inspect("--colour x"), 2);
  assert_int_equal(inspect("--format"), 2);
  assert_int_equal(inspect("a b"), 2);
  assert_int_equal(inspect("/nonexistent"), 3);
  assert_shows("/nonexistent: cannot be read: No such file");
  assert_int_equal(inspect("--help"), 0);
  assert_shows("histdata");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_quote_file_is_described_with_its_anomalies_and_a_configuration),
      cmocka_unit_test(an_unknown_time_zone_is_said_and_can_be_given),
      cmocka_unit_test(bad_rows_can_be_skipped_and_are_counted),
      cmocka_unit_test(data_overrides_are_those_of_a_run),
      cmocka_unit_test(standard_input_can_be_read),
      cmocka_unit_test(wrong_use_has_exit_status_2_and_wrong_input_3),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
