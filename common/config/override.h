/* Command-line overrides in Hydra's grammar. Internal to config/.
 *
 *     key=value   group=option   +key=value   ++key=value   ~key   ~key=value   group@package=option
 *
 * Values: null, true, numbers, words, 'quoted' and "quoted" text, [lists], {mappings: of values}, ${...};
 * commas outside brackets separate the values of a sweep. */
#ifndef FMLP_COMMON_CONFIG_OVERRIDE_H
#define FMLP_COMMON_CONFIG_OVERRIDE_H

#include "common/config/node.h"
#include "common/config/search.h"

typedef enum fmlp_override_kind {
  FMLP_OVERRIDE_SET,    /* key=value */
  FMLP_OVERRIDE_ADD,    /* +key=value */
  FMLP_OVERRIDE_FORCE,  /* ++key=value */
  FMLP_OVERRIDE_DELETE, /* ~key, ~key=value */
} fmlp_override_kind;

typedef struct fmlp_override {
  fmlp_override_kind kind;
  const char *key;     /* without the prefix and the package */
  const char *package; /* after '@', or NULL */
  fmlp_node *value;    /* NULL for ~key */
  const char *origin;  /* "override 'text'" */
  bool is_group;       /* the key is a folder of the search path and the value names options */
  bool used;           /* a group choice that an entry of a defaults list took */
  bool displaced;      /* a group choice that a later override on the same group replaces */
} fmlp_override;

/* Splits and parses one override; is_group is decided by `search`. FMLP_ERR_USAGE quotes the text. */
FMLP_WARN_UNUSED fmlp_status fmlp_override_parse(fmlp_arena *arena, const fmlp_search *search,
                                                 const char *text, fmlp_override *override,
                                                 fmlp_error *error);

/* Applies one that is no group choice. Deleting a key that `defaults` has puts that node back. */
FMLP_WARN_UNUSED fmlp_status fmlp_override_apply(fmlp_arena *arena, fmlp_node *root, fmlp_node *defaults,
                                                 const fmlp_override *override, fmlp_error *error);

/* Where the key ends: the offset of '=' in an override, or -1. */
int64_t fmlp_override_equals(const char *text);

/* One value in Hydra's grammar, the whole of `text`. */
FMLP_WARN_UNUSED fmlp_status fmlp_value_parse(fmlp_arena *arena, const char *text, const char *origin,
                                              fmlp_node **value, fmlp_error *error);

/* Length of the leading part of `text` up to a `stop` character outside quotes, brackets and ${}; -1 when
 * quotes or brackets do not close. */
int64_t fmlp_value_span(const char *text, const char *stop);

#endif
