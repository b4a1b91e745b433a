/* Records to log. Only beginnings of records are read (cupti_layout.h), and only where all of that beginning
 * is in the buffer. */
#define _POSIX_C_SOURCE 200809L
#include "prof/sources/cupti_records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prof/sources/cupti_layout.h"

enum { NAME_CAPACITY = 512, CALL_FACTOR = 4, NO_NAME = -1 };

/* Keys of the name map that cannot be addresses. */
static const uint64_t FUNCTION_KEY = (uint64_t)1 << 63;

void fmlp_cupti_log_open(fmlp_cupti_log *log, const fmlp_cupti_api *api, int64_t limit) {
  memset(log, 0, sizeof *log);
  log->api = api;
  log->limit = limit;
}

void fmlp_cupti_log_release(fmlp_cupti_log *log) {
  free(log->operations);
  free(log->calls);
  free(log->memory);
  for (int32_t i = 0; i < log->name_count; i++) free(log->names[i]);
  free(log->names);
  fmlp_number_map_release(&log->external);
  fmlp_number_map_release(&log->name_of);
  memset(log, 0, sizeof *log);
}

static bool room(void *array, int64_t count, int64_t *capacity, size_t size) {
  if (count < *capacity) return true;
  const int64_t larger = 2 * *capacity + 1024;
  void **block = array;
  void *moved = realloc(*block, (size_t)larger * size);
  if (!moved) return false;
  *block = moved;
  *capacity = larger;
  return true;
}

/* ---- names ---- */

/* Appends one <source-name> of the Itanium C++ ABI (its length, then its letters) and gives what follows it.
 */
static const char *source_name(const char *text, char *plain, size_t capacity) {
  size_t length = 0;
  while (*text >= '0' && *text <= '9' && length < NAME_CAPACITY)
    length = 10 * length + (size_t)(*text++ - '0');
  if (length == 0 || length > strlen(text)) return NULL;
  const size_t used = strlen(plain);
  (void)snprintf(plain + used, capacity - used, "%s%.*s", used > 0 ? "::" : "", (int)length, text);
  return text + length;
}

void fmlp_cupti_plain_name(const char *mangled, char *plain, size_t capacity) {
  const char *text = mangled;
  plain[0] = '\0';
  if (strncmp(text, "_Z", 2) == 0) {
    text += 2;
    const bool nested = *text == 'N';
    if (nested) text++;
    if (*text == 'L') text++; /* static */
    do text = source_name(text, plain, capacity);
    while (nested && text && *text >= '0' && *text <= '9');
    if (text) return;
  }
  (void)snprintf(plain, capacity, "%s", mangled);
}

static int32_t add_name(fmlp_cupti_log *log, uint64_t key, const char *text) {
  int64_t capacity = log->name_capacity;
  if (!room(&log->names, log->name_count, &capacity, sizeof *log->names)) return NO_NAME;
  log->name_capacity = (int32_t)capacity;
  char *own = strdup(text);
  if (!own) return NO_NAME;
  log->names[log->name_count] = own;
  if (!fmlp_number_map_put(&log->name_of, key, (uint64_t)log->name_count)) {
    free(own);
    return NO_NAME;
  }
  return log->name_count++;
}

static int32_t kernel_name(fmlp_cupti_log *log, const char *mangled) {
  const uint64_t key = mangled ? (uint64_t)(uintptr_t)mangled : FUNCTION_KEY;
  uint64_t known;
  if (fmlp_number_map_get(&log->name_of, key, &known)) return (int32_t)known;
  char plain[NAME_CAPACITY];
  fmlp_cupti_plain_name(mangled ? mangled : "(kernel without a name)", plain, sizeof plain);
  return add_name(log, key, plain);
}

