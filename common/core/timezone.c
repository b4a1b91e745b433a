/* TZif files (RFC 8536) and the POSIX TZ rule in their footer. */
#include "common/core/timezone.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/civil.h"
#include "common/core/memory.h"

enum { LARGEST_FILE = 1 << 20, HEADER_BYTES = 44, LONGEST_NAME = 128, LONGEST_OFFSET = 26 * 3600 };

static const char default_folder[] = "/usr/share/zoneinfo";

/* When in a year the clocks change: the forms J1..J365, 0..365 and Mm.w.d of POSIX. */
typedef enum date_form { JULIAN_WITHOUT_LEAP_DAY, DAY_OF_YEAR, WEEKDAY_OF_MONTH } date_form;

typedef struct change_rule {
  date_form form;
  int32_t month, week, day;
  int32_t seconds; /* local time of day, may be negative or beyond a day */
} change_rule;

typedef struct yearly_rule {
  bool has_summer_time;
  int32_t standard_offset, summer_offset; /* seconds east of UTC */
  change_rule summer_begins, summer_ends;
} yearly_rule;

struct fmlp_timezone {
  char name[LONGEST_NAME];
  int64_t count;    /* transitions */
  int64_t *time;    /* [count] UTC seconds, ascending */
  int32_t *offset;  /* [count] from time[i] on */
  int32_t earliest; /* offset before the first transition */
  bool has_rule;    /* beyond the last transition */
  yearly_rule rule;
};

/* ---- the POSIX TZ rule ---- */

static bool take(const char **at, char expected) {
  if (**at != expected) return false;
  (*at)++;
  return true;
}

static bool take_number(const char **at, int32_t most, int32_t *value) {
  if (!isdigit((unsigned char)**at)) return false;
  int32_t number = 0;
  while (isdigit((unsigned char)**at)) {
    number = number * 10 + (**at - '0');
    if (number > most) return false;
    (*at)++;
  }
  *value = number;
  return true;
}

/* [+-]h[h[h]][:mm[:ss]] */
static bool take_duration(const char **at, int32_t *seconds) {
  bool negative = take(at, '-');
  if (!negative) (void)take(at, '+');
  int32_t hours = 0, minutes = 0, rest = 0;
  if (!take_number(at, 167, &hours)) return false;
  if (take(at, ':')) {
    if (!take_number(at, 59, &minutes)) return false;
    if (take(at, ':') && !take_number(at, 59, &rest)) return false;
  }
  *seconds = (hours * 60 + minutes) * 60 + rest;
  if (negative) *seconds = -*seconds;
  return true;
}

static bool take_abbreviation(const char **at) {
  const char *start = *at;
  if (take(at, '<')) {
    while (**at && **at != '>') (*at)++;
    return take(at, '>');
  }
  while (isalpha((unsigned char)**at)) (*at)++;
  return *at - start >= 3;
}

static bool take_change(const char **at, change_rule *rule) {
  *rule = (change_rule){.seconds = 2 * 3600};
  if (take(at, 'J')) {
    rule->form = JULIAN_WITHOUT_LEAP_DAY;
    if (!take_number(at, 365, &rule->day) || rule->day < 1) return false;
  } else if (take(at, 'M')) {
    rule->form = WEEKDAY_OF_MONTH;
    if (!take_number(at, 12, &rule->month) || rule->month < 1 || !take(at, '.')) return false;
    if (!take_number(at, 5, &rule->week) || rule->week < 1 || !take(at, '.')) return false;
    if (!take_number(at, 6, &rule->day)) return false;
  } else {
    rule->form = DAY_OF_YEAR;
    if (!take_number(at, 365, &rule->day)) return false;
  }
  return !take(at, '/') || take_duration(at, &rule->seconds);
}

static bool parse_rule(const char *text, yearly_rule *rule) {
  const char *at = text;
  int32_t west = 0;
  *rule = (yearly_rule){.has_summer_time = false};
  if (!take_abbreviation(&at) || !take_duration(&at, &west)) return false;
  rule->standard_offset = -west;
  if (*at == '\0') return abs(rule->standard_offset) <= LONGEST_OFFSET;
  rule->has_summer_time = true;
  if (!take_abbreviation(&at)) return false;
  rule->summer_offset = rule->standard_offset + 3600;
  if (*at && *at != ',') {
    if (!take_duration(&at, &west)) return false;
    rule->summer_offset = -west;
  }
  return take(&at, ',') && take_change(&at, &rule->summer_begins) && take(&at, ',') &&
         take_change(&at, &rule->summer_ends) && *at == '\0' &&
         abs(rule->standard_offset) <= LONGEST_OFFSET && abs(rule->summer_offset) <= LONGEST_OFFSET;
}

