/* Deterministic JSON over jansson. */
#include "common/io/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

json_t *fmlp_json_real(double value) {
  return isfinite(value) ? json_real(value + 0.0) : json_null(); /* + 0.0: never "-0.0" */
}

void fmlp_json_set(json_t *object, const char *key, json_t *value) {
  (void)json_object_set_new(object, key, value);
}

void fmlp_json_set_real(json_t *object, const char *key, double value) {
  fmlp_json_set(object, key, fmlp_json_real(value));
}

void fmlp_json_set_integer(json_t *object, const char *key, int64_t value) {
  fmlp_json_set(object, key, json_integer((json_int_t)value));
}

void fmlp_json_set_text(json_t *object, const char *key, const char *value) {
  fmlp_json_set(object, key, value ? json_string(value) : json_null());
}

char *fmlp_json_text(const json_t *value) {
  if (!value) return NULL;
  char *text =
      json_dumps(value, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(17) | JSON_ENCODE_ANY);
  if (!text) return NULL;
  size_t length = strlen(text);
  char *longer = realloc(text, length + 2);
  if (!longer) {
    free(text);
    return NULL;
  }
  longer[length] = '\n';
  longer[length + 1] = '\0';
  return longer;
}
