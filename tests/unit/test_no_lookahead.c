/* No look-ahead: two markets equal up to a moment and different after it must give equal bars, features,
 * events, barrier levels and walk-forward signals before that moment. Run over every distance mode and
 * several moments. */
#include "tests/cmocka_fmlp.h"

#include <math.h>
#include <string.h>

#include "common/backends.h"
#include "common/core/bits.h"
#include "common/core/memory.h"
#include "common/core/philox.h"
#include "common/stages/bars_stage.h"
#include "common/stages/calendar.h"
#include "common/stages/cv.h"
#include "common/stages/events.h"
#include "common/stages/features.h"
#include "common/stages/labels.h"
#include "common/stages/model.h"
#include "common/stages/weights.h"
#include "tests/unit/feature_entry.h"

enum { TICKS = 60000, BAR = 20 };

static const int64_t start = INT64_C(1704672000) * 1000000000; /* Monday 2024-01-08 */

/* Everything computed from one market. */
typedef struct world {
  fmlp_ticks ticks;
  fmlp_calendar calendar;
  fmlp_bars bars;
  fmlp_features features;
  fmlp_events events;
  fmlp_labels labels;
  fmlp_folds folds;
  fmlp_model_result model;
} world;

static void make_ticks(fmlp_ticks *ticks, int64_t changed_from) {
  fmlp_error error = {""};
  *ticks = (fmlp_ticks){.kind = FMLP_QUOTES, .price = {1, 5}, .size_unit = {1, 0}};
  assert_int_equal(fmlp_ticks_reserve(ticks, TICKS, true, &error), FMLP_OK);
  int32_t bid = 110000;
  for (int64_t i = 0; i < TICKS; i++) {
    uint32_t u = fmlp_philox_u32(i < changed_from ? 1 : 2, 0, (uint64_t)i);
    bid += (int32_t)(u % 9) - 4;
    ticks->time[i] = start + i * INT64_C(9000000000); /* nine seconds: some sessions and a weekend */
    ticks->bid[i] = bid;
    ticks->ask[i] = bid + 1 + (int32_t)(u >> 8 & 3);
    ticks->bid_size[i] = 1 + (int64_t)(u >> 12 & 15);
    ticks->ask_size[i] = 1 + (int64_t)(u >> 16 & 15);
  }
  ticks->count = TICKS;
}

static fmlp_settings settings_for(fmlp_distance_mode mode) {
  static fmlp_feature_entry plan[4];
  plan[0] = entry("trend", "slope", "mid");
  plan[0].window = 30;
  plan[1] = entry("level", "rank", "close");
  plan[1].window = 40;
  plan[2] = entry("smooth", "ema", "close");
  plan[2].span = 20;
  plan[3] = entry("memory", "fracdiff", "close");
  plan[3].d = 0.4;
  plan[3].threshold = 0.01;
  return (fmlp_settings){
      .seed = 42,
      .session = {.timezone = "UTC", .session_start = 0, .session_end = 1315, .friday_end = 1200},
      .bars = {.type = FMLP_BARS_TICK, .threshold = BAR, .threshold_text = "20", .keep_session_tail = true},
      .features = {.base = true, .plan_count = 4, .plan = plan},
      .labeling = {.events_type = FMLP_EVENTS_ALL,
                   .side = FMLP_SIDE_BOTH,
                   .distance_mode = mode,
                   .tp_ticks = 30,
                   .sl_ticks = 25,
                   .volatility_window = 20,
                   .tp_multiple = 3,
                   .sl_multiple = 2,
                   .mfe_mae_horizon_bars = 12,
                   .mfe_mae_window = 60,
                   .mfe_mae_tp_quantile = 0.6,
                   .mfe_mae_sl_quantile = 0.7,
                   .max_horizon_bars = 16,
                   .min_horizon_bars = 4,
                   .tie = FMLP_TIE_TICKS,
                   .weights_type = FMLP_WEIGHTS_UNIQUENESS,
                   .weights_time_decay = 1},
      .validation = {.cv_type = FMLP_CV_WALK_FORWARD,
                     .n_splits = 5,
                     .n_groups = 6,
                     .n_test_groups = 2,
                     .embargo_bars = 5},
      .model = {.type = FMLP_MODEL_RANDOM_FOREST,
                .n_estimators = 8,
                .max_depth = 4,
                .max_bin = 32,
                .min_samples_leaf = 5,
                .max_features = 0},
      .backtest = {.contract_size = 100000, .size = 0.1, .initial_capital = 10000},
  };
}

