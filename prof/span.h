/* Spans: what the CPU did, when, nested per thread, on CLOCK_MONOTONIC.
 *
 *     FMLP_SPAN("labels");        // open until the end of the enclosing scope, on every way out of it
 *
 * prof/ stands alone: it includes nothing of the rest of the program and knows nothing of finance. A span
 * costs two clock reads and two stores when recording, one predictable branch when not. */
#ifndef FMLP_PROF_SPAN_H
#define FMLP_PROF_SPAN_H

#include <stdint.h>

/* Where a span stands in the source; static storage. */
typedef struct fmlp_span_site {
  const char *name;
  const char *file;
  int line;
  const char *function;
} fmlp_span_site;

void fmlp_span_begin(const fmlp_span_site *site);
void fmlp_span_end(void);

static inline int fmlp_span_open(const fmlp_span_site *site) {
  fmlp_span_begin(site);
  return 0;
}

static inline void fmlp_span_close(const int *unused) {
  (void)unused;
  fmlp_span_end();
}

#define FMLP_SPAN_JOIN_(a, b) a##b
#define FMLP_SPAN_JOIN(a, b)  FMLP_SPAN_JOIN_(a, b)
#define FMLP_SPAN(label)      FMLP_SPAN_AT(label, __LINE__)
#define FMLP_SPAN_AT(label, id)                                                                              \
  static const fmlp_span_site FMLP_SPAN_JOIN(fmlp_span_site_, id) = {label, __FILE__, __LINE__, __func__};   \
  int FMLP_SPAN_JOIN(fmlp_span_guard_, id) __attribute__((cleanup(fmlp_span_close), unused)) =               \
      fmlp_span_open(&FMLP_SPAN_JOIN(fmlp_span_site_, id))

#endif
