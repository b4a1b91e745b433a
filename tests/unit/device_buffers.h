/* Buffers of a device from arrays and back, for tests of the operations behind contracts/backend.h. */
#ifndef FMLP_TESTS_UNIT_DEVICE_BUFFERS_H
#define FMLP_TESTS_UNIT_DEVICE_BUFFERS_H

#include "tests/cmocka_fmlp.h"

#include "common/backends.h"

/* False for a backend that was compiled in and finds no device here: tests of all backends pass it by. */
static inline int is_usable(const fmlp_backend *backend) {
  char reason[256];
  return backend->available(0, reason, sizeof reason);
}

/* Opens `name` or fails the test. */
static inline fmlp_compute open_compute(const char *name) {
  fmlp_compute compute = {NULL, NULL};
  fmlp_error error = {""};
  char notice[640];
  fmlp_status status = fmlp_compute_open(name, &compute, notice, sizeof notice, &error);
  if (status != FMLP_OK) fail_msg("%s: %s", name, error.text);
  return compute;
}

/* A buffer without contents. */
static inline fmlp_buffer *buffer_empty(const fmlp_compute *compute, size_t bytes) {
  fmlp_error error = {""};
  fmlp_buffer *buffer = NULL;
  if (compute->backend->buffer_create(compute->device, bytes, &buffer, &error) != FMLP_OK) {
    fail_msg("%s", error.text);
  }
  return buffer;
}

/* A buffer holding `bytes` bytes of `data`. */
static inline fmlp_buffer *buffer_of(const fmlp_compute *compute, const void *data, size_t bytes) {
  fmlp_error error = {""};
  fmlp_buffer *buffer = buffer_empty(compute, bytes);
  if (compute->backend->upload(compute->device, buffer, 0, data, bytes, &error) != FMLP_OK) {
    fail_msg("%s", error.text);
  }
  return buffer;
}

static inline void buffer_read(const fmlp_compute *compute, const fmlp_buffer *buffer, void *data,
                               size_t bytes) {
  fmlp_error error = {""};
  if (compute->backend->download(compute->device, buffer, 0, data, bytes, &error) != FMLP_OK) {
    fail_msg("%s", error.text);
  }
}

static inline void buffer_end(const fmlp_compute *compute, const fmlp_buffer *buffer) {
  compute->backend->buffer_free(compute->device, (fmlp_buffer *)(uintptr_t)buffer);
}

#endif
