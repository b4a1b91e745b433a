/* A folder that keeps the profiles of many runs: what was measured, when, of which version, and a place for
 * the user's remarks.
 *
 *   <date>_<name>_v<k>.fmlprof, .txt    a version; k from 1
 *   index.csv                           a line a version: version, created, name, commit, device, wall_s (the
 *                                       median of its captures), captures, outputs, file
 *   notes.md                            a line a version, for the user to go on with
 *   <name>.fmlprof, .txt                without versions: the last run's, in no index
 *
 * index.csv is the lock: programs that add at the same time wait for each other, 10 s at most. Lines are
 * added at the end and nothing that stands in index.csv or notes.md is ever written again. */
#ifndef FMLP_PROF_STORE_HISTORY_H
#define FMLP_PROF_STORE_HISTORY_H

#include <stdio.h>

#include "prof/store/profile.h"

/* Adds the profile, and `text` beside it, under its fact "name" to `folder`, which is made when it is
 * missing. False with one line in `message` (capacity bytes) when that cannot be done; no version of it stays
 * then. Waiting for other programs ends when `stop` (NULL: never) says so. */
bool fmlp_history_add(const char *folder, bool versions, const fmlp_profile *profile, const char *text,
                      bool (*stop)(void), char *message, int64_t capacity);

/* Whether an addition has a chance, before there is anything to add: the folder or what it would be made in
 * takes files, index and notes are ordinary files or missing. Makes and changes nothing. False with one line
 * in `message` (capacity bytes) when it has none. */
bool fmlp_history_check(const char *folder, bool versions, char *message, int64_t capacity);

/* Whether `inner`, which need not exist, is the folder `outer` or lies in it, links followed. */
bool fmlp_history_is_inside(const char *inner, const char *outer);

/* Prints the index as a table, with what is missing or unreadable. False with one line in `message` when the
 * folder has no index or memory runs out. */
bool fmlp_history_print(const char *folder, FILE *out, char *message, int64_t capacity);

/* The first line of index.csv. */
#define FMLP_HISTORY_HEADER "version,created,name,commit,device,wall_s,captures,outputs,file"

#endif
