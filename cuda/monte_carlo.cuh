/* Monte Carlo over a trade list. What a path is, and the order of its arithmetic, stand at the top of
 * cpu/monte_carlo.c.
 *
 * A thread walks one path, FMLP_GPU_PATH_STEP trades a turn, and takes the next of its paths (path number +
 * number of threads) in the turn after the one in which the last ended: threads of a warp are at different
 * places of different paths, and none waits for the longest of 32. Draws depend on (seed, path) alone, so
 * nothing depends on which thread walks what.
 *
 * Kernels come twice: `near` holds the trade list (and the days, and the orders of permutations) in shared
 * memory, `far` reads them from global memory, for lists that do not fit.
 *
 * Drawdown without a division a trade. Between two new peaks P is fixed, and fl(fl(P - c) / P) never falls as
 * c falls, for rounding is monotone: the largest drawdown under a peak is the one at the lowest capital, and
 * `low` is all that is kept. When a new peak ends this, the pair (fall, P) meets the deepest pair so far,
 * (fall', P'). It is exact to keep the pair whose quotient of reals is larger, as fl(a) >= fl(b) if a >= b.
 * That is decided by cross-multiplication, a = fl(fall * P') against b = fl(fall' * P): where the larger
 * product lies in [2^-1000, 2^1000] it is off by at most 2^-53 of itself, the smaller one by as much or by
 * less than 2^-1074, and if they differ by 2^-40 of the larger, so do the reals, in the same direction. In
 * all other cases both quotients are computed and compared as the reference does. One division a path
 * remains. Capital that is infinite or NaN: an infinite peak gives falls of NaN, which no comparison takes; a
 * NaN passes neither `> peak` nor `< low` and so changes nothing, as in the reference.
 *
 * Estimate for kind iid, near, from the code that ptxas 13.0 makes for sm_90 (50 registers, nothing spilled),
 * in issue slots of a warp: 63 a turn for Philox (20 wide multiplications, 20 three-way XORs, the round keys
 * in uniform registers), four indices and four gathers, and some 10 around it, make 18 a trade; the rules 18
 * where nothing happens, 11 more where a thread of the warp has a new peak and 18 where that ends a fall: 36
 * to 55 a trade, where the aim of 580 G trades/s on an H200 was reckoned with 57. Below that stay the FP64
 * pipe (5 instructions a trade and about 8 a fold, 2 cycles each), the integer multiplier (24 a turn, 2
 * cycles each) and shared memory: 8 bytes at random take a warp about 6 of its cycles, 25 of a scheduler's.
 * Global memory sees 21 + 8 * fan_points bytes a path. Kinds of runs draw once a run and look it up in shared
 * memory, and walk alike. */
#ifndef FMLP_CUDA_MONTE_CARLO_CUH
#define FMLP_CUDA_MONTE_CARLO_CUH

#include "common/contracts/monte_carlo.h"
#include "common/core/bits.h"
#include "common/core/philox.h"
#include "cuda/kernel.h"
#include "cuda/kernels.h"
#include "cuda/monte_carlo.h"

/* ---- lists, near or far ---- */

struct fmlp_gpu_lists {
  fmlp_shared<double> value;   /* near: [trades] */
  fmlp_shared<int32_t> day;    /* near, day: [days + 1] */
  fmlp_shared<uint16_t> order; /* near, permutation: [trades][threads] */
  fmlp_shared<uint32_t> drawn; /* runs: [FMLP_GPU_PATH_DRAWS][threads] */
};

template <fmlp_resampling KIND> struct fmlp_gpu_kind {
  static constexpr bool day = KIND == FMLP_MC_DAY;
  static constexpr bool permutation = KIND == FMLP_MC_PERMUTATION;
  static constexpr bool runs = day || KIND == FMLP_MC_MOVING_BLOCK || KIND == FMLP_MC_CIRCULAR_BLOCK;
};

template <fmlp_resampling KIND, bool NEAR>
FMLP_DEVICE fmlp_gpu_lists fmlp_gpu_paths_lists(const fmlp_gpu_paths_args &args) {
  FMLP_SHARED_MEMORY(space);
  fmlp_gpu_lists lists = {};
  if constexpr (fmlp_gpu_kind<KIND>::runs) {
    lists.drawn = space.take<uint32_t>((int64_t)FMLP_GPU_PATH_DRAWS * blockDim.x);
  }
  if constexpr (NEAR) {
    lists.value = space.take<double>(args.trades);
    for (int64_t t = threadIdx.x; t < args.trades; t += blockDim.x) lists.value[t] = __ldg(args.values + t);
    if constexpr (fmlp_gpu_kind<KIND>::day) {
      lists.day = space.take<int32_t>((int64_t)args.days + 1);
      for (int64_t d = threadIdx.x; d <= args.days; d += blockDim.x) {
        lists.day[d] = (int32_t)__ldg(args.day_offset + d);
      }
    }
    if constexpr (fmlp_gpu_kind<KIND>::permutation) {
      lists.order = space.take<uint16_t>((int64_t)args.trades * blockDim.x);
    }
    __syncthreads();
  }
  return lists;
}

