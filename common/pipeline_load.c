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

static void section_of(const fmlp_config *config, const char *section, const char **text, const char **end) {
  int64_t length;
  fmlp_config_section(config, section, text, &length);
  *end = *text + length;
}

static const char *line_end(const char *text, const char *end) {
  const char *newline = memchr(text, '\n', (size_t)(end - text));
  return newline ? newline + 1 : end;
}

/* Whether both configurations hold the same section, the line that starts with `except` left out (NULL:
 * none). */
static bool same_section(const fmlp_config *a, const fmlp_config *b, const char *section,
                         const char *except) {
  const char *text_a, *end_a, *text_b, *end_b;
  section_of(a, section, &text_a, &end_a);
  section_of(b, section, &text_b, &end_b);
  size_t skipped = except ? strlen(except) : 0;
  while (text_a < end_a && text_b < end_b) {
    const char *next_a = line_end(text_a, end_a), *next_b = line_end(text_b, end_b);
    bool same = next_a - text_a == next_b - text_b && memcmp(text_a, text_b, (size_t)(next_a - text_a)) == 0;
    bool left_out = except && strncmp(text_a, except, skipped) == 0 && strncmp(text_b, except, skipped) == 0;
    if (!same && !left_out) return false;
    text_a = next_a;
    text_b = next_b;
  }
  return text_a == end_a && text_b == end_b;
}

static bool same_costs(const fmlp_backtest_settings *a, const fmlp_backtest_settings *b) {
  return a->commission_per_lot == b->commission_per_lot && a->slippage_points == b->slippage_points &&
         a->contract_size == b->contract_size;
}

/* The first setting of `stage` itself that differs, as a pattern of keys, or NULL. `reads`: this run reads
 * the input, so that its hash tells more than its path. */
static const char *differing_setting(fmlp_stage stage, bool reads, const fmlp_config *now,
                                     const fmlp_config *then, char *text, size_t capacity) {
  const fmlp_settings *a = fmlp_config_settings(now), *b = fmlp_config_settings(then);
  const char *section = fmlp_stage_section(stage);
  bool moved_file = stage == FMLP_STAGE_READ && reads;
  if (!same_section(now, then, section, moved_file ? "  path:" : NULL)) {
    (void)snprintf(text, capacity, "%s.*", section);
    return text;
  }
  if (stage == FMLP_STAGE_CLEAN && !same_section(now, then, "session", NULL)) return "session.*";
  if (stage == FMLP_STAGE_LABELS && !same_costs(&a->backtest, &b->backtest))
    return "backtest.commission_per_lot, slippage_points or contract_size (costs that labels are net of)";
  if (stage == FMLP_STAGE_MODEL && a->seed != b->seed) return "experiment.seed";
  return NULL;
}

/* The loaded stages that stand on `supplier`, as --stages takes them. */
static void list_dependents(const fmlp_stage_plan *plan, fmlp_stage supplier, char *text, size_t capacity) {
  size_t length = 0;
  text[0] = '\0';
  for (int s = 0; s < FMLP_STAGE_COUNT && length < capacity; s++) {
    if (plan->action[s] != FMLP_STAGE_LOAD || !fmlp_stage_depends_on((fmlp_stage)s, supplier)) continue;
    int written =
        snprintf(text + length, capacity - length, "%s%s", length ? "," : "", fmlp_stage_name((fmlp_stage)s));
    if (written > 0) length += (size_t)written;
  }
}

/* A loaded stage stands on every stage that it needs, directly or through others: all their settings must be
 * those it was made with, even where one of them is computed anew for the sake of another. */
static fmlp_status check_supplier(const fmlp_pipeline_request *request, const fmlp_stage_plan *plan,
                                  fmlp_stage supplier, const fmlp_config *earlier, fmlp_error *error) {
  char dependents[128], text[64];
  list_dependents(plan, supplier, dependents, sizeof dependents);
  if (!*dependents) return FMLP_OK;
  bool reads = plan->action[FMLP_STAGE_READ] != FMLP_STAGE_SKIP;
  const char *setting = differing_setting(supplier, reads, request->config, earlier, text, sizeof text);
  if (!setting) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_USAGE,
                   "%s differs from %s, whose results of %s would be used; add %s to --stages, or leave the "
                   "setting as it was",
                   setting, request->from, dependents, dependents);
}

fmlp_status fmlp_check_same_sections(const fmlp_pipeline_request *request, const fmlp_stage_plan *plan,
                                     fmlp_error *error) {
  if (!request->from) return FMLP_OK;
  fmlp_config *earlier = NULL;
  FMLP_TRY(earlier_config(request, &earlier, error));
  fmlp_status status = FMLP_OK;
  for (int s = 0; s < FMLP_STAGE_COUNT && status == FMLP_OK; s++) {
    status = check_supplier(request, plan, (fmlp_stage)s, earlier, error);
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
  FMLP_TRY(fmlp_manifest_check_columns(request->from, "bars", error));
  fmlp_manifest_facts facts;
  FMLP_TRY(fmlp_manifest_read(request->from, &facts, error));
  fmlp_status status =
      fmlp_bars_import(request->from, facts.kind, facts.has_sizes, facts.price, facts.size_unit, bars, error);
  fmlp_manifest_facts_release(&facts);
  return status;
}

fmlp_status fmlp_load_features(const fmlp_pipeline_request *request, fmlp_features *features,
                               fmlp_error *error) {
  FMLP_TRY(fmlp_manifest_check_columns(request->from, "features", error));
  fmlp_manifest_facts facts;
  FMLP_TRY(fmlp_manifest_read(request->from, &facts, error));
  fmlp_status status =
      fmlp_features_import(request->from, &fmlp_config_settings(request->config)->features,
                           facts.feature_count, (const char *const *)facts.feature_names, features, error);
  fmlp_manifest_facts_release(&facts);
  return status;
}

fmlp_status fmlp_load_labels(const fmlp_pipeline_request *request, int64_t bars,
                             const fmlp_features *features, fmlp_labels *labels, int64_t *events,
                             fmlp_error *error) {
  FMLP_TRY(fmlp_manifest_check_columns(request->from, "labels", error));
  fmlp_manifest_facts facts;
  FMLP_TRY(fmlp_manifest_read(request->from, &facts, error));
  fmlp_status status = fmlp_labels_import(request->from, bars, labels, error);
  if (status == FMLP_OK) {
    *events = facts.events;
    labels->no_distance = facts.no_distance;
    labels->no_room = facts.no_room;
    labels->ties = facts.ties;
  }
  fmlp_manifest_facts_release(&facts);
  if (status != FMLP_OK || features->count == 0) return status;
  status = fmlp_labels_mark_usable(features, labels, error);
  if (status != FMLP_OK) fmlp_labels_release(labels);
  return status;
}
