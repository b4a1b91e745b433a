/* fmlp: argv to command to exit code. A new command is a row of the table. */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/commands/commands.h"
#include "common/core/build_info.h"
#include "common/core/interrupt.h"
#include "common/core/log.h"
#include "common/core/nearest.h"
#include "prof/sources/nvtx.h"

typedef struct command {
  const char *name;
  fmlp_status (*run)(int argument_count, char **arguments, fmlp_error *error);
  const char *summary;
} command;

static const command commands[] = {
    {"run", fmlp_command_run, "the whole pipeline, or chosen stages of it, on one tick file"},
    {"verify", fmlp_command_verify, "the same run on every backend, compared bit by bit"},
    {"inspect", fmlp_command_inspect, "what a tick file is, what is odd about it, what configuration fits"},
    {"synth", fmlp_command_synth, "write a realistic synthetic quote file"},
    {"profile", fmlp_command_profile, "where the time of a finished run went"},
    {"devices", fmlp_command_devices, "what this program can compute on, and why not"},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_help(void) {
  printf("fmlp: from ticks to labelled, validated, risk-assessed research results\n"
         "\n"
         "usage: fmlp COMMAND [ARGUMENT...]\n"
         "\n");
  for (int i = 0; i < COMMANDS; i++) printf("  %-10s %s\n", commands[i].name, commands[i].summary);
  printf("\n"
         "  fmlp COMMAND --help      a command's arguments\n"
         "  fmlp run --help-keys     every key of the configuration\n"
         "  fmlp --version           version\n");
}

static const command *find(const char *name) {
  for (int i = 0; i < COMMANDS; i++) {
    if (strcmp(commands[i].name, name) == 0) return &commands[i];
  }
  return NULL;
}

static fmlp_status unknown_command(const char *name, fmlp_error *error) {
  const char *names[COMMANDS];
  for (int i = 0; i < COMMANDS; i++) names[i] = commands[i].name;
  const char *near = fmlp_nearest(name, COMMANDS, names);
  if (near) return fmlp_fail(error, FMLP_ERR_USAGE, "unknown command '%s'; did you mean '%s'?", name, near);
  return fmlp_fail(error, FMLP_ERR_USAGE, "unknown command '%s'; fmlp --help lists them", name);
}

static fmlp_status dispatch(int argument_count, char **arguments, fmlp_error *error) {
  if (argument_count < 2) return fmlp_fail(error, FMLP_ERR_USAGE, "no command; fmlp --help lists them");
  const char *word = arguments[1];
  if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 ||
      (strcmp(word, "help") == 0 && argument_count == 2)) {
    print_help();
    return FMLP_OK;
  }
  if (strcmp(word, "--version") == 0) {
    printf("fmlp %s (%s, %s, %s%s)\n", fmlp_build.version, fmlp_build.commit, fmlp_build.compiler,
           fmlp_build.build_type, fmlp_build.test_hooks ? ", test hooks" : "");
    return FMLP_OK;
  }
  if (strcmp(word, "help") == 0) { /* fmlp help COMMAND */
    static char option[] = "--help";
    char *asked[] = {arguments[2], option, NULL};
    const command *one = find(arguments[2]);
    return one ? one->run(2, asked, error) : unknown_command(arguments[2], error);
  }
  const command *one = find(word);
  return one ? one->run(argument_count - 1, arguments + 1, error) : unknown_command(word, error);
}

/* A standard stream closed by the caller would be the number of the next file opened, and messages would land
 * in a column. Its place is held by a file on which the stream's own direction fails as it did before. */
static void hold_standard_streams(void) {
  for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++) {
    if (fcntl(file, F_GETFD) >= 0) continue;
    if (open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY) != file) return;
  }
}

/* True when standard output is a pipe whose reader has left (`fmlp ... | head`). */
static bool reader_left(void) {
  struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

static bool returned; /* from the command, rather than a library calling exit() */

static void explain_exit(void) {
  if (returned) return;
  (void)fprintf(stderr,
                "fmlp: a library ended the program, see above; free memory or lower runtime.threads\n");
}

static volatile sig_atomic_t aborting;

/* The last of this program's own steps at its end. After an abort the libraries' steps are left out: OpenMP's
 * would wait for a lock that the aborting thread holds. */
static void leave_libraries_out(void) {
  if (aborting) _exit(FMLP_ERR_OTHER);
}

/* XGBoost's threads let std::bad_alloc out, which ends in abort(), as OpenMP does without memory for its
 * threads: then, too, one line, and no temporary folder stays. */
static void on_abort(int number) {
  (void)signal(number, SIG_DFL);
  aborting = 1;
  exit(FMLP_ERR_OTHER);
}

int main(int argument_count, char **arguments) {
  fmlp_error error = {""};
  fmlp_interrupt_install();
  (void)atexit(leave_libraries_out); /* the first, so that it runs last */
  (void)atexit(explain_exit);
  hold_standard_streams();
  (void)signal(SIGABRT, on_abort);
  (void)signal(SIGPIPE, SIG_IGN); /* a pipe that closes must not kill a run beside its temporary folder */
  (void)signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error of write(), as a full disk is */
  (void)fmlp_nvtx_attach();       /* before the first span */
  fmlp_status status = dispatch(argument_count, arguments, &error);
  returned = true;
  if (status == FMLP_OK && (fflush(stdout) != 0 || ferror(stdout))) {
    if (reader_left()) { /* the usual end of a command before `head` */
      (void)signal(SIGPIPE, SIG_DFL);
      (void)raise(SIGPIPE);
    }
    status = fmlp_fail(&error, FMLP_ERR_OTHER, "standard output cannot be written; is the disk full?");
  }
  if (status != FMLP_OK) {
    fmlp_log_status_line("");
    (void)fflush(stdout);
    (void)fprintf(stderr, "fmlp: %s\n", error.text[0] ? error.text : "failed without a reason");
  }
  return (int)status;
}
