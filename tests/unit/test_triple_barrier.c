/* The barrier search against a plain scan, the tick resolution, ties, and the golden file, on every backend
 * of this build. */
#include "tests/unit/device_buffers.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "tests/equivalence/cases_triple_barrier.h"

typedef struct job_data {
  int32_t bars, events, side;
  fmlp_tie_rule tie;
  int32_t *high, *low, *close;
  int32_t *start_bar, *target, *stop, *last_bar;
} job_data;

typedef struct answer {
  int8_t outcome;
  int32_t exit_bar;
} answer;

static void *make(int64_t count, size_t size) {
  fmlp_error error = {""};
  void *block = NULL;
  if (fmlp_alloc_zero(&block, count, size, "test data", &error) != FMLP_OK) fail_msg("%s", error.text);
  return block;
}

static job_data job_reserve(int32_t bars, int32_t events, int32_t side, fmlp_tie_rule tie) {
  job_data job = {.bars = bars, .events = events, .side = side, .tie = tie};
  int32_t **columns[] = {&job.high,   &job.low,  &job.close,   &job.start_bar,
                         &job.target, &job.stop, &job.last_bar};
  for (int c = 0; c < 7; c++) *columns[c] = make(c < 3 ? bars : events, sizeof(int32_t));
  return job;
}

static job_data job_of_case(const barrier_case *c, int32_t side, fmlp_tie_rule tie) {
  job_data job = job_reserve(c->bars, barrier_event_count(c), side, tie);
  barrier_make_bars(c, job.high, job.low, job.close);
  barrier_make_events(c, side, job.close, job.start_bar, job.target, job.stop, job.last_bar);
  return job;
}

static void job_release(job_data *job) {
  int32_t *columns[] = {job->high,   job->low,  job->close,   job->start_bar,
                        job->target, job->stop, job->last_bar};
  for (int c = 0; c < 7; c++) fmlp_free(columns[c]);
}

/* The definition, bar by bar. */
static answer scan(const job_data *job, int64_t e) {
  for (int32_t bar = job->start_bar[e] + 1; bar <= job->last_bar[e]; bar++) {
    int target = job->side > 0 ? job->high[bar] >= job->target[e] : job->low[bar] <= job->target[e];
    int stop = job->side > 0 ? job->low[bar] <= job->stop[e] : job->high[bar] >= job->stop[e];
    if (target && stop) {
      int8_t outcome = job->tie == FMLP_TIE_TICKS ? 2 : job->tie == FMLP_TIE_TP_FIRST ? 1 : -1;
      return (answer){outcome, bar};
    }
    if (target) return (answer){1, bar};
    if (stop) return (answer){-1, bar};
  }
  return (answer){0, job->last_bar[e]};
}

static void search(const fmlp_compute *compute, const job_data *job, int8_t *outcome, int32_t *exit_bar) {
  size_t bar_bytes = (size_t)job->bars * 4, event_bytes = (size_t)job->events * 4;
  fmlp_barrier_search request = {.side = job->side,
                                 .tie = job->tie,
                                 .bars = job->bars,
                                 .high = buffer_of(compute, job->high, bar_bytes),
                                 .low = buffer_of(compute, job->low, bar_bytes),
                                 .events = job->events,
                                 .start_bar = buffer_of(compute, job->start_bar, event_bytes),
                                 .target = buffer_of(compute, job->target, event_bytes),
                                 .stop = buffer_of(compute, job->stop, event_bytes),
                                 .last_bar = buffer_of(compute, job->last_bar, event_bytes),
                                 .outcome = buffer_empty(compute, (size_t)job->events),
                                 .exit_bar = buffer_empty(compute, event_bytes)};
  fmlp_error error = {""};
  if (compute->backend->barrier_search(compute->device, &request, &error) != FMLP_OK) {
    fail_msg("%s", error.text);
  }
  buffer_read(compute, request.outcome, outcome, (size_t)job->events);
  buffer_read(compute, request.exit_bar, exit_bar, event_bytes);
  const fmlp_buffer *all[] = {request.high, request.low,      request.start_bar, request.target,
                              request.stop, request.last_bar, request.outcome,   request.exit_bar};
  for (size_t b = 0; b < sizeof all / sizeof *all; b++) buffer_end(compute, all[b]);
}

