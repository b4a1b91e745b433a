/* Text views of a capture's table. */
#ifndef FMLP_PROF_VIEWS_REPORT_H
#define FMLP_PROF_VIEWS_REPORT_H

#include "prof/capture.h"
#include "prof/views/table.h"

/* A function at or above this share of the total is marked: below it nothing is worth optimising. */
#define FMLP_REPORT_MARK 0.05

/* A run's table: what pstats prints, sorted by internal time, with the share of the total before each row,
 * `*` from 5 % on, and what was dropped and what profiling cost below. NUL-terminated, the caller's (free);
 * NULL when memory runs out. */
char *fmlp_report_text(const fmlp_capture *capture);

typedef struct fmlp_report_selection {
  const fmlp_table_key *sort; /* NULL: internal time */
  int64_t top;                /* rows at most, -1 for all */
  const char *filter;         /* POSIX extended regular expression on file:line(name), NULL for none */
  const char *title;          /* first line, e.g. time and file; NULL for none */
} fmlp_report_selection;

/* Exactly what Python's pstats prints for the same numbers: Stats.sort_stats(key).print_stats(filter, top).
 * NULL with a line in `message` (capacity bytes) when the expression is wrong or memory runs out. */
char *fmlp_report_pstats(const fmlp_capture *capture, const fmlp_report_selection *selection, char *message,
                         int64_t capacity);

#endif
