/* Tick tables: growing, releasing, and the in-memory tick source. */
#include "common/core/ticks.h"

#include <assert.h>
#include <string.h>

#include "common/core/memory.h"

static fmlp_status reserve_sizes(fmlp_ticks *ticks, int64_t capacity, fmlp_error *error) {
  if (ticks->kind == FMLP_TRADES) {
    return fmlp_resize(&ticks->size, ticks->count, capacity, sizeof *ticks->size, "tick sizes", error);
  }
  FMLP_TRY(
      fmlp_resize(&ticks->bid_size, ticks->count, capacity, sizeof *ticks->bid_size, "bid sizes", error));
  return fmlp_resize(&ticks->ask_size, ticks->count, capacity, sizeof *ticks->ask_size, "ask sizes", error);
}

fmlp_status fmlp_ticks_reserve(fmlp_ticks *ticks, int64_t capacity, bool with_sizes, fmlp_error *error) {
  assert(capacity >= ticks->count);
  FMLP_TRY(fmlp_resize(&ticks->time, ticks->count, capacity, sizeof *ticks->time, "tick times", error));
  if (ticks->kind == FMLP_TRADES) {
    fmlp_status status =
        fmlp_resize(&ticks->bid, ticks->count, capacity, sizeof *ticks->bid, "tick prices", error);
    ticks->ask = ticks->bid;
    FMLP_TRY(status);
  } else {
    FMLP_TRY(fmlp_resize(&ticks->bid, ticks->count, capacity, sizeof *ticks->bid, "bid prices", error));
    FMLP_TRY(fmlp_resize(&ticks->ask, ticks->count, capacity, sizeof *ticks->ask, "ask prices", error));
  }
  if (with_sizes) FMLP_TRY(reserve_sizes(ticks, capacity, error));
  ticks->capacity = capacity;
  return FMLP_OK;
}

void fmlp_ticks_release(fmlp_ticks *ticks) {
  fmlp_free(ticks->time);
  if (ticks->ask != ticks->bid) fmlp_free(ticks->ask);
  fmlp_free(ticks->bid);
  fmlp_free(ticks->bid_size);
  fmlp_free(ticks->ask_size);
  fmlp_free(ticks->size);
  memset(ticks, 0, sizeof *ticks);
}

int64_t fmlp_ticks_row_bytes(const fmlp_ticks *ticks) {
  int64_t bytes = ticks->time ? 8 : 0;
  if (ticks->bid) bytes += 4;
  if (ticks->ask && ticks->ask != ticks->bid) bytes += 4;
  if (ticks->bid_size) bytes += 8;
  if (ticks->ask_size) bytes += 8;
  return ticks->size ? bytes + 8 : bytes;
}

void fmlp_ticks_span(const fmlp_ticks *ticks, int64_t *first_time, int64_t *last_time) {
  int64_t first = INT64_MAX, last = INT64_MIN;
  for (int64_t i = 0; i < ticks->count; i++) {
    first = ticks->time[i] < first ? ticks->time[i] : first;
    last = ticks->time[i] > last ? ticks->time[i] : last;
  }
  *first_time = ticks->count > 0 ? first : 0;
  *last_time = ticks->count > 0 ? last : 0;
}

static fmlp_status view_memory(void *state, int64_t first, int64_t last, fmlp_tick_block *block,
                               fmlp_error *error) {
  const fmlp_ticks *ticks = state;
  assert(0 <= first && first <= last && last <= ticks->count);
  (void)error;
  *block = (fmlp_tick_block){.first = first,
                             .count = last - first,
                             .time = ticks->time + first,
                             .bid = ticks->bid + first,
                             .ask = ticks->ask + first,
                             .bid_size = ticks->bid_size ? ticks->bid_size + first : NULL,
                             .ask_size = ticks->ask_size ? ticks->ask_size + first : NULL,
                             .size = ticks->size ? ticks->size + first : NULL};
  return FMLP_OK;
}

fmlp_tick_source fmlp_ticks_source(const fmlp_ticks *ticks) {
  return (fmlp_tick_source){.kind = ticks->kind,
                            .count = ticks->count,
                            .price = ticks->price,
                            .size_unit = ticks->size_unit,
                            .state = (void *)(uintptr_t)ticks,
                            .view = view_memory};
}
