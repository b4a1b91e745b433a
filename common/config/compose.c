/* The defaults list. An entry is one of
 *
 *     - _self_                     this file's own keys (last when it is not listed)
 *     - name                       another file of the same group
 *     - group: option              group/option.yaml, placed under its group's name
 *     - group: [a, b]              several, in order
 *     - group: null                none, until an override names one
 *     - optional group: option     none when the file is missing
 *     - override group: option     changes the choice of an entry elsewhere; the outermost word counts
 *
 * with `group@package: option` to place it elsewhere (`_global_` is the root), and `# @package _global_` in
 * the file's first comments for the same. A leading '/' makes a group absolute. */
#include "common/config/compose.h"

#include <stdio.h>
#include <string.h>

#include "common/config/yaml.h"
#include "common/core/nearest.h"

enum { FILE_DEPTH = 16, LIST_LIMIT = 64 };

/* A group's choice from outside: the command line's, or an `override` entry's. The first one counts. */
typedef struct choice choice;
struct choice {
  choice *next;
  const char *group;      /* "model" or "model@package" */
  const fmlp_node *value; /* scalar or list; a null for none */
  const char *origin;
  fmlp_override *override; /* to mark as used, or NULL */
  bool deletes;
  bool used;
};

typedef struct composer {
  fmlp_arena *arena;
  const fmlp_search *search;
  fmlp_node *root;
  choice *choices, *last_choice;
  bool collecting; /* first pass: only learn the choices; second pass: merge */
  fmlp_error *error;
} composer;

typedef struct entry { /* of a defaults list, taken apart */
  bool optional, overrides;
  const char *group;   /* full name without package; NULL for `- name` */
  const char *package; /* dotted, after '@', or NULL */
  const fmlp_node *value;
  const char *origin;
} entry;

static fmlp_status compose_file(composer *in, const char *group, const char *name, const char *package,
                                bool optional, const char *origin, int32_t depth);

/* "name exists" message with the options there are. */
static fmlp_status no_option(composer *in, const char *group, const char *name, const char *origin) {
  int32_t count = 0;
  const char *const *options = fmlp_search_options(in->arena, in->search, group, &count);
  char list[512] = "";
  size_t length = 0;
  for (int32_t i = 0; options && i < count && length < sizeof list - 1; i++) {
    int written = snprintf(list + length, sizeof list - length, "%s%s", i ? ", " : "", options[i]);
    if (written > 0) length += (size_t)written;
  }
  const char *near = options ? fmlp_nearest(name, count, options) : NULL;
  const char *before = near ? "; did you mean '" : ";", *after = near ? "'?" : "";
  const char *are = count == 1 ? "is" : "are";
  if (group[0] == '\0') {
    return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s: there is no configuration '%s'%s%s%s there %s: %s",
                     origin, name, before, near ? near : "", after, are, count ? list : "none");
  }
  return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s: group '%s' has no option '%s'%s%s%s there %s: %s", origin,
                   group, name, before, near ? near : "", after, are, count ? list : "none");
}

static choice *find_choice(composer *in, const char *group, const char *package) {
  const char *full = package ? fmlp_arena_print(in->arena, "%s@%s", group, package) : group;
  for (choice *one = in->choices; full && one; one = one->next) {
    if (strcmp(one->group, full) == 0) return one;
  }
  return NULL;
}

static fmlp_status add_choice(composer *in, const choice *model) {
  choice *one = fmlp_arena_take(in->arena, sizeof *one);
  if (!one || !model->group) return FMLP_ERR_OTHER;
  *one = *model;
  if (in->last_choice) {
    in->last_choice->next = one;
  } else {
    in->choices = one;
  }
  in->last_choice = one;
  return FMLP_OK;
}

/* Dots for slashes: where a group's keys go. */
static const char *package_of(composer *in, const char *group) {
  char *package = fmlp_arena_take(in->arena, strlen(group) + 1);
  for (size_t i = 0; package && group[i]; i++) package[i] = (char)(group[i] == '/' ? '.' : group[i]);
  return package;
}

