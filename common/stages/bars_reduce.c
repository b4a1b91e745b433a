/* Extremes and exact sums over a run of ticks, compiled for each instruction set and left to the vectoriser.
 *
 * Sums run in 32 and 64 bits and may wrap; the magnitude of the operands, gathered in the same pass, tells
 * afterwards whether they can have wrapped, and a chunk that might have is summed again in wide arithmetic.
 */
#include "common/stages/bars_reduce.h"

enum {
  CHUNK_BITS = 12, /* ticks summed between two checks: 4096 */
  CHUNK = 1 << CHUNK_BITS,
  NARROW_SPREAD_BITS = 31 - CHUNK_BITS /* then 4096 spreads stay below 2^31 and their squares below 2^50 */
};

/* How many bits the magnitude takes. */
static inline int bits_in(uint64_t magnitude) {
  return magnitude == 0 ? 0 : 64 - __builtin_clzll(magnitude);
}

static void sum_spreads_wide(const int32_t *bid, const int32_t *ask, int64_t count, fmlp_price_sums *sums) {
  for (int64_t i = 0; i < count; i++) {
    int64_t spread = (int64_t)ask[i] - bid[i];
    sums->spread_sum += spread;
    sums->spread_squares += spread * spread;
  }
}

static void reduce_quote_chunk(const int32_t *bid, const int32_t *ask, int64_t count, fmlp_price_sums *sums) {
  int32_t bid_high = sums->bid_high, bid_low = sums->bid_low;
  int32_t ask_high = sums->ask_high, ask_low = sums->ask_low;
  uint32_t spread_sum = 0, magnitude = 0;
  int64_t spread_squares = 0;
  for (int64_t i = 0; i < count; i++) {
    int32_t b = bid[i], a = ask[i];
    bid_high = b > bid_high ? b : bid_high;
    bid_low = b < bid_low ? b : bid_low;
    ask_high = a > ask_high ? a : ask_high;
    ask_low = a < ask_low ? a : ask_low;
    int32_t spread = a - b; /* both > 0: cannot overflow */
    spread_sum += (uint32_t)spread;
    spread_squares = (int64_t)((uint64_t)spread_squares + (uint64_t)((int64_t)spread * spread));
    magnitude |= (uint32_t)(spread ^ (spread >> 31));
  }
  sums->bid_high = bid_high;
  sums->bid_low = bid_low;
  sums->ask_high = ask_high;
  sums->ask_low = ask_low;
  if (bits_in(magnitude) <= NARROW_SPREAD_BITS - 1) {
    sums->spread_sum += (int32_t)spread_sum;
    sums->spread_squares += spread_squares;
  } else {
    sum_spreads_wide(bid, ask, count, sums);
  }
}

void FMLP_SIMD_NAME(fmlp_bars_reduce_quotes)(const int32_t *bid, const int32_t *ask, int64_t count,
                                             fmlp_price_sums *out) {
  fmlp_price_sums sums = {bid[0], bid[0], ask[0], ask[0], 0, 0};
  for (int64_t i = 0; i < count; i += CHUNK) {
    reduce_quote_chunk(bid + i, ask + i, count - i < CHUNK ? count - i : CHUNK, &sums);
  }
  *out = sums;
}

void FMLP_SIMD_NAME(fmlp_bars_reduce_trades)(const int32_t *price, int64_t count, fmlp_price_sums *out) {
  int32_t high = price[0], low = price[0];
  for (int64_t i = 0; i < count; i++) {
    high = price[i] > high ? price[i] : high;
    low = price[i] < low ? price[i] : low;
  }
  *out = (fmlp_price_sums){high, low, high, low, 0, 0};
}

void FMLP_SIMD_NAME(fmlp_bars_reduce_sizes)(const int32_t *price, const int64_t *size, int64_t count,
                                            fmlp_int128 *volume, fmlp_int128 *value) {
  for (int64_t first = 0; first < count; first += CHUNK) {
    int64_t last = count - first < CHUNK ? count : first + CHUNK;
    uint64_t volume_sum = 0, value_sum = 0, sizes = 0, prices = 0;
    for (int64_t i = first; i < last; i++) {
      uint64_t s = (uint64_t)size[i], p = (uint64_t)price[i];
      volume_sum += s;
      value_sum += s * p;
      sizes |= s;
      prices |= p;
    }
    if (bits_in(sizes) + bits_in(prices) + CHUNK_BITS <= 63) {
      *volume += (int64_t)volume_sum;
      *value += (int64_t)value_sum;
    } else {
      for (int64_t i = first; i < last; i++) {
        *volume += size[i];
        *value += (fmlp_int128)size[i] * price[i];
      }
    }
  }
}
