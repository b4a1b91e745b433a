/* Triple barrier and Monte Carlo through the backend's door, device-resident. A case is a row of the tests'
 * table, found by its name and stretched to the benchmark's length. */
#include <math.h>
#include <string.h>

#include "bench/bench.h"
#include "common/core/memory.h"
#include "tests/equivalence/cases_monte_carlo.h"
#include "tests/equivalence/cases_triple_barrier.h"

typedef struct kernel_state {
  bench_buffers buffers;
  fmlp_barrier_search search;
  fmlp_monte_carlo monte_carlo;
} kernel_state;

static fmlp_status no_row(const bench_run *run, fmlp_error *error) {
  return fmlp_fail(error, FMLP_ERR_OTHER, "the tests' table has no row '%s'", run->what->row);
}

static void finish(bench_run *run) {
  kernel_state *state = run->state;
  if (!state) return;
  bench_buffers_free(run, &state->buffers);
  fmlp_free(state);
  run->state = NULL;
}

/* ---- labels ---- */

/* Every bar but the last is an event. The columns of a case, [bars] each. */
typedef struct barrier_columns {
  int32_t *high, *low, *close, *start, *target, *stop, *last;
} barrier_columns;

static fmlp_status upload_barriers(bench_run *run, const barrier_case *row, int32_t *memory,
                                   fmlp_error *error) {
  kernel_state *state = run->state;
  const int64_t n = run->data->bars, events = barrier_event_count(row);
  barrier_columns of = {memory,         memory + n,     memory + 2 * n, memory + 3 * n,
                        memory + 4 * n, memory + 5 * n, memory + 6 * n};
  barrier_make_bars(row, of.high, of.low, of.close);
  barrier_make_events(row, 1, of.close, of.start, of.target, of.stop, of.last);
  const struct {
    const char *name;
    const int32_t *values;
    int64_t count;
  } inputs[] = {{"high", of.high, n},          {"low", of.low, n},        {"start", of.start, events},
                {"target", of.target, events}, {"stop", of.stop, events}, {"last", of.last, events}};
  fmlp_buffer *buffer[8] = {NULL};
  for (int i = 0; i < 6; i++) {
    size_t bytes = (size_t)inputs[i].count * sizeof(int32_t);
    FMLP_TRY(bench_buffer(run, &state->buffers, bytes, inputs[i].values, &buffer[i], error));
    if (!run->data->write) continue;
    FMLP_TRY(bench_put(run, inputs[i].name, FMLP_INT32, inputs[i].count, inputs[i].values, error));
  }
  FMLP_TRY(bench_buffer(run, &state->buffers, (size_t)events, NULL, &buffer[6], error));
  FMLP_TRY(bench_buffer(run, &state->buffers, (size_t)events * sizeof(int32_t), NULL, &buffer[7], error));
  state->search = (fmlp_barrier_search){.side = 1,
                                        .tie = FMLP_TIE_SL_FIRST,
                                        .bars = n,
                                        .high = buffer[0],
                                        .low = buffer[1],
                                        .events = events,
                                        .start_bar = buffer[2],
                                        .target = buffer[3],
                                        .stop = buffer[4],
                                        .last_bar = buffer[5],
                                        .outcome = buffer[6],
                                        .exit_bar = buffer[7]};
  run->items = events;
  run->bytes = events * 33;
  return FMLP_OK;
}

static fmlp_status prepare_labels(bench_run *run, fmlp_error *error) {
  barrier_case row = {.name = NULL};
  for (int32_t i = 0; i < BARRIER_CASES; i++) {
    if (strcmp(barrier_cases[i].name, run->what->row) == 0) row = barrier_cases[i];
  }
  if (!row.name) return no_row(run, error);
  row.bars = (int32_t)run->data->bars;
  row.events = 0; /* at every bar */
  int32_t *memory = NULL;
  FMLP_TRY(fmlp_alloc_zero(&run->state, 1, sizeof(kernel_state), "benchmark", error));
  FMLP_TRY(fmlp_alloc(&memory, 7 * run->data->bars, sizeof *memory, "bars and events", error));
  fmlp_status status = upload_barriers(run, &row, memory, error);
  fmlp_free(memory);
  return status;
}

static fmlp_status work_labels(bench_run *run, fmlp_error *error) {
  kernel_state *state = run->state;
  return run->compute.backend->barrier_search(run->compute.device, &state->search, error);
}

static fmlp_status keep_labels(bench_run *run, fmlp_error *error) {
  const fmlp_barrier_search *search = &((kernel_state *)run->state)->search;
  FMLP_TRY(bench_put_buffer(run, "outcome", FMLP_INT8, search->events, search->outcome, error));
  return bench_put_buffer(run, "exit", FMLP_INT32, search->events, search->exit_bar, error);
}

/* ---- Monte Carlo ---- */

