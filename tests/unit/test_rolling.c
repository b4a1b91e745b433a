/* Rolling plans: what is refused, warm-up, and equal bits whatever the blocks, threads and neighbours. */
#include "tests/cmocka_fmlp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "cpu/cpu.h"
#include "cpu/rolling_plan.h"
#include "tests/equivalence/cases_rolling.h"

enum { GUARD = 8 };
#define CANARY 0xdeadbeefcafef00dULL

/* A column with canaries on both ends, poisoned in between. */
typedef struct guarded {
  double *memory, *values;
  int64_t rows;
} guarded;

static guarded guarded_new(int64_t rows) {
  guarded g = {.rows = rows};
  g.memory = malloc((size_t)(rows + 2 * GUARD) * sizeof(double));
  assert_non_null(g.memory);
  for (int64_t i = 0; i < rows + 2 * GUARD; i++) g.memory[i] = fmlp_from_bits(CANARY);
  g.values = g.memory + GUARD;
  return g;
}

static void guarded_check_and_free(guarded *g) {
  for (int i = 0; i < GUARD; i++) {
    assert_true(fmlp_bits_of(g->memory[i]) == CANARY);
    assert_true(fmlp_bits_of(g->values[g->rows + i]) == CANARY);
  }
  for (int64_t i = 0; i < g->rows; i++) {
    assert_true(fmlp_bits_of(g->values[i]) == fmlp_bits_of(fmlp_canonical(g->values[i])));
  }
  free(g->memory);
}

static void assert_same(const char *what, const fmlp_rolling_node *node, const double *got,
                        const double *want, int64_t rows) {
  for (int64_t i = 0; i < rows; i++) {
    if (fmlp_bits_of(got[i]) == fmlp_bits_of(want[i])) continue;
    fail_msg("%s: %s window %lld lag %lld parameter %a, row %lld of %lld: %a is not %a", what,
             fmlp_operators[node->op].name, (long long)node->window, (long long)node->lag, node->parameter,
             (long long)i, (long long)rows, got[i], want[i]);
  }
}

static void execute(const fmlp_rolling_plan *plan, int64_t rows, const double *const *inputs,
                    double *const *outputs) {
  fmlp_error error = {""};
  if (fmlp_rolling_validate(plan, &error) != FMLP_OK) fail_msg("%s", error.text);
  if (fmlp_cpu_rolling(plan, rows, inputs, outputs, &error) != FMLP_OK) fail_msg("%s", error.text);
}

/* ---- the contract ----------------------------------------------------------------------------------------
 */

static void the_operator_table_is_complete(void **state) {
  (void)state;
  for (int op = 0; op < FMLP_OP_COUNT; op++) {
    assert_non_null(fmlp_operators[op].name);
    assert_non_null(fmlp_operators[op].summary);
    for (int other = 0; other < op; other++) {
      assert_string_not_equal(fmlp_operators[op].name, fmlp_operators[other].name);
    }
  }
}

static void refused(fmlp_rolling_node node, int32_t outputs, const char *part) {
  fmlp_rolling_node nodes[2] = {{.op = FMLP_OP_ABS, .a = 0, .b = -1, .output = -1}, node};
  fmlp_rolling_plan plan = {.input_count = 1, .node_count = 2, .output_count = outputs, .nodes = nodes};
  fmlp_error error = {""};
  assert_int_equal(fmlp_rolling_validate(&plan, &error), FMLP_ERR_USAGE);
  if (!strstr(error.text, part)) fail_msg("\"%s\" does not say \"%s\"", error.text, part);
}

