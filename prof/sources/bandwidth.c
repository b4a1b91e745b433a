/* Memory bandwidth, measured with plain loops. */
#define _GNU_SOURCE
#include "prof/sources/bandwidth.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "prof/clock.h"

enum { MOST_THREADS = 256, PASSES = 3, CACHES = 4 };
static const int64_t LEAST_BYTES = INT64_C(64) << 20, MOST_BYTES = INT64_C(512) << 20;

/* The threads meet before and after every pass, so that all of them move bytes at the same time. */
typedef struct measurement {
  int32_t threads;
  int64_t bytes;        /* of each of a thread's two buffers */
  pthread_mutex_t gate; /* held until it is known whether all have started */
  pthread_barrier_t barrier;
  int64_t best;       /* bytes a second */
  bool fewer;         /* not all threads started: nobody waits at the barrier */
  bool out_of_memory; /* of any of them; known to all behind the first barrier */
} measurement;

typedef struct worker {
  measurement *all;
  bool first;
  uint64_t *from, *to;
  uint64_t sum; /* read by nobody: keeps the loads */
} worker;

static void read_all(worker *own) {
  const int64_t count = own->all->bytes / (int64_t)sizeof *own->from;
  uint64_t a = 0, b = 0, c = 0, d = 0;
  for (int64_t i = 0; i + 4 <= count; i += 4) {
    a += own->from[i];
    b += own->from[i + 1];
    c += own->from[i + 2];
    d += own->from[i + 3];
  }
  own->sum += a + b + c + d;
}

/* Bytes a second of one pass, known to the first thread. */
static void run_pass(worker *own, bool copy) {
  (void)pthread_barrier_wait(&own->all->barrier);
  const int64_t start = fmlp_clock_nanoseconds();
  if (copy)
    memcpy(own->to, own->from, (size_t)own->all->bytes);
  else
    read_all(own);
  (void)pthread_barrier_wait(&own->all->barrier);
  const int64_t length = fmlp_clock_nanoseconds() - start;
  if (!own->first || length <= 0) return;
  const double bytes = (double)own->all->bytes * own->all->threads * (copy ? 2 : 1);
  const int64_t rate = (int64_t)(bytes / (double)length * 1e9);
  if (rate > own->all->best) own->all->best = rate;
}

