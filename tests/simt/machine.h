/* The block that runs, between the scheduler (simt.cpp) and the checks of shared memory (shared.cpp). */
#ifndef FMLP_TESTS_SIMT_MACHINE_H
#define FMLP_TESTS_SIMT_MACHINE_H

#include "tests/simt/simt.h"

/* Ends the launch with a line about the running thread. */
[[noreturn]] void fmlp_simt_found(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether everything that `lane` of the running thread's warp did up to tick `when` comes before what the
 * thread does now, by operations of parts of the warp. */
bool fmlp_simt_lane_before(unsigned lane, uint32_t when);

/* Shared memory for a launch (whether there was room) and for a block, unwritten. */
bool fmlp_simt_shared_prepare(int64_t size, bool checked);
void fmlp_simt_shared_begin(uint32_t tick);

#endif
