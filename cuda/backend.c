/* The host side of the device: opening, buffers, copies through pinned staging, the workspace, failures.
 * Written over cuda/runtime.h, so that it is the same code for a GPU and for the host's runtime of the tests.
 */
#include <string.h>

#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "cuda/device.h"

/* Buffers leave a quarter of the memory to the workspace: without one, no operation could run. */
enum { WORKSPACE_SHARE = 4 };
enum {
  STAGE_BYTES = 8 << 20,
  COPY_GRAIN = 512 << 10,
  FIRST_MARK_UPLOAD = 0,
  FIRST_MARK_DOWNLOAD = FMLP_GPU_STAGES
};

#define NAME(name) #name,
const char *const fmlp_gpu_kernel_names[FMLP_GPU_KERNEL_COUNT] = {FMLP_GPU_KERNELS(NAME)};
#undef NAME

fmlp_status fmlp_gpu_check(fmlp_device *device, fmlp_gpu_result result, const char *what, fmlp_error *error) {
  if (result == FMLP_GPU_OK) return FMLP_OK;
  if (result == FMLP_GPU_OUT_OF_MEMORY) {
    return fmlp_fail(error, FMLP_ERR_DEVICE, "%s: %s: out of device memory; use runtime.device=cpu",
                     device->runtime->name, what);
  }
  device->failed = true;
  return fmlp_fail(error, FMLP_ERR_DEVICE, "%s: %s: %s; use runtime.device=cpu", device->runtime->name, what,
                   device->runtime->last_error(device->gpu));
}

/* After a failure nothing of the device can be trusted. */
static fmlp_status usable(const fmlp_device *device, const char *what, fmlp_error *error) {
  if (!device->failed) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_DEVICE, "%s: %s: the device has failed: %s; use runtime.device=cpu",
                   device->runtime->name, what, device->runtime->last_error(device->gpu));
}

fmlp_status fmlp_gpu_open(const fmlp_gpu_runtime *runtime, int32_t ordinal, fmlp_device **device,
                          fmlp_error *error) {
  *device = NULL;
  fmlp_device *opened = NULL;
  FMLP_TRY(fmlp_alloc_zero(&opened, 1, sizeof *opened, "the device", error));
  opened->runtime = runtime;
  fmlp_status status = runtime->open(ordinal, &opened->gpu, &opened->limits, error);
  if (status != FMLP_OK) {
    fmlp_free(opened);
    return status;
  }
  *device = opened;
  return FMLP_OK;
}

void fmlp_gpu_close(fmlp_device *device) {
  if (!device) return;
  const fmlp_gpu_runtime *runtime = device->runtime;
  if (!device->failed) (void)runtime->sync(device->gpu);
  runtime->release(device->gpu, device->workspace);
  for (int way = 0; way < 2; way++) {
    for (int i = 0; i < FMLP_GPU_STAGES; i++) runtime->release_pinned(device->gpu, device->staging[way][i]);
  }
  runtime->close(device->gpu);
  fmlp_free(device);
}

void fmlp_gpu_tune(fmlp_device *device, const fmlp_gpu_tuning *tuning) {
  device->tuning = *tuning;
}

int32_t fmlp_gpu_threads(const fmlp_device *device, int32_t wanted) {
  int32_t threads = device->tuning.threads > 0 ? device->tuning.threads : wanted;
  return threads < device->limits.threads_per_block ? threads : device->limits.threads_per_block;
}

fmlp_status fmlp_gpu_launch(fmlp_device *device, fmlp_gpu_kernel kernel, int64_t blocks, int32_t threads,
                            size_t shared, const void *args, fmlp_error *error) {
  if (blocks == 0) return FMLP_OK;
  FMLP_TRY(usable(device, fmlp_gpu_kernel_names[kernel], error));
  return fmlp_gpu_check(device, device->runtime->launch(device->gpu, kernel, blocks, threads, shared, args),
                        fmlp_gpu_kernel_names[kernel], error);
}

/* ---- memory ---- */

int64_t fmlp_gpu_room(fmlp_device *device) {
  int64_t room = device->runtime->free_memory(device->gpu) + (int64_t)device->workspace_bytes;
  int64_t allowed = device->tuning.memory - (device->used - (int64_t)device->workspace_bytes);
  if (device->tuning.memory > 0 && allowed < room) room = allowed;
  return room > 0 ? room : 0;
}

