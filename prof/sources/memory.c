/* Counting of host memory, and its two curves.
 *
 * A thread counts in variables of its own; what it holds more or less goes to the sum of all when it exceeds
 * FLUSH, so that a pair of malloc and free costs a few ns and the sum, its peak and its curve are right to
 * FLUSH bytes a thread (exact once threads have ended, and at the stop). A curve keeps, for each of a bounded
 * number of intervals, the highest and the last value: no peak is lost when intervals are joined to double
 * their length. */
#define _GNU_SOURCE
#include "prof/sources/memory.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "prof/clock.h"
#include "prof/recorder.h"

enum {
  FLUSH = 1 << 16,                   /* bytes */
  INTERVALS = 2048,                  /* of a curve */
  FIRST_LENGTH = 1 << 14,            /* ns of an interval, until there are too many */
  RESIDENT_PERIOD = 10 * 1000 * 1000 /* ns */
};

/* What one thread has not told yet. Its own thread writes, the stop reads. */
typedef struct heap_thread {
  struct heap_thread *next, *previous; /* of those that counted, under the lock */
  uint32_t capture;                    /* it counts for */
  bool linked, left, quiet;
  int64_t pending; /* bytes held more */
  int64_t outside_allocations, outside_bytes;
} heap_thread;

typedef struct interval {
  int64_t highest_time, highest, last_time, last; /* last_time < 0: none */
} interval;

typedef struct curve {
  int64_t length; /* ns of an interval */
  int64_t peak;
  interval intervals[INTERVALS];
} curve;

uint32_t fmlp_heap_watching;

static _Thread_local heap_thread own __attribute__((tls_model("initial-exec")));
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static pthread_key_t leave_key;
static bool have_leave_key;

/* Under the lock. */
static heap_thread *threads;
static uint32_t last_capture;
static int64_t origin, held, outside_allocations, outside_bytes;
static curve allocated, resident;

static int64_t mapped; /* bytes of mappings of the program's allocator, always */

static pthread_t resident_thread;
static pthread_cond_t resident_wake;
static bool resident_runs, resident_ends;
static int resident_file = -1;

__attribute__((weak)) bool fmlp_heap_sees_malloc(void) {
  return false;
}

/* ---- curves ---- */

static void curve_clear(curve *of) {
  of->length = FIRST_LENGTH;
  of->peak = 0;
  for (int i = 0; i < INTERVALS; i++) of->intervals[i].last_time = -1;
}

static void join_intervals(interval *into, const interval *later) {
  if (later->last_time < 0) return;
  if (into->last_time < 0 || later->highest > into->highest) {
    into->highest = later->highest;
    into->highest_time = later->highest_time;
  }
  into->last = later->last;
  into->last_time = later->last_time;
}

static void curve_add(curve *of, int64_t time, int64_t value) {
  if (time < 0) time = 0;
  while (time / of->length >= INTERVALS) {
    for (int i = 0; i < INTERVALS; i++) {
      interval moved = of->intervals[i];
      of->intervals[i].last_time = -1;
      join_intervals(&of->intervals[i / 2], &moved);
    }
    of->length *= 2;
  }
  const interval one = {time, value, time, value};
  join_intervals(&of->intervals[time / of->length], &one);
  if (value > of->peak) of->peak = value;
}

static int64_t curve_points(const curve *of) {
  int64_t count = 0;
  for (int i = 0; i < INTERVALS; i++)
    if (of->intervals[i].last_time >= 0)
      count += of->intervals[i].highest_time != of->intervals[i].last_time ? 2 : 1;
  return count;
}

/* Its points, moved to the capture's own zero and inside its end. */
static void curve_copy(const curve *of, fmlp_counter_kind kind, int64_t shift, fmlp_capture *capture) {
  const int64_t end = capture->stop - capture->start;
  for (int i = 0; i < INTERVALS; i++) {
    const interval *from = &of->intervals[i];
    if (from->last_time < 0) continue;
    const int64_t times[2] = {from->highest_time, from->last_time};
    const int64_t values[2] = {from->highest, from->last};
    for (int p = times[0] == times[1]; p < 2; p++) {
      int64_t time = times[p] + shift;
      time = time < 0 ? 0 : time > end ? end : time;
      capture->counters[capture->counter_count++] =
          (fmlp_capture_counter){.kind = kind, .device = -1, .time = time, .value = values[p]};
    }
  }
}

/* ---- counting ---- */

