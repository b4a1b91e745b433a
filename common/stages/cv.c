/* Splits in three steps: the usable rows as a table of events, a scheme (which groups each split tests), and
 * for each split the purge of what remains. A further kind of validation is one more scheme. */
#include "common/stages/cv.h"

#include <stdio.h>
#include <string.h>

#include "common/core/memory.h"
#include "common/stages/cv_purge.h"
#include "prof/span.h"

enum { MAX_SPLITS = 10000 };

/* Usable rows in order; an event is every row of one event bar. */
typedef struct event_table {
  int64_t rows;
  int64_t *row;         /* [rows] row of labels/ */
  int64_t *event_bar;   /* [rows] */
  int64_t *end_bar;     /* [rows] */
  int64_t events;       /* distinct event bars */
  int64_t *event_first; /* [events + 1] position of each event's first row */
} event_table;

typedef struct scheme {
  int32_t groups;
  int64_t *group_first; /* [groups + 1] first event of each group */
  int32_t splits;
  int32_t tested_count; /* groups tested by every split */
  int32_t *tested;      /* [splits * tested_count] ascending in each split */
  bool causal;          /* train on the past of the test alone */
  int64_t gap;          /* events left out before the test (causal) */
} scheme;

typedef fmlp_status (*scheme_function)(const fmlp_validation_settings *settings, int64_t events, scheme *plan,
                                       fmlp_error *error);

static void release_events(event_table *table) {
  fmlp_free(table->row);
  fmlp_free(table->event_bar);
  fmlp_free(table->end_bar);
  fmlp_free(table->event_first);
}

static void release_scheme(scheme *plan) {
  fmlp_free(plan->group_first);
  fmlp_free(plan->tested);
}

static fmlp_status gather_events(const fmlp_labels *labels, event_table *table, fmlp_error *error) {
  int64_t count = labels->count;
  FMLP_TRY(fmlp_alloc(&table->row, count, sizeof *table->row, "the rows of the folds", error));
  FMLP_TRY(fmlp_alloc(&table->event_bar, count, sizeof *table->event_bar, "the events of the folds", error));
  FMLP_TRY(fmlp_alloc(&table->end_bar, count, sizeof *table->end_bar, "the label ends of the folds", error));
  FMLP_TRY(fmlp_alloc(&table->event_first, count + 1, sizeof *table->event_first, "the events of the folds",
                      error));
  for (int64_t i = 0; i < count; i++) {
    if (i > 0 && labels->event_bar[i] < labels->event_bar[i - 1])
      return fmlp_fail(error, FMLP_ERR_INPUT, "labels row %lld: event_bar goes back; labels must be in order",
                       (long long)i);
    if (labels->usable && !labels->usable[i]) continue;
    int64_t position = table->rows++;
    table->row[position] = i;
    table->event_bar[position] = labels->event_bar[i];
    table->end_bar[position] = labels->end_bar[i];
    if (position == 0 || table->event_bar[position] != table->event_bar[position - 1])
      table->event_first[table->events++] = position;
  }
  table->event_first[table->events] = table->rows;
  return FMLP_OK;
}

static fmlp_status reserve_scheme(scheme *plan, fmlp_error *error) {
  FMLP_TRY(fmlp_alloc(&plan->group_first, (int64_t)plan->groups + 1, sizeof *plan->group_first,
                      "the groups of the folds", error));
  return fmlp_alloc(&plan->tested, (int64_t)plan->splits * plan->tested_count, sizeof *plan->tested,
                    "the splits", error);
}

/* Events [first, events) in `count` groups from number `from` on, equal in size, the remainder to the first.
 */
static void divide_equally(scheme *plan, int32_t from, int32_t count, int64_t first, int64_t events) {
  int64_t size = (events - first) / count, longer = (events - first) % count;
  for (int32_t g = 0; g <= count; g++)
    plan->group_first[from + g] = first + g * size + (g < longer ? g : longer);
}

static fmlp_status too_few(const char *key, int64_t groups, int64_t events, fmlp_error *error) {
  return fmlp_fail(error, FMLP_ERR_INPUT,
                   "validation.%s: %lld groups need as many events, but only %lld are usable; use fewer "
                   "groups, more ticks or smaller bars",
                   key, (long long)groups, (long long)events);
}

static fmlp_status check_splits(const char *key, int64_t splits, int64_t least, fmlp_error *error) {
  if (splits < least)
    return fmlp_fail(error, FMLP_ERR_USAGE, "validation.%s: %lld is too small, at least %lld", key,
                     (long long)splits, (long long)least);
  if (splits > MAX_SPLITS)
    return fmlp_fail(error, FMLP_ERR_USAGE, "validation.%s: gives more than %d splits", key, MAX_SPLITS);
  return FMLP_OK;
}

