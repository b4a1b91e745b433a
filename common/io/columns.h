/* Columns in files: .npy format 1.0, little-endian, C order, and their hashes. */
#ifndef FMLP_COMMON_IO_COLUMNS_H
#define FMLP_COMMON_IO_COLUMNS_H

#include <stdint.h>

#include "common/core/status.h"

typedef enum fmlp_type { FMLP_INT8, FMLP_INT32, FMLP_INT64, FMLP_FLOAT64 } fmlp_type;

/* Bytes of one element. */
int64_t fmlp_type_size(fmlp_type type);

/* A one-dimensional column; `data` is borrowed. */
typedef struct fmlp_column {
  const char *group; /* folder: "bars", "features", ... */
  const char *name;  /* file name without ".npy" */
  fmlp_type type;
  int64_t rows;
  const void *data;
} fmlp_column;

/* Where a stage's columns go: a run folder writes and hashes them. The column is valid during the call only.
 */
typedef struct fmlp_column_sink {
  void *state;
  fmlp_status (*put)(void *state, const fmlp_column *column, fmlp_error *error);
} fmlp_column_sink;

FMLP_WARN_UNUSED fmlp_status fmlp_npy_write(const char *path, fmlp_type type, int64_t rows, const void *data,
                                            fmlp_error *error);

/* Reads a one-dimensional file of any fmlp_type: `*data` is owned by the caller (fmlp_free). FMLP_ERR_INPUT
 * when it is missing, truncated, or of another layout. */
FMLP_WARN_UNUSED fmlp_status fmlp_npy_read(const char *path, fmlp_type *type, int64_t *rows, void **data,
                                           fmlp_error *error);

typedef struct fmlp_hash128 {
  uint64_t low, high;
} fmlp_hash128;

/* XXH3-128 of `bytes` bytes. */
fmlp_hash128 fmlp_hash(const void *data, int64_t bytes);
#endif
