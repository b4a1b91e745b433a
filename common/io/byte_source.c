/* Decompression by the file's first bytes. zlib and libzstd are driven directly: through libarchive they cost
 * a copy more. */
#define _POSIX_C_SOURCE 200809L
#include "common/io/byte_source.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "common/core/interrupt.h"
#include "common/core/memory.h"
#include "common/io/hash_stream.h"

enum { STORED_BYTES = 1 << 17, MAGIC_BYTES = 6 };

typedef enum stream_state { STREAM_FRESH, STREAM_INSIDE, STREAM_COMPLETE } stream_state;

typedef struct decoder {
  const char *name;
  unsigned char magic[MAGIC_BYTES];
  int magic_bytes; /* 0: any file */
  fmlp_status (*open)(fmlp_byte_source *source, fmlp_error *error);
  fmlp_status (*read)(fmlp_byte_source *source, char *buffer, int64_t capacity, int64_t *count,
                      fmlp_error *error);
} decoder;

struct fmlp_byte_source {
  char *path;
  int file;
  bool at_end; /* of the stored bytes */
  unsigned char *stored;
  int64_t first, last; /* unread part of `stored` */
  fmlp_hash_stream *hash;
  const decoder *decoder;
  stream_state state;
  z_stream gzip;
  bool gzip_open;
  ZSTD_DStream *zstd;
  struct archive *archive;
  char compression[16];
};

/* A failed read or open: SIGINT during one that waits (a pipe, a terminal) ends the run. */
static fmlp_status unreadable(const fmlp_byte_source *source, int cause, fmlp_error *error) {
  FMLP_TRY(fmlp_check_interrupt("reading", error));
  return fmlp_fail(error, FMLP_ERR_INPUT, "%s: cannot be read: %s; check the path and its permissions",
                   source->path, strerror(cause));
}

/* ---- the stored bytes ---- */

/* Refills `stored` when it is used up; nothing more to come sets at_end. */
static fmlp_status refill(fmlp_byte_source *source, fmlp_error *error) {
  if (source->first < source->last || source->at_end) return FMLP_OK;
  ssize_t got = 0;
  do {
    got = read(source->file, source->stored, STORED_BYTES);
  } while (got < 0 && errno == EINTR && !fmlp_interrupted());
  if (got < 0) return unreadable(source, errno, error);
  source->first = 0;
  source->last = got;
  source->at_end = got == 0;
  FMLP_SIMD_SELECT(fmlp_hash_stream_add)(source->hash, source->stored, got);
  return FMLP_OK;
}

/* ---- plain ---- */

static fmlp_status open_nothing(fmlp_byte_source *source, fmlp_error *error) {
  (void)source;
  (void)error;
  return FMLP_OK;
}

/* Straight into the caller's buffer, once the bytes looked at for the magic are used up. */
static fmlp_status read_plain(fmlp_byte_source *source, char *buffer, int64_t capacity, int64_t *count,
                              fmlp_error *error) {
  int64_t waiting = source->last - source->first;
  int64_t done = waiting < capacity ? waiting : capacity;
  memcpy(buffer, source->stored + source->first, (size_t)done);
  source->first += done;
  while (done < capacity && !source->at_end) {
    ssize_t got = read(source->file, buffer + done, (size_t)(capacity - done));
    if (got < 0 && errno == EINTR && !fmlp_interrupted()) continue;
    if (got < 0) return unreadable(source, errno, error);
    FMLP_SIMD_SELECT(fmlp_hash_stream_add)(source->hash, buffer + done, got);
    done += got;
    source->at_end = got == 0;
  }
  *count = done;
  return FMLP_OK;
}

/* ---- gzip ---- */

static fmlp_status open_gzip(fmlp_byte_source *source, fmlp_error *error) {
  if (inflateInit2(&source->gzip, 15 + 16) != Z_OK) {
    return fmlp_fail(error, FMLP_ERR_OTHER, "%s: out of memory for gzip; free memory", source->path);
  }
  source->gzip_open = true;
  return FMLP_OK;
}

static fmlp_status truncated(const fmlp_byte_source *source, fmlp_error *error) {
  return fmlp_fail(error, FMLP_ERR_INPUT,
                   "%s: the %s stream is truncated: it ends before its last block; fetch the file again",
                   source->path, source->compression);
}

static fmlp_status damaged(const fmlp_byte_source *source, const char *detail, fmlp_error *error) {
  FMLP_TRY(fmlp_check_interrupt("reading", error)); /* libarchive hides why a read failed */
  return fmlp_fail(error, FMLP_ERR_INPUT, "%s: the %s stream is damaged: %s; fetch the file again",
                   source->path, source->compression, detail ? detail : "unknown error");
}

/* Between members: another member may follow, zero padding is passed over. */
static void begin_gzip_member(fmlp_byte_source *source) {
  if (source->state == STREAM_COMPLETE) {
    while (source->first < source->last && source->stored[source->first] == 0) source->first++;
    if (source->first == source->last) return;
    (void)inflateReset(&source->gzip);
  }
  source->state = STREAM_INSIDE;
}

