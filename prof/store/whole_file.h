/* A file's bytes. */
#ifndef FMLP_PROF_STORE_WHOLE_FILE_H
#define FMLP_PROF_STORE_WHOLE_FILE_H

#include <stddef.h>
#include <stdint.h>

/* No file of ours is near it. */
#define FMLP_WHOLE_FILE_MOST ((int64_t)1 << 31)

/* The first bytes of an ordinary file, `capacity` or as many as it has; 0 when it cannot be read. */
size_t fmlp_whole_file_peek(const char *path, uint8_t *bytes, size_t capacity);

/* All bytes of an ordinary file of at most FMLP_WHOLE_FILE_MOST bytes, followed by a NUL that is not counted;
 * the caller's (free). NULL with one line in `message` (capacity bytes) when it is missing, unreadable, or
 * something else than an ordinary file: a pipe is not waited for. */
uint8_t *fmlp_whole_file_read(const char *path, size_t *size, char *message, int64_t capacity);

#endif
