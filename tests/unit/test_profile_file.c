/* The profile file: everything comes back, and what was cut, changed or made up is refused with a line. */
#define _GNU_SOURCE
#include "tests/unit/profile_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "prof/store/profile_check.h"
#include "prof/store/profile_file.h"
#include "prof/views/export.h"
#include "prof/views/report.h"

#define GOLDEN FMLP_SOURCE_DIR "/tests/golden/profile_v1.fmlprof"

/* A field was added to a capture? Then it needs a place in a profile file (profile_file_write.c,
 * profile_file_sections.c) and in assert_same_capture below: in a new section, or in a new schema. */
_Static_assert(sizeof(fmlp_capture_node) == 64 && sizeof(fmlp_capture_event) == 24 &&
                   sizeof(fmlp_capture_site) == 32 && sizeof(fmlp_capture_thread) == 16 &&
                   sizeof(fmlp_capture_operation) == 80 && sizeof(fmlp_capture_call) == 32 &&
                   sizeof(fmlp_capture_device) == 32 && sizeof(fmlp_capture_counter) == 24 &&
                   sizeof(fmlp_capture_sample) == 24 && sizeof(fmlp_capture_frame) == 24 &&
                   sizeof(fmlp_capture) == 728,
               "profile files hold every field of a capture");

typedef struct file_bytes {
  uint8_t *bytes;
  size_t size;
} file_bytes;

static fmlp_profile *fixture_profile(void) {
  fmlp_profile *profile = fmlp_profile_create();
  assert_non_null(profile);
  assert_true(fmlp_profile_set(profile, FMLP_FACT_NAME, "fixture"));
  assert_true(fmlp_profile_set(profile, FMLP_FACT_CREATED, "2026-01-31T12:00:00Z"));
  assert_true(fmlp_profile_set(profile, FMLP_FACT_OUTPUTS, "0123456789abcdef0123456789abcdef"));
  fmlp_capture *capture = profile_fixture();
  (void)snprintf(capture->device_reason, sizeof capture->device_reason, "none, for a test");
  (void)snprintf(capture->sample_reason, sizeof capture->sample_reason, "%s", "\xc3\xa4");
  capture->dropped_spans = 11;
  capture->dropped_events = 12;
  capture->open_spans = 13;
  capture->abandoned_spans = 14;
  capture->dropped_operations = 15;
  capture->invalid_operations = 16;
  capture->dropped_samples = 17;
  capture->outside_allocations = 18;
  capture->outside_bytes = 19;
  capture->host_bytes_per_second = (int64_t)1 << 40;
  capture->device_clock_residual = -41;
  assert_true(fmlp_profile_add(profile, capture));
  fmlp_capture *repeat = profile_fixture();
  repeat->event_count = 0;
  assert_true(fmlp_profile_add(profile, repeat));
  return profile;
}

static file_bytes made(const fmlp_profile *profile) {
  file_bytes file;
  assert_true(fmlp_profile_file_make(profile, &file.bytes, &file.size));
  return file;
}

static fmlp_profile *read_bytes(file_bytes file, char message[256]) {
  message[0] = '\0';
  fmlp_profile *profile = fmlp_profile_file_read(file.bytes, file.size, "x.fmlprof", message, 256);
  if (profile) return profile;
  assert_true(strncmp(message, "x.fmlprof: ", 11) == 0 && !strchr(message, '\n'));
  return NULL;
}

#define SAME(field) assert_true(a->field == b->field)

