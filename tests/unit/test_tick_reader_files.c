/* The tick reader on files of many blocks: threads, compression, the fast parser against the careful one, and
 * facts of real files. */
#define _POSIX_C_SOURCE 200809L
#include "tests/unit/tick_reader_fixture.h"

#include <zlib.h>
#include <zstd.h>

#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "common/io/tick_plan.h"

/* ---- large files, threads, compression ---- */

/* About `rows` rows over several blocks; the shape of some is unusual, and the scale grows late. */
static char *make_text(int64_t rows, size_t *length) {
  char *text = malloc((size_t)rows * 80 + 100);
  assert_non_null(text);
  size_t at = (size_t)sprintf(text, "timestamp,askPrice,bidPrice,askVolume,bidVolume\n");
  for (int64_t i = 0; i < rows; i++) {
    int price = (int)(i * 7919 % 9000 + 1000), size = (int)(i % 1000);
    long long time = 1398920401787 + (long long)i;
    if (i % 97 == 0) {
      at += (size_t)sprintf(text + at, "%lld, 1.%04d ,\"1.%04d\",%d,1\n", time, price, price - 1, size);
    } else if (i % 89 == 0) {
      at += (size_t)sprintf(text + at, "%lld,1.%04d000000000000000,1.%04d,%d.50,1\r\n", time, price,
                            price - 1, size);
    } else {
      at += (size_t)sprintf(text + at, "%lld,1.%04d,1.%04d,%d,1.5\n", time, price, price - 1, size);
    }
    if (i == rows * 3 / 4) at += (size_t)sprintf(text + at, "1398920401787,1.123456,1.1,1.125,1\n\n");
  }
  *length = at;
  return text;
}

static void assert_made_rows(int64_t rows) {
  assert_int_equal(ticks.count, rows + 1);
  assert_int_equal(ticks.price.k, 6);
  assert_int_equal(ticks.size_unit.m, 1000); /* millions at 10^-3 */
  for (int64_t i = 0, row = 0; i < rows; i++, row++) {
    int price = (int)(i * 7919 % 9000 + 1000);
    assert_true(ticks.time[row] == (1398920401787 + i) * 1000000);
    assert_true(ticks.ask[row] == (10000 + price) * 100 && ticks.bid[row] == ticks.ask[row] - 100);
    assert_true(ticks.ask_size[row] == i % 1000 * 1000 + (i % 97 != 0 && i % 89 == 0 ? 500 : 0));
    if (i == rows * 3 / 4) {
      row++;
      assert_true(ticks.ask[row] == 1123456 && ticks.ask_size[row] == 1125);
    }
  }
}

static void any_number_of_threads_reads_the_same(void **state) {
  (void)state;
  const int64_t rows = 60000;
  size_t length = 0;
  char *text = make_text(rows, &length);
  write_file(text, length);
  free(text);
  fmlp_data_settings settings = defaults();
  uint64_t hash = 0;
  for (int threads = 1; threads <= 5; threads += 2) {
    fmlp_threads_set(threads);
    assert_read(read_with(&settings));
    assert_made_rows(rows);
    assert_int_equal(report.lines, rows + 3);
    assert_int_equal(report.bytes, length);
    if (threads > 1) assert_int_equal(report.hash_low, hash);
    hash = report.hash_low;
  }
  fmlp_threads_set(0);
}

static void any_number_of_threads_reports_the_same_error(void **state) {
  (void)state;
  static const char *const tails[] = {"1,2\n", "1398920401787,9999.1,1,1,1\n",
                                      "1398920401787,1.1234567891,1,1,1\n1398920401787,x,1,1,1\n",
                                      "1398920401787,999,1,1,1\n1398920401787,1.00000001,1,1,1\n"};
  for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
    size_t length = 0;
    char *text = make_text(40000, &length), *whole = malloc(2 * length + 200), first[1024] = "";
    assert_non_null(whole);
    size_t header = strlen("timestamp,askPrice,bidPrice,askVolume,bidVolume\n");
    memcpy(whole, text, length);
    size_t at = length + (size_t)sprintf(whole + length, "%s", tails[i]);
    memcpy(whole + at, text + header, length - header);
    write_file(whole, at + length - header);
    free(text);
    free(whole);
    fmlp_data_settings settings = defaults();
    for (int threads = 1; threads <= 4; threads++) {
      fmlp_threads_set(threads);
      assert_int_equal(read_with(&settings), FMLP_ERR_INPUT);
      if (threads > 1) assert_string_equal(error.text, first);
      memcpy(first, error.text, sizeof first);
    }
    assert_says(i == 3 ? "ticks.csv:40005: " : "ticks.csv:40004: ");
  }
  fmlp_threads_set(0);
}

