/* Runs a group of tests once on every usable backend of this build; `compute` is the one in turn. */
#ifndef FMLP_TESTS_UNIT_ON_EACH_BACKEND_H
#define FMLP_TESTS_UNIT_ON_EACH_BACKEND_H

#include "tests/unit/device_buffers.h"

static const char *backend_in_turn;
static fmlp_compute compute;

static inline int open_backend(void **state) {
  (void)state;
  compute = open_compute(backend_in_turn);
  return 0;
}

static inline int close_backend(void **state) {
  (void)state;
  fmlp_compute_close(&compute);
  return 0;
}

/* The array of tests must be an array, not a pointer; gives the number of failures. */
#define RUN_ON_EACH_BACKEND(tests) run_on_each_backend(tests, sizeof(tests) / sizeof *(tests))

static inline int run_on_each_backend(const struct CMUnitTest *tests, size_t count) {
  int failures = 0;
  for (const fmlp_backend *const *each = fmlp_backends(); *each; each++) {
    char reason[256];
    if (!(*each)->available(0, reason, sizeof reason)) continue;
    backend_in_turn = (*each)->name;
    failures += _cmocka_run_group_tests(backend_in_turn, tests, count, open_backend, close_backend);
  }
  return failures;
}

#endif