static void assert_same_arrays(const fmlp_capture *x, const fmlp_capture *y) {
  for (int32_t i = 0; i < x->site_count; i++) {
    const fmlp_capture_site *a = &x->sites[i], *b = &y->sites[i];
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->file, b->file);
    assert_string_equal(a->function, b->function);
    SAME(line);
  }
  for (int32_t i = 0; i < x->name_count; i++) assert_string_equal(x->names[i], y->names[i]);
  for (int32_t i = 0; i < x->thread_count; i++) {
    const fmlp_capture_thread *a = &x->threads[i], *b = &y->threads[i];
    SAME(id), SAME(main);
  }
  for (int32_t i = 0; i < x->node_count; i++) {
    const fmlp_capture_node *a = &x->nodes[i], *b = &y->nodes[i];
    SAME(thread), SAME(parent), SAME(site), SAME(calls), SAME(self), SAME(total), SAME(allocations);
    SAME(allocated_bytes), SAME(bytes);
  }
  for (int64_t i = 0; i < x->event_count; i++) {
    const fmlp_capture_event *a = &x->events[i], *b = &y->events[i];
    SAME(node), SAME(depth), SAME(start), SAME(end);
  }
  for (int64_t i = 0; i < x->counter_count; i++) {
    const fmlp_capture_counter *a = &x->counters[i], *b = &y->counters[i];
    SAME(kind), SAME(device), SAME(time), SAME(value);
  }
  for (int64_t i = 0; i < x->frame_count; i++) {
    const fmlp_capture_frame *a = &x->frames[i], *b = &y->frames[i];
    SAME(function), SAME(file), SAME(line), SAME(address);
  }
  for (int64_t i = 0; i < x->sample_count; i++) {
    const fmlp_capture_sample *a = &x->samples[i], *b = &y->samples[i];
    SAME(thread), SAME(node), SAME(time), SAME(first_frame), SAME(frame_count);
  }
}

static void assert_same_devices(const fmlp_capture *x, const fmlp_capture *y) {
  for (int32_t i = 0; i < x->device_count; i++) {
    const fmlp_capture_device *a = &x->devices[i], *b = &y->devices[i];
    SAME(ordinal), SAME(name), SAME(memory), SAME(multiprocessors), SAME(bytes_per_second);
  }
  for (int64_t i = 0; i < x->call_count; i++) {
    const fmlp_capture_call *a = &x->calls[i], *b = &y->calls[i];
    SAME(node), SAME(thread), SAME(name), SAME(kind), SAME(start), SAME(end);
  }
  for (int64_t i = 0; i < x->operation_count; i++) {
    const fmlp_capture_operation *a = &x->operations[i], *b = &y->operations[i];
    SAME(node), SAME(name), SAME(kind), SAME(device), SAME(stream), SAME(call), SAME(start), SAME(end);
    SAME(bytes), SAME(blocks), SAME(threads), SAME(registers), SAME(shared);
  }
}

static void assert_same_capture(const fmlp_capture *a, const fmlp_capture *b) {
  SAME(start), SAME(stop), SAME(level), SAME(spans), SAME(dropped_spans), SAME(dropped_events);
  SAME(open_spans), SAME(abandoned_spans), SAME(pair_picoseconds), SAME(host_bytes_per_second);
  SAME(dropped_operations), SAME(invalid_operations), SAME(unattributed_operations);
  SAME(device_clock_residual), SAME(peak_resident), SAME(peak_allocated), SAME(dropped_samples);
  SAME(outside_allocations), SAME(outside_bytes);
  SAME(site_count), SAME(thread_count), SAME(node_count), SAME(event_count), SAME(device_count);
  SAME(operation_count), SAME(call_count), SAME(counter_count), SAME(sample_count), SAME(frame_count);
  SAME(name_count);
  assert_string_equal(a->device_reason, b->device_reason);
  assert_string_equal(a->sample_reason, b->sample_reason);
  assert_same_arrays(a, b);
  assert_same_devices(a, b);
}

static void everything_comes_back(void **state) {
  (void)state;
  char message[256];
  fmlp_profile *profile = fixture_profile();
  assert_null(fmlp_profile_check(profile->captures[0]));
  file_bytes file = made(profile);
  fmlp_profile *again = read_bytes(file, message);
  assert_non_null(again);
  assert_int_equal(again->fact_count, 3);
  assert_string_equal(fmlp_profile_get(again, FMLP_FACT_NAME), "fixture");
  assert_null(fmlp_profile_get(again, FMLP_FACT_DEVICE));
  assert_int_equal(again->capture_count, 2);
  assert_same_capture(profile->captures[0], again->captures[0]);
  assert_same_capture(profile->captures[1], again->captures[1]);
  /* names may be added to a capture that was read, as to one that was made */
  for (int i = 0; i < 40; i++) {
    char name[16];
    (void)snprintf(name, sizeof name, "name %d", i);
    assert_int_equal(fmlp_capture_name(again->captures[0], name), profile->captures[0]->name_count + i);
  }
  fmlp_profile_free(again);
  fmlp_profile_free(profile);
  free(file.bytes);
}

