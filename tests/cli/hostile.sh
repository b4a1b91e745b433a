#!/usr/bin/env bash
# A hostile or clumsy world: odd files, closed streams, pipes that break, signals, two runs at once.
source "$(dirname "$0")/harness.sh"
quotes 3000
settings=(bars.threshold=10 model.params.n_estimators=5 risk.monte_carlo.n_sims=100 validation.embargo_bars=5
  session.session_end=24:00)
some=("${settings[@]}" --stages bars) # where the reading is what is tested

# Odd files.
{ head -n 1 ticks.csv; head -c 3000000 /dev/zero | tr '\0' 1; echo ',1,1'; tail -n +2 ticks.csv; } >line.csv
expect 3 'line\.csv.*longer' -- run data.path=line.csv run.dir=runs/x "${some[@]}"
awk -F, 'NR == 1 { print $0 ",askPrice" } NR > 1 { print $0 ",7" }' ticks.csv >twice.csv
expect 3 'twice\.csv.*askPrice' -- run data.path=twice.csv run.dir=runs/x "${some[@]}"
{ printf '\x50\x2a\x4d\x18\x04\x00\x00\x00abcd'; zstd -qc ticks.csv; } >skippable.zst # as pzstd writes
expect 0 '' -- run data.path=skippable.zst run.dir=runs/x "${some[@]}"
{ head -n 1500 ticks.csv | gzip -c; printf '' | gzip -c; tail -n +1501 ticks.csv | gzip -c; } >members.gz
expect 0 '3,000 quotes' -- run data.path=members.gz run.dir=runs/x "${some[@]}"
{ gzip -c ticks.csv; echo garbage; } >trailing.gz
expect 3 'trailing\.gz' -- run data.path=trailing.gz run.dir=runs/x "${some[@]}"
for device in /dev/null /dev/zero /dev/full; do
  expect 3 "$device" -- run "data.path=$device" run.dir=runs/x "${some[@]}"
done
ln -s loop loop
expect 3 'loop' -- run data.path=loop run.dir=runs/x "${some[@]}"
cp ticks.csv $'a b\n"ü" %s.csv'
expect 0 '300 bars' -- run data.path=$'a b\n"ü" %s.csv' run.dir=runs/x "${some[@]}"
rm -f $'a b\n"ü" %s.csv'
awk -F, 'NR == 1 { print } NR > 1 { print $1 ",1.10002,1.10000" }' ticks.csv >constant.csv
expect 3 'usable: the price is the same in all' -- run data.path=constant.csv run.dir=runs/x "${settings[@]}"
# Features that are NaN wherever there is a label, and events that never come: the line names what to change.
expect 3 'usable, .* NaN at each: late at [0-9]+ of them; shorten' -- run data.path=ticks.csv run.dir=runs/x "${settings[@]}" \
  features.set=none 'features.plan=[{name: late, op: rank, of: mid, window: 295}]'
expect 2 'features\.exclude.*windows shorter' -- run data.path=ticks.csv run.dir=runs/x "${settings[@]}" \
  features.set=none 'features.plan=[{name: late, op: rank, of: mid, window: 100000}]'
expect 3 'no event: .*labeling\.events\.threshold, 1e\+09.*lower it' -- run data.path=ticks.csv run.dir=runs/x "${settings[@]}" \
  labeling=cusum labeling.events.threshold=1e9
expect 3 'session' -- run data.path=ticks.csv run.dir=runs/x "${some[@]}" session.session_start=22:00 \
  session.session_end=22:01

# A date centuries off.
awk -F, 'NR == 1 { print "time,ask,bid" }
  NR > 1 { day = NR < 1500 ? "1700-01-04" : "2250-01-04"
    printf "%s 10:%02d:%02dZ,%s,%s\n", day, NR / 60 % 60, NR % 60, $2, $3 }' ticks.csv >centuries.csv
expect 3 '1700 to 2250' -- run data.path=centuries.csv run.dir=runs/x "${some[@]}"
expect 0 '' -- inspect centuries.csv

# A finished run that was damaged afterwards is not built upon.
"$FMLP" run data.path=ticks.csv run.dir=whole/base "${settings[@]}" >/dev/null 2>&1
from_damaged() { # FILE OFFSET
  rm -rf damaged && cp -r whole/base damaged
  printf '\377' | dd of="damaged/$1" bs=1 seek="$2" conv=notrunc status=none
  expect 3 "$1.*not what the run wrote" -- run --from damaged --stages backtest,risk,report run.dir=runs/x
}
from_damaged bars/open_time.npy 1007
from_damaged bars/bid_close_points.npy 331
from_damaged labels/end_bar.npy 137
from_damaged predictions/probability.npy 403
rm -rf damaged && cp -r whole/base damaged && rm damaged/labels/weight.npy
expect 3 'weight\.npy' -- run --from damaged --stages backtest,risk,report run.dir=runs/x

