/* Monte Carlo on the device where the table of cases does not reach: lists outside shared memory, several
 * paths a thread, trades that make drawdowns tie, vanish or overflow. */
#include "tests/unit/device_buffers.h"

#include <math.h>
#include <string.h>

#include "common/core/memory.h"
#include "common/core/philox.h"
#include "cuda/device.h"
#include "tests/simt/runtime.h"

typedef enum list {
  ORDINARY,
  TWO_RATIOS,  /* compounding, all falls from a peak have one of few depths: quotients tie */
  THIRDS,      /* sums of a third: quotients that differ by an ulp */
  TINY,        /* of a capital near the smallest normal number */
  VAST,        /* of a capital near the largest */
  NOT_NUMBERS, /* NaN and infinities among them */
  LISTS
} list;

enum { TRADES = 300, PATHS = 400, DAYS = 60, FAN = 7, MOST_TRADES = 333 };

static double capital_of(list which) {
  return which == TINY ? 3e-307 : which == VAST ? 1e308 : 1000.0;
}

static void make_trades(list which, double *pnl, double *ratio) {
  const uint64_t key = fmlp_philox_key(99 + which, FMLP_PHILOX_TEST);
  for (int t = 0; t < TRADES; t++) {
    const uint32_t u = fmlp_philox_u32(key, 0, (uint64_t)t), v = fmlp_philox_u32(key, 1, (uint64_t)t);
    double r = (fmlp_philox_unit(u) - 0.49) * 0.05;
    if (which == TWO_RATIOS) r = u % 2 ? 0.0101 : -0.01;
    if (which == THIRDS) r = (double)((int)(u % 3) - 1) / 300.0;
    ratio[t] = r;
    pnl[t] = r * capital_of(which);
    if (which == TINY && v % 4 == 0) ratio[t] = pnl[t] = -r * 1e-308;
    if (which == VAST && v % 64 == 0) ratio[t] = pnl[t] = u % 2 ? 1e308 : -1.7e308;
    if (which == NOT_NUMBERS && v % 128 == 0) {
      const double odd[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, -0.0};
      ratio[t] = pnl[t] = odd[u % 4];
    }
  }
}

typedef struct results {
  double final_capital[PATHS], max_drawdown[PATHS], fan[FAN][PATHS];
  int32_t trades_used[PATHS];
  int8_t outcome[PATHS];
  fmlp_monte_carlo_totals totals;
} results;

static void run(const fmlp_compute *compute, fmlp_monte_carlo job, const double *pnl, const double *ratio,
                const int64_t *day_offset, results *out) {
  memset(out, 0, sizeof *out);
  job.pnl = buffer_of(compute, pnl, TRADES * sizeof *pnl);
  job.ratio = buffer_of(compute, ratio, TRADES * sizeof *ratio);
  job.day_offset = buffer_of(compute, day_offset, (DAYS + 1) * sizeof *day_offset);
  job.final_capital = buffer_empty(compute, sizeof out->final_capital);
  job.max_drawdown = buffer_empty(compute, sizeof out->max_drawdown);
  job.trades_used = buffer_empty(compute, sizeof out->trades_used);
  job.outcome = buffer_empty(compute, sizeof out->outcome);
  job.fan = buffer_empty(compute, sizeof out->fan);
  fmlp_error error = {""};
  if (compute->backend->monte_carlo(compute->device, &job, &out->totals, &error) != FMLP_OK) {
    fail_msg("%s", error.text);
  }
  buffer_read(compute, job.final_capital, out->final_capital, sizeof out->final_capital);
  buffer_read(compute, job.max_drawdown, out->max_drawdown, sizeof out->max_drawdown);
  buffer_read(compute, job.trades_used, out->trades_used, sizeof out->trades_used);
  buffer_read(compute, job.outcome, out->outcome, sizeof out->outcome);
  buffer_read(compute, job.fan, out->fan, sizeof out->fan);
  const fmlp_buffer *all[] = {job.pnl,          job.ratio,       job.day_offset, job.final_capital,
                              job.max_drawdown, job.trades_used, job.outcome,    job.fan};
  for (size_t b = 0; b < sizeof all / sizeof *all; b++) buffer_end(compute, all[b]);
}

static fmlp_monte_carlo job_of(list which, int kind, bool compounding, bool limits) {
  const double capital = capital_of(which), infinity = (double)INFINITY;
  return (fmlp_monte_carlo){.kind = (fmlp_resampling)kind,
                            .seed = 5,
                            .paths = PATHS,
                            .first_path = 77,
                            .trades = TRADES,
                            .days = kind == FMLP_MC_DAY ? DAYS : 0,
                            .block_length = 3,
                            .max_trades = kind == FMLP_MC_PERMUTATION ? TRADES : MOST_TRADES,
                            .compounding = compounding,
                            .initial_capital = capital,
                            .ruin_level = limits ? 0.95 * capital : -infinity,
                            .daily_loss = limits ? 0.04 * capital : infinity,
                            .target_level = limits ? 1.08 * capital : infinity,
                            .fan_points = FAN};
}

