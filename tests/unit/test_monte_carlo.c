/* Monte Carlo against a loop over one path at a time, on every backend of this build, and what its kinds
 * mean.
 */
#include "tests/unit/device_buffers.h"

#include <string.h>

#include "common/core/bits.h"
#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "common/core/tree.h"
#include "tests/equivalence/cases_monte_carlo.h"

typedef struct results {
  double *final_capital, *max_drawdown, *fan;
  int32_t *trades_used;
  int8_t *outcome;
  fmlp_monte_carlo_totals totals;
} results;

typedef struct inputs {
  double *pnl, *ratio;
  int64_t *day_offset;
  int64_t days;
} inputs;

static void *make(int64_t count, size_t size) {
  fmlp_error error = {""};
  void *block = NULL;
  if (fmlp_alloc_zero(&block, count, size, "test data", &error) != FMLP_OK) fail_msg("%s", error.text);
  return block;
}

static inputs inputs_of(const monte_carlo_case *c) {
  inputs in = {make(c->trades, 8), make(c->trades, 8), make(c->trades + 1, 8), 0};
  monte_carlo_make_trades(c, in.pnl, in.ratio);
  in.days = monte_carlo_make_days(c, in.day_offset);
  return in;
}

static void inputs_release(inputs *in) {
  fmlp_free(in->pnl);
  fmlp_free(in->ratio);
  fmlp_free(in->day_offset);
}

static results results_reserve(int64_t paths, int32_t fan_points) {
  results out = {make(paths, 8), make(paths, 8), make(paths * fan_points, 8),
                 make(paths, 4), make(paths, 1), {{0}, 0, 0, 0, 0}};
  return out;
}

static void results_release(results *out) {
  fmlp_free(out->final_capital);
  fmlp_free(out->max_drawdown);
  fmlp_free(out->fan);
  fmlp_free(out->trades_used);
  fmlp_free(out->outcome);
}

/* ---- the definition, one path at a time, every draw from scratch ---- */

typedef struct trader {
  const fmlp_monte_carlo *job;
  const inputs *in;
  uint64_t path;
  int64_t previous, day_left, days_drawn;
  int64_t *order;
} trader;

static int64_t draw_index(const trader *who, int64_t draw, int64_t n) {
  return fmlp_philox_index(fmlp_philox_u32(who->job->seed, who->path, (uint64_t)draw), n);
}

/* Which trade comes as number t; `*opens` when a resampled day begins with it. */
static int64_t next_trade(trader *who, int64_t t, bool *opens) {
  int64_t n = who->job->trades, length = who->job->block_length;
  *opens = false;
  switch (who->job->kind) {
  case FMLP_MC_IID:
    return draw_index(who, t, n);
  case FMLP_MC_MOVING_BLOCK:
    return draw_index(who, t / length, n - length + 1) + t % length;
  case FMLP_MC_CIRCULAR_BLOCK:
    return (draw_index(who, t / length, n) + t % length) % n;
  case FMLP_MC_STATIONARY: {
    uint64_t u = fmlp_philox_u32(who->job->seed, who->path, (uint64_t)(2 * t));
    bool restart = t == 0 || u < ((uint64_t)1 << 32) / (uint64_t)length;
    return who->previous = restart ? draw_index(who, 2 * t + 1, n) : (who->previous + 1) % n;
  }
  case FMLP_MC_PERMUTATION: {
    int64_t j = t + draw_index(who, t, n - t), taken = who->order[j];
    who->order[j] = who->order[t];
    who->order[t] = taken;
    return taken;
  }
  case FMLP_MC_DAY:
    if (who->day_left == 0) {
      int64_t day = draw_index(who, who->days_drawn++, who->job->days);
      who->previous = who->in->day_offset[day] - 1;
      who->day_left = who->in->day_offset[day + 1] - who->in->day_offset[day];
      *opens = true;
    }
    who->day_left--;
    return ++who->previous;
  }
  return -1;
}

