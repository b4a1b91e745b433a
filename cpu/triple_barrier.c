/* Triple barrier, the reference (contracts/triple_barrier.h).
 *
 * The definition: of the bars after the event bar up to last_bar, the first whose high reaches the upper
 * level or whose low reaches the lower one. For a long the upper level is the target, for a short the stop.
 * Prices are integers, so any correct search gives the same answer; this one scans 32 bars at once, and
 * beyond them climbs a pyramid:
 *
 *   level 0   the bars;   level k+1   max of the highs and min of the lows of 32 nodes of level k
 *
 * At each level it looks at the 32 nodes from where the level below left off, until one can hit; then it goes
 * down, taking the first of 32 children that can. A node can hit exactly when one of its bars does, so there
 * is no way back, and the steps grow with log32 of the distance. The fan-out of 32 was measured against 8:
 * fewer levels are fewer mispredicted branches, which are most of the time. */
#include <assert.h>
#include <stdbool.h>
#include <string.h>
#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "cpu/cpu.h"
#include "prof/span.h"

enum {
  FAN_OUT = 32, /* one bit each of a mask */
  FAN_OUT_BITS = 5,
  LEVELS = 7,           /* 32^7 > 2^31 */
  TAIL = 2 * FAN_OUT,   /* room to read FAN_OUT bars from any of the last FAN_OUT */
  NODE_GRAIN = 1 << 13, /* nodes of one parallel chunk while building */
  EVENT_GRAIN = 1 << 13,
  TICK_BLOCK = 16
};

/* One level: FAN_OUT elements may be read from any of its nodes, and those behind the last cannot be the
 * first hit. */
typedef struct level {
  const int32_t *high, *low;
  int64_t count;
} level;

/* Level 0 is the caller's bars and has no room behind them: the last ones are read from a copy. */
typedef struct pyramid {
  level levels[LEVELS];
  int64_t tail_first; /* bars from here on are read from the copy */
  int32_t tail_high[TAIL], tail_low[TAIL];
  int32_t *nodes; /* of the levels above 0, owned */
} pyramid;

typedef struct build {
  level below;
  int32_t *high, *low;
} build;

typedef struct search {
  const pyramid *tree;
  int32_t side;
  fmlp_tie_rule tie;
  const int32_t *high, *low, *start_bar, *target, *stop, *last_bar;
  int8_t *outcome;
  int32_t *exit_bar;
} search;

typedef struct resolve {
  int32_t side;
  const int32_t *price, *target, *stop;
  const int64_t *tick_first, *tick_last;
  int8_t *outcome;
  int64_t *exit_tick;
} resolve;

static fmlp_status build_nodes(void *context, int64_t first, int64_t last, int worker, fmlp_error *error) {
  (void)worker;
  (void)error;
  const build *job = context;
  for (int64_t node = first; node < last; node++) {
    int64_t child = node << FAN_OUT_BITS;
    int64_t end = child + FAN_OUT < job->below.count ? child + FAN_OUT : job->below.count;
    int32_t high = INT32_MIN, low = INT32_MAX;
    for (int64_t i = child; i < end; i++) {
      high = job->below.high[i] > high ? job->below.high[i] : high;
      low = job->below.low[i] < low ? job->below.low[i] : low;
    }
    job->high[node] = high;
    job->low[node] = low;
  }
  return FMLP_OK;
}

static void tail_copy(pyramid *tree) {
  level bars = tree->levels[0];
  tree->tail_first = bars.count > FAN_OUT ? bars.count - FAN_OUT + 1 : 0;
  for (int64_t i = 0; i < TAIL; i++) {
    bool present = tree->tail_first + i < bars.count;
    tree->tail_high[i] = present ? bars.high[tree->tail_first + i] : INT32_MIN;
    tree->tail_low[i] = present ? bars.low[tree->tail_first + i] : INT32_MAX;
  }
}

/* The levels above the bars; on success tree->nodes is the caller's. */
static fmlp_status pyramid_build(pyramid *tree, fmlp_error *error) {
  int64_t total = 0;
  for (int64_t count = tree->levels[0].count; count > FAN_OUT;) {
    count = (count + FAN_OUT - 1) >> FAN_OUT_BITS;
    total += 2 * (count + FAN_OUT);
  }
  FMLP_TRY(fmlp_alloc(&tree->nodes, total, sizeof *tree->nodes, "the barrier pyramid", error));
  int32_t *next = tree->nodes;
  for (int k = 1; tree->levels[k - 1].count > FAN_OUT; k++) {
    assert(k < LEVELS);
    build job = {.below = tree->levels[k - 1]};
    int64_t count = (job.below.count + FAN_OUT - 1) >> FAN_OUT_BITS;
    job.high = next;
    job.low = next + count + FAN_OUT;
    next = job.low + count + FAN_OUT;
    for (int64_t i = count; i < count + FAN_OUT; i++) {
      job.high[i] = INT32_MIN;
      job.low[i] = INT32_MAX;
    }
    fmlp_status status =
        fmlp_parallel_for(count, NODE_GRAIN, build_nodes, &job, "building the barrier pyramid", error);
    if (status != FMLP_OK) {
      fmlp_free(tree->nodes);
      tree->nodes = NULL;
      return status;
    }
    tree->levels[k] = (level){.high = job.high, .low = job.low, .count = count};
  }
  return FMLP_OK;
}

