/* What the verbs of fmlp profile share, and the verbs that have files of their own. */
#ifndef FMLP_COMMON_COMMANDS_PROFILE_COMMANDS_H
#define FMLP_COMMON_COMMANDS_PROFILE_COMMANDS_H

#include <stddef.h>
#include <sys/stat.h>

#include "common/core/status.h"

/* The value of `--name VALUE` or `--name=VALUE` at arguments[*at], advancing past it; NULL for another
 * argument. */
const char *fmlp_profile_option(int count, char *const *arguments, int *at, const char *name);

/* The profile of a run folder, or the file itself. */
FMLP_WARN_UNUSED fmlp_status fmlp_profile_find(const char *source, char *path, size_t capacity,
                                               struct stat *found, fmlp_error *error);

/* The verbs, with the arguments after them. FMLP_ERR_USAGE for a wrong argument or format, FMLP_ERR_INPUT for
 * a missing or damaged profile, FMLP_ERR_OTHER for an output that cannot be written. */
FMLP_WARN_UNUSED fmlp_status fmlp_profile_show(int count, char *const *arguments, fmlp_error *error);
FMLP_WARN_UNUSED fmlp_status fmlp_profile_table(int count, char *const *arguments, fmlp_error *error);
FMLP_WARN_UNUSED fmlp_status fmlp_profile_top(int count, char *const *arguments, fmlp_error *error);
FMLP_WARN_UNUSED fmlp_status fmlp_profile_list(int count, char *const *arguments, fmlp_error *error);
FMLP_WARN_UNUSED fmlp_status fmlp_profile_lines(int count, char *const *arguments, fmlp_error *error);
FMLP_WARN_UNUSED fmlp_status fmlp_profile_export(int count, char *const *arguments, fmlp_error *error);
FMLP_WARN_UNUSED fmlp_status fmlp_profile_diff(int count, char *const *arguments, fmlp_error *error);

/* check: also FMLP_ERR_PERFORMANCE for a regression. */
FMLP_WARN_UNUSED fmlp_status fmlp_profile_gate(int count, char *const *arguments, fmlp_error *error);

#endif
