/* config/: defaults, overrides, interpolation, round trip. Composition and errors have files of their own. */
#define _POSIX_C_SOURCE 200809L
#include "tests/unit/config_fixture.h"

#include <math.h>
#include <time.h>

#include "common/config/schema.h"
#include "common/core/memory.h"

static fmlp_config *shipped(const char *overrides) {
  fmlp_config *config = NULL;
  fmlp_error error = {""};
  fmlp_status status = load_from(FMLP_SOURCE_DIR "/configs", overrides, false, &config, &error);
  if (status != FMLP_OK) fail_msg("%s", error.text);
  return config;
}

static void the_default_experiment_is_the_documented_one(void **state) {
  (void)state;
  fmlp_config *config = shipped("data.path=x.csv");
  const fmlp_settings *s = fmlp_config_settings(config);
  assert_int_equal(s->seed, 42);
  assert_string_equal(s->data.path, "x.csv");
  assert_string_equal(s->data.format, "auto");
  assert_null(s->data.test_path);
  assert_null(s->data.columns.time);
  assert_null(s->data.point_size_text);
  assert_int_equal(s->data.size_decimals, -1);
  assert_int_equal(s->data.bad_rows, FMLP_BAD_ROWS_ERROR);
  assert_true(s->cleaning.sort);
  assert_int_equal(s->cleaning.crossed, FMLP_CROSSED_DROP);
  assert_int_equal(s->cleaning.zero_spread, FMLP_ZERO_SPREAD_KEEP);
  assert_int_equal(s->cleaning.duplicate_timestamps, FMLP_DUPLICATES_KEEP);
  assert_int_equal(s->cleaning.out_of_session, FMLP_OUT_OF_SESSION_DROP);
  assert_false(s->cleaning.outliers_enabled);
  assert_string_equal(s->session.timezone, "UTC");
  assert_int_equal(s->session.session_start, 0);
  assert_int_equal(s->session.session_end, 21 * 60 + 55);
  assert_int_equal(s->session.friday_end, 20 * 60);
  assert_false(s->session.weekend_trading);
  assert_int_equal(s->bars.type, FMLP_BARS_TICK);
  assert_true(s->bars.threshold == 100);
  assert_string_equal(s->bars.threshold_text, "100");
  assert_true(s->bars.keep_session_tail);
  assert_true(s->features.base);
  assert_int_equal(s->features.plan_count, 0);
  assert_int_equal(s->labeling.events_type, FMLP_EVENTS_ALL);
  assert_int_equal(s->labeling.side, FMLP_SIDE_LONG);
  assert_int_equal(s->labeling.distance_mode, FMLP_DISTANCE_VOLATILITY);
  assert_int_equal(s->labeling.volatility_window, 50);
  assert_true(s->labeling.tp_multiple == 4 && s->labeling.sl_multiple == 4);
  assert_int_equal(s->labeling.max_horizon_bars, 32);
  assert_int_equal(s->labeling.min_horizon_bars, 10);
  assert_int_equal(s->labeling.tie, FMLP_TIE_TICKS);
  assert_int_equal(s->labeling.exit_at, FMLP_EXIT_AT_BARRIER);
  assert_int_equal(s->labeling.weights_type, FMLP_WEIGHTS_UNIQUENESS);
  assert_true(s->labeling.weights_time_decay == 1);
  assert_int_equal(s->validation.cv_type, FMLP_CV_CPCV);
  assert_int_equal(s->validation.n_groups, 10);
  assert_int_equal(s->validation.n_test_groups, 2);
  assert_int_equal(s->validation.embargo_bars, 50);
  assert_int_equal(s->model.type, FMLP_MODEL_RANDOM_FOREST);
  assert_int_equal(s->model.n_estimators, 200);
  assert_int_equal(s->model.max_depth, 6);
  assert_int_equal(s->model.max_bin, 64);
  assert_int_equal(s->model.min_samples_leaf, 5);
  assert_true(s->model.max_features == 0);
  assert_false(s->model.meta_enabled);
  assert_true(s->backtest.threshold == 0.5 && s->backtest.initial_capital == 10000);
  assert_true(s->backtest.contract_size == 100000 && s->backtest.size == 0.1);
  assert_int_equal(s->backtest.sizing, FMLP_SIZING_FIXED);
  assert_true(s->backtest.commission_per_lot == 3.5 && s->backtest.slippage_points == 1);
  assert_true(s->backtest.latency_ms == 0 && s->backtest.min_minutes_to_close == 30);
  assert_int_equal(s->backtest.max_positions, 1);
  assert_int_equal(s->risk.n_sims, 10000);
  assert_int_equal(s->risk.kind, FMLP_MC_DAY);
  assert_int_equal(s->risk.block_size, 0);
  assert_int_equal(s->risk.max_trades, 0);
  assert_false(s->risk.compounding);
  assert_true(s->risk.max_daily_loss == 0.03 && s->risk.max_total_loss == 0.10 &&
              s->risk.target_profit == 0.10);
  assert_string_equal(s->runtime.device, "auto");
  assert_int_equal(s->runtime.threads, 0);
  assert_null(s->run_dir);
  fmlp_config_free(config);
}

