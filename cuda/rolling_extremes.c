/* Launches of rolling_extremes.cuh: which windows fit a tile, and how large tiles and segments are. */
#include "cuda/rolling_extremes.h"

enum {
  RUN = FMLP_GPU_EXTREMES_RUN,
  WARP = 32,
  THREADS = 256,
  MOST_THREADS = 1024,
  LINE_ROWS = 16,
  SHORT_ROWS = 4
};

#define BIT(op) (1u << ((op)-FMLP_OP_MIN))
enum { VALUES = 1 << 0 | 1 << 1 | 1 << 2 };

/* Targets of some operators that one launch takes together. */
typedef struct group {
  int32_t count;
  fmlp_gpu_target targets[FMLP_GPU_TARGETS];
} group;

/* Those with least <= window <= most. */
static void choose(const fmlp_gpu_rolling_job *job, unsigned ops, int64_t least, int64_t most,
                   group *chosen) {
  chosen->count = 0;
  for (int32_t i = 0; i < job->target_count; i++) {
    const fmlp_gpu_target *target = &job->targets[i];
    if (!(ops & BIT(target->op)) || target->window < least || target->window > most) continue;
    chosen->targets[chosen->count++] = *target;
  }
}

static int64_t base_of(const fmlp_gpu_rolling_job *job, int64_t window) {
  const int64_t row = job->first - (window - 1);
  return row > job->origin ? row : job->origin;
}

static fmlp_status run_short(fmlp_device *device, const fmlp_gpu_rolling_job *job, fmlp_error *error) {
  const int32_t threads = fmlp_gpu_threads(device, THREADS);
  const int64_t rows = (int64_t)threads * SHORT_ROWS, blocks = (job->last - job->first + rows - 1) / rows;
  for (int32_t i = 0; i < job->target_count && job->targets[i].window <= RUN; i++) {
    const fmlp_gpu_extremes_short_args args = {.first = job->first,
                                               .last = job->last,
                                               .origin = job->origin,
                                               .a = job->a,
                                               .target = job->targets[i]};
    FMLP_TRY(fmlp_gpu_launch(device, FMLP_GPU_rolling_extremes_short, blocks, threads, 0, &args, error));
  }
  return FMLP_OK;
}

/* ---- tiles ---- */

typedef struct tile_kind {
  fmlp_gpu_kernel kernel;
  int32_t sides;
  bool rows, negative;
} tile_kind;

/* The kernel for all targets of `ops`; one side is enough where they ask for no more. */
static tile_kind kind_of(const fmlp_gpu_rolling_job *job, unsigned ops) {
  if (!(ops & VALUES))
    return (tile_kind){FMLP_GPU_rolling_extremes_rows, 1, true, ops == BIT(FMLP_OP_ARGMAX)};
  unsigned present = 0;
  for (int32_t i = 0; i < job->target_count; i++) present |= ops & BIT(job->targets[i].op);
  if (present == BIT(FMLP_OP_MIN)) return (tile_kind){FMLP_GPU_rolling_extremes_one, 1, false, false};
  if (present == BIT(FMLP_OP_MAX)) return (tile_kind){FMLP_GPU_rolling_extremes_one, 1, false, true};
  return (tile_kind){FMLP_GPU_rolling_extremes_both, 2, false, false};
}

static size_t tile_shared(const tile_kind *kind, int32_t threads) {
  size_t side = FMLP_SHARED_SIZE(double, threads *RUN) + FMLP_SHARED_SIZE(double, 2 * threads);
  if (kind->rows) side += FMLP_SHARED_SIZE(int32_t, threads * RUN) + FMLP_SHARED_SIZE(int32_t, 2 * threads);
  return FMLP_SHARED_SIZE(double, threads *RUN) + (size_t)kind->sides * side;
}

/* What a thread with a result may look back to, in whole lines of device memory, so that every tile stores
 * from the start of one. */
static int32_t halo_of(int64_t window) {
  return (int32_t)((window - 1 + RUN - 1 + LINE_ROWS - 1) / LINE_ROWS * LINE_ROWS);
}

/* The smallest block of which no more than a quarter is halo, or else the largest that fits, if half of it or
 * more is left; 0 if not even that. Three warps at least for windows up to a warp's rows, for segments begin
 * beyond them. */
