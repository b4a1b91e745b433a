/* core/: status lines, memory, decimals, canonical doubles, the parallel loop. */
#include "tests/cmocka_fmlp.h"

#include <math.h>
#include <string.h>

#include "common/core/bits.h"
#include "common/core/decimal.h"
#include "common/core/memory.h"
#include "common/core/nearest.h"
#include "common/core/parallel.h"
#include "common/core/status.h"
#include "common/core/ticks.h"

static void an_error_is_one_line(void **state) {
  (void)state;
  fmlp_error error = {""};
  assert_int_equal(fmlp_fail(&error, FMLP_ERR_INPUT, "line %d\nnot a number", 7), FMLP_ERR_INPUT);
  assert_string_equal(error.text, "line 7 not a number");
  assert_int_equal(fmlp_fail_prefix(&error, FMLP_ERR_INPUT, "ticks.csv"), FMLP_ERR_INPUT);
  assert_string_equal(error.text, "ticks.csv: line 7 not a number");
}

static void memory_is_aligned_and_keeps_its_contents_when_resized(void **state) {
  (void)state;
  fmlp_error error = {""};
  int64_t *block = NULL;
  assert_int_equal(fmlp_alloc(&block, 0, sizeof *block, "test", &error), FMLP_OK);
  assert_non_null(block);
  int64_t count = 1;
  for (; count < 3000000; count = count * 3 + 1) {
    assert_int_equal(fmlp_resize(&block, count / 3, count, sizeof *block, "test", &error), FMLP_OK);
    assert_int_equal((uintptr_t)block % FMLP_ALIGNMENT, 0);
    for (int64_t i = 0; i < count / 3; i++) assert_int_equal(block[i], i ^ 12345);
    for (int64_t i = 0; i < count; i++) block[i] = i ^ 12345;
  }
  count /= 3;
  for (int64_t fewer = count / 2; fewer > 0; count = fewer, fewer /= 3) {
    assert_int_equal(fmlp_resize(&block, count, fewer, sizeof *block, "test", &error), FMLP_OK);
    assert_int_equal((uintptr_t)block % FMLP_ALIGNMENT, 0);
    for (int64_t i = 0; i < fewer; i++) assert_int_equal(block[i], i ^ 12345);
  }
  fmlp_free(block);
}

static void large_columns_grow_side_by_side_and_keep_their_contents(void **state) {
  (void)state;
  fmlp_error error = {""};
  enum { COLUMNS = 4, FIRST = 600000 };
  int64_t *column[COLUMNS] = {NULL}, old = 0;
  for (int64_t count = FIRST; count <= 8 * FIRST; count += FIRST, old = count - FIRST) {
    for (int64_t c = 0; c < COLUMNS; c++) {
      assert_int_equal(fmlp_resize(&column[c], old, count, sizeof *column[c], "test", &error), FMLP_OK);
      for (int64_t i = old; i < count; i++) column[c][i] = i * COLUMNS + c;
    }
  }
  for (int64_t c = 0; c < COLUMNS; c++) {
    for (int64_t i = 0; i < 8 * FIRST; i++) assert_int_equal(column[c][i], i * COLUMNS + c);
    fmlp_free(column[c]);
  }
}

static void zeroed_memory_is_zero_small_or_large(void **state) {
  (void)state;
  fmlp_error error = {""};
  for (int round = 0; round < 2; round++) {
    for (int64_t count = 1; count < 9000000; count = count * 7 + 3) {
      unsigned char *block = NULL;
      assert_int_equal(fmlp_alloc_zero(&block, count, 1, "test", &error), FMLP_OK);
      for (int64_t i = 0; i < count; i++) {
        if (block[i] != 0) fail_msg("byte %lld of %lld", (long long)i, (long long)count);
      }
      memset(block, 0xa5, (size_t)count);
      fmlp_free(block);
    }
  }
}

