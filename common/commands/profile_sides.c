/* Two sides of a comparison, read from files. */
#include "common/commands/profile_sides.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/commands/profile_commands.h"

enum { PATH_CAPACITY = 4096, MESSAGE = 512 };

fmlp_status fmlp_profile_sides_start(fmlp_profile_sides *sides, const char *verb, int argument_count,
                                     fmlp_error *error) {
  *sides = (fmlp_profile_sides){.verb = verb};
  for (int side = 0; side < FMLP_SIDES; side++) {
    sides->sources[side] = calloc((size_t)argument_count + 2, sizeof *sides->sources[side]);
    if (!sides->sources[side]) return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: profile %s", verb);
  }
  return FMLP_OK;
}

fmlp_status fmlp_profile_sides_argument(fmlp_profile_sides *sides, const char *option, int count,
                                        char *const *arguments, int *at, fmlp_error *error) {
  const char *value = NULL;
  if ((value = fmlp_profile_option(count, arguments, at, "--baseline"))) {
    sides->sources[FMLP_BEFORE][sides->count[FMLP_BEFORE]++] = value;
  } else if ((value = fmlp_profile_option(count, arguments, at, option))) {
    sides->only = value;
  } else if (arguments[*at][0] == '-') {
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "profile %s: unknown option or missing value: %s; see fmlp profile --help", sides->verb,
                     arguments[*at]);
  } else {
    sides->sources[FMLP_AFTER][sides->count[FMLP_AFTER]++] = arguments[*at];
  }
  return FMLP_OK;
}

const regex_t *fmlp_profile_sides_only(const fmlp_profile_sides *sides) {
  return sides->compiled ? &sides->expression : NULL;
}

static fmlp_status compile_only(fmlp_profile_sides *sides, fmlp_error *error) {
  if (!sides->only) return FMLP_OK;
  const int problem = regcomp(&sides->expression, sides->only, REG_EXTENDED | REG_NOSUB);
  if (problem == 0) {
    sides->compiled = true;
    return FMLP_OK;
  }
  char message[128] = "";
  (void)regerror(problem, &sides->expression, message, sizeof message);
  return fmlp_fail(error, FMLP_ERR_USAGE, "profile %s: not a regular expression: %s: %s", sides->verb,
                   sides->only, message);
}

/* A fact that the profiles of one side do not agree on equals no other side's. */
static bool keep_agreed(fmlp_profile *all, const fmlp_profile *more, int side) {
  static const char *const KEYS[] = {FMLP_FACT_OUTPUTS, FMLP_FACT_INPUT, FMLP_FACT_CONFIG,
                                     FMLP_FACT_MACHINE, FMLP_FACT_BUILD, FMLP_FACT_DEVICE};
  for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
    const char *known = fmlp_profile_get(all, KEYS[i]), *other = fmlp_profile_get(more, KEYS[i]);
    if (!known || !other || strcmp(known, other) == 0) continue;
    if (!fmlp_profile_set(all, KEYS[i], side == FMLP_BEFORE ? "several before" : "several after"))
      return false;
  }
  return true;
}

/* Takes the captures of `more`, and it, over. */
static fmlp_status join(fmlp_profile *all, fmlp_profile *more, int side, fmlp_error *error) {
  bool joined = keep_agreed(all, more, side);
  for (int32_t i = 0; i < more->capture_count; i++) {
    if (joined)
      joined = fmlp_profile_add(all, more->captures[i]);
    else
      fmlp_capture_free(more->captures[i]);
  }
  more->capture_count = 0;
  fmlp_profile_free(more);
  return joined ? FMLP_OK : fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: profiles");
}

typedef struct loaded {
  fmlp_profile_source file;
  fmlp_profile *profile;
} loaded;

static bool same_fact(const loaded *one, const loaded *other, const char *key) {
  const char *a = fmlp_profile_get(one->profile, key), *b = fmlp_profile_get(other->profile, key);
  return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The same file, or a copy: no two runs start and stop in the same nanoseconds. */
static bool same_profile(const loaded *one, const loaded *other) {
  if (one->file.status.st_dev == other->file.status.st_dev &&
      one->file.status.st_ino == other->file.status.st_ino)
    return true;
  if (one->profile->capture_count != other->profile->capture_count || one->profile->capture_count == 0)
    return false;
  const fmlp_capture *a = one->profile->captures[0], *b = other->profile->captures[0];
  return a->start == b->start && a->stop == b->stop && same_fact(one, other, FMLP_FACT_CREATED) &&
         same_fact(one, other, FMLP_FACT_OUTPUTS);
}

/* Reads the n-th file of a side, which must be none of those before it: repeats count as independent. */
static fmlp_status load_new(const fmlp_profile_sides *sides, int side, int32_t n, loaded *files,
                            fmlp_error *error) {
  FMLP_TRY(fmlp_profile_open(sides->sources[side][n], &files[n].file, &files[n].profile, error));
  for (int32_t i = 0; i < n; i++)
    if (same_profile(&files[i], &files[n]))
      return fmlp_fail(
          error, FMLP_ERR_USAGE,
          "profile %s: %s is the same profile as %s: each counts once among the repeats of a side",
          sides->verb, sides->sources[side][n], sides->sources[side][i]);
  return FMLP_OK;
}

static fmlp_status load_side(fmlp_profile_sides *sides, int side, fmlp_error *error) {
  const int32_t count = sides->count[side];
  loaded *files = calloc((size_t)count, sizeof *files);
  if (!files) return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: profile %s", sides->verb);
  fmlp_status status = FMLP_OK;
  for (int32_t i = 0; status == FMLP_OK && i < count; i++) status = load_new(sides, side, i, files, error);
  sides->profile[side] = files[0].profile;
  for (int32_t i = 1; i < count; i++) {
    if (status == FMLP_OK)
      status = join(sides->profile[side], files[i].profile, side, error);
    else
      fmlp_profile_free(files[i].profile);
  }
  free(files);
  const int more = (int)count - 1;
  char *title = sides->title[side];
  if (more == 0)
    (void)snprintf(title, FMLP_SIDE_TITLE, "%s", sides->sources[side][0]);
  else
    (void)snprintf(title, FMLP_SIDE_TITLE, "%s and %d more", sides->sources[side][0], more);
  return status;
}

fmlp_status fmlp_profile_sides_compare(fmlp_profile_sides *sides, fmlp_error *error) {
  FMLP_TRY(compile_only(sides, error));
  for (int side = 0; side < FMLP_SIDES; side++) FMLP_TRY(load_side(sides, side, error));
  sides->comparison =
      fmlp_compare(sides->profile[FMLP_BEFORE], sides->profile[FMLP_AFTER], fmlp_profile_sides_only(sides));
  return sides->comparison ? FMLP_OK : fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: comparison");
}

void fmlp_profile_sides_release(fmlp_profile_sides *sides) {
  fmlp_comparison_free(sides->comparison);
  for (int side = 0; side < FMLP_SIDES; side++) {
    fmlp_profile_free(sides->profile[side]);
    free(sides->sources[side]);
  }
  if (sides->compiled) regfree(&sides->expression);
}
