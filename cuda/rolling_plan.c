/* From a plan to steps: to come. */
#include "cuda/rolling_kernels.h"
