/* median quantile rank. Windows are not slid: a tile of rows is ranked once, and then every row answers on
 * its own, so that barriers go by the tile and not by the row.
 *
 *   1  The tile's values as integer keys that order as they do, NaN last, sorted: each thread 7 keys in
 *      registers, then merges of two runs into one, 7 outputs a thread, found by the merge path.
 *   2  A row's rank: keys below its own (binary search); equal values share a rank.
 *   3  A wavelet matrix of the ranks, in the order of rows: bit by bit from the highest, a bit vector with
 *      counts of ones, and the items moved, zeros in front of ones, each in their order. Its first bit is
 *      "missing".
 *   4  A window is a range of positions. At each level two counts tell how many of its items have the bit,
 *      and where they went: k of them down to the k-th smallest rank, or the newest item's own bits down to
 *      the numbers of items below it and equal to it.
 *
 * The cost hardly depends on the window, and all targets of a job share steps 1 to 3. The tile lies in shared
 * memory, or, for windows too large for that, in global memory that the block has for itself; the code is the
 * same.
 *
 * Windows of up to 32 rows have a shorter way: each item has a mask of the 31 in front of it that are not
 * above it, and one of the 31 behind it that are below it. Cut to a window, their bits count the item's place
 * in it.
 *
 * Estimates, for an H200 (30 T thread-instructions a second, 128 bytes of shared memory a clock and
 * multiprocessor). A tile of 1792 items (34 KB): an item costs about 250 instructions to sort, 60 to rank,
 * 200 for the matrix, a selection 290 (the median of an even window is two), a rank 270: some 25 to 35 G rows
 * a second at most. Short: 12 w bytes of shared memory a row for the masks and 12 w for an answer: 60 G rows
 * a second at w = 20. */
#ifndef FMLP_CUDA_ROLLING_ORDER_CUH
#define FMLP_CUDA_ROLLING_ORDER_CUH

#include "common/core/bits.h"
#include "cuda/kernel.h"
#include "cuda/rolling_order.h"

/* Where a tile lies. `from` and `to` are the ranks while they are moved; they use the memory of `spare`. */
template <typename Keys, typename Ranks, typename Words> struct fmlp_gpu_order_tile {
  Keys sorted, spare; /* [items] */
  Ranks from, to;     /* [items] */
  Words bits, before; /* [levels * (items/32 + 1)]: a level's bits; ones in front of each word */
  fmlp_shared<uint32_t> totals;
};

/* Of canonical doubles; its own inverse. */
FMLP_DEVICE int64_t fmlp_gpu_order_key(int64_t bits) {
  return bits ^ (bits >> 63 & INT64_MAX);
}

FMLP_DEVICE double fmlp_gpu_order_value(int64_t key) {
  return fmlp_from_bits((uint64_t)fmlp_gpu_order_key(key));
}

/* Rows no window of the range holds may not be there: a chunk brings its lookback and no more. */
FMLP_DEVICE int64_t fmlp_gpu_order_load(const fmlp_gpu_rolling_order_args &args, int64_t row) {
  const bool outside = row < args.origin || row <= args.first - args.window || row >= args.last;
  if (outside) return (int64_t)FMLP_NAN_BITS;
  return fmlp_gpu_order_key((int64_t)fmlp_bits_of(args.a.values[row - args.a.first]));
}

/* ---- sorting ---- */

/* Runs of 7, sorted: thread by thread, by odd-even transposition. Which items a run gets does not matter. */
template <typename Keys>
FMLP_DEVICE void fmlp_gpu_order_runs(const fmlp_gpu_rolling_order_args &args, int64_t first_row, Keys to) {
  const int32_t runs = 1 << args.doublings;
  for (int32_t run = (int32_t)threadIdx.x; run < runs; run += (int32_t)blockDim.x) {
    int64_t keys[FMLP_GPU_ORDER_RUN];
    FMLP_UNROLL
    for (int i = 0; i < FMLP_GPU_ORDER_RUN; i++) {
      keys[i] = fmlp_gpu_order_load(args, first_row + (int64_t)i * runs + run);
    }
    FMLP_UNROLL
    for (int pass = 0; pass < FMLP_GPU_ORDER_RUN; pass++) {
      FMLP_UNROLL
      for (int i = pass % 2; i + 1 < FMLP_GPU_ORDER_RUN; i += 2) {
        const int64_t a = keys[i], b = keys[i + 1];
        keys[i] = a < b ? a : b;
        keys[i + 1] = a < b ? b : a;
      }
    }
    FMLP_UNROLL
    for (int i = 0; i < FMLP_GPU_ORDER_RUN; i++) to[(int64_t)run * FMLP_GPU_ORDER_RUN + i] = keys[i];
  }
}

