/* Ranks, permutations, intervals. */
#include "prof/compare/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  EXACT_SPREAD = 50, /* runs up to which the distribution of Mann and Whitney is counted */
  ENUMERATED_RUNS = 24,
  ENUMERATED = 200000, /* permutations */
  DRAWN = 100000
};

static int by_value(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static int by_number(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static int64_t *sorted(const int64_t *values, int32_t count) {
  int64_t *copy = malloc(((size_t)count + 1) * sizeof *copy);
  if (!copy) return NULL;
  if (count > 0) memcpy(copy, values, (size_t)count * sizeof *copy);
  qsort(copy, (size_t)count, sizeof *copy, by_value);
  return copy;
}

int64_t fmlp_statistics_median(const int64_t *values, int32_t count) {
  int64_t *copy = sorted(values, count);
  if (!copy) return INT64_MIN;
  const int32_t half = count / 2;
  const int64_t median = count == 0      ? 0
                         : count % 2 > 0 ? copy[half]
                                         : copy[half - 1] + (copy[half] - copy[half - 1]) / 2;
  free(copy);
  return median;
}

/* ---- the interval of a ratio ---- */

/* In how many of all orders of m and n values Mann and Whitney's U is 0, 1, ...: the coefficients of a
 * Gaussian binomial, m factors (1 - q^(n+i)) / (1 - q^i). Exact in doubles to 50 values. */
static void count_orders(int32_t m, int32_t n, double *counts) {
  const int32_t last = m * n;
  memset(counts, 0, ((size_t)last + 1) * sizeof *counts);
  counts[0] = 1;
  for (int32_t i = 1; i <= m; i++) {
    for (int32_t u = last; u >= n + i; u--) counts[u] -= counts[u - n - i];
    for (int32_t u = i; u <= last; u++) counts[u] += counts[u - i];
  }
}

/* How many of the sorted pairs lie outside the 95 % interval at each end; -1 when even all of them are too
 * few, -2 without memory. */
static int64_t pairs_outside(int32_t m, int32_t n) {
  if (m + n > EXACT_SPREAD) {
    const double pairs = (double)m * n;
    return (int64_t)floor(pairs / 2 - 1.959963984540054 * sqrt(pairs * (m + n + 1) / 12) - 0.5);
  }
  double *counts = malloc(((size_t)m * (size_t)n + 1) * sizeof *counts);
  if (!counts) return -2;
  count_orders(m, n, counts);
  double all = 0, below = 0;
  for (int32_t u = 0; u <= m * n; u++) all += counts[u];
  int64_t outside = -1;
  for (int32_t u = 0; u <= m * n; u++) {
    below += counts[u];
    if (below > 0.025 * all) break;
    outside = u;
  }
  free(counts);
  return outside;
}

bool fmlp_statistics_ratio(const int64_t *before, int32_t before_count, const int64_t *after,
                           int32_t after_count, fmlp_ratio *out) {
  *out = (fmlp_ratio){.ratio = NAN, .low = NAN, .high = NAN};
  for (int32_t i = 0; i < before_count; i++)
    if (before[i] <= 0) return true;
  for (int32_t i = 0; i < after_count; i++)
    if (after[i] <= 0) return true;
  const int64_t pairs = (int64_t)before_count * after_count;
  if (pairs == 0) return true;
  double *ratios = malloc((size_t)pairs * sizeof *ratios);
  if (!ratios) return false;
  int64_t count = 0;
  for (int32_t i = 0; i < before_count; i++)
    for (int32_t j = 0; j < after_count; j++) ratios[count++] = (double)after[j] / (double)before[i];
  qsort(ratios, (size_t)pairs, sizeof *ratios, by_number);
  const int64_t half = pairs / 2, outside = pairs_outside(before_count, after_count);
  out->ratio = pairs % 2 > 0 ? ratios[half] : sqrt(ratios[half - 1] * ratios[half]);
  out->interval = outside >= 0;
  if (out->interval) {
    out->low = ratios[outside];
    out->high = ratios[pairs - 1 - outside];
  }
  free(ratios);
  return outside != -2;
}

/* ---- the test over all rows ---- */

/* Twice the ranks, so that equal values may share the middle of theirs; beyond the first `kept` all are
 * equal. `slower` false: the other way round. */
static bool rank_row(const int64_t *values, int32_t count, int32_t kept, bool slower, int32_t *ranks) {
  int64_t *order = sorted(values, count);
  if (!order) return false;
  const int32_t most = 2 * kept + 2;
  for (int32_t i = 0; i < count; i++) {
    int32_t first = 0, last = count - 1;
    while (order[first] < values[i]) first++;
    while (order[last] > values[i]) last--;
    const int32_t rank = first + last + 2 < most ? first + last + 2 : most;
    ranks[i] = slower ? rank : most - rank;
  }
  free(order);
  return true;
}

typedef struct permutations {
  const fmlp_rank_test *test;
  int32_t runs;
  int32_t *ranks;    /* [rows][runs] */
  int32_t *observed; /* [rows] sums of the runs after */
  int32_t greatest;  /* sum that ranks can give */
  int64_t *largest;  /* [greatest + 1] permutations by the largest of their sums */
  int64_t done;
} permutations;

/* Sums of every choice among one half of the runs, [choices][rows]: rows side by side, for the loop below. */
static void half_sums(const permutations *work, int32_t first, int32_t count, int16_t *sums) {
  const int32_t rows = work->test->rows;
  memset(sums, 0, (size_t)rows * sizeof *sums);
  for (int32_t bits = 1; bits < 1 << count; bits++) {
    const int32_t run = first + __builtin_ctz((unsigned)bits);
    for (int32_t r = 0; r < rows; r++)
      sums[(size_t)bits * (size_t)rows + (size_t)r] =
          (int16_t)(sums[(size_t)(bits & (bits - 1)) * (size_t)rows + (size_t)r] +
                    work->ranks[r * work->runs + run]);
  }
}

/* Every choice of the runs after, as bits, looked up as two halves. */
static bool enumerate(permutations *work) {
  const int32_t rows = work->test->rows, low_runs = work->runs / 2, high_runs = work->runs - low_runs;
  const size_t width = (size_t)rows * sizeof(int16_t);
  int16_t *low = malloc(width << low_runs), *high = malloc(width << high_runs);
  if (low && high) {
    half_sums(work, 0, low_runs, low);
    half_sums(work, low_runs, high_runs, high);
    const uint32_t end = UINT32_C(1) << work->runs, low_bits = (UINT32_C(1) << low_runs) - 1;
    for (uint32_t bits = (UINT32_C(1) << work->test->after_count) - 1; bits < end;) {
      const int16_t *a = low + (size_t)(bits & low_bits) * (size_t)rows;
      const int16_t *b = high + (size_t)(bits >> low_runs) * (size_t)rows;
      int16_t largest = 0;
      for (int32_t r = 0; r < rows; r++) {
        const int16_t sum = (int16_t)(a[r] + b[r]);
        largest = sum > largest ? sum : largest;
      }
      work->largest[largest]++;
      work->done++;
      const uint32_t next = bits + (bits & -bits); /* the next number of as many bits */
      bits = next | (bits ^ next) >> 2 >> __builtin_ctz(bits);
    }
  }
  const bool made = low && high;
  free(low);
  free(high);
  return made;
}

static uint64_t splitmix(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

/* The observed choice counts as one of those drawn. */
static bool draw(permutations *work) {
  const int32_t rows = work->test->rows, runs = work->runs, chosen = work->test->after_count;
  int32_t *order = malloc((size_t)runs * sizeof *order);
  if (!order) return false;
  uint64_t state = 1;
  for (int32_t i = 0; i < runs; i++) order[i] = i;
  work->largest[work->greatest] = work->done = 1;
  for (; work->done < DRAWN; work->done++) {
    for (int32_t i = 0; i < chosen; i++) {
      const int32_t j = i + (int32_t)(splitmix(&state) % (uint64_t)(runs - i));
      const int32_t other = order[j];
      order[j] = order[i];
      order[i] = other;
    }
    int32_t largest = 0;
    for (int32_t r = 0; r < rows; r++) {
      int32_t sum = 0;
      for (int32_t i = 0; i < chosen; i++) sum += work->ranks[r * runs + order[i]];
      if (sum > largest) largest = sum;
    }
    work->largest[largest]++;
  }
  free(order);
  return true;
}

/* C(a + b, b), at most a double's range. */
static double choices(int32_t a, int32_t b) {
  double count = 1;
  for (int32_t i = 1; i <= b; i++) count = count * (a + i) / i;
  return round(count);
}

double fmlp_statistics_least(int32_t before_count, int32_t after_count) {
  if (before_count < 1 || after_count < 1) return 1;
  const double all = choices(before_count, after_count);
  const bool exact = before_count + after_count <= ENUMERATED_RUNS && all <= ENUMERATED;
  return 1 / (exact ? all : all < DRAWN ? all : DRAWN);
}

/* The slower half counts as one, but never a part of the side that is looked for as the faster: else a few
 * runs on the other would leave nothing to tell. */
static int32_t ranks_kept(const fmlp_rank_test *test, bool slower) {
  const int32_t half = (test->before_count + test->after_count) / 2;
  const int32_t faster = slower ? test->before_count : test->after_count;
  return half > faster ? half : faster;
}

static bool permute(permutations *work) {
  const int32_t before = work->test->before_count, after = work->test->after_count;
  return work->runs <= ENUMERATED_RUNS && choices(before, after) <= ENUMERATED ? enumerate(work) : draw(work);
}

static bool one_direction(const fmlp_rank_test *test, bool slower, double *probability) {
  permutations work = {.test = test, .runs = test->before_count + test->after_count};
  const size_t rows = (size_t)test->rows, runs = (size_t)work.runs;
  const int32_t kept = ranks_kept(test, slower);
  work.greatest = (2 * kept + 2) * work.runs;
  work.ranks = malloc(rows * runs * sizeof *work.ranks);
  work.observed = calloc(rows, sizeof *work.observed);
  work.largest = calloc((size_t)work.greatest + 1, sizeof *work.largest);
  bool made = work.ranks && work.observed && work.largest;
  for (int32_t r = 0; made && r < test->rows; r++) {
    int32_t *ranks = work.ranks + (size_t)r * runs;
    made = rank_row(test->values + (size_t)r * runs, work.runs, kept, slower, ranks);
    for (int32_t i = test->before_count; made && i < work.runs; i++) work.observed[r] += ranks[i];
  }
  made = made && permute(&work);
  for (int32_t r = 0; made && r < test->rows; r++) {
    int64_t reached = 0;
    for (int32_t sum = work.observed[r]; sum <= work.greatest; sum++) reached += work.largest[sum];
    probability[r] = (double)reached / (double)work.done;
  }
  free(work.ranks);
  free(work.observed);
  free(work.largest);
  return made;
}

bool fmlp_statistics_ranks(const fmlp_rank_test *test) {
  if (test->rows > 0 && test->before_count > 0 && test->after_count > 0)
    return one_direction(test, true, test->slower) && one_direction(test, false, test->faster);
  for (int32_t r = 0; r < test->rows; r++) test->slower[r] = test->faster[r] = 1;
  return true;
}