static void the_shipped_files_carry_the_defaults_of_the_schema(void **state) {
  (void)state;
  put("config.yaml", "");
  fmlp_config *files = shipped("data.path=x");
  fmlp_config *table = loaded("data.path=x");
  assert_string_equal(fmlp_config_yaml(files), fmlp_config_yaml(table));
  fmlp_config_free(files);
  fmlp_config_free(table);
}

static void every_shipped_option_loads(void **state) {
  (void)state;
  static const char *const choices[] = {"bars=volume",
                                        "bars=dollar",
                                        "bars=time",
                                        "cleaning=strict",
                                        "cleaning=none",
                                        "data=fxcm_eurusd",
                                        "data=histdata",
                                        "data=dukascopy",
                                        "data=trades",
                                        "experiment=quick",
                                        "features=plan_example",
                                        "features=plan_only",
                                        "labeling=ticks",
                                        "labeling=mfe_mae",
                                        "labeling=cusum",
                                        "model=forest_small",
                                        "backtest=us_equity",
                                        "risk=iid",
                                        "risk=moving_block",
                                        "risk=circular_block",
                                        "risk=stationary",
                                        "risk=permutation",
                                        "risk=unlimited",
                                        "runtime=cpu",
                                        "session=us_equity",
                                        "session=us_futures",
                                        "session=always",
                                        "validation=purged_kfold",
                                        "validation=walk_forward",
                                        "validation=time_series"};
  for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
    char overrides[128];
    (void)snprintf(overrides, sizeof overrides, "%s|data.path=x", choices[i]);
    fmlp_config_free(shipped(overrides));
  }
  fmlp_config *quick = shipped("experiment=quick|data.path=x");
  assert_int_equal(fmlp_config_settings(quick)->validation.cv_type, FMLP_CV_PURGED_KFOLD);
  assert_int_equal(fmlp_config_settings(quick)->model.n_estimators, 50);
  assert_string_equal(fmlp_config_settings(quick)->experiment_name, "quick");
  fmlp_config_free(quick);
  fmlp_config *off = shipped("risk=unlimited|data.path=x");
  assert_true(isinf(fmlp_config_settings(off)->risk.max_total_loss));
  fmlp_config_free(off);
}

static void a_mandatory_value_is_asked_for(void **state) {
  (void)state;
  fmlp_config *config = NULL;
  fmlp_error error = {""};
  assert_int_equal(load_from(FMLP_SOURCE_DIR "/configs", "", false, &config, &error), FMLP_ERR_USAGE);
  assert_string_equal(error.text, "data.path is mandatory and has no value: give data.path=...");
  assert_int_equal(load_from(FMLP_SOURCE_DIR "/configs", "", true, &config, &error), FMLP_OK);
  assert_non_null(strstr(fmlp_config_yaml(config), "path: \"?"
                                                   "??\"\n"));
  fmlp_config_free(config);
}

