/* Which keys are read only where another key has a certain value. A key set in vain is legal, for
 * configurations are composed of parts; who sets one on the command line hardly means it. */
#include <string.h>

#include "common/config/schema.h"

#define DISTANCE  "labeling.distance_mode"
#define EVENTS    "labeling.events.type"
#define CV        "validation.cv_type"
#define MODEL     "model.type"
#define SIZING    "backtest.sizing.mode"
#define RESAMPLED "risk.monte_carlo.kind"
#define OUTLIERS  "cleaning.outliers.enabled"
#define PROFILE   "runtime.profile"

const fmlp_schema_condition fmlp_schema_conditions[] = {
    {"cleaning.outliers.window", OUTLIERS, "true"},
    {"cleaning.outliers.threshold", OUTLIERS, "true"},
    {"labeling.events.n", EVENTS, "every"},
    {"labeling.events.threshold", EVENTS, "cusum"},
    {"labeling.tp_ticks", DISTANCE, "ticks"},
    {"labeling.sl_ticks", DISTANCE, "ticks"},
    {"labeling.volatility.window", DISTANCE, "volatility"},
    {"labeling.volatility.tp_multiple", DISTANCE, "volatility"},
    {"labeling.volatility.sl_multiple", DISTANCE, "volatility"},
    {"labeling.mfe_mae.horizon_bars", DISTANCE, "mfe_mae"},
    {"labeling.mfe_mae.window", DISTANCE, "mfe_mae"},
    {"labeling.mfe_mae.tp_quantile", DISTANCE, "mfe_mae"},
    {"labeling.mfe_mae.sl_quantile", DISTANCE, "mfe_mae"},
    {"validation.n_groups", CV, "cpcv"},
    {"validation.n_test_groups", CV, "cpcv"},
    {"validation.n_splits", CV, "purged_kfold, walk_forward, time_series"},
    {"validation.test_size", CV, "walk_forward, time_series"},
    {"validation.gap", CV, "walk_forward, time_series"},
    {"model.params.learning_rate", MODEL, "gradient_boosting"},
    {"model.params.subsample", MODEL, "gradient_boosting"},
    {"model.params.l2", MODEL, "gradient_boosting, logistic"},
    {"backtest.sizing.size", SIZING, "fixed"},
    {"backtest.sizing.risk_per_trade", SIZING, "fixed_fractional"},
    {"risk.monte_carlo.block_size", RESAMPLED, "moving_block, circular_block, stationary"},
    {"risk.monte_carlo.prop_firm.max_daily_loss", RESAMPLED, "day"},
    {"runtime.profile_level", PROFILE, "true"},
    {"runtime.profile_sampling", PROFILE, "true"},
    {"runtime.profile_output_dir", PROFILE, "true"},
};
const int32_t fmlp_schema_condition_count = sizeof fmlp_schema_conditions / sizeof *fmlp_schema_conditions;

/* Whether `word` is one of the words of `list`, which have ", " between them. */
static bool is_among(const char *word, const char *list) {
  const size_t length = strlen(word);
  for (;;) {
    const size_t next = strcspn(list, ",");
    if (next == length && strncmp(list, word, length) == 0) return true;
    if (!list[next]) return false;
    list += next + strspn(list + next, ", ");
  }
}

static bool is_overridden(const fmlp_node *node) {
  return node && node->origin && strncmp(node->origin, "override ", 9) == 0 && !fmlp_node_is_null(node);
}

fmlp_status fmlp_schema_find_idle(fmlp_arena *arena, fmlp_node *root, const char ***lines, int32_t *count) {
  *count = 0;
  *lines = fmlp_arena_take(arena, sizeof **lines * (size_t)fmlp_schema_condition_count);
  if (!*lines) return FMLP_ERR_OTHER;
  for (int32_t i = 0; i < fmlp_schema_condition_count; i++) {
    const fmlp_schema_condition *condition = &fmlp_schema_conditions[i];
    const fmlp_node *decides = fmlp_node_find(root, condition->key);
    if (!is_overridden(fmlp_node_find(root, condition->path)) || !decides || !decides->text) continue;
    if (is_among(decides->text, condition->values)) continue;
    const char *line = fmlp_arena_print(arena, "%s has no effect where %s is %s; it is read with %s",
                                        condition->path, condition->key, decides->text, condition->values);
    if (!line) return FMLP_ERR_OTHER;
    (*lines)[(*count)++] = line;
  }
  return FMLP_OK;
}
