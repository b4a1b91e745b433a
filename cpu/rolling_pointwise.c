/* Operators of one row, or of two rows k apart: constant shift diff pct_change log_return add sub mul div
 * ratio abs sign cross. */
#include <assert.h>
#include <string.h>

#include "common/core/elementary.h"
#include "cpu/rolling_kernels.h"

/* out[i] = ln(x[i] / xk[i]): all rows as if positive and normal, then again where they are not. */
static void log_return(int64_t count, const double *x, const double *xk, double *out) {
  double special = 0.0; /* a double, because an integer flag keeps gcc 12 from vectorising */
#pragma omp simd reduction(max : special)
  for (int64_t i = 0; i < count; i++) {
    double ratio = x[i] / xk[i];
    double below = ratio >= DBL_MIN ? 0.0 : 1.0, above = ratio <= DBL_MAX ? 0.0 : 1.0;
    special = below > special ? below : special;
    special = above > special ? above : special;
    out[i] = fmlp_rolling_stored(fmlp_log_bits(fmlp_bits_of(ratio)));
  }
  if (special == 0.0) return;
  for (int64_t i = 0; i < count; i++) out[i] = fmlp_rolling_stored(fmlp_log(x[i] / xk[i]));
}

static void lagged(const fmlp_rolling_job *job, const fmlp_rolling_target *target) {
  const int64_t k = target->window;
  int64_t start = k > job->last ? job->last : k;
  if (start < job->first) start = job->first;
  for (int64_t row = job->first; row < start; row++) target->values[row - job->first] = fmlp_nan();
  const int64_t count = job->last - start;
  if (count == 0) return;
  double *out = target->values + (start - job->first);
  const double *x = fmlp_rolling_at(job->a, start), *xk = fmlp_rolling_at(job->a, start - k);
  switch (target->op) {
  case FMLP_OP_SHIFT:
    memcpy(out, xk, (size_t)count * sizeof *out);
    break;
  case FMLP_OP_DIFF:
#pragma omp simd
    for (int64_t i = 0; i < count; i++) out[i] = fmlp_rolling_stored(x[i] - xk[i]);
    break;
  case FMLP_OP_PCT_CHANGE:
#pragma omp simd
    for (int64_t i = 0; i < count; i++) out[i] = fmlp_rolling_stored((x[i] - xk[i]) / xk[i]);
    break;
  default:
    assert(target->op == FMLP_OP_LOG_RETURN);
    log_return(count, x, xk, out);
  }
}

static void unary(const fmlp_rolling_job *job, const fmlp_rolling_target *target) {
  const int64_t count = job->last - job->first;
  const double *x = fmlp_rolling_at(job->a, job->first);
  double *out = target->values;
  if (target->op == FMLP_OP_ABS) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++) out[i] = fmlp_rolling_stored(fabs(x[i]));
  } else {
    assert(target->op == FMLP_OP_SIGN);
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
      double sign = x[i] > 0.0 ? 1.0 : x[i] < 0.0 ? -1.0 : 0.0;
      out[i] = x[i] == x[i] ? sign : fmlp_nan();
    }
  }
}

static void binary(const fmlp_rolling_job *job, const fmlp_rolling_target *target) {
  const int64_t count = job->last - job->first;
  const double *a = fmlp_rolling_at(job->a, job->first), *b = fmlp_rolling_at(job->b, job->first);
  double *out = target->values;
#define EACH_ROW(value)                                                                                      \
  _Pragma("omp simd") for (int64_t i = 0; i < count; i++) out[i] = fmlp_rolling_stored(value);               \
  break
  switch (target->op) {
  case FMLP_OP_ADD:
    EACH_ROW(a[i] + b[i]);
  case FMLP_OP_SUB:
    EACH_ROW(a[i] - b[i]);
  case FMLP_OP_MUL:
    EACH_ROW(a[i] * b[i]);
  case FMLP_OP_DIV:
    EACH_ROW(a[i] / b[i]);
  case FMLP_OP_RATIO:
    EACH_ROW(a[i] / b[i] - 1.0);
  default:
    assert(target->op == FMLP_OP_CROSS);
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
      double side = a[i] > b[i] ? 1.0 : -1.0;
      out[i] = (a[i] == a[i] && b[i] == b[i]) ? side : fmlp_nan();
    }
  }
#undef EACH_ROW
}

void FMLP_SIMD_NAME(fmlp_cpu_rolling_pointwise)(const fmlp_rolling_job *job) {
  for (int32_t k = 0; k < job->target_count; k++) {
    const fmlp_rolling_target *target = &job->targets[k];
    switch (target->op) {
    case FMLP_OP_CONSTANT: {
      const double value = fmlp_canonical(target->parameter);
      for (int64_t i = 0; i < job->last - job->first; i++) target->values[i] = value;
      break;
    }
    case FMLP_OP_SHIFT:
    case FMLP_OP_DIFF:
    case FMLP_OP_PCT_CHANGE:
    case FMLP_OP_LOG_RETURN:
      lagged(job, target);
      break;
    case FMLP_OP_ABS:
    case FMLP_OP_SIGN:
      unary(job, target);
      break;
    default:
      binary(job, target);
    }
  }
}
