/* One rolling operator at a time: operators x windows x data sets x lengths. */
#include "tests/equivalence/rolling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/memory.h"
#include "tests/equivalence/cases_rolling.h"

enum { LENGTHS = 24, NAME_CAPACITY = 160 };

/* ---- a plan as a case ---- */

typedef struct plan_job {
  const fmlp_rolling_plan *plan;
  int64_t rows;
  int32_t calls;
} plan_job;

static fmlp_status run_plan(const equivalence_case *c, const fmlp_compute *compute,
                            fmlp_buffer *const *buffers, void *const *host, fmlp_error *error) {
  (void)host;
  const plan_job *job = c->job;
  for (int32_t call = 0; call < job->calls; call++) {
    FMLP_TRY(
        compute->backend->rolling(compute->device, job->plan, job->rows, (const fmlp_buffer *const *)buffers,
                                  buffers + job->plan->input_count + call * job->plan->output_count, error));
  }
  return FMLP_OK;
}

fmlp_status equivalence_check_plan(equivalence *all, const char *name, const char *group,
                                   const fmlp_rolling_plan *plan, double *const *inputs, int64_t rows,
                                   int32_t turns, const equivalence_manner *manner, fmlp_error *error) {
  FMLP_TRY(fmlp_rolling_validate(plan, error));
  const int32_t calls = 1 + (manner ? manner->more_calls : 0);
  const int32_t count = plan->input_count + calls * plan->output_count;
  equivalence_array *arrays = NULL;
  char(*names)[24] = NULL;
  FMLP_TRY(fmlp_alloc_zero(&arrays, count, sizeof *arrays, "columns", error));
  fmlp_status status = fmlp_alloc_zero(&names, count, sizeof *names, "columns", error);
  for (int32_t i = 0; status == FMLP_OK && i < count; i++) {
    const bool input = i < plan->input_count;
    (void)snprintf(names[i], sizeof names[i], "%s %d", input ? "input" : "output",
                   (int)(input ? i : i - plan->input_count));
    arrays[i] = (equivalence_array){.name = names[i],
                                    .element = EQUIVALENCE_DOUBLE,
                                    .count = rows,
                                    .contents = input ? inputs[i] : NULL,
                                    .output = !input};
  }
  const plan_job job = {plan, rows, calls};
  const equivalence_case c = {.operation = "rolling",
                              .name = name,
                              .group = group,
                              .array_count = count,
                              .arrays = arrays,
                              .run = run_plan,
                              .job = &job,
                              .units = rows,
                              .like = manner ? manner->like : NULL};
  if (status == FMLP_OK) status = equivalence_check(all, &c, turns, error);
  fmlp_free(arrays);
  fmlp_free(names);
  return status;
}

bool equivalence_wants_family(const equivalence *all, const char *family) {
  return !all->options.family || strcmp(all->options.family, family) == 0;
}

/* ---- single operators ---- */

/* "std(64) of walk, 1000 rows". */
static void name_case(const fmlp_case_operator *o, fmlp_case_data a, fmlp_case_data b, int64_t rows,
                      char *name) {
  const fmlp_operator_info *info = &fmlp_operators[o->op];
  int at = snprintf(name, NAME_CAPACITY, "%s(", info->name);
  const char *comma = "";
  if (o->window > 0) {
    at += snprintf(name + at, (size_t)(NAME_CAPACITY - at), "%lld", (long long)o->window);
    comma = ", ";
  }
  if (o->lag > 0) {
    at += snprintf(name + at, (size_t)(NAME_CAPACITY - at), "%slag %lld", comma, (long long)o->lag);
    comma = ", ";
  }
  const bool takes_parameter = o->op == FMLP_OP_CONSTANT || o->op == FMLP_OP_QUANTILE ||
                               o->op == FMLP_OP_EMA || o->op == FMLP_OP_EWM_STD || o->op == FMLP_OP_FRACDIFF;
  if (takes_parameter) at += snprintf(name + at, (size_t)(NAME_CAPACITY - at), "%s%.4g", comma, o->parameter);
  if (o->threshold > 0) at += snprintf(name + at, (size_t)(NAME_CAPACITY - at), ", %.4g", o->threshold);
  at += snprintf(name + at, (size_t)(NAME_CAPACITY - at), ") of %s", fmlp_case_data_names[a]);
  if (info->operands == 2)
    at += snprintf(name + at, (size_t)(NAME_CAPACITY - at), " and %s", fmlp_case_data_names[b]);
  (void)snprintf(name + at, (size_t)(NAME_CAPACITY - at), ", %lld rows", (long long)rows);
}

