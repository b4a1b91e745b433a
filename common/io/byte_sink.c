/* Plain, gzip and zstd files behind one write call: one row of a table for each. */
#define _POSIX_C_SOURCE 200809L /* fdopen, lstat */

#include "common/io/byte_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "common/core/memory.h"

enum { PATH_CAPACITY = 4096, BUFFER = 1 << 17, GZIP_WINDOW = 15 + 16, GZIP_MEMORY = 8, LEVEL = 3 };

typedef struct encoder {
  const char *ending;
  fmlp_status (*open)(fmlp_byte_sink *sink, fmlp_error *error);
  /* Encodes `count` bytes; `last` ends the stream. */
  fmlp_status (*encode)(fmlp_byte_sink *sink, const void *bytes, int64_t count, bool last, fmlp_error *error);
  void (*close)(fmlp_byte_sink *sink);
} encoder;

struct fmlp_byte_sink {
  const encoder *encoder;
  FILE *file;
  z_stream gzip;
  bool gzip_open;
  ZSTD_CStream *zstd;
  unsigned char buffer[BUFFER];
  char path[PATH_CAPACITY];
  char temporary[PATH_CAPACITY];
};

static fmlp_status cannot_write(const char *path, fmlp_error *error) {
  return fmlp_fail(error, FMLP_ERR_OTHER, "cannot write %s: %s; choose another place or make room", path,
                   strerror(errno));
}

static fmlp_status put(fmlp_byte_sink *sink, const void *bytes, size_t count, fmlp_error *error) {
  errno = 0;
  if (count > 0 && fwrite(bytes, 1, count, sink->file) != count) return cannot_write(sink->path, error);
  return FMLP_OK;
}

static fmlp_status encode_plain(fmlp_byte_sink *sink, const void *bytes, int64_t count, bool last,
                                fmlp_error *error) {
  (void)last;
  return put(sink, bytes, (size_t)count, error);
}

static fmlp_status open_gzip(fmlp_byte_sink *sink, fmlp_error *error) {
  if (deflateInit2(&sink->gzip, LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) {
    return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: gzip for %s; free memory", sink->path);
  }
  sink->gzip_open = true;
  return FMLP_OK;
}

static fmlp_status encode_gzip(fmlp_byte_sink *sink, const void *bytes, int64_t count, bool last,
                               fmlp_error *error) {
  sink->gzip.next_in = (z_const Bytef *)(uintptr_t)bytes;
  sink->gzip.avail_in = (uInt)count;
  int state = Z_OK;
  do {
    sink->gzip.next_out = sink->buffer;
    sink->gzip.avail_out = BUFFER;
    state = deflate(&sink->gzip, last ? Z_FINISH : Z_NO_FLUSH);
    FMLP_TRY(put(sink, sink->buffer, BUFFER - sink->gzip.avail_out, error));
  } while (last ? state == Z_OK : sink->gzip.avail_out == 0);
  return FMLP_OK;
}

static void close_gzip(fmlp_byte_sink *sink) {
  if (sink->gzip_open) (void)deflateEnd(&sink->gzip);
}

static fmlp_status open_zstd(fmlp_byte_sink *sink, fmlp_error *error) {
  sink->zstd = ZSTD_createCStream();
  if (!sink->zstd || ZSTD_isError(ZSTD_initCStream(sink->zstd, LEVEL))) {
    return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: zstd for %s; free memory", sink->path);
  }
  return FMLP_OK;
}

static fmlp_status encode_zstd(fmlp_byte_sink *sink, const void *bytes, int64_t count, bool last,
                               fmlp_error *error) {
  ZSTD_inBuffer in = {bytes, (size_t)count, 0};
  size_t left = 0;
  do {
    ZSTD_outBuffer out = {sink->buffer, BUFFER, 0};
    left = ZSTD_compressStream2(sink->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left)) {
      return fmlp_fail(error, FMLP_ERR_OTHER, "cannot compress %s: %s", sink->path, ZSTD_getErrorName(left));
    }
    FMLP_TRY(put(sink, sink->buffer, out.pos, error));
  } while (last ? left > 0 : in.pos < in.size);
  return FMLP_OK;
}

static void close_zstd(fmlp_byte_sink *sink) {
  (void)ZSTD_freeCStream(sink->zstd);
}

