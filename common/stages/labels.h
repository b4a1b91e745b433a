/* Triple-barrier labels with session deadlines, tick-accurate exits and costs (DESIGN 4, "labels"). */
#ifndef FMLP_COMMON_STAGES_LABELS_H
#define FMLP_COMMON_STAGES_LABELS_H

#include "common/config/settings.h"
#include "common/contracts/backend.h"
#include "common/core/bars.h"
#include "common/core/dataset.h"
#include "common/core/ticks.h"
#include "common/stages/calendar.h"

/* Labels every event that has a distance and room; weights are 1 until fmlp_weights_compute. `features` gives
 * the model inputs that decide `usable`; it may be NULL (then every row is usable). FMLP_ERR_INPUT when no
 * event gets a label. */
FMLP_WARN_UNUSED fmlp_status fmlp_labels_make(const fmlp_settings *settings, const fmlp_calendar *calendar,
                                              const fmlp_bars *bars, const fmlp_tick_source *ticks,
                                              const fmlp_features *features, const fmlp_events *events,
                                              const fmlp_compute *compute, fmlp_labels *labels,
                                              fmlp_error *error);

/* Profit and loss of a round trip in points, net of the backtest's costs: the one place that knows them for
 * labels. `market_exit` is false for a target (filled at its level, without slippage). */
double fmlp_label_pnl(const fmlp_backtest_settings *costs, fmlp_scale price, int side, int32_t entry_points,
                      int32_t exit_points, bool market_exit);
#endif
