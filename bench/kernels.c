/* Kernels through the backend's door: rolling features, triple barrier, Monte Carlo, device-resident. */
#include <math.h>
#include <string.h>

#include "bench/bench.h"
#include "common/core/memory.h"

enum { MAX_BUFFERS = 32, FEATURE_WINDOWS = 4, FEATURE_OPERATORS = 6 };

static const int64_t feature_windows[FEATURE_WINDOWS] = {10, 20, 50, 100};
static const fmlp_operator feature_operators[FEATURE_OPERATORS] = {FMLP_OP_SUM,    FMLP_OP_MEAN, FMLP_OP_STD,
                                                                   FMLP_OP_ZSCORE, FMLP_OP_MIN,  FMLP_OP_MAX};

typedef struct kernel_state {
  int32_t buffer_count;
  fmlp_buffer *buffers[MAX_BUFFERS];
  int32_t node_count;
  fmlp_rolling_node nodes[FEATURE_WINDOWS * FEATURE_OPERATORS];
  fmlp_rolling_plan plan;
  fmlp_barrier_search search;
  fmlp_monte_carlo monte_carlo;
} kernel_state;

static fmlp_status make_buffer(bench_run *run, size_t bytes, const void *contents, fmlp_buffer **out,
                               fmlp_error *error) {
  kernel_state *state = run->state;
  const fmlp_backend *backend = run->compute.backend;
  FMLP_TRY(backend->buffer_create(run->compute.device, bytes, out, error));
  state->buffers[state->buffer_count++] = *out;
  if (!contents) return FMLP_OK;
  return backend->upload(run->compute.device, *out, 0, contents, bytes, error);
}

static fmlp_status new_state(bench_run *run, kernel_state **state, fmlp_error *error) {
  FMLP_TRY(fmlp_alloc_zero(&run->state, 1, sizeof(kernel_state), "benchmark", error));
  *state = run->state;
  return FMLP_OK;
}

static void finish(bench_run *run) {
  kernel_state *state = run->state;
  if (!state) return;
  for (int32_t b = 0; b < state->buffer_count; b++) {
    run->compute.backend->buffer_free(run->compute.device, state->buffers[b]);
  }
  fmlp_free(state);
  run->state = NULL;
}

static void add_node(kernel_state *state, fmlp_operator op, int64_t window) {
  int32_t n = state->node_count++;
  state->nodes[n] = (fmlp_rolling_node){.op = op, .a = 0, .b = -1, .window = window, .output = n};
}

static fmlp_status prepare_plan(bench_run *run, kernel_state *state, fmlp_error *error) {
  size_t bytes = (size_t)run->data->bars * sizeof(double);
  state->plan = (fmlp_rolling_plan){
      .input_count = 1, .node_count = state->node_count, .output_count = state->node_count, .nodes = state->nodes};
  FMLP_TRY(fmlp_rolling_validate(&state->plan, error));
  fmlp_buffer *buffer = NULL;
  FMLP_TRY(make_buffer(run, bytes, run->data->price, &buffer, error));
  for (int32_t n = 0; n < state->node_count; n++) FMLP_TRY(make_buffer(run, bytes, NULL, &buffer, error));
  run->items = run->data->bars;
  run->bytes = (int64_t)bytes * (1 + state->node_count);
  return FMLP_OK;
}

/* 24 outputs over one column in one plan; the parameter picks how many of the operators, 0 = all. */
static fmlp_status prepare_features(bench_run *run, fmlp_error *error) {
  kernel_state *state = NULL;
  FMLP_TRY(new_state(run, &state, error));
  for (int o = 0; o < FEATURE_OPERATORS; o++) {
    for (int w = 0; w < FEATURE_WINDOWS; w++) add_node(state, feature_operators[o], feature_windows[w]);
  }
  return prepare_plan(run, state, error);
}

static fmlp_status prepare_one(bench_run *run, fmlp_operator op, int64_t window, fmlp_error *error) {
  kernel_state *state = NULL;
  FMLP_TRY(new_state(run, &state, error));
  add_node(state, op, window);
  if (op == FMLP_OP_EMA) state->nodes[0].parameter = 2.0 / ((double)window + 1.0);
  return prepare_plan(run, state, error);
}

static fmlp_status prepare_sum(bench_run *run, fmlp_error *error) {
  return prepare_one(run, FMLP_OP_SUM, run->parameter, error);
}

static fmlp_status prepare_std(bench_run *run, fmlp_error *error) {
  return prepare_one(run, FMLP_OP_STD, run->parameter, error);
}

static fmlp_status prepare_max(bench_run *run, fmlp_error *error) {
  return prepare_one(run, FMLP_OP_MAX, run->parameter, error);
}

static fmlp_status prepare_median(bench_run *run, fmlp_error *error) {
  return prepare_one(run, FMLP_OP_MEDIAN, run->parameter, error);
}

static fmlp_status prepare_ema(bench_run *run, fmlp_error *error) {
  return prepare_one(run, FMLP_OP_EMA, run->parameter, error);
}

static fmlp_status work_rolling(bench_run *run, fmlp_error *error) {
  kernel_state *state = run->state;
  const fmlp_buffer *inputs[1] = {state->buffers[0]};
  FMLP_TRY(run->compute.backend->rolling(run->compute.device, &state->plan, run->data->bars, inputs,
                                         state->buffers + 1, error));
  return run->compute.backend->sync(run->compute.device, error);
}

/* Every bar is a long event; levels 3 standard deviations of the horizon's move away, so most events go the distance.
 * bench/peers.py computes the same levels. */
