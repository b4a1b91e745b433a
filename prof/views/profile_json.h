/* A capture as a JSON file: written with its table, read back without loss.
 *
 *   {"schema": "fmlp-profile", "version": 1, "clock": "CLOCK_MONOTONIC", "start_ns", "stop_ns", ...counts,
 *    "functions": [{"file", "line", "name", "function", "ncalls", "pcalls", "tottime_ns", "cumtime_ns",
 *                   "share", "marked", "callers": [{"row", "ncalls", "pcalls", "tottime_ns",
 * "cumtime_ns"}]}], "sites":   [{"name", "file", "line", "function"}], "threads": [{"id", "main"}], "paths":
 * [[thread, parent, site, calls, self_ns, total_ns]], "events":  [[path, depth, start_ns, end_ns]]}
 *
 * "functions" is a view for other programs, sorted by internal time ("row" counts in that order); reading
 * takes the rest alone. */
#ifndef FMLP_PROF_VIEWS_PROFILE_JSON_H
#define FMLP_PROF_VIEWS_PROFILE_JSON_H

#include "prof/capture.h"

enum { FMLP_PROFILE_VERSION = 1 };

/* NUL-terminated text, the caller's (free); NULL when memory runs out. */
char *fmlp_profile_json(const fmlp_capture *capture);

#endif
