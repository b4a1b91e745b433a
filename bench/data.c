/* The data set of the benchmarks: a seeded random walk as bars, as ticks, and as text files in vendors' layouts. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/bench.h"
#include "common/core/civil.h"
#include "common/core/memory.h"
#include "common/core/philox.h"
#include "common/io/columns.h"

enum { PATH_CAPACITY = 4096, START_PRICE = 138729 };

static const uint64_t seed = 20140501;
static const int64_t start_ns = INT64_C(1398902400) * 1000000000;

/* A step in points: sum of four uniform draws in -3..3, so roughly normal with standard deviation 4. */
static int32_t step(uint64_t stream, int64_t i) {
  uint32_t u = fmlp_philox_u32(seed, stream, (uint64_t)i);
  return (int32_t)(u & 7) + (int32_t)(u >> 3 & 7) + (int32_t)(u >> 6 & 7) + (int32_t)(u >> 9 & 7) - 14;
}

static fmlp_status allocate(bench_data *data, fmlp_error *error) {
  FMLP_TRY(fmlp_alloc(&data->price, data->bars, sizeof(double), "prices", error));
  FMLP_TRY(fmlp_alloc(&data->high, data->bars, sizeof(int32_t), "highs", error));
  FMLP_TRY(fmlp_alloc(&data->low, data->bars, sizeof(int32_t), "lows", error));
  FMLP_TRY(fmlp_alloc(&data->close, data->bars, sizeof(int32_t), "closes", error));
  FMLP_TRY(fmlp_alloc(&data->tick_time, data->ticks, sizeof(int64_t), "tick times", error));
  FMLP_TRY(fmlp_alloc(&data->tick_bid, data->ticks, sizeof(int32_t), "tick bids", error));
  FMLP_TRY(fmlp_alloc(&data->tick_ask, data->ticks, sizeof(int32_t), "tick asks", error));
  return fmlp_alloc(&data->pnl, data->trades, sizeof(double), "trades", error);
}

static void fill(bench_data *data) {
  int32_t close = START_PRICE;
  for (int64_t i = 0; i < data->bars; i++) {
    uint32_t reach = fmlp_philox_u32(seed, 2, (uint64_t)i);
    close += step(1, i);
    if (close < START_PRICE / 2 || close > START_PRICE * 2) close = START_PRICE;
    data->close[i] = close;
    data->high[i] = close + (int32_t)(reach & 7);
    data->low[i] = close - (int32_t)(reach >> 3 & 7);
    data->price[i] = (double)close / 100000.0;
  }
  int32_t bid = START_PRICE;
  int64_t time = start_ns;
  for (int64_t i = 0; i < data->ticks; i++) {
    uint32_t u = fmlp_philox_u32(seed, 3, (uint64_t)i);
    time += (int64_t)(u & 255) * 1000000;
    bid += (int32_t)(u >> 8 & 3) - (int32_t)(u >> 10 & 3);
    if (bid < START_PRICE / 2 || bid > START_PRICE * 2) bid = START_PRICE;
    data->tick_time[i] = time;
    data->tick_bid[i] = bid;
    data->tick_ask[i] = bid + (int32_t)(u >> 12 & 7);
  }
  for (int64_t i = 0; i < data->trades; i++) data->pnl[i] = (double)(step(4, i) * 7 + 3) / 8.0;
}

static fmlp_status put(const char *folder, const char *name, fmlp_type type, int64_t rows, const void *column,
                       fmlp_error *error) {
  char path[PATH_CAPACITY];
  (void)snprintf(path, sizeof path, "%s/%s.npy", folder, name);
  return fmlp_npy_write(path, type, rows, column, error);
}

/* "timestamp,askPrice,bidPrice" with epoch milliseconds, or a generic header with date and time as text. */
static fmlp_status put_text(const bench_data *data, const char *name, int as_date, fmlp_error *error) {
  char path[PATH_CAPACITY];
  (void)snprintf(path, sizeof path, "%s/%s", data->folder, name);
  FILE *file = fopen(path, "w");
  if (!file) return fmlp_fail(error, FMLP_ERR_OTHER, "%s: %s", path, strerror(errno));
  (void)fputs(as_date ? "time,ask,bid\n" : "timestamp,askPrice,bidPrice\n", file);
  for (int64_t i = 0; i < BENCH_CSV_ROWS; i++) {
    int32_t ask = data->tick_ask[i], bid = data->tick_bid[i];
    if (as_date) {
      int64_t seconds = data->tick_time[i] / 1000000000;
      fmlp_date date = fmlp_civil_from_days(seconds / 86400);
      int second = (int)(seconds % 86400);
      (void)fprintf(file, "%04d-%02d-%02d %02d:%02d:%02d.%03d", (int)date.year, (int)date.month, (int)date.day, second / 3600, second / 60 % 60,
                    second % 60, (int)(data->tick_time[i] / 1000000 % 1000));
    } else {
      (void)fprintf(file, "%" PRId64, data->tick_time[i] / 1000000);
    }
    (void)fprintf(file, ",%d.%05d,%d.%05d\n", ask / 100000, ask % 100000, bid / 100000, bid % 100000);
  }
  int bad = ferror(file);
  if (fclose(file) != 0 || bad) return fmlp_fail(error, FMLP_ERR_OTHER, "%s: %s", path, strerror(errno));
  return FMLP_OK;
}

static fmlp_status write_all(const bench_data *data, fmlp_error *error) {
  if (mkdir(data->folder, 0777) != 0 && errno != EEXIST) {
    return fmlp_fail(error, FMLP_ERR_OTHER, "%s: %s", data->folder, strerror(errno));
  }
  FMLP_TRY(put(data->folder, "price", FMLP_FLOAT64, data->bars, data->price, error));
  FMLP_TRY(put(data->folder, "high", FMLP_INT32, data->bars, data->high, error));
  FMLP_TRY(put(data->folder, "low", FMLP_INT32, data->bars, data->low, error));
  FMLP_TRY(put(data->folder, "close", FMLP_INT32, data->bars, data->close, error));
  FMLP_TRY(put(data->folder, "tick_time", FMLP_INT64, data->ticks, data->tick_time, error));
  FMLP_TRY(put(data->folder, "tick_bid", FMLP_INT32, data->ticks, data->tick_bid, error));
  FMLP_TRY(put(data->folder, "tick_ask", FMLP_INT32, data->ticks, data->tick_ask, error));
  FMLP_TRY(put(data->folder, "pnl", FMLP_FLOAT64, data->trades, data->pnl, error));
  FMLP_TRY(put_text(data, "epoch_ms.csv", 0, error));
  return put_text(data, "date_time.csv", 1, error);
}

fmlp_status bench_data_open(const char *folder, int write, bench_data *data, fmlp_error *error) {
  *data = (bench_data){.folder = folder, .bars = BENCH_BARS, .ticks = BENCH_TICKS, .trades = BENCH_TRADES};
  fmlp_status status = allocate(data, error);
  if (status == FMLP_OK) fill(data);
  if (status == FMLP_OK && write) status = write_all(data, error);
  if (status != FMLP_OK) bench_data_close(data);
  return status;
}

void bench_data_close(bench_data *data) {
  void *columns[] = {data->price,     data->high,     data->low,      data->close,
                     data->tick_time, data->tick_bid, data->tick_ask, data->pnl};
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) fmlp_free(columns[i]);
  memset(data, 0, sizeof *data);
}
