/* The progress line: an atomic count of units, redrawn by whichever thread first finds it stale. */
#define _POSIX_C_SOURCE 200809L
#include "common/core/progress.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "common/core/log.h"

static const int64_t redraw_interval = 100000000; /* ns */
static const int64_t quiet_start = 300000000;     /* ns; a stage that ends sooner draws nothing */

static const char *_Atomic stage_name;
static _Atomic int64_t units_total;
static _Atomic int64_t units_done;
static _Atomic int64_t started_at;
static _Atomic int64_t next_draw;
static _Atomic bool drawn;

static int64_t now_ns(void) {
  struct timespec now = {0, 0};
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void fmlp_progress_format(char *line, int64_t capacity, const char *stage, int64_t done, int64_t total,
                          double seconds) {
  if (total > 0) {
    double share = done < total ? (double)done / (double)total : 1.0;
    char left[40] = "";
    if (share >= 0.05 && share < 1.0 && seconds >= 2.0) {
      (void)snprintf(left, sizeof left, ", about %.0f s left", seconds / share - seconds);
    }
    (void)snprintf(line, (size_t)capacity, "%-12s %3d %%  %.1f s%s", stage, (int)(share * 100.0), seconds,
                   left);
  } else {
    (void)snprintf(line, (size_t)capacity, "%-12s  ...  %.1f s", stage, seconds);
  }
}

void fmlp_progress_begin(const char *stage, int64_t total) {
  fmlp_progress_end();
  if (!fmlp_log_has_terminal()) return;
  int64_t now = now_ns();
  atomic_store(&units_total, total);
  atomic_store(&units_done, 0);
  atomic_store(&started_at, now);
  atomic_store(&next_draw, now + quiet_start);
  atomic_store(&stage_name, stage);
}

void fmlp_progress_add(int64_t units) {
  const char *stage = atomic_load_explicit(&stage_name, memory_order_acquire);
  if (!stage) return;
  int64_t done = atomic_fetch_add(&units_done, units) + units;
  int64_t due = atomic_load(&next_draw);
  int64_t now = now_ns();
  if (now < due || !atomic_compare_exchange_strong(&next_draw, &due, now + redraw_interval)) return;
  char line[96];
  fmlp_progress_format(line, sizeof line, stage, done, atomic_load(&units_total),
                       (double)(now - atomic_load(&started_at)) * 1e-9);
  fmlp_log_status_line(line);
  atomic_store(&drawn, true);
}

void fmlp_progress_end(void) {
  atomic_store(&stage_name, (const char *)NULL);
  if (atomic_exchange(&drawn, false)) fmlp_log_status_line("");
}
