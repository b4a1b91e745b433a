/* The page and what it is about: facts, counts, call paths. Other tables are in html_*.c. */
#include "prof/views/export_html.h"

#include "prof/views/advice.h"
#include "prof/views/export_text.h"
#include "prof/views/html_data.h"
#include "prof/views/html_page.h"
#include "prof/views/unified.h"

enum { DEFAULT_EVENTS = 1 << 18 };

/* ---- columns ---- */

void fmlp_html_int(FILE *out, int64_t value) {
  char digits[24];
  int at = (int)sizeof digits;
  uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  do digits[--at] = (char)('0' + rest % 10);
  while (rest /= 10);
  if (value < 0) digits[--at] = '-';
  (void)fwrite(digits + at, 1, sizeof digits - (size_t)at, out);
}

void fmlp_html_member(FILE *out, const char *name, int64_t value) {
  (void)fprintf(out, ",\"%s\":", name);
  fmlp_html_int(out, value);
}

static void write_column(FILE *out, const char *name, int64_t count, fmlp_html_value value, const void *table,
                         bool running) {
  int64_t used = 0, before = 0;
  while (used < count && value(table, used) == 0) used++;
  if (used == count) return;
  (void)fprintf(out, ",\"%s\":[", name);
  for (int64_t i = 0; i < count; i++) {
    const int64_t here = value(table, i);
    if (i > 0) (void)fputc(',', out);
    fmlp_html_int(out, (int64_t)((uint64_t)here - (uint64_t)before)); /* whatever a file says */
    if (running) before = here;
  }
  (void)fputc(']', out);
}

void fmlp_html_column(FILE *out, const char *name, int64_t count, fmlp_html_value value, const void *table) {
  write_column(out, name, count, value, table, false);
}

void fmlp_html_running(FILE *out, const char *name, int64_t count, fmlp_html_value value, const void *table) {
  write_column(out, name, count, value, table, true);
}

/* ---- what was recorded, and where ---- */

static void write_text_member(FILE *out, const char *name, const char *text) {
  (void)fprintf(out, ",\"%s\":", name);
  fmlp_export_json_string(text, out);
}

static void write_capture(FILE *out, const fmlp_capture *capture, const fmlp_paths *paths,
                          int64_t counters_left_out) {
  (void)fprintf(out, "\"capture\":{\"level\":\"%s\"", capture->level == FMLP_CAPTURE_FULL ? "full" : "spans");
  fmlp_html_member(out, "start", capture->start);
  fmlp_html_member(out, "stop", capture->stop);
  fmlp_html_member(out, "tottime", paths->self);
  fmlp_html_member(out, "spans", capture->spans);
  fmlp_html_member(out, "events", capture->event_count);
  fmlp_html_member(out, "droppedSpans", capture->dropped_spans);
  fmlp_html_member(out, "droppedEvents", capture->dropped_events);
  fmlp_html_member(out, "openSpans", capture->open_spans);
  fmlp_html_member(out, "abandonedSpans", capture->abandoned_spans);
  fmlp_html_member(out, "pairPicoseconds", capture->pair_picoseconds);
  fmlp_html_member(out, "hostBandwidth", capture->host_bytes_per_second);
  fmlp_html_member(out, "operations", capture->operation_count);
  fmlp_html_member(out, "deviceSum", paths->everything.sum);
  fmlp_html_member(out, "deviceBusy", paths->everything.busy);
  fmlp_html_member(out, "calls", capture->call_count);
  fmlp_html_member(out, "droppedOperations", capture->dropped_operations);
  fmlp_html_member(out, "invalidOperations", capture->invalid_operations);
  fmlp_html_member(out, "unattributed", capture->unattributed_operations);
  fmlp_html_member(out, "clockResidual", capture->device_clock_residual);
  fmlp_html_member(out, "countersLeftOut", counters_left_out);
  fmlp_html_member(out, "peakResident", capture->peak_resident);
  fmlp_html_member(out, "peakAllocated", capture->peak_allocated);
  fmlp_html_member(out, "droppedSamples", capture->dropped_samples);
  write_text_member(out, "deviceReason", capture->device_reason);
  write_text_member(out, "sampleReason", capture->sample_reason);
  (void)fputc('}', out);
}

