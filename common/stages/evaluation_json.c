/* metrics.json. */
#include <stdlib.h>

#include "common/io/json.h"
#include "common/stages/evaluation.h"

static json_t *metrics_json(const fmlp_metrics *metrics) {
  json_t *object = json_object();
  fmlp_json_set_integer(object, "trades", metrics->trades);
  fmlp_json_set_integer(object, "days", metrics->days);
  fmlp_json_set(object, "significant", json_boolean(metrics->significant));
  for (int32_t f = 0; f < fmlp_metric_field_count; f++) {
    fmlp_json_set_real(object, fmlp_metric_fields[f].name,
                       fmlp_metric_value(metrics, &fmlp_metric_fields[f]));
  }
  return object;
}

static json_t *paths_json(const fmlp_evaluation *evaluation) {
  json_t *array = json_array();
  for (int32_t p = 0; p < evaluation->path_count; p++) {
    const fmlp_path_evaluation *path = &evaluation->paths[p];
    json_t *object = json_object();
    fmlp_json_set_integer(object, "path", p);
    fmlp_json_set_integer(object, "predictions", path->report.predictions);
    fmlp_json_set_integer(object, "signals", path->report.signals);
    json_t *skipped = json_object();
    fmlp_json_set_integer(skipped, "busy", path->report.skipped_busy);
    fmlp_json_set_integer(skipped, "close", path->report.skipped_close);
    fmlp_json_set_integer(skipped, "no_tick", path->report.skipped_no_tick);
    fmlp_json_set_integer(skipped, "ruined", path->report.skipped_ruined);
    fmlp_json_set(object, "skipped", skipped);
    fmlp_json_set(object, "metrics", metrics_json(&path->metrics));
    (void)json_array_append_new(array, object);
  }
  return array;
}

static json_t *summary_json(const fmlp_evaluation *evaluation) {
  json_t *object = json_object();
  for (int32_t f = 0; f < fmlp_metric_field_count; f++) {
    const fmlp_metric_summary *summary = &evaluation->summary[f];
    json_t *one = json_object();
    fmlp_json_set_real(one, "median", summary->median);
    fmlp_json_set_real(one, "p05", summary->low);
    fmlp_json_set_real(one, "p95", summary->high);
    fmlp_json_set_integer(one, "paths", summary->paths);
    fmlp_json_set(object, fmlp_metric_fields[f].name, one);
  }
  return object;
}

static json_t *overfitting_json(const fmlp_evaluation *evaluation) {
  json_t *object = json_object();
  json_t *deflated = json_object();
  fmlp_json_set_real(deflated, "probability", evaluation->deflated_sharpe);
  fmlp_json_set_integer(deflated, "trials", evaluation->deflated_trials);
  fmlp_json_set_real(deflated, "benchmark_daily_ratio", evaluation->deflated_benchmark);
  fmlp_json_set_text(deflated, "reason",
                     evaluation->deflated_trials < 2 ? "needs at least two paths with a Sharpe ratio" : NULL);
  fmlp_json_set(object, "deflated_sharpe", deflated);
  json_t *pbo = json_object();
  fmlp_json_set_real(pbo, "probability", evaluation->overfitting.probability);
  fmlp_json_set_integer(pbo, "combinations", evaluation->overfitting.combinations);
  fmlp_json_set_integer(pbo, "blocks", evaluation->overfitting.blocks);
  fmlp_json_set_text(pbo, "reason", evaluation->overfitting.reason);
  fmlp_json_set(object, "pbo", pbo);
  return object;
}

static json_t *folds_json(const fmlp_folds *folds, const fmlp_model_result *model) {
  json_t *array = json_array();
  for (int32_t s = 0; model != NULL && s < model->split_count; s++) {
    const fmlp_fold_score *score = &model->scores[s];
    json_t *object = json_object();
    fmlp_json_set_integer(object, "split", s);
    fmlp_json_set_real(object, "auc", score->auc);
    fmlp_json_set_real(object, "accuracy", score->accuracy);
    fmlp_json_set_real(object, "log_loss", score->log_loss);
    fmlp_json_set_real(object, "base_rate", score->base_rate);
    fmlp_json_set_integer(object, "train_rows", score->train_rows);
    fmlp_json_set_integer(object, "test_rows", score->test_rows);
    if (folds != NULL && s < folds->split_count) {
      fmlp_json_set_integer(object, "purged", folds->splits[s].purged);
      fmlp_json_set_integer(object, "embargoed", folds->splits[s].embargoed);
    }
    (void)json_array_append_new(array, object);
  }
  return array;
}