static void one_path(const fmlp_monte_carlo *job, const inputs *in, int64_t p, int64_t *order, results *out) {
  trader who = {.job = job, .in = in, .path = (uint64_t)(job->first_path + p), .order = order};
  for (int64_t t = 0; t < job->trades; t++) order[t] = t;
  double capital = job->initial_capital, peak = capital, drawdown = 0.0, day_open = capital;
  int64_t used = 0;
  int32_t column = 0;
  int outcome = FMLP_PATH_COMPLETE;
  while (used < job->max_trades && outcome == FMLP_PATH_COMPLETE) {
    bool opens = false;
    int64_t trade = next_trade(&who, used++, &opens);
    if (opens) day_open = capital;
    double change = job->compounding ? in->ratio[trade] * capital : in->pnl[trade];
    capital = capital + change;
    if (capital > peak) peak = capital;
    double fall = (peak - capital) / peak;
    if (fall > drawdown) drawdown = fall;
    if (job->kind == FMLP_MC_DAY && capital - day_open <= -job->daily_loss) {
      outcome = FMLP_PATH_DAILY_LOSS;
    } else if (capital <= job->ruin_level) {
      outcome = FMLP_PATH_RUIN;
    } else if (capital >= job->target_level) {
      outcome = FMLP_PATH_TARGET;
    }
    for (; column < job->fan_points; column++) {
      int64_t at = (job->max_trades * (column + 1) + job->fan_points - 1) / job->fan_points;
      if (at > used) break;
      out->fan[column * job->paths + p] = fmlp_canonical(capital);
    }
  }
  for (; column < job->fan_points; column++) out->fan[column * job->paths + p] = fmlp_canonical(capital);
  out->final_capital[p] = fmlp_canonical(capital);
  out->max_drawdown[p] = fmlp_canonical(drawdown);
  out->trades_used[p] = (int32_t)used;
  out->outcome[p] = (int8_t)outcome;
}

static results expected_of(const fmlp_monte_carlo *job, const inputs *in) {
  results out = results_reserve(job->paths, job->fan_points);
  int64_t *order = make(job->trades, 8);
  for (int64_t p = 0; p < job->paths; p++) {
    one_path(job, in, p, order, &out);
    out.totals.outcome_count[out.outcome[p]]++;
    out.totals.loss_count += out.final_capital[p] < job->initial_capital;
    out.totals.trades_used_total += out.trades_used[p];
  }
  out.totals.mean_final_capital =
      fmlp_canonical(fmlp_tree_sum(out.final_capital, job->paths) / (double)job->paths);
  out.totals.mean_max_drawdown =
      fmlp_canonical(fmlp_tree_sum(out.max_drawdown, job->paths) / (double)job->paths);
  fmlp_free(order);
  return out;
}

/* ---- the backend's answer ---- */

static results run(const fmlp_compute *compute, fmlp_monte_carlo job, const inputs *in) {
  results out = results_reserve(job.paths, job.fan_points);
  size_t paths = (size_t)job.paths, trades = (size_t)job.trades * 8;
  size_t days = ((size_t)in->days + 1) * 8, fan = paths * (size_t)job.fan_points * 8;
  job.pnl = buffer_of(compute, in->pnl, trades);
  job.ratio = buffer_of(compute, in->ratio, trades);
  job.day_offset = buffer_of(compute, in->day_offset, days);
  job.final_capital = buffer_empty(compute, paths * 8);
  job.max_drawdown = buffer_empty(compute, paths * 8);
  job.trades_used = buffer_empty(compute, paths * 4);
  job.outcome = buffer_empty(compute, paths);
  job.fan = buffer_empty(compute, fan);
  fmlp_error error = {""};
  if (compute->backend->monte_carlo(compute->device, &job, &out.totals, &error) != FMLP_OK) {
    fail_msg("%s", error.text);
  }
  buffer_read(compute, job.final_capital, out.final_capital, paths * 8);
  buffer_read(compute, job.max_drawdown, out.max_drawdown, paths * 8);
  buffer_read(compute, job.trades_used, out.trades_used, paths * 4);
  buffer_read(compute, job.outcome, out.outcome, paths);
  if (fan > 0) buffer_read(compute, job.fan, out.fan, fan);
  const fmlp_buffer *all[] = {job.pnl,          job.ratio,       job.day_offset, job.final_capital,
                              job.max_drawdown, job.trades_used, job.outcome,    job.fan};
  for (size_t b = 0; b < sizeof all / sizeof *all; b++) buffer_end(compute, all[b]);
  return out;
}

