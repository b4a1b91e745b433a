/* From a plan to a schedule: which nodes run together, in which order, and where their columns live. Nothing
 * numeric happens here. */
#include "cpu/rolling_plan.h"

#include <assert.h>
#include <stdlib.h>

#include "common/core/memory.h"

/* A block's arrays should stay in the second-level cache. */
enum { SMALLEST_BLOCK = 1024, LARGEST_BLOCK = 16384, CHUNK = 32768 };

/* Steps in the order of their first nodes: every operand is an earlier node, so every step finds its operands
 * made. Nodes of a step by ascending window. */
static void gather_steps(fmlp_rolling_schedule *s, bool *taken) {
  const fmlp_rolling_plan *plan = s->plan;
  int32_t filled = 0;
  for (int32_t first = 0; first < plan->node_count; first++) {
    if (taken[first]) continue;
    const fmlp_rolling_node *head = &plan->nodes[first];
    fmlp_rolling_step *step = &s->steps[s->step_count++];
    *step = (fmlp_rolling_step){.family = fmlp_rolling_family_of(head),
                                .first_node = filled,
                                .a = head->a,
                                .b = head->b,
                                .lag = fmlp_rolling_lag(head)};
    for (int32_t n = first; n < plan->node_count && step->node_count < FMLP_ROLLING_TARGETS; n++) {
      const fmlp_rolling_node *node = &plan->nodes[n];
      if (n > first && (taken[n] || !fmlp_rolling_shares(head, node))) continue;
      taken[n] = true;
      int64_t lookback = node->op == FMLP_OP_EWM_STD ? 0 : fmlp_rolling_lookback(node);
      if (step->family == FMLP_ROLLING_ORDER) lookback++; /* the row that leaves a window kept from before */
      if (lookback > step->lookback) step->lookback = lookback;
      int32_t place = filled++;
      for (; place > step->first_node && plan->nodes[s->order[place - 1]].window > node->window; place--) {
        s->order[place] = s->order[place - 1];
      }
      s->order[place] = n;
      step->node_count++;
    }
  }
}

/* A recursive step needs its operand whole and gives its column whole: its readers belong to the next stage.
 */
static void assign_stages(fmlp_rolling_schedule *s) {
  for (int32_t k = 0; k < s->step_count; k++) {
    fmlp_rolling_step *step = &s->steps[k];
    const int32_t operand[2] = {step->a, step->b};
    for (int i = 0; i < 2; i++) {
      if (operand[i] >= 0 && s->places[operand[i]].stage > step->stage)
        step->stage = s->places[operand[i]].stage;
    }
    bool recursive = step->family == FMLP_ROLLING_RECURSIVE;
    for (int32_t n = 0; n < step->node_count; n++) {
      s->places[s->plan->input_count + s->order[step->first_node + n]].stage = step->stage + recursive;
    }
    if (step->stage + 1 > s->stages) s->stages = step->stage + 1;
  }
  for (int32_t k = 0; k < s->step_count; k++) {
    const fmlp_rolling_step *step = &s->steps[k];
    const int32_t operand[2] = {step->a, step->b};
    for (int i = 0; i < 2; i++) {
      if (operand[i] < s->plan->input_count) continue;
      fmlp_rolling_place *place = &s->places[operand[i]];
      if (step->family == FMLP_ROLLING_RECURSIVE || place->stage < step->stage) place->kept = true;
    }
  }
}

/* Rows in front of a block that each step must produce for its readers in the same stage, readers last first.
 * Sums are cut at the number of rows. */
static void assign_needs(fmlp_rolling_schedule *s) {
  const int32_t inputs = s->plan->input_count;
  for (int32_t k = s->step_count - 1; k >= 0; k--) {
    fmlp_rolling_step *step = &s->steps[k];
    for (int32_t n = 0; n < step->node_count; n++) {
      int64_t need = s->places[inputs + s->order[step->first_node + n]].need;
      if (need > step->need) step->need = need;
    }
    if (step->family == FMLP_ROLLING_RECURSIVE) continue;
    for (int32_t n = 0; n < step->node_count; n++) {
      s->places[inputs + s->order[step->first_node + n]].need = step->need;
    }
    int64_t asked = step->lookback > s->rows ? s->rows : step->need + step->lookback;
    if (asked > s->rows) asked = s->rows;
    const int32_t operand[2] = {step->a, step->b};
    for (int i = 0; i < 2; i++) {
      if (operand[i] < inputs) continue;
      fmlp_rolling_place *place = &s->places[operand[i]];
      if (place->stage == step->stage && asked > place->need) place->need = asked;
    }
  }
}

static void choose_block(fmlp_rolling_schedule *s, int64_t block) {
  int64_t reach = 0;
  for (int32_t k = 0; k < s->step_count; k++) {
    const fmlp_rolling_step *step = &s->steps[k];
    int64_t rows = step->lookback > s->rows ? s->rows : step->need + step->lookback;
    if (step->family != FMLP_ROLLING_RECURSIVE && rows > reach) reach = rows;
  }
  s->block = block;
  if (block <= 0) {
    s->block = SMALLEST_BLOCK;
    while (s->block < LARGEST_BLOCK && s->block < 4 * reach) s->block *= 2;
  }
  if (s->block > s->rows) s->block = s->rows > 0 ? s->rows : 1;
  s->chunk = (CHUNK + s->block - 1) / s->block * s->block;
  if (block > 0) s->chunk = 2 * s->block;
}

