#!/usr/bin/env bash
# tests/gpu/run, the script for the machine with a GPU, rehearsed on the backend simt, so that it works when its time
# comes: each step's verdict, a second run into the same folder, its JSON.
source "$(dirname "$0")/harness.sh"
build=$(dirname "$FMLP")
if ! "$FMLP" devices | grep '^simt available' >/dev/null; then
  echo 'SKIPPED: this program was built without simt (FMLP_TEST_BACKENDS=ON)'
  exit 77
fi
for program in "$build/tests/fmlp_equivalence" "$build/fmlp_bench"; do
  [ -x "$program" ] || { echo "SKIPPED: $program is not built"; exit 77; }
done

# rehearse STATUS ARGUMENT...: output in stdout, stderr and out/results.json
rehearse() {
  local status=$1 got
  shift
  current="tests/gpu/run $*"
  bash "$source_dir/tests/gpu/run" --rehearse --build "$build" --out "$work/out" "$@" >stdout 2>stderr
  got=$?
  if [ "$got" -eq "$status" ]; then pass; else fail "exit status $got instead of $status: $(tail -n 2 stdout | tr '\n' ' ')"; fi
}
# says PATTERN FILE
says() {
  if grep -qE -- "$1" "$2"; then pass; else fail "$2 does not match '$1'"; fi
}

rehearse 0 --only profile
current='the profile step'
says '^== profile +passed .* level full costs' stdout
says '"profile": \{"status": "passed".*"figures": \{"operations": 0.*"overhead_percent": -?[0-9]' out/results.json
if command -v python3 >/dev/null; then
  if python3 -m json.tool out/results.json >/dev/null 2>stderr; then pass; else fail 'results.json is no JSON'; fi
fi

for turn in first second; do
  rehearse 0 --only verify,end_to_end
  current="the $turn run"
  says '^== verify synthetic passed .*cpu = simt: every output is equal' stdout
  says '^== end_to_end +passed' stdout
  if grep -E '^== .*(failed|skipped)' stdout >unwanted; then fail "$(cat unwanted)"; else pass; fi
  says '"rehearsal": true' out/results.json
  says '"verify synthetic": \{"status": "passed"' out/results.json
  says '"device": "simt", "median_microseconds": [0-9]+' out/results.json
  says '"differing_outputs": 0' out/verify-synthetic.json
  if command -v python3 >/dev/null; then
    if python3 -m json.tool out/results.json >/dev/null 2>stderr; then pass; else fail 'results.json is no JSON'; fi
  fi
done

# A device that fails is a step that fails, in the JSON too, whatever comes after it.
export FMLP_SIMT_FAULT=lose_device=30
rehearse 1 --only verify,end_to_end
says '^== verify synthetic failed .*exit 4' stdout
says '^== end_to_end +failed .*exit 4' stdout
says '"median_microseconds": null' out/results.json
unset FMLP_SIMT_FAULT

current='an unknown step'
bash "$source_dir/tests/gpu/run" --rehearse --only nonsense >stdout 2>stderr
if [ $? -eq 2 ]; then pass; else fail 'is accepted'; fi
finish
