/* pstats' text, from its definition: Stats.get_print_list, print_stats, print_callers, print_callees. Times
 * are doubles in seconds, added up in the order of the functions, because that is what a reader of the
 * exported file does: the last digit printed must be the same. */
#define _GNU_SOURCE
#include "prof/views/pstats.h"

#include <inttypes.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "prof/views/export_text.h"

static const double NANOSECONDS = 1e9;

/* The table with what is printed of each row, and the selected rows. */
typedef struct printer {
  FILE *out;
  const fmlp_pstats_selection *selection;
  fmlp_table table;
  char *text;    /* of the labels, each ended by NUL */
  char **labels; /* [rows] */
  int32_t count;
  int32_t *order; /* [rows] */
} printer;

/* ---- labels ---- */

static void write_label(const fmlp_table_row *row, FILE *out) {
  char fixed[512], *label = fixed;
  const int length = fmlp_table_label(row, fixed, (int64_t)sizeof fixed);
  if (length >= (int)sizeof fixed && (label = malloc((size_t)length + 1)))
    (void)fmlp_table_label(row, label, length + (int64_t)1);
  fmlp_export_utf8(label ? label : fixed, out);
  if (label != fixed) free(label);
}

static bool make_labels(printer *to) {
  size_t length = 0;
  FILE *out = open_memstream(&to->text, &length);
  if (!out) return false;
  for (int32_t r = 0; r < to->table.row_count; r++) {
    write_label(&to->table.rows[r], out);
    (void)fputc('\0', out);
  }
  const bool whole = !ferror(out);
  if (fclose(out) != 0 || !whole) return false;
  to->labels = malloc(((size_t)to->table.row_count + 1) * sizeof *to->labels);
  char *at = to->text;
  for (int32_t r = 0; to->labels && r < to->table.row_count; r++) {
    to->labels[r] = at;
    at += strlen(at) + 1;
  }
  return to->labels != NULL;
}

/* In characters. */
static int width_of(const char *label) {
  int width = 0;
  for (; *label; label++) width += ((unsigned char)*label & 0xC0) != 0x80;
  return width;
}

/* ---- restrictions ---- */

/* A string as Python's repr shows it. */
static void write_repr(const char *text, FILE *out) {
  const char quote = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';
  (void)fputc(quote, out);
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    if (*c == (unsigned char)quote || *c == '\\')
      (void)fprintf(out, "\\%c", *c);
    else if (*c == '\n' || *c == '\r' || *c == '\t')
      (void)fprintf(out, "\\%c", *c == '\n' ? 'n' : *c == '\r' ? 'r' : 't');
    else if (*c < 0x20 || *c == 0x7F)
      (void)fprintf(out, "\\x%02x", *c);
    else
      (void)fputc(*c, out);
  }
  (void)fputc(quote, out);
}

/* The shortest digits that are this number, as Python's repr has them. */
static void write_share(double share, FILE *out) {
  char digits[40];
  for (int precision = 1; precision <= 17; precision++) {
    (void)snprintf(digits, sizeof digits, "%.*g", precision, share);
    if (strtod(digits, NULL) == share) break;
  }
  (void)fprintf(out, "%s%s", digits, strpbrk(digits, ".en") ? "" : ".0");
}

static void write_reduction(FILE *out, int32_t before, int32_t after, const fmlp_pstats_restriction *by) {
  (void)fprintf(out, "   List reduced from %d to %d due to restriction <", (int)before, (int)after);
  if (by->kind == FMLP_PSTATS_REGEX)
    write_repr(by->expression, out);
  else if (by->kind == FMLP_PSTATS_SHARE)
    write_share(by->share, out);
  else
    (void)fprintf(out, "%" PRId64, by->count);
  (void)fputs(">\n", out);
}

static int32_t keep_matching(printer *to, const regex_t *expression) {
  int32_t kept = 0;
  for (int32_t i = 0; i < to->count; i++)
    if (regexec(expression, to->labels[to->order[i]], 0, NULL, 0) == 0) to->order[kept++] = to->order[i];
  return kept;
}

/* The rows that all restrictions leave; a line for each that took some away. */
static void restrict_rows(printer *to, const regex_t *expressions, FILE *reductions) {
  const fmlp_pstats_selection *selection = to->selection;
  for (int i = 0; i < selection->restriction_count; i++) {
    const fmlp_pstats_restriction *by = &selection->restriction[i];
    int64_t kept = to->count;
    if (by->kind == FMLP_PSTATS_REGEX)
      kept = keep_matching(to, &expressions[i]);
    else if (by->kind == FMLP_PSTATS_SHARE)
      kept = (int64_t)((double)to->count * by->share + .5);
    else if (by->count < kept)
      kept = by->count;
    if (kept != to->count) write_reduction(reductions, to->count, (int32_t)kept, by);
    to->count = (int32_t)kept;
  }
}

/* ---- print_stats ---- */

