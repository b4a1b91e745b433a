/* Operators of one row, or of two rows k apart: constant shift diff pct_change log_return add sub mul div
 * ratio abs sign cross. A thread takes every (gridDim * blockDim)-th row. */
#ifndef FMLP_CUDA_ROLLING_POINTWISE_CUH
#define FMLP_CUDA_ROLLING_POINTWISE_CUH

#include "common/core/elementary.h"
#include "cuda/kernel.h"
#include "cuda/rolling_pointwise.h"

FMLP_DEVICE double fmlp_gpu_pointwise(int32_t op, double x, double y, double parameter) {
  switch (op) {
  case FMLP_OP_CONSTANT:
    return parameter;
  case FMLP_OP_SHIFT:
    return y;
  case FMLP_OP_DIFF:
  case FMLP_OP_SUB:
    return x - y;
  case FMLP_OP_PCT_CHANGE:
    return (x - y) / y;
  case FMLP_OP_LOG_RETURN:
    return fmlp_log(x / y);
  case FMLP_OP_ADD:
    return x + y;
  case FMLP_OP_MUL:
    return x * y;
  case FMLP_OP_DIV:
    return x / y;
  case FMLP_OP_RATIO:
    return x / y - 1.0;
  case FMLP_OP_ABS:
    return fabs(x);
  case FMLP_OP_SIGN:
    return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x;
  default: /* FMLP_OP_CROSS */
    return x == x && y == y ? (x > y ? 1.0 : -1.0) : fmlp_nan();
  }
}

FMLP_KERNEL(rolling_pointwise, fmlp_gpu_rolling_pointwise_args) {
  const int32_t op = args.target.op;
  const bool lagged =
      op == FMLP_OP_SHIFT || op == FMLP_OP_DIFF || op == FMLP_OP_PCT_CHANGE || op == FMLP_OP_LOG_RETURN;
  const int64_t step = (int64_t)gridDim.x * blockDim.x;
  for (int64_t row = args.first + (int64_t)blockIdx.x * blockDim.x + threadIdx.x; row < args.last;
       row += step) {
    double value = fmlp_nan();
    if (!lagged || row >= args.target.window) {
      const double x = args.a.values ? args.a.values[row - args.a.first] : 0.0;
      double y = 0.0;
      if (lagged) y = args.a.values[row - args.target.window - args.a.first];
      if (args.b.values) y = args.b.values[row - args.b.first];
      value = fmlp_gpu_pointwise(op, x, y, args.target.parameter);
    }
    args.target.values[row - args.target.first] = fmlp_canonical(value);
  }
}

#endif
