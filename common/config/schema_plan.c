/* features.plan: a list of mappings, typed here, given its meaning by stages/features. */
#include <math.h>
#include <string.h>

#include "common/config/schema.h"
#include "common/contracts/rolling.h"
#include "common/core/dataset.h"
#include "common/core/nearest.h"

typedef enum member_type { MEMBER_TEXT, MEMBER_COUNT, MEMBER_NUMBER, MEMBER_KEEP } member_type;

typedef struct member {
  const char *name;
  member_type type;
  size_t offset;
} member;

#define AT(name) offsetof(fmlp_feature_entry, name)

static const member members[] = {
    {"name", MEMBER_TEXT, AT(name)},
    {"op", MEMBER_TEXT, AT(op)},
    {"of", MEMBER_TEXT, AT(of)},
    {"with", MEMBER_TEXT, AT(with)},
    {"window", MEMBER_COUNT, AT(window)},
    {"lag", MEMBER_COUNT, AT(lag)},
    {"q", MEMBER_NUMBER, AT(q)},
    {"span", MEMBER_NUMBER, AT(span)},
    {"alpha", MEMBER_NUMBER, AT(alpha)},
    {"d", MEMBER_NUMBER, AT(d)},
    {"threshold", MEMBER_NUMBER, AT(threshold)},
    {"value", MEMBER_NUMBER, AT(value)},
    {"keep", MEMBER_KEEP, AT(intermediate)},
};
enum { MEMBERS = sizeof members / sizeof *members };

static const char *origin_of(const fmlp_node *node) {
  return node->origin ? node->origin : "features.plan";
}

static fmlp_status unknown_member(const fmlp_node *node, fmlp_error *error) {
  const char *names[MEMBERS];
  for (int i = 0; i < MEMBERS; i++) names[i] = members[i].name;
  const char *near = fmlp_nearest(node->key, MEMBERS, names);
  if (near) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "%s: features.plan: unknown key '%s'; did you mean '%s'?",
                     origin_of(node), node->key, near);
  }
  return fmlp_fail(
      error, FMLP_ERR_USAGE,
      "%s: features.plan: unknown key '%s'; an entry has: name, op, of, with, window, lag, q, span, "
      "alpha, d, threshold, value, keep",
      origin_of(node), node->key);
}

static fmlp_status bad(const fmlp_node *node, const char *what, fmlp_error *error) {
  return fmlp_fail(error, FMLP_ERR_USAGE, "%s: features.plan: %s: %s expected, not '%s'", origin_of(node),
                   node->key, what, node->kind == FMLP_NODE_SCALAR ? node->text : "a list or mapping");
}

static fmlp_status read_member(const fmlp_node *node, const member *one, fmlp_feature_entry *entry,
                               fmlp_error *error) {
  char *base = (char *)entry;
  if (fmlp_node_is_null(node)) return FMLP_OK;
  if (one->type == MEMBER_TEXT) {
    if (node->kind != FMLP_NODE_SCALAR || node->text[0] == '\0') return bad(node, "a text", error);
    memcpy(base + one->offset, &node->text, sizeof node->text);
  } else if (one->type == MEMBER_COUNT) {
    int64_t value = 0;
    if (!fmlp_parse_int(node, &value) || value < 1) return bad(node, "a whole number >= 1", error);
    memcpy(base + one->offset, &value, sizeof value);
  } else if (one->type == MEMBER_NUMBER) {
    double value = 0;
    if (!fmlp_parse_double(node, &value)) return bad(node, "a number", error);
    memcpy(base + one->offset, &value, sizeof value);
  } else {
    bool keep = true;
    if (!fmlp_parse_bool(node, &keep)) return bad(node, "true or false", error);
    entry->intermediate = !keep;
  }
  return FMLP_OK;
}

/* A name becomes a file's. */
static fmlp_status check_name(const fmlp_feature_entry *entries, int32_t index, fmlp_error *error) {
  const fmlp_feature_entry *entry = &entries[index];
  if (!entry->name || !entry->op) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "%s: features.plan: an entry needs '%s'", entry->where,
                     entry->name ? "op" : "name");
  }
  size_t length = strlen(entry->name);
  if (length >= FMLP_NAME_CAPACITY ||
      strspn(entry->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != length) {
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "%s: features.plan: name '%s': at most %d letters, digits and underscores", entry->where,
                     entry->name, FMLP_NAME_CAPACITY - 1);
  }
  for (int32_t i = 0; i < index; i++) {
    if (strcmp(entries[i].name, entry->name) == 0) {
      return fmlp_fail(error, FMLP_ERR_USAGE, "%s: features.plan: '%s' is defined already at %s",
                       entry->where, entry->name, entries[i].where);
    }
  }
  return FMLP_OK;
}

static fmlp_status check_operator(const fmlp_feature_entry *entry, fmlp_error *error) {
  const char *names[FMLP_OP_COUNT];
  for (int op = 0; op < FMLP_OP_COUNT; op++) {
    names[op] = fmlp_operators[op].name;
    if (strcmp(names[op], entry->op) == 0) return FMLP_OK;
  }
  const char *near = fmlp_nearest(entry->op, FMLP_OP_COUNT, names);
  if (near) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "%s: features.plan: unknown operator '%s'; did you mean '%s'?",
                     entry->where, entry->op, near);
  }
  return fmlp_fail(error, FMLP_ERR_USAGE,
                   "%s: features.plan: unknown operator '%s'; the operators stand in docs/features.md",
                   entry->where, entry->op);
}

fmlp_status fmlp_schema_read_plan(fmlp_arena *arena, fmlp_node *list, fmlp_features_settings *features,
                                  fmlp_error *error) {
  if (fmlp_node_is_null(list))
    *list = (fmlp_node){.kind = FMLP_NODE_LIST, .text = "", .key = list->key, .next = list->next};
  if (list->kind != FMLP_NODE_LIST) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "%s: features.plan: a list of {name, op, of, ...} expected",
                     origin_of(list));
  }
  int32_t count = 0;
  for (const fmlp_node *item = list->first; item; item = item->next) count++;
  fmlp_feature_entry *entries = fmlp_arena_take(arena, sizeof *entries * (size_t)(count + 1));
  if (!entries) return FMLP_ERR_OTHER;
  int32_t index = 0;
  for (const fmlp_node *item = list->first; item; item = item->next, index++) {
    fmlp_feature_entry *entry = &entries[index];
    *entry = (fmlp_feature_entry){.q = NAN,
                                  .span = NAN,
                                  .alpha = NAN,
                                  .d = NAN,
                                  .threshold = NAN,
                                  .value = NAN,
                                  .where = origin_of(item)};
    if (item->kind != FMLP_NODE_MAP) {
      return fmlp_fail(error, FMLP_ERR_USAGE, "%s: features.plan: an entry is {name, op, of, ...}",
                       origin_of(item));
    }
    for (const fmlp_node *node = item->first; node; node = node->next) {
      int i = 0;
      while (i < MEMBERS && strcmp(members[i].name, node->key) != 0) i++;
      if (i == MEMBERS) return unknown_member(node, error);
      FMLP_TRY(read_member(node, &members[i], entry, error));
    }
    FMLP_TRY(check_name(entries, index, error));
    FMLP_TRY(check_operator(entry, error));
  }
  features->plan = entries;
  features->plan_count = count;
  return FMLP_OK;
}
