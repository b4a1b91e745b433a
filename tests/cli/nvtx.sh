#!/usr/bin/env bash
# A tool attached through NVTX sees every span of a run, profiled or not; a tool that cannot be had harms nothing.
source "$(dirname "$0")/harness.sh"
tool=${FMLP_NVTX_RECORDER:-}
if [ -z "$tool" ]; then
  "$FMLP" devices | sed -n 's/^NVTX: /skipped: /p'
  exit 77
fi
unset NVTX_INJECTION64_PATH
expect 0 '' -- synth --ticks 20000 ticks.csv
run=(run data.path=ticks.csv bars.threshold=20 labeling.volatility.window=20 labeling.side=both
  model.params.n_estimators=5 validation=purged_kfold runtime.threads=3)
expect 0 '^NVTX: no tool is attached$' -- devices

# The tool's record: nested and balanced on every thread, in one domain; gives MESSAGE CATEGORY per line.
cat >check.awk <<'AWK'
$2 == "push" {
  if ($3 != "fmlp" || $4 == "" || $5 == "-" || NF != 7) { print "odd: " $0 >"/dev/stderr"; wrong = 1 }
  if ($7 != open[$1]) { print "not nested: " $0 >"/dev/stderr"; wrong = 1 }
  open[$1]++; print $5, $4
}
$2 == "pop" { open[$1]--; if ($3 != "fmlp" || $4 != open[$1]) { print "not nested: " $0 >"/dev/stderr"; wrong = 1 } }
END {
  for (thread in open) if (open[thread] != 0) { print thread " ends inside " open[thread] >"/dev/stderr"; wrong = 1 }
  exit wrong
}
AWK

# recorded NAME ARGUMENT...: runs it with the tool, checks the record, leaves NAME.ranges (message category, counted)
recorded() {
  local name=$1
  shift
  export NVTX_INJECTION64_PATH=$tool NVTX_RECORD=$work/$name.record
  expect 0 '' -- "$@"
  unset NVTX_INJECTION64_PATH NVTX_RECORD
  current="$name: ranges"
  if awk -f check.awk "$name.record" >"$name.all" 2>"$work/stderr" && [ -s "$name.all" ]; then pass; else fail 'see above'; fi
  LC_ALL=C sort "$name.all" | uniq -c >"$name.ranges"
}
recorded on "${run[@]}" runtime.profile=true run.dir=on
recorded off "${run[@]}" runtime.profile=false run.dir=off

current='a run without a profile has none'
if [ -e off/profile ]; then fail 'off/profile is there'; else pass; fi

current='the same ranges with and without a profile' # but for blocks of text that whoever is free parses
if diff on.ranges off.ranges >diff.txt; then pass; else fail "$(head -n 4 diff.txt | tr '\n' '|')"; fi

# Every span of the profile is a range, as often; and the other way round, but for what is open around the profile.
current='ranges and spans'
"$FMLP" profile export --format csv -o on.csv on && awk '{ $1 = $1; print }' on.ranges >on.list
python3 - <<'PY' >"$work/stderr" 2>&1
import json
spans = {}
for function in json.load(open("on/profile/profile.json"))["functions"]:
    spans[function["name"]] = spans.get(function["name"], 0) + function["ncalls"]
ranges = {}
for line in open("on.list"):
    count, name, _ = line.split()
    ranges[name] = ranges.get(name, 0) + int(count)
missing = {name: count for name, count in spans.items() if ranges.get(name, 0) < count}
assert len(spans) > 20 and not missing, missing
assert set(ranges) - set(spans) <= {"config", "report"}, set(ranges) - set(spans)
PY
status=$?
if ! command -v python3 >/dev/null; then echo 'skipped: no python3 to compare ranges and spans'
elif [ $status -eq 0 ]; then pass; else fail 'they differ'; fi

for line in 'labels stage' 'read.ticks io' 'clean.filter step' 'cpu.barrier_search kernel' 'rolling.windows kernel' \
  'bars.export io' 'model.write io' 'labels.distances step'; do
  current="category: $line"
  if grep -q " $line\$" on.ranges; then pass; else fail "$(grep " ${line% *} " on.ranges)"; fi
done
for name in read.parse rolling.windows cpu.barrier_search clean.sort; do
  grep -q " $name " on.ranges || continue
  current="payload of $name"
  if awk -v name="$name" '$2 == "push" && $5 == name && !($6 > 0) { exit 1 }' on.record; then pass; else fail 'no bytes'; fi
done

# A tool that is missing, is none, or refuses: the run is as without, and devices says so.
echo 'no library' >text.so
for bad in /nowhere/tool.so "$work/text.so" "$tool"; do # the last: without NVTX_RECORD it refuses
  export NVTX_INJECTION64_PATH=$bad
  expect 0 "^NVTX: no tool is attached: NVTX_INJECTION64_PATH=$bad is refused" -- devices
  rm -rf bad
  expect 0 '' -- "${run[@]}" run.dir=bad
  unset NVTX_INJECTION64_PATH
done
for part in bars features labels predictions monte_carlo equity.csv trades.csv; do
  current="results do not depend on a tool: $part"
  if diff -r on/$part off/$part >diff.txt 2>&1 && diff -r on/$part bad/$part >diff.txt 2>&1; then pass; else fail "$(head -n 3 diff.txt)"; fi
done
finish
