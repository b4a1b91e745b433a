/* What the verbs of fmlp profile share, and the verbs that have files of their own. */
#ifndef FMLP_COMMON_COMMANDS_PROFILE_COMMANDS_H
#define FMLP_COMMON_COMMANDS_PROFILE_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/core/status.h"
#include "prof/store/profile.h"

/* The value of `--name VALUE` or `--name=VALUE` at arguments[*at], advancing past it; NULL for another
 * argument. */
const char *fmlp_profile_option(int count, char *const *arguments, int *at, const char *name);

/* An argument that is no known option: the one RUN or FILE, or what is wrong with it. */
FMLP_WARN_UNUSED fmlp_status fmlp_profile_operand(const char *verb, const char *argument, const char **source,
                                                  fmlp_error *error);

/* The value of an option that counts something, from `least` on. */
FMLP_WARN_UNUSED fmlp_status fmlp_profile_count(const char *verb, const char *option, const char *word,
                                                int64_t least, int64_t *count, fmlp_error *error);

/* Reads the profile of a run folder, or the file itself; `file` says which it was. The caller frees it. */
typedef struct fmlp_profile_source {
  char path[4096];
  struct stat status;
} fmlp_profile_source;
FMLP_WARN_UNUSED fmlp_status fmlp_profile_open(const char *source, fmlp_profile_source *file,
                                               fmlp_profile **profile, fmlp_error *error);

/* After writing to standard output: out of memory, unless it was the output that failed, which main tells. */
FMLP_WARN_UNUSED fmlp_status fmlp_profile_printed(bool written, fmlp_error *error);

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
