/* trades.csv and equity.csv: a header line, ISO-8601 UTC times with nanoseconds, doubles that read back
 * exactly, "\n" ends every line. */
#ifndef FMLP_COMMON_IO_CSV_H
#define FMLP_COMMON_IO_CSV_H

#include "common/core/trades.h"
#include "common/io/text.h"

/* entry_time,exit_time,side,size,entry_price,exit_price,reason,costs,pnl; side long|short, reason
 * target|stop|time. */
void fmlp_csv_trades(const fmlp_trades *trades, fmlp_text *text);

/* time,equity,drawdown,position */
void fmlp_csv_equity(const fmlp_equity *equity, fmlp_text *text);

#endif
