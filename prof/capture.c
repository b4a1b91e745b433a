/* Start, stop, and the copy of what the threads recorded. */
#define _POSIX_C_SOURCE 200809L
#include "prof/capture.h"

#include <stdlib.h>
#include <string.h>

#include "prof/clock.h"
#include "prof/listener.h"
#include "prof/recorder.h"
#include "prof/source.h"
#include "prof/sources/bandwidth.h"
#include "prof/sources/device_trace.h"
#include "prof/sources/memory.h"
#include "prof/sources/nvtx.h"
#include "prof/sources/sampler.h"

enum { DEFAULT_EVENTS = 1 << 18, COST_SPANS = 1000, NO_SITE = -1 };

/* The copy while it grows: where each thread's nodes stand and which sites are known. */
typedef struct copy {
  fmlp_capture *capture;
  fmlp_clock_sample start, stop;
  int32_t site_capacity, node_capacity, thread_capacity;
  const fmlp_span_site **known; /* [site_count] */
  int32_t *node_base;           /* [thread_count] where node 0 of each thread would stand */
  int32_t base_capacity;
  int64_t event_capacity;
} copy;

static bool clock_chosen;
static fmlp_clock_sample capture_start;
static fmlp_capture_level capture_level;

/* Started in this order, ended in the opposite one. */
static const fmlp_capture_source *const sources[] = {
    &fmlp_bandwidth_source, /* first, so ended last: its buffers are in nobody's peak */
    &fmlp_device_source,    /* ended after the host's sources: its counters stand behind theirs */
    &fmlp_nvtx_source,
    &fmlp_sampler_source,
    &fmlp_memory_source, /* last: what other sources allocate while they start and stop is not counted */
    NULL,
};

static void start_sources(const fmlp_capture_options *options) {
  for (int i = 0; sources[i]; i++) sources[i]->start(options);
}

static void stop_sources(fmlp_capture *capture, const fmlp_capture_places *places) {
  int count = 0;
  while (sources[count]) count++;
  while (count > 0) sources[--count]->stop(capture, places);
}

static void release(fmlp_capture *capture) {
  free(capture->sites);
  free(capture->threads);
  free(capture->nodes);
  free(capture->events);
  free(capture->strings);
  free(capture->devices);
  free(capture->operations);
  free(capture->calls);
  free(capture->counters);
  free(capture->samples);
  free(capture->frames);
  for (int32_t i = 0; i < capture->name_count; i++) free(capture->names[i]);
  free(capture->names);
  free(capture->name_places);
}

bool fmlp_capture_start(const fmlp_capture_options *options) {
  fmlp_recorder *all = &fmlp_recorder_state;
  fmlp_recorder_watch_forks();
  fmlp_recorder_lock();
  bool idle = fmlp_recorder_generation() == 0;
  if (idle) {
    if (!clock_chosen) fmlp_clock_choose(false);
    clock_chosen = true;
    int64_t events = options && options->max_events != 0 ? options->max_events : DEFAULT_EVENTS;
    FMLP_STORE(all->chunks_left, events < 0 ? 0 : (events + FMLP_RECORDER_CHUNK - 1) / FMLP_RECORDER_CHUNK);
    all->order = 0;
    all->dropped_spans = 0;
    all->starter = fmlp_recorder_thread_id();
    capture_level = options ? options->level : FMLP_CAPTURE_SPANS;
    start_sources(options ? options : &(fmlp_capture_options){0});
    capture_start = fmlp_clock_now();
    if (++all->last_generation == 0) all->last_generation = 1;
    fmlp_recorder_set_generation(all->last_generation);
  }
  fmlp_recorder_unlock();
  return idle;
}

static bool grow(void *array, int32_t *capacity, int64_t needed, size_t size) {
  if (needed <= *capacity) return true;
  int64_t larger = needed + needed / 2 + 16;
  if (larger > INT32_MAX) return false;
  void **block = array;
  void *moved = realloc(*block, (size_t)larger * size);
  if (!moved) return false;
  *block = moved;
  *capacity = (int32_t)larger;
  return true;
}

/* Sites of one place and name are one: a header's static span has a copy in every file that includes it. */
static bool same_site(const fmlp_span_site *a, const fmlp_span_site *b) {
  return a == b || (a->line == b->line && strcmp(a->name, b->name) == 0 && strcmp(a->file, b->file) == 0);
}

static int32_t site_number(copy *work, const fmlp_span_site *site) {
  int32_t count = work->capture->site_count;
  for (int32_t i = 0; i < count; i++)
    if (same_site(work->known[i], site)) return i;
  if (!grow(&work->known, &work->site_capacity, (int64_t)count + 1, sizeof *work->known)) return NO_SITE;
  work->known[count] = site;
  return work->capture->site_count++;
}

/* Total ticks of every path so far: closed spans, and the open ones up to their end. */
static void total_ticks(const fmlp_recorder_thread *thread, int32_t count, int64_t now, int64_t *total) {
  for (int32_t i = 0; i < count; i++) total[i] = FMLP_LOAD(thread->nodes[i].ticks);
  int32_t depth = __atomic_load_n(&thread->depth, __ATOMIC_ACQUIRE);
  for (int32_t d = 0; d < depth; d++) {
    int32_t node = FMLP_LOAD(thread->frames[d].node);
    int64_t start = FMLP_LOAD(thread->frames[d].start);
    if (node > 0 && node < count && now > start) total[node] += now - start;
  }
}

