/* The kernels in rolling_moments.cuh: their numbers, needed by both sides. Parameters: rolling_tree.h. */
#ifndef FMLP_CUDA_ROLLING_MOMENTS_H
#define FMLP_CUDA_ROLLING_MOMENTS_H

#include "cuda/rolling_tree.h"

/* P is always there. */
enum { FMLP_GPU_WITH_M = 1, FMLP_GPU_WITH_M3 = 2, FMLP_GPU_WITH_M4 = 4, FMLP_GPU_WITH_C = 8 };

/* X(kernel, fields, count of fields, constants of a merge, windows, rows a thread, threads a multiprocessor,
 * streams): rows so that the nodes of a thread fit its registers, threads so that these registers are there.
 */
#define FMLP_GPU_MOMENTS_TILES(X)                                                                            \
  X(rolling_moments_p1, 0, 1, 5, 1, 16, 384, 0)                                                              \
  X(rolling_moments_p1_stream, 0, 1, 5, 1, 16, 384, 1)                                                       \
  X(rolling_moments_p2, 0, 1, 5, 2, 16, 256, 0)                                                              \
  X(rolling_moments_p4, 0, 1, 5, 4, 8, 256, 0)                                                               \
  X(rolling_moments_m1, 1, 2, 5, 1, 8, 384, 0)                                                               \
  X(rolling_moments_m2, 1, 2, 5, 2, 8, 256, 0)                                                               \
  X(rolling_moments_m4, 1, 2, 5, 4, 4, 256, 0)                                                               \
  X(rolling_moments_c1, 9, 3, 5, 1, 8, 256, 0)                                                               \
  X(rolling_moments_c2, 9, 3, 5, 2, 4, 384, 0)                                                               \
  X(rolling_moments_skew, 3, 3, 8, 1, 8, 256, 0)                                                             \
  X(rolling_moments_kurt, 7, 4, 13, 1, 4, 384, 0)                                                            \
  X(rolling_moments_all, 15, 5, 13, 1, 4, 256, 0)

#endif
