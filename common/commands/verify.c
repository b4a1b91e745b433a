/* fmlp verify: the same run on every backend, every output compared on bits.
 *
 * With one backend there is nothing to compare it with, so it runs on one thread and on all, and says that
 * there is no second backend. `fmlp verify RUN` repeats a finished run from its own configuration and
 * compares with its files. */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/backends.h"
#include "common/commands/commands.h"
#include "common/commands/run_arguments.h"
#include "common/commands/verify_table.h"
#include "common/core/memory.h"
#include "common/io/compare_runs.h"
#include "common/io/json.h"
#include "common/pipeline.h"
#include "common/pipeline_manifest.h"

enum { PATH_CAPACITY = 4096, MAX_SIDES = 8, EXTRA_OVERRIDES = 2 };

/* One execution: a backend and a number of threads (0 = all). */
typedef struct side {
  const char *device;
  int threads;
  char name[64];
  char folder[PATH_CAPACITY];
} side;

typedef struct verification {
  const fmlp_run_arguments *arguments;
  const char *base_file;            /* config.yaml of RUN, or NULL */
  const fmlp_manifest_facts *facts; /* of RUN: the stages it ran are run again, on the same input; or NULL */
  char scratch[PATH_CAPACITY];
  int side_count;
  side sides[MAX_SIDES];
} verification;

static void print_help(void) {
  printf(
      "usage: fmlp verify [OPTION...] [OVERRIDE...]\n"
      "       fmlp verify RUN\n"
      "\n"
      "Runs the pipeline on every backend of this machine (or on the cpu and the one that --device\n"
      "names) and compares every output bit by bit; with a single backend it compares one thread with all\n"
      "and says so. With the folder of a finished run it repeats that run and compares with its files.\n"
      "Prints the equal outputs of a stage in one line, with the hash of their hashes, and those that\n"
      "differ one by one; verify.json, in the working folder, has each of them.\n"
      "\n"
      "  fmlp verify data.path=ticks.csv.zst\n"
      "  fmlp verify runs/2026-01-31/12-00-00_default\n"
      "\n"
      "options\n");
  fmlp_run_arguments_help(true);
  printf("\nexit status\n"
         "  0 equal, 5 an output differs; 2 usage, 3 input, 4 device as for fmlp run\n");
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status;
  (void)type;
  (void)walk;
  return remove(path);
}

