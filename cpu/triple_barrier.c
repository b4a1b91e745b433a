/* Triple barrier, the reference (contracts/triple_barrier.h).
 *
 * The definition: of the bars after the event bar up to last_bar, the first whose high reaches the upper
 * level or whose low reaches the lower one. For a long the upper level is the target, for a short the stop.
 * Prices are integers, so any correct search gives the same answer; this one climbs a pyramid:
 *
 *   level 0   the bars;   level k+1   max of the highs and min of the lows of 8 nodes of level k
 *
 * From the bar after the event it looks at the rest of the bar's group of 8, then at the rest of the parent's
 * group one level up, and so on until a node can hit, then goes down taking the first child that can. A node
 * can hit exactly when one of its bars does, so there is no backtracking: 2 log8(horizon) steps, and nothing
 * depends on how volatile the market is.
 *
 * A group of 8 nodes is one cache line: 8 highs, then 8 complemented lows (~low >= ~lower is low <= lower),
 * so that one 16-lane compare answers for the group. */
#include <assert.h>
#include <stdbool.h>
#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "cpu/cpu.h"
#include "prof/span.h"

enum {
  FAN_OUT = 8,
  FAN_OUT_BITS = 3,
  GROUP = 2 * FAN_OUT,   /* int32 of one group: highs, complemented lows */
  LEVELS = 11,           /* 8^11 > 2^31 */
  GROUP_GRAIN = 1 << 15, /* groups of one parallel chunk while building */
  EVENT_GRAIN = 1 << 13,
  TICK_BLOCK = 16
};

typedef struct pyramid {
  int32_t *nodes;
  int32_t *level[LEVELS]; /* into nodes; level[k] holds groups[k] groups */
  int64_t groups[LEVELS];
  int32_t levels;
} pyramid;

typedef struct build {
  pyramid *tree;
  int32_t level; /* being written */
  int64_t bars;
  const int32_t *high, *low;
} build;

