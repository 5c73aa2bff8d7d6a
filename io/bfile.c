#include "io/bfile.h"
#include "src/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 1 << 16, MAGIC = 3 };
static const int64_t position_limit = 1000000000000; /* no chromosome is that long */

/* ---- .fam ---- */

/* The fields of one .fam line, zero-terminated in a block that is used again for each line. */
typedef struct fam_line {
    char *field[5]; /* FID, IID, father, mother, sex */
    gp_text block;
} fam_line;

static int cut_fam(const gp_reader *reader, gp_slice line, fam_line *fam, gp_err *err) {
    gp_slice field[5];
    int64_t at[5];
    int count = gp_slice_cut(line, field, 5);
    if (count < 5)
        return gp_err_set(err, GP_EINPUT,
                          "%s:%lld: has %d fields, where a .fam has 6 (FID, IID, father, mother, "
                          "sex, phenotype)",
                          reader->path, (long long)reader->number, count);
    fam->block.length = 0;
    for (int k = 0; k < 5; k++) {
        at[k] = fam->block.length;
        if (gp_text_add(&fam->block, field[k].s, field[k].n, err) != GP_OK ||
            gp_text_add(&fam->block, "", 1, err) != GP_OK)
            return err->code;
    }
    for (int k = 0; k < 5; k++)
        fam->field[k] = fam->block.bytes + at[k];
    return GP_OK;
}

/* Finds out who is listed twice: "FID IID" as one string, and the line of each. */
typedef struct seen_samples {
    gp_ids key;
    int64_t *line;
    int64_t capacity;
} seen_samples;

static int see(seen_samples *seen, const gp_reader *reader, const fam_line *fam, gp_err *err) {
    /* FID and IID lie one behind the other; they hold no blanks, so a blank joins them uniquely. */
    char *gap = fam->field[1] - 1;
    int64_t number = 0;
    int fresh = 0;
    *gap = ' ';
    if (gp_ids_add(&seen->key, fam->field[0], (int64_t)strlen(fam->field[0]), &number, &fresh,
                   err) == GP_OK &&
        !fresh)
        gp_err_set(err, GP_EINPUT, "%s:%lld: sample '%.300s' is listed twice, first on line %lld",
                   reader->path, (long long)reader->number, fam->field[0],
                   (long long)seen->line[number]);
    *gap = 0;
    if (err->code == GP_OK &&
        gp_mem_grow(&seen->line, &seen->capacity, number + 1, sizeof *seen->line, err) == GP_OK)
        seen->line[number] = reader->number;
    return err->code;
}

static int add_sample(gp_samples *samples, const fam_line *fam, gp_err *err) {
    const char *sex = fam->field[4];
    gp_sample sample = {.fid = fam->field[0],
                        .iid = fam->field[1],
                        .father = fam->field[2],
                        .mother = fam->field[3],
                        .sex = strcmp(sex, "1") == 0   ? 1
                               : strcmp(sex, "2") == 0 ? 2
                                                       : 0};
    return gp_samples_add(samples, &sample, err);
}

int gp_fam_read(const char *path, gp_samples *samples, gp_err *err) {
    gp_reader reader = {0};
    fam_line fam = {0};
    seen_samples seen = {0};
    gp_slice line = {0};
    if (gp_reader_open(&reader, path, CHUNK, err) != GP_OK)
        return err->code;
    while (gp_reader_next(&reader, &line, err) == GP_OK && line.s != NULL)
        if (cut_fam(&reader, line, &fam, err) != GP_OK || see(&seen, &reader, &fam, err) != GP_OK ||
            add_sample(samples, &fam, err) != GP_OK)
            break;
    if (err->code == GP_OK && samples->n == 0)
        gp_err_set(err, GP_EINPUT, "%s: is empty; it should list the samples", path);
    gp_ids_free(&seen.key);
    free(seen.line);
    gp_text_free(&fam.block);
    gp_reader_close(&reader);
    return err->code;
}

