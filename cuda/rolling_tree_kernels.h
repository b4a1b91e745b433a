/* Kernels of the doubling tree, for any kind of node (rolling_moments.cuh, rolling_pairs.cuh).
 *
 * TILES   A block takes blockDim.x * ROWS consecutive rows; outputs are those whose window lies inside. A
 * warp holds 32 * ROWS consecutive rows, lane l rows l, l + 32, ... in registers: the node of the level
 * reached and the part gathered of each window. Both are kept at the *first* row j they cover, so that
 *
 *     level  T(k+1)[j] = Tk[j] + Tk[j + 2^k]        window  sum[j] = Tk[j] + sum[j + 2^k]  where bit k is set
 *
 * and whatever the window, only the power of two travels (the newest row of a part is found by adding its
 * length, x being in shared memory). A shift of 2^k rows is, for k < 5, a shuffle within the warp, which
 * holds the next warp's first 32 rows too, so that no barrier is needed; for 2^k < 32 * ROWS another
 * register, and shared memory for the first 2^k rows of each warp alone; above that shared memory.
 *
 * Estimates for a sum of 500 rows (tile of 4096; accesses of 8 bytes a row to shared memory, shuffles
 * counted as accesses): x 1, levels 0-4 10, levels 5-7 1.5, the window 5, about 18 where an array in shared
 * memory a level would take 34; 13 merges of 4 FP64 operations; 13 % of the rows are halo. On a device with
 * 128 bytes of shared memory and 64 FP64 operations a clock and multiprocessor that is 1.3 and 1.0 clocks a
 * row where 60 % of an H200's bandwidth (16 bytes a row) leaves 1.6. At 5000 rows (tile of 8192, 61 % halo)
 * the halo dominates: about 30 accesses and 64 operations a row of the tile, 4.8 clocks a row of output where
 * 35 % of the bandwidth leaves 2.8.
 *
 * WIDE WINDOWS   Windows beyond half a tile are gathered in global memory, a launch a level, from the highest
 * level that a tile gives. */
#ifndef FMLP_CUDA_ROLLING_TREE_KERNELS_H
#define FMLP_CUDA_ROLLING_TREE_KERNELS_H

#include "common/core/bits.h"
#include "cuda/kernel.h"
#include "cuda/rolling_tree.h"

template <class Kind> struct fmlp_tree_node { double field[Kind::COUNT]; };

template <class Kind> struct fmlp_tree_constants { double of[Kind::CONSTANTS]; };

/* Values of the operands in one row. */
template <class Kind> struct fmlp_tree_x { double of[Kind::OPERANDS]; };

/* What a thread holds: rows row + 32 r of the tile, and with r = ROWS one row of the next warp. */
template <class Kind, int WINDOWS, int ROWS> struct fmlp_tree_thread {
  fmlp_shared<double> x;        /* [operand][depth] */
  fmlp_shared<double> exchange; /* COUNT * tile */
  int32_t tile, depth;          /* rows; and with zeros behind them, so that no read of x needs a limit */
  int32_t row, lane, warp, warps;
  int32_t half;                       /* of `exchange`, which the next shift by registers uses */
  fmlp_tree_x<Kind> newest[ROWS + 1]; /* of the newest row that `level` covers */
  fmlp_tree_node<Kind> level[ROWS + 1];
  fmlp_tree_node<Kind> sum[WINDOWS][ROWS + 1];
};

template <class Kind, int WINDOWS, int ROWS>
FMLP_DEVICE fmlp_tree_x<Kind> fmlp_tree_at(const fmlp_tree_thread<Kind, WINDOWS, ROWS> &t, int32_t row) {
  fmlp_tree_x<Kind> x;
  FMLP_UNROLL
  for (int o = 0; o < Kind::OPERANDS; o++) x.of[o] = t.x[o * t.depth + row];
  return x;
}

template <class Kind>
FMLP_DEVICE fmlp_tree_constants<Kind> fmlp_tree_table(const fmlp_gpu_tree_tile_args &args, int32_t slot,
                                                      int32_t k) {
  fmlp_tree_constants<Kind> constants;
  FMLP_UNROLL
  for (int c = 0; c < Kind::CONSTANTS; c++) {
    constants.of[c] = args.table[(slot * FMLP_GPU_TREE_LEVELS + k) * Kind::CONSTANTS + c];
  }
  return constants;
}

/* gathered[j] = level[j] + gathered[j + 2^k], `gathered` covering newer_rows rows: the level itself (CLIMB)
 * or the part of a window. Levels 0 to 4. */
