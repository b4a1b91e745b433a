/* Threads at work at the same time, from single spans and samples. */
#include "prof/views/concurrency.h"

#include <stdlib.h>
#include <string.h>

enum { FEW_SAMPLES = 20 };

typedef struct interval {
  int64_t start, end;
} interval;

typedef struct interval_list {
  interval *items;
  int64_t count, capacity;
} interval_list;

static bool append(interval_list *list, int64_t start, int64_t end) {
  if (end <= start) return true;
  if (list->count == list->capacity) {
    const int64_t larger = 2 * list->capacity + 64;
    interval *moved = realloc(list->items, (size_t)larger * sizeof *moved);
    if (!moved) return false;
    list->items = moved;
    list->capacity = larger;
  }
  list->items[list->count++] = (interval){start, end};
  return true;
}

/* A span that is open while a thread's events are read. */
typedef struct open_span {
  int32_t depth, which; /* in the sites asked for, -1 */
  int64_t end, since;   /* in itself since then */
} open_span;

typedef struct reader {
  const int32_t *which; /* [site_count] */
  interval_list *own;   /* [count] */
  int32_t depth;
  open_span open[FMLP_CAPTURE_DEPTH + 1];
} reader;

static bool leave(reader *at) {
  const open_span *last = &at->open[--at->depth];
  if (at->depth > 0) at->open[at->depth - 1].since = last->end;
  return last->which < 0 || append(&at->own[last->which], last->since, last->end);
}

static bool enter(reader *at, const fmlp_capture *capture, const fmlp_capture_event *event) {
  bool done = true;
  while (done && at->depth > 0 && at->open[at->depth - 1].depth >= event->depth) done = leave(at);
  if (at->depth > 0) {
    open_span *around = &at->open[at->depth - 1];
    if (done && around->which >= 0) done = append(&at->own[around->which], around->since, event->start);
    around->since = event->start;
  }
  at->open[at->depth++] =
      (open_span){event->depth, at->which[capture->nodes[event->node].site], event->end, event->start};
  return done;
}

/* The own time of every site asked for, and `outer` [threads]: when each thread had a span open. */
static bool read_events(const fmlp_capture *capture, reader *at, interval_list *outer) {
  bool done = true;
  int32_t thread = -1;
  for (int64_t i = 0; i < capture->event_count && done; i++) {
    const fmlp_capture_event *event = &capture->events[i];
    if (capture->nodes[event->node].thread != thread) {
      while (done && at->depth > 0) done = leave(at);
      thread = capture->nodes[event->node].thread;
    }
    if (event->depth == 0) done = done && append(&outer[thread], event->start, event->end);
    done = done && enter(at, capture, event);
  }
  while (at->depth > 0) done = leave(at) && done;
  return done;
}

static int by_start(const void *left, const void *right) {
  const interval *a = left, *b = right;
  return (a->start > b->start) - (a->start < b->start);
}

/* Sorted and apart; the sum of their lengths. */
static int64_t merge(interval_list *list) {
  int64_t count = 0, sum = 0;
  if (list->count > 0) qsort(list->items, (size_t)list->count, sizeof *list->items, by_start);
  for (int64_t i = 0; i < list->count; i++) {
    const interval next = list->items[i];
    if (count > 0 && next.start <= list->items[count - 1].end) {
      if (next.end > list->items[count - 1].end) list->items[count - 1].end = next.end;
    } else {
      list->items[count++] = next;
    }
  }
  list->count = count;
  for (int64_t i = 0; i < count; i++) sum += list->items[i].end - list->items[i].start;
  return sum;
}

static int64_t overlap(const interval_list *a, const interval_list *b) {
  int64_t sum = 0;
  for (int64_t i = 0, j = 0; i < a->count && j < b->count;) {
    const int64_t start = a->items[i].start > b->items[j].start ? a->items[i].start : b->items[j].start;
    const int64_t end = a->items[i].end < b->items[j].end ? a->items[i].end : b->items[j].end;
    if (end > start) sum += end - start;
    if (a->items[i].end < b->items[j].end)
      i++;
    else
      j++;
  }
  return sum;
}

/* ---- samples ---- */

static int by_value(const void *left, const void *right) {
  const int64_t *a = left, *b = right;
  return (*a > *b) - (*a < *b);
}

