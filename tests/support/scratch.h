/** A private folder for one test program, files in it, and its removal. */
#ifndef GP_TESTS_SUPPORT_SCRATCH_H
#define GP_TESTS_SUPPORT_SCRATCH_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** The folder's path, shared by all files of the program. */
extern char scratch_folder[512];

/** cmocka's group setup. */
int scratch_make(void **state);

/** The path of a name in the folder. Four of them are good at the same time. */
const char *scratch(const char *name);

/** Writes a file; returns its path. */
const char *scratch_write(const char *name, const void *bytes, size_t n);
const char *scratch_text(const char *name, const char *text);

/** How many entries a folder has; with remove they go, folders too. */
int scratch_entries(const char *folder, int remove);

/** cmocka's per-test teardown: an empty folder for the next test. */
int scratch_clear(void **state);

/** cmocka's group teardown. */
int scratch_remove(void **state);

#endif
