/* rolling_ema.cuh as device code. */
#include "cuda/rolling_ema.cuh"

FMLP_CUDA_ENTRIES(rolling_ema, FMLP_GPU_ROLLING_EMA_KERNELS);
