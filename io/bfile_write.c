#include "io/bfile_write.h"
#include "io/file.h"
#include "src/base/mem.h"
#include "src/geno/code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BED, BIM };

static int open_one(gp_bfile_writer *w, int which, const char *prefix, FILE **file, gp_err *err) {
    if (gp_text_print(&w->path[which], err, "%s.%s", prefix, which == BED ? "bed" : "bim") !=
            GP_OK ||
        gp_text_print(&w->during[which], err, "%s.tmp", w->path[which].bytes) != GP_OK)
        return err->code;
    *file = fopen(w->during[which].bytes, "wb");
    if (*file == NULL)
        return gp_err_set(err, GP_EFAIL, "%s: cannot be made: %s", w->path[which].bytes,
                          strerror(errno));
    return GP_OK;
}

static int put(gp_bfile_writer *w, int which, const void *bytes, int64_t n, gp_err *err) {
    FILE *file = which == BED ? w->bed : w->bim;
    if (fwrite(bytes, 1, (size_t)n, file) != (size_t)n)
        return gp_err_set(err, GP_EFAIL, "%s: cannot be written: %s", w->path[which].bytes,
                          strerror(errno));
    return GP_OK;
}

int gp_bfile_write_open(gp_bfile_writer *writer, const char *prefix, const gp_samples *samples,
                        gp_err *err) {
    static const uint8_t magic[3] = {0x6c, 0x1b, 1}; /* 1: variant-major */
    *writer = (gp_bfile_writer){.samples = samples};
    writer->calls = gp_mem_alloc((samples->n + 3) / 4, 1, err);
    if (writer->calls == NULL || open_one(writer, BED, prefix, &writer->bed, err) != GP_OK ||
        open_one(writer, BIM, prefix, &writer->bim, err) != GP_OK ||
        put(writer, BED, magic, sizeof magic, err) != GP_OK)
        gp_bfile_write_discard(writer);
    return err->code;
}

int gp_bfile_write_append(gp_bfile_writer *writer, const char *chromosome, const gp_variants *v,
                          const uint8_t *rows, gp_err *err) {
    int64_t n = writer->samples->n, stride = gp_geno_stride(n);
    writer->line.length = 0;
    for (int64_t i = 0; i < v->count; i++) {
        gp_geno_to_bed(rows + i * stride, n, writer->calls);
        if (put(writer, BED, writer->calls, (n + 3) / 4, err) != GP_OK ||
            gp_text_print(&writer->line, err, "%s\t%s\t%.10g\t%lld\t%s\t%s\n", chromosome, v->id[i],
                          v->morgan ? v->morgan[i] : 0.0, (long long)v->position[i], v->alt[i],
                          v->ref[i]) != GP_OK)
            return err->code;
    }
    return put(writer, BIM, writer->line.bytes, writer->line.length, err);
}

static int write_fam(const gp_samples *s, const char *prefix, gp_err *err) {
    gp_text path = {0}, fam = {0};
    gp_text_print(&path, err, "%s.fam", prefix);
    for (int64_t i = 0; i < s->n && err->code == GP_OK; i++)
        gp_text_print(&fam, err, "%s\t%s\t%s\t%s\t%d\tNA\n", gp_samples_fid(s, i),
                      gp_samples_iid(s, i), gp_samples_father(s, i), gp_samples_mother(s, i),
                      s->sex[i]);
    if (err->code == GP_OK)
        gp_io_write_file(path.bytes, fam.bytes, fam.length, err);
    gp_text_free(&path);
    gp_text_free(&fam);
    return err->code;
}

static int close_one(gp_bfile_writer *w, int which, FILE **file, gp_err *err) {
    FILE *open = *file;
    *file = NULL;
    if (fclose(open) != 0)
        return gp_err_set(err, GP_EFAIL, "%s: cannot be written: %s", w->path[which].bytes,
                          strerror(errno));
    return GP_OK;
}

int gp_bfile_write_finish(gp_bfile_writer *writer, const char *prefix, gp_err *err) {
    if (close_one(writer, BED, &writer->bed, err) == GP_OK &&
        close_one(writer, BIM, &writer->bim, err) == GP_OK &&
        write_fam(writer->samples, prefix, err) == GP_OK &&
        gp_io_commit(writer->during[BIM].bytes, writer->path[BIM].bytes, err) == GP_OK)
        gp_io_commit(writer->during[BED].bytes, writer->path[BED].bytes, err);
    gp_bfile_write_discard(writer);
    return err->code;
}

void gp_bfile_write_discard(gp_bfile_writer *writer) {
    if (writer->bed != NULL)
        fclose(writer->bed);
    if (writer->bim != NULL)
        fclose(writer->bim);
    /* After a commit there is none of that name left. */
    for (int k = 0; k < 2; k++) {
        if (writer->during[k].bytes != NULL)
            unlink(writer->during[k].bytes);
        gp_text_free(&writer->path[k]);
        gp_text_free(&writer->during[k]);
    }
    gp_text_free(&writer->line);
    free(writer->calls);
    *writer = (gp_bfile_writer){0};
}