static void check_case(const fmlp_compute *compute, const barrier_case *c, int32_t side, fmlp_tie_rule tie) {
  job_data job = job_of_case(c, side, tie);
  int8_t *outcome = make(job.events, 1);
  int32_t *exit_bar = make(job.events, sizeof *exit_bar);
  search(compute, &job, outcome, exit_bar);
  for (int32_t e = 0; e < job.events; e++) {
    answer expected = scan(&job, e);
    if (outcome[e] != expected.outcome || exit_bar[e] != expected.exit_bar) {
      fail_msg(
          "%s, case '%s', side %d, tie %d, event %d (start %d, last %d, target %d, stop %d): outcome %d at "
          "%d, not %d at %d",
          compute->backend->name, c->name, side, (int)tie, e, job.start_bar[e], job.last_bar[e],
          job.target[e], job.stop[e], outcome[e], exit_bar[e], expected.outcome, expected.exit_bar);
    }
  }
  fmlp_free(outcome);
  fmlp_free(exit_bar);
  job_release(&job);
}

static void the_search_finds_what_a_plain_scan_finds(void **state) {
  (void)state;
  static const int threads[] = {1, 2, 4};
  for (const fmlp_backend *const *backend = fmlp_backends(); *backend; backend++) {
    if (!is_usable(*backend)) continue;
    fmlp_compute compute = open_compute((*backend)->name);
    for (size_t c = 0; c < BARRIER_CASES; c++) {
      fmlp_threads_set(threads[c % 3]);
      for (int32_t side = -1; side <= 1; side += 2) {
        for (int tie = FMLP_TIE_TICKS; tie <= FMLP_TIE_TP_FIRST; tie++) {
          check_case(&compute, &barrier_cases[c], side, (fmlp_tie_rule)tie);
        }
      }
    }
    fmlp_compute_close(&compute);
  }
  fmlp_threads_set(0);
}

static void large_jobs_are_the_same_at_any_thread_count(void **state) {
  (void)state;
  fmlp_compute compute = open_compute("cpu");
  static const barrier_case large = {"large", MARKET_GAPS, 400000, 0, 700, 120, 99};
  job_data job = job_of_case(&large, 1, FMLP_TIE_TICKS);
  int8_t *outcome[2] = {make(job.events, 1), make(job.events, 1)};
  int32_t *exit_bar[2] = {make(job.events, 4), make(job.events, 4)};
  fmlp_threads_set(1);
  search(&compute, &job, outcome[0], exit_bar[0]);
  for (int threads = 2; threads <= 4; threads += 2) {
    fmlp_threads_set(threads);
    search(&compute, &job, outcome[1], exit_bar[1]);
    assert_memory_equal(outcome[0], outcome[1], (size_t)job.events);
    assert_memory_equal(exit_bar[0], exit_bar[1], (size_t)job.events * 4);
  }
  fmlp_threads_set(0);
  for (int32_t e = 0; e < job.events; e += 997) {
    answer expected = scan(&job, e);
    assert_int_equal(outcome[0][e], expected.outcome);
    assert_int_equal(exit_bar[0][e], expected.exit_bar);
  }
  for (int i = 0; i < 2; i++) {
    fmlp_free(outcome[i]);
    fmlp_free(exit_bar[i]);
  }
  job_release(&job);
  fmlp_compute_close(&compute);
}

/* One event at bar 0 of bars of (low, high) 95..105 with one different bar: outcome and exit bar. */
static answer one_event(int32_t side, fmlp_tie_rule tie, int32_t target, int32_t stop, int32_t at,
                        int32_t low, int32_t high, int32_t last_bar) {
  fmlp_compute compute = open_compute("cpu");
  job_data job = job_reserve(20, 1, side, tie);
  for (int32_t i = 0; i < job.bars; i++) {
    job.high[i] = i == at ? high : 105;
    job.low[i] = i == at ? low : 95;
  }
  job.target[0] = target;
  job.stop[0] = stop;
  job.last_bar[0] = last_bar;
  answer result = {0, 0};
  search(&compute, &job, &result.outcome, &result.exit_bar);
  job_release(&job);
  fmlp_compute_close(&compute);
  return result;
}