static void values_follow_the_grammar_of_hydra(void **state) {
  (void)state;
  put("config.yaml", "");
  fmlp_config *config = loaded(
      "data.path='a, b = c.csv'|data.symbol=EUR/USD 1|experiment.name=\"say "
      "\\\"hi\\\"\"|bars.threshold=1_000.50|"
      "cleaning.sort=False|labeling.tp_ticks=1e3|features.exclude=[a*, 'b,c', \"d\"]|"
      "labeling.volatility={window: 20, tp_multiple: "
      "2.5}|data.point_size=25e-2|risk.monte_carlo.max_trades=null|"
      "data.format=with\\,comma|model.params.max_features=0.5|session.session_end=24:00|data.columns.time=|"
      "features.plan=[{name: a, op: std, of: ret_1, window: 5}]");
  const fmlp_settings *s = fmlp_config_settings(config);
  assert_string_equal(s->data.path, "a, b = c.csv");
  assert_string_equal(s->data.symbol, "EUR/USD 1");
  assert_string_equal(s->experiment_name, "say \"hi\"");
  assert_string_equal(s->bars.threshold_text, "1000.5");
  assert_true(s->bars.threshold == 1000.5);
  assert_false(s->cleaning.sort);
  assert_int_equal(s->labeling.tp_ticks, 1000);
  assert_int_equal(s->features.exclude_count, 3);
  assert_string_equal(s->features.exclude[0], "a*");
  assert_string_equal(s->features.exclude[1], "b,c");
  assert_string_equal(s->features.exclude[2], "d");
  assert_int_equal(s->labeling.volatility_window, 20);
  assert_true(s->labeling.tp_multiple == 2.5 && s->labeling.sl_multiple == 4);
  assert_string_equal(s->data.point_size_text, "0.25");
  assert_int_equal(s->risk.max_trades, 0);
  assert_string_equal(s->data.format, "with,comma");
  assert_true(s->model.max_features == 0.5);
  assert_int_equal(s->session.session_end, 1440);
  assert_string_equal(s->data.columns.time, "");
  assert_int_equal(s->features.plan_count, 1);
  assert_string_equal(s->features.plan[0].name, "a");
  assert_int_equal(s->features.plan[0].window, 5);
  assert_true(isnan(s->features.plan[0].q));
  fmlp_config_free(config);
}

static void thresholds_keep_their_exact_decimal_text(void **state) {
  (void)state;
  static const char *const cases[][2] = {{"0.1", "0.1"},     {"1e-5", "0.00001"},
                                         {"00100.0", "100"}, {"12.50e1", "125"},
                                         {"1.25E+2", "125"}, {".5", "0.5"},
                                         {"3.", "3"},        {"123456789.000000001", "123456789.000000001"}};
  put("config.yaml", "");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char override[64];
    (void)snprintf(override, sizeof override, "bars.threshold=%s", cases[i][0]);
    fmlp_config *config = loaded(override);
    assert_string_equal(fmlp_config_settings(config)->bars.threshold_text, cases[i][1]);
    assert_true(fmlp_config_settings(config)->bars.threshold == strtod(cases[i][0], NULL));
    fmlp_config_free(config);
  }
}

static void adding_forcing_and_deleting(void **state) {
  (void)state;
  put("config.yaml", "bars: {threshold: 7}\nvariables: {own: 77}\n");
  fmlp_config *config = loaded("+data.symbol=X|++bars.threshold=9|+variables.q=1|~cleaning.outliers.window");
  assert_string_equal(fmlp_config_settings(config)->data.symbol, "X");
  assert_true(fmlp_config_settings(config)->bars.threshold == 9);
  fmlp_config_free(config);
  config = loaded("~bars.threshold"); /* back to the default */
  assert_true(fmlp_config_settings(config)->bars.threshold == 100);
  fmlp_config_free(config);
  config = loaded("~bars.threshold=7|~variables.own");
  assert_true(fmlp_config_settings(config)->bars.threshold == 100);
  assert_null(strstr(fmlp_config_yaml(config), "own: 77"));
  fmlp_config_free(config);
  assert_refused(
      "+bars.threshold=9",
      "override '+bars.threshold=9': the key is already set at config.yaml:1; drop the '+' or use '++'");
  assert_refused(
      "~bars.threshold=8",
      "override '~bars.threshold=8': the key has another value; ~key alone deletes it whatever it is");
  assert_refused("~bars.nothing", "override '~bars.nothing': there is no such key to delete");
}

static void elements_of_lists_have_numbers(void **state) {
  (void)state;
  put("config.yaml", "features:\n  plan:\n    - {name: a, op: std, of: ret_1, window: 5}\n");
  fmlp_config *config = loaded("features.plan.0.window=9");
  assert_int_equal(fmlp_config_settings(config)->features.plan[0].window, 9);
  fmlp_config_free(config);
  assert_refused("features.plan.1.window=9",
                 "override 'features.plan.1.window=9': the list has no element '1'");
}

