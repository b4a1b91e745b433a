/* sum mean std var zscore skew kurt slope r2: location-free moments by the doubling tree.
 *
 * Level k of the tree is a struct of arrays indexed by the first row a node covers: node j holds rows
 * base+j .. base+j+2^k-1. Each level is built from the one below into a second set of arrays; on the way
 * every window that has bit k set merges its node. The arithmetic stands at the top of cpu/rolling.c. */
#include <assert.h>
#include <string.h>

#include "cpu/rolling_kernels.h"

enum { WITH_M = 1, WITH_M3 = 2, WITH_M4 = 4, WITH_C = 8 };

/* P, M, M3, M4, C of a run of nodes. */
typedef struct moments {
  double *p, *m, *m3, *m4, *c;
} moments;

/* The constants of merging na older rows with nb newer ones. */
typedef struct merge_constants {
  double na, nb, inverse_na, inverse_nb;
  double m_d2;               /* na nb / n */
  double c_d;                /* na nb / 2 */
  double m3_d3, m3_d;        /* na nb (na-nb) / n^2;  3 / n */
  double m4_d4, m4_d2, m4_d; /* na nb (na^2 - na nb + nb^2) / n^3;  6 / n^2;  4 / n */
  double na_square, nb_square;
} merge_constants;

/* A window on its way up the tree. */
typedef struct window_state {
  int64_t window;
  int64_t merged;   /* rows held so far: the lower bits of the window */
  int64_t complete; /* first row with a full window */
  int fields;
  moments sum; /* indexed by row - job->first */
} window_state;

typedef struct tree {
  const fmlp_rolling_job *job;
  int64_t base;    /* row of node 0 */
  int64_t rows;    /* base + rows = job->last */
  const double *x; /* x[j] is row base + j */
  int fields;
  moments level, next;
  int window_count;
  window_state windows[FMLP_ROLLING_TARGETS];
} tree;

static int fields_of(fmlp_operator op) {
  switch (op) {
  case FMLP_OP_STD:
  case FMLP_OP_VAR:
  case FMLP_OP_ZSCORE:
    return WITH_M;
  case FMLP_OP_SKEW:
    return WITH_M | WITH_M3;
  case FMLP_OP_KURT:
    return WITH_M | WITH_M3 | WITH_M4;
  case FMLP_OP_SLOPE:
    return WITH_C;
  case FMLP_OP_R2:
    return WITH_M | WITH_C;
  default:
    return 0;
  }
}

static merge_constants constants_of(int64_t older, int64_t newer) {
  double na = (double)older, nb = (double)newer, n = na + nb, both = na * nb;
  return (merge_constants){.na = na,
                           .nb = nb,
                           .inverse_na = 1.0 / na,
                           .inverse_nb = 1.0 / nb,
                           .m_d2 = both / n,
                           .c_d = both * 0.5,
                           .m3_d3 = (both * (na - nb)) / (n * n),
                           .m3_d = 3.0 / n,
                           .m4_d4 = (both * ((na * na - both) + nb * nb)) / ((n * n) * n),
                           .m4_d2 = 6.0 / (n * n),
                           .m4_d = 4.0 / n,
                           .na_square = na * na,
                           .nb_square = nb * nb};
}

/* out[i] = older[i] merged with newer[i]; newest_a, newest_b are x at the newest row of each part. `newer`
 * and `out` may be the same arrays. Called with constant `fields` only, so that each call is its own loop. */
