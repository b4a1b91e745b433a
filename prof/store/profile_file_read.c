/* The profile file, read: nothing in it is believed. A count is at most what the bytes left can hold, so that
 * no file asks for much more memory than it has bytes; what the numbers say together, profile_check.c asks.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "prof/store/profile_check.h"
#include "prof/store/profile_file.h"
#include "prof/store/profile_file_sections.h"

enum { MOST_FACTS = 4096, HEADER_BYTES = FMLP_PROFILE_MAGIC_BYTES + 8, FRAME_BYTES = 12, CRC_BYTES = 4 };

/* The file: what is left of it, and where a mistake is described. */
typedef struct source {
  fmlp_profile_cursor rest;
  const char *name;
  char *message;
  int64_t capacity;
} source;

static bool complain(const source *from, const char *what, const char *part) {
  (void)snprintf(from->message, (size_t)from->capacity, "%s: %s%s", from->name, what, part);
  return false;
}

static uint64_t little_endian(const uint8_t *from, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; i++) value |= (uint64_t)from[i] << 8 * i;
  return value;
}

static bool read_header(source *from) {
  const uint8_t *header = from->rest.at;
  const size_t left = (size_t)(from->rest.end - header);
  if (left == 0) return complain(from, "is empty", "");
  if (memcmp(header, fmlp_profile_magic, left < FMLP_PROFILE_MAGIC_BYTES ? left : FMLP_PROFILE_MAGIC_BYTES) !=
      0)
    return complain(from, "not a profile of fmlp", "");
  if (left < HEADER_BYTES) return complain(from, "damaged profile: ", "cut short");
  const uint64_t schema = little_endian(header + FMLP_PROFILE_MAGIC_BYTES, 4);
  if (crc32_z(0, header, HEADER_BYTES - CRC_BYTES) != little_endian(header + HEADER_BYTES - CRC_BYTES, 4))
    return complain(from, "damaged profile: ", "header");
  if (schema > FMLP_PROFILE_SCHEMA) {
    (void)snprintf(from->message, (size_t)from->capacity,
                   "%s: written by a newer fmlp (schema %lu, this reads up to %d)", from->name,
                   (unsigned long)schema, FMLP_PROFILE_SCHEMA);
    return false;
  }
  if (schema == 0) return complain(from, "damaged profile: ", "schema 0");
  from->rest.at += HEADER_BYTES;
  return true;
}

/* The next section, whole and unchanged: its tag and content. */
static bool read_section(source *from, char tag[5], fmlp_profile_cursor *content) {
  const uint8_t *frame = from->rest.at;
  const uint64_t left = (uint64_t)(from->rest.end - frame);
  if (left < FRAME_BYTES + CRC_BYTES) return complain(from, "damaged profile: ", "cut short");
  const uint64_t length = little_endian(frame + 4, 8);
  if (length > left - FRAME_BYTES - CRC_BYTES) return complain(from, "damaged profile: ", "cut short");
  const uint8_t *end = frame + FRAME_BYTES + length;
  if (crc32_z(0, frame, (size_t)(end - frame)) != little_endian(end, CRC_BYTES))
    return complain(from, "damaged profile: ", "a section's check sum is wrong");
  for (int i = 0; i < 4; i++) tag[i] = (char)frame[i];
  tag[4] = '\0';
  *content = (fmlp_profile_cursor){frame + FRAME_BYTES, end, false};
  from->rest.at = end + CRC_BYTES;
  return true;
}

static bool is_known(const char *tag) {
  bool known = strcmp(tag, "FACT") == 0 || strcmp(tag, "END ") == 0;
  for (int i = 0; i < FMLP_PROFILE_SECTIONS; i++)
    known = known || strcmp(tag, fmlp_profile_sections[i].tag) == 0;
  return known;
}

/* The next section that this program knows. */
static bool next_section(source *from, char tag[5], fmlp_profile_cursor *content) {
  do {
    if (!read_section(from, tag, content)) return false;
  } while (!is_known(tag));
  return true;
}

static bool read_facts(source *from, fmlp_profile *profile) {
  char tag[5];
  fmlp_profile_cursor content;
  if (!next_section(from, tag, &content)) return false;
  const int64_t count = strcmp(tag, "FACT") == 0 ? fmlp_profile_take(&content, MOST_FACTS) : 0;
  for (int64_t i = 0; !content.bad && i < count; i++) {
    char *key = fmlp_profile_take_text(&content), *value = fmlp_profile_take_text(&content);
    if (!key || !value || fmlp_profile_get(profile, key) || !fmlp_profile_set(profile, key, value))
      content.bad = true;
    free(key);
    free(value);
  }
  if (strcmp(tag, "FACT") != 0 || content.bad || content.at != content.end)
    return complain(from, "damaged profile: ", "facts");
  return true;
}

/* The sections after CAPT, whose content is at hand. */
static bool read_capture(source *from, fmlp_profile_cursor content, fmlp_capture *capture) {
  char tag[5] = "CAPT";
  for (int i = 0; i < FMLP_PROFILE_SECTIONS; i++) {
    if (i > 0 && !next_section(from, tag, &content)) return false;
    if (strcmp(tag, fmlp_profile_sections[i].tag) != 0) content.bad = true;
    if (!content.bad) fmlp_profile_sections[i].take(&content, capture);
    if (content.bad || content.at != content.end)
      return complain(from, "damaged profile: ", fmlp_profile_sections[i].what);
  }
  const char *wrong = fmlp_profile_check(capture);
  return wrong ? complain(from, "damaged profile: ", wrong) : true;
}

static bool read_captures(source *from, fmlp_profile *profile) {
  char tag[5];
  fmlp_profile_cursor content;
  while (next_section(from, tag, &content)) {
    if (strcmp(tag, "END ") == 0) {
      if (content.at != content.end || from->rest.at != from->rest.end)
        return complain(from, "damaged profile: ", "something follows its end");
      return profile->capture_count > 0 ? true : complain(from, "damaged profile: ", "no capture");
    }
    if (strcmp(tag, "CAPT") != 0) return complain(from, "damaged profile: ", "order of sections");
    fmlp_capture *capture = calloc(1, sizeof *capture);
    if (!capture) return complain(from, "out of memory", "");
    if (!read_capture(from, content, capture)) {
      fmlp_capture_free(capture);
      return false;
    }
    if (!fmlp_profile_add(profile, capture)) return complain(from, "out of memory", "");
  }
  return false;
}

fmlp_profile *fmlp_profile_file_read(const uint8_t *bytes, size_t size, const char *name, char *message,
                                     int64_t capacity) {
  source from = {{bytes, bytes + size, false}, name, message, capacity};
  fmlp_profile *profile = fmlp_profile_create();
  if (!profile) {
    (void)complain(&from, "out of memory", "");
    return NULL;
  }
  if (read_header(&from) && read_facts(&from, profile) && read_captures(&from, profile)) return profile;
  fmlp_profile_free(profile);
  return NULL;
}
