/* The handler of the sampler's signal and its buffer. Everything here that a handler runs is safe in one. */
#define _GNU_SOURCE
#include "prof/sources/sampler_stack.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "prof/clock.h"
#include "prof/recorder.h"
#include "prof/span.h"

enum { BUFFER_WORDS = 1 << 24, RECORD_WORDS = sizeof(fmlp_stack_record) / sizeof(uint64_t) };
static const uint64_t STACK_BYTES = (uint64_t)64 << 20; /* no thread's stack is larger */
static const uint64_t PAGE = 4096;

static uint64_t *buffer;
static uint64_t used; /* words; may go beyond the end */
static int64_t lost;
static bool watching;
static int32_t inside; /* handlers at work */
static _Thread_local int32_t own_id __attribute__((tls_model("initial-exec")));

typedef struct registers {
  uint64_t instruction, frame, stack;
} registers;

static registers registers_of(const ucontext_t *context) {
#if defined(__x86_64__)
  const greg_t *values = context->uc_mcontext.gregs;
  return (registers){(uint64_t)values[REG_RIP], (uint64_t)values[REG_RBP], (uint64_t)values[REG_RSP]};
#elif defined(__aarch64__)
  const mcontext_t *values = &context->uc_mcontext;
  return (registers){values->pc, values->regs[29], values->sp};
#else
  (void)context;
  return (registers){0, 0, 0};
#endif
}

/* True when the page can be read: the kernel copies the signal set there before it finds that -1 is no way to
 * use it. */
static bool readable(uint64_t address) {
  const uint64_t page = address & ~(PAGE - 1);
  return syscall(SYS_rt_sigprocmask, -1, page, NULL, 8) != 0 && errno != EFAULT;
}

/* Follows the frame pointers. A frame lies above the one it was called from, aligned, within a stack's size
 * of the stack pointer and on pages that can be read; anything else is the end. Not instrumented: it reads
 * between the variables of others. */
__attribute__((no_sanitize("address", "thread", "undefined"))) static int32_t
walk(const registers *from, uint64_t addresses[FMLP_STACK_FRAMES]) {
  int32_t count = 0;
  uint64_t frame = from->frame, least = from->stack, page = 0;
  addresses[count++] = from->instruction;
  while (count < FMLP_STACK_FRAMES) {
    if (frame < least || frame % sizeof(uint64_t) != 0 || frame - from->stack > STACK_BYTES) break;
    const uint64_t last_page = (frame + 2 * sizeof(uint64_t) - 1) & ~(PAGE - 1);
    if ((frame & ~(PAGE - 1)) != page && !readable(frame)) break;
    if (last_page != page && last_page != (frame & ~(PAGE - 1)) && !readable(last_page)) break;
    page = last_page;
    const uint64_t *pair = (const uint64_t *)(uintptr_t)frame; /* the caller's frame, the return address */
    if (pair[1] < PAGE) break;
    addresses[count++] = pair[1];
    least = frame + 2 * sizeof(uint64_t);
    frame = pair[0];
  }
  return count;
}

extern const char __executable_start[], etext[]; /* the linker's: the program's text */

/* What is on the stack above its pointer, when a library's code is at work. Not instrumented, as above. */
__attribute__((no_sanitize("address", "thread", "undefined"))) static int32_t
copy_words(const registers *from, uint64_t words[FMLP_STACK_WORDS]) {
  if (from->instruction >= (uint64_t)(uintptr_t)__executable_start &&
      from->instruction < (uint64_t)(uintptr_t)etext)
    return 0;
  if (from->stack % sizeof(uint64_t) != 0 || !readable(from->stack)) return 0;
  uint64_t count = FMLP_STACK_WORDS;
  const uint64_t next_page = (from->stack | (PAGE - 1)) + 1;
  if (next_page - from->stack < count * sizeof(uint64_t) && !readable(next_page))
    count = (next_page - from->stack) / sizeof(uint64_t);
  const volatile uint64_t *stack = (const uint64_t *)(uintptr_t)from->stack; /* no memcpy: a sanitizer's */
  for (uint64_t i = 0; i < count; i++) words[i] = stack[i];
  return (int32_t)count;
}

static void take(const ucontext_t *context, int32_t overrun) {
  uint64_t values[FMLP_STACK_FRAMES + FMLP_STACK_WORDS];
  if (overrun > 0) (void)__atomic_fetch_add(&lost, overrun, __ATOMIC_RELAXED);
  const registers from = registers_of(context);
  if (own_id == 0) own_id = (int32_t)syscall(SYS_gettid);
  const int32_t frames = walk(&from, values), words = copy_words(&from, values + frames);
  const fmlp_stack_record record = {.thread = own_id,
                                    .frames = (int16_t)frames,
                                    .words = (int16_t)words,
                                    .time = fmlp_clock_nanoseconds(),
                                    .place = fmlp_span_place()};
  const uint64_t value_count = (uint64_t)frames + (uint64_t)words, whole = RECORD_WORDS + value_count;
  const uint64_t at = __atomic_fetch_add(&used, whole, __ATOMIC_RELAXED);
  if (at + whole > BUFFER_WORDS) {
    (void)__atomic_fetch_add(&lost, 1, __ATOMIC_RELAXED);
    if (at < BUFFER_WORDS) ((fmlp_stack_record *)(void *)&buffer[at])->frames = -1; /* the end */
    return;
  }
  *(fmlp_stack_record *)(void *)&buffer[at] = record;
  for (uint64_t i = 0; i < value_count; i++) buffer[at + RECORD_WORDS + i] = values[i];
}

void fmlp_stack_sample(const void *context, int32_t overrun) {
  const int saved = errno;
  (void)__atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&watching, __ATOMIC_SEQ_CST) && fmlp_recorder_generation() != 0) take(context, overrun);
  (void)__atomic_fetch_sub(&inside, 1, __ATOMIC_SEQ_CST);
  errno = saved;
}

bool fmlp_stack_open(void) {
  if (!buffer) { /* with room for a record that begins at the last word */
    void *made = mmap(NULL, (BUFFER_WORDS + RECORD_WORDS) * sizeof *buffer, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (made == MAP_FAILED) return false;
    buffer = made;
  }
  used = 0;
  lost = 0;
  __atomic_store_n(&watching, true, __ATOMIC_SEQ_CST);
  return true;
}

bool fmlp_stack_close(void) {
  __atomic_store_n(&watching, false, __ATOMIC_SEQ_CST);
  const int64_t start = fmlp_clock_nanoseconds();
  while (__atomic_load_n(&inside, __ATOMIC_SEQ_CST) > 0) {
    if (fmlp_clock_nanoseconds() - start > 1000000000) return false;
    (void)sched_yield();
  }
  return true;
}

const fmlp_stack_record *fmlp_stack_next(uint64_t *at, const uint64_t **addresses) {
  const uint64_t end = used < BUFFER_WORDS ? used : BUFFER_WORDS;
  if (*at >= end) return NULL;
  const fmlp_stack_record *record = (const fmlp_stack_record *)(const void *)&buffer[*at];
  if (record->frames < 0) return NULL;
  *addresses = &buffer[*at + RECORD_WORDS];
  *at += RECORD_WORDS + (uint64_t)record->frames + (uint64_t)record->words;
  return record;
}

void fmlp_stack_forget(void) {
  used = 0;
  if (buffer) (void)madvise(buffer, BUFFER_WORDS * sizeof *buffer, MADV_DONTNEED);
}

int64_t fmlp_stack_lost(void) {
  return lost;
}
