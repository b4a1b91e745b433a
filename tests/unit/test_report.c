/* The report: valid, self-contained HTML whatever is missing, and marks in every chart when nothing is.
 *
 * With a file name as argument the program writes the sample page there, to be looked at. */
#include "tests/unit/market_fixture.h"
#include "tests/unit/page_checks.h"

#include <math.h>
#include <stdio.h>

#include "common/core/bits.h"
#include "common/stages/report.h"

/* ---- a full sample ---- */

static uint64_t draw_state = 7;

static double draw(void) {
  draw_state = draw_state * 6364136223846793005u + 1442695040888963407u;
  return (double)(draw_state >> 11) * 0x1p-53;
}

typedef struct sample {
  market m;
  fmlp_read_report read;
  fmlp_clean_report clean;
  fmlp_bars_report bars_report;
  fmlp_folds folds;
  fmlp_model_result model;
  fmlp_evaluation evaluation;
  fmlp_risk_result risk;
  fmlp_report_time times[7];
  fmlp_report_pair manifest[4];
  fmlp_report_input input;
} sample;

static const int64_t may_first = INT64_C(1398920400) * SECOND;

static void sample_market(sample *s) {
  s->m = market_open(60000, 12, 1000);
  market *m = &s->m;
  for (int64_t d = 0; d < 12; d++) {
    m->calendar.open[d] += may_first;
    m->calendar.close[d] += may_first;
  }
  double price = 138700;
  for (int i = 0; i < 60000; i++) {
    price += (draw() - 0.5) * 8;
    market_tick(m, m->calendar.open[i / 5000] + (int64_t)(i % 5000) * 11 * SECOND, (int32_t)price,
                (int32_t)price + 2 + (int32_t)(draw() * 4));
  }
  market_make_bars(m, 10, true);
  for (int64_t b = 0; b < m->bars.count; b++) m->bars.spread_mean[b] = 3e-5;
  market_make_labels(m, 20000);
  m->settings.experiment_name = "EURUSD <tick> & \"volatility\" study";
  m->settings.data.symbol = "EURUSD";
  m->settings.bars.threshold = 10;
  m->settings.labeling.max_horizon_bars = 32;
  m->settings.risk = (fmlp_risk_settings){.n_sims = 5000, .max_total_loss = 0.1, .target_profit = 0.1};
  m->settings.backtest.commission_per_lot = 3.5;
  m->settings.backtest.slippage_points = 1;
  for (int64_t b = 0; b + 12 < m->bars.count; b += 2) {
    int32_t bid = m->bars.bid_close[b], ask = m->bars.ask_close[b];
    market_signal(m, b, 1, bid + 30, bid - 25, 0);
    market_signal(m, b, -1, ask - 30, ask + 25, 0);
  }
  m->labels.label = market_block(m->labels.count, 1);
  for (int64_t row = 0; row < m->labels.count; row++) {
    double r = draw();
    m->labels.outcome[row] = r < 0.43 ? -1 : r < 0.6 ? 0 : 1;
    m->labels.label[row] = m->labels.outcome[row] > 0 ? 1 : -1;
  }
  fmlp_predictions *p = &m->predictions;
  fmlp_predictions_release(p);
  p->label_row = market_block(9 * m->labels.count, 8);
  p->path = market_block(9 * m->labels.count, 8);
  p->probability = market_block(9 * m->labels.count, 8);
  for (int path = 0; path < 9; path++) {
    for (int64_t row = 0; row < m->labels.count; row++) {
      p->label_row[p->count] = row;
      p->path[p->count] = path;
      p->probability[p->count++] = draw() * 0.54;
    }
  }
}

