/* The promises of capture.h, one after another. */
#include "prof/store/profile_check.h"

#include <limits.h>
#include <stdlib.h>

/* A time or number of bytes, and a sum of them over everything: views add up without looking. 2^59 ns are 18
 * years. */
static const int64_t MOST = (int64_t)1 << 59;
static const int64_t MOST_SUM = (int64_t)1 << 62;

enum { MOST_DEVICES = 65536 };

static bool within(int64_t value, int64_t least, int64_t most) {
  return value >= least && value <= most;
}

static bool add(int64_t *sum, int64_t value) {
  return within(value, 0, MOST) && (*sum += value) <= MOST_SUM;
}

/* An interval inside any conceivable capture. */
static bool interval(int64_t start, int64_t end) {
  return within(start, -MOST, MOST) && within(end, start, MOST);
}

static bool counts_are_sound(const fmlp_capture *capture) {
  const int64_t counts[] = {
      capture->spans,
      capture->dropped_spans,
      capture->dropped_events,
      capture->open_spans,
      capture->abandoned_spans,
      capture->pair_picoseconds,
      capture->peak_resident,
      capture->dropped_operations,
      capture->invalid_operations,
      capture->peak_allocated,
      capture->dropped_samples,
      capture->unattributed_operations,
      capture->start,
      capture->stop,
      capture->host_bytes_per_second,
      capture->outside_allocations,
      capture->outside_bytes,
  };
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    if (counts[i] < 0) return false;
  return within(capture->stop - capture->start, 0, MOST) &&
         (capture->level == FMLP_CAPTURE_SPANS || capture->level == FMLP_CAPTURE_FULL);
}

static bool places_are_sound(const fmlp_capture *capture) {
  for (int32_t i = 0; i < capture->site_count; i++) {
    const fmlp_capture_site *site = &capture->sites[i];
    if (!site->name || !site->file || !site->function || site->line < 0) return false;
  }
  for (int32_t i = 0; i < capture->thread_count; i++)
    if (capture->threads[i].id < 0) return false;
  for (int32_t i = 0; i < capture->name_count; i++)
    if (!capture->names[i]) return false;
  return true;
}

static bool node_is_sound(const fmlp_capture *capture, int32_t number) {
  const fmlp_capture_node *node = &capture->nodes[number];
  if (!within(node->thread, number > 0 ? node[-1].thread : 0, capture->thread_count - 1)) return false;
  if (!within(node->parent, -1, number - 1) || !within(node->site, 0, capture->site_count - 1)) return false;
  return node->calls > 0 && (node->parent < 0 || capture->nodes[node->parent].thread == node->thread);
}

/* `sum` [node_count] of zeros: the totals of the children of each. `depth` [node_count]. */
static bool paths_add_up(const fmlp_capture *capture, int64_t *sum, int32_t *depth) {
  int64_t self = 0, total = 0, calls = 0, allocations = 0, allocated = 0, bytes = 0;
  for (int32_t i = 0; i < capture->node_count; i++) {
    const fmlp_capture_node *node = &capture->nodes[i];
    if (!node_is_sound(capture, i)) return false;
    depth[i] = node->parent < 0 ? 0 : depth[node->parent] + 1;
    if (depth[i] >= FMLP_CAPTURE_DEPTH) return false;
    if (!add(&self, node->self) || !add(&total, node->total) || !add(&calls, node->calls) ||
        !add(&allocations, node->allocations) || !add(&allocated, node->allocated_bytes) ||
        !add(&bytes, node->bytes))
      return false;
  }
  for (int32_t i = capture->node_count - 1; i >= 0; i--) {
    const fmlp_capture_node *node = &capture->nodes[i];
    if (node->total - node->self != sum[i]) return false;
    if (node->parent >= 0) sum[node->parent] += node->total;
  }
  return true;
}

static bool events_are_sound(const fmlp_capture *capture, const int32_t *depth) {
  for (int64_t i = 0; i < capture->event_count; i++) {
    const fmlp_capture_event *event = &capture->events[i];
    if (!within(event->node, 0, capture->node_count - 1) || event->depth != depth[event->node]) return false;
    if (!interval(event->start, event->end)) return false;
    if (i == 0) continue;
    const int32_t thread = capture->nodes[event->node].thread, last = capture->nodes[event[-1].node].thread;
    if (thread < last || (thread == last && event->start < event[-1].start)) return false;
  }
  return true;
}

static bool devices_are_sound(const fmlp_capture *capture) {
  for (int32_t i = 0; i < capture->device_count; i++) {
    const fmlp_capture_device *device = &capture->devices[i];
    if (!within(device->ordinal, 0, MOST_DEVICES - 1) || !within(device->name, 0, capture->name_count - 1) ||
        !within(device->memory, 0, MOST) || device->multiprocessors < 0 ||
        !within(device->bytes_per_second, 0, MOST))
      return false;
  }
  return true;
}

