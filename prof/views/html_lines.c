/* Samples for the HTML page: by line, with the text of the files where that is at hand, and by function. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "prof/views/export_text.h"
#include "prof/views/html_data.h"
#include "prof/views/lines.h"

enum { MOST_FUNCTIONS = 200, MOST_FILES = 24, MOST_FILE_BYTES = 128 << 10, MOST_SOURCE_BYTES = 512 << 10 };

/* A function as the sampler met it, with lines or without. */
typedef struct function_row {
  int32_t function;
  int64_t self, total;
  int64_t last_sample; /* that counted in `total`: recursion counts once a sample */
} function_row;

typedef struct sampled_functions {
  int64_t count;
  function_row *rows;
} sampled_functions;

static int compare_functions(const void *left, const void *right) {
  const function_row *a = left, *b = right;
  if (a->self != b->self) return a->self < b->self ? 1 : -1;
  if (a->total != b->total) return a->total < b->total ? 1 : -1;
  return (a->function > b->function) - (a->function < b->function);
}

static bool count_functions(const fmlp_capture *capture, sampled_functions *table) {
  table->rows = calloc((size_t)capture->name_count + 1, sizeof *table->rows);
  if (!table->rows) return false;
  for (int32_t n = 0; n < capture->name_count; n++) table->rows[n] = (function_row){n, 0, 0, -1};
  for (int64_t s = 0; s < capture->sample_count; s++) {
    const fmlp_capture_sample *sample = &capture->samples[s];
    for (int32_t f = 0; f < sample->frame_count; f++) {
      function_row *row = &table->rows[capture->frames[sample->first_frame + f].function];
      row->self += f == 0;
      row->total += row->last_sample != s;
      row->last_sample = s;
    }
  }
  qsort(table->rows, (size_t)capture->name_count, sizeof *table->rows, compare_functions);
  while (table->count < capture->name_count && table->count < MOST_FUNCTIONS &&
         table->rows[table->count].self > 0)
    table->count++;
  return true;
}

/* ---- source texts ---- */

/* A profile may come from elsewhere: only what looks like source, by a name that leads nowhere else, is put
 * into a page. */
static bool may_embed(const char *path) {
  static const char *const ENDINGS[] = {".c", ".h", ".cu", ".cuh", ".cpp", ".inc"};
  const char *ending = strrchr(path, '.');
  if (!ending || path[0] == '/' || strstr(path, "..")) return false;
  for (size_t i = 0; i < sizeof ENDINGS / sizeof *ENDINGS; i++)
    if (strcmp(ending, ENDINGS[i]) == 0) return true;
  return false;
}

/* The whole file, NUL-terminated, the caller's; NULL when it is not there, too large, or not text. */
static char *read_source(const char *path, int64_t *bytes) {
  struct stat found;
  if (!may_embed(path) || stat(path, &found) != 0 || !S_ISREG(found.st_mode) ||
      found.st_size > MOST_FILE_BYTES)
    return NULL;
  FILE *in = fopen(path, "rbe");
  char *text = in ? malloc(MOST_FILE_BYTES + 1) : NULL;
  size_t count = text ? fread(text, 1, MOST_FILE_BYTES, in) : 0;
  if (in) (void)fclose(in);
  if (!text || memchr(text, 0, count)) {
    free(text);
    return NULL;
  }
  text[count] = '\0';
  *bytes = (int64_t)count;
  return text;
}

static int compare_lines(const void *left, const void *right) {
  const fmlp_line *a = left, *b = right;
  if (a->self != b->self) return a->self < b->self ? 1 : -1;
  if (a->total != b->total) return a->total < b->total ? 1 : -1;
  if (a->file != b->file) return a->file < b->file ? -1 : 1;
  return (a->line > b->line) - (a->line < b->line);
}

/* The files of the heaviest lines, as far as there is room. Lines are sorted by then. */
static void write_sources(FILE *out, const fmlp_capture *capture, const fmlp_lines *lines) {
  int32_t tried[MOST_FILES], count = 0, written = 0;
  int64_t room = MOST_SOURCE_BYTES;
  for (int64_t r = 0; r < lines->count && count < MOST_FILES; r++) {
    const int32_t file = lines->lines[r].file;
    bool known = false;
    for (int32_t i = 0; i < count; i++) known = known || tried[i] == file;
    if (known) continue;
    tried[count++] = file;
    int64_t bytes = 0;
    char *text = read_source(capture->names[file], &bytes);
    if (text && bytes <= room) {
      (void)fprintf(out, "%s[%d,", written++ > 0 ? "," : "", (int)file);
      fmlp_export_json_string(text, out);
      (void)fputc(']', out);
      room -= bytes;
    }
    free(text);
  }
}

#define LINE_VALUE(name)                                                                                     \
  static int64_t line_##name(const void *table, int64_t row) {                                               \
    return ((const fmlp_lines *)table)->lines[row].name;                                                     \
  }

LINE_VALUE(function)
LINE_VALUE(file)
LINE_VALUE(line)
LINE_VALUE(self)
LINE_VALUE(total)

#define FUNCTION_VALUE(name)                                                                                 \
  static int64_t function_##name(const void *table, int64_t row) {                                           \
    return ((const sampled_functions *)table)->rows[row].name;                                               \
  }

FUNCTION_VALUE(function)
FUNCTION_VALUE(self)
FUNCTION_VALUE(total)

static void write_lines(FILE *out, const fmlp_capture *capture, const fmlp_lines *lines, bool sources) {
  (void)fprintf(out, ",\"lines\":{\"count\":%lld", (long long)lines->count);
  fmlp_html_member(out, "samples", capture->sample_count);
  fmlp_html_member(out, "placed", lines->placed);
  fmlp_html_column(out, "function", lines->count, line_function, lines);
  fmlp_html_column(out, "file", lines->count, line_file, lines);
  fmlp_html_column(out, "line", lines->count, line_line, lines);
  fmlp_html_column(out, "self", lines->count, line_self, lines);
  fmlp_html_column(out, "total", lines->count, line_total, lines);
  (void)fputs(",\"sources\":[", out);
  if (sources) write_sources(out, capture, lines);
  (void)fputs("]}", out);
}

bool fmlp_html_lines(FILE *out, const fmlp_capture *capture, bool sources) {
  fmlp_lines lines;
  sampled_functions functions = {0};
  if (!fmlp_lines_make(capture, &lines)) return false;
  const bool made = count_functions(capture, &functions);
  if (made) {
    if (lines.count > 0) qsort(lines.lines, (size_t)lines.count, sizeof *lines.lines, compare_lines);
    write_lines(out, capture, &lines, sources);
    (void)fprintf(out, ",\"sampled\":{\"count\":%lld", (long long)functions.count);
    fmlp_html_column(out, "function", functions.count, function_function, &functions);
    fmlp_html_column(out, "self", functions.count, function_self, &functions);
    fmlp_html_column(out, "total", functions.count, function_total, &functions);
    (void)fputc('}', out);
  }
  free(functions.rows);
  fmlp_lines_release(&lines);
  return made;
}
