# Shared by the command-line tests: sourced, not run.
#
#   FMLP=path/to/fmlp  bash tests/cli/NAME.sh
#
# expect STATUS PATTERN -- ARGUMENT...   runs `fmlp ARGUMENT...`: exit status STATUS; on failure exactly one line on
#                                        standard error that begins with "fmlp: " and matches PATTERN (grep -E), and
#                                        neither a run folder nor a temporary left under $work/runs
# finish                                 prints the tally, exits non-zero when anything failed
set -uo pipefail
: "${FMLP:?set FMLP to the program under test}"
FMLP=$(realpath "$FMLP")
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export FMLP_DEVICE=cpu
# The folder is made and removed by a shell of its own: a trap in this one would also be run by a child that a signal
# ends before it has become the program, and take the folder away from under the test.
if [ -z "${FMLP_TEST_WORK:-}" ]; then
  FMLP_TEST_WORK=$(mktemp -d)
  export FMLP_TEST_WORK
  bash "$0" "$@"
  status=$?
  chmod -R u+w "$FMLP_TEST_WORK" 2>/dev/null
  rm -rf "$FMLP_TEST_WORK"
  exit "$status"
fi
work=$FMLP_TEST_WORK
unset FMLP_TEST_WORK
cd "$work"
passed=0 failed=0

pass() {
  passed=$((passed + 1))
}

fail() {
  failed=$((failed + 1))
  echo "FAILED ${current:-}: $1"
  [ ! -s "$work/stderr" ] || sed 's/^/    stderr: /' "$work/stderr" | head -n 5
}

expect() {
  local status=$1 pattern=$2 got
  shift 3
  current="fmlp $*"
  rm -rf "$work/runs"
  # The child stays in the background of no job control, so that SIGINT tests can reach it alone.
  "$FMLP" "$@" >"$work/stdout" 2>"$work/stderr"
  got=$?
  if [ "$got" -ne "$status" ]; then
    fail "exit status $got instead of $status"
    return
  fi
  if [ "$status" -ne 0 ]; then
    local errors
    errors=$(grep -c '^fmlp: ' "$work/stderr")
    if [ "$errors" -ne 1 ]; then
      fail "$errors error lines instead of 1"
      return
    fi
    # No pipe into grep -q: it may stop reading early, and pipefail would take the writer's SIGPIPE for a mismatch.
    grep '^fmlp: ' "$work/stderr" >"$work/line"
    if ! grep -qE -- "$pattern" "$work/line"; then
      fail "the error line does not match '$pattern'"
      return
    fi
    if [ -d "$work/runs" ] && [ -n "$(ls -A "$work/runs" 2>/dev/null)" ]; then
      fail "something was left behind: $(find "$work/runs" | head -n 3 | tr '\n' ' ')"
      return
    fi
  elif [ -n "$pattern" ] && ! grep -qE -- "$pattern" "$work/stdout" "$work/stderr"; then
    fail "the output does not match '$pattern'"
    return
  fi
  pass
}

# quotes N [FILE]: N well-formed quotes, a second apart, on Monday 2024-01-08
quotes() {
  awk -v n="$1" 'BEGIN { print "timestamp,askPrice,bidPrice"; s = 12345
    for (i = 0; i < n; i++) { s = (s * 1103515245 + 12345) % 2147483648; w += (s % 7) - 3
      printf "%.0f,1.%05d,1.%05d\n", 1704672000000 + i * 1000, 10002 + w, 10000 + w } }' >"${2:-$work/ticks.csv}"
}

finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit
}
