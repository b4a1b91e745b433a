/* fmlp profile show, table and export: arguments, files, exit status. */
#define _GNU_SOURCE
#include "tests/cmocka_fmlp.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/commands/commands.h"

#define GOLDEN FMLP_SOURCE_DIR "/tests/golden/profile.json"

static char printed[1 << 14];

/* Runs the command with standard output caught in `printed`. */
static fmlp_status run(int count, const char *const *words, fmlp_error *error) {
  char path[] = "/tmp/fmlp_output_XXXXXX";
  int file = mkstemp(path), old = dup(STDOUT_FILENO);
  assert_true(file >= 0 && old >= 0);
  (void)fflush(stdout);
  assert_true(dup2(file, STDOUT_FILENO) >= 0);
  char *arguments[10] = {strdup("profile")};
  for (int i = 0; i < count; i++) arguments[i + 1] = strdup(words[i]);
  fmlp_status status = fmlp_command_profile(count + 1, arguments, error);
  for (int i = 0; i <= count; i++) free(arguments[i]);
  (void)fflush(stdout);
  assert_true(dup2(old, STDOUT_FILENO) >= 0);
  (void)close(old);
  ssize_t length = pread(file, printed, sizeof printed - 1, 0);
  assert_true(length >= 0);
  printed[length] = '\0';
  (void)close(file);
  (void)unlink(path);
  return status;
}

#define RUN(error, ...)                                                                                      \
  run((int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)),                                    \
      (const char *const[]){__VA_ARGS__}, error)

static void a_profile_is_shown_as_pstats_does(void **state) {
  (void)state;
  fmlp_error error = {""};
  assert_int_equal(RUN(&error, "show", GOLDEN, "--sort", "cumtime", "--top=2", "--filter", "common"),
                   FMLP_OK);
  assert_non_null(strstr(printed, "    " GOLDEN "\n\n         66 function calls (58 primitive calls) in"));
  assert_non_null(strstr(printed,
                         "   Ordered by: cumulative time\n"
                         "   List reduced from 8 to 7 due to restriction <'common'>\n"
                         "   List reduced from 7 to 2 due to restriction <2>\n\n"
                         "   ncalls  tottime  percall  cumtime  percall filename:lineno(function)\n"));
  assert_null(strstr(printed, "tick_reader"));
}

/* Sections of "###", arguments with a tab before each, a line's end, and what pstats prints. */
static void callers_and_restrictions_print_as_in_pstats(void **state) {
  (void)state;
  char *golden = calloc(1, 1 << 16);
  FILE *file = fopen(FMLP_SOURCE_DIR "/tests/golden/profile_show.txt", "rb");
  assert_true(golden && file);
  assert_true(fread(golden, 1, (1 << 16) - 1, file) > 0);
  assert_int_equal(fclose(file), 0);
  int sections = 0;
  for (char *at = golden; strncmp(at, "###\t", 4) == 0; sections++) {
    const char *words[9] = {"show", GOLDEN};
    int count = 2;
    bool rows = true;
    char *body = strchr(at, '\n') + 1, *end = strstr(body, "###");
    assert_non_null(end);
    body[-1] = '\0';
    for (char *word = strtok(at + 4, "\t"); word; word = strtok(NULL, "\t")) {
      assert_true(count < 9);
      words[count++] = word;
      if (strncmp(word, "--call", 6) == 0) rows = false;
    }
    fmlp_error error = {""};
    assert_int_equal(run(count, words, &error), FMLP_OK);
    const char *shown = rows ? strchr(printed, '\n') + 1 : printed; /* the first line names the file */
    *end = '\0';
    assert_string_equal(shown, body);
    *end = '#';
    at = end;
  }
  assert_int_equal(sections, 8);
  free(golden);
}

static void a_run_folder_stands_for_its_profile(void **state) {
  (void)state;
  fmlp_error error = {""};
  char folder[] = "/tmp/fmlp_run_XXXXXX", path[128], link[160];
  assert_non_null(mkdtemp(folder));
  assert_int_equal(RUN(&error, "show", folder), FMLP_ERR_INPUT);
  assert_non_null(strstr(error.text, "runtime.profile"));
  (void)snprintf(path, sizeof path, "%s/profile", folder);
  assert_int_equal(mkdir(path, 0700), 0);
  (void)snprintf(link, sizeof link, "%s/profile.json", path);
  assert_int_equal(symlink(GOLDEN, link), 0);
  assert_int_equal(RUN(&error, "show", folder), FMLP_OK);
  assert_non_null(strstr(printed, "   Ordered by: internal time\n"));
  assert_int_equal(unlink(link), 0);
  assert_int_equal(rmdir(path), 0);
  assert_int_equal(rmdir(folder), 0);
}

