/* Call paths, one a line, for flame graphs. A path of two threads stands there twice; readers add it up. */
#include "prof/views/export.h"

#include <inttypes.h>

/* The format has no escapes: what separates frames or lines may not stand in a name. */
static void write_name(FILE *out, const char *name) {
  for (const char *c = name; *c; c++) (void)fputc(*c == ';' ? ':' : *c == '\n' || *c == '\r' ? ' ' : *c, out);
}

/* From the outermost inwards. */
static void write_path(FILE *out, const fmlp_capture *capture, int32_t node) {
  int32_t path[FMLP_CAPTURE_DEPTH], depth = 0;
  for (int32_t at = node; at >= 0 && depth < FMLP_CAPTURE_DEPTH; at = capture->nodes[at].parent)
    path[depth++] = at;
  while (depth > 0) {
    write_name(out, capture->sites[capture->nodes[path[--depth]].site].name);
    (void)fputc(depth > 0 ? ';' : ' ', out);
  }
}

bool fmlp_export_collapsed(const fmlp_capture *capture, FILE *out) {
  for (int32_t i = 0; i < capture->node_count; i++) {
    if (capture->nodes[i].self == 0) continue; /* adds nothing; readers refuse a count of 0 or drop it */
    write_path(out, capture, i);
    (void)fprintf(out, "%" PRId64 "\n", capture->nodes[i].self);
  }
  return !ferror(out);
}
