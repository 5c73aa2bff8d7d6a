/* Mixed models against GEMMA -lmm 4: heritability and likelihood of the null model, and every
 * tested variant, with the same matrix. Skipped where the reference results are not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "io/file.h"
#include "src/assoc/lmm.h"
#include "src/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Fortran names: every LAPACK has them. */
void dgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k,
            const double *alpha, const double *a, const int *lda, const double *b, const int *ldb,
            const double *beta, double *c, const int *ldc);
void dsyrk_(const char *uplo, const char *trans, const int *n, const int *k, const double *alpha,
            const double *a, const int *lda, const double *beta, double *c, const int *ldc);
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info);

enum { BLOCK = 256 };

/* Files of one of GEMMA's runs, under shared/data. */
typedef struct run {
    const char *genotypes; /* prefix of .bed .bim .fam; or a file of mean genotypes */
    const char *matrix;    /* or NULL: to be made from the genotypes */
    const char *covariates, *trait, *results;
} run;

static const char *const runs_of_wheat[] = {"env1", "env2", "env4", "env5"};

typedef struct cohort {
    int64_t all, n, m, c; /* samples, of which in use; variants; fixed effects */
    gp_text genotypes, names;
    const char **name;   /* [m] */
    const char **values; /* [m] of a text; NULL: .bed */
    int64_t *sample;     /* [n] in use */
    double *w, *y;       /* [c x n], [n] */
    double *k, *value;   /* [n x n] matrix, then vectors as rows; [n] eigenvalues */
} cohort;

static void *room(int64_t count, int64_t size) {
    gp_err err = {0};
    void *p = gp_mem_alloc(count, size, &err);
    assert_non_null(p);
    return p;
}

static const char *in_data(const char *name, const char *end) {
    static char path[1024];
    const char *source = getenv("GP_SOURCE");
    snprintf(path, sizeof path, "%s/../shared/data/%s%s", source ? source : ".", name, end);
    return path;
}

/* A text, gzipped or not, with or without .gz at its name's end. */
static gp_text read_text(const char *name, const char *end) {
    gp_err err = {0};
    gp_text text = {0};
    char path[1024];
    snprintf(path, sizeof path, "%s", in_data(name, end));
    if (access(path, R_OK) != 0)
        strcat(path, ".gz");
    if (gp_io_read_text(path, &text, &err) != GP_OK)
        fail_msg("%s", err.text);
    return text;
}

static gp_text read_bytes(const char *name, const char *end) {
    gp_err err = {0};
    gp_text text = {0};
    FILE *f = fopen(in_data(name, end), "rb");
    assert_non_null(f);
    char buffer[1 << 16];
    for (size_t got; (got = fread(buffer, 1, sizeof buffer, f)) > 0;)
        assert_int_equal(gp_text_add(&text, buffer, (int64_t)got, &err), GP_OK);
    fclose(f);
    return text;
}

/* Cuts a text at line ends. Returns the next line, NULL at the end. */
static char *next_line(char **at) {
    char *line = *at;
    if (line == NULL || *line == 0)
        return NULL;
    char *end = strchr(line, '\n');
    *at = end ? end + 1 : NULL;
    if (end)
        *end = 0;
    return line;
}

static char *next_word(char **at) {
    char *word = *at + strspn(*at, " \t\r,");
    if (*word == 0)
        return NULL;
    size_t n = strcspn(word, " \t\r,");
    *at = word + n;
    if (**at != 0)
        *(*at)++ = 0;
    return word;
}

static double number(const char *word) {
    return word == NULL || strcmp(word, "NA") == 0 ? NAN : strtod(word, NULL);
}

static int64_t count_lines(const gp_text *text) {
    int64_t lines = 0;
    for (int64_t i = 0; i < text->length; i++)
        lines += text->bytes[i] == '\n';
    return lines + (text->length > 0 && text->bytes[text->length - 1] != '\n');
}

/* Names of variants: word number 2 of a .bim, number 1 of mean genotypes. */
static void read_names(cohort *h, int bed) {
    gp_text *text = bed ? &h->names : &h->genotypes;
    char *at = text->bytes;
    h->m = count_lines(text);
    h->name = room(h->m, sizeof *h->name);
    h->values = bed ? NULL : room(h->m, sizeof *h->values);
    for (int64_t j = 0; j < h->m; j++) {
        char *line = next_line(&at);
        if (bed)
            (void)next_word(&line);
        h->name[j] = next_word(&line);
        if (bed)
            continue;
        (void)next_word(&line);
        (void)next_word(&line);
        h->values[j] = line;
    }
}