/* Whether a line names sample i. */
static int compare_sample(const gp_reader *reader, const fam_line *fam, const gp_samples *samples,
                          int64_t i, const char *first_path, gp_err *err) {
    const char *fid = gp_samples_fid(samples, i), *iid = gp_samples_iid(samples, i);
    if (strcmp(fam->field[0], fid) == 0 && strcmp(fam->field[1], iid) == 0)
        return GP_OK;
    return gp_err_set(err, GP_EINPUT,
                      "%s:%lld: sample '%.100s %.100s' where %s has '%.100s %.100s'; all prefixes "
                      "must list the same samples in the same order",
                      reader->path, (long long)reader->number, fam->field[0], fam->field[1],
                      first_path, fid, iid);
}

int gp_fam_compare(const char *path, const gp_samples *samples, const char *first_path,
                   gp_err *err) {
    gp_reader reader = {0};
    fam_line fam = {0};
    gp_slice line = {0};
    int64_t i = 0;
    if (gp_reader_open(&reader, path, CHUNK, err) != GP_OK)
        return err->code;
    for (; gp_reader_next(&reader, &line, err) == GP_OK && line.s != NULL; i++)
        if (cut_fam(&reader, line, &fam, err) != GP_OK ||
            (i < samples->n && compare_sample(&reader, &fam, samples, i, first_path, err) != GP_OK))
            break;
    if (err->code == GP_OK && i != samples->n)
        gp_err_set(err, GP_EINPUT,
                   "%s: lists %lld samples where %s lists %lld; all prefixes must list the same "
                   "samples in the same order",
                   path, (long long)i, first_path, (long long)samples->n);
    gp_text_free(&fam.block);
    gp_reader_close(&reader);
    return err->code;
}

/* ---- .bim ---- */

/* A position with a sign, point or exponent. */
static int parse_other_position(gp_slice text, int64_t *position) {
    char *end = NULL;
    for (int64_t i = 0; i < text.n; i++)
        if (strchr("0123456789.eE+-", text.s[i]) == NULL)
            return 0; /* no infinities, no hexadecimal */
    double value = strtod(text.s, &end);
    if (end != text.s + text.n || fabs(value) >= (double)position_limit || value != floor(value))
        return 0;
    *position = (int64_t)value;
    return 1;
}

/* A whole number, perhaps negative; returns 0 where it is none or out of range. R writes round
 * numbers as 1e+05: taken for what it says. */
static int parse_position(gp_slice text, int64_t *position) {
    int64_t value = 0;
    for (int64_t i = 0; i < text.n; i++) {
        if (text.s[i] < '0' || text.s[i] > '9')
            return parse_other_position(text, position);
        value = value * 10 + (text.s[i] - '0');
        if (value >= position_limit)
            return 0;
    }
    *position = value;
    return 1;
}

/* A finite number that fills the field. */
static int parse_centimorgan(gp_slice text, double *value) {
    char *end = NULL;
    if (text.n == 1 && text.s[0] == '0') {
        *value = 0;
        return 1;
    }
    *value = strtod(text.s, &end);
    return end == text.s + text.n && isfinite(*value);
}

int gp_bim_parse(const gp_reader *reader, gp_slice line, gp_bim_line *bim, gp_err *err) {
    gp_slice field[7];
    int count = gp_slice_cut(line, field, 7);
    long long number = (long long)reader->number;
    if (count != 6)
        return gp_err_set(err, GP_EINPUT,
                          "%s:%lld: has %s%d fields, where a .bim has 6 (chromosome, id, "
                          "centimorgans, position, allele 1, allele 2)",
                          reader->path, number, count > 6 ? "more than " : "",
                          count > 6 ? 6 : count);
    bim->chromosome = field[0];
    bim->id = field[1];
    bim->alt = field[4];
    bim->ref = field[5];
    if (!parse_centimorgan(field[2], &bim->centimorgan))
        return gp_err_set(err, GP_EINPUT,
                          "%s:%lld: genetic position '%.*s' is not a number; put 0 where it is "
                          "unknown",
                          reader->path, number, (int)(field[2].n < 40 ? field[2].n : 40),
                          field[2].s);
    if (!parse_position(field[3], &bim->position))
        return gp_err_set(
            err, GP_EINPUT, "%s:%lld: position '%.*s' is not a whole number below 10^12",
            reader->path, number, (int)(field[3].n < 40 ? field[3].n : 40), field[3].s);
    return GP_OK;
}

