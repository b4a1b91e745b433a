/* Spans: what the CPU did, when, nested per thread, on CLOCK_MONOTONIC.
 *
 *     FMLP_SPAN("labels");                  // open until the end of the enclosing scope, on every way out
 *     FMLP_SPAN_BYTES("sort", 16 * count);  // likewise, with the bytes it reads and writes
 *
 * prof/ stands alone: it includes nothing of the rest of the program and knows nothing of finance. A span
 * costs two clock reads and a few stores when recording (at most 60 ns a pair), one predictable branch when
 * not. Valid as C11 and C++17. */
#ifndef FMLP_PROF_SPAN_H
#define FMLP_PROF_SPAN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where a span stands in the source; static storage. */
typedef struct fmlp_span_site {
  const char *name;
  const char *file;
  int line;
  const char *function;
} fmlp_span_site;

/* 0 when nobody wants spans; else the number of the capture that is recording (low half, 0 for none) and the
 * set of listeners (listener.h; high half). Read it through fmlp_span_open alone. */
extern uint64_t fmlp_span_gate;

/* Opens a span on this thread and gives the token that closes it; 0 when nothing is recorded (no capture, or
 * no room: counted) and nobody listens. A token of an earlier capture closes nothing. Closing a span closes
 * what was left open inside it.
 *
 * `bytes`: of the arrays and files that the span reads and writes, once for each pass over one, however often
 * a byte is asked for in a pass: what must move between memory and the processor when nothing is kept from
 * pass to pass. 0 where that is not known. */
uint64_t fmlp_span_begin_bytes(const fmlp_span_site *site, int64_t bytes);
void fmlp_span_end(uint64_t token);

static inline uint64_t fmlp_span_begin(const fmlp_span_site *site) {
  return fmlp_span_begin_bytes(site, 0);
}

/* Adds to the bytes of this thread's innermost open span, where they are known only inside it. */
void fmlp_span_add_bytes(int64_t bytes);

/* The place of this thread's innermost open span in the running capture, as a number that sources (source.h)
 * turn into a node of the capture at its end; 0 outside any span. Safe in a signal handler of the thread. */
uint64_t fmlp_span_place(void);

static inline uint64_t fmlp_span_open(const fmlp_span_site *site, int64_t bytes) {
  if (__builtin_expect(__atomic_load_n(&fmlp_span_gate, __ATOMIC_RELAXED) == 0, 1)) return 0;
  return fmlp_span_begin_bytes(site, bytes);
}

static inline void fmlp_span_close(const uint64_t *token) {
  if (*token) fmlp_span_end(*token);
}

#ifdef __cplusplus
}
#endif

#define FMLP_SPAN_JOIN_(a, b)         a##b
#define FMLP_SPAN_JOIN(a, b)          FMLP_SPAN_JOIN_(a, b)
#define FMLP_SPAN(label)              FMLP_SPAN_AT(label, 0, __LINE__)
#define FMLP_SPAN_BYTES(label, bytes) FMLP_SPAN_AT(label, bytes, __LINE__)
#define FMLP_SPAN_AT(label, bytes, id)                                                                       \
  static const fmlp_span_site FMLP_SPAN_JOIN(fmlp_span_site_, id) = {label, __FILE__, __LINE__, __func__};   \
  uint64_t FMLP_SPAN_JOIN(fmlp_span_guard_, id) __attribute__((cleanup(fmlp_span_close), unused)) =          \
      fmlp_span_open(&FMLP_SPAN_JOIN(fmlp_span_site_, id), bytes)

#endif
