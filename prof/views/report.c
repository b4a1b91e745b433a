/* Tables as text. */
#define _GNU_SOURCE
#include "prof/views/report.h"

#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prof/views/losses.h"

static const double NANOSECONDS = 1e9;

enum { LABEL_CAPACITY = 1024 };

static void print_header(FILE *out, const fmlp_table *table) {
  (void)fprintf(out, "         %" PRId64 " function calls ", table->calls);
  if (table->calls != table->primitive_calls)
    (void)fprintf(out, "(%" PRId64 " primitive calls) ", table->primitive_calls);
  (void)fprintf(out, "in %.3f seconds\n\n", (double)table->tottime / NANOSECONDS);
}

static void print_row(FILE *out, const fmlp_table_row *row) {
  char calls[48], label[LABEL_CAPACITY];
  if (row->calls != row->primitive_calls)
    (void)snprintf(calls, sizeof calls, "%" PRId64 "/%" PRId64, row->calls, row->primitive_calls);
  else
    (void)snprintf(calls, sizeof calls, "%" PRId64, row->calls);
  double tottime = (double)row->tottime / NANOSECONDS, cumtime = (double)row->cumtime / NANOSECONDS;
  (void)fmlp_table_label(row, label, (int64_t)sizeof label);
  (void)fprintf(out, "%9s %8.3f ", calls, tottime);
  if (row->calls == 0)
    (void)fprintf(out, "%8s ", "");
  else
    (void)fprintf(out, "%8.3f ", tottime / (double)row->calls);
  (void)fprintf(out, "%8.3f ", cumtime);
  if (row->primitive_calls == 0)
    (void)fprintf(out, "%8s ", "");
  else
    (void)fprintf(out, "%8.3f ", cumtime / (double)row->primitive_calls);
  (void)fprintf(out, "%s\n", label);
}

static void print_footer(FILE *out, const fmlp_capture *capture) {
  double wall = (double)(capture->stop - capture->start);
  (void)fprintf(out, "\n* 5 %% of the total or more. Threads: %d. Wall time: %.3f s.\n",
                (int)capture->thread_count, wall / NANOSECONDS);
  fmlp_losses_write(capture, out);
}

static void print_shares(FILE *out, const fmlp_capture *capture, const fmlp_table *table,
                         const int32_t *order) {
  print_header(out, table);
  (void)fprintf(out, "   Ordered by: internal time\n\n");
  (void)fprintf(out, "    share    ncalls  tottime  percall  cumtime  percall filename:lineno(function)\n");
  for (int32_t i = 0; i < table->row_count; i++) {
    const fmlp_table_row *row = &table->rows[order[i]];
    double share = table->tottime > 0 ? (double)row->tottime / (double)table->tottime : 0;
    (void)fprintf(out, "%c %5.1f %% ", share >= FMLP_REPORT_MARK ? '*' : ' ', 100 * share);
    print_row(out, row);
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
  bool whole = out && order && !ferror(out);
  if (out && fclose(out) != 0) whole = false;
  free(order);
  fmlp_table_release(&table);
  if (whole) return text;
  free(text);
  return NULL;
}

/* pstats' restrictions in the order filter, top; their messages follow the line on the order. */
static int32_t select_rows(const fmlp_table *table, const fmlp_report_selection *selection,
                           const regex_t *filter, int32_t *order, FILE *message) {
  int32_t count = table->row_count;
  if (filter) {
    int32_t kept = 0;
    for (int32_t i = 0; i < count; i++) {
      char label[LABEL_CAPACITY];
      (void)fmlp_table_label(&table->rows[order[i]], label, (int64_t)sizeof label);
      if (regexec(filter, label, 0, NULL, 0) == 0) order[kept++] = order[i];
    }
    if (kept != count)
      (void)fprintf(message, "   List reduced from %d to %d due to restriction <'%s'>\n", (int)count,
                    (int)kept, selection->filter);
    count = kept;
  }
  if (selection->top >= 0 && selection->top < count) {
    (void)fprintf(message, "   List reduced from %d to %d due to restriction <%d>\n", (int)count,
                  (int)selection->top, (int)selection->top);
    count = (int32_t)selection->top;
  }
  return count;
}

static void print_selection(FILE *out, const fmlp_table *table, const fmlp_report_selection *selection,
                            const regex_t *filter, int32_t *order) {
  const fmlp_table_key *key = selection->sort ? selection->sort : fmlp_table_key_find("tottime");
  fmlp_table_sort(table, key, order);
  if (selection->title) (void)fprintf(out, "%s\n\n", selection->title);
  print_header(out, table);
  char *reductions = NULL;
  size_t length = 0;
  FILE *message = open_memstream(&reductions, &length);
  int32_t count = message ? select_rows(table, selection, filter, order, message) : 0;
  if (message) (void)fclose(message);
  if (count > 0) {
    (void)fprintf(out, "   Ordered by: %s\n%s\n", fmlp_table_key_title(key), reductions);
    (void)fprintf(out, "   ncalls  tottime  percall  cumtime  percall filename:lineno(function)\n");
    for (int32_t i = 0; i < count; i++) print_row(out, &table->rows[order[i]]);
    (void)fprintf(out, "\n\n");
  }
  free(reductions);
}

static char *print_table(const fmlp_table *table, const fmlp_report_selection *selection,
                         const regex_t *filter) {
  char *text = NULL;
  size_t length = 0;
  int32_t *order = malloc(((size_t)table->row_count + 1) * sizeof *order);
  FILE *out = open_memstream(&text, &length);
  if (out && order) print_selection(out, table, selection, filter, order);
  bool whole = out && order && !ferror(out);
  if (out && fclose(out) != 0) whole = false;
  free(order);
  if (whole) return text;
  free(text);
  return NULL;
}

char *fmlp_report_pstats(const fmlp_capture *capture, const fmlp_report_selection *selection, char *message,
                         int64_t capacity) {
  regex_t filter;
  if (selection->filter) {
    int code = regcomp(&filter, selection->filter, REG_EXTENDED | REG_NOSUB);
    if (code != 0) {
      char reason[128];
      (void)regerror(code, &filter, reason, sizeof reason);
      (void)snprintf(message, (size_t)capacity, "not a regular expression: %s (%s)", selection->filter,
                     reason);
      return NULL;
    }
  }
  fmlp_table table;
  char *text = NULL;
  if (fmlp_table_make(capture, &table)) {
    text = print_table(&table, selection, selection->filter ? &filter : NULL);
    fmlp_table_release(&table);
  }
  if (selection->filter) regfree(&filter);
  if (!text) (void)snprintf(message, (size_t)capacity, "out of memory");
  return text;
}