static void impossible_nodes_are_refused_with_the_reason(void **state) {
  (void)state;
  refused((fmlp_rolling_node){.op = FMLP_OP_MEAN, .a = 0, .b = -1, .window = 0, .output = 0}, 1, "window 0");
  refused((fmlp_rolling_node){.op = FMLP_OP_STD, .a = 0, .b = -1, .window = 1, .output = 0}, 1, "at least 2");
  refused((fmlp_rolling_node){.op = FMLP_OP_KURT, .a = 0, .b = -1, .window = 3, .output = 0}, 1,
          "at least 4");
  refused((fmlp_rolling_node){.op = FMLP_OP_SHIFT, .a = 0, .b = -1, .window = -1, .output = 0}, 1,
          "window -1");
  refused((fmlp_rolling_node){.op = FMLP_OP_SHIFT, .a = 0, .b = -1, .window = INT64_MAX, .output = 0}, 1,
          "at most 1099511627776");
  refused((fmlp_rolling_node){.op = FMLP_OP_ABS, .a = 2, .b = -1, .output = 0}, 1, "operand"); /* itself */
  refused((fmlp_rolling_node){.op = FMLP_OP_ADD, .a = 0, .b = -1, .output = 0}, 1, "operand");
  refused((fmlp_rolling_node){.op = FMLP_OP_ABS, .a = 0, .b = 1, .output = 0}, 1, "fewer operands");
  refused(
      (fmlp_rolling_node){
          .op = FMLP_OP_QUANTILE, .a = 0, .b = -1, .window = 3, .parameter = 1.5, .output = 0},
      1, "[0, 1]");
  refused(
      (fmlp_rolling_node){
          .op = FMLP_OP_QUANTILE, .a = 0, .b = -1, .window = 3, .parameter = NAN, .output = 0},
      1, "[0, 1]");
  refused((fmlp_rolling_node){.op = FMLP_OP_EMA, .a = 0, .b = -1, .parameter = 0, .output = 0}, 1, "alpha");
  refused((fmlp_rolling_node){.op = FMLP_OP_EWM_STD, .a = 0, .b = -1, .parameter = 1.01, .output = 0}, 1,
          "alpha");
  refused((fmlp_rolling_node){.op = FMLP_OP_FRACDIFF, .a = 0, .b = -1, .parameter = 0.5, .output = 0}, 1,
          "threshold");
  refused(
      (fmlp_rolling_node){
          .op = FMLP_OP_FRACDIFF, .a = 0, .b = -1, .parameter = -1, .threshold = 1, .output = 0},
      1, "d must");
  refused(
      (fmlp_rolling_node){
          .op = FMLP_OP_FRACDIFF, .a = 0, .b = -1, .parameter = 1e-3, .threshold = 1e-12, .output = 0},
      1, "16777216");
  refused((fmlp_rolling_node){.op = FMLP_OP_AUTOCORR, .a = 0, .b = -1, .window = 5, .lag = 0, .output = 0}, 1,
          "lag");
  refused((fmlp_rolling_node){.op = FMLP_OP_CONSTANT, .a = -1, .b = -1, .parameter = INFINITY, .output = 0},
          1, "finite");
  refused((fmlp_rolling_node){.op = FMLP_OP_ABS, .a = 0, .b = -1, .output = 1}, 1, "output");
  refused((fmlp_rolling_node){.op = FMLP_OP_ABS, .a = 0, .b = -1, .output = 0}, 2, "output 1");
  refused((fmlp_rolling_node){.op = FMLP_OP_COUNT, .a = 0, .b = -1, .output = 0}, 1, "no such operator");
}

static void fracdiff_has_its_published_weights(void **state) {
  (void)state;
  /* d = 0.4: 1, -0.4, -0.12, -0.064, -0.0416, ... (Advances in Financial Machine Learning, chapter 5) */
  const double known[] = {-0.4, -0.12, -0.064, -0.0416, -0.029952};
  double weight = 1;
  for (int k = 1; k <= 5; k++) {
    weight = fmlp_fracdiff_weight(weight, 0.4, k);
    assert_true(fabs(weight - known[k - 1]) < 1e-15);
  }
  assert_int_equal(fmlp_fracdiff_length(0.4, 0.05, 1000), 4);
  assert_int_equal(fmlp_fracdiff_length(1.0, 1e-9, 1000), 2); /* the plain difference */
  assert_int_equal(fmlp_fracdiff_length(0.0, 1e-9, 1000), 1);
  assert_int_equal(fmlp_fracdiff_length(0.4, 2.0, 1000), 1);
  assert_int_equal(fmlp_fracdiff_length(0.1, 1e-300, 1000), 1000);
}

