/* Stacks with a guard page, kept and used again. */
#include "tests/simt/fibers.h"

#include <stdint.h>
#include <sys/mman.h>

#ifdef FMLP_SIMT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef FMLP_SIMT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace {

/* Mapped, not touched: a kernel that stays in its first page uses no more than that. */
enum { STACK_BYTES = 256 << 10, GUARD_BYTES = 4 << 10, COLOURS = 61, COLOUR_BYTES = 64 };

fmlp_simt_fiber *switched_from;

#ifndef FMLP_SIMT_UCONTEXT
extern "C" void fmlp_simt_switch(void **save, void *load);
__asm__(".text\n.globl fmlp_simt_switch\n.hidden fmlp_simt_switch\n.type fmlp_simt_switch,@function\n"
        "fmlp_simt_switch:\n"
        "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rsp,(%rdi)\nmov %rsi,%rsp\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n"
        ".size fmlp_simt_switch,.-fmlp_simt_switch\n");
#endif

/* On the stack switched to. */
inline void arrive(fmlp_simt_fiber *fiber) {
#ifdef FMLP_SIMT_ASAN
  const void *bottom = NULL;
  size_t size = 0;
  __sanitizer_finish_switch_fiber(fiber->fake_stack, &bottom, &size);
  if (!switched_from->stack) switched_from->bottom = bottom, switched_from->size = size;
#else
  (void)fiber;
#endif
}

} // namespace

bool fmlp_simt_fiber_make(fmlp_simt_fiber *fiber, int number, void (*main)()) {
  if (!fiber->stack) {
    void *mapped = mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) return false;
    (void)mprotect(mapped, GUARD_BYTES, PROT_NONE);
    fiber->stack = (unsigned char *)mapped + GUARD_BYTES;
    fiber->bottom = fiber->stack;
    fiber->size = STACK_BYTES;
#ifdef FMLP_SIMT_TSAN
    fiber->tsan = __tsan_create_fiber(0);
#endif
  }
#ifdef FMLP_SIMT_ASAN
  __asan_unpoison_memory_region(fiber->stack, STACK_BYTES); /* frames that were left without a return */
  fiber->fake_stack = NULL;
#endif
  const size_t colour = (size_t)(number * 7 % COLOURS) * COLOUR_BYTES;
#ifdef FMLP_SIMT_UCONTEXT
  if (getcontext(&fiber->context) != 0) return false;
  fiber->context.uc_stack.ss_sp = fiber->stack;
  fiber->context.uc_stack.ss_size = STACK_BYTES - colour;
  fiber->context.uc_link = NULL;
  makecontext(&fiber->context, main, 0);
#else
  void **top = (void **)(void *)(fiber->stack + STACK_BYTES - COLOUR_BYTES - colour);
  *--top = NULL;
  *--top = (void *)(uintptr_t)main;
  for (int i = 0; i < 6; i++) *--top = NULL;
  fiber->stack_pointer = top;
#endif
  return true;
}

void fmlp_simt_fiber_switch(fmlp_simt_fiber *from, fmlp_simt_fiber *to) {
  switched_from = from;
#ifdef FMLP_SIMT_ASAN
  __sanitizer_start_switch_fiber(&from->fake_stack, to->bottom, to->size);
#endif
#ifdef FMLP_SIMT_TSAN
  __tsan_switch_to_fiber(to->tsan, 0);
#endif
#ifdef FMLP_SIMT_UCONTEXT
  (void)swapcontext(&from->context, &to->context);
#else
  fmlp_simt_switch(&from->stack_pointer, to->stack_pointer);
#endif
  arrive(from);
}

void fmlp_simt_fiber_begin(fmlp_simt_fiber *fiber) {
  arrive(fiber);
}

void fmlp_simt_fiber_adopt(fmlp_simt_fiber *fiber) {
  fiber->stack = NULL;
#ifdef FMLP_SIMT_TSAN
  fiber->tsan = __tsan_get_current_fiber();
#endif
}
