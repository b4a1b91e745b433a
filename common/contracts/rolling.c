/* The operator table and what both twins and the plan compiler ask about a plan. */
#include "common/contracts/rolling.h"

#include <math.h>
#include <stddef.h>

#include "common/core/memory.h"

/* More weights than this are refused: the tail below 1e-7 of a memory of 16 million rows is nobody's feature.
 */
enum { FRACDIFF_LIMIT = 1 << 24 };

/* Larger windows could not be exact integers times one another in the constants of the tree. */
static const int64_t window_limit = (int64_t)1 << 40;

const fmlp_operator_info fmlp_operators[FMLP_OP_COUNT] = {
    [FMLP_OP_CONSTANT] = {"constant", FMLP_ROLLING_POINTWISE, 0, 0, "the parameter in every row"},
    [FMLP_OP_SHIFT] = {"shift", FMLP_ROLLING_POINTWISE, 1, 1, "x[i-k]"},
    [FMLP_OP_DIFF] = {"diff", FMLP_ROLLING_POINTWISE, 1, 1, "x - x[i-k]"},
    [FMLP_OP_PCT_CHANGE] = {"pct_change", FMLP_ROLLING_POINTWISE, 1, 1, "(x - x[i-k]) / x[i-k]"},
    [FMLP_OP_LOG_RETURN] = {"log_return", FMLP_ROLLING_POINTWISE, 1, 1, "ln(x / x[i-k])"},
    [FMLP_OP_ADD] = {"add", FMLP_ROLLING_POINTWISE, 2, 0, "a + b"},
    [FMLP_OP_SUB] = {"sub", FMLP_ROLLING_POINTWISE, 2, 0, "a - b"},
    [FMLP_OP_MUL] = {"mul", FMLP_ROLLING_POINTWISE, 2, 0, "a * b"},
    [FMLP_OP_DIV] = {"div", FMLP_ROLLING_POINTWISE, 2, 0, "a / b"},
    [FMLP_OP_RATIO] = {"ratio", FMLP_ROLLING_POINTWISE, 2, 0, "a / b - 1"},
    [FMLP_OP_ABS] = {"abs", FMLP_ROLLING_POINTWISE, 1, 0, "|x|"},
    [FMLP_OP_SIGN] = {"sign", FMLP_ROLLING_POINTWISE, 1, 0, "-1, 0 or +1"},
    [FMLP_OP_CROSS] = {"cross", FMLP_ROLLING_POINTWISE, 2, 0, "+1 where a > b, else -1"},
    [FMLP_OP_SUM] = {"sum", FMLP_ROLLING_MOMENTS, 1, 1, "sum over the window"},
    [FMLP_OP_MEAN] = {"mean", FMLP_ROLLING_MOMENTS, 1, 1, "mean over the window"},
    [FMLP_OP_STD] = {"std", FMLP_ROLLING_MOMENTS, 1, 2, "standard deviation, ddof 1"},
    [FMLP_OP_VAR] = {"var", FMLP_ROLLING_MOMENTS, 1, 2, "variance, ddof 1"},
    [FMLP_OP_ZSCORE] = {"zscore", FMLP_ROLLING_MOMENTS, 1, 2, "(x - mean) / std; NaN for a constant window"},
    [FMLP_OP_SKEW] = {"skew", FMLP_ROLLING_MOMENTS, 1, 3,
                      "bias-corrected skewness; NaN for a constant window"},
    [FMLP_OP_KURT] = {"kurt", FMLP_ROLLING_MOMENTS, 1, 4,
                      "bias-corrected excess kurtosis; NaN for a constant window"},
    [FMLP_OP_SLOPE] = {"slope", FMLP_ROLLING_MOMENTS, 1, 2, "least-squares slope against time, per row"},
    [FMLP_OP_R2] = {"r2", FMLP_ROLLING_MOMENTS, 1, 2,
                    "squared correlation with time; NaN for a constant window"},
    [FMLP_OP_MIN] = {"min", FMLP_ROLLING_EXTREMES, 1, 1, "smallest value of the window"},
    [FMLP_OP_MAX] = {"max", FMLP_ROLLING_EXTREMES, 1, 1, "largest value of the window"},
    [FMLP_OP_RANGE] = {"range", FMLP_ROLLING_EXTREMES, 1, 1, "max - min"},
    [FMLP_OP_ARGMIN] = {"argmin", FMLP_ROLLING_EXTREMES, 1, 1,
                        "rows since the smallest value, the newest on ties"},
    [FMLP_OP_ARGMAX] = {"argmax", FMLP_ROLLING_EXTREMES, 1, 1,
                        "rows since the largest value, the newest on ties"},
    [FMLP_OP_MEDIAN] = {"median", FMLP_ROLLING_ORDER, 1, 1, "median of the window"},
    [FMLP_OP_QUANTILE] = {"quantile", FMLP_ROLLING_ORDER, 1, 1,
                          "quantile q of the window, linear interpolation"},
    [FMLP_OP_RANK] = {"rank", FMLP_ROLLING_ORDER, 1, 1,
                      "average rank of the newest value / window, in (0, 1]"},
    [FMLP_OP_COV] = {"cov", FMLP_ROLLING_PAIRS, 2, 2, "covariance of a and b, ddof 1"},
    [FMLP_OP_CORR] = {"corr", FMLP_ROLLING_PAIRS, 2, 2,
                      "correlation of a and b; NaN where either is constant"},
    [FMLP_OP_BETA] = {"beta", FMLP_ROLLING_PAIRS, 2, 2, "slope of the regression of a on b"},
    [FMLP_OP_AUTOCORR] = {"autocorr", FMLP_ROLLING_PAIRS, 1, 2,
                          "correlation of the window with itself `lag` rows earlier"},
    [FMLP_OP_EMA] = {"ema", FMLP_ROLLING_RECURSIVE, 1, 0, "exponential moving average, adjust=false"},
    [FMLP_OP_EWM_STD] = {"ewm_std", FMLP_ROLLING_RECURSIVE, 1, 0,
                         "exponentially weighted standard deviation, adjust=false, unbiased"},
    [FMLP_OP_FRACDIFF] = {"fracdiff", FMLP_ROLLING_FRACDIFF, 1, 0,
                          "fractional difference of order d, fixed-width window"},
};

