/* Comparing two run folders output by output. A column that is missing on one side, or longer, differs. */
#define _POSIX_C_SOURCE 200809L
#include "common/io/compare_runs.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/core/memory.h"
#include "common/core/ordinary_file.h"

const char *const fmlp_identical_folders[] = {
    "bars",      "features",    "labels",           "folds", "predictions", "monte_carlo",
    "test/bars", "test/labels", "test/predictions", NULL};
const char *const fmlp_identical_files[] = {"trades.csv",
                                            "equity.csv",
                                            "metrics.json",
                                            "monte_carlo.json",
                                            "feature_importance.csv",
                                            "test/trades.csv",
                                            "test/equity.csv",
                                            "test/metrics.json",
                                            NULL};

/* The stages behind the files; a column's stage is its folder. */
static const struct {
  const char *file, *stage;
} file_stages[] = {
    {"trades.csv", "backtest"},           {"equity.csv", "backtest"},
    {"metrics.json", "evaluation"},       {"monte_carlo.json", "monte_carlo"},
    {"feature_importance.csv", "model"},  {"test/trades.csv", "test/backtest"},
    {"test/equity.csv", "test/backtest"}, {"test/metrics.json", "test/evaluation"},
};

enum { PATH_CAPACITY = 4096 };

typedef struct content { /* one output of one run, in memory */
  bool present;
  int type; /* fmlp_type, or -1 for a text file */
  int64_t element_size;
  int64_t rows;
  void *data;
} content;

static fmlp_status join(char *path, const char *folder, const char *name, const char *suffix,
                        fmlp_error *error) {
  int length = snprintf(path, PATH_CAPACITY, "%s/%s%s", folder, name, suffix);
  if (length < 0 || length >= PATH_CAPACITY) {
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s/%s: the path is too long", folder, name);
  }
  return FMLP_OK;
}

static bool exists(const char *path) {
  struct stat status;
  return stat(path, &status) == 0;
}

/* The folder of "test/bars/close" is its stage; a file's stands in the table. */
static void name_stage(fmlp_output_comparison *output) {
  const char *slash = strrchr(output->name, '/');
  const int length = slash ? (int)(slash - output->name) : 0;
  output->column = slash ? slash + 1 : output->name;
  (void)snprintf(output->stage, sizeof output->stage, "%.*s", length, output->name);
  for (size_t i = 0; i < sizeof file_stages / sizeof *file_stages; i++) {
    if (strcmp(output->name, file_stages[i].file) != 0) continue;
    (void)snprintf(output->stage, sizeof output->stage, "%s", file_stages[i].stage);
  }
}

static fmlp_status add_name(fmlp_run_comparison *all, const char *name, fmlp_error *error) {
  for (int64_t i = 0; i < all->count; i++) {
    if (strcmp(all->outputs[i].name, name) == 0) return FMLP_OK;
  }
  if (strlen(name) >= sizeof all->outputs->name) {
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s: the output's name is too long", name);
  }
  FMLP_TRY(fmlp_resize(&all->outputs, all->count, all->count + 1, sizeof *all->outputs, "comparison", error));
  fmlp_output_comparison *output = &all->outputs[all->count++];
  memset(output, 0, sizeof *output);
  strcpy(output->name, name);
  output->first_difference = -1;
  return FMLP_OK;
}

static fmlp_status list_folder(fmlp_run_comparison *all, const char *run, const char *group,
                               fmlp_error *error) {
  char path[PATH_CAPACITY];
  FMLP_TRY(join(path, run, group, "", error));
  DIR *folder = opendir(path);
  if (!folder) {
    if (errno == ENOENT) return FMLP_OK;
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s: %s", path, strerror(errno));
  }
  fmlp_status status = FMLP_OK;
  for (struct dirent *entry = readdir(folder); entry && status == FMLP_OK; entry = readdir(folder)) {
    size_t length = strlen(entry->d_name);
    if (length < 5 || strcmp(entry->d_name + length - 4, ".npy") != 0) continue;
    char name[512];
    (void)snprintf(name, sizeof name, "%s/%.*s", group, (int)(length - 4), entry->d_name);
    status = add_name(all, name, error);
  }
  (void)closedir(folder);
  return status;
}

static fmlp_status list_run(fmlp_run_comparison *all, const char *run, fmlp_error *error) {
  for (const char *const *group = fmlp_identical_folders; *group; group++) {
    FMLP_TRY(list_folder(all, run, *group, error));
  }
  for (const char *const *file = fmlp_identical_files; *file; file++) {
    char path[PATH_CAPACITY];
    FMLP_TRY(join(path, run, *file, "", error));
    if (exists(path)) FMLP_TRY(add_name(all, *file, error));
  }
  return FMLP_OK;
}

