/* Bars: the table every later stage works on. */
#ifndef FMLP_COMMON_CORE_BARS_H
#define FMLP_COMMON_CORE_BARS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/core/decimal.h"
#include "common/core/status.h"
#include "common/core/ticks.h"

/* A struct of arrays of `count` rows, 64-byte aligned, owned by the table (fmlp_bars_release). Every column
 * is set except where said. For trades bid == ask == the traded price, and the ask columns alias the bid
 * columns. */
typedef struct fmlp_bars {
  fmlp_tick_kind kind;
  bool has_sizes;
  int64_t count;
  int64_t capacity;
  fmlp_scale price;
  fmlp_scale size_unit;
  int64_t *open_time;  /* ns UTC, time of the first tick */
  int64_t *close_time; /* ns UTC, time of the last tick; the end of the interval for time bars */
  int64_t *first_tick; /* index of the bar's first tick in the cleaned ticks */
  int64_t *last_tick;  /* one past its last tick; last_tick - first_tick is the tick count, > 0 */
  int32_t *bid_open, *bid_high, *bid_low, *bid_close; /* points */
  int32_t *ask_open, *ask_high, *ask_low, *ask_close; /* points */
  int64_t *bid_volume, *ask_volume;                   /* size units; NULL without sizes and for trades */
  int64_t *volume;     /* size units, traded or bid + ask; NULL without sizes */
  double *vwap;        /* price units: value / volume, NaN for no volume; NULL without sizes */
  double *spread_mean; /* price units */
  double *spread_std;  /* price units, ddof 1, NaN for a bar of one tick */
  void *block; /* NULL, or what all columns lie in (a large table): then no column is freed on its own */
} fmlp_bars;

/* Gives every column the table's kind needs room for `capacity` rows, keeping the first `count`. On failure
 * the table stays valid with its old rows. Set kind and has_sizes first. Columns move. */
FMLP_WARN_UNUSED fmlp_status fmlp_bars_reserve(fmlp_bars *bars, int64_t capacity, fmlp_error *error);

/* Frees the columns and zeroes the struct; a zero struct is allowed. */
void fmlp_bars_release(fmlp_bars *bars);

#endif
