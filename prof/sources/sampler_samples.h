/* What the sampler's handler wrote, as a capture's samples and frames. */
#ifndef FMLP_PROF_SOURCES_SAMPLER_SAMPLES_H
#define FMLP_PROF_SOURCES_SAMPLER_SAMPLES_H

#include <stdbool.h>

#include "prof/source.h"

/* Adds the buffer's samples, their frames resolved, and the number of those that were lost. A stack ends at
 * the first address that is in no text that is loaded. Threads that recorded no span are added to the
 * capture's. False when memory runs out: the capture is then without samples. */
bool fmlp_samples_add(fmlp_capture *capture, const fmlp_capture_places *places);

#endif
