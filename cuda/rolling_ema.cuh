/* ema and ewm_std: the scan of fixed shape that cpu/rolling.c describes. A block of threads takes a
 * super-block of 4096 rows: its 64 blocks of 64 rows are scanned by a thread each, from shared memory, and
 * the states between them are chained by one thread. The chain over super-blocks is serial by its definition,
 * one multiplication and addition for 4096 rows, and runs in one block over sums in shared memory. So
 *
 *   start   tables of powers; the first row that is not NaN
 *   valid   the newest such row of every super-block, which NaNs at the start of the next repeat
 *   means   what each super-block adds to the mean;  chain
 *   variances (ewm_std)  what each adds to the variance, from the true means;  chain, of the bias as well
 *   ema, ewm_std  the scans again, from the true states, and the values
 *
 * A chunk begins again at the super-block its first row lies in; what stood in front of that is in the state.
 *
 * Estimate: ema 24 bytes a row of device memory (x twice, the result), ewm_std 32 (x three times), less where
 * x stays in the second-level cache between the passes. Shared words of 8 bytes a row: 3 in `means`, 4 in
 * `ema`, 6 in `ewm_std`; binary64 operations a row: 5, 9 and about 40 (a division and a square root). 34 KiB
 * of shared memory a block, 6 blocks a multiprocessor hide one another's serial parts, about 64 steps of 20
 * clocks twice (ewm_std: four times). The chain takes about 10 ns a super-block: 0.24 ms for 10^8 rows, where
 * the passes of ema take 0.6. */
#ifndef FMLP_CUDA_ROLLING_EMA_CUH
#define FMLP_CUDA_ROLLING_EMA_CUH

#include "common/core/bits.h"
#include "cuda/kernel.h"
#include "cuda/rolling_ema.h"

enum {
  FMLP_EMA_PADDED = FMLP_GPU_EMA_BLOCK + 1, /* a block's stride in shared memory: no bank twice */
  FMLP_EMA_BATCH = 8                        /* values read ahead of a serial computation */
};

/* Where the chunk lies in the column. */
struct fmlp_ema_place {
  int64_t origin;       /* r0 */
  double origin_value;  /* x[r0] */
  int64_t first, count; /* super-blocks that the chunk touches */
};

/* False while no row has been anything but NaN. */
FMLP_DEVICE bool fmlp_ema_find(const fmlp_gpu_ema_args &args, fmlp_ema_place *place) {
  const unsigned long long key = args.state->origin_key;
  if (key == 0) return false;
  const int64_t origin = (int64_t)~key;
  const bool here = origin >= args.first;
  place->origin = origin;
  place->origin_value = here ? args.a.values[origin - args.a.first] : args.state->origin_value;
  place->first = here ? 0 : (args.first - origin) / FMLP_GPU_EMA_SUPER;
  place->count = (args.last - 1 - origin) / FMLP_GPU_EMA_SUPER - place->first + 1;
  return true;
}

/* Row in front of which super-block i of the chunk begins. */
FMLP_DEVICE int64_t fmlp_ema_row(const fmlp_ema_place &place, int64_t i) {
  return place.origin + (place.first + i) * FMLP_GPU_EMA_SUPER;
}

/* ---- start ---- */

FMLP_DEVICE void fmlp_ema_powers(double decay, double *p, double *q) {
  double power = 1.0, step;
  p[0] = power;
  for (int32_t j = 1; j <= FMLP_GPU_EMA_BLOCK; j++) p[j] = power = power * decay;
  step = power;
  q[0] = power = 1.0;
  for (int32_t g = 1; g <= FMLP_GPU_EMA_BLOCKS; g++) q[g] = power = power * step;
}

/* `later` 0: the block of r0 and its super-block; 1: every other. */
FMLP_DEVICE void fmlp_ema_ones(const fmlp_gpu_ema_args &args, int32_t later) {
  fmlp_gpu_ema_tables *tables = args.tables;
  double local = 0.0, whole = 0.0, power = 1.0;
  for (int32_t j = 0; j < FMLP_GPU_EMA_BLOCK; j++) {
    local = args.bias_gain * (later == 0 && j == 0 ? 0.0 : 1.0) + args.bias_decay * local;
    whole = args.bias_gain * 1.0 + args.bias_decay * whole;
    power = power * args.bias_decay;
    tables->bias_local[later][j] = local;
  }
  double sum = 0.0;
  for (int32_t g = 0; g <= FMLP_GPU_EMA_BLOCKS; g++) {
    tables->bias_sum[later][g] = sum;
    sum = (g == 0 ? local : whole) + power * sum;
  }
}

