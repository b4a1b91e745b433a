/* fmlp profile: looking at the times of a finished run. The verbs have files of their own. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/commands/commands.h"
#include "common/commands/profile_commands.h"

static const char USAGE[] =
    "usage: fmlp profile show RUN|FILE [RESTRICTION...] [--sort KEY,...] [--reverse] [--callers | "
    "--callees]\n"
    "                         [--filter REGEX] [--top N] [--gpu]\n"
    "       fmlp profile table RUN|FILE [--format text|csv|json] [--sort COLUMN] [--top N] [--filter REGEX]\n"
    "                          [--depth N] [--flat]\n"
    "       fmlp profile top RUN|FILE\n"
    "       fmlp profile lines RUN|FILE [--filter REGEX] [--top N] [--source FOLDER]\n"
    "       fmlp profile export --format FORMAT -o OUTPUT RUN|FILE\n"
    "       fmlp profile list DIR\n"
    "       fmlp profile diff BEFORE AFTER [--format text|csv|json] [--filter REGEX]\n"
    "       fmlp profile diff --baseline BEFORE [--baseline BEFORE...] AFTER... [--format ...] [--filter "
    "REGEX]\n"
    "       fmlp profile check --baseline FILE [--baseline FILE...] RUN|FILE... [--tolerance 20%] [--only "
    "REGEX]\n"
    "\n"
    "  RUN|FILE        a run folder, or a file .fmlprof (or profile.json of older runs)\n"
    "\n"
    "show: the functions, as Python's pstats prints them\n"
    "  RESTRICTION     as at pstats' own prompt, one after the other: a number of rows, a fraction of them\n"
    "                  (0.25), else rows whose file:line(function) matches an expression; expressions are "
    "POSIX\n"
    "                  extended ones (\\d, \\b, lookahead and lazy repeats are Python's alone)\n"
    "  --sort KEY,...  calls ncalls cumtime cumulative filename line module name nfl pcalls stdname time\n"
    "                  tottime, or what begins one of them alone (default: tottime)\n"
    "  --reverse       the last row first\n"
    "  --callers       who called each function, --callees whom it called\n"
    "  --filter REGEX  an expression also where it looks like a number; may be given more than once\n"
    "  --top N         the first N of the rows that all restrictions leave\n"
    "  --gpu           what devices did, below the functions that launched it\n"
    "\n"
    "table: the call paths, host and devices beside each other\n"
    "  --format F      text (columns without a value are left out), csv, json\n"
    "  --sort COLUMN   a column of the CSV, e.g. tottime, gpu_busy, allocated_bytes (default: cumtime)\n"
    "  --top N         the N greatest of them; a tree keeps the rows above those\n"
    "  --filter REGEX  paths whose last file:line(function) matches; a tree keeps those above\n"
    "  --depth N       paths with at most N others above them\n"
    "  --flat          one list in the column's order instead of a tree\n"
    "                  Of devices stands there what a path and all below it launched; allocations, bytes "
    "and\n"
    "                  samples are the path's alone, as tottime is\n"
    "\n"
    "top: what has 5 % or more, why it is slow, and the measured limit it runs against\n"
    "\n"
    "lines: the lines of the sources that the sampler found most often (runtime.profile_sampling)\n"
    "  --filter REGEX  lines whose file:line(function) matches\n"
    "  --top N         the N with the most samples (default: 40)\n"
    "  --source FOLDER where the sources are (default: the current folder)\n"
    "\n"
    "export: for other programs\n"
    "  --format FORMAT pstats (Python, snakeviz, gprof2dot), chrome (Perfetto), speedscope, collapsed "
    "(flame\n"
    "                  graphs), dot (Graphviz), csv, html (one page, no network)\n"
    "  -o OUTPUT       the file to write, or to replace when it is there; compressed where it ends in .gz "
    "or\n"
    "                  .zst\n"
    "\n"
    "list: the versions that runtime.profile_output_dir=DIR keeps\n"
    "\n"
    "diff: what changed from BEFORE to AFTER, path by path; check: exit status 6 where RUN|FILE is slower\n"
    "than the baseline, in total or in a path of 5 % or more, by more than the tolerance and more than "
    "noise.\n"
    "Both need repeats (fmlp run --repeat 10), best made alternately; several files of a side are repeats "
    "too:\n"
    "--baseline A1 --baseline A2 ... B1 B2 ...\n"
    "  --baseline FILE what to compare with\n"
    "  --tolerance T   20% or 0.2 (the default): how much slower is not yet a failure; above 1 with a %\n"
    "  --filter REGEX  (diff) the paths whose outer/inner names or last file:line(function) match\n"
    "  --only REGEX    (check) likewise: the others are not looked at\n";

const char *fmlp_profile_option(int count, char *const *arguments, int *at, const char *name) {
  const char *argument = arguments[*at];
  size_t length = strlen(name);
  if (strncmp(argument, name, length) != 0) return NULL;
  if (argument[length] == '=') return argument + length + 1;
  if (argument[length] != '\0' || *at + 1 >= count) return NULL;
  return arguments[++*at];
}

fmlp_status fmlp_profile_operand(const char *verb, const char *argument, const char **source,
                                 fmlp_error *error) {
  if (argument[0] == '-')
    return fmlp_fail(error, FMLP_ERR_USAGE,
                     "profile %s: unknown option or missing value: %s; see fmlp profile --help", verb,
                     argument);
  if (*source)
    return fmlp_fail(error, FMLP_ERR_USAGE, "profile %s: one RUN or FILE at a time, not %s and %s", verb,
                     *source, argument);
  *source = argument;
  return FMLP_OK;
}

fmlp_status fmlp_profile_count(const char *verb, const char *option, const char *word, int64_t least,
                               int64_t *count, fmlp_error *error) {
  char *end = NULL;
  errno = 0;
  const long long value = strtoll(word, &end, 10);
  if (errno != 0 || end == word || *end != '\0' || value < least)
    return fmlp_fail(error, FMLP_ERR_USAGE, "profile %s: %s %s is not a whole number from %lld on", verb,
                     option, word, (long long)least);
  *count = value < INT32_MAX ? value : INT32_MAX;
  return FMLP_OK;
}

static fmlp_status find(const char *source, fmlp_profile_source *file, fmlp_error *error) {
  struct stat *found = &file->status;
  const size_t capacity = sizeof file->path;
  char *path = file->path;
  static const char *const INNER[] = {"/profile/profile.fmlprof", "/profile/profile.json"}; /* the older */
  if (stat(source, found) != 0) return fmlp_fail(error, FMLP_ERR_INPUT, "%s: %s", source, strerror(errno));
  const bool folder = S_ISDIR(found->st_mode);
  for (int i = 0; i < (folder ? 2 : 1); i++) {
    int length = snprintf(path, capacity, "%s%s", source, folder ? INNER[i] : "");
    if (length < 0 || (size_t)length >= capacity)
      return fmlp_fail(error, FMLP_ERR_INPUT, "%s: the path is too long", source);
    if (stat(path, found) == 0) return FMLP_OK;
  }
  int length = snprintf(path, capacity, "%s/index.csv", source);
  if (length > 0 && (size_t)length < capacity && stat(path, found) == 0)
    return fmlp_fail(error, FMLP_ERR_INPUT,
                     "%s: a folder of many profiles; fmlp profile list %s names its files", source, source);
  return fmlp_fail(
      error, FMLP_ERR_INPUT,
      "%s: no profile in this folder (profile/profile.fmlprof: %s); run with runtime.profile=true", source,
      strerror(errno));
}

