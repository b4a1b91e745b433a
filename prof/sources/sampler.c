/* A clock for every thread, and the watcher that gives new threads theirs. */
#define _GNU_SOURCE
#include "prof/sources/sampler.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "prof/sources/sampler_samples.h"
#include "prof/sources/sampler_stack.h"

#ifndef FMLP_SAMPLER_TEST_HOOKS
#define FMLP_SAMPLER_TEST_HOOKS 0
#endif

enum { THREADS = 4096, DIRECTORY_BYTES = 16384, WATCH_NANOSECONDS = 10000000, ROUNDS = 10 };

/* A thread's clock. */
typedef struct thread_clock {
  int32_t thread; /* 0: free */
  int file;       /* of perf_event_open, -1: a timer */
  timer_t timer;
  bool seen;
} thread_clock;

static struct {
  bool asked, running;
  int64_t period; /* ns */
  pid_t process;  /* a child after fork has no watcher */
  pthread_t watcher;
  int32_t watcher_id;
  pthread_mutex_t mutex;
  pthread_cond_t quitting;
  bool quit;
  int32_t clock_count; /* slots used so far */
  thread_clock clocks[THREADS];
  int32_t armed;
  char perf_reason[64], timer_reason[64], reason[FMLP_CAPTURE_REASON];
} sampler = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* Test builds: FMLP_SAMPLER=timer does without perf_event_open, =none without timers, too. */
static bool refused(bool perf) {
  const char *wish = FMLP_SAMPLER_TEST_HOOKS ? getenv("FMLP_SAMPLER") : NULL;
  return wish && (strcmp(wish, "none") == 0 || (perf && strcmp(wish, "timer") == 0));
}

static void tell(char *reason, size_t capacity, const char *what) {
  (void)snprintf(reason, capacity, "%s: %s", what, strerror(errno));
}

/* A counter of the thread's processor time that signals the thread itself as often as a period of user code
 * ends. */
static bool arm_perf(thread_clock *clock) {
  struct perf_event_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_TASK_CLOCK;
  attributes.sample_period = (uint64_t)sampler.period;
  attributes.disabled = 1;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  attributes.wakeup_events = 1;
  errno = EACCES;
  const int file = refused(true) ? -1
                                 : (int)syscall(SYS_perf_event_open, &attributes, clock->thread, -1, -1,
                                                PERF_FLAG_FD_CLOEXEC);
  if (file < 0) {
    tell(sampler.perf_reason, sizeof sampler.perf_reason, "perf_event_open");
    return false;
  }
  const struct f_owner_ex owner = {.type = F_OWNER_TID, .pid = clock->thread};
  if (fcntl(file, F_SETOWN_EX, &owner) == 0 && fcntl(file, F_SETSIG, SIGPROF) == 0 &&
      fcntl(file, F_SETFL, O_ASYNC | O_NONBLOCK) == 0 && ioctl(file, PERF_EVENT_IOC_ENABLE, 0) == 0) {
    clock->file = file;
    return true;
  }
  tell(sampler.perf_reason, sizeof sampler.perf_reason, "a signal from perf_event_open");
  (void)close(file);
  return false;
}

/* The clock of a thread's processor time has no name in POSIX for threads other than by pthread_t; this is
 * how Linux numbers it, in its interface since 2.6.12. */
static clockid_t processor_clock(int32_t thread) {
  return (clockid_t)(~(uint32_t)thread << 3 | 6);
}

