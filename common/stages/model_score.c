/* Scores of probabilities. */
#include "common/stages/model_score.h"

#include <stdlib.h>
#include <string.h>

#include "common/core/bits.h"
#include "common/core/elementary.h"
#include "common/core/memory.h"
#include "common/core/tree.h"
#include "prof/span.h"

static const double LEAST_PROBABILITY = 1e-15;

typedef struct scored {
  double probability;
  int8_t target;
} scored;

static int by_probability(const void *a, const void *b) {
  double x = ((const scored *)a)->probability, y = ((const scored *)b)->probability;
  return (x > y) - (x < y);
}

/* Twice the rank sum of the positives: ranks count from 1, equal probabilities share their mean rank. */
static int64_t twice_rank_sum(const scored *rows, int64_t count) {
  int64_t sum = 0;
  for (int64_t first = 0, last; first < count; first = last) {
    int64_t positives = 0;
    for (last = first; last < count && rows[last].probability == rows[first].probability; last++)
      positives += rows[last].target;
    sum += positives * (first + last + 1);
  }
  return sum;
}

fmlp_status fmlp_score_auc(int64_t count, const double *probability, const int8_t *target, double *auc,
                           fmlp_error *error) {
  int64_t positives = 0;
  for (int64_t i = 0; i < count; i++) positives += target[i];
  *auc = fmlp_nan();
  if (positives == 0 || positives == count) return FMLP_OK;
  scored *rows = NULL;
  FMLP_TRY(fmlp_alloc(&rows, count, sizeof *rows, "ranks", error));
  for (int64_t i = 0; i < count; i++) rows[i] = (scored){probability[i], target[i]};
  qsort(rows, (size_t)count, sizeof *rows, by_probability);
  int64_t wins = twice_rank_sum(rows, count) - positives * (positives + 1);
  *auc = (double)wins / (2.0 * (double)positives * (double)(count - positives));
  fmlp_free(rows);
  return FMLP_OK;
}

fmlp_status fmlp_score_fold(int64_t count, const double *probability, const int8_t *target,
                            fmlp_fold_score *score, fmlp_error *error) {
  score->test_rows = count;
  score->accuracy = score->log_loss = score->base_rate = fmlp_nan();
  FMLP_TRY(fmlp_score_auc(count, probability, target, &score->auc, error));
  if (count == 0) return FMLP_OK;
  int64_t positives = 0, correct = 0;
  fmlp_tree loss = {0};
  for (int64_t i = 0; i < count; i++) {
    positives += target[i];
    correct += (probability[i] >= 0.5) == (target[i] != 0);
    double p = target[i] ? probability[i] : 1.0 - probability[i];
    if (p < LEAST_PROBABILITY) p = LEAST_PROBABILITY;
    if (p > 1.0 - LEAST_PROBABILITY) p = 1.0 - LEAST_PROBABILITY;
    fmlp_tree_push(&loss, -fmlp_log(p));
  }
  score->accuracy = (double)correct / (double)count;
  score->log_loss = fmlp_canonical(fmlp_tree_total(&loss) / (double)count);
  score->base_rate = (double)positives / (double)count;
  return FMLP_OK;
}

/* One split's test rows, gathered from predictions that lie path by path. */
typedef struct split_scores {
  int64_t *first;      /* [splits + 1] where each split's test rows start in the two columns */
  double *probability; /* in the order of the test rows */
  int8_t *target;
} split_scores;

/* Position of `row` among the ascending test rows, or -1. */
static int64_t find_row(const fmlp_split *split, int64_t row) {
  int64_t low = 0, high = split->test_count;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (split->test[middle] < row)
      low = middle + 1;
    else
      high = middle;
  }
  return low < split->test_count && split->test[low] == row ? low : -1;
}

static fmlp_status gather(const fmlp_labels *labels, const fmlp_folds *folds,
                          const fmlp_predictions *predictions, split_scores *all, fmlp_error *error) {
  FMLP_TRY(
      fmlp_alloc_zero(&all->first, (int64_t)folds->split_count + 1, sizeof *all->first, "scores", error));
  for (int32_t s = 0; s < folds->split_count; s++)
    all->first[s + 1] = all->first[s] + folds->splits[s].test_count;
  int64_t total = all->first[folds->split_count];
  FMLP_TRY(fmlp_alloc(&all->probability, total, sizeof *all->probability, "scores", error));
  FMLP_TRY(fmlp_alloc(&all->target, total, sizeof *all->target, "scores", error));
  memset(all->target, -1, (size_t)total); /* not met yet */
  bool fits = predictions->count == total;
  for (int64_t i = 0; i < predictions->count && fits; i++) {
    int64_t s = predictions->split[i], row = predictions->label_row[i];
    int64_t at = s >= 0 && s < folds->split_count ? find_row(&folds->splits[s], row) : -1;
    fits = at >= 0 && all->target[all->first[s] + at] < 0; /* as many as there are, none twice: all of them */
    if (!fits) break;
    all->probability[all->first[s] + at] = predictions->probability[i];
    all->target[all->first[s] + at] = labels->label[row] > 0;
  }
  if (fits) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_INPUT,
                   "predictions: not those of these folds; run the model stage again, or give a whole run");
}

fmlp_status fmlp_score_splits(const fmlp_labels *labels, const fmlp_folds *folds,
                              const fmlp_predictions *predictions, fmlp_fold_score *scores,
                              fmlp_error *error) {
  FMLP_SPAN("model.scores");
  split_scores all = {0};
  fmlp_status status = gather(labels, folds, predictions, &all, error);
  for (int32_t s = 0; s < folds->split_count && status == FMLP_OK; s++) {
    scores[s].train_rows = folds->splits[s].train_count;
    status = fmlp_score_fold(folds->splits[s].test_count, all.probability + all.first[s],
                             all.target + all.first[s], &scores[s], error);
  }
  fmlp_free(all.first);
  fmlp_free(all.probability);
  fmlp_free(all.target);
  return status;
}
