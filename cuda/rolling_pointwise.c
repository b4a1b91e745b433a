/* Launches of rolling_pointwise.cuh: one kernel a target. */
#include "cuda/rolling_pointwise.h"

enum { THREADS = 256, ROWS_A_THREAD = 4 };

size_t fmlp_gpu_rolling_pointwise_scratch(const fmlp_device *device, const fmlp_gpu_rolling_job *job) {
  (void)device;
  (void)job;
  return 0;
}

fmlp_status fmlp_gpu_rolling_pointwise(fmlp_device *device, const fmlp_gpu_rolling_job *job,
                                       fmlp_error *error) {
  const int32_t threads = fmlp_gpu_threads(device, THREADS);
  const int64_t rows_a_block = (int64_t)threads * ROWS_A_THREAD;
  const int64_t blocks = (job->last - job->first + rows_a_block - 1) / rows_a_block;
  for (int32_t i = 0; i < job->target_count; i++) {
    fmlp_gpu_rolling_pointwise_args args = {
        .first = job->first, .last = job->last, .a = job->a, .b = job->b, .target = job->targets[i]};
    FMLP_TRY(fmlp_gpu_launch(device, FMLP_GPU_rolling_pointwise, blocks, threads, 0, &args, error));
  }
  return FMLP_OK;
}
