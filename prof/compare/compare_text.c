/* A comparison for reading. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "prof/compare/compare_views.h"

enum { CELL = 32, NAME = 4096 };

const char *fmlp_comparison_outputs(const fmlp_comparison *comparison) {
  static const char *const WORDS[] = {"unknown", "yes", "no"};
  return WORDS[comparison->outputs];
}

static void write_side(const fmlp_comparison *comparison, int side, const char *title, FILE *out) {
  const fmlp_profile *profile = comparison->side[side];
  const int32_t repeats = comparison->repeats[side];
  (void)fprintf(out, "%-8s%s: %d %s", side == FMLP_BEFORE ? "before" : "after", title, (int)repeats,
                repeats == 1 ? "run" : "runs");
  static const char *const KEYS[] = {FMLP_FACT_CREATED, FMLP_FACT_VERSION};
  for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
    const char *value = fmlp_profile_get(profile, KEYS[i]);
    if (value && value[0]) (void)fprintf(out, ", %s", value);
  }
  (void)fputc('\n', out);
}

/* What else was measured beside spans costs time, too. Repeats keep no samples: one capture of a side that
 * has them tells. */
static const char *profiling_of(const fmlp_profile *profile) {
  static const char *const WORDS[][2] = {{"spans", "spans with samples"},
                                         {"full", "full with samples"},
                                         {"spans and full", "spans and full with samples"}};
  bool spans = false, full = false, samples = false;
  for (int32_t i = 0; i < profile->capture_count; i++) {
    const fmlp_capture *capture = profile->captures[i];
    full = full || capture->level == FMLP_CAPTURE_FULL;
    spans = spans || capture->level == FMLP_CAPTURE_SPANS;
    samples = samples || capture->sample_count > 0;
  }
  return WORDS[spans && full ? 2 : full ? 1 : 0][samples];
}

void fmlp_comparison_heading(const fmlp_comparison *comparison, const char *const titles[FMLP_SIDES],
                             FILE *out) {
  for (int side = 0; side < FMLP_SIDES; side++) write_side(comparison, side, titles[side], out);
  (void)fprintf(out, "outputs equal: %s\n", fmlp_comparison_outputs(comparison));
  const char *key = NULL;
  for (int32_t n = 0; (key = fmlp_compared_fact(comparison, n)); n++)
    (void)fprintf(out, "warning: not the same %s: %s | %s\n", key,
                  fmlp_profile_get(comparison->side[FMLP_BEFORE], key),
                  fmlp_profile_get(comparison->side[FMLP_AFTER], key));
  const char *before = profiling_of(comparison->side[FMLP_BEFORE]),
             *after = profiling_of(comparison->side[FMLP_AFTER]);
  if (before != after) (void)fprintf(out, "warning: not the same profiling: %s | %s\n", before, after);
  if (!comparison->decides)
    (void)fputs("too few repeats: no difference here can be told from noise; with 5 on each side, better 10, "
                "it can\n",
                out);
}

static void print_change(char cell[CELL], const fmlp_compared_time *time) {
  cell[0] = '\0';
  if (isfinite(time->ratio.ratio)) (void)snprintf(cell, CELL, "%+.1f %%", 100 * (time->ratio.ratio - 1));
}

static void print_interval(char cell[CELL], const fmlp_compared_time *time) {
  cell[0] = '\0';
  if (time->ratio.interval)
    (void)snprintf(cell, CELL, "%+.1f .. %+.1f %%", 100 * (time->ratio.low - 1),
                   100 * (time->ratio.high - 1));
}

/* Which columns there are, and which sides measured what is in them. */
typedef struct columns {
  bool intervals, device, memory;
  bool decides; /* marks can be told: a row without a test has one of its own */
  bool had_device[FMLP_SIDES], had_memory[FMLP_SIDES];
} columns;

static const char *mark(const fmlp_compared_time *time, bool decides) {
  if (decides && !time->tested) return ".";
  return fmlp_compared_slower(time) ? ">" : fmlp_compared_faster(time) ? "<" : " ";
}

static void write_time(const fmlp_compared_time *time, const bool *present, const columns *shown, FILE *out) {
  char change[CELL], interval[CELL], cells[FMLP_SIDES][CELL];
  for (int side = 0; side < FMLP_SIDES; side++) {
    cells[side][0] = '\0';
    if (!present || present[side])
      (void)snprintf(cells[side], CELL, "%.3f", (double)time->median[side] / 1e6);
  }
  print_change(change, time);
  print_interval(interval, time);
  (void)fprintf(out, "%11s %11s %9s %s", cells[FMLP_BEFORE], cells[FMLP_AFTER], change,
                mark(time, shown->decides));
  if (shown->intervals) (void)fprintf(out, "%19s", interval);
}

/* Empty on a side that did not measure it. */
static void write_pair(const int64_t values[FMLP_SIDES], const bool known[FMLP_SIDES], double unit,
                       FILE *out) {
  for (int side = 0; side < FMLP_SIDES; side++) {
    if (known[side])
      (void)fprintf(out, " %9.2f", (double)values[side] / unit);
    else
      (void)fprintf(out, "%10s", "");
  }
}

static columns columns_of(const fmlp_comparison *comparison) {
  columns found = {.intervals = comparison->wall.ratio.interval, .decides = comparison->decides};
  for (int32_t i = 0; i < comparison->count; i++)
    for (int side = 0; side < FMLP_SIDES; side++) {
      found.had_device[side] = found.had_device[side] || comparison->paths[i].gpu_busy[side] > 0;
      found.had_memory[side] = found.had_memory[side] || comparison->paths[i].allocated_bytes[side] > 0;
    }
  found.device = found.had_device[FMLP_BEFORE] || found.had_device[FMLP_AFTER];
  found.memory = found.had_memory[FMLP_BEFORE] || found.had_memory[FMLP_AFTER];
  return found;
}

