/* Event rules over bars. Each rule sees bars up to its own event only. */
#include "common/stages/events.h"

#include "common/core/decimal.h"
#include "common/core/elementary.h"
#include "common/core/interrupt.h"
#include "common/core/memory.h"
#include "prof/span.h"

enum { POLL = 1 << 16 }; /* bars between two looks at SIGINT */

/* Where a rule puts its events. */
typedef struct event_writer {
  const fmlp_calendar *calendar;
  const fmlp_bars *bars;
  bool out_of_session_kept;
  fmlp_side_choice side;
  fmlp_events *events;
} event_writer;

static void write_event(event_writer *writer, int64_t bar) {
  if (!writer->out_of_session_kept &&
      fmlp_calendar_find(writer->calendar, writer->bars->close_time[bar]) < 0) {
    return;
  }
  fmlp_events *events = writer->events;
  if (writer->side != FMLP_SIDE_SHORT) {
    events->bar[events->count] = bar;
    events->side[events->count++] = 1;
  }
  if (writer->side != FMLP_SIDE_LONG) {
    events->bar[events->count] = bar;
    events->side[events->count++] = -1;
  }
}

/* Every step-th bar: 0, step, 2 step, ... */
static fmlp_status write_every(event_writer *writer, int64_t step, fmlp_error *error) {
  int64_t polled = 0;
  for (int64_t bar = 0; bar < writer->bars->count; bar += step) {
    if (bar >= polled) {
      FMLP_TRY(fmlp_check_interrupt("events", error));
      polled = bar + POLL;
    }
    write_event(writer, bar);
    if (step >= writer->bars->count - bar) break; /* a step near 2^63 must not wrap */
  }
  return FMLP_OK;
}

/* up = max(0, up + r), down = min(0, down + r), r = log(mid / previous mid); an event where down < -h or up >
 * h, after which both restart at 0. (AFML's snippet 2.4 restarts only the one that crossed; it is the same
 * filter, because a sum that crosses stands at the extreme since its restart, where the other one is 0.) */
static fmlp_status write_cusum(event_writer *writer, double threshold, fmlp_error *error) {
  const fmlp_bars *bars = writer->bars;
  double up = 0.0, down = 0.0;
  double previous =
      bars->count > 0 ? fmlp_decimal_mid(bars->bid_close[0], bars->ask_close[0], bars->price) : 0;
  for (int64_t bar = 1; bar < bars->count; bar++) {
    if (bar % POLL == 0) FMLP_TRY(fmlp_check_interrupt("events", error));
    double mid = fmlp_decimal_mid(bars->bid_close[bar], bars->ask_close[bar], bars->price);
    double change = fmlp_log(mid / previous);
    previous = mid;
    up = up + change > 0.0 ? up + change : 0.0;
    down = down + change < 0.0 ? down + change : 0.0;
    if (down < -threshold || up > threshold) {
      up = down = 0.0;
      write_event(writer, bar);
    }
  }
  return FMLP_OK;
}

static fmlp_status find(const fmlp_labeling_settings *settings, event_writer *writer, fmlp_error *error) {
  switch (settings->events_type) {
  case FMLP_EVENTS_EVERY:
    if (settings->events_n < 1) {
      return fmlp_fail(error, FMLP_ERR_USAGE,
                       "labeling.events.n: %lld is not positive; every n-th bar needs n >= 1",
                       (long long)settings->events_n);
    }
    return write_every(writer, settings->events_n, error);
  case FMLP_EVENTS_CUSUM:
    if (!(settings->events_threshold > 0.0)) {
      return fmlp_fail(error, FMLP_ERR_USAGE,
                       "labeling.events.threshold: %g is not positive; give a log return such as 0.001",
                       settings->events_threshold);
    }
    return write_cusum(writer, settings->events_threshold, error);
  case FMLP_EVENTS_ALL:
  default:
    return write_every(writer, 1, error);
  }
}

fmlp_status fmlp_events_find(const fmlp_labeling_settings *settings, const fmlp_calendar *calendar,
                             bool out_of_session_kept, const fmlp_bars *bars, fmlp_events *events,
                             fmlp_error *error) {
  FMLP_SPAN("events.find");
  *events = (fmlp_events){0};
  int64_t most = bars->count * (settings->side == FMLP_SIDE_BOTH ? 2 : 1);
  event_writer writer = {calendar, bars, out_of_session_kept, settings->side, events};
  fmlp_status status = fmlp_alloc(&events->bar, most, sizeof *events->bar, "events", error);
  if (status == FMLP_OK) status = fmlp_alloc(&events->side, most, sizeof *events->side, "events", error);
  if (status == FMLP_OK) status = find(settings, &writer, error);
  if (status == FMLP_OK) {
    status = fmlp_resize(&events->bar, events->count, events->count, sizeof *events->bar, "events", error);
  }
  if (status == FMLP_OK) {
    status = fmlp_resize(&events->side, events->count, events->count, sizeof *events->side, "events", error);
  }
  if (status != FMLP_OK) fmlp_events_release(events);
  return status;
}
