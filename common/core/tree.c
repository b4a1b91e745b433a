/* Fixed binary-tree sums. */
#include "common/core/tree.h"

enum { BLOCK_LEVEL = 7, BLOCK = 1 << BLOCK_LEVEL };

static double sum_block(const double *values) {
  double level[BLOCK / 2];
  for (int i = 0; i < BLOCK / 2; i++) level[i] = values[2 * i] + values[2 * i + 1];
  for (int width = BLOCK / 4; width > 0; width /= 2) {
    for (int i = 0; i < width; i++) level[i] = level[2 * i] + level[2 * i + 1];
  }
  return level[0];
}

double fmlp_tree_total(const fmlp_tree *tree) {
  /* From the lowest node upwards: a node without a right-hand neighbour passes up unchanged. */
  double sum = 0.0;
  int found = 0;
  for (int level = 0; level < FMLP_TREE_LEVELS; level++) {
    if ((tree->count >> level & 1) == 0) continue;
    sum = found ? tree->partial[level] + sum : tree->partial[level];
    found = 1;
  }
  return sum + 0.0;
}

double fmlp_tree_sum(const double *values, int64_t count) {
  fmlp_tree tree = {.count = 0};
  int64_t i = 0;
  for (; count - i >= BLOCK; i += BLOCK) fmlp_tree_push_node(&tree, BLOCK_LEVEL, sum_block(values + i));
  for (; i < count; i++) fmlp_tree_push(&tree, values[i]);
  return fmlp_tree_total(&tree);
}
