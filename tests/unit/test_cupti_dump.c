/* CUPTI's buffers kept in a file (prof/sources/cupti_dump.h) and read again: what tests/gpu/run brings home
 * from a real GPU goes into tests/golden/cupti/ as NAME.cupti and is read here on every machine. */
#define _POSIX_C_SOURCE 200809L
#include "tests/cmocka_fmlp.h"

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "prof/sources/cupti_dump.h"
#include "prof/sources/cupti_records.h"
#include "prof/sources/device_join.h"
#include "tests/cuda/cupti_buffer.h"

enum { CAPACITY = 1 << 12, LINE = 11 };

/* ---- reading such a file: records by their offsets, names and owned memory made this process's ---- */

static struct { uint64_t *offsets, count; } shown;

static int next_kept(uint8_t *bytes, size_t valid, void **record) {
  uint64_t next = 0;
  while (*record && next < shown.count && bytes + shown.offsets[next] <= (uint8_t *)*record) next++;
  if (next >= shown.count || shown.offsets[next] >= valid) return CUPTI_END_OF_BUFFER;
  *record = bytes + shown.offsets[next];
  return CUPTI_OK;
}
static int none_dropped(void *context, uint32_t stream, size_t *count) {
  (void)context;
  (void)stream;
  *count = 0;
  return CUPTI_OK;
}
static int no_name(int domain, uint32_t function, const char **name) {
  (void)domain;
  (void)function;
  *name = NULL;
  return 1;
}
static const fmlp_cupti_api KEPT = {
    .next_record = next_kept, .dropped = none_dropped, .function_name = no_name};

typedef struct replay {
  const uint8_t *at, *end;
  fmlp_number_map names; /* address there -> name here */
  char *texts[4096];
  int text_count;
} replay;

static bool take(replay *from, void *to, size_t size) {
  if ((size_t)(from->end - from->at) < size) return false;
  memcpy(to, from->at, size);
  from->at += size;
  return true;
}

static bool take_name(replay *from) {
  uint64_t address, length;
  if (!take(from, &address, sizeof address) || !take(from, &length, sizeof length)) return false;
  if (length > (uint64_t)(from->end - from->at) || from->text_count == 4096) return false;
  char *text = calloc(1, length + 1);
  assert_non_null(text);
  (void)take(from, text, length);
  from->texts[from->text_count++] = text;
  return fmlp_number_map_put(&from->names, address, (uint64_t)(uintptr_t)text);
}

/* Pointers of the other process become ours, or none. */
static void translate(const replay *from, uint8_t *bytes, size_t valid) {
  for (uint64_t i = 0; i < shown.count; i++) {
    const uint64_t at = shown.offsets[i];
    if (at % 8 != 0 || at > valid || valid - at < sizeof(cupti_overhead)) continue;
    uint32_t kind;
    memcpy(&kind, bytes + at, sizeof kind);
    const uint64_t none = 0;
    if (kind == CUPTI_OVERHEAD) memcpy(bytes + at + offsetof(cupti_overhead, data), &none, sizeof none);
    if (kind != CUPTI_CONCURRENT_KERNEL || valid - at < sizeof(cupti_kernel)) continue;
    uint64_t address, here = 0;
    memcpy(&address, bytes + at + offsetof(cupti_kernel, name), sizeof address);
    (void)fmlp_number_map_get(&from->names, address, &here);
    memcpy(bytes + at + offsetof(cupti_kernel, name), &here, sizeof here);
  }
}

static bool take_buffer(replay *from, fmlp_cupti_log *log) {
  uint64_t size, count;
  if (!take(from, &size, sizeof size) || !take(from, &count, sizeof count)) return false;
  const uint64_t left = (uint64_t)(from->end - from->at);
  if (count > left / sizeof(uint64_t) || size > left - count * sizeof(uint64_t)) return false;
  shown.count = count;
  shown.offsets = malloc(count * sizeof(uint64_t) + 1);
  uint8_t *bytes = aligned_alloc(8, size / 8 * 8 + 8);
  assert_true(shown.offsets && bytes);
  (void)take(from, shown.offsets, count * sizeof(uint64_t));
  (void)take(from, bytes, size);
  translate(from, bytes, size);
  fmlp_cupti_log_read(log, bytes, size);
  free(shown.offsets);
  free(bytes);
  return true;
}

/* Reads a kept file into a log; false where it ends too early. */
static bool replay_bytes(const uint8_t *bytes, size_t size, fmlp_cupti_log *log) {
  replay from = {.at = bytes, .end = bytes + size};
  char line[LINE];
  bool whole = take(&from, line, LINE) && memcmp(line, "FMLPCUPTI1\n", LINE) == 0;
  fmlp_cupti_log_open(log, &KEPT, 1 << 20);
  while (whole && from.at < from.end) {
    const uint8_t tag = *from.at++;
    whole = tag == 'N' ? take_name(&from) : tag == 'B' ? take_buffer(&from, log) : false;
  }
  for (int i = 0; i < from.text_count; i++) free(from.texts[i]);
  fmlp_number_map_release(&from.names);
  return whole;
}

