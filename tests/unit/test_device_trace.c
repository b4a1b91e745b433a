/* prof/sources/device_trace over tests/cuda/fake_libcupti.c, which ctest puts where the dynamic linker looks:
 * a capture with operations, and every refusal. A process has one tracer, so each case has a process. */
#define _GNU_SOURCE
#include "tests/cmocka_fmlp.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "prof/capture.h"
#include "prof/sources/cupti_layout.h"
#include "prof/sources/device_trace.h"
#include "prof/span.h"
#include "tests/cuda/fake_libcupti.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#endif
#ifndef THREAD_SANITIZER
#define THREAD_SANITIZER 0
#endif

static int devices = 1;
static int waits;

static int count(char *reason, size_t capacity) {
  if (devices == 0) (void)snprintf(reason, capacity, "no NVIDIA driver found");
  return devices;
}
static void wait_for_all(void) {
  waits++;
}
static bool describe(int32_t ordinal, fmlp_device_facts *facts) {
  (void)snprintf(facts->name, sizeof facts->name, "GPU %d", (int)ordinal);
  facts->memory = (int64_t)1 << 34;
  facts->multiprocessors = 132;
  facts->bytes_per_second = 3350000000000;
  return true;
}
static const fmlp_device_hooks HOOKS = {count, wait_for_all, describe};
static const fmlp_capture_options FULL = {.level = FMLP_CAPTURE_FULL};

static void check(bool right, const char *what, int line) {
  if (right) return;
  (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, line, what);
  _exit(1);
}
#define CHECK(condition) check(condition, #condition, __LINE__)

