/* How fast this machine's memory is: the limit that bytes per second of spans stand against.
 *
 * At level full, once a process, after the last span of its first capture: as many threads as the program
 * computes with read and copy buffers several times the size of the last-level cache, a few times, and the
 * best counts. Some 100 ms that are in no time of the capture. */
#ifndef FMLP_PROF_SOURCES_BANDWIDTH_H
#define FMLP_PROF_SOURCES_BANDWIDTH_H

#include <stdint.h>

#include "prof/source.h"

extern const fmlp_capture_source fmlp_bandwidth_source;

/* Bytes read and written a second by `threads` at once, 0 for all that may run; 0 when it cannot be measured.
 * Not a capture's: measures at each call. */
int64_t fmlp_bandwidth_measure(int32_t threads);

#endif