static void make_world(world *made, const fmlp_settings *settings, int64_t changed_from) {
  fmlp_error error = {""};
  fmlp_compute compute;
  char notice[256];
  memset(made, 0, sizeof *made);
  assert_int_equal(fmlp_compute_open("cpu", &compute, notice, sizeof notice, &error), FMLP_OK);
  make_ticks(&made->ticks, changed_from);
  fmlp_tick_source source = fmlp_ticks_source(&made->ticks);
  fmlp_bars_report report;
  assert_int_equal(fmlp_calendar_build(&settings->session, made->ticks.time[0], made->ticks.time[TICKS - 1],
                                       &made->calendar, &error),
                   FMLP_OK);
  assert_int_equal(fmlp_bars_build(&settings->bars, &made->calendar, &source, &made->bars, &report, &error),
                   FMLP_OK);
  assert_int_equal(fmlp_features_compute(&settings->features, &made->bars, &compute, &made->features, &error),
                   FMLP_OK);
  assert_int_equal(
      fmlp_events_find(&settings->labeling, &made->calendar, false, &made->bars, &made->events, &error),
      FMLP_OK);
  assert_int_equal(fmlp_labels_make(settings, &made->calendar, &made->bars, &source, &made->features,
                                    &made->events, &compute, &made->labels, &error),
                   FMLP_OK);
  assert_int_equal(fmlp_weights_compute(&settings->labeling, &made->bars, &made->labels, &error), FMLP_OK);
  fmlp_compute_close(&compute);
}

static void release_world(world *made) {
  fmlp_model_result_release(&made->model);
  fmlp_folds_release(&made->folds);
  fmlp_labels_release(&made->labels);
  fmlp_events_release(&made->events);
  fmlp_features_release(&made->features);
  fmlp_bars_release(&made->bars);
  fmlp_calendar_release(&made->calendar);
  fmlp_ticks_release(&made->ticks);
}

/* Bars that are complete before tick `changed_from`. */
static int64_t bars_before(const world *made, int64_t changed_from) {
  int64_t count = 0;
  while (count < made->bars.count && made->bars.last_tick[count] <= changed_from) count++;
  return count;
}

static void assert_same_past(const world *a, const world *b, int64_t changed_from) {
  int64_t bars = bars_before(a, changed_from);
  assert_int_equal(bars, bars_before(b, changed_from));
  assert_true(bars > 200);
  assert_int_equal(a->features.count, b->features.count);
  for (int32_t f = 0; f < a->features.count; f++) {
    for (int64_t i = 0; i < bars; i++) {
      if (fmlp_bits_of(a->features.columns[f][i]) == fmlp_bits_of(b->features.columns[f][i])) continue;
      fail_msg("feature %s at bar %lld saw the future", a->features.names[f].text, (long long)i);
    }
  }
  int64_t compared = 0, differing_later = 0;
  for (int64_t i = 0; i < a->labels.count && i < b->labels.count; i++) {
    if (a->labels.event_bar[i] >= bars) {
      differing_later += a->labels.target_level[i] != b->labels.target_level[i];
      continue;
    }
    assert_int_equal(a->labels.event_bar[i], b->labels.event_bar[i]);
    assert_int_equal(a->labels.side[i], b->labels.side[i]);
    assert_int_equal(a->labels.target_level[i], b->labels.target_level[i]);
    assert_int_equal(a->labels.stop_level[i], b->labels.stop_level[i]);
    assert_int_equal(a->labels.entry_price[i], b->labels.entry_price[i]);
    assert_int_equal(a->labels.deadline[i], b->labels.deadline[i]);
    compared++;
  }
  assert_true(compared > 200);
  assert_true(differing_later > 200); /* the change is real: later levels do differ */
}

