#!/usr/bin/env bash
# fmlp profile diff and check: made profiles with known times, then real runs.
source "$(dirname "$0")/harness.sh"

# made NAME LABELS_NS MODEL_NS...: NAME_1.json, NAME_2.json ...: a run each, its labels and one of the models' times;
# $after: by how many ns all of them start later
made() {
  local name=$1 labels=$2 k=0 model
  shift 2
  for model in "$@"; do
    k=$((k + 1))
    cat >"${name}_$k.json" <<JSON
{"schema": "fmlp-profile", "version": 1, "clock": "CLOCK_MONOTONIC", "start_ns": $((${after:-0} + k * 1000000000)),
 "stop_ns": $((${after:-0} + k * 1000000000 + 1000 + labels + model)), "spans": 3, "dropped_spans": 0, "dropped_events": 3,
 "open_spans": 0, "abandoned_spans": 0, "pair_picoseconds": 20000, "functions": [],
 "sites": [{"name": "run", "file": "pipeline.c", "line": 1, "function": "run"},
           {"name": "labels", "file": "labels.c", "line": 2, "function": "labels"},
           {"name": "model", "file": "model.c", "line": 3, "function": "model"}],
 "threads": [{"id": 1, "main": true}],
 "paths": [[0, -1, 0, 1, 1000, $((1000 + labels + model))], [0, 0, 1, 1, $((labels + k * 100)), $((labels + k * 100))],
           [0, 0, 2, 1, $((model - k * 100)), $((model - k * 100))]], "events": []}
JSON
  done
}
# baseline NAME COUNT, sides NAME COUNT: the arguments
baseline() { local k; for k in $(seq "$2"); do echo "--baseline=$1_$k.json"; done; }
runs() { local k; for k in $(seq "$2"); do echo "$1_$k.json"; done; }

made old 4000000 8000000 8100000 8050000 8020000 8120000 8060000 8010000 8090000
made new 4000000 8030000 8070000 8110000 8000000 8040000 8080000 8015000 8100000
made slow 4000000 10900000 10800000 10950000 10820000 10930000 10860000 10910000 10850000
after=60000000000 made later 4000000 8200000 8300000 8400000 12000000 12100000 12200000 12300000 12400000
made small 10000 8000000 8100000 8050000 8020000 8120000 8060000 8010000 8090000

# said PATTERN WHAT: standard output matches
said() {
  current=$2
  if grep -Eq "$1" "$work/stdout"; then pass; else fail "no $1 in: $(head -c 600 "$work/stdout")"; fi
}

# shellcheck disable=SC2046 # words are meant
{
  expect 0 '' -- profile check $(baseline old 8) $(runs old 8)
  said 'compared: .* 8 and 8 runs, tolerance 20 %: none is slower' 'a profile and itself'
  said '^greatest: .* [+-][0-9.]+ %$' 'a passing check names the greatest change'
  expect 0 '' -- profile check $(baseline old 8) $(runs new 8) --tolerance 1%
  expect 0 '' -- profile check $(baseline old 8) $(runs later 8)
  said '^not failed: run/model \+[2-9][0-9.]+ % \(95 % interval \+[0-9.]+ \.\. .*%\): the runs were made in turn' 'in turn'
  said 'tolerance 20 %: none is slower for certain, [1-9] not failed$' 'in turn'
  expect 0 '' -- profile diff $(baseline old 8) $(runs later 8)
  said '% > .*model$' 'diff marks what check does not fail'
  said "but the runs of one side were made after the other's" 'diff in turn'
  if grep -q 'chance of any of these' "$work/stdout"; then fail '2 % promised for runs in turn'; else pass; fi
  expect 6 'run/model is 3[0-9.]+ % slower than the baseline' -- profile check $(baseline old 8) $(runs slow 8)
  said '^slower: run/model .* ms -> .* ms, \+3.*95 % interval.*p = 0.0' 'the path and its interval'
  expect 6 'run/model' -- profile check --tolerance 0.2 $(baseline old 8) $(runs slow 8)
  expect 6 'run/model' -- profile check --tolerance=2% --only 'model\.c' $(baseline old 8) $(runs slow 8)
  expect 0 '' -- profile check --only labels $(baseline old 8) $(runs slow 8)
  expect 0 '' -- profile check --tolerance 40% $(baseline old 8) $(runs slow 8)
  expect 0 '' -- profile check --tolerance 0.4 $(baseline old 8) $(runs slow 8)
  expect 0 '' -- profile check $(baseline slow 8) $(runs old 8)
  expect 0 '' -- profile check --baseline old_1.json slow_1.json
  said 'too few repeats' 'one run tells nothing'
  said 'nothing decided' 'one run tells nothing'
  expect 0 '' -- profile check $(baseline old 4) $(runs slow 4)
  said 'nothing decided' 'four runs tell nothing'
  expect 6 'run/model' -- profile check $(baseline old 5) $(runs slow 5)
  expect 2 'no path of 5 %' -- profile check --only nowhere $(baseline old 8) $(runs slow 8)

  expect 0 '' -- profile diff $(baseline old 8) $(runs slow 8)
  said '\+3[0-9.]+ % > .*model$' 'the slower row is marked'
  said 'outputs equal: unknown' 'profiles that tell no outputs'
  said 'at most 2 % chance of any of these' 'runs made alternately'
  expect 0 '' -- profile diff $(baseline small 8) $(runs small 8)
  said ' % \. .* % \. .*labels$' 'a row below 5 % was not tested'
  said '^\. not tested: below 5 %' 'the legend of that'
  if grep -q ' % \. .*model$' "$work/stdout"; then fail 'a tested row looks untested'; else pass; fi
  expect 0 '' -- profile diff $(baseline slow 8) $(runs old 8)
  said '% < .*model$' 'the faster row is marked'
  expect 0 '' -- profile diff --format csv $(baseline old 8) $(runs slow 8)
  cp "$work/stdout" diff.csv
  expect 0 '' -- profile diff --format=json $(baseline old 8) $(runs slow 8)
  cp "$work/stdout" diff.json
}
expect 0 '' -- profile diff old_1.json slow_1.json
said 'too few repeats' 'one run on each side'
if grep -Eq '[<>] ' "$work/stdout"; then fail 'something is marked'; else pass; fi
expect 0 '' -- profile diff --filter model old_1.json slow_1.json

