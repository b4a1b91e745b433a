/* Sample weights: published answers, a brute-force definition, decay, sides. */
#include "tests/cmocka_fmlp.h"

#include <math.h>
#include <string.h>

#include "common/core/bits.h"
#include "common/core/memory.h"
#include "common/stages/weights.h"
#include "tests/unit/small_market.h"

static void close_to(double value, double expected, double tolerance) {
  if (!(fabs(value - expected) <= tolerance)) fail_msg("%.17g, expected %.17g", value, expected);
}

static void average_uniqueness_gives_the_published_answers(void **state) {
  (void)state;
  fmlp_error error = {""};
  const int64_t start[] = {1, 2, 5, 7, 10, 11, 12, 20}, end[] = {3, 4, 7, 9, 12, 13, 14, 22};
  double uniqueness[8];
  assert_int_equal(fmlp_average_uniqueness(8, start, end, 23, uniqueness, &error), FMLP_OK);
  close_to(uniqueness[0], 2.0 / 3.0, 1e-15);
  close_to(uniqueness[2], 2.5 / 3.0, 1e-15);
  close_to(uniqueness[5], 4.0 / 9.0, 1e-15);
  assert_true(uniqueness[7] == 1.0);
  const int64_t from[] = {0, 2, 4}, to[] = {3, 5, 7};
  assert_int_equal(fmlp_average_uniqueness(3, from, to, 8, uniqueness, &error), FMLP_OK);
  assert_true(uniqueness[0] == 0.75 && uniqueness[1] == 0.5 && uniqueness[2] == 0.75);
}

static void the_sequential_bootstrap_favours_what_overlaps_least(void **state) {
  (void)state;
  fmlp_error error = {""};
  const int64_t start[] = {0, 2, 4}, end[] = {2, 3, 5}, drawn[] = {1};
  double probability[3];
  assert_int_equal(fmlp_sequential_bootstrap_probabilities(3, start, end, 6, 0, drawn, probability, &error),
                   FMLP_OK);
  for (int e = 0; e < 3; e++) close_to(probability[e], 1.0 / 3.0, 1e-15);
  assert_int_equal(fmlp_sequential_bootstrap_probabilities(3, start, end, 6, 1, drawn, probability, &error),
                   FMLP_OK);
  close_to(probability[0], 5.0 / 14.0, 1e-15);
  close_to(probability[1], 3.0 / 14.0, 1e-15);
  close_to(probability[2], 6.0 / 14.0, 1e-15);
}

static void concurrency_and_uniqueness_equal_their_definitions(void **state) {
  (void)state;
  enum { COUNT = 300, BARS = 200 };
  fmlp_error error = {""};
  uint64_t random = 9;
  int64_t start[COUNT], end[COUNT];
  for (int e = 0; e < COUNT; e++) {
    start[e] = market_random(&random) % BARS;
    end[e] = start[e] + market_random(&random) % (uint32_t)(BARS - start[e]);
  }
  start[0] = 0;
  end[0] = BARS - 1;
  int32_t concurrency[BARS];
  double uniqueness[COUNT];
  assert_int_equal(fmlp_concurrency(COUNT, start, end, BARS, concurrency, &error), FMLP_OK);
  assert_int_equal(fmlp_average_uniqueness(COUNT, start, end, BARS, uniqueness, &error), FMLP_OK);
  for (int b = 0; b < BARS; b++) {
    int32_t expected = 0;
    for (int e = 0; e < COUNT; e++) expected += start[e] <= b && b <= end[e];
    assert_int_equal(concurrency[b], expected);
  }
  for (int e = 0; e < COUNT; e++) {
    double sum = 0.0;
    for (int64_t b = start[e]; b <= end[e]; b++) sum += 1.0 / concurrency[b];
    close_to(uniqueness[e], sum / (double)(end[e] - start[e] + 1), 1e-14);
  }
}

static void decay_is_linear_in_cumulated_uniqueness(void **state) {
  (void)state;
  const double uniqueness[] = {0.5, 1.0, 0.5, 2.0};
  const struct {
    double decay, expected[4];
  } cases[] = {{1.0, {1.0, 1.0, 1.0, 1.0}},
               {0.0, {0.125, 0.375, 0.5, 1.0}},
               {0.5, {0.5625, 0.6875, 0.75, 1.0}},
               {-0.5, {0.0, 0.0, 0.0, 1.0}},
               {-0.25, {0.0, 1.0 / 6.0, 1.0 / 3.0, 1.0}}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    double weight[] = {1.0, 1.0, 1.0, 1.0};
    fmlp_weights_decay(4, uniqueness, cases[c].decay, weight);
    for (int e = 0; e < 4; e++) close_to(weight[e], cases[c].expected[e], 1e-15);
  }
}

/* Rows of both sides over one market; `weight` is what the stage fills. */
typedef struct table {
  int64_t event_bar[6], end_bar[6];
  int8_t side[6];
  double weight[6];
  fmlp_labels labels;
} table;

