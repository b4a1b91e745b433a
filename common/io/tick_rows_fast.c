/* Rows of the usual shape, fast: a row of at most 64 bytes, cells without quotes or blanks, numbers of at
 * most 16 characters, times as epoch numbers or as dates of a fixed width. One comparison of 64 bytes finds
 * all of a row's delimiters; numbers are converted eight characters at a time inside a 64-bit word (SWAR).
 *
 * Whatever is not of that shape, or needs a decision (a finer scale, an error), ends the fast stretch: the
 * careful parser takes the row, and this one is entered again behind it. */
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "common/core/civil.h"
#include "common/io/tick_plan.h"
#include "common/io/tick_shape.h"

enum { WINDOW = 64, MOST_COLUMNS = 24 };

_Static_assert((int)WINDOW <= (int)FMLP_TICK_MARGIN, "a window at the last byte stays inside the buffer");

#define ALWAYS_INLINE     static inline __attribute__((always_inline))
#define EVERY_BYTE(value) (UINT64_C(0x0101010101010101) * (uint64_t)(value))

/* What the loop over rows reads, in a variable of its own: through the plan's and the rows' pointers the
 * compiler would have to load it again after every store. */
typedef struct stretch {
  int columns;
  int cell[FMLP_ROLE_COUNT];
  char delimiter;
  int price_k, size_k;
  uint64_t m, price_limit;
  int64_t epoch_digits;
  uint64_t epoch_unit;
  const fmlp_timezone *zone;
} stretch;

/* ---- finding delimiters ---- */

typedef struct masks {
  uint64_t line_feed, delimiter, quote, point; /* bit i: byte i of the window */
} masks;

#if defined(__AVX512BW__)
static inline masks find(const char *text, char delimiter) {
  __m512i bytes = _mm512_loadu_si512(text);
  return (masks){_mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\n')),
                 _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(delimiter)),
                 _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('"')),
                 _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('.'))};
}
#elif defined(__AVX2__)
static inline uint64_t equal(__m256i low, __m256i high, char to) {
  __m256i wanted = _mm256_set1_epi8(to);
  uint32_t first = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted));
  uint32_t second = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted));
  return first | (uint64_t)second << 32;
}

static inline masks find(const char *text, char delimiter) {
  __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)text);
  __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(text + 32));
  return (masks){equal(low, high, '\n'), equal(low, high, delimiter), equal(low, high, '"'),
                 equal(low, high, '.')};
}
#elif defined(__x86_64__)
static inline masks find(const char *text, char delimiter) {
  masks found = {0, 0, 0, 0}; /* the points serve shapes only, which this level has not */
  for (int i = 0; i < WINDOW; i += 16) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + i));
    uint64_t feed = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')));
    uint64_t cut = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(delimiter)));
    found.line_feed |= feed << i;
    uint64_t quote = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
    found.delimiter |= cut << i;
    found.quote |= quote << i;
  }
  return found;
}
#else
static inline masks find(const char *text, char delimiter) {
  masks found = {0, 0, 0, 0}; /* the points serve shapes only, which this level has not */
  for (int i = 0; i < WINDOW; i++) {
    found.line_feed |= (uint64_t)(text[i] == '\n') << i;
    found.delimiter |= (uint64_t)(text[i] == delimiter) << i;
    found.quote |= (uint64_t)(text[i] == '"') << i;
  }
  return found;
}
#endif

/* ---- numbers in a word ---- */

/* Bytes all 0..9? A larger one sets its top bit, or has it. */
static inline bool all_digits(uint64_t digits) {
  return (((digits + EVERY_BYTE(0x76)) | digits) & EVERY_BYTE(0x80)) == 0;
}

/* Eight digit bytes, the first character lowest, as a number. */
static inline uint64_t join8(uint64_t digits) {
  digits = digits * 2561 >> 8 & UINT64_C(0x00ff00ff00ff00ff);
  digits = digits * 6553601 >> 16 & UINT64_C(0x0000ffff0000ffff);
  return digits * UINT64_C(42949672960001) >> 32;
}

/* The last min(length, 8) characters before `end` as digit bytes, zeros in front. */
static inline uint64_t tail(const char *end, int64_t length) {
  uint64_t word = load(end - 8) ^ EVERY_BYTE('0');
  if (length >= 8) return word;
  int unwanted = (int)(8 - length) * 8;
  return word >> unwanted << unwanted;
}

