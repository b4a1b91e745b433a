/* Windows over a tick source: searches by time and by price. */
#include "common/stages/backtest_ticks.h"

enum { FIRST_WINDOW = 256 };

/* A window of at most `wish` ticks from `first`, not beyond `until`. */
static fmlp_status look(fmlp_tick_cursor *cursor, int64_t first, int64_t until, int64_t wish,
                        fmlp_error *error) {
  fmlp_tick_block *block = &cursor->block;
  if (first >= block->first && first < block->first + block->count) return FMLP_OK;
  int64_t last = until - first > wish ? first + wish : until;
  return cursor->source->view(cursor->source->state, first, last, block, error);
}

fmlp_status fmlp_tick_cursor_find(fmlp_tick_cursor *cursor, int64_t from, int64_t until, int64_t time,
                                  int64_t *index, fmlp_error *error) {
  int64_t wish = FIRST_WINDOW; /* the tick asked for is mostly near; a far one costs a few larger windows */
  for (int64_t at = from; at < until;) {
    FMLP_TRY(look(cursor, at, until, wish, error));
    const fmlp_tick_block *block = &cursor->block;
    int64_t end = block->first + block->count < until ? block->first + block->count : until;
    if (block->time[end - 1 - block->first] >= time) {
      int64_t low = at, high = end - 1; /* the answer lies in [low, high] */
      while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (block->time[middle - block->first] >= time) {
          high = middle;
        } else {
          low = middle + 1;
        }
      }
      *index = low;
      return FMLP_OK;
    }
    at = end;
    if (wish < FMLP_TICK_WINDOW) wish *= 4;
  }
  *index = until;
  return FMLP_OK;
}

fmlp_status fmlp_tick_cursor_get(fmlp_tick_cursor *cursor, int64_t index, fmlp_tick_quote *quote,
                                 fmlp_error *error) {
  FMLP_TRY(look(cursor, index, cursor->source->count, FIRST_WINDOW, error));
  int64_t j = index - cursor->block.first;
  *quote = (fmlp_tick_quote){cursor->block.time[j], cursor->block.bid[j], cursor->block.ask[j]};
  return FMLP_OK;
}

/* Which level a price of the exit side touches; FMLP_EXIT_TIME for none. */
static fmlp_exit_reason touched(const fmlp_exit_query *query, int32_t price) {
  if (query->side > 0) {
    return price >= query->target ? FMLP_EXIT_TARGET : price <= query->stop ? FMLP_EXIT_STOP : FMLP_EXIT_TIME;
  }
  return price <= query->target ? FMLP_EXIT_TARGET : price >= query->stop ? FMLP_EXIT_STOP : FMLP_EXIT_TIME;
}

static bool bar_touches(const fmlp_exit_query *query, int64_t bar) {
  const fmlp_bars *bars = query->bars;
  if (query->side > 0) {
    return bars->bid_high[bar] >= query->target || bars->bid_low[bar] <= query->stop;
  }
  return bars->ask_low[bar] <= query->target || bars->ask_high[bar] >= query->stop;
}

/* The first tick of [from, until) that touches a level; `fill->reason` stays FMLP_EXIT_TIME without one. */
static fmlp_status scan(const fmlp_exit_query *query, fmlp_tick_cursor *cursor, int64_t from, int64_t until,
                        fmlp_exit_fill *fill, fmlp_error *error) {
  for (int64_t at = from; at < until;) {
    FMLP_TRY(look(cursor, at, until, FMLP_TICK_WINDOW, error));
    const fmlp_tick_block *block = &cursor->block;
    int64_t end = block->first + block->count < until ? block->first + block->count : until;
    const int32_t *price = query->side > 0 ? block->bid : block->ask;
    for (; at < end; at++) {
      fmlp_exit_reason reason = touched(query, price[at - block->first]);
      if (reason == FMLP_EXIT_TIME) continue;
      *fill = (fmlp_exit_fill){reason, at, block->time[at - block->first], price[at - block->first]};
      return FMLP_OK;
    }
  }
  return FMLP_OK;
}

fmlp_status fmlp_exit_find(const fmlp_exit_query *query, fmlp_tick_cursor *cursor, fmlp_exit_fill *fill,
                           fmlp_error *error) {
  const fmlp_bars *bars = query->bars;
  fill->reason = FMLP_EXIT_TIME;
  int64_t bar = query->first_bar;
  for (int64_t at = query->first_tick; at < query->limit;) {
    while (bar < bars->count && bars->last_tick[bar] <= at) bar++;
    bool inside = bar < bars->count && bars->first_tick[bar] <= at;
    int64_t until = bar == bars->count ? query->limit : inside ? bars->last_tick[bar] : bars->first_tick[bar];
    if (until > query->limit) until = query->limit;
    if (!inside || bar_touches(query, bar)) {
      FMLP_TRY(scan(query, cursor, at, until, fill, error));
      if (fill->reason != FMLP_EXIT_TIME) return FMLP_OK;
    }
    at = until;
  }
  fmlp_tick_quote quote;
  FMLP_TRY(fmlp_tick_cursor_get(cursor, query->limit - 1, &quote, error));
  *fill =
      (fmlp_exit_fill){FMLP_EXIT_TIME, query->limit - 1, quote.time, query->side > 0 ? quote.bid : quote.ask};
  return FMLP_OK;
}
