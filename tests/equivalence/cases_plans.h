/* Plans of many nodes: chains, operators that share an operand, groups larger than one launch takes, outputs
 * that are operands, and plans drawn at random. They are built by functions, over `inputs` columns that the
 * caller fills. */
#ifndef FMLP_TESTS_EQUIVALENCE_CASES_PLANS_H
#define FMLP_TESTS_EQUIVALENCE_CASES_PLANS_H

#include <stdbool.h>

#include "tests/equivalence/cases_rolling.h"

enum { PLAN_NODES = 400, PLAN_INPUTS = 20 };

typedef struct plan_builder {
  int32_t inputs, nodes, outputs;
  fmlp_rolling_node node[PLAN_NODES];
} plan_builder;

/* Adds a node and gives the operand that names it. */
static inline int32_t plan_put(plan_builder *p, bool output, fmlp_rolling_node node) {
  const int32_t operands = fmlp_operators[node.op].operands;
  if (operands < 1) node.a = -1;
  if (operands < 2) node.b = -1;
  node.output = output ? p->outputs++ : -1;
  p->node[p->nodes] = node;
  return p->inputs + p->nodes++;
}

static inline int32_t plan_window(plan_builder *p, bool output, fmlp_operator op, int32_t a, int64_t window) {
  return plan_put(p, output, (fmlp_rolling_node){.op = op, .a = a, .window = window});
}

static inline int32_t plan_pair(plan_builder *p, bool output, fmlp_operator op, int32_t a, int32_t b,
                                int64_t window) {
  return plan_put(p, output, (fmlp_rolling_node){.op = op, .a = a, .b = b, .window = window});
}

static inline int32_t plan_parameter(plan_builder *p, bool output, fmlp_operator op, int32_t a,
                                     double parameter, double threshold) {
  return plan_put(p, output,
                  (fmlp_rolling_node){.op = op, .a = a, .parameter = parameter, .threshold = threshold});
}

static inline void plan_returns(plan_builder *p) {
  const int32_t returns = plan_window(p, true, FMLP_OP_LOG_RETURN, 0, 1);
  const int32_t volatility = plan_window(p, true, FMLP_OP_STD, returns, 20);
  plan_window(p, true, FMLP_OP_ZSCORE, volatility, 50);
}

static inline void plan_one_output(plan_builder *p) {
  int32_t last = plan_window(p, false, FMLP_OP_SHIFT, 0, 3);
  last = plan_window(p, false, FMLP_OP_DIFF, last, 2);
  last = plan_window(p, false, FMLP_OP_MEAN, last, 10);
  last = plan_window(p, false, FMLP_OP_STD, last, 33);
  plan_window(p, true, FMLP_OP_RANK, last, 20);
}

/* Of two readers of an intermediate the later makes one too. */
static inline void plan_two_readers(plan_builder *p) {
  const int32_t read = plan_window(p, false, FMLP_OP_MEAN, 0, 7);
  plan_window(p, true, FMLP_OP_MAX, read, 40);
  const int32_t made = plan_window(p, false, FMLP_OP_MEDIAN, read, 30);
  plan_window(p, true, FMLP_OP_STD, made, 11);
}

static inline void plan_moments(plan_builder *p) {
  static const int64_t windows[] = {500, 2, 3, 7, 20, 50, 64, 100, 127};
  for (int op = FMLP_OP_SUM; op <= FMLP_OP_R2; op++) {
    for (int w = 0; w < 9; w++) {
      if (windows[w] >= fmlp_operators[op].min_window) plan_window(p, true, (fmlp_operator)op, 0, windows[w]);
    }
  }
}

static inline void plan_extremes(plan_builder *p) {
  static const int64_t windows[] = {1, 255, 2, 8, 9, 31, 33, 100, 700};
  for (int w = 0; w < 9; w++) {
    for (int op = FMLP_OP_MIN; op <= FMLP_OP_ARGMAX; op++)
      plan_window(p, true, (fmlp_operator)op, 0, windows[w]);
  }
}

/* 300 targets over one operand. */
static inline void plan_many_targets(plan_builder *p) {
  for (int64_t w = 2; w <= 151; w++) {
    plan_window(p, true, FMLP_OP_STD, 0, w);
    plan_window(p, true, FMLP_OP_MEAN, 0, 153 - w);
  }
}