/* Under the lock. */
static void tell(heap_thread *thread) {
  held += thread->pending;
  outside_allocations += thread->outside_allocations;
  outside_bytes += thread->outside_bytes;
  FMLP_STORE(thread->pending, 0);
  FMLP_STORE(thread->outside_allocations, 0);
  FMLP_STORE(thread->outside_bytes, 0);
  curve_add(&allocated, fmlp_clock_nanoseconds() - origin, held);
}

static void flush(heap_thread *thread) {
  (void)pthread_mutex_lock(&lock);
  if (thread->capture == FMLP_LOAD(fmlp_heap_watching)) tell(thread);
  (void)pthread_mutex_unlock(&lock);
}

/* At a thread's end: its variables go with it. */
static void leave(void *record) {
  heap_thread *thread = record;
  (void)pthread_mutex_lock(&lock);
  if (thread->capture == FMLP_LOAD(fmlp_heap_watching)) tell(thread);
  if (thread->previous) thread->previous->next = thread->next;
  if (thread->next) thread->next->previous = thread->previous;
  if (threads == thread) threads = thread->next;
  thread->linked = false;
  thread->left = true;
  (void)pthread_mutex_unlock(&lock);
}

/* This thread's first word in this capture. What a thread allocates after its `leave` is told at once. */
static void join_capture(heap_thread *thread, uint32_t capture) {
  (void)pthread_mutex_lock(&lock);
  thread->capture = capture;
  FMLP_STORE(thread->pending, 0);
  FMLP_STORE(thread->outside_allocations, 0);
  FMLP_STORE(thread->outside_bytes, 0);
  bool link = !thread->linked && !thread->left && have_leave_key;
  if (link) {
    thread->linked = true;
    thread->previous = NULL;
    thread->next = threads;
    if (threads) threads->previous = thread;
    threads = thread;
  }
  (void)pthread_mutex_unlock(&lock);
  if (!link) return;
  thread->quiet = true; /* setspecific may allocate */
  if (pthread_setspecific(leave_key, thread) != 0) leave(thread);
  thread->quiet = false;
}

/* NULL when this thread is not to count. */
static heap_thread *counting(void) {
  heap_thread *thread = &own;
  const uint32_t capture = FMLP_LOAD(fmlp_heap_watching);
  if (__builtin_expect(thread->quiet || capture == 0, 0)) return NULL;
  if (__builtin_expect(thread->capture != capture, 0)) join_capture(thread, capture);
  return thread;
}

static void change(heap_thread *thread, int64_t size) {
  const int64_t pending = thread->pending + size;
  FMLP_STORE(thread->pending, pending);
  if (__builtin_expect(pending >= FLUSH || pending <= -FLUSH || !thread->linked, 0)) flush(thread);
}

void fmlp_heap_took(int64_t asked, int64_t size) {
  heap_thread *thread = counting();
  if (!thread) return;
  if (!fmlp_recorder_allocated(asked)) {
    FMLP_STORE(thread->outside_allocations, thread->outside_allocations + 1);
    FMLP_STORE(thread->outside_bytes, thread->outside_bytes + asked);
  }
  change(thread, size);
}

void fmlp_heap_gave(int64_t size) {
  heap_thread *thread = counting();
  if (thread) change(thread, -size);
}

void fmlp_heap_mapped(int64_t asked, int64_t change_of_size) {
  (void)__atomic_fetch_add(&mapped, change_of_size, __ATOMIC_RELAXED);
  if (!fmlp_heap_watched()) return;
  if (asked > 0) {
    fmlp_heap_took(asked, change_of_size);
  } else {
    fmlp_heap_gave(-change_of_size);
  }
}

void fmlp_heap_quiet(bool quiet) {
  own.quiet = quiet;
}

/* ---- resident size ---- */

static void sample_resident(void) {
  char text[64];
  ssize_t length = pread(resident_file, text, sizeof text - 1, 0);
  if (length <= 0) return;
  text[length] = '\0';
  char *rest = NULL;
  (void)strtoll(text, &rest, 10); /* the first number is of virtual pages */
  int64_t pages = strtoll(rest, NULL, 10);
  curve_add(&resident, fmlp_clock_nanoseconds() - origin, pages * sysconf(_SC_PAGESIZE));
}

/* Takes no signal, opens no span and allocates nothing. Its own lock is that of the sums. */
static void *watch_resident(void *unused) {
  (void)unused;
  (void)pthread_mutex_lock(&lock);
  while (!resident_ends) {
    sample_resident();
    int64_t next = fmlp_clock_nanoseconds() + RESIDENT_PERIOD;
    struct timespec until = {.tv_sec = next / 1000000000, .tv_nsec = next % 1000000000};
    (void)pthread_cond_timedwait(&resident_wake, &lock, &until);
  }
  sample_resident();
  (void)pthread_mutex_unlock(&lock);
  return NULL;
}

