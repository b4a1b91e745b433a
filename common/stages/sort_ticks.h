/* Stable sort of a tick table by time. */
#ifndef FMLP_COMMON_STAGES_SORT_TICKS_H
#define FMLP_COMMON_STAGES_SORT_TICKS_H

#include "common/core/ticks.h"

/* Rows of equal time keep their order. Extra memory: a permutation and one column. On failure (memory,
 * interrupt) the table is unchanged. */
FMLP_WARN_UNUSED fmlp_status fmlp_ticks_sort(fmlp_ticks *ticks, fmlp_error *error);

#endif
