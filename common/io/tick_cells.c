/* One cell of a tick file: decimal numbers, civil times, and cutting a line into cells. Careful rather than
 * fast: the usual shapes are taken by tick_rows_fast.c. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/core/civil.h"
#include "common/io/tick_plan.h"

enum { LARGEST_EXPONENT = 400, EARLIEST_YEAR = 1678, LATEST_YEAR = 2261 }; /* years int64 ns hold in full */

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* ---- numbers ---- */

static bool is_named_non_number(const char *at, const char *end) {
  static const char *const names[] = {"nan", "inf", "infinity", "-nan", "-inf", "null", "none", "na", "n/a"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    size_t length = strlen(names[i]), j = 0;
    if ((size_t)(end - at) != length) continue;
    while (j < length && tolower((unsigned char)at[j]) == names[i][j]) j++;
    if (j == length) return true;
  }
  return false;
}

/* After the mantissa: nothing, or e[+-]digits. */
static bool take_exponent(const char *at, const char *end, int32_t *exponent) {
  *exponent = 0;
  if (at == end) return true;
  if (*at != 'e' && *at != 'E') return false;
  at++;
  bool negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) at++;
  if (at == end) return false;
  for (; at < end; at++) {
    if (!is_digit(*at)) return false;
    if (*exponent < LARGEST_EXPONENT) *exponent = *exponent * 10 + (*at - '0');
  }
  if (negative) *exponent = -*exponent;
  return true;
}

const char *fmlp_cell_number(fmlp_cell cell, fmlp_number *number) {
  const char *at = cell.text, *end = cell.text + cell.length;
  if (at == end) return "is empty";
  if (is_named_non_number(at, end)) return "is not a finite number";
  *number = (fmlp_number){.negative = *at == '-'};
  if (*at == '-' || *at == '+') at++;
  int32_t zeros = 0, fraction = 0, exponent = 0, digits = 0; /* zeros: seen but not yet in the mantissa */
  bool after_point = false;
  for (; at < end && (is_digit(*at) || (*at == '.' && !after_point)); at++) {
    if (*at == '.') {
      after_point = true;
      continue;
    }
    digits++;
    fraction += after_point ? 1 : 0;
    zeros++;
    if (*at == '0') continue;
    for (; zeros > 0; zeros--) {
      if (number->mantissa == 0) zeros = 1;
      if (__builtin_mul_overflow(number->mantissa, UINT64_C(10), &number->mantissa)) {
        return "has more digits than fit 64 bits";
      }
    }
    if (__builtin_add_overflow(number->mantissa, (uint64_t)(*at - '0'), &number->mantissa)) {
      return "has more digits than fit 64 bits";
    }
  }
  if (digits == 0 || !take_exponent(at, end, &exponent)) return "is not a number";
  number->decimals = number->mantissa == 0 ? 0 : fraction - zeros - exponent;
  return NULL;
}

bool fmlp_number_at_scale(const fmlp_number *number, int32_t k, int64_t *value) {
  int32_t shift = k - number->decimals;
  *value = 0;
  if (number->mantissa == 0) return true;
  if (shift < 0 || shift > 18 || number->mantissa > INT64_MAX) return false;
  return !__builtin_mul_overflow((int64_t)number->mantissa, fmlp_power_of_ten[shift], value);
}

/* ---- civil times ---- */

typedef struct reader {
  const char *at, *end;
} reader;

static int32_t count_digits(const reader *text) {
  const char *at = text->at;
  while (at < text->end && is_digit(*at)) at++;
  return (int32_t)(at - text->at);
}

/* Reads exactly `digits` digits, known to be there. */
static int32_t take_digits(reader *text, int32_t digits) {
  int32_t value = 0;
  for (int32_t i = 0; i < digits; i++) value = value * 10 + (*text->at++ - '0');
  return value;
}

static bool take_one_of(reader *text, const char *characters, char *taken) {
  if (text->at == text->end || !strchr(characters, *text->at) || *text->at == '\0') return false;
  *taken = *text->at++;
  return true;
}

