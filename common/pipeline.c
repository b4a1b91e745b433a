/* The story of a run: ticks become bars, features, labels, folds, predictions, trades and a risk study.
 *
 * Nothing numeric happens here. Each step says what it reads, what it gives and where that goes. The whole
 * run writes into a temporary folder that is renamed when everything is in it, or removed when anything
 * failed. */
#include "common/pipeline.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/backends.h"
#include "common/core/build_info.h"
#include "common/core/interrupt.h"
#include "common/core/log.h"
#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "common/holdout.h"
#include "common/io/csv.h"
#include "common/io/run_folder.h"
#include "common/pipeline_finish.h"
#include "common/pipeline_manifest.h"
#include "common/pipeline_plan.h"
#include "common/pipeline_warnings.h"
#include "common/results.h"
#include "common/stages/bars_columns.h"
#include "common/stages/cv.h"
#include "common/stages/events.h"
#include "common/stages/features.h"
#include "common/stages/labels.h"
#include "common/stages/weights.h"
#include "prof/capture.h"
#include "prof/sources/device_trace.h"
#include "prof/span.h"

typedef struct pipeline {
  const fmlp_pipeline_request *request;
  const fmlp_settings *settings;
  fmlp_stage_plan plan;
  fmlp_compute compute;
  fmlp_run_folder *folder;
  fmlp_column_sink sink;
  char notice[640]; /* why the device is what it is */
  bool fell_back;   /* from a device that failed */
  fmlp_profile *profile;
  fmlp_results results;
} pipeline;

static bool computes(const pipeline *run, fmlp_stage stage) {
  return run->plan.action[stage] == FMLP_STAGE_RUN || run->plan.action[stage] == FMLP_STAGE_SUPPORT;
}

static bool loads(const pipeline *run, fmlp_stage stage) {
  return run->plan.action[stage] == FMLP_STAGE_LOAD;
}

static bool writes(const pipeline *run, fmlp_stage stage) {
  return run->plan.action[stage] == FMLP_STAGE_RUN;
}

static fmlp_status write_text(pipeline *run, const char *name, fmlp_text *text, fmlp_error *error) {
  fmlp_status status = fmlp_text_finish(text, error);
  if (status == FMLP_OK) status = fmlp_run_folder_write(run->folder, name, text->bytes, text->count, error);
  fmlp_text_release(text);
  return status;
}

/* data.path -> ticks, in the order of the file */
static fmlp_status read_ticks(pipeline *run, fmlp_error *error) {
  FMLP_SPAN("read");
  fmlp_results *results = &run->results;
  FMLP_TRY(fmlp_ticks_read(&run->settings->data, &results->ticks, &results->read, error));
  fmlp_log_info("%s", results->read.decision);
  return fmlp_check_same_input(run->request, &results->read, error);
}

/* ticks -> chronological ticks inside the sessions, every dropped row counted by rule */
static fmlp_status clean_ticks(pipeline *run, fmlp_error *error) {
  FMLP_SPAN("clean");
  fmlp_results *results = &run->results;
  int64_t first = 0, last = 0;
  fmlp_ticks_span(&results->ticks, &first, &last);
  FMLP_TRY(fmlp_calendar_build(&run->settings->session, first, last, &results->calendar, error));
  return fmlp_clean(&run->settings->cleaning, &results->calendar, &results->ticks, &results->clean, error);
}

