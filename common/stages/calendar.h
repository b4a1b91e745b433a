/* The session calendar: trading sessions as UTC intervals, resolved once from the tz database. */
#ifndef FMLP_COMMON_STAGES_CALENDAR_H
#define FMLP_COMMON_STAGES_CALENDAR_H

#include <stdint.h>

#include "common/config/settings.h"
#include "common/core/status.h"

/* Sorted, disjoint sessions [open, close) covering the asked span and at least a week either side. */
typedef struct fmlp_calendar {
  int64_t count;
  int64_t *open;      /* ns UTC */
  int64_t *close;     /* ns UTC, exclusive: the session deadline */
  int32_t *local_day; /* days since 1970-01-01 of the local date on which the session ends: the trading day */
} fmlp_calendar;

/* Builds the calendar for [first_time, last_time] ns. FMLP_ERR_USAGE for an unknown time zone. */
FMLP_WARN_UNUSED fmlp_status fmlp_calendar_build(const fmlp_session_settings *settings, int64_t first_time,
                                                 int64_t last_time, fmlp_calendar *calendar,
                                                 fmlp_error *error);
void fmlp_calendar_release(fmlp_calendar *calendar);

/* Index of the session that contains `time`, or -1 when it lies outside every session. */
int64_t fmlp_calendar_find(const fmlp_calendar *calendar, int64_t time);

/* Index of the first session with close > time: the containing one, or else the next. calendar->count when
 * none. */
int64_t fmlp_calendar_next(const fmlp_calendar *calendar, int64_t time);

#endif
