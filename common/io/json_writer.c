/* JSON in call order, two spaces of indentation. */
#include "common/io/json_writer.h"

#include <assert.h>
#include <math.h>

fmlp_json fmlp_json_over(fmlp_text *text) {
  fmlp_json json = {.text = text};
  return json;
}

static void quote(fmlp_text *text, const char *string) {
  fmlp_text_append(text, "\"");
  for (const char *at = string; *at != '\0'; at++) {
    unsigned char byte = (unsigned char)*at;
    if (byte == '"' || byte == '\\') {
      fmlp_text_format(text, "\\%c", byte);
    } else if (byte < 0x20 || byte == 0x7f) {
      fmlp_text_format(text, "\\u%04x", byte);
    } else {
      fmlp_text_append_bytes(text, at, 1);
    }
  }
  fmlp_text_append(text, "\"");
}

static void start_value(fmlp_json *json, const char *key) {
  if (json->depth > 0) {
    if (json->filled[json->depth]) fmlp_text_append(json->text, ",");
    fmlp_text_append(json->text, "\n");
    for (int i = 0; i < json->depth; i++) fmlp_text_append(json->text, "  ");
  }
  json->filled[json->depth] = true;
  if (key != NULL) {
    quote(json->text, key);
    fmlp_text_append(json->text, ": ");
  }
}

static void begin(fmlp_json *json, const char *key, const char *bracket) {
  start_value(json, key);
  fmlp_text_append(json->text, bracket);
  assert(json->depth + 1 < FMLP_JSON_DEPTH);
  json->depth++;
  json->filled[json->depth] = false;
}

static void end(fmlp_json *json, const char *bracket) {
  assert(json->depth > 0);
  bool filled = json->filled[json->depth];
  json->depth--;
  if (filled) {
    fmlp_text_append(json->text, "\n");
    for (int i = 0; i < json->depth; i++) fmlp_text_append(json->text, "  ");
  }
  fmlp_text_append(json->text, bracket);
  if (json->depth == 0) fmlp_text_append(json->text, "\n");
}

void fmlp_json_begin_object(fmlp_json *json, const char *key) {
  begin(json, key, "{");
}

void fmlp_json_end_object(fmlp_json *json) {
  end(json, "}");
}

void fmlp_json_begin_array(fmlp_json *json, const char *key) {
  begin(json, key, "[");
}

void fmlp_json_end_array(fmlp_json *json) {
  end(json, "]");
}

void fmlp_json_string(fmlp_json *json, const char *key, const char *value) {
  if (value == NULL) {
    fmlp_json_null(json, key);
    return;
  }
  start_value(json, key);
  quote(json->text, value);
}

void fmlp_json_int(fmlp_json *json, const char *key, int64_t value) {
  start_value(json, key);
  fmlp_text_int(json->text, value);
}

void fmlp_json_bool(fmlp_json *json, const char *key, bool value) {
  start_value(json, key);
  fmlp_text_append(json->text, value ? "true" : "false");
}

void fmlp_json_null(fmlp_json *json, const char *key) {
  start_value(json, key);
  fmlp_text_append(json->text, "null");
}

void fmlp_json_double(fmlp_json *json, const char *key, double value) {
  if (isfinite(value)) {
    start_value(json, key);
    fmlp_text_double(json->text, value);
  } else {
    fmlp_json_null(json, key);
  }
}
