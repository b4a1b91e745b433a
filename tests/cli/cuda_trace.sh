#!/usr/bin/env bash
# Profiles of a GPU's work, without a GPU: FMLP is the program over the CUDA runtime of tests/cuda/fake_cudart.h, which
# tells the libcupti of tests/cuda/fake_libcupti.h what it does. Every operation belongs to a span; where CUPTI is not to
# be had the run is the same, its profile has the host's part and one reason.
#
#   FMLP_FAKE_CUPTI, FMLP_OLD_CUPTI   folders of libcupti.so.13, the second of one that lacks a function
source "$(dirname "$0")/harness.sh"
: "${FMLP_FAKE_CUPTI:?}" "${FMLP_OLD_CUPTI:?}"
unset FMLP_DEVICE
quotes 6000
export FMLP_FAKE_CUDA_TRACE=1 CUDA_HOME=$work/no-toolkit
settings=(--config-dir "$source_dir/configs" data.path=ticks.csv bars.threshold=10 model.params.n_estimators=3
  risk.monte_carlo.n_sims=64)
full=runtime.profile_level=full
outputs=(bars features labels folds predictions monte_carlo trades.csv equity.csv metrics.json monte_carlo.json)
expect 0 '' -- run "${settings[@]}" --device cpu run.dir=reference

# same RUN: its outputs are the reference's
same() {
  local output
  for output in "${outputs[@]}"; do
    diff -r "reference/$output" "$1/$output" >"$work/stdout" 2>&1 || { fail "$1/$output differs"; return; }
  done
  pass
}

# lines RUN PATTERN COUNT: so many lines of its report match
lines() {
  local got
  current="$1: '$2'"
  got=$(grep -cE -- "$2" "$1/profile/profile.txt")
  if [ "$got" -eq "$3" ]; then pass; else fail "$got lines instead of $3: $(grep GPU "$1/profile/profile.txt")"; fi
}

