/* The paranoid backend (paranoid.h). */
#include "tests/paranoid/paranoid.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "common/core/bits.h"
#include "common/core/memory.h"
#include "cpu/cpu.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define GUARDS_OUT_OF_BOUNDS 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define GUARDS_OUT_OF_BOUNDS 1
#endif
#ifdef GUARDS_OUT_OF_BOUNDS
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size)   ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

enum { GUARD = 256, PATTERN = 8, MOST_OPERANDS = 16, WHERE = 96 };

/* Signalling NaNs as doubles; no price, bar, outcome or count as integers. Little-endian. */
static const unsigned char fresh[PATTERN] = {0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xf4, 0x7f};
static const unsigned char freed[PATTERN] = {0xdd, 0xdd, 0xdd, 0xdd, 0xdd, 0xdd, 0xf4, 0x7f};
static const unsigned char guard[PATTERN] = {0xbe, 0xbe, 0xbe, 0xbe, 0xbe, 0xbe, 0xf4, 0x7f};

/* `view` comes first: its address is the caller's fmlp_buffer. The block is GUARD, the data, GUARD. */
typedef struct guarded {
  fmlp_buffer view;
  unsigned char *block;
  unsigned char *written; /* one a byte of data: 1 once written */
  struct guarded *next;
} guarded;

typedef struct paranoid_device {
  const fmlp_backend *inner;
  fmlp_device *inner_device;
  guarded *live;
  fmlp_error fault; /* found where no status could be given; the next call reports it */
} paranoid_device;

typedef struct operand {
  char name[32];
  const fmlp_buffer *buffer;
  int64_t count;
  size_t size; /* of an element */
  bool read, written;
  bool canonical; /* doubles */
  uint64_t hash;  /* of the data before, for what is only read */
} operand;

/* ---- buffers ---- */

static paranoid_device *device_of(fmlp_device *device) {
  return (paranoid_device *)(void *)device;
}

static void fill(unsigned char *to, size_t bytes, const unsigned char *pattern) {
  for (size_t i = 0; i < bytes; i++) to[i] = pattern[i % PATTERN];
}

static guarded *live_buffer(const paranoid_device *device, const fmlp_buffer *buffer) {
  guarded *found = device->live;
  while (found && &found->view != buffer) found = found->next;
  return found;
}

static void guards_close(const guarded *buffer) {
  ASAN_POISON_MEMORY_REGION(buffer->block, GUARD);
  ASAN_POISON_MEMORY_REGION(buffer->block + GUARD + buffer->view.bytes, GUARD);
}

static void guards_open(const guarded *buffer) {
  ASAN_UNPOISON_MEMORY_REGION(buffer->block, GUARD);
  ASAN_UNPOISON_MEMORY_REGION(buffer->block + GUARD + buffer->view.bytes, GUARD);
}

/* The offset of the first damaged guard byte relative to the data, through `at`; true when intact. */
static bool guards_intact(const guarded *buffer, int64_t *at) {
  const unsigned char *before = buffer->block, *after = buffer->block + GUARD + buffer->view.bytes;
  bool intact = true;
  guards_open(buffer);
  for (int64_t i = 0; intact && i < GUARD; i++) {
    if (before[GUARD - 1 - i] != guard[(GUARD - 1 - i) % PATTERN]) {
      *at = -1 - i;
      intact = false;
    } else if (after[i] != guard[i % PATTERN]) {
      *at = (int64_t)buffer->view.bytes + i;
      intact = false;
    }
  }
  guards_close(buffer);
  return intact;
}

/* Looks at every live buffer; `where` names the call. Reports a fault kept from before first. */
static fmlp_status check_guards(paranoid_device *device, const char *where, fmlp_error *error) {
  if (device->fault.text[0] != '\0') {
    fmlp_status status = fmlp_fail(error, FMLP_ERR_DEVICE, "%s", device->fault.text);
    device->fault.text[0] = '\0';
    return status;
  }
  for (const guarded *buffer = device->live; buffer; buffer = buffer->next) {
    int64_t at = 0;
    if (!guards_intact(buffer, &at)) {
      return fmlp_fail(error, FMLP_ERR_DEVICE,
                       "paranoid: %s: byte %lld of a buffer of %zu bytes was overwritten", where,
                       (long long)at, buffer->view.bytes);
    }
  }
  return FMLP_OK;
}

