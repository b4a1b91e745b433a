/* A capture made by hand, small enough to check every view of it against numbers written down: two threads,
 * nested and recursive paths with a name that every format must escape, two streams of one device with
 * kernels at the same time and one operation nobody is known to have launched, calls, counters, samples.
 *
 *   main thread   run [1000, 100000]
 *                   labels [2000, 20000] and [30000, 50000], search twice in each
 *                   walk [60000, 90000], itself twice in it, the second time in no time
 *   other thread  worker twice, walk in each
 *
 * Spans and paths agree exactly; self times add up to PROFILE_FIXTURE_TOTAL, the device's operations to
 * PROFILE_FIXTURE_DEVICE. */
#ifndef FMLP_TESTS_PROFILE_FIXTURE_H
#define FMLP_TESTS_PROFILE_FIXTURE_H

#include "tests/cmocka_fmlp.h"

#include <stdlib.h>
#include <string.h>

#include "prof/capture.h"

enum { PROFILE_FIXTURE_TOTAL = 149000, PROFILE_FIXTURE_DEVICE = 15500 };

enum profile_fixture_site {
  PROFILE_FIXTURE_RUN,
  PROFILE_FIXTURE_LABELS,
  PROFILE_FIXTURE_SEARCH,
  PROFILE_FIXTURE_WALK,
  PROFILE_FIXTURE_WORKER
};

static inline void *profile_fixture_copy(const void *from, size_t size) {
  void *copy = malloc(size);
  assert_non_null(copy);
  memcpy(copy, from, size);
  return copy;
}

#define PROFILE_FIXTURE_COPY(array)  profile_fixture_copy(array, sizeof(array))
#define PROFILE_FIXTURE_COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static inline void profile_fixture_spans(fmlp_capture *capture) {
  static const fmlp_capture_site sites[] = {{"run", "common/pipeline.c", "fmlp_run", 40},
                                            {"labels", "common/stages/labels.c", "fmlp_label", 90},
                                            {"labels.search", "cpu/triple_barrier.c", "search", 9},
                                            {"walk \"a;b\" <\\>", "common/stages/walk.c", "walk", 10},
                                            {"worker", "cpu/pool.c", "work", 7}};
  static const fmlp_capture_thread threads[] = {{100, true}, {101, false}};
  static const fmlp_capture_node nodes[] = {
      {0, -1, PROFILE_FIXTURE_RUN, 1, 31000, 99000, 1, 1024, 4000000},
      {0, 0, PROFILE_FIXTURE_LABELS, 2, 12000, 38000, 2, 8192, 0},
      {0, 1, PROFILE_FIXTURE_SEARCH, 4, 26000, 26000, 0, 0, 65536},
      {0, 0, PROFILE_FIXTURE_WALK, 1, 20999, 30000, 0, 0, 0},
      {0, 3, PROFILE_FIXTURE_WALK, 2, 9001, 9001, 3, 48, 0},
      {1, -1, PROFILE_FIXTURE_WORKER, 2, 36000, 50000, 0, 0, 512},
      {1, 5, PROFILE_FIXTURE_WALK, 2, 14000, 14000, 0, 0, 128},
  };
  static const fmlp_capture_event events[] = {
      {0, 0, 1000, 100000}, {1, 1, 2000, 20000},  {2, 2, 3000, 8000},   {2, 2, 9000, 12000},
      {1, 1, 30000, 50000}, {2, 2, 31000, 40000}, {2, 2, 40000, 49000}, {3, 1, 60000, 90000},
      {4, 2, 61000, 70001}, {4, 2, 70001, 70001}, {5, 0, 5000, 25000},  {6, 1, 6000, 10000},
      {5, 0, 30000, 60000}, {6, 1, 31000, 41000},
  };
  capture->start = 1000000000;
  capture->stop = 1000120000;
  capture->level = FMLP_CAPTURE_FULL;
  capture->sites = PROFILE_FIXTURE_COPY(sites);
  capture->site_count = PROFILE_FIXTURE_COUNT(sites);
  capture->threads = PROFILE_FIXTURE_COPY(threads);
  capture->thread_count = PROFILE_FIXTURE_COUNT(threads);
  capture->nodes = PROFILE_FIXTURE_COPY(nodes);
  capture->node_count = PROFILE_FIXTURE_COUNT(nodes);
  capture->events = PROFILE_FIXTURE_COPY(events);
  capture->event_count = PROFILE_FIXTURE_COUNT(events);
  capture->spans = capture->event_count;
  capture->pair_picoseconds = 20500;
}

