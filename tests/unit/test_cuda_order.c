/* Order statistics on the device against the reference where whole plans do not lead: several targets of one
 * window in a job, ranges in the middle of a column, tiles in shared memory of any size and in global memory,
 * differences that overflow. Every array is just as large as it must be, for the sanitizers. */
#include "tests/cmocka_fmlp.h"

#include "cuda/rolling_kernels.h"
#include "tests/equivalence/cases_rolling.h"
#include "tests/unit/rolling_fixture.h"

enum { ROWS = 12000, TARGETS = 6 };

/* q: the ends, between two values, and on one. */
static const struct {
  fmlp_operator op;
  double q;
} operators[TARGETS] = {{FMLP_OP_MEDIAN, 0},     {FMLP_OP_RANK, 0},       {FMLP_OP_QUANTILE, 0},
                        {FMLP_OP_QUANTILE, 0.9}, {FMLP_OP_QUANTILE, 1.0}, {FMLP_OP_QUANTILE, 0.25}};

typedef struct column {
  int64_t window;
  double x[ROWS], want[TARGETS][ROWS];
} column;

static void fill(column *c) {
  fmlp_rolling_node nodes[TARGETS];
  double *input = c->x, *outputs[TARGETS];
  for (int32_t k = 0; k < TARGETS; k++) {
    nodes[k] = (fmlp_rolling_node){
        .op = operators[k].op, .b = -1, .window = c->window, .parameter = operators[k].q, .output = k};
    outputs[k] = c->want[k];
  }
  const fmlp_rolling_plan plan = {
      .input_count = 1, .node_count = TARGETS, .output_count = TARGETS, .nodes = nodes};
  rolling_reference(&plan, ROWS, &input, outputs);
}

/* Rows [first, last) of targets [from, to), from no more of the column than they need. */
static void check_range(fmlp_device *device, const column *c, int64_t first, int64_t last, int32_t from,
                        int32_t to) {
  fmlp_gpu_target targets[TARGETS];
  fmlp_error error = {""};
  for (int32_t k = from; k < to; k++) {
    targets[k] = (fmlp_gpu_target){.values = rows_new(last - first),
                                   .first = first,
                                   .window = c->window,
                                   .parameter = operators[k].q,
                                   .op = (int32_t)operators[k].op};
  }
  const int64_t start = first > c->window - 1 ? first - (c->window - 1) : 0;
  double *x = rows_of(c->x, start, last);
  fmlp_gpu_rolling_job job = {
      .first = first, .last = last, .a = {x, start}, .target_count = to - from, .targets = targets + from};
  const size_t scratch = fmlp_gpu_rolling_order_scratch(device, &job);
  job.scratch = aligned_alloc(256, scratch > 0 ? scratch : 256);
  if (fmlp_gpu_rolling_order(device, &job, &error) != FMLP_OK || fmlp_gpu_sync(device, &error) != FMLP_OK)
    fail_msg("%s", error.text);
  for (int32_t k = from; k < to; k++) {
    for (int64_t row = first; row < last; row++) {
      const double got = targets[k].values[row - first], want = c->want[k][row];
      if (fmlp_bits_of(got) == fmlp_bits_of(want)) continue;
      fail_msg("%s(%lld, %g) of rows %lld .. %lld, row %lld, %d threads: %a is not %a",
               fmlp_operators[targets[k].op].name, (long long)c->window, operators[k].q, (long long)first,
               (long long)last, (long long)row, (int)device->tuning.threads, got, want);
    }
    free(targets[k].values);
  }
  free(job.scratch);
  free(x);
}

static void check_column(const column *c, int32_t threads, int64_t shared, uint64_t seed) {
  static const struct {
    int64_t first, last;
  } ranges[] = {{0, ROWS}, {0, 1}, {1, 2}, {699, 703}, {11999, ROWS}, {2345, 4765}};
  fmlp_device *device = open_simt(&(fmlp_simt_setup){.seed = seed, .shared_per_block = shared}, threads);
  for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
    const int32_t from = (int32_t)((seed + r) % TARGETS);
    check_range(device, c, ranges[r].first, ranges[r].last, r == 0 ? 0 : from, r == 0 ? TARGETS : from + 1);
  }
  close_simt(device);
}

static void every_range_of_a_column_is_as_the_reference(void **state) {
  (void)state;
  static const fmlp_case_data sets[] = {FMLP_DATA_WALK, FMLP_DATA_TIES, FMLP_DATA_GAPS, FMLP_DATA_DENORMAL};
  static const int64_t windows[] = {1, 2, 20, 31, 32, 33, 701, 890, 1700, 5000, 11999, 13000};
  static const int32_t threads[] = {0, 32, 96, 1024, 256};
  static const int64_t shared[] = {0, 0, 20 << 10, 227 << 10}; /* 20 KiB: 890 rows go to global memory */
  static column c;
  uint64_t seed = 0;
  for (size_t d = 0; d < sizeof sets / sizeof *sets; d++) {
    fmlp_case_fill(sets[d], ROWS, FMLP_CASE_SEED, c.x);
    for (size_t w = 0; w < sizeof windows / sizeof *windows; w++, seed++) {
      c.window = windows[w];
      fill(&c);
      check_column(&c, threads[seed % 5], shared[(w + d) % 4], seed);
    }
  }
}

/* Where hi - lo overflows, 0 times it is NaN in the reference. */
static void values_at_the_ends_of_the_range_are_as_in_the_reference(void **state) {
  (void)state;
  static column c;
  static const double ends[] = {
      -0x1.fffffffffffffp1023, -0x1p1023, -0x1p1022, -1, 0, 5e-324, 0x1p1022, 0x1p1023,
      0x1.fffffffffffffp1023};
  fmlp_case_random random = {FMLP_CASE_SEED};
  for (int64_t i = 0; i < ROWS; i++) c.x[i] = ends[fmlp_case_bits(&random) % 9];
  for (c.window = 2; c.window < 8; c.window++) {
    fill(&c);
    check_column(&c, 64, 0, (uint64_t)c.window);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_range_of_a_column_is_as_the_reference),
      cmocka_unit_test(values_at_the_ends_of_the_range_are_as_in_the_reference),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