static fmlp_status buffer_create(fmlp_device *handle, size_t bytes, fmlp_buffer **buffer, fmlp_error *error) {
  paranoid_device *device = device_of(handle);
  *buffer = NULL;
  guarded *created = NULL;
  if (bytes > INT64_MAX - 2 * GUARD) return fmlp_fail(error, FMLP_ERR_OTHER, "a buffer of %zu bytes", bytes);
  FMLP_TRY(fmlp_alloc_zero(&created, 1, sizeof *created, "a buffer", error));
  fmlp_status status = fmlp_alloc(&created->block, (int64_t)bytes + 2 * GUARD, 1, "a guarded buffer", error);
  if (status == FMLP_OK) {
    status = fmlp_alloc_zero(&created->written, (int64_t)bytes, 1, "a buffer's shadow", error);
  }
  if (status != FMLP_OK) {
    fmlp_free(created->block);
    fmlp_free(created);
    return status;
  }
  created->view = (fmlp_buffer){.bytes = bytes, .data = created->block + GUARD};
  fill(created->block, GUARD, guard);
  fill(created->block + GUARD, bytes, fresh);
  fill(created->block + GUARD + bytes, GUARD, guard);
  guards_close(created);
  created->next = device->live;
  device->live = created;
  *buffer = &created->view;
  return FMLP_OK;
}

static void buffer_free(fmlp_device *handle, fmlp_buffer *buffer) {
  paranoid_device *device = device_of(handle);
  if (!buffer) return;
  guarded *found = live_buffer(device, buffer);
  if (!found) {
    (void)fmlp_fail(&device->fault, FMLP_ERR_DEVICE, "paranoid: a buffer that is not there was freed");
    return;
  }
  int64_t at = 0;
  if (!guards_intact(found, &at)) {
    (void)fmlp_fail(&device->fault, FMLP_ERR_DEVICE,
                    "paranoid: byte %lld of a buffer of %zu bytes was overwritten before it was freed",
                    (long long)at, found->view.bytes);
  }
  guarded **link = &device->live;
  while (*link != found) link = &(*link)->next;
  *link = found->next;
  guards_open(found);
  fill(found->block, found->view.bytes + 2 * GUARD, freed);
  fmlp_free(found->block);
  fmlp_free(found->written);
  fmlp_free(found);
}

static fmlp_status check_copy(const paranoid_device *device, const char *what, const fmlp_buffer *buffer,
                              size_t offset, size_t bytes, fmlp_error *error) {
  if (!live_buffer(device, buffer)) {
    return fmlp_fail(error, FMLP_ERR_DEVICE, "paranoid: %s of a buffer that is not there", what);
  }
  if (offset > buffer->bytes || bytes > buffer->bytes - offset) {
    return fmlp_fail(error, FMLP_ERR_DEVICE, "paranoid: %s of bytes %zu to %zu of a buffer of %zu", what,
                     offset, offset + bytes, buffer->bytes);
  }
  return FMLP_OK;
}

static fmlp_status upload(fmlp_device *handle, fmlp_buffer *to, size_t offset, const void *from, size_t bytes,
                          fmlp_error *error) {
  paranoid_device *device = device_of(handle);
  FMLP_TRY(check_guards(device, "before upload", error));
  FMLP_TRY(check_copy(device, "upload", to, offset, bytes, error));
  FMLP_TRY(device->inner->upload(device->inner_device, to, offset, from, bytes, error));
  memset(live_buffer(device, to)->written + offset, 1, bytes);
  return FMLP_OK;
}

