/* When a bar ends: one row a bar type. A new type is a new row in bars_rules.c, with its state in
 * fmlp_open_bar. */
#ifndef FMLP_COMMON_STAGES_BARS_RULES_H
#define FMLP_COMMON_STAGES_BARS_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config/settings.h"
#include "common/core/decimal.h"
#include "common/core/int128.h"
#include "common/core/status.h"
#include "common/core/ticks.h"
#include "common/stages/bars_reduce.h"

/* Ticks of one bar at most: keeps n * sum(spread^2) of int32 prices within 127 bits. */
#define FMLP_BAR_TICKS_MAX ((int64_t)UINT32_MAX)

/* The bar being filled. `ticks` is 0 when none is open, and the rest is then meaningless. */
typedef struct fmlp_open_bar {
  int64_t ticks;
  int64_t first_tick;
  int64_t open_time;
  int64_t last_time;    /* of the newest tick */
  int64_t interval_end; /* time bars: exclusive end of the interval, ns */
  int32_t bid_open, bid_close, ask_open, ask_close;
  fmlp_price_sums prices;
  fmlp_int128 bid_volume, ask_volume; /* size units; trades count in bid_volume */
  fmlp_int128 value;                  /* points x size units */
} fmlp_open_bar;

/* What the threshold is in the units that the type counts: ticks, size units, points x size units, or ns. */
typedef struct fmlp_bar_limit {
  fmlp_int128 amount; /* > 0 */
} fmlp_bar_limit;

/* The scales of the input. */
typedef struct fmlp_bar_input {
  fmlp_tick_kind kind;
  bool has_sizes;
  fmlp_scale price;
  fmlp_scale size_unit;
} fmlp_bar_input;

typedef struct fmlp_bar_rule {
  const char *name;
  bool needs_sizes;
  bool counts_ticks; /* bars of one length but for session ends, so that the first one tells how many there
                        will be */
  bool by_time;      /* the tick at interval_end starts the next bar, and a bar's close_time is that end */
  /* The threshold as a limit. NULL: this type is not built yet. */
  fmlp_status (*limit)(const fmlp_bars_settings *settings, const fmlp_bar_input *input, fmlp_bar_limit *limit,
                       fmlp_error *error);
  /* Of the block's ticks [first, last), all of one segment: one past the last that belongs to `bar`, which
   * holds the ticks before `first` (perhaps none). `*complete` becomes true when the bar ends there. */
  int64_t (*scan)(const fmlp_bar_limit *limit, fmlp_open_bar *bar, const fmlp_tick_block *block,
                  int64_t first, int64_t last, bool *complete);
} fmlp_bar_rule;

/* The row of `type`. FMLP_ERR_USAGE for a type that is not built yet. */
FMLP_WARN_UNUSED fmlp_status fmlp_bar_rule_find(fmlp_bar_type type, const fmlp_bar_rule **rule,
                                                fmlp_error *error);

#endif
