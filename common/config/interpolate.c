/* Interpolation, resolved on demand: a node that is asked for while it is being resolved is a cycle.
 *
 *     ${a.b}  ${.sibling}  ${..uncle}  ${oc.env:NAME}  ${oc.env:NAME,default}  ${now:%Y-%m-%d}  \${literal}
 */
#define _POSIX_C_SOURCE 200809L
#include "common/config/interpolate.h"

#include <stdlib.h>
#include <string.h>

#include "common/config/override.h"
#include "common/config/yaml.h"

enum { CHAIN_LIMIT = 100, TEXT_LIMIT = 1 << 16 };

typedef struct resolver {
  fmlp_arena *arena;
  fmlp_node *root;
  time_t now;
  int64_t budget;
  fmlp_error *error;
} resolver;

/* Where a scalar stands: the chain of containers above it, for relative paths. */
typedef struct place {
  const struct place *above;
  fmlp_node *node;
} place;

static fmlp_status resolve_node(resolver *in, fmlp_node *node, const place *above, int32_t chain);
static fmlp_status resolve_text(resolver *in, const char *text, size_t length, const fmlp_node *node,
                                const place *above, int32_t chain, const char **out);

static fmlp_status bad(const resolver *in, const fmlp_node *node, const char *what, const char *name) {
  return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s: %s '${%s}'", node->origin ? node->origin : "default", what,
                   name);
}

/* `end` of "${...": the offset of its '}' in `text`, or -1. */
static int64_t closing(const char *text) {
  return fmlp_value_span(text, "}");
}

static bool has_interpolation(const fmlp_node *node) {
  return node->kind == FMLP_NODE_SCALAR && !node->resolved && strstr(node->text, "${") != NULL;
}

/* The node `path` names, resolved; its places are rebuilt on the way down. */
static fmlp_status follow(resolver *in, const fmlp_node *node, const char *path, const place *from,
                          fmlp_node **out, int32_t chain) {
  const char *name = path;
  const place *base = NULL;
  if (*path == '.') {
    base = from;
    for (path++; *path == '.' && base; path++) base = base->above;
    if (!base) return bad(in, node, "too many dots in", name);
  }
  place places[FMLP_YAML_DEPTH + 1];
  int32_t depth = 0;
  places[0] = (place){base ? base->above : NULL, base ? base->node : in->root};
  while (*path) {
    size_t length = strcspn(path, ".");
    fmlp_node *here = places[depth].node;
    if (has_interpolation(here)) FMLP_TRY(resolve_node(in, here, places[depth].above, chain + 1));
    fmlp_node *child = here->kind == FMLP_NODE_SCALAR ? NULL : fmlp_node_child(here, path, length);
    if (!child) return bad(in, node, "no such key:", name);
    if (depth == FMLP_YAML_DEPTH) return bad(in, node, "nested too deep:", name);
    places[depth + 1] = (place){&places[depth], child};
    depth++;
    path += length;
    if (*path == '.') path++;
  }
  *out = places[depth].node;
  return resolve_node(in, *out, places[depth].above, chain + 1);
}

static fmlp_status from_environment(resolver *in, const fmlp_node *node, const char *arguments,
                                    const char *name, fmlp_node **out) {
  size_t length = strcspn(arguments, ",");
  const char *variable = fmlp_arena_copy(in->arena, arguments, length);
  if (!variable) return FMLP_ERR_OTHER;
  const char *value = getenv(variable);
  if (value && fmlp_yaml_bad_line(value, (int64_t)strlen(value)) > 0) {
    return bad(in, node, "the environment variable is not text in UTF-8:", name);
  }
  if (value) {
    const char *copy = fmlp_arena_copy(in->arena, value, strlen(value));
    *out = fmlp_node_scalar(in->arena, copy, false, node->origin);
    return *out ? FMLP_OK : FMLP_ERR_OTHER;
  }
  if (arguments[length] == '\0')
    return bad(in, node, "the environment variable is not set, and no default stands in", name);
  return fmlp_value_parse(in->arena, arguments + length + 1, node->origin ? node->origin : "default", out,
                          in->error);
}

static fmlp_status from_clock(resolver *in, const fmlp_node *node, const char *format, const char *name,
                              fmlp_node **out) {
  char text[256];
  struct tm local;
  if (!localtime_r(&in->now, &local)) return bad(in, node, "no time for", name);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  size_t length = strftime(text, sizeof text, format, &local); /* the user's format, of strftime's own kind */
#pragma GCC diagnostic pop
  if (length == 0) return bad(in, node, "the time format is empty or too long:", name);
  *out = fmlp_node_scalar(in->arena, fmlp_arena_copy(in->arena, text, length), true, node->origin);
  return *out ? FMLP_OK : FMLP_ERR_OTHER;
}

