/* Triple barrier (contracts/triple_barrier.h). The answer is defined by integer compares alone, so the search
 * need not be the reference's: here it is a pyramid of fan-out 8.
 *
 *   level 0   the bars;   level k+1   max of the highs and min of the lows of 8 nodes of level k
 *
 * A thread looks for the first bar that touches a level of its event. It takes the group of 8 nodes around
 * its place as four loads of 16 bytes, without those in front; where none can hit it goes on behind the group
 * one level up, and where one can it goes down, taking the first of 8 children that can. A node can hit
 * exactly when one of its bars does, so there is no way back: about 2 log8(distance) groups for an event.
 *
 * Eight rather than the reference's 32: a group is then 64 bytes, two sectors, and 16 compares; threads of a
 * warp, whose events are usually neighbours, find each other's groups in the first-level cache. Hence no
 * staging in shared memory, and events may come in any order.
 *
 * Estimates for an event at every bar (H200: 4.3 TB/s, 132 multiprocessors at about 1.7 GHz). Memory: 16
 * bytes of event, 8 of bars, 5 of result, and 9 for building: 38 bytes a label, 9 ps. At a horizon of 32: 3
 * groups, about 170 instructions a label, 6 ps of issue. At 500 and more: 5 to 9 groups, most of them in
 * cache, 10 to 20 ps. */
#ifndef FMLP_CUDA_TRIPLE_BARRIER_CUH
#define FMLP_CUDA_TRIPLE_BARRIER_CUH

#include "common/contracts/triple_barrier.h"
#include "cuda/kernel.h"
#include "cuda/triple_barrier.h"

/* Loaded at once. */
struct alignas(16) fmlp_gpu_barrier_four {
  int32_t a, b, c, d;
};

FMLP_DEVICE fmlp_gpu_barrier_four fmlp_gpu_barrier_load(const int32_t *values) {
  return *reinterpret_cast<const fmlp_gpu_barrier_four *>(values);
}

FMLP_DEVICE int32_t fmlp_gpu_barrier_max(fmlp_gpu_barrier_four x, fmlp_gpu_barrier_four y) {
  const int32_t ab = x.a > x.b ? x.a : x.b, cd = x.c > x.d ? x.c : x.d;
  const int32_t ef = y.a > y.b ? y.a : y.b, gh = y.c > y.d ? y.c : y.d;
  const int32_t left = ab > cd ? ab : cd, right = ef > gh ? ef : gh;
  return left > right ? left : right;
}

FMLP_DEVICE int32_t fmlp_gpu_barrier_min(fmlp_gpu_barrier_four x, fmlp_gpu_barrier_four y) {
  const int32_t ab = x.a < x.b ? x.a : x.b, cd = x.c < x.d ? x.c : x.d;
  const int32_t ef = y.a < y.b ? y.a : y.b, gh = y.c < y.d ? y.c : y.d;
  const int32_t left = ab < cd ? ab : cd, right = ef < gh ? ef : gh;
  return left < right ? left : right;
}

/* The last group of the bars, copied with padding, and the node above it. */
FMLP_DEVICE void fmlp_gpu_barrier_tail(const fmlp_gpu_barrier_pyramid_args &args, int64_t first,
                                       int32_t *high, int32_t *low) {
  for (int j = 0; j < FMLP_GPU_BARRIER_GROUP; j++) {
    const bool present = first + j < args.count;
    const int32_t h = present ? args.high[first + j] : INT32_MIN;
    const int32_t l = present ? args.low[first + j] : INT32_MAX;
    args.tail_high[j] = h;
    args.tail_low[j] = l;
    *high = h > *high ? h : *high;
    *low = l < *low ? l : *low;
  }
}

/* A thread makes one node of `above`, eight threads one of `top`. The grid covers above_padded nodes, and
 * those of whole groups of `top`. */
FMLP_KERNEL(barrier_pyramid, fmlp_gpu_barrier_pyramid_args) {
  const int64_t node = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  const int64_t first = node * FMLP_GPU_BARRIER_GROUP;
  int32_t high = INT32_MIN, low = INT32_MAX;
  if (first + FMLP_GPU_BARRIER_GROUP <= args.count) {
    high = fmlp_gpu_barrier_max(fmlp_gpu_barrier_load(args.high + first),
                                fmlp_gpu_barrier_load(args.high + first + 4));
    low = fmlp_gpu_barrier_min(fmlp_gpu_barrier_load(args.low + first),
                               fmlp_gpu_barrier_load(args.low + first + 4));
  } else if (first < args.count) {
    fmlp_gpu_barrier_tail(args, first, &high, &low);
  }
  if (node < args.above_padded) {
    args.above_high[node] = high;
    args.above_low[node] = low;
  }
  if (!args.top_high) return;
  FMLP_UNROLL
  for (int apart = FMLP_GPU_BARRIER_GROUP / 2; apart > 0; apart /= 2) {
    const int32_t other_high = __shfl_xor_sync(0xffffffffu, high, apart);
    const int32_t other_low = __shfl_xor_sync(0xffffffffu, low, apart);
    high = other_high > high ? other_high : high;
    low = other_low < low ? other_low : low;
  }
  const int64_t top = node / FMLP_GPU_BARRIER_GROUP;
  if (node % FMLP_GPU_BARRIER_GROUP == 0 && top < args.top_padded) {
    args.top_high[top] = high;
    args.top_low[top] = low;
  }
}