/* One or two digits. */
static bool take_short(reader *text, int32_t *value) {
  int32_t digits = count_digits(text);
  if (digits < 1 || digits > 2) return false;
  *value = take_digits(text, digits);
  return true;
}

static const char not_a_date[] = "is not a time";

static const char *take_date(reader *text, int64_t *days) {
  int32_t year = 0, month = 0, day = 0, digits = count_digits(text);
  char separator = 0, second = 0;
  if (digits == 8 || digits == 14 || digits == 17) {
    year = take_digits(text, 4);
    month = take_digits(text, 2);
    day = take_digits(text, 2);
  } else if (digits == 4) {
    year = take_digits(text, 4);
    if (!take_one_of(text, "-/.", &separator) || !take_short(text, &month)) return not_a_date;
    if (!take_one_of(text, "-/.", &second) || second != separator || !take_short(text, &day))
      return not_a_date;
  } else if (digits == 1 || digits == 2) {
    (void)take_short(text, &day);
    if (!take_one_of(text, "-/.", &separator)) return not_a_date;
    if (separator != '.') return "is a date with day or month first, nobody can know which";
    if (!take_short(text, &month) || !take_one_of(text, ".", &second) || count_digits(text) != 4) {
      return not_a_date;
    }
    year = take_digits(text, 4);
  } else {
    return not_a_date;
  }
  static const int8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < EARLIEST_YEAR || year > LATEST_YEAR) return "lies outside the years 1678 to 2261";
  if (month < 1 || month > 12 || day < 1) return "is not a date of the calendar";
  if (day > lengths[month - 1] + (month == 2 && fmlp_is_leap_year(year) ? 1 : 0)) {
    return "is not a date of the calendar";
  }
  *days = fmlp_days_from_civil(year, month, day);
  return NULL;
}

/* Digits after the second: the first nine count, the rest is below a nanosecond. */
static int32_t take_fraction(reader *text) {
  int32_t digits = count_digits(text), used = digits < 9 ? digits : 9;
  int32_t value = take_digits(text, used);
  text->at += digits - used;
  return (int32_t)(value * fmlp_power_of_ten[9 - used]);
}

/* HH:MM[:SS[.f]], or HHMMSS[f] and HHMMSS[.f]. */
static bool take_clock(reader *text, int32_t *seconds, int32_t *nanosecond) {
  int32_t hour = 0, minute = 0, second = 0, digits = count_digits(text);
  char separator = 0;
  *nanosecond = 0;
  if (digits >= 6) {
    hour = take_digits(text, 2);
    minute = take_digits(text, 2);
    second = take_digits(text, 2);
    if (digits > 6) {
      *nanosecond = take_fraction(text);
    } else if (take_one_of(text, ".,", &separator)) {
      if (count_digits(text) == 0) return false;
      *nanosecond = take_fraction(text);
    }
  } else {
    if (!take_short(text, &hour) || !take_one_of(text, ":", &separator) || count_digits(text) != 2)
      return false;
    minute = take_digits(text, 2);
    if (take_one_of(text, ":", &separator)) {
      if (count_digits(text) != 2) return false;
      second = take_digits(text, 2);
      if (take_one_of(text, ".,", &separator)) {
        if (count_digits(text) == 0) return false;
        *nanosecond = take_fraction(text);
      }
    }
  }
  *seconds = (hour * 60 + minute) * 60 + second;
  return hour < 24 && minute < 60 && second <= 60; /* :60 is a leap second and counts as the next */
}

static void skip_blanks(reader *text) {
  while (text->at < text->end && *text->at == ' ') text->at++;
}

