/* The feature set `base`: p = bid close, m = mid of the closes; high and low are the bid's; the spread is in
 * price units. Names, formulas and lookbacks are a contract with configurations and saved models. */
#include <stdarg.h>
#include <stdio.h>

#include "common/stages/features_plan.h"

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof *(array)))

static const int return_lookbacks[] = {1, 5, 10, 20};
static const int volatility_lookbacks[] = {10, 20, 50};
static const int range_lookbacks[] = {10, 20};
static const int spread_lookbacks[] = {5, 10};
static const int flow_lookbacks[] = {5, 10, 20};
static const int average_lookbacks[] = {5, 10, 20, 50};
static const int crosses[][2] = {{5, 10}, {10, 20}, {20, 50}};
enum { TICK_COUNT_LOOKBACK = 20 };

static void keep(fmlp_feature_plan *plan, fmlp_operand operand, const char *format, ...) FMLP_PRINTF(3, 4);

static void keep(fmlp_feature_plan *plan, fmlp_operand operand, const char *format, ...) {
  char name[FMLP_NAME_CAPACITY];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(name, sizeof name, format, arguments);
  va_end(arguments);
  fmlp_plan_name(plan, operand, true, name);
}

static void add_price_path(fmlp_feature_plan *plan) {
  fmlp_operand p = fmlp_plan_column(plan, FMLP_COLUMN_BID_CLOSE);
  fmlp_operand high = fmlp_plan_column(plan, FMLP_COLUMN_BID_HIGH);
  fmlp_operand low = fmlp_plan_column(plan, FMLP_COLUMN_BID_LOW);
  for (int i = 0; i < COUNT_OF(return_lookbacks); i++) {
    int k = return_lookbacks[i];
    keep(plan, fmlp_plan_unary(plan, FMLP_OP_LOG_RETURN, p, k), "ret_%d", k);
  }
  fmlp_operand ret_1 = fmlp_plan_unary(plan, FMLP_OP_LOG_RETURN, p, 1);
  for (int i = 0; i < COUNT_OF(volatility_lookbacks); i++) {
    int k = volatility_lookbacks[i];
    keep(plan, fmlp_plan_unary(plan, FMLP_OP_STD, ret_1, k), "vol_%d", k);
  }
  for (int i = 0; i < COUNT_OF(range_lookbacks); i++) {
    int k = range_lookbacks[i];
    fmlp_operand highest = fmlp_plan_unary(plan, FMLP_OP_MAX, high, k);
    fmlp_operand lowest = fmlp_plan_unary(plan, FMLP_OP_MIN, low, k);
    fmlp_operand width = fmlp_plan_binary(plan, FMLP_OP_SUB, highest, lowest);
    keep(plan, fmlp_plan_binary(plan, FMLP_OP_DIV, width, p), "range_%d", k);
  }
}

static void add_means(fmlp_feature_plan *plan, fmlp_operand of, const char *stem, const int *lookbacks,
                      int count) {
  for (int i = 0; i < count; i++) {
    keep(plan, fmlp_plan_unary(plan, FMLP_OP_MEAN, of, lookbacks[i]), "%s_%d", stem, lookbacks[i]);
  }
}

static void add_microstructure(fmlp_feature_plan *plan) {
  fmlp_operand spread = fmlp_plan_column(plan, FMLP_COLUMN_SPREAD_MEAN);
  keep(plan, spread, "spread");
  keep(plan, fmlp_plan_unary(plan, FMLP_OP_DIFF, spread, 1), "spread_change");
  add_means(plan, spread, "spread_mean", spread_lookbacks, COUNT_OF(spread_lookbacks));
  for (int i = 0; i < COUNT_OF(spread_lookbacks); i++) {
    int k = spread_lookbacks[i];
    keep(plan, fmlp_plan_unary(plan, FMLP_OP_STD, spread, k), "spread_std_%d", k);
  }

  fmlp_operand direction = fmlp_plan_column(plan, FMLP_COLUMN_TICK_DIRECTION);
  keep(plan, direction, "tick_direction");
  add_means(plan, direction, "of_imbalance", flow_lookbacks, COUNT_OF(flow_lookbacks));

  fmlp_operand imbalance = fmlp_plan_column(plan, FMLP_COLUMN_VOLUME_IMBALANCE);
  keep(plan, imbalance, "volume_imbalance");
  add_means(plan, imbalance, "volume_imbalance", flow_lookbacks, COUNT_OF(flow_lookbacks));

  fmlp_operand ticks = fmlp_plan_column(plan, FMLP_COLUMN_TICK_COUNT);
  fmlp_operand usual = fmlp_plan_unary(plan, FMLP_OP_MEAN, ticks, TICK_COUNT_LOOKBACK);
  keep(plan, ticks, "tick_count");
  keep(plan, fmlp_plan_binary(plan, FMLP_OP_DIV, ticks, usual), "tick_count_norm");
  keep(plan, fmlp_plan_column(plan, FMLP_COLUMN_DURATION), "bar_duration");
}

static void add_trend(fmlp_feature_plan *plan) {
  fmlp_operand m = fmlp_plan_column(plan, FMLP_COLUMN_MID);
  fmlp_operand change = fmlp_plan_unary(plan, FMLP_OP_PCT_CHANGE, m, 1);
  for (int i = 0; i < COUNT_OF(average_lookbacks); i++) {
    int k = average_lookbacks[i];
    fmlp_operand ma = fmlp_plan_unary(plan, FMLP_OP_MEAN, m, k);
    fmlp_operand rise = fmlp_plan_unary(plan, FMLP_OP_DIFF, ma, k);
    fmlp_operand slope = fmlp_plan_binary(plan, FMLP_OP_DIV, rise, fmlp_plan_constant(plan, (double)k));
    fmlp_operand volatility = fmlp_plan_unary(plan, FMLP_OP_STD, change, k);
    fmlp_operand typical = fmlp_plan_binary(plan, FMLP_OP_MUL, m, volatility);
    fmlp_operand distance = fmlp_plan_binary(plan, FMLP_OP_SUB, m, ma);
    keep(plan, ma, "ma_%d", k);
    keep(plan, slope, "ma_%d_slope", k);
    keep(plan, fmlp_plan_binary(plan, FMLP_OP_DIV, slope, typical), "ma_%d_slope_norm", k);
    keep(plan, fmlp_plan_binary(plan, FMLP_OP_DIV, distance, ma), "dist_to_ma_%d", k);
  }
  for (int i = 0; i < COUNT_OF(crosses); i++) {
    int a = crosses[i][0], b = crosses[i][1];
    fmlp_operand fast = fmlp_plan_unary(plan, FMLP_OP_MEAN, m, a);
    fmlp_operand slow = fmlp_plan_unary(plan, FMLP_OP_MEAN, m, b);
    fmlp_operand gap = fmlp_plan_binary(plan, FMLP_OP_SUB, fast, slow);
    keep(plan, fmlp_plan_binary(plan, FMLP_OP_CROSS, fast, slow), "ma_cross_%d_%d", a, b);
    keep(plan, fmlp_plan_binary(plan, FMLP_OP_DIV, gap, slow), "ma_cross_%d_%d_strength", a, b);
  }
}

void fmlp_plan_base(fmlp_feature_plan *plan) {
  add_price_path(plan);
  add_microstructure(plan);
  add_trend(plan);
}