template <bool NEAR>
FMLP_DEVICE double fmlp_gpu_paths_value(const fmlp_gpu_paths_args &args, const fmlp_gpu_lists &lists,
                                        int32_t trade) {
  if constexpr (NEAR) {
    return lists.value[trade];
  } else {
    return __ldg(args.values + trade);
  }
}

template <bool NEAR>
FMLP_DEVICE int32_t fmlp_gpu_paths_day(const fmlp_gpu_paths_args &args, const fmlp_gpu_lists &lists,
                                       int32_t day) {
  if constexpr (NEAR) {
    return lists.day[day];
  } else {
    return (int32_t)__ldg(args.day_offset + day);
  }
}

template <bool NEAR>
FMLP_DEVICE int32_t fmlp_gpu_paths_order(const fmlp_gpu_paths_args &args, const fmlp_gpu_lists &lists,
                                         int64_t t) {
  if constexpr (NEAR) {
    return lists.order[t * blockDim.x + threadIdx.x];
  } else {
    return args.order[(t * gridDim.x + blockIdx.x) * blockDim.x + threadIdx.x];
  }
}

template <bool NEAR>
FMLP_DEVICE void fmlp_gpu_paths_order_set(const fmlp_gpu_paths_args &args, const fmlp_gpu_lists &lists,
                                          int64_t t, int32_t trade) {
  if constexpr (NEAR) {
    lists.order[t * blockDim.x + threadIdx.x] = (uint16_t)trade;
  } else {
    args.order[(t * gridDim.x + blockIdx.x) * blockDim.x + threadIdx.x] = trade;
  }
}

/* ---- one path ---- */

struct fmlp_gpu_path {
  int64_t path;
  double capital, peak, low, day_open;
  double deepest_fall, deepest_peak; /* the pair of the largest drawdown of earlier peaks */
  int32_t done;                      /* trades before this turn, a multiple of the step */
  int32_t until;                     /* trades until a column of the fan, or the end */
  int32_t next_fan;
  int32_t position, left; /* runs, stationary: the next trade; runs: trades left */
  uint32_t taken, drawn;  /* runs: draws used, and drawn */
};

template <fmlp_resampling KIND, bool NEAR>
FMLP_DEVICE void fmlp_gpu_path_start(const fmlp_gpu_paths_args &args, const fmlp_gpu_lists &lists,
                                     fmlp_gpu_path &now) {
  now.capital = now.peak = now.low = now.day_open = args.initial_capital;
  now.deepest_fall = 0.0;
  now.deepest_peak = 1.0;
  now.done = now.next_fan = now.position = now.left = 0;
  now.taken = now.drawn = 0;
  now.until = args.fan_points > 0 ? __ldg(args.fan_at) : args.max_trades;
  if constexpr (fmlp_gpu_kind<KIND>::permutation) {
    for (int32_t t = 0; t < args.trades; t++) fmlp_gpu_paths_order_set<NEAR>(args, lists, t, t);
  }
}

/* The pair of the present peak against the deepest: see the top. */
FMLP_DEVICE void fmlp_gpu_path_fold(fmlp_gpu_path &now) {
  const double least = 0x1p-1000, most = 0x1p1000, less = 1.0 - 0x1p-40;
  const double fall = now.peak - now.low;
  const double a = fall * now.deepest_peak, b = now.deepest_fall * now.peak;
  if (a <= b * less && b >= least && b <= most) return;
  bool deeper = b <= a * less && a >= least && a <= most;
  if (!deeper) deeper = fall / now.peak > now.deepest_fall / now.deepest_peak;
  if (deeper) {
    now.deepest_fall = fall;
    now.deepest_peak = now.peak;
  }
}

/* ---- which trades ---- */