static inline void plan_order(plan_builder *p) {
  static const int64_t windows[] = {3, 20, 100};
  for (int w = 0; w < 3; w++) {
    plan_window(p, true, FMLP_OP_MEDIAN, 0, windows[w]);
    plan_window(p, true, FMLP_OP_RANK, 0, windows[w]);
    for (int q = 0; q <= 4; q++) {
      plan_put(p, true,
               (fmlp_rolling_node){
                   .op = FMLP_OP_QUANTILE, .a = 0, .window = windows[w], .parameter = (double)q * 0.25});
    }
  }
}

/* Values of either sign whose differences overflow, beside each other at a whole place of the sorted window.
 */
static inline void plan_order_of_vast(plan_builder *p) {
  const int32_t most = plan_parameter(p, false, FMLP_OP_CONSTANT, -1, 1.5e308, 0);
  const int32_t change = plan_window(p, false, FMLP_OP_DIFF, 1, 1);
  const int32_t sign = plan_window(p, false, FMLP_OP_SIGN, change, 0);
  const int32_t vast = plan_pair(p, true, FMLP_OP_MUL, sign, most, 0);
  plan_window(p, true, FMLP_OP_MEDIAN, vast, 3);
  plan_window(p, true, FMLP_OP_MEDIAN, vast, 33);
  plan_window(p, true, FMLP_OP_MEDIAN, vast, 66);
  plan_window(p, true, FMLP_OP_RANK, vast, 66);
}

static inline void plan_pairs(plan_builder *p) {
  static const int64_t windows[] = {2, 20, 65};
  for (int w = 0; w < 3; w++) {
    for (int op = FMLP_OP_COV; op <= FMLP_OP_BETA; op++) {
      plan_pair(p, true, (fmlp_operator)op, 0, 1, windows[w]);
      plan_pair(p, true, (fmlp_operator)op, 1, 0, windows[w]);
      plan_pair(p, true, (fmlp_operator)op, 0, 0, windows[w]);
    }
    static const int64_t lags[] = {1, 7, 64};
    for (int l = 0; l < 3; l++) {
      plan_put(p, true,
               (fmlp_rolling_node){.op = FMLP_OP_AUTOCORR, .a = 0, .window = windows[w], .lag = lags[l]});
    }
  }
}

static inline void plan_outputs_as_operands(plan_builder *p) {
  const int32_t mean = plan_window(p, true, FMLP_OP_MEAN, 0, 10);
  const int32_t gap = plan_pair(p, true, FMLP_OP_SUB, 0, mean, 0);
  const int32_t wide = plan_window(p, true, FMLP_OP_MAX, gap, 30);
  plan_pair(p, true, FMLP_OP_DIV, gap, wide, 0);
  plan_pair(p, true, FMLP_OP_CORR, gap, mean, 25);
  plan_pair(p, true, FMLP_OP_ADD, wide, wide, 0);
  plan_window(p, true, FMLP_OP_MEAN, 0, 10); /* the same again */
}

static inline void plan_recursive(plan_builder *p) {
  const int32_t slow = plan_parameter(p, true, FMLP_OP_EMA, 0, 0.01, 0);
  const int32_t fast = plan_parameter(p, true, FMLP_OP_EMA, 0, 0.5, 0);
  const int32_t gap = plan_pair(p, false, FMLP_OP_SUB, fast, slow, 0);
  const int32_t mean = plan_window(p, true, FMLP_OP_MEAN, gap, 20);
  const int32_t again = plan_parameter(p, true, FMLP_OP_EMA, mean, 0.1, 0);
  plan_parameter(p, true, FMLP_OP_EWM_STD, again, 0.05, 0);
  plan_parameter(p, true, FMLP_OP_EWM_STD, 0, 0.05, 0);
}

static inline void plan_fracdiff(plan_builder *p) {
  const int32_t stationary = plan_parameter(p, true, FMLP_OP_FRACDIFF, 0, 0.4, 1e-2);
  const int32_t smooth = plan_parameter(p, false, FMLP_OP_EMA, stationary, 0.2, 0);
  plan_parameter(p, true, FMLP_OP_FRACDIFF, smooth, 0.7, 1e-3);
  plan_window(p, true, FMLP_OP_ZSCORE, stationary, 40);
}

static inline void plan_constants(plan_builder *p) {
  const int32_t two = plan_parameter(p, false, FMLP_OP_CONSTANT, -1, 2.0, 0);
  const int32_t zero = plan_parameter(p, true, FMLP_OP_CONSTANT, -1, -0.0, 0);
  plan_pair(p, true, FMLP_OP_DIV, 0, zero, 0);
  const int32_t twice = plan_pair(p, true, FMLP_OP_MUL, 0, two, 0);
  plan_window(p, true, FMLP_OP_STD, two, 5);
  plan_pair(p, true, FMLP_OP_CROSS, twice, two, 0);
  plan_pair(p, true, FMLP_OP_CORR, two, twice, 9);
}

