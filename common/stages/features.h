/* Features: the set `base` and the user's plan, compiled to one rolling plan and executed by the backend. */
#ifndef FMLP_COMMON_STAGES_FEATURES_H
#define FMLP_COMMON_STAGES_FEATURES_H

#include "common/config/settings.h"
#include "common/contracts/backend.h"
#include "common/core/bars.h"
#include "common/core/dataset.h"
#include "common/io/columns.h"

/* Computes every configured feature over `bars`. Bar columns a plan may name: open high low close (the bid's;
 * `bid_*` and `ask_*` too), mid, spread_mean, spread_std, spread, tick_count, duration, volume, vwap,
 * bid_volume, ask_volume, volume_imbalance, tick_direction, ret_1. FMLP_ERR_USAGE for an unknown operator or
 * column (with the nearest known name) or a bad parameter. A window longer than the series is a warning, not
 * an error: the column is NaN and kept from the model, which could otherwise use no row at all. On success
 * the caller owns `features` (fmlp_features_release); on failure it is empty. */
FMLP_WARN_UNUSED fmlp_status fmlp_features_compute(const fmlp_features_settings *settings,
                                                   const fmlp_bars *bars, const fmlp_compute *compute,
                                                   fmlp_features *features, fmlp_error *error);

/* Puts every feature as features/<name>, float64, in the table's order. */
FMLP_WARN_UNUSED fmlp_status fmlp_features_export(const fmlp_features *features, const fmlp_column_sink *sink,
                                                  fmlp_error *error);

/* Reads features/<name>.npy of a finished run, in the order of names[count]; `model_input` follows
 * settings->exclude, warm_up is the number of leading NaN. FMLP_ERR_INPUT for a missing file or columns of
 * different lengths. */
FMLP_WARN_UNUSED fmlp_status fmlp_features_import(const char *run_path,
                                                  const fmlp_features_settings *settings, int32_t count,
                                                  const char *const *names, fmlp_features *features,
                                                  fmlp_error *error);
#endif
