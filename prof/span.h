/* Spans: what the CPU did, when, nested per thread, on CLOCK_MONOTONIC.
 *
 *     FMLP_SPAN("labels");        // open until the end of the enclosing scope, on every way out of it
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

/* The number of the capture that is recording, 0 for none. Read it through fmlp_span_open alone. */
extern uint32_t fmlp_span_generation;

/* Opens a span on this thread and gives the token that closes it; 0 when nothing is recorded (no capture, or
 * no room: counted). A token of an earlier capture closes nothing. Closing a span closes what was left open
 * inside it. */
uint64_t fmlp_span_begin(const fmlp_span_site *site);
void fmlp_span_end(uint64_t token);

/* The place of this thread's innermost open span in the running capture, as a number that sources (source.h)
 * turn into a node of the capture at its end; 0 outside any span. Safe in a signal handler of the thread. */
uint64_t fmlp_span_place(void);

static inline uint64_t fmlp_span_open(const fmlp_span_site *site) {
  if (__builtin_expect(__atomic_load_n(&fmlp_span_generation, __ATOMIC_RELAXED) == 0, 1)) return 0;
  return fmlp_span_begin(site);
}

static inline void fmlp_span_close(const uint64_t *token) {
  if (*token) fmlp_span_end(*token);
}

#ifdef __cplusplus
}
#endif

#define FMLP_SPAN_JOIN_(a, b) a##b
#define FMLP_SPAN_JOIN(a, b)  FMLP_SPAN_JOIN_(a, b)
#define FMLP_SPAN(label)      FMLP_SPAN_AT(label, __LINE__)
#define FMLP_SPAN_AT(label, id)                                                                              \
  static const fmlp_span_site FMLP_SPAN_JOIN(fmlp_span_site_, id) = {label, __FILE__, __LINE__, __func__};   \
  uint64_t FMLP_SPAN_JOIN(fmlp_span_guard_, id) __attribute__((cleanup(fmlp_span_close), unused)) =          \
      fmlp_span_open(&FMLP_SPAN_JOIN(fmlp_span_site_, id))

#endif
