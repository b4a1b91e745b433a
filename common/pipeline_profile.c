/* A run's profile: what is known of the run, the files in profile/, and the history it may go to. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/core/build_info.h"
#include "common/core/interrupt.h"
#include "common/core/log.h"
#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "common/core/simd.h"
#include "common/pipeline_finish.h"
#include "common/pipeline_manifest.h"
#include "prof/store/history.h"
#include "prof/store/profile_check.h"
#include "prof/store/profile_file.h"
#include "prof/views/export_html.h"
#include "prof/views/report.h"
#include "prof/views/unified.h"

enum { FACT_CAPACITY = 1024 };

static void hash_text(char *text, fmlp_hash128 hash) {
  (void)snprintf(text, FACT_CAPACITY, "%016llx%016llx", (unsigned long long)hash.high,
                 (unsigned long long)hash.low);
}

/* "AMD EPYC 9004, 16 threads, v3" */
static void describe_machine(char *text) {
  char line[256], model[200] = "unknown processor";
  FILE *about = fopen("/proc/cpuinfo", "re");
  while (about && fgets(line, sizeof line, about)) {
    const char *colon = strchr(line, ':');
    if (!colon || strncmp(line, "model name", 10) != 0) continue;
    (void)snprintf(model, sizeof model, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
    break;
  }
  if (about) (void)fclose(about);
  const int threads = fmlp_threads();
  (void)snprintf(text, FACT_CAPACITY, "%s, %d thread%s, %s", model, threads, threads == 1 ? "" : "s",
                 fmlp_simd_name(fmlp_simd()));
}

/* "cpu", "cuda: device 0, NVIDIA ..., driver ..." */
static void describe_device(const fmlp_finish_input *input, char *text) {
  const fmlp_backend *backend = input->compute->backend;
  const char *colon = strchr(input->settings->runtime.device, ':');
  char about[FACT_CAPACITY - 64] = "";
  if (strcmp(backend->name, "cpu") != 0)
    (void)backend->available(colon ? (int32_t)strtol(colon + 1, NULL, 10) : 0, about, sizeof about);
  (void)snprintf(text, FACT_CAPACITY, "%s%s%s", backend->name, *about ? ": " : "", about);
}

static fmlp_status describe_input(const fmlp_finish_input *input, char *text, fmlp_error *error) {
  const fmlp_results *results = input->results;
  text[0] = '\0';
  if (results->has[FMLP_STAGE_READ])
    hash_text(text, (fmlp_hash128){results->read.hash_low, results->read.hash_high});
  if (results->has[FMLP_STAGE_READ] || !input->request->from) return FMLP_OK;
  fmlp_manifest_facts facts;
  FMLP_TRY(fmlp_manifest_read(input->request->from, &facts, error));
  (void)snprintf(text, FACT_CAPACITY, "%s", facts.input_hash);
  fmlp_manifest_facts_release(&facts);
  return FMLP_OK;
}

/* The configuration without what does not bear on results, and the stages asked for: names, places, devices
 * and threads may differ. */
static fmlp_status describe_config(const fmlp_finish_input *input, char *text, fmlp_error *error) {
  static const char *const PASSED_OVER[] = {"experiment:", "runtime:", "run:", "variables:"};
  fmlp_text kept = {0};
  bool keep = true;
  for (const char *line = fmlp_config_yaml(input->request->config); *line;) {
    const size_t length = strcspn(line, "\n");
    if (line[0] != ' ') keep = true;
    for (size_t i = 0; i < sizeof PASSED_OVER / sizeof *PASSED_OVER; i++)
      if (strncmp(line, PASSED_OVER[i], strlen(PASSED_OVER[i])) == 0) keep = false;
    /* the input is known by its hash */
    if (keep && strncmp(line, "  path:", 7) != 0) fmlp_text_format(&kept, "%.*s\n", (int)length, line);
    line += length + (line[length] == '\n');
  }
  fmlp_text_format(&kept, "seed %llu, stages %s\n", (unsigned long long)input->settings->seed,
                   input->request->stages ? input->request->stages : "all");
  const fmlp_status status = fmlp_text_finish(&kept, error);
  if (status == FMLP_OK) hash_text(text, fmlp_hash(kept.bytes, kept.count));
  fmlp_text_release(&kept);
  return status;
}

static fmlp_status tell(fmlp_profile *profile, const char *key, const char *value, fmlp_error *error) {
  if (value[0] == '\0' || fmlp_profile_set(profile, key, value)) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: profile");
}

/* Where the run came from, but for what bears on its results. */
static fmlp_status tell_origin(const fmlp_finish_input *input, fmlp_profile *profile, fmlp_error *error) {
  char text[FACT_CAPACITY];
  const time_t now = time(NULL);
  struct tm utc;
  if (!gmtime_r(&now, &utc) || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) text[0] = '\0';
  FMLP_TRY(tell(profile, FMLP_FACT_NAME, input->settings->experiment_name, error));
  FMLP_TRY(tell(profile, FMLP_FACT_CREATED, text, error));
  (void)snprintf(text, sizeof text, "%s, commit %s", fmlp_build.version, fmlp_build.commit);
  FMLP_TRY(tell(profile, FMLP_FACT_VERSION, text, error));
  (void)snprintf(text, sizeof text, "%s, %s, %s", fmlp_build.compiler, fmlp_build.build_type,
                 fmlp_build.flags);
  FMLP_TRY(tell(profile, FMLP_FACT_BUILD, text, error));
  describe_machine(text);
  FMLP_TRY(tell(profile, FMLP_FACT_MACHINE, text, error));
  describe_device(input, text);
  return tell(profile, FMLP_FACT_DEVICE, text, error);
}

fmlp_status fmlp_profile_describe(const fmlp_finish_input *input, const fmlp_run_folder *folder,
                                  fmlp_profile *profile, fmlp_error *error) {
  char text[FACT_CAPACITY];
  fmlp_hash128 outputs;
  FMLP_TRY(tell_origin(input, profile, error));
  FMLP_TRY(describe_input(input, text, error));
  FMLP_TRY(tell(profile, FMLP_FACT_INPUT, text, error));
  FMLP_TRY(describe_config(input, text, error));
  FMLP_TRY(tell(profile, FMLP_FACT_CONFIG, text, error));
  FMLP_TRY(fmlp_run_folder_outputs(folder, &outputs, error));
  hash_text(text, outputs);
  FMLP_TRY(tell(profile, FMLP_FACT_OUTPUTS, text, error));
  return tell(profile, FMLP_FACT_RUN, fmlp_run_folder_final(folder), error);
}

/* Takes the text over; NULL means that memory ran out while it was made. */
static fmlp_status write_made(fmlp_run_folder *folder, const char *name, char *text, fmlp_error *error) {
  if (!text) return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: %s", name);
  fmlp_status status = fmlp_run_folder_write(folder, name, text, (int64_t)strlen(text), error);
  free(text);
  return status;
}

/* NULL when memory runs out. */
static char *table_json(const fmlp_profile *profile) {
  char *text = NULL, message[64];
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  bool made = out && fmlp_unified_json(profile, NULL, out, message, (int64_t)sizeof message);
  if (out && fclose(out) != 0) made = false;
  if (made) return text;
  free(text);
  return NULL;
}

static fmlp_status write_file(const fmlp_profile *profile, fmlp_run_folder *folder, fmlp_error *error) {
  uint8_t *bytes = NULL;
  size_t size = 0;
  if (!fmlp_profile_file_make(profile, &bytes, &size))
    return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: profile/profile.fmlprof");
  fmlp_status status = fmlp_run_folder_write(folder, "profile/profile.fmlprof", bytes, (int64_t)size, error);
  free(bytes);
  return status;
}

static fmlp_status write_page(const fmlp_profile *profile, fmlp_run_folder *folder, fmlp_error *error) {
  static const fmlp_html_options OPTIONS = {.max_events = FMLP_HTML_RUN_EVENTS};
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  bool made = out && fmlp_export_html(profile, &OPTIONS, out);
  if (out && fclose(out) != 0) made = false;
  fmlp_status status = made
                           ? fmlp_run_folder_write(folder, "profile/profile.html", text, (int64_t)size, error)
                           : fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: profile/profile.html");
  free(text);
  return status;
}

fmlp_status fmlp_profile_write(const fmlp_profile *profile, fmlp_run_folder *folder, fmlp_error *error) {
  for (int32_t c = 0; c < profile->capture_count; c++) {
    const char *wrong = fmlp_profile_check(profile->captures[c]);
    if (wrong && fmlp_build.test_hooks)
      return fmlp_fail(error, FMLP_ERR_OTHER, "the profile contradicts itself (%s)", wrong);
    if (wrong) fmlp_log_warning("the profile contradicts itself (%s): it will not be readable", wrong);
  }
  FMLP_TRY(write_file(profile, folder, error));
  FMLP_TRY(write_made(folder, "profile/profile.txt", fmlp_report_text(profile->captures[0]), error));
  FMLP_TRY(write_made(folder, "profile/profile.json", table_json(profile), error));
  return write_page(profile, folder, error);
}

fmlp_status fmlp_profile_check_folder(const fmlp_pipeline_request *request, const fmlp_settings *settings,
                                      fmlp_error *error) {
  const fmlp_runtime_settings *runtime = &settings->runtime;
  const char *folder = runtime->profile_output_dir, *run_dir = fmlp_pipeline_run_dir(request);
  char message[512] = "";
  if (!folder || !runtime->profile || request->quiet) return FMLP_OK;
  if (fmlp_history_is_inside(folder, run_dir))
    return fmlp_fail(
        error, FMLP_ERR_USAGE,
        "runtime.profile_output_dir=%s is in the run's own folder, %s; it keeps profiles of many "
        "runs: give it a place of its own",
        folder, run_dir);
  if (fmlp_history_check(folder, runtime->profile_versioning, message, (int64_t)sizeof message))
    return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_OTHER, "%s (runtime.profile_output_dir)", message);
}

fmlp_status fmlp_profile_collect(const fmlp_settings *settings, const fmlp_profile *profile,
                                 fmlp_error *error) {
  const char *folder = settings->runtime.profile_output_dir;
  if (!folder) return FMLP_OK;
  char message[512] = "";
  char *text = fmlp_report_text(profile->captures[0]);
  if (!text) return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: profile");
  const bool added = fmlp_history_add(folder, settings->runtime.profile_versioning, profile, text,
                                      fmlp_interrupted, message, (int64_t)sizeof message);
  free(text);
  if (added) return FMLP_OK;
  FMLP_TRY(fmlp_check_interrupt("profile", error));
  fmlp_log_warning("profile not kept: %s (runtime.profile_output_dir)", message);
  return FMLP_OK;
}
