/* The columns of the unified table, and the choice of its rows. */
#include "prof/views/unified.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

/* part/whole in units of 1/scale; 0 for no whole, the largest number for what is larger. */
static int64_t ratio(int64_t part, int64_t whole, int64_t scale) {
  if (whole <= 0) return 0;
  const double value = (double)part / (double)whole * (double)scale + 0.5;
  return value < 9e18 ? (int64_t)value : INT64_MAX;
}

static int64_t per_second(int64_t bytes, int64_t nanoseconds) {
  return ratio(bytes, nanoseconds, 1000000000);
}

#define OWN_COLUMN(name, expression)                                                                         \
  static int64_t name(const fmlp_unified *table, const fmlp_path *row) {                                     \
    (void)table;                                                                                             \
    return expression;                                                                                       \
  }

OWN_COLUMN(calls, row->calls)
OWN_COLUMN(threads, row->threads)
OWN_COLUMN(self, row->self)
OWN_COLUMN(total, row->total)
OWN_COLUMN(per_call, row->calls > 0 ? row->total / row->calls : 0)
OWN_COLUMN(samples, row->samples)
OWN_COLUMN(allocations, row->allocations)
OWN_COLUMN(allocated, row->allocated_bytes)
OWN_COLUMN(peak_resident, row->peak_resident)
OWN_COLUMN(bytes, row->bytes)
OWN_COLUMN(busy, row->all.busy)
OWN_COLUMN(own_busy, row->own.busy)
OWN_COLUMN(sum, row->all.sum)
OWN_COLUMN(own_sum, row->own.sum)
OWN_COLUMN(span, row->all.last_end - row->all.first_start)
OWN_COLUMN(operations, row->all.operations)
OWN_COLUMN(own_operations, row->own.operations)
OWN_COLUMN(kernels, row->all.kernels)
OWN_COLUMN(kernel_sum, row->all.kernel_sum)
OWN_COLUMN(launches, row->all.launches)
OWN_COLUMN(delay, row->all.delay)
OWN_COLUMN(runtime, row->all.runtime)
OWN_COLUMN(waited, row->all.waited)
OWN_COLUMN(uploaded, row->all.uploaded)
OWN_COLUMN(upload_rate, per_second(row->all.uploaded, row->all.upload_sum))
OWN_COLUMN(downloaded, row->all.downloaded)
OWN_COLUMN(download_rate, per_second(row->all.downloaded, row->all.download_sum))
OWN_COLUMN(copied, row->all.copied)
OWN_COLUMN(copy_rate, per_second(row->all.copied, row->all.copy_sum))
OWN_COLUMN(filled, row->all.filled)
OWN_COLUMN(peak_device, row->peak_device)

static int64_t share(const fmlp_unified *table, const fmlp_path *row) {
  return ratio(row->self, table->paths.self, 1000000);
}

/* Of a path that launches kernels the bytes are of the device's memory; else threads are taken to work at the
 * same time. */
static int64_t rate(const fmlp_unified *table, const fmlp_path *row) {
  (void)table;
  if (row->own.kernels > 0) return per_second(row->bytes, row->own.busy);
  return row->threads > 0 ? per_second(row->bytes, row->total / row->threads) : 0;
}

static int64_t rate_share(const fmlp_unified *table, const fmlp_path *row) {
  const int64_t limit =
      row->own.kernels > 0 ? table->device_bandwidth : table->capture->host_bytes_per_second;
  return ratio(rate(table, row), limit, 1000000);
}

static int64_t busy_share(const fmlp_unified *table, const fmlp_path *row) {
  return ratio(row->all.busy, table->paths.wall, 1000000);
}

