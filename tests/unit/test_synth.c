/* Synthetic markets: equal bytes for equal seeds, the shape of a market, and a command that fails cleanly. */
#define _XOPEN_SOURCE 700 /* mkdtemp, symlink */

#include "tests/cmocka_fmlp.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include "common/commands/commands.h"
#include "common/core/civil.h"
#include "common/core/timezone.h"
#include "common/io/columns.h"
#include "common/io/synth.h"
#include "common/io/synth_market.h"
#include "common/io/tick_reader.h"

/* XXH3-128 of the text of seed 7, 20,000 quotes from 2024-03-04. */
static const uint64_t EXPECTED_LOW = 0x9b8db7e5a293e41a, EXPECTED_HIGH = 0xf5886846bf0ba59c;

static char folder[] = "fmlp-test-synth-XXXXXX";
static char path_buffer[256];

static const char *in_folder(const char *name) {
  (void)snprintf(path_buffer, sizeof path_buffer, "%s/%s", folder, name);
  return path_buffer;
}

static fmlp_status write_file(const char *name, uint64_t seed, int64_t ticks, bool overwrite,
                              fmlp_error *error) {
  fmlp_synth_request request = {in_folder(name), seed, ticks, fmlp_days_from_civil(2024, 3, 4), overwrite};
  fmlp_synth_summary summary;
  return fmlp_synth_write(&request, &summary, error);
}

/* The whole file, or through zlib the whole text of a gzip file; freed by the caller. */
static char *read_text(const char *name, int64_t *count) {
  gzFile file = gzopen(in_folder(name), "rb"); /* reads plain files as they are */
  assert_non_null(file);
  int64_t capacity = 1 << 22;
  char *text = malloc((size_t)capacity);
  assert_non_null(text);
  *count = gzread(file, text, (unsigned)capacity);
  assert_true(*count > 0 && *count < capacity);
  (void)gzclose(file);
  return text;
}

static void equal_seeds_give_equal_bytes_in_every_form(void **state) {
  (void)state;
  fmlp_error error = {""};
  assert_int_equal(write_file("a.csv", 7, 20000, false, &error), FMLP_OK);
  assert_int_equal(write_file("b.csv.gz", 7, 20000, false, &error), FMLP_OK);
  assert_int_equal(write_file("c.csv", 8, 20000, false, &error), FMLP_OK);
  int64_t a = 0, b = 0, c = 0;
  char *plain = read_text("a.csv", &a), *unzipped = read_text("b.csv.gz", &b),
       *other = read_text("c.csv", &c);
  assert_int_equal(a, b);
  assert_memory_equal(plain, unzipped, (size_t)a);
  assert_true(a != c || memcmp(plain, other, (size_t)a) != 0);
  static const char header[] = "timestamp,askPrice,bidPrice,askVolume,bidVolume\n1709510";
  assert_memory_equal(plain, header, sizeof header - 1);
  int64_t lines = 0;
  for (int64_t i = 0; i < a; i++) lines += plain[i] == '\n';
  assert_int_equal(lines, 20001);
  /* The same bytes on every machine and compiler: a change here changes every synthetic file there is. */
  fmlp_hash128 hash = fmlp_hash(plain, a);
  if (hash.low != EXPECTED_LOW || hash.high != EXPECTED_HIGH) {
    fail_msg("the text of seed 7 has hash 0x%llx 0x%llx", (unsigned long long)hash.low,
             (unsigned long long)hash.high);
  }
  free(plain);
  free(unzipped);
  free(other);
}

