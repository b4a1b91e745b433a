/* How far the barriers stand: fixed, a multiple of recent volatility, or quantiles of recent excursions.
 * Strictly causal: an event's distance depends on bars up to and including its own. */
#include <math.h>
#include <string.h>

#include "common/core/bits.h"
#include "common/core/memory.h"
#include "common/stages/features_plan.h"
#include "common/stages/labels_parts.h"
#include "prof/span.h"

enum { MAX_COLUMNS = 2 };

/* A small plan over host columns: up to MAX_COLUMNS in, up to MAX_COLUMNS out, [rows] each. */
typedef struct small_plan {
  const fmlp_compute *compute;
  int64_t rows;
  fmlp_rolling_plan rolling;
  const double *inputs[MAX_COLUMNS];
  double *outputs[MAX_COLUMNS];
} small_plan;

static fmlp_status execute_buffers(const small_plan *plan, fmlp_buffer **in, fmlp_buffer **out,
                                   fmlp_error *error) {
  const fmlp_backend *backend = plan->compute->backend;
  fmlp_device *device = plan->compute->device;
  size_t bytes = (size_t)plan->rows * sizeof(double);
  for (int32_t i = 0; i < plan->rolling.input_count; i++) {
    FMLP_TRY(backend->buffer_create(device, bytes, &in[i], error));
    FMLP_TRY(backend->upload(device, in[i], 0, plan->inputs[i], bytes, error));
  }
  for (int32_t o = 0; o < plan->rolling.output_count; o++) {
    FMLP_TRY(backend->buffer_create(device, bytes, &out[o], error));
  }
  FMLP_TRY(backend->rolling(device, &plan->rolling, plan->rows, (const fmlp_buffer *const *)in, out, error));
  for (int32_t o = 0; o < plan->rolling.output_count; o++) {
    FMLP_TRY(backend->download(device, out[o], 0, plan->outputs[o], bytes, error));
  }
  return FMLP_OK;
}

static fmlp_status execute(const small_plan *plan, fmlp_error *error) {
  fmlp_buffer *in[MAX_COLUMNS] = {NULL}, *out[MAX_COLUMNS] = {NULL};
  FMLP_TRY(fmlp_rolling_validate(&plan->rolling, error));
  fmlp_status status = execute_buffers(plan, in, out, error);
  for (int c = 0; c < MAX_COLUMNS; c++) {
    plan->compute->backend->buffer_free(plan->compute->device, in[c]);
    plan->compute->backend->buffer_free(plan->compute->device, out[c]);
  }
  return status;
}

/* max(1, ceil(points)), saturating; 0 for NaN. */
static int32_t whole_points(double points) {
  if (isnan(points)) return 0;
  double whole = -floor(-points);
  if (whole < 1.0) return 1;
  return whole >= (double)INT32_MAX ? INT32_MAX : (int32_t)whole;
}

static void fixed_distances(const fmlp_labeling_settings *settings, const fmlp_events *events,
                            int32_t *target, int32_t *stop) {
  for (int64_t e = 0; e < events->count; e++) {
    target[e] = whole_points((double)settings->tp_ticks);
    stop[e] = whole_points((double)settings->sl_ticks);
  }
}

/* multiple * std_window(ret_1) * close: a return times a price in points is points. */
static void scale_volatility(const fmlp_labeling_settings *settings, const fmlp_bars *bars,
                             const fmlp_events *events, const double *volatility, int32_t *target,
                             int32_t *stop) {
  for (int64_t e = 0; e < events->count; e++) {
    int64_t bar = events->bar[e];
    double close = (double)(events->side[e] > 0 ? bars->bid_close[bar] : bars->ask_close[bar]);
    target[e] = whole_points((settings->tp_multiple * volatility[bar]) * close);
    stop[e] = whole_points((settings->sl_multiple * volatility[bar]) * close);
  }
}

