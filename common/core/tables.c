/* Releasing the tables of dataset.h and trades.h. */
#include <string.h>

#include "common/core/dataset.h"
#include "common/core/memory.h"
#include "common/core/trades.h"

void fmlp_features_release(fmlp_features *features) {
  for (int32_t f = 0; features->columns && f < features->count; f++) fmlp_free(features->columns[f]);
  fmlp_free(features->columns);
  fmlp_free(features->names);
  fmlp_free(features->model_input);
  fmlp_free(features->warm_up);
  fmlp_free(features->omitted);
  memset(features, 0, sizeof *features);
}

void fmlp_events_release(fmlp_events *events) {
  fmlp_free(events->bar);
  fmlp_free(events->side);
  memset(events, 0, sizeof *events);
}

void fmlp_labels_release(fmlp_labels *labels) {
  void *columns[] = {labels->event_bar,  labels->event_time, labels->end_bar,  labels->end_time,
                     labels->side,       labels->outcome,    labels->label,    labels->entry_price,
                     labels->exit_price, labels->pnl_points, labels->weight,   labels->target_level,
                     labels->stop_level, labels->last_bar,   labels->deadline, labels->exit_tick,
                     labels->usable};
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) fmlp_free(columns[i]);
  memset(labels, 0, sizeof *labels);
}

void fmlp_folds_release(fmlp_folds *folds) {
  for (int32_t s = 0; folds->splits && s < folds->split_count; s++) {
    fmlp_free(folds->splits[s].train);
    fmlp_free(folds->splits[s].test);
    fmlp_free(folds->splits[s].test_group);
  }
  fmlp_free(folds->splits);
  fmlp_free(folds->path_split);
  memset(folds, 0, sizeof *folds);
}

void fmlp_predictions_release(fmlp_predictions *predictions) {
  fmlp_free(predictions->label_row);
  fmlp_free(predictions->split);
  fmlp_free(predictions->path);
  fmlp_free(predictions->probability);
  memset(predictions, 0, sizeof *predictions);
}

void fmlp_trades_release(fmlp_trades *trades) {
  void *columns[] = {trades->entry_time, trades->exit_time, trades->label_row, trades->day,
                     trades->side,       trades->reason,    trades->size,      trades->entry_price,
                     trades->exit_price, trades->costs,     trades->pnl,       trades->capital_before};
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) fmlp_free(columns[i]);
  memset(trades, 0, sizeof *trades);
}

void fmlp_equity_release(fmlp_equity *equity) {
  fmlp_free(equity->time);
  fmlp_free(equity->equity);
  fmlp_free(equity->drawdown);
  fmlp_free(equity->position);
  memset(equity, 0, sizeof *equity);
}