/* Bit j is set when node j of FAN_OUT reaches upper or lower. Intrinsics, because compilers do not make a bit
 * mask of a comparison loop; the plain loop below made the whole search four times slower. */
static inline uint32_t touches(const int32_t *high, const int32_t *low, int32_t upper, int32_t lower) {
#if defined(__AVX512F__)
  __m512i uppers = _mm512_set1_epi32(upper), lowers = _mm512_set1_epi32(lower);
  uint32_t above0 = _mm512_cmpge_epi32_mask(_mm512_loadu_si512(high), uppers);
  uint32_t above1 = _mm512_cmpge_epi32_mask(_mm512_loadu_si512(high + 16), uppers);
  uint32_t below0 = _mm512_cmple_epi32_mask(_mm512_loadu_si512(low), lowers);
  uint32_t below1 = _mm512_cmple_epi32_mask(_mm512_loadu_si512(low + 16), lowers);
  return (above0 | below0) | (above1 | below1) << 16;
#elif defined(__AVX2__)
  __m256i uppers = _mm256_set1_epi32(upper), lowers = _mm256_set1_epi32(lower);
  uint32_t between = 0;
  for (int j = 0; j < FAN_OUT; j += 8) {
    __m256i highs = _mm256_loadu_si256((const __m256i *)(const void *)(high + j));
    __m256i lows = _mm256_loadu_si256((const __m256i *)(const void *)(low + j));
    __m256i inside = _mm256_and_si256(_mm256_cmpgt_epi32(uppers, highs), _mm256_cmpgt_epi32(lows, lowers));
    between |= (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(inside)) << j;
  }
  return ~between;
#else
  uint32_t hits = 0;
  for (int j = 0; j < FAN_OUT; j++) hits |= (uint32_t)((high[j] >= upper) | (low[j] <= lower)) << j;
  return hits;
#endif
}

static inline uint32_t touches_from(const pyramid *tree, int k, int64_t node, int32_t upper, int32_t lower) {
  if (k == 0 && node >= tree->tail_first) {
    int64_t in_tail = node - tree->tail_first;
    return touches(tree->tail_high + in_tail, tree->tail_low + in_tail, upper, lower);
  }
  return touches(tree->levels[k].high + node, tree->levels[k].low + node, upper, lower);
}

/* The first bar from `first` on that touches a level; anything beyond `last` when none up to it does. Levels
 * above 0 are looked at only when last is FAN_OUT or more bars away. */
static inline int64_t first_touch(const pyramid *tree, int64_t first, int64_t last, int32_t upper,
                                  int32_t lower) {
  uint32_t hits = touches_from(tree, 0, first, upper, lower);
  if (last - first < FAN_OUT) return hits ? first + __builtin_ctz(hits) : INT64_MAX;
  int64_t node = first;
  int k = 0;
  while (!hits) {
    node = (node + FAN_OUT) >> FAN_OUT_BITS; /* its nodes already seen cannot hit */
    k++;
    if (node << (FAN_OUT_BITS * k) > last) return INT64_MAX;
    hits = touches_from(tree, k, node, upper, lower);
  }
  node += __builtin_ctz(hits);
  while (k > 0) {
    k--;
    node <<= FAN_OUT_BITS;
    node += __builtin_ctz(touches_from(tree, k, node, upper, lower));
  }
  return node;
}

/* Bars from the event bar to the last one allowed, the most of all events; checks the contract on the way. */
static int64_t longest_horizon(const fmlp_barrier_search *job, const int32_t *start_bar,
                               const int32_t *last_bar) {
  int32_t longest = 0;
  int outside = 0;
  for (int64_t e = 0; e < job->events; e++) {
    int32_t start = start_bar[e], last = last_bar[e];
    outside |= (start < 0) | (start >= last) | (last >= (int32_t)job->bars);
    longest = last - start > longest ? last - start : longest;
  }
  (void)outside;
  assert(!outside && "0 <= start_bar < last_bar < bars");
  return longest;
}

