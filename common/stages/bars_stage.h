/* Bars from ticks, pushed in blocks (DESIGN 4, "bars"). */
#ifndef FMLP_COMMON_STAGES_BARS_STAGE_H
#define FMLP_COMMON_STAGES_BARS_STAGE_H

#include "common/config/settings.h"
#include "common/core/bars.h"
#include "common/core/ticks.h"
#include "common/stages/calendar.h"

typedef struct fmlp_bar_builder fmlp_bar_builder;

typedef struct fmlp_bars_report {
  int64_t ticks;            /* ticks consumed */
  int64_t session_tails;    /* bars closed short by a session boundary */
  int64_t tails_dropped;    /* of those, dropped by session_tail: drop */
  int64_t unfinished_ticks; /* ticks of the file's last, unfinished bar, which is dropped */
} fmlp_bars_report;

/* `calendar` must outlive the builder. FMLP_ERR_USAGE for a threshold that is not positive or, for the kind
 * of input, not representable; FMLP_ERR_INPUT for volume or dollar bars without sizes. */
FMLP_WARN_UNUSED fmlp_status fmlp_bar_builder_open(const fmlp_bars_settings *settings,
                                                   const fmlp_calendar *calendar, fmlp_tick_kind kind,
                                                   bool has_sizes, fmlp_scale price, fmlp_scale size_unit,
                                                   fmlp_bar_builder **builder, fmlp_error *error);
/* Blocks must follow each other (block->first continues the last one) with times that do not decrease. */
FMLP_WARN_UNUSED fmlp_status fmlp_bar_builder_push(fmlp_bar_builder *builder, const fmlp_tick_block *block,
                                                   fmlp_error *error);
/* Moves the finished bars into `bars` (owned by the caller afterwards). FMLP_ERR_INPUT when there is no
 * complete bar. */
FMLP_WARN_UNUSED fmlp_status fmlp_bar_builder_finish(fmlp_bar_builder *builder, fmlp_bars *bars,
                                                     fmlp_bars_report *report, fmlp_error *error);
void fmlp_bar_builder_close(fmlp_bar_builder *builder);

/* All ticks of a source in one go. */
FMLP_WARN_UNUSED fmlp_status fmlp_bars_build(const fmlp_bars_settings *settings,
                                             const fmlp_calendar *calendar, const fmlp_tick_source *ticks,
                                             fmlp_bars *bars, fmlp_bars_report *report, fmlp_error *error);

#endif
