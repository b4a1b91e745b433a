/* Launches of rolling_moments.cuh; and, for both families of the doubling tree, which windows share a launch,
 * how large a tile is, and how windows wider than a tile are gathered. */
#include <math.h>

#include "cuda/rolling_moments.h"

enum {
  BLOCKS_AT_ONCE = 3, /* on a multiprocessor, so that some compute while others load */
  MOST_BLOCKS = 1 << 20,
  ELEMENT_THREADS = 256,
  ROWS_A_THREAD = 4
};

/* A window that some row completes, and its targets in the job. */
typedef struct window_group {
  int64_t window;
  int32_t fields; /* the union of its targets' */
  int32_t first_target, target_count;
} window_group;

typedef struct window_groups {
  int32_t count;
  window_group of[FMLP_GPU_TARGETS];
} window_groups;

/* ---- constants: computed in the order that docs/numerics.md gives ---- */

static void merge_constants(int64_t older, int64_t newer, int32_t count, double *out) {
  const double na = (double)older, nb = (double)newer, n = na + nb, s = na * nb;
  const double all[FMLP_GPU_TREE_CONSTANTS] = {
      na,
      1.0 / na,
      1.0 / nb,
      s / n,
      s * 0.5,
      nb,
      (s * (na - nb)) / (n * n),
      3.0 / n,
      (s * ((na * na - s) + nb * nb)) / ((n * n) * n),
      6.0 / (n * n),
      4.0 / n,
      na * na,
      nb * nb,
  };
  for (int32_t i = 0; i < count; i++) out[i] = all[i];
}

static int32_t bits_of(int64_t value) {
  int32_t bits = 0;
  for (; value > 0; value >>= 1) bits++;
  return bits;
}

/* ---- tiles ---- */

/* How a group of windows is launched. */
typedef struct tile_shape {
  const fmlp_gpu_tree_tile *tile;
  int32_t threads; /* of a block; 0: these windows are not for tiles */
  int32_t tiles;   /* of a block */
  int32_t carry;   /* doubles */
} tile_shape;

static size_t shared_bytes(const fmlp_gpu_tree_family *family, const fmlp_gpu_tree_tile *tile,
                           int32_t threads, int64_t widest, int32_t carry) {
  const int64_t rows = (int64_t)threads * tile->rows;
  return FMLP_SHARED_SIZE(double, family->operands *(rows + widest + 32)) +
         FMLP_SHARED_SIZE(double, tile->count *rows) + FMLP_SHARED_SIZE(double, carry);
}

/* The largest block there may be; 0 if there is none. */
static int32_t most_threads(const fmlp_device *device, const fmlp_gpu_tree_family *family,
                            const fmlp_gpu_tree_tile *tile, int64_t widest, int32_t carry) {
  int32_t most = tile->threads;
  if (widest >= (int64_t)1 << FMLP_GPU_TREE_LEVELS) return 0;
  if (most > device->limits.threads_per_block) most = device->limits.threads_per_block;
  if (device->tuning.threads > 0 && device->tuning.threads < most) most = device->tuning.threads;
  while (most > 0 &&
         (int64_t)shared_bytes(family, tile, most, widest, carry) > device->limits.shared_per_block) {
    most -= 32;
  }
  return most;
}

/* Whether a quarter of a tile is not halo. */
static bool worth_it(const fmlp_gpu_tree_tile *tile, int32_t threads, int64_t widest) {
  const int64_t rows = (int64_t)threads * tile->rows;
  return widest - 1 <= rows - rows / 4;
}

/* The smallest block that holds `rows` rows, of the sizes that fill a multiprocessor's registers; or `most`.
 */
static int32_t block_of(const fmlp_device *device, const fmlp_gpu_tree_tile *tile, int32_t most,
                        int64_t rows) {
  for (int32_t blocks = BLOCKS_AT_ONCE; device->tuning.threads == 0 && blocks > 1; blocks--) {
    const int32_t threads = tile->threads / blocks;
    if (threads % 32 == 0 && threads <= most && (int64_t)threads * tile->rows >= rows) return threads;
  }
  return most;
}