static const char *resolve_package(composer *in, const char *word, const char *parent, const char *group) {
  if (strcmp(word, "_global_") == 0) return "";
  if (strcmp(word, "_group_") == 0) return package_of(in, group);
  if (strcmp(word, "_here_") == 0) return parent;
  if (strncmp(word, "_global_.", 9) == 0) return word + 9;
  return parent[0] ? fmlp_arena_print(in->arena, "%s.%s", parent, word) : word;
}

static fmlp_status take_entry_apart(composer *in, const fmlp_node *node, const char *group, entry *out) {
  *out = (entry){.origin = node->origin};
  if (node->kind == FMLP_NODE_SCALAR) {
    out->value = node;
    return FMLP_OK;
  }
  if (node->kind != FMLP_NODE_MAP || !node->first || node->first->next) {
    return fmlp_fail(in->error, FMLP_ERR_USAGE,
                     "%s: an entry of defaults is '_self_', 'name' or 'group: option'", node->origin);
  }
  out->value = node->first;
  const char *word = node->first->key;
  for (;;) {
    word += strspn(word, " ");
    if (strncmp(word, "optional ", 9) == 0) {
      out->optional = true;
      word += 9;
    } else if (strncmp(word, "override ", 9) == 0) {
      out->overrides = true;
      word += 9;
    } else {
      break;
    }
  }
  const char *at = strchr(word, '@');
  const char *name = at ? fmlp_arena_copy(in->arena, word, (size_t)(at - word)) : word;
  if (!name) return FMLP_ERR_OTHER;
  out->package = at ? at + 1 : NULL;
  out->group = name[0] == '/' ? name + 1
               : group[0]     ? fmlp_arena_print(in->arena, "%s/%s", group, name)
                              : name;
  return out->group ? FMLP_OK : FMLP_ERR_OTHER;
}

static fmlp_status compose_options(composer *in, const char *group, const fmlp_node *value,
                                   const char *package, bool optional, const char *origin, int32_t depth) {
  if (fmlp_node_is_null(value)) return FMLP_OK;
  if (fmlp_node_is_missing(value)) {
    return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s: group '%s' must be chosen: give %s=option", origin,
                     group, group);
  }
  const fmlp_node *option = value->kind == FMLP_NODE_LIST ? value->first : value;
  for (; option; option = value->kind == FMLP_NODE_LIST ? option->next : NULL) {
    if (option->kind != FMLP_NODE_SCALAR) {
      return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s: the option of group '%s' is a name", origin, group);
    }
    FMLP_TRY(compose_file(in, group, option->text, package, optional, origin, depth));
  }
  return FMLP_OK;
}

static fmlp_status compose_entry(composer *in, const entry *one, const char *group,
                                 const char *parent_package, int32_t depth) {
  if (!one->group) {
    return compose_file(in, group, one->value->text, parent_package, false, one->origin, depth + 1);
  }
  const fmlp_node *value = one->value;
  const char *origin = one->origin;
  choice *chosen = find_choice(in, one->group, one->package);
  if (chosen) {
    if (chosen->deletes && chosen->value &&
        (value->kind != FMLP_NODE_SCALAR || strcmp(chosen->value->text, value->text) != 0)) {
      return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s: group '%s' has another option; ~%s alone removes it",
                       chosen->origin, one->group, one->group);
    }
    if (!in->collecting) {
      chosen->used = true;
      if (chosen->override) chosen->override->used = true;
    }
    if (chosen->deletes) return FMLP_OK;
    value = chosen->value;
    origin = chosen->origin;
  }
  const char *package = NULL;
  if (one->package) {
    package = resolve_package(in, one->package, parent_package, one->group);
    if (!package) return FMLP_ERR_OTHER;
  }
  return compose_options(in, one->group, value, package, one->optional && !chosen, origin, depth + 1);
}

/* Registers the list's `override` entries: before any of its entries is composed, behind those of files
 * further out. */
static fmlp_status collect_overrides(composer *in, const fmlp_node *list, const char *group) {
  for (const fmlp_node *node = list->first; node; node = node->next) {
    entry one;
    FMLP_TRY(take_entry_apart(in, node, group, &one));
    if (!one.overrides || find_choice(in, one.group, one.package)) continue;
    const char *full = one.package ? fmlp_arena_print(in->arena, "%s@%s", one.group, one.package) : one.group;
    FMLP_TRY(add_choice(in, &(choice){.group = full, .value = one.value, .origin = one.origin}));
  }
  return FMLP_OK;
}

