/* Edit distance with swaps (optimal string alignment) over three rows of the table. */
#include "common/core/nearest.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum { LONGEST = 63 };

static int lower(char c) {
  return tolower((unsigned char)c);
}

static int32_t length_of(const char *text) {
  const char *end = memchr(text, 0, LONGEST);
  return end ? (int32_t)(end - text) : LONGEST;
}

static int32_t smaller(int32_t a, int32_t b) {
  return a < b ? a : b;
}

int32_t fmlp_edit_distance(const char *a, const char *b) {
  int32_t rows[3][LONGEST + 1];
  int32_t n = length_of(a), m = length_of(b);
  for (int32_t j = 0; j <= m; j++) rows[0][j] = j;
  for (int32_t i = 1; i <= n; i++) {
    int32_t *now = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
    now[0] = i;
    for (int32_t j = 1; j <= m; j++) {
      int32_t replace = above[j - 1] + (lower(a[i - 1]) != lower(b[j - 1]));
      now[j] = smaller(replace, 1 + smaller(above[j], now[j - 1]));
      int swapped =
          i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) now[j] = smaller(now[j], before[j - 2] + 1);
    }
  }
  return rows[n % 3][m];
}

const char *fmlp_nearest(const char *word, int64_t count, const char *const *known) {
  const char *best = NULL;
  int32_t best_distance = 0;
  for (int64_t i = 0; i < count; i++) {
    if (!known[i]) continue;
    int32_t distance = fmlp_edit_distance(word, known[i]);
    if (best && distance >= best_distance) continue;
    best = known[i];
    best_distance = distance;
  }
  if (!best) return NULL;
  int32_t longer = length_of(word) > length_of(best) ? length_of(word) : length_of(best);
  return 2 * best_distance <= longer ? best : NULL;
}
