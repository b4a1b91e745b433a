/* From a plan to a schedule. Nothing numeric happens here but the weights of fracdiff.
 *
 * Nodes get phases. A phase is first the operators of one row, as programs, then the windows: moments of one
 * operand in one job whatever their windows and operators, pairs of one pair and lag, extremes of one operand
 * (those that give rows apart), order statistics of one operand and window. A node comes as early as its
 * operands allow, but one that only later programs read moves to the first of them and never sees memory;
 * constants are operands of programs and become columns only for windows. What no output needs is left out.
 *
 * For the set `base` (8 columns in, 43 out, 31 intermediates) that is two programs and nine jobs, and 648
 * bytes a row: 408 in and out, 160 for the ten intermediates between windows and programs, each written and
 * read once, and 80 for columns that a second or third step reads again. Operators of one column alone, such
 * as 24 moments of it, move what cannot be avoided: 8 + 24 * 8 = 200 bytes. */
#include "cuda/rolling_plan.h"

#include <assert.h>

#include "common/core/memory.h"

/* What scheduling remembers of a node. */
typedef struct node_state {
  bool live;
  bool column; /* read by a window, or some rows back: a program must have stored it before */
  bool taken;
  int32_t phase;
  int32_t earliest_reader; /* phase */
  int32_t last_reader;     /* pointwise: last node of the same phase that takes it from the row at hand */
  int32_t step;
  int8_t slot; /* pointwise: where its program holds it, -1 */
} node_state;

typedef struct work {
  fmlp_gpu_schedule *s;
  const fmlp_rolling_plan *plan;
  node_state *nodes;
  int32_t filled; /* of the order */
  int32_t phases;
} work;

static bool is_pointwise(const fmlp_rolling_node *node) {
  return fmlp_rolling_family_of(node) == FMLP_ROLLING_POINTWISE;
}

static bool looks_back(const fmlp_rolling_node *node) {
  return node->op == FMLP_OP_SHIFT || node->op == FMLP_OP_DIFF || node->op == FMLP_OP_PCT_CHANGE ||
         node->op == FMLP_OP_LOG_RETURN;
}

/* The node that is operand i (0, 1) of a node, -1 for an input or none. */
static int32_t operand_node(const work *w, const fmlp_rolling_node *node, int i) {
  int32_t column = i == 0 ? node->a : node->b;
  return column >= w->plan->input_count ? column - w->plan->input_count : -1;
}

/* ---- phases ---- */

static void mark_live(work *w) {
  for (int32_t n = w->plan->node_count - 1; n >= 0; n--) {
    const fmlp_rolling_node *node = &w->plan->nodes[n];
    w->nodes[n].live = w->nodes[n].live || node->output >= 0;
    for (int i = 0; i < 2 && w->nodes[n].live; i++) {
      int32_t m = operand_node(w, node, i);
      if (m >= 0) w->nodes[m].live = true;
    }
  }
}

/* The first phase in which `node` can read operand m. */
static int32_t phase_after(const work *w, const fmlp_rolling_node *node, int32_t m) {
  const fmlp_rolling_node *operand = &w->plan->nodes[m];
  if (is_pointwise(node) && operand->op == FMLP_OP_CONSTANT) return 0;
  bool same = is_pointwise(operand) && !looks_back(node);
  return w->nodes[m].phase + (same ? 0 : 1);
}

static void assign_phases(work *w) {
  for (int32_t n = 0; n < w->plan->node_count; n++) {
    node_state *state = &w->nodes[n];
    for (int i = 0; i < 2 && state->live; i++) {
      int32_t m = operand_node(w, &w->plan->nodes[n], i);
      int32_t phase = m >= 0 ? phase_after(w, &w->plan->nodes[n], m) : 0;
      if (phase > state->phase) state->phase = phase;
    }
    state->earliest_reader = INT32_MAX;
    if (state->phase + 1 > w->phases) w->phases = state->phase + 1;
  }
  for (int32_t n = w->plan->node_count - 1; n >= 0; n--) {
    const fmlp_rolling_node *node = &w->plan->nodes[n];
    node_state *state = &w->nodes[n];
    if (!state->live) continue;
    bool may_wait = is_pointwise(node) && node->op != FMLP_OP_CONSTANT && node->output < 0 && !state->column;
    if (may_wait) state->phase = state->earliest_reader;
    for (int i = 0; i < 2; i++) {
      int32_t m = operand_node(w, node, i);
      if (m < 0) continue;
      bool constant = w->plan->nodes[m].op == FMLP_OP_CONSTANT;
      if (!is_pointwise(node) || (looks_back(node) && !constant)) w->nodes[m].column = true;
      if (state->phase < w->nodes[m].earliest_reader) w->nodes[m].earliest_reader = state->phase;
    }
  }
}