static fmlp_status download(fmlp_device *handle, const fmlp_buffer *from, size_t offset, void *to,
                            size_t bytes, fmlp_error *error) {
  paranoid_device *device = device_of(handle);
  FMLP_TRY(check_guards(device, "before download", error));
  FMLP_TRY(check_copy(device, "download", from, offset, bytes, error));
  const unsigned char *unwritten = memchr(live_buffer(device, from)->written + offset, 0, bytes);
  if (unwritten) {
    return fmlp_fail(error, FMLP_ERR_DEVICE, "paranoid: download of byte %lld, which was never written",
                     (long long)(unwritten - live_buffer(device, from)->written));
  }
  return device->inner->download(device->inner_device, from, offset, to, bytes, error);
}

static fmlp_status sync_device(fmlp_device *handle, fmlp_error *error) {
  paranoid_device *device = device_of(handle);
  FMLP_TRY(device->inner->sync(device->inner_device, error));
  return check_guards(device, "sync", error);
}

/* ---- operations: what each reads and writes, looked at before and after ---- */

static operand reads(const char *name, const fmlp_buffer *buffer, int64_t count, size_t size) {
  operand made = {.buffer = buffer, .count = count, .size = size, .read = true};
  (void)snprintf(made.name, sizeof made.name, "%s", name);
  return made;
}

static operand writes(const char *name, const fmlp_buffer *buffer, int64_t count, size_t size) {
  operand made = {.buffer = buffer, .count = count, .size = size, .written = true, .canonical = size == 8};
  (void)snprintf(made.name, sizeof made.name, "%s", name);
  return made;
}

static fmlp_status check_canonical(const char *operation, const operand *o, fmlp_error *error) {
  const double *values = o->buffer->data;
  for (int64_t i = 0; i < o->count; i++) {
    if (fmlp_bits_of(values[i]) != fmlp_bits_of(fmlp_canonical(values[i]))) {
      return fmlp_fail(error, FMLP_ERR_DEVICE, "paranoid: %s: %s[%lld] = %016llx is not canonical", operation,
                       o->name, (long long)i, (unsigned long long)fmlp_bits_of(values[i]));
    }
  }
  return FMLP_OK;
}

static fmlp_status check_operand(const paranoid_device *device, const char *operation, operand *o,
                                 fmlp_error *error) {
  const guarded *buffer = live_buffer(device, o->buffer);
  size_t bytes = (size_t)o->count * o->size;
  if (!buffer) {
    return fmlp_fail(error, FMLP_ERR_DEVICE, "paranoid: %s: %s is no live buffer", operation, o->name);
  }
  if (bytes > buffer->view.bytes) {
    return fmlp_fail(error, FMLP_ERR_DEVICE, "paranoid: %s: %s has %zu bytes, of which %zu are needed",
                     operation, o->name, buffer->view.bytes, bytes);
  }
  if (!o->read) {
    fill(buffer->view.data, bytes, fresh);
    return FMLP_OK;
  }
  const unsigned char *unwritten = memchr(buffer->written, 0, bytes);
  if (unwritten) {
    return fmlp_fail(error, FMLP_ERR_DEVICE, "paranoid: %s: %s[%lld] is read but was never written",
                     operation, o->name, (long long)((size_t)(unwritten - buffer->written) / o->size));
  }
  if (!o->written) o->hash = XXH3_64bits(buffer->view.data, bytes);
  return o->canonical ? check_canonical(operation, o, error) : FMLP_OK;
}

static fmlp_status before(paranoid_device *device, const char *operation, operand *operands, int32_t count,
                          fmlp_error *error) {
  char where[WHERE];
  (void)snprintf(where, sizeof where, "before %s", operation);
  FMLP_TRY(check_guards(device, where, error));
  for (int32_t i = 0; i < count; i++) {
    for (int32_t j = 0; j < count; j++) {
      if (i != j && operands[i].written && operands[i].buffer == operands[j].buffer) {
        return fmlp_fail(error, FMLP_ERR_DEVICE, "paranoid: %s: %s and %s are the same buffer", operation,
                         operands[i].name, operands[j].name);
      }
    }
  }
  for (int32_t i = 0; i < count; i++) FMLP_TRY(check_operand(device, operation, &operands[i], error));
  return FMLP_OK;
}