template <bool CLIMB, class Kind, int WINDOWS, int ROWS>
FMLP_DEVICE void fmlp_tree_merge_lanes(fmlp_tree_thread<Kind, WINDOWS, ROWS> &t,
                                       fmlp_tree_node<Kind> (&gathered)[ROWS + 1], int32_t newer_rows,
                                       int32_t k, const fmlp_tree_constants<Kind> &constants) {
  const int32_t width = 1 << k, source = (t.lane + width) & 31;
  const bool wraps = t.lane + width > 31;
  fmlp_tree_node<Kind> next;
  FMLP_UNROLL
  for (int f = 0; f < Kind::COUNT; f++)
    next.field[f] = __shfl_sync(0xffffffffu, gathered[0].field[f], source);
  FMLP_UNROLL
  for (int r = 0; r <= ROWS; r++) {
    fmlp_tree_node<Kind> newer = next;
    if (r < ROWS) {
      FMLP_UNROLL
      for (int f = 0; f < Kind::COUNT; f++) {
        next.field[f] = __shfl_sync(0xffffffffu, gathered[r + 1].field[f], source);
        newer.field[f] = wraps ? next.field[f] : newer.field[f];
      }
    }
    const fmlp_tree_x<Kind> newest = fmlp_tree_at(t, t.row + 32 * r + width + newer_rows - 1);
    gathered[r] = Kind::merge(constants, t.newest[r], newest, t.level[r], newer);
    if (CLIMB) t.newest[r] = newest;
  }
}

/* The same for a shift of SHIFT registers. */
template <bool CLIMB, int SHIFT, class Kind, int WINDOWS, int ROWS>
FMLP_DEVICE void fmlp_tree_merge_registers(fmlp_tree_thread<Kind, WINDOWS, ROWS> &t,
                                           fmlp_tree_node<Kind> (&gathered)[ROWS + 1], int32_t newer_rows,
                                           const fmlp_tree_constants<Kind> &constants) {
  const int32_t size = t.tile / 2, start = t.half * Kind::COUNT * size;
  FMLP_UNROLL
  for (int r = 0; r < SHIFT; r++) {
    FMLP_UNROLL
    for (int f = 0; f < Kind::COUNT; f++) {
      t.exchange[start + f * size + (t.warp * SHIFT + r) * 32 + t.lane] = gathered[r].field[f];
    }
  }
  t.half = 1 - t.half; /* so that one barrier does: who writes here again has passed the next one */
  __syncthreads();
  const int32_t other = t.warp + 1 < t.warps ? t.warp + 1 : t.warp;
  FMLP_UNROLL
  for (int r = 0; r < ROWS; r++) {
    fmlp_tree_node<Kind> newer = gathered[r + SHIFT < ROWS ? r + SHIFT : ROWS];
    if (r + SHIFT >= ROWS) {
      FMLP_UNROLL
      for (int f = 0; f < Kind::COUNT; f++) {
        newer.field[f] = t.exchange[start + f * size + (other * SHIFT + r + SHIFT - ROWS) * 32 + t.lane];
      }
    }
    const bool held = CLIMB && r + SHIFT < ROWS;
    const fmlp_tree_x<Kind> newest =
        held ? t.newest[held ? r + SHIFT : r] : fmlp_tree_at(t, t.row + 32 * (r + SHIFT) + newer_rows - 1);
    gathered[r] = Kind::merge(constants, t.newest[r], newest, t.level[r], newer);
    if (CLIMB) t.newest[r] = newest;
  }
}

/* The same for any shift. */
template <bool CLIMB, class Kind, int WINDOWS, int ROWS>
FMLP_DEVICE void fmlp_tree_merge_shared(fmlp_tree_thread<Kind, WINDOWS, ROWS> &t,
                                        fmlp_tree_node<Kind> (&gathered)[ROWS + 1], int32_t newer_rows,
                                        int32_t width, const fmlp_tree_constants<Kind> &constants) {
  __syncthreads();
  FMLP_UNROLL
  for (int r = 0; r < ROWS; r++) {
    FMLP_UNROLL
    for (int f = 0; f < Kind::COUNT; f++) t.exchange[f * t.tile + t.row + 32 * r] = gathered[r].field[f];
  }
  __syncthreads();
  FMLP_UNROLL
  for (int r = 0; r < ROWS; r++) {
    const int32_t from = t.row + 32 * r + width < t.tile ? t.row + 32 * r + width : t.tile - 1;
    fmlp_tree_node<Kind> newer;
    FMLP_UNROLL
    for (int f = 0; f < Kind::COUNT; f++) newer.field[f] = t.exchange[f * t.tile + from];
    const fmlp_tree_x<Kind> newest = fmlp_tree_at(t, t.row + 32 * r + width + newer_rows - 1);
    gathered[r] = Kind::merge(constants, t.newest[r], newest, t.level[r], newer);
    if (CLIMB) t.newest[r] = newest;
  }
}

