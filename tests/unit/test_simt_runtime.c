/* The runtime of simt devices: work that runs late, orders and marks that matter, memory between red zones,
 * and every fault a test can ask for. */
#define _POSIX_C_SOURCE 200809L
#include "tests/cmocka_fmlp.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/simt/runtime.h"

enum { ROWS = 1000 };

static const fmlp_gpu_runtime *const simt = &fmlp_simt_runtime;

static fmlp_gpu *open_with(fmlp_simt_setup setup) {
  fmlp_gpu *gpu = NULL;
  fmlp_gpu_limits limits;
  fmlp_error error = {0};
  fmlp_simt_configure(&setup);
  assert_int_equal(simt->open(0, &gpu, &limits, &error), FMLP_OK);
  return gpu;
}

/* The kernel of these tests: every thread does all of to[i] = |from[i]|. */
typedef struct absolute_args {
  double *to;
  const double *from;
  int64_t rows;
} absolute_args;

static void absolute_kernel(const void *args) {
  const absolute_args *it = args;
  for (int64_t i = 0; i < it->rows; i++) it->to[i] = fabs(it->from[i]);
}

static const fmlp_gpu_kernel kernel = 0; /* whichever it is, absolute_kernel stands in */

static fmlp_gpu_result absolute(fmlp_gpu *gpu, double *to, const double *from, int64_t rows) {
  const absolute_args args = {to, from, rows};
  fmlp_simt_stand_in(kernel, absolute_kernel, sizeof args);
  return simt->launch(gpu, kernel, 4, 64, 0, &args);
}

static bool says(fmlp_gpu *gpu, const char *before, const char *name, const char *after) {
  char text[256];
  (void)snprintf(text, sizeof text, "%s%s%s", before, name, after);
  return strstr(simt->last_error(gpu), text);
}

/* Which of the lines that tie the streams together are left out. */
enum { NOTHING, ORDER_OF_UPLOAD, ORDER_OF_DOWNLOAD, WAIT_FOR_DOWNLOAD };

/* Two rounds of upload, |x|, download, with all that orders them but `missing`; whether the answer is right.
 */
static bool two_rounds(uint64_t seed, int missing) {
  fmlp_gpu *gpu = open_with((fmlp_simt_setup){.seed = seed});
  void *in = NULL, *out = NULL, *from = NULL, *to = NULL;
  assert_int_equal(simt->allocate_pinned(gpu, ROWS * 8, &in), FMLP_GPU_OK);
  assert_int_equal(simt->allocate_pinned(gpu, ROWS * 8, &out), FMLP_GPU_OK);
  assert_int_equal(simt->allocate(gpu, ROWS * 8, &from), FMLP_GPU_OK);
  assert_int_equal(simt->allocate(gpu, ROWS * 8, &to), FMLP_GPU_OK);
  bool right = true;
  for (int round = 1; round <= 2; round++) {
    assert_int_equal(simt->wait_mark(gpu, 3), FMLP_GPU_OK);
    for (int i = 0; i < ROWS; i++) ((double *)in)[i] = -round * i;
    assert_int_equal(simt->order(gpu, FMLP_GPU_COMPUTE, FMLP_GPU_UPLOAD), FMLP_GPU_OK);
    assert_int_equal(simt->copy(gpu, FMLP_GPU_UPLOAD, from, in, ROWS * 8), FMLP_GPU_OK);
    assert_int_equal(simt->mark(gpu, FMLP_GPU_UPLOAD, 3), FMLP_GPU_OK);
    if (missing != ORDER_OF_UPLOAD) {
      assert_int_equal(simt->order(gpu, FMLP_GPU_UPLOAD, FMLP_GPU_COMPUTE), FMLP_GPU_OK);
    }
    assert_int_equal(absolute(gpu, to, from, ROWS), FMLP_GPU_OK);
    if (missing != ORDER_OF_DOWNLOAD) {
      assert_int_equal(simt->order(gpu, FMLP_GPU_COMPUTE, FMLP_GPU_DOWNLOAD), FMLP_GPU_OK);
    }
    assert_int_equal(simt->copy(gpu, FMLP_GPU_DOWNLOAD, out, to, ROWS * 8), FMLP_GPU_OK);
    assert_int_equal(simt->mark(gpu, FMLP_GPU_DOWNLOAD, 7), FMLP_GPU_OK);
    if (missing != WAIT_FOR_DOWNLOAD) assert_int_equal(simt->wait_mark(gpu, 7), FMLP_GPU_OK);
    for (int i = 1; i < ROWS; i++) right = right && ((double *)out)[i] == round * i;
  }
  assert_int_equal(simt->sync(gpu), FMLP_GPU_OK);
  simt->release(gpu, from);
  simt->release(gpu, to);
  simt->release_pinned(gpu, in);
  simt->release_pinned(gpu, out);
  assert_int_equal(fmlp_simt_live_allocations(), 0);
  simt->close(gpu);
  return right;
}

