<<<<<<< HEAD
=======
/* The device code of rolling_pointwise.cuh. */
>>>>>>> 93831d5 (Rolling plans on the device: steps, programs of single-row operators, chunks with history; fractional differences)
#include "cuda/rolling_pointwise.cuh"

FMLP_CUDA_ENTRIES(rolling_pointwise, FMLP_GPU_ROLLING_POINTWISE_KERNELS);
