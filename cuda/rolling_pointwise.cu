#include "cuda/rolling_pointwise.cuh"

FMLP_CUDA_ENTRIES(rolling_pointwise, FMLP_GPU_ROLLING_POINTWISE_KERNELS);