/* Threads of a block for windows up to `widest` over `rows` rows: enough that halos are at most an eighth of
 * a tile, where that is possible, and no more than the rows ask for. 0, whatever the rows, if windows of
 * `widest` are not for tiles. */
static int32_t tile_threads(const fmlp_device *device, const fmlp_gpu_tree_family *family,
                            const fmlp_gpu_tree_tile *tile, int64_t widest, int64_t rows) {
  const int32_t most = most_threads(device, family, tile, widest, 0);
  int32_t threads = block_of(device, tile, most, 8 * widest);
  while (device->tuning.threads == 0 && threads > 0 && threads % 64 == 0 &&
         (int64_t)(threads / 2) * tile->rows >= rows + widest - 1 && worth_it(tile, threads / 2, widest)) {
    threads /= 2;
  }
  return worth_it(tile, threads, widest) ? threads : 0;
}

/* The leanest kernel that carries `fields` and takes `windows` windows at once; NULL if there is none. */
static const fmlp_gpu_tree_tile *find_tile(const fmlp_gpu_tree_family *family, int32_t fields,
                                           int32_t windows) {
  for (int32_t i = 0; i < family->tile_count; i++) {
    const fmlp_gpu_tree_tile *tile = &family->tiles[i];
    if ((tile->fields & fields) == fields && tile->windows >= windows && !tile->streams) return tile;
  }
  return NULL;
}

/* One window in tiles that carry what the next needs: a halo at the end of a block only. Blocks are as many
 * as keep the device busy, or so long that the halo is a sixteenth. */
static tile_shape stream_shape(const fmlp_device *device, const fmlp_gpu_tree_family *family,
                               const fmlp_gpu_tree_tile *tile, int64_t window, int64_t rows) {
  tile_shape shape = {.tile = tile};
  if (window >= (int64_t)1 << FMLP_GPU_TREE_LEVELS) return shape;
  for (int64_t width = 32; width <= window; width *= 2) { /* what a shift of `width` rows carries */
    const bool gathers = (window & width) && (window & (width - 1)), climbs = 2 * width <= window;
    shape.carry += (int32_t)(width * tile->count * ((int)gathers + (int)climbs));
  }
  const int32_t most = most_threads(device, family, tile, window, shape.carry);
  const int32_t threads = block_of(device, tile, most, 4 * window);
  const int64_t size = (int64_t)threads * tile->rows;
  if (window + 32 > size) return shape;
  const int64_t wanted = 16 * window / size + 2, all = (rows + window - 1 + size - 1) / size;
  int64_t fair = rows / (size * device->limits.multiprocessors * 2);
  if (fair < 2) fair = 2;
  shape.threads = threads;
  shape.tiles = (int32_t)(wanted < fair ? wanted : fair);
  if (shape.tiles > all) shape.tiles = (int32_t)all;
  return shape;
}

/* `count` windows up to `widest` that want `fields`. */
static tile_shape shape_of(const fmlp_device *device, const fmlp_gpu_tree_family *family, int32_t fields,
                           int32_t count, int64_t widest, int64_t rows) {
  const fmlp_gpu_tree_tile *lean = find_tile(family, fields, 1), *tile = find_tile(family, fields, count);
  tile_shape shape = {.tile = tile, .tiles = 1};
  if (!tile || tile->fields != lean->fields) return shape;
  shape.threads = tile_threads(device, family, tile, widest, rows);
  const int64_t size = (int64_t)shape.threads * tile->rows;
  if (count > 1 || widest <= tile->threads / BLOCKS_AT_ONCE * tile->rows / 8 || (size > 0 && rows <= size)) {
    return shape;
  }
  for (int32_t i = 0; i < family->tile_count; i++) {
    if (!family->tiles[i].streams || family->tiles[i].fields != tile->fields) continue;
    const tile_shape stream = stream_shape(device, family, &family->tiles[i], widest, rows);
    if (stream.threads > 0) return stream;
  }
  return shape;
}

