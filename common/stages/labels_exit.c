/* Which barrier each label of one side meets, in which bar, and at which tick.
 *
 * The search over bars and the choice inside a bar are the backend's. Ticks are gathered for exit bars only,
 * each bar once, in batches of bounded size. */
#include <string.h>

#include "common/core/interrupt.h"
#include "common/core/memory.h"
#include "common/stages/labels_parts.h"
#include "prof/span.h"

/* Ticks of one batch: 16 MB of prices. A single larger bar still goes as a whole. */
static const int64_t batch_ticks = (int64_t)1 << 22;

/* The rows of one side, as the backend wants them. */
typedef struct side_rows {
  const fmlp_labeling_settings *settings;
  const fmlp_bars *bars;
  const fmlp_tick_source *ticks;
  const fmlp_compute *compute;
  fmlp_labels *labels;
  int side;
  const int32_t *high, *low; /* [bars] of the exit side, borrowed */
  int64_t count;
  int64_t *row;                                         /* [count] row in labels */
  int32_t *start, *target, *stop, *last_bar, *exit_bar; /* [count] */
  int8_t *outcome;                                      /* [count] */

  int64_t resolved;   /* rows that need ticks */
  int64_t *by_bar;    /* [resolved] positions in the lists above, ordered by exit bar */
  int64_t *bar_first; /* [bars + 1] where a bar's rows begin in by_bar */
} side_rows;

/* Buffers of one backend call; freed together. */
enum { MAX_BUFFERS = 8 };
typedef struct buffer_set {
  const fmlp_compute *compute;
  int count;
  fmlp_buffer *buffers[MAX_BUFFERS];
} buffer_set;

static void release_rows(side_rows *rows) {
  void *columns[] = {rows->row,      rows->start,   rows->target, rows->stop,     rows->last_bar,
                     rows->exit_bar, rows->outcome, rows->by_bar, rows->bar_first};
  for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) fmlp_free(columns[c]);
}

static void release_buffers(buffer_set *set) {
  for (int b = 0; b < set->count; b++) {
    set->compute->backend->buffer_free(set->compute->device, set->buffers[b]);
  }
}

/* A new buffer of count elements, filled from `data` unless that is NULL. */
static fmlp_status add_buffer(buffer_set *set, int64_t count, size_t size, const void *data,
                              fmlp_buffer **buffer, fmlp_error *error) {
  const fmlp_backend *backend = set->compute->backend;
  size_t bytes = (size_t)count * size;
  *buffer = NULL;
  FMLP_TRY(backend->buffer_create(set->compute->device, bytes, buffer, error));
  set->buffers[set->count++] = *buffer;
  if (!data) return FMLP_OK;
  return backend->upload(set->compute->device, *buffer, 0, data, bytes, error);
}

static fmlp_status collect_rows(side_rows *rows, fmlp_error *error) {
  const fmlp_labels *labels = rows->labels;
  for (int64_t r = 0; r < labels->count; r++) rows->count += labels->side[r] == rows->side;
  int32_t **lists[] = {&rows->start, &rows->target, &rows->stop, &rows->last_bar, &rows->exit_bar};
  for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
    FMLP_TRY(fmlp_alloc(lists[l], rows->count, sizeof(int32_t), "barrier events", error));
  }
  FMLP_TRY(fmlp_alloc(&rows->row, rows->count, sizeof *rows->row, "barrier events", error));
  FMLP_TRY(fmlp_alloc(&rows->outcome, rows->count, sizeof *rows->outcome, "barrier events", error));
  int64_t n = 0;
  for (int64_t r = 0; r < labels->count; r++) {
    if (labels->side[r] != rows->side) continue;
    rows->row[n] = r;
    rows->start[n] = (int32_t)labels->event_bar[r];
    rows->target[n] = labels->target_level[r];
    rows->stop[n] = labels->stop_level[r];
    rows->last_bar[n] = (int32_t)labels->last_bar[r];
    n++;
  }
  return FMLP_OK;
}

