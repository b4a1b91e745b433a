/* The scheduler of simt.h: fibers, barriers, shared memory with a memory of who touched it. */
#include "tests/simt/simt.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

fmlp_simt_index threadIdx, blockIdx, blockDim, gridDim;

namespace {

enum { MOST_THREADS = 1024, STACK_BYTES = 64 << 10, WARP = 32 };

enum state { READY, AT_BLOCK_BARRIER, AT_WARP_BARRIER, DONE };

struct fiber {
  void *stack_pointer;
  unsigned char *stack;
  state now;
  unsigned mask; /* lanes it waits for */
  int vote;
};

struct warp {
  uint64_t deposited[WARP], given[WARP];
};

struct machine {
  const char *name;
  fmlp_simt_entry kernel;
  const void *args;
  void *scheduler_stack;
  int threads;
  fiber fibers[MOST_THREADS];
  warp warps[MOST_THREADS / WARP];
  int current;
  int votes_or, votes_and, votes_count;
  unsigned char *shared;
  unsigned char *written;
  int64_t shared_size, shared_capacity;
  uint64_t random;
  char report[512];
} m;

uint64_t draw() {
  m.random ^= m.random << 13;
  m.random ^= m.random >> 7;
  m.random ^= m.random << 17;
  return m.random;
}

extern "C" void fmlp_simt_switch(void **save, void *load);
__asm__(".text\n.globl fmlp_simt_switch\n.hidden fmlp_simt_switch\n.type fmlp_simt_switch,@function\n"
        "fmlp_simt_switch:\n"
        "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rsp,(%rdi)\nmov %rsi,%rsp\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n"
        ".size fmlp_simt_switch,.-fmlp_simt_switch\n");

void to_scheduler() {
  fmlp_simt_switch(&m.fibers[m.current].stack_pointer, m.scheduler_stack);
}

void fiber_main() {
  m.kernel(m.args);
  m.fibers[m.current].now = DONE;
  to_scheduler();
  abort();
}

[[noreturn]] __attribute__((format(printf, 1, 2))) void found(const char *format, ...) {
  char what[256];
  va_list list;
  va_start(list, format);
  vsnprintf(what, sizeof what, format, list);
  va_end(list);
  snprintf(m.report, sizeof m.report, "simt: kernel %s, block %u, thread %d: %s", m.name, blockIdx.x,
           m.current, what);
  to_scheduler();
  abort();
}

void start(int thread) {
  fiber &f = m.fibers[thread];
  if (!f.stack) {
    f.stack =
        (unsigned char *)mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  void **top = (void **)(void *)(f.stack + STACK_BYTES - 64);
  *--top = NULL;
  *--top = (void *)(uintptr_t)fiber_main;
  for (int i = 0; i < 6; i++) *--top = NULL;
  f.stack_pointer = top;
  f.now = READY;
}

void resume(int thread) {
  m.current = thread;
  threadIdx.x = (unsigned)thread;
  fmlp_simt_switch(&m.scheduler_stack, m.fibers[thread].stack_pointer);
}

/* Lets the lanes of a warp go on when all that they wait for have come. */
void release_warp(int thread) {
  const int first = thread / WARP * WARP;
  const unsigned mask = m.fibers[thread].mask;
  for (int lane = 0; lane < WARP; lane++) {
    if (!(mask >> lane & 1)) continue;
    int other = first + lane;
    if (other >= m.threads || m.fibers[other].now != AT_WARP_BARRIER || m.fibers[other].mask != mask) return;
  }
  warp &w = m.warps[thread / WARP];
  memcpy(w.given, w.deposited, sizeof w.given);
  for (int lane = 0; lane < WARP; lane++) {
    if (mask >> lane & 1) m.fibers[first + lane].now = READY;
  }
}

bool release_block() {
  int waiting = 0;
  m.votes_or = 0, m.votes_and = 1, m.votes_count = 0;
  for (int t = 0; t < m.threads; t++) {
    if (m.fibers[t].now == DONE) continue;
    if (m.fibers[t].now != AT_BLOCK_BARRIER) return false;
    waiting++;
    m.votes_or |= m.fibers[t].vote;
    m.votes_and &= m.fibers[t].vote;
    m.votes_count += m.fibers[t].vote;
  }
  for (int t = 0; t < m.threads; t++) {
    if (m.fibers[t].now != DONE) m.fibers[t].now = READY;
  }
  return waiting > 0;
}

void run_block() {
  int order[MOST_THREADS];
  for (int t = 0; t < m.threads; t++) {
    start(t);
    int other = (int)(draw() % (uint64_t)(t + 1));
    order[t] = order[other];
    order[other] = t;
  }
  for (;;) {
    bool ran = false, alive = false;
    for (int i = 0; i < m.threads; i++) {
      int t = order[i];
      if (m.fibers[t].now != READY) continue;
      resume(t);
      if (m.report[0]) return;
      ran = true;
    }
    for (int t = 0; t < m.threads; t++) alive |= m.fibers[t].now != DONE;
    if (!alive) return;
    if (!ran && !release_block()) {
      for (int t = 0; t < m.threads; t++) {
        if (m.fibers[t].now == DONE) continue;
        snprintf(m.report, sizeof m.report,
                 "simt: kernel %s, block %u, thread %d: waits at a %s barrier for ever", m.name, blockIdx.x,
                 t, m.fibers[t].now == AT_WARP_BARRIER ? "warp" : "block");
        return;
      }
    }
  }
}

int block_barrier(int vote) {
  m.fibers[m.current].now = AT_BLOCK_BARRIER;
  m.fibers[m.current].vote = vote;
  to_scheduler();
  return 0;
}

} // namespace

void __syncthreads() {
  block_barrier(0);
}

int __syncthreads_or(int predicate) {
  block_barrier(predicate != 0);
  return m.votes_or;
}

int __syncthreads_and(int predicate) {
  block_barrier(predicate != 0);
  return m.votes_and;
}

int __syncthreads_count(int predicate) {
  block_barrier(predicate != 0);
  return m.votes_count;
}

const uint64_t *fmlp_simt_exchange(unsigned mask, uint64_t value) {
  const int lane = m.current % WARP;
  warp &w = m.warps[m.current / WARP];
  if (!(mask >> lane & 1)) found("the mask 0x%08x leaves out the calling lane %d", mask, lane);
  w.deposited[lane] = value;
  m.fibers[m.current].now = AT_WARP_BARRIER;
  m.fibers[m.current].mask = mask;
  release_warp(m.current);
  to_scheduler();
  return w.given;
}

void __syncwarp(unsigned mask) {
  (void)fmlp_simt_exchange(mask, 0);
}

unsigned __ballot_sync(unsigned mask, int predicate) {
  const uint64_t *all = fmlp_simt_exchange(mask, predicate != 0);
  unsigned result = 0;
  for (int lane = 0; lane < WARP; lane++) {
    if (mask >> lane & 1) result |= (unsigned)all[lane] << lane;
  }
  return result;
}

void fmlp_simt_shared_read(int64_t offset, int64_t size, void *value) {
  for (int64_t i = 0; i < size; i++) {
    if (!m.written[offset + i])
      found("shared memory at byte %lld is read before it was written", (long long)offset);
  }
  memcpy(value, m.shared + offset, (size_t)size);
}

void fmlp_simt_shared_write(int64_t offset, int64_t size, const void *value) {
  memset(m.written + offset, 1, (size_t)size);
  memcpy(m.shared + offset, value, (size_t)size);
}

void fmlp_simt_shared_outside(int64_t index, int64_t count) {
  found("shared memory: element %lld of %lld", (long long)index, (long long)count);
}

int64_t fmlp_simt_shared_size() {
  return m.shared_size;
}

const char *fmlp_simt_launch(const char *name, fmlp_simt_entry kernel, const void *args, int64_t blocks,
                             int32_t threads, int64_t shared, uint64_t seed) {
  m.report[0] = '\0';
  m.name = name, m.kernel = kernel, m.args = args, m.threads = threads;
  m.random = seed * 0x9E3779B97F4A7C15ULL + 0x632BE59BD9B4E019ULL;
  if (m.random == 0) m.random = 1;
  if (shared > m.shared_capacity) {
    free(m.shared);
    free(m.written);
    m.shared = (unsigned char *)malloc((size_t)shared);
    m.written = (unsigned char *)malloc((size_t)shared);
    m.shared_capacity = shared;
  }
  m.shared_size = shared;
  blockDim = {(unsigned)threads, 1, 1};
  gridDim = {(unsigned)blocks, 1, 1};
  const bool forwards = draw() & 1;
  for (int64_t b = 0; b < blocks && !m.report[0]; b++) {
    blockIdx.x = (unsigned)(forwards ? b : blocks - 1 - b);
    if (shared > 0) {
      memset(m.shared, 0xa5, (size_t)shared);
      memset(m.written, 0, (size_t)shared);
    }
    run_block();
  }
  return m.report;
}