static void a_large_block_that_cannot_grow_is_left_as_it_was(void **state) {
  (void)state;
#ifdef __SANITIZE_ADDRESS__
  skip(); /* it ends the program at such a size */
#endif
  fmlp_error error = {""};
  const int64_t count = 1 << 20;
  int64_t *block = NULL;
  assert_int_equal(fmlp_alloc(&block, count, sizeof *block, "test", &error), FMLP_OK);
  for (int64_t i = 0; i < count; i++) block[i] = i;
  int64_t *before = block;
  assert_int_equal(fmlp_resize(&block, count, INT64_MAX / 16, sizeof *block, "test", &error), FMLP_ERR_OTHER);
  assert_ptr_equal(block, before);
  for (int64_t i = 0; i < count; i++) assert_int_equal(block[i], i);
  fmlp_free(block);
}

static void impossible_sizes_are_refused(void **state) {
  (void)state;
  fmlp_error error = {""};
  char *block = NULL;
  assert_int_equal(fmlp_alloc(&block, INT64_MAX, 16, "a large thing", &error), FMLP_ERR_OTHER);
  assert_null(block);
  assert_non_null(strstr(error.text, "a large thing"));
  assert_int_equal(fmlp_alloc(&block, -1, 1, "x", &error), FMLP_ERR_OTHER);
}

static void a_memory_limit_is_kept_and_named(void **state) {
  (void)state;
  fmlp_error error = {""};
  char *a = NULL, *b = NULL;
  int64_t before = fmlp_memory_allocated();
  fmlp_memory_limit_set(before + 10000);
  assert_int_equal(fmlp_alloc(&a, 6000, 1, "a", &error), FMLP_OK);
  assert_int_equal(fmlp_alloc(&b, 6000, 1, "the second", &error), FMLP_ERR_OTHER);
  assert_null(b);
  assert_non_null(strstr(error.text, "the second"));
  assert_non_null(strstr(error.text, "runtime.memory_limit_gb"));
  assert_int_equal(fmlp_resize(&a, 6000, 20000, 1, "a", &error), FMLP_ERR_OTHER);
  assert_int_equal(fmlp_resize(&a, 6000, 100, 1, "a", &error), FMLP_OK);
  assert_int_equal(fmlp_alloc(&b, 6000, 1, "the second", &error), FMLP_OK);
  fmlp_free(a);
  fmlp_free(b);
  fmlp_memory_limit_set(0);
  assert_int_equal(fmlp_memory_allocated(), before);
}

static void the_nth_allocation_can_be_made_to_fail(void **state) {
  (void)state;
  fmlp_error error = {""};
  char *a = NULL, *b = NULL;
  fmlp_memory_fail_at(2);
  assert_int_equal(fmlp_alloc(&a, 8, 1, "a", &error), FMLP_OK);
  assert_int_equal(fmlp_alloc(&b, 8, 1, "b", &error), FMLP_ERR_OTHER);
  fmlp_memory_fail_at(0);
  fmlp_free(a);
}

static void every_allocation_failure_leaves_a_tick_table_that_can_be_released(void **state) {
  (void)state;
  for (int kind = FMLP_QUOTES; kind <= FMLP_TRADES; kind++) {
    for (int64_t nth = 1; nth <= 8; nth++) {
      fmlp_error error = {""};
      fmlp_ticks ticks = {.kind = (fmlp_tick_kind)kind};
      fmlp_memory_fail_at(nth);
      fmlp_status status = fmlp_ticks_reserve(&ticks, 10, true, &error);
      fmlp_memory_fail_at(0);
      assert_true(status == FMLP_OK || status == FMLP_ERR_OTHER);
      fmlp_ticks_release(&ticks);
    }
  }
}

static void the_span_of_ticks_is_their_extremes_in_any_order(void **state) {
  (void)state;
  int64_t times[] = {5, -7, 9, 0};
  fmlp_ticks ticks = {.count = 4, .time = times};
  int64_t first = 1, last = 1;
  fmlp_ticks_span(&ticks, &first, &last);
  assert_int_equal(first, -7);
  assert_int_equal(last, 9);
  ticks.count = 0;
  fmlp_ticks_span(&ticks, &first, &last);
  assert_int_equal(first, 0);
  assert_int_equal(last, 0);
}