static void the_reader_gets_back_what_the_market_quoted(void **state) {
  (void)state;
  enum { TICKS = 5000 };
  static const char *const names[] = {"read.csv", "read.csv.gz", "read.csv.zst"};
  for (int n = 0; n < 3; n++) {
    fmlp_error error = {""};
    assert_int_equal(write_file(names[n], 11, TICKS, false, &error), FMLP_OK);
    fmlp_data_settings data = {.path = in_folder(names[n]), .format = "auto", .size_decimals = -1};
    fmlp_ticks ticks;
    fmlp_read_report report;
    if (fmlp_ticks_read(&data, &ticks, &report, &error) != FMLP_OK) fail_msg("%s", error.text);
    assert_int_equal(ticks.count, TICKS);
    assert_int_equal(ticks.kind, FMLP_QUOTES);
    assert_true(ticks.price.m == 1 && ticks.price.k == 5);
    assert_non_null(ticks.bid_size);
    fmlp_synth_market *market = NULL;
    assert_int_equal(fmlp_synth_market_open(11, fmlp_days_from_civil(2024, 3, 4), &market, &error), FMLP_OK);
    for (int64_t i = 0; i < TICKS; i++) {
      fmlp_synth_tick tick = fmlp_synth_market_next(market);
      assert_int_equal(ticks.time[i], tick.time_ms * 1000000);
      assert_int_equal(ticks.bid[i], tick.bid);
      assert_int_equal(ticks.ask[i], tick.ask);
      assert_true(fmlp_decimal(ticks.bid_size[i], ticks.size_unit) == tick.bid_size * 10000.0);
      assert_true(fmlp_decimal(ticks.ask_size[i], ticks.size_unit) == tick.ask_size * 10000.0);
    }
    fmlp_synth_market_close(market);
    fmlp_ticks_release(&ticks);
    (void)unlink(in_folder(names[n]));
  }
}

/* What a month of quotes looks like. */
typedef struct picture {
  int64_t by_hour[24]; /* UTC */
  int64_t weekend, crossed, zero, repeated, ticks;
  double spread_day, spread_rollover; /* sums of points */
  int64_t quotes_day, quotes_rollover;
  double absolute[20000]; /* |change| of the mid over 5 minutes */
  int64_t intervals;
} picture;

static void draw(uint64_t seed, int64_t ticks, int64_t start_day, picture *out) {
  fmlp_error error = {""};
  fmlp_synth_market *market = NULL;
  fmlp_timezone *zone = NULL;
  assert_int_equal(fmlp_synth_market_open(seed, start_day, &market, &error), FMLP_OK);
  assert_int_equal(fmlp_timezone_open("America/New_York", &zone, &error), FMLP_OK);
  memset(out, 0, sizeof *out);
  out->ticks = ticks;
  fmlp_synth_tick last = {0};
  int64_t interval = 0;
  double interval_mid = 0;
  for (int64_t i = 0; i < ticks; i++) {
    fmlp_synth_tick tick = fmlp_synth_market_next(market);
    assert_true(tick.time_ms >= last.time_ms && tick.bid > 0 && tick.ask > 0);
    assert_true(tick.bid_size > 0 && tick.ask_size > 0 && tick.bid_size <= 3000);
    if (i > 0 && memcmp(&tick, &last, sizeof tick) == 0) out->repeated++;
    int64_t utc = tick.time_ms / 1000;
    int64_t local = utc + fmlp_timezone_offset(zone, utc);
    int32_t weekday = fmlp_weekday(fmlp_floor_divide(local, 86400));
    int64_t clock = local - fmlp_floor_divide(local, 86400) * 86400;
    out->by_hour[utc % 86400 / 3600]++;
    out->weekend += weekday == 6 || (weekday == 5 && clock >= 61200) || (weekday == 0 && clock < 61200);
    out->crossed += tick.ask < tick.bid;
    out->zero += tick.ask == tick.bid;
    if (clock >= 61200 && clock < 62000) {
      out->spread_rollover += tick.ask - tick.bid;
      out->quotes_rollover++;
    } else if (clock >= 28800 && clock < 43200) {
      out->spread_day += tick.ask - tick.bid;
      out->quotes_day++;
    }
    double mid = 0.5 * (tick.bid + tick.ask);
    if (utc / 300 != interval && out->intervals < 20000) {
      if (utc / 300 == interval + 1) out->absolute[out->intervals++] = fabs(mid - interval_mid);
      interval = utc / 300;
      interval_mid = mid;
    }
    last = tick;
  }
  fmlp_timezone_close(zone);
  fmlp_synth_market_close(market);
}

static double autocorrelation(const double *x, int64_t count, int64_t lag) {
  double mean = 0, variance = 0, product = 0;
  for (int64_t i = 0; i < count; i++) mean += x[i] / (double)count;
  for (int64_t i = 0; i < count; i++) variance += (x[i] - mean) * (x[i] - mean);
  for (int64_t i = lag; i < count; i++) product += (x[i] - mean) * (x[i - lag] - mean);
  return product / variance;
}

