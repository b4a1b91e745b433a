/* The barrier kernels against the reference, however the work is divided: block sizes, chunks of events,
 * spilled arrays, too little device memory, events in any order. */
#include "tests/unit/device_buffers.h"

#include <string.h>

#include "common/core/memory.h"
#include "cuda/device.h"
#include "tests/equivalence/cases_triple_barrier.h"

typedef struct job_data {
  int32_t bars, events;
  int32_t *bar[3];   /* high, low, close */
  int32_t *event[4]; /* start, target, stop, last */
} job_data;

static void *make(int64_t count, size_t size) {
  fmlp_error error = {""};
  void *block = NULL;
  if (fmlp_alloc_zero(&block, count, size, "test data", &error) != FMLP_OK) fail_msg("%s", error.text);
  return block;
}

static job_data job_of_case(const barrier_case *c, int32_t side) {
  job_data job = {.bars = c->bars, .events = barrier_event_count(c)};
  for (int i = 0; i < 3; i++) job.bar[i] = make(job.bars, sizeof(int32_t));
  for (int i = 0; i < 4; i++) job.event[i] = make(job.events, sizeof(int32_t));
  barrier_make_bars(c, job.bar[0], job.bar[1], job.bar[2]);
  barrier_make_events(c, side, job.bar[2], job.event[0], job.event[1], job.event[2], job.event[3]);
  return job;
}

static void job_release(job_data *job) {
  for (int i = 0; i < 3; i++) fmlp_free(job->bar[i]);
  for (int i = 0; i < 4; i++) fmlp_free(job->event[i]);
}

static fmlp_compute tuned(fmlp_gpu_tuning tuning) {
  fmlp_compute compute = open_compute("simt");
  fmlp_gpu_tune(compute.device, &tuning);
  return compute;
}

typedef struct found {
  int8_t *outcome;
  int32_t *exit_bar;
} found;

static fmlp_status search(const fmlp_compute *compute, const job_data *job, int32_t side, fmlp_tie_rule tie,
                          found *out, fmlp_error *error) {
  const size_t bar_bytes = (size_t)job->bars * 4, event_bytes = (size_t)job->events * 4;
  fmlp_buffer *all[8];
  for (int i = 0; i < 2; i++) all[i] = buffer_of(compute, job->bar[i], bar_bytes);
  for (int i = 0; i < 4; i++) all[2 + i] = buffer_of(compute, job->event[i], event_bytes);
  all[6] = buffer_empty(compute, (size_t)job->events);
  all[7] = buffer_empty(compute, event_bytes);
  const fmlp_barrier_search request = {.side = side,
                                       .tie = tie,
                                       .bars = job->bars,
                                       .high = all[0],
                                       .low = all[1],
                                       .events = job->events,
                                       .start_bar = all[2],
                                       .target = all[3],
                                       .stop = all[4],
                                       .last_bar = all[5],
                                       .outcome = all[6],
                                       .exit_bar = all[7]};
  fmlp_status status = compute->backend->barrier_search(compute->device, &request, error);
  if (status == FMLP_OK) {
    buffer_read(compute, all[6], out->outcome, (size_t)job->events);
    buffer_read(compute, all[7], out->exit_bar, event_bytes);
  }
  for (int i = 0; i < 8; i++) buffer_end(compute, all[i]);
  return status;
}