static void fill_table(const fmlp_gpu_tree_tile *tile, fmlp_gpu_tree_tile_args *args) {
  for (int32_t slot = 0; slot <= tile->windows; slot++) {
    for (int32_t k = 0; k < args->levels; k++) {
      const int64_t width = (int64_t)1 << k;
      const int64_t newer = slot < tile->windows ? args->window[slot] & (width - 1) : width;
      if (newer == 0) continue;
      merge_constants(width, newer, tile->constants,
                      args->table + (slot * FMLP_GPU_TREE_LEVELS + k) * tile->constants);
    }
  }
}

/* Launches what `args` holds: windows and targets; the rest is filled in here. */
static fmlp_status launch_tile(fmlp_device *device, const fmlp_gpu_tree_family *family,
                               const tile_shape *shape, const fmlp_gpu_rolling_job *job,
                               fmlp_gpu_tree_tile_args *args, fmlp_error *error) {
  args->first = job->first;
  args->last = job->last;
  args->origin = job->origin;
  args->operand[0] = job->a;
  args->operand[1] = job->b;
  args->levels = bits_of(args->widest);
  args->tiles = shape->tiles;
  args->carry = shape->carry;
  args->outputs = shape->tiles * shape->threads * shape->tile->rows - (args->widest - 1);
  fill_table(shape->tile, args);
  return fmlp_gpu_launch(device, shape->tile->kernel,
                         (job->last - job->first + args->outputs - 1) / args->outputs, shape->threads,
                         shared_bytes(family, shape->tile, shape->threads, args->widest, shape->carry), args,
                         error);
}

static fmlp_gpu_tree_target target_of(const fmlp_gpu_tree_family *family, const fmlp_gpu_target *target,
                                      int32_t slot) {
  fmlp_gpu_tree_target made = {
      .values = target->values, .first = target->first, .op = target->op, .slot = slot};
  family->constants_of(target->op, target->window, made.constants);
  return made;
}

/* Windows [first, first + count) of one kernel: as many launches as their targets need. */
static fmlp_status run_tile(fmlp_device *device, const fmlp_gpu_tree_family *family, const tile_shape *shape,
                            const fmlp_gpu_rolling_job *job, const window_group *const *windows,
                            int32_t count, fmlp_error *error) {
  fmlp_gpu_tree_tile_args args = {.widest = (int32_t)windows[count - 1]->window};
  for (int32_t w = 0; w < count; w++) args.window[w] = (int32_t)windows[w]->window;
  for (int32_t w = 0; w < count; w++) {
    for (int32_t i = 0; i < windows[w]->target_count; i++) {
      if (args.target_count == FMLP_GPU_TREE_TARGETS) {
        FMLP_TRY(launch_tile(device, family, shape, job, &args, error));
        args.target_count = 0;
      }
      args.targets[args.target_count++] = target_of(family, &job->targets[windows[w]->first_target + i], w);
    }
  }
  return launch_tile(device, family, shape, job, &args, error);
}

/* ---- windows wider than a tile ---- */

/* The highest level that a tile gives with no more halo than output. */
static int32_t tile_level(const fmlp_device *device, const fmlp_gpu_tree_family *family, int32_t fields) {
  const fmlp_gpu_tree_tile *tile = find_tile(family, fields, 1);
  int32_t k = 0;
  while (k + 1 < FMLP_GPU_TREE_LEVELS &&
         tile_threads(device, family, tile, (int64_t)2 << k, INT32_MAX) * tile->rows >= 4 << k) {
    k++;
  }
  return k;
}

static const fmlp_gpu_tree_tall *find_tall(const fmlp_gpu_tree_family *family, int32_t fields) {
  int32_t i = 0;
  while ((family->talls[i].fields & fields) != fields) i++;
  return &family->talls[i];
}

/* First row that a window of the job reads. */
static int64_t base_of(const fmlp_gpu_rolling_job *job, int64_t window) {
  const int64_t row = job->first - (window - 1);
  return row > job->origin ? row : job->origin;
}

static int64_t scratch_stride(const fmlp_gpu_rolling_job *job, int64_t window) {
  return (job->last - base_of(job, window) + 31) / 32 * 32;
}