const char *const fmlp_rolling_family_names[FMLP_ROLLING_FAMILIES] = {
    [FMLP_ROLLING_POINTWISE] = "pointwise", [FMLP_ROLLING_MOMENTS] = "moments",
    [FMLP_ROLLING_PAIRS] = "pairs",         [FMLP_ROLLING_EXTREMES] = "extremes",
    [FMLP_ROLLING_ORDER] = "order",         [FMLP_ROLLING_FRACDIFF] = "fracdiff",
    [FMLP_ROLLING_RECURSIVE] = "recursive",
};

static int is_number(double value) {
  return value - value == 0.0; /* neither NaN nor infinite */
}

static fmlp_status bad_node(fmlp_error *error, int32_t index, const fmlp_rolling_node *node,
                            const char *why) {
  const char *name = node->op >= 0 && node->op < FMLP_OP_COUNT ? fmlp_operators[node->op].name : "?";
  return fmlp_fail(error, FMLP_ERR_USAGE, "feature plan, node %d (%s): %s", (int)index, name, why);
}

static fmlp_status validate_parameters(const fmlp_rolling_node *node, int32_t index, fmlp_error *error) {
  switch (node->op) {
  case FMLP_OP_CONSTANT:
    if (!is_number(node->parameter))
      return bad_node(error, index, node, "the constant must be a finite number");
    break;
  case FMLP_OP_QUANTILE:
    if (!(node->parameter >= 0 && node->parameter <= 1)) {
      return bad_node(error, index, node, "q must lie in [0, 1]");
    }
    break;
  case FMLP_OP_EMA:
  case FMLP_OP_EWM_STD:
    if (!(node->parameter > 0 && node->parameter <= 1)) {
      return bad_node(error, index, node, "alpha must lie in (0, 1]; span s means 2/(s+1)");
    }
    break;
  case FMLP_OP_FRACDIFF:
    if (!(node->parameter >= 0 && is_number(node->parameter))) {
      return bad_node(error, index, node, "d must be a number >= 0");
    }
    if (!(node->threshold > 0 && is_number(node->threshold))) {
      return bad_node(error, index, node, "threshold must be a number > 0");
    }
    if (fmlp_fracdiff_length(node->parameter, node->threshold, FRACDIFF_LIMIT + 1) > FRACDIFF_LIMIT) {
      return bad_node(error, index, node, "more than 16777216 weights; raise the threshold");
    }
    break;
  case FMLP_OP_AUTOCORR:
    if (node->lag < 1 || node->lag > window_limit)
      return bad_node(error, index, node, "lag must lie in [1, 1099511627776]");
    break;
  default:
    break;
  }
  return FMLP_OK;
}

static fmlp_status validate_node(const fmlp_rolling_plan *plan, int32_t index, fmlp_error *error) {
  const fmlp_rolling_node *node = &plan->nodes[index];
  if (node->op < 0 || node->op >= FMLP_OP_COUNT) return bad_node(error, index, node, "no such operator");
  const fmlp_operator_info *info = &fmlp_operators[node->op];
  const int32_t operand[2] = {node->a, node->b};
  for (int32_t i = 0; i < 2; i++) {
    if (i >= info->operands) {
      if (operand[i] != -1) return bad_node(error, index, node, "takes fewer operands");
    } else if (operand[i] < 0 || operand[i] >= plan->input_count + index) {
      return bad_node(error, index, node, "its operand is neither an input nor an earlier node");
    }
  }
  if (info->min_window > 0 && node->window > window_limit) {
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "feature plan, node %d (%s): window %lld; it must be at most %lld", (int)index,
                     info->name, (long long)node->window, (long long)window_limit);
  }
  if (info->min_window > 0 && node->window < info->min_window) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "feature plan, node %d (%s): window %lld; it must be at least %d",
                     (int)index, info->name, (long long)node->window, (int)info->min_window);
  }
  if (node->output < -1 || node->output >= plan->output_count) {
    return bad_node(error, index, node, "no such output column");
  }
  return validate_parameters(node, index, error);
}