fmlp_status fmlp_profile_open(const char *source, fmlp_profile_source *file, fmlp_profile **profile,
                              fmlp_error *error) {
  char message[512] = "";
  *profile = NULL;
  FMLP_TRY(find(source, file, error));
  *profile = fmlp_profile_load(file->path, message, (int64_t)sizeof message);
  return *profile ? FMLP_OK : fmlp_fail(error, FMLP_ERR_INPUT, "%s", message);
}

fmlp_status fmlp_profile_printed(bool written, fmlp_error *error) {
  if (written || ferror(stdout)) return FMLP_OK;
  return fmlp_fail(error, FMLP_ERR_OTHER, "out of memory: the profile's view");
}

static const struct verb {
  const char *name;
  fmlp_status (*run)(int count, char *const *arguments, fmlp_error *error); /* the arguments after the verb */
} VERBS[] = {
    {"show", fmlp_profile_show},     {"table", fmlp_profile_table}, {"top", fmlp_profile_top},
    {"lines", fmlp_profile_lines},   {"diff", fmlp_profile_diff},   {"check", fmlp_profile_gate},
    {"export", fmlp_profile_export}, {"list", fmlp_profile_list},
};

#define VERB_NAMES "show table top lines diff check export list"

fmlp_status fmlp_command_profile(int argument_count, char **arguments, fmlp_error *error) {
  const char *verb = argument_count > 1 ? arguments[1] : "";
  bool help = false;
  for (int i = 1; i < argument_count && i < 3; i++)
    help = help || strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0;
  if (help) return fputs(USAGE, stdout) >= 0 ? FMLP_OK : fmlp_fail(error, FMLP_ERR_OTHER, "standard output");
  for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++)
    if (strcmp(verb, VERBS[i].name) == 0) return VERBS[i].run(argument_count - 2, arguments + 2, error);
  return fmlp_fail(error, FMLP_ERR_USAGE, "profile: %s%s; use one of: " VERB_NAMES " (fmlp profile --help)",
                   verb[0] ? "unknown verb " : "no verb", verb);
}
