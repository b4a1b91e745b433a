/* manifest.json, written and read. */
#define _POSIX_C_SOURCE 200809L
#include "common/pipeline_manifest.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/core/build_info.h"
#include "common/core/log.h"
#include "common/core/memory.h"
#include "common/core/ordinary_file.h"
#include "common/core/parallel.h"
#include "common/core/simd.h"
#include "common/io/json.h"

static const char *const type_names[] = {
    [FMLP_INT8] = "int8", [FMLP_INT32] = "int32", [FMLP_INT64] = "int64", [FMLP_FLOAT64] = "float64"};

static const char *const action_names[] = {[FMLP_STAGE_SKIP] = "skipped",
                                           [FMLP_STAGE_LOAD] = "loaded",
                                           [FMLP_STAGE_SUPPORT] = "computed, not written",
                                           [FMLP_STAGE_RUN] = "run"};

/* Which stages compute on the backend; the others have one implementation. */
static const bool on_backend[FMLP_STAGE_COUNT] = {
    [FMLP_STAGE_FEATURES] = true, [FMLP_STAGE_LABELS] = true, [FMLP_STAGE_RISK] = true};

static void hash_text(char text[40], uint64_t low, uint64_t high) {
  (void)snprintf(text, 40, "%016" PRIx64 "%016" PRIx64, high, low);
}

static json_t *program_json(void) {
  json_t *program = json_object();
  fmlp_json_set_text(program, "version", fmlp_build.version);
  fmlp_json_set_text(program, "git_commit", fmlp_build.commit);
  fmlp_json_set_text(program, "compiler", fmlp_build.compiler);
  fmlp_json_set_text(program, "build_type", fmlp_build.build_type);
  fmlp_json_set_text(program, "flags", fmlp_build.flags);
  return program;
}

static json_t *environment_json(const fmlp_finish_input *input) {
  json_t *environment = json_object();
  char now[40];
  time_t seconds = time(NULL);
  struct tm utc;
  if (!gmtime_r(&seconds, &utc) || strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) now[0] = '\0';
  fmlp_json_set_text(environment, "created", now);
  fmlp_json_set_text(environment, "command_line", input->request->command_line);
  fmlp_json_set(environment, "program", program_json());
  fmlp_json_set_text(environment, "device_requested", input->settings->runtime.device);
  fmlp_json_set_text(environment, "backend", input->compute->backend->name);
  fmlp_json_set_text(environment, "device_notice", input->notice && *input->notice ? input->notice : NULL);
  fmlp_json_set_integer(environment, "threads", fmlp_threads());
  fmlp_json_set_text(environment, "instruction_set", fmlp_simd_name(fmlp_simd()));
  fmlp_json_set_text(environment, "input_path", input->settings->data.path);
  fmlp_json_set_text(environment, "from_run", input->request->from);
  if (input->capture) {
    fmlp_json_set_real(environment, "seconds", (double)(input->capture->stop - input->capture->start) * 1e-9);
  }
  return environment;
}

static json_t *scale_json(fmlp_scale scale) {
  json_t *object = json_object();
  fmlp_json_set_integer(object, "m", scale.m);
  fmlp_json_set_integer(object, "k", scale.k);
  return object;
}

static json_t *input_json(const fmlp_results *results) {
  json_t *object = json_object();
  const fmlp_bars *bars = &results->bars;
  if (results->has[FMLP_STAGE_READ]) {
    const fmlp_read_report *read = &results->read;
    char hash[40];
    hash_text(hash, read->hash_low, read->hash_high);
    fmlp_json_set_text(object, "xxh3_128", hash);
    fmlp_json_set_text(object, "format", read->format);
    fmlp_json_set_text(object, "compression", read->compression);
    fmlp_json_set_text(object, "timezone", read->timezone);
    fmlp_json_set_integer(object, "bytes", read->bytes);
    fmlp_json_set_integer(object, "lines", read->lines);
  }
  fmlp_json_set_text(object, "kind", bars->kind == FMLP_TRADES ? "trades" : "quotes");
  (void)json_object_set_new(object, "has_sizes", json_boolean(bars->has_sizes));
  fmlp_json_set(object, "price_point", scale_json(bars->price));
  fmlp_json_set(object, "size_unit", scale_json(bars->size_unit));
  return object;
}

