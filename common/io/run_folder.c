/* The run folder under its temporary name, and the cleaning up of everything that did not become a run. */
#define _GNU_SOURCE /* nftw, MAP_ANONYMOUS, memmem */
#include "common/io/run_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/log.h"
#include "common/core/memory.h"
#include "common/io/compare_runs.h"

enum { PATH_CAPACITY = 4096, PARENT_LIMIT = 64, NAME_ATTEMPTS = 100, OPEN_FOLDERS = 16, FILE_LIMIT = 16 };

/* One of fmlp_identical_files. */
typedef struct written_file {
  char name[64];
  fmlp_hash128 hash;
} written_file;

struct fmlp_run_folder {
  pid_t owner; /* the process that makes it */
  char final_path[PATH_CAPACITY];
  char temporary[PATH_CAPACITY];
  char path[PATH_CAPACITY];         /* what fmlp_run_folder_path gave last */
  int32_t parent_end[PARENT_LIMIT]; /* final_path[0, parent_end) is a parent this run created */
  int32_t parent_count;
  fmlp_written_column *columns;
  int64_t column_count;
  int64_t column_capacity;
  written_file files[FILE_LIMIT];
  int32_t file_count;
};

/* The folders being built, a run's and that of a repeat. A library that gives up ends the program with exit()
 * (OpenMP does when it gets no thread): the temporary folders must not outlive that either. */
enum { BUILDING = 4 };
static fmlp_run_folder *_Atomic building[BUILDING];

static fmlp_status cannot(fmlp_error *error, const char *path, const char *what) {
  const char *hint = errno == ENOSPC || errno == EDQUOT
                         ? "; free space, or choose another folder with run.dir"
                     : errno == EACCES || errno == EROFS || errno == EPERM
                         ? "; choose a folder you may write to with run.dir"
                         : "";
  return fmlp_fail(error, FMLP_ERR_OTHER, "%s: cannot %s: %s%s", path, what, strerror(errno), hint);
}

static bool exists(const char *path) {
  struct stat about;
  return lstat(path, &about) == 0;
}

/* A name no folder can have is an error before the work, not at the rename after it. */
static bool name_fits(const char *path) {
  struct stat about;
  return lstat(path, &about) == 0 || errno != ENAMETOOLONG;
}

/* Creates path[0, end) when it is missing; true in `*created` when this call made it. */
static fmlp_status make_folder(char *path, size_t end, bool *created, fmlp_error *error) {
  char kept = path[end];
  path[end] = '\0';
  *created = mkdir(path, 0777) == 0;
  fmlp_status status = FMLP_OK;
  struct stat about;
  int cause = errno;
  if (!*created && !(stat(path, &about) == 0 && S_ISDIR(about.st_mode))) {
    errno = cause == EEXIST ? ENOTDIR : cause; /* what mkdir said, not stat */
    status = cannot(error, path, "make this folder");
  }
  path[end] = kept;
  return status;
}

static fmlp_status make_parents(fmlp_run_folder *folder, fmlp_error *error) {
  char *path = folder->final_path;
  for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    bool created = false;
    FMLP_TRY(make_folder(path, (size_t)(slash - path), &created, error));
    if (created && folder->parent_count < PARENT_LIMIT) {
      folder->parent_end[folder->parent_count++] = (int32_t)(slash - path);
    }
  }
  return FMLP_OK;
}

static void remove_parents(fmlp_run_folder *folder) {
  while (folder->parent_count > 0) {
    int32_t end = folder->parent_end[--folder->parent_count];
    folder->final_path[end] = '\0';
    (void)rmdir(folder->final_path); /* stays when something else has moved in */
    folder->final_path[end] = '/';
  }
}

