/* Host memory: what every span allocates, what the process holds over time, how much of it is resident.
 *
 * Only at level full. An allocation is a call that gives memory, counted with the bytes it was asked for in
 * the innermost open span of its thread; realloc counts as one of its whole new size, a mapping that grows as
 * one of its growth. What is held is the size of the blocks themselves and knows no threads: a block may be
 * freed by another than its own.
 *
 * Who tells: malloc.c, where it is linked into a program (every caller of malloc, libraries included), and
 * the program's own allocator (mappings; without malloc.c all its blocks). docs/decisions/profile-memory.md.
 */
#ifndef FMLP_PROF_SOURCES_MEMORY_H
#define FMLP_PROF_SOURCES_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "prof/source.h"

extern const fmlp_capture_source fmlp_memory_source;

/* True when every call of malloc is seen: malloc.c is linked in. */
bool fmlp_heap_sees_malloc(void);

/* The number of the capture that watches memory, 0 for none. Read it through the functions below alone. */
extern uint32_t fmlp_heap_watching;

/* `asked` bytes were given by a block of `size` bytes; a block of `size` bytes was given back. Any thread,
 * not in a signal handler. Neither allocates nor changes errno. */
void fmlp_heap_took(int64_t asked, int64_t size);
void fmlp_heap_gave(int64_t size);

/* For an allocator beside malloc: a mapping of its own that changed by `change` bytes for a request of
 * `asked`, 0 when it was given back or shrank. To be told also while nothing watches. */
void fmlp_heap_mapped(int64_t asked, int64_t change);

static inline bool fmlp_heap_watched(void) {
  return __builtin_expect(__atomic_load_n(&fmlp_heap_watching, __ATOMIC_RELAXED) != 0, 0);
}

/* Between true and false, what this thread allocates is the profiler's and not counted. Not nested. What was
 * allocated so must not be freed while counting goes on. */
void fmlp_heap_quiet(bool quiet);

#endif
