#include "tests/io/store_fixture.h"
#include "src/base/mem.h"
#include "src/geno/code.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fixture_call(int64_t k, int64_t j, int64_t i) {
    uint64_t x = (uint64_t)(k * 1000003 + j) * 0x9E3779B97F4A7C15u + (uint64_t)i;
    x = (x ^ (x >> 31)) * 0xBF58476D1CE4E5B9u;
    return (int)((x ^ (x >> 29)) >> 40 & 3);
}

int64_t fixture_position(int64_t k, int64_t j) {
    return 100 * (k + 1) + j / 2 * 7; /* pairs share a position */
}

double fixture_morgan(int64_t k, int64_t j) {
    return (double)fixture_position(k, j) / 1024;
}

void fixture_id(int64_t k, int64_t j, char id[64]) {
    snprintf(id, 64, "rs%lld_%lld%.*s", (long long)k, (long long)j, (int)(j % 9), "abcdefghi");
}

const char *fixture_ref(int64_t j) {
    static const char *const ref[] = {"A", "C", "G", "TACCA", "."};
    return ref[j % 5];
}

const char *fixture_alt(int64_t j) {
    static const char *const alt[] = {"T", "<DEL>", "A"};
    return alt[j % 3];
}

int fixture_samples(const fixture *f, gp_samples *s, gp_err *err) {
    for (int64_t i = 0; i < f->samples && err->code == GP_OK; i++) {
        char fid[32], iid[32], father[32];
        snprintf(fid, sizeof fid, "F%lld", (long long)i / 3);
        snprintf(iid, sizeof iid, "sample %lld", (long long)i);
        snprintf(father, sizeof father, i % 3 == 2 ? "sample %lld" : "0", (long long)i - 2);
        gp_sample one = {fid, iid, father, "0", (int)(i % 3)};
        gp_samples_add(s, &one, err);
    }
    return err->code;
}

static void fill_row(const fixture *f, int64_t k, int64_t j, uint8_t *row) {
    memset(row, f->dirty ? 0xA7 : 0, (size_t)gp_geno_stride(f->samples));
    for (int64_t i = 0; i < f->samples; i++)
        gp_geno_set(row, i, fixture_call(k, j, i));
}

static int write_run(const fixture *f, gp_store_writer *w, int64_t k, int64_t first, int64_t count,
                     gp_err *err) {
    int64_t stride = gp_geno_stride(f->samples);
    gp_variants v = {0};
    uint8_t *rows = gp_mem_alloc(count, stride, err);
    char(*id)[64] = gp_mem_alloc(count, sizeof *id, err);
    int with_morgan = f->chromosome[k].with_morgan;
    if (rows == NULL || id == NULL || gp_variants_reserve(&v, count, with_morgan, err) != GP_OK)
        goto done;
    v.count = count;
    for (int64_t i = 0; i < count; i++) {
        int64_t j = first + i;
        fixture_id(k, j, id[i]);
        char *ref = gp_mem_string(fixture_ref(j), (int64_t)strlen(fixture_ref(j)), err);
        char *alt = gp_mem_string(fixture_alt(j), (int64_t)strlen(fixture_alt(j)), err);
        v.position[i] = fixture_position(k, j);
        if (with_morgan)
            v.morgan[i] = fixture_morgan(k, j);
        v.id[i] = id[i];
        v.ref[i] = ref;
        v.alt[i] = alt;
        fill_row(f, k, j, rows + i * stride);
    }
    if (err->code == GP_OK)
        gp_store_append(w, &v, rows, err);
    for (int64_t i = 0; i < count; i++) {
        free(v.ref[i]);
        free(v.alt[i]);
    }
done:
    gp_variants_free(&v);
    free(rows);
    free(id);
    return err->code;
}

static int write_chromosome(const fixture *f, gp_store_writer *w, int64_t k, gp_err *err) {
    const fixture_chromosome *from = &f->chromosome[k];
    char name[64];
    snprintf(name, sizeof name, "%s", from->name);
    gp_chromosome c = {name, from->kind, from->count};
    if (gp_store_begin_chromosome(w, &c, from->with_morgan, err) != GP_OK)
        return err->code;
    for (int64_t j = 0; j < from->count; j += f->run) {
        int64_t count = from->count - j < f->run ? from->count - j : f->run;
        if (write_run(f, w, k, j, count, err) != GP_OK)
            return err->code;
    }
    return GP_OK;
}

int fixture_write(const fixture *f, const char *path, gp_err *err) {
    gp_samples samples = {0};
    gp_store_writer *w = NULL;
    gp_store_plan plan = {&samples, 0, f->compress, f->provenance};
    int64_t k = 0;
    for (; f->chromosome[k].name != NULL; k++)
        plan.variants += f->chromosome[k].count;
    if (fixture_samples(f, &samples, err) == GP_OK)
        gp_store_create(&w, path, &plan, err);
    for (k = 0; err->code == GP_OK && f->chromosome[k].name != NULL; k++)
        write_chromosome(f, w, k, err);
    if (err->code == GP_OK)
        gp_store_finish(w, err);
    else
        gp_store_discard(w);
    gp_samples_free(&samples);
    return err->code;
}

