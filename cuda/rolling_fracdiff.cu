/* The kernels of rolling_fracdiff.cuh for the device. */
#include "cuda/kernels.h"
#include "cuda/rolling_fracdiff.cuh"

FMLP_CUDA_ENTRIES(rolling_fracdiff, FMLP_GPU_ROLLING_FRACDIFF_KERNELS);
