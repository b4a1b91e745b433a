/* What a capture asks besides spans: sources that are started with it and add what they saw at its end (the
 * device tracer, the memory counters, the sampler). One static table in capture.c names them all. */
#ifndef FMLP_PROF_SOURCE_H
#define FMLP_PROF_SOURCE_H

#include "prof/capture.h"

/* Turns what a source noted while recording into what a finished capture holds. */
typedef struct fmlp_capture_places {
  int64_t start; /* ns of CLOCK_MONOTONIC: the capture's zero */
  int32_t thread_count;
  const int32_t *node_base; /* [thread_count] node 0 of each thread: a place's node is counted from it */
} fmlp_capture_places;

/* The node of a place (fmlp_span_place), -1 for none. */
static inline int32_t fmlp_capture_node_of(const fmlp_capture_places *places, uint64_t place) {
  const int64_t thread = (int64_t)(place >> 32) - 1;
  if (thread < 0 || thread >= places->thread_count || (uint32_t)place == 0) return -1;
  return places->node_base[thread] + (int32_t)(uint32_t)place;
}

/* The thread of a place, -1 for none. */
static inline int32_t fmlp_capture_thread_of(const fmlp_capture_places *places, uint64_t place) {
  const int64_t thread = (int64_t)(place >> 32) - 1;
  return thread < 0 || thread >= places->thread_count ? -1 : (int32_t)thread;
}

typedef struct fmlp_capture_source {
  const char *name;
  /* Before the first span of a capture; does what the options ask of it. Never fails: what cannot be had is
   * told at the end. */
  void (*start)(const fmlp_capture_options *options);
  /* After the last span, also where nothing was asked: no thread records any more. Adds its arrays and counts
   * to the capture, reasons included; where memory runs out it adds nothing and says so. */
  void (*stop)(fmlp_capture *capture, const fmlp_capture_places *places);
} fmlp_capture_source;

#endif
