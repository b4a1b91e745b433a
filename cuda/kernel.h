/* The language kernels are written in: CUDA C++ without launch syntax, library calls or CUDA headers, so that
 * nvcc makes device code of it and a host compiler, against tests/simt/simt.h, code that runs fiber by fiber.
 *
 *   FMLP_KERNEL(name, arguments_type)   static kernel of one parameter `args`, a plain struct
 *   FMLP_KERNEL_OF(name, type, threads) the same for blocks of at most `threads`, which leaves more registers
 *   FMLP_DEVICE                         a helper of kernels
 *   FMLP_SHARED_MEMORY(space)           declares `space`, the block's dynamic shared memory, once in a kernel
 *   space.take<T>(n)                    cuts the next n elements off it, as a fmlp_shared<T>
 *   FMLP_UNROLL, FMLP_NO_UNROLL         unrolls the next loop, or keeps it a loop
 *
 * A fmlp_shared<T> is read and written by x[i] alone (x[i] += v too): no pointers to its elements and no
 * `auto v = x[i]`, for the host checks every access (bounds, unwritten, racing). Its atomics are
 * fmlp_atomic_add(x, i, v) and so on. Indices are one-dimensional: threadIdx.x, blockIdx.x, blockDim.x,
 * gridDim.x. There are __syncthreads(_or, _and, _count), __syncwarp, the *_sync shuffles and votes,
 * atomicAdd/Min/Max/And/Or/Exch/CAS on integers in global memory (int, unsigned, unsigned long long: uint64_t
 * is none of them), __popc(ll), __clz(ll), __ffs(ll), __umulhi, __ldg, sqrt, fabs, floor, and double2, int2,
 * uint2, longlong2, ulonglong2, int4, uint4, uchar4 with their make_ functions. */
#ifndef FMLP_CUDA_KERNEL_H
#define FMLP_CUDA_KERNEL_H

#ifdef __CUDACC__

/* Bounds keep every kernel within the registers that a block of so many threads has. */
#define FMLP_KERNEL(name, type) FMLP_KERNEL_OF(name, type, 1024)
#define FMLP_KERNEL_OF(name, type, threads)                                                                  \
  static __global__ __launch_bounds__(threads) void name(const __grid_constant__ type args)
#define FMLP_DEVICE    static __device__ __forceinline__
#define FMLP_UNROLL    _Pragma("unroll")
#define FMLP_NO_UNROLL _Pragma("unroll 1")

template <typename T> struct fmlp_shared {
  T *memory;
  __device__ __forceinline__ T &operator[](int64_t i) const {
    return memory[i];
  }
};

struct fmlp_shared_space {
  unsigned char *next;
  template <typename T> __device__ __forceinline__ fmlp_shared<T> take(int64_t count) {
    fmlp_shared<T> taken = {reinterpret_cast<T *>(next)};
    next += (count * (int64_t)sizeof(T) + 15) / 16 * 16;
    return taken;
  }
};

template <typename T> struct fmlp_same { typedef T type; /* keeps a parameter out of the deduction of T */ };
#define FMLP_SHARED_ATOMIC(name, function)                                                                   \
  template <typename T>                                                                                      \
  __device__ __forceinline__ T name(fmlp_shared<T> x, int64_t i, typename fmlp_same<T>::type value) {        \
    return function(x.memory + i, value);                                                                    \
  }
FMLP_SHARED_ATOMIC(fmlp_atomic_add, atomicAdd)
FMLP_SHARED_ATOMIC(fmlp_atomic_min, atomicMin)
FMLP_SHARED_ATOMIC(fmlp_atomic_max, atomicMax)
FMLP_SHARED_ATOMIC(fmlp_atomic_and, atomicAnd)
FMLP_SHARED_ATOMIC(fmlp_atomic_or, atomicOr)
FMLP_SHARED_ATOMIC(fmlp_atomic_exchange, atomicExch)
#undef FMLP_SHARED_ATOMIC
template <typename T>
__device__ __forceinline__ T fmlp_atomic_compare_exchange(fmlp_shared<T> x, int64_t i,
                                                          typename fmlp_same<T>::type compare,
                                                          typename fmlp_same<T>::type value) {
  return atomicCAS(x.memory + i, compare, value);
}

extern __shared__ __align__(16) unsigned char fmlp_shared_bytes[];
#define FMLP_SHARED_MEMORY(space) fmlp_shared_space space = {fmlp_shared_bytes}

/* A file's kernels for the table of cuda/backend.cu. */
typedef struct fmlp_cuda_entry {
  int kernel; /* fmlp_gpu_kernel; FMLP_GPU_KERNEL_COUNT ends the list */
  const void *function;
} fmlp_cuda_entry;
#define FMLP_CUDA_ENTRY(name) {FMLP_GPU_##name, (const void *)name},
#define FMLP_CUDA_ENTRIES(file, list)                                                                        \
  extern "C" const fmlp_cuda_entry fmlp_cuda_##file[] = {                                                    \
      list(FMLP_CUDA_ENTRY){FMLP_GPU_KERNEL_COUNT, nullptr}}

#elif !defined(FMLP_SIMT)
#error "kernels are compiled by nvcc, or by a C++ compiler after tests/simt/simt.h"
#endif

#endif