static int64_t element_blocks(int64_t rows, int32_t threads) {
  const int64_t blocks = (rows + (int64_t)threads * ROWS_A_THREAD - 1) / ((int64_t)threads * ROWS_A_THREAD);
  return blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS;
}

/* The fields of windows of `window` rows, raw, into `out` (row r at [r - base]). */
static fmlp_status run_raw(fmlp_device *device, const fmlp_gpu_tree_family *family, int32_t fields,
                           const fmlp_gpu_rolling_job *job, int64_t window, double *out, int64_t base,
                           int64_t stride, fmlp_error *error) {
  fmlp_gpu_tree_tile_args args = {
      .widest = (int32_t)window,
      .window = {(int32_t)window},
      .target_count = 1,
      .targets = {{.values = out, .first = base, .stride = stride, .op = FMLP_GPU_TREE_RAW}}};
  const tile_shape shape = shape_of(device, family, fields, 1, window, job->last - job->first);
  return launch_tile(device, family, &shape, job, &args, error);
}

/* Gathers the window into `sum` from level k on, which stands in `level`; `spare` is room for another. */
static fmlp_status climb(fmlp_device *device, const fmlp_gpu_tree_tall *tall, const fmlp_gpu_rolling_job *job,
                         int64_t window, int32_t k, int64_t base, int64_t stride, double *level,
                         double *spare, double *sum, fmlp_error *error) {
  const int32_t threads = fmlp_gpu_threads(device, ELEMENT_THREADS);
  int64_t gathered = window & (((int64_t)1 << k) - 1);
  for (;; k++) {
    const int64_t width = (int64_t)1 << k;
    fmlp_gpu_tree_merge_args args = {.first = job->first,
                                     .last = job->last,
                                     .base = base,
                                     .stride = stride,
                                     .operand = {job->a, job->b},
                                     .older = level};
    if (window & width) {
      args.newer_rows = gathered;
      args.newer = gathered > 0 ? sum : NULL;
      args.out = sum;
      if (gathered > 0) merge_constants(width, gathered, FMLP_GPU_TREE_CONSTANTS, args.constants);
      FMLP_TRY(fmlp_gpu_launch(device, tall->merge, element_blocks(job->last - job->first, threads), threads,
                               0, &args, error));
      gathered += width;
    }
    if (gathered == window) return FMLP_OK;
    args.first = base;
    args.newer_rows = width;
    args.newer = level;
    args.out = spare;
    merge_constants(width, width, FMLP_GPU_TREE_CONSTANTS, args.constants);
    FMLP_TRY(fmlp_gpu_launch(device, tall->merge, element_blocks(job->last - base, threads), threads, 0,
                             &args, error));
    spare = level;
    level = args.out;
  }
}

static fmlp_status run_missing(fmlp_device *device, int64_t first, int64_t last,
                               const fmlp_gpu_target *target, fmlp_error *error) {
  const int32_t threads = fmlp_gpu_threads(device, ELEMENT_THREADS);
  const fmlp_gpu_tree_missing_args args = {.first = first, .last = last, .target = *target};
  return fmlp_gpu_launch(device, FMLP_GPU_rolling_missing, element_blocks(last - first, threads), threads, 0,
                         &args, error);
}

