#!/usr/bin/env bash
# The programs that people look at profiles with read ours. They come into a virtual environment in the build folder,
# once; without a network or without python3 the test is skipped.
source "$(dirname "$0")/harness.sh"
tools=$(dirname "$FMLP")/tests/viewers
if [ ! -e "$tools/complete" ]; then
  if ! { rm -rf "$tools" && python3 -m venv "$tools" &&
    "$tools/bin/pip" install -q --disable-pip-version-check --retries 0 --timeout 15 gprof2dot==2025.4.14 snakeviz==2.2.2 flameprof==0.4 &&
    touch "$tools/complete"; } >install 2>&1; then
    echo "skipped: gprof2dot, snakeviz and flameprof cannot be had: $(tail -n 1 install)"
    exit 77
  fi
fi
PATH=$tools/bin:$PATH
expect 0 '' -- synth --ticks 20000 ticks.csv
expect 0 '' -- run data.path=ticks.csv bars.threshold=20 labeling.volatility.window=20 labeling.side=both \
  model.params.n_estimators=5 validation=purged_kfold run.dir=full
expect 0 '' -- profile export --format pstats -o full.prof full
expect 0 '' -- profile export --format collapsed -o full.folded full

current=gprof2dot
gprof2dot -f pstats -n 0 -e 0 full.prof >graph 2>stderr
boxes=$(grep -cE '^\s[0-9]+ \[' graph)
functions=$(python3 -c 'import marshal; print(len(marshal.load(open("full.prof", "rb"))))')
if [ "$boxes" -gt 10 ] && [ "$boxes" -eq "$functions" ]; then pass; else fail "$boxes boxes, $functions functions"; fi
current='gprof2dot, collapsed'
gprof2dot -f collapse -n 0 -e 0 full.folded >graph 2>stderr
if grep -q 'model.forest' graph; then pass; else fail 'no model.forest'; fi
if command -v dot >/dev/null; then
  current='a picture of the graph of calls'
  if dot -Tsvg graph -o graph.svg 2>stderr && grep -q 'model.forest' graph.svg; then pass; else fail 'no picture'; fi
else
  echo 'not tried: dot (Graphviz) is not installed'
fi

current="Perfetto's trace processor"
if command -v trace_processor_shell >/dev/null; then
  expect 0 '' -- profile export --format chrome -o full.trace.json full
  echo 'select count(*) as calls from slice;' >query.sql
  spans=$(python3 -c 'import json; print(sum(e["ph"] == "X" for e in json.load(open("full.trace.json"))["traceEvents"]))')
  if trace_processor_shell -q query.sql full.trace.json 2>stderr | tail -n 1 | grep -x "$spans" >/dev/null; then pass; else fail "not $spans slices"; fi
else
  echo "not tried: Perfetto's trace_processor_shell is not on the path (its Python package fetches it at first use)"
fi

current=snakeviz
if python3 - <<'PY' 2>stderr; then pass; else fail 'does not read it'; fi
from pstats import Stats
from snakeviz.stats import json_stats, table_rows
stats = Stats("full.prof")
assert len(table_rows(stats)) == len(stats.stats) > 10, len(table_rows(stats))
# snakeviz leaves out of its picture what neither calls nor is called: a thread's only span, which not every run has
callers, callees = set(), set()
for function, (*_, called_by) in stats.stats.items():
    callers.update(called_by)
    callees.update([function] if called_by else [])
assert len(json_stats(stats)) == len(callers | callees) > 10, (len(json_stats(stats)), len(callers | callees))
PY

current=flameprof
flameprof --format=svg full.prof >flames.svg 2>stderr
if python3 -c 'import xml.dom.minidom; d = xml.dom.minidom.parse("flames.svg"); assert len(d.getElementsByTagName("rect")) > 10'; then pass; else fail 'no flames'; fi
finish
