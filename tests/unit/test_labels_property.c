/* Labels against a walk over every tick in C, under many settings; no look-ahead; same bits at any thread
 * count; files; failing allocations. */
#define _XOPEN_SOURCE 700
#include "tests/cmocka_fmlp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/bits.h"
#include "common/core/parallel.h"
#include "common/stages/labels.h"
#include "tests/unit/column_folder.h"
#include "tests/unit/on_each_backend.h"
#include "tests/unit/small_market.h"

/* Sessions of an hour and a half every two hours, from the market's start. */
enum { SESSIONS = 4000 };
static int64_t session_open[SESSIONS], session_close[SESSIONS];
static int32_t session_day[SESSIONS];
static const fmlp_calendar calendar = {SESSIONS, session_open, session_close, session_day};

static void make_sessions(void) {
  for (int s = 0; s < SESSIONS; s++) {
    session_open[s] = MARKET_START + s * 7200 * MARKET_SECOND;
    session_close[s] = session_open[s] + 5400 * MARKET_SECOND;
    session_day[s] = s;
  }
}

/* Both sides at every step-th bar. */
static fmlp_events every_bar(const market *m, int64_t step) {
  fmlp_error error = {""};
  fmlp_events events = {0};
  assert_int_equal(fmlp_alloc(&events.bar, 2 * m->bars.count, sizeof(int64_t), "events", &error), FMLP_OK);
  assert_int_equal(fmlp_alloc(&events.side, 2 * m->bars.count, 1, "events", &error), FMLP_OK);
  for (int64_t b = 0; b < m->bars.count; b += step) {
    for (int side = 1; side >= -1; side -= 2) {
      events.bar[events.count] = b;
      events.side[events.count++] = (int8_t)side;
    }
  }
  return events;
}

static fmlp_labels make(const fmlp_settings *settings, const market *m, const fmlp_events *events) {
  fmlp_labels labels;
  fmlp_error error = {""};
  fmlp_status status =
      fmlp_labels_make(settings, &calendar, &m->bars, &m->source, NULL, events, &compute, &labels, &error);
  if (status != FMLP_OK) fail_msg("%s", error.text);
  return labels;
}

static int64_t last_allowed(const fmlp_labeling_settings *l, const market *m, int64_t bar) {
  int64_t time = m->bars.close_time[bar], deadline = INT64_MAX;
  for (int s = 0; s < SESSIONS && deadline == INT64_MAX; s++) {
    if (session_close[s] > time) deadline = session_close[s];
  }
  int64_t last = bar;
  while (last < bar + l->max_horizon_bars && last + 1 < m->bars.count &&
         m->bars.close_time[last + 1] < deadline) {
    last++;
  }
  return last;
}

/* Which level tick `t` meets: bit 0 target, bit 1 stop. */
static int met(const market *m, int side, int64_t t, int32_t target, int32_t stop) {
  int32_t price = side > 0 ? m->ticks.bid[t] : m->ticks.ask[t];
  int reached = side > 0 ? price >= target : price <= target;
  int stopped = side > 0 ? price <= stop : price >= stop;
  return reached | stopped << 1;
}

typedef struct walk {
  int outcome;
  int64_t bar, tick;
} walk;

static walk walk_ticks(const fmlp_labeling_settings *l, const market *m, int side, int64_t bar, int64_t last,
                       int32_t target, int32_t stop) {
  for (int64_t b = bar + 1; b <= last; b++) {
    int64_t first[3] = {-1, -1, -1}; /* of either, of the target, of the stop */
    for (int64_t t = m->bars.first_tick[b]; t < m->bars.last_tick[b]; t++) {
      int now = met(m, side, t, target, stop);
      if (now && first[0] < 0) first[0] = t;
      if ((now & 1) && first[1] < 0) first[1] = t;
      if ((now & 2) && first[2] < 0) first[2] = t;
    }
    if (first[0] < 0) continue;
    bool tie = first[1] >= 0 && first[2] >= 0;
    bool target_wins = first[0] == first[1];
    if (tie && l->tie != FMLP_TIE_TICKS) target_wins = l->tie == FMLP_TIE_TP_FIRST;
    return (walk){target_wins ? 1 : -1, b, target_wins ? first[1] : first[2]};
  }
  return (walk){0, last, -1};
}

