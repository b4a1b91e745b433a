/* What cuda/rolling.c hands to the families of rolling kernels: one group of operators over one operand (or
 * pair), one range of rows. Valid as C11 and as C++17: the parameters of kernels are built from it. The
 * arithmetic stands at the top of cpu/rolling.c.
 *
 * A kernel sees the rows of a column as values[row - first]. Where a range is one chunk of a longer column,
 * the rows in front of it are there too, as many as the family's lookback asks for. */
#ifndef FMLP_CUDA_ROLLING_KERNELS_H
#define FMLP_CUDA_ROLLING_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "common/contracts/rolling.h"
#include "cuda/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Device memory; borrowed. */
typedef struct fmlp_gpu_column {
  const double *values;
  int64_t first;
} fmlp_gpu_column;

/* One column to produce; row r goes to values[r - first]. */
typedef struct fmlp_gpu_target {
  double *values;
  int64_t first;
  int64_t window;
  double parameter;
  int32_t op; /* fmlp_operator */
  int32_t unused;
} fmlp_gpu_target;

/* Targets a job may hold; larger groups are split. */
enum { FMLP_GPU_TARGETS = 64 };

/* Rows [first, last) of every target, warm-up included. Operands hold rows [max(origin, first - lookback),
 * last), lookback as in fmlp_rolling_lookback of the widest target; before `origin` (0, or the lag of
 * autocorr, whose operand b is the column itself shifted by the lag) they do not exist. Targets stand in
 * ascending order of window, and are of one family; those of the order family share one window. */
typedef struct fmlp_gpu_rolling_job {
  int64_t first, last, origin;
  fmlp_gpu_column a, b;
  int32_t target_count;
  const fmlp_gpu_target *targets; /* host memory */
  const double *weights;          /* fracdiff: device memory */
  int64_t weight_count;
  void *scratch; /* device memory, as large as the family's function says for this job */
  void *state;   /* recursions: device memory kept from chunk to chunk; zeroed before the first */
} fmlp_gpu_rolling_job;

/* Families (operators of single rows have their own interface, cuda/rolling_pointwise.h): bytes of scratch
 * for a job (its pointers may still be NULL), and the launches. Asynchronous. */
#define FMLP_GPU_ROLLING_FAMILY(name)                                                                        \
  size_t fmlp_gpu_##name##_scratch(const fmlp_device *device, const fmlp_gpu_rolling_job *job);              \
  FMLP_WARN_UNUSED fmlp_status fmlp_gpu_##name(fmlp_device *device, const fmlp_gpu_rolling_job *job,         \
                                               fmlp_error *error)
FMLP_GPU_ROLLING_FAMILY(rolling_moments);
FMLP_GPU_ROLLING_FAMILY(rolling_pairs);
FMLP_GPU_ROLLING_FAMILY(rolling_extremes);
FMLP_GPU_ROLLING_FAMILY(rolling_order);
FMLP_GPU_ROLLING_FAMILY(rolling_fracdiff);
/* ema and ewm_std, one target. Its operand's lookback is FMLP_GPU_RECURSIVE_LOOKBACK rows, so that a range
 * can begin again at the super-block its first row lies in; `state` is FMLP_GPU_RECURSIVE_STATE bytes. Chunks
 * come in order, without gaps. */
FMLP_GPU_ROLLING_FAMILY(rolling_ema);
enum { FMLP_GPU_RECURSIVE_LOOKBACK = 4095, FMLP_GPU_RECURSIVE_STATE = 128 };

#ifdef __cplusplus
}
#endif
#endif
