/* A capture: what was recorded between start and stop, immutable, the source of every table, file and chart.
 *
 * Calls are aggregated as they happen, per thread and call path, so that totals hold however many spans there
 * are; single spans are kept beside that for a timeline as far as the event limit allows. Everything that
 * found no room is counted. */
#ifndef FMLP_PROF_CAPTURE_H
#define FMLP_PROF_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

/* The most that a thread holds; beyond it a span is dropped (its time stays with its parent) and counted. */
enum { FMLP_CAPTURE_DEPTH = 1024, FMLP_CAPTURE_PATHS = 8192 };

/* Bytes that spans tell, and those they allocate, are held at this: sums stay right and never turn round. */
#define FMLP_CAPTURE_MOST ((int64_t)1 << 53)

enum { FMLP_CAPTURE_REASON = 192 }; /* bytes of a reason, NUL included */

/* Spans alone, or everything this machine lets us see: devices, memory, samples. */
typedef enum fmlp_capture_level { FMLP_CAPTURE_SPANS, FMLP_CAPTURE_FULL } fmlp_capture_level;

typedef struct fmlp_capture_options {
  int64_t max_events; /* single spans kept for the timeline, 24 bytes each; -1 for none, 0: 2^18 */
  fmlp_capture_level level;
  int64_t
      max_operations; /* device operations and calls kept, 0: 2^20 of each; what more there is is counted */
  int32_t sample_frequency; /* samples a second of every thread; 0 for none */
  int32_t threads;          /* that the program computes with, 0: as many as it may */
} fmlp_capture_options;

typedef struct fmlp_capture_site {
  const char *name;
  const char *file;
  const char *function;
  int line;
} fmlp_capture_site;

/* A call path on one thread. */
typedef struct fmlp_capture_node {
  int32_t thread;
  int32_t parent; /* a node with a smaller number, -1 at the top */
  int32_t site;
  int64_t calls;           /* > 0 */
  int64_t self;            /* ns outside its children, >= 0 */
  int64_t total;           /* ns, self and children */
  int64_t allocations;     /* of host memory made in it, not in its children; 0 below level full */
  int64_t allocated_bytes; /* likewise */
  int64_t bytes;           /* read and written by it, as its spans told; 0: they told nothing */
} fmlp_capture_node;

typedef struct fmlp_capture_event {
  int32_t node;
  int32_t depth; /* spans around it on its thread */
  int64_t start; /* ns after the capture's start */
  int64_t end;   /* ns, >= start */
} fmlp_capture_event;

typedef struct fmlp_capture_thread {
  int64_t id; /* the system's */
  bool main;  /* started the capture */
} fmlp_capture_thread;

/* ---- devices ---- */

typedef enum fmlp_operation_kind {
  FMLP_OPERATION_KERNEL,
  FMLP_OPERATION_UPLOAD,   /* host to device */
  FMLP_OPERATION_DOWNLOAD, /* device to host */
  FMLP_OPERATION_COPY,     /* any other copy */
  FMLP_OPERATION_FILL,
  FMLP_OPERATION_KINDS
} fmlp_operation_kind;

/* What a device did. Times in ns after the capture's start, end >= start. */
typedef struct fmlp_capture_operation {
  int32_t node; /* the call path that launched it, -1 when that is unknown: the row "unattributed" */
  int32_t name; /* in `names` */
  fmlp_operation_kind kind;
  int32_t device; /* ordinal */
  int32_t stream; /* the device's number for it */
  int64_t call;   /* in `calls`, the call that launched it, -1 unknown */
  int64_t start, end;
  int64_t bytes;                      /* moved or filled; 0 for kernels */
  int32_t blocks, threads, registers; /* kernels: of the grid, of a block, of a thread; else 0 */
  int64_t shared;                     /* bytes of a block */
} fmlp_capture_operation;

typedef enum fmlp_call_kind {
  FMLP_CALL_RUNTIME,
  FMLP_CALL_DRIVER,
  FMLP_CALL_WAIT,
  FMLP_CALL_OVERHEAD
} fmlp_call_kind;

/* What the host did about devices: calls of the runtime and the driver, waiting for a device, the tracer's
 * own overhead. */
typedef struct fmlp_capture_call {
  int32_t node;   /* -1 unknown */
  int32_t thread; /* in `threads`, -1 unknown */
  int32_t name;
  fmlp_call_kind kind;
  int64_t start, end;
} fmlp_capture_call;

typedef struct fmlp_capture_device {
  int32_t ordinal;
  int32_t name;   /* in `names` */
  int64_t memory; /* bytes */
  int32_t multiprocessors;
  int64_t bytes_per_second; /* of its memory: the measured copy, else by its clock and width; 0 unknown */
} fmlp_capture_device;