static void read_genotypes(cohort *h, const run *r) {
    char path[1024];
    snprintf(path, sizeof path, "%s", in_data(r->genotypes, ".bed"));
    int bed = access(path, R_OK) == 0;
    if (bed) {
        gp_text fam = read_text(r->genotypes, ".fam");
        h->all = count_lines(&fam);
        gp_text_free(&fam);
        h->names = read_text(r->genotypes, ".bim");
        h->genotypes = read_bytes(r->genotypes, ".bed");
    } else {
        h->genotypes = read_text(r->genotypes, "");
    }
    read_names(h, bed);
}

/* Dosages of all samples, NaN where missing. */
static void dosages(const cohort *h, int64_t variant, double *g) {
    static const double dosage[4] = {2.0, NAN, 1.0, 0.0};
    char *at = NULL;
    if (h->values != NULL) {
        for (int64_t i = 0; i < h->all; i++) {
            const char *from = i == 0 ? h->values[variant] : at;
            from += strspn(from, " \t,");
            if (strncmp(from, "NA", 2) == 0) {
                g[i] = NAN;
                at = h->genotypes.bytes + (from + 2 - h->genotypes.bytes);
            } else {
                g[i] = strtod(from, &at);
            }
        }
        return;
    }
    const char *row = h->genotypes.bytes + 3 + variant * ((h->all + 3) / 4);
    for (int64_t i = 0; i < h->all; i++)
        g[i] = dosage[((unsigned char)row[i / 4] >> (2 * (i % 4))) & 3];
}

/* Mean of those not missing; the others become it. */
static double impute(double *g, int64_t n, int64_t *missing) {
    double sum = 0.0;
    *missing = 0;
    for (int64_t i = 0; i < n; i++)
        if (isnan(g[i]))
            ++*missing;
        else
            sum += g[i];
    double mean = sum / (double)(n - *missing);
    for (int64_t i = 0; i < n; i++)
        if (isnan(g[i]))
            g[i] = mean;
    return mean;
}

/* Samples with trait and covariates; W with the intercept first, as GEMMA makes sure that there is
 * one. */
static void read_trait(cohort *h, const run *r) {
    gp_text trait = read_text(r->trait, ""), table = {0};
    char *at = trait.bytes, *row = NULL;
    int64_t columns = 0, rows = count_lines(&trait);
    if (h->all == 0)
        h->all = rows;
    assert_int_equal(rows, h->all);
    double *y = room(h->all, sizeof *y), *w = room(h->all * 20, sizeof *w);
    for (int64_t i = 0; i < h->all; i++) {
        char *line = next_line(&at);
        y[i] = number(next_word(&line));
    }
    if (r->covariates) {
        table = read_text(r->covariates, "");
        row = table.bytes;
    }
    for (int64_t i = 0; r->covariates && i < h->all; i++) {
        char *line = next_line(&row), *word = NULL;
        for (columns = 0; (word = next_word(&line)) != NULL; columns++)
            w[i * 20 + columns] = number(word);
        for (int64_t j = 0; j < columns; j++)
            if (isnan(w[i * 20 + j]))
                y[i] = NAN;
    }
    h->sample = room(h->all, sizeof *h->sample);
    for (int64_t i = 0; i < h->all; i++)
        if (!isnan(y[i]))
            h->sample[h->n++] = i;
    int ones = 1;
    for (int64_t i = 0; i < h->n; i++)
        ones &= columns > 0 && w[h->sample[i] * 20] == 1.0;
    h->c = columns + !ones;
    h->y = room(h->n, sizeof *h->y);
    h->w = room(h->c * h->n, sizeof *h->w);
    for (int64_t i = 0; i < h->n; i++) {
        h->y[i] = y[h->sample[i]];
        h->w[i] = 1.0;
        for (int64_t j = ones; j < columns; j++)
            h->w[(j + !ones) * h->n + i] = w[h->sample[i] * 20 + j];
    }
    gp_text_free(&trait);
    gp_text_free(&table);
    free(y);
    free(w);
}

/* GEMMA -gk 1, of all samples: centred, over variants of frequency 0.01 and more, missing at most
 * 5%. */
