/* Every join is a look into a map: external id by correlation, call by correlation, node by place. */
#include "prof/sources/device_join.h"

#include <stdlib.h>
#include <string.h>

#include "prof/sources/number_map.h"

__extension__ typedef __int128 wide;

enum { DEVICES = 1024, NEARBY = 1000000000 };

static const uint64_t PLACE_MASK = ((uint64_t)1 << FMLP_DEVICE_TRACE_SHIFT) - 1;

typedef struct join {
  fmlp_capture *capture;
  const fmlp_capture_places *places;
  fmlp_cupti_log *log;
  const fmlp_device_clock *clock;
  uint16_t trace;
  bool same_clock;       /* CUPTI's times are of CLOCK_MONOTONIC */
  int32_t *names;        /* [log->name_count] in the capture, -1: not yet */
  fmlp_number_map calls; /* correlation -> call of the log, plus one */
  int64_t *kept;         /* [log->call_count] the call of the capture, -1 */
  int64_t early;         /* ns by which an operation began before the call that launched it, at most */
} join;

/* ---- time ---- */

/* Whether the records are in CLOCK_MONOTONIC, as the callback asked, is seen from the records themselves: the
 * other clock is the time since 1970, decades away. */
static bool same_clock(const fmlp_cupti_log *log, const fmlp_device_clock *clock) {
  const uint64_t first = log->call_count > 0        ? log->calls[0].start
                         : log->operation_count > 0 ? log->operations[0].start
                                                    : (uint64_t)clock->stop.device;
  return (int64_t)first >= clock->since && (int64_t)first <= clock->stop.host;
}

/* Nanoseconds after the capture's start. */
static int64_t moment(const join *work, uint64_t device) {
  int64_t time = (int64_t)device;
  const fmlp_device_moment *a = &work->clock->start, *b = &work->clock->stop;
  if (!work->same_clock) {
    const int64_t offset = a->host - a->device, drift = b->host - b->device - offset,
                  length = b->device - a->device;
    time += offset + (length > 0 ? (int64_t)((wide)drift * (time - a->device) / length) : 0);
  }
  return time - work->capture->start;
}

static int64_t larger(int64_t a, int64_t b) {
  return a > b ? a : b;
}

/* What the two readings say about the error of a time, and what the order of events does. */
static int64_t residual(const join *work) {
  const fmlp_device_moment *a = &work->clock->start, *b = &work->clock->stop;
  if (a->device == 0 || b->device == 0) return work->early;
  const int64_t first = a->host - a->device, last = b->host - b->device;
  int64_t error = larger(a->precision, b->precision);
  if (!work->same_clock) error += llabs(last - first);
  /* One clock read twice differs by no more than the time in between; else the difference is an error, too.
   */
  if (work->same_clock && llabs(first) < NEARBY && llabs(last) < NEARBY)
    error = larger(error, larger(llabs(first), llabs(last)));
  return larger(larger(error, work->early), 1);
}

/* ---- names ---- */

static int32_t name_of(join *work, int32_t number) {
  if (work->names[number] < 0)
    work->names[number] = fmlp_capture_name(work->capture, work->log->names[number]);
  return work->names[number];
}

/* ---- calls ---- */

/* Outer calls before those inside them. */
static int by_call(const void *a, const void *b) {
  const fmlp_cupti_call *x = a, *y = b;
  if (x->start != y->start) return x->start < y->start ? -1 : 1;
  if (x->end != y->end) return x->end > y->end ? -1 : 1;
  return (x->kind > y->kind) - (x->kind < y->kind); /* the runtime's before the driver's */
}

/* Correlation to call, the runtime's where the driver's has the same number. */
static bool map_calls(join *work) {
  fmlp_cupti_log *log = work->log;
  for (int pass = 0; pass < 2; pass++)
    for (int64_t i = 0; i < log->call_count; i++)
      if (log->calls[i].kind == (pass == 0 ? FMLP_CALL_DRIVER : FMLP_CALL_RUNTIME) &&
          log->calls[i].correlation != 0 &&
          !fmlp_number_map_put(&work->calls, log->calls[i].correlation, (uint64_t)i + 1))
        return false;
  return true;
}

/* The call of the log with this correlation, -1. */
static int64_t call_with(const join *work, uint32_t correlation) {
  uint64_t found;
  return fmlp_number_map_get(&work->calls, correlation, &found) ? (int64_t)found - 1 : -1;
}

/* Waits are calls that waited: a record of a wait makes its call one, and is itself kept only without one. */
static void mark_waits(join *work) {
  fmlp_cupti_log *log = work->log;
  for (int64_t i = 0; i < log->call_count; i++) {
    if (log->calls[i].kind != FMLP_CALL_WAIT) continue;
    const int64_t call = call_with(work, log->calls[i].correlation);
    if (call >= 0) work->kept[i] = call + 1; /* positive: to be left out for that one */
  }
  for (int64_t i = 0; i < log->call_count; i++)
    if (work->kept[i] > 0) log->calls[work->kept[i] - 1].kind = FMLP_CALL_WAIT;
}

