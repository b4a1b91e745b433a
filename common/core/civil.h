/* Dates of the proleptic Gregorian calendar as days since 1970-01-01, and back. Exact for years within
 * +-10^7; no time zone, no leap second. The era arithmetic (400-year cycles, years starting in March) is
 * Howard Hinnant's, "chrono-Compatible Low-Level Date Algorithms". */
#ifndef FMLP_COMMON_CORE_CIVIL_H
#define FMLP_COMMON_CORE_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

#define FMLP_SECONDS_PER_DAY INT64_C(86400)
#define FMLP_NS_PER_SECOND   INT64_C(1000000000)
#define FMLP_NS_PER_DAY      INT64_C(86400000000000)

typedef struct fmlp_date {
  int64_t year;
  int32_t month; /* 1..12 */
  int32_t day;   /* 1..31 */
} fmlp_date;

/* month in 1..12; any day number is taken relative to the month's first. */
static inline int64_t fmlp_days_from_civil(int64_t year, int32_t month, int32_t day) {
  int64_t y = month <= 2 ? year - 1 : year;
  int64_t era = (y >= 0 ? y : y - 399) / 400;
  int64_t year_of_era = y - era * 400;
  int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

static inline fmlp_date fmlp_civil_from_days(int64_t days) {
  int64_t z = days + 719468;
  int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  int64_t day_of_era = z - era * 146097;
  int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t month_from_march = (5 * day_of_year + 2) / 153;
  fmlp_date date;
  date.day = (int32_t)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  date.month = (int32_t)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  date.year = year_of_era + era * 400 + (date.month <= 2 ? 1 : 0);
  return date;
}

/* 0 = Sunday ... 6 = Saturday. */
static inline int32_t fmlp_weekday(int64_t days) {
  int64_t weekday = (days + 4) % 7;
  return (int32_t)(weekday < 0 ? weekday + 7 : weekday);
}

static inline bool fmlp_is_leap_year(int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Quotient rounded towards minus infinity: the day of a time before 1970 is the one it lies in. */
static inline int64_t fmlp_floor_divide(int64_t value, int64_t by) {
  int64_t quotient = value / by;
  return value % by < 0 ? quotient - 1 : quotient;
}

#endif
