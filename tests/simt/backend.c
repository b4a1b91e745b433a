/* The test backend `simt`: the code of cuda/ over the host's runtime. */
#include "tests/simt/runtime.h"

#include "cuda/device.h"

static int simt_available(int32_t ordinal, char *reason, size_t capacity) {
  return fmlp_simt_runtime.available(ordinal, reason, capacity);
}

static fmlp_status simt_open(int32_t ordinal, fmlp_device **device, fmlp_error *error) {
  return fmlp_gpu_open(&fmlp_simt_runtime, ordinal, device, error);
}

const fmlp_backend fmlp_simt_backend = {
    .name = "simt",
    .available = simt_available,
    .open = simt_open,
    .close = fmlp_gpu_close,
    .buffer_create = fmlp_gpu_buffer_create,
    .buffer_free = fmlp_gpu_buffer_free,
    .upload = fmlp_gpu_upload,
    .download = fmlp_gpu_download,
    .sync = fmlp_gpu_sync,
    .rolling = fmlp_gpu_rolling,
    .barrier_search = fmlp_gpu_barrier_search,
    .barrier_resolve = fmlp_gpu_barrier_resolve,
    .monte_carlo = fmlp_gpu_monte_carlo,
};
