/* The bar builder: cuts pushed blocks at session boundaries and bar ends, reduces what lies between, and
 * appends finished bars.
 *
 * Time is divided into segments: every session of the calendar, and every gap between two sessions (ticks are
 * only met there when cleaning keeps out-of-session ticks). No bar spans two segments. All running state is
 * integer, so the bars do not depend on how the ticks are cut into blocks. */
#include "common/stages/bars_stage.h"

#include <assert.h>
#include <math.h>

#include "common/core/bits.h"
#include "common/core/interrupt.h"
#include "common/core/memory.h"
#include "common/stages/bars_reduce.h"
#include "common/stages/bars_rules.h"
#include "common/stages/bars_search.h"
#include "prof/span.h"

enum {
  CAPACITY_START = 1024,
  PREFETCH_BARS =
      6, /* how far ahead times are asked for: one is read a bar, too sparse for the hardware to see */
  BLOCK = 1 << 20 /* ticks a view of fmlp_bars_build; SIGINT is polled between views */
};

struct fmlp_bar_builder {
  const fmlp_bar_rule *rule;
  fmlp_bar_limit limit;
  const fmlp_calendar *calendar;
  bool keep_session_tail;
  fmlp_bars bars;
  fmlp_open_bar open;
  fmlp_bars_report report;
  int64_t next_tick;   /* index that the next block must start with */
  int64_t expected;    /* ticks to come in all, 0 = unknown: only spares growing the columns step by step */
  int64_t segment_end; /* ns, exclusive; INT64_MIN before the first tick */
};

/* The nearest double, through 64 bits where the value fits: the same bits, without a library call. */
static double nearest(fmlp_int128 value) {
  return value == (int64_t)value ? (double)(int64_t)value : (double)value;
}

/* Spread mean and standard deviation in price units. Every operand is an exact integer before it is rounded:
 *   mean = (sum * m) / (n * 10^k)
 *   std  = (sqrt((n * sum(s^2) - sum^2) / (n * (n - 1))) * m) / 10^k */
static void finish_spread(const fmlp_open_bar *bar, fmlp_scale price, double *mean, double *deviation) {
  int64_t n = bar->ticks;
  fmlp_int128 sum = bar->prices.spread_sum;
  *mean = fmlp_canonical(nearest(sum * price.m) / nearest((fmlp_int128)n * fmlp_power_of_ten[price.k]));
  fmlp_int128 scatter = n * bar->prices.spread_squares - sum * sum;
  double variance = nearest(scatter) / nearest((fmlp_int128)n * (n - 1));
  *deviation = n == 1 ? fmlp_nan()
                      : fmlp_canonical(sqrt(variance) * (double)price.m / (double)fmlp_power_of_ten[price.k]);
}

static fmlp_status write_sizes(fmlp_bars *bars, int64_t row, const fmlp_open_bar *bar, fmlp_error *error) {
  fmlp_int128 volume = bar->bid_volume + bar->ask_volume;
  if (volume > INT64_MAX) {
    return fmlp_fail(error, FMLP_ERR_INPUT,
                     "bars: the volume of the bar at ticks %lld to %lld does not fit 64 bits; give the sizes "
                     "fewer decimals with data.size_decimals",
                     (long long)bar->first_tick, (long long)(bar->first_tick + bar->ticks - 1));
  }
  bars->volume[row] = (int64_t)volume;
  bars->vwap[row] = volume == 0 ? fmlp_nan()
                                : fmlp_canonical(nearest(bar->value * bars->price.m) /
                                                 nearest(volume * fmlp_power_of_ten[bars->price.k]));
  if (bars->kind == FMLP_QUOTES) {
    bars->bid_volume[row] = (int64_t)bar->bid_volume;
    bars->ask_volume[row] = (int64_t)bar->ask_volume;
  }
  return FMLP_OK;
}