/* All blocks look at the first rows of the chunk, where the first number nearly always stands, and search
 * further only if it does not. */
FMLP_KERNEL(rolling_ema_start, fmlp_gpu_ema_args) {
  const int32_t t = (int32_t)threadIdx.x, threads = (int32_t)blockDim.x;
  if (blockIdx.x == 0) {
    /* Four serial loops, in lanes that do not wait for each other where there are enough warps. */
    const int32_t apart = threads >= 128 ? 32 : 1;
    if (t == 0) fmlp_ema_powers(args.decay, args.tables->p, args.tables->q);
    if (t == apart) fmlp_ema_powers(args.bias_decay, args.tables->bias_p, args.tables->bias_q);
    if (t == 2 * apart) fmlp_ema_ones(args, 0);
    if (t == 3 * apart) fmlp_ema_ones(args, 1);
  }
  unsigned long long *key = &args.state->origin_key;
  for (int64_t tile = 0; args.first + tile * threads < args.last;) {
    const int64_t start = args.first + tile * threads, row = start + t;
    /* Stale values only cost time. */
    const unsigned long long known = *(const volatile unsigned long long *)key;
    bool valid = false;
    if (row < args.last && (known == 0 || (int64_t)~known > start)) {
      const double x = args.a.values[row - args.a.first];
      valid = x == x;
    }
    const unsigned found = __ballot_sync(0xffffffffu, valid);
    if (found && __ffs((int)found) - 1 == t % 32 && (tile > 0 || blockIdx.x == 0)) {
      atomicMax(key, ~(unsigned long long)row);
    }
    if (__syncthreads_or(valid || (known != 0 && (int64_t)~known <= start))) return;
    tile += tile == 0 ? 1 + (int64_t)blockIdx.x : (int64_t)gridDim.x;
  }
}

/* ---- valid ---- */

/* A warp a super-block, from its end. */
FMLP_KERNEL(rolling_ema_valid, fmlp_gpu_ema_args) {
  fmlp_ema_place place;
  if (!fmlp_ema_find(args, &place)) return;
  const int32_t lane = (int32_t)threadIdx.x % 32;
  const int64_t i = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) / 32;
  if (i >= place.count) return;
  const int64_t start = fmlp_ema_row(place, i);
  int64_t found = -1, end = start + FMLP_GPU_EMA_SUPER;
  if (end > args.last) end = args.last;
  for (int64_t newest = end - 1; newest >= start && found < 0; newest -= 32) {
    double x = fmlp_nan();
    if (newest - lane >= start) x = args.a.values[newest - lane - args.a.first];
    const unsigned valid = __ballot_sync(0xffffffffu, x == x);
    if (valid) found = newest - (__ffs((int)valid) - 1);
  }
  if (lane == 0) args.last_row[i] = found;
}

/* The newest x before super-block i that is not NaN. A whole warp asks. */
FMLP_DEVICE double fmlp_ema_last_valid(const fmlp_gpu_ema_args &args, int64_t i) {
  const int32_t lane = (int32_t)threadIdx.x % 32;
  for (int64_t newest = i - 1; newest >= 0; newest -= 32) {
    const int64_t row = newest - lane >= 0 ? args.last_row[newest - lane] : -1;
    const unsigned valid = __ballot_sync(0xffffffffu, row >= 0);
    if (!valid) continue;
    return args.a.values[__shfl_sync(0xffffffffu, row, __ffs((int)valid) - 1) - args.a.first];
  }
  return args.state->last_valid;
}

/* ---- the scans of one super-block ---- */

struct fmlp_ema_super {
  int64_t row;  /* of its first element */
  int32_t rows; /* that exist */
  bool any_nan;
  double origin_value;
  fmlp_shared<double> x;         /* [BLOCKS][PADDED] rows, later local scans */
  fmlp_shared<double> p, q;      /* [65] */
  fmlp_shared<double> fill;      /* [64] x that NaNs at the start of a block repeat; only with any_nan */
  fmlp_shared<double> end;       /* [64] last values of local scans, then c, then carries */
  fmlp_shared<double> spare;     /* [64] the same for the variance */
  fmlp_shared<unsigned> missing; /* [128] a bit a row: NaN */
};

