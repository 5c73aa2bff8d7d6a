#include "io/import.h"
#include "io/bfile_copy.h"
#include "io/import_inside.h"
#include "src/geno/code.h"

#include <stddef.h>

/* What the store will take: calls, positions, counts and strings. */
static int64_t predicted_bytes(const gp_bfile_list *list, const gp_karyotype *karyotype) {
    enum { A_VARIANT = 8 + 8 + 4 * 8 + 3 };
    return karyotype->variants * (gp_geno_stride(list->samples.n) + A_VARIANT) + list->map.text;
}

static int report(const gp_bfile_list *list, const gp_karyotype *karyotype, gp_text *text,
                  gp_err *err) {
    gp_text_print(text, err, "chromosome\tkind\tvariants\torder\n");
    for (int64_t k = 0; k < karyotype->count && err->code == GP_OK; k++) {
        const gp_karyotype_place *place = &karyotype->place[k];
        gp_text_print(text, err, "%s\t%s\t%lld\t%s\n", place->chromosome.name,
                      gp_kind_name(place->chromosome.kind), (long long)place->chromosome.count,
                      gp_karyotype_streams(&list->map, place) ? "sorted" : "to be sorted");
    }
    if (err->code != GP_OK)
        return err->code;
    return gp_text_print(text, err,
                         "samples\t%lld\nvariants\t%lld\nstore\tabout %.1f MB before compression\n",
                         (long long)list->samples.n, (long long)karyotype->variants,
                         1e-6 * (double)predicted_bytes(list, karyotype));
}

static int describe(const gp_bfile_list *list, const gp_karyotype *karyotype, gp_import_tally *t,
                    gp_text *text, gp_err *err) {
    gp_text_print(text, err, "program: %s\nsamples: %lld\nvariants: %lld\n",
                  t->ask->program ? t->ask->program : "gp-dist", (long long)list->samples.n,
                  (long long)karyotype->variants);
    if (err->code == GP_OK && list->map.skipped > 0)
        gp_text_print(text, err, "variants left out (negative position): %lld\n",
                      (long long)list->map.skipped);
    return err->code == GP_OK ? gp_import_describe(list, t, text, err) : err->code;
}

/* ---- the whole ---- */

static int write_store(const gp_import *ask, const gp_bfile_list *list,
                       const gp_karyotype *karyotype, const char *provenance, gp_err *err) {
    gp_import_tally written = {.ask = ask, .what = "variants", .total = karyotype->variants};
    gp_store_plan plan = {.samples = &list->samples,
                          .variants = karyotype->variants,
                          .compress = ask->compress < 0 ? 0 : ask->compress,
                          .provenance = provenance};
    gp_bfile_copy copy = {.list = list,
                          .karyotype = karyotype,
                          .entries = GP_COPY_ENTRIES,
                          .watch = gp_import_tell,
                          .context = &written};
    if (gp_store_create(&copy.writer, ask->out, &plan, err) != GP_OK)
        return err->code;
    if (gp_bfile_copy_run(&copy, err) == GP_OK)
        return gp_store_finish(copy.writer, err);
    gp_store_discard(copy.writer);
    return err->code;
}

/* All checks that need no more than the text files; warnings come before the long work. */
static int check_input(const gp_import *ask, gp_bfile_list *list, gp_karyotype *karyotype,
                       gp_err *err) {
    gp_import_tally read = {.ask = ask, .what = "bytes of .bim checked"};
    int64_t all = 0;
    if (gp_bfile_list_open(list, ask->bfile, err) != GP_OK ||
        gp_bfile_list_bytes(list, &read.total, &all, err) != GP_OK ||
        gp_bfile_list_map(list, gp_import_tell, &read, err) != GP_OK ||
        gp_karyotype_make(karyotype, &list->map, ask->autosomes, ask->sink, err) != GP_OK)
        return err->code;
    if (karyotype->variants == 0)
        return gp_err_set(err, GP_EINPUT, "%s: every variant has a negative position",
                          list->set[0].bim);
    gp_import_warn_of_order(&list->map, karyotype, ask->sink);
    return gp_import_warn_of_repeats(list, &read, err);
}

int gp_import_bfile(const gp_import *ask, gp_import_result *result, gp_err *err) {
    gp_bfile_list list = {0};
    gp_karyotype karyotype = {0};
    gp_text provenance = {0};
    gp_import_tally summed = {.ask = ask, .what = "bytes summed"};
    int64_t bim = 0;
    if ((ask->out != NULL && gp_store_check_new(ask->out, err) != GP_OK) ||
        check_input(ask, &list, &karyotype, err) != GP_OK)
        goto done;
    result->samples = list.samples.n;
    result->variants = karyotype.variants;
    result->chromosomes = karyotype.count;
    for (int64_t k = 0; k < list.count; k++)
        result->bytes += list.set[k].calls.size;
    if (ask->dry_run) {
        report(&list, &karyotype, &result->report, err);
        goto done;
    }
    if (gp_bfile_list_bytes(&list, &bim, &summed.total, err) == GP_OK &&
        describe(&list, &karyotype, &summed, &provenance, err) == GP_OK)
        write_store(ask, &list, &karyotype, provenance.bytes, err);
done:
    gp_import_explain_stop(err);
    gp_text_free(&provenance);
    gp_karyotype_free(&karyotype);
    gp_bfile_list_free(&list);
    return err->code;
}

void gp_import_result_free(gp_import_result *result) {
    gp_text_free(&result->report);
    *result = (gp_import_result){0};
}
