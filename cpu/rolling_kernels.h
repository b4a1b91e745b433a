/* What cpu/rolling.c hands to its kernels: one group of operators over one operand (or pair), one range of
 * rows. The arithmetic stands at the top of cpu/rolling.c. */
#ifndef FMLP_CPU_ROLLING_KERNELS_H
#define FMLP_CPU_ROLLING_KERNELS_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/contracts/rolling.h"
#include "common/core/bits.h"
#include "common/core/simd.h"
#include "common/core/status.h"

/* A column in memory from row `first` on; borrowed. */
typedef struct fmlp_rolling_column {
  const double *values;
  int64_t first;
} fmlp_rolling_column;

/* One column to produce: values[i] is row job.first + i; borrowed, written in full. */
typedef struct fmlp_rolling_target {
  fmlp_operator op;
  int64_t window;
  double parameter;
  double *values;
} fmlp_rolling_target;

/* Rows [first, last) of every target. The operands hold rows [max(origin, first - lookback), last), where
 * lookback is the largest of the targets'; before `origin` (0, or the lag of autocorr) the operand does not
 * exist. Targets stand in ascending order of window. */
typedef struct fmlp_rolling_job {
  int64_t first;
  int64_t last;
  int64_t origin;
  fmlp_rolling_column a;
  fmlp_rolling_column b;
  int32_t target_count;
  const fmlp_rolling_target *targets;
  double *scratch; /* 64-byte aligned, of the size the kernel's function tells */
} fmlp_rolling_job;

/* The sorted values of one window, kept from block to block. */
typedef struct fmlp_rolling_sorted {
  int64_t next_row; /* the row the window would take next; -1 for an empty state */
  int64_t count;    /* values held; the NaN rows of the window are not among them */
  double *values;   /* [window], ascending, with room for one more at either end */
  double *spare;    /* as large; a pass may write here and swap the two */
} fmlp_rolling_sorted;

/* Targets a job may hold; larger groups are split. */
enum { FMLP_ROLLING_TARGETS = 64 };

FMLP_SIMD_DECLARE(void, fmlp_cpu_rolling_pointwise, (const fmlp_rolling_job *job));
FMLP_SIMD_DECLARE(void, fmlp_cpu_rolling_moments, (const fmlp_rolling_job *job));
FMLP_SIMD_DECLARE(void, fmlp_cpu_rolling_pairs, (const fmlp_rolling_job *job));
FMLP_SIMD_DECLARE(void, fmlp_cpu_rolling_extremes, (const fmlp_rolling_job *job));
FMLP_SIMD_DECLARE(void, fmlp_cpu_rolling_order, (const fmlp_rolling_job *job, fmlp_rolling_sorted *sorted));
FMLP_SIMD_DECLARE(void, fmlp_cpu_rolling_fracdiff,
                  (const fmlp_rolling_job *job, const double *weights, int64_t length));

/* ema and ewm_std over a whole column; they carry state from row to row. */
FMLP_SIMD_DECLARE(fmlp_status, fmlp_cpu_rolling_recursive,
                  (fmlp_operator op, double alpha, const double *x, int64_t rows, double *values,
                   fmlp_error *error));

/* fmlp_canonical in a form that vectorises: the same bits. */
static inline double fmlp_rolling_stored(double value) {
  double sum = value + 0.0;
  return fabs(sum) <= DBL_MAX ? sum : fmlp_nan();
}

/* The element of `column` at `row`. */
static inline const double *fmlp_rolling_at(fmlp_rolling_column column, int64_t row) {
  return column.values + (row - column.first);
}

/* First row at which a window of `window` rows is complete, not before first. */
static inline int64_t fmlp_rolling_complete(const fmlp_rolling_job *job, int64_t window) {
  int64_t row = window - 1 > job->last - job->origin ? job->last : job->origin + window - 1;
  return row < job->first ? job->first : row > job->last ? job->last : row;
}

/* First row the job reads for windows up to `window`. */
static inline int64_t fmlp_rolling_base(const fmlp_rolling_job *job, int64_t window) {
  int64_t row = job->first - (window - 1);
  return row < job->origin ? job->origin : row;
}

/* Elements of a scratch array for `count` rows: whole lines, and one line more, so that arrays of a power of
 * two rows do not all fall on the same cache sets. */
static inline int64_t fmlp_rolling_stride(int64_t count) {
  return (count + 7) / 8 * 8 + 8;
}

#endif
