/* The search path of configuration files. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "common/config/search.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPTION_LIMIT = 256 };

static bool is_folder(const char *path) {
  struct stat about;
  return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static bool is_file(const char *path) {
  struct stat about;
  return stat(path, &about) == 0 && !S_ISDIR(about.st_mode);
}

static void add(fmlp_search *search, const char *path) {
  if (path && is_folder(path)) search->dirs[search->count++] = path;
}

fmlp_status fmlp_search_open(fmlp_arena *arena, const char *config_dir, fmlp_search *search,
                             fmlp_error *error) {
  *search = (fmlp_search){{NULL}, 0};
  if (config_dir) {
    if (!is_folder(config_dir)) {
      return fmlp_fail(error, FMLP_ERR_USAGE, "--config-dir %s: no such folder", config_dir);
    }
    if (access(config_dir, R_OK | X_OK) != 0) { /* else another folder's files would silently stand in */
      return fmlp_fail(error, FMLP_ERR_USAGE, "--config-dir %s: cannot be read: %s", config_dir,
                       strerror(errno));
    }
    size_t length = strlen(config_dir);
    while (length > 1 && config_dir[length - 1] == '/') length--;
    const char *copy = fmlp_arena_copy(arena, config_dir, length);
    if (!copy) return FMLP_ERR_OTHER;
    add(search, copy);
  }
  add(search, "configs");
  char program[4096];
  ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  if (length > 0) {
    program[length] = '\0';
    char *slash = strrchr(program, '/');
    if (slash) *slash = '\0';
    /* Resolved, because it stands in messages and ".." chains read badly. */
    static const char *const beside[] = {"../../configs", "../share/fmlp/configs"};
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
      const char *path = fmlp_arena_print(arena, "%s/%s", program, beside[i]);
      if (!path) return FMLP_ERR_OTHER;
      char *resolved = realpath(path, NULL);
      if (!resolved) continue;
      const char *copy = fmlp_arena_copy(arena, resolved, strlen(resolved));
      free(resolved);
      if (!copy) return FMLP_ERR_OTHER;
      add(search, copy);
    }
  }
  return FMLP_OK;
}

const char *fmlp_search_file(fmlp_arena *arena, const fmlp_search *search, const char *group,
                             const char *name) {
  for (int32_t i = 0; i < search->count; i++) {
    const char *path =
        fmlp_arena_print(arena, "%s/%s%s%s.yaml", search->dirs[i], group, group[0] ? "/" : "", name);
    if (path && is_file(path)) return path;
  }
  return NULL;
}

bool fmlp_search_has_group(fmlp_arena *arena, const fmlp_search *search, const char *group) {
  if (group[0] == '\0' || group[0] == '/' || strstr(group, "..")) return false;
  for (int32_t i = 0; i < search->count; i++) {
    const char *path = fmlp_arena_print(arena, "%s/%s", search->dirs[i], group);
    if (path && is_folder(path)) return true;
  }
  return false;
}

static int by_name(const void *a, const void *b) {
  const char *x = NULL, *y = NULL;
  memcpy(&x, a, sizeof x);
  memcpy(&y, b, sizeof y);
  return strcmp(x, y);
}

static int32_t add_options(fmlp_arena *arena, const char *folder, const char **names, int32_t count) {
  DIR *dir = opendir(folder);
  if (!dir) return count;
  for (struct dirent *entry = readdir(dir); entry && count < OPTION_LIMIT; entry = readdir(dir)) {
    size_t length = strlen(entry->d_name);
    if (length <= 5 || strcmp(entry->d_name + length - 5, ".yaml") != 0) continue;
    names[count] = fmlp_arena_copy(arena, entry->d_name, length - 5);
    if (names[count]) count++;
  }
  (void)closedir(dir);
  return count;
}

const char *const *fmlp_search_options(fmlp_arena *arena, const fmlp_search *search, const char *group,
                                       int32_t *count) {
  *count = 0;
  const char **names = fmlp_arena_take(arena, sizeof *names * OPTION_LIMIT);
  if (!names) return NULL;
  int32_t found = 0;
  for (int32_t i = 0; i < search->count; i++) {
    const char *folder = fmlp_arena_print(arena, "%s/%s", search->dirs[i], group);
    if (folder) found = add_options(arena, folder, names, found);
  }
  if (found > 0) qsort(names, (size_t)found, sizeof *names, by_name);
  for (int32_t i = 0; i < found; i++) {
    if (*count == 0 || strcmp(names[*count - 1], names[i]) != 0) names[(*count)++] = names[i];
  }
  return names;
}
