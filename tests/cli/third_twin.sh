#!/usr/bin/env bash
# Whole runs against tests/golden/third_twin.py, an implementation written from docs/numerics.md alone: every operator,
# labels by every rule, every kind of Monte Carlo, each value of each output on bits.
source "$(dirname "$0")/harness.sh"
if ! command -v python3 >/dev/null; then
  echo 'skipped: no python3'
  exit 77
fi
export PYTHONDONTWRITEBYTECODE=1

"$FMLP" synth --seed 11 --ticks 80000 ticks.csv >/dev/null || fail 'synth'
runs=()

# made NAME ARGUMENT...: a run to compare
made() {
  local name=$1
  shift
  expect 0 '' -- run data.path=ticks.csv runtime.profile=false run.dir="$name" "$@"
  if [ -d "$name" ]; then runs+=("$name"); else cat stderr; fi
}

# Windows of one bit and of many, columns with holes and constant ones, more rows than a super-block of a scan has.
mkdir -p configs/features
cat >configs/features/third.yaml <<'PLAN'
set: none
exclude: []
plan:
  - {name: constant, op: constant, value: 1.1}
  - {name: shift_mid, op: shift, of: mid, window: 2}
  - {name: shift_duration, op: shift, of: duration}
  - {name: diff, op: diff, of: spread, window: 3}
  - {name: change, op: pct_change, of: mid, window: 3}
  - {name: log_7, op: log_return, of: close, window: 7}
  - {name: log_volume, op: log_return, of: bid_volume}
  - {name: added, op: add, of: change, with: log_7}
  - {name: left, op: sub, of: change, with: log_7}
  - {name: product, op: mul, of: mid, with: constant}
  - {name: quotient, op: div, of: change, with: log_7}
  - {name: ratio, op: ratio, of: high, with: low}
  - {name: absolute, op: abs, of: volume_imbalance}
  - {name: sign, op: sign, of: change}
  - {name: cross, op: cross, of: change, with: log_7}
  - {name: sum, op: sum, of: spread, window: 10}
  - {name: mean, op: mean, of: mid, window: 23}
  - {name: mean_1, op: mean, of: ret_1, window: 1}
  - {name: std_64, op: std, of: mid, window: 64}
  - {name: std_holes, op: std, of: quotient, window: 5}
  - {name: std_long, op: std, of: mid, window: 4095}
  - {name: var, op: var, of: change, window: 100}
  - {name: zscore, op: zscore, of: mid, window: 2}
  - {name: zscore_127, op: zscore, of: ret_1, window: 127}
  - {name: skew, op: skew, of: change, window: 37}
  - {name: skew_3, op: skew, of: spread, window: 3}
  - {name: kurt, op: kurt, of: change, window: 50}
  - {name: kurt_4, op: kurt, of: tick_direction, window: 4}
  - {name: slope, op: slope, of: mid, window: 31}
  - {name: r2, op: r2, of: mid, window: 31}
  - {name: r2_2, op: r2, of: mid, window: 2}
  - {name: r2_constant, op: r2, of: constant, window: 5}
  - {name: min, op: min, of: mid, window: 21}
  - {name: max, op: max, of: change, window: 1}
  - {name: range, op: range, of: mid, window: 100}
  - {name: argmin, op: argmin, of: mid, window: 33}
  - {name: argmax, op: argmax, of: tick_direction, window: 9}
  - {name: median, op: median, of: spread, window: 20}
  - {name: median_holes, op: median, of: quotient, window: 5}
  - {name: rank, op: rank, of: mid, window: 65}
  - {name: quantile, op: quantile, of: duration, window: 77, q: 0.9}
  - {name: cov, op: cov, of: mid, with: spread, window: 63}
  - {name: corr, op: corr, of: close, with: mid, window: 12}
  - {name: corr_self, op: corr, of: mid, with: mid, window: 9}
  - {name: beta, op: beta, of: change, with: log_7, window: 40}
  - {name: autocorr, op: autocorr, of: change, window: 30, lag: 3}
  - {name: autocorr_2, op: autocorr, of: tick_direction, window: 2}
  - {name: ema, op: ema, of: mid, span: 12}
  - {name: ema_slow, op: ema, of: change, alpha: 0.001}
  - {name: ema_holes, op: ema, of: zscore, alpha: 1}
  - {name: ewm_std, op: ewm_std, of: mid, span: 26}
  - {name: ewm_std_1, op: ewm_std, of: mid, alpha: 1}
  - {name: ewm_std_holes, op: ewm_std, of: quotient, alpha: 0.003}
  - {name: fracdiff, op: fracdiff, of: mid, d: 0.4}
  - {name: fracdiff_high, op: fracdiff, of: change, d: 1.3, threshold: 0.001}
