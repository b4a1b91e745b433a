/* The table of keys. Documentation is for `fmlp run --help-keys` and says meaning and unit; the files under
 * configs/ carry the same defaults with longer comments (a test compares them). */
#include "common/config/schema.h"

#include <string.h>

#include "common/config/override.h"

#define AT(member) offsetof(fmlp_settings, member)

#define NAMES(name, ...) static const char *const name[] = {__VA_ARGS__, NULL}
NAMES(bad_rows, "error", "skip");
NAMES(crossed, "drop", "keep", "error");
NAMES(keep_drop, "keep", "drop");
NAMES(drop_keep, "drop", "keep");
NAMES(duplicates, "keep", "first", "last");
NAMES(bar_types, "tick", "volume", "dollar", "time", "tick_imbalance", "volume_imbalance", "dollar_imbalance",
      "tick_run", "volume_run", "dollar_run");
NAMES(feature_sets, "base", "none");
NAMES(event_types, "all", "every", "cusum");
NAMES(sides, "long", "short", "both");
NAMES(distance_modes, "volatility", "ticks", "mfe_mae");
NAMES(ties, "ticks", "sl_first", "tp_first");
NAMES(exits, "barrier", "close");
NAMES(weight_types, "uniqueness", "return", "none");
NAMES(cv_types, "cpcv", "purged_kfold", "walk_forward", "time_series");
NAMES(model_types, "random_forest", "gradient_boosting", "logistic");
NAMES(sizings, "fixed", "fixed_fractional");
NAMES(resamplings, "day", "iid", "moving_block", "circular_block", "stationary", "permutation");
NAMES(profile_levels, "spans", "full");
NAMES(log_levels, "error", "warning", "info", "debug");

#define MANY 2147483647.0
#define BIG  9007199254740992.0 /* 2^53 */

/* Rows by type; `range` is {min, max}. */
#define BOOL(path, initial, member, doc)                                                                     \
  { path, FMLP_KEY_BOOL, initial, 0, 0, 0, NULL, AT(member), 0, doc }
#define INT32(path, initial, flags, min, max, member, doc)                                                   \
  { path, FMLP_KEY_INT32, initial, flags, min, max, NULL, AT(member), 0, doc }
#define INT64(path, initial, flags, min, max, member, doc)                                                   \
  { path, FMLP_KEY_INT64, initial, flags, min, max, NULL, AT(member), 0, doc }
#define REAL(path, initial, flags, min, max, member, doc)                                                    \
  { path, FMLP_KEY_DOUBLE, initial, flags, min, max, NULL, AT(member), 0, doc }
#define TEXT(path, initial, flags, member, doc)                                                              \
  { path, FMLP_KEY_STRING, initial, flags, 0, 0, NULL, AT(member), 0, doc }
#define ENUM(path, initial, names, member, doc)                                                              \
  { path, FMLP_KEY_ENUM, initial, 0, 0, 0, names, AT(member), 0, doc }
#define EITHER(path, initial, names, member, doc)                                                            \
  { path, FMLP_KEY_EITHER, initial, 0, 0, 0, names, AT(member), 0, doc }
#define TIME(path, initial, max, member, doc)                                                                \
  { path, FMLP_KEY_TIME, initial, 0, 0, max, NULL, AT(member), 0, doc }