static void sample_model(sample *s) {
  static const char *const names[] = {"ret_1",
                                      "ret_5",
                                      "ret_10",
                                      "vol_10",
                                      "vol_50",
                                      "range_20",
                                      "spread",
                                      "spread_change",
                                      "a_feature_with_a_name_that_is_much_too_long_to_show_whole",
                                      "of_imbalance_20",
                                      "<script>alert(1)</script>",
                                      "bar_duration"};
  int32_t count = (int32_t)(sizeof names / sizeof *names);
  s->model.split_count = 45;
  s->model.scores = market_block(45, sizeof *s->model.scores);
  for (int i = 0; i < 45; i++) {
    s->model.scores[i] =
        (fmlp_fold_score){0.46 + 0.09 * draw(), 0.5 + 0.05 * draw(), 0.69 + 0.01 * draw(), 0.41, 7000, 1900};
  }
  s->model.scores[7].auc = fmlp_nan();
  s->model.feature_count = count;
  s->model.feature_names = market_block(count, sizeof(fmlp_name));
  s->model.importance = market_block(count, 8);
  s->model.importance_std = market_block(count, 8);
  for (int f = 0; f < count; f++) {
    snprintf(s->model.feature_names[f].text, FMLP_NAME_CAPACITY, "%s", names[f]);
    s->model.importance[f] = 0.14 - 0.01 * f + 0.02 * draw();
    s->model.importance_std[f] = 0.01 + 0.01 * draw();
  }
}

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void sample_risk(sample *s) {
  fmlp_risk_result *risk = &s->risk;
  risk->paths = 5000;
  risk->trades = risk->max_trades = s->evaluation.trades.count;
  risk->days = 12;
  risk->initial_capital = 10000;
  risk->kind = FMLP_MC_DAY;
  risk->daily_loss_evaluated = risk->limits_evaluated = true;
  risk->final_capital = market_block(5000, 8);
  risk->max_drawdown = market_block(5000, 8);
  for (int p = 0; p < 5000; p++) {
    risk->final_capital[p] = 9700 + 300 * (draw() + draw() + draw() - 1.5);
    risk->max_drawdown[p] = 0.02 + 0.05 * draw() * draw();
  }
  risk->totals = (fmlp_monte_carlo_totals){
      .outcome_count = {4870, 100, 10, 20}, .mean_final_capital = 9700, .mean_max_drawdown = 0.04};
  risk->ruin = fmlp_wilson(100, 5000);
  risk->daily_loss = fmlp_wilson(10, 5000);
  risk->target = fmlp_wilson(20, 5000);
  risk->loss = fmlp_wilson(4600, 5000);
  risk->fan_points = 60;
  static const double offsets[FMLP_RISK_QUANTILES] = {-2.3, -1.6, -0.7, 0, 0.7, 1.6, 2.3};
  for (int f = 0; f < 60; f++) {
    risk->fan_trade[f] = (risk->max_trades * (f + 1) + 59) / 60;
    for (int q = 0; q < FMLP_RISK_QUANTILES; q++)
      risk->fan_quantile[f][q] = 10000 - 8 * f + offsets[q] * 35 * sqrt(f + 1.0);
  }
  for (int q = 0; q < FMLP_RISK_QUANTILES; q++) {
    risk->final_capital_quantile[q] = 9700 + 150 * offsets[q];
    risk->max_drawdown_quantile[q] = 0.04 + 0.012 * offsets[q];
  }
  qsort(risk->final_capital, 5000, 8, compare_doubles);
}

static void sample_rest(sample *s) {
  snprintf(s->read.format, sizeof s->read.format, "generic_quotes");
  snprintf(s->read.compression, sizeof s->read.compression, "zstd");
  snprintf(s->read.timezone, sizeof s->read.timezone, "UTC");
  snprintf(s->read.decision, sizeof s->read.decision,
           "header names timestamp, askPrice, bidPrice; times in milliseconds");
  s->read.lines = 1144808;
  s->read.rows = 1144807;
  s->clean = (fmlp_clean_report){.rows_in = 1144807,
                                 .rows_out = 1027936,
                                 .crossed_seen = 116871,
                                 .dropped_crossed = 116871,
                                 .zero_spread_seen = 142462};
  s->bars_report = (fmlp_bars_report){.ticks = 1027936, .session_tails = 12, .unfinished_ticks = 41};
  static const char *const names[] = {"read", "clean", "bars", "features", "labels", "model", "backtest"};
  static const int64_t spent[] = {41000000, 9000000, 3100000, 12000000, 8000000, 5200000000, 21000000};
  for (int i = 0; i < 7; i++) {
    s->times[i] = (fmlp_report_time){names[i], "common/stages/model.c:120(fmlp_model_run)", i == 5 ? 45 : 1,
                                     spent[i], spent[i] + 1000000};
  }
  s->manifest[0] = (fmlp_report_pair){"git_commit", "0123abcd"};
  s->manifest[1] = (fmlp_report_pair){"compiler", "gcc 12.2.0 -O3 -ffp-contract=off"};
  s->manifest[2] = (fmlp_report_pair){"input_xxh3", "2f0a\"<>&'"};
  s->manifest[3] = (fmlp_report_pair){"seed", "42"};
}

