/* What can be known of a history before there is anything to add to it. */
#define _XOPEN_SOURCE 700 /* realpath */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "prof/store/history.h"

enum { PATH_CAPACITY = 4096, NAME_ROOM = 512 };

static bool complain(char *message, int64_t capacity, const char *path, const char *why) {
  (void)snprintf(message, (size_t)capacity, "%s: %s", path, why);
  return false;
}

/* Shortens a path by its last name: "a/b" is in "a", "a" in ".", "/a" in "/". */
static void cut_name(char *path) {
  size_t length = strlen(path);
  while (length > 1 && path[length - 1] == '/') length--;
  while (length > 0 && path[length - 1] != '/') length--;
  while (length > 1 && path[length - 1] == '/') length--;
  path[length] = '\0';
  if (length == 0) memcpy(path, ".", 2);
}

/* An ordinary file that can be written, or none. */
static bool check_file(const char *folder, const char *name, char *message, int64_t capacity) {
  struct stat about;
  char path[PATH_CAPACITY];
  (void)snprintf(path, sizeof path, "%s/%s", folder, name);
  if (stat(path, &about) != 0)
    return errno == ENOENT ? true : complain(message, capacity, path, strerror(errno));
  if (!S_ISREG(about.st_mode)) return complain(message, capacity, path, "is no ordinary file");
  return access(path, R_OK | W_OK) == 0 ? true : complain(message, capacity, path, strerror(errno));
}

bool fmlp_history_check(const char *folder, bool versions, char *message, int64_t capacity) {
  struct stat about;
  char path[PATH_CAPACITY];
  const size_t length = strlen(folder);
  if (length == 0 || length >= sizeof path - NAME_ROOM)
    return complain(message, capacity, folder, strerror(length == 0 ? ENOENT : ENAMETOOLONG));
  memcpy(path, folder, length + 1);
  while (lstat(path, &about) != 0 && errno == ENOENT && strcmp(path, ".") != 0 && strcmp(path, "/") != 0)
    cut_name(path);
  if (stat(path, &about) != 0) return complain(message, capacity, path, strerror(errno));
  if (!S_ISDIR(about.st_mode)) return complain(message, capacity, path, strerror(ENOTDIR));
  if (access(path, W_OK | X_OK) != 0) return complain(message, capacity, path, strerror(errno));
  if (!versions || strcmp(path, folder) != 0) return true;
  return check_file(folder, "index.csv", message, capacity) &&
         check_file(folder, "notes.md", message, capacity);
}

/* Adds the names of `rest`, none of which exists, to the path in `to`. */
static bool add_names(char to[PATH_MAX], const char *rest) {
  while (*rest) {
    const size_t length = strcspn(rest, "/"), used = strlen(to);
    if (length == 2 && strncmp(rest, "..", 2) == 0) {
      cut_name(to);
    } else if (length > 0 && !(length == 1 && rest[0] == '.')) {
      if (used + length + 2 > PATH_MAX) return false;
      (void)snprintf(to + used, PATH_MAX - used, "%s%.*s", used == 1 ? "" : "/", (int)length, rest);
    }
    rest += length + strspn(rest + length, "/");
  }
  return true;
}

/* The absolute path without links of what exists of `path`, and the names of the rest. */
static bool resolve(const char *path, char to[PATH_MAX]) {
  char existing[PATH_CAPACITY];
  const size_t length = strlen(path);
  if (length >= sizeof existing) return false;
  memcpy(existing, path, length + 1);
  while (!realpath(existing, to)) {
    if (strcmp(existing, ".") == 0 || strcmp(existing, "/") == 0) return false;
    cut_name(existing);
  }
  return add_names(to, strcmp(existing, ".") == 0 ? path : path + strlen(existing));
}

bool fmlp_history_is_inside(const char *inner, const char *outer) {
  char a[PATH_MAX], b[PATH_MAX];
  if (!resolve(inner, a) || !resolve(outer, b)) return false;
  const size_t length = strlen(b);
  return strncmp(a, b, length) == 0 && (a[length] == '\0' || a[length] == '/' || length == 1);
}
