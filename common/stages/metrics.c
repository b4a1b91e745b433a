/* Metrics of one path: daily returns, trades, time in the market. */
#include "common/stages/metrics.h"

#include <math.h>
#include <string.h>

#include "common/core/bits.h"
#include "common/core/elementary.h"
#include "common/core/memory.h"
#include "common/core/quantile.h"
#include "common/core/tree.h"
#include "common/stages/sharpe.h"
#include "prof/span.h"

#define FIELD(member, label, unit)                                                                           \
  { #member, label, unit, offsetof(fmlp_metrics, member) }

const fmlp_metric_field fmlp_metric_fields[] = {
    FIELD(final_equity, "Final equity", "money"),
    FIELD(total_return, "Total return", "fraction"),
    FIELD(sharpe, "Sharpe ratio", "ratio"),
    FIELD(sharpe_standard_error, "Standard error of Sharpe", "ratio"),
    FIELD(psr, "Probability that Sharpe > 0", "fraction"),
    FIELD(sortino, "Sortino ratio", "ratio"),
    FIELD(calmar, "Calmar ratio", "ratio"),
    FIELD(max_drawdown, "Maximum drawdown", "fraction"),
    FIELD(profit_factor, "Profit factor", "ratio"),
    FIELD(expectancy, "Expectancy per trade", "money"),
    FIELD(win_rate, "Win rate", "fraction"),
    FIELD(exposure, "Exposure", "fraction"),
    FIELD(turnover, "Turnover", "ratio"),
};

const int32_t fmlp_metric_field_count = (int32_t)(sizeof fmlp_metric_fields / sizeof *fmlp_metric_fields);

void fmlp_daily_release(fmlp_daily *daily) {
  fmlp_free(daily->session);
  fmlp_free(daily->daily_return);
  memset(daily, 0, sizeof *daily);
}

static int64_t days_per_year(const fmlp_settings *settings) {
  return settings->session.weekend_trading ? 365 : 252;
}

fmlp_status fmlp_daily_returns(double initial_capital, const fmlp_calendar *calendar, const fmlp_bars *bars,
                               const fmlp_equity *equity, int64_t first_bar, int64_t last_bar,
                               fmlp_daily *daily, fmlp_error *error) {
  memset(daily, 0, sizeof *daily);
  int64_t bound = last_bar < first_bar ? 0 : last_bar - first_bar + 1;
  if (bound > calendar->count + 1) bound = calendar->count + 1;
  FMLP_TRY(fmlp_alloc(&daily->session, bound, sizeof *daily->session, "daily returns", error));
  fmlp_status status =
      fmlp_alloc(&daily->daily_return, bound, sizeof *daily->daily_return, "daily returns", error);
  if (status != FMLP_OK) {
    fmlp_daily_release(daily);
    return status;
  }
  double before = initial_capital;
  for (int64_t b = first_bar; b <= last_bar;) {
    /* The first tick tells the session: a time bar's close may be the session's end, which is outside it. */
    int64_t session = fmlp_calendar_next(calendar, bars->open_time[b]);
    int64_t close = session < calendar->count ? calendar->close[session] : INT64_MAX;
    int64_t next = b + 1;
    while (next <= last_bar && bars->open_time[next] < close) next++;
    double now = equity->equity[next - 1];
    daily->session[daily->count] = session;
    daily->daily_return[daily->count] = before > 0.0 ? now / before - 1.0 : 0.0;
    daily->count++;
    before = now;
    b = next;
  }
  return FMLP_OK;
}

/* ns of [from, to) inside sessions. */
static double session_time(const fmlp_calendar *calendar, int64_t from, int64_t to) {
  int64_t total = 0;
  for (int64_t s = fmlp_calendar_next(calendar, from); s < calendar->count && calendar->open[s] < to; s++) {
    int64_t open = calendar->open[s] > from ? calendar->open[s] : from;
    int64_t close = calendar->close[s] < to ? calendar->close[s] : to;
    total += close - open;
  }
  return (double)total;
}

/* ns of session time with at least one position open. Trades are in order of exit, so from the last one
 * backwards the covered time grows to the left only. */
static double time_in_position(const fmlp_calendar *calendar, const fmlp_trades *trades) {
  double total = 0.0; /* of whole ns: exact below 2^53, 104 days */
  int64_t covered_from = INT64_MAX;
  for (int64_t i = trades->count - 1; i >= 0; i--) {
    int64_t end = trades->exit_time[i] < covered_from ? trades->exit_time[i] : covered_from;
    if (trades->entry_time[i] < end) {
      total += session_time(calendar, trades->entry_time[i], end);
      covered_from = trades->entry_time[i];
    }
  }
  return total;
}

static void set_trade_metrics(const fmlp_settings *settings, const fmlp_trades *trades, double mean_equity,
                              fmlp_metrics *metrics) {
  fmlp_tree gain = {0}, loss = {0}, notional = {0};
  int64_t wins = 0;
  for (int64_t i = 0; i < trades->count; i++) {
    double pnl = trades->pnl[i];
    fmlp_tree_push(&gain, pnl > 0.0 ? pnl : 0.0);
    fmlp_tree_push(&loss, pnl < 0.0 ? -pnl : 0.0);
    wins += pnl > 0.0;
    fmlp_tree_push(&notional, (trades->entry_price[i] + trades->exit_price[i]) * trades->size[i]);
  }
  double count = (double)trades->count, lost = fmlp_tree_total(&loss);
  metrics->profit_factor = lost > 0.0 ? fmlp_canonical(fmlp_tree_total(&gain) / lost) : fmlp_nan();
  metrics->expectancy = fmlp_tree_sum(trades->pnl, trades->count) / count;
  metrics->win_rate = (double)wins / count;
  double traded = fmlp_tree_total(&notional) * settings->backtest.contract_size;
  metrics->turnover = mean_equity > 0.0 ? fmlp_canonical(traded / mean_equity) : fmlp_nan();
}

static void set_return_metrics(const fmlp_settings *settings, const fmlp_return_moments *moments,
                               fmlp_metrics *metrics) {
  double year = (double)days_per_year(settings), root = sqrt(year);
  metrics->sharpe = fmlp_canonical(moments->ratio * root);
  metrics->sharpe_standard_error = fmlp_canonical(fmlp_sharpe_standard_error(moments) * root);
  metrics->psr = fmlp_probabilistic_sharpe(moments, 0.0);
  metrics->sortino = fmlp_canonical(moments->mean / moments->downside * root);
  if (metrics->significant && metrics->max_drawdown > 0.0) {
    double growth = 1.0 + metrics->total_return;
    double yearly = growth > 0.0 ? fmlp_exp(year / (double)metrics->days * fmlp_log(growth)) : 0.0;
    metrics->calmar = fmlp_canonical((yearly - 1.0) / metrics->max_drawdown);
  }
}

static void clear(fmlp_metrics *metrics) {
  memset(metrics, 0, sizeof *metrics);
  for (int32_t f = 0; f < fmlp_metric_field_count; f++) {
    *(double *)(void *)((char *)metrics + fmlp_metric_fields[f].offset) = fmlp_nan();
  }
}

fmlp_status fmlp_metrics_compute(const fmlp_settings *settings, const fmlp_calendar *calendar,
                                 const fmlp_bars *bars, const fmlp_trades *trades, const fmlp_equity *equity,
                                 int64_t first_bar, int64_t last_bar, fmlp_metrics *metrics,
                                 fmlp_daily *daily, fmlp_error *error) {
  FMLP_SPAN("metrics");
  clear(metrics);
  double initial = settings->backtest.initial_capital;
  fmlp_daily local;
  FMLP_TRY(fmlp_daily_returns(initial, calendar, bars, equity, first_bar, last_bar, &local, error));
  fmlp_return_moments moments;
  fmlp_status status = fmlp_return_moments_compute(local.daily_return, local.count, &moments, error);
  if (status == FMLP_OK) {
    metrics->trades = trades->count;
    metrics->days = local.count;
    metrics->significant = local.count >= FMLP_METRICS_ENOUGH_DAYS;
    int64_t rows = last_bar < first_bar ? 0 : last_bar - first_bar + 1;
    metrics->final_equity = rows > 0 ? equity->equity[last_bar] : initial;
    metrics->total_return = metrics->final_equity / initial - 1.0;
    double open =
        rows > 0 ? session_time(calendar, bars->open_time[first_bar], bars->close_time[last_bar]) : 0.0;
    metrics->exposure = open > 0.0 ? time_in_position(calendar, trades) / open : fmlp_nan();
    if (trades->count > 0) {
      double deepest = 0.0;
      for (int64_t b = first_bar; b <= last_bar; b++) {
        if (equity->drawdown[b] > deepest) deepest = equity->drawdown[b];
      }
      metrics->max_drawdown = deepest;
      set_trade_metrics(settings, trades, fmlp_tree_sum(equity->equity + first_bar, rows) / (double)rows,
                        metrics);
      set_return_metrics(settings, &moments, metrics);
    }
  }
  if (status == FMLP_OK && daily != NULL) {
    *daily = local;
  } else {
    fmlp_daily_release(&local);
  }
  return status;
}

fmlp_metric_summary fmlp_metric_summarise(double *values, int64_t count) {
  int64_t kept = 0;
  for (int64_t i = 0; i < count; i++) {
    if (!isnan(values[i])) values[kept++] = values[i];
  }
  fmlp_sort_doubles(values, kept);
  return (fmlp_metric_summary){.median = fmlp_quantile_sorted(values, kept, 0.5),
                               .low = fmlp_quantile_sorted(values, kept, 0.05),
                               .high = fmlp_quantile_sorted(values, kept, 0.95),
                               .paths = kept};
}
