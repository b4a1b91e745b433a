/* The parameter of the kernel in rolling_pointwise.cuh. */
#ifndef FMLP_CUDA_ROLLING_POINTWISE_H
#define FMLP_CUDA_ROLLING_POINTWISE_H

#include "cuda/rolling_kernels.h"

typedef struct fmlp_gpu_rolling_pointwise_args {
  int64_t first, last;
  fmlp_gpu_column a, b;
  fmlp_gpu_target target;
} fmlp_gpu_rolling_pointwise_args;

#endif
