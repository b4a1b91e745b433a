#!/usr/bin/env bash
# Running again: one stage of a finished run, the whole run on another backend, a sweep; and what may not be mixed.
source "$(dirname "$0")/harness.sh"
settings=(data.path=ticks.csv bars.threshold=20 labeling.volatility.window=20 labeling.side=both
  model.params.n_estimators=5 model.params.max_depth=3 backtest.threshold=0.3 risk.monte_carlo.n_sims=200
  validation=purged_kfold)
quotes 12000
expect 0 '' -- run "${settings[@]}" run.dir=full
if [ ! -d full ]; then
  cat stdout stderr
  finish
fi

# same_outputs FOLDER...: what lies there is, byte for byte, what the full run has there, and all of it.
same_outputs() {
  local part
  current="rerun of ${*}"
  for part in "$@"; do
    if [ ! -e "full/$part" ]; then
      fail "the full run has no $part"
      return
    fi
    if ! diff -r "full/$part" "again/$part" >difference; then
      fail "$part differs: $(head -n 2 difference | tr '\n' ' ')"
      return
    fi
  done
  pass
}

# rerun STAGES OUTPUT...: --from full --stages STAGES writes exactly these outputs, equal to the full run's
rerun() {
  local stages=$1 name
  shift
  rm -rf again
  expect 0 '' -- run --from full --stages "$stages" run.dir=again
  [ -d again ] || return
  same_outputs "$@"
  current="rerun of $stages"
  for name in bars features labels folds predictions model monte_carlo trades.csv equity.csv metrics.json \
    monte_carlo.json report.html; do
    [ ! -e "again/$name" ] || case " $* report.html " in *" $name "*) ;; *) fail "wrote $name too" ;; esac
  done
}

rerun read
rerun clean
rerun bars bars
rerun features features
rerun labels labels
rerun validation folds
rerun model predictions model feature_importance.csv
rerun validation,model folds predictions model
rerun backtest trades.csv equity.csv metrics.json
rerun risk monte_carlo monte_carlo.json
rerun backtest,risk,report trades.csv equity.csv metrics.json monte_carlo monte_carlo.json
rerun features,labels features labels
rerun bars,features,labels,validation,model,backtest,risk bars features labels folds predictions model trades.csv \
  equity.csv metrics.json monte_carlo monte_carlo.json
rm -rf again
expect 0 'trades of [0-9]+ signals' -- run --from full --stages report run.dir=again
current='a report alone'
if [ "$(grep -c '<svg' again/report.html)" -gt 0 ] && [ ! -e again/trades.csv ]; then pass; else fail 'shows nothing'; fi
rm -rf again

# Settings of the stages that run may change; the result is that of a full run with them.
expect 0 '' -- run "${settings[@]}" backtest.threshold=0.6 backtest.latency_ms=700 run.dir=other
expect 0 '' -- run --from full --stages backtest backtest.threshold=0.6 backtest.latency_ms=700 run.dir=again
current='a rerun with another threshold'
if cmp -s other/trades.csv again/trades.csv && ! cmp -s full/trades.csv again/trades.csv; then pass; else fail 'other trades'; fi
rm -rf other again

# Settings of a loaded stage, or of one that it stands on, may not: 2, naming the setting.
refused() { # PATTERN STAGES OVERRIDE...
  local pattern=$1 stages=$2
  shift 2
  expect 2 "$pattern" -- run --from full --stages "$stages" "$@" run.dir=runs/mixed
}
refused 'bars\.\*.*bars,features' labels bars.threshold=30
refused 'cleaning\.\*' features cleaning.crossed=keep
refused 'session\.\*' labels session.session_end=20:00
refused 'features\.\*' labels features.exclude=[ret_1]
refused 'labeling\.\*.*model' backtest labeling.max_horizon_bars=20
refused 'validation\.\*.*model' backtest validation.n_splits=4
refused 'model\.\*' risk model.params.max_depth=4
refused 'data\.\*' labels data.point_size=0.000001
refused 'experiment\.seed.*model' backtest experiment.seed=7
# A model stands on its labels even when labels are made anew beside it, and labels on the costs they are net of.
refused 'labeling\.\*.*model' labels,backtest labeling.max_horizon_bars=20
refused 'bars\.\*.*labels,model' bars,backtest bars.threshold=30
refused 'commission' backtest backtest.commission_per_lot=9
refused 'slippage' risk backtest.slippage_points=5

# The same file elsewhere is the same input; another file is not, nor is one changed in place.
cp ticks.csv moved.csv
expect 0 '' -- run --from full --stages backtest data.path=moved.csv run.dir=again
same_outputs trades.csv equity.csv metrics.json
rm -rf again
quotes 12001 longer.csv
expect 3 'not the one' -- run --from full --stages labels data.path=longer.csv run.dir=runs/mixed
refused 'data\.\*' features data.path=longer.csv # the input is not read, so its path must speak for it
cp ticks.csv kept.csv
sed -i '$d' ticks.csv
expect 3 'not the one' -- run --from full --stages backtest run.dir=runs/mixed
cp kept.csv ticks.csv

# A run whose columns do not fit each other is refused.
cp -r full broken
rm -r broken/bars/close_time.npy
expect 3 'close_time' -- run --from broken --stages features run.dir=runs/broken
rm -rf broken

