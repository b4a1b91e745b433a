#!/usr/bin/env bash
# Bad command lines and configurations: exit 2 and one line with the nearest name.
source "$(dirname "$0")/harness.sh"
quotes 3000

expect 2 'rnu.*run' -- rnu
expect 2 '' -- run
expect 2 'data\.path' -- run
expect 2 'data\.pth.*data\.path|path' -- run data.pth=ticks.csv
expect 2 'bars\.treshold.*threshold' -- run data.path=ticks.csv bars.treshold=10
expect 2 'bars\.threshold' -- run data.path=ticks.csv bars.threshold=0
expect 2 'bars\.threshold' -- run data.path=ticks.csv bars.threshold=-5
expect 2 'bars\.threshold' -- run data.path=ticks.csv bars.threshold=many
expect 2 'bars\.type' -- run data.path=ticks.csv bars.type=tock
expect 2 'max_horizon_bars' -- run data.path=ticks.csv labeling.max_horizon_bars=0
expect 2 'min_horizon_bars' -- run data.path=ticks.csv labeling.min_horizon_bars=64
expect 2 'n_test_groups' -- run data.path=ticks.csv validation.n_test_groups=10
expect 2 'nowhere|session' -- run data.path=ticks.csv session=nowhere
expect 2 'timezone|Mars' -- run data.path=ticks.csv session.timezone=Mars/Olympus
expect 2 'runtime\.device|warp' -- run data.path=ticks.csv --device warp
expect 2 'threads' -- run data.path=ticks.csv runtime.threads=-1
expect 2 'stage' -- run data.path=ticks.csv --stages bars,lables
expect 2 '--nonsense' -- run data.path=ticks.csv --nonsense
expect 2 'operator|mead' -- run data.path=ticks.csv run.dir=runs/x '+features.plan=[{name:x,op:mead,of:close,window:5}]'
expect 2 'of|clsoe' -- run data.path=ticks.csv run.dir=runs/x '+features.plan=[{name:x,op:mean,of:clsoe,window:5}]'
# Every job of a sweep is checked before the first one starts.
for keys in model.type=random_forest,logistic model.meta.enabled=false,true bars.type=tick,tick_imbalance \
  session.timezone=UTC,America/NewYork data.timezone=UTC,America/NewYork; do
  expect 2 'job 2 of 2: .*(not built yet; |unknown time zone)' -- run data.path=ticks.csv run.dir=runs/x -m "$keys"
  if [ -s stdout ]; then fail 'a job started'; else pass; fi
done
expect 2 'ticks' -- synth --ticks 0 out.csv
expect 2 'ticks' -- synth --ticks many out.csv
expect 2 '' -- synth
expect 2 '' -- inspect
expect 2 'columns' -- inspect ticks.csv data.colums.bid=x
expect 2 'time zone' -- inspect ticks.csv data.timezone=Mars
expect 3 'absent' -- inspect absent.csv
expect 2 '' -- profile show
expect 3 'absent' -- profile show absent
expect 3 'absent' -- verify absent
expect 3 'absent' -- run --from absent --stages labels
expect 4 'cuda' -- run data.path=ticks.csv --device cuda run.dir=runs/x

# A YAML file with a mistake names file and line.
mkdir -p conf
cp -r "$source_dir"/configs/. conf/
printf 'type: tick\nthreshold: 100\nsession_tial: keep\n' >conf/bars/mistake.yaml
expect 2 'mistake\.yaml:3.*session_tail' -- run --config-dir conf bars=mistake data.path=ticks.csv
printf 'type: tick\nthreshold: [1, 2\n' >conf/bars/syntax.yaml
expect 2 'syntax\.yaml' -- run --config-dir conf bars=syntax data.path=ticks.csv

# Help goes to standard output and is no error.
for command in '' run verify synth inspect devices profile; do
  # shellcheck disable=SC2086
  expect 0 'fmlp' -- $command --help
done
expect 2 'cfg belongs to fmlp run' -- verify data.path=ticks.csv --cfg
expect 2 "unknown device 'bogus'" -- verify data.path=ticks.csv runtime.device=bogus
expect 2 "unknown device 'bogus'" -- verify data.path=ticks.csv --device bogus
expect 4 'runtime.device: cpu:7' -- verify data.path=ticks.csv --device cpu:7

# Where its record cannot be written, verify says so before it runs anything.
mkdir verify.json
expect 1 'verify.json: Is a directory; run it in' -- verify data.path=absent.csv
rmdir verify.json
expect 0 'fmlp [0-9]+\.[0-9]+' -- --version
expect 0 '^cpu +available' -- devices
finish