static void *work(void *pointer) {
  worker *own = pointer;
  const size_t bytes = (size_t)own->all->bytes;
  (void)pthread_mutex_lock(&own->all->gate);
  (void)pthread_mutex_unlock(&own->all->gate);
  if (own->all->fewer) return NULL;
  void *block =
      mmap(NULL, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (block == MAP_FAILED) {
    __atomic_store_n(&own->all->out_of_memory, true, __ATOMIC_RELAXED);
  } else {
    (void)madvise(block, 2 * bytes, MADV_HUGEPAGE);
    memset(block, 1, 2 * bytes); /* where this thread runs */
    own->from = block;
    own->to = own->from + bytes / sizeof *own->to;
  }
  (void)pthread_barrier_wait(&own->all->barrier);
  if (!__atomic_load_n(&own->all->out_of_memory, __ATOMIC_RELAXED))
    for (int pass = 0; pass < 2 * PASSES; pass++) run_pass(own, pass % 2 == 1);
  if (block != MAP_FAILED) (void)munmap(block, 2 * bytes);
  return NULL;
}

static bool read_line(const char *path, char *line, int capacity) {
  FILE *file = fopen(path, "re");
  const bool read = file && fgets(line, capacity, file);
  if (file) (void)fclose(file);
  return read;
}

/* How many processors a list like "0-3,8-11" names. */
static int64_t count_list(const char *list) {
  int64_t count = 0;
  while (*list >= '0' && *list <= '9') {
    char *end = NULL;
    const long first = strtol(list, &end, 10);
    const long last = *end == '-' ? strtol(end + 1, &end, 10) : first;
    count += last - first + 1;
    list = *end == ',' ? end + 1 : "";
  }
  return count;
}

/* Of the last-level caches that so many threads can use. From /sys: sysconf tells other sizes on virtual
 * machines. */
static int64_t cache_bytes(int32_t threads) {
  char size[64], shared[256];
  int64_t bytes = INT64_C(32) << 20, share = 1; /* a guess where nothing is told */
  if (read_line("/sys/devices/system/cpu/cpu0/cache/index3/size", size, (int)sizeof size)) {
    char *unit = NULL;
    bytes = strtol(size, &unit, 10);
    bytes *= *unit == 'K' ? 1 << 10 : *unit == 'M' ? 1 << 20 : 1;
  }
  if (read_line("/sys/devices/system/cpu/cpu0/cache/index3/shared_cpu_list", shared, (int)sizeof shared))
    share = count_list(shared);
  return share > 0 ? bytes * ((threads + share - 1) / share) : bytes;
}

/* That may still be used: of the machine, and of this process's group where it has a limit. */
static int64_t free_bytes(void) {
  char most[64], used[64];
  int64_t bytes = (int64_t)sysconf(_SC_AVPHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE);
  if (read_line("/sys/fs/cgroup/memory.max", most, (int)sizeof most) && *most != 'm' &&
      read_line("/sys/fs/cgroup/memory.current", used, (int)sizeof used)) {
    const int64_t left = strtoll(most, NULL, 10) - strtoll(used, NULL, 10);
    if (left < bytes) bytes = left;
  }
  return bytes > 0 ? bytes : 0;
}

/* Of all buffers together: several caches, and at most an eighth of the memory that is free. */
static int64_t buffer_bytes(int32_t threads) {
  int64_t bytes = CACHES * cache_bytes(threads);
  if (bytes < LEAST_BYTES) bytes = LEAST_BYTES;
  if (bytes > MOST_BYTES) bytes = MOST_BYTES;
  return bytes < free_bytes() / 8 ? bytes : free_bytes() / 8;
}

static int32_t allowed_threads(void) {
  cpu_set_t set;
  const int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  return count < MOST_THREADS ? count : MOST_THREADS;
}

int64_t fmlp_bandwidth_measure(int32_t threads) {
  if (threads <= 0 || threads > allowed_threads()) threads = allowed_threads();
  measurement all = {.threads = threads, .bytes = buffer_bytes(threads) / (2 * (int64_t)threads)};
  all.bytes -= all.bytes % 4096;
  if (all.bytes <= 0 || pthread_barrier_init(&all.barrier, NULL, (unsigned)threads) != 0) return 0;
  (void)pthread_mutex_init(&all.gate, NULL);
  (void)pthread_mutex_lock(&all.gate);
  worker own[MOST_THREADS];
  pthread_t thread[MOST_THREADS];
  int32_t started = 1;
  for (int32_t i = 0; i < threads; i++) own[i] = (worker){.all = &all, .first = i == 0};
  while (started < threads && pthread_create(&thread[started], NULL, work, &own[started]) == 0) started++;
  all.fewer = started < threads;
  (void)pthread_mutex_unlock(&all.gate);
  (void)work(&own[0]);
  for (int32_t i = 1; i < started; i++) (void)pthread_join(thread[i], NULL);
  (void)pthread_barrier_destroy(&all.barrier);
  (void)pthread_mutex_destroy(&all.gate);
  return all.fewer || all.out_of_memory ? 0 : all.best;
}

/* ---- as a source ---- */

static int32_t wanted_threads;
static int64_t measured = -1;

static void start(const fmlp_capture_options *options) {
  wanted_threads = options->threads;
}

static void stop(fmlp_capture *capture, const fmlp_capture_places *places) {
  (void)places;
  if (capture->level != FMLP_CAPTURE_FULL) return;
  if (measured < 0) measured = fmlp_bandwidth_measure(wanted_threads);
  capture->host_bytes_per_second = measured;
}

const fmlp_capture_source fmlp_bandwidth_source = {"bandwidth", start, stop};
