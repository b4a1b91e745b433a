/* fmlp profile list: what a folder of profiles holds. */
#include <stdio.h>

#include "common/commands/profile_commands.h"
#include "prof/store/history.h"

fmlp_status fmlp_profile_list(int count, char *const *arguments, fmlp_error *error) {
  char message[512] = "";
  for (int i = 0; i < count; i++)
    if (arguments[i][0] == '-')
      return fmlp_fail(error, FMLP_ERR_USAGE, "profile list: unknown option %s; see fmlp profile --help",
                       arguments[i]);
  if (count != 1)
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "profile list: which folder? fmlp profile list DIR (runtime.profile_output_dir)");
  if (!fmlp_history_print(arguments[0], stdout, message, (int64_t)sizeof message))
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s; runs write it with runtime.profile_output_dir=%s", message,
                     arguments[0]);
  return FMLP_OK; /* main flushes, and knows a reader that left */
}
