/* An allocation stands between two red zones; what is released waits in a small quarantine before it goes. */
#include "tests/simt/heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simt/sanitizers.h"

#ifdef FMLP_SIMT_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace {

enum { ALIGNMENT = 256, ZONE = 1024, MOST_QUARANTINED = 32 << 20, MOST_HIDDEN = 1 << 20 };
const unsigned char zone_byte = 0xb6, released_byte = 0xdb;

char line[256];

size_t padded(size_t bytes) {
  return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Signalling NaNs, and in turn large negative numbers: a NaN may be taken for a warm-up, a number seldom. */
void poison(unsigned char *data, size_t bytes, bool numbers) {
  const uint64_t word = numbers ? 0xd2d2d2d2d2d2d2d2 : 0x7ff4deadd2d2d2d2;
  for (size_t i = 0; i < bytes; i += 8) memcpy(data + i, &word, bytes - i < 8 ? bytes - i : 8);
}

/* Index of the first byte that is not `byte`, or -1. */
int64_t first_other(const unsigned char *data, size_t bytes, unsigned char byte) {
  if (bytes == 0 || (data[0] == byte && memcmp(data, data + 1, bytes - 1) == 0)) return -1;
  for (size_t i = 0; i < bytes; i++) {
    if (data[i] != byte) return (int64_t)i;
  }
  return -1;
}

#ifdef FMLP_SIMT_ASAN
void make_zones(const fmlp_simt_allocation &it) {
  __asan_poison_memory_region(it.data - ZONE, ZONE);
  __asan_poison_memory_region(it.data + it.bytes, padded(it.bytes) - it.bytes + ZONE);
}

void unmake_zones(const fmlp_simt_allocation &it) {
  __asan_unpoison_memory_region(it.data - ZONE, ZONE + padded(it.bytes) + ZONE);
}

const char *check_zones(const fmlp_simt_allocation &) {
  return NULL; /* ASan looks */
}
#else
void make_zones(const fmlp_simt_allocation &it) {
  memset(it.data - ZONE, zone_byte, ZONE);
  memset(it.data + it.bytes, zone_byte, padded(it.bytes) - it.bytes + ZONE);
}

void unmake_zones(const fmlp_simt_allocation &) {
}

const char *check_zones(const fmlp_simt_allocation &it) {
  const int64_t below = first_other(it.data - ZONE, ZONE, zone_byte);
  const int64_t above = first_other(it.data + it.bytes, padded(it.bytes) - it.bytes + ZONE, zone_byte);
  if (below < 0 && above < 0) return NULL;
  const char *kind = it.pinned ? "pinned" : "device";
  if (below >= 0) {
    (void)snprintf(line, sizeof line, "%s memory of %zu bytes: written to %lld bytes before its begin", kind,
                   it.bytes, (long long)(ZONE - below));
  } else {
    (void)snprintf(line, sizeof line, "%s memory of %zu bytes: written to %lld bytes behind its end", kind,
                   it.bytes, (long long)above);
  }
  return line;
}
#endif

void give_back(const fmlp_simt_allocation &it) {
  unmake_zones(it);
  free(it.data - ZONE);
}

/* Takes one out of the quarantine. */
const char *let_go(fmlp_simt_heap *heap, fmlp_simt_allocation *it) {
  if (!it->data) return NULL;
  const int64_t at = first_other(it->data, it->bytes, released_byte);
  if (at >= 0) {
    (void)snprintf(line, sizeof line, "device memory of %zu bytes: written to at byte %lld after its release",
                   it->bytes, (long long)at);
  }
  heap->released_bytes -= (int64_t)it->bytes;
  give_back(*it);
  it->data = NULL;
  return at >= 0 ? line : NULL;
}

} // namespace

void *fmlp_simt_heap_allocate(fmlp_simt_heap *heap, size_t bytes, bool pinned) {
  if (bytes > SIZE_MAX / 2) return NULL;
  if (heap->count == heap->capacity) {
    const int64_t capacity = heap->capacity * 2 + 16;
    void *grown = realloc(heap->all, (size_t)capacity * sizeof *heap->all);
    if (!grown) return NULL;
    heap->all = (fmlp_simt_allocation *)grown;
    heap->capacity = capacity;
  }
  unsigned char *whole = (unsigned char *)aligned_alloc(ALIGNMENT, ZONE + padded(bytes) + ZONE);
  if (!whole) return NULL;
  fmlp_simt_allocation made = {whole + ZONE, bytes, pinned};
  poison(made.data, bytes, heap->made++ % 2 != 0);
  make_zones(made);
  heap->all[heap->count++] = made;
  if (!pinned) heap->used += (int64_t)bytes;
#ifdef FMLP_SIMT_ASAN
  if (!pinned && bytes <= MOST_HIDDEN) __asan_poison_memory_region(made.data, made.bytes);
#endif
  return made.data;
}