static void assert_answer(answer got, int outcome, int32_t exit_bar) {
  assert_int_equal(got.outcome, outcome);
  assert_int_equal(got.exit_bar, exit_bar);
}

static void touching_a_level_exactly_hits_and_one_point_short_does_not(void **state) {
  (void)state;
  assert_answer(one_event(1, FMLP_TIE_TICKS, 110, 90, 5, 95, 110, 19), 1, 5);
  assert_answer(one_event(1, FMLP_TIE_TICKS, 110, 90, 5, 95, 109, 19), 0, 19);
  assert_answer(one_event(1, FMLP_TIE_TICKS, 110, 90, 5, 90, 105, 19), -1, 5);
  assert_answer(one_event(1, FMLP_TIE_TICKS, 110, 90, 5, 91, 105, 19), 0, 19);
  assert_answer(one_event(-1, FMLP_TIE_TICKS, 90, 110, 5, 90, 105, 19), 1, 5);
  assert_answer(one_event(-1, FMLP_TIE_TICKS, 90, 110, 5, 95, 110, 19), -1, 5);
}

static void the_event_bar_itself_is_not_searched_and_the_last_bar_is(void **state) {
  (void)state;
  assert_answer(one_event(1, FMLP_TIE_TICKS, 110, 90, 0, 80, 120, 19), 0, 19);
  assert_answer(one_event(1, FMLP_TIE_TICKS, 110, 90, 9, 95, 120, 9), 1, 9);
  assert_answer(one_event(1, FMLP_TIE_TICKS, 110, 90, 10, 95, 120, 9), 0, 9);
  assert_answer(one_event(1, FMLP_TIE_TICKS, 110, 90, 1, 95, 120, 1), 1, 1);
}

static void the_tie_rule_alone_decides_a_bar_that_touches_both(void **state) {
  (void)state;
  for (int32_t side = -1; side <= 1; side += 2) {
    int32_t target = side > 0 ? 110 : 90, stop = side > 0 ? 90 : 110;
    assert_answer(one_event(side, FMLP_TIE_TICKS, target, stop, 3, 90, 110, 19), FMLP_OUTCOME_TIE, 3);
    assert_answer(one_event(side, FMLP_TIE_SL_FIRST, target, stop, 3, 90, 110, 19), -1, 3);
    assert_answer(one_event(side, FMLP_TIE_TP_FIRST, target, stop, 3, 90, 110, 19), 1, 3);
  }
}

static void no_events_are_no_error(void **state) {
  (void)state;
  for (const fmlp_backend *const *backend = fmlp_backends(); *backend; backend++) {
    if (!is_usable(*backend)) continue;
    fmlp_compute compute = open_compute((*backend)->name);
    job_data job = job_reserve(5, 0, 1, FMLP_TIE_TICKS);
    int8_t outcome = 77;
    int32_t exit_bar = 77;
    search(&compute, &job, &outcome, &exit_bar);
    assert_int_equal(outcome, 77);
    job_release(&job);
    fmlp_compute_close(&compute);
  }
}

