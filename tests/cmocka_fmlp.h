/* cmocka with its prerequisites in the order it wants them. */
#ifndef FMLP_TESTS_CMOCKA_FMLP_H
#define FMLP_TESTS_CMOCKA_FMLP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h must come last */
#include <cmocka.h>

#endif
