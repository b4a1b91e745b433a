/* The parameter of the kernels in rolling_order.cuh. */
#ifndef FMLP_CUDA_ROLLING_ORDER_H
#define FMLP_CUDA_ROLLING_ORDER_H

#include "common/core/bits.h"
#include "cuda/rolling_kernels.h"

enum {
  FMLP_GPU_ORDER_RUN = 7, /* keys a thread sorts by itself; odd, so that runs start in different banks */
  FMLP_GPU_ORDER_FEWEST_DOUBLINGS = 5,
  FMLP_GPU_ORDER_MOST_DOUBLINGS = 28,
  FMLP_GPU_ORDER_MOST_WARPS = 32,
  FMLP_GPU_ORDER_MOST_THREADS = 512, /* with a tile in shared memory: for 1024 ptxas spills on sm_90 */
  FMLP_GPU_ORDER_SHORT =
      32 /* windows up to here are answered from masks: a bit for each neighbour, and one */
};

/* Items of a tile, 7 * 2^doublings; a multiple of 32. */
static FMLP_BOTH_SIDES int64_t fmlp_gpu_order_items(int32_t doublings) {
  return (int64_t)FMLP_GPU_ORDER_RUN << doublings;
}

/* Levels of a tile's table: one for missing values and one a bit of a rank (7 * 2^d <= 2^(d+3)). */
static FMLP_BOTH_SIDES int32_t fmlp_gpu_order_levels(int32_t doublings) {
  return doublings + 4;
}

/* Words of a tile's table: a bit an item and level, and one word behind each level. */
static FMLP_BOTH_SIDES int64_t fmlp_gpu_order_words(int32_t doublings) {
  return fmlp_gpu_order_levels(doublings) * (fmlp_gpu_order_items(doublings) / 32 + 1);
}

/* Median and quantile: the values of rank `place` and the next, `fraction` between them. */
typedef struct fmlp_gpu_order_target {
  double *values; /* row r at values[r - first] */
  int64_t first;
  double fraction;
  int32_t place;
  int32_t is_rank;
} fmlp_gpu_order_target;

/* rolling_order_short: a tile is `rows` of the rows [first, last), and SHORT - 1 more items at either end. */
static FMLP_BOTH_SIDES int64_t fmlp_gpu_order_short_items(int64_t rows) {
  return rows + 2 * (FMLP_GPU_ORDER_SHORT - 1);
}

/* Rows [first, complete) are NaN. Elsewhere a tile is items - window + 1 of the rows [complete, last), and
 * the rows in front that their windows reach. */
typedef struct fmlp_gpu_rolling_order_args {
  int64_t origin, first, complete, last;
  fmlp_gpu_column a;
  int64_t window, tiles;
  char *scratch; /* rolling_order_large: scratch_bytes for each block, aligned to 256 */
  int64_t scratch_bytes;
  int32_t doublings;
  int32_t target_count;
  int64_t rows; /* of a tile, rolling_order_short */
  fmlp_gpu_order_target targets[FMLP_GPU_TARGETS];
} fmlp_gpu_rolling_order_args;

#endif
