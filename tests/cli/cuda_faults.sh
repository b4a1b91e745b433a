#!/usr/bin/env bash
# A GPU that fails in the middle of a run: FMLP is the program over the CUDA runtime of tests/cuda/fake_cudart.h. A run on
# cuda ends with status 4 and leaves nothing, or is right; with auto it may also go on with the cpu before anything was
# written; nothing of the device is ever left behind.
source "$(dirname "$0")/harness.sh"
unset FMLP_DEVICE
quotes 6000
settings=(--config-dir "$source_dir/configs" data.path=ticks.csv bars.threshold=10 model.params.n_estimators=3
  risk.monte_carlo.n_sims=64)
outputs=(bars features labels folds predictions monte_carlo trades.csv equity.csv metrics.json monte_carlo.json)
export FMLP_FAKE_CUDA_REPORT=$work/report
expect 0 '' -- run "${settings[@]}" --device cpu run.dir=reference

value() { # NAME: of the report
  sed -n "s/^$1 \{0,1\}//p" "$work/report"
}

same() {
  local output
  for output in "${outputs[@]}"; do diff -r "$work/reference/$output" "$work/on/$output" >"$work/stdout" 2>&1 || return 1; done
}

# attempt DEVICE: one run; passes when it is right, or refused in one line with nothing left
attempt() {
  rm -rf "$work/on"
  "$FMLP" run "${settings[@]}" --device "$1" run.dir=on >"$work/stdout" 2>"$work/stderr"
  local got=$?
  current="$current, $(value failed) failing, exit status $got"
  if [ "$(value alive)" != 0 ] || [ -n "$(value misuse)" ]; then
    fail "$(value alive) things of the device left; $(value misuse)"
  elif [ "$got" -eq 0 ]; then
    gone_on=$((gone_on + 1))
    if same; then pass; else fail "a wrong result"; fi
  elif [ "$got" -ne 4 ]; then
    fail 'neither done nor a device error'
  elif [ "$(grep -c '^fmlp: ' "$work/stderr")" -ne 1 ] || ! grep -q '^fmlp: .*cuda' "$work/stderr"; then
    fail 'not one error line about cuda'
  elif [ -e "$work/on" ] || compgen -G "$work/.on*" >"$work/stdout" || compgen -G "$work/on*" >"$work/stdout"; then
    fail "something was left: $(ls -a "$work")"
  else
    refused=$((refused + 1))
    pass
  fi
}

refused=0 gone_on=0
for seed in 1 2 3; do
  current="seed $seed"
  FMLP_FAKE_CUDA_SEED=$seed attempt cuda
done
calls=$(value calls)
current='nothing failing'
if [ "$gone_on" -eq 3 ] && [ "$calls" -gt 200 ]; then pass; else fail "$gone_on of 3 runs done, $calls calls"; fi
export FMLP_FAKE_CUDA_MEMORY=400000
current='little device memory'
attempt cuda
unset FMLP_FAKE_CUDA_MEMORY

# Some forty places over the run; each error at another third of them.
number=0
for ((at = 1; at <= calls; at += at < 12 ? 1 : calls / 36 + 1)); do
  number=$((number + 1))
  case $((number % 3)) in
  0) export FMLP_FAKE_CUDA_FAIL_WITH=2 FMLP_FAKE_CUDA_LOST=0 ;;   # out of memory, once
  1) export FMLP_FAKE_CUDA_FAIL_WITH=719 FMLP_FAKE_CUDA_LOST=1 ;; # a kernel failed: the context is gone
  2) export FMLP_FAKE_CUDA_FAIL_WITH=46 FMLP_FAKE_CUDA_LOST=1 ;;  # the device went away
  esac
  for device in cuda auto; do
    current="call $at of $calls fails with $FMLP_FAKE_CUDA_FAIL_WITH, device=$device"
    FMLP_FAKE_CUDA_FAIL_AT=$at attempt "$device"
  done
done
echo "$calls calls; $refused runs refused, $gone_on gone on"
current='both ways happened'
if [ "$refused" -gt 10 ] && [ "$gone_on" -gt 5 ]; then pass; else fail "$refused and $gone_on"; fi
finish
