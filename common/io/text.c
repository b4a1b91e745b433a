/* Growing text, and the numbers and times in it. */
#include "common/io/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/memory.h"

static const int64_t ns_per_second = 1000000000;
static const int64_t seconds_per_day = 86400;

void fmlp_text_release(fmlp_text *text) {
  fmlp_free(text->bytes);
  memset(text, 0, sizeof *text);
}

fmlp_status fmlp_text_finish(const fmlp_text *text, fmlp_error *error) {
  return text->failed ? fmlp_fail(error, FMLP_ERR_OTHER, "%s", text->error.text) : FMLP_OK;
}

static bool make_room(fmlp_text *text, int64_t more) {
  if (text->failed) return false;
  if (more < text->capacity - text->count) return true;
  int64_t capacity = text->capacity < 4096 ? 4096 : text->capacity;
  while (capacity - text->count <= more) capacity *= 2;
  if (fmlp_resize(&text->bytes, text->count, capacity, 1, "text of an output file", &text->error) !=
      FMLP_OK) {
    text->failed = true;
    return false;
  }
  text->capacity = capacity;
  return true;
}

void fmlp_text_append_bytes(fmlp_text *text, const char *bytes, int64_t count) {
  if (!make_room(text, count)) return;
  memcpy(text->bytes + text->count, bytes, (size_t)count);
  text->count += count;
  text->bytes[text->count] = '\0';
}

void fmlp_text_append(fmlp_text *text, const char *string) {
  fmlp_text_append_bytes(text, string, (int64_t)strlen(string));
}

void fmlp_text_format(fmlp_text *text, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  va_list again;
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  if (length >= 0 && make_room(text, length)) {
    vsnprintf(text->bytes + text->count, (size_t)length + 1, format, again);
    text->count += length;
  }
  va_end(again);
  va_end(arguments);
}

void fmlp_text_int(fmlp_text *text, int64_t value) {
  char digits[24];
  char *end = digits + sizeof digits, *at = end;
  uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  do {
    *--at = (char)('0' + magnitude % 10);
    magnitude /= 10;
  } while (magnitude != 0);
  if (value < 0) *--at = '-';
  fmlp_text_append_bytes(text, at, end - at);
}

void fmlp_text_double(fmlp_text *text, double value) {
  if (isnan(value)) {
    fmlp_text_append(text, "nan");
  } else if (isinf(value)) {
    fmlp_text_append(text, value > 0 ? "inf" : "-inf");
  } else if (value == floor(value) && fabs(value) < 1e15) {
    fmlp_text_int(text, (int64_t)value); /* also turns -0.0 into 0 */
  } else {
    char digits[40];
    int length = 0;
    for (int precision = 15; precision <= 17; precision++) {
      length = snprintf(digits, sizeof digits, "%.*g", precision, value);
      if (strtod(digits, NULL) == value) break;
    }
    fmlp_text_append_bytes(text, digits, length);
  }
}

/* Days since 1970-01-01 to the proleptic Gregorian date, by eras of 400 years that start on 1 March. */
static void civil_from_days(int64_t days, int64_t *year, int *month, int *day) {
  int64_t shifted = days + 719468;
  int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  int64_t day_of_era = shifted - era * 146097;
  int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t march_month = (5 * day_of_year + 2) / 153;
  *day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
  *month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
  *year = year_of_era + era * 400 + (*month <= 2);
}

static char *put_digits(char *at, int64_t value, int digits) {
  for (int i = digits - 1; i >= 0; i--) {
    at[i] = (char)('0' + value % 10);
    value /= 10;
  }
  return at + digits;
}

/* Years of an int64 of nanoseconds lie in 1677..2262: always four digits. */
static int64_t put_time(int64_t nanoseconds, char out[40]) {
  int64_t seconds = nanoseconds / ns_per_second, fraction = nanoseconds % ns_per_second;
  if (fraction < 0) {
    fraction += ns_per_second;
    seconds--;
  }
  int64_t days = seconds / seconds_per_day, in_day = seconds % seconds_per_day;
  if (in_day < 0) {
    in_day += seconds_per_day;
    days--;
  }
  int64_t year;
  int month, day;
  civil_from_days(days, &year, &month, &day);
  char *at = put_digits(out, year, 4);
  *at++ = '-';
  at = put_digits(at, month, 2);
  *at++ = '-';
  at = put_digits(at, day, 2);
  *at++ = 'T';
  at = put_digits(at, in_day / 3600, 2);
  *at++ = ':';
  at = put_digits(at, in_day / 60 % 60, 2);
  *at++ = ':';
  at = put_digits(at, in_day % 60, 2);
  *at++ = '.';
  at = put_digits(at, fraction, 9);
  *at++ = 'Z';
  return at - out;
}

void fmlp_text_time(fmlp_text *text, int64_t nanoseconds) {
  char digits[40];
  fmlp_text_append_bytes(text, digits, put_time(nanoseconds, digits));
}

void fmlp_text_date(fmlp_text *text, int64_t nanoseconds) {
  char digits[40];
  put_time(nanoseconds, digits);
  fmlp_text_append_bytes(text, digits, 10);
}

void fmlp_text_minute(fmlp_text *text, int64_t nanoseconds) {
  char digits[40];
  put_time(nanoseconds, digits);
  digits[10] = ' ';
  fmlp_text_append_bytes(text, digits, 16);
}

void fmlp_text_html(fmlp_text *text, const char *string) {
  if (string == NULL) return;
  for (const char *at = string; *at != '\0'; at++) {
    unsigned char byte = (unsigned char)*at;
    switch (byte) {
    case '&':
      fmlp_text_append(text, "&amp;");
      break;
    case '<':
      fmlp_text_append(text, "&lt;");
      break;
    case '>':
      fmlp_text_append(text, "&gt;");
      break;
    case '"':
      fmlp_text_append(text, "&quot;");
      break;
    case '\'':
      fmlp_text_append(text, "&#39;");
      break;
    default:
      if ((byte < 0x20 && byte != '\t' && byte != '\n') || byte == 0x7f) {
        fmlp_text_append(text, "\xef\xbf\xbd");
      } else {
        fmlp_text_append_bytes(text, at, 1);
      }
    }
  }
}