/* The runtime calls the driver: what it does inside a call of its own is that call. Marks inner calls in
 * kept[], as mark_waits does. */
static bool mark_inner(join *work) {
  fmlp_cupti_log *log = work->log;
  fmlp_number_map last = {0}; /* thread -> the last outer call, plus one */
  bool done = true;
  for (int64_t i = 0; i < log->call_count && done; i++) {
    fmlp_cupti_call *call = &log->calls[i];
    if (work->kept[i] > 0 || call->thread == 0 || call->kind == FMLP_CALL_OVERHEAD) continue;
    uint64_t outer = 0;
    (void)fmlp_number_map_get(&last, call->thread, &outer);
    if (outer > 0 && call->end <= log->calls[outer - 1].end) {
      work->kept[i] = (int64_t)outer;
      if (call->kind == FMLP_CALL_WAIT) log->calls[outer - 1].kind = FMLP_CALL_WAIT;
    } else {
      done = fmlp_number_map_put(&last, call->thread, (uint64_t)i + 1);
    }
  }
  fmlp_number_map_release(&last);
  return done;
}

/* The place pushed when a call was made, 0 for none. */
static uint64_t place_of(const join *work, uint32_t correlation) {
  uint64_t id;
  if (!fmlp_number_map_get(&work->log->external, correlation, &id)) return 0;
  return id >> FMLP_DEVICE_TRACE_SHIFT == work->trace ? id & PLACE_MASK : 0;
}

static int32_t node_of(const join *work, uint64_t place) {
  const int32_t node = fmlp_capture_node_of(work->places, place);
  return node < work->capture->node_count ? node : -1;
}

static int32_t thread_of(const join *work, const fmlp_cupti_call *call, uint64_t place) {
  const int32_t thread = fmlp_capture_thread_of(work->places, place);
  if (thread >= 0 || call->thread == 0) return thread;
  for (int32_t i = 0; i < work->capture->thread_count; i++)
    if (work->capture->threads[i].id == call->thread) return i;
  return -1;
}

/* Cuts [start, end] to the capture; false when it is outside. */
static bool inside(const join *work, int64_t *start, int64_t *end) {
  const int64_t length = work->capture->stop - work->capture->start;
  if (*end < 0 || *start > length) return false;
  if (*start < 0) *start = 0;
  if (*end > length) *end = length;
  return true;
}

static bool add_calls(join *work) {
  fmlp_cupti_log *log = work->log;
  fmlp_capture *capture = work->capture;
  capture->calls = malloc((size_t)log->call_count * sizeof *capture->calls + 1);
  if (!capture->calls) return false;
  for (int64_t i = 0; i < log->call_count; i++) {
    const fmlp_cupti_call *call = &log->calls[i];
    if (work->kept[i] > 0) continue;
    work->kept[i] = -1;
    int64_t start = moment(work, call->start), end = moment(work, call->end);
    if (!inside(work, &start, &end)) continue;
    if (capture->call_count == log->limit) {
      log->dropped++;
      continue;
    }
    const uint64_t place = place_of(work, call->correlation);
    const int32_t name = name_of(work, call->name);
    if (name < 0) return false;
    work->kept[i] = -2 - capture->call_count; /* -2 and below: its number in the capture */
    capture->calls[capture->call_count++] = (fmlp_capture_call){.node = node_of(work, place),
                                                                .thread = thread_of(work, call, place),
                                                                .name = name,
                                                                .kind = call->kind,
                                                                .start = start,
                                                                .end = end};
  }
  return true;
}

/* The number in the capture of a call of the log, -1 for none. */
static int64_t number_of(const join *work, int64_t call) {
  for (int steps = 0; call >= 0 && work->kept[call] > 0 && steps < 4; steps++) call = work->kept[call] - 1;
  return call >= 0 && work->kept[call] <= -2 ? -2 - work->kept[call] : -1;
}

static bool join_calls(join *work) {
  fmlp_cupti_log *log = work->log;
  if (log->call_count > 0) qsort(log->calls, (size_t)log->call_count, sizeof *log->calls, by_call);
  work->kept = calloc((size_t)log->call_count + 1, sizeof *work->kept);
  if (!work->kept || !map_calls(work)) return false;
  mark_waits(work);
  return mark_inner(work) && add_calls(work);
}

/* ---- operations ---- */

static int by_operation(const void *a, const void *b) {
  const fmlp_cupti_operation *x = a, *y = b;
  if (x->start != y->start) return x->start < y->start ? -1 : 1;
  if (x->device != y->device) return x->device < y->device ? -1 : 1;
  if (x->stream != y->stream) return x->stream < y->stream ? -1 : 1;
  return (x->end > y->end) - (x->end < y->end);
}

static void attribute(const join *work, const fmlp_cupti_operation *from, fmlp_capture_operation *to) {
  int64_t call = call_with(work, from->correlation);
  if (call < 0) call = call_with(work, from->runtime_correlation);
  to->call = number_of(work, call);
  uint64_t place = place_of(work, from->correlation);
  if (place == 0) place = place_of(work, from->runtime_correlation);
  to->node = node_of(work, place);
  if (to->node < 0 && to->call >= 0) to->node = work->capture->calls[to->call].node;
}

