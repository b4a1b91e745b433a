/* The scheduler of simt.h.
 *
 * A fiber runs threads one after the other for as long as none of them waits, so a kernel without barriers is
 * a loop on one stack. A thread that waits keeps the fiber it stands on, and the next one gets another. The
 * threads that can run stand in a ring; where a thread waits, the next of the ring is switched to directly.
 *
 * One launch at a time, whatever thread of the program it comes from. */
#include "tests/simt/machine.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/simt/fibers.h"

fmlp_simt_index threadIdx, blockIdx, blockDim, gridDim;

namespace {

enum { MOST_THREADS = 1024, WARP = 32, WARPS = MOST_THREADS / WARP };

enum state : uint8_t { NOT_STARTED, CAN_RUN, AT_BLOCK_BARRIER, AT_WARP_OPERATION, RETURNED };

struct thread {
  fmlp_simt_fiber *on;
  const char *file; /* where it waits */
  int line;
  state now;
  fmlp_simt_operation operation;
  unsigned mask;
  int source;
  uint64_t deposited, result;
  uint32_t clock; /* tick of its last warp operation */
};

struct warp {
  unsigned exists, waiting, returned; /* one bit a lane */
  uint32_t floor;                     /* tick of the last operation of the whole warp */
  uint32_t before[WARP][WARP];        /* [a][b]: what b did before this tick comes before what a does now */
};

struct machine {
  const char *name;
  fmlp_simt_function kernel;
  const void *args;
  int threads, alive, at_barrier;
  unsigned current;
  uint32_t tick;
  thread all[MOST_THREADS];
  warp warps[WARPS];
  uint16_t ring[MOST_THREADS]; /* each thread at most once */
  unsigned ring_first, ring_count;
  unsigned first_waiting; /* the first to come to the barrier now waited at */
  int votes_or, votes_and, votes_count;
  int given_or, given_and, given_count;
  fmlp_simt_fiber fibers[MOST_THREADS], launcher;
  fmlp_simt_fiber *free_fibers, *running;
  int fibers_made;
  bool natural;
  uint64_t random;
  char report[640];
} m;

pthread_mutex_t one_launch = PTHREAD_MUTEX_INITIALIZER;

/* By fmlp_simt_operation. */
const char *const operation_names[] = {
    "__syncthreads", "__syncthreads_or", "__syncthreads_and", "__syncthreads_count", "__syncwarp",
    "a shuffle",     "a vote",
};

uint64_t draw() {
  m.random ^= m.random << 13;
  m.random ^= m.random >> 7;
  m.random ^= m.random << 17;
  return m.random * 0x2545F4914F6CDD1DULL;
}

unsigned draw_below(unsigned n) {
  return (unsigned)((draw() >> 32) * n >> 32);
}

/* ---- reports ---- */

[[noreturn]] void give_up() {
  fmlp_simt_fiber_switch(m.running, &m.launcher);
  abort();
}

/* "thread 5 at __syncthreads (rolling.cuh:41)" */
void describe(unsigned t, char *text, size_t capacity) {
  const thread &it = m.all[t];
  if (it.now != AT_BLOCK_BARRIER && it.now != AT_WARP_OPERATION) {
    (void)snprintf(text, capacity, "thread %u, which has returned", t);
  } else if (it.now == AT_BLOCK_BARRIER) {
    (void)snprintf(text, capacity, "thread %u at %s (%s:%d)", t, operation_names[it.operation], it.file,
                   it.line);
  } else {
    (void)snprintf(text, capacity, "thread %u at %s with mask 0x%08x (%s:%d)", t,
                   operation_names[it.operation], it.mask, it.file, it.line);
  }
}

[[noreturn]] void found_two(unsigned first, const char *between, unsigned second) {
  char a[256], b[256];
  describe(first, a, sizeof a);
  describe(second, b, sizeof b);
  fmlp_simt_found("%s %s %s", a, between, b);
}

/* No thread can run and some have not returned. */
[[noreturn]] void deadlock() {
  for (unsigned t = 0; t < (unsigned)m.threads; t++) {
    const thread &it = m.all[t];
    if (it.now != AT_WARP_OPERATION) continue;
    for (unsigned lane = 0; lane < WARP; lane++) {
      const unsigned other = t / WARP * WARP + lane;
      if (!(it.mask >> lane & 1) || other >= (unsigned)m.threads) continue;
      const thread &that = m.all[other];
      if (that.now == RETURNED || (that.now == AT_WARP_OPERATION && that.mask == it.mask)) continue;
      found_two(t, "waits for ever for", other);
    }
  }
  fmlp_simt_found("threads wait for ever");
}

/* ---- the ring ---- */

void ring_push(unsigned t) {
  m.ring[(m.ring_first + m.ring_count++) % MOST_THREADS] = (uint16_t)t;
}

void ring_push_front(unsigned t) {
  m.ring_first = (m.ring_first + MOST_THREADS - 1) % MOST_THREADS;
  m.ring[m.ring_first] = (uint16_t)t;
  m.ring_count++;
}

/* All threads that have not returned, in the order they shall run in now. */
void ring_fill() {
  const unsigned n = (unsigned)m.threads, way = m.natural ? 0 : (unsigned)(draw() >> 62);
  m.ring_first = m.ring_count = 0;
  for (unsigned i = 0; i < n; i++) {
    const unsigned t = way == 1 ? n - 1 - i : i;
    if (m.all[t].now != RETURNED) m.ring[m.ring_count++] = (uint16_t)t;
  }
  for (unsigned i = m.ring_count; way > 1 && i > 1; i--) {
    const unsigned other = draw_below(i);
    const uint16_t swapped = m.ring[i - 1];
    m.ring[i - 1] = m.ring[other];
    m.ring[other] = swapped;
  }
}

void release_block() {
  m.given_or = m.votes_or, m.given_and = m.votes_and, m.given_count = m.votes_count;
  m.at_barrier = 0;
  fmlp_simt_shared.barrier = ++m.tick;
  ring_fill();
  for (unsigned i = 0; i < m.ring_count; i++) m.all[m.ring[i]].now = CAN_RUN;
}

/* The thread to run now; -1 when all have returned. */
int next_thread() {
  if (m.ring_count == 0) {
    if (m.alive == 0) return -1;
    if (m.at_barrier != m.alive) deadlock();
    release_block();
  }
  const int t = m.ring[m.ring_first];
  m.ring_first = (m.ring_first + 1) % MOST_THREADS;
  m.ring_count--;
  return t;
}

/* Makes `t` the thread that what follows is done by. */
void become(unsigned t) {
  const warp &w = m.warps[t / WARP];
  fmlp_simt_memory &now = fmlp_simt_shared;
  m.current = t;
  threadIdx.x = t;
  now.thread = (uint16_t)t;
  now.lane_bit = 1u << (t % WARP);
  now.floor = w.floor > now.barrier ? w.floor : now.barrier;
  now.clock = m.all[t].clock > now.barrier ? m.all[t].clock : now.barrier;
}

/* ---- fibers ---- */

void fiber_main();

fmlp_simt_fiber *free_fiber() {
  fmlp_simt_fiber *fiber = m.free_fibers;
  if (fiber) {
    m.free_fibers = fiber->next_free;
    return fiber;
  }
  fiber = &m.fibers[m.fibers_made];
  if (!fmlp_simt_fiber_make(fiber, m.fibers_made, fiber_main)) fmlp_simt_found("no memory for stacks");
  m.fibers_made++;
  return fiber;
}

void switch_to(fmlp_simt_fiber *to) {
  fmlp_simt_fiber *from = m.running;
  m.running = to;
  fmlp_simt_fiber_switch(from, to);
}

/* The running thread waits: lets the others run until it can go on. */
void wait() {
  const int t = next_thread();
  if ((unsigned)t != m.current) {
    thread &next = m.all[t];
    if (next.now == NOT_STARTED) next.on = free_fiber();
    become((unsigned)t);
    switch_to(next.on);
  } else {
    become((unsigned)t);
  }
}

void release_warp(unsigned t);

void thread_returned() {
  thread &it = m.all[m.current];
  warp &w = m.warps[m.current / WARP];
  it.now = RETURNED;
  m.alive--;
  w.returned |= 1u << (m.current % WARP);
  for (unsigned lane = 0; w.waiting != 0 && lane < WARP; lane++) {
    if (w.waiting >> lane & 1) release_warp(m.current / WARP * WARP + lane);
  }
}

void fiber_main() {
  fmlp_simt_fiber *self = m.running;
  fmlp_simt_fiber_begin(self);
  for (;;) {
    m.all[m.current].now = CAN_RUN;
    m.all[m.current].on = self;
    m.kernel(m.args);
    thread_returned();
    const int t = next_thread();
    if (t >= 0) become((unsigned)t);
    if (t >= 0 && m.all[t].now == NOT_STARTED) continue;
    self->next_free = m.free_fibers;
    m.free_fibers = self;
    switch_to(t >= 0 ? m.all[t].on : &m.launcher);
  }
}

/* After a report threads stand where they were: their fibers begin anew. */
void forget_threads() {
  m.free_fibers = NULL;
  for (int i = m.fibers_made - 1; i >= 0; i--) {
    if (!fmlp_simt_fiber_make(&m.fibers[i], i, fiber_main)) continue;
    m.fibers[i].next_free = m.free_fibers;
    m.free_fibers = &m.fibers[i];
  }
}

/* ---- warps ---- */

/* Everything the lanes of `mask` did comes before what they do from now on. */
void order_lanes(warp &w, unsigned first, unsigned mask) {
  const uint32_t tick = ++m.tick;
  if (mask == w.exists) {
    w.floor = tick;
  } else {
    uint32_t before[WARP] = {0};
    for (unsigned a = 0; a < WARP; a++) {
      if (!(mask >> a & 1)) continue;
      for (unsigned b = 0; b < WARP; b++) before[b] = before[b] > w.before[a][b] ? before[b] : w.before[a][b];
    }
    for (unsigned a = 0; a < WARP; a++) {
      if (mask >> a & 1) before[a] = tick;
    }
    for (unsigned a = 0; a < WARP; a++) {
      if (mask >> a & 1) memcpy(w.before[a], before, sizeof before);
    }
  }
  for (unsigned a = 0; a < WARP; a++) {
    if (mask >> a & 1) m.all[first + a].clock = tick;
  }
}

/* Lets the lanes that `t` waits for go on, if all have come: those that have returned do not count. */
void release_warp(unsigned t) {
  const unsigned first = t / WARP * WARP, mask = m.all[t].mask;
  warp &w = m.warps[t / WARP];
  const unsigned lanes = mask & w.exists & ~w.returned;
  if ((lanes & ~w.waiting) != 0) return;
  unsigned ballot = 0;
  for (unsigned lane = 0; lane < WARP; lane++) {
    if (!(lanes >> lane & 1)) continue;
    const thread &it = m.all[first + lane];
    if (it.mask != mask) return;
    if (it.deposited) ballot |= 1u << lane;
  }
  for (unsigned lane = 0; lane < WARP; lane++) {
    if (!(lanes >> lane & 1)) continue;
    thread &it = m.all[first + lane];
    if (it.operation == FMLP_SIMT_BALLOT) {
      it.result = ballot;
    } else {
      it.result = lanes >> it.source & 1 ? m.all[first + (unsigned)it.source].deposited : 0x7ff4deadd2d2d2d2;
    }
  }
  w.waiting &= ~lanes;
  order_lanes(w, first, lanes);
  const uint64_t way =
      m.natural ? 0 : draw() >> 62; /* first or last of all, from the lowest lane or the highest */
  for (unsigned i = 0; i < WARP; i++) {
    const unsigned lane = way & 1 ? WARP - 1 - i : i;
    if (!(lanes >> lane & 1)) continue;
    m.all[first + lane].now = CAN_RUN;
    if (way & 2)
      ring_push_front(first + lane);
    else
      ring_push(first + lane);
  }
}

/* ---- grids ---- */

void run_block(unsigned block) {
  blockIdx.x = block;
  if (m.tick > UINT32_MAX / 2) m.tick = 0;
  if (m.tick == 0) {
    memset(m.warps, 0, sizeof m.warps);
    fmlp_simt_shared.barrier = 0;
  }
  fmlp_simt_shared_begin(++m.tick);
  fmlp_simt_shared.barrier = m.tick;
  for (int t = 0; t < m.threads; t++) {
    m.all[t].now = NOT_STARTED;
    m.all[t].clock = 0;
  }
  for (int first = 0; first < m.threads; first += WARP) {
    warp &w = m.warps[first / WARP];
    const int lanes = m.threads - first < WARP ? m.threads - first : WARP;
    w.exists = 0xffffffffu >> (WARP - lanes);
    w.waiting = w.returned = 0;
  }
  m.alive = m.threads;
  m.at_barrier = 0;
  ring_fill();
  become((unsigned)next_thread());
  fmlp_simt_fiber *fiber = m.free_fibers;
  if (fiber)
    m.free_fibers = fiber->next_free;
  else if (fmlp_simt_fiber_make(&m.fibers[0], 0, fiber_main))
    fiber = &m.fibers[m.fibers_made++];
  if (!fiber) {
    (void)snprintf(m.report, sizeof m.report, "simt: no memory for stacks");
    return;
  }
  switch_to(fiber);
}

uint64_t greatest_common_divisor(uint64_t a, uint64_t b) {
  while (b != 0) {
    const uint64_t rest = a % b;
    a = b, b = rest;
  }
  return a;
}

} // namespace