static void a_market_has_seasons_clusters_spreads_weekends_and_faults(void **state) {
  (void)state;
  static picture seen;
  for (uint64_t seed = 1; seed <= 3; seed++) {
    draw(seed, 600000, fmlp_days_from_civil(2024, 6, 3), &seen);
    double mean = (double)seen.ticks / 24;
    assert_true((double)seen.by_hour[13] + (double)seen.by_hour[14] > 2.4 * mean); /* London and New York */
    assert_true((double)seen.by_hour[8] > 1.2 * mean);                             /* London opens */
    assert_true((double)seen.by_hour[21] < 0.5 * mean);                            /* New York has closed */
    assert_true(seen.by_hour[10] < seen.by_hour[13]);
    assert_int_equal(seen.weekend, 0);
    assert_true(seen.crossed > 100 && seen.crossed < 600);
    assert_true(seen.zero > 500 && seen.zero < 1500);
    assert_true(seen.repeated > 80 && seen.repeated < 400);
    double day = seen.spread_day / (double)seen.quotes_day;
    double rollover = seen.spread_rollover / (double)seen.quotes_rollover;
    assert_true(day > 3.0 && day < 15.0);
    assert_true(rollover > 2.5 * day);
    assert_true(seen.intervals > 2000);
    assert_true(autocorrelation(seen.absolute, seen.intervals, 1) > 0.1); /* volatility clusters */
    assert_true(autocorrelation(seen.absolute, seen.intervals, 6) > 0.05);
  }
}

static void the_season_follows_the_clock_changes(void **state) {
  (void)state;
  static picture winter, summer;
  draw(5, 400000, fmlp_days_from_civil(2024, 1, 8), &winter);
  draw(5, 400000, fmlp_days_from_civil(2024, 7, 8), &summer);
  assert_true(winter.by_hour[7] < winter.by_hour[8]);                       /* London opens at 08:00 UTC */
  assert_true((double)summer.by_hour[7] > 1.3 * (double)summer.by_hour[6]); /* and at 07:00 */
  assert_true((double)summer.by_hour[7] > 1.4 * (double)winter.by_hour[7] * 0.9); /* an hour earlier */
}

static void a_start_on_a_weekend_waits_for_the_opening(void **state) {
  (void)state;
  fmlp_error error = {""};
  fmlp_synth_market *market = NULL;
  assert_int_equal(fmlp_synth_market_open(1, fmlp_days_from_civil(2024, 3, 9), &market, &error), FMLP_OK);
  fmlp_synth_tick tick = fmlp_synth_market_next(market);
  int64_t opening =
      (fmlp_days_from_civil(2024, 3, 10) * 86400 + 21 * 3600) * 1000; /* clocks changed that day */
  assert_true(tick.time_ms >= opening && tick.time_ms < opening + 600000);
  fmlp_synth_market_close(market);
}

static fmlp_status command(fmlp_error *error, int count, const char *const *words) {
  char copies[8][128];
  char *arguments[8];
  assert_true(count <= 8);
  for (int i = 0; i < count; i++) {
    (void)snprintf(copies[i], sizeof copies[i], "%s", words[i]);
    arguments[i] = copies[i];
  }
  return fmlp_command_synth(count, arguments, error);
}

