/* The tick reader on any bytes: a table or one line of error, and the fast parser agrees with the careful
 * one. The first byte chooses settings. */
#define _GNU_SOURCE /* memfd_create */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/core/parallel.h"
#include "common/io/tick_plan.h"
#include "common/io/tick_reader.h"

enum { MOST_ROWS = 1 << 16 };

typedef struct parsed {
  int64_t time[MOST_ROWS];
  int32_t price[2][MOST_ROWS];
  int64_t size[2][MOST_ROWS];
  fmlp_tick_rows rows;
} parsed;

static parsed fast, careful;

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void parse(fmlp_tick_plan *plan, bool slowly, const char *text, int64_t length, parsed *out) {
  plan->careful = slowly;
  out->rows = (fmlp_tick_rows){.capacity = MOST_ROWS,
                               .time = out->time,
                               .price = {out->price[0], out->price[1]},
                               .size = {out->size[0], out->size[1]},
                               .price_k = plan->fixed_point ? plan->price.k : 0,
                               .size_k = plan->size_k,
                               .first_bad_line = -1,
                               .error_line = -1};
  fmlp_tick_rows_parse(plan, text, length, &out->rows);
}

static void require(bool condition, const char *what) {
  if (condition) return;
  (void)fprintf(stderr, "the parsers differ in %s: \"%s\" / \"%s\"\n", what, fast.rows.message,
                careful.rows.message);
  abort();
}

static void compare_parsers(const fmlp_data_settings *settings, const char *text, int64_t length) {
  fmlp_tick_detection found;
  fmlp_error error = {""};
  if (length == 0 || length > MOST_ROWS || fmlp_tick_detect(settings, text, length, &found, &error)) return;
  parse(&found.plan, false, text + found.header_bytes, length - found.header_bytes, &fast);
  parse(&found.plan, true, text + found.header_bytes, length - found.header_bytes, &careful);
  fmlp_timezone_close(found.zone);
  size_t rows = (size_t)fast.rows.count;
  require(fast.rows.count == careful.rows.count, "rows");
  require(memcmp(fast.time, careful.time, rows * sizeof *fast.time) == 0, "times");
  for (int side = 0; side < 2; side++) { /* columns the file lacks hold leftovers of earlier inputs */
    bool price = found.plan.column_of[FMLP_ROLE_BID + side] >= 0;
    bool size = found.plan.column_of[FMLP_ROLE_BID_SIZE + side] >= 0;
    require(!price || memcmp(fast.price[side], careful.price[side], rows * sizeof(int32_t)) == 0, "prices");
    require(!size || memcmp(fast.size[side], careful.size[side], rows * sizeof(int64_t)) == 0, "sizes");
  }
  require(fast.rows.price_k == careful.rows.price_k && fast.rows.size_k == careful.rows.size_k, "scales");
  require(fast.rows.lines == careful.rows.lines && fast.rows.bad_rows == careful.rows.bad_rows, "lines");
  require(strcmp(fast.rows.message, careful.rows.message) == 0, "messages");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
  static int file = -1;
  static char path[64];
  if (count < 1 || count > MOST_ROWS) return 0;
  if (file < 0) {
    file = memfd_create("ticks", 0);
    if (file < 0) abort();
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    fmlp_threads_set(1);
  }
  uint8_t choice = *bytes++;
  count--;
  fmlp_data_settings settings = {.path = path, .format = "auto", .size_decimals = choice & 1 ? 2 : -1};
  if (choice & 2) settings.point_size_text = "0.25";
  if (choice & 4) settings.bad_rows = FMLP_BAD_ROWS_SKIP;
  if (choice & 8) settings.timezone = choice & 16 ? "America/New_York" : "UTC";
  if (choice & 32) settings.format = "generic";
  fmlp_ticks ticks;
  fmlp_read_report report;
  fmlp_error error = {""};
  if (ftruncate(file, 0) || pwrite(file, bytes, count, 0) != (ssize_t)count) abort();
  fmlp_status status = fmlp_ticks_read(&settings, &ticks, &report, &error);
  if (status == FMLP_OK) {
    require(ticks.count > 0 && ticks.count == report.rows, "count");
    for (int64_t i = 0; i < ticks.count; i++) require(ticks.bid[i] > 0 && ticks.ask[i] > 0, "sign");
    fmlp_ticks_release(&ticks);
  } else {
    require(error.text[0] && !strchr(error.text, '\n') && !ticks.time, "error");
  }
  char *text = calloc(1, count + 1 + 2 * FMLP_TICK_MARGIN);
  if (!text) return 0;
  memcpy(text + FMLP_TICK_MARGIN, bytes, count);
  if (count > 0 && bytes[count - 1] != '\n') text[FMLP_TICK_MARGIN + count++] = '\n';
  compare_parsers(&settings, text + FMLP_TICK_MARGIN, (int64_t)count);
  free(text);
  return 0;
}
