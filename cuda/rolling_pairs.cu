#include "cuda/rolling_pairs.cuh"

FMLP_CUDA_ENTRIES(rolling_pairs, FMLP_GPU_ROLLING_PAIRS_KERNELS);
