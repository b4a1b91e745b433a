/* The profile file, `.fmlprof`: a profile in a form that is small, quick to read and hard to misread.
 *
 *   header    89 'F' 'M' 'L' 'P' 0D 0A 1A, then the schema (4 bytes) and the CRC-32 of these twelve bytes
 *   section   tag (4 letters), length of the content (8 bytes), content, CRC-32 of all of that
 *   ...
 *   section   "END ", empty; nothing follows
 *
 * Sections: FACT, then for every capture CAPT NAME SITE THRD NODE EVNT DEVI CALL OPER CNTR FRAM SAMP, always
 * all of them and in this order. Integers of header and frame are little-endian. Inside a section numbers are
 * LEB128 (seven bits a byte, the lowest first), signed ones zigzag (0, -1, 1, -2, ...); a text is its length
 * and its bytes; an array is its count and its rows, one field after another, an index that may be -1 stored
 * one higher, a time as the distance to that of the row before and an end as the distance to its start.
 * Totals and depths follow from the paths and are not stored.
 *
 * A program reads every schema up to its own and refuses a newer one. Within a schema the sections above stay
 * as they are; a section with another tag may be added and is skipped by programs that do not know it. */
#ifndef FMLP_PROF_STORE_PROFILE_FILE_H
#define FMLP_PROF_STORE_PROFILE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "prof/store/profile.h"

enum { FMLP_PROFILE_SCHEMA = 1, FMLP_PROFILE_MAGIC_BYTES = 8 };

extern const uint8_t fmlp_profile_magic[FMLP_PROFILE_MAGIC_BYTES];

/* False when memory ran out or the stream failed; what was written until then is no file yet. */
bool fmlp_profile_file_write(const fmlp_profile *profile, FILE *out);

/* The same into memory: `*bytes` is the caller's (free). False when memory ran out. */
bool fmlp_profile_file_make(const fmlp_profile *profile, uint8_t **bytes, size_t *size);

/* The profile in `bytes`, at least one capture, every one sound (fmlp_profile_check). NULL with one line in
 * `message` (capacity bytes), which begins with `name`, when it is cut, changed, newer, or contradicts
 * itself. */
fmlp_profile *fmlp_profile_file_read(const uint8_t *bytes, size_t size, const char *name, char *message,
                                     int64_t capacity);

#endif