static size_t gzip_bytes(const char *text, size_t length, Bytef *out, size_t capacity) {
  z_stream stream = {0};
  assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = (z_const Bytef *)(uintptr_t)text;
  stream.avail_in = (uInt)length;
  stream.next_out = out;
  stream.avail_out = (uInt)capacity;
  assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
  size_t bytes = capacity - stream.avail_out;
  assert_int_equal(deflateEnd(&stream), Z_OK);
  return bytes;
}

static void gzip_and_zstd_read_like_plain_text_and_say_when_truncated(void **state) {
  (void)state;
  const int64_t rows = 30000;
  size_t length = 0;
  char *text = make_text(rows, &length);
  size_t capacity = ZSTD_compressBound(length) + 100000;
  char *packed = malloc(capacity);
  assert_non_null(packed);
  fmlp_data_settings settings = defaults();
  size_t bytes =
      gzip_bytes(text, length / 2, (Bytef *)packed, capacity); /* two members, as cat a.gz b.gz makes */
  bytes += gzip_bytes(text + length / 2, length - length / 2, (Bytef *)packed + bytes, capacity - bytes);
  write_file(packed, bytes);
  assert_read(read_with(&settings));
  assert_string_equal(report.compression, "gzip");
  assert_made_rows(rows);
  for (size_t cut = 3; cut < bytes; cut += bytes / 13) {
    write_file(packed, cut);
    assert_int_equal(read_with(&settings), FMLP_ERR_INPUT);
    assert_says("truncated");
  }
  packed[bytes / 3] ^= 0x55;
  write_file(packed, bytes);
  assert_int_equal(read_with(&settings), FMLP_ERR_INPUT);
  bytes = ZSTD_compress(packed, capacity, text, length, 3);
  assert_false(ZSTD_isError(bytes));
  write_file(packed, bytes);
  assert_read(read_with(&settings));
  assert_string_equal(report.compression, "zstd");
  assert_made_rows(rows);
  for (size_t cut = 5; cut < bytes; cut += bytes / 13) {
    write_file(packed, cut);
    assert_int_equal(read_with(&settings), FMLP_ERR_INPUT);
    assert_says("truncated");
  }
  free(packed);
  free(text);
}

static void every_allocation_failure_leaves_nothing_behind(void **state) {
  (void)state;
  fmlp_data_settings settings = defaults();
  write_file("time,bid,ask\n1398920401787,1,2\n", 31);
  fmlp_threads_set(2);
  for (int64_t nth = 1; nth < 40; nth++) {
    fmlp_memory_fail_at(nth);
    fmlp_status status = read_with(&settings);
    fmlp_memory_fail_at(0);
    assert_true(status == FMLP_OK || status == FMLP_ERR_OTHER);
    if (status != FMLP_OK) assert_null(ticks.time);
  }
  fmlp_threads_set(0);
}

/* ---- the fast parser against the careful one ---- */

enum { FUZZED_ROWS = 8, FUZZED_TEXT = 512 };

typedef struct parsed {
  int64_t time[FUZZED_TEXT];
  int32_t price[2][FUZZED_TEXT];
  int64_t size[2][FUZZED_TEXT];
  fmlp_tick_rows rows;
} parsed;

static void parse(fmlp_tick_plan *plan, bool careful, const char *text, int64_t length, parsed *out) {
  memset(out, 0, sizeof *out);
  plan->careful = careful;
  out->rows = (fmlp_tick_rows){.capacity = FUZZED_TEXT,
                               .time = out->time,
                               .price = {out->price[0], out->price[1]},
                               .size = {out->size[0], out->size[1]},
                               .price_k = plan->price.k,
                               .first_bad_line = -1,
                               .error_line = -1};
  fmlp_tick_rows_parse(plan, text, length, &out->rows);
}

