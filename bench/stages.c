/* Stages that are not kernels: reading text, building bars, opening and closing spans. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/bench.h"
#include "common/core/memory.h"
#include "common/io/tick_reader.h"
#include "common/stages/bars_stage.h"
#include "common/stages/calendar.h"
#include "prof/capture.h"
#include "prof/span.h"

enum { PATH_CAPACITY = 4096, SPAN_PAIRS = 1000000 };

typedef struct stage_state {
  char path[PATH_CAPACITY];
  fmlp_data_settings data;
  fmlp_calendar calendar;
  fmlp_ticks ticks;
} stage_state;

static fmlp_status new_state(bench_run *run, stage_state **state, fmlp_error *error) {
  FMLP_TRY(fmlp_alloc_zero(&run->state, 1, sizeof(stage_state), "benchmark", error));
  *state = run->state;
  return FMLP_OK;
}

static void finish(bench_run *run) {
  stage_state *state = run->state;
  if (!state) return;
  fmlp_calendar_release(&state->calendar);
  fmlp_free(state);
  run->state = NULL;
}

/* Needs the files that --data with --write leaves: parameter 0 epoch milliseconds, 1 date and time. */
static fmlp_status prepare_csv(bench_run *run, fmlp_error *error) {
  stage_state *state = NULL;
  FMLP_TRY(new_state(run, &state, error));
  (void)snprintf(state->path, sizeof state->path, "%s/%s", run->data->folder,
                 run->what->parameter ? "date_time.csv" : "epoch_ms.csv");
  struct stat file;
  if (stat(state->path, &file) != 0) {
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s: missing; run once with --write", state->path);
  }
  state->data =
      (fmlp_data_settings){.path = state->path, .format = "auto", .timezone = "UTC", .size_decimals = -1};
  run->items = BENCH_CSV_ROWS;
  run->bytes = file.st_size;
  return FMLP_OK;
}

static fmlp_status work_csv(bench_run *run, fmlp_error *error) {
  stage_state *state = run->state;
  fmlp_read_report report;
  FMLP_TRY(fmlp_ticks_read(&state->data, &state->ticks, &report, error));
  fmlp_ticks_release(&state->ticks);
  return FMLP_OK;
}

static fmlp_status prepare_bars(bench_run *run, fmlp_error *error) {
  stage_state *state = NULL;
  FMLP_TRY(new_state(run, &state, error));
  const bench_data *data = run->data;
  fmlp_session_settings around_the_clock = {.timezone = "UTC",
                                            .session_start = 0,
                                            .session_end = 1440,
                                            .friday_end = 1440,
                                            .weekend_trading = true};
  state->ticks = (fmlp_ticks){.kind = FMLP_QUOTES,
                              .count = data->ticks,
                              .capacity = data->ticks,
                              .price = {1, 5},
                              .size_unit = {1, 0},
                              .time = data->tick_time,
                              .bid = data->tick_bid,
                              .ask = data->tick_ask};
  run->items = data->ticks;
  run->bytes = data->ticks * 8;
  return fmlp_calendar_build(&around_the_clock, data->tick_time[0], data->tick_time[data->ticks - 1],
                             &state->calendar, error);
}

static fmlp_status work_bars(bench_run *run, fmlp_error *error) {
  stage_state *state = run->state;
  fmlp_bars_settings settings = {
      .type = FMLP_BARS_TICK, .threshold = 100, .threshold_text = "100", .keep_session_tail = true};
  fmlp_tick_source source = fmlp_ticks_source(&state->ticks);
  fmlp_bars bars = {0};
  fmlp_bars_report report;
  fmlp_status status = fmlp_bars_build(&settings, &state->calendar, &source, &bars, &report, error);
  fmlp_bars_release(&bars);
  return status;
}

/* Parameter 1: while a capture records. */
static fmlp_status prepare_spans(bench_run *run, fmlp_error *error) {
  if (run->what->parameter == 1 && !fmlp_capture_start(NULL))
    return fmlp_fail(error, FMLP_ERR_OTHER, "another capture is recording");
  run->items = SPAN_PAIRS;
  run->bytes = 0;
  return FMLP_OK;
}

static fmlp_status work_spans(bench_run *run, fmlp_error *error) {
  (void)run;
  (void)error;
  for (int i = 0; i < SPAN_PAIRS; i++) {
    FMLP_SPAN("bench.span");
  }
  return FMLP_OK;
}

static void finish_spans(bench_run *run) {
  if (run->what->parameter == 1) fmlp_capture_free(fmlp_capture_stop());
}

const bench_case bench_stage_cases[] = {
    {"csv/epoch_ms", "row", 0, NULL, prepare_csv, work_csv, NULL, finish},
    {"csv/date_time", "row", 1, NULL, prepare_csv, work_csv, NULL, finish},
    {"bars/tick_100", "tick", 0, NULL, prepare_bars, work_bars, NULL, finish},
    {"span/pair_off", "pair", 0, NULL, prepare_spans, work_spans, NULL, finish_spans},
    {"span/pair_on", "pair", 1, NULL, prepare_spans, work_spans, NULL, finish_spans},
    {NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL},
};
