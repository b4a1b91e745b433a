/* The summary a run prints: one line a stage, every dropped row named by its rule. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/pipeline_finish.h"

/* 1144807 as "1,144,807" */
static void grouped(fmlp_text *text, int64_t value) {
  char digits[32];
  int count = 0;
  uint64_t rest = value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value;
  do {
    digits[count++] = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  if (value < 0) fmlp_text_append(text, "-");
  while (count > 0) {
    fmlp_text_append_bytes(text, &digits[--count], 1);
    if (count > 0 && count % 3 == 0) fmlp_text_append(text, ",");
  }
}

static void title(fmlp_text *text, const char *name) {
  fmlp_text_format(text, "%-11s", name);
}

/* " name value" when there is something to tell, with the separator that fits. */
static void item(fmlp_text *text, int *shown, const char *lead, const char *name, int64_t value) {
  if (value == 0) return;
  fmlp_text_append(text, (*shown)++ ? ", " : lead);
  grouped(text, value);
  fmlp_text_format(text, " %s", name);
}

static void summarise_read(const fmlp_results *results, const fmlp_settings *settings, fmlp_text *text) {
  const fmlp_read_report *read = &results->read;
  const char *name = strrchr(settings->data.path, '/');
  title(text, "read");
  grouped(text, read->rows);
  fmlp_text_format(text, " %s from %s (%s", results->ticks.kind == FMLP_TRADES ? "trades" : "quotes",
                   name ? name + 1 : settings->data.path, read->format);
  if (strcmp(read->compression, "none") != 0) fmlp_text_format(text, ", %s", read->compression);
  fmlp_text_append(text, ")");
  int shown = 0;
  item(text, &shown, "; skipped: ", "bad rows", read->bad_rows);
  fmlp_text_append(text, "\n");
}

static void summarise_clean(const fmlp_results *results, fmlp_text *text) {
  const fmlp_clean_report *clean = &results->clean;
  title(text, "clean");
  grouped(text, clean->rows_out);
  fmlp_text_append(text, " kept");
  int shown = 0;
  item(text, &shown, "; dropped: ", "crossed", clean->dropped_crossed);
  item(text, &shown, "; dropped: ", "with zero spread", clean->dropped_zero_spread);
  item(text, &shown, "; dropped: ", "duplicates", clean->dropped_duplicates);
  item(text, &shown, "; dropped: ", "outliers", clean->dropped_outliers);
  item(text, &shown, "; dropped: ", "out of session", clean->dropped_out_of_session);
  shown = 0;
  item(text, &shown, "; kept but seen: ", "out of order (sorted)", clean->out_of_order);
  item(text, &shown, "; kept but seen: ", "crossed", clean->crossed_seen - clean->dropped_crossed);
  item(text, &shown, "; kept but seen: ", "with zero spread",
       clean->zero_spread_seen - clean->dropped_zero_spread);
  item(text, &shown, "; kept but seen: ", "duplicate times",
       clean->duplicates_seen - clean->dropped_duplicates);
  fmlp_text_append(text, "\n");
}

static void summarise_bars(const fmlp_results *results, fmlp_text *text) {
  const fmlp_bars *bars = &results->bars;
  title(text, "bars");
  grouped(text, bars->count);
  fmlp_text_append(text, " bars, ");
  if (bars->count > 0) {
    fmlp_text_minute(text, bars->open_time[0]);
    fmlp_text_append(text, " to ");
    fmlp_text_minute(text, bars->close_time[bars->count - 1]);
    fmlp_text_append(text, " UTC");
  }
  const fmlp_bars_report *report = &results->bars_report;
  int shown = 0;
  item(text, &shown, "; ", "closed short at a session end", report->session_tails - report->tails_dropped);
  item(text, &shown, "; ", "session tails dropped", report->tails_dropped);
  item(text, &shown, "; ", "ticks in the unfinished last bar dropped", report->unfinished_ticks);
  fmlp_text_append(text, "\n");
}

static void summarise_features(const fmlp_results *results, fmlp_text *text) {
  const fmlp_features *features = &results->features;
  int64_t inputs = 0;
  for (int32_t f = 0; f < features->count; f++) inputs += features->model_input[f];
  title(text, "features");
  fmlp_text_format(text, "%d columns, %lld of them model inputs", (int)features->count, (long long)inputs);
  for (int32_t o = 0; o < features->omitted_count; o++) {
    fmlp_text_format(text, "%s%s", o ? ", " : "; omitted for want of input: ", features->omitted[o].text);
  }
  fmlp_text_append(text, "\n");
}

static void summarise_labels(const fmlp_results *results, fmlp_text *text) {
  const fmlp_labels *labels = &results->labels;
  int64_t outcomes[3] = {0};
  for (int64_t i = 0; i < labels->count; i++) outcomes[labels->outcome[i] + 1]++;
  title(text, "labels");
  grouped(text, labels->count);
  if (results->events > 0) {
    fmlp_text_append(text, " of ");
    grouped(text, results->events);
    fmlp_text_append(text, " events");
  }
  double total = labels->count > 0 ? (double)labels->count : 1.0;
  fmlp_text_format(text, ": stop %.1f %%, deadline %.1f %%, target %.1f %%",
                   100.0 * (double)outcomes[0] / total, 100.0 * (double)outcomes[1] / total,
                   100.0 * (double)outcomes[2] / total);
  int shown = 0;
  item(text, &shown, "; without label: ", "no distance", labels->no_distance);
  item(text, &shown, "; without label: ", "too few bars left", labels->no_room);
  shown = 0;
  item(text, &shown, "; ", "with a NaN feature, not trained", labels->not_usable);
  item(text, &shown, "; ", "ties decided", labels->ties);
  fmlp_text_append(text, "\n");
}

static void summarise_folds(const fmlp_results *results, fmlp_text *text) {
  const fmlp_folds *folds = &results->folds;
  int64_t purged = 0, embargoed = 0;
  for (int32_t s = 0; s < folds->split_count; s++) {
    purged += folds->splits[s].purged;
    embargoed += folds->splits[s].embargoed;
  }
  title(text, "validation");
  fmlp_text_format(text, "%d splits over %d groups, %d %s; purged ", (int)folds->split_count,
                   (int)folds->group_count, (int)folds->path_count,
                   folds->path_count == 1 ? "path" : "paths");
  grouped(text, purged);
  fmlp_text_append(text, ", embargoed ");
  grouped(text, embargoed);
  fmlp_text_append(text, " training rows in all\n");
}

/* Mean over the folds that have one, NaN without any. */
static double mean_auc(const fmlp_model_result *model, double *low, double *high) {
  double total = 0.0;
  int count = 0;
  *low = INFINITY;
  *high = -INFINITY;
  for (int32_t s = 0; s < model->split_count; s++) {
    double auc = model->scores[s].auc;
    if (isnan(auc)) continue;
    *low = auc < *low ? auc : *low;
    *high = auc > *high ? auc : *high;
    total += auc;
    count++;
  }
  return count > 0 ? total / count : NAN;
}

static void summarise_model(const fmlp_results *results, fmlp_text *text) {
  const fmlp_model_result *model = &results->model;
  double low = 0, high = 0;
  const double mean = mean_auc(model, &low, &high);
  title(text, "model");
  grouped(text, model->predictions.count);
  fmlp_text_append(text, " out-of-sample predictions");
  if (!isnan(mean)) {
    fmlp_text_format(text, "; AUC per fold %.3f on average, %.3f to %.3f", mean, low, high);
  }
  fmlp_text_append(text, "\n");
}

static void number(fmlp_text *text, const char *name, double value) {
  if (isnan(value)) {
    fmlp_text_format(text, ", %s -", name);
  } else {
    fmlp_text_format(text, ", %s %.2f", name, value);
  }
}

static void summarise_backtest(const fmlp_results *results, fmlp_text *text) {
  const fmlp_evaluation *evaluation = &results->evaluation;
  title(text, "backtest");
  if (evaluation->path_count == 0) {
    fmlp_text_append(text, "no path\n");
    return;
  }
  const fmlp_path_evaluation *path = &evaluation->paths[0];
  grouped(text, path->metrics.trades);
  fmlp_text_append(text, " trades of ");
  grouped(text, path->report.signals);
  fmlp_text_format(text, " signals%s", evaluation->path_count > 1 ? " on path 0" : "");
  number(text, "return %", 100.0 * path->metrics.total_return);
  number(text, "max drawdown %", 100.0 * path->metrics.max_drawdown);
  number(text, "Sharpe", path->metrics.sharpe);
  if (!path->metrics.significant) fmlp_text_append(text, " (not significant)");
  number(text, "profit factor", path->metrics.profit_factor);
  fmlp_text_append(text, "\n");
}

static void summarise_risk(const fmlp_results *results, fmlp_text *text) {
  const fmlp_risk_result *risk = &results->risk;
  title(text, "risk");
  if (risk->paths == 0) {
    fmlp_text_append(text, "not run: the backtest has no trade\n");
    return;
  }
  grouped(text, risk->paths);
  fmlp_text_format(text, " histories (%s)", fmlp_resampling_name(risk->kind));
  if (risk->limits_evaluated) {
    fmlp_text_format(text, ": ruin %.1f %%, ", 100.0 * risk->ruin.value);
    if (risk->daily_loss_evaluated)
      fmlp_text_format(text, "daily loss %.1f %%, ", 100.0 * risk->daily_loss.value);
    fmlp_text_format(text, "target %.1f %%", 100.0 * risk->target.value);
  }
  fmlp_text_format(text, "; median drawdown %.2f %%\n", 100.0 * risk->max_drawdown_quantile[3]);
}

static void summarise_holdout(const fmlp_holdout *holdout, fmlp_text *text) {
  title(text, "held out");
  grouped(text, holdout->labels);
  fmlp_text_append(text, " labels of data.test_path");
  number(text, "AUC", holdout->score.auc);
  const fmlp_metrics *metrics = &holdout->evaluation.paths[0].metrics;
  fmlp_text_append(text, ", ");
  grouped(text, metrics->trades);
  fmlp_text_append(text, " trades");
  number(text, "return %", 100.0 * metrics->total_return);
  number(text, "max drawdown %", 100.0 * metrics->max_drawdown);
  fmlp_text_append(text,
                   holdout->evaluation.causal ? "\n" : "; not after the training data: no tradable record\n");
}

void fmlp_summary_headline(const fmlp_results *results, fmlp_run_headline *headline) {
  *headline = (fmlp_run_headline){.bars = -1, .labels = -1, .trades = -1};
  headline->auc = headline->total_return = headline->max_drawdown = headline->sharpe = NAN;
  if (results->has[FMLP_STAGE_BARS]) headline->bars = results->bars.count;
  if (results->has[FMLP_STAGE_LABELS]) headline->labels = results->labels.count;
  double low = 0, high = 0;
  if (results->has[FMLP_STAGE_MODEL]) headline->auc = mean_auc(&results->model, &low, &high);
  if (!results->has[FMLP_STAGE_BACKTEST] || results->evaluation.path_count == 0) return;
  const fmlp_metrics *metrics = &results->evaluation.paths[0].metrics;
  headline->trades = metrics->trades;
  headline->total_return = metrics->total_return;
  headline->max_drawdown = metrics->max_drawdown;
  headline->sharpe = metrics->sharpe;
}

void fmlp_summary_write(const fmlp_finish_input *input, fmlp_text *text) {
  const fmlp_results *results = input->results;
  typedef void (*section)(const fmlp_results *results, fmlp_text *text);
  static const section sections[FMLP_STAGE_COUNT] = {
      [FMLP_STAGE_CLEAN] = summarise_clean,       [FMLP_STAGE_BARS] = summarise_bars,
      [FMLP_STAGE_FEATURES] = summarise_features, [FMLP_STAGE_LABELS] = summarise_labels,
      [FMLP_STAGE_VALIDATION] = summarise_folds,  [FMLP_STAGE_MODEL] = summarise_model,
      [FMLP_STAGE_BACKTEST] = summarise_backtest, [FMLP_STAGE_RISK] = summarise_risk,
  };
  if (results->has[FMLP_STAGE_READ]) summarise_read(results, input->settings, text);
  for (int stage = 0; stage < FMLP_STAGE_COUNT; stage++) {
    if (sections[stage] && results->has[stage]) sections[stage](results, text);
  }
  if (results->holdout.has) summarise_holdout(&results->holdout, text);
}