static void interpolations_resolve(void **state) {
  (void)state;
  put("config.yaml",
      "variables: {w: 20, name: eur, deep: {w: '${variables.w}'}, list: [a, b]}\n"
      "data:\n  path: ${oc.env:FMLP_TEST_DIR,/data}/${variables.name}.csv\n  symbol: ${.format}\n"
      "  columns:\n    time: \\${literal}\n"
      "labeling:\n  volatility: {window: '${variables.deep.w}', tp_multiple: '${..max_horizon_bars}'}\n"
      "features: {exclude: '${variables.list}'}\n"
      "bars: {threshold: '${oc.env:FMLP_TEST_DIR,${variables.w}}'}\n"
      "experiment: {name: 'x_${now:%Y}'}\n");
  (void)unsetenv("FMLP_TEST_DIR");
  fmlp_config *config = loaded("");
  const fmlp_settings *s = fmlp_config_settings(config);
  assert_string_equal(s->data.path, "/data/eur.csv");
  assert_string_equal(s->data.symbol, "auto");
  assert_string_equal(s->data.columns.time, "${literal}");
  assert_int_equal(s->labeling.volatility_window, 20);
  assert_true(s->labeling.tp_multiple == 32);
  assert_int_equal(s->features.exclude_count, 2);
  assert_true(s->bars.threshold == 20);
  char year[16];
  time_t now = time(NULL);
  (void)strftime(year, sizeof year, "x_%Y", localtime(&now));
  assert_string_equal(s->experiment_name, year);
  fmlp_config_free(config);
  (void)setenv("FMLP_TEST_DIR", "${variables.w}", 1); /* what the environment says is not read again */
  config = loaded("bars.threshold=5");
  assert_string_equal(fmlp_config_settings(config)->data.path, "${variables.w}/eur.csv");
  fmlp_config_free(config);
  (void)unsetenv("FMLP_TEST_DIR");
}

static void bad_interpolations_name_their_place(void **state) {
  (void)state;
  put("config.yaml", "\nbars:\n  threshold: ${bars.treshold}\n");
  assert_refused("", "config.yaml:3: no such key: '${bars.treshold}'");
  put("config.yaml", "data: {symbol: '${data.format}', format: '${data.symbol}'}\n");
  fmlp_config *config = NULL;
  fmlp_error error = {""};
  assert_int_equal(load_from(fixture_dir, "", true, &config, &error), FMLP_ERR_USAGE);
  assert_non_null(strstr(error.text, "depends on itself"));
  assert_refused(
      "data.symbol=${oc.env:FMLP_NO_SUCH_THING}|data.format=x",
      "override 'data.symbol=${oc.env:FMLP_NO_SUCH_THING}': the environment variable is not set, and no "
      "default stands in '${oc.env:FMLP_NO_SUCH_THING}'");
  assert_refused(
      "data.symbol=${hydra:x}|data.format=x",
      "override 'data.symbol=${hydra:x}': unknown resolver (there are oc.env:NAME,default and now:FORMAT): "
      "'${hydra:x}'");
  assert_refused("data.symbol=a${bars}b|data.format=x",
                 "override 'data.symbol=a${bars}b': a list or mapping cannot be part of a text: '${bars}'");
}

static void the_printed_configuration_reads_back_the_same(void **state) {
  (void)state;
  put("config.yaml", "");
  fmlp_config *first = loaded(
      "data.path='we\"ird \\\\ na me #:{}.csv'|data.symbol='null'|data.columns.time='12'|bars.threshold=1e-3|"
      "features.plan=[{name: a, op: quantile, of: ret_1, window: 5, q: 0.25}, {name: b, op: abs, of: a}]|"
      "features.exclude=[]|+variables.x={a: [1, [2, 3], {b: yes}], c: 'yes'}|data.format=\\${x}|"
      "+variables.odd='\xc2\x85\xe2\x80\xa8\xef\xbb\xbf\tz\xc3\xa9'|labeling.volatility.tp_multiple=4.0000|"
      "session.session_start=7:05|run.dir=/tmp/x");
  put("resolved.yaml", fmlp_config_yaml(first));
  char path[512];
  (void)snprintf(path, sizeof path, "%s/resolved.yaml", fixture_dir);
  const char *const same_dir[] = {"run.dir=/tmp/x"};
  fmlp_config_request request = {.base_file = path, .override_count = 1, .overrides = same_dir};
  fmlp_config *second = NULL;
  fmlp_error error = {""};
  if (fmlp_config_load(&request, &second, &error) != FMLP_OK) fail_msg("%s", error.text);
  assert_string_equal(fmlp_config_yaml(first), fmlp_config_yaml(second));
  const fmlp_settings *s = fmlp_config_settings(second);
  assert_string_equal(s->data.path, "we\"ird \\ na me #:{}.csv");
  assert_string_equal(s->data.symbol, "null");
  assert_string_equal(s->data.columns.time, "12");
  assert_string_equal(s->data.format, "${x}");
  assert_string_equal(s->bars.threshold_text, "0.001");
  assert_int_equal(s->session.session_start, 425);
  assert_int_equal(s->features.plan_count, 2);
  fmlp_config_free(second);
  fmlp_config_free(first);
}

