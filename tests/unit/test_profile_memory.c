/* Host memory in a capture: counts and bytes of spans, what is held, peaks, threads, forks. */
#define _GNU_SOURCE
#include "tests/cmocka_fmlp.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/core/memory.h"
#include "prof/capture.h"
#include "prof/clock.h"
#include "prof/sources/memory.h"
#include "prof/span.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER true
#endif
#endif
#if !defined(THREAD_SANITIZER)
#define THREAD_SANITIZER false
#endif

enum { MEBIBYTE = 1 << 20, SMALL = 1000, PADDING = 80 /* of fmlp_alloc's blocks */ };

/* Through memory that the compiler cannot follow, or it leaves allocations out. */
static void *volatile kept[64];

static void start(fmlp_capture_level level) {
  const fmlp_capture_options options = {.level = level};
  assert_true(fmlp_capture_start(&options));
}

static fmlp_capture *stop(void) {
  fmlp_capture *capture = fmlp_capture_stop();
  assert_non_null(capture);
  return capture;
}

static const fmlp_capture_node *node_named(const fmlp_capture *capture, const char *name) {
  for (int32_t i = 0; i < capture->node_count; i++)
    if (strcmp(capture->sites[capture->nodes[i].site].name, name) == 0) return &capture->nodes[i];
  fail_msg("no span %s", name);
  return NULL;
}

static void assert_allocated(const fmlp_capture *capture, const char *name, int64_t count, int64_t bytes) {
  const fmlp_capture_node *node = node_named(capture, name);
  assert_int_equal(node->allocations, count);
  assert_int_equal(node->allocated_bytes, bytes);
}

/* Values of one kind, first and last; their times rise and lie inside the capture. */
static int64_t curve(const fmlp_capture *capture, fmlp_counter_kind kind, int64_t *first, int64_t *last) {
  int64_t count = 0, before = 0;
  for (int64_t i = 0; i < capture->counter_count; i++) {
    const fmlp_capture_counter *counter = &capture->counters[i];
    if (i > 0) assert_true(counter->kind >= counter[-1].kind);
    if (counter->kind != kind) continue;
    assert_true(counter->time >= before && counter->time <= capture->stop - capture->start);
    before = counter->time;
    if (count++ == 0) *first = counter->value;
    *last = counter->value;
  }
  return count;
}

static void inner(void) {
  FMLP_SPAN("inner");
  kept[0] = malloc(3 * SMALL);
  kept[1] = calloc(5, SMALL);
  kept[1] = realloc(kept[1], 7 * SMALL);
  free(kept[0]);
}

static void spans_have_what_they_allocate(void **state) {
  (void)state;
  if (!fmlp_heap_sees_malloc()) skip();
  start(FMLP_CAPTURE_FULL);
  kept[2] = malloc(17); /* outside any span */
  {
    FMLP_SPAN("outer");
    kept[3] = malloc(SMALL);
    inner();
    inner();
    free(kept[1]);
    void *aligned = NULL;
    assert_int_equal(posix_memalign(&aligned, 64, 11), 0);
    kept[4] = aligned;
    kept[5] = aligned_alloc(64, 128);
    kept[6] = strdup("from a library");
  }
  int64_t grown = 0;
  for (int i = 2; i < 7; i++) grown += (int64_t)malloc_usable_size(kept[i]);
  grown += (int64_t)malloc_usable_size(kept[1] = malloc(7 * SMALL)); /* the first inner's is still held */
  free(kept[1]);
  fmlp_capture *capture = stop();
  assert_allocated(capture, "outer", 4, SMALL + 11 + 128 + (int64_t)sizeof "from a library");
  assert_allocated(capture, "inner", 6, 2 * (3 + 5 + 7) * SMALL);
  assert_int_equal(capture->outside_allocations, 2);
  assert_int_equal(capture->outside_bytes, 17 + 7 * SMALL);
  int64_t first = 0, last = 0;
  assert_true(curve(capture, FMLP_COUNTER_ALLOCATED, &first, &last) >= 2);
  assert_int_equal(last - first, grown);
  assert_true(first > 0);
  fmlp_capture_free(capture);
  for (int i = 2; i < 7; i++) free(kept[i]);
}

/* Blocks of the program's allocator: from malloc seen once, mappings seen at all. */
static void the_programs_allocator_counts_once(void **state) {
  (void)state;
  fmlp_error error = {""};
  start(FMLP_CAPTURE_FULL);
  {
    FMLP_SPAN("columns");
    char *small = NULL, *large = NULL;
    assert_int_equal(fmlp_alloc(&small, SMALL, 1, "small", &error), FMLP_OK);
    assert_int_equal(fmlp_alloc(&large, 8 * MEBIBYTE, 1, "large", &error), FMLP_OK);
    assert_int_equal(fmlp_resize(&large, 8 * MEBIBYTE, 16 * MEBIBYTE, 1, "large", &error), FMLP_OK);
    fmlp_free(small);
    fmlp_free(large);
  }
  fmlp_capture *capture = stop();
  const fmlp_capture_node *node = node_named(capture, "columns");
  assert_int_equal(node->allocations, 3);
#if !defined(__SANITIZE_ADDRESS__) /* there, growing is a realloc of the whole */
  assert_int_equal(node->allocated_bytes, SMALL + PADDING + 16 * MEBIBYTE + PADDING);
#endif
  int64_t first = 0, last = 0;
  assert_true(curve(capture, FMLP_COUNTER_ALLOCATED, &first, &last) >= 2);
  assert_int_equal(last, first);
  assert_in_range(capture->peak_allocated - first, 16 * MEBIBYTE, 20 * MEBIBYTE + (1 << 18));
  fmlp_capture_free(capture);
}