/* Loads the rows, and finds what NaNs repeat. */
FMLP_DEVICE void fmlp_ema_load(const fmlp_gpu_ema_args &args, const fmlp_ema_place &place, bool first_pass,
                               fmlp_shared_space &space, fmlp_ema_super *s) {
  enum { SUPER = FMLP_GPU_EMA_SUPER, BLOCK = FMLP_GPU_EMA_BLOCK, BLOCKS = FMLP_GPU_EMA_BLOCKS };
  const int32_t t = (int32_t)threadIdx.x, threads = (int32_t)blockDim.x;
  const int64_t i = blockIdx.x;
  s->row = fmlp_ema_row(place, i);
  s->rows = SUPER;
  if (args.last - s->row < SUPER) s->rows = (int32_t)(args.last - s->row);
  s->origin_value = place.origin_value;
  s->x = space.take<double>(BLOCKS * FMLP_EMA_PADDED);
  s->p = space.take<double>(BLOCK + 1);
  s->q = space.take<double>(BLOCKS + 1);
  s->fill = space.take<double>(BLOCKS);
  s->end = space.take<double>(BLOCKS);
  s->spare = space.take<double>(BLOCKS);
  s->missing = space.take<unsigned>(SUPER / 32);
  for (int32_t j = t; j <= BLOCK; j += threads) {
    s->p[j] = args.tables->p[j];
    s->q[j] = args.tables->q[j];
  }
  const double *from = args.a.values + (s->row - args.a.first);
  bool any_nan = false;
  for (uint32_t base = threadIdx.x; base < SUPER; base += FMLP_EMA_BATCH * blockDim.x) {
    double x[FMLP_EMA_BATCH];
    FMLP_UNROLL
    for (int32_t k = 0; k < FMLP_EMA_BATCH; k++) {
      const uint32_t e = base + k * blockDim.x;
      x[k] = e < (uint32_t)s->rows ? from[e] : s->origin_value;
    }
    FMLP_UNROLL
    for (int32_t k = 0; k < FMLP_EMA_BATCH; k++) {
      const uint32_t e = base + k * blockDim.x;
      if (e >= SUPER) break; /* a whole warp at a time */
      s->x[e + e / BLOCK] = x[k];
      const unsigned missing = __ballot_sync(0xffffffffu, x[k] != x[k]);
      if (t % 32 == 0) s->missing[e / 32] = missing;
      any_nan = any_nan || missing != 0;
    }
  }
  s->any_nan = __syncthreads_or(any_nan);
  if (!s->any_nan) return;
  /* Rare. The newest value of every block, then for every block that of the blocks before it. */
  const bool starts_missing = (s->missing[0] & 1) != 0;
  double fill = s->origin_value;
  if (starts_missing && first_pass && t < 32) {
    fill = fmlp_ema_last_valid(args, i);
    if (t == 0) args.fill[i] = s->spare[0] = fill;
  }
  for (int32_t g = t; g < BLOCKS; g += threads) {
    double newest = fmlp_nan();
    for (int32_t j = 0; j < BLOCK; j++) {
      const double x = s->x[g * FMLP_EMA_PADDED + j];
      if (x == x) newest = x;
    }
    s->end[g] = newest;
  }
  __syncthreads();
  if (starts_missing) fill = first_pass ? (double)s->spare[0] : args.fill[i];
  for (int32_t g = t; g < BLOCKS; g += threads) {
    double newest = fmlp_nan();
    for (int32_t before = g - 1; before >= 0 && newest != newest; before--) newest = s->end[before];
    s->fill[g] = newest == newest ? newest : fill;
  }
  __syncthreads();
}

/* Local scans of z, whose last values go to `end`; KEEP: all of them take the place of x. */
template <bool KEEP> FMLP_DEVICE void fmlp_ema_scan(const fmlp_ema_super &s, double gain, double decay) {
  for (int32_t g = (int32_t)threadIdx.x; g < FMLP_GPU_EMA_BLOCKS; g += (int32_t)blockDim.x) {
    double last = s.any_nan ? (double)s.fill[g] : 0.0, local = 0.0;
    for (int32_t j = 0; j < FMLP_GPU_EMA_BLOCK; j += FMLP_EMA_BATCH) {
      double x[FMLP_EMA_BATCH];
      FMLP_UNROLL
      for (int32_t k = 0; k < FMLP_EMA_BATCH; k++) x[k] = s.x[g * FMLP_EMA_PADDED + j + k];
      FMLP_UNROLL
      for (int32_t k = 0; k < FMLP_EMA_BATCH; k++) {
        last = x[k] == x[k] ? x[k] : last;
        local = gain * (last - s.origin_value) + decay * local;
        if (KEEP) s.x[g * FMLP_EMA_PADDED + j + k] = local;
      }
    }
    s.end[g] = local;
  }
  __syncthreads();
}

