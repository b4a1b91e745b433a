/* The parts of the labels stage; private to it. */
#ifndef FMLP_COMMON_STAGES_LABELS_PARTS_H
#define FMLP_COMMON_STAGES_LABELS_PARTS_H

#include "common/config/settings.h"
#include "common/contracts/backend.h"
#include "common/core/bars.h"
#include "common/core/dataset.h"
#include "common/core/ticks.h"

/* Distances of the barriers from the exit side's close at each event, in points, in [1, INT32_MAX]; 0 where
 * there is none (a NaN: volatility still warming up, too few completed excursions). target and stop are
 * [events->count], the caller's. */
FMLP_WARN_UNUSED fmlp_status fmlp_label_distances(const fmlp_labeling_settings *settings,
                                                  const fmlp_bars *bars, const fmlp_events *events,
                                                  const fmlp_compute *compute, int32_t *target, int32_t *stop,
                                                  fmlp_error *error);

/* Every column with room for `count` rows and `count` set; contents are undefined. */
FMLP_WARN_UNUSED fmlp_status fmlp_labels_allocate(int64_t count, fmlp_labels *labels, fmlp_error *error);

/* For the rows of one side, whose levels and last bars are set: outcome, end_bar, and, with exit_at barrier,
 * exit_tick (-1 where no tick decides), exit_price and end_time of rows that a tick decides. */
FMLP_WARN_UNUSED fmlp_status fmlp_label_exits(const fmlp_labeling_settings *settings, const fmlp_bars *bars,
                                              const fmlp_tick_source *ticks, const fmlp_compute *compute,
                                              int side, fmlp_labels *labels, fmlp_error *error);

#endif