static bool same_rows(const parsed *a, const parsed *b) {
  size_t count = (size_t)a->rows.count;
  bool same = a->rows.count == b->rows.count && memcmp(a->time, b->time, count * sizeof *a->time) == 0;
  for (int side = 0; side < 2; side++) {
    same = same && memcmp(a->price[side], b->price[side], count * sizeof(int32_t)) == 0 &&
           memcmp(a->size[side], b->size[side], count * sizeof(int64_t)) == 0;
  }
  return same && a->rows.error_line == b->rows.error_line && a->rows.lines == b->rows.lines &&
         a->rows.bad_rows == b->rows.bad_rows && a->rows.first_bad_line == b->rows.first_bad_line &&
         a->rows.price_k == b->rows.price_k && a->rows.size_k == b->rows.size_k &&
         strcmp(a->rows.message, b->rows.message) == 0;
}

static void the_fast_and_the_careful_parser_agree_on_mutated_rows(void **state) {
  (void)state;
  static const char *const headers[] = {
      "timestamp,askPrice,bidPrice,askVolume,bidVolume\n1398920401787,1.38729,1.38727,1.5,0.75\n",
      "time,price\n2014-05-01 05:00:01.787,16741.25\n",
      "time,bid,ask\n2014-05-01T05:00:01.787123456+00:00,1.2,1.3\n",
      "20140501 050001787,1.387270,1.387290,0\n",
      "date\ttime\tbid\task\n2014.05.01\t05:00:01.787\t1\t2\n",
  };
  static const char alphabet[] = "0123456789.,.,:- +TZ\"\r\neE\t0099";
  static parsed fast, careful;
  char buffer[FUZZED_TEXT + 2 * FMLP_TICK_MARGIN] = "", *text = buffer + FMLP_TICK_MARGIN;
  uint64_t seed = 42;
  for (int round = 0; round < 60000; round++) {
    const char *sample = headers[round % 5];
    fmlp_data_settings settings = defaults();
    settings.timezone = round % 3 ? "UTC" : "America/New_York";
    if (round % 7 == 0 && round % 5 != 0) settings.point_size_text = "0.25";
    if (round % 2) settings.bad_rows = FMLP_BAD_ROWS_SKIP;
    fmlp_tick_detection found;
    assert_int_equal(fmlp_tick_detect(&settings, sample, (int64_t)strlen(sample), &found, &error), FMLP_OK);
    const char *row = sample + found.header_bytes;
    int64_t length = 0;
    memset(buffer, 0, sizeof buffer);
    for (int i = 0; i < FUZZED_ROWS; i++) {
      size_t bytes = strlen(row);
      memcpy(text + length, row, bytes);
      for (int changes = (int)(seed >> 60) % 3; changes > 0; changes--) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        text[length + (int64_t)((seed >> 33) % (bytes - 1))] = alphabet[(seed >> 20) % (sizeof alphabet - 1)];
      }
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      length += (int64_t)bytes;
    }
    parse(&found.plan, false, text, length, &fast);
    parse(&found.plan, true, text, length, &careful);
    fmlp_timezone_close(found.zone);
    if (!same_rows(&fast, &careful)) {
      text[length] = '\0';
      fail_msg("round %d: \"%s\" / \"%s\" on:\n%s", round, fast.rows.message, careful.rows.message, text);
    }
  }
}

static void prices_written_with_changing_widths_read_exactly(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int32_t points;
  } prices[] = {{"1.38729", 138729},    {"1.38730", 138730},   {"1.3873", 138730}, {"1.4", 140000},
                {"2", 200000},          {"2.", 200000},        {".5", 50000},      {"10.50001", 1050001},
                {"0.00001", 1},         {"99.99999", 9999999}, {"9", 900000},      {"20000", 2000000000},
                {"0001.38729", 138729}, {"1.387290", 138729}};
  enum { PRICES = sizeof prices / sizeof *prices, ROWS = 20000 };
  static int32_t expected[ROWS][2];
  char *text = malloc(64 * ROWS);
  int64_t length = snprintf(text, 64, "timestamp,bid,ask\n1398920401787,1.38729,1.38729\n");
  uint64_t seed = 7;
  int now[2] = {0, 0};
  expected[0][0] = expected[0][1] = 138729;
  for (int row = 1; row < ROWS; row++) {
    for (int side = 0; side < 2; side++) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      if (seed >> 62 == 0) now[side] = (int)((seed >> 33) % PRICES); /* else as the row before */
      expected[row][side] = prices[now[side]].points;
    }
    length += snprintf(text + length, 64, "%lld,%s,%s%s", 1398920401787LL + row, prices[now[0]].text,
                       prices[now[1]].text, row % 1000 > 900 ? "\r\n" : "\n");
  }
  write_file(text, length);
  free(text);
  for (int threads = 1; threads <= 2; threads++) {
    fmlp_data_settings settings = defaults();
    fmlp_threads_set(threads);
    assert_read(read_with(&settings));
    assert_int_equal(ticks.count, ROWS);
    for (int row = 0; row < ROWS; row++) {
      assert_int_equal(ticks.bid[row], expected[row][0]);
      assert_int_equal(ticks.ask[row], expected[row][1]);
    }
  }
  fmlp_threads_set(0);
}

