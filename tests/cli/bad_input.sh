#!/usr/bin/env bash
# Bad data: right exit status, one clear line that says what and where, nothing left behind.
source "$(dirname "$0")/harness.sh"

run() { # FILE [override...]
  local file=$1
  shift
  echo run "data.path=$file" run.dir=runs/here bars.threshold=10 model.params.n_estimators=5 \
    risk.monte_carlo.n_sims=100 validation.embargo_bars=5 "$@"
}

reads_as_error() { # PATTERN FILE
  # shellcheck disable=SC2046
  expect 3 "$1" -- $(run "$2")
}

quotes 5000 good.csv

reads_as_error 'absent\.csv' absent.csv
mkdir folder.csv
reads_as_error 'folder\.csv.*folder' folder.csv
: >empty.csv
reads_as_error 'empty\.csv' empty.csv
head -n 1 good.csv >header.csv
reads_as_error 'header\.csv' header.csv
head -c 20000 /dev/urandom >noise.csv
reads_as_error 'noise\.csv' noise.csv
gzip -c good.csv | head -c 8000 >cut.csv.gz
reads_as_error 'cut\.csv\.gz' cut.csv.gz
zstd -qc good.csv | head -c 8000 >cut.csv.zst
reads_as_error 'cut\.csv\.zst' cut.csv.zst

broken() { # NAME LINE TEXT: good.csv with one line replaced
  sed "$2s/.*/$3/" good.csv >"$1.csv"
}
broken columns 101 '1704672099000,1.10002'
reads_as_error 'columns\.csv:101' columns.csv
broken extra 102 '1704672099000,1.10002,1.10001,7,8'
reads_as_error 'extra\.csv:102' extra.csv
broken text 103 '1704672099000,1.10002,abc'
reads_as_error 'text\.csv:103.*abc' text.csv
broken nan 104 '1704672099000,nan,1.10002'
reads_as_error 'nan\.csv:104.*nan' nan.csv
broken infinite 105 '1704672099000,inf,1.10002'
reads_as_error 'infinite\.csv:105.*inf' infinite.csv
broken zero 106 '1704672099000,0,1.10002'
reads_as_error 'zero\.csv:106' zero.csv
broken negative 107 '1704672099000,1.10002,-1.10002'
reads_as_error 'negative\.csv:107' negative.csv
broken overflow 108 '1704672099000,99999999999.10002,1.10002'
reads_as_error 'overflow\.csv:108' overflow.csv
broken blank 109 '1704672099000,,1.10002'
reads_as_error 'blank\.csv:109' blank.csv
broken time 110 'yesterday,1.10003,1.10002'
reads_as_error 'time\.csv:110.*yesterday' time.csv

# Skipped rows are counted and the run goes on.
# shellcheck disable=SC2046
expect 0 'skipped: 1 bad row' -- $(run text.csv data.bad_rows=skip run.dir=ok/skip session.session_end=24:00)

# Few rows.
quotes 1 one.csv
reads_as_error 'bar' one.csv
quotes 9 few.csv
reads_as_error 'bar' few.csv
quotes 300 folds.csv
reads_as_error 'event|label|fold' folds.csv

# Harmless variations give the same bars.
# shellcheck disable=SC2046
expect 0 '' -- $(run good.csv run.dir=ok/plain)
sed 's/$/\r/' good.csv >crlf.csv
printf '\xef\xbb\xbf' | cat - good.csv >bom.csv
head -c -1 good.csv >nofinal.csv
gzip -c good.csv >good.csv.gz
zstd -qc good.csv >good.csv.zst
for variation in crlf.csv bom.csv nofinal.csv good.csv.gz good.csv.zst; do
  # shellcheck disable=SC2046
  expect 0 '' -- $(run "$variation" "run.dir=ok/$variation")
  current="$variation against the plain file"
  if diff -r ok/plain/bars "ok/$variation/bars" >/dev/null && cmp -s ok/plain/trades.csv "ok/$variation/trades.csv"; then
    pass
  else
    fail "the results differ"
  fi
done

# Unsorted input is sorted and counted; or refused when asked.
{ head -n 1 good.csv; tail -n +2 good.csv | sort -t, -k2,2 -s; } >unsorted.csv
# shellcheck disable=SC2046
expect 0 'out of order' -- $(run unsorted.csv run.dir=ok/unsorted)
# shellcheck disable=SC2046
expect 3 'unsorted\.csv|order|sort' -- $(run unsorted.csv cleaning.sort=false)

# Crossed quotes and duplicate times are counted by rule.
sed '50s/.*/1704672048000,1.10000,1.20000/' good.csv >crossed.csv
# shellcheck disable=SC2046
expect 0 'dropped: 1 crossed' -- $(run crossed.csv run.dir=ok/crossed)
# shellcheck disable=SC2046
expect 3 'cross' -- $(run crossed.csv cleaning.crossed=error)
sed '50p' good.csv >duplicate.csv
# shellcheck disable=SC2046
expect 0 'dropped: 1 duplicate' -- $(run duplicate.csv cleaning.duplicate_timestamps=first run.dir=ok/duplicate)

# A window longer than the series is a warning, the column is NaN.
cat >long.yaml <<'YAML'
YAML
# shellcheck disable=SC2046
expect 0 'window|longer' -- $(run good.csv run.dir=ok/long '+features.plan=[{name:far,op:mean,of:close,window:100000}]')

# Bars that need sizes.
# shellcheck disable=SC2046
expect 3 'size' -- $(run good.csv bars.type=volume)

# Legal settings that are hardly meant are warned of: bars of one tick each, positions of hundreds of times the capital.
awk -F, 'NR == 1 { print "timestamp,price,volume" } NR > 1 { printf "%s,%.5f,%d\n", $1, $2 * 150, 100 + NR % 7 }' good.csv \
  >shares.csv
# shellcheck disable=SC2046
expect 0 'hold a single tick.*raise it' -- $(run shares.csv bars.type=volume bars.threshold=50 run.dir=ok/single --stages bars)
# shellcheck disable=SC2046
expect 0 'times the capital.*us_equity' -- $(run shares.csv run.dir=ok/leverage)
# shellcheck disable=SC2046
expect 0 '' -- $(run shares.csv run.dir=ok/equity backtest=us_equity)
current='no warning where the contract fits'
if grep -q 'times the capital' stderr; then fail "warned"; else pass; fi
# shellcheck disable=SC2046
expect 0 'data.test_path: left out' -- $(run good.csv run.dir=ok/partial data.test_path=good.csv --stages labels)

finish
