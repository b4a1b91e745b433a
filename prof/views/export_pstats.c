/* Python's pstats files: a dictionary as `marshal` writes it, in the subset that all of Python 3 reads.
 *
 *   {(file, line, name): (primitive calls, calls, tottime, cumtime,
 *                         {caller: (calls, primitive calls, tottime, cumtime)})}
 *
 * The two counts change places in a caller, as cProfile has it. */
#include "prof/views/export.h"

#include <stdlib.h>
#include <string.h>

#include "prof/views/export_text.h"
#include "prof/views/table.h"

static void write_i32(FILE *out, int64_t value) {
  for (int shift = 0; shift < 32; shift += 8) (void)fputc((int)((uint64_t)value >> shift & 0xFF), out);
}

/* A count: never negative. */
static void write_integer(FILE *out, int64_t value) {
  int digits = 0;
  if (value <= INT32_MAX) {
    (void)fputc('i', out);
    write_i32(out, value);
    return;
  }
  for (int64_t rest = value; rest > 0; rest >>= 15) digits++;
  (void)fputc('l', out);
  write_i32(out, digits);
  for (; digits > 0; digits--, value >>= 15) {
    (void)fputc((int)(value & 0xFF), out);
    (void)fputc((int)(value >> 8 & 0x7F), out);
  }
}

static void write_seconds(FILE *out, int64_t nanoseconds) {
  double seconds = (double)nanoseconds / 1e9;
  uint64_t bits = 0;
  memcpy(&bits, &seconds, sizeof bits);
  (void)fputc('g', out);
  write_i32(out, (int64_t)(bits & 0xFFFFFFFF));
  write_i32(out, (int64_t)(bits >> 32));
}

static void write_tuple(FILE *out, int count) {
  (void)fputc('(', out);
  write_i32(out, count);
}

static void write_text(FILE *out, const char *text) {
  (void)fputc('u', out);
  write_i32(out, (int64_t)strlen(text));
  fmlp_export_utf8(text, out);
}

static void write_function(FILE *out, const fmlp_capture_site *site) {
  write_tuple(out, 3);
  write_text(out, site->file);
  write_integer(out, site->line);
  write_text(out, site->name);
}

static void write_numbers(FILE *out, int64_t first, int64_t second, int64_t tottime, int64_t cumtime) {
  write_integer(out, first);
  write_integer(out, second);
  write_seconds(out, tottime);
  write_seconds(out, cumtime);
}

bool fmlp_export_pstats(const fmlp_capture *capture, FILE *out) {
  fmlp_table table;
  if (!fmlp_table_make(capture, &table)) return false;
  (void)fputc('{', out);
  for (int32_t r = 0; r < table.row_count; r++) {
    const fmlp_table_row *row = &table.rows[r];
    write_function(out, &row->site);
    write_tuple(out, 5);
    write_numbers(out, row->primitive_calls, row->calls, row->tottime, row->cumtime);
    (void)fputc('{', out);
    for (int32_t c = 0; c < row->caller_count; c++) {
      const fmlp_table_caller *caller = &table.callers[row->first_caller + c];
      write_function(out, &table.rows[caller->row].site);
      write_tuple(out, 4);
      write_numbers(out, caller->calls, caller->primitive_calls, caller->tottime, caller->cumtime);
    }
    (void)fputc('0', out);
  }
  (void)fputc('0', out);
  fmlp_table_release(&table);
  return !ferror(out);
}

/* ---- the device's operations, as functions that the paths which launched them call ---- */

/* Operations of one name launched by one path, while they are added up. */
typedef struct launched {
  int32_t node; /* -1 unknown */
  int32_t name;
  int64_t count, sum;
} launched;

static int compare_launched(const void *left, const void *right) {
  const launched *a = left, *b = right;
  if (a->node != b->node) return (a->node > b->node) - (a->node < b->node);
  return (a->name > b->name) - (a->name < b->name);
}

/* Sorted and without repetition; their number, -1 when memory runs out. */
static int64_t collect_launched(const fmlp_capture *capture, launched **found) {
  launched *all = malloc(((size_t)capture->operation_count + 1) * sizeof *all);
  if (!all) return -1;
  for (int64_t i = 0; i < capture->operation_count; i++) {
    const fmlp_capture_operation *operation = &capture->operations[i];
    all[i] = (launched){operation->node, operation->name, 1, operation->end - operation->start};
  }
  qsort(all, (size_t)capture->operation_count, sizeof *all, compare_launched);
  int64_t count = 0;
  for (int64_t i = 0; i < capture->operation_count; i++) {
    if (count > 0 && compare_launched(&all[count - 1], &all[i]) == 0) {
      all[count - 1].count++;
      all[count - 1].sum += all[i].sum;
    } else {
      all[count++] = all[i];
    }
  }
  *found = all;
  return count;
}