/* Binomial coefficient, or MAX_SPLITS + 1 when larger. */
static int64_t combinations(int32_t n, int32_t k) {
  int64_t value = 1;
  if (k > n - k) k = n - k;
  for (int32_t i = 1; i <= k; i++) {
    value = value * (n - k + i) / i;
    if (value > MAX_SPLITS) return MAX_SPLITS + 1;
  }
  return value;
}

static fmlp_status plan_cpcv(const fmlp_validation_settings *settings, int64_t events, scheme *plan,
                             fmlp_error *error) {
  int32_t n = settings->n_groups, k = settings->n_test_groups;
  FMLP_TRY(check_splits("n_groups", n, 2, error));
  if (k < 1 || k >= n)
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "validation.n_test_groups: %d must be at least 1 and less than n_groups (%d)", (int)k,
                     (int)n);
  int64_t splits = combinations(n, k);
  FMLP_TRY(check_splits("n_test_groups", splits, 1, error));
  if (events < n) return too_few("n_groups", n, events, error);
  plan->groups = n;
  plan->splits = (int32_t)splits;
  plan->tested_count = k;
  FMLP_TRY(reserve_scheme(plan, error));
  divide_equally(plan, 0, n, 0, events);
  for (int32_t i = 0; i < k; i++) plan->tested[i] = i;
  for (int32_t s = 1; s < plan->splits; s++) { /* the next combination in lexicographic order */
    int32_t *now = plan->tested + (int64_t)s * k;
    memcpy(now, now - k, (size_t)k * sizeof *now);
    int32_t i = k - 1;
    while (i > 0 && now[i] == n - k + i) i--;
    now[i]++;
    for (int32_t j = i + 1; j < k; j++) now[j] = now[j - 1] + 1;
  }
  return FMLP_OK;
}

static fmlp_status plan_kfold(const fmlp_validation_settings *settings, int64_t events, scheme *plan,
                              fmlp_error *error) {
  bool by_splits = settings->n_splits != 0;
  int32_t n = by_splits ? settings->n_splits : settings->n_groups;
  const char *key = by_splits ? "n_splits" : "n_groups";
  FMLP_TRY(check_splits(key, n, 2, error));
  if (events < n) return too_few(key, n, events, error);
  plan->groups = plan->splits = n;
  plan->tested_count = 1;
  FMLP_TRY(reserve_scheme(plan, error));
  divide_equally(plan, 0, n, 0, events);
  for (int32_t s = 0; s < n; s++) plan->tested[s] = s;
  return FMLP_OK;
}

/* Group 0 is never tested; `equal` gives it its share, else what the tests leave over. */
static fmlp_status plan_forward(const fmlp_validation_settings *settings, int64_t events, bool equal,
                                scheme *plan, fmlp_error *error) {
  bool by_splits = settings->n_splits != 0;
  int32_t tests = by_splits ? settings->n_splits : settings->n_groups - 1;
  const char *key = by_splits ? "n_splits" : "n_groups";
  FMLP_TRY(check_splits(key, tests, 1, error));
  if (events < (int64_t)tests + 1) return too_few(key, (int64_t)tests + 1, events, error);
  plan->groups = tests + 1;
  plan->splits = tests;
  plan->tested_count = 1;
  plan->causal = true;
  plan->gap = settings->gap;
  FMLP_TRY(reserve_scheme(plan, error));
  int64_t size = settings->test_size != 0 ? settings->test_size : events / plan->groups;
  if (size > (events - 1) / tests)
    return fmlp_fail(error, FMLP_ERR_INPUT,
                     "validation.test_size: %d tests of %lld events leave nothing of %lld to train on",
                     (int)tests, (long long)size, (long long)events);
  plan->group_first[0] = 0;
  if (equal && settings->test_size == 0)
    divide_equally(plan, 0, plan->groups, 0, events);
  else
    divide_equally(plan, 1, tests, events - tests * size, events);
  for (int32_t s = 0; s < tests; s++) plan->tested[s] = s + 1;
  return FMLP_OK;
}

static fmlp_status plan_walk_forward(const fmlp_validation_settings *settings, int64_t events, scheme *plan,
                                     fmlp_error *error) {
  return plan_forward(settings, events, true, plan, error);
}

