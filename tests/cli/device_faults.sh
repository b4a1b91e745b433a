#!/usr/bin/env bash
# A device that fails somewhere in a run: memory that runs out, a refused launch, a kernel that fails as it runs, a
# device that is lost, at every point in turn (simt injects them: tests/simt/runtime.h). A run that asked for that device
# ends with status 4, one line and nothing left, or had no need of what failed; a run with `auto` ends well, with one
# warning when it had to start again, and the outputs of the cpu. There is no third way.
source "$(dirname "$0")/harness.sh"
unset FMLP_DEVICE
if ! "$FMLP" devices | grep -q '^simt available' || FMLP_SIMT_FAULT=absent=1 "$FMLP" devices | grep -q '^simt available'; then
  echo "SKIPPED: this program was built without simt (FMLP_SIMT=ON), or with one that has no faults"
  exit 77
fi
export FMLP_AUTO_DEVICE=simt FMLP_SIMT_CHECKS=off
plan='[{name: high_10, op: max, of: ret_1, window: 10}, {name: spread_rank, op: rank, of: spread, window: 20}]'
settings=(data.path=ticks.csv bars.threshold=12 features.set=none "features.plan=$plan"
  labeling=ticks labeling.tp_ticks=20 labeling.sl_ticks=20 labeling.side=both
  validation=purged_kfold validation.n_groups=3 model.params.n_estimators=2 model.params.max_depth=2
  backtest.threshold=0.2 risk.monte_carlo.n_sims=60 runtime.profile=false)
outputs=(bars features labels folds predictions monte_carlo trades.csv equity.csv metrics.json monte_carlo.json)
quotes 4000
expect 0 '' -- run "${settings[@]}" runtime.device=cpu run.dir=reference
expect 0 '' -- run "${settings[@]}" runtime.device=simt run.dir=whole

# same FOLDER: its outputs are the reference's
same() {
  local output
  for output in "${outputs[@]}"; do
    if ! diff -r "reference/$output" "$1/$output" >difference 2>&1; then
      fail "$output differs: $(head -n 2 difference | tr '\n' ' ')"
      return
    fi
  done
  pass
}
current='without a fault'
same whole

# run_on DEVICE: status in $got, nothing but a whole folder or none
run_on() {
  rm -rf runs
  "$FMLP" run "${settings[@]}" runtime.device="$1" run.dir=runs/x >stdout 2>stderr
  got=$?
  warnings=$(grep -c '^warning: .*starting again on the cpu$' stderr)
  if [ "$got" -eq 0 ]; then
    if [ "$(ls -A runs)" = x ]; then same runs/x; else fail "beside the run: $(ls -A runs)"; fi
  elif [ -n "$(ls -A runs 2>/dev/null)" ]; then
    fail "something was left: $(find runs | head -n 3 | tr '\n' ' ')"
  fi
}

# fault NAME=N: both runs; $named has the status of the one that asked for simt
fault() {
  export FMLP_SIMT_FAULT=$1
  current="$1, device=simt"
  run_on simt
  named=$got
  if [ "$got" -eq 0 ] && [ "$warnings" -ne 0 ]; then
    fail 'a run that asked for simt went on elsewhere'
  elif [ "$got" -ne 0 ] && [ "$got" -ne 4 ]; then
    fail "exit status $got instead of 4"
  elif [ "$got" -eq 4 ] && { [ "$(grep -c '^fmlp: ' stderr)" -ne 1 ] || ! grep -q '^fmlp: .*simt: ' stderr; }; then
    fail 'not one line that names simt'
  else
    pass
  fi
  current="$1, device=auto"
  run_on auto
  if [ "$got" -ne 0 ]; then
    fail "exit status $got instead of 0"
  elif [ "$warnings" -ne $((named == 4 ? 1 : 0)) ]; then
    fail "$warnings warnings, where the named device gave status $named"
  elif [ "$warnings" -eq 1 ] && ! grep -q 'starting again on the cpu' runs/x/manifest.json; then
    fail 'the manifest does not tell'
  else
    pass
  fi
}

# sweep NAME: n = 1, 2, 3, ... and then in growing steps, until three in a row hit nothing that the run needed
sweep() {
  local n=1 survived=0 failures=0
  while [ "$survived" -lt "${2:-3}" ] && [ "$n" -lt 1000000 ]; do
    fault "$1=$n"
    if [ "$named" -eq 0 ]; then survived=$((survived + 1)); else survived=0 failures=$((failures + 1)); fi
    n=$((n + 1 + n / ${3:-8}))
  done
  echo "$1: $failures points of failure, the last of those looked at: $((n - 1))"
  current="$1: points of failure"
  if [ "$failures" -gt 0 ]; then pass; else fail 'none: nothing was injected'; fi
}
sweep lose_device
sweep fail_launch
sweep fail_kernel
sweep fail_pinned
sweep fail_allocation_from

# A single allocation that fails is survived wherever the work can be cut or a buffer spilled.
for n in 1 2 3 4 5 6 8 10 13 16 20 25 32; do fault "fail_allocation=$n"; done

# One that is there and does not open, and one that is gone before it was.
for reason in open_fails absent; do
  export FMLP_SIMT_FAULT=$reason=1
  current="$reason, device=auto"
  run_on auto
  if [ "$got" -eq 0 ] && [ "$(grep -c 'simt: .*; running on the cpu$' stderr)" -eq 1 ]; then pass; else fail "$got"; fi
  expect 4 'simt' -- run "${settings[@]}" --device simt run.dir=runs/x
done

# Every job of a sweep starts again on its own.
export FMLP_SIMT_FAULT=lose_device=9
expect 0 '' -- run "${settings[@]}" runtime.device=auto run.dir=runs/sweep -m backtest.threshold=0.2,0.3
current='a sweep of two jobs'
if [ "$(grep -c 'starting again' stderr)" -eq 2 ] && [ "$(ls -A runs/sweep | tr '\n' ' ')" = '0 1 ' ]; then
  same runs/sweep/0
else
  fail "$(ls -A runs/sweep | tr '\n' ' ')"
fi

# verify compares named devices: no fall back, nothing left of the runs before.
mkdir -p scratch
export TMPDIR=$work/scratch
expect 4 'simt' -- verify "${settings[@]}"
current='left by verify'
if [ -z "$(ls -A scratch)" ] && [ ! -e verify.json ]; then pass; else fail "$(ls -A scratch)"; fi

# Interrupted in a Monte Carlo of a minute or more: the launches are short, so that the end comes soon.
unset FMLP_SIMT_FAULT
current='SIGINT in a Monte Carlo on simt'
rm -rf runs
"$FMLP" run --from reference --stages risk runtime.device=simt risk.monte_carlo.kind=iid risk.monte_carlo.n_sims=400000 \
  risk.monte_carlo.max_trades=20000 run.dir=runs/x >stdout 2>stderr &
pid=$!
sleep 2
kill -INT "$pid"
for _ in $(seq 300); do
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.1
done
if kill -KILL "$pid" 2>/dev/null; then fail 'is heard after more than 30 s'; fi
wait "$pid"
got=$?
if [ "$got" -eq 130 ] && [ -z "$(ls -A runs 2>/dev/null)" ]; then pass; else fail "exit status $got"; fi
finish
