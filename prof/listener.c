/* Who listens, and per thread which spans were told to whom. */
#define _POSIX_C_SOURCE 200809L
#include "prof/listener.h"

#include <pthread.h>
#include <stdlib.h>

#include "prof/recorder.h"

typedef struct told_span {
  const fmlp_span_site *site;
  int64_t bytes;
  uint64_t place;
  uint32_t set; /* who saw it begin */
} told_span;

typedef struct told_spans {
  uint32_t count;
  told_span spans[FMLP_LISTENER_DEPTH];
} told_spans;

enum { SET_SHIFT = 32 };

/* A slot is never given to another listener: ends may be due after it was removed. */
static const fmlp_span_listener *slots[FMLP_LISTENER_SLOTS];

static pthread_once_t exit_key_once = PTHREAD_ONCE_INIT;
static pthread_key_t exit_key;
static _Thread_local told_spans *own __attribute__((tls_model("initial-exec")));

static void end_last(told_spans *told) {
  const told_span *span = &told->spans[--told->count];
  for (uint32_t left = span->set; left; left &= left - 1) {
    const fmlp_span_listener *listener = slots[__builtin_ctz(left)];
    listener->end(span->site, span->bytes, span->place);
  }
}

/* At a thread's end: what it left open ends here. */
static void leave(void *list) {
  told_spans *told = list;
  while (told->count > 0) end_last(told);
  own = NULL;
  free(told);
}

static void make_exit_key(void) {
  (void)pthread_key_create(&exit_key, leave);
}

static told_spans *join(void) {
  (void)pthread_once(&exit_key_once, make_exit_key);
  told_spans *told = malloc(sizeof *told);
  if (!told) return NULL;
  told->count = 0;
  if (pthread_setspecific(exit_key, told) != 0) {
    free(told);
    return NULL;
  }
  own = told;
  return told;
}

uint32_t fmlp_listener_begin(uint32_t set, const fmlp_span_site *site, int64_t bytes, uint64_t place) {
  told_spans *told = own ? own : join();
  if (!told || told->count == FMLP_LISTENER_DEPTH) return 0;
  told->spans[told->count++] = (told_span){site, bytes, place, set};
  for (uint32_t left = set; left; left &= left - 1) slots[__builtin_ctz(left)]->begin(site, bytes, place);
  return told->count;
}

void fmlp_listener_end(uint32_t told) {
  while (own && own->count >= told) end_last(own);
}

void fmlp_listener_add_bytes(int64_t bytes) {
  if (own && own->count > 0) {
    int64_t *sum = &own->spans[own->count - 1].bytes;
    *sum = fmlp_recorder_add(*sum, bytes);
  }
}

uint32_t fmlp_listener_set(uint32_t set) {
  uint64_t gate = FMLP_LOAD(fmlp_span_gate);
  while (!__atomic_compare_exchange_n(&fmlp_span_gate, &gate, (uint64_t)set << SET_SHIFT | (uint32_t)gate, 0,
                                      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
  }
  return (uint32_t)(gate >> SET_SHIFT);
}

void fmlp_span_listen(const fmlp_span_listener *listener) {
  for (int slot = 0; slot < FMLP_LISTENER_SLOTS; slot++) {
    const fmlp_span_listener *free_slot = NULL;
    if (!__atomic_compare_exchange_n(&slots[slot], &free_slot, listener, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE) &&
        free_slot != listener)
      continue;
    (void)__atomic_fetch_or(&fmlp_span_gate, (uint64_t)1 << (SET_SHIFT + slot), __ATOMIC_RELEASE);
    return;
  }
}

/* The open spans of this thread that it saw begin: told of their end now, innermost first. */
static void end_on_this_thread(int slot) {
  const uint32_t bit = (uint32_t)1 << slot;
  for (uint32_t i = own ? own->count : 0; i > 0; i--) {
    told_span *span = &own->spans[i - 1];
    if (!(span->set & bit)) continue;
    span->set &= ~bit;
    slots[slot]->end(span->site, span->bytes, span->place);
  }
}

void fmlp_span_unlisten(const fmlp_span_listener *listener) {
  for (int slot = 0; slot < FMLP_LISTENER_SLOTS; slot++) {
    if (slots[slot] != listener) continue;
    (void)__atomic_fetch_and(&fmlp_span_gate, ~((uint64_t)1 << (SET_SHIFT + slot)), __ATOMIC_RELEASE);
    end_on_this_thread(slot);
  }
}