/* Z, UTC, GMT, and +HH, +HHMM, +HH:MM after those or alone. */
static bool take_offset(reader *text, fmlp_civil_time *time) {
  skip_blanks(text);
  if (text->at == text->end) return true;
  time->has_offset = true;
  char sign = 0, colon = 0;
  if (take_one_of(text, "Zz", &sign)) return true;
  if (text->end - text->at >= 3 && (memcmp(text->at, "UTC", 3) == 0 || memcmp(text->at, "GMT", 3) == 0)) {
    text->at += 3;
    if (text->at == text->end) return true;
  }
  if (!take_one_of(text, "+-", &sign)) return false;
  int32_t digits = count_digits(text), hours = 0, minutes = 0;
  if (digits != 2 && digits != 4) return false;
  hours = take_digits(text, 2);
  if (digits == 4) {
    minutes = take_digits(text, 2);
  } else if (take_one_of(text, ":", &colon)) {
    if (count_digits(text) != 2) return false;
    minutes = take_digits(text, 2);
  }
  time->offset = (hours * 60 + minutes) * 60;
  if (sign == '-') time->offset = -time->offset;
  return hours < 24 && minutes < 60;
}

const char *fmlp_cell_civil(fmlp_cell date, fmlp_cell clock, fmlp_civil_time *time) {
  *time = (fmlp_civil_time){.local = 0};
  if (date.length == 0) return "is empty";
  reader text = {date.text, date.text + date.length};
  int64_t days = 0;
  int32_t seconds = 0;
  char separator = 0;
  const char *reason = take_date(&text, &days);
  if (reason) return reason;
  if (clock.length > 0) {
    if (text.at != text.end) return not_a_date;
    text = (reader){clock.text, clock.text + clock.length};
    if (!take_clock(&text, &seconds, &time->nanosecond)) return not_a_date;
  } else if (text.at < text.end) {
    if (take_one_of(&text, " TtD", &separator)) skip_blanks(&text);
    if (!take_clock(&text, &seconds, &time->nanosecond)) return not_a_date;
  }
  if (!take_offset(&text, time) || text.at != text.end) return not_a_date;
  time->local = days * FMLP_SECONDS_PER_DAY + seconds;
  return NULL;
}

/* ---- lines ---- */

static bool is_blank(char c, char delimiter) {
  return c == ' ' || (c == '\t' && delimiter != '\t');
}

/* The end of a quoted cell's text, or NULL; `at` stands behind the opening quote. A doubled quote is text. */
static const char *closing_quote(const char *at, const char *end) {
  for (; at < end; at++) {
    if (*at != '"') continue;
    if (at + 1 == end || at[1] != '"') return at;
    at++;
  }
  return NULL;
}

/* A plain loop: cells are short. */
static const char *find_delimiter(const char *at, const char *end, char delimiter) {
  for (; at < end; at++) {
    if (*at == delimiter) return at;
  }
  return NULL;
}

int32_t fmlp_line_split(const char *line, int64_t length, char delimiter, fmlp_cell *cells,
                        int32_t capacity) {
  const char *at = line, *end = line + length;
  int32_t count = 0;
  if (end > at && end[-1] == '\r') end--;
  for (;;) {
    while (at < end && is_blank(*at, delimiter)) at++;
    const char *first = at, *last = NULL, *next = NULL;
    if (at < end && *at == '"') {
      first = at + 1;
      last = closing_quote(first, end);
      if (!last) return -1;
      next = find_delimiter(last, end, delimiter);
    } else {
      next = find_delimiter(at, end, delimiter);
      last = next ? next : end;
      while (last > first && is_blank(last[-1], delimiter)) last--;
    }
    if (count < capacity) cells[count] = (fmlp_cell){first, (int32_t)(last - first)};
    count++;
    if (!next) return count;
    at = next + 1;
  }
}

const char *fmlp_cell_quoted(fmlp_cell cell, char text[96]) {
  enum { MOST = 40 };
  size_t at = 0;
  text[at++] = '"';
  for (int32_t i = 0; i < cell.length && at < 80; i++) {
    if (i == MOST) {
      at += (size_t)snprintf(text + at, 96 - at, "...");
      break;
    }
    unsigned char c = (unsigned char)cell.text[i];
    at += (size_t)snprintf(text + at, 96 - at, c >= 32 && c < 127 ? "%c" : "\\x%02x", c);
  }
  text[at++] = '"';
  text[at] = '\0';
  return text;
}