PLAN
made operators --config-dir configs features=third bars.threshold=15 --stages read,clean,bars,features

# Barriers a few points away, so that many bars touch both; two sessions; what is not labelled must agree as well.
labels=(bars.threshold=100 --stages 'read,clean,bars,features,labels' labeling.side=both)
near=(labeling=ticks labeling.tp_ticks=4 labeling.sl_ticks=5)
made ties_ticks "${labels[@]}" "${near[@]}"
made ties_stop "${labels[@]}" "${near[@]}" labeling.tie=sl_first labeling.events.type=every labeling.events.n=3
made ties_target "${labels[@]}" "${near[@]}" labeling.tie=tp_first backtest.slippage_points=2
made at_close "${labels[@]}" labeling.exit_at=close labeling.volatility.window=20
made time_bars "${labels[@]}" bars=time bars.threshold=45 labeling.volatility.window=3 labeling.volatility.tp_multiple=1
made flat "${labels[@]}" bars.threshold=15 labeling.volatility.window=2 labeling.volatility.sl_multiple=0.01
made long "${labels[@]}" labeling.side=long labeling.volatility.sl_multiple=2.5
made short "${labels[@]}" labeling=cusum labeling.events.threshold=0.0003 labeling.side=short

# Trades that overlap, of sizes that differ; then their study by every kind, free and within limits that are met.
made study bars.threshold=100 labeling.side=both model.params.n_estimators=2 model.params.max_depth=3 \
  validation=purged_kfold backtest.threshold=0.4 backtest.max_positions=4 backtest.sizing.mode=fixed_fractional \
  backtest.sizing.risk_per_trade=0.001 experiment.seed=18446744073709551557 risk.monte_carlo.n_sims=200
# study NAME ARGUMENT...: from the trades of the run above, which lie beside for the comparison
study() {
  made "$1" --from study --stages risk risk.monte_carlo.n_sims=200 "${@:2}"
  [ ! -d "$1" ] || cp study/trades.csv "$1"
}
met=(risk.monte_carlo.prop_firm.max_total_loss=0.01 risk.monte_carlo.prop_firm.target_profit=0.01
  risk.monte_carlo.prop_firm.max_daily_loss=0.005)
for kind in iid moving_block circular_block stationary permutation day; do
  study "$kind" risk=unlimited risk.monte_carlo.kind=$kind
  study "${kind}_limits" risk.monte_carlo.kind=$kind "${met[@]}" risk.monte_carlo.max_trades=150
  [ $kind = permutation ] || study "${kind}_compounding" "${met[@]}" risk.monte_carlo.kind=$kind \
    risk.monte_carlo.compounding=true risk.monte_carlo.block_size=5
done
study one_block risk=moving_block risk.monte_carlo.block_size=1000000

current='third_twin.py'
if python3 "$source_dir/tests/golden/third_twin.py" "${runs[@]}" >compared 2>&1; then pass; else fail 'differs'; fi
cat compared
for part in features labels monte_carlo totals; do
  current="third_twin.py: $part"
  if grep -q "^$part .*equal bits" compared; then pass; else fail 'not compared'; fi
done
finish
