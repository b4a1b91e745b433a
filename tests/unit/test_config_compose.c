/* config/compose: defaults lists, groups, packages, and which word counts. */
#define _POSIX_C_SOURCE 200809L
#include "tests/unit/config_fixture.h"

static double threshold_with(const char *overrides) {
  fmlp_config *config = loaded(overrides);
  double threshold = fmlp_config_settings(config)->bars.threshold;
  fmlp_config_free(config);
  return threshold;
}

static void groups_are_folders_and_the_command_line_chooses(void **state) {
  (void)state;
  put("config.yaml", "defaults:\n  - bars: small\n");
  put("bars/small.yaml", "threshold: 5\n");
  put("bars/large.yaml", "threshold: 500\n");
  put("bars/odd.yaml", "session_tail: drop\n");
  assert_true(threshold_with("") == 5);
  assert_true(threshold_with("bars=large") == 500);
  assert_true(threshold_with("bars=small|bars=large") == 500); /* the last word counts */
  assert_true(threshold_with("bars=large.yaml") == 500);
  assert_true(threshold_with("bars=[large,odd]") == 500);
  assert_true(threshold_with("bars=null") == 100);
  assert_true(threshold_with("~bars") == 100);
  assert_true(threshold_with("~bars=small") == 100);
  assert_true(threshold_with("bars=large|bars.threshold=6") == 6);
  assert_true(threshold_with("bars.threshold=6|bars=large") == 6); /* keys come after groups */
}

static void group_mistakes_say_what_there_is(void **state) {
  (void)state;
  put("config.yaml", "defaults:\n  - bars: smal\n");
  put("bars/small.yaml", "threshold: 5\n");
  put("bars/large.yaml", "threshold: 500\n");
  put("model/x.yaml", "");
  assert_refused(
      "", "config.yaml:2: group 'bars' has no option 'smal'; did you mean 'small'? there are: large, small");
  assert_refused("bars=tiny",
                 "override 'bars=tiny': group 'bars' has no option 'tiny'; there are: large, small");
  assert_refused("bars=small|model=x",
                 "override 'model=x': no defaults list has group 'model'; +model=option would add it");
  assert_refused("bars=small|~model",
                 "override '~model': no defaults list has group 'model'; +model=option would add it");
  assert_refused("+bars=small",
                 "override '+bars=small': group 'bars' is in the defaults list already; drop the '+'");
  assert_refused("~bars=large",
                 "override '~bars=large': group 'bars' has another option; ~bars alone removes it");
}

static void a_group_can_be_added(void **state) {
  (void)state;
  put("config.yaml", "bars: {threshold: 3}\n");
  put("bars/large.yaml", "threshold: 500\n");
  assert_true(threshold_with("+bars=large") == 500); /* after the primary file */
  assert_true(threshold_with("++bars=large") == 500);
  assert_true(threshold_with("+bars=large|bars.threshold=6") == 6);
}

static void self_places_the_files_own_keys(void **state) {
  (void)state;
  put("bars/large.yaml", "threshold: 500\n");
  put("config.yaml", "defaults: [_self_, {bars: large}]\nbars: {threshold: 3}\n");
  assert_true(threshold_with("") == 500);
  put("config.yaml", "defaults: [{bars: large}, _self_]\nbars: {threshold: 3}\n");
  assert_true(threshold_with("") == 3);
  put("config.yaml", "defaults: [{bars: large}]\nbars: {threshold: 3}\n"); /* last when not listed */
  assert_true(threshold_with("") == 3);
  put("config.yaml", "defaults: [_self_, _self_]\n");
  assert_refused("", "config.yaml:1: '_self_' stands twice");
}

static void an_option_builds_on_another(void **state) {
  (void)state;
  put("config.yaml", "defaults: [{bars: child}]\n");
  put("bars/parent.yaml", "threshold: 5\nsession_tail: drop\n");
  put("bars/child.yaml", "defaults: [parent, _self_]\nthreshold: 6\n");
  fmlp_config *config = loaded("");
  assert_true(fmlp_config_settings(config)->bars.threshold == 6);
  assert_false(fmlp_config_settings(config)->bars.keep_session_tail);
  fmlp_config_free(config);
  put("bars/parent.yaml", "defaults: [child]\n");
  fmlp_config *none = NULL;
  fmlp_error error = {""};
  assert_int_equal(load_from(fixture_dir, "", true, &none, &error), FMLP_ERR_USAGE);
  assert_non_null(strstr(error.text, "a file includes itself?"));
}

static void optional_entries_may_be_missing(void **state) {
  (void)state;
  put("config.yaml", "defaults: [optional bars: local]\n");
  assert_true(threshold_with("") == 100);
  put("bars/local.yaml", "threshold: 8\n");
  assert_true(threshold_with("") == 8);
}

