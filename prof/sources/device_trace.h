/* The device trace: what GPUs did during a capture, by CUPTI's activity records, each operation joined to the
 * span that launched it. Active at level full alone, and only where the program named devices to trace. */
#ifndef FMLP_PROF_SOURCES_DEVICE_TRACE_H
#define FMLP_PROF_SOURCES_DEVICE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prof/source.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fmlp_device_facts {
  char name[96];
  int64_t memory; /* bytes */
  int32_t multiprocessors;
  int64_t bytes_per_second; /* of its memory, by clock and width; 0 unknown */
} fmlp_device_facts;

/* What prof/ asks of the program about its devices, because it knows none itself. */
typedef struct fmlp_device_hooks {
  /* How many there are; 0 with one line that says why. Asked before CUPTI is even looked for. */
  int (*count)(char *reason, size_t capacity);
  /* Waits until all of them are idle. Called at a capture's end on the thread that ends it. */
  void (*wait)(void);
  bool (*describe)(int32_t ordinal, fmlp_device_facts *facts);
} fmlp_device_hooks;

/* Before the devices of the next capture are opened, so that CUPTI sees their contexts from the beginning:
 * finds CUPTI, takes its seat and begins to record. `hooks` NULL: there is nothing to trace, for `reason`.
 * Never fails: what cannot be had is told in the capture's device_reason. */
void fmlp_device_trace_prepare(const fmlp_device_hooks *hooks, const char *reason);

/* One line about whether GPUs can be traced here: "yes, ..." or "no: " and the reason. Arguments as above. */
void fmlp_device_trace_describe(const fmlp_device_hooks *hooks, const char *reason, char *text,
                                size_t capacity);

/* For tests: a file that CUPTI's buffers are kept in as they come (cupti_dump.h), from the next prepare on;
 * NULL for none. Not copied. */
void fmlp_device_trace_dump(const char *path);

extern const fmlp_capture_source fmlp_device_source;

#ifdef __cplusplus
}
#endif
#endif