/* The position of the lowest '.' among digit bytes, in bits; 64 when there is none. */
static inline int point_bit(uint64_t digits) {
  uint64_t other = digits ^ EVERY_BYTE('.' ^ '0');
  uint64_t zero = (other - EVERY_BYTE(1)) & ~other & EVERY_BYTE(0x80);
  return zero ? __builtin_ctzll(zero) & ~7 : 64;
}

/* 1 to 16 digits with at most one point. */
ALWAYS_INLINE bool decimal(const char *start, const char *end, uint64_t *mantissa, int *decimals) {
  int64_t length = end - start;
  if (length < 1 || length > 16) return false;
  uint64_t low = tail(end, length), high = 0; /* low: the last eight characters */
  int bit = point_bit(low);
  *decimals = 0;
  if (length > 8) high = tail(end - 8, length - 8);
  if (bit < 64) {
    uint64_t before = (UINT64_C(1) << bit) - 1; /* drop the point: what stands before it moves up by one */
    *decimals = 7 - bit / 8;
    low = (low & ~(before << 8 | 0xff)) | (low & before) << 8 | high >> 56;
    high <<= 8;
  } else if (length > 8 && (bit = point_bit(high)) < 64) {
    uint64_t before = (UINT64_C(1) << bit) - 1;
    *decimals = 15 - bit / 8;
    high = (high & ~(before << 8 | 0xff)) | (high & before) << 8;
  }
  if (!all_digits(low) || (length == 1 && bit < 64)) return false;
  *mantissa = join8(low);
  if (length > 8) {
    if (!all_digits(high)) return false;
    *mantissa += join8(high) * 100000000;
  }
  return true;
}

/* mantissa * 10^-decimals in units of 10^-k, when that is a whole number at most `limit`. */
ALWAYS_INLINE bool scaled(uint64_t mantissa, int decimals, int k, uint64_t limit, uint64_t *value) {
  if (decimals == k) {
    *value = mantissa;
    return mantissa <= limit;
  }
  if (decimals < k) {
    uint64_t factor = (uint64_t)fmlp_power_of_ten[k - decimals];
    return !__builtin_mul_overflow(mantissa, factor, value) && *value <= limit;
  }
  uint64_t divisor = (uint64_t)fmlp_power_of_ten[decimals - k];
  *value = mantissa / divisor;
  return *value * divisor == mantissa && *value <= limit;
}

ALWAYS_INLINE bool price_cell(const stretch *now, const char *start, const char *end, int32_t *points) {
  uint64_t mantissa = 0, value = 0;
  int decimals = 0;
  if (!decimal(start, end, &mantissa, &decimals)) return false;
  if (!scaled(mantissa, decimals, now->price_k, now->price_limit, &value) || value == 0) return false;
  if (now->m != 1) {
    if (value % now->m != 0) return false;
    value /= now->m;
  }
  *points = (int32_t)value;
  return true;
}

ALWAYS_INLINE bool size_cell(const char *start, const char *end, int k, int64_t *size) {
  uint64_t mantissa = 0, value = 0;
  int decimals = 0;
  if (!decimal(start, end, &mantissa, &decimals)) return false;
  if (!scaled(mantissa, decimals, k, INT64_MAX, &value)) return false;
  *size = (int64_t)value;
  return true;
}

/* ---- times ---- */

/* The digits before the last eight change every hundred seconds or so (in milliseconds): their value is kept
 * in `prefix`, and only compared. */
typedef struct epoch_prefix {
  uint64_t middle, high; /* digit bytes */
  uint64_t value;
} epoch_prefix;

ALWAYS_INLINE bool epoch_cell(const stretch *now, const char *start, const char *end, epoch_prefix *prefix,
                              int64_t *time) {
  int64_t length = end - start;
  if (length != now->epoch_digits) return false; /* 9 to 19 */
  uint64_t low = tail(end, 8), middle = tail(end - 8, length - 8), result = 0;
  uint64_t high = length > 16 ? tail(end - 16, length - 16) : 0;
  if (middle != prefix->middle || high != prefix->high) {
    if (!all_digits(middle) || !all_digits(high)) return false;
    *prefix =
        (epoch_prefix){middle, high, join8(middle) * 100000000 + join8(high) * UINT64_C(10000000000000000)};
  }
  if (!all_digits(low)) return false;
  if (__builtin_mul_overflow(join8(low) + prefix->value, now->epoch_unit, &result) || result > INT64_MAX) {
    return false;
  }
  *time = (int64_t)result;
  return true;
}

