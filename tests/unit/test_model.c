/* Models: equal bits at any thread count, what they learn, what they must not see, what they save. */
#include "tests/cmocka_fmlp.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/bits.h"
#include "common/core/interrupt.h"
#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "common/core/philox.h"
#include "common/stages/cv.h"
#include "common/stages/model.h"
#include "common/stages/model_job.h"
#include "common/stages/model_score.h"

enum { BARS = 1500, FEATURES = 6 };

/* A small market: features are noise, and `signal` says how much of feature 0 goes into the label. */
typedef struct market {
  double columns[FEATURES][BARS];
  double *column[FEATURES];
  fmlp_name names[FEATURES];
  bool model_input[FEATURES];
  int64_t event_bar[2 * BARS], end_bar[2 * BARS];
  int8_t side[2 * BARS], label[2 * BARS], usable[2 * BARS];
  double weight[2 * BARS];
  fmlp_features features;
  fmlp_labels labels;
  fmlp_settings settings;
} market;

static market world;

static double noise(uint64_t stream, int64_t draw) {
  uint64_t key = fmlp_philox_key(7, FMLP_PHILOX_TEST);
  return 2 * fmlp_philox_unit(fmlp_philox_u32(key, stream, (uint64_t)draw)) - 1;
}

static void make_market(double signal, int sides) {
  memset(&world, 0, sizeof world);
  for (int f = 0; f < FEATURES; f++) {
    for (int i = 0; i < BARS; i++) world.columns[f][i] = noise((uint64_t)f, i);
    world.column[f] = world.columns[f];
    world.model_input[f] = true;
    (void)snprintf(world.names[f].text, sizeof world.names[f].text, "feature_%d", f);
  }
  int64_t count = (int64_t)BARS * sides;
  for (int64_t i = 0; i < count; i++) {
    int64_t bar = i / sides;
    world.event_bar[i] = bar;
    world.end_bar[i] = bar + 3;
    world.side[i] = i % sides == 0 ? 1 : -1;
    double drift = signal * world.columns[0][bar] * world.side[i] + (1 - signal) * noise(100, i);
    world.label[i] = drift > 0 ? 1 : -1;
    world.usable[i] = bar >= 20;
    world.weight[i] = 1 + 0.5 * noise(101, i);
  }
  world.features = (fmlp_features){.rows = BARS,
                                   .count = FEATURES,
                                   .names = world.names,
                                   .columns = world.column,
                                   .model_input = world.model_input};
  world.labels = (fmlp_labels){.count = count,
                               .event_bar = world.event_bar,
                               .end_bar = world.end_bar,
                               .side = world.side,
                               .label = world.label,
                               .usable = world.usable,
                               .weight = world.weight};
  world.settings.seed = 42;
  world.settings.validation = (fmlp_validation_settings){
      .cv_type = FMLP_CV_CPCV, .n_groups = 5, .n_test_groups = 2, .embargo_bars = 5};
  world.settings.model = (fmlp_model_settings){.type = FMLP_MODEL_RANDOM_FOREST,
                                               .n_estimators = 20,
                                               .max_depth = 5,
                                               .max_bin = 64,
                                               .min_samples_leaf = 5,
                                               .learning_rate = 0.1,
                                               .subsample = 0.8,
                                               .l2 = 1};
}

static fmlp_status run_refused(fmlp_error *error) {
  fmlp_folds folds;
  assert_int_equal(fmlp_cv_split(&world.settings.validation, &world.labels, &folds, error), FMLP_OK);
  fmlp_model_result result;
  fmlp_status status =
      fmlp_model_run(&world.settings, &world.features, &world.labels, &folds, &result, error);
  assert_null(result.models);
  assert_int_equal(result.predictions.count, 0);
  fmlp_model_result_release(&result);
  fmlp_folds_release(&folds);
  return status;
}

