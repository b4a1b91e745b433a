/* Metrics against numpy and scipy (tests/golden/metrics.py), their edges by hand, and the evaluation of
 * paths. */
#include "tests/unit/market_fixture.h"

#include <math.h>
#include <stdio.h>

#include "common/core/bits.h"
#include "common/core/quantile.h"
#include "common/stages/evaluation.h"

#define TEN_MINUTES (10 * MINUTE)

/* ---- the golden file: lines of "key count values..." under "case NAME" and "overfitting NAME" ---- */

typedef struct golden {
  FILE *file;
  char key[64];
  char name[64];
  int64_t count;
  double *values;
} golden;

static golden golden_open(void) {
  golden g = {.file = fopen(FMLP_SOURCE_DIR "/tests/golden/metrics.txt", "r")};
  assert_non_null(g.file);
  return g;
}

/* Reads the next line; false at the end. A head line has count -1 and a name. */
static bool golden_next(golden *g) {
  fmlp_free(g->values);
  g->values = NULL;
  if (fscanf(g->file, "%63s", g->key) != 1) return false;
  if (strcmp(g->key, "case") == 0 || strcmp(g->key, "overfitting") == 0) {
    g->count = -1;
    return fscanf(g->file, "%63s", g->name) == 1;
  }
  long long count;
  assert_int_equal(fscanf(g->file, "%lld", &count), 1);
  g->count = count;
  g->values = market_block(count, sizeof(double));
  for (int64_t i = 0; i < count; i++) assert_int_equal(fscanf(g->file, "%la", &g->values[i]), 1);
  return true;
}

static void golden_close(golden *g) {
  fmlp_free(g->values);
  fclose(g->file);
}

static double *take(golden *g, const char *key) {
  assert_true(golden_next(g));
  assert_string_equal(g->key, key);
  double *values = g->values;
  g->values = NULL;
  return values;
}

static void assert_near(double value, double expected, double tolerance, const char *what,
                        const char *where) {
  if (isnan(expected) ? isnan(value) : fabs(value - expected) <= tolerance * fmax(1e-3, fabs(expected)))
    return;
  fail_msg("%s of %s is %.17g, expected %.17g", what, where, value, expected);
}

/* Bars of ten minutes at the start of each session of 100 minutes. */
static market daily_market(int64_t days, int64_t bars_a_day) {
  market m = market_open(1, days, 100);
  m.bars.kind = FMLP_QUOTES;
  m.bars.price = m.ticks.price;
  assert_int_equal(fmlp_bars_reserve(&m.bars, days * bars_a_day, &market_error), FMLP_OK);
  m.bars.count = days * bars_a_day;
  for (int64_t b = 0; b < m.bars.count; b++) {
    m.bars.open_time[b] = m.calendar.open[b / bars_a_day] + b % bars_a_day * TEN_MINUTES;
    m.bars.close_time[b] = m.bars.open_time[b] + TEN_MINUTES - 1;
  }
  return m;
}

static int64_t *times_of(double *values, int64_t count) {
  int64_t *times = market_block(count, 8);
  for (int64_t i = 0; i < count; i++) times[i] = (int64_t)values[i];
  fmlp_free(values);
  return times;
}

static void check_case(golden *g) {
  char name[64];
  memcpy(name, g->name, sizeof name);
  double *shape = take(g, "shape");
  market m = daily_market((int64_t)shape[0], (int64_t)shape[1]);
  m.settings.session.weekend_trading = shape[2] == 365;
  fmlp_equity equity = {.count = m.bars.count, .equity = take(g, "equity"), .drawdown = take(g, "drawdown")};
  fmlp_trades trades = {0};
  double *entry = take(g, "entry");
  trades.count = g->count;
  trades.entry_time = times_of(entry, trades.count);
  trades.exit_time = times_of(take(g, "exit"), trades.count);
  trades.pnl = take(g, "pnl");
  trades.entry_price = take(g, "entry_price");
  trades.exit_price = take(g, "exit_price");
  trades.size = market_block(trades.count, 8);
  for (int64_t i = 0; i < trades.count; i++) trades.size[i] = 0.1;
  fmlp_metrics metrics;
  fmlp_error error = {""};
  assert_int_equal(fmlp_metrics_compute(&m.settings, &m.calendar, &m.bars, &trades, &equity, 0,
                                        m.bars.count - 1, &metrics, NULL, &error),
                   FMLP_OK);
  assert_int_equal(metrics.days, (int64_t)shape[0]);
  assert_int_equal(metrics.trades, trades.count);
  assert_int_equal(metrics.significant, shape[0] >= 60);
  for (int32_t f = 0; f < fmlp_metric_field_count; f++) { /* the file has them in another order */
    assert_true(golden_next(g));
    bool known = false;
    for (int32_t k = 0; k < fmlp_metric_field_count; k++) {
      if (strcmp(g->key, fmlp_metric_fields[k].name) != 0) continue;
      known = true;
      assert_near(fmlp_metric_value(&metrics, &fmlp_metric_fields[k]), g->values[0], 1e-11, g->key, name);
    }
    assert_true(known);
  }
  fmlp_free(shape);
  fmlp_trades_release(&trades);
  fmlp_equity_release(&equity);
  market_close(&m);
}