void fmlp_simt_found(const char *format, ...) {
  char what[560];
  va_list list;
  va_start(list, format);
  (void)vsnprintf(what, sizeof what, format, list);
  va_end(list);
  (void)snprintf(m.report, sizeof m.report, "simt: kernel %s, block %u, thread %u: %s", m.name, blockIdx.x,
                 m.current, what);
  give_up();
}

bool fmlp_simt_lane_before(unsigned lane, uint32_t when) {
  return when < m.warps[m.current / WARP].before[m.current % WARP][lane];
}

int fmlp_simt_block_barrier(fmlp_simt_operation operation, int predicate, int line, const char *file) {
  thread &it = m.all[m.current];
  const int vote = predicate != 0;
  it.now = AT_BLOCK_BARRIER;
  it.operation = operation, it.line = line, it.file = file;
  if (m.at_barrier++ == 0) {
    m.first_waiting = m.current;
    m.votes_or = 0, m.votes_and = 1, m.votes_count = 0;
  } else {
    const thread &other = m.all[m.first_waiting];
    if (other.line != line || other.operation != operation || strcmp(other.file, file) != 0) {
      found_two(m.current, "in a block barrier with", m.first_waiting);
    }
  }
  m.votes_or |= vote;
  m.votes_and &= vote;
  m.votes_count += vote;
  wait();
  return operation == FMLP_SIMT_SYNCTHREADS_OR    ? m.given_or
         : operation == FMLP_SIMT_SYNCTHREADS_AND ? m.given_and
                                                  : m.given_count;
}