static const encoder encoders[] = {
    {".gz", open_gzip, encode_gzip, close_gzip},
    {".zst", open_zstd, encode_zstd, close_zstd},
    {"", NULL, encode_plain, NULL}, /* last: every name ends in nothing */
};

static const encoder *encoder_for(const char *path) {
  const encoder *one = encoders;
  size_t length = strlen(path);
  for (;; one++) {
    size_t ending = strlen(one->ending);
    if (ending <= length && strcmp(path + length - ending, one->ending) == 0) return one;
  }
}

static fmlp_status check_target(const char *path, bool overwrite, fmlp_error *error) {
  struct stat info;
  if (lstat(path, &info) != 0) return FMLP_OK;
  if (S_ISDIR(info.st_mode)) {
    return fmlp_fail(error, FMLP_ERR_OTHER, "cannot write %s: it is a folder; name a file in it", path);
  }
  if (!overwrite) {
    return fmlp_fail(error, FMLP_ERR_OTHER, "%s exists already; choose another name or use --force", path);
  }
  return FMLP_OK;
}

static void release(fmlp_byte_sink *sink) {
  if (sink->encoder && sink->encoder->close) sink->encoder->close(sink);
  if (sink->file) (void)fclose(sink->file);
  fmlp_free(sink);
}

/* Creates the temporary file and its encoder. What it made is taken back by fmlp_byte_sink_discard. */
static fmlp_status start(fmlp_byte_sink *sink, const char *path, fmlp_error *error) {
  int length = snprintf(sink->path, sizeof sink->path, "%s", path);
  int wanted = snprintf(sink->temporary, sizeof sink->temporary, "%s.part-%ld", path, (long)getpid());
  if (length < 0 || wanted < 0 || wanted >= PATH_CAPACITY) {
    sink->temporary[0] = '\0';
    return fmlp_fail(error, FMLP_ERR_OTHER, "cannot write a file with a name of %zu bytes", strlen(path));
  }
  int descriptor = open(sink->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    sink->temporary[0] = '\0';
    return cannot_write(path, error);
  }
  sink->file = fdopen(descriptor, "wb");
  if (!sink->file) {
    (void)close(descriptor);
    return cannot_write(path, error);
  }
  sink->encoder = encoder_for(path);
  return sink->encoder->open ? sink->encoder->open(sink, error) : FMLP_OK;
}

fmlp_status fmlp_byte_sink_open(const char *path, bool overwrite, fmlp_byte_sink **out, fmlp_error *error) {
  *out = NULL;
  FMLP_TRY(check_target(path, overwrite, error));
  fmlp_byte_sink *sink = NULL;
  FMLP_TRY(fmlp_alloc_zero(&sink, 1, sizeof *sink, "file buffer", error));
  fmlp_status status = start(sink, path, error);
  if (status != FMLP_OK) {
    fmlp_byte_sink_discard(sink);
    return status;
  }
  *out = sink;
  return FMLP_OK;
}

fmlp_status fmlp_byte_sink_write(fmlp_byte_sink *sink, const void *bytes, int64_t count, fmlp_error *error) {
  const char *at = bytes;
  while (count > 0) { /* zlib counts in 32 bits */
    int64_t piece = count < INT32_MAX ? count : INT32_MAX;
    FMLP_TRY(sink->encoder->encode(sink, at, piece, false, error));
    at += piece;
    count -= piece;
  }
  return FMLP_OK;
}

fmlp_status fmlp_byte_sink_commit(fmlp_byte_sink *sink, fmlp_error *error) {
  fmlp_status status = sink->encoder->encode(sink, "", 0, true, error);
  if (status == FMLP_OK) {
    FILE *file = sink->file;
    sink->file = NULL;
    errno = 0;
    if (fclose(file) != 0) status = cannot_write(sink->path, error); /* a full disk may show only here */
  }
  if (status == FMLP_OK && rename(sink->temporary, sink->path) != 0) status = cannot_write(sink->path, error);
  if (status != FMLP_OK) {
    fmlp_byte_sink_discard(sink);
    return status;
  }
  release(sink);
  return FMLP_OK;
}

void fmlp_byte_sink_discard(fmlp_byte_sink *sink) {
  if (!sink) return;
  if (sink->temporary[0] != '\0') (void)remove(sink->temporary);
  release(sink);
}
