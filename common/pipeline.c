/* The story of a run: ticks become bars, features, labels, folds, predictions, trades and a risk study.
 *
 * Nothing numeric happens here. Each step says what it reads, what it gives and where that goes. What is
 * around the steps, the folder, the device, the profile, stands in pipeline_run.c. */
#include "common/pipeline_stages.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/build_info.h"
#include "common/core/interrupt.h"
#include "common/core/log.h"
#include "common/holdout.h"
#include "common/io/csv.h"
#include "common/pipeline_finish.h"
#include "common/pipeline_manifest.h"
#include "common/pipeline_warnings.h"
#include "common/stages/bars_columns.h"
#include "common/stages/cv.h"
#include "common/stages/events.h"
#include "common/stages/features.h"
#include "common/stages/labels.h"
#include "common/stages/weights.h"
#include "prof/span.h"

static bool computes(const fmlp_pipeline *run, fmlp_stage stage) {
  return run->plan.action[stage] == FMLP_STAGE_RUN || run->plan.action[stage] == FMLP_STAGE_SUPPORT;
}

static bool loads(const fmlp_pipeline *run, fmlp_stage stage) {
  return run->plan.action[stage] == FMLP_STAGE_LOAD;
}

static bool writes(const fmlp_pipeline *run, fmlp_stage stage) {
  return run->plan.action[stage] == FMLP_STAGE_RUN;
}

static fmlp_status write_text(fmlp_pipeline *run, const char *name, fmlp_text *text, fmlp_error *error) {
  fmlp_status status = fmlp_text_finish(text, error);
  if (status == FMLP_OK) status = fmlp_run_folder_write(run->folder, name, text->bytes, text->count, error);
  fmlp_text_release(text);
  return status;
}

/* data.path -> ticks, in the order of the file */
static fmlp_status read_ticks(fmlp_pipeline *run, fmlp_error *error) {
  FMLP_SPAN("read");
  fmlp_results *results = &run->results;
  FMLP_TRY(fmlp_ticks_read(&run->settings->data, &results->ticks, &results->read, error));
  fmlp_log_info("%s", results->read.decision);
  return fmlp_check_same_input(run->request, &results->read, error);
}

/* ticks -> chronological ticks inside the sessions, every dropped row counted by rule */
static fmlp_status clean_ticks(fmlp_pipeline *run, fmlp_error *error) {
  FMLP_SPAN("clean");
  fmlp_results *results = &run->results;
  int64_t first = 0, last = 0;
  fmlp_ticks_span(&results->ticks, &first, &last);
  FMLP_TRY(fmlp_calendar_build(&run->settings->session, first, last, &results->calendar, error));
  return fmlp_clean(&run->settings->cleaning, &results->calendar, &results->ticks, &results->clean, error);
}

/* ticks -> bars */
static fmlp_status build_bars(fmlp_pipeline *run, fmlp_error *error) {
  FMLP_SPAN("bars");
  fmlp_results *results = &run->results;
  if (loads(run, FMLP_STAGE_BARS)) {
    FMLP_TRY(fmlp_load_bars(run->request, &results->bars, error));
    if (results->calendar.count > 0 || results->bars.count == 0) return FMLP_OK;
    return fmlp_calendar_build(&run->settings->session, results->bars.open_time[0],
                               results->bars.close_time[results->bars.count - 1], &results->calendar, error);
  }
  fmlp_tick_source ticks = fmlp_ticks_source(&results->ticks);
  FMLP_TRY(fmlp_bars_build(&run->settings->bars, &results->calendar, &ticks, &results->bars,
                           &results->bars_report, error));
  fmlp_warn_of_bars(run->settings, &results->bars);
  return writes(run, FMLP_STAGE_BARS) ? fmlp_bars_export(&results->bars, &run->sink, error) : FMLP_OK;
}

