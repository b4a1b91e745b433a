#!/usr/bin/env bash
# Whole runs on the cpu and on every other backend (simt in test builds, cuda where there is a device): the same bytes in
# every output that must not depend on the backend. And what `fmlp verify` says of them.
source "$(dirname "$0")/harness.sh"
identical=(bars features labels folds predictions monte_carlo trades.csv equity.csv metrics.json monte_carlo.json)

"$FMLP" devices >devices
others=$(awk '$2 == "available" && $1 != "cpu" && $1 != "paranoid" { print $1 }' devices | sed 's/:$//')
if [ -z "$others" ]; then
  cat devices
  echo "skipped: no second backend"
  exit 77
fi

# compare NAME LEAST ARGUMENT...: the run on the cpu, then on each other backend; at least LEAST outputs, all equal
compare() {
  local name=$1 least=$2 device part files
  shift 2
  for device in cpu $others; do
    rm -rf "$device"
    expect 0 '' -- run "$@" run.dir="$device" runtime.device="$device" runtime.profile=false
    if [ ! -d "$device" ]; then
      cat stderr
      return
    fi
    current="$name: backend named"
    if grep -q "\"$device\"" "$device/manifest.json"; then pass; else fail "manifest.json does not name $device"; fi
  done
  files=0
  for part in "${identical[@]}"; do
    [ ! -e "cpu/$part" ] || files=$((files + $(find "cpu/$part" -type f | wc -l)))
    for device in $others; do
      current="$name: $part of $device"
      if [ ! -e "cpu/$part" ] && [ ! -e "$device/$part" ]; then continue; fi
      if diff -r "cpu/$part" "$device/$part" >difference 2>&1; then
        pass
      else
        fail "differs from the cpu's: $(head -n 3 difference | tr '\n' ' ')"
      fi
    done
  done
  current="$name: outputs"
  if [ "$files" -ge "$least" ]; then pass; else fail "only $files files, where $least were expected"; fi
}

quick=(model.params.n_estimators=4 model.params.max_depth=3 validation=purged_kfold backtest.threshold=0.3
  labeling.volatility.window=20 risk.monte_carlo.n_sims=150)

# Synthetic quotes: both sides, every event, ties decided by ticks (levels a few points away, so that bars touch both).
"$FMLP" synth --seed 11 --ticks 30000 synth.csv >/dev/null || fail 'synth'
compare 'synthetic, both sides' 60 data.path=synth.csv bars.threshold=60 labeling.side=both "${quick[@]}"
current='labels of both sides'
if [ -s cpu/labels/side.npy ]; then pass; else fail 'labels/side.npy is missing'; fi
compare 'ties by ticks' 60 data.path=synth.csv bars.threshold=60 labeling=ticks labeling.tp_ticks=3 labeling.sl_ticks=3 \
  labeling.side=both "${quick[@]}"
compare 'ties, stop first, cusum, short side' 60 data.path=synth.csv bars.threshold=60 labeling=cusum \
  labeling.events.threshold=0.0001 labeling.side=short labeling.tie=sl_first "${quick[@]}"
compare 'excursions' 60 data.path=synth.csv bars.threshold=60 labeling=mfe_mae labeling.mfe_mae.window=50 \
  labeling.mfe_mae.horizon_bars=9 labeling.tie=tp_first labeling.exit_at=close "${quick[@]}"
compare 'a plan of features' 40 data.path=synth.csv bars=time bars.threshold=30 features=plan_example "${quick[@]}" \
  --stages read,clean,bars,features,labels

# Every kind of resampling over the trades of one run.
expect 0 '' -- run data.path=synth.csv bars.threshold=60 labeling.side=both "${quick[@]}" run.dir=base runtime.device=cpu
for kind in iid moving_block circular_block stationary permutation day; do
  for compounding in false true; do
    [ "$kind-$compounding" != permutation-true ] || continue
    compare "monte carlo, $kind, compounding $compounding" 5 --from base --stages risk \
      risk.monte_carlo.kind=$kind risk.monte_carlo.n_sims=300 risk.monte_carlo.compounding=$compounding
  done
done

# Real ticks, the first of them.
data=${FMLP_DATA:-$source_dir/../shared/data}
fxcm=$data/EURUSD_fxcm_201405_ticks.csv.zst
if [ -r "$fxcm" ] && command -v zstdcat >/dev/null; then
  zstdcat "$fxcm" 2>/dev/null | head -n 60001 >fxcm.csv
  compare 'FXCM' 60 data.path=fxcm.csv labeling.side=both labeling=cusum labeling.events.threshold=0.0002 "${quick[@]}"
  settings=(data.path=fxcm.csv)
else
  echo "no real ticks here (FMLP_DATA, zstdcat): left out"
  settings=(data.path=synth.csv bars.threshold=60)
fi

# verify: the same by the program itself, every backend named, both hashes in its record.
expect 0 'every output is equal, bit for bit' -- verify "${settings[@]}" "${quick[@]}" labeling.side=both
for device in cpu $others; do
  current="verify.json names $device"
  if grep -q "\"$device\"" verify.json; then pass; else fail 'it does not'; fi
done
current='verify.json'
if ! grep -q '"differing": *[1-9]' verify.json && grep -q '"stage": *"predictions"' verify.json &&
  grep -q '"column": *"trades.csv"' verify.json && grep -q '"xxh3_128_b"' verify.json; then
  pass
else
  fail 'lacks a stage, a column or a hash'
fi

# A named device is compared with the reference, and the reference alone with itself.
for device in $others; do
  expect 0 "^cpu = $device: every output is equal, bit for bit$" -- verify --device "$device" "${settings[@]}" \
    --stages bars,features,labels
done
expect 0 '^cpu, 1 thread = cpu, all threads: every output is equal, bit for bit$' -- verify --device cpu "${settings[@]}" \
  --stages bars,features,labels
finish
