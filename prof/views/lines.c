/* Samples by source line. */
#define _GNU_SOURCE
#include "prof/views/lines.h"

#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  LABEL = 1024,
  NEAR = 3 /* lines between two that are shown */,
  LINELESS = 10 /* rows */,
  NAME_WIDTH = 80
};

/* ---- counting ---- */

static int compare_places(const void *a, const void *b) {
  const fmlp_line *left = a, *right = b;
  if (left->file != right->file) return left->file < right->file ? -1 : 1;
  return (left->line > right->line) - (left->line < right->line);
}

static bool has_line(const fmlp_capture_frame *frame) {
  return frame->file >= 0 && frame->line > 0;
}

/* The distinct lines of all frames, sorted. */
static void collect(const fmlp_capture *capture, fmlp_lines *lines) {
  int64_t count = 0;
  for (int64_t f = 0; f < capture->frame_count; f++) {
    const fmlp_capture_frame *frame = &capture->frames[f];
    if (has_line(frame))
      lines->lines[count++] =
          (fmlp_line){.file = frame->file, .function = frame->function, .line = frame->line};
  }
  qsort(lines->lines, (size_t)count, sizeof *lines->lines, compare_places);
  for (int64_t i = 0; i < count; i++)
    if (i == 0 || compare_places(&lines->lines[i], &lines->lines[lines->count - 1]) != 0)
      lines->lines[lines->count++] = lines->lines[i];
}

/* A line of the program's own sources, which are named from their root; a system's header is not. */
static bool is_own(const fmlp_capture *capture, const fmlp_line *line) {
  return capture->names[line->file][0] != '/';
}

/* A line that a stack has twice, by recursion, is counted once for it. */
static void count_samples(const fmlp_capture *capture, fmlp_lines *lines, const int64_t *line_of,
                          int64_t *counted) {
  for (int64_t s = 0; s < capture->sample_count; s++) {
    const fmlp_capture_sample *sample = &capture->samples[s];
    int64_t innermost = -1;
    for (int32_t f = 0; f < sample->frame_count; f++) {
      const int64_t line = line_of[sample->first_frame + f];
      if (line < 0) continue;
      if (innermost < 0 ||
          (!is_own(capture, &lines->lines[innermost]) && is_own(capture, &lines->lines[line])))
        innermost = line;
      if (counted[line] != s + 1) lines->lines[line].total++;
      counted[line] = s + 1;
    }
    if (innermost < 0) continue;
    lines->lines[innermost].self++;
    lines->placed++;
  }
}

bool fmlp_lines_make(const fmlp_capture *capture, fmlp_lines *lines) {
  const size_t frames = (size_t)capture->frame_count + 1;
  *lines = (fmlp_lines){.lines = malloc(frames * sizeof *lines->lines)};
  int64_t *line_of = malloc(frames * sizeof *line_of), *counted = calloc(frames, sizeof *counted);
  const bool done = lines->lines && line_of && counted;
  if (done) {
    collect(capture, lines);
    for (int64_t f = 0; f < capture->frame_count; f++) {
      const fmlp_capture_frame *frame = &capture->frames[f];
      const fmlp_line key = {.file = frame->file, .line = frame->line};
      const fmlp_line *found = has_line(frame) ? bsearch(&key, lines->lines, (size_t)lines->count,
                                                         sizeof *lines->lines, compare_places)
                                               : NULL;
      line_of[f] = found ? found - lines->lines : -1;
    }
    count_samples(capture, lines, line_of, counted);
  }
  free(line_of);
  free(counted);
  if (!done) fmlp_lines_release(lines);
  return done;
}

void fmlp_lines_release(fmlp_lines *lines) {
  free(lines->lines);
  *lines = (fmlp_lines){0};
}

/* ---- text ---- */

typedef struct listing {
  const fmlp_capture *capture;
  const fmlp_lines_selection *selection;
  fmlp_line *chosen; /* by most samples, then by place */
  int64_t count;
  FILE *out;
} listing;

static int compare_samples(const void *a, const void *b) {
  const fmlp_line *left = a, *right = b;
  if (left->self != right->self) return left->self > right->self ? -1 : 1;
  if (left->total != right->total) return left->total > right->total ? -1 : 1;
  return compare_places(a, b);
}

/* Lines with samples of their own that match, at most `top`. */
static void choose(listing *to, const fmlp_lines *lines, const regex_t *filter) {
  for (int64_t i = 0; i < lines->count; i++) {
    const fmlp_line *line = &lines->lines[i];
    char label[LABEL];
    (void)snprintf(label, sizeof label, "%s:%d(%s)", to->capture->names[line->file], (int)line->line,
                   to->capture->names[line->function]);
    if (line->self == 0 || (filter && regexec(filter, label, 0, NULL, 0) != 0)) continue;
    to->chosen[to->count++] = *line;
  }
  qsort(to->chosen, (size_t)to->count, sizeof *to->chosen, compare_samples);
  if (to->selection->top >= 0 && to->count > to->selection->top) to->count = to->selection->top;
  qsort(to->chosen, (size_t)to->count, sizeof *to->chosen, compare_places);
}

