/* The report's typography: page frame, sections, tables, numbers for people. Internal to report*.c. */
#ifndef FMLP_COMMON_STAGES_REPORT_PAGE_H
#define FMLP_COMMON_STAGES_REPORT_PAGE_H

#include "common/io/text.h"

void fmlp_page_begin(fmlp_text *text, const char *title);
void fmlp_page_end(fmlp_text *text);

/* A headed section; `note` (or NULL) stands under its heading, escaped. */
void fmlp_page_section(fmlp_text *text, const char *id, const char *title, const char *note);
void fmlp_page_section_end(fmlp_text *text);

/* "Not shown: why" in place of a table or chart. */
void fmlp_page_missing(fmlp_text *text, const char *why);

/* Numbers with thousands separated by commas; an en dash for NaN and infinities. */
void fmlp_page_count(fmlp_text *text, int64_t value);
void fmlp_page_fixed(fmlp_text *text, double value, int decimals);
void fmlp_page_percent(fmlp_text *text, double fraction, int decimals);
void fmlp_page_duration(fmlp_text *text, int64_t nanoseconds); /* "1.24 s", "310 ms", "2 h 05 min" */

/* A table. Columns are separated by '|'; a leading '>' aligns numbers to the right. A row opened with
 * fmlp_page_row has its cells appended one by one. */
void fmlp_page_table(fmlp_text *text, const char *caption, const char *columns);
void fmlp_page_table_end(fmlp_text *text);
void fmlp_page_row(fmlp_text *text, const char *first_cell);
void fmlp_page_row_end(fmlp_text *text);
void fmlp_page_cell(fmlp_text *text, const char *value);
void fmlp_page_cell_count(fmlp_text *text, int64_t value);
void fmlp_page_cell_fixed(fmlp_text *text, double value, int decimals);
void fmlp_page_cell_percent(fmlp_text *text, double fraction, int decimals);

/* A number cell with a bar of `fraction` behind it, marked when `strong`. */
void fmlp_page_cell_share(fmlp_text *text, double fraction, bool strong);

#endif
