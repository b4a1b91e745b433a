/* The held-out file: read, cleaned, cut into bars, labelled, predicted by the final model, backtested. */
#include "common/holdout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/core/memory.h"
#include "common/io/csv.h"
#include "common/stages/bars_columns.h"
#include "common/stages/events.h"
#include "common/stages/features.h"
#include "common/stages/labels.h"
#include "common/stages/weights.h"
#include "prof/span.h"

/* The tables of the held-out file; they live for the length of the study. */
typedef struct study {
  fmlp_settings settings; /* the run's, with the other file */
  char point_size[48];
  const fmlp_compute *compute;
  const fmlp_results *trained;
  fmlp_ticks ticks;
  fmlp_calendar calendar;
  fmlp_bars bars;
  fmlp_features features;
  fmlp_labels labels;
  fmlp_predictions predictions;
  fmlp_column_sink run_sink;
} study;

/* m * 10^-k as decimal text: {25, 2} is "0.25". */
static void decimal_text(fmlp_scale scale, char *text, size_t capacity) {
  int64_t power = fmlp_power_of_ten[scale.k];
  if (scale.k == 0) {
    (void)snprintf(text, capacity, "%" PRId64, scale.m);
  } else {
    (void)snprintf(text, capacity, "%" PRId64 ".%0*" PRId64, scale.m / power, (int)scale.k, scale.m % power);
  }
}

/* Columns of the study go to the run's folder test/. */
static fmlp_status put_below_test(void *state, const fmlp_column *column, fmlp_error *error) {
  const study *all = state;
  char group[64];
  (void)snprintf(group, sizeof group, "test/%s", column->group);
  fmlp_column below = *column;
  below.group = group;
  return all->run_sink.put(all->run_sink.state, &below, error);
}

static fmlp_status read_and_cut(study *all, fmlp_holdout *holdout, fmlp_error *error) {
  const fmlp_settings *settings = &all->settings;
  int64_t first = 0, last = 0;
  FMLP_TRY(fmlp_ticks_read(&settings->data, &all->ticks, &holdout->read, error));
  fmlp_ticks_span(&all->ticks, &first, &last);
  FMLP_TRY(fmlp_calendar_build(&settings->session, first, last, &all->calendar, error));
  FMLP_TRY(fmlp_clean(&settings->cleaning, &all->calendar, &all->ticks, &holdout->clean, error));
  fmlp_tick_source ticks = fmlp_ticks_source(&all->ticks);
  fmlp_bars_report report;
  FMLP_TRY(fmlp_bars_build(&settings->bars, &all->calendar, &ticks, &all->bars, &report, error));
  return fmlp_features_compute(&settings->features, &all->bars, all->compute, &all->features, error);
}

static fmlp_status label(study *all, fmlp_error *error) {
  const fmlp_settings *settings = &all->settings;
  bool out_of_session_kept = settings->cleaning.out_of_session == FMLP_OUT_OF_SESSION_KEEP;
  fmlp_tick_source ticks = fmlp_ticks_source(&all->ticks);
  fmlp_events events = {0};
  fmlp_status status =
      fmlp_events_find(&settings->labeling, &all->calendar, out_of_session_kept, &all->bars, &events, error);
  if (status == FMLP_OK) {
    status = fmlp_labels_make(settings, &all->calendar, &all->bars, &ticks, &all->features, &events,
                              all->compute, &all->labels, error);
  }
  fmlp_events_release(&events);
  if (status == FMLP_OK) status = fmlp_weights_compute(&settings->labeling, &all->bars, &all->labels, error);
  return status;
}

static fmlp_status backtest(study *all, fmlp_holdout *holdout, fmlp_error *error) {
  int64_t trained_until = all->trained->bars.close_time[all->trained->bars.count - 1];
  fmlp_folds one_path = {.path_count = 1, .causal = all->bars.open_time[0] > trained_until};
  fmlp_tick_source ticks = fmlp_ticks_source(&all->ticks);
  holdout->labels = all->labels.count;
  FMLP_TRY(fmlp_model_score(&all->labels, &all->predictions, &holdout->score, error));
  return fmlp_evaluate(&all->settings, &all->calendar, &all->bars, &ticks, &all->labels, &one_path,
                       &all->predictions, &holdout->evaluation, error);
}

static fmlp_status write_text(fmlp_run_folder *folder, const char *name, fmlp_text *text, fmlp_error *error) {
  fmlp_status status = fmlp_text_finish(text, error);
  if (status == FMLP_OK) status = fmlp_run_folder_write(folder, name, text->bytes, text->count, error);
  fmlp_text_release(text);
  return status;
}

static fmlp_status write_results(study *all, const fmlp_holdout *holdout, fmlp_run_folder *folder,
                                 fmlp_error *error) {
  fmlp_column_sink sink = {.state = all, .put = put_below_test};
  all->run_sink = fmlp_run_folder_sink(folder);
  FMLP_TRY(fmlp_bars_export(&all->bars, &sink, error));
  FMLP_TRY(fmlp_labels_export(&all->labels, all->bars.price, &sink, error));
  FMLP_TRY(fmlp_predictions_export(&all->predictions, &sink, error));
  fmlp_text text = {0};
  fmlp_csv_trades(&holdout->evaluation.trades, &text);
  FMLP_TRY(write_text(folder, "test/trades.csv", &text, error));
  fmlp_csv_equity(&holdout->evaluation.equity, &text);
  FMLP_TRY(write_text(folder, "test/equity.csv", &text, error));
  fmlp_folds none = {0};
  fmlp_evaluation_json(&all->settings, &all->labels, &none, NULL, &holdout->evaluation, &text);
  return write_text(folder, "test/metrics.json", &text, error);
}

static void release(study *all) {
  fmlp_predictions_release(&all->predictions);
  fmlp_labels_release(&all->labels);
  fmlp_features_release(&all->features);
  fmlp_bars_release(&all->bars);
  fmlp_calendar_release(&all->calendar);
  fmlp_ticks_release(&all->ticks);
}

fmlp_status fmlp_holdout_run(const fmlp_settings *settings, const fmlp_compute *compute,
                             const fmlp_results *trained, fmlp_run_folder *folder, fmlp_holdout *holdout,
                             fmlp_error *error) {
  FMLP_SPAN("holdout");
  study *all = NULL;
  memset(holdout, 0, sizeof *holdout);
  FMLP_TRY(fmlp_alloc_zero(&all, 1, sizeof *all, "held-out study", error));
  all->settings = *settings;
  all->compute = compute;
  all->trained = trained;
  decimal_text(trained->bars.price, all->point_size, sizeof all->point_size);
  all->settings.data.path = settings->data.test_path;
  all->settings.data.point_size_text = all->point_size;
  all->settings.data.point_size = fmlp_decimal(1, trained->bars.price);
  fmlp_status status = read_and_cut(all, holdout, error);
  if (status == FMLP_OK) status = label(all, error);
  if (status == FMLP_OK) {
    status = fmlp_model_predict(&trained->model, &all->features, &all->labels, &all->predictions, error);
  }
  if (status == FMLP_OK) status = backtest(all, holdout, error);
  if (status == FMLP_OK) status = write_results(all, holdout, folder, error);
  if (status == FMLP_OK) {
    holdout->has = true;
  } else {
    fmlp_holdout_release(holdout);
    status = fmlp_fail_prefix(error, status, "data.test_path");
  }
  release(all);
  fmlp_free(all);
  return status;
}
