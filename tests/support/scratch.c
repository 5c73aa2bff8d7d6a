#include "tests/support/scratch.h"

char scratch_folder[512];

int scratch_make(void **state) {
    const char *where = getenv("TMPDIR");
    (void)state;
    snprintf(scratch_folder, sizeof scratch_folder, "%.400s/gp-dist-test.XXXXXX",
             where ? where : "/tmp");
    return mkdtemp(scratch_folder) == NULL;
}

const char *scratch(const char *name) {
    static char path[4][1024];
    static int next;
    if (*scratch_folder == 0)
        abort(); /* else files would land in the root */
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", scratch_folder, name);
    return path[next];
}

const char *scratch_write(const char *name, const void *bytes, size_t n) {
    const char *path = scratch(name);
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes, 1, n, f) != n || fclose(f) != 0)
        abort();
    return path;
}

const char *scratch_text(const char *name, const char *text) {
    return scratch_write(name, text, strlen(text));
}

int scratch_entries(const char *folder, int remove) {
    int count = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e = NULL; d != NULL && (e = readdir(d)) != NULL;) {
        char path[2048];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        count++;
        if (!remove)
            continue;
        if (snprintf(path, sizeof path, "%s/%s", folder, e->d_name) >= (int)sizeof path)
            abort();
        if (unlink(path) != 0) {
            scratch_entries(path, 1);
            rmdir(path);
        }
    }
    if (d != NULL)
        closedir(d);
    return count;
}

int scratch_clear(void **state) {
    (void)state;
    scratch_entries(scratch_folder, 1);
    return 0;
}

int scratch_remove(void **state) {
    scratch_clear(state);
    return rmdir(scratch_folder);
}
