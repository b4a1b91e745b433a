/* speedscope's file format: shared frames and several profiles, of which the reader shows one at a time.
 *
 * First every call path with its self time ("sampled", exact whatever the timeline lacks), then what each
 * thread and each lane of a stream did in order ("evented"), then what the sampler saw of each thread.
 * Frames: the spans' sites, the names, the sampler's places, in this order. */
#include "prof/views/export.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "prof/views/export_text.h"

typedef struct writer {
  const fmlp_capture *capture;
  FILE *out;
  int32_t profiles;
} writer;

static void write_frame(FILE *out, const char *name, const char *file, int line, bool last) {
  (void)fputs("    {\"name\": ", out);
  fmlp_export_json_string(name, out);
  if (file) {
    (void)fputs(", \"file\": ", out);
    fmlp_export_json_string(file, out);
  }
  if (line > 0) (void)fprintf(out, ", \"line\": %d", line);
  (void)fprintf(out, "}%s\n", last ? "" : ",");
}

static void write_frames(const writer *to) {
  const fmlp_capture *capture = to->capture;
  int64_t left = capture->site_count + (int64_t)capture->name_count + capture->frame_count;
  (void)fputs("  \"shared\": {\"frames\": [\n", to->out);
  for (int32_t i = 0; i < capture->site_count; i++)
    write_frame(to->out, capture->sites[i].name, capture->sites[i].file, capture->sites[i].line, --left == 0);
  for (int32_t i = 0; i < capture->name_count; i++)
    write_frame(to->out, capture->names[i], NULL, 0, --left == 0);
  for (int64_t i = 0; i < capture->frame_count; i++) {
    const fmlp_capture_frame *frame = &capture->frames[i];
    write_frame(to->out, capture->names[frame->function],
                frame->file < 0 ? NULL : capture->names[frame->file], frame->line, --left == 0);
  }
  (void)fputs("  ]},\n", to->out);
}

static void begin_profile(writer *to, const char *type, const char *unit, const char *name) {
  (void)fprintf(to->out, "%s    {\"type\": \"%s\", \"unit\": \"%s\", \"name\": ", to->profiles++ ? ",\n" : "",
                type, unit);
  fmlp_export_json_string(name, to->out);
}

static void write_stack_of_node(const writer *to, int32_t node) {
  int32_t path[FMLP_CAPTURE_DEPTH], depth = 0;
  for (int32_t at = node; at >= 0 && depth < FMLP_CAPTURE_DEPTH; at = to->capture->nodes[at].parent)
    path[depth++] = at;
  (void)fputc('[', to->out);
  while (depth > 0) {
    (void)fprintf(to->out, "%d", (int)to->capture->nodes[path[--depth]].site);
    if (depth > 0) (void)fputc(',', to->out);
  }
  (void)fputc(']', to->out);
}

static void write_paths(writer *to) {
  const fmlp_capture *capture = to->capture;
  int64_t total = 0;
  begin_profile(to, "sampled", "nanoseconds", "all call paths");
  (void)fputs(",\n     \"samples\": [", to->out);
  for (int32_t i = 0; i < capture->node_count; i++) {
    if (i > 0) (void)fputs(",\n      ", to->out);
    write_stack_of_node(to, i);
    total += capture->nodes[i].self;
  }
  (void)fputs("],\n     \"weights\": [", to->out);
  for (int32_t i = 0; i < capture->node_count; i++)
    (void)fprintf(to->out, "%s%" PRId64, i > 0 ? "," : "", capture->nodes[i].self);
  (void)fprintf(to->out, "],\n     \"startValue\": 0, \"endValue\": %" PRId64 "}", total);
}

/* ---- in order ---- */

/* What is open while a timeline is written. Depths grow strictly, so that there are few. */
typedef struct timeline {
  FILE *out;
  int64_t written, first, now;
  int32_t count;
  struct open_frame {
    int32_t frame, depth;
    int64_t end;
  } open[FMLP_CAPTURE_DEPTH + 1];
} timeline;

static void put(timeline *line, char type, int32_t frame, int64_t at) {
  if (line->written == 0) line->first = line->now = at;
  if (at < line->now) at = line->now; /* the format goes forwards alone */
  line->now = at;
  (void)fprintf(line->out, "%s      {\"type\": \"%c\", \"frame\": %d, \"at\": %" PRId64 "}",
                line->written++ ? ",\n" : "\n", type, (int)frame, at);
}

static void close_down_to(timeline *line, int32_t depth) {
  while (line->count > 0 && line->open[line->count - 1].depth >= depth) {
    const struct open_frame *last = &line->open[--line->count];
    put(line, 'C', last->frame, last->end);
  }
}

static void add(timeline *line, int32_t frame, int32_t depth, int64_t start, int64_t end) {
  close_down_to(line, depth);
  put(line, 'O', frame, start);
  line->open[line->count++] = (struct open_frame){frame, depth, end};
}

static void end_timeline(const writer *to, timeline *line) {
  close_down_to(line, 0);
  int64_t length = to->capture->stop - to->capture->start;
  (void)fprintf(line->out, "],\n     \"startValue\": %" PRId64 ", \"endValue\": %" PRId64 "}",
                line->written > 0 && line->first < 0 ? line->first : 0,
                line->now > length ? line->now : length);
}

