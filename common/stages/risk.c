/* The Monte Carlo study: trades up, one job on the backend, paths down, quantiles and intervals. */
#include "common/stages/risk.h"

#include <math.h>
#include <string.h>

#include "common/core/bits.h"
#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "common/core/quantile.h"
#include "prof/span.h"

const double fmlp_risk_quantile_levels[FMLP_RISK_QUANTILES] = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};

static const double normal_975 = 1.959963984540054; /* two-sided 95 % */

/* The device's side of the study. */
typedef struct device_columns {
  fmlp_buffer *pnl, *ratio, *day_offset;
  fmlp_buffer *final_capital, *max_drawdown, *trades_used, *outcome, *fan;
} device_columns;

void fmlp_risk_result_release(fmlp_risk_result *result) {
  fmlp_free(result->final_capital);
  fmlp_free(result->max_drawdown);
  fmlp_free(result->trades_used);
  fmlp_free(result->outcome);
  memset(result, 0, sizeof *result);
}

/* E. B. Wilson 1927. */
fmlp_proportion fmlp_wilson(int64_t count, int64_t total) {
  if (total <= 0) return (fmlp_proportion){count, total, fmlp_nan(), fmlp_nan(), fmlp_nan()};
  double n = (double)total, p = (double)count / n, z2 = normal_975 * normal_975;
  double centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
  double half = normal_975 / (1.0 + z2 / n) * sqrt(p * (1.0 - p) / n + z2 / (4.0 * n * n));
  double low = count == 0 ? 0.0 : centre - half, high = count == total ? 1.0 : centre + half;
  return (fmlp_proportion){count, total, p, low < 0.0 ? 0.0 : low, high > 1.0 ? 1.0 : high};
}

int64_t fmlp_risk_default_block(int64_t trades) {
  int64_t length = 1; /* the largest with (2 length - 1)^3 <= 8 trades: the cube root rounded */
  while (length < 1000000 && (2 * length + 1) * (2 * length + 1) * (2 * length + 1) <= 8 * trades) length++;
  return length;
}

static int64_t count_days(const fmlp_trades *trades) {
  int64_t days = 0;
  for (int64_t i = 0; i < trades->count; i++) days += i == 0 || trades->day[i] != trades->day[i - 1];
  return days;
}

/* Everything of the job but its buffers. */
static fmlp_monte_carlo plan(const fmlp_settings *settings, const fmlp_trades *trades) {
  const fmlp_risk_settings *risk = &settings->risk;
  double initial = settings->backtest.initial_capital;
  bool permutation = risk->kind == FMLP_MC_PERMUTATION;
  int64_t block = risk->block_size > 0 ? risk->block_size : fmlp_risk_default_block(trades->count);
  fmlp_monte_carlo job = {
      .kind = risk->kind,
      .seed = settings->seed,
      .paths = risk->n_sims,
      .trades = trades->count,
      .days = risk->kind == FMLP_MC_DAY ? count_days(trades) : 0,
      .block_length = block < trades->count ? block : trades->count,
      .max_trades = permutation || risk->max_trades <= 0 ? trades->count : risk->max_trades,
      .compounding = risk->compounding,
      .initial_capital = initial,
      .ruin_level = permutation ? -INFINITY : initial * (1.0 - risk->max_total_loss),
      .daily_loss = risk->kind == FMLP_MC_DAY ? initial * risk->max_daily_loss : INFINITY,
      .target_level = permutation ? INFINITY : initial * (1.0 + risk->target_profit),
  };
  int64_t fan = FMLP_RISK_FAN_CELLS / job.paths;
  fan = fan < 1 ? 1 : fan > FMLP_RISK_FAN_POINTS ? FMLP_RISK_FAN_POINTS : fan;
  job.fan_points = (int32_t)(fan < job.max_trades ? fan : job.max_trades);
  return job;
}

static fmlp_status create(const fmlp_compute *compute, int64_t count, size_t size, fmlp_buffer **buffer,
                          fmlp_error *error) {
  return compute->backend->buffer_create(compute->device, (size_t)count * size, buffer, error);
}

static fmlp_status upload(const fmlp_compute *compute, fmlp_buffer *to, const void *from, int64_t count,
                          fmlp_error *error) {
  return compute->backend->upload(compute->device, to, 0, from, (size_t)count * 8, error);
}

static fmlp_status download(const fmlp_compute *compute, const fmlp_buffer *from, size_t offset, void *to,
                            int64_t count, size_t size, fmlp_error *error) {
  return compute->backend->download(compute->device, from, offset, to, (size_t)count * size, error);
}

