/* Keys set in vain: the table of conditions, and what is said of them. */
#define _POSIX_C_SOURCE 200809L
#include "tests/unit/config_fixture.h"

#include "common/config/schema.h"

static const fmlp_schema_row *row_of(const char *path) {
  for (int32_t i = 0; i < fmlp_schema_count; i++) {
    if (strcmp(fmlp_schema[i].path, path) == 0) return &fmlp_schema[i];
  }
  fail_msg("%s is no key", path);
  return NULL;
}

static void every_condition_names_keys_and_values_there_are(void **state) {
  (void)state;
  for (int32_t i = 0; i < fmlp_schema_condition_count; i++) {
    const fmlp_schema_condition *condition = &fmlp_schema_conditions[i];
    assert_ptr_not_equal(row_of(condition->path), row_of(condition->key));
    const fmlp_schema_row *key = row_of(condition->key);
    char values[200];
    (void)snprintf(values, sizeof values, "%s", condition->values);
    for (char *value = strtok(values, ", "); value; value = strtok(NULL, ", ")) {
      bool known = key->type == FMLP_KEY_BOOL && strcmp(value, "true") == 0;
      for (const char *const *name = key->names; name && *name; name++) known |= strcmp(*name, value) == 0;
      if (!known) fail_msg("%s has no value %s", condition->key, value);
    }
  }
}

/* The paths that `overrides` sets in vain, with a blank after each. */
static void assert_idle(const char *overrides, const char *expected) {
  fmlp_config *config = NULL;
  fmlp_error error = {""};
  fmlp_status status = load_from(FMLP_SOURCE_DIR "/configs", overrides, false, &config, &error);
  if (status != FMLP_OK) fail_msg("%s", error.text);
  int32_t count = 0;
  const char *const *lines = fmlp_config_idle_keys(config, &count);
  char found[1000] = "";
  for (int32_t i = 0; i < count; i++) {
    (void)snprintf(found + strlen(found), sizeof found - strlen(found), "%.*s ", (int)strcspn(lines[i], " "),
                   lines[i]);
  }
  assert_string_equal(found, expected);
  fmlp_config_free(config);
}

static void keys_of_the_command_line_that_nothing_reads_are_named(void **state) {
  (void)state;
  assert_idle("data.path=x.csv", "");
  assert_idle("data.path=x.csv|labeling.tp_ticks=30", "labeling.tp_ticks ");
  assert_idle("data.path=x.csv|labeling=ticks|labeling.tp_ticks=30|labeling.sl_ticks=20", "");
  assert_idle("data.path=x.csv|labeling.distance_mode=mfe_mae|labeling.volatility.window=9",
              "labeling.volatility.window ");
  assert_idle("data.path=x.csv|validation.n_groups=4|validation.gap=3", "validation.gap ");
  assert_idle("data.path=x.csv|validation=purged_kfold|validation.n_groups=4|validation.n_splits=4",
              "validation.n_groups ");
  assert_idle("data.path=x.csv|cleaning.outliers.window=9", "cleaning.outliers.window ");
  assert_idle("data.path=x.csv|cleaning.outliers.enabled=yes|cleaning.outliers.window=9", "");
  assert_idle("data.path=x.csv|labeling.tp_ticks=null|risk.monte_carlo.block_size=null", "");
}

static void the_line_says_what_would_read_the_key(void **state) {
  (void)state;
  fmlp_config *config = NULL;
  fmlp_error error = {""};
  const char *overrides = "data.path=x.csv|risk.monte_carlo.block_size=7|risk.monte_carlo.kind=iid";
  assert_int_equal(load_from(FMLP_SOURCE_DIR "/configs", overrides, false, &config, &error), FMLP_OK);
  int32_t count = 0;
  const char *const *lines = fmlp_config_idle_keys(config, &count);
  assert_int_equal(count, 1);
  assert_string_equal(lines[0],
                      "risk.monte_carlo.block_size has no effect where risk.monte_carlo.kind is iid; it "
                      "is read with moving_block, circular_block, stationary");
  fmlp_config_free(config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(every_condition_names_keys_and_values_there_are, fixture_setup,
                                      fixture_teardown),
      cmocka_unit_test_setup_teardown(keys_of_the_command_line_that_nothing_reads_are_named, fixture_setup,
                                      fixture_teardown),
      cmocka_unit_test_setup_teardown(the_line_says_what_would_read_the_key, fixture_setup, fixture_teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
