/* Monte Carlo: the table's kinds, lists and limits, every output of a path and the totals. */
#include <stdio.h>
#include <string.h>

#include "common/core/memory.h"
#include "tests/equivalence/cases_monte_carlo.h"
#include "tests/equivalence/equivalence.h"

enum { NAME_CAPACITY = 160 };
enum {
  PNL,
  RATIO,
  DAY_OFFSET,
  FINAL_CAPITAL,
  MAX_DRAWDOWN,
  TRADES_USED,
  OUTCOME,
  FAN,
  COUNTS,
  MEANS,
  ARRAYS
};
enum { COUNT_TOTALS = FMLP_PATH_OUTCOMES + 2 };

typedef struct study {
  const monte_carlo_case *c;
  int64_t days;
  int64_t first_path;
} study;

static fmlp_status run_study(const equivalence_case *c, const fmlp_compute *compute,
                             fmlp_buffer *const *buffers, void *const *host, fmlp_error *error) {
  const study *s = c->job;
  fmlp_monte_carlo job = monte_carlo_job(s->c, s->days);
  job.first_path = s->first_path;
  job.pnl = buffers[PNL];
  job.ratio = buffers[RATIO];
  job.day_offset = buffers[DAY_OFFSET];
  job.final_capital = buffers[FINAL_CAPITAL];
  job.max_drawdown = buffers[MAX_DRAWDOWN];
  job.trades_used = buffers[TRADES_USED];
  job.outcome = buffers[OUTCOME];
  job.fan = buffers[FAN];
  fmlp_monte_carlo_totals totals;
  memset(&totals, 0, sizeof totals);
  FMLP_TRY(compute->backend->monte_carlo(compute->device, &job, &totals, error));
  int64_t *counts = host[COUNTS];
  memcpy(counts, totals.outcome_count, sizeof totals.outcome_count);
  counts[FMLP_PATH_OUTCOMES] = totals.loss_count;
  counts[FMLP_PATH_OUTCOMES + 1] = totals.trades_used_total;
  double *means = host[MEANS];
  means[0] = totals.mean_final_capital;
  means[1] = totals.mean_max_drawdown;
  return FMLP_OK;
}

static fmlp_status check_made(equivalence *all, const study *s, const char *name, const char *group,
                              const double *pnl, const double *ratio, const int64_t *day_offset,
                              int32_t turns, fmlp_error *error) {
  const monte_carlo_case *c = s->c;
  const equivalence_array arrays[ARRAYS] = {
      [PNL] = {"pnl", EQUIVALENCE_DOUBLE, c->trades, pnl, false, false},
      [RATIO] = {"ratio", EQUIVALENCE_DOUBLE, c->trades, ratio, false, false},
      [DAY_OFFSET] = {"day_offset", EQUIVALENCE_INT64, s->days + 1, day_offset, false, false},
      [FINAL_CAPITAL] = {"final_capital", EQUIVALENCE_DOUBLE, c->paths, NULL, true, false},
      [MAX_DRAWDOWN] = {"max_drawdown", EQUIVALENCE_DOUBLE, c->paths, NULL, true, false},
      [TRADES_USED] = {"trades_used", EQUIVALENCE_INT32, c->paths, NULL, true, false},
      [OUTCOME] = {"outcome", EQUIVALENCE_INT8, c->paths, NULL, true, false},
      [FAN] = {"fan", EQUIVALENCE_DOUBLE, c->paths * c->fan_points, NULL, true, false},
      [COUNTS] = {"counts of the totals", EQUIVALENCE_INT64, COUNT_TOTALS, NULL, true, true},
      [MEANS] = {"means of the totals", EQUIVALENCE_DOUBLE, 2, NULL, true, true}};
  const equivalence_case studied = {.operation = "monte_carlo",
                                    .name = name,
                                    .group = group,
                                    .array_count = ARRAYS,
                                    .arrays = arrays,
                                    .run = run_study,
                                    .job = s,
                                    .units = c->paths};
  return equivalence_check(all, &studied, turns, error);
}

const char *const equivalence_kind_names[EQUIVALENCE_KINDS] = {
    "day", "iid", "moving_block", "circular_block", "stationary", "permutation"};