static fmlp_status prepare_labels(bench_run *run, fmlp_error *error) {
  kernel_state *state = NULL;
  FMLP_TRY(new_state(run, &state, error));
  const bench_data *data = run->data;
  int64_t horizon = run->parameter, events = data->bars - 1;
  int32_t distance = (int32_t)ceil(3.0 * 4.6 * sqrt((double)horizon));
  int32_t *columns = NULL;
  FMLP_TRY(fmlp_alloc(&columns, 4 * events, sizeof *columns, "events", error));
  for (int64_t e = 0; e < events; e++) {
    columns[e] = (int32_t)e;
    columns[events + e] = data->close[e] + distance;
    columns[2 * events + e] = data->close[e] - distance;
    columns[3 * events + e] = (int32_t)(e + horizon < data->bars - 1 ? e + horizon : data->bars - 1);
  }
  size_t bar_bytes = (size_t)data->bars * sizeof(int32_t), event_bytes = (size_t)events * sizeof(int32_t);
  fmlp_buffer *buffer[8] = {NULL};
  fmlp_status status = make_buffer(run, bar_bytes, data->high, &buffer[0], error);
  if (status == FMLP_OK) status = make_buffer(run, bar_bytes, data->low, &buffer[1], error);
  for (int i = 0; i < 4 && status == FMLP_OK; i++) {
    status = make_buffer(run, event_bytes, columns + i * events, &buffer[2 + i], error);
  }
  fmlp_free(columns);
  if (status == FMLP_OK) status = make_buffer(run, (size_t)events, NULL, &buffer[6], error);
  if (status == FMLP_OK) status = make_buffer(run, event_bytes, NULL, &buffer[7], error);
  state->search = (fmlp_barrier_search){.side = 1,
                                        .tie = FMLP_TIE_SL_FIRST,
                                        .bars = data->bars,
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
  return status;
}

static fmlp_status work_labels(bench_run *run, fmlp_error *error) {
  kernel_state *state = run->state;
  FMLP_TRY(run->compute.backend->barrier_search(run->compute.device, &state->search, error));
  return run->compute.backend->sync(run->compute.device, error);
}

static fmlp_status prepare_monte_carlo(bench_run *run, fmlp_error *error) {
  kernel_state *state = NULL;
  FMLP_TRY(new_state(run, &state, error));
  const bench_data *data = run->data;
  size_t trade_bytes = (size_t)data->trades * sizeof(double), path_bytes = BENCH_PATHS * sizeof(double);
  fmlp_buffer *pnl = NULL, *final_capital = NULL, *drawdown = NULL, *used = NULL, *outcome = NULL, *fan = NULL;
  FMLP_TRY(make_buffer(run, trade_bytes, data->pnl, &pnl, error));
  FMLP_TRY(make_buffer(run, path_bytes, NULL, &final_capital, error));
  FMLP_TRY(make_buffer(run, path_bytes, NULL, &drawdown, error));
  FMLP_TRY(make_buffer(run, BENCH_PATHS * sizeof(int32_t), NULL, &used, error));
  FMLP_TRY(make_buffer(run, BENCH_PATHS, NULL, &outcome, error));
  FMLP_TRY(make_buffer(run, 0, NULL, &fan, error));
  state->monte_carlo = (fmlp_monte_carlo){.kind = (fmlp_resampling)run->parameter,
                                          .seed = 42,
                                          .paths = BENCH_PATHS,
                                          .trades = data->trades,
                                          .block_length = run->parameter == FMLP_MC_IID ? 1 : 10,
                                          .max_trades = data->trades,
                                          .initial_capital = 10000.0,
                                          .ruin_level = -INFINITY,
                                          .daily_loss = INFINITY,
                                          .target_level = INFINITY,
                                          .pnl = pnl,
                                          .ratio = pnl,
                                          .day_offset = pnl,
                                          .final_capital = final_capital,
                                          .max_drawdown = drawdown,
                                          .trades_used = used,
                                          .outcome = outcome,
                                          .fan = fan};
  run->items = BENCH_PATHS * data->trades;
  run->bytes = (int64_t)path_bytes * 2;
  return FMLP_OK;
}

static fmlp_status work_monte_carlo(bench_run *run, fmlp_error *error) {
  kernel_state *state = run->state;
  fmlp_monte_carlo_totals totals;
  return run->compute.backend->monte_carlo(run->compute.device, &state->monte_carlo, &totals, error);
}

const bench_case bench_kernel_cases[] = {
    {"rolling/features24", "row", 0, prepare_features, work_rolling, finish},
    {"rolling/sum_50", "row", 50, prepare_sum, work_rolling, finish},
    {"rolling/sum_500", "row", 500, prepare_sum, work_rolling, finish},
    {"rolling/sum_5000", "row", 5000, prepare_sum, work_rolling, finish},
    {"rolling/std_50", "row", 50, prepare_std, work_rolling, finish},
    {"rolling/max_50", "row", 50, prepare_max, work_rolling, finish},
    {"rolling/median_50", "row", 50, prepare_median, work_rolling, finish},
    {"rolling/ema_50", "row", 50, prepare_ema, work_rolling, finish},
    {"labels/32", "label", 32, prepare_labels, work_labels, finish},
    {"labels/500", "label", 500, prepare_labels, work_labels, finish},
    {"labels/5000", "label", 5000, prepare_labels, work_labels, finish},
    {"monte_carlo/iid", "trade", FMLP_MC_IID, prepare_monte_carlo, work_monte_carlo, finish},
    {"monte_carlo/moving_block", "trade", FMLP_MC_MOVING_BLOCK, prepare_monte_carlo, work_monte_carlo, finish},
    {"monte_carlo/permutation", "trade", FMLP_MC_PERMUTATION, prepare_monte_carlo, work_monte_carlo, finish},
    {NULL, NULL, 0, NULL, NULL, NULL},
};
