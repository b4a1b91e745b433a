/* Events: the bars at which a label is asked for. */
#ifndef FMLP_COMMON_STAGES_EVENTS_H
#define FMLP_COMMON_STAGES_EVENTS_H

#include "common/config/settings.h"
#include "common/core/bars.h"
#include "common/core/dataset.h"
#include "common/stages/calendar.h"

/* Every bar, every n-th (bars 0, n, 2n, ...), or symmetric CUSUM on log returns of the mid (AFML 2.5.2.1: an
 * event where a sum passes the threshold, after which both restart at 0). An event stands at its bar's close.
 * Bars that close outside every session give none, unless `out_of_session_kept`; they still count and still
 * feed the sums. FMLP_ERR_USAGE for n or a threshold that is not positive. On failure `events` is empty. */
FMLP_WARN_UNUSED fmlp_status fmlp_events_find(const fmlp_labeling_settings *settings,
                                              const fmlp_calendar *calendar, bool out_of_session_kept,
                                              const fmlp_bars *bars, fmlp_events *events, fmlp_error *error);
#endif
