/* min max range argmin argmax. Exact operations: any order of merging gives the bits of the reference, if the
 * newer of two equal values wins. NaN wins over everything, so that a window with a NaN, or with rows that do
 * not exist, gives NaN by itself.
 *
 * A window is a suffix of one run of rows, whole runs, and a prefix of the run its last row lies in:
 *
 *       oldest row                           row
 *   [....xxxx][xxxxxxxx][xxxxxxxx][xxxxxxxx][xxxxx...]
 *     suffix    two overlapping nodes of     prefix
 *               the doubling tree over runs
 *
 * Suffixes and the tree serve every window over the column, and only the tree has levels: log2(w / run) of
 * them over one node a run, where doubling over rows would move three words a row and level.
 *
 * TILES, windows up to half a tile: a run is a thread's 9 rows, prefixes stay in its registers, suffixes and
 * the tree in shared memory. Estimate for one side and one target, 256 threads, w = 500: 16 bytes a row of
 * device memory (the halo is read from the second-level cache); shared words of 8 bytes a row of the tile:
 * staging of x 2, suffix 2, tree 6 * 3 / 9, ends of the window in the tree 3 / 9, staging of the result 2,
 * thus 8.3, or 10.8 a result; that is 0.7 clocks of a multiprocessor a result where device memory takes about
 * 0.85. A further target costs 3.3 words and 8 bytes. About 6 merges of four instructions a row.
 *
 * SEGMENTS, larger windows: a run is a block's rows, suffixes and the tree are in device memory. 40 bytes a
 * row whatever the window (x twice, suffix written and read, the result), 16 for each further target.
 *
 * SHORT windows, up to a run: 16 bytes a row, and w words from the first-level cache. */
#ifndef FMLP_CUDA_ROLLING_EXTREMES_CUH
#define FMLP_CUDA_ROLLING_EXTREMES_CUH

#include "common/core/bits.h"
#include "cuda/kernel.h"
#include "cuda/rolling_extremes.h"

template <typename Row> struct fmlp_extreme {
  double value;
  Row row;
};

/* LOW: the minimum, else the maximum. */
template <bool LOW = true, typename Row>
FMLP_DEVICE fmlp_extreme<Row> fmlp_extreme_of(fmlp_extreme<Row> older, fmlp_extreme<Row> newer) {
  const bool beyond = LOW ? older.value < newer.value : older.value > newer.value;
  const bool take = beyond || older.value != older.value;
  return {take ? older.value : newer.value, take ? older.row : newer.row};
}

/* As the older operand it changes nothing. */
template <bool LOW = true, typename Row> FMLP_DEVICE fmlp_extreme<Row> fmlp_extreme_none() {
  return {fmlp_from_bits(LOW ? 0x7ff0000000000000ULL : 0xfff0000000000000ULL), 0};
}

/* Extremes in shared memory; without ROWS only their values. */
template <bool ROWS> struct fmlp_shared_extremes {
  fmlp_shared<double> values;
  fmlp_shared<int32_t> rows;
};

template <bool ROWS>
FMLP_DEVICE fmlp_shared_extremes<ROWS> fmlp_extremes_take(fmlp_shared_space &space, int32_t count) {
  fmlp_shared_extremes<ROWS> taken = {};
  taken.values = space.take<double>(count);
  if (ROWS) taken.rows = space.take<int32_t>(count);
  return taken;
}

template <bool ROWS>
FMLP_DEVICE fmlp_extreme<int32_t> fmlp_extremes_get(const fmlp_shared_extremes<ROWS> &from, int32_t i) {
  fmlp_extreme<int32_t> found = {from.values[i], 0};
  if (ROWS) found.row = from.rows[i];
  return found;
}

template <bool ROWS>
FMLP_DEVICE void fmlp_extremes_put(const fmlp_shared_extremes<ROWS> &to, int32_t i, fmlp_extreme<int32_t> e) {
  to.values[i] = e.value;
  if (ROWS) to.rows[i] = e.row;
}

/* The block's rows from `start` on, through shared memory: x[j] is row start + run * RUN + j, NaN outside
 * base .. last-1, with its sign turned if `negative`. Device memory is read row beside row. */
