/* An entry of a feature plan for tests, without a backend to run it on. */
#ifndef FMLP_TESTS_UNIT_FEATURE_ENTRY_H
#define FMLP_TESTS_UNIT_FEATURE_ENTRY_H

#include <math.h>

#include "common/stages/features.h"

/* Nothing set but name, op and of. */
static inline fmlp_feature_entry entry(const char *name, const char *op, const char *of) {
  return (fmlp_feature_entry){.name = name,
                              .op = op,
                              .of = of,
                              .q = NAN,
                              .span = NAN,
                              .alpha = NAN,
                              .d = NAN,
                              .threshold = NAN,
                              .value = NAN,
                              .where = "plan.yaml:7"};
}

#endif
