/* Session-aware backtest on ticks, one recombined path at a time (DESIGN 4, "backtest").
 *
 * Signal: an out-of-sample probability >= threshold, known at the close of its event bar. Signals are taken
 * in order of their bar; where a bar gives both sides, the more probable first (long on a tie). Entry: the
 * first tick at or after close + latency that is not one of the bar's own ticks, at its ask (long) or bid
 * (short), plus slippage. It must come before the signal's deadline. Exit: from the tick after the entry on,
 * the first that touches one of the label's levels: a target fills at its level, a stop at the price of the
 * tick that touched it (a gap through the stop fills beyond it) less slippage. A market that stands beyond a
 * level already at the entry is not foreseen: it exits at the next tick. Otherwise at the last tick before
 * the deadline, less slippage. Deadline: max_horizon_bars after the signal's bar, or the end of the session,
 * whichever comes first. The end of the session is a time, so the position is held to the session's last tick
 * even where `session_tail: drop` leaves those ticks without a bar. Money: pnl = side * (exit - entry) * size
 * * contract_size - costs, costs = commission of both sides. A fixed-fractional size loses risk_per_trade *
 * capital over the distance from the entry side's close at the signal to the stop level (at least one point),
 * so the spread counts as risk. */
#ifndef FMLP_COMMON_STAGES_BACKTEST_H
#define FMLP_COMMON_STAGES_BACKTEST_H

#include "common/config/settings.h"
#include "common/core/bars.h"
#include "common/core/dataset.h"
#include "common/core/ticks.h"
#include "common/core/trades.h"
#include "common/stages/calendar.h"

typedef struct fmlp_backtest_report {
  int64_t predictions;     /* rows of the path */
  int64_t signals;         /* probability >= threshold; = trades + every skipped_* */
  int64_t skipped_busy;    /* max_positions reached */
  int64_t skipped_close;   /* too little time to the session close */
  int64_t skipped_no_tick; /* no tick to enter at before the deadline */
  int64_t skipped_ruined;  /* no capital left */
  int64_t first_bar;       /* the path's period: event bar of its first prediction ... */
  int64_t last_bar;        /* ... and the last bar its last label could reach; -1 without predictions */
} fmlp_backtest_report;

/* Plays path `path` of the predictions. Trades are in order of exit; equity has one row per bar, marked at
 * the exit side's close: closed capital, plus open positions' price difference less the entry's commission.
 * Both tables are owned by the caller on success and empty on failure. The labels need target_level,
 * stop_level, last_bar and deadline. Asks the source for windows of at most 65536 ticks. */
FMLP_WARN_UNUSED fmlp_status fmlp_backtest_run(const fmlp_settings *settings, const fmlp_calendar *calendar,
                                               const fmlp_bars *bars, const fmlp_tick_source *ticks,
                                               const fmlp_labels *labels, const fmlp_predictions *predictions,
                                               int64_t path, fmlp_trades *trades, fmlp_equity *equity,
                                               fmlp_backtest_report *report, fmlp_error *error);
#endif