static inline void profile_fixture_device(fmlp_capture *capture) {
  const int32_t copy = fmlp_capture_name(capture, "cudaMemcpyAsync");
  const int32_t launch = fmlp_capture_name(capture, "cudaLaunchKernel");
  const int32_t wait = fmlp_capture_name(capture, "cudaStreamSynchronize");
  const int32_t barrier = fmlp_capture_name(capture, "triple_barrier");
  const int32_t sum = fmlp_capture_name(capture, "sum<int>");
  const int32_t upload = fmlp_capture_name(capture, "copy to the device");
  const int32_t download = fmlp_capture_name(capture, "copy from the device");
  const int32_t fill = fmlp_capture_name(capture, "fill");
  const fmlp_capture_device devices[] = {
      {0, fmlp_capture_name(capture, "Test GPU"), (int64_t)1 << 30, 16, 1000000000}};
  const fmlp_capture_call calls[] = {
      {1, 0, copy, FMLP_CALL_RUNTIME, 2500, 3000},   {2, 0, launch, FMLP_CALL_RUNTIME, 3200, 3400},
      {2, 0, launch, FMLP_CALL_RUNTIME, 3500, 3700}, {1, 0, copy, FMLP_CALL_RUNTIME, 8200, 8600},
      {1, 0, wait, FMLP_CALL_WAIT, 12500, 15000},
  };
  const fmlp_capture_operation operations[] = {
      {1, upload, FMLP_OPERATION_UPLOAD, 0, 7, 0, 3500, 5000, 4096, 0, 0, 0, 0},
      {2, barrier, FMLP_OPERATION_KERNEL, 0, 7, 1, 5000, 9000, 0, 12, 256, 32, 1024},
      {2, barrier, FMLP_OPERATION_KERNEL, 0, 13, 2, 6000, 10000, 0, 12, 256, 32, 1024},
      {-1, sum, FMLP_OPERATION_KERNEL, 0, 13, -1, 8000, 12000, 0, 1, 32, 16, 0}, /* beside the one before */
      {1, download, FMLP_OPERATION_DOWNLOAD, 0, 7, 3, 10000, 11500, 1024, 0, 0, 0, 0},
      {4, fill, FMLP_OPERATION_FILL, 0, 13, -1, 61500, 62000, 64, 0, 0, 0, 0},
  };
  capture->devices = PROFILE_FIXTURE_COPY(devices);
  capture->device_count = PROFILE_FIXTURE_COUNT(devices);
  capture->calls = PROFILE_FIXTURE_COPY(calls);
  capture->call_count = PROFILE_FIXTURE_COUNT(calls);
  capture->operations = PROFILE_FIXTURE_COPY(operations);
  capture->operation_count = PROFILE_FIXTURE_COUNT(operations);
  capture->unattributed_operations = 1;
  capture->device_clock_residual = 40;
}

static inline void profile_fixture_samples(fmlp_capture *capture) {
  const int32_t file = fmlp_capture_name(capture, "cpu/triple_barrier.c");
  const int32_t loop = fmlp_capture_name(capture, "search_loop");
  const int32_t main_name = fmlp_capture_name(capture, "main");
  const int32_t pool = fmlp_capture_name(capture, "pool_loop");
  const fmlp_capture_frame frames[] = {{loop, file, 33, 0x1010},
                                       {main_name, -1, 0, 0x2000},
                                       {main_name, -1, 0, 0x2008},
                                       {pool, -1, 0, 0x3000}};
  static const fmlp_capture_sample samples[] = {
      {0, -1, 500, 2, 1}, {0, 2, 4000, 0, 2}, {0, 2, 9500, 0, 2}, {1, 6, 7000, 3, 1}};
  static const fmlp_capture_counter counters[] = {
      {FMLP_COUNTER_RESIDENT, -1, 1000, 1 << 20},     {FMLP_COUNTER_RESIDENT, -1, 50000, 3 << 20},
      {FMLP_COUNTER_ALLOCATED, -1, 2000, 9216},       {FMLP_COUNTER_ALLOCATED, -1, 90000, 0},
      {FMLP_COUNTER_DEVICE_MEMORY, 0, 2600, 1 << 16}, {FMLP_COUNTER_DEVICE_MEMORY, 0, 95000, 0},
  };
  capture->frames = PROFILE_FIXTURE_COPY(frames);
  capture->frame_count = PROFILE_FIXTURE_COUNT(frames);
  capture->samples = PROFILE_FIXTURE_COPY(samples);
  capture->sample_count = PROFILE_FIXTURE_COUNT(samples);
  capture->counters = PROFILE_FIXTURE_COPY(counters);
  capture->counter_count = PROFILE_FIXTURE_COUNT(counters);
  capture->peak_resident = 3 << 20;
  capture->peak_allocated = 9216;
}

