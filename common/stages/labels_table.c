/* The columns of the label table: room, files out, files in. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/core/memory.h"
#include "common/stages/labels.h"
#include "common/stages/labels_parts.h"
#include "prof/span.h"

static const char group[] = "labels";

/* File name, element and place of each column. A file in price units precedes its `*_points` one. */
static const struct label_column {
  const char *file;
  const char *price_file; /* also written as float64 in price units under this name */
  fmlp_type type;
  size_t offset; /* of the pointer in fmlp_labels */
} columns[] = {
    {"event_bar", NULL, FMLP_INT64, offsetof(fmlp_labels, event_bar)},
    {"event_time", NULL, FMLP_INT64, offsetof(fmlp_labels, event_time)},
    {"end_bar", NULL, FMLP_INT64, offsetof(fmlp_labels, end_bar)},
    {"end_time", NULL, FMLP_INT64, offsetof(fmlp_labels, end_time)},
    {"side", NULL, FMLP_INT8, offsetof(fmlp_labels, side)},
    {"outcome", NULL, FMLP_INT8, offsetof(fmlp_labels, outcome)},
    {"label", NULL, FMLP_INT8, offsetof(fmlp_labels, label)},
    {"entry_price_points", "entry_price", FMLP_INT32, offsetof(fmlp_labels, entry_price)},
    {"exit_price_points", "exit_price", FMLP_INT32, offsetof(fmlp_labels, exit_price)},
    {"pnl_points", NULL, FMLP_FLOAT64, offsetof(fmlp_labels, pnl_points)},
    {"weight", NULL, FMLP_FLOAT64, offsetof(fmlp_labels, weight)},
    {"target_level_points", "target_level", FMLP_INT32, offsetof(fmlp_labels, target_level)},
    {"stop_level_points", "stop_level", FMLP_INT32, offsetof(fmlp_labels, stop_level)},
    {"last_bar", NULL, FMLP_INT64, offsetof(fmlp_labels, last_bar)},
    {"deadline", NULL, FMLP_INT64, offsetof(fmlp_labels, deadline)},
    {"exit_tick", NULL, FMLP_INT64, offsetof(fmlp_labels, exit_tick)},
    {"usable", NULL, FMLP_INT8, offsetof(fmlp_labels, usable)},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static void *pointer_of(const fmlp_labels *labels, const struct label_column *column) {
  void *pointer = NULL;
  memcpy(&pointer, (const char *)labels + column->offset, sizeof pointer);
  return pointer;
}

static void set_pointer(fmlp_labels *labels, const struct label_column *column, void *pointer) {
  memcpy((char *)labels + column->offset, &pointer, sizeof pointer);
}

fmlp_status fmlp_labels_allocate(int64_t count, fmlp_labels *labels, fmlp_error *error) {
  for (int c = 0; c < COLUMNS; c++) {
    void *pointer = NULL;
    FMLP_TRY(fmlp_alloc(&pointer, count, (size_t)fmlp_type_size(columns[c].type), columns[c].file, error));
    set_pointer(labels, &columns[c], pointer);
  }
  labels->count = count;
  return FMLP_OK;
}

static fmlp_status put_prices(const fmlp_labels *labels, const struct label_column *column, fmlp_scale price,
                              double *scratch, const fmlp_column_sink *sink, fmlp_error *error) {
  const int32_t *points = pointer_of(labels, column);
  for (int64_t row = 0; row < labels->count; row++) scratch[row] = fmlp_decimal(points[row], price);
  const fmlp_column prices = {group, column->price_file, FMLP_FLOAT64, labels->count, scratch};
  return sink->put(sink->state, &prices, error);
}

static fmlp_status put_columns(const fmlp_labels *labels, fmlp_scale price, double *scratch,
                               const fmlp_column_sink *sink, fmlp_error *error) {
  for (int c = 0; c < COLUMNS; c++) {
    const struct label_column *column = &columns[c];
    if (column->price_file) FMLP_TRY(put_prices(labels, column, price, scratch, sink, error));
    const fmlp_column values = {group, column->file, column->type, labels->count, pointer_of(labels, column)};
    FMLP_TRY(sink->put(sink->state, &values, error));
  }
  return FMLP_OK;
}

fmlp_status fmlp_labels_export(const fmlp_labels *labels, fmlp_scale price, const fmlp_column_sink *sink,
                               fmlp_error *error) {
  double *scratch = NULL;
  FMLP_TRY(fmlp_alloc(&scratch, labels->count, sizeof *scratch, "label prices", error));
  fmlp_status status = put_columns(labels, price, scratch, sink, error);
  fmlp_free(scratch);
  return status;
}

static fmlp_status read_columns(const char *run_path, fmlp_labels *labels, fmlp_error *error) {
  for (int c = 0; c < COLUMNS; c++) {
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s/%s.npy", run_path, group, columns[c].file);
    if (length < 0 || (size_t)length >= sizeof path) {
      return fmlp_fail(error, FMLP_ERR_INPUT, "%s: the path is too long", run_path);
    }
    fmlp_type type = FMLP_INT8;
    int64_t rows = 0;
    void *data = NULL;
    FMLP_TRY(fmlp_npy_read(path, &type, &rows, &data, error));
    set_pointer(labels, &columns[c], data);
    if (c == 0) labels->count = rows;
    if (type != columns[c].type || rows != labels->count) {
      return fmlp_fail(error, FMLP_ERR_INPUT,
                       "%s: %lld rows of another type or number than the table's %lld; run the labels stage "
                       "again",
                       path, (long long)rows, (long long)labels->count);
    }
  }
  return FMLP_OK;
}

static fmlp_status check_rows(const char *run_path, int64_t bars, fmlp_labels *labels, fmlp_error *error) {
  for (int64_t row = 0; row < labels->count; row++) {
    bool inside = 0 <= labels->event_bar[row] && labels->event_bar[row] < labels->end_bar[row] &&
                  labels->end_bar[row] <= labels->last_bar[row] && labels->last_bar[row] < bars;
    bool known = (labels->side[row] == 1 || labels->side[row] == -1) && labels->outcome[row] >= -1 &&
                 labels->outcome[row] <= 1;
    if (!inside || !known) {
      return fmlp_fail(error, FMLP_ERR_INPUT,
                       "%s/%s: row %lld does not fit %lld bars; the run's files belong to different runs",
                       run_path, group, (long long)row, (long long)bars);
    }
    labels->not_usable += !labels->usable[row];
  }
  return FMLP_OK;
}

fmlp_status fmlp_labels_import(const char *run_path, int64_t bars, fmlp_labels *labels, fmlp_error *error) {
  FMLP_SPAN("labels.import");
  memset(labels, 0, sizeof *labels);
  fmlp_status status = read_columns(run_path, labels, error);
  if (status == FMLP_OK) status = check_rows(run_path, bars, labels, error);
  if (status != FMLP_OK) fmlp_labels_release(labels);
  return status;
}