static fmlp_status plan_time_series(const fmlp_validation_settings *settings, int64_t events, scheme *plan,
                                    fmlp_error *error) {
  return plan_forward(settings, events, false, plan, error);
}

static const struct {
  fmlp_cv_type type;
  scheme_function plan;
} SCHEMES[] = {
    {FMLP_CV_CPCV, plan_cpcv},
    {FMLP_CV_PURGED_KFOLD, plan_kfold},
    {FMLP_CV_WALK_FORWARD, plan_walk_forward},
    {FMLP_CV_TIME_SERIES, plan_time_series},
};

static int64_t first_position(const event_table *table, const scheme *plan, int32_t group) {
  return table->event_first[plan->group_first[group]];
}

static int64_t last_end_bar(const event_table *table, int64_t first, int64_t last) {
  int64_t bar = table->end_bar[first];
  for (int64_t i = first + 1; i < last; i++) bar = table->end_bar[i] > bar ? table->end_bar[i] : bar;
  return bar;
}

/* Tested groups as runs: neighbours join, everything else stays apart. `runs` has room for each group. */
static int32_t find_runs(const event_table *table, const scheme *plan, const int32_t *tested,
                         fmlp_test_run *runs) {
  int32_t count = 0;
  for (int32_t i = 0; i < plan->tested_count; i++) {
    int64_t first = first_position(table, plan, tested[i]);
    int64_t end = last_end_bar(table, first, first_position(table, plan, tested[i] + 1));
    if (i > 0 && tested[i] == tested[i - 1] + 1) {
      if (end > runs[count - 1].last_bar) runs[count - 1].last_bar = end;
    } else {
      runs[count++] = (fmlp_test_run){table->event_bar[first], end};
    }
  }
  return count;
}

/* Marks what may be trained on before any purge: everything untested, or the past less the gap. */
static void mark_candidates(const event_table *table, const scheme *plan, const int32_t *tested,
                            uint8_t *train) {
  int64_t limit = table->rows;
  if (plan->causal) {
    int64_t event = plan->group_first[tested[0]] - plan->gap;
    limit = table->event_first[event > 0 ? event : 0];
  }
  memset(train, 0, (size_t)table->rows);
  memset(train, 1, (size_t)limit);
  for (int32_t i = 0; i < plan->tested_count; i++) {
    int64_t first = first_position(table, plan, tested[i]);
    int64_t last = first_position(table, plan, tested[i] + 1);
    memset(train + first, 0, (size_t)(last - first));
  }
}

static fmlp_status fill_split(const event_table *table, const scheme *plan, int32_t number,
                              const uint8_t *train, fmlp_split *split, fmlp_error *error) {
  const int32_t *tested = plan->tested + (int64_t)number * plan->tested_count;
  int64_t trained = 0, test = 0;
  for (int64_t i = 0; i < table->rows; i++) trained += train[i];
  for (int32_t i = 0; i < plan->tested_count; i++)
    test += first_position(table, plan, tested[i] + 1) - first_position(table, plan, tested[i]);
  if (trained == 0)
    return fmlp_fail(error, FMLP_ERR_INPUT,
                     "validation: split %d is left with no training row (%lld purged, %lld in the embargo); "
                     "use fewer groups, a smaller embargo_bars or gap, shorter labels or more data",
                     (int)number, (long long)split->purged, (long long)split->embargoed);
  FMLP_TRY(fmlp_alloc(&split->train, trained, sizeof *split->train, "training rows", error));
  FMLP_TRY(fmlp_alloc(&split->test, test, sizeof *split->test, "test rows", error));
  FMLP_TRY(fmlp_alloc(&split->test_group, test, sizeof *split->test_group, "test groups", error));
  for (int64_t i = 0; i < table->rows; i++)
    if (train[i]) split->train[split->train_count++] = table->row[i];
  for (int32_t t = 0; t < plan->tested_count; t++) {
    int64_t last = first_position(table, plan, tested[t] + 1);
    for (int64_t i = first_position(table, plan, tested[t]); i < last; i++) {
      split->test_group[split->test_count] = tested[t];
      split->test[split->test_count++] = table->row[i];
    }
  }
  return FMLP_OK;
}