static void check_overfitting(golden *g) {
  double *shape = take(g, "shape"), *returns = take(g, "returns"), *pbo = take(g, "pbo");
  int32_t trials = (int32_t)shape[0];
  int64_t days = (int64_t)shape[1];
  fmlp_overfitting result;
  fmlp_error error = {""};
  assert_int_equal(fmlp_overfitting_probability(returns, trials, days, &result, &error), FMLP_OK);
  assert_near(result.probability, pbo[0], 1e-12, "probability of overfitting", g->name);
  assert_int_equal(result.combinations, (int64_t)pbo[1]);
  assert_int_equal(result.blocks, (int64_t)pbo[2]);
  assert_null(result.reason);
  double sum = 0, square = 0;
  fmlp_return_moments moments, first;
  for (int32_t t = trials - 1; t >= 0; t--) {
    assert_int_equal(fmlp_return_moments_compute(returns + t * days, days, &moments, &error), FMLP_OK);
    sum += moments.ratio;
    square += moments.ratio * moments.ratio;
  }
  first = moments;
  double variance = (square - sum * sum / trials) / (trials - 1);
  double *deflated = take(g, "deflated");
  double benchmark = fmlp_expected_maximum_sharpe(variance, trials);
  assert_near(benchmark, deflated[0], 1e-9, "expected maximum", g->name);
  assert_near(fmlp_probabilistic_sharpe(&first, benchmark), deflated[1], 1e-9, "deflated Sharpe", g->name);
  fmlp_free(shape);
  fmlp_free(returns);
  fmlp_free(pbo);
  fmlp_free(deflated);
}

static void metrics_equal_numpy_and_scipy(void **state) {
  (void)state;
  golden g = golden_open();
  int cases = 0;
  while (golden_next(&g)) {
    if (strcmp(g.key, "case") == 0) {
      check_case(&g);
    } else {
      check_overfitting(&g);
    }
    cases++;
  }
  assert_int_equal(cases, 8);
  golden_close(&g);
}

/* ---- edges ---- */

static fmlp_metrics flat_metrics(int64_t days, double level, int64_t trades_count) {
  market m = daily_market(days, 2);
  fmlp_equity equity = {.count = m.bars.count,
                        .equity = market_block(m.bars.count, 8),
                        .drawdown = market_block(m.bars.count, 8)};
  for (int64_t b = 0; b < m.bars.count; b++) equity.equity[b] = level;
  int64_t entry = 1, leave = MINUTE;
  double pnl = level - 10000, price = 1, size = 0.1;
  fmlp_trades trades = {.count = trades_count,
                        .entry_time = &entry,
                        .exit_time = &leave,
                        .pnl = &pnl,
                        .entry_price = &price,
                        .exit_price = &price,
                        .size = &size};
  fmlp_metrics metrics;
  fmlp_error error = {""};
  assert_int_equal(fmlp_metrics_compute(&m.settings, &m.calendar, &m.bars, &trades, &equity, 0,
                                        m.bars.count - 1, &metrics, NULL, &error),
                   FMLP_OK);
  fmlp_equity_release(&equity);
  market_close(&m);
  return metrics;
}

static void without_trades_the_metrics_are_null(void **state) {
  (void)state;
  fmlp_metrics metrics = flat_metrics(70, 10000, 0);
  assert_int_equal(metrics.days, 70);
  assert_true(metrics.final_equity == 10000 && metrics.total_return == 0 && metrics.exposure == 0);
  assert_true(isnan(metrics.sharpe) && isnan(metrics.sortino) && isnan(metrics.max_drawdown));
  assert_true(isnan(metrics.profit_factor) && isnan(metrics.win_rate) && isnan(metrics.psr));
}

