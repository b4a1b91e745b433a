/* What a run leaves behind besides its columns: configuration, report, log, and last the manifest.
 */
#include "common/pipeline_finish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/build_info.h"
#include "common/core/log.h"
#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "common/core/simd.h"
#include "common/pipeline_manifest.h"
#include "common/stages/report.h"
#include "prof/views/table.h"

void fmlp_holdout_release(fmlp_holdout *holdout) {
  fmlp_evaluation_release(&holdout->evaluation);
  memset(holdout, 0, sizeof *holdout);
}

void fmlp_results_release(fmlp_results *results) {
  fmlp_holdout_release(&results->holdout);
  fmlp_ticks_release(&results->ticks);
  fmlp_calendar_release(&results->calendar);
  fmlp_bars_release(&results->bars);
  fmlp_features_release(&results->features);
  fmlp_labels_release(&results->labels);
  fmlp_folds_release(&results->folds);
  fmlp_model_result_release(&results->model);
  fmlp_evaluation_release(&results->evaluation);
  fmlp_risk_result_release(&results->risk);
  memset(results, 0, sizeof *results);
}

static fmlp_status write_string(fmlp_run_folder *folder, const char *name, const char *text,
                                fmlp_error *error) {
  return fmlp_run_folder_write(folder, name, text, (int64_t)strlen(text), error);
}

static fmlp_status write_log(fmlp_run_folder *folder, fmlp_error *error) {
  char *text = NULL;
  int64_t length = 0;
  FMLP_TRY(fmlp_log_text(&text, &length, error));
  fmlp_status status = fmlp_run_folder_write(folder, "log.txt", text, length, error);
  fmlp_free(text);
  return status;
}

/* The report's timing rows, by internal time. `labels` holds their texts. */
typedef struct timing {
  fmlp_table table;
  int32_t *order;
  fmlp_report_time *rows;
  char (*locations)[160];
} timing;

static void release_timing(timing *times) {
  fmlp_free(times->order);
  fmlp_free(times->rows);
  fmlp_free(times->locations);
  fmlp_table_release(&times->table);
}

static fmlp_status make_timing(const fmlp_capture *capture, timing *times, fmlp_error *error) {
  memset(times, 0, sizeof *times);
  if (!capture) return FMLP_OK;
  if (!fmlp_table_make(capture, &times->table))
    return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: timing table");
  int32_t count = times->table.row_count;
  FMLP_TRY(fmlp_alloc(&times->order, count, sizeof *times->order, "timing", error));
  FMLP_TRY(fmlp_alloc(&times->rows, count, sizeof *times->rows, "timing", error));
  FMLP_TRY(fmlp_alloc(&times->locations, count, sizeof *times->locations, "timing", error));
  fmlp_table_sort(&times->table, fmlp_table_key_find("tottime"), times->order);
  for (int32_t r = 0; r < count; r++) {
    const fmlp_table_row *row = &times->table.rows[times->order[r]];
    (void)snprintf(times->locations[r], sizeof times->locations[r], "%s:%d(%s)", row->site.file,
                   row->site.line, row->site.function);
    times->rows[r] = (fmlp_report_time){.name = row->site.name,
                                        .location = times->locations[r],
                                        .calls = row->calls,
                                        .tottime = row->tottime,
                                        .cumtime = row->cumtime};
  }
  return FMLP_OK;
}

enum { MAX_WARNINGS = 200 };

static int64_t split_lines(char *text, const char **lines) {
  int64_t count = 0;
  for (char *line = strtok(text, "\n"); line && count < MAX_WARNINGS; line = strtok(NULL, "\n"))
    lines[count++] = line;
  return count;
}

