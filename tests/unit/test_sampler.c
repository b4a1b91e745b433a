/* prof/sources/sampler: samples of a busy function, on several threads, by either clock; refusals; nothing
 * when off. FMLP_SAMPLER (test builds) refuses perf_event_open, or timers, too. */
#define _GNU_SOURCE
#include "tests/cmocka_fmlp.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "prof/capture.h"
#include "prof/clock.h"
#include "prof/sources/sampler_frames.h"
#include "prof/sources/sampler_stack.h"
#include "prof/span.h"

#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#endif

static const char own_file[] = "tests/unit/test_sampler.c";
static volatile uint64_t sink;

/* ---- keep these lines together: BUSY_FIRST and BUSY_LAST are checked ---- */
enum { BUSY_FIRST = __LINE__ };
static int64_t processor_time(void);
static uint64_t turn(uint64_t value, int64_t rounds);

__attribute__((noinline)) static void busy(int64_t nanoseconds) {
  const int64_t end = processor_time() + nanoseconds;
  while (processor_time() < end) {
    uint64_t value = sink;
    for (int i = 0; i < 400000; i++) value = value * UINT64_C(6364136223846793005) + 1442695040888963407;
    sink = value;
  }
}
enum { BUSY_LAST = __LINE__ };

__attribute__((noinline)) static uint64_t turn(uint64_t value, int64_t rounds) {
  FMLP_SPAN("turn");
  busy(rounds);
  return value;
}

static int64_t processor_time(void) {
  struct timespec now;
  assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), 0);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void start(int32_t frequency) {
  const fmlp_capture_options options = {.sample_frequency = frequency};
  assert_true(fmlp_capture_start(&options));
}

static fmlp_capture *stop(void) {
  fmlp_capture *capture = fmlp_capture_stop();
  assert_non_null(capture);
  for (int64_t i = 0; i < capture->sample_count; i++) {
    const fmlp_capture_sample *sample = &capture->samples[i];
    assert_in_range(sample->thread, 0, capture->thread_count - 1);
    assert_true(sample->node >= -1 && sample->node < capture->node_count);
    assert_true(sample->time >= 0);
    assert_true(sample->first_frame >= 0 && sample->frame_count >= 0 &&
                sample->first_frame + sample->frame_count <= capture->frame_count);
    if (sample->node >= 0) assert_int_equal(capture->nodes[sample->node].thread, sample->thread);
    if (i == 0 || sample[-1].thread != sample->thread) continue;
    assert_true(sample->thread > sample[-1].thread || sample->time >= sample[-1].time);
  }
  for (int64_t f = 0; f < capture->frame_count; f++) {
    assert_in_range(capture->frames[f].function, 0, capture->name_count - 1);
    assert_true(capture->frames[f].file >= -1 && capture->frames[f].file < capture->name_count);
    assert_true(capture->frames[f].line >= 0);
  }
  return capture;
}

