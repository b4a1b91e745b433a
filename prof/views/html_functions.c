/* Functions for the HTML page: what pstats counts, and beside it what devices did for calls launched in them.
 */
#include <stdlib.h>

#include "prof/views/busy.h"
#include "prof/views/html_data.h"
#include "prof/views/table.h"

/* Sums over the paths of a function, without what it called. */
typedef struct own_sums {
  int64_t samples, allocations, allocated_bytes, bytes;
  int64_t busy, sum, kernels, launches, delay, waited, uploaded, downloaded;
} own_sums;

typedef struct function_rows {
  const fmlp_table *table;
  int32_t *site_of_row;
  int32_t *row_of_site; /* -1 for a site without a call */
  own_sums *own;
} function_rows;

/* Rows stand in the order of the sites, those without a call left out. */
static void number_rows(const fmlp_capture *capture, function_rows *rows) {
  int32_t next = 0;
  for (int32_t s = 0; s < capture->site_count; s++) rows->row_of_site[s] = -1;
  for (int32_t n = 0; n < capture->node_count; n++) rows->row_of_site[capture->nodes[n].site] = 0;
  for (int32_t s = 0; s < capture->site_count; s++) {
    if (rows->row_of_site[s] < 0) continue;
    rows->site_of_row[next] = s;
    rows->row_of_site[s] = next++;
  }
}

static void add_paths(const fmlp_paths *paths, function_rows *rows) {
  for (int32_t i = 0; i < paths->count; i++) {
    const fmlp_path *path = &paths->rows[i];
    own_sums *own = &rows->own[rows->row_of_site[path->site]];
    own->samples += path->samples;
    own->allocations += path->allocations;
    own->allocated_bytes += path->allocated_bytes;
    own->bytes += path->bytes;
    own->sum += path->own.sum;
    own->kernels += path->own.kernels;
    own->launches += path->own.launches;
    if (__builtin_add_overflow(own->delay, path->own.delay, &own->delay))
      own->delay = INT64_MAX; /* as in the paths: delays overlap, their sum has no bound */
    own->waited += path->own.waited;
    own->uploaded += path->own.uploaded;
    own->downloaded += path->own.downloaded;
  }
}

/* The union over what a function launched by any path, within the capture as in the paths. */
static bool add_busy(const fmlp_capture *capture, function_rows *rows) {
  const int32_t count = rows->table->row_count;
  const int64_t wall = capture->stop - capture->start;
  fmlp_busy_interval *intervals = malloc(((size_t)capture->operation_count + 1) * sizeof *intervals);
  int32_t *parent = malloc(((size_t)count + 1) * sizeof *parent);
  int64_t *busy = calloc((size_t)count + 1, sizeof *busy), used = 0;
  bool made = intervals && parent && busy;
  for (int32_t r = 0; made && r < count; r++) parent[r] = -1;
  for (int64_t i = 0; made && i < capture->operation_count; i++) {
    const fmlp_capture_operation *operation = &capture->operations[i];
    const int64_t start = operation->start > 0 ? operation->start : 0;
    const int64_t end = operation->end < wall ? operation->end : wall;
    if (operation->node < 0 || end <= start) continue;
    intervals[used++] =
        (fmlp_busy_interval){start, end, rows->row_of_site[capture->nodes[operation->node].site]};
  }
  made = made && fmlp_busy_make(parent, count, intervals, used, busy);
  for (int32_t r = 0; made && r < count; r++) rows->own[r].busy = busy[r];
  free(intervals);
  free(parent);
  free(busy);
  return made;
}

#define OWN_VALUE(name)                                                                                      \
  static int64_t own_##name(const void *table, int64_t row) {                                                \
    return ((const function_rows *)table)->own[row].name;                                                    \
  }

OWN_VALUE(samples)
OWN_VALUE(allocations)
OWN_VALUE(allocated_bytes)
OWN_VALUE(bytes)
OWN_VALUE(busy)
OWN_VALUE(sum)
OWN_VALUE(kernels)
OWN_VALUE(launches)
OWN_VALUE(delay)
OWN_VALUE(waited)
OWN_VALUE(uploaded)
OWN_VALUE(downloaded)

#define ROW_VALUE(name)                                                                                      \
  static int64_t row_##name(const void *table, int64_t row) {                                                \
    return ((const function_rows *)table)->table->rows[row].name;                                            \
  }

ROW_VALUE(calls)
ROW_VALUE(primitive_calls)
ROW_VALUE(tottime)
ROW_VALUE(cumtime)

static int64_t row_site(const void *table, int64_t row) {
  return ((const function_rows *)table)->site_of_row[row];
}