static int64_t scratch_of(const fmlp_rolling_schedule *s, const fmlp_rolling_step *step) {
  int64_t lookback = step->lookback > s->rows ? s->rows : step->lookback;
  int64_t rows = fmlp_rolling_stride(s->block + step->need);
  int64_t span = fmlp_rolling_stride(s->block + step->need + lookback);
  switch (step->family) {
  case FMLP_ROLLING_MOMENTS:
  case FMLP_ROLLING_PAIRS:
    return 10 * span + 5 * rows * step->node_count;
  case FMLP_ROLLING_EXTREMES:
    return 8 * span;
  default:
    return 0;
  }
}

/* Offsets in a worker's memory. */
static void lay_out_worker(fmlp_rolling_schedule *s) {
  const fmlp_rolling_plan *plan = s->plan;
  int64_t used = 0, scratch = 0;
  for (int32_t n = 0; n < plan->node_count; n++) {
    fmlp_rolling_place *place = &s->places[plan->input_count + n];
    place->local = -1;
    if (fmlp_rolling_family_of(&plan->nodes[n]) == FMLP_ROLLING_RECURSIVE ||
        (place->need == 0 && place->store))
      continue;
    place->local = used;
    used += fmlp_rolling_stride(s->block + place->need);
  }
  for (int32_t k = 0; k < s->step_count; k++) {
    fmlp_rolling_step *step = &s->steps[k];
    if (step->family == FMLP_ROLLING_ORDER) {
      int64_t window = step->lookback;
      step->sorted = used;
      step->sorted_size = fmlp_rolling_stride(window > s->rows ? s->rows : window) + 8;
      used += 2 * step->sorted_size;
    }
    int64_t wanted = scratch_of(s, step);
    if (wanted > scratch) scratch = wanted;
  }
  s->scratch = used;
  s->worker_doubles = used + scratch;
}

static fmlp_status allocate_columns(fmlp_rolling_schedule *s, double *const *outputs, fmlp_error *error) {
  const fmlp_rolling_plan *plan = s->plan;
  for (int32_t n = 0; n < plan->node_count; n++) {
    const fmlp_rolling_node *node = &plan->nodes[n];
    fmlp_rolling_place *place = &s->places[plan->input_count + n];
    if (node->output >= 0) {
      place->store = outputs[node->output];
    } else if (place->kept || fmlp_rolling_family_of(node) == FMLP_ROLLING_RECURSIVE) {
      FMLP_TRY(
          fmlp_alloc(&s->temporaries[n], s->rows, sizeof(double), "an intermediate feature column", error));
      place->store = s->temporaries[n];
    }
  }
  return FMLP_OK;
}

static fmlp_status make_weights(fmlp_rolling_schedule *s, fmlp_error *error) {
  int64_t total = 0;
  for (int32_t k = 0; k < s->step_count; k++) {
    fmlp_rolling_step *step = &s->steps[k];
    if (step->family != FMLP_ROLLING_FRACDIFF) continue;
    step->weights = total;
    step->weight_count = step->lookback + 1;
    total += step->weight_count;
  }
  FMLP_TRY(fmlp_alloc(&s->weights, total, sizeof(double), "fractional difference weights", error));
  for (int32_t k = 0; k < s->step_count; k++) {
    const fmlp_rolling_step *step = &s->steps[k];
    if (step->family != FMLP_ROLLING_FRACDIFF) continue;
    const fmlp_rolling_node *node = &s->plan->nodes[s->order[step->first_node]];
    fmlp_fracdiff_weights(node->parameter, step->weight_count, s->weights + step->weights);
  }
  return FMLP_OK;
}

fmlp_status fmlp_rolling_schedule_make(const fmlp_rolling_plan *plan, int64_t rows, int64_t block,
                                       const double *const *inputs, double *const *outputs,
                                       fmlp_rolling_schedule *schedule, fmlp_error *error) {
  const int64_t nodes = plan->node_count, columns = nodes + plan->input_count;
  fmlp_rolling_schedule *s = schedule;
  *s = (fmlp_rolling_schedule){.plan = plan, .rows = rows};
  bool *taken = NULL;
  FMLP_TRY(fmlp_alloc_zero(&s->steps, nodes, sizeof *s->steps, "feature schedule", error));
  FMLP_TRY(fmlp_alloc_zero(&s->order, nodes, sizeof *s->order, "feature schedule", error));
  FMLP_TRY(fmlp_alloc_zero(&s->places, columns, sizeof *s->places, "feature schedule", error));
  FMLP_TRY(fmlp_alloc_zero(&s->temporaries, nodes, sizeof *s->temporaries, "feature schedule", error));
  FMLP_TRY(fmlp_alloc_zero(&taken, nodes, sizeof *taken, "feature schedule", error));
  for (int32_t c = 0; c < plan->input_count; c++) s->places[c].whole = inputs[c];
  gather_steps(s, taken);
  fmlp_free(taken);
  assign_stages(s);
  assign_needs(s);
  choose_block(s, block);
  FMLP_TRY(allocate_columns(s, outputs, error));
  FMLP_TRY(make_weights(s, error));
  lay_out_worker(s);
  return FMLP_OK;
}

void fmlp_rolling_schedule_release(fmlp_rolling_schedule *schedule) {
  for (int32_t n = 0; schedule->temporaries && n < schedule->plan->node_count; n++) {
    fmlp_free(schedule->temporaries[n]);
  }
  fmlp_free(schedule->steps);
  fmlp_free(schedule->order);
  fmlp_free(schedule->places);
  fmlp_free(schedule->temporaries);
  fmlp_free(schedule->weights);
  *schedule = (fmlp_rolling_schedule){.rows = 0};
}
