/* fmlp profile export: a profile in the format of another program. */
#define _GNU_SOURCE /* fopencookie */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/commands/profile_commands.h"
#include "common/io/byte_sink.h"
#include "prof/store/profile.h"
#include "prof/views/export.h"
#include "prof/views/export_html.h"

typedef bool (*export_function)(const fmlp_capture *capture, FILE *out);

static const struct export_format {
  const char *name;
  export_function export; /* of the first capture; NULL: the page, which takes the profile */
} FORMATS[] = {
    {"pstats", fmlp_export_pstats},
    {"chrome", fmlp_export_chrome},
    {"speedscope", fmlp_export_speedscope},
    {"collapsed", fmlp_export_collapsed},
    {"dot", fmlp_export_dot},
    {"csv", fmlp_export_csv},
    {"html", NULL},
};

#define FORMAT_NAMES "pstats chrome speedscope collapsed dot csv html"

typedef struct export_request {
  const char *source;
  const char *output;
  const struct export_format *format;
} export_request;

static fmlp_status set_format(export_request *request, const char *word, fmlp_error *error) {
  for (size_t i = 0; i < sizeof FORMATS / sizeof FORMATS[0]; i++)
    if (strcmp(FORMATS[i].name, word) == 0) request->format = &FORMATS[i];
  if (request->format && strcmp(request->format->name, word) == 0) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_USAGE, "profile export: --format %s is unknown; use one of: " FORMAT_NAMES,
                   word);
}

static fmlp_status parse(int count, char *const *arguments, export_request *request, fmlp_error *error) {
  for (int i = 0; i < count; i++) {
    const char *value = NULL;
    if ((value = fmlp_profile_option(count, arguments, &i, "--format")))
      FMLP_TRY(set_format(request, value, error));
    else if ((value = fmlp_profile_option(count, arguments, &i, "--output")) ||
             (value = fmlp_profile_option(count, arguments, &i, "-o")))
      request->output = value;
    else
      FMLP_TRY(fmlp_profile_operand("export", arguments[i], &request->source, error));
  }
  if (request->source && request->output && request->output[0] && request->format) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_USAGE,
                   "profile export: %s is missing: fmlp profile export --format FORMAT -o OUTPUT RUN|FILE",
                   !request->source   ? "the run"
                   : !request->format ? "--format"
                                      : "-o OUTPUT");
}

/* A stream into a file that appears when it is whole. */
typedef struct target {
  fmlp_byte_sink *sink;
  fmlp_status status;
  fmlp_error *error;
} target;

static ssize_t write_target(void *cookie, const char *bytes, size_t count) {
  target *to = cookie;
  if (to->status == FMLP_OK) to->status = fmlp_byte_sink_write(to->sink, bytes, (int64_t)count, to->error);
  return to->status == FMLP_OK ? (ssize_t)count : 0; /* 0: failed */
}

static bool write_format(const fmlp_profile *profile, export_function export, FILE *out) {
  const fmlp_html_options options = {.sources = true};
  return export ? export(profile->captures[0], out) : fmlp_export_html(profile, &options, out);
}

static fmlp_status write_export(const fmlp_profile *profile, export_function export, const char *path,
                                fmlp_error *error) {
  target to = {.error = error};
  struct stat old;
  if (stat(path, &old) == 0 && !S_ISREG(old.st_mode)) /* a rename must not replace a device */
    return fmlp_fail(error, FMLP_ERR_OTHER, "cannot write %s: it is there and no ordinary file", path);
  FMLP_TRY(fmlp_byte_sink_open(path, true, &to.sink, error));
  FILE *out = fopencookie(&to, "w", (cookie_io_functions_t){.write = write_target});
  bool written = out && write_format(profile, export, out);
  if (out && fclose(out) != 0) written = false;
  if (to.status == FMLP_OK && !written)
    to.status = fmlp_fail(error, FMLP_ERR_OTHER, "%s: out of memory", path);
  if (to.status == FMLP_OK) return fmlp_byte_sink_commit(to.sink, error);
  fmlp_byte_sink_discard(to.sink);
  return to.status;
}

/* What devices did, beside "name.prof": "name.gpu.prof". */
static fmlp_status write_device(const fmlp_profile *profile, const char *path, fmlp_error *error) {
  static const char ENDING[] = ".prof";
  char beside[4096];
  size_t length = strlen(path), ending = sizeof ENDING - 1;
  if (length > ending && strcmp(path + length - ending, ENDING) == 0) length -= ending;
  int needed = snprintf(beside, sizeof beside, "%.*s.gpu%s", (int)length, path, ENDING);
  if (needed < 0 || (size_t)needed >= sizeof beside)
    return fmlp_fail(error, FMLP_ERR_OTHER, "%s: the path is too long", path);
  return write_export(profile, fmlp_export_pstats_device, beside, error);
}

fmlp_status fmlp_profile_export(int count, char *const *arguments, fmlp_error *error) {
  export_request request = {0};
  fmlp_profile_source file;
  fmlp_profile *profile = NULL;
  FMLP_TRY(parse(count, arguments, &request, error));
  FMLP_TRY(fmlp_profile_open(request.source, &file, &profile, error));
  fmlp_status status = write_export(profile, request.format->export, request.output, error);
  if (status == FMLP_OK && request.format->export == fmlp_export_pstats &&
      profile->captures[0]->operation_count > 0)
    status = write_device(profile, request.output, error);
  fmlp_profile_free(profile);
  return status;
}
