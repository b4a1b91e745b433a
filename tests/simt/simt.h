/* Kernels on the host: what a kernel file (cuda/kernel.h) needs so that a C++ compiler can run it, one
 * fiber a thread. Threads of a block run one at a time, each to its next barrier; blocks run one after the
 * other. Seed 0 runs both in their natural order; any other draws at every barrier whether the threads run
 * forward, backward or in random order, and the order of the blocks once a launch. A block that waits for
 * another block would wait for ever.
 *
 * What is wrong ends the launch with one line that names kernel, block, thread and source lines:
 *   - threads of a block at different __syncthreads, or at one while others wait at a warp operation for
 * ever. Threads that have returned do not count, as on the device since sm_70;
 *   - lanes of a warp at different warp operations, or with different masks that name each other; a mask
 *     without the caller; a lane named that never comes. A lane's value asked of a lane that takes no part is
 *     garbage, as on the device;
 *   - shared memory out of bounds, read before it was written, or raced for (shared.h).
 *
 * Measured on one core of an AMD EPYC, -O2: a thread of a kernel without barriers 5 ns, a thread at a barrier
 * 10-14 ns, a lane in a shuffle 15-19 ns, an access to a double in shared memory 3-5 ns (1-2 unchecked). */
#ifndef FMLP_TESTS_SIMT_SIMT_H
#define FMLP_TESTS_SIMT_SIMT_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "tests/simt/shared.h"

#define FMLP_SIMT 1

#define FMLP_KERNEL(name, type)             static void name(const type &args)
#define FMLP_KERNEL_OF(name, type, threads) static void name(const type &args)
#define FMLP_DEVICE                         static inline
#define FMLP_UNROLL
#define FMLP_NO_UNROLL

struct fmlp_simt_index {
  unsigned x, y, z;
};
extern fmlp_simt_index threadIdx __attribute__((visibility("hidden")));
extern fmlp_simt_index blockIdx __attribute__((visibility("hidden")));
extern fmlp_simt_index blockDim __attribute__((visibility("hidden")));
extern fmlp_simt_index gridDim __attribute__((visibility("hidden")));
enum { warpSize = 32 };

/* ---- barriers, shuffles, votes ---- */

enum fmlp_simt_operation {
  FMLP_SIMT_SYNCTHREADS,
  FMLP_SIMT_SYNCTHREADS_OR,
  FMLP_SIMT_SYNCTHREADS_AND,
  FMLP_SIMT_SYNCTHREADS_COUNT,
  FMLP_SIMT_SYNCWARP,
  FMLP_SIMT_SHUFFLE,
  FMLP_SIMT_BALLOT
};
#define FMLP_SIMT_HERE int line = __builtin_LINE(), const char *file = __builtin_FILE()

/* The block's barrier with a vote. */
int fmlp_simt_block_barrier(fmlp_simt_operation operation, int predicate, int line, const char *file);

/* A warp operation: deposits 8 bytes, waits for the lanes of `mask`, and gets what lane `source` deposited;
 * for ballots a word with the lanes that deposited anything but 0. */
uint64_t fmlp_simt_exchange(fmlp_simt_operation operation, unsigned mask, uint64_t value, int source,
                            int line, const char *file);
[[noreturn]] void fmlp_simt_bad_width(int width, int line);

inline void __syncthreads(FMLP_SIMT_HERE) {
  (void)fmlp_simt_block_barrier(FMLP_SIMT_SYNCTHREADS, 0, line, file);
}
inline int __syncthreads_or(int predicate, FMLP_SIMT_HERE) {
  return fmlp_simt_block_barrier(FMLP_SIMT_SYNCTHREADS_OR, predicate, line, file);
}
inline int __syncthreads_and(int predicate, FMLP_SIMT_HERE) {
  return fmlp_simt_block_barrier(FMLP_SIMT_SYNCTHREADS_AND, predicate, line, file);
}
inline int __syncthreads_count(int predicate, FMLP_SIMT_HERE) {
  return fmlp_simt_block_barrier(FMLP_SIMT_SYNCTHREADS_COUNT, predicate, line, file);
}
inline void __syncwarp(unsigned mask = 0xffffffffu, FMLP_SIMT_HERE) {
  (void)fmlp_simt_exchange(FMLP_SIMT_SYNCWARP, mask, 0, 0, line, file);
}

