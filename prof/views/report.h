/* The text that a run leaves of its capture. */
#ifndef FMLP_PROF_VIEWS_REPORT_H
#define FMLP_PROF_VIEWS_REPORT_H

#include "prof/capture.h"

/* A function at or above this share of the total is marked: below it nothing is worth optimising. */
#define FMLP_REPORT_MARK 0.05

/* A run's table: what pstats prints, sorted by internal time, with the share of the total before each row,
 * `*` from 5 % on; where devices were at work the unified table as well; what was dropped and what profiling
 * cost below. NUL-terminated, the caller's (free); NULL when memory runs out. */
char *fmlp_report_text(const fmlp_capture *capture);

#endif
