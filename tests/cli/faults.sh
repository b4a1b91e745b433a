#!/usr/bin/env bash
# Faults of the world: unwritable folders, a full disk, SIGINT in each stage. Right status, one line, nothing left.
source "$(dirname "$0")/harness.sh"
quotes 6000
settings=(data.path=ticks.csv bars.threshold=10 model.params.n_estimators=5 risk.monte_carlo.n_sims=100)

# A folder that cannot be made: a file stands in its way (root may write anywhere, so permissions alone prove nothing).
: >file
expect 1 'file' -- run "${settings[@]}" run.dir=file/run
if [ "$(id -u)" -ne 0 ]; then
  mkdir locked && chmod a-w locked
  expect 1 'locked' -- run "${settings[@]}" run.dir=locked/run
fi

# An existing run is never overwritten.
mkdir -p taken/run
expect 1 'taken/run' -- run "${settings[@]}" run.dir=taken/run

# A full disk: no file may grow beyond a few blocks; and, where allowed, a file system of that size.
expect_limited() { # BLOCKS
  current="file size limit of $1 KiB"
  (ulimit -f "$1" && "$FMLP" run "${settings[@]}" run.dir=runs/limited) >stdout 2>stderr
  local got=$?
  if [ "$got" -ne 1 ]; then
    fail "exit status $got instead of 1"
  elif [ "$(grep -c '^fmlp: ' stderr)" -ne 1 ]; then
    fail "not one error line"
  elif [ -n "$(ls -A runs 2>/dev/null)" ]; then
    fail "something was left in runs/"
    rm -rf runs
  else
    pass
  fi
}
for blocks in 1 4 16; do expect_limited "$blocks"; done

mkdir small
if mount -t tmpfs -o size=300k tmpfs small 2>/dev/null; then
  expect 1 'small|space' -- run "${settings[@]}" run.dir=small/run
  current='left on the full disk'
  if [ -z "$(ls -A small)" ]; then pass; else fail "$(ls small)"; fi
  expect 1 'small|space' -- synth --ticks 100000 small/ticks.csv
  current='left on the full disk by synth'
  if [ -z "$(ls -A small)" ]; then pass; else fail "$(ls small)"; fi
  umount small
else
  echo "SKIPPED the full tmpfs: mounting is not allowed here"
fi

# Profiles are collected under free version numbers; a collection that cannot be written is refused before the work.
for version in 1 2; do
  expect 0 '' -- run "${settings[@]}" "run.dir=ok/profile-$version" runtime.profile_output_dir=profiles
  current="version $version of the collected profile"
  if [ "$(find profiles -name "*_default_v$version.fmlprof" -o -name "*_default_v$version.txt" | wc -l)" -eq 2 ]; then
    pass
  else
    fail "$(ls profiles)"
  fi
done
expect 1 'profile_output_dir' -- run "${settings[@]}" run.dir=runs/x runtime.profile_output_dir=file/profiles
expect 1 'memory_limit_gb' -- run "${settings[@]}" run.dir=runs/x runtime.memory_limit_gb=0.0005

# SIGINT at the start of each stage (a hook of test builds), and at random moments of a longer run.
if [[ $("$FMLP" --version) == *'test hooks'* ]]; then
  for stage in read clean bars features labels validation model backtest risk report; do
    export FMLP_TEST_INTERRUPT=$stage
    expect 130 'interrupted' -- run "${settings[@]}" run.dir=runs/interrupted
    unset FMLP_TEST_INTERRUPT
  done
else
  echo "SKIPPED SIGINT at the start of each stage: needs a build with test hooks"
fi
"$FMLP" synth --seed 3 --ticks 300000 long.csv >/dev/null
for delay in 0.05 0.1 0.2 0.4 0.8; do
  current="SIGINT after $delay s"
  "$FMLP" run data.path=long.csv bars.threshold=20 run.dir=runs/interrupted >stdout 2>stderr &
  pid=$!
  sleep "$delay"
  kill -INT "$pid" 2>/dev/null
  wait "$pid"
  got=$?
  if [ "$got" -eq 0 ]; then # it was faster than the signal
    rm -rf runs
    pass
  elif [ "$got" -ne 130 ]; then
    fail "exit status $got instead of 130"
  elif [ "$(grep -c '^fmlp: ' stderr)" -ne 1 ]; then
    fail "not one error line"
  elif [ -n "$(ls -A runs 2>/dev/null)" ]; then
    fail "something was left in runs/"
    rm -rf runs
  else
    pass
  fi
done
finish
