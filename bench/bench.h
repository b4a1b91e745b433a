/* The benchmark program: named cases over one data set, which bench/peers.py hands to other tools in the same
 * run.
 *
 * A case runs its work once per repeat and says how many items (rows, ticks, labels, trades) and bytes that
 * was; the program prints the median time over the repeats. Nothing here asserts a speed. */
#ifndef FMLP_BENCH_BENCH_H
#define FMLP_BENCH_BENCH_H

#include <stdint.h>

#include "common/contracts/backend.h"
#include "common/core/status.h"
#include "common/io/columns.h"

enum { BENCH_TICKS = 20000000, BENCH_CSV_ROWS = 6000000, BENCH_TRADES = 1000 };

/* Ticks that the stages work on, made from a fixed seed; owned by main. What the kernels work on is made by
 * the generators of tests/equivalence, so that tests and benchmarks share cases and data. */
typedef struct bench_data {
  const char *folder; /* where columns and text files stand */
  int write; /* inputs and results of the kernels are put there too, for other tools to check theirs against
              */
  int64_t bars;                 /* rows of the rolling operators, bars of the labels */
  int64_t paths;                /* of Monte Carlo */
  int64_t ticks;                /* 0 when no case of the stages is to run */
  int64_t *tick_time;           /* [ticks] ns */
  int32_t *tick_bid, *tick_ask; /* [ticks] points */
} bench_data;

typedef struct bench_case bench_case;

/* State of one case between prepare and finish. */
typedef struct bench_run {
  const bench_case *what;
  const bench_data *data;
  fmlp_compute compute;
  int64_t items; /* set by prepare: units of work per repeat */
  int64_t bytes; /* set by prepare: bytes read and written per repeat, at least */
  void *state;
} bench_run;

struct bench_case {
  const char *name;
  const char *unit;                                          /* what an item is */
  int64_t parameter;                                         /* of prepare */
  const char *row;                                           /* in the table of tests/equivalence, or NULL */
  fmlp_status (*prepare)(bench_run *run, fmlp_error *error); /* not timed */
  fmlp_status (*work)(bench_run *run, fmlp_error *error);    /* timed, with a sync behind it */
  fmlp_status (*keep)(bench_run *run, fmlp_error *error);    /* writes the results; may be NULL */
  void (*finish)(bench_run *run);                            /* not timed; called also after a failure */
};

extern const bench_case bench_stage_cases[];   /* reading, bars, spans; NULL name ends */
extern const bench_case bench_kernel_cases[];  /* labels, Monte Carlo */
extern const bench_case bench_profile_cases[]; /* a large profile */
extern const bench_case bench_device_cases[];  /* copies within a device; none on the cpu */

/* Case n of the rolling operators, one for each row of their table and one for all of a feature set in one
 * plan; false behind the last. `name` belongs to the caller and outlives the case. */
int bench_rolling_case(int n, char name[64], bench_case *out);

/* Takes folder, write, bars, paths and ticks from `data`; makes the ticks, and writes them to `folder`, as
 * columns and as text, when `write` is set. */
FMLP_WARN_UNUSED fmlp_status bench_data_open(bench_data *data, fmlp_error *error);
void bench_data_close(bench_data *data);

/* ---- device.c ---- */

/* Times one call of `work` on the device's own clock where it has one (`*on_device` tells), else by the
 * host's. */
FMLP_WARN_UNUSED fmlp_status bench_time(bench_run *run, double *seconds, int *on_device, fmlp_error *error);

/* FOLDER/<case>_<column>.npy, '/' in the case's name as '_'. */
FMLP_WARN_UNUSED fmlp_status bench_put(const bench_run *run, const char *column, fmlp_type type, int64_t rows,
                                       const void *values, fmlp_error *error);

/* Buffers of a case: made, filled (contents may be NULL), and freed all together. */
enum { BENCH_MOST_BUFFERS = 32 };

typedef struct bench_buffers {
  int32_t count;
  fmlp_buffer *buffer[BENCH_MOST_BUFFERS];
} bench_buffers;

FMLP_WARN_UNUSED fmlp_status bench_buffer(const bench_run *run, bench_buffers *all, size_t bytes,
                                          const void *contents, fmlp_buffer **out, fmlp_error *error);
void bench_buffers_free(const bench_run *run, bench_buffers *all);

/* Downloads a buffer and puts it. */
FMLP_WARN_UNUSED fmlp_status bench_put_buffer(const bench_run *run, const char *column, fmlp_type type,
                                              int64_t rows, const fmlp_buffer *buffer, fmlp_error *error);

#endif
