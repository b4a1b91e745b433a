/* The unified table: a row a call path, threads merged, host and devices beside each other. */
#ifndef FMLP_PROF_VIEWS_PATHS_H
#define FMLP_PROF_VIEWS_PATHS_H

#include <stdbool.h>
#include <stdint.h>

#include "prof/capture.h"

/* What devices did for a path, and the host about it. Times in ns, sizes in bytes. */
typedef struct fmlp_path_device {
  int64_t operations, kernels;
  int64_t sum, kernel_sum; /* of the operations one by one */
  int64_t busy; /* while at least one ran, on any device: never more than the capture lasted, because what
                   lies outside of it is left out here (and in no other column) */
  int64_t first_start, last_end; /* of all of them, when there are any */
  int64_t launches;              /* calls that are known to have launched something */
  int64_t delay;                 /* from their start to that of the first thing each launched, 0 at least */
  int64_t runtime; /* of the host in calls of the runtime (of the driver, where there are no others) */
  int64_t waited;  /* of the host waiting for a device */
  int64_t uploaded, downloaded, copied, filled;
  int64_t upload_sum, download_sum, copy_sum; /* what that took: rates are of these */
} fmlp_path_device;

typedef struct fmlp_path {
  int32_t parent;  /* a row before this one, -1 at the top */
  int32_t depth;   /* rows above it */
  int32_t site;    /* of the capture */
  int32_t threads; /* that took this path */
  int64_t calls;
  int64_t self, total; /* ns, sums over threads */
  int64_t allocations, allocated_bytes;
  int64_t bytes;                      /* read and written, as its spans told */
  int64_t samples;                    /* of the sampler, in it and not below */
  int64_t peak_resident, peak_device; /* the most bytes of the process, of a device while it was open, as far
                                         as single spans were kept; 0 unknown */
  fmlp_path_device own;               /* launched in it */
  fmlp_path_device all;               /* launched in it and below */
} fmlp_path;

typedef struct fmlp_paths {
  int32_t count;
  fmlp_path *rows;               /* parents before children, else in the order of the capture's nodes */
  int32_t *of_node;              /* [node_count] the row of each node of the capture */
  int64_t self;                  /* ns, sum over rows and threads: what shares are of */
  int64_t wall;                  /* ns, length of the capture */
  fmlp_path_device unattributed; /* of no known path */
  fmlp_path_device everything;
  int64_t unattributed_samples; /* outside any span */
} fmlp_paths;

/* The paths of `capture`, which must outlive them; false when memory runs out (they are then empty). Linear
 * in what the capture holds, but for sorting the ends of operations. */
bool fmlp_paths_make(const fmlp_capture *capture, fmlp_paths *paths);
void fmlp_paths_release(fmlp_paths *paths);

/* For fmlp_paths_make: adds to rows that are merged already. False when memory runs out. */
bool fmlp_paths_add_devices(const fmlp_capture *capture, fmlp_paths *paths);
bool fmlp_paths_add_memory(const fmlp_capture *capture, fmlp_paths *paths);

#endif