static void missing_orders_show(void **state) {
  (void)state;
  static const int missing[] = {ORDER_OF_UPLOAD, ORDER_OF_DOWNLOAD, WAIT_FOR_DOWNLOAD};
  for (uint64_t seed = 0; seed < 50; seed++) assert_true(two_rounds(seed, NOTHING));
  for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
    int wrong = 0;
    assert_false(two_rounds(0, missing[i]));
    for (uint64_t seed = 1; seed < 50; seed++) wrong += !two_rounds(seed, missing[i]);
    assert_true(wrong > 10);
  }
}

/* Pinned memory is read when the copy runs, not when it is asked for. */
static void copies_read_late(void **state) {
  (void)state;
  int late = 0;
  for (uint64_t seed = 0; seed < 50; seed++) {
    fmlp_gpu *gpu = open_with((fmlp_simt_setup){.seed = seed});
    void *in = NULL, *there = NULL;
    assert_int_equal(simt->allocate_pinned(gpu, 8, &in), FMLP_GPU_OK);
    assert_int_equal(simt->allocate(gpu, 8, &there), FMLP_GPU_OK);
    memcpy(in, "earlier", 8);
    assert_int_equal(simt->copy(gpu, FMLP_GPU_UPLOAD, there, in, 8), FMLP_GPU_OK);
    memcpy(in, "later..", 8);
    assert_int_equal(simt->sync(gpu), FMLP_GPU_OK);
    memset(in, 0, 8);
    assert_int_equal(simt->copy(gpu, FMLP_GPU_DOWNLOAD, in, there, 8), FMLP_GPU_OK);
    assert_int_equal(simt->sync(gpu), FMLP_GPU_OK);
    late += strcmp(in, "later..") == 0;
    assert_true(seed > 0 || late == 1);
    simt->close(gpu);
  }
  assert_true(late > 25);
}

static void long_queues_drain(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 3; seed++) {
    fmlp_gpu *gpu = open_with((fmlp_simt_setup){.seed = seed});
    void *in = NULL, *a = NULL, *b = NULL;
    assert_int_equal(simt->allocate_pinned(gpu, 64, &in), FMLP_GPU_OK);
    assert_int_equal(simt->allocate(gpu, 64, &a), FMLP_GPU_OK);
    assert_int_equal(simt->allocate(gpu, 64, &b), FMLP_GPU_OK);
    for (int i = 0; i < 3000; i++) {
      assert_int_equal(simt->fill(gpu, FMLP_GPU_UPLOAD, a, i % 100, 64), FMLP_GPU_OK);
      assert_int_equal(simt->order(gpu, FMLP_GPU_UPLOAD, FMLP_GPU_COMPUTE), FMLP_GPU_OK);
      assert_int_equal(simt->copy(gpu, FMLP_GPU_COMPUTE, b, a, 64), FMLP_GPU_OK);
      assert_int_equal(simt->order(gpu, FMLP_GPU_COMPUTE, FMLP_GPU_UPLOAD), FMLP_GPU_OK);
    }
    assert_int_equal(simt->order(gpu, FMLP_GPU_COMPUTE, FMLP_GPU_DOWNLOAD), FMLP_GPU_OK);
    assert_int_equal(simt->copy(gpu, FMLP_GPU_DOWNLOAD, in, b, 64), FMLP_GPU_OK);
    assert_int_equal(simt->mark(gpu, FMLP_GPU_DOWNLOAD, 0), FMLP_GPU_OK);
    assert_int_equal(simt->wait_mark(gpu, 0), FMLP_GPU_OK);
    for (int i = 0; i < 64; i++) assert_int_equal(((char *)in)[i], 99);
    double seconds = -1.0;
    assert_int_equal(simt->elapsed(gpu, 0, 0, &seconds), FMLP_GPU_OK);
    assert_true(seconds == 0.0);
    simt->close(gpu);
  }
}

/* ---- memory ---- */