static bool ends_with(const char *text, const char *end) {
  const size_t length = strlen(text), wanted = strlen(end);
  return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

/* Also of a copy that the optimiser made: busy.constprop.0. */
static bool is_named(const char *name, const char *function) {
  const size_t length = strlen(function);
  return strncmp(name, function, length) == 0 && (name[length] == '\0' || name[length] == '.');
}

/* Samples of which a frame, or the innermost one, is `function`. */
static int64_t count_samples(const fmlp_capture *capture, const char *function, bool innermost) {
  int64_t count = 0;
  for (int64_t i = 0; i < capture->sample_count; i++) {
    const fmlp_capture_sample *sample = &capture->samples[i];
    const fmlp_capture_frame *frames = &capture->frames[sample->first_frame];
    bool found = false;
    for (int32_t f = 0; f < (innermost && sample->frame_count > 0 ? 1 : sample->frame_count); f++)
      found = found || is_named(capture->names[frames[f].function], function);
    count += found;
  }
  return count;
}

static void assert_busy_samples(const fmlp_capture *capture, int64_t least) {
  if (capture->sample_count < least || capture->sample_reason[0] != '\0')
    print_error("%lld samples: %s\n", (long long)capture->sample_count, capture->sample_reason);
  assert_string_equal(capture->sample_reason, "");
  assert_true(capture->sample_count >= least);
  bool lines = false;
  for (int32_t f = 0; f < capture->frame_count; f++) lines = lines || capture->frames[f].line > 0;
  int64_t in_span = 0, in_lines = 0;
  for (int64_t i = 0; i < capture->sample_count; i++) {
    const fmlp_capture_sample *sample = &capture->samples[i];
    if (sample->node >= 0 && strcmp(capture->sites[capture->nodes[sample->node].site].name, "turn") == 0)
      in_span++;
    const fmlp_capture_frame *frame = &capture->frames[sample->first_frame];
    if (sample->frame_count > 0 && frame->file >= 0 && ends_with(capture->names[frame->file], own_file) &&
        frame->line > BUSY_FIRST && frame->line < BUSY_LAST)
      in_lines++;
  }
  assert_true(in_span * 10 >= capture->sample_count * 8);
  if (!lines) {
    print_message("no lines: libdw is not here\n");
    return;
  }
  assert_true(in_lines * 10 >= capture->sample_count * 8);
  assert_true(count_samples(capture, "busy", true) * 10 >= capture->sample_count * 8);
  assert_true(count_samples(capture, "turn", false) * 10 >= capture->sample_count * 8); /* callers, too */
  for (int32_t f = 0; f < capture->frame_count; f++) /* names do not tell where it was built */
    if (capture->frames[f].file >= 0 && ends_with(capture->names[capture->frames[f].file], own_file))
      assert_string_equal(capture->names[capture->frames[f].file], own_file);
}

static void a_busy_function_has_the_samples_and_its_lines(void **state) {
  (void)state;
  start(1000);
  (void)turn(1, 400000000);
  fmlp_capture *capture = stop();
  assert_busy_samples(capture, 20); /* 400 where the clock is exact; a tick of 100 Hz gives 40 */
  fmlp_capture_free(capture);
}

__attribute__((always_inline)) static inline uint64_t merged(uint64_t value) {
  for (int i = 0; i < 300000; i++) value = value * 2862933555777941757 + 3037000493; /* not busy: compilers */
  return value; /* merge equal functions */
}

__attribute__((noinline)) static void call_merged(int64_t nanoseconds) {
  const int64_t end = processor_time() + nanoseconds;
  while (processor_time() < end) sink = merged(sink);
}

static void inlined_functions_are_frames(void **state) {
  (void)state;
  start(1000);
  call_merged(200000000);
  fmlp_capture *capture = stop();
  fmlp_frame_finder *finder = fmlp_frames_open();
  assert_non_null(finder);
  if (fmlp_frames_have_lines(finder)) {
    assert_true(count_samples(capture, "merged", true) * 10 >= capture->sample_count * 8);
    assert_true(count_samples(capture, "call_merged", true) * 10 <= capture->sample_count * 2);
    assert_true(count_samples(capture, "call_merged", false) * 10 >= capture->sample_count * 8);
  }
  fmlp_frames_close(finder);
  fmlp_capture_free(capture);
}

static double (*volatile library_function)(double) = exp;

__attribute__((noinline)) static void call_a_library(int64_t nanoseconds) {
  const int64_t end = processor_time() + nanoseconds;
  volatile double sum = 0;
  while (processor_time() < end)
    for (int i = 0; i < 20000; i++) sum = sum + library_function(-1e-3 * i);
}

/* Libraries keep no frame pointers: the first caller would be missed by them alone. */
static void who_calls_a_library_is_found(void **state) {
  (void)state;
  start(1000);
  call_a_library(300000000);
  fmlp_capture *capture = stop();
  assert_true(capture->sample_count >= 15);
  fmlp_frame_finder *finder = fmlp_frames_open();
  assert_non_null(finder);
#if defined(__x86_64__)
  if (fmlp_frames_have_lines(finder)) {
    assert_true(count_samples(capture, "call_a_library", true) * 10 < capture->sample_count * 8);
    assert_true(count_samples(capture, "call_a_library", false) * 10 >= capture->sample_count * 9);
    assert_true(count_samples(capture, "who_calls_a_library_is_found", false) * 10 >=
                capture->sample_count * 9);
  }
#endif
  fmlp_frames_close(finder);
  fmlp_capture_free(capture);
}

static void *turn_in_a_thread(void *unused) {
  (void)unused;
  (void)turn(1, 200000000);
  return NULL;
}

static void *turn_without_a_span(void *identity) {
  *(int64_t *)identity = (int64_t)syscall(SYS_gettid);
  busy(200000000);
  return NULL;
}

static void threads_made_meanwhile_are_sampled(void **state) {
  (void)state;
  pthread_t threads[3];
  int64_t identity = 0;
  start(1000);
  for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&threads[i], NULL, turn_in_a_thread, NULL), 0);
  assert_int_equal(pthread_create(&threads[2], NULL, turn_without_a_span, &identity), 0);
  for (int i = 0; i < 3; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
  fmlp_capture *capture = stop();
  int64_t of_thread[8] = {0};
  assert_true(capture->thread_count >= 3 && capture->thread_count <= 5);
  for (int64_t i = 0; i < capture->sample_count; i++) of_thread[capture->samples[i].thread]++;
  int32_t sampled = 0;
  bool spanless = false;
  for (int32_t t = 0; t < capture->thread_count; t++) {
    if (of_thread[t] < 10) continue;
    sampled++;
    spanless = spanless || capture->threads[t].id == identity;
  }
  assert_int_equal(sampled, 3);
  assert_true(spanless);
  fmlp_capture_free(capture);
}

