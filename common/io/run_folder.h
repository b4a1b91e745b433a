/* A run's folder: built under a temporary name beside its final place, renamed when complete. */
#ifndef FMLP_COMMON_IO_RUN_FOLDER_H
#define FMLP_COMMON_IO_RUN_FOLDER_H

#include <stdio.h>

#include "common/core/status.h"
#include "common/io/columns.h"

typedef struct fmlp_run_folder fmlp_run_folder;

/* Creates the temporary folder for `final_path` (parents made as needed). FMLP_ERR_OTHER when it cannot be
 * written or when `final_path` already exists. Every abandoned folder of a dead process beside it is left
 * alone. */
FMLP_WARN_UNUSED fmlp_status fmlp_run_folder_create(const char *final_path, fmlp_run_folder **folder,
                                                    fmlp_error *error);

/* Path of `relative` inside the folder as it stands now (temporary until committed), parents created. Valid
 * until the next call. NULL with an error when a parent cannot be made. */
const char *fmlp_run_folder_path(fmlp_run_folder *folder, const char *relative, fmlp_error *error);

/* The final path, for messages and the manifest; once committed, the one it has. */
const char *fmlp_run_folder_final(const fmlp_run_folder *folder);

/* A sink that writes <group>/<name>.npy and remembers type, rows and hash for the manifest, in order of
 * arrival. */
fmlp_column_sink fmlp_run_folder_sink(fmlp_run_folder *folder);

typedef struct fmlp_written_column {
  char group[64];
  char name[64];
  fmlp_type type;
  int64_t rows;
  fmlp_hash128 hash;
} fmlp_written_column;

/* Columns written so far. */
const fmlp_written_column *fmlp_run_folder_columns(const fmlp_run_folder *folder, int64_t *count);

/* One hash of everything written so far that is the same wherever the run is the same (the folders and files
 * of compare_runs.h, without the experiment's name), whatever the order of writing: equal hashes, equal
 * results. 0 where nothing of that kind was written. FMLP_ERR_OTHER when memory runs out. */
FMLP_WARN_UNUSED fmlp_status fmlp_run_folder_outputs(const fmlp_run_folder *folder, fmlp_hash128 *hash,
                                                     fmlp_error *error);

/* Writes a whole text or binary file, checking every error including the one close() reports (full disk). */
FMLP_WARN_UNUSED fmlp_status fmlp_run_folder_write(fmlp_run_folder *folder, const char *relative,
                                                   const void *bytes, int64_t count, fmlp_error *error);

/* Renames to the final name, or one beside it when that is taken by now; the folder is then whole, and
 * fmlp_run_folder_discard only frees the handle. */
FMLP_WARN_UNUSED fmlp_status fmlp_run_folder_commit(fmlp_run_folder *folder, fmlp_error *error);

/* Removes everything written unless committed, and frees the handle; NULL is allowed. */
void fmlp_run_folder_discard(fmlp_run_folder *folder);
#endif
