/* Backtests of every path, and what they say together. */
#include "common/stages/evaluation.h"

#include <math.h>
#include <string.h>

#include "common/core/bits.h"
#include "common/core/memory.h"
#include "prof/span.h"

_Static_assert(FMLP_EVALUATION_METRICS == 13, "one summary for each row of fmlp_metric_fields");

/* What every step needs; borrowed. */
typedef struct inputs {
  const fmlp_settings *settings;
  const fmlp_calendar *calendar;
  const fmlp_bars *bars;
  const fmlp_tick_source *ticks;
  const fmlp_labels *labels;
} inputs;

void fmlp_evaluation_release(fmlp_evaluation *evaluation) {
  fmlp_free(evaluation->paths);
  fmlp_trades_release(&evaluation->trades);
  fmlp_equity_release(&evaluation->equity);
  memset(evaluation, 0, sizeof *evaluation);
}

static void sample_curve(const fmlp_equity *equity, fmlp_path_evaluation *path) {
  int64_t bars = equity->count;
  path->curve_count = bars < FMLP_EVALUATION_CURVE ? (int32_t)bars : FMLP_EVALUATION_CURVE;
  for (int32_t i = 0; i < path->curve_count; i++) {
    int64_t bar = path->curve_count > 1 ? i * (bars - 1) / (path->curve_count - 1) : 0;
    path->curve[i] = equity->equity[bar];
  }
}

/* Plays one path of `predictions`; `daily` may be NULL. Trades and equity are the caller's on success. */
static fmlp_status play_path(const inputs *in, const fmlp_predictions *predictions, int64_t number,
                             fmlp_path_evaluation *path, fmlp_trades *trades, fmlp_equity *equity,
                             fmlp_daily *daily, fmlp_error *error) {
  FMLP_TRY(fmlp_backtest_run(in->settings, in->calendar, in->bars, in->ticks, in->labels, predictions, number,
                             trades, equity, &path->report, error));
  fmlp_status status = fmlp_metrics_compute(in->settings, in->calendar, in->bars, trades, equity,
                                            path->report.first_bar < 0 ? 0 : path->report.first_bar,
                                            path->report.last_bar, &path->metrics, daily, error);
  if (status != FMLP_OK) {
    fmlp_trades_release(trades);
    fmlp_equity_release(equity);
    return status;
  }
  sample_curve(equity, path);
  return FMLP_OK;
}

static fmlp_status play_paths(const inputs *in, const fmlp_predictions *predictions,
                              fmlp_evaluation *evaluation, fmlp_daily *daily, fmlp_error *error) {
  for (int32_t p = 0; p < evaluation->path_count; p++) {
    fmlp_trades trades;
    fmlp_equity equity;
    FMLP_TRY(play_path(in, predictions, p, &evaluation->paths[p], &trades, &equity, &daily[p], error));
    if (p == 0) {
      evaluation->trades = trades;
      evaluation->equity = equity;
    } else {
      fmlp_trades_release(&trades);
      fmlp_equity_release(&equity);
    }
  }
  return FMLP_OK;
}

static fmlp_status summarise(fmlp_evaluation *evaluation, fmlp_error *error) {
  double *values = NULL;
  FMLP_TRY(fmlp_alloc(&values, evaluation->path_count, sizeof *values, "metrics of all paths", error));
  for (int32_t f = 0; f < FMLP_EVALUATION_METRICS; f++) {
    for (int32_t p = 0; p < evaluation->path_count; p++) {
      values[p] = fmlp_metric_value(&evaluation->paths[p].metrics, &fmlp_metric_fields[f]);
    }
    evaluation->summary[f] = fmlp_metric_summarise(values, evaluation->path_count);
  }
  fmlp_free(values);
  return FMLP_OK;
}

