/* What the exports share: text that any reader accepts, and tracks for things that run at the same time. */
#ifndef FMLP_PROF_VIEWS_EXPORT_TEXT_H
#define FMLP_PROF_VIEWS_EXPORT_TEXT_H

#include <stdint.h>
#include <stdio.h>

/* `text` with every byte that is not UTF-8 as '?', so that its length stays strlen(text). */
void fmlp_export_utf8(const char *text, FILE *out);

/* The same as a JSON string, quotes included. */
void fmlp_export_json_string(const char *text, FILE *out);

/* A row of a timeline in which nothing overlaps: a lane of a stream, or of what a thread calls. */
typedef struct fmlp_export_track {
  int32_t device; /* ordinal, -1 for the host */
  int32_t stream; /* of the device; of the host: the thread */
  int32_t lane;   /* 0, 1, ... of the same stream */
  int64_t end;    /* of what came last */
} fmlp_export_track;

enum { FMLP_EXPORT_TRACKS = 1024 };

typedef struct fmlp_export_tracks {
  int32_t count;
  fmlp_export_track track[FMLP_EXPORT_TRACKS];
} fmlp_export_tracks;

/* The first track of that stream that is free from `start` on, then taken until `end`; -1 when all tracks are
 * in use. Ask in the order of starts. */
int32_t fmlp_export_track_take(fmlp_export_tracks *tracks, int32_t device, int32_t stream, int64_t start,
                               int64_t end);

#endif