static fmlp_status check_complete(const char *operation, const operand *o, fmlp_error *error) {
  const unsigned char *data = o->buffer->data;
  for (int64_t i = 0; i < o->count; i++) {
    size_t offset = (size_t)i * o->size, same = 0;
    while (same < o->size && data[offset + same] == fresh[(offset + same) % PATTERN]) same++;
    if (same == o->size) {
      return fmlp_fail(error, FMLP_ERR_DEVICE, "paranoid: %s left %s[%lld] unwritten", operation, o->name,
                       (long long)i);
    }
  }
  return FMLP_OK;
}

static fmlp_status after(paranoid_device *device, const char *operation, const operand *operands,
                         int32_t count, fmlp_error *error) {
  char where[WHERE];
  (void)snprintf(where, sizeof where, "after %s", operation);
  FMLP_TRY(device->inner->sync(device->inner_device, error));
  FMLP_TRY(check_guards(device, where, error));
  for (int32_t i = 0; i < count; i++) {
    const operand *o = &operands[i];
    size_t bytes = (size_t)o->count * o->size;
    if (!o->written) {
      if (XXH3_64bits(o->buffer->data, bytes) != o->hash) {
        return fmlp_fail(error, FMLP_ERR_DEVICE, "paranoid: %s changed its input %s", operation, o->name);
      }
      continue;
    }
    FMLP_TRY(check_complete(operation, o, error));
    if (o->canonical) FMLP_TRY(check_canonical(operation, o, error));
    memset(live_buffer(device, o->buffer)->written, 1, bytes);
  }
  return FMLP_OK;
}

static fmlp_status rolling(fmlp_device *handle, const fmlp_rolling_plan *plan, int64_t rows,
                           const fmlp_buffer *const *inputs, fmlp_buffer *const *outputs, fmlp_error *error) {
  paranoid_device *device = device_of(handle);
  int32_t count = plan->input_count + plan->output_count;
  operand *operands = NULL;
  FMLP_TRY(fmlp_alloc(&operands, count, sizeof *operands, "a list of operands", error));
  for (int32_t i = 0; i < count; i++) {
    bool in = i < plan->input_count;
    int32_t number = in ? i : i - plan->input_count;
    operands[i] = in ? reads("", inputs[number], rows, 8) : writes("", outputs[number], rows, 8);
    operands[i].canonical = true;
    (void)snprintf(operands[i].name, sizeof operands[i].name, "%s %d", in ? "input" : "output", number);
  }
  fmlp_status status = before(device, "rolling", operands, count, error);
  if (status == FMLP_OK) {
    status = device->inner->rolling(device->inner_device, plan, rows, inputs, outputs, error);
  }
  if (status == FMLP_OK) status = after(device, "rolling", operands, count, error);
  fmlp_free(operands);
  return status;
}

static fmlp_status barrier_search(fmlp_device *handle, const fmlp_barrier_search *job, fmlp_error *error) {
  paranoid_device *device = device_of(handle);
  operand operands[] = {
      reads("high", job->high, job->bars, 4),
      reads("low", job->low, job->bars, 4),
      reads("start_bar", job->start_bar, job->events, 4),
      reads("target", job->target, job->events, 4),
      reads("stop", job->stop, job->events, 4),
      reads("last_bar", job->last_bar, job->events, 4),
      writes("outcome", job->outcome, job->events, 1),
      writes("exit_bar", job->exit_bar, job->events, 4),
  };
  enum { COUNT = sizeof operands / sizeof operands[0] };
  FMLP_TRY(before(device, "barrier_search", operands, COUNT, error));
  FMLP_TRY(device->inner->barrier_search(device->inner_device, job, error));
  return after(device, "barrier_search", operands, COUNT, error);
}