static void remove_scratch(const verification *all) {
  if (*all->scratch) (void)nftw(all->scratch, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static fmlp_status make_scratch(verification *all, fmlp_error *error) {
  const char *parent = getenv("TMPDIR");
  char path[PATH_CAPACITY];
  int length = snprintf(path, sizeof path, "%s/fmlp-verify-XXXXXX", parent && *parent ? parent : "/tmp");
  if (length < 0 || (size_t)length >= sizeof path)
    return fmlp_fail(error, FMLP_ERR_OTHER, "TMPDIR is too long");
  if (!mkdtemp(path)) {
    return fmlp_fail(error, FMLP_ERR_OTHER, "%s: %s; set TMPDIR to a folder with room", path,
                     strerror(errno));
  }
  memcpy(all->scratch, path, sizeof path);
  return FMLP_OK;
}

static void add_side(verification *all, const char *device, int threads, const char *name) {
  if (all->side_count == MAX_SIDES) return;
  side *added = &all->sides[all->side_count++];
  added->device = device;
  added->threads = threads;
  (void)snprintf(added->name, sizeof added->name, "%s", name);
}

/* The device that the overrides name, the last of them, or NULL for every backend. FMLP_DEVICE chooses where
 * a run goes, not what is compared. */
static const char *named_device(const verification *all) {
  static const char key[] = "runtime.device=";
  const char *device = NULL;
  for (int32_t i = 0; all->arguments && i < all->arguments->override_count; i++) {
    const char *override = all->arguments->overrides[i];
    if (override == all->arguments->environment_override || strncmp(override, key, sizeof key - 1) != 0)
      continue;
    device = override + sizeof key - 1;
  }
  return device && strcmp(device, "auto") != 0 ? device : NULL;
}

/* The reference and one device, which must be usable: who names it wants that comparison and no other. */
static fmlp_status add_named_sides(verification *all, const char *device, fmlp_error *error) {
  fmlp_compute compute;
  char notice[256];
  FMLP_TRY(fmlp_compute_open(device, &compute, notice, sizeof notice, error));
  fmlp_compute_close(&compute);
  add_side(all, "cpu", 0, "cpu");
  if (strcmp(device, "cpu") != 0) add_side(all, device, 0, device);
  return FMLP_OK;
}

/* Every usable backend, the reference first. */
static void find_backends(verification *all) {
  for (const fmlp_backend *const *backend = fmlp_backends(); *backend; backend++) {
    char reason[256] = "";
    if ((*backend)->available(0, reason, sizeof reason)) {
      add_side(all, (*backend)->name, 0, (*backend)->name);
    } else {
      printf("%s unavailable: %s\n", (*backend)->name, reason);
    }
  }
}

static fmlp_status find_sides(verification *all, fmlp_error *error) {
  const char *device = named_device(all);
  if (device) {
    FMLP_TRY(add_named_sides(all, device, error));
  } else {
    find_backends(all);
  }
  if (all->side_count == 1) {
    printf("%s: comparing one thread of %s with all of them\n",
           device ? "the reference alone" : "no second backend", all->sides[0].device);
    (void)snprintf(all->sides[0].name, sizeof all->sides[0].name, "%s, 1 thread", all->sides[0].device);
    all->sides[0].threads = 1;
    char name[64];
    (void)snprintf(name, sizeof name, "%s, all threads", all->sides[0].device);
    add_side(all, all->sides[0].device, 0, name);
  }
  return FMLP_OK;
}

static fmlp_status run_side(const verification *all, side *run, int number, fmlp_error *error) {
  int32_t count = all->arguments ? all->arguments->override_count : 0;
  char device[96], threads[64];
  int length = snprintf(run->folder, sizeof run->folder, "%s/%d", all->scratch, number);
  if (length < 0 || (size_t)length >= sizeof run->folder)
    return fmlp_fail(error, FMLP_ERR_OTHER, "TMPDIR is too long");
  (void)snprintf(device, sizeof device, "runtime.device=%s", run->device);
  (void)snprintf(threads, sizeof threads, "runtime.threads=%d", run->threads);
  const char **overrides = NULL;
  FMLP_TRY(fmlp_alloc(&overrides, count + EXTRA_OVERRIDES, sizeof *overrides, "overrides", error));
  for (int32_t i = 0; i < count; i++) overrides[i] = all->arguments->overrides[i];
  overrides[count] = device;
  overrides[count + 1] = threads;
  fmlp_config_request request = {.config_dir = all->arguments ? all->arguments->config_dir : NULL,
                                 .config_name = all->arguments ? all->arguments->config_name : NULL,
                                 .base_file = all->base_file,
                                 .override_count = count + EXTRA_OVERRIDES,
                                 .overrides = overrides};
  fmlp_config *config = NULL;
  fmlp_status status = fmlp_config_load(&request, &config, error);
  if (status == FMLP_OK) {
    fmlp_pipeline_request pipeline = {.config = config,
                                      .stages = all->arguments ? all->arguments->stages
                                                : all->facts   ? all->facts->stages
                                                               : NULL,
                                      .run_dir = run->folder,
                                      .command_line = "fmlp verify",
                                      .quiet = true};
    status = fmlp_pipeline_run(&pipeline, error);
  }
  fmlp_config_free(config);
  fmlp_free(overrides);
  return status;
}

static void hash_text(char text[40], fmlp_hash128 hash) {
  (void)snprintf(text, 40, "%016llx%016llx", (unsigned long long)hash.high, (unsigned long long)hash.low);
}

static void add_json(json_t *pairs, const char *a, const char *b, const fmlp_run_comparison *comparison) {
  json_t *pair = json_object(), *outputs = json_array();
  fmlp_json_set_text(pair, "a", a);
  fmlp_json_set_text(pair, "b", b);
  fmlp_json_set_integer(pair, "differing_outputs", comparison->differing_outputs);
  for (int64_t i = 0; i < comparison->count; i++) {
    const fmlp_output_comparison *output = &comparison->outputs[i];
    char hash_a[40], hash_b[40];
    hash_text(hash_a, output->hash_a);
    hash_text(hash_b, output->hash_b);
    json_t *row = json_object();
    fmlp_json_set_text(row, "output", output->name);
    fmlp_json_set_text(row, "stage", output->stage);
    fmlp_json_set_text(row, "column", output->column);
    fmlp_json_set_integer(row, "rows", output->rows);
    fmlp_json_set_integer(row, "differing", output->differing);
    fmlp_json_set_integer(row, "differing_bits", output->differing_bits);
    if (output->differing > 0) fmlp_json_set_integer(row, "first_difference", output->first_difference);
    fmlp_json_set_text(row, "xxh3_128_a", output->in_a ? hash_a : NULL);
    fmlp_json_set_text(row, "xxh3_128_b", output->in_b ? hash_b : NULL);
    (void)json_array_append_new(outputs, row);
  }
  fmlp_json_set(pair, "outputs", outputs);
  (void)json_array_append_new(pairs, pair);
}

/* Compares folder b with a, prints and records it; `*differing` grows by the outputs that differ. */
static fmlp_status compare(const char *name_a, const char *folder_a, const char *name_b, const char *folder_b,
                           json_t *pairs, int64_t *differing, char *first, size_t capacity,
                           fmlp_error *error) {
  fmlp_run_comparison comparison;
  FMLP_TRY(fmlp_runs_compare(folder_a, folder_b, &comparison, error));
  const fmlp_status status = fmlp_verify_print(name_a, name_b, &comparison, error);
  add_json(pairs, name_a, name_b, &comparison);
  for (int64_t i = 0; i < comparison.count && *differing == 0 && !*first; i++) {
    const fmlp_output_comparison *output = &comparison.outputs[i];
    if (output->differing == 0) continue;
    (void)snprintf(first, capacity, "%s at row %lld, %s against %s", output->name,
                   (long long)output->first_difference, name_a, name_b);
  }
  *differing += comparison.differing_outputs;
  fmlp_run_comparison_release(&comparison);
  return status;
}

static fmlp_status write_record(json_t *pairs, fmlp_error *error) {
  json_t *record = json_object();
  fmlp_json_set_text(record, "schema", "fmlp-verify");
  fmlp_json_set_integer(record, "version", 1);
  (void)json_object_set(record, "comparisons", pairs);
  char *text = fmlp_json_text(record);
  json_decref(record);
  if (!text) return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: verify.json");
  fmlp_status status = FMLP_OK;
  FILE *file = fopen("verify.json", "w");
  int bad = !file || fputs(text, file) < 0;
  if (file && fclose(file) != 0) bad = 1;
  if (bad) status = fmlp_fail(error, FMLP_ERR_OTHER, "verify.json: %s", strerror(errno));
  free(text);
  return status;
}

/* A finished run can be compared with only on the input it read: another one would differ everywhere. */
static fmlp_status check_same_input(const verification *all, const side *run, fmlp_error *error) {
  if (!all->facts || !*all->facts->input_hash) return FMLP_OK;
  fmlp_manifest_facts now;
  FMLP_TRY(fmlp_manifest_read(run->folder, &now, error));
  bool same = strcmp(now.input_hash, all->facts->input_hash) == 0;
  fmlp_status status = FMLP_OK;
  if (!same) {
    status =
        fmlp_fail(error, FMLP_ERR_INPUT,
                  "the input file is not the one that the run read (XXH3 %s now, %s then); give it back its "
                  "file",
                  now.input_hash, all->facts->input_hash);
  }
  fmlp_manifest_facts_release(&now);
  return status;
}

static fmlp_status compare_sides(verification *all, const char *finished, json_t *pairs, fmlp_error *error) {
  int64_t differing = 0;
  char first[400] = "";
  for (int s = 0; s < all->side_count; s++) {
    printf("running on %s\n", all->sides[s].name);
    (void)fflush(stdout);
    FMLP_TRY(run_side(all, &all->sides[s], s, error));
    FMLP_TRY(check_same_input(all, &all->sides[s], error));
    if (finished) {
      FMLP_TRY(compare(finished, finished, all->sides[s].name, all->sides[s].folder, pairs, &differing, first,
                       sizeof first, error));
    } else if (s > 0) {
      FMLP_TRY(compare(all->sides[0].name, all->sides[0].folder, all->sides[s].name, all->sides[s].folder,
                       pairs, &differing, first, sizeof first, error));
    }
  }
  FMLP_TRY(write_record(pairs, error));
  if (differing == 0) {
    printf("\n%s", finished ? finished : all->sides[0].name);
    for (int s = finished ? 0 : 1; s < all->side_count; s++) printf(" = %s", all->sides[s].name);
    printf(": every output is equal, bit for bit\n");
    return FMLP_OK;
  }
  return fmlp_fail(error, FMLP_ERR_DIFFERENT, "%lld outputs differ, the first: %s; verify.json holds all",
                   (long long)differing, first);
}

/* Asked before the runs, which may take hours. */
static fmlp_status check_record(fmlp_error *error) {
  struct stat status;
  bool there = stat("verify.json", &status) == 0;
  int reason = 0;
  if (there && S_ISDIR(status.st_mode)) {
    reason = EISDIR;
  } else if (access(there ? "verify.json" : ".", W_OK) != 0) {
    reason = errno;
  }
  if (reason == 0) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_OTHER, "verify.json: %s; run it in a folder you may write to",
                   strerror(reason));
}

static fmlp_status verify(verification *all, const char *finished, fmlp_error *error) {
  FMLP_TRY(check_record(error));
  FMLP_TRY(find_sides(all, error));
  FMLP_TRY(make_scratch(all, error));
  json_t *pairs = json_array();
  fmlp_status status = compare_sides(all, finished, pairs, error);
  json_decref(pairs);
  remove_scratch(all);
  return status;
}

static fmlp_status verify_run(const char *run, fmlp_error *error) {
  char config[PATH_CAPACITY];
  int length = snprintf(config, sizeof config, "%s/config.yaml", run);
  if (length < 0 || (size_t)length >= sizeof config)
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s: path too long", run);
  if (access(config, R_OK) != 0) {
    return fmlp_fail(error, FMLP_ERR_INPUT,
                     "%s: %s; give the folder of a finished run, or overrides like data.path=FILE", config,
                     strerror(errno));
  }
  fmlp_manifest_facts facts;
  FMLP_TRY(fmlp_manifest_read(run, &facts, error));
  verification all = {.base_file = config, .facts = &facts};
  fmlp_status status = verify(&all, run, error);
  fmlp_manifest_facts_release(&facts);
  return status;
}

/* The option given that means nothing here: verify only runs. */
static const char *run_option(const fmlp_run_arguments *parsed) {
  return parsed->multirun       ? "--multirun"
         : parsed->from         ? "--from"
         : parsed->repeats > 1  ? "--repeat"
         : parsed->print_config ? "--cfg"
         : parsed->help_keys    ? "--help-keys"
                                : NULL;
}

fmlp_status fmlp_command_verify(int argument_count, char **arguments, fmlp_error *error) {
  if (argument_count == 2 && *arguments[1] != '-' && !strchr(arguments[1], '='))
    return verify_run(arguments[1], error);
  fmlp_run_arguments parsed;
  FMLP_TRY(fmlp_run_arguments_parse(argument_count, arguments, &parsed, error));
  fmlp_status status = FMLP_OK;
  if (parsed.help) {
    print_help();
  } else if (run_option(&parsed)) {
    status = fmlp_fail(error, FMLP_ERR_USAGE, "verify: %s belongs to fmlp run", run_option(&parsed));
  } else {
    verification all = {.arguments = &parsed};
    status = verify(&all, NULL, error);
  }
  fmlp_run_arguments_release(&parsed);
  return status;
}
