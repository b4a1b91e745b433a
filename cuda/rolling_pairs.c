/* Launches of rolling_pairs.cuh: what is particular to pairs; the rest stands in rolling_moments.c. */
#include "cuda/rolling_pairs.h"

static int32_t pairs_fields(int32_t op) {
  return op == FMLP_OP_COV ? 0 : FMLP_GPU_WITH_SQUARES;
}

static void pairs_constants(int32_t op, int64_t window, double constants[2]) {
  if (op == FMLP_OP_COV) constants[0] = 1.0 / ((double)window - 1.0);
}

static const fmlp_gpu_tree_tile tiles[] = {FMLP_GPU_PAIRS_TILES(FMLP_GPU_TREE_TILE)};

static const fmlp_gpu_tree_tall talls[] = {
    {FMLP_GPU_WITH_SQUARES, FMLP_GPU_rolling_pairs_merge, FMLP_GPU_rolling_pairs_finish}};

static const fmlp_gpu_tree_family pairs = {.operands = 2,
                                           .fields_of = pairs_fields,
                                           .constants_of = pairs_constants,
                                           .tiles = tiles,
                                           .tile_count = sizeof tiles / sizeof *tiles,
                                           .talls = talls};

size_t fmlp_gpu_rolling_pairs_scratch(const fmlp_device *device, const fmlp_gpu_rolling_job *job) {
  return fmlp_gpu_tree_scratch(device, job, &pairs);
}

fmlp_status fmlp_gpu_rolling_pairs(fmlp_device *device, const fmlp_gpu_rolling_job *job, fmlp_error *error) {
  return fmlp_gpu_tree(device, job, &pairs, error);
}
