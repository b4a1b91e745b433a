/* Entry points of the kernels of cuda/ on the host, by their numbers. */
#ifndef FMLP_TESTS_SIMT_KERNELS_H
#define FMLP_TESTS_SIMT_KERNELS_H

#include "tests/simt/simt.h"

#include "cuda/kernels.h"

extern const fmlp_simt_entry fmlp_simt_entries[FMLP_GPU_KERNEL_COUNT];

#endif
