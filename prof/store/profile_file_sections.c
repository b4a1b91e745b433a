/* The content of a profile file's sections. A count is at most what the bytes left can hold, so that no file
 * asks for much more memory than it has bytes. */
#define _POSIX_C_SOURCE 200809L
#include "prof/store/profile_file_sections.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static uint64_t take_unsigned(fmlp_profile_cursor *from) {
  uint64_t value = 0;
  for (int shift = 0; !from->bad && from->at < from->end; shift += 7) {
    const uint8_t byte = *from->at++;
    if (shift == 63 && byte > 1) break;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  from->bad = true;
  return 0;
}

/* From 0 to `most`. */
int64_t fmlp_profile_take(fmlp_profile_cursor *from, int64_t most) {
  const uint64_t value = take_unsigned(from);
  if (value <= (uint64_t)most) return (int64_t)value;
  from->bad = true;
  return 0;
}

static int64_t take_signed(fmlp_profile_cursor *from) {
  const uint64_t value = take_unsigned(from);
  return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static int32_t take_int(fmlp_profile_cursor *from) {
  return (int32_t)fmlp_profile_take(from, INT32_MAX);
}

static int64_t take_long(fmlp_profile_cursor *from) {
  return fmlp_profile_take(from, INT64_MAX);
}

/* -1 for none. */
static int32_t take_index(fmlp_profile_cursor *from) {
  return (int32_t)fmlp_profile_take(from, INT32_MAX) - 1;
}

/* A moment by its distance to `*last`, which it becomes. */
static int64_t take_moment(fmlp_profile_cursor *from, int64_t *last) {
  if (__builtin_add_overflow(*last, take_signed(from), last)) from->bad = true;
  return *last;
}

static int64_t take_end(fmlp_profile_cursor *from, int64_t start) {
  int64_t end = start;
  if (__builtin_add_overflow(start, take_long(from), &end)) from->bad = true;
  return end;
}

/* The bytes of a text, without NUL. */
static const char *take_text(fmlp_profile_cursor *from, size_t *length) {
  const uint64_t size = take_unsigned(from);
  const char *text = (const char *)from->at;
  *length = 0;
  if (from->bad || size > (uint64_t)(from->end - from->at) || memchr(text, '\0', (size_t)size)) {
    from->bad = true;
    return "";
  }
  from->at += size;
  *length = (size_t)size;
  return text;
}

char *fmlp_profile_take_text(fmlp_profile_cursor *from) {
  size_t length = 0;
  const char *text = take_text(from, &length);
  char *own = from->bad ? NULL : strndup(text, length);
  if (!own) from->bad = true;
  return own;
}

static void take_reason(fmlp_profile_cursor *from, char reason[FMLP_CAPTURE_REASON]) {
  size_t length = 0;
  const char *text = take_text(from, &length);
  if (length >= FMLP_CAPTURE_REASON) from->bad = true;
  if (!from->bad) memcpy(reason, text, length);
}

/* The count of an array whose rows take at least `row_bytes` each, and zeroed memory for them. */
static void *take_array(fmlp_profile_cursor *from, int64_t row_bytes, size_t size, int64_t *count) {
  *count = fmlp_profile_take(from, (from->end - from->at) / row_bytes < INT32_MAX / 2
                                       ? (from->end - from->at) / row_bytes
                                       : INT32_MAX / 2);
  void *rows = from->bad ? NULL : calloc((size_t)*count + 1, size);
  if (!rows) {
    from->bad = true;
    *count = 0;
  }
  return rows;
}

static void take_counts(fmlp_profile_cursor *from, fmlp_capture *capture) {
  capture->start = take_long(from);
  capture->stop = take_long(from);
  capture->level = (fmlp_capture_level)fmlp_profile_take(from, FMLP_CAPTURE_FULL);
  int64_t *const counts[] = {
      &capture->spans,
      &capture->dropped_spans,
      &capture->dropped_events,
      &capture->open_spans,
      &capture->abandoned_spans,
      &capture->peak_resident,
      &capture->pair_picoseconds,
      &capture->peak_allocated,
      &capture->host_bytes_per_second,
      &capture->dropped_samples,
      &capture->dropped_operations,
      &capture->invalid_operations,
      &capture->unattributed_operations,
      &capture->outside_allocations,
      &capture->outside_bytes,
  };
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) *counts[i] = take_long(from);
  capture->device_clock_residual = take_signed(from);
  take_reason(from, capture->device_reason);
  take_reason(from, capture->sample_reason);
}