void fmlp_pstats_write_header(const fmlp_table *table, FILE *out) {
  double seconds = 0;
  for (int32_t r = 0; r < table->row_count; r++) seconds += (double)table->rows[r].tottime / NANOSECONDS;
  (void)fprintf(out, "         %" PRId64 " function calls ", table->calls);
  if (table->calls != table->primitive_calls)
    (void)fprintf(out, "(%" PRId64 " primitive calls) ", table->primitive_calls);
  (void)fprintf(out, "in %.3f seconds\n\n", seconds);
}

static void write_numbers(const fmlp_table_row *row, FILE *out) {
  char calls[48];
  if (row->calls != row->primitive_calls)
    (void)snprintf(calls, sizeof calls, "%" PRId64 "/%" PRId64, row->calls, row->primitive_calls);
  else
    (void)snprintf(calls, sizeof calls, "%" PRId64, row->calls);
  double tottime = (double)row->tottime / NANOSECONDS, cumtime = (double)row->cumtime / NANOSECONDS;
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
}

void fmlp_pstats_write_row(const fmlp_table_row *row, FILE *out) {
  write_numbers(row, out);
  write_label(row, out);
  (void)fputc('\n', out);
}

static void write_rows(const printer *to) {
  (void)fputs("   ncalls  tottime  percall  cumtime  percall filename:lineno(function)\n", to->out);
  for (int32_t i = 0; i < to->count; i++) {
    write_numbers(&to->table.rows[to->order[i]], to->out);
    (void)fprintf(to->out, "%s\n", to->labels[to->order[i]]);
  }
}

/* ---- print_callers, print_callees ---- */

/* An edge of the table seen from one of its ends. */
typedef struct edge {
  int32_t from, to; /* the row it is printed for; the other */
  const fmlp_capture_site *site;
  const char *label; /* of the other */
  const fmlp_table_caller *numbers;
} edge;

/* By the row they are printed for, then as Python orders (file, line, name). */
static int compare_edges(const void *left, const void *right) {
  const edge *a = left, *b = right;
  if (a->from != b->from) return a->from < b->from ? -1 : 1;
  int order = strcmp(a->site->file, b->site->file);
  if (order == 0) order = (a->site->line > b->site->line) - (a->site->line < b->site->line);
  return order != 0 ? order : strcmp(a->site->name, b->site->name);
}

/* All edges, sorted; their number, -1 when memory runs out. */
static int32_t make_edges(const printer *to, edge **edges) {
  const fmlp_table *table = &to->table;
  int32_t count = 0;
  *edges = malloc(((size_t)table->caller_count + 1) * sizeof **edges);
  if (!*edges) return -1;
  for (int32_t r = 0; r < table->row_count; r++) {
    for (int32_t c = 0; c < table->rows[r].caller_count; c++) {
      const fmlp_table_caller *caller = &table->callers[table->rows[r].first_caller + c];
      const bool callers = to->selection->kind == FMLP_PSTATS_CALLERS;
      const int32_t other = callers ? caller->row : r;
      (*edges)[count++] =
          (edge){callers ? r : caller->row, other, &table->rows[other].site, to->labels[other], caller};
    }
  }
  qsort(*edges, (size_t)count, sizeof **edges, compare_edges);
  return count;
}

static void pad(FILE *out, int written, int width) {
  for (; written < width; written++) (void)fputc(' ', out);
}

/* The edges of one row, its name before the first. */
static void write_edges(const printer *to, int32_t row, const edge *edges, int32_t count, int width) {
  const char *label = to->labels[row];
  (void)fputs(label, to->out);
  pad(to->out, width_of(label), width);
  (void)fputs(to->selection->kind == FMLP_PSTATS_CALLERS ? "<- " : "-> ", to->out);
  for (int32_t i = 0; i < count; i++) {
    const fmlp_table_caller *numbers = edges[i].numbers;
    char calls[48];
    if (numbers->calls != numbers->primitive_calls)
      (void)snprintf(calls, sizeof calls, "%" PRId64 "/%" PRId64, numbers->calls, numbers->primitive_calls);
    else
      (void)snprintf(calls, sizeof calls, "%" PRId64, numbers->calls);
    if (i > 0)
      pad(to->out, 0, width + 1); /* pstats' own indent: one more than the arrow, two wider numbers */
    (void)fprintf(to->out, "%*s %8.3f %8.3f  %s\n", i > 0 ? 9 : 7, calls,
                  (double)numbers->tottime / NANOSECONDS, (double)numbers->cumtime / NANOSECONDS,
                  edges[i].label);
  }
  if (count == 0) (void)fputc('\n', to->out);
}