template <typename T>
inline T fmlp_simt_shuffle(unsigned mask, T value, int source, int line, const char *file) {
  static_assert(sizeof(T) <= sizeof(uint64_t) && std::is_arithmetic<T>::value, "shuffles carry numbers");
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  bits = fmlp_simt_exchange(FMLP_SIMT_SHUFFLE, mask, bits, source, line, file);
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* First lane of the caller's segment. */
inline int fmlp_simt_segment(int width, int line) {
  if (width < 1 || width > 32 || (width & (width - 1)) != 0) fmlp_simt_bad_width(width, line);
  return (int)(threadIdx.x % 32) & ~(width - 1);
}
template <typename T>
inline T __shfl_sync(unsigned mask, T value, int source, int width = 32, FMLP_SIMT_HERE) {
  const int base = fmlp_simt_segment(width, line);
  return fmlp_simt_shuffle(mask, value, base + (source & (width - 1)), line, file);
}
template <typename T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, FMLP_SIMT_HERE) {
  const int base = fmlp_simt_segment(width, line), lane = (int)(threadIdx.x % 32);
  return fmlp_simt_shuffle(mask, value, lane - (int)delta < base ? lane : lane - (int)delta, line, file);
}
template <typename T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, FMLP_SIMT_HERE) {
  const int base = fmlp_simt_segment(width, line), lane = (int)(threadIdx.x % 32);
  return fmlp_simt_shuffle(mask, value, lane + (int)delta >= base + width ? lane : lane + (int)delta, line,
                           file);
}
template <typename T>
inline T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32, FMLP_SIMT_HERE) {
  const int base = fmlp_simt_segment(width, line), lane = (int)(threadIdx.x % 32);
  const int other = lane ^ lanes;
  return fmlp_simt_shuffle(mask, value, other >= base + width || other > 31 ? lane : other, line, file);
}
inline unsigned __ballot_sync(unsigned mask, int predicate, FMLP_SIMT_HERE) {
  return (unsigned)fmlp_simt_exchange(FMLP_SIMT_BALLOT, mask, predicate != 0, 0, line, file);
}
inline int __any_sync(unsigned mask, int predicate, FMLP_SIMT_HERE) {
  return __ballot_sync(mask, predicate, line, file) != 0;
}
inline int __all_sync(unsigned mask, int predicate, FMLP_SIMT_HERE) {
  return __ballot_sync(mask, !predicate, line, file) == 0;
}

/* ---- integer intrinsics, vector types ---- */

inline int __popc(unsigned x) {
  return __builtin_popcount(x);
}
inline int __popcll(unsigned long long x) {
  return __builtin_popcountll(x);
}
inline int __clz(int x) {
  return x ? __builtin_clz((unsigned)x) : 32;
}
inline int __clzll(long long x) {
  return x ? __builtin_clzll((unsigned long long)x) : 64;
}
inline int __ffs(int x) {
  return __builtin_ffs(x);
}
inline int __ffsll(long long x) {
  return __builtin_ffsll(x);
}
inline unsigned __umulhi(unsigned a, unsigned b) {
  return (unsigned)(((uint64_t)a * b) >> 32);
}
template <typename T> inline T __ldg(const T *address) {
  return *address;
}

#define FMLP_SIMT_PAIR(type, name)                                                                           \
  struct alignas(2 * sizeof(type)) name {                                                                    \
    type x, y;                                                                                               \
  };                                                                                                         \
  inline name make_##name(type x, type y) {                                                                  \
    return {x, y};                                                                                           \
  }
FMLP_SIMT_PAIR(int, int2)
FMLP_SIMT_PAIR(unsigned, uint2)
FMLP_SIMT_PAIR(long long, longlong2)
FMLP_SIMT_PAIR(unsigned long long, ulonglong2)
FMLP_SIMT_PAIR(double, double2)
#undef FMLP_SIMT_PAIR
#define FMLP_SIMT_FOUR(type, name)                                                                           \
  struct alignas(4 * sizeof(type)) name {                                                                    \
    type x, y, z, w;                                                                                         \
  };                                                                                                         \
  inline name make_##name(type x, type y, type z, type w) {                                                  \
    return {x, y, z, w};                                                                                     \
  }
FMLP_SIMT_FOUR(int, int4)
FMLP_SIMT_FOUR(unsigned, uint4)
FMLP_SIMT_FOUR(unsigned char, uchar4)
#undef FMLP_SIMT_FOUR

/* ---- launching: for the runtime and for tests of this layer ---- */

typedef void (*fmlp_simt_function)(const void *args);

/* A kernel and the size of its argument. */
typedef struct fmlp_simt_entry {
  fmlp_simt_function run;
  int64_t args_size;
} fmlp_simt_entry;

template <auto Kernel> struct fmlp_simt_call;
template <typename Args, void (*Kernel)(const Args &)> struct fmlp_simt_call<Kernel> {
  static void run(const void *args) {
    Kernel(*static_cast<const Args *>(args));
  }
  enum : int64_t { size = sizeof(Args) };
};
#define FMLP_SIMT_ENTRY(kernel)                                                                              \
  { fmlp_simt_call<&kernel>::run, fmlp_simt_call<&kernel>::size }

/* Runs a whole grid. Empty text when it went well, else one line about what was found. `checked`: unwritten
 * and racing accesses are looked for. */
const char *fmlp_simt_launch(const char *name, fmlp_simt_function kernel, const void *args, int64_t blocks,
                             int32_t threads, int64_t shared, uint64_t seed, bool checked = true);

#endif
