/* A CUDA runtime for tests of cuda/backend.cu on a machine without a GPU: the functions that file calls, over
 * host memory and the kernels of tests/simt/. Linked into a program in front of libcudart_static, it takes
 * its place.
 *
 * Work in streams is put off and done as late or as early as its order allows, by a seed: what the host code
 * forgot to order, or wrote into a staging buffer too soon, comes out as a changed result. */
#ifndef FMLP_TESTS_CUDA_FAKE_CUDART_H
#define FMLP_TESTS_CUDA_FAKE_CUDART_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 0 stands for the default, in brackets. */
typedef struct fmlp_fake_cuda {
  int devices;      /* [1]; -1: none */
  int capability;   /* [90] */
  int compute_mode; /* cudaComputeMode [0] */
  int driver;       /* version [as the runtime] */
  int64_t memory;   /* bytes of each device [4 GiB] */
  int registers;    /* of every kernel, a thread [32] */
  uint64_t seed;    /* of the order of work */
  int64_t fail_at;  /* the call, counted from 1 after configuring, that fails; 0: none */
  int fail_with;    /* cudaError_t [cudaErrorUnknown] */
  bool lost;        /* every call after that one fails too */
} fmlp_fake_cuda;

void fmlp_fake_cuda_configure(const fmlp_fake_cuda *setup);

/* Calls since configuring that could have failed. */
int64_t fmlp_fake_cuda_calls(void);

/* The name of the call that was made to fail; "" when none was. */
const char *fmlp_fake_cuda_failed(void);

/* Allocations, streams and events that have not been given back. */
int64_t fmlp_fake_cuda_alive(void);

/* What was done that CUDA does not allow, first case in words; "" when nothing was. */
const char *fmlp_fake_cuda_misuse(void);

#ifdef __cplusplus
}
#endif
#endif
