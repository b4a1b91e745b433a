/* commands/run_arguments: options, overrides, and who has the last word on the device. */
#define _POSIX_C_SOURCE 200809L
#include "tests/cmocka_fmlp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/commands/run_arguments.h"

enum { MOST = 16 };

/* Words separated by blanks; arguments[0] is "run". */
static fmlp_status parse(const char *words, fmlp_run_arguments *parsed, fmlp_error *error) {
  static char copy[512];
  static char command[] = "run";
  char *arguments[MOST] = {command};
  int count = 1;
  (void)snprintf(copy, sizeof copy, "%s", words);
  for (char *word = strtok(copy, " "); word && count < MOST; word = strtok(NULL, " "))
    arguments[count++] = word;
  return fmlp_run_arguments_parse(count, arguments, parsed, error);
}

static void assert_overrides(const char *words, const char *wanted) {
  fmlp_run_arguments parsed;
  fmlp_error error = {""};
  char text[512] = "";
  if (parse(words, &parsed, &error) != FMLP_OK) fail_msg("%s", error.text);
  for (int32_t i = 0; i < parsed.override_count; i++) {
    if (i) strcat(text, " ");
    strcat(text, parsed.overrides[i]);
  }
  fmlp_run_arguments_release(&parsed);
  assert_string_equal(text, wanted);
}

static void options_and_overrides_mix(void **state) {
  (void)state;
  fmlp_run_arguments parsed;
  fmlp_error error = {""};
  assert_int_equal(
      parse("a=1 --config-dir conf ~b --stages=bars,labels -m +c=2 --from runs/x --cfg job -cn mine", &parsed,
            &error),
      FMLP_OK);
  assert_string_equal(parsed.config_dir, "conf");
  assert_string_equal(parsed.config_name, "mine");
  assert_string_equal(parsed.stages, "bars,labels");
  assert_string_equal(parsed.from, "runs/x");
  assert_true(parsed.multirun && parsed.print_config);
  assert_false(parsed.help || parsed.help_keys);
  assert_int_equal(parsed.override_count, 3);
  assert_int_equal(parsed.repeats, 1);
  fmlp_run_arguments_release(&parsed);
  assert_overrides("--cfg a=1 -- -b=2 --c", "a=1 -b=2 --c");
}

static void the_command_line_beats_the_environment_on_the_device(void **state) {
  (void)state;
  (void)setenv("FMLP_DEVICE", "paranoid", 1);
  assert_overrides("a=1", "runtime.device=paranoid a=1");
  assert_overrides("runtime.device=cpu", "runtime.device=paranoid runtime.device=cpu");
  assert_overrides("--device cuda:1 runtime.device=cpu",
                   "runtime.device=paranoid runtime.device=cpu runtime.device=cuda:1");
  fmlp_run_arguments parsed;
  fmlp_error error = {""};
  (void)setenv("FMLP_DEVICE", "a,b", 1);
  assert_int_equal(parse("", &parsed, &error), FMLP_ERR_USAGE);
  assert_string_equal(error.text,
                      "FMLP_DEVICE 'a,b': not the name of a device; there are auto, cpu, cuda, cuda:N");
  (void)setenv("FMLP_DEVICE", "", 1);
  assert_overrides("a=1", "a=1");
  (void)unsetenv("FMLP_DEVICE");
}

static void mistakes_name_the_nearest_option(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"--devise cpu", "run: unknown option --devise; did you mean --device?"},
      {"-x", "run: unknown option -x; see fmlp run --help"},
      {"--stages", "run: --stages needs a value; see fmlp run --help"},
      {"--help=yes", "run: --help takes no value"},
      {"--cfg=all", "run: --cfg prints the job's configuration; there is no 'all'"},
      {"--device 'x'", "--device ''x'': not the name of a device; there are auto, cpu, cuda, cuda:N"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fmlp_run_arguments parsed;
    fmlp_error error = {""};
    assert_int_equal(parse(cases[i][0], &parsed, &error), FMLP_ERR_USAGE);
    assert_string_equal(error.text, cases[i][1]);
  }
}

static void starting_from_no_run_is_an_input_error(void **state) {
  (void)state;
  fmlp_run_arguments parsed;
  fmlp_error error = {""};
  fmlp_config *config = NULL;
  assert_int_equal(parse("--from /no/such/run", &parsed, &error), FMLP_OK);
  assert_int_equal(fmlp_run_arguments_load(&parsed, NULL, &config, &error), FMLP_ERR_INPUT);
  assert_string_equal(
      error.text,
      "--from /no/such/run: not the folder of a finished run (config.yaml: No such file or directory)");
  fmlp_run_arguments_release(&parsed);
}

int main(void) {
  (void)unsetenv("FMLP_DEVICE");
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(options_and_overrides_mix),
      cmocka_unit_test(the_command_line_beats_the_environment_on_the_device),
      cmocka_unit_test(mistakes_name_the_nearest_option),
      cmocka_unit_test(starting_from_no_run_is_an_input_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
