/* Ranks, permutations, intervals. */
#include "prof/compare/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  EXACT_SPREAD = 50,    /* runs up to which the distribution of Mann and Whitney is counted */
  ENUMERATED_RUNS = 24, /* two halves of 12 bits each */
  HALF = ENUMERATED_RUNS / 2,
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

/* Twice the ranks, so that equal values may share the middle of theirs; from the half on all are equal. */
static bool rank_row(const int64_t *values, int32_t count, int32_t sign, int32_t *ranks) {
  int64_t *order = malloc(((size_t)count + 1) * sizeof *order);
  if (!order) return false;
  for (int32_t i = 0; i < count; i++) order[i] = sign * values[i];
  qsort(order, (size_t)count, sizeof *order, by_value);
  for (int32_t i = 0; i < count; i++) {
    int32_t first = 0, last = count - 1;
    while (order[first] < sign * values[i]) first++;
    while (order[last] > sign * values[i]) last--;
    const int32_t rank = first + last + 2;
    ranks[i] = sign > 0 && rank > count ? count : sign < 0 && rank < count + 2 ? count + 2 : rank;
  }
  free(order);
  return true;
}

typedef struct permutations {
  const fmlp_rank_test *test;
  int32_t runs;
  int32_t *ranks;    /* [rows][runs] */
  int32_t *observed; /* [rows] sums of the runs after */
  int64_t *reached;  /* [rows] permutations whose largest sum is at least that */
  int64_t done;
} permutations;

static void note(permutations *work, int32_t largest) {
  for (int32_t r = 0; r < work->test->rows; r++) work->reached[r] += largest >= work->observed[r];
  work->done++;
}

/* Sums of every subset of each half of the runs, looked up for each choice of runs (its bits). */
static bool enumerate(permutations *work) {
  const int32_t rows = work->test->rows, parts = 1 << HALF;
  int32_t *sums = malloc(2 * (size_t)rows * (size_t)parts * sizeof *sums);
  if (!sums) return false;
  for (int32_t r = 0; r < rows; r++)
    for (int32_t half = 0; half < 2; half++) {
      int32_t *part = sums + ((size_t)r * 2 + (size_t)half) * (size_t)parts;
      part[0] = 0;
      for (int32_t bits = 1; bits < parts; bits++) {
        const int32_t run = half * HALF + __builtin_ctz((unsigned)bits);
        part[bits] = part[bits & (bits - 1)] + (run < work->runs ? work->ranks[r * work->runs + run] : 0);
      }
    }
  const uint32_t end = UINT32_C(1) << work->runs;
  for (uint32_t bits = (UINT32_C(1) << work->test->after_count) - 1; bits < end;) {
    int32_t largest = 0;
    for (int32_t r = 0; r < rows; r++) {
      const int32_t *part = sums + (size_t)r * 2 * (size_t)parts;
      const int32_t sum = part[bits & (uint32_t)(parts - 1)] + part[parts + (int32_t)(bits >> HALF)];
      if (sum > largest) largest = sum;
    }
    note(work, largest);
    const uint32_t lowest = bits & -bits, next = bits + lowest; /* the next number of as many bits */
    bits = next | (((bits ^ next) >> 2) / lowest);
  }
  free(sums);
  return true;
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
  note(work, INT32_MAX);
  while (work->done < DRAWN) {
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
    note(work, largest);
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

/* `sign` -1 looks for rows that got faster: the same with times negated, the slower half still as one. */
static bool one_direction(const fmlp_rank_test *test, int32_t sign, double *probability) {
  permutations work = {.test = test, .runs = test->before_count + test->after_count};
  const size_t rows = (size_t)test->rows, runs = (size_t)work.runs;
  work.ranks = malloc((rows * runs + 1) * sizeof *work.ranks);
  work.observed = calloc(rows + 1, sizeof *work.observed);
  work.reached = calloc(rows + 1, sizeof *work.reached);
  bool made = work.ranks && work.observed && work.reached;
  for (int32_t r = 0; made && r < test->rows; r++) {
    made = rank_row(test->values + (size_t)r * runs, work.runs, sign, work.ranks + (size_t)r * runs);
    for (int32_t i = test->before_count; made && i < work.runs; i++)
      work.observed[r] += work.ranks[(size_t)r * runs + (size_t)i];
  }
  if (made) {
    const bool exact =
        work.runs <= ENUMERATED_RUNS && choices(test->before_count, test->after_count) <= ENUMERATED;
    made = exact ? enumerate(&work) : draw(&work);
  }
  for (int32_t r = 0; made && r < test->rows; r++)
    probability[r] = (double)work.reached[r] / (double)work.done;
  free(work.ranks);
  free(work.observed);
  free(work.reached);
  return made;
}

bool fmlp_statistics_ranks(const fmlp_rank_test *test) {
  if (test->rows > 0 && test->before_count > 0 && test->after_count > 0)
    return one_direction(test, 1, test->slower) && one_direction(test, -1, test->faster);
  for (int32_t r = 0; r < test->rows; r++) test->slower[r] = test->faster[r] = 1;
  return true;
}