static void a_price_is_the_double_of_its_decimal_text(void **state) {
  (void)state;
  assert_true(fmlp_decimal(138729, (fmlp_scale){1, 5}) == 1.38729);
  assert_true(fmlp_decimal(7620, (fmlp_scale){25, 2}) == 1905.0);
  assert_true(fmlp_decimal_mid(138727, 138729, (fmlp_scale){1, 5}) == 1.38728);
}

static void canonical_doubles(void **state) {
  (void)state;
  assert_int_equal(fmlp_bits_of(fmlp_canonical(-0.0)), 0);
  assert_int_equal(fmlp_bits_of(fmlp_canonical(INFINITY)), FMLP_NAN_BITS);
  assert_int_equal(fmlp_bits_of(fmlp_canonical(-INFINITY)), FMLP_NAN_BITS);
  assert_int_equal(fmlp_bits_of(fmlp_canonical(fmlp_from_bits(0xfff8000000000001ULL))), FMLP_NAN_BITS);
  assert_true(fmlp_canonical(-5e-324) == -5e-324);
  assert_true(fmlp_canonical(1.7976931348623157e308) == 1.7976931348623157e308);
}

typedef struct tally {
  int seen[1000];
} tally;

static fmlp_status count_chunk(void *context, int64_t first, int64_t last, int worker, fmlp_error *error) {
  (void)worker;
  tally *all = context;
  for (int64_t i = first; i < last; i++) all->seen[i]++;
  if (first <= 500 && 500 < last) return fmlp_fail(error, FMLP_ERR_INPUT, "row 500");
  return FMLP_OK;
}

static void the_parallel_loop_visits_once_and_reports_failures(void **state) {
  (void)state;
  for (int threads = 1; threads <= 4; threads++) {
    tally all = {{0}};
    fmlp_error error = {""};
    fmlp_threads_set(threads);
    assert_int_equal(fmlp_parallel_for(499, 7, count_chunk, &all, "test", &error), FMLP_OK);
    for (int i = 0; i < 499; i++) assert_int_equal(all.seen[i], 1);
    assert_int_equal(fmlp_parallel_for(1000, 7, count_chunk, &all, "test", &error), FMLP_ERR_INPUT);
    assert_string_equal(error.text, "row 500");
    assert_int_equal(fmlp_parallel_for(0, 7, count_chunk, &all, "test", &error), FMLP_OK);
  }
  fmlp_threads_set(0);
}

static void the_nearest_name_is_found_or_none(void **state) {
  (void)state;
  assert_int_equal(fmlp_edit_distance("", ""), 0);
  assert_int_equal(fmlp_edit_distance("abc", ""), 3);
  assert_int_equal(fmlp_edit_distance("kitten", "Sitting"), 3);
  assert_int_equal(fmlp_edit_distance("treshold", "threshold"), 1);
  assert_int_equal(fmlp_edit_distance("maen", "mean"), 1);
  const char *const known[] = {"mean", NULL, "median", "std"};
  assert_string_equal(fmlp_nearest("meen", 4, known), "mean");
  assert_string_equal(fmlp_nearest("Medain", 4, known), "median");
  assert_null(fmlp_nearest("correlation", 4, known));
  assert_null(fmlp_nearest("mean", 0, known));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_error_is_one_line),
      cmocka_unit_test(memory_is_aligned_and_keeps_its_contents_when_resized),
      cmocka_unit_test(large_columns_grow_side_by_side_and_keep_their_contents),
      cmocka_unit_test(zeroed_memory_is_zero_small_or_large),
      cmocka_unit_test(a_large_block_that_cannot_grow_is_left_as_it_was),
      cmocka_unit_test(impossible_sizes_are_refused),
      cmocka_unit_test(a_memory_limit_is_kept_and_named),
      cmocka_unit_test(the_nth_allocation_can_be_made_to_fail),
      cmocka_unit_test(every_allocation_failure_leaves_a_tick_table_that_can_be_released),
      cmocka_unit_test(the_span_of_ticks_is_their_extremes_in_any_order),
      cmocka_unit_test(a_price_is_the_double_of_its_decimal_text),
      cmocka_unit_test(canonical_doubles),
      cmocka_unit_test(the_nearest_name_is_found_or_none),
      cmocka_unit_test(the_parallel_loop_visits_once_and_reports_failures),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
