/* Sessions of a calendar: local wall-clock times turned into UTC once, so that a day of 23 or 25 hours is
 * exact.
 *
 * A session starts at session_start on a local day and ends at session_end: on the same day when that is
 * later, else on the next. An end at 00:00 is the 24:00 of the day before, so that a session of 00:00 to
 * 00:00 is that whole day. Its trading day is the local day on which it ends. Without weekend trading,
 * sessions whose trading day is a Saturday or a Sunday do not exist, and the one that ends on a Friday ends
 * at friday_end when that is earlier (docs/decisions/sessions.md). */
#include "common/stages/calendar.h"

#include "common/core/civil.h"
#include "common/core/memory.h"
#include "common/core/timezone.h"
#include "prof/span.h"

enum {
  DAY_MINUTES = 1440,
  LONGEST_DAYS = 73050, /* 200 years */
  MARGIN_DAYS = 10,     /* a week either side, whatever the zone, and the session that runs over its edge */
  FRIDAY = 5,
  SATURDAY = 6,
  SUNDAY = 0
};

/* Whether the session that starts on local `day` exists; its ends in local seconds and its trading day. */
static int session_of(const fmlp_session_settings *settings, int64_t day, int64_t *open, int64_t *close,
                      int64_t *trading_day) {
  int32_t end = settings->session_end == 0 ? DAY_MINUTES : settings->session_end;
  *trading_day = end > settings->session_start ? day : day + 1;
  int32_t which = fmlp_weekday(*trading_day);
  if (!settings->weekend_trading) {
    int32_t friday_end = settings->friday_end == 0 ? DAY_MINUTES : settings->friday_end;
    if (which == SATURDAY || which == SUNDAY) return 0;
    if (which == FRIDAY && friday_end < end) end = friday_end;
  }
  *open = day * FMLP_SECONDS_PER_DAY + (int64_t)settings->session_start * 60;
  *close = *trading_day * FMLP_SECONDS_PER_DAY + (int64_t)end * 60;
  return *open < *close;
}

/* Appends the session in UTC, cut to what is after the one before it (a zone may skip or repeat local time).
 */
static void append(fmlp_calendar *calendar, int64_t open, int64_t close, int64_t trading_day) {
  const int64_t most = INT64_MAX / FMLP_NS_PER_SECOND;
  if (open < -most || close > most) return; /* beyond what ns can name */
  open *= FMLP_NS_PER_SECOND;
  close *= FMLP_NS_PER_SECOND;
  if (calendar->count > 0 && open < calendar->close[calendar->count - 1]) {
    open = calendar->close[calendar->count - 1];
  }
  if (open >= close) return;
  calendar->open[calendar->count] = open;
  calendar->close[calendar->count] = close;
  calendar->local_day[calendar->count] = (int32_t)trading_day;
  calendar->count++;
}

static fmlp_status allocate(fmlp_calendar *calendar, int64_t days, fmlp_error *error) {
  FMLP_TRY(fmlp_alloc(&calendar->open, days, sizeof *calendar->open, "session calendar", error));
  FMLP_TRY(fmlp_alloc(&calendar->close, days, sizeof *calendar->close, "session calendar", error));
  return fmlp_alloc(&calendar->local_day, days, sizeof *calendar->local_day, "session calendar", error);
}

static long long year_of(int64_t time) {
  return (long long)(1970 + fmlp_floor_divide(fmlp_floor_divide(time, FMLP_NS_PER_DAY) * 400, 146097));
}

/* Sums of times within the span stay far from what 64 bits of nanoseconds hold. */
static fmlp_status check_span(int64_t first_time, int64_t last_time, fmlp_error *error) {
  int64_t span = 0;
  if (!__builtin_sub_overflow(last_time, first_time, &span) && span <= LONGEST_DAYS * FMLP_NS_PER_DAY) {
    return FMLP_OK;
  }
  return fmlp_fail(
      error, FMLP_ERR_INPUT,
      "the ticks reach from the year %lld to %lld, more than 200 years; correct the time of the first "
      "or the last of them",
      year_of(first_time), year_of(last_time));
}

fmlp_status fmlp_calendar_build(const fmlp_session_settings *settings, int64_t first_time, int64_t last_time,
                                fmlp_calendar *calendar, fmlp_error *error) {
  FMLP_SPAN("calendar.build");
  *calendar = (fmlp_calendar){0};
  FMLP_TRY(check_span(first_time, last_time, error));
  fmlp_timezone *zone = NULL;
  fmlp_status status = fmlp_timezone_open(settings->timezone ? settings->timezone : "UTC", &zone, error);
  if (status != FMLP_OK) return fmlp_fail_prefix(error, status, "session.timezone");
  int64_t first_day =
      fmlp_floor_divide(fmlp_floor_divide(first_time, FMLP_NS_PER_SECOND), FMLP_SECONDS_PER_DAY) -
      MARGIN_DAYS;
  int64_t last_day =
      fmlp_floor_divide(fmlp_floor_divide(last_time, FMLP_NS_PER_SECOND), FMLP_SECONDS_PER_DAY) + MARGIN_DAYS;
  if (last_day < first_day) last_day = first_day;
  status = allocate(calendar, last_day - first_day + 1, error);
  for (int64_t day = first_day; status == FMLP_OK && day <= last_day; day++) {
    int64_t open = 0, close = 0, trading_day = 0;
    if (!session_of(settings, day, &open, &close, &trading_day)) continue;
    append(calendar, fmlp_timezone_to_utc(zone, open), fmlp_timezone_to_utc(zone, close), trading_day);
  }
  fmlp_timezone_close(zone);
  if (status != FMLP_OK) fmlp_calendar_release(calendar);
  return status;
}

void fmlp_calendar_release(fmlp_calendar *calendar) {
  fmlp_free(calendar->open);
  fmlp_free(calendar->close);
  fmlp_free(calendar->local_day);
  *calendar = (fmlp_calendar){0};
}

int64_t fmlp_calendar_next(const fmlp_calendar *calendar, int64_t time) {
  int64_t low = 0, high = calendar->count;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (calendar->close[middle] > time) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

int64_t fmlp_calendar_find(const fmlp_calendar *calendar, int64_t time) {
  int64_t session = fmlp_calendar_next(calendar, time);
  return session < calendar->count && calendar->open[session] <= time ? session : -1;
}
