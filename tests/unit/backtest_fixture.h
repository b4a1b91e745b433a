/* Plays a market's path 0. */
#ifndef FMLP_TESTS_UNIT_BACKTEST_FIXTURE_H
#define FMLP_TESTS_UNIT_BACKTEST_FIXTURE_H

#include "tests/unit/market_fixture.h"

#include "common/stages/backtest.h"

typedef struct outcome {
  fmlp_trades trades;
  fmlp_equity equity;
  fmlp_backtest_report report;
} outcome;

static inline outcome play(market *m) {
  outcome result;
  fmlp_error error = {""};
  fmlp_tick_source source = fmlp_ticks_source(&m->ticks);
  fmlp_status status =
      fmlp_backtest_run(&m->settings, &m->calendar, &m->bars, &source, &m->labels, &m->predictions, 0,
                        &result.trades, &result.equity, &result.report, &error);
  if (status != FMLP_OK) fail_msg("%s", error.text);
  return result;
}

static inline void done(market *m, outcome *result) {
  fmlp_trades_release(&result->trades);
  fmlp_equity_release(&result->equity);
  market_close(m);
}

#endif