static void auc_counts_ties_half(void **state) {
  (void)state;
  fmlp_error error = {""};
  double auc = -1;
  const double p[] = {0.1, 0.4, 0.35, 0.8};
  assert_int_equal(fmlp_score_auc(4, p, (const int8_t[]){0, 0, 1, 1}, &auc, &error), FMLP_OK);
  assert_true(auc == 0.75);
  const double tied[] = {0.5, 0.5, 0.5, 0.5};
  assert_int_equal(fmlp_score_auc(4, tied, (const int8_t[]){0, 1, 0, 1}, &auc, &error), FMLP_OK);
  assert_true(auc == 0.5);
  const double mixed[] = {0.2, 0.5, 0.5, 0.9, 0.5};
  assert_int_equal(fmlp_score_auc(5, mixed, (const int8_t[]){0, 0, 1, 1, 1}, &auc, &error), FMLP_OK);
  assert_true(auc == 5.0 / 6.0);
  assert_int_equal(fmlp_score_auc(4, p, (const int8_t[]){1, 1, 1, 1}, &auc, &error), FMLP_OK);
  assert_true(isnan(auc));
  assert_int_equal(fmlp_score_auc(0, p, NULL, &auc, &error), FMLP_OK);
  assert_true(isnan(auc));
}

/* Predictions of every split's test rows, split by split and backwards within: no order may matter. */
static void predict_all(const fmlp_folds *folds, fmlp_predictions *predictions) {
  fmlp_error error = {""};
  int64_t total = 0;
  for (int32_t s = 0; s < folds->split_count; s++) total += folds->splits[s].test_count;
  memset(predictions, 0, sizeof *predictions);
  assert_int_equal(fmlp_alloc_zero(&predictions->label_row, total, 8, "rows", &error), FMLP_OK);
  assert_int_equal(fmlp_alloc_zero(&predictions->split, total, 8, "splits", &error), FMLP_OK);
  assert_int_equal(fmlp_alloc_zero(&predictions->path, total, 8, "paths", &error), FMLP_OK);
  assert_int_equal(fmlp_alloc_zero(&predictions->probability, total, 8, "probabilities", &error), FMLP_OK);
  for (int32_t s = folds->split_count - 1; s >= 0; s--) {
    for (int64_t i = folds->splits[s].test_count - 1; i >= 0; i--) {
      int64_t at = predictions->count++;
      predictions->label_row[at] = folds->splits[s].test[i];
      predictions->split[at] = s;
      predictions->probability[at] = 0.5 + 0.5 * noise(200 + (uint64_t)s, folds->splits[s].test[i]);
    }
  }
}

static void scores_need_nothing_but_predictions_and_labels(void **state) {
  (void)state;
  make_market(0, 2);
  fmlp_error error = {""};
  fmlp_folds folds;
  assert_int_equal(fmlp_cv_split(&world.settings.validation, &world.labels, &folds, &error), FMLP_OK);
  fmlp_predictions predictions;
  predict_all(&folds, &predictions);
  fmlp_fold_score scores[10];
  assert_int_equal(folds.split_count, 10);
  assert_int_equal(fmlp_score_splits(&world.labels, &folds, &predictions, scores, &error), FMLP_OK);
  double probability[2 * BARS];
  int8_t target[2 * BARS];
  for (int32_t s = 0; s < 10; s++) {
    const fmlp_split *split = &folds.splits[s];
    for (int64_t i = 0; i < split->test_count; i++) {
      probability[i] = 0.5 + 0.5 * noise(200 + (uint64_t)s, split->test[i]);
      target[i] = world.label[split->test[i]] > 0;
    }
    fmlp_fold_score wanted = {.train_rows = split->train_count};
    assert_int_equal(fmlp_score_fold(split->test_count, probability, target, &wanted, &error), FMLP_OK);
    assert_memory_equal(&scores[s], &wanted, sizeof wanted);
  }
  /* Predictions of other folds are refused: one too few, a row twice, a row of training, a split too many. */
  predictions.count--;
  assert_int_equal(fmlp_score_splits(&world.labels, &folds, &predictions, scores, &error), FMLP_ERR_INPUT);
  predictions.count++;
  int64_t row = predictions.label_row[0], number = predictions.split[0];
  predictions.label_row[0] = folds.splits[number].train[0];
  assert_int_equal(fmlp_score_splits(&world.labels, &folds, &predictions, scores, &error), FMLP_ERR_INPUT);
  predictions.label_row[0] = predictions.label_row[1];
  assert_int_equal(fmlp_score_splits(&world.labels, &folds, &predictions, scores, &error), FMLP_ERR_INPUT);
  predictions.label_row[0] = row;
  predictions.split[0] = 10;
  assert_int_equal(fmlp_score_splits(&world.labels, &folds, &predictions, scores, &error), FMLP_ERR_INPUT);
  fmlp_predictions_release(&predictions);
  fmlp_folds_release(&folds);
}

