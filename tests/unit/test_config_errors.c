/* config/: every mistake is refused with its file and line, or the override, and a hint. */
#define _POSIX_C_SOURCE 200809L
#include "tests/unit/config_fixture.h"

typedef struct mistake {
  const char *yaml;
  const char *overrides;
  const char *message;
} mistake;

static void assert_mistakes(const mistake *mistakes, size_t count) {
  for (size_t i = 0; i < count; i++) {
    put("config.yaml", mistakes[i].yaml);
    assert_refused(mistakes[i].overrides, mistakes[i].message);
  }
}

#define CHECK(mistakes) assert_mistakes(mistakes, sizeof(mistakes) / sizeof *(mistakes))

static void unknown_keys_name_the_nearest(void **state) {
  (void)state;
  static const mistake mistakes[] = {
      {"bars:\n  treshold: 5\n", "",
       "config.yaml:2: unknown key 'bars.treshold'; did you mean 'bars.threshold'?"},
      {"bar:\n  threshold: 5\n", "", "config.yaml:2: unknown key 'bar'; did you mean 'bars'?"},
      {"", "bars.treshold=5",
       "override 'bars.treshold=5': unknown key 'bars.treshold'; did you mean 'bars.threshold'?"},
      {"", "+bars.treshold=5",
       "override '+bars.treshold=5': unknown key 'bars.treshold'; did you mean 'bars.threshold'?"},
      {"", "risk.n_sims=5",
       "override 'risk.n_sims=5': unknown key 'risk.n_sims'; did you mean 'risk.monte_carlo.n_sims'?"},
      {"", "seed=1", "override 'seed=1': unknown key 'seed'; did you mean 'experiment.seed'?"},
      {"", "bars.colour=red",
       "override 'bars.colour=red': unknown key 'bars.colour'; bars has: type, threshold, session_tail"},
      {"", "bars.type.x=1",
       "override 'bars.type.x=1': 'bars.type' is no mapping that could hold keys (default)"},
      {"features:\n  plan:\n    - name: a\n      opp: std\n", "",
       "config.yaml:4: features.plan: unknown key 'opp'; did you mean 'op'?"},
  };
  CHECK(mistakes);
}