static const char *const warnings[] = {"features: window 500 > 120 rows, column \"slow\" is NaN",
                                       "few trades & <b>bold</b> claims"};

static void sample_make(sample *s) {
  memset(s, 0, sizeof *s);
  sample_market(s);
  sample_model(s);
  s->folds.path_count = 9;
  fmlp_error error = {""};
  fmlp_tick_source source = fmlp_ticks_source(&s->m.ticks);
  if (fmlp_evaluate(&s->m.settings, &s->m.calendar, &s->m.bars, &source, &s->m.labels, &s->folds,
                    &s->m.predictions, &s->evaluation, &error) != FMLP_OK) {
    fail_msg("%s", error.text);
  }
  sample_risk(s);
  sample_rest(s);
  s->input = (fmlp_report_input){.version = "fmlp 0.1.0 (0123abcd)",
                                 .created = "2026-11-22 12:00:00",
                                 .source = "EURUSD_ticks.csv.zst",
                                 .backend = "cpu (2 threads)",
                                 .command_line = "fmlp run data.path=ticks.csv 'experiment.name=<x>'",
                                 .settings = &s->m.settings,
                                 .read = &s->read,
                                 .clean = &s->clean,
                                 .bars_report = &s->bars_report,
                                 .bars = &s->m.bars,
                                 .labels = &s->m.labels,
                                 .folds = &s->folds,
                                 .model = &s->model,
                                 .evaluation = &s->evaluation,
                                 .risk = &s->risk,
                                 .wall_time = 5900000000,
                                 .time_count = 7,
                                 .times = s->times,
                                 .warning_count = 2,
                                 .warnings = warnings,
                                 .manifest_count = 4,
                                 .manifest = s->manifest};
}

static void sample_release(sample *s) {
  market_close(&s->m);
  fmlp_evaluation_release(&s->evaluation);
  fmlp_risk_result_release(&s->risk);
  fmlp_free(s->model.scores);
  fmlp_free(s->model.feature_names);
  fmlp_free(s->model.importance);
  fmlp_free(s->model.importance_std);
}

static char *page_of(const fmlp_report_input *input) {
  fmlp_text text = {0};
  fmlp_error error = {""};
  if (fmlp_report_build(input, &text, &error) != FMLP_OK) fail_msg("%s", error.text);
  return text.bytes;
}

/* ---- tests ---- */

static void an_empty_input_gives_a_whole_page_that_says_what_did_not_run(void **state) {
  (void)state;
  fmlp_report_input nothing = {0};
  char *html = page_of(&nothing);
  assert_well_formed(html);
  assert_self_contained(html);
  assert_int_equal(count_of(html, "<svg"), 0);
  assert_int_equal(count_of(html, "<section"), 6);
  assert_true(count_of(html, "class=\"missing\"") >= 9);
  assert_non_null(strstr(html, "not trained in this run"));
  fmlp_free(html);
}

static void empty_tables_are_like_absent_ones(void **state) {
  (void)state;
  fmlp_settings settings = {0};
  fmlp_bars bars = {0};
  fmlp_labels labels = {0};
  fmlp_model_result model = {0};
  fmlp_evaluation evaluation = {0};
  fmlp_risk_result risk = {0};
  fmlp_read_report read = {0};
  fmlp_clean_report clean = {0};
  fmlp_report_input input = {.settings = &settings,
                             .bars = &bars,
                             .labels = &labels,
                             .model = &model,
                             .evaluation = &evaluation,
                             .risk = &risk,
                             .read = &read,
                             .clean = &clean};
  char *html = page_of(&input);
  assert_well_formed(html);
  assert_self_contained(html);
  assert_int_equal(count_of(html, "<svg"), 0);
  assert_non_null(strstr(html, "because the backtest made no trade"));
  fmlp_free(html);
}

