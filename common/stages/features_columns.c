/* Bar columns as the doubles that rolling operators read: each from integers with one rounding. */
#include "common/core/bits.h"
#include "common/core/int128.h"
#include "common/stages/features_plan.h"

static const int32_t *price_column(fmlp_bar_column column, const fmlp_bars *bars) {
  switch (column) {
  case FMLP_COLUMN_BID_OPEN:
    return bars->bid_open;
  case FMLP_COLUMN_BID_HIGH:
    return bars->bid_high;
  case FMLP_COLUMN_BID_LOW:
    return bars->bid_low;
  case FMLP_COLUMN_BID_CLOSE:
    return bars->bid_close;
  case FMLP_COLUMN_ASK_OPEN:
    return bars->ask_open;
  case FMLP_COLUMN_ASK_HIGH:
    return bars->ask_high;
  case FMLP_COLUMN_ASK_LOW:
    return bars->ask_low;
  case FMLP_COLUMN_ASK_CLOSE:
    return bars->ask_close;
  default:
    return NULL;
  }
}

static const int64_t *volume_column(fmlp_bar_column column, const fmlp_bars *bars) {
  switch (column) {
  case FMLP_COLUMN_VOLUME:
    return bars->volume;
  case FMLP_COLUMN_BID_VOLUME:
    return bars->bid_volume;
  case FMLP_COLUMN_ASK_VOLUME:
    return bars->ask_volume;
  default:
    return NULL;
  }
}

static double imbalance(int64_t bid, int64_t ask) {
  fmlp_int128 sum = (fmlp_int128)bid + ask;
  if (sum == 0) return 0.0;
  return (double)((fmlp_int128)bid - ask) / (double)sum;
}

static double direction(const int32_t *close, int64_t row) {
  if (row == 0) return 0.0;
  return (double)((close[row] > close[row - 1]) - (close[row] < close[row - 1]));
}

static double value_at(fmlp_bar_column column, const fmlp_bars *bars, int64_t row) {
  switch (column) {
  case FMLP_COLUMN_MID:
    return fmlp_decimal_mid(bars->bid_close[row], bars->ask_close[row], bars->price);
  case FMLP_COLUMN_SPREAD_MEAN:
    return bars->spread_mean[row];
  case FMLP_COLUMN_SPREAD_STD:
    return bars->spread_std[row];
  case FMLP_COLUMN_TICK_COUNT:
    return (double)(bars->last_tick[row] - bars->first_tick[row]);
  case FMLP_COLUMN_DURATION:
    return (double)(bars->close_time[row] - bars->open_time[row]) / 1e9;
  case FMLP_COLUMN_TICK_DIRECTION:
    return direction(bars->bid_close, row);
  case FMLP_COLUMN_VWAP:
    return bars->vwap[row];
  case FMLP_COLUMN_VOLUME_IMBALANCE:
    return imbalance(bars->bid_volume[row], bars->ask_volume[row]);
  default:
    return fmlp_nan();
  }
}

void fmlp_bar_column_fill(fmlp_bar_column column, const fmlp_bars *bars, int64_t first, int64_t last,
                          double *out) {
  const int32_t *price = price_column(column, bars);
  const int64_t *volume = volume_column(column, bars);
  for (int64_t row = first; row < last; row++) {
    double value = price    ? fmlp_decimal(price[row], bars->price)
                   : volume ? fmlp_decimal(volume[row], bars->size_unit)
                            : value_at(column, bars, row);
    out[row] = fmlp_canonical(value);
  }
}

bool fmlp_bar_column_present(fmlp_bar_column column, const fmlp_bars *bars) {
  bool quotes = bars->kind == FMLP_QUOTES;
  switch (column) {
  case FMLP_COLUMN_SPREAD_MEAN:
  case FMLP_COLUMN_SPREAD_STD:
    return quotes;
  case FMLP_COLUMN_VOLUME:
  case FMLP_COLUMN_VWAP:
    return bars->has_sizes;
  case FMLP_COLUMN_BID_VOLUME:
  case FMLP_COLUMN_ASK_VOLUME:
  case FMLP_COLUMN_VOLUME_IMBALANCE:
    return bars->has_sizes && quotes;
  default:
    return true;
  }
}