static void take_names(fmlp_profile_cursor *from, fmlp_capture *capture) {
  int64_t count = 0;
  capture->names = take_array(from, 1, sizeof *capture->names, &count);
  while (!from->bad && capture->name_count < count) {
    char *name = fmlp_profile_take_text(from);
    if (name) capture->names[capture->name_count++] = name;
  }
}

/* What is left of the section has room for all texts, and three NULs a site. */
static void take_sites(fmlp_profile_cursor *from, fmlp_capture *capture) {
  int64_t count = 0;
  capture->sites = take_array(from, 4, sizeof *capture->sites, &count);
  capture->strings = from->bad ? NULL : malloc((size_t)(from->end - from->at) + 3 * (size_t)count + 1);
  if (!capture->strings) from->bad = true;
  char *at = capture->strings;
  for (int64_t i = 0; !from->bad && i < count; i++) {
    const char *copies[3];
    for (int t = 0; t < 3; t++) {
      size_t length = 0;
      const char *text = take_text(from, &length);
      memcpy(at, text, length);
      at[length] = '\0';
      copies[t] = at;
      at += length + 1;
    }
    capture->sites[i] = (fmlp_capture_site){copies[0], copies[1], copies[2], take_int(from)};
    capture->site_count = (int32_t)i + 1;
  }
}

static void take_threads(fmlp_profile_cursor *from, fmlp_capture *capture) {
  int64_t count = 0;
  capture->threads = take_array(from, 2, sizeof *capture->threads, &count);
  capture->thread_count = (int32_t)count;
  for (int64_t i = 0; !from->bad && i < count; i++) {
    capture->threads[i].id = take_long(from);
    capture->threads[i].main = fmlp_profile_take(from, 1) != 0;
  }
}

static void take_nodes(fmlp_profile_cursor *from, fmlp_capture *capture) {
  int64_t count = 0;
  capture->nodes = take_array(from, 8, sizeof *capture->nodes, &count);
  capture->node_count = (int32_t)count;
  for (int32_t i = 0; !from->bad && i < count; i++) {
    fmlp_capture_node *node = &capture->nodes[i];
    node->thread = take_int(from);
    node->parent = (int32_t)fmlp_profile_take(from, i) - 1;
    node->site = take_int(from);
    node->calls = take_long(from);
    node->self = node->total = take_long(from);
    node->allocations = take_long(from);
    node->allocated_bytes = take_long(from);
    node->bytes = take_long(from);
  }
  for (int32_t i = (int32_t)count - 1; !from->bad && i >= 0; i--) {
    const fmlp_capture_node *node = &capture->nodes[i];
    if (node->parent < 0) continue;
    fmlp_capture_node *parent = &capture->nodes[node->parent];
    if (__builtin_add_overflow(parent->total, node->total, &parent->total)) from->bad = true;
  }
}

static void take_events(fmlp_profile_cursor *from, fmlp_capture *capture) {
  int64_t last = 0, count = 0;
  int32_t *depth = malloc(((size_t)capture->node_count + 1) * sizeof *depth);
  if (!depth) from->bad = true;
  for (int32_t i = 0; depth && i < capture->node_count; i++)
    depth[i] = capture->nodes[i].parent < 0 ? 0 : depth[capture->nodes[i].parent] + 1;
  capture->events = take_array(from, 3, sizeof *capture->events, &count);
  capture->event_count = count;
  for (int64_t i = 0; !from->bad && i < count; i++) {
    fmlp_capture_event *event = &capture->events[i];
    event->node = take_int(from);
    if (event->node >= capture->node_count) break; /* refused by the check */
    event->depth = depth[event->node];
    event->start = take_moment(from, &last);
    event->end = take_end(from, event->start);
  }
  free(depth);
}

