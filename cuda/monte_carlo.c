/* Launches of monte_carlo.cuh. */
#include "cuda/device.h"

fmlp_status fmlp_gpu_monte_carlo(fmlp_device *device, const fmlp_monte_carlo *job,
                                 fmlp_monte_carlo_totals *totals, fmlp_error *error) {
  (void)job;
  (void)totals;
  return fmlp_fail(error, FMLP_ERR_DEVICE, "%s: Monte Carlo: not there yet", device->runtime->name);
}