static fmlp_gpu_result allocate(fmlp_device *device, size_t bytes, void **memory) {
  *memory = NULL;
  if (device->tuning.memory > 0 && (int64_t)bytes > device->tuning.memory - device->used) {
    return FMLP_GPU_OUT_OF_MEMORY;
  }
  fmlp_gpu_result result = device->runtime->allocate(device->gpu, bytes, memory);
  if (result == FMLP_GPU_OK) device->used += (int64_t)bytes;
  return result;
}

static fmlp_gpu_result drop_workspace(fmlp_device *device) {
  if (!device->workspace) return FMLP_GPU_OK;
  fmlp_gpu_result result = device->runtime->sync(device->gpu);
  device->runtime->release(device->gpu, device->workspace);
  device->used -= (int64_t)device->workspace_bytes;
  device->workspace = NULL;
  device->workspace_bytes = 0;
  return result;
}

fmlp_gpu_result fmlp_gpu_workspace(fmlp_device *device, size_t bytes, void **memory) {
  *memory = NULL;
  if (bytes > device->workspace_bytes) {
    fmlp_gpu_result result = drop_workspace(device);
    if (result == FMLP_GPU_OK) result = allocate(device, bytes, &device->workspace);
    if (result != FMLP_GPU_OK) return result;
    device->workspace_bytes = bytes;
  }
  *memory = device->workspace;
  return FMLP_GPU_OK;
}

static bool crowds_out_workspace(const fmlp_device *device, size_t bytes) {
  const int64_t all = device->tuning.memory > 0 ? device->tuning.memory : device->limits.total_memory;
  const int64_t buffers = device->used - (int64_t)device->workspace_bytes;
  return (int64_t)bytes > all - all / WORKSPACE_SHARE - buffers;
}

static fmlp_status spill(fmlp_buffer *buffer, fmlp_error *error) {
  buffer->spilled = true;
  return fmlp_alloc(&buffer->data, (int64_t)buffer->bytes, 1, "a buffer of the device", error);
}

fmlp_status fmlp_gpu_buffer_create(fmlp_device *device, size_t bytes, fmlp_buffer **buffer,
                                   fmlp_error *error) {
  *buffer = NULL;
  FMLP_TRY(usable(device, "a buffer", error));
  if (bytes > INT64_MAX) return fmlp_fail(error, FMLP_ERR_OTHER, "a buffer of %zu bytes", bytes);
  fmlp_buffer *created = NULL;
  FMLP_TRY(fmlp_alloc_zero(&created, 1, sizeof *created, "a buffer", error));
  created->bytes = bytes;
  fmlp_status status = FMLP_OK;
  if (bytes > 0 && (device->tuning.spill || crowds_out_workspace(device, bytes))) {
    status = spill(created, error);
  } else if (bytes > 0) {
    fmlp_gpu_result result = allocate(device, bytes, &created->data);
    if (result == FMLP_GPU_OUT_OF_MEMORY && device->workspace) {
      result = drop_workspace(device);
      if (result == FMLP_GPU_OK) result = allocate(device, bytes, &created->data);
    }
    status = result == FMLP_GPU_OUT_OF_MEMORY ? spill(created, error)
                                              : fmlp_gpu_check(device, result, "a buffer", error);
  }
  if (status != FMLP_OK) {
    fmlp_free(created);
    return status;
  }
  *buffer = created;
  return FMLP_OK;
}

void fmlp_gpu_buffer_free(fmlp_device *device, fmlp_buffer *buffer) {
  if (!buffer) return;
  if (buffer->spilled) {
    fmlp_free(buffer->data);
  } else if (buffer->data) {
    if (!device->failed && device->runtime->sync(device->gpu) != FMLP_GPU_OK) device->failed = true;
    device->runtime->release(device->gpu, buffer->data);
    device->used -= (int64_t)buffer->bytes;
  }
  fmlp_free(buffer);
}

/* ---- copies ---- */

static fmlp_status make_staging(fmlp_device *device, int way, fmlp_error *error) {
  for (int i = 0; i < FMLP_GPU_STAGES; i++) {
    if (device->staging[way][i]) continue;
    FMLP_TRY(fmlp_gpu_check(
        device, device->runtime->allocate_pinned(device->gpu, STAGE_BYTES, &device->staging[way][i]),
        "pinned memory for copies", error));
  }
  return FMLP_OK;
}