const fmlp_unified_column fmlp_unified_columns[] = {
    {"ncalls", "calls", FMLP_UNIT_COUNT, true, calls},
    {"threads", "threads", FMLP_UNIT_COUNT, true, threads},
    {"tottime_ns", "tottime", FMLP_UNIT_TIME, true, self},
    {"share", "share", FMLP_UNIT_SHARE, true, share},
    {"cumtime_ns", "cumtime", FMLP_UNIT_TIME, true, total},
    {"percall_ns", "percall", FMLP_UNIT_TIME, true, per_call},
    {"samples", "samples", FMLP_UNIT_COUNT, true, samples},
    {"allocations", "allocs", FMLP_UNIT_COUNT, true, allocations},
    {"allocated_bytes", "allocated", FMLP_UNIT_BYTES, true, allocated},
    {"resident_peak_bytes", "resident", FMLP_UNIT_BYTES, false, peak_resident},
    {"bytes", "bytes", FMLP_UNIT_BYTES, false, bytes},
    {"bytes_per_second", "rate", FMLP_UNIT_RATE, false, rate},
    {"bandwidth_share", "of limit", FMLP_UNIT_SHARE, false, rate_share},
    {"gpu_busy_ns", "gpu busy", FMLP_UNIT_TIME, false, busy},
    {"gpu_busy_share", "of wall", FMLP_UNIT_SHARE, false, busy_share},
    {"gpu_self_busy_ns", NULL, FMLP_UNIT_TIME, false, own_busy},
    {"gpu_sum_ns", "gpu sum", FMLP_UNIT_TIME, false, sum},
    {"gpu_self_sum_ns", NULL, FMLP_UNIT_TIME, false, own_sum},
    {"gpu_span_ns", "gpu span", FMLP_UNIT_TIME, false, span},
    {"gpu_operations", NULL, FMLP_UNIT_COUNT, false, operations},
    {"gpu_self_operations", NULL, FMLP_UNIT_COUNT, false, own_operations},
    {"gpu_kernels", "kernels", FMLP_UNIT_COUNT, false, kernels},
    {"gpu_kernel_ns", NULL, FMLP_UNIT_TIME, false, kernel_sum},
    {"gpu_launches", "launches", FMLP_UNIT_COUNT, false, launches},
    {"gpu_launch_delay_ns", "delay", FMLP_UNIT_TIME, false, delay},
    {"gpu_runtime_ns", "runtime", FMLP_UNIT_TIME, false, runtime},
    {"gpu_wait_ns", "sync wait", FMLP_UNIT_TIME, false, waited},
    {"gpu_upload_bytes", "H2D", FMLP_UNIT_BYTES, false, uploaded},
    {"gpu_upload_bytes_per_second", "H2D rate", FMLP_UNIT_RATE, false, upload_rate},
    {"gpu_download_bytes", "D2H", FMLP_UNIT_BYTES, false, downloaded},
    {"gpu_download_bytes_per_second", "D2H rate", FMLP_UNIT_RATE, false, download_rate},
    {"gpu_copy_bytes", "copied", FMLP_UNIT_BYTES, false, copied},
    {"gpu_copy_bytes_per_second", "rate", FMLP_UNIT_RATE, false, copy_rate},
    {"gpu_fill_bytes", "filled", FMLP_UNIT_BYTES, false, filled},
    {"gpu_peak_bytes", "gpu peak", FMLP_UNIT_BYTES, false, peak_device},
    {NULL, NULL, FMLP_UNIT_COUNT, false, NULL},
};

const fmlp_unified_column *fmlp_unified_column_find(const char *word) {
  static const char *const OTHER_WORDS[][2] = {
      {"calls", "ncalls"}, {"time", "tottime_ns"}, {"cumulative", "cumtime_ns"}}; /* pstats' */
  const fmlp_unified_column *found = NULL;
  for (size_t i = 0; i < sizeof OTHER_WORDS / sizeof *OTHER_WORDS; i++)
    if (strcmp(word, OTHER_WORDS[i][0]) == 0) word = OTHER_WORDS[i][1];
  const size_t length = strlen(word);
  if (length == 0) return NULL;
  for (const fmlp_unified_column *column = fmlp_unified_columns; column->key; column++) {
    if (strncmp(column->key, word, length) != 0) continue;
    if (column->key[length] == '\0') return column;
    if (strcmp(column->key + length, "_ns") == 0 || strcmp(column->key + length, "_bytes") == 0) {
      found = column; /* a key without its unit names it whatever else begins so */
      break;
    }
    if (found) return NULL;
    found = column;
  }
  return found;
}

bool fmlp_unified_make(const fmlp_capture *capture, fmlp_unified *table) {
  *table = (fmlp_unified){.capture = capture};
  if (!fmlp_paths_make(capture, &table->paths)) return false;
  table->unattributed = (fmlp_path){.parent = -1,
                                    .site = -1,
                                    .samples = table->paths.unattributed_samples,
                                    .own = table->paths.unattributed,
                                    .all = table->paths.unattributed};
  for (int32_t i = 0; i < capture->device_count; i++)
    if (capture->devices[i].bytes_per_second > table->device_bandwidth)
      table->device_bandwidth = capture->devices[i].bytes_per_second;
  return true;
}

void fmlp_unified_release(fmlp_unified *table) {
  fmlp_paths_release(&table->paths);
}

bool fmlp_unified_has_rest(const fmlp_unified *table) {
  const fmlp_path *rest = &table->unattributed;
  return rest->own.operations > 0 || rest->own.runtime > 0 || rest->own.waited > 0 || rest->samples > 0;
}

/* ---- rows ---- */

/* A row with the value it is sorted by. */
typedef struct ranked {
  int64_t value;
  int32_t row;
} ranked;

static int compare_ranked(const void *left, const void *right) {
  const ranked *a = left, *b = right;
  if (a->value != b->value) return a->value < b->value ? 1 : -1;
  return (a->row > b->row) - (a->row < b->row);
}

