/* Rows of ticks from text, carefully: every shape a cell may have, and what is wrong with the first row that
 * is not one. Rows of the usual shape are taken by the fast parser first; both give the same. */
#include <stdio.h>
#include <string.h>

#include "common/core/civil.h"
#include "common/io/tick_plan.h"

static const char advice[] = "correct the row or set data.bad_rows: skip";

/* Why a row was refused. `fatal`: data.bad_rows does not skip it. */
typedef struct refusal {
  bool fatal;
  char text[FMLP_TICK_MESSAGE];
} refusal;

static const char *role_name(const fmlp_tick_plan *plan, fmlp_tick_role role) {
  static const char *const quotes[] = {"time", "time", "bid", "ask", "bid_size", "ask_size"};
  static const char *const trades[] = {"time", "time", "price", "price", "size", "size"};
  return plan->kind == FMLP_QUOTES ? quotes[role] : trades[role];
}

/* `column bid (bidPrice): "abc"` */
static const char *where(const fmlp_tick_plan *plan, fmlp_tick_role role, fmlp_cell cell, char text[256]) {
  char quoted[96];
  const char *ours = role_name(plan, role), *theirs = plan->column_name[role];
  if (theirs[0] && strcmp(ours, theirs) != 0) {
    (void)snprintf(text, 256, "column %s (%s): %s", ours, theirs, fmlp_cell_quoted(cell, quoted));
  } else {
    (void)snprintf(text, 256, "column %s: %s", ours, fmlp_cell_quoted(cell, quoted));
  }
  return text;
}

static bool refuse(const fmlp_tick_plan *plan, fmlp_tick_role role, fmlp_cell cell, const char *reason,
                   refusal *why) {
  char place[256];
  why->fatal = false;
  (void)snprintf(why->text, sizeof why->text, "%s %s; %s", where(plan, role, cell, place), reason, advice);
  return false;
}

/* "0.00001", "1", "100": 10^-k. */
static const char *power_text(int32_t k, char text[32]) {
  if (k > 0) {
    (void)snprintf(text, 32, "0.%0*d", (int)k, 1);
  } else {
    (void)snprintf(text, 32, "1%0*d", (int)-k, 0);
    if (k == 0) text[1] = '\0';
  }
  return text;
}

/* The finest power of ten in which `value` (at 10^-k) stays within 32 bits. */
static int32_t fitting_decimals(uint64_t value, int32_t k) {
  for (; value > INT32_MAX; k--) value = value / 10 + 1;
  for (; value <= INT32_MAX / 10 && value > 0 && k < 18; k++) value *= 10;
  return k;
}

void fmlp_tick_conflict(int32_t k, int32_t largest, int32_t largest_k, char message[FMLP_TICK_MESSAGE]) {
  char point[32], fitting[32];
  int64_t unit = fmlp_power_of_ten[largest_k];
  (void)snprintf(
      message, FMLP_TICK_MESSAGE,
      "a price needs points of %s, in which the earlier price %lld.%0*lld does not fit 32 bits; with "
      "data.point_size: %s it would",
      power_text(k, point), (long long)(largest / unit), largest_k > 0 ? (int)largest_k : 1,
      (long long)(largest % unit), power_text(fitting_decimals((uint64_t)largest, largest_k), fitting));
}

/* ---- times ---- */

int64_t fmlp_epoch_unit(int32_t digits) {
  return digits <= 11 ? 1000000000 : digits <= 14 ? 1000000 : digits <= 17 ? 1000 : 1;
}

static const char *epoch_time(const fmlp_tick_plan *plan, fmlp_cell cell, int64_t *time) {
  int32_t digits = 0;
  while (digits < cell.length && cell.text[digits] >= '0' && cell.text[digits] <= '9') digits++;
  for (int32_t i = digits; i < cell.length; i++) { /* an exponent has lost digits; a sign is before 1970 */
    if (cell.text[i] != '.' && (cell.text[i] < '0' || cell.text[i] > '9')) return "is not a time";
  }
  fmlp_number number;
  const char *reason = fmlp_cell_number(cell, &number);
  if (reason) return cell.length == 0 ? reason : "is not a time";
  if (fmlp_epoch_unit(digits) != plan->epoch_unit) {
    return "has another number of digits than the times before it, so its unit is unknown";
  }
  int32_t unit = plan->epoch_unit == 1         ? 0
                 : plan->epoch_unit == 1000    ? 3
                 : plan->epoch_unit == 1000000 ? 6
                                               : 9;
  for (; number.decimals > unit; number.decimals--) number.mantissa /= 10; /* below a nanosecond */
  return fmlp_number_at_scale(&number, unit, time) ? NULL : "lies outside the years 1678 to 2261";
}

const char *fmlp_tick_time(const fmlp_tick_plan *plan, fmlp_cell date, fmlp_cell clock, int64_t *time) {
  if (plan->epoch) return epoch_time(plan, date, time);
  fmlp_civil_time civil;
  const char *reason = fmlp_cell_civil(date, clock, &civil);
  if (reason) return reason;
  int64_t utc = civil.local - civil.offset;
  if (!civil.has_offset) {
    if (!plan->zone) return "has no UTC offset, unlike the first row; set data.timezone";
    utc = fmlp_timezone_to_utc(plan->zone, civil.local);
  }
  *time = utc * FMLP_NS_PER_SECOND + civil.nanosecond;
  return NULL;
}