static fmlp_status search_bars(const side_rows *rows, buffer_set *set, fmlp_error *error) {
  const fmlp_backend *backend = rows->compute->backend;
  int64_t bars = rows->bars->count, events = rows->count;
  fmlp_buffer *high, *low, *start, *target, *stop, *last_bar, *outcome, *exit_bar;
  FMLP_TRY(add_buffer(set, bars, sizeof(int32_t), rows->high, &high, error));
  FMLP_TRY(add_buffer(set, bars, sizeof(int32_t), rows->low, &low, error));
  FMLP_TRY(add_buffer(set, events, sizeof(int32_t), rows->start, &start, error));
  FMLP_TRY(add_buffer(set, events, sizeof(int32_t), rows->target, &target, error));
  FMLP_TRY(add_buffer(set, events, sizeof(int32_t), rows->stop, &stop, error));
  FMLP_TRY(add_buffer(set, events, sizeof(int32_t), rows->last_bar, &last_bar, error));
  FMLP_TRY(add_buffer(set, events, sizeof(int8_t), NULL, &outcome, error));
  FMLP_TRY(add_buffer(set, events, sizeof(int32_t), NULL, &exit_bar, error));
  const fmlp_barrier_search job = {.side = rows->side,
                                   .tie = rows->settings->tie,
                                   .bars = bars,
                                   .high = high,
                                   .low = low,
                                   .events = events,
                                   .start_bar = start,
                                   .target = target,
                                   .stop = stop,
                                   .last_bar = last_bar,
                                   .outcome = outcome,
                                   .exit_bar = exit_bar};
  FMLP_TRY(backend->barrier_search(rows->compute->device, &job, error));
  size_t count = (size_t)events;
  FMLP_TRY(backend->download(rows->compute->device, outcome, 0, rows->outcome, count, error));
  return backend->download(rows->compute->device, exit_bar, 0, rows->exit_bar, count * sizeof(int32_t),
                           error);
}

static void count_ties(side_rows *rows) {
  for (int64_t e = 0; e < rows->count; e++) {
    if (rows->outcome[e] == FMLP_OUTCOME_TIME) continue;
    int32_t high = rows->high[rows->exit_bar[e]], low = rows->low[rows->exit_bar[e]];
    int32_t upper = rows->side > 0 ? rows->target[e] : rows->stop[e];
    int32_t lower = rows->side > 0 ? rows->stop[e] : rows->target[e];
    rows->labels->ties += high >= upper && low <= lower;
  }
}

/* An exit at the bar's close needs ticks only to tell which barrier came first. */
static bool needs_ticks(const side_rows *rows, int64_t e) {
  if (rows->settings->exit_at == FMLP_EXIT_AT_CLOSE) return rows->outcome[e] == FMLP_OUTCOME_TIE;
  return rows->outcome[e] != FMLP_OUTCOME_TIME;
}

/* Orders the rows that need ticks by exit bar (counting sort). */
static fmlp_status order_by_bar(side_rows *rows, fmlp_error *error) {
  int64_t bars = rows->bars->count;
  FMLP_TRY(fmlp_alloc_zero(&rows->bar_first, bars + 2, sizeof *rows->bar_first, "exit bars", error));
  int64_t *first = rows->bar_first + 1; /* one ahead, so that filling leaves bar_first as the beginnings */
  for (int64_t e = 0; e < rows->count; e++) {
    if (needs_ticks(rows, e)) first[rows->exit_bar[e] + 1]++;
  }
  for (int64_t b = 0; b < bars; b++) first[b + 1] += first[b];
  rows->resolved = first[bars];
  FMLP_TRY(fmlp_alloc(&rows->by_bar, rows->resolved, sizeof *rows->by_bar, "exit bars", error));
  for (int64_t e = 0; e < rows->count; e++) {
    if (needs_ticks(rows, e)) rows->by_bar[first[rows->exit_bar[e]]++] = e;
  }
  return FMLP_OK;
}

/* One batch: rows by_bar[first .. last) and the ticks of their exit bars. */
typedef struct tick_batch {
  int64_t first, last;
  int64_t ticks;
  int32_t *price;                  /* [ticks] exit side */
  int64_t *tick_first, *tick_last; /* [last - first] */
  int64_t *exit_tick;              /* [last - first] position in price */
  int32_t *target, *stop;
  int8_t *outcome;
} tick_batch;