/* Every tested group's p-th split belongs to path p. */
static fmlp_status recombine(const scheme *plan, fmlp_folds *folds, fmlp_error *error) {
  folds->path_count = 0;
  int32_t *seen = NULL;
  FMLP_TRY(fmlp_alloc_zero(&seen, plan->groups, sizeof *seen, "path counters", error));
  int64_t cells = (int64_t)plan->splits * plan->tested_count;
  for (int64_t i = 0; i < cells; i++) {
    int32_t nth = ++seen[plan->tested[i]];
    if (nth > folds->path_count) folds->path_count = nth;
  }
  fmlp_status status = fmlp_alloc(&folds->path_split, (int64_t)folds->path_count * plan->groups,
                                  sizeof *folds->path_split, "paths", error);
  if (status == FMLP_OK) {
    for (int64_t i = 0; i < (int64_t)folds->path_count * plan->groups; i++) folds->path_split[i] = -1;
    memset(seen, 0, (size_t)plan->groups * sizeof *seen);
    for (int64_t i = 0; i < cells; i++) {
      int32_t group = plan->tested[i];
      folds->path_split[(int64_t)seen[group]++ * plan->groups + group] = (int32_t)(i / plan->tested_count);
    }
  }
  fmlp_free(seen);
  return status;
}

static fmlp_status make_splits(const event_table *table, const scheme *plan, int64_t embargo_bars,
                               uint8_t *train, fmlp_test_run *runs, fmlp_folds *folds, fmlp_error *error) {
  folds->group_count = plan->groups;
  folds->causal = plan->causal;
  FMLP_TRY(fmlp_alloc_zero(&folds->splits, plan->splits, sizeof *folds->splits, "splits", error));
  folds->split_count = plan->splits;
  for (int32_t s = 0; s < plan->splits; s++) {
    const int32_t *tested = plan->tested + (int64_t)s * plan->tested_count;
    fmlp_split *split = &folds->splits[s];
    mark_candidates(table, plan, tested, train);
    int32_t run_count = find_runs(table, plan, tested, runs);
    fmlp_cv_purge(table->rows, table->event_bar, table->end_bar, run_count, runs, embargo_bars, train,
                  &split->purged, &split->embargoed);
    FMLP_TRY(fill_split(table, plan, s, train, split, error));
  }
  return recombine(plan, folds, error);
}

static fmlp_status split_events(const fmlp_validation_settings *settings, const event_table *table,
                                scheme *plan, fmlp_folds *folds, fmlp_error *error) {
  if (settings->gap < 0 || settings->embargo_bars < 0 || settings->test_size < 0)
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "validation: gap, embargo_bars and test_size must not be negative");
  scheme_function make = NULL;
  for (size_t i = 0; i < sizeof SCHEMES / sizeof SCHEMES[0]; i++)
    if (SCHEMES[i].type == settings->cv_type) make = SCHEMES[i].plan;
  if (!make) return fmlp_fail(error, FMLP_ERR_USAGE, "validation.cv_type: unknown type");
  FMLP_TRY(make(settings, table->events, plan, error));
  uint8_t *train = NULL;
  fmlp_test_run *runs = NULL;
  fmlp_status status = fmlp_alloc(&train, table->rows, sizeof *train, "training flags", error);
  if (status == FMLP_OK) status = fmlp_alloc(&runs, plan->tested_count, sizeof *runs, "test runs", error);
  if (status == FMLP_OK) status = make_splits(table, plan, settings->embargo_bars, train, runs, folds, error);
  fmlp_free(train);
  fmlp_free(runs);
  return status;
}

fmlp_status fmlp_cv_split(const fmlp_validation_settings *settings, const fmlp_labels *labels,
                          fmlp_folds *folds, fmlp_error *error) {
  FMLP_SPAN("validation.split");
  memset(folds, 0, sizeof *folds);
  event_table table = {0};
  scheme plan = {0};
  fmlp_status status = gather_events(labels, &table, error);
  if (status == FMLP_OK) status = split_events(settings, &table, &plan, folds, error);
  release_scheme(&plan);
  release_events(&table);
  if (status != FMLP_OK) fmlp_folds_release(folds);
  return status;
}

fmlp_status fmlp_folds_export(const fmlp_folds *folds, const fmlp_column_sink *sink, fmlp_error *error) {
  FMLP_SPAN("validation.export");
  for (int32_t s = 0; s < folds->split_count; s++) {
    const fmlp_split *split = &folds->splits[s];
    char name[64];
    (void)snprintf(name, sizeof name, "fold_%02d_train", (int)s);
    fmlp_column column = {"folds", name, FMLP_INT64, split->train_count, split->train};
    FMLP_TRY(sink->put(sink->state, &column, error));
    (void)snprintf(name, sizeof name, "fold_%02d_test", (int)s);
    column = (fmlp_column){"folds", name, FMLP_INT64, split->test_count, split->test};
    FMLP_TRY(sink->put(sink->state, &column, error));
  }
  return FMLP_OK;
}
