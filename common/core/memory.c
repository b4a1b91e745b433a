/* Aligned allocation over malloc: the block starts on a line boundary inside a larger malloc block, whose
 * start is kept in the word before it. malloc rather than aligned_alloc, because realloc then grows a large
 * block by remapping its pages (mremap) instead of copying them, which keeps one copy of the tick columns in
 * memory. The word before that holds the block's size, for the limit. */
#define _DEFAULT_SOURCE /* madvise */

#include "common/core/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
  HEADER = 2 * sizeof(uint64_t), /* size, start */
  PADDING = FMLP_ALIGNMENT + HEADER,
  PAGE = 4096,
  HUGE_FROM = 1 << 22 /* bytes from which pages of 2 MiB are asked for */
};

typedef struct header {
  uint64_t bytes;  /* asked from malloc */
  uint64_t offset; /* of the block in what malloc gave */
} header;

_Static_assert(sizeof(header) == HEADER, "the header fills the words before a block");

static _Atomic int64_t fail_countdown;
static _Atomic int64_t allocated, limit; /* bytes; limit 0: none */

void fmlp_memory_limit_set(int64_t bytes) {
  atomic_store(&limit, bytes);
}

int64_t fmlp_memory_allocated(void) {
  return atomic_load(&allocated);
}

/* Counts `bytes` more, or refuses. Two threads may both be refused where one would have fitted, never the
 * reverse. */
static int claim(int64_t bytes) {
  int64_t now = atomic_fetch_add_explicit(&allocated, bytes, memory_order_relaxed) + bytes;
  int64_t most = atomic_load_explicit(&limit, memory_order_relaxed);
  if (most == 0 || now <= most || bytes <= 0) return 1;
  atomic_fetch_sub_explicit(&allocated, bytes, memory_order_relaxed);
  return 0;
}

static header header_of(const char *block) {
  header found;
  memcpy(&found, block - HEADER, sizeof found);
  return found;
}

static void put_header(char *block, char *raw, size_t bytes) {
  header made = {.bytes = bytes, .offset = (uint64_t)(block - raw)};
  memcpy(block - HEADER, &made, sizeof made);
}

void fmlp_memory_fail_at(int64_t nth) {
  atomic_store(&fail_countdown, nth);
}

static int should_fail(void) {
  if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) == 0) return 0;
  return atomic_fetch_sub(&fail_countdown, 1) == 1;
}

/* Bytes to ask malloc for; 0 when count * size + PADDING does not fit. */
static size_t raw_size(int64_t count, size_t size) {
  size_t bytes = 0;
  if (count < 0 || __builtin_mul_overflow((size_t)count, size, &bytes)) return 0;
  if (bytes == 0) bytes = FMLP_ALIGNMENT;
  if (__builtin_add_overflow(bytes, (size_t)PADDING, &bytes) || bytes > PTRDIFF_MAX) return 0;
  return bytes;
}

static char *align_up(char *raw) {
  return (char *)(((uintptr_t)raw + PADDING - 1) & ~(uintptr_t)(FMLP_ALIGNMENT - 1));
}

/* Asks for huge pages under a large block: a first touch then costs one fault for 2 MiB instead of 512
 * (measured: 40 % of the time of tick bars was page faults and misses of the address cache). Only a wish, so
 * failure is fine. */
static void advise_huge(char *raw, size_t bytes) {
#ifdef MADV_HUGEPAGE
  if (bytes < HUGE_FROM) return;
  size_t before =
      (uintptr_t)raw % PAGE; /* whole pages, so that neighbouring blocks leave no gap between them */
  (void)madvise(raw - before, bytes + before, MADV_HUGEPAGE);
#else
  (void)raw;
  (void)bytes;
#endif
}

static fmlp_status too_large(int64_t count, size_t size, const char *what, fmlp_error *error) {
  int64_t most = atomic_load(&limit);
  if (most > 0)
    return fmlp_fail(
        error, FMLP_ERR_OTHER,
        "out of memory: %s needs %lld x %zu bytes beside the %lld in use, and runtime.memory_limit_gb "
        "allows %lld; raise it or use fewer rows",
        what, (long long)count, size, (long long)fmlp_memory_allocated(), (long long)most);
  return fmlp_fail(error, FMLP_ERR_OTHER,
                   "out of memory: %s needs %lld x %zu bytes; free memory or use fewer rows", what,
                   (long long)count, size);
}

fmlp_status fmlp_alloc(void *out, int64_t count, size_t size, const char *what, fmlp_error *error) {
  void *none = NULL;
  memcpy(out, &none, sizeof none);
  size_t bytes = raw_size(count, size);
  if (bytes == 0 || !claim((int64_t)bytes)) return too_large(count, size, what, error);
  char *raw = should_fail() ? NULL : malloc(bytes);
  if (!raw) {
    (void)claim(-(int64_t)bytes);
    return too_large(count, size, what, error);
  }
  advise_huge(raw, bytes);
  char *block = align_up(raw);
  put_header(block, raw, bytes);
  memcpy(out, &block, sizeof block);
  return FMLP_OK;
}

fmlp_status fmlp_alloc_zero(void *out, int64_t count, size_t size, const char *what, fmlp_error *error) {
  FMLP_TRY(fmlp_alloc(out, count, size, what, error));
  void *block = NULL;
  memcpy(&block, out, sizeof block);
  memset(block, 0, (size_t)count * size);
  return FMLP_OK;
}

fmlp_status fmlp_resize(void *block_pointer, int64_t old_count, int64_t count, size_t size, const char *what,
                        fmlp_error *error) {
  char *block = NULL;
  memcpy(&block, block_pointer, sizeof block);
  if (!block) return fmlp_alloc(block_pointer, count, size, what, error);
  size_t bytes = raw_size(count, size);
  header old = header_of(block);
  int64_t growth = (int64_t)bytes - (int64_t)old.bytes;
  if (bytes == 0 || !claim(growth)) return too_large(count, size, what, error);
  char *moved = should_fail() ? NULL : realloc(block - old.offset, bytes);
  if (!moved) {
    (void)claim(-growth);
    return too_large(count, size, what, error);
  }
  advise_huge(moved, bytes);
  char *aligned = align_up(moved);
  if ((size_t)(aligned - moved) != old.offset) {
    size_t kept = (size_t)(old_count < count ? old_count : count) * size;
    memmove(aligned, moved + old.offset, kept);
  }
  put_header(aligned, moved, bytes);
  memcpy(block_pointer, &aligned, sizeof aligned);
  return FMLP_OK;
}

void fmlp_free(void *block) {
  if (!block) return;
  header found = header_of(block);
  (void)claim(-(int64_t)found.bytes);
  free((char *)block - found.offset);
}
