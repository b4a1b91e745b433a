/* Monte Carlo over a trade list, the reference (contracts/monte_carlo.h).
 *
 * Path p of the job has number s = first_path + p. Its draw d is word d mod 4 of Philox(key = seed, counter =
 * (d / 4, s)); index(u, n) = (u * n) >> 32. Trades t = 0, 1, ... max_trades - 1 of the path are, of n trades:
 *
 *   iid              index(draw t, n)
 *   moving block     t mod L == 0: b = index(draw t/L, n - L + 1); trade b + t mod L
 *   circular block   t mod L == 0: b = index(draw t/L, n); trade (b + t mod L) mod n
 *   stationary       t == 0 or draw 2t < floor(2^32 / L): index(draw 2t+1, n); else the one after the
 * previous, 0 after n - 1 permutation      order = 0 .. n-1 at the start; j = t + index(draw t, n - t),
 * exchange order[t] and order[j], trade order[t] day              draw k gives the k-th day: d = index(draw
 * k, days), all trades of d in order
 *
 * Before the first trade capital = peak = initial_capital, drawdown = 0. Then for each trade, in this order,
 * all in double precision with one rounding an operation:
 *
 *   day kind, first trade of a day:  day_open = capital
 *   capital = capital + pnl[trade]            or, compounding,   capital = capital + ratio[trade] * capital
 *   if capital > peak: peak = capital
 *   fall = (peak - capital) / peak;  if fall > drawdown: drawdown = fall
 *   day kind and capital - day_open <= -daily_loss: stop, DAILY_LOSS
 *   capital <= ruin_level: stop, RUIN
 *   capital >= target_level: stop, TARGET
 *
 * Nothing is evaluated before the first trade. The daily loss is that of the day's trades closed so far,
 * after each of them: a day that recovers later has still broken the rule, and the day that max_trades cuts
 * short is judged by the trades it got. peak starts at initial_capital > 0 and never falls, so the division
 * is defined; a capital below zero gives a drawdown above 1. NaN fails every comparison. Limits apply to
 * every kind.
 *
 * fan[f] is the capital after trade ceil(max_trades * (f + 1) / fan_points), or the last one of a path that
 * stopped before. final_capital, max_drawdown and fan are stored canonical (core/bits.h). Totals are taken
 * from the stored columns: counts, and fixed tree sums (core/tree.h) divided by the number of paths.
 *
 * How: LANES paths are advanced together, ROWS trades at a time. A sampler writes which trade each lane takes
 * in each row, then walk() applies the rules above to all lanes of a row with the same instructions. A lane
 * whose path ended takes the next path, so that paths that stop early do not idle the others. No lane sees
 * another. */
#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "common/core/bits.h"
#include "common/core/floating.h"
#include "common/core/interrupt.h"
#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "common/core/philox.h"
#include "common/core/tree.h"
#include "cpu/cpu.h"
#include "cpu/philox_lanes.h"
#include "prof/span.h"

enum {
  LANES = PHILOX_LANES,
  ROWS = 32,         /* a multiple of FMLP_PHILOX_WORDS: every step starts at word 0 */
  RANDOM = 2 * ROWS, /* draws of one step at most: stationary takes two a trade */
  PATH_GRAIN = 512
};

typedef struct study {
  const fmlp_monte_carlo *job;
  const double *value; /* pnl, or ratio when compounding */
  const int64_t *day_offset;
  int64_t shortest_run;  /* of consecutive trades from one draw: the block length, or the shortest day */
  const int64_t *fan_at; /* [fan_points] trades after which each column of the fan is taken */
  double *final_capital, *max_drawdown, *fan;
  int32_t *trades_used;
  int8_t *outcome;
} study;

/* What the rules look at, for each lane. `limit` is the number of rows of this step that count, lowered when
 * the path stops; it and the outcome are doubles, because gcc vectorises walk() only over lanes of one type.
 */
typedef struct accounts {
  double capital[LANES], peak[LANES], drawdown[LANES], day_open[LANES], limit[LANES], outcome[LANES];
} accounts;

