/* Checks of the report's HTML: that it is well formed and self-contained, and parts of it to look into. */
#ifndef FMLP_TESTS_UNIT_PAGE_CHECKS_H
#define FMLP_TESTS_UNIT_PAGE_CHECKS_H

#include "tests/unit/market_fixture.h"

#include <ctype.h>
#include <stdio.h>

enum { DEEPEST = 64 };

static inline bool is_void(const char *name) {
  static const char *const names[] = {"meta", "link", "br", "!doctype"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strcmp(name, names[i]) == 0) return true;
  }
  return false;
}

/* Fails unless every element is closed in order and every attribute value is quoted. */
static inline void assert_well_formed(const char *html) {
  char open[DEEPEST][32];
  int depth = 0;
  for (const char *at = html; (at = strchr(at, '<')) != NULL;) {
    const char *start = at++;
    bool closing = *at == '/';
    at += closing;
    char name[32];
    size_t length = 0;
    while ((isalnum((unsigned char)*at) || *at == '!') && length < sizeof name - 1)
      name[length++] = (char)tolower((unsigned char)*at++);
    name[length] = '\0';
    if (length == 0) fail_msg("a bare < at: %.60s", start);
    bool empty = false;
    for (bool quoted = false; quoted || *at != '>'; at++) {
      if (*at == '\0' || (*at == '<' && !quoted)) fail_msg("an open tag at: %.60s", start);
      if (*at == '"') quoted = !quoted;
      empty = *at == '/' && at[1] == '>';
    }
    if (closing) {
      if (depth == 0 || strcmp(open[depth - 1], name) != 0)
        fail_msg("</%s> closes <%s> at: %.60s", name, depth ? open[depth - 1] : "", start);
      depth--;
    } else if (!empty && !is_void(name)) {
      assert_true(depth < DEEPEST);
      memcpy(open[depth++], name, sizeof name);
      if (strcmp(name, "script") == 0 || strcmp(name, "style") == 0) {
        at = strstr(at, strcmp(name, "script") == 0 ? "</script>" : "</style>");
        assert_non_null(at);
      }
    }
  }
  if (depth != 0) fail_msg("<%s> is never closed", open[depth - 1]);
}

static inline int64_t count_of(const char *text, const char *what) {
  int64_t count = 0;
  for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what)) count++;
  return count;
}

static inline void assert_self_contained(const char *html) {
  static const char *const forbidden[] = {"http://", "https://", "src=",  "@import",
                                          "url(",    "nan",      "inf\"", "-inf"};
  for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
    const char *found = strstr(html, forbidden[i]);
    if (found != NULL && !(found > html && isalpha((unsigned char)found[-1])) &&
        !isalpha((unsigned char)found[strlen(forbidden[i])])) {
      fail_msg("the page holds \"%s\": %.80s", forbidden[i], found);
    }
  }
}

/* The text of one chart, from its <svg> to its end. */
static inline char *chart_text(const char *html, const char *id) {
  char opening[64];
  snprintf(opening, sizeof opening, "<svg id=\"%s\"", id);
  const char *start = strstr(html, opening);
  if (start == NULL) fail_msg("no chart %s", id);
  const char *end = strstr(start, "</svg>");
  assert_non_null(end);
  char *copy = market_block(end - start + 1, 1);
  memcpy(copy, start, (size_t)(end - start));
  return copy;
}

/* The part of a page from the section `id` to its end, NULL without one. */
static inline char *section_text(const char *html, const char *id) {
  char opening[64];
  snprintf(opening, sizeof opening, "<section id=\"%s\"", id);
  const char *start = strstr(html, opening);
  if (start == NULL) return NULL;
  const char *end = strstr(start, "</section>");
  assert_non_null(end);
  char *copy = market_block(end - start + 1, 1);
  memcpy(copy, start, (size_t)(end - start));
  return copy;
}

static inline void assert_has(const char *text, const char *what) {
  if (strstr(text, what) == NULL) fail_msg("the page lacks: %s", what);
}

#endif
