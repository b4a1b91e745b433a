/* A capture in the formats that other programs read. Each function writes to `out` and is false when that or
 * memory fails. All of them say the same: times come from the call paths' integers, so that the totals agree
 * to the nanosecond. */
#ifndef FMLP_PROF_VIEWS_EXPORT_H
#define FMLP_PROF_VIEWS_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "prof/capture.h"

/* A row a call path, device columns of the operations launched in the path itself, and a last row for those
 * of no known path. */
bool fmlp_export_csv(const fmlp_capture *capture, FILE *out);

/* "outer;inner N": a line a call path with its self time in ns, as flame graph programs read it. */
bool fmlp_export_collapsed(const fmlp_capture *capture, FILE *out);

/* A file of Python's pstats: the functions of the spans. The other: the devices' operations as functions of
 * their own, ('~', 0, '<name>'), below the functions that launched them; apart, because what a device does
 * goes on after its launch has returned and would not add up in one tree. */
bool fmlp_export_pstats(const fmlp_capture *capture, FILE *out);
bool fmlp_export_pstats_device(const fmlp_capture *capture, FILE *out);

/* The functions of that other file as paths of `device`, whose strings may be the capture's; to be released
 * also where memory ran out (false). */
bool fmlp_device_functions(const fmlp_capture *capture, fmlp_capture *device);
void fmlp_device_functions_release(fmlp_capture *device);

/* The graph of callers, for Graphviz. */
bool fmlp_export_dot(const fmlp_capture *capture, FILE *out);

/* speedscope's JSON. */
bool fmlp_export_speedscope(const fmlp_capture *capture, FILE *out);

/* Trace events, at most a million and the rows' names; what is left out is counted in the file ("otherData",
 * beside the totals of everything). */
bool fmlp_export_chrome(const fmlp_capture *capture, FILE *out);
bool fmlp_export_chrome_limited(const fmlp_capture *capture, int64_t max_events, FILE *out);

#endif
