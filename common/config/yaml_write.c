/* Nodes to YAML, block style, in the order of the tree. */
#include "common/config/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/core/memory.h"

fmlp_status fmlp_yaml_append(fmlp_yaml_text *out, fmlp_error *error, const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  fmlp_status status = FMLP_OK;
  int64_t needed = out->length + length + 1;
  if (needed > out->capacity) {
    int64_t capacity = needed * 2 + 4096;
    status = fmlp_resize(&out->bytes, out->length, capacity, 1, "configuration text", error);
    if (status == FMLP_OK) out->capacity = capacity;
  }
  if (status == FMLP_OK) {
    (void)vsnprintf(out->bytes + out->length, (size_t)length + 1, format, again);
    out->length += length;
  }
  va_end(again);
  return status;
}

static bool is_word(const char *text) {
  static const char *const special[] = {"null",  "Null",  "NULL", "true", "True", "TRUE", "false",
                                        "False", "FALSE", "yes",  "Yes",  "YES",  "no",   "No",
                                        "NO",    "on",    "On",   "ON",   "off",  "Off",  "OFF"};
  for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
    if (strcmp(text, special[i]) == 0) return false;
  }
  if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || *text == '/' || *text == '_'))
    return false;
  return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-") == strlen(text);
}

/* Characters of two or three bytes that YAML does not take raw, or takes for the end of a line: C1 controls,
 * U+2028, U+2029, the byte order mark, U+FFFE, U+FFFF. 0 for all others. */
static uint32_t special_code(const char *text, int32_t *bytes) {
  const unsigned char *c = (const unsigned char *)text;
  uint32_t code = 0;
  if (c[0] == 0xC2 && c[1] < 0xA0) {
    *bytes = 2;
    return c[1];
  }
  if ((c[0] & 0xF0) != 0xE0) return 0;
  *bytes = 3;
  code = (c[0] & 0x0FU) << 12 | (c[1] & 0x3FU) << 6 | (c[2] & 0x3FU);
  bool special = code == 0x2028 || code == 0x2029 || code == 0xFEFF || code >= 0xFFFE;
  return special ? code : 0;
}

static fmlp_status write_quoted(fmlp_yaml_text *out, const char *text, fmlp_error *error) {
  uint32_t code = 0;
  int32_t bytes = 0;
  FMLP_TRY(fmlp_yaml_append(out, error, "\""));
  for (const char *c = text; *c; c++) {
    if (*c == '"' || *c == '\\') {
      FMLP_TRY(fmlp_yaml_append(out, error, "\\%c", *c));
    } else if (*c == '$' && c[1] == '{') {
      FMLP_TRY(fmlp_yaml_append(out, error, "\\\\$")); /* a literal ${ is not to be interpolated again */
    } else if ((unsigned char)*c < 0x20 || *c == 0x7F) {
      FMLP_TRY(fmlp_yaml_append(out, error, "\\x%02x", (unsigned)(unsigned char)*c));
    } else if ((code = special_code(c, &bytes)) != 0) {
      FMLP_TRY(fmlp_yaml_append(out, error, "\\u%04x", (unsigned)code));
      c += bytes - 1;
    } else {
      FMLP_TRY(fmlp_yaml_append(out, error, "%c", *c));
    }
  }
  return fmlp_yaml_append(out, error, "\"");
}

static fmlp_status write_scalar(fmlp_yaml_text *out, const fmlp_node *node, fmlp_error *error) {
  if (fmlp_node_is_null(node)) return fmlp_yaml_append(out, error, "null");
  if (is_word(node->text)) return fmlp_yaml_append(out, error, "%s", node->text);
  if (!node->quoted && strspn(node->text, "0123456789+-.eE") == strlen(node->text)) {
    return fmlp_yaml_append(out, error, "%s", node->text);
  }
  if (!node->quoted && (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0)) {
    return fmlp_yaml_append(out, error, "%s", node->text);
  }
  return write_quoted(out, node->text, error);
}

static fmlp_status write_key(fmlp_yaml_text *out, const char *key, fmlp_error *error) {
  if (!is_word(key)) {
    FMLP_TRY(write_quoted(out, key, error));
    return fmlp_yaml_append(out, error, ":");
  }
  return fmlp_yaml_append(out, error, "%s:", key);
}

static bool is_empty(const fmlp_node *node) {
  return node->kind != FMLP_NODE_SCALAR && !node->first;
}

/* One child on a line of its own: scalars and empty containers after the key, the rest indented below. */
static fmlp_status write_value(fmlp_yaml_text *out, const fmlp_node *node, int32_t indent,
                               fmlp_error *error) {
  if (node->kind == FMLP_NODE_SCALAR || is_empty(node)) {
    FMLP_TRY(fmlp_yaml_append(out, error, " "));
    FMLP_TRY(fmlp_yaml_write(out, node, indent, error));
    return fmlp_yaml_append(out, error, "\n");
  }
  FMLP_TRY(fmlp_yaml_append(out, error, "\n"));
  return fmlp_yaml_write(out, node, indent, error);
}

fmlp_status fmlp_yaml_write(fmlp_yaml_text *out, const fmlp_node *node, int32_t indent, fmlp_error *error) {
  if (node->kind == FMLP_NODE_SCALAR) return write_scalar(out, node, error);
  if (is_empty(node)) return fmlp_yaml_append(out, error, node->kind == FMLP_NODE_MAP ? "{}" : "[]");
  for (const fmlp_node *child = node->first; child; child = child->next) {
    FMLP_TRY(fmlp_yaml_append(out, error, "%*s", (int)indent, ""));
    if (node->kind == FMLP_NODE_MAP) {
      FMLP_TRY(write_key(out, child->key, error));
    } else {
      FMLP_TRY(fmlp_yaml_append(out, error, "-"));
    }
    FMLP_TRY(write_value(out, child, indent + 2, error));
  }
  return FMLP_OK;
}
