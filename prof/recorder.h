/* What a thread records while a capture runs; shared by span.c, which writes it, and capture.c, which reads
 * it.
 *
 * A thread writes its own record alone. The reader of a stop may look while a thread is inside a span, so
 * everything both touch is written and read atomically (relaxed: plain moves on every machine this runs on)
 * and no memory of a record is ever given back, only used again. */
#ifndef FMLP_PROF_RECORDER_H
#define FMLP_PROF_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "prof/capture.h"
#include "prof/span.h"

enum { FMLP_RECORDER_CHUNK = 1024, FMLP_RECORDER_THREADS = 1024 };

#define FMLP_LOAD(field)         __atomic_load_n(&(field), __ATOMIC_RELAXED)
#define FMLP_STORE(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELAXED)

typedef struct fmlp_recorder_node {
  const fmlp_span_site *site; /* NULL for node 0, the thread itself */
  int32_t parent;
  int32_t first_child; /* 0: none */
  int32_t next_sibling;
  int32_t recent_child; /* the last one entered */
  int64_t calls;
  int64_t ticks; /* of closed spans */
  int64_t bytes; /* that spans told */
  int64_t allocations, allocated_bytes;
} fmlp_recorder_node;

typedef struct fmlp_recorder_event {
  int32_t node;
  int32_t depth;
  int64_t start; /* ticks */
  int64_t end;   /* ticks; INT64_MIN while open */
} fmlp_recorder_event;

typedef struct fmlp_recorder_chunk {
  struct fmlp_recorder_chunk *next;
  int64_t used;
  fmlp_recorder_event events[FMLP_RECORDER_CHUNK];
} fmlp_recorder_chunk;

typedef struct fmlp_recorder_frame {
  int32_t node;
  int64_t start;              /* ticks */
  fmlp_recorder_event *event; /* or NULL */
} fmlp_recorder_frame;

typedef struct fmlp_recorder_thread {
  struct fmlp_recorder_thread *next; /* all of them, the newest first */
  bool taken;                        /* a living thread owns it */
  uint32_t generation;               /* the capture it holds, 0 for none */
  int32_t order;                     /* when it joined the capture, from 0 */
  int64_t id;
  int64_t left; /* ticks at the thread's end, INT64_MIN while it lives */
  int32_t depth;
  int32_t node_count;
  int64_t spans, dropped_spans, dropped_events, abandoned_spans;
  fmlp_recorder_chunk *chunks; /* first, kept from capture to capture */
  fmlp_recorder_chunk *chunk;  /* being filled, NULL before the first */
  fmlp_recorder_frame frames[FMLP_CAPTURE_DEPTH];
  fmlp_recorder_node nodes[FMLP_CAPTURE_PATHS];
} fmlp_recorder_thread;

/* The whole recorder. `threads` grows at its head under `lock`. */
typedef struct fmlp_recorder {
  uint32_t last_generation;
  int32_t order;         /* threads that joined this capture */
  int32_t thread_count;  /* records made */
  int64_t chunks_left;   /* of the event limit */
  int64_t dropped_spans; /* of threads that have no record */
  int64_t starter;       /* system id of the thread that started the capture */
  fmlp_recorder_thread *threads;
} fmlp_recorder;

extern fmlp_recorder fmlp_recorder_state;

/* Sums of what callers tell stop at the largest number instead of turning round. */
static inline int64_t fmlp_recorder_add(int64_t sum, int64_t value) {
  int64_t added = 0;
  return __builtin_add_overflow(sum, value, &added) ? (value > 0 ? INT64_MAX : INT64_MIN) : added;
}

/* Once, before anything is recorded: fork copies the recorder between two changes of it. In the child the
 * capture goes on as its own copy, in which the threads that are not there ended at the fork; the parent's
 * knows nothing of it. */
void fmlp_recorder_watch_forks(void);

void fmlp_recorder_lock(void);
void fmlp_recorder_unlock(void);

/* The capture that spans are recorded for, 0 for none; set under the lock. */
static inline uint32_t fmlp_recorder_generation(void) {
  return (uint32_t)FMLP_LOAD(fmlp_span_gate);
}
void fmlp_recorder_set_generation(uint32_t generation);

/* Counts an allocation of this thread in its innermost open span; false outside any. */
bool fmlp_recorder_allocated(int64_t bytes);

/* The calling thread's id in the system. */
int64_t fmlp_recorder_thread_id(void);

#endif
