/* The one door to the computing backends: a constant struct of function pointers, chosen once per run.
 *
 * Data goes through opaque buffers; an operation never sees a host pointer of the caller. Calls on one device
 * are made from one thread at a time. An operation may return before it is done; `download` and `sync` wait.
 * Failures: FMLP_ERR_DEVICE for the device, FMLP_ERR_OTHER for host memory, FMLP_ERR_INTERRUPTED for SIGINT.
 */
#ifndef FMLP_COMMON_CONTRACTS_BACKEND_H
#define FMLP_COMMON_CONTRACTS_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include "common/contracts/monte_carlo.h"
#include "common/contracts/rolling.h"
#include "common/contracts/triple_barrier.h"
#include "common/core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fmlp_device fmlp_device; /* opaque, each backend has its own */

typedef struct fmlp_backend {
  const char *name; /* "cpu", "cuda", and in test builds "paranoid", "simt" */

  /* Fills `reason` (may be "") with one line about the device or about why there is none; true when usable.
   */
  int (*available)(int32_t ordinal, char *reason, size_t capacity);
  /* Optional (NULL): all there is to say about devices and drivers, in lines that end with a newline. */
  void (*describe)(char *text, size_t capacity);

  /* Optional: how the profiler asks about these devices (prof/sources/device_trace.h). */
  const struct fmlp_device_hooks *trace;

  /* Opens device number `ordinal`. On success the caller owns `*device` and ends it with close. */
  fmlp_status (*open)(int32_t ordinal, fmlp_device **device, fmlp_error *error);
  void (*close)(fmlp_device *device);

  /* Contents are undefined until written. 0 bytes is allowed. Owned by the caller, ended with buffer_free
   * before the device is closed; NULL is allowed there. */
  fmlp_status (*buffer_create)(fmlp_device *device, size_t bytes, fmlp_buffer **buffer, fmlp_error *error);
  void (*buffer_free)(fmlp_device *device, fmlp_buffer *buffer);
  fmlp_status (*upload)(fmlp_device *device, fmlp_buffer *to, size_t offset, const void *from, size_t bytes,
                        fmlp_error *error);
  fmlp_status (*download)(fmlp_device *device, const fmlp_buffer *from, size_t offset, void *to, size_t bytes,
                          fmlp_error *error);
  fmlp_status (*sync)(fmlp_device *device, fmlp_error *error);

  /* Executes a validated plan: inputs[c] and outputs[o] are double [rows]. An output may not be an input. */
  fmlp_status (*rolling)(fmlp_device *device, const fmlp_rolling_plan *plan, int64_t rows,
                         const fmlp_buffer *const *inputs, fmlp_buffer *const *outputs, fmlp_error *error);
  fmlp_status (*barrier_search)(fmlp_device *device, const fmlp_barrier_search *job, fmlp_error *error);
  fmlp_status (*barrier_resolve)(fmlp_device *device, const fmlp_barrier_resolve *job, fmlp_error *error);
  fmlp_status (*monte_carlo)(fmlp_device *device, const fmlp_monte_carlo *job,
                             fmlp_monte_carlo_totals *totals, fmlp_error *error);
} fmlp_backend;

extern const fmlp_backend fmlp_cpu_backend;
extern const fmlp_backend fmlp_cuda_backend;     /* where CUDA was compiled in */
extern const fmlp_backend fmlp_paranoid_backend; /* test builds only: around the cpu, tests/paranoid/ */
extern const fmlp_backend fmlp_simt_backend; /* test builds only: cuda's kernels on the host, tests/simt/ */

/* An opened backend, as stages receive it. */
typedef struct fmlp_compute {
  const fmlp_backend *backend;
  fmlp_device *device;
} fmlp_compute;

#ifdef __cplusplus
}
#endif
#endif
