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
 * STREAMS   A halo at the end of each tile would cost a window of thousands of rows most of its work. Where
 * it would, a block takes several tiles from the newest to the oldest: what a shift brings in from behind a
 * tile is what the tile before had at the same shift in its first 2^k rows, and these it keeps ("carry").
 *
 * Estimates (none is measured; in accesses of 8 bytes a row to shared memory, a shuffle counted as one, and
 * clocks a row and multiprocessor at 128 bytes and 64 FP64 operations a clock). Sum of 500 rows, streamed in
 * tiles of 2048: x 2, levels 0-4 9, levels 5-7 1.5, the window 8, carry 1.2, together 22, 1.4 clocks; 13
 * merges of 4 FP64 operations, 0.9 clocks. 60 % of an H200's bandwidth, 16 bytes a row, leaves 1.6. An array
 * in shared memory a level, with halos, would take 38 accesses. Sum of 5000 rows, in tiles of 6144: 38
 * accesses, 2.4 clocks, where 35 % of the bandwidth leaves 2.8. Registers, not shared memory, bound the
 * tiles: 2 * ROWS for each field of the level, of each window, and for x, and about 60 besides.
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
template <class Kind, int WINDOWS, int ROWS, bool STREAMS> struct fmlp_tree_thread {
  fmlp_shared<double> x;        /* [operand][depth] */
  fmlp_shared<double> exchange; /* COUNT * tile */
  fmlp_shared<double> carry;    /* of each shift, in turn: the first rows of the tile behind, COUNT * width */
  int32_t carried;              /* doubles of `carry` that the shifts before used */
  int32_t tile, depth;          /* rows; and with zeros behind them, so that no read of x needs a limit */
  int32_t row, lane, warp, warps;
  int32_t half;                       /* of `exchange`, which the next shift by registers uses */
  fmlp_tree_x<Kind> newest[ROWS + 1]; /* of the newest row that `level` covers */
  fmlp_tree_node<Kind> level[ROWS + 1];
  fmlp_tree_node<Kind> sum[WINDOWS][ROWS + 1];
};

