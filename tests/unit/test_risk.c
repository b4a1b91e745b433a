/* The risk stage: the job it gives to a backend, and what it makes of the paths that come back. */
#include "tests/cmocka_fmlp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "common/stages/risk.h"

/* A backend that remembers its job and answers with paths that are easy to sum up: path p ends with capital
 * 10000 + p, drawdown p / 1000, p trades used, outcome p mod 4; fan column f holds 100 f + p. */
static fmlp_monte_carlo seen;
static double seen_pnl[64], seen_ratio[64];
static int64_t seen_offset[64];
static bool answer_fails;

static void must(fmlp_status status, const fmlp_error *error) {
  if (status != FMLP_OK) fail_msg("%s", error->text);
}

static fmlp_status answer(fmlp_device *device, const fmlp_monte_carlo *job, fmlp_monte_carlo_totals *totals,
                          fmlp_error *error) {
  if (answer_fails) return fmlp_fail(error, FMLP_ERR_DEVICE, "lost the device");
  const fmlp_backend *cpu = &fmlp_cpu_backend;
  seen = *job;
  must(cpu->download(device, job->pnl, 0, seen_pnl, (size_t)job->trades * 8, error), error);
  must(cpu->download(device, job->ratio, 0, seen_ratio, (size_t)job->trades * 8, error), error);
  must(cpu->download(device, job->day_offset, 0, seen_offset, (size_t)(job->days + 1) * 8, error), error);
  memset(totals, 0, sizeof *totals);
  for (int64_t p = 0; p < job->paths; p++) {
    size_t at = (size_t)p;
    double capital = 10000 + (double)p, drawdown = (double)p / 1000;
    int32_t used = (int32_t)p;
    int8_t outcome = (int8_t)(p % 4);
    must(cpu->upload(device, job->final_capital, at * 8, &capital, 8, error), error);
    must(cpu->upload(device, job->max_drawdown, at * 8, &drawdown, 8, error), error);
    must(cpu->upload(device, job->trades_used, at * 4, &used, 4, error), error);
    must(cpu->upload(device, job->outcome, at, &outcome, 1, error), error);
    for (int64_t f = 0; f < job->fan_points; f++) {
      double value = (double)(100 * f + p);
      must(cpu->upload(device, job->fan, (size_t)(f * job->paths + p) * 8, &value, 8, error), error);
    }
    totals->outcome_count[outcome]++;
  }
  totals->loss_count = 3;
  totals->mean_final_capital = 10050;
  return FMLP_OK;
}

typedef struct study {
  fmlp_backend backend;
  fmlp_compute compute;
  fmlp_settings settings;
  fmlp_trades trades;
  fmlp_risk_result result;
} study;

static double pnl[6] = {100, -50, 25, -200, 300, 10};
static double before[6] = {10000, 10100, 10050, 10075, 9875, 10175};
static int64_t day[6] = {3, 3, 5, 9, 9, 9};

static study begin(fmlp_resampling kind) {
  study s;
  memset(&s, 0, sizeof s);
  s.settings.seed = 42;
  s.settings.backtest.initial_capital = 10000;
  s.settings.risk = (fmlp_risk_settings){
      .n_sims = 101, .kind = kind, .max_daily_loss = 0.03, .max_total_loss = 0.1, .target_profit = 0.2};
  s.trades = (fmlp_trades){.count = 6, .pnl = pnl, .capital_before = before, .day = day};
  s.backend = fmlp_cpu_backend;
  s.backend.monte_carlo = answer;
  fmlp_error error = {""};
  must(s.backend.open(0, &s.compute.device, &error), &error);
  return s;
}

static fmlp_status run(study *s, fmlp_error *error) {
  s->compute.backend = &s->backend;
  return fmlp_risk_run(&s->settings, &s->trades, &s->compute, &s->result, error);
}

static study ran(study s) {
  fmlp_error error = {""};
  must(run(&s, &error), &error);
  return s;
}

static void end(study *s) {
  fmlp_risk_result_release(&s->result);
  s->backend.close(s->compute.device);
}

