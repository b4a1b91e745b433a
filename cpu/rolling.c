/* Rolling operators, the reference: how a plan runs, and the arithmetic its kernels follow bit for bit.
 *
 * All operations are binary64, rounded to nearest, never contracted; every value is canonical as it is stored
 * (NaN and +-inf become the quiet NaN, -0 becomes +0), outputs and intermediates alike. An expression is
 * evaluated as parenthesised here, otherwise from left to right. w is the window as a double. Rows before the
 * column begins count as missing: where a window is incomplete, or an operand NaN, the value is NaN.
 *
 * ROW BY ROW   constant p;  shift x[i-k];  diff x - x[i-k];  pct_change (x - x[i-k]) / x[i-k];
 *   log_return log(x / x[i-k]) with core/elementary.h;  add a+b;  sub a-b;  mul a*b;  div a/b;  ratio a/b -
 * 1; abs |x|;  sign -1, 0, +1;  cross a > b ? +1 : -1.
 *
 * THE DOUBLING TREE   T0[i] is the leaf of row i; Tk[i] = T(k-1)[i - 2^(k-1)] + T(k-1)[i], "+" taking the
 * older operand on the left. A window is gathered from the bits of w, lowest first: the node of the lowest
 * bit ends at row i, each further one ends where the gathered rows begin and is merged as the older operand.
 *
 * MOMENTS (rolling_moments.c)   leaf P = M = M3 = M4 = C = 0. Merging older a (na rows, newest x_a) with
 * newer b (nb rows, newest x_b), n = na + nb, s = na*nb; what is in braces is a constant, computed in this
 * order: d  = x_b - x_a                      D  = (Pb*{1/nb} - Pa*{1/na}) + d                 D2 = D*D P  =
 * (Pa - na*d) + Pb               M  = (Ma + Mb) + D2*{s/n}                        C  = (Ca + Cb) + D*{s*0.5}
 *     M3 = ((M3a + M3b) + (D*D2)*{(s*(na-nb))/(n*n)}) + D*((na*Mb - nb*Ma)*{3/n})
 *     M4 = (((M4a + M4b) + (D2*D2)*{(s*((na*na - s) + nb*nb))/((n*n)*n)})
 *           + D2*(({na*na}*Mb + {nb*nb}*Ma)*{6/(n*n)})) + D*((na*M3b - nb*M3a)*{4/n})
 *   sum    w*x + P                        mean   x + P*{1/w}
 *   var    M*{1/(w-1)}                    std    sqrt(M*{1/(w-1)})
 *   zscore (0 - P*{1/w}) / std            slope  C*{12/(w*(w*w - 1))}
 *   r2     (slope*C)/M, canonical, then at most 1
 *   skew   ((M3/M)/sqrt(M))*{(w*sqrt(w-1))/(w-2)}
 *   kurt   ((M4/M)/M)*{((w*(w+1))*(w-1))/g} - {(3*((w-1)*(w-1)))/g},  g = (w-2)*(w-3)
 *   A constant window has M exactly 0, so zscore, r2, skew and kurt are 0/0.
 *
 * PAIRS (rolling_pairs.c)   P1, M11 of operand a, P2, M22 of operand b as above, and
 *     M12 = (M12a + M12b) + (D1*D2)*{s/n}
 *   cov M12*{1/(w-1)};  beta M12/M22;  corr (M12/sqrt(M11))/sqrt(M22), canonical, then cut to [-1, 1].
 *   autocorr is corr of operand 1 = the column and operand 2 = the column `lag` rows earlier, w pairs.
 *
 * EXTREMES, ORDER STATISTICS (rolling_extremes.c, rolling_order.c)   exact, however they are found. range is
 *   max - min; argmin and argmax count rows back to the newest extreme; quantile: h = (w-1)*q, lo and hi the
 *   values of rank floor(h) and the next, lo + (hi - lo)*(h - floor(h)), or the last value; median q = 0.5;
 *   rank ((below + up_to + 1)*0.5)/w, the counts of values < x and <= x.
 *
 * RECURSIONS (rolling_ema.c)   r0 the first row that is not NaN, t = i - r0, z[t] = x[i] - x[r0]; a later NaN
 *   gives NaN in its row and repeats the last z. A scan of l = gain*u + decay*l: blocks of 64 rows, each from
 *   zero; p[0] = 1, p[j] = p[j-1]*decay; q[0] = 1, q[g] = q[g-1]*p[64]; in a super-block of 64 blocks c(0) =
 * 0, c(g+1) = l_end + p[64]*c(g); S(0) = 0, S(s+1) = c(64) + q[64]*S(s); carry(g) = c(g) + q[g]*S; the value
 * at place j of block g is l + p[j+1]*carry(g). With b = 1 - alpha: mean      u = z, gain alpha, decay b ema
 * = x[r0] + mean variance  u = v*v, v = z[t] - mean[t-1], where before the first row of a block mean is
 * carry(g); gain alpha*b, decay b bias      u = 0 at t = 0, then 1; gain alpha*(1 + b), decay b*b ewm_std
 * sqrt((variance*{(1 + b)/(2*b)})/bias)
 *
 * FRACDIFF (rolling_fracdiff.c)   w_0 = 1, w_k = (-w_(k-1)*((d - k) + 1))/k while |w_k| >= threshold;
 *   sum = x[i], then sum = sum + w_k*x[i-k], k = 1, 2, ...
 *
 * A value depends on its window alone (recursions: on the column), so blocks, chunks and threads are free.
 * Rows are taken in blocks whose columns stay in cache: a step computes its block and, where later steps look
 * back, the rows in front of it again. */
