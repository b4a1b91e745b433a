#!/usr/bin/env bash
# Stored profiles as a user keeps them: in the run, in a folder of many, damaged, of an older program.
source "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

expect 0 '' -- synth --ticks 20000 ticks.csv
settings=(data.path=ticks.csv bars.threshold=20 labeling.volatility.window=20 labeling.side=both
  model.params.n_estimators=5 validation=purged_kfold risk.monte_carlo.n_sims=50 runtime.log_level=error)

# check STATUS WHAT: of the command before
check() {
  current=$2
  if [ "$1" -eq 0 ]; then pass; else fail "it is not so"; fi
}

# The run's own file, and what stands in for it.
expect 0 '' -- run "${settings[@]}" run.dir=one
[ -s one/profile/profile.fmlprof ]
check $? "a run writes profile.fmlprof"
mv one/profile/profile.fmlprof kept.fmlprof
expect 3 'profile.json: a table made of a profile' -- profile show one
cp "$source_dir/tests/golden/profile.json" one/profile/profile.json
expect 0 '66 function calls' -- profile show one # an older run's
expect 0 'function calls' -- profile show kept.fmlprof
expect 0 '' -- profile export --format csv -o out.csv kept.fmlprof

# Damaged ones.
head -c 1000 kept.fmlprof >one/profile/profile.fmlprof
expect 3 'profile.fmlprof: damaged profile: cut short$' -- profile show one
{ head -c 300 kept.fmlprof; printf 'x'; tail -c +302 kept.fmlprof; } >bent.fmlprof
cmp -s bent.fmlprof kept.fmlprof || expect 3 'bent.fmlprof: damaged profile: ' -- profile export --format csv -o x bent.fmlprof
: >empty.fmlprof
expect 3 'empty.fmlprof: is empty' -- profile show empty.fmlprof
mkfifo pipe.fmlprof
expect 3 'pipe.fmlprof: is no ordinary file' -- profile show pipe.fmlprof
mkdir folder.fmlprof
expect 3 'folder.fmlprof: no profile in this folder' -- profile show folder.fmlprof

# A folder of many.
for i in 1 2 3; do
  expect 0 '' -- run "${settings[@]}" "run.dir=many-$i" "backtest.threshold=0.5$i" experiment.name=trial \
    runtime.profile_output_dir=kept/profiles