typedef struct search {
  const pyramid *tree;
  const int32_t *high, *low;
  int32_t side;
  fmlp_tie_rule tie;
  int64_t bars;
  const int32_t *start_bar, *target, *stop, *last_bar;
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

/* Level 0: bars beyond the last are filled with what can never be the first hit, since last_bar < bars. */
static fmlp_status build_leaves(void *context, int64_t first, int64_t last, int worker, fmlp_error *error) {
  (void)worker;
  (void)error;
  const build *job = context;
  int32_t *restrict out = job->tree->level[0];
  for (int64_t group = first; group < last; group++) {
    int64_t bar = group * FAN_OUT;
    int64_t present = job->bars - bar < FAN_OUT ? job->bars - bar : FAN_OUT;
    if (present == FAN_OUT) {
      for (int j = 0; j < FAN_OUT; j++) out[group * GROUP + j] = job->high[bar + j];
      for (int j = 0; j < FAN_OUT; j++) out[group * GROUP + FAN_OUT + j] = ~job->low[bar + j];
      continue;
    }
    for (int j = 0; j < FAN_OUT; j++) {
      out[group * GROUP + j] = j < present ? job->high[bar + j] : INT32_MIN;
      out[group * GROUP + FAN_OUT + j] = j < present ? ~job->low[bar + j] : INT32_MIN;
    }
  }
  return FMLP_OK;
}

static int32_t max_of_eight(const int32_t *x) {
  int32_t best = x[0];
  for (int j = 1; j < FAN_OUT; j++) best = x[j] > best ? x[j] : best;
  return best;
}

static fmlp_status build_level(void *context, int64_t first, int64_t last, int worker, fmlp_error *error) {
  (void)worker;
  (void)error;
  const build *job = context;
  const int32_t *below = job->tree->level[job->level - 1];
  int64_t below_groups = job->tree->groups[job->level - 1];
  int32_t *out = job->tree->level[job->level];
  for (int64_t group = first; group < last; group++) {
    for (int j = 0; j < FAN_OUT; j++) {
      int64_t child = group * FAN_OUT + j;
      bool present = child < below_groups;
      out[group * GROUP + j] = present ? max_of_eight(below + child * GROUP) : INT32_MIN;
      out[group * GROUP + FAN_OUT + j] = present ? max_of_eight(below + child * GROUP + FAN_OUT) : INT32_MIN;
    }
  }
  return FMLP_OK;
}

static fmlp_status pyramid_build(pyramid *tree, int64_t bars, const int32_t *high, const int32_t *low,
                                 fmlp_error *error) {
  int64_t groups = (bars + FAN_OUT - 1) / FAN_OUT, total = 0;
  for (tree->levels = 0;; groups = (groups + FAN_OUT - 1) / FAN_OUT) {
    assert(tree->levels < LEVELS);
    tree->groups[tree->levels++] = groups;
    total += groups;
    if (groups == 1) break;
  }
  FMLP_TRY(fmlp_alloc(&tree->nodes, total * GROUP, sizeof *tree->nodes, "the barrier pyramid", error));
  build job = {.tree = tree, .level = 0, .bars = bars, .high = high, .low = low};
  int64_t offset = 0;
  for (job.level = 0; job.level < tree->levels; job.level++) {
    tree->level[job.level] = tree->nodes + offset * GROUP;
    offset += tree->groups[job.level];
    fmlp_status status =
        fmlp_parallel_for(tree->groups[job.level], GROUP_GRAIN, job.level == 0 ? build_leaves : build_level,
                          &job, "building the barrier pyramid", error);
    if (status != FMLP_OK) {
      fmlp_free(tree->nodes);
      tree->nodes = NULL;
      return status;
    }
  }
  return FMLP_OK;
}

/* Bit j is set when node j of the group can hit. Intrinsics, because no compiler makes a bit mask of a
 * comparison loop; written out, the search is about three times slower. */
static inline unsigned group_hits(const int32_t *group, int32_t upper, int32_t not_lower) {
#if defined(__AVX512F__)
  __m512i levels = _mm512_mask_set1_epi32(_mm512_set1_epi32(upper), 0xff00, not_lower);
  unsigned hits = (unsigned)_mm512_cmpge_epi32_mask(_mm512_load_si512(group), levels);
  return (hits | hits >> FAN_OUT) & 0xffu;
#elif defined(__AVX2__)
  __m256i highs = _mm256_load_si256((const __m256i *)(const void *)group);
  __m256i lows = _mm256_load_si256((const __m256i *)(const void *)(group + FAN_OUT));
  __m256i high_misses = _mm256_cmpgt_epi32(_mm256_set1_epi32(upper), highs);
  __m256i low_misses = _mm256_cmpgt_epi32(_mm256_set1_epi32(not_lower), lows);
  __m256i misses = _mm256_and_si256(high_misses, low_misses);
  return ~(unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(misses)) & 0xffu;
#else
  unsigned hits = 0;
  for (int j = 0; j < FAN_OUT; j++) {
    hits |= (unsigned)((group[j] >= upper) | (group[FAN_OUT + j] >= not_lower)) << j;
  }
  return hits;
#endif
}

/* The first bar in [first, last] that touches a level, or -1. */
static inline int64_t first_touch(const pyramid *tree, int64_t first, int64_t last, int32_t upper,
                                  int32_t lower) {
  int64_t node = first;
  int32_t level = 0;
  for (;;) {
    if (node << (FAN_OUT_BITS * level) > last) return -1;
    const int32_t *group = tree->level[level] + (node >> FAN_OUT_BITS) * GROUP;
    unsigned hits = group_hits(group, upper, ~lower) & (0xffu << (node & (FAN_OUT - 1)));
    if (hits) {
      node = (node & ~(int64_t)(FAN_OUT - 1)) + __builtin_ctz(hits);
      break;
    }
    node = (node >> FAN_OUT_BITS) + 1;
    level++;
  }
  while (level > 0) {
    if (node << (FAN_OUT_BITS * level) > last) return -1;
    level--;
    node = node * FAN_OUT + __builtin_ctz(group_hits(tree->level[level] + node * GROUP, upper, ~lower));
  }
  return node <= last ? node : -1;
}

static fmlp_status search_events(void *context, int64_t first, int64_t last, int worker, fmlp_error *error) {
  (void)worker;
  (void)error;
  const search *job = context;
  int8_t up = (int8_t)job->side, down = (int8_t)-job->side;
  int8_t both = job->tie == FMLP_TIE_TICKS      ? FMLP_OUTCOME_TIE
                : job->tie == FMLP_TIE_SL_FIRST ? FMLP_OUTCOME_STOP
                                                : FMLP_OUTCOME_TARGET;
  for (int64_t e = first; e < last; e++) {
    int32_t upper = job->side > 0 ? job->target[e] : job->stop[e];
    int32_t lower = job->side > 0 ? job->stop[e] : job->target[e];
    assert(0 <= job->start_bar[e] && job->start_bar[e] < job->last_bar[e] && job->last_bar[e] < job->bars);
    int64_t bar = first_touch(job->tree, (int64_t)job->start_bar[e] + 1, job->last_bar[e], upper, lower);
    if (bar < 0) {
      job->outcome[e] = FMLP_OUTCOME_TIME;
      job->exit_bar[e] = job->last_bar[e];
      continue;
    }
    bool touched_upper = job->high[bar] >= upper, touched_lower = job->low[bar] <= lower;
    job->outcome[e] = touched_upper && touched_lower ? both : touched_upper ? up : down;
    job->exit_bar[e] = (int32_t)bar;
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
  FMLP_SPAN("cpu.barrier_search");
  assert((job->side == 1 || job->side == -1) && job->bars <= INT32_MAX);
  if (job->events == 0) return FMLP_OK;
  pyramid tree = {.nodes = NULL};
  search work = {.tree = &tree,
                 .high = job->high->data,
                 .low = job->low->data,
                 .side = job->side,
                 .tie = job->tie,
                 .bars = job->bars,
                 .start_bar = job->start_bar->data,
                 .target = job->target->data,
                 .stop = job->stop->data,
                 .last_bar = job->last_bar->data,
                 .outcome = job->outcome->data,
                 .exit_bar = job->exit_bar->data};
  FMLP_TRY(pyramid_build(&tree, job->bars, work.high, work.low, error));
  fmlp_status status =
      fmlp_parallel_for(job->events, EVENT_GRAIN, search_events, &work, "triple barrier search", error);
  fmlp_free(tree.nodes);
  return status;
}

fmlp_status FMLP_SIMD_NAME(fmlp_cpu_barrier_resolve)(const fmlp_barrier_resolve *job, fmlp_error *error) {
  FMLP_SPAN("cpu.barrier_resolve");
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
