/* JSON as fmlp writes it: jansson objects whose keys stay in the order of insertion, reals with the 17 digits
 * that give the same double back, NaN as null. The same values give the same bytes on every machine. */
#ifndef FMLP_COMMON_IO_JSON_H
#define FMLP_COMMON_IO_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "common/core/status.h"

/* A real, or null when `value` is NaN or infinite. */
json_t *fmlp_json_real(double value);

/* Adds `key` to `object`, which takes ownership of `value`. Memory running out drops the key;
 * jansson has no other failure here. */
void fmlp_json_set(json_t *object, const char *key, json_t *value);

/* Adds a real, an integer, a text (NULL becomes null). */
void fmlp_json_set_real(json_t *object, const char *key, double value);
void fmlp_json_set_integer(json_t *object, const char *key, int64_t value);
void fmlp_json_set_text(json_t *object, const char *key, const char *value);

/* The text of `value`, indented by two, with a final newline; owned by the caller (free from <stdlib.h>).
 * NULL when memory runs out or `value` is NULL. */
char *fmlp_json_text(const json_t *value);

#endif
