/* CUPTI's life cycle. Its seat is taken once in a process and kept, and so is its clock: taking the seat
 * again gains nothing, and to set the clock a second time corrupts the times of records under way.
 *
 * CUPTI calls request and complete from a thread of its own or from the one that flushes; they take one lock
 * that nobody holds while calling CUPTI, and neither open spans nor touch the recorder. */
#define _GNU_SOURCE
#include "prof/sources/device_trace.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prof/clock.h"
#include "prof/listener.h"
#include "prof/sources/cupti_api.h"
#include "prof/sources/cupti_dump.h"
#include "prof/sources/cupti_layout.h"
#include "prof/sources/cupti_records.h"
#include "prof/sources/device_join.h"

enum { BUFFER_BYTES = 4 << 20, BUFFERS = 32, DEFAULT_OPERATIONS = 1 << 20, PAIR_ATTEMPTS = 5 };

static const char NO_DEVICE[] = "no device was used";
static const char NOT_ASKED[] = "not asked for (level full)";

typedef struct tracer {
  fmlp_cupti_api api;
  bool loaded;    /* the library is there and fit */
  void *seat;     /* CUPTI's subscriber */
  bool callbacks; /* registered */
  bool clock_set; /* tried, once in a process */
  bool forked;    /* this process is a child of the one with CUPTI's threads */
  bool recording; /* kinds are enabled */
  bool full;      /* the capture under way asks for devices */
  uint16_t trace; /* of external ids */
  char reason[FMLP_CAPTURE_REASON];
  const fmlp_device_hooks *hooks;
  int devices;
  fmlp_device_clock clock;
  const char *dump_path;
  pthread_mutex_t lock; /* of the rest */
  uint8_t *buffers[BUFFERS], *unused[BUFFERS];
  int buffer_count, unused_count;
  fmlp_cupti_log log;
  fmlp_cupti_dump *dump;
} tracer;

static tracer one = {.lock = PTHREAD_MUTEX_INITIALIZER};

__attribute__((format(printf, 1, 2))) static bool refuse(const char *format, ...) {
  va_list list;
  va_start(list, format);
  (void)vsnprintf(one.reason, sizeof one.reason, format, list);
  va_end(list);
  return false;
}

/* ---- buffers, on CUPTI's threads ---- */

static void request(uint8_t **buffer, size_t *size, size_t *most_records) {
  *most_records = 0; /* as many as fit */
  (void)pthread_mutex_lock(&one.lock);
  if (one.unused_count == 0 && one.buffer_count < BUFFERS) {
    uint8_t *made = aligned_alloc(64, BUFFER_BYTES);
    if (made) one.buffers[one.buffer_count++] = one.unused[one.unused_count++] = made;
  }
  *buffer = one.unused_count > 0 ? one.unused[--one.unused_count] : NULL; /* NULL: CUPTI drops, and counts */
  *size = *buffer ? BUFFER_BYTES : 0;
  (void)pthread_mutex_unlock(&one.lock);
}

static void complete(void *context, uint32_t stream, uint8_t *buffer, size_t size, size_t valid) {
  (void)context;
  (void)stream;
  if (!buffer) return;
  (void)pthread_mutex_lock(&one.lock);
  if (one.log.api) {
    if (one.dump) fmlp_cupti_dump_buffer(one.dump, &one.api, buffer, valid < size ? valid : size);
    fmlp_cupti_log_read(&one.log, buffer, valid < size ? valid : size);
  }
  if (one.unused_count < BUFFERS) one.unused[one.unused_count++] = buffer;
  (void)pthread_mutex_unlock(&one.lock);
}

static void nothing(void *user, int domain, uint32_t function, const void *data) {
  (void)user;
  (void)domain;
  (void)function;
  (void)data;
}

static uint64_t now(void) {
  return (uint64_t)fmlp_clock_nanoseconds();
}

static fmlp_device_moment read_clocks(void) {
  fmlp_device_moment best = {0, 0, INT64_MAX};
  for (int attempt = 0; attempt < PAIR_ATTEMPTS; attempt++) {
    uint64_t device = 0;
    const int64_t before = fmlp_clock_nanoseconds();
    if (one.api.get_timestamp(&device) != CUPTI_OK) return (fmlp_device_moment){0, before, 0};
    const int64_t half = (fmlp_clock_nanoseconds() - before) / 2;
    if (half < best.precision) best = (fmlp_device_moment){(int64_t)device, before + half, half};
  }
  return best;
}

/* ---- the span that is open, for CUPTI ---- */

static void begin_span(const fmlp_span_site *site, int64_t bytes, uint64_t place) {
  (void)site;
  (void)bytes;
  (void)one.api.push(CUPTI_CUSTOM0, place | (uint64_t)one.trace << FMLP_DEVICE_TRACE_SHIFT);
}

