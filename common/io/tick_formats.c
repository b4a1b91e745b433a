/* What file is this: the table of layouts, and the decision. A vendor is one row of the table; a file without
 * a header also needs a small function that knows its rows. */
#include <stdio.h>
#include <string.h>

#include "common/io/tick_plan.h"
#include "common/io/tick_reader.h"

enum { LAYOUT_COLUMNS = 8, LOOKED_AT = 4096, LINES_LOOKED_AT = 100 };

typedef struct layout {
  fmlp_tick_format_info info;
  fmlp_tick_kind kind;
  /* Names the header begins with, letters of any case. The first `required` must be there; one further on
   * counts where its name stands. NULL: no header (see matches), or any (generic). */
  const char *header[LAYOUT_COLUMNS];
  int32_t required;
  bool (*matches)(const fmlp_cell *cells, int32_t count); /* the first row of a file without a header */
  fmlp_tick_role roles[LAYOUT_COLUMNS];                   /* of the columns in order */
  const char *timezone;                                   /* of times without an offset; NULL = ask */
  int32_t size_power;                                     /* sizes are told in 10^size_power */
} layout;

static bool digits(fmlp_cell cell, int32_t first, int32_t last) {
  if (first >= last || last > cell.length) return false;
  for (int32_t i = first; i < last; i++) {
    if (cell.text[i] < '0' || cell.text[i] > '9') return false;
  }
  return true;
}

/* 20120201 000003660,bid,ask,0 */
static bool is_histdata(const fmlp_cell *cells, int32_t count) {
  return (count == 3 || count == 4) && digits(cells[0], 0, 8) && cells[0].text[8] == ' ' &&
         cells[0].length >= 15 && cells[0].length <= 18 && digits(cells[0], 9, cells[0].length);
}

#define T  FMLP_ROLE_TIME
#define B  FMLP_ROLE_BID
#define A  FMLP_ROLE_ASK
#define BS FMLP_ROLE_BID_SIZE
#define AS FMLP_ROLE_ASK_SIZE
#define NO FMLP_ROLE_NONE

static const layout layouts[] = {
    {.info = {"dukascopy-node", "timestamp,askPrice,bidPrice[,askVolume,bidVolume]: epoch milliseconds"},
     .header = {"timestamp", "askprice", "bidprice", "askvolume", "bidvolume"},
     .required = 3,
     .roles = {T, A, B, AS, BS, NO, NO, NO},
     .timezone = "UTC",
     .size_power = 6},
    {.info = {"dukascopy", "Gmt time,Ask,Bid,AskVolume,BidVolume: DD.MM.YYYY HH:MM:SS.mmm, UTC"},
     .header = {"gmt time", "ask", "bid", "askvolume", "bidvolume"},
     .required = 3,
     .roles = {T, A, B, AS, BS, NO, NO, NO},
     .timezone = "UTC",
     .size_power = 6},
    {.info = {"dukascopy-local",
              "Local time,Ask,Bid,...: as dukascopy, with the UTC offset behind each time"},
     .header = {"local time", "ask", "bid", "askvolume", "bidvolume"},
     .required = 3,
     .roles = {T, A, B, AS, BS, NO, NO, NO},
     .size_power = 6},
    {.info = {"histdata", "YYYYMMDD HHMMSSmmm,bid,ask,0 without a header: UTC-5 all year"},
     .matches = is_histdata,
     .roles = {T, B, A, NO, NO, NO, NO, NO}, /* the volume is always 0 and means nothing */
     .timezone = "UTC-5"},
    {.info = {"generic", "quotes or trades with a header, columns by name in any order (data.columns)"}},
};

#undef T
#undef B
#undef A
#undef BS
#undef AS
#undef NO

static const layout *const generic = &layouts[sizeof layouts / sizeof *layouts - 1];

int32_t fmlp_tick_format_count(void) {
  return (int32_t)(sizeof layouts / sizeof *layouts);
}

fmlp_tick_format_info fmlp_tick_format_at(int32_t index) {
  return layouts[index].info;
}

/* ---- lines ---- */

typedef struct line {
  const char *text;
  int64_t length;
  int64_t number; /* from 1 */
} line;

/* The next line that is not blank; false at the end. `*at` moves behind it. */
static bool next_line(const char *text, int64_t length, int64_t *at, line *out) {
  while (*at < length) {
    const char *end = memchr(text + *at, '\n', (size_t)(length - *at));
    int64_t stop = end ? end - text : length;
    *out = (line){text + *at, stop - *at, out->number + 1};
    *at = stop + (end ? 1 : 0);
    if (out->length > 0 && !(out->length == 1 && out->text[0] == '\r')) return true;
  }
  return false;
}