/* A draw for a run: where it begins, and how long it is. */
template <fmlp_resampling KIND, bool NEAR>
FMLP_DEVICE void fmlp_gpu_path_run(const fmlp_gpu_paths_args &args, const fmlp_gpu_lists &lists,
                                   fmlp_gpu_path &now) {
  const uint32_t u = lists.drawn[(int64_t)(now.taken % FMLP_GPU_PATH_DRAWS) * blockDim.x + threadIdx.x];
  now.taken++;
  if constexpr (fmlp_gpu_kind<KIND>::day) {
    const int32_t day = (int32_t)__umulhi(u, (uint32_t)args.days);
    now.position = fmlp_gpu_paths_day<NEAR>(args, lists, day);
    now.left = fmlp_gpu_paths_day<NEAR>(args, lists, day + 1) - now.position;
  } else {
    now.position = (int32_t)__umulhi(u, (uint32_t)args.starts);
    now.left = args.block_length;
  }
}

/* The values of the turn's trades; gives a bit for each that a day begins with. */
template <fmlp_resampling KIND, bool NEAR>
FMLP_DEVICE unsigned fmlp_gpu_path_sample(const fmlp_gpu_paths_args &args, const fmlp_gpu_lists &lists,
                                          fmlp_gpu_path &now, double (&value)[FMLP_GPU_PATH_STEP]) {
  const uint64_t number = args.first_path + (uint64_t)now.path;
  const uint32_t trades = (uint32_t)args.trades, done = (uint32_t)now.done;
  unsigned opens = 0;
  if constexpr (fmlp_gpu_kind<KIND>::runs) {
    if ((int32_t)(now.drawn - now.taken) < args.draws_a_step) {
      const fmlp_philox_block block = fmlp_philox(args.key, now.drawn / FMLP_PHILOX_WORDS, number);
      FMLP_UNROLL
      for (uint32_t i = 0; i < FMLP_PHILOX_WORDS; i++) {
        lists.drawn[(int64_t)((now.drawn + i) % FMLP_GPU_PATH_DRAWS) * blockDim.x + threadIdx.x] =
            block.word[i];
      }
      now.drawn += FMLP_PHILOX_WORDS;
    }
    FMLP_UNROLL
    for (int i = 0; i < FMLP_GPU_PATH_STEP; i++) {
      if (now.left == 0) {
        fmlp_gpu_path_run<KIND, NEAR>(args, lists, now);
        opens |= 1u << i;
      }
      value[i] = fmlp_gpu_paths_value<NEAR>(args, lists, now.position);
      now.left--;
      now.position = now.position + 1 == args.trades ? 0 : now.position + 1;
    }
  } else if constexpr (KIND == FMLP_MC_STATIONARY) {
    FMLP_UNROLL
    for (int half = 0; half < 2; half++) {
      const fmlp_philox_block block = fmlp_philox(args.key, done / 2 + (uint32_t)half, number);
      FMLP_UNROLL
      for (int i = 0; i < 2; i++) {
        const bool restart = block.word[2 * i] < args.restart_below || (half + i == 0 && done == 0);
        const int32_t trade = restart ? (int32_t)__umulhi(block.word[2 * i + 1], trades) : now.position;
        value[2 * half + i] = fmlp_gpu_paths_value<NEAR>(args, lists, trade);
        now.position = trade + 1 == args.trades ? 0 : trade + 1;
      }
    }
  } else {
    const fmlp_philox_block block = fmlp_philox(args.key, done / FMLP_PHILOX_WORDS, number);
    FMLP_UNROLL
    for (int i = 0; i < FMLP_GPU_PATH_STEP; i++) {
      if constexpr (fmlp_gpu_kind<KIND>::permutation) {
        const uint32_t t = done + (uint32_t)i;
        value[i] = 0.0;
        if (t >= trades) continue;
        const int64_t j = (int64_t)t + __umulhi(block.word[i], trades - t);
        const int32_t trade = fmlp_gpu_paths_order<NEAR>(args, lists, j);
        /* order[t] is not read again, so it need not get what order[j] held */
        fmlp_gpu_paths_order_set<NEAR>(args, lists, j, fmlp_gpu_paths_order<NEAR>(args, lists, t));
        value[i] = fmlp_gpu_paths_value<NEAR>(args, lists, trade);
      } else {
        value[i] = fmlp_gpu_paths_value<NEAR>(args, lists, (int32_t)__umulhi(block.word[i], trades));
      }
    }
  }
  return opens;
}

/* ---- what happens at a column of the fan, at a limit, at the end ---- */

/* After trade `used`: columns of the fan, and, when it has ended, the results. */
FMLP_DEVICE void fmlp_gpu_path_record(const fmlp_gpu_paths_args &args, fmlp_gpu_path &now, int32_t used,
                                      int outcome, bool ended) {
  while (now.next_fan < args.fan_points && (ended || __ldg(args.fan_at + now.next_fan) <= used)) {
    args.fan[now.next_fan * args.fan_pitch + now.path] = fmlp_canonical(now.capital);
    now.next_fan++;
  }
  if (!ended) {
    now.until = __ldg(args.fan_at + now.next_fan);
    return;
  }
  fmlp_gpu_path_fold(now);
  args.final_capital[now.path] = fmlp_canonical(now.capital);
  args.max_drawdown[now.path] = fmlp_canonical(now.deepest_fall / now.deepest_peak);
  args.trades_used[now.path] = used;
  args.outcome[now.path] = (int8_t)outcome;
}

