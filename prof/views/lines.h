/* The line view: how often the sampler found each line of the sources, beside the line itself where its file
 * is at hand. */
#ifndef FMLP_PROF_VIEWS_LINES_H
#define FMLP_PROF_VIEWS_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "prof/capture.h"

typedef struct fmlp_line {
  int32_t file;     /* in the capture's names */
  int32_t function; /* in the capture's names: one of those whose code the line is in */
  int32_t line;     /* > 0 */
  int64_t self;  /* samples whose innermost line it is, of the program's own sources where there is one: what
                   it calls  of others, a header's or a library's, is its own */
  int64_t total; /* samples with it anywhere on the stack */
} fmlp_line;

typedef struct fmlp_lines {
  int64_t count;
  fmlp_line *lines; /* by file (as in the names), line */
  int64_t placed;   /* samples with a line */
} fmlp_lines;

/* False when memory runs out. */
bool fmlp_lines_make(const fmlp_capture *capture, fmlp_lines *lines);
void fmlp_lines_release(fmlp_lines *lines);

typedef struct fmlp_lines_selection {
  int64_t top;        /* lines with the most samples of their own, -1 for all */
  const char *filter; /* POSIX extended regular expression on file:line(function), NULL for none */
  const char *source; /* the sources' root, NULL: the current folder */
} fmlp_lines_selection;

/* The chosen lines by file, the file with most samples first, with what stands between near ones. The
 * caller's (free). NULL with a line in `message` (capacity bytes) when the expression is wrong or memory runs
 * out. */
char *fmlp_lines_text(const fmlp_capture *capture, const fmlp_lines_selection *selection, char *message,
                      int64_t capacity);

#endif
