/* Ticks: what a reader delivers, cleaning filters, bars consume, and tick-accurate fills look up again. */
#ifndef FMLP_COMMON_CORE_TICKS_H
#define FMLP_COMMON_CORE_TICKS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/core/decimal.h"
#include "common/core/status.h"

typedef enum fmlp_tick_kind { FMLP_QUOTES, FMLP_TRADES } fmlp_tick_kind;

/* A struct of arrays of `count` rows, 64-byte aligned, owned by the table (fmlp_ticks_release).
 * Quotes: bid and ask; bid_size and ask_size are both set or both NULL; size is NULL.
 * Trades: bid == ask == the price column (the same pointer, freed once); size is set or NULL. */
typedef struct fmlp_ticks {
  fmlp_tick_kind kind;
  int64_t count;
  int64_t capacity;     /* rows allocated in each column */
  fmlp_scale price;     /* what one point is worth */
  fmlp_scale size_unit; /* what one size unit is worth */
  int64_t *time;        /* [count] ns since the Unix epoch, UTC */
  int32_t *bid;         /* [count] points, > 0 */
  int32_t *ask;         /* [count] points, > 0 */
  int64_t *bid_size;    /* [count] size units, >= 0, or NULL */
  int64_t *ask_size;    /* [count] size units, >= 0, or NULL */
  int64_t *size;        /* [count] size units, >= 0, or NULL */
} fmlp_ticks;

/* Gives every column of a table of `kind` room for `capacity` rows, keeping the first `count`. On failure the
 * table stays valid with its old rows. */
FMLP_WARN_UNUSED fmlp_status fmlp_ticks_reserve(fmlp_ticks *ticks, int64_t capacity, bool with_sizes,
                                                fmlp_error *error);

/* Frees the columns and zeroes the struct; a zero struct is allowed. */
void fmlp_ticks_release(fmlp_ticks *ticks);

/* Bytes of a row in all columns there are. */
int64_t fmlp_ticks_row_bytes(const fmlp_ticks *ticks);

/* The earliest and latest time of a table in any order; both 0 when it has no row. */
void fmlp_ticks_span(const fmlp_ticks *ticks, int64_t *first_time, int64_t *last_time);

/* A view of consecutive ticks; the arrays belong to the source. Row j of the block is tick first + j. */
typedef struct fmlp_tick_block {
  int64_t first;
  int64_t count;
  const int64_t *time;
  const int32_t *bid;
  const int32_t *ask;
  const int64_t *bid_size; /* or NULL */
  const int64_t *ask_size; /* or NULL */
  const int64_t *size;     /* or NULL */
} fmlp_tick_block;

/* Where ticks come from once cleaned: today the table in memory, later a file-backed spill. Consumers ask for
 * [first, last) and get a view valid until the next call on the same source. */
typedef struct fmlp_tick_source {
  fmlp_tick_kind kind;
  int64_t count;
  fmlp_scale price;
  fmlp_scale size_unit;
  void *state;
  fmlp_status (*view)(void *state, int64_t first, int64_t last, fmlp_tick_block *block, fmlp_error *error);
} fmlp_tick_source;

/* A source over a table in memory, which must outlive it. */
fmlp_tick_source fmlp_ticks_source(const fmlp_ticks *ticks);

#endif
