/* fmlp_bench: times the cases of the other files here on one backend and prints the median of the repeats,
 * by the clock and of processor time (which a busy machine disturbs less).
 *
 *   fmlp_bench [--data FOLDER] [--write] [--threads N] [--repeats N] [--device NAME] [--bars N] [--paths N]
 *              [--json FILE] [PREFIX...]
 *
 * --write puts the data set into FOLDER (.npy columns and CSV files) for other tools and for the csv cases.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/bench.h"
#include "common/backends.h"
#include "common/core/parallel.h"
#include "common/io/json.h"

enum { MAX_REPEATS = 1000, BARS = 1000000, PATHS = 10000, MOST_BARS = 1 << 28, MOST_PATHS = 1 << 26 };

typedef struct options {
  const char *folder, *device, *json;
  int write, threads, repeats, bars, paths;
  char **prefixes;
  int prefix_count;
} options;

static double seconds_of(clockid_t clock) {
  struct timespec now;
  (void)clock_gettime(clock, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static fmlp_status parse_count(const char *text, int low, int high, int *out, fmlp_error *error) {
  char *end = NULL;
  long value = strtol(text, &end, 10);
  if (end == text || *end || value < low || value > high) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "'%s' is not a whole number from %d to %d", text, low, high);
  }
  *out = (int)value;
  return FMLP_OK;
}

static fmlp_status parse(int count, char **arguments, options *out, fmlp_error *error) {
  *out = (options){.folder = "build/bench-data",
                   .device = "cpu",
                   .threads = 1,
                   .repeats = 7,
                   .bars = BARS,
                   .paths = PATHS};
  for (int i = 1; i < count; i++) {
    const char *name = arguments[i];
    if (strcmp(name, "--write") == 0) {
      out->write = 1;
      continue;
    }
    if (strncmp(name, "--", 2) != 0) {
      out->prefixes = arguments + i;
      out->prefix_count = count - i;
      return FMLP_OK;
    }
    if (i + 1 >= count) return fmlp_fail(error, FMLP_ERR_USAGE, "%s needs a value", name);
    const char *value = arguments[++i];
    if (strcmp(name, "--data") == 0) {
      out->folder = value;
    } else if (strcmp(name, "--device") == 0) {
      out->device = value;
    } else if (strcmp(name, "--json") == 0) {
      out->json = value;
    } else if (strcmp(name, "--threads") == 0) {
      FMLP_TRY(parse_count(value, 0, 4096, &out->threads, error));
    } else if (strcmp(name, "--bars") == 0) {
      FMLP_TRY(parse_count(value, 2, MOST_BARS, &out->bars, error));
    } else if (strcmp(name, "--paths") == 0) {
      FMLP_TRY(parse_count(value, 1, MOST_PATHS, &out->paths, error));
    } else if (strcmp(name, "--repeats") == 0) {
      FMLP_TRY(parse_count(value, 1, MAX_REPEATS, &out->repeats, error));
    } else {
      return fmlp_fail(error, FMLP_ERR_USAGE, "unknown option %s", name);
    }
  }
  return FMLP_OK;
}

static int wanted(const options *given, const char *name) {
  for (int p = 0; p < given->prefix_count; p++) {
    if (strncmp(name, given->prefixes[p], strlen(given->prefixes[p])) == 0) return 1;
  }
  return given->prefix_count == 0;
}

static void show(const bench_run *run, const double *times, const double *processor, int repeats,
                 int on_device, json_t *results) {
  double median = times[repeats / 2];
  double per_second = (double)run->items / median;
  printf("%-28s %10.3f ms  %10.2f M %ss/s  %8.2f GB/s   (min %.3f, max %.3f, processor %.3f)\n",
         run->what->name, median * 1e3, per_second / 1e6, run->what->unit, (double)run->bytes / median / 1e9,
         times[0] * 1e3, times[repeats - 1] * 1e3, processor[repeats / 2] * 1e3);
  json_t *row = json_object();
  fmlp_json_set_text(row, "name", run->what->name);
  fmlp_json_set_text(row, "unit", run->what->unit);
  fmlp_json_set_integer(row, "items", run->items);
  fmlp_json_set_integer(row, "bytes", run->bytes);
  fmlp_json_set_text(row, "clock", on_device ? "device events" : "host");
  fmlp_json_set_real(row, "median_seconds", median);
  fmlp_json_set_real(row, "min_seconds", times[0]);
  fmlp_json_set_real(row, "max_seconds", times[repeats - 1]);
  fmlp_json_set_real(row, "processor_seconds", processor[repeats / 2]);
  (void)json_array_append_new(results, row);
}

static fmlp_status run_case(const bench_case *what, const bench_data *data, fmlp_compute compute, int repeats,
                            json_t *results, fmlp_error *error) {
  double times[MAX_REPEATS], processor[MAX_REPEATS];
  int on_device = 0;
  bench_run run = {.what = what, .data = data, .compute = compute};
  fmlp_status status = what->prepare(&run, error);
  for (int r = -1; r < repeats && status == FMLP_OK; r++) { /* -1: warm-up */
    double begin = seconds_of(CLOCK_PROCESS_CPUTIME_ID), taken = 0;
    status = bench_time(&run, &taken, &on_device, error);
    if (r < 0) continue;
    processor[r] = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - begin;
    times[r] = taken;
  }
  if (status == FMLP_OK && data->write && what->keep) status = what->keep(&run, error);
  what->finish(&run);
  if (status != FMLP_OK) return fmlp_fail_prefix(error, status, "%s", what->name);
  qsort(times, (size_t)repeats, sizeof *times, by_value);
  qsort(processor, (size_t)repeats, sizeof *processor, by_value);
  show(&run, times, processor, repeats, on_device, results);
  return FMLP_OK;
}

