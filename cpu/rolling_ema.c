/* ema and ewm_std: first-order recursions l[t] = gain * u[t] + decay * l[t-1] as a scan of fixed shape,
 * blocks of 64 rows in super-blocks of 64 blocks, both counted from the first row that is not NaN. The shape
 * is what a device needs to run all blocks at once; here eight blocks run side by side. */
#include <assert.h>

#include "common/core/floating.h"
#include "common/core/interrupt.h"
#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "cpu/rolling_kernels.h"

enum { BLOCK = 64, BLOCKS = 64, SUPER = BLOCK * BLOCKS, LANES = 8 };

/* One recursion: p[j] = decay^j, q[g] = p[64]^g, by repeated multiplication. */
typedef struct scan {
  double gain, decay;
  double p[BLOCK + 1], q[BLOCKS + 1];
} scan;

typedef struct column {
  fmlp_operator op;
  const double *x; /* from the first row that is not NaN */
  double *out;
  int64_t rows;
  int64_t supers;
  double unbias;             /* (1 + beta) / (2 beta) */
  scan mean, variance, bias; /* of z; of squared innovations; of ones */
  double *last_valid;        /* [supers] x that a NaN at the start of the super-block repeats */
} column;

typedef enum pass { PASS_MEAN, PASS_VARIANCE, PASS_STORE } pass;

static scan scan_of(double gain, double decay) {
  scan s = {.gain = gain, .decay = decay};
  s.p[0] = 1.0;
  for (int j = 1; j <= BLOCK; j++) s.p[j] = s.p[j - 1] * decay;
  s.q[0] = 1.0;
  for (int g = 1; g <= BLOCKS; g++) s.q[g] = s.q[g - 1] * s.p[BLOCK];
  return s;
}

/* Local scans of a whole super-block, each block from zero. */
static void scan_blocks(const scan *s, const double *u, double *local) {
  for (int g = 0; g < BLOCKS; g += LANES) {
    const double *from = u + g * BLOCK;
    double *to = local + g * BLOCK;
    double state[LANES] = {0};
    for (int j = 0; j < BLOCK; j++) {
      for (int lane = 0; lane < LANES; lane++) {
        state[lane] = s->gain * from[lane * BLOCK + j] + s->decay * state[lane];
        to[lane * BLOCK + j] = state[lane];
      }
    }
  }
}

/* carry[g]: the state before block g, given `before` the super-block; the state after it is returned. */
static double carries(const scan *s, const double *local, double before, double *carry) {
  double c = 0.0;
  for (int g = 0; g < BLOCKS; g++) {
    carry[g] = c + s->q[g] * before;
    c = local[g * BLOCK + BLOCK - 1] + s->p[BLOCK] * c;
  }
  return c + s->q[BLOCKS] * before;
}

/* z of a super-block: x - x[r0], a NaN repeating the value before it, 0 beyond the last row. */
static void load(const column *c, int64_t super, double *z) {
  const int64_t first = super * SUPER;
  const int64_t count = c->rows - first < SUPER ? c->rows - first : SUPER;
  const double *x = c->x + first;
  double last = c->last_valid[super];
  for (int64_t i = 0; i < count; i++) {
    last = x[i] == x[i] ? x[i] : last;
    z[i] = last - c->x[0];
  }
  for (int64_t i = count; i < SUPER; i++) z[i] = 0.0;
}

/* Squared innovations d = z[t] - mean[t-1]; within a block mean = l + p[j+1] * carry, before it the carry. */
static void innovations(const column *c, const double *z, const double *local, const double *carry,
                        double *u) {
  for (int g = 0; g < BLOCKS; g++) {
    double previous = carry[g];
    for (int j = 0; j < BLOCK; j++) {
      double d = z[g * BLOCK + j] - previous;
      u[g * BLOCK + j] = d * d;
      previous = local[g * BLOCK + j] + c->mean.p[j + 1] * carry[g];
    }
  }
}

static void store_mean(const column *c, int64_t super, const double *local, const double *carry) {
  const int64_t first = super * SUPER;
  const double origin = c->x[0];
  for (int g = 0; g < BLOCKS; g++) {
    int64_t start = first + g * BLOCK;
    int64_t count = c->rows - start < BLOCK ? c->rows - start : BLOCK;
#pragma omp simd
    for (int64_t j = 0; j < count; j++) {
      double value = origin + (local[g * BLOCK + j] + c->mean.p[j + 1] * carry[g]);
      double x = c->x[start + j];
      c->out[start + j] = x == x ? fmlp_rolling_stored(value) : fmlp_nan();
    }
  }
}

static void store_std(const column *c, int64_t super, const double *variance, const double *variance_carry,
                      const double *bias, const double *bias_carry) {
  const int64_t first = super * SUPER;
  for (int g = 0; g < BLOCKS; g++) {
    int64_t start = first + g * BLOCK;
    int64_t count = c->rows - start < BLOCK ? c->rows - start : BLOCK;
#pragma omp simd
    for (int64_t j = 0; j < count; j++) {
      double v = variance[g * BLOCK + j] + c->variance.p[j + 1] * variance_carry[g];
      double a = bias[g * BLOCK + j] + c->bias.p[j + 1] * bias_carry[g];
      double x = c->x[start + j];
      c->out[start + j] = x == x ? fmlp_rolling_stored(sqrt((v * c->unbias) / a)) : fmlp_nan();
    }
  }
}

/* One super-block from the states in front of it. `after` gets the state behind each recursion the pass
 * computes; only the last pass stores. */