static void find_last_readers(work *w) {
  for (int32_t n = 0; n < w->plan->node_count; n++) {
    const fmlp_rolling_node *node = &w->plan->nodes[n];
    w->nodes[n].last_reader = -1;
    w->nodes[n].slot = -1;
    w->nodes[n].step = -1;
    if (!w->nodes[n].live || !is_pointwise(node) || looks_back(node)) continue;
    for (int i = 0; i < 2; i++) {
      int32_t m = operand_node(w, node, i);
      if (m >= 0 && w->plan->nodes[m].op != FMLP_OP_CONSTANT && is_pointwise(&w->plan->nodes[m]) &&
          w->nodes[m].phase == w->nodes[n].phase) {
        w->nodes[m].last_reader = n;
      }
    }
  }
}

/* ---- steps ---- */

static fmlp_gpu_step *add_step(work *w, fmlp_rolling_family family) {
  fmlp_gpu_step *step = &w->s->steps[w->s->step_count++];
  *step = (fmlp_gpu_step){.family = family, .first_node = w->filled, .a = -1, .b = -1};
  return step;
}

static int16_t source_of(work *w, fmlp_gpu_program *program, int32_t column, bool back) {
  const int32_t m = column - w->plan->input_count;
  if (column < 0) return FMLP_GPU_FROM_NOWHERE;
  if (m >= 0 && w->plan->nodes[m].op == FMLP_OP_CONSTANT) {
    return fmlp_gpu_program_constant(program, w->plan->nodes[m].parameter);
  }
  if (m >= 0 && !back && w->nodes[m].step == w->s->step_count - 1) {
    return (int16_t)(FMLP_GPU_FROM_SLOT + w->nodes[m].slot);
  }
  w->s->places[column].stored = true;
  return fmlp_gpu_program_column_number(program, column);
}

/* Appends node n to the program of the newest step. */
static void add_instruction(work *w, fmlp_gpu_program *program, int32_t n) {
  const fmlp_rolling_node *node = &w->plan->nodes[n];
  node_state *state = &w->nodes[n];
  fmlp_gpu_instruction *now = &program->args.instructions[program->args.length];
  *now = (fmlp_gpu_instruction){.op = (int8_t)node->op, .target = -1, .slot = -1};
  const bool back = looks_back(node);
  now->lag = back ? node->window : 0;
  now->a = node->op == FMLP_OP_CONSTANT ? fmlp_gpu_program_constant(program, node->parameter)
           : node->op == FMLP_OP_SHIFT  ? FMLP_GPU_FROM_NOWHERE
                                        : source_of(w, program, node->a, false);
  now->b = source_of(w, program, back ? node->a : node->b, back);
  for (int i = 0; i < 2; i++) {
    int32_t m = operand_node(w, node, i);
    if (m >= 0 && w->nodes[m].slot >= 0 && w->nodes[m].last_reader == n &&
        w->nodes[m].step == w->s->step_count - 1) {
      program->taken_slots &= ~(1u << w->nodes[m].slot);
    }
  }
  if (state->last_reader >= 0) now->slot = state->slot = fmlp_gpu_program_take_slot(program);
  program->node_of[program->args.length++] = n;
  state->step = w->s->step_count - 1;
  w->s->order[w->filled++] = n;
  w->s->steps[state->step].node_count++;
}

