#!/usr/bin/env bash
# A sampled run: its lines are those of the sources, every export takes the samples, and results are the same as without.
source "$(dirname "$0")/harness.sh"
expect 0 '' -- synth --ticks 60000 ticks.csv
run=(run data.path=ticks.csv bars.threshold=20 labeling.volatility.window=20 labeling.side=both
  model.params.n_estimators=40 validation=purged_kfold runtime.threads=3)
expect 0 '' -- "${run[@]}" run.dir=without
expect 0 '' -- "${run[@]}" runtime.profile_sampling=5000 run.dir=with
for part in bars features labels predictions monte_carlo equity.csv trades.csv; do
  current="results do not depend on samples: $part"
  if diff -r with/$part without/$part >diff.txt 2>&1; then pass; else fail "$(head -n 3 diff.txt)"; fi
done

expect 3 'no samples in this profile; run with runtime.profile_sampling' -- profile lines without
expect 2 'profile lines: which run' -- profile lines
expect 2 'top 0 is not' -- profile lines --top 0 with
expect 2 'profile lines: --filter: ' -- profile lines --filter '(' with

expect 0 '^[0-9]+ samples, [0-9]+ with a line' -- profile lines --source "$source_dir" with
cp stdout lines.txt
current='a line stands beside its number'
if grep -qE '^File: (common|cpu|cuda|prof)/.*not found' lines.txt || ! grep -q '^File: ' lines.txt; then
  if grep -q ' 0 with a line' lines.txt; then echo 'no lines: no libdw here'; else fail 'a source was not found'; fi
else
  awk '/^File: / { file = $2 } /^ *[0-9]+ +[0-9]+ +[0-9.]+ +[0-9]+ +[0-9.]+  / && file { print file, $1 }' lines.txt >places
  wrong=0 # two files at most that no build makes: the numbers must be those of the text
  while read -r file number; do
    [ -f "$source_dir/$file" ] || continue # of the system, or of a sanitizer
    text=$(sed -n "${number}p" "$source_dir/$file" | tr -d '\r')
    grep -qF -- "  $text" lines.txt || wrong=$((wrong + 1))
  done <places
  if [ -s places ] && [ "$wrong" -eq 0 ]; then pass; else fail "$wrong of $(wc -l <places) lines differ from the sources"; fi
fi
current='samples carry the span that was open'
if grep -qE '\((model\.forest|features|run|labels|read\.parse|metrics|rolling\.windows)[a-z._]*\)$' lines.txt; then pass; else fail 'no span'; fi

for format in pstats:prof chrome:json speedscope:speedscope.json collapsed:folded dot:dot csv:csv html:html; do
  expect 0 '' -- profile export --format "${format%%:*}" -o "with.${format#*:}" with
done

# Where a clock is refused: the other one, then none, and the reason.
if "$FMLP" --version | grep 'test hooks' >hooks; then
  FMLP_SAMPLER=timer expect 0 '' -- "${run[@]}" runtime.profile_sampling=1000 run.dir=timer
  expect 0 '^[0-9]+ samples' -- profile lines --top 1 timer
  FMLP_SAMPLER=none expect 0 '' -- "${run[@]}" runtime.profile_sampling=1000 run.dir=none
  expect 3 'no samples in this profile: perf_event_open: .*timer_create: ' -- profile lines none
fi
finish
