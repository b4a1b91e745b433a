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

typedef struct fmlp_capture_options {
  int64_t max_events; /* single spans kept for the timeline, 24 bytes each; -1 for none, 0: 2^18 */
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
  int64_t calls; /* > 0 */
  int64_t self;  /* ns outside its children, >= 0 */
  int64_t total; /* ns, self and children */
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

typedef struct fmlp_capture {
  int64_t start, stop; /* ns of CLOCK_MONOTONIC */
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
} fmlp_capture;

/* Starts recording on all threads; false when a capture is recording already. `options` may be NULL. */
bool fmlp_capture_start(const fmlp_capture_options *options);

/* Ends it. Call where other threads are between spans: one that is inside loses at most the spans that it
 * opens or closes at that moment. NULL when none is recording or memory runs out. The caller frees it. */
fmlp_capture *fmlp_capture_stop(void);

void fmlp_capture_free(fmlp_capture *capture);

#endif