static void make_matrix(const cohort *h, double *k) {
    double *block = room(BLOCK * h->all, sizeof *block), one = 1.0;
    int n = (int)h->all, in_block = 0;
    int64_t used = 0;
    for (int64_t j = 0; j <= h->m; j++) {
        if (j == h->m || in_block == BLOCK) {
            dsyrk_("L", "N", &n, &in_block, &one, block, &n, &one, k, &n);
            in_block = 0;
        }
        if (j == h->m)
            break;
        double *g = block + in_block * h->all;
        int64_t missing = 0;
        dosages(h, j, g);
        double mean = impute(g, h->all, &missing);
        if (fmin(mean, 2.0 - mean) < 0.02 || (double)missing > 0.05 * (double)h->all)
            continue;
        for (int64_t i = 0; i < h->all; i++)
            g[i] -= mean;
        in_block++;
        used++;
    }
    for (int64_t j = 0; j < h->all; j++)
        for (int64_t i = j; i < h->all; i++)
            k[i * h->all + j] = k[j * h->all + i] /= (double)used;
    free(block);
}

static void read_matrix(const cohort *h, const run *r, double *k) {
    gp_text text = read_text(r->matrix, "");
    char *at = text.bytes;
    for (int64_t i = 0; i < h->all * h->all; i++)
        k[i] = strtod(at, &at);
    gp_text_free(&text);
}

static void centre(double *k, int64_t n) {
    double *mean = room(n, sizeof *mean), whole = 0.0;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++)
            mean[i] += k[i * n + j] / (double)n;
        whole += mean[i] / (double)n;
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            k[i * n + j] += whole - mean[i] - mean[j];
    free(mean);
}

/* The used samples' part of the matrix, centred, and its spectrum. */
static void decompose(cohort *h, const run *r) {
    double *all = room(h->all * h->all, sizeof *all), size = 0.0;
    if (r->matrix)
        read_matrix(h, r, all);
    else
        make_matrix(h, all);
    h->k = room(h->n * h->n, sizeof *h->k);
    h->value = room(h->n, sizeof *h->value);
    for (int64_t i = 0; i < h->n; i++)
        for (int64_t j = 0; j < h->n; j++)
            h->k[i * h->n + j] = all[h->sample[i] * h->all + h->sample[j]];
    free(all);
    centre(h->k, h->n);
    int n = (int)h->n, most = -1, whole = 0, info = 0;
    dsyevd_("V", "L", &n, h->k, &n, h->value, &size, &most, &whole, &most, &info);
    int lwork = (int)size, liwork = whole;
    double *work = room(lwork, sizeof *work);
    int *iwork = room(liwork, sizeof *iwork);
    dsyevd_("V", "L", &n, h->k, &n, h->value, work, &lwork, iwork, &liwork, &info);
    assert_int_equal(info, 0);
    gp_err err = {0};
    assert_int_equal(gp_spectrum_clean(h->value, h->n, &err), GP_OK);
    free(work);
    free(iwork);
}

/* Rows times the vectors: to [rows x n]. */
static void rotate(const cohort *h, const double *x, int64_t rows, double *to) {
    int n = (int)h->n, m = (int)rows;
    double one = 1.0, zero = 0.0;
    dgemm_("T", "N", &n, &m, &n, &one, h->k, &n, x, &n, &zero, to, &n);
}

static void cohort_free(cohort *h) {
    gp_text_free(&h->genotypes);
    gp_text_free(&h->names);
    free(h->name);
    free(h->values);
    free(h->sample);
    free(h->w);
    free(h->y);
    free(h->k);
    free(h->value);
}

/* The number after a text in a log. */
static double logged(const gp_text *log, const char *what) {
    const char *at = strstr(log->bytes, what);
    assert_non_null(at);
    return strtod(strchr(at, '=') + 1, NULL);
}

static void check_null(const cohort *h, const run *r, const gp_reml *fit) {
    gp_text log = read_text(r->results, ".log.txt");
    double h2 = logged(&log, "pve estimate"), vg = logged(&log, "## vg estimate");
    double ve = logged(&log, "## ve estimate"), loglik = logged(&log, "REMLE log-likelihood");
    double se = logged(&log, "se(pve)");
    print_message("%s: n %lld, h2 %.6g (GEMMA %.6g), se %.6g (%.6g), log-likelihood %.6g (%.6g)\n",
                  r->results, (long long)h->n, fit->h2, h2, fit->h2_se, se, fit->loglik, loglik);
    assert_int_equal((int64_t)logged(&log, "number of analyzed individuals"), h->n);
    /* six digits are printed; GEMMA's ratio is good to 1e-5 */
    assert_true(fabs(fit->h2 - h2) < 2e-6);
    assert_true(fabs(fit->vg - vg) < 2e-5 * vg && fabs(fit->ve - ve) < 1e-5 * ve);
    assert_true(fabs(fit->loglik - loglik) < 1e-5 * fabs(loglik));
    assert_true(fit->end != GP_REML_INSIDE || fabs(fit->h2_se - se) < 2e-5 * se);
    assert_true((fit->end == GP_REML_NONE) == (fit->lambda < 1.01e-5));
    gp_text_free(&log);
}