/* Path 0's Sharpe ratio against the best that as many paths without skill would show. */
static fmlp_status deflate(fmlp_evaluation *evaluation, const fmlp_daily *daily, fmlp_error *error) {
  double sum = 0.0, square = 0.0;
  int64_t trials = 0;
  fmlp_return_moments moments, first = {0};
  for (int pass = 0; pass < 2; pass++) { /* mean, then variance */
    double mean = trials > 0 ? sum / (double)trials : 0.0;
    trials = 0;
    for (int32_t p = 0; p < evaluation->path_count; p++) {
      FMLP_TRY(fmlp_return_moments_compute(daily[p].daily_return, daily[p].count, &moments, error));
      if (p == 0) first = moments;
      if (isnan(moments.ratio)) continue;
      trials++;
      if (pass == 0) sum += moments.ratio;
      if (pass == 1) square += (moments.ratio - mean) * (moments.ratio - mean);
    }
  }
  evaluation->deflated_trials = trials;
  evaluation->deflated_sharpe = evaluation->deflated_benchmark = fmlp_nan();
  if (trials < 2) return FMLP_OK;
  evaluation->deflated_benchmark = fmlp_expected_maximum_sharpe(square / ((double)trials - 1.0), trials);
  evaluation->deflated_sharpe = fmlp_probabilistic_sharpe(&first, evaluation->deflated_benchmark);
  return FMLP_OK;
}

static fmlp_status check_overfitting(fmlp_evaluation *evaluation, const fmlp_daily *daily,
                                     fmlp_error *error) {
  int32_t paths = evaluation->path_count;
  int64_t days = paths > 0 ? daily[0].count : 0;
  evaluation->overfitting = (fmlp_overfitting){.probability = fmlp_nan()};
  double *returns = NULL;
  FMLP_TRY(fmlp_alloc(&returns, (int64_t)paths * days, sizeof *returns, "daily returns of paths", error));
  bool aligned = true;
  for (int32_t p = 0; p < paths && aligned; p++) {
    aligned = daily[p].count == days &&
              (days == 0 || memcmp(daily[p].session, daily[0].session, (size_t)days * 8) == 0);
    if (aligned && days > 0) memcpy(returns + p * days, daily[p].daily_return, (size_t)days * 8);
  }
  fmlp_status status = FMLP_OK;
  if (aligned) {
    status = fmlp_overfitting_probability(returns, paths, days, &evaluation->overfitting, error);
  } else {
    evaluation->overfitting.reason = "the paths cover different days";
  }
  fmlp_free(returns);
  return status;
}

/* Lots that buy and hold takes: the fixed size, or, where sizes follow the risk, the capital unlevered. */
static double hold_size(const fmlp_backtest_settings *settings, double price) {
  if (settings->sizing == FMLP_SIZING_FIXED) return settings->size;
  return settings->initial_capital / (price * settings->contract_size);
}

/* Bought at the first tick of the period, sold at its last, marked at every bar between. */
static fmlp_status buy_and_hold(const inputs *in, int64_t first, int64_t last, fmlp_metrics *metrics,
                                fmlp_error *error) {
  const fmlp_backtest_settings *settings = &in->settings->backtest;
  const fmlp_bars *bars = in->bars;
  double point = fmlp_decimal(1, bars->price), slip = settings->slippage_points * point;
  double entry = fmlp_decimal(bars->ask_open[first], bars->price) + slip;
  double exit = fmlp_decimal(bars->bid_close[last], bars->price) - slip;
  double size = hold_size(settings, entry), units = size * settings->contract_size;
  double costs = 2.0 * settings->commission_per_lot * size, pnl = (exit - entry) * units - costs;
  int64_t entry_time = bars->open_time[first], exit_time = bars->close_time[last];
  fmlp_trades trade = {.count = 1,
                       .entry_time = &entry_time,
                       .exit_time = &exit_time,
                       .size = &size,
                       .entry_price = &entry,
                       .exit_price = &exit,
                       .costs = &costs,
                       .pnl = &pnl};
  fmlp_equity equity = {0};
  FMLP_TRY(fmlp_alloc_zero(&equity.equity, bars->count, sizeof(double), "buy and hold", error));
  fmlp_status status = fmlp_alloc_zero(&equity.drawdown, bars->count, sizeof(double), "buy and hold", error);
  if (status == FMLP_OK) {
    equity.count = bars->count;
    double peak = settings->initial_capital;
    for (int64_t b = first; b <= last; b++) {
      double moved = (fmlp_decimal(bars->bid_close[b], bars->price) - entry) * units - 0.5 * costs;
      double value = settings->initial_capital + (b == last ? pnl : moved);
      if (value > peak) peak = value;
      equity.equity[b] = value;
      equity.drawdown[b] = (peak - value) / peak;
    }
    status = fmlp_metrics_compute(in->settings, in->calendar, bars, &trade, &equity, first, last, metrics,
                                  NULL, error);
  }
  fmlp_equity_release(&equity);
  return status;
}

