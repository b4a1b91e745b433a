/* Merge sort of a permutation, then each column through it. Tick files are nearly in order: halves that
 * already follow each other are left alone, and a merge touches only the rows that overlap. */
#include "common/stages/sort_ticks.h"

#include <string.h>

#include "common/core/interrupt.h"
#include "common/core/memory.h"
#include "prof/span.h"

enum { INSERTION_ROWS = 32 };

static void sort_short(const int64_t *time, int64_t *row, int64_t first, int64_t last) {
  for (int64_t i = first + 1; i < last; i++) {
    int64_t now = row[i], at = i;
    for (; at > first && time[row[at - 1]] > time[now]; at--) row[at] = row[at - 1];
    row[at] = now;
  }
}

/* The first position in [first, last) whose time is above `limit` (or, with `equal`, at least `limit`). */
static int64_t find_above(const int64_t *time, const int64_t *row, int64_t first, int64_t last, int64_t limit,
                          bool equal) {
  while (first < last) {
    int64_t middle = first + (last - first) / 2;
    if (time[row[middle]] > limit || (equal && time[row[middle]] == limit)) {
      last = middle;
    } else {
      first = middle + 1;
    }
  }
  return first;
}

/* Merges the sorted [first, middle) and [middle, last); on equal times the left row goes first. */
static void merge(const int64_t *time, int64_t *row, int64_t first, int64_t middle, int64_t last,
                  int64_t *scratch) {
  if (time[row[middle - 1]] <= time[row[middle]]) return;
  first = find_above(time, row, first, middle, time[row[middle]], false); /* in place already */
  last = find_above(time, row, middle, last, time[row[middle - 1]], true);
  int64_t left_count = middle - first, left = 0, right = middle, at = first;
  memcpy(scratch, row + first, (size_t)left_count * sizeof *row);
  while (left < left_count && right < last) {
    row[at++] = time[scratch[left]] <= time[row[right]] ? scratch[left++] : row[right++];
  }
  memcpy(row + at, scratch + left, (size_t)(left_count - left) * sizeof *row);
}

static fmlp_status sort_rows(const int64_t *time, int64_t count, int64_t *row, int64_t *scratch,
                             fmlp_error *error) {
  for (int64_t i = 0; i < count; i++) row[i] = i;
  for (int64_t first = 0; first < count; first += INSERTION_ROWS) {
    sort_short(time, row, first, first + INSERTION_ROWS < count ? first + INSERTION_ROWS : count);
  }
  for (int64_t width = INSERTION_ROWS; width < count; width *= 2) {
    FMLP_TRY(fmlp_check_interrupt("sorting ticks", error));
    for (int64_t first = 0; first + width < count; first += 2 * width) {
      int64_t last = first + 2 * width < count ? first + 2 * width : count;
      merge(time, row, first, first + width, last, scratch);
    }
  }
  return FMLP_OK;
}

static void apply64(int64_t *column, const int64_t *row, int64_t count, int64_t *scratch) {
  if (!column) return;
  for (int64_t i = 0; i < count; i++) scratch[i] = column[row[i]];
  memcpy(column, scratch, (size_t)count * sizeof *column);
}

static void apply32(int32_t *column, const int64_t *row, int64_t count, int64_t *scratch) {
  for (int64_t i = 0; i < count; i++) scratch[i] = column[row[i]];
  for (int64_t i = 0; i < count; i++) column[i] = (int32_t)scratch[i];
}

/* The permutation is made and looked through with its times at every width of merge, most merges moving
 * little; then every column is read, written to the scratch column (8 bytes) and back. */
static int64_t bytes_touched(const fmlp_ticks *ticks) {
  int64_t passes = 1, columns = fmlp_ticks_row_bytes(ticks);
  for (int64_t width = INSERTION_ROWS; width < ticks->count; width *= 2) passes++;
  return ticks->count * (16 * passes + 4 * columns);
}

fmlp_status fmlp_ticks_sort(fmlp_ticks *ticks, fmlp_error *error) {
  FMLP_SPAN_BYTES("clean.sort", bytes_touched(ticks));
  int64_t *row = NULL, *scratch = NULL, count = ticks->count;
  fmlp_status status = fmlp_alloc(&row, count, sizeof *row, "sort permutation", error);
  if (status == FMLP_OK) status = fmlp_alloc(&scratch, count, sizeof *scratch, "sort column", error);
  if (status == FMLP_OK) status = sort_rows(ticks->time, count, row, scratch, error);
  if (status == FMLP_OK) {
    apply64(ticks->time, row, count, scratch);
    apply32(ticks->bid, row, count, scratch);
    if (ticks->ask != ticks->bid) apply32(ticks->ask, row, count, scratch);
    apply64(ticks->bid_size, row, count, scratch);
    apply64(ticks->ask_size, row, count, scratch);
    apply64(ticks->size, row, count, scratch);
  }
  fmlp_free(row);
  fmlp_free(scratch);
  return status;
}