# ---- a traced run ----
current='a traced run'
export LD_LIBRARY_PATH=$FMLP_FAKE_CUPTI${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export FMLP_CUPTI_DUMP=$work/buffers
expect 0 '' -- run "${settings[@]}" --device cuda $full run.dir=traced
unset FMLP_CUPTI_DUMP
same traced
lines traced '^GPU timeline: [1-9][0-9]* operations, [1-9][0-9]* calls; busy [0-9.]+ % of the wall time\.$' 1
lines traced '^Unattributed: |^Of devices: ' 0
lines traced "^The devices' clocks agree with the host's to [0-9]+ ns" 1
current='the operations that CUDA was asked for'
operations=$(sed -n 's/^GPU timeline: \([0-9]*\) .*/\1/p' traced/profile/profile.txt)
if [ "${operations:-0}" -ge 50 ]; then pass; else fail "${operations:-0} operations"; fi
current='the file of raw buffers'
if [ "$(head -c 10 buffers)" = FMLPCUPTI1 ] && [ "$(wc -c <buffers)" -gt 10000 ]; then pass; else fail 'not written'; fi

# Three streams, kernels under the spans that launched them, copies with their sizes.
"$FMLP" profile export --format chrome -o "$work/trace.json" traced >stdout 2>stderr
for word in '"Fake GPU 0"' '"copy to the device"' '"copy from the device"' '"cudaLaunchKernel"' rolling_ barrier_search monte_carlo; do
  current="$word in the timeline"
  if grep -q -- "$word" trace.json; then pass; else fail 'not there'; fi
done

# Every format, read strictly, with totals equal to the nanosecond, devices and all.
if command -v python3 >/dev/null; then
  mkdir formats
  for format in pstats=out.prof chrome=trace.json speedscope=scope.json collapsed=out.folded dot=out.dot csv=table.csv \
    html=page.html; do
    expect 0 '' -- profile export --format "${format%%=*}" -o "formats/${format#*=}" traced
  done
  for format in text json; do
    expect 0 '' -- profile table --format "$format" traced
    mv stdout "formats/table.${format/text/txt}"
  done
  current='the formats of a traced run'
  if python3 "$source_dir/tests/cli/profile_formats.py" formats real >stdout 2>stderr; then pass; else fail 'they differ'; fi
else
  echo 'SKIPPED the formats: no python3'
fi

# ---- a run that is not traced, and one that starts again ----
expect 0 '' -- run "${settings[@]}" --device cuda run.dir=spans
same spans
lines spans '^GPU timeline' 0
current='a device that fails in the middle'
FMLP_FAKE_CUDA_FAIL_AT=400 FMLP_FAKE_CUDA_LOST=1 "$FMLP" run "${settings[@]}" --device auto $full run.dir=again \
  >stdout 2>stderr
if [ $? -eq 0 ] && grep -q 'starting again on the cpu' stderr; then pass; else fail 'it did not go on'; fi
same again
lines again '^GPU timeline: none: no GPU was used\.$' 1

# ---- refusals ----
# refused REASON [VARIABLE=VALUE...]: the run is right, its report has one line about the GPU, with this reason
refused() {
  local reason=$1
  shift
  rm -rf on
  current="refused: $reason"
  if ! env "$@" "$FMLP" run "${settings[@]}" --device cuda $full run.dir=on >stdout 2>stderr; then
    fail 'the run failed'
    return
  fi
  same on
  lines on '^GPU timeline' 1
  lines on "^GPU timeline: $reason" 1
  lines on '^.{10,} common/pipeline\.c:[0-9]+\(model\)$' 1
}
refused 'collected by Nsight Systems, so not here' FMLP_FAKE_CUPTI_SUBSCRIBE=39 \
  'FMLP_FAKE_CUPTI_HOLDER=CUPTI for Nsight Systems'
refused 'collected by another tool' FMLP_FAKE_CUPTI_SUBSCRIBE=39
refused 'none: cuptiSubscribe_v2: CUPTI_ERROR_UNKNOWN \(999\)' FMLP_FAKE_CUPTI_SUBSCRIBE=999
refused 'none: cuptiActivityEnable\(CONCURRENT_KERNEL\): .*\(35\).*administrator' FMLP_FAKE_CUPTI_ENABLE=35
refused 'none: CUPTI is of version 120000' FMLP_FAKE_CUPTI_VERSION=120000
refused 'none: libcupti.so.13 lacks cuptiSubscribe_v2' "LD_LIBRARY_PATH=$FMLP_OLD_CUPTI"
refused "$operations operations" FMLP_FAKE_CUPTI_TIMESTAMP=27 # by paired readings
mkdir broken && echo text >broken/libcupti.so.13
refused 'none: libcupti.so.13 cannot be loaded' "LD_LIBRARY_PATH=$work/broken"
current='lost records'
if FMLP_FAKE_CUPTI_DROPPED=9 "$FMLP" run "${settings[@]}" --device cuda $full run.dir=lost >stdout 2>stderr; then
  lines lost '^Of devices: 9 operations dropped' 1
else
  fail 'the run failed'
fi

# Without the linker's cache, in which this machine may have a libcupti.
loader=$(sed -n 's/.*\[Requesting program interpreter: \(.*\)\]/\1/p' <(readelf -l "$FMLP" 2>/dev/null))
if [ -n "$loader" ] && env -u LD_LIBRARY_PATH "$loader" --inhibit-cache "$FMLP" --version >stdout 2>&1; then
  current='no libcupti at all'
  if env -u LD_LIBRARY_PATH "$loader" --inhibit-cache "$FMLP" run "${settings[@]}" --device cuda $full run.dir=none \
    >stdout 2>stderr; then
    lines none '^GPU timeline: none: libcupti.so.13 not found; .*CUDA_HOME' 1
  else
    fail 'the run failed'
  fi
else
  echo "SKIPPED no libcupti at all: the program does not start without the linker's cache"
fi

# ---- what fmlp devices says ----
expect 0 'GPU timeline: yes, by CUPTI' -- devices
current='devices, with another tool'
if FMLP_FAKE_CUPTI_SUBSCRIBE=39 "$FMLP" devices >stdout 2>stderr && grep -q 'GPU timeline: no: collected by' stdout; then
  pass
else
  fail 'not told'
fi
finish
