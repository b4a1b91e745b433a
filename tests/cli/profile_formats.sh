#!/usr/bin/env bash
# Every format of a profile, read strictly, and all their totals equal to the nanosecond: for a capture made by hand, ones
# at random, with devices, and a real run's.
source "$(dirname "$0")/harness.sh"
if ! command -v python3 >/dev/null; then
  echo 'skipped: no python3'
  exit 77
fi
writer=$(dirname "$FMLP")/tests/write_profile

# check NAME SOURCE real|exact
check() {
  mkdir "$1"
  expect 0 '' -- profile export --format pstats -o "$1/out.prof" "$2"
  expect 0 '' -- profile export --format chrome -o "$1/trace.json" "$2"
  expect 0 '' -- profile export --format speedscope -o "$1/scope.json" "$2"
  expect 0 '' -- profile export --format collapsed -o "$1/out.folded" "$2"
  expect 0 '' -- profile export --format dot -o "$1/out.dot" "$2"
  expect 0 '' -- profile export --format csv -o "$1/table.csv" "$2"
  expect 0 '' -- profile export --format html -o "$1/page.html" "$2"
  for format in text json; do
    expect 0 '' -- profile table --format "$format" "$2"
    mv stdout "$1/table.${format/text/txt}"
  done
  current="formats of $1, FMLP_SEED=$seed"
  if python3 "$source_dir/tests/cli/profile_formats.py" "$1" "$3" 2>stderr; then pass; else fail 'they differ'; fi
  if command -v dot >/dev/null; then
    current="Graphviz, $1"
    if dot -Tsvg "$1/out.dot" -o "$1/out.svg" 2>stderr && grep -q '</svg>' "$1/out.svg"; then pass; else fail 'no picture'; fi
  fi
}

seed=${FMLP_SEED:-$RANDOM}
if [ -x "$writer" ]; then
  "$writer" fixture fixture.fmlprof
  check fixture fixture.fmlprof exact
  for number in 1 2 3 4 5; do
    "$writer" random $((seed + number)) $((60 * number * number)) $((number * 100 - 100)) "random$number.fmlprof"
    check "random$number" "random$number.fmlprof" exact
  done
else
  echo "no $writer: real run alone"
fi
expect 0 '' -- synth --ticks 20000 ticks.csv
expect 0 '' -- run data.path=ticks.csv bars.threshold=20 labeling.volatility.window=20 labeling.side=both \
  model.params.n_estimators=5 validation=purged_kfold run.dir=full runtime.profile_level=full runtime.profile_sampling=1000
check real full real
command -v dot >/dev/null || echo 'not tried: dot (Graphviz) is not installed'
finish
