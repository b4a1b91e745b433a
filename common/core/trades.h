/* Trades and equity: what a backtest produces for one path. */
#ifndef FMLP_COMMON_CORE_TRADES_H
#define FMLP_COMMON_CORE_TRADES_H

#include <stdint.h>

#include "common/core/dataset.h"
#include "common/core/status.h"

typedef struct fmlp_trades {
  int64_t count;
  int64_t *entry_time;    /* ns */
  int64_t *exit_time;     /* ns */
  int64_t *label_row;     /* the signal */
  int64_t *day;           /* index of the session in which the trade exits */
  int8_t *side;           /* +1 long, -1 short */
  int8_t *reason;         /* fmlp_exit_reason */
  double *size;           /* lots */
  double *entry_price;    /* price units, slippage included */
  double *exit_price;     /* price units, slippage included */
  double *costs;          /* money: commission of both sides */
  double *pnl;            /* money, net of everything */
  double *capital_before; /* money, closed capital when the position was opened */
} fmlp_trades;

void fmlp_trades_release(fmlp_trades *trades);

/* One row per bar, marked at the bar's close on the side the position would exit. */
typedef struct fmlp_equity {
  int64_t count;
  int64_t *time;    /* ns, bar close */
  double *equity;   /* money */
  double *drawdown; /* fraction of the running peak, >= 0 */
  double *position; /* signed lots after the bar */
} fmlp_equity;

void fmlp_equity_release(fmlp_equity *equity);

#endif
