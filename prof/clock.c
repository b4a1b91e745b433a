/* Choice of the clock, and ticks to nanoseconds. */
#define _GNU_SOURCE
#include "prof/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

__extension__ typedef __int128 wide;

bool fmlp_clock_counter;

int64_t fmlp_clock_nanoseconds(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void fmlp_clock_choose(bool forbid_counter) {
  fmlp_clock_counter = false;
  if (!FMLP_CLOCK_HAS_COUNTER || forbid_counter) return;
  FILE *file = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "r");
  if (!file) return;
  char name[16] = "";
  bool read = fgets(name, sizeof name, file) != NULL;
  (void)fclose(file);
  fmlp_clock_counter = read && strcmp(name, "tsc\n") == 0;
}

fmlp_clock_sample fmlp_clock_now(void) {
  /* The reading of the counter that was least delayed, of a few: it stands between two of the clock. */
  fmlp_clock_sample best = {0, 0};
  int64_t least = INT64_MAX;
  for (int attempt = 0; attempt < 5; attempt++) {
    int64_t before = fmlp_clock_nanoseconds();
    int64_t ticks = fmlp_clock_ticks();
    int64_t after = fmlp_clock_nanoseconds();
    if (after - before < least) {
      least = after - before;
      best = (fmlp_clock_sample){ticks, fmlp_clock_counter ? before + (after - before) / 2 : ticks};
    }
  }
  return best;
}

int64_t fmlp_clock_duration(fmlp_clock_sample start, fmlp_clock_sample stop, int64_t ticks) {
  int64_t length = stop.ticks - start.ticks;
  if (length <= 0) return 0;
  return (int64_t)((wide)ticks * (stop.nanoseconds - start.nanoseconds) / length);
}

int64_t fmlp_clock_moment(fmlp_clock_sample start, fmlp_clock_sample stop, int64_t ticks) {
  return start.nanoseconds + fmlp_clock_duration(start, stop, ticks - start.ticks);
}
