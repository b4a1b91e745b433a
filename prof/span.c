/* Recording of spans: per thread a stack of open spans, a tree of call paths with their sums, and a list of
 * single spans. */
#define _GNU_SOURCE
#include "prof/span.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "prof/clock.h"
#include "prof/recorder.h"

uint32_t fmlp_span_generation;
fmlp_recorder fmlp_recorder_state;

static pthread_mutex_t recorder_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t exit_key_once = PTHREAD_ONCE_INIT;
static pthread_key_t exit_key;

/* initial-exec: one load instead of a call to the dynamic linker */
static _Thread_local fmlp_recorder_thread *own __attribute__((tls_model("initial-exec")));
static _Thread_local bool leaving __attribute__((tls_model("initial-exec")));

void fmlp_recorder_lock(void) {
  (void)pthread_mutex_lock(&recorder_mutex);
}

void fmlp_recorder_unlock(void) {
  (void)pthread_mutex_unlock(&recorder_mutex);
}

int64_t fmlp_recorder_thread_id(void) {
  return (int64_t)syscall(SYS_gettid);
}

/* At a thread's end its record stays for the capture, and may then serve another thread. */
static void leave(void *record) {
  fmlp_recorder_thread *thread = record;
  leaving = true;
  own = NULL;
  fmlp_recorder_lock();
  FMLP_STORE(thread->left, fmlp_clock_ticks());
  thread->taken = false;
  fmlp_recorder_unlock();
}

static void make_exit_key(void) {
  (void)pthread_key_create(&exit_key, leave);
}

/* A record for a new thread: one whose thread has ended and whose capture is over, or a new one. */
static fmlp_recorder_thread *take_record(uint32_t generation) {
  fmlp_recorder *all = &fmlp_recorder_state;
  for (fmlp_recorder_thread *thread = all->threads; thread; thread = thread->next)
    if (!thread->taken && FMLP_LOAD(thread->generation) != generation) return thread;
  if (all->thread_count == FMLP_RECORDER_THREADS) return NULL;
  fmlp_recorder_thread *thread = calloc(1, sizeof *thread); /* untouched pages cost nothing */
  if (!thread) return NULL;
  all->thread_count++;
  thread->next = all->threads;
  all->threads = thread;
  return thread;
}

static void reset_record(fmlp_recorder_thread *thread, uint32_t generation) {
  thread->id = fmlp_recorder_thread_id();
  thread->order = fmlp_recorder_state.order++;
  FMLP_STORE(thread->left, INT64_MIN);
  FMLP_STORE(thread->depth, 0);
  FMLP_STORE(thread->spans, 0);
  FMLP_STORE(thread->dropped_spans, 0);
  FMLP_STORE(thread->dropped_events, 0);
  FMLP_STORE(thread->abandoned_spans, 0);
  thread->chunk = NULL;
  for (fmlp_recorder_chunk *chunk = thread->chunks; chunk; chunk = chunk->next) FMLP_STORE(chunk->used, 0);
  memset(&thread->nodes[0], 0, sizeof thread->nodes[0]);
  FMLP_STORE(thread->node_count, 1);
  FMLP_STORE(thread->generation, generation);
}

/* First span of this thread in this capture. */
static fmlp_recorder_thread *join(uint32_t generation) {
  if (leaving) return NULL;
  (void)pthread_once(&exit_key_once, make_exit_key);
  fmlp_recorder_lock();
  fmlp_recorder_thread *thread = own ? own : take_record(generation);
  if (thread && !own && pthread_setspecific(exit_key, thread) != 0) thread = NULL;
  if (thread) {
    thread->taken = true;
    reset_record(thread, generation);
  } else {
    fmlp_recorder_state.dropped_spans++;
  }
  fmlp_recorder_unlock();
  own = thread;
  return thread;
}

/* Room for one more single span: in this chunk, an old one, or a new one within the limit. */
static fmlp_recorder_event *next_event(fmlp_recorder_thread *thread) {
  fmlp_recorder_chunk *chunk = thread->chunk;
  if (!chunk || chunk->used == FMLP_RECORDER_CHUNK) {
    if (FMLP_LOAD(fmlp_recorder_state.chunks_left) <= 0) return NULL;
    if (__atomic_fetch_sub(&fmlp_recorder_state.chunks_left, 1, __ATOMIC_RELAXED) <= 0) return NULL;
    fmlp_recorder_chunk *next = chunk ? chunk->next : thread->chunks;
    if (!next) {
      next = malloc(sizeof *next);
      if (!next) return NULL;
      next->next = NULL;
      FMLP_STORE(next->used, 0);
      __atomic_store_n(chunk ? &chunk->next : &thread->chunks, next, __ATOMIC_RELEASE);
    }
    chunk = thread->chunk = next;
  }
  return &chunk->events[chunk->used];
}