/* ---- scales ---- */

bool fmlp_prices_rescale(int32_t *prices, int64_t count, int32_t by, int32_t *largest) {
  int64_t factor = by <= 18 ? fmlp_power_of_ten[by] : INT64_MAX, limit = INT32_MAX / factor;
  *largest = 0;
  for (int64_t i = 0; i < count; i++) {
    if (prices[i] > *largest) *largest = prices[i];
  }
  if (*largest > limit) return false;
  if (*largest == 0) return true; /* no row yet */
  for (int64_t i = 0; i < count; i++) prices[i] *= (int32_t)factor;
  return true;
}

bool fmlp_sizes_rescale(int64_t *sizes, int64_t count, int32_t by) {
  int64_t factor = by <= 18 ? fmlp_power_of_ten[by] : INT64_MAX, limit = INT64_MAX / factor, largest = 0;
  for (int64_t i = 0; i < count; i++) {
    if (sizes[i] > largest) largest = sizes[i];
  }
  if (largest > limit) return false;
  for (int64_t i = 0; i < count; i++) sizes[i] *= factor;
  return true;
}

/* ---- a row ---- */

typedef struct row {
  fmlp_cell cell[FMLP_ROLE_COUNT];
  fmlp_number number[FMLP_ROLE_COUNT];
  int64_t value[FMLP_ROLE_COUNT]; /* points, size units */
  int64_t time;
} row;

static bool read_numbers(const fmlp_tick_plan *plan, row *now, refusal *why) {
  for (int role = FMLP_ROLE_BID; role <= FMLP_ROLE_ASK_SIZE; role++) {
    if (plan->column_of[role] < 0) continue;
    fmlp_number *number = &now->number[role];
    const char *reason = fmlp_cell_number(now->cell[role], number);
    bool price = role == FMLP_ROLE_BID || role == FMLP_ROLE_ASK;
    if (!reason && price && (number->negative || number->mantissa == 0)) reason = "is not a positive price";
    if (!reason && !price && number->negative && number->mantissa != 0) reason = "is a negative size";
    if (!reason && number->decimals > 18) reason = "has more than 18 decimals";
    if (!reason && price && plan->fixed_point) {
      int64_t value = 0;
      bool whole = number->decimals <= plan->price.k;
      if (whole && fmlp_number_at_scale(number, plan->price.k, &value)) whole = value % plan->price.m == 0;
      if (!whole) reason = "is not a multiple of data.point_size";
    }
    if (!reason && !price && plan->fixed_size && number->decimals > plan->size_k) {
      reason = "has more decimals than data.size_decimals";
    }
    if (reason) return refuse(plan, (fmlp_tick_role)role, now->cell[role], reason, why);
  }
  return true;
}

/* A price that does not fit at scale k: the row named, and the point size that would do. */
static bool too_large(const fmlp_tick_plan *plan, fmlp_tick_role role, const row *now, int32_t k,
                      refusal *why) {
  char place[256], point[32], fitting[32];
  const fmlp_number *number = &now->number[role];
  why->fatal = true;
  (void)snprintf(
      why->text, sizeof why->text, "%s does not fit 32-bit points of %s; with data.point_size: %s it would",
      where(plan, role, now->cell[role], place), plan->fixed_point ? "data.point_size" : power_text(k, point),
      power_text(fitting_decimals(number->mantissa, number->decimals), fitting));
  return false;
}

/* Brings this row's prices to the scale `k` and those before it up to it. */
static bool apply_prices(const fmlp_tick_plan *plan, row *now, int32_t k, fmlp_tick_rows *rows,
                         refusal *why) {
  for (int role = FMLP_ROLE_BID; role <= FMLP_ROLE_ASK; role++) {
    if (plan->column_of[role] < 0) continue;
    bool fits = fmlp_number_at_scale(&now->number[role], k, &now->value[role]);
    if (fits) now->value[role] /= plan->price.m;
    if (!fits || now->value[role] > INT32_MAX) return too_large(plan, (fmlp_tick_role)role, now, k, why);
  }
  for (int side = 0; side < 2 && k > rows->price_k; side++) {
    int32_t largest = 0;
    if (plan->column_of[FMLP_ROLE_BID + side] < 0) continue;
    if (fmlp_prices_rescale(rows->price[side], rows->count, k - rows->price_k, &largest)) continue;
    why->fatal = true;
    fmlp_tick_conflict(k, largest, rows->price_k, why->text);
    return false;
  }
  rows->price_k = k;
  return true;
}

