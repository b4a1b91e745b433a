/* The cases of Monte Carlo: one table for the unit test (against a plain path by path loop), for twins
 * against twins, and for the benchmarks. Data comes from Philox and the case alone. */
#ifndef FMLP_TESTS_EQUIVALENCE_CASES_MONTE_CARLO_H
#define FMLP_TESTS_EQUIVALENCE_CASES_MONTE_CARLO_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/contracts/monte_carlo.h"
#include "common/core/philox.h"

typedef enum trade_list {
  TRADES_MIXED,    /* gains and losses between -50 and +50, a slight loss on average */
  TRADES_ZERO,     /* all 0 */
  TRADES_LOSSES,   /* all -10 */
  TRADES_RUINOUS,  /* mostly small, one in 16 loses more than the initial capital */
  TRADES_HUGE,     /* ratios of 1e200: compounding overflows */
  TRADES_QUARTERS, /* multiples of 250: capital meets levels exactly */
  TRADES_RATIOS,   /* two ratios only: drawdowns from different peaks tie, or differ by an ulp */
  TRADES_THIRDS,   /* thirds of a unit: the same without compounding */
  TRADES_TINY,     /* of a capital near the smallest normal number: falls are denormal */
  TRADES_VAST,     /* of a capital near the largest: sums overflow */
  TRADES_ODD,      /* NaN and infinities among them */
  TRADES_WILD,     /* far beyond the capital, both ways: in sums nearly all cancels, so their order shows */
} trade_list;

typedef struct monte_carlo_case {
  const char *name;
  fmlp_resampling kind;
  trade_list list;
  int64_t paths, trades, block_length, max_trades;
  int64_t a_day; /* trades of a day: 1 .. 2 * a_day - 1, drawn; 0: 10 .. 13 */
  bool compounding;
  double ruin, daily_loss, target; /* fractions of initial capital; 0 turns off */
  int32_t fan_points;
  uint64_t seed;
} monte_carlo_case;

enum { MONTE_CARLO_CAPITAL = 10000 };