#include "cpu/cpu.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "common/core/floating.h"
#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "cpu/rolling_plan.h"
#include "prof/span.h"

static _Atomic int64_t block_override;

void fmlp_cpu_rolling_block(int64_t rows) {
  atomic_store(&block_override, rows);
}

/* What one parallel loop over chunks needs. */
typedef struct stage_run {
  const fmlp_rolling_schedule *schedule;
  int32_t stage;
  double *memory; /* [workers][worker_doubles] */
} stage_run;

static int64_t start_of(int64_t first, int64_t need) {
  return first > need ? first - need : 0;
}

/* Where a step of `stage` reads column `index` for the block at `first`. */
static fmlp_rolling_column column_of(const fmlp_rolling_schedule *s, int32_t index, int32_t stage,
                                     int64_t first, const double *memory) {
  if (index < 0) return (fmlp_rolling_column){.values = NULL};
  const fmlp_rolling_place *place = &s->places[index];
  if (place->whole) return (fmlp_rolling_column){place->whole, 0};
  if (place->stage < stage || place->local < 0) return (fmlp_rolling_column){place->store, 0};
  return (fmlp_rolling_column){memory + place->local, start_of(first, place->need)};
}

static void run_kernel(const fmlp_rolling_schedule *s, const fmlp_rolling_step *step,
                       const fmlp_rolling_job *job, fmlp_rolling_sorted *sorted) {
  switch (step->family) {
  case FMLP_ROLLING_MOMENTS:
    FMLP_SIMD_SELECT(fmlp_cpu_rolling_moments)(job);
    break;
  case FMLP_ROLLING_PAIRS:
    FMLP_SIMD_SELECT(fmlp_cpu_rolling_pairs)(job);
    break;
  case FMLP_ROLLING_EXTREMES:
    FMLP_SIMD_SELECT(fmlp_cpu_rolling_extremes)(job);
    break;
  case FMLP_ROLLING_ORDER:
    FMLP_SIMD_SELECT(fmlp_cpu_rolling_order)(job, sorted);
    break;
  case FMLP_ROLLING_FRACDIFF:
    FMLP_SIMD_SELECT(fmlp_cpu_rolling_fracdiff)(job, s->weights + step->weights, step->weight_count);
    break;
  default:
    FMLP_SIMD_SELECT(fmlp_cpu_rolling_pointwise)(job);
  }
}

/* Rows [first, last) of every node of a step, and the rows in front that later steps need. */
static void run_step(const fmlp_rolling_schedule *s, const fmlp_rolling_step *step, int64_t first,
                     int64_t last, double *memory, fmlp_rolling_sorted *sorted) {
  const fmlp_rolling_plan *plan = s->plan;
  fmlp_rolling_target targets[FMLP_ROLLING_TARGETS];
  const int64_t start = start_of(first, step->need);
  for (int32_t k = 0; k < step->node_count; k++) {
    const int32_t n = s->order[step->first_node + k];
    const fmlp_rolling_place *place = &s->places[plan->input_count + n];
    targets[k] =
        (fmlp_rolling_target){.op = plan->nodes[n].op,
                              .window = plan->nodes[n].window,
                              .parameter = plan->nodes[n].parameter,
                              .values = place->local >= 0 ? memory + place->local : place->store + start};
  }
  fmlp_rolling_job job = {.first = start,
                          .last = last,
                          .a = column_of(s, step->a, step->stage, first, memory),
                          .b = column_of(s, step->b, step->stage, first, memory),
                          .target_count = step->node_count,
                          .targets = targets,
                          .scratch = memory + s->scratch};
  if (step->lag > 0) {
    job.origin = step->lag;
    job.b = job.a;
    job.b.first += step->lag;
  }
  run_kernel(s, step, &job, sorted);
  for (int32_t k = 0; k < step->node_count; k++) {
    const fmlp_rolling_place *place = &s->places[plan->input_count + s->order[step->first_node + k]];
    if (place->local < 0 || !place->store) continue;
    memcpy(place->store + first, targets[k].values + (first - start),
           (size_t)(last - first) * sizeof(double));
  }
}

