/* monte_carlo.json. */
#include "common/io/json.h"
#include "common/stages/risk.h"

static const char *const resampling_names[] = {
    [FMLP_MC_DAY] = "day",
    [FMLP_MC_IID] = "iid",
    [FMLP_MC_MOVING_BLOCK] = "moving_block",
    [FMLP_MC_CIRCULAR_BLOCK] = "circular_block",
    [FMLP_MC_STATIONARY] = "stationary",
    [FMLP_MC_PERMUTATION] = "permutation",
};

const char *fmlp_resampling_name(fmlp_resampling kind) {
  return resampling_names[kind];
}

static json_t *proportion_json(const fmlp_proportion *proportion) {
  if (proportion->total == 0) return json_null();
  json_t *object = json_object();
  fmlp_json_set_integer(object, "count", proportion->count);
  fmlp_json_set_real(object, "probability", proportion->value);
  fmlp_json_set_real(object, "low", proportion->low);
  fmlp_json_set_real(object, "high", proportion->high);
  return object;
}

static json_t *reals(const double *values, int32_t count) {
  json_t *array = json_array();
  for (int32_t i = 0; i < count; i++) (void)json_array_append_new(array, fmlp_json_real(values[i]));
  return array;
}

static void set_limits(json_t *root, const fmlp_settings *settings) {
  json_t *limits = json_object();
  fmlp_json_set_real(limits, "max_daily_loss", settings->risk.max_daily_loss);
  fmlp_json_set_real(limits, "max_total_loss", settings->risk.max_total_loss);
  fmlp_json_set_real(limits, "target_profit", settings->risk.target_profit);
  fmlp_json_set(root, "limits", limits);
}

static void set_outcomes(json_t *root, const fmlp_risk_result *result) {
  json_t *outcomes = json_object();
  fmlp_json_set_integer(outcomes, "complete", result->totals.outcome_count[FMLP_PATH_COMPLETE]);
  fmlp_json_set_integer(outcomes, "ruin", result->totals.outcome_count[FMLP_PATH_RUIN]);
  fmlp_json_set_integer(outcomes, "daily_loss", result->totals.outcome_count[FMLP_PATH_DAILY_LOSS]);
  fmlp_json_set_integer(outcomes, "target", result->totals.outcome_count[FMLP_PATH_TARGET]);
  fmlp_json_set(root, "outcomes", outcomes);
  json_t *probabilities = json_object();
  fmlp_json_set(probabilities, "ruin", proportion_json(&result->ruin));
  fmlp_json_set(probabilities, "daily_loss",
                result->daily_loss_evaluated ? proportion_json(&result->daily_loss)
                                             : json_string("not evaluated"));
  fmlp_json_set(probabilities, "target", proportion_json(&result->target));
  fmlp_json_set(probabilities, "loss", proportion_json(&result->loss));
  fmlp_json_set(root, "probabilities", probabilities);
}

static void set_distributions(json_t *root, const fmlp_risk_result *result) {
  fmlp_json_set(root, "quantile_levels", reals(fmlp_risk_quantile_levels, FMLP_RISK_QUANTILES));
  json_t *capital = json_object();
  bool totals = result->limits_evaluated; /* a permutation's final capital is the backtest's own */
  fmlp_json_set_real(capital, "mean", result->totals.mean_final_capital);
  fmlp_json_set(capital, "quantiles", reals(result->final_capital_quantile, FMLP_RISK_QUANTILES));
  fmlp_json_set(root, "final_capital", totals ? capital : json_null());
  if (!totals) json_decref(capital);
  json_t *drawdown = json_object();
  fmlp_json_set_real(drawdown, "mean", result->totals.mean_max_drawdown);
  fmlp_json_set(drawdown, "quantiles", reals(result->max_drawdown_quantile, FMLP_RISK_QUANTILES));
  fmlp_json_set(root, "max_drawdown", drawdown);
  fmlp_json_set_real(root, "mean_trades_used",
                     (double)result->totals.trades_used_total / (double)result->paths);
  json_t *fan = json_array();
  for (int32_t f = 0; f < result->fan_points; f++) {
    json_t *column = json_object();
    fmlp_json_set_integer(column, "trade", result->fan_trade[f]);
    fmlp_json_set(column, "capital", reals(result->fan_quantile[f], FMLP_RISK_QUANTILES));
    (void)json_array_append_new(fan, column);
  }
  fmlp_json_set(root, "fan", fan);
}

void fmlp_risk_json(const fmlp_settings *settings, const fmlp_risk_result *result, fmlp_text *text) {
  json_t *root = json_object();
  fmlp_json_set_integer(root, "schema", 1);
  fmlp_json_set(root, "run", json_boolean(result->paths > 0));
  fmlp_json_set_text(root, "reason", result->paths > 0 ? NULL : "the backtest made no trade");
  fmlp_json_set_text(root, "kind", fmlp_resampling_name(result->kind));
  fmlp_json_set_integer(root, "seed", (int64_t)settings->seed);
  fmlp_json_set_integer(root, "paths", result->paths);
  fmlp_json_set_integer(root, "trades", result->trades);
  fmlp_json_set_integer(root, "days", result->days);
  fmlp_json_set_real(root, "initial_capital", settings->backtest.initial_capital);
  fmlp_json_set(root, "compounding", json_boolean(settings->risk.compounding));
  set_limits(root, settings);
  if (result->paths > 0) {
    fmlp_json_set_integer(root, "block_size", result->block_length);
    fmlp_json_set_integer(root, "max_trades", result->max_trades);
    set_outcomes(root, result);
    set_distributions(root, result);
  }
  json_t *warnings = json_array();
  if (result->paths > 0 && result->few_trades) {
    (void)json_array_append_new(warnings, json_string("fewer than 30 trades: resampling them shows little"));
  }
  if (result->paths > 0 && result->few_days) {
    (void)json_array_append_new(
        warnings, json_string("fewer than 10 trading days: resampling whole days shows little"));
  }
  fmlp_json_set(root, "warnings", warnings);
  fmlp_text_json(text, root);
}
