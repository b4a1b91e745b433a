/* Section of the report: the Monte Carlo study. */
#include <math.h>
#include <stdio.h>

#include "common/stages/report_chart.h"
#include "common/stages/report_page.h"
#include "common/stages/report_sections.h"

static void fan_chart(const fmlp_report_input *input, fmlp_text *text) {
  static const fmlp_chart_key keys[] = {
      {"median", "var(--blue)", true},
      {"25 to 75 %", "color-mix(in srgb,var(--blue) 36%,transparent)", false},
      {"5 to 95 %", "color-mix(in srgb,var(--blue) 26%,transparent)", false},
      {"1 to 99 %", "color-mix(in srgb,var(--blue) 14%,transparent)", false},
      {NULL, NULL, false}};
  const fmlp_risk_result *risk = input->risk;
  double x[FMLP_RISK_FAN_POINTS + 1], line[FMLP_RISK_QUANTILES][FMLP_RISK_FAN_POINTS + 1];
  double initial = risk->initial_capital, low = initial, high = initial;
  int32_t count = risk->fan_points + 1;
  for (int32_t i = 0; i < count; i++) {
    x[i] = i == 0 ? 0.0 : (double)risk->fan_trade[i - 1];
    for (int q = 0; q < FMLP_RISK_QUANTILES; q++) {
      line[q][i] = i == 0 ? initial : risk->fan_quantile[i - 1][q];
      if (line[q][i] < low) low = line[q][i];
      if (line[q][i] > high) high = line[q][i];
    }
  }
  char description[200];
  snprintf(description, sizeof description,
           "Capital after each trade over %lld resampled paths (%s). A stopped path keeps its last capital.",
           (long long)risk->paths, fmlp_resampling_name(risk->kind));
  fmlp_chart chart = fmlp_chart_begin(text, "chart-fan", "Monte Carlo fan", description, keys, 1080, 340, 72);
  fmlp_chart_x_range(&chart, 0, x[count - 1]);
  fmlp_chart_y_range(&chart, low, high);
  fmlp_chart_y_axis(&chart, "capital, money", FMLP_AXIS_NUMBER);
  fmlp_chart_x_axis(&chart, "trade number", FMLP_AXIS_NUMBER, false);
  for (int q = 0; q < 3; q++)
    fmlp_chart_band(&chart, x, line[q], line[FMLP_RISK_QUANTILES - 1 - q], count, "band");
  fmlp_chart_level(&chart, initial, "zero", NULL);
  if (input->settings != NULL && risk->limits_evaluated) {
    fmlp_chart_level(&chart, initial * (1.0 - input->settings->risk.max_total_loss), "limit", "ruin");
    fmlp_chart_level(&chart, initial * (1.0 + input->settings->risk.target_profit), "goal", "profit target");
  }
  fmlp_chart_line(&chart, x, line[3], count, "line");
  double width = (chart.right - chart.left) / (double)(count > 1 ? count - 1 : 1);
  for (int32_t i = 1; i < count; i++) {
    fmlp_chart_rectangle(&chart, fmlp_chart_x(&chart, x[i]) - width, chart.top, width,
                         chart.bottom - chart.top, "hit");
    fmlp_text_append(text, "after trade ");
    fmlp_page_count(text, risk->fan_trade[i - 1]);
    for (int q = FMLP_RISK_QUANTILES - 1; q >= 0; q--) {
      fmlp_text_format(text, "\n%2.0f %%  ", fmlp_risk_quantile_levels[q] * 100.0);
      fmlp_page_fixed(text, line[q][i], 2);
    }
    fmlp_chart_mark_end(&chart);
  }
  fmlp_chart_end(&chart);
}

typedef struct named_proportion {
  const char *name;
  const fmlp_proportion *proportion;
  const char *missing; /* why it has no value */
} named_proportion;

static void list_proportions(const fmlp_risk_result *risk, named_proportion out[4]) {
  const char *permutation = "a permutation reports drawdown only";
  out[0] = (named_proportion){"Ruin (total loss limit)", &risk->ruin, permutation};
  out[1] = (named_proportion){"Daily loss limit", &risk->daily_loss, "evaluated for kind day only"};
  out[2] = (named_proportion){"Profit target", &risk->target, permutation};
  out[3] = (named_proportion){"Ends below the initial capital", &risk->loss, permutation};
}

