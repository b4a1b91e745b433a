/* Captures that end in other ways than they should: forks, exits, clocks that stand still or step back, sums
 * too large, more threads than records. What comes out is sound, or nothing. */
#define _GNU_SOURCE
#include "tests/cmocka_fmlp.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "prof/capture.h"
#include "prof/clock.h"
#include "prof/recorder.h"
#include "prof/span.h"
#include "prof/store/profile_check.h"
#include "prof/views/report.h"

/* In the place of libc's: while `stopped` CLOCK_MONOTONIC says what the test says. */
static bool stopped;
static int64_t stopped_at;

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (!stopped || clock != CLOCK_MONOTONIC) return (int)syscall(SYS_clock_gettime, clock, now);
  now->tv_sec = stopped_at / 1000000000;
  now->tv_nsec = stopped_at % 1000000000;
  return 0;
}

static void start(fmlp_capture_level level) {
  const fmlp_capture_options options = {.level = level};
  assert_true(fmlp_capture_start(&options));
}

/* The sound capture, whose text can be made, too. */
static fmlp_capture *stop(void) {
  fmlp_capture *capture = fmlp_capture_stop();
  assert_non_null(capture);
  const char *wrong = fmlp_profile_check(capture);
  if (wrong) print_error("not sound: %s\n", wrong);
  assert_null(wrong);
  char *text = fmlp_report_text(capture);
  assert_non_null(text);
  assert_null(strstr(text, "nan"));
  assert_null(strstr(text, "inf"));
  free(text);
  return capture;
}

static void descend(int depth) {
  FMLP_SPAN("descend");
  if (depth > 1) descend(depth - 1);
}

/* ---- fork ---- */

static bool keep_going;

/* Spans, and threads that begin and end, while the main thread forks. */
static void *work(void *unused) {
  while (__atomic_load_n(&keep_going, __ATOMIC_RELAXED)) descend(5);
  return unused;
}

static void *work_once(void *unused) {
  descend(3);
  return unused;
}

static void *begin_threads(void *unused) {
  while (__atomic_load_n(&keep_going, __ATOMIC_RELAXED)) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, work_once, NULL) == 0) (void)pthread_join(thread, NULL);
  }
  return unused;
}

/* Of a child: 0 when its copy of the capture, and another one after it, are sound. */
static int child_captures(void) {
  (void)alarm(20); /* a lock held by a thread that is not here any more would last for ever */
  descend(4);
  fmlp_capture *capture = fmlp_capture_stop();
  if (!capture || fmlp_profile_check(capture)) return 1;
  fmlp_capture_free(capture);
  if (!fmlp_capture_start(NULL)) return 2;
  descend(2);
  capture = fmlp_capture_stop();
  if (!capture || fmlp_profile_check(capture) || capture->spans != 2 || capture->thread_count != 1) return 3;
  fmlp_capture_free(capture);
  return 0;
}

