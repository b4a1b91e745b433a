/* Trace events for Perfetto and Chrome's viewer: what happened when. Times in us with three decimals, which
 * is the nanosecond exactly.
 *
 * Process 1 is the program: a row a thread, then rows of the calls to the device's runtime (rows of their
 * own, because their clock is another: they need not nest in the spans). Each device is a process, a row a
 * lane of a stream. An arrow leads from a call to what it launched. Viewers give up on files that are too
 * large: within the limit spans come first, then operations, counters, calls and arrows, each from its
 * beginning; what is left out is counted in the file. */
#include "prof/views/export.h"

#include <inttypes.h>
#include <stdlib.h>

#include "prof/views/export_text.h"

enum { HOST = 1, FIRST_DEVICE = 2, DEFAULT_EVENTS = 1000000 };

typedef struct writer {
  const fmlp_capture *capture;
  FILE *out;
  int64_t arrows; /* that may still be written */
  int64_t written, left_out, arrows_left_out;
  fmlp_export_tracks *tracks;
  int32_t *call_track; /* [call_count] -1 left out */
} writer;

static void write_microseconds(FILE *out, int64_t ns) {
  uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
  (void)fprintf(out, "%s%" PRIu64 ".%03d", ns < 0 ? "-" : "", size / 1000, (int)(size % 1000));
}

/* The head of an event, up to its time; the caller adds fields and the end. */
static void begin_event(writer *to, char phase, int32_t process, int32_t row, int64_t time) {
  (void)fprintf(to->out, "%s{\"ph\":\"%c\",\"pid\":%d,\"tid\":%d,\"ts\":", to->written++ ? ",\n" : "", phase,
                (int)process, (int)row);
  write_microseconds(to->out, time);
}

static void write_slice(writer *to, int32_t process, int32_t row, int64_t start, int64_t end,
                        const char *category, const char *name) {
  begin_event(to, 'X', process, row, start);
  (void)fputs(",\"dur\":", to->out);
  write_microseconds(to->out, end - start);
  (void)fprintf(to->out, ",\"cat\":\"%s\",\"name\":", category);
  fmlp_export_json_string(name, to->out);
}

static void write_spans(writer *to, int64_t room) {
  const fmlp_capture *capture = to->capture;
  for (int64_t i = 0; i < capture->event_count; i++) {
    const fmlp_capture_event *event = &capture->events[i];
    const fmlp_capture_node *node = &capture->nodes[event->node];
    if (i >= room) {
      to->left_out++;
      continue;
    }
    write_slice(to, HOST, node->thread + 1, event->start, event->end, "span",
                capture->sites[node->site].name);
    (void)fputc('}', to->out);
  }
}

static int32_t track_row(const writer *to, int32_t track) {
  return to->capture->thread_count + 1 + track;
}

static void write_calls(writer *to, int64_t room) {
  static const char *const KINDS[] = {"runtime", "driver", "wait", "overhead"};
  const fmlp_capture *capture = to->capture;
  for (int64_t i = 0; i < capture->call_count; i++) {
    const fmlp_capture_call *call = &capture->calls[i];
    to->call_track[i] =
        i < room ? fmlp_export_track_take(to->tracks, -1, call->thread, call->start, call->end) : -1;
    if (to->call_track[i] < 0) {
      to->left_out++;
      continue;
    }
    write_slice(to, HOST, track_row(to, to->call_track[i]), call->start, call->end, KINDS[call->kind],
                capture->names[call->name]);
    (void)fputc('}', to->out);
  }
}

/* From the start of the call, which lies in its slice, to that of the operation. */
static void write_arrow(writer *to, int64_t number, int32_t row) {
  const fmlp_capture_operation *operation = &to->capture->operations[number];
  if (operation->call < 0) return;
  const fmlp_capture_call *call = &to->capture->calls[operation->call];
  int32_t from = to->call_track[operation->call];
  if (from < 0 || operation->start < call->start || to->arrows == 0) { /* none leads back in time */
    to->arrows_left_out++;
    return;
  }
  to->arrows--;
  begin_event(to, 's', HOST, track_row(to, from), call->start);
  (void)fprintf(to->out, ",\"id\":%" PRId64 ",\"cat\":\"launch\",\"name\":\"launch\"}", number);
  begin_event(to, 'f', FIRST_DEVICE + operation->device, row, operation->start);
  (void)fprintf(to->out, ",\"id\":%" PRId64 ",\"cat\":\"launch\",\"name\":\"launch\",\"bp\":\"e\"}", number);
}

static void write_operation(writer *to, int64_t number, int32_t row) {
  static const char *const KINDS[FMLP_OPERATION_KINDS] = {"kernel", "upload", "download", "copy", "fill"};
  const fmlp_capture *capture = to->capture;
  const fmlp_capture_operation *operation = &capture->operations[number];
  write_slice(to, FIRST_DEVICE + operation->device, row, operation->start, operation->end,
              KINDS[operation->kind], capture->names[operation->name]);
  (void)fputs(",\"args\":{\"launched in\":", to->out);
  fmlp_export_json_string(operation->node < 0 ? "(unattributed)"
                                              : capture->sites[capture->nodes[operation->node].site].name,
                          to->out);
  if (operation->kind == FMLP_OPERATION_KERNEL)
    (void)fprintf(to->out, ",\"blocks\":%d,\"threads\":%d,\"registers\":%d,\"shared\":%" PRId64 "}}",
                  (int)operation->blocks, (int)operation->threads, (int)operation->registers,
                  operation->shared);
  else
    (void)fprintf(to->out, ",\"bytes\":%" PRId64 "}}", operation->bytes);
  write_arrow(to, number, row);
}

