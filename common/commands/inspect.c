/* fmlp inspect: what a tick file is, what is odd about it, and the configuration that fits. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/commands/commands.h"
#include "common/config/config.h"
#include "common/core/civil.h"
#include "common/core/memory.h"
#include "common/io/text.h"
#include "common/io/tick_reader.h"
#include "common/stages/clean.h"

static const char usage[] =
    "usage: fmlp inspect [--format F] [--timezone ZONE] [--point-size P] [--skip-bad-rows] FILE\n"
    "                    [data.KEY=VALUE...]\n"
    "\n"
    "Says what was detected in a tick file, its rows and span, what is odd about it, and the\n"
    "configuration that fits. FILE: CSV, plain or compressed; - reads standard input.\n"
    "data.KEY=VALUE: as for fmlp run (columns, size_decimals, ...; fmlp run --help-keys lists them).\n"
    "\n"
    "  --format F         data.format; one of these instead of detection:\n";

enum { GAPS = 3 };

typedef struct gap {
  int64_t from, length; /* ns */
} gap;

/* What one pass over the sorted ticks finds. */
typedef struct findings {
  int32_t lowest_bid, highest_ask;
  int64_t least_spread, largest_spread, spread_sum; /* points */
  int64_t saturday, sunday;                         /* ticks, UTC */
  int64_t without_size;
  gap gaps[GAPS]; /* the longest first */
} findings;

static void note_gap(findings *found, gap now) {
  for (int i = 0; i < GAPS; i++) {
    if (now.length <= found->gaps[i].length) continue;
    gap moved = found->gaps[i];
    found->gaps[i] = now;
    now = moved;
  }
}

/* ns from one tick to the next, saturated: one of them may have a date centuries off. */
static int64_t wait_between(int64_t before, int64_t after) {
  int64_t wait = 0;
  if (__builtin_sub_overflow(after, before, &wait)) return after > before ? INT64_MAX : INT64_MIN;
  return wait;
}

static findings look(const fmlp_ticks *ticks) {
  findings found = {.lowest_bid = INT32_MAX, .least_spread = INT64_MAX, .largest_spread = INT64_MIN};
  for (int64_t i = 0; i < ticks->count; i++) {
    int64_t spread = (int64_t)ticks->ask[i] - ticks->bid[i];
    int32_t weekday = fmlp_weekday(fmlp_floor_divide(ticks->time[i], FMLP_NS_PER_DAY));
    if (ticks->bid[i] < found.lowest_bid) found.lowest_bid = ticks->bid[i];
    if (ticks->ask[i] > found.highest_ask) found.highest_ask = ticks->ask[i];
    if (spread < found.least_spread) found.least_spread = spread;
    if (spread > found.largest_spread) found.largest_spread = spread;
    found.spread_sum += spread;
    found.saturday += weekday == 6;
    found.sunday += weekday == 0;
    found.without_size += ticks->size ? ticks->size[i] == 0 : 0;
    if (i > 0) note_gap(&found, (gap){ticks->time[i - 1], wait_between(ticks->time[i - 1], ticks->time[i])});
  }
  return found;
}

/* "1,144,807" */
static void grouped(fmlp_text *text, int64_t value) {
  char digits[32];
  int length = snprintf(digits, sizeof digits, "%lld", (long long)value);
  for (int i = 0; i < length; i++) {
    fmlp_text_format(text, "%s%c", i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-' ? "," : "",
                     digits[i]);
  }
}

/* One point as its exact decimal: 0.00001, 0.25, 100. */
static void point_size(fmlp_text *text, fmlp_scale scale) {
  long long whole = scale.m / fmlp_power_of_ten[scale.k], rest = scale.m % fmlp_power_of_ten[scale.k];
  if (scale.k == 0) {
    fmlp_text_format(text, "%lld", whole);
  } else {
    fmlp_text_format(text, "%lld.%0*lld", whole, (int)scale.k, rest);
  }
}

static void price(fmlp_text *text, int64_t points, fmlp_scale scale) {
  fmlp_text_format(text, "%.*f", (int)scale.k, fmlp_decimal(points, scale));
}

static void duration(fmlp_text *text, int64_t nanoseconds) {
  int64_t seconds = nanoseconds / FMLP_NS_PER_SECOND;
  if (seconds >= 86400) {
    fmlp_text_format(text, "%lld d %lld h", (long long)(seconds / 86400), (long long)(seconds / 3600 % 24));
  } else if (seconds >= 3600) {
    fmlp_text_format(text, "%lld h %lld min", (long long)(seconds / 3600), (long long)(seconds / 60 % 60));
  } else if (seconds >= 60) {
    fmlp_text_format(text, "%lld min %lld s", (long long)(seconds / 60), (long long)(seconds % 60));
  } else {
    fmlp_text_format(text, "%.3f s", (double)nanoseconds / 1e9);
  }
}

