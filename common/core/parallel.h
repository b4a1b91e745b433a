/* Threads. Work is cut into chunks whose boundaries depend on the problem alone, never on the number of
 * threads, and a chunk's result depends on the chunk alone: equal bits at any thread count. */
#ifndef FMLP_COMMON_CORE_PARALLEL_H
#define FMLP_COMMON_CORE_PARALLEL_H

#include <stdint.h>

#include "common/core/status.h"

/* How many threads the next loops may use; 0 = all the process is allowed (affinity and cgroup limits count).
 */
void fmlp_threads_set(int threads);
int fmlp_threads(void);

/* One chunk: [first, last) of the index range. `worker` in [0, fmlp_threads()) names scratch memory.
 * Returning anything but FMLP_OK stops the loop from starting further chunks. */
typedef fmlp_status (*fmlp_chunk_function)(void *context, int64_t first, int64_t last, int worker,
                                           fmlp_error *error);

/* Calls `function` for [0, grain), [grain, 2*grain), ... up to count, in any order, dynamically scheduled.
 * Polls SIGINT between chunks (`what` names the loop in that message). Gives the error of the lowest failing
 * chunk seen. */
FMLP_WARN_UNUSED fmlp_status fmlp_parallel_for(int64_t count, int64_t grain, fmlp_chunk_function function,
                                               void *context, const char *what, fmlp_error *error);

#endif
