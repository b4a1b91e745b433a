/* The unified table in words: the columns of a call path, host and devices beside each other, which rows are
 * wanted, and the table as text, CSV and JSON. One table of columns serves all three. */
#ifndef FMLP_PROF_VIEWS_UNIFIED_H
#define FMLP_PROF_VIEWS_UNIFIED_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "prof/capture.h"
#include "prof/store/profile.h"
#include "prof/views/paths.h"

/* Of the JSON. Version 1 was a whole profile (fmlp-profile) and is read by prof/store/profile_json_read.h. */
#define FMLP_UNIFIED_SCHEMA "fmlp-profile-table"
enum { FMLP_UNIFIED_VERSION = 2 };

/* ---- columns ---- */

typedef enum fmlp_unified_unit {
  FMLP_UNIT_COUNT,
  FMLP_UNIT_TIME,  /* ns */
  FMLP_UNIT_BYTES, /* bytes */
  FMLP_UNIT_RATE,  /* bytes a second */
  FMLP_UNIT_SHARE  /* millionths */
} fmlp_unified_unit;

/* What the values of a row are of. */
typedef struct fmlp_unified {
  const fmlp_capture *capture;
  fmlp_paths paths;
  fmlp_path unattributed;   /* the row of what no path is known to have done */
  int64_t device_bandwidth; /* bytes/s of the fastest device's memory, 0 unknown */
} fmlp_unified;

typedef struct fmlp_unified_column {
  const char *key;   /* in CSV and JSON, and to sort by: "gpu_busy_ns" */
  const char *title; /* in text: "gpu busy"; NULL: not there */
  fmlp_unified_unit unit;
  bool zero_known; /* a zero is a measured one in text, else it is left empty */
  int64_t (*value)(const fmlp_unified *table, const fmlp_path *row);
} fmlp_unified_column;

extern const fmlp_unified_column fmlp_unified_columns[]; /* a NULL key ends */

/* False when memory runs out. `capture` must outlive it. */
bool fmlp_unified_make(const fmlp_capture *capture, fmlp_unified *table);
void fmlp_unified_release(fmlp_unified *table);

/* ---- which rows ---- */

typedef struct fmlp_unified_selection {
  const char *sort;   /* a column's key, or a word that begins one alone; NULL: cumtime_ns */
  int64_t top;        /* the rows that are greatest in that column, -1 for all */
  const char *filter; /* POSIX extended regular expression on file:line(name), NULL for none */
  int32_t depth;      /* rows with at most as many above them, -1 for all */
  bool flat;          /* by the column alone; else as a tree, in which each row's are sorted */
} fmlp_unified_selection;

/* Text for reading. A tree keeps the rows above those selected. Columns in which no row has a value are left
 * out; sums of everything, in ns, and what was lost stand below. False with a line in `message` when the
 * selection is wrong, memory runs out or `out` fails. */
bool fmlp_unified_text(const fmlp_capture *capture, const fmlp_unified_selection *selection, FILE *out,
                       char *message, int64_t capacity);

/* All columns, integers in the unit that their name ends in; the selection's rows, in the order of the paths
 * unless it sorts, and one for what is unattributed. NULL: all rows. */
bool fmlp_unified_csv(const fmlp_capture *capture, const fmlp_unified_selection *selection, FILE *out,
                      char *message, int64_t capacity);

/* {"schema": "fmlp-profile-table", "version": 2, "facts": {...}, "counts": {...}, "totals": {...},
 *  "functions": [...as pstats counts, by internal time...], "paths": [{"path", "parent", "depth", "name",
 *  "file", "line", "function", ...columns}], "unattributed": {...}, "devices": [...]}
 * of the profile's first capture. */
bool fmlp_unified_json(const fmlp_profile *profile, const fmlp_unified_selection *selection, FILE *out,
                       char *message, int64_t capacity);

/* ---- for the three ---- */

/* Numbers of the selected rows in order, the caller's (free), and how many; NULL with a line in `message`. */
int32_t *fmlp_unified_select(const fmlp_unified *table, const fmlp_unified_selection *selection,
                             int32_t *count, char *message, int64_t capacity);

/* The column that `word` names, NULL for none or several. */
const fmlp_unified_column *fmlp_unified_column_find(const char *word);

/* Anything at all in the row of what is unattributed? */
bool fmlp_unified_has_rest(const fmlp_unified *table);

#endif
