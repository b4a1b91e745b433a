/* The parameter of the kernel in rolling_fracdiff.cuh. */
#ifndef FMLP_CUDA_ROLLING_FRACDIFF_H
#define FMLP_CUDA_ROLLING_FRACDIFF_H

#include <stdint.h>

#include "cuda/rolling_kernels.h"

enum {
  FMLP_GPU_FRACDIFF_ROWS = 8,     /* neighbouring rows of a thread; also lags taken at one time */
  FMLP_GPU_FRACDIFF_WEIGHTS = 512 /* weights of a tile, at most; a multiple of ROWS */
};

typedef struct fmlp_gpu_rolling_fracdiff_args {
  int64_t first, last; /* rows */
  int64_t base;        /* first row that the column holds */
  const double *x;     /* row r at x[r - x_first] */
  int64_t x_first;
  double *out; /* row r at out[r - out_first] */
  int64_t out_first;
  const double *weights; /* [weight_count] */
  int64_t weight_count;
  int32_t tile; /* weights of a tile: a multiple of ROWS, or 0 where there is but the weight 1 */
} fmlp_gpu_rolling_fracdiff_args;

#endif