/* ns of processor time between two samples of a thread: the median of the gaps of the thread that has most. A
 * thread is sampled while it runs, so that a gap is longer where it waited. 0 unknown, -1: no memory. */
static int64_t sample_period(const fmlp_capture *capture) {
  int64_t first = 0, most = 0;
  for (int64_t i = 0, begin = 0; i <= capture->sample_count; i++) {
    if (i < capture->sample_count && capture->samples[i].thread == capture->samples[begin].thread) continue;
    if (i - begin > most) {
      most = i - begin;
      first = begin;
    }
    begin = i;
    if (i == capture->sample_count) break;
  }
  if (most < FEW_SAMPLES) return 0;
  int64_t *gaps = malloc((size_t)most * sizeof *gaps);
  if (!gaps) return -1;
  for (int64_t i = 0; i + 1 < most; i++)
    gaps[i] = capture->samples[first + i + 1].time - capture->samples[first + i].time;
  qsort(gaps, (size_t)most - 1, sizeof *gaps, by_value);
  const int64_t period = gaps[(most - 1) / 2];
  free(gaps);
  return period > 0 ? period : 0;
}

static bool holds(const interval_list *list, int64_t time) {
  int64_t first = 0, last = list->count;
  while (first < last) {
    const int64_t middle = first + (last - first) / 2;
    if (list->items[middle].end <= time)
      first = middle + 1;
    else
      last = middle;
  }
  return first < list->count && list->items[first].start <= time;
}

static void read_samples(const fmlp_capture *capture, int64_t period, int32_t site, const interval_list *own,
                         fmlp_concurrency *found) {
  int64_t inside = 0, here = 0, self = 0;
  for (int64_t i = 0; i < capture->sample_count; i++) {
    const fmlp_capture_sample *sample = &capture->samples[i];
    here += sample->node >= 0 && capture->nodes[sample->node].site == site;
    inside += holds(own, sample->time);
  }
  for (int32_t i = 0; i < capture->node_count; i++)
    if (capture->nodes[i].site == site) self += capture->nodes[i].self;
  if (self < FEW_SAMPLES * period || found->wall <= 0) return; /* too short to tell */
  found->on_processor = (double)here * (double)period / (double)self;
  found->running = (double)inside * (double)period / (double)found->wall;
}

static bool make_all(const fmlp_capture *capture, const int32_t *sites, int32_t count, reader *at,
                     interval_list *outer, fmlp_concurrency *found) {
  const int64_t period = sample_period(capture);
  if (period < 0 || !read_events(capture, at, outer)) return false;
  for (int32_t t = 0; t < capture->thread_count; t++) (void)merge(&outer[t]);
  for (int32_t i = 0; i < count; i++) {
    double beside = 0;
    found[i].wall = merge(&at->own[i]);
    for (int32_t t = 0; t < capture->thread_count; t++) beside += (double)overlap(&at->own[i], &outer[t]);
    if (found[i].wall > 0) found[i].in_spans = beside / (double)found[i].wall;
    if (period > 0) read_samples(capture, period, sites[i], &at->own[i], &found[i]);
  }
  return true;
}

bool fmlp_concurrency_make(const fmlp_capture *capture, const int32_t *sites, int32_t count,
                           fmlp_concurrency *found) {
  for (int32_t i = 0; i < count; i++) found[i] = (fmlp_concurrency){.running = -1, .on_processor = -1};
  if (capture->dropped_events > 0 || capture->event_count == 0) return true;
  reader *at = calloc(1, sizeof *at);
  int32_t *which = malloc(((size_t)capture->site_count + 1) * sizeof *which);
  interval_list *lists =
      calloc((size_t)count + (size_t)capture->thread_count + 1, sizeof *lists); /* own, then outer */
  bool made = at && which && lists;
  if (made) {
    memset(which, 0xff, ((size_t)capture->site_count + 1) * sizeof *which); /* -1 each */
    for (int32_t i = 0; i < count; i++) which[sites[i]] = i;
    at->which = which;
    at->own = lists;
    made = make_all(capture, sites, count, at, lists + count, found);
  }
  for (int32_t i = 0; lists && i < count + capture->thread_count; i++) free(lists[i].items);
  free(lists);
  free(which);
  free(at);
  return made;
}
