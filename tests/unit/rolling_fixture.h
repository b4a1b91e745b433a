/* What the tests of rolling operators on the device share: what the reference gives for a plan, a device over
 * the host's runtime, and a part of a column just as large as it must be, for the sanitizers (device memory
 * of simt is host memory). */
#ifndef FMLP_TESTS_UNIT_ROLLING_FIXTURE_H
#define FMLP_TESTS_UNIT_ROLLING_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "cuda/device.h"
#include "tests/simt/runtime.h"
#include "tests/unit/device_buffers.h"

/* Runs a plan on the backend cpu: outputs[plan->output_count] of `rows` each. */
static inline void rolling_reference(const fmlp_rolling_plan *plan, int64_t rows, double *const *inputs,
                                     double *const *outputs) {
  fmlp_compute cpu = open_compute("cpu");
  const size_t bytes = (size_t)rows * sizeof(double);
  const size_t count = (size_t)(plan->input_count + plan->output_count);
  fmlp_buffer **buffers = calloc(count, sizeof *buffers);
  assert_non_null(buffers);
  fmlp_error error = {""};
  for (int32_t i = 0; i < plan->input_count; i++) buffers[i] = buffer_of(&cpu, inputs[i], bytes);
  fmlp_buffer **results = buffers + plan->input_count;
  for (int32_t o = 0; o < plan->output_count; o++) results[o] = buffer_empty(&cpu, bytes);
  if (cpu.backend->rolling(cpu.device, plan, rows, (const fmlp_buffer *const *)buffers, results, &error) !=
      FMLP_OK) {
    fail_msg("%s", error.text);
  }
  for (int32_t o = 0; o < plan->output_count; o++) buffer_read(&cpu, results[o], outputs[o], bytes);
  for (size_t b = 0; b < count; b++) buffer_end(&cpu, buffers[b]);
  free(buffers);
  fmlp_compute_close(&cpu);
}

/* A device of blocks of `threads` threads, 0 to let each operation choose. */
static inline fmlp_device *open_simt(const fmlp_simt_setup *setup, int32_t threads) {
  fmlp_device *device = NULL;
  fmlp_error error = {""};
  fmlp_simt_configure(setup);
  if (fmlp_gpu_open(&fmlp_simt_runtime, 0, &device, &error) != FMLP_OK) fail_msg("%s", error.text);
  fmlp_gpu_tune(device, &(fmlp_gpu_tuning){.threads = threads});
  return device;
}

static inline void close_simt(fmlp_device *device) {
  fmlp_gpu_close(device);
  fmlp_simt_configure(&(fmlp_simt_setup){0});
}

/* Room for `rows` rows; the caller frees it. */
static inline double *rows_new(int64_t rows) {
  double *values = malloc(rows > 0 ? (size_t)rows * sizeof *values : 1);
  assert_non_null(values);
  return values;
}

/* Rows [first, last) of a column in memory of their own. */
static inline double *rows_of(const double *column, int64_t first, int64_t last) {
  double *values = rows_new(last - first);
  memcpy(values, column + first, (size_t)(last - first) * sizeof *values);
  return values;
}

#endif