/* Makes the operands and runs the case if it is asked for, with the next set-ups of `group`. */
static fmlp_status check_in_group(equivalence *all, const char *group, const fmlp_case_operator *o,
                                  fmlp_case_data a, fmlp_case_data b, int64_t rows, int32_t turns,
                                  fmlp_error *error) {
  char name[NAME_CAPACITY];
  name_case(o, a, b, rows, name);
  if (!equivalence_wants(all, "rolling", name)) return FMLP_OK;
  fmlp_rolling_node node = fmlp_case_node(o);
  const int32_t operands = fmlp_operators[o->op].operands;
  const fmlp_rolling_plan plan = {
      .input_count = operands, .node_count = 1, .output_count = 1, .nodes = &node};
  double *inputs[2] = {NULL, NULL};
  fmlp_status status = FMLP_OK;
  for (int32_t i = 0; i < operands && status == FMLP_OK; i++) {
    status = fmlp_alloc(&inputs[i], rows, sizeof **inputs, "an operand", error);
    if (status == FMLP_OK)
      fmlp_case_fill(i == 0 ? a : b, rows, i == 0 ? FMLP_CASE_SEED : FMLP_CASE_TIES_SEED, inputs[i]);
  }
  if (status == FMLP_OK) {
    status = equivalence_check_plan(all, name, group, &plan, inputs, rows, turns, NULL, error);
  }
  fmlp_free(inputs[0]);
  fmlp_free(inputs[1]);
  return status;
}

static fmlp_status check_operator(equivalence *all, const fmlp_case_operator *o, fmlp_case_data a,
                                  fmlp_case_data b, int64_t rows, int32_t turns, fmlp_error *error) {
  return check_in_group(all, fmlp_operators[o->op].name, o, a, b, rows, turns, error);
}

/* ---- which of them ---- */

static bool wants_data(const equivalence *all, fmlp_case_data a, fmlp_case_data b, bool two) {
  const char *asked = all->options.data;
  if (!asked) return true;
  const char *first = fmlp_case_data_names[a], *second = fmlp_case_data_names[b];
  const size_t length = strlen(first);
  if (strncmp(asked, first, length) != 0) return false;
  if (asked[length] == '\0') return true;
  return asked[length] == ',' && two && strcmp(asked + length + 1, second) == 0;
}

static bool wants_operator(const equivalence *all, const fmlp_case_operator *o) {
  const equivalence_options *options = &all->options;
  if (options->operator_name && strcmp(options->operator_name, fmlp_operators[o->op].name) != 0) return false;
  if (options->window >= 0 && o->window != options->window) return false;
  return equivalence_wants_family(all, fmlp_rolling_family_names[fmlp_operators[o->op].family]);
}

/* Asked for by operator and length: then every data set, whatever the size of the suite. */
static bool is_particular(const equivalence *all) {
  return all->options.operator_name && all->options.rows >= 0;
}

/* Lengths around the operator's own reach, and around blocks. */
static int make_lengths(const equivalence *all, const fmlp_case_operator *o, int64_t *lengths) {
  if (all->options.rows >= 0) {
    lengths[0] = all->options.rows;
    return 1;
  }
  const fmlp_rolling_node node = fmlp_case_node(o);
  const int64_t reach = fmlp_rolling_lookback(&node);
  const int64_t own[] = {3 * reach + 101, reach + 1, 4097 + reach, reach, reach + 2, 2 * reach + 1};
  int count = 0;
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) lengths[count++] = own[i];
  for (int i = 0; i < FMLP_CASE_LENGTHS; i++) lengths[count++] = fmlp_case_lengths[i];
  return count;
}

/* Quick: an operator meets every data set and most lengths once or twice, and set-ups in turn. */
static fmlp_status check_quick(equivalence *all, const fmlp_case_operator *o, int32_t index,
                               fmlp_error *error) {
  enum { RUNS = 21, LONGEST = 6000 };
  int64_t lengths[LENGTHS];
  const int count = make_lengths(all, o, lengths);
  const bool two = fmlp_operators[o->op].operands == 2;
  for (int32_t k = 0; k < RUNS; k++) {
    const fmlp_case_data a = (fmlp_case_data)((index + k) % FMLP_DATA_COUNT);
    const fmlp_case_data b = (fmlp_case_data)((index * 7 + k * 3) % FMLP_DATA_COUNT);
    /* Every other run at a length at which the operator has something to say. */
    int64_t rows = lengths[k % 2 == 0 ? (k / 2) % (count < 3 ? count : 3) : (index + k) % count];
    if (rows > LONGEST && rows > 2 * fmlp_case_lengths[0] + 3 * o->window) rows = LONGEST - 100 + k;
    if (!wants_data(all, a, b, two)) continue;
    FMLP_TRY(check_operator(all, o, a, b, rows, 1, error));
  }
  return FMLP_OK;
}