/* Step k of all windows and of the level. `merge(is_climb, gathered, newer_rows, constants)`. */
template <int MODE, int SHIFT, class Kind, int WINDOWS, int ROWS>
FMLP_DEVICE void fmlp_tree_step(const fmlp_gpu_tree_tile_args &args, fmlp_tree_thread<Kind, WINDOWS, ROWS> &t,
                                int32_t k) {
  const int32_t width = 1 << k;
  FMLP_UNROLL
  for (int w = 0; w < WINDOWS; w++) {
    if (!(args.window[w] & width)) continue;
    const int32_t gathered = args.window[w] & (width - 1);
    if (gathered == 0) {
      FMLP_UNROLL
      for (int r = 0; r <= ROWS; r++) t.sum[w][r] = t.level[r];
      continue;
    }
    const fmlp_tree_constants<Kind> constants = fmlp_tree_table<Kind>(args, w, k);
    if (MODE == 0) fmlp_tree_merge_lanes<false>(t, t.sum[w], gathered, k, constants);
    if (MODE == 1) fmlp_tree_merge_registers<false, SHIFT>(t, t.sum[w], gathered, constants);
    if (MODE == 2) fmlp_tree_merge_shared<false>(t, t.sum[w], gathered, width, constants);
  }
  if (k + 1 >= args.levels) return;
  const fmlp_tree_constants<Kind> constants = fmlp_tree_table<Kind>(args, WINDOWS, k);
  if (MODE == 0) fmlp_tree_merge_lanes<true>(t, t.level, width, k, constants);
  if (MODE == 1) fmlp_tree_merge_registers<true, SHIFT>(t, t.level, width, constants);
  if (MODE == 2) fmlp_tree_merge_shared<true>(t, t.level, width, width, constants);
}

/* Levels 5, 6, ... while a shift is one of registers; gives the level reached. */
template <int SHIFT, class Kind, int WINDOWS, int ROWS>
FMLP_DEVICE int32_t fmlp_tree_register_steps(const fmlp_gpu_tree_tile_args &args,
                                             fmlp_tree_thread<Kind, WINDOWS, ROWS> &t, int32_t k) {
  if constexpr (SHIFT < ROWS) {
    if (k < args.levels) {
      fmlp_tree_step<1, SHIFT>(args, t, k);
      return fmlp_tree_register_steps<SHIFT * 2>(args, t, k + 1);
    }
  }
  return k;
}

/* `value`, cut to a count of the tile's rows. */
template <class Kind, int WINDOWS, int ROWS>
FMLP_DEVICE int32_t fmlp_tree_rows(const fmlp_tree_thread<Kind, WINDOWS, ROWS> &t, int64_t value) {
  return value < 0 ? 0 : value > t.tile ? t.tile : (int32_t)value;
}

template <class Kind, int WINDOWS, int ROWS>
FMLP_DEVICE void fmlp_tree_load(const fmlp_gpu_tree_tile_args &args, fmlp_tree_thread<Kind, WINDOWS, ROWS> &t,
                                int64_t start) {
  const int32_t from = fmlp_tree_rows(t, args.origin - start), to = fmlp_tree_rows(t, args.last - start);
  FMLP_UNROLL
  for (int o = 0; o < Kind::OPERANDS; o++) {
    const double *x = args.operand[o].values + (start + t.row - args.operand[o].first);
    FMLP_UNROLL
    for (int r = 0; r < ROWS; r++) {
      const int32_t row = t.row + 32 * r;
      t.newest[r].of[o] = fmlp_nan();
      if (row >= from && row < to) t.newest[r].of[o] = __ldg(x + 32 * r);
    }
    FMLP_UNROLL
    for (int r = 0; r < ROWS; r++) t.x[o * t.depth + t.row + 32 * r] = t.newest[r].of[o];
    FMLP_NO_UNROLL
    for (int32_t row = t.tile + (int32_t)threadIdx.x; row < t.depth; row += (int32_t)blockDim.x) {
      t.x[o * t.depth + row] = 0.0;
    }
  }
  __syncthreads();
  t.newest[ROWS] = fmlp_tree_at(t, t.row + 32 * ROWS);
  FMLP_UNROLL
  for (int r = 0; r <= ROWS; r++) {
    FMLP_UNROLL
    for (int f = 0; f < Kind::COUNT; f++) t.level[r].field[f] = 0.0;
  }
}