static void without_variance_there_is_no_ratio(void **state) {
  (void)state;
  fmlp_metrics metrics = flat_metrics(70, 10000, 1); /* one trade of pnl 0 */
  assert_true(isnan(metrics.sharpe) && isnan(metrics.sortino) && isnan(metrics.psr) && isnan(metrics.calmar));
  assert_true(metrics.win_rate == 0 && isnan(metrics.profit_factor) && metrics.max_drawdown == 0);
  fmlp_return_moments moments;
  fmlp_error error = {""};
  double same[] = {0.1, 0.1, 0.1}; /* their mean differs from 0.1 by an ulp */
  assert_int_equal(fmlp_return_moments_compute(same, 3, &moments, &error), FMLP_OK);
  assert_true(moments.std == 0 && isnan(moments.ratio));
}

static void one_day_has_a_return_but_no_ratio(void **state) {
  (void)state;
  fmlp_metrics metrics = flat_metrics(1, 10100, 1);
  assert_int_equal(metrics.days, 1);
  assert_true(fabs(metrics.total_return - 0.01) < 1e-15 && metrics.expectancy == 100 &&
              metrics.win_rate == 1);
  assert_true(isnan(metrics.sharpe) && isnan(metrics.sharpe_standard_error) && isnan(metrics.profit_factor));
  assert_false(metrics.significant);
}

static void a_period_leaves_the_days_before_it_out(void **state) {
  (void)state;
  market m = daily_market(6, 2);
  fmlp_equity equity = {.count = 12, .equity = market_block(12, 8), .drawdown = market_block(12, 8)};
  for (int64_t b = 0; b < 12; b++) equity.equity[b] = b < 6 ? 10000 : 10000 + 100 * (double)(b - 5);
  fmlp_daily daily;
  fmlp_error error = {""};
  assert_int_equal(fmlp_daily_returns(10000, &m.calendar, &m.bars, &equity, 6, 11, &daily, &error), FMLP_OK);
  assert_int_equal(daily.count, 3);
  assert_int_equal(daily.session[0], 3);
  assert_true(daily.daily_return[0] == 10200.0 / 10000 - 1);
  assert_true(daily.daily_return[2] == 10600.0 / 10400 - 1);
  fmlp_daily_release(&daily);
  assert_int_equal(fmlp_daily_returns(10000, &m.calendar, &m.bars, &equity, 0, -1, &daily, &error), FMLP_OK);
  assert_int_equal(daily.count, 0);
  fmlp_daily_release(&daily);
  fmlp_equity_release(&equity);
  market_close(&m);
}

static void a_bar_that_closes_at_the_end_of_its_session_belongs_to_that_day(void **state) {
  (void)state;
  market m = daily_market(2, 10);
  for (int64_t b = 0; b < 20; b++)
    m.bars.close_time[b] = m.bars.open_time[b] + TEN_MINUTES; /* as time bars */
  fmlp_equity equity = {.count = 20, .equity = market_block(20, 8)};
  for (int64_t b = 0; b < 20; b++) equity.equity[b] = b < 10 ? 10000 : 10100;
  fmlp_daily daily;
  fmlp_error error = {""};
  assert_int_equal(fmlp_daily_returns(10000, &m.calendar, &m.bars, &equity, 0, 19, &daily, &error), FMLP_OK);
  assert_int_equal(daily.count, 2);
  assert_true(daily.daily_return[0] == 0 && daily.daily_return[1] > 0);
  fmlp_daily_release(&daily);
  fmlp_equity_release(&equity);
  market_close(&m);
}

static void overfitting_needs_paths_and_days(void **state) {
  (void)state;
  double returns[32] = {0};
  fmlp_overfitting result;
  fmlp_error error = {""};
  assert_int_equal(fmlp_overfitting_probability(returns, 1, 16, &result, &error), FMLP_OK);
  assert_true(isnan(result.probability) && result.reason != NULL);
  assert_int_equal(fmlp_overfitting_probability(returns, 4, 7, &result, &error), FMLP_OK);
  assert_true(isnan(result.probability) && result.reason != NULL);
  assert_int_equal(fmlp_overfitting_probability(returns, 4, 8, &result, &error), FMLP_OK);
  assert_int_equal(result.combinations, 6); /* all ties: rank (N + 1) / 2 of N is the median */
  assert_true(result.probability == 1);
  assert_true(isnan(fmlp_expected_maximum_sharpe(1, 1)));
}

