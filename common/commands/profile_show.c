/* fmlp profile show: the functions of a run, as pstats prints them. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/commands/profile_commands.h"
#include "prof/store/profile.h"
#include "prof/views/report.h"

typedef struct show_request {
  const char *source;
  fmlp_report_selection selection;
} show_request;

static fmlp_status set_sort(show_request *request, const char *word, fmlp_error *error) {
  request->selection.sort = fmlp_table_key_find(word);
  if (request->selection.sort) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_USAGE, "profile show: --sort %s is no key; use one of: %s", word,
                   fmlp_table_key_names());
}

static fmlp_status set_top(show_request *request, const char *word, fmlp_error *error) {
  char *end = NULL;
  errno = 0;
  long long top = strtoll(word, &end, 10);
  if (errno != 0 || end == word || *end != '\0' || top < 1)
    return fmlp_fail(error, FMLP_ERR_USAGE, "profile show: --top %s is not a positive number of rows", word);
  request->selection.top = top < INT32_MAX ? top : INT32_MAX;
  return FMLP_OK;
}

static fmlp_status parse_show(int count, char *const *arguments, show_request *request, fmlp_error *error) {
  for (int i = 0; i < count; i++) {
    const char *value = NULL;
    if ((value = fmlp_profile_option(count, arguments, &i, "--sort")))
      FMLP_TRY(set_sort(request, value, error));
    else if ((value = fmlp_profile_option(count, arguments, &i, "--top")))
      FMLP_TRY(set_top(request, value, error));
    else if ((value = fmlp_profile_option(count, arguments, &i, "--filter")))
      request->selection.filter = value;
    else if (arguments[i][0] == '-')
      return fmlp_fail(error, FMLP_ERR_USAGE,
                       "profile show: unknown option or missing value: %s; see fmlp profile --help",
                       arguments[i]);
    else if (request->source)
      return fmlp_fail(error, FMLP_ERR_USAGE, "profile show: one RUN or FILE at a time, not %s and %s",
                       request->source, arguments[i]);
    else
      request->source = arguments[i];
  }
  if (request->source) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_USAGE,
                   "profile show: which run? fmlp profile show RUN|FILE [--sort KEY] [--top N] "
                   "[--filter REGEX]");
}

static fmlp_status print_capture(const fmlp_capture *capture, const show_request *request,
                                 fmlp_error *error) {
  char message[512] = "";
  char *text = fmlp_report_pstats(capture, &request->selection, message, (int64_t)sizeof message);
  if (!text) return fmlp_fail(error, FMLP_ERR_USAGE, "profile show: --filter: %s", message);
  bool written = fputs(text, stdout) >= 0 && fflush(stdout) == 0;
  free(text);
  return written ? FMLP_OK : fmlp_fail(error, FMLP_ERR_OTHER, "standard output: %s", strerror(errno));
}

fmlp_status fmlp_profile_show(int count, char *const *arguments, fmlp_error *error) {
  show_request request = {.selection = {.top = -1}};
  FMLP_TRY(parse_show(count, arguments, &request, error));
  char path[4096], title[4096 + 64], message[512] = "", when[64] = "";
  struct stat found;
  FMLP_TRY(fmlp_profile_find(request.source, path, sizeof path, &found, error));
  fmlp_profile *profile = fmlp_profile_load(path, message, (int64_t)sizeof message);
  if (!profile) return fmlp_fail(error, FMLP_ERR_INPUT, "%s", message);
  struct tm local;
  if (localtime_r(&found.st_mtime, &local)) (void)strftime(when, sizeof when, "%a %b %e %H:%M:%S %Y", &local);
  (void)snprintf(title, sizeof title, "%s    %s", when, path); /* pstats' first line */
  request.selection.title = title;
  fmlp_status status = print_capture(profile->captures[0], &request, error);
  fmlp_profile_free(profile);
  return status;
}