static int32_t tile_threads(const fmlp_device *device, const tile_kind *kind, int32_t halo) {
  const size_t shared = (size_t)device->limits.shared_per_block;
  int32_t threads = fmlp_gpu_threads(device, THREADS);
  const int32_t most = device->tuning.threads > 0 ? threads : fmlp_gpu_threads(device, MOST_THREADS);
  if (threads < 3 * WARP && halo > threads * RUN / 2 && halo <= halo_of(WARP * RUN)) threads = 3 * WARP;
  while (threads > WARP && tile_shared(kind, threads) > shared) threads -= WARP;
  while (halo > threads * RUN / 4 && 2 * threads <= most && tile_shared(kind, 2 * threads) <= shared) {
    threads *= 2;
  }
  return halo <= threads * RUN / 2 ? threads : 0;
}

static bool fits_tile(const fmlp_device *device, const tile_kind *kind, int64_t window) {
  return window <= MOST_THREADS * RUN && tile_threads(device, kind, halo_of(window)) > 0;
}

/* The largest window of the job's targets `ops` that fits a tile; at least a run, which needs none. */
static int64_t widest_in_tile(const fmlp_device *device, const fmlp_gpu_rolling_job *job, unsigned ops) {
  const tile_kind kind = kind_of(job, ops);
  int64_t widest = RUN;
  for (int32_t i = 0; i < job->target_count; i++) {
    const fmlp_gpu_target *target = &job->targets[i];
    if ((ops & BIT(target->op)) && target->window > RUN && fits_tile(device, &kind, target->window)) {
      widest = target->window;
    }
  }
  return widest;
}

static fmlp_status run_tiles(fmlp_device *device, const fmlp_gpu_rolling_job *job, unsigned ops,
                             fmlp_error *error) {
  const int64_t widest = widest_in_tile(device, job, ops);
  group chosen;
  choose(job, ops, RUN + 1, widest, &chosen);
  if (chosen.count == 0) return FMLP_OK;
  const tile_kind kind = kind_of(job, ops);
  const int32_t halo = halo_of(widest);
  const int32_t threads = tile_threads(device, &kind, halo);
  fmlp_gpu_extremes_tile_args args = {.first = job->first,
                                      .last = job->last,
                                      .base = base_of(job, widest),
                                      .a = job->a,
                                      .halo = halo,
                                      .negative = kind.negative,
                                      .target_count = chosen.count};
  for (int32_t i = 0; i < chosen.count; i++) args.targets[i] = chosen.targets[i];
  const int64_t rows = threads * RUN - halo, blocks = (job->last - job->first + rows - 1) / rows;
  return fmlp_gpu_launch(device, kind.kernel, blocks, threads, tile_shared(&kind, threads), &args, error);
}

/* ---- segments ---- */

/* Scratch of one pass. */
typedef struct segments {
  int32_t threads, levels;
  int64_t base, count;
  size_t shared, suffix, suffix_row, table, table_row, bytes; /* offsets, and their end */
} segments;

static size_t take(size_t *at, int64_t count, size_t size) {
  const size_t start = *at;
  *at += ((size_t)count * size + 255) / 256 * 256;
  return start;
}

/* `large` is not empty; its windows are of a warp's rows at least. */
static segments segments_of(const fmlp_device *device, const fmlp_gpu_rolling_job *job, const group *large,
                            bool rows_too) {
  segments s = {.threads = fmlp_gpu_threads(device, THREADS)};
  const int64_t narrowest = large->targets[0].window, widest = large->targets[large->count - 1].window;
  const size_t word = sizeof(double) + sizeof(int32_t);
  while (s.threads > WARP &&
         (s.threads * RUN > narrowest - 1 ||
          (size_t)(s.threads * RUN + WARP) * word > (size_t)device->limits.shared_per_block)) {
    s.threads -= WARP;
  }
  const int64_t rows = (int64_t)s.threads * RUN;
  s.base = base_of(job, widest);
  s.count = (job->last - s.base + rows - 1) / rows;
  s.levels = 1;
  while (s.levels < 62 && (int64_t)1 << s.levels <= (widest - 1) / rows && (int64_t)1 << s.levels < s.count) {
    s.levels++;
  }
  s.shared = FMLP_SHARED_SIZE(double, rows) + FMLP_SHARED_SIZE(int32_t, rows) +
             FMLP_SHARED_SIZE(double, WARP) + FMLP_SHARED_SIZE(int32_t, WARP);
  s.suffix = take(&s.bytes, job->last - s.base, sizeof(double));
  s.table = take(&s.bytes, s.count * s.levels, sizeof(double));
  if (rows_too) {
    s.suffix_row = take(&s.bytes, job->last - s.base, sizeof(int32_t));
    s.table_row = take(&s.bytes, s.count * s.levels, sizeof(int64_t));
  }
  return s;
}

