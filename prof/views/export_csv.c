/* The unified table as text for spreadsheets and data frames: integers in ns and bytes. */
#include "prof/views/export.h"

#include <inttypes.h>
#include <stdlib.h>

/* What the operations and calls of one path add up to. */
typedef struct device_sums {
  int64_t operations, kernels;
  int64_t sum;              /* ns, of the operations one by one */
  int64_t busy;             /* ns in which at least one ran */
  int64_t first_start, end; /* of all of them, when there are any */
  int64_t delay;            /* ns from the start of the calls to that of their operations */
  int64_t uploaded, downloaded;
  int64_t waited; /* ns of the host for a device */
} device_sums;

static void add_operation(const fmlp_capture *capture, const fmlp_capture_operation *operation,
                          device_sums *sums) {
  if (sums->operations++ == 0) sums->first_start = sums->end = operation->start;
  sums->kernels += operation->kind == FMLP_OPERATION_KERNEL;
  sums->sum += operation->end - operation->start;
  if (operation->end > sums->end) { /* operations come by start: only what lies after the others is new */
    sums->busy += operation->end - (operation->start > sums->end ? operation->start : sums->end);
    sums->end = operation->end;
  }
  if (operation->kind == FMLP_OPERATION_UPLOAD) sums->uploaded += operation->bytes;
  if (operation->kind == FMLP_OPERATION_DOWNLOAD) sums->downloaded += operation->bytes;
  if (operation->call >= 0) sums->delay += operation->start - capture->calls[operation->call].start;
}

/* [node_count + 1], the last for operations and calls of no known path. */
static device_sums *add_up(const fmlp_capture *capture) {
  device_sums *sums = calloc((size_t)capture->node_count + 1, sizeof *sums);
  if (!sums) return NULL;
  for (int64_t i = 0; i < capture->operation_count; i++) {
    int32_t node = capture->operations[i].node;
    add_operation(capture, &capture->operations[i], &sums[node < 0 ? capture->node_count : node]);
  }
  for (int64_t i = 0; i < capture->call_count; i++) {
    const fmlp_capture_call *call = &capture->calls[i];
    if (call->kind == FMLP_CALL_WAIT)
      sums[call->node < 0 ? capture->node_count : call->node].waited += call->end - call->start;
  }
  return sums;
}

static void write_text(FILE *out, const char *text) {
  (void)fputc('"', out);
  for (const char *c = text; *c; c++) {
    if (*c == '"') (void)fputc('"', out);
    (void)fputc(*c, out);
  }
  (void)fputs("\",", out);
}

static void write_sums(FILE *out, const device_sums *sums) {
  (void)fprintf(out,
                "%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64
                ",%" PRId64 "\n",
                sums->operations, sums->kernels, sums->sum, sums->busy, sums->end - sums->first_start,
                sums->delay, sums->waited, sums->uploaded, sums->downloaded);
}

bool fmlp_export_csv(const fmlp_capture *capture, FILE *out) {
  device_sums *sums = add_up(capture);
  if (!sums) return false;
  (void)fputs("path,parent,thread,name,file,line,function,ncalls,tottime_ns,cumtime_ns,allocations,"
              "allocated_bytes,gpu_operations,gpu_kernels,gpu_sum_ns,gpu_busy_ns,gpu_span_ns,"
              "gpu_launch_delay_ns,gpu_wait_ns,gpu_upload_bytes,gpu_download_bytes\n",
              out);
  for (int32_t i = 0; i < capture->node_count; i++) {
    const fmlp_capture_node *node = &capture->nodes[i];
    const fmlp_capture_site *site = &capture->sites[node->site];
    (void)fprintf(out, "%d,%d,%" PRId64 ",", (int)i, (int)node->parent, capture->threads[node->thread].id);
    write_text(out, site->name);
    write_text(out, site->file);
    (void)fprintf(out, "%d,", site->line);
    write_text(out, site->function);
    (void)fprintf(out, "%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",", node->calls,
                  node->self, node->total, node->allocations, node->allocated_bytes);
    write_sums(out, &sums[i]);
  }
  (void)fputs("-1,-1,-1,\"(unattributed)\",\"\",0,\"\",0,0,0,0,0,", out);
  write_sums(out, &sums[capture->node_count]);
  free(sums);
  return !ferror(out);
}
