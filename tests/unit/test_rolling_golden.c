/* Every rolling operator against the answers of tests/golden/rolling.py, bit by bit. */
#include "tests/cmocka_fmlp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/parallel.h"
#include "cpu/cpu.h"
#include "tests/equivalence/cases_rolling.h"

enum { LINE = 4096, ROWS = 9000 };

static fmlp_operator operator_named(const char *name) {
  for (int op = 0; op < FMLP_OP_COUNT; op++) {
    if (strcmp(name, fmlp_operators[op].name) == 0) return (fmlp_operator)op;
  }
  fail_msg("no operator %s", name);
  return FMLP_OP_COUNT;
}

static fmlp_case_data data_named(const char *name) {
  for (int kind = 0; kind < FMLP_DATA_COUNT; kind++) {
    if (strcmp(name, fmlp_case_data_names[kind]) == 0) return (fmlp_case_data)kind;
  }
  fail_msg("no data %s", name);
  return FMLP_DATA_COUNT;
}

/* A hash alone would not say where; the samples show the first few values. */
static void check_samples(const char *line, char *text, const double *got, int64_t rows, uint64_t hash) {
  int64_t at[4] = {0, rows / 3, rows / 2, rows - 1};
  int64_t count = 0;
  double want[32];
  for (char *word = strtok(text, " \n"); word && count < 32; word = strtok(NULL, " \n")) {
    want[count++] = fmlp_canonical(strtod(word, NULL));
  }
  for (int64_t k = 0; k < count; k++) {
    int64_t row = count == rows ? k : count == 2 ? rows - 2 + k : at[k];
    if (fmlp_bits_of(want[k]) != fmlp_bits_of(got[row])) {
      fail_msg("row %lld is %a, not %a: %.120s", (long long)row, got[row], want[k], line);
    }
  }
  if (fmlp_case_hash(got, rows) != hash) fail_msg("another hash though the samples agree: %.120s", line);
}

static void check_line(const char *line) {
  static double a[ROWS], b[ROWS], out[ROWS];
  char data[32], op[32], parameter[64], threshold[64];
  long long rows = 0, window = 0, lag = 0;
  unsigned long long hash = 0;
  int used = 0;
  int fields = sscanf(line, "%31s %lld %31s %lld %lld %63s %63s %llx%n", data, &rows, op, &window, &lag,
                      parameter, threshold, &hash, &used);
  assert_int_equal(fields, 8);
  assert_in_range(rows, 1, ROWS);
  fmlp_case_fill(data_named(data), rows, FMLP_CASE_SEED, a);
  fmlp_case_fill(FMLP_DATA_TIES, rows, FMLP_CASE_TIES_SEED, b);
  fmlp_case_operator wanted = {.op = operator_named(op),
                               .window = window,
                               .lag = lag,
                               .parameter = strtod(parameter, NULL),
                               .threshold = strtod(threshold, NULL)};
  fmlp_rolling_node node = fmlp_case_node(&wanted);
  fmlp_rolling_plan plan = {.input_count = 2, .node_count = 1, .output_count = 1, .nodes = &node};
  const double *inputs[2] = {a, b};
  double *outputs[1] = {out};
  fmlp_error error = {""};
  if (fmlp_rolling_validate(&plan, &error) != FMLP_OK) fail_msg("%s", error.text);
  for (int threads = 1; threads <= 2; threads++) { /* the recursions run otherwise on several */
    fmlp_threads_set(threads);
    assert_int_equal(fmlp_cpu_rolling(&plan, rows, inputs, outputs, &error), FMLP_OK);
    char text[LINE];
    strcpy(text, line + used);
    check_samples(line, text, out, rows, hash);
  }
  fmlp_threads_set(0);
}

static void every_line_of_the_golden_file_is_reproduced(void **state) {
  (void)state;
  FILE *file = fopen(FMLP_SOURCE_DIR "/tests/golden/rolling.txt", "r");
  assert_non_null(file);
  char line[LINE];
  int lines = 0;
  bool seen[FMLP_OP_COUNT] = {false};
  while (fgets(line, sizeof line, file)) {
    check_line(line);
    char op[32];
    assert_int_equal(sscanf(line, "%*s %*d %31s", op), 1);
    seen[operator_named(op)] = true;
    lines++;
  }
  fclose(file);
  assert_true(lines > 1500);
  for (int op = 0; op < FMLP_OP_COUNT; op++) {
    if (!seen[op]) fail_msg("no golden for %s", fmlp_operators[op].name);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_line_of_the_golden_file_is_reproduced),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
