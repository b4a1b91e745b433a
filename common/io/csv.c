/* trades.csv and equity.csv. */
#include "common/io/csv.h"

static void put_double(fmlp_text *text, double value) {
  fmlp_text_double(text, value);
  fmlp_text_append_bytes(text, ",", 1);
}

static void put_time(fmlp_text *text, int64_t time) {
  fmlp_text_time(text, time);
  fmlp_text_append_bytes(text, ",", 1);
}

static const char *reason_name(int8_t reason) {
  return reason == FMLP_EXIT_TARGET ? "target," : reason == FMLP_EXIT_STOP ? "stop," : "time,";
}

void fmlp_csv_trades(const fmlp_trades *trades, fmlp_text *text) {
  fmlp_text_append(text, "entry_time,exit_time,side,size,entry_price,exit_price,reason,costs,pnl\n");
  for (int64_t i = 0; i < trades->count; i++) {
    put_time(text, trades->entry_time[i]);
    put_time(text, trades->exit_time[i]);
    fmlp_text_append(text, trades->side[i] > 0 ? "long," : "short,");
    put_double(text, trades->size[i]);
    put_double(text, trades->entry_price[i]);
    put_double(text, trades->exit_price[i]);
    fmlp_text_append(text, reason_name(trades->reason[i]));
    put_double(text, trades->costs[i]);
    fmlp_text_double(text, trades->pnl[i]);
    fmlp_text_append_bytes(text, "\n", 1);
  }
}

void fmlp_csv_equity(const fmlp_equity *equity, fmlp_text *text) {
  fmlp_text_append(text, "time,equity,drawdown,position\n");
  for (int64_t i = 0; i < equity->count; i++) {
    put_time(text, equity->time[i]);
    put_double(text, equity->equity[i]);
    put_double(text, equity->drawdown[i]);
    fmlp_text_double(text, equity->position[i]);
    fmlp_text_append_bytes(text, "\n", 1);
  }
}
