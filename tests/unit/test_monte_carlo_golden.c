/* Monte Carlo against tests/golden/monte_carlo.txt, on every backend of this build. */
#include "tests/unit/device_buffers.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/core/bits.h"

enum { MOST = 512 }; /* trades, paths and fan values of a golden case */

static FILE *golden;

static double number(void) {
  double value = 0.0;
  if (fscanf(golden, "%la", &value) != 1) fail_msg("the golden file ends early");
  return value;
}

static int64_t integer(void) {
  int64_t value = 0;
  if (fscanf(golden, "%" SCNd64, &value) != 1) fail_msg("the golden file ends early");
  return value;
}

static void assert_bits(double got, int64_t path, const char *what) {
  double expected = fmlp_canonical(number());
  if (fmlp_bits_of(got) != fmlp_bits_of(expected)) {
    fail_msg("path %lld, %s: %a, not %a", (long long)path, what, got, expected);
  }
}

static fmlp_monte_carlo read_job(double *pnl, double *ratio, int64_t *days) {
  fmlp_monte_carlo job = {.kind = (fmlp_resampling)integer()};
  if (fscanf(golden, "%" SCNu64, &job.seed) != 1) fail_msg("no seed");
  job.paths = integer();
  job.first_path = integer();
  job.trades = integer();
  job.days = integer();
  job.block_length = integer();
  job.max_trades = integer();
  job.compounding = integer() != 0;
  job.fan_points = (int32_t)integer();
  job.initial_capital = number();
  job.ruin_level = number();
  job.daily_loss = number();
  job.target_level = number();
  assert_true(job.trades < MOST && job.paths * (job.fan_points + 1) < MOST && job.days < MOST);
  for (int64_t t = 0; t < job.trades; t++) pnl[t] = number();
  for (int64_t t = 0; t < job.trades; t++) ratio[t] = number();
  for (int64_t d = 0; d <= job.days; d++) days[d] = integer();
  return job;
}

static void check_results(const fmlp_compute *compute, const fmlp_monte_carlo *job,
                          const fmlp_monte_carlo_totals *totals) {
  static double final_capital[MOST], max_drawdown[MOST], fan[MOST];
  static int32_t trades_used[MOST];
  static int8_t outcome[MOST];
  size_t paths = (size_t)job->paths;
  buffer_read(compute, job->final_capital, final_capital, paths * 8);
  buffer_read(compute, job->max_drawdown, max_drawdown, paths * 8);
  buffer_read(compute, job->trades_used, trades_used, paths * 4);
  buffer_read(compute, job->outcome, outcome, paths);
  buffer_read(compute, job->fan, fan, paths * (size_t)job->fan_points * 8);
  for (int64_t p = 0; p < job->paths; p++) {
    assert_bits(final_capital[p], p, "final capital");
    assert_bits(max_drawdown[p], p, "drawdown");
    assert_int_equal(trades_used[p], integer());
    assert_int_equal(outcome[p], integer());
    for (int64_t f = 0; f < job->fan_points; f++) assert_bits(fan[f * job->paths + p], p, "fan");
  }
  for (int o = 0; o < FMLP_PATH_OUTCOMES; o++) assert_int_equal(totals->outcome_count[o], integer());
  assert_int_equal(totals->loss_count, integer());
  assert_int_equal(totals->trades_used_total, integer());
  assert_bits(totals->mean_final_capital, -1, "mean final capital");
  assert_bits(totals->mean_max_drawdown, -1, "mean drawdown");
}

static void check_case(const fmlp_compute *compute) {
  static double pnl[MOST], ratio[MOST];
  static int64_t days[MOST];
  fmlp_monte_carlo job = read_job(pnl, ratio, days);
  size_t paths = (size_t)job.paths, trades = (size_t)job.trades;
  job.pnl = buffer_of(compute, pnl, trades * 8);
  job.ratio = buffer_of(compute, ratio, trades * 8);
  job.day_offset = buffer_of(compute, days, ((size_t)job.days + 1) * 8);
  job.final_capital = buffer_empty(compute, paths * 8);
  job.max_drawdown = buffer_empty(compute, paths * 8);
  job.trades_used = buffer_empty(compute, paths * 4);
  job.outcome = buffer_empty(compute, paths);
  job.fan = buffer_empty(compute, paths * (size_t)job.fan_points * 8);
  fmlp_monte_carlo_totals totals;
  fmlp_error error = {""};
  if (compute->backend->monte_carlo(compute->device, &job, &totals, &error) != FMLP_OK) {
    fail_msg("%s", error.text);
  }
  check_results(compute, &job, &totals);
  const fmlp_buffer *all[] = {job.pnl,          job.ratio,       job.day_offset, job.final_capital,
                              job.max_drawdown, job.trades_used, job.outcome,    job.fan};
  for (size_t b = 0; b < sizeof all / sizeof *all; b++) buffer_end(compute, all[b]);
}

static void every_golden_study_comes_out_bit_for_bit(void **state) {
  (void)state;
  for (const fmlp_backend *const *backend = fmlp_backends(); *backend; backend++) {
    if (!is_usable(*backend)) continue;
    golden = fopen(FMLP_SOURCE_DIR "/tests/golden/monte_carlo.txt", "r");
    assert_non_null(golden);
    fmlp_compute compute = open_compute((*backend)->name);
    int64_t cases = integer();
    assert_int_equal(cases, 15);
    for (int64_t c = 0; c < cases; c++) check_case(&compute);
    fmlp_compute_close(&compute);
    (void)fclose(golden);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_golden_study_comes_out_bit_for_bit)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
