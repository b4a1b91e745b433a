/* Every setting of a run, resolved and checked: what the stages receive. Keys, types, defaults and ranges
 * stand in one table in config/schema.c; the names here follow the keys of the configuration files. Strings
 * are owned by the struct's arena and live as long as the fmlp_settings. */
#ifndef FMLP_COMMON_CONFIG_SETTINGS_H
#define FMLP_COMMON_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/contracts/monte_carlo.h"
#include "common/contracts/triple_barrier.h"
#include "common/core/log.h"

/* NULL where a string is unset; 0 where an optional number is unset, unless stated. */

typedef enum fmlp_bad_rows { FMLP_BAD_ROWS_ERROR, FMLP_BAD_ROWS_SKIP } fmlp_bad_rows;

typedef struct fmlp_column_map { /* data.columns: our name -> the header's name, NULL = by the known synonyms
                                  */
  const char *time, *bid, *ask, *price, *size, *bid_size, *ask_size, *side;
} fmlp_column_map;

typedef struct fmlp_data_settings {
  const char *path;
  const char *test_path;
  const char *symbol;
  const char *format; /* "auto" or a reader's name */
  fmlp_column_map columns;
  const char *timezone;        /* of times without an offset; NULL = the format's own, or ask */
  double point_size;           /* 0 = auto */
  const char *point_size_text; /* its decimal text, for the exact m * 10^-k; NULL = auto */
  int32_t size_decimals;       /* -1 = auto */
  fmlp_bad_rows bad_rows;
} fmlp_data_settings;

typedef enum fmlp_crossed { FMLP_CROSSED_DROP, FMLP_CROSSED_KEEP, FMLP_CROSSED_ERROR } fmlp_crossed;
typedef enum fmlp_zero_spread { FMLP_ZERO_SPREAD_KEEP, FMLP_ZERO_SPREAD_DROP } fmlp_zero_spread;
typedef enum fmlp_duplicates {
  FMLP_DUPLICATES_KEEP,
  FMLP_DUPLICATES_FIRST,
  FMLP_DUPLICATES_LAST
} fmlp_duplicates;
typedef enum fmlp_out_of_session { FMLP_OUT_OF_SESSION_DROP, FMLP_OUT_OF_SESSION_KEEP } fmlp_out_of_session;

typedef struct fmlp_cleaning_settings {
  bool sort; /* false: unsorted input is an error */
  fmlp_crossed crossed;
  fmlp_zero_spread zero_spread;
  fmlp_duplicates duplicate_timestamps;
  fmlp_out_of_session out_of_session;
  bool outliers_enabled;
  int64_t outliers_window;   /* ticks */
  double outliers_threshold; /* |z| above which a tick is dropped */
} fmlp_cleaning_settings;

typedef struct fmlp_session_settings {
  const char *timezone;  /* tz database name */
  int32_t session_start; /* minutes after local midnight, [0, 1440) */
  int32_t session_end;   /* minutes, [0, 1440]; <= session_start: ends the next day */
  int32_t friday_end;    /* minutes; end of the session that ends on a Friday */
  bool weekend_trading;
} fmlp_session_settings;

typedef enum fmlp_bar_type {
  FMLP_BARS_TICK,
  FMLP_BARS_VOLUME,
  FMLP_BARS_DOLLAR,
  FMLP_BARS_TIME,
  FMLP_BARS_TICK_IMBALANCE,
  FMLP_BARS_VOLUME_IMBALANCE,
  FMLP_BARS_DOLLAR_IMBALANCE,
  FMLP_BARS_TICK_RUN,
  FMLP_BARS_VOLUME_RUN,
  FMLP_BARS_DOLLAR_RUN
} fmlp_bar_type;

typedef struct fmlp_bars_settings {
  fmlp_bar_type type;
  double threshold;           /* ticks, size, money, or seconds; > 0 */
  const char *threshold_text; /* its decimal text, for exact integer thresholds */
  bool keep_session_tail;
} fmlp_bars_settings;

/* One entry of features.plan. `of` and `with` name a bar column (see stages/features.h) or an earlier entry.
 */
typedef struct fmlp_feature_entry {
  const char *name;
  const char *op;
  const char *of;
  const char *with; /* second operand, or NULL */
  int64_t window;   /* 0 = unset */
  int64_t lag;      /* 0 = unset */
  double q;         /* NaN = unset, like the rest */
  double span, alpha;
  double d, threshold;
  double value;
  bool intermediate; /* `keep: false`: computed but not written */
  const char *where; /* "file:line" for messages */
} fmlp_feature_entry;

typedef struct fmlp_features_settings {
  bool base; /* set: base */
  int32_t plan_count;
  const fmlp_feature_entry *plan;
  int32_t exclude_count;
  const char *const *exclude; /* fnmatch patterns of columns kept from the model */
} fmlp_features_settings;