/* Runs a case in a child. */
static void in_process(void (*body)(void)) {
  (void)fflush(NULL);
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    body();
    _exit(0);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

static const fmlp_fake_cupti *fake(void) {
  void *library = dlopen("libcupti.so.13", RTLD_NOW | RTLD_NOLOAD);
  CHECK(library != NULL);
  const fmlp_fake_cupti *(*table)(void);
  void *address = dlsym(library, "fmlp_fake_cupti_table");
  CHECK(address != NULL);
  memcpy(&table, &address, sizeof table);
  return table();
}

static void launch(const fmlp_fake_cupti *gpu, const char *name) {
  const uint32_t correlation = gpu->begin_call("cudaLaunchKernel_v7000");
  gpu->end_call(correlation, 0);
  const uint64_t start = gpu->now();
  gpu->operation(&(fmlp_fake_operation){.kind = CUPTI_CONCURRENT_KERNEL,
                                        .correlation = correlation,
                                        .name = name,
                                        .stream = 7,
                                        .start = start,
                                        .end = start + 1,
                                        .blocks = 4,
                                        .threads = 128});
}

static const char *node_name(const fmlp_capture *capture, int32_t node) {
  return node < 0 ? "" : capture->sites[capture->nodes[node].site].name;
}

/* A capture with CPU work, and without devices for `reason`. */
static void expect_reason(const fmlp_device_hooks *hooks, const char *reason) {
  fmlp_device_trace_prepare(hooks, "cuda: not compiled into this build");
  CHECK(fmlp_capture_start(&FULL));
  { FMLP_SPAN("work"); }
  fmlp_capture *capture = fmlp_capture_stop();
  CHECK(capture != NULL);
  CHECK(capture->spans == 1 && capture->node_count == 1);
  CHECK(capture->operation_count == 0 && capture->call_count == 0);
  if (strstr(capture->device_reason, reason) == NULL)
    (void)fprintf(stderr, "'%s' instead of '%s'\n", capture->device_reason, reason);
  CHECK(strstr(capture->device_reason, reason) != NULL);
  CHECK(strchr(capture->device_reason, '\n') == NULL);
  fmlp_capture_free(capture);
}

static void run_traced(void) {
  const int before = waits;
  fmlp_device_trace_prepare(&HOOKS, NULL);
  const fmlp_fake_cupti *gpu = fake();
  gpu->memory(0x100, 4096, 0); /* as the device is opened */
  launch(gpu, "_Z4opens");
  CHECK(fmlp_capture_start(&FULL));
  {
    FMLP_SPAN("outer");
    launch(gpu, "_Z5firsts");
    {
      FMLP_SPAN("inner");
      for (int i = 0; i < 1000; i++) launch(gpu, "_Z6seconds");
      gpu->memory(0x200, 1024, 0);
      const uint32_t wait = gpu->begin_call("cudaStreamSynchronize_v3020");
      gpu->end_call(wait, CUPTI_WAIT_STREAM);
    }
    launch(gpu, "_Z5firsts");
  }
  launch(gpu, "_Z5alones");
  fmlp_capture *capture = fmlp_capture_stop();
  CHECK(capture != NULL && capture->device_reason[0] == '\0' && waits == before + 1);
  CHECK(capture->operation_count == 1003 && capture->unattributed_operations == 1);
  CHECK(capture->dropped_operations == 0 && capture->invalid_operations == 0);
  CHECK(capture->call_count == 1004);
  for (int64_t i = 0; i < capture->operation_count; i++) {
    const fmlp_capture_operation *operation = &capture->operations[i];
    const char *name = capture->names[operation->name], *node = node_name(capture, operation->node);
    CHECK(strcmp(name, "first") != 0 || strcmp(node, "outer") == 0);
    CHECK(strcmp(name, "second") != 0 || strcmp(node, "inner") == 0);
    CHECK(strcmp(name, "alone") != 0 || operation->node == -1);
    CHECK(operation->call >= 0 && capture->calls[operation->call].start <= operation->start);
    CHECK(operation->end <= capture->stop - capture->start);
  }
  CHECK(capture->calls[1002].kind == FMLP_CALL_WAIT || capture->calls[1001].kind == FMLP_CALL_WAIT);
  CHECK(capture->counter_count >= 2);
  const fmlp_capture_counter *held = &capture->counters[capture->counter_count - 2]; /* behind the host's */
  CHECK(held[0].kind == FMLP_COUNTER_DEVICE_MEMORY && held[0].value == 4096 && held[0].time == 0);
  CHECK(held[1].kind == FMLP_COUNTER_DEVICE_MEMORY && held[1].value == 5120);
  CHECK(capture->counter_count == 2 || held[-1].kind != FMLP_COUNTER_DEVICE_MEMORY);
  CHECK(capture->device_count == 1 && strcmp(capture->names[capture->devices[0].name], "GPU 0") == 0);
  CHECK(capture->device_clock_residual > 0 && capture->device_clock_residual < 1000000);
  fmlp_capture_free(capture);
}

static void traces(void **state) {
  (void)state;
  in_process(run_traced);
}

static void run_twice(void) {
  run_traced();
  run_traced(); /* the seat and the clock are not asked for again: the fake aborts or refuses */
  fmlp_device_trace_prepare(&HOOKS, NULL);
  fmlp_device_trace_prepare(&HOOKS, NULL); /* a run that failed before its capture */
  run_traced();
  expect_reason(NULL, "cuda: not compiled into this build"); /* and one that goes on with the cpu */
}

static void traces_again(void **state) {
  (void)state;
  in_process(run_twice);
}

static void run_spans(void) {
  fmlp_device_trace_prepare(&HOOKS, NULL);
  CHECK(fmlp_capture_start(NULL));
  launch(fake(), "_Z1ks");
  fmlp_capture *capture = fmlp_capture_stop();
  CHECK(capture->operation_count == 0 && capture->device_count == 0 && waits == 0);
  CHECK(strcmp(capture->device_reason, "not asked for (level full)") == 0);
  fmlp_capture_free(capture);
}

static void level_spans_leaves_devices_alone(void **state) {
  (void)state;
  in_process(run_spans);
}

static void run_fork(void) {
  fmlp_device_trace_prepare(&HOOKS, NULL);
  CHECK(fmlp_capture_start(&FULL));
  const pid_t child = fork();
  if (child == 0) {
    if (THREAD_SANITIZER) _exit(0); /* it ends a child that starts threads, as the end of a capture does */
    { FMLP_SPAN("child"); }
    fmlp_capture *capture = fmlp_capture_stop();
    CHECK(capture && strstr(capture->device_reason, "forked") && waits == 0);
    fmlp_capture_free(capture);
    expect_reason(&HOOKS, "forked");
    _exit(0);
  }
  int status = 1;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  {
    FMLP_SPAN("parent");
    launch(fake(), "_Z1ks");
  }
  fmlp_capture *capture = fmlp_capture_stop();
  CHECK(capture->operation_count == 1 && capture->unattributed_operations == 0);
  fmlp_capture_free(capture);
}

static void child_leaves_devices_alone(void **state) {
  (void)state;
  in_process(run_fork);
}

static void *work(void *gpu) {
  FMLP_SPAN("thread");
  for (int i = 0; i < 100; i++) launch(gpu, "_Z1ts");
  return NULL;
}

static void run_thread(void) {
  fmlp_device_trace_prepare(&HOOKS, NULL);
  CHECK(fmlp_capture_start(&FULL));
  const fmlp_fake_cupti *gpu = fake();
  FMLP_SPAN("main");
  pthread_t thread;
  union {
    const void *in;
    void *out;
  } argument = {gpu};
  CHECK(pthread_create(&thread, NULL, work, argument.out) == 0 && pthread_join(thread, NULL) == 0);
  launch(gpu, "_Z1ms");
  fmlp_capture *capture = fmlp_capture_stop(); /* with a span open */
  CHECK(capture->operation_count == 101 && capture->unattributed_operations == 0);
  CHECK(strcmp(node_name(capture, capture->operations[0].node), "thread") == 0);
  CHECK(strcmp(node_name(capture, capture->operations[100].node), "main") == 0);
  CHECK(capture->calls[0].thread != capture->calls[100].thread);
  fmlp_capture_free(capture);
}

static void threads_have_spans_of_their_own(void **state) {
  (void)state;
  in_process(run_thread);
}

static void refuse_no_device(void) {
  devices = 0;
  expect_reason(&HOOKS, "no NVIDIA driver found");
}
static void refuse_none(void) {
  expect_reason(NULL, "cuda: not compiled into this build");
}
static void refuse_seat(void) {
  (void)setenv("FMLP_FAKE_CUPTI_SUBSCRIBE", "39", 1);
  (void)setenv("FMLP_FAKE_CUPTI_HOLDER", "CUPTI for Nsight Systems", 1);
  expect_reason(&HOOKS, "collected by Nsight Systems");
  (void)setenv("FMLP_FAKE_CUPTI_HOLDER", "", 1);
  expect_reason(&HOOKS, "collected by another tool");
  (void)setenv("FMLP_FAKE_CUPTI_SUBSCRIBE", "0", 1);
  run_traced(); /* it was given up meanwhile */
}
static void refuse_unknown(void) {
  (void)setenv("FMLP_FAKE_CUPTI_SUBSCRIBE", "999", 1);
  expect_reason(&HOOKS, "cuptiSubscribe_v2: CUPTI_ERROR_UNKNOWN (999)");
}
static void refuse_privileges(void) {
  (void)setenv("FMLP_FAKE_CUPTI_ENABLE", "35", 1);
  expect_reason(&HOOKS, "cuptiActivityEnable(CONCURRENT_KERNEL): CUPTI_ERROR_INSUFFICIENT_PRIVILEGES (35)");
}
static void refuse_version(void) {
  (void)setenv("FMLP_FAKE_CUPTI_VERSION", "24", 1);
  expect_reason(&HOOKS, "CUPTI is of version 24");
  (void)setenv("FMLP_FAKE_CUPTI_VERSION", "140000", 1);
  expect_reason(&HOOKS, "CUPTI is of version 140000");
}
static void refuse_clock(void) {
  (void)setenv("FMLP_FAKE_CUPTI_TIMESTAMP", "27", 1);
  run_traced(); /* by pairs of readings */
}
static void lose_records(void) {
  (void)setenv("FMLP_FAKE_CUPTI_DROPPED", "17", 1);
  fmlp_device_trace_prepare(&HOOKS, NULL);
  CHECK(fmlp_capture_start(&FULL));
  launch(fake(), "_Z1ks");
  fmlp_capture *capture = fmlp_capture_stop();
  CHECK(capture->operation_count == 1 && capture->dropped_operations == 17);
  fmlp_capture_free(capture);
}

static void refusals(void **state) {
  (void)state;
  in_process(refuse_no_device);
  in_process(refuse_none);
  in_process(refuse_seat);
  in_process(refuse_unknown);
  in_process(refuse_privileges);
  in_process(refuse_version);
  in_process(refuse_clock);
  in_process(lose_records);
}

static void tell_state(void) {
  char text[256];
  fmlp_device_trace_describe(&HOOKS, NULL, text, sizeof text);
  CHECK(strcmp(text, "yes, by CUPTI (version 130001)") == 0);
  devices = 0;
  fmlp_device_trace_describe(&HOOKS, NULL, text, sizeof text);
  CHECK(strcmp(text, "no: no NVIDIA driver found") == 0);
  expect_reason(NULL, "cuda: not compiled into this build");
}

static void tells_its_state(void **state) {
  (void)state;
  in_process(tell_state);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(traces),
                                     cmocka_unit_test(traces_again),
                                     cmocka_unit_test(level_spans_leaves_devices_alone),
                                     cmocka_unit_test(child_leaves_devices_alone),
                                     cmocka_unit_test(threads_have_spans_of_their_own),
                                     cmocka_unit_test(refusals),
                                     cmocka_unit_test(tells_its_state)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
