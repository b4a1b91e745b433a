/* What a capture lacks and what it cost: the lines below every report. */
#ifndef FMLP_PROF_VIEWS_LOSSES_H
#define FMLP_PROF_VIEWS_LOSSES_H

#include <stdio.h>

#include "prof/capture.h"

/* The cost of spans and of the device tracer, then a line for everything that was dropped, invalid,
 * unattributed or not to be had. */
void fmlp_losses_write(const fmlp_capture *capture, FILE *out);

#endif