static void an_experiment_changes_groups_and_keys_of_any_group(void **state) {
  (void)state;
  put("config.yaml", "defaults: [{bars: small}, {experiment: null}, _self_]\n");
  put("bars/small.yaml", "threshold: 5\n");
  put("bars/large.yaml", "threshold: 500\n");
  put("bars/huge.yaml", "threshold: 5000\n");
  put("experiment/big.yaml",
      "# @package _global_\ndefaults:\n  - override /bars: large\nexperiment: {name: big}\n"
      "labeling: {tie: sl_first}\n");
  fmlp_config *config = loaded("experiment=big");
  assert_true(fmlp_config_settings(config)->bars.threshold == 500);
  assert_string_equal(fmlp_config_settings(config)->experiment_name, "big");
  assert_int_equal(fmlp_config_settings(config)->labeling.tie, FMLP_TIE_SL_FIRST);
  fmlp_config_free(config);
  assert_true(threshold_with("experiment=big|bars=huge") == 5000); /* the command line is further out */
  put("config.yaml", "defaults: [{bars: small}]\n");
  assert_true(threshold_with("+experiment=big") == 500);
  put("experiment/bad.yaml", "# @package _global_\ndefaults:\n  - override /barz: large\n");
  assert_refused("+experiment=bad", "experiment/bad.yaml:3: no defaults list has group 'barz' to override");
}

static void packages_place_a_group_elsewhere(void **state) {
  (void)state;
  put("config.yaml", "defaults: [{sizes@bars: five}, {parts/deep@_global_: six}]\n");
  put("sizes/five.yaml", "threshold: 5\n");
  put("sizes/six.yaml", "threshold: 6\n");
  put("parts/deep/six.yaml", "labeling: {tie: tp_first}\n");
  fmlp_config *config = loaded("");
  assert_true(fmlp_config_settings(config)->bars.threshold == 5);
  assert_int_equal(fmlp_config_settings(config)->labeling.tie, FMLP_TIE_TP_FIRST);
  fmlp_config_free(config);
  assert_true(threshold_with("sizes@bars=six") == 6);
}

static void nested_groups_are_relative_to_their_parent(void **state) {
  (void)state;
  put("config.yaml", "defaults: [{risk: outer}]\n");
  put("risk/outer.yaml", "defaults: [{monte_carlo: few}]\n");
  put("risk/monte_carlo/few.yaml", "n_sims: 7\n");
  put("risk/monte_carlo/many.yaml", "n_sims: 70\n");
  fmlp_config *config = loaded("");
  assert_int_equal(fmlp_config_settings(config)->risk.n_sims, 7);
  fmlp_config_free(config);
  config = loaded("risk/monte_carlo=many");
  assert_int_equal(fmlp_config_settings(config)->risk.n_sims, 70);
  fmlp_config_free(config);
}

static void a_group_that_must_be_chosen_says_so(void **state) {
  (void)state;
  put("config.yaml", "defaults: [{bars: ?"
                     "?"
                     "?}]\n");
  put("bars/x.yaml", "threshold: 5\n");
  assert_refused("", "config.yaml:1: group 'bars' must be chosen: give bars=option");
  assert_true(threshold_with("bars=x") == 5);
}

static void a_missing_configuration_lists_those_there_are(void **state) {
  (void)state;
  put("config.yaml", "");
  put("mine.yaml", "bars: {threshold: 2}\n");
  fmlp_config *config = NULL;
  fmlp_error error = {""};
  fmlp_config_request request = {.config_dir = fixture_dir, .config_name = "mien"};
  assert_int_equal(fmlp_config_load(&request, &config, &error), FMLP_ERR_USAGE);
  assert_non_null(strstr(error.text, "there is no configuration 'mien'; did you mean 'mine'? there are: "));
  request.config_name = "mine";
  request.allow_missing = true;
  assert_int_equal(fmlp_config_load(&request, &config, &error), FMLP_OK);
  assert_true(fmlp_config_settings(config)->bars.threshold == 2);
  fmlp_config_free(config);
  request.config_dir = "/no/such/folder";
  assert_int_equal(fmlp_config_load(&request, &config, &error), FMLP_ERR_USAGE);
  assert_string_equal(error.text, "--config-dir /no/such/folder: no such folder");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(groups_are_folders_and_the_command_line_chooses),
      TEST(group_mistakes_say_what_there_is),
      TEST(a_group_can_be_added),
      TEST(self_places_the_files_own_keys),
      TEST(an_option_builds_on_another),
      TEST(optional_entries_may_be_missing),
      TEST(an_experiment_changes_groups_and_keys_of_any_group),
      TEST(packages_place_a_group_elsewhere),
      TEST(nested_groups_are_relative_to_their_parent),
      TEST(a_group_that_must_be_chosen_says_so),
      TEST(a_missing_configuration_lists_those_there_are),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