static fmlp_status run_all(const options *given, const bench_data *data, json_t *results, fmlp_error *error) {
  const bench_case *tables[] = {bench_stage_cases, bench_kernel_cases, bench_profile_cases,
                                bench_device_cases};
  const size_t count = sizeof tables / sizeof *tables - (strcmp(given->device, "cpu") == 0);
  char notice[256] = "";
  fmlp_compute compute;
  FMLP_TRY(fmlp_compute_open(given->device, &compute, notice, sizeof notice, error));
  if (*notice) printf("%s\n", notice);
  fmlp_status status = FMLP_OK;
  int shown = 0;
  for (size_t t = 0; t < count; t++) {
    for (const bench_case *what = tables[t]; what->name && status == FMLP_OK; what++) {
      if (!wanted(given, what->name)) continue;
      status = run_case(what, data, compute, given->repeats, results, error);
      shown++;
    }
  }
  char name[64];
  bench_case rolling;
  for (int n = 0; status == FMLP_OK && bench_rolling_case(n, name, &rolling); n++) {
    if (!wanted(given, name)) continue;
    status = run_case(&rolling, data, compute, given->repeats, results, error);
    shown++;
  }
  fmlp_compute_close(&compute);
  if (status == FMLP_OK && shown == 0) status = fmlp_fail(error, FMLP_ERR_USAGE, "no case has that prefix");
  return status;
}

static fmlp_status bench(int count, char **arguments, fmlp_error *error) {
  options given;
  FMLP_TRY(parse(count, arguments, &given, error));
  fmlp_threads_set(given.threads);
  bench_data data = {.folder = given.folder, .write = given.write, .bars = given.bars, .paths = given.paths};
  for (const bench_case *what = bench_stage_cases; what->name; what++) {
    if (wanted(&given, what->name)) data.ticks = BENCH_TICKS;
  }
  FMLP_TRY(bench_data_open(&data, error));
  json_t *results = json_array();
  fmlp_status status = run_all(&given, &data, results, error);
  if (status == FMLP_OK && given.json && json_dump_file(results, given.json, JSON_INDENT(2)) != 0) {
    status = fmlp_fail(error, FMLP_ERR_OTHER, "%s: %s", given.json, strerror(errno));
  }
  json_decref(results);
  bench_data_close(&data);
  return status;
}

int main(int count, char **arguments) {
  fmlp_error error = {""};
  fmlp_status status = bench(count, arguments, &error);
  if (status != FMLP_OK) (void)fprintf(stderr, "fmlp_bench: %s\n", error.text);
  return (int)status;
}