/* The candidate that occurs most often; a comma when none does. */
static char find_delimiter(const line *first) {
  static const char candidates[] = {',', '\t', ';', '|'};
  char best = ',';
  int64_t most = 0;
  for (size_t i = 0; i < sizeof candidates; i++) {
    int64_t count = 0;
    for (int64_t j = 0; j < first->length; j++) count += first->text[j] == candidates[i];
    if (count > most) {
      most = count;
      best = candidates[i];
    }
  }
  return best;
}

/* ---- not text at all ---- */

static fmlp_status check_text(const char *text, int64_t length, fmlp_error *error) {
  const unsigned char *bytes = (const unsigned char *)text;
  if (length >= 2 && ((bytes[0] == 0xff && bytes[1] == 0xfe) || (bytes[0] == 0xfe && bytes[1] == 0xff))) {
    return fmlp_fail(error, FMLP_ERR_INPUT, "is UTF-16 text; convert it to UTF-8");
  }
  for (int64_t i = 0; i < length && i < LOOKED_AT; i++) {
    if (bytes[i] >= 32 || bytes[i] == '\n' || bytes[i] == '\r' || bytes[i] == '\t') continue;
    return fmlp_fail(error, FMLP_ERR_INPUT,
                     "is not a text file: byte 0x%02x at offset %lld; give a CSV file, plain or compressed",
                     bytes[i], (long long)i);
  }
  return FMLP_OK;
}

/* ---- choosing a layout ---- */

static bool header_matches(const layout *row, const fmlp_cell *cells, int32_t count) {
  if (!row->header[0] || count < row->required) return false;
  for (int32_t i = 0; i < row->required; i++) {
    if (!fmlp_cell_is(cells[i], row->header[i])) return false;
  }
  return true;
}

static bool layout_matches(const layout *row, const fmlp_cell *cells, int32_t count) {
  return row->matches ? row->matches(cells, count) : header_matches(row, cells, count);
}

static fmlp_status find_forced(const char *name, const fmlp_cell *cells, int32_t count, const layout **out,
                               fmlp_error *error) {
  for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
    if (strcmp(layouts[i].info.name, name) != 0) continue;
    *out = &layouts[i];
    if (*out == generic || layout_matches(*out, cells, count)) return FMLP_OK;
    return fmlp_fail(error, FMLP_ERR_INPUT,
                     "line 1 is not that of data.format %s (%s); use data.format: auto", name,
                     layouts[i].info.summary);
  }
  char list[200] = "";
  for (size_t i = 0, at = 0; i < sizeof layouts / sizeof *layouts; i++) {
    at += (size_t)snprintf(list + at, sizeof list - at, ", %s", layouts[i].info.name);
  }
  return fmlp_fail(error, FMLP_ERR_USAGE, "data.format: unknown format \"%s\"; known: auto%s", name, list);
}

/* Does the line look like a row of data rather than names? */
static bool begins_with_time(const fmlp_cell *cells) {
  return cells[0].length > 0 && cells[0].text[0] >= '0' && cells[0].text[0] <= '9';
}

static fmlp_status choose_layout(const fmlp_data_settings *settings, const fmlp_cell *cells, int32_t count,
                                 const layout **out, fmlp_error *error) {
  *out = generic;
  if (settings->format && strcmp(settings->format, "auto") != 0) {
    FMLP_TRY(find_forced(settings->format, cells, count, out, error));
  } else if (!fmlp_tick_columns_given(&settings->columns)) {
    for (size_t i = 0; *out == generic && &layouts[i] != generic; i++) {
      if (layout_matches(&layouts[i], cells, count)) *out = &layouts[i];
    }
  }
  if (*out == generic && count >= 1 && begins_with_time(cells)) {
    return fmlp_fail(error, FMLP_ERR_INPUT,
                     "line 1: no header, and the rows have no known layout; add a header line such as "
                     "timestamp,bid,ask");
  }
  if (count < 2) {
    return fmlp_fail(error, FMLP_ERR_INPUT,
                     "line 1: one column only; columns are separated by a comma, tab, semicolon or bar");
  }
  return FMLP_OK;
}

static void place_columns(const layout *row, const fmlp_cell *cells, int32_t count, fmlp_tick_plan *plan) {
  plan->kind = row->kind;
  plan->size_power = row->size_power;
  for (int32_t i = 0; i < LAYOUT_COLUMNS && i < count; i++) {
    bool there =
        !row->header[0] || i < row->required || (row->header[i] && fmlp_cell_is(cells[i], row->header[i]));
    if (row->roles[i] != FMLP_ROLE_NONE && there) plan->column_of[row->roles[i]] = i;
  }
  if (plan->column_of[FMLP_ROLE_BID_SIZE] < 0 || plan->column_of[FMLP_ROLE_ASK_SIZE] < 0) {
    plan->column_of[FMLP_ROLE_BID_SIZE] = plan->column_of[FMLP_ROLE_ASK_SIZE] = -1;
  }
}