static void *take(void *unused) {
  (void)unused;
  FMLP_SPAN("taker");
  for (int i = 0; i < 32; i++) kept[i] = malloc(MEBIBYTE / 4);
  for (int i = 32; i < 64; i++) kept[i] = malloc(24);
  return NULL;
}

static void *give(void *unused) {
  (void)unused;
  for (int i = 0; i < 64; i++) free(kept[i]);
  return NULL;
}

static void what_another_thread_frees_balances(void **state) {
  (void)state;
  if (!fmlp_heap_sees_malloc()) skip();
  static void *(*const work[])(void *) = {take, give};
  start(FMLP_CAPTURE_FULL);
  const int64_t before = (int64_t)mallinfo2().uordblks;
  for (int i = 0; i < 2; i++) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, work[i], NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
  }
  const int64_t remains = (int64_t)mallinfo2().uordblks - before; /* threads leave some of their own */
  fmlp_capture *capture = stop();
  assert_allocated(capture, "taker", 64, 32 * (MEBIBYTE / 4) + 32 * 24);
  int64_t first = 0, last = 0;
  assert_true(curve(capture, FMLP_COUNTER_ALLOCATED, &first, &last) > 2);
  assert_in_range(last - first + 4096, 0, remains + 2 * 4096);
  assert_in_range(capture->peak_allocated - first, 8 * MEBIBYTE, 8 * MEBIBYTE + (1 << 18));
  fmlp_capture_free(capture);
}

static void *churn(void *unused) {
  (void)unused;
  const int64_t begin = fmlp_clock_nanoseconds();
  while (fmlp_clock_nanoseconds() - begin < 100000000) { /* several times the first length of the curve */
    FMLP_SPAN("churn");
    void *block = NULL;
    fmlp_error error;
    assert_int_equal(fmlp_alloc(&block, MEBIBYTE, 1, "churn", &error), FMLP_OK);
    fmlp_free(block);
  }
  return NULL;
}

static void a_long_curve_keeps_its_peak(void **state) {
  (void)state;
  pthread_t threads[3];
  void *peak = NULL;
  fmlp_error error;
  start(FMLP_CAPTURE_FULL);
  for (int i = 0; i < 3; i++) assert_int_equal(pthread_create(&threads[i], NULL, churn, NULL), 0);
  assert_int_equal(fmlp_alloc(&peak, 32 * MEBIBYTE, 1, "peak", &error), FMLP_OK);
  memset(peak, 1, 32 * MEBIBYTE);
  (void)usleep(30000);
  fmlp_free(peak);
  for (int i = 0; i < 3; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
  fmlp_capture *capture = stop();
  int64_t first = 0, last = 0, highest = 0;
  assert_in_range(curve(capture, FMLP_COUNTER_ALLOCATED, &first, &last), 3, 2 * 2048);
  for (int64_t i = 0; i < capture->counter_count; i++)
    if (capture->counters[i].kind == FMLP_COUNTER_ALLOCATED && capture->counters[i].value > highest)
      highest = capture->counters[i].value;
  assert_int_equal(highest, capture->peak_allocated);
  assert_true(highest - first >= 29 * MEBIBYTE); /* the first point may hold a block of each of the three */
  assert_true(last - first < 2 * MEBIBYTE);
  assert_in_range(curve(capture, FMLP_COUNTER_RESIDENT, &first, &last), 3, 2 * 2048);
  assert_true(first > 0 && capture->peak_resident >= last && capture->peak_resident >= 32 * MEBIBYTE);
  fmlp_capture_free(capture);
}

static void level_spans_counts_nothing(void **state) {
  (void)state;
  start(FMLP_CAPTURE_SPANS);
  inner();
  free(kept[1]);
  fmlp_capture *capture = stop();
  assert_allocated(capture, "inner", 0, 0);
  assert_int_equal(capture->outside_allocations, 0);
  assert_int_equal(capture->counter_count, 0);
  assert_int_equal(capture->peak_allocated, 0);
  assert_true(capture->peak_resident > 0); /* the system's own, for nothing */
  fmlp_capture_free(capture);
}

static bool captures_again(void) {
  start(FMLP_CAPTURE_FULL);
  fmlp_capture *capture = fmlp_capture_stop();
  const bool again = capture && capture->counter_count > 0;
  fmlp_capture_free(capture);
  return again;
}

static void a_child_ends_its_capture_without_memory(void **state) {
  (void)state;
  start(FMLP_CAPTURE_FULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    free(malloc(SMALL));
    fmlp_capture *capture = fmlp_capture_stop();
    bool right = capture && capture->counter_count == 0 && capture->peak_allocated == 0;
    fmlp_capture_free(capture);
    _exit(right && (THREAD_SANITIZER || captures_again()) ? 0 : 1); /* it starts no thread after a fork */
  }
  int status = -1;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  fmlp_capture *capture = stop();
  assert_true(capture->counter_count > 0);
  fmlp_capture_free(capture);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(spans_have_what_they_allocate),
      cmocka_unit_test(the_programs_allocator_counts_once),
      cmocka_unit_test(what_another_thread_frees_balances),
      cmocka_unit_test(a_long_curve_keeps_its_peak),
      cmocka_unit_test(level_spans_counts_nothing),
      cmocka_unit_test(a_child_ends_its_capture_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