static void wrong_types_say_what_is_expected(void **state) {
  (void)state;
  static const mistake mistakes[] = {
      {"bars:\n  threshold: many\n", "", "config.yaml:2: bars.threshold: a number > 0 expected, not 'many'"},
      {"bars: 5\n", "", "config.yaml:1: bars: a mapping of keys expected (such as bars.type)"},
      {"bars: [5]\n", "", "config.yaml:1: bars: a mapping of keys expected (such as bars.type)"},
      {"cleaning:\n  sort: maybe\n", "", "config.yaml:2: cleaning.sort: true or false expected, not 'maybe'"},
      {"", "cleaning.sort=1", "override 'cleaning.sort=1': cleaning.sort: true or false expected, not '1'"},
      {"", "labeling.max_horizon_bars=3.5",
       "override 'labeling.max_horizon_bars=3.5': labeling.max_horizon_bars: a whole number >= 1 expected, "
       "not '3.5'"},
      {"", "labeling.max_horizon_bars=99999999999999999999",
       "override 'labeling.max_horizon_bars=99999999999999999999': labeling.max_horizon_bars: a whole number "
       "<= 2147483647 expected, not '99999999999999999999'"},
      {"", "bars.threshold=[1,2]",
       "override 'bars.threshold=[1,2]': bars.threshold: a number > 0 expected, not a list"},
      {"", "bars.threshold=null",
       "override 'bars.threshold=null': bars.threshold: a number > 0 expected, not 'null'"},
      {"", "bars.threshold=nan",
       "override 'bars.threshold=nan': bars.threshold: a number > 0 expected, not 'nan'"},
      {"", "bars.threshold=1e999",
       "override 'bars.threshold=1e999': bars.threshold: a number > 0 expected, not '1e999'"},
      {"", "bars.threshold=0x10",
       "override 'bars.threshold=0x10': bars.threshold: a number > 0 expected, not '0x10'"},
      {"", "data.path=[a]", "override 'data.path=[a]': data.path: a text expected, not a list"},
      {"", "data.path=null", "override 'data.path=null': data.path: a text expected, not 'null'"},
      {"", "data.point_size=small",
       "override 'data.point_size=small': data.point_size: auto or a number in (0, 1e+09] expected, not "
       "'small'"},
      {"", "data.size_decimals=19",
       "override 'data.size_decimals=19': data.size_decimals: auto or a whole number in [0, 18] expected, "
       "not '19'"},
      {"", "session.session_start=25:00",
       "override 'session.session_start=25:00': session.session_start: a time \"HH:MM\" up to 23:59 "
       "expected, not '25:00'"},
      {"", "session.session_end=12:60",
       "override 'session.session_end=12:60': session.session_end: a time \"HH:MM\" up to 24:00 expected, "
       "not '12:60'"},
      {"", "session.session_end=1200",
       "override 'session.session_end=1200': session.session_end: a time \"HH:MM\" up to 24:00 expected, not "
       "'1200'"},
      {"", "features.exclude=a",
       "override 'features.exclude=a': features.exclude: a list of texts expected, not 'a'"},
      {"", "features.plan=a",
       "override 'features.plan=a': features.plan: a list of {name, op, of, ...} expected"},
      {"", "features.plan=[a]",
       "override 'features.plan=[a]': features.plan: an entry is {name, op, of, ...}"},
      {"", "experiment.seed=-1",
       "override 'experiment.seed=-1': experiment.seed: a whole number in [0, 2^64) expected, not '-1'"},
      {"", "model.params.max_features=2.5",
       "override 'model.params.max_features=2.5': model.params.max_features: sqrt, "
       "log2, all, a fraction in (0, 1] or a count above 1 expected, not '2.5'"},
      {"bars: 5\n", "bars.threshold=6",
       "override 'bars.threshold=6': 'bars' is no mapping that could hold keys (config.yaml:1)"},
      {"variables: 5\n", "", "config.yaml:1: variables: a mapping expected"},
      {"- a\n- b\n", "", "config.yaml:1: a configuration file holds 'key: value' lines"},
      {"defaults: 5\n", "", "config.yaml:1: 'defaults' must be a list"},
      {"defaults: [[a]]\n", "", "config.yaml:1: an entry of defaults is '_self_', 'name' or 'group: option'"},
  };
  CHECK(mistakes);
}

static void values_out_of_range_are_refused(void **state) {
  (void)state;
  static const mistake mistakes[] = {
      {"", "data.columns.side=s",
       "override 'data.columns.side=s': data.columns.side: not available in this version; leave it null"},
      {"bars: {threshold: 0}\n", "", "config.yaml:1: bars.threshold: a number > 0 expected, not '0'"},
      {"", "bars.threshold=-5",
       "override 'bars.threshold=-5': bars.threshold: a number > 0 expected, not '-5'"},
      {"", "labeling.max_horizon_bars=0",
       "override 'labeling.max_horizon_bars=0': labeling.max_horizon_bars: a whole number >= 1 expected, not "
       "'0'"},
      {"", "backtest.threshold=1.5",
       "override 'backtest.threshold=1.5': backtest.threshold: a number in [0, 1] expected, not '1.5'"},
      {"", "labeling.weights.time_decay=-1",
       "override 'labeling.weights.time_decay=-1': labeling.weights.time_decay: a number in (-1, 1] "
       "expected, not '-1'"},
      {"", "risk.monte_carlo.n_sims=0",
       "override 'risk.monte_carlo.n_sims=0': risk.monte_carlo.n_sims: a whole number >= 1 expected, not "
       "'0'"},
      {"", "labeling.tp_ticks=2147483648",
       "override 'labeling.tp_ticks=2147483648': labeling.tp_ticks: a whole number <= 2147483647 expected, "
       "not '2147483648'"},
      {"", "labeling.volatility.tp_multiple=1e300",
       "override 'labeling.volatility.tp_multiple=1e300': labeling.volatility.tp_multiple: a number <= "
       "9007199254740992 expected, not '1e300'"},
      {"", "labeling.volatility.window=1",
       "override 'labeling.volatility.window=1': labeling.volatility.window: a whole number >= 2 expected, "
       "not '1'"},
      {"", "features.plan=[{name: a, op: std, of: mid, window: 0}]",
       "override 'features.plan=[{name: a, op: std, of: mid, window: 0}]': features.plan: window: a whole "
       "number >= 1 "
       "expected, not '0'"},
      {"", "bars.type=tik",
       "override 'bars.type=tik': bars.type: one of tick, volume, dollar, time, tick_imbalance, "
       "volume_imbalance, dollar_imbalance, tick_run, volume_run, dollar_run (did you mean 'tick'?) "
       "expected, not 'tik'"},
      {"", "features.set=basis",
       "override 'features.set=basis': features.set: one of base, none (did you mean 'base'?) expected, not "
       "'basis'"},
  };
  CHECK(mistakes);
}

