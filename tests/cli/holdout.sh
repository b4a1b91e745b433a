#!/usr/bin/env bash
# The held-out file: predicted by the final model, in test/, and never part of the training.
source "$(dirname "$0")/harness.sh"
"$FMLP" synth --seed 1 --ticks 40000 first.csv >/dev/null
"$FMLP" synth --seed 2 --ticks 20000 --start 2024-06-03 second.csv >/dev/null
settings=(data.path=first.csv bars.threshold=20 model.params.n_estimators=20 risk.monte_carlo.n_sims=100)

expect 0 'held out +[0-9,]+ labels' -- run "${settings[@]}" data.test_path=second.csv run.dir=ok/with
expect 0 '' -- run "${settings[@]}" run.dir=ok/without
current='training does not see the held-out file'
if diff -r ok/with/predictions ok/without/predictions >/dev/null && diff -r ok/with/model ok/without/model >/dev/null; then
  pass
else
  fail "predictions or models differ"
fi
current='the held-out results are there'
if [ -s ok/with/test/metrics.json ] && [ -s ok/with/test/trades.csv ] && [ -s ok/with/test/predictions/probability.npy ] &&
  [ ! -e ok/without/test ]; then
  pass
else
  fail "$(find ok/with/test | head -n 5 | tr '\n' ' ')"
fi

# The training file itself as held-out file: the final model knows it, so the score must be high, or rows are mixed up.
expect 0 'AUC 0\.[7-9].*not after the training data' -- run "${settings[@]}" data.test_path=first.csv run.dir=ok/same
current='the same file gives the same labels'
if diff -r ok/same/labels ok/same/test/labels >/dev/null; then pass; else fail "labels differ"; fi

expect 3 'data\.test_path.*absent\.csv' -- run "${settings[@]}" data.test_path=absent.csv run.dir=runs/x
finish