template <class Kind, int WINDOWS, int ROWS, bool STREAMS>
FMLP_DEVICE fmlp_tree_x<Kind> fmlp_tree_at(const fmlp_tree_thread<Kind, WINDOWS, ROWS, STREAMS> &t,
                                           int32_t row) {
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
 * or the part of a window. Levels 1 to 4. */
template <bool CLIMB, class Kind, int WINDOWS, int ROWS, bool STREAMS>
FMLP_DEVICE void fmlp_tree_merge_lanes(fmlp_tree_thread<Kind, WINDOWS, ROWS, STREAMS> &t,
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

/* A value of the first rows of this tile against the same of the tile behind, which the rows at the end need.
 * One thread alone uses a place of `carry`, so that no barrier is needed. */
template <class Kind, int WINDOWS, int ROWS, bool STREAMS>
FMLP_DEVICE double fmlp_tree_swap(const fmlp_tree_thread<Kind, WINDOWS, ROWS, STREAMS> &t, int32_t index,
                                  double value) {
  if constexpr (!STREAMS) return value;
  const double behind = t.carry[t.carried + index];
  t.carry[t.carried + index] = value;
  return behind;
}

/* The same for a shift of SHIFT registers. */
template <bool CLIMB, int SHIFT, class Kind, int WINDOWS, int ROWS, bool STREAMS>
FMLP_DEVICE void fmlp_tree_merge_registers(fmlp_tree_thread<Kind, WINDOWS, ROWS, STREAMS> &t,
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
  const bool last = t.warp + 1 == t.warps;
  const int32_t other = last ? 0 : t.warp + 1;
  FMLP_UNROLL
  for (int r = 0; r < ROWS; r++) {
    fmlp_tree_node<Kind> newer = gathered[r + SHIFT < ROWS ? r + SHIFT : ROWS];
    if (r + SHIFT >= ROWS) {
      const int32_t index = (r + SHIFT - ROWS) * 32 + t.lane;
      FMLP_UNROLL
      for (int f = 0; f < Kind::COUNT; f++) {
        newer.field[f] = t.exchange[start + f * size + other * SHIFT * 32 + index];
        if (STREAMS && last) newer.field[f] = fmlp_tree_swap(t, f * 32 * SHIFT + index, newer.field[f]);
      }
    }
    const bool held = CLIMB && r + SHIFT < ROWS;
    const fmlp_tree_x<Kind> newest =
        held ? t.newest[held ? r + SHIFT : r] : fmlp_tree_at(t, t.row + 32 * (r + SHIFT) + newer_rows - 1);
    gathered[r] = Kind::merge(constants, t.newest[r], newest, t.level[r], newer);
    if (CLIMB) t.newest[r] = newest;
  }
  t.carried += Kind::COUNT * 32 * SHIFT;
}

/* The same for any shift. */
template <bool CLIMB, class Kind, int WINDOWS, int ROWS, bool STREAMS>
FMLP_DEVICE void fmlp_tree_merge_shared(fmlp_tree_thread<Kind, WINDOWS, ROWS, STREAMS> &t,
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
    const int32_t to = t.row + 32 * r + width, from = to < t.tile ? to : STREAMS ? to - t.tile : t.tile - 1;
    fmlp_tree_node<Kind> newer;
    FMLP_UNROLL
    for (int f = 0; f < Kind::COUNT; f++) {
      newer.field[f] = t.exchange[f * t.tile + from];
      if (STREAMS && to >= t.tile) newer.field[f] = fmlp_tree_swap(t, f * width + from, newer.field[f]);
    }
    const fmlp_tree_x<Kind> newest = fmlp_tree_at(t, t.row + 32 * r + width + newer_rows - 1);
    gathered[r] = Kind::merge(constants, t.newest[r], newest, t.level[r], newer);
    if (CLIMB) t.newest[r] = newest;
  }
  t.carried += Kind::COUNT * width;
}

/* The first level: leaves are zeros, so that nothing but x travels. */
template <class Kind, int WINDOWS, int ROWS, bool STREAMS>
FMLP_DEVICE void fmlp_tree_merge_leaves(fmlp_tree_thread<Kind, WINDOWS, ROWS, STREAMS> &t,
                                        const fmlp_tree_constants<Kind> &constants) {
  FMLP_UNROLL
  for (int r = 0; r <= ROWS; r++) {
    const fmlp_tree_x<Kind> newest = fmlp_tree_at(t, t.row + 32 * r + 1);
    t.level[r] = Kind::merge(constants, t.newest[r], newest, t.level[r], t.level[r]);
    t.newest[r] = newest;
  }
}

enum { FMLP_TREE_LEAVES, FMLP_TREE_LANES, FMLP_TREE_REGISTERS, FMLP_TREE_SHARED };

/* Step k of all windows and of the level, by one of the ways above. */
template <int MODE, int SHIFT, class Kind, int WINDOWS, int ROWS, bool STREAMS>
FMLP_DEVICE void fmlp_tree_step(const fmlp_gpu_tree_tile_args &args,
                                fmlp_tree_thread<Kind, WINDOWS, ROWS, STREAMS> &t, int32_t k) {
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
    if (MODE == FMLP_TREE_LANES) fmlp_tree_merge_lanes<false>(t, t.sum[w], gathered, k, constants);
    if (MODE == FMLP_TREE_REGISTERS)
      fmlp_tree_merge_registers<false, SHIFT>(t, t.sum[w], gathered, constants);
    if (MODE == FMLP_TREE_SHARED) fmlp_tree_merge_shared<false>(t, t.sum[w], gathered, width, constants);
  }
  if (k + 1 >= args.levels) return;
  const fmlp_tree_constants<Kind> constants = fmlp_tree_table<Kind>(args, WINDOWS, k);
  if (MODE == FMLP_TREE_LEAVES) fmlp_tree_merge_leaves(t, constants);
  if (MODE == FMLP_TREE_LANES) fmlp_tree_merge_lanes<true>(t, t.level, width, k, constants);
  if (MODE == FMLP_TREE_REGISTERS) fmlp_tree_merge_registers<true, SHIFT>(t, t.level, width, constants);
  if (MODE == FMLP_TREE_SHARED) fmlp_tree_merge_shared<true>(t, t.level, width, width, constants);
}

/* Levels 5, 6, ... while a shift is one of registers; gives the level reached. */
template <int SHIFT, class Kind, int WINDOWS, int ROWS, bool STREAMS>
FMLP_DEVICE int32_t fmlp_tree_register_steps(const fmlp_gpu_tree_tile_args &args,
                                             fmlp_tree_thread<Kind, WINDOWS, ROWS, STREAMS> &t, int32_t k) {
  if constexpr (SHIFT < ROWS) {
    if (k < args.levels) {
      fmlp_tree_step<FMLP_TREE_REGISTERS, SHIFT>(args, t, k);
      return fmlp_tree_register_steps<SHIFT * 2>(args, t, k + 1);
    }
  }
  return k;
}

/* `value`, cut to a count of the tile's rows. */
template <class Kind, int WINDOWS, int ROWS, bool STREAMS>
FMLP_DEVICE int32_t fmlp_tree_rows(const fmlp_tree_thread<Kind, WINDOWS, ROWS, STREAMS> &t, int64_t value) {
  return value < 0 ? 0 : value > t.tile ? t.tile : (int32_t)value;
}

