/* .npy files, format 1.0: a 10-byte preamble, a Python dictionary literal padded so that the data starts on a
 * multiple of 64 bytes, then the elements as they lie in memory. */
#include "common/io/columns.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "common/core/memory.h"
#include "common/core/ordinary_file.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "columns are written as they lie in memory");

enum { PREAMBLE = 10, LONGEST_HEADER = 1024 };

static const struct {
  int64_t size;
  const char *numpy;
} types[] = {[FMLP_INT8] = {1, "|i1"},
             [FMLP_INT32] = {4, "<i4"},
             [FMLP_INT64] = {8, "<i8"},
             [FMLP_FLOAT64] = {8, "<f8"}};

int64_t fmlp_type_size(fmlp_type type) {
  return types[type].size;
}

fmlp_hash128 fmlp_hash(const void *data, int64_t bytes) {
  XXH128_hash_t hash = XXH3_128bits(data, (size_t)bytes);
  return (fmlp_hash128){.low = hash.low64, .high = hash.high64};
}

/* Fills `header` and returns its length, a multiple of 64. */
static size_t format_header(char header[256], fmlp_type type, int64_t rows) {
  char text[160];
  int length =
      snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (%" PRId64 ",), }",
               types[type].numpy, rows);
  size_t total = (PREAMBLE + (size_t)length + 1 + 63) / 64 * 64;
  size_t dictionary = total - PREAMBLE;
  memset(header, ' ', total);
  memcpy(header, "\x93NUMPY\x01\x00", 8);
  header[8] = (char)(dictionary & 0xff);
  header[9] = (char)(dictionary >> 8);
  memcpy(header + PREAMBLE, text, (size_t)length);
  header[total - 1] = '\n';
  return total;
}

static fmlp_status cannot(const char *verb, const char *path, int cause, fmlp_error *error) {
  return fmlp_fail(error, FMLP_ERR_OTHER, "cannot %s %s: %s; check the folder and the free space", verb, path,
                   cause ? strerror(cause) : "input/output error");
}

fmlp_status fmlp_npy_write(const char *path, fmlp_type type, int64_t rows, const void *data,
                           fmlp_error *error) {
  char header[256];
  size_t header_bytes = format_header(header, type, rows);
  errno = 0;
  FILE *file = fopen(path, "wb");
  if (!file) return cannot("create", path, errno, error);
  size_t count = (size_t)rows, size = (size_t)types[type].size;
  bool written = fwrite(header, 1, header_bytes, file) == header_bytes &&
                 (count == 0 || fwrite(data, size, count, file) == count) && fflush(file) == 0;
  int cause = errno;
  if (fclose(file) != 0 && written) { /* a full disk or a network folder may tell only now */
    written = false;
    cause = errno;
  }
  if (written) return FMLP_OK;
  (void)remove(path);
  return cannot("write", path, cause, error);
}

/* The value after "'key':" in the dictionary text, blanks skipped; NULL when the key is missing. */
static const char *dictionary_value(const char *dictionary, const char *key) {
  const char *at = strstr(dictionary, key);
  if (!at) return NULL;
  at += strlen(key);
  while (*at == ' ') at++;
  if (*at++ != ':') return NULL;
  while (*at == ' ') at++;
  return at;
}

static bool parse_dictionary(const char *dictionary, fmlp_type *type, int64_t *rows) {
  const char *layout = dictionary_value(dictionary, "'descr'");
  const char *order = dictionary_value(dictionary, "'fortran_order'");
  const char *shape = dictionary_value(dictionary, "'shape'");
  if (!layout || !order || !shape) return false;
  bool known = false;
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    size_t length = strlen(types[i].numpy);
    if (layout[0] != '\'' || strncmp(layout + 1, types[i].numpy, length) != 0 || layout[length + 1] != '\'') {
      continue;
    }
    *type = (fmlp_type)i;
    known = true;
  }
  int end = 0;
  if (!known || strncmp(order, "False", 5) != 0) return false;
  *rows = -1;
  int fields = sscanf(shape, "(%18" SCNd64 " ,%n", rows, &end);
  return fields == 1 && end > 0 && *rows >= 0 && shape[end + (int)strspn(shape + end, " ")] == ')';
}

/* Reads preamble and dictionary; FMLP_OK leaves the file at the first element. */
static fmlp_status read_header(FILE *file, const char *path, fmlp_type *type, int64_t *rows,
                               fmlp_error *error) {
  unsigned char preamble[PREAMBLE];
  char dictionary[LONGEST_HEADER + 1];
  if (fread(preamble, 1, PREAMBLE, file) != PREAMBLE || memcmp(preamble, "\x93NUMPY\x01\x00", 8) != 0) {
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s: not a .npy file of format 1.0; write it with fmlp or numpy",
                     path);
  }
  size_t length = (size_t)preamble[8] | (size_t)preamble[9] << 8;
  if (length > LONGEST_HEADER || fread(dictionary, 1, length, file) != length) {
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s: the header is cut or too long; write the file again", path);
  }
  dictionary[length] = '\0';
  if (!parse_dictionary(dictionary, type, rows)) {
    return fmlp_fail(
        error, FMLP_ERR_INPUT,
        "%s: not a one-dimensional array of int8, int32, int64 or float64 in C order; convert it", path);
  }
  return FMLP_OK;
}

/* FMLP_OK when exactly `expected` bytes remain; checked before allocating, so that a damaged row count cannot
 * ask for all memory. */
static fmlp_status check_remaining(FILE *file, const char *path, int64_t expected, fmlp_error *error) {
  long here = ftell(file);
  long end = here >= 0 && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
  if (end < 0 || fseek(file, here, SEEK_SET) != 0) {
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s: cannot be read: %s; check the file", path, strerror(errno));
  }
  if (end - here == expected) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_INPUT,
                   "%s: %lld bytes of data where the header promises %" PRId64 "; the file is %s", path,
                   (long long)(end - here), expected, end - here < expected ? "truncated" : "damaged");
}

static fmlp_status read_open_file(FILE *file, const char *path, fmlp_type *type, int64_t *rows, void **data,
                                  fmlp_error *error) {
  FMLP_TRY(read_header(file, path, type, rows, error));
  int64_t bytes = 0;
  if (__builtin_mul_overflow(*rows, types[*type].size, &bytes)) {
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s: the header's row count is impossible; the file is damaged",
                     path);
  }
  FMLP_TRY(check_remaining(file, path, bytes, error));
  FMLP_TRY(fmlp_alloc(data, *rows, (size_t)types[*type].size, "a column file", error));
  if (bytes == 0 || fread(*data, (size_t)bytes, 1, file) == 1) return FMLP_OK;
  fmlp_free(*data);
  *data = NULL;
  return fmlp_fail(error, FMLP_ERR_INPUT, "%s: cannot be read: %s; check the file", path, strerror(errno));
}

fmlp_status fmlp_npy_read(const char *path, fmlp_type *type, int64_t *rows, void **data, fmlp_error *error) {
  *data = NULL;
  *rows = 0;
  FILE *file = NULL;
  FMLP_TRY(fmlp_open_ordinary(path, &file, FMLP_ERR_INPUT, "check the path", error));
  fmlp_status status = read_open_file(file, path, type, rows, data, error);
  (void)fclose(file); /* opened for reading: nothing can be lost */
  if (status != FMLP_OK) *rows = 0;
  return status;
}