static void probability_chart(const fmlp_risk_result *risk, fmlp_text *text) {
  named_proportion rows[4];
  list_proportions(risk, rows);
  fmlp_chart chart =
      fmlp_chart_begin(text, "chart-outcomes", "Outcome probabilities",
                       "Share of paths, with its 95 % Wilson interval.", NULL, 1080, 54 + 4 * 34, 210);
  chart.top = 6; /* no label above the plot */
  fmlp_chart_x_range(&chart, 0, 1);
  fmlp_chart_x_axis(&chart, "share of paths", FMLP_AXIS_PERCENT, true);
  for (int i = 0; i < 4; i++) {
    double y = chart.top + 34 * i + 17;
    const fmlp_proportion *p = rows[i].proportion;
    fmlp_chart_text(&chart, chart.left - 8, y + 4, "end", "name", rows[i].name);
    if (!isfinite(p->value)) {
      fmlp_chart_text(&chart, chart.left + 8, y + 4, "start", "label", rows[i].missing);
      continue;
    }
    const char *style = i == 2 ? "bar mark" : "bad mark";
    double x = fmlp_chart_x(&chart, p->value), high = fmlp_chart_x(&chart, p->high);
    fmlp_chart_rectangle(&chart, chart.left, y - 9, x - chart.left > 1 ? x - chart.left : 1, 18, style);
    fmlp_text_format(text, "%s\n", rows[i].name);
    fmlp_page_count(text, p->count);
    fmlp_text_append(text, " of ");
    fmlp_page_count(text, p->total);
    fmlp_text_append(text, " paths");
    fmlp_chart_mark_end(&chart);
    fmlp_chart_segment(&chart, fmlp_chart_x(&chart, p->low), y, high, y, "whisker");
    bool inside = high > chart.right - 130; /* no room to the right of a long bar */
    fmlp_chart_text_begin(&chart, inside ? chart.left + 10 : high + 8, y + 4, "start",
                          inside ? "on" : "label");
    fmlp_page_percent(text, p->value, 2);
    fmlp_text_append(text, " (");
    fmlp_page_fixed(text, p->low * 100.0, 2);
    fmlp_text_append(text, " to ");
    fmlp_page_fixed(text, p->high * 100.0, 2);
    fmlp_text_append(text, ")");
    fmlp_chart_text_end(&chart);
  }
  fmlp_chart_end(&chart);
}

static void quantile_table(const fmlp_risk_result *risk, fmlp_text *text) {
  fmlp_text_append(text, "<div class=\"card\">\n");
  fmlp_page_table(text, "Distribution over paths", "Quantity|>Mean|>1 %|>5 %|>25 %|>50 %|>75 %|>95 %|>99 %");
  fmlp_page_row(text, "Final capital");
  fmlp_page_cell_fixed(text, risk->limits_evaluated ? risk->totals.mean_final_capital : NAN, 2);
  for (int q = 0; q < FMLP_RISK_QUANTILES; q++) {
    fmlp_page_cell_fixed(text, risk->limits_evaluated ? risk->final_capital_quantile[q] : NAN, 2);
  }
  fmlp_page_row_end(text);
  fmlp_page_row(text, "Maximum drawdown");
  fmlp_page_cell_percent(text, risk->totals.mean_max_drawdown, 2);
  for (int q = 0; q < FMLP_RISK_QUANTILES; q++)
    fmlp_page_cell_percent(text, risk->max_drawdown_quantile[q], 2);
  fmlp_page_row_end(text);
  fmlp_page_table_end(text);
  fmlp_text_append(text, "<p class=\"note\" style=\"margin:10px 0 0\">");
  fmlp_page_count(text, risk->paths);
  fmlp_text_append(text, " paths of at most ");
  fmlp_page_count(text, risk->max_trades);
  fmlp_text_append(text, " trades, drawn from ");
  fmlp_page_count(text, risk->trades);
  fmlp_text_append(text, " trades on ");
  fmlp_page_count(text, risk->days);
  fmlp_text_append(text, risk->days == 1 ? " day. Paths that ended: complete "
                                         : " days. Paths that ended: complete ");
  fmlp_page_count(text, risk->totals.outcome_count[FMLP_PATH_COMPLETE]);
  fmlp_text_append(text, ", ruin ");
  fmlp_page_count(text, risk->totals.outcome_count[FMLP_PATH_RUIN]);
  fmlp_text_append(text, ", daily loss ");
  fmlp_page_count(text, risk->totals.outcome_count[FMLP_PATH_DAILY_LOSS]);
  fmlp_text_append(text, ", target ");
  fmlp_page_count(text, risk->totals.outcome_count[FMLP_PATH_TARGET]);
  fmlp_text_append(text, ".</p>\n</div>\n");
}

static void distributions(const fmlp_risk_result *risk, fmlp_text *text) {
  fmlp_text_append(text, "<div class=\"grid\">\n");
  fmlp_chart chart;
  if (risk->limits_evaluated) {
    chart =
        fmlp_chart_begin(text, "chart-final", "Final capital", "Where the paths end.", NULL, 540, 230, 52);
    fmlp_chart_histogram(&chart, risk->final_capital, risk->paths, 40, "money", FMLP_AXIS_NUMBER, "paths");
    fmlp_chart_end(&chart);
  }
  chart = fmlp_chart_begin(text, "chart-depth", "Maximum drawdown", "The deepest point of each path.", NULL,
                           540, 230, 52);
  fmlp_chart_histogram(&chart, risk->max_drawdown, risk->paths, 40, "share of the peak", FMLP_AXIS_PERCENT,
                       "paths");
  fmlp_chart_end(&chart);
  fmlp_text_append(text, "</div>\n");
}

void fmlp_report_section_risk(const fmlp_report_input *input, fmlp_text *text) {
  const fmlp_risk_result *risk = input->risk;
  fmlp_page_section(text, "risk", "Risk",
                    "The backtest's own trades, resampled: what else might have happened.");
  if (risk == NULL) {
    fmlp_page_missing(text, "Monte Carlo: not done in this run.");
  } else if (risk->paths == 0) {
    fmlp_page_missing(text, "Monte Carlo: not run, because the backtest made no trade.");
  } else {
    if (risk->fan_points > 0) fan_chart(input, text);
    probability_chart(risk, text);
    distributions(risk, text);
    quantile_table(risk, text);
  }
  fmlp_page_section_end(text);
}
