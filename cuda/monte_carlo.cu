/* Device code of monte_carlo.cuh. */
#include "cuda/monte_carlo.cuh"

FMLP_CUDA_ENTRIES(monte_carlo, FMLP_GPU_MONTE_CARLO_KERNELS);