/* The caller's: fmlp_capture_free. */
static inline fmlp_capture *profile_fixture(void) {
  fmlp_capture *capture = calloc(1, sizeof *capture);
  assert_non_null(capture);
  profile_fixture_spans(capture);
  profile_fixture_device(capture);
  profile_fixture_samples(capture);
  return capture;
}

/* ---- captures at random, for what must hold of any ---- */

static inline uint64_t profile_fixture_next(uint64_t *state) {
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return *state >> 33;
}

static inline int64_t profile_fixture_below(uint64_t *state, int64_t limit) {
  return (int64_t)(profile_fixture_next(state) % (uint64_t)limit);
}

/* The node for `site` below `parent` (-1: at the top) of the thread. */
static inline int32_t profile_fixture_node(fmlp_capture *capture, int32_t thread, int32_t parent,
                                           int32_t site) {
  for (int32_t i = 0; i < capture->node_count; i++) {
    const fmlp_capture_node *node = &capture->nodes[i];
    if (node->thread == thread && node->parent == parent && node->site == site) return i;
  }
  capture->nodes[capture->node_count] = (fmlp_capture_node){.thread = thread, .parent = parent, .site = site};
  return capture->node_count++;
}

enum { PROFILE_FIXTURE_RANDOM_THREADS = 3, PROFILE_FIXTURE_RANDOM_NODES = 4096 };

/* Spans of one thread, one after the other and inside each other, at most 6 deep; from the time they end. */
static inline int64_t profile_fixture_random_span(fmlp_capture *capture, uint64_t *state, int32_t thread,
                                                  int32_t parent, int32_t depth, int64_t start,
                                                  int32_t *left) {
  const int32_t site = (int32_t)profile_fixture_below(state, capture->site_count);
  const int32_t number = profile_fixture_node(capture, thread, parent, site);
  const int64_t event = capture->event_count++;
  int64_t now = start, inner = 0;
  --*left;
  capture->events[event] = (fmlp_capture_event){number, depth, start, start};
  while (*left > 0 && depth < 6 && profile_fixture_below(state, 3) > 0) {
    now += profile_fixture_below(state, 900);
    const int64_t begun = now;
    now = profile_fixture_random_span(capture, state, thread, number, depth + 1, now, left);
    inner += now - begun;
  }
  now += profile_fixture_below(state, 3) > 0 ? profile_fixture_below(state, 3000000) : 0;
  capture->events[event].end = now;
  fmlp_capture_node *node = &capture->nodes[number];
  node->calls++;
  node->total += now - start;
  node->self += now - start - inner;
  node->bytes += profile_fixture_below(state, 5000);
  return now;
}

static inline int profile_fixture_by_start(const void *left, const void *right) {
  const fmlp_capture_operation *a = left, *b = right;
  return (a->start > b->start) - (a->start < b->start);
}