/* Local scans of squared innovations, from the carries of the mean in `end`; the last values go to `spare`.
 */
template <bool KEEP>
FMLP_DEVICE void fmlp_ema_scan_squares(const fmlp_ema_super &s, const fmlp_gpu_ema_args &args) {
  for (int32_t g = (int32_t)threadIdx.x; g < FMLP_GPU_EMA_BLOCKS; g += (int32_t)blockDim.x) {
    const double carry = s.end[g];
    double last = s.any_nan ? (double)s.fill[g] : 0.0, local = 0.0, mean = carry, squares = 0.0;
    for (int32_t j = 0; j < FMLP_GPU_EMA_BLOCK; j += FMLP_EMA_BATCH) {
      double x[FMLP_EMA_BATCH], p[FMLP_EMA_BATCH];
      FMLP_UNROLL
      for (int32_t k = 0; k < FMLP_EMA_BATCH; k++) {
        x[k] = s.x[g * FMLP_EMA_PADDED + j + k];
        p[k] = s.p[j + k + 1];
      }
      FMLP_UNROLL
      for (int32_t k = 0; k < FMLP_EMA_BATCH; k++) {
        last = x[k] == x[k] ? x[k] : last;
        const double z = last - s.origin_value, d = z - mean;
        local = args.gain * z + args.decay * local;
        mean = local + p[k] * carry;
        squares = args.variance_gain * (d * d) + args.decay * squares;
        if (KEEP) s.x[g * FMLP_EMA_PADDED + j + k] = squares;
      }
    }
    s.spare[g] = squares;
  }
  __syncthreads();
}

/* c(g) in place of the last values of the blocks; c(64) is returned to thread 0. */
FMLP_DEVICE double fmlp_ema_sums(const fmlp_ema_super &s, fmlp_shared<double> end) {
  if (threadIdx.x != 0) return 0.0;
  const double step = s.p[FMLP_GPU_EMA_BLOCK];
  double sum = 0.0;
  for (int32_t g = 0; g < FMLP_GPU_EMA_BLOCKS; g += FMLP_EMA_BATCH) {
    double own[FMLP_EMA_BATCH];
    FMLP_UNROLL
    for (int32_t k = 0; k < FMLP_EMA_BATCH; k++) own[k] = end[g + k];
    FMLP_UNROLL
    for (int32_t k = 0; k < FMLP_EMA_BATCH; k++) {
      end[g + k] = sum;
      sum = own[k] + step * sum;
    }
  }
  return sum;
}

/* Carries in place of the last values, from the state before the super-block. */
FMLP_DEVICE void fmlp_ema_carries(const fmlp_ema_super &s, fmlp_shared<double> end, double before) {
  (void)fmlp_ema_sums(s, end);
  __syncthreads();
  for (int32_t g = (int32_t)threadIdx.x; g < FMLP_GPU_EMA_BLOCKS; g += (int32_t)blockDim.x) {
    end[g] = end[g] + s.q[g] * before;
  }
  __syncthreads();
}

FMLP_DEVICE bool fmlp_ema_missing(const fmlp_ema_super &s, uint32_t e) {
  return s.any_nan && (s.missing[e / 32] >> e % 32 & 1) != 0;
}

/* Rows of the chunk in front of r0: a block's share of them. */
FMLP_DEVICE void fmlp_ema_store_leading(const fmlp_gpu_ema_args &args) {
  const unsigned long long key = args.state->origin_key;
  const int64_t start = args.first + (int64_t)blockIdx.x * FMLP_GPU_EMA_SUPER;
  int64_t end = start + FMLP_GPU_EMA_SUPER;
  if (end > args.last) end = args.last;
  if (key != 0 && end > (int64_t)~key) end = (int64_t)~key;
  for (int64_t row = start + threadIdx.x; row < end; row += blockDim.x) {
    args.target.values[row - args.target.first] = fmlp_nan();
  }
}

