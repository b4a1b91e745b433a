/* A profile as one page for a browser: call paths as an icicle, timeline, memory, tables, source lines. All
 * of it is in the file: it reads nothing else, and its policy forbids it to. */
#ifndef FMLP_PROF_VIEWS_EXPORT_HTML_H
#define FMLP_PROF_VIEWS_EXPORT_HTML_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "prof/store/profile.h"

typedef struct fmlp_html_options {
  int64_t max_events; /* on the timeline, of spans, of device operations and of calls each: of more the
                         longest, and the page says so; 0: 2^18 */
  bool sources;       /* source files with sampled lines go into the page where they are at hand and small */
} fmlp_html_options;

/* What stands beside every run: smaller than 300 kB whatever was recorded of a usual number of call paths. */
enum { FMLP_HTML_RUN_EVENTS = 4096 };

/* Writes the page of the profile's first capture, the others' wall times beside it; false when `out` or
 * memory fails. `options` may be NULL. The times in it add up to the capture's. */
bool fmlp_export_html(const fmlp_profile *profile, const fmlp_html_options *options, FILE *out);

#endif
