/* The collection of many runs' profiles that runtime.profile_output_dir keeps. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/pipeline_finish.h"
#include "prof/views/profile_json.h"
#include "prof/views/report.h"

enum { PATH_CAPACITY = 4096, MAX_VERSIONS = 100000 };

static fmlp_status cannot(fmlp_error *error, const char *path) {
  return fmlp_fail(error, FMLP_ERR_OTHER, "%s: %s (runtime.profile_output_dir)", path, strerror(errno));
}

/* Writes all of it into a file that must not exist yet; EEXIST is left to the caller. */
static bool write_new(const char *path, const char *text) {
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) return false;
  size_t rest = strlen(text);
  while (rest > 0) {
    ssize_t written = write(file, text, rest);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) break;
    text += written;
    rest -= (size_t)written;
  }
  int problem = rest > 0 ? errno : 0;
  if (close(file) != 0 && problem == 0) problem = errno;
  if (problem == 0) return true;
  (void)unlink(path);
  errno = problem;
  return false;
}

/* The first version number that is free: the .json file claims it. */
static fmlp_status write_version(const char *stem, const char *json, const char *table, fmlp_error *error) {
  char path[PATH_CAPACITY];
  for (int version = 1; version <= MAX_VERSIONS; version++) {
    (void)snprintf(path, sizeof path, "%s_v%d.json", stem, version);
    if (!write_new(path, json)) {
      if (errno == EEXIST) continue;
      return cannot(error, path);
    }
    (void)snprintf(path, sizeof path, "%s_v%d.txt", stem, version);
    (void)unlink(path);
    if (write_new(path, table)) return FMLP_OK;
    fmlp_status status = cannot(error, path);
    (void)snprintf(path, sizeof path, "%s_v%d.json", stem, version);
    (void)unlink(path);
    return status;
  }
  return fmlp_fail(error, FMLP_ERR_OTHER, "%s: %d versions already (runtime.profile_output_dir)", stem,
                   MAX_VERSIONS);
}

static fmlp_status collect(const char *output_dir, const char *name, const char *json, const char *table,
                           fmlp_error *error) {
  char stem[PATH_CAPACITY - 32], date[16];
  time_t now = time(NULL);
  struct tm utc;
  if (!gmtime_r(&now, &utc) || strftime(date, sizeof date, "%Y-%m-%d", &utc) == 0) {
    return fmlp_fail(error, FMLP_ERR_OTHER, "the date cannot be told");
  }
  int length = snprintf(stem, sizeof stem, "%s/%s_%s", output_dir, date, name);
  if (length < 0 || (size_t)length >= sizeof stem) {
    return fmlp_fail(error, FMLP_ERR_OTHER, "%s: the path is too long (runtime.profile_output_dir)",
                     output_dir);
  }
  if (mkdir(output_dir, 0777) != 0 && errno != EEXIST) return cannot(error, output_dir);
  return write_version(stem, json, table, error);
}

fmlp_status fmlp_profile_collect(const fmlp_settings *settings, const fmlp_profile *profile,
                                 fmlp_error *error) {
  if (!profile || !settings->runtime.profile_output_dir) return FMLP_OK;
  char *json = fmlp_profile_json(profile->captures[0]), *table = fmlp_report_text(profile->captures[0]);
  fmlp_status status = json && table ? collect(settings->runtime.profile_output_dir,
                                               settings->experiment_name, json, table, error)
                                     : fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: profile");
  free(json);
  free(table);
  return status;
}
