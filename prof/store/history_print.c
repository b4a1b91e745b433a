/* A history's index as a table. Whoever edits index.csv by hand may break a line: it is counted, the others
 * are printed. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "prof/store/history.h"
#include "prof/store/whole_file.h"

enum { FIELDS = 9, PATH_CAPACITY = 4096 };

enum field { VERSION, CREATED, NAME, COMMIT, DEVICE, WALL, CAPTURES, OUTPUTS, FILE_NAME };

typedef struct entry {
  char *fields[FIELDS];
} entry;

/* Cuts a line, which ends with NUL, into its fields, in place. Control characters do not reach a terminal. */
static bool parse_line(char *at, entry *to) {
  int count = 0;
  for (char *c = at; *c; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
  for (bool more = true; more; count++) {
    const bool quoted = *at == '"';
    char *out = at + quoted;
    if (count == FIELDS) return false;
    to->fields[count] = out;
    for (at = out; *at && (quoted || *at != ','); at++) {
      if (quoted && *at == '"' && *++at != '"') break; /* after the closing one */
      *out++ = *at;
    }
    if (quoted && at[-1] != '"') return false;
    more = *at == ',';
    if (!more && *at != '\0') return false;
    at++;
    *out = '\0';
  }
  return count == FIELDS && strchr(to->fields[FILE_NAME], '/') == NULL && to->fields[FILE_NAME][0] != '\0';
}

/* What the table shows of a field, cut to `most` bytes. */
static int shown(const char *text, int most) {
  const int length = (int)strcspn(text, ":"); /* "cuda: device 0, ..." */
  return length < most ? length : most;
}

static void print_entry(const entry *one, const char *folder, FILE *out, int64_t *missing) {
  char path[PATH_CAPACITY];
  char *const *field = one->fields;
  (void)snprintf(path, sizeof path, "%s/%s", folder, field[FILE_NAME]);
  const bool there = access(path, F_OK) == 0;
  *missing += !there;
  (void)fprintf(out, "%7s  %-20s  %-12.12s  %-8.*s %12.3f %8s  %-8.8s  %s%s\n", field[VERSION],
                field[CREATED], field[COMMIT], shown(field[DEVICE], 8), field[DEVICE],
                strtod(field[WALL], NULL), field[CAPTURES], field[OUTPUTS], field[FILE_NAME],
                there ? "" : " (gone)");
}

static bool is_header(const char *line) {
  return strcmp(line, FMLP_HISTORY_HEADER) == 0;
}

/* Ends the line at `*at` with a NUL and moves `*at` behind it; NULL at the end. */
static char *next_line(char **at) {
  if (!*at || **at == '\0') return NULL;
  char *line = *at, *end = strchr(line, '\n');
  *at = end ? end + 1 : NULL;
  if (end) *end = '\0';
  const size_t length = strlen(line);
  if (length > 0 && line[length - 1] == '\r') line[length - 1] = '\0';
  return line;
}

bool fmlp_history_print(const char *folder, FILE *out, char *message, int64_t capacity) {
  char path[PATH_CAPACITY];
  size_t size = 0;
  int64_t missing = 0, broken = 0, count = 0, first_broken = 0, number = 1;
  (void)snprintf(path, sizeof path, "%s/index.csv", folder);
  char *lines = (char *)fmlp_whole_file_read(path, &size, message, capacity), *at = lines;
  if (!lines) return false;
  const char *header = next_line(&at);
  if (!header || !is_header(header)) {
    (void)snprintf(message, (size_t)capacity, "%s: no index of profiles (its first line is another)", path);
    free(lines);
    return false;
  }
  (void)fprintf(out, "%7s  %-20s  %-12s  %-8s %12s %8s  %-8s  %s\n", "version", "created", "commit", "device",
                "wall s", "captures", "outputs", "file");
  for (char *line = next_line(&at); line; line = next_line(&at)) {
    entry one;
    number++;
    if (line[0] == '\0') continue;
    if (parse_line(line, &one)) {
      print_entry(&one, folder, out, &missing);
      count++;
    } else if (broken++ == 0) {
      first_broken = number;
    }
  }
  (void)fprintf(out, "%lld profiles", (long long)count);
  if (missing > 0) (void)fprintf(out, ", %lld of them gone", (long long)missing);
  if (broken > 0)
    (void)fprintf(out, "; %lld lines of index.csv are no entries, the first is line %lld", (long long)broken,
                  (long long)first_broken);
  (void)fputc('\n', out);
  free(lines);
  return true;
}
