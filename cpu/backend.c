/* The reference backend: buffers are plain memory, every operation is done when it returns. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/core/floating.h"
#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "cpu/cpu.h"

/* Nothing to remember; the type exists because the interface passes one around. */
struct fmlp_device {
  int32_t ordinal;
};

static int cpu_available(int32_t ordinal, char *reason, size_t capacity) {
  if (ordinal != 0) {
    (void)snprintf(reason, capacity, "there is one cpu device, number 0");
    return false;
  }
  (void)snprintf(reason, capacity, "%d threads, instruction set %s", fmlp_threads(),
                 fmlp_simd_name(fmlp_simd()));
  return true;
}

static fmlp_status cpu_open(int32_t ordinal, fmlp_device **device, fmlp_error *error) {
  *device = NULL;
  if (ordinal != 0) {
    return fmlp_fail(error, FMLP_ERR_DEVICE, "cpu:%d: there is one cpu device, number 0", ordinal);
  }
  FMLP_TRY(fmlp_check_floating_point(error));
  FMLP_TRY(fmlp_alloc_zero(device, 1, sizeof **device, "the cpu device", error));
  (*device)->ordinal = ordinal;
  return FMLP_OK;
}

static void cpu_close(fmlp_device *device) {
  fmlp_free(device);
}

static fmlp_status cpu_buffer_create(fmlp_device *device, size_t bytes, fmlp_buffer **buffer,
                                     fmlp_error *error) {
  (void)device;
  *buffer = NULL;
  fmlp_buffer *created = NULL;
  FMLP_TRY(fmlp_alloc_zero(&created, 1, sizeof *created, "a buffer", error));
  fmlp_status status = bytes > INT64_MAX ? fmlp_fail(error, FMLP_ERR_OTHER, "a buffer of %zu bytes", bytes)
                                         : fmlp_alloc(&created->data, (int64_t)bytes, 1, "a buffer", error);
  if (status != FMLP_OK) {
    fmlp_free(created);
    return status;
  }
  created->bytes = bytes;
  *buffer = created;
  return FMLP_OK;
}

static void cpu_buffer_free(fmlp_device *device, fmlp_buffer *buffer) {
  (void)device;
  if (!buffer) return;
  fmlp_free(buffer->data);
  fmlp_free(buffer);
}

static bool inside(const fmlp_buffer *buffer, size_t offset, size_t bytes) {
  return offset <= buffer->bytes && bytes <= buffer->bytes - offset;
}

static fmlp_status cpu_upload(fmlp_device *device, fmlp_buffer *to, size_t offset, const void *from,
                              size_t bytes, fmlp_error *error) {
  (void)device;
  if (!inside(to, offset, bytes)) {
    return fmlp_fail(error, FMLP_ERR_DEVICE, "upload of %zu bytes at %zu into a buffer of %zu", bytes, offset,
                     to->bytes);
  }
  if (bytes > 0) memcpy((char *)to->data + offset, from, bytes);
  return FMLP_OK;
}

static fmlp_status cpu_download(fmlp_device *device, const fmlp_buffer *from, size_t offset, void *to,
                                size_t bytes, fmlp_error *error) {
  (void)device;
  if (!inside(from, offset, bytes)) {
    return fmlp_fail(error, FMLP_ERR_DEVICE, "download of %zu bytes at %zu from a buffer of %zu", bytes,
                     offset, from->bytes);
  }
  if (bytes > 0) memcpy(to, (const char *)from->data + offset, bytes);
  return FMLP_OK;
}

static fmlp_status cpu_sync(fmlp_device *device, fmlp_error *error) {
  (void)device;
  (void)error;
  return FMLP_OK;
}

static fmlp_status cpu_rolling(fmlp_device *device, const fmlp_rolling_plan *plan, int64_t rows,
                               const fmlp_buffer *const *inputs, fmlp_buffer *const *outputs,
                               fmlp_error *error) {
  (void)device;
  const double **columns = NULL;
  double **results = NULL;
  FMLP_TRY(fmlp_alloc(&columns, plan->input_count, sizeof *columns, "the list of input columns", error));
  fmlp_status status =
      fmlp_alloc(&results, plan->output_count, sizeof *results, "the list of output columns", error);
  if (status == FMLP_OK) {
    for (int32_t c = 0; c < plan->input_count; c++) columns[c] = inputs[c]->data;
    for (int32_t o = 0; o < plan->output_count; o++) results[o] = outputs[o]->data;
    status = fmlp_cpu_rolling(plan, rows, columns, results, error);
  }
  fmlp_free(results);
  fmlp_free(columns);
  return status;
}

static fmlp_status cpu_barrier_search(fmlp_device *device, const fmlp_barrier_search *job,
                                      fmlp_error *error) {
  (void)device;
  return FMLP_SIMD_SELECT(fmlp_cpu_barrier_search)(job, error);
}

static fmlp_status cpu_barrier_resolve(fmlp_device *device, const fmlp_barrier_resolve *job,
                                       fmlp_error *error) {
  (void)device;
  return FMLP_SIMD_SELECT(fmlp_cpu_barrier_resolve)(job, error);
}

static fmlp_status cpu_monte_carlo(fmlp_device *device, const fmlp_monte_carlo *job,
                                   fmlp_monte_carlo_totals *totals, fmlp_error *error) {
  (void)device;
  return FMLP_SIMD_SELECT(fmlp_cpu_monte_carlo)(job, totals, error);
}

const fmlp_backend fmlp_cpu_backend = {
    .name = "cpu",
    .available = cpu_available,
    .open = cpu_open,
    .close = cpu_close,
    .buffer_create = cpu_buffer_create,
    .buffer_free = cpu_buffer_free,
    .upload = cpu_upload,
    .download = cpu_download,
    .sync = cpu_sync,
    .rolling = cpu_rolling,
    .barrier_search = cpu_barrier_search,
    .barrier_resolve = cpu_barrier_resolve,
    .monte_carlo = cpu_monte_carlo,
};