static void warm_up_is_the_number_of_leading_nan(void **state) {
  (void)state;
  enum { ROWS = 6000 };
  static double a[ROWS], b[ROWS], out[ROWS];
  fmlp_case_fill(FMLP_DATA_NOISE, ROWS, FMLP_CASE_SEED, a);
  fmlp_case_fill(FMLP_DATA_NOISE, ROWS, 4711, b);
  for (int c = 0; c < FMLP_CASE_OPERATORS; c++) {
    if (fmlp_case_operators[c].parameter == 1 && fmlp_case_operators[c].op == FMLP_OP_EMA) continue;
    fmlp_rolling_node nodes[2] = {{.op = FMLP_OP_MEAN, .a = 0, .b = -1, .window = 3, .output = -1},
                                  fmlp_case_node(&fmlp_case_operators[c])};
    for (int derived = 0; derived < 2; derived++) {
      if (derived && nodes[1].a == 0) nodes[1].a = 2;
      fmlp_rolling_plan plan = {.input_count = 2, .node_count = 2, .output_count = 1, .nodes = nodes};
      const double *inputs[2] = {a, b};
      double *outputs[1] = {out};
      execute(&plan, ROWS, inputs, outputs);
      int64_t leading = 0;
      while (leading < ROWS && out[leading] != out[leading]) leading++;
      int64_t warm_up = fmlp_rolling_warm_up(&plan, 1);
      if (leading != warm_up) {
        fail_msg("%s: warm-up %lld, but %lld leading NaN", fmlp_operators[nodes[1].op].name,
                 (long long)warm_up, (long long)leading);
      }
    }
  }
}

static void warm_up_saturates(void **state) {
  (void)state;
  static fmlp_rolling_node nodes[3000];
  const int64_t large = (int64_t)1 << 40;
  for (int n = 0; n < 3000; n++) {
    nodes[n] = (fmlp_rolling_node){.op = n % 2 ? FMLP_OP_COV : FMLP_OP_SHIFT,
                                   .a = n,
                                   .b = n % 2 ? n : -1,
                                   .window = large,
                                   .output = n == 2999 ? 0 : -1};
  }
  fmlp_rolling_plan plan = {.input_count = 1, .node_count = 3000, .output_count = 1, .nodes = nodes};
  assert_int_equal(fmlp_rolling_warm_up(&plan, 2999), 3000 * large - 1500);
  double x[5] = {1, 2, 3, 4, 5}, out[5] = {0};
  const double *inputs[1] = {x};
  double *outputs[1] = {out};
  execute(&plan, 5, inputs, outputs);
  for (int i = 0; i < 5; i++) assert_int_equal(fmlp_bits_of(out[i]), FMLP_NAN_BITS);
}

/* ---- equal bits ------------------------------------------------------------------------------------------
 */

static void one_node(const fmlp_rolling_node *node, int64_t rows, const double *a, const double *b,
                     double *out) {
  fmlp_rolling_node alone = *node;
  alone.output = 0;
  fmlp_rolling_plan plan = {.input_count = 2, .node_count = 1, .output_count = 1, .nodes = &alone};
  const double *inputs[2] = {a, b};
  double *outputs[1] = {out};
  execute(&plan, rows, inputs, outputs);
}

