/* Launches of triple_barrier.cuh. */
#include "cuda/device.h"

fmlp_status fmlp_gpu_barrier_search(fmlp_device *device, const fmlp_barrier_search *job, fmlp_error *error) {
  (void)job;
  return fmlp_fail(error, FMLP_ERR_DEVICE, "%s: labels: not there yet", device->runtime->name);
}

fmlp_status fmlp_gpu_barrier_resolve(fmlp_device *device, const fmlp_barrier_resolve *job,
                                     fmlp_error *error) {
  (void)job;
  return fmlp_fail(error, FMLP_ERR_DEVICE, "%s: labels: not there yet", device->runtime->name);
}
