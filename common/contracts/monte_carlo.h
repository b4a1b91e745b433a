/* Monte Carlo over a trade list: resampling kinds, path rules, per-path outputs and aggregates (DESIGN 3.3).
 *
 * Random numbers: Philox4x32-10, key = seed, counter = (draw/4 as 64 bits, path as 64 bits), word = draw
 * mod 4. A path depends on (seed, path) alone. Index in [0, n) = (u32 * n) >> 32. The order of arithmetic per
 * trade stands at the top of cpu/monte_carlo.c. */
#ifndef FMLP_COMMON_CONTRACTS_MONTE_CARLO_H
#define FMLP_COMMON_CONTRACTS_MONTE_CARLO_H

#include <stdbool.h>
#include <stdint.h>

#include "common/core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fmlp_buffer fmlp_buffer;

typedef enum fmlp_resampling {
  FMLP_MC_DAY,
  FMLP_MC_IID,
  FMLP_MC_MOVING_BLOCK,
  FMLP_MC_CIRCULAR_BLOCK,
  FMLP_MC_STATIONARY,
  FMLP_MC_PERMUTATION
} fmlp_resampling;

typedef enum fmlp_path_outcome {
  FMLP_PATH_COMPLETE = 0,   /* all max_trades done, no limit met */
  FMLP_PATH_RUIN = 1,       /* capital <= ruin_level */
  FMLP_PATH_DAILY_LOSS = 2, /* a resampled day's closed P&L <= -daily_loss; kind day only */
  FMLP_PATH_TARGET = 3,     /* capital >= target_level */
  FMLP_PATH_OUTCOMES = 4
} fmlp_path_outcome;

/* One job. Levels are in money, computed once by the caller from fractions of the initial capital. Buffers
 * live on the executing device; nothing is owned. */
typedef struct fmlp_monte_carlo {
  fmlp_resampling kind;
  uint64_t seed;
  int64_t paths;          /* >= 1 */
  int64_t first_path;     /* number of the first path, so that ranks and chunks can share one study */
  int64_t trades;         /* n >= 1 */
  int64_t days;           /* kind day: number of trading days with trades, else 0 */
  int64_t block_length;   /* moving/circular block and mean of stationary: in [1, trades] */
  int64_t max_trades;     /* trades a path may take, >= 1; permutation: = trades */
  bool compounding;       /* capital += r * capital instead of capital += pnl */
  double initial_capital; /* > 0 */
  double ruin_level;      /* -INFINITY turns it off */
  double daily_loss;      /* >= 0; INFINITY turns it off; looked at by kind day only */
  double target_level;    /* INFINITY turns it off */
  int32_t fan_points;     /* F >= 0 columns of the fan: capital after trade ceil(max_trades * (f+1) / F) */

  const fmlp_buffer *pnl;   /* double [trades], money, in trade order */
  const fmlp_buffer *ratio; /* double [trades], pnl / capital before the trade; read when compounding */
  const fmlp_buffer
      *day_offset; /* int64 [days+1], trades of day d are [day_offset[d], day_offset[d+1]); kind day */

  fmlp_buffer *final_capital; /* out: double [paths] */
  fmlp_buffer *max_drawdown;  /* out: double [paths], fraction of the running peak */
  fmlp_buffer *trades_used;   /* out: int32 [paths] */
  fmlp_buffer *outcome;       /* out: int8 [paths], fmlp_path_outcome */
  fmlp_buffer *fan;           /* out: double [fan_points][paths]; a stopped path keeps its last capital */
} fmlp_monte_carlo;

/* Aggregates over all paths of a job, in fixed order: bit-identical on every backend. */
typedef struct fmlp_monte_carlo_totals {
  int64_t outcome_count[FMLP_PATH_OUTCOMES];
  int64_t loss_count;        /* paths with final capital < initial */
  double mean_final_capital; /* tree sum over the path index, padded with 0 to 2^k, divided by paths */
  double mean_max_drawdown;  /* likewise */
  int64_t trades_used_total;
} fmlp_monte_carlo_totals;

/* What a backend begins with: FMLP_ERR_USAGE for more trades than 32 bits number; the rest of what stands
 * above is the caller's to keep. */
FMLP_WARN_UNUSED fmlp_status fmlp_monte_carlo_check(const fmlp_monte_carlo *job, fmlp_error *error);

#ifdef __cplusplus
}
#endif
#endif