static void fold_scores_are_those_of_their_definitions(void **state) {
  (void)state;
  fmlp_error error = {""};
  fmlp_fold_score score = {0};
  const double p[] = {0.25, 0.5, 1.0, 0.0};
  assert_int_equal(fmlp_score_fold(4, p, (const int8_t[]){0, 1, 1, 1}, &score, &error), FMLP_OK);
  assert_true(score.accuracy == 0.75);
  assert_true(score.base_rate == 0.75);
  double expected = (-log(0.75) - log(0.5) - log(1 - 1e-15) - log(1e-15)) / 4;
  assert_true(fabs(score.log_loss - expected) < 1e-12);
  assert_int_equal(fmlp_score_fold(0, p, NULL, &score, &error), FMLP_OK);
  assert_true(isnan(score.auc) && isnan(score.accuracy) && isnan(score.log_loss) && isnan(score.base_rate));
}

#if FMLP_HAVE_MODEL

static void run_model(fmlp_model_result *result) {
  fmlp_error error = {""};
  fmlp_folds folds;
  assert_int_equal(fmlp_cv_split(&world.settings.validation, &world.labels, &folds, &error), FMLP_OK);
  fmlp_status status =
      fmlp_model_run(&world.settings, &world.features, &world.labels, &folds, result, &error);
  if (status != FMLP_OK) print_error("%s\n", error.text);
  assert_int_equal(status, FMLP_OK);
  fmlp_folds_release(&folds);
}

static void expect_same_bits(const fmlp_model_result *a, const fmlp_model_result *b) {
  assert_int_equal(a->predictions.count, b->predictions.count);
  for (int64_t i = 0; i < a->predictions.count; i++) {
    assert_int_equal(a->predictions.label_row[i], b->predictions.label_row[i]);
    assert_int_equal(fmlp_bits_of(a->predictions.probability[i]),
                     fmlp_bits_of(b->predictions.probability[i]));
  }
  assert_int_equal(a->model_count, b->model_count);
  for (int32_t i = 0; i < a->model_count; i++) {
    assert_int_equal(a->models[i].count, b->models[i].count);
    assert_memory_equal(a->models[i].bytes, b->models[i].bytes, (size_t)a->models[i].count);
  }
  for (int32_t f = 0; f < a->feature_count; f++) {
    assert_int_equal(fmlp_bits_of(a->importance[f]), fmlp_bits_of(b->importance[f]));
    assert_int_equal(fmlp_bits_of(a->importance_std[f]), fmlp_bits_of(b->importance_std[f]));
  }
}

static double mean_auc(const fmlp_model_result *result) {
  double sum = 0;
  for (int32_t s = 0; s < result->split_count; s++) sum += result->scores[s].auc;
  return sum / result->split_count;
}