typedef enum fmlp_event_type { FMLP_EVENTS_ALL, FMLP_EVENTS_EVERY, FMLP_EVENTS_CUSUM } fmlp_event_type;
typedef enum fmlp_side_choice { FMLP_SIDE_LONG, FMLP_SIDE_SHORT, FMLP_SIDE_BOTH } fmlp_side_choice;
typedef enum fmlp_distance_mode {
  FMLP_DISTANCE_VOLATILITY,
  FMLP_DISTANCE_TICKS,
  FMLP_DISTANCE_MFE_MAE
} fmlp_distance_mode;
typedef enum fmlp_weight_type {
  FMLP_WEIGHTS_UNIQUENESS,
  FMLP_WEIGHTS_RETURN,
  FMLP_WEIGHTS_NONE
} fmlp_weight_type;
typedef enum fmlp_exit_at { FMLP_EXIT_AT_BARRIER, FMLP_EXIT_AT_CLOSE } fmlp_exit_at;

typedef struct fmlp_labeling_settings {
  fmlp_event_type events_type;
  int64_t events_n;        /* every: n >= 1 */
  double events_threshold; /* cusum: log-return threshold > 0 */
  fmlp_side_choice side;
  fmlp_distance_mode distance_mode;
  int64_t tp_ticks, sl_ticks; /* points */
  int64_t volatility_window;
  double tp_multiple, sl_multiple;
  int64_t mfe_mae_horizon_bars, mfe_mae_window;
  double mfe_mae_tp_quantile, mfe_mae_sl_quantile;
  int64_t max_horizon_bars, min_horizon_bars;
  fmlp_tie_rule tie;
  fmlp_exit_at exit_at;
  fmlp_weight_type weights_type;
  double weights_time_decay; /* AFML's c in (-1, 1] */
} fmlp_labeling_settings;

typedef enum fmlp_cv_type {
  FMLP_CV_CPCV,
  FMLP_CV_PURGED_KFOLD,
  FMLP_CV_WALK_FORWARD,
  FMLP_CV_TIME_SERIES
} fmlp_cv_type;

typedef struct fmlp_validation_settings {
  fmlp_cv_type cv_type;
  int32_t n_groups, n_test_groups; /* cpcv */
  int32_t n_splits;                /* the others */
  int64_t test_size;               /* rows per test window, 0 = equal groups */
  int64_t gap;                     /* rows left out between training and test (time series, walk-forward) */
  int64_t embargo_bars;
} fmlp_validation_settings;

typedef enum fmlp_model_type {
  FMLP_MODEL_RANDOM_FOREST,
  FMLP_MODEL_GRADIENT_BOOSTING,
  FMLP_MODEL_LOGISTIC
} fmlp_model_type;

typedef struct fmlp_model_settings {
  fmlp_model_type type;
  int32_t n_estimators, max_depth, max_bin, min_samples_leaf;
  double max_features; /* > 0 and < 1: fraction; 0: sqrt of the count; -1: log2; 1: all; integers > 1: that
                          many */
  double learning_rate, subsample, l2; /* gradient boosting and logistic */
  bool meta_enabled;
  double meta_threshold;
} fmlp_model_settings;

typedef enum fmlp_sizing { FMLP_SIZING_FIXED, FMLP_SIZING_FIXED_FRACTIONAL } fmlp_sizing;

typedef struct fmlp_backtest_settings {
  double threshold;       /* probability */
  double initial_capital; /* money */
  double contract_size;   /* units of the underlying per lot */
  fmlp_sizing sizing;
  double size;               /* lots */
  double risk_per_trade;     /* fraction of capital lost at the stop */
  double commission_per_lot; /* money, per side */
  double slippage_points;    /* per market or stop fill */
  double latency_ms;
  double min_minutes_to_close;
  int32_t max_positions;
} fmlp_backtest_settings;

typedef struct fmlp_risk_settings {
  int64_t n_sims;
  fmlp_resampling kind;
  int64_t block_size; /* 0 = default */
  int64_t max_trades; /* 0 = number of trades */
  bool compounding;
  double max_daily_loss, max_total_loss, target_profit; /* fractions of the initial capital; INFINITY = off */
} fmlp_risk_settings;

typedef enum fmlp_profile_level { FMLP_PROFILE_SPANS, FMLP_PROFILE_FULL } fmlp_profile_level;

typedef struct fmlp_runtime_settings {
  const char *device;     /* auto, cpu, cuda, cuda:N, in test builds simt, paranoid */
  int32_t threads;        /* 0 = all */
  double memory_limit_gb; /* 0 = none */
  bool profile;
  fmlp_profile_level profile_level;
  int32_t profile_sampling; /* samples a second, 0 = none */
  const char *profile_output_dir; /* NULL: none */
  bool profile_versioning;
  fmlp_log_level log_level;
} fmlp_runtime_settings;

typedef struct fmlp_settings {
  const char *experiment_name;
  uint64_t seed;
  fmlp_data_settings data;
  fmlp_cleaning_settings cleaning;
  fmlp_session_settings session;
  fmlp_bars_settings bars;
  fmlp_features_settings features;
  fmlp_labeling_settings labeling;
  fmlp_validation_settings validation;
  fmlp_model_settings model;
  fmlp_backtest_settings backtest;
  fmlp_risk_settings risk;
  fmlp_runtime_settings runtime;
  const char *run_dir; /* run.dir override, or NULL */
} fmlp_settings;

#endif