static inline __attribute__((always_inline)) void merge(const int fields, const merge_constants constants,
                                                        int64_t count, const double *newest_a,
                                                        const double *newest_b, const moments older,
                                                        const moments newer, const moments out) {
  const merge_constants k = constants;
#pragma omp simd
  for (int64_t i = 0; i < count; i++) {
    double pa = older.p[i], pb = newer.p[i];
    double d = newest_b[i] - newest_a[i];
    double delta = (pb * k.inverse_nb - pa * k.inverse_na) + d;
    double delta2 = delta * delta;
    double ma = 0, mb = 0, m3a = 0, m3b = 0;
    if (fields & WITH_M) ma = older.m[i], mb = newer.m[i];
    if (fields & WITH_M3) m3a = older.m3[i], m3b = newer.m3[i];
    if (fields & WITH_M4) {
      out.m4[i] = (((older.m4[i] + newer.m4[i]) + (delta2 * delta2) * k.m4_d4) +
                   delta2 * ((k.na_square * mb + k.nb_square * ma) * k.m4_d2)) +
                  delta * ((k.na * m3b - k.nb * m3a) * k.m4_d);
    }
    if (fields & WITH_M3) {
      out.m3[i] = ((m3a + m3b) + (delta * delta2) * k.m3_d3) + delta * ((k.na * mb - k.nb * ma) * k.m3_d);
    }
    if (fields & WITH_C) out.c[i] = (older.c[i] + newer.c[i]) + delta * k.c_d;
    if (fields & WITH_M) out.m[i] = (ma + mb) + delta2 * k.m_d2;
    out.p[i] = (pa - k.na * d) + pb;
  }
}

static void merge_fields(int fields, int64_t older_rows, int64_t newer_rows, int64_t count,
                         const double *newest_a, const double *newest_b, moments older, moments newer,
                         moments out) {
  merge_constants k = constants_of(older_rows, newer_rows);
#define CASE(mask)                                                                                           \
  case mask:                                                                                                 \
    merge(mask, k, count, newest_a, newest_b, older, newer, out);                                            \
    break
  switch (fields) {
    CASE(0);
    CASE(WITH_M);
    CASE(WITH_C);
    CASE(WITH_M | WITH_C);
    CASE(WITH_M | WITH_M3);
    CASE(WITH_M | WITH_M3 | WITH_C);
    CASE(WITH_M | WITH_M3 | WITH_M4);
    CASE(WITH_M | WITH_M3 | WITH_M4 | WITH_C);
  default:
    assert(0);
  }
#undef CASE
}

static moments at(moments all, int64_t offset) {
  return (moments){all.p + offset, all.m + offset, all.m3 + offset, all.m4 + offset, all.c + offset};
}

static void copy(int fields, int64_t count, moments from, moments to) {
  size_t bytes = (size_t)count * sizeof(double);
  memcpy(to.p, from.p, bytes);
  if (fields & WITH_M) memcpy(to.m, from.m, bytes);
  if (fields & WITH_M3) memcpy(to.m3, from.m3, bytes);
  if (fields & WITH_M4) memcpy(to.m4, from.m4, bytes);
  if (fields & WITH_C) memcpy(to.c, from.c, bytes);
}

static void clear(int fields, int64_t count, moments at_zero) {
  size_t bytes = (size_t)count * sizeof(double);
  memset(at_zero.p, 0, bytes);
  if (fields & WITH_M) memset(at_zero.m, 0, bytes);
  if (fields & WITH_M3) memset(at_zero.m3, 0, bytes);
  if (fields & WITH_M4) memset(at_zero.m4, 0, bytes);
  if (fields & WITH_C) memset(at_zero.c, 0, bytes);
}

/* Lets `window` take its node of the current level: the 2^k rows before those it holds. */
static void take_node(tree *t, window_state *window, int64_t width) {
  const int64_t first = t->job->first;
  int64_t count = t->job->last - window->complete;
  moments sum = at(window->sum, window->complete - first);
  int64_t newest =
      window->complete - window->merged - t->base; /* newest row of the node, for the first row */
  moments node = at(t->level, newest - width + 1);
  if (window->merged == 0) {
    copy(window->fields, count, node, sum);
  } else {
    merge_fields(window->fields, width, window->merged, count, t->x + newest, t->x + newest + window->merged,
                 node, sum, sum);
  }
  window->merged += width;
}

static void climb(tree *t) {
  clear(t->fields, t->rows, t->level);
  for (int64_t width = 1; width <= t->rows; width *= 2) {
    bool higher = false;
    for (int w = 0; w < t->window_count; w++) {
      window_state *window = &t->windows[w];
      if (window->window & width) take_node(t, window, width);
      higher |= window->window > window->merged;
    }
    if (!higher) break;
    int64_t count = t->rows - 2 * width + 1;
    if (count <= 0) break;
    merge_fields(t->fields, width, width, count, t->x + width - 1, t->x + 2 * width - 1, t->level,
                 at(t->level, width), t->next);
    moments built = t->next;
    t->next = t->level;
    t->level = built;
  }
}

