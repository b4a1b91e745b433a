/* The bytes of the HTML page, made at build time from prof/views/html/: the data go between the parts. */
#ifndef FMLP_PROF_VIEWS_HTML_PAGE_H
#define FMLP_PROF_VIEWS_HTML_PAGE_H

#include <stddef.h>

typedef struct fmlp_html_part {
  const unsigned char *bytes;
  size_t count;
} fmlp_html_part;

enum { FMLP_HTML_PARTS = 2 };

extern const fmlp_html_part fmlp_html_parts[FMLP_HTML_PARTS];

#endif
