/* What the timeline of the HTML page shows. Of more spans, operations or calls than it takes the longest
 * stay: what surrounds a span lasts at least as long and comes before it, so that nothing stands without its
 * surroundings. Of more readings of a counter the least and the greatest of each stretch stay. */
#include <stdlib.h>

#include "prof/views/html_data.h"

enum { BUCKETS = 64 * 16, MOST_READINGS = 20000 };

/* Sixteen buckets to each doubling, ascending. */
static int bucket_of(int64_t duration) {
  if (duration < 16) return duration < 0 ? 0 : (int)duration;
  int power = 63 - __builtin_clzll((unsigned long long)duration);
  return (power - 3) * 16 + (int)((duration >> (power - 4)) & 15);
}

/* Numbers of the rows to show, in order: all, or the `most` longest of them, in doubt the first. */
typedef struct kept_rows {
  const fmlp_capture *capture;
  const fmlp_paths *paths;
  int64_t count;
  int64_t *rows;
} kept_rows;

typedef int64_t (*duration_function)(const fmlp_capture *capture, int64_t row);

static bool keep_longest(int64_t count, int64_t most, duration_function duration, kept_rows *kept) {
  int64_t population[BUCKETS] = {0}, room = most;
  int last = BUCKETS - 1; /* the bucket of which only the first have room */
  kept->rows = malloc(((size_t)(count < most ? count : most) + 1) * sizeof *kept->rows);
  kept->count = 0;
  if (!kept->rows) return false;
  for (int64_t i = 0; i < count; i++) population[bucket_of(duration(kept->capture, i))]++;
  while (last > 0 && population[last] <= room) room -= population[last--];
  for (int64_t i = 0; i < count; i++) {
    const int bucket = bucket_of(duration(kept->capture, i));
    if (bucket > last || (bucket == last && room-- > 0)) kept->rows[kept->count++] = i;
  }
  return true;
}

/* ---- spans ---- */

static int64_t event_duration(const fmlp_capture *capture, int64_t row) {
  return capture->events[row].end - capture->events[row].start;
}

#define KEPT_VALUE(name, type, expression)                                                                   \
  static int64_t name(const void *table, int64_t number) {                                                   \
    const kept_rows *kept = table;                                                                           \
    const int64_t row = kept->rows[number];                                                                  \
    const type *of = &kept->capture->expression[row];

#define EVENT_VALUE(name, value)                                                                             \
  KEPT_VALUE(name, fmlp_capture_event, events)                                                               \
  return value;                                                                                              \
  }

EVENT_VALUE(event_node, of->node)
EVENT_VALUE(event_start, of->start)
EVENT_VALUE(event_length, of->end - of->start)

static bool write_events(FILE *out, kept_rows *kept, int64_t most) {
  if (!keep_longest(kept->capture->event_count, most, event_duration, kept)) return false;
  (void)fprintf(out, ",\"events\":{\"count\":%lld", (long long)kept->count);
  fmlp_html_column(out, "node", kept->count, event_node, kept);
  fmlp_html_running(out, "start", kept->count, event_start, kept);
  fmlp_html_column(out, "duration", kept->count, event_length, kept);
  (void)fputc('}', out);
  free(kept->rows);
  return true;
}

/* ---- devices ---- */

static int64_t operation_duration(const fmlp_capture *capture, int64_t row) {
  return capture->operations[row].end - capture->operations[row].start;
}

#define OPERATION_VALUE(name, value)                                                                         \
  KEPT_VALUE(name, fmlp_capture_operation, operations)                                                       \
  return value;                                                                                              \
  }

OPERATION_VALUE(operation_path, of->node < 0 ? -1 : kept->paths->of_node[of->node])
OPERATION_VALUE(operation_name, of->name)
OPERATION_VALUE(operation_kind, of->kind)
OPERATION_VALUE(operation_device, of->device)
OPERATION_VALUE(operation_stream, of->stream)
OPERATION_VALUE(operation_start, of->start)
OPERATION_VALUE(operation_length, of->end - of->start)
OPERATION_VALUE(operation_bytes, of->bytes)
OPERATION_VALUE(operation_blocks, of->blocks)
OPERATION_VALUE(operation_threads, of->threads)
OPERATION_VALUE(operation_registers, of->registers)
OPERATION_VALUE(operation_shared, of->shared)
OPERATION_VALUE(operation_thread, of->call < 0 ? -1 : kept->capture->calls[of->call].thread)

/* From the start of the call, -1 unknown; never negative by what the clocks differ. */
static int64_t operation_launch(const void *table, int64_t number) {
  const kept_rows *kept = table;
  const fmlp_capture_operation *of = &kept->capture->operations[kept->rows[number]];
  if (of->call < 0) return -1;
  const int64_t delay = of->start - kept->capture->calls[of->call].start;
  return delay > 0 ? delay : 0;
}

