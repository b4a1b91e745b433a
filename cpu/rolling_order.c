/* median quantile rank: order statistics of a window kept sorted. One row leaves and one enters by moving the
 * values that lie between the two places: O(log w) to find them, and a block move that runs at cache speed.
 * All targets of a job share one window. */
#include <assert.h>
#include <string.h>

#include "common/core/quantile.h"
#include "cpu/rolling_kernels.h"

/* Windows up to this many rows are rewritten in one pass: as many as a dozen wide registers hold or so. */
#if defined(__AVX512F__)
enum { SMALL = 256 };
#elif defined(__AVX2__)
enum { SMALL = 128 };
#else
enum { SMALL = 24 };
#endif

/* Number of values < x; halving without branches on the comparison. */
static int64_t count_below(const double *values, int64_t count, double x) {
  const double *base = values;
  for (int64_t left = count; left > 1;) {
    int64_t half = left / 2;
    base = base[half - 1] < x ? base + half : base;
    left -= half;
  }
  return (base - values) + (count > 0 && *base < x);
}

/* Numbers of values < x and <= x, all compared at once. */
static void scan_ranks(const double *values, int64_t count, double x, int64_t *below, int64_t *up_to) {
  int64_t less = 0, not_more = 0;
#pragma omp simd reduction(+ : less, not_more)
  for (int64_t i = 0; i < count; i++) {
    less += values[i] < x ? 1 : 0;
    not_more += values[i] <= x ? 1 : 0;
  }
  *below = less;
  *up_to = not_more;
}

/* Number of values <= x, given that `below` are < x. */
static int64_t count_up_to(const double *values, int64_t count, int64_t below, double x) {
  int64_t step = 1, low = below;
  while (low + step <= count && values[low + step - 1] <= x) {
    low += step;
    step *= 2;
  }
  for (; step > 0; step /= 2) {
    if (low + step <= count && values[low + step - 1] <= x) low += step;
  }
  return low;
}

static void insert(fmlp_rolling_sorted *sorted, double x) {
  int64_t place = count_below(sorted->values, sorted->count, x);
  memmove(sorted->values + place + 1, sorted->values + place,
          (size_t)(sorted->count - place) * sizeof(double));
  sorted->values[place] = x;
  sorted->count++;
}

static void erase(fmlp_rolling_sorted *sorted, double x) {
  int64_t place = count_below(sorted->values, sorted->count, x);
  assert(place < sorted->count);
  sorted->count--;
  memmove(sorted->values + place, sorted->values + place + 1,
          (size_t)(sorted->count - place) * sizeof(double));
}

/* For small windows one pass over all values without a branch is faster than finding and moving. With b the
 * values without the first that is not below `leaving`, the new values are max(b[i-1], min(b[i], entering)).
 */
static void replace_small(fmlp_rolling_sorted *sorted, double leaving, double entering) {
  const int64_t count = sorted->count;
  double *old = sorted->values, *made = sorted->spare;
  old[-1] = -INFINITY;
  old[count] = INFINITY;
#pragma omp simd
  for (int64_t i = 0; i < count; i++) {
    double before = old[i - 1] < leaving ? old[i - 1] : old[i];
    double here = old[i] < leaving ? old[i] : old[i + 1];
    double least = here < entering ? here : entering;
    made[i] = before > least ? before : least;
  }
  sorted->values = made;
  sorted->spare = old;
}

static void replace_large(fmlp_rolling_sorted *sorted, double leaving, double entering) {
  double *values = sorted->values;
  int64_t from = count_below(values, sorted->count, leaving);
  if (leaving < entering) {
    int64_t to = count_below(values, sorted->count, entering) - 1; /* its place once `leaving` is gone */
    memmove(values + from, values + from + 1, (size_t)(to - from) * sizeof(double));
    values[to] = entering;
  } else if (entering < leaving) {
    int64_t to = count_below(values, sorted->count, entering);
    memmove(values + to + 1, values + to, (size_t)(from - to) * sizeof(double));
    values[to] = entering;
  }
}

/* Rows start .. row-1 into an empty state. */
static void fill(fmlp_rolling_sorted *sorted, const double *x, int64_t count) {
  sorted->count = 0;
  for (int64_t i = 0; i < count; i++) {
    if (x[i] == x[i]) sorted->values[sorted->count++] = x[i];
  }
  fmlp_sort_doubles(sorted->values, sorted->count);
}

static double value_of(const fmlp_rolling_target *target, const fmlp_rolling_sorted *sorted, double newest) {
  const int64_t w = target->window;
  if (target->op == FMLP_OP_RANK) {
    int64_t below = 0, up_to = 0;
    if (w <= SMALL) {
      scan_ranks(sorted->values, w, newest, &below, &up_to);
    } else {
      below = count_below(sorted->values, w, newest);
      up_to = count_up_to(sorted->values, w, below, newest);
    }
    return ((double)(below + up_to + 1) * 0.5) / (double)w;
  }
  double q = target->op == FMLP_OP_MEDIAN ? 0.5 : target->parameter;
  return fmlp_canonical(fmlp_quantile_sorted(sorted->values, w, q));
}

void FMLP_SIMD_NAME(fmlp_cpu_rolling_order)(const fmlp_rolling_job *job, fmlp_rolling_sorted *sorted) {
  const int64_t w = job->targets[0].window, complete = fmlp_rolling_complete(job, w);
  for (int32_t k = 0; k < job->target_count; k++) {
    for (int64_t row = job->first; row < complete; row++)
      job->targets[k].values[row - job->first] = fmlp_nan();
  }
  if (complete >= job->last) return;
  if (sorted->next_row != complete) {
    fill(sorted, fmlp_rolling_at(job->a, complete - w + 1), w - 1);
    sorted->next_row = -1; /* nothing leaves before the first row */
  }
  for (int64_t row = complete; row < job->last; row++) {
    const double entering = *fmlp_rolling_at(job->a, row);
    const bool enters = entering == entering;
    double leaving = fmlp_nan();
    if (sorted->next_row == row) leaving = *fmlp_rolling_at(job->a, row - w);
    if (leaving == leaving && enters) {
      if (sorted->count <= SMALL)
        replace_small(sorted, leaving, entering);
      else
        replace_large(sorted, leaving, entering);
    } else {
      if (leaving == leaving) erase(sorted, leaving);
      if (enters) insert(sorted, entering);
    }
    sorted->next_row = row + 1;
    for (int32_t k = 0; k < job->target_count; k++) {
      const fmlp_rolling_target *target = &job->targets[k];
      target->values[row - job->first] = sorted->count == w ? value_of(target, sorted, entering) : fmlp_nan();
    }
  }
}
