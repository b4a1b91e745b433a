/* NVTX: every span as a range for the tool that is attached to the program (Nsight Systems, Nsight Compute,
 * or any other that NVTX_INJECTION64_PATH names), whether or not a capture records. With no tool a span costs
 * nothing for it.
 *
 * Domain "fmlp"; per span one push and pop on its thread, with the span's label as a registered string, a
 * category, and as payload the bytes that the span told when it opened (FMLP_SPAN_BYTES; bytes added within
 * it come too late for a range's begin; none where it told none). The category follows from where the span
 * stands and its label:
 *
 *   kernel   the span stands in cpu/ or cuda/: the arithmetic, on either side
 *   stage    a label without a dot: run, read, labels, ...
 *   io       a label whose first word is "read", or whose last is import, export, write, download or upload
 *   step     any other: a part of a stage
 *
 * The environment variable belongs to the user: it is read by NVTX alone and never set. */
#ifndef FMLP_PROF_SOURCES_NVTX_H
#define FMLP_PROF_SOURCES_NVTX_H

#include <stdbool.h>
#include <stdint.h>

#include "prof/source.h"
#include "prof/span.h"

typedef enum fmlp_nvtx_category {
  FMLP_NVTX_STAGE = 1, /* 0 is no category */
  FMLP_NVTX_STEP,
  FMLP_NVTX_KERNEL,
  FMLP_NVTX_IO,
  FMLP_NVTX_CATEGORIES
} fmlp_nvtx_category;

fmlp_nvtx_category fmlp_nvtx_category_of(const fmlp_span_site *site);

/* Lets a tool attach, once per process however often it is called; before the first span, so that none is
 * missed. True when one is attached. Without NVTX's headers at build time: false. */
bool fmlp_nvtx_attach(void);

/* One line: whether this build has NVTX and a tool is attached, and if a tool was asked for and is not, why.
 */
void fmlp_nvtx_describe(char *text, int64_t capacity);

/* Attaches at the first capture of a program that did not call fmlp_nvtx_attach itself. */
extern const fmlp_capture_source fmlp_nvtx_source;

#endif
