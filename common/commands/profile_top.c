/* fmlp profile top: where optimising pays, and why it is slow there. */
#include <stdio.h>

#include "common/commands/profile_commands.h"
#include "prof/views/advice.h"

fmlp_status fmlp_profile_top(int count, char *const *arguments, fmlp_error *error) {
  const char *source = NULL;
  fmlp_profile_source file;
  fmlp_profile *profile = NULL;
  for (int i = 0; i < count; i++) FMLP_TRY(fmlp_profile_operand("top", arguments[i], &source, error));
  if (!source) return fmlp_fail(error, FMLP_ERR_USAGE, "profile top: which run? fmlp profile top RUN|FILE");
  FMLP_TRY(fmlp_profile_open(source, &file, &profile, error));
  const bool written = fmlp_advice_write(profile, stdout);
  fmlp_profile_free(profile);
  return fmlp_profile_printed(written, error);
}
