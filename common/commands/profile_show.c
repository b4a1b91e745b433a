/* fmlp profile show: the functions of a run, as pstats prints them. */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/commands/profile_commands.h"
#include "prof/store/profile.h"
#include "prof/views/export.h"
#include "prof/views/pstats.h"

typedef struct show_request {
  const char *source;
  bool device;
  int64_t top; /* 0: not asked for */
  fmlp_pstats_selection selection;
} show_request;

/* Keys with commas between them, most significant first; a further --sort adds less significant ones. */
static fmlp_status add_sort(show_request *request, const char *words, fmlp_error *error) {
  fmlp_pstats_selection *selection = &request->selection;
  for (const char *at = words, *end = NULL; at; at = *end ? end + 1 : NULL) {
    end = strchrnul(at, ',');
    char word[32] = "";
    if (end - at < (ptrdiff_t)sizeof word) memcpy(word, at, (size_t)(end - at));
    const fmlp_table_key *key = fmlp_table_key_find(word);
    if (!key)
      return fmlp_fail(error, FMLP_ERR_USAGE, "profile show: --sort %s is no key; use one of: %s", words,
                       fmlp_table_key_names());
    if (selection->sort_count == FMLP_PSTATS_KEYS)
      return fmlp_fail(error, FMLP_ERR_USAGE, "profile show: --sort: at most %d keys", FMLP_PSTATS_KEYS);
    selection->sort[selection->sort_count++] = key;
  }
  return FMLP_OK;
}

static fmlp_status add_restriction(show_request *request, fmlp_pstats_restriction restriction,
                                   fmlp_error *error) {
  fmlp_pstats_selection *selection = &request->selection;
  if (selection->restriction_count == FMLP_PSTATS_RESTRICTIONS - 1) /* --top is one more */
    return fmlp_fail(error, FMLP_ERR_USAGE, "profile show: at most %d restrictions",
                     FMLP_PSTATS_RESTRICTIONS - 1);
  selection->restriction[selection->restriction_count++] = restriction;
  return FMLP_OK;
}

/* As pstats' own prompt reads them: a whole number of rows, a fraction of them, else an expression. */
static fmlp_status add_word(show_request *request, const char *word, fmlp_error *error) {
  char *end = NULL;
  errno = 0;
  const long long count = strtoll(word, &end, 10);
  if (end != word && *end == '\0' && errno == 0 && count >= 0)
    return add_restriction(request, (fmlp_pstats_restriction){.kind = FMLP_PSTATS_COUNT, .count = count},
                           error);
  const double share = strtod(word, &end);
  if (end == word || *end != '\0' || strspn(word, "0123456789.") == 0)
    return add_restriction(request, (fmlp_pstats_restriction){.kind = FMLP_PSTATS_REGEX, .expression = word},
                           error);
  if (!(share >= 0 && share <= 1))
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "profile show: %s is no restriction: a number of rows, a fraction from 0 to 1, or an "
                     "expression",
                     word);
  return share < 1 ? add_restriction(
                         request, (fmlp_pstats_restriction){.kind = FMLP_PSTATS_SHARE, .share = share}, error)
                   : FMLP_OK; /* all of them */
}

/* An option without a value; false for any other argument. */
static bool set_flag(show_request *request, const char *argument) {
  fmlp_pstats_selection *selection = &request->selection;
  if (strcmp(argument, "--callers") == 0)
    selection->kind = FMLP_PSTATS_CALLERS;
  else if (strcmp(argument, "--callees") == 0)
    selection->kind = FMLP_PSTATS_CALLEES;
  else if (strcmp(argument, "--reverse") == 0)
    selection->reverse = true;
  else if (strcmp(argument, "--gpu") == 0)
    request->device = true;
  else
    return false;
  return true;
}

static fmlp_status parse(int count, char *const *arguments, show_request *request, fmlp_error *error) {
  for (int i = 0; i < count; i++) {
    const char *value = NULL;
    if ((value = fmlp_profile_option(count, arguments, &i, "--sort")))
      FMLP_TRY(add_sort(request, value, error));
    else if ((value = fmlp_profile_option(count, arguments, &i, "--top")))
      FMLP_TRY(fmlp_profile_count("show", "--top", value, 1, &request->top, error));
    else if ((value = fmlp_profile_option(count, arguments, &i, "--filter")))
      FMLP_TRY(add_restriction(
          request, (fmlp_pstats_restriction){.kind = FMLP_PSTATS_REGEX, .expression = value}, error));
    else if (set_flag(request, arguments[i]))
      continue;
    else if (request->source && arguments[i][0] != '-')
      FMLP_TRY(add_word(request, arguments[i], error));
    else
      FMLP_TRY(fmlp_profile_operand("show", arguments[i], &request->source, error));
  }
  if (request->top > 0)
    request->selection.restriction[request->selection.restriction_count++] =
        (fmlp_pstats_restriction){.kind = FMLP_PSTATS_COUNT, .count = request->top};
  if (request->source) return FMLP_OK;
  return fmlp_fail(
      error, FMLP_ERR_USAGE,
      "profile show: which run? fmlp profile show RUN|FILE [RESTRICTION...] [--sort KEY] [--top N]");
}

static fmlp_status print_capture(const fmlp_capture *capture, const show_request *request,
                                 fmlp_error *error) {
  char message[512] = "";
  char *text = fmlp_pstats_text(capture, &request->selection, message, (int64_t)sizeof message);
  if (!text) return fmlp_fail(error, FMLP_ERR_USAGE, "profile show: %s", message);
  (void)fputs(text, stdout); /* main flushes */
  free(text);
  return FMLP_OK;
}

static fmlp_status print_device(const fmlp_capture *capture, const char *path, const show_request *request,
                                fmlp_error *error) {
  if (capture->operation_count == 0)
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s: no device operations in it%s%s", path,
                     capture->device_reason[0] ? ": " : "; run with runtime.profile_level=full",
                     capture->device_reason);
  fmlp_capture device = {0};
  fmlp_status status = fmlp_device_functions(capture, &device)
                           ? print_capture(&device, request, error)
                           : fmlp_fail(error, FMLP_ERR_OTHER, "out of memory");
  fmlp_device_functions_release(&device);
  return status;
}

fmlp_status fmlp_profile_show(int count, char *const *arguments, fmlp_error *error) {
  show_request request = {0};
  FMLP_TRY(parse(count, arguments, &request, error));
  char title[4096 + 64], when[64] = "";
  fmlp_profile_source file;
  fmlp_profile *profile = NULL;
  FMLP_TRY(fmlp_profile_open(request.source, &file, &profile, error));
  struct tm local;
  if (localtime_r(&file.status.st_mtime, &local))
    (void)strftime(when, sizeof when, "%a %b %e %H:%M:%S %Y", &local);
  (void)snprintf(title, sizeof title, "%s    %s", when, file.path); /* pstats' first line */
  request.selection.title = title;
  fmlp_status status = request.device ? print_device(profile->captures[0], file.path, &request, error)
                                      : print_capture(profile->captures[0], &request, error);
  fmlp_profile_free(profile);
  return status;
}
