/* Rows of one shape: inside tick_rows_fast.c, for instruction sets that shuffle bytes.
 *
 * Rows of a file fall into few shapes: delimiters and decimal points at the same places. Once a row was
 * parsed, a shape remembers which byte goes where, so that the next row of the same places needs one shuffle
 * per cell and one chain of multiplications for all of its numbers. What is not a digit then, or a date other
 * than the remembered one, sends the row back to the parser of single cells, which alone decides what is
 * right. */
#ifndef FMLP_COMMON_IO_TICK_SHAPE_H
#define FMLP_COMMON_IO_TICK_SHAPE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/core/civil.h"
#include "common/io/tick_plan.h"

static inline uint64_t load(const char *at) {
  uint64_t word;
  memcpy(&word, at, sizeof word);
  return word;
}

#if defined(__AVX2__)
#include <immintrin.h>

enum { SHAPES = 32, SHAPED_DIGITS = 8, SHAPED_NUMBERS = 4, ZERO_BYTE = 0x80 };

typedef struct shaped_number {
  __m128i pick; /* from the 16 bytes before `end`: eight digits */
  int32_t end;  /* in the row */
  uint64_t factor;
} shaped_number;

typedef struct row_shape {
  uint64_t delimiter, point; /* masks of the row */
  int32_t end;               /* of the row, with the carriage return told apart; -1: no shape yet */
  int32_t time_start, time_end;
  __m128i time_pick;
  __m128i separators, date; /* civil: bytes that must recur */
  int32_t separator_mask, date_mask, clock_start, suffix_bits;
  uint64_t suffix;
  bool utc;
  int64_t day_seconds;
  shaped_number number[SHAPED_NUMBERS];
} row_shape;

typedef struct shaped_row {
  int64_t time;
  int64_t number[SHAPED_NUMBERS]; /* points, points, size units, size units */
} shaped_row;

static inline unsigned shape_slot(uint64_t delimiter, uint64_t point) {
  return (unsigned)((delimiter ^ point * 3) * UINT64_C(0x9e3779b97f4a7c15) >> 59);
}

static inline __m128i load16(const char *at) {
  return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* The shuffled digits; false when one is none. */
static inline bool digits_at(__m128i bytes, __m128i pick, __m128i *digits) {
  *digits = _mm_shuffle_epi8(_mm_sub_epi8(bytes, _mm_set1_epi8('0')), pick);
  return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(*digits, _mm_set1_epi8(9)), *digits)) == 0xffff;
}

/* Sixteen digits as two numbers of eight. */
static inline uint64_t join16(__m128i digits) {
  __m128i pairs = _mm_maddubs_epi16(digits, _mm_set1_epi16(10 | 1 << 8));
  __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(100 | 1 << 16));
  __m128i packed = _mm_packus_epi32(fours, fours);
  return (uint64_t)_mm_cvtsi128_si64(_mm_madd_epi16(packed, _mm_set1_epi32(10000 | 1 << 16)));
}

/* ---- remembering ---- */

/* Right-aligned digits of [start, end) in the upper or lower half of a register. */
static inline bool shape_number(const char *line, const char *start, const char *end, int half, int k,
                                shaped_number *out) {
  int8_t pick[16];
  int length = (int)(end - start), slot = half * 8 + 7, decimals = 0;
  bool has_point = false;
  if (length > SHAPED_DIGITS + 1) return false;
  memset(pick, ZERO_BYTE, sizeof pick);
  for (int i = length - 1; i >= 0; i--) {
    if (start[i] == '.') {
      has_point = true;
      decimals = length - 1 - i;
      continue;
    }
    if (slot < half * 8) return false;
    pick[slot--] = (int8_t)(16 - length + i);
  }
  if (!has_point) decimals = 0;
  if (decimals > k || k - decimals > 9) return false;
  out->pick = load16((const char *)pick);
  out->end = (int32_t)(end - line);
  out->factor = (uint64_t)fmlp_power_of_ten[k - decimals];
  return true;
}

static inline bool shape_epoch(const char *start, const char *end, row_shape *out) {
  int8_t pick[16];
  int length = (int)(end - start);
  if (length > 16) return false;
  for (int i = 0; i < 16; i++) pick[i] = (int8_t)(i < 16 - length ? -ZERO_BYTE : i);
  out->time_pick = load16((const char *)pick);
  return true;
}

