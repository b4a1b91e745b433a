/* Shared memory of the block that runs, with a memory of who touched what: fmlp_shared<T> of cuda/kernel.h on
 * the host.
 *
 * Each granule of 4 bytes (each byte, for elements of other sizes) has a cell that keeps who wrote it last
 * and who has read it since, and when. "When" is a tick, one counter for all: it advances at every block
 * barrier and every warp operation. Two accesses of different threads are ordered by a block barrier between
 * them, or, within a warp, by warp operations whose masks name the lanes (followed from lane to lane, as
 * vector clocks are); two that are not, one of them writing, are a race, found in whatever order the threads
 * ran. Exact for block barriers and for operations of whole warps; after operations of parts of a warp a
 * reader may be forgotten, never invented. An address is to be used with one element size: through a second
 * view of another class of size (4-byte multiples and the rest) only unwritten reads are found. */
#ifndef FMLP_TESTS_SIMT_SHARED_H
#define FMLP_TESTS_SIMT_SHARED_H

#include <stdint.h>
#include <string.h>
#include <type_traits>

/* Lines are kept to 16 bits. */
struct fmlp_simt_cell {
  uint32_t written; /* tick of the last write; before the block began: unwritten */
  uint16_t writer, write_line;
  uint32_t read;   /* tick of the reads noted */
  uint32_t others; /* one bit a lane of the warp that read; with SEVERAL_WARPS one reader of another warp */
  uint16_t reader, read_line;
};

/* Beside the thread's number in `writer` and `reader`. */
enum : uint16_t {
  FMLP_SIMT_THREAD = 0x03ff,
  FMLP_SIMT_SEVERAL_WARPS = 0x8000,
  FMLP_SIMT_SEVERAL_LANES = 0x4000, /* atomics of lanes nothing orders */
  FMLP_SIMT_ATOMIC = 0x2000
};

/* What an access needs to know of the block and of the thread that runs. */
struct fmlp_simt_memory {
  unsigned char *bytes;
  int64_t size;
  fmlp_simt_cell *words; /* one per 4 bytes */
  fmlp_simt_cell *parts; /* one per byte, for elements whose size is no multiple of 4 */
  uint32_t began;        /* ticks: of the block, */
  uint32_t barrier;      /* of its last barrier, */
  uint32_t clock;        /* of the thread's last barrier or warp operation, */
  uint32_t floor;        /* of the last operation of its whole warp */
  uint32_t lane_bit;
  uint16_t thread;
  bool checked;
};
extern fmlp_simt_memory fmlp_simt_shared __attribute__((visibility("hidden")));

void fmlp_simt_check_read(fmlp_simt_cell *cell, int64_t offset, int64_t size, int line);
void fmlp_simt_check_write(fmlp_simt_cell *cell, int64_t offset, int64_t size, int line);
void fmlp_simt_check_atomic(fmlp_simt_cell *cell, int64_t offset, int64_t size, int line);
[[noreturn]] void fmlp_simt_shared_outside(int64_t index, int64_t count, int line);

/* The common cases; the functions above know the others. */
inline void fmlp_simt_note_read(fmlp_simt_cell *cell, int64_t offset, int64_t size, int line) {
  const fmlp_simt_memory &now = fmlp_simt_shared;
  if (cell->written >= now.began && (cell->written < now.barrier || cell->writer == now.thread)) {
    const bool same_warp = (cell->reader ^ now.thread) < 32;
    if (cell->read < now.barrier || (same_warp && cell->read < now.floor)) {
      cell->read = now.clock;
      cell->others = now.lane_bit;
      cell->reader = now.thread;
      cell->read_line = (uint16_t)line;
      return;
    }
    if (same_warp) {
      cell->others |= now.lane_bit;
      return;
    }
    if (cell->reader & FMLP_SIMT_SEVERAL_WARPS) return;
  }
  fmlp_simt_check_read(cell, offset, size, line);
}

inline void fmlp_simt_note_write(fmlp_simt_cell *cell, int64_t offset, int64_t size, int line) {
  const fmlp_simt_memory &now = fmlp_simt_shared;
  if ((cell->written < now.barrier || cell->writer == now.thread) &&
      (cell->read < now.barrier || (cell->reader == now.thread && cell->others == now.lane_bit))) {
    cell->written = now.clock;
    cell->writer = now.thread;
    cell->write_line = (uint16_t)line;
    return;
  }
  fmlp_simt_check_write(cell, offset, size, line);
}