/* Makes room for more bars: twice as many, or what the ticks seen so far promise for all of them. */
static fmlp_status grow(fmlp_bar_builder *builder, fmlp_error *error) {
  fmlp_bars *bars = &builder->bars;
  int64_t capacity = bars->capacity ? bars->capacity * 2 : CAPACITY_START;
  int64_t seen = builder->open.first_tick + builder->open.ticks;
  if (seen < builder->expected && (bars->count > 0 || builder->rule->counts_ticks)) {
    fmlp_int128 promised = (fmlp_int128)(bars->count + 1) * builder->expected / seen;
    promised += promised / 16;
    if (promised > capacity) capacity = (int64_t)promised;
  }
  return fmlp_bars_reserve(bars, capacity, error);
}

/* Appends the open bar and leaves none open. */
static fmlp_status append(fmlp_bar_builder *builder, int64_t close_time, fmlp_error *error) {
  fmlp_bars *bars = &builder->bars;
  fmlp_open_bar *bar = &builder->open;
  if (bars->count == bars->capacity) FMLP_TRY(grow(builder, error));
  int64_t row = bars->count;
  bars->open_time[row] = bar->open_time;
  bars->close_time[row] = close_time;
  bars->first_tick[row] = bar->first_tick;
  bars->last_tick[row] = bar->first_tick + bar->ticks;
  bars->bid_open[row] = bar->bid_open;
  bars->bid_high[row] = bar->prices.bid_high;
  bars->bid_low[row] = bar->prices.bid_low;
  bars->bid_close[row] = bar->bid_close;
  if (bars->kind == FMLP_QUOTES) {
    bars->ask_open[row] = bar->ask_open;
    bars->ask_high[row] = bar->prices.ask_high;
    bars->ask_low[row] = bar->prices.ask_low;
    bars->ask_close[row] = bar->ask_close;
  }
  finish_spread(bar, bars->price, &bars->spread_mean[row], &bars->spread_std[row]);
  if (bars->has_sizes) FMLP_TRY(write_sizes(bars, row, bar, error));
  bars->count++;
  bar->ticks = 0;
  return FMLP_OK;
}

/* Closes the open bar at the end of its segment. */
static fmlp_status close_at_boundary(fmlp_bar_builder *builder, fmlp_error *error) {
  fmlp_open_bar *bar = &builder->open;
  if (builder->rule->by_time && bar->interval_end <= builder->segment_end) {
    return append(builder, bar->interval_end, error); /* its interval is over as well: nothing is cut short */
  }
  builder->report.session_tails++;
  if (!builder->keep_session_tail) {
    builder->report.tails_dropped++;
    bar->ticks = 0;
    return FMLP_OK;
  }
  return append(builder, builder->rule->by_time ? builder->segment_end : bar->last_time, error);
}

/* Moves to the segment that contains `time`. */
static void enter_segment(fmlp_bar_builder *builder, int64_t time) {
  const fmlp_calendar *calendar = builder->calendar;
  int64_t session = fmlp_calendar_next(calendar, time);
  if (session == calendar->count) {
    builder->segment_end = INT64_MAX;
  } else {
    bool inside = calendar->open[session] <= time;
    builder->segment_end = inside ? calendar->close[session] : calendar->open[session];
  }
}