done
expect 0 '3 profiles' -- profile list kept/profiles
[ "$(grep -c "_trial_v[123].fmlprof$" stdout)" -eq 3 ]
check $? "the index lists three versions"
[ "$(cut -d, -f8 kept/profiles/index.csv | tail -n 3 | sort -u | wc -l)" -gt 1 ]
check $? "other thresholds, other outputs"
expect 0 'function calls' -- profile show kept/profiles/*_v2.fmlprof
cmp -s many-2/profile/profile.fmlprof kept/profiles/*_v2.fmlprof
check $? "the version is the run's own"
expect 0 '' -- run "${settings[@]}" run.dir=again "backtest.threshold=0.51" runtime.profile_output_dir=kept/profiles \
  experiment.name=trial runtime.threads=1
[ "$(sed -n 2p kept/profiles/index.csv | cut -d, -f8)" = "$(sed -n 5p kept/profiles/index.csv | cut -d, -f8)" ]
check $? "equal outputs have equal hashes, at any number of threads"
expect 0 '' -- run "${settings[@]}" run.dir=last runtime.profile_output_dir=last_only runtime.profile_versioning=false
[ "$(ls last_only | tr '\n' ' ')" = "default.fmlprof default.txt " ]
check $? "without versions there is the last one alone"
expect 3 'index.csv' -- profile list last_only
expect 3 'absent' -- profile list absent
expect 2 'which folder' -- profile list
expect 3 'profile list kept/profiles names its files' -- profile show kept/profiles
expect 2 'unknown option' -- profile list --all

# The experiment's name is no result.
expect 0 '' -- run "${settings[@]}" run.dir=renamed "backtest.threshold=0.51" runtime.profile_output_dir=kept/profiles \
  experiment.name='other "name"'
[ "$(sed -n 2p kept/profiles/index.csv | cut -d, -f8)" = "$(tail -n 1 kept/profiles/index.csv | rev | cut -d, -f2 | rev)" ]
check $? "other names, equal outputs"

# Files that are no profile, however large.
truncate -s 20G huge.fmlprof
expect 3 'huge.fmlprof: not a profile of fmlp$' -- profile show huge.fmlprof
head -c 8 kept.fmlprof | dd of=huge.fmlprof conv=notrunc status=none
expect 3 'huge.fmlprof: is larger than 2 GiB$' -- profile show huge.fmlprof
rm huge.fmlprof

# A folder that cannot take profiles is refused before the work, and nothing is made.
: >file
mkdir -p bad_index/index.csv bad_notes
mkfifo bad_notes/notes.md
ln -s nowhere dangling
mkdir real && ln -s real link
expect 1 'file: Not a directory \(runtime.profile_output_dir\)' -- run "${settings[@]}" run.dir=runs/x \
  runtime.profile_output_dir=file
expect 1 'file/in: Not a directory' -- run "${settings[@]}" run.dir=runs/x runtime.profile_output_dir=file/in
expect 1 'bad_index/index.csv: is no ordinary file' -- run "${settings[@]}" run.dir=runs/x runtime.profile_output_dir=bad_index
expect 1 'bad_notes/notes.md: is no ordinary file' -- run "${settings[@]}" run.dir=runs/x runtime.profile_output_dir=bad_notes
expect 1 'dangling: No such file' -- run "${settings[@]}" run.dir=runs/x runtime.profile_output_dir=dangling
if [ "$(id -u)" -ne 0 ]; then
  mkdir closed && chmod a-w closed
  expect 1 'closed: Permission denied' -- run "${settings[@]}" run.dir=runs/x runtime.profile_output_dir=closed/in
fi
for inner in runs/x runs/x/ runs/x/in ./runs/y/../x/in "$PWD/runs/x"; do
  expect 2 "profile_output_dir=.* is in the run's own folder" -- run "${settings[@]}" run.dir=runs/x "runtime.profile_output_dir=$inner"
done
expect 2 "is in the run's own folder" -- run "${settings[@]}" run.dir=real/x runtime.profile_output_dir=link/x/.hidden
expect 0 '' -- run "${settings[@]}" run.dir=runs/x runtime.profile_output_dir=runs/xx
expect 0 '' -- run "${settings[@]}" run.dir=runs/x runtime.profile_output_dir=file runtime.profile=false

# One that fails later costs the profile there and not the run.
kept_with_warning() { # WHAT SETTING...
  local what=$1
  shift
  expect 0 '' -- run "${settings[@]}" runtime.log_level=warning run.dir=runs/late "$@"
  [ -s runs/late/profile/profile.fmlprof ] && [ "$(grep -c 'warning: profile not kept: ' stderr)" -eq 1 ] &&
    grep -q "warning: profile not kept: .*$what" stderr
  check $? "the run is kept, with a warning of $what"
}
mkdir -p foreign taken/default.fmlprof
printf 'a,b\n1,2\n' >foreign/index.csv
kept_with_warning 'foreign/index.csv: no index of profiles' runtime.profile_output_dir=foreign
[ "$(cat foreign/index.csv)" = "$(printf 'a,b\n1,2')" ] && [ "$(ls foreign)" = index.csv ]
check $? "another program's index.csv is not added to"
kept_with_warning 'taken/default.fmlprof' runtime.profile_output_dir=taken runtime.profile_versioning=false
if command -v flock >/dev/null; then
  mkdir busy hurried
  exec 7>busy/index.csv
  flock 7
  kept_with_warning 'busy/index.csv: another program has locked it' runtime.profile_output_dir=busy
  "$FMLP" run "${settings[@]}" run.dir=hurried/x runtime.profile_output_dir=busy >/dev/null 2>error_line &
  child=$!
  while kill -0 $child 2>/dev/null && ! ls -A hurried/.*/profile/profile.html >/dev/null 2>&1; do sleep 0.02; done
  sleep 0.3
  began=$SECONDS
  kill -INT $child
  wait $child
  [ $? -eq 130 ] && [ $((SECONDS - began)) -lt 4 ] && [ -z "$(ls -A hurried)" ] && [ "$(wc -l <error_line)" -eq 1 ]
  check $? "interrupted while it waits for the lock, after $((SECONDS - began)) s: $(cat error_line)"
  exec 7>&-
else
  echo "SKIPPED waiting for the lock: no flock here"
fi
rm -rf runs

# Repeats: one folder, one profile with all times, and nothing else.
before=$(ls)
expect 0 'repeats +3 runs, median .* all with the same outputs' -- run "${settings[@]}" run.dir=thrice --repeat 3 \
  runtime.profile_output_dir=repeated
