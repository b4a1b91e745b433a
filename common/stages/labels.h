/* Triple-barrier labels with session deadlines, tick-accurate exits and costs (DESIGN 4, "labels"). */
#ifndef FMLP_COMMON_STAGES_LABELS_H
#define FMLP_COMMON_STAGES_LABELS_H

#include "common/config/settings.h"
#include "common/contracts/backend.h"
#include "common/core/bars.h"
#include "common/core/dataset.h"
#include "common/core/ticks.h"
#include "common/io/columns.h"
#include "common/stages/calendar.h"

/* Labels every event that has a distance and room; weights are 1 until fmlp_weights_compute. `features` gives
 * the model inputs that decide `usable`; it may be NULL (then every row is usable). An event without a
 * distance is counted in no_distance whatever its room. FMLP_ERR_INPUT when no event gets a label. On success
 * the caller owns `labels` (fmlp_labels_release); on failure it is empty. */
FMLP_WARN_UNUSED fmlp_status fmlp_labels_make(const fmlp_settings *settings, const fmlp_calendar *calendar,
                                              const fmlp_bars *bars, const fmlp_tick_source *ticks,
                                              const fmlp_features *features, const fmlp_events *events,
                                              const fmlp_compute *compute, fmlp_labels *labels,
                                              fmlp_error *error);

/* Profit and loss of a round trip in points, net of the backtest's costs: the one place that knows them for
 * labels. `market_exit` is false for a target (filled at its level, without slippage). */
double fmlp_label_pnl(const fmlp_backtest_settings *costs, fmlp_scale price, int side, int32_t entry_points,
                      int32_t exit_points, bool market_exit);

/* Sets `usable` and counts not_usable from the features' model inputs; NULL makes every row usable. Called by
 * fmlp_labels_make; again where features change on finished labels (run --from). */
FMLP_WARN_UNUSED fmlp_status fmlp_labels_mark_usable(const fmlp_features *features, fmlp_labels *labels,
                                                     fmlp_error *error);

/* FMLP_ERR_INPUT with the reason when there are labels and none of them is usable. */
FMLP_WARN_UNUSED fmlp_status fmlp_labels_check_usable(const fmlp_features *features, const fmlp_bars *bars,
                                                      const fmlp_labels *labels, fmlp_error *error);

/* Puts the columns of DESIGN 5 into labels/: prices as float64 in price units and as int32 `*_points`. */
FMLP_WARN_UNUSED fmlp_status fmlp_labels_export(const fmlp_labels *labels, fmlp_scale price,
                                                const fmlp_column_sink *sink, fmlp_error *error);

/* Reads labels/ of a finished run over `bars` bars. The counts of events that got no label are not in the
 * columns and stay 0. FMLP_ERR_INPUT for missing columns, different lengths, or bars outside the series. */
FMLP_WARN_UNUSED fmlp_status fmlp_labels_import(const char *run_path, int64_t bars, fmlp_labels *labels,
                                                fmlp_error *error);
#endif
