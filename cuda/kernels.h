/* Every kernel of cuda/, by name: the one list from which the launch numbers and both tables of entry points
 * (the device's in *.cu, the host's in tests/simt/) are made. A file's kernels stand in its own list. */
#ifndef FMLP_CUDA_KERNELS_H
#define FMLP_CUDA_KERNELS_H

#define FMLP_GPU_ROLLING_POINTWISE_KERNELS(X) X(rolling_pointwise)

#define FMLP_GPU_ROLLING_FRACDIFF_KERNELS(X) X(rolling_fracdiff)
#define FMLP_GPU_ROLLING_EMA_KERNELS(X)                                                                      \
  X(rolling_ema_start)                                                                                       \
  X(rolling_ema_valid)                                                                                       \
  X(rolling_ema_means)                                                                                       \
  X(rolling_ema_variances)                                                                                   \
  X(rolling_ema_chain)                                                                                       \
  X(rolling_ema)                                                                                             \
  X(rolling_ewm_std)

#define FMLP_GPU_ROLLING_EXTREMES_KERNELS(X)                                                                 \
  X(rolling_extremes_short)                                                                                  \
  X(rolling_extremes_one)                                                                                    \
  X(rolling_extremes_both)                                                                                   \
  X(rolling_extremes_rows)                                                                                   \
  X(rolling_extremes_suffix)                                                                                 \
  X(rolling_extremes_level)                                                                                  \
  X(rolling_extremes_segments)

#define FMLP_GPU_ROLLING_ORDER_KERNELS(X) X(rolling_order_short) X(rolling_order) X(rolling_order_large)

#define FMLP_GPU_ROLLING_MOMENTS_KERNELS(X)                                                                  \
  X(rolling_moments_p1)                                                                                      \
  X(rolling_moments_p1_stream)                                                                               \
  X(rolling_moments_p2)                                                                                      \
  X(rolling_moments_p4)                                                                                      \
  X(rolling_moments_m1)                                                                                      \
  X(rolling_moments_m2)                                                                                      \
  X(rolling_moments_m4)                                                                                      \
  X(rolling_moments_c1)                                                                                      \
  X(rolling_moments_c2)                                                                                      \
  X(rolling_moments_skew)                                                                                    \
  X(rolling_moments_kurt)                                                                                    \
  X(rolling_moments_all)                                                                                     \
  X(rolling_moments_merge)                                                                                   \
  X(rolling_moments_merge_all)                                                                               \
  X(rolling_moments_finish)                                                                                  \
  X(rolling_moments_finish_all)                                                                              \
  X(rolling_missing)

#define FMLP_GPU_ROLLING_PAIRS_KERNELS(X)                                                                    \
  X(rolling_pairs_cov1)                                                                                      \
  X(rolling_pairs_cov2)                                                                                      \
  X(rolling_pairs_corr)                                                                                      \
  X(rolling_pairs_merge)                                                                                     \
  X(rolling_pairs_finish)

#define FMLP_GPU_TRIPLE_BARRIER_KERNELS(X) X(barrier_pyramid) X(barrier_search) X(barrier_resolve)

#define FMLP_GPU_PATHS_KERNELS(X, kind)                                                                      \
  X(monte_carlo_##kind##_near)                                                                               \
  X(monte_carlo_##kind##_far)                                                                                \
  X(monte_carlo_##kind##_compounding_near)                                                                   \
  X(monte_carlo_##kind##_compounding_far)
#define FMLP_GPU_MONTE_CARLO_KERNELS(X)                                                                      \
  FMLP_GPU_PATHS_KERNELS(X, day)                                                                             \
  FMLP_GPU_PATHS_KERNELS(X, iid)                                                                             \
  FMLP_GPU_PATHS_KERNELS(X, moving_block)                                                                    \
  FMLP_GPU_PATHS_KERNELS(X, circular_block)                                                                  \
  FMLP_GPU_PATHS_KERNELS(X, stationary)                                                                      \
  FMLP_GPU_PATHS_KERNELS(X, permutation)                                                                     \
  X(monte_carlo_totals)

#define FMLP_GPU_KERNELS(X)                                                                                  \
  FMLP_GPU_MONTE_CARLO_KERNELS(X)                                                                            \
  FMLP_GPU_ROLLING_ORDER_KERNELS(X)                                                                          \
  FMLP_GPU_ROLLING_POINTWISE_KERNELS(X)                                                                      \
  FMLP_GPU_ROLLING_FRACDIFF_KERNELS(X)                                                                       \
  FMLP_GPU_ROLLING_EMA_KERNELS(X)                                                                            \
  FMLP_GPU_ROLLING_EXTREMES_KERNELS(X)                                                                       \
  FMLP_GPU_ROLLING_MOMENTS_KERNELS(X)                                                                        \
  FMLP_GPU_ROLLING_PAIRS_KERNELS(X)                                                                          \
  FMLP_GPU_TRIPLE_BARRIER_KERNELS(X)

#define FMLP_GPU_NUMBER(name) FMLP_GPU_##name,
typedef enum fmlp_gpu_kernel { FMLP_GPU_KERNELS(FMLP_GPU_NUMBER) FMLP_GPU_KERNEL_COUNT } fmlp_gpu_kernel;
#undef FMLP_GPU_NUMBER

/* "rolling_pointwise" and so on: for errors and profiles. */
#ifdef __cplusplus
extern "C" {
#endif
extern const char *const fmlp_gpu_kernel_names[FMLP_GPU_KERNEL_COUNT];
#ifdef __cplusplus
}
#endif

#endif