static void end_span(const fmlp_span_site *site, int64_t bytes, uint64_t place) {
  uint64_t last;
  if (one.forked) return;
  (void)site;
  (void)bytes;
  (void)place;
  (void)one.api.pop(CUPTI_CUSTOM0, &last);
}

static const fmlp_span_listener correlation = {begin_span, end_span};

/* ---- taking the seat ---- */

/* CUPTI's threads and the driver are not in a child: it must leave both alone. */
static void in_child(void) {
  one.forked = true;
  one.recording = false;
  one.hooks = NULL;
  fmlp_span_unlisten(&correlation);
  (void)refuse("the process was forked after its devices were opened");
}

static void watch_forks(void) {
  (void)pthread_atfork(NULL, NULL, in_child);
}

static bool failed(const char *what, int result) {
  const char *text = NULL;
  if (one.api.result_text(result, &text) != CUPTI_OK || !text) text = "unknown result";
  const char *cure = result == CUPTI_INSUFFICIENT_PRIVILEGES || result == 40
                         ? "; an administrator can set NVreg_RestrictProfilingToAdminUsers=0"
                         : "";
  return refuse("%s: %s (%d)%s", what, text, result, cure);
}

static bool take_seat(void) {
  char holder[CUPTI_SUBSCRIBER_NAME + 1] = "";
  fmlp_cupti_subscriber parameters = {
      .size = sizeof parameters, .name = "fmlp", .old_name = holder, .old_size = CUPTI_SUBSCRIBER_NAME};
  const int result = one.api.subscribe(&one.seat, nothing, NULL, &parameters);
  if (result == CUPTI_OK) return true;
  one.seat = NULL;
  if (result != CUPTI_SEAT_TAKEN) return failed("cuptiSubscribe_v2", result);
  static const char prefix[] = "CUPTI for "; /* that CUPTI puts before the name */
  const char *name = strncmp(holder, prefix, strlen(prefix)) == 0 ? holder + strlen(prefix) : holder;
  return refuse("collected by %.64s", *name ? name : "another tool");
}

static bool fit_version(void) {
  uint32_t version = 0;
  const int result = one.api.get_version(&version);
  if (result != CUPTI_OK) return failed("cuptiGetVersion", result);
  if (version >= CUPTI_OLDEST && version <= CUPTI_NEWEST) return true;
  return refuse("CUPTI is of version %u; records of %d to %d are known", (unsigned)version, CUPTI_OLDEST,
                CUPTI_NEWEST);
}

/* All that is done once in a process. Devices are known to be there. */
static bool connect(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, watch_forks);
  if (!one.loaded) one.loaded = fmlp_cupti_load(&one.api, one.reason, sizeof one.reason) && fit_version();
  if (!one.loaded) return false;
  if (!one.seat && !take_seat()) return false;
  if (!one.clock_set)
    (void)one.api.register_timestamp(now); /* where it is refused, clocks are read in pairs */
  one.clock_set = true;
  (void)one.api.set_thread_ids(CUPTI_SYSTEM_THREADS);
  const int result = one.callbacks ? CUPTI_OK : one.api.register_callbacks(request, complete);
  one.callbacks = result == CUPTI_OK;
  return one.callbacks || failed("cuptiActivityRegisterCallbacks", result);
}

typedef struct wanted_kind {
  int kind;
  bool needed; /* without it there is no trace */
  const char *name;
} wanted_kind;

/* External ids before the calls that they come with. */
static const wanted_kind kinds[] = {
    {CUPTI_EXTERNAL_CORRELATION, true, "EXTERNAL_CORRELATION"},
    {CUPTI_CONCURRENT_KERNEL, true, "CONCURRENT_KERNEL"},
    {CUPTI_RUNTIME, true, "RUNTIME"},
    {CUPTI_DRIVER, false, "DRIVER"},
    {CUPTI_MEMCPY, true, "MEMCPY"},
    {CUPTI_MEMCPY_PEER, false, "MEMCPY2"},
    {CUPTI_MEMSET, true, "MEMSET"},
    {CUPTI_SYNCHRONIZATION, false, "SYNCHRONIZATION"},
    {CUPTI_MEMORY2, false, "MEMORY2"},
    {CUPTI_MEMORY_POOL, false, "MEMORY_POOL"},
    {CUPTI_OVERHEAD, false, "OVERHEAD"},
};

static void disable_kinds(void) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) (void)one.api.disable(kinds[i].kind);
}

static bool enable_kinds(void) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    const int result = one.api.enable(kinds[i].kind);
    if (result == CUPTI_OK || !kinds[i].needed) continue;
    char what[64];
    (void)snprintf(what, sizeof what, "cuptiActivityEnable(%s)", kinds[i].name);
    disable_kinds();
    return failed(what, result);
  }
  return true;
}

