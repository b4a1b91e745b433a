/* The unified table as JSON, with the functions as pstats counts them beside it. */
#include <inttypes.h>
#include <stdlib.h>

#include "prof/views/export_text.h"
#include "prof/views/report.h"
#include "prof/views/table.h"
#include "prof/views/unified.h"

static void write_number(FILE *out, const char *key, int64_t value) {
  (void)fprintf(out, "\"%s\": %" PRId64, key, value);
}

static void write_word(FILE *out, const char *key, const char *value) {
  (void)fprintf(out, "\"%s\": ", key);
  fmlp_export_json_string(value, out);
}

static void write_place(FILE *out, const fmlp_capture_site *site) {
  write_word(out, "name", site->name);
  (void)fputs(", ", out);
  write_word(out, "file", site->file);
  (void)fprintf(out, ", \"line\": %d, ", site->line);
  write_word(out, "function", site->function);
}

static void write_facts(const fmlp_profile *profile, FILE *out) {
  (void)fputs("  \"facts\": {", out);
  for (int32_t i = 0; i < profile->fact_count; i++) {
    (void)fputs(i > 0 ? ",\n    " : "\n    ", out);
    fmlp_export_json_string(profile->facts[i].key, out);
    (void)fputs(": ", out);
    fmlp_export_json_string(profile->facts[i].value, out);
  }
  (void)fprintf(out, "%s},\n  \"captures\": %d,\n", profile->fact_count > 0 ? "\n  " : "",
                (int)profile->capture_count);
}

static void write_counts(const fmlp_capture *capture, FILE *out) {
  const struct {
    const char *key;
    int64_t value;
  } fields[] = {{"start_ns", capture->start},
                {"stop_ns", capture->stop},
                {"threads", capture->thread_count},
                {"spans", capture->spans},
                {"dropped_spans", capture->dropped_spans},
                {"dropped_events", capture->dropped_events},
                {"open_spans", capture->open_spans},
                {"abandoned_spans", capture->abandoned_spans},
                {"pair_picoseconds", capture->pair_picoseconds},
                {"operations", capture->operation_count},
                {"dropped_operations", capture->dropped_operations},
                {"invalid_operations", capture->invalid_operations},
                {"unattributed_operations", capture->unattributed_operations},
                {"device_clock_residual_ns", capture->device_clock_residual},
                {"samples", capture->sample_count},
                {"dropped_samples", capture->dropped_samples},
                {"peak_resident_bytes", capture->peak_resident},
                {"peak_allocated_bytes", capture->peak_allocated},
                {"host_bytes_per_second", capture->host_bytes_per_second}};
  (void)fprintf(out, "  \"level\": \"%s\",\n  \"counts\": {",
                capture->level == FMLP_CAPTURE_FULL ? "full" : "spans");
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    (void)fputs(i > 0 ? ", " : "", out);
    write_number(out, fields[i].key, fields[i].value);
  }
  (void)fputs("},\n  ", out);
  write_word(out, "device_reason", capture->device_reason);
  (void)fputs(",\n  ", out);
  write_word(out, "sample_reason", capture->sample_reason);
}

static void write_totals(const fmlp_unified *table, FILE *out) {
  const fmlp_paths *paths = &table->paths;
  (void)fputs(",\n  \"totals\": {", out);
  write_number(out, "tottime_ns", paths->self);
  (void)fputs(", ", out);
  write_number(out, "wall_ns", paths->wall);
  (void)fputs(", ", out);
  write_number(out, "gpu_sum_ns", paths->everything.sum);
  (void)fputs(", ", out);
  write_number(out, "gpu_busy_ns", paths->everything.busy);
  (void)fputs("},\n", out);
}

static void write_times(FILE *out, int64_t calls, int64_t primitive, int64_t tottime, int64_t cumtime) {
  write_number(out, "ncalls", calls);
  (void)fputs(", ", out);
  write_number(out, "pcalls", primitive);
  (void)fputs(", ", out);
  write_number(out, "tottime_ns", tottime);
  (void)fputs(", ", out);
  write_number(out, "cumtime_ns", cumtime);
}

static void write_function(const fmlp_table *table, const fmlp_table_row *row, const int32_t *position,
                           FILE *out) {
  (void)fputs("{", out);
  write_place(out, &row->site);
  (void)fputs(", ", out);
  write_times(out, row->calls, row->primitive_calls, row->tottime, row->cumtime);
  const double share = table->tottime > 0 ? (double)row->tottime / (double)table->tottime : 0;
  (void)fprintf(out, ", \"share\": %.6f, \"marked\": %s, \"callers\": [", share,
                share >= FMLP_REPORT_MARK ? "true" : "false");
  for (int32_t c = 0; c < row->caller_count; c++) {
    const fmlp_table_caller *caller = &table->callers[row->first_caller + c];
    (void)fprintf(out, "%s{\"row\": %d, ", c > 0 ? ", " : "", (int)position[caller->row]);
    write_times(out, caller->calls, caller->primitive_calls, caller->tottime, caller->cumtime);
    (void)fputc('}', out);
  }
  (void)fputs("]}", out);
}

