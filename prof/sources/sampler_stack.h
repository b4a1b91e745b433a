/* What the sampler's signal handler writes: stacks, into one bounded buffer that all threads share. */
#ifndef FMLP_PROF_SOURCES_SAMPLER_STACK_H
#define FMLP_PROF_SOURCES_SAMPLER_STACK_H

#include <stdbool.h>
#include <stdint.h>

enum { FMLP_STACK_FRAMES = 64, FMLP_STACK_WORDS = 32 };

/* A sample in the buffer: this, then `frames` addresses, innermost first, all but the first return addresses;
 * then, where the first is a library's, `words` of the stack from its pointer upwards: libraries keep no
 * frame pointers, and who called them stands there (fmlp_frames_caller). */
typedef struct fmlp_stack_record {
  int32_t thread; /* the system's id */
  int16_t frames, words;
  int64_t time;   /* ns of CLOCK_MONOTONIC */
  uint64_t place; /* fmlp_span_place */
} fmlp_stack_record;

/* Makes the buffer (once per process, its pages are touched as they fill) and empties it; false without
 * memory. Then samples are taken whenever a thread gets the signal while spans are recorded. */
bool fmlp_stack_open(void);

/* After it no handler writes; false when one has not come to its end within a second. */
bool fmlp_stack_close(void);

/* What the handler does: a sample of this thread at `context` (ucontext_t); `overrun` signals before it were
 * lost. Allocates nothing, takes no lock, keeps errno. */
void fmlp_stack_sample(const void *context, int32_t overrun);

/* The record at `*at` (begin with 0), its addresses and behind them its words, `*at` moved on; NULL at the
 * end. After close. */
const fmlp_stack_record *fmlp_stack_next(uint64_t *at, const uint64_t **addresses);

/* Gives the buffer's memory back. After it there is no record. */
void fmlp_stack_forget(void);

/* Samples that found no room, and signals that came too late to be told apart. */
int64_t fmlp_stack_lost(void);

#endif