FMLP_DEVICE void fmlp_extremes_load(fmlp_shared<double> stage, fmlp_gpu_column a, int64_t start, int64_t base,
                                    int64_t last, int32_t negative, int32_t run, double *x) {
  double read[FMLP_GPU_EXTREMES_RUN];
  FMLP_UNROLL
  for (int32_t k = 0; k < FMLP_GPU_EXTREMES_RUN; k++) {
    const int64_t row = start + k * (int32_t)blockDim.x + (int32_t)threadIdx.x;
    read[k] = row >= base && row < last ? a.values[row - a.first] : fmlp_nan();
    read[k] = negative ? -read[k] : read[k];
  }
  FMLP_UNROLL
  for (int32_t k = 0; k < FMLP_GPU_EXTREMES_RUN; k++) {
    stage[k * (int32_t)blockDim.x + (int32_t)threadIdx.x] = read[k];
  }
  __syncthreads();
  FMLP_UNROLL
  for (int32_t j = 0; j < FMLP_GPU_EXTREMES_RUN; j++) x[j] = stage[run * FMLP_GPU_EXTREMES_RUN + j];
}

/* ---- short windows ---- */

/* The extreme of the newest `lookback` + 1 of x[0], x[1], ..., the newest first. */
template <bool LOW>
FMLP_DEVICE fmlp_extreme<int32_t> fmlp_extremes_of_few(const double *x, int32_t lookback) {
  fmlp_extreme<int32_t> found = {x[0], 0};
  FMLP_UNROLL
  for (int32_t back = 1; back < FMLP_GPU_EXTREMES_RUN; back++) {
    const fmlp_extreme<int32_t> older = {x[back], back};
    if (back <= lookback) found = fmlp_extreme_of<LOW>(older, found);
  }
  return found;
}

/* Windows of up to a run: read as they are, row by row; neighbouring threads find them in the first-level
 * cache. */
FMLP_KERNEL(rolling_extremes_short, fmlp_gpu_extremes_short_args) {
  const int64_t step = (int64_t)gridDim.x * blockDim.x;
  const int32_t op = args.target.op, lookback = (int32_t)args.target.window - 1;
  for (int64_t row = args.first + (int64_t)blockIdx.x * blockDim.x + threadIdx.x; row < args.last;
       row += step) {
    double value = fmlp_nan();
    if (row - lookback >= args.origin) {
      const double *newest = args.a.values + (row - args.a.first);
      double x[FMLP_GPU_EXTREMES_RUN];
      FMLP_UNROLL
      for (int32_t back = 0; back < FMLP_GPU_EXTREMES_RUN; back++) {
        x[back] = back <= lookback ? newest[-back] : 0.0;
      }
      fmlp_extreme<int32_t> low = {}, high = {};
      if (op != FMLP_OP_MAX && op != FMLP_OP_ARGMAX) low = fmlp_extremes_of_few<true>(x, lookback);
      if (op != FMLP_OP_MIN && op != FMLP_OP_ARGMIN) high = fmlp_extremes_of_few<false>(x, lookback);
      value = op == FMLP_OP_MIN || op == FMLP_OP_ARGMIN ? low.value : high.value;
      if (op == FMLP_OP_RANGE) value = fmlp_canonical(high.value - low.value);
      if (op == FMLP_OP_ARGMIN && value == value) value = (double)low.row;
      if (op == FMLP_OP_ARGMAX && value == value) value = (double)high.row;
    }
    args.target.values[row - args.target.first] = value == value ? value : fmlp_nan();
  }
}

/* ---- tiles ---- */

/* One side in shared memory. */
template <bool ROWS> struct fmlp_extremes_side {
  fmlp_shared_extremes<ROWS> suffix; /* of the runs */
  fmlp_shared_extremes<ROWS> tree;   /* two levels, which take turns in the halves */
};

template <bool LOW, bool ROWS>
FMLP_DEVICE void fmlp_extremes_suffixes(const fmlp_extremes_side<ROWS> &side, const double *x) {
  enum { RUN = FMLP_GPU_EXTREMES_RUN };
  const int32_t t = (int32_t)threadIdx.x;
  fmlp_extreme<int32_t> whole = {x[RUN - 1], t * RUN + RUN - 1};
  fmlp_extremes_put(side.suffix, t * RUN + RUN - 1, whole);
  FMLP_UNROLL
  for (int32_t j = RUN - 2; j >= 0; j--) {
    const fmlp_extreme<int32_t> older = {x[j], t * RUN + j};
    whole = fmlp_extreme_of<LOW>(older, whole);
    fmlp_extremes_put(side.suffix, t * RUN + j, whole);
  }
  fmlp_extremes_put(side.tree, t, whole);
}

