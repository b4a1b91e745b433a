/* The cases of the triple barrier: one table for the unit test (against a plain scan), for twins against
 * twins, and for the benchmarks. Data comes from Philox and the case alone. */
#ifndef FMLP_TESTS_EQUIVALENCE_CASES_TRIPLE_BARRIER_H
#define FMLP_TESTS_EQUIVALENCE_CASES_TRIPLE_BARRIER_H

#include <stdint.h>

#include "common/contracts/triple_barrier.h"
#include "common/core/philox.h"

typedef enum barrier_market {
  MARKET_WALK,     /* steps of -3 .. 3 points, bars a few points high */
  MARKET_GAPS,     /* as above, one bar in 16 jumps by up to 200 points */
  MARKET_CONSTANT, /* high == low == the same price throughout */
  MARKET_TIES,     /* every bar spans more than both levels */
  MARKET_EXTREME   /* INT32_MIN, INT32_MAX and values beside them */
} barrier_market;

typedef struct barrier_case {
  const char *name;
  barrier_market market;
  int32_t bars;
  int32_t events;   /* 0: one at every bar that has a successor */
  int32_t horizon;  /* bars allowed after the event bar, cut at the end */
  int32_t distance; /* points from the close to either level; INT32_MAX saturates both */
  uint64_t seed;
} barrier_case;

/* Horizons around the pyramid's fan-out and its powers; distances from "always at the next bar" to "never".
 */
static const barrier_case barrier_cases[] = {
    {"two bars", MARKET_WALK, 2, 0, 1, 2, 1},
    {"horizon 1", MARKET_WALK, 300, 0, 1, 3, 2},
    {"horizon 2", MARKET_WALK, 300, 0, 2, 4, 3},
    {"horizon 7", MARKET_WALK, 1000, 0, 7, 6, 4},
    {"horizon 8", MARKET_WALK, 1001, 0, 8, 6, 5},
    {"horizon 9", MARKET_WALK, 1003, 0, 9, 6, 6},
    {"horizon 32", MARKET_WALK, 4096, 0, 32, 15, 7},
    {"horizon 63", MARKET_WALK, 4095, 0, 63, 20, 8},
    {"horizon 64", MARKET_WALK, 4097, 0, 64, 20, 9},
    {"horizon 65", MARKET_WALK, 4096, 0, 65, 20, 10},
    {"horizon 500", MARKET_WALK, 5000, 0, 500, 60, 11},
    {"horizon 5000", MARKET_WALK, 20000, 2000, 5000, 200, 12},
    {"whole series", MARKET_WALK, 6000, 500, INT32_MAX, 400, 13},
    {"never touched", MARKET_WALK, 5000, 300, INT32_MAX, 1000000, 14},
    {"always at the next bar", MARKET_WALK, 2000, 0, 100, 1, 15},
    {"gaps", MARKET_GAPS, 4000, 0, 200, 50, 16},
    {"gaps, near levels", MARKET_GAPS, 4000, 0, 32, 2, 17},
    {"constant market", MARKET_CONSTANT, 1000, 0, 100, 1, 18},
    {"a tie in every bar", MARKET_TIES, 1000, 0, 32, 5, 19},
    {"levels at the ends of the range", MARKET_EXTREME, 3000, 0, 40, INT32_MAX, 20},
    {"extreme prices, near levels", MARKET_EXTREME, 3000, 0, 40, 1, 21},
    {"eight to the fourth bars", MARKET_WALK, 4096, 100, INT32_MAX, 300, 22},
    {"one bar more than a whole pyramid", MARKET_WALK, 4097, 100, INT32_MAX, 300, 23},
};

enum { BARRIER_CASES = sizeof barrier_cases / sizeof barrier_cases[0] };

static inline int32_t barrier_saturate(int64_t value) {
  return value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
}

static inline int64_t barrier_draw(const barrier_case *c, uint64_t stream, int64_t draw, int64_t n) {
  uint64_t key = fmlp_philox_key(c->seed, FMLP_PHILOX_TEST);
  return fmlp_philox_index(fmlp_philox_u32(key, stream, (uint64_t)draw), n);
}

/* Fills high, low and close, each [bars]; low <= close <= high. */
static inline void barrier_make_bars(const barrier_case *c, int32_t *high, int32_t *low, int32_t *close) {
  static const int32_t ends[] = {INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX - 1, INT32_MAX};
  int64_t price = 100000;
  for (int64_t i = 0; i < c->bars; i++) {
    price += barrier_draw(c, 0, i, 7) - 3;
    if (c->market == MARKET_GAPS && barrier_draw(c, 1, i, 16) == 0) price += barrier_draw(c, 2, i, 401) - 200;
    int64_t above = barrier_draw(c, 3, i, 4), below = barrier_draw(c, 4, i, 4);
    if (c->market == MARKET_CONSTANT) price = 100000, above = 0, below = 0;
    if (c->market == MARKET_TIES) above += 60, below += 60;
    if (c->market == MARKET_EXTREME) {
      price = ends[barrier_draw(c, 5, i, 7)];
      int64_t kind = barrier_draw(c, 6, i, 8);
      above = kind == 0 ? (int64_t)1 << 33 : above & 1;
      below = kind == 1 ? (int64_t)1 << 33 : below & 1;
    }
    close[i] = barrier_saturate(price);
    high[i] = barrier_saturate(price + above);
    low[i] = barrier_saturate(price - below);
  }
}

static inline int32_t barrier_event_count(const barrier_case *c) {
  return c->events > 0 ? c->events : c->bars - 1;
}

/* Fills start_bar, target, stop, last_bar, each [barrier_event_count]. With a distance above 1 every event
 * has its own, up to half as much again, and target and stop differ. */
static inline void barrier_make_events(const barrier_case *c, int32_t side, const int32_t *close,
                                       int32_t *start_bar, int32_t *target, int32_t *stop,
                                       int32_t *last_bar) {
  int32_t events = barrier_event_count(c);
  for (int64_t e = 0; e < events; e++) {
    int64_t start = c->events > 0 ? barrier_draw(c, 7, e, c->bars - 1) : e;
    int64_t spread = c->distance / 2 + 1;
    int64_t up = c->distance + (c->distance > 1 ? barrier_draw(c, 8, e, spread) : 0);
    int64_t down = c->distance + (c->distance > 1 ? barrier_draw(c, 9, e, spread) : 0);
    int64_t last = start + c->horizon;
    start_bar[e] = (int32_t)start;
    last_bar[e] = last < c->bars - 1 ? (int32_t)last : c->bars - 1;
    target[e] = barrier_saturate(close[start] + side * up);
    stop[e] = barrier_saturate(close[start] - side * down);
  }
}

#endif
