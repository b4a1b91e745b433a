/* Activity buffers made by hand: records of the sizes that CUPTI 13.0 gives them (test_cupti_layout.c holds
 * both against cupti_activity.h), each filled with 0xee beyond what is set, so that nothing else is read
 * unseen. */
#ifndef FMLP_TESTS_CUDA_CUPTI_BUFFER_H
#define FMLP_TESTS_CUDA_CUPTI_BUFFER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "prof/sources/cupti_layout.h"

enum {
  SIZE_OF_KERNEL = 216,
  SIZE_OF_MEMCPY = 96,
  SIZE_OF_MEMCPY_PEER = 96,
  SIZE_OF_MEMSET = 88,
  SIZE_OF_CALL = 40,
  SIZE_OF_EXTERNAL = 24,
  SIZE_OF_OVERHEAD = 56,
  SIZE_OF_WAIT = 56,
  SIZE_OF_MEMORY = 128,
  SIZE_OF_POOL = 80
};

static inline size_t cupti_record_size(uint32_t kind) {
  switch (kind) {
  case CUPTI_CONCURRENT_KERNEL:
    return SIZE_OF_KERNEL;
  case CUPTI_MEMCPY:
    return SIZE_OF_MEMCPY;
  case CUPTI_MEMCPY_PEER:
    return SIZE_OF_MEMCPY_PEER;
  case CUPTI_MEMSET:
    return SIZE_OF_MEMSET;
  case CUPTI_RUNTIME:
  case CUPTI_DRIVER:
    return SIZE_OF_CALL;
  case CUPTI_EXTERNAL_CORRELATION:
    return SIZE_OF_EXTERNAL;
  case CUPTI_OVERHEAD:
    return SIZE_OF_OVERHEAD;
  case CUPTI_SYNCHRONIZATION:
    return SIZE_OF_WAIT;
  case CUPTI_MEMORY2:
    return SIZE_OF_MEMORY;
  case CUPTI_MEMORY_POOL:
    return SIZE_OF_POOL;
  default:
    return 64;
  }
}

typedef struct cupti_buffer {
  uint8_t *bytes; /* aligned to 8 */
  size_t capacity, used;
} cupti_buffer;

/* Room for a record of `kind`; NULL when the buffer is full. The beginning of `size` bytes is zero. */
static inline void *cupti_buffer_add(cupti_buffer *buffer, uint32_t kind, size_t size) {
  const size_t length = cupti_record_size(kind);
  if (length > buffer->capacity - buffer->used) return NULL;
  uint8_t *record = buffer->bytes + buffer->used;
  memset(record, 0xee, length);
  memset(record, 0, size);
  memcpy(record, &kind, sizeof kind);
  buffer->used += length;
  return record;
}

/* cuptiActivityGetNextRecord over such a buffer. */
static inline int cupti_buffer_next(uint8_t *bytes, size_t valid, void **record) {
  size_t at = 0;
  if (*record) {
    uint32_t kind;
    memcpy(&kind, *record, sizeof kind);
    at = (size_t)((uint8_t *)*record - bytes) + cupti_record_size(kind);
  }
  if (at >= valid) return CUPTI_END_OF_BUFFER;
  *record = bytes + at;
  return CUPTI_OK;
}

#endif