static bool matches(const fmlp_unified *table, int32_t row, const regex_t *filter) {
  const fmlp_capture_site *site = &table->capture->sites[table->paths.rows[row].site];
  char fixed[512], *label = fixed;
  const int length = snprintf(fixed, sizeof fixed, "%s:%d(%s)", site->file, site->line, site->name);
  if (length >= (int)sizeof fixed && !(label = malloc((size_t)length + 1))) return false;
  if (label != fixed)
    (void)snprintf(label, (size_t)length + 1, "%s:%d(%s)", site->file, site->line, site->name);
  const bool found = regexec(filter, label, 0, NULL, 0) == 0;
  if (label != fixed) free(label);
  return found;
}

/* The greatest rows that the filter and the depth leave, in order of the column; how many. */
static int32_t rank_rows(const fmlp_unified *table, const fmlp_unified_selection *wanted,
                         const fmlp_unified_column *column, const regex_t *filter, ranked *order) {
  int32_t count = 0;
  for (int32_t i = 0; i < table->paths.count; i++) {
    const fmlp_path *row = &table->paths.rows[i];
    if (wanted->depth >= 0 && row->depth > wanted->depth) continue;
    if (filter && !matches(table, i, filter)) continue;
    order[count++] = (ranked){column ? column->value(table, row) : 0, i};
  }
  qsort(order, (size_t)count, sizeof *order, compare_ranked);
  return wanted->top >= 0 && wanted->top < count ? (int32_t)wanted->top : count;
}

/* The rows of `order` and those above them, each below its parent, siblings in the column's order. `rows`
 * gets them, `first` and `next` [rows + 1] are scratch: lists of children, -1 ends, the top's in the last
 * place. */
static int32_t arrange_tree(const fmlp_unified *table, const fmlp_unified_column *column, ranked *order,
                            int32_t count, int32_t *rows, int32_t *first, int32_t *next) {
  const int32_t all = table->paths.count;
  for (int32_t i = 0; i < all; i++) next[i] = -2; /* not selected */
  for (int32_t i = 0; i < count; i++)
    for (int32_t at = order[i].row; at >= 0 && next[at] == -2; at = table->paths.rows[at].parent)
      next[at] = -1;
  count = 0;
  for (int32_t i = 0; i < all; i++)
    if (next[i] != -2) order[count++] = (ranked){column->value(table, &table->paths.rows[i]), i};
  qsort(order, (size_t)count, sizeof *order, compare_ranked);
  for (int32_t i = 0; i <= all; i++) first[i] = -1;
  for (int32_t i = count - 1; i >= 0; i--) { /* each at the front: the last to come is the greatest */
    const int32_t row = order[i].row, parent = table->paths.rows[row].parent;
    next[row] = first[parent < 0 ? all : parent];
    first[parent < 0 ? all : parent] = row;
  }
  count = 0;
  for (int32_t at = first[all]; at >= 0;) {
    rows[count++] = at;
    if (first[at] >= 0) {
      at = first[at];
      continue;
    }
    while (at >= 0 && next[at] < 0) at = table->paths.rows[at].parent;
    if (at >= 0) at = next[at];
  }
  return count;
}

static bool compile(const char *expression, regex_t *filter, char *message, int64_t capacity) {
  const int code = regcomp(filter, expression, REG_EXTENDED | REG_NOSUB);
  if (code == 0) return true;
  char reason[128];
  (void)regerror(code, filter, reason, sizeof reason);
  (void)snprintf(message, (size_t)capacity, "not a regular expression: %s (%s)", expression, reason);
  return false;
}

int32_t *fmlp_unified_select(const fmlp_unified *table, const fmlp_unified_selection *selection,
                             int32_t *count, char *message, int64_t capacity) {
  regex_t filter;
  const fmlp_unified_column *column = selection->sort ? fmlp_unified_column_find(selection->sort) : NULL;
  if (selection->sort && !column) {
    (void)snprintf(message, (size_t)capacity, "no column to sort by: %s", selection->sort);
    return NULL;
  }
  if (!column && (selection->top >= 0 || !selection->flat)) column = fmlp_unified_column_find("cumtime_ns");
  if (selection->filter && !compile(selection->filter, &filter, message, capacity)) return NULL;
  const size_t all = (size_t)table->paths.count + 1;
  int32_t *rows = malloc(all * sizeof *rows), *lists = malloc(2 * all * sizeof *lists);
  ranked *order = malloc(all * sizeof *order);
  if (rows && lists && order) {
    *count = rank_rows(table, selection, column, selection->filter ? &filter : NULL, order);
    for (int32_t i = 0; i < *count; i++) rows[i] = order[i].row;
    if (!selection->flat) *count = arrange_tree(table, column, order, *count, rows, lists, lists + all);
  } else {
    (void)snprintf(message, (size_t)capacity, "out of memory");
    free(rows);
    rows = NULL;
  }
  if (selection->filter) regfree(&filter);
  free(lists);
  free(order);
  return rows;
}
