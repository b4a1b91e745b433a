/* The kernels of cuda/, compiled for the host: the table of entry points of the simt runtime. */
#include "tests/simt/kernels.h"

#include "cuda/monte_carlo.cuh"
#include "cuda/rolling_ema.cuh"
#include "cuda/rolling_extremes.cuh"
#include "cuda/rolling_fracdiff.cuh"
#include "cuda/rolling_moments.cuh"
#include "cuda/rolling_order.cuh"
#include "cuda/rolling_pairs.cuh"
#include "cuda/rolling_pointwise.cuh"
#include "cuda/triple_barrier.cuh"

#define ENTRY(name) FMLP_SIMT_ENTRY(name),
const fmlp_simt_entry fmlp_simt_entries[FMLP_GPU_KERNEL_COUNT] = {FMLP_GPU_KERNELS(ENTRY)};
