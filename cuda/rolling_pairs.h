/* The kernels in rolling_pairs.cuh: their numbers, needed by both sides. Parameters: rolling_tree.h. */
#ifndef FMLP_CUDA_ROLLING_PAIRS_H
#define FMLP_CUDA_ROLLING_PAIRS_H

#include "cuda/rolling_tree.h"

/* P1, P2 and M12 are always there; with this M11 and M22 too. */
enum { FMLP_GPU_WITH_SQUARES = 1 };

/* As FMLP_GPU_MOMENTS_TILES. */
#define FMLP_GPU_PAIRS_TILES(X)                                                                              \
  X(rolling_pairs_cov1, 0, 3, 4, 1, 8, 256, 0)                                                               \
  X(rolling_pairs_cov2, 0, 3, 4, 2, 4, 256, 0)                                                               \
  X(rolling_pairs_corr, 1, 5, 4, 1, 4, 256, 0)

#endif
