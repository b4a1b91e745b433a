/* Error lines. */
#include "common/core/status.h"

#include <stdio.h>
#include <string.h>

static void flatten(char *text) {
  for (; *text; text++) {
    if (*text == '\n' || *text == '\r' || *text == '\t') *text = ' ';
  }
}

fmlp_status fmlp_fail(fmlp_error *error, fmlp_status status, const char *format, ...) {
  if (error) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    flatten(error->text);
  }
  return status;
}

fmlp_status fmlp_fail_prefix(fmlp_error *error, fmlp_status status, const char *format, ...) {
  if (error) {
    char old[FMLP_ERROR_CAPACITY];
    memcpy(old, error->text, sizeof old);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    if (length >= 0 && (size_t)length < sizeof error->text) {
      (void)snprintf(error->text + length, sizeof error->text - (size_t)length, ": %s", old);
    }
    flatten(error->text);
  }
  return status;
}