static void compare(const char *backend, const monte_carlo_case *c, const fmlp_monte_carlo *job,
                    const results *got, const results *expected) {
  for (int64_t p = 0; p < job->paths; p++) {
    bool same = fmlp_bits_of(got->final_capital[p]) == fmlp_bits_of(expected->final_capital[p]) &&
                fmlp_bits_of(got->max_drawdown[p]) == fmlp_bits_of(expected->max_drawdown[p]) &&
                got->trades_used[p] == expected->trades_used[p] && got->outcome[p] == expected->outcome[p];
    if (!same) {
      fail_msg("%s, case '%s', path %lld: %a %a %d %d, not %a %a %d %d", backend, c->name, (long long)p,
               got->final_capital[p], got->max_drawdown[p], got->trades_used[p], got->outcome[p],
               expected->final_capital[p], expected->max_drawdown[p], expected->trades_used[p],
               expected->outcome[p]);
    }
    for (int64_t f = 0; f < job->fan_points; f++) {
      double a = got->fan[f * job->paths + p], b = expected->fan[f * job->paths + p];
      if (fmlp_bits_of(a) != fmlp_bits_of(b)) {
        fail_msg("%s, case '%s', path %lld, fan %lld: %a, not %a", backend, c->name, (long long)p,
                 (long long)f, a, b);
      }
    }
  }
  if (memcmp(&got->totals, &expected->totals, sizeof got->totals) != 0) {
    fail_msg("%s, case '%s': totals differ", backend, c->name);
  }
}

static void every_case_equals_the_path_by_path_loop(void **state) {
  (void)state;
  static const int threads[] = {1, 2, 4};
  for (const fmlp_backend *const *backend = fmlp_backends(); *backend; backend++) {
    if (!is_usable(*backend)) continue;
    fmlp_compute compute = open_compute((*backend)->name);
    for (size_t i = 0; i < MONTE_CARLO_CASES; i++) {
      const monte_carlo_case *c = &monte_carlo_cases[i];
      inputs in = inputs_of(c);
      fmlp_monte_carlo job = monte_carlo_job(c, in.days);
      results expected = expected_of(&job, &in);
      for (int t = 0; t < 3; t++) {
        fmlp_threads_set(threads[t]);
        results got = run(&compute, job, &in);
        compare((*backend)->name, c, &job, &got, &expected);
        results_release(&got);
      }
      results_release(&expected);
      inputs_release(&in);
    }
    fmlp_compute_close(&compute);
  }
  fmlp_threads_set(0);
}

static void a_path_is_the_same_alone_and_among_many(void **state) {
  (void)state;
  fmlp_compute compute = open_compute("cpu");
  for (size_t i = 0; i < MONTE_CARLO_CASES; i++) {
    const monte_carlo_case *c = &monte_carlo_cases[i];
    inputs in = inputs_of(c);
    fmlp_monte_carlo job = monte_carlo_job(c, in.days);
    results whole = run(&compute, job, &in);
    int64_t step = c->paths / 3 + 1;
    for (int64_t first = 0; first < c->paths; first += step) {
      fmlp_monte_carlo part = job;
      part.first_path = first;
      part.paths = c->paths - first < step ? c->paths - first : step;
      results got = run(&compute, part, &in);
      size_t bytes = (size_t)part.paths * 8;
      assert_memory_equal(got.final_capital, whole.final_capital + first, bytes);
      assert_memory_equal(got.max_drawdown, whole.max_drawdown + first, bytes);
      assert_memory_equal(got.outcome, whole.outcome + first, (size_t)part.paths);
      results_release(&got);
    }
    results_release(&whole);
    inputs_release(&in);
  }
  fmlp_compute_close(&compute);
}