static void levels_are_money_computed_from_fractions_of_the_initial_capital(void **state) {
  (void)state;
  study s = ran(begin(FMLP_MC_DAY));
  assert_true(seen.ruin_level == 9000 && seen.target_level == 12000 && seen.daily_loss == 300);
  assert_true(seen.initial_capital == 10000 && seen.seed == 42 && seen.first_path == 0 && seen.paths == 101);
  assert_int_equal(seen.max_trades, 6);
  assert_int_equal(seen.trades, 6);
  assert_memory_equal(seen_pnl, pnl, sizeof pnl);
  for (int i = 0; i < 6; i++) assert_true(seen_ratio[i] == pnl[i] / before[i]);
  end(&s);
}

static void days_are_the_runs_of_equal_exit_sessions(void **state) {
  (void)state;
  study s = ran(begin(FMLP_MC_DAY));
  assert_int_equal(seen.days, 3);
  const int64_t expected[] = {0, 2, 3, 6};
  assert_memory_equal(seen_offset, expected, sizeof expected);
  assert_int_equal(s.result.days, 3);
  fmlp_text text = {0};
  fmlp_risk_json(&s.settings, &s.result, &text);
  assert_non_null(strstr(text.bytes, "fewer than 10 trading days"));
  fmlp_text_release(&text);
  end(&s);
}

static void daily_loss_is_evaluated_for_kind_day_only(void **state) {
  (void)state;
  study s = ran(begin(FMLP_MC_IID));
  assert_true(isinf(seen.daily_loss));
  assert_int_equal(seen.days, 0);
  assert_false(s.result.daily_loss_evaluated);
  assert_true(isnan(s.result.daily_loss.value));
  fmlp_text text = {0};
  fmlp_risk_json(&s.settings, &s.result, &text);
  assert_non_null(strstr(text.bytes, "\"daily_loss\": \"not evaluated\""));
  assert_non_null(strstr(text.bytes, "fewer than 30 trades"));
  assert_null(strstr(text.bytes, "fewer than 10 trading days")); /* trades are drawn, not days */
  fmlp_text_release(&text);
  end(&s);
}

static void a_permutation_has_no_limits_and_reports_drawdown_only(void **state) {
  (void)state;
  study s = begin(FMLP_MC_PERMUTATION);
  s.settings.risk.max_trades = 100;
  s = ran(s);
  assert_true(isinf(seen.ruin_level) && seen.ruin_level < 0 && isinf(seen.target_level));
  assert_int_equal(seen.max_trades, 6);
  assert_true(isnan(s.result.ruin.value) && isnan(s.result.loss.value));
  fmlp_text text = {0};
  fmlp_risk_json(&s.settings, &s.result, &text);
  assert_non_null(strstr(text.bytes, "\"final_capital\": null"));
  assert_non_null(strstr(text.bytes, "\"max_drawdown\": {"));
  fmlp_text_release(&text);
  end(&s);
}

static void quantiles_and_intervals_come_from_the_paths(void **state) {
  (void)state;
  study s = ran(begin(FMLP_MC_IID));
  const double levels[] = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};
  for (int q = 0; q < FMLP_RISK_QUANTILES; q++) {
    assert_true(fmlp_risk_quantile_levels[q] == levels[q]);
    assert_true(fabs(s.result.final_capital_quantile[q] - (10000 + 100 * levels[q])) < 1e-9);
    assert_true(fabs(s.result.max_drawdown_quantile[q] - 0.1 * levels[q]) < 1e-12);
  }
  assert_int_equal(s.result.fan_points, 6);
  for (int f = 0; f < 6; f++) {
    assert_int_equal(s.result.fan_trade[f], f + 1);
    assert_true(s.result.fan_quantile[f][3] == 100 * f + 50);
  }
  assert_int_equal(s.result.ruin.count, 25);
  assert_true(s.result.ruin.value == 25.0 / 101);
  assert_int_equal(s.result.loss.count, 3);
  assert_int_equal(s.result.trades_used[100], 100);
  assert_int_equal(s.result.outcome[7], 3);
  end(&s);
}

static void the_fan_never_outgrows_its_memory(void **state) {
  (void)state;
  study s = begin(FMLP_MC_IID);
  s.settings.risk.max_trades = 5000;
  s = ran(s);
  assert_int_equal(s.result.fan_points, 100);
  assert_int_equal(s.result.fan_trade[0], 50);
  assert_int_equal(s.result.fan_trade[99], 5000);
  end(&s);
}

