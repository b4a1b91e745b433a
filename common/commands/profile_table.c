/* fmlp profile table: the unified table, host and devices beside each other. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/commands/profile_commands.h"
#include "prof/store/profile.h"
#include "prof/views/unified.h"

typedef enum table_format { TABLE_TEXT, TABLE_CSV, TABLE_JSON } table_format;

typedef struct table_request {
  const char *source;
  table_format format;
  fmlp_unified_selection selection;
} table_request;

static fmlp_status set_format(table_request *request, const char *word, fmlp_error *error) {
  static const char *const NAMES[] = {"text", "csv", "json"};
  for (int i = 0; i < 3; i++) {
    if (strcmp(word, NAMES[i]) != 0) continue;
    request->format = (table_format)i;
    return FMLP_OK;
  }
  return fmlp_fail(error, FMLP_ERR_USAGE, "profile table: --format %s is unknown; use one of: text csv json",
                   word);
}

static fmlp_status set_sort(table_request *request, const char *word, fmlp_error *error) {
  char names[1024] = "";
  request->selection.sort = word;
  if (fmlp_unified_column_find(word)) return FMLP_OK;
  for (const fmlp_unified_column *column = fmlp_unified_columns; column->key; column++) {
    (void)strncat(names, " ", sizeof names - strlen(names) - 1);
    (void)strncat(names, column->key, sizeof names - strlen(names) - 1);
  }
  return fmlp_fail(error, FMLP_ERR_USAGE, "profile table: --sort %s names no column; use one of:%s", word,
                   names);
}

static fmlp_status parse(int count, char *const *arguments, table_request *request, fmlp_error *error) {
  fmlp_unified_selection *selection = &request->selection;
  int64_t depth = -1;
  for (int i = 0; i < count; i++) {
    const char *value = NULL;
    if ((value = fmlp_profile_option(count, arguments, &i, "--format")))
      FMLP_TRY(set_format(request, value, error));
    else if ((value = fmlp_profile_option(count, arguments, &i, "--sort")))
      FMLP_TRY(set_sort(request, value, error));
    else if ((value = fmlp_profile_option(count, arguments, &i, "--top")))
      FMLP_TRY(fmlp_profile_count("table", "--top", value, 1, &selection->top, error));
    else if ((value = fmlp_profile_option(count, arguments, &i, "--depth")))
      FMLP_TRY(fmlp_profile_count("table", "--depth", value, 0, &depth, error));
    else if ((value = fmlp_profile_option(count, arguments, &i, "--filter")))
      selection->filter = value;
    else if (strcmp(arguments[i], "--flat") == 0)
      selection->flat = true;
    else
      FMLP_TRY(fmlp_profile_operand("table", arguments[i], &request->source, error));
  }
  selection->depth = (int32_t)depth;
  if (request->format != TABLE_TEXT) selection->flat = true; /* for programs: as it stands, or sorted */
  if (request->source) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_USAGE, "profile table: which run? fmlp profile table RUN|FILE");
}

fmlp_status fmlp_profile_table(int count, char *const *arguments, fmlp_error *error) {
  table_request request = {.selection = {.top = -1, .depth = -1}};
  char message[512] = "";
  fmlp_profile_source file;
  fmlp_profile *profile = NULL;
  FMLP_TRY(parse(count, arguments, &request, error));
  FMLP_TRY(fmlp_profile_open(request.source, &file, &profile, error));
  const fmlp_capture *capture = profile->captures[0];
  bool done = false;
  switch (request.format) {
  case TABLE_TEXT:
    done = fmlp_unified_text(capture, &request.selection, stdout, message, (int64_t)sizeof message);
    break;
  case TABLE_CSV:
    done = fmlp_unified_csv(capture, &request.selection, stdout, message, (int64_t)sizeof message);
    break;
  case TABLE_JSON:
    done = fmlp_unified_json(profile, &request.selection, stdout, message, (int64_t)sizeof message);
    break;
  }
  fmlp_profile_free(profile);
  if (!done && strncmp(message, "not a regular", 13) == 0)
    return fmlp_fail(error, FMLP_ERR_USAGE, "profile table: --filter: %s", message);
  return fmlp_profile_printed(done, error);
}
