/* One override: its parts, and its effect on the tree. */
#include "common/config/override.h"

#include <string.h>

#include "common/config/yaml.h"

static fmlp_status bad(const fmlp_override *override, fmlp_error *error, const char *what) {
  return fmlp_fail(error, FMLP_ERR_USAGE, "%s: %s", override->origin, what);
}

int64_t fmlp_override_equals(const char *text) {
  const char *equals = strchr(text, '=');
  return equals ? equals - text : -1;
}

static fmlp_override_kind kind_of(const char **text) {
  if (strncmp(*text, "++", 2) == 0) {
    *text += 2;
    return FMLP_OVERRIDE_FORCE;
  }
  if (**text == '+') {
    (*text)++;
    return FMLP_OVERRIDE_ADD;
  }
  if (**text == '~') {
    (*text)++;
    return FMLP_OVERRIDE_DELETE;
  }
  return FMLP_OVERRIDE_SET;
}

static bool names_options(const fmlp_node *value) {
  if (!value || value->kind == FMLP_NODE_SCALAR) return true;
  return value->kind == FMLP_NODE_LIST && value->first && value->first->kind == FMLP_NODE_SCALAR;
}

fmlp_status fmlp_override_parse(fmlp_arena *arena, const fmlp_search *search, const char *text,
                                fmlp_override *override, fmlp_error *error) {
  *override = (fmlp_override){.origin = fmlp_arena_print(arena, "override '%s'", text)};
  if (!override->origin) return FMLP_ERR_OTHER;
  if (fmlp_yaml_bad_line(text, (int64_t)strlen(text)) > 0) {
    return bad(override, error, "not text in UTF-8, which config.yaml could not hold");
  }
  override->kind = kind_of(&text);
  int64_t equals = fmlp_override_equals(text);
  if (equals < 0 && override->kind != FMLP_OVERRIDE_DELETE) {
    return bad(override, error, "an override is key=value, group=option, +key=value, ++key=value or ~key");
  }
  size_t key_length = equals < 0 ? strlen(text) : (size_t)equals;
  const char *at = memchr(text, '@', key_length);
  size_t name_length = at ? (size_t)(at - text) : key_length;
  if (name_length == 0 || memchr(text, ' ', key_length)) return bad(override, error, "no key before '='");
  override->key = fmlp_arena_copy(arena, text, name_length);
  if (!override->key) return FMLP_ERR_OTHER;
  if (override->key[0] == '.' || override->key[name_length - 1] == '.' || strstr(override->key, "..")) {
    return bad(override, error, "a part of the key is empty");
  }
  if (at) {
    override->package = fmlp_arena_copy(arena, at + 1, key_length - name_length - 1);
    if (!override->package) return FMLP_ERR_OTHER;
  }
  if (equals >= 0)
    FMLP_TRY(fmlp_value_parse(arena, text + equals + 1, override->origin, &override->value, error));
  override->is_group = names_options(override->value) && fmlp_search_has_group(arena, search, override->key);
  if (override->package && !override->is_group)
    return bad(override, error, "'@' belongs to a group, and there is none of this name");
  return FMLP_OK;
}

static const char *leaf_of(const char *key) {
  const char *dot = strrchr(key, '.');
  return dot ? dot + 1 : key;
}

static bool same_value(const fmlp_node *a, const fmlp_node *b) {
  if (a->kind != b->kind) return false;
  if (a->kind == FMLP_NODE_SCALAR) {
    return (fmlp_node_is_null(a) && fmlp_node_is_null(b)) || strcmp(a->text, b->text) == 0;
  }
  const fmlp_node *x = a->first, *y = b->first;
  for (; x && y; x = x->next, y = y->next) {
    if ((x->key && strcmp(x->key, y->key) != 0) || !same_value(x, y)) return false;
  }
  return !x && !y;
}

static fmlp_status delete_key(fmlp_arena *arena, fmlp_node *root, fmlp_node *defaults,
                              const fmlp_override *override, fmlp_error *error) {
  fmlp_node *node = fmlp_node_find(root, override->key);
  if (!node) return bad(override, error, "there is no such key to delete");
  if (override->value && !same_value(node, override->value)) {
    return bad(override, error, "the key has another value; ~key alone deletes it whatever it is");
  }
  fmlp_node *initial = fmlp_node_find(defaults, override->key);
  if (initial) {
    int64_t budget = INT32_MAX;
    fmlp_node *copy = fmlp_node_copy(arena, initial, &budget);
    if (!copy) return FMLP_ERR_OTHER;
    fmlp_node_assign(node, copy);
    return FMLP_OK;
  }
  const char *leaf = leaf_of(override->key);
  const char *parent =
      fmlp_arena_copy(arena, override->key, leaf == override->key ? 0 : (size_t)(leaf - override->key) - 1);
  if (!parent) return FMLP_ERR_OTHER;
  fmlp_node_remove(fmlp_node_find(root, parent), node);
  return FMLP_OK;
}

/* An index into a list must exist: overrides change elements, they do not append. */
static fmlp_status check_lists(fmlp_node *root, const fmlp_override *override, fmlp_error *error) {
  fmlp_node *node = root;
  for (const char *at = override->key; *at && node;) {
    size_t length = strcspn(at, ".");
    fmlp_node *child = node->kind == FMLP_NODE_SCALAR ? NULL : fmlp_node_child(node, at, length);
    if (node->kind == FMLP_NODE_LIST && !child) {
      return fmlp_fail(error, FMLP_ERR_USAGE, "%s: the list has no element '%.*s'", override->origin,
                       (int)length, at);
    }
    node = child;
    at += length;
    if (*at == '.') at++;
  }
  return FMLP_OK;
}

fmlp_status fmlp_override_apply(fmlp_arena *arena, fmlp_node *root, fmlp_node *defaults,
                                const fmlp_override *override, fmlp_error *error) {
  if (override->kind == FMLP_OVERRIDE_DELETE) return delete_key(arena, root, defaults, override, error);
  FMLP_TRY(check_lists(root, override, error));
  fmlp_node *node = fmlp_node_find(root, override->key);
  if (node && override->kind == FMLP_OVERRIDE_ADD && node->origin && node->kind == FMLP_NODE_SCALAR &&
      !fmlp_node_is_null(node) && !fmlp_node_is_missing(node)) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "%s: the key is already set at %s; drop the '+' or use '++'",
                     override->origin, node->origin);
  }
  if (!node) {
    const char *leaf = leaf_of(override->key);
    const char *path =
        fmlp_arena_copy(arena, override->key, leaf == override->key ? 0 : (size_t)(leaf - override->key) - 1);
    fmlp_node *parent = NULL;
    if (!path) return FMLP_ERR_OTHER;
    FMLP_TRY(fmlp_node_make_map(arena, root, path, override->origin, &parent));
    node = fmlp_node_create(arena, FMLP_NODE_SCALAR, override->origin);
    if (!node) return FMLP_ERR_OTHER;
    node->key = leaf;
    fmlp_node_append(parent, node);
  }
  int64_t budget = INT32_MAX;
  fmlp_node *value = fmlp_node_copy(arena, override->value, &budget);
  if (!value) return FMLP_ERR_OTHER;
  /* A null set from the command line does replace a mapping or a list. */
  if (node->kind == FMLP_NODE_MAP && value->kind == FMLP_NODE_MAP) {
    fmlp_node_merge(node, value);
  } else {
    fmlp_node_assign(node, value);
  }
  return FMLP_OK;
}