/* After the spans' sites one for what nobody is known to have launched, then one a name: ('~', 0, '<name>'),
 * which pstats prints as {name}. */
static bool make_sites(const fmlp_capture *capture, fmlp_capture *device) {
  size_t bytes = 1;
  for (int32_t i = 0; i < capture->name_count; i++) bytes += strlen(capture->names[i]) + 3;
  device->site_count = capture->site_count + 1 + capture->name_count;
  device->sites = malloc((size_t)device->site_count * sizeof *device->sites);
  device->strings = malloc(bytes);
  if (!device->sites || !device->strings) return false;
  if (capture->site_count > 0)
    memcpy(device->sites, capture->sites, (size_t)capture->site_count * sizeof *device->sites);
  device->sites[capture->site_count] = (fmlp_capture_site){"<unattributed>", "~", "", 0};
  char *at = device->strings;
  for (int32_t i = 0; i < capture->name_count; i++) {
    device->sites[capture->site_count + 1 + i] = (fmlp_capture_site){at, "~", "", 0};
    at += sprintf(at, "<%s>", capture->names[i]) + 1;
  }
  return true;
}

/* The paths that launched something and those above them, with no time of their own, then the operations. */
static bool make_nodes(const fmlp_capture *capture, const launched *all, int64_t count,
                       fmlp_capture *device) {
  int32_t *number = malloc(((size_t)capture->node_count + 1) * sizeof *number);
  device->nodes = calloc((size_t)capture->node_count + (size_t)count + 1, sizeof *device->nodes);
  if (!number || !device->nodes) {
    free(number);
    return false;
  }
  memset(number, 0xff, ((size_t)capture->node_count + 1) * sizeof *number); /* -1 each */
  for (int64_t i = 0; i < count; i++) {
    if (all[i].node < 0) number[capture->node_count] = 0;
    for (int32_t at = all[i].node; at >= 0 && number[at] < 0; at = capture->nodes[at].parent) number[at] = 0;
  }
  if (number[capture->node_count] == 0)
    device->nodes[device->node_count++] = (fmlp_capture_node){.parent = -1, .site = capture->site_count};
  for (int32_t i = 0; i < capture->node_count; i++) {
    const fmlp_capture_node *node = &capture->nodes[i];
    if (number[i] < 0) continue;
    number[i] = device->node_count;
    device->nodes[device->node_count++] = (fmlp_capture_node){
        .parent = node->parent < 0 ? -1 : number[node->parent], .site = node->site, .calls = node->calls};
  }
  for (int64_t i = 0; i < count; i++) {
    int32_t parent = all[i].node < 0 ? 0 : number[all[i].node];
    if (all[i].node < 0) device->nodes[0].calls += all[i].count;
    device->nodes[device->node_count++] = (fmlp_capture_node){.parent = parent,
                                                              .site = capture->site_count + 1 + all[i].name,
                                                              .calls = all[i].count,
                                                              .self = all[i].sum,
                                                              .total = all[i].sum};
  }
  for (int32_t i = device->node_count - 1; i >= 0; i--)
    if (device->nodes[i].parent >= 0) device->nodes[device->nodes[i].parent].total += device->nodes[i].total;
  free(number);
  return true;
}

bool fmlp_device_functions(const fmlp_capture *capture, fmlp_capture *device) {
  launched *all = NULL;
  *device = (fmlp_capture){0};
  int64_t count = collect_launched(capture, &all);
  bool made = count >= 0 && make_sites(capture, device) && make_nodes(capture, all, count, device);
  free(all);
  return made;
}

void fmlp_device_functions_release(fmlp_capture *device) {
  free(device->sites);
  free(device->strings);
  free(device->nodes);
}

bool fmlp_export_pstats_device(const fmlp_capture *capture, FILE *out) {
  fmlp_capture device;
  bool done = fmlp_device_functions(capture, &device) && fmlp_export_pstats(&device, out);
  fmlp_device_functions_release(&device);
  return done;
}
