/* The first form of a profile file, JSON (views/profile_json.h): still read. */
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