uint64_t fmlp_simt_exchange(fmlp_simt_operation operation, unsigned mask, uint64_t value, int source,
                            int line, const char *file) {
  const unsigned lane = m.current % WARP, first = m.current - lane;
  thread &it = m.all[m.current];
  warp &w = m.warps[m.current / WARP];
  if (!(mask >> lane & 1)) {
    fmlp_simt_found("%s with mask 0x%08x, which leaves out the calling lane %u (%s:%d)",
                    operation_names[operation], mask, lane, file, line);
  }
  it.now = AT_WARP_OPERATION;
  it.operation = operation, it.line = line, it.file = file;
  it.mask = mask, it.deposited = value, it.source = source;
  const unsigned others = mask & w.waiting;
  if (others != 0) {
    const unsigned other = first + (unsigned)__builtin_ctz(others);
    const thread &that = m.all[other];
    if ((that.mask >> lane & 1) && (that.mask != mask || that.operation != operation || that.line != line ||
                                    strcmp(that.file, file) != 0)) {
      found_two(m.current, "in a warp operation with", other);
    }
  }
  w.waiting |= 1u << lane;
  release_warp(m.current);
  wait();
  return it.result;
}

void fmlp_simt_bad_width(int width, int line) {
  fmlp_simt_found("a shuffle of width %d (line %d): a power of 2 up to 32", width, line);
}