static fmlp_status merge_own(composer *in, fmlp_node *content, const char *package) {
  if (in->collecting) return FMLP_OK;
  fmlp_node *target = NULL;
  FMLP_TRY(fmlp_node_make_map(in->arena, in->root, package, content->origin, &target));
  fmlp_node_merge(target, content);
  return FMLP_OK;
}

/* The entries in order, or from last to first while collecting: a word of a later entry then stands before
 * the entry it changes is followed. */
static fmlp_status compose_list(composer *in, fmlp_node *content, const fmlp_node *list, const char *group,
                                const char *package, int32_t depth) {
  const fmlp_node *nodes[LIST_LIMIT];
  int32_t count = 0;
  bool self_done = false;
  for (const fmlp_node *node = list ? list->first : NULL; node; node = node->next) {
    if (count == LIST_LIMIT)
      return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s: 'defaults' is too long", node->origin);
    nodes[count++] = node;
  }
  if (list && in->collecting) FMLP_TRY(collect_overrides(in, list, group));
  for (int32_t i = 0; i < count; i++) {
    entry one;
    FMLP_TRY(take_entry_apart(in, nodes[in->collecting ? count - 1 - i : i], group, &one));
    if (!one.group && strcmp(one.value->text, "_self_") == 0) {
      if (self_done) return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s: '_self_' stands twice", one.origin);
      self_done = true;
      FMLP_TRY(merge_own(in, content, package));
    } else if (!one.overrides) {
      FMLP_TRY(compose_entry(in, &one, group, package, depth));
    }
  }
  return self_done ? FMLP_OK : merge_own(in, content, package);
}

/* `package` NULL: the file's own header decides, else its group. */
static fmlp_status compose_file(composer *in, const char *group, const char *name, const char *package,
                                bool optional, const char *origin, int32_t depth) {
  if (depth > FILE_DEPTH) {
    return fmlp_fail(in->error, FMLP_ERR_USAGE,
                     "%s: defaults lists nest more than %d deep; a file includes itself?", origin,
                     (int)FILE_DEPTH);
  }
  size_t length = strlen(name);
  if (length > 5 && strcmp(name + length - 5, ".yaml") == 0)
    name = fmlp_arena_copy(in->arena, name, length - 5);
  if (!name) return FMLP_ERR_OTHER;
  const char *path = fmlp_search_file(in->arena, in->search, group, name);
  if (!path) return optional ? FMLP_OK : no_option(in, group, name, origin);
  fmlp_node *content = NULL;
  const char *header = NULL;
  FMLP_TRY(fmlp_yaml_read(in->arena, path, &content, &header, in->error));
  if (content->kind != FMLP_NODE_MAP) {
    return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s: a configuration file holds 'key: value' lines",
                     content->origin);
  }
  if (!package) {
    const char *group_package = package_of(in, group);
    package = group_package && header ? resolve_package(in, header, "", group) : group_package;
    if (!package) return FMLP_ERR_OTHER;
  }
  fmlp_node *list = fmlp_node_child(content, "defaults", 8);
  if (list) fmlp_node_remove(content, list);
  if (list && list->kind != FMLP_NODE_LIST) {
    return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s: 'defaults' must be a list", list->origin);
  }
  return compose_list(in, content, list, group, package, depth);
}

static fmlp_status add_command_line(composer *in, fmlp_override *overrides, int32_t count) {
  for (int32_t i = count - 1; i >= 0; i--) { /* the last word on a group counts */
    fmlp_override *one = &overrides[i];
    if (!one->is_group) continue;
    one->displaced = find_choice(in, one->key, one->package) != NULL;
    if (one->displaced) continue;
    const char *full = one->package ? fmlp_arena_print(in->arena, "%s@%s", one->key, one->package) : one->key;
    FMLP_TRY(add_choice(in, &(choice){.group = full,
                                      .value = one->value,
                                      .origin = one->origin,
                                      .override = one,
                                      .deletes = one->kind == FMLP_OVERRIDE_DELETE}));
  }
  return FMLP_OK;
}

