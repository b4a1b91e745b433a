/* Compiling features: bar columns, the rolling nodes over them, and the names of what is kept.
 *
 * Private to the features stage. Nodes are shared: asking twice for the same operator of the same operands
 * gives the same node, so ret_1 is computed once however many features use it. The first failure is kept in
 * `status` and makes every later call a no-op, so that a set of features reads as a list of formulas. */
#ifndef FMLP_COMMON_STAGES_FEATURES_PLAN_H
#define FMLP_COMMON_STAGES_FEATURES_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config/settings.h"
#include "common/contracts/rolling.h"
#include "common/core/bars.h"
#include "common/core/dataset.h"

typedef enum fmlp_bar_column {
  FMLP_COLUMN_BID_OPEN,
  FMLP_COLUMN_BID_HIGH,
  FMLP_COLUMN_BID_LOW,
  FMLP_COLUMN_BID_CLOSE,
  FMLP_COLUMN_ASK_OPEN,
  FMLP_COLUMN_ASK_HIGH,
  FMLP_COLUMN_ASK_LOW,
  FMLP_COLUMN_ASK_CLOSE,
  FMLP_COLUMN_MID,         /* of the closes */
  FMLP_COLUMN_SPREAD_MEAN, /* quotes only */
  FMLP_COLUMN_SPREAD_STD,  /* quotes only */
  FMLP_COLUMN_TICK_COUNT,
  FMLP_COLUMN_DURATION,       /* seconds from open_time to close_time */
  FMLP_COLUMN_TICK_DIRECTION, /* sign of the change of the bid close, 0 in row 0 */
  FMLP_COLUMN_VOLUME,         /* this and the rest: only where the input has sizes */
  FMLP_COLUMN_VWAP,
  FMLP_COLUMN_BID_VOLUME,       /* quotes only */
  FMLP_COLUMN_ASK_VOLUME,       /* quotes only */
  FMLP_COLUMN_VOLUME_IMBALANCE, /* quotes only: (bid - ask) / (bid + ask), 0 if both are 0 */
  FMLP_COLUMN_COUNT
} fmlp_bar_column;

/* Fills out[first .. last) of `column` as canonical doubles: prices in price units, volumes in units. */
void fmlp_bar_column_fill(fmlp_bar_column column, const fmlp_bars *bars, int64_t first, int64_t last,
                          double *out);

/* Whether this kind of input has the column. */
bool fmlp_bar_column_present(fmlp_bar_column column, const fmlp_bars *bars);

/* An operand: a bar column (its fmlp_bar_column), a node (FMLP_COLUMN_COUNT + its index), or absent: the
 * input lacks what it needs. Whatever is computed from an absent operand is absent. */
typedef int32_t fmlp_operand;
enum { FMLP_OPERAND_ABSENT = -1, FMLP_OPERAND_UNKNOWN = -2 };

typedef struct fmlp_planned_feature {
  fmlp_name name;
  fmlp_operand operand;
  bool written; /* false: an intermediate (`keep: false`) that later entries may name */
} fmlp_planned_feature;

typedef struct fmlp_feature_plan {
  const fmlp_bars *bars;
  fmlp_error *error;
  fmlp_status status; /* of the first failure */
  int32_t node_count, node_capacity;
  fmlp_rolling_node *nodes; /* operands are fmlp_operand until the stage numbers the inputs */
  int32_t count, capacity;
  fmlp_planned_feature *features; /* absent ones included: they are listed as omitted */
} fmlp_feature_plan;

void fmlp_feature_plan_release(fmlp_feature_plan *plan);

/* Formulas. A column that the input lacks is FMLP_OPERAND_ABSENT. */
fmlp_operand fmlp_plan_column(const fmlp_feature_plan *plan, fmlp_bar_column column);
fmlp_operand fmlp_plan_node(fmlp_feature_plan *plan, fmlp_rolling_node node);
fmlp_operand fmlp_plan_constant(fmlp_feature_plan *plan, double value);
fmlp_operand fmlp_plan_unary(fmlp_feature_plan *plan, fmlp_operator op, fmlp_operand of, int64_t window);
fmlp_operand fmlp_plan_binary(fmlp_feature_plan *plan, fmlp_operator op, fmlp_operand a, fmlp_operand b);

/* Names an operand; FMLP_ERR_USAGE when the name is taken or is no file name. */
void fmlp_plan_name(fmlp_feature_plan *plan, fmlp_operand operand, bool written, const char *name);

/* What a plan's `of` means: an earlier name, else a bar column; FMLP_OPERAND_UNKNOWN when neither. */
fmlp_operand fmlp_plan_find(fmlp_feature_plan *plan, const char *name);

/* The name nearest to `name` among what fmlp_plan_find knows, or NULL. Valid until the plan grows. */
const char *fmlp_plan_nearest(const fmlp_feature_plan *plan, const char *name);

/* The set `base` (features_base.c) and the entries of features.plan (features_user.c). */
void fmlp_plan_base(fmlp_feature_plan *plan);
void fmlp_plan_user(fmlp_feature_plan *plan, const fmlp_features_settings *settings);

#endif
