/* Rolling operators through the backend's door, device-resident: each row of the tests' table by itself, and
 * a set of features in one plan. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "common/core/memory.h"
#include "tests/equivalence/cases_rolling.h"

enum { FEATURE_WINDOWS = 4, FEATURE_OPERATORS = 6, FEATURES = FEATURE_WINDOWS * FEATURE_OPERATORS };

static const int64_t feature_windows[FEATURE_WINDOWS] = {10, 20, 50, 100};
static const fmlp_operator feature_operators[FEATURE_OPERATORS] = {FMLP_OP_SUM,    FMLP_OP_MEAN, FMLP_OP_STD,
                                                                   FMLP_OP_ZSCORE, FMLP_OP_MIN,  FMLP_OP_MAX};

typedef struct rolling_state {
  bench_buffers buffers; /* inputs, then outputs */
  fmlp_rolling_node nodes[FEATURES];
  fmlp_rolling_plan plan;
} rolling_state;

static fmlp_status make_input(const bench_run *run, rolling_state *state, uint64_t seed, const char *name,
                              fmlp_error *error) {
  double *values = NULL;
  fmlp_buffer *buffer = NULL;
  FMLP_TRY(fmlp_alloc(&values, run->data->bars, sizeof *values, "prices", error));
  fmlp_case_fill(FMLP_DATA_WALK, run->data->bars, seed, values);
  fmlp_status status =
      bench_buffer(run, &state->buffers, (size_t)run->data->bars * sizeof *values, values, &buffer, error);
  if (status == FMLP_OK && run->data->write)
    status = bench_put(run, name, FMLP_FLOAT64, run->data->bars, values, error);
  fmlp_free(values);
  return status;
}

static fmlp_status prepare(bench_run *run, fmlp_error *error) {
  FMLP_TRY(fmlp_alloc_zero(&run->state, 1, sizeof(rolling_state), "benchmark", error));
  rolling_state *state = run->state;
  fmlp_rolling_plan *plan = &state->plan;
  plan->nodes = state->nodes;
  if (run->what->parameter < 0) {
    plan->input_count = 1;
    for (int n = 0; n < FEATURES; n++) {
      state->nodes[n] = (fmlp_rolling_node){.op = feature_operators[n / FEATURE_WINDOWS],
                                            .a = 0,
                                            .b = -1,
                                            .window = feature_windows[n % FEATURE_WINDOWS],
                                            .output = n};
    }
    plan->node_count = FEATURES;
  } else {
    state->nodes[0] = fmlp_case_node(&fmlp_case_operators[run->what->parameter]);
    plan->input_count = fmlp_operators[state->nodes[0].op].operands;
    plan->node_count = 1;
  }
  plan->output_count = plan->node_count;
  FMLP_TRY(fmlp_rolling_validate(plan, error));
  if (plan->input_count > 0) FMLP_TRY(make_input(run, state, FMLP_CASE_SEED, "x", error));
  if (plan->input_count > 1) FMLP_TRY(make_input(run, state, FMLP_CASE_TIES_SEED, "y", error));
  for (int32_t n = 0; n < plan->output_count; n++) {
    fmlp_buffer *output = NULL;
    FMLP_TRY(
        bench_buffer(run, &state->buffers, (size_t)run->data->bars * sizeof(double), NULL, &output, error));
  }
  run->items = run->data->bars;
  run->bytes = (int64_t)sizeof(double) * run->data->bars * (plan->input_count + plan->output_count);
  return FMLP_OK;
}

static fmlp_status work(bench_run *run, fmlp_error *error) {
  rolling_state *state = run->state;
  const fmlp_buffer *inputs[2] = {state->buffers.buffer[0], state->buffers.buffer[1]};
  return run->compute.backend->rolling(run->compute.device, &state->plan, run->data->bars, inputs,
                                       state->buffers.buffer + state->plan.input_count, error);
}

static fmlp_status keep(bench_run *run, fmlp_error *error) {
  const rolling_state *state = run->state;
  for (int32_t n = 0; n < state->plan.output_count; n++) {
    char column[64];
    (void)snprintf(column, sizeof column, "%s_%" PRId64, fmlp_operators[state->nodes[n].op].name,
                   state->nodes[n].window);
    FMLP_TRY(bench_put_buffer(run, column, FMLP_FLOAT64, run->data->bars,
                              state->buffers.buffer[state->plan.input_count + n], error));
  }
  return FMLP_OK;
}

static void finish(bench_run *run) {
  rolling_state *state = run->state;
  if (!state) return;
  bench_buffers_free(run, &state->buffers);
  fmlp_free(state);
  run->state = NULL;
}

int bench_rolling_case(int n, char name[64], bench_case *out) {
  if (n > FMLP_CASE_OPERATORS) return 0;
  *out = (bench_case){.name = name,
                      .unit = "row",
                      .parameter = n - 1,
                      .prepare = prepare,
                      .work = work,
                      .keep = keep,
                      .finish = finish};
  if (n == 0) {
    (void)snprintf(name, 64, "rolling/features24");
    return 1;
  }
  const fmlp_case_operator *row = &fmlp_case_operators[n - 1];
  int length = snprintf(name, 64, "rolling/%s", fmlp_operators[row->op].name);
  if (row->window > 0) length += snprintf(name + length, 64 - (size_t)length, "_%" PRId64, row->window);
  if (row->lag > 0) length += snprintf(name + length, 64 - (size_t)length, "_lag%" PRId64, row->lag);
  if (row->parameter != 0) (void)snprintf(name + length, 64 - (size_t)length, "_%.3g", row->parameter);
  return 1;
}
