/* Cleaning, in place. The rows are looked over once (order, crossed quotes), sorted if they must be, then
 * filtered in one pass that moves what is kept to the front: nothing is held twice but, while sorting, a
 * permutation and one column.
 *
 * A row that breaks several rules is dropped by the first of: crossed, zero spread, session, duplicate time,
 * outlier. */
#include "common/stages/clean.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "common/core/int128.h"
#include "common/core/interrupt.h"
#include "common/core/memory.h"
#include "common/stages/sort_ticks.h"
#include "prof/span.h"

enum { ROWS_BETWEEN_POLLS = 1 << 16 };

/* The last accepted ticks, as far as `window` back: rows [first, out) of the compacted table. Sums of bid +
 * ask in points are exact, so they do not depend on how the window got here. */
typedef struct outlier_window {
  int64_t first;
  int64_t sum;
  fmlp_int128 square_sum;
  int64_t dropped_in_a_row;
} outlier_window;

typedef struct filter {
  const fmlp_cleaning_settings *settings;
  const fmlp_calendar *calendar;
  fmlp_ticks *ticks;
  fmlp_clean_report *report;
  int64_t out;        /* rows kept so far */
  int64_t session;    /* first one that ends after the current row */
  int64_t time_above; /* of the row before in the sorted table */
  int64_t last_time;  /* of the last row that met the rules before duplicate_timestamps */
  int64_t pending;    /* row waiting for a later one of the same time (duplicates: last), -1 = none */
  bool any;           /* last_time is set */
  outlier_window window;
} filter;

/* ---- outliers ---- */

static int64_t twice_mid(const fmlp_ticks *ticks, int64_t row) {
  return (int64_t)ticks->bid[row] + ticks->ask[row];
}

/* |z| of a row against the mean and standard deviation (ddof 1) of the window; NaN where all were equal. */
static double z_score(const filter *state, int64_t value) {
  const outlier_window *window = &state->window;
  fmlp_int128 n = state->settings->outliers_window;
  fmlp_int128 distance = value * n - window->sum;                                       /* n (value - mean) */
  fmlp_int128 spread = n * window->square_sum - (fmlp_int128)window->sum * window->sum; /* n (n-1) variance */
  if (spread == 0) return NAN;
  double length = (double)(distance < 0 ? -distance : distance) / (double)n;
  return length / sqrt((double)spread / ((double)n * (double)(n - 1)));
}

/* True for a row to drop. Until the window is full nothing is; and a level that lasted for a whole window of
 * drops is no outlier but a new level: the window starts again there. */
static bool is_outlier(filter *state, int64_t row) {
  outlier_window *window = &state->window;
  int64_t length = state->settings->outliers_window, value = twice_mid(state->ticks, row);
  if (state->out - window->first < length) return false;
  if (!(z_score(state, value) > state->settings->outliers_threshold)) {
    window->dropped_in_a_row = 0;
    return false;
  }
  if (++window->dropped_in_a_row <= length) return true;
  *window = (outlier_window){.first = state->out};
  return false;
}

/* Row out - 1 was just accepted. */
static void extend_window(filter *state) {
  outlier_window *window = &state->window;
  int64_t value = twice_mid(state->ticks, state->out - 1);
  window->sum += value;
  window->square_sum += (fmlp_int128)value * value;
  if (state->out - window->first <= state->settings->outliers_window) return;
  int64_t leaving = twice_mid(state->ticks, window->first++);
  window->sum -= leaving;
  window->square_sum -= (fmlp_int128)leaving * leaving;
}

/* ---- rows ---- */

static inline void move_row(fmlp_ticks *ticks, int64_t from, int64_t to) {
  ticks->time[to] = ticks->time[from];
  ticks->bid[to] = ticks->bid[from];
  ticks->ask[to] = ticks->ask[from]; /* the same array for trades */
  if (ticks->bid_size) {
    ticks->bid_size[to] = ticks->bid_size[from];
    ticks->ask_size[to] = ticks->ask_size[from];
  }
  if (ticks->size) ticks->size[to] = ticks->size[from];
}

static inline void accept(filter *state, int64_t row) {
  if (state->settings->outliers_enabled && is_outlier(state, row)) {
    state->report->dropped_outliers++;
    return;
  }
  if (row != state->out) move_row(state->ticks, row, state->out);
  state->out++;
  if (state->settings->outliers_enabled) extend_window(state);
}

static inline bool is_out_of_session(filter *state, int64_t time) {
  const fmlp_calendar *calendar = state->calendar;
  while (state->session < calendar->count && calendar->close[state->session] <= time) state->session++;
  return state->session == calendar->count || time < calendar->open[state->session];
}

/* The rules that look at one row alone. */
static inline bool drops(filter *state, int64_t row) {
  const fmlp_cleaning_settings *settings = state->settings;
  const fmlp_ticks *ticks = state->ticks;
  fmlp_clean_report *report = state->report;
  bool crossed = ticks->bid[row] > ticks->ask[row];
  bool zero = ticks->bid[row] == ticks->ask[row] && ticks->kind == FMLP_QUOTES;
  bool outside = state->calendar && is_out_of_session(state, ticks->time[row]);
  report->crossed_seen += crossed;
  report->zero_spread_seen += zero;
  report->out_of_session_seen += outside;
  if (crossed && settings->crossed == FMLP_CROSSED_DROP) {
    report->dropped_crossed++;
  } else if (zero && settings->zero_spread == FMLP_ZERO_SPREAD_DROP) {
    report->dropped_zero_spread++;
  } else if (outside && settings->out_of_session == FMLP_OUT_OF_SESSION_DROP) {
    report->dropped_out_of_session++;
  } else {
    return false;
  }
  return true;
}