static void a_child_has_a_copy_and_the_parent_none_of_it(void **state) {
  (void)state;
  enum { FORKS = 60, WORKERS = 2 };
  pthread_t threads[WORKERS + 1];
  start(FMLP_CAPTURE_SPANS);
  FMLP_SPAN("outside");
  keep_going = true;
  for (int i = 0; i < WORKERS; i++) assert_int_equal(pthread_create(&threads[i], NULL, work, NULL), 0);
  assert_int_equal(pthread_create(&threads[WORKERS], NULL, begin_threads, NULL), 0);
  int failed = 0;
  for (int i = 0; i < FORKS; i++) {
    FMLP_SPAN("forking");
    const pid_t child = fork();
    if (child == 0) _exit(child_captures());
    int status = -1;
    failed += child < 0 || waitpid(child, &status, 0) != child || status != 0;
  }
  __atomic_store_n(&keep_going, false, __ATOMIC_RELAXED);
  for (int i = 0; i <= WORKERS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
  assert_int_equal(failed, 0);
  fmlp_capture *capture = stop();
  assert_int_equal(capture->open_spans, 1);
  int64_t forking = 0;
  for (int32_t i = 0; i < capture->node_count; i++)
    if (strcmp(capture->sites[capture->nodes[i].site].name, "forking") == 0)
      forking += capture->nodes[i].calls;
  assert_int_equal(forking, FORKS); /* and no span of a child */
  fmlp_capture_free(capture);
}

static void exit_in_the_middle_is_an_exit(void **state) {
  (void)state;
  for (int level = FMLP_CAPTURE_SPANS; level <= FMLP_CAPTURE_FULL; level++) {
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      pthread_t thread;
      const fmlp_capture_options options = {.level = (fmlp_capture_level)level};
      (void)alarm(20);
      (void)fclose(stdout); /* what the test printed is the parent's to write */
      keep_going = true;
      if (!fmlp_capture_start(&options) || pthread_create(&thread, NULL, work, NULL) != 0) _exit(9);
      FMLP_SPAN("left open");
      exit(7);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  }
}

/* ---- clocks ---- */

static void a_clock_that_stands_still_gives_counts_and_no_time(void **state) {
  (void)state;
  start(FMLP_CAPTURE_SPANS); /* the clock is chosen by the first */
  fmlp_capture_free(stop());
  fmlp_clock_choose(true);
  stopped_at = 5000000000;
  stopped = true;
  start(FMLP_CAPTURE_SPANS);
  for (int i = 0; i < 1000; i++) descend(3);
  fmlp_capture *capture = stop();
  stopped = false;
  fmlp_clock_choose(false);
  assert_int_equal(capture->spans, 3000);
  assert_int_equal(capture->event_count, 3000);
  assert_int_equal(capture->stop, capture->start);
  for (int32_t i = 0; i < capture->node_count; i++) {
    assert_int_equal(capture->nodes[i].calls, 1000);
    assert_int_equal(capture->nodes[i].total, 0);
  }
  fmlp_capture_free(capture);
}

static void a_clock_that_steps_back_gives_no_negative_time(void **state) {
  (void)state;
  static const int64_t STEPS[] = {0, 100, 1000000, -500000, -2000000000, 50, 3000000000, 1};
  for (int round = 0; round < 8; round++) { /* each step once at the end */
    fmlp_clock_choose(true);
    stopped_at = 10000000000;
    stopped = true;
    start(FMLP_CAPTURE_SPANS);
    for (int i = 0; i <= round; i++) {
      FMLP_SPAN("outer");
      stopped_at += STEPS[i];
      descend(2);
      stopped_at += STEPS[i] / 2;
    }
    fmlp_capture *capture = stop(); /* sound: nothing ends before it starts, or starts before zero */
    stopped = false;
    assert_int_equal(capture->spans, 3 * (round + 1));
    fmlp_capture_free(capture);
  }
  fmlp_clock_choose(false);
}

/* ---- sums and limits ---- */

static void sums_stop_at_the_largest_number(void **state) {
  (void)state;
  static const fmlp_span_site MUCH = {"much", "here.c", 1, "f"}, LESS = {"less", "here.c", 2, "f"};
  start(FMLP_CAPTURE_SPANS);
  for (int i = 0; i < 5; i++) {
    const uint64_t token = fmlp_span_begin_bytes(&MUCH, INT64_MAX);
    fmlp_span_add_bytes(INT64_MAX);
    fmlp_span_end(token);
    const uint64_t other = fmlp_span_begin_bytes(&LESS, INT64_MIN);
    fmlp_span_add_bytes(INT64_MIN);
    (void)fmlp_recorder_allocated(INT64_MAX);
    fmlp_span_end(other);
  }
  fmlp_capture *capture = stop();
  assert_int_equal(capture->node_count, 2);
  assert_int_equal(capture->nodes[0].bytes, FMLP_CAPTURE_MOST);
  assert_int_equal(capture->nodes[1].bytes, 0);
  assert_int_equal(capture->nodes[1].allocated_bytes, FMLP_CAPTURE_MOST);
  assert_int_equal(capture->nodes[1].allocations, 5);
  fmlp_capture_free(capture);
}

static void more_threads_than_records_are_counted(void **state) {
  (void)state;
  enum { THREADS = FMLP_RECORDER_THREADS + 20 };
  start(FMLP_CAPTURE_SPANS);
  for (int i = 0; i < THREADS; i++) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, work_once, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
  }
  fmlp_capture *capture = stop();
  assert_int_equal(capture->spans + capture->dropped_spans, 3 * THREADS);
  assert_true(capture->dropped_spans >= 3 * 20);
  assert_true(capture->thread_count <= FMLP_RECORDER_THREADS);
  fmlp_capture_free(capture);
  start(FMLP_CAPTURE_SPANS); /* their records serve again */
  descend(1);
  capture = stop();
  assert_int_equal(capture->spans, 1);
  assert_int_equal(capture->dropped_spans, 0);
  fmlp_capture_free(capture);
}

/* A thread that begins inside a span of another and outlives it. */
static void *outlive(void *unused) {
  FMLP_SPAN("outlive");
  while (__atomic_load_n(&keep_going, __ATOMIC_RELAXED)) (void)sched_yield();
  return unused;
}

static void a_thread_may_outlive_the_span_it_began_in(void **state) {
  (void)state;
  pthread_t thread;
  keep_going = true;
  start(FMLP_CAPTURE_SPANS);
  {
    FMLP_SPAN("parent");
    assert_int_equal(pthread_create(&thread, NULL, outlive, NULL), 0);
  }
  fmlp_capture *during = stop(); /* its span may be open, or not begun */
  assert_true(during->spans >= 1 && during->spans <= 2);
  assert_int_equal(during->open_spans, during->spans - 1);
  fmlp_capture_free(during);
  start(FMLP_CAPTURE_SPANS);
  __atomic_store_n(&keep_going, false, __ATOMIC_RELAXED);
  assert_int_equal(pthread_join(thread, NULL), 0); /* its token is of the capture before */
  fmlp_capture_free(stop());
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_child_has_a_copy_and_the_parent_none_of_it),
      cmocka_unit_test(exit_in_the_middle_is_an_exit),
      cmocka_unit_test(a_clock_that_stands_still_gives_counts_and_no_time),
      cmocka_unit_test(a_clock_that_steps_back_gives_no_negative_time),
      cmocka_unit_test(sums_stop_at_the_largest_number),
      cmocka_unit_test(more_threads_than_records_are_counted),
      cmocka_unit_test(a_thread_may_outlive_the_span_it_began_in),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
