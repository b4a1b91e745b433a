/* A file's bytes. */
#ifndef FMLP_PROF_STORE_WHOLE_FILE_H
#define FMLP_PROF_STORE_WHOLE_FILE_H

#include <stddef.h>
#include <stdint.h>

/* All bytes of an ordinary file, followed by a NUL that is not counted; the caller's (free). NULL with one
 * line in `message` (capacity bytes) when it is missing, unreadable, or something else than an ordinary file:
 * a pipe is not waited for. */
uint8_t *fmlp_whole_file_read(const char *path, size_t *size, char *message, int64_t capacity);

#endif