static fmlp_status upload_trades(bench_run *run, const monte_carlo_case *row, double *pnl, double *ratio,
                                 int64_t *day_offset, fmlp_error *error) {
  kernel_state *state = run->state;
  monte_carlo_make_trades(row, pnl, ratio);
  int64_t days = monte_carlo_make_days(row, day_offset);
  size_t paths = (size_t)run->data->paths, trades = BENCH_TRADES;
  const struct {
    size_t bytes;
    const void *contents;
  } columns[] = {{trades * sizeof *pnl, pnl},
                 {trades * sizeof *ratio, ratio},
                 {(trades + 1) * sizeof *day_offset, day_offset},
                 {paths * sizeof(double), NULL},
                 {paths * sizeof(double), NULL},
                 {paths * sizeof(int32_t), NULL},
                 {paths, NULL},
                 {0, NULL}};
  fmlp_buffer *buffer[8] = {NULL};
  for (int i = 0; i < 8; i++) {
    FMLP_TRY(bench_buffer(run, &state->buffers, columns[i].bytes, columns[i].contents, &buffer[i], error));
  }
  if (run->data->write) FMLP_TRY(bench_put(run, "pnl", FMLP_FLOAT64, BENCH_TRADES, pnl, error));
  state->monte_carlo = monte_carlo_job(row, days);
  state->monte_carlo.pnl = buffer[0];
  state->monte_carlo.ratio = buffer[1];
  state->monte_carlo.day_offset = buffer[2];
  state->monte_carlo.final_capital = buffer[3];
  state->monte_carlo.max_drawdown = buffer[4];
  state->monte_carlo.trades_used = buffer[5];
  state->monte_carlo.outcome = buffer[6];
  state->monte_carlo.fan = buffer[7];
  run->items = run->data->paths * BENCH_TRADES;
  run->bytes = (int64_t)(paths * 2 * sizeof(double));
  return FMLP_OK;
}

/* Without limits and fan: what the peers compute. */
static fmlp_status prepare_monte_carlo(bench_run *run, fmlp_error *error) {
  monte_carlo_case row = {.name = NULL};
  for (int32_t i = 0; i < MONTE_CARLO_CASES; i++) {
    if (strcmp(monte_carlo_cases[i].name, run->what->row) == 0) row = monte_carlo_cases[i];
  }
  if (!row.name) return no_row(run, error);
  row.paths = run->data->paths;
  row.trades = row.max_trades = BENCH_TRADES;
  row.ruin = row.daily_loss = row.target = 0;
  row.fan_points = 0;
  double *pnl = NULL, *ratio = NULL;
  int64_t *day_offset = NULL;
  FMLP_TRY(fmlp_alloc_zero(&run->state, 1, sizeof(kernel_state), "benchmark", error));
  fmlp_status status = fmlp_alloc(&pnl, BENCH_TRADES, sizeof *pnl, "trades", error);
  if (status == FMLP_OK) status = fmlp_alloc(&ratio, BENCH_TRADES, sizeof *ratio, "trades", error);
  if (status == FMLP_OK)
    status = fmlp_alloc_zero(&day_offset, BENCH_TRADES + 1, sizeof *day_offset, "days", error);
  if (status == FMLP_OK) status = upload_trades(run, &row, pnl, ratio, day_offset, error);
  fmlp_free(pnl);
  fmlp_free(ratio);
  fmlp_free(day_offset);
  return status;
}

static fmlp_status work_monte_carlo(bench_run *run, fmlp_error *error) {
  kernel_state *state = run->state;
  fmlp_monte_carlo_totals totals;
  return run->compute.backend->monte_carlo(run->compute.device, &state->monte_carlo, &totals, error);
}

static fmlp_status keep_monte_carlo(bench_run *run, fmlp_error *error) {
  const fmlp_monte_carlo *job = &((kernel_state *)run->state)->monte_carlo;
  FMLP_TRY(bench_put_buffer(run, "final", FMLP_FLOAT64, job->paths, job->final_capital, error));
  return bench_put_buffer(run, "drawdown", FMLP_FLOAT64, job->paths, job->max_drawdown, error);
}

#define LABELS(name, row)                                                                                    \
  { name, "label", 0, row, prepare_labels, work_labels, keep_labels, finish }
#define MONTE_CARLO(name, row)                                                                               \
  { name, "trade", 0, row, prepare_monte_carlo, work_monte_carlo, keep_monte_carlo, finish }

const bench_case bench_kernel_cases[] = {
    LABELS("labels/32", "horizon 32"),
    LABELS("labels/500", "horizon 500"),
    LABELS("labels/5000", "horizon 5000"),
    MONTE_CARLO("monte_carlo/iid", "iid"),
    MONTE_CARLO("monte_carlo/moving_block", "moving block"),
    MONTE_CARLO("monte_carlo/circular_block", "circular block"),
    MONTE_CARLO("monte_carlo/stationary", "stationary"),
    MONTE_CARLO("monte_carlo/permutation", "permutation"),
    MONTE_CARLO("monte_carlo/day", "day"),
    {NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL},
};
