/* Launches of rolling_ema.cuh: the passes over the super-blocks that a chunk touches. */
#include "cuda/rolling_ema.h"

enum { THREADS = 128, START_BLOCKS = 256, WARP = 32, CHAIN_ROWS = 1024 };

/* At most: the chunk may begin and end within one. */
static int64_t super_blocks(const fmlp_gpu_rolling_job *job) {
  return (job->last - job->first + FMLP_GPU_EMA_SUPER - 2) / FMLP_GPU_EMA_SUPER + 1;
}

/* Cuts `bytes` off the scratch; only measures where there is none yet. */
static void *take(char *scratch, size_t *at, size_t bytes) {
  char *taken = scratch ? scratch + *at : NULL;
  *at += (bytes + 255) / 256 * 256;
  return taken;
}

static size_t lay_out(const fmlp_gpu_rolling_job *job, fmlp_gpu_ema_args *args) {
  const size_t count = (size_t)super_blocks(job);
  size_t at = 0;
  args->tables = take(job->scratch, &at, sizeof *args->tables);
  args->last_row = take(job->scratch, &at, count * sizeof *args->last_row);
  args->fill = take(job->scratch, &at, count * sizeof *args->fill);
  args->mean = take(job->scratch, &at, count * sizeof *args->mean);
  args->variance = take(job->scratch, &at, count * sizeof *args->variance);
  args->bias = take(job->scratch, &at, count * sizeof *args->bias);
  return at;
}

size_t fmlp_gpu_rolling_ema_scratch(const fmlp_device *device, const fmlp_gpu_rolling_job *job) {
  (void)device;
  fmlp_gpu_rolling_job measured = *job;
  fmlp_gpu_ema_args args;
  measured.scratch = NULL;
  return lay_out(&measured, &args);
}

/* What fmlp_ema_load takes, and what ewm_std takes besides. */
static size_t shared_of(fmlp_operator op) {
  enum { BLOCK = FMLP_GPU_EMA_BLOCK, BLOCKS = FMLP_GPU_EMA_BLOCKS };
  size_t bytes = FMLP_SHARED_SIZE(double, BLOCKS *(BLOCK + 1)) + FMLP_SHARED_SIZE(double, BLOCK + 1) +
                 FMLP_SHARED_SIZE(double, BLOCKS + 1) + 3 * FMLP_SHARED_SIZE(double, BLOCKS) +
                 FMLP_SHARED_SIZE(unsigned, FMLP_GPU_EMA_SUPER / 32);
  if (op == FMLP_OP_EWM_STD) {
    bytes += FMLP_SHARED_SIZE(double, 2 * BLOCK) + FMLP_SHARED_SIZE(double, BLOCK + 1);
  }
  return bytes;
}

fmlp_status fmlp_gpu_rolling_ema(fmlp_device *device, const fmlp_gpu_rolling_job *job, fmlp_error *error) {
  if (job->last <= job->first) return FMLP_OK;
  const fmlp_gpu_target *target = &job->targets[0];
  const double alpha = target->parameter, beta = 1.0 - alpha;
  const bool std = target->op == FMLP_OP_EWM_STD;
  fmlp_gpu_ema_args args = {.first = job->first,
                            .last = job->last,
                            .a = job->a,
                            .target = *target,
                            .gain = alpha,
                            .decay = beta,
                            .variance_gain = alpha * beta,
                            .bias_gain = alpha * (1.0 + beta),
                            .bias_decay = beta * beta,
                            .unbias = (1.0 + beta) / (2.0 * beta),
                            .state = job->state};
  (void)lay_out(job, &args);
  const int32_t threads = fmlp_gpu_threads(device, THREADS);
  const int64_t rows = job->last - job->first, supers = super_blocks(job);
  const int64_t tiles = (rows + threads - 1) / threads, warps = threads / WARP;
  const size_t chain = FMLP_SHARED_SIZE(double, CHAIN_ROWS), plain = shared_of(FMLP_OP_EMA);
  FMLP_TRY(fmlp_gpu_launch(device, FMLP_GPU_rolling_ema_start, tiles < START_BLOCKS ? tiles : START_BLOCKS,
                           threads, 0, &args, error));
  FMLP_TRY(fmlp_gpu_launch(device, FMLP_GPU_rolling_ema_valid, (supers + warps - 1) / warps, threads, 0,
                           &args, error));
  FMLP_TRY(fmlp_gpu_launch(device, FMLP_GPU_rolling_ema_means, supers, threads, plain, &args, error));
  FMLP_TRY(fmlp_gpu_launch(device, FMLP_GPU_rolling_ema_chain, 1, threads, chain, &args, error));
  if (!std) return fmlp_gpu_launch(device, FMLP_GPU_rolling_ema, supers, threads, plain, &args, error);
  args.moment = 1;
  FMLP_TRY(fmlp_gpu_launch(device, FMLP_GPU_rolling_ema_variances, supers, threads, plain, &args, error));
  FMLP_TRY(fmlp_gpu_launch(device, FMLP_GPU_rolling_ema_chain, 1, threads, chain, &args, error));
  return fmlp_gpu_launch(device, FMLP_GPU_rolling_ewm_std, supers, threads, shared_of(FMLP_OP_EWM_STD), &args,
                         error);
}
