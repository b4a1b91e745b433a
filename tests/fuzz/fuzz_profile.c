/* Any bytes as a profile: a line of error, or a profile of which every view can be made and which reads back
 * as it was written. Check sums are renewed first, so that what they guard is reached. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "prof/store/profile_check.h"
#include "prof/store/profile_file.h"
#include "prof/store/profile_json_read.h"
#include "prof/views/advice.h"
#include "prof/views/export.h"
#include "prof/views/export_html.h"
#include "prof/views/pstats.h"
#include "prof/views/report.h"
#include "prof/views/unified.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER = 16, FRAME = 12, CRC = 4 };

static void put_crc(uint8_t *bytes, size_t size) {
  const unsigned long crc = crc32_z(0, bytes, size);
  for (int i = 0; i < CRC; i++) bytes[size + (size_t)i] = (uint8_t)(crc >> 8 * i);
}

static void renew_check_sums(uint8_t *bytes, size_t size) {
  if (size < HEADER) return;
  put_crc(bytes, HEADER - CRC);
  for (size_t at = HEADER; size - at >= FRAME + CRC;) {
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--) length = length << 8 | bytes[at + 4 + (size_t)i];
    if (length > size - at - FRAME - CRC) return;
    put_crc(bytes + at, FRAME + (size_t)length);
    at += FRAME + (size_t)length + CRC;
  }
}

static void require(bool condition, const char *what) {
  if (condition) return;
  (void)fprintf(stderr, "%s\n", what);
  abort();
}

static FILE *nowhere(void) {
  static FILE *out;
  if (!out) out = fopen("/dev/null", "w");
  require(out, "no /dev/null");
  return out;
}

static void look_at(const fmlp_capture *capture) {
  static bool (*const exports[])(const fmlp_capture *, FILE *) = {
      fmlp_export_pstats,    fmlp_export_pstats_device, fmlp_export_chrome, fmlp_export_speedscope,
      fmlp_export_collapsed, fmlp_export_dot,           fmlp_export_csv};
  require(!fmlp_profile_check(capture), "what was read is not sound");
  for (size_t i = 0; i < sizeof exports / sizeof *exports; i++) (void)exports[i](capture, nowhere());
  free(fmlp_report_text(capture));
  char message[128] = "";
  for (int kind = FMLP_PSTATS_ROWS; kind <= FMLP_PSTATS_CALLEES; kind++) {
    const fmlp_pstats_selection selection = {.kind = (fmlp_pstats_kind)kind};
    free(fmlp_pstats_text(capture, &selection, message, sizeof message));
  }
}

static void look_at_whole(const fmlp_profile *profile) {
  static const fmlp_unified_selection TREE = {.top = 3, .depth = 2};
  char message[128] = "";
  (void)fmlp_unified_text(profile->captures[0], &TREE, nowhere(), message, sizeof message);
  (void)fmlp_unified_json(profile, NULL, nowhere(), message, sizeof message);
  (void)fmlp_advice_write(profile, nowhere());
}

static void read_file(uint8_t *bytes, size_t size) {
  char message[256] = "";
  fmlp_profile *profile = fmlp_profile_file_read(bytes, size, "x", message, sizeof message);
  if (!profile) {
    require(strncmp(message, "x: ", 3) == 0 && !strchr(message, '\n'), "no line of error");
    return;
  }
  for (int32_t c = 0; c < profile->capture_count; c++) look_at(profile->captures[c]);
  look_at_whole(profile);
  static const fmlp_html_options FEW = {.max_events = 3};
  (void)fmlp_export_html(profile, &FEW, nowhere());
  uint8_t *first = NULL, *second = NULL;
  size_t first_size = 0, second_size = 0;
  require(fmlp_profile_file_make(profile, &first, &first_size), "not written");
  fmlp_profile *again = fmlp_profile_file_read(first, first_size, "x", message, sizeof message);
  require(again && fmlp_profile_file_make(again, &second, &second_size), "not read back");
  require(first_size == second_size && memcmp(first, second, first_size) == 0, "read back as another");
  free(first);
  free(second);
  fmlp_profile_free(again);
  fmlp_profile_free(profile);
}

static void read_json(const uint8_t *bytes, size_t size) {
  char message[512] = "";
  fmlp_capture *capture = fmlp_profile_json_parse(bytes, size, "x", message, sizeof message);
  require(capture || (strncmp(message, "x: ", 3) == 0 && !strchr(message, '\n')), "no line of error");
  if (capture) look_at(capture);
  fmlp_capture_free(capture);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t *own = malloc(size + 1);
  if (!own) return 0;
  if (size > 0) memcpy(own, data, size);
  if (size > 0 && own[0] == '{') {
    read_json(own, size);
  } else {
    renew_check_sums(own, size);
    read_file(own, size);
  }
  free(own);
  return 0;
}
