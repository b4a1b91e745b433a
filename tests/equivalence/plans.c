/* Plans of many nodes: those of cases_plans.h, random ones, and the program's own set of features. */
#include <stdio.h>
#include <string.h>

#include "common/core/memory.h"
#include "common/stages/features_plan.h"
#include "tests/equivalence/cases_plans.h"
#include "tests/equivalence/rolling.h"

enum { NAME_CAPACITY = 160 };

/* Every input another data set, `shift` further along the list. */
static fmlp_status check_plan(equivalence *all, const plan_builder *p, const char *name, const char *group,
                              int shift, int64_t rows, int32_t turns, const equivalence_manner *manner,
                              fmlp_error *error) {
  const fmlp_rolling_plan plan = {
      .input_count = p->inputs, .node_count = p->nodes, .output_count = p->outputs, .nodes = p->node};
  double *inputs[PLAN_INPUTS] = {NULL};
  fmlp_status status = FMLP_OK;
  for (int32_t i = 0; i < p->inputs && status == FMLP_OK; i++) {
    status = fmlp_alloc(&inputs[i], rows, sizeof **inputs, "an operand", error);
    const fmlp_case_data data = (fmlp_case_data)((shift + 3 * i) % FMLP_DATA_COUNT);
    if (status == FMLP_OK) fmlp_case_fill(data, rows, FMLP_CASE_SEED + (uint64_t)i, inputs[i]);
  }
  if (status == FMLP_OK)
    status = equivalence_check_plan(all, name, group, &plan, inputs, rows, turns, manner, error);
  for (int32_t i = 0; i < p->inputs; i++) fmlp_free(inputs[i]);
  return status;
}

static bool wants(equivalence *all, const char *what, int shift, int64_t rows, char *name) {
  const char *data = fmlp_case_data_names[shift % FMLP_DATA_COUNT];
  if (all->options.data && strcmp(all->options.data, data) != 0) return false;
  (void)snprintf(name, NAME_CAPACITY, "%s, %s first, %lld rows", what, data, (long long)rows);
  return equivalence_wants(all, "rolling", name);
}

static fmlp_status check_built(equivalence *all, int index, int shift, int64_t rows, int32_t turns,
                               fmlp_error *error) {
  char name[NAME_CAPACITY];
  const plan_case *c = &plan_cases[index];
  if (!wants(all, c->name, shift, rows, name)) return FMLP_OK;
  plan_builder p = {.inputs = c->inputs};
  c->build(&p);
  return check_plan(all, &p, name, c->name, shift, rows, turns, NULL, error);
}

static fmlp_status check_drawn(equivalence *all, uint64_t seed, int64_t rows, int32_t turns,
                               fmlp_error *error) {
  char name[NAME_CAPACITY], what[40];
  (void)snprintf(what, sizeof what, "random plan %llu", (unsigned long long)seed);
  if (!wants(all, what, (int)(seed % FMLP_DATA_COUNT), rows, name)) return FMLP_OK;
  plan_builder p;
  plan_draw(&p, seed);
  return check_plan(all, &p, name, "random plan", (int)(seed % FMLP_DATA_COUNT), rows, turns, NULL, error);
}

/* The features of `base` over data sets in place of the columns of bars. */
static fmlp_status check_base(equivalence *all, int shift, int64_t rows, int32_t turns, fmlp_error *error) {
  char name[NAME_CAPACITY];
  if (!wants(all, "the base features", shift, rows, name)) return FMLP_OK;
  const fmlp_bars bars = {.kind = FMLP_QUOTES, .has_sizes = true};
  fmlp_feature_plan features = {.bars = &bars, .error = error};
  fmlp_plan_base(&features);
  fmlp_status status = features.status;
  plan_builder p = {.inputs = FMLP_COLUMN_COUNT};
  if (status == FMLP_OK && (features.node_count > PLAN_NODES || (int)FMLP_COLUMN_COUNT > (int)PLAN_INPUTS)) {
    status = fmlp_fail(error, FMLP_ERR_OTHER, "more features than the harness holds");
  }
  for (int32_t n = 0; status == FMLP_OK && n < features.node_count; n++) {
    bool written = false;
    for (int32_t f = 0; f < features.count; f++) {
      written |= features.features[f].written && features.features[f].operand == FMLP_COLUMN_COUNT + n;
    }
    (void)plan_put(&p, written, features.nodes[n]);
  }
  if (status == FMLP_OK) status = check_plan(all, &p, name, "base", shift, rows, turns, NULL, error);
  fmlp_feature_plan_release(&features);
  return status;
}

/* What only a certain set-up shows, in blocks of several sizes. */
static fmlp_status check_particular(equivalence *all, fmlp_error *error) {
  enum { TURNS = 7 };
  static const equivalence_setup one_chunk = {.chunk = 0},
                                 three = {.chunk = 700, .spill = EQUIVALENCE_INPUTS};
  static const struct {
    const char *name;
    void (*build)(plan_builder *p);
    int64_t rows;
    equivalence_manner manner;
  } cases[] = {
      /* Intermediates share buffers in one chunk only, and in place only what several tiles read is lost. */
      {"two readers of an intermediate in turn", plan_two_readers, 6000, {&one_chunk, 0}},
      /* Outputs on the device are not waited for: the second call sends while the first computes. */
      {"again before the device is done", plan_returns, 2000, {&three, 1}},
  };
  for (int i = 0; i < 2; i++) {
    char name[NAME_CAPACITY];
    if (!equivalence_wants_family(all, "plans") || !wants(all, cases[i].name, 0, cases[i].rows, name))
      continue;
    plan_builder p = {.inputs = 1};
    cases[i].build(&p);
    FMLP_TRY(check_plan(all, &p, name, cases[i].name, 0, cases[i].rows, TURNS, &cases[i].manner, error));
  }
  return FMLP_OK;
}

fmlp_status equivalence_plans(equivalence *all, fmlp_error *error) {
  static const int64_t lengths[] = {700, 65, 0, 4200, 1, 129, 2, 2500, 31, 64, 1000, 3000};
  enum { LENGTHS = sizeof lengths / sizeof *lengths };
  static const int runs_of[] = {7, 40, 120}, drawn_of[] = {60, 1000, 5000};
  const equivalence_size size = all->options.size;
  for (int i = 0; i <= PLAN_CASES; i++) {
    if (!equivalence_wants_family(all, i < PLAN_CASES ? plan_cases[i].family : "plans")) continue;
    for (int k = 0; k < runs_of[size]; k++) {
      const int64_t rows = all->options.rows >= 0 ? all->options.rows : lengths[(i + k) % LENGTHS];
      FMLP_TRY(i < PLAN_CASES ? check_built(all, i, i + k, rows, 1, error)
                              : check_base(all, k, rows, 1, error));
    }
  }
  for (int k = 0; k < drawn_of[size] && equivalence_wants_family(all, "plans"); k++) {
    const int64_t rows = all->options.rows >= 0 ? all->options.rows : 1 + (k * 37) % 900;
    FMLP_TRY(check_drawn(all, (uint64_t)k + 1, rows, 1, error));
  }
  if (all->options.rows < 0) FMLP_TRY(check_particular(all, error));
  for (int i = 0; i <= PLAN_CASES && size == EQUIVALENCE_FULL; i++) {
    if (!equivalence_wants_family(all, i < PLAN_CASES ? plan_cases[i].family : "plans")) continue;
    static const int64_t large = 3000000;
    FMLP_TRY(i < PLAN_CASES ? check_built(all, i, i, large, 2, error) : check_base(all, 0, large, 2, error));
  }
  return FMLP_OK;
}
