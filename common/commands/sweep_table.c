/* The table of a sweep. */
#include "common/commands/sweep_table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void print_count(int width, int64_t count) {
  if (count < 0) {
    printf(" %*s", width, "-");
  } else {
    printf(" %*lld", width, (long long)count);
  }
}

static void print_number(int width, int decimals, double value) {
  if (isnan(value)) {
    printf(" %*s", width, "-");
  } else {
    printf(" %*.*f", width, decimals, value);
  }
}

static bool varies(int32_t override, int32_t job_count, char ***jobs) {
  for (int32_t job = 1; job < job_count; job++) {
    if (strcmp(jobs[job][override], jobs[0][override]) != 0) return true;
  }
  return false;
}

void fmlp_sweep_print(int32_t count, const fmlp_run_headline *headlines, int32_t job_count,
                      int32_t override_count, char ***jobs) {
  printf("\n%5s %8s %8s %6s %7s %9s %15s %7s  %s\n", "job", "bars", "labels", "AUC", "trades", "return %",
         "max drawdown %", "Sharpe", "overrides");
  for (int32_t job = 0; job < count; job++) {
    const fmlp_run_headline *headline = &headlines[job];
    printf("%5d", (int)job);
    print_count(8, headline->bars);
    print_count(8, headline->labels);
    print_number(6, 3, headline->auc);
    print_count(7, headline->trades);
    print_number(9, 2, 100.0 * headline->total_return);
    print_number(15, 2, 100.0 * headline->max_drawdown);
    print_number(7, 2, headline->sharpe);
    printf(" ");
    for (int32_t i = 0; i < override_count; i++) {
      if (varies(i, job_count, jobs)) printf(" %s", jobs[job][i]);
    }
    printf("\n");
  }
}
