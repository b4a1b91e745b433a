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
#include "prof/listener.h"
#include "prof/recorder.h"
#include "prof/sources/memory.h"

uint64_t fmlp_span_gate;
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

void fmlp_recorder_set_generation(uint32_t generation) {
  uint64_t gate = FMLP_LOAD(fmlp_span_gate);
  while (!__atomic_compare_exchange_n(&fmlp_span_gate, &gate, (gate & ~(uint64_t)UINT32_MAX) | generation,
                                      false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
  }
}

static void after_fork_in_child(void) {
  const int64_t now = fmlp_clock_ticks();
  for (fmlp_recorder_thread *thread = fmlp_recorder_state.threads; thread; thread = thread->next) {
    if (thread == own) continue;
    if (FMLP_LOAD(thread->left) == INT64_MIN) FMLP_STORE(thread->left, now);
    thread->taken = false;
  }
  fmlp_recorder_unlock();
}

static void watch_forks(void) {
  (void)pthread_atfork(fmlp_recorder_lock, fmlp_recorder_unlock, after_fork_in_child);
}

void fmlp_recorder_watch_forks(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, watch_forks);
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
  fmlp_heap_quiet(true);
  fmlp_recorder_thread *thread = calloc(1, sizeof *thread); /* untouched pages cost nothing */
  fmlp_heap_quiet(false);
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
      fmlp_heap_quiet(true);
      next = malloc(sizeof *next);
      fmlp_heap_quiet(false);
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

/* A token: the capture (0: not recorded) in its high half; below it the number of the span among those told
 * to listeners, and its depth on the recorder's stack. */
enum { TOLD_SHIFT = 16, DEPTH_MASK = 0xffff, LISTENERS_SHIFT = 32 };
_Static_assert((int)FMLP_CAPTURE_DEPTH <= (int)DEPTH_MASK, "fits the token");
_Static_assert((int)FMLP_LISTENER_DEPTH <= (int)DEPTH_MASK, "fits the token");

static uint64_t place_of(const fmlp_recorder_thread *thread, int32_t node) {
  return ((uint64_t)thread->order + 1) << 32 | (uint32_t)node;
}

/* For listeners alone. */
static uint64_t begin_unrecorded(uint64_t gate, const fmlp_span_site *site, int64_t bytes) {
  const uint32_t listeners = (uint32_t)(gate >> LISTENERS_SHIFT);
  return listeners ? (uint64_t)fmlp_listener_begin(listeners, site, bytes, 0) << TOLD_SHIFT : 0;
}

uint64_t fmlp_span_begin_bytes(const fmlp_span_site *site, int64_t bytes) {
  const uint64_t gate = __atomic_load_n(&fmlp_span_gate, __ATOMIC_ACQUIRE);
  const uint32_t generation = (uint32_t)gate;
  if (__builtin_expect(generation == 0, 0)) return begin_unrecorded(gate, site, bytes);
  fmlp_recorder_thread *thread = own;
  if (__builtin_expect(!thread || thread->generation != generation, 0)) {
    thread = join(generation);
    if (!thread) return begin_unrecorded(gate, site, bytes);
  }
  int32_t depth = thread->depth, node = 0;
  if (__builtin_expect(depth < FMLP_CAPTURE_DEPTH, 1))
    node = find_child(thread, depth > 0 ? thread->frames[depth - 1].node : 0, site);
  if (__builtin_expect(node == 0, 0)) {
    FMLP_STORE(thread->dropped_spans, thread->dropped_spans + 1);
    return begin_unrecorded(gate, site, bytes);
  }
  uint32_t told = 0;
  if (__builtin_expect(gate >> LISTENERS_SHIFT != 0, 0))
    told = fmlp_listener_begin((uint32_t)(gate >> LISTENERS_SHIFT), site, bytes, place_of(thread, node));
  fmlp_recorder_frame *frame = &thread->frames[depth];
  fmlp_recorder_event *event = next_event(thread);
  FMLP_STORE(thread->spans, thread->spans + 1);
  FMLP_STORE(thread->nodes[node].calls, thread->nodes[node].calls + 1);
  FMLP_STORE(thread->nodes[node].bytes, fmlp_recorder_add(thread->nodes[node].bytes, bytes));
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
  return (uint64_t)generation << 32 | told << TOLD_SHIFT | (uint32_t)(depth + 1);
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
  const uint32_t told = (uint32_t)token >> TOLD_SHIFT;
  if (__builtin_expect(told != 0, 0)) fmlp_listener_end(told);
  fmlp_recorder_thread *thread = own;
  int32_t depth = (int32_t)(token & DEPTH_MASK);
  if (!thread || thread->generation != (uint32_t)(token >> 32) || depth == 0) return;
  while (__builtin_expect(thread->depth > depth, 0)) {
    FMLP_STORE(thread->abandoned_spans, thread->abandoned_spans + 1);
    close_top(thread, now);
  }
  if (thread->depth == depth) close_top(thread, now);
}

/* The calling thread's record in the running capture, with a span open; else NULL. */
static fmlp_recorder_thread *inside_a_span(void) {
  fmlp_recorder_thread *thread = own;
  const uint32_t generation = fmlp_recorder_generation();
  return thread && generation != 0 && thread->generation == generation && thread->depth > 0 ? thread : NULL;
}

void fmlp_span_add_bytes(int64_t bytes) {
  if (__builtin_expect(FMLP_LOAD(fmlp_span_gate) == 0, 1)) return;
  fmlp_listener_add_bytes(bytes);
  fmlp_recorder_thread *thread = inside_a_span();
  if (!thread) return;
  fmlp_recorder_node *node = &thread->nodes[thread->frames[thread->depth - 1].node];
  FMLP_STORE(node->bytes, fmlp_recorder_add(node->bytes, bytes));
}

uint64_t fmlp_span_place(void) {
  const fmlp_recorder_thread *thread = inside_a_span();
  return thread ? place_of(thread, thread->frames[thread->depth - 1].node) : 0;
}

bool fmlp_recorder_allocated(int64_t bytes) {
  fmlp_recorder_thread *thread = own;
  if (!thread || thread->generation != fmlp_recorder_generation() || thread->depth == 0) return false;
  fmlp_recorder_node *node = &thread->nodes[thread->frames[thread->depth - 1].node];
  FMLP_STORE(node->allocations, node->allocations + 1);
  FMLP_STORE(node->allocated_bytes, fmlp_recorder_add(node->allocated_bytes, bytes));
  return true;
}