static void rules_between_keys_hold(void **state) {
  (void)state;
  static const mistake mistakes[] = {
      {"labeling: {distance_mode: ticks}\n", "",
       "default: labeling.tp_ticks: distance_mode ticks needs it, in points"},
      {"labeling: {distance_mode: ticks, tp_ticks: 5}\n", "",
       "default: labeling.sl_ticks: distance_mode ticks needs it, in points"},
      {"labeling:\n  min_horizon_bars: 40\n", "",
       "config.yaml:2: labeling.min_horizon_bars: 40 is more than labeling.max_horizon_bars, 32 (default)"},
      {"", "validation.n_groups=2",
       "default: validation.n_test_groups: 2 must be less than validation.n_groups, 2 (override "
       "'validation.n_groups=2')"},
      {"", "validation.n_groups=100|validation.n_test_groups=50",
       "override 'validation.n_test_groups=50': validation.n_test_groups: 50 of 100 groups make more than "
       "10000 splits"},
      {"", "experiment.name=a/b",
       "override 'experiment.name=a/b': experiment.name: it becomes a folder's name: no '/', no leading '.', "
       "no control characters, at most 100 characters"},
      {"", "features.set=none",
       "override 'features.set=none': features.set: none, and features.plan is empty: no feature is left"},
      {"", "features.plan=[{op: std}]",
       "override 'features.plan=[{op: std}]': features.plan: an entry needs 'name'"},
      {"", "features.plan=[{name: a}]",
       "override 'features.plan=[{name: a}]': features.plan: an entry needs 'op'"},
      {"", "features.plan=[{name: a/b, op: abs}]",
       "override 'features.plan=[{name: a/b, op: abs}]': features.plan: name 'a/b': at most 63 letters, "
       "digits and "
       "underscores"},
      {"features:\n  plan:\n    - {name: a, op: abs}\n    - {name: a, op: abs}\n", "",
       "config.yaml:4: features.plan: 'a' is defined already at config.yaml:3"},
      {"", "features.plan=[{name: a, op: mead}]",
       "override 'features.plan=[{name: a, op: mead}]': features.plan: unknown operator 'mead'; did you mean "
       "'mean'?"},
      {"", "bars.type=dollar_run",
       "override 'bars.type=dollar_run': bars.type: imbalance and run bars are not built yet; use tick, "
       "volume, dollar or time"},
      {"model: {type: logistic}\n", "",
       "config.yaml:1: model.type: logistic is not built yet; use random_forest or gradient_boosting"},
      {"", "model.meta.enabled=true",
       "override 'model.meta.enabled=true': model.meta.enabled: the meta-model is not built yet; leave it "
       "false"},
      {"", "session.timezone=America/NewYork",
       "override 'session.timezone=America/NewYork': session.timezone: unknown time zone "
       "\"America/NewYork\"; use a tz database name such as America/New_York, or UTC, UTC-5"},
      {"data: {timezone: Mars}\n", "",
       "config.yaml:1: data.timezone: unknown time zone \"Mars\"; use a tz database name such as "
       "America/New_York, or UTC, UTC-5"},
  };
  for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
    put("config.yaml", mistakes[i].yaml);
    fmlp_config *config = NULL;
    fmlp_error error = {""};
    assert_int_equal(load_from(fixture_dir, mistakes[i].overrides, true, &config, &error), FMLP_ERR_USAGE);
    while (strcmp(error.text, without_dir(error.text)) != 0) {
    }
    assert_string_equal(error.text, mistakes[i].message);
  }
}

