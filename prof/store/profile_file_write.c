/* The profile file, written: a section is made in memory, because its length stands before it. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "prof/store/profile_file.h"

const uint8_t fmlp_profile_magic[FMLP_PROFILE_MAGIC_BYTES] = {0x89, 'F', 'M', 'L', 'P', 0x0d, 0x0a, 0x1a};

/* A section's content; `failed` when memory ran out. */
typedef struct content {
  uint8_t *bytes;
  size_t size, capacity;
  bool failed;
} content;

static uint8_t *reserve(content *to, size_t count) {
  if (to->failed) return NULL;
  if (to->size + count > to->capacity) {
    const size_t larger = 2 * (to->size + count) + 256;
    uint8_t *moved = realloc(to->bytes, larger);
    to->failed = !moved;
    if (!moved) return NULL;
    to->bytes = moved;
    to->capacity = larger;
  }
  return to->bytes + to->size;
}

static void put_unsigned(content *to, uint64_t value) {
  uint8_t *at = reserve(to, 10);
  if (!at) return;
  while (value >= 0x80) {
    *at++ = (uint8_t)(value | 0x80);
    value >>= 7;
  }
  *at++ = (uint8_t)value;
  to->size = (size_t)(at - to->bytes);
}

/* Not negative; where it is, the reader will say so. */
static void put(content *to, int64_t value) {
  put_unsigned(to, (uint64_t)value);
}

static void put_signed(content *to, int64_t value) {
  put_unsigned(to, ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0));
}

static void put_text(content *to, const char *text) {
  const size_t length = strlen(text);
  put_unsigned(to, length);
  uint8_t *at = reserve(to, length + 1);
  if (!at) return;
  memcpy(at, text, length);
  to->size += length;
}

/* An index, -1 for none. */
static void put_index(content *to, int64_t index) {
  put(to, index + 1);
}

static void put_counts(content *to, const fmlp_capture *capture) {
  const int64_t counts[] = {
      capture->start,
      capture->stop,
      capture->level,
      capture->spans,
      capture->dropped_spans,
      capture->dropped_events,
      capture->open_spans,
      capture->abandoned_spans,
      capture->peak_resident,
      capture->pair_picoseconds,
      capture->peak_allocated,
      capture->host_bytes_per_second,
      capture->dropped_samples,
      capture->dropped_operations,
      capture->invalid_operations,
      capture->unattributed_operations,
      capture->outside_allocations,
      capture->outside_bytes,
  };
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) put(to, counts[i]);
  put_signed(to, capture->device_clock_residual);
  put_text(to, capture->device_reason);
  put_text(to, capture->sample_reason);
}

static void put_names(content *to, const fmlp_capture *capture) {
  put(to, capture->name_count);
  for (int32_t i = 0; i < capture->name_count; i++) put_text(to, capture->names[i]);
}

static void put_sites(content *to, const fmlp_capture *capture) {
  put(to, capture->site_count);
  for (int32_t i = 0; i < capture->site_count; i++) {
    const fmlp_capture_site *site = &capture->sites[i];
    put_text(to, site->name);
    put_text(to, site->file);
    put_text(to, site->function);
    put(to, site->line);
  }
}

static void put_threads(content *to, const fmlp_capture *capture) {
  put(to, capture->thread_count);
  for (int32_t i = 0; i < capture->thread_count; i++) {
    put(to, capture->threads[i].id);
    put(to, capture->threads[i].main);
  }
}

static void put_nodes(content *to, const fmlp_capture *capture) {
  put(to, capture->node_count);
  for (int32_t i = 0; i < capture->node_count; i++) {
    const fmlp_capture_node *node = &capture->nodes[i];
    put(to, node->thread);
    put_index(to, node->parent);
    put(to, node->site);
    put(to, node->calls);
    put(to, node->self);
    put(to, node->allocations);
    put(to, node->allocated_bytes);
    put(to, node->bytes);
  }
}

static void put_events(content *to, const fmlp_capture *capture) {
  int64_t last = 0;
  put(to, capture->event_count);
  for (int64_t i = 0; i < capture->event_count; i++) {
    const fmlp_capture_event *event = &capture->events[i];
    put(to, event->node);
    put_signed(to, event->start - last);
    put(to, event->end - event->start);
    last = event->start;
  }
}

static void put_devices(content *to, const fmlp_capture *capture) {
  put(to, capture->device_count);
  for (int32_t i = 0; i < capture->device_count; i++) {
    const fmlp_capture_device *device = &capture->devices[i];
    put(to, device->ordinal);
    put(to, device->name);
    put(to, device->memory);
    put(to, device->multiprocessors);
    put(to, device->bytes_per_second);
  }
}

static void put_calls(content *to, const fmlp_capture *capture) {
  int64_t last = 0;
  put(to, capture->call_count);
  for (int64_t i = 0; i < capture->call_count; i++) {
    const fmlp_capture_call *call = &capture->calls[i];
    put_index(to, call->node);
    put_index(to, call->thread);
    put(to, call->name);
    put(to, (int64_t)call->kind);
    put_signed(to, call->start - last);
    put(to, call->end - call->start);
    last = call->start;
  }
}

