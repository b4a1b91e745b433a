#!/usr/bin/env bash
# What fmlp profile show prints is what Python's pstats prints for the exported file, byte for byte: for a fixed profile,
# ones at random and a real run's, for sort keys, restrictions, callers and callees, with every Python 3.8 or later that
# is found.
source "$(dirname "$0")/harness.sh"
cases=$source_dir/tests/cli/pstats_cases.py
interpreters=() versions=' '
for python in $(command -v python3 python3.8 python3.9 python3.1{0..9} || true) "$HOME"/.pyenv/versions/3.*/bin/python3; do
  version=$("$python" -c 'import sys; sys.version_info < (3, 8) or print(sys.version.split()[0])' 2>/dev/null || true)
  if [ -n "$version" ] && [[ $versions != *" $version "* ]]; then
    interpreters+=("$python")
    versions+="$version "
  fi
done
if [ ${#interpreters[@]} -eq 0 ]; then
  echo 'skipped: no Python 3.8 or later'
  exit 77
fi
newest=${interpreters[0]}
for python in "${interpreters[@]}"; do
  if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))'; then newest=$python; fi
done
expect 0 '' -- synth --ticks 20000 ticks.csv
expect 0 '' -- run data.path=ticks.csv bars.threshold=20 labeling.volatility.window=20 labeling.side=both \
  model.params.n_estimators=5 validation=purged_kfold run.dir=full
seed=${FMLP_SEED:-$RANDOM}
files=("$source_dir/tests/golden/profile.json" full)
for number in 1 2 3; do
  "$newest" "$cases" capture $((seed + number)) random"$number".json
  files+=(random"$number".json)
done
writer=$(dirname "$FMLP")/tests/write_profile
if [ -x "$writer" ]; then # with devices
  "$writer" fixture fixture.fmlprof && "$writer" random "$seed" 300 200 random4.fmlprof
  files+=(fixture.fmlprof random4.fmlprof)
fi
current="FMLP_SEED=$seed"
if "$newest" "$cases" make "$FMLP" "$seed" cases "${files[@]}" 2>stderr; then pass; else fail 'fmlp refuses a request'; fi
for python in "${interpreters[@]}"; do
  current="FMLP_SEED=$seed, $("$python" --version)"
  if "$python" "$cases" check cases >differences 2>stderr; then pass; else fail "$(head -n 40 differences)"; fi
  tail -n 1 differences
done
finish