/* ticks -> bars */
static fmlp_status build_bars(pipeline *run, fmlp_error *error) {
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
static fmlp_status compute_features(pipeline *run, fmlp_error *error) {
  FMLP_SPAN("features");
  fmlp_results *results = &run->results;
  if (loads(run, FMLP_STAGE_FEATURES)) return fmlp_load_features(run->request, &results->features, error);
  FMLP_TRY(fmlp_features_compute(&run->settings->features, &results->bars, &run->compute, &results->features,
                                 error));
  return writes(run, FMLP_STAGE_FEATURES) ? fmlp_features_export(&results->features, &run->sink, error)
                                          : FMLP_OK;
}

/* bars -> events -> labels (decided by ticks where a bar cannot) -> weights */
static fmlp_status make_labels(pipeline *run, fmlp_error *error) {
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
static fmlp_status split_labels(pipeline *run, fmlp_error *error) {
  FMLP_SPAN("validation");
  fmlp_results *results = &run->results;
  FMLP_TRY(fmlp_labels_check_usable(&results->features, &results->bars, &results->labels, error));
  FMLP_TRY(fmlp_cv_split(&run->settings->validation, &results->labels, &results->folds, error));
  return writes(run, FMLP_STAGE_VALIDATION) ? fmlp_folds_export(&results->folds, &run->sink, error) : FMLP_OK;
}

/* features, labels, splits -> a model per split and out-of-sample probabilities */
static fmlp_status train_models(pipeline *run, fmlp_error *error) {
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
static fmlp_status backtest(pipeline *run, fmlp_error *error) {
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
static fmlp_status study_risk(pipeline *run, fmlp_error *error) {
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
static fmlp_status hold_out(pipeline *run, fmlp_error *error) {
  if (!run->settings->data.test_path) return FMLP_OK;
  if (!writes(run, FMLP_STAGE_MODEL)) {
    fmlp_log_warning(
        "data.test_path: left out, because the model is not trained in this run; add model to --stages");
    return FMLP_OK;
  }
  return fmlp_holdout_run(run->settings, &run->compute, &run->results, run->folder, &run->results.holdout,
                          error);
}

typedef fmlp_status (*stage_function)(pipeline *run, fmlp_error *error);

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

static fmlp_status run_stages(pipeline *run, fmlp_error *error) {
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

static fmlp_status print_summary(const fmlp_finish_input *finish, const char *run_dir, fmlp_error *error) {
  fmlp_text text = {0};
  fmlp_summary_write(finish, &text);
  fmlp_text_format(&text, "%-11s%s\n", "run", run_dir);
  if (finish->plan->action[FMLP_STAGE_REPORT] == FMLP_STAGE_RUN) {
    fmlp_text_format(&text, "%-11s%s/report.html\n", "report", run_dir);
  }
  fmlp_status status = fmlp_text_finish(&text, error);
  if (status == FMLP_OK) (void)fputs(text.bytes, stdout);
  fmlp_text_release(&text);
  return status;
}

/* The first thing in the run's profile; without a capture there is none. */
static fmlp_status keep_capture(pipeline *run, fmlp_capture *capture, fmlp_error *error) {
  if (!capture) return FMLP_OK;
  run->profile = fmlp_profile_create();
  if (!run->profile) fmlp_capture_free(capture);
  if (run->profile && fmlp_profile_add(run->profile, capture)) return FMLP_OK;
  fmlp_profile_free(run->profile);
  run->profile = NULL;
  return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: profile");
}

static fmlp_status finish_profile(pipeline *run, const fmlp_finish_input *finish, fmlp_error *error) {
  FMLP_TRY(fmlp_profile_describe(finish, run->folder, run->profile, error));
  FMLP_TRY(fmlp_profile_write(run->profile, run->folder, error));
  return run->request->quiet ? FMLP_OK : fmlp_profile_collect(run->settings, run->profile, error);
}

static fmlp_status run_in_folder(pipeline *run, fmlp_error *error) {
  const char *run_dir = fmlp_pipeline_run_dir(run->request);
  FMLP_TRY(fmlp_run_folder_create(run_dir, &run->folder, error));
  run->sink = fmlp_run_folder_sink(run->folder);
  const fmlp_runtime_settings *runtime = &run->settings->runtime;
  const fmlp_capture_options profiling = {
      .level = runtime->profile_level == FMLP_PROFILE_FULL ? FMLP_CAPTURE_FULL : FMLP_CAPTURE_SPANS,
      .sample_frequency = runtime->profile_sampling,
      .threads = fmlp_threads()};
  if (runtime->profile) (void)fmlp_capture_start(&profiling);
  fmlp_status status = run_stages(run, error);
  fmlp_status kept = keep_capture(run, fmlp_capture_stop(), error);
  if (status == FMLP_OK) status = kept;
  fmlp_finish_input finish = {.request = run->request,
                              .settings = run->settings,
                              .plan = &run->plan,
                              .compute = &run->compute,
                              .results = &run->results,
                              .capture = run->profile ? run->profile->captures[0] : NULL,
                              .notice = run->notice};
  if (status == FMLP_OK) status = fmlp_pipeline_finish(&finish, run->folder, error);
  if (status == FMLP_OK && run->profile) status = finish_profile(run, &finish, error);
  if (status == FMLP_OK) status = fmlp_run_folder_commit(run->folder, error);
  if (status == FMLP_OK && run->request->headline) {
    fmlp_summary_headline(&run->results, run->request->headline);
  }
  if (status == FMLP_OK && !run->request->quiet) {
    status = print_summary(&finish, fmlp_run_folder_final(run->folder), error);
  }
  fmlp_profile_free(run->profile);
  run->profile = NULL;
  fmlp_run_folder_discard(run->folder);
  return status;
}

/* In bytes; at least one, because 0 means no limit. */
static int64_t memory_limit(double gigabytes) {
  if (!(gigabytes > 0)) return 0;
  double bytes = gigabytes * 1e9;
  return bytes >= 9e18 ? INT64_MAX : bytes < 1 ? 1 : (int64_t)bytes;
}

/* One run on an open device. */
static fmlp_status attempt(pipeline *run, fmlp_error *error) {
  fmlp_log_open();
  if (*run->notice) fmlp_log_line(run->fell_back ? FMLP_LOG_WARNING : FMLP_LOG_INFO, "%s", run->notice);
  if (!run->request->quiet) fmlp_warn_of_idle_keys(run->request->config);
  fmlp_memory_limit_set(memory_limit(run->settings->runtime.memory_limit_gb));
  fmlp_status status = run_in_folder(run, error);
  fmlp_memory_limit_set(0);
  fmlp_results_release(&run->results);
  fmlp_log_close();
  fmlp_compute_close(&run->compute);
  return status;
}

/* Before a device is opened: the profiler sees it from the beginning, where it was asked for all there is. */
static void prepare_trace(const fmlp_runtime_settings *runtime, const char *device) {
  if (!runtime->profile || runtime->profile_level != FMLP_PROFILE_FULL) return;
  const char *reason = "";
  const fmlp_device_hooks *hooks = fmlp_compute_trace(device, &reason);
  fmlp_device_trace_dump(fmlp_build.test_hooks ? getenv("FMLP_CUPTI_DUMP") : NULL);
  fmlp_device_trace_prepare(hooks, reason);
}

/* `auto` promises a result where there is one to be had: when its device fails, the run starts again on the
 * cpu, from nothing. Its outputs are the same on either, and a folder appears only when it is whole. */
static fmlp_status start_again(pipeline *run, fmlp_error *error) {
  static const char hint[] = "; use runtime.device=cpu";
  char *end = strstr(error->text, hint);
  if (end) *end = '\0';
  pipeline again = {.request = run->request, .settings = run->settings, .plan = run->plan, .fell_back = true};
  (void)snprintf(again.notice, sizeof again.notice, "%s; starting again on the cpu", error->text);
  error->text[0] = '\0';
  char unused[1];
  prepare_trace(&again.settings->runtime, "cpu");
  FMLP_TRY(fmlp_compute_open("cpu", &again.compute, unused, sizeof unused, error));
  return attempt(&again, error);
}

fmlp_status fmlp_pipeline_run(const fmlp_pipeline_request *request, fmlp_error *error) {
  pipeline run = {.request = request, .settings = fmlp_config_settings(request->config)};
  FMLP_TRY(fmlp_stage_plan_make(request->stages, request->from != NULL, &run.plan, error));
  FMLP_TRY(fmlp_check_same_sections(request, &run.plan, error));
  fmlp_threads_set(run.settings->runtime.threads);
  const char *device = run.settings->runtime.device;
  prepare_trace(&run.settings->runtime, device);
  FMLP_TRY(fmlp_compute_open(device, &run.compute, run.notice, sizeof run.notice, error));
  fmlp_log_set_level(run.settings->runtime.log_level);
  const bool may_fall_back = strcmp(device, "auto") == 0 && strcmp(run.compute.backend->name, "cpu") != 0;
  fmlp_status status = attempt(&run, error);
  return status == FMLP_ERR_DEVICE && may_fall_back ? start_again(&run, error) : status;
}