static double share(const listing *of, int64_t samples) {
  return 100 * (double)samples / (double)of->capture->sample_count;
}

static FILE *open_source(const listing *of, int32_t file) {
  const char *name = of->capture->names[file];
  const char *root = of->selection->source ? of->selection->source : ".";
  char path[4096];
  const int length =
      snprintf(path, sizeof path, "%s%s%s", name[0] == '/' ? "" : root, name[0] == '/' ? "" : "/", name);
  return length > 0 && (size_t)length < sizeof path ? fopen(path, "r") : NULL;
}

static void print_line(const listing *to, const fmlp_line *line, const char *text) {
  (void)fprintf(to->out, "%6d %8" PRId64 " %6.1f %8" PRId64 " %6.1f  ", (int)line->line, line->self,
                share(to, line->self), line->total, share(to, line->total));
  if (text)
    (void)fprintf(to->out, "%s\n", text);
  else
    (void)fprintf(to->out, "(%s)\n", to->capture->names[line->function]);
}

/* With the file: its text, near lines joined by what is between them. */
static void print_with_source(const listing *to, const fmlp_line *lines, int64_t count, FILE *source) {
  char *text = NULL;
  size_t capacity = 0;
  int64_t shown = 0;
  int32_t number = 0, last = 0;
  ssize_t length;
  while (shown < count && (length = getline(&text, &capacity, source)) >= 0) {
    number++;
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r')) text[--length] = '\0';
    if (number == lines[shown].line) {
      if (last > 0 && number - last > NEAR + 1) (void)fprintf(to->out, "   ...\n");
      print_line(to, &lines[shown++], text);
      last = number;
    } else if (last > 0 && lines[shown].line - last <= NEAR + 1) {
      (void)fprintf(to->out, "%6d %8s %6s %8s %6s  %s\n", (int)number, "", "", "", "", text);
    }
  }
  free(text);
  for (; shown < count; shown++) print_line(to, &lines[shown], NULL); /* a shorter file than was built */
}

typedef struct file_lines {
  int64_t first, count, self;
} file_lines;

static int compare_files(const void *a, const void *b) {
  const file_lines *left = a, *right = b;
  if (left->self != right->self) return left->self > right->self ? -1 : 1;
  return (left->first > right->first) - (left->first < right->first);
}

static bool print_files(const listing *to) {
  file_lines *files = calloc((size_t)to->count + 1, sizeof *files);
  if (!files) return false;
  int64_t file_count = 0;
  for (int64_t i = 0; i < to->count; i++) {
    if (i == 0 || to->chosen[i].file != to->chosen[i - 1].file) files[file_count++].first = i;
    files[file_count - 1].count++;
    files[file_count - 1].self += to->chosen[i].self;
  }
  qsort(files, (size_t)file_count, sizeof *files, compare_files);
  for (int64_t i = 0; i < file_count; i++) {
    const fmlp_line *lines = &to->chosen[files[i].first];
    FILE *source = open_source(to, lines[0].file);
    (void)fprintf(to->out, "File: %s%s\n", to->capture->names[lines[0].file],
                  source ? "" : " (not found: functions instead of lines)");
    (void)fprintf(to->out, "Samples: %" PRId64 " (%.1f %%)\n\n", files[i].self, share(to, files[i].self));
    (void)fprintf(to->out, "  Line     Self    %%     Total    %%    Source\n");
    if (source) {
      print_with_source(to, lines, files[i].count, source);
      (void)fclose(source);
    } else {
      for (int64_t l = 0; l < files[i].count; l++) print_line(to, &lines[l], NULL);
    }
    (void)fputc('\n', to->out);
  }
  free(files);
  return true;
}

static void print_end(const listing *to, const fmlp_lines *lines) {
  const fmlp_capture *capture = to->capture;
  int64_t self = 0;
  for (int64_t i = 0; i < to->count; i++) self += to->chosen[i].self;
  (void)fprintf(
      to->out,
      "Self: samples in the line, or in code of others that it calls. Total: and in all it calls.\n%" PRId64
      " samples, %" PRId64 " with a line (%.1f %%), %" PRId64 " of them above (%.1f %%).\n",
      capture->sample_count, lines->placed, share(to, lines->placed), self, share(to, self));
  if (capture->dropped_samples > 0)
    (void)fprintf(to->out, "%" PRId64 " samples are missing: no room, or the system's clock is too coarse.\n",
                  capture->dropped_samples);
}

