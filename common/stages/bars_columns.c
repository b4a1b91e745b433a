/* Bars to files and back: two tables name every column, one for quotes and one for trades. */
#include "common/stages/bars_columns.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/core/bits.h"
#include "common/core/int128.h"
#include "common/core/memory.h"
#include "prof/span.h"

enum { PATH_CAPACITY = 4096 };

typedef enum column_role { TIME_OR_INDEX, PRICE, VOLUME, DOUBLE, SIZE_DOUBLE } column_role;

/* `offset`: of the pointer in fmlp_bars. PRICE and VOLUME are two files: the decimal value under `name`, the
 * integer under `integer_name`. VOLUME and SIZE_DOUBLE exist with sizes only. */
typedef struct bar_column {
  const char *name;
  const char *integer_name;
  column_role role;
  size_t offset;
} bar_column;

#define AT(member) offsetof(fmlp_bars, member)

static const bar_column quote_columns[] = {
    {"open_time", NULL, TIME_OR_INDEX, AT(open_time)},
    {"close_time", NULL, TIME_OR_INDEX, AT(close_time)},
    {"first_tick", NULL, TIME_OR_INDEX, AT(first_tick)},
    {"last_tick", NULL, TIME_OR_INDEX, AT(last_tick)},
    {"bid_open", "bid_open_points", PRICE, AT(bid_open)},
    {"bid_high", "bid_high_points", PRICE, AT(bid_high)},
    {"bid_low", "bid_low_points", PRICE, AT(bid_low)},
    {"bid_close", "bid_close_points", PRICE, AT(bid_close)},
    {"ask_open", "ask_open_points", PRICE, AT(ask_open)},
    {"ask_high", "ask_high_points", PRICE, AT(ask_high)},
    {"ask_low", "ask_low_points", PRICE, AT(ask_low)},
    {"ask_close", "ask_close_points", PRICE, AT(ask_close)},
    {"bid_volume", "bid_volume_units", VOLUME, AT(bid_volume)},
    {"ask_volume", "ask_volume_units", VOLUME, AT(ask_volume)},
    {"spread_mean", NULL, DOUBLE, AT(spread_mean)},
    {"spread_std", NULL, DOUBLE, AT(spread_std)},
    {"vwap", NULL, SIZE_DOUBLE, AT(vwap)},
};

static const bar_column trade_columns[] = {
    {"open_time", NULL, TIME_OR_INDEX, AT(open_time)},   {"close_time", NULL, TIME_OR_INDEX, AT(close_time)},
    {"first_tick", NULL, TIME_OR_INDEX, AT(first_tick)}, {"last_tick", NULL, TIME_OR_INDEX, AT(last_tick)},
    {"open", "open_points", PRICE, AT(bid_open)},        {"high", "high_points", PRICE, AT(bid_high)},
    {"low", "low_points", PRICE, AT(bid_low)},           {"close", "close_points", PRICE, AT(bid_close)},
    {"volume", "volume_units", VOLUME, AT(volume)},      {"vwap", NULL, SIZE_DOUBLE, AT(vwap)},
};

static const bar_column *columns_of(fmlp_tick_kind kind, size_t *count) {
  *count = kind == FMLP_QUOTES ? sizeof quote_columns / sizeof *quote_columns
                               : sizeof trade_columns / sizeof *trade_columns;
  return kind == FMLP_QUOTES ? quote_columns : trade_columns;
}

static bool needs_sizes(const bar_column *column) {
  return column->role == VOLUME || column->role == SIZE_DOUBLE;
}

/* The pointer that `column` names. */
static void *get(const fmlp_bars *bars, const bar_column *column) {
  void *data = NULL;
  memcpy(&data, (const char *)bars + column->offset, sizeof data);
  return data;
}

static fmlp_type stored_type(const bar_column *column) {
  switch (column->role) {
  case PRICE:
    return FMLP_INT32;
  case TIME_OR_INDEX:
  case VOLUME:
    return FMLP_INT64;
  case DOUBLE:
  case SIZE_DOUBLE:
  default:
    return FMLP_FLOAT64;
  }
}

