#include "io/file.h"
#include "src/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <htslib/bgzf.h>
#include <htslib/hts.h>
#include <htslib/hts_log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 20, NAME_BYTES = 200 };

/* Opens for reading what is no directory (a pipe will do). */
static int open_readable(const char *path, int *fd, gp_err *err) {
    struct stat about;
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return gp_err_set(err, GP_EINPUT, "%s: cannot be opened: %s", path, strerror(errno));
    if (fstat(*fd, &about) == 0 && !S_ISDIR(about.st_mode))
        return GP_OK;
    close(*fd);
    return gp_err_set(err, GP_EINPUT, "%s: is a directory, where a file is wanted", path);
}

/* ---- reading ---- */

static int read_all(BGZF *in, const char *path, gp_text *text, gp_err *err) {
    for (;;) {
        char *to = gp_text_room(text, READ_BYTES, err);
        if (to == NULL)
            return err->code;
        ssize_t n = bgzf_read(in, to, READ_BYTES);
        if (n < 0)
            return gp_err_set(err, GP_EINPUT,
                              "%s: cannot be read: the file is damaged or cut short", path);
        text->length += n;
        text->bytes[text->length] = 0;
        if (n == 0)
            return GP_OK;
    }
}

int gp_io_read_text(const char *path, gp_text *text, gp_err *err) {
    int fd = -1;
    int64_t start = text->length;
    if (open_readable(path, &fd, err) != GP_OK)
        return err->code;
    /* htslib would print; the error goes up instead. */
    hts_set_log_level(HTS_LOG_OFF);
    BGZF *in = bgzf_dopen(fd, "r");
    if (in == NULL) {
        close(fd);
        return gp_err_set(err, GP_EINPUT, "%s: cannot be read: %s", path, strerror(errno));
    }
    if (read_all(in, path, text, err) == GP_OK &&
        memchr(text->bytes + start, 0, (size_t)(text->length - start)) != NULL)
        gp_err_set(err, GP_EINPUT,
                   "%s: is not a text file (it holds zero bytes); save it as plain text (UTF-8)",
                   path);
    if (bgzf_close(in) != 0)
        gp_err_set(err, GP_EINPUT, "%s: cannot be read: the file is damaged or cut short", path);
    return err->code;
}

int gp_io_file_size(const char *path, int64_t *size, gp_err *err) {
    struct stat about;
    if (stat(path, &about) != 0)
        return gp_err_set(err, GP_EINPUT, "%s: cannot be opened: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return gp_err_set(err, GP_EINPUT, "%s: is not a regular file", path);
    *size = (int64_t)about.st_size;
    return GP_OK;
}

static int md5_all(int fd, const char *path, hts_md5_context *md5, gp_io_watch watch, void *context,
                   gp_err *err) {
    unsigned char bytes[1 << 16];
    for (;;) {
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return gp_err_set(err, GP_EFAIL, "%s: cannot be read: %s", path, strerror(errno));
        if (n == 0)
            return GP_OK;
        hts_md5_update(md5, bytes, (unsigned long)n);
        if (watch != NULL && watch(context, n))
            return gp_err_set(err, GP_ESTOP, "%s: stopped while reading it", path);
    }
}

int gp_io_md5_watched(const char *path, char hex[33], gp_io_watch watch, void *context,
                      gp_err *err) {
    int fd = -1;
    unsigned char digest[16];
    if (open_readable(path, &fd, err) != GP_OK)
        return err->code;
    hts_md5_context *md5 = hts_md5_init();
    if (md5 == NULL)
        gp_err_set(err, GP_EFAIL, "%s: no memory for its MD5 sum", path);
    else if (md5_all(fd, path, md5, watch, context, err) == GP_OK) {
        hts_md5_final(digest, md5);
        hts_md5_hex(hex, digest);
    }
    if (md5 != NULL)
        hts_md5_destroy(md5);
    close(fd);
    return err->code;
}

int gp_io_md5_file(const char *path, char hex[33], gp_err *err) {
    return gp_io_md5_watched(path, hex, NULL, NULL, err);
}

/* ---- writing ---- */

/* The length of path's directory part: "a/b" -> 1, "/b" -> 1, "b" -> 0. */
static int64_t directory_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : slash == path ? 1 : slash - path;
}

/* A rename lasts once its directory is on disk. Some file systems cannot do that: no failure. */
void gp_io_sync_directory_of(const char *path) {
    gp_err ignored = {0};
    gp_text name = {0};
    int64_t n = directory_length(path);
    if (gp_text_add(&name, n ? path : ".", n ? n : 1, &ignored) == GP_OK) {
        int fd = open(name.bytes, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0) {
            (void)fsync(fd);
            close(fd);
        }
    }
    gp_text_free(&name);
}

int gp_io_sync(const char *path, gp_err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return gp_err_set(err, GP_EFAIL, "%s: cannot be opened: %s", path, strerror(errno));
    if (fsync(fd) != 0)
        gp_err_set(err, GP_EFAIL, "%s: cannot be written to disk: %s", path, strerror(errno));
    close(fd);
    return err->code;
}

int gp_io_rename(const char *from, const char *to, gp_err *err) {
    if (rename(from, to) != 0)
        gp_err_set(err, GP_EFAIL, "%s: cannot be put in place: %s", to, strerror(errno));
    return err->code;
}

