/* Bars as the columns of a run's bars/ folder, and back. */
#ifndef FMLP_COMMON_STAGES_BARS_COLUMNS_H
#define FMLP_COMMON_STAGES_BARS_COLUMNS_H

#include "common/core/bars.h"
#include "common/io/columns.h"

/* Puts the group "bars": open_time, close_time (ns), first_tick, last_tick (index in the cleaned ticks, the
 * second one past the end) and tick_count as int64; the prices as float64 in price units under bid_open ...
 * ask_close (trades: open, high, low, close) and as int32 points under the same names with "_points". With
 * sizes: bid_volume and ask_volume (trades: volume) as float64 and, with "_units", as int64 size units, and
 * vwap. For quotes spread_mean and spread_std. Doubles are in price units, NaN as in fmlp_bars. */
FMLP_WARN_UNUSED fmlp_status fmlp_bars_export(const fmlp_bars *bars, const fmlp_column_sink *sink,
                                              fmlp_error *error);

/* Reads `folder`/bars/ as written above; kind, sizes and scales are those of the run, which its manifest
 * holds. `bars` is owned by the caller on success and empty on failure. FMLP_ERR_INPUT for a column that is
 * missing, damaged, or of another length. */
FMLP_WARN_UNUSED fmlp_status fmlp_bars_import(const char *folder, fmlp_tick_kind kind, bool has_sizes,
                                              fmlp_scale price, fmlp_scale size_unit, fmlp_bars *bars,
                                              fmlp_error *error);

#endif
