/* The table of backends, the choice of one, buffers and copies, and what the paranoid backend finds. */
#include "tests/unit/device_buffers.h"

#include <string.h>

#include "common/core/memory.h"
#ifndef FMLP_HAVE_PARANOID
#define FMLP_HAVE_PARANOID 0
#endif
#if FMLP_HAVE_PARANOID
#include "cpu/cpu.h"
#include "tests/paranoid/paranoid.h"
#endif

static void the_reference_comes_first_and_every_slot_is_filled(void **state) {
  (void)state;
  const fmlp_backend *const *all = fmlp_backends();
  assert_string_equal(all[0]->name, "cpu");
  for (; *all; all++) {
    const fmlp_backend *b = *all;
    assert_true(b->available && b->open && b->close && b->buffer_create && b->buffer_free && b->upload);
    assert_true(b->download && b->sync && b->rolling && b->barrier_search && b->barrier_resolve &&
                b->monte_carlo);
    assert_ptr_equal(fmlp_backend_find(b->name), b);
    char reason[256] = "?";
    const int usable = b->available(0, reason, sizeof reason);
    assert_true(usable || strcmp(b->name, "cuda") == 0); /* built with CUDA, and no GPU here */
    assert_true(usable || reason[0]);
    assert_null(strchr(reason, '\n'));
  }
  assert_null(fmlp_backend_find("abacus"));
}

static fmlp_status ask(const char *request, char *notice, fmlp_error *error) {
  fmlp_compute compute;
  fmlp_status status = fmlp_compute_open(request, &compute, notice, 640, error);
  if (status == FMLP_OK) assert_non_null(compute.device);
  if (status != FMLP_OK) assert_null(compute.backend);
  fmlp_compute_close(&compute);
  fmlp_compute_close(&compute); /* a closed one may be closed */
  return status;
}

static void a_device_is_chosen_by_name_and_a_missing_one_is_no_fallback(void **state) {
  (void)state;
  char notice[640] = "?";
  fmlp_error error = {""};
  assert_int_equal(ask("cpu", notice, &error), FMLP_OK);
  assert_string_equal(notice, "");
  assert_int_equal(ask("auto", notice, &error), FMLP_OK);
  if (!fmlp_backend_find("cuda")) {
    assert_string_equal(notice, "cuda: not compiled into this build; running on the cpu");
    assert_int_equal(ask("cuda", notice, &error), FMLP_ERR_DEVICE);
    assert_non_null(strstr(error.text, "not compiled into this build"));
    assert_int_equal(ask("cuda:1", notice, &error), FMLP_ERR_DEVICE);
  }
  static const char *const absent[] = {"cpu:1", "cpu:99999", "cpu:99999999999999999999", "cuda:99999"};
  for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
    assert_int_equal(ask(absent[i], notice, &error), FMLP_ERR_DEVICE);
  }
  assert_int_equal(ask("cpu:0", notice, &error), FMLP_OK);
}

static void a_name_that_is_none_is_a_usage_error(void **state) {
  (void)state;
  static const char *const wrong[] = {
      "",        "gpu",     "CPU", "cuda:",  "cuda:x",
      "cuda:1x", "cuda:-1", ":0",  "auto:0", "a name that is much longer than any name of a device"};
  char notice[640];
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    fmlp_error error = {""};
    assert_int_equal(ask(wrong[i], notice, &error), FMLP_ERR_USAGE);
    assert_non_null(strstr(error.text, "runtime.device"));
  }
}