static void write_functions(FILE *out, const function_rows *rows) {
  static const struct {
    const char *key, *title, *unit;
    fmlp_html_value value;
  } COLUMNS[] = {
      {"samples", "samples", "count", own_samples},
      {"allocations", "allocs", "count", own_allocations},
      {"allocated_bytes", "allocated", "bytes", own_allocated_bytes},
      {"bytes", "bytes", "bytes", own_bytes},
      {"gpu_self_busy_ns", "gpu busy", "time", own_busy},
      {"gpu_self_sum_ns", "gpu sum", "time", own_sum},
      {"gpu_kernels", "kernels", "count", own_kernels},
      {"gpu_launches", "launches", "count", own_launches},
      {"gpu_launch_delay_ns", "delay", "time", own_delay},
      {"gpu_wait_ns", "sync wait", "time", own_waited},
      {"gpu_upload_bytes", "H2D", "bytes", own_uploaded},
      {"gpu_download_bytes", "D2H", "bytes", own_downloaded},
  };
  const int64_t count = rows->table->row_count;
  (void)fprintf(out, ",\"functions\":{\"count\":%d", (int)count);
  fmlp_html_column(out, "site", count, row_site, rows);
  fmlp_html_column(out, "calls", count, row_calls, rows);
  fmlp_html_column(out, "primitive", count, row_primitive_calls, rows);
  fmlp_html_column(out, "tottime", count, row_tottime, rows);
  fmlp_html_column(out, "cumtime", count, row_cumtime, rows);
  (void)fputs(",\"columns\":[", out);
  for (size_t c = 0; c < sizeof COLUMNS / sizeof *COLUMNS; c++) {
    (void)fprintf(out, "%s{\"key\":\"%s\",\"title\":\"%s\",\"unit\":\"%s\"", c > 0 ? "," : "", COLUMNS[c].key,
                  COLUMNS[c].title, COLUMNS[c].unit);
    fmlp_html_column(out, "values", count, COLUMNS[c].value, rows);
    (void)fputc('}', out);
  }
  (void)fputs("]}", out);
}

/* ---- callers ---- */

/* One edge a row, in the order of the rows called. */
typedef struct edge_table {
  int64_t count;
  struct {
    int32_t row;
    const fmlp_table_caller *caller;
  } * edges;
} edge_table;

static int64_t edge_row(const void *table, int64_t row) {
  return ((const edge_table *)table)->edges[row].row;
}

#define EDGE_VALUE(name, field)                                                                              \
  static int64_t edge_##name(const void *table, int64_t row) {                                               \
    return ((const edge_table *)table)->edges[row].caller->field;                                            \
  }

EDGE_VALUE(caller, row)
EDGE_VALUE(calls, calls)
EDGE_VALUE(primitive, primitive_calls)
EDGE_VALUE(tottime, tottime)
EDGE_VALUE(cumtime, cumtime)

static bool write_callers(FILE *out, const fmlp_table *table) {
  edge_table edges = {0, malloc(((size_t)table->caller_count + 1) * sizeof *edges.edges)};
  if (!edges.edges) return false;
  for (int32_t r = 0; r < table->row_count; r++) {
    for (int32_t c = 0; c < table->rows[r].caller_count; c++) {
      edges.edges[edges.count].row = r;
      edges.edges[edges.count++].caller = &table->callers[table->rows[r].first_caller + c];
    }
  }
  (void)fprintf(out, ",\"callers\":{\"count\":%lld", (long long)edges.count);
  fmlp_html_column(out, "row", edges.count, edge_row, &edges);
  fmlp_html_column(out, "caller", edges.count, edge_caller, &edges);
  fmlp_html_column(out, "calls", edges.count, edge_calls, &edges);
  fmlp_html_column(out, "primitive", edges.count, edge_primitive, &edges);
  fmlp_html_column(out, "tottime", edges.count, edge_tottime, &edges);
  fmlp_html_column(out, "cumtime", edges.count, edge_cumtime, &edges);
  (void)fputc('}', out);
  free(edges.edges);
  return true;
}

bool fmlp_html_functions(FILE *out, const fmlp_capture *capture, const fmlp_paths *paths) {
  fmlp_table table;
  if (!fmlp_table_make(capture, &table)) return false;
  const size_t sites = (size_t)capture->site_count + 1;
  function_rows rows = {&table, malloc(sites * sizeof *rows.site_of_row),
                        malloc(sites * sizeof *rows.row_of_site), calloc(sites, sizeof *rows.own)};
  bool made = rows.site_of_row && rows.row_of_site && rows.own;
  if (made) {
    number_rows(capture, &rows);
    add_paths(paths, &rows);
    made = add_busy(capture, &rows);
  }
  if (made) {
    write_functions(out, &rows);
    made = write_callers(out, &table);
  }
  free(rows.site_of_row);
  free(rows.row_of_site);
  free(rows.own);
  fmlp_table_release(&table);
  return made;
}
