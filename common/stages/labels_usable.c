/* Which labels a model can use: those without a NaN among its inputs. And why there are none. */
#include <stdio.h>
#include <string.h>

#include "common/core/memory.h"
#include "common/core/parallel.h"
#include "common/stages/labels.h"
#include "prof/span.h"

enum { USABLE_GRAIN = 1 << 14 };

typedef struct usable_context {
  const fmlp_features *features;
  fmlp_labels *labels;
} usable_context;

static fmlp_status mark_chunk(void *context, int64_t first, int64_t last, int worker, fmlp_error *error) {
  (void)worker;
  (void)error;
  const usable_context *all = context;
  const fmlp_features *features = all->features;
  for (int64_t row = first; row < last; row++) all->labels->usable[row] = 1;
  for (int32_t f = 0; f < features->count; f++) {
    if (!features->model_input[f]) continue;
    const double *column = features->columns[f];
    for (int64_t row = first; row < last; row++) {
      double value = column[all->labels->event_bar[row]];
      if (value != value) all->labels->usable[row] = 0;
    }
  }
  return FMLP_OK;
}

fmlp_status fmlp_labels_mark_usable(const fmlp_features *features, fmlp_labels *labels, fmlp_error *error) {
  FMLP_SPAN("labels.usable");
  labels->not_usable = 0;
  if (!features) {
    memset(labels->usable, 1, (size_t)labels->count);
    return FMLP_OK;
  }
  usable_context context = {features, labels};
  FMLP_TRY(
      fmlp_parallel_for(labels->count, USABLE_GRAIN, mark_chunk, &context, "labels: usable rows", error));
  for (int64_t row = 0; row < labels->count; row++) labels->not_usable += !labels->usable[row];
  return FMLP_OK;
}

/* Labels at whose bar a column is NaN. */
static int64_t missing_in(const double *column, const fmlp_labels *labels) {
  int64_t missing = 0;
  for (int64_t row = 0; row < labels->count; row++) {
    const double value = column[labels->event_bar[row]];
    missing += value != value;
  }
  return missing;
}

static bool is_constant(const int32_t *low, const int32_t *high, int64_t bars) {
  for (int64_t bar = 0; bar < bars && low && high; bar++) {
    if (low[bar] != low[0] || high[bar] != low[0]) return false;
  }
  return true;
}

fmlp_status fmlp_labels_check_usable(const fmlp_features *features, const fmlp_bars *bars,
                                     const fmlp_labels *labels, fmlp_error *error) {
  if (labels->count == 0 || labels->not_usable < labels->count) return FMLP_OK;
  if (is_constant(bars->bid_low, bars->bid_high, bars->count) &&
      is_constant(bars->ask_low, bars->ask_high, bars->count)) {
    return fmlp_fail(error, FMLP_ERR_INPUT,
                     "labels: none of %lld is usable: the price is the same in all %lld bars, and features "
                     "that divide by its spread are NaN; is this the right file?",
                     (long long)labels->count, (long long)bars->count);
  }
  int32_t worst = -1, whole = 0;
  int64_t most = 0;
  for (int32_t f = 0; f < features->count; f++) {
    if (!features->model_input[f]) continue;
    const int64_t missing = missing_in(features->columns[f], labels);
    whole += missing == labels->count;
    if (missing <= most) continue;
    most = missing;
    worst = f;
  }
  if (worst < 0) return FMLP_OK;
  char others[48] = "";
  if (whole > 1) (void)snprintf(others, sizeof others, " (and %d more features)", (int)whole - 1);
  return fmlp_fail(
      error, FMLP_ERR_INPUT,
      "labels: none of %lld is usable, a model input is NaN at each: %s at %lld of them%s; shorten "
      "its window, give more data, or name it in features.exclude",
      (long long)labels->count, features->names[worst].text, (long long)most, others);
}