typedef struct errors {
    double beta, se, p, ratio;
    int64_t tested, inside, other;
} errors;

/* "chr rs ps n_miss allele1 allele0 af beta se logl_H1 l_remle l_mle p_wald ..." */
static void compare(char *line, const gp_result *got, double ratio, errors *worst) {
    double column[16];
    for (int i = 0; i < 13; i++)
        column[i] = number(next_word(&line));
    double beta = column[7], se = column[8], theirs = column[10], p = column[12];
    assert_int_equal(got->status, GP_STATUS_OK);
    worst->tested++;
    if (theirs > 1.001e-5 && theirs < 0.999e5) {
        worst->inside++;
        worst->ratio = fmax(worst->ratio, fabs(ratio - theirs) / theirs);
    }
    worst->beta = fmax(worst->beta, fabs(got->beta - beta) / fmax(fabs(beta), se));
    worst->se = fmax(worst->se, fabs(got->se - se) / se);
    worst->p = fmax(worst->p, fabs(got->neglog10p + log10(p)));
}

static void flush(gp_lmm_batch *batch, const cohort *h, const double *x, double *rotated, int64_t m,
                  gp_result *result) {
    gp_lmm_site site[BLOCK];
    for (int64_t j = 0; j < m; j++)
        site[j] = (gp_lmm_site){h->n, 0.5, 0};
    rotate(h, x, m, rotated);
    gp_lmm_begin(batch, site, m);
    for (int64_t width; (width = gp_lmm_width(batch)) > 0;) {
        double *sums = room(width, sizeof *sums);
        gp_lmm_sum(batch, rotated, sums);
        gp_lmm_take(batch, sums);
        free(sums);
    }
    gp_lmm_results(batch, result);
}

static void check_variants(const cohort *h, const run *r, const gp_lmm *model) {
    gp_err err = {0};
    gp_text table = read_text(r->results, ".assoc.txt");
    gp_lmm_batch *batch = gp_lmm_batch_new(model, BLOCK, &err);
    assert_non_null(batch);
    double *x = room(BLOCK * h->n, sizeof *x), *rotated = room(BLOCK * h->n, sizeof *x);
    double *g = room(h->all, sizeof *g);
    char *at = table.bytes, *lines[BLOCK], *line = NULL;
    gp_result result[BLOCK];
    errors worst = {0};
    int64_t in_block = 0, variant = 0, missing = 0;
    (void)next_line(&at);
    for (int more = 1; more;) {
        more = (line = next_line(&at)) != NULL;
        if (more) {
            char copy[256], *words = copy;
            snprintf(copy, sizeof copy, "%s", line);
            (void)next_word(&words);
            const char *name = next_word(&words);
            while (variant < h->m && strcmp(h->name[variant], name) != 0)
                variant++;
            assert_true(variant < h->m);
            dosages(h, variant++, g);
            for (int64_t i = 0; i < h->n; i++)
                x[in_block * h->n + i] = g[h->sample[i]];
            (void)impute(x + in_block * h->n, h->n, &missing);
            lines[in_block++] = line;
        }
        if (in_block < BLOCK && more)
            continue;
        flush(batch, h, x, rotated, in_block, result);
        for (int64_t j = 0; j < in_block; j++)
            compare(lines[j], &result[j], gp_lmm_ratio(batch, j, 0), &worst);
        in_block = 0;
    }
    print_message("    %lld variants: beta %.2g, se %.2g, -log10 p %.2g; ratio, of %lld, %.2g\n",
                  (long long)worst.tested, worst.beta, worst.se, worst.p, (long long)worst.inside,
                  worst.ratio);
    assert_true(worst.beta < 1e-4 && worst.se < 1e-4 && worst.p < 1e-3);
    assert_true(worst.ratio < 1e-4);
    gp_lmm_batch_free(batch);
    gp_text_free(&table);
    free(x);
    free(rotated);
    free(g);
}