static void counted(fmlp_text *text, const char *what, int64_t count, int64_t of) {
  fmlp_text_format(text, "  %-16s ", what);
  grouped(text, count);
  if (count > 0) fmlp_text_format(text, " (%.2f %%)", 100.0 * (double)count / (double)of);
  fmlp_text_append(text, "\n");
}

static void describe_file(fmlp_text *text, const char *path, const fmlp_ticks *ticks,
                          const fmlp_read_report *report, bool zone_guessed) {
  fmlp_text_format(text, "file          %s\n", path);
  fmlp_text_format(text, "detected      %s\n", report->decision);
  if (zone_guessed) {
    fmlp_text_append(text, "time zone     unknown: read as UTC here; a run needs data.timezone\n");
  }
  fmlp_text_format(text, "compression   %s\n", report->compression);
  fmlp_text_append(text, "rows          ");
  grouped(text, report->rows);
  fmlp_text_append(text, " of ");
  grouped(text, report->lines);
  fmlp_text_append(text, " lines");
  if (report->bad_rows > 0) {
    fmlp_text_append(text, "; bad rows skipped: ");
    grouped(text, report->bad_rows);
    fmlp_text_format(text, ", the first on line %lld", (long long)report->first_bad_line);
  }
  fmlp_text_append(text, "\nspan          ");
  fmlp_text_time(text, ticks->time[0]);
  fmlp_text_append(text, " to ");
  fmlp_text_time(text, ticks->time[ticks->count - 1]);
  fmlp_text_append(text, "\npoint size    ");
  point_size(text, ticks->price);
  fmlp_text_append(text, "\n");
}

static void describe_market(fmlp_text *text, const fmlp_ticks *ticks, const findings *found) {
  fmlp_text_append(text, "prices        ");
  price(text, found->lowest_bid, ticks->price);
  fmlp_text_append(text, " to ");
  price(text, found->highest_ask, ticks->price);
  if (ticks->kind == FMLP_QUOTES) {
    fmlp_text_format(text, "\nspread        %lld to %lld points, mean %.2f", (long long)found->least_spread,
                     (long long)found->largest_spread, (double)found->spread_sum / (double)ticks->count);
  }
  fmlp_text_append(text, "\nsizes         ");
  if (ticks->size || ticks->bid_size) {
    fmlp_text_append(text, "in units of ");
    point_size(text, ticks->size_unit);
    fmlp_text_append(text, "\n");
  } else {
    fmlp_text_append(text, "none: no volume or dollar bars\n");
  }
  fmlp_text_append(text, "longest gaps\n");
  for (int i = 0; i < GAPS && found->gaps[i].length > 0; i++) {
    fmlp_text_append(text, "  ");
    duration(text, found->gaps[i].length);
    fmlp_text_append(text, " from ");
    fmlp_text_time(text, found->gaps[i].from);
    fmlp_text_append(text, "\n");
  }
}

static void describe_anomalies(fmlp_text *text, const fmlp_ticks *ticks, const findings *found,
                               const fmlp_clean_report *counts) {
  fmlp_text_append(text, "anomalies\n");
  counted(text, "out of order", counts->out_of_order, ticks->count);
  counted(text, "duplicate times", counts->duplicates_seen, ticks->count);
  if (ticks->kind == FMLP_QUOTES) {
    counted(text, "crossed", counts->crossed_seen, ticks->count);
    counted(text, "zero spread", counts->zero_spread_seen, ticks->count);
  } else if (ticks->size) {
    counted(text, "zero size", found->without_size, ticks->count);
  }
  counted(text, "on Saturday UTC", found->saturday, ticks->count);
  counted(text, "on Sunday UTC", found->sunday, ticks->count);
}

/* A YAML double-quoted scalar. */
static void quoted(fmlp_text *text, const char *value) {
  fmlp_text_append(text, "\"");
  for (; *value; value++) {
    unsigned char c = (unsigned char)*value;
    if (c == '"' || c == '\\') {
      fmlp_text_format(text, "\\%c", c);
    } else if (c < 32) {
      fmlp_text_format(text, "\\x%02x", c);
    } else {
      fmlp_text_format(text, "%c", c);
    }
  }
  fmlp_text_append(text, "\"");
}

/* The columns that were given; the others are found by their names. */
static void suggest_columns(fmlp_text *text, const fmlp_column_map *columns) {
  const struct {
    const char *key, *name;
  } given[] = {{"time", columns->time},        {"bid", columns->bid},   {"ask", columns->ask},
               {"price", columns->price},      {"size", columns->size}, {"bid_size", columns->bid_size},
               {"ask_size", columns->ask_size}};
  bool any = false;
  for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
    if (!given[i].name) continue;
    fmlp_text_format(text, "%s\n      %s: ", any ? "" : "\n    columns:", given[i].key);
    quoted(text, given[i].name);
    any = true;
  }
}