static void write_places(FILE *out, const fmlp_capture *capture) {
  (void)fputs(",\"names\":[", out);
  for (int32_t i = 0; i < capture->name_count; i++) {
    if (i > 0) (void)fputc(',', out);
    fmlp_export_json_string(capture->names[i], out);
  }
  (void)fputs("],\"sites\":[", out);
  for (int32_t i = 0; i < capture->site_count; i++) {
    const fmlp_capture_site *site = &capture->sites[i];
    (void)fputs(i > 0 ? ",[" : "[", out);
    fmlp_export_json_string(site->name, out);
    (void)fputc(',', out);
    fmlp_export_json_string(site->file, out);
    (void)fprintf(out, ",%d,", site->line);
    fmlp_export_json_string(site->function, out);
    (void)fputc(']', out);
  }
  (void)fputs("],\"threads\":[", out);
  for (int32_t i = 0; i < capture->thread_count; i++) {
    (void)fputs(i > 0 ? ",[" : "[", out);
    fmlp_html_int(out, capture->threads[i].id);
    (void)fprintf(out, ",%d]", capture->threads[i].main ? 1 : 0);
  }
  (void)fputs("],\"devices\":[", out);
  for (int32_t i = 0; i < capture->device_count; i++) {
    const fmlp_capture_device *device = &capture->devices[i];
    (void)fprintf(out, "%s[%d,", i > 0 ? "," : "", (int)device->ordinal);
    fmlp_export_json_string(capture->names[device->name], out);
    (void)fputc(',', out);
    fmlp_html_int(out, device->memory);
    (void)fprintf(out, ",%d,", (int)device->multiprocessors);
    fmlp_html_int(out, device->bytes_per_second);
    (void)fputc(']', out);
  }
  (void)fputc(']', out);
}

static void write_facts(FILE *out, const fmlp_profile *profile) {
  (void)fputs(",\"facts\":[", out);
  for (int32_t i = 0; i < profile->fact_count; i++) {
    (void)fputs(i > 0 ? ",[" : "[", out);
    fmlp_export_json_string(profile->facts[i].key, out);
    (void)fputc(',', out);
    fmlp_export_json_string(profile->facts[i].value, out);
    (void)fputc(']', out);
  }
  (void)fputs("],\"repeats\":[", out);
  for (int32_t i = 0; i < profile->capture_count; i++) {
    if (i > 0) (void)fputc(',', out);
    fmlp_html_int(out, profile->captures[i]->stop - profile->captures[i]->start);
  }
  (void)fputc(']', out);
}

/* ---- call paths ---- */

static int64_t path_parent(const void *table, int64_t row) {
  return ((const fmlp_paths *)table)->rows[row].parent;
}

static int64_t path_site(const void *table, int64_t row) {
  return ((const fmlp_paths *)table)->rows[row].site;
}

typedef struct unified_column {
  const fmlp_unified *table;
  const fmlp_unified_column *column;
} unified_column;

static int64_t unified_value(const void *table, int64_t row) {
  const unified_column *of = table;
  return of->column->value(of->table, &of->table->paths.rows[row]);
}

static void write_columns(FILE *out, const fmlp_unified *table) {
  static const char *const UNITS[] = {"count", "time", "bytes", "rate", "share"};
  (void)fputs(",\"columns\":[", out);
  for (const fmlp_unified_column *column = fmlp_unified_columns; column->key; column++) {
    const unified_column of = {table, column};
    (void)fprintf(out, "%s{\"key\":\"%s\",\"title\":\"%s\",\"unit\":\"%s\",\"rest\":",
                  column == fmlp_unified_columns ? "" : ",", column->key, column->title ? column->title : "",
                  UNITS[column->unit]);
    fmlp_html_int(out, column->value(table, &table->unattributed));
    fmlp_html_column(out, "values", table->paths.count, unified_value, &of);
    (void)fputc('}', out);
  }
  (void)fputc(']', out);
}