/* What stands between "${" and "}": a path, or resolver:arguments. Inner interpolations go first. */
static fmlp_status evaluate(resolver *in, const char *text, size_t length, const fmlp_node *node,
                            const place *above, int32_t chain, fmlp_node **out) {
  const char *body = NULL;
  FMLP_TRY(resolve_text(in, text, length, node, above, chain, &body));
  if (strncmp(body, "oc.env:", 7) == 0) return from_environment(in, node, body + 7, body, out);
  if (strncmp(body, "now:", 4) == 0) return from_clock(in, node, body + 4, body, out);
  if (strchr(body, ':')) {
    return bad(in, node, "unknown resolver (there are oc.env:NAME,default and now:FORMAT):", body);
  }
  if (body[0] == '\0') return bad(in, node, "nothing in", body);
  return follow(in, node, body, above, out, chain);
}

/* `length` bytes of text with every interpolation replaced by its text. */
static fmlp_status resolve_text(resolver *in, const char *text, size_t length, const fmlp_node *node,
                                const place *above, int32_t chain, const char **out) {
  if (chain > CHAIN_LIMIT) return bad(in, node, "the value depends on itself:", text);
  const char *copy = fmlp_arena_copy(in->arena, text, length);
  const char *joined = fmlp_arena_copy(in->arena, "", 0);
  if (!copy || !joined) return FMLP_ERR_OTHER;
  while (*copy) {
    const char *start = strstr(copy, "${");
    size_t plain = start ? (size_t)(start - copy) : strlen(copy);
    bool escaped = start && start > copy && start[-1] == '\\';
    if (!start || escaped) {
      const char *tail = escaped ? "${" : "";
      joined =
          fmlp_arena_print(in->arena, "%s%.*s%s", joined, (int)(escaped ? plain - 1 : plain), copy, tail);
      copy += plain + (escaped ? 2 : 0);
    } else {
      int64_t end = closing(start + 2);
      if (end < 0 || start[2 + end] != '}') return bad(in, node, "the bracket does not close in", start + 2);
      fmlp_node *value = NULL;
      FMLP_TRY(evaluate(in, start + 2, (size_t)end, node, above, chain + 1, &value));
      if (value->kind != FMLP_NODE_SCALAR) {
        const char *inner = fmlp_arena_copy(in->arena, start + 2, (size_t)end);
        return bad(in, node, "a list or mapping cannot be part of a text:", inner ? inner : "");
      }
      joined = fmlp_arena_print(in->arena, "%s%.*s%s", joined, (int)plain, copy, value->text);
      copy = start + 2 + end + 1;
    }
    if (!joined) return FMLP_ERR_OTHER;
    if (strlen(joined) > TEXT_LIMIT) return bad(in, node, "the text grows too long:", "...");
  }
  *out = joined;
  return FMLP_OK;
}

static fmlp_status resolve_scalar(resolver *in, fmlp_node *node, const place *above, int32_t chain) {
  if (!has_interpolation(node)) return FMLP_OK;
  if (chain > CHAIN_LIMIT) return bad(in, node, "the value depends on itself:", node->text);
  const char *text = node->text;
  size_t length = strlen(text);
  if (strncmp(text, "${", 2) == 0 && closing(text + 2) == (int64_t)length - 3) {
    fmlp_node *value = NULL;
    FMLP_TRY(evaluate(in, text + 2, length - 3, node, above, chain + 1, &value));
    fmlp_node *copy = fmlp_node_copy(in->arena, value, &in->budget);
    if (!copy) return in->budget < 0 ? FMLP_ERR_USAGE : FMLP_ERR_OTHER;
    copy->origin = node->origin;
    copy->resolved = true;
    fmlp_node_assign(node, copy);
    return FMLP_OK;
  }
  const char *joined = NULL;
  FMLP_TRY(resolve_text(in, text, length, node, above, chain, &joined));
  node->text = joined;
  node->resolved = true;
  return FMLP_OK;
}

static fmlp_status resolve_node(resolver *in, fmlp_node *node, const place *above, int32_t chain) {
  if (chain > CHAIN_LIMIT) return bad(in, node, "the value depends on itself:", node->text);
  if (node->kind == FMLP_NODE_SCALAR) return resolve_scalar(in, node, above, chain);
  place here = {above, node};
  for (fmlp_node *child = node->first; child; child = child->next) {
    FMLP_TRY(resolve_node(in, child, &here, child->kind == FMLP_NODE_SCALAR ? chain : chain + 1));
  }
  return FMLP_OK;
}

fmlp_status fmlp_interpolate(fmlp_arena *arena, fmlp_node *root, time_t now, fmlp_error *error) {
  resolver in = {arena, root, now, FMLP_YAML_NODES, error};
  return resolve_node(&in, root, NULL, 0);
}