static fmlp_status add_programs(work *w, int32_t phase, fmlp_error *error) {
  fmlp_gpu_program *program = NULL;
  for (int32_t n = 0; n < w->plan->node_count; n++) {
    const node_state *state = &w->nodes[n];
    const fmlp_rolling_node *node = &w->plan->nodes[n];
    if (!state->live || state->phase != phase || !is_pointwise(node)) continue;
    if (node->op == FMLP_OP_CONSTANT && !state->column && node->output < 0) continue;
    if (!program || !fmlp_gpu_program_has_room(program)) {
      const int32_t count = w->s->program_count;
      FMLP_TRY(
          fmlp_resize(&w->s->programs, count, count + 1, sizeof *w->s->programs, "feature programs", error));
      program = &w->s->programs[count];
      *program = (fmlp_gpu_program){.taken_slots = 0};
      add_step(w, FMLP_ROLLING_POINTWISE)->program = w->s->program_count++;
    }
    add_instruction(w, program, n);
  }
  return FMLP_OK;
}

/* One job: `first` and what shares with it, by ascending window. */
static void add_job(work *w, int32_t first) {
  const fmlp_rolling_plan *plan = w->plan;
  const fmlp_rolling_node *head = &plan->nodes[first];
  fmlp_gpu_step *step = add_step(w, fmlp_rolling_family_of(head));
  step->a = head->a;
  step->b = head->b;
  step->lag = fmlp_rolling_lag(head);
  for (int32_t n = first; n < plan->node_count && step->node_count < FMLP_GPU_TARGETS; n++) {
    const fmlp_rolling_node *node = &plan->nodes[n];
    if (w->nodes[n].taken || !w->nodes[n].live || (n > first && !fmlp_rolling_shares(head, node))) continue;
    w->nodes[n].taken = true;
    w->nodes[n].step = w->s->step_count - 1;
    w->s->places[plan->input_count + n].stored = true;
    int64_t lookback =
        step->family == FMLP_ROLLING_RECURSIVE ? FMLP_GPU_RECURSIVE_LOOKBACK : fmlp_rolling_lookback(node);
    if (lookback > step->lookback) step->lookback = lookback;
    int32_t place = w->filled++;
    for (; place > step->first_node && plan->nodes[w->s->order[place - 1]].window > node->window; place--) {
      w->s->order[place] = w->s->order[place - 1];
    }
    w->s->order[place] = n;
    step->node_count++;
  }
  if (step->family == FMLP_ROLLING_RECURSIVE) step->state = w->s->state_count++;
  for (int i = 0; i < 2; i++) {
    int32_t column = i == 0 ? step->a : step->b;
    if (column >= 0) w->s->places[column].stored = true;
  }
}

static fmlp_status add_steps(work *w, fmlp_error *error) {
  for (int32_t phase = 0; phase < w->phases; phase++) {
    FMLP_TRY(add_programs(w, phase, error));
    for (int32_t n = 0; n < w->plan->node_count; n++) {
      const node_state *state = &w->nodes[n];
      if (!state->live || state->taken || state->phase != phase || is_pointwise(&w->plan->nodes[n])) continue;
      add_job(w, n);
    }
  }
  return FMLP_OK;
}

/* ---- columns ---- */

static void read_column(fmlp_gpu_schedule *s, int32_t column, int32_t step, int64_t lookback) {
  fmlp_gpu_place *place = &s->places[column];
  if (lookback > s->rows) lookback = s->rows;
  if (lookback > place->history) place->history = lookback;
  place->last = step;
}

/* Who writes and who reads every column, now that the steps stand; targets of programs. */
static void finish_places(fmlp_gpu_schedule *s) {
  const fmlp_rolling_plan *plan = s->plan;
  for (int32_t c = 0; c < plan->input_count + plan->node_count; c++) {
    s->places[c].made = s->places[c].last = -1;
    if (c >= plan->input_count && plan->nodes[c - plan->input_count].output >= 0) s->places[c].stored = true;
  }
  for (int32_t k = 0; k < s->step_count; k++) {
    const fmlp_gpu_step *step = &s->steps[k];
    for (int32_t i = 0; i < step->node_count; i++) {
      fmlp_gpu_place *place = &s->places[plan->input_count + s->order[step->first_node + i]];
      place->made = place->last = k;
    }
    if (step->family != FMLP_ROLLING_POINTWISE) {
      if (step->a >= 0) read_column(s, step->a, k, step->lookback);
      if (step->b >= 0) read_column(s, step->b, k, step->lookback);
      continue;
    }
    fmlp_gpu_program *program = &s->programs[step->program];
    for (int32_t i = 0; i < program->args.length; i++) {
      fmlp_gpu_instruction *now = &program->args.instructions[i];
      const int32_t result = plan->input_count + program->node_of[i];
      if (now->a >= 0 && now->a < FMLP_GPU_FROM_SLOT) read_column(s, program->column_of[now->a], k, 0);
      if (now->b >= 0 && now->b < FMLP_GPU_FROM_SLOT) read_column(s, program->column_of[now->b], k, now->lag);
      if (s->places[result].stored) now->target = fmlp_gpu_program_column_number(program, result);
    }
  }
}