static fmlp_status put(const fmlp_column_sink *sink, const char *name, fmlp_type type, int64_t rows,
                       const void *data, fmlp_error *error) {
  fmlp_column column = {"bars", name, type, rows, data};
  return sink->put(sink->state, &column, error);
}

/* units * m / 10^k as the nearest double of an exact numerator, whatever the units. */
static double volume_value(int64_t units, fmlp_scale scale) {
  fmlp_int128 numerator = (fmlp_int128)units * scale.m;
  return (double)numerator / (double)fmlp_power_of_ten[scale.k];
}

static fmlp_status put_column(const fmlp_bars *bars, const bar_column *column, const fmlp_column_sink *sink,
                              double *scratch, fmlp_error *error) {
  const void *data = get(bars, column);
  if (!column->integer_name) return put(sink, column->name, stored_type(column), bars->count, data, error);
  for (int64_t i = 0; i < bars->count; i++) {
    scratch[i] = column->role == PRICE ? fmlp_decimal(((const int32_t *)data)[i], bars->price)
                                       : volume_value(((const int64_t *)data)[i], bars->size_unit);
  }
  FMLP_TRY(put(sink, column->name, FMLP_FLOAT64, bars->count, scratch, error));
  return put(sink, column->integer_name, stored_type(column), bars->count, data, error);
}

static fmlp_status put_tick_count(const fmlp_bars *bars, const fmlp_column_sink *sink, int64_t *scratch,
                                  fmlp_error *error) {
  for (int64_t i = 0; i < bars->count; i++) scratch[i] = bars->last_tick[i] - bars->first_tick[i];
  return put(sink, "tick_count", FMLP_INT64, bars->count, scratch, error);
}

fmlp_status fmlp_bars_export(const fmlp_bars *bars, const fmlp_column_sink *sink, fmlp_error *error) {
  FMLP_SPAN("bars.export");
  size_t count = 0;
  const bar_column *columns = columns_of(bars->kind, &count);
  double *scratch = NULL;
  int64_t *ticks = NULL;
  fmlp_status status = fmlp_alloc(&scratch, bars->count, sizeof *scratch, "bar column", error);
  if (status == FMLP_OK) status = fmlp_alloc(&ticks, bars->count, sizeof *ticks, "bar column", error);
  if (status == FMLP_OK) status = put_tick_count(bars, sink, ticks, error);
  for (size_t c = 0; status == FMLP_OK && c < count; c++) {
    if (needs_sizes(&columns[c]) && !bars->has_sizes) continue;
    status = put_column(bars, &columns[c], sink, scratch, error);
  }
  fmlp_free(ticks);
  fmlp_free(scratch);
  return status;
}

/* Reading back. */

static fmlp_status path_of(const char *folder, const char *name, char path[PATH_CAPACITY],
                           fmlp_error *error) {
  int length = snprintf(path, PATH_CAPACITY, "%s/bars/%s.npy", folder, name);
  if (length < 0 || length >= PATH_CAPACITY) {
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s: the name of the folder is too long", folder);
  }
  return FMLP_OK;
}

/* Reads one column into the pointer that it names; the first one sets the number of rows. */
static fmlp_status read_column(const char *folder, const bar_column *column, fmlp_bars *bars,
                               fmlp_error *error) {
  char path[PATH_CAPACITY];
  FMLP_TRY(path_of(folder, column->integer_name ? column->integer_name : column->name, path, error));
  fmlp_type type = FMLP_INT8;
  int64_t rows = 0;
  void *data = NULL;
  FMLP_TRY(fmlp_npy_read(path, &type, &rows, &data, error));
  if (type != stored_type(column) || (bars->count >= 0 && rows != bars->count)) {
    fmlp_free(data);
    return fmlp_fail(error, FMLP_ERR_INPUT, "%s: not a column of this run's bars (type or rows differ)",
                     path);
  }
  bars->count = rows;
  memcpy((char *)bars + column->offset, &data, sizeof data);
  return FMLP_OK;
}

