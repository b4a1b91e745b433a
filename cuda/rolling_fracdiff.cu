/* The device code of rolling_fracdiff.cuh. */
#include "cuda/rolling_fracdiff.cuh"

FMLP_CUDA_ENTRIES(rolling_fracdiff, FMLP_GPU_ROLLING_FRACDIFF_KERNELS);