/* ---- .bed ---- */

static int read_at(const gp_bed *bed, int64_t offset, int64_t n, uint8_t *to, gp_err *err) {
    while (n > 0) {
        ssize_t k = pread(bed->fd, to, (size_t)(n < (1 << 30) ? n : (1 << 30)), offset);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return gp_err_set(err, GP_EFAIL, "%s: cannot be read: %s", bed->path,
                              k < 0 ? strerror(errno) : "it became shorter while it was read");
        to += k;
        offset += k;
        n -= k;
    }
    return GP_OK;
}

static int check_magic(const gp_bed *bed, gp_err *err) {
    uint8_t magic[MAGIC];
    if (bed->size == 0)
        return gp_err_set(err, GP_EINPUT, "%s: is empty; it should hold the genotypes", bed->path);
    if (bed->size < MAGIC)
        return gp_err_set(err, GP_EINPUT, "%s: is cut short: %lld bytes", bed->path,
                          (long long)bed->size);
    if (read_at(bed, 0, MAGIC, magic, err) != GP_OK)
        return err->code;
    if (magic[0] != 0x6c || magic[1] != 0x1b || magic[2] > 1)
        return gp_err_set(err, GP_EINPUT,
                          "%s: is not a PLINK .bed (begins %02x %02x %02x, not 6c 1b 01)",
                          bed->path, magic[0], magic[1], magic[2]);
    if (magic[2] == 0)
        return gp_err_set(err, GP_EINPUT,
                          "%s: is sample-major, an old form of .bed; convert it first: plink2 "
                          "--bfile OLD --make-bed --out NEW",
                          bed->path);
    return GP_OK;
}

int gp_bed_open(gp_bed *bed, const char *path, int64_t n, gp_err *err) {
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return gp_err_set(err, GP_EINPUT, "%s: cannot be opened: %s", path, strerror(errno));
    *bed = (gp_bed){.path = path, .fd = fd, .row = n / 4 + (n % 4 != 0)};
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        gp_err_set(err, GP_EINPUT, "%s: is not a regular file", path);
    } else {
        bed->size = (int64_t)about.st_size;
        check_magic(bed, err);
    }
    if (err->code != GP_OK)
        gp_bed_close(bed);
    return err->code;
}

int gp_bed_check_size(const gp_bed *bed, int64_t n, int64_t m, gp_err *err) {
    int64_t need = 0;
    if (__builtin_mul_overflow(bed->row, m, &need) || __builtin_add_overflow(need, MAGIC, &need))
        need = INT64_MAX;
    if (bed->size == need)
        return GP_OK;
    return gp_err_set(err, GP_EINPUT,
                      "%s: holds %lld bytes, but %lld samples (.fam) and %lld variants (.bim) need "
                      "%lld; are the three files of one set?",
                      bed->path, (long long)bed->size, (long long)n, (long long)m, (long long)need);
}

int gp_bed_read(const gp_bed *bed, int64_t first, int64_t count, uint8_t *to, gp_err *err) {
    return read_at(bed, MAGIC + first * bed->row, count * bed->row, to, err);
}

void gp_bed_close(gp_bed *bed) {
    if (bed->path != NULL)
        close(bed->fd);
    *bed = (gp_bed){0};
}