static inline void profile_fixture_random_device(fmlp_capture *capture, uint64_t *state, int64_t operations) {
  static const char *const NAMES[] = {"k", "void f<int, 3>(float const*)", "copy", "other copy", "fill"};
  const int32_t launch = fmlp_capture_name(capture, "cudaLaunchKernel");
  const fmlp_capture_device devices[] = {
      {0, fmlp_capture_name(capture, "Test GPU"), (int64_t)1 << 30, 16, 1000000000}};
  int32_t names[FMLP_OPERATION_KINDS];
  for (int i = 0; i < FMLP_OPERATION_KINDS; i++) names[i] = fmlp_capture_name(capture, NAMES[i]);
  capture->devices = PROFILE_FIXTURE_COPY(devices);
  capture->device_count = 1;
  capture->calls = calloc((size_t)operations + 1, sizeof *capture->calls);
  capture->operations = calloc((size_t)operations + 1, sizeof *capture->operations);
  assert_true(capture->calls && capture->operations);
  int64_t now = 0;
  const int64_t length = capture->stop - capture->start;
  for (; capture->call_count < operations; capture->call_count++) {
    const int32_t node =
        profile_fixture_below(state, 10) ? (int32_t)profile_fixture_below(state, capture->node_count) : -1;
    now += profile_fixture_below(state, 2 * length / (operations + 1) + 1);
    capture->calls[capture->call_count] =
        (fmlp_capture_call){node,   node < 0 ? -1 : capture->nodes[node].thread,
                            launch, profile_fixture_below(state, 5) ? FMLP_CALL_RUNTIME : FMLP_CALL_WAIT,
                            now,    now + profile_fixture_below(state, 2000)};
  }
  for (int64_t i = 0; i < operations; i++) {
    const fmlp_capture_call *call = &capture->calls[i];
    const fmlp_operation_kind kind = (fmlp_operation_kind)profile_fixture_below(state, FMLP_OPERATION_KINDS);
    const int64_t start = call->start + profile_fixture_below(state, 5000);
    capture->operations[i] = (fmlp_capture_operation){.node = call->node,
                                                      .name = names[kind],
                                                      .kind = kind,
                                                      .stream = (int32_t)profile_fixture_below(state, 3),
                                                      .call = call->node < 0 ? -1 : i,
                                                      .start = start,
                                                      .end = start + profile_fixture_below(state, 9000),
                                                      .bytes = kind == FMLP_OPERATION_KERNEL ? 0 : 64};
    capture->unattributed_operations += call->node < 0;
  }
  capture->operation_count = operations;
  qsort(capture->operations, (size_t)operations, sizeof *capture->operations, profile_fixture_by_start);
}

/* `spans` calls of a few functions on three threads, and as many device operations as are asked for. Times,
 * counts and sums agree as in a recorded capture. The caller's: fmlp_capture_free. */
static inline fmlp_capture *profile_fixture_random(uint64_t seed, int32_t spans, int64_t operations) {
  static const fmlp_capture_site sites[] = {{"run", "common/pipeline.c", "f", 40},
                                            {"read", "common/io/reader.c", "f", 9},
                                            {"labels", "common/stages/labels.c", "f", 90},
                                            {"labels.search", "cpu/triple_barrier.c", "f", 10},
                                            {"walk", "common/stages/walk.c", "f", 100},
                                            {"step", "common/stages/walk.c", "f", 9},
                                            {"M\303\274nchen \"q\" 'a' \\ <b>", "common/io/it's.c", "f", 7},
                                            {"walk", "cpu/other.c", "f", 100}};
  static const fmlp_capture_thread threads[] = {{100, true}, {101, false}, {102, false}};
  fmlp_capture *capture = calloc(1, sizeof *capture);
  assert_non_null(capture);
  uint64_t state = seed * 2654435761u + 12345;
  capture->sites = PROFILE_FIXTURE_COPY(sites);
  capture->site_count = PROFILE_FIXTURE_COUNT(sites);
  capture->threads = PROFILE_FIXTURE_COPY(threads);
  capture->thread_count = PROFILE_FIXTURE_COUNT(threads);
  capture->nodes = calloc(PROFILE_FIXTURE_RANDOM_NODES, sizeof *capture->nodes);
  capture->events = calloc((size_t)spans + 1, sizeof *capture->events);
  assert_true(capture->nodes && capture->events);
  capture->start = 5000000000;
  capture->pair_picoseconds = 20000;
  for (int32_t t = 0; t < PROFILE_FIXTURE_RANDOM_THREADS; t++) {
    int32_t left = spans / PROFILE_FIXTURE_RANDOM_THREADS;
    for (int64_t now = 0; left > 0;) {
      now = profile_fixture_random_span(capture, &state, t, -1, 0, now, &left) + 10;
      if (capture->start + now > capture->stop) capture->stop = capture->start + now;
    }
  }
  assert_true(capture->node_count < PROFILE_FIXTURE_RANDOM_NODES);
  capture->spans = capture->event_count;
  if (operations > 0) profile_fixture_random_device(capture, &state, operations);
  return capture;
}

#endif
