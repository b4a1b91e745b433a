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

static fmlp_status set_top(lines_request *request, const char *word, fmlp_error *error) {
  char *end = NULL;
  errno = 0;
  const long long top = strtoll(word, &end, 10);
  if (errno != 0 || end == word || *end != '\0' || top < 1)
    return fmlp_fail(error, FMLP_ERR_USAGE, "profile lines: --top %s is not a positive number of lines",
                     word);
  request->selection.top = top;
  return FMLP_OK;
}

static fmlp_status parse(int count, char *const *arguments, lines_request *request, fmlp_error *error) {
  for (int i = 0; i < count; i++) {
    const char *value = NULL;
    if ((value = fmlp_profile_option(count, arguments, &i, "--top")))
      FMLP_TRY(set_top(request, value, error));
    else if ((value = fmlp_profile_option(count, arguments, &i, "--filter")))
      request->selection.filter = value;
    else if ((value = fmlp_profile_option(count, arguments, &i, "--source")))
      request->selection.source = value;
    else if (arguments[i][0] == '-')
      return fmlp_fail(error, FMLP_ERR_USAGE,
                       "profile lines: unknown option or missing value: %s; see fmlp profile --help",
                       arguments[i]);
    else if (request->profile)
      return fmlp_fail(error, FMLP_ERR_USAGE, "profile lines: one RUN or FILE at a time, not %s and %s",
                       request->profile, arguments[i]);
    else
      request->profile = arguments[i];
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
  const bool written = fputs(text, stdout) >= 0 && fflush(stdout) == 0;
  free(text);
  return written ? FMLP_OK : fmlp_fail(error, FMLP_ERR_OTHER, "standard output: %s", strerror(errno));
}

fmlp_status fmlp_profile_lines(int count, char *const *arguments, fmlp_error *error) {
  lines_request request = {.selection = {.top = DEFAULT_LINES}};
  FMLP_TRY(parse(count, arguments, &request, error));
  char path[4096], message[512] = "";
  struct stat found;
  FMLP_TRY(fmlp_profile_find(request.profile, path, sizeof path, &found, error));
  fmlp_profile *profile = fmlp_profile_load(path, message, (int64_t)sizeof message);
  if (!profile) return fmlp_fail(error, FMLP_ERR_INPUT, "%s", message);
  fmlp_status status = print_lines(profile->captures[0], path, &request, error);
  fmlp_profile_free(profile);
  return status;
}