expect 2 'tolerance' -- profile check --tolerance much --baseline old_1.json new_1.json
expect 2 'tolerance' -- profile check --tolerance=-1% --baseline old_1.json new_1.json
expect 2 'tolerance' -- profile check --tolerance 20%% --baseline old_1.json new_1.json
expect 2 'tolerance 20: write 20% or 0\.2$' -- profile check --tolerance 20 --baseline old_1.json new_1.json
expect 2 'tolerance 5: write 5% or 0\.05$' -- profile check --tolerance 5 --baseline old_1.json new_1.json
expect 0 'tolerance 100 %' -- profile check --tolerance 1 --baseline old_1.json new_1.json
expect 0 'tolerance 500 %' -- profile check --tolerance 500% --baseline old_1.json new_1.json
cp old_1.json copy.json
ln old_1.json link.json
for same in old_1.json ./old_1.json copy.json link.json; do
  expect 2 "$same is the same profile as old_1.json" -- profile check --baseline old_1.json --baseline "$same" new_1.json
  expect 2 "$same is the same profile as old_1.json" -- profile diff --baseline new_1.json old_1.json old_2.json "$same"
done
expect 0 '' -- profile diff old_1.json copy.json
expect 2 'tolerance' -- profile check --tolerance nan --baseline old_1.json new_1.json
expect 2 'tolerance' -- profile check --baseline old_1.json new_1.json --tolerance
expect 2 'tolerance' -- profile check --tolerance '' --baseline old_1.json new_1.json
expect 2 'baseline is missing' -- profile check old_1.json
expect 2 'the run is missing' -- profile check --baseline old_1.json
expect 2 'regular expression' -- profile check --only '(' --baseline old_1.json new_1.json
expect 2 'unknown option' -- profile check --baseline old_1.json new_1.json --frobnicate
expect 2 'which two' -- profile diff old_1.json
expect 2 'which two' -- profile diff old_1.json new_1.json slow_1.json
expect 2 'format html is unknown' -- profile diff --format html old_1.json new_1.json
expect 2 'regular expression' -- profile diff --filter '[' old_1.json new_1.json
expect 3 'missing.json' -- profile diff missing.json old_1.json
expect 3 'no-profile.csv' -- profile diff old_1.json no-profile.csv
echo 'a,b' >no-profile.csv
expect 3 'no-profile.csv' -- profile check --baseline no-profile.csv old_1.json
mkdir empty
expect 3 'no profile in this folder' -- profile check --baseline old_1.json empty

if command -v python3 >/dev/null; then
  current='JSON and CSV say the same'
  if python3 - <<'PY'; then pass; else fail 'they differ'; fi
import csv, json

diff = json.load(open("diff.json"))
assert diff["schema"] == "fmlp-profile-diff" and diff["enough_repeats"] and diff["outputs_equal"] == "unknown"
assert diff["before"]["repeats"] == diff["after"]["repeats"] == 8
rows = list(csv.DictReader(open("diff.csv")))
assert all(None not in row and None not in row.values() for row in rows), "rows of another width"
assert rows[0]["name"] == "wall time" and len(rows) == 1 + len(diff["paths"])
for row, path in zip(rows[1:], diff["paths"]):
    assert row["path"] == path["path"] and row["cumtime_verdict"] == path["cumtime"]["verdict"]
    assert int(row["tottime_difference_ns"]) == path["tottime"]["difference_ns"]
model = next(p for p in diff["paths"] if p["path"] == "run/model")
assert model["cumtime"]["verdict"] == "slower" and 1.3 < model["cumtime"]["ratio_low"] < model["cumtime"]["ratio_high"] < 1.4
assert next(p for p in diff["paths"] if p["path"] == "run/labels")["cumtime"]["verdict"] == "noise"
PY
fi

expect 0 '' -- synth --ticks 20000 ticks.csv
small() {
  expect 0 '' -- run data.path=ticks.csv bars.threshold=20 labeling.volatility.window=20 model.params.n_estimators=5 \
    validation=purged_kfold "$@"
}
small run.dir=one
small run.dir=again
small run.dir=other experiment.seed=7
expect 0 '' -- profile diff one again
said 'outputs equal: yes' 'the same run twice'
expect 0 '' -- profile diff one other
said 'outputs equal: no' 'another seed'
said 'warning: not the same config' 'another seed'
expect 0 '' -- profile check --baseline one other
said 'outputs equal: no' 'check tells it, too'
expect 0 '' -- profile diff --baseline one --baseline other again
said 'outputs equal: no' 'one side that does not agree with itself'
finish
