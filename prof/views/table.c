/* Aggregation of call paths to functions and callers, and pstats' orders. */
#include "prof/views/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int (*compare_function)(const fmlp_table_row *a, const fmlp_table_row *b);

struct fmlp_table_key {
  const char *name;
  const char *title;
  compare_function compare;
};

static int descending(int64_t a, int64_t b) {
  return (a < b) - (a > b);
}

static int by_calls(const fmlp_table_row *a, const fmlp_table_row *b) {
  return descending(a->calls, b->calls);
}

static int by_primitive_calls(const fmlp_table_row *a, const fmlp_table_row *b) {
  return descending(a->primitive_calls, b->primitive_calls);
}

static int by_cumtime(const fmlp_table_row *a, const fmlp_table_row *b) {
  return descending(a->cumtime, b->cumtime);
}

static int by_tottime(const fmlp_table_row *a, const fmlp_table_row *b) {
  return descending(a->tottime, b->tottime);
}

static int by_file(const fmlp_table_row *a, const fmlp_table_row *b) {
  return strcmp(a->site.file, b->site.file);
}

static int by_line(const fmlp_table_row *a, const fmlp_table_row *b) {
  return (a->site.line > b->site.line) - (a->site.line < b->site.line);
}

static int by_name(const fmlp_table_row *a, const fmlp_table_row *b) {
  return strcmp(a->site.name, b->site.name);
}

static int by_name_file_line(const fmlp_table_row *a, const fmlp_table_row *b) {
  int order = by_name(a, b);
  if (order == 0) order = by_file(a, b);
  return order != 0 ? order : by_line(a, b);
}

/* pstats compares the printed text, where line 10 stands before line 9. */
static int by_label(const fmlp_table_row *a, const fmlp_table_row *b) {
  char left[512], right[512];
  const int64_t left_size = fmlp_table_label(a, left, (int64_t)sizeof left) + (int64_t)1;
  const int64_t right_size = fmlp_table_label(b, right, (int64_t)sizeof right) + (int64_t)1;
  if (left_size <= (int64_t)sizeof left && right_size <= (int64_t)sizeof right) return strcmp(left, right);
  char *long_left = malloc((size_t)left_size), *long_right = malloc((size_t)right_size);
  int order = strcmp(left, right); /* of what there is room for */
  if (long_left && long_right) {
    (void)fmlp_table_label(a, long_left, left_size);
    (void)fmlp_table_label(b, long_right, right_size);
    order = strcmp(long_left, long_right);
  }
  free(long_left);
  free(long_right);
  return order;
}

static const fmlp_table_key KEYS[] = {
    {"calls", "call count", by_calls},
    {"ncalls", "call count", by_calls},
    {"cumtime", "cumulative time", by_cumtime},
    {"cumulative", "cumulative time", by_cumtime},
    {"filename", "file name", by_file},
    {"line", "line number", by_line},
    {"module", "file name", by_file},
    {"name", "function name", by_name},
    {"nfl", "name/file/line", by_name_file_line},
    {"pcalls", "primitive call count", by_primitive_calls},
    {"stdname", "standard name", by_label},
    {"time", "internal time", by_tottime},
    {"tottime", "internal time", by_tottime},
};
enum { KEY_COUNT = sizeof KEYS / sizeof KEYS[0] };

const fmlp_table_key *fmlp_table_key_find(const char *word) {
  const fmlp_table_key *found = NULL;
  size_t length = strlen(word);
  if (length == 0) return NULL;
  for (int i = 0; i < KEY_COUNT; i++) {
    if (strcmp(KEYS[i].name, word) == 0) return &KEYS[i];
    if (strncmp(KEYS[i].name, word, length) != 0) continue;
    if (found && found->compare != KEYS[i].compare) return NULL;
    found = &KEYS[i];
  }
  return found;
}

const char *fmlp_table_key_title(const fmlp_table_key *key) {
  return key->title;
}

const char *fmlp_table_key_names(void) {
  return "calls ncalls cumtime cumulative filename line module name nfl pcalls stdname time tottime";
}

int fmlp_table_label(const fmlp_table_row *row, char *text, int64_t capacity) {
  const fmlp_capture_site *site = &row->site;
  const size_t length = strlen(site->name);
  if (strcmp(site->file, "~") != 0 || site->line != 0)
    return snprintf(text, (size_t)capacity, "%s:%d(%s)", site->file, site->line, site->name);
  if (length >= 2 && site->name[0] == '<' && site->name[length - 1] == '>')
    return snprintf(text, (size_t)capacity, "{%.*s}", (int)length - 2, site->name + 1);
  return snprintf(text, (size_t)capacity, "%s", site->name);
}

/* Is a node's site on the path above it? */
static bool site_above(const fmlp_capture *capture, int32_t node) {
  for (int32_t at = capture->nodes[node].parent; at >= 0; at = capture->nodes[at].parent)
    if (capture->nodes[at].site == capture->nodes[node].site) return true;
  return false;
}

/* Is the edge from its caller there once more? */
static bool edge_above(const fmlp_capture *capture, int32_t node) {
  int32_t site = capture->nodes[node].site, caller = capture->nodes[capture->nodes[node].parent].site;
  for (int32_t at = capture->nodes[node].parent; at >= 0; at = capture->nodes[at].parent) {
    int32_t above = capture->nodes[at].parent;
    if (above >= 0 && capture->nodes[at].site == site && capture->nodes[above].site == caller) return true;
  }
  return false;
}

