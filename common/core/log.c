/* The log record and the writing of standard error, one lock around both so that lines never mix. */
#define _POSIX_C_SOURCE 200809L
#include "common/core/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/core/memory.h"

enum { LINE_CAPACITY = 2048, STATUS_CAPACITY = 128 };

typedef struct text_buffer {
  char *bytes;
  int64_t length;
  int64_t capacity;
} text_buffer;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static fmlp_log_level shown_level = FMLP_LOG_INFO;
static bool recording;
static bool record_incomplete; /* memory ran out while recording */
static text_buffer record;
static text_buffer warnings;
static int64_t warning_count;
static char status_line[STATUS_CAPACITY];

static const char *const level_names[] = {[FMLP_LOG_ERROR] = "error",
                                          [FMLP_LOG_WARNING] = "warning",
                                          [FMLP_LOG_INFO] = "info",
                                          [FMLP_LOG_DEBUG] = "debug"};

/* What stands before the text on standard error: an error says who speaks, because it is the last word. */
static const char *const shown_prefix[] = {[FMLP_LOG_ERROR] = "fmlp: ",
                                           [FMLP_LOG_WARNING] = "warning: ",
                                           [FMLP_LOG_INFO] = "",
                                           [FMLP_LOG_DEBUG] = "debug: "};

static void append(text_buffer *buffer, const char *bytes, size_t count) {
  int64_t needed = buffer->length + (int64_t)count;
  if (needed > buffer->capacity) {
    int64_t capacity = needed * 2 + 1024;
    if (fmlp_resize(&buffer->bytes, buffer->length, capacity, 1, "log", NULL) != FMLP_OK) {
      record_incomplete = true;
      return;
    }
    buffer->capacity = capacity;
  }
  memcpy(buffer->bytes + buffer->length, bytes, count);
  buffer->length = needed;
}

static void clear(text_buffer *buffer) {
  fmlp_free(buffer->bytes);
  *buffer = (text_buffer){NULL, 0, 0};
}

static void remember(fmlp_log_level level, const char *text) {
  struct timespec now = {0, 0};
  struct tm utc;
  char line[LINE_CAPACITY + 64];
  (void)clock_gettime(CLOCK_REALTIME, &now);
  (void)gmtime_r(&now.tv_sec, &utc);
  size_t length = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &utc);
  int rest = snprintf(line + length, sizeof line - length, ".%03ldZ %s %s\n", now.tv_nsec / 1000000,
                      level_names[level], text);
  if (rest > 0) append(&record, line, length + (size_t)rest);
  if (level == FMLP_LOG_WARNING) {
    append(&warnings, text, strlen(text));
    append(&warnings, "\n", 1);
    warning_count++;
  }
}

static void show(const char *prefix, const char *text) {
  if (status_line[0]) (void)fputs("\r\033[K", stderr);
  (void)fprintf(stderr, "%s%s\n", prefix, text);
  if (status_line[0]) (void)fputs(status_line, stderr);
  (void)fflush(stderr);
}

void fmlp_log_line(fmlp_log_level level, const char *format, ...) {
  char text[LINE_CAPACITY];
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  for (char *c = text; *c; c++) {
    if (*c == '\n' || *c == '\r') *c = ' ';
  }
  (void)pthread_mutex_lock(&lock);
  if (recording && (level <= FMLP_LOG_INFO || level <= shown_level)) remember(level, text);
  if (level <= shown_level) show(shown_prefix[level], text);
  (void)pthread_mutex_unlock(&lock);
}

void fmlp_log_set_level(fmlp_log_level level) {
  (void)pthread_mutex_lock(&lock);
  shown_level = level;
  (void)pthread_mutex_unlock(&lock);
}

static void restart(bool record_now) {
  (void)pthread_mutex_lock(&lock);
  clear(&record);
  clear(&warnings);
  warning_count = 0;
  record_incomplete = false;
  recording = record_now;
  (void)pthread_mutex_unlock(&lock);
}

void fmlp_log_open(void) {
  restart(true);
}

void fmlp_log_close(void) {
  restart(false);
}

static fmlp_status copy_out(const text_buffer *from, char **text, int64_t *length, fmlp_error *error) {
  *text = NULL;
  *length = 0;
  if (record_incomplete) return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: the log is incomplete");
  FMLP_TRY(fmlp_alloc(text, from->length + 1, 1, "log", error));
  if (from->length > 0) memcpy(*text, from->bytes, (size_t)from->length);
  (*text)[from->length] = '\0';
  *length = from->length;
  return FMLP_OK;
}

fmlp_status fmlp_log_text(char **text, int64_t *length, fmlp_error *error) {
  (void)pthread_mutex_lock(&lock);
  fmlp_status status = copy_out(&record, text, length, error);
  (void)pthread_mutex_unlock(&lock);
  return status;
}

fmlp_status fmlp_log_warnings(char **lines, int64_t *count, fmlp_error *error) {
  int64_t length = 0;
  (void)pthread_mutex_lock(&lock);
  fmlp_status status = copy_out(&warnings, lines, &length, error);
  *count = status == FMLP_OK ? warning_count : 0;
  (void)pthread_mutex_unlock(&lock);
  return status;
}

bool fmlp_log_has_terminal(void) {
  return isatty(STDERR_FILENO) == 1;
}

void fmlp_log_status_line(const char *text) {
  if (!fmlp_log_has_terminal()) return;
  (void)pthread_mutex_lock(&lock);
  if (status_line[0] || text[0]) {
    (void)snprintf(status_line, sizeof status_line, "%s", text);
    (void)fprintf(stderr, "\r\033[K%s", status_line);
    (void)fflush(stderr);
  }
  (void)pthread_mutex_unlock(&lock);
}