static void open_log(void) {
  (void)pthread_mutex_lock(&one.lock);
  fmlp_cupti_log_release(&one.log);
  fmlp_cupti_log_open(&one.log, &one.api, DEFAULT_OPERATIONS);
  fmlp_cupti_dump_close(one.dump);
  one.dump = one.dump_path ? fmlp_cupti_dump_open(one.dump_path) : NULL;
  (void)pthread_mutex_unlock(&one.lock);
}

/* Ends a trace; what CUPTI still has is delivered, complete when the devices are `waited` for. */
static void stop_recording(bool waited) {
  if (!one.recording) return;
  fmlp_span_unlisten(&correlation);
  if (waited) one.hooks->wait();
  (void)one.api.flush(CUPTI_FLUSH_FORCED);
  disable_kinds();
  (void)one.api.flush(CUPTI_FLUSH_FORCED); /* what was noted in between: not for the next trace */
  one.recording = false;
  one.clock.stop = read_clocks();
  (void)pthread_mutex_lock(&one.lock);
  fmlp_cupti_log_ask_dropped(&one.log);
  fmlp_cupti_dump_close(one.dump);
  one.dump = NULL;
  (void)pthread_mutex_unlock(&one.lock);
}

void fmlp_device_trace_prepare(const fmlp_device_hooks *hooks, const char *reason) {
  if (one.forked) return;
  stop_recording(false); /* of a run that failed before its capture */
  one.hooks = hooks;
  one.devices = 0;
  one.reason[0] = '\0';
  if (!hooks) {
    (void)refuse("%s", reason ? reason : NO_DEVICE);
    return;
  }
  one.devices = hooks->count(one.reason, sizeof one.reason);
  if (one.devices <= 0) {
    one.hooks = NULL;
    if (!one.reason[0]) (void)refuse("%s", NO_DEVICE);
    return;
  }
  one.reason[0] = '\0';
  if (!connect()) return;
  open_log();
  one.clock.since = fmlp_clock_nanoseconds();
  one.recording = enable_kinds();
}

void fmlp_device_trace_describe(const fmlp_device_hooks *hooks, const char *reason, char *text,
                                size_t capacity) {
  uint32_t version = 0;
  fmlp_device_trace_prepare(hooks, reason);
  if (one.recording) (void)one.api.get_version(&version);
  if (one.recording)
    (void)snprintf(text, capacity, "yes, by CUPTI (version %u)", (unsigned)version);
  else
    (void)snprintf(text, capacity, "no: %s", one.reason);
  fmlp_device_trace_prepare(NULL, NULL);
}

void fmlp_device_trace_dump(const char *path) {
  one.dump_path = path;
}

/* ---- the source ---- */

static void start(const fmlp_capture_options *options) {
  one.full = options->level == FMLP_CAPTURE_FULL;
  if (!one.full || !one.recording) return;
  (void)pthread_mutex_lock(&one.lock);
  if (options->max_operations > 0) one.log.limit = options->max_operations;
  (void)pthread_mutex_unlock(&one.lock);
  if (++one.trace == 0) one.trace = 1;
  one.clock.start = read_clocks();
  fmlp_span_listen(&correlation);
}

static void add_devices(fmlp_capture *capture) {
  if (!one.hooks || one.devices <= 0) return;
  capture->devices = calloc((size_t)one.devices, sizeof *capture->devices);
  if (!capture->devices) return;
  for (int32_t ordinal = 0; ordinal < one.devices; ordinal++) {
    fmlp_device_facts facts = {0};
    if (!one.hooks->describe(ordinal, &facts)) continue;
    const int32_t name = fmlp_capture_name(capture, facts.name);
    if (name < 0) return;
    capture->devices[capture->device_count++] =
        (fmlp_capture_device){.ordinal = ordinal,
                              .name = name,
                              .memory = facts.memory,
                              .multiprocessors = facts.multiprocessors,
                              .bytes_per_second = facts.bytes_per_second};
  }
}

static void stop(fmlp_capture *capture, const fmlp_capture_places *places) {
  const bool traced = one.full && one.recording;
  if (one.full) {
    stop_recording(true);
    add_devices(capture);
  }
  if (traced) {
    (void)pthread_mutex_lock(&one.lock);
    if (!fmlp_device_join(capture, places, &one.log, &one.clock, one.trace)) (void)refuse("out of memory");
    fmlp_cupti_log_release(&one.log);
    (void)pthread_mutex_unlock(&one.lock);
  } else if (!one.reason[0] || !one.full) {
    (void)refuse("%s", one.full ? NO_DEVICE : NOT_ASKED);
  }
  memcpy(capture->device_reason, one.reason, sizeof capture->device_reason);
  if (one.forked) return;
  one.reason[0] = '\0';
  one.hooks = NULL;
  one.devices = 0;
  one.full = false;
}

const fmlp_capture_source fmlp_device_source = {"devices", start, stop};
