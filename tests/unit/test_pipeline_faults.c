/* The whole pipeline with its n-th allocation failing: one clear error, nothing leaked (under the address
 * sanitizer), nothing left on disk. */
#define _XOPEN_SOURCE 700
#include "tests/cmocka_fmlp.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config/config.h"
#include "common/core/memory.h"
#include "common/pipeline.h"

enum {
  TICKS = 2500,
  MOST_RUNS = 120, /* spread over the allocations of one run */
  MOST_OVERRIDES = 24
};

static char dir[64];

static const char *inside(const char *name) {
  static char path[128];
  (void)snprintf(path, sizeof path, "%s/%s", dir, name);
  return path;
}

static int setup(void **state) {
  (void)state;
  (void)snprintf(dir, sizeof dir, "/tmp/fmlp_faults_XXXXXX");
  if (!mkdtemp(dir)) return -1;
  FILE *file = fopen(inside("ticks.csv"), "w");
  if (!file) return -1;
  (void)fputs("timestamp,askPrice,bidPrice,askVolume,bidVolume\n", file);
  uint32_t seed = 12345;
  int price = 110000;
  for (int i = 0; i < TICKS; i++) {
    seed = seed * 1664525U + 1013904223U;
    price += (int)(seed >> 16) % 7 - 3;
    (void)fprintf(file, "%lld,%d.%05d,%d.%05d,%d,%d\n", 1704672000000LL + i * 1000LL, (price + 2) / 100000,
                  (price + 2) % 100000, price / 100000, price % 100000, (int)(seed >> 20) % 50, i % 9);
  }
  return fclose(file);
}

static int teardown(void **state) {
  (void)state;
  char command[128];
  (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
  return system(command) == 0 ? 0 : -1;
}

/* Entries of the test's folder. */
static int entries(void) {
  int count = 0;
  DIR *folder = opendir(dir);
  assert_non_null(folder);
  for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) count++;
  assert_int_equal(closedir(folder), 0);
  return count - 2;
}

static fmlp_config *settings(const char *const *more) {
  char path[160];
  (void)snprintf(path, sizeof path, "data.path=%s", inside("ticks.csv"));
  const char *overrides[MOST_OVERRIDES] = {path,
                                           "bars.threshold=10",
                                           "session.session_end='24:00'",
                                           "labeling.volatility.window=10",
                                           "validation.embargo_bars=2",
                                           "validation.n_groups=3",
                                           "validation.n_test_groups=1",
                                           "model.params.n_estimators=2",
                                           "model.params.max_depth=2",
                                           "risk.monte_carlo.n_sims=20",
                                           "backtest.min_minutes_to_close=0",
                                           "runtime.device=cpu",
                                           "runtime.log_level=error"};
  int32_t count = 13;
  while (*more) overrides[count++] = *more++;
  fmlp_config_request request = {
      .config_dir = FMLP_SOURCE_DIR "/configs", .override_count = count, .overrides = overrides};
  fmlp_config *config = NULL;
  fmlp_error error = {""};
  if (fmlp_config_load(&request, &config, &error) != FMLP_OK) fail_msg("%s", error.text);
  return config;
}

/* One run with the n-th allocation failing (0: none); true when it did not matter, because there were fewer.
 */
static bool run_failing(const fmlp_pipeline_request *request, int64_t nth, int before) {
  fmlp_error error = {""};
  fmlp_memory_fail_at(nth);
  fmlp_status status = fmlp_pipeline_run(request, &error);
  fmlp_memory_fail_at(0);
  if (status == FMLP_OK) return true;
  if (nth == 0) fail_msg("without a fault: %s", error.text);
  if (status != FMLP_ERR_OTHER || !strstr(error.text, "memory") || strchr(error.text, '\n')) {
    fail_msg("allocation %lld: status %d, '%s'", (long long)nth, (int)status, error.text);
  }
  if (entries() != before) fail_msg("allocation %lld: something is left in the folder", (long long)nth);
  return false;
}

static void remove_run(void) {
  char command[160];
  (void)snprintf(command, sizeof command, "rm -rf '%s'", inside("run"));
  assert_int_equal(system(command), 0);
}

/* Every stage that this build has. */
static const char *const every_stage = FMLP_HAVE_MODEL ? NULL : "read,clean,bars,features,labels,validation";

static void fail_everywhere(const char *const *more, const char *stages, const char *from) {
  fmlp_config *config = settings(more);
  char run_dir[128];
  (void)snprintf(run_dir, sizeof run_dir, "%s", inside("run"));
  fmlp_pipeline_request request = {
      .config = config, .stages = stages, .from = from, .run_dir = run_dir, .quiet = true};
  int before = entries();
  int64_t most = 64;
  while (!run_failing(&request, most, before)) most *= 2;
  remove_run();
  int64_t stride = most / MOST_RUNS + 1, runs = 0;
  bool done = false;
  for (int64_t nth = 1; !done; nth += nth < 32 ? 1 : stride) {
    done = run_failing(&request, nth, before);
    runs++;
  }
  assert_true(runs > 32);
  fmlp_config_free(config);
}

static void a_failing_allocation_ends_a_run_on_one_thread(void **state) {
  (void)state;
  fail_everywhere((const char *const[]){"runtime.threads=1", NULL}, every_stage, NULL);
  remove_run();
}

static void a_failing_allocation_ends_a_run_on_two_threads(void **state) {
  (void)state;
  fail_everywhere((const char *const[]){"runtime.threads=2", "bars.type=volume", "bars.threshold=300",
                                        "labeling.distance_mode=mfe_mae", "labeling.mfe_mae.window=10",
                                        "validation.cv_type=walk_forward", "validation.n_splits=2", NULL},
                  every_stage, NULL);
  remove_run();
}

static void a_failing_allocation_ends_a_run_from_a_finished_one(void **state) {
  (void)state;
  if (!FMLP_HAVE_MODEL) skip(); /* it loads a model's results */
  const char *const more[] = {"runtime.threads=1", NULL};
  char from[128];
  (void)snprintf(from, sizeof from, "%s", inside("finished"));
  fmlp_config *config = settings(more);
  fmlp_pipeline_request request = {.config = config, .run_dir = from, .quiet = true};
  assert_true(run_failing(&request, 0, entries()));
  fmlp_config_free(config);
  fail_everywhere(more, "backtest,risk,report", from);
  remove_run();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_failing_allocation_ends_a_run_on_one_thread),
      cmocka_unit_test(a_failing_allocation_ends_a_run_on_two_threads),
      cmocka_unit_test(a_failing_allocation_ends_a_run_from_a_finished_one),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
