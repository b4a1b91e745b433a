/* Sample weights: concurrency on closed [start, end] bar intervals, average uniqueness, return attribution,
 * decay. Sums are taken in an order that the intervals alone decide: same bits at any thread count. */
#ifndef FMLP_COMMON_STAGES_WEIGHTS_H
#define FMLP_COMMON_STAGES_WEIGHTS_H

#include "common/config/settings.h"
#include "common/core/bars.h"
#include "common/core/dataset.h"

/* Requires 0 <= start[e] <= end[e] < bars throughout. */

/* `concurrency[b]` = labels whose closed interval [start, end] holds bar b; start, end are [count],
 * concurrency is [bars], caller-owned. */
FMLP_WARN_UNUSED fmlp_status fmlp_concurrency(int64_t count, const int64_t *start, const int64_t *end,
                                              int64_t bars, int32_t *concurrency, fmlp_error *error);

/* `uniqueness[e]` = mean over its interval of 1/concurrency (AFML 4.4), in (0, 1]. Summed as the doubling
 * tree of rolling windows, so that an interval of n bars costs popcount(n) additions. */
FMLP_WARN_UNUSED fmlp_status fmlp_average_uniqueness(int64_t count, const int64_t *start, const int64_t *end,
                                                     int64_t bars, double *uniqueness, fmlp_error *error);

/* Probabilities of the sequential bootstrap's next draw (AFML 4.5.2): proportional to the average uniqueness
 * each label would have beside the labels drawn so far, `drawn[draws]` (label numbers, repeats allowed).
 * probability is [count], sums to 1. */
FMLP_WARN_UNUSED fmlp_status fmlp_sequential_bootstrap_probabilities(int64_t count, const int64_t *start,
                                                                     const int64_t *end, int64_t bars,
                                                                     int64_t draws, const int64_t *drawn,
                                                                     double *probability, fmlp_error *error);

/* Multiplies weight[count], in order of time, by AFML 4.11's factors: linear in cumulated uniqueness, 1 for
 * the newest, `decay` for the oldest; a negative decay in (-1, 0) gives the oldest -decay of the total
 * exactly 0. */
void fmlp_weights_decay(int64_t count, const double *uniqueness, double decay, double *weight);

/* Fills labels->weight: type, then time decay, then normalised to mean 1. One model is trained a side, so
 * each side is weighed by itself: its rows overlap only each other, and their mean is 1. Return attribution
 * (AFML 4.10) takes log returns of the bid close. All weights 0 (no price moved) become 1. */
FMLP_WARN_UNUSED fmlp_status fmlp_weights_compute(const fmlp_labeling_settings *settings,
                                                  const fmlp_bars *bars, fmlp_labels *labels,
                                                  fmlp_error *error);
#endif