static const monte_carlo_case monte_carlo_cases[] = {
    {"iid", FMLP_MC_IID, TRADES_MIXED, 700, 100, 1, 100, 1, false, 0, 0, 0, 10, 42},
    {"iid, limits", FMLP_MC_IID, TRADES_MIXED, 1100, 150, 1, 700, 1, false, 0.1, 0.03, 0.1, 7, 1},
    {"iid, compounding", FMLP_MC_IID, TRADES_MIXED, 300, 90, 1, 500, 1, true, 0.1, 0, 0.1, 3, 2},
    {"iid, one path", FMLP_MC_IID, TRADES_MIXED, 1, 64, 1, 64, 1, false, 0, 0, 0, 64, 3},
    {"iid, one trade", FMLP_MC_IID, TRADES_MIXED, 40, 1, 1, 33, 1, false, 0, 0, 0, 5, 4},
    {"iid, one trade a path", FMLP_MC_IID, TRADES_MIXED, 40, 17, 1, 1, 1, false, 0, 0, 0, 3, 5},
    {"iid, zero", FMLP_MC_IID, TRADES_ZERO, 33, 30, 1, 31, 1, false, 0.1, 0.03, 0.1, 0, 6},
    {"iid, losses only", FMLP_MC_IID, TRADES_LOSSES, 65, 30, 1, 200, 1, false, 0.1, 0, 0.1, 11, 7},
    {"iid, ruinous", FMLP_MC_IID, TRADES_RUINOUS, 513, 50, 1, 97, 1, false, 1, 0, 0, 97, 8},
    {"iid, ruinous, no limits", FMLP_MC_IID, TRADES_RUINOUS, 200, 50, 1, 97, 1, false, 0, 0, 0, 4, 9},
    {"iid, levels met exactly", FMLP_MC_IID, TRADES_QUARTERS, 600, 20, 1, 40, 1, false, 0.1, 0, 0.1, 9, 10},
    {"iid, overflow", FMLP_MC_IID, TRADES_HUGE, 100, 9, 1, 40, 1, true, 0, 0, 0, 40, 11},
    {"moving block of 1", FMLP_MC_MOVING_BLOCK, TRADES_MIXED, 100, 60, 1, 100, 1, false, 0.1, 0, 0.1, 5, 12},
    {"moving block", FMLP_MC_MOVING_BLOCK, TRADES_MIXED, 600, 120, 7, 300, 1, false, 0.1, 0, 0.1, 5, 13},
    {"moving block of all", FMLP_MC_MOVING_BLOCK, TRADES_MIXED, 40, 50, 50, 130, 1, false, 0, 0, 0, 5, 14},
    {"moving block, compounding", FMLP_MC_MOVING_BLOCK, TRADES_MIXED, 70, 50, 32, 99, 1, true, 0.1, 0, 0.1, 5,
     15},
    {"circular block of 1", FMLP_MC_CIRCULAR_BLOCK, TRADES_MIXED, 70, 50, 1, 50, 1, false, 0, 0, 0, 5, 16},
    {"circular block", FMLP_MC_CIRCULAR_BLOCK, TRADES_MIXED, 600, 101, 20, 300, 1, false, 0.1, 0, 0.1, 8, 17},
    {"circular block of 13, long", FMLP_MC_CIRCULAR_BLOCK, TRADES_MIXED, 40, 101, 13, 900, 1, false, 0, 0, 0,
     8, 31},
    {"moving block of 23, long", FMLP_MC_MOVING_BLOCK, TRADES_MIXED, 40, 101, 23, 900, 1, false, 0, 0, 0, 8,
     32},
    {"circular block of all", FMLP_MC_CIRCULAR_BLOCK, TRADES_MIXED, 40, 50, 50, 130, 1, false, 0, 0, 0, 5,
     18},
    {"stationary, mean 1", FMLP_MC_STATIONARY, TRADES_MIXED, 70, 40, 1, 70, 1, false, 0, 0, 0, 5, 19},
    {"stationary", FMLP_MC_STATIONARY, TRADES_MIXED, 600, 130, 10, 300, 1, false, 0.1, 0, 0.1, 6, 20},
    {"stationary, mean of all", FMLP_MC_STATIONARY, TRADES_MIXED, 70, 40, 40, 170, 1, true, 0, 0, 0, 5, 21},
    {"permutation", FMLP_MC_PERMUTATION, TRADES_MIXED, 600, 133, 1, 133, 1, false, 0, 0, 0, 13, 22},
    {"permutation, limits", FMLP_MC_PERMUTATION, TRADES_MIXED, 200, 400, 1, 400, 1, false, 0.05, 0, 0.05, 13,
     23},
    {"permutation of one", FMLP_MC_PERMUTATION, TRADES_MIXED, 40, 1, 1, 1, 1, false, 0, 0, 0, 1, 24},
    {"day", FMLP_MC_DAY, TRADES_MIXED, 600, 200, 1, 200, 4, false, 0, 0, 0, 10, 25},
    {"day, limits", FMLP_MC_DAY, TRADES_MIXED, 1500, 200, 1, 650, 6, false, 0.1, 0.012, 0.1, 10, 26},
    {"day, compounding", FMLP_MC_DAY, TRADES_MIXED, 300, 200, 1, 650, 6, true, 0.1, 0.012, 0.1, 10, 27},
    {"day, one trade a day", FMLP_MC_DAY, TRADES_QUARTERS, 200, 50, 1, 70, 1, false, 0.1, 0.05, 0.1, 10, 28},
    {"day, levels met exactly", FMLP_MC_DAY, TRADES_QUARTERS, 600, 80, 1, 90, 5, false, 0.1, 0.075, 0.1, 1,
     29},
    {"day, ten or more trades a day", FMLP_MC_DAY, TRADES_MIXED, 70, 900, 1, 900, 0, false, 0, 0, 0, 1, 33},
    {"day, a single day", FMLP_MC_DAY, TRADES_MIXED, 50, 20, 1, 50, 1000, false, 0, 0.01, 0, 10, 30},
    {"iid, two ratios", FMLP_MC_IID, TRADES_RATIOS, 500, 60, 1, 300, 1, true, 0, 0, 0, 3, 34},
    {"stationary, thirds", FMLP_MC_STATIONARY, TRADES_THIRDS, 500, 60, 5, 300, 1, false, 0, 0, 0, 3, 35},
    {"iid, tiny", FMLP_MC_IID, TRADES_TINY, 300, 60, 1, 200, 1, false, 0.5, 0, 0.5, 3, 36},
    {"iid, tiny, compounding", FMLP_MC_IID, TRADES_TINY, 300, 60, 1, 200, 1, true, 0, 0, 0, 3, 37},
    {"circular block, vast", FMLP_MC_CIRCULAR_BLOCK, TRADES_VAST, 300, 60, 4, 200, 1, false, 0, 0, 0, 3, 38},
    {"day, vast, compounding", FMLP_MC_DAY, TRADES_VAST, 300, 60, 1, 200, 3, true, 0, 0.5, 0, 3, 39},
    {"day, odd", FMLP_MC_DAY, TRADES_ODD, 300, 200, 1, 100, 3, false, 0.5, 0.5, 0.5, 3, 40},
    {"permutation, odd", FMLP_MC_PERMUTATION, TRADES_ODD, 300, 70, 1, 70, 1, true, 0, 0, 0, 3, 41},
    {"iid, wild", FMLP_MC_IID, TRADES_WILD, 9000, 50, 1, 3, 1, false, 0, 0, 0, 1, 48},
    /* Lists that no shared memory holds. */
    {"iid, long list", FMLP_MC_IID, TRADES_MIXED, 40, 30000, 1, 150, 1, false, 0, 0, 0, 3, 42},
    {"moving block, long list", FMLP_MC_MOVING_BLOCK, TRADES_MIXED, 40, 30000, 9, 150, 1, true, 0, 0, 0, 3,
     43},
    {"circular block, long list", FMLP_MC_CIRCULAR_BLOCK, TRADES_MIXED, 40, 30000, 2, 150, 1, false, 0, 0, 0,
     3, 44},
    {"stationary, long list", FMLP_MC_STATIONARY, TRADES_MIXED, 40, 30000, 6, 150, 1, true, 0, 0, 0, 3, 45},
    {"day, long list", FMLP_MC_DAY, TRADES_MIXED, 40, 30000, 1, 150, 4, false, 0.1, 0.01, 0, 3, 46},
    {"permutation, long list", FMLP_MC_PERMUTATION, TRADES_MIXED, 70, 2500, 1, 2500, 1, true, 0, 0, 0, 3, 47},
};