/* "cudaLaunchKernel" for "cudaLaunchKernel_v7000". */
static int32_t function_name(fmlp_cupti_log *log, int domain, uint32_t function) {
  const uint64_t key = FUNCTION_KEY | (uint64_t)domain << 32 | function;
  uint64_t known;
  if (fmlp_number_map_get(&log->name_of, key, &known)) return (int32_t)known;
  char plain[NAME_CAPACITY];
  const char *name = NULL;
  if (log->api->function_name(domain, function, &name) == CUPTI_OK && name) {
    (void)snprintf(plain, sizeof plain, "%s", name);
    char *version = strstr(plain, "_v");
    if (domain == CUPTI_DOMAIN_RUNTIME && version && strspn(version + 2, "0123456789") == strlen(version + 2))
      *version = '\0';
  } else {
    (void)snprintf(plain, sizeof plain, "%s function %u",
                   domain == CUPTI_DOMAIN_RUNTIME ? "runtime" : "driver", (unsigned)function);
  }
  return add_name(log, key, plain);
}

/* A name of ours: `text` is static, its address the key. */
static int32_t fixed_name(fmlp_cupti_log *log, const char *text) {
  uint64_t known;
  if (fmlp_number_map_get(&log->name_of, (uint64_t)(uintptr_t)text, &known)) return (int32_t)known;
  return add_name(log, (uint64_t)(uintptr_t)text, text);
}

/* ---- what is read ---- */

static void add_operation(fmlp_cupti_log *log, const fmlp_cupti_operation *operation) {
  if (operation->start == 0 || operation->end < operation->start) {
    log->invalid++;
  } else if (operation->name == NO_NAME || log->operation_count >= log->limit ||
             !room(&log->operations, log->operation_count, &log->operation_capacity, sizeof *operation)) {
    log->dropped++;
  } else {
    log->operations[log->operation_count++] = *operation;
  }
}

static void add_call(fmlp_cupti_log *log, const fmlp_cupti_call *call) {
  if (call->start == 0 || call->end < call->start) {
    log->invalid++;
  } else if (call->name == NO_NAME || log->call_count >= CALL_FACTOR * log->limit ||
             !room(&log->calls, log->call_count, &log->call_capacity, sizeof *call)) {
    log->dropped++;
  } else {
    log->calls[log->call_count++] = *call;
  }
}

static void add_memory(fmlp_cupti_log *log, const fmlp_cupti_memory *event) {
  if (log->memory_count >= log->limit ||
      !room(&log->memory, log->memory_count, &log->memory_capacity, sizeof *event)) {
    log->dropped++;
  } else {
    log->memory[log->memory_count++] = *event;
  }
}

static void read_kernel(fmlp_cupti_log *log, const void *record) {
  const cupti_kernel *kernel = record;
  int64_t blocks = 1, threads = 1;
  for (int axis = 0; axis < 3; axis++) {
    blocks = blocks * kernel->grid[axis] > INT32_MAX ? INT32_MAX : blocks * kernel->grid[axis];
    threads = threads * kernel->block[axis] > INT32_MAX ? INT32_MAX : threads * kernel->block[axis];
  }
  const fmlp_cupti_operation operation = {.start = kernel->start,
                                          .end = kernel->end,
                                          .shared = (int64_t)kernel->static_shared + kernel->dynamic_shared,
                                          .correlation = kernel->correlation,
                                          .name = kernel_name(log, kernel->name),
                                          .device = (int32_t)kernel->device,
                                          .stream = (int32_t)kernel->stream,
                                          .blocks = (int32_t)blocks,
                                          .threads = (int32_t)threads,
                                          .registers = kernel->registers,
                                          .kind = FMLP_OPERATION_KERNEL};
  add_operation(log, &operation);
}

static void read_memcpy(fmlp_cupti_log *log, const void *record) {
  const cupti_memcpy *copy = record;
  const bool up = copy->copy == CUPTI_COPY_HTOD || copy->copy == CUPTI_COPY_HTOA;
  const bool down = copy->copy == CUPTI_COPY_DTOH || copy->copy == CUPTI_COPY_ATOH;
  const char *name = up ? "copy to the device" : down ? "copy from the device" : "copy";
  const fmlp_cupti_operation operation = {.start = copy->start,
                                          .end = copy->end,
                                          .bytes = (int64_t)copy->bytes,
                                          .correlation = copy->correlation,
                                          .runtime_correlation = copy->runtime_correlation,
                                          .name = fixed_name(log, name),
                                          .device = (int32_t)copy->device,
                                          .stream = (int32_t)copy->stream,
                                          .kind = up     ? FMLP_OPERATION_UPLOAD
                                                  : down ? FMLP_OPERATION_DOWNLOAD
                                                         : FMLP_OPERATION_COPY};
  add_operation(log, &operation);
}

