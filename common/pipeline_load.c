/* What a run with --from takes from a finished run: its columns, and the checks that they still fit. */
#include <stdio.h>
#include <string.h>

#include "common/pipeline_finish.h"
#include "common/pipeline_manifest.h"
#include "common/stages/bars_columns.h"
#include "common/stages/features.h"
#include "common/stages/labels.h"

enum { PATH_CAPACITY = 4096 };

const char *fmlp_pipeline_run_dir(const fmlp_pipeline_request *request) {
  return request->run_dir ? request->run_dir : fmlp_config_run_dir(request->config);
}

static fmlp_status earlier_config(const fmlp_pipeline_request *request, fmlp_config **config,
                                  fmlp_error *error) {
  char path[PATH_CAPACITY];
  int length = snprintf(path, sizeof path, "%s/config.yaml", request->from);
  if (length < 0 || (size_t)length >= sizeof path) {
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s: the path is too long", request->from);
  }
  fmlp_config_request earlier = {.base_file = path};
  fmlp_status status = fmlp_config_load(&earlier, config, error);
  if (status != FMLP_OK) {
    if (status != FMLP_ERR_USAGE) return status; /* memory ran out, which says nothing about the folder */
    return fmlp_fail_prefix(error, FMLP_ERR_INPUT, "%s: not the folder of a finished run", request->from);
  }
  return FMLP_OK;
}

static bool same_section(const fmlp_config *a, const fmlp_config *b, const char *section) {
  const char *text_a, *text_b;
  int64_t length_a, length_b;
  fmlp_config_section(a, section, &text_a, &length_a);
  fmlp_config_section(b, section, &text_b, &length_b);
  return length_a == length_b && memcmp(text_a, text_b, (size_t)length_a) == 0;
}

/* A loaded stage stands on every stage before it, so all their sections must agree, up to the last one
 * loaded. */
fmlp_status fmlp_check_same_sections(const fmlp_pipeline_request *request, const fmlp_stage_plan *plan,
                                     fmlp_error *error) {
  if (!request->from) return FMLP_OK;
  fmlp_config *earlier = NULL;
  FMLP_TRY(earlier_config(request, &earlier, error));
  fmlp_status status = FMLP_OK;
  int last_loaded = -1;
  for (int s = 0; s < FMLP_STAGE_COUNT; s++) {
    if (plan->action[s] == FMLP_STAGE_LOAD) last_loaded = s;
  }
  for (int s = 0; s <= last_loaded && status == FMLP_OK; s++) {
    const char *section = fmlp_stage_section((fmlp_stage)s);
    if (plan->action[s] == FMLP_STAGE_RUN) continue; /* asked for anew: that is the point of --from */
    if (same_section(request->config, earlier, section)) continue;
    status = fmlp_fail(
        error, FMLP_ERR_USAGE,
        "%s.* differs from %s, whose results of stage %s would be used; add %s to --stages, or leave the "
        "setting as it was",
        section, request->from, fmlp_stage_name((fmlp_stage)last_loaded), fmlp_stage_name((fmlp_stage)s));
  }
  if (status == FMLP_OK && last_loaded >= 0 && !same_section(request->config, earlier, "session")) {
    status =
        fmlp_fail(error, FMLP_ERR_USAGE,
                  "session.* differs from %s, whose results would be used; run all stages", request->from);
  }
  fmlp_config_free(earlier);
  return status;
}

fmlp_status fmlp_check_same_input(const fmlp_pipeline_request *request, const fmlp_read_report *read,
                                  fmlp_error *error) {
  if (!request->from) return FMLP_OK;
  fmlp_manifest_facts facts;
  FMLP_TRY(fmlp_manifest_read(request->from, &facts, error));
  char hash[40];
  (void)snprintf(hash, sizeof hash, "%016llx%016llx", (unsigned long long)read->hash_high,
                 (unsigned long long)read->hash_low);
  fmlp_status status = FMLP_OK;
  if (*facts.input_hash && strcmp(facts.input_hash, hash) != 0) {
    status = fmlp_fail(
        error, FMLP_ERR_INPUT,
        "the input file is not the one %s read (XXH3 %s now, %s then); run all stages on the new file",
        request->from, hash, facts.input_hash);
  }
  fmlp_manifest_facts_release(&facts);
  return status;
}

fmlp_status fmlp_load_bars(const fmlp_pipeline_request *request, fmlp_bars *bars, fmlp_error *error) {
  fmlp_manifest_facts facts;
  FMLP_TRY(fmlp_manifest_read(request->from, &facts, error));
  fmlp_status status =
      fmlp_bars_import(request->from, facts.kind, facts.has_sizes, facts.price, facts.size_unit, bars, error);
  fmlp_manifest_facts_release(&facts);
  return status;
}

fmlp_status fmlp_load_features(const fmlp_pipeline_request *request, fmlp_features *features,
                               fmlp_error *error) {
  fmlp_manifest_facts facts;
  FMLP_TRY(fmlp_manifest_read(request->from, &facts, error));
  fmlp_status status =
      fmlp_features_import(request->from, &fmlp_config_settings(request->config)->features,
                           facts.feature_count, (const char *const *)facts.feature_names, features, error);
  fmlp_manifest_facts_release(&facts);
  return status;
}

fmlp_status fmlp_load_labels(const fmlp_pipeline_request *request, int64_t bars,
                             const fmlp_features *features, fmlp_labels *labels, fmlp_error *error) {
  FMLP_TRY(fmlp_labels_import(request->from, bars, labels, error));
  if (features->count == 0) return FMLP_OK;
  fmlp_status status = fmlp_labels_mark_usable(features, labels, error);
  if (status != FMLP_OK) fmlp_labels_release(labels);
  return status;
}