/* One node of the tree a thread, from `width` runs to twice as many; not in place, for other threads still
 * read. */
template <bool LOW, bool ROWS>
FMLP_DEVICE void fmlp_extremes_climb(const fmlp_extremes_side<ROWS> &side, int32_t from, int32_t to,
                                     int32_t width) {
  const int32_t t = (int32_t)threadIdx.x;
  fmlp_extreme<int32_t> node = fmlp_extremes_get(side.tree, from + t);
  if (t >= width) node = fmlp_extreme_of<LOW>(fmlp_extremes_get(side.tree, from + t - width), node);
  fmlp_extremes_put(side.tree, to + t, node);
}

/* Row by row over the thread's run, for a window of runs * RUN + b + 1 rows, runs > 0. */
struct fmlp_extremes_walk {
  fmlp_extreme<int32_t> prefix;  /* whole runs, and the thread's own rows so far */
  fmlp_extreme<int32_t> between; /* the run that rows j < b have besides */
};

/* The nodes of the tree at `nodes` are of `width` runs, the largest power of two up to runs - 1. */
template <bool LOW, bool ROWS>
FMLP_DEVICE fmlp_extremes_walk fmlp_extremes_walk_start(const fmlp_extremes_side<ROWS> &side, int32_t nodes,
                                                        int32_t width, int32_t runs) {
  const int32_t t = (int32_t)threadIdx.x;
  fmlp_extremes_walk walk = {fmlp_extreme_none<LOW, int32_t>(), fmlp_extreme_none<LOW, int32_t>()};
  if (runs > 1) {
    walk.prefix = fmlp_extreme_of<LOW>(fmlp_extremes_get(side.tree, nodes + t - runs + width),
                                       fmlp_extremes_get(side.tree, nodes + t - 1));
  }
  /* The suffix from a run's first row on is the whole run. */
  walk.between = fmlp_extremes_get(side.suffix, (t - runs) * FMLP_GPU_EXTREMES_RUN);
  return walk;
}

/* The window of row j, which is the next. */
template <bool LOW, bool ROWS>
FMLP_DEVICE fmlp_extreme<int32_t> fmlp_extremes_walk_on(const fmlp_extremes_side<ROWS> &side, const double *x,
                                                        fmlp_extremes_walk *walk, int32_t runs, int32_t b,
                                                        int32_t j) {
  const int32_t row = (int32_t)threadIdx.x * FMLP_GPU_EXTREMES_RUN + j;
  const fmlp_extreme<int32_t> own = {x[j], row};
  walk->prefix = fmlp_extreme_of<LOW>(walk->prefix, own);
  fmlp_extreme<int32_t> older = fmlp_extremes_get(side.suffix, row - runs * FMLP_GPU_EXTREMES_RUN - b);
  if (j < b) older = fmlp_extreme_of<LOW>(older, walk->between);
  return fmlp_extreme_of<LOW>(older, walk->prefix);
}

/* Where a launch's targets stand in the tree. */
struct fmlp_extremes_level {
  int32_t width, nodes;
};

/* The thread's rows of a target over one side, to `stage`. */
template <bool LOW, bool ROWS>
FMLP_DEVICE void fmlp_extremes_one_side(const fmlp_extremes_side<ROWS> &side, const double *x,
                                        fmlp_extremes_level level, int32_t lookback, int32_t negative,
                                        fmlp_shared<double> stage) {
  enum { RUN = FMLP_GPU_EXTREMES_RUN };
  const int32_t first = (int32_t)threadIdx.x * RUN, runs = lookback / RUN, b = lookback % RUN;
  fmlp_extremes_walk walk = fmlp_extremes_walk_start<LOW>(side, level.nodes, level.width, runs);
  FMLP_UNROLL
  for (int32_t j = 0; j < RUN; j++) {
    const fmlp_extreme<int32_t> found = fmlp_extremes_walk_on<LOW>(side, x, &walk, runs, b, j);
    double value = negative ? -found.value : found.value;
    if (ROWS) value = (double)(first + j - found.row);
    stage[first + j] = found.value == found.value ? value : fmlp_nan();
  }
}