static void check(const barrier_case *c, fmlp_gpu_tuning tuning) {
  fmlp_compute reference = open_compute("cpu"), compute = tuned(tuning);
  for (int32_t side = -1; side <= 1; side += 2) {
    job_data job = job_of_case(c, side);
    found expected = {make(job.events, 1), make(job.events, 4)},
          got = {make(job.events, 1), make(job.events, 4)};
    fmlp_error error = {""};
    assert_int_equal(search(&reference, &job, side, FMLP_TIE_TICKS, &expected, &error), FMLP_OK);
    if (search(&compute, &job, side, FMLP_TIE_TICKS, &got, &error) != FMLP_OK) fail_msg("%s", error.text);
    for (int32_t e = 0; e < job.events; e++) {
      if (got.outcome[e] != expected.outcome[e] || got.exit_bar[e] != expected.exit_bar[e]) {
        fail_msg(
            "case '%s', side %d, threads %d, chunk %lld, memory %lld, spill %d: event %d: outcome %d at %d, "
            "not %d at %d",
            c->name, side, tuning.threads, (long long)tuning.chunk, (long long)tuning.memory, tuning.spill, e,
            got.outcome[e], got.exit_bar[e], expected.outcome[e], expected.exit_bar[e]);
      }
    }
    fmlp_free(expected.outcome);
    fmlp_free(expected.exit_bar);
    fmlp_free(got.outcome);
    fmlp_free(got.exit_bar);
    job_release(&job);
  }
  fmlp_compute_close(&reference);
  fmlp_compute_close(&compute);
}

static void the_search_does_not_depend_on_how_it_is_divided(void **state) {
  (void)state;
  static const fmlp_gpu_tuning tunings[] = {
      {.threads = 32}, {.threads = 96, .spill = true}, {.threads = 1024}, {.chunk = 97},
      {.chunk = 1000}, {.chunk = 61, .spill = true},   {.memory = 60000}, {.memory = 9000, .spill = true}};
  for (size_t c = 0; c < BARRIER_CASES; c++) {
    for (size_t t = 0; t < sizeof tunings / sizeof *tunings; t++) {
      const bool far = barrier_cases[c].horizon > 700;
      if (far && (tunings[t].chunk > 0 || tunings[t].memory > 0)) continue;
      check(&barrier_cases[c], tunings[t]);
    }
  }
  static const barrier_case few = {"few", MARKET_GAPS, 300, 0, 40, 20, 31};
  static const int64_t chunks[] = {1, 2, 3, 5, 7, 13};
  for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
    check(&few, (fmlp_gpu_tuning){.chunk = chunks[i]});
    check(&few, (fmlp_gpu_tuning){.chunk = chunks[i], .spill = true});
  }
  static const barrier_case any_order = {"any order", MARKET_WALK, 3000, 400, 300, 50, 32};
  check(&any_order, (fmlp_gpu_tuning){.chunk = 13, .spill = true});
  check(&any_order, (fmlp_gpu_tuning){.memory = 20000, .spill = true});
  /* The bars stay, the events come in two parts. */
  static const barrier_case many = {"many events", MARKET_WALK, 300, 10000, 64, 12, 35};
  check(&many, (fmlp_gpu_tuning){.memory = 120000, .spill = true});
}

static void what_does_not_fit_at_all_is_a_clear_error(void **state) {
  (void)state;
  static const barrier_case long_horizon = {"long", MARKET_WALK, 5000, 0, 4000, 1000000, 33};
  fmlp_compute compute = tuned((fmlp_gpu_tuning){.memory = 8000, .spill = true});
  job_data job = job_of_case(&long_horizon, 1);
  fmlp_error error = {""};
  assert_int_equal(search(&compute, &job, 1, FMLP_TIE_TICKS, &(found){NULL, NULL}, &error), FMLP_ERR_DEVICE);
  assert_string_equal(error.text,
                      "simt: labels: the 4001 bars of one event do not fit into device memory; use "
                      "runtime.device=cpu");
  job_release(&job);
  fmlp_compute_close(&compute);
}

enum { TICKS = 4000, EVENTS = 600 };

typedef struct tick_job {
  int32_t price[TICKS], target[EVENTS], stop[EVENTS];
  int64_t first[EVENTS], last[EVENTS];
  int8_t outcome[EVENTS];
} tick_job;