/* What callers told, within what views add up: not below 0, at most FMLP_CAPTURE_MOST. */
static int64_t bounded(int64_t value) {
  return value < 0 ? 0 : value < FMLP_CAPTURE_MOST ? value : FMLP_CAPTURE_MOST;
}

/* Self times are converted and totals added up from them, so that every view agrees to the nanosecond. */
static bool copy_nodes(copy *work, const fmlp_recorder_thread *thread, int32_t count, const int64_t *ticks,
                       int64_t *inner, int32_t number) {
  fmlp_capture *capture = work->capture;
  int32_t base = capture->node_count - 1; /* node 0 of a thread is not a path */
  if (!grow(&capture->nodes, &work->node_capacity, (int64_t)base + count, sizeof *capture->nodes))
    return false;
  memset(inner, 0, (size_t)count * sizeof *inner);
  for (int32_t i = 1; i < count; i++) inner[thread->nodes[i].parent] += ticks[i];
  for (int32_t i = 1; i < count; i++) {
    int32_t site = site_number(work, thread->nodes[i].site);
    if (site == NO_SITE) return false;
    int64_t self = ticks[i] > inner[i] ? ticks[i] - inner[i] : 0;
    int32_t parent = thread->nodes[i].parent;
    self = fmlp_clock_duration(work->start, work->stop, self);
    const int64_t calls = FMLP_LOAD(thread->nodes[i].calls); /* 0: entered at the moment of the stop */
    capture->nodes[base + i] =
        (fmlp_capture_node){.thread = number,
                            .parent = parent == 0 ? -1 : base + parent,
                            .site = site,
                            .calls = calls > 0 ? calls : 1,
                            .bytes = bounded(FMLP_LOAD(thread->nodes[i].bytes)),
                            .self = self,
                            .total = self,
                            .allocations = FMLP_LOAD(thread->nodes[i].allocations),
                            .allocated_bytes = bounded(FMLP_LOAD(thread->nodes[i].allocated_bytes))};
  }
  for (int32_t i = count - 1; i > 0; i--) {
    const fmlp_capture_node *node = &capture->nodes[base + i];
    if (node->parent >= 0) capture->nodes[node->parent].total += node->total;
  }
  capture->node_count += count - 1;
  return true;
}

static bool copy_events(copy *work, const fmlp_recorder_thread *thread, int32_t count, int64_t now) {
  fmlp_capture *capture = work->capture;
  int32_t base = capture->node_count - count; /* after copy_nodes: this thread's node 0 */
  int64_t earliest = work->start.ticks; /* should the clock step back, no span starts before the one before */
  const fmlp_recorder_chunk *chunk = __atomic_load_n(&thread->chunks, __ATOMIC_ACQUIRE);
  for (; chunk; chunk = __atomic_load_n(&chunk->next, __ATOMIC_ACQUIRE)) {
    int64_t used = FMLP_LOAD(chunk->used);
    if (capture->event_count + used > work->event_capacity) {
      int64_t larger = 2 * work->event_capacity + used;
      fmlp_capture_event *moved = realloc(capture->events, (size_t)larger * sizeof *moved);
      if (!moved) return false;
      capture->events = moved;
      work->event_capacity = larger;
    }
    for (int64_t i = 0; i < used; i++) {
      const fmlp_recorder_event *event = &chunk->events[i];
      int64_t start = FMLP_LOAD(event->start), end = FMLP_LOAD(event->end);
      int32_t node = FMLP_LOAD(event->node);
      if (node < 1 || node >= count) continue;
      if (end == INT64_MIN || end > now) end = now; /* a thread inside a span at the stop may be beyond it */
      if (start > end) start = end;
      if (start < earliest) start = earliest;
      if (end < start) end = start;
      earliest = start;
      capture->events[capture->event_count++] = (fmlp_capture_event){
          .node = base + node,
          .depth = FMLP_LOAD(event->depth),
          .start = fmlp_clock_duration(work->start, work->stop, start - work->start.ticks),
          .end = fmlp_clock_duration(work->start, work->stop, end - work->start.ticks)};
    }
  }
  return true;
}

