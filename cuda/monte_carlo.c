/* Launches of monte_carlo.cuh, and how a study is cut into chunks of paths.
 *
 * A chunk is walked, then its totals are taken; while it runs, the host fetches what it needs of the chunk
 * before: a double a tile of paths for the means, and the columns whose buffers are spilled, which live in
 * two alternating sets of places in the workspace. Resident columns stay where they are. Tree nodes are
 * counted from path 0 of the job, and paths of half tiles are fetched one by one, so chunks may be of any
 * size. */
#include <string.h>

#include "common/core/bits.h"
#include "common/core/interrupt.h"
#include "common/core/memory.h"
#include "common/core/philox.h"
#include "common/core/tree.h"
#include "cuda/device.h"
#include "cuda/monte_carlo.h"
#include "prof/span.h"

enum {
  FEWEST_THREADS = 64,
  RESIDENT_THREADS = 1024, /* of a multiprocessor: what 64 registers a thread allow */
  RESIDENT_BLOCKS = 16,
  RESERVED_SHARED = 1024, /* bytes that CUDA keeps of each block's shared memory */
  TOTALS_THREADS = 128,
  TOTALS_BLOCKS = 8, /* a multiprocessor */
  ALIGNMENT = 256,
  FEWEST_PATHS = 32,       /* a chunk's floor when memory runs out */
  SPILLED_BYTES = 1 << 28, /* of one set of places, about */
  TRANSFERS = 64,          /* fetched at a time */
  SETS = 2
};

/* Trades of one launch, about: tens of milliseconds, then the host looks for interrupts. */
static const int64_t launch_trades = (int64_t)1 << 33;

/* A per-path output: row r of a chunk stands at at[set] + r * pitch * size. */
typedef struct column {
  const fmlp_buffer *buffer;
  size_t size;
  int64_t rows;
  char *at[SETS]; /* where spilled */
} column;

enum { FINAL_CAPITAL, MAX_DRAWDOWN, TRADES_USED, OUTCOME, FAN, COLUMNS };

typedef struct range {
  int64_t first, last;
} range;

typedef struct study {
  const fmlp_monte_carlo *job;
  fmlp_gpu_paths_args args;
  fmlp_gpu_kernel kernel;
  bool near;
  int32_t threads;
  int64_t most_blocks;
  size_t shared;
  int64_t chunk; /* paths */
  column columns[COLUMNS];
  int32_t *fan_at; /* host */
  /* in the workspace */
  double *values;
  int64_t *day_offset;
  int32_t *fan_at_device;
  unsigned long long *counters;
  double *sums[SETS];
  /* the means, as they grow */
  double *fetched; /* host: [2][sums_most(chunk)] */
  fmlp_tree capital, drawdown;
} study;

/* ---- which kernel, in which shape ---- */

#define KERNELS(kind)                                                                                        \
  {                                                                                                          \
    {FMLP_GPU_monte_carlo_##kind##_far, FMLP_GPU_monte_carlo_##kind##_near}, {                               \
      FMLP_GPU_monte_carlo_##kind##_compounding_far, FMLP_GPU_monte_carlo_##kind##_compounding_near          \
    }                                                                                                        \
  }
/* [kind][compounding][near] */
static const fmlp_gpu_kernel kernels[][2][2] = {
    [FMLP_MC_DAY] = KERNELS(day),
    [FMLP_MC_IID] = KERNELS(iid),
    [FMLP_MC_MOVING_BLOCK] = KERNELS(moving_block),
    [FMLP_MC_CIRCULAR_BLOCK] = KERNELS(circular_block),
    [FMLP_MC_STATIONARY] = KERNELS(stationary),
    [FMLP_MC_PERMUTATION] = KERNELS(permutation),
};

static bool draws_for_runs(const fmlp_monte_carlo *job) {
  return job->kind == FMLP_MC_DAY || job->kind == FMLP_MC_MOVING_BLOCK || job->kind == FMLP_MC_CIRCULAR_BLOCK;
}

