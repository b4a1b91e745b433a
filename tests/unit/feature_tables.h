/* What the tests of features share: computing them, finding a column, an entry of a plan. After
 * on_each_backend.h, whose `compute` they use. */
#ifndef FMLP_TESTS_UNIT_FEATURE_TABLES_H
#define FMLP_TESTS_UNIT_FEATURE_TABLES_H

#include <string.h>

#include "common/stages/features.h"
#include "tests/unit/feature_entry.h"
#include "tests/unit/on_each_backend.h"

static const fmlp_features_settings base_set = {.base = true};

static inline fmlp_features features_of(const fmlp_features_settings *settings, const fmlp_bars *bars) {
  fmlp_features features;
  fmlp_error error = {""};
  if (fmlp_features_compute(settings, bars, &compute, &features, &error) != FMLP_OK)
    fail_msg("%s", error.text);
  return features;
}

static inline int32_t find(const fmlp_features *features, const char *name) {
  for (int32_t f = 0; f < features->count; f++) {
    if (strcmp(features->names[f].text, name) == 0) return f;
  }
  return -1;
}

static inline const double *column(const fmlp_features *features, const char *name) {
  int32_t f = find(features, name);
  if (f < 0) fail_msg("no feature %s", name);
  return features->columns[f];
}

#endif