static fmlp_status run_tall(fmlp_device *device, const fmlp_gpu_tree_family *family,
                            const fmlp_gpu_rolling_job *whole, const window_group *window,
                            fmlp_error *error) {
  const fmlp_gpu_tree_tall *tall = find_tall(family, window->fields);
  const int32_t count = find_tile(family, tall->fields, 1)->count;
  const int64_t base = base_of(whole, window->window), stride = scratch_stride(whole, window->window);
  double *level = whole->scratch, *spare = level + count * stride, *sum = spare + count * stride;
  fmlp_gpu_rolling_job job = *whole;
  if (job.first < base) job.first = base; /* `base` being the origin, which no row of scratch precedes */
  /* Rows before `base` count as missing: windows that would need them are NaN. */
  fmlp_gpu_rolling_job from_base = job;
  from_base.first = from_base.origin = base;
  const int32_t k = tile_level(device, family, tall->fields);
  const int64_t low = window->window & (((int64_t)1 << k) - 1);
  FMLP_TRY(run_raw(device, family, tall->fields, &from_base, (int64_t)1 << k, level, base, stride, error));
  if (low > 0) FMLP_TRY(run_raw(device, family, tall->fields, &job, low, sum, base, stride, error));
  FMLP_TRY(climb(device, tall, &job, window->window, k, base, stride, level, spare, sum, error));
  const int32_t threads = fmlp_gpu_threads(device, ELEMENT_THREADS);
  for (int32_t i = 0; i < window->target_count; i++) {
    const fmlp_gpu_target *target = &job.targets[window->first_target + i];
    const fmlp_gpu_tree_finish_args args = {.first = job.first,
                                            .last = job.last,
                                            .base = base,
                                            .stride = stride,
                                            .operand = job.a,
                                            .sum = sum,
                                            .window = window->window,
                                            .target = target_of(family, target, 0)};
    FMLP_TRY(run_missing(device, whole->first, job.first, target, error));
    FMLP_TRY(fmlp_gpu_launch(device, tall->finish, element_blocks(job.last - job.first, threads), threads, 0,
                             &args, error));
  }
  return FMLP_OK;
}

/* ---- which window goes where ---- */

/* The distinct windows that some row completes, ascending; gives the number of targets they hold. */
static int32_t collect(const fmlp_gpu_tree_family *family, const fmlp_gpu_rolling_job *job,
                       window_groups *groups) {
  groups->count = 0;
  int32_t i = 0;
  for (; i < job->target_count && job->targets[i].window <= job->last - job->origin; i++) {
    if (groups->count == 0 || groups->of[groups->count - 1].window != job->targets[i].window) {
      groups->of[groups->count++] = (window_group){.window = job->targets[i].window, .first_target = i};
    }
    window_group *group = &groups->of[groups->count - 1];
    group->fields |= family->fields_of(job->targets[i].op);
    group->target_count++;
  }
  return i;
}

static bool is_tall(const fmlp_device *device, const fmlp_gpu_tree_family *family,
                    const fmlp_gpu_rolling_job *job, const window_group *window) {
  return shape_of(device, family, window->fields, 1, window->window, job->last - job->first).threads == 0;
}

size_t fmlp_gpu_tree_scratch(const fmlp_device *device, const fmlp_gpu_rolling_job *job,
                             const fmlp_gpu_tree_family *family) {
  window_groups groups;
  size_t most = 0;
  (void)collect(family, job, &groups);
  for (int32_t i = 0; i < groups.count; i++) {
    const window_group *window = &groups.of[i];
    if (!is_tall(device, family, job, window)) continue;
    const int32_t fields = find_tall(family, window->fields)->fields;
    const size_t bytes = (size_t)(3 * find_tile(family, fields, 1)->count) *
                         (size_t)scratch_stride(job, window->window) * sizeof(double);
    if (bytes > most) most = bytes;
  }
  return most;
}

/* Windows of one kernel, ascending, as many to a launch as it takes and a tile of the widest allows. */
static fmlp_status run_alike(fmlp_device *device, const fmlp_gpu_tree_family *family,
                             const fmlp_gpu_rolling_job *job, int32_t fields,
                             const window_group *const *windows, int32_t count, fmlp_error *error) {
  for (int32_t done = 0; done < count;) {
    int32_t taken = count - done < FMLP_GPU_TREE_WINDOWS ? count - done : FMLP_GPU_TREE_WINDOWS;
    tile_shape shape = {.threads = 0};
    for (; taken > 0; taken--) {
      shape =
          shape_of(device, family, fields, taken, windows[done + taken - 1]->window, job->last - job->first);
      if (shape.threads > 0) break;
    }
    FMLP_TRY(run_tile(device, family, &shape, job, windows + done, taken, error));
    done += taken;
  }
  return FMLP_OK;
}