static void buffers_keep_their_bytes_and_their_bounds(void **state) {
  (void)state;
  for (const fmlp_backend *const *backend = fmlp_backends(); *backend; backend++) {
    if (!is_usable(*backend)) continue;
    fmlp_compute compute = open_compute((*backend)->name);
    fmlp_error error = {""};
    char in[13] = "abcdefghijkl", out[13] = "";
    fmlp_buffer *buffer = buffer_of(&compute, in, 12);
    buffer_read(&compute, buffer, out, 12);
    assert_string_equal(in, out);
    assert_int_equal((*backend)->upload(compute.device, buffer, 10, "YZ", 2, &error), FMLP_OK);
    assert_int_equal((*backend)->download(compute.device, buffer, 9, out, 3, &error), FMLP_OK);
    assert_memory_equal(out, "jYZ", 3);
    static const size_t wrong[][2] = {{0, 13}, {12, 1}, {13, 0}, {1, SIZE_MAX}, {SIZE_MAX, 2}};
    for (size_t i = 0; i < 5; i++) {
      assert_int_equal((*backend)->upload(compute.device, buffer, wrong[i][0], in, wrong[i][1], &error),
                       FMLP_ERR_DEVICE);
      assert_int_equal((*backend)->download(compute.device, buffer, wrong[i][0], out, wrong[i][1], &error),
                       FMLP_ERR_DEVICE);
    }
    assert_int_equal((*backend)->upload(compute.device, buffer, 12, in, 0, &error), FMLP_OK);
    assert_int_equal((*backend)->sync(compute.device, &error), FMLP_OK);
    buffer_end(&compute, buffer);
    buffer_end(&compute, NULL);
    fmlp_buffer *empty = buffer_empty(&compute, 0);
    buffer_end(&compute, empty);
    fmlp_compute_close(&compute);
  }
}

static void allocation_failures_leave_nothing_behind(void **state) {
  (void)state;
  for (const fmlp_backend *const *backend = fmlp_backends(); *backend; backend++) {
    if (!is_usable(*backend)) continue;
    fmlp_compute compute = open_compute((*backend)->name);
    fmlp_error error = {""};
    fmlp_buffer *buffer = NULL;
    for (int64_t nth = 1; nth <= 2; nth++) {
      fmlp_memory_fail_at(nth);
      const fmlp_status status = (*backend)->buffer_create(compute.device, 100, &buffer, &error);
      fmlp_memory_fail_at(0);
      if (nth == 2 && status == FMLP_OK) { /* on a device the contents are no memory of the host */
        buffer_end(&compute, buffer);
        continue;
      }
      assert_int_equal(status, FMLP_ERR_OTHER);
      assert_null(buffer);
    }
    assert_int_equal((*backend)->buffer_create(compute.device, SIZE_MAX - 8, &buffer, &error),
                     FMLP_ERR_OTHER);
    fmlp_compute_close(&compute);
    fmlp_device *device = NULL;
    fmlp_memory_fail_at(1);
    assert_int_equal((*backend)->open(0, &device, &error), FMLP_ERR_OTHER);
    fmlp_memory_fail_at(0);
    assert_null(device);
  }
}

#if FMLP_HAVE_PARANOID

/* What the operation of the faulty backend below does wrong. */
static enum { NOTHING, OVERRUN, UNDERRUN, UNWRITTEN, CHANGES_INPUT, NOT_CANONICAL, FAILS } fault;

/* Writes where it must not: AddressSanitizer is not to notice before the guards do. */
__attribute__((no_sanitize_address, noinline)) static void scribble(volatile unsigned char *at) {
  *at = (unsigned char)(*at + 1);
}

static fmlp_status faulty_monte_carlo(fmlp_device *device, const fmlp_monte_carlo *job,
                                      fmlp_monte_carlo_totals *totals, fmlp_error *error) {
  fmlp_status status = fmlp_cpu_backend.monte_carlo(device, job, totals, error);
  double *final_capital = job->final_capital->data;
  static const unsigned char unwritten[8] = {0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xf4, 0x7f};
  if (fault == OVERRUN) scribble((unsigned char *)(final_capital + job->paths));
  if (fault == UNDERRUN) scribble((unsigned char *)final_capital - 1);
  if (fault == UNWRITTEN) memcpy(final_capital + 2, unwritten, 8);
  if (fault == CHANGES_INPUT) ((double *)job->pnl->data)[1] += 1.0;
  if (fault == NOT_CANONICAL) final_capital[0] = -0.0;
  if (fault == FAILS) return fmlp_fail(error, FMLP_ERR_DEVICE, "the device fell off the bus");
  return status;
}

