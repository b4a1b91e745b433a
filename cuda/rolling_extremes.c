/* Launches of rolling_extremes.cuh. */
#include "cuda/rolling_kernels.h"

size_t fmlp_gpu_rolling_extremes_scratch(const fmlp_device *device, const fmlp_gpu_rolling_job *job) {
  (void)device;
  (void)job;
  return 0;
}

fmlp_status fmlp_gpu_rolling_extremes(fmlp_device *device, const fmlp_gpu_rolling_job *job,
                                      fmlp_error *error) {
  (void)job;
  return fmlp_fail(error, FMLP_ERR_DEVICE, "%s: extremes: not there yet", device->runtime->name);
}
