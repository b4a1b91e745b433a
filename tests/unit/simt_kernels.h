/* Small kernels for tests of tests/simt/: their argument, and running one. */
#ifndef FMLP_TESTS_UNIT_SIMT_KERNELS_H
#define FMLP_TESTS_UNIT_SIMT_KERNELS_H

#include <stdio.h>

#include "tests/simt/simt.h"
/* after it */
#include "cuda/kernel.h"

struct arguments {
  const double *input;
  double *output;
  unsigned *counter;
  int wrong; /* which fault, 0 for none */
};

/* What was found, empty for nothing. */
template <auto Kernel>
const char *run(const char *name, const arguments &args, int64_t blocks, int32_t threads, int64_t shared,
                uint64_t seed) {
  return fmlp_simt_launch(name, fmlp_simt_call<Kernel>::run, &args, blocks, threads, shared, seed);
}

#endif
