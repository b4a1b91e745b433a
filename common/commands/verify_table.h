/* What fmlp verify prints of two run folders. */
#ifndef FMLP_COMMON_COMMANDS_VERIFY_TABLE_H
#define FMLP_COMMON_COMMANDS_VERIFY_TABLE_H

#include "common/io/compare_runs.h"

/* Stage by stage to standard output: what is equal in one line, what differs one by one. `a` and `b` name the
 * sides. */
FMLP_WARN_UNUSED fmlp_status fmlp_verify_print(const char *a, const char *b,
                                               const fmlp_run_comparison *comparison, fmlp_error *error);

#endif