static void name_thread(const fmlp_capture *capture, int32_t thread, char *name, size_t capacity) {
  (void)snprintf(name, capacity, "%s %" PRId64, capture->threads[thread].main ? "main thread" : "thread",
                 capture->threads[thread].id);
}

static void write_thread(writer *to, int32_t thread) {
  const fmlp_capture *capture = to->capture;
  char name[64];
  timeline line = {.out = to->out};
  for (int64_t i = 0; i < capture->event_count; i++) {
    const fmlp_capture_event *event = &capture->events[i];
    const fmlp_capture_node *node = &capture->nodes[event->node];
    if (node->thread != thread) continue;
    if (line.written == 0) {
      name_thread(capture, thread, name, sizeof name);
      begin_profile(to, "evented", "nanoseconds", name);
      (void)fputs(", \"events\": [", to->out);
    }
    add(&line, node->site, event->depth, event->start, event->end);
  }
  if (line.written > 0) end_timeline(to, &line);
}

/* `track_of` [operation_count] tells where each operation goes. */
static void write_track(writer *to, const fmlp_export_track *track, int32_t number, const int32_t *track_of) {
  const fmlp_capture *capture = to->capture;
  char name[96];
  timeline line = {.out = to->out};
  int length = snprintf(name, sizeof name, "device %d, stream %d", (int)track->device, (int)track->stream);
  if (track->lane > 0)
    (void)snprintf(name + length, sizeof name - (size_t)length, ", lane %d", (int)track->lane + 1);
  begin_profile(to, "evented", "nanoseconds", name);
  (void)fputs(", \"events\": [", to->out);
  for (int64_t i = 0; i < capture->operation_count; i++) {
    const fmlp_capture_operation *operation = &capture->operations[i];
    if (track_of[i] == number)
      add(&line, capture->site_count + operation->name, 0, operation->start, operation->end);
  }
  end_timeline(to, &line);
}

static bool write_device(writer *to, int64_t *left_out) {
  const fmlp_capture *capture = to->capture;
  fmlp_export_tracks *tracks = calloc(1, sizeof *tracks);
  int32_t *track_of = malloc(((size_t)capture->operation_count + 1) * sizeof *track_of);
  bool room = tracks && track_of;
  for (int64_t i = 0; room && i < capture->operation_count; i++) {
    const fmlp_capture_operation *operation = &capture->operations[i];
    track_of[i] = fmlp_export_track_take(tracks, operation->device, operation->stream, operation->start,
                                         operation->end);
    *left_out += track_of[i] < 0;
  }
  for (int32_t t = 0; room && t < tracks->count; t++) write_track(to, &tracks->track[t], t, track_of);
  free(tracks);
  free(track_of);
  return room;
}

/* ---- the sampler ---- */

static void write_sample(const writer *to, const fmlp_capture_sample *sample) {
  if (sample->frame_count == 0) {
    write_stack_of_node(to, sample->node);
    return;
  }
  int64_t base = (int64_t)to->capture->site_count + to->capture->name_count + sample->first_frame;
  (void)fputc('[', to->out);
  for (int32_t f = sample->frame_count - 1; f >= 0; f--) /* ours: innermost first; theirs: last */
    (void)fprintf(to->out, "%" PRId64 "%s", base + f, f > 0 ? "," : "");
  (void)fputc(']', to->out);
}

static void write_samples(writer *to, int32_t thread, int64_t *next) {
  const fmlp_capture *capture = to->capture;
  char name[96];
  int64_t first = *next, last = first;
  while (last < capture->sample_count && capture->samples[last].thread == thread) last++;
  *next = last;
  if (first == last) return;
  name_thread(capture, thread, name, sizeof name);
  (void)strcat(name, ", samples");
  begin_profile(to, "sampled", "none", name);
  (void)fputs(",\n     \"samples\": [", to->out);
  for (int64_t i = first; i < last; i++) {
    if (i > first) (void)fputs(",\n      ", to->out);
    write_sample(to, &capture->samples[i]);
  }
  (void)fputs("],\n     \"weights\": [", to->out);
  for (int64_t i = first; i < last; i++) (void)fputs(i > first ? ",1" : "1", to->out);
  (void)fprintf(to->out, "],\n     \"startValue\": 0, \"endValue\": %" PRId64 "}", last - first);
}

bool fmlp_export_speedscope(const fmlp_capture *capture, FILE *out) {
  writer to = {.capture = capture, .out = out};
  int64_t next = 0, left_out = 0;
  (void)fputs("{\n  \"$schema\": \"https://www.speedscope.app/file-format-schema.json\",\n", out);
  write_frames(&to);
  (void)fputs("  \"profiles\": [\n", out);
  write_paths(&to);
  for (int32_t t = 0; t < capture->thread_count; t++) write_thread(&to, t);
  bool room = write_device(&to, &left_out);
  for (int32_t t = 0; t < capture->thread_count; t++) write_samples(&to, t, &next);
  (void)fprintf(
      out,
      "\n  ],\n  \"activeProfileIndex\": 0,\n  \"exporter\": \"fmlp\",\n  \"name\": \"fmlp: %" PRId64
      " spans and %" PRId64 " operations missing from the timelines\"\n}\n",
      capture->dropped_events, left_out + capture->dropped_operations);
  return room && !ferror(out);
}