typedef struct node_table {
  const fmlp_capture *capture;
  const fmlp_paths *paths;
} node_table;

static int64_t node_thread(const void *table, int64_t row) {
  return ((const node_table *)table)->capture->nodes[row].thread;
}

static int64_t node_path(const void *table, int64_t row) {
  return ((const node_table *)table)->paths->of_node[row];
}

static int64_t node_self(const void *table, int64_t row) {
  return ((const node_table *)table)->capture->nodes[row].self;
}

static void write_paths(FILE *out, const fmlp_capture *capture, const fmlp_unified *table) {
  const node_table nodes = {capture, &table->paths};
  (void)fprintf(out, ",\"paths\":{\"count\":%d", (int)table->paths.count);
  fmlp_html_column(out, "parent", table->paths.count, path_parent, &table->paths);
  fmlp_html_column(out, "site", table->paths.count, path_site, &table->paths);
  (void)fputc('}', out);
  write_columns(out, table);
  (void)fprintf(out, ",\"nodes\":{\"count\":%d", (int)capture->node_count);
  fmlp_html_column(out, "thread", capture->node_count, node_thread, &nodes);
  fmlp_html_column(out, "path", capture->node_count, node_path, &nodes);
  fmlp_html_column(out, "self", capture->node_count, node_self, &nodes);
  (void)fputc('}', out);
}

/* What is worth optimising, why it is slow, and what tells that. */
static bool write_advice(FILE *out, const fmlp_profile *profile) {
  fmlp_advice advice;
  if (!fmlp_advice_make(profile, &advice)) return false;
  (void)fputs(",\"advice\":[", out);
  for (int32_t i = 0; i < advice.count; i++) {
    const fmlp_advice_item *item = &advice.items[i];
    (void)fprintf(out, "%s[%d,%d,", i > 0 ? "," : "", (int)item->site, (int)item->name);
    fmlp_html_int(out, item->time);
    (void)fprintf(out, ",\"%s\",", fmlp_advice_reason_name(item->reason));
    fmlp_export_json_string(item->measured, out);
    (void)fputc(',', out);
    fmlp_export_json_string(item->unknown, out);
    (void)fputc(']', out);
  }
  (void)fputc(']', out);
  fmlp_advice_release(&advice);
  return true;
}

/* ---- the page ---- */

static bool write_data(FILE *out, const fmlp_profile *profile, const fmlp_html_options *options) {
  const fmlp_capture *capture = profile->captures[0];
  const int64_t max_events =
      options && options->max_events > 0 ? options->max_events : (int64_t)DEFAULT_EVENTS;
  fmlp_unified table;
  int64_t counters_left_out = 0;
  if (!fmlp_unified_make(capture, &table)) return false;
  (void)fputs("{\"schema\":\"fmlp-profile-page\",\"version\":1", out);
  write_facts(out, profile);
  write_places(out, capture);
  write_paths(out, capture, &table);
  bool made = write_advice(out, profile) && fmlp_html_functions(out, capture, &table.paths) &&
              fmlp_html_timeline(out, capture, &table.paths, max_events, &counters_left_out) &&
              fmlp_html_lines(out, capture, options && options->sources);
  (void)fputc(',', out);
  write_capture(out, capture, &table.paths, counters_left_out);
  (void)fputc('}', out);
  fmlp_unified_release(&table);
  return made;
}

static void write_part(FILE *out, int part) {
  (void)fwrite(fmlp_html_parts[part].bytes, 1, fmlp_html_parts[part].count, out);
}

bool fmlp_export_html(const fmlp_profile *profile, const fmlp_html_options *options, FILE *out) {
  write_part(out, 0);
  const bool made = write_data(out, profile, options);
  write_part(out, 1);
  return made && !ferror(out);
}
