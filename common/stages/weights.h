/* Sample weights: concurrency on closed [start, end] bar intervals, average uniqueness, return attribution,
 * decay. */
#ifndef FMLP_COMMON_STAGES_WEIGHTS_H
#define FMLP_COMMON_STAGES_WEIGHTS_H

#include "common/config/settings.h"
#include "common/core/bars.h"
#include "common/core/dataset.h"

/* `concurrency[b]` = labels whose closed interval [start, end] holds bar b; start, end are [count],
 * concurrency is [bars], caller-owned. */
FMLP_WARN_UNUSED fmlp_status fmlp_concurrency(int64_t count, const int64_t *start, const int64_t *end,
                                              int64_t bars, int32_t *concurrency, fmlp_error *error);

/* `uniqueness[e]` = mean over its interval of 1/concurrency (AFML 4.4), summed with the fixed tree. */
FMLP_WARN_UNUSED fmlp_status fmlp_average_uniqueness(int64_t count, const int64_t *start, const int64_t *end,
                                                     int64_t bars, double *uniqueness, fmlp_error *error);

/* Fills labels->weight: type, then time decay (AFML 4.11), then normalised to mean 1. */
FMLP_WARN_UNUSED fmlp_status fmlp_weights_compute(const fmlp_labeling_settings *settings,
                                                  const fmlp_bars *bars, fmlp_labels *labels,
                                                  fmlp_error *error);
#endif
