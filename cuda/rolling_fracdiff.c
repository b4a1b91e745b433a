/* Launches of rolling_fracdiff.cuh. */
#include "cuda/rolling_fracdiff.h"

enum { THREADS = 128, BLOCKS_A_MULTIPROCESSOR = 32, ROWS = FMLP_GPU_FRACDIFF_ROWS };

size_t fmlp_gpu_rolling_fracdiff_scratch(const fmlp_device *device, const fmlp_gpu_rolling_job *job) {
  (void)device;
  (void)job;
  return 0;
}

fmlp_status fmlp_gpu_rolling_fracdiff(fmlp_device *device, const fmlp_gpu_rolling_job *job,
                                      fmlp_error *error) {
  const int64_t lags = job->weight_count - 1;
  const int64_t tile = (lags + ROWS - 1) / ROWS * ROWS;
  const int32_t threads = fmlp_gpu_threads(device, THREADS);
  fmlp_gpu_rolling_fracdiff_args args = {
      .first = job->first,
      .last = job->last,
      .base = job->first > lags ? job->first - lags : 0,
      .x = job->a.values,
      .x_first = job->a.first,
      .out = job->targets[0].values,
      .out_first = job->targets[0].first,
      .weights = job->weights,
      .weight_count = job->weight_count,
      .tile = (int32_t)(tile < FMLP_GPU_FRACDIFF_WEIGHTS ? tile : FMLP_GPU_FRACDIFF_WEIGHTS)};
  const size_t shared = FMLP_SHARED_SIZE(double, (threads + args.tile / ROWS) * (ROWS + 1)) +
                        FMLP_SHARED_SIZE(double, args.tile);
  const int64_t rows = (int64_t)threads * ROWS, tiles = (job->last - job->first + rows - 1) / rows;
  const int64_t most = (int64_t)device->limits.multiprocessors * BLOCKS_A_MULTIPROCESSOR;
  return fmlp_gpu_launch(device, FMLP_GPU_rolling_fracdiff, tiles < most ? tiles : most, threads, shared,
                         &args, error);
}