/* A market that only rises, or only falls: the bar `distance` bars after the event is the first to touch. */
static void a_touch_is_found_at_every_distance_for_every_last_bar(void **state) {
  (void)state;
  enum { BARS = 2500, NEAR = 70, STARTS = 66 };
  static const int32_t far[] = {95, 96, 97, 1023, 1024, 1025, 1055, 1056, 1057, 1058, 1088, 2047, 2048, 2080};
  enum { FAR = sizeof far / sizeof far[0], DISTANCES = NEAR + FAR };
  fmlp_compute compute = open_compute("cpu");
  for (int32_t side = -1; side <= 1; side += 2) {
    job_data job = job_reserve(BARS, STARTS * DISTANCES * 3, side, FMLP_TIE_TICKS);
    for (int32_t i = 0; i < BARS; i++) {
      job.high[i] = side > 0 ? i : 0;
      job.low[i] = side > 0 ? 0 : -i;
    }
    int32_t e = 0;
    for (int32_t start = 0; start < STARTS; start++) {
      for (int32_t d = 0; d < DISTANCES; d++) {
        int32_t touched = start + (d < NEAR ? d + 1 : far[d - NEAR]);
        for (int32_t more = -1; more <= 1; more++, e++) {
          job.start_bar[e] = start;
          job.target[e] = side * touched;
          job.stop[e] = -side * BARS;
          job.last_bar[e] = touched + more > start ? touched + more : touched;
        }
      }
    }
    int8_t *outcome = make(job.events, 1);
    int32_t *exit_bar = make(job.events, 4);
    search(&compute, &job, outcome, exit_bar);
    for (e = 0; e < job.events; e++) {
      int32_t touched = side * job.target[e];
      bool reached = touched <= job.last_bar[e];
      assert_int_equal(outcome[e], reached ? FMLP_OUTCOME_TARGET : FMLP_OUTCOME_TIME);
      assert_int_equal(exit_bar[e], reached ? touched : job.last_bar[e]);
    }
    fmlp_free(outcome);
    fmlp_free(exit_bar);
    job_release(&job);
  }
  fmlp_compute_close(&compute);
}

static void a_failed_allocation_of_the_pyramid_is_reported(void **state) {
  (void)state;
  fmlp_compute compute = open_compute("cpu");
  static const barrier_case small = {"small", MARKET_WALK, 100, 1, 60, 10, 1};
  job_data job = job_of_case(&small, 1, FMLP_TIE_TICKS);
  job.start_bar[0] = 0;
  job.last_bar[0] = 33;
  fmlp_buffer *bars = buffer_of(&compute, job.high, 400), *start = buffer_of(&compute, job.start_bar, 4);
  fmlp_buffer *last = buffer_of(&compute, job.last_bar, 4), *level = buffer_of(&compute, job.target, 4);
  fmlp_buffer *outcome = buffer_empty(&compute, 1), *exit_bar = buffer_empty(&compute, 4);
  fmlp_barrier_search request = {.side = 1,
                                 .bars = 100,
                                 .high = bars,
                                 .low = bars,
                                 .events = 1,
                                 .start_bar = start,
                                 .target = level,
                                 .stop = level,
                                 .last_bar = last,
                                 .outcome = outcome,
                                 .exit_bar = exit_bar};
  fmlp_error error = {""};
  fmlp_memory_fail_at(1);
  assert_int_equal(compute.backend->barrier_search(compute.device, &request, &error), FMLP_ERR_OTHER);
  fmlp_memory_fail_at(0);
  assert_non_null(strstr(error.text, "the barrier pyramid"));
  const fmlp_buffer *all[] = {bars, start, last, level, outcome, exit_bar};
  for (size_t b = 0; b < sizeof all / sizeof *all; b++) buffer_end(&compute, all[b]);
  job_release(&job);
  fmlp_compute_close(&compute);
}

/* One event over `count` ticks: the outcome afterwards and the exit tick. */
static void resolve_one(const char *name, int32_t side, const int32_t *price, int64_t count, int64_t first,
                        int32_t target, int32_t stop, int8_t *outcome, int64_t *exit_tick) {
  fmlp_compute compute = open_compute(name);
  fmlp_barrier_resolve request = {.side = side,
                                  .ticks = count,
                                  .price = buffer_of(&compute, price, (size_t)count * 4),
                                  .events = 1,
                                  .tick_first = buffer_of(&compute, &first, 8),
                                  .tick_last = buffer_of(&compute, &count, 8),
                                  .target = buffer_of(&compute, &target, 4),
                                  .stop = buffer_of(&compute, &stop, 4),
                                  .outcome = buffer_of(&compute, outcome, 1),
                                  .exit_tick = buffer_empty(&compute, 8)};
  fmlp_error error = {""};
  if (compute.backend->barrier_resolve(compute.device, &request, &error) != FMLP_OK) {
    fail_msg("%s", error.text);
  }
  buffer_read(&compute, request.outcome, outcome, 1);
  buffer_read(&compute, request.exit_tick, exit_tick, 8);
  const fmlp_buffer *all[] = {request.price, request.tick_first, request.tick_last, request.target,
                              request.stop,  request.outcome,    request.exit_tick};
  for (size_t b = 0; b < sizeof all / sizeof *all; b++) buffer_end(&compute, all[b]);
  fmlp_compute_close(&compute);
}