template <fmlp_resampling KIND>
FMLP_DEVICE int fmlp_gpu_path_outcome(const fmlp_gpu_paths_args &args, const fmlp_gpu_path &now) {
  if constexpr (fmlp_gpu_kind<KIND>::day) {
    if (now.capital - now.day_open <= args.daily_loss) return FMLP_PATH_DAILY_LOSS;
  }
  if (now.capital <= args.ruin_level) return FMLP_PATH_RUIN;
  return now.capital >= args.target_level ? FMLP_PATH_TARGET : FMLP_PATH_COMPLETE;
}

/* One turn; true when the path has ended in it. */
template <fmlp_resampling KIND, bool COMPOUNDING, bool NEAR>
FMLP_DEVICE bool fmlp_gpu_path_turn(const fmlp_gpu_paths_args &args, const fmlp_gpu_lists &lists,
                                    fmlp_gpu_path &now) {
  double value[FMLP_GPU_PATH_STEP];
  const unsigned opens = fmlp_gpu_path_sample<KIND, NEAR>(args, lists, now, value);
  FMLP_UNROLL
  for (int i = 0; i < FMLP_GPU_PATH_STEP; i++) {
    if constexpr (fmlp_gpu_kind<KIND>::day) {
      if (opens >> i & 1) now.day_open = now.capital;
    }
    now.capital = now.capital + (COMPOUNDING ? value[i] * now.capital : value[i]);
    if (now.capital > now.peak) {
      if (now.low < now.peak) fmlp_gpu_path_fold(now);
      now.peak = now.low = now.capital;
    }
    if (now.capital < now.low) now.low = now.capital;
    bool stop = now.capital <= args.ruin_level || now.capital >= args.target_level;
    if constexpr (fmlp_gpu_kind<KIND>::day) stop = stop || now.capital - now.day_open <= args.daily_loss;
    if (!stop && now.until - now.done != i + 1) continue;
    const int32_t used = now.done + i + 1;
    const int outcome = fmlp_gpu_path_outcome<KIND>(args, now);
    const bool ended = outcome != FMLP_PATH_COMPLETE || used == args.max_trades;
    fmlp_gpu_path_record(args, now, used, outcome, ended);
    if (ended) return true;
  }
  (void)opens;
  now.done += FMLP_GPU_PATH_STEP;
  return false;
}

template <fmlp_resampling KIND, bool COMPOUNDING, bool NEAR>
FMLP_DEVICE void fmlp_gpu_paths(const fmlp_gpu_paths_args &args) {
  const fmlp_gpu_lists lists = fmlp_gpu_paths_lists<KIND, NEAR>(args);
  const int64_t step = (int64_t)gridDim.x * blockDim.x;
  fmlp_gpu_path now = {};
  now.path = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  bool fresh = true;
  while (now.path < args.paths) {
    if (fresh) fmlp_gpu_path_start<KIND, NEAR>(args, lists, now);
    fresh = fmlp_gpu_path_turn<KIND, COMPOUNDING, NEAR>(args, lists, now);
    if (fresh) now.path += step;
  }
}

#define FMLP_GPU_PATHS(kind, KIND)                                                                           \
  FMLP_KERNEL(monte_carlo_##kind##_near, fmlp_gpu_paths_args) {                                              \
    fmlp_gpu_paths<KIND, false, true>(args);                                                                 \
  }                                                                                                          \
  FMLP_KERNEL(monte_carlo_##kind##_far, fmlp_gpu_paths_args) {                                               \
    fmlp_gpu_paths<KIND, false, false>(args);                                                                \
  }                                                                                                          \
  FMLP_KERNEL(monte_carlo_##kind##_compounding_near, fmlp_gpu_paths_args) {                                  \
    fmlp_gpu_paths<KIND, true, true>(args);                                                                  \
  }                                                                                                          \
  FMLP_KERNEL(monte_carlo_##kind##_compounding_far, fmlp_gpu_paths_args) {                                   \
    fmlp_gpu_paths<KIND, true, false>(args);                                                                 \
  }
