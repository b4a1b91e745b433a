/* Every configuration key: one row each. A new key is a row here and a member of fmlp_settings. Internal to
 * config/ but for the listing that --help-keys prints. */
#ifndef FMLP_COMMON_CONFIG_SCHEMA_H
#define FMLP_COMMON_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config/node.h"
#include "common/config/settings.h"

typedef enum fmlp_key_type {
  FMLP_KEY_BOOL,         /* bool */
  FMLP_KEY_INT32,        /* int32_t */
  FMLP_KEY_INT64,        /* int64_t */
  FMLP_KEY_UINT64,       /* uint64_t */
  FMLP_KEY_DOUBLE,       /* double */
  FMLP_KEY_STRING,       /* const char * */
  FMLP_KEY_ENUM,         /* a C enum: the position in `names` */
  FMLP_KEY_EITHER,       /* bool: true for the first of two names */
  FMLP_KEY_TIME,         /* "HH:MM" -> int32_t minutes */
  FMLP_KEY_DECIMAL,      /* double, and its decimal text at `text_offset` */
  FMLP_KEY_AUTO_DECIMAL, /* the same, with "auto" = 0 and NULL */
  FMLP_KEY_AUTO_DIGITS,  /* int32_t, with "auto" = -1 */
  FMLP_KEY_MAX_FEATURES, /* double: see fmlp_model_settings */
  FMLP_KEY_STRINGS,      /* list of texts: the pointer, and its int32_t count at `text_offset` */
  FMLP_KEY_PLAN,         /* features.plan: the same */
  FMLP_KEY_FREE          /* a mapping of the user's own names, for interpolation; stored nowhere */
} fmlp_key_type;

enum {
  FMLP_KEY_NULL = 1,     /* null is allowed: 0 or NULL */
  FMLP_KEY_NULL_OFF = 2, /* null is allowed and stands for infinity: the limit is off */
  FMLP_KEY_MIN_OPEN = 4, /* the value must be greater than min, not equal */
  FMLP_KEY_MAX_OPEN = 8, /* likewise */
  FMLP_KEY_LATER = 16    /* part of the contract, but nothing obeys it yet: anything but null is refused */
};

typedef struct fmlp_schema_row {
  const char *path;
  fmlp_key_type type;
  const char *initial; /* in the grammar of overrides */
  int32_t flags;
  double min, max;          /* numbers and times; both 0: unbounded */
  const char *const *names; /* FMLP_KEY_ENUM and _EITHER: NULL-terminated */
  size_t offset;            /* in fmlp_settings */
  size_t text_offset;
  const char *doc;
} fmlp_schema_row;

extern const fmlp_schema_row fmlp_schema[];
extern const int32_t fmlp_schema_count;

/* A key that is read only where another one has one of some values. */
typedef struct fmlp_schema_condition {
  const char *path;
  const char *key;
  const char *values; /* with ", " between them */
} fmlp_schema_condition;

extern const fmlp_schema_condition fmlp_schema_conditions[];
extern const int32_t fmlp_schema_condition_count;

/* A line of text for every key that an override sets and that nothing reads, in the arena. `root` was read.
 */
FMLP_WARN_UNUSED fmlp_status fmlp_schema_find_idle(fmlp_arena *arena, fmlp_node *root, const char ***lines,
                                                   int32_t *count);

/* The tree of defaults, in the order of the rows. NULL when memory is out. */
fmlp_node *fmlp_schema_defaults(fmlp_arena *arena);

/* Types and checks every key of `root` into `settings`; unknown keys come first, then types and ranges, then
 * the rules between keys. `allow_missing` leaves ??? be (for --cfg). The tree's scalars become canonical, so
 * that it prints alike however the values were written. */
FMLP_WARN_UNUSED fmlp_status fmlp_schema_read(fmlp_arena *arena, fmlp_node *root, bool allow_missing,
                                              fmlp_settings *settings, fmlp_error *error);

/* Its parts, each in a file of its own. */
FMLP_WARN_UNUSED fmlp_status fmlp_schema_check_names(fmlp_arena *arena, fmlp_node *root, fmlp_error *error);
FMLP_WARN_UNUSED fmlp_status fmlp_schema_read_plan(fmlp_arena *arena, fmlp_node *list,
                                                   fmlp_features_settings *features, fmlp_error *error);
FMLP_WARN_UNUSED fmlp_status fmlp_schema_check_rules(fmlp_node *root, const fmlp_settings *settings,
                                                     fmlp_error *error);

/* Scalars to values; false when the text is none. */
bool fmlp_parse_bool(const fmlp_node *node, bool *value);
bool fmlp_parse_int(const fmlp_node *node, int64_t *value);
bool fmlp_parse_uint(const fmlp_node *node, uint64_t *value);
bool fmlp_parse_double(const fmlp_node *node, double *value);

#endif
