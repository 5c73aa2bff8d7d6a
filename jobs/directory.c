#include "jobs/directory.h"
#include "io/file.h"
#include "src/base/mem.h"
#include "src/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of the path of what holds path[0..n); 0 where that is / or the working directory. */
static int64_t parent_length(const char *path, int64_t n) {
    while (n > 0 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    while (n > 0 && path[n - 1] == '/')
        n--;
    return n;
}

int gp_directory_make(const char *path, int64_t *there, gp_err *err) {
    int64_t n = (int64_t)strlen(path);
    char *part = gp_mem_string(path, n, err);
    while (part != NULL && n > 0 && access(part, F_OK) != 0) {
        n = parent_length(part, n);
        part[n] = 0;
    }
    free(part);
    *there = n;
    if (err->code == GP_OK && gp_io_make_directory(path, err) == GP_OK)
        gp_io_check_writable(path, err);
    return err->code;
}

void gp_directory_unmake(const char *path, int64_t there) {
    gp_err ignored = {0};
    int64_t n = (int64_t)strlen(path);
    char *part = gp_mem_string(path, n, &ignored);
    while (part != NULL && n > there && rmdir(part) == 0) {
        n = parent_length(part, n);
        part[n] = 0;
    }
    free(part);
}

int gp_directory_has(const char *path, const char *name) {
    gp_err ignored = {0};
    gp_text file = {0};
    int has = gp_text_print(&file, &ignored, "%s/%s", path, name) == GP_OK &&
              access(file.bytes, F_OK) == 0;
    gp_text_free(&file);
    return has;
}

void gp_directory_forget(const char *path, const char *name) {
    gp_err ignored = {0};
    gp_text file = {0};
    if (gp_text_print(&file, &ignored, "%s/%s", path, name) == GP_OK)
        unlink(file.bytes);
    gp_text_free(&file);
}

static int remove_what_is_in(const char *path, gp_err *err) {
    gp_text name = {0};
    struct dirent *entry;
    DIR *directory = opendir(path);
    while (directory != NULL && err->code == GP_OK && (entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        name.length = 0;
        if (gp_text_print(&name, err, "%s/%s", path, entry->d_name) == GP_OK)
            gp_directory_remove(name.bytes, err);
    }
    if (directory != NULL)
        closedir(directory);
    gp_text_free(&name);
    return err->code;
}

int gp_directory_remove(const char *path, gp_err *err) {
    struct stat about;
    if (lstat(path, &about) != 0)
        return GP_OK;
    if (S_ISDIR(about.st_mode) && remove_what_is_in(path, err) != GP_OK)
        return err->code;
    if ((S_ISDIR(about.st_mode) ? rmdir(path) : unlink(path)) != 0)
        gp_err_set(err, GP_EFAIL, "%s: cannot be removed: %s", path, strerror(errno));
    return err->code;
}