/* Maximum - minimum. */
FMLP_DEVICE void fmlp_extremes_range(const fmlp_extremes_side<false> &low,
                                     const fmlp_extremes_side<false> &high, const double *x,
                                     fmlp_extremes_level level, int32_t lookback, fmlp_shared<double> stage) {
  enum { RUN = FMLP_GPU_EXTREMES_RUN };
  const int32_t first = (int32_t)threadIdx.x * RUN, runs = lookback / RUN, b = lookback % RUN;
  fmlp_extremes_walk down = fmlp_extremes_walk_start<true>(low, level.nodes, level.width, runs);
  fmlp_extremes_walk up = fmlp_extremes_walk_start<false>(high, level.nodes, level.width, runs);
  FMLP_UNROLL
  for (int32_t j = 0; j < RUN; j++) {
    const double least = fmlp_extremes_walk_on<true>(low, x, &down, runs, b, j).value;
    const double most = fmlp_extremes_walk_on<false>(high, x, &up, runs, b, j).value;
    stage[first + j] = fmlp_canonical(most - least);
  }
}

/* SIDES 1: minima, or maxima as minima of the negated column; 2: both. */
template <int SIDES, bool ROWS> FMLP_DEVICE void fmlp_extremes_tile(const fmlp_gpu_extremes_tile_args &args) {
  enum { RUN = FMLP_GPU_EXTREMES_RUN };
  const int32_t t = (int32_t)threadIdx.x, threads = (int32_t)blockDim.x, tile = threads * RUN;
  const int64_t start = args.first + (int64_t)blockIdx.x * (tile - args.halo) - args.halo;
  FMLP_SHARED_MEMORY(space);
  fmlp_shared<double> stage = space.take<double>(tile);
  fmlp_extremes_side<ROWS> low = {}, high = {};
  double x[RUN];
  fmlp_extremes_load(stage, args.a, start, args.base, args.last, args.negative, t, x);
  low.suffix = fmlp_extremes_take<ROWS>(space, tile);
  low.tree = fmlp_extremes_take<ROWS>(space, 2 * threads);
  fmlp_extremes_suffixes<true>(low, x);
  if (SIDES == 2) {
    high.suffix = fmlp_extremes_take<ROWS>(space, tile);
    high.tree = fmlp_extremes_take<ROWS>(space, 2 * threads);
    fmlp_extremes_suffixes<false>(high, x);
  }
  __syncthreads();
  const int32_t own = t / 32 * (32 * RUN) + t % 32;
  const int32_t end = (int32_t)(args.last - start < tile ? args.last - start : tile);
  fmlp_extremes_level level = {1, 0};
  for (int32_t k = 0; k < args.target_count; k++) {
    const int32_t op = args.targets[k].op, lookback = (int32_t)args.targets[k].window - 1;
    for (; 2 * level.width <= lookback / RUN - 1; level.width *= 2, level.nodes = threads - level.nodes) {
      fmlp_extremes_climb<true>(low, level.nodes, threads - level.nodes, level.width);
      if (SIDES == 2) fmlp_extremes_climb<false>(high, level.nodes, threads - level.nodes, level.width);
      __syncthreads();
    }
    if (t * RUN + RUN > args.halo) {
      if constexpr (SIDES == 1) {
        fmlp_extremes_one_side<true>(low, x, level, lookback, args.negative, stage);
      } else if (op == FMLP_OP_RANGE) {
        fmlp_extremes_range(low, high, x, level, lookback, stage);
      } else if (op == FMLP_OP_MIN) {
        fmlp_extremes_one_side<true>(low, x, level, lookback, 0, stage);
      } else {
        fmlp_extremes_one_side<false>(high, x, level, lookback, 0, stage);
      }
    }
    /* A warp stores its own rows. */
    __syncwarp();
    double *to = args.targets[k].values + (start - args.targets[k].first);
    FMLP_UNROLL
    for (int32_t j = 0; j < RUN; j++) {
      const int32_t row = own + j * 32;
      if (row >= args.halo && row < end) to[row] = stage[row];
    }
    __syncwarp();
  }
}

FMLP_KERNEL(rolling_extremes_one, fmlp_gpu_extremes_tile_args) {
  fmlp_extremes_tile<1, false>(args);
}

FMLP_KERNEL(rolling_extremes_both, fmlp_gpu_extremes_tile_args) {
  fmlp_extremes_tile<2, false>(args);
}

