/* The backtest's two questions to the ticks: when does a time come, and where does a position end. */
#ifndef FMLP_COMMON_STAGES_BACKTEST_TICKS_H
#define FMLP_COMMON_STAGES_BACKTEST_TICKS_H

#include "common/core/bars.h"
#include "common/core/dataset.h"
#include "common/core/ticks.h"

enum { FMLP_TICK_WINDOW = 65536 }; /* most ticks asked of a source at a time */

/* Remembers the last window. Zero-initialise but for `source`. */
typedef struct fmlp_tick_cursor {
  const fmlp_tick_source *source;
  fmlp_tick_block block;
} fmlp_tick_cursor;

typedef struct fmlp_tick_quote {
  int64_t time;
  int32_t bid, ask;
} fmlp_tick_quote;

/* Index of the first tick in [from, until) with time >= `time`, else `until`. Times do not decrease. */
FMLP_WARN_UNUSED fmlp_status fmlp_tick_cursor_find(fmlp_tick_cursor *cursor, int64_t from, int64_t until,
                                                   int64_t time, int64_t *index, fmlp_error *error);

FMLP_WARN_UNUSED fmlp_status fmlp_tick_cursor_get(fmlp_tick_cursor *cursor, int64_t index,
                                                  fmlp_tick_quote *quote, fmlp_error *error);

/* A position of `side` with two levels in points, watched over the ticks [first_tick, limit), which must not
 * be empty. No bar before `first_bar` holds any of them; ticks between two bars count too. */
typedef struct fmlp_exit_query {
  const fmlp_bars *bars;
  int side;
  int32_t target, stop;
  int64_t first_bar, first_tick, limit;
} fmlp_exit_query;

typedef struct fmlp_exit_fill {
  fmlp_exit_reason reason;
  int64_t tick;  /* the touching tick, or limit - 1 */
  int64_t time;  /* ns */
  int32_t price; /* the tick's exit side, points */
} fmlp_exit_fill;

FMLP_WARN_UNUSED fmlp_status fmlp_exit_find(const fmlp_exit_query *query, fmlp_tick_cursor *cursor,
                                            fmlp_exit_fill *fill, fmlp_error *error);
#endif