static void start_resident(void) {
  resident_file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (resident_file < 0) return;
  resident_ends = false;
  sigset_t all, before;
  (void)sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals go to the program's own threads */
  resident_runs = pthread_create(&resident_thread, NULL, watch_resident, NULL) == 0;
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void stop_resident(void) {
  if (resident_runs) {
    (void)pthread_mutex_lock(&lock);
    resident_ends = true;
    (void)pthread_cond_signal(&resident_wake);
    (void)pthread_mutex_unlock(&lock);
    (void)pthread_join(resident_thread, NULL);
    resident_runs = false;
  }
  if (resident_file >= 0) (void)close(resident_file);
  resident_file = -1;
}

/* ---- the source ---- */

static void prepare_wake(void) {
  pthread_condattr_t attributes;
  (void)pthread_condattr_init(&attributes);
  (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  (void)pthread_cond_init(&resident_wake, &attributes);
  (void)pthread_condattr_destroy(&attributes);
}

/* In a child made by fork the other threads are gone, perhaps in the middle of a sum: it counts no more, and
 * its capture, if it ends one, has no memory. */
static void in_child(void) {
  FMLP_STORE(fmlp_heap_watching, 0);
  (void)pthread_mutex_init(&lock, NULL);
  prepare_wake();
  threads = NULL;
  own.linked = false;
  own.quiet = false;
  if (resident_file >= 0) (void)close(resident_file); /* the parent's */
  resident_file = -1;
  resident_runs = false;
}

static void prepare(void) {
  have_leave_key = pthread_key_create(&leave_key, leave) == 0;
  prepare_wake();
  (void)pthread_atfork(NULL, NULL, in_child);
}

/* What is held before anything is counted. */
static int64_t held_before(void) {
  int64_t bytes = FMLP_LOAD(mapped);
#if defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 33)
  if (fmlp_heap_sees_malloc()) {
    const struct mallinfo2 known = mallinfo2();
    bytes += (int64_t)(known.uordblks + known.hblkhd);
  }
#endif
#endif
  return bytes;
}

static void start(const fmlp_capture_options *options) {
  if (options->level != FMLP_CAPTURE_FULL) return;
  (void)pthread_once(&prepared, prepare);
  (void)pthread_mutex_lock(&lock);
  origin = fmlp_clock_nanoseconds();
  held = held_before();
  outside_allocations = outside_bytes = 0;
  curve_clear(&allocated);
  curve_clear(&resident);
  curve_add(&allocated, 0, held);
  if (++last_capture == 0) last_capture = 1;
  (void)pthread_mutex_unlock(&lock);
  start_resident();
  FMLP_STORE(fmlp_heap_watching, last_capture);
}

static void add_curves(fmlp_capture *capture, int64_t shift) {
  /* First of all sources to stop: the counters of devices, a later kind, follow these. */
  const int64_t count = curve_points(&allocated) + curve_points(&resident);
  capture->counters = malloc((size_t)count * sizeof *capture->counters);
  if (!capture->counters) return;
  curve_copy(&resident, FMLP_COUNTER_RESIDENT, shift, capture);
  curve_copy(&allocated, FMLP_COUNTER_ALLOCATED, shift, capture);
}

static void stop(fmlp_capture *capture, const fmlp_capture_places *places) {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) == 0) capture->peak_resident = (int64_t)usage.ru_maxrss * 1024;
  const uint32_t watching = FMLP_LOAD(fmlp_heap_watching);
  if (watching == 0) return;
  stop_resident();
  (void)pthread_mutex_lock(&lock);
  for (heap_thread *thread = threads; thread; thread = thread->next) {
    if (thread->capture != watching) continue;
    held += FMLP_LOAD(thread->pending);
    outside_allocations += FMLP_LOAD(thread->outside_allocations);
    outside_bytes += FMLP_LOAD(thread->outside_bytes);
  }
  curve_add(&allocated, fmlp_clock_nanoseconds() - origin, held);
  FMLP_STORE(fmlp_heap_watching, 0);
  (void)pthread_mutex_unlock(&lock);
  capture->peak_allocated = allocated.peak;
  capture->outside_allocations = outside_allocations;
  capture->outside_bytes = outside_bytes;
  add_curves(capture, origin - places->start);
}

const fmlp_capture_source fmlp_memory_source = {.name = "memory", .start = start, .stop = stop};
