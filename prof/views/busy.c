/* The union of intervals below every row of a tree, in one sweep over time.
 *
 * At any moment the rows that run, in preorder, are r1 < r2 < ... < rk. Those below a row v stand side by
 * side there: m of them make m - 1 pairs of neighbours whose lowest common ancestor lies in v's subtree, and
 * no other pair does. So let every running row weigh +1, and every common ancestor of two neighbours -1: the
 * weights below v add up to 1 when anything below v runs, to 0 when nothing does. The sweep adds each weight
 * once, with the time for which it held; a walk up from every interval would cost its depth instead. */
#include "prof/views/busy.h"

#include <stdlib.h>
#include <string.h>

/* Node 0 is the root, above all rows; row r is node r + 1, so that parents keep standing before children. */
typedef struct tree {
  int32_t count;
  int32_t *parent;
  int32_t *head;     /* of the heavy chain that a node is on */
  int32_t *position; /* in preorder */
} tree;

typedef struct sweep {
  tree nodes;
  int64_t *weight;  /* [nodes] ns */
  int32_t *running; /* [nodes] intervals of each that run */
  int64_t *since;   /* [nodes] when it began to run */
  int64_t *paired;  /* [nodes] when it and its neighbour to the left became neighbours */
  int32_t active_count;
  int32_t *active; /* nodes that run, in preorder */
} sweep;

static bool make_tree(tree *nodes, const int32_t *parent, int32_t row_count) {
  const int32_t count = row_count + 1;
  int32_t *block = malloc(3 * (size_t)count * sizeof *block);
  int32_t *size = malloc(2 * (size_t)count * sizeof *size);
  *nodes = (tree){count, block, block + count, block + 2 * (size_t)count};
  if (!block || !size) {
    free(size);
    return false;
  }
  int32_t *heavy = size + count;
  for (int32_t i = 0; i < count; i++) {
    nodes->parent[i] = i == 0 ? -1 : parent[i - 1] + 1;
    size[i] = 1;
    heavy[i] = -1;
  }
  for (int32_t i = count - 1; i > 0; i--) size[nodes->parent[i]] += size[i];
  for (int32_t i = 1; i < count; i++) {
    int32_t above = nodes->parent[i];
    if (heavy[above] < 0 || size[i] > size[heavy[above]]) heavy[above] = i;
  }
  nodes->position[0] = nodes->head[0] = 0;
  for (int32_t i = 1; i < count; i++) nodes->head[i] = heavy[nodes->parent[i]] == i ? -1 : i;
  int32_t *next = heavy; /* no longer needed: the next free position below each node */
  next[0] = 1;
  for (int32_t i = 1; i < count; i++) {
    int32_t above = nodes->parent[i];
    if (nodes->head[i] < 0) nodes->head[i] = nodes->head[above];
    nodes->position[i] = next[above];
    next[above] += size[i];
    next[i] = nodes->position[i] + 1;
  }
  free(size);
  return true;
}

/* The lowest node above both, or one of them. O(log n): each step leaves a heavy chain. */
static int32_t common_ancestor(const tree *nodes, int32_t a, int32_t b) {
  while (nodes->head[a] != nodes->head[b]) {
    /* The chain that begins later does not hold the ancestor: that one's head stands before all below it. */
    if (nodes->head[a] > nodes->head[b])
      a = nodes->parent[nodes->head[a]];
    else
      b = nodes->parent[nodes->head[b]];
  }
  return a < b ? a : b;
}

/* Where `node` stands, or would stand, among the active ones. */
static int32_t find_active(const sweep *at, int32_t node) {
  int32_t first = 0, last = at->active_count;
  while (first < last) {
    int32_t middle = first + (last - first) / 2;
    if (at->nodes.position[at->active[middle]] < at->nodes.position[node])
      first = middle + 1;
    else
      last = middle;
  }
  return first;
}

/* The two stop being neighbours. */
static void part(sweep *at, int32_t left, int32_t right, int64_t now) {
  at->weight[common_ancestor(&at->nodes, left, right)] -= now - at->paired[right];
}

static void begin(sweep *at, int32_t node, int64_t now) {
  if (at->running[node]++ > 0) return;
  const int32_t place = find_active(at, node), after = at->active_count - place;
  if (place > 0 && after > 0) part(at, at->active[place - 1], at->active[place], now);
  memmove(at->active + place + 1, at->active + place, (size_t)after * sizeof *at->active);
  at->active[place] = node;
  at->active_count++;
  at->since[node] = at->paired[node] = now;
  if (after > 0) at->paired[at->active[place + 1]] = now;
}

static void end(sweep *at, int32_t node, int64_t now) {
  if (--at->running[node] > 0) return;
  const int32_t place = find_active(at, node), after = at->active_count - place - 1;
  at->weight[node] += now - at->since[node];
  if (place > 0) part(at, at->active[place - 1], node, now);
  if (after > 0) {
    part(at, node, at->active[place + 1], now);
    at->paired[at->active[place + 1]] = now;
  }
  memmove(at->active + place, at->active + place + 1, (size_t)after * sizeof *at->active);
  at->active_count--;
}

static int compare_ends(const void *left, const void *right) {
  const fmlp_busy_interval *a = left, *b = right;
  return (a->end > b->end) - (a->end < b->end);
}

static bool run_sweep(sweep *at, const fmlp_busy_interval *intervals, int64_t count) {
  fmlp_busy_interval *ends = malloc(((size_t)count + 1) * sizeof *ends);
  if (!ends) return false;
  bool sorted = true;
  for (int64_t i = 0; i < count; i++) {
    ends[i] = intervals[i];
    if (i > 0 && ends[i].end < ends[i - 1].end) sorted = false;
  }
  if (!sorted) qsort(ends, (size_t)count, sizeof *ends, compare_ends);
  int64_t next = 0;
  for (int64_t done = 0; done < count; done++) {
    for (; next < count && intervals[next].start <= ends[done].end; next++)
      begin(at, intervals[next].row + 1, intervals[next].start);
    end(at, ends[done].row + 1, ends[done].end);
  }
  free(ends);
  return true;
}

bool fmlp_busy_make(const int32_t *parent, int32_t row_count, const fmlp_busy_interval *intervals,
                    int64_t count, int64_t *busy) {
  sweep at = {0};
  const size_t nodes = (size_t)row_count + 1;
  bool made = make_tree(&at.nodes, parent, row_count);
  at.weight = calloc(3 * nodes, sizeof *at.weight);
  at.running = calloc(2 * nodes, sizeof *at.running);
  made = made && at.weight && at.running;
  if (made) {
    at.since = at.weight + nodes;
    at.paired = at.since + nodes;
    at.active = at.running + nodes;
    made = run_sweep(&at, intervals, count);
  }
  for (int32_t i = row_count; made && i >= 0; i--) {
    if (i > 0) at.weight[at.nodes.parent[i]] += at.weight[i];
    busy[i > 0 ? i - 1 : row_count] = at.weight[i];
  }
  free(at.nodes.parent);
  free(at.weight);
  free(at.running);
  return made;
}