/* bars -> one column per feature */
static fmlp_status compute_features(fmlp_pipeline *run, fmlp_error *error) {
  FMLP_SPAN("features");
  fmlp_results *results = &run->results;
  if (loads(run, FMLP_STAGE_FEATURES)) return fmlp_load_features(run->request, &results->features, error);
  FMLP_TRY(fmlp_features_compute(&run->settings->features, &results->bars, &run->compute, &results->features,
                                 error));
  return writes(run, FMLP_STAGE_FEATURES) ? fmlp_features_export(&results->features, &run->sink, error)
                                          : FMLP_OK;
}

/* bars -> events -> labels (decided by ticks where a bar cannot) -> weights */
static fmlp_status make_labels(fmlp_pipeline *run, fmlp_error *error) {
  FMLP_SPAN("labels");
  fmlp_results *results = &run->results;
  const fmlp_settings *settings = run->settings;
  if (loads(run, FMLP_STAGE_LABELS)) {
    return fmlp_load_labels(run->request, results->bars.count, &results->features, &results->labels,
                            &results->events, error);
  }
  bool out_of_session_kept = settings->cleaning.out_of_session == FMLP_OUT_OF_SESSION_KEEP;
  fmlp_tick_source ticks = fmlp_ticks_source(&results->ticks);
  fmlp_events events = {0};
  fmlp_status status = fmlp_events_find(&settings->labeling, &results->calendar, out_of_session_kept,
                                        &results->bars, &events, error);
  if (status == FMLP_OK) {
    results->events = events.count;
    status = fmlp_labels_make(settings, &results->calendar, &results->bars, &ticks, &results->features,
                              &events, &run->compute, &results->labels, error);
  }
  fmlp_events_release(&events);
  FMLP_TRY(status);
  FMLP_TRY(fmlp_weights_compute(&settings->labeling, &results->bars, &results->labels, error));
  return writes(run, FMLP_STAGE_LABELS)
             ? fmlp_labels_export(&results->labels, results->bars.price, &run->sink, error)
             : FMLP_OK;
}

/* labels -> purged, embargoed splits */
static fmlp_status split_labels(fmlp_pipeline *run, fmlp_error *error) {
  FMLP_SPAN("validation");
  fmlp_results *results = &run->results;
  FMLP_TRY(fmlp_labels_check_usable(&results->features, &results->bars, &results->labels, error));
  FMLP_TRY(fmlp_cv_split(&run->settings->validation, &results->labels, &results->folds, error));
  return writes(run, FMLP_STAGE_VALIDATION) ? fmlp_folds_export(&results->folds, &run->sink, error) : FMLP_OK;
}

/* features, labels, splits -> a model per split and out-of-sample probabilities */
static fmlp_status train_models(fmlp_pipeline *run, fmlp_error *error) {
  FMLP_SPAN("model");
  fmlp_results *results = &run->results;
  if (loads(run, FMLP_STAGE_MODEL)) {
    FMLP_TRY(fmlp_manifest_check_columns(run->request->from, "predictions", error));
    return fmlp_model_import(run->request->from, &results->labels, &results->folds, &results->model, error);
  }
  FMLP_TRY(fmlp_model_run(run->settings, &results->features, &results->labels, &results->folds,
                          &results->model, error));
  if (!writes(run, FMLP_STAGE_MODEL)) return FMLP_OK;
  FMLP_TRY(fmlp_predictions_export(&results->model.predictions, &run->sink, error));
  return fmlp_model_write(&results->model, run->folder, error);
}