static void check_row(const fmlp_settings *settings, const market *m, const fmlp_labels *labels,
                      int64_t row) {
  const fmlp_labeling_settings *l = &settings->labeling;
  const fmlp_bars *bars = &m->bars;
  int side = labels->side[row];
  int64_t bar = labels->event_bar[row], last = last_allowed(l, m, bar);
  int32_t close = side > 0 ? bars->bid_close[bar] : bars->ask_close[bar];
  assert_int_equal(labels->last_bar[row], last);
  assert_int_equal(labels->target_level[row], close + side * l->tp_ticks);
  assert_int_equal(labels->stop_level[row], close - side * l->sl_ticks);
  walk w = walk_ticks(l, m, side, bar, last, labels->target_level[row], labels->stop_level[row]);
  assert_int_equal(labels->outcome[row], w.outcome);
  assert_int_equal(labels->end_bar[row], w.bar);
  bool at_close = w.outcome == 0 || l->exit_at == FMLP_EXIT_AT_CLOSE;
  int64_t tick = at_close ? bars->last_tick[w.bar] - 1 : w.tick;
  int32_t price = side > 0 ? m->ticks.bid[tick] : m->ticks.ask[tick];
  if (!at_close && w.outcome == 1) price = labels->target_level[row];
  assert_int_equal(labels->exit_tick[row], at_close ? -1 : w.tick);
  assert_int_equal(labels->end_time[row], m->ticks.time[tick]);
  assert_int_equal(labels->exit_price[row], price);
  assert_true(labels->pnl_points[row] == (double)(side * (price - labels->entry_price[row])));
}

static fmlp_settings settings_of(int64_t target, int64_t stop, int64_t horizon) {
  return (fmlp_settings){.labeling = {.distance_mode = FMLP_DISTANCE_TICKS,
                                      .tp_ticks = target,
                                      .sl_ticks = stop,
                                      .max_horizon_bars = horizon,
                                      .min_horizon_bars = 2},
                         .backtest = {.contract_size = 1.0}};
}

static void labels_equal_a_walk_over_ticks_under_every_rule(void **state) {
  (void)state;
  uint64_t random = 4;
  for (int round = 0; round < 36; round++) {
    fmlp_settings settings = settings_of(1 + market_random(&random) % 60, 1 + market_random(&random) % 60,
                                         2 + market_random(&random) % (round % 4 == 0 ? 400 : 40));
    settings.labeling.tie = (fmlp_tie_rule)(round % 3);
    settings.labeling.exit_at = (fmlp_exit_at)(round / 3 % 2);
    market m;
    market_make(&m, (uint64_t)round + 100, 3000, 1 + market_random(&random) % 25, false);
    fmlp_events events = every_bar(&m, 1);
    fmlp_labels labels = make(&settings, &m, &events);
    assert_int_equal(labels.count + labels.no_room, events.count);
    for (int64_t row = 0; row < labels.count; row++) check_row(&settings, &m, &labels, row);
    fmlp_labels_release(&labels);
    fmlp_events_release(&events);
    market_release(&m);
  }
}

static void more_exit_ticks_than_a_batch_holds_change_nothing(void **state) {
  (void)state;
  market m;
  market_make(&m, 8, 6000000, 60, false); /* 4194304 ticks make a batch */
  fmlp_settings settings = settings_of(60, 60, 40);
  fmlp_events events = every_bar(&m, 2);
  fmlp_labels labels = make(&settings, &m, &events);
  assert_true(labels.count > 50000);
  for (int64_t row = 0; row < labels.count; row += 7) check_row(&settings, &m, &labels, row);
  fmlp_labels_release(&labels);
  fmlp_events_release(&events);
  market_release(&m);
}

