/* The kernels of rolling_order.cuh for the device. */
#include "cuda/kernels.h"
#include "cuda/rolling_order.cuh"

FMLP_CUDA_ENTRIES(rolling_order, FMLP_GPU_ROLLING_ORDER_KERNELS);
