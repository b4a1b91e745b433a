/* The doubling tree on the device, shared by rolling_moments and rolling_pairs: parameters of the kernels
 * (rolling_tree_kernels.h) and the host's functions (in rolling_moments.c). Valid as C11 and as C++17. */
#ifndef FMLP_CUDA_ROLLING_TREE_H
#define FMLP_CUDA_ROLLING_TREE_H

#include "cuda/rolling_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  FMLP_GPU_TREE_WINDOWS = 4,  /* windows of a launch */
  FMLP_GPU_TREE_TARGETS = 12, /* targets of a launch */
  FMLP_GPU_TREE_LEVELS = 13,  /* levels a tile climbs: windows below 2^13 */
  FMLP_GPU_TREE_TABLE = 338,  /* doubles: constants of (window or level, level), as many as the fields need */
  FMLP_GPU_TREE_CONSTANTS = 13,
  FMLP_GPU_TREE_FIELDS = 5,
  FMLP_GPU_TREE_RAW = -1 /* a target's op: the fields as they are, `stride` elements apart */
};

/* Constants of merging na older rows with nb newer ones, s = na*nb, n = na+nb, in this order so that the
 * simpler fields need a prefix: na, 1/na, 1/nb, s/n, s*0.5 | nb, M3: of D*D2, of D | M4: of D2*D2, of D2, of
 * D, na*na, nb*nb. */
typedef struct fmlp_gpu_tree_target {
  double *values; /* row r goes to values[r - first] */
  int64_t first;
  int64_t stride;
  double constants[2]; /* of the window, as the operator wants them */
  int32_t op;          /* fmlp_operator or FMLP_GPU_TREE_RAW */
  int32_t slot;        /* which of the launch's windows */
} fmlp_gpu_tree_target;

/* A launch of tiles: windows of at most `widest` rows over rows [first, last). Rows before `origin` are NaN.
 */
typedef struct fmlp_gpu_tree_tile_args {
  int64_t first, last, origin;
  fmlp_gpu_column operand[2];
  int32_t outputs; /* rows a block gives: its tiles' less widest - 1 */
  int32_t tiles;   /* of a block, one after the other, the newest first */
  int32_t carry;   /* doubles kept from tile to tile; 0 for one tile */
  int32_t widest;
  int32_t window[FMLP_GPU_TREE_WINDOWS]; /* 0: unused */
  int32_t levels;                        /* bits of `widest` */
  int32_t target_count;
  fmlp_gpu_tree_target targets[FMLP_GPU_TREE_TARGETS];
  double
      table[FMLP_GPU_TREE_TABLE]; /* [(slot * LEVELS + level) * constants a merge]; the last slot: climbing */
} fmlp_gpu_tree_tile_args;

/* out[r] = older[r - newer_rows] merged with newer[r], rows [first, last); where the older part would begin
 * before row `base`, NaN. A field's row r stands at [r - base], fields `stride` elements apart. Without
 * `newer`, out = older. */
typedef struct fmlp_gpu_tree_merge_args {
  int64_t first, last, base, stride, newer_rows;
  fmlp_gpu_column operand[2];
  const double *older, *newer;
  double *out;
  double constants[FMLP_GPU_TREE_CONSTANTS];
} fmlp_gpu_tree_merge_args;

/* A target's values from raw fields of its window. */
typedef struct fmlp_gpu_tree_finish_args {
  int64_t first, last, base, stride;
  fmlp_gpu_column operand;
  const double *sum;
  int64_t window;
  fmlp_gpu_tree_target target;
} fmlp_gpu_tree_finish_args;

/* NaN in rows [first, last). */
typedef struct fmlp_gpu_tree_missing_args {
  int64_t first, last;
  fmlp_gpu_target target;
} fmlp_gpu_tree_missing_args;

/* ---- host ---- */

/* A compiled tile kernel. */
typedef struct fmlp_gpu_tree_tile {
  fmlp_gpu_kernel kernel;
  int32_t fields;    /* the family's mask of what it carries */
  int32_t count;     /* fields carried */
  int32_t constants; /* of a merge */
  int32_t windows;   /* at most */
  int32_t rows;      /* of a thread */
  int32_t threads;   /* at most, by its registers: of a block, and of a multiprocessor */
  int32_t streams;   /* takes tile after tile, without halos between */
} fmlp_gpu_tree_tile;

/* A row of FMLP_GPU_MOMENTS_TILES or FMLP_GPU_PAIRS_TILES as one. */
#define FMLP_GPU_TREE_TILE(name, fields_, count_, constants_, windows_, rows_, threads_, streams_)           \
  {.kernel = FMLP_GPU_##name,                                                                                \
   .fields = fields_,                                                                                        \
   .count = count_,                                                                                          \
   .constants = constants_,                                                                                  \
   .windows = windows_,                                                                                      \
   .rows = rows_,                                                                                            \
   .threads = threads_,                                                                                      \
   .streams = streams_},

/* The kernels for windows wider than a tile. */
typedef struct fmlp_gpu_tree_tall {
  int32_t fields;
  fmlp_gpu_kernel merge, finish;
} fmlp_gpu_tree_tall;

typedef struct fmlp_gpu_tree_family {
  int32_t operands;
  int32_t (*fields_of)(int32_t op);
  void (*constants_of)(int32_t op, int64_t window, double constants[2]);
  const fmlp_gpu_tree_tile *tiles; /* the leaner first; of equal fields the fewer windows first */
  int32_t tile_count;
  const fmlp_gpu_tree_tall *talls; /* the leaner first, the last carries all; each mask is a tile's too */
} fmlp_gpu_tree_family;

size_t fmlp_gpu_tree_scratch(const fmlp_device *device, const fmlp_gpu_rolling_job *job,
                             const fmlp_gpu_tree_family *family);
FMLP_WARN_UNUSED fmlp_status fmlp_gpu_tree(fmlp_device *device, const fmlp_gpu_rolling_job *job,
                                           const fmlp_gpu_tree_family *family, fmlp_error *error);

#ifdef __cplusplus
}
#endif
#endif
