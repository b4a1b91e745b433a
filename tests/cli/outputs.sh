#!/usr/bin/env bash
# Outputs of one run against each other: money is the same money in every file, and no table is cut short.
source "$(dirname "$0")/harness.sh"
quotes 12000
settings=(data.path=ticks.csv bars.threshold=20 labeling.volatility.window=20 model.params.n_estimators=5
  backtest.threshold=0.3 backtest.max_positions=3 validation=purged_kfold)

# One block that holds every trade: each history of the Monte Carlo study then is the backtest itself, in money.
expect 0 '' -- run "${settings[@]}" risk=moving_block risk.monte_carlo.block_size=1000000 \
  risk.monte_carlo.n_sims=50 risk.monte_carlo.prop_firm.max_total_loss=null \
  risk.monte_carlo.prop_firm.target_profit=null risk.monte_carlo.prop_firm.max_daily_loss=null run.dir=whole
if [ ! -d whole ]; then
  cat stdout stderr
  finish
fi

# number FILE KEY: the first number after "KEY": in a JSON file
number() {
  tr -d ' \n' <"$1" | grep -oE "\"$2\":(\{\"mean\":)?-?[0-9.e+-]+" | head -n 1 | sed 's/.*://'
}

# near WHAT A B: equal but for the rounding of their sums
near() {
  current=$1
  if awk -v a="$2" -v b="$3" 'BEGIN { exit !(a != "" && b != "" && a - b < 1e-6 && b - a < 1e-6) }'; then
    pass
  else
    fail "$2 against $3"
  fi
}

trades=$(awk -F, 'NR > 1 { n++ } END { print n + 0 }' whole/trades.csv)
profit=$(awk -F, 'NR > 1 { s += $9 } END { printf "%.10f", s }' whole/trades.csv)
# pnl of trades.csv from its own prices: size * 100,000 units * price difference - costs
money=$(awk -F, 'NR > 1 { d = $3 == "long" ? 1 : -1; s += d * ($6 - $5) * $4 * 100000 - $8 } END { printf "%.10f", s }' \
  whole/trades.csv)
current='trades to speak of'
if [ "$trades" -ge 30 ]; then pass; else fail "only $trades"; fi
near 'pnl of trades.csv is money' "$profit" "$money"
near 'every history of the study is the trades of trades.csv' "$(number whole/monte_carlo.json final_capital)" \
  "$(awk -v p="$profit" 'BEGIN { printf "%.10f", 10000 + p }')"
near 'trades used by the study' "$(number whole/monte_carlo.json mean_trades_used)" "$trades"
near 'drawdown of the study is that of the closed trades' "$(number whole/monte_carlo.json max_drawdown)" \
  "$(awk -F, 'NR > 1 { print $2 "," $9 }' whole/trades.csv | awk -F, 'BEGIN { c = p = 10000 }
    { c += $2; if (c > p) p = c; d = (p - c) / p; if (d > m) m = d } END { printf "%.12f", m }')"
near 'equity.csv ends with the initial capital and every pnl' "$(tail -n 1 whole/equity.csv | cut -d, -f2)" \
  "$(awk -v p="$profit" 'BEGIN { printf "%.10f", 10000 + p }')"

# A row for each bar, and a curve that moves with open positions, not with exits alone.
bars=$(od -An -c whole/bars/close_time.npy | tr -d ' \n' | grep -oE "'shape':\([0-9]+" | grep -oE '[0-9]+$')
current='equity.csv has a row for each bar'
if [ "$(($(wc -l <whole/equity.csv) - 1))" -eq "${bars:--1}" ]; then pass; else fail "$(wc -l <whole/equity.csv) lines, ${bars:-no} bars"; fi
current='equity.csv marks open positions'
if awk -F, 'NR > 1 { if ($4 != 0) open++; v[$2] = 1 } END { for (x in v) n++; exit !(open > 100 && n > 100) }' \
  whole/equity.csv; then pass; else fail 'too few different values'; fi

# The most rows there can be: a bar for each tick, two labels a bar, a trade for each signal.
quotes 1500 few.csv
expect 0 '' -- run data.path=few.csv bars.threshold=1 labeling=ticks labeling.tp_ticks=1 labeling.sl_ticks=1 \
  labeling.side=both model.params.n_estimators=5 validation=purged_kfold backtest.threshold=0 \
  backtest.max_positions=100000 backtest.min_minutes_to_close=0 risk=iid run.dir=most
current='a bar for each tick'
bars=$(od -An -c most/bars/close_time.npy | tr -d ' \n' | grep -oE "'shape':\([0-9]+" | grep -oE '[0-9]+$')
if [ "${bars:-0}" -ge 1499 ]; then pass; else fail "${bars:-no} bars"; fi
current='a trade for each signal'
signals=$(number most/metrics.json signals)
if [ "$signals" -gt 2000 ] && [ "$(($(wc -l <most/trades.csv) - 1))" -eq "$signals" ]; then pass; else fail "$(wc -l <most/trades.csv) lines, $signals signals"; fi

# A model on the models' own answers does not exist yet; it must not come half-made.
expect 2 'meta' -- run "${settings[@]}" model.meta.enabled=true run.dir=runs/meta
finish
