/* Rules between keys. Each says which key to change, and where the offending one was written. */
#include <string.h>

#include "common/config/schema.h"
#include "common/core/timezone.h"

enum { SPLIT_LIMIT = 10000 };

static const char *origin(fmlp_node *root, const char *path) {
  const fmlp_node *node = fmlp_node_find(root, path);
  return node && node->origin ? node->origin : "default";
}

static fmlp_status bad(fmlp_node *root, const char *path, fmlp_error *error, const char *what) {
  return fmlp_fail(error, FMLP_ERR_USAGE, "%s: %s: %s", origin(root, path), path, what);
}

static bool has_control(const char *text) {
  for (; *text; text++) {
    if ((unsigned char)*text < 32 || *text == 127) return true;
  }
  return false;
}

static fmlp_status check_names(fmlp_node *root, const fmlp_settings *s, fmlp_error *error) {
  if (s->experiment_name &&
      (s->experiment_name[0] == '\0' || s->experiment_name[0] == '.' || strchr(s->experiment_name, '/') ||
       strlen(s->experiment_name) > 100 || has_control(s->experiment_name))) {
    return bad(
        root, "experiment.name", error,
        "it becomes a folder's name: no '/', no leading '.', no control characters, at most 100 characters");
  }
  if (s->run_dir && s->run_dir[0] == '\0')
    return bad(root, "run.dir", error, "an empty path; null takes the default");
  if (s->data.path && s->data.path[0] == '\0') return bad(root, "data.path", error, "an empty path");
  if (!s->features.base && s->features.plan_count == 0) {
    return bad(root, "features.set", error, "none, and features.plan is empty: no feature is left");
  }
  return FMLP_OK;
}

static fmlp_status check_labeling(fmlp_node *root, const fmlp_labeling_settings *s, fmlp_error *error) {
  if (s->distance_mode == FMLP_DISTANCE_TICKS && s->tp_ticks == 0) {
    return bad(root, "labeling.tp_ticks", error, "distance_mode ticks needs it, in points");
  }
  if (s->distance_mode == FMLP_DISTANCE_TICKS && s->sl_ticks == 0) {
    return bad(root, "labeling.sl_ticks", error, "distance_mode ticks needs it, in points");
  }
  if (s->min_horizon_bars > s->max_horizon_bars) {
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "%s: labeling.min_horizon_bars: %lld is more than labeling.max_horizon_bars, %lld (%s)",
                     origin(root, "labeling.min_horizon_bars"), (long long)s->min_horizon_bars,
                     (long long)s->max_horizon_bars, origin(root, "labeling.max_horizon_bars"));
  }
  return FMLP_OK;
}

/* n choose k, at most SPLIT_LIMIT + 1. */
static int64_t splits_of(int64_t n, int64_t k) {
  if (k > n - k) k = n - k;
  int64_t count = 1;
  for (int64_t i = 1; i <= k; i++) {
    count = count * (n - k + i) / i;
    if (count > SPLIT_LIMIT) return SPLIT_LIMIT + 1;
  }
  return count;
}

static fmlp_status check_validation(fmlp_node *root, const fmlp_validation_settings *s, fmlp_error *error) {
  if (s->cv_type != FMLP_CV_CPCV) return FMLP_OK;
  if (s->n_test_groups >= s->n_groups) {
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "%s: validation.n_test_groups: %d must be less than validation.n_groups, %d (%s)",
                     origin(root, "validation.n_test_groups"), (int)s->n_test_groups, (int)s->n_groups,
                     origin(root, "validation.n_groups"));
  }
  if (splits_of(s->n_groups, s->n_test_groups) > SPLIT_LIMIT) {
    return fmlp_fail(
        error, FMLP_ERR_USAGE, "%s: validation.n_test_groups: %d of %d groups make more than %d splits",
        origin(root, "validation.n_test_groups"), (int)s->n_test_groups, (int)s->n_groups, (int)SPLIT_LIMIT);
  }
  return FMLP_OK;
}

/* What the contract names and nothing obeys yet: said here, before any job of a sweep starts. */
static fmlp_status check_built(fmlp_node *root, const fmlp_settings *s, fmlp_error *error) {
  if (s->bars.type > FMLP_BARS_TIME) {
    return bad(root, "bars.type", error,
               "imbalance and run bars are not built yet; use tick, volume, dollar or time");
  }
  if (s->model.type == FMLP_MODEL_LOGISTIC) {
    return bad(root, "model.type", error,
               "logistic is not built yet; use random_forest or gradient_boosting");
  }
  if (s->model.meta_enabled) {
    return bad(root, "model.meta.enabled", error, "the meta-model is not built yet; leave it false");
  }
  return FMLP_OK;
}

static fmlp_status check_timezone(fmlp_node *root, const char *path, const char *name, fmlp_error *error) {
  if (!name) return FMLP_OK;
  fmlp_timezone *zone = NULL;
  fmlp_status status = fmlp_timezone_open(name, &zone, error);
  fmlp_timezone_close(zone);
  return status == FMLP_OK ? FMLP_OK : fmlp_fail_prefix(error, status, "%s: %s", origin(root, path), path);
}

fmlp_status fmlp_schema_check_rules(fmlp_node *root, const fmlp_settings *settings, fmlp_error *error) {
  FMLP_TRY(check_names(root, settings, error));
  FMLP_TRY(check_built(root, settings, error));
  FMLP_TRY(check_timezone(root, "data.timezone", settings->data.timezone, error));
  FMLP_TRY(check_timezone(root, "session.timezone", settings->session.timezone, error));
  FMLP_TRY(check_labeling(root, &settings->labeling, error));
  return check_validation(root, &settings->validation, error);
}
