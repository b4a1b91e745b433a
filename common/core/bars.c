/* Growing and releasing bars.
 *
 * A small table has a block for each column, so that memory checkers see a read beyond a column. A large one
 * has a single block for all of them: it can lie on huge pages, where one fault maps what otherwise takes 512
 * (measured: 40 % of the time of tick bars). */
#include "common/core/bars.h"

#include <stddef.h>
#include <string.h>

#include "common/core/memory.h"

typedef enum presence { ALWAYS, QUOTES, SIZES, QUOTE_SIZES } presence;

typedef struct column {
  size_t offset; /* of the pointer in fmlp_bars */
  int64_t size;  /* bytes of an element */
  presence when;
} column;

#define COLUMN(member, when)                                                                                 \
  { offsetof(fmlp_bars, member), (int64_t)sizeof *((fmlp_bars *)0)->member, when }

static const column columns[] = {
    COLUMN(open_time, ALWAYS),   COLUMN(close_time, ALWAYS),      COLUMN(first_tick, ALWAYS),
    COLUMN(last_tick, ALWAYS),   COLUMN(bid_open, ALWAYS),        COLUMN(bid_high, ALWAYS),
    COLUMN(bid_low, ALWAYS),     COLUMN(bid_close, ALWAYS),       COLUMN(ask_open, QUOTES),
    COLUMN(ask_high, QUOTES),    COLUMN(ask_low, QUOTES),         COLUMN(ask_close, QUOTES),
    COLUMN(spread_mean, ALWAYS), COLUMN(spread_std, ALWAYS),      COLUMN(volume, SIZES),
    COLUMN(vwap, SIZES),         COLUMN(bid_volume, QUOTE_SIZES), COLUMN(ask_volume, QUOTE_SIZES),
};
enum { COLUMNS = sizeof columns / sizeof *columns, ONE_BLOCK_FROM = 1 << 22 /* bytes */ };

static bool is_wanted(const fmlp_bars *bars, const column *one) {
  bool quotes = bars->kind == FMLP_QUOTES;
  switch (one->when) {
  case QUOTES:
    return quotes;
  case SIZES:
    return bars->has_sizes;
  case QUOTE_SIZES:
    return quotes && bars->has_sizes;
  case ALWAYS:
  default:
    return true;
  }
}

static void *get(const fmlp_bars *bars, const column *one) {
  void *data = NULL;
  memcpy(&data, (const char *)bars + one->offset, sizeof data);
  return data;
}

static void set(fmlp_bars *bars, const column *one, void *data) {
  memcpy((char *)bars + one->offset, &data, sizeof data);
}

/* For trades the ask columns are the bid columns, whatever those are now. */
static void alias_asks(fmlp_bars *bars) {
  if (bars->kind == FMLP_QUOTES) return;
  bars->ask_open = bars->bid_open;
  bars->ask_high = bars->bid_high;
  bars->ask_low = bars->bid_low;
  bars->ask_close = bars->bid_close;
}

static void free_columns(fmlp_bars *bars) {
  bool aliased = bars->ask_open == bars->bid_open;
  if (bars->block) {
    fmlp_free(bars->block);
    return;
  }
  for (int c = 0; c < COLUMNS; c++) {
    if (aliased && columns[c].when == QUOTES) continue;
    fmlp_free(get(bars, &columns[c]));
  }
}

static fmlp_status grow_columns(fmlp_bars *bars, int64_t capacity, fmlp_error *error) {
  fmlp_status status = FMLP_OK;
  for (int c = 0; status == FMLP_OK && c < COLUMNS; c++) {
    if (!is_wanted(bars, &columns[c])) continue;
    void *data = get(bars, &columns[c]);
    status = fmlp_resize(&data, bars->count, capacity, (size_t)columns[c].size, "bars", error);
    set(bars, &columns[c], data);
  }
  alias_asks(bars);
  return status;
}

/* Bytes of a column of `capacity` rows, up to the next line boundary. */
static int64_t column_bytes(const column *one, int64_t capacity) {
  return (capacity * one->size + FMLP_ALIGNMENT - 1) / FMLP_ALIGNMENT * FMLP_ALIGNMENT;
}

static fmlp_status move_to_block(fmlp_bars *bars, int64_t capacity, int64_t bytes, fmlp_error *error) {
  char *block = NULL;
  FMLP_TRY(fmlp_alloc(&block, bytes, 1, "bars", error));
  fmlp_bars old = *bars;
  int64_t used = 0;
  for (int c = 0; c < COLUMNS; c++) {
    if (!is_wanted(bars, &columns[c])) continue;
    const void *rows = get(&old, &columns[c]);
    if (rows && old.count > 0) memcpy(block + used, rows, (size_t)(old.count * columns[c].size));
    set(bars, &columns[c], block + used);
    used += column_bytes(&columns[c], capacity);
  }
  alias_asks(bars);
  free_columns(&old);
  bars->block = block;
  return FMLP_OK;
}

fmlp_status fmlp_bars_reserve(fmlp_bars *bars, int64_t capacity, fmlp_error *error) {
  enum { ROW_BYTES_MAX = COLUMNS * 8 };
  if (capacity < 0 || capacity > INT64_MAX / ROW_BYTES_MAX / 2) {
    return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: %lld bars", (long long)capacity);
  }
  int64_t bytes = 0;
  for (int c = 0; c < COLUMNS; c++) {
    if (is_wanted(bars, &columns[c])) bytes += column_bytes(&columns[c], capacity);
  }
  if (bars->block || bytes >= ONE_BLOCK_FROM) {
    FMLP_TRY(move_to_block(bars, capacity, bytes, error));
  } else {
    FMLP_TRY(grow_columns(bars, capacity, error));
  }
  bars->capacity = capacity;
  return FMLP_OK;
}

void fmlp_bars_release(fmlp_bars *bars) {
  free_columns(bars);
  memset(bars, 0, sizeof *bars);
}
