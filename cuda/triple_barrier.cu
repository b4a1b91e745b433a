/* The kernels of triple_barrier.cuh for the device. */
#include "cuda/kernels.h"
#include "cuda/triple_barrier.cuh"

FMLP_CUDA_ENTRIES(triple_barrier, FMLP_GPU_TRIPLE_BARRIER_KERNELS);
