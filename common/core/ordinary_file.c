#define _POSIX_C_SOURCE 200809L
#include "common/core/ordinary_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

fmlp_status fmlp_open_ordinary(const char *path, FILE **file, fmlp_status failure, const char *hint,
                               fmlp_error *error) {
  *file = NULL;
  struct stat status;
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) return fmlp_fail(error, failure, "cannot open %s: %s; %s", path, strerror(errno), hint);
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    (void)close(descriptor);
    return fmlp_fail(error, failure, "%s: not an ordinary file; %s", path, hint);
  }
  *file = fdopen(descriptor, "rb");
  if (*file) return FMLP_OK;
  const int cause = errno;
  (void)close(descriptor);
  return fmlp_fail(error, failure, "cannot open %s: %s; %s", path, strerror(cause), hint);
}