static fmlp_status build_report(const fmlp_finish_input *input, const timing *times, char *warnings,
                                fmlp_text *page, fmlp_error *error) {
  const fmlp_results *results = input->results;
  const bool *has = results->has;
  const char *lines[MAX_WARNINGS];
  char version[160], backend[400];
  (void)snprintf(version, sizeof version, "fmlp %s, commit %.12s", fmlp_build.version, fmlp_build.commit);
  (void)snprintf(backend, sizeof backend, "%s, %d threads, %s%s%s", input->compute->backend->name,
                 fmlp_threads(), fmlp_simd_name(fmlp_simd()), input->notice && *input->notice ? "; " : "",
                 input->notice ? input->notice : "");
  char held_out[200] = "none (data.test_path)";
  if (results->holdout.has) {
    (void)snprintf(held_out, sizeof held_out, "%lld labels, AUC %.3f, %lld trades; files in test/",
                   (long long)results->holdout.labels, results->holdout.score.auc,
                   (long long)results->holdout.evaluation.paths[0].metrics.trades);
  }
  const fmlp_holdout *holdout = &results->holdout;
  const fmlp_report_held_out on_test_path = {.source = input->settings->data.test_path,
                                             .rows_read = holdout->read.rows,
                                             .rows_kept = holdout->clean.rows_out,
                                             .labels = holdout->labels,
                                             .score = holdout->score,
                                             .evaluation = &holdout->evaluation};
  const fmlp_report_pair pairs[] = {{"compiler", fmlp_build.compiler},
                                    {"flags", fmlp_build.flags},
                                    {"held-out file", held_out},
                                    {"run folder", fmlp_pipeline_run_dir(input->request)}};
  fmlp_report_input page_input = {
      .version = version,
      .source = input->settings->data.path,
      .backend = backend,
      .command_line = input->request->command_line,
      .settings = input->settings,
      .read = has[FMLP_STAGE_READ] ? &results->read : NULL,
      .clean = has[FMLP_STAGE_CLEAN] ? &results->clean : NULL,
      .bars_report = has[FMLP_STAGE_BARS] ? &results->bars_report : NULL,
      .bars = has[FMLP_STAGE_BARS] ? &results->bars : NULL,
      .features = has[FMLP_STAGE_FEATURES] ? &results->features : NULL,
      .labels = has[FMLP_STAGE_LABELS] ? &results->labels : NULL,
      .folds = has[FMLP_STAGE_VALIDATION] ? &results->folds : NULL,
      .model = results->model.split_count > 0 ? &results->model : NULL,
      .evaluation = has[FMLP_STAGE_BACKTEST] ? &results->evaluation : NULL,
      .held_out = holdout->has ? &on_test_path : NULL,
      .risk = has[FMLP_STAGE_RISK] ? &results->risk : NULL,
      .wall_time = input->capture ? input->capture->stop - input->capture->start : 0,
      .time_count = times->table.row_count,
      .times = times->rows,
      .profile_page = input->capture ? "profile/profile.html" : NULL,
      .warning_count = split_lines(warnings, lines),
      .warnings = lines,
      .manifest_count = sizeof pairs / sizeof *pairs,
      .manifest = pairs,
  };
  FMLP_TRY(fmlp_report_build(&page_input, page, error));
  return fmlp_text_finish(page, error);
}

static fmlp_status write_report(const fmlp_finish_input *input, fmlp_run_folder *folder, fmlp_error *error) {
  if (input->plan->action[FMLP_STAGE_REPORT] != FMLP_STAGE_RUN) return FMLP_OK;
  timing times;
  char *warnings = NULL;
  int64_t count = 0;
  fmlp_text page = {0};
  fmlp_status status = make_timing(input->capture, &times, error);
  if (status == FMLP_OK) status = fmlp_log_warnings(&warnings, &count, error);
  if (status == FMLP_OK) status = build_report(input, &times, warnings, &page, error);
  if (status == FMLP_OK) status = fmlp_run_folder_write(folder, "report.html", page.bytes, page.count, error);
  fmlp_text_release(&page);
  fmlp_free(warnings);
  release_timing(&times);
  return status;
}

fmlp_status fmlp_pipeline_finish(const fmlp_finish_input *input, fmlp_run_folder *folder, fmlp_error *error) {
  const fmlp_config *config = input->request->config;
  FMLP_TRY(write_string(folder, "config.yaml", fmlp_config_yaml(config), error));
  FMLP_TRY(write_string(folder, "overrides.yaml", fmlp_config_overrides_yaml(config), error));
  FMLP_TRY(write_report(input, folder, error));
  FMLP_TRY(write_log(folder, error));
  return fmlp_manifest_write(input, folder, error);
}