/* What each lane is doing. `path` is relative to the job, -1 in an idle lane. */
typedef struct lanes {
  accounts of;
  int64_t path[LANES];
  int64_t done[LANES]; /* trades before this step, a multiple of ROWS */
  int32_t next_fan[LANES];
  int64_t draws[LANES];    /* taken so far, by kinds that draw once for a run of trades */
  int64_t position[LANES]; /* the next trade of the run */
  int64_t left[LANES];     /* trades left in it */
} lanes;

/* Scratch of one chunk. */
typedef struct step {
  lanes state;
  int32_t trade[ROWS][LANES];
  double opens_day[ROWS][LANES]; /* 1 where a resampled day begins, else 0 */
  double capital[ROWS][LANES];   /* after each row, for the fan */
  uint32_t random[RANDOM][LANES];
  int32_t *order; /* permutation: [LANES][trades] */
} step;

/* ---- which trades ---- */

/* `blocks` blocks of random numbers for every lane, from the one that holds the lane's draw `first_draw`. */
static void draw_blocks(step *now, const study *work, const int64_t *first_draw, int64_t scale, int blocks) {
  uint64_t first[LANES], path[LANES];
  for (int lane = 0; lane < LANES; lane++) {
    first[lane] = (uint64_t)(first_draw[lane] * scale) / FMLP_PHILOX_WORDS;
    path[lane] = (uint64_t)(work->job->first_path + now->state.path[lane]);
  }
  assert(blocks * FMLP_PHILOX_WORDS <= RANDOM);
  uint64_t key = fmlp_philox_key(work->job->seed, FMLP_PHILOX_MONTE_CARLO);
  philox_lanes(now->random, blocks, key, first, path);
}

static void sample_iid(step *now, const study *work) {
  draw_blocks(now, work, now->state.done, 1, ROWS / FMLP_PHILOX_WORDS);
  uint64_t n = (uint64_t)work->job->trades;
  for (int row = 0; row < ROWS; row++) {
    for (int lane = 0; lane < LANES; lane++) {
      now->trade[row][lane] = (int32_t)((now->random[row][lane] * n) >> 32);
    }
  }
}

static void sample_stationary(step *now, const study *work) {
  draw_blocks(now, work, now->state.done, 2, 2 * ROWS / FMLP_PHILOX_WORDS);
  lanes *state = &now->state;
  int64_t n = work->job->trades;
  uint64_t restart_below = ((uint64_t)1 << 32) / (uint64_t)work->job->block_length;
  for (int row = 0; row < ROWS; row++) {
    for (int lane = 0; lane < LANES; lane++) {
      bool restart = now->random[2 * row][lane] < restart_below || state->done[lane] + row == 0;
      int64_t fresh = fmlp_philox_index(now->random[2 * row + 1][lane], n);
      int64_t trade = restart ? fresh : state->position[lane];
      now->trade[row][lane] = (int32_t)trade;
      state->position[lane] = trade + 1 == n ? 0 : trade + 1;
    }
  }
}

/* Where the run that draw u begins starts, and how long it is. */
static int64_t run_start(const study *work, uint32_t u, int64_t *length) {
  const fmlp_monte_carlo *job = work->job;
  *length = job->block_length;
  if (job->kind == FMLP_MC_MOVING_BLOCK) return fmlp_philox_index(u, job->trades - job->block_length + 1);
  if (job->kind == FMLP_MC_CIRCULAR_BLOCK) return fmlp_philox_index(u, job->trades);
  int64_t day = fmlp_philox_index(u, job->days);
  *length = work->day_offset[day + 1] - work->day_offset[day];
  return work->day_offset[day];
}

/* Blocks and days: runs of consecutive trades, one draw each. A step begins at most ROWS / shortest + 1 of
 * them, and its first draw stands up to three words inside its block. */