static bool copy_thread(copy *work, const fmlp_recorder_thread *thread) {
  fmlp_capture *capture = work->capture;
  int32_t count = __atomic_load_n(&thread->node_count, __ATOMIC_ACQUIRE), number = capture->thread_count;
  int64_t left = FMLP_LOAD(thread->left), now = left == INT64_MIN ? work->stop.ticks : left;
  if (!grow(&capture->threads, &work->thread_capacity, (int64_t)number + 1, sizeof *capture->threads))
    return false;
  if (!grow(&work->node_base, &work->base_capacity, (int64_t)number + 1, sizeof *work->node_base))
    return false;
  work->node_base[number] = capture->node_count - 1;
  int64_t *ticks = malloc(2 * (size_t)count * sizeof *ticks);
  if (!ticks) return false;
  capture->threads[capture->thread_count++] =
      (fmlp_capture_thread){.id = thread->id, .main = thread->id == fmlp_recorder_state.starter};
  total_ticks(thread, count, now, ticks);
  bool done =
      copy_nodes(work, thread, count, ticks, ticks + count, number) && copy_events(work, thread, count, now);
  free(ticks);
  capture->spans += FMLP_LOAD(thread->spans);
  capture->dropped_spans += FMLP_LOAD(thread->dropped_spans);
  capture->dropped_events += FMLP_LOAD(thread->dropped_events);
  capture->abandoned_spans += FMLP_LOAD(thread->abandoned_spans);
  capture->open_spans += FMLP_LOAD(thread->depth);
  return done;
}

/* The capture's own copy of the sites. */
static bool copy_sites(copy *work) {
  fmlp_capture *capture = work->capture;
  size_t bytes = 1;
  for (int32_t i = 0; i < capture->site_count; i++)
    bytes +=
        strlen(work->known[i]->name) + strlen(work->known[i]->file) + strlen(work->known[i]->function) + 3;
  capture->strings = malloc(bytes);
  capture->sites = calloc((size_t)capture->site_count + 1, sizeof *capture->sites);
  if (!capture->strings || !capture->sites) return false;
  char *at = capture->strings;
  for (int32_t i = 0; i < capture->site_count; i++) {
    const fmlp_span_site *site = work->known[i];
    const char *texts[3] = {site->name, site->file, site->function};
    const char *copies[3];
    for (int t = 0; t < 3; t++) {
      size_t length = strlen(texts[t]) + 1;
      memcpy(at, texts[t], length);
      copies[t] = at;
      at += length;
    }
    capture->sites[i] = (fmlp_capture_site){copies[0], copies[1], copies[2], site->line};
  }
  return true;
}

/* Threads in the order in which they joined. */
static bool copy_threads(copy *work, uint32_t generation) {
  for (int32_t order = 0; order < fmlp_recorder_state.order; order++)
    for (const fmlp_recorder_thread *t = fmlp_recorder_state.threads; t; t = t->next)
      if (FMLP_LOAD(t->generation) == generation && t->order == order && !copy_thread(work, t)) return false;
  return copy_sites(work);
}

/* What a pair costs on this thread now, in a capture of its own that nobody reads. */
static int64_t measure_pair(void) {
  static const fmlp_span_site SITE = {"cost", __FILE__, __LINE__, __func__};
  fmlp_recorder *all = &fmlp_recorder_state;
  fmlp_recorder_lock();
  if (++all->last_generation == 0) all->last_generation = 1;
  FMLP_STORE(all->chunks_left, 1);
  const uint32_t listeners = fmlp_listener_set(0); /* no tool is to see these spans */
  fmlp_recorder_set_generation(all->last_generation);
  fmlp_recorder_unlock();
  fmlp_span_end(fmlp_span_begin(&SITE));
  int64_t start = fmlp_clock_nanoseconds();
  for (int i = 0; i < COST_SPANS; i++) fmlp_span_end(fmlp_span_begin(&SITE));
  int64_t length = fmlp_clock_nanoseconds() - start;
  fmlp_recorder_set_generation(0);
  (void)fmlp_listener_set(listeners);
  return length * 1000 / COST_SPANS;
}

fmlp_capture *fmlp_capture_stop(void) {
  copy work = {.stop = fmlp_clock_now()};
  fmlp_recorder_lock(); /* to the end of the copy: no thread joins and no capture starts in between */
  fmlp_heap_quiet(true);
  uint32_t generation = fmlp_recorder_generation();
  bool done = false;
  if (generation != 0) {
    fmlp_recorder_set_generation(0);
    work.start = capture_start;
    if (work.stop.ticks < work.start.ticks || work.stop.nanoseconds < work.start.nanoseconds)
      work.stop = work.start; /* a clock that stepped back: no time has passed */
    work.capture = calloc(1, sizeof *work.capture);
    done = work.capture && copy_threads(&work, generation);
    if (done) {
      work.capture->dropped_spans += fmlp_recorder_state.dropped_spans;
      work.capture->level = capture_level;
      work.capture->start = work.start.nanoseconds;
      work.capture->stop = work.stop.nanoseconds;
    }
    const fmlp_capture_places places = {.start = work.start.nanoseconds,
                                        .thread_count = done ? work.capture->thread_count : 0,
                                        .node_base = work.node_base};
    fmlp_capture unread = {0}; /* sources are ended even where the copy failed */
    stop_sources(done ? work.capture : &unread, &places);
    if (!done) release(&unread);
  }
  fmlp_heap_quiet(false);
  fmlp_recorder_unlock();
  free(work.known);
  free(work.node_base);
  if (!done) {
    fmlp_capture_free(work.capture);
    return NULL;
  }
  work.capture->pair_picoseconds = measure_pair();
  return work.capture;
}

void fmlp_capture_free(fmlp_capture *capture) {
  if (!capture) return;
  release(capture);
  free(capture);
}