# Nothing but files belongs in a run's folder: a FIFO would be waited for without end.
from_fifo() { # FILE STATUS ARGUMENT...
  local file=$1 status=$2
  shift 2
  rm -rf damaged && cp -r whole/base damaged && rm "damaged/$file" && mkfifo "damaged/$file"
  expect "$status" "damaged/$file: not an ordinary file" -- "$@"
}
from_fifo bars/open_time.npy 3 run --from damaged --stages backtest,risk,report run.dir=runs/x
from_fifo manifest.json 3 run --from damaged --stages backtest,risk,report run.dir=runs/x
from_fifo manifest.json 3 verify damaged
from_fifo config.yaml 2 verify damaged
from_fifo bars/open_time.npy 3 verify damaged
from_fifo trades.csv 3 verify damaged

# A column cut short is bad input for who compares, too, and named.
rm -rf damaged && cp -r whole/base damaged && truncate -s -8 damaged/labels/weight.npy
expect 3 'damaged/labels/weight\.npy.*truncated' -- verify damaged

# Names that no folder can have are refused before the work.
expect 1 'too long' -- run data.path=ticks.csv "run.dir=$(printf 'x%.0s' {1..300})" "${some[@]}"
expect 2 'experiment\.name' -- run data.path=ticks.csv $'experiment.name=a\nb' "${some[@]}"
expect 2 'learning_rate' -- run data.path=ticks.csv model.params.learning_rate=1e-300 "${some[@]}"

# Too little memory: a line, and nothing left; also when OpenMP gives up before fmlp can.
expect 1 'memory.*runtime\.memory_limit_gb' -- run data.path=ticks.csv run.dir=runs/x "${settings[@]}" \
  runtime.memory_limit_gb=0.001
expect 0 '' -- run data.path=ticks.csv run.dir=runs/x "${settings[@]}" runtime.memory_limit_gb=2
if ! grep -qa __asan_init "$FMLP"; then # the sanitizer reserves far more address space
  for limit in 40000 50000 60000 70000 80000 100000 100000:full 200000:full 300000:full; do
    kilobytes=${limit%:*} level=spans
    [ "$limit" = "$kilobytes" ] || level=full # measures memory with buffers that may not be had
    current="address space of $kilobytes KiB, level $level"
    rm -rf runs
    (ulimit -v "$kilobytes" && exec timeout -k 1 60 "$FMLP" run data.path=ticks.csv run.dir=runs/x runtime.threads=4 \
      runtime.profile_level="$level" "${settings[@]}") >stdout 2>stderr
    got=$?
    if [ "$got" -eq 0 ] || grep -q 'error while loading shared libraries' stderr; then
      pass
    elif [ "$got" -eq 139 ] && grep -qa 'libomp\.so' "$FMLP"; then
      echo "not judged: $current (clang's OpenMP library calls itself without end to say that it has no memory)"
    elif [ "$got" -ne 1 ] || [ "$(grep -c '^fmlp: ' stderr)" -ne 1 ]; then
      fail "exit status $got"
    elif [ -n "$(ls -A runs 2>/dev/null)" ]; then
      fail 'something was left in runs/'
    else
      pass
    fi
  done
fi

# A library that aborts the program (XGBoost does where its threads find no memory): one line, and nothing left.
mkfifo waiting.csv
current='SIGABRT while reading'
rm -rf runs
"$FMLP" run data.path=waiting.csv run.dir=runs/x "${settings[@]}" >stdout 2>stderr &
pid=$!
for _ in $(seq 100); do
  [ -n "$(ls -A runs 2>/dev/null)" ] && break
  sleep 0.1
done
kill -ABRT "$pid"
wait "$pid"
got=$?
if [ "$got" -ne 1 ] || [ "$(grep -c '^fmlp: ' stderr)" -ne 1 ]; then
  fail "exit status $got"
elif [ -n "$(ls -A runs 2>/dev/null)" ]; then
  fail 'something was left in runs/'
else
  pass
fi