/* Adds the ticks [first, last) of the block, at least one, to the open bar, starting it when none is. */
static fmlp_status absorb(fmlp_bar_builder *builder, const fmlp_tick_block *block, int64_t first,
                          int64_t last, fmlp_error *error) {
  fmlp_open_bar *bar = &builder->open;
  int64_t count = last - first;
  bool starts = bar->ticks == 0;
  if (count > FMLP_BAR_TICKS_MAX - bar->ticks) {
    return fmlp_fail(
        error, FMLP_ERR_INPUT, "bars: the bar at tick %lld has more than %lld ticks; lower bars.threshold",
        (long long)(starts ? block->first + first : bar->first_tick), (long long)FMLP_BAR_TICKS_MAX);
  }
  fmlp_price_sums sums;
  if (builder->bars.kind == FMLP_QUOTES) {
    FMLP_SIMD_SELECT(fmlp_bars_reduce_quotes)(block->bid + first, block->ask + first, count, &sums);
  } else {
    FMLP_SIMD_SELECT(fmlp_bars_reduce_trades)(block->bid + first, count, &sums);
  }
  if (starts) {
    bar->first_tick = block->first + first;
    bar->open_time = block->time[first];
    bar->bid_open = block->bid[first];
    bar->ask_open = block->ask[first];
    bar->prices = sums;
    bar->bid_volume = bar->ask_volume = bar->value = 0;
  } else {
    fmlp_price_sums *all = &bar->prices;
    if (sums.bid_high > all->bid_high) all->bid_high = sums.bid_high;
    if (sums.bid_low < all->bid_low) all->bid_low = sums.bid_low;
    if (sums.ask_high > all->ask_high) all->ask_high = sums.ask_high;
    if (sums.ask_low < all->ask_low) all->ask_low = sums.ask_low;
    all->spread_sum += sums.spread_sum;
    all->spread_squares += sums.spread_squares;
  }
  bar->ticks += count;
  bar->last_time = block->time[last - 1];
  bar->bid_close = block->bid[last - 1];
  bar->ask_close = block->ask[last - 1];
  if (!builder->bars.has_sizes) return FMLP_OK;
  if (builder->bars.kind == FMLP_TRADES) {
    FMLP_SIMD_SELECT(fmlp_bars_reduce_sizes)
    (block->bid + first, block->size + first, count, &bar->bid_volume, &bar->value);
  } else {
    FMLP_SIMD_SELECT(fmlp_bars_reduce_sizes)
    (block->bid + first, block->bid_size + first, count, &bar->bid_volume, &bar->value);
    FMLP_SIMD_SELECT(fmlp_bars_reduce_sizes)
    (block->ask + first, block->ask_size + first, count, &bar->ask_volume, &bar->value);
  }
  return FMLP_OK;
}

/* Ticks [first, last) of the block, all of the current segment. */
static fmlp_status push_segment(fmlp_bar_builder *builder, const fmlp_tick_block *block, int64_t first,
                                int64_t last, fmlp_error *error) {
  const fmlp_bar_rule *rule = builder->rule;
  fmlp_open_bar *bar = &builder->open;
  while (first < last) {
    bool complete = false;
    int64_t end = rule->scan(&builder->limit, bar, block, first, last, &complete);
    int64_t ahead = end + PREFETCH_BARS * (end - first);
    if (ahead < last) __builtin_prefetch(&block->time[ahead]);
    if (end > first) FMLP_TRY(absorb(builder, block, first, end, error));
    if (complete) FMLP_TRY(append(builder, rule->by_time ? bar->interval_end : bar->last_time, error));
    first = end;
  }
  return FMLP_OK;
}

fmlp_status fmlp_bar_builder_open(const fmlp_bars_settings *settings, const fmlp_calendar *calendar,
                                  fmlp_tick_kind kind, bool has_sizes, fmlp_scale price, fmlp_scale size_unit,
                                  fmlp_bar_builder **out, fmlp_error *error) {
  *out = NULL;
  const fmlp_bar_rule *rule = NULL;
  FMLP_TRY(fmlp_bar_rule_find(settings->type, &rule, error));
  if (!has_sizes) size_unit = (fmlp_scale){1, 0};
  fmlp_bar_input input = {kind, has_sizes, price, size_unit};
  fmlp_bar_limit limit;
  FMLP_TRY(rule->limit(settings, &input, &limit, error));
  if (rule->needs_sizes && !has_sizes) {
    return fmlp_fail(error, FMLP_ERR_INPUT,
                     "bars.type: %s bars need sizes, which this input does not have; use tick or time",
                     rule->name);
  }
  fmlp_bar_builder *builder = NULL;
  FMLP_TRY(fmlp_alloc_zero(&builder, 1, sizeof *builder, "bar builder", error));
  builder->rule = rule;
  builder->limit = limit;
  builder->calendar = calendar;
  builder->keep_session_tail = settings->keep_session_tail;
  builder->bars.kind = kind;
  builder->bars.has_sizes = has_sizes;
  builder->bars.price = price;
  builder->bars.size_unit = size_unit;
  builder->segment_end = INT64_MIN;
  *out = builder;
  return FMLP_OK;
}