static fmlp_status search_events(void *context, int64_t first, int64_t last, int worker, fmlp_error *error) {
  (void)worker;
  (void)error;
  const search *job = context;
  int8_t both = job->tie == FMLP_TIE_TICKS      ? FMLP_OUTCOME_TIE
                : job->tie == FMLP_TIE_SL_FIRST ? FMLP_OUTCOME_STOP
                                                : FMLP_OUTCOME_TARGET;
  /* By which levels are touched: none, the lower, the upper, both. */
  const int8_t outcomes[] = {FMLP_OUTCOME_TIME, (int8_t)-job->side, (int8_t)job->side, both};
  const int32_t *uppers = job->side > 0 ? job->target : job->stop;
  const int32_t *lowers = job->side > 0 ? job->stop : job->target;
  for (int64_t e = first; e < last; e++) {
    int32_t upper = uppers[e], lower = lowers[e], last_bar = job->last_bar[e];
    int64_t bar = first_touch(job->tree, (int64_t)job->start_bar[e] + 1, last_bar, upper, lower);
    int64_t exit_bar = bar < last_bar ? bar : last_bar; /* untouched when bar lies beyond it */
    int touched = (job->high[exit_bar] >= upper) * 2 + (job->low[exit_bar] <= lower);
    job->outcome[e] = outcomes[touched];
    job->exit_bar[e] = (int32_t)exit_bar;
  }
  return FMLP_OK;
}

/* The first tick in [first, last) at or beyond a level that is looked for, or -1. */
static int64_t first_tick(const int32_t *price, int64_t first, int64_t last, bool look_up, int32_t upper,
                          bool look_down, int32_t lower) {
  int64_t tick = first;
  for (; last - tick >= TICK_BLOCK; tick += TICK_BLOCK) {
    int any = 0;
    for (int j = 0; j < TICK_BLOCK; j++) {
      any |= (look_up & (price[tick + j] >= upper)) | (look_down & (price[tick + j] <= lower));
    }
    if (any) break;
  }
  for (; tick < last; tick++) {
    if ((look_up && price[tick] >= upper) || (look_down && price[tick] <= lower)) return tick;
  }
  return -1;
}

static fmlp_status resolve_events(void *context, int64_t first, int64_t last, int worker, fmlp_error *error) {
  (void)worker;
  (void)error;
  const resolve *job = context;
  for (int64_t e = first; e < last; e++) {
    int32_t upper = job->side > 0 ? job->target[e] : job->stop[e];
    int32_t lower = job->side > 0 ? job->stop[e] : job->target[e];
    int8_t outcome = job->outcome[e];
    bool tie = outcome == FMLP_OUTCOME_TIE;
    bool look_up = tie || outcome == job->side;
    bool look_down = tie || outcome == -job->side;
    int64_t tick =
        first_tick(job->price, job->tick_first[e], job->tick_last[e], look_up, upper, look_down, lower);
    job->exit_tick[e] = tick;
    if (tie && tick >= 0) job->outcome[e] = (int8_t)(job->price[tick] >= upper ? job->side : -job->side);
  }
  return FMLP_OK;
}

fmlp_status FMLP_SIMD_NAME(fmlp_cpu_barrier_search)(const fmlp_barrier_search *job, fmlp_error *error) {
  /* High and low of the bars once, of an event what is asked and what is found: 4 numbers, 5 bytes. */
  FMLP_SPAN_BYTES("cpu.barrier_search", 8 * job->bars + 21 * job->events);
  assert((job->side == 1 || job->side == -1) && job->bars <= INT32_MAX);
  if (job->events == 0) return FMLP_OK;
  pyramid tree;
  memset(&tree, 0, sizeof tree);
  tree.levels[0] = (level){.high = job->high->data, .low = job->low->data, .count = job->bars};
  tail_copy(&tree);
  search work = {.tree = &tree,
                 .side = job->side,
                 .tie = job->tie,
                 .high = job->high->data,
                 .low = job->low->data,
                 .start_bar = job->start_bar->data,
                 .target = job->target->data,
                 .stop = job->stop->data,
                 .last_bar = job->last_bar->data,
                 .outcome = job->outcome->data,
                 .exit_bar = job->exit_bar->data};
  if (longest_horizon(job, work.start_bar, work.last_bar) > FAN_OUT) FMLP_TRY(pyramid_build(&tree, error));
  fmlp_status status =
      fmlp_parallel_for(job->events, EVENT_GRAIN, search_events, &work, "triple barrier search", error);
  fmlp_free(tree.nodes);
  return status;
}

fmlp_status FMLP_SIMD_NAME(fmlp_cpu_barrier_resolve)(const fmlp_barrier_resolve *job, fmlp_error *error) {
  /* The ticks once, of an event its range, levels, outcome (read and written) and tick. */
  FMLP_SPAN_BYTES("cpu.barrier_resolve", 4 * job->ticks + 34 * job->events);
  assert(job->side == 1 || job->side == -1);
  resolve work = {.side = job->side,
                  .price = job->price->data,
                  .target = job->target->data,
                  .stop = job->stop->data,
                  .tick_first = job->tick_first->data,
                  .tick_last = job->tick_last->data,
                  .outcome = job->outcome->data,
                  .exit_tick = job->exit_tick->data};
  return fmlp_parallel_for(job->events, EVENT_GRAIN, resolve_events, &work, "triple barrier ticks", error);
}