static void bits_do_not_depend_on_the_number_of_threads(void **state) {
  (void)state;
  for (int type = FMLP_MODEL_RANDOM_FOREST; type <= FMLP_MODEL_GRADIENT_BOOSTING; type++) {
    make_market(0.3, 2);
    world.settings.model.type = (fmlp_model_type)type;
    fmlp_model_result reference;
    fmlp_threads_set(1);
    run_model(&reference);
    for (int threads = 2; threads <= 4; threads += 2) {
      fmlp_threads_set(threads);
      fmlp_model_result result;
      run_model(&result);
      expect_same_bits(&reference, &result);
      fmlp_model_result_release(&result);
    }
    fmlp_model_result_release(&reference);
    fmlp_threads_set(0);
  }
}

static void another_seed_gives_another_forest(void **state) {
  (void)state;
  make_market(0.3, 1);
  fmlp_model_result a, b;
  run_model(&a);
  world.settings.seed = 43;
  run_model(&b);
  int64_t different = 0;
  for (int64_t i = 0; i < a.predictions.count; i++)
    different += a.predictions.probability[i] != b.predictions.probability[i];
  assert_true(different > a.predictions.count / 2);
  fmlp_model_result_release(&a);
  fmlp_model_result_release(&b);
}

static void a_planted_signal_is_learned_and_noise_is_not(void **state) {
  (void)state;
  for (int type = FMLP_MODEL_RANDOM_FOREST; type <= FMLP_MODEL_GRADIENT_BOOSTING; type++) {
    fmlp_model_result result;
    make_market(0.6, 1);
    world.settings.model.type = (fmlp_model_type)type;
    run_model(&result);
    assert_true(mean_auc(&result) > 0.8);
    for (int f = 1; f < FEATURES; f++) assert_true(result.importance[0] > 3 * result.importance[f]);
    fmlp_model_result_release(&result);
    make_market(0, 1);
    world.settings.model.type = (fmlp_model_type)type;
    run_model(&result);
    assert_true(mean_auc(&result) > 0.45 && mean_auc(&result) < 0.55);
    fmlp_model_result_release(&result);
  }
}

static void predictions_are_ordered_by_path_and_row_and_complete(void **state) {
  (void)state;
  make_market(0.3, 2);
  fmlp_model_result result;
  run_model(&result);
  const fmlp_predictions *all = &result.predictions;
  assert_int_equal(all->count, 4 * (int64_t)(BARS - 20) * 2); /* C(5,2)*2/5 paths of every usable row */
  for (int64_t i = 0; i < all->count; i++) {
    assert_true(all->probability[i] >= 0 && all->probability[i] <= 1);
    assert_int_equal(all->path[i], i / (all->count / 4));
    assert_int_equal(all->label_row[i], 40 + i % (all->count / 4));
    assert_in_range(all->split[i], 0, 9);
  }
  double sum = 0;
  for (int32_t f = 0; f < result.feature_count; f++) sum += result.importance[f];
  assert_true(fabs(sum - 1) < 1e-12);
  assert_int_equal(result.model_count, 22);
  assert_string_equal(result.models[0].name.text, "fold_00_long");
  assert_string_equal(result.models[1].name.text, "fold_00_short");
  assert_string_equal(result.models[21].name.text, "final_short");
  fmlp_model_result_release(&result);
}

/* The exit price as a feature gave an existing pipeline 98 % accuracy: what is excluded must not matter. */
static void an_excluded_feature_has_no_influence(void **state) {
  (void)state;
  make_market(0, 1);
  for (int i = 0; i < BARS; i++) world.columns[3][i] = world.label[i];
  world.model_input[3] = false;
  fmlp_model_result with, without;
  run_model(&with);
  assert_int_equal(with.feature_count, FEATURES - 1);
  for (int f = 0; f < with.feature_count; f++)
    assert_string_not_equal(with.feature_names[f].text, "feature_3");
  assert_true(mean_auc(&with) < 0.55);
  for (int i = 0; i < BARS; i++) world.columns[3][i] = noise(55, i);
  run_model(&without);
  expect_same_bits(&with, &without);
  fmlp_model_result_release(&with);
  fmlp_model_result_release(&without);
}

