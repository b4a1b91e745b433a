/* The entries of features.plan: operator names, operands by name, and which parameters each operator takes.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/core/nearest.h"
#include "common/stages/features_plan.h"

enum { DEFAULT_STEP = 1 };
static const double default_threshold = 1e-4; /* of fracdiff's weights */

/* Parameters besides `of` and `with`. */
typedef enum takes {
  TAKES_WINDOW = 1,
  TAKES_LAG = 2,
  TAKES_Q = 4,
  TAKES_SPAN = 8, /* span or alpha */
  TAKES_D = 16,   /* d and threshold */
  TAKES_VALUE = 32
} takes;

typedef struct entry_context {
  fmlp_feature_plan *plan;
  const fmlp_feature_entry *entry;
} entry_context;

/* Ends the sentence "FILE:LINE: feature 'NAME': ...". */
static void refuse(const entry_context *at, const char *format, ...) FMLP_PRINTF(2, 3);

static void refuse(const entry_context *at, const char *format, ...) {
  if (at->plan->status != FMLP_OK) return;
  char text[FMLP_ERROR_CAPACITY];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  at->plan->status = fmlp_fail(at->plan->error, FMLP_ERR_USAGE, "%s: feature '%s': %s",
                               at->entry->where ? at->entry->where : "features.plan",
                               at->entry->name ? at->entry->name : "?", text);
}

static bool is_step(fmlp_operator op) {
  return op == FMLP_OP_SHIFT || op == FMLP_OP_DIFF || op == FMLP_OP_PCT_CHANGE || op == FMLP_OP_LOG_RETURN;
}

static unsigned parameters_of(fmlp_operator op) {
  switch (op) {
  case FMLP_OP_CONSTANT:
    return TAKES_VALUE;
  case FMLP_OP_QUANTILE:
    return TAKES_WINDOW | TAKES_Q;
  case FMLP_OP_AUTOCORR:
    return TAKES_WINDOW | TAKES_LAG;
  case FMLP_OP_EMA:
  case FMLP_OP_EWM_STD:
    return TAKES_SPAN;
  case FMLP_OP_FRACDIFF:
    return TAKES_D;
  default:
    return is_step(op) || fmlp_operators[op].min_window > 0 ? TAKES_WINDOW : 0;
  }
}

static int find_operator(const char *name) {
  for (int op = 0; op < FMLP_OP_COUNT; op++) {
    if (strcmp(fmlp_operators[op].name, name) == 0) return op;
  }
  return -1;
}

static void refuse_operator(const entry_context *at) {
  const char *known[FMLP_OP_COUNT];
  for (int op = 0; op < FMLP_OP_COUNT; op++) known[op] = fmlp_operators[op].name;
  const char *nearest = fmlp_nearest(at->entry->op, FMLP_OP_COUNT, known);
  if (nearest) {
    refuse(at, "unknown operator '%s'; did you mean '%s'?", at->entry->op, nearest);
  } else {
    refuse(at, "unknown operator '%s'; the operators stand in docs/features.md", at->entry->op);
  }
}

static fmlp_operand resolve(const entry_context *at, const char *key, const char *name) {
  if (!name) {
    refuse(at, "`%s` is missing: name a bar column or an earlier entry", key);
    return FMLP_OPERAND_ABSENT;
  }
  fmlp_operand operand = fmlp_plan_find(at->plan, name);
  if (operand != FMLP_OPERAND_UNKNOWN) return operand;
  const char *nearest = fmlp_plan_nearest(at->plan, name);
  if (nearest) {
    refuse(at, "`%s: %s` is neither a bar column nor an earlier entry; did you mean '%s'?", key, name,
           nearest);
  } else {
    refuse(at, "`%s: %s` is neither a bar column nor an earlier entry", key, name);
  }
  return FMLP_OPERAND_ABSENT;
}

static void check_unused(const entry_context *at, unsigned taken) {
  const fmlp_feature_entry *entry = at->entry;
  const struct {
    const char *key;
    unsigned bit;
    bool set;
  } keys[] = {{"window", TAKES_WINDOW, entry->window != 0},
              {"lag", TAKES_LAG, entry->lag != 0},
              {"q", TAKES_Q, !isnan(entry->q)},
              {"span", TAKES_SPAN, !isnan(entry->span)},
              {"alpha", TAKES_SPAN, !isnan(entry->alpha)},
              {"d", TAKES_D, !isnan(entry->d)},
              {"value", TAKES_VALUE, !isnan(entry->value)},
              {"threshold", TAKES_D, !isnan(entry->threshold)}};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    if (keys[i].set && !(taken & keys[i].bit)) {
      refuse(at, "operator '%s' takes no `%s`; remove it", entry->op, keys[i].key);
    }
  }
}