/* note(cell, ...) for every cell of an element. */
template <typename T, void (*Note)(fmlp_simt_cell *, int64_t, int64_t, int)>
inline void fmlp_simt_touch(int64_t offset, int line) {
  if (sizeof(T) % 4 == 0) {
    fmlp_simt_cell *cells = fmlp_simt_shared.words + offset / 4;
    for (unsigned k = 0; k < sizeof(T) / 4; k++) Note(cells + k, offset, sizeof(T), line);
  } else {
    fmlp_simt_cell *cells = fmlp_simt_shared.parts + offset;
    for (unsigned k = 0; k < sizeof(T); k++) Note(cells + k, offset, sizeof(T), line);
  }
}

template <typename T> inline T fmlp_simt_load(int64_t offset, int line) {
  T value;
  if (fmlp_simt_shared.checked) fmlp_simt_touch<T, fmlp_simt_note_read>(offset, line);
  memcpy(&value, fmlp_simt_shared.bytes + offset, sizeof value);
  return value;
}

template <typename T> inline void fmlp_simt_store(int64_t offset, const T &value, int line) {
  if (fmlp_simt_shared.checked) fmlp_simt_touch<T, fmlp_simt_note_write>(offset, line);
  memcpy(fmlp_simt_shared.bytes + offset, &value, sizeof value);
}

/* What x[i] is until it is read or assigned. It cannot be kept: `auto v = x[i]` would be a value on the
 * device and a reference here, so a named one has no conversion. */
template <typename T> struct fmlp_simt_element {
  int64_t offset;
  int line;
  fmlp_simt_element(int64_t at, int in) : offset(at), line(in) {
  }
  operator T() const && {
    return fmlp_simt_load<T>(offset, line);
  }
  T operator=(T value) && {
    fmlp_simt_store(offset, value, line);
    return value;
  }
  T operator=(fmlp_simt_element &&other) && {
    return static_cast<fmlp_simt_element &&>(*this) =
               static_cast<T>(static_cast<fmlp_simt_element &&>(other));
  }
#define FMLP_SIMT_COMPOUND(op)                                                                               \
  template <typename V> T operator op##=(V &&value) && {                                                     \
    const T result = static_cast<T>(fmlp_simt_load<T>(offset, line) op static_cast<V &&>(value));            \
    fmlp_simt_store(offset, result, line);                                                                   \
    return result;                                                                                           \
  }
  FMLP_SIMT_COMPOUND(+)
  FMLP_SIMT_COMPOUND(-)
  FMLP_SIMT_COMPOUND(*)
  FMLP_SIMT_COMPOUND(/)
  FMLP_SIMT_COMPOUND(%)
  FMLP_SIMT_COMPOUND(&)
  FMLP_SIMT_COMPOUND(|)
  FMLP_SIMT_COMPOUND(^)
  FMLP_SIMT_COMPOUND(<<)
  FMLP_SIMT_COMPOUND(>>)
#undef FMLP_SIMT_COMPOUND
  T operator++() && {
    return static_cast<fmlp_simt_element &&>(*this) += (T)1;
  }
  T operator--() && {
    return static_cast<fmlp_simt_element &&>(*this) -= (T)1;
  }
  T operator++(int) && {
    return static_cast<T>((static_cast<fmlp_simt_element &&>(*this) += (T)1) - (T)1);
  }
  T operator--(int) && {
    return static_cast<T>((static_cast<fmlp_simt_element &&>(*this) -= (T)1) + (T)1);
  }
};

/* An index and the line it stands in. */
struct fmlp_simt_place {
  int64_t index;
  int line;
  template <typename I>
  fmlp_simt_place(I &&i, int in = __builtin_LINE())
      : index(static_cast<int64_t>(static_cast<I &&>(i))), line(in) {
  }
};

template <typename T> struct fmlp_shared {
  static_assert(std::is_trivially_copyable<T>::value, "shared memory holds plain values");
  int64_t first, count;
  fmlp_simt_element<T> operator[](fmlp_simt_place at) const {
    return fmlp_simt_element<T>(offset(at), at.line);
  }
  int64_t offset(const fmlp_simt_place &at) const {
    if (at.index < 0 || at.index >= count) fmlp_simt_shared_outside(at.index, count, at.line);
    return first + at.index * (int64_t)sizeof(T);
  }
};