static void a_single_class_gives_a_constant_probability(void **state) {
  (void)state;
  for (int label = -1; label <= 1; label += 2) {
    make_market(0, 1);
    for (int i = 0; i < BARS; i++) world.label[i] = (int8_t)label;
    fmlp_model_result result;
    run_model(&result);
    for (int64_t i = 0; i < result.predictions.count; i++)
      assert_true(result.predictions.probability[i] == (label > 0));
    assert_true(isnan(result.scores[0].auc));
    assert_true(result.scores[0].accuracy == 1);
    for (int f = 0; f < FEATURES; f++) assert_true(result.importance[f] == 0);
    fmlp_model_result_release(&result);
  }
}

/* XGBoost leaves a root below min_child_weight at 0, which would be a probability of 0. */
static void too_few_rows_for_a_leaf_give_the_mean(void **state) {
  (void)state;
  make_market(0, 1);
  world.settings.model.min_samples_leaf = 1000000;
  fmlp_model_result result;
  run_model(&result);
  for (int64_t i = 0; i < result.predictions.count; i++)
    assert_true(result.predictions.probability[i] > 0.4 && result.predictions.probability[i] < 0.6);
  fmlp_model_result_release(&result);
}

static void weights_matter(void **state) {
  (void)state;
  make_market(0, 1);
  for (int i = 0; i < BARS; i++) world.weight[i] = world.label[i] > 0 ? 1.9 : 0.1;
  fmlp_model_result result;
  run_model(&result);
  double mean = 0;
  for (int64_t i = 0; i < result.predictions.count; i++) mean += result.predictions.probability[i];
  assert_true(mean / (double)result.predictions.count > 0.85);
  fmlp_model_result_release(&result);
  for (int i = 0; i < BARS; i++) world.weight[i] = 0; /* nothing to go by: all rows alike */
  run_model(&result);
  assert_true(result.predictions.probability[0] > 0.2 && result.predictions.probability[0] < 0.8);
  fmlp_model_result_release(&result);
}

static void a_saved_model_predicts_the_same_bits(void **state) {
  (void)state;
  for (int type = FMLP_MODEL_RANDOM_FOREST; type <= FMLP_MODEL_GRADIENT_BOOSTING; type++) {
    make_market(0.4, 1);
    world.settings.model.type = (fmlp_model_type)type;
    fmlp_model_result result;
    run_model(&result);
    static float inputs[BARS][FEATURES];
    static double probability[BARS];
    for (int i = 0; i < BARS; i++)
      for (int f = 0; f < FEATURES; f++) inputs[i][f] = (float)world.columns[f][i];
    for (int64_t i = 0; i < result.predictions.count; i += 97) {
      const fmlp_saved_model *saved = &result.models[result.predictions.split[i]];
      fmlp_error error = {""};
      assert_int_equal(
          fmlp_forest_predict(saved->bytes, saved->count, FEATURES, BARS, inputs[0], probability, &error),
          FMLP_OK);
      int64_t row = result.predictions.label_row[i];
      assert_int_equal(fmlp_bits_of(probability[row]), fmlp_bits_of(result.predictions.probability[i]));
    }
    fmlp_model_result_release(&result);
  }
}

static void models_that_cannot_be_trained_are_refused(void **state) {
  (void)state;
  fmlp_error error = {""};
  make_market(0, 1);
  world.settings.model.type = FMLP_MODEL_LOGISTIC;
  assert_int_equal(run_refused(&error), FMLP_ERR_USAGE);
  assert_non_null(strstr(error.text, "not built yet"));
  make_market(0, 1);
  world.settings.model.meta_enabled = true;
  assert_int_equal(run_refused(&error), FMLP_ERR_USAGE);
  make_market(0, 1);
  for (int f = 0; f < FEATURES; f++) world.model_input[f] = false;
  assert_int_equal(run_refused(&error), FMLP_ERR_USAGE);
  assert_non_null(strstr(error.text, "features.exclude"));
  make_market(0, 1); /* short labels only at the end: no split's training holds one when that is tested */
  world.side[BARS - 1] = -1;
  assert_int_equal(run_refused(&error), FMLP_ERR_INPUT);
  assert_non_null(strstr(error.text, "short"));
}

