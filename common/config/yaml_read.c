/* libfyaml's event stream to a tree of nodes, without recursion. The library's own document tree is not used:
 * its expansion of aliases is unbounded and it keeps no line of a key. */
#include "common/config/yaml.h"

#include <libfyaml.h>
#include <stdio.h>
#include <string.h>

#include "common/core/memory.h"
#include "common/core/ordinary_file.h"

enum { FILE_LIMIT = 4 << 20, ANCHOR_LIMIT = 64 };

typedef struct frame {
  fmlp_node *node;
  const char *key; /* mapping: the key whose value comes next, NULL when a key comes next */
  const char *anchor;
} frame;

typedef struct reader {
  fmlp_arena *arena;
  const char *name;
  fmlp_node *root;
  frame stack[FMLP_YAML_DEPTH];
  int32_t depth;
  int32_t documents;
  int64_t budget;
  const char *anchor_name[ANCHOR_LIMIT];
  const fmlp_node *anchor_node[ANCHOR_LIMIT];
  int32_t anchor_count;
  fmlp_error *error;
} reader;

static int line_of(struct fy_event *event) {
  const struct fy_mark *mark = fy_event_start_mark(event);
  return mark ? mark->line + 1 : 0;
}

static fmlp_status fail_at(reader *in, int line, const char *what) {
  return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s:%d: %s", in->name, line, what);
}

static const char *token_text(reader *in, struct fy_token *token) {
  size_t length = 0;
  const char *text = token ? fy_token_get_text(token, &length) : NULL;
  return fmlp_arena_copy(in->arena, text ? text : "", text ? length : 0);
}

static const fmlp_node *anchored(const reader *in, const char *name) {
  for (int32_t i = in->anchor_count - 1; i >= 0; i--) {
    if (strcmp(in->anchor_name[i], name) == 0) return in->anchor_node[i];
  }
  return NULL;
}

static fmlp_status remember_anchor(reader *in, const char *name, const fmlp_node *node, int line) {
  if (!name) return FMLP_OK;
  if (in->anchor_count == ANCHOR_LIMIT) return fail_at(in, line, "more than 64 anchors");
  in->anchor_name[in->anchor_count] = name;
  in->anchor_node[in->anchor_count++] = node;
  return FMLP_OK;
}

/* Puts a finished or just opened value where the innermost container waits for one. */
static fmlp_status place(reader *in, fmlp_node *node, int line) {
  if (!node) return FMLP_ERR_OTHER;
  if (in->depth == 0) {
    if (in->root) return fail_at(in, line, "a second document; a configuration file is one");
    in->root = node;
    return FMLP_OK;
  }
  frame *top = &in->stack[in->depth - 1];
  if (top->node->kind == FMLP_NODE_LIST) {
    fmlp_node_append(top->node, node);
    return FMLP_OK;
  }
  if (top->key) {
    node->key = top->key;
    top->key = NULL;
    fmlp_node_append(top->node, node);
    return FMLP_OK;
  }
  if (node->kind != FMLP_NODE_SCALAR || fmlp_node_is_null(node)) {
    return fail_at(in, line, "a key must be a plain word");
  }
  if (fmlp_node_child(top->node, node->text, strlen(node->text))) {
    return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s:%d: key '%s' stands twice in one mapping", in->name, line,
                     node->text);
  }
  top->key = node->text;
  return FMLP_OK;
}

static fmlp_status open_container(reader *in, fmlp_node_kind kind, const char *anchor, int line) {
  if (in->depth == FMLP_YAML_DEPTH) return fail_at(in, line, "nested too deep");
  if (in->budget-- <= 0) return fail_at(in, line, "the configuration is too large");
  fmlp_node *node = fmlp_node_create(in->arena, kind, fmlp_arena_print(in->arena, "%s:%d", in->name, line));
  FMLP_TRY(place(in, node, line));
  in->stack[in->depth++] = (frame){node, NULL, anchor};
  return FMLP_OK;
}

