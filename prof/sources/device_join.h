/* From a log of a device's records to the operations, calls and counters of a capture. */
#ifndef FMLP_PROF_SOURCES_DEVICE_JOIN_H
#define FMLP_PROF_SOURCES_DEVICE_JOIN_H

#include "prof/capture.h"
#include "prof/source.h"
#include "prof/sources/cupti_records.h"

/* CUPTI's clock and CLOCK_MONOTONIC read at one moment. */
typedef struct fmlp_device_moment {
  int64_t device;    /* ns by CUPTI's clock, 0 when it could not be read */
  int64_t host;      /* ns of CLOCK_MONOTONIC, the middle of the readings before and after */
  int64_t precision; /* ns, half of the time between those two */
} fmlp_device_moment;

typedef struct fmlp_device_clock {
  int64_t since; /* ns of CLOCK_MONOTONIC: no record was made before */
  fmlp_device_moment start, stop;
} fmlp_device_clock;

/* An external id carries the place of the span and, in its upper bits, the trace it was pushed in: ids that
 * an ended trace left on some thread's stack are not taken for places of this one. */
enum { FMLP_DEVICE_TRACE_SHIFT = 48 };

/* Adds to `capture`: operations, calls, names, counters of device memory, and the counts of what was dropped,
 * invalid and unattributed. Operations outside of [start, stop] of the capture are of no interest; those that
 * reach beyond it are cut. False, with nothing but counts added, when memory runs out. Changes the log. */
bool fmlp_device_join(fmlp_capture *capture, const fmlp_capture_places *places, fmlp_cupti_log *log,
                      const fmlp_device_clock *clock, uint16_t trace);

#endif