static void release_batch(tick_batch *batch) {
  void *columns[] = {batch->price,  batch->tick_first, batch->tick_last, batch->exit_tick,
                     batch->target, batch->stop,       batch->outcome};
  for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) fmlp_free(columns[c]);
}

static fmlp_status gather_ticks(const side_rows *rows, tick_batch *batch, fmlp_error *error) {
  const char *what = "ticks of exit bars";
  int64_t count = batch->last - batch->first;
  FMLP_TRY(fmlp_alloc(&batch->price, batch->ticks, sizeof *batch->price, what, error));
  FMLP_TRY(fmlp_alloc(&batch->tick_first, count, sizeof *batch->tick_first, what, error));
  FMLP_TRY(fmlp_alloc(&batch->tick_last, count, sizeof *batch->tick_last, what, error));
  FMLP_TRY(fmlp_alloc(&batch->exit_tick, count, sizeof *batch->exit_tick, what, error));
  FMLP_TRY(fmlp_alloc(&batch->target, count, sizeof *batch->target, what, error));
  FMLP_TRY(fmlp_alloc(&batch->stop, count, sizeof *batch->stop, what, error));
  FMLP_TRY(fmlp_alloc(&batch->outcome, count, sizeof *batch->outcome, what, error));
  int64_t gathered = 0, previous_bar = -1, begin = 0;
  for (int64_t i = 0; i < count; i++) {
    int64_t e = rows->by_bar[batch->first + i];
    int64_t bar = rows->exit_bar[e];
    if (bar != previous_bar) {
      fmlp_tick_block block;
      FMLP_TRY(rows->ticks->view(rows->ticks->state, rows->bars->first_tick[bar], rows->bars->last_tick[bar],
                                 &block, error));
      const int32_t *price = rows->side > 0 ? block.bid : block.ask;
      memcpy(batch->price + gathered, price, (size_t)block.count * sizeof *price);
      begin = gathered;
      gathered += block.count;
      previous_bar = bar;
    }
    batch->tick_first[i] = begin;
    batch->tick_last[i] = gathered;
    batch->target[i] = rows->target[e];
    batch->stop[i] = rows->stop[e];
    batch->outcome[i] = rows->outcome[e];
  }
  return FMLP_OK;
}

static fmlp_status search_ticks(const side_rows *rows, const tick_batch *batch, buffer_set *set,
                                fmlp_error *error) {
  const fmlp_backend *backend = rows->compute->backend;
  int64_t events = batch->last - batch->first;
  fmlp_buffer *price, *first, *last, *target, *stop, *outcome, *exit_tick;
  FMLP_TRY(add_buffer(set, batch->ticks, sizeof(int32_t), batch->price, &price, error));
  FMLP_TRY(add_buffer(set, events, sizeof(int64_t), batch->tick_first, &first, error));
  FMLP_TRY(add_buffer(set, events, sizeof(int64_t), batch->tick_last, &last, error));
  FMLP_TRY(add_buffer(set, events, sizeof(int32_t), batch->target, &target, error));
  FMLP_TRY(add_buffer(set, events, sizeof(int32_t), batch->stop, &stop, error));
  FMLP_TRY(add_buffer(set, events, sizeof(int8_t), batch->outcome, &outcome, error));
  FMLP_TRY(add_buffer(set, events, sizeof(int64_t), NULL, &exit_tick, error));
  const fmlp_barrier_resolve job = {.side = rows->side,
                                    .ticks = batch->ticks,
                                    .price = price,
                                    .events = events,
                                    .tick_first = first,
                                    .tick_last = last,
                                    .target = target,
                                    .stop = stop,
                                    .outcome = outcome,
                                    .exit_tick = exit_tick};
  FMLP_TRY(backend->barrier_resolve(rows->compute->device, &job, error));
  size_t count = (size_t)events;
  FMLP_TRY(backend->download(rows->compute->device, outcome, 0, batch->outcome, count, error));
  return backend->download(rows->compute->device, exit_tick, 0, batch->exit_tick, count * sizeof(int64_t),
                           error);
}