/* ---- passes over the super-blocks ---- */

FMLP_KERNEL(rolling_ema_means, fmlp_gpu_ema_args) {
  fmlp_ema_place place;
  if (!fmlp_ema_find(args, &place) || blockIdx.x >= place.count) return;
  FMLP_SHARED_MEMORY(space);
  fmlp_ema_super s;
  fmlp_ema_load(args, place, true, space, &s);
  fmlp_ema_scan<false>(s, args.gain, args.decay);
  const double added = fmlp_ema_sums(s, s.end);
  if (threadIdx.x == 0) args.mean[blockIdx.x] = added;
}

FMLP_KERNEL(rolling_ema_variances, fmlp_gpu_ema_args) {
  fmlp_ema_place place;
  if (!fmlp_ema_find(args, &place) || blockIdx.x >= place.count) return;
  FMLP_SHARED_MEMORY(space);
  fmlp_ema_super s;
  fmlp_ema_load(args, place, false, space, &s);
  fmlp_ema_scan<false>(s, args.gain, args.decay);
  fmlp_ema_carries(s, s.end, args.mean[blockIdx.x]);
  fmlp_ema_scan_squares<false>(s, args);
  const double added = fmlp_ema_sums(s, s.spare);
  if (threadIdx.x == 0) args.variance[blockIdx.x] = added;
}

FMLP_KERNEL(rolling_ema, fmlp_gpu_ema_args) {
  fmlp_ema_store_leading(args);
  fmlp_ema_place place;
  if (!fmlp_ema_find(args, &place) || blockIdx.x >= place.count) return;
  FMLP_SHARED_MEMORY(space);
  fmlp_ema_super s;
  fmlp_ema_load(args, place, false, space, &s);
  fmlp_ema_scan<true>(s, args.gain, args.decay);
  fmlp_ema_carries(s, s.end, args.mean[blockIdx.x]);
  double *to = args.target.values + (s.row - args.target.first);
  for (uint32_t e = threadIdx.x; e < (uint32_t)s.rows; e += blockDim.x) {
    if (s.row + e < args.first) continue;
    const uint32_t g = e / FMLP_GPU_EMA_BLOCK, j = e % FMLP_GPU_EMA_BLOCK;
    const double mean = s.x[e + g] + s.p[j + 1] * s.end[g];
    to[e] = fmlp_ema_missing(s, e) ? fmlp_nan() : fmlp_canonical(s.origin_value + mean);
  }
}

FMLP_KERNEL(rolling_ewm_std, fmlp_gpu_ema_args) {
  enum { BLOCK = FMLP_GPU_EMA_BLOCK, BLOCKS = FMLP_GPU_EMA_BLOCKS };
  fmlp_ema_store_leading(args);
  fmlp_ema_place place;
  if (!fmlp_ema_find(args, &place) || blockIdx.x >= place.count) return;
  FMLP_SHARED_MEMORY(space);
  fmlp_ema_super s;
  fmlp_ema_load(args, place, false, space, &s);
  fmlp_shared<double> local = space.take<double>(2 * BLOCK), p = space.take<double>(BLOCK + 1);
  const int32_t threads = (int32_t)blockDim.x;
  const bool super_0 = place.first + blockIdx.x == 0;
  for (int32_t j = (int32_t)threadIdx.x; j < BLOCK; j += threads) {
    local[j] = args.tables->bias_local[super_0 ? 0 : 1][j];
    local[BLOCK + j] = args.tables->bias_local[1][j];
    p[j + 1] = args.tables->bias_p[j + 1];
  }
  fmlp_ema_scan<false>(s, args.gain, args.decay);
  fmlp_ema_carries(s, s.end, args.mean[blockIdx.x]);
  fmlp_ema_scan_squares<true>(s, args);
  fmlp_ema_carries(s, s.spare, args.variance[blockIdx.x]);
  /* The carries of the mean have served. */
  for (int32_t g = (int32_t)threadIdx.x; g < BLOCKS; g += threads) {
    s.end[g] = args.tables->bias_sum[super_0 ? 0 : 1][g] + args.tables->bias_q[g] * args.bias[blockIdx.x];
  }
  __syncthreads();
  double *to = args.target.values + (s.row - args.target.first);
  for (uint32_t e = threadIdx.x; e < (uint32_t)s.rows; e += blockDim.x) {
    if (s.row + e < args.first) continue;
    const uint32_t g = e / BLOCK, j = e % BLOCK;
    const double variance = s.x[e + g] + s.p[j + 1] * s.spare[g];
    const double bias = local[g == 0 ? j : BLOCK + j] + p[j + 1] * s.end[g];
    to[e] = fmlp_ema_missing(s, e) ? fmlp_nan() : fmlp_canonical(sqrt((variance * args.unbias) / bias));
  }
}

