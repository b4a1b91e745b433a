/* The page: what the run was, what to make of it, and the sections in the order of the pipeline. */
#include "common/stages/report.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "common/stages/report_page.h"
#include "common/stages/report_sections.h"
#include "prof/span.h"

/* Out-of-fold AUC over the folds that have one. */
typedef struct auc_range {
  int32_t folds;
  double mean, low, high;
} auc_range;

static auc_range auc_of(const fmlp_model_result *model) {
  auc_range range = {0, NAN, NAN, NAN};
  double sum = 0.0;
  for (int32_t s = 0; model != NULL && s < model->split_count; s++) {
    double auc = model->scores[s].auc;
    if (isnan(auc)) continue;
    range.low = range.folds == 0 || auc < range.low ? auc : range.low;
    range.high = range.folds == 0 || auc > range.high ? auc : range.high;
    sum += auc;
    range.folds++;
  }
  if (range.folds > 0) range.mean = sum / range.folds;
  return range;
}

static void fact(fmlp_text *text, const char *name, const char *value) {
  if (value == NULL || *value == '\0') return;
  fmlp_text_append(text, "<span>");
  fmlp_text_append(text, name);
  fmlp_text_html(text, value);
  fmlp_text_append(text, "</span>");
}

static void header(const fmlp_report_input *input, fmlp_text *text) {
  const fmlp_settings *settings = input->settings;
  const char *name = settings != NULL ? settings->experiment_name : NULL;
  fmlp_text_append(text, "<header>\n<div class=\"eyebrow\">fmlp run report</div>\n<h1>");
  fmlp_text_html(text, name != NULL ? name : "Unnamed experiment");
  fmlp_text_append(text, "</h1>\n<p class=\"facts\">");
  fact(text, "", settings != NULL ? settings->data.symbol : NULL);
  if (input->bars != NULL && input->bars->count > 0) {
    fmlp_text_append(text, "<span>");
    fmlp_text_minute(text, input->bars->open_time[0]);
    fmlp_text_append(text, " to ");
    fmlp_text_minute(text, input->bars->close_time[input->bars->count - 1]);
    fmlp_text_append(text, " UTC</span>");
  }
  fact(text, "from ", input->source);
  fact(text, "on ", input->backend);
  fact(text, "run ", input->created);
  fmlp_text_append(text, "</p>\n</header>\n<nav aria-label=\"Sections\"><ul>");
  static const char *const links[][2] = {
      {"data", "Data and bars"},     {"labels", "Labels"}, {"model", "Model"}, {"backtest", "Backtest"},
      {"held-out", "Held-out file"}, {"risk", "Risk"},     {"run", "Run"}};
  for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
    if (input->held_out == NULL && strcmp(links[i][0], "held-out") == 0) continue;
    fmlp_text_format(text, "<li><a href=\"#%s\">%s</a></li>", links[i][0], links[i][1]);
  }
  fmlp_text_append(text, "</ul></nav>\n");
}

static void tile_begin(fmlp_text *text, const char *label) {
  fmlp_text_format(text, "<dl class=\"tile\"><dt>%s</dt><dd class=\"value\">", label);
}

static void tile_detail(fmlp_text *text) {
  fmlp_text_append(text, "</dd><dd class=\"detail\">");
}

static void tile_end(fmlp_text *text) {
  fmlp_text_append(text, "</dd></dl>\n");
}

static void result_tiles(const fmlp_evaluation *evaluation, fmlp_text *text) {
  const fmlp_metrics *metrics = &evaluation->paths[0].metrics;
  bool several = evaluation->path_count > 1;
  tile_begin(text, several ? "Return, path 0" : "Return");
  fmlp_page_percent(text, metrics->total_return, 2);
  tile_detail(text);
  if (several) {
    fmlp_text_append(text, "median of paths ");
    fmlp_page_percent(text, evaluation->summary[1].median, 2);
  } else if (evaluation->has_baselines) {
    fmlp_text_append(text, "buy and hold ");
    fmlp_page_percent(text, evaluation->buy_and_hold.total_return, 2);
  }
  tile_end(text);
  tile_begin(text, several ? "Sharpe, path 0" : "Sharpe");
  fmlp_page_fixed(text, metrics->sharpe, 2);
  tile_detail(text);
  fmlp_text_append(text, "\xc2\xb1 ");
  fmlp_page_fixed(text, metrics->sharpe_standard_error, 2);
  fmlp_text_format(text, ", %lld %s%s", (long long)metrics->days, metrics->days == 1 ? "day" : "days",
                   metrics->significant ? "" : ": not significant");
  tile_end(text);
  tile_begin(text, several ? "Drawdown, path 0" : "Drawdown");
  fmlp_page_percent(text, metrics->max_drawdown, 2);
  tile_detail(text);
  fmlp_text_append(text, "profit factor ");
  fmlp_page_fixed(text, metrics->profit_factor, 2);
  tile_end(text);
  tile_begin(text, several ? "Trades, path 0" : "Trades");
  fmlp_page_count(text, metrics->trades);
  tile_detail(text);
  fmlp_text_append(text, "won ");
  fmlp_page_percent(text, metrics->win_rate, 1);
  tile_end(text);
}

/* A path that breaks the daily loss ends there and cannot come to ruin: its share stands beside that of ruin.
 */
