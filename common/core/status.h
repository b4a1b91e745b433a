/* Status codes and the caller-owned error text every fallible function of fmlp reports through.
 *
 * A function that can fail returns fmlp_status and takes an fmlp_error * as its last parameter. On failure it
 * writes one line into it: what went wrong, where (file and line, row, or configuration key), and a hint.
 * The status values are the program's exit codes, so that main() returns what it was given. */
#ifndef FMLP_COMMON_CORE_STATUS_H
#define FMLP_COMMON_CORE_STATUS_H

#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fmlp_status {
  FMLP_OK = 0,
  FMLP_ERR_OTHER = 1,  /* unwritable output, full disk, out of memory, anything without a code of its own */
  FMLP_ERR_USAGE = 2,  /* command line or configuration */
  FMLP_ERR_INPUT = 3,  /* missing, unreadable or unusable data */
  FMLP_ERR_DEVICE = 4, /* the requested device is unavailable or failed */
  FMLP_ERR_DIFFERENT = 5,   /* two backends disagree */
  FMLP_ERR_PERFORMANCE = 6, /* a performance gate failed */
  FMLP_ERR_INTERRUPTED = 130
} fmlp_status;

enum { FMLP_ERROR_CAPACITY = 1024 };

/* Caller-owned; zero-initialise. `text` is NUL-terminated, without a newline. */
typedef struct fmlp_error {
  char text[FMLP_ERROR_CAPACITY];
} fmlp_error;

#define FMLP_WARN_UNUSED                 __attribute__((warn_unused_result))
#define FMLP_PRINTF(format_index, first) __attribute__((format(printf, format_index, first)))

/* Writes the line into `error` (when not NULL), newlines replaced by spaces, and returns `status`. */
fmlp_status fmlp_fail(fmlp_error *error, fmlp_status status, const char *format, ...) FMLP_PRINTF(3, 4);

/* Puts "prefix: " before the text already in `error`; returns `status`. */
fmlp_status fmlp_fail_prefix(fmlp_error *error, fmlp_status status, const char *format, ...)
    FMLP_PRINTF(3, 4);

/* Returns from the calling function when `call` does not give FMLP_OK. Only where nothing needs releasing. */
#define FMLP_TRY(call)                                                                                       \
  do {                                                                                                       \
    fmlp_status fmlp_try_status = (call);                                                                    \
    if (fmlp_try_status != FMLP_OK) return fmlp_try_status;                                                  \
  } while (0)

#ifdef __cplusplus
}
#endif

#endif