static fmlp_status load_text(const char *path, content *out, fmlp_error *error) {
  FILE *file = NULL;
  FMLP_TRY(fmlp_open_ordinary(path, &file, FMLP_ERR_INPUT, "is it the folder of a finished run?", error));
  fmlp_status status = FMLP_OK;
  int64_t size = -1;
  if (fseek(file, 0, SEEK_END) == 0) size = ftell(file);
  if (size < 0 || fseek(file, 0, SEEK_SET) != 0) {
    status = fmlp_fail(error, FMLP_ERR_INPUT, "%s: %s", path, strerror(errno));
  }
  if (status == FMLP_OK) status = fmlp_alloc(&out->data, size, 1, path, error);
  if (status == FMLP_OK && fread(out->data, 1, (size_t)size, file) != (size_t)size) {
    status = fmlp_fail(error, FMLP_ERR_INPUT, "%s: cannot be read whole", path);
  }
  (void)fclose(file);
  out->type = -1;
  out->rows = size;
  out->element_size = 1;
  return status;
}

/* On failure nothing is owned by `out`. */
static fmlp_status load(const char *run, const char *name, content *out, fmlp_error *error) {
  char path[PATH_CAPACITY];
  const char *ending = strrchr(name, '.');
  bool column = !ending || (strcmp(ending, ".csv") != 0 && strcmp(ending, ".json") != 0);
  *out = (content){0};
  FMLP_TRY(join(path, run, name, column ? ".npy" : "", error));
  if (!exists(path)) return FMLP_OK;
  out->present = true;
  fmlp_status status;
  if (column) {
    fmlp_type type = FMLP_INT8;
    status = fmlp_npy_read(path, &type, &out->rows, &out->data, error);
    out->type = (int)type;
    out->element_size = fmlp_type_size(type);
  } else {
    status = load_text(path, out, error);
  }
  if (status != FMLP_OK) {
    fmlp_free(out->data);
    out->data = NULL;
  }
  return status;
}

static int64_t bits_apart(const unsigned char *a, const unsigned char *b, int64_t bytes) {
  int64_t bits = 0;
  for (int64_t i = 0; i < bytes; i++) bits += __builtin_popcount((unsigned)(a[i] ^ b[i]));
  return bits;
}

static void compare(const content *a, const content *b, fmlp_output_comparison *out) {
  out->in_a = a->present;
  out->in_b = b->present;
  if (a->present) out->hash_a = fmlp_hash(a->data, a->rows * a->element_size);
  if (b->present) out->hash_b = fmlp_hash(b->data, b->rows * b->element_size);
  out->rows = a->rows > b->rows ? a->rows : b->rows;
  if (!a->present || !b->present || a->type != b->type) {
    out->differing = out->rows > 0 ? out->rows : 1;
    const int64_t size = a->element_size > b->element_size ? a->element_size : b->element_size;
    out->differing_bits = out->rows * size * 8;
    out->first_difference = 0;
    return;
  }
  int64_t shared = a->rows < b->rows ? a->rows : b->rows;
  const unsigned char *data_a = a->data, *data_b = b->data;
  for (int64_t i = 0; i < shared; i++) {
    if (memcmp(data_a + i * a->element_size, data_b + i * a->element_size, (size_t)a->element_size) == 0)
      continue;
    if (out->first_difference < 0) out->first_difference = i;
    out->differing++;
    out->differing_bits +=
        bits_apart(data_a + i * a->element_size, data_b + i * a->element_size, a->element_size);
  }
  if (out->rows > shared && out->first_difference < 0) out->first_difference = shared;
  out->differing += out->rows - shared;
  out->differing_bits += (out->rows - shared) * a->element_size * 8;
}

static fmlp_status compare_output(const char *run_a, const char *run_b, fmlp_output_comparison *out,
                                  fmlp_error *error) {
  content a, b;
  FMLP_TRY(load(run_a, out->name, &a, error));
  fmlp_status status = load(run_b, out->name, &b, error);
  if (status == FMLP_OK) compare(&a, &b, out);
  fmlp_free(a.data);
  fmlp_free(b.data);
  return status;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const fmlp_output_comparison *)a)->name, ((const fmlp_output_comparison *)b)->name);
}

fmlp_status fmlp_runs_compare(const char *folder_a, const char *folder_b, fmlp_run_comparison *comparison,
                              fmlp_error *error) {
  memset(comparison, 0, sizeof *comparison);
  fmlp_status status = list_run(comparison, folder_a, error);
  if (status == FMLP_OK) status = list_run(comparison, folder_b, error);
  if (status == FMLP_OK && comparison->count == 0) {
    status = fmlp_fail(error, FMLP_ERR_INPUT,
                       "%s: holds no output to compare; is it the folder of a finished run?", folder_a);
  }
  if (status == FMLP_OK)
    qsort(comparison->outputs, (size_t)comparison->count, sizeof *comparison->outputs, by_name);
  for (int64_t i = 0; i < comparison->count && status == FMLP_OK; i++) {
    name_stage(&comparison->outputs[i]); /* after sorting: `column` points into its own row */
    status = compare_output(folder_a, folder_b, &comparison->outputs[i], error);
    if (comparison->outputs[i].differing > 0) comparison->differing_outputs++;
  }
  if (status != FMLP_OK) fmlp_run_comparison_release(comparison);
  return status;
}

void fmlp_run_comparison_release(fmlp_run_comparison *comparison) {
  fmlp_free(comparison->outputs);
  memset(comparison, 0, sizeof *comparison);
}