/* Bit j is set when node j of a group reaches upper or lower. */
FMLP_DEVICE uint32_t fmlp_gpu_barrier_touches(const int32_t *high, const int32_t *low, int32_t upper,
                                              int32_t lower) {
  const fmlp_gpu_barrier_four h0 = fmlp_gpu_barrier_load(high), h1 = fmlp_gpu_barrier_load(high + 4);
  const fmlp_gpu_barrier_four l0 = fmlp_gpu_barrier_load(low), l1 = fmlp_gpu_barrier_load(low + 4);
  uint32_t hits = h0.a >= upper || l0.a <= lower ? 1u : 0u;
  hits |= h0.b >= upper || l0.b <= lower ? 2u : 0u;
  hits |= h0.c >= upper || l0.c <= lower ? 4u : 0u;
  hits |= h0.d >= upper || l0.d <= lower ? 8u : 0u;
  hits |= h1.a >= upper || l1.a <= lower ? 16u : 0u;
  hits |= h1.b >= upper || l1.b <= lower ? 32u : 0u;
  hits |= h1.c >= upper || l1.c <= lower ? 64u : 0u;
  hits |= h1.d >= upper || l1.d <= lower ? 128u : 0u;
  return hits;
}

/* The group `node` of level k lies in. */
FMLP_DEVICE uint32_t fmlp_gpu_barrier_group(const fmlp_gpu_barrier_search_args &args, int k, uint32_t node,
                                            int32_t upper, int32_t lower) {
  const uint32_t group = node & ~(uint32_t)(FMLP_GPU_BARRIER_GROUP - 1);
  const int32_t *high = args.levels[k].high + group, *low = args.levels[k].low + group;
  if (k == 0 && group >= args.tail_first) {
    high = args.tail_high;
    low = args.tail_low;
  }
  return fmlp_gpu_barrier_touches(high, low, upper, lower);
}

/* The first bar from `first` on that touches a level, or anything beyond `last` when none up to it does. A
 * node of padding hits only with a level that every bar reaches, and then the very first group has a hit. */
FMLP_DEVICE uint32_t fmlp_gpu_barrier_first(const fmlp_gpu_barrier_search_args &args, uint32_t first,
                                            uint32_t last, int32_t upper, int32_t lower) {
  uint32_t node = first;
  int k = 0;
  uint32_t hits;
  for (;;) {
    hits = fmlp_gpu_barrier_group(args, k, node, upper, lower);
    hits &= ~0u << (node % FMLP_GPU_BARRIER_GROUP);
    if (hits) break;
    node = node / FMLP_GPU_BARRIER_GROUP + 1;
    k++;
    if ((uint64_t)node << (FMLP_GPU_BARRIER_GROUP_BITS * k) > last) return UINT32_MAX;
  }
  for (;;) {
    node = node / FMLP_GPU_BARRIER_GROUP * FMLP_GPU_BARRIER_GROUP + (uint32_t)(__ffs((int)hits) - 1);
    if (k == 0) return node;
    k--;
    node *= FMLP_GPU_BARRIER_GROUP;
    hits = fmlp_gpu_barrier_group(args, k, node, upper, lower);
  }
}

/* A thread an event. */
FMLP_KERNEL(barrier_search, fmlp_gpu_barrier_search_args) {
  const int64_t e = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (e >= args.events) return;
  const int32_t upper = args.upper[e], lower = args.lower[e];
  const uint32_t start = (uint32_t)(args.start_bar[e] - args.first_bar);
  const uint32_t last = (uint32_t)(args.last_bar[e] - args.first_bar);
  const uint32_t bar = fmlp_gpu_barrier_first(args, start + 1, last, upper, lower);
  uint32_t touched = 0, exit_bar = last;
  if (bar <= last) {
    exit_bar = bar;
    touched = (args.levels[0].high[bar] >= upper ? 2u : 0u) + (args.levels[0].low[bar] <= lower ? 1u : 0u);
  }
  args.outcome[e] = (int8_t)(args.outcomes >> (8 * touched));
  args.exit_bar[e] = (int32_t)exit_bar + args.first_bar;
}

/* Eight neighbouring threads an event, as 8 ticks are a sector; a warp goes on until its four events are
 * done. Bound by the ticks read: 4 bytes each up to the touching one, and 37 bytes an event. */
FMLP_KERNEL(barrier_resolve, fmlp_gpu_barrier_resolve_args) {
  const int64_t e = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) / FMLP_GPU_BARRIER_LANES;
  const int lane = (int)(threadIdx.x % FMLP_GPU_BARRIER_LANES);
  const int shift = (int)(threadIdx.x % 32) - lane;
  const bool present = e < args.events;
  const int8_t outcome = present ? args.outcome[e] : (int8_t)FMLP_OUTCOME_TIME;
  const bool tie = outcome == FMLP_OUTCOME_TIE;
  const bool look_up = tie || outcome == args.side, look_down = tie || outcome == -args.side;
  int64_t tick = 0, last = 0;
  int32_t upper = 0, lower = 0;
  if (present && (look_up || look_down)) {
    tick = args.tick_first[e] - args.first_tick;
    last = args.tick_last[e] - args.first_tick;
    upper = args.upper[e];
    lower = args.lower[e];
  }
  int64_t found = -1;
  while (__any_sync(0xffffffffu, tick < last)) {
    bool hit = false;
    if (tick + lane < last) {
      const int32_t price = args.price[tick + lane];
      hit = (look_up && price >= upper) || (look_down && price <= lower);
    }
    const uint32_t hits = __ballot_sync(0xffffffffu, hit) >> shift & 0xffu;
    if (hits) {
      found = tick + __ffs((int)hits) - 1;
      last = tick; /* done */
    }
    tick += FMLP_GPU_BARRIER_LANES;
  }
  if (!present || lane != 0) return;
  if (tie && found >= 0) args.outcome[e] = (int8_t)(args.price[found] >= upper ? args.side : -args.side);
  args.exit_tick[e] = found >= 0 ? found + args.first_tick : -1;
}

#endif
