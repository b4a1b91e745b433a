/* Bars: known answers, independent goldens, a tick-by-tick oracle, block sizes, sessions, extremes, failures.
 */
#include "tests/unit/bars_cases.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/bits.h"
#include "common/core/memory.h"
#include "common/stages/bars_stage.h"

/* Pushes the ticks in blocks of `size` rows. */
static fmlp_status build_in_blocks(const fmlp_bars_settings *settings, const fmlp_calendar *calendar,
                                   const fmlp_ticks *ticks, int64_t size, fmlp_bars *bars,
                                   fmlp_bars_report *report, fmlp_error *error) {
  fmlp_tick_source source = fmlp_ticks_source(ticks);
  fmlp_bar_builder *builder = NULL;
  FMLP_TRY(fmlp_bar_builder_open(settings, calendar, ticks->kind, ticks->size || ticks->bid_size,
                                 ticks->price, ticks->size_unit, &builder, error));
  fmlp_status status = FMLP_OK;
  for (int64_t first = 0; status == FMLP_OK && first < ticks->count; first += size) {
    fmlp_tick_block block;
    int64_t last = ticks->count - first < size ? ticks->count : first + size;
    status = source.view(source.state, first, last, &block, error);
    if (status == FMLP_OK) status = fmlp_bar_builder_push(builder, &block, error);
  }
  if (status == FMLP_OK) status = fmlp_bar_builder_finish(builder, bars, report, error);
  fmlp_bar_builder_close(builder);
  return status;
}

static void assert_same_double(double a, double b, const char *what, int64_t row) {
  if (fmlp_bits_of(a) != fmlp_bits_of(b))
    fail_msg("%s in bar %lld: %a is not %a", what, (long long)row, a, b);
}

static void assert_same_bars(const fmlp_bars *a, const fmlp_bars *b) {
  assert_int_equal(a->count, b->count);
  for (int64_t i = 0; i < a->count; i++) {
    const int64_t wide[][2] = {
        {a->open_time[i], b->open_time[i]},
        {a->close_time[i], b->close_time[i]},
        {a->first_tick[i], b->first_tick[i]},
        {a->last_tick[i], b->last_tick[i]},
        {a->volume ? a->volume[i] : -1, b->volume ? b->volume[i] : -1},
        {a->bid_volume ? a->bid_volume[i] : -1, b->bid_volume ? b->bid_volume[i] : -1},
        {a->ask_volume ? a->ask_volume[i] : -1, b->ask_volume ? b->ask_volume[i] : -1}};
    for (size_t c = 0; c < sizeof wide / sizeof *wide; c++) assert_int_equal(wide[c][0], wide[c][1]);
    const int32_t narrow[][2] = {{a->bid_open[i], b->bid_open[i]}, {a->bid_high[i], b->bid_high[i]},
                                 {a->bid_low[i], b->bid_low[i]},   {a->bid_close[i], b->bid_close[i]},
                                 {a->ask_open[i], b->ask_open[i]}, {a->ask_high[i], b->ask_high[i]},
                                 {a->ask_low[i], b->ask_low[i]},   {a->ask_close[i], b->ask_close[i]}};
    for (size_t c = 0; c < sizeof narrow / sizeof *narrow; c++) assert_int_equal(narrow[c][0], narrow[c][1]);
    assert_same_double(a->spread_mean[i], b->spread_mean[i], "spread_mean", i);
    assert_same_double(a->spread_std[i], b->spread_std[i], "spread_std", i);
    if (a->vwap) assert_same_double(a->vwap[i], b->vwap[i], "vwap", i);
  }
}

/* Known answers on the E-mini sample. */

static bool read_esmini(fmlp_ticks *ticks) {
  const char *folder = getenv("FMLP_DATA");
  char path[1024];
  (void)snprintf(path, sizeof path, "%s/esmini_tick_data.csv",
                 folder ? folder : FMLP_SOURCE_DIR "/../shared/data");
  FILE *file = fopen(path, "r");
  if (!file) return false;
  fmlp_error error = {""};
  *ticks = (fmlp_ticks){.kind = FMLP_TRADES, .price = {1, 2}, .size_unit = {1, 0}};
  assert_int_equal(fmlp_ticks_reserve(ticks, 1000, true, &error), FMLP_OK);
  char line[256];
  assert_non_null(fgets(line, sizeof line, file));
  while (fgets(line, sizeof line, file)) {
    char *price = strchr(line, ',') + 1;
    char *size = strchr(price, ',') + 1;
    int64_t i = ticks->count++;
    ticks->time[i] = 1312150000 * SECOND + i;
    ticks->bid[i] = (int32_t)lround(strtod(price, NULL) * 100);
    ticks->size[i] = strtol(size, NULL, 10);
  }
  (void)fclose(file);
  assert_int_equal(ticks->count, 100);
  return true;
}

