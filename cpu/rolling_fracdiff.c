/* fracdiff: a fixed-width weighted sum, lag 0 first. A tile of rows stays in registers over all weights. */
#include <assert.h>

#include "cpu/rolling_kernels.h"

enum { TILE = 32 };

static void tile_rows(const double *x, const double *weights, int64_t length, double *out) {
  double sum[TILE];
#pragma omp simd
  for (int i = 0; i < TILE; i++) sum[i] = x[i];
  for (int64_t k = 1; k < length; k++) {
    const double weight = weights[k];
    const double *lagged = x - k;
#pragma omp simd
    for (int i = 0; i < TILE; i++) sum[i] = sum[i] + weight * lagged[i];
  }
#pragma omp simd
  for (int i = 0; i < TILE; i++) out[i] = fmlp_rolling_stored(sum[i]);
}

void FMLP_SIMD_NAME(fmlp_cpu_rolling_fracdiff)(const fmlp_rolling_job *job, const double *weights,
                                               int64_t length) {
  assert(job->target_count == 1);
  double *out = job->targets[0].values;
  int64_t row = fmlp_rolling_complete(job, length);
  for (int64_t i = 0; i < row - job->first; i++) out[i] = fmlp_nan();
  for (; row + TILE <= job->last; row += TILE) {
    tile_rows(fmlp_rolling_at(job->a, row), weights, length, out + (row - job->first));
  }
  for (; row < job->last; row++) {
    const double *x = fmlp_rolling_at(job->a, row);
    double sum = x[0];
    for (int64_t k = 1; k < length; k++) sum = sum + weights[k] * x[-k];
    out[row - job->first] = fmlp_rolling_stored(sum);
  }
}
