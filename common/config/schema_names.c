/* Unknown keys, with the known one that was probably meant. */
#include <stdio.h>
#include <string.h>

#include "common/config/schema.h"
#include "common/core/nearest.h"

enum { PATH_LIMIT = 256 };

/* 1: `path` is a key; 2: it is a mapping above keys; 0: neither. */
static int known(const char *path, fmlp_key_type *type) {
  size_t length = strlen(path);
  for (int32_t i = 0; i < fmlp_schema_count; i++) {
    const char *row = fmlp_schema[i].path;
    if (strncmp(row, path, length) != 0) continue;
    *type = fmlp_schema[i].type;
    if (row[length] == '\0') return 1;
    if (row[length] == '.') return 2;
  }
  return 0;
}

static const char *leaf_of(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot ? dot + 1 : path;
}

/* Near enough to be a misspelling: a third of the word, and one even for the shortest. */
static bool is_near(const char *word, int32_t distance) {
  int32_t length = (int32_t)strlen(word);
  return distance <= (length < 6 ? (length + 2) / 3 : length / 3);
}

static void consider(const char *wanted, const char *path, size_t length, const char **best,
                     size_t *best_length, int32_t *best_distance) {
  char candidate[PATH_LIMIT];
  if (length >= sizeof candidate) return;
  memcpy(candidate, path, length);
  candidate[length] = '\0';
  int32_t distance = fmlp_edit_distance(wanted, candidate);
  if (strcmp(leaf_of(wanted), leaf_of(candidate)) == 0 && distance > 2)
    distance = 2; /* right word, wrong place */
  if (distance < *best_distance && (is_near(leaf_of(wanted), distance) || distance <= 2)) {
    *best = path;
    *best_length = length;
    *best_distance = distance;
  }
}

/* The nearest key, or mapping above keys, as a part of a row's path. */
static const char *nearest_path(const char *wanted, size_t *length) {
  const char *best = NULL;
  int32_t distance = PATH_LIMIT;
  for (int32_t i = 0; i < fmlp_schema_count; i++) {
    const char *path = fmlp_schema[i].path;
    consider(wanted, path, strlen(path), &best, length, &distance);
    for (const char *dot = strchr(path, '.'); dot; dot = strchr(dot + 1, '.')) {
      consider(wanted, path, (size_t)(dot - path), &best, length, &distance);
    }
  }
  return best;
}

/* "bars has: type, threshold, session_tail". */
static void list_siblings(const fmlp_node *parent, const char *above, char *text, size_t capacity) {
  int written = snprintf(text, capacity, "%s has: ", above[0] ? above : "the configuration");
  size_t length = written > 0 ? (size_t)written : 0;
  bool first = true;
  for (const fmlp_node *child = parent->first; child && length < capacity; child = child->next) {
    char path[PATH_LIMIT * 2];
    fmlp_key_type type = FMLP_KEY_BOOL;
    (void)snprintf(path, sizeof path, "%s%s%s", above, above[0] ? "." : "", child->key);
    if (!known(path, &type)) continue;
    written = snprintf(text + length, capacity - length, "%s%s", first ? "" : ", ", child->key);
    if (written > 0) length += (size_t)written;
    first = false;
  }
}

static fmlp_status unknown(const fmlp_node *parent, const fmlp_node *node, const char *above,
                           const char *path, fmlp_error *error) {
  size_t length = 0;
  const char *near = nearest_path(path, &length);
  const char *origin = node->origin ? node->origin : "configuration";
  if (near) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "%s: unknown key '%s'; did you mean '%.*s'?", origin, path,
                     (int)length, near);
  }
  char siblings[512];
  list_siblings(parent, above, siblings, sizeof siblings);
  return fmlp_fail(error, FMLP_ERR_USAGE, "%s: unknown key '%s'; %s", origin, path, siblings);
}

static fmlp_status check(fmlp_arena *arena, const fmlp_node *map, const char *above, fmlp_error *error) {
  for (const fmlp_node *child = map->first; child; child = child->next) {
    const char *path = fmlp_arena_print(arena, "%s%s%s", above, above[0] ? "." : "", child->key);
    fmlp_key_type type = FMLP_KEY_BOOL;
    if (!path) return FMLP_ERR_OTHER;
    if (strchr(child->key, '.')) {
      return fmlp_fail(error, FMLP_ERR_USAGE, "%s: key '%s' holds a dot; in files keys are nested mappings",
                       child->origin ? child->origin : "configuration", path);
    }
    int what = strlen(path) < PATH_LIMIT ? known(path, &type) : 0;
    if (what == 0) return unknown(map, child, above, path, error);
    if (what == 1 && type == FMLP_KEY_FREE && child->kind != FMLP_NODE_MAP) {
      return fmlp_fail(error, FMLP_ERR_USAGE, "%s: %s: a mapping expected",
                       child->origin ? child->origin : "", path);
    }
    if (what == 1) continue;
    if (child->kind != FMLP_NODE_MAP) {
      char siblings[512];
      for (const fmlp_schema_row *row = fmlp_schema; row < fmlp_schema + fmlp_schema_count; row++) {
        if (strncmp(row->path, path, strlen(path)) != 0 || row->path[strlen(path)] != '.') continue;
        (void)snprintf(siblings, sizeof siblings, "%s", row->path);
        break;
      }
      return fmlp_fail(error, FMLP_ERR_USAGE, "%s: %s: a mapping of keys expected (such as %s)",
                       child->origin ? child->origin : "", path, siblings);
    }
    FMLP_TRY(check(arena, child, path, error));
  }
  return FMLP_OK;
}

fmlp_status fmlp_schema_check_names(fmlp_arena *arena, fmlp_node *root, fmlp_error *error) {
  return check(arena, root, "", error);
}
