/* cuda/runtime.h on the host: what is asked is checked, counted, made to fail where a test says so, and put
 * in the streams. */
#include "tests/simt/runtime.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simt/kernels.h"
#include "tests/simt/settings.h"
#include "tests/simt/streams.h"

struct fmlp_gpu {
  fmlp_simt_setup setup;
  fmlp_simt_heap heap;
  fmlp_simt_streams streams;
  int64_t calls, launches, allocations, pinned;
  char error[512]; /* once there is one the device has failed */
};

namespace {

fmlp_simt_setup configured;
fmlp_simt_counters counters;
fmlp_simt_entry stand_ins[FMLP_GPU_KERNEL_COUNT];

/* ---- failures ---- */

__attribute__((format(printf, 2, 3))) fmlp_gpu_result fail(fmlp_gpu *gpu, const char *format, ...) {
  if (!gpu->error[0]) {
    va_list list;
    va_start(list, format);
    (void)vsnprintf(gpu->error, sizeof gpu->error, format, list);
    va_end(list);
  }
  fmlp_simt_streams_drop(&gpu->streams);
  return FMLP_GPU_FAILED;
}

void damaged(fmlp_gpu *gpu, const char *found) {
  if (!found) return;
  counters.damaged++;
  (void)fail(gpu, "simt: %s", found);
}

/* Every call begins so: the device may be lost, a bit of what waits may run and fail. */
bool usable(fmlp_gpu *gpu) {
  gpu->calls++;
  counters.calls++;
  if (gpu->setup.lose_device > 0 && gpu->calls >= gpu->setup.lose_device) (void)fail(gpu, "device lost");
  if (!gpu->error[0]) fmlp_simt_streams_go_on(&gpu->streams);
  return !gpu->error[0];
}

fmlp_gpu_result state(const fmlp_gpu *gpu) {
  return gpu->error[0] ? FMLP_GPU_FAILED : FMLP_GPU_OK;
}

/* ---- opening ---- */

int simt_available(int32_t ordinal, char *reason, size_t capacity) {
  fmlp_simt_setup setup = configured;
  if (ordinal != 0) {
    (void)snprintf(reason, capacity, "there is one simt device, number 0");
    return 0;
  }
  if (!fmlp_simt_settings_from_environment(&setup, reason, capacity)) return 0;
  if (setup.absent) {
    (void)snprintf(reason, capacity, "there is no simt device, as a test asked");
    return 0;
  }
  (void)snprintf(reason, capacity, "the kernels of cuda/ on the host, one fiber a thread (for tests)");
  return 1;
}

fmlp_status simt_open(int32_t ordinal, fmlp_gpu **gpu, fmlp_gpu_limits *limits, fmlp_error *error) {
  char reason[256];
  *gpu = NULL;
  if (!simt_available(ordinal, reason, sizeof reason)) {
    return fmlp_fail(error, FMLP_ERR_DEVICE, "simt:%d: %s", ordinal, reason);
  }
  fmlp_simt_setup setup = configured;
  (void)fmlp_simt_settings_from_environment(&setup, reason, sizeof reason);
  if (setup.open_fails) return fmlp_fail(error, FMLP_ERR_DEVICE, "simt: opening failed, as a test asked");
  fmlp_gpu *opened = (fmlp_gpu *)calloc(1, sizeof *opened);
  if (!opened) return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory for the simt device");
  if (setup.memory == 0) setup.memory = (int64_t)4 << 30;
  if (setup.shared_per_block == 0) setup.shared_per_block = 99 << 10;
  if (setup.threads_per_block == 0) setup.threads_per_block = 1024;
  opened->setup = setup;
  opened->streams.heap = &opened->heap;
  opened->streams.random = setup.seed * 0x9E3779B97F4A7C15ULL;
  opened->streams.checked = setup.unchecked == 0;
  opened->streams.error = opened->error;
  opened->streams.damaged = &counters.damaged;
  opened->streams.error_capacity = sizeof opened->error;
  for (fmlp_simt_mark &mark : opened->streams.marks) mark.stream = -1;
  memset(limits, 0, sizeof *limits);
  (void)snprintf(limits->name, sizeof limits->name, "simt");
  limits->total_memory = setup.memory;
  limits->multiprocessors = 4;
  limits->threads_per_block = setup.threads_per_block;
  limits->shared_per_block = setup.shared_per_block;
  limits->shared_per_multiprocessor = setup.shared_per_block + 1024;
  limits->second_level_cache = 1 << 20;
  limits->launch_trades = 1 << 22; /* 0.1 s of a processor: the host looks for interrupts between launches */
  counters.open_devices++;
  *gpu = opened;
  return FMLP_OK;
}

void simt_close(fmlp_gpu *gpu) {
  if (!gpu) return;
  if (!gpu->error[0]) fmlp_simt_streams_finish(&gpu->streams);
  fmlp_simt_streams_drop(&gpu->streams);
  counters.left_at_close += gpu->heap.count;
  for (int64_t i = 0; i < gpu->heap.count; i++) {
    if (gpu->heap.all[i].pinned) {
      counters.live_pinned--;
    } else {
      counters.live_allocations--;
      counters.live_bytes -= (int64_t)gpu->heap.all[i].bytes;
    }
  }
  const char *found = fmlp_simt_heap_close(&gpu->heap);
  if (found) {
    counters.damaged++;
    (void)fprintf(stderr, "simt: %s\n", found); /* no call is left to fail */
  }
  counters.open_devices--;
  free(gpu);
}

/* ---- memory ---- */

fmlp_gpu_result simt_allocate(fmlp_gpu *gpu, size_t bytes, void **memory) {
  *memory = NULL;
  if (!usable(gpu)) return FMLP_GPU_FAILED;
  const fmlp_simt_setup &setup = gpu->setup;
  gpu->allocations++;
  counters.allocations++;
  if (gpu->allocations == setup.fail_allocation) return FMLP_GPU_OUT_OF_MEMORY;
  if (setup.fail_allocation_from > 0 && gpu->allocations >= setup.fail_allocation_from) {
    return FMLP_GPU_OUT_OF_MEMORY;
  }
  if (bytes == 0) return fail(gpu, "simt: an allocation of 0 bytes");
  if (bytes > (size_t)(setup.memory - gpu->heap.used)) return FMLP_GPU_OUT_OF_MEMORY;
  *memory = fmlp_simt_heap_allocate(&gpu->heap, bytes, false);
  if (!*memory) return FMLP_GPU_OUT_OF_MEMORY;
  counters.live_allocations++;
  counters.live_bytes += (int64_t)bytes;
  return FMLP_GPU_OK;
}

void release(fmlp_gpu *gpu, void *memory, bool pinned) {
  if (!memory) return;
  const fmlp_simt_allocation *it = fmlp_simt_heap_find(&gpu->heap, memory, 0);
  if (!it || it->data != memory || it->pinned != pinned) {
    (void)fail(gpu, "simt: memory is released that was not allocated");
    return;
  }
  const char *user = fmlp_simt_streams_using(&gpu->streams, memory, it->bytes);
  if (user) (void)fail(gpu, "simt: memory of %zu bytes is released before %s is done", it->bytes, user);
  if (pinned) {
    counters.live_pinned--;
  } else {
    counters.live_allocations--;
    counters.live_bytes -= (int64_t)it->bytes;
  }
  damaged(gpu, fmlp_simt_heap_release(&gpu->heap, memory));
}

void simt_release(fmlp_gpu *gpu, void *memory) {
  release(gpu, memory, false);
}

int64_t simt_free_memory(fmlp_gpu *gpu) {
  return gpu->error[0] ? 0 : gpu->setup.memory - gpu->heap.used;
}

fmlp_gpu_result simt_allocate_pinned(fmlp_gpu *gpu, size_t bytes, void **memory) {
  *memory = NULL;
  if (!usable(gpu)) return FMLP_GPU_FAILED;
  counters.pinned++;
  if (++gpu->pinned == gpu->setup.fail_pinned) return FMLP_GPU_OUT_OF_MEMORY;
  *memory = fmlp_simt_heap_allocate(&gpu->heap, bytes, true);
  if (!*memory) return FMLP_GPU_OUT_OF_MEMORY;
  counters.live_pinned++;
  return FMLP_GPU_OK;
}

void simt_release_pinned(fmlp_gpu *gpu, void *memory) {
  release(gpu, memory, true);
}

/* ---- streams ---- */

fmlp_gpu_result put(fmlp_gpu *gpu, fmlp_gpu_stream stream, const fmlp_simt_task *task) {
  if (!fmlp_simt_streams_put(&gpu->streams, stream, task)) return fail(gpu, "simt: no memory for tasks");
  return state(gpu);
}

fmlp_gpu_result simt_copy(fmlp_gpu *gpu, fmlp_gpu_stream stream, void *to, const void *from, size_t bytes) {
  if (!usable(gpu)) return FMLP_GPU_FAILED;
  const fmlp_simt_allocation *there = fmlp_simt_heap_find(&gpu->heap, to, bytes);
  const fmlp_simt_allocation *here = fmlp_simt_heap_find(&gpu->heap, from, bytes);
  if (!there || !here) {
    return fail(gpu, "simt: a copy of %zu bytes %s neither device nor pinned memory", bytes,
                there ? "from what is" : "to what is");
  }
  if (there->pinned && here->pinned) return fail(gpu, "simt: a copy of %zu bytes within the host", bytes);
  if ((const char *)to < (const char *)from + bytes && (const char *)from < (const char *)to + bytes) {
    return fail(gpu, "simt: a copy of %zu bytes onto itself", bytes);
  }
  fmlp_simt_task task = {};
  task.kind = FMLP_SIMT_COPY;
  task.to = to, task.from = from, task.bytes = bytes;
  return put(gpu, stream, &task);
}

fmlp_gpu_result simt_fill(fmlp_gpu *gpu, fmlp_gpu_stream stream, void *to, int byte, size_t bytes) {
  if (!usable(gpu)) return FMLP_GPU_FAILED;
  const fmlp_simt_allocation *there = fmlp_simt_heap_find(&gpu->heap, to, bytes);
  if (!there || there->pinned)
    return fail(gpu, "simt: a fill of %zu bytes of what is no device memory", bytes);
  fmlp_simt_task task = {};
  task.kind = FMLP_SIMT_FILL;
  task.to = to, task.byte = byte, task.bytes = bytes;
  return put(gpu, stream, &task);
}

fmlp_gpu_result simt_launch(fmlp_gpu *gpu, fmlp_gpu_kernel kernel, int64_t blocks, int32_t threads,
                            size_t shared, const void *args) {
  if (!usable(gpu)) return FMLP_GPU_FAILED;
  counters.launches++;
  if (++gpu->launches == gpu->setup.fail_launch) return fail(gpu, "launch failed");
  if (kernel < 0 || kernel >= FMLP_GPU_KERNEL_COUNT)
    return fail(gpu, "simt: there is no kernel %d", (int)kernel);
  const fmlp_simt_entry entry = stand_ins[kernel].run ? stand_ins[kernel] : fmlp_simt_entries[kernel];
  const int64_t size = entry.args_size;
  if (blocks < 1 || blocks > INT32_MAX || threads < 1 || threads > gpu->setup.threads_per_block ||
      shared > (size_t)gpu->setup.shared_per_block || size > 4000) {
    return fail(gpu,
                "simt: kernel %s: %lld blocks of %d threads, %zu bytes of shared memory, %lld of arguments",
                fmlp_gpu_kernel_names[kernel], (long long)blocks, threads, shared, (long long)size);
  }
  fmlp_simt_task task = {};
  task.kind = FMLP_SIMT_LAUNCH;
  task.kernel = kernel, task.entry = entry, task.blocks = blocks, task.threads = threads,
  task.shared = shared;
  task.fails = gpu->launches == gpu->setup.fail_kernel;
  task.seed = gpu->setup.seed == 0 ? 0 : gpu->setup.seed * 1000003 + (uint64_t)gpu->launches;
  task.args = malloc((size_t)size);
  if (!task.args) return fail(gpu, "simt: no memory for tasks");
  memcpy(task.args, args, (size_t)size);
  return put(gpu, FMLP_GPU_COMPUTE, &task);
}

fmlp_gpu_result simt_order(fmlp_gpu *gpu, fmlp_gpu_stream earlier, fmlp_gpu_stream later) {
  if (!usable(gpu)) return FMLP_GPU_FAILED;
  fmlp_simt_task task = {};
  task.kind = FMLP_SIMT_WAIT;
  task.stream = earlier;
  task.position = gpu->streams.all[earlier].queued;
  return put(gpu, later, &task);
}

fmlp_gpu_result simt_mark(fmlp_gpu *gpu, fmlp_gpu_stream stream, int32_t slot) {
  if (!usable(gpu)) return FMLP_GPU_FAILED;
  fmlp_simt_mark *mark = &gpu->streams.marks[slot];
  fmlp_simt_task task = {};
  task.kind = FMLP_SIMT_MARK;
  task.slot = slot;
  task.position = ++gpu->streams.markings;
  mark->stream = stream;
  mark->number = task.position;
  mark->reached = false;
  const fmlp_gpu_result result = put(gpu, stream, &task);
  mark->position = gpu->streams.all[stream].queued;
  return result;
}

fmlp_gpu_result simt_wait_mark(fmlp_gpu *gpu, int32_t slot) {
  if (!usable(gpu)) return FMLP_GPU_FAILED;
  const fmlp_simt_mark &mark = gpu->streams.marks[slot];
  if (mark.stream >= 0) fmlp_simt_streams_need(&gpu->streams, mark.stream, mark.position);
  return state(gpu);
}

fmlp_gpu_result simt_elapsed(fmlp_gpu *gpu, int32_t from, int32_t to, double *seconds) {
  *seconds = 0.0;
  if (!usable(gpu)) return FMLP_GPU_FAILED;
  const fmlp_simt_mark &a = gpu->streams.marks[from], &b = gpu->streams.marks[to];
  if (!a.reached || !b.reached) return fail(gpu, "simt: time between marks that are not reached");
  *seconds = (double)(b.when.tv_sec - a.when.tv_sec) + 1e-9 * (double)(b.when.tv_nsec - a.when.tv_nsec);
  return FMLP_GPU_OK;
}

fmlp_gpu_result simt_sync(fmlp_gpu *gpu) {
  if (!usable(gpu)) return FMLP_GPU_FAILED;
  fmlp_simt_streams_finish(&gpu->streams);
  return state(gpu);
}

const char *simt_last_error(fmlp_gpu *gpu) {
  return gpu->error;
}

} // namespace

void fmlp_simt_configure(const fmlp_simt_setup *next) {
  configured = next ? *next : fmlp_simt_setup();
  counters.calls = counters.launches = counters.allocations = counters.pinned = 0;
}

fmlp_simt_counters fmlp_simt_count(void) {
  return counters;
}

void fmlp_simt_stand_in(fmlp_gpu_kernel kernel, void (*run)(const void *args), int64_t args_size) {
  stand_ins[kernel] = {run, args_size};
}

int64_t fmlp_simt_live_allocations(void) {
  return counters.live_allocations + counters.live_pinned;
}

const fmlp_gpu_runtime fmlp_simt_runtime = {"simt",
                                            simt_available,
                                            simt_open,
                                            simt_close,
                                            simt_allocate,
                                            simt_release,
                                            simt_free_memory,
                                            simt_allocate_pinned,
                                            simt_release_pinned,
                                            simt_copy,
                                            simt_fill,
                                            simt_launch,
                                            simt_order,
                                            simt_mark,
                                            simt_wait_mark,
                                            simt_elapsed,
                                            simt_sync,
                                            simt_last_error};
