/* The first form of a profile file, JSON: no longer written, still read.
 *
 *   {"schema": "fmlp-profile", "version": 1, "start_ns", "stop_ns", ...counts, "functions": [a view, not
 * read], "sites": [{"name", "file", "line", "function"}], "threads": [{"id", "main"}], "paths": [[thread,
 * parent, site, calls, self_ns, total_ns]], "events": [[path, depth, start_ns, end_ns]]}
 */
#ifndef FMLP_PROF_STORE_PROFILE_JSON_READ_H
#define FMLP_PROF_STORE_PROFILE_JSON_READ_H

#include <stddef.h>
#include <stdint.h>

#include "prof/capture.h"

/* NULL with one line in `message` (capacity bytes) when the file is missing, not JSON, of another schema or a
 * newer version, or contradicts itself. The caller frees the capture. */
fmlp_capture *fmlp_profile_json_read(const char *path, char *message, int64_t capacity);

/* The same of bytes at hand; the line begins with `name`. */
fmlp_capture *fmlp_profile_json_parse(const uint8_t *bytes, size_t size, const char *name, char *message,
                                      int64_t capacity);

#endif
