/* Call paths of many captures as one tree, their times as a matrix, and what the statistics make of it. */
#include "prof/compare/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prof/views/paths.h"

/* What a path took in every run, before then after; 0 where a run did not take it. */
typedef struct series {
  int64_t *total, *self, *calls, *gpu_busy, *allocated_bytes;
} series;

typedef struct builder {
  fmlp_comparison *comparison;
  const regex_t *only;
  int32_t runs; /* of both sides */
  int32_t capacity;
  int64_t *values;  /* [capacity][5][runs] */
  int64_t *wall;    /* [runs] */
  int64_t *overall; /* [runs] sum of internal times: what shares are of */
  int32_t *index;   /* rows by (parent, name, file), open addressing; -1: empty */
  uint64_t mask;
} builder;

enum { SERIES = 5, NAME = 4096 };

static series series_of(const builder *work, int32_t row) {
  int64_t *first = work->values + (size_t)row * SERIES * (size_t)work->runs;
  const size_t step = (size_t)work->runs;
  return (series){first, first + step, first + 2 * step, first + 3 * step, first + 4 * step};
}

static uint64_t hash(int32_t parent, const char *name, const char *file) {
  uint64_t bits = (uint64_t)(uint32_t)parent * UINT64_C(0x9e3779b97f4a7c15);
  const char *const texts[] = {name, file};
  for (int i = 0; i < 2; i++)
    for (const char *c = texts[i]; *c; c++) bits = (bits ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
  return bits ^ bits >> 29;
}

/* The place of a path in the index: its row stands there, or none. */
static uint64_t place_of(const builder *work, int32_t parent, const char *name, const char *file) {
  uint64_t at = hash(parent, name, file) & work->mask;
  for (; work->index[at] >= 0; at = (at + 1) & work->mask) {
    const fmlp_compared_path *path = &work->comparison->paths[work->index[at]];
    if (path->parent == parent && strcmp(path->name, name) == 0 && strcmp(path->file, file) == 0) break;
  }
  return at;
}

static bool grow(builder *work) {
  const int32_t count = work->comparison->count, capacity = 2 * work->capacity + 64;
  const size_t row = SERIES * (size_t)work->runs * sizeof(int64_t), places = 4 * (size_t)capacity;
  fmlp_compared_path *paths = realloc(work->comparison->paths, (size_t)capacity * sizeof *paths);
  if (paths) work->comparison->paths = paths;
  int64_t *values = realloc(work->values, (size_t)capacity * row);
  if (values) work->values = values;
  uint64_t size = 1;
  while (size < places) size *= 2;
  int32_t *index = realloc(work->index, (size_t)size * sizeof *index);
  if (index) work->index = index;
  if (!paths || !values || !index) return false;
  work->mask = size - 1;
  for (uint64_t i = 0; i < size; i++) index[i] = -1;
  for (int32_t i = 0; i < count; i++)
    index[place_of(work, paths[i].parent, paths[i].name, paths[i].file)] = i;
  work->capacity = capacity;
  return true;
}

/* Compilers and their caches write one file as "../../a.c" here and "a.c" there. */
static const char *without_steps(const char *file) {
  for (;; file += file[1] == '/' ? 2 : 3)
    if (strncmp(file, "./", 2) != 0 && strncmp(file, "../", 3) != 0) return file;
}

/* The row of a path, made when it is new; -1 when memory runs out. */
static int32_t row_of(builder *work, int32_t parent, const fmlp_capture_site *site) {
  fmlp_comparison *comparison = work->comparison;
  if (comparison->count == work->capacity && !grow(work)) return -1;
  const char *file = without_steps(site->file);
  const uint64_t at = place_of(work, parent, site->name, file);
  if (work->index[at] >= 0) return work->index[at];
  const int32_t row = work->index[at] = comparison->count++;
  comparison->paths[row] = (fmlp_compared_path){.parent = parent,
                                                .depth = parent < 0 ? 0 : comparison->paths[parent].depth + 1,
                                                .name = site->name,
                                                .file = file};
  memset(series_of(work, row).total, 0, SERIES * (size_t)work->runs * sizeof(int64_t));
  return row;
}

static bool add_capture(builder *work, const fmlp_capture *capture, int side, int32_t run) {
  fmlp_paths paths;
  if (!fmlp_paths_make(capture, &paths)) return false;
  int32_t *rows = malloc(((size_t)paths.count + 1) * sizeof *rows);
  bool added = rows != NULL;
  for (int32_t i = 0; added && i < paths.count; i++) {
    const fmlp_path *path = &paths.rows[i];
    const fmlp_capture_site *site = &capture->sites[path->site];
    const int32_t row = rows[i] = row_of(work, path->parent < 0 ? -1 : rows[path->parent], site);
    added = row >= 0;
    if (!added) break;
    fmlp_compared_path *to = &work->comparison->paths[row];
    to->present[side] = true;
    to->line = site->line;
    to->function = site->function;
    const series of = series_of(work, row);
    of.total[run] += path->total;
    of.self[run] += path->self;
    of.calls[run] += path->calls;
    of.gpu_busy[run] += path->all.busy;
    of.allocated_bytes[run] += path->allocated_bytes;
  }
  work->wall[run] = capture->stop - capture->start;
  work->overall[run] = paths.self;
  free(rows);
  fmlp_paths_release(&paths);
  return added;
}

static bool add_captures(builder *work) {
  int32_t run = 0;
  for (int side = 0; side < FMLP_SIDES; side++)
    for (int32_t i = 0; i < work->comparison->repeats[side]; i++)
      if (!add_capture(work, work->comparison->side[side]->captures[i], side, run++)) return false;
  return true;
}

/* Of both sides; false when memory runs out. */
static bool medians(const builder *work, const int64_t *values, int64_t *out) {
  const int32_t *repeats = work->comparison->repeats;
  out[FMLP_BEFORE] = fmlp_statistics_median(values, repeats[FMLP_BEFORE]);
  out[FMLP_AFTER] = fmlp_statistics_median(values + repeats[FMLP_BEFORE], repeats[FMLP_AFTER]);
  return out[FMLP_BEFORE] != INT64_MIN && out[FMLP_AFTER] != INT64_MIN;
}

static bool describe_time(const builder *work, const int64_t *values, fmlp_compared_time *time) {
  const int32_t *repeats = work->comparison->repeats;
  time->slower = time->faster = 1;
  return medians(work, values, time->median) &&
         fmlp_statistics_ratio(values, repeats[FMLP_BEFORE], values + repeats[FMLP_BEFORE],
                               repeats[FMLP_AFTER], &time->ratio);
}

static bool describe(builder *work) {
  fmlp_comparison *comparison = work->comparison;
  int64_t overall[FMLP_SIDES];
  if (!describe_time(work, work->wall, &comparison->wall) || !medians(work, work->overall, overall))
    return false;
  for (int32_t i = 0; i < comparison->count; i++) {
    fmlp_compared_path *path = &comparison->paths[i];
    const series of = series_of(work, i);
    if (!describe_time(work, of.total, &path->total) || !describe_time(work, of.self, &path->self) ||
        !medians(work, of.calls, path->calls) || !medians(work, of.gpu_busy, path->gpu_busy) ||
        !medians(work, of.allocated_bytes, path->allocated_bytes))
      return false;
    for (int side = 0; side < FMLP_SIDES; side++)
      path->share[side] = overall[side] > 0 ? (double)path->total.median[side] / (double)overall[side] : 0;
  }
  return true;
}

static bool matters(const fmlp_compared_path *path, const fmlp_compared_time *time) {
  if (!path->present[FMLP_BEFORE] || !path->present[FMLP_AFTER] || isnan(time->ratio.ratio)) return false;
  for (int side = 0; side < FMLP_SIDES; side++) {
    const double share = path->total.median[side] > 0 ? path->share[side] * (double)time->median[side] /
                                                            (double)path->total.median[side]
                                                      : 0;
    if (share >= FMLP_COMPARE_SHARE) return true;
  }
  return false;
}

void fmlp_compared_name(const fmlp_comparison *comparison, int32_t row, char *text, int64_t capacity) {
  const fmlp_compared_path *path = &comparison->paths[row];
  text[0] = '\0';
  if (path->parent >= 0) fmlp_compared_name(comparison, path->parent, text, capacity);
  const size_t used = strlen(text), room = (size_t)capacity - used - 1;
  (void)snprintf(text + used, room + 1, "%s%s", used > 0 ? "/" : "", path->name);
}

bool fmlp_compared_wanted(const fmlp_comparison *comparison, int32_t row, const regex_t *only) {
  char text[NAME];
  if (!only) return true;
  const fmlp_compared_path *path = &comparison->paths[row];
  fmlp_compared_name(comparison, row, text, NAME);
  if (regexec(only, text, 0, NULL, 0) == 0) return true;
  (void)snprintf(text, sizeof text, "%s:%d(%s)", path->file, (int)path->line, path->name);
  return regexec(only, text, 0, NULL, 0) == 0;
}

/* The rows that are tested together: the wall time, and of every path that matters the time with what it
 * calls and, where that is another, without. All, or those asked for alone. */
static int32_t select_rows(builder *work, fmlp_compared_time **times, int64_t *values) {
  fmlp_comparison *comparison = work->comparison;
  const size_t runs = (size_t)work->runs;
  int32_t count = 0;
  if (!work->only) {
    times[count++] = &comparison->wall;
    memcpy(values, work->wall, runs * sizeof *values);
  }
  for (int32_t i = 0; i < comparison->count; i++) {
    fmlp_compared_path *path = &comparison->paths[i];
    const series of = series_of(work, i);
    const bool leaf = memcmp(of.total, of.self, runs * sizeof *of.total) == 0;
    const int64_t *const sources[] = {of.total, of.self};
    fmlp_compared_time *const wanted[] = {&path->total, &path->self};
    for (int k = 0; k < (leaf ? 1 : 2); k++) {
      if (!matters(path, wanted[k]) || !fmlp_compared_wanted(comparison, i, work->only)) continue;
      times[count] = wanted[k];
      memcpy(values + (size_t)count * runs, sources[k], runs * sizeof *values);
      count++;
    }
  }
  return count;
}

static bool decide(builder *work) {
  fmlp_comparison *comparison = work->comparison;
  const int32_t *repeats = comparison->repeats;
  /* Four equally rare choices, because several rows are looked at: 5 and 5 runs do, 4 and 4 do not. */
  comparison->decides =
      4 * fmlp_statistics_least(repeats[FMLP_BEFORE], repeats[FMLP_AFTER]) <= FMLP_COMPARE_LEVEL;
  if (!comparison->decides) return true;
  const size_t most = 2 * (size_t)comparison->count + 1;
  fmlp_compared_time **times = malloc(most * sizeof *times);
  int64_t *values = malloc(most * (size_t)work->runs * sizeof *values);
  double *found = malloc(2 * most * sizeof *found);
  bool done = times && values && found;
  if (done) {
    const int32_t count = select_rows(work, times, values);
    const fmlp_rank_test test = {.rows = count,
                                 .before_count = repeats[FMLP_BEFORE],
                                 .after_count = repeats[FMLP_AFTER],
                                 .values = values,
                                 .slower = found,
                                 .faster = found + count};
    done = fmlp_statistics_ranks(&test);
    for (int32_t i = 0; done && i < count; i++) {
      times[i]->tested = true;
      times[i]->slower = test.slower[i];
      times[i]->faster = test.faster[i];
    }
    comparison->tested = count;
  }
  for (int32_t i = 0; done && i < comparison->count; i++) { /* a leaf's two times are one */
    fmlp_compared_path *path = &comparison->paths[i];
    const series of = series_of(work, i);
    if (memcmp(of.total, of.self, (size_t)work->runs * sizeof *of.total) == 0) path->self = path->total;
  }
  free(times);
  free(values);
  free(found);
  return done;
}

typedef struct moment {
  int64_t start;
  int side;
} moment;

static int by_start(const void *a, const void *b) {
  const moment *x = a, *y = b;
  return x->start != y->start ? (x->start > y->start) - (x->start < y->start) : x->side - y->side;
}

/* Runs made alternately change sides at every step, or at every second; in turn, once. */
static bool order_runs(builder *work) {
  fmlp_comparison *comparison = work->comparison;
  moment *moments = malloc(((size_t)work->runs + 1) * sizeof *moments);
  if (!moments) return false;
  int32_t count = 0, changes = 0;
  for (int side = 0; side < FMLP_SIDES; side++)
    for (int32_t i = 0; i < comparison->repeats[side]; i++)
      moments[count++] = (moment){comparison->side[side]->captures[i]->start, side};
  qsort(moments, (size_t)count, sizeof *moments, by_start);
  for (int32_t i = 1; i < count; i++) changes += moments[i].side != moments[i - 1].side;
  const int32_t *repeats = comparison->repeats;
  const int32_t fewer =
      repeats[FMLP_BEFORE] < repeats[FMLP_AFTER] ? repeats[FMLP_BEFORE] : repeats[FMLP_AFTER];
  comparison->in_turn = changes < fewer;
  free(moments);
  return true;
}

static fmlp_compared_outputs compare_outputs(const fmlp_profile *before, const fmlp_profile *after) {
  const char *old = fmlp_profile_get(before, FMLP_FACT_OUTPUTS),
             *new = fmlp_profile_get(after, FMLP_FACT_OUTPUTS);
  if (!old || !new || !old[0] || !new[0]) return FMLP_OUTPUTS_UNKNOWN;
  return strcmp(old, new) == 0 ? FMLP_OUTPUTS_EQUAL : FMLP_OUTPUTS_DIFFERENT;
}

fmlp_comparison *fmlp_compare(const fmlp_profile *before, const fmlp_profile *after, const regex_t *only) {
  fmlp_comparison *comparison = calloc(1, sizeof *comparison);
  if (!comparison) return NULL;
  comparison->side[FMLP_BEFORE] = before;
  comparison->side[FMLP_AFTER] = after;
  for (int side = 0; side < FMLP_SIDES; side++)
    comparison->repeats[side] = comparison->side[side]->capture_count;
  comparison->outputs = compare_outputs(before, after);
  builder work = {
      .comparison = comparison, .only = only, .runs = before->capture_count + after->capture_count};
  work.wall = calloc((size_t)work.runs + 1, sizeof *work.wall);
  work.overall = calloc((size_t)work.runs + 1, sizeof *work.overall);
  const bool done = work.wall && work.overall && add_captures(&work) && order_runs(&work) &&
                    describe(&work) && decide(&work);
  free(work.values);
  free(work.wall);
  free(work.overall);
  free(work.index);
  if (done) return comparison;
  fmlp_comparison_free(comparison);
  return NULL;
}

void fmlp_comparison_free(fmlp_comparison *comparison) {
  if (!comparison) return;
  free(comparison->paths);
  free(comparison);
}

bool fmlp_compared_slower(const fmlp_compared_time *time) {
  return time->tested && time->slower <= FMLP_COMPARE_LEVEL && time->ratio.ratio > 1;
}

bool fmlp_compared_faster(const fmlp_compared_time *time) {
  return time->tested && time->faster <= FMLP_COMPARE_LEVEL && time->ratio.ratio < 1;
}

bool fmlp_compared_regressed(const fmlp_comparison *comparison, const fmlp_compared_time *time,
                             double tolerance) {
  const double least = comparison->in_turn ? time->ratio.low : time->ratio.ratio;
  return fmlp_compared_slower(time) && time->ratio.ratio > 1 + tolerance && least > 1 + tolerance;
}

bool fmlp_compared_spared(const fmlp_comparison *comparison, const fmlp_compared_time *time,
                          double tolerance) {
  return fmlp_compared_slower(time) && time->ratio.ratio > 1 + tolerance &&
         !fmlp_compared_regressed(comparison, time, tolerance);
}

const char *fmlp_compared_fact(const fmlp_comparison *comparison, int32_t n) {
  static const char *const KEYS[] = {FMLP_FACT_INPUT, FMLP_FACT_CONFIG, FMLP_FACT_MACHINE, FMLP_FACT_BUILD,
                                     FMLP_FACT_DEVICE};
  for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
    const char *old = fmlp_profile_get(comparison->side[FMLP_BEFORE], KEYS[i]);
    const char *new = fmlp_profile_get(comparison->side[FMLP_AFTER], KEYS[i]);
    if (old && new &&strcmp(old, new) != 0 && n-- == 0) return KEYS[i];
  }
  return NULL;
}
