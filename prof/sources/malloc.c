/* malloc and its family with an eye on them, for programs that link this file (glibc's manual: "Replacing
 * malloc"). The blocks are glibc's own, so that those from before, from other libraries' own ways to them, or
 * freed past this file, mix freely. While no capture watches memory a call costs one load and one branch
 * more.
 *
 * No part of the library, and left out of sanitizer builds, whose malloc it would hide. */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "prof/sources/memory.h"

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);
extern void __libc_free(void *block);

bool fmlp_heap_sees_malloc(void) {
  return true;
}

static void *took(void *block, size_t asked) {
  if (fmlp_heap_watched() && block) fmlp_heap_took((int64_t)asked, (int64_t)malloc_usable_size(block));
  return block;
}

void *malloc(size_t bytes) {
  return took(__libc_malloc(bytes), bytes);
}

void *calloc(size_t count, size_t size) {
  return took(__libc_calloc(count, size), count * size);
}

void *realloc(void *block, size_t bytes) {
  if (!fmlp_heap_watched()) return __libc_realloc(block, bytes);
  size_t before = malloc_usable_size(block);
  void *moved = __libc_realloc(block, bytes);
  if (before > 0 && (moved || bytes == 0)) fmlp_heap_gave((int64_t)before);
  return took(moved, bytes);
}

void free(void *block) {
  if (fmlp_heap_watched() && block) fmlp_heap_gave((int64_t)malloc_usable_size(block));
  __libc_free(block);
}

void *memalign(size_t alignment, size_t bytes) {
  return took(__libc_memalign(alignment, bytes), bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
  return took(__libc_memalign(alignment, bytes), bytes);
}

int posix_memalign(void **out, size_t alignment, size_t bytes) {
  if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
  int before = errno;
  void *block = took(__libc_memalign(alignment, bytes), bytes);
  errno = before;
  if (!block) return ENOMEM;
  *out = block;
  return 0;
}

void *valloc(size_t bytes) {
  return took(__libc_memalign((size_t)sysconf(_SC_PAGESIZE), bytes), bytes);
}

void *pvalloc(size_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t whole = (bytes + page - 1) / page * page;
  if (whole < bytes) {
    errno = ENOMEM;
    return NULL;
  }
  return took(__libc_memalign(page, whole), whole);
}