/* ---- comparing ---- */

static const char *compare_samples(const fixture *f, gp_store *store, gp_err *err) {
    gp_samples want = {0}, got = {0};
    const char *bad = NULL;
    if (fixture_samples(f, &want, err) != GP_OK || gp_store_read_samples(store, &got, err) != GP_OK)
        bad = "samples cannot be read";
    else if (want.n != got.n)
        bad = "number of samples";
    for (int64_t i = 0; bad == NULL && i < want.n; i++)
        if (strcmp(gp_samples_fid(&want, i), gp_samples_fid(&got, i)) != 0 ||
            strcmp(gp_samples_iid(&want, i), gp_samples_iid(&got, i)) != 0 ||
            strcmp(gp_samples_father(&want, i), gp_samples_father(&got, i)) != 0 ||
            strcmp(gp_samples_mother(&want, i), gp_samples_mother(&got, i)) != 0 ||
            want.sex[i] != got.sex[i])
            bad = "a sample";
    gp_samples_free(&want);
    gp_samples_free(&got);
    return bad;
}

static const char *compare_variant(const fixture *f, int64_t k, int64_t j, const gp_variants *v,
                                   int64_t i) {
    char id[64];
    fixture_id(k, j, id);
    if (v->position[i] != fixture_position(k, j))
        return "a position";
    if ((v->morgan != NULL) != f->chromosome[k].with_morgan ||
        (v->morgan && v->morgan[i] != fixture_morgan(k, j)))
        return "a genetic position";
    if (strcmp(v->id[i], id) != 0)
        return "an id";
    return strcmp(v->ref[i], fixture_ref(j)) || strcmp(v->alt[i], fixture_alt(j)) ? "an allele"
                                                                                  : NULL;
}

static const char *compare_row(const fixture *f, int64_t k, int64_t j, const uint8_t *row,
                               const gp_counts *counts) {
    gp_counts want = {{0}};
    for (int64_t i = 0; i < f->samples; i++) {
        if (gp_geno_get(row, i) != fixture_call(k, j, i))
            return "a call";
        want.call[fixture_call(k, j, i)]++;
    }
    for (int64_t i = f->samples; i < 4 * gp_geno_stride(f->samples); i++)
        if (gp_geno_get(row, i) != 0)
            return "padding";
    return memcmp(&want, counts, sizeof want) ? "counts" : NULL;
}

/* In runs whose length has nothing to do with how the store was written. */
static const char *compare_chromosome(const fixture *f, gp_store *store, int64_t k, gp_err *err) {
    enum { RUN = 37 };
    int64_t all = f->chromosome[k].count, stride = gp_geno_stride(f->samples);
    const gp_chromosome *c = gp_store_chromosome(store, k);
    gp_counts counts[RUN];
    gp_variants v = {0};
    const char *bad = NULL;
    if (strcmp(c->name, f->chromosome[k].name) || c->kind != f->chromosome[k].kind ||
        c->count != all)
        return "a chromosome";
    uint8_t *rows = gp_mem_alloc(RUN, stride, err);
    if (rows == NULL)
        return "memory";
    for (int64_t first = 0; bad == NULL && first < all; first += RUN) {
        int64_t count = all - first < RUN ? all - first : RUN;
        if (gp_store_read_variants(store, k, first, count, &v, err) != GP_OK ||
            gp_store_read_counts(store, k, first, count, counts, err) != GP_OK ||
            gp_store_read_genotypes(store, k, first, count, 0, f->samples, rows, err) != GP_OK)
            bad = "a run cannot be read";
        for (int64_t i = 0; bad == NULL && i < count; i++) {
            bad = compare_variant(f, k, first + i, &v, i);
            if (bad == NULL)
                bad = compare_row(f, k, first + i, rows + i * stride, &counts[i]);
        }
    }
    gp_variants_free(&v);
    free(rows);
    return bad;
}

const char *fixture_compare(const fixture *f, gp_store *store, gp_err *err) {
    int64_t chromosomes = 0, variants = 0;
    for (; f->chromosome[chromosomes].name != NULL; chromosomes++)
        variants += f->chromosome[chromosomes].count;
    if (gp_store_sample_count(store) != f->samples || gp_store_variant_count(store) != variants ||
        gp_store_chromosome_count(store) != chromosomes ||
        strcmp(gp_store_provenance(store), f->provenance) != 0)
        return "the head";
    const char *bad = compare_samples(f, store, err);
    for (int64_t k = 0; bad == NULL && k < chromosomes; k++)
        bad = compare_chromosome(f, store, k, err);
    return bad;
}

/* ---- folders ---- */

void fixture_folder(char to[64]) {
    snprintf(to, 64, "/tmp/gp-store-XXXXXX");
    if (mkdtemp(to) == NULL)
        abort();
}

int fixture_count_files(const char *folder, int remove) {
    int files = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e = d ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
        char path[400];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        files++;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (remove)
            unlink(path);
    }
    closedir(d);
    if (remove)
        rmdir(folder);
    return files;
}
