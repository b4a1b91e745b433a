/* Where optimising pays: functions and device operations of at least 5 % with the reason each is slow and the
 * measured limit it runs against, or what is not known and how to learn it. Thresholds and their reasons:
 * docs/decisions/profile-advice.md. */
#ifndef FMLP_PROF_VIEWS_ADVICE_H
#define FMLP_PROF_VIEWS_ADVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "prof/store/profile.h"

typedef enum fmlp_advice_reason {
  FMLP_ADVICE_UNKNOWN,
  FMLP_ADVICE_WAITING,    /* for a device, a file, another thread */
  FMLP_ADVICE_LAUNCH,     /* bound by launches: the host's calls, or the gaps before kernels */
  FMLP_ADVICE_COPY,       /* moves data between host and device */
  FMLP_ADVICE_BANDWIDTH,  /* near what the memory can do */
  FMLP_ADVICE_ALLOCATION, /* much new memory */
  FMLP_ADVICE_SERIAL,     /* one of several threads, a part of the multiprocessors */
  FMLP_ADVICE_PROCESSOR,  /* none of these, and it is on a processor: work or memory, its bytes are not known
                           */
  FMLP_ADVICE_COMPUTE     /* none of these, and its bytes are few: the work itself */
} fmlp_advice_reason;

enum { FMLP_ADVICE_TEXT = 256 };

typedef struct fmlp_advice_item {
  int32_t site; /* of the capture, -1: a device operation */
  int32_t name; /* of the capture, of a device operation */
  int64_t time; /* ns: internal time; busy time of a device */
  double share; /* of all internal time; of all busy time */
  fmlp_advice_reason reason;
  char measured[FMLP_ADVICE_TEXT]; /* what tells it, with the limit */
  char unknown[FMLP_ADVICE_TEXT];  /* what is not known, "" when all is */
} fmlp_advice_item;

typedef struct fmlp_advice {
  int32_t count, host_count, device_count; /* host first, each by share */
  fmlp_advice_item *items;
  int32_t below; /* functions with less than 5 % */
  double below_share;
} fmlp_advice;

/* False when memory runs out. `profile` must outlive it. */
bool fmlp_advice_make(const fmlp_profile *profile, fmlp_advice *advice);
void fmlp_advice_release(fmlp_advice *advice);

/* For reading. False when memory runs out or `out` fails. */
bool fmlp_advice_write(const fmlp_profile *profile, FILE *out);

/* "launch-bound" */
const char *fmlp_advice_reason_name(fmlp_advice_reason reason);

/* ---- for fmlp_advice_make: each appends its items, sorted by share; false when memory runs out ---- */

bool fmlp_advice_add_host(const fmlp_profile *profile, fmlp_advice *advice);
bool fmlp_advice_add_device(const fmlp_capture *capture, fmlp_advice *advice);
bool fmlp_advice_append(fmlp_advice *advice, const fmlp_advice_item *item);

#endif