static void ticks_decide_a_tie_by_what_is_touched_first(void **state) {
  (void)state;
  static const int32_t stop_first[] = {100, 110, 101, 90, 99, 110, 80};
  int8_t outcome = FMLP_OUTCOME_TIE;
  int64_t tick = 0;
  resolve_one("cpu", 1, stop_first, 7, 2, 110, 90, &outcome, &tick); /* starts behind the first 110 */
  assert_int_equal(outcome, -1);
  assert_int_equal(tick, 3);
  outcome = FMLP_OUTCOME_TIE;
  resolve_one("cpu", 1, stop_first, 7, 0, 110, 90, &outcome, &tick);
  assert_int_equal(outcome, 1);
  assert_int_equal(tick, 1);
  outcome = FMLP_OUTCOME_TIE;
  resolve_one("cpu", -1, stop_first, 7, 0, 90, 110, &outcome, &tick);
  assert_int_equal(outcome, -1);
  assert_int_equal(tick, 1);
}

static void a_decided_outcome_looks_for_its_own_level_alone(void **state) {
  (void)state;
  static const int32_t price[] = {100, 90, 110, 90, 110};
  for (int32_t side = -1; side <= 1; side += 2) {
    int32_t target = side > 0 ? 110 : 90, stop = side > 0 ? 90 : 110;
    int8_t outcome = 1;
    int64_t tick = 0;
    resolve_one("cpu", side, price, 5, 0, target, stop, &outcome, &tick);
    assert_int_equal(outcome, 1);
    assert_int_equal(tick, side > 0 ? 2 : 1);
    outcome = -1;
    resolve_one("cpu", side, price, 5, 0, target, stop, &outcome, &tick);
    assert_int_equal(outcome, -1);
    assert_int_equal(tick, side > 0 ? 1 : 2);
  }
}

static void a_touch_is_found_at_every_position_and_its_absence_reported(void **state) {
  (void)state;
  int32_t price[70];
  for (int64_t count = 1; count <= 70; count += 3) {
    for (int64_t at = 0; at < count; at++) {
      for (int64_t i = 0; i < count; i++) price[i] = i < at ? 100 : i == at ? 120 : 80;
      int8_t outcome = FMLP_OUTCOME_TIE;
      int64_t tick = -7;
      resolve_one("cpu", 1, price, count, 0, 120, 80, &outcome, &tick);
      assert_int_equal(tick, at);
      assert_int_equal(outcome, 1);
      resolve_one("cpu", 1, price, count, 0, 121, 50, &outcome, &tick);
      assert_int_equal(tick, -1);
      assert_int_equal(outcome, 1);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_search_finds_what_a_plain_scan_finds),
      cmocka_unit_test(large_jobs_are_the_same_at_any_thread_count),
      cmocka_unit_test(touching_a_level_exactly_hits_and_one_point_short_does_not),
      cmocka_unit_test(the_event_bar_itself_is_not_searched_and_the_last_bar_is),
      cmocka_unit_test(the_tie_rule_alone_decides_a_bar_that_touches_both),
      cmocka_unit_test(no_events_are_no_error),
      cmocka_unit_test(a_touch_is_found_at_every_distance_for_every_last_bar),
      cmocka_unit_test(a_failed_allocation_of_the_pyramid_is_reported),
      cmocka_unit_test(ticks_decide_a_tie_by_what_is_touched_first),
      cmocka_unit_test(a_decided_outcome_looks_for_its_own_level_alone),
      cmocka_unit_test(a_touch_is_found_at_every_position_and_its_absence_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
