/* Triple barrier: which level a path of bars touches first, and, tick by tick, which one inside a bar.
 *
 * All prices are int32 points, so every comparison is exact. `side` +1 (long) reads the bid: target hit when
 * high >= target, stop hit when low <= stop. `side` -1 (short) reads the ask: target hit when low <= target,
 * stop hit when high >= stop. The search starts at the bar after the event bar and ends with last_bar,
 * inclusive. */
#ifndef FMLP_COMMON_CONTRACTS_TRIPLE_BARRIER_H
#define FMLP_COMMON_CONTRACTS_TRIPLE_BARRIER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fmlp_buffer fmlp_buffer;

typedef enum fmlp_tie_rule {
  FMLP_TIE_TICKS, /* report FMLP_OUTCOME_TIE; the ticks of that bar decide in a second pass */
  FMLP_TIE_SL_FIRST,
  FMLP_TIE_TP_FIRST
} fmlp_tie_rule;

enum { FMLP_OUTCOME_STOP = -1, FMLP_OUTCOME_TIME = 0, FMLP_OUTCOME_TARGET = 1, FMLP_OUTCOME_TIE = 2 };

/* One side's search. Buffers live on the device that executes it; nothing is owned. Requires
 * 0 <= start_bar < last_bar < bars, and target and stop on their sides of the market (they may not be equal).
 */
typedef struct fmlp_barrier_search {
  int32_t side; /* +1 or -1, for all events of the job */
  fmlp_tie_rule tie;
  int64_t bars;
  const fmlp_buffer *high; /* int32 [bars], points, of the exit side */
  const fmlp_buffer *low;  /* int32 [bars] */
  int64_t events;
  const fmlp_buffer *start_bar; /* int32 [events] event bars */
  const fmlp_buffer *target;    /* int32 [events] levels, points */
  const fmlp_buffer *stop;      /* int32 [events] */
  const fmlp_buffer *last_bar;  /* int32 [events] last bar allowed */
  fmlp_buffer *outcome;         /* out: int8 [events]; FMLP_OUTCOME_TIE with FMLP_TIE_TICKS only */
  fmlp_buffer *exit_bar;        /* out: int32 [events]; last_bar where outcome is TIME */
} fmlp_barrier_search;

/* The second pass, for events whose outcome is not TIME: the ticks of their exit bars, gathered. Event e
 * reads ticks [tick_first[e], tick_last[e]) of `price`. An outcome of TIE becomes the level the first
 * touching tick touches; a decided outcome stays, and its own level alone is looked for. `exit_tick` is the
 * touching tick's position in `price`; such a tick exists, because the bar's extremes come from its ticks. */
typedef struct fmlp_barrier_resolve {
  int32_t side;
  int64_t ticks;
  const fmlp_buffer *price; /* int32 [ticks] points, of the exit side */
  int64_t events;
  const fmlp_buffer *tick_first; /* int64 [events] */
  const fmlp_buffer *tick_last;  /* int64 [events] */
  const fmlp_buffer *target;     /* int32 [events] */
  const fmlp_buffer *stop;       /* int32 [events] */
  fmlp_buffer *outcome;          /* in/out: int8 [events] */
  fmlp_buffer *exit_tick;        /* out: int64 [events]; -1 where no tick touches (a caller's error) */
} fmlp_barrier_resolve;

#ifdef __cplusplus
}
#endif
#endif
