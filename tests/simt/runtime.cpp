/* cuda/runtime.h on the host: device memory is poisoned host memory, a launch is done when it returns. */
#include "tests/simt/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/simt/kernels.h"

namespace {

const unsigned char fresh = 0xa5;

struct block {
  void *memory;
  size_t bytes;
  block *next;
};

fmlp_simt_setup setup;

} // namespace

struct fmlp_gpu {
  fmlp_simt_setup setup;
  int64_t used;
  uint64_t launches;
  block *blocks;
  timespec reached[FMLP_GPU_MARKS];
  char error[512];
};

namespace {

int simt_available(int32_t ordinal, char *reason, size_t capacity) {
  if (ordinal != 0) {
    (void)snprintf(reason, capacity, "there is one simt device, number 0");
    return 0;
  }
  (void)snprintf(reason, capacity, "the kernels of cuda/ on the host, one fiber a thread (for tests)");
  return 1;
}

fmlp_status simt_open(int32_t ordinal, fmlp_gpu **gpu, fmlp_gpu_limits *limits, fmlp_error *error) {
  *gpu = NULL;
  if (ordinal != 0)
    return fmlp_fail(error, FMLP_ERR_DEVICE, "simt:%d: there is one simt device, number 0", ordinal);
  fmlp_gpu *opened = (fmlp_gpu *)calloc(1, sizeof *opened);
  if (!opened) return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory for the simt device");
  opened->setup = setup;
  if (opened->setup.memory == 0) opened->setup.memory = (int64_t)4 << 30;
  if (opened->setup.shared_per_block == 0) opened->setup.shared_per_block = 99 << 10;
  if (opened->setup.threads_per_block == 0) opened->setup.threads_per_block = 1024;
  memset(limits, 0, sizeof *limits);
  (void)snprintf(limits->name, sizeof limits->name, "simt");
  limits->total_memory = opened->setup.memory;
  limits->multiprocessors = 4;
  limits->threads_per_block = opened->setup.threads_per_block;
  limits->shared_per_block = opened->setup.shared_per_block;
  limits->shared_per_multiprocessor = opened->setup.shared_per_block + 1024;
  limits->second_level_cache = 1 << 20;
  *gpu = opened;
  return FMLP_OK;
}

void simt_release(fmlp_gpu *gpu, void *memory) {
  for (block **at = &gpu->blocks; memory && *at; at = &(*at)->next) {
    if ((*at)->memory != memory) continue;
    block *gone = *at;
    *at = gone->next;
    gpu->used -= (int64_t)gone->bytes;
    free(gone->memory);
    free(gone);
    return;
  }
}

void simt_close(fmlp_gpu *gpu) {
  if (!gpu) return;
  while (gpu->blocks) simt_release(gpu, gpu->blocks->memory);
  free(gpu);
}

fmlp_gpu_result simt_allocate(fmlp_gpu *gpu, size_t bytes, void **memory) {
  *memory = NULL;
  if (bytes > (size_t)(gpu->setup.memory - gpu->used)) return FMLP_GPU_OUT_OF_MEMORY;
  block *made = (block *)malloc(sizeof *made);
  void *data = malloc(bytes);
  if (!made || !data) {
    free(made);
    free(data);
    return FMLP_GPU_OUT_OF_MEMORY;
  }
  memset(data, fresh, bytes);
  *made = {data, bytes, gpu->blocks};
  gpu->blocks = made;
  gpu->used += (int64_t)bytes;
  *memory = data;
  return FMLP_GPU_OK;
}

int64_t simt_free_memory(fmlp_gpu *gpu) {
  return gpu->setup.memory - gpu->used;
}

fmlp_gpu_result simt_allocate_pinned(fmlp_gpu *, size_t bytes, void **memory) {
  *memory = malloc(bytes);
  return *memory ? FMLP_GPU_OK : FMLP_GPU_OUT_OF_MEMORY;
}

void simt_release_pinned(fmlp_gpu *, void *memory) {
  free(memory);
}

fmlp_gpu_result simt_copy(fmlp_gpu *, fmlp_gpu_stream, void *to, const void *from, size_t bytes) {
  memcpy(to, from, bytes);
  return FMLP_GPU_OK;
}

fmlp_gpu_result simt_fill(fmlp_gpu *, fmlp_gpu_stream, void *to, int byte, size_t bytes) {
  memset(to, byte, bytes);
  return FMLP_GPU_OK;
}

fmlp_gpu_result simt_launch(fmlp_gpu *gpu, fmlp_gpu_kernel kernel, int64_t blocks, int32_t threads,
                            size_t shared, const void *args) {
  const char *found = fmlp_simt_launch(fmlp_gpu_kernel_names[kernel], fmlp_simt_entries[kernel].run, args,
                                       blocks, threads, (int64_t)shared, gpu->setup.seed + gpu->launches++);
  if (!*found) return FMLP_GPU_OK;
  (void)snprintf(gpu->error, sizeof gpu->error, "%s", found);
  return FMLP_GPU_FAILED;
}

fmlp_gpu_result simt_order(fmlp_gpu *, fmlp_gpu_stream, fmlp_gpu_stream) {
  return FMLP_GPU_OK;
}

fmlp_gpu_result simt_mark(fmlp_gpu *gpu, fmlp_gpu_stream, int32_t slot) {
  (void)clock_gettime(CLOCK_MONOTONIC, &gpu->reached[slot]);
  return FMLP_GPU_OK;
}

fmlp_gpu_result simt_elapsed(fmlp_gpu *gpu, int32_t from, int32_t to, double *seconds) {
  const timespec &a = gpu->reached[from], &b = gpu->reached[to];
  *seconds = (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec);
  return FMLP_GPU_OK;
}

fmlp_gpu_result simt_wait_mark(fmlp_gpu *, int32_t) {
  return FMLP_GPU_OK;
}

fmlp_gpu_result simt_sync(fmlp_gpu *) {
  return FMLP_GPU_OK;
}

const char *simt_last_error(fmlp_gpu *gpu) {
  return gpu->error;
}

} // namespace

void fmlp_simt_configure(const fmlp_simt_setup *next) {
  setup = *next;
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