/* Merges neighbouring runs of `length`; a thread makes 7 neighbours of the result. */
template <typename Keys>
FMLP_DEVICE void fmlp_gpu_order_merge(Keys from, Keys to, int32_t items, int32_t length) {
  for (int32_t out = (int32_t)threadIdx.x * FMLP_GPU_ORDER_RUN; out < items;
       out += (int32_t)blockDim.x * FMLP_GPU_ORDER_RUN) {
    const int32_t left = out / (2 * length) * (2 * length), right = left + length;
    const int32_t taken = out - left;
    /* i of the `taken` keys in front come from the left run. */
    int32_t i = taken > length ? taken - length : 0, most = taken < length ? taken : length;
    while (i < most) {
      const int32_t middle = (i + most) / 2;
      if ((int64_t)from[left + middle] <= (int64_t)from[right + taken - 1 - middle])
        i = middle + 1;
      else
        most = middle;
    }
    int32_t j = taken - i;
    int64_t a = INT64_MAX, b = INT64_MAX; /* above every key */
    if (i < length) a = from[left + i];
    if (j < length) b = from[right + j];
    FMLP_UNROLL
    for (int n = 0; n < FMLP_GPU_ORDER_RUN; n++) {
      if (a <= b) {
        to[out + n] = a;
        i++;
        a = INT64_MAX;
        if (i < length) a = from[left + i];
      } else {
        to[out + n] = b;
        j++;
        b = INT64_MAX;
        if (j < length) b = from[right + j];
      }
    }
  }
}

/* ---- the matrix ---- */

/* Ranks of the rows, in their order. A missing value gets the highest bit alone. */
template <typename Tile>
FMLP_DEVICE void fmlp_gpu_order_rank(const fmlp_gpu_rolling_order_args &args, int64_t first_row, Tile tile,
                                     int32_t items) {
  const int32_t rank_bits = fmlp_gpu_order_levels(args.doublings) - 1;
  for (int32_t item = (int32_t)threadIdx.x; item < items; item += (int32_t)blockDim.x) {
    const int64_t key = fmlp_gpu_order_load(args, first_row + item);
    int32_t below = 0;
    for (int32_t step = 1 << (rank_bits - 1); step > 0; step /= 2) {
      if (below + step <= items && (int64_t)tile.sorted[below + step - 1] < key) below += step;
    }
    tile.from[item] = key == (int64_t)FMLP_NAN_BITS ? 1u << rank_bits : (uint32_t)below;
  }
}

/* One level: the bits `mask` of tile.from, counted; the items moved to tile.to. A warp has neighbouring
 * words. */
template <typename Tile>
FMLP_DEVICE void fmlp_gpu_order_level(Tile tile, int32_t items, int32_t table, uint32_t mask) {
  const int32_t warps = (int32_t)blockDim.x / 32, warp = (int32_t)threadIdx.x / 32;
  const int32_t lane = (int32_t)threadIdx.x % 32;
  const int32_t words = items / 32, each = (words + warps - 1) / warps;
  const int32_t first = warp * each < words ? warp * each : words;
  const int32_t last = first + each < words ? first + each : words;
  uint32_t ones = 0;
  for (int32_t word = first; word < last; word++) {
    const uint32_t rank = tile.from[word * 32 + lane];
    const uint32_t found = __ballot_sync(0xffffffffu, (rank & mask) != 0);
    if (lane == 0) tile.bits[table + word] = found;
    ones += (uint32_t)__popc(found);
  }
  if (lane == 0) tile.totals[warp] = ones;
  __syncthreads();
  uint32_t in_front = 0, all = 0;
  for (int32_t w = 0; w < warps; w++) {
    const uint32_t total = tile.totals[w];
    in_front += w < warp ? total : 0u;
    all += total;
  }
  for (int32_t word = first; word < last; word++) {
    const uint32_t found = tile.bits[table + word];
    const uint32_t item = (uint32_t)(word * 32 + lane);
    const uint32_t one = in_front + (uint32_t)__popc(found & ((1u << lane) - 1));
    const uint32_t place = found >> lane & 1 ? (uint32_t)items - all + one : item - one;
    tile.to[place] = tile.from[item];
    if (lane == 0) tile.before[table + word] = in_front;
    in_front += (uint32_t)__popc(found);
  }
  if (threadIdx.x == 0) {
    tile.bits[table + words] = 0;
    tile.before[table + words] = all;
  }
  __syncthreads();
}

/* ---- answers ---- */