template <class Kind, int WINDOWS, int ROWS, bool STREAMS>
FMLP_DEVICE void fmlp_tree_load(const fmlp_gpu_tree_tile_args &args,
                                fmlp_tree_thread<Kind, WINDOWS, ROWS, STREAMS> &t, int64_t start,
                                bool newest_tile) {
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
  }
  if (!newest_tile) __syncthreads(); /* the tile behind is done with x */
  FMLP_NO_UNROLL
  for (int32_t row = (int32_t)threadIdx.x; row < t.depth - t.tile; row += (int32_t)blockDim.x) {
    FMLP_UNROLL
    for (int o = 0; o < Kind::OPERANDS; o++) {
      double behind = 0.0;
      if (!newest_tile) behind = t.x[o * t.depth + row];
      t.x[o * t.depth + t.tile + row] = behind;
    }
  }
  if (STREAMS && newest_tile) {
    FMLP_NO_UNROLL
    for (int32_t i = (int32_t)threadIdx.x; i < args.carry; i += (int32_t)blockDim.x) t.carry[i] = 0.0;
  }
  if (!newest_tile) __syncthreads();
  FMLP_UNROLL
  for (int o = 0; o < Kind::OPERANDS; o++) {
    FMLP_UNROLL
    for (int r = 0; r < ROWS; r++) t.x[o * t.depth + t.row + 32 * r] = t.newest[r].of[o];
  }
  __syncthreads();
  t.newest[ROWS] = fmlp_tree_at(t, t.row + 32 * ROWS);
  FMLP_UNROLL
  for (int r = 0; r <= ROWS; r++) {
    FMLP_UNROLL
    for (int f = 0; f < Kind::COUNT; f++) t.level[r].field[f] = 0.0;
  }
}

template <class Kind, int WINDOWS, int ROWS, bool STREAMS>
FMLP_DEVICE void fmlp_tree_store(const fmlp_gpu_tree_tile_args &args, const fmlp_gpu_tree_target &target,
                                 const fmlp_tree_thread<Kind, WINDOWS, ROWS, STREAMS> &t, int64_t start,
                                 int32_t from, int32_t to) {
  const int32_t window = args.window[target.slot], first = t.row + window - 1;
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
    if (first + 32 * r < from || first + 32 * r >= to) continue;
    if (target.op == FMLP_GPU_TREE_RAW) {
      FMLP_UNROLL
      for (int f = 0; f < Kind::COUNT; f++) out[f * target.stride + 32 * r] = sum.field[f];
    } else {
      out[32 * r] = Kind::value(target, window, t.x[first + 32 * r], sum);
    }
  }
}

template <class Kind, int WINDOWS, int ROWS, bool STREAMS>
FMLP_DEVICE void fmlp_tree_tile(const fmlp_gpu_tree_tile_args &args) {
  FMLP_SHARED_MEMORY(space);
  fmlp_tree_thread<Kind, WINDOWS, ROWS, STREAMS> t;
  t.tile = (int32_t)blockDim.x * ROWS;
  t.depth = t.tile + args.widest + 32;
  t.x = space.take<double>(Kind::OPERANDS * t.depth);
  t.exchange = space.take<double>(Kind::COUNT * t.tile);
  if (STREAMS) t.carry = space.take<double>(args.carry);
  t.lane = (int32_t)threadIdx.x % 32, t.warp = (int32_t)threadIdx.x / 32;
  t.warps = (int32_t)blockDim.x / 32;
  t.row = t.warp * 32 * ROWS + t.lane;
  t.half = 0;
  int64_t start = args.first + ((int64_t)blockIdx.x + 1) * args.outputs;
  const int32_t tiles = STREAMS ? args.tiles : 1;
  bool newest_tile = true;
  FMLP_NO_UNROLL
  for (int32_t tile = 0; tile < tiles; tile++) {
    start -= t.tile;
    if (STREAMS && start >= args.last) continue; /* all of it behind the last row */
    t.carried = 0;
    fmlp_tree_load(args, t, start, newest_tile);
    newest_tile = false;
    fmlp_tree_step<FMLP_TREE_LEAVES, 0>(args, t, 0);
    int32_t k = 1;
    FMLP_NO_UNROLL
    for (; k < 5 && k < args.levels; k++) fmlp_tree_step<FMLP_TREE_LANES, 0>(args, t, k);
    k = fmlp_tree_register_steps<1>(args, t, k);
    FMLP_NO_UNROLL
    for (; k < args.levels; k++) fmlp_tree_step<FMLP_TREE_SHARED, 0>(args, t, k);
    /* Newest rows of windows that begin in this tile and end in the block's range. */
    const int64_t first = args.first + (int64_t)blockIdx.x * args.outputs, end = first + args.outputs;
    const int32_t from = first > start ? (int32_t)(first - start) : 0;
    const int32_t to = (int32_t)((end < args.last ? end : args.last) - start);
    FMLP_NO_UNROLL
    for (int32_t i = 0; i < args.target_count; i++) {
      fmlp_tree_store(args, args.targets[i], t, start, from, to);
    }
  }
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
