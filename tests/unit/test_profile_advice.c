/* What profile top says: a capture for each reason. */
#define _GNU_SOURCE
#include "tests/unit/profile_fixture.h"

#include <stdio.h>

#include "prof/sources/bandwidth.h"
#include "prof/views/advice.h"
#include "prof/views/concurrency.h"

enum { LENGTH = 100000000 }; /* ns: 100 ms */

/* One function all the time, nothing known but that. */
static fmlp_capture *one_function(void) {
  static const fmlp_capture_site sites[] = {{"f", "a.c", "f", 1}, {"rest", "a.c", "g", 2}};
  static const fmlp_capture_thread threads[] = {{100, true}, {101, false}};
  static const fmlp_capture_node nodes[] = {{0, -1, 0, 1, LENGTH, LENGTH, 0, 0, 0}};
  static const fmlp_capture_event events[] = {{0, 0, 0, LENGTH}};
  fmlp_capture *capture = calloc(1, sizeof *capture);
  assert_non_null(capture);
  capture->stop = LENGTH;
  capture->level = FMLP_CAPTURE_FULL;
  capture->sites = PROFILE_FIXTURE_COPY(sites);
  capture->site_count = 2;
  capture->threads = PROFILE_FIXTURE_COPY(threads);
  capture->thread_count = 2;
  capture->nodes = PROFILE_FIXTURE_COPY(nodes);
  capture->events = PROFILE_FIXTURE_COPY(events);
  capture->node_count = 1;
  capture->event_count = capture->spans = 1;
  capture->host_bytes_per_second = 10000000000;
  return capture;
}

static void nothing_more(fmlp_capture *capture) {
  capture->level = FMLP_CAPTURE_SPANS;
  capture->host_bytes_per_second = 0;
}

static void add_call(fmlp_capture *capture, fmlp_call_kind kind) {
  const fmlp_capture_call call = {0, 0, fmlp_capture_name(capture, "call"), kind, 0, LENGTH * 3 / 4};
  capture->calls = profile_fixture_copy(&call, sizeof call);
  capture->call_count = 1;
}

static void waiting_for_device(fmlp_capture *capture) {
  add_call(capture, FMLP_CALL_WAIT);
}

static void calling_the_runtime(fmlp_capture *capture) {
  add_call(capture, FMLP_CALL_RUNTIME);
}

/* Every ms on one thread, each `part` of them in the function's time; the other thread all the time. */
static void add_samples(fmlp_capture *capture, int part, bool beside) {
  const int count = LENGTH / 1000000;
  capture->samples = calloc((size_t)count * 2, sizeof *capture->samples);
  assert_non_null(capture->samples);
  for (int thread = 0; thread < 1 + beside; thread++)
    for (int i = 0; i < count; i++)
      if (thread == 1 || i % 10 < part)
        capture->samples[capture->sample_count++] =
            (fmlp_capture_sample){.thread = thread, .node = thread == 0 ? 0 : -1, .time = i * 1000000 + 7};
}

static void seldom_on_a_processor(fmlp_capture *capture) {
  add_samples(capture, 3, false);
}

static void alone(fmlp_capture *capture) {
  add_samples(capture, 10, false);
}

static void side_by_side(fmlp_capture *capture) {
  add_samples(capture, 10, true);
  capture->nodes[0].bytes = 100000000;
}

static void on_a_processor(fmlp_capture *capture) {
  add_samples(capture, 10, true);
}

static void moving_much(fmlp_capture *capture) {
  capture->nodes[0].bytes = 800000000;
}

static void moving_little(fmlp_capture *capture) {
  capture->nodes[0].bytes = 100000000;
}

static void allocating_often(fmlp_capture *capture) {
  capture->nodes[0].allocations = 500000;
  capture->nodes[0].allocated_bytes = 8000000;
}

static void allocating_large(fmlp_capture *capture) {
  capture->nodes[0].allocations = 2;
  capture->nodes[0].allocated_bytes = 400000000;
}

/* Without single spans, nobody knows what ran beside it. */
static void without_timeline(fmlp_capture *capture) {
  capture->dropped_events = 1;
}

