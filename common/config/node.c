/* Arena and tree. Depth is bounded by the readers (FMLP_YAML_DEPTH), which bounds the recursion here. */
#include "common/config/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/memory.h"

enum { CHUNK_BYTES = 1 << 16, GRAIN = 16 };

struct fmlp_arena_chunk {
  fmlp_arena_chunk *next;
  size_t used;
  size_t size;
  char *bytes;
};

static fmlp_arena_chunk *add_chunk(fmlp_arena *arena, size_t bytes) {
  fmlp_arena_chunk *chunk = NULL;
  size_t size = bytes > CHUNK_BYTES ? bytes : (size_t)CHUNK_BYTES;
  if (fmlp_alloc(&chunk, 1, sizeof *chunk, "configuration", arena->error) != FMLP_OK) return NULL;
  *chunk = (fmlp_arena_chunk){arena->chunks, 0, size, NULL};
  if (fmlp_alloc_zero(&chunk->bytes, (int64_t)size, 1, "configuration", arena->error) != FMLP_OK) {
    fmlp_free(chunk);
    return NULL;
  }
  arena->chunks = chunk;
  return chunk;
}

void *fmlp_arena_take(fmlp_arena *arena, size_t bytes) {
  bytes = (bytes + GRAIN - 1) & ~(size_t)(GRAIN - 1);
  fmlp_arena_chunk *chunk = arena->chunks;
  if (!chunk || chunk->size - chunk->used < bytes) chunk = add_chunk(arena, bytes);
  if (!chunk) return NULL;
  void *block = chunk->bytes + chunk->used;
  chunk->used += bytes;
  return block;
}

const char *fmlp_arena_copy(fmlp_arena *arena, const char *text, size_t length) {
  char *copy = fmlp_arena_take(arena, length + 1);
  if (copy && length > 0) memcpy(copy, text, length);
  return copy;
}

const char *fmlp_arena_print(fmlp_arena *arena, const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  char *text = length < 0 ? NULL : fmlp_arena_take(arena, (size_t)length + 1);
  if (text) (void)vsnprintf(text, (size_t)length + 1, format, again);
  va_end(again);
  va_end(arguments);
  return text;
}

void fmlp_arena_release(fmlp_arena *arena) {
  while (arena->chunks) {
    fmlp_arena_chunk *next = arena->chunks->next;
    fmlp_free(arena->chunks->bytes);
    fmlp_free(arena->chunks);
    arena->chunks = next;
  }
}

fmlp_node *fmlp_node_create(fmlp_arena *arena, fmlp_node_kind kind, const char *origin) {
  fmlp_node *node = fmlp_arena_take(arena, sizeof *node);
  if (!node) return NULL;
  node->kind = kind;
  node->text = "";
  node->origin = origin;
  return node;
}

fmlp_node *fmlp_node_scalar(fmlp_arena *arena, const char *text, bool quoted, const char *origin) {
  fmlp_node *node = text ? fmlp_node_create(arena, FMLP_NODE_SCALAR, origin) : NULL;
  if (!node) return NULL;
  node->text = text;
  node->quoted = quoted;
  return node;
}

void fmlp_node_append(fmlp_node *parent, fmlp_node *child) {
  child->next = NULL;
  if (parent->last) {
    parent->last->next = child;
  } else {
    parent->first = child;
  }
  parent->last = child;
}

static fmlp_node *list_element(const fmlp_node *list, const char *key, size_t length) {
  char digits[8];
  if (length == 0 || length >= sizeof digits) return NULL;
  memcpy(digits, key, length);
  digits[length] = '\0';
  char *end = NULL;
  long index = strtol(digits, &end, 10);
  if (*end != '\0' || index < 0) return NULL;
  fmlp_node *child = list->first;
  while (child && index-- > 0) child = child->next;
  return child;
}

fmlp_node *fmlp_node_child(const fmlp_node *parent, const char *key, size_t length) {
  if (parent->kind == FMLP_NODE_LIST) return list_element(parent, key, length);
  for (fmlp_node *child = parent->first; child; child = child->next) {
    if (strncmp(child->key, key, length) == 0 && child->key[length] == '\0') return child;
  }
  return NULL;
}

