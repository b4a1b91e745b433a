/* The triple barrier on published bars: dollar_bar_sample.csv of the test data, with the answers of mlfinpy's
 * tests: 960 daily volatilities, 9 CUSUM events at 2 %, of which 8 have a target above 0.5 %. Skipped,
 * visibly, where the data is not there. */
#include "tests/cmocka_fmlp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/stages/events.h"
#include "common/stages/labels.h"
#include "tests/unit/device_buffers.h"

enum { BARS = 1000, SPAN = 100, SKIPPED = 77 };
static const fmlp_scale quarter = {25, 2}; /* the contract moves in steps of 0.25 */
static const int64_t day = INT64_C(86400000000000);

/* Bars of one trade each: the closes, which is all that the published labels look at. */
typedef struct closes {
  int64_t count;
  int64_t time[BARS], first[BARS], last[BARS];
  int32_t price[BARS];
  double spread[BARS];
  fmlp_bars bars;
  fmlp_ticks ticks;
} closes;

static closes sample;
static int64_t far_open = INT64_MIN, far_close = INT64_MAX;
static int32_t far_day;
static const fmlp_calendar always_open = {1, &far_open, &far_close, &far_day};

static FILE *open_sample(void) {
  char path[1024];
  const char *folder = getenv("FMLP_DATA");
  snprintf(path, sizeof path, "%s/dollar_bar_sample.csv",
           folder ? folder : FMLP_SOURCE_DIR "/../shared/data");
  return fopen(path, "r");
}

/* All of January 2015. */
static int64_t parse_time(const char *text) {
  int date = 0, hour = 0, minute = 0, second = 0, milli = 0;
  assert_int_equal(sscanf(text, "2015-01-%d %d:%d:%d.%d", &date, &hour, &minute, &second, &milli), 5);
  int64_t seconds = INT64_C(1420070400) + (date - 1) * 86400 + hour * 3600 + minute * 60 + second;
  return (seconds * 1000 + milli) * 1000000;
}

static void read_sample(FILE *file) {
  char line[512];
  assert_non_null(fgets(line, sizeof line, file));
  while (fgets(line, sizeof line, file)) {
    assert_true(sample.count < BARS);
    int64_t n = sample.count++;
    char *field = strtok(line, ",");
    sample.time[n] = parse_time(field);
    for (int skip = 0; skip < 4; skip++) field = strtok(NULL, ",");
    double points = strtod(field, NULL) / 0.25;
    sample.price[n] = (int32_t)points;
    assert_true(points == sample.price[n]);
    sample.first[n] = n;
    sample.last[n] = n + 1;
  }
  sample.bars = (fmlp_bars){.kind = FMLP_TRADES,
                            .count = sample.count,
                            .price = quarter,
                            .open_time = sample.time,
                            .close_time = sample.time,
                            .first_tick = sample.first,
                            .last_tick = sample.last,
                            .bid_open = sample.price,
                            .bid_high = sample.price,
                            .bid_low = sample.price,
                            .bid_close = sample.price,
                            .ask_open = sample.price,
                            .ask_high = sample.price,
                            .ask_low = sample.price,
                            .ask_close = sample.price,
                            .spread_mean = sample.spread,
                            .spread_std = sample.spread};
  sample.ticks = (fmlp_ticks){.kind = FMLP_TRADES,
                              .count = sample.count,
                              .price = quarter,
                              .time = sample.time,
                              .bid = sample.price,
                              .ask = sample.price};
}

/* Number of bars that close before `time`. */
static int64_t bars_before(int64_t time) {
  int64_t n = 0;
  while (n < sample.count && sample.time[n] < time) n++;
  return n;
}

/* AFML 3.1: ewm std (span 100, adjusted and unbiased as in pandas) of returns over one day; returns how many.
 */
static int64_t daily_volatility(double *volatility) {
  double alpha = 2.0 / (SPAN + 1.0), weight = 0, square_weight = 0, mean = 0, variance = 0;
  int64_t count = 0;
  for (int64_t n = 0; n < sample.count; n++) {
    volatility[n] = NAN;
    int64_t before = bars_before(sample.time[n] - day);
    if (before == 0) continue;
    double change = (double)sample.price[n] / sample.price[before - 1] - 1.0;
    double older = weight * (1.0 - alpha), all = older + 1.0;
    double distance = change - mean;
    square_weight = square_weight * (1.0 - alpha) * (1.0 - alpha) + 1.0;
    mean += distance / all;
    variance = (older * variance + older / all * distance * distance) / all;
    weight = all;
    double square = weight * weight;
    volatility[n] = count++ == 0 ? NAN : sqrt(variance * square / (square - square_weight));
  }
  return count;
}

static void the_published_triple_barrier_events_come_out(void **state) {
  (void)state;
  static double volatility[BARS];
  assert_int_equal(sample.count, BARS);
  assert_int_equal(daily_volatility(volatility), 960);
  assert_true(fabs(volatility[BARS - 1] - 0.00896823893217064) < 1e-15);

  const fmlp_labeling_settings cusum = {
      .events_type = FMLP_EVENTS_CUSUM, .events_threshold = 0.02, .side = FMLP_SIDE_LONG};
  fmlp_events events;
  fmlp_error error = {""};
  assert_int_equal(fmlp_events_find(&cusum, &always_open, false, &sample.bars, &events, &error), FMLP_OK);
  assert_int_equal(events.count, 9);

  fmlp_compute compute = open_compute("cpu");
  const fmlp_tick_source source = fmlp_ticks_source(&sample.ticks);
  double targets[9];
  int64_t kept = 0;
  for (int64_t e = 0; e < events.count; e++) {
    int64_t start = events.bar[e], vertical = bars_before(sample.time[start] + day);
    if (!(volatility[start] > 0.005)) continue;
    double target = targets[kept++] = volatility[start];
    if (vertical > BARS - 1) vertical = BARS - 1;
    /* The first close whose return leaves the band, or the vertical barrier. */
    int outcome = 0;
    int64_t end = start;
    while (outcome == 0 && end < vertical) {
      double change = (double)sample.price[++end] / sample.price[start] - 1.0;
      outcome = (change >= target) - (change <= -target);
    }
    int64_t points = (int64_t)ceil(target * sample.price[start]);
    const fmlp_settings settings = {.labeling = {.distance_mode = FMLP_DISTANCE_TICKS,
                                                 .tp_ticks = points,
                                                 .sl_ticks = points,
                                                 .max_horizon_bars = vertical - start,
                                                 .min_horizon_bars = 1},
                                    .backtest = {.contract_size = 1.0}};
    const fmlp_events one = {1, &events.bar[e], &events.side[e]};
    fmlp_labels labels;
    assert_int_equal(fmlp_labels_make(&settings, &always_open, &sample.bars, &source, NULL, &one, &compute,
                                      &labels, &error),
                     FMLP_OK);
    assert_int_equal(labels.outcome[0], outcome);
    assert_int_equal(labels.end_bar[0], end);
    fmlp_labels_release(&labels);
  }
  assert_int_equal(kept, 8);
  assert_true(fabs(targets[0] - 0.010166261175903357) < 1e-15);
  assert_true(fabs(targets[7] - 0.006455887663302873) < 1e-15);
  fmlp_compute_close(&compute);
  fmlp_events_release(&events);
}

int main(void) {
  FILE *file = open_sample();
  if (!file) {
    printf("skipped: no dollar_bar_sample.csv in FMLP_DATA or ../shared/data\n");
    return SKIPPED;
  }
  read_sample(file);
  fclose(file);
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_published_triple_barrier_events_come_out)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
