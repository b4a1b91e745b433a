/* See fake_libcupti.h. One thread makes calls; the buffers' callbacks are called from it. */
#define _GNU_SOURCE
#include "tests/cuda/fake_libcupti.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/cuda/cupti_buffer.h"

enum { MOST_CALLS = 64, MOST_IDS = 2048, KINDS = 64, THREADS = 32 };

typedef struct subscriber {
  size_t size;
  const char *name;
  char *old_name;
  size_t old_size;
} subscriber;

typedef void (*request_function)(uint8_t **buffer, size_t *size, size_t *most);
typedef void (*complete_function)(void *context, uint32_t stream, uint8_t *buffer, size_t size, size_t valid);

static bool enabled[KINDS];
static uint64_t (*clock_callback)(void);
static request_function request;
static complete_function complete;
static cupti_buffer buffer;
static size_t lost;
static bool told_dropped;
static uint32_t last_correlation;
static const char *call_names[MOST_CALLS];
static int call_count;
static struct {
  uint64_t start;
  uint32_t correlation, function;
} open_call;
static _Thread_local uint64_t ids[MOST_IDS];
static _Thread_local int id_count;

static int setting(const char *name, int otherwise) {
  const char *value = getenv(name);
  return value ? atoi(value) : otherwise;
}

static uint64_t now(void) {
  if (clock_callback) return clock_callback();
  struct timespec time;
  (void)clock_gettime(CLOCK_REALTIME, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* ---- records ---- */

static void give_buffer(void) {
  if (!buffer.bytes) return;
  const cupti_buffer full = buffer;
  memset(&buffer, 0, sizeof buffer);
  complete(NULL, 0, full.bytes, full.capacity, full.used);
}

/* NULL where the kind is off, or there is no buffer. */
static void *add(uint32_t kind, size_t size) {
  if (!enabled[kind] || !request) return NULL;
  void *record = buffer.bytes ? cupti_buffer_add(&buffer, kind, size) : NULL;
  if (record) return record;
  give_buffer();
  size_t most = 0;
  request(&buffer.bytes, &buffer.capacity, &most);
  record = buffer.bytes ? cupti_buffer_add(&buffer, kind, size) : NULL;
  if (!record) lost++;
  return record;
}

static uint32_t function_of(const char *name) {
  for (int i = 0; i < call_count; i++)
    if (strcmp(call_names[i], name) == 0) return (uint32_t)i;
  if (call_count == MOST_CALLS) abort();
  call_names[call_count] = name;
  return (uint32_t)call_count++;
}

static uint32_t begin_call(const char *name) {
  open_call.correlation = ++last_correlation;
  open_call.function = function_of(name);
  open_call.start = now();
  if (id_count == 0) return last_correlation;
  cupti_external *external = add(CUPTI_EXTERNAL_CORRELATION, sizeof *external);
  if (external) {
    external->external_kind = CUPTI_CUSTOM0;
    external->id = ids[id_count - 1];
    external->correlation = last_correlation;
  }
  return last_correlation;
}

static void add_call(uint32_t kind, uint64_t start, uint64_t end) {
  cupti_call *call = add(kind, sizeof *call);
  if (!call) return;
  call->function = open_call.function;
  call->start = start;
  call->end = end;
  call->process = (uint32_t)getpid();
  call->thread = (uint32_t)syscall(SYS_gettid);
  call->correlation = open_call.correlation;
}

/* The driver's call is inside the runtime's and has its correlation. */
static void end_call(uint32_t correlation, int waited) {
  if (correlation != open_call.correlation) return;
  const uint64_t end = now();
  add_call(CUPTI_DRIVER, open_call.start, end);
  add_call(CUPTI_RUNTIME, open_call.start, end);
  cupti_wait_record *wait = waited ? add(CUPTI_SYNCHRONIZATION, sizeof *wait) : NULL;
  if (!wait) return;
  wait->type = (uint32_t)waited;
  wait->start = open_call.start;
  wait->end = end;
  wait->correlation = correlation;
}

static void operation(const fmlp_fake_operation *told) {
  if (told->kind == CUPTI_CONCURRENT_KERNEL) {
    cupti_kernel *kernel = add(CUPTI_CONCURRENT_KERNEL, sizeof *kernel);
    if (!kernel) return;
    *kernel = (cupti_kernel){.kind = kernel->kind,
                             .registers = 32,
                             .start = told->start,
                             .end = told->end,
                             .device = told->device,
                             .stream = told->stream,
                             .grid = {told->blocks, 1, 1},
                             .block = {told->threads, 1, 1},
                             .dynamic_shared = told->shared,
                             .correlation = told->correlation,
                             .name = told->name};
  } else if (told->kind == CUPTI_MEMCPY) {
    cupti_memcpy *copy = add(CUPTI_MEMCPY, sizeof *copy);
    if (!copy) return;
    *copy = (cupti_memcpy){.kind = copy->kind,
                           .copy = (uint8_t)told->copy,
                           .bytes = told->bytes,
                           .start = told->start,
                           .end = told->end,
                           .device = told->device,
                           .stream = told->stream,
                           .correlation = told->correlation};
  } else {
    cupti_memset *fill = add(CUPTI_MEMSET, sizeof *fill);
    if (!fill) return;
    *fill = (cupti_memset){.kind = fill->kind,
                           .bytes = told->bytes,
                           .start = told->start,
                           .end = told->end,
                           .device = told->device,
                           .stream = told->stream,
                           .correlation = told->correlation};
  }
}

static void memory(uint64_t address, uint64_t bytes, uint32_t device) {
  cupti_memory_record *record = add(CUPTI_MEMORY2, sizeof *record);
  if (!record) return;
  record->operation = bytes ? CUPTI_ALLOCATION : CUPTI_RELEASE;
  record->memory = CUPTI_MEMORY_DEVICE;
  record->address = address;
  record->bytes = bytes;
  record->time = now();
  record->device = device;
}

const fmlp_fake_cupti *fmlp_fake_cupti_table(void) {
  static const fmlp_fake_cupti table = {now, begin_call, end_call, operation, memory};
  return &table;
}

/* ---- the functions that fmlp asks for ---- */

int cuptiGetVersion(uint32_t *version);
int cuptiSubscribe_v2(void **seat, void (*callback)(void *, int, uint32_t, const void *), void *user,
                      subscriber *parameters);
int cuptiUnsubscribe(void *seat);
int cuptiActivityRegisterCallbacks(request_function asked, complete_function completed);
int cuptiActivityRegisterTimestampCallback(uint64_t (*callback)(void));
int cuptiGetTimestamp(uint64_t *time);
int cuptiSetThreadIdType(int type);
int cuptiActivityEnable(int kind);
int cuptiActivityDisable(int kind);
int cuptiActivityGetNextRecord(uint8_t *bytes, size_t valid, void **record);
int cuptiActivityGetNumDroppedRecords(void *context, uint32_t stream, size_t *count);
int cuptiActivityFlushAll(uint32_t flags);
int cuptiActivityPushExternalCorrelationId(int kind, uint64_t id);
int cuptiActivityPopExternalCorrelationId(int kind, uint64_t *last);
int cuptiGetCallbackName(int domain, uint32_t function, const char **name);
int cuptiGetResultString(int result, const char **text);

int cuptiGetVersion(uint32_t *version) {
  *version = (uint32_t)setting("FMLP_FAKE_CUPTI_VERSION", 130001);
  return CUPTI_OK;
}

#ifndef FMLP_FAKE_CUPTI_OLD /* a library that lacks a function */
int cuptiSubscribe_v2(void **seat, void (*callback)(void *, int, uint32_t, const void *), void *user,
                      subscriber *parameters) {
  static int taken;
  (void)callback;
  (void)user;
  const int result = setting("FMLP_FAKE_CUPTI_SUBSCRIBE", CUPTI_OK);
  const char *holder = getenv("FMLP_FAKE_CUPTI_HOLDER");
  if (parameters->size != sizeof *parameters || strcmp(parameters->name, "fmlp") != 0) return 1;
  if (result == CUPTI_SEAT_TAKEN && holder && parameters->old_name) {
    strncpy(parameters->old_name, holder, parameters->old_size - 1);
    parameters->old_name[parameters->old_size - 1] = '\0';
  }
  if (result != CUPTI_OK) return result;
  if (taken++) return CUPTI_SEAT_TAKEN; /* by this process itself */
  *seat = &taken;
  return CUPTI_OK;
}
#endif

int cuptiUnsubscribe(void *seat) {
  (void)seat;
  return CUPTI_OK;
}

int cuptiActivityRegisterCallbacks(request_function asked, complete_function completed) {
  request = asked;
  complete = completed;
  return CUPTI_OK;
}

int cuptiActivityRegisterTimestampCallback(uint64_t (*callback)(void)) {
  const int result = setting("FMLP_FAKE_CUPTI_TIMESTAMP", CUPTI_OK);
  if (clock_callback) abort(); /* a second time corrupts what was recorded before */
  for (int kind = 0; kind < KINDS; kind++)
    if (enabled[kind]) abort(); /* too late */
  if (result == CUPTI_OK) clock_callback = callback;
  return result;
}

int cuptiGetTimestamp(uint64_t *time) {
  *time = now();
  return CUPTI_OK;
}

int cuptiSetThreadIdType(int type) {
  return type == CUPTI_SYSTEM_THREADS ? CUPTI_OK : 1;
}

int cuptiActivityEnable(int kind) {
  if (kind == 3) abort(); /* KERNEL, which makes kernels wait for each other */
  if (kind == CUPTI_CONCURRENT_KERNEL) {
    const int result = setting("FMLP_FAKE_CUPTI_ENABLE", CUPTI_OK);
    if (result != CUPTI_OK) return result;
  }
  enabled[kind] = true;
  return CUPTI_OK;
}

int cuptiActivityDisable(int kind) {
  enabled[kind] = false;
  return CUPTI_OK;
}

int cuptiActivityGetNextRecord(uint8_t *bytes, size_t valid, void **record) {
  return cupti_buffer_next(bytes, valid, record);
}

int cuptiActivityGetNumDroppedRecords(void *context, uint32_t stream, size_t *count) {
  (void)context;
  (void)stream;
  *count = lost + (told_dropped ? 0 : (size_t)setting("FMLP_FAKE_CUPTI_DROPPED", 0));
  told_dropped = true;
  lost = 0;
  return CUPTI_OK;
}

int cuptiActivityFlushAll(uint32_t flags) {
  (void)flags;
  give_buffer();
  return CUPTI_OK;
}

int cuptiActivityPushExternalCorrelationId(int kind, uint64_t id) {
  if (kind != CUPTI_CUSTOM0 || id_count == MOST_IDS) return 1;
  ids[id_count++] = id;
  return CUPTI_OK;
}

int cuptiActivityPopExternalCorrelationId(int kind, uint64_t *last) {
  if (kind != CUPTI_CUSTOM0) return 1;
  if (id_count == 0) return CUPTI_QUEUE_EMPTY;
  *last = ids[--id_count];
  return CUPTI_OK;
}

int cuptiGetCallbackName(int domain, uint32_t function, const char **name) {
  if (domain == CUPTI_DOMAIN_DRIVER) *name = "cuOfTheDriver";
  if (domain == CUPTI_DOMAIN_RUNTIME && function < (uint32_t)call_count) *name = call_names[function];
  return CUPTI_OK;
}

int cuptiGetResultString(int result, const char **text) {
  *text = result == CUPTI_UNKNOWN                   ? "CUPTI_ERROR_UNKNOWN"
          : result == CUPTI_INSUFFICIENT_PRIVILEGES ? "CUPTI_ERROR_INSUFFICIENT_PRIVILEGES"
          : result == CUPTI_NOT_INITIALIZED         ? "CUPTI_ERROR_NOT_INITIALIZED"
                                                    : "CUPTI_ERROR_OF_THE_TEST";
  return CUPTI_OK;
}