fmlp_node *fmlp_node_find(fmlp_node *root, const char *path) {
  fmlp_node *node = root;
  while (node && *path) {
    size_t length = strcspn(path, ".");
    node = node->kind == FMLP_NODE_SCALAR ? NULL : fmlp_node_child(node, path, length);
    path += length;
    if (*path == '.') path++;
  }
  return node;
}

void fmlp_node_remove(fmlp_node *parent, fmlp_node *child) {
  fmlp_node *before = NULL;
  for (fmlp_node *node = parent->first; node; before = node, node = node->next) {
    if (node != child) continue;
    if (before) {
      before->next = node->next;
    } else {
      parent->first = node->next;
    }
    if (parent->last == node) parent->last = before;
    return;
  }
}

void fmlp_node_assign(fmlp_node *target, const fmlp_node *source) {
  const char *key = target->key;
  fmlp_node *next = target->next;
  *target = *source;
  target->key = key;
  target->next = next;
}

fmlp_node *fmlp_node_copy(fmlp_arena *arena, const fmlp_node *node, int64_t *budget) {
  if ((*budget)-- <= 0) {
    (void)fmlp_fail(arena->error, FMLP_ERR_USAGE, "%s: the configuration grows too large by its aliases",
                    node->origin ? node->origin : "configuration");
    return NULL;
  }
  fmlp_node *copy = fmlp_node_create(arena, node->kind, node->origin);
  if (!copy) return NULL;
  copy->quoted = node->quoted;
  copy->resolved = node->resolved;
  copy->text = node->text;
  copy->key = node->key;
  for (const fmlp_node *child = node->first; child; child = child->next) {
    fmlp_node *child_copy = fmlp_node_copy(arena, child, budget);
    if (!child_copy) return NULL;
    fmlp_node_append(copy, child_copy);
  }
  return copy;
}

void fmlp_node_merge(fmlp_node *target, fmlp_node *source) {
  if (target->kind == FMLP_NODE_MAP && fmlp_node_is_null(source)) return;
  if (target->kind != FMLP_NODE_MAP || source->kind != FMLP_NODE_MAP) {
    fmlp_node_assign(target, source);
    return;
  }
  if (source->origin) target->origin = source->origin;
  fmlp_node *next = NULL;
  for (fmlp_node *child = source->first; child; child = next) {
    next = child->next;
    fmlp_node *mine = fmlp_node_child(target, child->key, strlen(child->key));
    if (mine) {
      fmlp_node_merge(mine, child);
    } else {
      fmlp_node_append(target, child);
    }
  }
}

fmlp_status fmlp_node_make_map(fmlp_arena *arena, fmlp_node *root, const char *path, const char *origin,
                               fmlp_node **map) {
  fmlp_node *node = root;
  const char *at = path;
  for (;;) {
    if (fmlp_node_is_null(node)) {
      fmlp_node_assign(node, &(fmlp_node){.kind = FMLP_NODE_MAP, .text = "", .origin = origin});
    }
    size_t length = strcspn(at, ".");
    bool ends = *at == '\0';
    fmlp_node *child = ends || node->kind == FMLP_NODE_SCALAR ? NULL : fmlp_node_child(node, at, length);
    if (!child && node->kind != FMLP_NODE_MAP) {
      return fmlp_fail(arena->error, FMLP_ERR_USAGE, "%s: '%.*s' is no mapping that could hold keys (%s)",
                       origin ? origin : "default", (int)(at - path - (!ends && at > path)), path,
                       node->origin ? node->origin : "default");
    }
    if (ends) break;
    if (!child) {
      child = fmlp_node_create(arena, FMLP_NODE_MAP, origin);
      if (!child || !(child->key = fmlp_arena_copy(arena, at, length))) return FMLP_ERR_OTHER;
      fmlp_node_append(node, child);
    }
    node = child;
    at += length;
    if (*at == '.') at++;
  }
  *map = node;
  return FMLP_OK;
}

bool fmlp_node_is_null(const fmlp_node *node) {
  static const char *const nulls[] = {"", "null", "Null", "NULL", "~"};
  if (node->kind != FMLP_NODE_SCALAR || node->quoted) return false;
  for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++) {
    if (strcmp(node->text, nulls[i]) == 0) return true;
  }
  return false;
}

bool fmlp_node_is_missing(const fmlp_node *node) {
  return node->kind == FMLP_NODE_SCALAR && strcmp(node->text, "???") == 0;
}