/* The columns that follow from others: total volume for quotes, spreads and the ask side for trades. */
static fmlp_status derive(fmlp_bars *bars, fmlp_error *error) {
  if (bars->kind == FMLP_QUOTES) {
    if (!bars->has_sizes) return FMLP_OK;
    FMLP_TRY(fmlp_alloc(&bars->volume, bars->count, sizeof *bars->volume, "bars.volume", error));
    for (int64_t i = 0; i < bars->count; i++) bars->volume[i] = bars->bid_volume[i] + bars->ask_volume[i];
    return FMLP_OK;
  }
  FMLP_TRY(fmlp_alloc_zero(&bars->spread_mean, bars->count, sizeof(double), "bars.spread_mean", error));
  FMLP_TRY(fmlp_alloc_zero(&bars->spread_std, bars->count, sizeof(double), "bars.spread_std", error));
  for (int64_t i = 0; i < bars->count; i++) {
    if (bars->last_tick[i] - bars->first_tick[i] == 1) bars->spread_std[i] = fmlp_nan();
  }
  return FMLP_OK;
}

#define LAST_TIME INT64_C(9214646400000000000) /* the end of the year 2261, beyond which no reader goes */

static fmlp_status check_rows(const char *folder, const fmlp_bars *bars, fmlp_error *error) {
  for (int64_t i = 0; i < bars->count; i++) {
    int64_t before = i == 0 ? 0 : bars->last_tick[i - 1];
    if (bars->first_tick[i] < before || bars->last_tick[i] <= bars->first_tick[i]) {
      return fmlp_fail(error, FMLP_ERR_INPUT, "%s/bars: row %lld has impossible ticks [%lld, %lld)", folder,
                       (long long)i, (long long)bars->first_tick[i], (long long)bars->last_tick[i]);
    }
    int64_t earliest = i == 0 ? -LAST_TIME : bars->open_time[i - 1];
    if (bars->open_time[i] < earliest || bars->close_time[i] < bars->open_time[i] ||
        bars->close_time[i] > LAST_TIME) {
      return fmlp_fail(error, FMLP_ERR_INPUT, "%s/bars: row %lld has impossible times %lld to %lld", folder,
                       (long long)i, (long long)bars->open_time[i], (long long)bars->close_time[i]);
    }
  }
  return FMLP_OK;
}

static fmlp_status read_columns(const char *folder, fmlp_bars *bars, fmlp_error *error) {
  size_t count = 0;
  const bar_column *columns = columns_of(bars->kind, &count);
  for (size_t c = 0; c < count; c++) {
    if (needs_sizes(&columns[c]) && !bars->has_sizes) continue;
    FMLP_TRY(read_column(folder, &columns[c], bars, error));
  }
  FMLP_TRY(check_rows(folder, bars, error));
  return derive(bars, error);
}

fmlp_status fmlp_bars_import(const char *folder, fmlp_tick_kind kind, bool has_sizes, fmlp_scale price,
                             fmlp_scale size_unit, fmlp_bars *bars, fmlp_error *error) {
  FMLP_SPAN("bars.import");
  *bars =
      (fmlp_bars){.kind = kind, .has_sizes = has_sizes, .count = -1, .price = price, .size_unit = size_unit};
  fmlp_status status = read_columns(folder, bars, error);
  if (bars->kind == FMLP_TRADES) { /* so that releasing frees each column once */
    bars->ask_open = bars->bid_open;
    bars->ask_high = bars->bid_high;
    bars->ask_low = bars->bid_low;
    bars->ask_close = bars->bid_close;
  }
  if (status != FMLP_OK) {
    fmlp_bars_release(bars);
    return status;
  }
  bars->capacity = bars->count;
  return FMLP_OK;
}