static void repeats_keep_paths_and_operations(void **state) {
  (void)state;
  char message[256];
  fmlp_profile *profile = fixture_profile();
  fmlp_capture *repeat = profile_fixture();
  const fmlp_capture *first = profile->captures[0];
  assert_true(fmlp_profile_add_repeat(profile, repeat));
  assert_int_equal(repeat->node_count, first->node_count);
  assert_int_equal(repeat->operation_count, first->operation_count);
  assert_int_equal(repeat->event_count + repeat->call_count + repeat->sample_count + repeat->frame_count, 0);
  assert_int_equal(repeat->dropped_events, 14);
  assert_int_equal(repeat->name_count, 6); /* of a device, two kernels, two copies, a fill */
  for (int64_t i = 0; i < repeat->operation_count; i++)
    assert_string_equal(repeat->names[repeat->operations[i].name], first->names[first->operations[i].name]);
  assert_string_equal(repeat->names[repeat->devices[0].name], "Test GPU");
  assert_int_equal(fmlp_capture_name(repeat, "fill"), repeat->operations[5].name);
  assert_int_equal(fmlp_capture_name(repeat, "new"), 6);
  file_bytes file = made(profile);
  fmlp_profile *again = read_bytes(file, message);
  assert_non_null(again);
  assert_same_capture(repeat, again->captures[2]);
  fmlp_profile_free(again);
  fmlp_profile_free(profile);
  free(file.bytes);
}

static void the_first_schema_is_read_forever(void **state) {
  (void)state;
  char message[256] = "";
  fmlp_profile *profile = fmlp_profile_load(GOLDEN, message, sizeof message);
  if (!profile) print_error("%s\n", message);
  assert_non_null(profile);
  assert_string_equal(fmlp_profile_get(profile, FMLP_FACT_OUTPUTS), "0123456789abcdef0123456789abcdef");
  assert_int_equal(profile->capture_count, 2);
  const fmlp_capture *capture = profile->captures[0];
  int64_t self = 0, device = 0;
  for (int32_t i = 0; i < capture->node_count; i++) self += capture->nodes[i].self;
  for (int64_t i = 0; i < capture->operation_count; i++)
    device += capture->operations[i].end - capture->operations[i].start;
  assert_int_equal(self, 149000);
  assert_int_equal(device, 15500);
  assert_int_equal(capture->node_count, 7);
  assert_int_equal(capture->event_count, 14);
  assert_int_equal(profile->captures[1]->event_count, 0);
  assert_int_equal(capture->call_count, 5);
  assert_int_equal(capture->counter_count, 6);
  assert_int_equal(capture->sample_count, 4);
  assert_int_equal(capture->device_clock_residual, -41);
  assert_int_equal(capture->frames[0].line, 33);
  assert_string_equal(capture->sites[3].name, "walk \"a;b\" <\\>");
  assert_string_equal(capture->names[capture->devices[0].name], "Test GPU");
  fmlp_profile_free(profile);
}

static void little_endian(uint8_t *to, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++) to[i] = (uint8_t)(value >> 8 * i);
}

static size_t section_length(file_bytes file, size_t at) {
  size_t length = 0;
  for (int i = 7; i >= 0; i--) length = length << 8 | file.bytes[at + 4 + (size_t)i];
  return length;
}

/* Where the section that holds byte `position` starts; 0 in the header. */
static size_t section_of(file_bytes file, size_t position) {
  size_t at = 16;
  if (position < at) return 0;
  while (at + 16 + section_length(file, at) <= position) at += 16 + section_length(file, at);
  return at;
}

static void renew_check_sum(file_bytes file, size_t section) {
  size_t length = section_length(file, section);
  little_endian(file.bytes + section + 12 + length, crc32_z(0, file.bytes + section, (z_size_t)(12 + length)),
                4);
}

