/* The search for barriers and the second pass over ticks: the table's markets x sides x tie rules x the ends
 * of sessions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/memory.h"
#include "tests/equivalence/cases_triple_barrier.h"
#include "tests/equivalence/equivalence.h"

enum { NAME_CAPACITY = 160, SESSION_PATTERNS = 3 };

/* Last bars as the table gives them; cut at the end of sessions of 50 bars; or drawn for each event. */
static const char *const session_names[SESSION_PATTERNS] = {"one session", "sessions of 50 bars",
                                                            "drawn last bars"};
static const char *const tie_names[] = {"ticks", "sl_first", "tp_first"};

typedef struct market {
  const barrier_case *c;
  int32_t side, events;
  int32_t *high, *low, *close;
  int32_t *start_bar, *target, *stop, *last_bar;
} market;

static void market_release(market *m) {
  int32_t *all[] = {m->high, m->low, m->close, m->start_bar, m->target, m->stop, m->last_bar};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) fmlp_free(all[i]);
}

static fmlp_status market_make(const barrier_case *c, int32_t side, int pattern, market *m,
                               fmlp_error *error) {
  *m = (market){.c = c, .side = side, .events = barrier_event_count(c)};
  int32_t **of_bars[] = {&m->high, &m->low, &m->close};
  int32_t **of_events[] = {&m->start_bar, &m->target, &m->stop, &m->last_bar};
  for (int i = 0; i < 3; i++) FMLP_TRY(fmlp_alloc(of_bars[i], c->bars, sizeof(int32_t), "bars", error));
  for (int i = 0; i < 4; i++) FMLP_TRY(fmlp_alloc(of_events[i], m->events, sizeof(int32_t), "events", error));
  barrier_make_bars(c, m->high, m->low, m->close);
  barrier_make_events(c, side, m->close, m->start_bar, m->target, m->stop, m->last_bar);
  for (int32_t e = 0; e < m->events; e++) {
    const int32_t start = m->start_bar[e];
    int32_t last = m->last_bar[e];
    if (pattern == 1) last = start / 50 * 50 + 49;
    if (pattern == 2) last = start + 1 + (int32_t)barrier_draw(c, 10, e, c->bars - 1 - start);
    if (last <= start) last = start + 1;
    if (last < m->last_bar[e]) m->last_bar[e] = last;
  }
  return FMLP_OK;
}

/* ---- the search ---- */

enum { HIGH, LOW, START_BAR, TARGET, STOP, LAST_BAR, OUTCOME, EXIT_BAR, SEARCH_ARRAYS };

typedef struct search_job {
  const market *m;
  fmlp_tie_rule tie;
} search_job;

static fmlp_status run_search(const equivalence_case *c, const fmlp_compute *compute,
                              fmlp_buffer *const *buffers, void *const *host, fmlp_error *error) {
  (void)host;
  const search_job *job = c->job;
  const fmlp_barrier_search request = {.side = job->m->side,
                                       .tie = job->tie,
                                       .bars = job->m->c->bars,
                                       .high = buffers[HIGH],
                                       .low = buffers[LOW],
                                       .events = job->m->events,
                                       .start_bar = buffers[START_BAR],
                                       .target = buffers[TARGET],
                                       .stop = buffers[STOP],
                                       .last_bar = buffers[LAST_BAR],
                                       .outcome = buffers[OUTCOME],
                                       .exit_bar = buffers[EXIT_BAR]};
  return compute->backend->barrier_search(compute->device, &request, error);
}

static equivalence_case search_case(const search_job *job, const char *name, equivalence_array *arrays) {
  const market *m = job->m;
  const int64_t bars = m->c->bars, events = m->events;
  const equivalence_array all[SEARCH_ARRAYS] = {
      [HIGH] = {"high", EQUIVALENCE_INT32, bars, m->high, false, false},
      [LOW] = {"low", EQUIVALENCE_INT32, bars, m->low, false, false},
      [START_BAR] = {"start_bar", EQUIVALENCE_INT32, events, m->start_bar, false, false},
      [TARGET] = {"target", EQUIVALENCE_INT32, events, m->target, false, false},
      [STOP] = {"stop", EQUIVALENCE_INT32, events, m->stop, false, false},
      [LAST_BAR] = {"last_bar", EQUIVALENCE_INT32, events, m->last_bar, false, false},
      [OUTCOME] = {"outcome", EQUIVALENCE_INT8, events, NULL, true, false},
      [EXIT_BAR] = {"exit_bar", EQUIVALENCE_INT32, events, NULL, true, false}};
  memcpy(arrays, all, sizeof all);
  return (equivalence_case){.operation = "triple_barrier",
                            .name = name,
                            .group = "search",
                            .array_count = SEARCH_ARRAYS,
                            .arrays = arrays,
                            .run = run_search,
                            .job = job,
                            .units = events};
}

