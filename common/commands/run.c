/* fmlp run: the whole pipeline, once or for every job of a sweep. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/commands/commands.h"
#include "common/commands/run_arguments.h"
#include "common/commands/sweep_table.h"
#include "common/core/log.h"
#include "common/core/memory.h"
#include "common/pipeline.h"
#include "common/pipeline_plan.h"

enum { TEXT_CAPACITY = 4096 };

static void print_help(void) {
  printf("usage: fmlp run [OPTION...] [OVERRIDE...]\n"
         "\n"
         "Runs the pipeline on one file of ticks: reading, cleaning, bars, features, labels, validation, "
         "model,\n"
         "backtest, risk, report. Writes one folder, runs/<date>/<time>_<experiment.name> unless "
         "run.dir=FOLDER says\n"
         "otherwise; it appears when everything is in it.\n"
         "\n"
         "  fmlp run data.path=ticks.csv.zst\n"
         "  fmlp run data.path=ticks.csv.zst bars=time labeling=ticks labeling.tp_ticks=150\n"
         "  fmlp run data.path=ticks.csv.zst -m bars.threshold=50,100,200 model.params.max_depth=4,6\n"
         "  fmlp run --from runs/2026-01-31/12-00-00_default --stages backtest,risk,report "
         "backtest.threshold=0.55\n"
         "  fmlp run data.path=ticks.csv.zst --repeat 10\n"
         "\n"
         "options\n");
  fmlp_run_arguments_help(false);
  printf("\noverrides, as in Hydra\n"
         "  group=option         another file of a folder of configs/: bars=volume\n"
         "  key=value            another value: bars.threshold=200, features.exclude=[ma_*], data.path='my "
         "file.csv'\n"
         "  +key=value           a key that is not set yet; +group=option a group that is not in the "
         "defaults list\n"
         "  ++key=value          set or not\n"
         "  ~key                 back to the built-in default; ~group leaves a group out\n"
         "  values may hold ${other.key}, ${oc.env:NAME,default}, ${now:%%Y-%%m-%%d}\n"
         "\nstages\n ");
  for (int stage = 0; stage < FMLP_STAGE_COUNT; stage++) printf(" %s", fmlp_stage_name((fmlp_stage)stage));
  printf("\n\nenvironment\n"
         "  FMLP_DEVICE          the device where neither --device nor runtime.device is given here\n"
         "\nexit status\n"
         "  0 done, 2 usage or configuration, 3 input, 4 device, 5 a repeat gave other outputs, 130 "
         "interrupted,\n"
         "  1 anything else\n");
}

static void join(int count, char **arguments, char *text, size_t capacity) {
  size_t length = (size_t)snprintf(text, capacity, "fmlp");
  for (int i = 0; i < count && length < capacity; i++) {
    int written = snprintf(text + length, capacity - length, " %s", arguments[i]);
    if (written > 0) length += (size_t)written;
  }
}

/* Repeats are there for their times. */
static fmlp_status check_repeats(const fmlp_run_arguments *parsed, const fmlp_config *config,
                                 fmlp_error *error) {
  if (parsed->repeats == 1 || fmlp_config_settings(config)->runtime.profile) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_USAGE,
                   "run: --repeat %d measures times: it needs runtime.profile=true, which is false here",
                   (int)parsed->repeats);
}

static fmlp_status run_job(const fmlp_run_arguments *parsed, const char *const *overrides,
                           const char *run_dir, const char *command_line, fmlp_run_headline *headline,
                           fmlp_error *error) {
  fmlp_config *config = NULL;
  FMLP_TRY(fmlp_run_arguments_load(parsed, overrides, &config, error));
  fmlp_status status = check_repeats(parsed, config, error);
  if (status == FMLP_OK && parsed->print_config) {
    (void)fputs(fmlp_config_yaml(config), stdout);
  } else if (status == FMLP_OK) {
    fmlp_log_set_level(fmlp_config_settings(config)->runtime.log_level);
    fmlp_pipeline_request request = {.config = config,
                                     .stages = parsed->stages,
                                     .from = parsed->from,
                                     .run_dir = run_dir,
                                     .command_line = command_line,
                                     .headline = headline,
                                     .repeats = parsed->repeats};
    status = fmlp_pipeline_run(&request, error);
  }
  fmlp_config_free(config);
  return status;
}

/* Every job's configuration is checked before the first one starts: a sweep should not fail on its last. */
static fmlp_status check_jobs(const fmlp_run_arguments *parsed, int32_t job_count, char ***jobs,
                              fmlp_error *error) {
  for (int32_t job = 0; job < job_count; job++) {
    fmlp_config *config = NULL;
    fmlp_status status = fmlp_run_arguments_load(parsed, (const char *const *)jobs[job], &config, error);
    if (status == FMLP_OK) status = check_repeats(parsed, config, error);
    fmlp_config_free(config);
    if (status != FMLP_OK)
      return fmlp_fail_prefix(error, status, "job %d of %d", (int)job + 1, (int)job_count);
  }
  return FMLP_OK;
}