/* ---- real files ---- */

static const char *real(const char *name) {
  static char found[1024];
  const char *from = getenv("FMLP_DATA");
  (void)snprintf(found, sizeof found, "%s/%s", from ? from : FMLP_SOURCE_DIR "/../shared/data", name);
  return access(found, R_OK) == 0 ? found : NULL;
}

static void read_real(const char *name, const char *timezone) {
  fmlp_data_settings settings = defaults();
  settings.path = real(name);
  settings.timezone = timezone;
  if (!settings.path) skip();
  assert_read(read_with(&settings));
}

static void the_fxcm_file_has_its_known_rows(void **state) {
  (void)state;
  read_real("EURUSD_fxcm_201405_ticks.csv.zst", NULL);
  assert_int_equal(ticks.count, 1144807);
  int64_t crossed = 0, zero = 0, positive = 0;
  for (int64_t i = 0; i < ticks.count; i++) {
    crossed += ticks.bid[i] > ticks.ask[i];
    zero += ticks.bid[i] == ticks.ask[i];
    positive += ticks.bid[i] < ticks.ask[i];
  }
  assert_int_equal(crossed, 116871);
  assert_int_equal(zero, 142462);
  assert_int_equal(positive, 885474);
  assert_int_equal(ticks.time[0], MAY_FIRST);
  assert_int_equal(ticks.price.k, 5);
  assert_string_equal(report.compression, "zstd");
}

static void the_spy_file_has_its_known_volume(void **state) {
  (void)state;
  read_real("SPY_20131007_trades.csv.zst", NULL);
  assert_int_equal(ticks.count, 250601);
  int64_t volume = 0;
  for (int64_t i = 0; i < ticks.count; i++) volume += ticks.size[i];
  assert_int_equal(volume, 97062721);
  assert_int_equal(ticks.kind, FMLP_TRADES);
}

static void the_usdjpy_sample_begins_where_it_should(void **state) {
  (void)state;
  read_real("USDJPY_ticks_sample.csv", NULL);
  assert_int_equal(ticks.count, 1000);
  assert_int_equal(ticks.time[0], INT64_C(1357077600295000000));
  assert_int_equal(ticks.bid[0], 86655);
  assert_int_equal(ticks.ask[0], 86728);
}

static void the_histdata_sample_is_moved_to_utc(void **state) {
  (void)state;
  read_real("EURUSD_histdata_sample.csv", NULL);
  assert_int_equal(ticks.count, 9500);
  assert_int_equal(ticks.time[0], INT64_C(1577916000065000000)); /* 2020-01-01 22:00:00.065 UTC */
  assert_string_equal(report.format, "histdata");
}

static void the_esmini_sample_reads_as_trades(void **state) {
  (void)state;
  read_real("esmini_tick_data.csv", "UTC");
  assert_int_equal(ticks.count, 100);
  assert_int_equal(ticks.kind, FMLP_TRADES);
  assert_int_equal(ticks.price.k, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      test(any_number_of_threads_reads_the_same),
      test(any_number_of_threads_reports_the_same_error),
      test(gzip_and_zstd_read_like_plain_text_and_say_when_truncated),
      test(every_allocation_failure_leaves_nothing_behind),
      test(the_fast_and_the_careful_parser_agree_on_mutated_rows),
      test(prices_written_with_changing_widths_read_exactly),
      test(the_fxcm_file_has_its_known_rows),
      test(the_spy_file_has_its_known_volume),
      test(the_usdjpy_sample_begins_where_it_should),
      test(the_histdata_sample_is_moved_to_utc),
      test(the_esmini_sample_reads_as_trades),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
