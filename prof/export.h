/* A capture in the formats that other programs read. Each function writes to `out` and is false when that or
 * memory fails. All of them say the same: times come from the call paths' integers, so that the totals agree
 * to the nanosecond. */
#ifndef FMLP_PROF_EXPORT_H
#define FMLP_PROF_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "prof/capture.h"

/* A row a call path, device columns of the operations launched in the path itself, and a last row for those
 * of no known path. */
bool fmlp_export_csv(const fmlp_capture *capture, FILE *out);

/* "outer;inner N": a line a call path with its self time in ns, as flame graph programs read it. */
bool fmlp_export_collapsed(const fmlp_capture *capture, FILE *out);

#endif