/* YAML's merge key: `<<: *base` gives the mapping the keys it does not write itself. */
static fmlp_status merge_key(reader *in, fmlp_node *map, int line) {
  fmlp_node *key = fmlp_node_child(map, "<<", 2);
  if (!key) return FMLP_OK;
  fmlp_node_remove(map, key);
  fmlp_node *source = key->kind == FMLP_NODE_LIST ? key->first : key;
  for (; source; source = key->kind == FMLP_NODE_LIST ? source->next : NULL) {
    if (source->kind != FMLP_NODE_MAP) return fail_at(in, line, "'<<' wants a mapping or a list of them");
    fmlp_node *next = NULL;
    for (fmlp_node *child = source->first; child; child = next) {
      next = child->next;
      if (!fmlp_node_child(map, child->key, strlen(child->key))) fmlp_node_append(map, child);
    }
  }
  return FMLP_OK;
}

static fmlp_status close_container(reader *in, int line) {
  frame *top = &in->stack[--in->depth];
  if (top->node->kind == FMLP_NODE_MAP) FMLP_TRY(merge_key(in, top->node, line));
  return remember_anchor(in, top->anchor, top->node, line);
}

static fmlp_status read_scalar(reader *in, struct fy_event *event, const char *anchor, int line) {
  struct fy_token *value = event->scalar.value;
  struct fy_token *tag = event->scalar.tag;
  if (in->budget-- <= 0) return fail_at(in, line, "the configuration is too large");
  const char *text = token_text(in, value);
  const char *tag_text = tag ? token_text(in, tag) : "";
  if (!text || !tag_text) return FMLP_ERR_OTHER;
  bool quoted = (value && fy_token_scalar_style(value) != FYSS_PLAIN) || strstr(tag_text, "str") != NULL;
  fmlp_node *node =
      fmlp_node_scalar(in->arena, text, quoted, fmlp_arena_print(in->arena, "%s:%d", in->name, line));
  if (!node) return FMLP_ERR_OTHER;
  FMLP_TRY(remember_anchor(in, anchor, node, line));
  return place(in, node, line);
}

static fmlp_status read_alias(reader *in, struct fy_event *event, int line) {
  const char *name = token_text(in, event->alias.anchor);
  if (!name) return FMLP_ERR_OTHER;
  const fmlp_node *node = anchored(in, name);
  if (!node) {
    return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s:%d: no anchor '&%s' stands before this alias", in->name,
                     line, name);
  }
  fmlp_node *copy = fmlp_node_copy(in->arena, node, &in->budget);
  if (!copy) return in->budget < 0 ? FMLP_ERR_USAGE : FMLP_ERR_OTHER;
  copy->key = NULL;
  return place(in, copy, line);
}

static fmlp_status read_event(reader *in, struct fy_event *event) {
  int line = line_of(event);
  struct fy_token *anchor_token = fy_event_get_anchor_token(event);
  const char *anchor = NULL;
  if (anchor_token && event->type != FYET_ALIAS) {
    anchor = token_text(in, anchor_token);
    if (!anchor) return FMLP_ERR_OTHER;
  }
  switch (event->type) {
  case FYET_SCALAR:
    return read_scalar(in, event, anchor, line);
  case FYET_MAPPING_START:
    return open_container(in, FMLP_NODE_MAP, anchor, line);
  case FYET_SEQUENCE_START:
    return open_container(in, FMLP_NODE_LIST, anchor, line);
  case FYET_MAPPING_END:
  case FYET_SEQUENCE_END:
    return close_container(in, line);
  case FYET_ALIAS:
    return read_alias(in, event, line);
  default:
    return FMLP_OK;
  }
}

static fmlp_status parse_error(reader *in, struct fy_diag *diag) {
  void *iterator = NULL;
  const struct fy_diag_error *first = fy_diag_errors_iterate(diag, &iterator);
  if (!first) return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s: not readable as YAML", in->name);
  return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s:%d: not YAML: %s", in->name, first->line, first->msg);
}

static fmlp_status read_events(reader *in, struct fy_parser *parser, struct fy_diag *diag) {
  fmlp_status status = FMLP_OK;
  bool ended = false;
  while (status == FMLP_OK && !ended) {
    struct fy_event *event = fy_parser_parse(parser);
    if (!event) break;
    ended = event->type == FYET_STREAM_END;
    status = read_event(in, event);
    fy_parser_event_free(parser, event);
  }
  if (status == FMLP_OK && !ended) return parse_error(in, diag);
  return status;
}