static void take_devices(fmlp_profile_cursor *from, fmlp_capture *capture) {
  int64_t count = 0;
  capture->devices = take_array(from, 5, sizeof *capture->devices, &count);
  capture->device_count = (int32_t)count;
  for (int64_t i = 0; !from->bad && i < count; i++) {
    fmlp_capture_device *device = &capture->devices[i];
    device->ordinal = take_int(from);
    device->name = take_int(from);
    device->memory = take_long(from);
    device->multiprocessors = take_int(from);
    device->bytes_per_second = take_long(from);
  }
}

static void take_calls(fmlp_profile_cursor *from, fmlp_capture *capture) {
  int64_t last = 0;
  capture->calls = take_array(from, 6, sizeof *capture->calls, &capture->call_count);
  for (int64_t i = 0; !from->bad && i < capture->call_count; i++) {
    fmlp_capture_call *call = &capture->calls[i];
    call->node = take_index(from);
    call->thread = take_index(from);
    call->name = take_int(from);
    call->kind = (fmlp_call_kind)fmlp_profile_take(from, FMLP_CALL_OVERHEAD);
    call->start = take_moment(from, &last);
    call->end = take_end(from, call->start);
  }
}

static void take_operations(fmlp_profile_cursor *from, fmlp_capture *capture) {
  int64_t last = 0;
  capture->operations = take_array(from, 13, sizeof *capture->operations, &capture->operation_count);
  for (int64_t i = 0; !from->bad && i < capture->operation_count; i++) {
    fmlp_capture_operation *operation = &capture->operations[i];
    operation->node = take_index(from);
    operation->name = take_int(from);
    operation->kind = (fmlp_operation_kind)fmlp_profile_take(from, FMLP_OPERATION_KINDS - 1);
    operation->device = take_int(from);
    const int64_t stream = take_signed(from);
    if (stream < INT32_MIN || stream > INT32_MAX) from->bad = true;
    operation->stream = (int32_t)stream;
    operation->call = take_long(from) - 1;
    operation->start = take_moment(from, &last);
    operation->end = take_end(from, operation->start);
    operation->bytes = take_long(from);
    operation->blocks = take_int(from);
    operation->threads = take_int(from);
    operation->registers = take_int(from);
    operation->shared = take_long(from);
  }
}

static void take_counters(fmlp_profile_cursor *from, fmlp_capture *capture) {
  int64_t last = 0;
  capture->counters = take_array(from, 4, sizeof *capture->counters, &capture->counter_count);
  for (int64_t i = 0; !from->bad && i < capture->counter_count; i++) {
    fmlp_capture_counter *counter = &capture->counters[i];
    counter->kind = (fmlp_counter_kind)fmlp_profile_take(from, FMLP_COUNTER_KINDS - 1);
    counter->device = take_index(from);
    counter->time = take_moment(from, &last);
    counter->value = take_signed(from);
  }
}

static void take_frames(fmlp_profile_cursor *from, fmlp_capture *capture) {
  capture->frames = take_array(from, 4, sizeof *capture->frames, &capture->frame_count);
  for (int64_t i = 0; !from->bad && i < capture->frame_count; i++) {
    fmlp_capture_frame *frame = &capture->frames[i];
    frame->function = take_int(from);
    frame->file = take_index(from);
    frame->line = take_int(from);
    frame->address = take_unsigned(from);
  }
}

static void take_samples(fmlp_profile_cursor *from, fmlp_capture *capture) {
  int64_t last = 0;
  capture->samples = take_array(from, 5, sizeof *capture->samples, &capture->sample_count);
  for (int64_t i = 0; !from->bad && i < capture->sample_count; i++) {
    fmlp_capture_sample *sample = &capture->samples[i];
    sample->thread = take_int(from);
    sample->node = take_index(from);
    sample->time = take_moment(from, &last);
    sample->first_frame = take_int(from);
    sample->frame_count = take_int(from);
  }
}

const fmlp_profile_section fmlp_profile_sections[FMLP_PROFILE_SECTIONS] = {
    {"CAPT", "counts", take_counts},         {"NAME", "names", take_names},
    {"SITE", "sites", take_sites},           {"THRD", "threads", take_threads},
    {"NODE", "paths", take_nodes},           {"EVNT", "events", take_events},
    {"DEVI", "devices", take_devices},       {"CALL", "calls", take_calls},
    {"OPER", "operations", take_operations}, {"CNTR", "counters", take_counters},
    {"FRAM", "frames", take_frames},         {"SAMP", "samples", take_samples},
};