[ "$(ls | tr '\n' ' ')" = "$(printf '%s\nthrice\nrepeated\n' "$before" | sort | tr '\n' ' ')" ]
check $? "repeats leave no folder of their own"
[ "$(grep -c '^repeat [123] of 3: ' stdout)" -eq 3 ]
check $? "each repeat has its line"
[ "$(sed -n 2p repeated/index.csv | cut -d, -f7)" = 3 ]
check $? "the profile holds three captures"
rm -rf last
expect 0 '' -- run "${settings[@]}" run.dir=last
diff -r --exclude=profile --exclude=report.html --exclude=log.txt --exclude=manifest.json --exclude=config.yaml \
  --exclude=overrides.yaml last thrice >difference
check $? "the folder is that of a run without repeats"
expect 0 'same outputs' -- run "${settings[@]}" --from thrice --stages risk run.dir=risk --repeat 2
expect 0 'job 2 of 2' -- run "${settings[@]}" run.dir=sweep -m backtest.threshold=0.5,0.6 --repeat 2
[ "$(grep -c 'repeat 2 of 2' stdout)" -eq 2 ]
check $? "every job of a sweep is repeated"
expect 2 'repeat 2 .* needs runtime.profile=true' -- run "${settings[@]}" run.dir=runs/x --repeat 2 runtime.profile=false
expect 2 'job 1 of 2: .* needs runtime.profile=true' -- run "${settings[@]}" -m experiment.seed=1 runtime.profile=false,true --repeat 2
for count in 0 -1 x 1.5 99999 ''; do
  expect 2 'whole number' -- run "${settings[@]}" run.dir=runs/x "--repeat=$count"
done
expect 2 'verify: .*--repeat' -- verify --repeat 2 "${settings[@]}"
if [[ $("$FMLP" --version) == *'test hooks'* ]]; then
  export FMLP_TEST_REPEAT_DIFFERS=2
  expect 5 'repeat 2 of 3 gave other outputs' -- run "${settings[@]}" run.dir=other --repeat 3
  unset FMLP_TEST_REPEAT_DIFFERS
  [ -s other/profile/profile.fmlprof ]
  check $? "the first run's folder is there"
fi

# Interrupted between and inside repeats: nothing is left.
for wait in 1 2 3; do
  mkdir -p hurt
  "$FMLP" run "${settings[@]}" run.dir=hurt/x --repeat 5000 >progress 2>error_line &
  child=$!
  while kill -0 $child 2>/dev/null && ! grep -q "^repeat $wait of" progress; do sleep 0.02; done
  kill -INT $child
  wait $child
  [ $? -eq 130 ] && [ -z "$(ls -A hurt)" ] && [ "$(wc -l <error_line)" -eq 1 ]
  check $? "interrupted in repeat $wait: $(cat error_line) $(ls -A hurt)"
done

# Ended by other signals: under a run's name there is a whole run or nothing, and no version in the folder of many.
for name in TERM HUP SEGV ABRT KILL; do
  rm -rf hurt many
  mkdir hurt
  "$FMLP" run "${settings[@]}" run.dir=hurt/x runtime.profile_output_dir=many runtime.profile_level=full --repeat 5000 \
    >progress 2>/dev/null &
  child=$!
  while kill -0 $child 2>/dev/null && ! grep -q "^repeat 2 of" progress; do sleep 0.02; done
  kill "-$name" $child
  wait $child 2>/dev/null
  ended=$?
  [ "$ended" -ne 0 ] && [ ! -e hurt/x ] && [ ! -e many ]
  check $? "SIG$name: status $ended, $(ls -d hurt/x many 2>&1 | tr '\n' ' ')"
done
"$FMLP" run "${settings[@]}" run.dir=hurt/y >/dev/null 2>&1
check $? "what a killed run left is in nobody's way"

# At the same time.
for i in 1 2 3 4; do
  "$FMLP" run "${settings[@]}" "run.dir=beside-$i" runtime.profile_output_dir=beside runtime.threads=1 >/dev/null 2>&1 &
done
wait
[ "$(cut -d, -f1 beside/index.csv | tail -n +2 | sort -n | tr '\n' ' ')" = "1 2 3 4 " ]
check $? "four runs at once are four versions"
[ "$(grep -c '^- ' beside/notes.md)" -eq 4 ]
check $? "and four lines of notes"

finish