static void every_chart_has_marks_a_title_and_named_axes(void **state) {
  (void)state;
  sample s;
  sample_make(&s);
  char *html = page_of(&s.input);
  assert_well_formed(html);
  assert_self_contained(html);
  const struct {
    const char *id, *mark;
    int64_t least;
    const char *axis[2];
  } charts[] = {{"chart-price", "class=\"line\"", 1, {"price units", "UTC"}},
                {"chart-labels", "mark\"", 6, {"share of labels", NULL}},
                {"chart-folds", "<circle", 44, {"AUC", "fold number"}},
                {"chart-importance", "class=\"bar mark\"", 12, {"share of gain", NULL}},
                {"chart-equity", "<path", 9, {"money", "UTC"}},
                {"chart-drawdown", "class=\"downfill\"", 1, {"drawdown", "UTC"}},
                {"chart-trades", "class=\"bar mark\"", 5, {"trades", "money"}},
                {"chart-fan", "class=\"band\"", 3, {"capital, money", "trade number"}},
                {"chart-outcomes", "<rect", 4, {"share of paths", NULL}},
                {"chart-final", "class=\"bar mark\"", 10, {"paths", "money"}},
                {"chart-depth", "class=\"bar mark\"", 10, {"paths", "share of the peak"}}};
  assert_int_equal(count_of(html, "<svg"), sizeof charts / sizeof *charts);
  for (size_t c = 0; c < sizeof charts / sizeof *charts; c++) {
    char *chart = chart_text(html, charts[c].id);
    if (count_of(chart, charts[c].mark) < charts[c].least) fail_msg("%s has too few marks", charts[c].id);
    assert_non_null(strstr(chart, "<title"));
    assert_non_null(strstr(chart, "<desc"));
    for (int a = 0; a < 2 && charts[c].axis[a] != NULL; a++)
      assert_non_null(strstr(chart, charts[c].axis[a]));
    fmlp_free(chart);
  }
  fmlp_free(html);
  sample_release(&s);
}

static void names_from_outside_cannot_become_markup(void **state) {
  (void)state;
  sample s;
  sample_make(&s);
  char *html = page_of(&s.input);
  assert_int_equal(count_of(html, "<script"), 1);
  assert_null(strstr(html, "<b>bold</b>"));
  assert_null(strstr(html, "<tick>"));
  assert_non_null(strstr(html, "EURUSD &lt;tick&gt; &amp; &quot;volatility&quot; study"));
  assert_non_null(strstr(html, "&lt;script&gt;alert(1)&lt;/script&gt;"));
  fmlp_free(html);
  sample_release(&s);
}

static void a_run_without_trades_or_with_permutation_still_gives_a_page(void **state) {
  (void)state;
  sample s;
  sample_make(&s);
  s.risk.limits_evaluated = s.risk.daily_loss_evaluated = false;
  s.risk.ruin = s.risk.target = s.risk.loss = s.risk.daily_loss = fmlp_wilson(0, 0);
  s.evaluation.trades.count = 0;
  s.evaluation.path_count = 1;
  s.evaluation.overfitting.reason = "needs at least two paths to rank";
  s.evaluation.overfitting.probability = s.evaluation.deflated_sharpe = fmlp_nan();
  for (int64_t b = 0; b < s.evaluation.equity.count; b++) s.evaluation.equity.equity[b] = 10000;
  memset(s.evaluation.equity.drawdown, 0, (size_t)s.evaluation.equity.count * 8);
  char *html = page_of(&s.input);
  assert_well_formed(html);
  assert_self_contained(html);
  assert_non_null(strstr(html, "needs at least two paths to rank"));
  assert_non_null(strstr(html, "a permutation reports drawdown only"));
  fmlp_free(html);
  sample_release(&s);
}

