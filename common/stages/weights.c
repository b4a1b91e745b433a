/* Sample weights after Advances in Financial Machine Learning, chapter 4. */
#include "common/stages/weights.h"

#include <assert.h>
#include <string.h>

#include "common/core/elementary.h"
#include "common/core/memory.h"
#include "prof/span.h"

fmlp_status fmlp_concurrency(int64_t count, const int64_t *start, const int64_t *end, int64_t bars,
                             int32_t *concurrency, fmlp_error *error) {
  int64_t *change = NULL;
  FMLP_TRY(fmlp_alloc_zero(&change, bars + 1, sizeof *change, "concurrency", error));
  for (int64_t e = 0; e < count; e++) {
    assert(0 <= start[e] && start[e] <= end[e] && end[e] < bars);
    change[start[e]]++;
    change[end[e] + 1]--;
  }
  int64_t open = 0;
  for (int64_t b = 0; b < bars; b++) {
    open += change[b];
    concurrency[b] = (int32_t)open;
  }
  fmlp_free(change);
  return FMLP_OK;
}

/* sum[e] = sum of value over [start, end], as the doubling tree over windows that end at end[e]: value[] is
 * turned into the tree's levels one after the other, and each interval takes the levels of its length's bits,
 * the older operand on the left. Destroys value[bars]. */
static void sum_intervals(int64_t count, const int64_t *start, const int64_t *end, int64_t bars,
                          double *value, double *sum) {
  int64_t longest = 0;
  for (int64_t e = 0; e < count; e++) {
    int64_t length = end[e] - start[e] + 1;
    if (length > longest) longest = length;
  }
  for (int64_t span = 1; span <= longest; span *= 2) {
    if (span > 1) {
      for (int64_t b = bars - 1; b >= span / 2; b--) value[b] = value[b - span / 2] + value[b];
    }
    for (int64_t e = 0; e < count; e++) {
      int64_t length = end[e] - start[e] + 1;
      if (!(length & span)) continue;
      int64_t merged = length & (span - 1);
      double part = value[end[e] - merged];
      sum[e] = merged == 0 ? part : part + sum[e];
    }
  }
}

fmlp_status fmlp_average_uniqueness(int64_t count, const int64_t *start, const int64_t *end, int64_t bars,
                                    double *uniqueness, fmlp_error *error) {
  int32_t *concurrency = NULL;
  double *share = NULL;
  fmlp_status status = fmlp_alloc(&concurrency, bars, sizeof *concurrency, "concurrency", error);
  if (status == FMLP_OK) status = fmlp_alloc(&share, bars, sizeof *share, "uniqueness", error);
  if (status == FMLP_OK) status = fmlp_concurrency(count, start, end, bars, concurrency, error);
  if (status == FMLP_OK) {
    for (int64_t b = 0; b < bars; b++) share[b] = concurrency[b] > 0 ? 1.0 / (double)concurrency[b] : 0.0;
    sum_intervals(count, start, end, bars, share, uniqueness);
    for (int64_t e = 0; e < count; e++) uniqueness[e] /= (double)(end[e] - start[e] + 1);
  }
  fmlp_free(share);
  fmlp_free(concurrency);
  return status;
}

fmlp_status fmlp_sequential_bootstrap_probabilities(int64_t count, const int64_t *start, const int64_t *end,
                                                    int64_t bars, int64_t draws, const int64_t *drawn,
                                                    double *probability, fmlp_error *error) {
  int64_t *change = NULL;
  double *share = NULL;
  fmlp_status status = fmlp_alloc_zero(&change, bars + 1, sizeof *change, "concurrency", error);
  if (status == FMLP_OK) status = fmlp_alloc(&share, bars, sizeof *share, "uniqueness", error);
  if (status == FMLP_OK) {
    for (int64_t d = 0; d < draws; d++) {
      assert(0 <= drawn[d] && drawn[d] < count);
      change[start[drawn[d]]]++;
      change[end[drawn[d]] + 1]--;
    }
    int64_t open = 0;
    for (int64_t b = 0; b < bars; b++) {
      open += change[b];
      share[b] = 1.0 / (double)(open + 1); /* were this label drawn too */
    }
    sum_intervals(count, start, end, bars, share, probability);
    double total = 0.0;
    for (int64_t e = 0; e < count; e++) {
      probability[e] /= (double)(end[e] - start[e] + 1);
      total += probability[e];
    }
    for (int64_t e = 0; e < count; e++) probability[e] /= total;
  }
  fmlp_free(share);
  fmlp_free(change);
  return status;
}

void fmlp_weights_decay(int64_t count, const double *uniqueness, double decay, double *weight) {
  double total = 0.0;
  for (int64_t e = 0; e < count; e++) total += uniqueness[e];
  double slope = decay >= 0.0 ? (1.0 - decay) / total : 1.0 / ((decay + 1.0) * total);
  double constant = 1.0 - slope * total;
  double cumulated = 0.0;
  for (int64_t e = 0; e < count; e++) {
    cumulated += uniqueness[e];
    double factor = constant + slope * cumulated;
    weight[e] *= factor > 0.0 ? factor : 0.0;
  }
}

