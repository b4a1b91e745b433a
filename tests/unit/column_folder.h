/* A temporary folder that a stage's columns are written to and read back from. */
#ifndef FMLP_TESTS_UNIT_COLUMN_FOLDER_H
#define FMLP_TESTS_UNIT_COLUMN_FOLDER_H

#include "tests/cmocka_fmlp.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/io/columns.h"

typedef struct column_folder {
  char path[256];
} column_folder;

static inline void column_folder_make(column_folder *folder, const char *group) {
  const char *parent = getenv("TMPDIR");
  snprintf(folder->path, sizeof folder->path, "%s/fmlp-test-XXXXXX", parent ? parent : "/tmp");
  assert_non_null(mkdtemp(folder->path));
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder->path, group);
  assert_int_equal(mkdir(path, 0700), 0);
}

static inline fmlp_status column_folder_put(void *state, const fmlp_column *column, fmlp_error *error) {
  const column_folder *folder = state;
  char path[512];
  snprintf(path, sizeof path, "%s/%s/%s.npy", folder->path, column->group, column->name);
  return fmlp_npy_write(path, column->type, column->rows, column->data, error);
}

static inline void column_folder_remove(column_folder *folder, const char *group) {
  char path[512], file[1024];
  snprintf(path, sizeof path, "%s/%s", folder->path, group);
  DIR *files = opendir(path);
  assert_non_null(files);
  for (struct dirent *entry = readdir(files); entry; entry = readdir(files)) {
    snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
    unlink(file);
  }
  closedir(files);
  assert_int_equal(rmdir(path), 0);
  assert_int_equal(rmdir(folder->path), 0);
}

#endif
