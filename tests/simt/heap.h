/* Memory of a simt device, device and pinned: poisoned, between red zones (runtime.h). */
#ifndef FMLP_TESTS_SIMT_HEAP_H
#define FMLP_TESTS_SIMT_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct fmlp_simt_allocation {
  unsigned char *data;
  size_t bytes;
  bool pinned;
};

enum { FMLP_SIMT_QUARANTINE = 16 };

struct fmlp_simt_heap {
  fmlp_simt_allocation *all;
  int64_t count, capacity;
  int64_t used; /* bytes of device memory */
  uint64_t made;
  fmlp_simt_allocation released[FMLP_SIMT_QUARANTINE]; /* a ring; data NULL where empty */
  int64_t released_bytes;
  int next_released;
};

/* NULL when there is no room. */
void *fmlp_simt_heap_allocate(fmlp_simt_heap *heap, size_t bytes, bool pinned);

/* All functions below give one line about damage they found, or NULL. The line lasts until the next call. */
const char *fmlp_simt_heap_release(fmlp_simt_heap *heap, void *memory);
const char *fmlp_simt_heap_check(const fmlp_simt_heap *heap);
const char *fmlp_simt_heap_close(fmlp_simt_heap *heap);

/* The allocation that holds all of [memory, memory + bytes), or NULL. */
const fmlp_simt_allocation *fmlp_simt_heap_find(const fmlp_simt_heap *heap, const void *memory, size_t bytes);

/* Under ASan: device memory is in bounds, or out. */
void fmlp_simt_heap_show(const fmlp_simt_heap *heap);
void fmlp_simt_heap_hide(const fmlp_simt_heap *heap);

#endif