/* `group`: whose set-ups it goes on with; NULL: its kind's. */
static fmlp_status check_study(equivalence *all, const monte_carlo_case *c, const char *group,
                               int64_t first_path, int32_t turns, fmlp_error *error) {
  char name[NAME_CAPACITY];
  (void)snprintf(name, sizeof name, first_path > 0 ? "%s, from path %lld" : "%s", c->name,
                 (long long)first_path);
  const char *kind = equivalence_kind_names[c->kind];
  if (all->options.family && strcmp(all->options.family, kind) != 0) return FMLP_OK;
  if (!equivalence_wants(all, "monte_carlo", name)) return FMLP_OK;
  double *pnl = NULL, *ratio = NULL;
  int64_t *day_offset = NULL;
  fmlp_status status = fmlp_alloc(&pnl, c->trades, sizeof *pnl, "trades", error);
  if (status == FMLP_OK) status = fmlp_alloc(&ratio, c->trades, sizeof *ratio, "trades", error);
  if (status == FMLP_OK) status = fmlp_alloc(&day_offset, c->trades + 1, sizeof *day_offset, "days", error);
  if (status == FMLP_OK) {
    monte_carlo_make_trades(c, pnl, ratio);
    study s = {.c = c, .first_path = first_path};
    s.days = monte_carlo_make_days(c, day_offset);
    status = check_made(all, &s, name, group ? group : kind, pnl, ratio, day_offset, turns, error);
  }
  fmlp_free(pnl);
  fmlp_free(ratio);
  fmlp_free(day_offset);
  return status;
}

/* More whole tiles in one chunk than the totals have blocks on a small device, so that a block takes several.
 */
static const monte_carlo_case many_tiles = {
    "iid, many tiles", FMLP_MC_IID, TRADES_MIXED, 45000, 20, 1, 1, 1, false, 0, 0, 0, 0, 49};

/* Whether another order of adding gives another mean is chance; from path 100 on it does. */
static const monte_carlo_case one_tile = {
    "iid, wild, one tile", FMLP_MC_IID, TRADES_WILD, 1024, 50, 1, 3, 1, false, 0, 0, 0, 1, 48};

static const monte_carlo_case large_studies[] = {
    {"iid, a million paths", FMLP_MC_IID, TRADES_MIXED, 1000000, 500, 1, 1000, 1, false, 0.1, 0, 0.1, 20, 61},
    {"day, a million paths", FMLP_MC_DAY, TRADES_MIXED, 1000000, 500, 1, 1000, 6, true, 0.1, 0.012, 0.1, 20,
     62},
    {"moving block, many trades", FMLP_MC_MOVING_BLOCK, TRADES_MIXED, 100000, 100000, 50, 3000, 1, false, 0,
     0, 0, 10, 63},
    {"circular block, many trades", FMLP_MC_CIRCULAR_BLOCK, TRADES_MIXED, 100000, 100000, 50, 3000, 1, true,
     0, 0, 0, 10, 64},
    {"stationary, many trades", FMLP_MC_STATIONARY, TRADES_MIXED, 100000, 100000, 50, 3000, 1, false, 0, 0, 0,
     10, 65},
    {"permutation, many trades", FMLP_MC_PERMUTATION, TRADES_MIXED, 20000, 20000, 1, 20000, 1, false, 0, 0, 0,
     10, 66},
};

fmlp_status equivalence_monte_carlo(equivalence *all, fmlp_error *error) {
  const equivalence_size size = all->options.size;
  const int32_t turns = size == EQUIVALENCE_QUICK ? 9 : 63;
  for (int i = 0; i < MONTE_CARLO_CASES; i++) {
    FMLP_TRY(check_study(all, &monte_carlo_cases[i], NULL, 0, turns, error));
    /* As a rank or a later chunk sees it; the last is beyond 32 bits. */
    if (i % 6 == 1)
      FMLP_TRY(check_study(all, &monte_carlo_cases[i], NULL, 1 + i * (int64_t)1000000007, 1, error));
  }
  FMLP_TRY(check_study(all, &one_tile, one_tile.name, 100, 1, error));
  FMLP_TRY(check_study(all, &many_tiles, many_tiles.name, 0, 1, error));
  for (int i = 0; i < 6 && size == EQUIVALENCE_FULL; i++)
    FMLP_TRY(check_study(all, &large_studies[i], NULL, 0, 2, error));
  return FMLP_OK;
}