static void check(const run *r) {
    cohort h = {0};
    gp_err err = {0};
    if (access(in_data(r->results, ".log.txt"), R_OK) != 0)
        skip();
    read_genotypes(&h, r);
    read_trait(&h, r);
    decompose(&h, r);
    double *w = room(h.c * h.n, sizeof *w), *y = room(h.n, sizeof *y);
    int64_t *mine = room(h.n, sizeof *mine);
    rotate(&h, h.w, h.c, w);
    rotate(&h, h.y, 1, y);
    for (int64_t i = 0; i < h.n; i++)
        mine[i] = i;
    gp_lmm_input input = {h.n, h.c, 1, h.value, w, y, mine, h.n, 1};
    gp_lmm *model = gp_lmm_new(&input, &err);
    if (model == NULL)
        fail_msg("%s", err.text);
    check_null(&h, r, gp_lmm_null(model, 0));
    check_variants(&h, r, model);
    gp_lmm_free(model);
    free(w);
    free(y);
    free(mine);
    cohort_free(&h);
}

static void wheat_agrees(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof runs_of_wheat / sizeof *runs_of_wheat; i++) {
        char trait[200], results[200];
        snprintf(trait, sizeof trait, "golden/wheat-bglr/gemma.%s.pheno.txt", runs_of_wheat[i]);
        snprintf(results, sizeof results, "golden/wheat-bglr/lmm4.%s", runs_of_wheat[i]);
        check(&(run){"wheat-bglr/derived/wheat", NULL, NULL, trait, results});
    }
}

static void maize_with_covariates_and_missing_traits_agrees(void **state) {
    (void)state;
    static const char *const name[] = {"EarHT", "dpoll", "EarDia"};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        char trait[200], results[200];
        snprintf(trait, sizeof trait, "golden/maize-mdp/gemma.%s.pheno.txt", name[i]);
        snprintf(results, sizeof results, "golden/maize-mdp/lmm4.%s", name[i]);
        check(&(run){"maize-mdp/derived/mdp", "golden/maize-mdp/K.cXX.txt",
                     "golden/maize-mdp/gemma.covar.txt", trait, results});
    }
}

static void mean_genotypes_of_strains_agree(void **state) {
    (void)state;
    check(&(run){"bxd-gemma/BXD_geno.txt.gz", "golden/bxd-gemma/BXD.cXX.txt",
                 "bxd-gemma/BXD_covariates2.txt", "bxd-gemma/BXD_pheno.txt",
                 "golden/bxd-gemma/BXD_lmm4"});
}

static void no_heritability_agrees(void **state) {
    (void)state;
    check(&(run){"regenie-example/example", NULL, "golden/regenie-example/gemma.covar.txt",
                 "golden/regenie-example/gemma.Y1.pheno.txt", "golden/regenie-example/lmm4.Y1"});
    check(&(run){"regenie-example/example", NULL, "golden/regenie-example/gemma.covar.txt",
                 "golden/regenie-example/gemma.Y2.pheno.txt", "golden/regenie-example/lmm4.Y2"});
}

static void a_vague_heritability_agrees(void **state) {
    (void)state;
    check(&(run){"fastlmm-toydata/toydata.5chrom", NULL, "golden/fastlmm-toydata/gemma.covar.txt",
                 "golden/fastlmm-toydata/gemma.PHENO1.pheno.txt",
                 "golden/fastlmm-toydata/lmm4.PHENO1"});
}

static void mice_agree(void **state) {
    (void)state;
    check(&(run){"mice-ldak/mice", NULL, NULL, "golden/mice-ldak/gemma.CD8.pheno.txt",
                 "golden/mice-ldak/lmm4.CD8"});
    check(&(run){"mice-bglr/derived/mice", NULL, "golden/mice-bglr/gemma.covar.txt",
                 "golden/mice-bglr/gemma.Obesity.BodyLength.pheno.txt",
                 "golden/mice-bglr/lmm4.Obesity.BodyLength"});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wheat_agrees),
        cmocka_unit_test(maize_with_covariates_and_missing_traits_agrees),
        cmocka_unit_test(mean_genotypes_of_strains_agree),
        cmocka_unit_test(no_heritability_agrees),
        cmocka_unit_test(a_vague_heritability_agrees),
        cmocka_unit_test(mice_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
