/* Warnings about legal settings that are hardly meant. */
#include "common/pipeline_warnings.h"

#include "common/core/log.h"

/* Margin accounts reach 50; a hundred lots of a currency on a share's price reach hundreds. */
static const double unusual_leverage = 50.0;

void fmlp_warn_of_idle_keys(const fmlp_config *config) {
  int32_t count = 0;
  const char *const *lines = fmlp_config_idle_keys(config, &count);
  for (int32_t i = 0; i < count; i++) fmlp_log_warning("%s", lines[i]);
}

void fmlp_warn_of_bars(const fmlp_settings *settings, const fmlp_bars *bars) {
  bool dollar = settings->bars.type == FMLP_BARS_DOLLAR;
  if ((settings->bars.type != FMLP_BARS_VOLUME && !dollar) || !bars->volume || bars->count == 0) return;
  int64_t single = 0, ticks = 0;
  double total = 0;
  for (int64_t b = 0; b < bars->count; b++) {
    int64_t count = bars->last_tick[b] - bars->first_tick[b];
    double volume = fmlp_decimal(bars->volume[b], bars->size_unit);
    single += count == 1;
    ticks += count;
    if (bars->volume[b] > 0) total += dollar ? volume * bars->vwap[b] : volume;
  }
  if (single * 2 <= bars->count) return;
  fmlp_log_warning(
      "bars.threshold: %lld of %lld bars hold a single tick, which brings %.6g on average against a "
      "threshold of %s; raise it to at least %.2g for bars of about a hundred ticks",
      (long long)single, (long long)bars->count, total / (double)ticks, settings->bars.threshold_text,
      100.0 * total / (double)ticks);
}

void fmlp_warn_of_leverage(const fmlp_settings *settings, const fmlp_trades *trades) {
  double most = 0;
  for (int64_t t = 0; t < trades->count; t++) {
    double notional = trades->size[t] * settings->backtest.contract_size * trades->entry_price[t];
    if (trades->capital_before[t] > 0 && notional > most * trades->capital_before[t]) {
      most = notional / trades->capital_before[t];
    }
  }
  if (most < unusual_leverage) return;
  fmlp_log_warning(
      "backtest.contract_size: positions reach %.0f times the capital (%.6g lots of %.6g units); for "
      "shares take backtest=us_equity, or set contract_size and size for this market",
      most, trades->size[0], settings->backtest.contract_size);
}
