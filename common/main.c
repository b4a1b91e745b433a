/* fmlp: argv to command to exit code. */
#include <stdio.h>

#include "common/core/interrupt.h"

int main(int argument_count, char **arguments) {
  (void)argument_count;
  fmlp_interrupt_install();
  (void)fprintf(stderr, "%s: no command yet\n", arguments[0]);
  return 2;
}