static void add_node(const fmlp_capture *capture, int32_t node, fmlp_table_row *row) {
  const fmlp_capture_node *path = &capture->nodes[node];
  row->calls += path->calls;
  row->tottime += path->self;
  if (site_above(capture, node)) return; /* entered through itself: none of its calls is primitive */
  row->primitive_calls += path->calls;
  row->cumtime += path->total;
}

static fmlp_table_caller *edge_of(fmlp_table *table, fmlp_table_row *row, int32_t caller) {
  fmlp_table_caller *edges = table->callers + row->first_caller;
  for (int32_t i = 0; i < row->caller_count; i++)
    if (edges[i].row == caller) return &edges[i];
  edges[row->caller_count] = (fmlp_table_caller){.row = caller};
  return &edges[row->caller_count++];
}

static void add_edge(const fmlp_capture *capture, int32_t node, fmlp_table_caller *edge) {
  const fmlp_capture_node *path = &capture->nodes[node];
  edge->calls += path->calls;
  edge->tottime += path->self;
  if (edge_above(capture, node)) return;
  edge->primitive_calls += path->calls;
  edge->cumtime += path->total;
}

/* Rows for the sites that have a path; `row_of` maps sites to rows. */
static void make_rows(const fmlp_capture *capture, int32_t *row_of, fmlp_table *table) {
  for (int32_t s = 0; s < capture->site_count; s++) row_of[s] = -1;
  for (int32_t n = 0; n < capture->node_count; n++) row_of[capture->nodes[n].site] = 0;
  for (int32_t s = 0; s < capture->site_count; s++) {
    if (row_of[s] < 0) continue;
    row_of[s] = table->row_count;
    table->rows[table->row_count++] = (fmlp_table_row){.site = capture->sites[s]};
  }
}

static void make_edges(const fmlp_capture *capture, const int32_t *row_of, fmlp_table *table) {
  for (int32_t n = 0; n < capture->node_count; n++) /* room first: at most one edge a path */
    if (capture->nodes[n].parent >= 0) table->rows[row_of[capture->nodes[n].site]].caller_count++;
  for (int32_t r = 0, next = 0; r < table->row_count; r++) {
    table->rows[r].first_caller = next;
    next += table->rows[r].caller_count;
    table->rows[r].caller_count = 0;
  }
  for (int32_t n = 0; n < capture->node_count; n++) {
    const fmlp_capture_node *path = &capture->nodes[n];
    fmlp_table_row *row = &table->rows[row_of[path->site]];
    add_node(capture, n, row);
    if (path->parent < 0) continue;
    add_edge(capture, n, edge_of(table, row, row_of[capture->nodes[path->parent].site]));
  }
}

bool fmlp_table_make(const fmlp_capture *capture, fmlp_table *table) {
  memset(table, 0, sizeof *table);
  int32_t *row_of = malloc(((size_t)capture->site_count + 1) * sizeof *row_of);
  table->rows = calloc((size_t)capture->site_count + 1, sizeof *table->rows);
  table->callers = calloc((size_t)capture->node_count + 1, sizeof *table->callers);
  bool made = row_of && table->rows && table->callers;
  if (made) {
    make_rows(capture, row_of, table);
    make_edges(capture, row_of, table);
    table->caller_count = capture->node_count;
    for (int32_t r = 0; r < table->row_count; r++) {
      table->calls += table->rows[r].calls;
      table->primitive_calls += table->rows[r].primitive_calls;
      table->tottime += table->rows[r].tottime;
    }
  } else {
    fmlp_table_release(table);
  }
  free(row_of);
  return made;
}

void fmlp_table_release(fmlp_table *table) {
  free(table->rows);
  free(table->callers);
  memset(table, 0, sizeof *table);
}

typedef struct sort_order {
  const fmlp_table *table;
  const fmlp_table_key *const *keys;
  int key_count;
} sort_order;

static int compare_rows(const sort_order *by, int32_t a, int32_t b) {
  int order = 0;
  for (int k = 0; k < by->key_count && order == 0; k++)
    order = by->keys[k]->compare(&by->table->rows[a], &by->table->rows[b]);
  return order;
}

/* Merge sort: stable, as Python's. */
static void sort_range(const sort_order *by, int32_t *order, int32_t *spare, int32_t count) {
  for (int32_t width = 1; width < count; width *= 2) {
    for (int32_t first = 0; first < count; first += 2 * width) {
      int32_t middle = first + width < count ? first + width : count;
      int32_t last = first + 2 * width < count ? first + 2 * width : count;
      int32_t a = first, b = middle;
      for (int32_t out = first; out < last; out++) {
        bool left = a < middle && (b == last || compare_rows(by, order[a], order[b]) <= 0);
        spare[out] = left ? order[a++] : order[b++];
      }
    }
    memcpy(order, spare, (size_t)count * sizeof *order);
  }
}

bool fmlp_table_sort_by(const fmlp_table *table, const fmlp_table_key *const *keys, int key_count,
                        int32_t *order) {
  const sort_order by = {table, keys, key_count};
  for (int32_t i = 0; i < table->row_count; i++) order[i] = i;
  int32_t *spare = malloc(((size_t)table->row_count + 1) * sizeof *spare);
  if (!spare) return false;
  sort_range(&by, order, spare, table->row_count);
  free(spare);
  return true;
}

void fmlp_table_sort(const fmlp_table *table, const fmlp_table_key *key, int32_t *order) {
  (void)fmlp_table_sort_by(table, &key, 1, order); /* unsorted beats nothing */
}
