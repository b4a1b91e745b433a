/* What a bar keeps of its ticks, reduced over a run of ticks: the hot loops of every bar type. Everything is
 * an exact integer, so a run may be cut anywhere and give the same bar. */
#ifndef FMLP_COMMON_STAGES_BARS_REDUCE_H
#define FMLP_COMMON_STAGES_BARS_REDUCE_H

#include <stdint.h>

#include "common/core/int128.h"
#include "common/core/simd.h"

/* Points. Spread = ask - bid, negative where the quote is crossed. */
typedef struct fmlp_price_sums {
  int32_t bid_high, bid_low, ask_high, ask_low;
  int64_t spread_sum;
  fmlp_int128 spread_squares;
} fmlp_price_sums;

/* Reduces `count` in [1, 2^32) quotes (prices > 0, points) into `*out`, which is overwritten. */
FMLP_SIMD_DECLARE(void, fmlp_bars_reduce_quotes,
                  (const int32_t *bid, const int32_t *ask, int64_t count, fmlp_price_sums *out));

/* The same for trades, where bid == ask: the spreads are 0. */
FMLP_SIMD_DECLARE(void, fmlp_bars_reduce_trades, (const int32_t *price, int64_t count, fmlp_price_sums *out));

/* Adds `count` sizes (>= 0) to `*volume` (size units) and price x size to `*value` (points x size units). */
FMLP_SIMD_DECLARE(void, fmlp_bars_reduce_sizes,
                  (const int32_t *price, const int64_t *size, int64_t count, fmlp_int128 *volume,
                   fmlp_int128 *value));

#endif
