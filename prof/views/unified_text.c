/* The unified table for reading. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "prof/views/export_text.h"
#include "prof/views/losses.h"
#include "prof/views/unified.h"

enum { CELL = 24, COLUMNS = 64, INDENT = 2 };

/* Three digits and a unit; `steps` [4] are the units, a thousand apart. */
static void write_scaled(char cell[CELL], double value, const char *const *steps) {
  int step = 0;
  for (; value >= 999.5 && step < 3; step++) value /= 1000;
  const int decimals = value >= 99.95 || (step == 0 && value == (double)(int64_t)value) ? 0
                       : value >= 9.995                                                 ? 1
                                                                                        : 2;
  (void)snprintf(cell, CELL, "%.*f %s", decimals, value, steps[step]);
}

static void write_cell(char cell[CELL], const fmlp_unified_column *column, int64_t value) {
  static const char *const TIMES[] = {"ns", "us", "ms", "s"};
  static const char *const BYTES[] = {"B", "kB", "MB", "GB"};
  static const char *const RATES[] = {"B/s", "kB/s", "MB/s", "GB/s"};
  cell[0] = '\0';
  if (value == 0 && !column->zero_known) return;
  switch (column->unit) {
  case FMLP_UNIT_COUNT:
    (void)snprintf(cell, CELL, "%" PRId64, value);
    break;
  case FMLP_UNIT_TIME:
    write_scaled(cell, (double)value, TIMES);
    break;
  case FMLP_UNIT_BYTES:
    write_scaled(cell, (double)value, BYTES);
    break;
  case FMLP_UNIT_RATE:
    write_scaled(cell, (double)value, RATES);
    break;
  case FMLP_UNIT_SHARE:
    (void)snprintf(cell, CELL, "%.1f %%", (double)value / 10000);
    break;
  }
}

/* The columns in which a row has a value, and their widths. */
typedef struct layout {
  const fmlp_unified *table;
  const int32_t *rows;
  int32_t count;
  int columns;
  const fmlp_unified_column *column[COLUMNS];
  int width[COLUMNS];
} layout;

static const fmlp_path *row_of(const layout *page, int32_t number) {
  return number < page->count ? &page->table->paths.rows[page->rows[number]] : &page->table->unattributed;
}

static void lay_out(layout *page) {
  const int32_t last = page->count + fmlp_unified_has_rest(page->table);
  for (const fmlp_unified_column *column = fmlp_unified_columns; column->key; column++) {
    int width = column->title ? (int)strlen(column->title) : 0;
    bool used = false;
    for (int32_t i = 0; column->title && i < last; i++) {
      char cell[CELL];
      const int64_t value = column->value(page->table, row_of(page, i));
      write_cell(cell, column, value);
      used = used || value != 0;
      if ((int)strlen(cell) > width) width = (int)strlen(cell);
    }
    if (column->value == NULL || !used || page->columns == COLUMNS) continue;
    page->column[page->columns] = column;
    page->width[page->columns++] = width;
  }
}

static void write_name(const layout *page, int32_t row, bool flat, FILE *out) {
  const fmlp_path *rows = page->table->paths.rows;
  const fmlp_capture *capture = page->table->capture;
  int32_t path[FMLP_CAPTURE_DEPTH], depth = 0;
  if (flat) {
    for (int32_t at = row; at >= 0 && depth < FMLP_CAPTURE_DEPTH; at = rows[at].parent) path[depth++] = at;
    while (depth > 0) {
      fmlp_export_utf8(capture->sites[rows[path[--depth]].site].name, out);
      if (depth > 0) (void)fputs(" > ", out);
    }
  } else {
    for (depth = rows[row].depth * INDENT; depth > 0; depth--) (void)fputc(' ', out);
    fmlp_export_utf8(capture->sites[rows[row].site].name, out);
  }
  (void)fputc('\n', out);
}

static void write_rows(const layout *page, bool flat, FILE *out) {
  const int32_t last = page->count + fmlp_unified_has_rest(page->table);
  for (int c = 0; c < page->columns; c++) (void)fprintf(out, "%*s  ", page->width[c], page->column[c]->title);
  (void)fputs("call path\n", out);
  for (int32_t i = 0; i < last; i++) {
    const fmlp_path *row = row_of(page, i);
    for (int c = 0; c < page->columns; c++) {
      char cell[CELL] = "";
      const fmlp_unified_column *column = page->column[c];
      if (i < page->count || column->value(page->table, row) != 0)
        write_cell(cell, column, column->value(page->table, row));
      (void)fprintf(out, "%*s  ", page->width[c], cell);
    }
    if (i < page->count)
      write_name(page, page->rows[i], flat, out);
    else
      (void)fputs("(unattributed)\n", out);
  }
}

static void write_totals(const fmlp_unified *table, FILE *out) {
  const fmlp_capture *capture = table->capture;
  const fmlp_paths *paths = &table->paths;
  int64_t calls = 0;
  for (int32_t i = 0; i < paths->count; i++) calls += paths->rows[i].calls;
  (void)fprintf(out,
                "\n%" PRId64 " calls on %d paths of %d threads; internal time %" PRId64
                " ns, wall time %" PRId64 " ns.\n",
                calls, (int)paths->count, (int)capture->thread_count, paths->self, paths->wall);
  if (paths->everything.operations > 0)
    (void)fprintf(out,
                  "%" PRId64 " device operations, %" PRId64 " ns; a device was busy for %" PRId64
                  " ns, %.1f %% of the wall time.\n",
                  paths->everything.operations, paths->everything.sum, paths->everything.busy,
                  paths->wall > 0 ? 100 * (double)paths->everything.busy / (double)paths->wall : 0);
}

bool fmlp_unified_text(const fmlp_capture *capture, const fmlp_unified_selection *selection, FILE *out,
                       char *message, int64_t capacity) {
  fmlp_unified table;
  if (!fmlp_unified_make(capture, &table)) {
    (void)snprintf(message, (size_t)capacity, "out of memory");
    return false;
  }
  layout page = {.table = &table};
  int32_t *rows = fmlp_unified_select(&table, selection, &page.count, message, capacity);
  if (rows) {
    page.rows = rows;
    lay_out(&page);
    write_rows(&page, selection->flat, out);
    write_totals(&table, out);
    fmlp_losses_write(capture, out);
  }
  free(rows);
  fmlp_unified_release(&table);
  return rows && !ferror(out);
}