/* Where a sweep's jobs go: multirun/<date>/<time>/<job>, or <run.dir>/<job>. */
static void sweep_folder(char *text, size_t capacity) {
  time_t now = time(NULL);
  struct tm local;
  if (!localtime_r(&now, &local) || strftime(text, capacity, "multirun/%Y-%m-%d/%H-%M-%S", &local) == 0) {
    (void)snprintf(text, capacity, "multirun");
  }
}

static fmlp_status job_folder(const fmlp_run_arguments *parsed, char **job, const char *sweep, int32_t number,
                              char *text, size_t capacity, fmlp_error *error) {
  fmlp_config *config = NULL;
  FMLP_TRY(fmlp_run_arguments_load(parsed, (const char *const *)job, &config, error));
  const char *run_dir = fmlp_config_settings(config)->run_dir;
  (void)snprintf(text, capacity, "%s/%d", run_dir ? run_dir : sweep, (int)number);
  fmlp_config_free(config);
  return FMLP_OK;
}

static fmlp_status run_sweep_job(const fmlp_run_arguments *parsed, int32_t job, int32_t job_count,
                                 char **overrides, const char *folder, const char *command_line,
                                 fmlp_run_headline *headline, fmlp_error *error) {
  char label[TEXT_CAPACITY] = "";
  size_t length = 0;
  for (int32_t i = 0; i < parsed->override_count && length < sizeof label; i++) {
    int written = snprintf(label + length, sizeof label - length, "%s%s", i ? " " : "", overrides[i]);
    if (written > 0) length += (size_t)written;
  }
  if (parsed->print_config) {
    printf("%s# job %d: %s\n", job ? "---\n" : "", (int)job, label);
  } else {
    printf("job %d of %d: %s\n", (int)job + 1, (int)job_count, label);
    (void)fflush(stdout);
  }
  const fmlp_status status =
      run_job(parsed, (const char *const *)overrides, folder, command_line, headline, error);
  if (status == FMLP_OK) return FMLP_OK;
  return fmlp_fail_prefix(error, status, "job %d of %d (%s)", (int)job + 1, (int)job_count, label);
}

/* Ends with a table of the jobs that were done, also where one fails. */
static fmlp_status run_sweep(const fmlp_run_arguments *parsed, int32_t job_count, char ***jobs,
                             const char *command_line, fmlp_error *error) {
  char sweep[128], folder[TEXT_CAPACITY];
  FMLP_TRY(check_jobs(parsed, job_count, jobs, error));
  fmlp_run_headline *headlines = NULL;
  FMLP_TRY(fmlp_alloc(&headlines, job_count, sizeof *headlines, "results of the jobs", error));
  sweep_folder(sweep, sizeof sweep);
  int32_t done = 0;
  fmlp_status status = FMLP_OK;
  while (done < job_count && status == FMLP_OK) {
    status = job_folder(parsed, jobs[done], sweep, done, folder, sizeof folder, error);
    if (status == FMLP_OK) {
      status =
          run_sweep_job(parsed, done, job_count, jobs[done], folder, command_line, &headlines[done], error);
    }
    done += status == FMLP_OK;
  }
  if (done > 0 && !parsed->print_config) {
    fmlp_sweep_print(done, headlines, job_count, parsed->override_count, jobs);
  }
  fmlp_free(headlines);
  return status;
}

static fmlp_status run_parsed(const fmlp_run_arguments *parsed, const char *command_line, fmlp_error *error) {
  if (!parsed->multirun) return run_job(parsed, NULL, NULL, command_line, NULL, error);
  int32_t job_count = 0;
  char ***jobs = NULL;
  FMLP_TRY(fmlp_config_sweep(parsed->override_count, parsed->overrides, &job_count, &jobs, error));
  fmlp_status status = run_sweep(parsed, job_count, jobs, command_line, error);
  fmlp_config_sweep_free(job_count, parsed->override_count, jobs);
  return status;
}

fmlp_status fmlp_command_run(int argument_count, char **arguments, fmlp_error *error) {
  fmlp_run_arguments parsed;
  char command_line[TEXT_CAPACITY];
  join(argument_count, arguments, command_line, sizeof command_line);
  FMLP_TRY(fmlp_run_arguments_parse(argument_count, arguments, &parsed, error));
  fmlp_status status = FMLP_OK;
  if (parsed.help) {
    print_help();
  } else if (parsed.help_keys) {
    fmlp_run_arguments_help_keys();
  } else {
    status = run_parsed(&parsed, command_line, error);
  }
  fmlp_run_arguments_release(&parsed);
  return status;
}
