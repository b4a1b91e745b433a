/* The kernels for fake_cudart.cpp, in a file of their own: CUDA's headers and tests/simt/simt.h both define
 * double2. */
#include "tests/cuda/fake_launch.h"

#include "tests/simt/kernels.h"

const char *fmlp_fake_launch(int kernel, const void *args, int64_t blocks, int threads, int64_t shared,
                             uint64_t seed) {
  return fmlp_simt_launch(fmlp_gpu_kernel_names[kernel], fmlp_simt_entries[kernel].run, args, blocks, threads,
                          shared, seed, false);
}

size_t fmlp_fake_args_size(int kernel) {
  return (size_t)fmlp_simt_entries[kernel].args_size;
}
