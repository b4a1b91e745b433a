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

static fmlp_status load(const char *source, fmlp_profile **out, fmlp_error *error) {
  fmlp_profile_source file;
  return fmlp_profile_open(source, &file, out, error);
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

static fmlp_status load_side(fmlp_profile_sides *sides, int side, fmlp_error *error) {
  for (int32_t i = 0; i < sides->count[side]; i++) {
    fmlp_profile *one = NULL;
    FMLP_TRY(load(sides->sources[side][i], &one, error));
    if (i == 0)
      sides->profile[side] = one;
    else
      FMLP_TRY(join(sides->profile[side], one, side, error));
  }
  if (sides->count[side] == 1)
    (void)snprintf(sides->title[side], FMLP_SIDE_TITLE, "%s", sides->sources[side][0]);
  else
    (void)snprintf(sides->title[side], FMLP_SIDE_TITLE, "%s and %d more", sides->sources[side][0],
                   (int)sides->count[side] - 1);
  return FMLP_OK;
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