static void name_columns(const fmlp_cell *cells, fmlp_tick_plan *plan) {
  for (int role = 0; role < FMLP_ROLE_COUNT && plan->has_header; role++) {
    if (plan->column_of[role] < 0) continue;
    fmlp_cell cell = cells[plan->column_of[role]];
    int length = cell.length < FMLP_TICK_COLUMN_NAME - 1 ? cell.length : FMLP_TICK_COLUMN_NAME - 1;
    for (int i = 0; i < length; i++) {
      plan->column_name[role][i] = cell.text[i];
      if (cell.text[i] < 32 || cell.text[i] > 126) plan->column_name[role][i] = '?';
    }
  }
}

/* ---- times ---- */

static bool is_epoch(fmlp_cell cell, int32_t *count) {
  int32_t whole = 0;
  while (whole < cell.length && digits(cell, whole, whole + 1)) whole++;
  *count = whole;
  for (int32_t i = whole; i < cell.length; i++) {
    if (cell.text[i] != '.' && !digits(cell, i, i + 1)) return false;
  }
  fmlp_civil_time civil;
  const fmlp_cell none = {"", 0};
  return whole > 0 && fmlp_cell_civil(cell, none, &civil) != NULL; /* 20140501093000 is a date */
}

/* Finds the first row with a readable time: epoch or civil, with an offset or not. */
static bool look_at_times(const char *text, int64_t length, fmlp_tick_plan *plan, bool *has_offset) {
  fmlp_cell cells[FMLP_TICK_COLUMNS];
  const fmlp_cell none = {"", 0};
  int64_t at = 0;
  line row = {NULL, 0, 0};
  for (int i = 0; i < LINES_LOOKED_AT && next_line(text, length, &at, &row); i++) {
    fmlp_civil_time civil;
    int32_t clock = plan->column_of[FMLP_ROLE_CLOCK], count = 0;
    if (fmlp_line_split(row.text, row.length, plan->delimiter, cells, FMLP_TICK_COLUMNS) !=
        plan->column_count) {
      continue;
    }
    fmlp_cell time = cells[plan->column_of[FMLP_ROLE_TIME]];
    if (clock < 0 && is_epoch(time, &count)) {
      plan->epoch = true;
      plan->epoch_digits = count;
      plan->epoch_unit = fmlp_epoch_unit(count);
      return true;
    }
    if (fmlp_cell_civil(time, clock < 0 ? none : cells[clock], &civil) == NULL) {
      *has_offset = civil.has_offset;
      return true;
    }
  }
  return false;
}

static fmlp_status settle_times(const fmlp_data_settings *settings, const layout *row, const char *text,
                                int64_t length, fmlp_tick_detection *out, fmlp_error *error) {
  bool has_offset = false;
  bool readable = look_at_times(text, length, &out->plan, &has_offset);
  const char *zone = settings->timezone ? settings->timezone : row->timezone;
  if (!readable) zone = "UTC"; /* the first row's error says more than a question about its zone */
  (void)snprintf(out->timezone, sizeof out->timezone, "%s",
                 out->plan.epoch ? "UTC"
                 : zone          ? zone
                                 : "per row");
  if (out->plan.epoch || (has_offset && !zone)) return FMLP_OK;
  if (!zone) {
    return fmlp_fail(
        error, FMLP_ERR_USAGE,
        "data.timezone is needed: the times carry no UTC offset; set it to UTC or a tz database name "
        "such as America/New_York");
  }
  fmlp_status status = fmlp_timezone_open(zone, &out->zone, error);
  if (status != FMLP_OK) return fmlp_fail_prefix(error, status, "data.timezone");
  out->plan.zone = out->zone;
  return FMLP_OK;
}

/* ---- scales ---- */