static fmlp_status read_gzip(fmlp_byte_source *source, char *buffer, int64_t capacity, int64_t *count,
                             fmlp_error *error) {
  z_stream *stream = &source->gzip;
  int64_t done = 0;
  while (done < capacity) {
    FMLP_TRY(refill(source, error));
    if (source->state != STREAM_INSIDE) begin_gzip_member(source);
    if (source->first == source->last && source->at_end) break;
    if (source->first == source->last) continue;
    stream->next_in = source->stored + source->first;
    stream->avail_in = (uInt)(source->last - source->first);
    stream->next_out = (Bytef *)buffer + done;
    stream->avail_out = (uInt)(capacity - done);
    int result = inflate(stream, Z_NO_FLUSH);
    source->first = source->last - stream->avail_in;
    done = capacity - stream->avail_out;
    if (result == Z_STREAM_END) {
      source->state = STREAM_COMPLETE;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return damaged(source, stream->msg, error);
    }
  }
  *count = done;
  return done < capacity && source->state != STREAM_COMPLETE ? truncated(source, error) : FMLP_OK;
}

/* ---- zstd ---- */

static fmlp_status open_zstd(fmlp_byte_source *source, fmlp_error *error) {
  source->zstd = ZSTD_createDStream();
  if (source->zstd) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_OTHER, "%s: out of memory for zstd; free memory", source->path);
}

static fmlp_status read_zstd(fmlp_byte_source *source, char *buffer, int64_t capacity, int64_t *count,
                             fmlp_error *error) {
  ZSTD_outBuffer output = {buffer, (size_t)capacity, 0};
  while (output.pos < output.size) {
    FMLP_TRY(refill(source, error));
    ZSTD_inBuffer input = {source->stored + source->first, (size_t)(source->last - source->first), 0};
    size_t before = output.pos;
    if (source->at_end && source->state == STREAM_COMPLETE) break;
    size_t result = ZSTD_decompressStream(source->zstd, &output, &input);
    if (ZSTD_isError(result)) return damaged(source, ZSTD_getErrorName(result), error);
    source->first += (int64_t)input.pos;
    source->state = result == 0 ? STREAM_COMPLETE : STREAM_INSIDE;
    if (source->at_end && output.pos == before) return truncated(source, error);
  }
  *count = (int64_t)output.pos;
  return FMLP_OK;
}

/* ---- libarchive ---- */

static la_ssize_t feed_archive(struct archive *archive, void *context, const void **buffer) {
  fmlp_byte_source *source = context;
  fmlp_error cause = {""};
  if (refill(source, &cause) != FMLP_OK) {
    archive_set_error(archive, EIO, "%s", cause.text);
    return -1;
  }
  *buffer = source->stored + source->first;
  la_ssize_t count = (la_ssize_t)(source->last - source->first);
  source->first = source->last;
  return count;
}

/* The next regular file inside; ARCHIVE_EOF after the last. */
static int next_entry(struct archive *archive) {
  struct archive_entry *entry = NULL;
  int result = ARCHIVE_OK;
  do {
    result = archive_read_next_header(archive, &entry);
  } while ((result == ARCHIVE_OK || result == ARCHIVE_WARN) && archive_entry_filetype(entry) == AE_IFDIR);
  return result;
}

static fmlp_status open_archive(fmlp_byte_source *source, fmlp_error *error) {
  struct archive *archive = source->archive = archive_read_new();
  if (!archive) return fmlp_fail(error, FMLP_ERR_OTHER, "%s: out of memory; free memory", source->path);
  (void)archive_read_support_filter_all(archive);
  (void)archive_read_support_format_zip_streamable(archive);
  (void)archive_read_support_format_raw(archive);
  if (archive_read_open(archive, source, NULL, feed_archive, NULL) != ARCHIVE_OK) {
    return damaged(source, archive_error_string(archive), error);
  }
  int result = next_entry(archive);
  if (result == ARCHIVE_EOF) {
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s: holds no file; pack the tick file into it", source->path);
  }
  return result == ARCHIVE_OK || result == ARCHIVE_WARN
             ? FMLP_OK
             : damaged(source, archive_error_string(archive), error);
}

static fmlp_status read_archive(fmlp_byte_source *source, char *buffer, int64_t capacity, int64_t *count,
                                fmlp_error *error) {
  int64_t done = 0;
  while (done < capacity && source->state != STREAM_COMPLETE) {
    la_ssize_t got = archive_read_data(source->archive, buffer + done, (size_t)(capacity - done));
    if (got < 0) return damaged(source, archive_error_string(source->archive), error);
    done += got;
    if (got > 0) continue;
    source->state = STREAM_COMPLETE;
    if (next_entry(source->archive) == ARCHIVE_OK) {
      return fmlp_fail(error, FMLP_ERR_INPUT,
                       "%s: holds more than one file; extract the tick file and give its path", source->path);
    }
    while (!source->at_end) { /* what follows the file inside is hashed too */
      source->first = source->last;
      FMLP_TRY(refill(source, error));
    }
  }
  *count = done;
  return FMLP_OK;
}