static bool write_functions(const fmlp_capture *capture, FILE *out) {
  fmlp_table table;
  if (!fmlp_table_make(capture, &table)) return false;
  int32_t *order = malloc(2 * ((size_t)table.row_count + 1) * sizeof *order);
  if (order) {
    int32_t *position = order + table.row_count;
    fmlp_table_sort(&table, fmlp_table_key_find("tottime"), order);
    for (int32_t i = 0; i < table.row_count; i++) position[order[i]] = i;
    (void)fputs("  \"functions\": [", out);
    for (int32_t i = 0; i < table.row_count; i++) {
      (void)fputs(i > 0 ? ",\n    " : "\n    ", out);
      write_function(&table, &table.rows[order[i]], position, out);
    }
    (void)fputs("\n  ],\n", out);
  }
  free(order);
  fmlp_table_release(&table);
  return order != NULL;
}

static void write_values(const fmlp_unified *table, const fmlp_path *row, bool first, FILE *out) {
  for (const fmlp_unified_column *column = fmlp_unified_columns; column->key; column++) {
    const int64_t value = column->value(table, row);
    if (!first || column != fmlp_unified_columns) (void)fputs(", ", out);
    if (column->unit == FMLP_UNIT_SHARE)
      (void)fprintf(out, "\"%s\": %" PRId64 ".%06d", column->key, value / 1000000, (int)(value % 1000000));
    else
      write_number(out, column->key, value);
  }
}

static void write_paths(const fmlp_unified *table, const int32_t *rows, int32_t count, FILE *out) {
  (void)fputs("  \"paths\": [", out);
  for (int32_t i = 0; i < count; i++) {
    const fmlp_path *row = &table->paths.rows[rows[i]];
    (void)fprintf(out, "%s{\"path\": %d, \"parent\": %d, \"depth\": %d, ", i > 0 ? ",\n    " : "\n    ",
                  (int)rows[i], (int)row->parent, (int)row->depth);
    write_place(out, &table->capture->sites[row->site]);
    write_values(table, row, false, out);
    (void)fputc('}', out);
  }
  (void)fputs("\n  ],\n  \"unattributed\": {", out);
  write_values(table, &table->unattributed, true, out);
  (void)fputs("},\n", out);
}

static void write_devices(const fmlp_capture *capture, FILE *out) {
  (void)fputs("  \"devices\": [", out);
  for (int32_t i = 0; i < capture->device_count; i++) {
    const fmlp_capture_device *device = &capture->devices[i];
    (void)fprintf(out, "%s{\"ordinal\": %d, ", i > 0 ? ",\n    " : "\n    ", (int)device->ordinal);
    write_word(out, "name", capture->names[device->name]);
    (void)fputs(", ", out);
    write_number(out, "memory_bytes", device->memory);
    (void)fprintf(out, ", \"multiprocessors\": %d, ", (int)device->multiprocessors);
    write_number(out, "bytes_per_second", device->bytes_per_second);
    (void)fputc('}', out);
  }
  (void)fprintf(out, "%s]\n", capture->device_count > 0 ? "\n  " : "");
}

bool fmlp_unified_json(const fmlp_profile *profile, const fmlp_unified_selection *selection, FILE *out,
                       char *message, int64_t capacity) {
  static const fmlp_unified_selection ALL = {.top = -1, .depth = -1, .flat = true};
  const fmlp_capture *capture = profile->captures[0];
  fmlp_unified table;
  (void)snprintf(message, (size_t)capacity, "out of memory");
  if (!fmlp_unified_make(capture, &table)) return false;
  int32_t count = 0;
  int32_t *rows = fmlp_unified_select(&table, selection ? selection : &ALL, &count, message, capacity);
  bool made = rows != NULL;
  if (made) {
    (void)fprintf(out, "{\n  \"schema\": \"%s\",\n  \"version\": %d,\n", FMLP_UNIFIED_SCHEMA,
                  FMLP_UNIFIED_VERSION);
    write_facts(profile, out);
    write_counts(capture, out);
    write_totals(&table, out);
    made = write_functions(capture, out);
    write_paths(&table, rows, count, out);
    write_devices(capture, out);
    (void)fputs("}\n", out);
  }
  free(rows);
  fmlp_unified_release(&table);
  return made && !ferror(out);
}
