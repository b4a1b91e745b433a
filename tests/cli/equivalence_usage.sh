#!/usr/bin/env bash
# The command line of fmlp_equivalence: words that mean nothing are told with the nearest that do, and how far it is
# stands on a terminal only.
source "$(dirname "$0")/harness.sh"
program=$(dirname "$FMLP")/tests/fmlp_equivalence
[ -x "$program" ] || { echo "SKIPPED: $program is not built (FMLP_TEST_BACKENDS=ON)"; exit 77; }

refuses() { # PATTERN ARGUMENT...
  local pattern=$1 got
  shift
  current="fmlp_equivalence $*"
  "$program" "$@" >stdout 2>stderr
  got=$?
  if [ "$got" -ne 2 ] || [ "$(wc -l <stderr)" -ne 1 ]; then
    fail "exit status $got"
  elif ! grep -qE -- "$pattern" stderr; then
    fail "does not say '$pattern'"
  else
    pass
  fi
}
refuses 'stdd: .*no such operator; did you mean std\?' rolling --operator stdd
refuses 'momets: .*no such family; did you mean moments\?' rolling --family momets
refuses 'search: .*no such family' monte_carlo --family search
refuses 'resolv: .*did you mean resolve\?' --family resolv
refuses 'noize: .*no such data set; did you mean noise\?' rolling --data walk,noize
refuses '^fmlp_equivalence: --operator: only .* rolling' monte_carlo --operator std
refuses '^fmlp_equivalence: --window: only .* rolling' triple_barrier --window 5
refuses 'a block has 32, 64, 96 \.\.\. 1024 threads.*33' rolling --threads 33
refuses 'only inputs can be spilled alone' rolling --spill=outputs

some=(rolling --family extremes --operator max --window 20 --backend cpu)
current='without a terminal'
if "$program" "${some[@]}" >stdout 2>stderr && [ ! -s stderr ] && grep -q ' 0 elements differ' stdout; then pass; else fail 'is not quiet'; fi
if command -v script >/dev/null; then
  current='on a terminal'
  script -qec "$program rolling --family pointwise --backend paranoid --size normal --part 0/4" /dev/null >stdout 2>&1
  if tr '\r' '\n' <stdout | grep -qE 'rolling +[0-9]+ %  [0-9.]+ s'; then pass; else fail 'no progress is drawn'; fi
else
  echo 'SKIPPED: the progress line needs script(1)'
fi
finish
