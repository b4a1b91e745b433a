/* Text exactly as Python's pstats prints it for the same numbers. */
#ifndef FMLP_PROF_VIEWS_PSTATS_H
#define FMLP_PROF_VIEWS_PSTATS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "prof/capture.h"
#include "prof/views/table.h"

enum { FMLP_PSTATS_KEYS = 8, FMLP_PSTATS_RESTRICTIONS = 16 };

typedef enum fmlp_pstats_kind { FMLP_PSTATS_ROWS, FMLP_PSTATS_CALLERS, FMLP_PSTATS_CALLEES } fmlp_pstats_kind;

typedef enum fmlp_pstats_restriction_kind {
  FMLP_PSTATS_COUNT, /* the first so many */
  FMLP_PSTATS_SHARE, /* the first share of them, 0 <= share < 1 */
  FMLP_PSTATS_REGEX  /* those whose file:line(name) matches, a POSIX extended regular expression */
} fmlp_pstats_restriction_kind;

typedef struct fmlp_pstats_restriction {
  fmlp_pstats_restriction_kind kind;
  int64_t count;
  double share;
  const char *expression;
} fmlp_pstats_restriction;

typedef struct fmlp_pstats_selection {
  fmlp_pstats_kind kind;
  int sort_count; /* 0: internal time */
  const fmlp_table_key *sort[FMLP_PSTATS_KEYS];
  bool reverse;
  int restriction_count; /* one after the other */
  fmlp_pstats_restriction restriction[FMLP_PSTATS_RESTRICTIONS];
  const char *title; /* first line of ROWS, e.g. time and file; NULL for none */
} fmlp_pstats_selection;

/* What Stats.sort_stats(*sort).print_stats(*restrictions), print_callers or print_callees prints:
 * NUL-terminated, the caller's (free). NULL with a line in `message` (capacity bytes) when an expression is
 * wrong or memory runs out. */
char *fmlp_pstats_text(const fmlp_capture *capture, const fmlp_pstats_selection *selection, char *message,
                       int64_t capacity);

/* Its lines, for other tables: "N function calls in S seconds" with an empty line below, and a row. */
void fmlp_pstats_write_header(const fmlp_table *table, FILE *out);
void fmlp_pstats_write_row(const fmlp_table_row *row, FILE *out);

#endif
