/* Programs of operators of one row, or of two rows k apart: constant shift diff pct_change log_return add sub
 * mul div ratio abs sign cross.
 *
 * A thread takes FMLP_GPU_PROGRAM_ROWS rows, blockDim.x apart, through the whole program, instruction by
 * instruction: every branch on an instruction is taken by all threads alike and pays for four rows. Values
 * that later instructions of the program read stay in the thread's own places of shared memory, so no barrier
 * is needed; everything else goes to memory once, as it is made.
 *
 * Estimate: 8 bytes for each column read (a second read of it, and rows k back, come from the first-level
 * cache) and for each column written. A device of 4.3 TB/s that issues 29 T instructions a second has 50 of
 * them for 8 bytes; an instruction of the program takes about 30 a row around its arithmetic, a division 20
 * more: bound by memory. A logarithm is 60 operations of 64 bits: a program of nothing else is bound by those,
 * at three quarters of the bandwidth. */
#ifndef FMLP_CUDA_ROLLING_POINTWISE_CUH
#define FMLP_CUDA_ROLLING_POINTWISE_CUH

#include "common/core/elementary.h"
#include "cuda/kernel.h"
#include "cuda/rolling_pointwise.h"

/* Rows row, row + blockDim.x, ... of an operand, each `lag` rows earlier. Beyond the last row the last one is
 * read again; nothing of that is stored. */
FMLP_DEVICE void fmlp_gpu_pointwise_operand(const fmlp_gpu_rolling_pointwise_args &args,
                                            const fmlp_shared<double> &slots, int32_t source, int64_t lag,
                                            int64_t row, double (&value)[FMLP_GPU_PROGRAM_ROWS]) {
  if (source >= FMLP_GPU_FROM_CONSTANT) {
    const double constant = args.constants[source - FMLP_GPU_FROM_CONSTANT];
    FMLP_UNROLL for (int j = 0; j < FMLP_GPU_PROGRAM_ROWS; j++) {
      value[j] = row + (int64_t)j * blockDim.x >= lag ? constant : fmlp_nan();
    }
  } else if (source >= FMLP_GPU_FROM_SLOT) {
    const int first = (source - FMLP_GPU_FROM_SLOT) * FMLP_GPU_PROGRAM_ROWS;
    FMLP_UNROLL for (int j = 0; j < FMLP_GPU_PROGRAM_ROWS; j++) {
      value[j] = slots[(first + j) * (int)blockDim.x + (int)threadIdx.x];
    }
  } else {
    const double *values = args.columns[source].values;
    const int64_t first = args.columns[source].first + lag;
    FMLP_UNROLL for (int j = 0; j < FMLP_GPU_PROGRAM_ROWS; j++) {
      int64_t at = row + (int64_t)j * blockDim.x;
      if (at >= args.last) at = args.last - 1;
      value[j] = at >= lag ? values[at - first] : fmlp_nan();
    }
  }
}

#define FMLP_GPU_POINTWISE_ROWS(value)                                                                       \
  FMLP_UNROLL for (int j = 0; j < FMLP_GPU_PROGRAM_ROWS; j++) x[j] = (value);                                \
  break

/* x = op(x, y). The operators that divide share one division. */
FMLP_DEVICE void fmlp_gpu_pointwise_apply(int32_t op, double (&x)[FMLP_GPU_PROGRAM_ROWS],
                                          const double (&y)[FMLP_GPU_PROGRAM_ROWS]) {
  switch (op) {
  case FMLP_OP_CONSTANT:
    break;
  case FMLP_OP_SHIFT:
    FMLP_GPU_POINTWISE_ROWS(y[j]);
  case FMLP_OP_DIFF:
  case FMLP_OP_SUB:
    FMLP_GPU_POINTWISE_ROWS(x[j] - y[j]);
  case FMLP_OP_ADD:
    FMLP_GPU_POINTWISE_ROWS(x[j] + y[j]);
  case FMLP_OP_MUL:
    FMLP_GPU_POINTWISE_ROWS(x[j] * y[j]);
  case FMLP_OP_ABS:
    FMLP_GPU_POINTWISE_ROWS(fabs(x[j]));
  case FMLP_OP_SIGN:
    FMLP_GPU_POINTWISE_ROWS(x[j] > 0.0 ? 1.0 : x[j] < 0.0 ? -1.0 : x[j]);
  case FMLP_OP_CROSS:
    FMLP_GPU_POINTWISE_ROWS(x[j] == x[j] && y[j] == y[j] ? (x[j] > y[j] ? 1.0 : -1.0) : fmlp_nan());
  default: /* pct_change, log_return, div, ratio */
    FMLP_UNROLL for (int j = 0; j < FMLP_GPU_PROGRAM_ROWS; j++) {
      const double above = op == FMLP_OP_PCT_CHANGE ? x[j] - y[j] : x[j];
      double value = above / y[j];
      if (op == FMLP_OP_RATIO) value = value - 1.0;
      if (op == FMLP_OP_LOG_RETURN) value = fmlp_log(value);
      x[j] = value;
    }
  }
}
#undef FMLP_GPU_POINTWISE_ROWS

FMLP_KERNEL(rolling_pointwise, fmlp_gpu_rolling_pointwise_args) {
  FMLP_SHARED_MEMORY(space);
  const fmlp_shared<double> slots =
      space.take<double>((int64_t)args.slot_count * FMLP_GPU_PROGRAM_ROWS * blockDim.x);
  const int64_t tile = (int64_t)blockDim.x * FMLP_GPU_PROGRAM_ROWS;
  for (int64_t row = args.first + blockIdx.x * tile + threadIdx.x; row < args.last; row += gridDim.x * tile) {
    for (int32_t i = 0; i < args.length; i++) {
      const fmlp_gpu_instruction now = args.instructions[i];
      double x[FMLP_GPU_PROGRAM_ROWS] = {0.0, 0.0, 0.0, 0.0}, y[FMLP_GPU_PROGRAM_ROWS] = {0.0, 0.0, 0.0, 0.0};
      if (now.a >= 0) fmlp_gpu_pointwise_operand(args, slots, now.a, 0, row, x);
      if (now.b >= 0) fmlp_gpu_pointwise_operand(args, slots, now.b, now.lag, row, y);
      fmlp_gpu_pointwise_apply(now.op, x, y);
      FMLP_UNROLL for (int j = 0; j < FMLP_GPU_PROGRAM_ROWS; j++) x[j] = fmlp_canonical(x[j]);
      if (now.slot >= 0) {
        FMLP_UNROLL for (int j = 0; j < FMLP_GPU_PROGRAM_ROWS; j++) {
          slots[(now.slot * FMLP_GPU_PROGRAM_ROWS + j) * (int)blockDim.x + (int)threadIdx.x] = x[j];
        }
      }
      if (now.target < 0) continue;
      double *values = args.columns[now.target].values;
      const int64_t first = args.columns[now.target].first;
      FMLP_UNROLL for (int j = 0; j < FMLP_GPU_PROGRAM_ROWS; j++) {
        const int64_t at = row + (int64_t)j * blockDim.x;
        if (at < args.last) values[at - first] = x[j];
      }
    }
  }
}

#endif