static void fill_table(table *t) {
  *t = (table){{3, 3, 5, 5, 9, 20}, {6, 4, 8, 7, 12, 25}, {1, -1, 1, -1, 1, 1}, {0}, {0}};
  t->labels = (fmlp_labels){
      .count = 6, .event_bar = t->event_bar, .end_bar = t->end_bar, .side = t->side, .weight = t->weight};
}

static void each_side_is_weighed_by_itself_with_mean_one(void **state) {
  (void)state;
  fmlp_error error = {""};
  market m;
  market_make(&m, 2, 300, 10, false);
  table t;
  fill_table(&t);
  fmlp_labeling_settings settings = {.weights_type = FMLP_WEIGHTS_UNIQUENESS, .weights_time_decay = 1.0};
  assert_int_equal(fmlp_weights_compute(&settings, &m.bars, &t.labels, &error), FMLP_OK);
  assert_true(t.weight[1] == 1.0 && t.weight[3] == 1.0); /* the shorts do not overlap each other */
  close_to((t.weight[0] + t.weight[2] + t.weight[4] + t.weight[5]) / 4.0, 1.0, 1e-15);
  close_to(t.weight[0] / t.weight[5], 0.75, 1e-15); /* [3,6] shares two of four bars with [5,8] */
  settings.weights_type = FMLP_WEIGHTS_NONE;
  assert_int_equal(fmlp_weights_compute(&settings, &m.bars, &t.labels, &error), FMLP_OK);
  for (int e = 0; e < 6; e++) assert_true(t.weight[e] == 1.0);
  settings.weights_time_decay = 0.0;
  assert_int_equal(fmlp_weights_compute(&settings, &m.bars, &t.labels, &error), FMLP_OK);
  assert_true(t.weight[0] < t.weight[2] && t.weight[2] < t.weight[4] && t.weight[4] < t.weight[5]);
  market_release(&m);
}

static void returns_are_shared_among_the_labels_that_hold_them(void **state) {
  (void)state;
  fmlp_error error = {""};
  market m;
  market_make(&m, 2, 300, 10, false);
  table t;
  fill_table(&t);
  fmlp_labeling_settings settings = {.weights_type = FMLP_WEIGHTS_RETURN, .weights_time_decay = 1.0};
  assert_int_equal(fmlp_weights_compute(&settings, &m.bars, &t.labels, &error), FMLP_OK);
  double expected[6] = {0}, sum[2] = {0};
  for (int e = 0; e < 6; e++) {
    for (int64_t b = t.event_bar[e]; b <= t.end_bar[e]; b++) {
      int together = 0;
      for (int f = 0; f < 6; f++) {
        together += t.side[f] == t.side[e] && t.event_bar[f] <= b && b <= t.end_bar[f];
      }
      expected[e] += log((double)m.bars.bid_close[b] / m.bars.bid_close[b - 1]) / together;
    }
    expected[e] = fabs(expected[e]);
    sum[t.side[e] < 0] += expected[e];
  }
  for (int e = 0; e < 6; e++) {
    close_to(t.weight[e], expected[e] / (t.side[e] > 0 ? sum[0] / 4.0 : sum[1] / 2.0), 1e-9);
  }
  for (int64_t b = 0; b < m.bars.count; b++) m.bars.bid_close[b] = 130000;
  assert_int_equal(fmlp_weights_compute(&settings, &m.bars, &t.labels, &error), FMLP_OK);
  for (int e = 0; e < 6; e++) assert_true(t.weight[e] == 1.0); /* no price moved: all alike */
  market_release(&m);
}

static void every_failed_allocation_is_reported_and_nothing_leaks(void **state) {
  (void)state;
  market m;
  market_make(&m, 2, 300, 10, false);
  table t;
  fill_table(&t);
  fmlp_labeling_settings settings = {.weights_type = FMLP_WEIGHTS_RETURN, .weights_time_decay = 0.5};
  int64_t nth = 1;
  for (; nth < 100; nth++) {
    fmlp_error error = {""};
    fmlp_memory_fail_at(nth);
    fmlp_status status = fmlp_weights_compute(&settings, &m.bars, &t.labels, &error);
    fmlp_memory_fail_at(0);
    if (status == FMLP_OK) break;
    assert_int_equal(status, FMLP_ERR_OTHER);
    assert_non_null(strstr(error.text, "out of memory"));
  }
  assert_in_range(nth, 10, 99);
  market_release(&m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(average_uniqueness_gives_the_published_answers),
      cmocka_unit_test(the_sequential_bootstrap_favours_what_overlaps_least),
      cmocka_unit_test(concurrency_and_uniqueness_equal_their_definitions),
      cmocka_unit_test(decay_is_linear_in_cumulated_uniqueness),
      cmocka_unit_test(each_side_is_weighed_by_itself_with_mean_one),
      cmocka_unit_test(returns_are_shared_among_the_labels_that_hold_them),
      cmocka_unit_test(every_failed_allocation_is_reported_and_nothing_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
