/* fmlp devices: a line per backend, and why one cannot be used. */
#include <stdio.h>
#include <string.h>

#include "common/backends.h"
#include "common/commands/commands.h"
#include "prof/sources/device_trace.h"
#include "prof/sources/nvtx.h"

enum { REASON_CAPACITY = 512, DESCRIPTION_CAPACITY = 16384 };

static const char usage[] =
    "usage: fmlp devices\n"
    "\n"
    "Lists the backends of this program: NAME available, or NAME unavailable: reason; and whether a tool is\n"
    "attached through NVTX.\n"
    "runtime.device, --device and FMLP_DEVICE choose among them. Then whether a tool listens to NVTX ranges, "
    "and\n"
    "whether profiles (runtime.profile_level=full) can have a GPU's timeline.\n";

/* What the backend knows beyond its one line, indented. */
static void print_description(const fmlp_backend *backend) {
  static char text[DESCRIPTION_CAPACITY];
  if (!backend->describe) return;
  backend->describe(text, sizeof text);
  for (const char *line = text; *line;) {
    const int length = (int)strcspn(line, "\n");
    printf("  %.*s\n", length, line);
    line += length + (line[length] == '\n');
  }
}

static void print_backend(const fmlp_backend *backend) {
  char reason[REASON_CAPACITY] = "";
  if (!backend->available(0, reason, sizeof reason)) {
    printf("%s unavailable: %s\n", backend->name, reason[0] ? reason : "no reason given");
    print_description(backend);
    return;
  }
  printf("%s available\n", backend->name);
  if (reason[0] && !backend->describe) printf("  %s\n", reason);
  print_description(backend);
}

fmlp_status fmlp_command_devices(int argument_count, char **arguments, fmlp_error *error) {
  if (argument_count > 1 && (strcmp(arguments[1], "--help") == 0 || strcmp(arguments[1], "-h") == 0)) {
    (void)fputs(usage, stdout);
    return FMLP_OK;
  }
  if (argument_count > 1) {
    return fmlp_fail(error, FMLP_ERR_USAGE, "devices: '%s' is too much; it takes no argument", arguments[1]);
  }
  for (const fmlp_backend *const *backend = fmlp_backends(); *backend; backend++) print_backend(*backend);
  if (!fmlp_backend_find("cuda")) printf("cuda unavailable: not compiled into this build\n");
  char nvtx[REASON_CAPACITY];
  fmlp_nvtx_describe(nvtx, sizeof nvtx);
  printf("NVTX: %s\n", nvtx);
  char timeline[REASON_CAPACITY];
  const char *none = "";
  const fmlp_device_hooks *hooks = fmlp_compute_trace("cuda", &none);
  fmlp_device_trace_describe(hooks, none, timeline, sizeof timeline);
  printf("GPU timeline: %s\n", timeline);
  return FMLP_OK;
}