/* A halo of 1996 rows in front of every chunk. */
static inline void plan_deep(plan_builder *p) {
  int32_t last = plan_window(p, false, FMLP_OP_MEAN, 0, 500);
  last = plan_window(p, false, FMLP_OP_MEAN, last, 500);
  last = plan_window(p, true, FMLP_OP_MIN, last, 500);
  plan_window(p, true, FMLP_OP_STD, last, 500);
}

/* Every row of the operators' table. */
static inline void plan_everything(plan_builder *p) {
  for (int i = 0; i < FMLP_CASE_OPERATORS; i++) {
    fmlp_rolling_node node = fmlp_case_node(&fmlp_case_operators[i]);
    plan_put(p, true, node);
  }
}

/* Nothing is stored: nothing need be done. */
static inline void plan_no_output(plan_builder *p) {
  plan_window(p, false, FMLP_OP_MEAN, 0, 10);
}

static inline void plan_no_node(plan_builder *p) {
  (void)p;
}

typedef struct plan_case {
  const char *family; /* "plans" where several meet */
  const char *name;
  int32_t inputs;
  void (*build)(plan_builder *p);
} plan_case;

static const plan_case plan_cases[] = {{"plans", "returns, their volatility, its zscore", 1, plan_returns},
                                       {"plans", "a chain with one output", 1, plan_one_output},
                                       {"moments", "all moments of one column", 1, plan_moments},
                                       {"extremes", "all extremes of one column", 1, plan_extremes},
                                       {"moments", "300 targets", 1, plan_many_targets},
                                       {"order", "order statistics of one column", 1, plan_order},
                                       {"pairs", "pairs", 2, plan_pairs},
                                       {"plans", "outputs as operands", 1, plan_outputs_as_operands},
                                       {"recursive", "ema of ema", 1, plan_recursive},
                                       {"fracdiff", "fracdiff of ema of fracdiff", 1, plan_fracdiff},
                                       {"plans", "constants", 1, plan_constants},
                                       {"plans", "a deep halo", 1, plan_deep},
                                       {"plans", "every operator", 2, plan_everything},
                                       {"plans", "no output", 1, plan_no_output},
                                       {"plans", "no node", 1, plan_no_node},
                                       {"order", "order statistics of vast values", 2, plan_order_of_vast}};
enum { PLAN_CASES = sizeof plan_cases / sizeof *plan_cases };

/* A plan that depends on `seed` alone: 1 to 24 nodes over 1 to 3 inputs, operands mostly recent ones. */
static inline void plan_draw(plan_builder *p, uint64_t seed) {
  fmlp_case_random random = {seed * 0xbf58476d1ce4e5b9ULL + 1};
  for (int i = 0; i < 8; i++) (void)fmlp_case_bits(&random);
  *p = (plan_builder){.inputs = 1 + (int32_t)(fmlp_case_bits(&random) % 3)};
  const int32_t nodes = 1 + (int32_t)(fmlp_case_bits(&random) % 24);
  for (int32_t n = 0; n < nodes; n++) {
    const fmlp_case_operator *like = &fmlp_case_operators[fmlp_case_bits(&random) % FMLP_CASE_OPERATORS];
    fmlp_rolling_node node = fmlp_case_node(like);
    const int32_t known = p->inputs + p->nodes;
    const int32_t recent = known < 5 ? known : 5;
    node.a = fmlp_case_bits(&random) % 4
                 ? (int32_t)(known - 1 - (int32_t)(fmlp_case_bits(&random) % (uint64_t)recent))
                 : (int32_t)(fmlp_case_bits(&random) % (uint64_t)known);
    node.b = (int32_t)(fmlp_case_bits(&random) % (uint64_t)known);
    if (node.window > 1 && fmlp_case_bits(&random) % 2) {
      const int64_t least = fmlp_operators[node.op].min_window;
      node.window = least + (int64_t)(fmlp_case_bits(&random) % 70);
      if (node.window == 0) node.window = 1;
    }
    if (node.window > 800) node.window = 800;
    plan_put(p, n == nodes - 1 || fmlp_case_bits(&random) % 3 == 0, node);
  }
}

#endif