static void timers_serve_where_perf_is_refused(void **state) {
  (void)state;
  assert_int_equal(setenv("FMLP_SAMPLER", "timer", 1), 0);
  start(1000);
  (void)turn(1, 500000000);
  fmlp_capture *capture = stop();
  assert_busy_samples(capture, 20);
  fmlp_capture_free(capture);
}

static void a_refusal_is_told(void **state) {
  (void)state;
  assert_int_equal(setenv("FMLP_SAMPLER", "none", 1), 0);
  start(1000);
  (void)turn(1, 1000000);
  fmlp_capture *capture = stop();
  assert_int_equal(capture->sample_count, 0);
  assert_int_equal(capture->spans, 1);
  assert_non_null(strstr(capture->sample_reason, "perf_event_open: "));
  assert_non_null(strstr(capture->sample_reason, "timer_create: "));
  fmlp_capture_free(capture);
}

static int no_wish(void **state) {
  (void)state;
  return unsetenv("FMLP_SAMPLER");
}

static void off_does_nothing(void **state) {
  (void)state;
  start(0);
  (void)turn(1, 20000000);
  fmlp_capture *capture = stop();
  assert_int_equal(capture->sample_count, 0);
  assert_int_equal(capture->dropped_samples, 0);
  assert_string_equal(capture->sample_reason, "");
  fmlp_capture_free(capture);
}

static volatile sig_atomic_t others;
static void count_signal(int signal) {
  (void)signal;
  others++;
}

static void a_signal_in_use_is_left_alone(void **state) {
  (void)state;
  struct sigaction ours = {.sa_handler = count_signal}, before, after;
  assert_int_equal(sigaction(SIGPROF, &ours, &before), 0);
  start(1000);
  (void)turn(1, 20000000);
  fmlp_capture *capture = stop();
  assert_int_equal(capture->sample_count, 0);
  assert_non_null(strstr(capture->sample_reason, "SIGPROF"));
  assert_int_equal(sigaction(SIGPROF, &before, &after), 0);
  assert_true(after.sa_handler == count_signal);
  assert_int_equal(others, 0);
  fmlp_capture_free(capture);
}

static void a_signal_after_the_stop_harms_nothing(void **state) {
  (void)state;
  start(1000);
  fmlp_capture_free(stop());
  assert_int_equal(raise(SIGPROF), 0);
  start(1000);
  assert_int_equal(raise(SIGPROF), 0); /* whoever sends it: a sample */
  fmlp_capture *capture = stop();
  assert_int_equal(capture->sample_count, 1);
  assert_true(count_samples(capture, "a_signal_after_the_stop_harms_nothing", false) == 1 ||
              capture->frame_count > 0);
  fmlp_capture_free(capture);
}

static void a_child_ends_its_capture_without_the_watcher(void **state) {
  (void)state;
  start(1000);
  (void)turn(1, 20000000);
  const pid_t child = fork();
  if (child == 0) {
    (void)turn(1, 20000000);
    fmlp_capture *capture = fmlp_capture_stop();
    _exit(capture && capture->spans >= 2 ? 0 : 1);
  }
  int status = 1;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  fmlp_capture_free(stop());
}

/* A stack that no kernel would give: the walk ends where memory does. */
static void broken_frame_pointers_end_a_stack(void **state) {
  (void)state;
#if defined(__x86_64__)
  const uint64_t bad[] = {0, 8, 0x10, UINT64_MAX - 7, UINT64_MAX, 0xffff800000000000u, 0x7fffffffe000u};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    for (int offset = 0; offset < 2; offset++) {
      ucontext_t context;
      memset(&context, 0, sizeof context);
      start(1);
      context.uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)&turn;
      context.uc_mcontext.gregs[REG_RBP] = (greg_t)bad[i];
      context.uc_mcontext.gregs[REG_RSP] = offset ? (greg_t)(bad[i] - 64) : (greg_t)(uintptr_t)&context;
      fmlp_stack_sample(&context, 3);
      fmlp_capture *capture = stop();
      assert_int_equal(capture->sample_count, 1);
      assert_int_equal(capture->samples[0].frame_count, 1);
      assert_int_equal(capture->dropped_samples, 3);
      fmlp_capture_free(capture);
    }
#endif
}

int main(void) {
#ifdef THREAD_SANITIZER
  return 77; /* it delivers signals only where a thread calls into the system */
#endif
#define TEST(name) cmocka_unit_test_setup(name, no_wish)
  const struct CMUnitTest tests[] = {
      TEST(a_busy_function_has_the_samples_and_its_lines),
      TEST(who_calls_a_library_is_found),
      TEST(inlined_functions_are_frames),
      TEST(threads_made_meanwhile_are_sampled),
      TEST(timers_serve_where_perf_is_refused),
      TEST(a_refusal_is_told),
      TEST(off_does_nothing),
      TEST(a_signal_after_the_stop_harms_nothing),
      TEST(a_child_ends_its_capture_without_the_watcher),
      TEST(broken_frame_pointers_end_a_stack),
      TEST(a_signal_in_use_is_left_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