static void the_known_answers_of_the_emini_sample(void **state) {
  (void)state;
  fmlp_ticks ticks;
  if (!read_esmini(&ticks)) skip();
  fmlp_calendar calendar = daily_calendar(&ticks, 0, 1440);
  fmlp_bars_report report;
  fmlp_bars_settings settings = rule(FMLP_BARS_DOLLAR, "100000", true);
  fmlp_bars bars = build(&settings, &calendar, &ticks, &report);
  assert_int_equal(bars.count, 3);
  assert_int_equal(bars.bid_open[0], 120500);
  assert_int_equal(bars.bid_high[0], 190475);
  assert_int_equal(bars.bid_low[0], 100500);
  assert_int_equal(bars.bid_close[0], 130450);
  assert_int_equal(bars.last_tick[0] - bars.first_tick[0], 24);
  assert_int_equal(bars.volume[0], 82);
  assert_true(bars.vwap[0] == 107178.25 / 82);
  assert_ptr_equal(bars.ask_close, bars.bid_close);
  fmlp_bars_release(&bars);
  settings = rule(FMLP_BARS_VOLUME, "30", true);
  bars = build(&settings, &calendar, &ticks, &report);
  assert_int_equal(bars.count, 7);
  assert_int_equal(bars.bid_close[0], 130475);
  assert_int_equal(bars.bid_close[6], 130525);
  fmlp_bars_release(&bars);
  settings = rule(FMLP_BARS_TICK, "10", true);
  bars = build(&settings, &calendar, &ticks, &report);
  assert_int_equal(bars.count, 10);
  assert_int_equal(bars.bid_close[0], 130450);
  assert_int_equal(bars.bid_close[9], ticks.bid[99]);
  assert_int_equal(report.unfinished_ticks, 0);
  fmlp_bars_release(&bars);
  fmlp_calendar_release(&calendar);
  fmlp_ticks_release(&ticks);
}

/* Goldens: tests/golden/bars.py. */

typedef struct golden_case {
  const char *name;
  uint64_t seed;
  fmlp_tick_kind kind;
  bool sizes;
  fmlp_bar_type type;
  const char *threshold;
  bool keep;
  fmlp_scale price, unit;
} golden_case;

static const golden_case golden_cases[] = {
    {"quotes_tick_7", 1, FMLP_QUOTES, true, FMLP_BARS_TICK, "7", true, {1, 5}, {1, 0}},
    {"quotes_tick_2", 2, FMLP_QUOTES, false, FMLP_BARS_TICK, "2", true, {25, 2}, {1, 0}},
    {"trades_tick_10_drop", 3, FMLP_TRADES, true, FMLP_BARS_TICK, "10", false, {1, 2}, {1, 0}},
    {"quotes_volume", 4, FMLP_QUOTES, true, FMLP_BARS_VOLUME, "3.005", true, {1, 5}, {1, 2}},
    {"trades_volume_drop", 5, FMLP_TRADES, true, FMLP_BARS_VOLUME, "200", false, {25, 2}, {5, 1}},
    {"quotes_dollar", 6, FMLP_QUOTES, true, FMLP_BARS_DOLLAR, "351.50", true, {1, 5}, {1, 0}},
    {"trades_dollar", 7, FMLP_TRADES, true, FMLP_BARS_DOLLAR, "1e6", true, {25, 2}, {1, 1}},
    {"quotes_time_1200", 8, FMLP_QUOTES, true, FMLP_BARS_TIME, "1200", true, {1, 3}, {1, 0}},
    {"trades_time_3600_drop", 9, FMLP_TRADES, false, FMLP_BARS_TIME, "3600", false, {1, 5}, {1, 0}},
    {"quotes_time_7000", 10, FMLP_QUOTES, false, FMLP_BARS_TIME, "7000", true, {1, 5}, {1, 0}},
};
enum { GOLDEN_CASES = sizeof golden_cases / sizeof *golden_cases, GOLDEN_TICKS = 600 };

static int64_t next_integer(char **at) {
  char *end = NULL;
  int64_t value = strtoll(*at, &end, 10);
  assert_true(end != *at);
  *at = end;
  return value;
}