/* Code in which no line is known, and the span around it. */
typedef struct lineless {
  int32_t function; /* -1: no frame at all */
  int32_t site;     /* -1: outside spans */
  int64_t samples;
} lineless;

static int compare_lineless(const void *a, const void *b) {
  const lineless *left = a, *right = b;
  if (left->function != right->function) return left->function < right->function ? -1 : 1;
  return (left->site > right->site) - (left->site < right->site);
}

static int compare_lineless_samples(const void *a, const void *b) {
  const lineless *left = a, *right = b;
  if (left->samples != right->samples) return left->samples > right->samples ? -1 : 1;
  return compare_lineless(a, b);
}

static int64_t collect_lineless(const fmlp_capture *capture, lineless *rows) {
  int64_t count = 0, kept = 0;
  for (int64_t s = 0; s < capture->sample_count; s++) {
    const fmlp_capture_sample *sample = &capture->samples[s];
    const fmlp_capture_frame *frames = &capture->frames[sample->first_frame];
    bool found = false;
    for (int32_t f = 0; f < sample->frame_count; f++) found = found || has_line(&frames[f]);
    if (found) continue;
    rows[count++] = (lineless){.function = sample->frame_count > 0 ? frames[0].function : -1,
                               .site = sample->node >= 0 ? capture->nodes[sample->node].site : -1,
                               .samples = 1};
  }
  qsort(rows, (size_t)count, sizeof *rows, compare_lineless);
  for (int64_t i = 0; i < count; i++) {
    if (kept > 0 && compare_lineless(&rows[i], &rows[kept - 1]) == 0)
      rows[kept - 1].samples++;
    else
      rows[kept++] = rows[i];
  }
  qsort(rows, (size_t)kept, sizeof *rows, compare_lineless_samples);
  return kept;
}

static void print_lineless_row(const listing *to, const lineless *row) {
  const fmlp_capture *capture = to->capture;
  const char *name = row->function >= 0 ? capture->names[row->function] : "?";
  (void)fprintf(to->out, "%10" PRId64 " %6.1f  %.*s%s (%s)\n", row->samples, share(to, row->samples),
                NAME_WIDTH, name, strlen(name) > NAME_WIDTH ? "..." : "",
                row->site >= 0 ? capture->sites[row->site].name : "outside spans");
}

static bool print_lineless(const listing *to) {
  const fmlp_capture *capture = to->capture;
  lineless *rows = malloc((size_t)capture->sample_count * sizeof *rows);
  if (!rows) return false;
  const int64_t count = collect_lineless(capture, rows);
  if (count > 0) (void)fprintf(to->out, "Without a line:\n\n   Samples    %%    Function (span)\n");
  for (int64_t i = 0; i < count && i < LINELESS; i++) print_lineless_row(to, &rows[i]);
  if (count > LINELESS) (void)fprintf(to->out, "       ...\n");
  if (count > 0) (void)fputc('\n', to->out);
  free(rows);
  return true;
}

static char *write_text(listing *to, const fmlp_lines *lines, const regex_t *filter) {
  char *text = NULL;
  size_t length = 0;
  to->chosen = malloc(((size_t)lines->count + 1) * sizeof *to->chosen);
  to->out = open_memstream(&text, &length);
  bool whole = to->chosen && to->out;
  if (whole) {
    choose(to, lines, filter);
    whole = print_files(to) && (to->selection->filter || print_lineless(to));
    print_end(to, lines);
    whole = whole && !ferror(to->out);
  }
  if (to->out && fclose(to->out) != 0) whole = false;
  free(to->chosen);
  if (whole) return text;
  free(text);
  return NULL;
}

char *fmlp_lines_text(const fmlp_capture *capture, const fmlp_lines_selection *selection, char *message,
                      int64_t capacity) {
  regex_t filter;
  if (selection->filter) {
    const int wrong = regcomp(&filter, selection->filter, REG_EXTENDED | REG_NOSUB);
    if (wrong != 0) {
      const int length = snprintf(message, (size_t)capacity, "%s: ", selection->filter);
      if (length >= 0 && length < capacity)
        (void)regerror(wrong, &filter, message + length, (size_t)(capacity - length));
      return NULL;
    }
  }
  fmlp_lines lines = {0};
  listing to = {.capture = capture, .selection = selection};
  char *text =
      fmlp_lines_make(capture, &lines) ? write_text(&to, &lines, selection->filter ? &filter : NULL) : NULL;
  fmlp_lines_release(&lines);
  if (selection->filter) regfree(&filter);
  if (!text) (void)snprintf(message, (size_t)capacity, "out of memory");
  return text;
}
