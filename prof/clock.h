/* The profiler's clock: ticks that cost little to read, mapped onto CLOCK_MONOTONIC when a capture ends.
 *
 * On x86 whose kernel itself keeps time by the time-stamp counter (current_clocksource is tsc: constant and
 * equal on all cores) a tick is one count of it, some 10 ns cheaper than clock_gettime; two readings of both
 * clocks, at start and stop, give the line between them. Elsewhere a tick is a nanosecond of CLOCK_MONOTONIC.
 */
#ifndef FMLP_PROF_CLOCK_H
#define FMLP_PROF_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
#define FMLP_CLOCK_HAS_COUNTER 1
#else
#define FMLP_CLOCK_HAS_COUNTER 0
#endif

/* Set by fmlp_clock_choose; read by every tick. */
extern bool fmlp_clock_counter;

/* CLOCK_MONOTONIC. */
int64_t fmlp_clock_nanoseconds(void);

static inline int64_t fmlp_clock_ticks(void) {
#if FMLP_CLOCK_HAS_COUNTER
  if (__builtin_expect(fmlp_clock_counter, 1)) return (int64_t)__builtin_ia32_rdtsc();
#endif
  return fmlp_clock_nanoseconds();
}

/* Decides, once per process, whether the counter is fit; `forbid_counter` for tests, before any capture. */
void fmlp_clock_choose(bool forbid_counter);

/* Both clocks at one moment. */
typedef struct fmlp_clock_sample {
  int64_t ticks;
  int64_t nanoseconds; /* CLOCK_MONOTONIC */
} fmlp_clock_sample;

fmlp_clock_sample fmlp_clock_now(void);

/* A moment, and a duration, in nanoseconds by the line through two samples. A line of no length (the clock
 * went nowhere) maps every moment to its start and every duration to 0. */
int64_t fmlp_clock_moment(fmlp_clock_sample start, fmlp_clock_sample stop, int64_t ticks);
int64_t fmlp_clock_duration(fmlp_clock_sample start, fmlp_clock_sample stop, int64_t ticks);

#endif