enum { MONTE_CARLO_CASES = sizeof monte_carlo_cases / sizeof monte_carlo_cases[0] };

static inline int64_t monte_carlo_draw(const monte_carlo_case *c, uint64_t stream, int64_t draw, int64_t n) {
  uint64_t key = fmlp_philox_key(c->seed, FMLP_PHILOX_TEST);
  return fmlp_philox_index(fmlp_philox_u32(key, stream, (uint64_t)draw), n);
}

static inline double monte_carlo_capital(const monte_carlo_case *c) {
  return c->list == TRADES_TINY ? 1e-306 : c->list == TRADES_VAST ? 1e308 : (double)MONTE_CARLO_CAPITAL;
}

/* Trade t of the lists that are made for drawdowns. */
static inline void monte_carlo_odd_trade(const monte_carlo_case *c, int64_t t, double *pnl, double *ratio) {
  const double capital = monte_carlo_capital(c);
  const int64_t which = monte_carlo_draw(c, 2, t, 64);
  if (c->list == TRADES_RATIOS) *ratio = which % 2 ? 0.0101 : -0.01;
  if (c->list == TRADES_THIRDS) *ratio = (double)(which % 3 - 1) / 300.0;
  if (c->list == TRADES_WILD)
    *ratio = fmlp_philox_unit((uint32_t)monte_carlo_draw(c, 3, t, 4294967296)) * 2e6 - 1e6;
  *pnl = *ratio * capital;
  if (c->list == TRADES_TINY && which % 4 == 0) *pnl = *ratio = -*ratio * 1e-308;
  if (c->list == TRADES_VAST && which == 0) *pnl = *ratio = 1e308;
  if (c->list == TRADES_VAST && which == 1) *pnl = *ratio = -1.7e308;
  if (c->list == TRADES_ODD && which == 0) *pnl = *ratio = (double)NAN;
  if (c->list == TRADES_ODD && which == 1) *pnl = *ratio = (double)INFINITY;
  if (c->list == TRADES_ODD && which == 2) *pnl = *ratio = -(double)INFINITY;
  if (c->list == TRADES_ODD && which == 3) *pnl = *ratio = -0.0;
}