struct fmlp_shared_space {
  int64_t next;
  template <typename T> fmlp_shared<T> take(int64_t count, int line = __builtin_LINE()) {
    fmlp_shared<T> taken = {next, count};
    if (count < 0 || count > (fmlp_simt_shared.size - next) / (int64_t)sizeof(T)) {
      fmlp_simt_shared_outside(next + count * (int64_t)sizeof(T), fmlp_simt_shared.size, line);
    }
    next += (count * (int64_t)sizeof(T) + 15) / 16 * 16;
    return taken;
  }
};

#define FMLP_SHARED_MEMORY(space) fmlp_shared_space space = {0}

/* ---- atomics: cuda/kernel.h has the device's ---- */

/* CUDA has its integer atomics for these types; uint64_t is none of them. */
template <typename T> inline void fmlp_simt_has_atomics() {
  static_assert(std::is_same<T, int>::value || std::is_same<T, unsigned>::value ||
                    std::is_same<T, unsigned long long>::value || std::is_same<T, long long>::value,
                "atomics are of int, unsigned, unsigned long long; minimum and maximum also of long long");
}
template <typename T> struct fmlp_simt_same { typedef T type; };

#define FMLP_SIMT_ATOMIC_FUNCTION(global, shared, signed_too, result)                                        \
  template <typename T> inline T global(T *address, typename fmlp_simt_same<T>::type value) {                \
    fmlp_simt_has_atomics<T>();                                                                              \
    static_assert(signed_too || !std::is_same<T, long long>::value, "not of long long");                     \
    const T old = *address;                                                                                  \
    *address = (T)(result);                                                                                  \
    return old;                                                                                              \
  }                                                                                                          \
  template <typename T>                                                                                      \
  inline T shared(fmlp_shared<T> x, int64_t i, typename fmlp_simt_same<T>::type value,                       \
                  int line = __builtin_LINE()) {                                                             \
    fmlp_simt_has_atomics<T>();                                                                              \
    static_assert(signed_too || !std::is_same<T, long long>::value, "not of long long");                     \
    const int64_t offset = x.offset(fmlp_simt_place(i, line));                                               \
    T old;                                                                                                   \
    if (fmlp_simt_shared.checked) fmlp_simt_touch<T, fmlp_simt_check_atomic>(offset, line);                  \
    memcpy(&old, fmlp_simt_shared.bytes + offset, sizeof old);                                               \
    const T fresh = (T)(result);                                                                             \
    memcpy(fmlp_simt_shared.bytes + offset, &fresh, sizeof fresh);                                           \
    return old;                                                                                              \
  }
FMLP_SIMT_ATOMIC_FUNCTION(atomicAdd, fmlp_atomic_add, false,
                          (typename std::make_unsigned<T>::type)old +
                              (typename std::make_unsigned<T>::type)value)
FMLP_SIMT_ATOMIC_FUNCTION(atomicMin, fmlp_atomic_min, true, value < old ? value : old)
FMLP_SIMT_ATOMIC_FUNCTION(atomicMax, fmlp_atomic_max, true, value > old ? value : old)
FMLP_SIMT_ATOMIC_FUNCTION(atomicAnd, fmlp_atomic_and, false, old &value)
FMLP_SIMT_ATOMIC_FUNCTION(atomicOr, fmlp_atomic_or, false, old | value)
FMLP_SIMT_ATOMIC_FUNCTION(atomicExch, fmlp_atomic_exchange, false, value)
#undef FMLP_SIMT_ATOMIC_FUNCTION

template <typename T>
inline T atomicCAS(T *address, typename fmlp_simt_same<T>::type compare,
                   typename fmlp_simt_same<T>::type value) {
  fmlp_simt_has_atomics<T>();
  const T old = *address;
  if (old == compare) *address = value;
  return old;
}
template <typename T>
inline T fmlp_atomic_compare_exchange(fmlp_shared<T> x, int64_t i, typename fmlp_simt_same<T>::type compare,
                                      typename fmlp_simt_same<T>::type value, int line = __builtin_LINE()) {
  fmlp_simt_has_atomics<T>();
  const int64_t offset = x.offset(fmlp_simt_place(i, line));
  T old;
  if (fmlp_simt_shared.checked) fmlp_simt_touch<T, fmlp_simt_check_atomic>(offset, line);
  memcpy(&old, fmlp_simt_shared.bytes + offset, sizeof old);
  if (old == compare) memcpy(fmlp_simt_shared.bytes + offset, &value, sizeof old);
  return old;
}

#endif