static void blocks_default_to_the_cube_root_and_fit_the_trades(void **state) {
  (void)state;
  const int64_t cases[][2] = {{1, 1},  {3, 1},     {4, 2},     {15, 2},   {16, 3},
                              {27, 3}, {1000, 10}, {1157, 10}, {1158, 11}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    assert_int_equal(fmlp_risk_default_block(cases[c][0]), cases[c][1]);
  }
  study s = ran(begin(FMLP_MC_STATIONARY));
  assert_int_equal(seen.block_length, 2);
  end(&s);
  s = begin(FMLP_MC_MOVING_BLOCK);
  s.settings.risk.block_size = 50;
  s = ran(s);
  assert_int_equal(seen.block_length, 6);
  end(&s);
}

static void without_trades_the_study_is_not_run(void **state) {
  (void)state;
  study s = begin(FMLP_MC_DAY);
  s.trades.count = 0;
  answer_fails = true;
  s = ran(s);
  answer_fails = false;
  assert_int_equal(s.result.paths, 0);
  assert_null(s.result.final_capital);
  fmlp_text text = {0};
  fmlp_risk_json(&s.settings, &s.result, &text);
  assert_non_null(strstr(text.bytes, "\"run\": false"));
  assert_non_null(strstr(text.bytes, "the backtest made no trade"));
  fmlp_text_release(&text);
  end(&s);
}

static void wilson_intervals(void **state) {
  (void)state;
  /* scipy.stats.binomtest(k, n).proportion_ci(method="wilson") */
  const double cases[][4] = {{5, 50, 0.04347576493, 0.21360231437},
                             {0, 20, 0, 0.16112515805},
                             {20, 20, 0.83887484195, 1},
                             {1, 3, 0.06149194472, 0.79234039920}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    fmlp_proportion p = fmlp_wilson((int64_t)cases[c][0], (int64_t)cases[c][1]);
    assert_true(fabs(p.low - cases[c][2]) < 1e-9 && fabs(p.high - cases[c][3]) < 1e-9);
  }
  assert_true(isnan(fmlp_wilson(0, 0).low));
}

static void a_failing_device_leaves_an_empty_result(void **state) {
  (void)state;
  study s = begin(FMLP_MC_DAY);
  fmlp_error error = {""};
  answer_fails = true;
  assert_int_equal(run(&s, &error), FMLP_ERR_DEVICE);
  answer_fails = false;
  assert_string_equal(error.text, "lost the device");
  assert_true(s.result.paths == 0 && s.result.final_capital == NULL);
  fmlp_status status = FMLP_ERR_OTHER;
  for (int64_t nth = 1; status != FMLP_OK; nth++) {
    /* the fake's own uploads allocate nothing */
    fmlp_memory_fail_at(nth);
    status = run(&s, &error);
    fmlp_memory_fail_at(0);
    if (status != FMLP_OK) assert_true(s.result.paths == 0 && s.result.final_capital == NULL);
  }
  end(&s);
}

static fmlp_status count_column(void *state, const fmlp_column *column, fmlp_error *error) {
  (void)error;
  static const char *const names[] = {"final_capital", "max_drawdown", "trades_used", "outcome"};
  int *count = state;
  assert_string_equal(column->group, "monte_carlo");
  assert_string_equal(column->name, names[*count]);
  assert_int_equal(column->rows, 101);
  (*count)++;
  return FMLP_OK;
}

static void the_paths_go_into_four_columns(void **state) {
  (void)state;
  study s = ran(begin(FMLP_MC_DAY));
  int count = 0;
  fmlp_column_sink sink = {.state = &count, .put = count_column};
  fmlp_error error = {""};
  assert_int_equal(fmlp_risk_columns(&s.result, &sink, &error), FMLP_OK);
  assert_int_equal(count, 4);
  end(&s);
}

/* ---- on the reference backend ---- */

enum { MANY = 120 };

