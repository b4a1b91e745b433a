/* rolling_extremes.cuh as device code. */
#include "cuda/rolling_extremes.cuh"

FMLP_CUDA_ENTRIES(rolling_extremes, FMLP_GPU_ROLLING_EXTREMES_KERNELS);
