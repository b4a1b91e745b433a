/* fmlp synth: writes a realistic synthetic quote file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/commands/commands.h"
#include "common/core/civil.h"
#include "common/io/synth.h"
#include "common/io/text.h"

static const char usage[] =
    "usage: fmlp synth [--seed N] [--ticks N] [--start YYYY-MM-DD] [--force] FILE\n"
    "\n"
    "Writes a synthetic file of quotes of one currency pair: intraday seasons, clustered volatility,\n"
    "news, spreads that widen, weekends, clock changes, and a few faults as real feeds have them.\n"
    "\n"
    "  --seed N      another market for each number from 0 to 18446744073709551615 (42)\n"
    "  --ticks N     quotes to write (1000000, about three weeks)\n"
    "  --start DATE  first day, UTC, from 1970-01-01 to 2199-12-31 (2024-03-04)\n"
    "  --force       replace FILE when it exists\n"
    "  FILE          compressed when it ends in .gz or .zst\n";

static const int64_t TICKS_MAX = INT64_C(100000000000);

/* A whole decimal number of at most `most`. */
static bool parse_number(const char *text, uint64_t most, uint64_t *number) {
  if (*text < '0' || *text > '9') return false; /* strtoull takes signs and spaces */
  char *end = NULL;
  errno = 0;
  *number = strtoull(text, &end, 10);
  return errno == 0 && *end == '\0' && *number <= most;
}

static bool parse_date(const char *text, int64_t *day) {
  int year = 0, month = 0, date = 0, used = 0;
  if (strlen(text) != strlen("YYYY-MM-DD") || text[4] != '-' || text[7] != '-') return false;
  if (strspn(text, "0123456789-") != strlen(text)) return false;
  if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &date, &used) != 3 || text[used] != '\0') return false;
  if (year < 1970 || year > 2199 || month < 1 || month > 12 || date < 1) return false;
  *day = fmlp_days_from_civil(year, month, date);
  fmlp_date back = fmlp_civil_from_days(*day);
  return back.month == month && back.day == date; /* not the 30th of February */
}

static fmlp_status bad_value(const char *option, const char *value, const char *wanted, fmlp_error *error) {
  return fmlp_fail(error, FMLP_ERR_USAGE, "synth: %s %s is not %s; see fmlp synth --help", option, value,
                   wanted);
}

static fmlp_status take_option(fmlp_synth_request *request, const char *option, const char *value,
                               fmlp_error *error) {
  uint64_t number = 0;
  if (strcmp(option, "--seed") == 0) {
    if (!parse_number(value, UINT64_MAX, &request->seed)) {
      return bad_value(option, value, "a whole number from 0 to 18446744073709551615", error);
    }
  } else if (strcmp(option, "--ticks") == 0) {
    if (!parse_number(value, (uint64_t)TICKS_MAX, &number) || number == 0) {
      return bad_value(option, value, "a whole number from 1 to 100000000000", error);
    }
    request->ticks = (int64_t)number;
  } else if (!parse_date(value, &request->start_day)) {
    return bad_value(option, value, "a date from 1970-01-01 to 2199-12-31", error);
  }
  return FMLP_OK;
}

static bool takes_value(const char *option, size_t length) {
  static const char *const options[] = {"--seed", "--ticks", "--start"};
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    if (strlen(options[i]) == length && strncmp(options[i], option, length) == 0) return true;
  }
  return false;
}

static fmlp_status parse_arguments(int count, char **arguments, fmlp_synth_request *request, bool *help,
                                   fmlp_error *error) {
  bool options_over = false;
  for (int i = 1; i < count; i++) {
    char *one = arguments[i];
    if (options_over || one[0] != '-' || one[1] == '\0') {
      if (request->path) {
        return fmlp_fail(error, FMLP_ERR_USAGE, "synth: two files, %s and %s; give one", request->path, one);
      }
      request->path = one;
      continue;
    }
    size_t length = strcspn(one, "=");
    if (strcmp(one, "--") == 0) {
      options_over = true;
    } else if (strcmp(one, "--help") == 0 || strcmp(one, "-h") == 0) {
      *help = true;
    } else if (strcmp(one, "--force") == 0) {
      request->overwrite = true;
    } else if (!takes_value(one, length)) {
      return fmlp_fail(error, FMLP_ERR_USAGE, "synth: unknown option %s; see fmlp synth --help", one);
    } else if (one[length] == '=') {
      one[length] = '\0';
      FMLP_TRY(take_option(request, one, one + length + 1, error));
    } else if (i + 1 == count) {
      return fmlp_fail(error, FMLP_ERR_USAGE, "synth: %s needs a value; see fmlp synth --help", one);
    } else {
      FMLP_TRY(take_option(request, one, arguments[++i], error));
    }
  }
  if (!*help && (!request->path || request->path[0] == '\0')) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "synth: no file to write; see fmlp synth --help");
  }
  return FMLP_OK;
}

fmlp_status fmlp_command_synth(int argument_count, char **arguments, fmlp_error *error) {
  fmlp_synth_request request = {.seed = 42, .ticks = 1000000, .start_day = fmlp_days_from_civil(2024, 3, 4)};
  bool help = false;
  FMLP_TRY(parse_arguments(argument_count, arguments, &request, &help, error));
  if (help) {
    (void)fputs(usage, stdout);
    return FMLP_OK;
  }
  fmlp_synth_summary summary;
  FMLP_TRY(fmlp_synth_write(&request, &summary, error));
  fmlp_text line = {0};
  fmlp_text_format(&line, "%s: %lld quotes from ", request.path, (long long)request.ticks);
  fmlp_text_minute(&line, summary.first_ms * 1000000);
  fmlp_text_append(&line, " to ");
  fmlp_text_minute(&line, summary.last_ms * 1000000);
  fmlp_text_format(&line, " UTC, seed %llu\n", (unsigned long long)request.seed);
  fmlp_status status = fmlp_text_finish(&line, error);
  if (status == FMLP_OK) (void)fputs(line.bytes, stdout);
  fmlp_text_release(&line);
  return status;
}
