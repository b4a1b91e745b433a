/* The table of a capture: one row a function (a span's name and place), as Python's pstats counts. */
#ifndef FMLP_PROF_VIEWS_TABLE_H
#define FMLP_PROF_VIEWS_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "prof/capture.h"

/* What one function cost when called from another. Recursion of an edge counts as in pstats. */
typedef struct fmlp_table_caller {
  int32_t row; /* of the caller */
  int64_t calls, primitive_calls;
  int64_t tottime, cumtime; /* ns */
} fmlp_table_caller;

typedef struct fmlp_table_row {
  fmlp_capture_site site; /* the capture's */
  int64_t calls;
  int64_t primitive_calls; /* not entered from itself, directly or not */
  int64_t tottime;         /* ns in it, without what it called */
  int64_t cumtime;         /* ns from entering to leaving, recursion counted once */
  int32_t caller_count;
  int32_t first_caller; /* in the table's callers */
} fmlp_table_row;

typedef struct fmlp_table {
  int32_t row_count;
  fmlp_table_row *rows; /* in the order of the capture's sites, those without a call left out */
  int32_t caller_count;
  fmlp_table_caller *callers;
  int64_t calls, primitive_calls;
  int64_t tottime; /* ns, sum over rows and threads: what shares are of */
} fmlp_table;

/* The table of `capture`, which must outlive it; false when memory runs out (the table is then empty). */
bool fmlp_table_make(const fmlp_capture *capture, fmlp_table *table);
void fmlp_table_release(fmlp_table *table);

/* A sort key of pstats: calls ncalls cumtime cumulative filename line module name nfl pcalls stdname time
 * tottime, or an abbreviation that means one of them alone. NULL for any other word. */
typedef struct fmlp_table_key fmlp_table_key;
const fmlp_table_key *fmlp_table_key_find(const char *word);
const char *fmlp_table_key_title(const fmlp_table_key *key); /* "internal time" */
const char *fmlp_table_key_names(void);                      /* for messages */

/* Row numbers in the key's order, [row_count], the caller's; equal rows keep the table's order. */
void fmlp_table_sort(const fmlp_table *table, const fmlp_table_key *key, int32_t *order);

/* By several keys, the first the most significant; false when memory runs out (unsorted). */
bool fmlp_table_sort_by(const fmlp_table *table, const fmlp_table_key *const *keys, int key_count,
                        int32_t *order);

/* "file:line(name)" as pstats prints it, "{name}" for a "<name>" in file "~"; returns its length as snprintf
 * does. */
int fmlp_table_label(const fmlp_table_row *row, char *text, int64_t capacity);

#endif
