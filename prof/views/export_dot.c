/* The graph of who calls whom, for Graphviz: a box a function, an arrow a caller. */
#include "prof/views/export.h"

#include <inttypes.h>

#include "prof/views/table.h"

/* Inside quotes; "\n" there begins a line, so that what a name brings must not look like it. */
static void write_text(const char *text, FILE *out) {
  for (const char *c = text; *c; c++) {
    if (*c == '"' || *c == '\\') (void)fputc('\\', out);
    (void)fputc((unsigned char)*c < 0x20 ? ' ' : *c, out);
  }
}

static double percent(int64_t part, int64_t whole) {
  return whole > 0 ? 100 * (double)part / (double)whole : 0;
}

static void write_calls(FILE *out, int64_t calls, int64_t primitive_calls) {
  (void)fprintf(out, "\\n%" PRId64, calls);
  if (calls != primitive_calls) (void)fprintf(out, "/%" PRId64, primitive_calls);
}

static void write_row(FILE *out, const fmlp_table *table, int32_t number) {
  const fmlp_table_row *row = &table->rows[number];
  (void)fprintf(out, "  f%d [label=\"", (int)number);
  write_text(row->site.name, out);
  (void)fputs("\\n", out);
  write_text(row->site.file, out);
  (void)fprintf(out, ":%d\\n%.2f %% (%.2f %%)", row->site.line, percent(row->cumtime, table->tottime),
                percent(row->tottime, table->tottime));
  write_calls(out, row->calls, row->primitive_calls);
  (void)fprintf(out, "\", fillcolor=\"0.05 %.3f 1.0\", tottime_ns=%" PRId64 ", cumtime_ns=%" PRId64 "];\n",
                percent(row->tottime, table->tottime) / 100, row->tottime, row->cumtime);
}

static void write_edge(FILE *out, const fmlp_table *table, int32_t number, const fmlp_table_caller *caller) {
  (void)fprintf(out, "  f%d -> f%d [label=\"%.2f %%", (int)caller->row, (int)number,
                percent(caller->cumtime, table->tottime));
  write_calls(out, caller->calls, caller->primitive_calls);
  (void)fprintf(out, "\", tottime_ns=%" PRId64 ", cumtime_ns=%" PRId64 "];\n", caller->tottime,
                caller->cumtime);
}

bool fmlp_export_dot(const fmlp_capture *capture, FILE *out) {
  fmlp_table table;
  if (!fmlp_table_make(capture, &table)) return false;
  (void)fprintf(out,
                "digraph profile {\n"
                "  label=\"%" PRId64 " calls, %" PRId64
                " ns; boxes: cumulative (internal) share of it and calls\";\n"
                "  node [shape=box, style=filled];\n",
                table.calls, table.tottime);
  for (int32_t r = 0; r < table.row_count; r++) write_row(out, &table, r);
  for (int32_t r = 0; r < table.row_count; r++)
    for (int32_t c = 0; c < table.rows[r].caller_count; c++)
      write_edge(out, &table, r, &table.callers[table.rows[r].first_caller + c]);
  (void)fputs("}\n", out);
  fmlp_table_release(&table);
  return !ferror(out);
}