/* A row that met the rules above: duplicate times, then outliers. */
static inline void take_row(filter *state, int64_t row) {
  fmlp_duplicates policy = state->settings->duplicate_timestamps;
  int64_t time = state->ticks->time[row];
  bool repeats = state->any && time == state->last_time;
  state->any = true;
  state->last_time = time;
  if (policy == FMLP_DUPLICATES_KEEP) {
    accept(state, row);
  } else if (policy == FMLP_DUPLICATES_FIRST) {
    if (repeats) {
      state->report->dropped_duplicates++;
    } else {
      accept(state, row);
    }
  } else {
    if (repeats) {
      state->report->dropped_duplicates++;
    } else if (state->pending >= 0) {
      accept(state, state->pending);
    }
    state->pending = row; /* never overwritten before it is accepted: out <= pending */
  }
}

static fmlp_status filter_rows(filter *state, fmlp_error *error) {
  fmlp_ticks *ticks = state->ticks;
  FMLP_SPAN_BYTES("clean.filter",
                  2 * ticks->count * fmlp_ticks_row_bytes(ticks)); /* read; kept ones written */
  fmlp_clean_report *report = state->report;
  for (int64_t first = 0; first < ticks->count; first += ROWS_BETWEEN_POLLS) {
    FMLP_TRY(fmlp_check_interrupt("cleaning", error));
    int64_t last = first + ROWS_BETWEEN_POLLS < ticks->count ? first + ROWS_BETWEEN_POLLS : ticks->count;
    for (int64_t row = first; row < last; row++) {
      int64_t time = ticks->time[row];
      report->duplicates_seen += row > 0 && time == state->time_above;
      state->time_above = time; /* kept aside: row - 1 may have been overwritten by then */
      if (!drops(state, row)) take_row(state, row);
    }
  }
  if (state->pending >= 0) accept(state, state->pending);
  report->rows_out = state->out;
  return FMLP_OK;
}

/* ---- the whole table ---- */

static fmlp_status look_over(const fmlp_cleaning_settings *settings, const fmlp_ticks *ticks,
                             fmlp_clean_report *report, fmlp_error *error) {
  for (int64_t row = 0; row < ticks->count; row++) {
    bool late = row > 0 && ticks->time[row] < ticks->time[row - 1];
    report->out_of_order += late;
    if (late && !settings->sort) {
      return fmlp_fail(error, FMLP_ERR_INPUT,
                       "row %lld: its time is before that of the row above; set cleaning.sort: true",
                       (long long)row + 1);
    }
    if (settings->crossed == FMLP_CROSSED_ERROR && ticks->bid[row] > ticks->ask[row]) {
      return fmlp_fail(
          error, FMLP_ERR_INPUT,
          "row %lld: crossed quote, bid %.10g above ask %.10g; set cleaning.crossed: drop or keep",
          (long long)row + 1, fmlp_decimal(ticks->bid[row], ticks->price),
          fmlp_decimal(ticks->ask[row], ticks->price));
    }
  }
  return FMLP_OK;
}

static fmlp_status check_settings(const fmlp_cleaning_settings *settings, fmlp_error *error) {
  if (!settings->outliers_enabled) return FMLP_OK;
  if (settings->outliers_window < 2 || settings->outliers_window > INT32_MAX) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "cleaning.outliers.window: %lld ticks; use at least 2",
                     (long long)settings->outliers_window);
  }
  if (settings->outliers_threshold > 0) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_USAGE,
                   "cleaning.outliers.threshold: %g; use a positive number of deviations",
                   settings->outliers_threshold);
}

fmlp_status fmlp_clean(const fmlp_cleaning_settings *settings, const fmlp_calendar *calendar,
                       fmlp_ticks *ticks, fmlp_clean_report *report, fmlp_error *error) {
  FMLP_SPAN("clean.ticks");
  memset(report, 0, sizeof *report);
  FMLP_TRY(check_settings(settings, error));
  report->rows_in = ticks->count;
  FMLP_TRY(look_over(settings, ticks, report, error));
  if (report->out_of_order > 0) FMLP_TRY(fmlp_ticks_sort(ticks, error));
  filter state = {
      .settings = settings, .calendar = calendar, .ticks = ticks, .report = report, .pending = -1};
  FMLP_TRY(filter_rows(&state, error));
  assert(report->rows_in == report->rows_out + report->dropped_crossed + report->dropped_zero_spread +
                                report->dropped_duplicates + report->dropped_outliers +
                                report->dropped_out_of_session);
  ticks->count = report->rows_out;
  if (ticks->count > 0) return FMLP_OK;
  return fmlp_fail(
      error, FMLP_ERR_INPUT,
      "no tick is left of %lld: dropped %lld crossed, %lld zero spread, %lld out of session, %lld "
      "duplicates, %lld outliers; relax the rules under cleaning or check session",
      (long long)report->rows_in, (long long)report->dropped_crossed, (long long)report->dropped_zero_spread,
      (long long)report->dropped_out_of_session, (long long)report->dropped_duplicates,
      (long long)report->dropped_outliers);
}
