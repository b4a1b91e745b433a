/* Scores of probabilities. */
#include "common/stages/model_score.h"

#include <stdlib.h>

#include "common/core/bits.h"
#include "common/core/elementary.h"
#include "common/core/memory.h"
#include "common/core/tree.h"

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