static void a_summary_leaves_nulls_out(void **state) {
  (void)state;
  double values[] = {5, fmlp_nan(), 1, 3, 2, 4};
  fmlp_metric_summary summary = fmlp_metric_summarise(values, 6);
  assert_int_equal(summary.paths, 5);
  assert_true(summary.median == 3);
  assert_true(fabs(summary.low - 1.2) < 1e-15 && fabs(summary.high - 4.8) < 1e-15);
  double none[] = {fmlp_nan()};
  assert_true(isnan(fmlp_metric_summarise(none, 1).median));
}

/* ---- the evaluation ---- */

static market trending_market(void) {
  market m = market_open(5000, 12, 100);
  for (int i = 0; i < 4800; i++) {
    int day = i / 400, in_day = i % 400;
    market_tick(&m, m.calendar.open[day] + in_day * 10 * SECOND, 100000 + 7 * day * (i % 3) + in_day % 50,
                100003 + 7 * day * (i % 3) + in_day % 50);
  }
  market_make_bars(&m, 10, true);
  market_make_labels(&m, 5000);
  m.settings.experiment_name = "a \"quoted\" name";
  m.settings.labeling.max_horizon_bars = 8;
  for (int64_t b = 0; b + 1 < m.bars.count; b += 3) {
    market_signal(&m, b, 1, m.bars.bid_close[b] + 20, m.bars.bid_close[b] - 15, 0.0);
  }
  m.predictions.count = 0;
  for (int path = 0; path < 3; path++) {
    for (int64_t row = 0; row < m.labels.count; row++) {
      int64_t p = m.predictions.count++;
      m.predictions.label_row[p] = row;
      m.predictions.path[p] = path;
      m.predictions.probability[p] = (row * 7 + path * 3) % 10 < 4 ? 0.8 : 0.2;
    }
  }
  return m;
}

static fmlp_evaluation evaluate(market *m, int32_t paths) {
  fmlp_folds folds = {.path_count = paths};
  fmlp_evaluation evaluation;
  fmlp_error error = {""};
  fmlp_tick_source source = fmlp_ticks_source(&m->ticks);
  if (fmlp_evaluate(&m->settings, &m->calendar, &m->bars, &source, &m->labels, &folds, &m->predictions,
                    &evaluation, &error) != FMLP_OK) {
    fail_msg("%s", error.text);
  }
  return evaluation;
}

static void every_path_is_a_backtest_and_the_summary_spans_them(void **state) {
  (void)state;
  market m = trending_market();
  fmlp_evaluation e = evaluate(&m, 3);
  assert_int_equal(e.path_count, 3);
  double low = INFINITY, high = -INFINITY;
  for (int p = 0; p < 3; p++) {
    const fmlp_path_evaluation *path = &e.paths[p];
    assert_int_equal(path->report.predictions, m.labels.count);
    assert_true(path->metrics.trades > 10);
    assert_int_equal(path->report.signals, path->metrics.trades + path->report.skipped_busy +
                                               path->report.skipped_close + path->report.skipped_no_tick +
                                               path->report.skipped_ruined);
    low = fmin(low, path->metrics.sharpe);
    high = fmax(high, path->metrics.sharpe);
    assert_int_equal(path->metrics.days, 12);
    assert_int_equal(path->curve_count, 480);
    assert_true(path->curve[479] == path->metrics.final_equity);
  }
  assert_string_equal(fmlp_metric_fields[2].name, "sharpe");
  assert_true(e.summary[2].low >= low && e.summary[2].high <= high && e.summary[2].median > low &&
              e.summary[2].median < high);
  double total = 0;
  for (int64_t i = 0; i < e.trades.count; i++) total += e.trades.pnl[i];
  assert_true(fabs(e.paths[0].metrics.final_equity - (10000 + total)) < 1e-6);
  assert_int_equal(e.deflated_trials, 3);
  assert_true(e.deflated_sharpe >= 0 && e.deflated_sharpe <= 1);
  assert_true(e.overfitting.probability >= 0 && e.overfitting.probability <= 1);
  assert_int_equal(e.overfitting.blocks, 6);
  assert_true(e.has_baselines);
  assert_true(e.every_signal.trades > e.paths[0].metrics.trades);
  assert_int_equal(e.buy_and_hold.trades, 1);
  assert_true(e.buy_and_hold.exposure > 0.999 && e.buy_and_hold.exposure <= 1 &&
              e.paths[0].metrics.exposure < 1);
  fmlp_evaluation_release(&e);
  market_close(&m);
}