static void write_operations(writer *to, int64_t room) {
  for (int64_t i = 0; i < to->capture->operation_count; i++) {
    const fmlp_capture_operation *operation = &to->capture->operations[i];
    int32_t track = i < room ? fmlp_export_track_take(to->tracks, operation->device, operation->stream,
                                                      operation->start, operation->end)
                             : -1;
    if (track < 0) {
      to->left_out++;
      continue;
    }
    write_operation(to, i, track_row(to, track));
  }
}

static void write_counters(writer *to, int64_t room) {
  static const char *const KINDS[FMLP_COUNTER_KINDS] = {"resident memory", "allocated memory",
                                                        "device memory"};
  for (int64_t i = 0; i < to->capture->counter_count; i++) {
    const fmlp_capture_counter *counter = &to->capture->counters[i];
    bool device = counter->kind == FMLP_COUNTER_DEVICE_MEMORY;
    if (i >= room) {
      to->left_out++;
      continue;
    }
    begin_event(to, 'C', device ? FIRST_DEVICE + counter->device : HOST, 0, counter->time);
    (void)fprintf(to->out, ",\"name\":\"%s\",\"args\":{\"bytes\":%" PRId64 "}}", KINDS[counter->kind],
                  counter->value);
  }
}

/* ---- names of processes and rows: few, outside the limit ---- */

static void write_name(writer *to, const char *what, int32_t process, int32_t row, const char *name) {
  (void)fprintf(to->out, "%s{\"ph\":\"M\",\"pid\":%d,\"tid\":%d,\"name\":\"%s\",\"args\":{\"name\":",
                to->written++ ? ",\n" : "", (int)process, (int)row, what);
  fmlp_export_json_string(name, to->out);
  (void)fputs("}}", to->out);
}

static void write_track_name(writer *to, int32_t number) {
  const fmlp_capture *capture = to->capture;
  const fmlp_export_track *track = &to->tracks->track[number];
  char name[96], lane[24] = "";
  if (track->lane > 0) (void)snprintf(lane, sizeof lane, ", lane %d", (int)track->lane + 1);
  if (track->device >= 0)
    (void)snprintf(name, sizeof name, "stream %d%s", (int)track->stream, lane);
  else if (track->stream >= 0)
    (void)snprintf(name, sizeof name, "calls of thread %" PRId64 "%s", capture->threads[track->stream].id,
                   lane);
  else
    (void)snprintf(name, sizeof name, "calls of an unknown thread%s", lane);
  write_name(to, "thread_name", track->device < 0 ? HOST : FIRST_DEVICE + track->device,
             track_row(to, number), name);
}

static void write_names(writer *to) {
  const fmlp_capture *capture = to->capture;
  char name[64];
  write_name(to, "process_name", HOST, 0, "fmlp");
  for (int32_t t = 0; t < capture->thread_count; t++) {
    (void)snprintf(name, sizeof name, "%s %" PRId64, capture->threads[t].main ? "main thread" : "thread",
                   capture->threads[t].id);
    write_name(to, "thread_name", HOST, t + 1, name);
  }
  for (int32_t d = 0; d < capture->device_count; d++)
    write_name(to, "process_name", FIRST_DEVICE + capture->devices[d].ordinal, 0,
               capture->names[capture->devices[d].name]);
  for (int32_t t = 0; t < to->tracks->count; t++) write_track_name(to, t);
}

/* What the timeline lacks, and the totals of everything, from the call paths and operations themselves. */
static void write_totals(const writer *to) {
  const fmlp_capture *capture = to->capture;
  int64_t host = 0, device = 0;
  for (int32_t i = 0; i < capture->node_count; i++) host += capture->nodes[i].self;
  for (int64_t i = 0; i < capture->operation_count; i++)
    device += capture->operations[i].end - capture->operations[i].start;
  (void)fprintf(
      to->out,
      "],\n\"otherData\":{\"tottime_ns\":%" PRId64 ",\"device_ns\":%" PRId64 ",\"spans_missing\":%" PRId64
      ",\"operations_missing\":%" PRId64 ",\"left_out\":%" PRId64 ",\"arrows_left_out\":%" PRId64 "}}\n",
      host, device, capture->dropped_events, capture->dropped_operations, to->left_out, to->arrows_left_out);
}

/* As many as are wanted, or as there is room for. */
static int64_t take(int64_t *left, int64_t wanted) {
  int64_t taken = wanted < *left ? wanted : *left;
  *left -= taken;
  return taken;
}

bool fmlp_export_chrome_limited(const fmlp_capture *capture, int64_t max_events, FILE *out) {
  writer to = {.capture = capture, .out = out};
  int64_t left = max_events;
  const int64_t spans = take(&left, capture->event_count);
  const int64_t operations = take(&left, capture->operation_count);
  const int64_t counters = take(&left, capture->counter_count);
  const int64_t calls = take(&left, capture->call_count);
  to.tracks = calloc(1, sizeof *to.tracks);
  to.call_track = malloc(((size_t)capture->call_count + 1) * sizeof *to.call_track);
  bool room = to.tracks && to.call_track;
  if (room) {
    (void)fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", out);
    to.arrows = left / 2; /* each is two events */
    write_spans(&to, spans);
    write_calls(&to, calls);
    write_operations(&to, operations);
    write_counters(&to, counters);
    write_names(&to);
    write_totals(&to);
  }
  free(to.tracks);
  free(to.call_track);
  return room && !ferror(out);
}

bool fmlp_export_chrome(const fmlp_capture *capture, FILE *out) {
  return fmlp_export_chrome_limited(capture, DEFAULT_EVENTS, out);
}