/* All cases in one plan must give what each gives alone, at any block size and number of threads. */
static void check_all_together(fmlp_case_data kind, int64_t rows, int64_t block, int threads) {
  double *a = malloc((size_t)(rows + 1) * sizeof *a), *b = malloc((size_t)(rows + 1) * sizeof *b);
  double *want = malloc((size_t)(rows + 1) * sizeof *want);
  assert_true(a && b && want);
  fmlp_case_fill(kind, rows, FMLP_CASE_SEED, a);
  fmlp_case_fill(FMLP_DATA_TIES, rows, FMLP_CASE_TIES_SEED, b);
  fmlp_rolling_node nodes[FMLP_CASE_OPERATORS];
  guarded columns[FMLP_CASE_OPERATORS];
  double *outputs[FMLP_CASE_OPERATORS];
  for (int c = 0; c < FMLP_CASE_OPERATORS; c++) {
    nodes[c] = fmlp_case_node(&fmlp_case_operators[c]);
    nodes[c].output = c;
    columns[c] = guarded_new(rows);
    outputs[c] = columns[c].values;
  }
  fmlp_rolling_plan plan = {2, FMLP_CASE_OPERATORS, FMLP_CASE_OPERATORS, nodes};
  const double *inputs[2] = {a, b};
  fmlp_threads_set(threads);
  fmlp_cpu_rolling_block(block);
  execute(&plan, rows, inputs, outputs);
  fmlp_cpu_rolling_block(0);
  fmlp_threads_set(1);
  char what[96];
  snprintf(what, sizeof what, "data %s, block %lld, %d threads", fmlp_case_data_names[kind], (long long)block,
           threads);
  for (int c = 0; c < FMLP_CASE_OPERATORS; c++) {
    one_node(&nodes[c], rows, a, b, want);
    assert_same(what, &nodes[c], outputs[c], want, rows);
    guarded_check_and_free(&columns[c]);
  }
  fmlp_threads_set(0);
  free(a);
  free(b);
  free(want);
}

static void blocks_and_threads_leave_the_bits_alone(void **state) {
  (void)state;
  const int64_t blocks[] = {0, 1, 2, 3, 5, 7, 13, 64, 257, 1 << 20};
  for (int kind = 0; kind < FMLP_DATA_COUNT; kind++) {
    for (size_t k = 0; k < sizeof blocks / sizeof *blocks; k++) {
      check_all_together((fmlp_case_data)kind, 700, blocks[k], (int)(k % 3) + 1);
    }
  }
  check_all_together(FMLP_DATA_GAPS, 40000, 0, 4);
  check_all_together(FMLP_DATA_WALK, 70001, 0, 2);
}

static void every_length_works(void **state) {
  (void)state;
  for (int k = 0; k < FMLP_CASE_LENGTHS; k++) {
    if (fmlp_case_lengths[k] > 5000) continue;
    check_all_together(FMLP_DATA_WALK, fmlp_case_lengths[k], 0, 2);
    check_all_together(FMLP_DATA_GAPS, fmlp_case_lengths[k], 0, 1);
  }
}

