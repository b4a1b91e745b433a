/* min max range argmin argmax: exact, by the doubling tree. An extreme may count a row twice, so a window of
 * w rows is two overlapping nodes of the largest level that fits, and needs one merge whatever its bits.
 *
 * Nodes that hold a NaN carry no meaning: a node lies inside the windows that use it, and a window with a NaN
 * is overwritten at the end. */
#include <assert.h>

#include "cpu/rolling_kernels.h"

/* Values of a run of nodes and, for arg*, the rows they stand at, as doubles counted from base. */
typedef struct extremes {
  double *low, *low_row, *high, *high_row;
} extremes;

typedef struct tree {
  const fmlp_rolling_job *job;
  int64_t base, rows;
  const double *x;
  bool low, high, rows_too;
  extremes level, next;
} tree;

/* The newer operand wins ties. */
static void merge_low(int64_t count, const double *older, const double *newer, double *out) {
#pragma omp simd
  for (int64_t i = 0; i < count; i++) out[i] = older[i] < newer[i] ? older[i] : newer[i];
}

static void merge_high(int64_t count, const double *older, const double *newer, double *out) {
#pragma omp simd
  for (int64_t i = 0; i < count; i++) out[i] = older[i] > newer[i] ? older[i] : newer[i];
}

static void merge_low_rows(int64_t count, const double *older, const double *older_row, const double *newer,
                           const double *newer_row, double *out, double *out_row) {
#pragma omp simd
  for (int64_t i = 0; i < count; i++) {
    double a = older[i], b = newer[i], row_a = older_row[i], row_b = newer_row[i];
    out[i] = a < b ? a : b;
    out_row[i] = a < b ? row_a : row_b;
  }
}

static void merge_high_rows(int64_t count, const double *older, const double *older_row, const double *newer,
                            const double *newer_row, double *out, double *out_row) {
#pragma omp simd
  for (int64_t i = 0; i < count; i++) {
    double a = older[i], b = newer[i], row_a = older_row[i], row_b = newer_row[i];
    out[i] = a > b ? a : b;
    out_row[i] = a > b ? row_a : row_b;
  }
}

/* Level `width` to level 2 * width. The leaves are the column itself: nothing is copied before level 1. */
static void build_level(tree *t, int64_t width) {
  int64_t count = t->rows - 2 * width + 1;
  const extremes *from = &t->level, *to = &t->next;
  if (t->rows_too) {
    if (t->low) {
      merge_low_rows(count, from->low, from->low_row, from->low + width, from->low_row + width, to->low,
                     to->low_row);
    }
    if (t->high) {
      merge_high_rows(count, from->high, from->high_row, from->high + width, from->high_row + width, to->high,
                      to->high_row);
    }
  } else {
    if (t->low)
      merge_low(count, width == 1 ? t->x : from->low, (width == 1 ? t->x : from->low) + width, to->low);
    if (t->high) {
      merge_high(count, width == 1 ? t->x : from->high, (width == 1 ? t->x : from->high) + width, to->high);
    }
  }
  extremes built = t->next;
  t->next = t->level;
  t->level = built;
}

/* Rows complete .. last-1 of a target from the level of the largest power of two within its window. */
static void finish(const tree *t, const fmlp_rolling_target *target, int64_t complete, int64_t width) {
  const fmlp_rolling_job *job = t->job;
  const int64_t count = job->last - complete, start = complete - target->window + 1 - t->base;
  const int64_t shift = target->window - width;
  double *out = target->values + (complete - job->first);
  const bool leaf = width == 1 && !t->rows_too;
  const double *low = (leaf ? t->x : t->level.low) + start, *high = (leaf ? t->x : t->level.high) + start;
  const double *low_row = t->level.low_row + start, *high_row = t->level.high_row + start;
  const int64_t newest = complete - t->base;
  switch (target->op) {
  case FMLP_OP_MIN:
    merge_low(count, low, low + shift, out);
    break;
  case FMLP_OP_MAX:
    merge_high(count, high, high + shift, out);
    break;
  case FMLP_OP_RANGE:
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
      double least = low[i] < low[i + shift] ? low[i] : low[i + shift];
      double most = high[i] > high[i + shift] ? high[i] : high[i + shift];
      out[i] = fmlp_rolling_stored(most - least);
    }
    break;
  case FMLP_OP_ARGMIN:
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
      out[i] = (double)(newest + i) - (low[i] < low[i + shift] ? low_row[i] : low_row[i + shift]);
    }
    break;
  default:
    assert(target->op == FMLP_OP_ARGMAX);
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
      out[i] = (double)(newest + i) - (high[i] > high[i + shift] ? high_row[i] : high_row[i + shift]);
    }
  }
}