# verify: on every backend of this build, and a finished run against itself.
expect 0 'equal' -- verify "${settings[@]}"
current='verify.json'
if python3 -c 'import json' 2>/dev/null; then
  if python3 - <<'PY'; then pass; else fail 'does not say that every output is equal'; fi
import json
pairs = json.load(open("verify.json"))["comparisons"]
assert pairs and all(p["differing_outputs"] == 0 and len(p["outputs"]) > 60 for p in pairs)
outputs = [o for p in pairs for o in p["outputs"]]
assert all(o["xxh3_128_a"] == o["xxh3_128_b"] and o["differing_bits"] == 0 for o in outputs)
assert {"bars", "features", "labels", "folds", "predictions", "monte_carlo", "backtest"} <= {o["stage"] for o in outputs}
assert {"close_time", "weight", "trades.csv"} <= {o["column"] for o in outputs}
PY
elif grep -q '"differing_outputs": *0' verify.json && ! grep -q '"differing_outputs": *[1-9]' verify.json; then
  pass
else
  fail 'does not say that every output is equal'
fi
if [[ $("$FMLP" --version) == *'test hooks'* ]]; then
  current='verify names the second backend'
  if grep -q 'paranoid' verify.json; then pass; else fail 'no paranoid backend in a test build'; fi
fi
rm -f verify.json
expect 0 'equal' -- verify full
current='verify.json of a finished run'
if [ -s verify.json ]; then pass; else fail 'is missing'; fi

# One byte of any output of a finished run: 5, naming the output.
for output in bars/close_time features/ret_1 labels/pnl_points folds/fold_00_train predictions/probability \
  monte_carlo/final_capital; do
  cp -r full changed
  python3 - "changed/$output.npy" <<'PY' 2>/dev/null || printf '\x55' | dd of="changed/$output.npy" bs=1 seek=1000 conv=notrunc status=none
import sys
content = bytearray(open(sys.argv[1], "rb").read())
content[-1] ^= 1
open(sys.argv[1], "wb").write(content)
PY
  expect 5 "$output" -- verify changed
  rm -rf changed
done
for output in trades.csv equity.csv metrics.json monte_carlo.json; do
  cp -r full changed
  sed -i '$s/[0-9]/&1/' changed/$output
  cmp -s full/$output changed/$output && sed -i '0,/[0-9]/s/[0-9]/&1/' changed/$output
  expect 5 "$output" -- verify changed
  rm -rf changed
done
cp -r full changed
rm changed/labels/weight.npy
expect 5 'labels/weight' -- verify changed
current='the table: what differs one by one, the rest of each stage in one line'
if grep -qE '^labels +weight .* MISSING ON ONE SIDE$' stdout && grep -qE '^labels +[0-9]+ outputs .* 0 .* equal$' stdout &&
  grep -qE '^features +[0-9]+ outputs ' stdout && ! grep -qE '^features +ret_1 ' stdout && grep -q '"ret_1"' verify.json; then
  pass
else
  fail "$(grep -E '^(labels|features)' stdout | head -n 4 | tr '\n' ' ')"
fi
rm -rf changed
expect 3 'config.yaml' -- verify absent

# A run of some stages is compared in those; a run whose input has changed since cannot be compared at all.
for stages in bars features model backtest; do
  expect 0 '' -- run --from full --stages "$stages" run.dir=part
  expect 0 'equal' -- verify part
  rm -rf part
done
sed -i '$d' ticks.csv
expect 3 'not the one' -- verify full
cp kept.csv ticks.csv

# A sweep gives a folder a job, each with its own setting, each what a run of its own gives.
expect 0 'job 4 of 4' -- run "${settings[@]}" -m run.dir=sweep backtest.threshold=0.3,0.6 experiment.seed=42,7
current='folders of a sweep'
if [ "$(ls sweep | tr '\n' ' ')" = '0 1 2 3 ' ]; then pass; else fail "$(ls sweep | tr '\n' ' ')"; fi
current='the table of a sweep: a line a job, only the overrides that differ'
trades=$(($(wc -l <sweep/3/trades.csv) - 1))
if [ "$(grep -cE '^ +[0-3] .* backtest.threshold=0.[36] experiment.seed=(42|7)$' stdout)" -eq 4 ] &&
  grep -qE "^ +3 +[0-9]+ +[0-9]+ +0\.[0-9]{3} +$trades .*backtest.threshold=0.6 experiment.seed=7$" stdout; then
  pass
else
  fail "$(tail -n 4 stdout | tr '\n' '|')"
fi
current='the first job of a sweep'
if cmp -s full/trades.csv sweep/0/trades.csv; then pass; else fail 'is not the run of its own'; fi
current='settings of a sweep'
if grep -q 'threshold: 0.6' sweep/2/config.yaml && grep -q 'seed: 7' sweep/3/config.yaml; then pass; else fail 'not in config.yaml'; fi
current='seeds of a sweep'
if ! cmp -s sweep/0/predictions/probability.npy sweep/1/predictions/probability.npy; then pass; else fail 'give one model'; fi

# --cfg prints what config.yaml will hold.
expect 0 '' -- run "${settings[@]}" run.dir=printed --cfg
cp stdout printed.yaml
expect 0 '' -- run "${settings[@]}" run.dir=printed
current='--cfg against config.yaml'
if cmp -s printed.yaml printed/config.yaml; then pass; else fail "$(diff printed.yaml printed/config.yaml | head -n 3 | tr '\n' ' ')"; fi
finish
