/* One path of predictions, played on the ticks.
 *
 * Signals come in order of their bars, so entries come in order of ticks, and everything about a position is
 * known once it is opened: its exit is looked up at once, and only the account (closed capital, positions
 * open) moves with time. A bar whose extremes touch neither level is skipped without reading its ticks. */
#include "common/stages/backtest.h"

#include <math.h>
#include <string.h>

#include "common/core/interrupt.h"
#include "common/core/memory.h"
#include "common/stages/backtest_ticks.h"
#include "prof/span.h"

static const double ns_per_millisecond = 1e6;
static const double ns_per_minute = 60e9;

/* A position, from its order to its exit. */
typedef struct position {
  int64_t row, sequence;
  int64_t entry_tick, exit_tick;
  int64_t entry_time, exit_time;
  double entry_points, exit_points; /* slippage included */
  double size, costs, pnl, capital_before;
  int8_t side, reason;
} position;

/* The state of one path. positions[0, closed) are closed, [closed, count) open or ordered; all are in order
 * of exit, because a new one can only exit after everything that is closed already. */
typedef struct account {
  const fmlp_settings *settings;
  const fmlp_bars *bars;
  const fmlp_labels *labels;
  fmlp_tick_cursor cursor;
  int64_t latency; /* ns */
  int64_t cached_deadline, cached_deadline_tick;
  double capital; /* closed */
  position *positions;
  int64_t closed, count;
} account;

/* Points of a price after slippage, in the direction that costs. */
static double slipped(const fmlp_backtest_settings *settings, int32_t points, int direction) {
  return (double)points + (double)direction * settings->slippage_points;
}

static double price_of(double points, fmlp_scale scale) {
  return points * (double)scale.m / (double)fmlp_power_of_ten[scale.k];
}

static double money_of(const account *book, const position *open, double exit_points) {
  double moved = (double)open->side * (exit_points - open->entry_points);
  return price_of(moved, book->bars->price) * open->size * book->settings->backtest.contract_size;
}