fmlp_status fmlp_bar_builder_push(fmlp_bar_builder *builder, const fmlp_tick_block *block,
                                  fmlp_error *error) {
  assert(builder->report.ticks == 0 || block->first == builder->next_tick);
  for (int64_t i = 0; i < block->count;) {
    if (block->time[i] >= builder->segment_end) {
      if (builder->open.ticks > 0) FMLP_TRY(close_at_boundary(builder, error));
      enter_segment(builder, block->time[i]);
    }
    int64_t end = builder->segment_end == INT64_MAX
                      ? block->count
                      : fmlp_bars_first_at(block->time, i, block->count, builder->segment_end);
    FMLP_TRY(push_segment(builder, block, i, end, error));
    i = end;
  }
  builder->report.ticks += block->count;
  builder->next_tick = block->first + block->count;
  return FMLP_OK;
}

fmlp_status fmlp_bar_builder_finish(fmlp_bar_builder *builder, fmlp_bars *bars, fmlp_bars_report *report,
                                    fmlp_error *error) {
  *bars = (fmlp_bars){.kind = builder->bars.kind};
  builder->report.unfinished_ticks = builder->open.ticks;
  builder->open.ticks = 0;
  *report = builder->report;
  if (builder->bars.count == 0) {
    return fmlp_fail(error, FMLP_ERR_INPUT,
                     "bars: no complete %s bar in %lld ticks; lower bars.threshold or give more data",
                     builder->rule->name, (long long)builder->report.ticks);
  }
  if (builder->bars.count < builder->bars.capacity && !builder->bars.block) {
    FMLP_TRY(fmlp_bars_reserve(&builder->bars, builder->bars.count, error));
  }
  *bars = builder->bars;
  builder->bars = (fmlp_bars){
      .kind = bars->kind, .has_sizes = bars->has_sizes, .price = bars->price, .size_unit = bars->size_unit};
  return FMLP_OK;
}

void fmlp_bar_builder_close(fmlp_bar_builder *builder) {
  if (!builder) return;
  fmlp_bars_release(&builder->bars);
  fmlp_free(builder);
}

fmlp_status fmlp_bars_build(const fmlp_bars_settings *settings, const fmlp_calendar *calendar,
                            const fmlp_tick_source *ticks, fmlp_bars *bars, fmlp_bars_report *report,
                            fmlp_error *error) {
  FMLP_SPAN("bars.build");
  *bars = (fmlp_bars){.kind = ticks->kind};
  *report = (fmlp_bars_report){0};
  fmlp_tick_block block = {0};
  FMLP_TRY(ticks->view(ticks->state, 0, ticks->count < BLOCK ? ticks->count : BLOCK, &block, error));
  bool has_sizes = ticks->kind == FMLP_TRADES ? block.size != NULL : block.bid_size != NULL;
  fmlp_bar_builder *builder = NULL;
  FMLP_TRY(fmlp_bar_builder_open(settings, calendar, ticks->kind, has_sizes, ticks->price, ticks->size_unit,
                                 &builder, error));
  builder->expected = ticks->count;
  fmlp_status status = FMLP_OK;
  for (int64_t first = 0; status == FMLP_OK && first < ticks->count; first += BLOCK) {
    int64_t last = ticks->count - first < BLOCK ? ticks->count : first + BLOCK;
    status = fmlp_check_interrupt("bars", error);
    if (status == FMLP_OK) status = ticks->view(ticks->state, first, last, &block, error);
    if (status == FMLP_OK) status = fmlp_bar_builder_push(builder, &block, error);
  }
  if (status == FMLP_OK) status = fmlp_bar_builder_finish(builder, bars, report, error);
  fmlp_bar_builder_close(builder);
  return status;
}