/* As the kernels take it. */
static size_t shared_bytes(const fmlp_monte_carlo *job, bool near, int32_t threads) {
  size_t bytes = 0;
  if (draws_for_runs(job)) bytes += FMLP_SHARED_SIZE(uint32_t, FMLP_GPU_PATH_DRAWS * threads);
  if (!near) return bytes;
  bytes += FMLP_SHARED_SIZE(double, job->trades);
  if (job->kind == FMLP_MC_DAY) bytes += FMLP_SHARED_SIZE(int32_t, job->days + 1);
  if (job->kind == FMLP_MC_PERMUTATION) bytes += FMLP_SHARED_SIZE(uint16_t, job->trades * threads);
  return bytes;
}

static int32_t resident_blocks(const fmlp_device *device, size_t shared, int32_t threads) {
  int64_t blocks =
      RESIDENT_THREADS / threads < RESIDENT_BLOCKS ? RESIDENT_THREADS / threads : RESIDENT_BLOCKS;
  const int64_t fitting = device->limits.shared_per_multiprocessor / (int64_t)(shared + RESERVED_SHARED);
  if (fitting < blocks) blocks = fitting;
  return blocks > 1 ? (int32_t)blocks : 1;
}

/* Small blocks spread few paths over all multiprocessors; large ones where several would not have room for a
 * list each. */
static void shape(const fmlp_device *device, study *s) {
  const fmlp_monte_carlo *job = s->job;
  const int32_t multiprocessors = device->limits.multiprocessors > 0 ? device->limits.multiprocessors : 1;
  s->threads = fmlp_gpu_threads(device, FEWEST_THREADS);
  s->near = (int64_t)shared_bytes(job, true, s->threads) <= device->limits.shared_per_block;
  for (int32_t wider = 2 * s->threads;; wider *= 2) {
    if (wider != fmlp_gpu_threads(device, wider) || job->paths <= (int64_t)s->threads * multiprocessors)
      break;
    const size_t shared = shared_bytes(job, s->near, wider);
    if ((int64_t)shared > device->limits.shared_per_block) break;
    const size_t now = shared_bytes(job, s->near, s->threads);
    const int32_t resident = resident_blocks(device, now, s->threads) * s->threads;
    if (resident_blocks(device, shared, wider) * wider <= resident) break;
    s->threads = wider;
  }
  s->shared = shared_bytes(job, s->near, s->threads);
  s->most_blocks = (int64_t)multiprocessors * resident_blocks(device, s->shared, s->threads);
  s->kernel = kernels[job->kind][job->compounding][s->near];
  if (job->kind == FMLP_MC_PERMUTATION && !s->near) {
    /* As many orders as the second-level cache holds, but some for every multiprocessor. */
    int64_t cached =
        device->limits.second_level_cache / (job->trades * s->threads * (int64_t)sizeof(int32_t));
    if (cached < multiprocessors) cached = multiprocessors;
    if (s->most_blocks > cached) s->most_blocks = cached;
  }
}

static int64_t blocks_of(const study *s, int64_t paths) {
  const int64_t blocks = (paths + s->threads - 1) / s->threads;
  return blocks < s->most_blocks ? blocks : s->most_blocks;
}

static void choose_chunk(const fmlp_device *device, study *s) {
  int64_t a_path = 0;
  for (int c = 0; c < COLUMNS; c++) {
    if (s->columns[c].buffer->spilled) a_path += s->columns[c].rows * (int64_t)s->columns[c].size;
  }
  const int64_t fill = s->most_blocks * s->threads, kept_to = device->limits.launch_trades;
  int64_t chunk = (kept_to > 0 ? kept_to : launch_trades) / s->job->max_trades;
  if (chunk < fill && kept_to == 0) chunk = fill;
  if (a_path > 0 && chunk > SPILLED_BYTES / a_path) chunk = SPILLED_BYTES / a_path;
  chunk = (chunk / FMLP_GPU_TILE + 1) * FMLP_GPU_TILE;
  if (device->tuning.chunk > 0) chunk = device->tuning.chunk;
  s->chunk = chunk < s->job->paths ? chunk : s->job->paths;
}

