/* The growing plan: shared nodes, names, and what a name means. */
#include "common/stages/features_plan.h"

#include <stdio.h>
#include <string.h>

#include "common/core/bits.h"
#include "common/core/memory.h"
#include "common/core/nearest.h"

/* Names that configurations use for bar columns; ret_1 is computed (fmlp_plan_find). */
static const struct {
  const char *name;
  fmlp_bar_column column;
} column_names[] = {
    {"open", FMLP_COLUMN_BID_OPEN},
    {"high", FMLP_COLUMN_BID_HIGH},
    {"low", FMLP_COLUMN_BID_LOW},
    {"close", FMLP_COLUMN_BID_CLOSE},
    {"bid_open", FMLP_COLUMN_BID_OPEN},
    {"bid_high", FMLP_COLUMN_BID_HIGH},
    {"bid_low", FMLP_COLUMN_BID_LOW},
    {"bid_close", FMLP_COLUMN_BID_CLOSE},
    {"ask_open", FMLP_COLUMN_ASK_OPEN},
    {"ask_high", FMLP_COLUMN_ASK_HIGH},
    {"ask_low", FMLP_COLUMN_ASK_LOW},
    {"ask_close", FMLP_COLUMN_ASK_CLOSE},
    {"mid", FMLP_COLUMN_MID},
    {"spread_mean", FMLP_COLUMN_SPREAD_MEAN},
    {"spread", FMLP_COLUMN_SPREAD_MEAN},
    {"spread_std", FMLP_COLUMN_SPREAD_STD},
    {"tick_count", FMLP_COLUMN_TICK_COUNT},
    {"duration", FMLP_COLUMN_DURATION},
    {"tick_direction", FMLP_COLUMN_TICK_DIRECTION},
    {"volume", FMLP_COLUMN_VOLUME},
    {"vwap", FMLP_COLUMN_VWAP},
    {"bid_volume", FMLP_COLUMN_BID_VOLUME},
    {"ask_volume", FMLP_COLUMN_ASK_VOLUME},
    {"volume_imbalance", FMLP_COLUMN_VOLUME_IMBALANCE},
};
enum { COLUMN_NAMES = sizeof column_names / sizeof *column_names };
static const char computed_column[] = "ret_1";

static bool same_node(const fmlp_rolling_node *x, const fmlp_rolling_node *y) {
  return x->op == y->op && x->a == y->a && x->b == y->b && x->window == y->window && x->lag == y->lag &&
         fmlp_bits_of(x->parameter) == fmlp_bits_of(y->parameter) &&
         fmlp_bits_of(x->threshold) == fmlp_bits_of(y->threshold);
}

void fmlp_feature_plan_release(fmlp_feature_plan *plan) {
  fmlp_free(plan->nodes);
  fmlp_free(plan->features);
  memset(plan, 0, sizeof *plan);
}

fmlp_operand fmlp_plan_column(const fmlp_feature_plan *plan, fmlp_bar_column column) {
  return fmlp_bar_column_present(column, plan->bars) ? (fmlp_operand)column : FMLP_OPERAND_ABSENT;
}

fmlp_operand fmlp_plan_node(fmlp_feature_plan *plan, fmlp_rolling_node node) {
  int32_t operands = fmlp_operators[node.op].operands;
  if (plan->status != FMLP_OK) return FMLP_OPERAND_ABSENT;
  if ((operands > 0 && node.a < 0) || (operands > 1 && node.b < 0)) return FMLP_OPERAND_ABSENT;
  for (int32_t n = 0; n < plan->node_count; n++) {
    if (same_node(&plan->nodes[n], &node)) return FMLP_COLUMN_COUNT + n;
  }
  if (plan->node_count == plan->node_capacity) {
    int32_t capacity = 2 * plan->node_capacity + 64;
    plan->status = fmlp_resize(&plan->nodes, plan->node_count, capacity, sizeof *plan->nodes, "feature nodes",
                               plan->error);
    if (plan->status != FMLP_OK) return FMLP_OPERAND_ABSENT;
    plan->node_capacity = capacity;
  }
  plan->nodes[plan->node_count] = node;
  return FMLP_COLUMN_COUNT + plan->node_count++;
}

