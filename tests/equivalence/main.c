/* fmlp_equivalence: equal bits from every backend, over the case tables beside this file. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/backends.h"
#include "common/core/log.h"
#include "common/core/progress.h"
#include "tests/equivalence/equivalence.h"

enum { EXIT_SKIPPED = 77, MOST_DIFFERENCES = 20 };

static const char usage[] =
    "usage: fmlp_equivalence [rolling|triple_barrier|monte_carlo|all] [OPTION...]\n"
    "\n"
    "Runs every case of the tables on the cpu and on another backend and compares bits, NaN included.\n"
    "Exit status: 0 equal, 5 something differs or was refused, 77 there is no other backend, 2 usage.\n"
    "\n"
    "  --backend NAME      simt, cuda, cuda:N, cpu or paranoid; default: every one there is but the cpu\n"
    "  --size SIZE         quick (default), normal, or full (for a GPU)\n"
    "  --list              prints the cases and runs none\n"
    "which cases (default: all of the size):\n"
    "  --case NAME|NUMBER  one, as --list names it\n"
    "  --part K/N          every N-th, from number K on (0 .. N-1)\n"
    "  --family NAME       rolling: pointwise, moments, extremes, order, pairs, recursive, fracdiff or "
    "plans\n"
    "  --operator NAME     rolling: one operator\n"
    "  --data NAME         rolling: one data set, also as A,B for two operands\n"
    "  --window W          rolling: one window; with --operator also one that no table has\n"
    "  --rows N            rolling: this length instead of those of the table\n"
    "how the other backend divides its work (default: every way in turn, from case to case):\n"
    "  --threads B         threads of a block, 32 to 1024\n"
    "  --chunk N           rows, events or paths at a time; 0: as many as fit\n"
    "  --memory BYTES      device memory at most; 0: all there is\n"
    "  --spill[=inputs]    buffers in host memory, all or those of the inputs\n"
    "  --seed S            the schedule of threads (simt)\n"
    "  --limit N           goes on until N cases differ (default 20)\n";

enum option_code {
  BACKEND = 256,
  SIZE,
  LIST,
  CASE,
  PART,
  FAMILY,
  OPERATOR,
  DATA,
  WINDOW,
  ROWS,
  THREADS,
  CHUNK,
  MEMORY,
  SPILL,
  SEED,
  LIMIT,
  HELP
};

static const struct option long_options[] = {{"backend", required_argument, NULL, BACKEND},
                                             {"size", required_argument, NULL, SIZE},
                                             {"list", no_argument, NULL, LIST},
                                             {"case", required_argument, NULL, CASE},
                                             {"part", required_argument, NULL, PART},
                                             {"family", required_argument, NULL, FAMILY},
                                             {"operator", required_argument, NULL, OPERATOR},
                                             {"data", required_argument, NULL, DATA},
                                             {"window", required_argument, NULL, WINDOW},
                                             {"rows", required_argument, NULL, ROWS},
                                             {"threads", required_argument, NULL, THREADS},
                                             {"chunk", required_argument, NULL, CHUNK},
                                             {"memory", required_argument, NULL, MEMORY},
                                             {"spill", optional_argument, NULL, SPILL},
                                             {"seed", required_argument, NULL, SEED},
                                             {"limit", required_argument, NULL, LIMIT},
                                             {"help", no_argument, NULL, HELP},
                                             {NULL, 0, NULL, 0}};

static const struct {
  const char *name;
  fmlp_status (*run)(equivalence *all, fmlp_error *error);
} operations[] = {{"rolling", equivalence_rolling},
                  {"triple_barrier", equivalence_triple_barrier},
                  {"monte_carlo", equivalence_monte_carlo}};
enum { OPERATIONS = sizeof operations / sizeof *operations };

static _Noreturn void misused(const char *what, const char *value) {
  (void)fprintf(stderr, "fmlp_equivalence: %s '%s'; see --help\n", what, value);
  exit(FMLP_ERR_USAGE);
}

static int64_t number_of(const char *text) {
  char *end = NULL;
  const long long value = strtoll(text, &end, 10);
  if (end == text || *end || value < 0) misused("not a number:", text);
  return value;
}

static void set_part(equivalence_options *options, const char *text) {
  int read = 0;
  if (sscanf(text, "%" SCNd64 "/%" SCNd64 "%n", &options->part, &options->parts, &read) != 2 || text[read] ||
      options->part < 0 || options->part >= options->parts) {
    misused("not a part K/N:", text);
  }
}

static equivalence_size size_of(const char *text) {
  static const char *const names[] = {"quick", "normal", "full"};
  for (int i = 0; i < 3; i++) {
    if (strcmp(text, names[i]) == 0) return (equivalence_size)i;
  }
  misused("unknown size", text);
}

static void set_option(equivalence_options *options, int code, const char *value) {
  switch (code) {
  case BACKEND:
    options->backend = value;
    break;
  case SIZE:
    options->size = size_of(value);
    break;
  case LIST:
    options->list = true;
    break;
  case CASE:
    options->name = value;
    break;
  case PART:
    set_part(options, value);
    break;
  case FAMILY:
    options->family = value;
    break;
  case OPERATOR:
    options->operator_name = value;
    break;
  case DATA:
    options->data = value;
    break;
  case WINDOW:
    options->window = number_of(value);
    break;
  case ROWS:
    options->rows = number_of(value);
    break;
  case LIMIT:
    options->most_differences = number_of(value);
    break;
  case THREADS:
    options->setup.threads = (int32_t)number_of(value);
    if (options->setup.threads % 32 != 0 || options->setup.threads > 1024)
      misused("--threads: a block has 32, 64, 96 ... 1024 threads (0: the operation chooses), not", value);
    break;
  case CHUNK:
    options->setup.chunk = number_of(value);
    break;
  case MEMORY:
    options->setup.memory = number_of(value);
    break;
  case SPILL:
    if (value && strcmp(value, "inputs") != 0) misused("only inputs can be spilled alone, not", value);
    options->setup.spill = value ? EQUIVALENCE_INPUTS : EQUIVALENCE_ALL;
    break;
  case SEED:
    options->setup.seed = (uint64_t)number_of(value);
    break;
  default:
    misused("unknown option", "");
  }
  options->fixed |= code == THREADS || code == CHUNK || code == MEMORY || code == SPILL || code == SEED;
}

static equivalence_options parse(int argc, char **argv) {
  equivalence_options options = {
      .operation = "all", .window = -1, .rows = -1, .most_differences = MOST_DIFFERENCES};
  for (int code; (code = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
    if (code == HELP) {
      (void)fputs(usage, stdout);
      exit(0);
    }
    if (code == '?') exit(FMLP_ERR_USAGE);
    set_option(&options, code, optarg);
  }
  if (optind < argc) options.operation = argv[optind++];
  if (optind < argc) misused("one operation, not also", argv[optind]);
  bool known = strcmp(options.operation, "all") == 0;
  for (int i = 0; i < OPERATIONS; i++) known |= strcmp(options.operation, operations[i].name) == 0;
  if (!known) misused("unknown operation", options.operation);
  return options;
}

static fmlp_status run_operations(equivalence *all, fmlp_error *error) {
  fmlp_status status = FMLP_OK;
  for (int i = 0; i < OPERATIONS && status == FMLP_OK; i++) {
    const bool every = strcmp(all->options.operation, "all") == 0;
    all->number = 0;
    if (every || strcmp(all->options.operation, operations[i].name) == 0)
      status = operations[i].run(all, error);
  }
  return status;
}

/* How far it is, for who waits at a terminal. */
static void begin_progress(const equivalence *like) {
  equivalence counted = *like;
  fmlp_error error = {""};
  counted.counting = true;
  if (like->options.list || !fmlp_log_has_terminal()) return;
  if (run_operations(&counted, &error) == FMLP_OK)
    fmlp_progress_begin(like->options.operation, counted.cases);
}