/* probabilities, ticks -> trades, equity and metrics of every recombined path */
static fmlp_status backtest(fmlp_pipeline *run, fmlp_error *error) {
  FMLP_SPAN("backtest");
  fmlp_results *results = &run->results;
  fmlp_tick_source ticks = fmlp_ticks_source(&results->ticks);
  FMLP_TRY(fmlp_evaluate(run->settings, &results->calendar, &results->bars, &ticks, &results->labels,
                         &results->folds, &results->model.predictions, &results->evaluation, error));
  fmlp_warn_of_leverage(run->settings, &results->evaluation.trades);
  if (!writes(run, FMLP_STAGE_BACKTEST)) return FMLP_OK;
  fmlp_text trades = {0}, equity = {0}, metrics = {0};
  fmlp_csv_trades(&results->evaluation.trades, &trades);
  fmlp_csv_equity(&results->evaluation.equity, &equity);
  fmlp_evaluation_json(run->settings, &results->labels, &results->folds, &results->model,
                       &results->evaluation, &metrics);
  fmlp_status status = write_text(run, "trades.csv", &trades, error);
  if (status == FMLP_OK) status = write_text(run, "equity.csv", &equity, error);
  if (status == FMLP_OK) status = write_text(run, "metrics.json", &metrics, error);
  fmlp_text_release(&trades);
  fmlp_text_release(&equity);
  fmlp_text_release(&metrics);
  return status;
}

/* trades -> ten thousand alternative histories */
static fmlp_status study_risk(fmlp_pipeline *run, fmlp_error *error) {
  FMLP_SPAN("risk");
  fmlp_results *results = &run->results;
  FMLP_TRY(fmlp_risk_run(run->settings, &results->evaluation.trades, &run->compute, &results->risk, error));
  if (!writes(run, FMLP_STAGE_RISK)) return FMLP_OK;
  fmlp_text study = {0};
  fmlp_risk_json(run->settings, &results->risk, &study);
  FMLP_TRY(write_text(run, "monte_carlo.json", &study, error));
  return fmlp_risk_columns(&results->risk, &run->sink, error);
}

/* a second file, predicted by the final model and backtested */
static fmlp_status hold_out(fmlp_pipeline *run, fmlp_error *error) {
  if (!run->settings->data.test_path) return FMLP_OK;
  if (!writes(run, FMLP_STAGE_MODEL)) {
    fmlp_log_warning(
        "data.test_path: left out, because the model is not trained in this run; add model to --stages");
    return FMLP_OK;
  }
  return fmlp_holdout_run(run->settings, &run->compute, &run->results, run->folder, &run->results.holdout,
                          error);
}

typedef fmlp_status (*stage_function)(fmlp_pipeline *run, fmlp_error *error);

static const stage_function steps[FMLP_STAGE_COUNT] = {
    [FMLP_STAGE_READ] = read_ticks,    [FMLP_STAGE_CLEAN] = clean_ticks,
    [FMLP_STAGE_BARS] = build_bars,    [FMLP_STAGE_FEATURES] = compute_features,
    [FMLP_STAGE_LABELS] = make_labels, [FMLP_STAGE_VALIDATION] = split_labels,
    [FMLP_STAGE_MODEL] = train_models, [FMLP_STAGE_BACKTEST] = backtest,
    [FMLP_STAGE_RISK] = study_risk,
};

/* Test builds: SIGINT at the start of the stage that FMLP_TEST_INTERRUPT names, so that each can be shown to
 * stop cleanly. */
static void interrupt_for_test(fmlp_stage stage) {
  if (!fmlp_build.test_hooks) return;
  const char *name = getenv("FMLP_TEST_INTERRUPT");
  if (name && strcmp(name, fmlp_stage_name(stage)) == 0) (void)raise(SIGINT);
}

fmlp_status fmlp_pipeline_stages(fmlp_pipeline *run, fmlp_error *error) {
  FMLP_SPAN("run");
  for (int stage = 0; stage < FMLP_STAGE_COUNT; stage++) {
    if (!computes(run, (fmlp_stage)stage) && !loads(run, (fmlp_stage)stage)) continue;
    interrupt_for_test((fmlp_stage)stage);
    FMLP_TRY(fmlp_check_interrupt(fmlp_stage_name((fmlp_stage)stage), error));
    if (!steps[stage]) continue;
    FMLP_TRY(steps[stage](run, error));
    run->results.has[stage] = true;
  }
  return hold_out(run, error);
}