static fmlp_status settle_scales(const fmlp_data_settings *settings, fmlp_tick_plan *plan,
                                 fmlp_error *error) {
  char text[32] = "";
  const char *given = settings->point_size_text;
  plan->price = (fmlp_scale){1, 0};
  plan->fixed_size = settings->size_decimals >= 0;
  plan->size_k = plan->fixed_size ? settings->size_decimals : 0;
  if (!given && settings->point_size != 0) {
    (void)snprintf(text, sizeof text, "%.15g", settings->point_size);
    given = text;
  }
  if (plan->size_k > 18)
    return fmlp_fail(error, FMLP_ERR_USAGE, "data.size_decimals: at most 18, not %d", plan->size_k);
  if (!given || strcmp(given, "auto") == 0) return FMLP_OK;
  fmlp_number number;
  const char *reason = fmlp_cell_number((fmlp_cell){given, (int32_t)strlen(given)}, &number);
  int64_t m = 0;
  int32_t k = reason || number.decimals < 0 ? 0 : number.decimals;
  if (reason || number.negative || number.mantissa == 0 || k > 18 || !fmlp_number_at_scale(&number, k, &m) ||
      m > 1000000000) {
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "data.point_size: \"%s\" is not a positive decimal; write it as 0.00001, 0.25, or auto",
                     given);
  }
  plan->fixed_point = true;
  plan->price = (fmlp_scale){m, k};
  return FMLP_OK;
}

/* ---- the decision ---- */

static void describe(const layout *row, const fmlp_cell *cells, fmlp_tick_detection *out) {
  const fmlp_tick_plan *plan = &out->plan;
  char evidence[128] = "the shape of line 1", times[64] = "";
  size_t at = 0;
  for (int32_t i = 0; plan->has_header && i < plan->column_count && at < 60; i++) {
    at += (size_t)snprintf(evidence + at, sizeof evidence - at, "%s%.*s", i ? "," : "header ",
                           cells[i].length < 24 ? (int)cells[i].length : 24, cells[i].text);
  }
  if (plan->epoch) {
    const char *unit = plan->epoch_unit == 1         ? "nanoseconds"
                       : plan->epoch_unit == 1000    ? "microseconds"
                       : plan->epoch_unit == 1000000 ? "milliseconds"
                                                     : "seconds";
    (void)snprintf(times, sizeof times, "epoch %s (%d digits)", unit, (int)plan->epoch_digits);
  } else {
    (void)snprintf(times, sizeof times, "dates in zone %.40s", out->timezone);
  }
  (void)snprintf(out->format, sizeof out->format, "%s", row->info.name);
  (void)snprintf(out->decision, sizeof out->decision, "%s %s by %s; %s", row->info.name,
                 plan->kind == FMLP_QUOTES ? "quotes" : "trades", evidence, times);
  for (char *c = out->decision; *c; c++) {
    if (*c < 32 || *c > 126) *c = '?';
  }
}

fmlp_status fmlp_tick_detect(const fmlp_data_settings *settings, const char *text, int64_t length,
                             fmlp_tick_detection *out, fmlp_error *error) {
  fmlp_cell cells[FMLP_TICK_COLUMNS];
  const layout *row = NULL;
  *out = (fmlp_tick_detection){.zone = NULL};
  fmlp_tick_plan *plan = &out->plan;
  if (length == 0) return fmlp_fail(error, FMLP_ERR_INPUT, "is empty; give a file with ticks in it");
  FMLP_TRY(check_text(text, length, error));
  int64_t begin = length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* byte order mark */
  int64_t at = begin;
  line first = {NULL, 0, 0};
  if (!next_line(text, length, &at, &first)) {
    return fmlp_fail(error, FMLP_ERR_INPUT, "holds blank lines only; give a file with ticks in it");
  }
  plan->delimiter = find_delimiter(&first);
  int32_t count = fmlp_line_split(first.text, first.length, plan->delimiter, cells, FMLP_TICK_COLUMNS);
  if (count < 0 || count > FMLP_TICK_COLUMNS) {
    return fmlp_fail(error, FMLP_ERR_INPUT, "line 1: %s; is this a tick file?",
                     count < 0 ? "a quote is never closed" : "more than 256 columns");
  }
  FMLP_TRY(choose_layout(settings, cells, count, &row, error));
  for (int role = 0; role < FMLP_ROLE_COUNT; role++) plan->column_of[role] = -1;
  plan->column_count = count;
  plan->has_header = !row->matches;
  plan->skip_bad_rows = settings->bad_rows == FMLP_BAD_ROWS_SKIP;
  if (row == generic) {
    FMLP_TRY(fmlp_tick_columns_by_name(settings, cells, count, plan, error));
  } else {
    place_columns(row, cells, count, plan);
  }
  FMLP_TRY(fmlp_tick_columns_check(cells, count, plan, error));
  plan->has_sizes = plan->column_of[FMLP_ROLE_BID_SIZE] >= 0;
  name_columns(cells, plan);
  out->header_bytes = plan->has_header ? at : first.text - text;
  out->header_lines = plan->has_header ? first.number : first.number - 1;
  FMLP_TRY(settle_scales(settings, plan, error));
  FMLP_TRY(settle_times(settings, row, text + out->header_bytes, length - out->header_bytes, out, error));
  describe(row, cells, out);
  return FMLP_OK;
}