static study with_many_trades(fmlp_resampling kind, double *money, double *capital, int64_t *days) {
  study s = begin(kind);
  s.backend.monte_carlo = fmlp_cpu_backend.monte_carlo;
  s.settings.risk.n_sims = 2000;
  for (int i = 0; i < MANY; i++) {
    money[i] = (double)((i * 7919) % 41) * 6.5 - 128;
    capital[i] = 10000 + 3 * i;
    days[i] = i / 7;
  }
  s.trades = (fmlp_trades){.count = MANY, .pnl = money, .capital_before = capital, .day = days};
  return s;
}

static void every_kind_runs_and_gives_equal_bits_at_any_thread_count(void **state) {
  (void)state;
  double money[MANY], capital[MANY];
  int64_t days[MANY];
  for (int kind = FMLP_MC_DAY; kind <= FMLP_MC_PERMUTATION; kind++) {
    fmlp_text first = {0};
    for (int threads = 1; threads <= 4; threads *= 2) {
      fmlp_threads_set(threads);
      study s = ran(with_many_trades((fmlp_resampling)kind, money, capital, days));
      assert_int_equal(s.result.paths, 2000);
      int64_t ended = 0;
      for (int o = 0; o < FMLP_PATH_OUTCOMES; o++) ended += s.result.totals.outcome_count[o];
      assert_int_equal(ended, 2000);
      for (int64_t p = 0; p < 2000; p++) {
        assert_true(s.result.max_drawdown[p] >= 0 && s.result.trades_used[p] >= 1);
        assert_true(kind != FMLP_MC_PERMUTATION || s.result.trades_used[p] == MANY);
      }
      /* the fan's last column is where the paths end */
      for (int q = 0; q < FMLP_RISK_QUANTILES; q++) {
        assert_true(s.result.fan_quantile[s.result.fan_points - 1][q] == s.result.final_capital_quantile[q]);
        assert_true(q == 0 || s.result.max_drawdown_quantile[q] >= s.result.max_drawdown_quantile[q - 1]);
      }
      fmlp_text text = {0};
      fmlp_risk_json(&s.settings, &s.result, &text);
      if (threads == 1) {
        first = text;
      } else {
        assert_string_equal(text.bytes, first.bytes);
        fmlp_text_release(&text);
      }
      end(&s);
    }
    fmlp_text_release(&first);
  }
  fmlp_threads_set(0);
}

static void limits_stop_paths_on_the_right_side(void **state) {
  (void)state;
  double money[MANY], capital[MANY];
  int64_t days[MANY];
  study s = with_many_trades(FMLP_MC_IID, money, capital, days);
  s.settings.risk.max_total_loss = 0.02;
  s.settings.risk.target_profit = 0.02;
  s = ran(s);
  assert_true(s.result.ruin.count > 0 && s.result.target.count > 0);
  for (int64_t p = 0; p < s.result.paths; p++) {
    if (s.result.outcome[p] == FMLP_PATH_RUIN) assert_true(s.result.final_capital[p] <= 9800);
    if (s.result.outcome[p] == FMLP_PATH_TARGET) assert_true(s.result.final_capital[p] >= 10200);
    if (s.result.outcome[p] == FMLP_PATH_COMPLETE) assert_int_equal(s.result.trades_used[p], MANY);
  }
  end(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(levels_are_money_computed_from_fractions_of_the_initial_capital),
      cmocka_unit_test(days_are_the_runs_of_equal_exit_sessions),
      cmocka_unit_test(daily_loss_is_evaluated_for_kind_day_only),
      cmocka_unit_test(a_permutation_has_no_limits_and_reports_drawdown_only),
      cmocka_unit_test(quantiles_and_intervals_come_from_the_paths),
      cmocka_unit_test(the_fan_never_outgrows_its_memory),
      cmocka_unit_test(blocks_default_to_the_cube_root_and_fit_the_trades),
      cmocka_unit_test(without_trades_the_study_is_not_run),
      cmocka_unit_test(wilson_intervals),
      cmocka_unit_test(a_failing_device_leaves_an_empty_result),
      cmocka_unit_test(the_paths_go_into_four_columns),
      cmocka_unit_test(every_kind_runs_and_gives_equal_bits_at_any_thread_count),
      cmocka_unit_test(limits_stop_paths_on_the_right_side),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
