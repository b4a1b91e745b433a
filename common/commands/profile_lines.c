/* fmlp profile lines: the source lines that the sampler found most often. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/commands/profile_commands.h"
#include "prof/store/profile.h"
#include "prof/views/lines.h"

enum { DEFAULT_LINES = 40 };

typedef struct lines_request {
  const char *profile;
  fmlp_lines_selection selection;
} lines_request;

static fmlp_status parse(int count, char *const *arguments, lines_request *request, fmlp_error *error) {
  for (int i = 0; i < count; i++) {
    const char *value = NULL;
    if ((value = fmlp_profile_option(count, arguments, &i, "--top")))
      FMLP_TRY(fmlp_profile_count("lines", "--top", value, 1, &request->selection.top, error));
    else if ((value = fmlp_profile_option(count, arguments, &i, "--filter")))
      request->selection.filter = value;
    else if ((value = fmlp_profile_option(count, arguments, &i, "--source")))
      request->selection.source = value;
    else
      FMLP_TRY(fmlp_profile_operand("lines", arguments[i], &request->profile, error));
  }
  if (request->profile) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_USAGE,
                   "profile lines: which run? fmlp profile lines RUN|FILE [--filter REGEX] [--top N] "
                   "[--source FOLDER]");
}

static fmlp_status print_lines(const fmlp_capture *capture, const char *path, const lines_request *request,
                               fmlp_error *error) {
  char message[512] = "";
  if (capture->sample_count == 0)
    return fmlp_fail(error, FMLP_ERR_INPUT,
                     "%s: no samples in this profile%s%s; run with "
                     "runtime.profile_sampling=1000",
                     path, capture->sample_reason[0] ? ": " : "", capture->sample_reason);
  char *text = fmlp_lines_text(capture, &request->selection, message, (int64_t)sizeof message);
  if (!text) return fmlp_fail(error, FMLP_ERR_USAGE, "profile lines: --filter: %s", message);
  (void)fputs(text, stdout); /* main flushes */
  free(text);
  return FMLP_OK;
}

fmlp_status fmlp_profile_lines(int count, char *const *arguments, fmlp_error *error) {
  lines_request request = {.selection = {.top = DEFAULT_LINES}};
  FMLP_TRY(parse(count, arguments, &request, error));
  fmlp_profile_source file;
  fmlp_profile *profile = NULL;
  FMLP_TRY(fmlp_profile_open(request.profile, &file, &profile, error));
  fmlp_status status = print_lines(profile->captures[0], file.path, &request, error);
  fmlp_profile_free(profile);
  return status;
}
