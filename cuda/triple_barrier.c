/* Launches of triple_barrier.cuh, and how labels are cut when not everything is, or fits, on the device.
 *
 * Search and resolution are alike: events, each with a range of a source (bars; ticks). If it fits, the
 * source is prepared once and the events follow, all at once when they are resident. If it does not, every
 * chunk of events brings the range of the source it needs, and chunks are halved until that fits. Events
 * usually ascend, which makes the ranges short, but any order is right. */
#include <assert.h>
#include <string.h>

#include "common/core/interrupt.h"
#include "common/core/memory.h"
#include "cuda/device.h"
#include "cuda/triple_barrier.h"
#include "prof/span.h"

enum {
  THREADS = 256,
  GROUP = FMLP_GPU_BARRIER_GROUP,
  ALIGNMENT = 256,               /* of arrays in the workspace, bytes */
  SPILLED_EVENTS = 1 << 24,      /* events at a time when their arrays are spilled */
  FEWEST_BESIDE_WHOLE = 1 << 12, /* where not even these fit beside the whole source, the source is cut */
  RANGE_BLOCK = 1 << 16,         /* events whose ranges are fetched at a time */
  MOST_EVENT_ARRAYS = 7
};

/* Items [first, first + count) stand at `at` on the device while kernels use them: in place where the buffer
 * is resident, in the workspace where it is spilled. */
typedef struct array {
  const fmlp_buffer *buffer;
  size_t size; /* of an item, bytes */
  bool read, written;
  char *at;
} array;

typedef struct range {
  int64_t first, last;
} range;

typedef struct pyramid {
  int32_t levels;                         /* at least 1 */
  int64_t count[FMLP_GPU_BARRIER_LEVELS]; /* of level 0 as it is, of the others padded */
  int32_t *high[FMLP_GPU_BARRIER_LEVELS], *low[FMLP_GPU_BARRIER_LEVELS];
  int32_t *tail; /* GROUP highs, GROUP lows */
} pyramid;

typedef struct work {
  const char *name, *items; /* for errors: of the operation, of the source */
  int64_t source_count, event_count;
  bool inclusive; /* a range ends with its last item, not before it */
  int32_t source_arrays, event_arrays;
  array source[2];
  array event[MOST_EVENT_ARRAYS]; /* [0] and [1] are the ranges */
  bool searches;
  pyramid tree;
  union {
    fmlp_gpu_barrier_search_args search;
    fmlp_gpu_barrier_resolve_args resolve;
  } args;
} work;