/* The line that the paranoid backend gives for `how`, "" for none. */
static const char *finding(int how) {
  static fmlp_error error;
  fmlp_backend faulty = fmlp_cpu_backend;
  faulty.monte_carlo = faulty_monte_carlo;
  fmlp_compute compute = {&fmlp_paranoid_backend, NULL};
  error.text[0] = '\0';
  assert_int_equal(fmlp_paranoid_open(&faulty, 0, &compute.device, &error), FMLP_OK);
  double pnl[3] = {1, 2, 3};
  fmlp_monte_carlo job = {.kind = FMLP_MC_IID,
                          .paths = 5,
                          .trades = 3,
                          .max_trades = 3,
                          .initial_capital = 1.0,
                          .pnl = buffer_of(&compute, pnl, sizeof pnl),
                          .final_capital = buffer_empty(&compute, 40),
                          .max_drawdown = buffer_empty(&compute, 40),
                          .trades_used = buffer_empty(&compute, 20),
                          .outcome = buffer_empty(&compute, 5)};
  fmlp_monte_carlo_totals totals;
  fault = how;
  fmlp_status status = compute.backend->monte_carlo(compute.device, &job, &totals, &error);
  assert_int_equal(status, how == NOTHING ? FMLP_OK : FMLP_ERR_DEVICE);
  const fmlp_buffer *all[] = {job.pnl, job.final_capital, job.max_drawdown, job.trades_used, job.outcome};
  /* The damaged byte counts on to its old value, so that freeing finds nothing. */
  for (int i = 0; i < 255; i++) {
    if (how == OVERRUN) scribble((unsigned char *)job.final_capital->data + 40);
    if (how == UNDERRUN) scribble((unsigned char *)job.final_capital->data - 1);
  }
  for (size_t b = 0; b < 5; b++) buffer_end(&compute, all[b]);
  fmlp_compute_close(&compute);
  return error.text;
}

static void paranoid_finds_what_an_operation_does_wrong(void **state) {
  (void)state;
  assert_string_equal(finding(NOTHING), "");
  assert_non_null(
      strstr(finding(OVERRUN), "after monte_carlo: byte 40 of a buffer of 40 bytes was overwritten"));
  assert_non_null(strstr(finding(UNDERRUN), "byte -1 of a buffer of 40 bytes was overwritten"));
  assert_non_null(strstr(finding(UNWRITTEN), "left final_capital[2] unwritten"));
  assert_non_null(strstr(finding(CHANGES_INPUT), "changed its input pnl"));
  assert_non_null(strstr(finding(NOT_CANONICAL), "final_capital[0] = 8000000000000000 is not canonical"));
  assert_string_equal(finding(FAILS), "the device fell off the bus");
}