static void reasons_of_the_host(void **state) {
  (void)state;
  static const struct {
    void (*change)(fmlp_capture *capture);
    fmlp_advice_reason reason;
    const char *measured, *unknown;
  } cases[] = {
      {nothing_more, FMLP_ADVICE_UNKNOWN, "", "profile_level=full"},
      {waiting_for_device, FMLP_ADVICE_WAITING, "75 % of its time it waits for a device", ""},
      {calling_the_runtime, FMLP_ADVICE_LAUNCH, "75 % of its time are calls", ""},
      {seldom_on_a_processor, FMLP_ADVICE_WAITING, "on a processor for 30 %", ""},
      {alone, FMLP_ADVICE_SERIAL, "1.00 of 2 threads", ""},
      {side_by_side, FMLP_ADVICE_COMPUTE, "1.00 GB/s of the 10.0 GB/s", ""},
      {on_a_processor, FMLP_ADVICE_PROCESSOR, "2.00 threads run, it is on a processor for 100 %",
       "the bytes"},
      {moving_much, FMLP_ADVICE_BANDWIDTH, "moves 8.0 GB/s of the 10.0 GB/s", ""},
      {moving_little, FMLP_ADVICE_UNKNOWN, "moves 1.00 GB/s of the 10.0 GB/s", "profile_sampling=1000"},
      {allocating_often, FMLP_ADVICE_ALLOCATION, "500000 allocations of 8.0 MB: about 50 %", ""},
      {allocating_large, FMLP_ADVICE_ALLOCATION, "40 % of the memory's bandwidth", ""},
      {without_timeline, FMLP_ADVICE_UNKNOWN, "", "missing from the timeline"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fmlp_profile *profile = fmlp_profile_create();
    fmlp_capture *capture = one_function();
    cases[i].change(capture);
    assert_true(fmlp_profile_set(profile, FMLP_FACT_MACHINE, "A processor, 2 threads, v4"));
    assert_true(fmlp_profile_add(profile, capture));
    fmlp_advice advice;
    assert_true(fmlp_advice_make(profile, &advice));
    assert_int_equal(advice.host_count, 1);
    assert_int_equal(advice.device_count, 0);
    const fmlp_advice_item *item = &advice.items[0];
    if (item->reason != cases[i].reason || !strstr(item->measured, cases[i].measured) ||
        !strstr(item->unknown, cases[i].unknown) || (!*cases[i].unknown && *item->unknown))
      fail_msg("case %d: %s; %s; %s", (int)i, fmlp_advice_reason_name(item->reason), item->measured,
               item->unknown);
    fmlp_advice_release(&advice);
    fmlp_profile_free(profile);
  }
}

/* ---- devices ---- */

/* Ten kernels of `length` every 100 us, each called `delay` before, with that many blocks; bytes told. */
static fmlp_capture *kernels(int64_t length, int64_t delay, int32_t blocks, int64_t bytes) {
  fmlp_capture *capture = one_function();
  const fmlp_capture_device device = {0, fmlp_capture_name(capture, "Test GPU"), 1 << 30, 16, 100000000000};
  const int32_t launch = fmlp_capture_name(capture, "launch"), kernel = fmlp_capture_name(capture, "k");
  capture->devices = profile_fixture_copy(&device, sizeof device);
  capture->device_count = 1;
  capture->operations = calloc(10, sizeof *capture->operations);
  capture->calls = calloc(10, sizeof *capture->calls);
  for (int i = 0; i < 10; i++) {
    const int64_t start = 100000 * (i + 1);
    capture->calls[i] =
        (fmlp_capture_call){0, 0, launch, FMLP_CALL_RUNTIME, start - delay, start - delay + 100};
    capture->operations[i] = (fmlp_capture_operation){.node = 0,
                                                      .name = kernel,
                                                      .kind = FMLP_OPERATION_KERNEL,
                                                      .call = i,
                                                      .start = start,
                                                      .end = start + length,
                                                      .blocks = blocks,
                                                      .threads = 256};
  }
  capture->operation_count = capture->call_count = 10;
  capture->nodes[0].bytes = bytes;
  return capture;
}

static fmlp_capture *copies(int64_t bytes) {
  fmlp_capture *capture = kernels(10000, 2000, 1, 0);
  for (int i = 0; i < 10; i++) {
    capture->operations[i].kind = FMLP_OPERATION_UPLOAD;
    capture->operations[i].bytes = bytes;
  }
  return capture;
}

static void expect_device(fmlp_capture *capture, fmlp_advice_reason reason, const char *measured,
                          const char *unknown) {
  fmlp_profile *profile = fmlp_profile_create();
  fmlp_advice advice;
  assert_true(fmlp_profile_add(profile, capture));
  assert_true(fmlp_advice_make(profile, &advice));
  assert_int_equal(advice.device_count, 1);
  const fmlp_advice_item *item = &advice.items[advice.host_count];
  if (item->reason != reason || !strstr(item->measured, measured) || !strstr(item->unknown, unknown) ||
      (!*unknown && *item->unknown))
    fail_msg("%s; %s; %s", fmlp_advice_reason_name(item->reason), item->measured, item->unknown);
  fmlp_advice_release(&advice);
  fmlp_profile_free(profile);
}

static void reasons_of_a_device(void **state) {
  (void)state;
  expect_device(kernels(2000, 5000, 100, 0), FMLP_ADVICE_LAUNCH, "for 5.0 us after the call began", "");
  expect_device(kernels(50000, 5000, 4, 0), FMLP_ADVICE_SERIAL, "a grid of 4 on 16 multiprocessors: 25 %",
                "");
  expect_device(kernels(50000, 5000, 100, 40000000), FMLP_ADVICE_BANDWIDTH, "80.0 GB/s of the device's 100.0",
                "");
  expect_device(kernels(50000, 5000, 100, 5000000), FMLP_ADVICE_COMPUTE, "10.0 GB/s of the device's 100.0",
                "");
  expect_device(kernels(50000, 5000, 100, 0), FMLP_ADVICE_UNKNOWN, "10 of 50.0 us", "its span tells none");
  expect_device(copies(4096), FMLP_ADVICE_COPY, "4.1 kB on average, 0.41 GB/s: so small", "no copy of 1 MiB");
  expect_device(copies(4 << 20), FMLP_ADVICE_COPY, "the best of the large ones reached 419.43 GB/s", "");
}

/* ---- threads side by side ---- */

static void own_time_is_what_no_inner_span_takes(void **state) {
  (void)state;
  fmlp_capture *capture = profile_fixture();
  const int32_t sites[] = {PROFILE_FIXTURE_WALK, PROFILE_FIXTURE_LABELS};
  fmlp_concurrency found[2];
  capture->dropped_events = 0;
  assert_true(fmlp_concurrency_make(capture, sites, 2, found));
  /* walk: [60000, 90000] on one thread, [6000, 10000] and [31000, 41000] on the other */
  assert_int_equal(found[0].wall, 44000);
  /* labels alone: [2000, 3000], [8000, 9000], [12000, 20000], [30000, 31000], [49000, 50000] */
  assert_int_equal(found[1].wall, 12000);
  assert_true(found[1].in_spans > 1.9 &&
              found[1].in_spans <= 2); /* worker: from 5000 to 25000, 30000 to 60000 */
  assert_true(found[0].running < 0);   /* too few samples */
  capture->dropped_events = 1;
  assert_true(fmlp_concurrency_make(capture, sites, 2, found));
  assert_int_equal(found[0].wall, 0);
  fmlp_capture_free(capture);
}

static void all_of_it_is_written(void **state) {
  (void)state;
  fmlp_profile *profile = fmlp_profile_create();
  assert_true(fmlp_profile_add(profile, profile_fixture()));
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  assert_true(fmlp_advice_write(profile, out));
  assert_int_equal(fclose(out), 0);
  assert_non_null(strstr(text, "Functions with 5 % or more of 0.000 s internal time"));
  assert_non_null(strstr(text, "29.5 %       0.044 ms  walk \"a;b\" <\\>  (common/stages/walk.c:10)"));
  assert_non_null(strstr(text, "Device operations with 5 % or more of 0.009 ms"));
  assert_non_null(strstr(text, "triple_barrier\n"));
  assert_non_null(strstr(text, "Unattributed: 1 of 6"));
  free(text);
  fmlp_profile_free(profile);
}

static void memory_has_a_speed(void **state) {
  (void)state;
  assert_true(fmlp_bandwidth_measure(1) > 10000000); /* 10 MB/s: anything that is one */
  assert_true(fmlp_bandwidth_measure(100000) > 10000000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reasons_of_the_host),
      cmocka_unit_test(reasons_of_a_device),
      cmocka_unit_test(own_time_is_what_no_inner_span_takes),
      cmocka_unit_test(all_of_it_is_written),
      cmocka_unit_test(memory_has_a_speed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