static void a_run_that_starts_from_another_takes_its_keys_and_group_choices(void **state) {
  (void)state;
  put("config.yaml", "defaults: [bars: small]\n");
  put("bars/small.yaml", "threshold: 5\nsession_tail: drop\n");
  put("bars/large.yaml", "threshold: 500\n");
  put("run/config.yaml",
      "bars: {threshold: 7, session_tail: drop}\nrun: {dir: old}\nlabeling: {tie: sl_first}\n");
  char path[512];
  (void)snprintf(path, sizeof path, "%s/run/config.yaml", fixture_dir);
  static const char *const overrides[] = {"bars=large", "data.path=x"};
  fmlp_config_request request = {
      .config_dir = fixture_dir, .base_file = path, .override_count = 2, .overrides = overrides};
  fmlp_config *config = NULL;
  fmlp_error error = {""};
  if (fmlp_config_load(&request, &config, &error) != FMLP_OK) fail_msg("%s", error.text);
  const fmlp_settings *s = fmlp_config_settings(config);
  assert_true(s->bars.threshold == 500);
  assert_true(s->bars.keep_session_tail);
  assert_int_equal(s->labeling.tie, FMLP_TIE_SL_FIRST);
  assert_null(s->run_dir);
  assert_string_equal(fmlp_config_overrides_yaml(config), "- \"bars=large\"\n- \"data.path=x\"\n");
  fmlp_config_free(config);
}

static void the_run_folder_carries_date_time_and_name(void **state) {
  (void)state;
  put("config.yaml", "experiment: {name: trial}\n");
  fmlp_config *config = loaded("");
  const char *dir = fmlp_config_run_dir(config);
  assert_int_equal(strlen(dir), strlen("runs/2026-01-31/12-00-00_trial"));
  assert_memory_equal(dir, "runs/20", 7);
  assert_string_equal(dir + strlen(dir) - 6, "_trial");
  assert_string_equal(fmlp_config_overrides_yaml(config), "[]\n");
  fmlp_config_free(config);
  config = loaded("run.dir=out/x");
  assert_string_equal(fmlp_config_run_dir(config), "out/x");
  fmlp_config_free(config);
}

static void running_out_of_memory_anywhere_is_an_error_and_no_leak(void **state) {
  (void)state;
  put("config.yaml", "variables: {w: 20}\nbars: {threshold: '${variables.w}'}\nfeatures: {plan: [{name: a, "
                     "op: abs, of: mid}]}\n");
  for (int64_t nth = 1; nth < 40; nth++) {
    fmlp_config *config = NULL;
    fmlp_error error = {""};
    fmlp_memory_fail_at(nth);
    fmlp_status status = load_from(fixture_dir, "data.path=x", false, &config, &error);
    fmlp_memory_fail_at(0);
    if (status == FMLP_OK) {
      fmlp_config_free(config);
      assert_true(nth > 3);
      return;
    }
    assert_int_equal(status, FMLP_ERR_OTHER);
    assert_null(config);
    assert_non_null(strstr(error.text, "memory"));
  }
  fail_msg("never enough memory");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(the_default_experiment_is_the_documented_one),
      TEST(the_shipped_files_carry_the_defaults_of_the_schema),
      TEST(every_shipped_option_loads),
      TEST(a_mandatory_value_is_asked_for),
      TEST(values_follow_the_grammar_of_hydra),
      TEST(thresholds_keep_their_exact_decimal_text),
      TEST(adding_forcing_and_deleting),
      TEST(elements_of_lists_have_numbers),
      TEST(interpolations_resolve),
      TEST(bad_interpolations_name_their_place),
      TEST(the_printed_configuration_reads_back_the_same),
      TEST(a_run_that_starts_from_another_takes_its_keys_and_group_choices),
      TEST(the_run_folder_carries_date_time_and_name),
      TEST(running_out_of_memory_anywhere_is_an_error_and_no_leak),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