static bool join_operations(join *work) {
  fmlp_cupti_log *log = work->log;
  fmlp_capture *capture = work->capture;
  capture->operations = malloc((size_t)log->operation_count * sizeof *capture->operations + 1);
  if (!capture->operations) return false;
  if (log->operation_count > 0)
    qsort(log->operations, (size_t)log->operation_count, sizeof *log->operations, by_operation);
  for (int64_t i = 0; i < log->operation_count; i++) {
    const fmlp_cupti_operation *from = &log->operations[i];
    fmlp_capture_operation to = {.kind = from->kind,
                                 .device = from->device,
                                 .stream = from->stream,
                                 .start = moment(work, from->start),
                                 .end = moment(work, from->end),
                                 .bytes = from->bytes,
                                 .blocks = from->blocks,
                                 .threads = from->threads,
                                 .registers = from->registers,
                                 .shared = from->shared};
    const int64_t began = to.start;
    if (!inside(work, &to.start, &to.end)) continue;
    to.name = name_of(work, from->name);
    if (to.name < 0) return false;
    attribute(work, from, &to);
    if (to.node < 0) capture->unattributed_operations++;
    if (to.call >= 0) work->early = larger(work->early, capture->calls[to.call].start - began);
    capture->operations[capture->operation_count++] = to;
  }
  return true;
}

/* ---- memory ---- */

static int by_memory(const void *a, const void *b) {
  const fmlp_cupti_memory *x = a, *y = b;
  if (x->time != y->time) return x->time < y->time ? -1 : 1;
  return (x->address > y->address) - (x->address < y->address);
}

static int by_counter(const void *a, const void *b) {
  const fmlp_capture_counter *x = a, *y = b;
  if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
  if (x->device != y->device) return x->device < y->device ? -1 : 1;
  return (x->time > y->time) - (x->time < y->time);
}

/* Bytes held by each device as they change; what was taken before the capture stands at its start. */
static bool count_memory(join *work, int32_t device, fmlp_number_map *held) {
  const fmlp_cupti_log *log = work->log;
  fmlp_capture *capture = work->capture;
  int64_t value = 0;
  const int64_t length = work->capture->stop - work->capture->start;
  fmlp_capture_counter *last = NULL;
  for (int64_t i = 0; i < log->memory_count; i++) {
    const fmlp_cupti_memory *event = &log->memory[i];
    if (event->device != device) continue;
    const int64_t time = moment(work, event->time);
    if (time > length) break;
    uint64_t before = 0;
    if (!fmlp_number_map_get(held, event->address, &before) && event->bytes == 0) continue; /* taken unseen */
    if (!fmlp_number_map_put(held, event->address, (uint64_t)event->bytes)) return false;
    value += event->bytes - (int64_t)before;
    if (!last || last->time < time) last = &capture->counters[capture->counter_count++];
    *last = (fmlp_capture_counter){FMLP_COUNTER_DEVICE_MEMORY, device, time < 0 ? 0 : time, value};
  }
  return true;
}

static bool join_memory(join *work) {
  fmlp_cupti_log *log = work->log;
  fmlp_capture *capture = work->capture;
  if (log->memory_count == 0) return true;
  const size_t count = (size_t)(capture->counter_count + log->memory_count);
  fmlp_capture_counter *moved = realloc(capture->counters, count * sizeof *moved);
  if (!moved) return false;
  capture->counters = moved;
  qsort(log->memory, (size_t)log->memory_count, sizeof *log->memory, by_memory);
  int32_t devices = 0;
  for (int64_t i = 0; i < log->memory_count; i++)
    if (log->memory[i].device >= devices && log->memory[i].device < DEVICES)
      devices = log->memory[i].device + 1;
  bool done = true;
  for (int32_t device = 0; device < devices && done; device++) {
    fmlp_number_map held = {0};
    done = count_memory(work, device, &held);
    fmlp_number_map_release(&held);
  }
  qsort(capture->counters, (size_t)capture->counter_count, sizeof *capture->counters, by_counter);
  return done;
}

bool fmlp_device_join(fmlp_capture *capture, const fmlp_capture_places *places, fmlp_cupti_log *log,
                      const fmlp_device_clock *clock, uint16_t trace) {
  join work = {.capture = capture, .places = places, .log = log, .clock = clock, .trace = trace};
  work.same_clock = same_clock(log, clock);
  work.names = malloc(((size_t)log->name_count + 1) * sizeof *work.names);
  for (int32_t i = 0; work.names && i < log->name_count; i++) work.names[i] = -1;
  const bool done = work.names && join_calls(&work) && join_operations(&work) && join_memory(&work);
  if (!done) {
    capture->call_count = capture->operation_count = 0;
    capture->unattributed_operations = 0;
  }
  capture->dropped_operations += log->dropped + (done ? 0 : log->operation_count + log->call_count);
  capture->invalid_operations += log->invalid;
  capture->device_clock_residual = residual(&work);
  free(work.names);
  free(work.kept);
  fmlp_number_map_release(&work.calls);
  return done;
}