static void fresh_memory_is_a_pattern(void **state) {
  (void)state;
  fmlp_gpu *gpu = open_with((fmlp_simt_setup){0});
  void *a = NULL, *b = NULL, *out = NULL;
  assert_int_equal(simt->allocate(gpu, 80, &a), FMLP_GPU_OK);
  assert_int_equal(simt->allocate(gpu, 80, &b), FMLP_GPU_OK);
  assert_int_equal((uintptr_t)a % 256, 0);
  assert_int_equal(simt->allocate_pinned(gpu, 160, &out), FMLP_GPU_OK);
  assert_int_equal(simt->copy(gpu, FMLP_GPU_DOWNLOAD, out, a, 80), FMLP_GPU_OK);
  assert_int_equal(simt->copy(gpu, FMLP_GPU_DOWNLOAD, (char *)out + 80, b, 80), FMLP_GPU_OK);
  assert_int_equal(simt->sync(gpu), FMLP_GPU_OK);
  for (int i = 0; i < 10; i++) {
    assert_true(isnan(((double *)out)[i]));
    assert_true(((double *)out)[10 + i] < -1e80);
  }
  simt->close(gpu);
}

/* ASan stops what the red zones would find. */
#if defined(__SANITIZE_ADDRESS__)
enum { UNDER_ASAN = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { UNDER_ASAN = 1 };
#else
enum { UNDER_ASAN = 0 };
#endif
#else
enum { UNDER_ASAN = 0 };
#endif

static void red_zones(void **state) {
  (void)state;
  if (UNDER_ASAN) skip();
  for (int where = 0; where < 2; where++) {
    fmlp_gpu *gpu = open_with((fmlp_simt_setup){0});
    void *from = NULL, *to = NULL;
    assert_int_equal(simt->allocate(gpu, 110 * 8, &from), FMLP_GPU_OK);
    assert_int_equal(simt->allocate(gpu, 100 * 8, &to), FMLP_GPU_OK);
    assert_int_equal(simt->fill(gpu, FMLP_GPU_COMPUTE, from, 0, 110 * 8), FMLP_GPU_OK);
    /* A kernel that writes one row too many, or one before the first. */
    assert_int_equal(absolute(gpu, (double *)to - where, from, 101 - where), FMLP_GPU_OK);
    assert_int_equal(simt->sync(gpu), FMLP_GPU_FAILED);
    assert_true(where == 0 ? says(gpu, "after ", fmlp_gpu_kernel_names[kernel],
                                  ": device memory of 800 bytes: written to 0 bytes behind its end")
                           : says(gpu, "", "", "written to 8 bytes before its begin"));
    simt->close(gpu);
  }
  /* The host writes to device memory it has released. */
  const int64_t damaged = fmlp_simt_count().damaged;
  fmlp_gpu *gpu = open_with((fmlp_simt_setup){0});
  void *memory = NULL;
  assert_int_equal(simt->allocate(gpu, 800, &memory), FMLP_GPU_OK);
  simt->release(gpu, memory);
  ((volatile char *)memory)[17] = 1;
  simt->close(gpu);
  assert_int_equal(fmlp_simt_count().damaged, damaged + 1);
}

static void wrong_calls_fail(void **state) {
  (void)state;
  for (int what = 0; what < 8; what++) {
    fmlp_gpu *gpu = open_with((fmlp_simt_setup){0});
    void *a = NULL, *b = NULL, *in = NULL;
    char host[64] = "";
    assert_int_equal(simt->allocate(gpu, 64, &a), FMLP_GPU_OK);
    assert_int_equal(simt->allocate(gpu, 64, &b), FMLP_GPU_OK);
    assert_int_equal(simt->allocate_pinned(gpu, 64, &in), FMLP_GPU_OK);
    const char *text = "";
    switch (what) {
    case 0:
      text = "a copy of 64 bytes from what is neither device nor pinned";
      assert_int_equal(simt->copy(gpu, FMLP_GPU_UPLOAD, a, host, 64), FMLP_GPU_FAILED);
      break;
    case 1:
      text = "a copy of 65 bytes to what is neither";
      assert_int_equal(simt->copy(gpu, FMLP_GPU_UPLOAD, a, in, 65), FMLP_GPU_FAILED);
      break;
    case 2:
      text = "onto itself";
      assert_int_equal(simt->copy(gpu, FMLP_GPU_UPLOAD, a, (char *)a + 8, 16), FMLP_GPU_FAILED);
      break;
    case 3:
      text = "a fill of 64 bytes";
      assert_int_equal(simt->fill(gpu, FMLP_GPU_UPLOAD, in, 0, 64), FMLP_GPU_FAILED);
      break;
    case 4:
      text = "blocks of 64 threads, 999999 bytes of shared";
      assert_int_equal(simt->launch(gpu, kernel, 1, 64, 999999, host), FMLP_GPU_FAILED);
      break;
    case 5:
      text = "memory of 64 bytes is released before a copy is done";
      assert_int_equal(simt->copy(gpu, FMLP_GPU_UPLOAD, a, in, 64), FMLP_GPU_OK);
      simt->release(gpu, a);
      break;
    case 6:
      text = "is released before ";
      assert_int_equal(absolute(gpu, b, a, 8), FMLP_GPU_OK);
      simt->release(gpu, a);
      break;
    default:
      text = "released that was not allocated";
      simt->release(gpu, in);
    }
    assert_int_equal(simt->sync(gpu), FMLP_GPU_FAILED);
    assert_int_equal(simt->copy(gpu, FMLP_GPU_UPLOAD, b, in, 8), FMLP_GPU_FAILED);
    assert_non_null(strstr(simt->last_error(gpu), text));
    simt->close(gpu);
  }
}

static void leaks_are_counted(void **state) {
  (void)state;
  const fmlp_simt_counters before = fmlp_simt_count();
  fmlp_gpu *gpu = open_with((fmlp_simt_setup){.memory = 1000});
  void *a = NULL, *b = NULL, *in = NULL;
  assert_int_equal(simt->allocate(gpu, 600, &a), FMLP_GPU_OK);
  assert_int_equal(simt->allocate(gpu, 600, &b), FMLP_GPU_OUT_OF_MEMORY);
  assert_null(b);
  assert_int_equal(simt->free_memory(gpu), 400);
  assert_int_equal(simt->allocate(gpu, 400, &b), FMLP_GPU_OK);
  assert_int_equal(simt->allocate_pinned(gpu, 5000, &in), FMLP_GPU_OK);
  fmlp_simt_counters now = fmlp_simt_count();
  assert_int_equal(now.live_allocations, 2);
  assert_int_equal(now.live_bytes, 1000);
  assert_int_equal(now.live_pinned, 1);
  assert_int_equal(now.open_devices, before.open_devices + 1);
  assert_int_equal(now.calls, 4);
  assert_int_equal(now.allocations, 3);
  assert_int_equal(fmlp_simt_live_allocations(), 3);
  simt->release(gpu, b);
  simt->close(gpu);
  now = fmlp_simt_count();
  assert_int_equal(now.left_at_close, before.left_at_close + 2);
  assert_int_equal(now.live_allocations + now.live_pinned + now.live_bytes, 0);
  assert_int_equal(now.open_devices, before.open_devices);
}

/* ---- faults ---- */

static void allocations_fail(void **state) {
  (void)state;
  void *memory = NULL;
  fmlp_gpu *gpu = open_with((fmlp_simt_setup){.fail_allocation = 2, .fail_pinned = 1});
  assert_int_equal(simt->allocate(gpu, 8, &memory), FMLP_GPU_OK);
  assert_int_equal(simt->allocate(gpu, 8, &memory), FMLP_GPU_OUT_OF_MEMORY);
  assert_null(memory);
  assert_int_equal(simt->allocate(gpu, 8, &memory), FMLP_GPU_OK);
  assert_int_equal(simt->allocate_pinned(gpu, 8, &memory), FMLP_GPU_OUT_OF_MEMORY);
  assert_int_equal(simt->allocate_pinned(gpu, 8, &memory), FMLP_GPU_OK);
  assert_int_equal(simt->sync(gpu), FMLP_GPU_OK);
  simt->close(gpu);
  gpu = open_with((fmlp_simt_setup){.fail_allocation_from = 2});
  assert_int_equal(simt->allocate(gpu, 8, &memory), FMLP_GPU_OK);
  for (int i = 0; i < 3; i++) assert_int_equal(simt->allocate(gpu, 8, &memory), FMLP_GPU_OUT_OF_MEMORY);
  simt->close(gpu);
}

static void launches_fail(void **state) {
  (void)state;
  for (int late = 0; late < 2; late++) {
    fmlp_simt_setup setup = {0};
    *(late ? &setup.fail_kernel : &setup.fail_launch) = 2;
    fmlp_gpu *gpu = open_with(setup);
    void *a = NULL, *b = NULL;
    assert_int_equal(simt->allocate(gpu, 64, &a), FMLP_GPU_OK);
    assert_int_equal(simt->allocate(gpu, 64, &b), FMLP_GPU_OK);
    assert_int_equal(simt->fill(gpu, FMLP_GPU_COMPUTE, a, 0, 64), FMLP_GPU_OK);
    assert_int_equal(absolute(gpu, b, a, 8), FMLP_GPU_OK);
    assert_int_equal(absolute(gpu, b, a, 8), late ? FMLP_GPU_OK : FMLP_GPU_FAILED);
    assert_int_equal(simt->sync(gpu), FMLP_GPU_FAILED);
    assert_non_null(strstr(simt->last_error(gpu), late ? "the kernel failed" : "launch failed"));
    assert_int_equal(simt->sync(gpu), FMLP_GPU_FAILED);
    assert_int_equal(fmlp_simt_count().launches, 2);
    simt->close(gpu);
  }
}

static void devices_get_lost(void **state) {
  (void)state;
  for (int n = 1; n <= 4; n++) {
    void *memory = NULL;
    fmlp_gpu *gpu = open_with((fmlp_simt_setup){.lose_device = n});
    const fmlp_gpu_result expected[] = {n > 1 ? FMLP_GPU_OK : FMLP_GPU_FAILED,
                                        n > 2 ? FMLP_GPU_OK : FMLP_GPU_FAILED,
                                        n > 3 ? FMLP_GPU_OK : FMLP_GPU_FAILED, FMLP_GPU_FAILED};
    assert_int_equal(simt->allocate(gpu, 8, &memory), expected[0]);
    assert_int_equal(simt->sync(gpu), expected[1]);
    assert_int_equal(simt->wait_mark(gpu, 0), expected[2]);
    assert_int_equal(simt->sync(gpu), expected[3]);
    assert_string_equal(simt->last_error(gpu), "device lost");
    assert_int_equal(simt->free_memory(gpu), 0);
    simt->release(gpu, memory);
    simt->close(gpu);
  }
}

static void opening_fails(void **state) {
  (void)state;
  fmlp_gpu *gpu = NULL;
  fmlp_gpu_limits limits;
  char reason[128];
  for (int absent = 0; absent < 2; absent++) {
    fmlp_error error = {0};
    fmlp_simt_configure(&(fmlp_simt_setup){.absent = absent, .open_fails = 1});
    assert_int_equal(simt->available(0, reason, sizeof reason), !absent);
    assert_int_equal(simt->open(0, &gpu, &limits, &error), FMLP_ERR_DEVICE);
    assert_null(gpu);
  }
  fmlp_simt_configure(NULL);
}

static void environment_speaks(void **state) {
  (void)state;
  fmlp_gpu *gpu = NULL;
  fmlp_gpu_limits limits;
  fmlp_error error = {0};
  char reason[256];
  void *memory = NULL;
  fmlp_simt_configure(NULL);
  assert_int_equal(setenv("FMLP_SIMT_FAULT", "fail_pinned=1,lose_device=3", 1), 0);
  assert_int_equal(setenv("FMLP_SIMT_MEMORY", "64K", 1), 0);
  assert_int_equal(setenv("FMLP_SIMT_SHARED", "48K", 1), 0);
  assert_int_equal(setenv("FMLP_SIMT_SEED", "12", 1), 0);
  assert_int_equal(simt->open(0, &gpu, &limits, &error), FMLP_OK);
  assert_int_equal(limits.total_memory, 64 << 10);
  assert_int_equal(limits.shared_per_block, 48 << 10);
  assert_int_equal(simt->allocate_pinned(gpu, 8, &memory), FMLP_GPU_OUT_OF_MEMORY);
  assert_int_equal(simt->sync(gpu), FMLP_GPU_OK);
  assert_int_equal(simt->sync(gpu), FMLP_GPU_FAILED);
  simt->close(gpu);
  assert_int_equal(setenv("FMLP_SIMT_FAULT", "lose_devise=3", 1), 0);
  assert_int_equal(simt->available(0, reason, sizeof reason), 0);
  assert_non_null(strstr(reason, "FMLP_SIMT_FAULT: lose_devise=3"));
  assert_int_equal(simt->open(0, &gpu, &limits, &error), FMLP_ERR_DEVICE);
  static const char *const names[] = {"FMLP_SIMT_FAULT", "FMLP_SIMT_MEMORY", "FMLP_SIMT_SHARED",
                                      "FMLP_SIMT_SEED"};
  for (int i = 0; i < 4; i++) assert_int_equal(unsetenv(names[i]), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(missing_orders_show), cmocka_unit_test(copies_read_late),
      cmocka_unit_test(long_queues_drain),   cmocka_unit_test(fresh_memory_is_a_pattern),
      cmocka_unit_test(red_zones),           cmocka_unit_test(wrong_calls_fail),
      cmocka_unit_test(leaks_are_counted),   cmocka_unit_test(allocations_fail),
      cmocka_unit_test(launches_fail),       cmocka_unit_test(devices_get_lost),
      cmocka_unit_test(opening_fails),       cmocka_unit_test(environment_speaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