FMLP_GPU_PATHS(day, FMLP_MC_DAY)
FMLP_GPU_PATHS(iid, FMLP_MC_IID)
FMLP_GPU_PATHS(moving_block, FMLP_MC_MOVING_BLOCK)
FMLP_GPU_PATHS(circular_block, FMLP_MC_CIRCULAR_BLOCK)
FMLP_GPU_PATHS(stationary, FMLP_MC_STATIONARY)
FMLP_GPU_PATHS(permutation, FMLP_MC_PERMUTATION)

/* ---- totals ---- */

enum { FMLP_GPU_TILE_NODES = FMLP_GPU_TILE / FMLP_GPU_TILE_RUN };

FMLP_DEVICE double fmlp_gpu_run_sum(const double *x) {
  return ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]));
}

/* One whole tile of both columns. */
FMLP_DEVICE void fmlp_gpu_tile_sums(const fmlp_gpu_path_totals_args &args, int64_t tile,
                                    const fmlp_shared<double> &node) {
  const int64_t base = tile * FMLP_GPU_TILE - args.first;
  for (int i = (int)threadIdx.x; i < FMLP_GPU_TILE_NODES; i += (int)blockDim.x) {
    node[i] = fmlp_gpu_run_sum(args.final_capital + base + i * FMLP_GPU_TILE_RUN);
    node[FMLP_GPU_TILE_NODES + i] = fmlp_gpu_run_sum(args.max_drawdown + base + i * FMLP_GPU_TILE_RUN);
  }
  __syncthreads();
  /* Both trees stand side by side and halve together: node i of a level at i * 2 * width. */
  for (int width = 1; width < FMLP_GPU_TILE_NODES; width *= 2) {
    for (int i = (int)threadIdx.x * 2 * width; i < 2 * FMLP_GPU_TILE_NODES;
         i += (int)blockDim.x * 2 * width) {
      const double left = node[i], right = node[i + width];
      node[i] = left + right;
    }
    __syncthreads();
  }
  if (threadIdx.x < 2) {
    const double sum = node[(int64_t)threadIdx.x * FMLP_GPU_TILE_NODES];
    const int64_t before = args.whole_first * FMLP_GPU_TILE - args.first; /* elements, one each */
    args.sums[threadIdx.x * args.length + before + (tile - args.whole_first)] = sum;
  }
  __syncthreads(); /* before the next tile writes */
}

/* A block takes every gridDim-th tile that [first, last) touches. */
FMLP_KERNEL(monte_carlo_totals, fmlp_gpu_path_totals_args) {
  FMLP_SHARED_MEMORY(space);
  const fmlp_shared<double> node = space.take<double>(2 * FMLP_GPU_TILE_NODES);
  unsigned long long count[FMLP_GPU_COUNTERS] = {0};
  const int64_t tiles = (args.last + FMLP_GPU_TILE - 1) / FMLP_GPU_TILE;
  for (int64_t tile = args.first / FMLP_GPU_TILE + blockIdx.x; tile < tiles; tile += gridDim.x) {
    const bool whole = tile >= args.whole_first && tile < args.whole_last;
    for (int64_t p = tile * FMLP_GPU_TILE + threadIdx.x; p < (tile + 1) * FMLP_GPU_TILE; p += blockDim.x) {
      if (p < args.first || p >= args.last) continue;
      const int64_t at = p - args.first;
      const double capital = args.final_capital[at];
      const int8_t outcome = args.outcome[at];
      count[FMLP_GPU_COUNT_RUIN] += outcome == FMLP_PATH_RUIN;
      count[FMLP_GPU_COUNT_DAILY_LOSS] += outcome == FMLP_PATH_DAILY_LOSS;
      count[FMLP_GPU_COUNT_TARGET] += outcome == FMLP_PATH_TARGET;
      count[FMLP_GPU_COUNT_LOSS] += capital < args.initial_capital;
      count[FMLP_GPU_COUNT_TRADES] += (unsigned long long)args.trades_used[at];
      if (whole) continue;
      /* A path of no whole tile: where all tiles before are squeezed to one element each. */
      const int64_t squeezed =
          tile < args.whole_first ? at : at - (args.whole_last - args.whole_first) * (FMLP_GPU_TILE - 1);
      args.sums[squeezed] = capital;
      args.sums[args.length + squeezed] = args.max_drawdown[at];
    }
    if (whole) fmlp_gpu_tile_sums(args, tile, node);
  }
  FMLP_UNROLL
  for (int c = 0; c <= FMLP_GPU_COUNT_TRADES; c++) {
    unsigned long long sum = count[c];
    for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, lanes);
    if (threadIdx.x % 32 == 0 && sum > 0) atomicAdd(args.counters + c, sum);
  }
}

#endif