/* Fills pnl and ratio, each [trades]. The ratio is that of a list traded once from the initial capital. */
static inline void monte_carlo_make_trades(const monte_carlo_case *c, double *pnl, double *ratio) {
  double capital = MONTE_CARLO_CAPITAL;
  for (int64_t t = 0; t < c->trades; t++) {
    double value = (double)(monte_carlo_draw(c, 0, t, 100001) - 50500) / 1000.0;
    if (c->list == TRADES_ZERO) value = 0.0;
    if (c->list == TRADES_LOSSES) value = -10.0;
    if (c->list == TRADES_RUINOUS && monte_carlo_draw(c, 1, t, 16) == 0) value -= 12000.0;
    if (c->list == TRADES_QUARTERS) value = 250.0 * (double)(monte_carlo_draw(c, 2, t, 5) - 2);
    pnl[t] = value;
    ratio[t] = value / capital;
    if (c->list == TRADES_HUGE) ratio[t] = value < 0.0 ? -1e200 : 1e200;
    if (c->list == TRADES_MIXED) capital += value;
    if (c->list >= TRADES_RATIOS) monte_carlo_odd_trade(c, t, &pnl[t], &ratio[t]);
  }
}

/* Fills day_offset, [trades + 1] at most, and gives the number of days. */
static inline int64_t monte_carlo_make_days(const monte_carlo_case *c, int64_t *day_offset) {
  int64_t days = 0;
  for (int64_t t = 0; t < c->trades; days++) {
    day_offset[days] = t;
    int64_t left = c->trades - t;
    int64_t length = c->a_day > 0 ? 1 + monte_carlo_draw(c, 3, days, 2 * c->a_day - 1)
                                  : 10 + monte_carlo_draw(c, 3, days, 4);
    t += c->a_day == 0 && left < 24 ? left : length;
  }
  day_offset[days] = c->trades;
  return days;
}

/* A job of the case without its buffers. */
static inline fmlp_monte_carlo monte_carlo_job(const monte_carlo_case *c, int64_t days) {
  double capital = monte_carlo_capital(c);
  fmlp_monte_carlo job = {.kind = c->kind,
                          .seed = c->seed,
                          .paths = c->paths,
                          .trades = c->trades,
                          .days = c->kind == FMLP_MC_DAY ? days : 0,
                          .block_length = c->block_length,
                          .max_trades = c->max_trades,
                          .compounding = c->compounding,
                          .initial_capital = capital,
                          .ruin_level = c->ruin > 0.0 ? capital * (1.0 - c->ruin) : -(double)INFINITY,
                          .daily_loss = c->daily_loss > 0.0 ? c->daily_loss * capital : (double)INFINITY,
                          .target_level = c->target > 0.0 ? capital * (1.0 + c->target) : (double)INFINITY,
                          .fan_points = c->fan_points};
  return job;
}

#endif
