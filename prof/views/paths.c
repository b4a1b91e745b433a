/* Nodes of one path on several threads become one row. */
#include "prof/views/paths.h"

#include <stdlib.h>

/* Rows by (parent, site), open addressing; -1 for an empty place. */
typedef struct path_index {
  int32_t *rows;
  uint64_t mask;
} path_index;

static uint64_t mix(int32_t parent, int32_t site) {
  uint64_t bits = ((uint64_t)(uint32_t)parent << 32 | (uint32_t)site) * UINT64_C(0x9e3779b97f4a7c15);
  return bits ^ bits >> 29;
}

/* The row of a path, made when it is new. */
static int32_t row_of(fmlp_paths *paths, const path_index *index, int32_t parent, int32_t site) {
  uint64_t at = mix(parent, site) & index->mask;
  for (; index->rows[at] >= 0; at = (at + 1) & index->mask) {
    const fmlp_path *row = &paths->rows[index->rows[at]];
    if (row->parent == parent && row->site == site) return index->rows[at];
  }
  int32_t depth = parent < 0 ? 0 : paths->rows[parent].depth + 1;
  paths->rows[paths->count] = (fmlp_path){.parent = parent, .depth = depth, .site = site};
  return index->rows[at] = paths->count++;
}

static void merge(const fmlp_capture *capture, fmlp_paths *paths, const path_index *index) {
  for (int32_t i = 0; i < capture->node_count; i++) {
    const fmlp_capture_node *node = &capture->nodes[i];
    int32_t parent = node->parent < 0 ? -1 : paths->of_node[node->parent];
    int32_t number = paths->of_node[i] = row_of(paths, index, parent, node->site);
    fmlp_path *row = &paths->rows[number];
    row->threads++; /* a thread has one node a path */
    row->calls += node->calls;
    row->self += node->self;
    row->total += node->total;
    row->allocations += node->allocations;
    row->allocated_bytes += node->allocated_bytes;
    row->bytes += node->bytes;
    paths->self += node->self;
  }
  for (int64_t i = 0; i < capture->sample_count; i++) {
    const int32_t node = capture->samples[i].node;
    if (node < 0)
      paths->unattributed_samples++;
    else
      paths->rows[paths->of_node[node]].samples++;
  }
}

/* Threads share most paths: room for all nodes as rows was too much. */
static void shrink(fmlp_paths *paths) {
  fmlp_path *rows = realloc(paths->rows, ((size_t)paths->count + 1) * sizeof *rows);
  if (rows) paths->rows = rows;
}

bool fmlp_paths_make(const fmlp_capture *capture, fmlp_paths *paths) {
  *paths = (fmlp_paths){.wall = capture->stop - capture->start};
  size_t nodes = (size_t)capture->node_count, places = 16;
  while (places < 2 * nodes) places *= 2;
  path_index index = {.rows = malloc(places * sizeof *index.rows), .mask = places - 1};
  paths->rows = malloc((nodes + 1) * sizeof *paths->rows); /* pages that no row reaches cost nothing */
  paths->of_node = malloc((nodes + 1) * sizeof *paths->of_node);
  bool made = index.rows && paths->rows && paths->of_node;
  if (made) {
    for (size_t i = 0; i < places; i++) index.rows[i] = -1;
    merge(capture, paths, &index);
    shrink(paths);
    made = fmlp_paths_add_devices(capture, paths) && fmlp_paths_add_memory(capture, paths);
  }
  free(index.rows);
  if (!made) fmlp_paths_release(paths);
  return made;
}

void fmlp_paths_release(fmlp_paths *paths) {
  free(paths->rows);
  free(paths->of_node);
  *paths = (fmlp_paths){0};
}