/* The whole file, in `printed`. */
static void load(const char *path) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  printed[fread(printed, 1, sizeof printed - 1, file)] = '\0';
  assert_int_equal(fclose(file), 0);
}

static void a_profile_is_exported_whole_or_not_at_all(void **state) {
  (void)state;
  fmlp_error error = {""};
  char folder[] = "/tmp/fmlp_export_XXXXXX", path[128];
  assert_non_null(mkdtemp(folder));
  (void)snprintf(path, sizeof path, "%s/out", folder);
  assert_int_equal(RUN(&error, "export", "--format", "csv", "-o", path, GOLDEN), FMLP_OK);
  assert_string_equal(printed, "");
  load(path);
  assert_non_null(
      strstr(printed, "\n3,2,2,\"labels.search\",\"cpu/triple_barrier.c\",9,\"f\",4,1,100500500,"));
  assert_int_equal(RUN(&error, "export", "--format=collapsed", "--output", path, GOLDEN), FMLP_OK);
  load(path); /* replaced */
  assert_non_null(strstr(printed, "run;labels;labels.search 100500500\n"));
  assert_int_equal(unlink(path), 0);
  printed[0] = '\0';
  assert_int_equal(RUN(&error, "export", "--format", "dot", "-o", folder, GOLDEN), FMLP_ERR_OTHER);
  assert_int_equal(RUN(&error, "export", "--format", "dot", "-o", "/dev/null", GOLDEN), FMLP_ERR_OTHER);
  assert_int_equal(RUN(&error, "export", "--format", "dot", "-o", "/dev/full/x", GOLDEN), FMLP_ERR_OTHER);
  assert_non_null(strstr(error.text, "/dev/full/x"));
  assert_int_equal(RUN(&error, "export", "--format", "dot", "-o", path, "/nowhere"), FMLP_ERR_INPUT);
  assert_int_equal(rmdir(folder), 0); /* nothing was left in it */
}

static void the_unified_table_is_printed(void **state) {
  (void)state;
  fmlp_error error = {""};
  assert_int_equal(RUN(&error, "table", GOLDEN, "--depth", "0"), FMLP_OK);
  assert_non_null(strstr(printed, "  run\n"));
  assert_null(strstr(printed, "labels"));
  assert_non_null(strstr(printed, "66 calls on 12 paths of 2 threads; internal time 3221624455 ns"));
  assert_int_equal(RUN(&error, "table", GOLDEN, "--format=csv", "--sort", "tottime", "--top", "1"), FMLP_OK);
  assert_non_null(strstr(printed, "\n9,8,2,\"model.forest\","));
  assert_int_equal(RUN(&error, "table", GOLDEN, "--format", "json", "--filter", "walk"), FMLP_OK);
  assert_non_null(strstr(printed, "\"schema\": \"fmlp-profile-table\""));
  assert_int_equal(RUN(&error, "table", GOLDEN, "--flat"), FMLP_OK);
  assert_non_null(strstr(printed, "  run > labels > labels.search\n"));
}

static void candidates_are_named(void **state) {
  (void)state;
  fmlp_error error = {""};
  assert_int_equal(RUN(&error, "top", GOLDEN), FMLP_OK);
  assert_non_null(strstr(printed, "  86.6 %    2790.000 ms  model.forest  (common/stages/forest.c:310)\n"));
  assert_non_null(strstr(printed, "   5.6 %  in 6 others, each below 5 %"));
}

static void help_is_printed(void **state) {
  (void)state;
  fmlp_error error = {""};
  assert_int_equal(RUN(&error, "--help"), FMLP_OK);
  assert_non_null(strstr(printed, "usage: fmlp profile show"));
  assert_int_equal(RUN(&error, "show", "-h"), FMLP_OK);
  assert_non_null(strstr(printed, "usage: fmlp profile show"));
}

static void expect_refusal(fmlp_status status, fmlp_status expected, const fmlp_error *error,
                           const char *word) {
  assert_int_equal(status, expected);
  assert_non_null(strstr(error->text, word));
  assert_string_equal(printed, "");
}