static void features_events_and_levels_do_not_see_the_future(void **state) {
  (void)state;
  const int64_t moments[] = {9000, 21234, 33333};
  for (int mode = FMLP_DISTANCE_VOLATILITY; mode <= FMLP_DISTANCE_MFE_MAE; mode++) {
    fmlp_settings settings = settings_for((fmlp_distance_mode)mode);
    world original;
    make_world(&original, &settings, TICKS);
    for (size_t m = 0; m < sizeof moments / sizeof *moments; m++) {
      world changed;
      make_world(&changed, &settings, moments[m]);
      assert_same_past(&original, &changed, moments[m]);
      release_world(&changed);
    }
    release_world(&original);
  }
}

#if FMLP_HAVE_MODEL
static void train(world *made, const fmlp_settings *settings) {
  fmlp_error error = {""};
  assert_int_equal(fmlp_cv_split(&settings->validation, &made->labels, &made->folds, &error), FMLP_OK);
  assert_int_equal(
      fmlp_model_run(settings, &made->features, &made->labels, &made->folds, &made->model, &error), FMLP_OK);
}
#endif

static void walk_forward_signals_do_not_see_the_future(void **state) {
  (void)state;
#if !FMLP_HAVE_MODEL
  skip();
#else
  const int64_t moment = 33333;
  fmlp_settings settings =
      settings_for(FMLP_DISTANCE_TICKS); /* a label for every event, so equal row numbers */
  world original, changed;
  make_world(&original, &settings, TICKS);
  make_world(&changed, &settings, moment);
  assert_int_equal(original.labels.count, changed.labels.count);
  train(&original, &settings);
  train(&changed, &settings);
  int64_t bars = bars_before(&original, moment), compared = 0, later = 0;
  for (int64_t i = 0; i < original.model.predictions.count; i++) {
    int64_t row = original.model.predictions.label_row[i];
    assert_int_equal(row, changed.model.predictions.label_row[i]);
    uint64_t a = fmlp_bits_of(original.model.predictions.probability[i]);
    uint64_t b = fmlp_bits_of(changed.model.predictions.probability[i]);
    if (original.labels.event_bar[row] < bars) {
      assert_true(a == b);
      compared++;
    } else {
      later += a != b;
    }
  }
  assert_true(compared > 500);
  assert_true(later > 100);
  release_world(&original);
  release_world(&changed);
#endif
}

static void no_label_column_is_a_model_input(void **state) {
  (void)state;
  const char *const forbidden[] = {"exit_price", "end_bar", "end_time",     "pnl_points",
                                   "outcome",    "label",   "last_bar",     "deadline",
                                   "weight",     "horizon", "target_level", "stop_level"};
  fmlp_settings settings = settings_for(FMLP_DISTANCE_TICKS);
  world made;
  make_world(&made, &settings, TICKS);
  for (int32_t f = 0; f < made.features.count; f++) {
    for (size_t n = 0; n < sizeof forbidden / sizeof *forbidden; n++) {
      assert_null(strstr(made.features.names[f].text, forbidden[n]));
    }
  }
#if FMLP_HAVE_MODEL
  train(&made, &settings);
  for (int32_t i = 0; i < made.model.feature_count; i++) {
    int found = 0;
    for (int32_t f = 0; f < made.features.count; f++) {
      found |= made.features.model_input[f] &&
               strcmp(made.features.names[f].text, made.model.feature_names[i].text) == 0;
    }
    assert_true(found);
  }
#endif
  release_world(&made);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(features_events_and_levels_do_not_see_the_future),
      cmocka_unit_test(walk_forward_signals_do_not_see_the_future),
      cmocka_unit_test(no_label_column_is_a_model_input),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