static bool arm_timer(thread_clock *clock) {
  struct sigevent event;
  memset(&event, 0, sizeof event);
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGPROF;
#ifdef sigev_notify_thread_id
  event.sigev_notify_thread_id = clock->thread;
#else
  event._sigev_un._tid = clock->thread;
#endif
  const struct itimerspec every = {.it_interval = {sampler.period / 1000000000, sampler.period % 1000000000},
                                   .it_value = {sampler.period / 1000000000, sampler.period % 1000000000}};
  errno = EACCES;
  if (refused(false) || timer_create(processor_clock(clock->thread), &event, &clock->timer) != 0) {
    tell(sampler.timer_reason, sizeof sampler.timer_reason, "timer_create");
    return false;
  }
  clock->file = -1;
  if (timer_settime(clock->timer, 0, &every, NULL) == 0) return true;
  tell(sampler.timer_reason, sizeof sampler.timer_reason, "timer_settime");
  (void)timer_delete(clock->timer);
  return false;
}

static void disarm(thread_clock *clock) {
  if (clock->file >= 0)
    (void)close(clock->file);
  else
    (void)timer_delete(clock->timer);
  clock->thread = 0;
}

static void see_thread(int32_t thread) {
  if (thread == sampler.watcher_id) return;
  thread_clock *free_clock = NULL;
  for (int32_t i = 0; i < sampler.clock_count; i++) {
    if (sampler.clocks[i].thread == thread) {
      sampler.clocks[i].seen = true;
      return;
    }
    if (sampler.clocks[i].thread == 0) free_clock = &sampler.clocks[i];
  }
  if (!free_clock && sampler.clock_count < THREADS) free_clock = &sampler.clocks[sampler.clock_count++];
  if (!free_clock) return;
  free_clock->thread = thread;
  free_clock->seen = true;
  if (arm_perf(free_clock) || arm_timer(free_clock))
    sampler.armed++;
  else
    free_clock->thread = 0;
}

/* A clock for every thread that has none, none for those that have ended. Allocates nothing: this goes on
 * while memory is measured. */
static void look_at_threads(void) {
  struct entry {
    uint64_t number;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
  };
  static _Alignas(uint64_t) char bytes[DIRECTORY_BYTES];
  const int folder = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  for (int32_t i = 0; i < sampler.clock_count; i++) sampler.clocks[i].seen = false;
  long length;
  while ((length = syscall(SYS_getdents64, folder, bytes, sizeof bytes)) > 0) {
    for (long at = 0; at < length;) {
      const struct entry *entry = (const struct entry *)(const void *)(bytes + at);
      const int32_t thread = (int32_t)strtol(entry->name, NULL, 10);
      if (thread > 0) see_thread(thread);
      at += entry->length;
    }
  }
  (void)close(folder);
  for (int32_t i = 0; i < sampler.clock_count; i++)
    if (sampler.clocks[i].thread != 0 && !sampler.clocks[i].seen) disarm(&sampler.clocks[i]);
}

/* The folder's links: itself, its parent, and one for each thread. */
static uint64_t count_threads(void) {
  struct stat folder;
  return stat("/proc/self/task", &folder) == 0 ? (uint64_t)folder.st_nlink : 0;
}

static void *watch(void *unused) {
  (void)unused;
  (void)pthread_mutex_lock(&sampler.mutex);
  sampler.watcher_id = (int32_t)syscall(SYS_gettid);
  uint64_t threads = 0;
  for (int round = 0; !sampler.quit; round++) {
    const uint64_t now =
        count_threads(); /* much cheaper than to look at them; one may have replaced another */
    if (now != threads || round % ROUNDS == 0) look_at_threads();
    threads = now;
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += WATCH_NANOSECONDS;
    if (until.tv_nsec >= 1000000000) {
      until.tv_nsec -= 1000000000;
      until.tv_sec++;
    }
    (void)pthread_cond_timedwait(&sampler.quitting, &sampler.mutex, &until);
  }
  (void)pthread_mutex_unlock(&sampler.mutex);
  return NULL;
}