template <typename Tile>
FMLP_DEVICE uint32_t fmlp_gpu_order_ones(Tile tile, int32_t table, uint32_t position) {
  const int32_t word = table + (int32_t)(position / 32);
  const uint32_t bits = tile.bits[word], before = tile.before[word];
  return before + (uint32_t)__popc(bits & ((1u << position % 32) - 1));
}

/* The value of rank `place` among the positions [left, right) of level 1. */
template <typename Tile>
FMLP_DEVICE double fmlp_gpu_order_select(Tile tile, int32_t items, int32_t levels, uint32_t left,
                                         uint32_t right, uint32_t place) {
  const int32_t words = items / 32 + 1;
  uint32_t rank = 0;
  for (int32_t level = 1; level < levels; level++) {
    const int32_t table = level * words;
    const uint32_t ones_left = fmlp_gpu_order_ones(tile, table, left);
    const uint32_t ones_right = fmlp_gpu_order_ones(tile, table, right);
    const uint32_t zeros = (right - left) - (ones_right - ones_left);
    rank *= 2;
    if (place < zeros) {
      left -= ones_left;
      right -= ones_right;
    } else {
      const uint32_t all_zeros = (uint32_t)items - tile.before[table + words - 1];
      place -= zeros;
      left = all_zeros + ones_left;
      right = all_zeros + ones_right;
      rank++;
    }
  }
  return fmlp_gpu_order_value(tile.sorted[rank]);
}

/* The average rank of the newest item, which is the last of its window on every level. */
template <typename Tile>
FMLP_DEVICE double fmlp_gpu_order_newest(Tile tile, int32_t items, int32_t levels, uint32_t left,
                                         uint32_t right, int64_t window) {
  const int32_t words = items / 32 + 1;
  uint32_t below = 0;
  for (int32_t level = 1; level < levels; level++) {
    const int32_t table = level * words;
    const uint32_t ones_left = fmlp_gpu_order_ones(tile, table, left);
    const uint32_t ones_right = fmlp_gpu_order_ones(tile, table, right);
    const uint32_t bits = tile.bits[table + (int32_t)((right - 1) / 32)];
    if ((bits >> (right - 1) % 32 & 1) == 0) {
      left -= ones_left;
      right -= ones_right;
    } else {
      const uint32_t all_zeros = (uint32_t)items - tile.before[table + words - 1];
      below += (right - left) - (ones_right - ones_left);
      left = all_zeros + ones_left;
      right = all_zeros + ones_right;
    }
  }
  const int64_t up_to = (int64_t)below + (right - left);
  return ((double)(below + up_to + 1) * 0.5) / (double)window;
}

/* Of the window of `row`, whose items are the `window` up to `item`. */
template <typename Tile>
FMLP_DEVICE void fmlp_gpu_order_answer(const fmlp_gpu_rolling_order_args &args, Tile tile, int32_t items,
                                       int64_t row, uint32_t item, bool wide) {
  const int32_t levels = fmlp_gpu_order_levels(args.doublings);
  uint32_t right = item + 1, left = right - (uint32_t)args.window;
  const uint32_t missing_left = fmlp_gpu_order_ones(tile, 0, left);
  const uint32_t missing_right = fmlp_gpu_order_ones(tile, 0, right);
  left -= missing_left;
  right -= missing_right;
  for (int32_t t = 0; t < args.target_count; t++) {
    const fmlp_gpu_order_target &target = args.targets[t];
    double value = fmlp_nan();
    if (missing_left != missing_right) {
      /* NaN */
    } else if (target.is_rank) {
      value = fmlp_gpu_order_newest(tile, items, levels, left, right, args.window);
    } else {
      const uint32_t place = (uint32_t)target.place;
      value = fmlp_gpu_order_select(tile, items, levels, left, right, place);
      if (place + 1 < args.window && (target.fraction != 0.0 || wide)) {
        const double next = fmlp_gpu_order_select(tile, items, levels, left, right, place + 1);
        value = value + (next - value) * target.fraction;
      }
    }
    target.values[row - target.first] = fmlp_canonical(value);
  }
}

/* ---- a tile ---- */

