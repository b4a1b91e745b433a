/* The barrier search and the tick resolution against tests/golden/triple_barrier.txt, on every backend of
 * this build. */
#include "tests/unit/device_buffers.h"

#include <inttypes.h>
#include <stdio.h>

enum { MOST = 4096 }; /* bars, events and ticks of a golden case */

typedef struct events {
  int32_t start[MOST], target[MOST], stop[MOST], last[MOST], exit_bar[MOST];
  int64_t tick_first[MOST], tick_last[MOST], tick[MOST];
  int8_t outcome[MOST], final[MOST];
} events;

static FILE *golden;

static int64_t integer(void) {
  int64_t value = 0;
  if (fscanf(golden, "%" SCNd64, &value) != 1) fail_msg("the golden file ends early");
  return value;
}

static void read_events(events *all, int64_t count) {
  assert_true(count <= MOST);
  for (int64_t e = 0; e < count; e++) {
    all->start[e] = (int32_t)integer();
    all->target[e] = (int32_t)integer();
    all->stop[e] = (int32_t)integer();
    all->last[e] = (int32_t)integer();
    all->outcome[e] = (int8_t)integer();
    all->exit_bar[e] = (int32_t)integer();
    all->tick_first[e] = integer();
    all->tick_last[e] = integer();
    all->final[e] = (int8_t)integer();
    all->tick[e] = integer();
  }
}

/* Keeps the events that a tick decides, as the second pass wants them. */
static int64_t keep_touched(events *all, int64_t count) {
  int64_t kept = 0;
  for (int64_t e = 0; e < count; e++) {
    if (all->outcome[e] == FMLP_OUTCOME_TIME) continue;
    all->target[kept] = all->target[e];
    all->stop[kept] = all->stop[e];
    all->tick_first[kept] = all->tick_first[e];
    all->tick_last[kept] = all->tick_last[e];
    all->outcome[kept] = all->outcome[e];
    all->final[kept] = all->final[e];
    all->tick[kept++] = all->tick[e];
  }
  return kept;
}

static void check_search(const fmlp_compute *compute, fmlp_barrier_search job, const int32_t *high,
                         const int32_t *low, const events *all) {
  static int8_t outcome[MOST];
  static int32_t exit_bar[MOST];
  size_t bars = (size_t)job.bars * 4, count = (size_t)job.events;
  job.high = buffer_of(compute, high, bars);
  job.low = buffer_of(compute, low, bars);
  job.start_bar = buffer_of(compute, all->start, count * 4);
  job.target = buffer_of(compute, all->target, count * 4);
  job.stop = buffer_of(compute, all->stop, count * 4);
  job.last_bar = buffer_of(compute, all->last, count * 4);
  job.outcome = buffer_empty(compute, count);
  job.exit_bar = buffer_empty(compute, count * 4);
  fmlp_error error = {""};
  if (compute->backend->barrier_search(compute->device, &job, &error) != FMLP_OK) fail_msg("%s", error.text);
  buffer_read(compute, job.outcome, outcome, count);
  buffer_read(compute, job.exit_bar, exit_bar, count * 4);
  assert_memory_equal(outcome, all->outcome, count);
  assert_memory_equal(exit_bar, all->exit_bar, count * 4);
  const fmlp_buffer *used[] = {job.high, job.low,      job.start_bar, job.target,
                               job.stop, job.last_bar, job.outcome,   job.exit_bar};
  for (size_t b = 0; b < sizeof used / sizeof *used; b++) buffer_end(compute, used[b]);
}

static void check_resolve(const fmlp_compute *compute, fmlp_barrier_resolve job, const int32_t *price,
                          const events *all) {
  static int8_t outcome[MOST];
  static int64_t tick[MOST];
  size_t count = (size_t)job.events;
  job.price = buffer_of(compute, price, (size_t)job.ticks * 4);
  job.tick_first = buffer_of(compute, all->tick_first, count * 8);
  job.tick_last = buffer_of(compute, all->tick_last, count * 8);
  job.target = buffer_of(compute, all->target, count * 4);
  job.stop = buffer_of(compute, all->stop, count * 4);
  job.outcome = buffer_of(compute, all->outcome, count);
  job.exit_tick = buffer_empty(compute, count * 8);
  fmlp_error error = {""};
  if (compute->backend->barrier_resolve(compute->device, &job, &error) != FMLP_OK) fail_msg("%s", error.text);
  buffer_read(compute, job.outcome, outcome, count);
  buffer_read(compute, job.exit_tick, tick, count * 8);
  assert_memory_equal(outcome, all->final, count);
  assert_memory_equal(tick, all->tick, count * 8);
  const fmlp_buffer *used[] = {job.price, job.tick_first, job.tick_last, job.target,
                               job.stop,  job.outcome,    job.exit_tick};
  for (size_t b = 0; b < sizeof used / sizeof *used; b++) buffer_end(compute, used[b]);
}

static int64_t check_case(const fmlp_compute *compute) {
  static int32_t high[MOST], low[MOST], price[MOST];
  static events all;
  int32_t side = (int32_t)integer();
  fmlp_tie_rule tie = (fmlp_tie_rule)integer();
  int64_t bars = integer(), count = integer(), ticks = integer(), ties = 0;
  assert_true(bars <= MOST && ticks <= MOST);
  for (int64_t i = 0; i < bars; i++) high[i] = (int32_t)integer();
  for (int64_t i = 0; i < bars; i++) low[i] = (int32_t)integer();
  for (int64_t i = 0; i < ticks; i++) price[i] = (int32_t)integer();
  read_events(&all, count);
  for (int64_t e = 0; e < count; e++) ties += all.outcome[e] == FMLP_OUTCOME_TIE;
  check_search(compute, (fmlp_barrier_search){.side = side, .tie = tie, .bars = bars, .events = count}, high,
               low, &all);
  int64_t touched = keep_touched(&all, count);
  check_resolve(compute, (fmlp_barrier_resolve){.side = side, .ticks = ticks, .events = touched}, price,
                &all);
  return ties;
}

static void every_golden_event_ends_in_its_bar_and_at_its_tick(void **state) {
  (void)state;
  for (const fmlp_backend *const *backend = fmlp_backends(); *backend; backend++) {
    if (!is_usable(*backend)) continue;
    golden = fopen(FMLP_SOURCE_DIR "/tests/golden/triple_barrier.txt", "r");
    assert_non_null(golden);
    fmlp_compute compute = open_compute((*backend)->name);
    int64_t cases = integer(), ties = 0;
    assert_int_equal(cases, 20);
    for (int64_t c = 0; c < cases; c++) ties += check_case(&compute);
    assert_true(ties > 30);
    fmlp_compute_close(&compute);
    (void)fclose(golden);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_golden_event_ends_in_its_bar_and_at_its_tick)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