static double next_double(char **at) {
  char *end = NULL;
  double value = strtod(*at, &end);
  assert_true(end != *at);
  *at = end;
  return isnan(value) ? fmlp_nan() : value;
}

static void check_golden_row(char *line, const fmlp_bars *bars, int64_t i) {
  assert_int_equal(bars->open_time[i], next_integer(&line));
  assert_int_equal(bars->close_time[i], next_integer(&line));
  assert_int_equal(bars->first_tick[i], next_integer(&line));
  assert_int_equal(bars->last_tick[i], next_integer(&line));
  const int32_t *prices[] = {bars->bid_open, bars->bid_high, bars->bid_low, bars->bid_close,
                             bars->ask_open, bars->ask_high, bars->ask_low, bars->ask_close};
  for (size_t c = 0; c < 8; c++) assert_int_equal(prices[c][i], next_integer(&line));
  assert_same_double(bars->spread_mean[i], next_double(&line), "spread_mean", i);
  assert_same_double(bars->spread_std[i], next_double(&line), "spread_std", i);
  if (!bars->has_sizes) return;
  assert_int_equal(bars->volume[i], next_integer(&line));
  int64_t bid_volume = next_integer(&line), ask_volume = next_integer(&line);
  if (bars->kind == FMLP_QUOTES) assert_int_equal(bars->bid_volume[i], bid_volume);
  if (bars->kind == FMLP_QUOTES) assert_int_equal(bars->ask_volume[i], ask_volume);
  assert_same_double(bars->vwap[i], next_double(&line), "vwap", i);
}

static void bars_equal_those_of_the_independent_script(void **state) {
  (void)state;
  FILE *file = fopen(FMLP_SOURCE_DIR "/tests/golden/bars.txt", "r");
  assert_non_null(file);
  char line[1024];
  for (int c = 0; c < GOLDEN_CASES; c++) {
    const golden_case *one = &golden_cases[c];
    assert_non_null(fgets(line, sizeof line, file));
    char *at = line + strlen("case ");
    assert_memory_equal(at, one->name, strlen(one->name));
    at += strlen(one->name);
    fmlp_ticks ticks = golden_ticks(one->seed, GOLDEN_TICKS, one->kind, one->sizes, one->price, one->unit);
    fmlp_calendar calendar = daily_calendar(&ticks, 480, 990);
    fmlp_bars_settings settings = rule(one->type, one->threshold, one->keep);
    fmlp_bars_report report;
    fmlp_bars bars = build(&settings, &calendar, &ticks, &report);
    assert_int_equal(bars.count, next_integer(&at));
    assert_int_equal(report.ticks, GOLDEN_TICKS);
    assert_int_equal(report.session_tails, next_integer(&at));
    assert_int_equal(report.tails_dropped, next_integer(&at));
    assert_int_equal(report.unfinished_ticks, next_integer(&at));
    for (int64_t i = 0; i < bars.count; i++) {
      assert_non_null(fgets(line, sizeof line, file));
      check_golden_row(line, &bars, i);
    }
    fmlp_bars_release(&bars);
    fmlp_calendar_release(&calendar);
    fmlp_ticks_release(&ticks);
  }
  assert_null(fgets(line, sizeof line, file));
  (void)fclose(file);
}

static void the_cut_into_blocks_does_not_matter(void **state) {
  (void)state;
  static const int64_t sizes[] = {1, 2, 3, 5, 7, 13, 64, 101, 599, 600, 5000};
  for (int c = 0; c < GOLDEN_CASES; c++) {
    const golden_case *one = &golden_cases[c];
    fmlp_ticks ticks = golden_ticks(one->seed + 100, 5000, one->kind, one->sizes, one->price, one->unit);
    fmlp_calendar calendar = daily_calendar(&ticks, 480, 990);
    fmlp_bars_settings settings = rule(one->type, one->threshold, one->keep);
    fmlp_bars_report report, other_report;
    fmlp_bars bars = build(&settings, &calendar, &ticks, &report);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
      fmlp_error error = {""};
      fmlp_bars other;
      assert_int_equal(build_in_blocks(&settings, &calendar, &ticks, sizes[s], &other, &other_report, &error),
                       FMLP_OK);
      assert_same_bars(&bars, &other);
      assert_memory_equal(&report, &other_report, sizeof report);
      fmlp_bars_release(&other);
    }
    fmlp_bars_release(&bars);
    fmlp_calendar_release(&calendar);
    fmlp_ticks_release(&ticks);
  }
}

