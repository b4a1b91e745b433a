/* fmlp profile check: a gate for CI. Fails where a profile is slower than its baseline by more than the
 * tolerance and by more than noise. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/commands/profile_commands.h"
#include "common/commands/profile_sides.h"
#include "prof/compare/compare_views.h"

enum { NAME = 4096 };

/* 20%, 20 % or 0.2; a bare number above 1 is most likely a percentage whose sign was forgotten. */
static fmlp_status set_tolerance(const char *word, double *tolerance, fmlp_error *error) {
  char *end = NULL;
  errno = 0;
  double value = strtod(word, &end);
  const bool number = errno == 0 && end != word && isfinite(value) && value >= 0;
  while (*end == ' ') end++;
  const bool percent = *end == '%';
  if (percent) {
    value /= 100;
    end++;
  }
  *tolerance = value;
  if (!number || *end != '\0' || value > 100)
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "profile check: --tolerance %s is no tolerance; write 20%% or 0.2, from 0%% to 10000%%",
                     word);
  if (percent || value <= 1) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_USAGE, "profile check: --tolerance %s: write %s%% or %g", word, word,
                   value / 100);
}

static fmlp_status parse(int count, char *const *arguments, fmlp_profile_sides *sides, double *tolerance,
                         fmlp_error *error) {
  for (int i = 0; i < count; i++) {
    const char *value = fmlp_profile_option(count, arguments, &i, "--tolerance");
    FMLP_TRY(value ? set_tolerance(value, tolerance, error)
                   : fmlp_profile_sides_argument(sides, "--only", count, arguments, &i, error));
  }
  if (sides->count[FMLP_BEFORE] > 0 && sides->count[FMLP_AFTER] > 0) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_USAGE,
                   "profile check: %s is missing: fmlp profile check --baseline FILE [--tolerance 20%%] "
                   "RUN|FILE",
                   sides->count[FMLP_BEFORE] == 0 ? "--baseline" : "the run");
}

static void print_change(const fmlp_compared_time *time) {
  printf("%+.1f %%", 100 * (time->ratio.ratio - 1));
  if (time->ratio.interval)
    printf(" (95 %% interval %+.1f .. %+.1f %%)", 100 * (time->ratio.low - 1), 100 * (time->ratio.high - 1));
}

static void print_regression(const char *name, const char *what, const fmlp_compared_time *time) {
  printf("slower: %s%s %.3f ms -> %.3f ms, ", name, what, (double)time->median[FMLP_BEFORE] / 1e6,
         (double)time->median[FMLP_AFTER] / 1e6);
  print_change(time);
  printf(", p = %.2g\n", time->slower);
}

static void print_spared(const char *name, const char *what, const fmlp_compared_time *time) {
  printf("not failed: %s%s ", name, what);
  print_change(time);
  printf(
      ": the runs were made in turn, so the whole interval must lie beyond the tolerance; alternate them\n");
}

/* One of the rows: the one with the greatest ratio of those put to it. */
typedef struct extreme {
  double ratio; /* 0: none yet */
  char name[NAME];
} extreme;

static void put_extreme(extreme *out, const fmlp_compared_time *time, const char *name, const char *what) {
  if (time->ratio.ratio <= out->ratio) return;
  out->ratio = time->ratio.ratio;
  (void)snprintf(out->name, NAME, "%s%s", name, what);
}

typedef struct verdict {
  int32_t failed, spared;
  extreme worst;    /* of those that failed */
  extreme greatest; /* of all that were tested */
} verdict;

static void judge(const fmlp_comparison *comparison, const fmlp_compared_time *time, const char *name,
                  const char *what, double tolerance, verdict *out) {
  if (!time->tested) return;
  put_extreme(&out->greatest, time, name, what);
  if (fmlp_compared_regressed(comparison, time, tolerance)) {
    print_regression(name, what, time);
    put_extreme(&out->worst, time, name, what);
    out->failed++;
  } else if (fmlp_compared_spared(comparison, time, tolerance)) {
    print_spared(name, what, time);
    out->spared++;
  }
}

static void judge_all(const fmlp_comparison *comparison, double tolerance, verdict *out) {
  char name[NAME];
  judge(comparison, &comparison->wall, "wall time", "", tolerance, out);
  for (int32_t i = 0; i < comparison->count; i++) {
    const fmlp_compared_path *path = &comparison->paths[i];
    fmlp_compared_name(comparison, i, name, NAME);
    judge(comparison, &path->total, name, "", tolerance, out);
    if (path->self.ratio.ratio < path->total.ratio.ratio || path->self.ratio.ratio > path->total.ratio.ratio)
      judge(comparison, &path->self, name, " (without what it calls)", tolerance, out); /* a leaf's are one */
  }
}

static void print_verdict(const fmlp_comparison *comparison, double tolerance, const verdict *found) {
  printf("compared: %d rows of 5 %% of the total or more, %d and %d runs, tolerance %.4g %%: ",
         (int)comparison->tested, (int)comparison->repeats[FMLP_BEFORE], (int)comparison->repeats[FMLP_AFTER],
         100 * tolerance);
  if (!comparison->decides)
    printf("nothing decided\n");
  else if (found->failed > 0)
    printf("%d slower\n", (int)found->failed);
  else if (found->spared > 0)
    printf("none is slower for certain, %d not failed\n", (int)found->spared);
  else
    printf("none is slower by more than that and more than noise\n");
  if (found->failed == 0 && found->greatest.ratio > 0)
    printf("greatest: %s %+.1f %%\n", found->greatest.name, 100 * (found->greatest.ratio - 1));
  if (comparison->decides && comparison->in_turn)
    printf(
        "the runs of one side were made after the other's: a machine that changed its speed in between looks "
        "the same; alternate them to be sure\n");
}

static fmlp_status check(const fmlp_profile_sides *sides, double tolerance, fmlp_error *error) {
  const char *const titles[FMLP_SIDES] = {sides->title[FMLP_BEFORE], sides->title[FMLP_AFTER]};
  verdict found = {0};
  fmlp_comparison_heading(sides->comparison, titles, stdout);
  judge_all(sides->comparison, tolerance, &found);
  print_verdict(sides->comparison, tolerance, &found);
  if (found.failed == 0) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_PERFORMANCE,
                   "profile check: %s is %.1f %% slower than the baseline, beyond the tolerance of %.4g %%; "
                   "fmlp profile diff shows all rows",
                   found.worst.name, 100 * (found.worst.ratio - 1), 100 * tolerance);
}

fmlp_status fmlp_profile_gate(int count, char *const *arguments, fmlp_error *error) {
  fmlp_profile_sides sides;
  double tolerance = 0.2;
  fmlp_status status = fmlp_profile_sides_start(&sides, "check", count, error);
  if (status == FMLP_OK) status = parse(count, arguments, &sides, &tolerance, error);
  if (status == FMLP_OK) status = fmlp_profile_sides_compare(&sides, error);
  if (status == FMLP_OK && sides.only && sides.comparison->decides && sides.comparison->tested == 0)
    status = fmlp_fail(error, FMLP_ERR_USAGE,
                       "profile check: --only %s matches no path of 5 %% of the total or more on both sides",
                       sides.only);
  if (status == FMLP_OK) status = check(&sides, tolerance, error);
  fmlp_profile_sides_release(&sides);
  return status;
}
