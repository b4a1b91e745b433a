/* What fmlp profile diff and check have in common: two sides, each of one profile or of several that count as
 * repeats, and which rows. */
#ifndef FMLP_COMMON_COMMANDS_PROFILE_SIDES_H
#define FMLP_COMMON_COMMANDS_PROFILE_SIDES_H

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/core/status.h"
#include "prof/compare/compare.h"

enum { FMLP_SIDE_TITLE = 512 };

typedef struct fmlp_profile_sides {
  const char *verb;
  int32_t count[FMLP_SIDES];
  const char **sources[FMLP_SIDES]; /* [count], of the arguments */
  const char *only;                 /* NULL: all rows */
  bool compiled;
  regex_t expression;
  fmlp_profile *profile[FMLP_SIDES];
  char title[FMLP_SIDES][FMLP_SIDE_TITLE];
  fmlp_comparison *comparison;
} fmlp_profile_sides;

/* Room for the sources among `argument_count` arguments. Release it also after a failure. */
FMLP_WARN_UNUSED fmlp_status fmlp_profile_sides_start(fmlp_profile_sides *sides, const char *verb,
                                                      int argument_count, fmlp_error *error);

/* Takes `--baseline FILE`, `option REGEX` or a RUN|FILE at arguments[*at], advancing past it; FMLP_ERR_USAGE
 * for any other option. */
FMLP_WARN_UNUSED fmlp_status fmlp_profile_sides_argument(fmlp_profile_sides *sides, const char *option,
                                                         int count, char *const *arguments, int *at,
                                                         fmlp_error *error);

/* Reads both sides and compares them: profile, title, comparison. */
FMLP_WARN_UNUSED fmlp_status fmlp_profile_sides_compare(fmlp_profile_sides *sides, fmlp_error *error);

/* The rows asked for, NULL for all. */
const regex_t *fmlp_profile_sides_only(const fmlp_profile_sides *sides);

void fmlp_profile_sides_release(fmlp_profile_sides *sides);

#endif
