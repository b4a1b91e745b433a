/* The data of the HTML page: JSON whose tables are columns of integers. Internal to export_html.c and
 * html_*.c. */
#ifndef FMLP_PROF_VIEWS_HTML_DATA_H
#define FMLP_PROF_VIEWS_HTML_DATA_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "prof/capture.h"
#include "prof/views/paths.h"

/* The value of a column in a row. */
typedef int64_t (*fmlp_html_value)(const void *table, int64_t row);

/* Writes ,"name":[...]; nothing when all values are 0. */
void fmlp_html_column(FILE *out, const char *name, int64_t count, fmlp_html_value value, const void *table);

/* The same as differences to the row before: values that ascend are short then. */
void fmlp_html_running(FILE *out, const char *name, int64_t count, fmlp_html_value value, const void *table);

void fmlp_html_int(FILE *out, int64_t value);

/* ,"name":value */
void fmlp_html_member(FILE *out, const char *name, int64_t value);

/* What the timeline shows: ,"events":{...},"operations":{...},"calls":{...},"counters":[...], and how many
 * readings of counters were left out. False when memory runs out. */
bool fmlp_html_timeline(FILE *out, const fmlp_capture *capture, const fmlp_paths *paths, int64_t max_events,
                        int64_t *counters_left_out);

/* Samples by line with source texts, and by function: ,"lines":{...},"sampled":{...}. False when memory runs
 * out. */
bool fmlp_html_lines(FILE *out, const fmlp_capture *capture, bool sources);

/* Functions and callers as pstats counts: ,"functions":{...},"callers":{...}. False when memory runs out. */
bool fmlp_html_functions(FILE *out, const fmlp_capture *capture, const fmlp_paths *paths);

#endif
