/* Settings that are legal but hardly meant: said once, in the log, the manifest and the report. */
#ifndef FMLP_COMMON_PIPELINE_WARNINGS_H
#define FMLP_COMMON_PIPELINE_WARNINGS_H

#include "common/config/config.h"
#include "common/results.h"

/* Keys of the command line that nothing reads with the others as they are. */
void fmlp_warn_of_idle_keys(const fmlp_config *config);

/* Volume or dollar bars most of which hold a single tick: the threshold is below what one tick brings. */
void fmlp_warn_of_bars(const fmlp_settings *settings, const fmlp_bars *bars);

/* Positions of many times the capital: a contract size of another market. */
void fmlp_warn_of_leverage(const fmlp_settings *settings, const fmlp_trades *trades);

#endif
