/* The profile file, written. */
#define _GNU_SOURCE
#include "prof/views/profile_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "prof/views/report.h"
#include "prof/views/table.h"

static void write_string(FILE *out, const char *text) {
  (void)fputc('"', out);
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    if (*c == '"' || *c == '\\')
      (void)fprintf(out, "\\%c", *c);
    else if (*c < 0x20)
      (void)fprintf(out, "\\u%04x", *c);
    else
      (void)fputc(*c, out);
  }
  (void)fputc('"', out);
}

static void write_counts(FILE *out, const fmlp_capture *capture) {
  const struct {
    const char *key;
    int64_t value;
  } fields[] = {
      {"start_ns", capture->start},
      {"stop_ns", capture->stop},
      {"spans", capture->spans},
      {"dropped_spans", capture->dropped_spans},
      {"dropped_events", capture->dropped_events},
      {"open_spans", capture->open_spans},
      {"abandoned_spans", capture->abandoned_spans},
      {"pair_picoseconds", capture->pair_picoseconds},
  };
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
    (void)fprintf(out, "  \"%s\": %" PRId64 ",\n", fields[i].key, fields[i].value);
}

static void write_place(FILE *out, const fmlp_capture_site *site) {
  (void)fprintf(out, "{\"name\": ");
  write_string(out, site->name);
  (void)fprintf(out, ", \"file\": ");
  write_string(out, site->file);
  (void)fprintf(out, ", \"line\": %d, \"function\": ", site->line);
  write_string(out, site->function);
}

static void write_times(FILE *out, int64_t calls, int64_t primitive, int64_t tottime, int64_t cumtime) {
  (void)fprintf(out,
                "\"ncalls\": %" PRId64 ", \"pcalls\": %" PRId64 ", \"tottime_ns\": %" PRId64
                ", \"cumtime_ns\": %" PRId64,
                calls, primitive, tottime, cumtime);
}

static void write_functions(FILE *out, const fmlp_table *table, const int32_t *order, int32_t *position) {
  for (int32_t i = 0; i < table->row_count; i++) position[order[i]] = i;
  (void)fprintf(out, "  \"functions\": [");
  for (int32_t i = 0; i < table->row_count; i++) {
    const fmlp_table_row *row = &table->rows[order[i]];
    double share = table->tottime > 0 ? (double)row->tottime / (double)table->tottime : 0;
    (void)fprintf(out, "%s\n    ", i > 0 ? "," : "");
    write_place(out, &row->site);
    (void)fprintf(out, ", ");
    write_times(out, row->calls, row->primitive_calls, row->tottime, row->cumtime);
    (void)fprintf(out, ", \"share\": %.6f, \"marked\": %s, \"callers\": [", share,
                  share >= FMLP_REPORT_MARK ? "true" : "false");
    for (int32_t c = 0; c < row->caller_count; c++) {
      const fmlp_table_caller *caller = &table->callers[row->first_caller + c];
      (void)fprintf(out, "%s{\"row\": %d, ", c > 0 ? ", " : "", (int)position[caller->row]);
      write_times(out, caller->calls, caller->primitive_calls, caller->tottime, caller->cumtime);
      (void)fprintf(out, "}");
    }
    (void)fprintf(out, "]}");
  }
  (void)fprintf(out, "\n  ],\n");
}

static void write_recorded(FILE *out, const fmlp_capture *capture) {
  (void)fprintf(out, "  \"sites\": [");
  for (int32_t i = 0; i < capture->site_count; i++) {
    (void)fprintf(out, "%s\n    ", i > 0 ? "," : "");
    write_place(out, &capture->sites[i]);
    (void)fprintf(out, "}");
  }
  (void)fprintf(out, "\n  ],\n  \"threads\": [");
  for (int32_t i = 0; i < capture->thread_count; i++)
    (void)fprintf(out, "%s\n    {\"id\": %" PRId64 ", \"main\": %s}", i > 0 ? "," : "",
                  capture->threads[i].id, capture->threads[i].main ? "true" : "false");
  (void)fprintf(out, "\n  ],\n  \"paths\": [");
  for (int32_t i = 0; i < capture->node_count; i++) {
    const fmlp_capture_node *n = &capture->nodes[i];
    (void)fprintf(out, "%s\n    [%d, %d, %d, %" PRId64 ", %" PRId64 ", %" PRId64 "]", i > 0 ? "," : "",
                  (int)n->thread, (int)n->parent, (int)n->site, n->calls, n->self, n->total);
  }
  (void)fprintf(out, "\n  ],\n  \"events\": [");
  for (int64_t i = 0; i < capture->event_count; i++) {
    const fmlp_capture_event *e = &capture->events[i];
    (void)fprintf(out, "%s\n    [%d, %d, %" PRId64 ", %" PRId64 "]", i > 0 ? "," : "", (int)e->node,
                  (int)e->depth, e->start, e->end);
  }
  (void)fprintf(out, "\n  ]\n");
}

char *fmlp_profile_json(const fmlp_capture *capture) {
  fmlp_table table;
  if (!fmlp_table_make(capture, &table)) return NULL;
  char *text = NULL;
  size_t length = 0;
  int32_t *order = malloc(2 * ((size_t)table.row_count + 1) * sizeof *order);
  FILE *out = open_memstream(&text, &length);
  if (out && order) {
    fmlp_table_sort(&table, fmlp_table_key_find("tottime"), order);
    (void)fprintf(out, "{\n  \"schema\": \"fmlp-profile\",\n  \"version\": %d,\n", FMLP_PROFILE_VERSION);
    (void)fprintf(out, "  \"clock\": \"CLOCK_MONOTONIC\",\n");
    write_counts(out, capture);
    write_functions(out, &table, order, order + table.row_count);
    write_recorded(out, capture);
    (void)fprintf(out, "}\n");
  }
  bool whole = out && order && !ferror(out);
  if (out && fclose(out) != 0) whole = false;
  free(order);
  fmlp_table_release(&table);
  if (whole) return text;
  free(text);
  return NULL;
}