static void assert_verdict(const double *auc, int32_t folds, int32_t paths, const char *expected) {
  fmlp_fold_score scores[4];
  for (int32_t i = 0; i < folds; i++) scores[i] = (fmlp_fold_score){.auc = auc[i]};
  fmlp_model_result model = {.split_count = folds, .scores = scores};
  fmlp_folds splits = {.path_count = paths};
  fmlp_report_input input = {.model = &model, .folds = &splits};
  char *html = page_of(&input);
  if (strstr(html, expected) == NULL) fail_msg("the page lacks: %s", expected);
  assert_int_equal(count_of(html, "not independent"), paths > 1);
  fmlp_free(html);
}

static void the_verdict_on_the_auc_claims_no_more_than_the_folds_show(void **state) {
  (void)state;
  assert_verdict((const double[]){0.453, 0.609, 0.507}, 3, 9,
                 "AUC 0.523 on average: close to guessing (0.5); folds range from 0.453 to 0.609.");
  assert_verdict((const double[]){0.53, 0.55}, 2, 1, "AUC 0.540 on average: close to guessing (0.5)");
  assert_verdict((const double[]){0.48, 0.64}, 2, 1,
                 "0.560 on average: not clearly apart from guessing (0.5)");
  assert_verdict((const double[]){0.55, 0.57}, 2, 1, "0.560 on average: above guessing (0.5) in every fold");
  assert_verdict((const double[]){0.43, 0.45}, 2, 1, "0.440 on average: below guessing (0.5) in every fold");
  assert_verdict((const double[]){0.97, 0.99}, 2, 1, "look for a leak");
  assert_verdict((const double[]){fmlp_nan(), 0.51}, 2, 1, "AUC 0.510 on average: close to guessing (0.5)");
}

static void a_held_out_file_has_a_section_of_its_own(void **state) {
  (void)state;
  sample s;
  sample_make(&s);
  char *html = page_of(&s.input);
  assert_null(section_text(html, "held-out"));
  assert_null(strstr(html, "#held-out"));
  fmlp_free(html);
  s.evaluation.path_count = 1;
  s.evaluation.causal = true;
  fmlp_report_held_out held_out = {
      "next<month>.csv", 51234, 50123, 4321, {0.5678, 0.625, 0.69, 0.375, 0, 4300}, &s.evaluation};
  s.input.held_out = &held_out;
  html = page_of(&s.input);
  assert_well_formed(html);
  assert_self_contained(html);
  assert_has(html, "<a href=\"#held-out\">");
  char *section = section_text(html, "held-out"), *chart = chart_text(html, "chart-held-out");
  static const char *const figures[] = {"next&lt;month&gt;.csv",
                                        "51,234",
                                        "50,123",
                                        "4,321",
                                        "4,300",
                                        "0.5678",
                                        "62.5",
                                        "37.5",
                                        "Sharpe",
                                        ": a tradable record",
                                        "chart-held-out",
                                        ">Value<"};
  for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) assert_has(section, figures[i]);
  assert_has(chart, "class=\"line\"");
  fmlp_free(chart);
  fmlp_free(section);
  fmlp_free(html);
  s.evaluation.causal = false;
  html = page_of(&s.input);
  assert_has(html, "data: not a tradable record");
  fmlp_free(html);
  sample_release(&s);
}

static void one_path_is_not_shown_as_a_spread_of_paths(void **state) {
  (void)state;
  static const char *const of_several[] = {"path 0",          "Path 0",          "Median of paths",
                                           "median of paths", "Deflated Sharpe", "All paths"};
  sample s;
  sample_make(&s);
  for (int round = 0; round < 2; round++) {
    char *html = page_of(&s.input);
    for (size_t i = 0; i < sizeof of_several / sizeof *of_several; i++) {
      if ((strstr(html, of_several[i]) != NULL) != (round == 0))
        fail_msg("round %d: %s", round, of_several[i]);
    }
    assert_int_equal(count_of(html, "class=\"n\">Value</th>"), round);
    fmlp_free(html);
    s.evaluation.path_count = 1;
  }
  sample_release(&s);
}