static void path_numbers_beyond_32_bits_are_streams_of_their_own(void **state) {
  (void)state;
  fmlp_compute compute = open_compute("cpu");
  const monte_carlo_case *c = &monte_carlo_cases[0];
  inputs in = inputs_of(c);
  fmlp_monte_carlo job = monte_carlo_job(c, in.days);
  job.paths = 3;
  job.first_path = ((int64_t)1 << 32) - 1;
  results got = run(&compute, job, &in), expected = expected_of(&job, &in);
  compare("cpu", c, &job, &got, &expected);
  job.first_path = 0;
  results low = run(&compute, job, &in);
  assert_true(low.final_capital[0] != got.final_capital[1]);
  results_release(&low);
  results_release(&got);
  results_release(&expected);
  inputs_release(&in);
  fmlp_compute_close(&compute);
}

/* Final capitals of `paths` paths of distinct powers of two: which trades, and how often, can be read off. */
static results of_powers(fmlp_resampling kind, int64_t trades, int64_t max_trades, int64_t block_length,
                         int64_t paths) {
  fmlp_compute compute = open_compute("cpu");
  inputs in = {make(trades, 8), make(trades, 8), make(trades + 1, 8), 0};
  for (int64_t t = 0; t < trades; t++) in.pnl[t] = (double)((int64_t)1 << t);
  for (int64_t t = 0; t <= trades; t += 2) in.day_offset[in.days++] = t;
  in.day_offset[in.days] = trades;
  if (in.day_offset[in.days - 1] == trades) in.days--;
  fmlp_monte_carlo job = {.kind = kind,
                          .seed = 7,
                          .paths = paths,
                          .trades = trades,
                          .days = kind == FMLP_MC_DAY ? in.days : 0,
                          .block_length = block_length,
                          .max_trades = max_trades,
                          .initial_capital = 1.0,
                          .ruin_level = -(double)INFINITY,
                          .daily_loss = (double)INFINITY,
                          .target_level = (double)INFINITY,
                          .fan_points = (int32_t)max_trades};
  results out = run(&compute, job, &in);
  inputs_release(&in);
  fmlp_compute_close(&compute);
  return out;
}

/* The trade taken as number t of a path from of_powers. */
static int taken(const results *out, int64_t paths, int64_t path, int64_t t) {
  double before = t == 0 ? 1.0 : out->fan[(t - 1) * paths + path];
  return (int)(fmlp_bits_of(out->fan[t * paths + path] - before) >> 52) - 1023;
}

static void a_permutation_takes_every_trade_once_and_orders_vary(void **state) {
  (void)state;
  results out = of_powers(FMLP_MC_PERMUTATION, 20, 20, 1, 4000);
  int first_count[20] = {0};
  for (int64_t p = 0; p < 4000; p++) {
    uint32_t seen = 0;
    for (int64_t t = 0; t < 20; t++) seen |= (uint32_t)1 << taken(&out, 4000, p, t);
    assert_int_equal(seen, 0xfffff);
    first_count[taken(&out, 4000, p, 0)]++;
  }
  for (int t = 0; t < 20; t++) assert_in_range(first_count[t], 130, 270); /* 200 +- 5 standard deviations */
  results_release(&out);
}

static void iid_draws_every_trade_equally_often(void **state) {
  (void)state;
  results out = of_powers(FMLP_MC_IID, 16, 16, 1, 4000);
  int count[16] = {0};
  for (int64_t p = 0; p < 4000; p++) {
    for (int64_t t = 0; t < 16; t++) count[taken(&out, 4000, p, t)]++;
  }
  for (int t = 0; t < 16; t++) assert_in_range(count[t], 3690, 4310); /* 4000 +- 5 standard deviations */
  results_release(&out);
}