static void write_titles(columns shown, FILE *out) {
  const int width = shown.intervals ? 53 : 34;
  (void)fprintf(out, "\n%-*s |%-*s", width, "  total, ms", width, " without what it calls, ms");
  if (shown.device) (void)fprintf(out, "  %-20s", "gpu busy, ms");
  if (shown.memory) (void)fprintf(out, "  %-20s", "allocated, MB");
  (void)fputc('\n', out);
  for (int i = 0; i < 2; i++) {
    (void)fprintf(out, "%s%11s %11s %9s  ", i ? " |" : "", "before", "after", "change");
    if (shown.intervals) (void)fprintf(out, "%19s", "95 % interval");
  }
  if (shown.device) (void)fprintf(out, "  %9s %9s", "before", "after");
  if (shown.memory) (void)fprintf(out, "  %9s %9s", "before", "after");
  (void)fputs("  path\n", out);
}

/* A row of the tree, or, where not all rows are shown, one with its whole path. */
static void write_path(const fmlp_comparison *comparison, int32_t row, columns shown, bool whole, FILE *out) {
  const fmlp_compared_path *path = &comparison->paths[row];
  char name[NAME];
  write_time(&path->total, path->present, &shown, out);
  (void)fputs(" |", out);
  write_time(&path->self, path->present, &shown, out);
  (void)fputc(' ', out);
  if (shown.device) write_pair(path->gpu_busy, shown.had_device, 1e6, out);
  if (shown.device && shown.memory) (void)fputc(' ', out);
  if (shown.memory) write_pair(path->allocated_bytes, shown.had_memory, 1e6, out);
  const char *side =
      path->present[FMLP_BEFORE] ? path->present[FMLP_AFTER] ? "" : " (only before)" : " (only after)";
  if (whole) fmlp_compared_name(comparison, row, name, NAME);
  (void)fprintf(out, " %*s%s%s\n", whole ? 0 : 2 * (int)path->depth, "", whole ? name : path->name, side);
}

/* Rows in the order of a tree whose longer branches stand first. */
typedef struct tree {
  const fmlp_comparison *comparison;
  int32_t *first, *next; /* child, sibling; -1: none */
  int32_t top;
} tree;

static int64_t longest(const fmlp_compared_path *path) {
  const int64_t before = path->total.median[FMLP_BEFORE], after = path->total.median[FMLP_AFTER];
  return before > after ? before : after;
}

static bool make_tree(const fmlp_comparison *comparison, tree *out) {
  const size_t count = (size_t)comparison->count;
  *out = (tree){.comparison = comparison, .top = -1};
  out->first = malloc((count + 1) * sizeof *out->first);
  out->next = malloc((count + 1) * sizeof *out->next);
  if (!out->first || !out->next) return false;
  for (int32_t i = 0; i < comparison->count; i++) {
    const fmlp_compared_path *path = &comparison->paths[i];
    out->first[i] = -1;
    int32_t *at = path->parent < 0 ? &out->top : &out->first[path->parent];
    while (*at >= 0 && longest(&comparison->paths[*at]) >= longest(path)) at = &out->next[*at];
    out->next[i] = *at;
    *at = i;
  }
  return true;
}

/* Depths are bounded by what a thread may record (FMLP_CAPTURE_DEPTH). */
static void write_branch(const tree *from, int32_t row, columns shown, const regex_t *only, FILE *out) {
  for (; row >= 0; row = from->next[row]) {
    if (fmlp_compared_wanted(from->comparison, row, only))
      write_path(from->comparison, row, shown, only != NULL, out);
    write_branch(from, from->first[row], shown, only, out);
  }
}

static void write_legend(const fmlp_comparison *comparison, bool filtered, FILE *out) {
  (void)fprintf(out,
                "\nMedians; changes are medians over all pairs of runs. > slower, < faster: more than noise, "
                "%d rows of 5 %% of\nthe total or more tested together, ",
                (int)comparison->tested);
  if (comparison->in_turn)
    (void)fputs("but the runs of one side were made after the other's: a machine that\nchanged its speed in "
                "between makes these, too; alternate them to be sure.\n",
                out);
  else
    (void)fprintf(out, "at most %.0f %% chance of any of these where nothing changed.\n",
                  100 * FMLP_COMPARE_LEVEL);
  (void)fprintf(out, ". not tested: below 5 %% of the total, or not in every run%s.\n",
                filtered ? ", or not asked for" : "");
}

bool fmlp_comparison_text(const fmlp_comparison *comparison, const char *const titles[FMLP_SIDES],
                          const regex_t *only, FILE *out) {
  tree rows;
  const bool made = make_tree(comparison, &rows);
  if (made) {
    const columns shown = columns_of(comparison);
    fmlp_comparison_heading(comparison, titles, out);
    write_titles(shown, out);
    write_time(&comparison->wall, NULL, &shown, out);
    (void)fprintf(out, " |%*s wall time\n",
                  (shown.intervals ? 53 : 34) + (shown.device ? 21 : 0) + (shown.memory ? 21 : 0), "");
    write_branch(&rows, rows.top, shown, only, out);
    if (comparison->decides) write_legend(comparison, only != NULL, out);
  }
  free(rows.first);
  free(rows.next);
  return made && !ferror(out);
}