fmlp_status fmlp_gpu_order(fmlp_device *device, fmlp_gpu_stream earlier, fmlp_gpu_stream later,
                           fmlp_error *error) {
  FMLP_TRY(usable(device, "ordering streams", error));
  return fmlp_gpu_check(device, device->runtime->order(device->gpu, earlier, later), "ordering streams",
                        error);
}

static size_t part_of(const fmlp_gpu_transfer *transfer, size_t done) {
  return transfer->bytes - done < STAGE_BYTES ? transfer->bytes - done : STAGE_BYTES;
}

/* One thread's memcpy, into pages touched for the first time above all, is slower than the bus. */
static fmlp_status copy_range(void *context, int64_t first, int64_t last, int worker, fmlp_error *error) {
  (void)worker;
  (void)error;
  const fmlp_gpu_transfer *all = context;
  memcpy((char *)all->to + first, (const char *)all->from + first, (size_t)(last - first));
  return FMLP_OK;
}

static fmlp_status copy_on_host(void *to, const void *from, size_t bytes, fmlp_error *error) {
  fmlp_gpu_transfer all = {to, from, bytes};
  if (bytes > COPY_GRAIN) {
    return fmlp_parallel_for((int64_t)bytes, COPY_GRAIN, copy_range, &all, "copies to and from the device",
                             error);
  }
  memcpy(to, from, bytes);
  return FMLP_OK;
}

static fmlp_status send_part(fmlp_device *device, void *to, const void *from, size_t bytes,
                             fmlp_error *error) {
  const fmlp_gpu_runtime *runtime = device->runtime;
  const int32_t stage = device->next_stage;
  device->next_stage = (stage + 1) % FMLP_GPU_STAGES;
  FMLP_TRY(
      fmlp_gpu_check(device, runtime->wait_mark(device->gpu, FIRST_MARK_UPLOAD + stage), "upload", error));
  FMLP_TRY(copy_on_host(device->staging[0][stage], from, bytes, error));
  fmlp_gpu_result result = runtime->copy(device->gpu, FMLP_GPU_UPLOAD, to, device->staging[0][stage], bytes);
  if (result == FMLP_GPU_OK) {
    result = runtime->mark(device->gpu, FMLP_GPU_UPLOAD, FIRST_MARK_UPLOAD + stage);
  }
  return fmlp_gpu_check(device, result, "upload", error);
}

fmlp_status fmlp_gpu_send(fmlp_device *device, const fmlp_gpu_transfer *transfers, int32_t count,
                          fmlp_error *error) {
  FMLP_TRY(usable(device, "upload", error));
  FMLP_TRY(make_staging(device, 0, error));
  for (int32_t i = 0; i < count; i++) {
    for (size_t done = 0; done < transfers[i].bytes; done += STAGE_BYTES) {
      FMLP_TRY(send_part(device, (char *)transfers[i].to + done, (const char *)transfers[i].from + done,
                         part_of(&transfers[i], done), error));
    }
  }
  return FMLP_OK;
}

/* A part on its way: from the device into a stage, and later from there to where it belongs. */
typedef struct fetching {
  void *to;
  size_t bytes;
} fetching;

static fmlp_status fetch_begin(fmlp_device *device, const void *from, size_t bytes, int32_t stage,
                               fmlp_error *error) {
  const fmlp_gpu_runtime *runtime = device->runtime;
  fmlp_gpu_result result =
      runtime->copy(device->gpu, FMLP_GPU_DOWNLOAD, device->staging[1][stage], from, bytes);
  if (result == FMLP_GPU_OK) {
    result = runtime->mark(device->gpu, FMLP_GPU_DOWNLOAD, FIRST_MARK_DOWNLOAD + stage);
  }
  return fmlp_gpu_check(device, result, "download", error);
}

static fmlp_status fetch_end(fmlp_device *device, fetching *part, int32_t stage, fmlp_error *error) {
  if (part->bytes == 0) return FMLP_OK;
  const size_t bytes = part->bytes;
  part->bytes = 0;
  FMLP_TRY(fmlp_gpu_check(device, device->runtime->wait_mark(device->gpu, FIRST_MARK_DOWNLOAD + stage),
                          "download", error));
  return copy_on_host(part->to, device->staging[1][stage], bytes, error);
}

