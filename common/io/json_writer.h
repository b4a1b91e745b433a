/* JSON, written in the order of the calls with two spaces of indentation: equal inputs give equal bytes.
 *
 *     fmlp_json_begin_object(&json, NULL);
 *     fmlp_json_double(&json, "sharpe", 1.5);
 *     fmlp_json_end_object(&json);
 *
 * `key` is NULL for the top value and for elements of an array. */
#ifndef FMLP_COMMON_IO_JSON_WRITER_H
#define FMLP_COMMON_IO_JSON_WRITER_H

#include "common/io/text.h"

enum { FMLP_JSON_DEPTH = 16 };

typedef struct fmlp_json {
  fmlp_text *text; /* borrowed */
  int depth;
  bool filled[FMLP_JSON_DEPTH]; /* something stands at this depth already */
} fmlp_json;

fmlp_json fmlp_json_over(fmlp_text *text);
void fmlp_json_begin_object(fmlp_json *json, const char *key);
void fmlp_json_end_object(fmlp_json *json);
void fmlp_json_begin_array(fmlp_json *json, const char *key);
void fmlp_json_end_array(fmlp_json *json);
void fmlp_json_string(fmlp_json *json, const char *key, const char *value); /* NULL: null */
void fmlp_json_int(fmlp_json *json, const char *key, int64_t value);
void fmlp_json_bool(fmlp_json *json, const char *key, bool value);
void fmlp_json_null(fmlp_json *json, const char *key);

/* NaN and infinities are null; otherwise as fmlp_text_double. */
void fmlp_json_double(fmlp_json *json, const char *key, double value);

#endif
