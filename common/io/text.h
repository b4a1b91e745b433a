/* A growing text: what CSV, JSON and HTML are written into before they become a file in one piece.
 *
 * Failure (out of memory) is sticky: appending goes on as a no-op and fmlp_text_finish reports it, so that
 * builders need no check per line. Numbers are written the same on every machine. */
#ifndef FMLP_COMMON_IO_TEXT_H
#define FMLP_COMMON_IO_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/core/status.h"

/* Zero-initialise. `bytes` is NUL-terminated once anything was appended; owned (fmlp_text_release). */
typedef struct fmlp_text {
  char *bytes;
  int64_t count;    /* without the NUL */
  int64_t capacity; /* bytes allocated */
  bool failed;
  fmlp_error error;
} fmlp_text;

void fmlp_text_release(fmlp_text *text);

/* FMLP_OK, or the error of the first append that failed. */
FMLP_WARN_UNUSED fmlp_status fmlp_text_finish(const fmlp_text *text, fmlp_error *error);

void fmlp_text_append(fmlp_text *text, const char *string);
void fmlp_text_append_bytes(fmlp_text *text, const char *bytes, int64_t count);
void fmlp_text_format(fmlp_text *text, const char *format, ...) FMLP_PRINTF(2, 3);
void fmlp_text_int(fmlp_text *text, int64_t value);

/* The shortest of 15, 16 or 17 significant digits that reads back as the same double ("0.1", "1e-05");
 * "nan" for every NaN, "inf" and "-inf"; -0.0 as "0". */
void fmlp_text_double(fmlp_text *text, double value);

/* ns since the Unix epoch as "2014-05-01T05:00:00.123000000Z"; any int64. */
void fmlp_text_time(fmlp_text *text, int64_t nanoseconds);

/* The same at a chosen depth: "2014-05-01", "2014-05-01 05:00". */
void fmlp_text_date(fmlp_text *text, int64_t nanoseconds);
void fmlp_text_minute(fmlp_text *text, int64_t nanoseconds);

/* Text for HTML and XML content and attribute values: & < > " ' escaped, control characters other than tab
 * and newline replaced by U+FFFD. NULL writes nothing. */
void fmlp_text_html(fmlp_text *text, const char *string);

/* The text of a jansson value as fmlp_json_text writes it; takes ownership of `value`. */
void fmlp_text_json(fmlp_text *text, json_t *value);

#endif