/* Replaces every tick after bar t by those of another market. */
static void replace_future(market *m, const market *past, int64_t t, uint64_t seed) {
  int64_t ticks_per_bar = past->bars.last_tick[0];
  market_make(m, seed, past->ticks.count, ticks_per_bar, false);
  for (int64_t tick = 0; tick < past->ticks.count; tick++) {
    m->ticks.time[tick] = past->ticks.time[tick];
    if (tick >= (t + 1) * ticks_per_bar) continue;
    m->ticks.bid[tick] = past->ticks.bid[tick];
    m->ticks.ask[tick] = past->ticks.ask[tick];
  }
  fmlp_bars_release(&m->bars);
  market_build_bars(m, ticks_per_bar);
}

static void levels_do_not_depend_on_data_after_the_event(void **state) {
  (void)state;
  market m, other;
  market_make(&m, 21, 8000, 20, false);
  fmlp_settings settings = settings_of(0, 0, 32);
  fmlp_labeling_settings *l = &settings.labeling;
  l->volatility_window = 30;
  l->tp_multiple = l->sl_multiple = 2.5;
  l->mfe_mae_horizon_bars = 12;
  l->mfe_mae_window = 40;
  l->mfe_mae_tp_quantile = 0.7;
  l->mfe_mae_sl_quantile = 0.6;
  fmlp_events events = every_bar(&m, 2);
  for (int mode = 0; mode < 2; mode++) {
    l->distance_mode = mode ? FMLP_DISTANCE_MFE_MAE : FMLP_DISTANCE_VOLATILITY;
    fmlp_labels labels = make(&settings, &m, &events);
    for (int64_t t = 100; t < 390; t += 48) {
      replace_future(&other, &m, t, 500 + (uint64_t)t);
      fmlp_labels changed = make(&settings, &other, &events);
      assert_int_equal(changed.count, labels.count); /* times are the same, so is room */
      int64_t compared = 0, different = 0;
      for (int64_t row = 0; row < labels.count; row++) {
        assert_int_equal(changed.event_bar[row], labels.event_bar[row]);
        bool same = changed.target_level[row] == labels.target_level[row] &&
                    changed.stop_level[row] == labels.stop_level[row];
        if (labels.event_bar[row] <= t) {
          assert_true(same);
          compared++;
        } else {
          different += !same;
        }
      }
      assert_true(compared > 0 && (different > 0 || t > 350));
      fmlp_labels_release(&changed);
      market_release(&other);
    }
    fmlp_labels_release(&labels);
  }
  fmlp_events_release(&events);
  market_release(&m);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The trailing quantiles by definition: a sort of the excursions complete at the event's bar. */
static void excursion_distances_are_quantiles_of_completed_excursions(void **state) {
  (void)state;
  enum { HORIZON = 9, WINDOW = 25 };
  market m;
  market_make(&m, 22, 6000, 20, false);
  fmlp_settings settings = settings_of(0, 0, 20);
  settings.labeling.distance_mode = FMLP_DISTANCE_MFE_MAE;
  settings.labeling.mfe_mae_horizon_bars = HORIZON;
  settings.labeling.mfe_mae_window = WINDOW;
  settings.labeling.mfe_mae_tp_quantile = 0.75; /* (WINDOW - 1) * q is whole: no interpolation */
  settings.labeling.mfe_mae_sl_quantile = 0.25;
  fmlp_events events = every_bar(&m, 3);
  fmlp_labels labels = make(&settings, &m, &events);
  /* Events 0, 3, 6, ...: excursion j is complete at bar 3 j + 9, the 25th at bar 81. */
  assert_int_equal(labels.no_distance, 2 * 27);
  const fmlp_bars *bars = &m.bars;
  for (int64_t row = 0; row < labels.count; row++) {
    int side = labels.side[row];
    const int32_t *close = side > 0 ? bars->bid_close : bars->ask_close;
    double good[WINDOW], bad[WINDOW];
    int64_t newest = (labels.event_bar[row] - HORIZON) / 3 * 3;
    for (int i = 0; i < WINDOW; i++) {
      int64_t event = newest - 3 * i;
      int32_t up = 0, down = 0;
      for (int64_t b = event + 1; b <= event + HORIZON; b++) {
        int32_t rise = (side > 0 ? bars->bid_high : bars->ask_high)[b] - close[event];
        int32_t fall = close[event] - (side > 0 ? bars->bid_low : bars->ask_low)[b];
        up = rise > up ? rise : up;
        down = fall > down ? fall : down;
      }
      good[i] = side > 0 ? up : down;
      bad[i] = side > 0 ? down : up;
    }
    qsort(good, WINDOW, sizeof *good, ascending);
    qsort(bad, WINDOW, sizeof *bad, ascending);
    int32_t at = close[labels.event_bar[row]];
    assert_int_equal(side * (labels.target_level[row] - at), good[18] < 1 ? 1 : (int)good[18]);
    assert_int_equal(side * (at - labels.stop_level[row]), bad[6] < 1 ? 1 : (int)bad[6]);
  }
  fmlp_labels_release(&labels);
  fmlp_events_release(&events);
  market_release(&m);
}

static void compare_labels(const fmlp_labels *a, const fmlp_labels *b) {
  size_t n = (size_t)a->count;
  assert_int_equal(a->count, b->count);
  assert_memory_equal(a->event_bar, b->event_bar, n * 8);
  assert_memory_equal(a->event_time, b->event_time, n * 8);
  assert_memory_equal(a->end_bar, b->end_bar, n * 8);
  assert_memory_equal(a->end_time, b->end_time, n * 8);
  assert_memory_equal(a->side, b->side, n);
  assert_memory_equal(a->outcome, b->outcome, n);
  assert_memory_equal(a->label, b->label, n);
  assert_memory_equal(a->entry_price, b->entry_price, n * 4);
  assert_memory_equal(a->exit_price, b->exit_price, n * 4);
  assert_memory_equal(a->pnl_points, b->pnl_points, n * 8);
  assert_memory_equal(a->weight, b->weight, n * 8);
  assert_memory_equal(a->target_level, b->target_level, n * 4);
  assert_memory_equal(a->stop_level, b->stop_level, n * 4);
  assert_memory_equal(a->last_bar, b->last_bar, n * 8);
  assert_memory_equal(a->deadline, b->deadline, n * 8);
  assert_memory_equal(a->exit_tick, b->exit_tick, n * 8);
  assert_memory_equal(a->usable, b->usable, n);
  assert_int_equal(a->not_usable, b->not_usable);
}

static void the_bits_do_not_depend_on_threads(void **state) {
  (void)state;
  market m;
  market_make(&m, 23, 100000, 3, false);
  fmlp_settings settings = settings_of(20, 20, 50);
  fmlp_events events = every_bar(&m, 1);
  fmlp_threads_set(1);
  fmlp_labels one = make(&settings, &m, &events);
  for (int threads = 2; threads <= 4; threads += 2) {
    fmlp_threads_set(threads);
    fmlp_labels many = make(&settings, &m, &events);
    compare_labels(&one, &many);
    fmlp_labels_release(&many);
  }
  fmlp_threads_set(0);
  fmlp_labels_release(&one);
  fmlp_events_release(&events);
  market_release(&m);
}

static void exported_labels_come_back_with_the_same_bits(void **state) {
  (void)state;
  market m;
  market_make(&m, 24, 3000, 10, false);
  fmlp_settings settings = settings_of(20, 20, 50);
  fmlp_events events = every_bar(&m, 1);
  fmlp_labels labels = make(&settings, &m, &events), back;
  labels.usable[3] = 0;
  labels.not_usable = 1;
  column_folder to;
  column_folder_make(&to, "labels");
  fmlp_error error = {""};
  const fmlp_column_sink sink = {&to, column_folder_put};
  assert_int_equal(fmlp_labels_export(&labels, MARKET_SCALE, &sink, &error), FMLP_OK);
  assert_int_equal(fmlp_labels_import(to.path, m.bars.count, &back, &error), FMLP_OK);
  compare_labels(&labels, &back);
  fmlp_labels_release(&back);

  char path[512];
  snprintf(path, sizeof path, "%s/labels/entry_price.npy", to.path);
  fmlp_type type;
  int64_t rows;
  void *prices = NULL;
  assert_int_equal(fmlp_npy_read(path, &type, &rows, &prices, &error), FMLP_OK);
  assert_int_equal(type, FMLP_FLOAT64);
  assert_true(((double *)prices)[5] == fmlp_decimal(labels.entry_price[5], MARKET_SCALE));
  fmlp_free(prices);

  /* Bars of another run: an error, not an index out of range. */
  assert_int_equal(fmlp_labels_import(to.path, 100, &back, &error), FMLP_ERR_INPUT);
  assert_int_equal(back.count, 0);
  snprintf(path, sizeof path, "%s/labels/side.npy", to.path);
  assert_int_equal(fmlp_npy_write(path, FMLP_INT8, 7, labels.side, &error), FMLP_OK);
  assert_int_equal(fmlp_labels_import(to.path, m.bars.count, &back, &error), FMLP_ERR_INPUT);
  assert_non_null(strstr(error.text, "side.npy"));
  unlink(path);
  assert_int_equal(fmlp_labels_import(to.path, m.bars.count, &back, &error), FMLP_ERR_INPUT);
  column_folder_remove(&to, "labels");
  fmlp_labels_release(&labels);
  fmlp_events_release(&events);
  market_release(&m);
}

static void every_failed_allocation_is_reported_and_nothing_leaks(void **state) {
  (void)state;
  market m;
  market_make(&m, 25, 2000, 10, false);
  fmlp_settings settings = settings_of(20, 20, 50);
  fmlp_labeling_settings *l = &settings.labeling;
  l->distance_mode = FMLP_DISTANCE_MFE_MAE;
  l->mfe_mae_horizon_bars = 5;
  l->mfe_mae_window = 10;
  l->mfe_mae_tp_quantile = l->mfe_mae_sl_quantile = 0.5;
  l->volatility_window = 10;
  l->tp_multiple = l->sl_multiple = 2;
  fmlp_events events = every_bar(&m, 1);
  for (int mode = 0; mode < 2; mode++) {
    int64_t nth = 1;
    for (; nth < 1000; nth++) {
      fmlp_error error = {""};
      fmlp_labels labels;
      fmlp_memory_fail_at(nth);
      fmlp_status status = fmlp_labels_make(&settings, &calendar, &m.bars, &m.source, NULL, &events, &compute,
                                            &labels, &error);
      fmlp_memory_fail_at(0);
      fmlp_labels_release(&labels);
      if (status == FMLP_OK) break;
      assert_int_equal(status, FMLP_ERR_OTHER);
      assert_true(error.text[0] != '\0');
    }
    assert_in_range(nth, 50, 999);
    l->distance_mode = FMLP_DISTANCE_VOLATILITY;
  }
  fmlp_events_release(&events);
  market_release(&m);
}

int main(void) {
  make_sessions();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(labels_equal_a_walk_over_ticks_under_every_rule),
      cmocka_unit_test(more_exit_ticks_than_a_batch_holds_change_nothing),
      cmocka_unit_test(levels_do_not_depend_on_data_after_the_event),
      cmocka_unit_test(excursion_distances_are_quantiles_of_completed_excursions),
      cmocka_unit_test(the_bits_do_not_depend_on_threads),
      cmocka_unit_test(exported_labels_come_back_with_the_same_bits),
      cmocka_unit_test(every_failed_allocation_is_reported_and_nothing_leaks),
  };
  return RUN_ON_EACH_BACKEND(tests);
}