/* The cell was read by civil_cell already: its layout is known to be one of the two. */
static inline bool shape_civil(const char *line, const char *start, const char *end,
                               const fmlp_tick_clock *clock, row_shape *out) {
  int8_t pick[16], separators[16] = {0};
  int date = start[8] == ' ' ? 8 : 10;
  out->suffix_bits = end[-1] == 'Z' ? 8 : end[-6] == '+' ? 48 : 0;
  out->utc = out->suffix_bits > 0;
  out->suffix = out->suffix_bits ? load(end - 8) >> (64 - out->suffix_bits) : 0;
  const char *at = start + date + 1, *last = end - out->suffix_bits / 8;
  int colon = date == 10 ? 1 : 0, left = (int)(last - at), whole = 6 + 2 * colon;
  int fraction = left > whole ? left - whole - colon : 0;
  if (fraction > 7) return false;
  memset(pick, ZERO_BYTE, sizeof pick);
  for (int i = 0; i < 6; i++) pick[i] = (int8_t)(i + colon * (i / 2));
  for (int i = 0; i < fraction; i++) pick[8 + i] = (int8_t)(whole + colon + i);
  out->separator_mask = 0;
  if (colon) {
    separators[2] = separators[5] = ':';
    separators[8] = '.';
    out->separator_mask = 1 << 2 | 1 << 5 | (fraction > 0 ? 1 << 8 : 0);
  }
  out->time_pick = load16((const char *)pick);
  out->separators = load16((const char *)separators);
  out->date = load16(start);
  out->date_mask = (1 << (date + 1)) - 1;
  out->clock_start = (int32_t)(at - line);
  out->day_seconds = clock->day * FMLP_SECONDS_PER_DAY;
  return true;
}

/* ---- recognising ---- */

static inline bool shaped_epoch(const row_shape *shape, const char *line, uint64_t unit, int64_t *time) {
  __m128i digits;
  uint64_t result = 0;
  if (!digits_at(load16(line + shape->time_end - 16), shape->time_pick, &digits)) return false;
  uint64_t halves = join16(digits);
  uint64_t value = (halves & 0xffffffff) * 100000000 + (halves >> 32);
  if (__builtin_mul_overflow(value, unit, &result) || result > INT64_MAX) return false;
  *time = (int64_t)result;
  return true;
}

/* Local seconds and nanoseconds. */
static inline bool shaped_civil(const row_shape *shape, const char *line, int64_t *local,
                                int64_t *nanosecond) {
  const __m128i limits = _mm_setr_epi16(23, 59, 59, 0, 99, 99, 99, 99);
  const __m128i weights = _mm_setr_epi16(3600, 60, 1, 0, 100, 1, 100, 1);
  __m128i bytes = load16(line + shape->clock_start), digits;
  int same_date = _mm_movemask_epi8(_mm_cmpeq_epi8(load16(line + shape->time_start), shape->date));
  int same_separators = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, shape->separators));
  if ((same_date & shape->date_mask) != shape->date_mask) return false;
  if ((same_separators & shape->separator_mask) != shape->separator_mask) return false;
  if (shape->suffix_bits && load(line + shape->time_end - 8) >> (64 - shape->suffix_bits) != shape->suffix) {
    return false;
  }
  if (!digits_at(bytes, shape->time_pick, &digits)) return false;
  __m128i pairs = _mm_maddubs_epi16(digits, _mm_set1_epi16(10 | 1 << 8));
  if (_mm_movemask_epi8(_mm_cmpgt_epi16(pairs, limits)) != 0) return false;
  __m128i sums = _mm_madd_epi16(pairs, weights);
  uint64_t clock = (uint64_t)_mm_cvtsi128_si64(sums);
  uint64_t fraction = (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums));
  *local = shape->day_seconds + (int64_t)(clock & 0xffffffff) + (int64_t)(clock >> 32);
  *nanosecond = ((int64_t)(fraction & 0xffffffff) * 10000 + (int64_t)(fraction >> 32)) * 10;
  return true;
}

/* Two numbers, in the two halves of a register; `second` may be missing. */
static inline bool shaped_pair(const shaped_number *first, bool second, const char *line, int64_t *values) {
  __m128i low, high;
  bool good = digits_at(load16(line + first[0].end - 16), first[0].pick, &low);
  if (second) {
    good &= digits_at(load16(line + first[1].end - 16), first[1].pick, &high);
    low = _mm_or_si128(low, high);
  }
  uint64_t both = join16(low);
  values[0] = (int64_t)((both & 0xffffffff) * first[0].factor);
  if (second) values[1] = (int64_t)((both >> 32) * first[1].factor);
  return good;
}

#endif
#endif