static void unreadable_yaml_names_the_line(void **state) {
  (void)state;
  static const mistake mistakes[] = {
      {"bars:\n  threshold: 5\n  threshold: 6\n", "",
       "config.yaml:3: key 'threshold' stands twice in one mapping"},
      {"bars:\n  threshold: *other\n", "", "config.yaml:2: no anchor '&other' stands before this alias"},
      {"bars: \x01\n", "", "config.yaml:1: not text in UTF-8"},
      {"bars:\n  \xff\xfe\n", "", "config.yaml:2: not text in UTF-8"},
      {"? [a, b]\n: c\n", "", "config.yaml:1: a key must be a plain word"},
      {"a: 1\n---\nb: 2\n", "", "config.yaml:3: a second document; a configuration file is one"},
  };
  CHECK(mistakes);
  static const char *const broken[] = {"bars: [1, 2\n", "bars:\n\t- x\n", "a: b: c\n", "bars: \"open\n",
                                       "bars: {a: 1\nb: 2"};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    fmlp_config *config = NULL;
    fmlp_error error = {""};
    put("config.yaml", broken[i]);
    assert_int_equal(load_from(fixture_dir, "", true, &config, &error), FMLP_ERR_USAGE);
    assert_non_null(strstr(error.text, "config.yaml:"));
    if (!strstr(error.text, ": not YAML: ")) fail_msg("%s", error.text);
  }
}

static void overrides_that_do_not_parse_are_quoted(void **state) {
  (void)state;
  static const mistake mistakes[] = {
      {"", "bars.threshold",
       "override 'bars.threshold': an override is key=value, group=option, +key=value, ++key=value or ~key"},
      {"", "+data..symbol=5", "override '+data..symbol=5': a part of the key is empty"},
      {"", ".data=5", "override '.data=5': a part of the key is empty"},
      {"", "data.=5", "override 'data.=5': a part of the key is empty"},
      {"bars.threshold: 5\n", "",
       "config.yaml:1: key 'bars.threshold' holds a dot; in files keys are nested mappings"},
      {"", "=5", "override '=5': no key before '='"},
      {"", "bars.threshold=1,2",
       "override 'bars.threshold=1,2': several values: sweep with -m, or quote the text"},
      {"", "bars.threshold=[1,2", "override 'bars.threshold=[1,2': a list wants ',' or ']' after an element"},
      {"", "data.path='abc", "override 'data.path='abc': the quotes do not close"},
      {"", "data.path='a'b",
       "override 'data.path='a'b': text after the value; quote values that hold brackets, quotes or commas"},
      {"", "labeling.volatility={window}",
       "override 'labeling.volatility={window}': a mapping wants 'key: value'"},
      {"", "labeling.volatility={window: 1, window: 2}",
       "override 'labeling.volatility={window: 1, window: 2}': a key stands twice in a mapping"},
      {"", "data.path=\xff",
       "override 'data.path=\xff': not text in UTF-8, which config.yaml could not hold"},
      {"", "bars@x=1", "override 'bars@x=1': '@' belongs to a group, and there is none of this name"},
  };
  CHECK(mistakes);
}

static void anchors_aliases_and_merge_keys_work_and_stay_small(void **state) {
  (void)state;
  put("config.yaml",
      "variables:\n  base: &base {threshold: 7, session_tail: drop}\nbars:\n  <<: *base\n  threshold: 8\n");
  fmlp_config *config = loaded("");
  assert_true(fmlp_config_settings(config)->bars.threshold == 8);
  assert_false(fmlp_config_settings(config)->bars.keep_session_tail);
  fmlp_config_free(config);
  put("config.yaml", "variables:\n  a: &a [x,x,x,x,x,x,x,x,x,x]\n  b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                     "  c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n  d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                     "  e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n  f: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n");
  fmlp_error error = {""};
  assert_int_equal(load_from(fixture_dir, "", true, &config, &error), FMLP_ERR_USAGE);
  assert_non_null(strstr(error.text, "grows too large by its aliases"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(unknown_keys_name_the_nearest),
      TEST(wrong_types_say_what_is_expected),
      TEST(values_out_of_range_are_refused),
      TEST(rules_between_keys_hold),
      TEST(unreadable_yaml_names_the_line),
      TEST(overrides_that_do_not_parse_are_quoted),
      TEST(anchors_aliases_and_merge_keys_work_and_stay_small),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
