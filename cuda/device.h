/* What the host files of cuda/ share: the device, its buffers, and launching. The backends `cuda` and, in
 * test builds, `simt` are this code over two runtimes (cuda/runtime.h). */
#ifndef FMLP_CUDA_DEVICE_H
#define FMLP_CUDA_DEVICE_H

#include <stdbool.h>

#include "common/contracts/backend.h"
#include "cuda/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* In device memory, or, where there was no room, in host memory ("spilled"): operations on spilled buffers
 * run chunk by chunk. */
struct fmlp_buffer {
  size_t bytes;
  void *data; /* a device address, or a host address when spilled; NULL for 0 bytes */
  bool spilled;
};

/* What tests vary and users need not know; 0 lets the code choose. */
typedef struct fmlp_gpu_tuning {
  int32_t threads; /* of a block, in every launch that allows it: 32, 64, ... 1024 */
  int64_t chunk;   /* rows, events or paths taken at a time; also where everything would fit */
  int64_t memory;  /* bytes of device memory to use at most */
  bool spill;      /* every new buffer is spilled */
} fmlp_gpu_tuning;

/* Bytes of shared memory that take<T>(count) of a kernel uses (cuda/kernel.h). */
#define FMLP_SHARED_SIZE(type, count) (((size_t)(count) * sizeof(type) + 15) / 16 * 16)

enum {
  FMLP_GPU_STAGES = 2
}; /* pinned staging buffers of each direction: one fills while the other travels */

struct fmlp_device {
  const fmlp_gpu_runtime *runtime;
  fmlp_gpu *gpu;
  fmlp_gpu_limits limits;
  fmlp_gpu_tuning tuning;
  int64_t used;    /* bytes of device memory held by buffers and the workspace */
  void *workspace; /* scratch of the operation under way, kept for the next */
  size_t workspace_bytes;
  void *staging[2][FMLP_GPU_STAGES]; /* [0] upload, [1] download; pinned, made at first use */
  int32_t next_stage;                /* of upload */
  bool failed;                       /* after FMLP_GPU_FAILED: every further call fails at once */
};

/* Opens `ordinal` of a runtime behind the interface of contracts/backend.h; a backend's `open` is this. */
FMLP_WARN_UNUSED fmlp_status fmlp_gpu_open(const fmlp_gpu_runtime *runtime, int32_t ordinal,
                                           fmlp_device **device, fmlp_error *error);

/* The other functions of a backend, the same for every runtime; the last rows of its table. */
void fmlp_gpu_close(fmlp_device *device);
fmlp_status fmlp_gpu_buffer_create(fmlp_device *device, size_t bytes, fmlp_buffer **buffer,
                                   fmlp_error *error);
void fmlp_gpu_buffer_free(fmlp_device *device, fmlp_buffer *buffer);
fmlp_status fmlp_gpu_upload(fmlp_device *device, fmlp_buffer *to, size_t offset, const void *from,
                            size_t bytes, fmlp_error *error);
fmlp_status fmlp_gpu_download(fmlp_device *device, const fmlp_buffer *from, size_t offset, void *to,
                              size_t bytes, fmlp_error *error);
fmlp_status fmlp_gpu_sync(fmlp_device *device, fmlp_error *error);
fmlp_status fmlp_gpu_rolling(fmlp_device *device, const fmlp_rolling_plan *plan, int64_t rows,
                             const fmlp_buffer *const *inputs, fmlp_buffer *const *outputs,
                             fmlp_error *error); /* rolling.c */
fmlp_status fmlp_gpu_barrier_search(fmlp_device *device, const fmlp_barrier_search *job,
                                    fmlp_error *error); /* triple_barrier.c */
fmlp_status fmlp_gpu_barrier_resolve(fmlp_device *device, const fmlp_barrier_resolve *job, fmlp_error *error);
fmlp_status fmlp_gpu_monte_carlo(fmlp_device *device, const fmlp_monte_carlo *job,
                                 fmlp_monte_carlo_totals *totals, fmlp_error *error); /* monte_carlo.c */
