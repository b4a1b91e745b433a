/* The benchmark program: named cases over one data set, which bench/peers.py hands to other tools in the same run.
 *
 * A case runs its work once per repeat and says how many items (rows, ticks, labels, trades) and bytes that was; the
 * program prints the median time over the repeats. Nothing here asserts a speed. */
#ifndef FMLP_BENCH_BENCH_H
#define FMLP_BENCH_BENCH_H

#include <stdint.h>

#include "common/contracts/backend.h"
#include "common/core/status.h"

enum { BENCH_BARS = 1000000, BENCH_TICKS = 20000000, BENCH_CSV_ROWS = 6000000, BENCH_TRADES = 1000, BENCH_PATHS = 10000 };

/* What every case works on, made from a fixed seed; owned by main. */
typedef struct bench_data {
  const char *folder;  /* where the columns and text files stand */
  int64_t bars;
  double *price;       /* [bars] a random walk in price units */
  int32_t *high, *low; /* [bars] points */
  int32_t *close;      /* [bars] points */
  int64_t ticks;
  int64_t *tick_time;  /* [ticks] ns */
  int32_t *tick_bid, *tick_ask; /* [ticks] points */
  int64_t trades;
  double *pnl;         /* [trades] money */
} bench_data;

typedef struct bench_case bench_case;

/* State of one case between prepare and finish. */
typedef struct bench_run {
  const bench_case *what;
  const bench_data *data;
  fmlp_compute compute;
  int64_t parameter;
  int64_t items; /* set by prepare: units of work per repeat */
  int64_t bytes; /* set by prepare: bytes read and written per repeat, at least */
  void *state;
} bench_run;

struct bench_case {
  const char *name;
  const char *unit; /* what an item is */
  int64_t parameter;
  fmlp_status (*prepare)(bench_run *run, fmlp_error *error); /* not timed */
  fmlp_status (*work)(bench_run *run, fmlp_error *error);    /* timed */
  void (*finish)(bench_run *run);                            /* not timed; called also after a failure */
};

extern const bench_case bench_stage_cases[];  /* reading, bars, spans; NULL name ends */
extern const bench_case bench_kernel_cases[]; /* rolling, labels, Monte Carlo */

/* Makes the data set, or reads it from `folder` when it holds one; writes it there when `write` is set. */
FMLP_WARN_UNUSED fmlp_status bench_data_open(const char *folder, int write, bench_data *data, fmlp_error *error);
void bench_data_close(bench_data *data);

#endif
