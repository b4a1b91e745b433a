#!/usr/bin/env bash
# Options of the build that mean nothing are refused in one line, instead of being taken for OFF or given to nvcc.
source "$(dirname "$0")/harness.sh"
command -v cmake >/dev/null || { echo 'SKIPPED: no cmake here'; exit 77; }

# takes STATUS PATTERN OPTION...
takes() {
  local status=$1 pattern=$2 got
  shift 2
  current="cmake $*"
  cmake "$@" -P "$source_dir/cmake/FmlpCudaOptions.cmake" >stdout 2>stderr
  got=$?
  tr -s '\n ' ' ' <stderr >line
  if [ "$got" -ne "$status" ]; then
    fail "exit status $got"
  elif [ -n "$pattern" ] && ! grep -qE -- "$pattern" line; then
    fail "does not say '$pattern'"
  else
    pass
  fi
}
for value in AUTO ON OFF on; do takes 0 '' -DFMLP_CUDA=$value; done
for value in maybe on2 Auto ''; do takes 1 "FMLP_CUDA=$value: it is AUTO" -DFMLP_CUDA=$value; done
for value in 90 90a 90-real '75-virtual;80-real' native all-major ''; do
  takes 0 '' -DFMLP_CUDA=AUTO "-DFMLP_CUDA_ARCHITECTURES=$value"
done
takes 1 'for sm_90 write 90 ' -DFMLP_CUDA=AUTO -DFMLP_CUDA_ARCHITECTURES=sm_90
takes 1 'for compute_90a write 90a ' -DFMLP_CUDA=AUTO '-DFMLP_CUDA_ARCHITECTURES=80;compute_90a'
takes 1 'hopper is no architecture' -DFMLP_CUDA=AUTO -DFMLP_CUDA_ARCHITECTURES=hopper
takes 1 '9\.0 is no architecture' -DFMLP_CUDA=AUTO -DFMLP_CUDA_ARCHITECTURES=9.0
takes 1 'did you mean FMLP_CUDA_ARCHITECTURES' -DFMLP_CUDA=AUTO -DFMLP_CUDA_ARCH=90
finish
