/* Kernels on the host: what a kernel file (cuda/kernel.h) needs so that a C++ compiler can run it, one
 * fiber a thread. Threads of a block run one at a time, from barrier to barrier, in an order drawn from a
 * seed; blocks run one after the other, their order drawn too.
 *
 * Found on the way, reported with the kernel's name, block and thread, and ending the launch: barriers that
 * not all threads reach, shared memory out of bounds, read before it was written, or touched by two threads
 * between barriers where one writes. */
#ifndef FMLP_TESTS_SIMT_SIMT_H
#define FMLP_TESTS_SIMT_SIMT_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define FMLP_SIMT 1

#define FMLP_KERNEL(name, type) static void name(const type args)
#define FMLP_DEVICE             static inline
#define FMLP_UNROLL

struct fmlp_simt_index {
  unsigned x, y, z;
};
extern fmlp_simt_index threadIdx, blockIdx, blockDim, gridDim;
enum { warpSize = 32 };

/* ---- barriers, shuffles, votes ---- */

void __syncthreads();
int __syncthreads_or(int predicate);
int __syncthreads_and(int predicate);
int __syncthreads_count(int predicate);
void __syncwarp(unsigned mask = 0xffffffffu);

/* Lane exchange: every lane of `mask` deposits 8 bytes and gets those of all lanes. */
const uint64_t *fmlp_simt_exchange(unsigned mask, uint64_t value);

template <typename T> inline uint64_t fmlp_simt_pack(T value) {
  static_assert(sizeof(T) <= sizeof(uint64_t), "at most 8 bytes");
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  return bits;
}
template <typename T> inline T fmlp_simt_unpack(uint64_t bits) {
  T value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

template <typename T> inline T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  const int lane = (int)(threadIdx.x % 32), base = lane / width * width;
  return fmlp_simt_unpack<T>(fmlp_simt_exchange(mask, fmlp_simt_pack(value))[base + (source & (width - 1))]);
}
template <typename T> inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  const int lane = (int)(threadIdx.x % 32), base = lane / width * width;
  const int from = lane - (int)delta < base ? lane : lane - (int)delta;
  return fmlp_simt_unpack<T>(fmlp_simt_exchange(mask, fmlp_simt_pack(value))[from]);
}
template <typename T> inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  const int lane = (int)(threadIdx.x % 32), base = lane / width * width;
  const int from = lane + (int)delta >= base + width ? lane : lane + (int)delta;
  return fmlp_simt_unpack<T>(fmlp_simt_exchange(mask, fmlp_simt_pack(value))[from]);
}
template <typename T> inline T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32) {
  const int lane = (int)(threadIdx.x % 32), base = lane / width * width;
  const int from = (lane ^ lanes) >= base + width ? lane : (lane ^ lanes);
  return fmlp_simt_unpack<T>(fmlp_simt_exchange(mask, fmlp_simt_pack(value))[from]);
}
unsigned __ballot_sync(unsigned mask, int predicate);
inline int __any_sync(unsigned mask, int predicate) {
  return __ballot_sync(mask, predicate) != 0;
}
inline int __all_sync(unsigned mask, int predicate) {
  return __ballot_sync(mask, !predicate) == 0;
}

/* ---- integer intrinsics ---- */

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

/* ---- atomics on global memory ---- */

template <typename T> inline T atomicAdd(T *address, T value) {
  T old = *address;
  *address = (T)(old + value);
  return old;
}
template <typename T> inline T atomicMin(T *address, T value) {
  T old = *address;
  *address = value < old ? value : old;
  return old;
}
template <typename T> inline T atomicMax(T *address, T value) {
  T old = *address;
  *address = value > old ? value : old;
  return old;
}
template <typename T> inline T atomicOr(T *address, T value) {
  T old = *address;
  *address = old | value;
  return old;
}
template <typename T> inline T atomicCAS(T *address, T compare, T value) {
  T old = *address;
  if (old == compare) *address = value;
  return old;
}

/* ---- shared memory ---- */

void fmlp_simt_shared_read(int64_t offset, int64_t size, void *value);
void fmlp_simt_shared_write(int64_t offset, int64_t size, const void *value);
[[noreturn]] void fmlp_simt_shared_outside(int64_t index, int64_t count);
int64_t fmlp_simt_shared_size();

template <typename T> struct fmlp_simt_element {
  int64_t offset;
  operator T() const {
    T value;
    fmlp_simt_shared_read(offset, sizeof(T), &value);
    return value;
  }
  T operator=(T value) const {
    fmlp_simt_shared_write(offset, sizeof(T), &value);
    return value;
  }
  T operator=(const fmlp_simt_element &other) const {
    return *this = (T)other;
  }
  fmlp_simt_element(const fmlp_simt_element &) = default;
  explicit fmlp_simt_element(int64_t at) : offset(at) {
  }
};

template <typename T> struct fmlp_shared {
  int64_t first, count;
  fmlp_simt_element<T> operator[](int64_t i) const {
    if (i < 0 || i >= count) fmlp_simt_shared_outside(i, count);
    return fmlp_simt_element<T>(first + i * (int64_t)sizeof(T));
  }
};

struct fmlp_shared_space {
  int64_t next;
  template <typename T> fmlp_shared<T> take(int64_t count) {
    fmlp_shared<T> taken = {next, count};
    next += (count * (int64_t)sizeof(T) + 15) / 16 * 16;
    if (next > fmlp_simt_shared_size()) fmlp_simt_shared_outside(next, fmlp_simt_shared_size());
    return taken;
  }
};

#define FMLP_SHARED_MEMORY(space) fmlp_shared_space space = {0}

/* ---- launching: for the runtime and for tests of this layer ---- */

typedef void (*fmlp_simt_entry)(const void *args);

template <auto Kernel> struct fmlp_simt_call;
template <typename Args, void (*Kernel)(Args)> struct fmlp_simt_call<Kernel> {
  static void run(const void *args) {
    Kernel(*static_cast<const Args *>(args));
  }
};

/* Runs a whole grid. Empty text when it went well, else one line about what was found. */
const char *fmlp_simt_launch(const char *name, fmlp_simt_entry kernel, const void *args, int64_t blocks,
                             int32_t threads, int64_t shared, uint64_t seed);

#endif