/* The rows of one side. */
typedef struct side_weights {
  int64_t count;
  int64_t *row, *start, *end;  /* [count] */
  double *uniqueness, *weight; /* [count] */
} side_weights;

static void release_side(side_weights *side) {
  fmlp_free(side->row);
  fmlp_free(side->start);
  fmlp_free(side->end);
  fmlp_free(side->uniqueness);
  fmlp_free(side->weight);
}

static fmlp_status collect_side(const fmlp_labels *labels, int which, side_weights *side, fmlp_error *error) {
  int64_t count = 0;
  for (int64_t row = 0; row < labels->count; row++) count += labels->side[row] == which;
  FMLP_TRY(fmlp_alloc(&side->row, count, sizeof *side->row, "weight rows", error));
  FMLP_TRY(fmlp_alloc(&side->start, count, sizeof *side->start, "weight rows", error));
  FMLP_TRY(fmlp_alloc(&side->end, count, sizeof *side->end, "weight rows", error));
  FMLP_TRY(fmlp_alloc(&side->uniqueness, count, sizeof *side->uniqueness, "uniqueness", error));
  FMLP_TRY(fmlp_alloc(&side->weight, count, sizeof *side->weight, "weights", error));
  for (int64_t row = 0; row < labels->count; row++) {
    if (labels->side[row] != which) continue;
    side->row[side->count] = row;
    side->start[side->count] = labels->event_bar[row];
    side->end[side->count] = labels->end_bar[row];
    side->count++;
  }
  return FMLP_OK;
}

/* |sum over the interval of ret / concurrency|, the return into bar 0 being 0. */
static fmlp_status attribute_returns(const fmlp_bars *bars, side_weights *side, fmlp_error *error) {
  int32_t *concurrency = NULL;
  double *share = NULL;
  fmlp_status status = fmlp_alloc(&concurrency, bars->count, sizeof *concurrency, "concurrency", error);
  if (status == FMLP_OK) status = fmlp_alloc(&share, bars->count, sizeof *share, "returns", error);
  if (status == FMLP_OK) {
    status = fmlp_concurrency(side->count, side->start, side->end, bars->count, concurrency, error);
  }
  if (status == FMLP_OK) {
    for (int64_t b = 0; b < bars->count; b++) {
      bool counts = b > 0 && concurrency[b] > 0;
      double ratio = counts ? fmlp_decimal(bars->bid_close[b], bars->price) /
                                  fmlp_decimal(bars->bid_close[b - 1], bars->price)
                            : 1.0;
      share[b] = counts ? fmlp_log(ratio) / (double)concurrency[b] : 0.0;
    }
    sum_intervals(side->count, side->start, side->end, bars->count, share, side->weight);
    for (int64_t e = 0; e < side->count; e++) {
      if (side->weight[e] < 0.0) side->weight[e] = -side->weight[e];
    }
  }
  fmlp_free(share);
  fmlp_free(concurrency);
  return status;
}

static void normalise(side_weights *side) {
  double total = 0.0;
  for (int64_t e = 0; e < side->count; e++) total += side->weight[e];
  double mean = total / (double)side->count;
  for (int64_t e = 0; e < side->count; e++) side->weight[e] = total > 0.0 ? side->weight[e] / mean : 1.0;
}

static fmlp_status weigh_side(const fmlp_labeling_settings *settings, const fmlp_bars *bars,
                              side_weights *side, fmlp_error *error) {
  bool unique = settings->weights_type == FMLP_WEIGHTS_UNIQUENESS;
  FMLP_TRY(
      fmlp_average_uniqueness(side->count, side->start, side->end, bars->count, side->uniqueness, error));
  for (int64_t e = 0; e < side->count; e++) side->weight[e] = unique ? side->uniqueness[e] : 1.0;
  if (settings->weights_type == FMLP_WEIGHTS_RETURN) FMLP_TRY(attribute_returns(bars, side, error));
  if (settings->weights_time_decay != 1.0) {
    fmlp_weights_decay(side->count, side->uniqueness, settings->weights_time_decay, side->weight);
  }
  normalise(side);
  return FMLP_OK;
}

fmlp_status fmlp_weights_compute(const fmlp_labeling_settings *settings, const fmlp_bars *bars,
                                 fmlp_labels *labels, fmlp_error *error) {
  FMLP_SPAN("weights");
  for (int which = 1; which >= -1; which -= 2) {
    side_weights side = {0};
    fmlp_status status = collect_side(labels, which, &side, error);
    if (status == FMLP_OK && side.count > 0) status = weigh_side(settings, bars, &side, error);
    if (status == FMLP_OK) {
      for (int64_t e = 0; e < side.count; e++) labels->weight[side.row[e]] = side.weight[e];
    }
    release_side(&side);
    FMLP_TRY(status);
  }
  return FMLP_OK;
}