/* The operations asked for against one backend; gives the exit status. */
static int check_backend(const char *program, const equivalence_options *options) {
  equivalence all = {.options = *options, .program = program};
  fmlp_error error = {""};
  char notice[256];
  fmlp_status status = fmlp_compute_open("cpu", &all.reference, notice, sizeof notice, &error);
  begin_progress(&all);
  if (status == FMLP_OK) status = run_operations(&all, &error);
  fmlp_progress_end();
  fmlp_compute_close(&all.other);
  fmlp_compute_close(&all.reference);
  if (status != FMLP_OK) {
    (void)fprintf(stderr, "fmlp_equivalence: %s\n", error.text);
    return (int)status;
  }
  if (all.cases == 0) {
    (void)fprintf(stderr, "fmlp_equivalence: no case is of that name or kind; see --list\n");
    return FMLP_ERR_USAGE;
  }
  if (options->list) return 0;
  printf("%s: cpu against %s: %" PRId64 " cases, %" PRId64 " runs, %" PRId64 " elements compared, %" PRId64
         " elements differ in %" PRId64 " runs, %" PRId64 " runs failed%s\n",
         options->operation, options->backend, all.cases, all.runs, all.elements, all.differing_elements,
         all.differing_runs, all.refused, equivalence_is_over(&all) ? "; the rest was left out" : "");
  return all.differing_runs + all.refused > 0 ? FMLP_ERR_DIFFERENT : 0;
}

int main(int argc, char **argv) {
  equivalence_options options = parse(argc, argv);
  fmlp_error error = {""};
  if (equivalence_check_words(&options, &error) != FMLP_OK) {
    (void)fprintf(stderr, "fmlp_equivalence: %s\n", error.text);
    return FMLP_ERR_USAGE;
  }
  if (options.backend || options.list) {
    if (!options.backend) options.backend = "none";
    return check_backend(argv[0], &options);
  }
  int worst = 0, checked = 0;
  for (const fmlp_backend *const *each = fmlp_backends(); *each; each++) {
    char reason[256] = "";
    if (strcmp((*each)->name, "cpu") == 0 || strcmp((*each)->name, "paranoid") == 0) continue;
    if (!(*each)->available(0, reason, sizeof reason)) {
      printf("%s: skipped: %s\n", (*each)->name, reason);
      continue;
    }
    options.backend = (*each)->name;
    const int status = check_backend(argv[0], &options);
    if (status > worst) worst = status;
    checked++;
  }
  if (checked > 0) return worst;
  printf("skipped: this build or machine has no second backend\n");
  return EXIT_SKIPPED;
}
