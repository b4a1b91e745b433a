/* The table of bar types: how each reads its threshold, and where in a run of ticks its bar ends.
 *
 * Thresholds are compared as integers: size units for volume bars, points x size units for dollar bars, ns
 * for time bars. The tick that reaches the threshold belongs to the bar that it ends. */
#include "common/stages/bars_rules.h"

#include "common/stages/bars_search.h"
#include "common/stages/bars_threshold.h"

static fmlp_status limit_ticks(const fmlp_bars_settings *settings, const fmlp_bar_input *input,
                               fmlp_bar_limit *limit, fmlp_error *error) {
  (void)input;
  bool exact = false;
  FMLP_TRY(fmlp_bars_threshold(settings, 0, 1, &limit->amount, &exact, error));
  if (!exact || limit->amount > FMLP_BAR_TICKS_MAX) {
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "bars.threshold: tick bars need a whole number of ticks from 1 to %lld",
                     (long long)FMLP_BAR_TICKS_MAX);
  }
  return FMLP_OK;
}

static fmlp_status limit_volume(const fmlp_bars_settings *settings, const fmlp_bar_input *input,
                                fmlp_bar_limit *limit, fmlp_error *error) {
  bool exact = false;
  FMLP_TRY(
      fmlp_bars_threshold(settings, input->size_unit.k, input->size_unit.m, &limit->amount, &exact, error));
  if (limit->amount > INT64_MAX) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "bars.threshold: more volume than a bar can hold; use less");
  }
  return FMLP_OK;
}

static fmlp_status limit_value(const fmlp_bars_settings *settings, const fmlp_bar_input *input,
                               fmlp_bar_limit *limit, fmlp_error *error) {
  bool exact = false;
  return fmlp_bars_threshold(settings, input->price.k + input->size_unit.k,
                             (fmlp_int128)input->price.m * input->size_unit.m, &limit->amount, &exact, error);
}

static fmlp_status limit_time(const fmlp_bars_settings *settings, const fmlp_bar_input *input,
                              fmlp_bar_limit *limit, fmlp_error *error) {
  (void)input;
  bool exact = false;
  FMLP_TRY(fmlp_bars_threshold(settings, 9, 1, &limit->amount, &exact, error));
  if (!exact || limit->amount > INT64_MAX) {
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "bars.threshold: time bars need seconds in whole nanoseconds, such as 60 or 0.5");
  }
  return FMLP_OK;
}

static int64_t scan_ticks(const fmlp_bar_limit *limit, fmlp_open_bar *bar, const fmlp_tick_block *block,
                          int64_t first, int64_t last, bool *complete) {
  (void)block;
  int64_t missing = (int64_t)limit->amount - bar->ticks;
  *complete = missing <= last - first;
  return *complete ? first + missing : last;
}

static int64_t scan_volume(const fmlp_bar_limit *limit, fmlp_open_bar *bar, const fmlp_tick_block *block,
                           int64_t first, int64_t last, bool *complete) {
  /* The limit fits 63 bits, so a sum that wraps is beyond it; one size more than what is below it cannot
   * wrap. */
  uint64_t amount = (uint64_t)limit->amount;
  uint64_t held = bar->ticks > 0 ? (uint64_t)(bar->bid_volume + bar->ask_volume) : 0;
  if (block->size) {
    for (int64_t i = first; i < last; i++) {
      held += (uint64_t)block->size[i];
      if (held >= amount) {
        *complete = true;
        return i + 1;
      }
    }
    return last;
  }
  for (int64_t i = first; i < last; i++) {
    uint64_t both = (uint64_t)block->bid_size[i] + (uint64_t)block->ask_size[i];
    if (__builtin_add_overflow(held, both, &held) || held >= amount) {
      *complete = true;
      return i + 1;
    }
  }
  return last;
}

static int64_t scan_value(const fmlp_bar_limit *limit, fmlp_open_bar *bar, const fmlp_tick_block *block,
                          int64_t first, int64_t last, bool *complete) {
  /* In what is left to the limit: one subtraction and a sign test a tick. */
  fmlp_int128 missing = bar->ticks > 0 ? limit->amount - bar->value : limit->amount;
  if (block->size) {
    for (int64_t i = first; i < last; i++) {
      missing -= (fmlp_int128)block->size[i] * block->bid[i];
      if (missing <= 0) {
        *complete = true;
        return i + 1;
      }
    }
    return last;
  }
  for (int64_t i = first; i < last; i++) {
    missing -= (fmlp_int128)block->bid_size[i] * block->bid[i];
    missing -= (fmlp_int128)block->ask_size[i] * block->ask[i];
    if (missing <= 0) {
      *complete = true;
      return i + 1;
    }
  }
  return last;
}

/* End of the interval around `time`; the grid has a line at the epoch. */
static int64_t interval_end(int64_t time, int64_t interval) {
  int64_t index = time / interval - (time % interval < 0);
  fmlp_int128 end = ((fmlp_int128)index + 1) * interval;
  return end > INT64_MAX ? INT64_MAX : (int64_t)end;
}

static int64_t scan_time(const fmlp_bar_limit *limit, fmlp_open_bar *bar, const fmlp_tick_block *block,
                         int64_t first, int64_t last, bool *complete) {
  if (bar->ticks == 0) bar->interval_end = interval_end(block->time[first], (int64_t)limit->amount);
  int64_t end = fmlp_bars_first_at(block->time, first, last, bar->interval_end);
  if (end == first && bar->ticks == 0) end = last; /* the last nanosecond that 64 bits can name */
  *complete = end < last;
  return end;
}

static const fmlp_bar_rule rules[] = {
    [FMLP_BARS_TICK] = {.name = "tick", .counts_ticks = true, .limit = limit_ticks, .scan = scan_ticks},
    [FMLP_BARS_VOLUME] = {.name = "volume", .needs_sizes = true, .limit = limit_volume, .scan = scan_volume},
    [FMLP_BARS_DOLLAR] = {.name = "dollar", .needs_sizes = true, .limit = limit_value, .scan = scan_value},
    [FMLP_BARS_TIME] = {.name = "time", .by_time = true, .limit = limit_time, .scan = scan_time},
    [FMLP_BARS_TICK_IMBALANCE] = {.name = "tick_imbalance"},
    [FMLP_BARS_VOLUME_IMBALANCE] = {.name = "volume_imbalance", .needs_sizes = true},
    [FMLP_BARS_DOLLAR_IMBALANCE] = {.name = "dollar_imbalance", .needs_sizes = true},
    [FMLP_BARS_TICK_RUN] = {.name = "tick_run"},
    [FMLP_BARS_VOLUME_RUN] = {.name = "volume_run", .needs_sizes = true},
    [FMLP_BARS_DOLLAR_RUN] = {.name = "dollar_run", .needs_sizes = true},
};

fmlp_status fmlp_bar_rule_find(fmlp_bar_type type, const fmlp_bar_rule **rule, fmlp_error *error) {
  *rule = &rules[type];
  if ((*rule)->limit) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_USAGE,
                   "bars.type: %s bars are not built yet; use tick, volume, dollar or time", (*rule)->name);
}
