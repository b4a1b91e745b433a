/* YAML text to nodes (through libfyaml's events) and nodes to YAML text. Internal to config/. */
#ifndef FMLP_COMMON_CONFIG_YAML_H
#define FMLP_COMMON_CONFIG_YAML_H

#include <stdint.h>

#include "common/config/node.h"

enum { FMLP_YAML_DEPTH = 40, FMLP_YAML_NODES = 200000 };

/* Parses `length` bytes; `name` stands for the file in origins and messages. Empty text is an empty mapping.
 * Anchors, aliases and merge keys (<<) are followed; duplicate keys, a second document and text that is not
 * UTF-8 are FMLP_ERR_USAGE with the line. */
FMLP_WARN_UNUSED fmlp_status fmlp_yaml_parse(fmlp_arena *arena, const char *name, const char *text,
                                             int64_t length, fmlp_node **root, fmlp_error *error);

/* The same from a file of at most 4 MiB. `*package` gets the word of a "# @package word" line in the leading
 * comments, or NULL; it may be NULL itself. */
FMLP_WARN_UNUSED fmlp_status fmlp_yaml_read(fmlp_arena *arena, const char *path, fmlp_node **root,
                                            const char **package, fmlp_error *error);

/* libfyaml is given clean UTF-8 without control characters (but tab and line ends) only: the line, counted
 * from 1, of the first byte that is something else, or 0. */
int64_t fmlp_yaml_bad_line(const char *text, int64_t length);

/* Growing text. */
typedef struct fmlp_yaml_text {
  char *bytes; /* NUL-terminated, owned (fmlp_free) */
  int64_t length;
  int64_t capacity;
} fmlp_yaml_text;

FMLP_WARN_UNUSED fmlp_status fmlp_yaml_append(fmlp_yaml_text *out, fmlp_error *error, const char *format, ...)
    FMLP_PRINTF(3, 4);

/* Writes `node` in block style, `indent` spaces in; a scalar stands on the current line. Reading the text
 * back gives the same tree: strings that could be taken for something else are quoted. */
FMLP_WARN_UNUSED fmlp_status fmlp_yaml_write(fmlp_yaml_text *out, const fmlp_node *node, int32_t indent,
                                             fmlp_error *error);

#endif
