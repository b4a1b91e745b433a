/* A file's bytes. */
#define _POSIX_C_SOURCE 200809L
#include "prof/store/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file may grow while it is read. */
static uint8_t *read_all(int file, size_t expected, size_t *size) {
  size_t capacity = expected + 1;
  uint8_t *bytes = malloc(capacity);
  for (*size = 0; bytes;) {
    const ssize_t got = read(file, bytes + *size, capacity - *size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    if (got == 0) {
      bytes[*size] = 0; /* there is room: a full buffer was enlarged */
      return bytes;
    }
    *size += (size_t)got;
    if (*size < capacity) continue;
    capacity = 2 * capacity + 4096;
    uint8_t *moved = realloc(bytes, capacity);
    if (!moved) {
      errno = ENOMEM;
      break;
    }
    bytes = moved;
  }
  free(bytes);
  return NULL;
}

size_t fmlp_whole_file_peek(const char *path, uint8_t *bytes, size_t capacity) {
  struct stat about;
  ssize_t got = 0;
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) return 0;
  if (fstat(file, &about) == 0 && S_ISREG(about.st_mode)) got = pread(file, bytes, capacity, 0);
  (void)close(file);
  return got > 0 ? (size_t)got : 0;
}

uint8_t *fmlp_whole_file_read(const char *path, size_t *size, char *message, int64_t capacity) {
  struct stat about;
  const char *reason = NULL;
  uint8_t *bytes = NULL;
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0 || fstat(file, &about) != 0)
    reason = strerror(errno);
  else if (S_ISDIR(about.st_mode))
    reason = "is a folder";
  else if (!S_ISREG(about.st_mode))
    reason = "is no ordinary file";
  else if (about.st_size > FMLP_WHOLE_FILE_MOST)
    reason = "is larger than 2 GiB";
  else if (!(bytes = read_all(file, (size_t)about.st_size, size)))
    reason = strerror(errno);
  if (file >= 0) (void)close(file);
  if (!bytes) (void)snprintf(message, (size_t)capacity, "%s: %s", path, reason);
  return bytes;
}