/* The oracle: one bar, tick by tick, in arithmetic of its own. */
static void check_bar(const fmlp_ticks *ticks, const fmlp_bars *bars, int64_t row) {
  int64_t first = bars->first_tick[row], last = bars->last_tick[row];
  assert_true(first < last);
  assert_true(row == 0 || bars->last_tick[row - 1] <= first);
  int32_t high = ticks->bid[first], low = high, ask_high = ticks->ask[first], ask_low = ask_high;
  long double sum = 0, volume = 0;
  for (int64_t i = first; i < last; i++) {
    if (ticks->bid[i] > high) high = ticks->bid[i];
    if (ticks->bid[i] < low) low = ticks->bid[i];
    if (ticks->ask[i] > ask_high) ask_high = ticks->ask[i];
    if (ticks->ask[i] < ask_low) ask_low = ticks->ask[i];
    sum += (long double)ticks->ask[i] - ticks->bid[i];
    if (ticks->bid_size) volume += (long double)ticks->bid_size[i] + (long double)ticks->ask_size[i];
  }
  long double mean = sum / (long double)(last - first), squares = 0;
  for (int64_t i = first; i < last; i++) {
    long double distance = (long double)ticks->ask[i] - ticks->bid[i] - mean;
    squares += distance * distance;
  }
  double point = fmlp_decimal(1, ticks->price);
  assert_int_equal(bars->bid_high[row], high);
  assert_int_equal(bars->bid_low[row], low);
  assert_int_equal(bars->ask_high[row], ask_high);
  assert_int_equal(bars->ask_low[row], ask_low);
  assert_int_equal(bars->bid_open[row], ticks->bid[first]);
  assert_int_equal(bars->ask_close[row], ticks->ask[last - 1]);
  assert_int_equal(bars->open_time[row], ticks->time[first]);
  if (bars->volume) assert_true((long double)bars->volume[row] == volume);
  assert_true(fabsl(bars->spread_mean[row] - mean * point) <= 1e-15L * fabsl(mean * point));
  if (last - first == 1) {
    assert_int_equal(fmlp_bits_of(bars->spread_std[row]), FMLP_NAN_BITS);
  } else {
    long double deviation = sqrtl(squares / (long double)(last - first - 1)) * point;
    assert_true(fabsl(bars->spread_std[row] - deviation) <= 1e-15L * deviation);
  }
}

static void every_tick_bar_size_agrees_with_a_tick_by_tick_oracle(void **state) {
  (void)state;
  fmlp_ticks ticks = golden_ticks(77, 20000, FMLP_QUOTES, true, (fmlp_scale){1, 5}, (fmlp_scale){1, 0});
  fmlp_calendar calendar = daily_calendar(&ticks, 0, 1440);
  static const int sizes[] = {1,  2,  3,  7,   8,   15,   16,   17,   31,   33,
                              63, 64, 65, 100, 127, 1000, 4095, 4096, 4097, 9000};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    char threshold[16];
    (void)snprintf(threshold, sizeof threshold, "%d", sizes[s]);
    for (int wide = 0; wide < 2; wide++) { /* wide: spreads and sizes beyond what narrow lanes can add up */
      for (int64_t i = 0; wide && i < ticks.count; i++) {
        if (i % 3 == 0) ticks.ask[i] = INT32_MAX - (int32_t)(i % 1000);
        if (i % 5 == 0) ticks.bid_size[i] = INT64_C(1) << 45;
      }
      fmlp_bars_settings settings = rule(FMLP_BARS_TICK, threshold, true);
      fmlp_bars_report report;
      fmlp_error error = {""};
      fmlp_bars bars;
      fmlp_tick_source source = fmlp_ticks_source(&ticks);
      assert_int_equal(fmlp_bars_build(&settings, &calendar, &source, &bars, &report, &error), FMLP_OK);
      int64_t covered = 0;
      for (int64_t i = 0; i < bars.count; i++) {
        check_bar(&ticks, &bars, i);
        assert_int_equal(bars.first_tick[i], covered); /* nothing dropped: bars follow each other */
        assert_true(bars.last_tick[i] - covered <= sizes[s]);
        covered = bars.last_tick[i];
      }
      assert_int_equal(covered + report.unfinished_ticks, ticks.count);
      fmlp_bars_release(&bars);
    }
  }
  fmlp_calendar_release(&calendar);
  fmlp_ticks_release(&ticks);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_known_answers_of_the_emini_sample),
      cmocka_unit_test(bars_equal_those_of_the_independent_script),
      cmocka_unit_test(the_cut_into_blocks_does_not_matter),
      cmocka_unit_test(every_tick_bar_size_agrees_with_a_tick_by_tick_oracle),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