/* Uploads ratio or day offsets, computed into `scratch` of trades + 1 elements of 8 bytes. */
static fmlp_status send_trades(const fmlp_compute *compute, const fmlp_trades *trades, int64_t days,
                               device_columns *at, void *scratch, fmlp_error *error) {
  int64_t n = trades->count;
  FMLP_TRY(create(compute, n, sizeof(double), &at->pnl, error));
  FMLP_TRY(upload(compute, at->pnl, trades->pnl, n, error));
  double *ratio = scratch;
  for (int64_t i = 0; i < n; i++) ratio[i] = fmlp_canonical(trades->pnl[i] / trades->capital_before[i]);
  FMLP_TRY(create(compute, n, sizeof(double), &at->ratio, error));
  FMLP_TRY(upload(compute, at->ratio, ratio, n, error));
  int64_t *offset = scratch, day = 0;
  for (int64_t i = 0; i < n && days > 0; i++) {
    if (i == 0 || trades->day[i] != trades->day[i - 1]) offset[day++] = i;
  }
  offset[day] = n;
  FMLP_TRY(create(compute, day + 1, sizeof(int64_t), &at->day_offset, error));
  return upload(compute, at->day_offset, offset, day + 1, error);
}

static fmlp_status create_outputs(const fmlp_compute *compute, const fmlp_monte_carlo *job,
                                  device_columns *at, fmlp_error *error) {
  FMLP_TRY(create(compute, job->paths, sizeof(double), &at->final_capital, error));
  FMLP_TRY(create(compute, job->paths, sizeof(double), &at->max_drawdown, error));
  FMLP_TRY(create(compute, job->paths, sizeof(int32_t), &at->trades_used, error));
  FMLP_TRY(create(compute, job->paths, sizeof(int8_t), &at->outcome, error));
  return create(compute, job->paths * job->fan_points, sizeof(double), &at->fan, error);
}

static fmlp_status fetch_paths(const fmlp_compute *compute, const device_columns *at,
                               fmlp_risk_result *result, fmlp_error *error) {
  int64_t n = result->paths;
  FMLP_TRY(fmlp_alloc(&result->final_capital, n, sizeof(double), "Monte Carlo paths", error));
  FMLP_TRY(fmlp_alloc(&result->max_drawdown, n, sizeof(double), "Monte Carlo paths", error));
  FMLP_TRY(fmlp_alloc(&result->trades_used, n, sizeof(int32_t), "Monte Carlo paths", error));
  FMLP_TRY(fmlp_alloc(&result->outcome, n, sizeof(int8_t), "Monte Carlo paths", error));
  FMLP_TRY(download(compute, at->final_capital, 0, result->final_capital, n, sizeof(double), error));
  FMLP_TRY(download(compute, at->max_drawdown, 0, result->max_drawdown, n, sizeof(double), error));
  FMLP_TRY(download(compute, at->trades_used, 0, result->trades_used, n, sizeof(int32_t), error));
  return download(compute, at->outcome, 0, result->outcome, n, sizeof(int8_t), error);
}

/* Reorders `values`: selection, several times cheaper than sorting them. */
static void quantiles_of(double *values, int64_t count, double out[FMLP_RISK_QUANTILES]) {
  for (int q = 0; q < FMLP_RISK_QUANTILES; q++) {
    out[q] = fmlp_quantile(values, count, fmlp_risk_quantile_levels[q]);
  }
}

typedef struct fan_columns {
  double *capital; /* [fan_points][paths], reordered within each column */
  fmlp_risk_result *result;
} fan_columns;

static fmlp_status fan_quantiles(void *context, int64_t first, int64_t last, int worker, fmlp_error *error) {
  (void)worker;
  (void)error;
  fan_columns *fan = context;
  for (int64_t f = first; f < last; f++) {
    quantiles_of(fan->capital + f * fan->result->paths, fan->result->paths, fan->result->fan_quantile[f]);
  }
  return FMLP_OK;
}

/* `scratch` [fan_points * paths]. */
static fmlp_status set_quantiles(const fmlp_compute *compute, const fmlp_monte_carlo *job,
                                 const device_columns *at, double *scratch, fmlp_risk_result *result,
                                 fmlp_error *error) {
  FMLP_SPAN("risk.quantiles");
  size_t bytes = (size_t)job->paths * sizeof(double);
  memcpy(scratch, result->final_capital, bytes);
  quantiles_of(scratch, job->paths, result->final_capital_quantile);
  memcpy(scratch, result->max_drawdown, bytes);
  quantiles_of(scratch, job->paths, result->max_drawdown_quantile);
  result->fan_points = job->fan_points;
  for (int64_t f = 0; f < job->fan_points; f++) {
    result->fan_trade[f] = (job->max_trades * (f + 1) + job->fan_points - 1) / job->fan_points;
  }
  FMLP_TRY(download(compute, at->fan, 0, scratch, job->fan_points * job->paths, sizeof(double), error));
  fan_columns fan = {scratch, result};
  return fmlp_parallel_for(job->fan_points, 1, fan_quantiles, &fan, "Monte Carlo fan", error);
}

