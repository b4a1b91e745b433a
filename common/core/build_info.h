/* What this program was built from and how. */
#ifndef FMLP_COMMON_CORE_BUILD_INFO_H
#define FMLP_COMMON_CORE_BUILD_INFO_H

typedef struct fmlp_build_info {
  const char *version;    /* "0.1.0" */
  const char *commit;     /* git commit, "-dirty" appended for uncommitted changes; "unknown" outside a checkout */
  const char *compiler;   /* "GNU 12.2.0" */
  const char *build_type; /* "Release" */
  const char *flags;      /* compiler flags that bear on the numbers and on speed */
  int test_hooks;         /* 1 in builds with test backends */
} fmlp_build_info;

extern const fmlp_build_info fmlp_build;

#endif
