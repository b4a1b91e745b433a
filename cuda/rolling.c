/* How a plan runs on the device. */
#include "cuda/rolling_kernels.h"

#include "common/core/memory.h"

static fmlp_status run_node(fmlp_device *device, const fmlp_rolling_node *node, fmlp_gpu_rolling_job *job,
                            fmlp_error *error) {
  switch (node->op) {
  case FMLP_OP_SUM:
  case FMLP_OP_MEAN:
  case FMLP_OP_STD:
  case FMLP_OP_VAR:
  case FMLP_OP_ZSCORE:
  case FMLP_OP_SKEW:
  case FMLP_OP_KURT:
  case FMLP_OP_SLOPE:
  case FMLP_OP_R2:
    return fmlp_gpu_rolling_moments(device, job, error);
  case FMLP_OP_MIN:
  case FMLP_OP_MAX:
  case FMLP_OP_RANGE:
  case FMLP_OP_ARGMIN:
  case FMLP_OP_ARGMAX:
    return fmlp_gpu_rolling_extremes(device, job, error);
  case FMLP_OP_MEDIAN:
  case FMLP_OP_QUANTILE:
  case FMLP_OP_RANK:
    return fmlp_gpu_rolling_order(device, job, error);
  case FMLP_OP_COV:
  case FMLP_OP_CORR:
  case FMLP_OP_BETA:
  case FMLP_OP_AUTOCORR:
    return fmlp_gpu_rolling_pairs(device, job, error);
  case FMLP_OP_EMA:
  case FMLP_OP_EWM_STD:
    return fmlp_gpu_rolling_ema(device, job, error);
  case FMLP_OP_FRACDIFF:
    return fmlp_gpu_rolling_fracdiff(device, job, error);
  default:
    return fmlp_gpu_rolling_pointwise(device, job, error);
  }
}

/* One node after the other over whole columns, every column and scratch a part of the workspace. Only for
 * columns in device memory. */
fmlp_status fmlp_gpu_rolling(fmlp_device *device, const fmlp_rolling_plan *plan, int64_t rows,
                             const fmlp_buffer *const *inputs, fmlp_buffer *const *outputs,
                             fmlp_error *error) {
  if (rows == 0 || plan->node_count == 0) return FMLP_OK;
  const size_t column = (size_t)(rows + 31) / 32 * 32 * sizeof(double);
  const size_t weights = 1 << 20, scratch = 64 << 20;
  void *memory = NULL;
  const size_t bytes = column * (size_t)plan->node_count + weights + FMLP_GPU_RECURSIVE_STATE + scratch;
  FMLP_TRY(fmlp_gpu_check(device, fmlp_gpu_workspace(device, bytes, &memory), "features", error));
  char *next = (char *)memory + column * (size_t)plan->node_count;
  double host_weights[4096];
  for (int32_t n = 0; n < plan->node_count; n++) {
    const fmlp_rolling_node *node = &plan->nodes[n];
    const int32_t operand[2] = {node->a, node->b};
    fmlp_gpu_column columns[2] = {{NULL, 0}, {NULL, 0}};
    for (int i = 0; i < 2; i++) {
      if (operand[i] < 0) continue;
      columns[i].values = operand[i] < plan->input_count
                              ? inputs[operand[i]]->data
                              : (void *)((char *)memory + column * (size_t)(operand[i] - plan->input_count));
    }
    fmlp_gpu_target target = {.values = (double *)(void *)((char *)memory + column * (size_t)n),
                              .window = node->window,
                              .parameter = node->parameter,
                              .op = (int32_t)node->op};
    fmlp_gpu_rolling_job job = {
        .last = rows, .a = columns[0], .b = columns[1], .target_count = 1, .targets = &target};
    job.weights = (const double *)(void *)next;
    job.state = next + weights;
    job.scratch = next + weights + FMLP_GPU_RECURSIVE_STATE;
    if (node->op == FMLP_OP_AUTOCORR) {
      job.origin = node->lag;
      job.b = job.a;
      job.b.first += node->lag;
    }
    if (node->op == FMLP_OP_FRACDIFF) {
      job.weight_count = fmlp_fracdiff_length(node->parameter, node->threshold, 4096);
      host_weights[0] = 1.0;
      for (int64_t k = 1; k < job.weight_count; k++)
        host_weights[k] = fmlp_fracdiff_weight(host_weights[k - 1], node->parameter, k);
      FMLP_TRY(
          fmlp_gpu_to_device(device, next, host_weights, (size_t)job.weight_count * sizeof(double), error));
    }
    FMLP_TRY(fmlp_gpu_check(
        device,
        device->runtime->fill(device->gpu, FMLP_GPU_COMPUTE, next + weights, 0, FMLP_GPU_RECURSIVE_STATE),
        "features", error));
    FMLP_TRY(run_node(device, node, &job, error));
    if (node->output < 0) continue;
    FMLP_TRY(fmlp_gpu_check(device,
                            device->runtime->copy(device->gpu, FMLP_GPU_COMPUTE, outputs[node->output]->data,
                                                  target.values, (size_t)rows * sizeof(double)),
                            "features", error));
  }
  return FMLP_OK;
}
