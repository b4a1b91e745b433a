/* fmlp profile top: where optimising pays, and why it is slow there. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/commands/profile_commands.h"
#include "prof/views/advice.h"

fmlp_status fmlp_profile_top(int count, char *const *arguments, fmlp_error *error) {
  char path[4096], message[512] = "";
  struct stat found;
  for (int i = 0; i < count; i++)
    if (arguments[i][0] == '-')
      return fmlp_fail(error, FMLP_ERR_USAGE, "profile top: unknown option: %s; see fmlp profile --help",
                       arguments[i]);
  if (count != 1)
    return fmlp_fail(error, FMLP_ERR_USAGE, "profile top: %s: fmlp profile top RUN|FILE",
                     count == 0 ? "which run?" : "one RUN or FILE at a time");
  FMLP_TRY(fmlp_profile_find(arguments[0], path, sizeof path, &found, error));
  fmlp_profile *profile = fmlp_profile_load(path, message, (int64_t)sizeof message);
  if (!profile) return fmlp_fail(error, FMLP_ERR_INPUT, "%s", message);
  const bool written = fmlp_advice_write(profile, stdout) && fflush(stdout) == 0;
  fmlp_profile_free(profile);
  return written ? FMLP_OK : fmlp_fail(error, FMLP_ERR_OTHER, "standard output: %s", strerror(errno));
}
