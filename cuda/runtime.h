/* What the host side of the twins asks of a machine with kernels: memory, copies, launches, order. Two
 * answer: the CUDA runtime (cuda/backend.cu) and the host, one fiber a thread (tests/simt/). Everything else
 * of cuda/ (plans, chunks, staging, what to do when memory runs out) is written once, in C, on top of this,
 * and so runs and is tested on either.
 *
 * Work is asynchronous in three streams; work of one stream runs in order. Calls come from one thread at a
 * time. */
#ifndef FMLP_CUDA_RUNTIME_H
#define FMLP_CUDA_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#include "common/core/status.h"
#include "cuda/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fmlp_gpu fmlp_gpu; /* opaque, each runtime has its own */

typedef enum fmlp_gpu_result {
  FMLP_GPU_OK,
  FMLP_GPU_OUT_OF_MEMORY, /* the device lives on; a smaller request may succeed */
  FMLP_GPU_FAILED         /* anything else; `last_error` tells what. The device is to be closed */
} fmlp_gpu_result;

typedef enum fmlp_gpu_stream {
  FMLP_GPU_UPLOAD,
  FMLP_GPU_COMPUTE,
  FMLP_GPU_DOWNLOAD,
  FMLP_GPU_STREAMS
} fmlp_gpu_stream;

/* Points in a stream that the host can wait for. */
enum { FMLP_GPU_MARKS = 16 };

typedef struct fmlp_gpu_limits {
  char name[96];        /* "NVIDIA H200", for reports */
  int64_t total_memory; /* bytes */
  int32_t multiprocessors;
  int32_t threads_per_block; /* at most */
  int64_t shared_per_block;  /* bytes of dynamic shared memory a launch may ask for */
  int64_t shared_per_multiprocessor;
  int64_t second_level_cache; /* bytes */
  int64_t launch_trades; /* of paths, that a launch should be kept to; 0: what a GPU does in an instant */
} fmlp_gpu_limits;

typedef struct fmlp_gpu_runtime {
  const char *name;

  /* As in contracts/backend.h: one line about the device, or why there is none. Never fails, never prints. */
  int (*available)(int32_t ordinal, char *reason, size_t capacity);
  fmlp_status (*open)(int32_t ordinal, fmlp_gpu **gpu, fmlp_gpu_limits *limits, fmlp_error *error);
  void (*close)(fmlp_gpu *gpu); /* waits; frees what is left */

  /* Device memory, aligned to 256 bytes; bytes > 0. NULL may be released. Memory is released only after the
   * work that uses it is done: sync first. */
  fmlp_gpu_result (*allocate)(fmlp_gpu *gpu, size_t bytes, void **memory);
  void (*release)(fmlp_gpu *gpu, void *memory);
  int64_t (*free_memory)(fmlp_gpu *gpu); /* bytes that allocate may still give, about */

  /* Page-locked host memory for copies. */
  fmlp_gpu_result (*allocate_pinned)(fmlp_gpu *gpu, size_t bytes, void **memory);
  void (*release_pinned)(fmlp_gpu *gpu, void *memory);

  /* Copies between pinned and device memory or within the device, asynchronous. Ranges do not overlap. */
  fmlp_gpu_result (*copy)(fmlp_gpu *gpu, fmlp_gpu_stream stream, void *to, const void *from, size_t bytes);
  /* Bytes of device memory set to `byte`. */
  fmlp_gpu_result (*fill)(fmlp_gpu *gpu, fmlp_gpu_stream stream, void *to, int byte, size_t bytes);

  /* One-dimensional launch: `blocks` in [1, 2^31 - 1], `threads` in [1, threads_per_block], `shared` bytes of
   * dynamic shared memory. `args` is the kernel's one parameter, a plain struct of at most 4000 bytes, copied
   * before the call returns. Kernels run in the compute stream. */
  fmlp_gpu_result (*launch)(fmlp_gpu *gpu, fmlp_gpu_kernel kernel, int64_t blocks, int32_t threads,
                            size_t shared, const void *args);

  /* What `later` does from now on waits for what `earlier` holds now. */
  fmlp_gpu_result (*order)(fmlp_gpu *gpu, fmlp_gpu_stream earlier, fmlp_gpu_stream later);
  /* Mark `slot` (0 .. FMLP_GPU_MARKS-1) stands behind what the stream holds now; wait_mark blocks the host
   * until it is reached (at once if it was never set). */
  fmlp_gpu_result (*mark)(fmlp_gpu *gpu, fmlp_gpu_stream stream, int32_t slot);
  fmlp_gpu_result (*wait_mark)(fmlp_gpu *gpu, int32_t slot);
  /* Seconds between two marks of one stream, both reached, by the device's own clock. */
  fmlp_gpu_result (*elapsed)(fmlp_gpu *gpu, int32_t from, int32_t to, double *seconds);
  /* Blocks the host until all streams are done; reports what failed asynchronously. */
  fmlp_gpu_result (*sync)(fmlp_gpu *gpu);

  /* One line about the last failure. */
  const char *(*last_error)(fmlp_gpu *gpu);
} fmlp_gpu_runtime;

extern const fmlp_gpu_runtime fmlp_cuda_runtime; /* where CUDA was compiled in */

#ifdef __cplusplus
}
#endif
#endif