/* ---- the chain over super-blocks ---- */

enum { FMLP_EMA_CHAIN = 1024 }; /* super-blocks at a time */

/* One thread: `sums` of `count` super-blocks become the states in front of them; the state behind is
 * returned. */
FMLP_DEVICE double fmlp_ema_chain(fmlp_shared<double> sums, int32_t count, double factor, double before) {
  int32_t i = 0;
  for (; i + FMLP_EMA_BATCH <= count; i += FMLP_EMA_BATCH) {
    double own[FMLP_EMA_BATCH];
    FMLP_UNROLL
    for (int32_t k = 0; k < FMLP_EMA_BATCH; k++) own[k] = sums[i + k];
    FMLP_UNROLL
    for (int32_t k = 0; k < FMLP_EMA_BATCH; k++) {
      sums[i + k] = before;
      before = own[k] + factor * before;
    }
  }
  for (; i < count; i++) {
    const double own = sums[i];
    sums[i] = before;
    before = own + factor * before;
  }
  return before;
}

/* A whole array, by the thread `worker`; the state at super-block `next`, which is the last or the one behind
 * it, is returned to it. */
FMLP_DEVICE double fmlp_ema_chain_all(fmlp_shared<double> tile, const double *added, double added_first,
                                      double added_later, double *states, const fmlp_ema_place &place,
                                      double factor, double before, int64_t next) {
  const int32_t t = (int32_t)threadIdx.x, threads = (int32_t)blockDim.x;
  double last = before;
  for (int64_t done = 0; done < place.count; done += FMLP_EMA_CHAIN) {
    int32_t count = FMLP_EMA_CHAIN;
    if (place.count - done < count) count = (int32_t)(place.count - done);
    for (int32_t i = t; i < count; i += threads) {
      tile[i] = added ? added[done + i] : place.first + done + i == 0 ? added_first : added_later;
    }
    __syncthreads();
    if (t == 0) {
      before = fmlp_ema_chain(tile, count, factor, before);
      last = tile[count - 1];
    }
    __syncthreads();
    /* The next tile may follow at once: a thread loads what it alone reads here. */
    for (int32_t i = t; i < count; i += threads) states[done + i] = tile[i];
  }
  return next == place.count ? before : last;
}

/* One block. */
FMLP_KERNEL(rolling_ema_chain, fmlp_gpu_ema_args) {
  fmlp_ema_place place;
  if (!fmlp_ema_find(args, &place)) return;
  const int64_t next = (args.last - place.origin) / FMLP_GPU_EMA_SUPER - place.first;
  FMLP_SHARED_MEMORY(space);
  fmlp_shared<double> tile = space.take<double>(FMLP_EMA_CHAIN);
  fmlp_gpu_ema_state *state = args.state;
  const fmlp_gpu_ema_tables *tables = args.tables;
  const double q = tables->q[FMLP_GPU_EMA_BLOCKS], bias_q = tables->bias_q[FMLP_GPU_EMA_BLOCKS];
  if (args.moment == 0) {
    const double mean = fmlp_ema_chain_all(tile, args.mean, 0.0, 0.0, args.mean, place, q, state->mean, next);
    const double last_valid = threadIdx.x < 32 ? fmlp_ema_last_valid(args, next) : 0.0;
    __syncthreads();
    if (threadIdx.x == 0) {
      state->mean = mean;
      state->last_valid = last_valid;
      state->origin_value = place.origin_value;
    }
    return;
  }
  const double variance =
      fmlp_ema_chain_all(tile, args.variance, 0.0, 0.0, args.variance, place, q, state->variance, next);
  const double bias = fmlp_ema_chain_all(tile, NULL, tables->bias_sum[0][FMLP_GPU_EMA_BLOCKS],
                                         tables->bias_sum[1][FMLP_GPU_EMA_BLOCKS], args.bias, place, bias_q,
                                         state->bias, next);
  if (threadIdx.x == 0) {
    state->variance = variance;
    state->bias = bias;
  }
}

#endif