static fmlp_status check_search(equivalence *all, const barrier_case *c, int32_t side, fmlp_tie_rule tie,
                                int pattern, int32_t turns, fmlp_error *error) {
  char name[NAME_CAPACITY];
  (void)snprintf(name, sizeof name, "%s, %s, %s, %s", c->name, side > 0 ? "long" : "short", tie_names[tie],
                 session_names[pattern]);
  if (!equivalence_wants(all, "triple_barrier", name)) return FMLP_OK;
  market m;
  fmlp_status status = market_make(c, side, pattern, &m, error);
  if (status == FMLP_OK) {
    const search_job job = {&m, tie};
    equivalence_array arrays[SEARCH_ARRAYS];
    const equivalence_case searched = search_case(&job, name, arrays);
    status = equivalence_check(all, &searched, turns, error);
  }
  market_release(&m);
  return status;
}

/* ---- the second pass ---- */

enum { PRICE, TICK_FIRST, TICK_LAST, LEVEL_TARGET, LEVEL_STOP, DECIDED, EXIT_TICK, RESOLVE_ARRAYS };

typedef struct resolve_job {
  int32_t side;
  int64_t ticks, events;
} resolve_job;

static fmlp_status run_resolve(const equivalence_case *c, const fmlp_compute *compute,
                               fmlp_buffer *const *buffers, void *const *host, fmlp_error *error) {
  (void)host;
  const resolve_job *job = c->job;
  const fmlp_barrier_resolve request = {.side = job->side,
                                        .ticks = job->ticks,
                                        .price = buffers[PRICE],
                                        .events = job->events,
                                        .tick_first = buffers[TICK_FIRST],
                                        .tick_last = buffers[TICK_LAST],
                                        .target = buffers[LEVEL_TARGET],
                                        .stop = buffers[LEVEL_STOP],
                                        .outcome = buffers[DECIDED],
                                        .exit_tick = buffers[EXIT_TICK]};
  return compute->backend->barrier_resolve(compute->device, &request, error);
}

/* Bars of ticks: how many, how long at most, how many of them hit nothing. */
typedef struct resolve_case {
  const char *name;
  int32_t events, longest;
  int32_t spread; /* prices lie in [-spread, spread]; levels at +-16 */
  uint64_t seed;
} resolve_case;

static const resolve_case resolve_cases[] = {
    {"no event", 0, 1, 20, 1},
    {"one event", 1, 9, 20, 2},
    {"single ticks", 100, 1, 18, 3},
    {"a few ticks", 333, 7, 20, 4},
    {"a warp of ticks", 200, 32, 17, 5},
    {"a warp and one", 200, 33, 17, 6},
    {"long bars", 70, 700, 16, 7},
    {"ticks that touch nothing", 100, 40, 15, 8},
    {"touched at once", 1000, 20, 200, 9},
    {"one very long bar", 3, 9000, 16, 10},
};
enum { RESOLVE_CASES = sizeof resolve_cases / sizeof *resolve_cases };

typedef struct tick_data {
  int64_t ticks;
  int32_t *price, *target, *stop;
  int64_t *first, *last;
  int8_t *outcome;
} tick_data;

static int64_t resolve_draw(const resolve_case *c, uint64_t stream, int64_t draw, int64_t n) {
  return fmlp_philox_index(
      fmlp_philox_u32(fmlp_philox_key(c->seed, FMLP_PHILOX_TEST), stream, (uint64_t)draw), n);
}

static void tick_data_release(tick_data *d) {
  fmlp_free(d->price);
  fmlp_free(d->target);
  fmlp_free(d->stop);
  fmlp_free(d->first);
  fmlp_free(d->last);
  fmlp_free(d->outcome);
}

/* Events share bars now and then, as two events that end in the same bar do. */
static fmlp_status tick_data_make(const resolve_case *c, int32_t side, tick_data *d, fmlp_error *error) {
  *d = (tick_data){.ticks = 0};
  FMLP_TRY(fmlp_alloc(&d->target, c->events, 4, "levels", error));
  FMLP_TRY(fmlp_alloc(&d->stop, c->events, 4, "levels", error));
  FMLP_TRY(fmlp_alloc(&d->first, c->events, 8, "bars of ticks", error));
  FMLP_TRY(fmlp_alloc(&d->last, c->events, 8, "bars of ticks", error));
  FMLP_TRY(fmlp_alloc(&d->outcome, c->events, 1, "outcomes", error));
  for (int32_t e = 0; e < c->events; e++) {
    const bool shared = e > 0 && resolve_draw(c, 0, e, 5) == 0;
    d->first[e] = shared ? d->first[e - 1] : d->ticks;
    d->last[e] = shared ? d->last[e - 1] : d->ticks + 1 + resolve_draw(c, 1, e, c->longest);
    d->ticks = d->last[e];
    static const int8_t kinds[] = {FMLP_OUTCOME_TIE, FMLP_OUTCOME_TARGET, FMLP_OUTCOME_STOP};
    d->outcome[e] = kinds[resolve_draw(c, 2, e, 3)];
    d->target[e] = side * 16;
    d->stop[e] = -side * (16 - (int32_t)resolve_draw(c, 3, e, 2));
  }
  FMLP_TRY(fmlp_alloc(&d->price, d->ticks, 4, "ticks", error));
  for (int64_t i = 0; i < d->ticks; i++) {
    d->price[i] = (int32_t)(resolve_draw(c, 4, i, 2 * c->spread + 1) - c->spread);
  }
  return FMLP_OK;
}