static fmlp_status make_weights(fmlp_gpu_schedule *s, fmlp_error *error) {
  for (int32_t k = 0; k < s->step_count; k++) {
    fmlp_gpu_step *step = &s->steps[k];
    if (step->family != FMLP_ROLLING_FRACDIFF) continue;
    step->weights = s->weight_count;
    /* One more than the rows already leaves no row complete. */
    step->weight_count = step->lookback < s->rows ? step->lookback + 1 : s->rows + 1;
    s->weight_count += step->weight_count;
  }
  if (s->weight_count == 0) return FMLP_OK;
  FMLP_TRY(fmlp_alloc(&s->weights, s->weight_count, sizeof(double), "fractional difference weights", error));
  for (int32_t k = 0; k < s->step_count; k++) {
    const fmlp_gpu_step *step = &s->steps[k];
    if (step->family != FMLP_ROLLING_FRACDIFF) continue;
    const fmlp_rolling_node *node = &s->plan->nodes[s->order[step->first_node]];
    fmlp_fracdiff_weights(node->parameter, step->weight_count, s->weights + step->weights);
  }
  return FMLP_OK;
}

fmlp_status fmlp_gpu_schedule_make(const fmlp_rolling_plan *plan, int64_t rows, fmlp_gpu_schedule *schedule,
                                   fmlp_error *error) {
  assert(rows > 0);
  const int64_t nodes = plan->node_count, columns = nodes + plan->input_count;
  fmlp_gpu_schedule *s = schedule;
  *s = (fmlp_gpu_schedule){.plan = plan, .rows = rows};
  work w = {.s = s, .plan = plan};
  FMLP_TRY(fmlp_alloc_zero(&s->steps, nodes, sizeof *s->steps, "feature schedule", error));
  FMLP_TRY(fmlp_alloc_zero(&s->order, nodes, sizeof *s->order, "feature schedule", error));
  FMLP_TRY(fmlp_alloc_zero(&s->places, columns, sizeof *s->places, "feature schedule", error));
  FMLP_TRY(fmlp_alloc_zero(&w.nodes, nodes, sizeof *w.nodes, "feature schedule", error));
  mark_live(&w);
  assign_phases(&w);
  find_last_readers(&w);
  fmlp_status status = add_steps(&w, error);
  fmlp_free(w.nodes);
  if (status != FMLP_OK) return status;
  finish_places(s);
  return make_weights(s, error);
}

void fmlp_gpu_schedule_release(fmlp_gpu_schedule *schedule) {
  fmlp_free(schedule->steps);
  fmlp_free(schedule->order);
  fmlp_free(schedule->places);
  fmlp_free(schedule->programs);
  fmlp_free(schedule->weights);
  *schedule = (fmlp_gpu_schedule){.rows = 0};
}

int64_t fmlp_gpu_schedule_bytes_per_row(const fmlp_gpu_schedule *schedule) {
  int64_t columns = 0;
  for (int32_t k = 0; k < schedule->step_count; k++) {
    const fmlp_gpu_step *step = &schedule->steps[k];
    if (step->family == FMLP_ROLLING_POINTWISE) {
      columns += schedule->programs[step->program].args.column_count;
    } else {
      columns += (step->a >= 0) + (step->b >= 0) + step->node_count;
    }
  }
  return columns * (int64_t)sizeof(double);
}
