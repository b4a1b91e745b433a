/* Text and tracks of the exports. */
#include "prof/views/export_text.h"

#include <string.h>

/* Bytes of the UTF-8 sequence that begins here, 0 where none does. */
static int sequence_length(const unsigned char *at) {
  int length = 0;
  if (at[0] < 0x80) return 1;
  if (at[0] >= 0xC2 && at[0] <= 0xDF) length = 2;
  if ((at[0] & 0xF0) == 0xE0) length = 3;
  if (at[0] >= 0xF0 && at[0] <= 0xF4) length = 4;
  for (int i = 1; i < length; i++)
    if ((at[i] & 0xC0) != 0x80) return 0;
  if (at[0] == 0xE0 && at[1] < 0xA0) return 0; /* longer than need be */
  if (at[0] == 0xED && at[1] > 0x9F) return 0; /* surrogates */
  if (at[0] == 0xF0 && at[1] < 0x90) return 0;
  if (at[0] == 0xF4 && at[1] > 0x8F) return 0; /* beyond the last character */
  return length;
}

static int put_sequence(const unsigned char *at, FILE *out) {
  int length = sequence_length(at);
  if (length > 0)
    (void)fwrite(at, 1, (size_t)length, out);
  else
    (void)fputc('?', out);
  return length > 0 ? length : 1;
}

void fmlp_export_utf8(const char *text, FILE *out) {
  for (const unsigned char *at = (const unsigned char *)text; *at;) at += put_sequence(at, out);
}

void fmlp_export_json_string(const char *text, FILE *out) {
  (void)fputc('"', out);
  for (const unsigned char *at = (const unsigned char *)text; *at;) {
    if (*at == '"' || *at == '\\')
      (void)fprintf(out, "\\%c", *at++);
    else if (*at < 0x20 || *at == '<') /* no "</script>" where a page carries the file */
      (void)fprintf(out, "\\u%04x", *at++);
    else
      at += put_sequence(at, out);
  }
  (void)fputc('"', out);
}

int32_t fmlp_export_track_take(fmlp_export_tracks *tracks, int32_t device, int32_t stream, int64_t start,
                               int64_t end) {
  int32_t lane = 0;
  for (int32_t i = 0; i < tracks->count; i++) {
    fmlp_export_track *track = &tracks->track[i];
    if (track->device != device || track->stream != stream) continue;
    lane++;
    if (track->end > start) continue;
    track->end = end;
    return i;
  }
  if (tracks->count == FMLP_EXPORT_TRACKS) return -1;
  tracks->track[tracks->count] = (fmlp_export_track){device, stream, lane, end};
  return tracks->count++;
}