static void infinite_and_huge_inputs_are_taken(void **state) {
  (void)state;
  make_market(0.3, 1);
  for (int i = 0; i < BARS; i++) world.columns[2][i] *= 1e300;
  fmlp_model_result result;
  run_model(&result);
  fmlp_model_result_release(&result);
}

static void every_allocation_failure_leaves_an_empty_result(void **state) {
  (void)state;
  make_market(0.3, 2);
  world.settings.validation = (fmlp_validation_settings){.cv_type = FMLP_CV_PURGED_KFOLD, .n_splits = 2};
  world.settings.model.n_estimators = 1;
  fmlp_error error = {""};
  fmlp_folds folds;
  assert_int_equal(fmlp_cv_split(&world.settings.validation, &world.labels, &folds, &error), FMLP_OK);
  fmlp_threads_set(1);
  fmlp_status status = FMLP_ERR_OTHER;
  for (int64_t nth = 1; status != FMLP_OK; nth++) {
    fmlp_model_result result;
    fmlp_memory_fail_at(nth);
    status = fmlp_model_run(&world.settings, &world.features, &world.labels, &folds, &result, &error);
    fmlp_memory_fail_at(0);
    if (status != FMLP_OK) {
      assert_int_equal(status, FMLP_ERR_OTHER);
      assert_null(result.models);
    }
    fmlp_model_result_release(&result);
    assert_true(nth < 2000);
  }
  fmlp_threads_set(0);
  fmlp_folds_release(&folds);
}

/* Last: the signal stays. */
static void an_interrupt_ends_training_with_nothing_left(void **state) {
  (void)state;
  fmlp_error error = {""};
  make_market(0.3, 1);
  fmlp_interrupt_install();
  assert_int_equal(raise(SIGINT), 0);
  assert_int_equal(run_refused(&error), FMLP_ERR_INTERRUPTED);
  assert_true(error.text[0] != '\0');
}

#else

static void without_the_library_the_stage_says_so(void **state) {
  (void)state;
  fmlp_error error = {""};
  make_market(0, 1);
  assert_int_equal(run_refused(&error), FMLP_ERR_USAGE);
  assert_non_null(strstr(error.text, "built without models"));
}

#endif

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(auc_counts_ties_half),
    cmocka_unit_test(fold_scores_are_those_of_their_definitions),
    cmocka_unit_test(scores_need_nothing_but_predictions_and_labels),
#if FMLP_HAVE_MODEL
    cmocka_unit_test(bits_do_not_depend_on_the_number_of_threads),
    cmocka_unit_test(another_seed_gives_another_forest),
    cmocka_unit_test(a_planted_signal_is_learned_and_noise_is_not),
    cmocka_unit_test(predictions_are_ordered_by_path_and_row_and_complete),
    cmocka_unit_test(an_excluded_feature_has_no_influence),
    cmocka_unit_test(a_single_class_gives_a_constant_probability),
    cmocka_unit_test(too_few_rows_for_a_leaf_give_the_mean),
    cmocka_unit_test(weights_matter),
    cmocka_unit_test(a_saved_model_predicts_the_same_bits),
    cmocka_unit_test(models_that_cannot_be_trained_are_refused),
    cmocka_unit_test(infinite_and_huge_inputs_are_taken),
    cmocka_unit_test(every_allocation_failure_leaves_an_empty_result),
    cmocka_unit_test(an_interrupt_ends_training_with_nothing_left),
#else
    cmocka_unit_test(without_the_library_the_stage_says_so),
#endif
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