static void read_memcpy_peer(fmlp_cupti_log *log, const void *record) {
  const cupti_memcpy_peer *copy = record;
  const fmlp_cupti_operation operation = {.start = copy->start,
                                          .end = copy->end,
                                          .bytes = (int64_t)copy->bytes,
                                          .correlation = copy->correlation,
                                          .name = fixed_name(log, "copy between devices"),
                                          .device = (int32_t)copy->device,
                                          .stream = (int32_t)copy->stream,
                                          .kind = FMLP_OPERATION_COPY};
  add_operation(log, &operation);
}

static void read_memset(fmlp_cupti_log *log, const void *record) {
  const cupti_memset *fill = record;
  const fmlp_cupti_operation operation = {.start = fill->start,
                                          .end = fill->end,
                                          .bytes = (int64_t)fill->bytes,
                                          .correlation = fill->correlation,
                                          .name = fixed_name(log, "fill"),
                                          .device = (int32_t)fill->device,
                                          .stream = (int32_t)fill->stream,
                                          .kind = FMLP_OPERATION_FILL};
  add_operation(log, &operation);
}

static void read_call(fmlp_cupti_log *log, const void *record) {
  const cupti_call *call = record;
  const bool runtime = call->kind == CUPTI_RUNTIME;
  const fmlp_cupti_call made = {
      .start = call->start,
      .end = call->end,
      .correlation = call->correlation,
      .thread = call->thread,
      .name = function_name(log, runtime ? CUPTI_DOMAIN_RUNTIME : CUPTI_DOMAIN_DRIVER, call->function),
      .kind = runtime ? FMLP_CALL_RUNTIME : FMLP_CALL_DRIVER};
  add_call(log, &made);
}

static void read_wait(fmlp_cupti_log *log, const void *record) {
  const cupti_wait_record *wait = record;
  if (wait->type == CUPTI_WAIT_BETWEEN_STREAMS) return;
  const char *name = wait->type == CUPTI_WAIT_EVENT    ? "wait for an event"
                     : wait->type == CUPTI_WAIT_STREAM ? "wait for a stream"
                                                       : "wait for the device";
  const fmlp_cupti_call made = {.start = wait->start,
                                .end = wait->end,
                                .correlation = wait->correlation,
                                .name = fixed_name(log, name),
                                .kind = FMLP_CALL_WAIT};
  add_call(log, &made);
}

/* CUpti_ActivityOverheadKind */
static const char *overhead_name(uint32_t overhead) {
  switch (overhead) {
  case 1:
    return "driver: compiling";
  case 1 << 16:
    return "tracer: flushing a buffer";
  case 2 << 16:
    return "tracer: instrumentation";
  case 3 << 16:
    return "tracer: its resources";
  case 4 << 16:
    return "driver: loading a module";
  case 5 << 16:
    return "driver: loading a function";
  case 6 << 16:
    return "driver: command buffer full";
  case 7 << 16:
    return "tracer: asking for a buffer";
  default:
    return "tracer: other";
  }
}

static void read_overhead(fmlp_cupti_log *log, const void *record) {
  enum { OF_THREAD = 2 }; /* CUPTI_ACTIVITY_OBJECT_THREAD */
  const cupti_overhead *overhead = record;
  free(overhead->data);
  const fmlp_cupti_call made = {.start = overhead->start,
                                .end = overhead->end,
                                .correlation = overhead->correlation,
                                .thread = overhead->object_kind == OF_THREAD ? overhead->object[1] : 0,
                                .name = fixed_name(log, overhead_name(overhead->overhead)),
                                .kind = FMLP_CALL_OVERHEAD};
  add_call(log, &made);
}