/* What was read can be looked at in every way, and written again. */
static void use(fmlp_profile *profile) {
  static bool (*const exports[])(const fmlp_capture *, FILE *) = {
      fmlp_export_pstats,    fmlp_export_pstats_device, fmlp_export_chrome, fmlp_export_speedscope,
      fmlp_export_collapsed, fmlp_export_dot,           fmlp_export_csv};
  char message[256];
  FILE *out = fopen("/dev/null", "w");
  assert_non_null(out);
  for (int32_t c = 0; c < profile->capture_count; c++) {
    assert_null(fmlp_profile_check(profile->captures[c]));
    for (size_t i = 0; i < sizeof exports / sizeof *exports; i++)
      assert_true(exports[i](profile->captures[c], out));
    char *text = fmlp_report_text(profile->captures[c]);
    assert_non_null(text);
    free(text);
  }
  assert_int_equal(fclose(out), 0);
  file_bytes file = made(profile);
  fmlp_profile *again = read_bytes(file, message);
  assert_non_null(again);
  fmlp_profile_free(again);
  fmlp_profile_free(profile);
  free(file.bytes);
}

static void newer_files_are_named_as_such(void **state) {
  (void)state;
  char message[256];
  fmlp_profile *profile = fixture_profile();
  file_bytes file = made(profile);
  fmlp_profile_free(profile);
  little_endian(file.bytes + 8, 7, 4);
  assert_null(read_bytes(file, message));
  assert_string_equal(message, "x.fmlprof: damaged profile: header");
  little_endian(file.bytes + 12, crc32_z(0, file.bytes, 12), 4);
  assert_null(read_bytes(file, message));
  assert_string_equal(message, "x.fmlprof: written by a newer fmlp (schema 7, this reads up to 1)");
  free(file.bytes);
}

static void sections_of_other_names_are_skipped(void **state) {
  (void)state;
  char message[256];
  fmlp_profile *profile = fixture_profile();
  file_bytes file = made(profile), longer;
  fmlp_profile_free(profile);
  longer.size = file.size + 16 + 3;
  for (size_t at = 16; at < file.size; at += 16 + section_length(file, at)) { /* before each of them */
    longer.bytes = malloc(longer.size);
    assert_non_null(longer.bytes);
    memcpy(longer.bytes, file.bytes, at);
    memcpy(longer.bytes + at, "NEWS\3\0\0\0\0\0\0\0abc", 15);
    memcpy(longer.bytes + at + 19, file.bytes + at, file.size - at);
    renew_check_sum(longer, at);
    profile = read_bytes(longer, message);
    assert_non_null(profile);
    assert_int_equal(profile->capture_count, 2);
    fmlp_profile_free(profile);
    memcpy(longer.bytes + at, "NODE", 4); /* a known one has its place */
    renew_check_sum(longer, at);
    assert_null(read_bytes(longer, message));
    free(longer.bytes);
  }
  free(file.bytes);
}

static void cut_anywhere_it_is_refused(void **state) {
  (void)state;
  char message[256];
  fmlp_profile *profile = fixture_profile();
  file_bytes file = made(profile);
  fmlp_profile_free(profile);
  for (size_t size = 0; size < file.size; size++) {
    file_bytes cut = {malloc(size + 1), size}; /* its own block: a byte read too far is seen */
    assert_non_null(cut.bytes);
    memcpy(cut.bytes, file.bytes, size);
    assert_null(read_bytes(cut, message));
    assert_non_null(strstr(message, size > 0 ? "cut short" : "is empty"));
    free(cut.bytes);
  }
  file_bytes longer = {realloc(file.bytes, file.size + 1), file.size + 1};
  assert_non_null(longer.bytes);
  longer.bytes[file.size] = 0;
  assert_null(read_bytes(longer, message));
  free(longer.bytes);
}

static void changed_anywhere_it_is_refused(void **state) {
  (void)state;
  char message[256];
  fmlp_profile *profile = fixture_profile();
  file_bytes file = made(profile);
  fmlp_profile_free(profile);
  for (size_t i = 0; i < file.size; i++)
    for (int bit = 0; bit < 8; bit++) {
      file.bytes[i] ^= (uint8_t)(1 << bit);
      assert_null(read_bytes(file, message));
      file.bytes[i] ^= (uint8_t)(1 << bit);
    }
  free(file.bytes);
}

