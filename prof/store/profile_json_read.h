/* The first form of a profile file, JSON (views/profile_json.h): still read. */
#ifndef FMLP_PROF_STORE_PROFILE_JSON_READ_H
#define FMLP_PROF_STORE_PROFILE_JSON_READ_H

#include "prof/capture.h"

/* NULL with one line in `message` (capacity bytes) when the file is missing, not JSON, of another schema or a
 * newer version, or contradicts itself. The caller frees the capture. */
fmlp_capture *fmlp_profile_json_read(const char *path, char *message, int64_t capacity);

#endif