static bool write_calls(const printer *to) {
  const bool callers = to->selection->kind == FMLP_PSTATS_CALLERS;
  edge *edges = NULL;
  const int32_t edge_count = make_edges(to, &edges);
  if (edge_count < 0) return false;
  int32_t *first = calloc((size_t)to->table.row_count + 2, sizeof *first); /* of each row's edges */
  if (first) {
    for (int32_t i = 0; i < edge_count; i++) first[edges[i].from + 1]++;
    for (int32_t r = 0; r < to->table.row_count; r++) first[r + 1] += first[r];
    int width = 0;
    for (int32_t i = 0; i < to->count; i++)
      if (width_of(to->labels[to->order[i]]) > width) width = width_of(to->labels[to->order[i]]);
    width += 2;
    (void)fputs("Function ", to->out);
    pad(to->out, 9, width);
    (void)fputs(callers ? "was called by...\n" : "called...\n", to->out);
    if (edge_count > 0) {
      pad(to->out, 0, width);
      (void)fputs("    ncalls  tottime  cumtime\n", to->out);
    }
    for (int32_t i = 0; i < to->count; i++) {
      const int32_t row = to->order[i];
      write_edges(to, row, edges + first[row], first[row + 1] - first[row], width);
    }
  }
  free(first);
  free(edges);
  return first != NULL;
}

/* ---- all of it ---- */

static void write_order(const printer *to, const fmlp_table_key *const *keys, int count) {
  (void)fputs("   Ordered by: ", to->out);
  for (int k = 0; k < count; k++)
    (void)fprintf(to->out, "%s%s", k > 0 ? ", " : "", fmlp_table_key_title(keys[k]));
  (void)fputc('\n', to->out);
}

static bool write_selection(printer *to, const regex_t *expressions) {
  const fmlp_pstats_selection *selection = to->selection;
  const fmlp_table_key *usual = fmlp_table_key_find("tottime");
  const fmlp_table_key *const *keys = selection->sort_count > 0 ? selection->sort : &usual;
  const int key_count = selection->sort_count > 0 ? selection->sort_count : 1;
  char *reductions = NULL;
  size_t length = 0;
  FILE *lines = open_memstream(&reductions, &length);
  if (!lines) return false;
  to->count = to->table.row_count;
  bool done = fmlp_table_sort_by(&to->table, keys, key_count, to->order);
  if (selection->reverse) {
    for (int32_t i = 0, j = to->count - 1; i < j; i++, j--) {
      const int32_t row = to->order[i];
      to->order[i] = to->order[j];
      to->order[j] = row;
    }
  }
  restrict_rows(to, expressions, lines);
  done = !ferror(lines) && done;
  if (fclose(lines) != 0) done = false;
  if (selection->kind == FMLP_PSTATS_ROWS) {
    if (selection->title) (void)fprintf(to->out, "%s\n\n", selection->title);
    fmlp_pstats_write_header(&to->table, to->out);
  }
  if (done && to->count > 0) {
    write_order(to, keys, key_count);
    (void)fprintf(to->out, "%s\n", reductions);
    if (selection->kind == FMLP_PSTATS_ROWS)
      write_rows(to);
    else
      done = write_calls(to);
    (void)fputs("\n\n", to->out);
  }
  free(reductions);
  return done;
}

static char *print_capture(const fmlp_capture *capture, const fmlp_pstats_selection *selection,
                           const regex_t *expressions) {
  printer to = {.selection = selection};
  char *text = NULL;
  size_t length = 0;
  bool whole = fmlp_table_make(capture, &to.table);
  to.out = open_memstream(&text, &length);
  to.order = malloc(((size_t)to.table.row_count + 1) * sizeof *to.order);
  whole = whole && to.out && to.order && make_labels(&to) && write_selection(&to, expressions);
  if (to.out && ferror(to.out)) whole = false;
  if (to.out && fclose(to.out) != 0) whole = false;
  free(to.order);
  free(to.labels);
  free(to.text);
  fmlp_table_release(&to.table);
  if (whole) return text;
  free(text);
  return NULL;
}

char *fmlp_pstats_text(const fmlp_capture *capture, const fmlp_pstats_selection *selection, char *message,
                       int64_t capacity) {
  regex_t expressions[FMLP_PSTATS_RESTRICTIONS];
  bool compiled[FMLP_PSTATS_RESTRICTIONS] = {false}, right = true;
  for (int i = 0; i < selection->restriction_count && right; i++) {
    if (selection->restriction[i].kind != FMLP_PSTATS_REGEX) continue;
    const char *expression = selection->restriction[i].expression;
    const int code = regcomp(&expressions[i], expression, REG_EXTENDED | REG_NOSUB);
    right = compiled[i] = code == 0;
    if (right) continue;
    char reason[128];
    (void)regerror(code, &expressions[i], reason, sizeof reason);
    (void)snprintf(message, (size_t)capacity, "not a regular expression: %s (%s)", expression, reason);
  }
  char *text = right ? print_capture(capture, selection, expressions) : NULL;
  if (right && !text) (void)snprintf(message, (size_t)capacity, "out of memory");
  for (int i = 0; i < FMLP_PSTATS_RESTRICTIONS; i++)
    if (compiled[i]) regfree(&expressions[i]);
  return text;
}
