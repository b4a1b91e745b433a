/* The unified table for spreadsheets and data frames: every column, integers. */
#include "prof/views/export.h"

#include <inttypes.h>
#include <stdlib.h>

#include "prof/views/unified.h"

static void write_text(FILE *out, const char *text) {
  (void)fputc('"', out);
  for (const char *c = text; *c; c++) {
    if (*c == '"') (void)fputc('"', out);
    (void)fputc(*c, out);
  }
  (void)fputs("\"", out);
}

static void write_values(FILE *out, const fmlp_unified *table, const fmlp_path *row) {
  for (const fmlp_unified_column *column = fmlp_unified_columns; column->key; column++) {
    const int64_t value = column->value(table, row);
    if (column->unit == FMLP_UNIT_SHARE)
      (void)fprintf(out, ",%" PRId64 ".%06d", value / 1000000, (int)(value % 1000000));
    else
      (void)fprintf(out, ",%" PRId64, value);
  }
  (void)fputc('\n', out);
}

static void write_table(FILE *out, const fmlp_unified *table, const int32_t *rows, int32_t count) {
  (void)fputs("path,parent,depth,name,file,line,function", out);
  for (const fmlp_unified_column *column = fmlp_unified_columns; column->key; column++)
    (void)fprintf(out, ",%s", column->key);
  (void)fputc('\n', out);
  for (int32_t i = 0; i < count; i++) {
    const fmlp_path *row = &table->paths.rows[rows[i]];
    const fmlp_capture_site *site = &table->capture->sites[row->site];
    (void)fprintf(out, "%d,%d,%d,", (int)rows[i], (int)row->parent, (int)row->depth);
    write_text(out, site->name);
    (void)fputc(',', out);
    write_text(out, site->file);
    (void)fprintf(out, ",%d,", site->line);
    write_text(out, site->function);
    write_values(out, table, row);
  }
  (void)fputs("-1,-1,0,\"(unattributed)\",\"\",0,\"\"", out);
  write_values(out, table, &table->unattributed);
}

bool fmlp_unified_csv(const fmlp_capture *capture, const fmlp_unified_selection *selection, FILE *out,
                      char *message, int64_t capacity) {
  static const fmlp_unified_selection ALL = {.top = -1, .depth = -1, .flat = true};
  fmlp_unified table;
  if (!fmlp_unified_make(capture, &table)) {
    (void)snprintf(message, (size_t)capacity, "out of memory");
    return false;
  }
  int32_t count = 0;
  int32_t *rows = fmlp_unified_select(&table, selection ? selection : &ALL, &count, message, capacity);
  if (rows) write_table(out, &table, rows, count);
  free(rows);
  fmlp_unified_release(&table);
  return rows && !ferror(out);
}

bool fmlp_export_csv(const fmlp_capture *capture, FILE *out) {
  char message[64];
  return fmlp_unified_csv(capture, NULL, out, message, (int64_t)sizeof message);
}