/* Takes no signal: they are for the program's threads. */
static bool start_watcher(void) {
  pthread_condattr_t monotonic;
  sigset_t all, before;
  sampler.quit = false;
  sampler.watcher_id = 0;
  (void)pthread_condattr_init(&monotonic);
  (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  (void)pthread_cond_init(&sampler.quitting, &monotonic);
  (void)pthread_condattr_destroy(&monotonic);
  (void)sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  const int failed = pthread_create(&sampler.watcher, NULL, watch, NULL);
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  return failed == 0;
}

static void on_signal(int signal, siginfo_t *info, void *context) {
  (void)signal;
  fmlp_stack_sample(context, info->si_code == SI_TIMER ? info->si_overrun : 0);
}

/* Ours stays for good: a signal that is still under way would end the program. */
static bool take_signal(void) {
  struct sigaction old, ours;
  if (sigaction(SIGPROF, NULL, &old) != 0) return false;
  const bool is_ours = (old.sa_flags & SA_SIGINFO) && old.sa_sigaction == on_signal;
  if (is_ours) return true;
  if ((old.sa_flags & SA_SIGINFO) || (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN)) return false;
  memset(&ours, 0, sizeof ours);
  ours.sa_sigaction = on_signal;
  ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  return sigaction(SIGPROF, &ours, NULL) == 0;
}

static void disarm_all(void) {
  for (int32_t i = 0; i < sampler.clock_count; i++)
    if (sampler.clocks[i].thread != 0) disarm(&sampler.clocks[i]);
}

static void start(const fmlp_capture_options *options) {
  sampler.asked = options->sample_frequency > 0;
  sampler.running = false;
  sampler.reason[0] = '\0';
  if (!sampler.asked) return;
  sampler.period = 1000000000 / options->sample_frequency;
  if (sampler.period < 100000) sampler.period = 100000; /* 10 kHz: more would be the signals alone */
  sampler.process = getpid();
  sampler.armed = sampler.clock_count = 0;
  if (!take_signal()) {
    (void)snprintf(sampler.reason, sizeof sampler.reason, "another part of the program uses SIGPROF");
    return;
  }
  if (!fmlp_stack_open()) {
    (void)snprintf(sampler.reason, sizeof sampler.reason, "no memory for samples");
    return;
  }
  look_at_threads(); /* those that are there, before the first span */
  if (sampler.armed == 0) {
    (void)snprintf(sampler.reason, sizeof sampler.reason, "%s; %s", sampler.perf_reason,
                   sampler.timer_reason);
  } else if (!start_watcher()) {
    (void)snprintf(sampler.reason, sizeof sampler.reason, "no thread to watch for new threads");
    disarm_all();
  } else {
    sampler.running = true;
  }
}

static void stop_watcher(void) {
  (void)pthread_mutex_lock(&sampler.mutex);
  sampler.quit = true;
  (void)pthread_cond_signal(&sampler.quitting);
  (void)pthread_mutex_unlock(&sampler.mutex);
  (void)pthread_join(sampler.watcher, NULL);
  (void)pthread_cond_destroy(&sampler.quitting);
  disarm_all();
}

static void stop(fmlp_capture *capture, const fmlp_capture_places *places) {
  if (!sampler.asked) return;
  const bool forked = sampler.process != getpid();
  if (sampler.running && !forked) stop_watcher();
  const bool closed = forked || fmlp_stack_close();
  if (!closed) {
    (void)snprintf(sampler.reason, sizeof sampler.reason, "a sample did not come to its end");
  } else if (sampler.running) {
    if (!fmlp_samples_add(capture, places))
      (void)snprintf(sampler.reason, sizeof sampler.reason, "no memory for samples");
    else if (capture->sample_count == 0)
      (void)snprintf(sampler.reason, sizeof sampler.reason, "no thread was busy long enough to be sampled");
  }
  sampler.running = false;
  if (closed) fmlp_stack_forget();
  (void)snprintf(capture->sample_reason, sizeof capture->sample_reason, "%s", sampler.reason);
}

const fmlp_capture_source fmlp_sampler_source = {.name = "sampler", .start = start, .stop = stop};
