/* The most memory that was held while a path was open: counters over time, asked for the time of each span.
 */
#include <stdlib.h>
#include <string.h>

#include "prof/views/paths.h"

/* A counter as steps: a value holds until the next. Levels of maxima over 1, 2, 4, ... of them answer any
 * range at once. */
typedef struct steps {
  const fmlp_capture_counter *counters;
  int64_t count;
  int32_t levels;
  int64_t *most; /* [levels][count] */
} steps;

static bool make_steps(const fmlp_capture *capture, int64_t first, int64_t last, steps *made) {
  *made = (steps){.counters = capture->counters + first, .count = last - first, .levels = 1};
  while ((int64_t)1 << made->levels <= made->count) made->levels++;
  made->most = malloc((size_t)made->levels * (size_t)made->count * sizeof *made->most);
  if (!made->most) return false;
  for (int64_t i = 0; i < made->count; i++) made->most[i] = made->counters[i].value;
  for (int32_t level = 1; level < made->levels; level++) {
    const int64_t *half = made->most + (int64_t)(level - 1) * made->count;
    int64_t *whole = made->most + (int64_t)level * made->count;
    const int64_t step = (int64_t)1 << (level - 1);
    for (int64_t i = 0; i < made->count; i++) {
      whole[i] = half[i];
      if (i + step < made->count && half[i + step] > whole[i]) whole[i] = half[i + step];
    }
  }
  return true;
}

/* How many steps lie at or before `time`. */
static int64_t steps_until(const steps *of, int64_t time) {
  int64_t first = 0, last = of->count;
  while (first < last) {
    int64_t middle = first + (last - first) / 2;
    if (of->counters[middle].time <= time)
      first = middle + 1;
    else
      last = middle;
  }
  return first;
}

/* The value at `start` and all that came until `end`; 0 before the first. */
static int64_t most_between(const steps *of, int64_t start, int64_t end) {
  int64_t first = steps_until(of, start) - 1;
  const int64_t last = steps_until(of, end);
  if (first < 0) first = 0;
  if (first >= last) return 0;
  const int32_t level = 63 - __builtin_clzll((unsigned long long)(last - first));
  const int64_t *most = of->most + (int64_t)level * of->count;
  const int64_t other = last - ((int64_t)1 << level);
  return most[first] > most[other] ? most[first] : most[other];
}

static void raise_peaks(const fmlp_capture *capture, const steps *of, fmlp_paths *paths) {
  const bool device = of->counters[0].kind == FMLP_COUNTER_DEVICE_MEMORY;
  for (int64_t i = 0; i < capture->event_count; i++) {
    const fmlp_capture_event *event = &capture->events[i];
    fmlp_path *row = &paths->rows[paths->of_node[event->node]];
    int64_t *peak = device ? &row->peak_device : &row->peak_resident;
    const int64_t most = most_between(of, event->start, event->end);
    if (most > *peak) *peak = most;
  }
}

bool fmlp_paths_add_memory(const fmlp_capture *capture, fmlp_paths *paths) {
  int64_t last = 0;
  for (int64_t first = 0; first < capture->counter_count; first = last) {
    const fmlp_capture_counter *counter = &capture->counters[first];
    for (last = first; last < capture->counter_count && capture->counters[last].kind == counter->kind &&
                       capture->counters[last].device == counter->device;)
      last++;
    if (counter->kind == FMLP_COUNTER_ALLOCATED) continue; /* part of what is resident */
    steps of;
    if (!make_steps(capture, first, last, &of)) return false;
    raise_peaks(capture, &of, paths);
    free(of.most);
  }
  for (int32_t i = paths->count - 1; i >= 0; i--) { /* a span above may have found no room in the timeline */
    const fmlp_path *row = &paths->rows[i];
    if (row->parent < 0) continue;
    fmlp_path *above = &paths->rows[row->parent];
    if (row->peak_resident > above->peak_resident) above->peak_resident = row->peak_resident;
    if (row->peak_device > above->peak_device) above->peak_device = row->peak_device;
  }
  return true;
}
