#include "cuda/rolling_moments.cuh"

FMLP_CUDA_ENTRIES(rolling_moments, FMLP_GPU_ROLLING_MOMENTS_KERNELS);