static fmlp_status make_temporary(fmlp_run_folder *folder, fmlp_error *error) {
  const char *slash = strrchr(folder->final_path, '/');
  int parent = slash ? (int)(slash - folder->final_path) + 1 : 0;
  for (int attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
    (void)snprintf(folder->temporary, sizeof folder->temporary, "%.*s.%.200s.%ld-%d.partial", parent,
                   folder->final_path, folder->final_path + parent, (long)getpid(), attempt);
    if (mkdir(folder->temporary, 0777) == 0) return FMLP_OK;
    if (errno != EEXIST) break;
  }
  fmlp_status status = cannot(error, folder->temporary, "make the run's temporary folder");
  folder->temporary[0] = '\0';
  return status;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *position) {
  (void)about;
  (void)kind;
  (void)position;
  (void)remove(path);
  return 0;
}

static void remove_written(fmlp_run_folder *folder) {
  if (folder->temporary[0]) (void)nftw(folder->temporary, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
  remove_parents(folder);
}

/* Address space for tidying up after memory ran out: reading a folder takes some. */
enum { RESERVE_BYTES = 4 << 20 };
static void *reserve = MAP_FAILED;

static void remove_unfinished(void) {
  if (reserve != MAP_FAILED) (void)munmap(reserve, RESERVE_BYTES);
  for (int i = 0; i < BUILDING; i++) {
    fmlp_run_folder *folder = atomic_load(&building[i]);
    if (folder && folder->owner == getpid()) remove_written(folder); /* a child that was forked leaves it */
  }
}

static void prepare_for_exit(void) {
  static atomic_flag registered = ATOMIC_FLAG_INIT;
  if (atomic_flag_test_and_set(&registered)) return;
  reserve = mmap(NULL, RESERVE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  (void)atexit(remove_unfinished);
}

fmlp_status fmlp_run_folder_create(const char *final_path, fmlp_run_folder **folder, fmlp_error *error) {
  *folder = NULL;
  size_t length = strlen(final_path);
  while (length > 1 && final_path[length - 1] == '/') length--;
  if (length == 0 || length > PATH_CAPACITY - 256) {
    return fmlp_fail(error, FMLP_ERR_OTHER, "run.dir: the path is %s", length ? "too long" : "empty");
  }
  fmlp_run_folder *made = NULL;
  FMLP_TRY(fmlp_alloc_zero(&made, 1, sizeof *made, "run folder", error));
  memcpy(made->final_path, final_path, length);
  fmlp_status status = FMLP_OK;
  if (!name_fits(made->final_path)) {
    status = cannot(error, made->final_path, "make this folder");
  } else if (exists(made->final_path)) {
    status = fmlp_fail(error, FMLP_ERR_OTHER,
                       "%s: already exists; a run never writes over another: choose a new run.dir",
                       made->final_path);
  }
  if (status == FMLP_OK) status = make_parents(made, error);
  if (status == FMLP_OK) status = make_temporary(made, error);
  if (status != FMLP_OK) {
    remove_parents(made);
    fmlp_free(made);
    return status;
  }
  prepare_for_exit();
  made->owner = getpid();
  for (int i = 0; i < BUILDING; i++) {
    fmlp_run_folder *none = NULL;
    if (atomic_compare_exchange_strong(&building[i], &none, made)) break;
  }
  *folder = made;
  return FMLP_OK;
}

const char *fmlp_run_folder_path(fmlp_run_folder *folder, const char *relative, fmlp_error *error) {
  size_t base = strlen(folder->temporary);
  if (base + 1 + strlen(relative) >= sizeof folder->path || relative[0] == '/' || strstr(relative, "..")) {
    (void)fmlp_fail(error, FMLP_ERR_OTHER, "%s: not a path inside a run folder", relative);
    return NULL;
  }
  memcpy(folder->path, folder->temporary, base);
  folder->path[base] = '/';
  memcpy(folder->path + base + 1, relative, strlen(relative) + 1);
  for (char *slash = strchr(folder->path + base + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    bool created = false;
    if (make_folder(folder->path, (size_t)(slash - folder->path), &created, error) != FMLP_OK) return NULL;
  }
  return folder->path;
}

const char *fmlp_run_folder_final(const fmlp_run_folder *folder) {
  return folder->final_path;
}

static fmlp_status put_column(void *state, const fmlp_column *column, fmlp_error *error) {
  fmlp_run_folder *folder = state;
  char relative[256];
  int length = snprintf(relative, sizeof relative, "%s/%s.npy", column->group, column->name);
  if (length < 0 || (size_t)length >= sizeof relative ||
      strlen(column->group) >= sizeof folder->columns->group ||
      strlen(column->name) >= sizeof folder->columns->name) {
    return fmlp_fail(error, FMLP_ERR_OTHER, "column %s/%s: the name is too long for a file", column->group,
                     column->name);
  }
  if (folder->column_count == folder->column_capacity) {
    int64_t capacity = folder->column_capacity * 2 + 64;
    FMLP_TRY(fmlp_resize(&folder->columns, folder->column_count, capacity, sizeof *folder->columns,
                         "column list", error));
    folder->column_capacity = capacity;
  }
  const char *path = fmlp_run_folder_path(folder, relative, error);
  if (!path) return FMLP_ERR_OTHER;
  FMLP_TRY(fmlp_npy_write(path, column->type, column->rows, column->data, error));
  fmlp_written_column *written = &folder->columns[folder->column_count++];
  memset(written, 0, sizeof *written);
  (void)snprintf(written->group, sizeof written->group, "%s", column->group);
  (void)snprintf(written->name, sizeof written->name, "%s", column->name);
  written->type = column->type;
  written->rows = column->rows;
  written->hash = fmlp_hash(column->data, column->rows * fmlp_type_size(column->type));
  return FMLP_OK;
}

fmlp_column_sink fmlp_run_folder_sink(fmlp_run_folder *folder) {
  return (fmlp_column_sink){folder, put_column};
}

const fmlp_written_column *fmlp_run_folder_columns(const fmlp_run_folder *folder, int64_t *count) {
  *count = folder->column_count;
  return folder->columns;
}

static bool write_all(int file, const char *bytes, int64_t count) {
  while (count > 0) {
    ssize_t written = write(file, bytes, (size_t)count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes += written;
    count -= written;
  }
  return true;
}

static bool is_listed(const char *const *names, const char *name) {
  while (*names && strcmp(*names, name) != 0) names++;
  return *names != NULL;
}

/* The file's hash, without the experiment's name: a line of metrics.json, which is no result. */
static fmlp_status hash_file(const char *name, const char *bytes, int64_t count, fmlp_hash128 *hash,
                             fmlp_error *error) {
  static const char MEMBER[] = "\n  \"experiment\": ";
  const char *line =
      strstr(name, "metrics.json") ? memmem(bytes, (size_t)count, MEMBER, sizeof MEMBER - 1) : NULL;
  const char *end = line ? memchr(line + 1, '\n', (size_t)(bytes + count - line - 1)) : NULL;
  if (!end) {
    *hash = fmlp_hash(bytes, count);
    return FMLP_OK;
  }
  char *rest = NULL;
  const int64_t before = line - bytes, after = bytes + count - end;
  FMLP_TRY(fmlp_alloc(&rest, before + after, sizeof *rest, "metrics.json", error));
  memcpy(rest, bytes, (size_t)before);
  memcpy(rest + before, end, (size_t)after);
  *hash = fmlp_hash(rest, before + after);
  fmlp_free(rest);
  return FMLP_OK;
}

static fmlp_status note_file(fmlp_run_folder *folder, const char *name, const void *bytes, int64_t count,
                             fmlp_error *error) {
  fmlp_hash128 hash;
  if (!is_listed(fmlp_identical_files, name)) return FMLP_OK;
  FMLP_TRY(hash_file(name, bytes, count, &hash, error));
  int32_t at = 0; /* one that is written again counts once */
  while (at < folder->file_count && strcmp(folder->files[at].name, name) != 0) at++;
  if (at == FILE_LIMIT) return FMLP_OK;
  if (at == folder->file_count) folder->file_count++;
  (void)snprintf(folder->files[at].name, sizeof folder->files[at].name, "%s", name);
  folder->files[at].hash = hash;
  return FMLP_OK;
}

fmlp_status fmlp_run_folder_write(fmlp_run_folder *folder, const char *relative, const void *bytes,
                                  int64_t count, fmlp_error *error) {
  const char *path = fmlp_run_folder_path(folder, relative, error);
  if (!path) return FMLP_ERR_OTHER;
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) return cannot(error, path, "write this file");
  bool written = write_all(file, bytes, count);
  int failure = errno;
  bool closed = close(file) == 0;
  if (!written) errno = failure;
  if (!written || !closed) return cannot(error, path, "write this file");
  return note_file(folder, relative, bytes, count, error);
}

static int by_text(const void *a, const void *b) {
  return strcmp(a, b);
}

enum { OUTPUT_LINE = 256 };

/* A line an output, NUL-padded: its name, what it is, its hash. */
static int64_t list_outputs(const fmlp_run_folder *folder, char (*lines)[OUTPUT_LINE]) {
  int64_t count = 0;
  for (int64_t c = 0; c < folder->column_count; c++) {
    const fmlp_written_column *column = &folder->columns[c];
    if (!is_listed(fmlp_identical_folders, column->group)) continue;
    (void)snprintf(lines[count++], OUTPUT_LINE, "%s/%s %d %lld %016llx%016llx", column->group, column->name,
                   (int)column->type, (long long)column->rows, (unsigned long long)column->hash.high,
                   (unsigned long long)column->hash.low);
  }
  for (int32_t f = 0; f < folder->file_count; f++)
    (void)snprintf(lines[count++], OUTPUT_LINE, "%s %016llx%016llx", folder->files[f].name,
                   (unsigned long long)folder->files[f].hash.high,
                   (unsigned long long)folder->files[f].hash.low);
  qsort(lines, (size_t)count, OUTPUT_LINE, by_text);
  return count;
}

fmlp_status fmlp_run_folder_outputs(const fmlp_run_folder *folder, fmlp_hash128 *hash, fmlp_error *error) {
  char(*lines)[OUTPUT_LINE] = NULL;
  *hash = (fmlp_hash128){0, 0};
  FMLP_TRY(fmlp_alloc_zero(&lines, folder->column_count + folder->file_count + 1, sizeof *lines,
                           "list of outputs", error));
  const int64_t count = list_outputs(folder, lines);
  if (count > 0) *hash = fmlp_hash(lines, count * OUTPUT_LINE);
  fmlp_free(lines);
  return FMLP_OK;
}

fmlp_status fmlp_run_folder_commit(fmlp_run_folder *folder, fmlp_error *error) {
  /* Another run may have taken the name since create: the result then goes beside it rather than away. */
  memcpy(folder->path, folder->final_path, sizeof folder->path);
  for (int number = 2; number <= NAME_ATTEMPTS; number++) {
    if (!exists(folder->path)) {
      if (rename(folder->temporary, folder->path) == 0) {
        if (number > 2)
          fmlp_log_warning("%s exists by now; this run is in %s", folder->final_path, folder->path);
        memcpy(folder->final_path, folder->path, sizeof folder->final_path);
        folder->temporary[0] = '\0';
        folder->parent_count = 0;
        return FMLP_OK;
      }
      if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR) break;
    }
    (void)snprintf(folder->path, sizeof folder->path, "%.*s_%d", (int)sizeof folder->path - 8,
                   folder->final_path, number);
  }
  return cannot(error, folder->final_path, "name the finished run");
}

void fmlp_run_folder_discard(fmlp_run_folder *folder) {
  if (!folder) return;
  for (int i = 0; i < BUILDING; i++) {
    fmlp_run_folder *now = folder;
    (void)atomic_compare_exchange_strong(&building[i], &now, (fmlp_run_folder *)NULL);
  }
  remove_written(folder);
  fmlp_free(folder->columns);
  fmlp_free(folder);
}