const char *fmlp_simt_launch(const char *name, fmlp_simt_function kernel, const void *args, int64_t blocks,
                             int32_t threads, int64_t shared, uint64_t seed, bool checked) {
  (void)pthread_mutex_lock(&one_launch);
  m.report[0] = '\0';
  m.name = name, m.kernel = kernel, m.args = args, m.threads = threads;
  m.natural = seed == 0;
  m.random = seed * 0x9E3779B97F4A7C15ULL + 0x632BE59BD9B4E019ULL;
  if (m.random == 0) m.random = 1;
  blockDim = {(unsigned)threads, 1, 1};
  gridDim = {(unsigned)blocks, 1, 1};
  if (threads < 1 || threads > MOST_THREADS || blocks < 1 || !fmlp_simt_shared_prepare(shared, checked)) {
    (void)snprintf(m.report, sizeof m.report, "simt: kernel %s: %lld blocks of %d threads, %lld bytes shared",
                   name, (long long)blocks, threads, (long long)shared);
  }
  fmlp_simt_fiber_adopt(&m.launcher);
  m.running = &m.launcher;
  const unsigned way = m.natural ? 0 : (unsigned)(draw() >> 62);
  uint64_t stride = way > 1 ? 1 + draw_below((unsigned)blocks) : 1;
  while (greatest_common_divisor(stride, (uint64_t)blocks) != 1) stride++;
  uint64_t block = way > 1 ? draw_below((unsigned)blocks) : way == 1 ? (uint64_t)blocks - 1 : 0;
  if (way == 1) stride = (uint64_t)blocks - 1;
  for (int64_t b = 0; b < blocks && !m.report[0]; b++) {
    run_block((unsigned)block);
    block = (block + stride) % (uint64_t)blocks;
  }
  if (m.report[0]) forget_threads();
  (void)pthread_mutex_unlock(&one_launch);
  return m.report;
}
