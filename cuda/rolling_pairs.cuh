/* cov corr beta autocorr by the doubling tree; how it runs, and what it costs, stands in
 * rolling_tree_kernels.h. "1" is operand a, "2" operand b; for autocorr 1 is the column and 2 the column
 * `lag` rows earlier. */
#ifndef FMLP_CUDA_ROLLING_PAIRS_CUH
#define FMLP_CUDA_ROLLING_PAIRS_CUH

#include "cuda/rolling_pairs.h"
#include "cuda/rolling_tree_kernels.h"

template <int FIELDS> struct fmlp_pairs {
  static constexpr bool SQUARES = FIELDS & FMLP_GPU_WITH_SQUARES;
  static constexpr int OPERANDS = 2, CONSTANTS = 4;
  static constexpr int P1 = 0, P2 = 1, M12 = 2, M11 = 3, M22 = 4, COUNT = SQUARES ? 5 : 3;

  typedef fmlp_tree_node<fmlp_pairs> node;
  typedef fmlp_tree_x<fmlp_pairs> x_values;

  FMLP_DEVICE node merge(const fmlp_tree_constants<fmlp_pairs> &k, const x_values &newest_a,
                         const x_values &newest_b, const node &a, const node &b) {
    node out;
    const double d1 = newest_b.of[0] - newest_a.of[0], d2 = newest_b.of[1] - newest_a.of[1];
    const double delta1 = (b.field[P1] * k.of[2] - a.field[P1] * k.of[1]) + d1;
    const double delta2 = (b.field[P2] * k.of[2] - a.field[P2] * k.of[1]) + d2;
    out.field[M12] = (a.field[M12] + b.field[M12]) + (delta1 * delta2) * k.of[3];
    if constexpr (SQUARES) {
      out.field[M11] = (a.field[M11] + b.field[M11]) + (delta1 * delta1) * k.of[3];
      out.field[M22] = (a.field[M22] + b.field[M22]) + (delta2 * delta2) * k.of[3];
    }
    out.field[P1] = (a.field[P1] - k.of[0] * d1) + b.field[P1];
    out.field[P2] = (a.field[P2] - k.of[0] * d2) + b.field[P2];
    return out;
  }

  FMLP_DEVICE double value(const fmlp_gpu_tree_target &target, int64_t window, double x, const node &sum) {
    (void)window;
    (void)x;
    if (target.op == FMLP_OP_COV) return fmlp_canonical(sum.field[M12] * target.constants[0]);
    if constexpr (SQUARES) {
      if (target.op == FMLP_OP_BETA) return fmlp_canonical(sum.field[M12] / sum.field[M22]);
      const double value =
          fmlp_canonical((sum.field[M12] / sqrt(sum.field[M11])) / sqrt(sum.field[M22])); /* corr, autocorr */
      const double low = value < -1.0 ? -1.0 : value;
      return low > 1.0 ? 1.0 : low;
    }
    return fmlp_nan();
  }
};

#define FMLP_GPU_PAIRS_KERNEL(name, fields, count, constants, windows, rows, threads, streams)               \
  FMLP_KERNEL_OF(name, fmlp_gpu_tree_tile_args, threads) {                                                   \
    static_assert(fmlp_pairs<fields>::COUNT == count && fmlp_pairs<fields>::CONSTANTS == constants, #name);  \
    fmlp_tree_tile<fmlp_pairs<fields>, windows, rows, streams>(args);                                        \
  }
FMLP_GPU_PAIRS_TILES(FMLP_GPU_PAIRS_KERNEL)

FMLP_KERNEL(rolling_pairs_merge, fmlp_gpu_tree_merge_args) {
  fmlp_tree_merge_level<fmlp_pairs<FMLP_GPU_WITH_SQUARES>>(args);
}

FMLP_KERNEL(rolling_pairs_finish, fmlp_gpu_tree_finish_args) {
  fmlp_tree_finish<fmlp_pairs<FMLP_GPU_WITH_SQUARES>>(args);
}

#endif
