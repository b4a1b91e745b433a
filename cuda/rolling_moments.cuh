/* sum mean std var zscore skew kurt slope r2 by the doubling tree; how it runs, and what it costs, stands in
 * rolling_tree_kernels.h. */
#ifndef FMLP_CUDA_ROLLING_MOMENTS_CUH
#define FMLP_CUDA_ROLLING_MOMENTS_CUH

#include "cuda/rolling_moments.h"
#include "cuda/rolling_tree_kernels.h"

/* Nodes of P and the fields of the mask. */
template <int FIELDS> struct fmlp_moments {
  static constexpr bool WITH_M = FIELDS & FMLP_GPU_WITH_M, WITH_M3 = FIELDS & FMLP_GPU_WITH_M3;
  static constexpr bool WITH_M4 = FIELDS & FMLP_GPU_WITH_M4, WITH_C = FIELDS & FMLP_GPU_WITH_C;
  static constexpr int OPERANDS = 1;
  static constexpr int M = 1, M3 = M + WITH_M, M4 = M3 + WITH_M3, C = M4 + WITH_M4, COUNT = C + WITH_C;
  static constexpr int CONSTANTS = WITH_M4 ? 13 : WITH_M3 ? 8 : 5;

  typedef fmlp_tree_node<fmlp_moments> node;

  FMLP_DEVICE node merge(const fmlp_tree_constants<fmlp_moments> &k,
                         const fmlp_tree_x<fmlp_moments> &newest_a, const fmlp_tree_x<fmlp_moments> &newest_b,
                         const node &a, const node &b) {
    node out;
    const double d = newest_b.of[0] - newest_a.of[0];
    const double delta = (b.field[0] * k.of[2] - a.field[0] * k.of[1]) + d;
    const double delta2 = delta * delta;
    if constexpr (WITH_M4) {
      out.field[M4] = (((a.field[M4] + b.field[M4]) + (delta2 * delta2) * k.of[8]) +
                       delta2 * ((k.of[11] * b.field[M] + k.of[12] * a.field[M]) * k.of[9])) +
                      delta * ((k.of[0] * b.field[M3] - k.of[5] * a.field[M3]) * k.of[10]);
    }
    if constexpr (WITH_M3) {
      out.field[M3] = ((a.field[M3] + b.field[M3]) + (delta * delta2) * k.of[6]) +
                      delta * ((k.of[0] * b.field[M] - k.of[5] * a.field[M]) * k.of[7]);
    }
    if constexpr (WITH_C) out.field[C] = (a.field[C] + b.field[C]) + delta * k.of[4];
    if constexpr (WITH_M) out.field[M] = (a.field[M] + b.field[M]) + delta2 * k.of[3];
    out.field[0] = (a.field[0] - k.of[0] * d) + b.field[0];
    return out;
  }

  /* A target's value, x being the newest of the window. Operators whose fields are absent never come here. */
  FMLP_DEVICE double value(const fmlp_gpu_tree_target &target, int64_t window, double x, const node &sum) {
    const double c0 = target.constants[0], c1 = target.constants[1], p = sum.field[0];
    double m = 0, m3 = 0, m4 = 0, c = 0;
    if constexpr (WITH_M) m = sum.field[M];
    if constexpr (WITH_M3) m3 = sum.field[M3];
    if constexpr (WITH_M4) m4 = sum.field[M4];
    if constexpr (WITH_C) c = sum.field[C];
    if (target.op == FMLP_OP_SUM) return fmlp_canonical((double)window * x + p);
    if (target.op == FMLP_OP_MEAN) return fmlp_canonical(x + p * c0);
    if constexpr (WITH_M) {
      if (target.op == FMLP_OP_VAR) return fmlp_canonical(m * c0);
      if (target.op == FMLP_OP_STD) return fmlp_canonical(sqrt(m * c0));
      if (target.op == FMLP_OP_ZSCORE) return fmlp_canonical((0.0 - p * c1) / sqrt(m * c0));
    }
    if constexpr (WITH_M4) {
      if (target.op == FMLP_OP_KURT) return fmlp_canonical(((m4 / m) / m) * c0 - c1);
    }
    if constexpr (WITH_M3) {
      if (target.op == FMLP_OP_SKEW) return fmlp_canonical(((m3 / m) / sqrt(m)) * c0);
    }
    if constexpr (WITH_C) {
      if (target.op == FMLP_OP_SLOPE) return fmlp_canonical(c * c0);
      const double r2 = fmlp_canonical(((c * c0) * c) / m);
      return r2 > 1.0 ? 1.0 : r2;
    }
    return fmlp_nan();
  }
};

#define FMLP_GPU_MOMENTS_KERNEL(name, fields, count, constants, windows, rows, threads, streams)             \
  FMLP_KERNEL_OF(name, fmlp_gpu_tree_tile_args, threads) {                                                   \
    static_assert(fmlp_moments<fields>::COUNT == count && fmlp_moments<fields>::CONSTANTS == constants,      \
                  #name);                                                                                    \
    fmlp_tree_tile<fmlp_moments<fields>, windows, rows, streams>(args);                                      \
  }
FMLP_GPU_MOMENTS_TILES(FMLP_GPU_MOMENTS_KERNEL)

FMLP_KERNEL(rolling_moments_merge, fmlp_gpu_tree_merge_args) {
  fmlp_tree_merge_level<fmlp_moments<FMLP_GPU_WITH_M>>(args);
}

FMLP_KERNEL(rolling_moments_merge_all, fmlp_gpu_tree_merge_args) {
  fmlp_tree_merge_level<fmlp_moments<15>>(args);
}

FMLP_KERNEL(rolling_moments_finish, fmlp_gpu_tree_finish_args) {
  fmlp_tree_finish<fmlp_moments<FMLP_GPU_WITH_M>>(args);
}

FMLP_KERNEL(rolling_moments_finish_all, fmlp_gpu_tree_finish_args) {
  fmlp_tree_finish<fmlp_moments<15>>(args);
}

FMLP_KERNEL(rolling_missing, fmlp_gpu_tree_missing_args) {
  const int64_t step = (int64_t)gridDim.x * blockDim.x;
  for (int64_t row = args.first + (int64_t)blockIdx.x * blockDim.x + threadIdx.x; row < args.last;
       row += step) {
    args.target.values[row - args.target.first] = fmlp_nan();
  }
}

#endif