static fmlp_status barrier_resolve(fmlp_device *handle, const fmlp_barrier_resolve *job, fmlp_error *error) {
  paranoid_device *device = device_of(handle);
  operand operands[] = {
      reads("price", job->price, job->ticks, 4),
      reads("tick_first", job->tick_first, job->events, 8),
      reads("tick_last", job->tick_last, job->events, 8),
      reads("target", job->target, job->events, 4),
      reads("stop", job->stop, job->events, 4),
      reads("outcome", job->outcome, job->events, 1),
      writes("exit_tick", job->exit_tick, job->events, 8),
  };
  enum { COUNT = sizeof operands / sizeof operands[0], OUTCOME = 5, EXIT_TICK = 6 };
  operands[OUTCOME].written = true;
  operands[EXIT_TICK].canonical = false;
  FMLP_TRY(before(device, "barrier_resolve", operands, COUNT, error));
  FMLP_TRY(device->inner->barrier_resolve(device->inner_device, job, error));
  return after(device, "barrier_resolve", operands, COUNT, error);
}

static fmlp_status monte_carlo(fmlp_device *handle, const fmlp_monte_carlo *job,
                               fmlp_monte_carlo_totals *totals, fmlp_error *error) {
  paranoid_device *device = device_of(handle);
  operand operands[MOST_OPERANDS];
  int32_t count = 0;
  operands[count++] =
      job->compounding ? reads("ratio", job->ratio, job->trades, 8) : reads("pnl", job->pnl, job->trades, 8);
  operands[count++] = writes("final_capital", job->final_capital, job->paths, 8);
  operands[count++] = writes("max_drawdown", job->max_drawdown, job->paths, 8);
  operands[count++] = writes("trades_used", job->trades_used, job->paths, 4);
  operands[count++] = writes("outcome", job->outcome, job->paths, 1);
  if (job->kind == FMLP_MC_DAY) operands[count++] = reads("day_offset", job->day_offset, job->days + 1, 8);
  if (job->fan_points > 0) operands[count++] = writes("fan", job->fan, job->fan_points * job->paths, 8);
  FMLP_TRY(before(device, "monte_carlo", operands, count, error));
  memset(totals, 0xa5, sizeof *totals);
  FMLP_TRY(device->inner->monte_carlo(device->inner_device, job, totals, error));
  return after(device, "monte_carlo", operands, count, error);
}

/* ---- devices ---- */

static int available(int32_t ordinal, char *reason, size_t capacity) {
  (void)snprintf(reason, capacity,
                 ordinal == 0 ? "the cpu, every buffer guarded and poisoned"
                              : "there is one paranoid device, number 0");
  return ordinal == 0;
}

fmlp_status fmlp_paranoid_open(const fmlp_backend *inner, int32_t ordinal, fmlp_device **device,
                               fmlp_error *error) {
  *device = NULL;
  paranoid_device *opened = NULL;
  FMLP_TRY(fmlp_alloc_zero(&opened, 1, sizeof *opened, "the paranoid device", error));
  opened->inner = inner;
  fmlp_status status = inner->open(ordinal, &opened->inner_device, error);
  if (status != FMLP_OK) {
    fmlp_free(opened);
    return status;
  }
  *device = (fmlp_device *)(void *)opened;
  return FMLP_OK;
}

static fmlp_status open_device(int32_t ordinal, fmlp_device **device, fmlp_error *error) {
  return fmlp_paranoid_open(&fmlp_cpu_backend, ordinal, device, error);
}

/* A finding that nobody can be told any more ends the program: this backend exists for tests. */
static void close_device(fmlp_device *handle) {
  paranoid_device *device = device_of(handle);
  if (!device) return;
  fmlp_error error = {""};
  if (device->live) {
    (void)fmlp_fail(&error, FMLP_ERR_DEVICE, "paranoid: a buffer of %zu bytes was never freed",
                    device->live->view.bytes);
  } else if (device->fault.text[0] != '\0') {
    error = device->fault;
  }
  if (error.text[0] != '\0') {
    (void)fprintf(stderr, "%s\n", error.text);
    abort();
  }
  device->inner->close(device->inner_device);
  fmlp_free(device);
}

const fmlp_backend fmlp_paranoid_backend = {
    .name = "paranoid",
    .available = available,
    .open = open_device,
    .close = close_device,
    .buffer_create = buffer_create,
    .buffer_free = buffer_free,
    .upload = upload,
    .download = download,
    .sync = sync_device,
    .rolling = rolling,
    .barrier_search = barrier_search,
    .barrier_resolve = barrier_resolve,
    .monte_carlo = monte_carlo,
};
