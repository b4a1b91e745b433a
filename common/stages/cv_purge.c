/* The two rules that keep test information out of training. Label intervals may end in any order (horizons
 * differ from event to event), so every label is tested against every run instead of searched for; runs are
 * few. */
#include "common/stages/cv_purge.h"

void fmlp_cv_purge(int64_t count, const int64_t *event_bar, const int64_t *end_bar, int32_t run_count,
                   const fmlp_test_run *runs, int64_t embargo_bars, uint8_t *train, int64_t *purged,
                   int64_t *embargoed) {
  for (int64_t i = 0; i < count; i++) {
    if (!train[i]) continue;
    uint8_t overlaps = 0, follows = 0;
    for (int32_t r = 0; r < run_count; r++) {
      overlaps |= event_bar[i] <= runs[r].last_bar && end_bar[i] >= runs[r].first_bar;
      follows |= event_bar[i] > runs[r].last_bar && event_bar[i] - runs[r].last_bar <= embargo_bars;
    }
    if (!overlaps && !follows) continue;
    train[i] = 0;
    *(overlaps ? purged : embargoed) += 1;
  }
}
