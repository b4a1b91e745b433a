/* Whether a capture that came from outside is one: views trust what they are given. */
#ifndef FMLP_PROF_STORE_PROFILE_CHECK_H
#define FMLP_PROF_STORE_PROFILE_CHECK_H

#include "prof/capture.h"

/* NULL when everything in it keeps the promises of capture.h: indices in range, parents first, arrays in
 * order, ends after starts, totals those of self times, sums far from overflow. Else the part that does not,
 * in a few words. */
const char *fmlp_profile_check(const fmlp_capture *capture);

#endif