/* ---- the workspace ---- */

/* Doubles that the totals of a chunk give for each mean: a tile each, and single paths at both ends. */
static int64_t sums_most(int64_t paths) {
  return paths < 2 * FMLP_GPU_TILE ? paths : paths / FMLP_GPU_TILE + 2 * FMLP_GPU_TILE;
}

static void *place(char *memory, size_t *used, bool wanted, int64_t count, size_t size) {
  if (!wanted) return NULL;
  char *at = memory ? memory + *used : NULL;
  *used += ((size_t)count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  return at;
}

/* Places from `memory` on; gives the bytes used. */
static size_t place_all(study *s, char *memory) {
  const fmlp_monte_carlo *job = s->job;
  size_t used = 0;
  const fmlp_buffer *values = job->compounding ? job->ratio : job->pnl;
  const bool orders = job->kind == FMLP_MC_PERMUTATION && !s->near;
  s->counters = place(memory, &used, true, FMLP_GPU_COUNTERS, sizeof *s->counters);
  s->values = place(memory, &used, values->spilled, job->trades, sizeof *s->values);
  s->day_offset = place(memory, &used, job->kind == FMLP_MC_DAY && job->day_offset->spilled, job->days + 1,
                        sizeof *s->day_offset);
  s->fan_at_device = place(memory, &used, job->fan_points > 0, job->fan_points, sizeof *s->fan_at);
  s->args.order =
      place(memory, &used, orders, blocks_of(s, s->chunk) * s->threads * job->trades, sizeof *s->args.order);
  for (int set = 0; set < SETS; set++) {
    s->sums[set] = place(memory, &used, true, 2 * sums_most(s->chunk), sizeof *s->sums[set]);
    for (int c = 0; c < COLUMNS; c++) {
      column *out = &s->columns[c];
      out->at[set] = place(memory, &used, out->buffer->spilled, out->rows * s->chunk, out->size);
    }
  }
  return used;
}

/* The workspace, in which there is room for a chunk; chunks are halved until there is. */
static fmlp_status make_room(fmlp_device *device, study *s, fmlp_error *error) {
  for (;;) {
    void *memory = NULL;
    const fmlp_gpu_result result = fmlp_gpu_workspace(device, place_all(s, NULL), &memory);
    if (result == FMLP_GPU_OK) {
      (void)place_all(s, memory);
      return FMLP_OK;
    }
    if (result != FMLP_GPU_OUT_OF_MEMORY) return fmlp_gpu_check(device, result, "Monte Carlo", error);
    if (s->chunk <= FEWEST_PATHS) {
      return fmlp_fail(error, FMLP_ERR_DEVICE,
                       "%s: Monte Carlo: %lld paths at a time need %zu bytes of device memory and %lld are "
                       "free; use runtime.device=cpu",
                       device->runtime->name, (long long)s->chunk, place_all(s, NULL),
                       (long long)fmlp_gpu_room(device));
    }
    s->chunk = s->chunk / 2 > FEWEST_PATHS ? s->chunk / 2 : FEWEST_PATHS;
  }
}

static fmlp_status upload_lists(fmlp_device *device, study *s, fmlp_error *error) {
  const fmlp_monte_carlo *job = s->job;
  const fmlp_buffer *values = job->compounding ? job->ratio : job->pnl;
  s->args.values = values->data;
  if (values->spilled) {
    s->args.values = s->values;
    FMLP_TRY(
        fmlp_gpu_to_device(device, s->values, values->data, (size_t)job->trades * sizeof *s->values, error));
  }
  if (job->kind == FMLP_MC_DAY) {
    s->args.day_offset = job->day_offset->data;
    if (job->day_offset->spilled) {
      s->args.day_offset = s->day_offset;
      FMLP_TRY(fmlp_gpu_to_device(device, s->day_offset, job->day_offset->data,
                                  (size_t)(job->days + 1) * sizeof *s->day_offset, error));
    }
  }
  s->args.fan_at = s->fan_at_device;
  FMLP_TRY(fmlp_gpu_to_device(device, s->fan_at_device, s->fan_at,
                              (size_t)job->fan_points * sizeof *s->fan_at, error));
  return fmlp_gpu_check(device,
                        device->runtime->fill(device->gpu, FMLP_GPU_COMPUTE, s->counters, 0,
                                              FMLP_GPU_COUNTERS * sizeof *s->counters),
                        "Monte Carlo", error);
}

/* ---- chunks ---- */

static void *column_at(const study *s, int c, range chunk, int set) {
  const column *out = &s->columns[c];
  return out->buffer->spilled ? out->at[set] : (char *)out->buffer->data + (size_t)chunk.first * out->size;
}

/* Whole tiles of a chunk, by number, and what its totals hold: `head` single paths, a node for each whole
 * tile, single paths again. */
static range whole_tiles(range chunk, int64_t *head, int64_t *length) {
  range whole = {(chunk.first + FMLP_GPU_TILE - 1) / FMLP_GPU_TILE, chunk.last / FMLP_GPU_TILE};
  *head = *length = chunk.last - chunk.first;
  if (whole.last <= whole.first) return (range){whole.first, whole.first};
  *head = whole.first * FMLP_GPU_TILE - chunk.first;
  *length -= (whole.last - whole.first) * (FMLP_GPU_TILE - 1);
  return whole;
}

static fmlp_status launch(fmlp_device *device, study *s, range chunk, int set, fmlp_error *error) {
  const int64_t paths = chunk.last - chunk.first;
  fmlp_gpu_paths_args args = s->args;
  args.first_path = (uint64_t)(s->job->first_path + chunk.first);
  args.paths = paths;
  args.final_capital = column_at(s, FINAL_CAPITAL, chunk, set);
  args.max_drawdown = column_at(s, MAX_DRAWDOWN, chunk, set);
  args.trades_used = column_at(s, TRADES_USED, chunk, set);
  args.outcome = column_at(s, OUTCOME, chunk, set);
  if (args.fan_points > 0) {
    args.fan = column_at(s, FAN, chunk, set);
    args.fan_pitch = s->columns[FAN].buffer->spilled ? paths : s->job->paths;
  }
  FMLP_TRY(fmlp_gpu_launch(device, s->kernel, blocks_of(s, paths), s->threads, s->shared, &args, error));

  int64_t head = 0, length = 0;
  const range whole = whole_tiles(chunk, &head, &length);
  const fmlp_gpu_path_totals_args totals = {.first = chunk.first,
                                            .last = chunk.last,
                                            .whole_first = whole.first,
                                            .whole_last = whole.last,
                                            .initial_capital = s->job->initial_capital,
                                            .final_capital = args.final_capital,
                                            .max_drawdown = args.max_drawdown,
                                            .trades_used = args.trades_used,
                                            .outcome = args.outcome,
                                            .sums = s->sums[set],
                                            .length = length,
                                            .counters = s->counters};
  const int64_t tiles = (chunk.last - 1) / FMLP_GPU_TILE - chunk.first / FMLP_GPU_TILE + 1;
  const int64_t most = (int64_t)TOTALS_BLOCKS * (device->limits.multiprocessors + 1);
  const size_t shared = FMLP_SHARED_SIZE(double, 2 * FMLP_GPU_TILE / FMLP_GPU_TILE_RUN);
  return fmlp_gpu_launch(device, FMLP_GPU_monte_carlo_totals, tiles < most ? tiles : most,
                         fmlp_gpu_threads(device, TOTALS_THREADS), shared, &totals, error);
}

/* What the host takes from a chunk behind whose end the download stream stands. */
static fmlp_status collect(fmlp_device *device, study *s, range chunk, int set, fmlp_error *error) {
  int64_t head = 0, length = 0;
  const range whole = whole_tiles(chunk, &head, &length);
  const int64_t paths = chunk.last - chunk.first, nodes_end = head + (whole.last - whole.first);
  fmlp_gpu_transfer transfers[TRANSFERS] = {{s->fetched, s->sums[set], 2 * (size_t)length * sizeof(double)}};
  int32_t count = 1;
  for (int c = 0; c < COLUMNS; c++) {
    const column *out = &s->columns[c];
    const size_t row = (size_t)paths * out->size, pitch = (size_t)s->job->paths * out->size;
    for (int64_t r = 0; r < out->rows && out->buffer->spilled; r++) {
      if (count == TRANSFERS) {
        FMLP_TRY(fmlp_gpu_fetch(device, transfers, count, error));
        count = 0;
      }
      char *to = (char *)out->buffer->data + (size_t)chunk.first * out->size + (size_t)r * pitch;
      transfers[count++] = (fmlp_gpu_transfer){to, out->at[set] + (size_t)r * row, row};
    }
  }
  FMLP_TRY(fmlp_gpu_fetch(device, transfers, count, error));
  for (int64_t i = 0; i < length; i++) {
    const int level = i >= head && i < nodes_end ? FMLP_GPU_TILE_LEVEL : 0;
    fmlp_tree_push_node(&s->capital, level, s->fetched[i]);
    fmlp_tree_push_node(&s->drawdown, level, s->fetched[length + i]);
  }
  return FMLP_OK;
}

static fmlp_status run_chunks(fmlp_device *device, study *s, fmlp_error *error) {
  range before = {0, 0};
  int set = 0;
  for (int64_t first = 0; first < s->job->paths; first += s->chunk, set = 1 - set) {
    FMLP_TRY(fmlp_check_interrupt("Monte Carlo", error));
    const range chunk = {first, s->job->paths - first < s->chunk ? s->job->paths : first + s->chunk};
    FMLP_TRY(launch(device, s, chunk, set, error));
    if (before.last > before.first) FMLP_TRY(collect(device, s, before, 1 - set, error));
    FMLP_TRY(fmlp_gpu_order(device, FMLP_GPU_COMPUTE, FMLP_GPU_DOWNLOAD, error));
    before = chunk;
  }
  return collect(device, s, before, 1 - set, error);
}

static fmlp_status take_totals(fmlp_device *device, const study *s, fmlp_monte_carlo_totals *totals,
                               fmlp_error *error) {
  unsigned long long count[FMLP_GPU_COUNTERS];
  FMLP_TRY(fmlp_gpu_from_device(device, count, s->counters, sizeof count, error));
  const int64_t paths = s->job->paths;
  memset(totals, 0, sizeof *totals);
  totals->outcome_count[FMLP_PATH_RUIN] = (int64_t)count[FMLP_GPU_COUNT_RUIN];
  totals->outcome_count[FMLP_PATH_DAILY_LOSS] = (int64_t)count[FMLP_GPU_COUNT_DAILY_LOSS];
  totals->outcome_count[FMLP_PATH_TARGET] = (int64_t)count[FMLP_GPU_COUNT_TARGET];
  totals->outcome_count[FMLP_PATH_COMPLETE] =
      paths -
      (int64_t)(count[FMLP_GPU_COUNT_RUIN] + count[FMLP_GPU_COUNT_DAILY_LOSS] + count[FMLP_GPU_COUNT_TARGET]);
  totals->loss_count = (int64_t)count[FMLP_GPU_COUNT_LOSS];
  totals->trades_used_total = (int64_t)count[FMLP_GPU_COUNT_TRADES];
  totals->mean_final_capital = fmlp_canonical(fmlp_tree_total(&s->capital) / (double)paths);
  totals->mean_max_drawdown = fmlp_canonical(fmlp_tree_total(&s->drawdown) / (double)paths);
  return FMLP_OK;
}

/* ---- the operation ---- */

/* Trade numbers are 32 bits wide in the outputs; the rest of a job is the caller's promise. */
static study study_of(const fmlp_monte_carlo *job) {
  study s;
  memset(&s, 0, sizeof s);
  s.job = job;
  s.columns[FINAL_CAPITAL] = (column){job->final_capital, sizeof(double), 1, {NULL, NULL}};
  s.columns[MAX_DRAWDOWN] = (column){job->max_drawdown, sizeof(double), 1, {NULL, NULL}};
  s.columns[TRADES_USED] = (column){job->trades_used, sizeof(int32_t), 1, {NULL, NULL}};
  s.columns[OUTCOME] = (column){job->outcome, sizeof(int8_t), 1, {NULL, NULL}};
  /* Without a fan there need not be a buffer. */
  s.columns[FAN] =
      (column){job->fan_points > 0 ? job->fan : job->outcome, sizeof(double), job->fan_points, {NULL, NULL}};
  fmlp_gpu_paths_args *args = &s.args;
  args->key = fmlp_philox_key(job->seed, FMLP_PHILOX_MONTE_CARLO);
  args->initial_capital = job->initial_capital;
  args->ruin_level = job->ruin_level;
  args->target_level = job->target_level;
  args->daily_loss = -job->daily_loss;
  args->trades = (int32_t)job->trades;
  args->max_trades = (int32_t)job->max_trades;
  args->fan_points = job->fan_points;
  args->draws_a_step = FMLP_GPU_PATH_STEP;
  if (job->kind == FMLP_MC_DAY) args->days = (int32_t)job->days;
  if (job->kind == FMLP_MC_STATIONARY) {
    args->restart_below = ((uint64_t)1 << 32) / (uint64_t)job->block_length;
  }
  if (job->kind == FMLP_MC_MOVING_BLOCK || job->kind == FMLP_MC_CIRCULAR_BLOCK) {
    const int64_t length = job->block_length;
    args->block_length = (int32_t)length;
    args->starts = (int32_t)(job->kind == FMLP_MC_MOVING_BLOCK ? job->trades - length + 1 : job->trades);
    args->draws_a_step = (int32_t)((FMLP_GPU_PATH_STEP - 1) / length + 1);
  }
  return s;
}

fmlp_status fmlp_gpu_monte_carlo(fmlp_device *device, const fmlp_monte_carlo *job,
                                 fmlp_monte_carlo_totals *totals, fmlp_error *error) {
  FMLP_SPAN("monte_carlo");
  FMLP_TRY(fmlp_monte_carlo_check(job, error));
  study s = study_of(job);
  shape(device, &s);
  choose_chunk(device, &s);
  FMLP_TRY(make_room(device, &s, error));
  fmlp_status status =
      fmlp_alloc(&s.fan_at, job->fan_points, sizeof *s.fan_at, "the columns of the fan", error);
  if (status == FMLP_OK) {
    status = fmlp_alloc(&s.fetched, 2 * sums_most(s.chunk), sizeof *s.fetched, "sums of paths", error);
  }
  if (status == FMLP_OK) {
    for (int64_t f = 0; f < job->fan_points; f++) {
      s.fan_at[f] = (int32_t)((job->max_trades * (f + 1) + job->fan_points - 1) / job->fan_points);
    }
    status = upload_lists(device, &s, error);
  }
  if (status == FMLP_OK) status = run_chunks(device, &s, error);
  if (status == FMLP_OK) status = take_totals(device, &s, totals, error);
  fmlp_free(s.fetched);
  fmlp_free(s.fan_at);
  if (status == FMLP_OK) /* as the reference counts */
    fmlp_span_add_bytes(8 * totals->trades_used_total + (21 + 8 * (int64_t)job->fan_points) * job->paths);
  return status;
}