static bool calls_are_sound(const fmlp_capture *capture) {
  int64_t sum = 0;
  for (int64_t i = 0; i < capture->call_count; i++) {
    const fmlp_capture_call *call = &capture->calls[i];
    if (!within(call->node, -1, capture->node_count - 1) ||
        !within(call->thread, -1, capture->thread_count - 1) ||
        !within(call->name, 0, capture->name_count - 1) ||
        !within(call->kind, FMLP_CALL_RUNTIME, FMLP_CALL_OVERHEAD))
      return false;
    if (!interval(call->start, call->end) || !add(&sum, call->end - call->start)) return false;
    if (i > 0 && call->start < call[-1].start) return false;
  }
  return true;
}

static bool operations_are_sound(const fmlp_capture *capture) {
  int64_t sum = 0, bytes = 0;
  for (int64_t i = 0; i < capture->operation_count; i++) {
    const fmlp_capture_operation *operation = &capture->operations[i];
    if (!within(operation->node, -1, capture->node_count - 1) ||
        !within(operation->name, 0, capture->name_count - 1) ||
        !within(operation->kind, 0, FMLP_OPERATION_KINDS - 1) ||
        !within(operation->device, 0, MOST_DEVICES - 1) ||
        !within(operation->call, -1, capture->call_count - 1))
      return false;
    if (!interval(operation->start, operation->end) || !add(&sum, operation->end - operation->start) ||
        !add(&bytes, operation->bytes))
      return false;
    if (operation->blocks < 0 || operation->threads < 0 || operation->registers < 0 ||
        !within(operation->shared, 0, MOST))
      return false;
    if (i > 0 && operation->start < operation[-1].start) return false;
  }
  return true;
}

static bool counter_follows(const fmlp_capture_counter *counter) {
  const fmlp_capture_counter *last = counter - 1;
  if (counter->kind != last->kind) return counter->kind > last->kind;
  return counter->device != last->device ? counter->device > last->device : counter->time >= last->time;
}

static bool counters_are_sound(const fmlp_capture *capture) {
  for (int64_t i = 0; i < capture->counter_count; i++) {
    const fmlp_capture_counter *counter = &capture->counters[i];
    const bool device = counter->kind == FMLP_COUNTER_DEVICE_MEMORY;
    if (!within(counter->kind, 0, FMLP_COUNTER_KINDS - 1) ||
        !within(counter->device, device ? 0 : -1, device ? MOST_DEVICES - 1 : -1) ||
        !within(counter->time, -MOST, MOST) || !within(counter->value, -MOST, MOST))
      return false;
    if (i > 0 && !counter_follows(counter)) return false;
  }
  return true;
}

static bool samples_are_sound(const fmlp_capture *capture) {
  for (int64_t i = 0; i < capture->frame_count; i++) {
    const fmlp_capture_frame *frame = &capture->frames[i];
    if (!within(frame->function, 0, capture->name_count - 1) ||
        !within(frame->file, -1, capture->name_count - 1) || frame->line < 0)
      return false;
  }
  for (int64_t i = 0; i < capture->sample_count; i++) {
    const fmlp_capture_sample *sample = &capture->samples[i];
    if (!within(sample->thread, 0, capture->thread_count - 1) ||
        !within(sample->node, -1, capture->node_count - 1) || !within(sample->time, -MOST, MOST) ||
        !within(sample->first_frame, 0, capture->frame_count) ||
        !within(sample->frame_count, 0, capture->frame_count - sample->first_frame))
      return false;
    if (sample->node >= 0 && capture->nodes[sample->node].thread != sample->thread) return false;
    if (i == 0) continue;
    const fmlp_capture_sample *last = sample - 1;
    if (sample->thread < last->thread || (sample->thread == last->thread && sample->time < last->time))
      return false;
  }
  return true;
}

const char *fmlp_profile_check(const fmlp_capture *capture) {
  if (!counts_are_sound(capture)) return "counts";
  if (!places_are_sound(capture)) return "names";
  int64_t *sum = calloc((size_t)capture->node_count + 1, sizeof *sum);
  int32_t *depth = calloc((size_t)capture->node_count + 1, sizeof *depth);
  const char *wrong = !sum || !depth                       ? "too large for the memory there is"
                      : !paths_add_up(capture, sum, depth) ? "paths"
                      : !events_are_sound(capture, depth)  ? "events"
                                                           : NULL;
  free(sum);
  free(depth);
  if (wrong) return wrong;
  if (!devices_are_sound(capture)) return "devices";
  if (!calls_are_sound(capture)) return "calls";
  if (!operations_are_sound(capture)) return "operations";
  if (!counters_are_sound(capture)) return "counters";
  return samples_are_sound(capture) ? NULL : "samples";
}
