#!/usr/bin/env bash
# A real run's profile in every format: Python's own pstats prints what fmlp prints, and all say the same times.
source "$(dirname "$0")/harness.sh"
if ! command -v python3 >/dev/null; then
  echo 'skipped: no python3'
  exit 77
fi
expect 0 '' -- synth --ticks 20000 ticks.csv
expect 0 '' -- run data.path=ticks.csv bars.threshold=20 labeling.volatility.window=20 labeling.side=both \
  model.params.n_estimators=5 validation=purged_kfold run.dir=full
for format in pstats:prof chrome:trace.json speedscope:speedscope.json collapsed:folded dot:dot csv:csv csv:csv.gz html:html; do
  expect 0 '' -- profile export --format "${format%%:*}" -o "full.${format#*:}" full
done
current='compressed by its name'
if gzip -dc full.csv.gz | cmp -s - full.csv; then pass; else fail 'another content'; fi
current='no device, no file of one'
if [ -e full.gpu.prof ]; then fail 'full.gpu.prof is there'; else pass; fi

# same_print KEY PRINT_STATS_ARGUMENTS SHOW_ARGUMENT...: pstats' text and fmlp's, but for the line that names the file
same_print() {
  local key=$1 arguments=$2
  shift 2
  "$FMLP" profile show full --sort "$key" "$@" | tail -n +2 >shown
  python3 -c "import pstats; pstats.Stats('full.prof').sort_stats('$key').print_stats($arguments)" | tail -n +2 >printed
  current="pstats by $key $arguments"
  if [ "$(wc -l <shown)" -gt 8 ] && cmp -s shown printed; then pass; else fail "$(diff shown printed | head -n 4 | tr '\n' '|')"; fi
}
for key in calls ncalls cumtime cumulative filename line module name nfl pcalls stdname time tottime; do
  same_print "$key" ''
done
same_print tottime 5 --top 5
same_print cumtime "'pipeline'" --filter pipeline
same_print name "'common', 3" --filter common --top 3

cat >totals.py <<'PY'
import csv, json, marshal, re, sys

profile = json.load(open("full/profile/profile.json"))
total = sum(f["tottime_ns"] for f in profile["functions"])
calls = sum(f["ncalls"] for f in profile["functions"])
trace = json.load(open("full.trace.json"))
scope = json.load(open("full.speedscope.json"))
dot = open("full.dot").read()
rows = list(csv.DictReader(open("full.csv")))
page, own = (json.loads(re.search(r'id="capture">([^<]*)</script>', open(name, encoding="utf-8").read())[1])
             for name in ("full.html", "full/profile/profile.html"))
with open("full.prof", "rb") as file:
    stats = marshal.load(file)
found = {
    "pstats": sum(round(tt * 1e9) for cc, nc, tt, ct, callers in stats.values()),
    "chrome": trace["otherData"]["tottime_ns"],
    "speedscope": sum(scope["profiles"][0]["weights"]),
    "collapsed": sum(int(line.rpartition(" ")[2]) for line in open("full.folded")),
    "dot": sum(map(int, re.findall(r"^  f\d+ \[.* tottime_ns=(\d+)", dot, re.M))),
    "csv": sum(int(row["tottime_ns"]) for row in rows),
    "html": sum(page["nodes"]["self"]),
    "html functions": sum(page["functions"]["tottime"]),
    "the run's page": own["capture"]["tottime"],
}
wrong = {name: value for name, value in found.items() if value != total}
# A timeline's spans are rounded one by one.
threads, ends = 0, {}
slices = [e for e in trace["traceEvents"] if e["ph"] == "X"]
for e in slices:
    start = round(e["ts"] * 1000)
    end = start + round(e["dur"] * 1000)
    if start >= ends.get(e["tid"], start):
        ends[e["tid"]] = end
        threads += end - start
if len(slices) != calls or abs(threads - total) > 2 * calls:
    wrong["slices"] = (len(slices), calls, threads)
if sum(int(row["ncalls"]) for row in rows) != calls or len({row["path"] for row in rows}) != len(rows):
    wrong["rows"] = len(rows)
sys.exit(f"{wrong}, not {total}" if wrong else 0)
PY
current='totals of all formats'
if python3 totals.py 2>stderr; then pass; else fail 'they differ'; fi

expect 0 '"schema": "fmlp-profile-table"' -- profile table full --format json
current='the run keeps the same table'
if cmp -s stdout full/profile/profile.json; then pass; else fail 'profile.json is another'; fi
expect 3 'a table made of a profile; read the profile itself' -- profile show full/profile/profile.json

# Mistakes: one line, and nothing written.
mkdir empty
expect 2 'svg is unknown; use one of: pstats chrome speedscope collapsed dot csv html' -- profile export --format svg -o empty/x full
expect 2 'format is missing' -- profile export -o empty/x full
expect 2 '-o OUTPUT is missing' -- profile export --format csv full
expect 3 'absent' -- profile export --format csv -o empty/x absent
expect 1 'absent/x' -- profile export --format csv -o absent/x full
expect 1 'empty: it is' -- profile export --format csv -o empty full
expect 1 '/dev/full' -- profile export --format csv -o /dev/full full
current='no room for the file'
(ulimit -f 0; "$FMLP" profile export --format csv -o empty/x full 2>&1) | cat >message
if grep -q '^fmlp: cannot write empty/x' message; then pass; else fail "$(cat message)"; fi
# Views on a standard output whose reader has left end as other programs do, without a word; a full one is told.
for view in 'show full' 'table full' 'table --format json full' 'top full' 'diff full full'; do
  current="profile $view, its reader gone"
  # shellcheck disable=SC2086
  { sleep 0.1; "$FMLP" profile $view 2>message; echo $? >status; } | true
  if [ "$(cat status)" = 141 ] && [ ! -s message ]; then pass; else fail "$(cat status message)"; fi
  current="profile $view, no room for its output"
  # shellcheck disable=SC2086
  "$FMLP" profile $view >/dev/full 2>message
  if [ $? = 1 ] && grep -q '^fmlp: standard output cannot be written' message; then pass; else fail "$(cat message)"; fi
done
current='nothing half-written'
if [ -z "$(ls -A empty)" ]; then pass; else fail "$(ls -A empty)"; fi
finish