template <class Kind, int WINDOWS, int ROWS>
FMLP_DEVICE void fmlp_tree_store(const fmlp_gpu_tree_tile_args &args, const fmlp_gpu_tree_target &target,
                                 const fmlp_tree_thread<Kind, WINDOWS, ROWS> &t, int64_t start) {
  const int32_t window = args.window[target.slot], first = t.row + window - 1;
  const int32_t to = fmlp_tree_rows(t, args.last - start);
  double *out = target.values + (start + first - target.first);
  FMLP_UNROLL
  for (int r = 0; r < ROWS; r++) {
    fmlp_tree_node<Kind> sum = t.sum[0][r];
    FMLP_UNROLL
    for (int w = 1; w < WINDOWS; w++) {
      FMLP_UNROLL
      for (int f = 0; f < Kind::COUNT; f++) { /* by value: choosing among addresses would need memory */
        const double other = t.sum[w][r].field[f], chosen = sum.field[f];
        sum.field[f] = target.slot == w ? other : chosen;
      }
    }
    if (first + 32 * r < args.widest - 1 || first + 32 * r >= to) continue;
    if (target.op == FMLP_GPU_TREE_RAW) {
      FMLP_UNROLL
      for (int f = 0; f < Kind::COUNT; f++) out[f * target.stride + 32 * r] = sum.field[f];
    } else {
      out[32 * r] = Kind::value(target, window, t.x[first + 32 * r], sum);
    }
  }
}

template <class Kind, int WINDOWS, int ROWS>
FMLP_DEVICE void fmlp_tree_tile(const fmlp_gpu_tree_tile_args &args) {
  FMLP_SHARED_MEMORY(space);
  fmlp_tree_thread<Kind, WINDOWS, ROWS> t;
  t.tile = (int32_t)blockDim.x * ROWS;
  t.depth = t.tile + args.widest + 32;
  t.x = space.take<double>(Kind::OPERANDS * t.depth);
  t.exchange = space.take<double>(Kind::COUNT * t.tile);
  t.lane = (int32_t)threadIdx.x % 32, t.warp = (int32_t)threadIdx.x / 32;
  t.warps = (int32_t)blockDim.x / 32;
  t.row = t.warp * 32 * ROWS + t.lane;
  t.half = 0;
  const int64_t start = args.first + (int64_t)blockIdx.x * args.outputs - (args.widest - 1);
  fmlp_tree_load(args, t, start);
  int32_t k = 0;
  FMLP_NO_UNROLL
  for (; k < 5 && k < args.levels; k++) fmlp_tree_step<0, 0>(args, t, k);
  k = fmlp_tree_register_steps<1>(args, t, k);
  FMLP_NO_UNROLL
  for (; k < args.levels; k++) fmlp_tree_step<2, 0>(args, t, k);
  FMLP_NO_UNROLL
  for (int32_t i = 0; i < args.target_count; i++) fmlp_tree_store(args, args.targets[i], t, start);
}

/* ---- wide windows ---- */

template <class Kind>
FMLP_DEVICE fmlp_tree_node<Kind> fmlp_tree_read(const double *nodes, int64_t index, int64_t stride) {
  fmlp_tree_node<Kind> node;
  FMLP_UNROLL
  for (int f = 0; f < Kind::COUNT; f++) node.field[f] = index < 0 ? fmlp_nan() : nodes[f * stride + index];
  return node;
}

template <class Kind> FMLP_DEVICE void fmlp_tree_merge_level(const fmlp_gpu_tree_merge_args &args) {
  const int64_t step = (int64_t)gridDim.x * blockDim.x;
  fmlp_tree_constants<Kind> constants;
  FMLP_UNROLL
  for (int c = 0; c < Kind::CONSTANTS; c++) constants.of[c] = args.constants[c];
  for (int64_t row = args.first + (int64_t)blockIdx.x * blockDim.x + threadIdx.x; row < args.last;
       row += step) {
    const int64_t older_row = row - args.newer_rows, index = row - args.base;
    fmlp_tree_node<Kind> node = fmlp_tree_read<Kind>(args.older, older_row - args.base, args.stride);
    if (args.newer) {
      fmlp_tree_x<Kind> older_x, newer_x;
      FMLP_UNROLL
      for (int o = 0; o < Kind::OPERANDS; o++) {
        newer_x.of[o] = args.operand[o].values[row - args.operand[o].first];
        older_x.of[o] =
            older_row < args.base ? fmlp_nan() : args.operand[o].values[older_row - args.operand[o].first];
      }
      node = Kind::merge(constants, older_x, newer_x, node,
                         fmlp_tree_read<Kind>(args.newer, index, args.stride));
    }
    FMLP_UNROLL
    for (int f = 0; f < Kind::COUNT; f++) args.out[f * args.stride + index] = node.field[f];
  }
}

template <class Kind> FMLP_DEVICE void fmlp_tree_finish(const fmlp_gpu_tree_finish_args &args) {
  const int64_t step = (int64_t)gridDim.x * blockDim.x;
  for (int64_t row = args.first + (int64_t)blockIdx.x * blockDim.x + threadIdx.x; row < args.last;
       row += step) {
    const fmlp_tree_node<Kind> sum = fmlp_tree_read<Kind>(args.sum, row - args.base, args.stride);
    args.target.values[row - args.target.first] =
        Kind::value(args.target, args.window, args.operand.values[row - args.operand.first], sum);
  }
}

#endif