const char *fmlp_simt_heap_release(fmlp_simt_heap *heap, void *memory) {
  if (!memory) return NULL;
  int64_t i = 0;
  while (i < heap->count && heap->all[i].data != memory) i++;
  if (i == heap->count) return "memory is released that was not allocated";
  const fmlp_simt_allocation gone = heap->all[i];
  heap->all[i] = heap->all[--heap->count];
  if (!gone.pinned) heap->used -= (int64_t)gone.bytes;
  const char *found = check_zones(gone);
#ifndef FMLP_SIMT_ASAN
  if (!gone.pinned) memset(gone.data, released_byte, gone.bytes);
  if (!gone.pinned && gone.bytes <= MOST_QUARANTINED) {
    for (int n = 0; n < FMLP_SIMT_QUARANTINE && !found; n++) {
      fmlp_simt_allocation *oldest = &heap->released[(heap->next_released + n) % FMLP_SIMT_QUARANTINE];
      if (n > 0 && heap->released_bytes + (int64_t)gone.bytes <= MOST_QUARANTINED) break;
      found = let_go(heap, oldest);
    }
    heap->released_bytes += (int64_t)gone.bytes;
    heap->released[heap->next_released] = gone;
    heap->next_released = (heap->next_released + 1) % FMLP_SIMT_QUARANTINE;
    return found;
  }
#endif
  give_back(gone);
  return found;
}

const char *fmlp_simt_heap_check(const fmlp_simt_heap *heap) {
  for (int64_t i = 0; i < heap->count; i++) {
    const char *found = check_zones(heap->all[i]);
    if (found) return found;
  }
  return NULL;
}

const char *fmlp_simt_heap_close(fmlp_simt_heap *heap) {
  static char kept[sizeof line];
  const char *found = NULL;
  for (int i = 0; i < FMLP_SIMT_QUARANTINE; i++) {
    const char *now = let_go(heap, &heap->released[i]);
    if (now) found = strcpy(kept, now);
  }
  while (heap->count > 0) {
    const fmlp_simt_allocation gone = heap->all[--heap->count];
    const char *now = check_zones(gone);
    if (now) found = strcpy(kept, now);
    give_back(gone);
  }
  free(heap->all);
  memset(heap, 0, sizeof *heap);
  return found;
}

const fmlp_simt_allocation *fmlp_simt_heap_find(const fmlp_simt_heap *heap, const void *memory,
                                                size_t bytes) {
  const uintptr_t at = (uintptr_t)memory;
  for (int64_t i = heap->count - 1; i >= 0; i--) {
    const uintptr_t begin = (uintptr_t)heap->all[i].data;
    if (at >= begin && at - begin <= heap->all[i].bytes && bytes <= heap->all[i].bytes - (at - begin)) {
      return &heap->all[i];
    }
  }
  return NULL;
}

#ifdef FMLP_SIMT_ASAN
/* Large ones stay in bounds: for those ASan maps its shadow anew each time. */
static bool hidden(const fmlp_simt_allocation &it) {
  return !it.pinned && it.bytes <= MOST_HIDDEN;
}

void fmlp_simt_heap_show(const fmlp_simt_heap *heap) {
  for (int64_t i = 0; i < heap->count; i++) {
    if (hidden(heap->all[i])) __asan_unpoison_memory_region(heap->all[i].data, heap->all[i].bytes);
  }
}

void fmlp_simt_heap_hide(const fmlp_simt_heap *heap) {
  for (int64_t i = 0; i < heap->count; i++) {
    if (hidden(heap->all[i])) __asan_poison_memory_region(heap->all[i].data, heap->all[i].bytes);
  }
}
#else
void fmlp_simt_heap_show(const fmlp_simt_heap *) {
}

void fmlp_simt_heap_hide(const fmlp_simt_heap *) {
}
#endif