fmlp_operand fmlp_plan_constant(fmlp_feature_plan *plan, double value) {
  return fmlp_plan_node(
      plan, (fmlp_rolling_node){.op = FMLP_OP_CONSTANT, .a = -1, .b = -1, .parameter = value, .output = -1});
}

fmlp_operand fmlp_plan_unary(fmlp_feature_plan *plan, fmlp_operator op, fmlp_operand of, int64_t window) {
  return fmlp_plan_node(plan,
                        (fmlp_rolling_node){.op = op, .a = of, .b = -1, .window = window, .output = -1});
}

fmlp_operand fmlp_plan_binary(fmlp_feature_plan *plan, fmlp_operator op, fmlp_operand a, fmlp_operand b) {
  return fmlp_plan_node(plan, (fmlp_rolling_node){.op = op, .a = a, .b = b, .output = -1});
}

/* A feature's name is a file name of its run folder: letters, digits and _ . -, not starting with a dot. */
static bool is_file_name(const char *name) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  size_t length = strlen(name);
  return length > 0 && length < FMLP_NAME_CAPACITY && name[0] != '.' && strspn(name, allowed) == length;
}

static int32_t find_feature(const fmlp_feature_plan *plan, const char *name) {
  for (int32_t f = 0; f < plan->count; f++) {
    if (strcmp(plan->features[f].name.text, name) == 0) return f;
  }
  return -1;
}

void fmlp_plan_name(fmlp_feature_plan *plan, fmlp_operand operand, bool written, const char *name) {
  if (plan->status != FMLP_OK) return;
  if (!is_file_name(name)) {
    plan->status = fmlp_fail(plan->error, FMLP_ERR_USAGE,
                             "feature name '%s' is no file name; use letters, digits, _ . and -, at most %d",
                             name, FMLP_NAME_CAPACITY - 1);
    return;
  }
  if (find_feature(plan, name) >= 0) {
    plan->status =
        fmlp_fail(plan->error, FMLP_ERR_USAGE,
                  "feature name '%s' is taken (by an earlier entry or the set base); rename it", name);
    return;
  }
  if (plan->count == plan->capacity) {
    int32_t capacity = 2 * plan->capacity + 64;
    plan->status = fmlp_resize(&plan->features, plan->count, capacity, sizeof *plan->features,
                               "feature names", plan->error);
    if (plan->status != FMLP_OK) return;
    plan->capacity = capacity;
  }
  fmlp_planned_feature *feature = &plan->features[plan->count++];
  *feature = (fmlp_planned_feature){.operand = operand, .written = written};
  snprintf(feature->name.text, sizeof feature->name.text, "%s", name);
}

fmlp_operand fmlp_plan_find(fmlp_feature_plan *plan, const char *name) {
  int32_t feature = find_feature(plan, name);
  if (feature >= 0) return plan->features[feature].operand;
  for (int c = 0; c < COLUMN_NAMES; c++) {
    if (strcmp(column_names[c].name, name) == 0) return fmlp_plan_column(plan, column_names[c].column);
  }
  if (strcmp(computed_column, name) == 0) {
    return fmlp_plan_unary(plan, FMLP_OP_LOG_RETURN, fmlp_plan_column(plan, FMLP_COLUMN_BID_CLOSE), 1);
  }
  return FMLP_OPERAND_UNKNOWN;
}

const char *fmlp_plan_nearest(const fmlp_feature_plan *plan, const char *name) {
  const char *candidates[COLUMN_NAMES + 2] = {computed_column};
  for (int c = 0; c < COLUMN_NAMES; c++) candidates[c + 1] = column_names[c].name;
  const char *best = fmlp_nearest(name, COLUMN_NAMES + 1, candidates);
  for (int32_t f = 0; f < plan->count; f++) {
    const char *pair[] = {best, plan->features[f].name.text};
    best = fmlp_nearest(name, 2, pair);
  }
  return best;
}
