/* The unified table: a row a call path, threads merged, host and device beside each other. */
#ifndef FMLP_PROF_VIEWS_PATHS_H
#define FMLP_PROF_VIEWS_PATHS_H

#include <stdbool.h>
#include <stdint.h>

#include "prof/capture.h"

typedef struct fmlp_path {
  int32_t parent;  /* a row before this one, -1 at the top */
  int32_t depth;   /* rows above it */
  int32_t site;    /* of the capture */
  int32_t threads; /* that took this path */
  int64_t calls;
  int64_t self, total; /* ns, sums over threads */
  int64_t allocations, allocated_bytes;
  int64_t bytes; /* read and written, as its spans told */
} fmlp_path;

typedef struct fmlp_paths {
  int32_t count;
  fmlp_path *rows;  /* parents before children, else in the order of the capture's nodes */
  int32_t *of_node; /* [node_count] the row of each node of the capture */
} fmlp_paths;

/* The paths of `capture`, which must outlive them; false when memory runs out (they are then empty). Linear
 * in the nodes. */
bool fmlp_paths_make(const fmlp_capture *capture, fmlp_paths *paths);
void fmlp_paths_release(fmlp_paths *paths);

#endif