/* Local seconds at which the clocks change in `year`. */
static int64_t change_in_year(const change_rule *rule, int64_t year) {
  int64_t first = fmlp_days_from_civil(year, 1, 1), day = first + rule->day;
  if (rule->form == JULIAN_WITHOUT_LEAP_DAY) {
    day = first + rule->day - 1 + (fmlp_is_leap_year(year) && rule->day >= 60 ? 1 : 0);
  } else if (rule->form == WEEKDAY_OF_MONTH) {
    int64_t month = fmlp_days_from_civil(year, rule->month, 1);
    int64_t next = rule->month == 12 ? fmlp_days_from_civil(year + 1, 1, 1)
                                     : fmlp_days_from_civil(year, rule->month + 1, 1);
    day = month + (rule->day - fmlp_weekday(month) + 7) % 7 + 7 * (rule->week - 1);
    while (day >= next) day -= 7; /* week 5 means the last */
  }
  return day * FMLP_SECONDS_PER_DAY + rule->seconds;
}

static fmlp_timezone_period rule_period(const yearly_rule *rule, int64_t utc) {
  fmlp_timezone_period period = {INT64_MIN, INT64_MAX, rule->standard_offset};
  if (!rule->has_summer_time) return period;
  int64_t year = fmlp_civil_from_days(fmlp_floor_divide(utc, FMLP_SECONDS_PER_DAY)).year;
  for (int64_t y = year - 1; y <= year + 1; y++) {
    /* each change is told in the local time that holds before it */
    int64_t begins = change_in_year(&rule->summer_begins, y) - rule->standard_offset;
    int64_t ends = change_in_year(&rule->summer_ends, y) - rule->summer_offset;
    if (begins <= utc && begins > period.first) {
      period.first = begins;
      period.offset = rule->summer_offset;
    }
    if (ends <= utc && ends > period.first) {
      period.first = ends;
      period.offset = rule->standard_offset;
    }
    if (begins > utc && begins < period.last) period.last = begins;
    if (ends > utc && ends < period.last) period.last = ends;
  }
  return period;
}

/* ---- TZif ---- */

typedef struct counts {
  int64_t utc, standard, leap, time, type, text;
} counts;

static uint64_t big_endian(const unsigned char *at, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; i++) value = value << 8 | at[i];
  return value;
}

static counts read_counts(const unsigned char *header) {
  return (counts){.utc = (int64_t)big_endian(header + 20, 4),
                  .standard = (int64_t)big_endian(header + 24, 4),
                  .leap = (int64_t)big_endian(header + 28, 4),
                  .time = (int64_t)big_endian(header + 32, 4),
                  .type = (int64_t)big_endian(header + 36, 4),
                  .text = (int64_t)big_endian(header + 40, 4)};
}

static int64_t block_bytes(const counts *n, int64_t time_bytes) {
  return n->time * (time_bytes + 1) + n->type * 6 + n->text + n->leap * (time_bytes + 4) + n->standard +
         n->utc;
}

static bool is_header(const unsigned char *bytes, int64_t left) {
  return left >= HEADER_BYTES && memcmp(bytes, "TZif", 4) == 0 && bytes[4] >= '2';
}

static bool read_transitions(const unsigned char *block, const counts *n, fmlp_timezone *zone) {
  const unsigned char *indices = block + n->time * 8, *types = indices + n->time;
  for (int64_t i = 0; i < n->type; i++) {
    if (abs((int32_t)(uint32_t)big_endian(types + i * 6, 4)) > LONGEST_OFFSET) return false;
  }
  for (int64_t i = 0; i < n->time; i++) {
    if (indices[i] >= n->type) return false;
    zone->time[i] = (int64_t)big_endian(block + i * 8, 8);
    zone->offset[i] = (int32_t)(uint32_t)big_endian(types + indices[i] * 6, 4);
    if (i > 0 && zone->time[i] <= zone->time[i - 1]) return false;
  }
  zone->earliest = (int32_t)(uint32_t)big_endian(types, 4);
  zone->count = n->time;
  return true;
}

static bool read_footer(const unsigned char *at, int64_t left, fmlp_timezone *zone) {
  char text[128] = "";
  if (left < 2 || at[0] != '\n') return false;
  const unsigned char *end = memchr(at + 1, '\n', (size_t)(left - 1));
  if (!end || end - at - 1 >= (int64_t)sizeof text) return false;
  memcpy(text, at + 1, (size_t)(end - at - 1));
  zone->has_rule = text[0] != '\0';
  return !zone->has_rule || parse_rule(text, &zone->rule);
}

static fmlp_status damaged(const char *name, fmlp_error *error) {
  return fmlp_fail(
      error, FMLP_ERR_USAGE,
      "time zone %s: its file is not TZif version 2 or later, or is damaged; install tzdata again", name);
}

static fmlp_status parse_file(const unsigned char *bytes, int64_t size, fmlp_timezone *zone,
                              fmlp_error *error) {
  if (!is_header(bytes, size)) return damaged(zone->name, error);
  counts old = read_counts(bytes);
  int64_t second = HEADER_BYTES + block_bytes(&old, 4);
  if (second > size || !is_header(bytes + second, size - second)) return damaged(zone->name, error);
  counts n = read_counts(bytes + second);
  const unsigned char *block = bytes + second + HEADER_BYTES;
  int64_t left = size - second - HEADER_BYTES, needed = block_bytes(&n, 8);
  if (needed > left || n.type < 1 || n.type > 256 || n.leap != 0) return damaged(zone->name, error);
  FMLP_TRY(fmlp_alloc(&zone->time, n.time, sizeof *zone->time, "time zone", error));
  FMLP_TRY(fmlp_alloc(&zone->offset, n.time, sizeof *zone->offset, "time zone", error));
  if (!read_transitions(block, &n, zone) || !read_footer(block + needed, left - needed, zone)) {
    return damaged(zone->name, error);
  }
  return FMLP_OK;
}