FMLP_KERNEL(rolling_extremes_rows, fmlp_gpu_extremes_tile_args) {
  fmlp_extremes_tile<1, true>(args);
}

/* ---- segments ---- */

/* What the threads before this one hold, all together (none for the first); NEWER: those hold newer rows. The
 * block's warps meet in `warps`. */
template <bool NEWER>
FMLP_DEVICE bool fmlp_extremes_before(const fmlp_shared_extremes<true> &warps, fmlp_extreme<int32_t> mine,
                                      fmlp_extreme<int32_t> *before) {
  const int32_t t = (int32_t)threadIdx.x, lane = t % 32, warp = t / 32;
  for (int32_t step = 1; step < 32; step *= 2) {
    const fmlp_extreme<int32_t> other = {__shfl_up_sync(0xffffffffu, mine.value, (unsigned)step),
                                         __shfl_up_sync(0xffffffffu, mine.row, (unsigned)step)};
    if (lane >= step) mine = NEWER ? fmlp_extreme_of(mine, other) : fmlp_extreme_of(other, mine);
  }
  if (lane == 31) fmlp_extremes_put(warps, warp, mine);
  const fmlp_extreme<int32_t> previous = {__shfl_up_sync(0xffffffffu, mine.value, 1u),
                                          __shfl_up_sync(0xffffffffu, mine.row, 1u)};
  __syncthreads();
  bool any = false;
  for (int32_t w = 0; w < warp; w++) {
    const fmlp_extreme<int32_t> other = fmlp_extremes_get(warps, w);
    *before = !any ? other : NEWER ? fmlp_extreme_of(other, *before) : fmlp_extreme_of(*before, other);
    any = true;
  }
  if (lane > 0) {
    *before = !any    ? previous
              : NEWER ? fmlp_extreme_of(previous, *before)
                      : fmlp_extreme_of(*before, previous);
    any = true;
  }
  return any;
}

/* A block's segment: suffixes, and the segment's extreme as level 0 of the table. Threads stand in the order
 * of falling rows. */
FMLP_KERNEL(rolling_extremes_suffix, fmlp_gpu_extremes_segments_args) {
  enum { RUN = FMLP_GPU_EXTREMES_RUN };
  const int32_t t = (int32_t)threadIdx.x, threads = (int32_t)blockDim.x, rows = threads * RUN;
  const int32_t run = threads - 1 - t;
  const int64_t segment = blockIdx.x, start = args.base + segment * rows;
  FMLP_SHARED_MEMORY(space);
  fmlp_shared_extremes<true> stage = fmlp_extremes_take<true>(space, rows);
  fmlp_shared_extremes<true> warps = fmlp_extremes_take<true>(space, 32);
  double x[RUN];
  fmlp_extremes_load(stage.values, args.a, start, args.base, args.last, args.negative, run, x);
  fmlp_extreme<int32_t> own[RUN], newer;
  FMLP_UNROLL
  for (int32_t j = RUN - 1; j >= 0; j--) {
    own[j] = {x[j], run * RUN + j};
    if (j < RUN - 1) own[j] = fmlp_extreme_of(own[j], own[j + 1]);
  }
  const bool any = fmlp_extremes_before<true>(warps, own[0], &newer);
  FMLP_UNROLL
  for (int32_t j = 0; j < RUN; j++) {
    if (any) own[j] = fmlp_extreme_of(own[j], newer);
    fmlp_extremes_put(stage, run * RUN + j, own[j]);
  }
  if (run == 0) {
    args.table[segment] = own[0].value;
    if (args.table_row) args.table_row[segment] = segment * rows + own[0].row;
  }
  __syncthreads();
  FMLP_UNROLL
  for (int32_t k = 0; k < RUN; k++) {
    const int32_t row = k * threads + t;
    if (start + row >= args.last) continue;
    args.suffix[segment * rows + row] = stage.values[row];
    if (args.suffix_row) args.suffix_row[segment * rows + row] = stage.rows[row];
  }
}

FMLP_DEVICE fmlp_extreme<int64_t> fmlp_extremes_node(const fmlp_gpu_extremes_segments_args &args,
                                                     int32_t level, int64_t segment) {
  const int64_t at = level * args.segments + segment;
  return {args.table[at], args.table_row ? args.table_row[at] : 0};
}