static const decoder decoders[] = {
    {"gzip", {0x1f, 0x8b}, 2, open_gzip, read_gzip},
    {"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4, open_zstd, read_zstd},
    {"zstd", {0x50, 0x2a, 0x4d, 0x18}, 4, open_zstd, read_zstd}, /* pzstd begins with a skippable frame */
    {"xz", {0xfd, '7', 'z', 'X', 'Z', 0}, 6, open_archive, read_archive},
    {"zip", {'P', 'K', 3, 4}, 4, open_archive, read_archive},
    {"bzip2", {'B', 'Z', 'h'}, 3, open_archive, read_archive},
    {"lz4", {0x04, 0x22, 0x4d, 0x18}, 4, open_archive, read_archive},
    {"none", {0}, 0, open_nothing, read_plain},
};

/* ---- opening and closing ---- */

static fmlp_status open_file(fmlp_byte_source *source, fmlp_error *error) {
  struct stat status;
  if (strcmp(source->path, "-") == 0) {
    source->file = dup(STDIN_FILENO);
  } else {
    source->file = open(source->path, O_RDONLY | O_CLOEXEC);
  }
  if (source->file < 0) return unreadable(source, errno, error);
  if (fstat(source->file, &status) != 0) return unreadable(source, errno, error);
  if (S_ISDIR(status.st_mode)) {
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s: is a folder; give the path of one tick file", source->path);
  }
  return FMLP_OK;
}

/* A pipe may deliver its first bytes one by one. */
static fmlp_status read_magic(fmlp_byte_source *source, fmlp_error *error) {
  while (source->last < MAGIC_BYTES) {
    ssize_t got = read(source->file, source->stored + source->last, (size_t)(STORED_BYTES - source->last));
    if (got < 0 && errno == EINTR && !fmlp_interrupted()) continue;
    if (got < 0) return unreadable(source, errno, error);
    if (got == 0) {
      source->at_end = true;
      break;
    }
    FMLP_SIMD_SELECT(fmlp_hash_stream_add)(source->hash, source->stored + source->last, got);
    source->last += got;
  }
  if (source->last > 0) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_INPUT, "%s: is empty; give a file with ticks in it", source->path);
}

static fmlp_status open_decoder(fmlp_byte_source *source, fmlp_error *error) {
  const decoder *found = decoders;
  while (found->magic_bytes > source->last ||
         memcmp(found->magic, source->stored, (size_t)found->magic_bytes) != 0) {
    found++;
  }
  source->decoder = found;
  (void)snprintf(source->compression, sizeof source->compression, "%s", found->name);
  return found->open(source, error);
}

static fmlp_status open_source(fmlp_byte_source *source, const char *path, fmlp_error *error) {
  FMLP_TRY(fmlp_alloc(&source->path, (int64_t)strlen(path) + 1, 1, "a path", error));
  memcpy(source->path, path, strlen(path) + 1);
  FMLP_TRY(open_file(source, error));
  FMLP_TRY(fmlp_alloc(&source->stored, STORED_BYTES, 1, "a read buffer", error));
  FMLP_TRY(fmlp_alloc(&source->hash, 1, sizeof *source->hash, "a hash", error));
  FMLP_SIMD_SELECT(fmlp_hash_stream_begin)(source->hash);
  FMLP_TRY(read_magic(source, error));
  return open_decoder(source, error);
}

fmlp_status fmlp_byte_source_open(const char *path, fmlp_byte_source **out, fmlp_error *error) {
  *out = NULL;
  fmlp_byte_source *source = NULL;
  FMLP_TRY(fmlp_alloc_zero(&source, 1, sizeof *source, "a file", error));
  source->file = -1;
  fmlp_status status = open_source(source, path, error);
  if (status != FMLP_OK) {
    fmlp_byte_source_close(source);
    return status;
  }
  *out = source;
  return FMLP_OK;
}

fmlp_status fmlp_byte_source_read(fmlp_byte_source *source, char *buffer, int64_t capacity, int64_t *count,
                                  fmlp_error *error) {
  *count = 0;
  return source->decoder->read(source, buffer, capacity, count, error);
}

const char *fmlp_byte_source_compression(const fmlp_byte_source *source) {
  return source->compression;
}

fmlp_hash128 fmlp_byte_source_hash(const fmlp_byte_source *source) {
  return FMLP_SIMD_SELECT(fmlp_hash_stream_end)(source->hash);
}

void fmlp_byte_source_close(fmlp_byte_source *source) {
  if (!source) return;
  if (source->gzip_open) (void)inflateEnd(&source->gzip);
  (void)ZSTD_freeDStream(source->zstd);
  if (source->archive) (void)archive_read_free(source->archive);
  if (source->file >= 0) (void)close(source->file);
  fmlp_free(source->stored);
  fmlp_free(source->hash);
  fmlp_free(source->path);
  fmlp_free(source);
}
