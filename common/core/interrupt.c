/* The SIGINT flag. */
#define _XOPEN_SOURCE 700 /* SIGXCPU */
#include "common/core/interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>

static atomic_int interrupted;

static void on_signal(int number) {
  (void)number;
  atomic_store(&interrupted, 1);
}

void fmlp_interrupt_install(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  (void)sigaction(SIGINT, &action, NULL);
  (void)sigaction(SIGTERM, &action, NULL);
  (void)sigaction(SIGXCPU, &action, NULL); /* a batch system's limit on processor time */
  struct sigaction before;                 /* under nohup a hang-up stays ignored */
  if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
    (void)sigaction(SIGHUP, &action, NULL);
  }
}

bool fmlp_interrupted(void) {
  return atomic_load_explicit(&interrupted, memory_order_relaxed) != 0;
}

fmlp_status fmlp_check_interrupt(const char *where, fmlp_error *error) {
  if (!fmlp_interrupted()) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_INTERRUPTED,
                   "interrupted in %s; nothing was written, run it again to start over", where);
}