fmlp_status fmlp_rolling_validate(const fmlp_rolling_plan *plan, fmlp_error *error) {
  if (plan->input_count < 0 || plan->node_count < 0 || plan->output_count < 0 ||
      plan->input_count > INT32_MAX - plan->node_count) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "feature plan: impossible number of columns");
  }
  for (int32_t index = 0; index < plan->node_count; index++) FMLP_TRY(validate_node(plan, index, error));
  for (int32_t output = 0; output < plan->output_count; output++) {
    int32_t writers = 0;
    for (int32_t index = 0; index < plan->node_count; index++) writers += plan->nodes[index].output == output;
    if (writers != 1) {
      return fmlp_fail(error, FMLP_ERR_USAGE, "feature plan: output %d is written by %d nodes instead of one",
                       (int)output, (int)writers);
    }
  }
  return FMLP_OK;
}

fmlp_rolling_family fmlp_rolling_family_of(const fmlp_rolling_node *node) {
  return fmlp_operators[node->op].family;
}

int64_t fmlp_rolling_lag(const fmlp_rolling_node *node) {
  return node->op == FMLP_OP_AUTOCORR ? node->lag : 0;
}

static bool finds_rows(fmlp_operator op) {
  return op == FMLP_OP_ARGMIN || op == FMLP_OP_ARGMAX;
}

bool fmlp_rolling_shares(const fmlp_rolling_node *one, const fmlp_rolling_node *other) {
  const fmlp_rolling_family family = fmlp_rolling_family_of(one);
  if (family != fmlp_rolling_family_of(other) || one->a != other->a || one->b != other->b) return false;
  switch (family) {
  case FMLP_ROLLING_MOMENTS:
    return true;
  case FMLP_ROLLING_PAIRS:
    return fmlp_rolling_lag(one) == fmlp_rolling_lag(other);
  case FMLP_ROLLING_EXTREMES:
    return finds_rows(one->op) == finds_rows(other->op);
  case FMLP_ROLLING_ORDER:
    return one->window == other->window;
  default:
    return false;
  }
}

int64_t fmlp_rolling_lookback(const fmlp_rolling_node *node) {
  switch (node->op) {
  case FMLP_OP_SHIFT:
  case FMLP_OP_DIFF:
  case FMLP_OP_PCT_CHANGE:
  case FMLP_OP_LOG_RETURN:
    return node->window;
  case FMLP_OP_AUTOCORR:
    return node->window - 1 + node->lag;
  case FMLP_OP_EWM_STD:
    return 1;
  case FMLP_OP_FRACDIFF:
    return fmlp_fracdiff_length(node->parameter, node->threshold, FRACDIFF_LIMIT) - 1;
  default:
    return fmlp_operators[node->op].min_window > 0 ? node->window - 1 : 0;
  }
}

void fmlp_rolling_warm_ups(const fmlp_rolling_plan *plan, int64_t *rows) {
  for (int32_t index = 0; index < plan->node_count; index++) {
    const fmlp_rolling_node *node = &plan->nodes[index];
    const int32_t operand[2] = {node->a, node->b};
    int64_t deepest = 0;
    for (int i = 0; i < fmlp_operators[node->op].operands; i++) {
      int32_t source = operand[i] - plan->input_count;
      if (source >= 0 && rows[source] > deepest) deepest = rows[source];
    }
    int64_t own = fmlp_rolling_lookback(node);
    rows[index] = deepest > INT64_MAX - own ? INT64_MAX : deepest + own;
  }
}

int64_t fmlp_rolling_warm_up(const fmlp_rolling_plan *plan, int32_t node) {
  int64_t *rows = NULL;
  fmlp_rolling_plan head = {.input_count = plan->input_count, .node_count = node + 1, .nodes = plan->nodes};
  if (fmlp_alloc(&rows, head.node_count, sizeof *rows, "warm-up", NULL) != FMLP_OK) return INT64_MAX;
  fmlp_rolling_warm_ups(&head, rows);
  int64_t result = rows[node];
  fmlp_free(rows);
  return result;
}

double fmlp_fracdiff_weight(double previous, double d, int64_t k) {
  return (-previous * ((d - (double)k) + 1.0)) / (double)k;
}

void fmlp_fracdiff_weights(double d, int64_t count, double *weights) {
  weights[0] = 1.0;
  for (int64_t k = 1; k < count; k++) weights[k] = fmlp_fracdiff_weight(weights[k - 1], d, k);
}

int64_t fmlp_fracdiff_length(double d, double threshold, int64_t limit) {
  int64_t length = 1;
  double weight = 1.0;
  while (length < limit) {
    weight = fmlp_fracdiff_weight(weight, d, length);
    if (!(fabs(weight) >= threshold)) break;
    length++;
  }
  return length;
}
