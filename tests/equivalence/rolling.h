/* A rolling plan as a case: shared by the single operators (rolling.c) and the plans of many nodes (plans.c).
 */
#ifndef FMLP_TESTS_EQUIVALENCE_ROLLING_H
#define FMLP_TESTS_EQUIVALENCE_ROLLING_H

#include "tests/equivalence/equivalence.h"

/* What is particular about a case; zero-initialise. */
typedef struct equivalence_manner {
  const equivalence_setup *like; /* as in equivalence_case */
  int32_t more_calls; /* of the operation, into outputs of their own, before anybody waits for the first */
} equivalence_manner;

/* Runs `plan` over inputs[c], each double [rows], on both sides. */
FMLP_WARN_UNUSED fmlp_status equivalence_check_plan(equivalence *all, const char *name, const char *group,
                                                    const fmlp_rolling_plan *plan, double *const *inputs,
                                                    int64_t rows, int32_t turns,
                                                    const equivalence_manner *manner, fmlp_error *error);

/* Whether --family asks for it. */
bool equivalence_wants_family(const equivalence *all, const char *family);

/* Plans of several nodes. */
FMLP_WARN_UNUSED fmlp_status equivalence_plans(equivalence *all, fmlp_error *error);

#endif
