/* Session-aware backtest on ticks, one recombined path at a time (DESIGN 4, "backtest"). */
#ifndef FMLP_COMMON_STAGES_BACKTEST_H
#define FMLP_COMMON_STAGES_BACKTEST_H

#include "common/config/settings.h"
#include "common/core/bars.h"
#include "common/core/dataset.h"
#include "common/core/ticks.h"
#include "common/core/trades.h"
#include "common/stages/calendar.h"

typedef struct fmlp_backtest_report {
  int64_t signals;         /* probability >= threshold */
  int64_t skipped_busy;    /* max_positions reached */
  int64_t skipped_close;   /* too little time to the session close */
  int64_t skipped_no_tick; /* no tick to enter at before the session close */
  int64_t skipped_ruined;  /* no capital left */
} fmlp_backtest_report;

/* Plays path `path` of the predictions. Trades are in order of exit, equity has one row per bar. */
FMLP_WARN_UNUSED fmlp_status fmlp_backtest_run(const fmlp_settings *settings, const fmlp_calendar *calendar,
                                               const fmlp_bars *bars, const fmlp_tick_source *ticks,
                                               const fmlp_labels *labels, const fmlp_predictions *predictions,
                                               int64_t path, fmlp_trades *trades, fmlp_equity *equity,
                                               fmlp_backtest_report *report, fmlp_error *error);
#endif
