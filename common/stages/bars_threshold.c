/* Decimal text to an exact integer threshold. */
#include "common/stages/bars_threshold.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_CAPACITY = 64, DIGITS_MAX = 18, EXPONENT_MAX = 400 };

/* digits * 10^exponent */
typedef struct decimal_number {
  int64_t digits;
  int32_t exponent;
} decimal_number;

/* Reads [0-9]*[.[0-9]*][e[+-][0-9]+] with at least one digit and at most 18 significant ones. */
static bool parse(const char *text, decimal_number *number) {
  int64_t digits = 0;
  int32_t exponent = 0, significant = 0, seen = 0;
  bool fraction = false;
  const char *at = text + (*text == '+');
  for (; (*at >= '0' && *at <= '9') || (*at == '.' && !fraction); at++) {
    if (*at == '.') {
      fraction = true;
      continue;
    }
    seen++;
    if (seen > TEXT_CAPACITY) return false;
    significant += significant > 0 || *at != '0';
    if (significant > DIGITS_MAX) {
      if (*at != '0') return false;
      exponent += !fraction;
      continue;
    }
    digits = digits * 10 + (*at - '0');
    exponent -= fraction;
  }
  if (seen == 0) return false;
  if (*at == 'e' || *at == 'E') {
    char *end = NULL;
    long power = strtol(at + 1, &end, 10);
    if (end == at + 1 || labs(power) > EXPONENT_MAX) return false;
    exponent += (int32_t)power;
    at = end;
  }
  while (digits != 0 && digits % 10 == 0) {
    digits /= 10;
    exponent++;
  }
  *number = (decimal_number){digits, exponent};
  return *at == '\0';
}

/* The shortest decimal text that reads back as `value`. */
static void print_shortest(double value, char text[TEXT_CAPACITY]) {
  for (int precision = 1; precision <= 17; precision++) {
    (void)snprintf(text, TEXT_CAPACITY, "%.*e", precision - 1, value);
    if (strtod(text, NULL) == value) return;
  }
}

/* *value *= 10^power; false when that leaves 127 bits. */
static bool scale_up(fmlp_int128 *value, int32_t power) {
  const fmlp_int128 most = (fmlp_int128)(~(fmlp_uint128)0 >> 1);
  for (; power > 0; power--) {
    if (*value > most / 10) return false;
    *value *= 10;
  }
  return true;
}

static fmlp_status refuse(const char *text, const char *why, fmlp_error *error) {
  return fmlp_fail(error, FMLP_ERR_USAGE,
                   "bars.threshold: %s %s; give a positive number such as 100 or 2.5e6", text, why);
}

fmlp_status fmlp_bars_threshold(const fmlp_bars_settings *settings, int32_t decimals, fmlp_int128 multiple,
                                fmlp_int128 *units, bool *exact, fmlp_error *error) {
  char printed[TEXT_CAPACITY] = "";
  const char *text = settings->threshold_text;
  if (!text) {
    if (!isfinite(settings->threshold) || settings->threshold <= 0) {
      (void)snprintf(printed, sizeof printed, "%g", settings->threshold);
      return refuse(printed, "is not a positive number", error);
    }
    print_shortest(settings->threshold, printed);
    text = printed;
  }
  decimal_number number;
  if (!parse(text, &number)) return refuse(text, "is not a positive number of at most 18 digits", error);
  if (number.digits == 0) return refuse(text, "is not positive", error);
  fmlp_int128 numerator = number.digits, denominator = multiple;
  int32_t power = number.exponent + decimals;
  if (power < 0 && !scale_up(&denominator, -power)) { /* a tiny fraction of one unit */
    *units = 1;
    *exact = false;
    return FMLP_OK;
  }
  if (power > 0 && !scale_up(&numerator, power)) return refuse(text, "is too large for this input", error);
  *exact = numerator % denominator == 0;
  *units = numerator / denominator + !*exact;
  return FMLP_OK;
}
