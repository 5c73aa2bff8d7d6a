/** Files as a whole: read, written by rename, named safely. No HDF5, no MPI. Local. */
#ifndef GP_IO_FILE_H
#define GP_IO_FILE_H

#include "src/base/err.h"
#include "src/base/text.h"
#include <stdint.h>

/** Reads a whole text file, plain, gzip or BGZF, and adds it to text. Allocation is bounded by what
 * is really there. GP_EINPUT "PATH: cannot be opened: …" and the like, also where the file is cut
 * short or holds a zero byte (so no string functions can be misled). Result is zero-terminated. */
int gp_io_read_text(const char *path, gp_text *text, gp_err *err);

/** Writes bytes to PATH.tmp, fsyncs, renames: the file is whole or not there. GP_EFAIL where it
 * cannot be; PATH.tmp is then gone and an older PATH as it was. */
int gp_io_write_file(const char *path, const char *bytes, int64_t n, gp_err *err);

/** Writes bytes to a file, made or emptied first: the file may be half there afterwards. For one
 * that gets its name later, by the functions below. GP_EFAIL where it cannot be. */
int gp_io_fill_file(const char *path, const char *bytes, int64_t n, gp_err *err);

/** Makes a directory and its parents; an existing one is fine. GP_EINPUT when it cannot be made. */
int gp_io_make_directory(const char *path, gp_err *err);

/** Whether files can be made in a directory (tries one). GP_EINPUT with the reason if not. */
int gp_io_check_writable(const char *directory, gp_err *err);

/** Whether a file of this name can be made, before the work that fills it: its directory is
 * writable, and the name is no directory's. GP_EINPUT with the reason if not. */
int gp_io_check_new_file(const char *path, gp_err *err);

/** Appends name as a file name that stays inside its directory: '/', '%', control characters,
 * blanks, a leading '.' and bytes that are not UTF-8's or ASCII's printable become %XX. Distinct
 * names stay distinct. GP_EINPUT for an empty name, or one that takes more than 200 bytes. */
int gp_io_safe_name(gp_text *to, const char *name, gp_err *err);

/** fsync of a file, then rename(from, to), then fsync of the directory. On failure from stays. Its
 * three steps follow, for many files: a disk takes a step of all of them in little more time than
 * that of one. */
int gp_io_commit(const char *from, const char *to, gp_err *err);

/** fsync of a file: GP_EFAIL where its bytes cannot reach the disk. */
int gp_io_sync(const char *path, gp_err *err);

/** rename(from, to); lasts once the directory is on disk. On failure from stays. */
int gp_io_rename(const char *from, const char *to, gp_err *err);

/** fsync of the directory of a file. Some file systems cannot do that: no failure. */
void gp_io_sync_directory_of(const char *path);

/** Size in bytes of a regular file; GP_EINPUT where there is none. */
int gp_io_file_size(const char *path, int64_t *size, gp_err *err);

/** MD5 of a file as 32 hex digits and a zero (for integrity, not for secrecy). */
int gp_io_md5_file(const char *path, char hex[33], gp_err *err);

/** Is told of work that is going on: so much more was done. Non-zero asks to stop. */
typedef int (*gp_io_watch)(void *context, int64_t more);

/** gp_io_md5_file of a long file: watch (may be NULL) is called with the bytes of each piece, and
 * GP_ESTOP returned when it asks to stop. */
int gp_io_md5_watched(const char *path, char hex[33], gp_io_watch watch, void *context,
                      gp_err *err);

#endif