static json_t *stage_rows(const fmlp_results *results, fmlp_stage stage) {
  json_t *object = json_object();
  switch (stage) {
  case FMLP_STAGE_READ:
    fmlp_json_set_integer(object, "rows_out", results->read.rows);
    fmlp_json_set_integer(object, "dropped_bad_rows", results->read.bad_rows);
    break;
  case FMLP_STAGE_CLEAN:
    fmlp_json_set_integer(object, "rows_in", results->clean.rows_in);
    fmlp_json_set_integer(object, "rows_out", results->clean.rows_out);
    fmlp_json_set_integer(object, "dropped_crossed", results->clean.dropped_crossed);
    fmlp_json_set_integer(object, "dropped_zero_spread", results->clean.dropped_zero_spread);
    fmlp_json_set_integer(object, "dropped_duplicates", results->clean.dropped_duplicates);
    fmlp_json_set_integer(object, "dropped_outliers", results->clean.dropped_outliers);
    fmlp_json_set_integer(object, "dropped_out_of_session", results->clean.dropped_out_of_session);
    fmlp_json_set_integer(object, "sorted_out_of_order", results->clean.out_of_order);
    break;
  case FMLP_STAGE_BARS:
    fmlp_json_set_integer(object, "rows_in", results->bars_report.ticks);
    fmlp_json_set_integer(object, "rows_out", results->bars.count);
    fmlp_json_set_integer(object, "session_tails", results->bars_report.session_tails);
    fmlp_json_set_integer(object, "dropped_tails", results->bars_report.tails_dropped);
    fmlp_json_set_integer(object, "dropped_unfinished_ticks", results->bars_report.unfinished_ticks);
    break;
  case FMLP_STAGE_FEATURES:
    fmlp_json_set_integer(object, "rows_out", results->features.rows);
    fmlp_json_set_integer(object, "columns", results->features.count);
    break;
  case FMLP_STAGE_LABELS:
    fmlp_json_set_integer(object, "rows_in", results->events);
    fmlp_json_set_integer(object, "rows_out", results->labels.count);
    fmlp_json_set_integer(object, "dropped_no_distance", results->labels.no_distance);
    fmlp_json_set_integer(object, "dropped_no_room", results->labels.no_room);
    fmlp_json_set_integer(object, "not_usable", results->labels.not_usable);
    fmlp_json_set_integer(object, "ties", results->labels.ties);
    break;
  case FMLP_STAGE_VALIDATION:
    fmlp_json_set_integer(object, "splits", results->folds.split_count);
    fmlp_json_set_integer(object, "paths", results->folds.path_count);
    break;
  case FMLP_STAGE_MODEL:
    fmlp_json_set_integer(object, "rows_out", results->model.predictions.count);
    break;
  case FMLP_STAGE_BACKTEST:
    fmlp_json_set_integer(object, "rows_out", results->evaluation.trades.count);
    break;
  case FMLP_STAGE_RISK:
    fmlp_json_set_integer(object, "rows_out", results->risk.paths);
    break;
  case FMLP_STAGE_REPORT:
  case FMLP_STAGE_COUNT:
    break;
  }
  return object;
}

static json_t *stages_json(const fmlp_finish_input *input) {
  json_t *stages = json_array();
  for (int s = 0; s < FMLP_STAGE_COUNT; s++) {
    fmlp_stage stage = (fmlp_stage)s;
    json_t *object = json_object();
    fmlp_json_set_text(object, "stage", fmlp_stage_name(stage));
    fmlp_json_set_text(object, "action", action_names[input->plan->action[stage]]);
    if (input->results->has[stage]) {
      json_t *rows = stage_rows(input->results, stage);
      if (json_object_size(rows) > 0) (void)json_object_update(object, rows);
      json_decref(rows);
    }
    fmlp_json_set_text(object, "computed_by",
                       on_backend[stage] && input->plan->action[stage] != FMLP_STAGE_SKIP ? "backend"
                                                                                          : "host");
    (void)json_array_append_new(stages, object);
  }
  return stages;
}

