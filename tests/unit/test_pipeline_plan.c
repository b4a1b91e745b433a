/* Stage selection: what runs, what is loaded, what is left out. */
#include "tests/cmocka_fmlp.h"

#include <string.h>

#include "common/pipeline_plan.h"

static fmlp_stage_plan plan_of(const char *stages, bool from_run) {
  fmlp_stage_plan plan;
  fmlp_error error = {""};
  assert_int_equal(fmlp_stage_plan_make(stages, from_run, &plan, &error), FMLP_OK);
  return plan;
}

static void without_a_list_everything_runs(void **state) {
  (void)state;
  fmlp_stage_plan plan = plan_of(NULL, false);
  for (int s = 0; s < FMLP_STAGE_COUNT; s++) assert_int_equal(plan.action[s], FMLP_STAGE_RUN);
}

static void labels_from_a_run_load_bars_and_features_and_read_ticks_again(void **state) {
  (void)state;
  fmlp_stage_plan plan = plan_of("labels", true);
  assert_int_equal(plan.action[FMLP_STAGE_READ], FMLP_STAGE_SUPPORT);
  assert_int_equal(plan.action[FMLP_STAGE_CLEAN], FMLP_STAGE_SUPPORT);
  assert_int_equal(plan.action[FMLP_STAGE_BARS], FMLP_STAGE_LOAD);
  assert_int_equal(plan.action[FMLP_STAGE_FEATURES], FMLP_STAGE_LOAD);
  assert_int_equal(plan.action[FMLP_STAGE_LABELS], FMLP_STAGE_RUN);
  assert_int_equal(plan.action[FMLP_STAGE_VALIDATION], FMLP_STAGE_SKIP);
  assert_int_equal(plan.action[FMLP_STAGE_REPORT], FMLP_STAGE_SKIP);
}

static void features_from_a_run_do_not_read_ticks(void **state) {
  (void)state;
  fmlp_stage_plan plan = plan_of("features", true);
  assert_int_equal(plan.action[FMLP_STAGE_READ], FMLP_STAGE_SKIP);
  assert_int_equal(plan.action[FMLP_STAGE_BARS], FMLP_STAGE_LOAD);
}

static void risk_recomputes_the_backtest_but_not_the_model(void **state) {
  (void)state;
  fmlp_stage_plan plan = plan_of("risk", true);
  assert_int_equal(plan.action[FMLP_STAGE_BACKTEST], FMLP_STAGE_SUPPORT);
  assert_int_equal(plan.action[FMLP_STAGE_MODEL], FMLP_STAGE_LOAD);
  assert_int_equal(plan.action[FMLP_STAGE_CLEAN], FMLP_STAGE_SUPPORT);
  assert_int_equal(plan.action[FMLP_STAGE_VALIDATION], FMLP_STAGE_SUPPORT); /* cheap, and exact */
}

static void without_a_run_the_suppliers_are_computed(void **state) {
  (void)state;
  fmlp_stage_plan plan = plan_of("bars,labels", false);
  assert_int_equal(plan.action[FMLP_STAGE_READ], FMLP_STAGE_SUPPORT);
  assert_int_equal(plan.action[FMLP_STAGE_BARS], FMLP_STAGE_RUN);
  assert_int_equal(plan.action[FMLP_STAGE_FEATURES], FMLP_STAGE_SUPPORT);
}

static void whoever_loads_labels_has_their_bars(void **state) {
  (void)state;
  const char *const lists[] = {"validation", "model", "validation,model", "backtest", "risk"};
  for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
    fmlp_stage_plan plan = plan_of(lists[l], true);
    assert_int_equal(plan.action[FMLP_STAGE_LABELS], FMLP_STAGE_LOAD);
    assert_int_equal(plan.action[FMLP_STAGE_BARS], FMLP_STAGE_LOAD);
  }
}

static void a_report_alone_is_about_everything(void **state) {
  (void)state;
  fmlp_stage_plan plan = plan_of("report", true);
  assert_int_equal(plan.action[FMLP_STAGE_MODEL], FMLP_STAGE_LOAD);
  assert_int_equal(plan.action[FMLP_STAGE_FEATURES], FMLP_STAGE_LOAD);
  assert_int_equal(plan.action[FMLP_STAGE_BACKTEST], FMLP_STAGE_SUPPORT);
  assert_int_equal(plan.action[FMLP_STAGE_RISK], FMLP_STAGE_SUPPORT);
  plan = plan_of("bars,report", true);
  assert_int_equal(plan.action[FMLP_STAGE_MODEL], FMLP_STAGE_SKIP);
}

static void stages_depend_on_all_before_them_through_others_too(void **state) {
  (void)state;
  assert_true(fmlp_stage_depends_on(FMLP_STAGE_MODEL, FMLP_STAGE_READ));
  assert_true(fmlp_stage_depends_on(FMLP_STAGE_MODEL, FMLP_STAGE_MODEL));
  assert_true(fmlp_stage_depends_on(FMLP_STAGE_RISK, FMLP_STAGE_VALIDATION));
  assert_false(fmlp_stage_depends_on(FMLP_STAGE_LABELS, FMLP_STAGE_VALIDATION));
  assert_false(fmlp_stage_depends_on(FMLP_STAGE_FEATURES, FMLP_STAGE_LABELS));
}

static void unknown_and_empty_stages_are_refused(void **state) {
  (void)state;
  fmlp_stage_plan plan;
  fmlp_error error = {""};
  assert_int_equal(fmlp_stage_plan_make("bars,label", true, &plan, &error), FMLP_ERR_USAGE);
  assert_non_null(strstr(error.text, "'label'"));
  assert_int_equal(fmlp_stage_plan_make("", true, &plan, &error), FMLP_ERR_USAGE);
  assert_int_equal(fmlp_stage_plan_make("bars,", true, &plan, &error), FMLP_ERR_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_a_list_everything_runs),
      cmocka_unit_test(labels_from_a_run_load_bars_and_features_and_read_ticks_again),
      cmocka_unit_test(features_from_a_run_do_not_read_ticks),
      cmocka_unit_test(risk_recomputes_the_backtest_but_not_the_model),
      cmocka_unit_test(without_a_run_the_suppliers_are_computed),
      cmocka_unit_test(whoever_loads_labels_has_their_bars),
      cmocka_unit_test(a_report_alone_is_about_everything),
      cmocka_unit_test(stages_depend_on_all_before_them_through_others_too),
      cmocka_unit_test(unknown_and_empty_stages_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
