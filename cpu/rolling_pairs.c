/* cov corr beta autocorr: co-moments of two columns by the doubling tree, laid out as in rolling_moments.c.
 * "1" is operand a, "2" operand b; for autocorr 1 is the column and 2 the column `lag` rows earlier. */
#include <assert.h>
#include <string.h>

#include "cpu/rolling_kernels.h"

typedef struct comoments {
  double *p1, *p2, *m12, *m11, *m22;
} comoments;

typedef struct window_state {
  int64_t window;
  int64_t merged;
  int64_t complete;
  bool squares; /* M11 and M22 as well */
  comoments sum;
} window_state;

typedef struct tree {
  const fmlp_rolling_job *job;
  int64_t base, rows;
  const double *x1, *x2;
  bool squares;
  comoments level, next;
  int window_count;
  window_state windows[FMLP_ROLLING_TARGETS];
} tree;

static inline __attribute__((always_inline)) void merge(const bool squares, int64_t older_rows,
                                                        int64_t newer_rows, int64_t count, const double *x1,
                                                        const double *x2, const comoments older,
                                                        const comoments newer, const comoments out) {
  const double na = (double)older_rows, nb = (double)newer_rows;
  const double inverse_na = 1.0 / na, inverse_nb = 1.0 / nb, weight = (na * nb) / (na + nb);
#pragma omp simd
  for (int64_t i = 0; i < count; i++) {
    double p1a = older.p1[i], p1b = newer.p1[i], p2a = older.p2[i], p2b = newer.p2[i];
    double d1 = x1[i + newer_rows] - x1[i], d2 = x2[i + newer_rows] - x2[i];
    double delta1 = (p1b * inverse_nb - p1a * inverse_na) + d1;
    double delta2 = (p2b * inverse_nb - p2a * inverse_na) + d2;
    out.m12[i] = (older.m12[i] + newer.m12[i]) + (delta1 * delta2) * weight;
    if (squares) {
      out.m11[i] = (older.m11[i] + newer.m11[i]) + (delta1 * delta1) * weight;
      out.m22[i] = (older.m22[i] + newer.m22[i]) + (delta2 * delta2) * weight;
    }
    out.p1[i] = (p1a - na * d1) + p1b;
    out.p2[i] = (p2a - na * d2) + p2b;
  }
}

/* x1 and x2 stand at the newest row of the older part. */
static void merge_nodes(bool squares, int64_t older_rows, int64_t newer_rows, int64_t count, const double *x1,
                        const double *x2, comoments older, comoments newer, comoments out) {
  if (squares) {
    merge(true, older_rows, newer_rows, count, x1, x2, older, newer, out);
  } else {
    merge(false, older_rows, newer_rows, count, x1, x2, older, newer, out);
  }
}

static comoments at(comoments all, int64_t offset) {
  return (comoments){all.p1 + offset, all.p2 + offset, all.m12 + offset, all.m11 + offset, all.m22 + offset};
}

static void copy(bool squares, int64_t count, comoments from, comoments to) {
  size_t bytes = (size_t)count * sizeof(double);
  memcpy(to.p1, from.p1, bytes);
  memcpy(to.p2, from.p2, bytes);
  memcpy(to.m12, from.m12, bytes);
  if (!squares) return;
  memcpy(to.m11, from.m11, bytes);
  memcpy(to.m22, from.m22, bytes);
}

static void clear(int64_t count, comoments nodes) {
  size_t bytes = (size_t)count * sizeof(double);
  memset(nodes.p1, 0, bytes);
  memset(nodes.p2, 0, bytes);
  memset(nodes.m12, 0, bytes);
  memset(nodes.m11, 0, bytes);
  memset(nodes.m22, 0, bytes);
}

static void take_node(tree *t, window_state *window, int64_t width) {
  int64_t count = t->job->last - window->complete;
  comoments sum = at(window->sum, window->complete - t->job->first);
  int64_t newest = window->complete - window->merged - t->base;
  comoments node = at(t->level, newest - width + 1);
  if (window->merged == 0) {
    copy(window->squares, count, node, sum);
  } else {
    merge_nodes(window->squares, width, window->merged, count, t->x1 + newest, t->x2 + newest, node, sum,
                sum);
  }
  window->merged += width;
}