/* A random plan of nodes over nodes, intermediates included, against its nodes executed one by one. */
static void check_random_plan(fmlp_case_random *random, int64_t rows, int64_t block, int threads) {
  enum { NODES = 24 };
  fmlp_rolling_node nodes[NODES];
  double *columns[2 + NODES], *outputs[NODES];
  guarded made[NODES];
  int32_t output_count = 0;
  for (int c = 0; c < 2 + NODES; c++) {
    columns[c] = malloc((size_t)(rows + 1) * sizeof(double));
    assert_non_null(columns[c]);
  }
  fmlp_case_fill(FMLP_DATA_WALK, rows, fmlp_case_bits(random) | 1, columns[0]);
  fmlp_case_fill(FMLP_DATA_GAPS, rows, fmlp_case_bits(random) | 1, columns[1]);
  for (int n = 0; n < NODES; n++) {
    fmlp_rolling_node *node = &nodes[n];
    *node = fmlp_case_node(&fmlp_case_operators[fmlp_case_bits(random) % FMLP_CASE_OPERATORS]);
    if (node->op == FMLP_OP_FRACDIFF) node->threshold = 0.02;
    if (node->window > 60) node->window = 33;
    if (node->a >= 0) node->a = (int32_t)(fmlp_case_bits(random) % (uint64_t)(2 + n));
    if (node->b >= 0) node->b = (int32_t)(fmlp_case_bits(random) % (uint64_t)(2 + n));
    node->output = fmlp_case_bits(random) % 3 == 0 || n == NODES - 1 ? output_count++ : -1;
    if (node->output >= 0) {
      made[node->output] = guarded_new(rows);
      outputs[node->output] = made[node->output].values;
    }
  }
  fmlp_rolling_plan plan = {2, NODES, output_count, nodes};
  fmlp_threads_set(threads);
  fmlp_cpu_rolling_block(block);
  execute(&plan, rows, (const double *const *)columns, outputs);
  fmlp_cpu_rolling_block(0);
  fmlp_threads_set(1);
  for (int n = 0; n < NODES; n++) {
    fmlp_rolling_node alone = nodes[n];
    const double *a = alone.a >= 0 ? columns[alone.a] : columns[0];
    const double *b = alone.b >= 0 ? columns[alone.b] : columns[0];
    alone.a = alone.a >= 0 ? 0 : -1;
    alone.b = alone.b >= 0 ? 1 : -1;
    one_node(&alone, rows, a, b, columns[2 + n]);
    if (nodes[n].output >= 0)
      assert_same("random plan", &nodes[n], outputs[nodes[n].output], columns[2 + n], rows);
  }
  for (int32_t o = 0; o < output_count; o++) guarded_check_and_free(&made[o]);
  for (int c = 0; c < 2 + NODES; c++) free(columns[c]);
  fmlp_threads_set(0);
}

static void a_plan_gives_what_its_nodes_give_one_by_one(void **state) {
  (void)state;
  fmlp_case_random random = {42};
  const int64_t blocks[] = {0, 1, 3, 13, 64, 200};
  for (int round = 0; round < 120; round++) {
    check_random_plan(&random, round % 10 == 0 ? 9000 : 300, blocks[round % 6], round % 4 + 1);
  }
}

static void a_row_depends_on_nothing_after_it(void **state) {
  (void)state;
  enum { ROWS = 5200, CUT = 4700 };
  static double a[ROWS], b[ROWS], before[ROWS], after[ROWS];
  fmlp_case_fill(FMLP_DATA_WALK, ROWS, FMLP_CASE_SEED, a);
  fmlp_case_fill(FMLP_DATA_TIES, ROWS, FMLP_CASE_TIES_SEED, b);
  for (int c = 0; c < FMLP_CASE_OPERATORS; c++) {
    fmlp_rolling_node node = fmlp_case_node(&fmlp_case_operators[c]);
    one_node(&node, ROWS, a, b, before);
    double kept_a = a[CUT], kept_b = b[CUT + 1];
    a[CUT] = 1e9;
    b[CUT + 1] = fmlp_nan();
    one_node(&node, ROWS, a, b, after);
    assert_same("look-ahead", &node, after, before, CUT);
    one_node(&node, CUT, a, b, after);
    assert_same("shorter column", &node, after, before, CUT);
    a[CUT] = kept_a;
    b[CUT + 1] = kept_b;
  }
}

static void a_row_depends_on_its_window_alone(void **state) {
  (void)state;
  enum { ROWS = 600, CUT = 200 };
  static double a[ROWS], b[ROWS], before[ROWS], after[ROWS];
  fmlp_case_fill(FMLP_DATA_WALK, ROWS, FMLP_CASE_SEED, a);
  fmlp_case_fill(FMLP_DATA_NOISE, ROWS, 99, b);
  for (int c = 0; c < FMLP_CASE_OPERATORS; c++) {
    fmlp_rolling_node node = fmlp_case_node(&fmlp_case_operators[c]);
    if (node.op == FMLP_OP_EMA || node.op == FMLP_OP_EWM_STD) continue;
    one_node(&node, ROWS, a, b, before);
    double kept = a[CUT];
    a[CUT] = 1e12; /* an outlier, gone without trace once it left the window */
    one_node(&node, ROWS, a, b, after);
    a[CUT] = fmlp_nan();
    int64_t clean = CUT + fmlp_rolling_lookback(&node) + 1;
    if (clean < ROWS) {
      assert_same("outlier", &node, after + clean, before + clean, ROWS - clean);
      one_node(&node, ROWS, a, b, after);
      assert_same("NaN", &node, after + clean, before + clean, ROWS - clean);
    }
    a[CUT] = kept;
  }
}