/* Check sums guard against accidents; whoever makes up numbers renews them. */
static void made_up_numbers_are_refused_or_sound(void **state) {
  (void)state;
  char message[256];
  int refused = 0, sound = 0;
  fmlp_profile *profile = fixture_profile();
  file_bytes file = made(profile), changed = {malloc(file.size), file.size};
  assert_non_null(changed.bytes);
  fmlp_profile_free(profile);
  uint64_t random = 12345;
  const size_t singles = 6 * file.size, rounds = singles + 6000;
  for (size_t round = 0; round < rounds; round++) {
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
    memcpy(changed.bytes, file.bytes, file.size);
    const size_t position = round < singles ? round / 6 : 16 + random % (file.size - 16);
    const size_t section = section_of(file, position);
    random = random * 6364136223846793005u + 1442695040888963407u;
    if (section == 0 || position < section + 12) continue;
    const size_t end = section + 12 + section_length(file, section);
    if (position >= end) continue;
    const size_t changes = round < singles ? 1 : 2 + (random >> 60);
    for (size_t c = 0; c < changes; c++) {
      const size_t at = position + c;
      random = random * 6364136223846793005u + 1442695040888963407u;
      if (at < end)
        changed.bytes[at] = round < singles && round % 6 < 5 ? values[round % 6] : (uint8_t)(random >> 33);
    }
    renew_check_sum(changed, section);
    profile = read_bytes(changed, message);
    if (profile) {
      use(profile);
      sound++;
    } else {
      refused++;
    }
  }
  assert_true(refused > 1000 && sound > 1000);
  free(file.bytes);
  free(changed.bytes);
}

static void expect_contradiction(fmlp_profile *profile, const char *part) {
  char message[256];
  file_bytes file = made(profile);
  fmlp_profile_free(profile);
  assert_null(read_bytes(file, message));
  if (!strstr(message, part)) print_error("%s, not %s\n", message, part);
  assert_non_null(strstr(message, part));
  free(file.bytes);
}

static void contradictions_are_named(void **state) {
  (void)state;
  static const int64_t HUGE_TIME = (int64_t)1 << 60;
#define CONTRADICT(part, change)                                                                             \
  do {                                                                                                       \
    fmlp_profile *profile = fixture_profile();                                                               \
    fmlp_capture *capture = profile->captures[0];                                                            \
    change;                                                                                                  \
    expect_contradiction(profile, part);                                                                     \
  } while (0)
  CONTRADICT("counts", capture->spans = -1);
  CONTRADICT("counts", capture->stop = capture->start - 1);
  CONTRADICT("paths", capture->nodes[1].thread = 1);
  CONTRADICT("paths", capture->nodes[2].parent = 2);
  CONTRADICT("paths", capture->nodes[6].parent = 0);
  CONTRADICT("paths", capture->nodes[0].site = 5);
  CONTRADICT("paths", capture->nodes[0].calls = 0);
  CONTRADICT("paths", capture->nodes[0].self = HUGE_TIME);
  CONTRADICT("events", capture->events[0].node = 7);
  CONTRADICT("events", capture->events[2].start = 1);
  CONTRADICT("events", capture->events[1].end = 1);
  CONTRADICT("devices", capture->devices[0].name = 99);
  CONTRADICT("devices", capture->devices[0].ordinal = 65536);
  CONTRADICT("calls", capture->calls[0].thread = 2);
  CONTRADICT("calls", capture->calls[1].start = 2499);
  CONTRADICT("operations", capture->operations[0].call = 5);
  CONTRADICT("operations", capture->operations[5].start = 100);
  CONTRADICT("operations", capture->operations[0].bytes = HUGE_TIME);
  CONTRADICT("counters", capture->counters[0].device = 0);
  CONTRADICT("counters", capture->counters[0].time = 60000);
  CONTRADICT("samples", capture->samples[0].frame_count = 3);
  CONTRADICT("samples", capture->samples[0].node = 6);
  CONTRADICT("samples", capture->samples[2].time = 1);
  CONTRADICT("samples", capture->frames[0].function = 99);
  CONTRADICT("no capture", (void)capture; while (profile->capture_count > 0)
                 fmlp_capture_free(profile->captures[--profile->capture_count]));
}