static void load_leaves(tree *t) {
  for (int64_t i = 0; i < t->rows; i++) {
    if (t->low) t->level.low[i] = t->x[i];
    if (t->high) t->level.high[i] = t->x[i];
    if (t->low) t->level.low_row[i] = (double)i;
    if (t->high) t->level.high_row[i] = (double)i;
  }
}

static void climb(tree *t) {
  const fmlp_rolling_job *job = t->job;
  if (t->rows_too) load_leaves(t);
  int32_t next = 0;
  for (int64_t width = 1; next < job->target_count; width *= 2) {
    for (; next < job->target_count && job->targets[next].window < 2 * width; next++) {
      int64_t complete = fmlp_rolling_complete(job, job->targets[next].window);
      if (complete < job->last) finish(t, &job->targets[next], complete, width);
    }
    if (t->rows - 2 * width + 1 <= 0) break;
    if (next < job->target_count) build_level(t, width);
  }
}

/* Rows whose window is incomplete or holds a NaN. */
static void blank(const tree *t, bool any_nan) {
  const fmlp_rolling_job *job = t->job;
  for (int32_t k = 0; k < job->target_count; k++) {
    const fmlp_rolling_target *target = &job->targets[k];
    int64_t complete = fmlp_rolling_complete(job, target->window);
    for (int64_t row = job->first; row < complete; row++) target->values[row - job->first] = fmlp_nan();
    if (!any_nan || complete >= job->last) continue;
    int64_t clean_from = t->base; /* first row after the last NaN seen */
    for (int64_t row = complete - target->window + 1; row < job->last; row++) {
      if (!(t->x[row - t->base] == t->x[row - t->base])) clean_from = row + 1;
      if (row >= complete && row - target->window + 1 < clean_from) {
        target->values[row - job->first] = fmlp_nan();
      }
    }
  }
}

static bool holds_nan(const double *x, int64_t count) {
  int64_t found = 0;
#pragma omp simd reduction(| : found)
  for (int64_t i = 0; i < count; i++) found |= x[i] == x[i] ? 0 : 1;
  return found != 0;
}

void FMLP_SIMD_NAME(fmlp_cpu_rolling_extremes)(const fmlp_rolling_job *job) {
  assert(job->target_count > 0 && job->target_count <= FMLP_ROLLING_TARGETS);
  tree t = {.job = job, .base = fmlp_rolling_base(job, job->targets[job->target_count - 1].window)};
  t.rows = job->last - t.base;
  bool any_nan = false;
  if (t.rows > 0) {
    for (int32_t k = 0; k < job->target_count; k++) {
      fmlp_operator op = job->targets[k].op;
      t.low |= op == FMLP_OP_MIN || op == FMLP_OP_RANGE || op == FMLP_OP_ARGMIN;
      t.high |= op == FMLP_OP_MAX || op == FMLP_OP_RANGE || op == FMLP_OP_ARGMAX;
      t.rows_too |= op == FMLP_OP_ARGMIN || op == FMLP_OP_ARGMAX;
    }
    const int64_t stride = fmlp_rolling_stride(t.rows);
    double *s = job->scratch;
    t.x = fmlp_rolling_at(job->a, t.base);
    t.level = (extremes){s, s + stride, s + 2 * stride, s + 3 * stride};
    t.next = (extremes){s + 4 * stride, s + 5 * stride, s + 6 * stride, s + 7 * stride};
    any_nan = holds_nan(t.x, t.rows);
    climb(&t);
  }
  blank(&t, any_nan);
}
