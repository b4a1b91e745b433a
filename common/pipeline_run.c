/* A run around its stages: device, folder, profile, repeats.
 *
 * Everything is written into a temporary folder that is renamed when all of it is there, or removed when
 * anything failed. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/backends.h"
#include "common/core/build_info.h"
#include "common/core/interrupt.h"
#include "common/core/log.h"
#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "common/pipeline_finish.h"
#include "common/pipeline_stages.h"
#include "common/pipeline_warnings.h"
#include "prof/capture.h"
#include "prof/sources/device_trace.h"

/* The stages, recorded where the configuration says so; the capture is the caller's, also on failure. */
static fmlp_status record_stages(fmlp_pipeline *run, int64_t max_events, fmlp_capture **capture,
                                 fmlp_error *error) {
  const fmlp_runtime_settings *runtime = &run->settings->runtime;
  const fmlp_capture_options profiling = {
      .max_events = max_events,
      .level = runtime->profile_level == FMLP_PROFILE_FULL ? FMLP_CAPTURE_FULL : FMLP_CAPTURE_SPANS,
      .sample_frequency = runtime->profile_sampling,
      .threads = fmlp_threads()};
  run->sink = fmlp_run_folder_sink(run->folder);
  if (runtime->profile) (void)fmlp_capture_start(&profiling);
  fmlp_status status = fmlp_pipeline_stages(run, error);
  *capture = fmlp_capture_stop();
  return status;
}

/* The first thing in the run's profile; without a capture there is none. */
static fmlp_status keep_capture(fmlp_pipeline *run, fmlp_capture *capture, fmlp_error *error) {
  if (!capture) return FMLP_OK;
  run->profile = fmlp_profile_create();
  if (!run->profile) fmlp_capture_free(capture);
  if (run->profile && fmlp_profile_add(run->profile, capture)) return FMLP_OK;
  fmlp_profile_free(run->profile);
  run->profile = NULL;
  return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: profile");
}

/* Into run->folder: all but profile/, whose repeats are still to come. `summary` is what standard output
 * gets. */
static fmlp_status run_first(fmlp_pipeline *run, fmlp_text *summary, fmlp_error *error) {
  fmlp_capture *capture = NULL;
  FMLP_TRY(fmlp_run_folder_create(fmlp_pipeline_run_dir(run->request), &run->folder, error));
  fmlp_status status = record_stages(run, 0, &capture, error);
  fmlp_status kept = keep_capture(run, capture, status == FMLP_OK ? error : NULL);
  if (status == FMLP_OK) status = kept;
  FMLP_TRY(status);
  const fmlp_finish_input finish = {.request = run->request,
                                    .settings = run->settings,
                                    .plan = &run->plan,
                                    .compute = &run->compute,
                                    .results = &run->results,
                                    .capture = run->profile ? run->profile->captures[0] : NULL,
                                    .notice = run->notice};
  FMLP_TRY(fmlp_pipeline_finish(&finish, run->folder, error));
  if (run->profile) FMLP_TRY(fmlp_profile_describe(&finish, run->folder, run->profile, error));
  if (run->request->headline) fmlp_summary_headline(&run->results, run->request->headline);
  if (!run->request->quiet) fmlp_summary_write(&finish, summary);
  return FMLP_OK;
}

/* ---- repeats ---- */

typedef struct repeats {
  fmlp_hash128 outputs; /* of the first */
  int32_t count, different, first_different;
} repeats;

static double seconds(const fmlp_capture *capture) {
  return (double)(capture->stop - capture->start) * 1e-9;
}

static void print_repeat(const fmlp_pipeline *first, int32_t number, const char *outputs) {
  if (first->request->quiet) return;
  printf("repeat %d of %d: %.3f s%s\n", (int)number, (int)first->request->repeats,
         seconds(first->profile->captures[number - 1]), outputs);
  (void)fflush(stdout);
}

/* For tests of what is said when results differ, which they never should. */
static bool differs_for_test(int32_t number) {
  const char *name = fmlp_build.test_hooks ? getenv("FMLP_TEST_REPEAT_DIFFERS") : NULL;
  return name && atoi(name) == number;
}

