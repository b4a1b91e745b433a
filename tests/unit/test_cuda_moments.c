/* Moments and pairs on the device against the reference where whole plans do not lead: many targets a launch,
 * ranges in the middle of a column, tiles that carry from one to the next, windows wider than a tile, blocks
 * of 96 threads, little shared memory. Device memory of simt is host memory: every array here is just as
 * large as it must be, for the sanitizers. */
#include "tests/cmocka_fmlp.h"

#include "cuda/rolling_kernels.h"
#include "tests/equivalence/cases_rolling.h"
#include "tests/unit/rolling_fixture.h"

enum { ROWS = 7000, TARGETS = 40, LAG = 1500 };

/* What a job computes: `count` targets with windows from `table`, operators [op, op + ops) in turn. */
typedef struct job_case {
  fmlp_operator op;
  int32_t ops, count;
  int64_t lag;
  int64_t windows[16]; /* ascending, ended by 0 */
  int64_t rows;
} job_case;

static const job_case cases[] = {
    {FMLP_OP_SUM, 2, 4, 0, {1, 2, 3, 64}, ROWS},
    {FMLP_OP_SUM, 9, TARGETS, 0, {4, 5, 20, 31, 32, 33, 64, 100, 127, 255}, ROWS},
    {FMLP_OP_SUM, 5, 30, 0, {20, 63, 100, 256, 300, 333, 511, 900, 1023, 1024, 6999, 7001}, ROWS},
    {FMLP_OP_MEAN, 1, 1, 0, {77}, 2 * ROWS},
    {FMLP_OP_SUM, 1, 1, 0, {300}, 8 * ROWS}, /* several tiles a block */
    {FMLP_OP_SUM, 1, 1, 0, {479}, 6 * ROWS},
    {FMLP_OP_SUM, 1, 1, 0, {2048}, 2 * ROWS},
    {FMLP_OP_SUM, 1, 1, 0, {5000}, 2 * ROWS},
    {FMLP_OP_SKEW, 4, 24, 0, {4, 7, 150, 400, 1000, 3333}, ROWS},
    {FMLP_OP_COV, 3, 24, 0, {2, 3, 20, 33, 127, 128, 500, 3000}, ROWS},
    {FMLP_OP_COV, 1, 5, 0, {2, 60, 70, 80, 90}, ROWS},
    {FMLP_OP_AUTOCORR, 1, 6, 3, {2, 20, 129, 500, 5000, 6998}, ROWS},
    {FMLP_OP_AUTOCORR, 1, 4, LAG, {20, 129, 500, 2000}, ROWS},
};

static double columns[2][8 * ROWS], want[TARGETS][8 * ROWS];
static fmlp_rolling_node nodes[TARGETS];

static void fill(const job_case *c, fmlp_case_data data) {
  double *inputs[2] = {columns[0], columns[1]}, *outputs[TARGETS];
  for (int i = 0; i < 2; i++) {
    fmlp_case_fill(i == 0 ? data : FMLP_DATA_WALK, c->rows, FMLP_CASE_SEED + (uint64_t)i, columns[i]);
  }
  int32_t windows = 0;
  while (windows < 16 && c->windows[windows] > 0) windows++;
  for (int32_t k = 0; k < c->count; k++) {
    nodes[k] = (fmlp_rolling_node){.op = (fmlp_operator)((int32_t)c->op + k % c->ops),
                                   .b = c->op >= FMLP_OP_COV && c->op != FMLP_OP_AUTOCORR ? 1 : -1,
                                   .window = c->windows[(int64_t)k * windows / c->count],
                                   .lag = c->lag,
                                   .output = k};
    outputs[k] = want[k];
  }
  const fmlp_rolling_plan plan = {
      .input_count = 2, .node_count = c->count, .output_count = c->count, .nodes = nodes};
  rolling_reference(&plan, c->rows, inputs, outputs);
}

/* Rows [first, last) from no more of the columns than they need. */
static void check_range(fmlp_device *device, const job_case *c, int64_t first, int64_t last) {
  fmlp_gpu_target targets[TARGETS];
  fmlp_error error = {""};
  for (int32_t k = 0; k < c->count; k++) {
    targets[k] = (fmlp_gpu_target){.values = rows_new(last - first),
                                   .first = first,
                                   .window = nodes[k].window,
                                   .op = (int32_t)nodes[k].op};
  }
  int64_t start = first - (nodes[c->count - 1].window - 1);
  if (start < c->lag) start = c->lag;
  if (start > last) start = last;
  const int64_t start_a = start - c->lag > 0 ? start - c->lag : 0;
  double *a = rows_of(columns[0], start_a, last), *b = rows_of(columns[1], start, last);
  fmlp_gpu_rolling_job job = {.first = first,
                              .last = last,
                              .origin = c->lag,
                              .a = {a, start_a},
                              .b = {b, start},
                              .target_count = c->count,
                              .targets = targets};
  if (c->lag > 0) job.b = (fmlp_gpu_column){a, start_a + c->lag};
  const bool pairs = c->op >= FMLP_OP_COV;
  const size_t scratch =
      pairs ? fmlp_gpu_rolling_pairs_scratch(device, &job) : fmlp_gpu_rolling_moments_scratch(device, &job);
  job.scratch = malloc(scratch > 0 ? scratch : 1);
  fmlp_status status =
      pairs ? fmlp_gpu_rolling_pairs(device, &job, &error) : fmlp_gpu_rolling_moments(device, &job, &error);
  if (status != FMLP_OK || fmlp_gpu_sync(device, &error) != FMLP_OK) fail_msg("%s", error.text);
  for (int32_t k = 0; k < c->count; k++) {
    for (int64_t row = first; row < last; row++) {
      const double got = targets[k].values[row - first], wanted = want[k][row];
      if (fmlp_bits_of(got) == fmlp_bits_of(wanted)) continue;
      fail_msg("%s(%lld) lag %lld of rows %lld .. %lld, row %lld, %d threads: %a is not %a",
               fmlp_operators[nodes[k].op].name, (long long)nodes[k].window, (long long)c->lag,
               (long long)first, (long long)last, (long long)row, (int)device->tuning.threads, got, wanted);
    }
    free(targets[k].values);
  }
  free(job.scratch);
  free(a);
  free(b);
}

static void every_range_of_a_column_is_as_the_reference(void **state) {
  (void)state;
  static const fmlp_case_data sets[] = {FMLP_DATA_WALK, FMLP_DATA_GAPS, FMLP_DATA_HUGE, FMLP_DATA_OUTLIER};
  static const int32_t threads[] = {0, 32, 96, 1024, 64};
  static const int64_t shared[] = {0, 0, 48 << 10, 227 << 10, 16 << 10};
  uint64_t seed = 1;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const int64_t rows = cases[i].rows;
    const struct {
      int64_t first, last;
    } ranges[] = {{0, rows}, {0, 1}, {287, 290}, {rows - 700, rows}, {1234, rows - 900}};
    fill(&cases[i], sets[i % 4]);
    for (size_t t = 0; t < 5; t++) {
      const fmlp_simt_setup setup = {.seed = seed++, .shared_per_block = shared[t]};
      fmlp_device *device = open_simt(&setup, threads[t]);
      for (size_t r = 0; r < 5; r++) {
        if (r > 0 && r != 1 + (i + t) % 4) continue; /* the whole, and another in turn */
        check_range(device, &cases[i], ranges[r].first, ranges[r].last);
      }
      close_simt(device);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_range_of_a_column_is_as_the_reference)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