/* The weight of the newest value. */
static double alpha_of(const entry_context *at) {
  const fmlp_feature_entry *entry = at->entry;
  if (isnan(entry->span) == isnan(entry->alpha)) {
    refuse(at, "operator '%s' needs either `span` or `alpha`", entry->op);
    return 1.0;
  }
  if (!isnan(entry->alpha)) return entry->alpha;
  if (!(entry->span >= 1.0)) refuse(at, "`span: %g` must be at least 1", entry->span);
  return 2.0 / (entry->span + 1.0);
}

static void set_parameters(const entry_context *at, fmlp_rolling_node *node) {
  const fmlp_feature_entry *entry = at->entry;
  unsigned taken = parameters_of(node->op);
  check_unused(at, taken);
  if (taken & TAKES_WINDOW) {
    node->window = entry->window ? entry->window : is_step(node->op) ? DEFAULT_STEP : 0;
    if (node->window <= 0) refuse(at, "operator '%s' needs a positive `window`", entry->op);
  }
  if (taken & TAKES_LAG) node->lag = entry->lag ? entry->lag : DEFAULT_STEP;
  if (taken & TAKES_Q) {
    if (isnan(entry->q)) refuse(at, "operator '%s' needs `q` between 0 and 1", entry->op);
    node->parameter = entry->q;
  }
  if (taken & TAKES_SPAN) node->parameter = alpha_of(at);
  if (taken & TAKES_D) {
    if (isnan(entry->d)) refuse(at, "operator '%s' needs `d`", entry->op);
    node->parameter = entry->d;
    node->threshold = isnan(entry->threshold) ? default_threshold : entry->threshold;
  }
  if (taken & TAKES_VALUE) {
    if (isnan(entry->value)) refuse(at, "operator '%s' needs `value`", entry->op);
    node->parameter = entry->value;
  }
}

/* Asks the contract about this node alone, so that its complaint can name the entry. */
static void check_node(const entry_context *at, fmlp_rolling_node node) {
  if (at->plan->status != FMLP_OK) return;
  int32_t operands = fmlp_operators[node.op].operands;
  node.a = operands > 0 ? 0 : -1;
  node.b = operands > 1 ? 1 : -1;
  node.output = 0;
  fmlp_rolling_plan alone = {.input_count = operands, .node_count = 1, .output_count = 1, .nodes = &node};
  fmlp_error error = {""};
  if (fmlp_rolling_validate(&alone, &error) == FMLP_OK) return;
  const char *reason = strstr(error.text, "): "); /* what comes before names a node of this little plan */
  refuse(at, "operator '%s': %s", at->entry->op, reason ? reason + 3 : error.text);
}

static void add_entry(fmlp_feature_plan *plan, const fmlp_feature_entry *entry) {
  const entry_context at = {plan, entry};
  if (!entry->name) refuse(&at, "`name` is missing");
  if (!entry->op) refuse(&at, "`op` is missing");
  if (plan->status != FMLP_OK) return;
  int op = find_operator(entry->op);
  if (op < 0) {
    refuse_operator(&at);
    return;
  }
  int32_t operands = fmlp_operators[op].operands;
  fmlp_rolling_node node = {.op = (fmlp_operator)op, .a = -1, .b = -1, .output = -1};
  if (operands > 0) node.a = resolve(&at, "of", entry->of);
  if (operands > 1) node.b = resolve(&at, "with", entry->with);
  if (operands < 1 && entry->of) refuse(&at, "operator '%s' takes no `of`; remove it", entry->op);
  if (operands < 2 && entry->with) refuse(&at, "operator '%s' takes no `with`; remove it", entry->op);
  set_parameters(&at, &node);
  check_node(&at, node);
  if (plan->status != FMLP_OK) return;
  fmlp_operand operand = fmlp_plan_node(plan, node);
  fmlp_plan_name(plan, operand, !entry->intermediate, entry->name);
  if (plan->status != FMLP_OK && entry->where) {
    plan->status = fmlp_fail_prefix(plan->error, plan->status, "%s", entry->where);
  }
}

void fmlp_plan_user(fmlp_feature_plan *plan, const fmlp_features_settings *settings) {
  for (int32_t e = 0; e < settings->plan_count && plan->status == FMLP_OK; e++) {
    add_entry(plan, &settings->plan[e]);
  }
}