static fmlp_status volatility_distances(const fmlp_labeling_settings *settings, const fmlp_bars *bars,
                                        const fmlp_events *events, const fmlp_compute *compute,
                                        int32_t *target, int32_t *stop, fmlp_error *error) {
  const fmlp_rolling_node nodes[] = {
      {.op = FMLP_OP_LOG_RETURN, .a = 0, .b = -1, .window = 1, .output = -1},
      {.op = FMLP_OP_STD, .a = 1, .b = -1, .window = settings->volatility_window, .output = 0}};
  double *close = NULL, *volatility = NULL;
  fmlp_status status = fmlp_alloc(&close, bars->count, sizeof *close, "bar closes", error);
  if (status == FMLP_OK) status = fmlp_alloc(&volatility, bars->count, sizeof(double), "volatility", error);
  if (status == FMLP_OK) {
    fmlp_bar_column_fill(FMLP_COLUMN_BID_CLOSE, bars, 0, bars->count, close);
    const small_plan plan = {.compute = compute,
                             .rows = bars->count,
                             .rolling = {1, 2, 1, nodes},
                             .inputs = {close},
                             .outputs = {volatility}};
    status = execute(&plan, error);
  }
  if (status == FMLP_OK) scale_volatility(settings, bars, events, volatility, target, stop);
  fmlp_free(volatility);
  fmlp_free(close);
  return status;
}

/* One side's excursions. Lists run over the side's events in order; columns over bars. */
typedef struct excursions {
  const fmlp_labeling_settings *settings;
  const fmlp_bars *bars;
  const fmlp_compute *compute;
  int side;
  int64_t count;                    /* events of the side */
  int64_t *event;                   /* [count] index in the events table */
  double *high, *low;               /* [bars] exit side, points */
  double *highest, *lowest;         /* [bars] over the last horizon_bars bars */
  double *favourable, *adverse;     /* [count] excursion of each event in points, NaN while incomplete */
  double *favourable_q, *adverse_q; /* [count] quantile over the `window` events up to each */
} excursions;

static fmlp_status allocate_excursions(excursions *x, int64_t events, fmlp_error *error) {
  double **over_bars[] = {&x->high, &x->low, &x->highest, &x->lowest};
  double **over_events[] = {&x->favourable, &x->adverse, &x->favourable_q, &x->adverse_q};
  FMLP_TRY(fmlp_alloc(&x->event, events, sizeof *x->event, "excursion events", error));
  for (int c = 0; c < 4; c++) {
    FMLP_TRY(fmlp_alloc(over_bars[c], x->bars->count, sizeof(double), "excursions", error));
    FMLP_TRY(fmlp_alloc(over_events[c], events, sizeof(double), "excursions", error));
  }
  return FMLP_OK;
}

static void release_excursions(excursions *x) {
  double *columns[] = {x->high,       x->low,     x->highest,      x->lowest,
                       x->favourable, x->adverse, x->favourable_q, x->adverse_q};
  for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) fmlp_free(columns[c]);
  fmlp_free(x->event);
}

static fmlp_status find_extremes(excursions *x, fmlp_error *error) {
  int64_t horizon = x->settings->mfe_mae_horizon_bars;
  const int32_t *high = x->side > 0 ? x->bars->bid_high : x->bars->ask_high;
  const int32_t *low = x->side > 0 ? x->bars->bid_low : x->bars->ask_low;
  for (int64_t b = 0; b < x->bars->count; b++) {
    x->high[b] = (double)high[b];
    x->low[b] = (double)low[b];
  }
  const fmlp_rolling_node nodes[] = {{.op = FMLP_OP_MAX, .a = 0, .b = -1, .window = horizon, .output = 0},
                                     {.op = FMLP_OP_MIN, .a = 1, .b = -1, .window = horizon, .output = 1}};
  const small_plan plan = {.compute = x->compute,
                           .rows = x->bars->count,
                           .rolling = {2, 2, 2, nodes},
                           .inputs = {x->high, x->low},
                           .outputs = {x->highest, x->lowest}};
  return execute(&plan, error);
}

static double at_least_zero(double value) {
  return value > 0.0 ? value : 0.0;
}

