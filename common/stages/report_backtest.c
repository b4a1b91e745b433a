/* Sections of the report: equity, drawdown, metrics of the paths, trades; and the held-out file. */
#include <math.h>
#include <string.h>

#include "common/stages/report_chart.h"
#include "common/stages/report_page.h"
#include "common/stages/report_sections.h"

enum { HOVER_BANDS = 240 };

/* Columns that show time and values of the bars under the pointer. */
static void hover_bands(const fmlp_chart *chart, const fmlp_equity *equity) {
  int64_t bands = equity->count < HOVER_BANDS ? equity->count : HOVER_BANDS;
  double width = (chart->right - chart->left) / (double)bands;
  for (int64_t i = 0; i < bands; i++) {
    int64_t bar = (i + 1) * equity->count / bands - 1;
    fmlp_chart_rectangle(chart, chart->left + (double)i * width, chart->top, width,
                         chart->bottom - chart->top, "hit");
    fmlp_text_minute(chart->text, equity->time[bar]);
    fmlp_text_append(chart->text, " UTC\nequity ");
    fmlp_page_fixed(chart->text, equity->equity[bar], 2);
    fmlp_text_append(chart->text, "\ndrawdown ");
    fmlp_page_percent(chart->text, equity->drawdown[bar], 2);
    fmlp_text_append(chart->text, "\nposition ");
    fmlp_page_fixed(chart->text, equity->position[bar], 2);
    fmlp_text_append(chart->text, " lots");
    fmlp_chart_mark_end(chart);
  }
}

static void widen(const double *values, int64_t count, double *low, double *high) {
  for (int64_t i = 0; i < count; i++) {
    if (values[i] < *low) *low = values[i];
    if (values[i] > *high) *high = values[i];
  }
}

static void equity_chart(const fmlp_evaluation *evaluation, const char *id, double initial, fmlp_text *text) {
  static const fmlp_chart_key keys[] = {
      {"path 0", "var(--blue)", true}, {"other paths", "var(--gray)", true}, {NULL, NULL, false}};
  const fmlp_equity *equity = &evaluation->equity;
  double low = initial, high = initial;
  widen(equity->equity, equity->count, &low, &high);
  for (int32_t p = 1; p < evaluation->path_count; p++) {
    widen(evaluation->paths[p].curve, evaluation->paths[p].curve_count, &low, &high);
  }
  fmlp_chart chart = fmlp_chart_begin(
      text, id, "Equity",
      "Marked at the close of every bar, realised and open; the dashed line is the initial capital.",
      evaluation->path_count > 1 ? keys : NULL, 1080, 320, 72);
  fmlp_chart_x_range(&chart, 0, (double)(equity->count - 1));
  fmlp_chart_y_range(&chart, low, high);
  fmlp_chart_y_axis(&chart, "money", FMLP_AXIS_NUMBER);
  fmlp_chart_time_axis(&chart, equity->time, equity->count);
  fmlp_chart_level(&chart, initial, "zero", NULL);
  for (int32_t p = 1; p < evaluation->path_count; p++) {
    fmlp_chart_series(&chart, evaluation->paths[p].curve, evaluation->paths[p].curve_count, "path", NULL, 0);
  }
  fmlp_chart_series(&chart, equity->equity, equity->count, "line", NULL, 0);
  hover_bands(&chart, equity);
  fmlp_chart_end(&chart);
}

