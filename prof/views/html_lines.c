/* Samples by place for the HTML page: how often a line ran itself, and how often it or what it called; the
 * text of the files, where that is at hand. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "prof/views/export_text.h"
#include "prof/views/html_data.h"

enum { MOST_FILES = 24, MOST_FILE_BYTES = 128 << 10, MOST_SOURCE_BYTES = 512 << 10 };

typedef struct line_row {
  int32_t function, file, line;
  int64_t self, total;
  int64_t last_sample; /* that counted in `total`: a recursive line counts once a sample */
} line_row;

typedef struct line_table {
  int64_t count;
  line_row *rows;
  int64_t *of_frame; /* [frame_count] its row */
} line_table;

static uint64_t mix(const fmlp_capture_frame *frame) {
  uint64_t bits = (uint64_t)(uint32_t)frame->function << 32 | (uint32_t)frame->line;
  bits = (bits ^ (uint64_t)(uint32_t)frame->file << 20) * UINT64_C(0x9e3779b97f4a7c15);
  return bits ^ bits >> 29;
}

/* Frames of one function, file and line are one row, whatever their addresses. */
static bool number_frames(const fmlp_capture *capture, line_table *table) {
  size_t frames = (size_t)capture->frame_count, places = 16;
  while (places < 2 * frames) places *= 2;
  int64_t *index = malloc(places * sizeof *index);
  table->rows = malloc((frames + 1) * sizeof *table->rows);
  table->of_frame = malloc((frames + 1) * sizeof *table->of_frame);
  bool made = index && table->rows && table->of_frame;
  for (size_t i = 0; made && i < places; i++) index[i] = -1;
  for (size_t f = 0; made && f < frames; f++) {
    const fmlp_capture_frame *frame = &capture->frames[f];
    uint64_t at = mix(frame) & (places - 1);
    for (; index[at] >= 0; at = (at + 1) & (places - 1)) {
      const line_row *row = &table->rows[index[at]];
      if (row->function == frame->function && row->file == frame->file && row->line == frame->line) break;
    }
    if (index[at] < 0) {
      index[at] = table->count;
      table->rows[table->count++] = (line_row){frame->function, frame->file, frame->line, 0, 0, -1};
    }
    table->of_frame[f] = index[at];
  }
  free(index);
  return made;
}

static void count_samples(const fmlp_capture *capture, line_table *table) {
  for (int64_t s = 0; s < capture->sample_count; s++) {
    const fmlp_capture_sample *sample = &capture->samples[s];
    for (int32_t f = 0; f < sample->frame_count; f++) {
      line_row *row = &table->rows[table->of_frame[sample->first_frame + f]];
      row->self += f == 0;
      if (row->last_sample != s) row->total++;
      row->last_sample = s;
    }
  }
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

static int compare_rows(const void *left, const void *right) {
  const line_row *a = left, *b = right;
  if (a->self != b->self) return a->self < b->self ? 1 : -1;
  if (a->total != b->total) return a->total < b->total ? 1 : -1;
  if (a->file != b->file) return a->file < b->file ? -1 : 1;
  return (a->line > b->line) - (a->line < b->line);
}

/* The files of the heaviest lines, as far as there is room. Rows are sorted by then. */
static void write_sources(FILE *out, const fmlp_capture *capture, const line_table *table) {
  int32_t tried[MOST_FILES], count = 0, written = 0;
  int64_t room = MOST_SOURCE_BYTES;
  for (int64_t r = 0; r < table->count && count < MOST_FILES; r++) {
    const line_row *row = &table->rows[r];
    bool known = row->file < 0 || row->line == 0;
    for (int32_t i = 0; i < count; i++) known = known || tried[i] == row->file;
    if (known) continue;
    tried[count++] = row->file;
    int64_t bytes = 0;
    char *text = read_source(capture->names[row->file], &bytes);
    if (text && bytes <= room) {
      (void)fprintf(out, "%s[%d,", written++ > 0 ? "," : "", (int)row->file);
      fmlp_export_json_string(text, out);
      (void)fputc(']', out);
      room -= bytes;
    }
    free(text);
  }
}

#define LINE_VALUE(name)                                                                                     \
  static int64_t line_##name(const void *table, int64_t row) {                                               \
    return ((const line_table *)table)->rows[row].name;                                                      \
  }

LINE_VALUE(function)
LINE_VALUE(file)
LINE_VALUE(line)
LINE_VALUE(self)
LINE_VALUE(total)

bool fmlp_html_lines(FILE *out, const fmlp_capture *capture, bool sources) {
  line_table table = {0};
  const bool made = number_frames(capture, &table);
  if (made) {
    count_samples(capture, &table);
    qsort(table.rows, (size_t)table.count, sizeof *table.rows, compare_rows);
    (void)fprintf(out, ",\"lines\":{\"count\":%lld,\"samples\":%lld", (long long)table.count,
                  (long long)capture->sample_count);
    fmlp_html_column(out, "function", table.count, line_function, &table);
    fmlp_html_column(out, "file", table.count, line_file, &table);
    fmlp_html_column(out, "line", table.count, line_line, &table);
    fmlp_html_column(out, "self", table.count, line_self, &table);
    fmlp_html_column(out, "total", table.count, line_total, &table);
    (void)fputs(",\"sources\":[", out);
    if (sources) write_sources(out, capture, &table);
    (void)fputs("]}", out);
  }
  free(table.rows);
  free(table.of_frame);
  return made;
}