static void no_signal_gives_null_metrics_and_no_error(void **state) {
  (void)state;
  market m = trending_market();
  m.settings.backtest.threshold = 0.9;
  fmlp_evaluation e = evaluate(&m, 3);
  assert_int_equal(e.trades.count, 0);
  assert_int_equal(e.equity.count, m.bars.count);
  assert_int_equal(e.summary[2].paths, 0);
  assert_true(isnan(e.deflated_sharpe));
  fmlp_text text = {0};
  fmlp_evaluation_json(&m.settings, &m.labels, NULL, NULL, &e, &text);
  assert_non_null(strstr(text.bytes, "\"sharpe\": null"));
  assert_non_null(strstr(text.bytes, "no trade"));
  fmlp_text_release(&text);
  fmlp_evaluation_release(&e);
  market_close(&m);
}

static void metrics_json_is_complete_and_equal_each_time(void **state) {
  (void)state;
  market m = trending_market();
  fmlp_evaluation e = evaluate(&m, 3);
  fmlp_fold_score scores[2] = {{0.5, 0.5, 0.69, 0.4, 100, 50}, {fmlp_nan(), 0.5, 0.69, 0.4, 100, 50}};
  fmlp_model_result model = {.split_count = 2, .scores = scores};
  fmlp_text text = {0}, again = {0};
  fmlp_evaluation_json(&m.settings, &m.labels, NULL, &model, &e, &text);
  fmlp_evaluation_json(&m.settings, &m.labels, NULL, &model, &e, &again);
  assert_string_equal(text.bytes, again.bytes);
  json_t *root = json_loads(text.bytes, 0, NULL);
  assert_non_null(root);
  assert_string_equal(json_string_value(json_object_get(root, "experiment")), "a \"quoted\" name");
  assert_int_equal(json_array_size(json_object_get(root, "paths")), 3);
  assert_int_equal(json_array_size(json_object_get(root, "folds")), 2);
  assert_true(json_is_null(json_object_get(json_array_get(json_object_get(root, "folds"), 1), "auc")));
  json_t *sharpe = json_object_get(json_object_get(root, "summary"), "sharpe");
  assert_true(json_real_value(json_object_get(sharpe, "median")) == e.summary[2].median);
  const char *note = json_string_value(json_array_get(json_object_get(root, "notes"), 0));
  assert_string_equal(note, "trained on data after the test: not a tradable record");
  json_decref(root);
  fmlp_text_release(&text);
  fmlp_text_release(&again);
  fmlp_evaluation_release(&e);
  market_close(&m);
}

static void every_allocation_failure_leaves_an_empty_evaluation(void **state) {
  (void)state;
  market m = trending_market();
  fmlp_folds folds = {.path_count = 3};
  fmlp_tick_source source = fmlp_ticks_source(&m.ticks);
  fmlp_status status = FMLP_ERR_OTHER;
  for (int64_t nth = 1; status != FMLP_OK; nth++) {
    fmlp_evaluation e;
    fmlp_error error = {""};
    fmlp_memory_fail_at(nth);
    status = fmlp_evaluate(&m.settings, &m.calendar, &m.bars, &source, &m.labels, &folds, &m.predictions, &e,
                           &error);
    fmlp_memory_fail_at(0);
    if (status != FMLP_OK) assert_true(e.paths == NULL && e.trades.pnl == NULL && e.path_count == 0);
    fmlp_evaluation_release(&e);
  }
  market_close(&m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(metrics_equal_numpy_and_scipy),
      cmocka_unit_test(without_trades_the_metrics_are_null),
      cmocka_unit_test(without_variance_there_is_no_ratio),
      cmocka_unit_test(one_day_has_a_return_but_no_ratio),
      cmocka_unit_test(a_period_leaves_the_days_before_it_out),
      cmocka_unit_test(a_bar_that_closes_at_the_end_of_its_session_belongs_to_that_day),
      cmocka_unit_test(overfitting_needs_paths_and_days),
      cmocka_unit_test(a_summary_leaves_nulls_out),
      cmocka_unit_test(every_path_is_a_backtest_and_the_summary_spans_them),
      cmocka_unit_test(no_signal_gives_null_metrics_and_no_error),
      cmocka_unit_test(metrics_json_is_complete_and_equal_each_time),
      cmocka_unit_test(every_allocation_failure_leaves_an_empty_evaluation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