static void suggest(fmlp_text *text, const fmlp_data_settings *settings, const fmlp_ticks *ticks,
                    const fmlp_read_report *report, const findings *found, const fmlp_clean_report *counts,
                    bool zone_guessed) {
  fmlp_text_append(text, "suggested configuration\n  data:\n    path: ");
  quoted(text, settings->path);
  fmlp_text_format(text, "\n    format: %s\n    point_size: ", report->format);
  point_size(text, ticks->price);
  if (zone_guessed) {
    fmlp_text_append(text, "\n    timezone: ???   # that of the times in the file");
  } else if (settings->timezone) {
    fmlp_text_format(text, "\n    timezone: %s", settings->timezone);
  }
  if (report->bad_rows > 0) fmlp_text_append(text, "\n    bad_rows: skip");
  if (settings->size_decimals >= 0)
    fmlp_text_format(text, "\n    size_decimals: %d", (int)settings->size_decimals);
  suggest_columns(text, &settings->columns);
  fmlp_text_append(text, "\n  cleaning:\n    sort: ");
  fmlp_text_append(text, counts->out_of_order > 0 ? "true" : "false   # already in order");
  if (ticks->kind == FMLP_QUOTES) {
    fmlp_text_format(text, "\n    crossed: %s",
                     counts->crossed_seen > 0 ? "drop" : "error   # there is none");
  }
  bool weekends = found->saturday * 100 > ticks->count;
  fmlp_text_format(text, "\n  session:\n    weekend_trading: %s\n", weekends ? "true" : "false");
  /* about 10,000 bars, as few as 10 ticks in one, a round number */
  int64_t threshold = ticks->count / 10000, unit = 1;
  while (threshold / unit >= 10) unit *= 10;
  threshold = threshold / unit * unit;
  if (threshold < 10) threshold = 10;
  fmlp_text_format(text, "  bars:\n    type: tick\n    threshold: %lld   # about %lld bars\n",
                   (long long)threshold, (long long)(ticks->count / threshold));
}

typedef struct arguments {
  fmlp_data_settings given; /* by options: NULL and 0 where there is none */
  const char **overrides;
  int32_t override_count;
  bool help;
} arguments;

static fmlp_status take_override(arguments *parsed, const char *text, fmlp_error *error) {
  if (strncmp(text, "data.path=", 10) == 0) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "inspect: the file is given by its name alone, not as %s", text);
  }
  parsed->overrides[parsed->override_count++] = text;
  return FMLP_OK;
}

static fmlp_status parse_arguments(int count, char **texts, arguments *parsed, fmlp_error *error) {
  fmlp_data_settings *given = &parsed->given;
  for (int i = 1; i < count; i++) {
    const char *option = texts[i], **value = NULL;
    if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0) {
      parsed->help = true;
      return FMLP_OK;
    }
    if (strcmp(option, "--skip-bad-rows") == 0) {
      given->bad_rows = FMLP_BAD_ROWS_SKIP;
      continue;
    }
    if (strcmp(option, "--format") == 0) value = &given->format;
    if (strcmp(option, "--timezone") == 0) value = &given->timezone;
    if (strcmp(option, "--point-size") == 0) value = &given->point_size_text;
    if (value && i + 1 == count) {
      return fmlp_fail(error, FMLP_ERR_USAGE, "inspect: %s needs a value; see fmlp inspect --help", option);
    }
    if (value) {
      *value = texts[++i];
    } else if (option[0] == '-' && option[1] != '\0') {
      return fmlp_fail(error, FMLP_ERR_USAGE, "inspect: unknown option %s; see fmlp inspect --help", option);
    } else if (strncmp(option, "data.", 5) == 0 && strchr(option, '=')) {
      FMLP_TRY(take_override(parsed, option, error));
    } else if (given->path) {
      return fmlp_fail(error, FMLP_ERR_USAGE, "inspect: one file at a time, not %s as well", option);
    } else {
      given->path = option;
    }
  }
  if (given->path) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_USAGE, "inspect: no file; see fmlp inspect --help");
}