/* ---- names and files ---- */

/* Only names that stay inside the folder of the database. */
static bool is_plausible_name(const char *name) {
  if (!isalpha((unsigned char)name[0]) || strlen(name) >= LONGEST_NAME) return false;
  for (const char *at = name; *at; at++) {
    if (!isalnum((unsigned char)*at) && !strchr("/_+-", *at)) return false;
  }
  return true;
}

static bool parse_fixed(const char *name, int32_t *offset) {
  if (strcmp(name, "UTC") == 0 || strcmp(name, "Z") == 0) {
    *offset = 0;
    return true;
  }
  const char *at = name + 3;
  return strncmp(name, "UTC", 3) == 0 && (*at == '+' || *at == '-') && take_duration(&at, offset) &&
         *at == '\0' && abs(*offset) <= LONGEST_OFFSET;
}

static fmlp_status unknown(const char *name, fmlp_error *error) {
  return fmlp_fail(error, FMLP_ERR_USAGE,
                   "unknown time zone \"%s\"; use a tz database name such as America/New_York, or UTC, UTC-5",
                   name);
}

static fmlp_status load(fmlp_timezone *zone, fmlp_error *error) {
  if (!is_plausible_name(zone->name)) return unknown(zone->name, error);
  const char *folder = getenv("TZDIR");
  char path[1024];
  int length =
      snprintf(path, sizeof path, "%s/%s", folder && folder[0] ? folder : default_folder, zone->name);
  FILE *file = length > 0 && length < (int)sizeof path ? fopen(path, "rb") : NULL;
  if (!file) return unknown(zone->name, error);
  unsigned char *bytes = NULL;
  fmlp_status status = fmlp_alloc(&bytes, LARGEST_FILE, 1, "time zone file", error);
  if (status == FMLP_OK) {
    errno = 0;
    size_t size = fread(bytes, 1, LARGEST_FILE, file);
    status = errno == EISDIR ? unknown(zone->name, error) : parse_file(bytes, (int64_t)size, zone, error);
  }
  fmlp_free(bytes);
  (void)fclose(file);
  return status;
}

fmlp_status fmlp_timezone_open(const char *name, fmlp_timezone **out, fmlp_error *error) {
  *out = NULL;
  if (strlen(name) >= LONGEST_NAME) return unknown(name, error);
  fmlp_timezone *zone = NULL;
  FMLP_TRY(fmlp_alloc_zero(&zone, 1, sizeof *zone, "time zone", error));
  memcpy(zone->name, name, strlen(name) + 1);
  fmlp_status status = parse_fixed(name, &zone->earliest) ? FMLP_OK : load(zone, error);
  if (status != FMLP_OK) {
    fmlp_timezone_close(zone);
    return status;
  }
  *out = zone;
  return FMLP_OK;
}

void fmlp_timezone_close(fmlp_timezone *zone) {
  if (!zone) return;
  fmlp_free(zone->time);
  fmlp_free(zone->offset);
  fmlp_free(zone);
}

const char *fmlp_timezone_name(const fmlp_timezone *zone) {
  return zone->name;
}

fmlp_timezone_period fmlp_timezone_period_at(const fmlp_timezone *zone, int64_t utc) {
  int64_t low = 0, high = zone->count; /* transitions at or before utc */
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (zone->time[middle] <= utc) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  int64_t first = low > 0 ? zone->time[low - 1] : INT64_MIN;
  if (low == zone->count && zone->has_rule) {
    fmlp_timezone_period period = rule_period(&zone->rule, utc);
    if (period.first < first) period.first = first;
    return period;
  }
  return (fmlp_timezone_period){.first = first,
                                .last = low < zone->count ? zone->time[low] : INT64_MAX,
                                .offset = low > 0 ? zone->offset[low - 1] : zone->earliest};
}

int32_t fmlp_timezone_offset(const fmlp_timezone *zone, int64_t utc) {
  return fmlp_timezone_period_at(zone, utc).offset;
}

int64_t fmlp_timezone_to_utc(const fmlp_timezone *zone, int64_t local) {
  /* Offsets stay within 26 hours, so the walk over periods starts at or before the right one. */
  fmlp_timezone_period period = fmlp_timezone_period_at(zone, local - LONGEST_OFFSET);
  int32_t before = period.offset;
  while (local - period.offset >= period.last) {
    before = period.offset;
    period = fmlp_timezone_period_at(zone, period.last);
  }
  /* In this period, or else in the gap that its beginning tore into the local clock. */
  return local - (local - period.offset >= period.first ? period.offset : before);
}
