/* Comparing two run folders output by output, on bits: what `fmlp verify` prints. */
#ifndef FMLP_COMMON_IO_COMPARE_RUNS_H
#define FMLP_COMMON_IO_COMPARE_RUNS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/core/status.h"
#include "common/io/columns.h"

/* The outputs that must be identical on every backend, thread count and machine: folders of columns, and
 * files. */
extern const char *const fmlp_identical_folders[]; /* NULL-terminated */
extern const char *const fmlp_identical_files[];   /* NULL-terminated */

typedef struct fmlp_output_comparison {
  char name[192];           /* "bars/bid_close", "trades.csv" */
  char stage[32];           /* "bars", "test/labels", "backtest": what wrote it */
  const char *column;       /* the part of `name` behind the folder: "bid_close", "trades.csv" */
  bool in_a, in_b;          /* present in the run */
  int64_t rows;             /* elements compared (bytes for a text file) */
  int64_t differing;        /* elements whose bits differ; the longer run's surplus counts as differing */
  int64_t differing_bits;   /* of those elements; every bit of a surplus counts */
  int64_t first_difference; /* index of the first of them, -1 when none */
  fmlp_hash128 hash_a, hash_b;
} fmlp_output_comparison;

typedef struct fmlp_run_comparison {
  int64_t count;
  fmlp_output_comparison *outputs; /* [count] sorted by name, owned */
  int64_t differing_outputs;
} fmlp_run_comparison;

/* Compares every identical-listed output found in either folder. FMLP_OK also when they differ;
 * FMLP_ERR_INPUT when an output cannot be read, or when neither folder holds any. */
FMLP_WARN_UNUSED fmlp_status fmlp_runs_compare(const char *folder_a, const char *folder_b,
                                               fmlp_run_comparison *comparison, fmlp_error *error);
void fmlp_run_comparison_release(fmlp_run_comparison *comparison);

#endif