static void risk_tile(const fmlp_risk_result *risk, fmlp_text *text) {
  bool daily = risk->daily_loss_evaluated;
  tile_begin(text, daily ? "Loss limit broken" : "Probability of ruin");
  fmlp_page_percent(text, risk->ruin.value + (daily ? risk->daily_loss.value : 0.0), 1);
  tile_detail(text);
  if (daily) {
    fmlp_text_append(text, "daily loss ");
    fmlp_page_percent(text, risk->daily_loss.value, 1);
    fmlp_text_append(text, ", ruin ");
    fmlp_page_percent(text, risk->ruin.value, 1);
    fmlp_text_append(text, "; ");
  }
  fmlp_text_append(text, "target reached ");
  fmlp_page_percent(text, risk->target.value, 1);
  tile_end(text);
}

static void tiles(const fmlp_report_input *input, auc_range auc, fmlp_text *text) {
  fmlp_text_append(text, "<div class=\"tiles\">\n");
  if (auc.folds > 0) {
    tile_begin(text, "Out-of-fold AUC");
    fmlp_page_fixed(text, auc.mean, 3);
    tile_detail(text);
    fmlp_text_format(text, "%.3f to %.3f in %d folds", auc.low, auc.high, (int)auc.folds);
    tile_end(text);
  }
  if (input->evaluation != NULL && input->evaluation->path_count > 0) result_tiles(input->evaluation, text);
  if (input->risk != NULL && input->risk->paths > 0 && input->risk->limits_evaluated) {
    risk_tile(input->risk, text);
  }
  fmlp_text_append(text, "</div>\n");
}

/* A mean within NEAR of 0.5, or folds on both sides of it, is no evidence: the labels of one fold overlap
 * each other, so that its AUC varies far more than its number of rows suggests. */
static const char *auc_meaning(const auc_range *auc) {
  static const double NEAR = 0.05, SUSPICIOUS = 0.65;
  if (auc->mean >= SUSPICIOUS) return "unusually high for market data, look for a leak";
  if (fabs(auc->mean - 0.5) < NEAR) return "close to guessing (0.5)";
  if (auc->low > 0.5) return "above guessing (0.5) in every fold, see whether costs leave anything of it";
  if (auc->high < 0.5) return "below guessing (0.5) in every fold";
  return "not clearly apart from guessing (0.5)";
}

/* What a careful reader would say first. */
static void verdict(const fmlp_report_input *input, auc_range auc, fmlp_text *text) {
  const char *notes[8];
  int32_t count = input->evaluation != NULL ? fmlp_evaluation_notes(input->evaluation, notes, 8) : 0;
  bool studied = input->risk != NULL && input->risk->paths > 0;
  bool few = studied && input->risk->few_trades, few_days = studied && input->risk->few_days;
  if (auc.folds == 0 && count == 0 && !few && !few_days) return;
  fmlp_text_append(text, "<ul class=\"verdict\">\n");
  if (auc.folds > 0) {
    fmlp_text_format(
        text, "<li>Out-of-fold AUC %.3f on average: %s; folds range from %.3f to %.3f.%s</li>\n", auc.mean,
        auc_meaning(&auc), auc.low, auc.high,
        input->folds != NULL && input->folds->path_count > 1
            ? " The folds test the same rows several times: they are not independent of each other."
            : "");
  }
  for (int32_t i = 0; i < count; i++) {
    const char first[2] = {(char)toupper((unsigned char)notes[i][0]), '\0'};
    fmlp_text_append(text, "<li>");
    fmlp_text_html(text, first);
    fmlp_text_html(text, notes[i] + 1);
    fmlp_text_append(text, ".</li>\n");
  }
  if (few) fmlp_text_append(text, "<li>Fewer than 30 trades: resampling them shows little.</li>\n");
  if (few_days) {
    fmlp_text_append(text,
                     "<li>Monte Carlo resamples whole days, and there are fewer than 10 of them: its spread "
                     "shows little; another risk.monte_carlo.kind resamples trades.</li>\n");
  }
  fmlp_text_append(text, "</ul>\n");
}

fmlp_status fmlp_report_build(const fmlp_report_input *input, fmlp_text *text, fmlp_error *error) {
  FMLP_SPAN("report");
  const char *name = input->settings != NULL ? input->settings->experiment_name : NULL;
  auc_range auc = auc_of(input->model);
  fmlp_page_begin(text, name != NULL ? name : "fmlp run report");
  header(input, text);
  fmlp_text_append(text, "<main>\n");
  tiles(input, auc, text);
  verdict(input, auc, text);
  fmlp_report_section_data(input, text);
  fmlp_report_section_labels(input, text);
  fmlp_report_section_model(input, text);
  fmlp_report_section_backtest(input, text);
  fmlp_report_section_held_out(input, text);
  fmlp_report_section_risk(input, text);
  fmlp_report_section_run(input, text);
  fmlp_text_append(text, "</main>\n<footer>");
  fmlp_text_html(text, input->version != NULL ? input->version : "fmlp");
  if (input->command_line != NULL) {
    fmlp_text_append(text, "<br><code>");
    fmlp_text_html(text, input->command_line);
    fmlp_text_append(text, "</code>");
  }
  fmlp_text_append(text, "</footer>\n");
  fmlp_page_end(text);
  return fmlp_text_finish(text, error);
}
