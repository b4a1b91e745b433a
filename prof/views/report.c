/* A run's table as text. */
#define _GNU_SOURCE
#include "prof/views/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "prof/views/losses.h"
#include "prof/views/pstats.h"
#include "prof/views/unified.h"

static const double NANOSECONDS = 1e9;

static void print_footer(FILE *out, const fmlp_capture *capture) {
  double wall = (double)(capture->stop - capture->start);
  (void)fprintf(out, "\n* 5 %% of the total or more. Threads: %d. Wall time: %.3f s.\n",
                (int)capture->thread_count, wall / NANOSECONDS);
}

/* What devices did, by call path; the lines below it are of the whole capture. */
static bool print_paths(FILE *out, const fmlp_capture *capture) {
  static const fmlp_unified_selection ALL = {.top = -1, .depth = -1};
  char message[64];
  (void)fputc('\n', out);
  return fmlp_unified_text(capture, &ALL, out, message, (int64_t)sizeof message);
}

static void print_shares(FILE *out, const fmlp_capture *capture, const fmlp_table *table,
                         const int32_t *order) {
  fmlp_pstats_write_header(table, out);
  (void)fprintf(out, "   Ordered by: internal time\n\n");
  (void)fprintf(out, "    share    ncalls  tottime  percall  cumtime  percall filename:lineno(function)\n");
  for (int32_t i = 0; i < table->row_count; i++) {
    const fmlp_table_row *row = &table->rows[order[i]];
    double share = table->tottime > 0 ? (double)row->tottime / (double)table->tottime : 0;
    (void)fprintf(out, "%c %5.1f %% ", share >= FMLP_REPORT_MARK ? '*' : ' ', 100 * share);
    fmlp_pstats_write_row(row, out);
  }
  print_footer(out, capture);
}

char *fmlp_report_text(const fmlp_capture *capture) {
  fmlp_table table;
  if (!fmlp_table_make(capture, &table)) return NULL;
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  int32_t *order = malloc(((size_t)table.row_count + 1) * sizeof *order);
  if (out && order) {
    fmlp_table_sort(&table, fmlp_table_key_find("tottime"), order);
    print_shares(out, capture, &table, order);
  }
  bool whole = out && order;
  if (whole && (capture->operation_count > 0 || capture->call_count > 0))
    whole = print_paths(out, capture);
  else if (whole)
    fmlp_losses_write(capture, out);
  if (out && ferror(out)) whole = false;
  if (out && fclose(out) != 0) whole = false;
  free(order);
  fmlp_table_release(&table);
  if (whole) return text;
  free(text);
  return NULL;
}
