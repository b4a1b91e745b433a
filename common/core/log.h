/* The log: one line a message, to standard error as it happens and, between open and close, into memory, from
 * where a run writes log.txt and the warnings of its manifest. All functions may be called from any thread.
 */
#ifndef FMLP_COMMON_CORE_LOG_H
#define FMLP_COMMON_CORE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/core/status.h"

typedef enum fmlp_log_level {
  FMLP_LOG_ERROR,
  FMLP_LOG_WARNING,
  FMLP_LOG_INFO,
  FMLP_LOG_DEBUG
} fmlp_log_level;

/* Writes one line (newlines become spaces). Standard error gets it up to the level set below; the record gets
 * every level up to INFO, and DEBUG when that level is set. A warning is worth a user's attention but leaves
 * the result valid: rows skipped, few trades, a window longer than the series. */
void fmlp_log_line(fmlp_log_level level, const char *format, ...) FMLP_PRINTF(2, 3);

#define fmlp_log_warning(...) fmlp_log_line(FMLP_LOG_WARNING, __VA_ARGS__)
#define fmlp_log_info(...)    fmlp_log_line(FMLP_LOG_INFO, __VA_ARGS__)
#define fmlp_log_debug(...)   fmlp_log_line(FMLP_LOG_DEBUG, __VA_ARGS__)

/* The most talkative level standard error shows; INFO until set. */
void fmlp_log_set_level(fmlp_log_level level);

/* Starts a new record; what an earlier one held is gone. */
void fmlp_log_open(void);

/* Ends the record and frees it. */
void fmlp_log_close(void);

/* A copy of the record so far, lines "2026-01-31T12:00:00.123Z warning text\n", for log.txt. The caller frees
 * it with fmlp_free. FMLP_ERR_OTHER when memory ran out, now or while recording. */
FMLP_WARN_UNUSED fmlp_status fmlp_log_text(char **text, int64_t *length, fmlp_error *error);

/* The warnings of the record so far, in order, one a line ("" when none), without time or level; owned by the
 * caller (fmlp_free). */
FMLP_WARN_UNUSED fmlp_status fmlp_log_warnings(char **lines, int64_t *count, fmlp_error *error);

/* The status line under the messages of a terminal (core/progress.h writes it): shown until replaced, "" for
 * none, kept below every message. Nothing happens where standard error is no terminal. */
void fmlp_log_status_line(const char *text);
bool fmlp_log_has_terminal(void);

#endif