const fmlp_schema_row fmlp_schema[] = {
    TEXT("experiment.name", "default", 0, experiment_name, "name of the run; part of its folder's name"),
    {"experiment.seed", FMLP_KEY_UINT64, "42", 0, 0, 0, NULL, AT(seed), 0,
     "seed of everything random: bootstrap, feature sampling, Monte Carlo"},

    TEXT("data.path", "???", 0, data.path, "file of ticks, plain or compressed (gz, zst); mandatory"),
    TEXT("data.test_path", "null", FMLP_KEY_NULL, data.test_path,
         "a second file, for an evaluation of the final model on unseen data"),
    TEXT("data.symbol", "null", FMLP_KEY_NULL, data.symbol, "name of the instrument, for the report"),
    TEXT("data.format", "auto", 0, data.format, "reader, by name (fmlp inspect lists them), or auto"),
    TEXT("data.columns.time", "null", FMLP_KEY_NULL, data.columns.time, "header's name of the time column"),
    TEXT("data.columns.bid", "null", FMLP_KEY_NULL, data.columns.bid, "header's name of the bid price"),
    TEXT("data.columns.ask", "null", FMLP_KEY_NULL, data.columns.ask, "header's name of the ask price"),
    TEXT("data.columns.price", "null", FMLP_KEY_NULL, data.columns.price,
         "header's name of the traded price"),
    TEXT("data.columns.size", "null", FMLP_KEY_NULL, data.columns.size, "header's name of the traded size"),
    TEXT("data.columns.bid_size", "null", FMLP_KEY_NULL, data.columns.bid_size,
         "header's name of the bid size"),
    TEXT("data.columns.ask_size", "null", FMLP_KEY_NULL, data.columns.ask_size,
         "header's name of the ask size"),
    TEXT("data.columns.side", "null", FMLP_KEY_NULL | FMLP_KEY_LATER, data.columns.side,
         "header's name of the aggressor's side"),
    TEXT("data.timezone", "null", FMLP_KEY_NULL, data.timezone,
         "zone of times without an offset (tz database name); null: the format's own, else UTC"),
    {"data.point_size", FMLP_KEY_AUTO_DECIMAL, "auto", FMLP_KEY_MIN_OPEN, 0, 1e9, NULL, AT(data.point_size),
     AT(data.point_size_text),
     "price of one point, e.g. 0.00001, 0.01, 0.25; auto: from the decimals of the input"},
    {"data.size_decimals", FMLP_KEY_AUTO_DIGITS, "auto", 0, 0, 18, NULL, AT(data.size_decimals), 0,
     "decimals of sizes; auto: from the input"},
    ENUM("data.bad_rows", "error", bad_rows, data.bad_rows,
         "what an unreadable row does: end the run, or be counted"),

    BOOL("cleaning.sort", "true", cleaning.sort,
         "sort rows that are out of order (stable); false: they are an error"),
    ENUM("cleaning.crossed", "drop", crossed, cleaning.crossed, "quotes with bid above ask"),
    ENUM("cleaning.zero_spread", "keep", keep_drop, cleaning.zero_spread, "quotes with bid equal to ask"),
    ENUM("cleaning.duplicate_timestamps", "keep", duplicates, cleaning.duplicate_timestamps,
         "rows of equal time: all, the first, or the last of them"),
    ENUM("cleaning.out_of_session", "drop", drop_keep, cleaning.out_of_session, "rows outside every session"),
    BOOL("cleaning.outliers.enabled", "false", cleaning.outliers_enabled,
         "drop outliers by trailing z-score"),
    INT64("cleaning.outliers.window", "1000", 0, 2, MANY, cleaning.outliers_window,
          "ticks the z-score looks back"),
    REAL("cleaning.outliers.threshold", "10", FMLP_KEY_MIN_OPEN, 0, BIG, cleaning.outliers_threshold,
         "|z| above which a tick is dropped"),

    TEXT("session.timezone", "UTC", 0, session.timezone, "zone of the times below (tz database name)"),
    TIME("session.session_start", "'00:00'", 1439, session.session_start,
         "start of the session, local HH:MM"),
    TIME("session.session_end", "'21:55'", 1440, session.session_end,
         "end of the session, local HH:MM; at or before the start: on the next day"),
    TIME("session.friday_end", "'20:00'", 1440, session.friday_end,
         "end of the session that ends on a Friday"),
    BOOL("session.weekend_trading", "false", session.weekend_trading,
         "sessions on Saturdays and Sundays too"),

    ENUM("bars.type", "tick", bar_types, bars.type,
         "what a bar counts; the imbalance and run types are not built yet"),
    {"bars.threshold", FMLP_KEY_DECIMAL, "100", FMLP_KEY_MIN_OPEN, 0, 1e18, NULL, AT(bars.threshold),
     AT(bars.threshold_text), "how much of it closes a bar: ticks, size, money, or seconds for time bars"},
    EITHER("bars.session_tail", "keep", keep_drop, bars.keep_session_tail,
           "the bar that a session's end closes short"),

    EITHER("features.set", "base", feature_sets, features.base, "the built-in features, or only the plan's"),
    {"features.plan", FMLP_KEY_PLAN, "[]", 0, 0, 0, NULL, AT(features.plan), AT(features.plan_count),
     "own features: a list of {name, op, of, with, window, lag, q, span, alpha, d, threshold, value, keep}"},
    {"features.exclude", FMLP_KEY_STRINGS,
     "['ma_[0-9]', 'ma_[0-9][0-9]', 'ma_[0-9][0-9][0-9]', 'ma_[0-9]*_slope']", 0, 0, 0, NULL,
     AT(features.exclude), AT(features.exclude_count), "columns kept from the model, as shell patterns"},

    ENUM("labeling.events.type", "all", event_types, labeling.events_type,
         "bars at which a label is asked for"),
    INT64("labeling.events.n", "10", 0, 1, MANY, labeling.events_n, "every: each n-th bar"),
    REAL("labeling.events.threshold", "0.001", FMLP_KEY_MIN_OPEN, 0, BIG, labeling.events_threshold,
         "cusum: cumulated log return that makes an event"),
    ENUM("labeling.side", "long", sides, labeling.side, "direction of the trade a label describes"),
    ENUM("labeling.distance_mode", "volatility", distance_modes, labeling.distance_mode,
         "how far the barriers stand: multiples of volatility, points, or past excursions"),
    INT64("labeling.tp_ticks", "null", FMLP_KEY_NULL, 1, MANY, labeling.tp_ticks,
          "ticks: take profit in points"),
    INT64("labeling.sl_ticks", "null", FMLP_KEY_NULL, 1, MANY, labeling.sl_ticks,
          "ticks: stop loss in points"),
    INT64("labeling.volatility.window", "50", 0, 2, MANY, labeling.volatility_window,
          "bars of one-bar returns"),
    REAL("labeling.volatility.tp_multiple", "4", FMLP_KEY_MIN_OPEN, 0, BIG, labeling.tp_multiple,
         "take profit in standard deviations"),
    REAL("labeling.volatility.sl_multiple", "4", FMLP_KEY_MIN_OPEN, 0, BIG, labeling.sl_multiple,
         "stop loss in standard deviations"),
    INT64("labeling.mfe_mae.horizon_bars", "32", 0, 1, MANY, labeling.mfe_mae_horizon_bars,
          "bars over which an excursion is measured"),
    INT64("labeling.mfe_mae.window", "500", 0, 1, MANY, labeling.mfe_mae_window,
          "complete excursions looked back at"),
    REAL("labeling.mfe_mae.tp_quantile", "0.6", 0, 0, 1, labeling.mfe_mae_tp_quantile,
         "take profit: quantile of the favourable excursions"),
    REAL("labeling.mfe_mae.sl_quantile", "0.6", 0, 0, 1, labeling.mfe_mae_sl_quantile,
         "stop loss: quantile of the adverse excursions"),
    INT64("labeling.max_horizon_bars", "32", 0, 1, MANY, labeling.max_horizon_bars,
          "bars until the time barrier"),
    INT64("labeling.min_horizon_bars", "10", 0, 1, MANY, labeling.min_horizon_bars,
          "fewer bars left before the session's end: no label"),
    ENUM("labeling.tie", "ticks", ties, labeling.tie,
         "when one bar touches both barriers: its ticks decide, or a rule"),
    ENUM("labeling.exit_at", "barrier", exits, labeling.exit_at,
         "price of the exit: the barrier's, or the bar's close"),
    ENUM("labeling.weights.type", "uniqueness", weight_types, labeling.weights_type, "sample weights"),
    REAL("labeling.weights.time_decay", "1", FMLP_KEY_MIN_OPEN, -1, 1, labeling.weights_time_decay,
         "weight of the oldest sample; 1: no decay, negative: the oldest part gets none"),

    ENUM("validation.cv_type", "cpcv", cv_types, validation.cv_type, "cross-validation"),
    INT32("validation.n_groups", "10", 0, 2, 1000, validation.n_groups,
          "cpcv: groups the events are cut into"),
    INT32("validation.n_test_groups", "2", 0, 1, 999, validation.n_test_groups,
          "cpcv: groups tested at a time"),
    INT32("validation.n_splits", "5", 0, 2, 10000, validation.n_splits, "the others: number of splits"),
    INT64("validation.test_size", "null", FMLP_KEY_NULL, 1, MANY, validation.test_size,
          "walk_forward, time_series: events a test window holds; null: equal parts"),
    INT64("validation.gap", "0", 0, 0, MANY, validation.gap,
          "walk_forward, time_series: events left out before a test window"),
    INT64("validation.embargo_bars", "50", 0, 0, MANY, validation.embargo_bars,
          "bars after a test run in which no training label may start"),

    ENUM("model.type", "random_forest", model_types, model.type, "the classifier; logistic is not built yet"),
    INT32("model.params.n_estimators", "200", 0, 1, 100000, model.n_estimators, "trees"),
    INT32("model.params.max_depth", "6", 0, 1, 60, model.max_depth, "levels of a tree"),
    INT32("model.params.max_bin", "64", 0, 2, 65536, model.max_bin, "histogram bins of a feature"),
    INT32("model.params.min_samples_leaf", "5", 0, 1, MANY, model.min_samples_leaf,
          "samples a leaf must hold"),
    {"model.params.max_features", FMLP_KEY_MAX_FEATURES, "sqrt", 0, 0, 0, NULL, AT(model.max_features), 0,
     "features tried at a split: sqrt, log2, a fraction in (0, 1), 1.0 or all for all, or a count above 1"},
    REAL("model.params.learning_rate", "0.1", 0, 1e-6, 1, model.learning_rate,
         "gradient_boosting: shrinkage of a tree"),
    REAL("model.params.subsample", "1", 0, 1e-6, 1, model.subsample,
         "gradient_boosting: fraction of the samples a tree sees"),
    REAL("model.params.l2", "1", 0, 0, BIG, model.l2, "gradient_boosting, logistic: L2 penalty"),
    BOOL("model.meta.enabled", "false", model.meta_enabled,
         "train a second model on whether the first is right; not built yet"),
    REAL("model.meta.threshold", "0.5", 0, 0, 1, model.meta_threshold,
         "probability above which the second agrees"),

    REAL("backtest.threshold", "0.5", 0, 0, 1, backtest.threshold,
         "probability from which a signal is taken"),
    REAL("backtest.initial_capital", "10000", FMLP_KEY_MIN_OPEN, 0, BIG, backtest.initial_capital, "money"),
    REAL("backtest.contract_size", "100000", FMLP_KEY_MIN_OPEN, 0, BIG, backtest.contract_size,
         "units of the underlying in a lot"),
    ENUM("backtest.sizing.mode", "fixed", sizings, backtest.sizing,
         "lots of a position: fixed, or by its risk"),
    REAL("backtest.sizing.size", "0.1", FMLP_KEY_MIN_OPEN, 0, BIG, backtest.size, "fixed: lots"),
    REAL("backtest.sizing.risk_per_trade", "0.01", FMLP_KEY_MIN_OPEN, 0, 1, backtest.risk_per_trade,
         "fixed_fractional: fraction of the capital lost at the stop"),
    REAL("backtest.commission_per_lot", "3.5", 0, 0, BIG, backtest.commission_per_lot,
         "money per lot and side"),
    REAL("backtest.slippage_points", "1", 0, 0, BIG, backtest.slippage_points,
         "points lost on a market or stop fill"),
    REAL("backtest.latency_ms", "0", 0, 0, BIG, backtest.latency_ms,
         "milliseconds from the bar's close to the order"),
    REAL("backtest.min_minutes_to_close", "30", 0, 0, BIG, backtest.min_minutes_to_close,
         "minutes a signal needs before the session's end"),
    INT32("backtest.max_positions", "1", 0, 1, 1000000, backtest.max_positions, "open positions at a time"),

    INT64("risk.monte_carlo.n_sims", "10000", 0, 1, MANY, risk.n_sims, "simulated paths"),
    ENUM("risk.monte_carlo.kind", "day", resamplings, risk.kind, "what is resampled"),
    INT64("risk.monte_carlo.block_size", "null", FMLP_KEY_NULL, 1, MANY, risk.block_size,
          "trades in a block (its mean for stationary); null: chosen from the number of trades"),
    INT64("risk.monte_carlo.max_trades", "null", FMLP_KEY_NULL, 1, MANY, risk.max_trades,
          "trades of a path; null: as many as there were"),
    BOOL("risk.monte_carlo.compounding", "false", risk.compounding,
         "resample returns on capital instead of money"),
    REAL("risk.monte_carlo.prop_firm.max_daily_loss", "0.03", FMLP_KEY_NULL_OFF | FMLP_KEY_MIN_OPEN, 0, BIG,
         risk.max_daily_loss,
         "loss of a day that ends a path, fraction of the initial capital; kind day; null: off"),
    REAL("risk.monte_carlo.prop_firm.max_total_loss", "0.1", FMLP_KEY_NULL_OFF | FMLP_KEY_MIN_OPEN, 0, BIG,
         risk.max_total_loss, "total loss that ends a path, fraction of the initial capital; null: off"),
    REAL("risk.monte_carlo.prop_firm.target_profit", "0.1", FMLP_KEY_NULL_OFF | FMLP_KEY_MIN_OPEN, 0, BIG,
         risk.target_profit, "profit that ends a path as passed, fraction of the initial capital; null: off"),

    TEXT("runtime.device", "auto", 0, runtime.device, "auto, cpu, cuda, cuda:N"),
    INT32("runtime.threads", "null", FMLP_KEY_NULL, 0, 4096, runtime.threads,
          "threads; null or 0: all allowed"),
    REAL("runtime.memory_limit_gb", "null", FMLP_KEY_NULL | FMLP_KEY_MIN_OPEN, 0, BIG,
         runtime.memory_limit_gb,
         "memory that tables may take, in 10^9 bytes (libraries are not counted); null: no limit"),
    BOOL("runtime.profile", "true", runtime.profile, "time every stage and kernel into profile/"),
    ENUM("runtime.profile_level", "spans", profile_levels, runtime.profile_level,
         "spans: times; full: devices and memory as well"),
    INT32("runtime.profile_sampling", "0", 0, 0, 10000, runtime.profile_sampling,
          "samples a second of the lines that each thread executes; 0: none"),
    TEXT("runtime.profile_output_dir", "null", FMLP_KEY_NULL, runtime.profile_output_dir,
         "folder that keeps profiles of many runs; null: only the run's own"),
    BOOL("runtime.profile_versioning", "true", runtime.profile_versioning,
         "keep every run's there, under versions, with an index; false: only the last of each name"),
    ENUM("runtime.log_level", "info", log_levels, runtime.log_level, "messages on standard error"),

    TEXT("run.dir", "null", FMLP_KEY_NULL, run_dir,
         "the run's folder; null: runs/<date>/<time>_<experiment.name>"),
    {"variables", FMLP_KEY_FREE, "{}", 0, 0, 0, NULL, 0, 0, "names of your own, for ${variables.name}"},
};

const int32_t fmlp_schema_count = sizeof fmlp_schema / sizeof *fmlp_schema;

fmlp_node *fmlp_schema_defaults(fmlp_arena *arena) {
  fmlp_node *root = fmlp_node_create(arena, FMLP_NODE_MAP, NULL);
  if (!root) return NULL;
  for (int32_t i = 0; i < fmlp_schema_count; i++) {
    const char *path = fmlp_schema[i].path;
    const char *dot = strrchr(path, '.');
    const char *above = fmlp_arena_copy(arena, path, dot ? (size_t)(dot - path) : 0);
    fmlp_node *parent = NULL, *value = NULL;
    if (!above || fmlp_node_make_map(arena, root, above, NULL, &parent) != FMLP_OK ||
        fmlp_value_parse(arena, fmlp_schema[i].initial, NULL, &value, arena->error) != FMLP_OK)
      return NULL;
    value->key = dot ? dot + 1 : path;
    fmlp_node_append(parent, value);
  }
  return root;
}