static json_t *features_json(const fmlp_features *features) {
  json_t *object = json_object(), *names = json_array(), *inputs = json_array(), *omitted = json_array();
  for (int32_t f = 0; f < features->count; f++) {
    (void)json_array_append_new(names, json_string(features->names[f].text));
    if (features->model_input[f]) (void)json_array_append_new(inputs, json_string(features->names[f].text));
  }
  for (int32_t o = 0; o < features->omitted_count; o++) {
    (void)json_array_append_new(omitted, json_string(features->omitted[o].text));
  }
  fmlp_json_set(object, "columns", names);
  fmlp_json_set(object, "model_inputs", inputs);
  fmlp_json_set(object, "omitted", omitted);
  return object;
}

static json_t *columns_json(const fmlp_run_folder *folder) {
  int64_t count = 0;
  const fmlp_written_column *columns = fmlp_run_folder_columns(folder, &count);
  json_t *array = json_array();
  for (int64_t c = 0; c < count; c++) {
    char name[160], hash[40];
    (void)snprintf(name, sizeof name, "%s/%s", columns[c].group, columns[c].name);
    hash_text(hash, columns[c].hash.low, columns[c].hash.high);
    json_t *object = json_object();
    fmlp_json_set_text(object, "column", name);
    fmlp_json_set_text(object, "type", type_names[columns[c].type]);
    fmlp_json_set_integer(object, "rows", columns[c].rows);
    fmlp_json_set_text(object, "xxh3_128", hash);
    (void)json_array_append_new(array, object);
  }
  return array;
}

static fmlp_status warnings_json(json_t **array, fmlp_error *error) {
  char *lines = NULL;
  int64_t count = 0;
  FMLP_TRY(fmlp_log_warnings(&lines, &count, error));
  *array = json_array();
  for (char *line = lines; line && *line;) {
    size_t length = strcspn(line, "\n");
    if (length > 0) (void)json_array_append_new(*array, json_stringn(line, length));
    line += length + (line[length] == '\n');
  }
  fmlp_free(lines);
  return FMLP_OK;
}

fmlp_status fmlp_manifest_write(const fmlp_finish_input *input, fmlp_run_folder *folder, fmlp_error *error) {
  json_t *warnings = NULL;
  FMLP_TRY(warnings_json(&warnings, error));
  json_t *manifest = json_object();
  fmlp_json_set_text(manifest, "schema", "fmlp-run");
  fmlp_json_set_integer(manifest, "version", FMLP_MANIFEST_VERSION);
  fmlp_json_set_text(manifest, "experiment", input->settings->experiment_name);
  fmlp_json_set_integer(manifest, "seed", (int64_t)input->settings->seed);
  fmlp_json_set(manifest, "input", input_json(input->results));
  fmlp_json_set(manifest, "stages", stages_json(input));
  fmlp_json_set(manifest, "features", features_json(&input->results->features));
  fmlp_json_set(manifest, "warnings", warnings);
  fmlp_json_set(manifest, "columns", columns_json(folder));
  fmlp_json_set(manifest, "environment", environment_json(input));
  char *text = fmlp_json_text(manifest);
  json_decref(manifest);
  if (!text) return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: manifest.json");
  fmlp_status status = fmlp_run_folder_write(folder, "manifest.json", text, (int64_t)strlen(text), error);
  free(text);
  return status;
}

static fmlp_status read_scale(const json_t *object, const char *path, fmlp_scale *scale, fmlp_error *error) {
  int64_t m = json_integer_value(json_object_get(object, "m")),
          k = json_integer_value(json_object_get(object, "k"));
  if (m < 1 || m > 1000000000 || k < 0 || k > 18) {
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s: its price or size unit is not usable", path);
  }
  *scale = (fmlp_scale){m, (int32_t)k};
  return FMLP_OK;
}

static fmlp_status read_names(const json_t *names, fmlp_manifest_facts *facts, fmlp_error *error) {
  size_t count = json_array_size(names);
  FMLP_TRY(
      fmlp_alloc_zero(&facts->feature_names, (int64_t)count, sizeof *facts->feature_names, "names", error));
  for (size_t n = 0; n < count; n++) {
    const char *name = json_string_value(json_array_get(names, n));
    if (!name) return fmlp_fail(error, FMLP_ERR_INPUT, "manifest: feature %zu has no name", n);
    FMLP_TRY(fmlp_alloc(&facts->feature_names[n], (int64_t)strlen(name) + 1, 1, "name", error));
    strcpy(facts->feature_names[n], name);
    facts->feature_count++;
  }
  return FMLP_OK;
}