static void put_operations(content *to, const fmlp_capture *capture) {
  int64_t last = 0;
  put(to, capture->operation_count);
  for (int64_t i = 0; i < capture->operation_count; i++) {
    const fmlp_capture_operation *operation = &capture->operations[i];
    put_index(to, operation->node);
    put(to, operation->name);
    put(to, (int64_t)operation->kind);
    put(to, operation->device);
    put_signed(to, operation->stream);
    put_index(to, operation->call);
    put_signed(to, operation->start - last);
    put(to, operation->end - operation->start);
    put(to, operation->bytes);
    put(to, operation->blocks);
    put(to, operation->threads);
    put(to, operation->registers);
    put(to, operation->shared);
    last = operation->start;
  }
}

static void put_counters(content *to, const fmlp_capture *capture) {
  int64_t last = 0;
  put(to, capture->counter_count);
  for (int64_t i = 0; i < capture->counter_count; i++) {
    const fmlp_capture_counter *counter = &capture->counters[i];
    put(to, (int64_t)counter->kind);
    put_index(to, counter->device);
    put_signed(to, counter->time - last);
    put_signed(to, counter->value);
    last = counter->time;
  }
}

static void put_frames(content *to, const fmlp_capture *capture) {
  put(to, capture->frame_count);
  for (int64_t i = 0; i < capture->frame_count; i++) {
    const fmlp_capture_frame *frame = &capture->frames[i];
    put(to, frame->function);
    put_index(to, frame->file);
    put(to, frame->line);
    put_unsigned(to, frame->address);
  }
}

static void put_samples(content *to, const fmlp_capture *capture) {
  int64_t last = 0;
  put(to, capture->sample_count);
  for (int64_t i = 0; i < capture->sample_count; i++) {
    const fmlp_capture_sample *sample = &capture->samples[i];
    put(to, sample->thread);
    put_index(to, sample->node);
    put_signed(to, sample->time - last);
    put(to, sample->first_frame);
    put(to, sample->frame_count);
    last = sample->time;
  }
}

static const struct {
  const char *tag;
  void (*put)(content *to, const fmlp_capture *capture);
} SECTIONS[] = {
    {"CAPT", put_counts},     {"NAME", put_names},    {"SITE", put_sites},   {"THRD", put_threads},
    {"NODE", put_nodes},      {"EVNT", put_events},   {"DEVI", put_devices}, {"CALL", put_calls},
    {"OPER", put_operations}, {"CNTR", put_counters}, {"FRAM", put_frames},  {"SAMP", put_samples},
};

static void little_endian(uint8_t *to, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++) to[i] = (uint8_t)(value >> 8 * i);
}

/* Writes the section and empties `content`. */
static bool write_section(FILE *out, const char *tag, content *made) {
  uint8_t frame[12], check[4];
  memcpy(frame, tag, 4);
  little_endian(frame + 4, made->size, 8);
  uLong crc = crc32_z(0, frame, sizeof frame);
  if (made->size > 0) crc = crc32_z(crc, made->bytes, made->size);
  little_endian(check, crc, sizeof check);
  bool written = !made->failed && fwrite(frame, 1, sizeof frame, out) == sizeof frame &&
                 fwrite(made->bytes ? made->bytes : check, 1, made->size, out) == made->size &&
                 fwrite(check, 1, sizeof check, out) == sizeof check;
  made->size = 0;
  return written;
}

static bool write_header(FILE *out) {
  uint8_t header[FMLP_PROFILE_MAGIC_BYTES + 8];
  memcpy(header, fmlp_profile_magic, FMLP_PROFILE_MAGIC_BYTES);
  little_endian(header + FMLP_PROFILE_MAGIC_BYTES, FMLP_PROFILE_SCHEMA, 4);
  little_endian(header + FMLP_PROFILE_MAGIC_BYTES + 4, crc32_z(0, header, FMLP_PROFILE_MAGIC_BYTES + 4), 4);
  return fwrite(header, 1, sizeof header, out) == sizeof header;
}

bool fmlp_profile_file_write(const fmlp_profile *profile, FILE *out) {
  content made = {0};
  bool written = write_header(out);
  put(&made, profile->fact_count);
  for (int32_t i = 0; i < profile->fact_count; i++) {
    put_text(&made, profile->facts[i].key);
    put_text(&made, profile->facts[i].value);
  }
  written = written && write_section(out, "FACT", &made);
  for (int32_t c = 0; c < profile->capture_count; c++)
    for (size_t s = 0; written && s < sizeof SECTIONS / sizeof *SECTIONS; s++) {
      SECTIONS[s].put(&made, profile->captures[c]);
      written = write_section(out, SECTIONS[s].tag, &made);
    }
  written = written && write_section(out, "END ", &made);
  free(made.bytes);
  return written;
}

bool fmlp_profile_file_make(const fmlp_profile *profile, uint8_t **bytes, size_t *size) {
  char *made = NULL;
  *size = 0;
  FILE *out = open_memstream(&made, size);
  bool whole = out && fmlp_profile_file_write(profile, out);
  if (out && fclose(out) != 0) whole = false;
  if (!whole) free(made);
  *bytes = whole ? (uint8_t *)made : NULL;
  return whole;
}
