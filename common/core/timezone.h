/* Time zones of the tz database: UTC to local and back.
 *
 * Seconds since 1970-01-01, of UTC or of the local wall clock read as if it were UTC, within +-10^11 (far
 * more than the int64 nanoseconds of ticks span). Zones are read once from TZif files (RFC 8536, version 2 or
 * later) under $TZDIR or /usr/share/zoneinfo; dates beyond the last stored transition follow the file's rule.
 */
#ifndef FMLP_COMMON_CORE_TIMEZONE_H
#define FMLP_COMMON_CORE_TIMEZONE_H

#include <stdint.h>

#include "common/core/status.h"

typedef struct fmlp_timezone fmlp_timezone;

/* `name`: a zone such as America/New_York, or UTC, or a fixed offset written UTC+2, UTC-05:30 (east is
 * positive); UTC and fixed offsets need no database. FMLP_ERR_USAGE for an unknown name or a damaged file.
 * The zone is immutable, so threads may share it. */
FMLP_WARN_UNUSED fmlp_status fmlp_timezone_open(const char *name, fmlp_timezone **zone, fmlp_error *error);

/* NULL is allowed. */
void fmlp_timezone_close(fmlp_timezone *zone);

/* Seconds to add to UTC to get the local time. */
int32_t fmlp_timezone_offset(const fmlp_timezone *zone, int64_t utc_seconds);

/* UTC seconds of a local time. A time that occurs twice (clocks go back) is its first occurrence; one that
 * never occurs (clocks go forward) is read with the offset before the change, so 02:30 becomes what the clock
 * shows as 03:30. */
int64_t fmlp_timezone_to_utc(const fmlp_timezone *zone, int64_t local_seconds);

/* A stretch of UTC seconds [first, last) with one offset; INT64_MIN and INT64_MAX where it has no end. */
typedef struct fmlp_timezone_period {
  int64_t first;
  int64_t last;
  int32_t offset;
} fmlp_timezone_period;

/* The period that contains `utc_seconds`: for loops over many times. */
fmlp_timezone_period fmlp_timezone_period_at(const fmlp_timezone *zone, int64_t utc_seconds);

/* The name it was opened with. */
const char *fmlp_timezone_name(const fmlp_timezone *zone);

#endif