static void read_label_counts(const json_t *stages, fmlp_manifest_facts *facts) {
  size_t index;
  const json_t *stage;
  json_array_foreach(stages, index, stage) {
    const char *name = json_string_value(json_object_get(stage, "stage"));
    if (!name || strcmp(name, fmlp_stage_name(FMLP_STAGE_LABELS)) != 0) continue;
    facts->events = json_integer_value(json_object_get(stage, "rows_in"));
    facts->no_distance = json_integer_value(json_object_get(stage, "dropped_no_distance"));
    facts->no_room = json_integer_value(json_object_get(stage, "dropped_no_room"));
    facts->ties = json_integer_value(json_object_get(stage, "ties"));
  }
}

static void read_stages(const json_t *stages, fmlp_manifest_facts *facts) {
  size_t index, length = 0;
  const json_t *stage;
  json_array_foreach(stages, index, stage) {
    const char *name = json_string_value(json_object_get(stage, "stage"));
    const char *action = json_string_value(json_object_get(stage, "action"));
    if (!name || !action || strcmp(action, action_names[FMLP_STAGE_RUN]) != 0) continue;
    int written =
        snprintf(facts->stages + length, sizeof facts->stages - length, "%s%s", length ? "," : "", name);
    if (written > 0) length += (size_t)written;
    if (length >= sizeof facts->stages) break;
  }
}

static fmlp_status read_facts(const json_t *manifest, const char *path, fmlp_manifest_facts *facts,
                              fmlp_error *error) {
  const char *schema = json_string_value(json_object_get(manifest, "schema"));
  if (!schema || strcmp(schema, "fmlp-run") != 0) {
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s: not the manifest of a run", path);
  }
  if (json_integer_value(json_object_get(manifest, "version")) > FMLP_MANIFEST_VERSION) {
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s: written by a newer version of fmlp; use that one", path);
  }
  const json_t *input = json_object_get(manifest, "input");
  const char *hash = json_string_value(json_object_get(input, "xxh3_128"));
  (void)snprintf(facts->input_hash, sizeof facts->input_hash, "%s", hash ? hash : "");
  const char *kind = json_string_value(json_object_get(input, "kind"));
  facts->kind = kind && strcmp(kind, "trades") == 0 ? FMLP_TRADES : FMLP_QUOTES;
  facts->has_sizes = json_is_true(json_object_get(input, "has_sizes"));
  FMLP_TRY(read_scale(json_object_get(input, "price_point"), path, &facts->price, error));
  FMLP_TRY(read_scale(json_object_get(input, "size_unit"), path, &facts->size_unit, error));
  read_label_counts(json_object_get(manifest, "stages"), facts);
  read_stages(json_object_get(manifest, "stages"), facts);
  return read_names(json_object_get(json_object_get(manifest, "features"), "columns"), facts, error);
}

fmlp_status fmlp_manifest_open(const char *run, char *path, json_t **manifest, fmlp_error *error) {
  *manifest = NULL;
  const int length = snprintf(path, FMLP_MANIFEST_PATH, "%s/manifest.json", run);
  if (length < 0 || length >= FMLP_MANIFEST_PATH) {
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s: the path is too long", run);
  }
  FILE *file = NULL;
  FMLP_TRY(fmlp_open_ordinary(path, &file, FMLP_ERR_INPUT, "give the folder of a finished run", error));
  json_error_t problem;
  *manifest = json_loadf(file, JSON_REJECT_DUPLICATES, &problem);
  (void)fclose(file);
  if (*manifest) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_INPUT, "%s: %s; give the folder of a finished run", path, problem.text);
}

fmlp_status fmlp_manifest_read(const char *run, fmlp_manifest_facts *facts, fmlp_error *error) {
  memset(facts, 0, sizeof *facts);
  char path[FMLP_MANIFEST_PATH];
  json_t *manifest = NULL;
  FMLP_TRY(fmlp_manifest_open(run, path, &manifest, error));
  fmlp_status status = read_facts(manifest, path, facts, error);
  json_decref(manifest);
  if (status != FMLP_OK) fmlp_manifest_facts_release(facts);
  return status;
}

void fmlp_manifest_facts_release(fmlp_manifest_facts *facts) {
  for (int32_t n = 0; n < facts->feature_count; n++) fmlp_free(facts->feature_names[n]);
  fmlp_free(facts->feature_names);
  memset(facts, 0, sizeof *facts);
}
