/* Sections of a resolved configuration as text, to tell whether two runs agree on one. */
#include <string.h>

#include "common/config/config.h"

void fmlp_config_section(const fmlp_config *config, const char *section, const char **text, int64_t *length) {
  const char *line = fmlp_config_yaml(config);
  size_t name = strlen(section);
  *text = "";
  *length = 0;
  for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
    if (strncmp(line, section, name) != 0 || line[name] != ':') continue;
    const char *end = line + strcspn(line, "\n");
    while (end[0] == '\n' && (end[1] == ' ' || end[1] == '-')) end += 1 + strcspn(end + 1, "\n");
    *text = line;
    *length = end - line;
    return;
  }
}