static void sample_runs(step *now, const study *work) {
  lanes *state = &now->state;
  int64_t most_draws = ROWS / work->shortest_run + 1 + (FMLP_PHILOX_WORDS - 1);
  int blocks = (int)((most_draws + FMLP_PHILOX_WORDS - 1) / FMLP_PHILOX_WORDS);
  draw_blocks(now, work, state->draws, 1, blocks);
  memset(now->opens_day, 0, sizeof now->opens_day);
  for (int lane = 0; lane < LANES; lane++) {
    if (state->path[lane] < 0) continue;
    int64_t draw = state->draws[lane], first_drawn = draw - draw % FMLP_PHILOX_WORDS;
    int64_t position = state->position[lane], left = state->left[lane];
    for (int64_t row = 0; row < ROWS;) {
      if (left == 0) {
        position = run_start(work, now->random[draw++ - first_drawn][lane], &left);
        now->opens_day[row][lane] = 1.0;
      }
      int64_t end = row + left < ROWS ? row + left : ROWS;
      left -= end - row;
      for (; row < end; row++) {
        now->trade[row][lane] = (int32_t)position;
        position = position + 1 == work->job->trades ? 0 : position + 1;
      }
    }
    state->draws[lane] = draw;
    state->position[lane] = position;
    state->left[lane] = left;
  }
}

static void sample_permutation(step *now, const study *work) {
  draw_blocks(now, work, now->state.done, 1, ROWS / FMLP_PHILOX_WORDS);
  int64_t n = work->job->trades;
  for (int lane = 0; lane < LANES; lane++) {
    if (now->state.path[lane] < 0) continue;
    int32_t *order = now->order + lane * n;
    int64_t rows = (int64_t)now->state.of.limit[lane];
    for (int64_t row = 0, t = now->state.done[lane]; row < rows; row++, t++) {
      int64_t j = t + fmlp_philox_index(now->random[row][lane], n - t);
      int32_t taken = order[j];
      order[j] = order[t];
      order[t] = taken;
      now->trade[row][lane] = taken;
    }
  }
}

static void sample(step *now, const study *work) {
  switch (work->job->kind) {
  case FMLP_MC_IID:
    sample_iid(now, work);
    return;
  case FMLP_MC_MOVING_BLOCK:
  case FMLP_MC_CIRCULAR_BLOCK:
  case FMLP_MC_DAY:
    sample_runs(now, work);
    return;
  case FMLP_MC_STATIONARY:
    sample_stationary(now, work);
    return;
  case FMLP_MC_PERMUTATION:
    sample_permutation(now, work);
    return;
  }
}

/* ---- what they do to the capital ---- */

/* ROWS trades of every lane. Rows at or beyond a lane's limit leave its capital as it is, and with it all
 * else. The flags are constants at every call, so that each combination is free of branches. The steps are
 * loops of their own because gcc, which must assume that arithmetic can trap, turns a choice whose one side
 * it has just computed into a jump, and then does not vectorise. */
__attribute__((always_inline)) static inline void walk(step *restrict now, const study *work,
                                                       const double *restrict value, bool compounding,
                                                       bool days, bool history) {
  double ruin = work->job->ruin_level, target = work->job->target_level, loss = -work->job->daily_loss;
  accounts of = now->state.of; /* a local: the compiler sees that value[] does not alias it */
  double moved[LANES], reason[LANES];
  for (int at = 0; at < ROWS; at++) {
    const int32_t *trade = now->trade[at];
    const double *opens = now->opens_day[at];
    double row = at, next_row = at + 1;
    for (int lane = 0; lane < LANES; lane++) {
      double change = value[trade[lane]];
      moved[lane] = of.capital[lane] + (compounding ? change * of.capital[lane] : change);
      if (days) of.day_open[lane] = opens[lane] > 0.0 ? of.capital[lane] : of.day_open[lane];
    }
    for (int lane = 0; lane < LANES; lane++) {
      double after = row < of.limit[lane] ? moved[lane] : of.capital[lane];
      double top = after > of.peak[lane] ? after : of.peak[lane];
      double fall = (top - after) / top;
      of.capital[lane] = after;
      of.peak[lane] = top;
      of.drawdown[lane] = fall > of.drawdown[lane] ? fall : of.drawdown[lane];
      if (history) now->capital[at][lane] = after;
    }
    for (int lane = 0; lane < LANES; lane++) {
      double met = of.capital[lane] >= target ? FMLP_PATH_TARGET : FMLP_PATH_COMPLETE;
      met = of.capital[lane] <= ruin ? FMLP_PATH_RUIN : met;
      if (days) met = of.capital[lane] - of.day_open[lane] <= loss ? FMLP_PATH_DAILY_LOSS : met;
      reason[lane] = met;
    }
    for (int lane = 0; lane < LANES; lane++) {
      double met = row < of.limit[lane] ? reason[lane] : FMLP_PATH_COMPLETE;
      of.outcome[lane] += met; /* once only: no later row counts */
      reason[lane] = met;
    }
    for (int lane = 0; lane < LANES; lane++) {
      of.limit[lane] = reason[lane] > FMLP_PATH_COMPLETE ? next_row : of.limit[lane];
    }
  }
  now->state.of = of;
}

