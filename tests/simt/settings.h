/* The environment's part of a fmlp_simt_setup. */
#ifndef FMLP_TESTS_SIMT_SETTINGS_H
#define FMLP_TESTS_SIMT_SETTINGS_H

#include "tests/simt/runtime.h"

/* Fills in what is 0; FALSE with the reason when the environment cannot be read. */
bool fmlp_simt_settings_from_environment(fmlp_simt_setup *setup, char *reason, size_t capacity);

#endif