static size_t aligned(size_t bytes) {
  return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static int64_t groups_of(int64_t count) {
  return (count + GROUP - 1) / GROUP;
}

/* ---- the pyramid ---- */

/* Sizes of the levels over `bars` bars, and places for them from `next` on; gives the bytes used. */
static size_t pyramid_place(pyramid *tree, int64_t bars, char *next) {
  size_t used = aligned(2 * GROUP * sizeof(int32_t));
  tree->tail = (int32_t *)(void *)next;
  tree->levels = 1;
  tree->count[0] = bars;
  for (int64_t count = bars; count > GROUP; tree->levels++) {
    count = groups_of(count);
    const int k = tree->levels;
    tree->count[k] = groups_of(count) * GROUP;
    const size_t bytes = aligned((size_t)tree->count[k] * sizeof(int32_t));
    tree->high[k] = next ? (int32_t *)(void *)(next + used) : NULL;
    tree->low[k] = next ? (int32_t *)(void *)(next + used + bytes) : NULL;
    used += 2 * bytes;
  }
  return used;
}

/* Two levels a launch. With a single level only the tail is made. */
static fmlp_status pyramid_build(fmlp_device *device, const pyramid *tree, fmlp_error *error) {
  const int32_t threads = fmlp_gpu_threads(device, THREADS);
  for (int k = 0; k == 0 || k + 1 < tree->levels; k += 2) {
    fmlp_gpu_barrier_pyramid_args args = {.count = tree->count[k],
                                          .high = tree->high[k],
                                          .low = tree->low[k],
                                          .tail_high = tree->tail,
                                          .tail_low = tree->tail + GROUP};
    int64_t nodes = groups_of(args.count);
    if (k + 1 < tree->levels) {
      args.above_high = tree->high[k + 1];
      args.above_low = tree->low[k + 1];
      nodes = args.above_padded = tree->count[k + 1];
    }
    if (k + 2 < tree->levels) {
      args.top_high = tree->high[k + 2];
      args.top_low = tree->low[k + 2];
      args.top_padded = tree->count[k + 2];
      nodes = args.top_padded * GROUP;
    }
    const int64_t blocks = (nodes + threads - 1) / threads;
    FMLP_TRY(fmlp_gpu_launch(device, FMLP_GPU_barrier_pyramid, blocks, threads, 0, &args, error));
  }
  return FMLP_OK;
}

/* ---- what a chunk needs ---- */

static int64_t item(const void *items, size_t size, int64_t i) {
  return size == sizeof(int32_t) ? ((const int32_t *)items)[i] : ((const int64_t *)items)[i];
}

static void widen(const work *job, const void *from, const void *to, int64_t count, range *all) {
  const size_t size = job->event[0].size;
  for (int64_t e = 0; e < count; e++) {
    const int64_t first = item(from, size, e), last = item(to, size, e) + (job->inclusive ? 1 : 0);
    assert((!job->inclusive || first + 1 < last) && "start_bar < last_bar");
    if (first >= last) continue;
    if (all->last == 0 || first < all->first) all->first = first;
    if (last > all->last) all->last = last;
  }
}

/* The part of the source that events [first, last) use, from a whole group on; {0, 0} when none. */
static fmlp_status source_range(fmlp_device *device, const work *job, int64_t first, int64_t last, range *all,
                                fmlp_error *error) {
  const size_t size = job->event[0].size;
  char *fetched = NULL;
  fmlp_status status = fmlp_alloc(&fetched, RANGE_BLOCK, 2 * size, "ranges of events", error);
  *all = (range){0, 0};
  for (int64_t e = first; e < last && status == FMLP_OK; e += RANGE_BLOCK) {
    const int64_t count = last - e < RANGE_BLOCK ? last - e : RANGE_BLOCK;
    const size_t bytes = (size_t)count * size;
    status = fmlp_gpu_download(device, job->event[0].buffer, (size_t)e * size, fetched, bytes, error);
    if (status != FMLP_OK) break;
    status = fmlp_gpu_download(device, job->event[1].buffer, (size_t)e * size, fetched + bytes, bytes, error);
    if (status == FMLP_OK) widen(job, fetched, fetched + bytes, count, all);
  }
  fmlp_free(fetched);
  assert(all->first >= 0 && all->last <= job->source_count && "ranges lie in their source");
  all->first -= all->first % GROUP;
  return status;
}

/* Places for `count` items of each array from `next` on, where they are spilled; gives the bytes used. */
static size_t arrays_place(array *arrays, int32_t array_count, int64_t first, int64_t count, char *next) {
  size_t used = 0;
  for (int32_t a = 0; a < array_count; a++) {
    if (!arrays[a].buffer->spilled) {
      arrays[a].at = (char *)arrays[a].buffer->data + (size_t)first * arrays[a].size;
      continue;
    }
    arrays[a].at = next ? next + used : NULL;
    used += aligned((size_t)count * arrays[a].size);
  }
  return used;
}

static size_t source_place(work *job, range source, char *next) {
  size_t used = arrays_place(job->source, job->source_arrays, source.first, source.last - source.first, next);
  if (job->searches) {
    used += pyramid_place(&job->tree, source.last - source.first, next ? next + used : NULL);
    job->tree.high[0] = (int32_t *)(void *)job->source[0].at;
    job->tree.low[0] = (int32_t *)(void *)job->source[1].at;
  }
  return used;
}

static fmlp_status arrays_copy(fmlp_device *device, const array *arrays, int32_t array_count, int64_t first,
                               int64_t count, bool back, fmlp_error *error) {
  for (int32_t a = 0; a < array_count; a++) {
    if (!arrays[a].buffer->spilled || !(back ? arrays[a].written : arrays[a].read)) continue;
    char *host = (char *)arrays[a].buffer->data + (size_t)first * arrays[a].size;
    const size_t bytes = (size_t)count * arrays[a].size;
    FMLP_TRY(back ? fmlp_gpu_from_device(device, host, arrays[a].at, bytes, error)
                  : fmlp_gpu_to_device(device, arrays[a].at, host, bytes, error));
  }
  return FMLP_OK;
}

/* ---- chunks ---- */

static void *at(const work *job, int32_t event_array) {
  return job->event[event_array].at;
}

static fmlp_status launch(fmlp_device *device, work *job, range source, int64_t count, fmlp_error *error) {
  const int32_t threads = fmlp_gpu_threads(device, THREADS);
  if (job->searches) {
    fmlp_gpu_barrier_search_args *args = &job->args.search;
    args->events = count;
    args->start_bar = at(job, 0);
    args->last_bar = at(job, 1);
    args->upper = at(job, 2);
    args->lower = at(job, 3);
    args->outcome = at(job, 4);
    args->exit_bar = at(job, 5);
    args->first_bar = (int32_t)source.first;
    args->tail_first = (uint32_t)(job->tree.count[0] / GROUP * GROUP);
    args->tail_high = job->tree.tail;
    args->tail_low = job->tree.tail + GROUP;
    for (int32_t k = 0; k < job->tree.levels; k++) {
      args->levels[k] = (fmlp_gpu_barrier_level){.high = job->tree.high[k], .low = job->tree.low[k]};
    }
    return fmlp_gpu_launch(device, FMLP_GPU_barrier_search, (count + threads - 1) / threads, threads, 0, args,
                           error);
  }
  fmlp_gpu_barrier_resolve_args *args = &job->args.resolve;
  const int32_t events_a_block = threads / FMLP_GPU_BARRIER_LANES;
  args->events = count;
  args->price = (const int32_t *)(void *)job->source[0].at;
  args->first_tick = source.first;
  args->tick_first = at(job, 0);
  args->tick_last = at(job, 1);
  args->upper = at(job, 2);
  args->lower = at(job, 3);
  args->outcome = at(job, 4);
  args->exit_tick = at(job, 5);
  return fmlp_gpu_launch(device, FMLP_GPU_barrier_resolve, (count + events_a_block - 1) / events_a_block,
                         threads, 0, args, error);
}

static fmlp_status run_events(fmlp_device *device, work *job, range source, range events, fmlp_error *error) {
  const int64_t count = events.last - events.first;
  FMLP_TRY(arrays_copy(device, job->event, job->event_arrays, events.first, count, false, error));
  FMLP_TRY(launch(device, job, source, count, error));
  return arrays_copy(device, job->event, job->event_arrays, events.first, count, true, error);
}

/* Room for the source and `count` events, whose places are set; the source uploaded and its pyramid built. */
static fmlp_status prepare(fmlp_device *device, work *job, range source, range events, char **event_memory,
                           bool *fits, fmlp_error *error) {
  const int64_t count = events.last - events.first;
  const size_t source_bytes = source_place(job, source, NULL);
  const size_t bytes = source_bytes + arrays_place(job->event, job->event_arrays, events.first, count, NULL);
  void *memory = NULL;
  fmlp_gpu_result result = bytes > 0 ? fmlp_gpu_workspace(device, bytes, &memory) : FMLP_GPU_OK;
  *fits = result != FMLP_GPU_OUT_OF_MEMORY;
  if (!*fits) return FMLP_OK;
  FMLP_TRY(fmlp_gpu_check(device, result, job->name, error));
  (void)source_place(job, source, memory);
  *event_memory = memory ? (char *)memory + source_bytes : NULL;
  FMLP_TRY(arrays_copy(device, job->source, job->source_arrays, source.first, source.last - source.first,
                       false, error));
  return job->searches ? pyramid_build(device, &job->tree, error) : FMLP_OK;
}

static bool any_spilled(const array *arrays, int32_t count) {
  bool any = false;
  for (int32_t a = 0; a < count; a++) any |= arrays[a].buffer->spilled;
  return any;
}

static fmlp_status run(fmlp_device *device, work *job, fmlp_error *error) {
  const bool source_spilled = any_spilled(job->source, job->source_arrays);
  const int64_t forced = device->tuning.chunk;
  bool whole = forced <= 0, ready = false;
  int64_t chunk = job->event_count;
  if (any_spilled(job->event, job->event_arrays) && chunk > SPILLED_EVENTS) chunk = SPILLED_EVENTS;
  if (forced > 0 && chunk > forced) chunk = forced;
  char *event_memory = NULL;
  range source = {0, job->source_count};
  for (int64_t first = 0; first < job->event_count;) {
    const int64_t last = job->event_count - first < chunk ? job->event_count : first + chunk;
    FMLP_TRY(fmlp_check_interrupt(job->name, error));
    if (!ready) {
      if (!whole || source_spilled) {
        FMLP_TRY(source_range(device, job, first, whole ? job->event_count : last, &source, error));
      }
      bool fits = true;
      FMLP_TRY(prepare(device, job, source, (range){first, last}, &event_memory, &fits, error));
      if (!fits && !whole && last - first == 1) {
        return fmlp_fail(error, FMLP_ERR_DEVICE,
                         "%s: %s: the %lld %s of one event do not fit into device memory; use "
                         "runtime.device=cpu",
                         device->runtime->name, job->name, (long long)(source.last - source.first),
                         job->items);
      }
      if (!fits && whole && last - first <= FEWEST_BESIDE_WHOLE) {
        whole = false;
      } else if (!fits) {
        chunk = (last - first + 1) / 2;
      }
      if (!fits) continue;
      ready = whole;
    }
    (void)arrays_place(job->event, job->event_arrays, first, last - first, event_memory);
    FMLP_TRY(run_events(device, job, source, (range){first, last}, error));
    first = last;
  }
  return FMLP_OK;
}

#ifndef NDEBUG
/* The contract of every event, whatever the path taken. */
static fmlp_status check_events(fmlp_device *device, const work *job, fmlp_error *error) {
  range unused;
  return source_range(device, job, 0, job->event_count, &unused, error);
}
#endif

/* ---- the operations ---- */

static array input(const fmlp_buffer *buffer, size_t size) {
  return (array){.buffer = buffer, .size = size, .read = true};
}

static array output(const fmlp_buffer *buffer, size_t size) {
  return (array){.buffer = buffer, .size = size, .written = true};
}

static uint32_t byte_of(int outcome, int place) {
  return (uint32_t)(uint8_t)(int8_t)outcome << (8 * place);
}

fmlp_status fmlp_gpu_barrier_search(fmlp_device *device, const fmlp_barrier_search *job, fmlp_error *error) {
  FMLP_SPAN_BYTES("barrier_search", 8 * job->bars + 21 * job->events); /* as the reference counts */
  assert((job->side == 1 || job->side == -1) && job->bars <= INT32_MAX);
  if (job->events == 0) return FMLP_OK;
  const int both = job->tie == FMLP_TIE_TICKS      ? FMLP_OUTCOME_TIE
                   : job->tie == FMLP_TIE_SL_FIRST ? FMLP_OUTCOME_STOP
                                                   : FMLP_OUTCOME_TARGET;
  work search;
  memset(&search, 0, sizeof search);
  search.name = "labels";
  search.items = "bars";
  search.source_count = job->bars;
  search.event_count = job->events;
  search.inclusive = true;
  search.searches = true;
  search.source_arrays = 2;
  search.source[0] = input(job->high, sizeof(int32_t));
  search.source[1] = input(job->low, sizeof(int32_t));
  search.event_arrays = 6;
  search.event[0] = input(job->start_bar, sizeof(int32_t));
  search.event[1] = input(job->last_bar, sizeof(int32_t));
  search.event[2] = input(job->side > 0 ? job->target : job->stop, sizeof(int32_t));
  search.event[3] = input(job->side > 0 ? job->stop : job->target, sizeof(int32_t));
  search.event[4] = output(job->outcome, sizeof(int8_t));
  search.event[5] = output(job->exit_bar, sizeof(int32_t));
  search.args.search.outcomes =
      byte_of(FMLP_OUTCOME_TIME, 0) | byte_of(-job->side, 1) | byte_of(job->side, 2) | byte_of(both, 3);
#ifndef NDEBUG
  FMLP_TRY(check_events(device, &search, error));
#endif
  return run(device, &search, error);
}

fmlp_status fmlp_gpu_barrier_resolve(fmlp_device *device, const fmlp_barrier_resolve *job,
                                     fmlp_error *error) {
  FMLP_SPAN_BYTES("barrier_resolve", 4 * job->ticks + 34 * job->events);
  assert(job->side == 1 || job->side == -1);
  if (job->events == 0) return FMLP_OK;
  work resolve;
  memset(&resolve, 0, sizeof resolve);
  resolve.name = "the ticks of labels";
  resolve.items = "ticks";
  resolve.source_count = job->ticks;
  resolve.event_count = job->events;
  resolve.source_arrays = 1;
  resolve.source[0] = input(job->price, sizeof(int32_t));
  resolve.event_arrays = 6;
  resolve.event[0] = input(job->tick_first, sizeof(int64_t));
  resolve.event[1] = input(job->tick_last, sizeof(int64_t));
  resolve.event[2] = input(job->side > 0 ? job->target : job->stop, sizeof(int32_t));
  resolve.event[3] = input(job->side > 0 ? job->stop : job->target, sizeof(int32_t));
  resolve.event[4] = input(job->outcome, sizeof(int8_t));
  resolve.event[4].written = true;
  resolve.event[5] = output(job->exit_tick, sizeof(int64_t));
  resolve.args.resolve.side = job->side;
#ifndef NDEBUG
  FMLP_TRY(check_events(device, &resolve, error));
#endif
  return run(device, &resolve, error);
}