static void climb(tree *t) {
  clear(t->rows, t->level);
  for (int64_t width = 1; width <= t->rows; width *= 2) {
    bool higher = false;
    for (int w = 0; w < t->window_count; w++) {
      window_state *window = &t->windows[w];
      if (window->window & width) take_node(t, window, width);
      higher |= window->window > window->merged;
    }
    int64_t count = t->rows - 2 * width + 1;
    if (!higher || count <= 0) break;
    merge_nodes(t->squares, width, width, count, t->x1 + width - 1, t->x2 + width - 1, t->level,
                at(t->level, width), t->next);
    comoments built = t->next;
    t->next = t->level;
    t->level = built;
  }
}

static void finish(const tree *t, const window_state *window, const fmlp_rolling_target *target) {
  const int64_t offset = window->complete - t->job->first, count = t->job->last - window->complete;
  const comoments sum = at(window->sum, offset);
  const double inverse_ddof = 1.0 / ((double)window->window - 1.0);
  double *out = target->values + offset;
  switch (target->op) {
  case FMLP_OP_COV:
#pragma omp simd
    for (int64_t i = 0; i < count; i++) out[i] = fmlp_rolling_stored(sum.m12[i] * inverse_ddof);
    break;
  case FMLP_OP_BETA:
#pragma omp simd
    for (int64_t i = 0; i < count; i++) out[i] = fmlp_rolling_stored(sum.m12[i] / sum.m22[i]);
    break;
  default: /* corr, autocorr */
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
      double value = fmlp_rolling_stored((sum.m12[i] / sqrt(sum.m11[i])) / sqrt(sum.m22[i]));
      double low = value < -1.0 ? -1.0 : value;
      out[i] = low > 1.0 ? 1.0 : low;
    }
  }
}

static comoments carve(double **scratch, int64_t rows) {
  const int64_t stride = fmlp_rolling_stride(rows);
  double *block = *scratch;
  *scratch += 5 * stride;
  return (comoments){block, block + stride, block + 2 * stride, block + 3 * stride, block + 4 * stride};
}

static void collect_windows(tree *t, double *scratch) {
  const fmlp_rolling_job *job = t->job;
  for (int32_t i = 0; i < job->target_count; i++) {
    const fmlp_rolling_target *target = &job->targets[i];
    int64_t complete = fmlp_rolling_complete(job, target->window);
    if (complete >= job->last) continue;
    bool squares = target->op != FMLP_OP_COV;
    t->squares |= squares;
    if (t->window_count > 0 && t->windows[t->window_count - 1].window == target->window) {
      t->windows[t->window_count - 1].squares |= squares;
      continue;
    }
    t->windows[t->window_count++] = (window_state){.window = target->window,
                                                   .complete = complete,
                                                   .squares = squares,
                                                   .sum = carve(&scratch, job->last - job->first)};
  }
}

void FMLP_SIMD_NAME(fmlp_cpu_rolling_pairs)(const fmlp_rolling_job *job) {
  assert(job->target_count > 0 && job->target_count <= FMLP_ROLLING_TARGETS);
  tree t = {.job = job, .base = fmlp_rolling_base(job, job->targets[job->target_count - 1].window)};
  t.rows = job->last - t.base;
  double *scratch = job->scratch;
  if (t.rows > 0) {
    t.x1 = fmlp_rolling_at(job->a, t.base);
    t.x2 = fmlp_rolling_at(job->b, t.base);
    t.level = carve(&scratch, t.rows);
    t.next = carve(&scratch, t.rows);
    collect_windows(&t, scratch);
    if (t.window_count > 0) climb(&t);
  }
  int w = 0;
  for (int32_t i = 0; i < job->target_count; i++) {
    const fmlp_rolling_target *target = &job->targets[i];
    int64_t complete = fmlp_rolling_complete(job, target->window);
    for (int64_t row = job->first; row < complete; row++) target->values[row - job->first] = fmlp_nan();
    if (complete >= job->last) continue;
    if (t.windows[w].window != target->window) w++;
    finish(&t, &t.windows[w], target);
  }
}
