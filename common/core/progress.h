/* Progress of long stages, for people who wait: one line on standard error, only where that is a terminal.
 *
 *     fmlp_progress_begin("labels", rows);
 *     ... fmlp_progress_add(rows_done_since_the_last_call) from any thread ...
 *     fmlp_progress_end();
 *
 * One stage at a time; a forgotten end is closed by the next begin. Cheap enough for every chunk of a
 * parallel loop: without a terminal an atomic add, with one a redraw at most ten times a second. */
#ifndef FMLP_COMMON_CORE_PROGRESS_H
#define FMLP_COMMON_CORE_PROGRESS_H

#include <stdint.h>

/* `stage` must live until the end; `total` units of work, 0 when unknown (then only the time shows). */
void fmlp_progress_begin(const char *stage, int64_t total);
void fmlp_progress_add(int64_t units);
void fmlp_progress_end(void);

/* The line for `done` of `total` units after `seconds`: "labels      42 %  3.1 s, about 4 s left", the rest
 * once a guess means something. For tests and the above. */
void fmlp_progress_format(char *line, int64_t capacity, const char *stage, int64_t done, int64_t total,
                          double seconds);

#endif
