/* Aligned allocation. The block starts on a line boundary inside a larger one; the words before it tell its
 * size, for the limit, and where the larger one starts.
 *
 * Small blocks come from malloc. Large ones are mappings of their own on boundaries of 2 MiB, for which huge
 * pages are asked: a first touch then costs one fault for 2 MiB instead of 512 (measured: a third of the time
 * of reading CSV was page faults while columns grew through realloc, which keeps neither boundary nor pages).
 * Growing one moves its pages (mremap), so that no column is held twice. */
#define _GNU_SOURCE /* mremap, madvise */

#include "common/core/memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "prof/sources/memory.h"

/* The address sanitizer knows the bounds of malloc's blocks alone. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
#define MAPPINGS true
#else
#define MAPPINGS false
#endif

enum {
  HEADER = 2 * sizeof(uint64_t), /* size, start */
  PADDING = FMLP_ALIGNMENT + HEADER,
  HUGE_PAGE = 1 << 21,
  MAP_FROM = 2 * HUGE_PAGE, /* bytes of a block from which it is a mapping */
  COLOURS = 56,             /* first lines of mappings within a page of 4 KiB */
  COLOUR_STEP = 9
};

typedef struct header {
  uint64_t bytes;  /* with padding, without what a mapping has for its boundaries */
  uint64_t offset; /* of the block in what malloc or map gave */
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

/* ---- mappings ---- */

#if MAPPINGS
static size_t mapped_size(size_t bytes) {
  return (bytes + COLOURS * FMLP_ALIGNMENT + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1);
}

/* `bytes`, a multiple of the huge page, at a multiple of it; NULL when there is no room. */
static char *map(size_t bytes) {
  char *all = mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED) return NULL;
  size_t before = -(uintptr_t)all % HUGE_PAGE;
  if (before > 0) (void)munmap(all, before);
  (void)munmap(all + before + bytes, HUGE_PAGE - before);
  (void)madvise(all + before, bytes, MADV_HUGEPAGE); /* only a wish, so failure is fine */
  return all + before;
}

static void unmap(char *from, size_t bytes) {
  (void)munmap(from, bytes);
}

/* In place, or else elsewhere, on the same boundaries. */
static char *remap(char *from, size_t old_bytes, size_t bytes) {
  if (bytes == old_bytes || mremap(from, old_bytes, bytes, 0) != MAP_FAILED) return from;
  char *to = map(bytes);
  if (!to) return NULL;
  if (mremap(from, old_bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) != MAP_FAILED) return to;
  unmap(to, bytes);
  return NULL;
}
#else
static size_t mapped_size(size_t bytes) {
  return bytes;
}

static char *map(size_t bytes) {
  (void)bytes;
  return NULL;
}

static void unmap(char *from, size_t bytes) {
  (void)from;
  (void)bytes;
}

static char *remap(char *from, size_t old_bytes, size_t bytes) {
  (void)old_bytes;
  (void)bytes;
  return from;
}
#endif

/* ---- blocks ---- */

static bool is_mapping(uint64_t bytes) {
  return MAPPINGS && bytes >= MAP_FROM;
}

static char *align_up(char *raw) {
  return (char *)(((uintptr_t)raw + PADDING - 1) & ~(uintptr_t)(FMLP_ALIGNMENT - 1));
}

/* Columns that are walked side by side begin on different lines of a page: all at the same one would share a
 * set of the first-level cache. */
static size_t next_colour(void) {
  static _Atomic unsigned count;
  return FMLP_ALIGNMENT *
         (size_t)(atomic_fetch_add_explicit(&count, COLOUR_STEP, memory_order_relaxed) % COLOURS);
}

/* Tells the profiler of `change` bytes held more or less, for a request of `asked`, 0 where something was given
 * back. Blocks from malloc it mostly sees by itself. */
