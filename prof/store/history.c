/* Adding to a history. Files appear under their names when they are whole; the index names them last. */
#define _DEFAULT_SOURCE /* flock, nanosleep */
#include "prof/store/history.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "prof/store/profile_file.h"
#include "prof/store/whole_file.h"

enum {
  PATH_CAPACITY = 4096,
  LINE_CAPACITY = 2048,
  LOCK_TRIES = 1000,
  LOCK_PAUSE = 10 * 1000 * 1000 /* ns */
};

/* One addition on its way. */
typedef struct addition {
  const char *folder;
  const fmlp_profile *profile;
  char *message;
  int64_t capacity;
  bool (*stop)(void);
  int index;      /* index.csv, locked; -1 without versions */
  char name[128]; /* of the run, as files are called */
  char stem[256]; /* of its files, "2026-01-31_name_v3" */
  int version;    /* 0: none */
  char path[PATH_CAPACITY];
} addition;

static bool complain(addition *to, const char *path, const char *why) {
  (void)snprintf(to->message, (size_t)to->capacity, "%s: %s", path, why);
  return false;
}

__attribute__((format(printf, 2, 3))) static const char *path_of(addition *to, const char *format, ...) {
  int length = snprintf(to->path, sizeof to->path, "%s/", to->folder);
  va_list values;
  va_start(values, format);
  if (length > 0 && (size_t)length < sizeof to->path)
    (void)vsnprintf(to->path + length, sizeof to->path - (size_t)length, format, values);
  va_end(values);
  return to->path;
}

static const char *fact(const addition *to, const char *key) {
  const char *value = fmlp_profile_get(to->profile, key);
  return value ? value : "";
}

/* The folder and those it lies in. */
static bool make_folder(addition *to) {
  char path[PATH_CAPACITY];
  const int length = snprintf(path, sizeof path, "%s", to->folder);
  if (length <= 0 || (size_t)length >= sizeof path - 512) {
    errno = length <= 0 ? ENOENT : ENAMETOOLONG;
    return complain(to, to->folder, strerror(errno));
  }
  for (char *at = path + 1;; at++) {
    if (*at != '/' && *at != '\0') continue;
    const char kept = *at;
    *at = '\0';
    if (mkdir(path, 0777) != 0 && errno != EEXIST) return complain(to, path, strerror(errno));
    *at = kept;
    if (kept == '\0') return true;
  }
}

