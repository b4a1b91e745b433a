/* Rolling extremes on the device against the reference where whole plans do not lead: many windows a launch,
 * ranges in the middle of a column, small blocks whose windows go through segments. Device memory of simt is
 * host memory: every array here is just as large as it must be, for the sanitizers. */
#include "tests/cmocka_fmlp.h"

#include "cuda/rolling_kernels.h"
#include "tests/equivalence/cases_rolling.h"
#include "tests/unit/rolling_fixture.h"

enum { ROWS = 9000, WINDOWS = 12, OPERATORS = 5, TARGETS = WINDOWS * OPERATORS };

static const int64_t windows[WINDOWS] = {1, 2, 9, 10, 19, 130, 288, 289, 700, 3000, 7777, 10000};

typedef struct column {
  double x[ROWS], want[TARGETS][ROWS];
} column;

static void fill(column *c, fmlp_case_data data) {
  fmlp_rolling_node nodes[TARGETS];
  double *input = c->x, *outputs[TARGETS];
  fmlp_case_fill(data, ROWS, FMLP_CASE_SEED, c->x);
  for (int32_t k = 0; k < TARGETS; k++) {
    nodes[k] = (fmlp_rolling_node){.op = (fmlp_operator)(FMLP_OP_MIN + k % OPERATORS),
                                   .b = -1,
                                   .window = windows[k / OPERATORS],
                                   .output = k};
    outputs[k] = c->want[k];
  }
  const fmlp_rolling_plan plan = {
      .input_count = 1, .node_count = TARGETS, .output_count = TARGETS, .nodes = nodes};
  rolling_reference(&plan, ROWS, &input, outputs);
}

/* Rows [first, last) of the targets whose bit is set in `ops`, from no more of the column than they need. */
static void check_range(fmlp_device *device, const column *c, int64_t first, int64_t last, unsigned ops,
                        int64_t widest) {
  fmlp_gpu_target targets[TARGETS];
  int32_t which[TARGETS], count = 0;
  fmlp_error error = {""};
  for (int32_t k = 0; k < TARGETS; k++) {
    const int64_t window = windows[k / OPERATORS];
    if (!(ops >> k % OPERATORS & 1) || window > widest) continue;
    which[count] = k;
    targets[count] = (fmlp_gpu_target){.values = rows_new(last - first),
                                       .first = first,
                                       .window = window,
                                       .op = FMLP_OP_MIN + k % OPERATORS};
    count++;
  }
  const int64_t start = first > widest - 1 ? first - (widest - 1) : 0;
  double *x = rows_of(c->x, start, last);
  fmlp_gpu_rolling_job job = {
      .first = first, .last = last, .a = {x, start}, .target_count = count, .targets = targets};
  const size_t scratch = fmlp_gpu_rolling_extremes_scratch(device, &job);
  job.scratch = malloc(scratch > 0 ? scratch : 1);
  if (fmlp_gpu_rolling_extremes(device, &job, &error) != FMLP_OK || fmlp_gpu_sync(device, &error) != FMLP_OK)
    fail_msg("%s", error.text);
  for (int32_t k = 0; k < count; k++) {
    for (int64_t row = first; row < last; row++) {
      const double got = targets[k].values[row - first], want = c->want[which[k]][row];
      if (fmlp_bits_of(got) == fmlp_bits_of(want)) continue;
      fail_msg("%s(%lld) of rows %lld .. %lld, row %lld, %d threads: %a is not %a",
               fmlp_operators[targets[k].op].name, (long long)targets[k].window, (long long)first,
               (long long)last, (long long)row, (int)device->tuning.threads, got, want);
    }
    free(targets[k].values);
  }
  free(job.scratch);
  free(x);
}

static void every_range_of_a_column_is_as_the_reference(void **state) {
  (void)state;
  static const fmlp_case_data sets[] = {FMLP_DATA_WALK, FMLP_DATA_TIES, FMLP_DATA_GAPS};
  static const int32_t threads[] = {0, 32, 64, 96, 256, 1024};
  static const struct {
    int64_t first, last;
  } ranges[] = {{0, ROWS}, {0, 1}, {1, 2}, {287, 290}, {4000, 4700}, {8999, ROWS}, {2345, 8765}};
  static column c;
  uint64_t seed = 1;
  for (size_t d = 0; d < sizeof sets / sizeof *sets; d++) {
    fill(&c, sets[d]);
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
      fmlp_device *device = open_simt(&(fmlp_simt_setup){.seed = seed++}, threads[t]);
      for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
        static const unsigned ops[] = {0x1f, 0x01, 0x02, 0x04, 0x18};
        check_range(device, &c, ranges[r].first, ranges[r].last, ops[(d + t + r) % 5], 10000);
        check_range(device, &c, ranges[r].first, ranges[r].last, ops[(d + t + r + 1) % 5], r % 2 ? 288 : 130);
      }
      close_simt(device);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_range_of_a_column_is_as_the_reference)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