static void a_moving_block_never_wraps_and_a_circular_one_does(void **state) {
  (void)state;
  for (int kind = FMLP_MC_MOVING_BLOCK; kind <= FMLP_MC_CIRCULAR_BLOCK; kind++) {
    results out = of_powers((fmlp_resampling)kind, 10, 12, 4, 500);
    int wraps = 0;
    for (int64_t p = 0; p < 500; p++) {
      for (int64_t t = 0; t < 12; t++) {
        if (t % 4 == 0) continue;
        int now = taken(&out, 500, p, t), before = taken(&out, 500, p, t - 1);
        assert_int_equal(now, (before + 1) % 10);
        wraps += now == 0;
      }
    }
    if (kind == FMLP_MC_MOVING_BLOCK) assert_int_equal(wraps, 0);
    if (kind == FMLP_MC_CIRCULAR_BLOCK) assert_in_range(wraps, 300, 600); /* 3 of 10 starts, 1500 blocks */
    results_release(&out);
  }
}

static void stationary_blocks_have_the_mean_length_asked_for(void **state) {
  (void)state;
  results out = of_powers(FMLP_MC_STATIONARY, 20, 40, 5, 2000);
  int jumps = 0;
  for (int64_t p = 0; p < 2000; p++) {
    for (int64_t t = 1; t < 40; t++) {
      jumps += taken(&out, 2000, p, t) != (taken(&out, 2000, p, t - 1) + 1) % 20;
    }
  }
  /* 78000 steps, restart with 1/5, of which 1/20 look like no jump: 14820 +- 5 standard deviations of 110 */
  assert_in_range(jumps, 14270, 15370);
  results_release(&out);
}

static void days_stay_whole_and_the_last_is_cut_by_max_trades(void **state) {
  (void)state;
  results out = of_powers(FMLP_MC_DAY, 11, 15, 1, 500); /* days of 2, 2, 2, 2, 2, 1 */
  int singles = 0;
  for (int64_t p = 0; p < 500; p++) {
    for (int64_t t = 0; t < 15; t++) {
      int trade = taken(&out, 500, p, t);
      if (trade == 10) {
        singles++;
        continue;
      }
      assert_int_equal(trade % 2, 0);
      if (t + 1 < 15) assert_int_equal(taken(&out, 500, p, ++t), trade + 1);
    }
    assert_int_equal(out.trades_used[p], 15);
  }
  assert_true(singles > 500);
  results_release(&out);
}

/* A job of one path and one day of the given trades, with limits; its outcome and trades used. */
static int single(const double *pnl, int64_t trades, double ruin, double daily_loss, double target,
                  int32_t *used, double *drawdown) {
  fmlp_compute compute = open_compute("cpu");
  inputs in = {make(trades, 8), make(trades, 8), make(2, 8), 1};
  memcpy(in.pnl, pnl, (size_t)trades * 8);
  in.day_offset[1] = trades;
  fmlp_monte_carlo job = {.kind = FMLP_MC_DAY,
                          .paths = 1,
                          .trades = trades,
                          .days = 1,
                          .block_length = 1,
                          .max_trades = trades,
                          .initial_capital = 1000.0,
                          .ruin_level = ruin,
                          .daily_loss = daily_loss,
                          .target_level = target};
  results out = run(&compute, job, &in);
  int outcome = out.outcome[0];
  *used = out.trades_used[0];
  *drawdown = out.max_drawdown[0];
  results_release(&out);
  inputs_release(&in);
  fmlp_compute_close(&compute);
  return outcome;
}

