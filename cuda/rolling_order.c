/* Launches of rolling_order.cuh: how large a tile is, and where it lies. */
#include "cuda/rolling_order.h"

#include <string.h>

enum {
  SHORT_ROWS = 1 << 10, /* of a tile for short windows: 17 KB */
  SHORT_THREADS = 256,
  FEWEST_ITEMS = 7 * 64,  /* of a tile, where there are so many */
  ROOMY = 8,              /* a tile of so many windows wastes little on the rows in front */
  BLOCKS_A_PROCESSOR = 2, /* with tiles in global memory */
  SCRATCH_SHARE = 64, /* they take one part in 64 of the device's memory, if that is enough for one block */
  BLOCK_RESERVE = 1 << 10, /* of shared memory, by CUDA */
  WARM_UP_ROWS = 1 << 14   /* a block may fill by itself */
};

typedef struct tiling {
  int32_t doublings;
  int64_t tiles, blocks;
  int64_t scratch_bytes; /* of a block; 0 when tiles lie in shared memory */
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

/* The largest tile in so many bytes of shared memory. */
static int32_t doublings_within(int64_t bytes) {
  int32_t doublings = FMLP_GPU_ORDER_FEWEST_DOUBLINGS;
  while (doublings < FMLP_GPU_ORDER_MOST_DOUBLINGS && (int64_t)shared_bytes(doublings + 1) <= bytes)
    doublings++;
  return doublings;
}

static int32_t least(int32_t a, int32_t b) {
  return a < b ? a : b;
}

static bool too_wide(const fmlp_gpu_rolling_job *job) {
  return job->targets[0].window > fmlp_gpu_order_items(FMLP_GPU_ORDER_MOST_DOUBLINGS) &&
         first_complete(job) < job->last;
}

/* A tile of several windows, if two of them fit into a multiprocessor's shared memory; else as large as it
 * can be there; else, when fewer than one row in five would get an answer, in global memory. Never larger
 * than the rows ask for. */
static tiling tiling_of(const fmlp_device *device, const fmlp_gpu_rolling_job *job) {
  const int64_t w = job->targets[0].window, rows = job->last - first_complete(job);
  tiling made = {.doublings = FMLP_GPU_ORDER_FEWEST_DOUBLINGS};
  if (rows == 0 || too_wide(job)) {
    made.blocks = (job->last - job->first + WARM_UP_ROWS - 1) / WARM_UP_ROWS;
    return made;
  }
  const int64_t enough = w + w / 4;
  const int32_t all = doublings_for(w - 1 + rows);
  const int32_t roomy = least(doublings_for(w * ROOMY > FEWEST_ITEMS ? w * ROOMY : FEWEST_ITEMS), all);
  made.doublings =
      least(roomy, doublings_within(device->limits.shared_per_multiprocessor / 2 - BLOCK_RESERVE));
  if (made.doublings < roomy && fmlp_gpu_order_items(made.doublings) < enough) {
    made.doublings = least(roomy, doublings_within(device->limits.shared_per_block));
  }
  const bool large = made.doublings < all && fmlp_gpu_order_items(made.doublings) < enough;
  if (large) made.doublings = least(doublings_for(2 * w), all);
  const int64_t rows_a_tile = fmlp_gpu_order_items(made.doublings) - (w - 1);
  made.tiles = made.blocks = (rows + rows_a_tile - 1) / rows_a_tile;
  if (!large) return made;
  made.scratch_bytes = large_bytes(made.doublings);
  const int64_t memory = device->tuning.memory > 0 ? device->tuning.memory : device->limits.total_memory;
  const int64_t affordable = memory / SCRATCH_SHARE / made.scratch_bytes;
  const int64_t useful = (int64_t)device->limits.multiprocessors * BLOCKS_A_PROCESSOR;
  if (made.blocks > useful) made.blocks = useful;
  if (made.blocks > affordable) made.blocks = affordable > 0 ? affordable : 1;
  return made;
}

size_t fmlp_gpu_rolling_order_scratch(const fmlp_device *device, const fmlp_gpu_rolling_job *job) {
  if (job->targets[0].window <= FMLP_GPU_ORDER_SHORT) return 0;
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

static fmlp_status launch_short(fmlp_device *device, fmlp_gpu_rolling_order_args *args, fmlp_error *error) {
  const int32_t threads = fmlp_gpu_threads(device, SHORT_THREADS);
  const int64_t rows = args->last - args->first;
  args->rows = rows < SHORT_ROWS ? rows : SHORT_ROWS;
  if (rows == 0) return FMLP_OK;
  const int64_t items = fmlp_gpu_order_short_items(args->rows);
  return fmlp_gpu_launch(device, FMLP_GPU_rolling_order_short, (rows + args->rows - 1) / args->rows, threads,
                         FMLP_SHARED_SIZE(int64_t, items) + 2 * FMLP_SHARED_SIZE(uint32_t, items), args,
                         error);
}

fmlp_status fmlp_gpu_rolling_order(fmlp_device *device, const fmlp_gpu_rolling_job *job, fmlp_error *error) {
  if (too_wide(job)) {
    return fmlp_fail(error, FMLP_ERR_DEVICE,
                     "%s: order statistics: a window of %lld rows is too large; use "
                     "runtime.device=cpu",
                     device->runtime->name, (long long)job->targets[0].window);
  }
  fmlp_gpu_rolling_order_args args;
  memset(&args, 0, sizeof args);
  args.origin = job->origin;
  args.first = job->first;
  args.last = job->last;
  args.complete = first_complete(job);
  args.a = job->a;
  args.window = job->targets[0].window;
  args.target_count = job->target_count;
  for (int32_t t = 0; t < job->target_count; t++) args.targets[t] = target_of(&job->targets[t]);
  if (args.window <= FMLP_GPU_ORDER_SHORT) return launch_short(device, &args, error);
  const tiling made = tiling_of(device, job);
  args.tiles = made.tiles;
  args.scratch = job->scratch;
  args.scratch_bytes = made.scratch_bytes;
  args.doublings = made.doublings;
  if (made.scratch_bytes > 0) {
    return fmlp_gpu_launch(device, FMLP_GPU_rolling_order_large, made.blocks, fmlp_gpu_threads(device, 1024),
                           FMLP_SHARED_SIZE(uint32_t, FMLP_GPU_ORDER_MOST_WARPS), &args, error);
  }
  /* A thread for each run, as far as that goes. */
  const int32_t wanted = least(1 << made.doublings, FMLP_GPU_ORDER_MOST_THREADS);
  const int32_t threads = least(fmlp_gpu_threads(device, wanted), FMLP_GPU_ORDER_MOST_THREADS);
  return fmlp_gpu_launch(device, FMLP_GPU_rolling_order, made.blocks, threads, shared_bytes(made.doublings),
                         &args, error);
}
