/* Rolling operators: the plan both twins execute, and the arithmetic they must follow bit for bit.
 *
 * A plan is a list of nodes in evaluation order. A node reads input columns or earlier nodes and gives one
 * column of the same length. All columns are canonical doubles (core/bits.h) of `rows` elements. Windows
 * cross sessions. The order of arithmetic stands in docs/numerics.md and at the top of cpu/rolling.c, which
 * is the reference. */
#ifndef FMLP_COMMON_CONTRACTS_ROLLING_H
#define FMLP_COMMON_CONTRACTS_ROLLING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* xk = x[i-k]; w = window. Names in configuration files are the lower-case words. */
typedef enum fmlp_operator {
  FMLP_OP_CONSTANT, /* the parameter in every row; no operand */
  FMLP_OP_SHIFT,
  FMLP_OP_DIFF,
  FMLP_OP_PCT_CHANGE,
  FMLP_OP_LOG_RETURN,
  FMLP_OP_ADD,
  FMLP_OP_SUB,
  FMLP_OP_MUL,
  FMLP_OP_DIV,
  FMLP_OP_RATIO, /* a/b - 1 */
  FMLP_OP_ABS,
  FMLP_OP_SIGN,
  FMLP_OP_CROSS, /* +1 where a > b, else -1; NaN where either is NaN */
  FMLP_OP_SUM,
  FMLP_OP_MEAN,
  FMLP_OP_STD,
  FMLP_OP_VAR,
  FMLP_OP_ZSCORE,
  FMLP_OP_SKEW,
  FMLP_OP_KURT,
  FMLP_OP_SLOPE,
  FMLP_OP_R2,
  FMLP_OP_MIN,
  FMLP_OP_MAX,
  FMLP_OP_RANGE,
  FMLP_OP_ARGMIN,
  FMLP_OP_ARGMAX,
  FMLP_OP_MEDIAN,
  FMLP_OP_QUANTILE, /* parameter = q in [0, 1] */
  FMLP_OP_RANK,
  FMLP_OP_COV, /* of a and b */
  FMLP_OP_CORR,
  FMLP_OP_BETA,     /* a is y, b is x */
  FMLP_OP_AUTOCORR, /* lag */
  FMLP_OP_EMA,      /* parameter = alpha in (0, 1]; span s means alpha = 2/(s+1), computed once on the host */
  FMLP_OP_EWM_STD,  /* likewise */
  FMLP_OP_FRACDIFF, /* parameter = d, threshold */
  FMLP_OP_COUNT
} fmlp_operator;

/* Operators that are computed alike: a twin runs nodes of one family together, see fmlp_rolling_shares. */
typedef enum fmlp_rolling_family {
  FMLP_ROLLING_POINTWISE, /* of one row, or of one and one before it */
  FMLP_ROLLING_MOMENTS,
  FMLP_ROLLING_PAIRS,
  FMLP_ROLLING_EXTREMES,
  FMLP_ROLLING_ORDER,
  FMLP_ROLLING_FRACDIFF,
  FMLP_ROLLING_RECURSIVE, /* ema, ewm_std: over whole columns */
  FMLP_ROLLING_FAMILIES
} fmlp_rolling_family;

extern const char *const fmlp_rolling_family_names[FMLP_ROLLING_FAMILIES];

/* A row of the operator table: what the plan compiler and the documentation need to know. */
typedef struct fmlp_operator_info {
  const char *name;
  fmlp_rolling_family family;
  int32_t operands;    /* 0, 1 or 2 */
  int32_t min_window;  /* smallest window that gives a number; 0 where the operator takes no window */
  const char *summary; /* one line for --help and the documentation */
} fmlp_operator_info;

extern const fmlp_operator_info fmlp_operators[FMLP_OP_COUNT];

/* A node. Operands: 0 .. input_count-1 name inputs, input_count + n names node n, which must be an earlier
 * one. */
typedef struct fmlp_rolling_node {
  fmlp_operator op;
  int32_t a;        /* first operand, -1 for none */
  int32_t b;        /* second operand, -1 for none */
  int64_t window;   /* w, or k for shift/diff/pct_change/log_return */
  int64_t lag;      /* autocorr only, >= 1 */
  double parameter; /* q, alpha, d, or the constant */
  double threshold; /* fracdiff only, > 0 */
  int32_t output;   /* output column it is stored to, -1 for an intermediate */
} fmlp_rolling_node;

typedef struct fmlp_rolling_plan {
  int32_t input_count;
  int32_t node_count;
  int32_t output_count;
  const fmlp_rolling_node *nodes; /* [node_count], borrowed */
} fmlp_rolling_plan;

/* Checks operands, windows and parameters; FMLP_ERR_USAGE naming the node's index and the reason. Every
 * backend may assume a plan that passed. */
FMLP_WARN_UNUSED fmlp_status fmlp_rolling_validate(const fmlp_rolling_plan *plan, fmlp_error *error);

fmlp_rolling_family fmlp_rolling_family_of(const fmlp_rolling_node *node);

/* The lag of autocorr, 0 for the others. */
int64_t fmlp_rolling_lag(const fmlp_rolling_node *node);

/* Whether two nodes of the same operands belong in one step of a schedule: they share what is costly, the
 * levels of a tree or a window in order. */
bool fmlp_rolling_shares(const fmlp_rolling_node *one, const fmlp_rolling_node *other);

/* Rows before the current one that a validated node reads of its operands; for ewm_std the one row it needs
 * to have seen. */
int64_t fmlp_rolling_lookback(const fmlp_rolling_node *node);

/* Leading rows of node `node` that are NaN by construction, given columns without NaN: the sum along its
 * operands. Saturates at INT64_MAX. */
int64_t fmlp_rolling_warm_up(const fmlp_rolling_plan *plan, int32_t node);

/* The same for every node: rows[node_count]. */
void fmlp_rolling_warm_ups(const fmlp_rolling_plan *plan, int64_t *rows);

/* w_k from w_(k-1), k >= 1: (-w_(k-1) * ((d - k) + 1)) / k. w_0 = 1. */
double fmlp_fracdiff_weight(double previous, double d, int64_t k);

/* The first `count` of them, at least one. */
void fmlp_fracdiff_weights(double d, int64_t count, double *weights);

/* Number of fracdiff weights for (d, threshold), at least 1, at most `limit`. */
int64_t fmlp_fracdiff_length(double d, double threshold, int64_t limit);

#ifdef __cplusplus
}
#endif
#endif
