/* fmlp profile diff: what changed between two profiles. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/commands/profile_commands.h"
#include "common/commands/profile_sides.h"
#include "prof/compare/compare_views.h"

typedef enum diff_format { DIFF_TEXT, DIFF_CSV, DIFF_JSON } diff_format;

static fmlp_status set_format(const char *word, diff_format *format, fmlp_error *error) {
  static const char *const NAMES[] = {"text", "csv", "json"};
  for (int i = 0; i < 3; i++) {
    if (strcmp(word, NAMES[i]) != 0) continue;
    *format = (diff_format)i;
    return FMLP_OK;
  }
  return fmlp_fail(error, FMLP_ERR_USAGE, "profile diff: --format %s is unknown; use one of: text csv json",
                   word);
}

static fmlp_status parse(int count, char *const *arguments, fmlp_profile_sides *sides, diff_format *format,
                         fmlp_error *error) {
  for (int i = 0; i < count; i++) {
    const char *value = fmlp_profile_option(count, arguments, &i, "--format");
    FMLP_TRY(value ? set_format(value, format, error)
                   : fmlp_profile_sides_argument(sides, "--filter", count, arguments, &i, error));
  }
  if (sides->count[FMLP_BEFORE] == 0 && sides->count[FMLP_AFTER] == 2) { /* A B */
    sides->sources[FMLP_BEFORE][0] = sides->sources[FMLP_AFTER][0];
    sides->sources[FMLP_AFTER][0] = sides->sources[FMLP_AFTER][1];
    sides->count[FMLP_BEFORE] = sides->count[FMLP_AFTER] = 1;
  }
  if (sides->count[FMLP_BEFORE] > 0 && sides->count[FMLP_AFTER] > 0) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_USAGE,
                   "profile diff: which two? fmlp profile diff BEFORE AFTER, or for several of each fmlp "
                   "profile diff --baseline BEFORE... AFTER...");
}

static fmlp_status print(const fmlp_profile_sides *sides, diff_format format, fmlp_error *error) {
  const char *const titles[FMLP_SIDES] = {sides->title[FMLP_BEFORE], sides->title[FMLP_AFTER]};
  const regex_t *only = fmlp_profile_sides_only(sides);
  const bool written = format == DIFF_TEXT  ? fmlp_comparison_text(sides->comparison, titles, only, stdout)
                       : format == DIFF_CSV ? fmlp_comparison_csv(sides->comparison, only, stdout)
                                            : fmlp_comparison_json(sides->comparison, titles, only, stdout);
  return fmlp_profile_printed(written, error);
}

fmlp_status fmlp_profile_diff(int count, char *const *arguments, fmlp_error *error) {
  fmlp_profile_sides sides;
  diff_format format = DIFF_TEXT;
  fmlp_status status = fmlp_profile_sides_start(&sides, "diff", count, error);
  if (status == FMLP_OK) status = parse(count, arguments, &sides, &format, error);
  if (status == FMLP_OK) status = fmlp_profile_sides_compare(&sides, error);
  if (status == FMLP_OK) status = print(&sides, format, error);
  fmlp_profile_sides_release(&sides);
  return status;
}
