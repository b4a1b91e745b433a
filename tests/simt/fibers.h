/* Stacks and the switch between them. On x86-64 the switch is six pushes and six pops, elsewhere (and with
 * FMLP_SIMT_UCONTEXT) that of ucontext.h; the sanitizers are told of each. */
#ifndef FMLP_TESTS_SIMT_FIBERS_H
#define FMLP_TESTS_SIMT_FIBERS_H

#include <stddef.h>

#include "tests/simt/sanitizers.h"

#if !(defined(__x86_64__) && defined(__linux__)) && !defined(FMLP_SIMT_UCONTEXT)
#define FMLP_SIMT_UCONTEXT 1
#endif
#ifdef FMLP_SIMT_UCONTEXT
#include <ucontext.h>
#endif

struct fmlp_simt_fiber {
  void *stack_pointer;
#ifdef FMLP_SIMT_UCONTEXT
  ucontext_t context;
#endif
  unsigned char *stack; /* lowest usable byte, a guard page below; NULL for the thread that launches */
  void *fake_stack;     /* of ASan */
  const void *bottom;   /* of the stack, as ASan is told */
  size_t size;
  void *tsan;
  fmlp_simt_fiber *next_free;
};

/* Makes `fiber` one that begins with main() at the next switch to it, whatever it did before; main never
 * returns. Its stack is mapped at first use. `number` spreads the stacks over the sets of the cache. Whether
 * it could. */
bool fmlp_simt_fiber_make(fmlp_simt_fiber *fiber, int number, void (*main)());

/* From the running fiber to another; returns when something switches back. */
void fmlp_simt_fiber_switch(fmlp_simt_fiber *from, fmlp_simt_fiber *to);

/* First thing main() does. */
void fmlp_simt_fiber_begin(fmlp_simt_fiber *fiber);

/* The fiber that stands for the thread that launches. */
void fmlp_simt_fiber_adopt(fmlp_simt_fiber *fiber);

#endif
