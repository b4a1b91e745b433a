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
    FMLP_GPU_BACKEND_FUNCTIONS,
};