/* The same once more, in a folder of its own that goes as it came. */
static fmlp_status run_repeat(const fmlp_pipeline *first, int32_t number, repeats *all, fmlp_error *error) {
  fmlp_pipeline run = {
      .request = first->request, .settings = first->settings, .plan = first->plan, .compute = first->compute};
  char path[4096];
  fmlp_capture *capture = NULL;
  fmlp_hash128 outputs = {0, 0};
  const int length = snprintf(path, sizeof path, "%s.repeat", fmlp_run_folder_final(first->folder));
  if (length < 0 || (size_t)length >= sizeof path)
    return fmlp_fail(error, FMLP_ERR_OTHER, "run.dir: the path is too long");
  FMLP_TRY(fmlp_run_folder_create(path, &run.folder, error));
  fmlp_status status = record_stages(&run, -1, &capture, error);
  if (status == FMLP_OK) status = fmlp_run_folder_outputs(run.folder, &outputs, error);
  fmlp_run_folder_discard(run.folder);
  fmlp_results_release(&run.results);
  if (status == FMLP_OK && !capture) status = fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: profile");
  if (status != FMLP_OK) {
    fmlp_capture_free(capture);
    return status;
  }
  const bool same =
      outputs.low == all->outputs.low && outputs.high == all->outputs.high && !differs_for_test(number);
  if (!same && all->different++ == 0) all->first_different = number;
  if (!fmlp_profile_add_repeat(first->profile, capture))
    return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: profile");
  print_repeat(first, number, same ? ", same outputs" : ", OTHER OUTPUTS");
  return FMLP_OK;
}

/* All of them, and what came of it as a fact of the profile. */
static fmlp_status run_repeats(fmlp_pipeline *first, repeats *all, fmlp_error *error) {
  char fact[128];
  all->count = first->request->repeats;
  FMLP_TRY(fmlp_run_folder_outputs(first->folder, &all->outputs, error));
  print_repeat(first, 1, "");
  fmlp_log_set_level(FMLP_LOG_ERROR); /* the first has said everything */
  fmlp_status status = FMLP_OK;
  for (int32_t number = 2; number <= all->count && status == FMLP_OK; number++) {
    status = run_repeat(first, number, all, error);
    if (status != FMLP_OK)
      status = fmlp_fail_prefix(error, status, "repeat %d of %d", (int)number, (int)all->count);
  }
  fmlp_log_set_level(first->settings->runtime.log_level);
  FMLP_TRY(status);
  (void)snprintf(fact, sizeof fact, "%d, %s", (int)all->count,
                 all->different ? "outputs differ" : "equal outputs");
  if (fmlp_profile_set(first->profile, FMLP_FACT_REPEATS, fact)) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: profile");
}