/* hh?mm?ss with digits at 0 1 3 4 6 7 of a word; `word` has '0' taken off already. */
static inline bool clock_seconds(uint64_t word, int64_t *seconds) {
  const uint64_t colons = (uint64_t)(':' ^ '0') << 16 | (uint64_t)(':' ^ '0') << 40;
  const uint64_t gaps = UINT64_C(0xff) << 16 | UINT64_C(0xff) << 40;
  if ((word & gaps) != colons) return false;
  uint64_t digits = word & ~gaps;
  if (!all_digits(digits)) return false;
  int64_t hour = (int64_t)((digits & 0xff) * 10 + (digits >> 8 & 0xff));
  int64_t minute = (int64_t)((digits >> 24 & 0xff) * 10 + (digits >> 32 & 0xff));
  int64_t second = (int64_t)((digits >> 48 & 0xff) * 10 + (digits >> 56));
  *seconds = (hour * 60 + minute) * 60 + second;
  return hour < 24 && minute < 60 && second < 60;
}

/* `length` digits before `end`, at most 9, as nanoseconds. */
static inline bool fraction_cell(const char *end, int64_t length, int64_t *nanosecond) {
  if (length < 1 || length > 9) return false;
  uint64_t digits = tail(end, length);
  uint64_t first = length == 9 ? (uint64_t)(end[-9] ^ '0') : 0;
  if (!all_digits(digits) || first > 9) return false;
  *nanosecond = (int64_t)(join8(digits) + first * 100000000) * fmlp_power_of_ten[9 - length];
  return true;
}

/* The day of the date text, remembered from the row before. */
static inline bool date_cell(const char *start, int length, fmlp_tick_clock *clock) {
  if (clock->length == length && load(start) == load(clock->text) &&
      (length == 8 || memcmp(start + 8, clock->text + 8, 2) == 0)) {
    return true;
  }
  fmlp_civil_time civil;
  const fmlp_cell none = {"", 0};
  if (fmlp_cell_civil((fmlp_cell){start, length}, none, &civil)) return false;
  memcpy(clock->text, start, (size_t)length);
  clock->length = length;
  clock->day = civil.local / FMLP_SECONDS_PER_DAY; /* exact: a midnight */
  return true;
}

/* UTC seconds of a local time, by the offset remembered from the row before where it surely still holds. */
static inline int64_t to_utc(const fmlp_timezone *zone, int64_t local, fmlp_tick_clock *clock) {
  if (local >= clock->local_first && local < clock->local_last) return local - clock->offset;
  int64_t utc = fmlp_timezone_to_utc(zone, local);
  fmlp_timezone_period period = fmlp_timezone_period_at(zone, utc);
  const int64_t margin = 2 * FMLP_SECONDS_PER_DAY; /* keeps gaps and overlaps out */
  clock->offset = period.offset;
  clock->local_first = period.first == INT64_MIN ? INT64_MIN : period.first + margin;
  clock->local_last = period.last == INT64_MAX ? INT64_MAX : period.last - margin;
  return utc;
}

/* Date of 10 or 8 characters, separator, clock, fraction, and nothing, Z or +00:00 behind. */
static inline bool civil_cell(const stretch *now, const char *start, const char *end, fmlp_tick_clock *clock,
                              int64_t *time) {
  int64_t length = end - start;
  if (length < 15) return false;
  int date = start[8] == ' ' ? 8 : 10;
  if (date == 8 && !all_digits(load(start) ^ EVERY_BYTE('0'))) return false;
  char separator = start[date];
  if (separator != ' ' && separator != 'T') return false;
  bool utc = false;
  if (end[-1] == 'Z') {
    utc = true;
    end -= 1;
  } else if (end[-6] == '+' && memcmp(end - 6, "+00:00", 6) == 0) {
    utc = true;
    end -= 6;
  }
  if (!utc && !now->zone) return false;
  const char *at = start + date + 1;
  int64_t seconds = 0, nanosecond = 0, left = end - at;
  uint64_t word = load(at) ^ EVERY_BYTE('0');
  if (date == 10) {
    if (left < 8 || !clock_seconds(word, &seconds)) return false;
    if (left > 8 && (at[8] != '.' || !fraction_cell(end, left - 9, &nanosecond))) return false;
  } else {
    if (left < 6 || !all_digits(word << 16)) return false; /* hhmmss, then digits */
    int64_t whole = (int64_t)join8(word << 16);
    int64_t hour = whole / 10000, minute = whole / 100 % 100, second = whole % 100;
    seconds = (hour * 60 + minute) * 60 + second;
    if (hour >= 24 || minute >= 60 || second >= 60) return false;
    if (left > 6 && !fraction_cell(end, left - 6, &nanosecond)) return false;
  }
  if (!date_cell(start, date, clock)) return false;
  int64_t local = clock->day * FMLP_SECONDS_PER_DAY + seconds;
  *time = (utc ? local : to_utc(now->zone, local, clock)) * FMLP_NS_PER_SECOND + nanosecond;
  return true;
}

