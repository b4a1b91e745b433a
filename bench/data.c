/* The data set of the benchmarks: a seeded random walk as ticks, and as text files in vendors' layouts;
 * buffers and columns of the cases. */
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

static fmlp_status allocate(bench_data *data, fmlp_error *error) {
  FMLP_TRY(fmlp_alloc(&data->tick_time, data->ticks, sizeof(int64_t), "tick times", error));
  FMLP_TRY(fmlp_alloc(&data->tick_bid, data->ticks, sizeof(int32_t), "tick bids", error));
  return fmlp_alloc(&data->tick_ask, data->ticks, sizeof(int32_t), "tick asks", error);
}

static void fill(bench_data *data) {
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
      (void)fprintf(file, "%04d-%02d-%02d %02d:%02d:%02d.%03d", (int)date.year, (int)date.month,
                    (int)date.day, second / 3600, second / 60 % 60, second % 60,
                    (int)(data->tick_time[i] / 1000000 % 1000));
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
  FMLP_TRY(put(data->folder, "tick_time", FMLP_INT64, data->ticks, data->tick_time, error));
  FMLP_TRY(put(data->folder, "tick_bid", FMLP_INT32, data->ticks, data->tick_bid, error));
  FMLP_TRY(put(data->folder, "tick_ask", FMLP_INT32, data->ticks, data->tick_ask, error));
  FMLP_TRY(put_text(data, "epoch_ms.csv", 0, error));
  return put_text(data, "date_time.csv", 1, error);
}

fmlp_status bench_data_open(bench_data *data, fmlp_error *error) {
  if (data->write && mkdir(data->folder, 0777) != 0 && errno != EEXIST) {
    return fmlp_fail(error, FMLP_ERR_OTHER, "%s: %s", data->folder, strerror(errno));
  }
  if (data->ticks == 0) return FMLP_OK;
  fmlp_status status = allocate(data, error);
  if (status == FMLP_OK) fill(data);
  if (status == FMLP_OK && data->write) status = write_all(data, error);
  if (status != FMLP_OK) bench_data_close(data);
  return status;
}

void bench_data_close(bench_data *data) {
  fmlp_free(data->tick_time);
  fmlp_free(data->tick_bid);
  fmlp_free(data->tick_ask);
  memset(data, 0, sizeof *data);
}

fmlp_status bench_put(const bench_run *run, const char *column, fmlp_type type, int64_t rows,
                      const void *values, fmlp_error *error) {
  char path[PATH_CAPACITY];
  int folder = snprintf(path, sizeof path, "%s/", run->data->folder);
  (void)snprintf(path + folder, sizeof path - (size_t)folder, "%s_%s.npy", run->what->name, column);
  for (char *at = path + folder; *at; at++) *at = *at == '/' ? '_' : *at;
  return fmlp_npy_write(path, type, rows, values, error);
}

fmlp_status bench_buffer(const bench_run *run, bench_buffers *all, size_t bytes, const void *contents,
                         fmlp_buffer **out, fmlp_error *error) {
  const fmlp_backend *backend = run->compute.backend;
  FMLP_TRY(backend->buffer_create(run->compute.device, bytes, out, error));
  all->buffer[all->count++] = *out;
  if (!contents) return FMLP_OK;
  return backend->upload(run->compute.device, *out, 0, contents, bytes, error);
}

void bench_buffers_free(const bench_run *run, bench_buffers *all) {
  for (int32_t b = 0; b < all->count; b++)
    run->compute.backend->buffer_free(run->compute.device, all->buffer[b]);
  all->count = 0;
}

fmlp_status bench_put_buffer(const bench_run *run, const char *column, fmlp_type type, int64_t rows,
                             const fmlp_buffer *buffer, fmlp_error *error) {
  void *values = NULL;
  size_t bytes = (size_t)(rows * fmlp_type_size(type));
  FMLP_TRY(fmlp_alloc(&values, (int64_t)bytes, 1, "results", error));
  fmlp_status status = run->compute.backend->download(run->compute.device, buffer, 0, values, bytes, error);
  if (status == FMLP_OK) status = bench_put(run, column, type, rows, values, error);
  fmlp_free(values);
  return status;
}
