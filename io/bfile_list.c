#include "io/bfile_list.h"
#include "src/base/mem.h"

#include <stdlib.h>
#include <string.h>

static char *path_of(const char *prefix, int64_t n, const char *extension, gp_err *err) {
    gp_text path = {0};
    if (gp_text_add(&path, prefix, n, err) != GP_OK ||
        gp_text_add(&path, extension, (int64_t)strlen(extension), err) != GP_OK)
        gp_text_free(&path);
    return path.bytes;
}

static int add_set(gp_bfile_list *list, const char *prefix, int64_t n, gp_err *err) {
    gp_bfile *set = &list->set[list->count];
    if (n == 0)
        return gp_err_set(err, GP_EINPUT, "--bfile: an empty prefix; give PREFIX[,PREFIX...]");
    list->count++;
    set->fam = path_of(prefix, n, ".fam", err);
    set->bim = path_of(prefix, n, ".bim", err);
    set->bed = path_of(prefix, n, ".bed", err);
    for (int64_t k = 0; err->code == GP_OK && k < list->count - 1; k++)
        if (strcmp(list->set[k].bed, set->bed) == 0)
            return gp_err_set(err, GP_EINPUT, "--bfile: '%.*s' is given twice",
                              (int)(n < 300 ? n : 300), prefix);
    return err->code;
}

static int cut_prefixes(gp_bfile_list *list, const char *prefixes, gp_err *err) {
    int64_t most = 1;
    for (const char *c = prefixes; *c; c++)
        most += *c == ',';
    list->set = gp_mem_alloc(most, sizeof *list->set, err);
    list->bed = gp_mem_alloc(most, sizeof *list->bed, err);
    for (const char *from = prefixes; from != NULL && err->code == GP_OK;) {
        const char *comma = strchr(from, ',');
        add_set(list, from, comma ? comma - from : (int64_t)strlen(from), err);
        from = comma ? comma + 1 : NULL;
    }
    return err->code;
}

int gp_bfile_list_open(gp_bfile_list *list, const char *prefixes, gp_err *err) {
    if (cut_prefixes(list, prefixes, err) != GP_OK ||
        gp_fam_read(list->set[0].fam, &list->samples, err) != GP_OK)
        return err->code;
    for (int64_t k = 0; k < list->count; k++) {
        gp_bfile *set = &list->set[k];
        if ((k > 0 && gp_fam_compare(set->fam, &list->samples, list->set[0].fam, err) != GP_OK) ||
            gp_bed_open(&set->calls, set->bed, list->samples.n, err) != GP_OK)
            return err->code;
        list->bed[k] = &set->calls;
    }
    return GP_OK;
}

int gp_bfile_list_map(gp_bfile_list *list, gp_io_watch watch, void *context, gp_err *err) {
    for (int64_t k = 0; k < list->count; k++) {
        gp_bfile *set = &list->set[k];
        if (gp_bim_map_add(&list->map, set->bim, k, &set->rows, watch, context, err) != GP_OK ||
            gp_bed_check_size(&set->calls, list->samples.n, set->rows, err) != GP_OK)
            return err->code;
    }
    return GP_OK;
}

int gp_bfile_list_bytes(const gp_bfile_list *list, int64_t *bim, int64_t *all, gp_err *err) {
    *bim = *all = 0;
    for (int64_t k = 0; k < list->count; k++) {
        int64_t fam_size = 0, bim_size = 0;
        if (gp_io_file_size(list->set[k].fam, &fam_size, err) != GP_OK ||
            gp_io_file_size(list->set[k].bim, &bim_size, err) != GP_OK)
            return err->code;
        *bim += bim_size;
        *all += fam_size + bim_size + list->set[k].calls.size;
    }
    return GP_OK;
}

void gp_bfile_list_free(gp_bfile_list *list) {
    for (int64_t k = 0; k < list->count; k++) {
        free(list->set[k].fam);
        free(list->set[k].bim);
        free(list->set[k].bed);
        gp_bed_close(&list->set[k].calls);
    }
    free(list->set);
    free(list->bed);
    gp_samples_free(&list->samples);
    gp_bim_map_free(&list->map);
    *list = (gp_bfile_list){0};
}