static fmlp_status check_product(equivalence *all, const fmlp_case_operator *o, fmlp_error *error) {
  int64_t lengths[LENGTHS];
  const int count = make_lengths(all, o, lengths);
  const bool two = fmlp_operators[o->op].operands == 2;
  const int32_t turns = all->options.size == EQUIVALENCE_FULL ? 7 : 2;
  for (int i = 0; i < count; i++) {
    for (int a = 0; a < FMLP_DATA_COUNT; a++) {
      for (int b = two ? 0 : a; b < FMLP_DATA_COUNT && (two || b == a); b++) {
        if (!wants_data(all, (fmlp_case_data)a, (fmlp_case_data)b, two)) continue;
        /* Of pairs of data a diagonal at each length, and all of them at the first. */
        if (two && i > 0 && (a + b) % FMLP_DATA_COUNT != i % FMLP_DATA_COUNT && !all->options.data) continue;
        FMLP_TRY(check_operator(all, o, (fmlp_case_data)a, (fmlp_case_data)b, lengths[i], turns, error));
      }
    }
  }
  return FMLP_OK;
}

/* Lengths that take a GPU: whole columns of many blocks, and 64-bit sizes. */
static fmlp_status check_large(equivalence *all, const fmlp_case_operator *o, int32_t index,
                               fmlp_error *error) {
  static const int64_t large[] = {1000000, 10000000, 100000000};
  const fmlp_case_data data[] = {(fmlp_case_data)(index % FMLP_DATA_COUNT), FMLP_DATA_GAPS, FMLP_DATA_WALK};
  for (int i = 0; i < 3 && all->options.rows < 0; i++) {
    if (i == 2 && index % 6 != 0) continue;
    if (!wants_data(all, data[i], FMLP_DATA_NOISE, true)) continue;
    FMLP_TRY(check_operator(all, o, data[i], FMLP_DATA_NOISE, large[i], i == 0 ? 3 : 1, error));
  }
  return FMLP_OK;
}

/* A window that no table has: the operator's first row of the table, with this window. */
static fmlp_status check_other_window(equivalence *all, fmlp_error *error) {
  const equivalence_options *options = &all->options;
  if (options->window < 0 || !options->operator_name) return FMLP_OK;
  int32_t like = -1;
  for (int32_t i = FMLP_CASE_OPERATORS - 1; i >= 0; i--) {
    if (strcmp(options->operator_name, fmlp_operators[fmlp_case_operators[i].op].name) != 0) continue;
    if (fmlp_case_operators[i].window == options->window) return FMLP_OK;
    like = i;
  }
  if (like < 0) return FMLP_OK;
  fmlp_case_operator o = fmlp_case_operators[like];
  o.window = options->window;
  return check_product(all, &o, error);
}

/* Windows that the table, shared with the goldens, leaves out: the smallest, and around powers of two and of
 * the block sizes. */
static fmlp_status check_more_windows(equivalence *all, fmlp_error *error) {
  static const int64_t windows[] = {0, 1, 4, 5, 8, 15, 16, 32, 48, 63, 65, 129, 333, 512, 1025, 2000, 5000};
  enum { WINDOWS = sizeof windows / sizeof *windows };
  int32_t previous = -1;
  for (int32_t i = 0; i < FMLP_CASE_OPERATORS; i++) {
    fmlp_case_operator o = fmlp_case_operators[i];
    const int64_t least = fmlp_operators[o.op].min_window;
    if (least == 0 || (int32_t)o.op == previous) continue;
    previous = (int32_t)o.op;
    if (o.op == FMLP_OP_QUANTILE) o.parameter = 0.9; /* of few windows a whole number of items */
    for (int32_t w = 0; w < WINDOWS; w++) {
      o.window = w < 2 ? least + windows[w] : windows[w];
      if (o.window < least || !wants_operator(all, &o)) continue;
      if (all->options.size != EQUIVALENCE_QUICK || is_particular(all)) {
        FMLP_TRY(check_product(all, &o, error));
        continue;
      }
      const fmlp_case_data a = (fmlp_case_data)((i + w) % FMLP_DATA_COUNT);
      const fmlp_case_data b = (fmlp_case_data)((i + 7 * w) % FMLP_DATA_COUNT);
      if (!wants_data(all, a, b, fmlp_operators[o.op].operands == 2)) continue;
      /* Large windows take other kernels in small blocks than in large ones. */
      const int32_t turns = o.window > 128 ? 7 : 1;
      FMLP_TRY(check_operator(all, &o, a, b, 2 * o.window + 40 + i, turns, error));
    }
  }
  return FMLP_OK;
}