static void paranoid_finds_what_a_caller_does_wrong(void **state) {
  (void)state;
  fmlp_compute compute = open_compute("paranoid");
  const fmlp_backend *b = compute.backend;
  fmlp_error error = {""};
  char out[8];
  fmlp_buffer *buffer = buffer_empty(&compute, 8);
  assert_int_equal(b->upload(compute.device, buffer, 0, "abcd", 4, &error), FMLP_OK);
  assert_int_equal(b->download(compute.device, buffer, 0, out, 4, &error), FMLP_OK);
  assert_int_equal(b->download(compute.device, buffer, 2, out, 4, &error), FMLP_ERR_DEVICE);
  assert_non_null(strstr(error.text, "byte 4, which was never written"));

  int32_t numbers[2] = {1, 2};
  fmlp_buffer *in = buffer_of(&compute, numbers, 8);
  fmlp_barrier_search job = {.side = 1,
                             .bars = 2,
                             .high = in,
                             .low = in,
                             .events = 1,
                             .start_bar = in,
                             .target = in,
                             .stop = in,
                             .last_bar = in,
                             .outcome = buffer,
                             .exit_bar = buffer};
  assert_int_equal(b->barrier_search(compute.device, &job, &error), FMLP_ERR_DEVICE);
  assert_non_null(strstr(error.text, "outcome and exit_bar are the same buffer"));
  job.exit_bar = in;
  assert_int_equal(b->barrier_search(compute.device, &job, &error), FMLP_ERR_DEVICE);
  assert_non_null(strstr(error.text, "are the same buffer"));
  fmlp_buffer *result = buffer_empty(&compute, 4);
  job.exit_bar = result;
  job.bars = 3;
  assert_int_equal(b->barrier_search(compute.device, &job, &error), FMLP_ERR_DEVICE);
  assert_non_null(strstr(error.text, "high has 8 bytes, of which 12 are needed"));
  job.bars = 2;
  job.low = result;
  assert_int_equal(b->barrier_search(compute.device, &job, &error), FMLP_ERR_DEVICE);
  buffer_end(&compute, result);
  job.low = in;
  assert_int_equal(b->barrier_search(compute.device, &job, &error), FMLP_ERR_DEVICE);
  assert_non_null(strstr(error.text, "exit_bar is no live buffer"));
  buffer_end(&compute, buffer);
  buffer_end(&compute, in);
  buffer_end(&compute, in);
  assert_int_equal(b->sync(compute.device, &error), FMLP_ERR_DEVICE);
  assert_non_null(strstr(error.text, "a buffer that is not there was freed"));
  fmlp_compute_close(&compute);
}

static void a_read_of_a_buffer_never_written_is_found(void **state) {
  (void)state;
  fmlp_compute compute = open_compute("paranoid");
  fmlp_error error = {""};
  double pnl[2] = {1, 2};
  fmlp_monte_carlo job = {.kind = FMLP_MC_IID,
                          .paths = 1,
                          .trades = 3,
                          .max_trades = 1,
                          .initial_capital = 1.0,
                          .pnl = buffer_empty(&compute, 24),
                          .final_capital = buffer_empty(&compute, 8),
                          .max_drawdown = buffer_empty(&compute, 8),
                          .trades_used = buffer_empty(&compute, 4),
                          .outcome = buffer_empty(&compute, 1)};
  fmlp_monte_carlo_totals totals;
  fmlp_buffer *input = (fmlp_buffer *)(uintptr_t)job.pnl;
  assert_int_equal(compute.backend->upload(compute.device, input, 0, pnl, 16, &error), FMLP_OK);
  assert_int_equal(compute.backend->monte_carlo(compute.device, &job, &totals, &error), FMLP_ERR_DEVICE);
  assert_non_null(strstr(error.text, "pnl[2] is read but was never written"));
  const fmlp_buffer *all[] = {job.pnl, job.final_capital, job.max_drawdown, job.trades_used, job.outcome};
  for (size_t i = 0; i < 5; i++) buffer_end(&compute, all[i]);
  fmlp_compute_close(&compute);
}
#endif

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_reference_comes_first_and_every_slot_is_filled),
    cmocka_unit_test(a_device_is_chosen_by_name_and_a_missing_one_is_no_fallback),
    cmocka_unit_test(a_name_that_is_none_is_a_usage_error),
    cmocka_unit_test(buffers_keep_their_bytes_and_their_bounds),
    cmocka_unit_test(allocation_failures_leave_nothing_behind),
#if FMLP_HAVE_PARANOID
    cmocka_unit_test(paranoid_finds_what_an_operation_does_wrong),
    cmocka_unit_test(paranoid_finds_what_a_caller_does_wrong),
    cmocka_unit_test(a_read_of_a_buffer_never_written_is_found),
#endif
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