static void drawdown_chart(const fmlp_evaluation *evaluation, fmlp_text *text) {
  const fmlp_equity *equity = &evaluation->equity;
  double high = 0.0, low = 0.0;
  widen(equity->drawdown, equity->count, &low, &high);
  fmlp_chart chart = fmlp_chart_begin(
      text, "chart-drawdown", "Drawdown",
      evaluation->path_count > 1 ? "Path 0: distance from the highest equity so far, as a share of it."
                                 : "Distance from the highest equity so far, as a share of it.",
      NULL, 1080, 220, 72);
  fmlp_chart_x_range(&chart, 0, (double)(equity->count - 1));
  fmlp_chart_y_range(&chart, 0, high > 0.0 ? high : 0.01);
  fmlp_chart_flip_y(&chart); /* zero on top */
  fmlp_chart_y_axis(&chart, "drawdown", FMLP_AXIS_PERCENT);
  fmlp_chart_time_axis(&chart, equity->time, equity->count);
  fmlp_chart_series(&chart, equity->drawdown, equity->count, "down", "downfill", 0);
  hover_bands(&chart, equity);
  fmlp_chart_end(&chart);
}

static void metric_cell(fmlp_text *text, const fmlp_metric_field *field, double value) {
  if (strcmp(field->unit, "fraction") == 0) {
    fmlp_page_cell_percent(text, value, 2);
  } else {
    fmlp_page_cell_fixed(text, value, 2);
  }
}

static void metrics_table(const fmlp_evaluation *evaluation, fmlp_text *text) {
  bool several = evaluation->path_count > 1;
  fmlp_page_table(text, "Metrics",
                  several ? "Metric|>Path 0|>Median of paths|>5 %|>95 %|>Every signal|>Buy and hold"
                          : "Metric|>Value|>Every signal|>Buy and hold");
  const fmlp_metrics *first = &evaluation->paths[0].metrics;
  for (int32_t f = 0; f < fmlp_metric_field_count; f++) {
    const fmlp_metric_field *field = &fmlp_metric_fields[f];
    const fmlp_metric_summary *summary = &evaluation->summary[f];
    fmlp_page_row(text, field->label);
    metric_cell(text, field, fmlp_metric_value(first, field));
    if (several) {
      metric_cell(text, field, summary->median);
      metric_cell(text, field, summary->low);
      metric_cell(text, field, summary->high);
    }
    bool known = evaluation->has_baselines;
    metric_cell(text, field, known ? fmlp_metric_value(&evaluation->every_signal, field) : NAN);
    metric_cell(text, field, known ? fmlp_metric_value(&evaluation->buy_and_hold, field) : NAN);
    fmlp_page_row_end(text);
  }
  fmlp_page_table_end(text);
  fmlp_text_append(
      text, "<p class=\"note\" style=\"margin:10px 0 0\">Ratios are annualised from daily returns.</p>\n");
}

/* What choosing among the paths does to the figures. */
static void selection_note(const fmlp_evaluation *evaluation, fmlp_text *text) {
  fmlp_text_append(text, "<p class=\"note\" style=\"margin:0\">");
  if (evaluation->path_count > 1) {
    fmlp_text_append(text, "Deflated Sharpe ratio of path 0, the paths as trials: ");
    fmlp_page_percent(text, evaluation->deflated_sharpe, 1);
    fmlp_text_append(text, ". ");
  }
  fmlp_text_append(text, "Probability of backtest overfitting: ");
  fmlp_page_percent(text, evaluation->overfitting.probability, 1);
  if (evaluation->overfitting.reason != NULL) {
    fmlp_text_append(text, " (");
    fmlp_text_html(text, evaluation->overfitting.reason);
    fmlp_text_append(text, ")");
  }
  fmlp_text_append(text, ".</p>\n");
}

