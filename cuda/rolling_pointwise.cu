/* The kernels of rolling_pointwise.cuh for the device. */
#include "cuda/kernels.h"
#include "cuda/rolling_pointwise.cuh"

FMLP_CUDA_ENTRIES(rolling_pointwise, FMLP_GPU_ROLLING_POINTWISE_KERNELS);