# Files and folders of somebody else, tried as nobody.
if [ "$(id -u)" -eq 0 ] && nobody=$(command -v setpriv) && mkdir others; then
  chmod 755 . && cp "$FMLP" others/fmlp && cp -r "$source_dir/configs" others/configs && chmod -R a+rX others
  cp ticks.csv secret.csv && chmod 600 secret.csv
  cp -r others/configs hidden && chmod 000 hidden
  mkdir -m 777 open
  denied() { # STATUS PATTERN ARGUMENT...
    local status=$1 pattern=$2 got
    shift 2
    current="as nobody: $*"
    "$nobody" --reuid=65534 --regid=65534 --clear-groups others/fmlp run --config-dir others/configs "$@" \
      "${some[@]}" >stdout 2>stderr
    got=$?
    if [ "$got" -eq "$status" ] && grep '^fmlp: ' stderr | grep -qE -- "$pattern" && [ -z "$(ls -A open)" ]; then
      pass
    else
      fail "exit status $got"
    fi
  }
  denied 3 'secret\.csv.*Permission denied' data.path=secret.csv run.dir=open/x
  denied 1 'locked.*Permission denied.*run\.dir' data.path=ticks.csv run.dir=locked/x
  denied 2 'hidden.*Permission denied' data.path=ticks.csv run.dir=open/x --config-dir hidden
else
  echo 'SKIPPED files of somebody else: needs root and setpriv'
fi

# Closed standard streams: no message may land in a file of the run.
run_whole() { # the run folder's files but those with times or paths in them
  (cd "$1" && find bars features labels folds predictions monte_carlo trades.csv equity.csv metrics.json \
    monte_carlo.json -type f -exec cksum {} + | sort -k3)
}
"$FMLP" run data.path=ticks.csv run.dir=whole/open "${settings[@]}" >/dev/null 2>&1
"$FMLP" run data.path=ticks.csv run.dir=whole/closed "${settings[@]}" runtime.log_level=debug <&- >&- 2>&-
current='all standard streams closed'
if diff <(run_whole whole/open) <(run_whole whole/closed) >stderr; then pass; else fail 'the outputs differ'; fi

# A pipe that breaks in the middle of a run.
rm -rf runs
for stream in 1 2; do
  current="standard stream $stream ends in a pipe that broke"
  { "$FMLP" run data.path=ticks.csv run.dir=runs/x "${settings[@]}" runtime.log_level=debug 2>&1 1>&3 |
    true; } 3>/dev/null
  if [ -z "$(find runs -name '*.partial' 2>/dev/null)" ]; then pass; else fail 'a temporary folder is left'; fi
  rm -rf runs
done

# Signals: one line, nothing left. A run that waits for its input hears them too.
"$FMLP" synth --seed 3 --ticks 300000 long.csv >/dev/null
mkfifo pipe
signalled() { # SIGNAL FILE
  current="SIG$1 while reading or computing from $2"
  rm -rf runs
  "$FMLP" run "data.path=$2" run.dir=runs/x bars.threshold=20 >stdout 2>stderr &
  local pid=$! got
  sleep 0.5
  kill "-$1" "$pid"
  (sleep 20 && kill -KILL "$pid") 2>/dev/null &
  local guard=$!
  wait "$pid"
  got=$?
  kill "$guard" 2>/dev/null
  if [ "$got" -eq 0 ]; then # it was faster than the signal
    pass
  elif [ "$got" -ne 130 ] || [ "$(grep -c '^fmlp: interrupted' stderr)" -ne 1 ]; then
    fail "exit status $got"
  elif [ -n "$(ls -A runs 2>/dev/null)" ]; then
    fail 'something was left in runs/'
  else
    pass
  fi
}
for signal in HUP TERM XCPU; do signalled "$signal" long.csv; done
signalled INT pipe # nobody writes: open() waits
sleep 30 >pipe &
writer=$!
signalled INT pipe # nobody writes a byte: read() waits
kill "$writer"
{ head -c 2000 ticks.csv; sleep 30; } >pipe &
writer=$!
signalled INT pipe # half a file
kill "$writer" 2>/dev/null

# Two runs of one name end in two folders, and each says where it is.
rm -rf runs
"$FMLP" run data.path=ticks.csv run.dir=runs/x "${settings[@]}" >first 2>stderr &
"$FMLP" run data.path=ticks.csv run.dir=runs/x "${settings[@]}" >second 2>stderr
second=$?
wait $!
current='two runs at once'
for output in first second; do
  folder=$(sed -n 's/^run *//p' "$output")
  if [ "$second" -eq 1 ] && [ "$output" = second ]; then # the first had finished by then
    pass
  elif [ -f "$folder/manifest.json" ] && [ "$(sed -n 's/^run *//p' first second | sort -u | wc -l)" -eq 2 ]; then
    pass
  else
    fail "$output says '$folder'; there is $(ls -A runs | tr '\n' ' ')"
  fi
done
finish
