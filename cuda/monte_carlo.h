/* The parameters of the kernels in monte_carlo.cuh, and what they and their host side agree on. */
#ifndef FMLP_CUDA_MONTE_CARLO_H
#define FMLP_CUDA_MONTE_CARLO_H

#include <stdint.h>

/* Trades a thread takes between two looks at anything else; one Philox block of draws. */
enum { FMLP_GPU_PATH_STEP = 4 };

/* Draws that a thread has in hand, for kinds that draw once for a run of trades: shared memory,
 * [FMLP_GPU_PATH_DRAWS][threads]. */
enum { FMLP_GPU_PATH_DRAWS = 8 };

/* A tile is 2^FMLP_GPU_TILE_LEVEL paths, counted from path 0 of the job: a node of the tree of core/tree.h.
 */
enum { FMLP_GPU_TILE_LEVEL = 10, FMLP_GPU_TILE = 1 << FMLP_GPU_TILE_LEVEL };

/* Paths that one thread adds before a tile's tree goes on in shared memory: two columns of
 * FMLP_GPU_TILE / FMLP_GPU_TILE_RUN doubles. */
enum { FMLP_GPU_TILE_RUN = 8 };

/* Paths of one launch. Arrays are in device memory; per-path ones begin with the launch's first path. */
typedef struct fmlp_gpu_paths_args {
  uint64_t key;
  uint64_t first_path; /* Philox's number of the launch's first path */
  int64_t paths;
  double initial_capital, ruin_level, target_level;
  double daily_loss;            /* negated: the level of a day's gain that ends the path */
  uint64_t restart_below;       /* stationary: floor(2^32 / block_length) */
  int32_t trades, days;         /* days 0 but for kind day */
  int32_t block_length, starts; /* moving and circular block: where blocks may start */
  int32_t max_trades, fan_points;
  int32_t draws_a_step; /* runs: draws that FMLP_GPU_PATH_STEP trades may take */
  int32_t unused;
  const double *values;      /* [trades] pnl or ratio */
  const int64_t *day_offset; /* [days + 1] */
  const int32_t *fan_at;     /* [fan_points] trades after which each column of the fan is taken */
  int32_t *order;            /* permutation, far: [trades][gridDim * blockDim] */
  double *final_capital, *max_drawdown;
  double *fan; /* column f of the fan begins at fan[f * fan_pitch] */
  int64_t fan_pitch;
  int32_t *trades_used;
  int8_t *outcome;
} fmlp_gpu_paths_args;

/* What FMLP_GPU_COUNTERS counters hold; complete paths are the rest. */
typedef enum fmlp_gpu_counter {
  FMLP_GPU_COUNT_RUIN,
  FMLP_GPU_COUNT_DAILY_LOSS,
  FMLP_GPU_COUNT_TARGET,
  FMLP_GPU_COUNT_LOSS,
  FMLP_GPU_COUNT_TRADES,
  FMLP_GPU_COUNTERS = 8
} fmlp_gpu_counter;

/* Totals of paths [first, last) of the job. Whole tiles among them become one node each of both sums, the
 * paths before and behind those are copied, so that `sums` holds what the host pushes into its trees, in
 * order: sums[0 .. length) of the capitals, sums[length .. 2 * length) of the drawdowns. */
typedef struct fmlp_gpu_path_totals_args {
  int64_t first, last;
  int64_t whole_first, whole_last; /* whole tiles, by number; whole_first = whole_last: none */
  double initial_capital;
  const double *final_capital, *max_drawdown; /* begin with path `first`, as the next two */
  const int32_t *trades_used;
  const int8_t *outcome;
  double *sums;
  int64_t length;
  unsigned long long *counters; /* [FMLP_GPU_COUNTERS], added to */
} fmlp_gpu_path_totals_args;

#endif
