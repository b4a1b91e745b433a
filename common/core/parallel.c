/* The one OpenMP loop of the program. */
#define _GNU_SOURCE
#include "common/core/parallel.h"

#include <assert.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "common/core/interrupt.h"

static int requested_threads;

void fmlp_threads_set(int threads) {
  assert(threads >= 0);
  requested_threads = threads;
}

int fmlp_threads(void) {
  if (requested_threads > 0) return requested_threads;
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  int count = CPU_COUNT(&allowed);
  return count > 0 ? count : 1;
}

typedef struct loop {
  int64_t count, grain;
  fmlp_chunk_function function;
  void *context;
  const char *what;
  atomic_int stop;
} loop;

typedef struct outcome {
  fmlp_status status;
  int64_t chunk;
  fmlp_error error;
} outcome;

static void run_chunk(loop *work, int64_t chunk, int worker, outcome *first_failure) {
  if (atomic_load_explicit(&work->stop, memory_order_relaxed)) return;
  outcome now = {.status = FMLP_OK, .chunk = chunk, .error = {""}};
  now.status = fmlp_check_interrupt(work->what, &now.error);
  if (now.status == FMLP_OK) {
    int64_t first = chunk * work->grain;
    int64_t last = first + work->grain < work->count ? first + work->grain : work->count;
    now.status = work->function(work->context, first, last, worker, &now.error);
  }
  if (now.status == FMLP_OK) return;
  atomic_store(&work->stop, 1);
#ifdef _OPENMP
#pragma omp critical(fmlp_parallel_outcome)
#endif
  {
    if (first_failure->status == FMLP_OK || chunk < first_failure->chunk) *first_failure = now;
  }
}

fmlp_status fmlp_parallel_for(int64_t count, int64_t grain, fmlp_chunk_function function, void *context,
                              const char *what, fmlp_error *error) {
  assert(grain > 0 && count >= 0);
  loop work = {.count = count, .grain = grain, .function = function, .context = context, .what = what};
  atomic_init(&work.stop, 0);
  outcome failure = {.status = FMLP_OK, .chunk = 0, .error = {""}};
  int64_t chunks = (count + grain - 1) / grain;
#ifdef _OPENMP
  int threads = fmlp_threads();
  if (chunks < threads) threads = chunks > 0 ? (int)chunks : 1;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) if (threads > 1)
  for (int64_t chunk = 0; chunk < chunks; chunk++) run_chunk(&work, chunk, omp_get_thread_num(), &failure);
#else
  for (int64_t chunk = 0; chunk < chunks; chunk++) run_chunk(&work, chunk, 0, &failure);
#endif
  if (failure.status != FMLP_OK && error) *error = failure.error;
  return failure.status;
}
