/* Exponential averages on the device against the reference: state from chunk to chunk, whatever their size,
 * and NaN where blocks and super-blocks begin. Device memory of simt is host memory: every array here is just
 * as large as it must be, for the sanitizers. */
#include "tests/cmocka_fmlp.h"

#include "cuda/rolling_kernels.h"
#include "tests/equivalence/cases_rolling.h"
#include "tests/unit/rolling_fixture.h"

enum { SUPER = 4096, MOST_ROWS = 40000 };

static fmlp_device *device;

static void reference(fmlp_operator op, double alpha, double *x, int64_t rows, double *want) {
  const fmlp_rolling_node node = {.op = op, .b = -1, .parameter = alpha};
  const fmlp_rolling_plan plan = {.input_count = 1, .node_count = 1, .output_count = 1, .nodes = &node};
  rolling_reference(&plan, rows, &x, &want);
}

/* Rows [first, last), the next of their column. */
static void run_chunk(fmlp_operator op, double alpha, const double *column, int64_t first, int64_t last,
                      void *state, const double *want) {
  fmlp_error error = {""};
  const int64_t start = first > FMLP_GPU_RECURSIVE_LOOKBACK ? first - FMLP_GPU_RECURSIVE_LOOKBACK : 0;
  double *x = rows_of(column, start, last), *got = rows_new(last - first);
  const fmlp_gpu_target target = {.values = got, .first = first, .parameter = alpha, .op = (int32_t)op};
  fmlp_gpu_rolling_job job = {
      .first = first, .last = last, .a = {x, start}, .target_count = 1, .targets = &target, .state = state};
  job.scratch = malloc(fmlp_gpu_rolling_ema_scratch(device, &job));
  assert_non_null(job.scratch);
  if (fmlp_gpu_rolling_ema(device, &job, &error) != FMLP_OK || fmlp_gpu_sync(device, &error) != FMLP_OK)
    fail_msg("%s", error.text);
  for (int64_t row = first; row < last; row++) {
    if (fmlp_bits_of(got[row - first]) == fmlp_bits_of(want[row])) continue;
    fail_msg("%s, alpha %a, rows %lld .. %lld, row %lld, %d threads: %a is not %a", fmlp_operators[op].name,
             alpha, (long long)first, (long long)last, (long long)row, (int)device->tuning.threads,
             got[row - first], want[row]);
  }
  free(job.scratch);
  free(got);
  free(x);
}

static void check(double *x, int64_t rows, double alpha, int64_t chunk) {
  static double want[MOST_ROWS];
  for (int i = 0; i < 2; i++) {
    const fmlp_operator op = i == 0 ? FMLP_OP_EMA : FMLP_OP_EWM_STD;
    void *state = calloc(1, FMLP_GPU_RECURSIVE_STATE);
    assert_non_null(state);
    reference(op, alpha, x, rows, want);
    for (int64_t first = 0; first < rows; first += chunk) {
      run_chunk(op, alpha, x, first, first + chunk < rows ? first + chunk : rows, state, want);
    }
    free(state);
  }
}

static void use_threads(int32_t threads, uint64_t seed) {
  fmlp_gpu_close(device);
  device = open_simt(&(fmlp_simt_setup){.seed = seed}, threads);
}

/* A walk with r0 = `origin` and NaN in the listed ranges of rows behind it. */
static void walk_with_gaps(int64_t rows, int64_t origin, const int64_t (*gaps)[2], int32_t count, double *x) {
  fmlp_case_fill(FMLP_DATA_WALK, rows, FMLP_CASE_SEED + (uint64_t)origin, x);
  for (int64_t i = 0; i < origin && i < rows; i++) x[i] = fmlp_nan();
  for (int32_t g = 0; g < count; g++) {
    for (int64_t i = origin + gaps[g][0]; i < origin + gaps[g][1] && i < rows; i++) x[i] = fmlp_nan();
  }
}

static const double alphas[] = {2.0 / 21.0, 2.0 / 5001.0, 1.0, 1e-9, 0.75};
static const int32_t threads[] = {0, 32, 64, 96, 256, 1024};

static void every_length_and_chunk(void **unused) {
  (void)unused;
  static double x[MOST_ROWS];
  static const int64_t lengths[] = {1, 63, 64, 65, 4095, 4096, 4097, 12289, MOST_ROWS};
  static const int64_t chunks[] = {1, 7, 64, 4095, 4096, 5000, MOST_ROWS};
  uint64_t turn = 0;
  for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
    for (size_t c = 0; c < sizeof chunks / sizeof *chunks; c++) {
      if (lengths[l] / chunks[c] > 100) continue;
      use_threads(threads[turn % 6], turn);
      fmlp_case_fill((fmlp_case_data)(turn % FMLP_DATA_COUNT), lengths[l], FMLP_CASE_SEED, x);
      check(x, lengths[l], alphas[turn % 5], chunks[c]);
      turn++;
    }
  }
}

static void nan_at_the_seams(void **unused) {
  (void)unused;
  static double x[MOST_ROWS];
  static const int64_t gaps[][2] = {{1, 2},
                                    {63, 64},
                                    {64, 65},
                                    {127, 193},
                                    {SUPER - 1, SUPER + 1},
                                    {2 * SUPER, 2 * SUPER + 1},
                                    {2 * SUPER + 60, 3 * SUPER + 70},
                                    {4 * SUPER, 5 * SUPER},
                                    {6 * SUPER - 5, 7 * SUPER + 4095}};
  static const int64_t origins[] = {0, 1, 31, 64, 700, 4095, 4096, 9000};
  static const int64_t chunks[] = {MOST_ROWS, 997, 4096, 5000, 1023};
  uint64_t turn = 0;
  for (size_t o = 0; o < sizeof origins / sizeof *origins; o++) {
    walk_with_gaps(MOST_ROWS, origins[o], gaps, sizeof gaps / sizeof *gaps, x);
    for (int i = 0; i < 3; i++, turn++) {
      use_threads(threads[turn % 6], turn);
      check(x, MOST_ROWS, alphas[turn % 5], chunks[(turn + o) % 5]);
    }
  }
  walk_with_gaps(10000, 10000, NULL, 0, x);
  check(x, 10000, alphas[0], 10000);
  check(x, 10000, alphas[0], 999);
}

static void chunks_of_one_row_over_a_seam(void **unused) {
  (void)unused;
  static double x[SUPER + 200];
  static double want[SUPER + 200];
  static const int64_t gaps[][2] = {{SUPER - 3, SUPER + 2}, {SUPER + 64, SUPER + 66}};
  use_threads(64, 5);
  walk_with_gaps(SUPER + 200, 5, gaps, 2, x);
  for (int i = 0; i < 2; i++) {
    const fmlp_operator op = i == 0 ? FMLP_OP_EMA : FMLP_OP_EWM_STD;
    void *state = calloc(1, FMLP_GPU_RECURSIVE_STATE);
    reference(op, 0.1, x, SUPER + 200, want);
    run_chunk(op, 0.1, x, 0, SUPER - 10, state, want);
    for (int64_t row = SUPER - 10; row < SUPER + 200; row++) run_chunk(op, 0.1, x, row, row + 1, state, want);
    free(state);
  }
}

static int teardown(void **unused) {
  (void)unused;
  close_simt(device);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_length_and_chunk),
                                     cmocka_unit_test(nan_at_the_seams),
                                     cmocka_unit_test(chunks_of_one_row_over_a_seam)};
  return cmocka_run_group_tests(tests, NULL, teardown);
}