static fmlp_status run_chunk(void *context, int64_t first, int64_t last, int worker, fmlp_error *error) {
  const stage_run *run = context;
  const fmlp_rolling_schedule *s = run->schedule;
  double *memory = run->memory + worker * s->worker_doubles;
  FMLP_TRY(fmlp_check_floating_point(error));
  fmlp_rolling_sorted *sorted = NULL;
  FMLP_TRY(fmlp_alloc_zero(&sorted, s->step_count, sizeof *sorted, "sorted windows", error));
  for (int32_t k = 0; k < s->step_count; k++) {
    double *values = memory + s->steps[k].sorted + 8;
    sorted[k] =
        (fmlp_rolling_sorted){.next_row = -1, .values = values, .spare = values + s->steps[k].sorted_size};
  }
  for (int64_t row = first; row < last; row += s->block) {
    int64_t end = row + s->block < last ? row + s->block : last;
    for (int32_t k = 0; k < s->step_count; k++) {
      const fmlp_rolling_step *step = &s->steps[k];
      if (step->stage != run->stage || step->family == FMLP_ROLLING_RECURSIVE) continue;
      run_step(s, step, row, end, memory, &sorted[k]);
    }
  }
  fmlp_free(sorted);
  return FMLP_OK;
}

static fmlp_status run_recursive_steps(const fmlp_rolling_schedule *s, int32_t stage, fmlp_error *error) {
  for (int32_t k = 0; k < s->step_count; k++) {
    const fmlp_rolling_step *step = &s->steps[k];
    if (step->stage != stage || step->family != FMLP_ROLLING_RECURSIVE) continue;
    FMLP_SPAN_BYTES("rolling.recursive", 16 * s->rows); /* a column read, a column written */
    const int32_t n = s->order[step->first_node];
    const fmlp_rolling_place *operand = &s->places[step->a], *result = &s->places[s->plan->input_count + n];
    const fmlp_rolling_node *node = &s->plan->nodes[n];
    FMLP_TRY(FMLP_SIMD_SELECT(fmlp_cpu_rolling_recursive)(node->op, node->parameter,
                                                          operand->whole ? operand->whole : operand->store,
                                                          s->rows, result->store, error));
  }
  return FMLP_OK;
}

/* Whole columns that the windows of a stage read, and those that they leave: once each. What stays in a block
 * stays in the cache. */
static int64_t window_bytes(const fmlp_rolling_schedule *s, int32_t stage) {
  int64_t columns = 0;
  for (int32_t c = 0; c < s->plan->input_count + s->plan->node_count; c++) {
    bool read = false, made = false;
    for (int32_t k = 0; k < s->step_count; k++) {
      const fmlp_rolling_step *step = &s->steps[k];
      if (step->stage != stage || step->family == FMLP_ROLLING_RECURSIVE) continue;
      read = read || step->a == c || step->b == c;
      for (int32_t n = 0; n < step->node_count; n++)
        made = made || s->plan->input_count + s->order[step->first_node + n] == c;
    }
    if (made ? s->places[c].store != NULL : read) columns++;
  }
  return columns * s->rows * (int64_t)sizeof(double);
}

static fmlp_status run_stages(const fmlp_rolling_schedule *s, fmlp_error *error) {
  int64_t chunks = (s->rows + s->chunk - 1) / s->chunk;
  int64_t workers = fmlp_threads() < chunks ? fmlp_threads() : chunks;
  stage_run run = {.schedule = s};
  FMLP_TRY(
      fmlp_alloc(&run.memory, workers, (size_t)s->worker_doubles * sizeof(double), "rolling scratch", error));
  fmlp_status status = FMLP_OK;
  for (run.stage = 0; run.stage < s->stages && status == FMLP_OK; run.stage++) {
    {
      FMLP_SPAN_BYTES("rolling.windows", window_bytes(s, run.stage));
      status = fmlp_parallel_for(s->rows, s->chunk, run_chunk, &run, "rolling features", error);
    }
    if (status == FMLP_OK) status = run_recursive_steps(s, run.stage, error);
  }
  fmlp_free(run.memory);
  return status;
}

fmlp_status fmlp_cpu_rolling(const fmlp_rolling_plan *plan, int64_t rows, const double *const *inputs,
                             double *const *outputs, fmlp_error *error) {
  FMLP_SPAN("rolling");
  assert(rows >= 0);
  if (rows == 0 || plan->node_count == 0) return FMLP_OK;
  fmlp_rolling_schedule schedule;
  fmlp_status status =
      fmlp_rolling_schedule_make(plan, rows, atomic_load(&block_override), inputs, outputs, &schedule, error);
  if (status == FMLP_OK) status = run_stages(&schedule, error);
  fmlp_rolling_schedule_release(&schedule);
  return status;
}