/* +group=option: composed after everything else, when the defaults list does not have the group. */
static fmlp_status compose_added(composer *in, fmlp_override *one) {
  if (!in->collecting && one->used) {
    if (one->kind != FMLP_OVERRIDE_ADD) return FMLP_OK;
    return fmlp_fail(in->error, FMLP_ERR_USAGE,
                     "%s: group '%s' is in the defaults list already; drop the '+'", one->origin, one->key);
  }
  if (one->kind == FMLP_OVERRIDE_SET || one->kind == FMLP_OVERRIDE_DELETE) {
    if (in->collecting) return FMLP_OK;
    return fmlp_fail(in->error, FMLP_ERR_USAGE,
                     "%s: no defaults list has group '%s'; +%s=option would add it", one->origin, one->key,
                     one->key);
  }
  const char *package = one->package ? resolve_package(in, one->package, "", one->key) : NULL;
  if (one->package && !package) return FMLP_ERR_OTHER;
  return compose_options(in, one->key, one->value, package, false, one->origin, 1);
}

static bool is_added(const fmlp_override *one) {
  return one->is_group && !one->displaced;
}

fmlp_status fmlp_compose(fmlp_arena *arena, const fmlp_search *search, const char *name,
                         fmlp_override *overrides, int32_t count, fmlp_node *root, fmlp_error *error) {
  composer in = {.arena = arena, .search = search, .root = root, .error = error};
  if (search->count == 0) {
    return fmlp_fail(
        error, FMLP_ERR_USAGE,
        "no configuration folder: neither ./configs nor one beside the program; give --config-dir");
  }
  FMLP_TRY(add_command_line(&in, overrides, count));
  in.collecting = true;
  for (int32_t i = count - 1; i >= 0; i--) {
    if (is_added(&overrides[i])) FMLP_TRY(compose_added(&in, &overrides[i]));
  }
  FMLP_TRY(compose_file(&in, "", name, "", false, "--config-name", 0));
  in.collecting = false;
  FMLP_TRY(compose_file(&in, "", name, "", false, "--config-name", 0));
  for (int32_t i = 0; i < count; i++) {
    if (is_added(&overrides[i])) FMLP_TRY(compose_added(&in, &overrides[i]));
  }
  for (const choice *one = in.choices; one; one = one->next) {
    if (!one->used && !one->override) {
      return fmlp_fail(error, FMLP_ERR_USAGE, "%s: no defaults list has group '%s' to override", one->origin,
                       one->group);
    }
  }
  return FMLP_OK;
}

fmlp_status fmlp_compose_from_file(fmlp_arena *arena, const fmlp_search *search, const char *path,
                                   fmlp_override *overrides, int32_t count, fmlp_node *root,
                                   fmlp_node *defaults, fmlp_error *error) {
  composer in = {.arena = arena, .search = search, .root = root, .error = error};
  fmlp_node *content = NULL;
  FMLP_TRY(fmlp_yaml_read(arena, path, &content, NULL, error));
  if (content->kind != FMLP_NODE_MAP) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "%s: a configuration file holds 'key: value' lines",
                     content->origin);
  }
  fmlp_node_merge(root, content);
  for (int32_t i = 0; i < count; i++) {
    fmlp_override *one = &overrides[i];
    if (!one->is_group) continue;
    const char *package = package_of(&in, one->key);
    if (!package) return FMLP_ERR_OTHER;
    fmlp_node *initial = fmlp_node_find(defaults, package);
    fmlp_node *target = NULL;
    FMLP_TRY(fmlp_node_make_map(arena, root, package, one->origin, &target));
    int64_t budget = INT32_MAX;
    fmlp_node *copy = initial ? fmlp_node_copy(arena, initial, &budget) : NULL;
    if (initial && !copy) return FMLP_ERR_OTHER;
    if (copy) fmlp_node_assign(target, copy);
    if (one->value && one->kind != FMLP_OVERRIDE_DELETE) {
      FMLP_TRY(compose_options(&in, one->key, one->value, NULL, false, one->origin, 1));
    }
  }
  return FMLP_OK;
}
