/* Bars to .npy columns and back. */
#define _XOPEN_SOURCE 700 /* mkdtemp */

#include "tests/unit/bars_cases.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/bits.h"
#include "common/core/memory.h"
#include "common/stages/bars_columns.h"

static char folder[] = "fmlp-test-bars-XXXXXX";

enum { NAMES_MAX = 64 };
static char written[NAMES_MAX][64];
static int written_count;

static const char *path_of(const char *name) {
  static char path[256];
  (void)snprintf(path, sizeof path, "%s/bars/%s.npy", folder, name);
  return path;
}

/* A sink that writes files as a run folder does. */
static fmlp_status put(void *state, const fmlp_column *column, fmlp_error *error) {
  (void)state;
  assert_string_equal(column->group, "bars");
  assert_true(written_count < NAMES_MAX);
  for (int i = 0; i < written_count; i++) assert_string_not_equal(written[i], column->name);
  (void)snprintf(written[written_count++], sizeof written[0], "%s", column->name);
  return fmlp_npy_write(path_of(column->name), column->type, column->rows, column->data, error);
}

static void remove_written(void) {
  for (int i = 0; i < written_count; i++) (void)unlink(path_of(written[i]));
  written_count = 0;
}

static bool was_written(const char *name) {
  for (int i = 0; i < written_count; i++) {
    if (strcmp(written[i], name) == 0) return true;
  }
  return false;
}

static fmlp_bars some_bars(fmlp_tick_kind kind, bool sizes) {
  fmlp_ticks ticks = golden_ticks(11, 1000, kind, sizes, (fmlp_scale){25, 2}, (fmlp_scale){1, 3});
  fmlp_calendar calendar = daily_calendar(&ticks, 480, 990);
  fmlp_bars_settings settings = rule(FMLP_BARS_TICK, "7", true);
  fmlp_bars_report report;
  fmlp_bars bars = build(&settings, &calendar, &ticks, &report);
  fmlp_calendar_release(&calendar);
  fmlp_ticks_release(&ticks);
  return bars;
}

static void assert_same_doubles(const double *a, const double *b, int64_t count) {
  for (int64_t i = 0; i < count; i++) assert_int_equal(fmlp_bits_of(a[i]), fmlp_bits_of(b[i]));
}

static void bars_survive_the_way_to_files_and_back(void **state) {
  (void)state;
  const fmlp_column_sink sink = {NULL, put};
  for (int kind = FMLP_QUOTES; kind <= FMLP_TRADES; kind++) {
    for (int sizes = 0; sizes < 2; sizes++) {
      fmlp_error error = {""};
      fmlp_bars bars = some_bars((fmlp_tick_kind)kind, sizes != 0), back;
      size_t n = (size_t)bars.count;
      assert_int_equal(fmlp_bars_export(&bars, &sink, &error), FMLP_OK);
      assert_int_equal(
          fmlp_bars_import(folder, bars.kind, bars.has_sizes, bars.price, bars.size_unit, &back, &error),
          FMLP_OK);
      assert_int_equal(back.count, bars.count);
      const int64_t *wide[][2] = {{bars.open_time, back.open_time},   {bars.close_time, back.close_time},
                                  {bars.first_tick, back.first_tick}, {bars.last_tick, back.last_tick},
                                  {bars.volume, back.volume},         {bars.bid_volume, back.bid_volume},
                                  {bars.ask_volume, back.ask_volume}};
      for (size_t c = 0; c < sizeof wide / sizeof *wide; c++) {
        assert_int_equal(wide[c][0] == NULL, wide[c][1] == NULL);
        if (wide[c][0]) assert_memory_equal(wide[c][0], wide[c][1], n * sizeof(int64_t));
      }
      const int32_t *prices[][2] = {{bars.bid_open, back.bid_open}, {bars.bid_high, back.bid_high},
                                    {bars.bid_low, back.bid_low},   {bars.bid_close, back.bid_close},
                                    {bars.ask_open, back.ask_open}, {bars.ask_high, back.ask_high},
                                    {bars.ask_low, back.ask_low},   {bars.ask_close, back.ask_close}};
      for (size_t c = 0; c < 8; c++) assert_memory_equal(prices[c][0], prices[c][1], n * sizeof(int32_t));
      assert_same_doubles(bars.spread_mean, back.spread_mean, bars.count);
      assert_same_doubles(bars.spread_std, back.spread_std, bars.count);
      if (sizes) assert_same_doubles(bars.vwap, back.vwap, bars.count);
      assert_int_equal(was_written("vwap"), sizes);
      assert_int_equal(was_written("bid_volume"), sizes && kind == FMLP_QUOTES);
      assert_int_equal(was_written("volume"), sizes && kind == FMLP_TRADES);
      assert_int_equal(was_written("ask_close_points"), kind == FMLP_QUOTES);
      assert_int_equal(was_written("spread_std"), kind == FMLP_QUOTES);
      fmlp_bars_release(&back);
      fmlp_bars_release(&bars);
      remove_written();
    }
  }
}