static int by_length(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* "repeats    5 times the same outputs; 0.81 s, 0.79 to 0.93" */
static void summarise_repeats(const fmlp_profile *profile, const repeats *all, fmlp_text *summary) {
  const int32_t count = profile->capture_count;
  double *length = calloc((size_t)count, sizeof *length);
  if (!length) return;
  for (int32_t i = 0; i < count; i++) length[i] = seconds(profile->captures[i]);
  qsort(length, (size_t)count, sizeof *length, by_length);
  fmlp_text_format(summary, "%-11s%d runs, median %.3f s (%.3f to %.3f); ", "repeats", (int)count,
                   (length[(count - 1) / 2] + length[count / 2]) / 2, length[0], length[count - 1]);
  if (all->different == 0)
    fmlp_text_format(summary, "all with the same outputs\n");
  else
    fmlp_text_format(summary, "%d WITH OTHER OUTPUTS than the first\n", (int)all->different);
  free(length);
}

static fmlp_status complain_of_repeats(const repeats *all, fmlp_error *error) {
  return fmlp_fail(error, FMLP_ERR_DIFFERENT,
                   "repeat %d of %d gave other outputs than the first run (%d of them did); the run folder "
                   "holds the first's; fmlp verify names the columns",
                   (int)all->first_different, (int)all->count, (int)all->different);
}

/* ---- a run ---- */

/* The profile, the folder's final name, the summary. */
static fmlp_status complete(fmlp_pipeline *run, fmlp_text *summary, fmlp_error *error) {
  const bool quiet = run->request->quiet;
  if (run->profile) FMLP_TRY(fmlp_profile_write(run->profile, run->folder, error));
  if (run->profile && !quiet) FMLP_TRY(fmlp_profile_collect(run->settings, run->profile, error));
  FMLP_TRY(fmlp_run_folder_commit(run->folder, error));
  if (quiet) return FMLP_OK;
  const char *run_dir = fmlp_run_folder_final(run->folder);
  fmlp_text_format(summary, "%-11s%s\n", "run", run_dir);
  if (run->plan.action[FMLP_STAGE_REPORT] == FMLP_STAGE_RUN)
    fmlp_text_format(summary, "%-11s%s/report.html\n", "report", run_dir);
  FMLP_TRY(fmlp_text_finish(summary, error));
  (void)fputs(summary->bytes, stdout);
  return FMLP_OK;
}

/* The first run's results go before the repeats begin: memory does not grow with their number. */
static fmlp_status run_all(fmlp_pipeline *run, fmlp_error *error) {
  fmlp_text summary = {0};
  repeats all = {0};
  fmlp_status status = run_first(run, &summary, error);
  fmlp_results_release(&run->results);
  if (status == FMLP_OK && run->profile && run->request->repeats > 1) {
    status = run_repeats(run, &all, error);
    if (status == FMLP_OK) summarise_repeats(run->profile, &all, &summary);
  }
  if (status == FMLP_OK) status = complete(run, &summary, error);
  if (status == FMLP_OK && all.different > 0) status = complain_of_repeats(&all, error);
  fmlp_text_release(&summary);
  fmlp_profile_free(run->profile);
  run->profile = NULL;
  fmlp_run_folder_discard(run->folder);
  run->folder = NULL;
  return status;
}

/* In bytes; at least one, because 0 means no limit. */
static int64_t memory_limit(double gigabytes) {
  if (!(gigabytes > 0)) return 0;
  double bytes = gigabytes * 1e9;
  return bytes >= 9e18 ? INT64_MAX : bytes < 1 ? 1 : (int64_t)bytes;
}

/* One run on an open device. */
static fmlp_status attempt(fmlp_pipeline *run, fmlp_error *error) {
  fmlp_log_open();
  if (*run->notice) fmlp_log_line(run->fell_back ? FMLP_LOG_WARNING : FMLP_LOG_INFO, "%s", run->notice);
  if (!run->request->quiet) fmlp_warn_of_idle_keys(run->request->config);
  fmlp_memory_limit_set(memory_limit(run->settings->runtime.memory_limit_gb));
  fmlp_status status = run_all(run, error);
  fmlp_memory_limit_set(0);
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
static fmlp_status start_again(fmlp_pipeline *run, fmlp_error *error) {
  static const char hint[] = "; use runtime.device=cpu";
  char *end = strstr(error->text, hint);
  if (end) *end = '\0';
  fmlp_pipeline again = {
      .request = run->request, .settings = run->settings, .plan = run->plan, .fell_back = true};
  (void)snprintf(again.notice, sizeof again.notice, "%s; starting again on the cpu", error->text);
  error->text[0] = '\0';
  char unused[1];
  prepare_trace(&again.settings->runtime, "cpu");
  FMLP_TRY(fmlp_compute_open("cpu", &again.compute, unused, sizeof unused, error));
  return attempt(&again, error);
}

fmlp_status fmlp_pipeline_run(const fmlp_pipeline_request *request, fmlp_error *error) {
  fmlp_pipeline run = {.request = request, .settings = fmlp_config_settings(request->config)};
  FMLP_TRY(fmlp_stage_plan_make(request->stages, request->from != NULL, &run.plan, error));
  FMLP_TRY(fmlp_check_same_sections(request, &run.plan, error));
  FMLP_TRY(fmlp_profile_check_folder(request, run.settings, error));
  fmlp_threads_set(run.settings->runtime.threads);
  const char *device = run.settings->runtime.device;
  prepare_trace(&run.settings->runtime, device);
  FMLP_TRY(fmlp_compute_open(device, &run.compute, run.notice, sizeof run.notice, error));
  fmlp_log_set_level(run.settings->runtime.log_level);
  const bool may_fall_back = strcmp(device, "auto") == 0 && strcmp(run.compute.backend->name, "cpu") != 0;
  fmlp_status status = attempt(&run, error);
  return status == FMLP_ERR_DEVICE && may_fall_back ? start_again(&run, error) : status;
}
