/* What stands between bars and money: features, events, labels, folds, predictions. Plain structs of arrays,
 * 64-byte aligned, each owned by its table; a zero struct is an empty table and may be released. */
#ifndef FMLP_COMMON_CORE_DATASET_H
#define FMLP_COMMON_CORE_DATASET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/core/status.h"

enum { FMLP_NAME_CAPACITY = 64 };

typedef struct fmlp_name {
  char text[FMLP_NAME_CAPACITY];
} fmlp_name;

/* `columns[f][row]`, one row per bar, canonical doubles (NaN where undefined or in warm-up). */
typedef struct fmlp_features {
  int64_t rows;
  int32_t count;
  fmlp_name *names;      /* [count] */
  double **columns;      /* [count] -> [rows] */
  bool *model_input;     /* [count] false where features.exclude keeps the column from the model */
  int64_t *warm_up;      /* [count] leading rows that are NaN by construction */
  int32_t omitted_count; /* features of the set that this input cannot give */
  fmlp_name *omitted;    /* [omitted_count] */
} fmlp_features;

void fmlp_features_release(fmlp_features *features);

typedef struct fmlp_events {
  int64_t count;
  int64_t *bar; /* [count] event bar, ascending; with both sides the long row stands before the short one */
  int8_t *side; /* [count] +1 long, -1 short */
} fmlp_events;

void fmlp_events_release(fmlp_events *events);

typedef enum fmlp_exit_reason {
  FMLP_EXIT_TARGET = 1,
  FMLP_EXIT_STOP = -1,
  FMLP_EXIT_TIME = 0
} fmlp_exit_reason;

/* One row per labelled event: events without a distance or with too few bars left are not here but counted.
 */
typedef struct fmlp_labels {
  int64_t count;
  int64_t *event_bar;
  int64_t *event_time;   /* ns, close of the event bar */
  int64_t *end_bar;      /* bar in which the label ends, > event_bar */
  int64_t *end_time;     /* ns: the exit tick's time, or the exit bar's close */
  int8_t *side;          /* +1 long, -1 short */
  int8_t *outcome;       /* +1 target first, -1 stop first, 0 deadline */
  int8_t *label;         /* sign of pnl_points */
  int32_t *entry_price;  /* points */
  int32_t *exit_price;   /* points */
  double *pnl_points;    /* net of spread, commission and slippage */
  double *weight;        /* mean 1 */
  int32_t *target_level; /* points */
  int32_t *stop_level;   /* points */
  int64_t *last_bar;     /* last bar allowed */
  int64_t *deadline;     /* ns, the session deadline that bounded it */
  int64_t *exit_tick;    /* index in the cleaned ticks, -1 where no tick decides (outcome 0, exit_at close) */
  int8_t *usable;        /* 0 where a model input is NaN at the event bar: neither trained nor traded */
  int64_t no_distance;   /* events dropped: distance NaN */
  int64_t no_room;       /* events dropped: fewer than min_horizon bars left */
  int64_t not_usable;    /* rows with usable == 0 */
  int64_t ties;          /* rows whose exit bar touched both levels */
} fmlp_labels;

void fmlp_labels_release(fmlp_labels *labels);

/* A split: sorted row numbers of labels/. */
typedef struct fmlp_split {
  int64_t train_count;
  int64_t test_count;
  int64_t *train;
  int64_t *test;
  int32_t *test_group; /* [test_count] group of each test row */
  int64_t purged;      /* training rows removed because their interval overlaps a test run */
  int64_t embargoed;   /* training rows removed because they start within the embargo */
} fmlp_split;

/* `path_split[path * group_count + group]` is the split whose predictions of that group form the path; -1
 * where a group is never tested (the start of a walk-forward). Every (split, tested group) belongs to exactly
 * one path. */
typedef struct fmlp_folds {
  int32_t split_count;
  int32_t group_count;
  int32_t path_count;
  fmlp_split *splits;
  int32_t *path_split;
  bool causal; /* every training row ends before its test run begins: the path is a tradable record */
} fmlp_folds;

void fmlp_folds_release(fmlp_folds *folds);

/* Out-of-sample predictions, ordered by (path, label_row). A (label_row, path) pair occurs once. */
typedef struct fmlp_predictions {
  int64_t count;
  int64_t *label_row;
  int64_t *split;
  int64_t *path;
  double *probability; /* of label > 0, in [0, 1] */
} fmlp_predictions;

void fmlp_predictions_release(fmlp_predictions *predictions);

#endif
