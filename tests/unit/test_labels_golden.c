/* Labels equal those of a walk over every tick in Python (tests/golden/labels.py). */
#include "tests/cmocka_fmlp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/stages/labels.h"
#include "tests/unit/on_each_backend.h"
#include "tests/unit/small_market.h"

static fmlp_labels label_events(const fmlp_settings *settings, const fmlp_calendar *calendar, const market *m,
                                int64_t count, int64_t *bars, int8_t *sides) {
  const fmlp_events events = {count, bars, sides};
  fmlp_labels labels;
  fmlp_error error = {""};
  fmlp_status status =
      fmlp_labels_make(settings, calendar, &m->bars, &m->source, NULL, &events, &compute, &labels, &error);
  if (status != FMLP_OK) fail_msg("%s", error.text);
  return labels;
}

/* The settings of tests/golden/labels.py. */
static void set_case(const char *name, fmlp_settings *settings) {
  fmlp_labeling_settings *l = &settings->labeling;
  *settings = (fmlp_settings){
      .labeling = {.side = FMLP_SIDE_BOTH,
                   .distance_mode = FMLP_DISTANCE_TICKS,
                   .tp_ticks = 40,
                   .sl_ticks = 30,
                   .max_horizon_bars = 32,
                   .min_horizon_bars = 10,
                   .tie = FMLP_TIE_TICKS},
      .backtest = {.contract_size = 50000.0, .commission_per_lot = 3.5, .slippage_points = 0.5}};
  bool tight = strcmp(name, "tie_ticks") == 0 || strcmp(name, "close") == 0;
  if (strcmp(name, "sl_first") == 0) l->tie = FMLP_TIE_SL_FIRST;
  if (strcmp(name, "tp_first") == 0) l->tie = FMLP_TIE_TP_FIRST;
  if (tight || l->tie != FMLP_TIE_TICKS) {
    l->tp_ticks = 12;
    l->sl_ticks = 9;
  }
  if (strcmp(name, "close") == 0) {
    l->exit_at = FMLP_EXIT_AT_CLOSE;
    l->side = FMLP_SIDE_LONG;
  }
  if (strcmp(name, "volatility") == 0) {
    l->distance_mode = FMLP_DISTANCE_VOLATILITY;
    l->side = FMLP_SIDE_SHORT;
    l->volatility_window = 50;
    l->tp_multiple = 4.0;
    l->sl_multiple = 3.0;
  }
  if (strcmp(name, "mfe_mae") == 0) {
    l->distance_mode = FMLP_DISTANCE_MFE_MAE;
    l->mfe_mae_horizon_bars = 8;
    l->mfe_mae_window = 17;
    l->mfe_mae_tp_quantile = 0.75;
    l->mfe_mae_sl_quantile = 0.5;
  }
  if (strcmp(name, "long_horizon") == 0) {
    l->tp_ticks = 150;
    l->sl_ticks = 120;
    l->max_horizon_bars = 500;
    l->min_horizon_bars = 1;
  }
}

static fmlp_labels label_case(const fmlp_settings *settings, const fmlp_calendar *calendar, const market *m,
                              int64_t *events) {
  int64_t bars[1000], count = 0;
  int8_t sides[1000];
  for (int64_t b = 0; b < m->bars.count; b += 4) {
    for (int side = 1; side >= -1; side -= 2) {
      if (settings->labeling.side == (side > 0 ? FMLP_SIDE_SHORT : FMLP_SIDE_LONG)) continue;
      bars[count] = b;
      sides[count++] = (int8_t)side;
    }
  }
  *events = count;
  return label_events(settings, calendar, m, count, bars, sides);
}

static void compare_row(const char *name, const fmlp_labels *l, int64_t row, const char *line) {
  char expected[256], got[256], pnl[64];
  snprintf(expected, sizeof expected, "%s", line);
  expected[strcspn(expected, "\n")] = '\0';
  /* The double is compared as a number, because hex floats have several spellings. */
  long long v[13];
  int used =
      sscanf(expected, "%lld %lld %lld %lld %lld %lld %lld %63s %lld %lld %lld %lld %lld %lld", &v[0], &v[1],
             &v[2], &v[3], &v[4], &v[5], &v[6], pnl, &v[7], &v[8], &v[9], &v[10], &v[11], &v[12]);
  assert_int_equal(used, 14);
  const long long w[13] = {l->event_bar[row],    l->side[row],        l->outcome[row],    l->end_bar[row],
                           l->end_time[row],     l->entry_price[row], l->exit_price[row], l->label[row],
                           l->target_level[row], l->stop_level[row],  l->last_bar[row],   l->deadline[row],
                           l->exit_tick[row]};
  snprintf(got, sizeof got, "%lld %lld %lld %lld %lld %lld %lld %a %lld %lld %lld %lld %lld %lld", w[0], w[1],
           w[2], w[3], w[4], w[5], w[6], l->pnl_points[row], w[7], w[8], w[9], w[10], w[11], w[12]);
  if (memcmp(v, w, sizeof v) != 0 || strtod(pnl, NULL) != l->pnl_points[row]) {
    fail_msg("%s row %lld\n expected %s\n got      %s", name, (long long)row, expected, got);
  }
}

static void labels_equal_the_walk_over_ticks_in_python(void **state) {
  (void)state;
  enum { SESSIONS = 12 };
  const int64_t minute = 60 * MARKET_SECOND;
  int64_t open[SESSIONS], close[SESSIONS];
  int32_t day[SESSIONS] = {0};
  for (int s = 0; s < SESSIONS; s++) {
    open[s] = MARKET_START + s * 120 * minute;
    close[s] = open[s] + 110 * minute;
  }
  const fmlp_calendar calendar = {SESSIONS, open, close, day};
  market m;
  market_make(&m, 5, 8000, 20, true);
  FILE *golden = fopen(FMLP_SOURCE_DIR "/tests/golden/labels.txt", "r");
  assert_non_null(golden);
  char line[512], name[64] = "";
  fmlp_labels labels = {0};
  int64_t row = 0, cases = 0;
  while (fgets(line, sizeof line, golden)) {
    long long events, no_distance, no_room, ties;
    if (sscanf(line, "case %63s %lld %lld %lld %lld", name, &events, &no_distance, &no_room, &ties) == 5) {
      assert_int_equal(row, labels.count);
      fmlp_labels_release(&labels);
      fmlp_settings settings;
      set_case(name, &settings);
      int64_t asked = 0;
      labels = label_case(&settings, &calendar, &m, &asked);
      assert_int_equal(asked, events);
      assert_int_equal(labels.no_distance, no_distance);
      assert_int_equal(labels.no_room, no_room);
      assert_int_equal(labels.ties, ties);
      row = 0;
      cases++;
    } else {
      assert_true(row < labels.count);
      compare_row(name, &labels, row++, line);
    }
  }
  assert_int_equal(row, labels.count);
  assert_int_equal(cases, 8);
  fclose(golden);
  fmlp_labels_release(&labels);
  market_release(&m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(labels_equal_the_walk_over_ticks_in_python),
  };
  return RUN_ON_EACH_BACKEND(tests);
}