/* A range takes part in the passes over minima and over maxima, in this order. */
static const struct {
  unsigned ops, of; /* the pass takes `ops`, whose tiles belong to `of` */
  bool negative, rows;
} passes[] = {{BIT(FMLP_OP_MIN) | BIT(FMLP_OP_RANGE), VALUES, false, false},
              {BIT(FMLP_OP_MAX) | BIT(FMLP_OP_RANGE), VALUES, true, false},
              {BIT(FMLP_OP_ARGMIN), BIT(FMLP_OP_ARGMIN), false, true},
              {BIT(FMLP_OP_ARGMAX), BIT(FMLP_OP_ARGMAX), true, true}};
enum { PASSES = sizeof passes / sizeof *passes };

static fmlp_status run_segments(fmlp_device *device, const fmlp_gpu_rolling_job *job, const group *large,
                                bool negative, bool rows_too, fmlp_error *error) {
  const segments s = segments_of(device, job, large, rows_too);
  char *memory = job->scratch;
  fmlp_gpu_extremes_segments_args args = {.first = job->first,
                                          .last = job->last,
                                          .base = s.base,
                                          .a = job->a,
                                          .segments = s.count,
                                          .negative = negative,
                                          .suffix = (double *)(void *)(memory + s.suffix),
                                          .table = (double *)(void *)(memory + s.table),
                                          .target_count = large->count};
  if (rows_too) args.suffix_row = (int32_t *)(void *)(memory + s.suffix_row);
  if (rows_too) args.table_row = (int64_t *)(void *)(memory + s.table_row);
  for (int32_t i = 0; i < large->count; i++) args.targets[i] = large->targets[i];
  FMLP_TRY(
      fmlp_gpu_launch(device, FMLP_GPU_rolling_extremes_suffix, s.count, s.threads, s.shared, &args, error));
  for (args.level = 1; args.level < s.levels; args.level++) {
    const int64_t blocks = (s.count + s.threads - 1) / s.threads;
    FMLP_TRY(fmlp_gpu_launch(device, FMLP_GPU_rolling_extremes_level, blocks, s.threads, 0, &args, error));
  }
  const int64_t rows = (int64_t)s.threads * RUN, before = (job->first - s.base) / rows;
  return fmlp_gpu_launch(device, FMLP_GPU_rolling_extremes_segments, s.count - before, s.threads, s.shared,
                         &args, error);
}

/* ---- the family ---- */

size_t fmlp_gpu_rolling_extremes_scratch(const fmlp_device *device, const fmlp_gpu_rolling_job *job) {
  size_t bytes = 0;
  for (int i = 0; i < PASSES; i++) {
    group large;
    choose(job, passes[i].ops, widest_in_tile(device, job, passes[i].of) + 1, INT64_MAX, &large);
    if (large.count == 0) continue;
    const segments s = segments_of(device, job, &large, passes[i].rows);
    if (s.bytes > bytes) bytes = s.bytes;
  }
  return bytes;
}

fmlp_status fmlp_gpu_rolling_extremes(fmlp_device *device, const fmlp_gpu_rolling_job *job,
                                      fmlp_error *error) {
  static const unsigned tiles[] = {VALUES, BIT(FMLP_OP_ARGMIN), BIT(FMLP_OP_ARGMAX)};
  if (job->last <= job->first) return FMLP_OK;
  FMLP_TRY(run_short(device, job, error));
  for (int i = 0; i < 3; i++) FMLP_TRY(run_tiles(device, job, tiles[i], error));
  for (int i = 0; i < PASSES; i++) {
    group large;
    choose(job, passes[i].ops, widest_in_tile(device, job, passes[i].of) + 1, INT64_MAX, &large);
    if (large.count == 0) continue;
    FMLP_TRY(run_segments(device, job, &large, passes[i].negative, passes[i].rows, error));
  }
  return FMLP_OK;
}