static void every_window_with_a_nan_is_nan(void **state) {
  (void)state;
  enum { ROWS = 900 };
  static double a[ROWS], b[ROWS], out[ROWS];
  fmlp_case_fill(FMLP_DATA_GAPS, ROWS, FMLP_CASE_SEED, a);
  fmlp_case_fill(FMLP_DATA_NOISE, ROWS, 7, b);
  for (int c = 0; c < FMLP_CASE_OPERATORS; c++) {
    fmlp_rolling_node node = fmlp_case_node(&fmlp_case_operators[c]);
    if (fmlp_operators[node.op].min_window == 0 || node.op <= FMLP_OP_LOG_RETURN) continue;
    one_node(&node, ROWS, a, b, out);
    int64_t reach = fmlp_rolling_lookback(&node);
    for (int64_t i = 0; i < ROWS; i++) {
      bool missing = i < reach;
      for (int64_t k = 0; k <= reach && k <= i && !missing; k++) missing = a[i - k] != a[i - k];
      if (missing) assert_int_equal(fmlp_bits_of(out[i]), FMLP_NAN_BITS);
    }
  }
}

static void every_failing_allocation_is_reported_and_leaks_nothing(void **state) {
  (void)state;
  enum { ROWS = 9000 };
  static double x[ROWS], one[ROWS], two[ROWS], three[ROWS];
  fmlp_case_fill(FMLP_DATA_WALK, ROWS, FMLP_CASE_SEED, x);
  fmlp_rolling_node nodes[] = {
      {.op = FMLP_OP_DIFF, .a = 0, .b = -1, .window = 1, .output = -1},
      {.op = FMLP_OP_EMA, .a = 1, .b = -1, .parameter = 0.1, .output = -1},
      {.op = FMLP_OP_MEDIAN, .a = 2, .b = -1, .window = 9, .output = 0},
      {.op = FMLP_OP_FRACDIFF, .a = 0, .b = -1, .parameter = 0.4, .threshold = 0.01, .output = 1},
      {.op = FMLP_OP_EWM_STD, .a = 2, .b = -1, .parameter = 0.1, .output = 2},
  };
  fmlp_rolling_plan plan = {1, 5, 3, nodes};
  const double *inputs[1] = {x};
  double *outputs[3] = {one, two, three};
  int failures = 0;
  for (int64_t nth = 1;; nth++) {
    fmlp_error error = {""};
    fmlp_memory_fail_at(nth);
    fmlp_status status = fmlp_cpu_rolling(&plan, ROWS, inputs, outputs, &error);
    fmlp_memory_fail_at(0);
    if (status == FMLP_OK) break;
    assert_int_equal(status, FMLP_ERR_OTHER);
    assert_non_null(strstr(error.text, "out of memory"));
    failures++;
  }
  assert_true(failures >= 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_operator_table_is_complete),
      cmocka_unit_test(impossible_nodes_are_refused_with_the_reason),
      cmocka_unit_test(fracdiff_has_its_published_weights),
      cmocka_unit_test(warm_up_is_the_number_of_leading_nan),
      cmocka_unit_test(warm_up_saturates),
      cmocka_unit_test(blocks_and_threads_leave_the_bits_alone),
      cmocka_unit_test(every_length_works),
      cmocka_unit_test(a_plan_gives_what_its_nodes_give_one_by_one),
      cmocka_unit_test(a_row_depends_on_nothing_after_it),
      cmocka_unit_test(a_row_depends_on_its_window_alone),
      cmocka_unit_test(every_window_with_a_nan_is_nan),
      cmocka_unit_test(every_failing_allocation_is_reported_and_leaks_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