/* Rows [first, last) that are missing. */
typedef struct stretch {
  int64_t first, last;
} stretch;

static fmlp_status check_stretches(equivalence *all, const fmlp_case_operator *o, const char *group,
                                   const stretch *stretches, int32_t count, int64_t rows, int32_t turns,
                                   fmlp_error *error) {
  char name[NAME_CAPACITY];
  (void)snprintf(name, sizeof name, "%s(%.4g) of walk with %s, %lld rows", fmlp_operators[o->op].name,
                 o->parameter, group, (long long)rows);
  if (!equivalence_wants(all, "rolling", name)) return FMLP_OK;
  fmlp_rolling_node node = fmlp_case_node(o);
  const fmlp_rolling_plan plan = {.input_count = 1, .node_count = 1, .output_count = 1, .nodes = &node};
  double *input = NULL;
  FMLP_TRY(fmlp_alloc(&input, rows, sizeof *input, "an operand", error));
  fmlp_case_fill(FMLP_DATA_WALK, rows, FMLP_CASE_SEED, input);
  for (int32_t i = 0; i < count; i++) {
    for (int64_t row = stretches[i].first; row < stretches[i].last; row++) input[row] = fmlp_nan();
  }
  const fmlp_status status =
      equivalence_check_plan(all, name, group, &plan, &input, rows, turns, NULL, error);
  fmlp_free(input);
  return status;
}

/* Recursions over missing rows that begin in one super-block of 4096 rows and end in the next, or take a
 * whole one, or more of them than a warp looks back over at once: what they repeat then stands in another
 * block's rows, or in another chunk's. */
static fmlp_status check_missing(equivalence *all, const fmlp_case_operator *o, fmlp_error *error) {
  enum { SUPER = 4096 };
  static const stretch some[] = {
      {SUPER - 70, SUPER - 66}, {SUPER - 6, SUPER + 3}, {2 * SUPER - 2, 3 * SUPER + 9}};
  static const stretch longer = {SUPER - 6, 35 * SUPER + 9};
  if (is_particular(all) || all->options.data) return FMLP_OK;
  FMLP_TRY(check_stretches(all, o, "stretches missing", some, 3, 3 * SUPER + 200, 2, error));
  if (o->op != FMLP_OP_EMA || o->parameter < 0.1) return FMLP_OK;
  return check_stretches(all, o, "a long stretch missing", &longer, 1, 35 * SUPER + 200, 1, error);
}

/* In one chunk: blocks that take several tiles of a large window, or several of weights. */
static fmlp_status check_several_tiles(equivalence *all, fmlp_error *error) {
  static const struct {
    fmlp_case_operator o;
    int64_t rows;
  } cases[] = {{{FMLP_OP_MEDIAN, 3000, 0, 0, 0}, 41000}, {{FMLP_OP_FRACDIFF, 0, 0, 0.4, 2e-5}, 2500}};
  static const char *const groups[] = {"median, several tiles", "fracdiff, several tiles"};
  if (is_particular(all) || all->options.data) return FMLP_OK;
  for (int i = 0; i < 2; i++) {
    if (!wants_operator(all, &cases[i].o)) continue;
    FMLP_TRY(
        check_in_group(all, groups[i], &cases[i].o, FMLP_DATA_WALK, FMLP_DATA_WALK, cases[i].rows, 1, error));
  }
  return FMLP_OK;
}

fmlp_status equivalence_rolling(equivalence *all, fmlp_error *error) {
  for (int32_t i = 0; i < FMLP_CASE_OPERATORS; i++) {
    const fmlp_case_operator *o = &fmlp_case_operators[i];
    if (!wants_operator(all, o)) continue;
    const bool product = all->options.size != EQUIVALENCE_QUICK || is_particular(all);
    FMLP_TRY(product ? check_product(all, o, error) : check_quick(all, o, i, error));
    if (all->options.size == EQUIVALENCE_FULL) FMLP_TRY(check_large(all, o, i, error));
    const bool recursive = o->op == FMLP_OP_EMA || o->op == FMLP_OP_EWM_STD;
    if (recursive && o->parameter < 1.0) FMLP_TRY(check_missing(all, o, error));
  }
  FMLP_TRY(check_more_windows(all, error));
  FMLP_TRY(check_several_tiles(all, error));
  FMLP_TRY(check_other_window(all, error));
  if (all->options.operator_name || all->options.window >= 0) return FMLP_OK;
  return equivalence_plans(all, error);
}
