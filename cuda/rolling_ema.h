/* The parameter of the kernels in rolling_ema.cuh, and what they keep in device memory. */
#ifndef FMLP_CUDA_ROLLING_EMA_H
#define FMLP_CUDA_ROLLING_EMA_H

#include "cuda/rolling_kernels.h"

/* The shape of a scan, as in cpu/rolling.c. */
enum { FMLP_GPU_EMA_BLOCK = 64, FMLP_GPU_EMA_BLOCKS = 64, FMLP_GPU_EMA_SUPER = 64 * 64 };

/* Kept from chunk to chunk; all zero before the first. "Here" is the beginning of the super-block that the
 * next row to come lies in. */
typedef struct fmlp_gpu_ema_state {
  unsigned long long origin_key; /* ~r0, so that the largest key is the first row; 0: no row yet that is not
                                    NaN */
  double origin_value;           /* x[r0] */
  double last_valid;             /* the newest x before here that is not NaN */
  double mean, variance, bias;   /* S of the three scans here */
} fmlp_gpu_ema_state;

/* Powers and the scan over ones, the same for every super-block. */
typedef struct fmlp_gpu_ema_tables {
  double p[FMLP_GPU_EMA_BLOCK + 1], q[FMLP_GPU_EMA_BLOCKS + 1]; /* of the decay of mean and variance */
  double bias_p[FMLP_GPU_EMA_BLOCK + 1], bias_q[FMLP_GPU_EMA_BLOCKS + 1];
  double bias_local[2][FMLP_GPU_EMA_BLOCK];    /* [0] of the block that begins at r0, [1] of every other */
  double bias_sum[2][FMLP_GPU_EMA_BLOCKS + 1]; /* c(g): [0] of super-block 0, [1] of every other */
} fmlp_gpu_ema_tables;

/* Rows [first, last) of one target. The super-blocks they touch are numbered from that of the first row; the
 * arrays have one element for each. */
typedef struct fmlp_gpu_ema_args {
  int64_t first, last;
  fmlp_gpu_column a;
  fmlp_gpu_target target;
  double gain, decay, variance_gain, bias_gain, bias_decay, unbias;
  fmlp_gpu_ema_state *state;
  fmlp_gpu_ema_tables *tables;
  int64_t *last_row;              /* the newest row that is not NaN, or -1 */
  double *fill;                   /* x that NaNs at the start repeat; only where the first row is one */
  double *mean, *variance, *bias; /* what the super-block adds, then S in front of it */
  int32_t moment;                 /* chain: 0 mean, 1 variance and bias */
  int32_t unused;
} fmlp_gpu_ema_args;

#endif
