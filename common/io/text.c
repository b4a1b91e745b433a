/* Growing text, and the numbers and times in it. */
#include "common/io/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/civil.h"
#include "common/core/memory.h"
#include "common/io/json.h"

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

static char *put_digits(char *at, int64_t value, int digits) {
  for (int i = digits - 1; i >= 0; i--) {
    at[i] = (char)('0' + value % 10);
    value /= 10;
  }
  return at + digits;
}

/* Years of an int64 of nanoseconds lie in 1677..2262: always four digits. */
static int64_t put_time(int64_t nanoseconds, char out[40]) {
  int64_t days = fmlp_floor_divide(nanoseconds, FMLP_NS_PER_DAY);
  int64_t in_day = nanoseconds - days * FMLP_NS_PER_DAY;
  int64_t seconds = in_day / FMLP_NS_PER_SECOND;
  fmlp_date date = fmlp_civil_from_days(days);
  char *at = put_digits(out, date.year, 4);
  *at++ = '-';
  at = put_digits(at, date.month, 2);
  *at++ = '-';
  at = put_digits(at, date.day, 2);
  *at++ = 'T';
  at = put_digits(at, seconds / 3600, 2);
  *at++ = ':';
  at = put_digits(at, seconds / 60 % 60, 2);
  *at++ = ':';
  at = put_digits(at, seconds % 60, 2);
  *at++ = '.';
  at = put_digits(at, in_day % FMLP_NS_PER_SECOND, 9);
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

void fmlp_text_json(fmlp_text *text, json_t *value) {
  char *bytes = fmlp_json_text(value);
  json_decref(value);
  if (bytes != NULL) {
    fmlp_text_append(text, bytes);
  } else if (!text->failed) {
    text->failed = true;
    (void)fmlp_fail(&text->error, FMLP_ERR_OTHER, "out of memory while writing JSON");
  }
  free(bytes);
}