/* Every list and kind on both backends. */
static void compare_all(const fmlp_simt_setup *setup, const fmlp_gpu_tuning *tuning) {
  static results expected, got;
  double pnl[TRADES], ratio[TRADES];
  int64_t day_offset[DAYS + 1];
  for (int d = 0; d <= DAYS; d++) day_offset[d] = d * TRADES / DAYS - (d % 3 == 1) * 2;
  fmlp_simt_configure(setup);
  fmlp_compute cpu = open_compute("cpu"), simt = open_compute("simt");
  fmlp_gpu_tune(simt.device, tuning);
  for (int which = 0; which < LISTS; which++) {
    make_trades((list)which, pnl, ratio);
    for (int way = 0; way < 4 * 6; way++) {
      const fmlp_monte_carlo job = job_of((list)which, way / 4, way % 2, way / 2 % 2);
      run(&cpu, job, pnl, ratio, day_offset, &expected);
      run(&simt, job, pnl, ratio, day_offset, &got);
      if (memcmp(&got, &expected, sizeof got) == 0) continue;
      for (int p = 0; p < PATHS; p++) {
        if (memcmp(&got.max_drawdown[p], &expected.max_drawdown[p], sizeof(double)) == 0) continue;
        print_error("path %d: drawdown %a, not %a\n", p, got.max_drawdown[p], expected.max_drawdown[p]);
        break;
      }
      fail_msg("list %d, kind %d, compounding %d, limits %d", which, way / 4, way % 2, way / 2 % 2);
    }
  }
  fmlp_compute_close(&cpu);
  fmlp_compute_close(&simt);
  fmlp_simt_configure(&(fmlp_simt_setup){.seed = 0});
}

static void odd_trades_give_the_same_bits(void **state) {
  (void)state;
  compare_all(&(fmlp_simt_setup){.seed = 1}, &(fmlp_gpu_tuning){.chunk = 0});
}

static void lists_beyond_shared_memory_and_threads_of_many_paths(void **state) {
  (void)state;
  compare_all(&(fmlp_simt_setup){.seed = 2, .shared_per_block = 2100}, &(fmlp_gpu_tuning){.threads = 32});
}

static void memory_runs_out_and_chunks_shrink(void **state) {
  (void)state;
  compare_all(&(fmlp_simt_setup){.seed = 3, .shared_per_block = 2100, .memory = 170000},
              &(fmlp_gpu_tuning){.spill = true});
}

static void no_room_for_the_smallest_chunk_is_an_error(void **state) {
  (void)state;
  fmlp_simt_configure(&(fmlp_simt_setup){.memory = 3000});
  fmlp_compute simt = open_compute("simt");
  fmlp_buffer *in = buffer_empty(&simt, TRADES * sizeof(double)), *out = buffer_empty(&simt, 8 * PATHS);
  fmlp_monte_carlo job = job_of(ORDINARY, FMLP_MC_IID, false, false);
  job.fan_points = 0;
  job.pnl = job.ratio = in;
  job.final_capital = job.max_drawdown = job.trades_used = job.outcome = out;
  fmlp_monte_carlo_totals totals;
  fmlp_error error = {""};
  assert_int_equal(simt.backend->monte_carlo(simt.device, &job, &totals, &error), FMLP_ERR_DEVICE);
  assert_non_null(strstr(error.text, "paths at a time need "));
  buffer_end(&simt, in);
  buffer_end(&simt, out);
  fmlp_compute_close(&simt);
  fmlp_simt_configure(&(fmlp_simt_setup){.seed = 0});
}

static void a_failed_host_allocation_is_reported_and_nothing_leaks(void **state) {
  (void)state;
  fmlp_compute simt = open_compute("simt");
  fmlp_buffer *in = buffer_empty(&simt, TRADES * sizeof(double)), *out = buffer_empty(&simt, 8 * PATHS);
  fmlp_monte_carlo job = job_of(ORDINARY, FMLP_MC_IID, false, false);
  job.pnl = job.ratio = in;
  job.final_capital = job.max_drawdown = job.trades_used = job.outcome = out;
  job.fan_points = 1;
  job.fan = out;
  const int64_t before = fmlp_memory_allocated();
  for (int nth = 1; nth <= 2; nth++) {
    fmlp_monte_carlo_totals totals;
    fmlp_error error = {""};
    fmlp_memory_fail_at(nth);
    assert_int_equal(simt.backend->monte_carlo(simt.device, &job, &totals, &error), FMLP_ERR_OTHER);
    fmlp_memory_fail_at(0);
    assert_true(fmlp_memory_allocated() == before);
  }
  buffer_end(&simt, in);
  buffer_end(&simt, out);
  fmlp_compute_close(&simt);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(odd_trades_give_the_same_bits),
      cmocka_unit_test(lists_beyond_shared_memory_and_threads_of_many_paths),
      cmocka_unit_test(memory_runs_out_and_chunks_shrink),
      cmocka_unit_test(no_room_for_the_smallest_chunk_is_an_error),
      cmocka_unit_test(a_failed_host_allocation_is_reported_and_nothing_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