static void only_ordinary_files_are_read(void **state) {
  (void)state;
  char folder[] = "/tmp/fmlp_file_XXXXXX", path[64], message[256] = "";
  assert_non_null(mkdtemp(folder));
  assert_null(fmlp_profile_load(folder, message, sizeof message));
  assert_non_null(strstr(message, "is a folder"));
  assert_null(fmlp_profile_load("/nowhere/x.fmlprof", message, sizeof message));
  assert_non_null(strstr(message, "/nowhere/x.fmlprof: "));
  assert_null(fmlp_profile_load("/dev/zero", message, sizeof message));
  assert_non_null(strstr(message, "no ordinary file"));
  (void)snprintf(path, sizeof path, "%s/fifo", folder);
  assert_int_equal(mkfifo(path, 0600), 0);
  assert_null(fmlp_profile_load(path, message, sizeof message)); /* does not wait for a writer */
  assert_non_null(strstr(message, "no ordinary file"));
  assert_int_equal(unlink(path), 0);
  int file = open(path, O_WRONLY | O_CREAT, 0600);
  assert_true(file >= 0 && ftruncate(file, (off_t)20 << 30) == 0); /* a hole: no memory is asked for it */
  assert_null(fmlp_profile_load(path, message, sizeof message));
  assert_non_null(strstr(message, "not a profile of fmlp"));
  assert_int_equal(pwrite(file, fmlp_profile_magic, FMLP_PROFILE_MAGIC_BYTES, 0), FMLP_PROFILE_MAGIC_BYTES);
  assert_null(fmlp_profile_load(path, message, sizeof message));
  assert_non_null(strstr(message, "is larger than 2 GiB"));
  assert_int_equal(close(file), 0);
  assert_int_equal(unlink(path), 0);
  file = open(path, O_WRONLY | O_CREAT, 0000);
  assert_true(file >= 0);
  assert_int_equal(close(file), 0);
  assert_null(fmlp_profile_load(path, message, sizeof message)); /* unreadable; for root empty */
  assert_true(strncmp(message, path, strlen(path)) == 0 && !strchr(message, '\n'));
  assert_int_equal(unlink(path), 0);
  assert_int_equal(rmdir(folder), 0);
}

static void a_full_timeline_is_a_few_megabytes(void **state) {
  (void)state;
  enum { EVENTS = 1 << 18 };
  char message[256];
  fmlp_profile *profile = fixture_profile();
  fmlp_capture *capture = profile->captures[0];
  free(capture->events);
  capture->events = calloc(EVENTS, sizeof *capture->events);
  assert_non_null(capture->events);
  for (int64_t i = 0; i < EVENTS; i++)
    capture->events[i] = (fmlp_capture_event){1, 1, i * 300000, i * 300000 + 123456};
  capture->event_count = EVENTS;
  file_bytes file = made(profile);
  assert_true(file.size < (size_t)EVENTS * 8);
  fmlp_profile *again = read_bytes(file, message);
  assert_non_null(again);
  assert_same_capture(capture, again->captures[0]);
  fmlp_profile_free(again);
  fmlp_profile_free(profile);
  free(file.bytes);
}

int main(int argument_count, char **arguments) {
  if (argument_count == 2) { /* how the golden file was made: test_profile_file OUTPUT */
    fmlp_profile *profile = fixture_profile();
    FILE *out = fopen(arguments[1], "wb");
    bool written = out && fmlp_profile_file_write(profile, out) && fclose(out) == 0;
    fmlp_profile_free(profile);
    return written ? 0 : 1;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(everything_comes_back),
      cmocka_unit_test(repeats_keep_paths_and_operations),
      cmocka_unit_test(the_first_schema_is_read_forever),
      cmocka_unit_test(newer_files_are_named_as_such),
      cmocka_unit_test(sections_of_other_names_are_skipped),
      cmocka_unit_test(cut_anywhere_it_is_refused),
      cmocka_unit_test(changed_anywhere_it_is_refused),
      cmocka_unit_test(made_up_numbers_are_refused_or_sound),
      cmocka_unit_test(contradictions_are_named),
      cmocka_unit_test(only_ordinary_files_are_read),
      cmocka_unit_test(a_full_timeline_is_a_few_megabytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