/* The child of `parent` for `site`; 0 when there is no room for a new path. */
static int32_t find_child(fmlp_recorder_thread *thread, int32_t parent, const fmlp_span_site *site) {
  fmlp_recorder_node *nodes = thread->nodes;
  int32_t child = nodes[parent].recent_child;
  if (__builtin_expect(child != 0 && nodes[child].site == site, 1)) return child;
  for (child = nodes[parent].first_child; child != 0; child = nodes[child].next_sibling)
    if (nodes[child].site == site) break;
  if (child == 0) {
    child = thread->node_count;
    if (child == FMLP_CAPTURE_PATHS) return 0;
    memset(&nodes[child], 0, sizeof nodes[child]);
    nodes[child].site = site;
    nodes[child].parent = parent;
    nodes[child].next_sibling = nodes[parent].first_child;
    nodes[parent].first_child = child;
    __atomic_store_n(&thread->node_count, child + 1, __ATOMIC_RELEASE);
  }
  nodes[parent].recent_child = child;
  return child;
}

uint64_t fmlp_span_begin(const fmlp_span_site *site) {
  uint32_t generation = FMLP_LOAD(fmlp_span_generation);
  if (generation == 0) return 0;
  fmlp_recorder_thread *thread = own;
  if (__builtin_expect(!thread || thread->generation != generation, 0)) {
    thread = join(generation);
    if (!thread) return 0;
  }
  int32_t depth = thread->depth, node = 0;
  if (__builtin_expect(depth < FMLP_CAPTURE_DEPTH, 1))
    node = find_child(thread, depth > 0 ? thread->frames[depth - 1].node : 0, site);
  if (__builtin_expect(node == 0, 0)) {
    FMLP_STORE(thread->dropped_spans, thread->dropped_spans + 1);
    return 0;
  }
  fmlp_recorder_frame *frame = &thread->frames[depth];
  fmlp_recorder_event *event = next_event(thread);
  FMLP_STORE(thread->spans, thread->spans + 1);
  FMLP_STORE(thread->nodes[node].calls, thread->nodes[node].calls + 1);
  FMLP_STORE(frame->node, node);
  frame->event = event;
  int64_t start = fmlp_clock_ticks(); /* last: what recording costs belongs to the parent */
  FMLP_STORE(frame->start, start);
  if (__builtin_expect(event != NULL, 1)) {
    FMLP_STORE(event->node, node);
    FMLP_STORE(event->depth, depth);
    FMLP_STORE(event->start, start);
    FMLP_STORE(event->end, INT64_MIN);
    FMLP_STORE(thread->chunk->used, thread->chunk->used + 1);
  } else {
    FMLP_STORE(thread->dropped_events, thread->dropped_events + 1);
  }
  __atomic_store_n(&thread->depth, depth + 1, __ATOMIC_RELEASE);
  return (uint64_t)generation << 32 | (uint32_t)(depth + 1);
}

static void close_top(fmlp_recorder_thread *thread, int64_t now) {
  int32_t depth = thread->depth - 1;
  const fmlp_recorder_frame *frame = &thread->frames[depth];
  fmlp_recorder_node *node = &thread->nodes[frame->node];
  __atomic_store_n(&thread->depth, depth, __ATOMIC_RELEASE);
  FMLP_STORE(node->ticks, node->ticks + (now > frame->start ? now - frame->start : 0));
  if (frame->event) FMLP_STORE(frame->event->end, now);
}

void fmlp_span_end(uint64_t token) {
  int64_t now = fmlp_clock_ticks();
  fmlp_recorder_thread *thread = own;
  if (!thread || thread->generation != (uint32_t)(token >> 32)) return;
  int32_t depth = (int32_t)(token & 0xffffffffu);
  while (__builtin_expect(thread->depth > depth, 0)) {
    FMLP_STORE(thread->abandoned_spans, thread->abandoned_spans + 1);
    close_top(thread, now);
  }
  if (thread->depth == depth) close_top(thread, now);
}

uint64_t fmlp_span_place(void) {
  const fmlp_recorder_thread *thread = own;
  if (!thread || thread->generation != FMLP_LOAD(fmlp_span_generation)) return 0;
  const int32_t depth = thread->depth;
  if (depth == 0) return 0;
  return ((uint64_t)thread->order + 1) << 32 | (uint32_t)thread->frames[depth - 1].node;
}