static void limits_stop_at_the_first_trade_that_meets_one_in_the_order_stated(void **state) {
  (void)state;
  static const double fall[] = {-50, -50, 500};
  double inf = (double)INFINITY, drawdown = 0;
  int32_t used = 0;
  assert_int_equal(single(fall, 3, 900, inf, inf, &used, &drawdown), FMLP_PATH_RUIN);
  assert_int_equal(used, 2);
  assert_true(drawdown == 0.1);
  assert_int_equal(single(fall, 3, 899.5, inf, 1400, &used, &drawdown), FMLP_PATH_TARGET);
  assert_int_equal(used, 3);
  assert_int_equal(single(fall, 3, 900, 100, inf, &used, &drawdown), FMLP_PATH_DAILY_LOSS); /* before ruin */
  assert_int_equal(used, 2);
  assert_int_equal(single(fall, 3, 900, 100.5, inf, &used, &drawdown), FMLP_PATH_RUIN);
  assert_int_equal(single(fall, 3, -inf, inf, inf, &used, &drawdown), FMLP_PATH_COMPLETE);
  assert_int_equal(used, 3);
  static const double below_zero[] = {-1500, 100};
  assert_int_equal(single(below_zero, 2, -inf, inf, inf, &used, &drawdown), FMLP_PATH_COMPLETE);
  assert_true(drawdown == 1.5);
}

static void a_failed_allocation_is_reported_and_nothing_leaks(void **state) {
  (void)state;
  fmlp_compute compute = open_compute("cpu");
  fmlp_error error = {""};
  fmlp_buffer *out[4] = {buffer_empty(&compute, 80), buffer_empty(&compute, 80), buffer_empty(&compute, 40),
                         buffer_empty(&compute, 10)};
  double pnl[5] = {1, 2, 3, 4, 5};
  fmlp_buffer *in = buffer_of(&compute, pnl, sizeof pnl);
  fmlp_monte_carlo job = {.kind = FMLP_MC_PERMUTATION,
                          .paths = 10,
                          .trades = 5,
                          .max_trades = 5,
                          .initial_capital = 1.0,
                          .pnl = in,
                          .final_capital = out[0],
                          .max_drawdown = out[1],
                          .trades_used = out[2],
                          .outcome = out[3]};
  fmlp_monte_carlo_totals totals;
  static const char *const arrays[] = {"the columns of the fan", "Monte Carlo scratch", "the permutations"};
  for (int64_t nth = 1; nth <= 3; nth++) {
    fmlp_memory_fail_at(nth);
    assert_int_equal(compute.backend->monte_carlo(compute.device, &job, &totals, &error), FMLP_ERR_OTHER);
    fmlp_memory_fail_at(0);
    assert_non_null(strstr(error.text, arrays[nth - 1]));
  }
  for (int b = 0; b < 4; b++) buffer_end(&compute, out[b]);
  buffer_end(&compute, in);
  fmlp_compute_close(&compute);
}

static void more_trades_than_the_outputs_can_number_are_an_error(void **state) {
  (void)state;
  fmlp_compute compute = open_compute("cpu");
  fmlp_error error = {""};
  fmlp_monte_carlo job = {
      .kind = FMLP_MC_IID, .paths = 1, .trades = 1, .max_trades = (int64_t)1 << 31, .initial_capital = 1.0};
  fmlp_monte_carlo_totals totals;
  assert_int_equal(compute.backend->monte_carlo(compute.device, &job, &totals, &error), FMLP_ERR_USAGE);
  assert_non_null(strstr(error.text, "2147483648 a path"));
  fmlp_compute_close(&compute);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_case_equals_the_path_by_path_loop),
      cmocka_unit_test(a_path_is_the_same_alone_and_among_many),
      cmocka_unit_test(path_numbers_beyond_32_bits_are_streams_of_their_own),
      cmocka_unit_test(a_permutation_takes_every_trade_once_and_orders_vary),
      cmocka_unit_test(iid_draws_every_trade_equally_often),
      cmocka_unit_test(a_moving_block_never_wraps_and_a_circular_one_does),
      cmocka_unit_test(stationary_blocks_have_the_mean_length_asked_for),
      cmocka_unit_test(days_stay_whole_and_the_last_is_cut_by_max_trades),
      cmocka_unit_test(limits_stop_at_the_first_trade_that_meets_one_in_the_order_stated),
      cmocka_unit_test(more_trades_than_the_outputs_can_number_are_an_error),
      cmocka_unit_test(a_failed_allocation_is_reported_and_nothing_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