static void walk_all(step *now, const study *work) {
  bool compounding = work->job->compounding, days = work->job->kind == FMLP_MC_DAY;
  bool history = work->job->fan_points > 0;
  if (compounding && days) {
    walk(now, work, work->value, true, true, true);
  } else if (compounding) {
    walk(now, work, work->value, true, false, true);
  } else if (days) {
    walk(now, work, work->value, false, true, true);
  } else if (history) {
    walk(now, work, work->value, false, false, true);
  } else {
    walk(now, work, work->value, false, false, false);
  }
}

/* ---- lanes take paths and give results ---- */

/* `path` < 0: the lane idles, with capital that nothing can move. */
static void lane_start(step *now, const study *work, int lane, int64_t path) {
  lanes *state = &now->state;
  state->path[lane] = path;
  state->of.capital[lane] = state->of.peak[lane] = state->of.day_open[lane] = work->job->initial_capital;
  state->of.drawdown[lane] = 0.0;
  state->of.outcome[lane] = FMLP_PATH_COMPLETE;
  state->done[lane] = 0;
  state->next_fan[lane] = 0;
  state->draws[lane] = 0;
  state->position[lane] = 0;
  state->left[lane] = 0;
  for (int row = 0; row < ROWS; row++) now->trade[row][lane] = 0;
  if (now->order && path >= 0) {
    int32_t *order = now->order + lane * work->job->trades;
    for (int64_t t = 0; t < work->job->trades; t++) order[t] = (int32_t)t;
  }
}

/* Columns of the fan that fall into this step; the rest of them when the path has ended. */
static void lane_fan(step *now, const study *work, int lane, bool ended) {
  const fmlp_monte_carlo *job = work->job;
  lanes *state = &now->state;
  for (; state->next_fan[lane] < job->fan_points; state->next_fan[lane]++) {
    int64_t f = state->next_fan[lane], after = work->fan_at[f];
    bool here = after <= state->done[lane] + (int64_t)state->of.limit[lane];
    if (!here && !ended) return;
    double capital = here ? now->capital[after - 1 - state->done[lane]][lane] : state->of.capital[lane];
    work->fan[f * job->paths + state->path[lane]] = fmlp_canonical(capital);
  }
}

static void lane_finish(step *now, const study *work, int lane) {
  const lanes *state = &now->state;
  int64_t path = state->path[lane];
  work->final_capital[path] = fmlp_canonical(state->of.capital[lane]);
  work->max_drawdown[path] = fmlp_canonical(state->of.drawdown[lane]);
  work->trades_used[path] = (int32_t)(state->done[lane] + (int64_t)state->of.limit[lane]);
  work->outcome[path] = (int8_t)state->of.outcome[lane];
}

static fmlp_status run_paths(step *now, const study *work, int64_t first, int64_t last, fmlp_error *error) {
  lanes *state = &now->state;
  int64_t next = first, running = 0;
  for (int lane = 0; lane < LANES; lane++) {
    bool more = next < last;
    lane_start(now, work, lane, more ? next : -1);
    next += more;
    running += more;
  }
  while (running > 0) {
    FMLP_TRY(fmlp_check_interrupt("Monte Carlo", error));
    for (int lane = 0; lane < LANES; lane++) {
      int64_t left = state->path[lane] < 0 ? 0 : work->job->max_trades - state->done[lane];
      state->of.limit[lane] = (double)(left < ROWS ? left : ROWS);
    }
    sample(now, work);
    walk_all(now, work);
    for (int lane = 0; lane < LANES; lane++) {
      if (state->path[lane] < 0) continue;
      int64_t taken = state->done[lane] + (int64_t)state->of.limit[lane];
      bool ended = state->of.outcome[lane] > FMLP_PATH_COMPLETE || taken == work->job->max_trades;
      if (work->job->fan_points > 0) lane_fan(now, work, lane, ended);
      if (!ended) {
        state->done[lane] += ROWS;
        continue;
      }
      lane_finish(now, work, lane);
      bool more = next < last;
      lane_start(now, work, lane, more ? next : -1);
      next += more;
      running -= !more;
    }
  }
  return FMLP_OK;
}

