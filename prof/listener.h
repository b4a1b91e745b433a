/* Listeners: who is told of spans as they open and close, while a capture records them or not (NVTX for a
 * tool that is attached, the device tracer's correlation). A span costs nothing for listeners that are
 * absent: the gate that every span reads (fmlp_span_gate) names those that are there.
 *
 * What a listener may count on:
 * - begin and end come on the span's own thread, properly nested, one end for every begin: for spans dropped
 *   by the recorder (place 0), left open by an error path, and left open at their thread's end (then there).
 * - A listener that is removed gets no more begins; the spans it saw begin end there and then on the calling
 *   thread, on others when they close.
 * - Beyond FMLP_LISTENER_DEPTH open spans on a thread, or where memory for its list cannot be had, a span is
 *   not told at all.
 * - It is called before the recorder reads the clock at begin, and after it at end: what it costs belongs to
 *   the parent span. It must not open spans. */
#ifndef FMLP_PROF_LISTENER_H
#define FMLP_PROF_LISTENER_H

#include <stdint.h>

#include "prof/span.h"

enum { FMLP_LISTENER_SLOTS = 8, FMLP_LISTENER_DEPTH = 1024 };

typedef struct fmlp_span_listener {
  /* `bytes`: what the span told when it opened. `place`: of this span, as fmlp_span_place gives it within the
   * span; 0 when it is not recorded. */
  void (*begin)(const fmlp_span_site *site, int64_t bytes, uint64_t place);
  /* `bytes`: with those that it added meanwhile. */
  void (*end)(const fmlp_span_site *site, int64_t bytes, uint64_t place);
} fmlp_span_listener;

/* Adds a listener (static storage), once however often it is called; does nothing when all slots are taken.
 * Takes no lock: a source may call both from its start and stop. */
void fmlp_span_listen(const fmlp_span_listener *listener);
void fmlp_span_unlisten(const fmlp_span_listener *listener);

/* For span.c. Tells the listeners in `set` and gives the number of the span among those told on this thread,
 * 0 when it was not told. */
uint32_t fmlp_listener_begin(uint32_t set, const fmlp_span_site *site, int64_t bytes, uint64_t place);
/* Ends all told spans of this thread down to number `told`. */
void fmlp_listener_end(uint32_t told);
void fmlp_listener_add_bytes(int64_t bytes);

/* For capture.c: which listeners are told, the previous set returned. */
uint32_t fmlp_listener_set(uint32_t set);

#endif