static fmlp_status check_resolve(equivalence *all, const resolve_case *c, int32_t side, int32_t turns,
                                 fmlp_error *error) {
  char name[NAME_CAPACITY];
  (void)snprintf(name, sizeof name, "resolve: %s, %s", c->name, side > 0 ? "long" : "short");
  if (!equivalence_wants(all, "triple_barrier", name)) return FMLP_OK;
  tick_data d;
  fmlp_status status = tick_data_make(c, side, &d, error);
  if (status == FMLP_OK) {
    const resolve_job job = {side, d.ticks, c->events};
    const equivalence_array arrays[RESOLVE_ARRAYS] = {
        [PRICE] = {"price", EQUIVALENCE_INT32, d.ticks, d.price, false, false},
        [TICK_FIRST] = {"tick_first", EQUIVALENCE_INT64, c->events, d.first, false, false},
        [TICK_LAST] = {"tick_last", EQUIVALENCE_INT64, c->events, d.last, false, false},
        [LEVEL_TARGET] = {"target", EQUIVALENCE_INT32, c->events, d.target, false, false},
        [LEVEL_STOP] = {"stop", EQUIVALENCE_INT32, c->events, d.stop, false, false},
        [DECIDED] = {"outcome", EQUIVALENCE_INT8, c->events, d.outcome, true, false},
        [EXIT_TICK] = {"exit_tick", EQUIVALENCE_INT64, c->events, NULL, true, false}};
    const equivalence_case resolved = {.operation = "triple_barrier",
                                       .name = name,
                                       .group = "resolve",
                                       .array_count = RESOLVE_ARRAYS,
                                       .arrays = arrays,
                                       .run = run_resolve,
                                       .job = &job,
                                       .units = c->events};
    status = equivalence_check(all, &resolved, turns, error);
  }
  tick_data_release(&d);
  return status;
}

/* ---- all of them ---- */

static bool family(const equivalence *all, const char *name) {
  return !all->options.family || strcmp(all->options.family, name) == 0;
}

/* Quick takes of every market and side one tie rule and one pattern of sessions, in turn. */
static fmlp_status check_market(equivalence *all, const barrier_case *c, int index, fmlp_error *error) {
  const bool quick = all->options.size == EQUIVALENCE_QUICK;
  const int32_t turns = quick ? 3 : 21;
  for (int32_t side = -1; side <= 1; side += 2) {
    for (int tie = 0; tie < 3; tie++) {
      for (int pattern = 0; pattern < SESSION_PATTERNS; pattern++) {
        if (quick && (pattern + tie + index + (side > 0)) % 3 != 0) continue;
        FMLP_TRY(check_search(all, c, side, (fmlp_tie_rule)tie, pattern, turns, error));
      }
    }
  }
  return FMLP_OK;
}

/* More events than a device holds blocks, over more bars than its caches. */
static const barrier_case large_markets[] = {
    {"a million bars", MARKET_WALK, 1000000, 0, 500, 60, 51},
    {"ten million bars", MARKET_GAPS, 10000000, 0, 5000, 200, 52},
    {"ten million bars, far", MARKET_WALK, 10000000, 1000000, INT32_MAX, 100000, 53},
};

fmlp_status equivalence_triple_barrier(equivalence *all, fmlp_error *error) {
  const bool full = all->options.size == EQUIVALENCE_FULL;
  for (int i = 0; i < BARRIER_CASES && family(all, "search"); i++)
    FMLP_TRY(check_market(all, &barrier_cases[i], i, error));
  for (int i = 0; i < 3 && full && family(all, "search"); i++) {
    FMLP_TRY(check_search(all, &large_markets[i], 1, FMLP_TIE_TICKS, 0, 2, error));
    FMLP_TRY(check_search(all, &large_markets[i], -1, FMLP_TIE_SL_FIRST, 2, 1, error));
  }
  const int32_t turns = all->options.size == EQUIVALENCE_QUICK ? 9 : 63;
  for (int i = 0; i < RESOLVE_CASES && family(all, "resolve"); i++) {
    FMLP_TRY(check_resolve(all, &resolve_cases[i], 1, turns, error));
    FMLP_TRY(check_resolve(all, &resolve_cases[i], -1, turns, error));
  }
  return FMLP_OK;
}
