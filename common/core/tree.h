/* Sums of many doubles with one fixed shape, whoever computes them and however the work is cut.
 *
 * The shape: pad x[0..n) with +0.0 to 2^k elements; level 0 is x, level j+1 holds s[i] = s_j[2i] + s_j[2i+1],
 * and the sum is the only element of level k, plus 0.0 (so that it is never -0). Adding padding changes
 * nothing, so an absent right-hand child means the left one passes up unchanged. n = 0 gives +0.0. The error
 * grows with log2 n, not n. A node whose range is aligned to its size may be computed anywhere: the sum of
 * x[j*2^k .. (j+1)*2^k) enters a streaming sum as one element of level k. */
#ifndef FMLP_COMMON_CORE_TREE_H
#define FMLP_COMMON_CORE_TREE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { FMLP_TREE_LEVELS = 63 };

/* The sum of `values[0..count)` in the shape above; one pass, blocks held in the first-level cache. */
double fmlp_tree_sum(const double *values, int64_t count);

/* The same sum while the elements arrive. Zero-initialise. partial[j] is a finished node of level j where bit
 * j of count is set. */
typedef struct fmlp_tree {
  int64_t count;
  double partial[FMLP_TREE_LEVELS];
} fmlp_tree;

/* Appends a finished node of `level`, 2^level elements; count must be a multiple of 2^level. */
static inline void fmlp_tree_push_node(fmlp_tree *tree, int level, double node) {
  int64_t taken = tree->count >> level;
  tree->count += (int64_t)1 << level;
  for (; taken & 1; taken >>= 1, level++) node = tree->partial[level] + node;
  tree->partial[level] = node;
}

/* Appends one element. */
static inline void fmlp_tree_push(fmlp_tree *tree, double value) {
  fmlp_tree_push_node(tree, 0, value);
}

/* The sum of what was appended; the tree may grow further. */
double fmlp_tree_total(const fmlp_tree *tree);

#ifdef __cplusplus
}
#endif

#endif
