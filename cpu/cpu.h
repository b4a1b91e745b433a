/* What the files of cpu/ share: the buffer, and the operations that backend.c puts behind
 * contracts/backend.h.
 */
#ifndef FMLP_CPU_CPU_H
#define FMLP_CPU_CPU_H

#include <stddef.h>
#include <stdint.h>

#include "common/contracts/backend.h"
#include "common/core/simd.h"

/* Plain memory, 64-byte aligned. Test backends that guard their buffers hand views of this shape to the
 * operations below. */
struct fmlp_buffer {
  size_t bytes;
  void *data;
};

/* Executes a validated plan: inputs[c] and outputs[o] are [rows]. cpu/rolling.c. */
FMLP_WARN_UNUSED fmlp_status fmlp_cpu_rolling(const fmlp_rolling_plan *plan, int64_t rows,
                                              const double *const *inputs, double *const *outputs,
                                              fmlp_error *error);

/* cpu/triple_barrier.c */
FMLP_SIMD_DECLARE(fmlp_status, fmlp_cpu_barrier_search, (const fmlp_barrier_search *job, fmlp_error *error));
FMLP_SIMD_DECLARE(fmlp_status, fmlp_cpu_barrier_resolve,
                  (const fmlp_barrier_resolve *job, fmlp_error *error));

/* cpu/monte_carlo.c */
FMLP_SIMD_DECLARE(fmlp_status, fmlp_cpu_monte_carlo,
                  (const fmlp_monte_carlo *job, fmlp_monte_carlo_totals *totals, fmlp_error *error));

#endif