#define FMLP_GPU_BACKEND_FUNCTIONS                                                                           \
  .close = fmlp_gpu_close, .buffer_create = fmlp_gpu_buffer_create, .buffer_free = fmlp_gpu_buffer_free,     \
  .upload = fmlp_gpu_upload, .download = fmlp_gpu_download, .sync = fmlp_gpu_sync,                           \
  .rolling = fmlp_gpu_rolling, .barrier_search = fmlp_gpu_barrier_search,                                    \
  .barrier_resolve = fmlp_gpu_barrier_resolve, .monte_carlo = fmlp_gpu_monte_carlo

/* Tests: how the next calls on this device divide their work. */
void fmlp_gpu_tune(fmlp_device *device, const fmlp_gpu_tuning *tuning);

/* ---- for the operations ---- */

/* OK, or FMLP_ERR_DEVICE naming `what`, with a hint; marks the device failed where it is. */
FMLP_WARN_UNUSED fmlp_status fmlp_gpu_check(fmlp_device *device, fmlp_gpu_result result, const char *what,
                                            fmlp_error *error);

/* Threads for a kernel that would like `wanted` (a multiple of 32): the tuning's choice, cut to the device.
 */
int32_t fmlp_gpu_threads(const fmlp_device *device, int32_t wanted);

/* Launches in the compute stream. `blocks` 0 does nothing. */
FMLP_WARN_UNUSED fmlp_status fmlp_gpu_launch(fmlp_device *device, fmlp_gpu_kernel kernel, int64_t blocks,
                                             int32_t threads, size_t shared, const void *args,
                                             fmlp_error *error);

/* The workspace, at least `bytes` large, contents undefined. Borrowed until the next call, which waits for
 * the work under way before it replaces it. OUT_OF_MEMORY leaves the device usable: ask for less. */
FMLP_WARN_UNUSED fmlp_gpu_result fmlp_gpu_workspace(fmlp_device *device, size_t bytes, void **memory);

/* Bytes of device memory an operation may plan with, the present workspace counted as free. */
int64_t fmlp_gpu_room(fmlp_device *device);

/* What `later` does from now on waits for what `earlier` holds now. */
FMLP_WARN_UNUSED fmlp_status fmlp_gpu_order(fmlp_device *device, fmlp_gpu_stream earlier,
                                            fmlp_gpu_stream later, fmlp_error *error);

/* A copy between ordinary host memory and device memory. */
typedef struct fmlp_gpu_transfer {
  void *to;
  const void *from;
  size_t bytes;
} fmlp_gpu_transfer;

/* Copies of any size through pinned staging, in the upload and in the download stream; how they stand to the
 * compute stream is the caller's to order. `send` returns when `from` may change, `fetch` when all is there.
 */
FMLP_WARN_UNUSED fmlp_status fmlp_gpu_send(fmlp_device *device, const fmlp_gpu_transfer *transfers,
                                           int32_t count, fmlp_error *error);
FMLP_WARN_UNUSED fmlp_status fmlp_gpu_fetch(fmlp_device *device, const fmlp_gpu_transfer *transfers,
                                            int32_t count, fmlp_error *error);

/* Copies of any size between ordinary host memory and device memory, through pinned staging. to_device is
 * ordered before later work of the compute stream; from_device after earlier work of it, and waits. */
FMLP_WARN_UNUSED fmlp_status fmlp_gpu_to_device(fmlp_device *device, void *to, const void *from, size_t bytes,
                                                fmlp_error *error);
FMLP_WARN_UNUSED fmlp_status fmlp_gpu_from_device(fmlp_device *device, void *to, const void *from,
                                                  size_t bytes, fmlp_error *error);

#ifdef __cplusplus
}
#endif
#endif