static void set_proportions(fmlp_risk_result *result) {
  const int64_t *count = result->totals.outcome_count;
  fmlp_proportion none = fmlp_wilson(0, 0);
  result->ruin = result->limits_evaluated ? fmlp_wilson(count[FMLP_PATH_RUIN], result->paths) : none;
  result->target = result->limits_evaluated ? fmlp_wilson(count[FMLP_PATH_TARGET], result->paths) : none;
  result->daily_loss =
      result->daily_loss_evaluated ? fmlp_wilson(count[FMLP_PATH_DAILY_LOSS], result->paths) : none;
  result->loss = result->limits_evaluated ? fmlp_wilson(result->totals.loss_count, result->paths) : none;
}

static fmlp_status study(const fmlp_compute *compute, const fmlp_trades *trades, fmlp_monte_carlo *job,
                         device_columns *at, void *scratch, fmlp_risk_result *result, fmlp_error *error) {
  FMLP_TRY(send_trades(compute, trades, job->days, at, scratch, error));
  FMLP_TRY(create_outputs(compute, job, at, error));
  job->pnl = at->pnl;
  job->ratio = at->ratio;
  job->day_offset = at->day_offset;
  job->final_capital = at->final_capital;
  job->max_drawdown = at->max_drawdown;
  job->trades_used = at->trades_used;
  job->outcome = at->outcome;
  job->fan = at->fan;
  FMLP_TRY(compute->backend->monte_carlo(compute->device, job, &result->totals, error));
  FMLP_TRY(fetch_paths(compute, at, result, error));
  FMLP_TRY(set_quantiles(compute, job, at, scratch, result, error));
  set_proportions(result);
  return FMLP_OK;
}

fmlp_status fmlp_risk_run(const fmlp_settings *settings, const fmlp_trades *trades,
                          const fmlp_compute *compute, fmlp_risk_result *result, fmlp_error *error) {
  FMLP_SPAN("risk");
  memset(result, 0, sizeof *result);
  result->trades = trades->count;
  result->days = count_days(trades);
  result->few_trades = trades->count < FMLP_RISK_FEW_TRADES;
  result->kind = settings->risk.kind;
  result->few_days = result->kind == FMLP_MC_DAY && result->days < FMLP_RISK_FEW_DAYS;
  result->initial_capital = settings->backtest.initial_capital;
  result->daily_loss_evaluated = settings->risk.kind == FMLP_MC_DAY;
  result->limits_evaluated = settings->risk.kind != FMLP_MC_PERMUTATION;
  if (trades->count == 0) return FMLP_OK;

  fmlp_monte_carlo job = plan(settings, trades);
  result->paths = job.paths;
  result->block_length = job.block_length;
  result->max_trades = job.max_trades;
  int64_t cells = job.paths * job.fan_points; /* the fan; before it the trades' ratios or day offsets */
  if (cells < trades->count + 1) cells = trades->count + 1;
  void *scratch = NULL;
  device_columns at = {0};
  fmlp_status status = fmlp_alloc(&scratch, cells, 8, "Monte Carlo scratch", error);
  if (status == FMLP_OK) status = study(compute, trades, &job, &at, scratch, result, error);
  fmlp_buffer *buffers[] = {at.pnl,          at.ratio,       at.day_offset, at.final_capital,
                            at.max_drawdown, at.trades_used, at.outcome,    at.fan};
  for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) {
    compute->backend->buffer_free(compute->device, buffers[i]);
  }
  fmlp_free(scratch);
  if (status != FMLP_OK) fmlp_risk_result_release(result);
  return status;
}

fmlp_status fmlp_risk_columns(const fmlp_risk_result *result, const fmlp_column_sink *sink,
                              fmlp_error *error) {
  if (result->paths == 0) return FMLP_OK;
  const fmlp_column columns[] = {
      {"monte_carlo", "final_capital", FMLP_FLOAT64, result->paths, result->final_capital},
      {"monte_carlo", "max_drawdown", FMLP_FLOAT64, result->paths, result->max_drawdown},
      {"monte_carlo", "trades_used", FMLP_INT32, result->paths, result->trades_used},
      {"monte_carlo", "outcome", FMLP_INT8, result->paths, result->outcome},
  };
  for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
    FMLP_TRY(sink->put(sink->state, &columns[c], error));
  }
  return FMLP_OK;
}