/* ---- rows ---- */

#if defined(__AVX2__)
/* Remembers the shape of a row just parsed. */
static void remember_shape(const stretch *now, const char *line, const int32_t *cut,
                           const fmlp_tick_clock *clock, bool epoch, bool quotes, bool sizes,
                           row_shape *shape) {
  static const fmlp_tick_role roles[] = {FMLP_ROLE_BID, FMLP_ROLE_ASK, FMLP_ROLE_BID_SIZE,
                                         FMLP_ROLE_ASK_SIZE};
  const char *start = line + cut[now->cell[FMLP_ROLE_TIME] - 1] + 1;
  const char *end = line + cut[now->cell[FMLP_ROLE_TIME]];
  bool good = now->m == 1;
  shape->time_start = (int32_t)(start - line);
  shape->time_end = (int32_t)(end - line);
  good = good && (epoch ? shape_epoch(start, end, shape) : shape_civil(line, start, end, clock, shape));
  for (int i = 0; i < SHAPED_NUMBERS && good; i++) {
    if ((!quotes && i % 2 == 1) || (!sizes && i >= 2)) continue;
    start = line + cut[now->cell[roles[i]] - 1] + 1;
    end = line + cut[now->cell[roles[i]]];
    good = shape_number(line, start, end, i % 2, i < 2 ? now->price_k : now->size_k, &shape->number[i]);
  }
  if (!good) shape->end = -1;
}

/* A row of a remembered shape; false: not after all. */
ALWAYS_INLINE bool take_shaped(const stretch *now, const row_shape *shape, const char *line, bool epoch,
                               bool quotes, bool sizes, fmlp_tick_clock *clock, shaped_row *out) {
  int64_t local = 0, nanosecond = 0;
  if (epoch) {
    if (!shaped_epoch(shape, line, now->epoch_unit, &out->time)) return false;
  } else {
    if (!shaped_civil(shape, line, &local, &nanosecond)) return false;
    if (!shape->utc) local = to_utc(now->zone, local, clock);
    out->time = local * FMLP_NS_PER_SECOND + nanosecond;
  }
  if (!shaped_pair(shape->number, quotes, line, out->number)) return false;
  if (out->number[0] < 1 || out->number[0] > INT32_MAX) return false;
  if (quotes && (out->number[1] < 1 || out->number[1] > INT32_MAX)) return false;
  return !sizes || shaped_pair(shape->number + 2, quotes, line, out->number + 2);
}
#endif

/* Parses rows until one is not of the usual shape. The three flags are constants wherever this is called, so
 * that each kind of file gets a loop of its own. */