static void the_card_of_ruin_counts_the_daily_loss(void **state) {
  (void)state;
  sample s;
  sample_make(&s);
  s.risk.ruin = fmlp_wilson(0, 5000);
  s.risk.daily_loss = fmlp_wilson(5000, 5000);
  char *html = page_of(&s.input);
  assert_has(html, "Loss limit broken</dt><dd class=\"value\">100.0\xc2\xa0%</dd>");
  assert_has(html, "daily loss 100.0\xc2\xa0%, ruin 0.0\xc2\xa0%; target reached");
  fmlp_free(html);
  s.risk.daily_loss_evaluated = false;
  s.risk.daily_loss = fmlp_wilson(0, 0);
  html = page_of(&s.input);
  assert_has(html, "Probability of ruin</dt><dd class=\"value\">0.0\xc2\xa0%</dd>");
  assert_null(strstr(html, "Loss limit broken"));
  fmlp_free(html);
  sample_release(&s);
}

static void a_study_of_few_days_is_said_to_show_little(void **state) {
  (void)state;
  sample s;
  sample_make(&s);
  char *html = page_of(&s.input);
  assert_null(strstr(html, "fewer than 10 of them"));
  fmlp_free(html);
  s.risk.few_days = true;
  html = page_of(&s.input);
  assert_non_null(strstr(html, "fewer than 10 of them"));
  fmlp_free(html);
  sample_release(&s);
}

static void the_same_input_gives_the_same_bytes(void **state) {
  (void)state;
  sample s;
  sample_make(&s);
  char *first = page_of(&s.input), *second = page_of(&s.input);
  assert_string_equal(first, second);
  assert_true(strlen(first) < 600000);
  fmlp_free(first);
  fmlp_free(second);
  sample_release(&s);
}

static void times_from_five_percent_up_are_marked(void **state) {
  (void)state;
  fmlp_report_time times[3] = {
      {"most", "a.c:1(f)", 1, 901, 901}, {"five", "a.c:2(g)", 1, 50, 50}, {"four", "a.c:3(h)", 1, 49, 49}};
  fmlp_report_input input = {.wall_time = 600, .time_count = 3, .times = times};
  char *html = page_of(&input);
  assert_has(html, "<caption>Time in thread-seconds: the times of several threads are added up</caption>");
  assert_int_equal(count_of(html, "n share strong"), 2);
  assert_int_equal(count_of(html, "class=\"n share\""), 1);
  fmlp_free(html);
}

static void memory_running_out_is_an_error_and_nothing_worse(void **state) {
  (void)state;
  fmlp_report_input nothing = {0};
  fmlp_status status = FMLP_ERR_OTHER;
  for (int64_t nth = 1; status != FMLP_OK; nth++) {
    fmlp_text text = {0};
    fmlp_error error = {""};
    fmlp_memory_fail_at(nth);
    status = fmlp_report_build(&nothing, &text, &error);
    fmlp_memory_fail_at(0);
    fmlp_text_release(&text);
  }
}

static int write_sample(const char *path) {
  sample s;
  sample_make(&s);
  char *html = page_of(&s.input);
  FILE *file = fopen(path, "w");
  if (file == NULL) return 1;
  fputs(html, file);
  int bad = fclose(file);
  fmlp_free(html);
  sample_release(&s);
  return bad;
}

int main(int argc, char **argv) {
  if (argc > 1) return write_sample(argv[1]);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_empty_input_gives_a_whole_page_that_says_what_did_not_run),
      cmocka_unit_test(empty_tables_are_like_absent_ones),
      cmocka_unit_test(every_chart_has_marks_a_title_and_named_axes),
      cmocka_unit_test(names_from_outside_cannot_become_markup),
      cmocka_unit_test(a_run_without_trades_or_with_permutation_still_gives_a_page),
      cmocka_unit_test(the_verdict_on_the_auc_claims_no_more_than_the_folds_show),
      cmocka_unit_test(a_held_out_file_has_a_section_of_its_own),
      cmocka_unit_test(one_path_is_not_shown_as_a_spread_of_paths),
      cmocka_unit_test(the_card_of_ruin_counts_the_daily_loss),
      cmocka_unit_test(a_study_of_few_days_is_said_to_show_little),
      cmocka_unit_test(the_same_input_gives_the_same_bytes),
      cmocka_unit_test(times_from_five_percent_up_are_marked),
      cmocka_unit_test(memory_running_out_is_an_error_and_nothing_worse),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
