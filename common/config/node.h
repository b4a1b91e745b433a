/* The configuration as a tree, before it has types: scalars as text, lists, mappings; each node knows where
 * it was written. Everything lives in an arena and ends with it. Internal to config/. */
#ifndef FMLP_COMMON_CONFIG_NODE_H
#define FMLP_COMMON_CONFIG_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/core/status.h"

/* Memory of one configuration. Zero-initialise with `error` set; a NULL from any function below has written
 * FMLP_ERR_OTHER's text into it. */
typedef struct fmlp_arena_chunk fmlp_arena_chunk;
typedef struct fmlp_arena {
  fmlp_arena_chunk *chunks;
  fmlp_error *error;
} fmlp_arena;

void *fmlp_arena_take(fmlp_arena *arena, size_t bytes); /* zeroed, 16-byte aligned */
const char *fmlp_arena_copy(fmlp_arena *arena, const char *text, size_t length);
const char *fmlp_arena_print(fmlp_arena *arena, const char *format, ...) FMLP_PRINTF(2, 3);
void fmlp_arena_release(fmlp_arena *arena);

typedef enum fmlp_node_kind { FMLP_NODE_SCALAR, FMLP_NODE_LIST, FMLP_NODE_MAP } fmlp_node_kind;

typedef struct fmlp_node fmlp_node;
struct fmlp_node {
  fmlp_node_kind kind;
  bool quoted;        /* scalar written in quotes: a string, whatever it looks like */
  bool resolved;      /* scalar whose interpolations are done; a "${" left in it is text */
  const char *text;   /* scalar: its text, never NULL */
  const char *key;    /* its name in the mapping above; NULL in lists and at the root */
  const char *origin; /* "configs/bars/tick.yaml:3", "override 'a=b'"; NULL: the built-in default */
  fmlp_node *first, *last, *next; /* children; the next sibling */
};

fmlp_node *fmlp_node_create(fmlp_arena *arena, fmlp_node_kind kind, const char *origin);
fmlp_node *fmlp_node_scalar(fmlp_arena *arena, const char *text, bool quoted, const char *origin);
void fmlp_node_append(fmlp_node *parent, fmlp_node *child);

/* The child of a mapping, or the element of a list when `key` is its index; NULL when there is none. */
fmlp_node *fmlp_node_child(const fmlp_node *parent, const char *key, size_t length);

/* By dotted path from `root`; NULL when any part is missing. "" is the root. */
fmlp_node *fmlp_node_find(fmlp_node *root, const char *path);

/* Unlinks `child` from its parent. */
void fmlp_node_remove(fmlp_node *parent, fmlp_node *child);

/* Makes `target` (in place, keeping key and position) hold what `source` holds, sharing its children. */
void fmlp_node_assign(fmlp_node *target, const fmlp_node *source);

/* A deep copy. `budget` counts the nodes left to make, so that aliases of aliases end in an error. */
fmlp_node *fmlp_node_copy(fmlp_arena *arena, const fmlp_node *node, int64_t *budget);

/* Hydra's merge: mappings key by key, anything else replaces. A null does not replace a mapping. `source` is
 * used up. NULL key parts never occur. */
void fmlp_node_merge(fmlp_node *target, fmlp_node *source);

/* The mapping at dotted `path` below `root`, made where missing or null. FMLP_ERR_USAGE (after `origin`) when
 * a value stands in its way. */
FMLP_WARN_UNUSED fmlp_status fmlp_node_make_map(fmlp_arena *arena, fmlp_node *root, const char *path,
                                                const char *origin, fmlp_node **map);

bool fmlp_node_is_null(const fmlp_node *node);    /* null, ~ or nothing */
bool fmlp_node_is_missing(const fmlp_node *node); /* ??? */

#endif