static void prices_and_sizes_are_written_in_their_units(void **state) {
  (void)state;
  fmlp_error error = {""};
  const fmlp_column_sink sink = {NULL, put};
  fmlp_bars bars = some_bars(FMLP_TRADES, true);
  assert_int_equal(fmlp_bars_export(&bars, &sink, &error), FMLP_OK);
  static const char *const names[] = {"close", "volume", "tick_count"};
  for (int c = 0; c < 3; c++) {
    fmlp_type type = FMLP_INT8;
    int64_t rows = 0;
    void *data = NULL;
    assert_int_equal(fmlp_npy_read(path_of(names[c]), &type, &rows, &data, &error), FMLP_OK);
    assert_int_equal(rows, bars.count);
    assert_int_equal(type, c == 2 ? FMLP_INT64 : FMLP_FLOAT64);
    for (int64_t i = 0; i < rows; i++) {
      if (c == 0) assert_true(((double *)data)[i] == bars.bid_close[i] * 0.25);
      if (c == 1) assert_true(((double *)data)[i] == (double)bars.volume[i] / 1000.0);
      if (c == 2) assert_int_equal(((int64_t *)data)[i], bars.last_tick[i] - bars.first_tick[i]);
    }
    fmlp_free(data);
  }
  fmlp_bars_release(&bars);
  remove_written();
}

static void damaged_folders_are_input_errors(void **state) {
  (void)state;
  fmlp_error error = {""};
  const fmlp_column_sink sink = {NULL, put};
  fmlp_bars bars = some_bars(FMLP_QUOTES, true), back;
  assert_int_equal(fmlp_bars_export(&bars, &sink, &error), FMLP_OK);
  static const char *const needed[] = {"open_time", "bid_close_points", "ask_volume_units", "spread_std",
                                       "vwap"};
  for (int round = 0; round < 3; round++) {
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
      char aside[300];
      (void)snprintf(aside, sizeof aside, "%s.aside", path_of(needed[i]));
      assert_int_equal(rename(path_of(needed[i]), aside), 0);
      const int8_t wrong[] = {1, 2, 3};
      const double few[] = {1.0};
      if (round == 1)
        assert_int_equal(fmlp_npy_write(path_of(needed[i]), FMLP_INT8, 3, wrong, &error), FMLP_OK);
      if (round == 2)
        assert_int_equal(fmlp_npy_write(path_of(needed[i]), FMLP_FLOAT64, 1, few, &error), FMLP_OK);
      assert_int_equal(fmlp_bars_import(folder, bars.kind, true, bars.price, bars.size_unit, &back, &error),
                       FMLP_ERR_INPUT);
      assert_int_equal(back.count, 0);
      if (i > 0 || round < 2) assert_non_null(strstr(error.text, needed[i]));
      assert_int_equal(rename(aside, path_of(needed[i])), 0);
    }
  }
  /* ticks that run backwards */
  bars.first_tick[5] = bars.last_tick[5];
  assert_int_equal(fmlp_npy_write(path_of("first_tick"), FMLP_INT64, bars.count, bars.first_tick, &error),
                   FMLP_OK);
  assert_int_equal(fmlp_bars_import(folder, bars.kind, true, bars.price, bars.size_unit, &back, &error),
                   FMLP_ERR_INPUT);
  assert_non_null(strstr(error.text, "row 5"));
  fmlp_bars_release(&bars);
  remove_written();
}

static void every_failed_allocation_leaves_nothing(void **state) {
  (void)state;
  const fmlp_column_sink sink = {NULL, put};
  fmlp_bars bars = some_bars(FMLP_TRADES, true);
  fmlp_status status = FMLP_ERR_OTHER;
  for (int64_t nth = 1; status != FMLP_OK; nth++) {
    fmlp_error error = {""};
    written_count = 0;
    fmlp_memory_fail_at(nth);
    status = fmlp_bars_export(&bars, &sink, &error);
    fmlp_memory_fail_at(0);
    assert_true(nth < 100);
  }
  status = FMLP_ERR_OTHER;
  for (int64_t nth = 1; status != FMLP_OK; nth++) {
    fmlp_error error = {""};
    fmlp_bars back;
    fmlp_memory_fail_at(nth);
    status = fmlp_bars_import(folder, bars.kind, true, bars.price, bars.size_unit, &back, &error);
    fmlp_memory_fail_at(0);
    assert_int_equal(back.count, status == FMLP_OK ? bars.count : 0);
    fmlp_bars_release(&back);
    assert_true(nth < 100);
  }
  fmlp_bars_release(&bars);
  remove_written();
}

static int make_folder(void **state) {
  (void)state;
  if (!mkdtemp(folder)) return -1;
  char bars[256];
  (void)snprintf(bars, sizeof bars, "%s/bars", folder);
  return mkdir(bars, 0777);
}

static int remove_folder(void **state) {
  (void)state;
  char bars[256];
  (void)snprintf(bars, sizeof bars, "%s/bars", folder);
  return rmdir(bars) | rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bars_survive_the_way_to_files_and_back),
      cmocka_unit_test(prices_and_sizes_are_written_in_their_units),
      cmocka_unit_test(damaged_folders_are_input_errors),
      cmocka_unit_test(every_failed_allocation_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