static void paths_table(const fmlp_evaluation *evaluation, fmlp_text *text) {
  bool several = evaluation->path_count > 1;
  fmlp_text_append(text, several ? "<details><summary>All paths as a table</summary><div class=\"card\">\n"
                                 : "<details><summary>Signals as a table</summary><div class=\"card\">\n");
  fmlp_page_table(text, NULL,
                  "Path|>Signals|>Skipped: busy|>Near the close|>No tick|>Ruined|>Trades|>Return|>Sharpe|>"
                  "Drawdown|>Profit factor");
  for (int32_t p = 0; p < evaluation->path_count; p++) {
    const fmlp_path_evaluation *path = &evaluation->paths[p];
    if (several) {
      fmlp_text_format(text, "<tr><th scope=\"row\">%d</th>", (int)p);
    } else {
      fmlp_page_row(text, "only");
    }
    const int64_t counts[] = {path->report.signals,        path->report.skipped_busy,
                              path->report.skipped_close,  path->report.skipped_no_tick,
                              path->report.skipped_ruined, path->metrics.trades};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) fmlp_page_cell_count(text, counts[c]);
    fmlp_page_cell_percent(text, path->metrics.total_return, 2);
    fmlp_page_cell_fixed(text, path->metrics.sharpe, 2);
    fmlp_page_cell_percent(text, path->metrics.max_drawdown, 2);
    fmlp_page_cell_fixed(text, path->metrics.profit_factor, 2);
    fmlp_page_row_end(text);
  }
  fmlp_page_table_end(text);
  fmlp_text_append(text, "</div></details>\n");
}

/* One row: all trades, or those of one side or exit. */
static void trades_row(fmlp_text *text, const char *name, const fmlp_trades *trades, int side, int reason) {
  int64_t count = 0, wins = 0, held = 0;
  double total = 0.0, costs = 0.0, best = -INFINITY, worst = INFINITY;
  for (int64_t i = 0; i < trades->count; i++) {
    if (side != 0 && trades->side[i] != side) continue;
    if (reason != 9 && trades->reason[i] != reason) continue;
    count++;
    wins += trades->pnl[i] > 0.0;
    held += (trades->exit_time[i] - trades->entry_time[i]) / 1000;
    total += trades->pnl[i];
    costs += trades->costs[i];
    best = trades->pnl[i] > best ? trades->pnl[i] : best;
    worst = trades->pnl[i] < worst ? trades->pnl[i] : worst;
  }
  if (count == 0) return;
  fmlp_page_row(text, name);
  fmlp_page_cell_count(text, count);
  fmlp_page_cell_percent(text, (double)wins / (double)count, 1);
  fmlp_page_cell_fixed(text, total, 2);
  fmlp_page_cell_fixed(text, total / (double)count, 2);
  fmlp_page_cell_fixed(text, best, 2);
  fmlp_page_cell_fixed(text, worst, 2);
  fmlp_page_cell_fixed(text, costs, 2);
  fmlp_text_append(text, "<td class=\"n\">");
  fmlp_page_duration(text, held / count * 1000);
  fmlp_text_append(text, "</td>");
  fmlp_page_row_end(text);
}

static void trades_part(const fmlp_evaluation *evaluation, fmlp_text *text) {
  const fmlp_trades *trades = &evaluation->trades;
  if (trades->count == 0) {
    fmlp_page_missing(text, "Trades: none; no signal passed, or every one was skipped.");
    return;
  }
  fmlp_text_append(text, "<div class=\"card\">\n");
  fmlp_page_table(text, evaluation->path_count > 1 ? "Trades of path 0" : "Trades",
                  "Group|>Trades|>Won|>Profit|>Mean|>Best|>Worst|>Commission|>Held, mean");
  trades_row(text, "All", trades, 0, 9);
  trades_row(text, "Long", trades, 1, 9);
  trades_row(text, "Short", trades, -1, 9);
  trades_row(text, "Left at the target", trades, 0, FMLP_EXIT_TARGET);
  trades_row(text, "Left at the stop", trades, 0, FMLP_EXIT_STOP);
  trades_row(text, "Left at the deadline", trades, 0, FMLP_EXIT_TIME);
  fmlp_page_table_end(text);
  fmlp_text_append(text, "</div>\n");
  fmlp_chart chart =
      fmlp_chart_begin(text, "chart-trades", "Profit per trade",
                       evaluation->path_count > 1 ? "Path 0: net of spread, slippage and commission."
                                                  : "Net of spread, slippage and commission.",
                       NULL, 1080, 240, 56);
  fmlp_chart_histogram(&chart, trades->pnl, trades->count, 50, "money", FMLP_AXIS_NUMBER, "trades");
  fmlp_chart_end(&chart);
}

