/* The sampler: where every thread is, some thousand times a second of its processor time, with the calls that
 * led there and the open span.
 *
 * Each thread gets a clock of its own that sends it SIGPROF: perf_event_open's software clock (as exact as
 * asked for, user code alone, allowed to everybody at perf_event_paranoid 2), or where that is refused, as in
 * many containers, a timer of the thread's processor time (no more often than the kernel's tick, 100 to 1000
 * a second). The signal's handler writes down the stack. A watcher sees every 10 ms whether there are more or
 * fewer threads; what such a thread does before is not seen.
 *
 * Frames are followed by frame pointers. Libraries have none: who called one is found by its own tables, deep
 * inside one only its innermost functions are. Waiting costs no processor time and is not sampled. Without
 * sampling nothing is done. */
#ifndef FMLP_PROF_SOURCES_SAMPLER_H
#define FMLP_PROF_SOURCES_SAMPLER_H

#include "prof/source.h"

extern const fmlp_capture_source fmlp_sampler_source;

#endif