template <typename Tile>
FMLP_DEVICE void fmlp_gpu_order_run_tile(const fmlp_gpu_rolling_order_args &args, Tile tile, int64_t number) {
  const int32_t items = (int32_t)fmlp_gpu_order_items(args.doublings);
  const int32_t levels = fmlp_gpu_order_levels(args.doublings);
  const int64_t lead = args.window - 1, rows = items - lead;
  const int64_t first_row = args.complete + number * rows - lead;
  auto source = args.doublings % 2 ? tile.spare : tile.sorted,
       other = args.doublings % 2 ? tile.sorted : tile.spare;
  fmlp_gpu_order_runs(args, first_row, source);
  __syncthreads();
  for (int32_t length = FMLP_GPU_ORDER_RUN; length < items; length *= 2) {
    fmlp_gpu_order_merge(source, other, items, length);
    __syncthreads();
    const auto merged = other;
    other = source;
    source = merged;
  }
  fmlp_gpu_order_rank(args, first_row, tile, items);
  __syncthreads();
  for (int32_t level = 0; level < levels; level++) {
    fmlp_gpu_order_level(tile, items, level * (items / 32 + 1), 1u << (levels - 1 - level));
    const auto moved = tile.to;
    tile.to = tile.from;
    tile.from = moved;
  }
  /* Between values below 2^1022 in size the difference is finite, and 0 times it is 0: no second value
   * needed. */
  const int32_t present = items - (int32_t)(uint32_t)tile.before[items / 32];
  const bool wide = present > 0 && (fmlp_gpu_order_value(tile.sorted[0]) < -0x1p1022 ||
                                    fmlp_gpu_order_value(tile.sorted[present - 1]) > 0x1p1022);
  for (int64_t item = lead + threadIdx.x; item < items; item += blockDim.x) {
    const int64_t row = first_row + item;
    if (row < args.last) fmlp_gpu_order_answer(args, tile, items, row, (uint32_t)item, wide);
  }
}

/* ---- short windows ---- */

struct fmlp_gpu_order_masks {
  fmlp_shared<int64_t> keys;
  fmlp_shared<uint32_t> earlier; /* bit d-1: the item d in front is not above; bit 31: the item is missing */
  fmlp_shared<uint32_t> later;   /* bit d-1: the item d behind is below */
};

/* The value of rank `place` of the window of `item`, and the next. */
FMLP_DEVICE void fmlp_gpu_order_pick(fmlp_gpu_order_masks tile, int32_t item, int32_t window, int32_t place,
                                     double *value, double *next) {
  const uint32_t all = (1u << (window - 1)) - 1;
  int32_t at = item, next_at = item;
  for (int32_t ago = 0; ago < window; ago++) {
    const int32_t in_front = window - 1 - ago;
    const uint32_t earlier = tile.earlier[item - ago], later = tile.later[item - ago];
    const int32_t below = __popc((earlier & ((1u << in_front) - 1)) | (later << in_front & all));
    if (below == place) at = item - ago;
    if (below == place + 1) next_at = item - ago;
  }
  *value = fmlp_gpu_order_value(tile.keys[at]);
  *next = fmlp_gpu_order_value(tile.keys[next_at]);
}

FMLP_DEVICE double fmlp_gpu_order_newest_short(fmlp_gpu_order_masks tile, int32_t item, int32_t window) {
  const int64_t key = tile.keys[item];
  int64_t below = 0;
  for (int32_t ago = 1; ago < window; ago++) below += (int64_t)tile.keys[item - ago] < key ? 1 : 0;
  const int64_t up_to = 1 + __popc(tile.earlier[item] & ((1u << (window - 1)) - 1));
  return ((double)(below + up_to + 1) * 0.5) / (double)window;
}

FMLP_DEVICE void fmlp_gpu_order_answer_short(const fmlp_gpu_rolling_order_args &args,
                                             fmlp_gpu_order_masks tile, int64_t row, int32_t item) {
  const int32_t window = (int32_t)args.window;
  uint32_t missing = 0;
  for (int32_t ago = 0; ago < window; ago++) missing |= tile.earlier[item - ago];
  for (int32_t t = 0; t < args.target_count; t++) {
    const fmlp_gpu_order_target &target = args.targets[t];
    double value = fmlp_nan();
    if (missing >> 31) {
      /* NaN */
    } else if (target.is_rank) {
      value = fmlp_gpu_order_newest_short(tile, item, window);
    } else {
      double next = 0.0;
      fmlp_gpu_order_pick(tile, item, window, target.place, &value, &next);
      if (target.place + 1 < window) value = value + (next - value) * target.fraction;
    }
    target.values[row - target.first] = fmlp_canonical(value);
  }
}

