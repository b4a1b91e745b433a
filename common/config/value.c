/* Hydra's value grammar: scalars, lists, mappings. */
#include <string.h>

#include "common/config/override.h"
#include "common/config/yaml.h"

typedef struct cursor {
  fmlp_arena *arena;
  const char *at;
  const char *origin;
  int32_t depth;
  fmlp_error *error;
} cursor;

static fmlp_status bad(const cursor *in, const char *what) {
  return fmlp_fail(in->error, FMLP_ERR_USAGE, "%s: %s", in->origin, what);
}

static void skip_blanks(cursor *in) {
  while (*in->at == ' ' || *in->at == '\t') in->at++;
}

int64_t fmlp_value_span(const char *text, const char *stop) {
  char closers[FMLP_YAML_DEPTH];
  int32_t depth = 0;
  const char *c = text;
  for (; *c; c++) {
    if (*c == '\\' && c[1]) {
      c++;
    } else if (*c == '\'' || *c == '"') {
      /* A quote inside a word is a letter: it opens text only where a value may start. */
      bool opens = c == text || strchr("[{(,:= \t", c[-1]) != NULL;
      const char *end = opens ? c + 1 : NULL;
      while (end && *end && *end != *c) end += *end == '\\' && end[1] ? 2 : 1;
      if (end && !*end) return -1;
      if (end) c = end;
    } else if (depth == 0 && strchr(stop, *c)) {
      break;
    } else if (*c == '[' || *c == '{' || *c == '(') {
      if (depth == FMLP_YAML_DEPTH) return -1;
      closers[depth++] = (char)(*c == '[' ? ']' : *c == '{' ? '}' : ')');
    } else if (depth > 0 && *c == closers[depth - 1]) {
      depth--;
    }
  }
  return depth == 0 ? c - text : -1;
}

static fmlp_status parse_quoted(cursor *in, fmlp_node **value) {
  char quote = *in->at++;
  char *text = fmlp_arena_take(in->arena, strlen(in->at) + 1);
  if (!text) return FMLP_ERR_OTHER;
  size_t length = 0;
  while (*in->at && *in->at != quote) {
    if (*in->at == '\\' && (in->at[1] == quote || in->at[1] == '\\')) in->at++;
    text[length++] = *in->at++;
  }
  if (*in->at != quote) return bad(in, "the quotes do not close");
  in->at++;
  *value = fmlp_node_scalar(in->arena, text, true, in->origin);
  return *value ? FMLP_OK : FMLP_ERR_OTHER;
}

/* A word up to a character of `stop`, blanks around it cut, escapes resolved. */
static fmlp_status parse_word(cursor *in, const char *stop, fmlp_node **value) {
  int64_t span = fmlp_value_span(in->at, stop);
  if (span < 0) return bad(in, "brackets or quotes do not close");
  char *text = fmlp_arena_take(in->arena, (size_t)span + 1);
  if (!text) return FMLP_ERR_OTHER;
  size_t length = 0;
  for (const char *c = in->at; c < in->at + span; c++) {
    if (*c == '\\' && c + 1 < in->at + span && strchr("\\()[]{}:=, \t", c[1])) c++;
    text[length++] = *c;
  }
  while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t')) text[--length] = '\0';
  in->at += span;
  *value = fmlp_node_scalar(in->arena, text, false, in->origin);
  return *value ? FMLP_OK : FMLP_ERR_OTHER;
}

static fmlp_status parse_value(cursor *in, const char *stop, fmlp_node **value);

static fmlp_status parse_list(cursor *in, fmlp_node **value) {
  *value = fmlp_node_create(in->arena, FMLP_NODE_LIST, in->origin);
  if (!*value) return FMLP_ERR_OTHER;
  in->at++;
  skip_blanks(in);
  while (*in->at != ']') {
    fmlp_node *element = NULL;
    FMLP_TRY(parse_value(in, ",]", &element));
    fmlp_node_append(*value, element);
    skip_blanks(in);
    if (*in->at != ',' && *in->at != ']') return bad(in, "a list wants ',' or ']' after an element");
    if (*in->at == ',') in->at++;
    skip_blanks(in);
  }
  in->at++;
  return FMLP_OK;
}

static fmlp_status parse_map(cursor *in, fmlp_node **value) {
  *value = fmlp_node_create(in->arena, FMLP_NODE_MAP, in->origin);
  if (!*value) return FMLP_ERR_OTHER;
  in->at++;
  skip_blanks(in);
  while (*in->at != '}') {
    fmlp_node *key = NULL, *child = NULL;
    FMLP_TRY(*in->at == '\'' || *in->at == '"' ? parse_quoted(in, &key) : parse_word(in, ":,}", &key));
    skip_blanks(in);
    if (*in->at != ':' || key->text[0] == '\0') return bad(in, "a mapping wants 'key: value'");
    if (fmlp_node_child(*value, key->text, strlen(key->text)))
      return bad(in, "a key stands twice in a mapping");
    in->at++;
    FMLP_TRY(parse_value(in, ",}", &child));
    child->key = key->text;
    fmlp_node_append(*value, child);
    skip_blanks(in);
    if (*in->at != ',' && *in->at != '}') return bad(in, "a mapping wants ',' or '}' after a value");
    if (*in->at == ',') in->at++;
    skip_blanks(in);
  }
  in->at++;
  return FMLP_OK;
}

static fmlp_status parse_value(cursor *in, const char *stop, fmlp_node **value) {
  skip_blanks(in);
  if (in->depth == FMLP_YAML_DEPTH) return bad(in, "nested too deep");
  in->depth++;
  fmlp_status status = FMLP_OK;
  if (*in->at == '[') {
    status = parse_list(in, value);
  } else if (*in->at == '{') {
    status = parse_map(in, value);
  } else if (*in->at == '\'' || *in->at == '"') {
    status = parse_quoted(in, value);
  } else {
    status = parse_word(in, stop, value);
  }
  in->depth--;
  return status;
}

fmlp_status fmlp_value_parse(fmlp_arena *arena, const char *text, const char *origin, fmlp_node **value,
                             fmlp_error *error) {
  cursor in = {arena, text, origin, 0, error};
  *value = NULL;
  skip_blanks(&in);
  if (*in.at == '\0') { /* key= is the empty text, as in Hydra */
    *value = fmlp_node_scalar(arena, "", true, origin);
    return *value ? FMLP_OK : FMLP_ERR_OTHER;
  }
  FMLP_TRY(parse_value(&in, ",", value));
  skip_blanks(&in);
  if (*in.at == ',') return bad(&in, "several values: sweep with -m, or quote the text");
  if (*in.at) return bad(&in, "text after the value; quote values that hold brackets, quotes or commas");
  return FMLP_OK;
}