/* Index of the first tick at or after the session deadline. Labels of one session share it. */
static fmlp_status deadline_tick(account *book, int64_t deadline, int64_t *tick, fmlp_error *error) {
  if (deadline != book->cached_deadline) {
    const fmlp_bars *bars = book->bars;
    int64_t low = 0, high = bars->count; /* first bar that opens at or after the deadline */
    while (low < high) {
      int64_t middle = low + (high - low) / 2;
      if (bars->open_time[middle] >= deadline) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    int64_t from = low > 0 ? bars->first_tick[low - 1] : 0;
    int64_t until = low < bars->count ? bars->first_tick[low] : bars->last_tick[bars->count - 1];
    FMLP_TRY(fmlp_tick_cursor_find(&book->cursor, from, until, deadline, &book->cached_deadline_tick, error));
    book->cached_deadline = deadline;
  }
  *tick = book->cached_deadline_tick;
  return FMLP_OK;
}

/* The first tick at which the position may no longer be held. */
static fmlp_status limit_of(account *book, int64_t row, int64_t *limit, fmlp_error *error) {
  const fmlp_labels *labels = book->labels;
  FMLP_TRY(deadline_tick(book, labels->deadline[row], limit, error));
  int64_t last_bar = labels->last_bar[row];
  /* The horizon is known in advance; which bar is the session's last is not, hence only this case. */
  if (last_bar - labels->event_bar[row] >= book->settings->labeling.max_horizon_bars) {
    int64_t horizon = book->bars->last_tick[last_bar];
    if (horizon < *limit) *limit = horizon;
  }
  return FMLP_OK;
}

static double size_of(const account *book, int64_t row) {
  const fmlp_backtest_settings *settings = &book->settings->backtest;
  if (settings->sizing == FMLP_SIZING_FIXED) return settings->size;
  int64_t bar = book->labels->event_bar[row];
  bool is_long = book->labels->side[row] > 0;
  int64_t reference = is_long ? book->bars->ask_close[bar] : book->bars->bid_close[bar];
  int64_t distance = is_long ? reference - book->labels->stop_level[row]
                             : (int64_t)book->labels->stop_level[row] - reference;
  if (distance < 1) distance = 1; /* a crossed quote that cleaning was told to keep */
  double risk = settings->risk_per_trade * book->capital;
  return risk / (fmlp_decimal(distance, book->bars->price) * settings->contract_size);
}

/* Finds where the position opened at `open->entry_tick` ends, and settles it. */
static fmlp_status settle(account *book, position *open, int64_t limit, fmlp_error *error) {
  const fmlp_backtest_settings *settings = &book->settings->backtest;
  fmlp_exit_query query = {.bars = book->bars,
                           .side = open->side,
                           .target = book->labels->target_level[open->row],
                           .stop = book->labels->stop_level[open->row],
                           .first_bar = book->labels->event_bar[open->row] + 1,
                           .first_tick = open->entry_tick + 1,
                           .limit = limit};
  fmlp_exit_fill fill;
  FMLP_TRY(fmlp_exit_find(&query, &book->cursor, &fill, error));
  open->exit_tick = fill.tick;
  open->exit_time = fill.time;
  open->reason = (int8_t)fill.reason;
  open->exit_points =
      fill.reason == FMLP_EXIT_TARGET ? (double)query.target : slipped(settings, fill.price, -open->side);
  open->costs = 2.0 * settings->commission_per_lot * open->size;
  open->pnl = money_of(book, open, open->exit_points) - open->costs;
  return FMLP_OK;
}

/* Everything that ends before tick `before` is closed, in order of exit. */
static void close_until(account *book, int64_t before) {
  while (book->closed < book->count && book->positions[book->closed].exit_tick < before) {
    book->capital += book->positions[book->closed].pnl;
    book->closed++;
  }
}

static void insert_by_exit(account *book, const position *open) {
  int64_t at = book->count;
  while (at > book->closed && book->positions[at - 1].exit_tick > open->exit_tick) {
    book->positions[at] = book->positions[at - 1];
    at--;
  }
  book->positions[at] = *open;
  book->count++;
}

/* Trades a signal or counts why not. */
static fmlp_status take_signal(account *book, int64_t row, fmlp_backtest_report *report, fmlp_error *error) {
  const fmlp_backtest_settings *settings = &book->settings->backtest;
  const fmlp_bars *bars = book->bars;
  int64_t bar = book->labels->event_bar[row];
  int64_t first = bars->last_tick[bar]; /* the first tick that is not the signal's own */
  close_until(book, first);
  if (!(book->capital > 0.0)) {
    report->skipped_ruined++;
    return FMLP_OK;
  }
  if (book->count - book->closed >= settings->max_positions) {
    report->skipped_busy++;
    return FMLP_OK;
  }
  double left = (double)(book->labels->deadline[row] - bars->close_time[bar]);
  if (left < settings->min_minutes_to_close * ns_per_minute) {
    report->skipped_close++;
    return FMLP_OK;
  }
  int64_t limit = 0, entry = 0;
  FMLP_TRY(limit_of(book, row, &limit, error));
  if (first < limit) {
    FMLP_TRY(fmlp_tick_cursor_find(&book->cursor, first, limit, bars->close_time[bar] + book->latency, &entry,
                                   error));
  }
  if (first >= limit || entry + 1 >= limit) { /* there must be a later tick to leave at */
    report->skipped_no_tick++;
    return FMLP_OK;
  }
  fmlp_tick_quote quote;
  FMLP_TRY(fmlp_tick_cursor_get(&book->cursor, entry, &quote, error));
  position open = {.row = row,
                   .sequence = book->count,
                   .entry_tick = entry,
                   .entry_time = quote.time,
                   .side = book->labels->side[row],
                   .capital_before = book->capital};
  open.entry_points = slipped(settings, open.side > 0 ? quote.ask : quote.bid, open.side);
  open.size = size_of(book, row);
  FMLP_TRY(settle(book, &open, limit, error));
  insert_by_exit(book, &open);
  return FMLP_OK;
}

/* Rows of `path` in the predictions, which are ordered by (path, label_row). */
static int64_t first_of_path(const fmlp_predictions *predictions, int64_t path) {
  int64_t low = 0, high = predictions->count;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (predictions->path[middle] >= path) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

static fmlp_status play(account *book, const fmlp_predictions *predictions, int64_t first, int64_t last,
                        fmlp_backtest_report *report, fmlp_error *error) {
  const int64_t *event_bar = book->labels->event_bar;
  double threshold = book->settings->backtest.threshold;
  for (int64_t i = first; i < last;) {
    if ((i & 1023) == 0) FMLP_TRY(fmlp_check_interrupt("backtest", error));
    /* Both sides of one bar stand next to each other, the long row first; the more probable goes first. */
    int64_t row[2] = {predictions->label_row[i], -1};
    double probability[2] = {predictions->probability[i], 0.0};
    int count = 1;
    if (i + 1 < last && event_bar[predictions->label_row[i + 1]] == event_bar[row[0]]) {
      count = 2;
      int ahead = predictions->probability[i + 1] > probability[0] ? 0 : 1;
      row[1 - ahead] = row[0];
      probability[1 - ahead] = probability[0];
      row[ahead] = predictions->label_row[i + 1];
      probability[ahead] = predictions->probability[i + 1];
    }
    for (int s = 0; s < count; s++) {
      if (!(probability[s] >= threshold)) continue;
      report->signals++;
      FMLP_TRY(take_signal(book, row[s], report, error));
    }
    i += count;
  }
  close_until(book, INT64_MAX);
  return FMLP_OK;
}

static fmlp_status fill_trades(const account *book, const fmlp_calendar *calendar, fmlp_trades *trades,
                               fmlp_error *error) {
  int64_t n = book->count;
  FMLP_TRY(fmlp_alloc(&trades->entry_time, n, sizeof(int64_t), "trades", error));
  FMLP_TRY(fmlp_alloc(&trades->exit_time, n, sizeof(int64_t), "trades", error));
  FMLP_TRY(fmlp_alloc(&trades->label_row, n, sizeof(int64_t), "trades", error));
  FMLP_TRY(fmlp_alloc(&trades->day, n, sizeof(int64_t), "trades", error));
  FMLP_TRY(fmlp_alloc(&trades->side, n, 1, "trades", error));
  FMLP_TRY(fmlp_alloc(&trades->reason, n, 1, "trades", error));
  double **money[] = {&trades->size,  &trades->entry_price, &trades->exit_price,
                      &trades->costs, &trades->pnl,         &trades->capital_before};
  for (size_t c = 0; c < sizeof money / sizeof *money; c++) {
    FMLP_TRY(fmlp_alloc(money[c], n, sizeof(double), "trades", error));
  }
  for (int64_t i = 0; i < n; i++) {
    const position *from = &book->positions[i];
    trades->entry_time[i] = from->entry_time;
    trades->exit_time[i] = from->exit_time;
    trades->label_row[i] = from->row;
    trades->day[i] = fmlp_calendar_next(calendar, from->exit_time);
    trades->side[i] = from->side;
    trades->reason[i] = from->reason;
    trades->size[i] = from->size;
    trades->entry_price[i] = price_of(from->entry_points, book->bars->price);
    trades->exit_price[i] = price_of(from->exit_points, book->bars->price);
    trades->costs[i] = from->costs;
    trades->pnl[i] = from->pnl;
    trades->capital_before[i] = from->capital_before;
  }
  trades->count = n;
  return FMLP_OK;
}

/* What an open position is worth at the close of bar `b`, and its share of the entry's commission. */
static double mark(const account *book, const position *open, int64_t b) {
  int32_t close = open->side > 0 ? book->bars->bid_close[b] : book->bars->ask_close[b];
  return money_of(book, open, (double)close) - 0.5 * open->costs;
}

/* Marks every bar. `by_entry` [count] are positions in order of entry, `active` room for as many. */
static void mark_bars(const account *book, const int64_t *by_entry, int64_t *active, fmlp_equity *equity) {
  const fmlp_bars *bars = book->bars;
  double capital = book->settings->backtest.initial_capital, peak = capital;
  int64_t closed = 0, entered = 0, open = 0;
  for (int64_t b = 0; b < bars->count; b++) {
    int64_t now = bars->last_tick[b];
    while (closed < book->count && book->positions[closed].exit_tick < now) {
      capital += book->positions[closed++].pnl;
    }
    while (entered < book->count && book->positions[by_entry[entered]].entry_tick < now) {
      active[open++] = by_entry[entered++];
    }
    double unrealised = 0.0, lots = 0.0;
    int64_t kept = 0;
    for (int64_t i = 0; i < open; i++) {
      const position *one = &book->positions[active[i]];
      if (one->exit_tick < now) continue;
      active[kept++] = active[i];
      unrealised += mark(book, one, b);
      lots += (double)one->side * one->size;
    }
    open = kept;
    double value = capital + unrealised;
    if (value > peak) peak = value;
    equity->time[b] = bars->close_time[b];
    equity->equity[b] = value;
    equity->drawdown[b] = (peak - value) / peak;
    equity->position[b] = lots;
  }
  equity->count = bars->count;
}

static fmlp_status fill_equity(const account *book, fmlp_equity *equity, fmlp_error *error) {
  int64_t n = book->bars->count;
  FMLP_TRY(fmlp_alloc(&equity->time, n, sizeof(int64_t), "equity", error));
  FMLP_TRY(fmlp_alloc(&equity->equity, n, sizeof(double), "equity", error));
  FMLP_TRY(fmlp_alloc(&equity->drawdown, n, sizeof(double), "equity", error));
  FMLP_TRY(fmlp_alloc(&equity->position, n, sizeof(double), "equity", error));
  int64_t *by_entry = NULL, *active = NULL;
  fmlp_status status = fmlp_alloc(&by_entry, book->count, sizeof *by_entry, "positions by entry", error);
  if (status == FMLP_OK) {
    status = fmlp_alloc(&active, book->count, sizeof *active, "positions open", error);
  }
  if (status == FMLP_OK) {
    for (int64_t i = 0; i < book->count; i++) by_entry[book->positions[i].sequence] = i;
    mark_bars(book, by_entry, active, equity);
  }
  fmlp_free(by_entry);
  fmlp_free(active);
  return status;
}

fmlp_status fmlp_backtest_run(const fmlp_settings *settings, const fmlp_calendar *calendar,
                              const fmlp_bars *bars, const fmlp_tick_source *ticks, const fmlp_labels *labels,
                              const fmlp_predictions *predictions, int64_t path, fmlp_trades *trades,
                              fmlp_equity *equity, fmlp_backtest_report *report, fmlp_error *error) {
  FMLP_SPAN("backtest.path");
  memset(trades, 0, sizeof *trades);
  memset(equity, 0, sizeof *equity);
  *report = (fmlp_backtest_report){.first_bar = -1, .last_bar = -1};
  int64_t first = first_of_path(predictions, path), last = first_of_path(predictions, path + 1);
  report->predictions = last - first;
  for (int64_t i = first; i < last; i++) {
    int64_t row = predictions->label_row[i];
    if (i == first) report->first_bar = labels->event_bar[row];
    if (labels->last_bar[row] > report->last_bar) report->last_bar = labels->last_bar[row];
  }
  account book = {.settings = settings,
                  .bars = bars,
                  .labels = labels,
                  .cursor = {.source = ticks},
                  .latency = (int64_t)floor(settings->backtest.latency_ms * ns_per_millisecond + 0.5),
                  .cached_deadline = INT64_MIN,
                  .capital = settings->backtest.initial_capital};
  FMLP_TRY(fmlp_alloc(&book.positions, last - first, sizeof *book.positions, "positions", error));
  fmlp_status status = play(&book, predictions, first, last, report, error);
  if (status == FMLP_OK) status = fill_trades(&book, calendar, trades, error);
  if (status == FMLP_OK) status = fill_equity(&book, equity, error);
  fmlp_free(book.positions);
  if (status != FMLP_OK) {
    fmlp_trades_release(trades);
    fmlp_equity_release(equity);
  }
  return status;
}