/* The overrides' settings, if there are any, under those of the options. `*config` owns the former. */
static fmlp_status load_settings(const arguments *parsed, fmlp_config **config, fmlp_data_settings *settings,
                                 fmlp_error *error) {
  const fmlp_data_settings *given = &parsed->given;
  *settings = (fmlp_data_settings){.format = "auto", .size_decimals = -1};
  if (parsed->override_count > 0) {
    fmlp_config_request request = {.allow_missing = true, /* data.path */
                                   .override_count = parsed->override_count,
                                   .overrides = parsed->overrides};
    FMLP_TRY(fmlp_config_load(&request, config, error));
    *settings = fmlp_config_settings(*config)->data;
  }
  settings->path = given->path;
  if (given->format) settings->format = given->format;
  if (given->timezone) settings->timezone = given->timezone;
  if (given->point_size_text) settings->point_size_text = given->point_size_text;
  if (given->bad_rows == FMLP_BAD_ROWS_SKIP) settings->bad_rows = given->bad_rows;
  return FMLP_OK;
}

/* Reads the file; times of an unknown zone are read as UTC, which `*guessed` admits. */
static fmlp_status read_ticks(fmlp_data_settings *settings, fmlp_ticks *ticks, fmlp_read_report *report,
                              bool *guessed, fmlp_error *error) {
  fmlp_status status = fmlp_ticks_read(settings, ticks, report, error);
  *guessed = status == FMLP_ERR_USAGE && !settings->timezone && strcmp(settings->path, "-") != 0 &&
             strstr(error->text, "data.timezone is needed") != NULL;
  if (!*guessed) return status;
  settings->timezone = "UTC";
  status = fmlp_ticks_read(settings, ticks, report, error);
  settings->timezone = NULL;
  return status;
}

static fmlp_status inspect(fmlp_data_settings *settings, fmlp_ticks *ticks, fmlp_text *text,
                           fmlp_error *error) {
  const fmlp_cleaning_settings keep = {.sort = true,
                                       .crossed = FMLP_CROSSED_KEEP,
                                       .zero_spread = FMLP_ZERO_SPREAD_KEEP,
                                       .duplicate_timestamps = FMLP_DUPLICATES_KEEP,
                                       .out_of_session = FMLP_OUT_OF_SESSION_KEEP};
  fmlp_read_report report;
  fmlp_clean_report counts;
  bool guessed = false;
  FMLP_TRY(read_ticks(settings, ticks, &report, &guessed, error));
  FMLP_TRY(fmlp_clean(&keep, NULL, ticks, &counts, error));
  findings found = look(ticks);
  describe_file(text, settings->path, ticks, &report, guessed);
  describe_market(text, ticks, &found);
  describe_anomalies(text, ticks, &found, &counts);
  fmlp_text_format(text, "hash          %016llx%016llx (XXH3-128)\n", (unsigned long long)report.hash_high,
                   (unsigned long long)report.hash_low);
  suggest(text, settings, ticks, &report, &found, &counts, guessed);
  return fmlp_text_finish(text, error);
}

static void append_usage(fmlp_text *text) {
  fmlp_text_append(text, usage);
  for (int32_t i = 0; i < fmlp_tick_format_count(); i++) {
    fmlp_tick_format_info info = fmlp_tick_format_at(i);
    fmlp_text_format(text, "                       %-16s %s\n", info.name, info.summary);
  }
  fmlp_text_append(text, "  --timezone ZONE    data.timezone, of times without an offset\n"
                         "  --point-size P     data.point_size\n"
                         "  --skip-bad-rows    data.bad_rows: skip\n");
}

static fmlp_status run(const arguments *parsed, fmlp_text *text, fmlp_error *error) {
  fmlp_config *config = NULL;
  fmlp_data_settings settings;
  fmlp_ticks ticks = {.count = 0};
  fmlp_status status = load_settings(parsed, &config, &settings, error);
  if (status == FMLP_OK) status = inspect(&settings, &ticks, text, error);
  fmlp_ticks_release(&ticks);
  fmlp_config_free(config);
  return status;
}

fmlp_status fmlp_command_inspect(int argument_count, char **texts, fmlp_error *error) {
  arguments parsed = {.override_count = 0};
  fmlp_text text = {.count = 0};
  FMLP_TRY(fmlp_alloc(&parsed.overrides, argument_count, sizeof *parsed.overrides, "overrides", error));
  fmlp_status status = parse_arguments(argument_count, texts, &parsed, error);
  if (status == FMLP_OK && parsed.help) append_usage(&text);
  if (status == FMLP_OK && !parsed.help) status = run(&parsed, &text, error);
  if (status == FMLP_OK) status = fmlp_text_finish(&text, error);
  errno = 0;
  if (status == FMLP_OK && (fputs(text.bytes, stdout) < 0 || fflush(stdout) != 0)) {
    status = fmlp_fail(error, FMLP_ERR_OTHER, "inspect: cannot write the result: %s; check standard output",
                       strerror(errno));
  }
  fmlp_text_release(&text);
  fmlp_free(parsed.overrides);
  return status;
}