/* An event's excursions start at the exit side's close, where the barriers are measured from, and cover the
 * horizon's bars after it. */
static void measure_excursions(const excursions *x, const fmlp_events *events) {
  const int32_t *closes = x->side > 0 ? x->bars->bid_close : x->bars->ask_close;
  int64_t horizon = x->settings->mfe_mae_horizon_bars;
  for (int64_t i = 0; i < x->count; i++) {
    int64_t bar = events->bar[x->event[i]];
    x->favourable[i] = x->adverse[i] = fmlp_nan();
    if (horizon >= x->bars->count - bar) continue;
    double close = (double)closes[bar];
    double up = at_least_zero(x->highest[bar + horizon] - close);
    double down = at_least_zero(close - x->lowest[bar + horizon]);
    x->favourable[i] = x->side > 0 ? up : down;
    x->adverse[i] = x->side > 0 ? down : up;
  }
}

static fmlp_status find_quantiles(excursions *x, fmlp_error *error) {
  const fmlp_rolling_node nodes[] = {{.op = FMLP_OP_QUANTILE,
                                      .a = 0,
                                      .b = -1,
                                      .window = x->settings->mfe_mae_window,
                                      .parameter = x->settings->mfe_mae_tp_quantile,
                                      .output = 0},
                                     {.op = FMLP_OP_QUANTILE,
                                      .a = 1,
                                      .b = -1,
                                      .window = x->settings->mfe_mae_window,
                                      .parameter = x->settings->mfe_mae_sl_quantile,
                                      .output = 1}};
  const small_plan plan = {.compute = x->compute,
                           .rows = x->count,
                           .rolling = {2, 2, 2, nodes},
                           .inputs = {x->favourable, x->adverse},
                           .outputs = {x->favourable_q, x->adverse_q}};
  return execute(&plan, error);
}

/* The newest event whose excursion is complete at bar i is the last with bar + horizon <= i. */
static void use_completed(const excursions *x, const fmlp_events *events, int32_t *target, int32_t *stop) {
  int64_t completed = 0;
  for (int64_t i = 0; i < x->count; i++) {
    int64_t bar = events->bar[x->event[i]];
    while (events->bar[x->event[completed]] <= bar - x->settings->mfe_mae_horizon_bars) completed++;
    int64_t e = x->event[i];
    target[e] = completed > 0 ? whole_points(x->favourable_q[completed - 1]) : 0;
    stop[e] = completed > 0 ? whole_points(x->adverse_q[completed - 1]) : 0;
  }
}

static fmlp_status side_excursions(excursions *x, const fmlp_events *events, int32_t *target, int32_t *stop,
                                   fmlp_error *error) {
  FMLP_TRY(allocate_excursions(x, events->count, error));
  for (int64_t e = 0; e < events->count; e++) {
    if (events->side[e] == x->side) x->event[x->count++] = e;
  }
  if (x->count == 0) return FMLP_OK;
  FMLP_TRY(find_extremes(x, error));
  measure_excursions(x, events);
  FMLP_TRY(find_quantiles(x, error));
  use_completed(x, events, target, stop);
  return FMLP_OK;
}

fmlp_status fmlp_label_distances(const fmlp_labeling_settings *settings, const fmlp_bars *bars,
                                 const fmlp_events *events, const fmlp_compute *compute, int32_t *target,
                                 int32_t *stop, fmlp_error *error) {
  FMLP_SPAN("labels.distances");
  if (settings->distance_mode == FMLP_DISTANCE_TICKS) {
    fixed_distances(settings, events, target, stop);
    return FMLP_OK;
  }
  if (settings->distance_mode == FMLP_DISTANCE_VOLATILITY) {
    return volatility_distances(settings, bars, events, compute, target, stop, error);
  }
  for (int side = 1; side >= -1; side -= 2) {
    excursions x = {.settings = settings, .bars = bars, .compute = compute, .side = side};
    fmlp_status status = side_excursions(&x, events, target, stop, error);
    release_excursions(&x);
    FMLP_TRY(status);
  }
  return FMLP_OK;
}