ALWAYS_INLINE int64_t take_rows(const stretch *now, const char *text, int64_t length, fmlp_tick_rows *rows,
                                bool epoch, bool quotes, bool sizes) {
  int32_t cuts[MOST_COLUMNS + 1];
  const int32_t *cut = cuts + 1; /* cell c ends at cut[c], the next begins one further */
  fmlp_tick_clock clock = rows->clock;
  epoch_prefix prefix = {0, 0, 0};
  int64_t at = 0, count = rows->count;
  cuts[0] = -1; /* the cell before the first ends before the row */
#if defined(__AVX2__)
  row_shape shapes[SHAPES];
  int64_t remembered = 0;
  for (int i = 0; i < SHAPES; i++) shapes[i].end = -1;
#endif
  while (at < length) {
    const char *line = text + at;
    masks found = find(line, now->delimiter);
    if (found.line_feed == 0) break;
    int end = __builtin_ctzll(found.line_feed);
    uint64_t row = (UINT64_C(1) << end) - 1, inside = found.delimiter & row;
    if (at + end >= length || (found.quote & row) != 0) break;
#if defined(__AVX2__)
    const uint64_t point = found.point & row, delimiter = inside;
    const int32_t ending = end << 1 | (line[end - 1] == '\r');
    row_shape *shape = &shapes[shape_slot(delimiter, point)];
    if (shape->end == ending && shape->delimiter == delimiter && shape->point == point) {
      shaped_row taken;
      if (take_shaped(now, shape, line, epoch, quotes, sizes, &clock, &taken)) {
        rows->price[0][count] = (int32_t)taken.number[0];
        if (quotes) rows->price[1][count] = (int32_t)taken.number[1];
        if (sizes) rows->size[0][count] = taken.number[2];
        if (sizes && quotes) rows->size[1][count] = taken.number[3];
        rows->time[count++] = taken.time;
        at += end + 1;
        continue;
      }
    }
#endif
    bool missing = false;
    for (int column = 1; column < now->columns; column++) {
      missing |= inside == 0;
      cuts[column] = __builtin_ctzll(inside | UINT64_C(1) << 63);
      inside &= inside - 1;
    }
    if (inside != 0 || missing) break;
    cuts[now->columns] = end - (line[end - 1] == '\r' && end > 0);
#define CELL(role) line + cut[now->cell[role] - 1] + 1, line + cut[now->cell[role]]
    int64_t time = 0;
    if (epoch ? !epoch_cell(now, CELL(FMLP_ROLE_TIME), &prefix, &time)
              : !civil_cell(now, CELL(FMLP_ROLE_TIME), &clock, &time)) {
      break;
    }
    if (!price_cell(now, CELL(FMLP_ROLE_BID), rows->price[0] + count)) break;
    if (quotes && !price_cell(now, CELL(FMLP_ROLE_ASK), rows->price[1] + count)) break;
    if (sizes && !size_cell(CELL(FMLP_ROLE_BID_SIZE), now->size_k, rows->size[0] + count)) break;
    if (sizes && quotes && !size_cell(CELL(FMLP_ROLE_ASK_SIZE), now->size_k, rows->size[1] + count)) break;
#undef CELL
    rows->time[count++] = time;
    at += end + 1;
#if defined(__AVX2__)
    if (remembered * 4 > count - rows->count + 64)
      continue; /* shapes that hardly recur cost more than they save */
    remembered++;
    shape->delimiter = delimiter;
    shape->point = point;
    shape->end = ending;
    remember_shape(now, line, cut, &clock, epoch, quotes, sizes, shape);
#endif
  }
  rows->lines += count - rows->count;
  rows->count = count;
  rows->clock = clock;
  return at;
}

int64_t FMLP_SIMD_NAME(fmlp_tick_rows_fast)(const fmlp_tick_plan *plan, const char *text, int64_t length,
                                            fmlp_tick_rows *rows) {
  if (plan->column_count > MOST_COLUMNS || plan->column_of[FMLP_ROLE_CLOCK] >= 0) return 0;
  if (plan->epoch && (plan->epoch_digits < 9 || plan->epoch_digits > 19)) return 0;
  stretch now = {.columns = plan->column_count,
                 .delimiter = plan->delimiter,
                 .price_k = rows->price_k,
                 .size_k = rows->size_k,
                 .m = (uint64_t)plan->price.m,
                 .price_limit = (uint64_t)INT32_MAX * (uint64_t)plan->price.m,
                 .epoch_digits = plan->epoch_digits,
                 .epoch_unit = (uint64_t)plan->epoch_unit,
                 .zone = plan->zone};
  for (int role = 0; role < FMLP_ROLE_COUNT; role++) now.cell[role] = plan->column_of[role];
  bool quotes = plan->kind == FMLP_QUOTES;
#define TAKE(epoch, sizes)                                                                                   \
  (quotes ? take_rows(&now, text, length, rows, epoch, true, sizes)                                          \
          : take_rows(&now, text, length, rows, epoch, false, sizes))
  if (plan->epoch) return plan->has_sizes ? TAKE(true, true) : TAKE(true, false);
  return plan->has_sizes ? TAKE(false, true) : TAKE(false, false);
#undef TAKE
}