static json_t *labels_json(const fmlp_labels *labels) {
  int64_t count[2][3] = {{0}}; /* [long, short][stop, time, target] */
  for (int64_t i = 0; i < labels->count; i++) count[labels->side[i] > 0 ? 0 : 1][labels->outcome[i] + 1]++;
  json_t *object = json_object();
  fmlp_json_set_integer(object, "count", labels->count);
  fmlp_json_set_integer(object, "not_usable", labels->not_usable);
  fmlp_json_set_integer(object, "events_without_distance", labels->no_distance);
  fmlp_json_set_integer(object, "events_without_room", labels->no_room);
  fmlp_json_set_integer(object, "ties", labels->ties);
  static const char *const sides[2] = {"long", "short"};
  static const char *const outcomes[3] = {"stop", "time", "target"};
  for (int side = 0; side < 2; side++) {
    json_t *one = json_object();
    for (int outcome = 0; outcome < 3; outcome++) {
      fmlp_json_set_integer(one, outcomes[outcome], count[side][outcome]);
    }
    fmlp_json_set(object, sides[side], one);
  }
  return object;
}

int32_t fmlp_evaluation_notes(const fmlp_evaluation *evaluation, const char **notes, int32_t capacity) {
  const fmlp_metrics *first = evaluation->path_count > 0 ? &evaluation->paths[0].metrics : NULL;
  const struct {
    bool applies;
    const char *text;
  } all[] = {
      {!evaluation->causal, "trained on data after the test: not a tradable record"},
      {first != NULL && first->trades == 0,
       "no trade: no signal passed, or every one was skipped; the metrics are null"},
      {first != NULL && first->trades > 0 && !first->significant,
       "fewer than 60 trading days: Sharpe and Sortino ratios are not significant"},
      {evaluation->path_count > 1,
       "paths share their data and most of their training rows: they are not "
       "independent trials, so the deflated Sharpe ratio and PBO are indications"},
  };
  int32_t count = 0;
  for (size_t i = 0; i < sizeof all / sizeof *all && count < capacity; i++) {
    if (all[i].applies) notes[count++] = all[i].text;
  }
  return count;
}

void fmlp_evaluation_json(const fmlp_settings *settings, const fmlp_labels *labels, const fmlp_folds *folds,
                          const fmlp_model_result *model, const fmlp_evaluation *evaluation,
                          fmlp_text *text) {
  json_t *root = json_object();
  fmlp_json_set_integer(root, "schema", 1);
  fmlp_json_set_text(root, "experiment", settings->experiment_name);
  fmlp_json_set_text(root, "symbol", settings->data.symbol);
  fmlp_json_set(root, "causal", json_boolean(evaluation->causal));
  fmlp_json_set_real(root, "initial_capital", settings->backtest.initial_capital);
  fmlp_json_set(root, "summary", summary_json(evaluation));
  fmlp_json_set(root, "paths", paths_json(evaluation));
  json_t *baselines = json_object();
  fmlp_json_set(baselines, "buy_and_hold",
                evaluation->has_baselines ? metrics_json(&evaluation->buy_and_hold) : json_null());
  fmlp_json_set(baselines, "every_signal",
                evaluation->has_baselines ? metrics_json(&evaluation->every_signal) : json_null());
  fmlp_json_set(root, "baselines", baselines);
  fmlp_json_set(root, "overfitting", overfitting_json(evaluation));
  fmlp_json_set(root, "folds", folds_json(folds, model));
  fmlp_json_set(root, "labels", labels != NULL ? labels_json(labels) : json_null());
  const char *notes[8];
  int32_t note_count = fmlp_evaluation_notes(evaluation, notes, 8);
  json_t *array = json_array();
  for (int32_t i = 0; i < note_count; i++) (void)json_array_append_new(array, json_string(notes[i]));
  fmlp_json_set(root, "notes", array);
  fmlp_text_json(text, root);
}
