/* Kernels by number, run on the host (tests/simt/). */
#ifndef FMLP_TESTS_CUDA_FAKE_LAUNCH_H
#define FMLP_TESTS_CUDA_FAKE_LAUNCH_H

#include <stddef.h>
#include <stdint.h>

/* Empty text when it went well, else what was found. */
const char *fmlp_fake_launch(int kernel, const void *args, int64_t blocks, int threads, int64_t shared,
                             uint64_t seed);
/* Bytes of the kernel's parameter. */
size_t fmlp_fake_args_size(int kernel);

#endif