static bool write_operations(FILE *out, kept_rows *kept, int64_t most) {
  if (!keep_longest(kept->capture->operation_count, most, operation_duration, kept)) return false;
  (void)fprintf(out, ",\"operations\":{\"count\":%lld", (long long)kept->count);
  fmlp_html_column(out, "path", kept->count, operation_path, kept);
  fmlp_html_column(out, "name", kept->count, operation_name, kept);
  fmlp_html_column(out, "kind", kept->count, operation_kind, kept);
  fmlp_html_column(out, "device", kept->count, operation_device, kept);
  fmlp_html_column(out, "stream", kept->count, operation_stream, kept);
  fmlp_html_running(out, "start", kept->count, operation_start, kept);
  fmlp_html_column(out, "duration", kept->count, operation_length, kept);
  fmlp_html_column(out, "bytes", kept->count, operation_bytes, kept);
  fmlp_html_column(out, "launch", kept->count, operation_launch, kept);
  fmlp_html_column(out, "thread", kept->count, operation_thread, kept);
  fmlp_html_column(out, "blocks", kept->count, operation_blocks, kept);
  fmlp_html_column(out, "threads", kept->count, operation_threads, kept);
  fmlp_html_column(out, "registers", kept->count, operation_registers, kept);
  fmlp_html_column(out, "shared", kept->count, operation_shared, kept);
  (void)fputc('}', out);
  free(kept->rows);
  return true;
}

static int64_t call_duration(const fmlp_capture *capture, int64_t row) {
  return capture->calls[row].end - capture->calls[row].start;
}

#define CALL_VALUE(name, value)                                                                              \
  KEPT_VALUE(name, fmlp_capture_call, calls)                                                                 \
  return value;                                                                                              \
  }

CALL_VALUE(call_thread, of->thread)
CALL_VALUE(call_path, of->node < 0 ? -1 : kept->paths->of_node[of->node])
CALL_VALUE(call_name, of->name)
CALL_VALUE(call_kind, of->kind)
CALL_VALUE(call_start, of->start)
CALL_VALUE(call_length, of->end - of->start)

static bool write_calls(FILE *out, kept_rows *kept, int64_t most) {
  if (!keep_longest(kept->capture->call_count, most, call_duration, kept)) return false;
  (void)fprintf(out, ",\"calls\":{\"count\":%lld", (long long)kept->count);
  fmlp_html_column(out, "thread", kept->count, call_thread, kept);
  fmlp_html_column(out, "path", kept->count, call_path, kept);
  fmlp_html_column(out, "name", kept->count, call_name, kept);
  fmlp_html_column(out, "kind", kept->count, call_kind, kept);
  fmlp_html_running(out, "start", kept->count, call_start, kept);
  fmlp_html_column(out, "duration", kept->count, call_length, kept);
  (void)fputc('}', out);
  free(kept->rows);
  return true;
}

/* ---- counters ---- */

static int64_t counter_time(const void *table, int64_t number) {
  const kept_rows *kept = table;
  return kept->capture->counters[kept->rows[number]].time;
}

static int64_t counter_value(const void *table, int64_t number) {
  const kept_rows *kept = table;
  return kept->capture->counters[kept->rows[number]].value;
}

/* Of each stretch the least and the greatest, in order; of the series the last, which holds from then on. */
static void keep_extremes(kept_rows *kept, int64_t first, int64_t end) {
  const fmlp_capture_counter *counters = kept->capture->counters;
  const int64_t stretch = 1 + 2 * (end - first) / MOST_READINGS;
  kept->count = 0;
  for (int64_t from = first; from < end; from += stretch) {
    const int64_t to = from + stretch < end ? from + stretch : end;
    int64_t least = from, most = from;
    for (int64_t i = from; i < to; i++) {
      if (counters[i].value < counters[least].value) least = i;
      if (counters[i].value >= counters[most].value) most = i;
    }
    kept->rows[kept->count++] = least < most ? least : most;
    if (least != most) kept->rows[kept->count++] = least < most ? most : least;
  }
  if (kept->count > 0 && kept->rows[kept->count - 1] != end - 1) kept->rows[kept->count++] = end - 1;
}

static bool write_counters(FILE *out, kept_rows *kept, int64_t *left_out) {
  const fmlp_capture_counter *counters = kept->capture->counters;
  const int64_t count = kept->capture->counter_count;
  kept->rows = malloc((2 * (size_t)count + 1) * sizeof *kept->rows);
  if (!kept->rows) return false;
  (void)fputs(",\"counters\":[", out);
  for (int64_t first = 0, end = 0; first < count; first = end) {
    while (end < count && counters[end].kind == counters[first].kind &&
           counters[end].device == counters[first].device)
      end++;
    keep_extremes(kept, first, end);
    *left_out += end - first - kept->count;
    (void)fprintf(out, "%s{\"kind\":%d,\"device\":%d,\"count\":%lld", first > 0 ? "," : "",
                  (int)counters[first].kind, (int)counters[first].device, (long long)kept->count);
    fmlp_html_running(out, "time", kept->count, counter_time, kept);
    fmlp_html_column(out, "value", kept->count, counter_value, kept);
    (void)fputc('}', out);
  }
  (void)fputc(']', out);
  free(kept->rows);
  return true;
}

bool fmlp_html_timeline(FILE *out, const fmlp_capture *capture, const fmlp_paths *paths, int64_t max_events,
                        int64_t *counters_left_out) {
  kept_rows kept = {.capture = capture, .paths = paths};
  return write_events(out, &kept, max_events) && write_operations(out, &kept, max_events) &&
         write_calls(out, &kept, max_events) && write_counters(out, &kept, counters_left_out);
}