void fmlp_report_section_backtest(const fmlp_report_input *input, fmlp_text *text) {
  const fmlp_evaluation *evaluation = input->evaluation;
  bool causal = evaluation == NULL || evaluation->causal;
  fmlp_page_section(text, "backtest", "Backtest",
                    causal ? "Out-of-sample signals played on the ticks, with costs."
                           : "Out-of-sample signals played on the ticks, with costs; trained on data after "
                             "the test: not a tradable record.");
  if (evaluation == NULL || evaluation->path_count == 0) {
    fmlp_page_missing(text, "Backtest: not done in this run.");
  } else {
    double initial = input->settings != NULL ? input->settings->backtest.initial_capital : NAN;
    if (evaluation->equity.count > 1) {
      equity_chart(evaluation, "chart-equity", initial, text);
      drawdown_chart(evaluation, text);
    } else {
      fmlp_page_missing(text, "Equity: fewer than two bars.");
    }
    fmlp_text_append(text, "<div class=\"card\">\n");
    metrics_table(evaluation, text);
    selection_note(evaluation, text);
    fmlp_text_append(text, "</div>\n");
    paths_table(evaluation, text);
    trades_part(evaluation, text);
  }
  fmlp_page_section_end(text);
}

/* Which file, how much of it was used, and how well the model ranked its labels. */
static void held_out_table(const fmlp_report_held_out *held_out, fmlp_text *text) {
  fmlp_text_append(text, "<div class=\"card\">\n");
  fmlp_page_table(text, "The file", "File|>Ticks read|>Kept|>Labels|>Predicted|>AUC|>Accuracy|>Base rate");
  fmlp_page_row(text, held_out->source != NULL ? held_out->source : "data.test_path");
  fmlp_page_cell_count(text, held_out->rows_read);
  fmlp_page_cell_count(text, held_out->rows_kept);
  fmlp_page_cell_count(text, held_out->labels);
  fmlp_page_cell_count(text, held_out->score.test_rows);
  fmlp_page_cell_fixed(text, held_out->score.auc, 4);
  fmlp_page_cell_percent(text, held_out->score.accuracy, 1);
  fmlp_page_cell_percent(text, held_out->score.base_rate, 1);
  fmlp_page_row_end(text);
  fmlp_page_table_end(text);
  fmlp_text_append(text,
                   "<p class=\"note\" style=\"margin:10px 0 0\">Base rate: the share of labels above zero, "
                   "among those predicted.</p>\n</div>\n");
}

void fmlp_report_section_held_out(const fmlp_report_input *input, fmlp_text *text) {
  const fmlp_report_held_out *held_out = input->held_out;
  if (held_out == NULL || held_out->evaluation == NULL || held_out->evaluation->path_count == 0) return;
  const fmlp_evaluation *evaluation = held_out->evaluation;
  fmlp_page_section(text, "held-out", "Held-out file",
                    evaluation->causal
                        ? "The final model on data.test_path, which begins after the training data ends: a "
                          "tradable record."
                        : "The final model on data.test_path, which does not lie wholly after the training "
                          "data: not a tradable record.");
  held_out_table(held_out, text);
  if (evaluation->equity.count > 1) {
    double initial = input->settings != NULL ? input->settings->backtest.initial_capital : NAN;
    equity_chart(evaluation, "chart-held-out", initial, text);
  } else {
    fmlp_page_missing(text, "Equity: fewer than two bars.");
  }
  fmlp_text_append(text, "<div class=\"card\">\n");
  metrics_table(evaluation, text);
  fmlp_text_append(text, "</div>\n");
  fmlp_page_section_end(text);
}
