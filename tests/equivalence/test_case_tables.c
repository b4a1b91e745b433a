/* The tables name everything there is (operators, kinds of resampling, tie rules, data sets), and no backend
 * refuses any of it. */
#include "tests/unit/on_each_backend.h"

#include "tests/equivalence/cases_monte_carlo.h"
#include "tests/equivalence/cases_rolling.h"
#include "tests/equivalence/cases_triple_barrier.h"

enum { ROWS = 40 };

static void every_operator_is_in_the_table(void **state) {
  (void)state;
  for (int op = 0; op < FMLP_OP_COUNT; op++) {
    int rows = 0;
    for (int i = 0; i < FMLP_CASE_OPERATORS; i++) rows += (int)fmlp_case_operators[i].op == op;
    if (rows == 0) fail_msg("no case of %s", fmlp_operators[op].name);
  }
}

static void every_kind_of_resampling_is_in_the_table(void **state) {
  (void)state;
  for (int kind = FMLP_MC_DAY; kind <= FMLP_MC_PERMUTATION; kind++) {
    int plain = 0, stopped = 0, compounding = 0;
    for (int i = 0; i < MONTE_CARLO_CASES; i++) {
      const monte_carlo_case *c = &monte_carlo_cases[i];
      if ((int)c->kind != kind) continue;
      plain += c->ruin <= 0.0 && c->target <= 0.0;
      stopped += c->ruin > 0.0 && c->target > 0.0;
      compounding += c->compounding;
    }
    assert_true(plain > 0);
    assert_true(stopped > 0 || kind == FMLP_MC_STATIONARY);
    assert_true(compounding > 0 || kind == FMLP_MC_CIRCULAR_BLOCK || kind == FMLP_MC_PERMUTATION);
  }
}

static void no_backend_refuses_an_operator(void **state) {
  (void)state;
  double data[ROWS];
  fmlp_case_fill(FMLP_DATA_WALK, ROWS, FMLP_CASE_SEED, data);
  for (int i = 0; i < FMLP_CASE_OPERATORS; i++) {
    const fmlp_rolling_node node = fmlp_case_node(&fmlp_case_operators[i]);
    const fmlp_rolling_plan plan = {.input_count = 2, .node_count = 1, .output_count = 1, .nodes = &node};
    const fmlp_buffer *inputs[2] = {buffer_of(&compute, data, sizeof data),
                                    buffer_of(&compute, data, sizeof data)};
    fmlp_buffer *output = buffer_empty(&compute, sizeof data);
    fmlp_error error = {""};
    if (compute.backend->rolling(compute.device, &plan, ROWS, inputs, &output, &error) != FMLP_OK) {
      fail_msg("%s: %s", fmlp_operators[node.op].name, error.text);
    }
    buffer_end(&compute, inputs[0]);
    buffer_end(&compute, inputs[1]);
    buffer_end(&compute, output);
  }
}

static void no_backend_refuses_a_tie_rule_or_a_side(void **state) {
  (void)state;
  static const int32_t high[] = {10, 12, 15}, low[] = {10, 9, 5}, start = 0, last = 2;
  for (int32_t side = -1; side <= 1; side += 2) {
    const int32_t target = 10 + side * 4, stop = 10 - side * 4;
    for (int tie = FMLP_TIE_TICKS; tie <= FMLP_TIE_TP_FIRST; tie++) {
      fmlp_barrier_search job = {.side = side,
                                 .tie = (fmlp_tie_rule)tie,
                                 .bars = 3,
                                 .high = buffer_of(&compute, high, sizeof high),
                                 .low = buffer_of(&compute, low, sizeof low),
                                 .events = 1,
                                 .start_bar = buffer_of(&compute, &start, 4),
                                 .target = buffer_of(&compute, &target, 4),
                                 .stop = buffer_of(&compute, &stop, 4),
                                 .last_bar = buffer_of(&compute, &last, 4),
                                 .outcome = buffer_empty(&compute, 1),
                                 .exit_bar = buffer_empty(&compute, 4)};
      fmlp_error error = {""};
      if (compute.backend->barrier_search(compute.device, &job, &error) != FMLP_OK)
        fail_msg("%s", error.text);
      int8_t outcome = 0;
      static const int8_t expected[] = {FMLP_OUTCOME_TIE, FMLP_OUTCOME_STOP, FMLP_OUTCOME_TARGET};
      buffer_read(&compute, job.outcome, &outcome, 1);
      assert_int_equal(outcome, expected[tie]);
      const fmlp_buffer *all[] = {job.high, job.low,      job.start_bar, job.target,
                                  job.stop, job.last_bar, job.outcome,   job.exit_bar};
      for (size_t b = 0; b < sizeof all / sizeof *all; b++) buffer_end(&compute, all[b]);
    }
  }
}

static void no_backend_refuses_a_kind_of_resampling(void **state) {
  (void)state;
  static const double pnl[4] = {10.0, -5.0, 7.0, -20.0};
  static const int64_t day_offset[3] = {0, 2, 4};
  for (int kind = FMLP_MC_DAY; kind <= FMLP_MC_PERMUTATION; kind++) {
    fmlp_monte_carlo job = {.kind = (fmlp_resampling)kind,
                            .paths = 3,
                            .trades = 4,
                            .days = kind == FMLP_MC_DAY ? 2 : 0,
                            .block_length = 2,
                            .max_trades = 4,
                            .initial_capital = 1000.0,
                            .ruin_level = -(double)INFINITY,
                            .daily_loss = (double)INFINITY,
                            .target_level = (double)INFINITY,
                            .fan_points = 2,
                            .pnl = buffer_of(&compute, pnl, sizeof pnl),
                            .ratio = buffer_of(&compute, pnl, sizeof pnl),
                            .day_offset = buffer_of(&compute, day_offset, sizeof day_offset),
                            .final_capital = buffer_empty(&compute, 24),
                            .max_drawdown = buffer_empty(&compute, 24),
                            .trades_used = buffer_empty(&compute, 12),
                            .outcome = buffer_empty(&compute, 3),
                            .fan = buffer_empty(&compute, 48)};
    fmlp_monte_carlo_totals totals;
    fmlp_error error = {""};
    if (compute.backend->monte_carlo(compute.device, &job, &totals, &error) != FMLP_OK) {
      fail_msg("kind %d: %s", kind, error.text);
    }
    assert_int_equal(totals.trades_used_total, 12);
    const fmlp_buffer *all[] = {job.pnl,          job.ratio,       job.day_offset, job.final_capital,
                                job.max_drawdown, job.trades_used, job.outcome,    job.fan};
    for (size_t b = 0; b < sizeof all / sizeof *all; b++) buffer_end(&compute, all[b]);
  }
}

int main(void) {
  const struct CMUnitTest tables[] = {cmocka_unit_test(every_operator_is_in_the_table),
                                      cmocka_unit_test(every_kind_of_resampling_is_in_the_table)};
  const struct CMUnitTest each[] = {cmocka_unit_test(no_backend_refuses_an_operator),
                                    cmocka_unit_test(no_backend_refuses_a_tie_rule_or_a_side),
                                    cmocka_unit_test(no_backend_refuses_a_kind_of_resampling)};
  return cmocka_run_group_tests(tables, NULL, NULL) + RUN_ON_EACH_BACKEND(each);
}