/* The exit tick's place, time and price. */
static fmlp_status take_exits(const side_rows *rows, const tick_batch *batch, fmlp_error *error) {
  fmlp_labels *labels = rows->labels;
  for (int64_t i = 0; i < batch->last - batch->first; i++) {
    int64_t e = rows->by_bar[batch->first + i];
    int64_t row = rows->row[e];
    rows->outcome[e] = batch->outcome[i];
    if (batch->exit_tick[i] < 0) {
      return fmlp_fail(
          error, FMLP_ERR_INPUT,
          "labels: no tick of bar %d touches the level its range touches; the ticks are not those "
          "the bars were built from",
          rows->exit_bar[e]);
    }
    if (rows->settings->exit_at == FMLP_EXIT_AT_CLOSE) continue;
    int64_t tick = rows->bars->first_tick[rows->exit_bar[e]] + (batch->exit_tick[i] - batch->tick_first[i]);
    fmlp_tick_block block;
    FMLP_TRY(rows->ticks->view(rows->ticks->state, tick, tick + 1, &block, error));
    bool target = batch->outcome[i] == FMLP_OUTCOME_TARGET;
    labels->exit_tick[row] = tick;
    labels->end_time[row] = block.time[0];
    labels->exit_price[row] = target ? rows->target[e] : batch->price[batch->exit_tick[i]];
  }
  return FMLP_OK;
}

static fmlp_status resolve_batch(const side_rows *rows, tick_batch *batch, fmlp_error *error) {
  buffer_set set = {.compute = rows->compute};
  fmlp_status status = gather_ticks(rows, batch, error);
  if (status == FMLP_OK) status = search_ticks(rows, batch, &set, error);
  if (status == FMLP_OK) status = take_exits(rows, batch, error);
  release_buffers(&set);
  release_batch(batch);
  return status;
}

static fmlp_status resolve_ticks(side_rows *rows, fmlp_error *error) {
  FMLP_SPAN("labels.ticks");
  const fmlp_bars *bars = rows->bars;
  FMLP_TRY(order_by_bar(rows, error));
  int64_t bar = 0;
  while (bar < bars->count) {
    FMLP_TRY(fmlp_check_interrupt("labels: exit ticks", error));
    tick_batch batch = {.first = rows->bar_first[bar]};
    for (; bar < bars->count; bar++) {
      if (rows->bar_first[bar] == rows->bar_first[bar + 1]) continue;
      int64_t ticks = bars->last_tick[bar] - bars->first_tick[bar];
      if (batch.ticks > 0 && batch.ticks + ticks > batch_ticks) break;
      batch.ticks += ticks;
    }
    batch.last = rows->bar_first[bar];
    if (batch.last > batch.first) FMLP_TRY(resolve_batch(rows, &batch, error));
  }
  return FMLP_OK;
}

static fmlp_status find_exits(side_rows *rows, fmlp_error *error) {
  FMLP_TRY(collect_rows(rows, error));
  if (rows->count == 0) return FMLP_OK;
  {
    FMLP_SPAN("labels.search");
    buffer_set set = {.compute = rows->compute};
    fmlp_status status = search_bars(rows, &set, error);
    release_buffers(&set);
    FMLP_TRY(status);
  }
  count_ties(rows);
  FMLP_TRY(resolve_ticks(rows, error));
  for (int64_t e = 0; e < rows->count; e++) {
    rows->labels->outcome[rows->row[e]] = rows->outcome[e];
    rows->labels->end_bar[rows->row[e]] = rows->exit_bar[e];
  }
  return FMLP_OK;
}

fmlp_status fmlp_label_exits(const fmlp_labeling_settings *settings, const fmlp_bars *bars,
                             const fmlp_tick_source *ticks, const fmlp_compute *compute, int side,
                             fmlp_labels *labels, fmlp_error *error) {
  side_rows rows = {.settings = settings,
                    .bars = bars,
                    .ticks = ticks,
                    .compute = compute,
                    .labels = labels,
                    .side = side,
                    .high = side > 0 ? bars->bid_high : bars->ask_high,
                    .low = side > 0 ? bars->bid_low : bars->ask_low};
  fmlp_status status = find_exits(&rows, error);
  release_rows(&rows);
  return status;
}