static void wrong_arguments_are_usage_errors(void **state) {
  (void)state;
  static const struct {
    const char *words[4];
    int count;
    const char *mentions;
  } bad[] = {
      {{"synth"}, 1, "no file"},
      {{"synth", ""}, 2, "no file"},
      {{"synth", "a", "b"}, 3, "two files"},
      {{"synth", "--seed", "-1", "a"}, 4, "--seed"},
      {{"synth", "--seed", "x", "a"}, 4, "--seed"},
      {{"synth", "--seed", "18446744073709551616", "a"}, 4, "--seed"},
      {{"synth", "--ticks", "0", "a"}, 4, "--ticks"},
      {{"synth", "--ticks=10x", "a"}, 3, "--ticks"},
      {{"synth", "--ticks", "1e6", "a"}, 4, "--ticks"},
      {{"synth", "--ticks", "100000000001", "a"}, 4, "--ticks"},
      {{"synth", "a", "--ticks"}, 3, "needs a value"},
      {{"synth", "--start", "2024-02-30", "a"}, 4, "--start"},
      {{"synth", "--start", "2024-1-1", "a"}, 4, "--start"},
      {{"synth", "--start", "1969-12-31", "a"}, 4, "--start"},
      {{"synth", "--start", "20240101--", "a"}, 4, "--start"},
      {{"synth", "--tick", "5", "a"}, 4, "unknown option"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    fmlp_error error = {""};
    assert_int_equal(command(&error, bad[i].count, bad[i].words), FMLP_ERR_USAGE);
    if (!strstr(error.text, bad[i].mentions)) fail_msg("\"%s\" without %s", error.text, bad[i].mentions);
    assert_int_not_equal(access("a", F_OK), 0);
  }
}

static void a_file_is_only_replaced_by_force(void **state) {
  (void)state;
  fmlp_error error = {""};
  assert_int_equal(write_file("keep.csv", 1, 10, false, &error), FMLP_OK);
  int64_t first = 0, second = 0;
  char *before = read_text("keep.csv", &first);
  assert_int_equal(write_file("keep.csv", 2, 10, false, &error), FMLP_ERR_OTHER);
  assert_non_null(strstr(error.text, "--force"));
  char *after = read_text("keep.csv", &second);
  assert_int_equal(first, second);
  assert_memory_equal(before, after, (size_t)first);
  free(after);
  assert_int_equal(write_file("keep.csv", 2, 1, true, &error), FMLP_OK);
  after = read_text("keep.csv", &second);
  assert_true(second < first);
  free(before);
  free(after);
  char name[256];
  (void)snprintf(name, sizeof name, "%s", in_folder("command.csv"));
  const char *const words[] = {"synth", "--ticks=5", "--seed", "3", "--start", "2020-02-29", name};
  assert_int_equal(command(&error, 7, words), FMLP_OK);
  assert_int_equal(access(name, F_OK), 0);
}

static void unwritable_places_and_full_disks_leave_nothing(void **state) {
  (void)state;
  fmlp_error error = {""};
  assert_int_equal(write_file("no/such/folder.csv", 1, 10, false, &error), FMLP_ERR_OTHER);
  assert_int_equal(write_file(".", 1, 10, true, &error), FMLP_ERR_OTHER);
  assert_non_null(strstr(error.text, "folder"));
  struct rlimit before, small;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  small = before;
  small.rlim_cur = 8192; /* as if the disk were full after 8 KB */
  (void)signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  static const char *const names[] = {"full.csv", "full.csv.gz", "full.csv.zst"};
  fmlp_status statuses[3];
  for (int i = 0; i < 3; i++) statuses[i] = write_file(names[i], 1, 5000, false, &error);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(statuses[i], FMLP_ERR_OTHER);
    assert_int_not_equal(access(in_folder(names[i]), F_OK), 0);
  }
  assert_non_null(strstr(error.text, "cannot write"));
  char temporary[320];
  (void)snprintf(temporary, sizeof temporary, "%s.part-%ld", in_folder("full.csv"), (long)getpid());
  if (symlink("/dev/full", temporary) == 0) { /* an earlier leaving in the way */
    assert_int_equal(write_file("full.csv", 1, 10, false, &error), FMLP_ERR_OTHER);
    (void)unlink(temporary);
  }
  assert_int_not_equal(access(in_folder("full.csv"), F_OK), 0);
}

static int make_folder(void **state) {
  (void)state;
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
  (void)state;
  static const char *const names[] = {"a.csv", "b.csv.gz", "c.csv", "keep.csv", "command.csv"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) (void)unlink(in_folder(names[i]));
  return rmdir(folder); /* fails, and so does the test, when anything else was left */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equal_seeds_give_equal_bytes_in_every_form),
      cmocka_unit_test(the_reader_gets_back_what_the_market_quoted),
      cmocka_unit_test(a_market_has_seasons_clusters_spreads_weekends_and_faults),
      cmocka_unit_test(the_season_follows_the_clock_changes),
      cmocka_unit_test(a_start_on_a_weekend_waits_for_the_opening),
      cmocka_unit_test(wrong_arguments_are_usage_errors),
      cmocka_unit_test(a_file_is_only_replaced_by_force),
      cmocka_unit_test(unwritable_places_and_full_disks_leave_nothing),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