int gp_io_commit(const char *from, const char *to, gp_err *err) {
    if (gp_io_sync(from, err) == GP_OK && gp_io_rename(from, to, err) == GP_OK)
        gp_io_sync_directory_of(to);
    return err->code;
}

static int write_all(int fd, const char *path, const char *bytes, int64_t n, gp_err *err) {
    while (n > 0) {
        ssize_t k = write(fd, bytes, (size_t)(n < (1 << 30) ? n : (1 << 30)));
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return gp_err_set(err, GP_EFAIL, "%s: cannot be written: %s", path, strerror(errno));
        bytes += k;
        n -= k;
    }
    return GP_OK;
}

int gp_io_fill_file(const char *path, const char *bytes, int64_t n, gp_err *err) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return gp_err_set(err, GP_EFAIL, "%s: cannot be made: %s", path, strerror(errno));
    write_all(fd, path, bytes, n, err);
    if (close(fd) != 0)
        gp_err_set(err, GP_EFAIL, "%s: cannot be written: %s", path, strerror(errno));
    return err->code;
}

int gp_io_write_file(const char *path, const char *bytes, int64_t n, gp_err *err) {
    gp_text temporary = {0};
    if (gp_text_print(&temporary, err, "%s.tmp", path) != GP_OK)
        return err->code;
    gp_err mine = {0};
    if (gp_io_fill_file(temporary.bytes, bytes, n, &mine) == GP_OK)
        gp_io_commit(temporary.bytes, path, &mine);
    if (mine.code != GP_OK) {
        unlink(temporary.bytes);
        gp_err_set(err, mine.code, "%s", mine.text);
    }
    gp_text_free(&temporary);
    return err->code;
}

/* ---- directories and names ---- */

static int make_one(const char *path, gp_err *err) {
    struct stat about;
    if (mkdir(path, 0777) == 0)
        return GP_OK;
    int why = errno;
    if (stat(path, &about) == 0) {
        if (S_ISDIR(about.st_mode))
            return GP_OK;
        why = ENOTDIR;
    }
    return gp_err_set(err, GP_EINPUT, "%s: the directory cannot be made: %s", path, strerror(why));
}

int gp_io_make_directory(const char *path, gp_err *err) {
    gp_text part = {0};
    if (*path == 0)
        return gp_err_set(err, GP_EINPUT, "an empty name cannot be a directory");
    if (gp_text_print(&part, err, "%s", path) != GP_OK)
        return err->code;
    for (char *c = part.bytes + 1; *c && err->code == GP_OK; c++)
        if (*c == '/' && c[-1] != '/') {
            *c = 0;
            make_one(part.bytes, err);
            *c = '/';
        }
    if (err->code == GP_OK)
        make_one(part.bytes, err);
    gp_text_free(&part);
    return err->code;
}

int gp_io_check_writable(const char *directory, gp_err *err) {
    gp_text name = {0};
    if (gp_text_print(&name, err, "%s/.gp-dist-XXXXXX", directory) != GP_OK)
        return err->code;
    int fd = mkstemp(name.bytes);
    if (fd < 0)
        gp_err_set(err, GP_EINPUT, "%s: no file can be made in this directory: %s", directory,
                   strerror(errno));
    else {
        close(fd);
        unlink(name.bytes);
    }
    gp_text_free(&name);
    return err->code;
}

int gp_io_check_new_file(const char *path, gp_err *err) {
    struct stat about;
    const char *slash = strrchr(path, '/');
    if ((slash != NULL && slash[1] == 0) || (stat(path, &about) == 0 && S_ISDIR(about.st_mode)))
        return gp_err_set(err, GP_EINPUT, "%s: is a directory; give the name of a file", path);
    if (slash == NULL)
        return gp_io_check_writable(".", err);
    char *directory = gp_mem_string(path, slash == path ? 1 : slash - path, err);
    if (directory != NULL)
        gp_io_check_writable(directory, err);
    free(directory);
    return err->code;
}

/* Bytes of the well-formed UTF-8 character at s, or 0 (RFC 3629: shortest form, no surrogates). */
static int utf8_length(const unsigned char *s) {
    int n = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    if (n == 4 && s[0] > 0xF4)
        return 0;
    for (int i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ||
        (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
        return 0;
    return n;
}

/* Whether the character of n bytes may stand in a file name as it is. */
static int is_safe(const unsigned char *s, int n, int leading) {
    if (n > 1)
        return s[0] != 0xC2 || s[1] >= 0xA0; /* not the control characters U+0080 to U+009F */
    return n == 1 && *s > ' ' && *s < 127 && *s != '/' && *s != '%' && !(leading && *s == '.');
}

int gp_io_safe_name(gp_text *to, const char *name, gp_err *err) {
    const unsigned char *s = (const unsigned char *)name;
    int64_t start = to->length;
    if (*s == 0)
        return gp_err_set(err, GP_EINPUT, "an empty name cannot name a file");
    while (*s) {
        int leading = s == (const unsigned char *)name;
        int n = utf8_length(s);
        int code = is_safe(s, n, leading) ? gp_text_add(to, (const char *)s, n, err)
                                          : gp_text_print(to, err, "%%%02X", *s);
        if (code != GP_OK)
            return code;
        s += is_safe(s, n, leading) ? n : 1;
        if (to->length - start > NAME_BYTES)
            return gp_err_set(err, GP_EINPUT,
                              "'%.40s…': the name is too long for a file's (%d bytes at most)",
                              name, NAME_BYTES);
    }
    return GP_OK;
}