static bool apply_sizes(const fmlp_tick_plan *plan, row *now, int32_t k, fmlp_tick_rows *rows, refusal *why) {
  char place[256];
  for (int role = FMLP_ROLE_BID_SIZE; role <= FMLP_ROLE_ASK_SIZE; role++) {
    if (plan->column_of[role] < 0) continue;
    int64_t *earlier = rows->size[role - FMLP_ROLE_BID_SIZE];
    if (fmlp_number_at_scale(&now->number[role], k, &now->value[role]) &&
        (k == rows->size_k || fmlp_sizes_rescale(earlier, rows->count, k - rows->size_k))) {
      continue;
    }
    why->fatal = true;
    (void)snprintf(why->text, sizeof why->text,
                   "%s: sizes with %d decimals do not fit 64 bits; divide the sizes by a power of ten",
                   where(plan, (fmlp_tick_role)role, now->cell[role], place), (int)k);
    return false;
  }
  rows->size_k = k;
  return true;
}

/* The decimals this row needs at least `k` of. */
static int32_t decimals_needed(const fmlp_tick_plan *plan, const row *now, int first, int last, int32_t k) {
  for (int role = first; role <= last; role++) {
    if (plan->column_of[role] >= 0 && now->number[role].decimals > k) k = now->number[role].decimals;
  }
  return k;
}

static bool store_row(const fmlp_tick_plan *plan, row *now, fmlp_tick_rows *rows, refusal *why) {
  int32_t price_k = rows->price_k, size_k = rows->size_k;
  if (!plan->fixed_point) price_k = decimals_needed(plan, now, FMLP_ROLE_BID, FMLP_ROLE_ASK, price_k);
  if (!plan->fixed_size) size_k = decimals_needed(plan, now, FMLP_ROLE_BID_SIZE, FMLP_ROLE_ASK_SIZE, size_k);
  if (price_k != rows->price_k || size_k != rows->size_k) {
    rows->raises[rows->raise_count++] = (fmlp_tick_raise){rows->lines, price_k, size_k};
  }
  if (!apply_prices(plan, now, price_k, rows, why) || !apply_sizes(plan, now, size_k, rows, why))
    return false;
  for (int side = 0; side < 2; side++) {
    if (plan->column_of[FMLP_ROLE_BID + side] >= 0) {
      rows->price[side][rows->count] = (int32_t)now->value[FMLP_ROLE_BID + side];
    }
    if (plan->column_of[FMLP_ROLE_BID_SIZE + side] >= 0) {
      rows->size[side][rows->count] = now->value[FMLP_ROLE_BID_SIZE + side];
    }
  }
  rows->time[rows->count++] = now->time;
  return true;
}

static bool parse_row(const fmlp_tick_plan *plan, const fmlp_cell *cells, int32_t count, fmlp_tick_rows *rows,
                      refusal *why) {
  row now;
  const fmlp_cell none = {"", 0};
  if (count != plan->column_count) {
    why->fatal = false;
    if (count < 0) {
      (void)snprintf(why->text, sizeof why->text, "a quote is never closed; %s", advice);
    } else {
      (void)snprintf(why->text, sizeof why->text, "%d columns where %s has %d; %s", (int)count,
                     plan->has_header ? "the header" : "the first row", (int)plan->column_count, advice);
    }
    return false;
  }
  for (int role = 0; role < FMLP_ROLE_COUNT; role++) {
    now.cell[role] = plan->column_of[role] >= 0 ? cells[plan->column_of[role]] : none;
  }
  const char *reason = fmlp_tick_time(plan, now.cell[FMLP_ROLE_TIME], now.cell[FMLP_ROLE_CLOCK], &now.time);
  if (reason) return refuse(plan, FMLP_ROLE_TIME, now.cell[FMLP_ROLE_TIME], reason, why);
  return read_numbers(plan, &now, why) && store_row(plan, &now, rows, why);
}

/* Parses one line; false when the block ends with an error. */
static bool take_line(const fmlp_tick_plan *plan, const char *line, int64_t length, fmlp_tick_rows *rows) {
  fmlp_cell cells[FMLP_TICK_COLUMNS];
  refusal why;
  int64_t text = length > 0 && line[length - 1] == '\r' ? length - 1 : length;
  if (text > 0) {
    int32_t count = fmlp_line_split(line, length, plan->delimiter, cells, FMLP_TICK_COLUMNS);
    if (!parse_row(plan, cells, count, rows, &why)) {
      if (why.fatal || !plan->skip_bad_rows) {
        rows->error_line = rows->lines;
        memcpy(rows->message, why.text, sizeof why.text);
        return false;
      }
      if (rows->bad_rows++ == 0) rows->first_bad_line = rows->lines;
    }
  }
  rows->lines++;
  return true;
}

void fmlp_tick_rows_parse(const fmlp_tick_plan *plan, const char *text, int64_t length,
                          fmlp_tick_rows *rows) {
  int64_t at = 0;
  while (at < length) {
    if (!plan->careful) at += FMLP_SIMD_SELECT(fmlp_tick_rows_fast)(plan, text + at, length - at, rows);
    if (at == length) break;
    const char *end = memchr(text + at, '\n', (size_t)(length - at));
    int64_t line = end ? end - (text + at) : length - at;
    if (!take_line(plan, text + at, line, rows)) return;
    at += line + (end ? 1 : 0);
  }
}