static uint8_t *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  assert_int_equal(fseek(file, 0, SEEK_END), 0);
  const long length = ftell(file);
  assert_true(length >= 0);
  rewind(file);
  uint8_t *bytes = malloc((size_t)length + 1);
  assert_non_null(bytes);
  *size = fread(bytes, 1, (size_t)length, file);
  assert_int_equal(*size, length);
  (void)fclose(file);
  return bytes;
}

/* ---- the tests ---- */

static int next_made(uint8_t *bytes, size_t valid, void **record) {
  return cupti_buffer_next(bytes, valid, record);
}
static const fmlp_cupti_api MADE = {
    .next_record = next_made, .dropped = none_dropped, .function_name = no_name};

static void write_two_buffers(const char *path) {
  static const char *const names[] = {"_Z5firstv", "_Z6secondv"};
  _Alignas(8) static uint8_t bytes[CAPACITY];
  fmlp_cupti_dump *dump = fmlp_cupti_dump_open(path);
  assert_non_null(dump);
  for (int i = 0; i < 2; i++) {
    cupti_buffer buffer = {bytes, CAPACITY, 0};
    for (int k = 0; k < 3; k++) {
      cupti_kernel *kernel = cupti_buffer_add(&buffer, CUPTI_CONCURRENT_KERNEL, sizeof *kernel);
      assert_non_null(kernel);
      kernel->start = (uint64_t)(1000 * (i + 1) + k);
      kernel->end = kernel->start + 10;
      kernel->correlation = (uint32_t)(10 * i + k + 1);
      kernel->name = names[(i + k) % 2];
    }
    cupti_overhead *overhead = cupti_buffer_add(&buffer, CUPTI_OVERHEAD, sizeof *overhead);
    assert_non_null(overhead);
    overhead->start = 5;
    overhead->end = 6;
    overhead->data = &bytes[0]; /* an address that means nothing in another process: not to be freed there */
    fmlp_cupti_dump_buffer(dump, &MADE, bytes, buffer.used);
  }
  fmlp_cupti_dump_close(dump);
}

static void what_was_kept_is_read(void **state) {
  (void)state;
  char path[] = "/tmp/fmlp-cupti-XXXXXX";
  const int made = mkstemp(path);
  assert_true(made >= 0);
  (void)close(made);
  write_two_buffers(path);
  size_t size;
  uint8_t *bytes = read_file(path, &size);
  fmlp_cupti_log log;
  assert_true(replay_bytes(bytes, size, &log));
  assert_int_equal(log.buffers, 2);
  assert_int_equal(log.operation_count, 6);
  assert_int_equal(log.call_count, 2);
  assert_string_equal(log.names[log.operations[0].name], "first");
  assert_string_equal(log.names[log.operations[3].name], "second");
  assert_int_equal(log.operations[5].start, 2002);
  assert_int_equal(log.operations[5].correlation, 13);
  fmlp_cupti_log_release(&log);

  for (size_t cut = 0; cut < size; cut++) { /* and cut at any byte it is refused or shorter, never misread */
    uint8_t *part = malloc(cut + 1);
    assert_non_null(part);
    memcpy(part, bytes, cut);
    const bool whole = replay_bytes(part, cut, &log);
    assert_true(log.operation_count < 6);
    assert_true(!whole || log.operation_count == 0 || log.operation_count == 3);
    fmlp_cupti_log_release(&log);
    free(part);
  }
  free(bytes);
  (void)unlink(path);
}

/* Buffers of real devices: every record is of a kind that is read, has times, and finds its call. */
static void kept_files_are_read_whole(void **state) {
  (void)state;
  glob_t found;
  if (glob(FMLP_SOURCE_DIR "/tests/golden/cupti/*.cupti", 0, NULL, &found) != 0) {
    (void)puts("none kept so far: no GPU was there to record");
    return;
  }
  for (size_t i = 0; i < found.gl_pathc; i++) {
    size_t size;
    uint8_t *bytes = read_file(found.gl_pathv[i], &size);
    fmlp_cupti_log log;
    assert_true(replay_bytes(bytes, size, &log));
    (void)printf("%s: %lld operations, %lld calls\n", found.gl_pathv[i], (long long)log.operation_count,
                 (long long)log.call_count);
    assert_true(log.operation_count > 0 && log.call_count > 0 && log.external.count > 0);
    assert_int_equal(log.invalid + log.unknown + log.dropped, 0);
    int64_t known = 0;
    uint64_t id;
    for (int64_t o = 0; o < log.operation_count; o++)
      known += fmlp_number_map_get(&log.external, log.operations[o].correlation, &id) ||
               fmlp_number_map_get(&log.external, log.operations[o].runtime_correlation, &id);
    assert_true(known > 0);
    fmlp_cupti_log_release(&log);
    free(bytes);
  }
  globfree(&found);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_kept_is_read),
                                     cmocka_unit_test(kept_files_are_read_whole)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
