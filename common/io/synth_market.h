/* A made-up currency market that behaves like one: what `fmlp synth` writes and demonstrations run on.
 *
 * Quotes of one pair around 1.085, five decimals, with sizes. Arrivals are a self-exciting point process
 * under an intraday season of three sessions (Tokyo, London, New York, each on its own clock, so the overlap
 * moves with either clock change); volatility is an exponential of two mean-reverting factors; the spread
 * follows volatility, the hour, the rollover at 17:00 New York and the news; the market closes from Friday
 * 17:00 to Sunday 17:00 New York. A few quotes are crossed, have no spread, or are sent twice, as in real
 * feeds.
 *
 * Every number depends on the seed and the start alone: Philox, + - * / sqrt, and the logarithm and
 * exponential of common/core. */
#ifndef FMLP_COMMON_IO_SYNTH_MARKET_H
#define FMLP_COMMON_IO_SYNTH_MARKET_H

#include <stdint.h>

#include "common/core/status.h"

typedef struct fmlp_synth_market fmlp_synth_market;

/* One quote: time in ms since the epoch, prices in points of 1e-5, sizes in hundredths of a million. Times
 * never decrease. */
typedef struct fmlp_synth_tick {
  int64_t time_ms;
  int32_t bid, ask;
  int32_t bid_size, ask_size;
} fmlp_synth_tick;

/* `start_day`: days since 1970-01-01; the first quote comes after 00:00 UTC of it. FMLP_ERR_USAGE when the tz
 * database lacks London, New York or Tokyo. */
FMLP_WARN_UNUSED fmlp_status fmlp_synth_market_open(uint64_t seed, int64_t start_day,
                                                    fmlp_synth_market **market, fmlp_error *error);

/* The next quote; there is no end. */
fmlp_synth_tick fmlp_synth_market_next(fmlp_synth_market *market);

/* NULL is allowed. */
void fmlp_synth_market_close(fmlp_synth_market *market);

#endif