fmlp_status fmlp_gpu_fetch(fmlp_device *device, const fmlp_gpu_transfer *transfers, int32_t count,
                           fmlp_error *error) {
  FMLP_TRY(usable(device, "download", error));
  FMLP_TRY(make_staging(device, 1, error));
  fetching parts[FMLP_GPU_STAGES] = {{NULL, 0}};
  int32_t stage = 0;
  /* A stage is emptied when its turn comes again, so one part travels while another is copied out. */
  for (int32_t i = 0; i < count; i++) {
    for (size_t done = 0; done < transfers[i].bytes; done += STAGE_BYTES) {
      FMLP_TRY(fetch_end(device, &parts[stage], stage, error));
      parts[stage] = (fetching){(char *)transfers[i].to + done, part_of(&transfers[i], done)};
      FMLP_TRY(fetch_begin(device, (const char *)transfers[i].from + done, parts[stage].bytes, stage, error));
      stage = (stage + 1) % FMLP_GPU_STAGES;
    }
  }
  for (int i = 0; i < FMLP_GPU_STAGES; i++) {
    FMLP_TRY(fetch_end(device, &parts[stage], stage, error));
    stage = (stage + 1) % FMLP_GPU_STAGES;
  }
  return FMLP_OK;
}

fmlp_status fmlp_gpu_to_device(fmlp_device *device, void *to, const void *from, size_t bytes,
                               fmlp_error *error) {
  if (bytes == 0) return FMLP_OK;
  const fmlp_gpu_transfer transfer = {to, from, bytes};
  FMLP_TRY(fmlp_gpu_order(device, FMLP_GPU_COMPUTE, FMLP_GPU_UPLOAD, error));
  FMLP_TRY(fmlp_gpu_send(device, &transfer, 1, error));
  return fmlp_gpu_order(device, FMLP_GPU_UPLOAD, FMLP_GPU_COMPUTE, error);
}

fmlp_status fmlp_gpu_from_device(fmlp_device *device, void *to, const void *from, size_t bytes,
                                 fmlp_error *error) {
  if (bytes == 0) return FMLP_OK;
  const fmlp_gpu_transfer transfer = {to, from, bytes};
  FMLP_TRY(fmlp_gpu_order(device, FMLP_GPU_COMPUTE, FMLP_GPU_DOWNLOAD, error));
  return fmlp_gpu_fetch(device, &transfer, 1, error);
}

static bool inside(const fmlp_buffer *buffer, size_t offset, size_t bytes) {
  return offset <= buffer->bytes && bytes <= buffer->bytes - offset;
}

fmlp_status fmlp_gpu_upload(fmlp_device *device, fmlp_buffer *to, size_t offset, const void *from,
                            size_t bytes, fmlp_error *error) {
  if (!inside(to, offset, bytes)) {
    return fmlp_fail(error, FMLP_ERR_DEVICE, "upload of %zu bytes at %zu into a buffer of %zu", bytes, offset,
                     to->bytes);
  }
  if (bytes == 0) return FMLP_OK;
  if (!to->spilled) return fmlp_gpu_to_device(device, (char *)to->data + offset, from, bytes, error);
  memcpy((char *)to->data + offset, from, bytes);
  return FMLP_OK;
}

fmlp_status fmlp_gpu_download(fmlp_device *device, const fmlp_buffer *from, size_t offset, void *to,
                              size_t bytes, fmlp_error *error) {
  if (!inside(from, offset, bytes)) {
    return fmlp_fail(error, FMLP_ERR_DEVICE, "download of %zu bytes at %zu from a buffer of %zu", bytes,
                     offset, from->bytes);
  }
  if (bytes == 0) return FMLP_OK;
  if (!from->spilled)
    return fmlp_gpu_from_device(device, to, (const char *)from->data + offset, bytes, error);
  FMLP_TRY(fmlp_gpu_sync(device, error));
  memcpy(to, (const char *)from->data + offset, bytes);
  return FMLP_OK;
}

fmlp_status fmlp_gpu_sync(fmlp_device *device, fmlp_error *error) {
  FMLP_TRY(usable(device, "waiting", error));
  return fmlp_gpu_check(device, device->runtime->sync(device->gpu), "waiting", error);
}