/* ---- over time ---- */

typedef enum fmlp_counter_kind {
  FMLP_COUNTER_RESIDENT,      /* bytes of the process in memory */
  FMLP_COUNTER_ALLOCATED,     /* bytes of host memory held: malloc and the program's allocator */
  FMLP_COUNTER_DEVICE_MEMORY, /* bytes of a device held */
  FMLP_COUNTER_KINDS
} fmlp_counter_kind;

typedef struct fmlp_capture_counter {
  fmlp_counter_kind kind;
  int32_t device; /* DEVICE_MEMORY, else -1 */
  int64_t time, value;
} fmlp_capture_counter;

/* A moment of a thread seen by the sampler. */
typedef struct fmlp_capture_sample {
  int32_t thread;
  int32_t node; /* the open span, -1 outside any */
  int64_t time;
  int32_t first_frame; /* in `frames`, innermost first */
  int32_t frame_count;
} fmlp_capture_sample;

/* A place in the program's text. Several samples share it. */
typedef struct fmlp_capture_frame {
  int32_t function; /* in `names` */
  int32_t file;     /* in `names`, -1 unknown */
  int32_t line;     /* 0 unknown */
  uint64_t address;
} fmlp_capture_frame;

typedef struct fmlp_capture {
  int64_t start, stop; /* ns of CLOCK_MONOTONIC */
  fmlp_capture_level level;
  int32_t site_count;
  fmlp_capture_site *sites;
  int32_t thread_count;
  fmlp_capture_thread *threads;
  int32_t node_count;
  fmlp_capture_node *nodes; /* by thread, parents before children */
  int64_t event_count;
  fmlp_capture_event *events; /* by thread, then start */
  int64_t spans;              /* recorded, with or without an event */
  int64_t dropped_spans;      /* too deep, too many paths or threads, no memory: in no count and no total */
  int64_t dropped_events;     /* spans that are counted but missing from the timeline */
  int64_t open_spans;         /* still open at the stop (or at their thread's end), and closed there */
  int64_t abandoned_spans;    /* left open inside a span that ended, and closed with it */
  int64_t pair_picoseconds;   /* what a span costs, measured at the stop */
  char *strings;              /* of the sites */

  int64_t host_bytes_per_second; /* of this machine's memory, as measured; 0 unknown */

  /* Devices; empty with the reason below level full, without a device, or where another tool holds it. */
  char device_reason[FMLP_CAPTURE_REASON]; /* "" when devices were traced */
  int32_t device_count;
  fmlp_capture_device *devices;
  int64_t operation_count;
  fmlp_capture_operation *operations; /* by start */
  int64_t call_count;
  fmlp_capture_call *calls;   /* by start */
  int64_t dropped_operations; /* lost by the tracer, or beyond the limit */
  int64_t invalid_operations; /* start 0 or end before start: in no total */
  int64_t unattributed_operations;
  int64_t device_clock_residual; /* ns by which the device's times may be off, as measured; 0 unknown */

  int64_t outside_allocations, outside_bytes; /* of host memory outside any span; 0 below level full */

  /* Over time. */
  int64_t counter_count;
  fmlp_capture_counter *counters;          /* by kind, device, time */
  int64_t peak_resident, peak_allocated;   /* bytes; 0 unknown */
  char sample_reason[FMLP_CAPTURE_REASON]; /* why there are no samples; "" when there are or none were asked
                                              for */
  int64_t sample_count;
  fmlp_capture_sample *samples; /* by thread, time */
  int64_t dropped_samples;
  int64_t frame_count;
  fmlp_capture_frame *frames;

  int32_t name_count;
  char **names; /* of operations, calls, functions, files, devices: fmlp_capture_name */
  int32_t *name_places; /* how fmlp_capture_name finds them */
  int32_t name_place_count, names_placed;
} fmlp_capture;

/* Starts recording on all threads; false when a capture is recording already. `options` may be NULL. */
bool fmlp_capture_start(const fmlp_capture_options *options);

/* Ends it. Call where other threads are between spans: one that is inside loses at most the spans that it
 * opens or closes at that moment. NULL when none is recording or memory runs out. The caller frees it. */
fmlp_capture *fmlp_capture_stop(void);

void fmlp_capture_free(fmlp_capture *capture);

/* The number of `text` in the capture's names, added when it is new; -1 when memory runs out. For sources and
 * readers, while a capture is being made. */
int32_t fmlp_capture_name(fmlp_capture *capture, const char *text);

#endif