/* The same rules with every usable label of the period as a signal. */
static fmlp_status every_signal(const inputs *in, int64_t first, int64_t last, fmlp_metrics *metrics,
                                fmlp_error *error) {
  const fmlp_labels *labels = in->labels;
  fmlp_predictions all = {0};
  fmlp_trades trades;
  fmlp_equity equity;
  fmlp_path_evaluation *path = NULL;
  fmlp_status status = fmlp_alloc(&all.label_row, labels->count, sizeof(int64_t), "baseline", error);
  if (status == FMLP_OK)
    status = fmlp_alloc_zero(&all.path, labels->count, sizeof(int64_t), "baseline", error);
  if (status == FMLP_OK)
    status = fmlp_alloc(&all.probability, labels->count, sizeof(double), "baseline", error);
  if (status == FMLP_OK) status = fmlp_alloc_zero(&path, 1, sizeof *path, "baseline", error);
  if (status == FMLP_OK) {
    for (int64_t row = 0; row < labels->count; row++) {
      if (!labels->usable[row] || labels->event_bar[row] < first || labels->last_bar[row] > last) continue;
      all.label_row[all.count] = row;
      all.probability[all.count++] = 1.0;
    }
    status = play_path(in, &all, 0, path, &trades, &equity, NULL, error);
  }
  if (status == FMLP_OK) {
    *metrics = path->metrics;
    fmlp_trades_release(&trades);
    fmlp_equity_release(&equity);
  }
  fmlp_free(path);
  fmlp_predictions_release(&all);
  return status;
}

static fmlp_status compare_baselines(const inputs *in, fmlp_evaluation *evaluation, fmlp_error *error) {
  if (evaluation->path_count == 0 || evaluation->paths[0].report.predictions == 0) return FMLP_OK;
  int64_t first = evaluation->paths[0].report.first_bar, last = evaluation->paths[0].report.last_bar;
  FMLP_TRY(buy_and_hold(in, first, last, &evaluation->buy_and_hold, error));
  FMLP_TRY(every_signal(in, first, last, &evaluation->every_signal, error));
  evaluation->has_baselines = true;
  return FMLP_OK;
}

fmlp_status fmlp_evaluate(const fmlp_settings *settings, const fmlp_calendar *calendar, const fmlp_bars *bars,
                          const fmlp_tick_source *ticks, const fmlp_labels *labels, const fmlp_folds *folds,
                          const fmlp_predictions *predictions, fmlp_evaluation *evaluation,
                          fmlp_error *error) {
  FMLP_SPAN("backtest");
  inputs in = {settings, calendar, bars, ticks, labels};
  memset(evaluation, 0, sizeof *evaluation);
  evaluation->causal = folds->causal;
  int32_t paths = folds->path_count;
  fmlp_daily *daily = NULL;
  FMLP_TRY(fmlp_alloc_zero(&daily, paths, sizeof *daily, "daily returns of paths", error));
  fmlp_status status =
      fmlp_alloc_zero(&evaluation->paths, paths, sizeof *evaluation->paths, "evaluation of paths", error);
  if (status == FMLP_OK) {
    evaluation->path_count = paths;
    status = play_paths(&in, predictions, evaluation, daily, error);
  }
  if (status == FMLP_OK) status = summarise(evaluation, error);
  if (status == FMLP_OK) status = deflate(evaluation, daily, error);
  if (status == FMLP_OK) status = check_overfitting(evaluation, daily, error);
  if (status == FMLP_OK) status = compare_baselines(&in, evaluation, error);
  for (int32_t p = 0; p < paths; p++) fmlp_daily_release(&daily[p]);
  fmlp_free(daily);
  if (status != FMLP_OK) fmlp_evaluation_release(evaluation);
  return status;
}
