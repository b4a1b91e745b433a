/* The parameters of the kernels in rolling_extremes.cuh. */
#ifndef FMLP_CUDA_ROLLING_EXTREMES_H
#define FMLP_CUDA_ROLLING_EXTREMES_H

#include "cuda/rolling_kernels.h"

/* Consecutive rows of a thread. Odd, so that threads that walk their rows side by side meet different banks
 * of shared memory without padding. */
enum { FMLP_GPU_EXTREMES_RUN = 9 };

/* Windows of up to RUN rows. */
typedef struct fmlp_gpu_extremes_short_args {
  int64_t first, last, origin;
  fmlp_gpu_column a;
  fmlp_gpu_target target;
} fmlp_gpu_extremes_short_args;

/* Windows that fit a block's tile. */
typedef struct fmlp_gpu_extremes_tile_args {
  int64_t first, last; /* rows to produce */
  int64_t base;        /* first row of the operand that exists or matters */
  fmlp_gpu_column a;
  int32_t halo; /* rows of a tile in front of its first result: the widest window - 1 and a run - 1 at least,
            so that no thread with a result looks beyond the tile */
  int32_t negative; /* one side: maxima, as the minima of the negated column */
  int32_t target_count;
  fmlp_gpu_target targets[FMLP_GPU_TARGETS]; /* ascending windows */
} fmlp_gpu_extremes_tile_args;

/* Larger windows: rows base .. last-1 in segments of one block's rows, the first beginning at base. */
typedef struct fmlp_gpu_extremes_segments_args {
  int64_t first, last, base;
  fmlp_gpu_column a;
  int64_t segments;
  int32_t negative;    /* maxima, as the minima of the negated column */
  int32_t level;       /* of the table: the one to build */
  double *suffix;      /* [last - base] extreme from a row to the end of its segment */
  int32_t *suffix_row; /* [last - base] where it stands in the segment; NULL without arg* */
  double *table;       /* [levels][segments] extreme of the 2^level segments that end at one */
  int64_t *table_row;  /* [levels][segments] where it stands, counted from base; NULL without arg* */
  int32_t target_count;
  fmlp_gpu_target targets[FMLP_GPU_TARGETS];
} fmlp_gpu_extremes_segments_args;

#endif
