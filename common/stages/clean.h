/* Cleaning: rules over a tick table, in place, each with a key and a count (DESIGN 4, "clean"). */
#ifndef FMLP_COMMON_STAGES_CLEAN_H
#define FMLP_COMMON_STAGES_CLEAN_H

#include "common/config/settings.h"
#include "common/core/ticks.h"
#include "common/stages/calendar.h"

/* rows_in = rows_out + every dropped_*; the rest counts rows that were seen and kept. */
typedef struct fmlp_clean_report {
  int64_t rows_in;
  int64_t rows_out;
  int64_t out_of_order; /* rows whose time is before the row above (sorted, not dropped) */
  int64_t crossed_seen; /* bid > ask */
  int64_t dropped_crossed;
  int64_t zero_spread_seen; /* bid == ask, quotes only */
  int64_t dropped_zero_spread;
  int64_t duplicates_seen; /* rows whose time equals that of a neighbour already counted once */
  int64_t dropped_duplicates;
  int64_t dropped_outliers;
  int64_t out_of_session_seen;
  int64_t dropped_out_of_session;
} fmlp_clean_report;

/* Filters `ticks` in place, keeping order (stable sort by time when needed and allowed). `rows_label` names
 * the input in messages. FMLP_ERR_INPUT for crossed: error or sort: false violations (naming the row, counted
 * from 1), and when no row is left. */
FMLP_WARN_UNUSED fmlp_status fmlp_clean(const fmlp_cleaning_settings *settings, const fmlp_calendar *calendar,
                                        fmlp_ticks *ticks, fmlp_clean_report *report, fmlp_error *error);

#endif