static void run_super(const column *c, int64_t super, pass now, const double before[3], double after[3]) {
  double z[SUPER], local[SUPER], u[SUPER], bias[SUPER];
  double carry[BLOCKS], variance_carry[BLOCKS], bias_carry[BLOCKS];
  load(c, super, z);
  scan_blocks(&c->mean, z, local);
  after[0] = carries(&c->mean, local, before[0], carry);
  if (now == PASS_MEAN) return;
  if (c->op == FMLP_OP_EMA) {
    store_mean(c, super, local, carry);
    return;
  }
  innovations(c, z, local, carry, u);
  double *variance = z; /* z has served */
  scan_blocks(&c->variance, u, variance);
  after[1] = carries(&c->variance, variance, before[1], variance_carry);
  if (now == PASS_VARIANCE) return;
  for (int i = 0; i < SUPER; i++) u[i] = super == 0 && i == 0 ? 0.0 : 1.0;
  scan_blocks(&c->bias, u, bias);
  after[2] = carries(&c->bias, bias, before[2], bias_carry);
  store_std(c, super, variance, variance_carry, bias, bias_carry);
}

/* One thread: each super-block hands its state to the next. */
static fmlp_status run_in_order(const column *c, fmlp_error *error) {
  double before[3] = {0, 0, 0};
  for (int64_t super = 0; super < c->supers; super++) {
    if (super % 64 == 0) FMLP_TRY(fmlp_check_interrupt("exponential averages", error));
    double after[3] = {0, 0, 0};
    run_super(c, super, PASS_STORE, before, after);
    for (int i = 0; i < 3; i++) before[i] = after[i];
  }
  return FMLP_OK;
}

typedef struct parallel_run {
  const column *c;
  pass now;
  double *states; /* [supers][3]: before the super-block; while a pass runs, what it adds */
} parallel_run;

static fmlp_status run_chunk(void *context, int64_t first, int64_t last, int worker, fmlp_error *error) {
  (void)worker;
  const parallel_run *run = context;
  FMLP_TRY(fmlp_check_floating_point(error));
  for (int64_t super = first; super < last; super++) {
    double *state = run->states + 3 * super;
    double after[3] = {0, 0, 0};
    run_super(run->c, super, run->now, state, after);
    if (run->now == PASS_MEAN) state[0] = after[0];
    if (run->now == PASS_VARIANCE) state[1] = after[1];
  }
  return FMLP_OK;
}

/* Replaces what each super-block adds from zero by the state in front of it. */
static void chain(const column *c, const scan *s, double *states) {
  double before = 0.0;
  for (int64_t super = 0; super < c->supers; super++) {
    double added = states[3 * super];
    states[3 * super] = before;
    before = added + s->q[BLOCKS] * before;
  }
}

/* What super-block 0, and every later one, adds to the recursion over ones. */
static void bias_sums(const column *c, double sums[2]) {
  double u[SUPER], local[SUPER], carry[BLOCKS];
  for (int later = 0; later < 2; later++) {
    for (int i = 0; i < SUPER; i++) u[i] = later == 0 && i == 0 ? 0.0 : 1.0;
    scan_blocks(&c->bias, u, local);
    sums[later] = carries(&c->bias, local, 0.0, carry);
  }
}

/* Several threads: what each super-block adds, then the states in front of them, then the values; ewm_std
 * needs the true means before its variances. */
static fmlp_status run_in_passes(const column *c, fmlp_error *error) {
  parallel_run run = {.c = c};
  FMLP_TRY(
      fmlp_alloc_zero(&run.states, c->supers, 3 * sizeof(double), "states of an exponential average", error));
  fmlp_status status = FMLP_OK;
  for (run.now = PASS_MEAN; run.now <= PASS_STORE && status == FMLP_OK; run.now++) {
    if (run.now == PASS_VARIANCE && c->op == FMLP_OP_EMA) continue;
    status = fmlp_parallel_for(c->supers, 4, run_chunk, &run, "exponential averages", error);
    if (run.now == PASS_MEAN) chain(c, &c->mean, run.states);
    if (run.now == PASS_VARIANCE) {
      double sums[2];
      bias_sums(c, sums);
      for (int64_t super = 0; super < c->supers; super++) run.states[3 * super + 2] = sums[super > 0];
      chain(c, &c->variance, run.states + 1);
      chain(c, &c->bias, run.states + 2);
    }
  }
  fmlp_free(run.states);
  return status;
}

fmlp_status FMLP_SIMD_NAME(fmlp_cpu_rolling_recursive)(fmlp_operator op, double alpha, const double *x,
                                                       int64_t rows, double *values, fmlp_error *error) {
  const double beta = 1.0 - alpha;
  int64_t start = 0;
  for (; start < rows && !(x[start] == x[start]); start++) values[start] = fmlp_nan();
  if (start == rows) return FMLP_OK;
  column c = {.op = op, .x = x + start, .out = values + start, .rows = rows - start};
  c.supers = (c.rows + SUPER - 1) / SUPER;
  c.unbias = (1.0 + beta) / (2.0 * beta);
  c.mean = scan_of(alpha, beta);
  c.variance = scan_of(alpha * beta, beta);
  c.bias = scan_of(alpha * (1.0 + beta), beta * beta);
  FMLP_TRY(fmlp_alloc(&c.last_valid, c.supers, sizeof(double), "exponential average", error));
  double last = c.x[0];
  for (int64_t super = 0; super < c.supers; super++) {
    c.last_valid[super] = last;
    int64_t end = (super + 1) * SUPER < c.rows ? (super + 1) * SUPER : c.rows;
    for (int64_t i = end - 1; i >= super * SUPER; i--) {
      if (!(c.x[i] == c.x[i])) continue;
      last = c.x[i];
      break;
    }
  }
  fmlp_status status =
      fmlp_threads() > 1 && c.supers > 1 ? run_in_passes(&c, error) : run_in_order(&c, error);
  fmlp_free(c.last_valid);
  return status;
}
