/* The labels stage: entry, barriers and last bar of each event; exits; what the round trip earned. */
#include "common/stages/labels.h"

#include <string.h>

#include "common/core/interrupt.h"
#include "common/core/memory.h"
#include "common/stages/labels_parts.h"
#include "prof/span.h"

static int64_t smaller(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int32_t saturate(int64_t points) {
  if (points > INT32_MAX) return INT32_MAX;
  return points < INT32_MIN ? INT32_MIN : (int32_t)points;
}

/* Bars that close before `deadline`; close times do not decrease. */
static int64_t bars_before(const fmlp_bars *bars, int64_t deadline) {
  int64_t low = 0, high = bars->count;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (bars->close_time[middle] < deadline)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* What bounds the events of one session; events come in order of time, so it changes rarely. */
typedef struct session_bound {
  int64_t deadline; /* ns; INT64_MAX beyond the calendar */
  int64_t last_bar; /* last bar that closes before it */
} session_bound;

static session_bound bound_of(const fmlp_calendar *calendar, const fmlp_bars *bars, int64_t event_time) {
  int64_t session = fmlp_calendar_next(calendar, event_time);
  session_bound bound = {.deadline = INT64_MAX, .last_bar = bars->count - 1};
  if (session < calendar->count) {
    bound.deadline = calendar->close[session];
    bound.last_bar = bars_before(bars, bound.deadline) - 1;
  }
  return bound;
}

/* Row `row` of the labels: event, entry, levels. Long: the exit side is the bid; short: the ask. */
static void place_barriers(const fmlp_bars *bars, int64_t bar, int side, int32_t target, int32_t stop,
                           fmlp_labels *labels, int64_t row) {
  int64_t entry = side > 0 ? bars->ask_close[bar] : bars->bid_close[bar];
  int64_t exit_close = side > 0 ? bars->bid_close[bar] : bars->ask_close[bar];
  labels->event_bar[row] = bar;
  labels->event_time[row] = bars->close_time[bar];
  labels->side[row] = (int8_t)side;
  labels->entry_price[row] = (int32_t)entry;
  labels->target_level[row] = saturate(exit_close + side * (int64_t)target);
  labels->stop_level[row] = saturate(exit_close - side * (int64_t)stop);
  labels->weight[row] = 1.0;
}

/* Events with a distance and room become rows, in the events' order. */
static void select_events(const fmlp_labeling_settings *settings, const fmlp_calendar *calendar,
                          const fmlp_bars *bars, const fmlp_events *events, const int32_t *target,
                          const int32_t *stop, fmlp_labels *labels) {
  int64_t min_room = settings->min_horizon_bars > 1 ? settings->min_horizon_bars : 1;
  session_bound bound = {.deadline = INT64_MIN};
  labels->count = 0;
  for (int64_t e = 0; e < events->count; e++) {
    int64_t bar = events->bar[e];
    if (target[e] == 0 || stop[e] == 0) {
      labels->no_distance++;
      continue;
    }
    if (bars->close_time[bar] >= bound.deadline) bound = bound_of(calendar, bars, bars->close_time[bar]);
    int64_t horizon_end = bar + smaller(settings->max_horizon_bars, bars->count);
    int64_t last_bar = smaller(smaller(horizon_end, bound.last_bar), bars->count - 1);
    if (last_bar - bar < min_room) {
      labels->no_room++;
      continue;
    }
    place_barriers(bars, bar, events->side[e], target[e], stop[e], labels, labels->count);
    labels->last_bar[labels->count] = last_bar;
    labels->deadline[labels->count] = bound.deadline;
    labels->exit_tick[labels->count] = -1;
    labels->count++;
  }
}

/* Exits that no tick decides: the deadline, and every exit under exit_at: close. Then profit and sign. */
static void settle(const fmlp_settings *settings, const fmlp_bars *bars, fmlp_labels *labels) {
  bool at_close = settings->labeling.exit_at == FMLP_EXIT_AT_CLOSE;
  for (int64_t row = 0; row < labels->count; row++) {
    int64_t bar = labels->end_bar[row];
    if (at_close || labels->outcome[row] == FMLP_OUTCOME_TIME) {
      labels->end_time[row] = bars->close_time[bar];
      labels->exit_price[row] = labels->side[row] > 0 ? bars->bid_close[bar] : bars->ask_close[bar];
    }
    bool market_exit = at_close || labels->outcome[row] != FMLP_OUTCOME_TARGET;
    double pnl = fmlp_label_pnl(&settings->backtest, bars->price, labels->side[row], labels->entry_price[row],
                                labels->exit_price[row], market_exit);
    labels->pnl_points[row] = pnl;
    labels->label[row] = (int8_t)((pnl > 0.0) - (pnl < 0.0));
  }
}

static fmlp_status refuse_none(const fmlp_labeling_settings *settings, const fmlp_bars *bars,
                               const fmlp_events *events, const fmlp_labels *labels, fmlp_error *error) {
  if (events->count == 0 && settings->events_type == FMLP_EVENTS_CUSUM) {
    return fmlp_fail(
        error, FMLP_ERR_INPUT,
        "labels: no event: the cumulated log return of %lld bars nowhere exceeds "
        "labeling.events.threshold, %g, within a session; lower it (0.001 is 0.1 %% of the price)",
        (long long)bars->count, settings->events_threshold);
  }
  return fmlp_fail(
      error, FMLP_ERR_INPUT,
      "labels: none of %lld events got a label: %lld without a distance (window longer than the "
      "history), %lld with fewer than labeling.min_horizon_bars bars to the session's end or the "
      "file's; use more data, shorter windows or smaller bars",
      (long long)events->count, (long long)labels->no_distance, (long long)labels->no_room);
}

static fmlp_status check_size(const fmlp_bars *bars, const fmlp_events *events, fmlp_error *error) {
  if (bars->count < INT32_MAX && events->count < INT32_MAX) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_INPUT, "labels: more than 2^31 - 2 bars or events; use larger bars");
}

static fmlp_status make_rows(const fmlp_settings *settings, const fmlp_calendar *calendar,
                             const fmlp_bars *bars, const fmlp_events *events, const fmlp_compute *compute,
                             fmlp_labels *labels, fmlp_error *error) {
  int32_t *target = NULL, *stop = NULL;
  fmlp_status status = fmlp_alloc(&target, events->count, sizeof *target, "target distances", error);
  if (status == FMLP_OK) status = fmlp_alloc(&stop, events->count, sizeof *stop, "stop distances", error);
  if (status == FMLP_OK) status = fmlp_labels_allocate(events->count, labels, error);
  if (status == FMLP_OK) {
    status = fmlp_label_distances(&settings->labeling, bars, events, compute, target, stop, error);
  }
  if (status == FMLP_OK) {
    select_events(&settings->labeling, calendar, bars, events, target, stop, labels);
    if (labels->count == 0) status = refuse_none(&settings->labeling, bars, events, labels, error);
  }
  fmlp_free(target);
  fmlp_free(stop);
  return status;
}

static fmlp_status make_labels(const fmlp_settings *settings, const fmlp_calendar *calendar,
                               const fmlp_bars *bars, const fmlp_tick_source *ticks,
                               const fmlp_features *features, const fmlp_events *events,
                               const fmlp_compute *compute, fmlp_labels *labels, fmlp_error *error) {
  FMLP_TRY(check_size(bars, events, error));
  FMLP_TRY(make_rows(settings, calendar, bars, events, compute, labels, error));
  for (int side = 1; side >= -1; side -= 2) {
    FMLP_TRY(fmlp_label_exits(&settings->labeling, bars, ticks, compute, side, labels, error));
  }
  settle(settings, bars, labels);
  return fmlp_labels_mark_usable(features, labels, error);
}

fmlp_status fmlp_labels_make(const fmlp_settings *settings, const fmlp_calendar *calendar,
                             const fmlp_bars *bars, const fmlp_tick_source *ticks,
                             const fmlp_features *features, const fmlp_events *events,
                             const fmlp_compute *compute, fmlp_labels *labels, fmlp_error *error) {
  FMLP_SPAN("labels");
  memset(labels, 0, sizeof *labels);
  fmlp_status status = make_labels(settings, calendar, bars, ticks, features, events, compute, labels, error);
  if (status != FMLP_OK) fmlp_labels_release(labels);
  return status;
}

double fmlp_label_pnl(const fmlp_backtest_settings *costs, fmlp_scale price, int side, int32_t entry_points,
                      int32_t exit_points, bool market_exit) {
  int64_t gross = side * ((int64_t)exit_points - entry_points);
  double money_per_point = costs->contract_size * fmlp_decimal(1, price); /* of one lot */
  double commission = (2.0 * costs->commission_per_lot) / money_per_point;
  double slippage = (market_exit ? 2.0 : 1.0) * costs->slippage_points;
  return ((double)gross - commission) - slippage;
}