/* Level `level` of the table from the one below. */
FMLP_KERNEL(rolling_extremes_level, fmlp_gpu_extremes_segments_args) {
  const int64_t step = (int64_t)gridDim.x * blockDim.x, width = (int64_t)1 << (args.level - 1);
  for (int64_t segment = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; segment < args.segments;
       segment += step) {
    fmlp_extreme<int64_t> node = fmlp_extremes_node(args, args.level - 1, segment);
    if (segment >= width) {
      node = fmlp_extreme_of(fmlp_extremes_node(args, args.level - 1, segment - width), node);
    }
    args.table[args.level * args.segments + segment] = node.value;
    if (args.table_row) args.table_row[args.level * args.segments + segment] = node.row;
  }
}

/* The `count` > 0 segments in front of `segment`. */
FMLP_DEVICE fmlp_extreme<int64_t> fmlp_extremes_segments_before(const fmlp_gpu_extremes_segments_args &args,
                                                                int64_t segment, int64_t count) {
  const int32_t level = 63 - __clzll(count);
  const int64_t width = (int64_t)1 << level;
  return fmlp_extreme_of(fmlp_extremes_node(args, level, segment - count + width - 1),
                         fmlp_extremes_node(args, level, segment - 1));
}

/* The results of a block's segment. Of range, the pass over minima stores the minimum, which the pass over
 * maxima takes up. */
FMLP_KERNEL(rolling_extremes_segments, fmlp_gpu_extremes_segments_args) {
  enum { RUN = FMLP_GPU_EXTREMES_RUN };
  const int32_t t = (int32_t)threadIdx.x, threads = (int32_t)blockDim.x, rows = threads * RUN;
  const int64_t segment = (args.first - args.base) / rows + blockIdx.x, offset = segment * rows;
  FMLP_SHARED_MEMORY(space);
  fmlp_shared_extremes<true> stage = fmlp_extremes_take<true>(space, rows);
  fmlp_shared_extremes<true> warps = fmlp_extremes_take<true>(space, 32);
  double x[RUN];
  fmlp_extremes_load(stage.values, args.a, args.base + offset, args.base, args.last, args.negative, t, x);
  fmlp_extreme<int32_t> own[RUN], older;
  FMLP_UNROLL
  for (int32_t j = 0; j < RUN; j++) {
    own[j] = {x[j], t * RUN + j};
    if (j > 0) own[j] = fmlp_extreme_of(own[j - 1], own[j]);
  }
  const bool any = fmlp_extremes_before<false>(warps, own[RUN - 1], &older);
  FMLP_UNROLL
  for (int32_t j = 0; j < RUN; j++) {
    if (any) own[j] = fmlp_extreme_of(older, own[j]);
    fmlp_extremes_put(stage, t * RUN + j, own[j]);
  }
  __syncthreads();
  for (int32_t k = 0; k < args.target_count; k++) {
    const int32_t op = args.targets[k].op;
    const int64_t lookback = args.targets[k].window - 1, whole = lookback / rows, b = lookback % rows;
    fmlp_extreme<int64_t> fewer = fmlp_extreme_none<true, int64_t>(),
                          more = fmlp_extreme_none<true, int64_t>();
    if (whole > 1 && segment >= whole) fewer = fmlp_extremes_segments_before(args, segment, whole - 1);
    if (segment > whole) more = fmlp_extremes_segments_before(args, segment, whole);
    for (int32_t j = 0; j < RUN; j++) {
      const int32_t i = j * threads + t;
      const int64_t at = offset + i, oldest = at - lookback, row = args.base + at;
      if (row < args.first || row >= args.last) continue;
      double value = fmlp_nan();
      if (oldest >= 0) {
        const int64_t holder = segment - whole - (i < b ? 1 : 0);
        fmlp_extreme<int64_t> found = {stage.values[i], offset + stage.rows[i]};
        found = fmlp_extreme_of(i < b ? more : fewer, found);
        const fmlp_extreme<int64_t> suffix = {args.suffix[oldest],
                                              args.suffix_row ? holder * rows + args.suffix_row[oldest] : 0};
        found = fmlp_extreme_of(suffix, found);
        value = args.negative ? -found.value : found.value;
        if (args.suffix_row && value == value) value = (double)(at - found.row);
      }
      double *to = &args.targets[k].values[row - args.targets[k].first];
      if (op == FMLP_OP_RANGE && args.negative) value = fmlp_canonical(value - *to);
      *to = value == value ? value : fmlp_nan();
    }
  }
}

#endif