fmlp_status fmlp_gpu_tree(fmlp_device *device, const fmlp_gpu_rolling_job *job,
                          const fmlp_gpu_tree_family *family, fmlp_error *error) {
  if (job->first >= job->last) return FMLP_OK;
  window_groups groups;
  bool placed[FMLP_GPU_TARGETS] = {false};
  for (int32_t i = collect(family, job, &groups); i < job->target_count; i++) {
    FMLP_TRY(run_missing(device, job->first, job->last, &job->targets[i], error));
  }
  for (int32_t i = 0; i < groups.count; i++) {
    if (placed[i]) continue;
    if (is_tall(device, family, job, &groups.of[i])) {
      FMLP_TRY(run_tall(device, family, job, &groups.of[i], error));
      continue;
    }
    const fmlp_gpu_tree_tile *tile = find_tile(family, groups.of[i].fields, 1);
    const window_group *alike[FMLP_GPU_TARGETS];
    int32_t count = 0;
    for (int32_t j = i; j < groups.count; j++) {
      if (find_tile(family, groups.of[j].fields, 1) != tile || is_tall(device, family, job, &groups.of[j])) {
        continue;
      }
      placed[j] = true;
      alike[count++] = &groups.of[j];
    }
    FMLP_TRY(run_alike(device, family, job, tile->fields, alike, count, error));
  }
  return FMLP_OK;
}

/* ---- moments ---- */

static int32_t moments_fields(int32_t op) {
  switch (op) {
  case FMLP_OP_STD:
  case FMLP_OP_VAR:
  case FMLP_OP_ZSCORE:
    return FMLP_GPU_WITH_M;
  case FMLP_OP_SKEW:
    return FMLP_GPU_WITH_M | FMLP_GPU_WITH_M3;
  case FMLP_OP_KURT:
    return FMLP_GPU_WITH_M | FMLP_GPU_WITH_M3 | FMLP_GPU_WITH_M4;
  case FMLP_OP_SLOPE:
    return FMLP_GPU_WITH_C;
  case FMLP_OP_R2:
    return FMLP_GPU_WITH_M | FMLP_GPU_WITH_C;
  default:
    return 0;
  }
}

static void moments_constants(int32_t op, int64_t window, double constants[2]) {
  const double w = (double)window, degrees = (w - 2.0) * (w - 3.0);
  switch (op) {
  case FMLP_OP_MEAN:
    constants[0] = 1.0 / w;
    break;
  case FMLP_OP_STD:
  case FMLP_OP_VAR:
  case FMLP_OP_ZSCORE:
    constants[0] = 1.0 / (w - 1.0);
    constants[1] = 1.0 / w;
    break;
  case FMLP_OP_SLOPE:
  case FMLP_OP_R2:
    constants[0] = 12.0 / (w * (w * w - 1.0));
    break;
  case FMLP_OP_SKEW:
    constants[0] = (w * sqrt(w - 1.0)) / (w - 2.0);
    break;
  case FMLP_OP_KURT:
    constants[0] = ((w * (w + 1.0)) * (w - 1.0)) / degrees;
    constants[1] = (3.0 * ((w - 1.0) * (w - 1.0))) / degrees;
    break;
  default: /* sum */
    break;
  }
}

static const fmlp_gpu_tree_tile tiles[] = {FMLP_GPU_MOMENTS_TILES(FMLP_GPU_TREE_TILE)};

static const fmlp_gpu_tree_tall talls[] = {
    {FMLP_GPU_WITH_M, FMLP_GPU_rolling_moments_merge, FMLP_GPU_rolling_moments_finish},
    {15, FMLP_GPU_rolling_moments_merge_all, FMLP_GPU_rolling_moments_finish_all}};

static const fmlp_gpu_tree_family moments = {.operands = 1,
                                             .fields_of = moments_fields,
                                             .constants_of = moments_constants,
                                             .tiles = tiles,
                                             .tile_count = sizeof tiles / sizeof *tiles,
                                             .talls = talls};

size_t fmlp_gpu_rolling_moments_scratch(const fmlp_device *device, const fmlp_gpu_rolling_job *job) {
  return fmlp_gpu_tree_scratch(device, job, &moments);
}

fmlp_status fmlp_gpu_rolling_moments(fmlp_device *device, const fmlp_gpu_rolling_job *job,
                                     fmlp_error *error) {
  return fmlp_gpu_tree(device, job, &moments, error);
}