/* Turns moments into a target's values, rows complete .. last-1. */
static void finish(const tree *t, const window_state *window, const fmlp_rolling_target *target) {
  const int64_t offset = window->complete - t->job->first, count = t->job->last - window->complete;
  const double *x = t->x + (window->complete - t->base);
  const moments sum = at(window->sum, offset);
  double *out = target->values + offset;
  const double w = (double)window->window;
  const double inverse_w = 1.0 / w, inverse_ddof = 1.0 / (w - 1.0);
  const double slope = 12.0 / (w * (w * w - 1.0));
#define EACH_ROW(value)                                                                                      \
  _Pragma("omp simd") for (int64_t i = 0; i < count; i++) out[i] = fmlp_rolling_stored(value);               \
  break
  switch (target->op) {
  case FMLP_OP_SUM:
    EACH_ROW(w * x[i] + sum.p[i]);
  case FMLP_OP_MEAN:
    EACH_ROW(x[i] + sum.p[i] * inverse_w);
  case FMLP_OP_VAR:
    EACH_ROW(sum.m[i] * inverse_ddof);
  case FMLP_OP_STD:
    EACH_ROW(sqrt(sum.m[i] * inverse_ddof));
  case FMLP_OP_ZSCORE:
    EACH_ROW((0.0 - sum.p[i] * inverse_w) / sqrt(sum.m[i] * inverse_ddof));
  case FMLP_OP_SLOPE:
    EACH_ROW(sum.c[i] * slope);
  case FMLP_OP_R2:
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
      double value = fmlp_rolling_stored(((sum.c[i] * slope) * sum.c[i]) / sum.m[i]);
      out[i] = value > 1.0 ? 1.0 : value;
    }
    break;
  case FMLP_OP_SKEW: {
    const double scale = (w * sqrt(w - 1.0)) / (w - 2.0);
    EACH_ROW(((sum.m3[i] / sum.m[i]) / sqrt(sum.m[i])) * scale);
  }
  case FMLP_OP_KURT: {
    const double degrees = (w - 2.0) * (w - 3.0);
    const double scale = ((w * (w + 1.0)) * (w - 1.0)) / degrees;
    const double shift = (3.0 * ((w - 1.0) * (w - 1.0))) / degrees;
    EACH_ROW(((sum.m4[i] / sum.m[i]) / sum.m[i]) * scale - shift);
  }
  default:
    assert(0);
  }
#undef EACH_ROW
}

static moments carve(double **scratch, int64_t rows) {
  const int64_t stride = fmlp_rolling_stride(rows);
  double *block = *scratch;
  *scratch += 5 * stride;
  return (moments){block, block + stride, block + 2 * stride, block + 3 * stride, block + 4 * stride};
}

/* The distinct windows that some row completes; targets of one window share a state. */
static void collect_windows(tree *t, double *scratch) {
  const fmlp_rolling_job *job = t->job;
  for (int32_t i = 0; i < job->target_count; i++) {
    const fmlp_rolling_target *target = &job->targets[i];
    int64_t complete = fmlp_rolling_complete(job, target->window);
    if (complete >= job->last) continue;
    int fields = fields_of(target->op);
    t->fields |= fields;
    if (t->window_count > 0 && t->windows[t->window_count - 1].window == target->window) {
      t->windows[t->window_count - 1].fields |= fields;
      continue;
    }
    t->windows[t->window_count++] = (window_state){.window = target->window,
                                                   .complete = complete,
                                                   .fields = fields,
                                                   .sum = carve(&scratch, job->last - job->first)};
  }
}

void FMLP_SIMD_NAME(fmlp_cpu_rolling_moments)(const fmlp_rolling_job *job) {
  assert(job->target_count > 0 && job->target_count <= FMLP_ROLLING_TARGETS);
  tree t = {.job = job, .base = fmlp_rolling_base(job, job->targets[job->target_count - 1].window)};
  t.rows = job->last - t.base;
  double *scratch = job->scratch;
  if (t.rows > 0) {
    t.x = fmlp_rolling_at(job->a, t.base);
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
