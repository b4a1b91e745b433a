/* Selection, sorting and the normal distribution. */
#include "common/core/quantile.h"

#include <math.h>

#include "common/core/elementary.h"

enum { SMALL = 16 };

static void swap(double *a, double *b) {
  double kept = *a;
  *a = *b;
  *b = kept;
}

static void insertion_sort(double *values, int64_t count) {
  for (int64_t i = 1; i < count; i++) {
    double value = values[i];
    int64_t j = i;
    for (; j > 0 && values[j - 1] > value; j--) values[j] = values[j - 1];
    values[j] = value;
  }
}

static void sift_down(double *heap, int64_t root, int64_t count) {
  double value = heap[root];
  for (int64_t child = 2 * root + 1; child < count; child = 2 * root + 1) {
    if (child + 1 < count && heap[child + 1] > heap[child]) child++;
    if (heap[child] <= value) break;
    heap[root] = heap[child];
    root = child;
  }
  heap[root] = value;
}

static void heap_sort(double *values, int64_t count) {
  for (int64_t root = count / 2 - 1; root >= 0; root--) sift_down(values, root, count);
  for (int64_t last = count - 1; last > 0; last--) {
    swap(&values[0], &values[last]);
    sift_down(values, 0, last);
  }
}

static double median_of_three(double a, double b, double c) {
  if (a > b) swap(&a, &b);
  if (b > c) b = c;
  return a > b ? a : b;
}

/* Splits `values` by a pivot so that [0, *left] <= pivot <= [*right, count), left < right, and what lies
 * between them equals the pivot. */
static void partition(double *values, int64_t count, int64_t *left, int64_t *right) {
  double pivot = median_of_three(values[0], values[count / 2], values[count - 1]);
  int64_t i = 0, j = count - 1;
  while (i <= j) {
    while (values[i] < pivot) i++;
    while (values[j] > pivot) j--;
    if (i > j) break;
    swap(&values[i++], &values[j--]);
  }
  *left = j;
  *right = i;
}

/* Moves the value of rank `rank` to its place, nothing larger before it, nothing smaller behind it. */
static void select_rank(double *values, int64_t count, int64_t rank) {
  int64_t first = 0, last = count;
  for (int rounds = 0; last - first > SMALL; rounds++) {
    if (rounds > 100) { /* an adversary's order: n log n rather than n squared */
      heap_sort(values + first, last - first);
      return;
    }
    int64_t left = 0, right = 0;
    partition(values + first, last - first, &left, &right);
    if (rank <= first + left) {
      last = first + left + 1;
    } else if (rank >= first + right) {
      first += right;
    } else {
      return;
    }
  }
  insertion_sort(values + first, last - first);
}

double fmlp_quantile(double *values, int64_t count, double q) {
  if (count <= 0) return fmlp_nan();
  for (int64_t i = 0; i < count; i++) {
    if (!(values[i] == values[i])) return fmlp_nan();
  }
  double h = (double)(count - 1) * q;
  int64_t below = (int64_t)h;
  if (below >= count - 1) below = count - 1;
  select_rank(values, count, below);
  if (below == count - 1) return values[below];
  double next = values[below + 1];
  for (int64_t i = below + 2; i < count; i++) next = values[i] < next ? values[i] : next;
  return values[below] + (next - values[below]) * (h - (double)below);
}

void fmlp_sort_doubles(double *values, int64_t count) {
  /* Quicksort with an explicit stack of the larger halves; heap sort where partitions stay lopsided. */
  struct {
    int64_t first, last;
    int depth;
  } stack[64];
  int top = 0;
  int64_t first = 0, last = count;
  int depth = 0;
  for (;;) {
    if (last - first <= SMALL || depth > 96) {
      if (last - first <= SMALL)
        insertion_sort(values + first, last - first);
      else
        heap_sort(values + first, last - first);
      if (top == 0) return;
      top--;
      first = stack[top].first;
      last = stack[top].last;
      depth = stack[top].depth;
      continue;
    }
    int64_t left = 0, right = 0;
    partition(values + first, last - first, &left, &right);
    depth++;
    int64_t left_end = first + left + 1, right_start = first + right;
    if (left_end - first > last - right_start) {
      stack[top].first = first;
      stack[top].last = left_end;
      first = right_start;
    } else {
      stack[top].first = right_start;
      stack[top].last = last;
      last = left_end;
    }
    stack[top++].depth = depth;
  }
}

/* The density, exp(-x^2/2)/sqrt(2 pi). x is cut to 26 bits so that its square is exact and the exponential
 * gets an exact argument; the rest enters as a second factor. */
static double density(double x) {
  double split = x * 0x1.0000002p27;
  double head = split - (split - x);
  double rest = (x - head) * (x + head);
  return fmlp_exp(head * head * -0.5) * fmlp_exp(rest * -0.5) * 0x1.9884533d43651p-2;
}

double fmlp_normal_cdf(double x) {
  if (!(x == x)) return fmlp_nan();
  if (x > 38.5) return 1.0;
  if (x < -38.5) return 0.0;
  double size = x < 0.0 ? -x : x;
  if (size < 2.5) { /* 1/2 + density * (x + x^3/3 + x^5/15 + ...); terms below 2^-60 of the first by then */
    double term = x, sum = x;
    for (int k = 3; k < 101; k += 2) {
      term = term * (x * x) / (double)k;
      sum = sum + term;
    }
    if (x > -1.0) return 0.5 + density(x) * sum;
  }
  /* Upper tail by Laplace's continued fraction, evaluated from the far end. */
  double fraction = size;
  for (int k = 300; k >= 1; k--) fraction = size + (double)k / fraction;
  double tail = density(size) / fraction;
  return x < 0.0 ? tail : 1.0 - tail;
}

double fmlp_normal_quantile(double p) {
  if (!(p >= 0.0 && p <= 1.0)) return fmlp_nan();
  if (p == 0.0) return -INFINITY;
  if (p == 1.0) return INFINITY;
  /* Start: Abramowitz and Stegun 26.2.23, 4.5e-4; then Halley's iteration, which triples the digits. */
  double side = p < 0.5 ? p : 1.0 - p;
  double t = sqrt(-2.0 * fmlp_log(side));
  double x = -(t - ((0.010328 * t + 0.802853) * t + 2.515517) /
                       (((0.001308 * t + 0.189269) * t + 1.432788) * t + 1.0));
  for (int round = 0; round < 4; round++) {
    double error = (fmlp_normal_cdf(x) - side) / density(x);
    x = x - error / (1.0 + x * error * 0.5);
  }
  return p < 0.5 ? x : 0.0 - x;
}