/* A tile a block. Masks of the items at its ends reach beyond it; no window uses those bits. */
FMLP_KERNEL(rolling_order_short, fmlp_gpu_rolling_order_args) {
  const int32_t edge = FMLP_GPU_ORDER_SHORT - 1, items = (int32_t)fmlp_gpu_order_short_items(args.rows);
  const int32_t window = (int32_t)args.window, thread = (int32_t)threadIdx.x, threads = (int32_t)blockDim.x;
  FMLP_SHARED_MEMORY(space);
  fmlp_gpu_order_masks tile;
  tile.keys = space.take<int64_t>(items);
  tile.earlier = space.take<uint32_t>(items);
  tile.later = space.take<uint32_t>(items);
  const int64_t first_row = args.first + (int64_t)blockIdx.x * args.rows;
  for (int32_t item = thread; item < items; item += threads) {
    tile.keys[item] = fmlp_gpu_order_load(args, first_row - edge + item);
  }
  __syncthreads();
  for (int32_t item = thread; item < items; item += threads) {
    const int64_t key = tile.keys[item];
    uint32_t earlier = key == (int64_t)FMLP_NAN_BITS ? 1u << 31 : 0u;
    const int32_t most = item < window - 1 ? item : window - 1;
    for (int32_t ago = 1; ago <= most; ago++) {
      earlier |= (int64_t)tile.keys[item - ago] <= key ? 1u << (ago - 1) : 0u;
    }
    tile.earlier[item] = earlier;
  }
  __syncthreads();
  for (int32_t item = thread; item < items - edge; item += threads) {
    uint32_t later = 0;
    for (int32_t on = 1; on < window; on++)
      later |= (~(uint32_t)tile.earlier[item + on] >> (on - 1) & 1) << (on - 1);
    tile.later[item] = later;
  }
  __syncthreads();
  for (int32_t item = edge + thread; item < items - edge; item += threads) {
    const int64_t row = first_row - edge + item;
    if (row < args.last) fmlp_gpu_order_answer_short(args, tile, row, item);
  }
}

/* ---- tiles ---- */

FMLP_DEVICE void fmlp_gpu_order_warm_up(const fmlp_gpu_rolling_order_args &args) {
  for (int32_t t = 0; t < args.target_count; t++) {
    const fmlp_gpu_order_target &target = args.targets[t];
    for (int64_t row = args.first + (int64_t)blockIdx.x * blockDim.x + threadIdx.x; row < args.complete;
         row += (int64_t)gridDim.x * blockDim.x) {
      target.values[row - target.first] = fmlp_nan();
    }
  }
}

/* A tile in shared memory, one a block; blocks without one only help with the warm-up. */
FMLP_KERNEL_OF(rolling_order, fmlp_gpu_rolling_order_args, FMLP_GPU_ORDER_MOST_THREADS) {
  const int64_t items = fmlp_gpu_order_items(args.doublings), words = fmlp_gpu_order_words(args.doublings);
  FMLP_SHARED_MEMORY(space);
  fmlp_gpu_order_tile<fmlp_shared<int64_t>, fmlp_shared<uint16_t>, fmlp_shared<uint32_t>> tile;
  tile.totals = space.take<uint32_t>(FMLP_GPU_ORDER_MOST_WARPS);
  tile.bits = space.take<uint32_t>(words);
  tile.before = space.take<uint32_t>(words);
  tile.sorted = space.take<int64_t>(items);
  fmlp_shared_space again = space;
  tile.spare = space.take<int64_t>(items);
  tile.from = again.take<uint16_t>(items);
  tile.to = again.take<uint16_t>(items);
  fmlp_gpu_order_warm_up(args);
  if (blockIdx.x < args.tiles) fmlp_gpu_order_run_tile(args, tile, blockIdx.x);
}

/* Tiles in global memory, one at a time for each block. */
FMLP_KERNEL(rolling_order_large, fmlp_gpu_rolling_order_args) {
  const int64_t items = fmlp_gpu_order_items(args.doublings), words = fmlp_gpu_order_words(args.doublings);
  FMLP_SHARED_MEMORY(space);
  fmlp_gpu_order_tile<int64_t *, uint32_t *, uint32_t *> tile;
  tile.totals = space.take<uint32_t>(FMLP_GPU_ORDER_MOST_WARPS);
  char *memory = args.scratch + (int64_t)blockIdx.x * args.scratch_bytes;
  tile.sorted = reinterpret_cast<int64_t *>(memory);
  tile.spare = tile.sorted + items;
  tile.from = reinterpret_cast<uint32_t *>(tile.spare);
  tile.to = tile.from + items;
  tile.bits = reinterpret_cast<uint32_t *>(tile.spare + items);
  tile.before = tile.bits + words;
  fmlp_gpu_order_warm_up(args);
  for (int64_t number = blockIdx.x; number < args.tiles; number += gridDim.x) {
    fmlp_gpu_order_run_tile(args, tile, number);
    __syncthreads();
  }
}

#endif