/* Ranges of 0 to 79 ticks in no order, some that share ticks, every outcome, some without a touch. */
static void make_ticks(tick_job *job, int32_t side) {
  static const barrier_case c = {"ticks", MARKET_WALK, TICKS, EVENTS, 1, 4, 34};
  for (int64_t i = 0; i < TICKS; i++) job->price[i] = 100 + (int32_t)barrier_draw(&c, 20, i, 21) - 10;
  for (int64_t e = 0; e < EVENTS; e++) {
    static const int8_t outcomes[] = {FMLP_OUTCOME_TIE, FMLP_OUTCOME_TARGET, FMLP_OUTCOME_STOP,
                                      FMLP_OUTCOME_TIME};
    job->first[e] = barrier_draw(&c, 21, e, TICKS - 80);
    job->last[e] = job->first[e] + barrier_draw(&c, 22, e, 80);
    job->outcome[e] = outcomes[barrier_draw(&c, 23, e, 4)];
    const int32_t away = 8 + (int32_t)barrier_draw(&c, 24, e, 4);
    job->target[e] = 100 + side * away;
    job->stop[e] = 100 - side * (away > 9 ? 9 : away);
  }
}

static void resolve(const fmlp_compute *compute, const tick_job *job, int32_t side, int8_t *outcome,
                    int64_t *exit_tick) {
  const fmlp_barrier_resolve request = {.side = side,
                                        .ticks = TICKS,
                                        .price = buffer_of(compute, job->price, sizeof job->price),
                                        .events = EVENTS,
                                        .tick_first = buffer_of(compute, job->first, sizeof job->first),
                                        .tick_last = buffer_of(compute, job->last, sizeof job->last),
                                        .target = buffer_of(compute, job->target, sizeof job->target),
                                        .stop = buffer_of(compute, job->stop, sizeof job->stop),
                                        .outcome = buffer_of(compute, job->outcome, sizeof job->outcome),
                                        .exit_tick = buffer_empty(compute, EVENTS * sizeof *exit_tick)};
  fmlp_error error = {""};
  if (compute->backend->barrier_resolve(compute->device, &request, &error) != FMLP_OK)
    fail_msg("%s", error.text);
  buffer_read(compute, request.outcome, outcome, EVENTS);
  buffer_read(compute, request.exit_tick, exit_tick, EVENTS * sizeof *exit_tick);
  const fmlp_buffer *all[] = {request.price, request.tick_first, request.tick_last, request.target,
                              request.stop,  request.outcome,    request.exit_tick};
  for (size_t b = 0; b < sizeof all / sizeof *all; b++) buffer_end(compute, all[b]);
}

static void the_ticks_do_not_depend_on_how_they_are_divided(void **state) {
  (void)state;
  static tick_job job;
  static const fmlp_gpu_tuning tunings[] = {
      {.threads = 0},    {.threads = 32},  {.threads = 96, .spill = true},
      {.threads = 1024}, {.chunk = 1},     {.chunk = 7, .spill = true},
      {.chunk = 100},    {.memory = 9000}, {.memory = 4000, .spill = true}};
  int8_t expected[EVENTS], got[EVENTS];
  int64_t expected_tick[EVENTS], got_tick[EVENTS];
  for (int32_t side = -1; side <= 1; side += 2) {
    make_ticks(&job, side);
    fmlp_compute reference = open_compute("cpu");
    resolve(&reference, &job, side, expected, expected_tick);
    fmlp_compute_close(&reference);
    for (size_t t = 0; t < sizeof tunings / sizeof *tunings; t++) {
      fmlp_compute compute = tuned(tunings[t]);
      resolve(&compute, &job, side, got, got_tick);
      fmlp_compute_close(&compute);
      assert_memory_equal(got, expected, sizeof got);
      assert_memory_equal(got_tick, expected_tick, sizeof got_tick);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_search_does_not_depend_on_how_it_is_divided),
      cmocka_unit_test(what_does_not_fit_at_all_is_a_clear_error),
      cmocka_unit_test(the_ticks_do_not_depend_on_how_they_are_divided),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