static void read_external(fmlp_cupti_log *log, const void *record) {
  const cupti_external *external = record;
  if (external->external_kind != CUPTI_CUSTOM0) return;
  if ((int64_t)log->external.count >= CALL_FACTOR * log->limit ||
      !fmlp_number_map_put(&log->external, external->correlation, external->id))
    log->dropped++;
}

static void read_memory(fmlp_cupti_log *log, const void *record) {
  const cupti_memory_record *memory = record;
  const bool pooled = memory->pool_type != 0;
  if (memory->memory != CUPTI_MEMORY_DEVICE && memory->memory != CUPTI_MEMORY_ARRAY &&
      memory->memory != CUPTI_MEMORY_MANAGED)
    return; /* of the host */
  const fmlp_cupti_memory event = {.time = memory->time,
                                   .address = pooled ? memory->pool_address : memory->address,
                                   .bytes = pooled ? (int64_t)memory->pool_size
                                            : memory->operation == CUPTI_ALLOCATION ? (int64_t)memory->bytes
                                                                                    : 0,
                                   .device = (int32_t)memory->device};
  add_memory(log, &event);
}

static void read_pool(fmlp_cupti_log *log, const void *record) {
  const cupti_pool_record *pool = record;
  const fmlp_cupti_memory event = {.time = pool->time,
                                   .address = pool->address,
                                   .bytes = pool->operation == CUPTI_POOL_DESTROYED ? 0 : (int64_t)pool->size,
                                   .device = (int32_t)pool->device};
  add_memory(log, &event);
}

typedef struct reader {
  uint32_t kind;
  size_t size; /* bytes of the record that are read */
  void (*read)(fmlp_cupti_log *log, const void *record);
} reader;

static const reader readers[] = {
    {CUPTI_CONCURRENT_KERNEL, sizeof(cupti_kernel), read_kernel},
    {CUPTI_MEMCPY, sizeof(cupti_memcpy), read_memcpy},
    {CUPTI_MEMCPY_PEER, sizeof(cupti_memcpy_peer), read_memcpy_peer},
    {CUPTI_MEMSET, sizeof(cupti_memset), read_memset},
    {CUPTI_RUNTIME, sizeof(cupti_call), read_call},
    {CUPTI_DRIVER, sizeof(cupti_call), read_call},
    {CUPTI_SYNCHRONIZATION, sizeof(cupti_wait_record), read_wait},
    {CUPTI_OVERHEAD, sizeof(cupti_overhead), read_overhead},
    {CUPTI_EXTERNAL_CORRELATION, sizeof(cupti_external), read_external},
    {CUPTI_MEMORY2, sizeof(cupti_memory_record), read_memory},
    {CUPTI_MEMORY_POOL, sizeof(cupti_pool_record), read_pool},
};

static void read_record(fmlp_cupti_log *log, const void *record, size_t left) {
  uint32_t kind;
  if (left < sizeof kind) {
    log->dropped++;
    return;
  }
  memcpy(&kind, record, sizeof kind);
  for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
    if (readers[i].kind != kind) continue;
    if (left < readers[i].size)
      log->dropped++;
    else
      readers[i].read(log, record);
    return;
  }
  log->unknown++;
}

void fmlp_cupti_log_ask_dropped(fmlp_cupti_log *log) {
  size_t dropped = 0;
  if (log->api->dropped(NULL, 0, &dropped) == CUPTI_OK) log->dropped += (int64_t)dropped;
}

void fmlp_cupti_log_read(fmlp_cupti_log *log, uint8_t *buffer, size_t valid) {
  void *record = NULL;
  log->buffers++;
  for (;;) {
    const int result = log->api->next_record(buffer, valid, &record);
    if (result == CUPTI_INVALID_KIND) log->dropped++; /* the last record is not whole */
    if (result != CUPTI_OK) break;
    const size_t at = (size_t)((uint8_t *)record - buffer);
    read_record(log, record, at < valid ? valid - at : 0);
  }
  fmlp_cupti_log_ask_dropped(log);
}