static void note(bool mapping, size_t asked, int64_t change) {
  if (mapping) {
    fmlp_heap_mapped((int64_t)asked, change);
  } else if (fmlp_heap_watched() && !fmlp_heap_sees_malloc()) {
    if (asked > 0) {
      fmlp_heap_took((int64_t)asked, change);
    } else {
      fmlp_heap_gave(-change);
    }
  }
}

/* NULL when there is no memory. */
static char *new_block(size_t bytes) {
  char *raw = is_mapping(bytes) ? map(mapped_size(bytes)) : malloc(bytes);
  if (!raw) return NULL;
  char *block = align_up(raw) + (is_mapping(bytes) ? next_colour() : 0);
  put_header(block, raw, bytes);
  note(is_mapping(bytes), bytes, (int64_t)(is_mapping(bytes) ? mapped_size(bytes) : bytes));
  return block;
}

static void release(char *block, header found) {
  note(is_mapping(found.bytes), 0,
       -(int64_t)(is_mapping(found.bytes) ? mapped_size(found.bytes) : found.bytes));
  if (is_mapping(found.bytes)) {
    unmap(block - found.offset, mapped_size(found.bytes));
  } else {
    free(block - found.offset);
  }
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
  char *block = should_fail() ? NULL : new_block(bytes);
  if (!block) {
    (void)claim(-(int64_t)bytes);
    return too_large(count, size, what, error);
  }
  memcpy(out, &block, sizeof block);
  return FMLP_OK;
}

fmlp_status fmlp_alloc_zero(void *out, int64_t count, size_t size, const char *what, fmlp_error *error) {
  FMLP_TRY(fmlp_alloc(out, count, size, what, error));
  char *block = NULL;
  memcpy(&block, out, sizeof block);
  if (!is_mapping(header_of(block).bytes))
    memset(block, 0, (size_t)count * size); /* a fresh mapping is zero */
  return FMLP_OK;
}

/* The block with room for `bytes`, its first `kept` bytes as they were; NULL, and nothing changed, when there
 * is no memory. */
static char *move_block(char *block, header old, size_t bytes, size_t kept) {
  if (is_mapping(bytes) != is_mapping(old.bytes)) { /* a few MiB at most are held twice */
    char *other = new_block(bytes);
    if (!other) return NULL;
    memcpy(other, block, kept);
    release(block, old);
    return other;
  }
  char *raw = block - old.offset;
  raw = is_mapping(bytes) ? remap(raw, mapped_size(old.bytes), mapped_size(bytes)) : realloc(raw, bytes);
  if (!raw) return NULL;
  char *moved = is_mapping(bytes) ? raw + old.offset : align_up(raw);
  if ((size_t)(moved - raw) != old.offset) memmove(moved, raw + old.offset, kept);
  put_header(moved, raw, bytes);
  if (is_mapping(bytes)) {
    note(true, bytes > old.bytes ? bytes - old.bytes : 0,
         (int64_t)mapped_size(bytes) - (int64_t)mapped_size(old.bytes));
  } else {
    note(false, bytes, (int64_t)bytes - (int64_t)old.bytes);
  }
  return moved;
}

fmlp_status fmlp_resize(void *block_pointer, int64_t old_count, int64_t count, size_t size, const char *what,
                        fmlp_error *error) {
  char *block = NULL;
  memcpy(&block, block_pointer, sizeof block);
  if (!block) return fmlp_alloc(block_pointer, count, size, what, error);
  size_t bytes = raw_size(count, size), kept = (size_t)(old_count < count ? old_count : count) * size;
  header old = header_of(block);
  int64_t growth = (int64_t)bytes - (int64_t)old.bytes;
  if (bytes == 0 || !claim(growth)) return too_large(count, size, what, error);
  char *moved = should_fail() ? NULL : move_block(block, old, bytes, kept);
  if (!moved) {
    (void)claim(-growth);
    return too_large(count, size, what, error);
  }
  memcpy(block_pointer, &moved, sizeof moved);
  return FMLP_OK;
}

void fmlp_free(void *block) {
  if (!block) return;
  header found = header_of(block);
  (void)claim(-(int64_t)found.bytes);
  release(block, found);
}
