#!/usr/bin/env bash
# A program built with CUDA on a machine where CUDA cannot be used: it starts, says why in one line, runs on the cpu when
# it may, and ends with status 4 when it may not. Drivers that refuse are put in front of what the machine has.
#
#   FMLP_FAKE_DRIVER   folder of libcuda.so.1 made of tests/cuda/fake_libcuda.c
#   FMLP_STUB_DRIVER   the toolkit's stubs/libcuda.so; optional
source "$(dirname "$0")/harness.sh"
unset FMLP_DEVICE CUDA_VISIBLE_DEVICES
if "$FMLP" devices | grep -q '^cuda unavailable: not compiled'; then
  echo "SKIPPED: this program was built without CUDA"
  exit 77
fi
: "${FMLP_FAKE_DRIVER:?set it to the folder of the fake libcuda.so.1}"
settings=(data.path=ticks.csv bars.threshold=10 model.params.n_estimators=5 risk.monte_carlo.n_sims=100)
outputs=(bars features labels folds predictions monte_carlo trades.csv equity.csv metrics.json monte_carlo.json)
quotes 6000
expect 0 '' -- run "${settings[@]}" --device cpu run.dir=reference

# refused NAME REASON [VARIABLE=VALUE...]: the reason appears in `devices`, as the one notice of a run that goes on with
# the same outputs, and as the error of a run that asked for cuda.
refused() {
  local name=$1 reason=$2 notices output
  shift 2
  current="$name: fmlp devices"
  if env "$@" "$FMLP" devices >stdout 2>stderr && [ ! -s stderr ] && grep -qE -- "^cuda unavailable: .*$reason" stdout &&
    grep -q '^  runtime: CUDA [0-9]' stdout && grep -q '^  driver: ' stdout; then
    pass
  else
    fail "$(cat stdout)"
  fi

  current="$name: a run with device=auto"
  rm -rf on
  env "$@" "$FMLP" run "${settings[@]}" runtime.device=auto run.dir=on >stdout 2>stderr
  local got=$?
  notices=$(grep -c 'running on the cpu' stderr)
  if [ "$got" -ne 0 ]; then
    fail "exit status $got"
  elif [ "$notices" -ne 1 ] || ! grep -qE -- "cuda: .*$reason.*; running on the cpu" stderr; then
    fail "$notices notices, or not with '$reason'"
  else
    pass
  fi
  for output in "${outputs[@]}"; do
    current="$name: $output of the run that went on"
    if diff -r "reference/$output" "on/$output" >stdout 2>&1; then pass; else fail "$(head -n 3 stdout)"; fi
  done

  current="$name: the GPU timeline of a full profile"
  rm -rf on
  if env "$@" "$FMLP" run "${settings[@]}" --stages bars,features runtime.device=auto runtime.profile_level=full \
    run.dir=on >stdout 2>stderr && grep -qE -- "^GPU timeline: none: .*$reason" on/profile/profile.txt; then
    pass
  else
    fail "$(grep GPU on/profile/profile.txt)"
  fi

  export "$@"
  expect 4 "cuda: .*$reason.*use auto or cpu" -- run "${settings[@]}" --device cuda run.dir=runs/x
  expect 4 "cuda:1: .*$reason" -- run "${settings[@]}" runtime.device=cuda:1 run.dir=runs/x
  local setting
  for setting in "$@"; do unset "${setting%%=*}"; done
}

if "$FMLP" devices | grep -q '^cuda unavailable: no NVIDIA driver'; then
  refused 'no driver' 'no NVIDIA driver found' FMLP_NOTHING=1
  refused 'no driver, no device visible' 'no NVIDIA driver found' CUDA_VISIBLE_DEVICES=
else
  echo "SKIPPED no driver: this machine has one"
  refused 'CUDA_VISIBLE_DEVICES empty' "CUDA_VISIBLE_DEVICES is ''" CUDA_VISIBLE_DEVICES=
fi
if [ -n "${FMLP_STUB_DRIVER:-}" ]; then
  mkdir stub && ln -s "$FMLP_STUB_DRIVER" stub/libcuda.so.1
  refused 'stub driver' "toolkit's stub" LD_LIBRARY_PATH="$work/stub"
else
  echo "SKIPPED stub driver: the toolkit has none"
fi
fake=LD_LIBRARY_PATH=$FMLP_FAKE_DRIVER
refused 'old driver' 'too old: it is for CUDA 11\.4, this program needs 1[0-9]\.' "$fake" FMLP_FAKE_DRIVER_VERSION=11040
refused 'no device' 'no GPU found' "$fake"
refused 'no device visible' "CUDA_VISIBLE_DEVICES is ''" "$fake" CUDA_VISIBLE_DEVICES=
refused 'driver and kernel module differ' 'restart the machine' "$fake" FMLP_FAKE_DRIVER_INIT=803
refused 'machine not ready' 'fabricmanager' "$fake" FMLP_FAKE_DRIVER_INIT=802
refused 'lost device' 'nvidia-smi' "$fake" FMLP_FAKE_DRIVER_INIT=999
refused 'no permission' '/dev/nvidia' "$fake" FMLP_FAKE_DRIVER_INIT=304
finish
