/* The table of fmlp verify. */
#include "common/commands/verify_table.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/core/memory.h"

static bool differs(const fmlp_output_comparison *output) {
  return output->differing > 0 || !output->in_a || !output->in_b;
}

/* A line of the table. Values are bytes of a text file; of the hashes the higher half. */
static void print_line(const fmlp_output_comparison *output, const char *name, const char *verdict) {
  printf("%-15s %-28s %10lld %10lld %12lld  %016llx  %016llx  %s\n", output->stage, name,
         (long long)output->rows, (long long)output->differing, (long long)output->differing_bits,
         (unsigned long long)output->hash_a.high, (unsigned long long)output->hash_b.high, verdict);
}

/* The equal outputs of a stage in one line, with the hashes of their hashes. */
static fmlp_status print_equal(const fmlp_run_comparison *all, const char *stage, fmlp_error *error) {
  fmlp_hash128 *hashes = NULL;
  FMLP_TRY(fmlp_alloc(&hashes, 2 * all->count, sizeof *hashes, "hashes of outputs", error));
  int64_t count = 0, last = 0;
  fmlp_output_comparison sum = {.rows = 0};
  (void)snprintf(sum.stage, sizeof sum.stage, "%s", stage);
  for (int64_t i = 0; i < all->count; i++) {
    const fmlp_output_comparison *output = &all->outputs[i];
    if (strcmp(output->stage, stage) != 0 || differs(output)) continue;
    hashes[count] = output->hash_a;
    hashes[all->count + count++] = output->hash_b;
    sum.rows += output->rows;
    last = i;
  }
  sum.hash_a = fmlp_hash(hashes, count * (int64_t)sizeof *hashes);
  sum.hash_b = fmlp_hash(hashes + all->count, count * (int64_t)sizeof *hashes);
  fmlp_free(hashes);
  char name[40];
  (void)snprintf(name, sizeof name, "%lld outputs", (long long)count);
  if (count == 1) {
    print_line(&all->outputs[last], all->outputs[last].column, "equal");
  } else if (count > 1) {
    print_line(&sum, name, "equal");
  }
  return FMLP_OK;
}

fmlp_status fmlp_verify_print(const char *a, const char *b, const fmlp_run_comparison *comparison,
                              fmlp_error *error) {
  printf("\n%s against %s\n%-15s %-28s %10s %10s %12s  %-16s  %-16s\n", a, b, "stage", "column", "values",
         "differing", "bits", "XXH3", "XXH3");
  for (int64_t i = 0; i < comparison->count; i++) {
    const char *stage = comparison->outputs[i].stage;
    bool first = true;
    for (int64_t before = 0; before < i; before++) {
      first = first && strcmp(comparison->outputs[before].stage, stage) != 0;
    }
    if (!first) continue;
    FMLP_TRY(print_equal(comparison, stage, error));
    for (int64_t other = i; other < comparison->count; other++) {
      const fmlp_output_comparison *output = &comparison->outputs[other];
      if (strcmp(output->stage, stage) != 0 || !differs(output)) continue;
      print_line(output, output->column, output->in_a && output->in_b ? "DIFFERS" : "MISSING ON ONE SIDE");
    }
  }
  printf("%lld outputs, %lld differ; verify.json has each of them\n", (long long)comparison->count,
         (long long)comparison->differing_outputs);
  return FMLP_OK;
}