static bool write_all(int file, const void *bytes, size_t count) {
  for (const char *at = bytes; count > 0;) {
    const ssize_t written = write(file, at, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    at += written;
    count -= (size_t)written;
  }
  return true;
}

/* Under a name of its own first: `<stem><ending>` appears whole, in the place of an older one. */
static bool write_file(addition *to, const char *ending, const void *bytes, size_t count) {
  char partial[PATH_CAPACITY];
  (void)snprintf(partial, sizeof partial, "%s",
                 path_of(to, ".%s%s.%ld.partial", to->stem, ending, (long)getpid()));
  const int file = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (file < 0) return complain(to, partial, strerror(errno));
  bool written = write_all(file, bytes, count);
  int problem = errno;
  if (close(file) != 0 && written) {
    written = false;
    problem = errno;
  }
  const char *path = path_of(to, "%s%s", to->stem, ending);
  if (written && rename(partial, path) != 0) {
    written = false;
    problem = errno;
  }
  if (written) return true;
  (void)unlink(partial);
  return complain(to, path, strerror(problem));
}

static void remove_files(addition *to) {
  (void)unlink(path_of(to, "%s.fmlprof", to->stem));
  (void)unlink(path_of(to, "%s.txt", to->stem));
}

/* A file to add lines to, made when it is missing. */
static int open_lines(addition *to, const char *name) {
  struct stat about;
  const char *path = path_of(to, "%s", name);
  const int file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
  if (file >= 0 && fstat(file, &about) == 0 && S_ISREG(about.st_mode)) return file;
  (void)complain(to, path, file < 0 ? strerror(errno) : "is no ordinary file");
  if (file >= 0) (void)close(file);
  return -1;
}

/* Adds lines in one piece, after `heading` in an empty file, on a line of their own. */
static bool add_lines(int file, const char *heading, const char *lines) {
  struct stat about;
  char text[2 * LINE_CAPACITY], last = '\n';
  if (fstat(file, &about) != 0) return false;
  if (about.st_size > 0 && pread(file, &last, 1, about.st_size - 1) != 1) return false;
  const int length = snprintf(text, sizeof text, "%s%s%s", about.st_size == 0 ? heading : "",
                              last == '\n' ? "" : "\n", lines);
  if (length < 0 || (size_t)length >= sizeof text) {
    errno = EOVERFLOW;
    return false;
  }
  return write_all(file, text, (size_t)length);
}

/* Some file systems know no locks; then versions alone are told apart. */
static bool lock_index(addition *to) {
  to->index = open_lines(to, "index.csv");
  if (to->index < 0) return false;
  for (int i = 0; i < LOCK_TRIES; i++) {
    if (flock(to->index, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK && errno != EINTR) return true;
    if (to->stop && to->stop())
      return complain(to, to->path, "interrupted while another program had locked it");
    (void)nanosleep(&(struct timespec){.tv_nsec = LOCK_PAUSE}, NULL);
  }
  return complain(to, to->path, "another program has locked it for 10 s");
}

/* Empty, or with the first line of an index: other people's files are not added to. */
static bool is_index(const char *lines) {
  const size_t length = sizeof FMLP_HISTORY_HEADER - 1;
  return lines[0] == '\0' || (strncmp(lines, FMLP_HISTORY_HEADER, length) == 0 &&
                              lines[length + strspn(lines + length, "\r")] == '\n');
}

/* The highest version of files called `start`<version>.fmlprof that the index names. */
static int highest_version(const char *lines, const char *start) {
  int highest = 0;
  for (const char *at = strstr(lines, start); at; at = strstr(at, start)) {
    char *end = NULL;
    at += strlen(start);
    const long version = strtol(at, &end, 10);
    if (version > highest && version < INT_MAX && strncmp(end, ".fmlprof", 8) == 0) highest = (int)version;
  }
  return highest;
}

/* One above all that the index names, and free: what was deleted does not come back as something else. */
static bool choose_version(addition *to) {
  char message[512] = "", start[200];
  struct stat about;
  size_t size = 0;
  char *lines = (char *)fmlp_whole_file_read(path_of(to, "index.csv"), &size, message, sizeof message);
  if (!lines) return complain(to, to->folder, message);
  if (!is_index(lines)) {
    free(lines);
    return complain(to, to->path, "no index of profiles (its first line is another)");
  }
  const int day = (int)strcspn(fact(to, FMLP_FACT_CREATED), "T");
  (void)snprintf(start, sizeof start, "%.*s_%s_v", day < 32 ? day : 32, fact(to, FMLP_FACT_CREATED),
                 to->name);
  to->version = highest_version(lines, start);
  free(lines);
  do (void)snprintf(to->stem, sizeof to->stem, "%s%d", start, ++to->version);
  while (lstat(path_of(to, "%s.fmlprof", to->stem), &about) == 0 && to->version < INT_MAX - 1);
  return true;
}

static int by_value(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* Wall time, ns. */
static int64_t median_wall(const fmlp_profile *profile) {
  const int32_t count = profile->capture_count;
  int64_t *wall = calloc((size_t)count + 1, sizeof *wall);
  if (!wall) return 0;
  for (int32_t i = 0; i < count; i++) wall[i] = profile->captures[i]->stop - profile->captures[i]->start;
  qsort(wall, (size_t)count, sizeof *wall, by_value);
  const int64_t middle = count > 0 ? (wall[(count - 1) / 2] + wall[count / 2]) / 2 : 0;
  free(wall);
  return middle;
}

/* A field of a CSV line and the comma after it; quoted where it must be, control characters blanked. */
static void put_field(FILE *out, const char *text, char after) {
  const bool quote = strpbrk(text, ",\"") != NULL;
  if (quote) (void)fputc('"', out);
  for (; *text; text++) {
    if (*text == '"') (void)fputc('"', out);
    (void)fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
  }
  if (quote) (void)fputc('"', out);
  (void)fputc(after, out);
}

static const char *commit_of(const addition *to) {
  static const char WORD[] = "commit ";
  const char *version = fact(to, FMLP_FACT_VERSION), *commit = strstr(version, WORD);
  return commit ? commit + sizeof WORD - 1 : version;
}

static bool add_to_index(addition *to) {
  char line[LINE_CAPACITY] = "", file[300];
  const int64_t wall = median_wall(to->profile);
  (void)snprintf(file, sizeof file, "%s.fmlprof", to->stem);
  FILE *out = fmemopen(line, sizeof line - 1, "w");
  if (!out) return complain(to, to->folder, strerror(errno));
  (void)fprintf(out, "%d,", to->version);
  put_field(out, fact(to, FMLP_FACT_CREATED), ',');
  put_field(out, fact(to, FMLP_FACT_NAME), ',');
  put_field(out, commit_of(to), ',');
  put_field(out, fact(to, FMLP_FACT_DEVICE), ',');
  (void)fprintf(out, "%" PRId64 ".%09" PRId64 ",%d,", wall / 1000000000, wall % 1000000000,
                (int)to->profile->capture_count);
  put_field(out, fact(to, FMLP_FACT_OUTPUTS), ',');
  put_field(out, file, '\n');
  if (fclose(out) != 0 || !strchr(line, '\n'))
    return complain(to, to->folder, "a line too long for the index");
  if (add_lines(to->index, FMLP_HISTORY_HEADER "\n", line)) return true;
  return complain(to, path_of(to, "index.csv"), strerror(errno));
}

static bool add_to_notes(addition *to) {
  static const char HEADING[] =
      "# Notes on the profiles in this folder\n"
      "\n"
      "A line for each version: what was changed, what was expected, what came of it.\n"
      "\n";
  char line[LINE_CAPACITY];
  const int64_t wall = median_wall(to->profile);
  const int file = open_lines(to, "notes.md");
  if (file < 0) return false;
  (void)snprintf(line, sizeof line, "- %s (%.12s, %.200s, %.3f s): \n", to->stem, commit_of(to),
                 fact(to, FMLP_FACT_DEVICE), (double)wall / 1e9);
  bool added = add_lines(file, HEADING, line);
  const int problem = errno;
  if (close(file) != 0) added = false;
  return added ? true : complain(to, path_of(to, "notes.md"), strerror(problem));
}

static bool write_files(addition *to, const char *text) {
  uint8_t *bytes = NULL;
  size_t size = 0;
  if (!fmlp_profile_file_make(to->profile, &bytes, &size)) return complain(to, to->folder, "out of memory");
  const bool written = write_file(to, ".fmlprof", bytes, size) && write_file(to, ".txt", text, strlen(text));
  free(bytes);
  return written;
}

static bool add_version(addition *to, const char *text) {
  if (!lock_index(to) || !choose_version(to)) return false;
  /* The index last: what it names is there. */
  if (write_files(to, text) && add_to_notes(to) && add_to_index(to)) return true;
  char kept[PATH_CAPACITY];
  (void)snprintf(kept, sizeof kept, "%s", to->message);
  remove_files(to);
  (void)snprintf(to->message, (size_t)to->capacity, "%s", kept);
  return false;
}

bool fmlp_history_add(const char *folder, bool versions, const fmlp_profile *profile, const char *text,
                      bool (*stop)(void), char *message, int64_t capacity) {
  addition to = {.folder = folder,
                 .profile = profile,
                 .message = message,
                 .capacity = capacity,
                 .stop = stop,
                 .index = -1};
  (void)snprintf(to.name, sizeof to.name, "%s", fact(&to, FMLP_FACT_NAME));
  for (char *at = to.name; *at; at++)
    if (*at == '/' || (unsigned char)*at < 0x20) *at = '_';
  (void)snprintf(to.stem, sizeof to.stem, "%s", to.name);
  if (!make_folder(&to)) return false;
  if (!versions) return write_files(&to, text);
  const bool added = add_version(&to, text);
  if (to.index >= 0) (void)close(to.index); /* and with it the lock */
  return added;
}