static fmlp_status run_chunk(void *context, int64_t first, int64_t last, int worker, fmlp_error *error) {
  (void)worker;
  const study *work = context;
  FMLP_TRY(fmlp_check_floating_point(error));
  step *now = NULL;
  FMLP_TRY(fmlp_alloc_zero(&now, 1, sizeof *now, "Monte Carlo scratch", error));
  fmlp_status status = FMLP_OK;
  if (work->job->kind == FMLP_MC_PERMUTATION) {
    status =
        fmlp_alloc(&now->order, work->job->trades, LANES * sizeof *now->order, "the permutations", error);
  }
  if (status == FMLP_OK) status = run_paths(now, work, first, last, error);
  fmlp_free(now->order);
  fmlp_free(now);
  return status;
}

static void total(const study *work, fmlp_monte_carlo_totals *totals) {
  memset(totals, 0, sizeof *totals);
  int64_t paths = work->job->paths;
  for (int64_t p = 0; p < paths; p++) {
    totals->outcome_count[work->outcome[p]]++;
    totals->loss_count += work->final_capital[p] < work->job->initial_capital;
    totals->trades_used_total += work->trades_used[p];
  }
  totals->mean_final_capital = fmlp_canonical(fmlp_tree_sum(work->final_capital, paths) / (double)paths);
  totals->mean_max_drawdown = fmlp_canonical(fmlp_tree_sum(work->max_drawdown, paths) / (double)paths);
}

/* Trade numbers are 32 bits wide in the outputs; the rest of a job is the caller's promise. */
static int64_t shortest_run(const fmlp_monte_carlo *job, const int64_t *day_offset) {
  if (job->kind != FMLP_MC_DAY) return job->block_length;
  assert(day_offset[0] >= 0 && day_offset[job->days] <= job->trades);
  int64_t shortest = INT64_MAX;
  for (int64_t d = 0; d < job->days; d++) {
    int64_t length = day_offset[d + 1] - day_offset[d];
    shortest = length < shortest ? length : shortest;
  }
  assert(shortest >= 1 && "a day without trades");
  return shortest;
}

fmlp_status FMLP_SIMD_NAME(fmlp_cpu_monte_carlo)(const fmlp_monte_carlo *job, fmlp_monte_carlo_totals *totals,
                                                 fmlp_error *error) {
  FMLP_SPAN("cpu.monte_carlo");
  FMLP_TRY(fmlp_monte_carlo_check(job, error));
  int64_t *fan_at = NULL;
  FMLP_TRY(fmlp_alloc(&fan_at, job->fan_points, sizeof *fan_at, "the columns of the fan", error));
  for (int64_t f = 0; f < job->fan_points; f++) {
    fan_at[f] = (job->max_trades * (f + 1) + job->fan_points - 1) / job->fan_points;
  }
  study work = {.job = job,
                .value = job->compounding ? job->ratio->data : job->pnl->data,
                .day_offset = job->kind == FMLP_MC_DAY ? job->day_offset->data : NULL,
                .fan_at = fan_at,
                .final_capital = job->final_capital->data,
                .max_drawdown = job->max_drawdown->data,
                .fan = job->fan_points > 0 ? job->fan->data : NULL,
                .trades_used = job->trades_used->data,
                .outcome = job->outcome->data};
  work.shortest_run = shortest_run(job, work.day_offset);
  fmlp_status status = fmlp_parallel_for(job->paths, PATH_GRAIN, run_chunk, &work, "Monte Carlo", error);
  fmlp_free(fan_at);
  if (status != FMLP_OK) return status;
  total(&work, totals);
  /* A value for every trade that a path took, and the path's results. */
  fmlp_span_add_bytes(8 * totals->trades_used_total + (21 + 8 * (int64_t)job->fan_points) * job->paths);
  return FMLP_OK;
}
