/* The simt runtime (cuda/runtime.h on the host) as tests see it. */
#ifndef FMLP_TESTS_SIMT_RUNTIME_H
#define FMLP_TESTS_SIMT_RUNTIME_H

#include "cuda/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const fmlp_gpu_runtime fmlp_simt_runtime;

/* What the next devices are like. 0 stands for the default. */
typedef struct fmlp_simt_setup {
  uint64_t seed;            /* of the schedules */
  int64_t memory;           /* bytes of device memory; default 4 GiB */
  int64_t shared_per_block; /* bytes; default 99 KiB, the least of the architectures built for */
  int32_t threads_per_block;
} fmlp_simt_setup;

void fmlp_simt_configure(const fmlp_simt_setup *setup);

#ifdef __cplusplus
}
#endif
#endif