int64_t fmlp_yaml_bad_line(const char *text, int64_t length) {
  int64_t line = 1;
  for (int64_t i = 0; i < length;) {
    unsigned char c = (unsigned char)text[i];
    int32_t extra = c < 0x80                ? 0
                    : c >= 0xC2 && c < 0xE0 ? 1
                    : c >= 0xE0 && c < 0xF0 ? 2
                    : c >= 0xF0 && c < 0xF5 ? 3
                                            : -1;
    if (extra < 0 || extra >= length - i) return line;
    if (c < 0x20 && c != '\n' && c != '\r' && c != '\t') return line;
    uint32_t code = extra ? (uint32_t)c & (0x3FU >> extra) : c;
    for (int32_t k = 1; k <= extra; k++) {
      if (((unsigned char)text[i + k] & 0xC0) != 0x80) return line;
      code = code << 6 | ((unsigned char)text[i + k] & 0x3FU);
    }
    if ((extra == 2 && (code < 0x800 || (code >= 0xD800 && code < 0xE000))) ||
        (extra == 3 && (code < 0x10000 || code > 0x10FFFF))) {
      return line;
    }
    if (c == '\n') line++;
    i += extra + 1;
  }
  return 0;
}

fmlp_status fmlp_yaml_parse(fmlp_arena *arena, const char *name, const char *text, int64_t length,
                            fmlp_node **root, fmlp_error *error) {
  *root = NULL;
  int64_t bad_line = fmlp_yaml_bad_line(text, length);
  if (bad_line > 0) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "%s:%lld: not text in UTF-8", name, (long long)bad_line);
  }
  reader in = {.arena = arena, .name = name, .budget = FMLP_YAML_NODES, .error = error};
  struct fy_diag_cfg diag_options;
  fy_diag_cfg_default(&diag_options);
  diag_options.fp = NULL;
  struct fy_diag *diag = fy_diag_create(&diag_options);
  struct fy_parse_cfg options = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG, .diag = diag};
  struct fy_parser *parser = NULL;
  fmlp_status status = FMLP_OK;
  if (diag) fy_diag_set_collect_errors(diag, true);
  if (diag) parser = fy_parser_create(&options);
  if (!parser || fy_parser_set_string(parser, text, (size_t)length) != 0) {
    status = fmlp_fail(error, FMLP_ERR_OTHER, "%s: out of memory in the YAML reader", name);
  }
  if (status == FMLP_OK) status = read_events(&in, parser, diag);
  if (parser) fy_parser_destroy(parser);
  if (diag) fy_diag_destroy(diag);
  FMLP_TRY(status);
  if (!in.root || fmlp_node_is_null(in.root)) {
    in.root = fmlp_node_create(arena, FMLP_NODE_MAP, fmlp_arena_print(arena, "%s:1", name));
    if (!in.root) return FMLP_ERR_OTHER;
  }
  *root = in.root;
  return FMLP_OK;
}

/* The word of "# @package word" among the leading comment lines. */
static const char *package_header(fmlp_arena *arena, const char *text) {
  while (*text == '#' || *text == '\n' || *text == '\r') {
    const char *at = text + strspn(text, "# \t");
    if (strncmp(at, "@package", 8) == 0 && (at[8] == ' ' || at[8] == '\t')) {
      at += 8 + strspn(at + 8, " \t");
      return fmlp_arena_copy(arena, at, strcspn(at, " \t\r\n"));
    }
    text += strcspn(text, "\n");
    if (*text) text++;
  }
  return NULL;
}

fmlp_status fmlp_yaml_read(fmlp_arena *arena, const char *path, fmlp_node **root, const char **package,
                           fmlp_error *error) {
  *root = NULL;
  FILE *file = NULL;
  FMLP_TRY(fmlp_open_ordinary(path, &file, FMLP_ERR_USAGE, "it should be a configuration file", error));
  char *text = NULL;
  fmlp_status status = fmlp_alloc(&text, FILE_LIMIT + 1, 1, "configuration file", error);
  if (status == FMLP_OK) {
    size_t length = fread(text, 1, FILE_LIMIT, file);
    text[length] = '\0';
    if (ferror(file)) {
      status = fmlp_fail(error, FMLP_ERR_USAGE, "%s: the configuration file cannot be read", path);
    } else if (length == FILE_LIMIT) {
      status = fmlp_fail(error, FMLP_ERR_USAGE, "%s: larger than 4 MiB; is this a configuration file?", path);
    } else {
      if (package) *package = package_header(arena, text);
      status = fmlp_yaml_parse(arena, path, text, (int64_t)length, root, error);
    }
  }
  fmlp_free(text);
  (void)fclose(file);
  return status;
}
