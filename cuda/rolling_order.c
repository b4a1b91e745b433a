/* Launches of rolling_order.cuh: how large a tile is, and where it lies. */
#include "cuda/rolling_order.h"

#include <string.h>

enum {
  ROOMY = 4, /* a tile of so many windows wastes little on the rows in front */
  TIGHT = 5, /* a tile in shared memory gives at least one row in TIGHT of its items, or it is not used */
  BLOCKS_A_PROCESSOR = 2, /* with tiles in global memory */
  WARM_UP_ROWS = 1 << 14  /* a block may fill by itself */
};

/* Scratch a job may take, as a share of the device's memory, where one block does not need more. */
enum { SCRATCH_SHARE = 64 };

typedef struct tiling {
  int32_t doublings;
  bool large; /* in global memory */
  int64_t tiles, blocks, scratch_bytes;
} tiling;

static size_t shared_bytes(int32_t doublings) {
  const int64_t items = fmlp_gpu_order_items(doublings), words = fmlp_gpu_order_words(doublings);
  return FMLP_SHARED_SIZE(uint32_t, FMLP_GPU_ORDER_MOST_WARPS) + 2 * FMLP_SHARED_SIZE(uint32_t, words) +
         2 * FMLP_SHARED_SIZE(int64_t, items);
}

static int64_t large_bytes(int32_t doublings) {
  const int64_t bytes = 2 * fmlp_gpu_order_items(doublings) * (int64_t)sizeof(int64_t) +
                        2 * fmlp_gpu_order_words(doublings) * (int64_t)sizeof(uint32_t);
  return (bytes + 255) / 256 * 256;
}

/* The smallest tile of at least `items`. */
static int32_t doublings_for(int64_t items) {
  int32_t doublings = FMLP_GPU_ORDER_FEWEST_DOUBLINGS;
  while (doublings < FMLP_GPU_ORDER_MOST_DOUBLINGS && fmlp_gpu_order_items(doublings) < items) doublings++;
  return doublings;
}

static int64_t first_complete(const fmlp_gpu_rolling_job *job) {
  const int64_t w = job->targets[0].window;
  if (w - 1 >= job->last - job->origin) return job->last;
  const int64_t complete = job->origin + w - 1;
  return complete < job->first ? job->first : complete;
}

/* Tiles of several windows where shared memory allows two blocks a multiprocessor; else the largest it
 * allows; else global memory. Never larger than the rows ask for. */
static tiling tiling_of(const fmlp_device *device, const fmlp_gpu_rolling_job *job) {
  const int64_t w = job->targets[0].window, rows = job->last - first_complete(job);
  tiling made = {.doublings = FMLP_GPU_ORDER_FEWEST_DOUBLINGS, .blocks = 1};
  if (rows == 0) {
    made.blocks = (job->last - job->first + WARM_UP_ROWS - 1) / WARM_UP_ROWS;
    return made;
  }
  const int32_t all = doublings_for(w - 1 + rows);
  const size_t most = (size_t)device->limits.shared_per_block;
  const size_t half = (size_t)device->limits.shared_per_multiprocessor / 2 - 1024;
  int32_t doublings = doublings_for(w * ROOMY > 7 * 128 ? w * ROOMY : 7 * 128);
  if (all < doublings) doublings = all;
  while (doublings > FMLP_GPU_ORDER_FEWEST_DOUBLINGS && shared_bytes(doublings) > half) doublings--;
  while (doublings < all && shared_bytes(doublings + 1) <= most &&
         fmlp_gpu_order_items(doublings) < w + w / TIGHT)
    doublings++;
  const int64_t given = fmlp_gpu_order_items(doublings) - (w - 1);
  made.large =
      shared_bytes(doublings) > most || (doublings < all && given < fmlp_gpu_order_items(doublings) / TIGHT);
  if (made.large) {
    doublings = doublings_for(2 * w);
    if (all < doublings) doublings = all;
  }
  const int64_t rows_a_tile = fmlp_gpu_order_items(doublings) - (w - 1);
  made.doublings = doublings;
  made.tiles = made.blocks = (rows + rows_a_tile - 1) / rows_a_tile;
  if (!made.large) return made;
  made.scratch_bytes = large_bytes(doublings);
  const int64_t affordable = device->limits.total_memory / SCRATCH_SHARE / made.scratch_bytes;
  const int64_t useful = (int64_t)device->limits.multiprocessors * BLOCKS_A_PROCESSOR;
  if (made.blocks > useful) made.blocks = useful;
  if (made.blocks > affordable) made.blocks = affordable > 0 ? affordable : 1;
  return made;
}

size_t fmlp_gpu_rolling_order_scratch(const fmlp_device *device, const fmlp_gpu_rolling_job *job) {
  const tiling made = tiling_of(device, job);
  return (size_t)(made.blocks * made.scratch_bytes);
}

/* Where core/quantile.h looks in the sorted window. */
static fmlp_gpu_order_target target_of(const fmlp_gpu_target *target) {
  fmlp_gpu_order_target made = {.values = target->values, .first = target->first};
  made.is_rank = target->op == FMLP_OP_RANK;
  if (made.is_rank) return made;
  const double q = target->op == FMLP_OP_MEDIAN ? 0.5 : target->parameter;
  const double h = (double)(target->window - 1) * q;
  int64_t below = (int64_t)h;
  if (below >= target->window - 1) below = target->window - 1;
  made.place = (int32_t)below;
  made.fraction = h - (double)below;
  return made;
}

fmlp_status fmlp_gpu_rolling_order(fmlp_device *device, const fmlp_gpu_rolling_job *job, fmlp_error *error) {
  const tiling made = tiling_of(device, job);
  const int64_t w = job->targets[0].window;
  fmlp_gpu_rolling_order_args args;
  memset(&args, 0, sizeof args);
  args.first = job->first;
  args.last = job->last;
  args.complete = first_complete(job);
  args.a = job->a;
  args.window = w;
  args.tiles = made.tiles;
  args.scratch = job->scratch;
  args.scratch_bytes = made.scratch_bytes;
  args.doublings = made.doublings;
  args.target_count = job->target_count;
  for (int32_t t = 0; t < job->target_count; t++) args.targets[t] = target_of(&job->targets[t]);
  if (made.tiles > 0 && fmlp_gpu_order_items(made.doublings) < w) {
    return fmlp_fail(error, FMLP_ERR_DEVICE,
                     "%s: order statistics: a window of %lld rows is too large; use "
                     "runtime.device=cpu",
                     device->runtime->name, (long long)w);
  }
  const int64_t runs = (int64_t)1 << made.doublings;
  const int32_t threads = fmlp_gpu_threads(device, runs < 1024 ? (int32_t)runs : 1024);
  if (made.large) {
    return fmlp_gpu_launch(device, FMLP_GPU_rolling_order_large, made.blocks, threads,
                           FMLP_SHARED_SIZE(uint32_t, FMLP_GPU_ORDER_MOST_WARPS), &args, error);
  }
  return fmlp_gpu_launch(device, FMLP_GPU_rolling_order, made.blocks, threads, shared_bytes(made.doublings),
                         &args, error);
}