static void wrong_arguments_are_refused_with_a_hint(void **state) {
  (void)state;
  fmlp_error error = {""};
  expect_refusal(RUN(&error, "show"), FMLP_ERR_USAGE, &error, "which run");
  expect_refusal(RUN(&error, "show", GOLDEN, "--sort", "wall"), FMLP_ERR_USAGE, &error, "cumulative");
  expect_refusal(RUN(&error, "show", GOLDEN, "--sort"), FMLP_ERR_USAGE, &error, "--sort");
  expect_refusal(RUN(&error, "show", GOLDEN, "--top", "0"), FMLP_ERR_USAGE, &error, "--top");
  expect_refusal(RUN(&error, "show", GOLDEN, "--top", "3x"), FMLP_ERR_USAGE, &error, "--top");
  expect_refusal(RUN(&error, "show", GOLDEN, "--filter", "a("), FMLP_ERR_USAGE, &error, "a(");
  expect_refusal(RUN(&error, "show", GOLDEN, "--color"), FMLP_ERR_USAGE, &error, "--color");
  expect_refusal(RUN(&error, "show", GOLDEN, "1.5"), FMLP_ERR_USAGE, &error, "1.5 is no restriction");
  expect_refusal(RUN(&error, "show", GOLDEN, "a("), FMLP_ERR_USAGE, &error, "a(");
  expect_refusal(RUN(&error, "show", GOLDEN, "--gpu"), FMLP_ERR_INPUT, &error, "profile_level=full");
  expect_refusal(RUN(&error, "show", GOLDEN, "--sort", "time,wall"), FMLP_ERR_USAGE, &error, "time,wall");
  expect_refusal(RUN(&error, "table", GOLDEN, GOLDEN), FMLP_ERR_USAGE, &error, "one RUN");
  expect_refusal(RUN(&error, "show", "/nowhere"), FMLP_ERR_INPUT, &error, "/nowhere");
  expect_refusal(RUN(&error, "show", "/dev/null"), FMLP_ERR_INPUT, &error, "/dev/null");
  expect_refusal(RUN(&error, "diff", "a", "b"), FMLP_ERR_INPUT, &error, "a: ");
  expect_refusal(RUN(&error, "export", GOLDEN), FMLP_ERR_USAGE, &error, "--format is missing");
  expect_refusal(RUN(&error, "export", "--format", "csv", GOLDEN), FMLP_ERR_USAGE, &error, "-o OUTPUT");
  expect_refusal(RUN(&error, "export", "--format", "csv", "-o", "x"), FMLP_ERR_USAGE, &error, "the run");
  expect_refusal(RUN(&error, "export", "--format", "svg", "-o", "x", GOLDEN), FMLP_ERR_USAGE, &error,
                 "svg is unknown; use one of: pstats chrome speedscope collapsed dot csv html");
  expect_refusal(RUN(&error, "export", "--frobnicate", GOLDEN), FMLP_ERR_USAGE, &error, "--frobnicate");
  expect_refusal(RUN(&error, "table"), FMLP_ERR_USAGE, &error, "which run");
  expect_refusal(RUN(&error, "table", GOLDEN, "--sort", "wall"), FMLP_ERR_USAGE, &error, "gpu_busy_ns");
  expect_refusal(RUN(&error, "table", GOLDEN, "--format", "xml"), FMLP_ERR_USAGE, &error, "text csv json");
  expect_refusal(RUN(&error, "table", GOLDEN, "--depth", "-1"), FMLP_ERR_USAGE, &error, "--depth");
  expect_refusal(RUN(&error, "table", GOLDEN, "--filter", "a("), FMLP_ERR_USAGE, &error, "a(");
  expect_refusal(RUN(&error, "table", GOLDEN, "--frob"), FMLP_ERR_USAGE, &error, "--frob");
  expect_refusal(RUN(&error, "table", "/dev/null"), FMLP_ERR_INPUT, &error, "/dev/null");
  expect_refusal(RUN(&error, "top"), FMLP_ERR_USAGE, &error, "which run");
  expect_refusal(RUN(&error, "top", GOLDEN, GOLDEN), FMLP_ERR_USAGE, &error, "one RUN");
  expect_refusal(RUN(&error, "top", "--all"), FMLP_ERR_USAGE, &error, "--all");
  expect_refusal(RUN(&error, "shwo"), FMLP_ERR_USAGE, &error, "shwo");
  expect_refusal(run(0, NULL, &error), FMLP_ERR_USAGE, &error, "no verb");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_profile_is_shown_as_pstats_does),
      cmocka_unit_test(callers_and_restrictions_print_as_in_pstats),
      cmocka_unit_test(a_run_folder_stands_for_its_profile),
      cmocka_unit_test(a_profile_is_exported_whole_or_not_at_all),
      cmocka_unit_test(the_unified_table_is_printed),
      cmocka_unit_test(candidates_are_named),
      cmocka_unit_test(help_is_printed),
      cmocka_unit_test(wrong_arguments_are_refused_with_a_hint),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
