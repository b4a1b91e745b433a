/* Features: the set `base` and the user's plan, compiled to one rolling plan and executed by the backend. */
#ifndef FMLP_COMMON_STAGES_FEATURES_H
#define FMLP_COMMON_STAGES_FEATURES_H

#include "common/config/settings.h"
#include "common/contracts/backend.h"
#include "common/core/bars.h"
#include "common/core/dataset.h"

/* Computes every configured feature over `bars`. Bar columns a plan may name: open high low close (the bid's;
 * `bid_*` and `ask_*` too), mid, spread_mean, spread_std, spread, tick_count, duration, volume, vwap,
 * bid_volume, ask_volume, volume_imbalance, tick_direction, ret_1. FMLP_ERR_USAGE for an unknown operator or
 * column (with the nearest known name) or a bad parameter. A window longer than the series is a warning, not
 * an error: the column is NaN. */
FMLP_WARN_UNUSED fmlp_status fmlp_features_compute(const fmlp_features_settings *settings,
                                                   const fmlp_bars *bars, const fmlp_compute *compute,
                                                   fmlp_features *features, fmlp_error *error);
#endif
